"""What genotypes tell besides the count: errors of replicates, two laboratories, kinship."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicators.reading import Notes
from ecotone.assess.indicators.wildlife_reading import Problems, is_missing, read_columns
from ecotone.formats.genotype_replicates import named
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.science.stats import clopper_pearson
from ecotone.science.wildlife.genotypes import Genotypes, LocusSummary, encode
from ecotone.science.wildlife.relatedness import Estimator, relatedness, spread
from ecotone.science.wildlife.replicates import consensus, error_rates, size_shift

_LEVEL: Final = 0.95
ERRORS: Final = {
    "locus": "",
    "amplifications": "amplifications",
    "of_heterozygotes": "amplifications",
    "dropout": "1",
    "false_alleles": "1",
    "decided": "samples",
    "samples": "samples",
}
SHIFT: Final = {"locus": "", "samples": "samples", "shift": "bp", "agreement": "1"}
RELATED: Final = {"first": "", "second": "", "relatedness": "1"}
KINSHIP: Final = {"kinship": "", "mean": "1", "spread": "1"}
#: Pairs that a table of relatives holds, the closest first.
_PAIRS: Final = 100
_SIMULATED: Final = 1000
#: Share of alleles with one shift below which two laboratories' sizes cannot be compared.
_COMPARABLE: Final = 0.9


@dataclass(frozen=True)
class Replicates:
    """Amplifications as codes, and the names behind them."""

    samples: tuple[str, ...]
    loci: tuple[str, ...]
    sample: NDArray[np.int64]
    locus: NDArray[np.int64]
    alleles: NDArray[np.int64]  #: sizes, -1 where the amplification failed


def read_replicates(
    paths: Sequence[Path], missing: frozenset[str], problems: Problems, notes: Notes
) -> Replicates:
    """Every amplification of the files; a sample, locus and replicate stands once."""
    frames = []
    for path in paths:
        frame = read_columns(path, (), (), (), notes)
        if {"sample", "property", "value_text"} <= set(frame.columns):
            frame = _from_node(frame)
        found = named(tuple(c for c in frame.columns if c != "row"))
        frame = frame.rename(columns={header: word for word, header in found.items()})
        for word in ("sample", "locus", "replicate", "allele1", "allele2"):
            if word not in frame:
                problems.add("wildlife-replicate-column", path, field=word)
        problems.stop()
        for word in ("sample", "locus", "replicate"):
            problems.rows("wildlife-replicate-empty", path, frame[is_missing(frame[word])], word)
            frame[word] = frame[word].astype(str).str.strip()
        again = frame[frame.duplicated(["sample", "locus", "replicate"])]
        problems.rows("wildlife-replicate-twice", path, again, "replicate")
        for word in ("allele1", "allele2"):
            text = frame[word].astype(object).where(frame[word].notna(), "").astype(str).str.strip()
            gone = text.str.casefold().isin(missing)
            size = pd.to_numeric(text.where(~gone), errors="coerce")
            wrong = frame[~gone & (size.isna() | (size < 0) | (size != size.round()))]
            problems.rows("wildlife-allele-size", path, wrong, word)
            frame[f"{word}_size"] = size.fillna(-1)
        frames.append(frame)
    problems.stop()
    table = pd.concat(frames, ignore_index=True)
    sample, samples = pd.factorize(table["sample"])
    locus, loci = pd.factorize(table["locus"])
    sizes = table[["allele1_size", "allele2_size"]].to_numpy(np.float64).astype(np.int64)
    sizes[(sizes < 0).any(axis=1)] = -1
    return Replicates(
        tuple(map(str, samples)),
        tuple(map(str, loci)),
        sample.astype(np.int64),
        locus.astype(np.int64),
        sizes,
    )


def _from_node(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of a node: the locus is the property, the replicate the event."""
    pair = (
        frame["value_text"].astype("str").str.split("/", n=1, expand=True).reindex(columns=[0, 1])
    )
    return pd.DataFrame(
        {
            "row": frame["row"],
            "sample": frame["sample"],
            "locus": frame["property"],
            "replicate": frame.get("event", pd.Series(range(len(frame)), index=frame.index)),
            "allele1": pair[0],
            "allele2": pair[1],
        }
    )


def judged(found: Replicates, notes: Notes) -> tuple[Genotypes, pd.DataFrame, dict[str, Value]]:
    """The genotypes that replicates agree on, error rates by locus and overall."""
    agreed = consensus(found.sample, found.locus, *found.alleles.T)
    rates = error_rates(found.sample, found.locus, *found.alleles.T, agreed)
    sizes = np.full((len(found.samples), len(found.loci), 2), -1, dtype=np.int64)
    sizes[agreed.sample, agreed.locus] = agreed.alleles
    decided = (sizes >= 0).all(axis=2)
    rows = [
        (
            name,
            rate.amplifications,
            rate.of_heterozygotes,
            rate.dropout,
            rate.false,
            int(decided[:, k].sum()),
            len(found.samples),
        )
        for k, (name, rate) in enumerate(zip(found.loci, rates, strict=True))
    ]
    undecided = int((~decided).sum())
    if undecided:
        params = {"count": str(undecided), "total": str(decided.size)}
        notes.add(Finding("wildlife-consensus-open", Severity.INFO, params=params))
    told = [
        [None if a < 0 else str(a) for a in column] for column in sizes.reshape(len(sizes), -1).T
    ]
    genotypes = encode(
        list(found.samples),
        [(name, told[2 * k], told[2 * k + 1]) for k, name in enumerate(found.loci)],
        [],
    )
    dropped = sum(round(r.dropout * r.of_heterozygotes) for r in rates if r.of_heterozygotes)
    false = sum(round(r.false * r.amplifications) for r in rates if r.amplifications)
    values = {
        "dropout": _share(dropped, sum(r.of_heterozygotes for r in rates)),
        "false_alleles": _share(false, sum(r.amplifications for r in rates)),
    }
    return genotypes, pd.DataFrame(rows, columns=list(ERRORS)), values


def _share(count: int, of: int) -> Value:
    """A share with its exact interval; none where nothing could show it."""
    if not of:
        return Value(value=None, unit="1")
    low, high = (float(end) for end in clopper_pearson(count, of, _LEVEL))
    return Value(value=count / of, unit="1", low=low, high=high, level=_LEVEL)


def shifts(
    own: dict[str, NDArray[np.int64]],
    ids: Sequence[str],
    theirs: dict[str, NDArray[np.int64]],
    their_ids: Sequence[str],
    notes: Notes,
) -> pd.DataFrame:
    """How another laboratory's allele sizes differ at each shared locus, by shared samples."""
    shared = [name for name in ids if name in set(their_ids)]
    first = [list(ids).index(name) for name in shared]
    second = [list(their_ids).index(name) for name in shared]
    rows = []
    for locus in (name for name in own if name in theirs):
        ours, other = own[locus][first], theirs[locus][second]
        shift, agreement = size_shift(ours, other)
        both = int(((ours >= 0).all(axis=1) & (other >= 0).all(axis=1)).sum())
        rows.append((locus, both, shift, agreement))
        params = {"locus": locus, "shift": str(shift), "share": f"{100 * agreement:.0f}"}
        if both and agreement < _COMPARABLE:
            notes.add(Finding("wildlife-laboratories-differ", Severity.WARNING, params=params))
        elif both and shift:
            notes.add(Finding("wildlife-laboratories-shifted", Severity.WARNING, params=params))
    return pd.DataFrame(rows, columns=list(SHIFT))


def kin(
    genotypes: Genotypes, animals: NDArray[np.int64], estimator: str, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The closest pairs of animals, and what each kinship looks like with this panel."""
    alleles = genotypes.alleles[animals]
    frequencies = []
    for k in range(alleles.shape[1]):
        typed = alleles[:, k][(alleles[:, k] >= 0).all(axis=1)]
        count = np.bincount(typed.ravel()).astype(np.float64)
        frequencies.append(count / count.sum() if count.sum() else np.ones(1))
    one, two = np.triu_indices(len(animals), 1)
    kind = cast(Estimator, estimator)
    values = relatedness(alleles[one], alleles[two], frequencies, kind)
    order = np.argsort(-np.nan_to_num(values, nan=-9.0), kind="stable")[:_PAIRS]
    ids = np.array(genotypes.ids, dtype=object)[animals]
    pairs = pd.DataFrame(
        {"first": ids[one[order]], "second": ids[two[order]], "relatedness": values[order]}
    )
    found = spread(frequencies, kind, _SIMULATED, np.random.default_rng(seed))
    told = pd.DataFrame([(n, *v) for n, v in found.items()], columns=list(KINSHIP))
    return pairs, told


def diversity(loci: Sequence[LocusSummary]) -> dict[str, Value]:
    """Heterozygosity over the loci with its spread between them, and Fis."""
    typed = [locus for locus in loci if locus.typed]
    found = {}
    for name in ("ho", "he_unbiased"):
        each = np.array([getattr(locus, name) for locus in typed], dtype=np.float64)
        each = each[np.isfinite(each)]
        se = float(each.std(ddof=1) / np.sqrt(len(each))) if len(each) > 1 else None
        value = float(each.mean()) if len(each) else None
        found[name] = Value(value=value, unit="1", se=se)
    ho, he = found["ho"].value, found["he_unbiased"].value
    known = ho is not None and he is not None and he > 0
    found["fis"] = Value(value=1.0 - ho / he if known else None, unit="1")  # type: ignore[operator]  # known
    return found
