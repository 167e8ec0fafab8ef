"""``wildlife.identity``: how many animals left the samples, and how far the panel tells them."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators.reading import Notes, plain
from ecotone.assess.indicators.wildlife_laboratory import (
    ERRORS,
    KINSHIP,
    RELATED,
    SHIFT,
    diversity,
    judged,
    kin,
    read_replicates,
    shifts,
)
from ecotone.assess.indicators.wildlife_reading import Problems, read_columns
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.wildlife.genotypes import (
    Genotypes,
    LocusSummary,
    encode,
    mismatch_histogram,
    summarise,
)
from ecotone.science.wildlife.matching import Matching, MismatchProfile, profile

#: How an allele that could not be read is written; zero length is none.
_MISSING: Final = frozenset(
    {"", "-99", "-9", "0", "00", "000", "na", "n/a", "nan", "none", "null", "?", "-", "."}
)
_PAIR: Final = re.compile(r"(?P<stem>.+?)[ ._-]?(?P<part>[ab12])", re.IGNORECASE)
_SEX: Final = frozenset({"sex", "gender", "пол", "性别"})
_PROFILE: Final = {
    "mismatches": "alleles",
    "unique": "genotypes",
    "multiple": "samples",
    "unclassified": "samples",
}
_LOCI: Final = {
    "locus": "",
    "typed": "samples",
    "alleles": "alleles",
    "ho": "1",
    "he": "1",
    "he_unbiased": "1",
    "pid": "1",
    "pid_unbiased": "1",
    "pid_sibs": "1",
    "hardy_weinberg_p": "1",
}
_SAMPLES: Final = {"sample": "", "genotype": "", "class": "", "matches": "genotypes"}
_PAIRS: Final = {"mismatching_loci": "loci", "pairs": "pairs"}
#: Tables drawn for the Hardy-Weinberg test: p to about 0.01.
_TABLES: Final = 2000
_SEED: Final = 1


def compute(job: Job) -> Outcome:
    """Match the samples and say what the panel is worth."""
    notes = Notes()
    tables: dict[str, pd.DataFrame] = {}
    more: dict[str, Value] = {}
    if ("genotypes" in job.inputs) == ("replicates" in job.inputs):
        raise UsageError(say("assess.wildlife.identity-inputs"))
    if "reference" in job.inputs and "genotypes" not in job.inputs:
        raise UsageError(say("assess.wildlife.reference-genotypes"))
    if "genotypes" in job.inputs:
        frames = [_read(path, notes) for path in job.inputs["genotypes"]]
        genotypes = _joined(frames)
    else:
        frames = []
        problems = Problems()
        found_all = read_replicates(job.inputs["replicates"], _MISSING, problems, notes)
        genotypes, tables["errors"], more = judged(found_all, notes)
    if "reference" in job.inputs:
        tables["shift"] = _against(
            frames, [_read(p, notes) for p in job.inputs["reference"]], notes
        )
    job.progress(0.2)
    given = job.parameters["mismatches"]
    columns = genotypes.flat.shape[1]
    if isinstance(given, int) and given >= columns:
        raise UsageError(say("assess.wildlife.mismatches-many", mismatches=given, columns=columns))
    most = max(int(columns * 0.4), given) if isinstance(given, int) else None
    try:
        found = profile(genotypes, most)
    except ValueError as error:
        raise NotComputable(say("assess.wildlife.not-matched", why=str(error))) from error
    job.progress(0.8)
    chosen = given if isinstance(given, int) else found.chosen
    _tell(found, chosen, given is not None, notes)
    loci = summarise(genotypes, tables=_TABLES, rng=np.random.default_rng(_SEED))
    matching = None if chosen is None else found.matchings[chosen]
    tables |= {
        "profile": _profile(found),
        "loci": pd.DataFrame([vars(locus) for locus in loci], columns=list(_LOCI)),
        "pairs": _pairs(genotypes),
    }
    if matching is not None:
        tables["samples"] = _samples(genotypes, matching)
    estimator = job.parameters["relatedness"]
    if estimator != "none":
        every = np.arange(len(genotypes.ids)) if matching is None else matching.unique
        if len(every) < 2:
            raise NotComputable(say("assess.wildlife.few-animals"))
        tables["related"], tables["kinship"] = kin(genotypes, every, str(estimator), _SEED)
    values = _values(genotypes, loci, matching, notes) | diversity(loci) | more
    return Outcome(values=values, tables=tables, findings=notes.all())


# --- the table -------------------------------------------------------------------------


#: A file, its rows, and its loci: one or two columns each.
_Table = tuple[Path, pd.DataFrame, dict[str, list[str]]]


def _read(path: Path, notes: Notes) -> _Table:
    """A file's table and its loci: ``{name: one or two columns}``."""
    frame = read_columns(path, (), (), (), notes)
    problems = Problems()
    columns = [c for c in frame.columns if c != "row"]
    loci = _loci(columns[1:], path, problems)
    ids = frame[columns[0]].astype(object)
    frame["id"] = ids.where(ids.notna(), "").astype(str).str.strip()
    problems.rows("wildlife-id-missing", path, frame[frame["id"] == ""], "id")
    problems.rows("wildlife-id-twice", path, frame[frame.duplicated("id")], "id")
    if not any(len(pair) == 2 for pair in loci.values()):
        problems.add("wildlife-no-locus", path)
    problems.stop()
    return path, frame, loci


def _loci(columns: list[str], path: Path, problems: Problems) -> dict[str, list[str]]:
    """Pairs of columns that differ in their last sign; a lone column of sex is a locus too."""
    pairs: dict[str, dict[str, str]] = {}
    singles: dict[str, list[str]] = {}
    for column in columns:
        match = _PAIR.fullmatch(column.strip())
        if plain(column) in _SEX:
            singles["sex"] = [column]
        elif match is not None:
            part = {"1": "a", "2": "b"}.get(match["part"].lower(), match["part"].lower())
            pairs.setdefault(match["stem"], {})[part] = column
    named = {stem for stem, parts in pairs.items() if len(parts) == 2}
    # A locus is told from other columns that end in these letters by the likes beside it.
    shapes = {_shape(parts["a"], stem) for stem, parts in pairs.items() if stem in named}
    for stem, parts in pairs.items():
        if stem in named:
            continue
        (column,) = parts.values()
        if _shape(column, stem) in shapes and re.search(r"\d", stem):
            problems.add("wildlife-allele-alone", path, field=column)
    return singles | {stem: [pairs[stem]["a"], pairs[stem]["b"]] for stem in pairs if stem in named}


def _shape(column: str, stem: str) -> str:
    """How the allele's letter is set off: ``LOC1a`` and ``Pati01_a`` differ in this."""
    letter = column.strip()[-1]
    kind = "digit" if letter.isdigit() else "upper" if letter.isupper() else "lower"
    return column.strip()[len(stem) : -1] + kind


def _joined(frames: list[_Table]) -> Genotypes:
    """One set of samples over the loci all files share."""
    shared = [n for n in frames[0][2] if all(n in loci for _, _, loci in frames)]
    shared = [n for n in shared if len({len(loci[n]) for _, _, loci in frames}) == 1]
    problems = Problems()
    ids: list[str] = []
    for path, frame, _ in frames:
        again = frame[frame["id"].isin(set(ids))]
        problems.rows("wildlife-id-twice", path, again, "id")
        ids += frame["id"].tolist()
    problems.stop()

    def values(name: str, part: int) -> list[str | None]:
        return [v for _, frame, loci in frames for v in _alleles(frame[loci[name][part]])]

    width = {n: len(frames[0][2][n]) for n in shared}
    return encode(
        ids,
        [(n, values(n, 0), values(n, 1)) for n in shared if width[n] == 2],
        [(n, values(n, 0)) for n in shared if width[n] == 1],
    )


def _against(own: list[_Table], theirs: list[_Table], notes: Notes) -> pd.DataFrame:
    """Allele sizes of samples that two laboratories typed."""

    def sizes(tables: list[_Table]) -> tuple[dict[str, NDArray[np.int64]], list[str]]:
        ids = [i for _, frame, _ in tables for i in frame["id"]]
        names = [n for n in tables[0][2] if all(n in loci for _, _, loci in tables)]
        found = {}
        for name in names:
            if len(tables[0][2][name]) == 2:
                pair = [
                    [_size(a) for _, f, loci in tables for a in _alleles(f[loci[name][k]])]
                    for k in (0, 1)
                ]
                found[name] = np.sort(np.array(pair, dtype=np.int64).T, axis=1)
        return found, ids

    return shifts(*sizes(own), *sizes(theirs), notes)


def _size(allele: str | None) -> int:
    return int(allele) if allele is not None and allele.isdigit() else -1


def _alleles(column: pd.Series) -> list[str | None]:
    """Each different text read once; missing is None."""
    codes, texts = pd.factorize(column.astype(object).where(column.notna(), "").astype(str))
    read = [_allele(text) for text in texts]
    return [read[code] for code in codes]


def _allele(text: str) -> str | None:
    bare = text.strip()
    if bare.casefold() in _MISSING:
        return None
    if re.fullmatch(r"\d+\.0*", bare):
        bare = bare.split(".")[0]
    return bare.lstrip("0") or None if bare.isdigit() else bare


# --- what is told ----------------------------------------------------------------------


def _tell(found: MismatchProfile, chosen: int | None, given: bool, notes: Notes) -> None:
    if chosen is None:
        notes.add(Finding("wildlife-threshold-unsupported", Severity.WARNING))
        return
    matching = found.matchings[chosen]
    params = {
        "mismatches": str(chosen),
        "multiple": str(len(matching.multiple)),
        "unclassified": str(len(matching.unclassified)),
    }
    if not given:
        notes.add(Finding("wildlife-threshold", Severity.INFO, params=params))
    elif chosen != found.chosen:
        params["supported"] = "-" if found.chosen is None else str(found.chosen)
        notes.add(Finding("wildlife-threshold-given", Severity.INFO, params=params))
    if len(matching.multiple) or len(matching.unclassified):
        notes.add(Finding("wildlife-matches-doubtful", Severity.WARNING, params=params))


def _values(
    genotypes: Genotypes, loci: list[LocusSummary], matching: Matching | None, notes: Notes
) -> dict[str, Value]:
    typed = [locus for locus in loci if locus.typed]
    if len(typed) < len(loci):
        absent = ", ".join(locus.locus for locus in loci if not locus.typed)
        notes.add(Finding("wildlife-locus-empty", Severity.WARNING, params={"loci": absent}))
    missing = float((genotypes.alleles < 0).any(axis=2).mean())
    unbiased = math.prod(locus.pid_unbiased for locus in typed)
    sibs = math.prod(locus.pid_sibs for locus in typed)
    if sibs > 0.01:
        notes.add(Finding("wildlife-panel-weak", Severity.WARNING, params={"pid": f"{sibs:.3g}"}))
    counts: dict[str, int | None] = {"unique_genotypes": None, "multiple": None}
    counts |= {"unclassified": None, "mismatches": None}
    if matching is not None:
        counts = {
            "unique_genotypes": len(matching.unique),
            "multiple": len(matching.multiple),
            "unclassified": len(matching.unclassified),
            "mismatches": matching.mismatches,
        }
    return {
        "unique_genotypes": Value(value=counts["unique_genotypes"], unit="genotypes"),
        "mismatches": Value(value=counts["mismatches"], unit="alleles"),
        "multiple_matches": Value(value=counts["multiple"], unit="samples"),
        "unclassified": Value(value=counts["unclassified"], unit="samples"),
        "samples": Value(value=len(genotypes.ids), unit="samples"),
        "loci": Value(value=len(genotypes.loci), unit="loci"),
        "missing": Value(value=missing, unit="1"),
        "pid": Value(value=math.prod(locus.pid for locus in typed), unit="1"),
        "pid_unbiased": Value(value=unbiased if math.isfinite(unbiased) else None, unit="1"),
        "pid_sibs": Value(value=sibs, unit="1"),
    }


def _profile(found: MismatchProfile) -> pd.DataFrame:
    rows = [
        (m.mismatches, len(m.unique), len(m.multiple), len(m.unclassified)) for m in found.matchings
    ]
    return pd.DataFrame(rows, columns=list(_PROFILE))


def _pairs(genotypes: Genotypes) -> pd.DataFrame:
    counts = mismatch_histogram(genotypes)
    return pd.DataFrame({"mismatching_loci": np.arange(len(counts)), "pairs": counts})


def _samples(genotypes: Genotypes, matching: Matching) -> pd.DataFrame:
    """Each sample, the genotype it is of, and how surely."""
    ids = np.array(genotypes.ids, dtype=object)
    own = np.where(matching.animal < 0, "", ids[matching.unique[np.maximum(matching.animal, 0)]])
    kind = np.full(len(ids), "match", dtype=object)
    kind[matching.unique] = "unique"
    kind[matching.multiple] = "multiple"
    kind[matching.unclassified] = "unclassified"
    return pd.DataFrame(
        {"sample": ids, "genotype": own, "class": kind, "matches": matching.matches},
        columns=list(_SAMPLES),
    )


WILDLIFE_IDENTITY: Final = Indicator(
    id="wildlife.identity",
    version="1",
    inputs=(
        Input("genotypes", "table", required=False),
        Input("replicates", "table", noun="Observation", required=False),
        Input("reference", "table", required=False),
    ),
    parameters=(
        Parameter("mismatches", "integer", minimum=0, maximum=254),
        Parameter(
            "relatedness",
            "text",
            "none",
            choices=("none", "queller-goodnight", "lynch-ritland", "wang"),
        ),
    ),
    values={
        "unique_genotypes": "genotypes",
        "mismatches": "alleles",
        "multiple_matches": "samples",
        "unclassified": "samples",
        "samples": "samples",
        "loci": "loci",
        "missing": "1",
        "pid": "1",
        "pid_unbiased": "1",
        "pid_sibs": "1",
        "ho": "1",
        "he_unbiased": "1",
        "fis": "1",
        "dropout": "1",
        "false_alleles": "1",
    },
    tables={
        "profile": _PROFILE,
        "loci": _LOCI,
        "pairs": _PAIRS,
        "samples": _SAMPLES,
        "errors": ERRORS,
        "shift": SHIFT,
        "related": RELATED,
        "kinship": KINSHIP,
    },
    rasters={},
    citations=(
        Citation(
            "Galpern and others (2012) Molecular Ecology Resources 12, 771-778",
            "10.1111/j.1755-0998.2012.03137.x",
        ),
        Citation(
            "Waits and others (2001) Molecular Ecology 10, 249-256",
            "10.1046/j.1365-294X.2001.01185.x",
        ),
        Citation("Paetkau and others (1998) Molecular Ecology 7, 1283-1292"),
        Citation(
            "Broquet and Petit (2004) Molecular Ecology 13, 3601-3608",
            "10.1111/j.1365-294X.2004.02352.x",
        ),
    ),
    compute=compute,
)
