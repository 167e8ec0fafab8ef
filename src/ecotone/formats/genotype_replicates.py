"""Replicate PCR results: sample, locus, replicate, two alleles a row.

Error rates need every amplification, not the consensus (Broquet and Petit 2004,
doi:10.1111/j.1365-294X.2004.02352.x). A row is one observation of a sample: the locus is the
property, the replicate the event, the alleles its text ``a/b``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ecotone.formats.base import ReadOptions, Reject, Report, Source, refused
from ecotone.formats.camera_tables import blocks, column, headers
from ecotone.formats.keybook import KeyBook
from ecotone.formats.turned_away import turn_away
from ecotone.model.finding import Finding, Severity
from ecotone.model.table import Table

if TYPE_CHECKING:
    from ecotone.formats.delimited import Block

_NAMES: Final = {
    "sample": ("sample", "sampleid", "samplename"),
    "locus": ("locus", "marker"),
    "replicate": ("replicate", "rep", "pcr", "run"),
    "allele1": ("allele1", "allelea", "a1"),
    "allele2": ("allele2", "alleleb", "a2"),
}
#: How laboratories write an allele that did not amplify.
MISSING: Final = ("", "-99", "-9", "0", "000", "NA", "na", "?", "-")


class GenotypeReplicates:
    """The format; see :class:`ecotone.formats.base.Format`."""

    name = "genotype-replicates"
    title_key = "format.genotype-replicates.title"
    extensions = (".csv", ".tsv", ".txt")
    spec = "https://doi.org/10.1111/j.1365-294X.2004.02352.x"

    def recognise(self, source: Source) -> bool:
        """A table with a sample, a locus, a replicate and two alleles."""
        if source.only is None or not source.only.lower().endswith(self.extensions):
            return False
        return len(named(headers(source, source.only))) == len(_NAMES)

    def read(
        self, source: Source, options: ReadOptions, report: Report, reject: Reject
    ) -> Iterator[Table]:
        """Yield the amplifications."""
        if source.only is None:
            raise refused("genotypes-not", file=source.name)
        found = named(headers(source, source.only))
        lacking = [name for name in _NAMES if name not in found]
        if lacking:
            raise refused("genotypes-columns", file=source.only, columns=", ".join(lacking))
        book = KeyBook()
        for block in blocks(source, source.only, options, report, reject):
            yield _checked(block, found, book, source.only, report, reject)


FORMAT = GenotypeReplicates()


def named(names: tuple[str, ...]) -> dict[str, str]:
    """``{our word: the file's header}`` of the columns a replicate table has."""
    bare = {re.sub(r"[^a-z0-9]", "", h.lower()): h for h in names}
    return {
        word: next(bare[s] for s in seen if s in bare)
        for word, seen in _NAMES.items()
        if any(s in bare for s in seen)
    }


def _checked(
    block: Block, found: dict[str, str], book: KeyBook, member: str, report: Report, reject: Reject
) -> Table:
    """One block; a row that names no sample or locus, or comes again, is turned away."""
    import numpy as np
    import pandas as pd

    frame = pd.DataFrame({word: column(block.frame, h) for word, h in found.items()})
    alleles = {n: frame[n].mask(frame[n].isin(MISSING)) for n in ("allele1", "allele2")}
    bad = np.zeros(len(frame), dtype=np.bool_)

    def away(code: str, mask: np.ndarray[tuple[int], np.dtype[np.bool_]], word: str) -> None:
        where = mask & ~bad
        turn_away(
            code, block.frame, where, found[word], member, block.row, block.line, report, reject
        )
        bad[where] = True

    for word in ("sample", "locus", "replicate"):
        away("genotypes-cell-empty", frame[word].isna().to_numpy(dtype=bool), word)
    key = frame["sample"] + "\0" + frame["locus"] + "\0" + frame["replicate"]
    away("genotypes-twice", book.add(key), "replicate")
    half = alleles["allele1"].isna() != alleles["allele2"].isna()
    first = alleles["allele1"].isna().to_numpy(dtype=bool)
    for index in np.flatnonzero(half.to_numpy(dtype=bool) & ~bad).tolist():
        word = "allele1" if first[index] else "allele2"
        report(
            Finding(
                "genotypes-half",
                Severity.WARNING,
                row=int(block.row[index]),
                line=int(block.line[index]),
                field=found[word],
                file=member,
            )
        )
    none = (alleles["allele1"].isna() | alleles["allele2"].isna()).fillna(True)
    told = pd.DataFrame(
        {
            "observation_id": key.str.replace("\0", "/", regex=False),
            "sample": frame["sample"],
            "property": frame["locus"],
            "event": frame["replicate"],
            "procedure": "PCR",
            "value_text": (alleles["allele1"] + "/" + alleles["allele2"]).mask(none),
            "missing_reason": pd.Series("no amplification", index=frame.index).where(none),
        }
    )
    return Table(
        type="Observation",
        frame=told[~bad].reset_index(drop=True),
        row=block.row[~bad],
        line=block.line[~bad],
        file=member,
        vocabulary="ecotone",
        key="observation_id",
    )
