"""Text columns -> typed attributes of a noun, every doubt a finding, nothing dropped in silence.

The data dictionary says which attribute is a number, a time, a closed list; the vocabulary of
the table (Darwin Core, Camtrap DP, our own attributes) says which column is which attribute.
Columns nobody has described go into ``extra`` as JSON, as they were.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.ingest import places, times
from ecotone.ingest.columns import recognise
from ecotone.ingest.values import parse_numbers
from ecotone.model.bounds import bounds
from ecotone.model.dictionary import RECORD_NOUNS, Attribute, attributes, by_standard
from ecotone.model.finding import Finding, Severity
from ecotone.model.table import Table

Mask = NDArray[np.bool_]

#: Record types of the standards that are nouns of ours under another name.
NOUN_OF: Final = {"MeasurementOrFact": "Record", "Multimedia": "Record"}


@dataclass(frozen=True)
class Declared:
    """What the steward declared about a delivery (by mapping, dataset or option)."""

    zone: str | None = None
    zones: dict[str, str] = field(default_factory=dict)  #: station -> its zone
    day_first: bool | None = None
    excel: Literal[1900, 1904] | None = None  #: calendar of day numbers
    datum: str | None = None
    decimal: Literal[".", ","] | None = None
    country: str | None = None
    missing: dict[str, str] = field(default_factory=dict)


@dataclass
class Converted:
    """A block of records of one noun, and which rows of it are rejected."""

    noun: str
    frame: pd.DataFrame
    rejected: Mask
    findings: list[Finding]


@dataclass
class Work:
    """A block while it is being converted."""

    table: Table
    noun: str
    frame: pd.DataFrame
    declared: Declared
    rejected: Mask
    findings: list[Finding] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)  #: columns that go into extra although used

    def flag(
        self,
        code: str,
        mask: Mask,
        column: str,
        *,
        severity: Severity,
        name: str | None = None,
        **params: str,
    ) -> None:
        """One finding per row of ``mask``; the rows are rejected where severity is error."""
        if not mask.any():
            return
        if severity is Severity.ERROR:
            self.rejected |= mask
        where = np.flatnonzero(mask)
        values: list[str | None] = [None] * len(where)
        if column in self.frame:
            cells = self.frame[column].iloc[where]
            pairs = zip(cells.tolist(), cells.isna().tolist(), strict=True)
            values = [None if gone else str(cell) for cell, gone in pairs]
        field_name = name or column.removeprefix("+")
        self.findings.extend(
            Finding(
                code=code,
                severity=severity,
                row=row,
                line=line,
                field=field_name,
                value=value,
                file=self.table.file,
                params=params,
            )
            for row, line, value in zip(
                self.table.row[where].tolist(), self.table.line[where].tolist(), values, strict=True
            )
        )

    def column(self, *names: str) -> str | None:
        """The first of these columns that the block has; it is then used up."""
        for name in names:
            if name in self.frame:
                self.used.add(name)
                return name
        return None


def noun_of(table: Table) -> str:
    """The noun a table's rows become; Record where no dictionary describes them."""
    if table.vocabulary in ("dwc", "camtrapdp", "ecotone") and table.type in RECORD_NOUNS:
        return table.type
    return "Record"


def convert(table: Table, declared: Declared) -> Converted:
    """Type one block of rows."""
    noun = noun_of(table)
    frame = table.frame.reset_index(drop=True)
    work = Work(table, noun, frame, declared, np.zeros(len(frame), dtype=np.bool_))
    out = _record(work) if noun == "Record" else _described(work)
    return Converted(noun, out, work.rejected, work.findings)


def _record(work: Work) -> pd.DataFrame:
    """A table nobody has described: kept whole, yet what its headers tell is checked."""
    found = recognise([str(h) for h in work.frame.columns])
    if work.table.vocabulary == "":
        _check_generic(work, found)
    out = pd.DataFrame(index=work.frame.index)
    out["record_type"] = work.table.type
    out["fields"] = to_json(work.frame)
    return out


def _check_generic(work: Work, found: dict[str, str]) -> None:
    times.check(work, found)
    if "latitude" in found and "longitude" in found:
        places.parse(
            work,
            found["latitude"],
            found["longitude"],
            found.get("datum"),
            found.get("country_code"),
        )
    if "value" in found:
        texts = work.frame[found["value"]]
        numbers = parse_numbers(texts, decimal=work.declared.decimal, missing=work.declared.missing)
        if np.isfinite(numbers.value).sum() * 2 >= max(len(texts), 1):
            _flag_codes(work, numbers.code, found["value"])


def _described(work: Work) -> pd.DataFrame:
    noun, vocabulary = work.noun, work.table.vocabulary
    described = attributes(noun)
    terms = by_standard(noun, vocabulary) if vocabulary != "ecotone" else {}
    names = {h: terms.get(str(h), str(h)) for h in work.frame.columns}
    raw = {
        attribute: header
        for header, attribute in names.items()
        if attribute in described and (vocabulary == "ecotone" or header in terms)
    }
    if vocabulary == "dwc":
        raw = _archive_keys(work) | raw
    out = pd.DataFrame(index=work.frame.index)
    special = {**places.columns(work, raw), **times.columns(work, raw)}
    if noun in _MEASURED and "value" in raw:
        special |= _values(work, raw)
    for name, attribute in described.items():
        if name in special:
            out[name] = special[name]
        elif name in raw:
            work.used.add(raw[name])
            out[name] = _typed(work, raw[name], attribute)
    _require(work, out, described)
    rest = [h for h in work.frame.columns if h not in work.used or h in work.kept]
    if rest:
        plain = work.frame[rest].rename(columns=lambda h: str(h).removeprefix("+"))
        out["extra"] = to_json(plain)
    return out


def _archive_keys(work: Work) -> dict[str, str]:
    """Keys of an archive's tables that no term names: the core's own id, an extension's core id."""
    table = work.table
    keys = {}
    own = {"Occurrence": "occurrence_id", "Event": "event_id", "Taxon": "taxon_id"}.get(work.noun)
    if own and table.key and table.key in work.frame:
        keys[own] = table.key
    # An occurrence that extends an event belongs to it.
    core_id = "coreid" in work.frame and table.metadata.get("core") == "Event"
    if core_id and work.noun == "Occurrence":
        keys["event"] = "coreid"
    return keys


def _values(work: Work, raw: dict[str, str]) -> dict[str, pd.Series]:
    """Value, limit and reason of a measurement; its text as delivered beside it."""
    column = raw["value"]
    # Both help to read the value and tell more than goes into it: they stay in extra as well.
    limit = next((n for n in ("limit", "detection_limit") if n in work.frame), None)
    qualifier = "qualifier" if "qualifier" in work.frame else None
    numbers = parse_numbers(
        work.frame[column],
        decimal=work.declared.decimal,
        missing=work.declared.missing,
        limit=None if limit is None else work.frame[limit],
        qualifier=None if qualifier is None else work.frame[qualifier],
    )
    work.used.add(column)
    _flag_codes(work, numbers.code, column)
    index = work.frame.index
    out = {
        "value": pd.Series(numbers.value, index=index),
        "limit_kind": pd.Series(numbers.limit_kind, index=index, dtype=object),
        "missing_reason": pd.Series(numbers.missing_reason, index=index, dtype=object),
        "value_text": work.frame[column],
    }
    if "unit" in raw:
        from ecotone.ingest.unit_column import parse_units

        work.used.add(raw["unit"])
        out |= parse_units(work, raw["unit"])
    return out


def _flag_codes(work: Work, codes: NDArray[np.object_], column: str) -> None:
    for code in sorted({str(c) for c in pd.unique(codes)} - {""}):
        work.flag(code, np.asarray(codes == code), column, severity=Severity.ERROR)


def _typed(work: Work, header: str, attribute: Attribute) -> pd.Series:
    """One column in its type; text that does not fit is told, kept in extra, and left empty."""
    texts = work.frame[header]
    empty = _empty(texts)
    if attribute.choices:
        typed = texts.where(texts.isin(attribute.choices))
        fits = empty | typed.notna().to_numpy(dtype=bool)
    elif attribute.type in ("number", "integer"):
        typed, fits = _number(work, header, attribute)
        fits |= empty
    elif attribute.type in _READERS:
        typed = _READERS[attribute.type](texts)
        fits = empty | typed.notna().to_numpy(dtype=bool)
    else:
        return texts
    bad = ~fits
    if bad.any():
        work.flag("value-not-typed", bad, header, severity=Severity.WARNING, wanted=attribute.type)
        work.kept.add(header)
    return typed


def _number(work: Work, header: str, attribute: Attribute) -> tuple[pd.Series, Mask]:
    """Numbers, and which texts are one or a mark for a missing one; a limit is no number here.

    A number that the attribute cannot hold is told and kept in extra, too.
    """
    texts, declared = work.frame[header], work.declared
    read = parse_numbers(texts, decimal=declared.decimal, missing=declared.missing)
    exact = pd.isna(read.limit_kind)
    value = np.where(exact, read.value, np.nan)
    readable = exact & (read.code == "")
    if attribute.type == "integer":
        sound = np.isnan(value) | ((value % 1 == 0) & (np.abs(value) < 2**53))
        value, readable = np.where(sound, value, np.nan), readable & sound
    bound = bounds(work.noun).get(attribute.name)
    if bound is not None and not (held := bound.hold(value)).all():
        work.flag(
            "value-out-of-bounds", ~held, header, severity=Severity.WARNING, wanted=bound.words
        )
        work.kept.add(header)
        value = np.where(held, value, np.nan)
    numbers = pd.Series(value, index=texts.index)
    typed = numbers.astype("Int64") if attribute.type == "integer" else numbers
    return typed, np.asarray(readable, dtype=np.bool_)


def _boolean(texts: pd.Series) -> pd.Series:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    return texts.str.strip().str.lower().map(words).astype("boolean")


def _json(texts: pd.Series) -> pd.Series:
    """Texts that are JSON, as they are."""
    return texts.where(texts.isin([text for text in texts.dropna().unique() if _is_json(text)]))


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return False
    return True


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


#: Nouns whose value is a measurement: with a unit, a limit, a reason for its absence.
_MEASURED: Final = ("Observation", "QualityControl")
_READERS: Final[dict[str, Callable[[pd.Series], pd.Series]]] = {
    "boolean": _boolean,
    "json": _json,
}


def _require(work: Work, out: pd.DataFrame, described: dict[str, Attribute]) -> None:
    for name, attribute in described.items():
        if attribute.required:
            mask = _empty(out[name]) if name in out else np.ones(len(out), dtype=np.bool_)
            work.flag("required-missing", mask, name, severity=Severity.ERROR)


def _empty(values: pd.Series) -> Mask:
    """Nothing, or a text of blanks."""
    empty = values.isna()
    if pd.api.types.is_string_dtype(values.dtype):
        empty |= values.str.strip() == ""
    return np.asarray(empty.to_numpy(dtype=bool))


def to_json(frame: pd.DataFrame) -> list[str]:
    """One JSON object of text per row."""
    if frame.empty:
        return [""] * 0
    if not frame.columns.is_unique:
        again = frame.columns.duplicated()
        frame = frame.set_axis(
            [
                f"{n} ({i})" if more else str(n)
                for i, (n, more) in enumerate(zip(frame.columns, again, strict=True), start=1)
            ],
            axis=1,
        )
    text = frame.to_json(orient="records", lines=True, force_ascii=False)
    return text.rstrip("\n").split("\n")
