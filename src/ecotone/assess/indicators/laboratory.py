"""Laboratory results as numbers: value, whether it is a limit, unit, year and place."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicators.properties import from_header, property_key, usual_basis
from ecotone.assess.indicators.reading import (
    Notes,
    TextTable,
    attributes,
    headers_of,
    read_table,
    read_whole,
)
from ecotone.model.finding import Finding, Severity
from ecotone.model.nondetects import is_mark, limit_in

_COLUMNS: Final = (
    "site", "property", "value", "value_text", "unit", "basis", "kind", "detection_limit",
    "missing_reason", "time_text", "time", "latitude", "longitude", "sample", "day", "minimum",
    "maximum", "uncertainty", "body", "body_type", "basin", "calendar_year", "month", "record",
    "analysis", "analysed_at", "fraction", "reporting_limit", "limit_unit",
    "standard_uncertainty", "procedure", "sample_type",
)  # fmt: skip
#: What a row of a wide table says about all its results.
_ROW: Final = (
    "site", "time_text", "time", "latitude", "longitude", "sample", "day", "body", "body_type",
    "basin", "calendar_year", "month", "record", "analysis", "analysed_at", "fraction",
    "procedure", "sample_type",
)  # fmt: skip
BELOW: Final = frozenset(
    {"<", "≤", "<=", "below", "lt", "left", "nd", "u", "true", "t", "1", "yes", "y", "l", "bdl",
     "да", "是", "uj", "dl", "<dl", "<rl", "<mdl", "bql", "not detected",
     "not detected at detection limit", "below detection limit",
     "not detected at reporting limit", "below reporting limit", "below method detection limit",
     "present below quantification limit"}
)  # fmt: skip
_ABOVE: Final = frozenset(
    {">", "≥", ">=", "above", "gt", "right", "present above quantification limit"}
)
_EMPTY: Final = frozenset(
    {"", "-", "--", "—", "–", "/", "na", "n/a", "nan", "null", "none", "#n/a"}
)
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_COMMA: Final = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_DECIMAL_COMMA: Final = r"\s*[<>≤≥]?\s*[+-]?\d*,\d+\s*"
_THOUSAND: Final = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_YEAR: Final = re.compile(r"(?<!\d)(1[89]\d\d|20\d\d|21\d\d)(?!\d)")
_BELOW_SIGNS: Final = ("<", "≤")
_ABOVE_SIGNS: Final = (">", "≥")

Parsed = tuple[float, int, bool]


def read_results(path: Path, notes: Notes) -> pd.DataFrame:
    """One row per result.

    Columns: ``row``; ``station``, ``property`` (as written) and ``key`` (its plain form);
    ``value`` and ``kind`` (0 measured, -1 below ``value``, +1 above it; below an unknown limit
    is below infinity); ``unit`` (None: the file has no such column), ``basis``; ``year`` (NaN:
    unknown), ``latitude``, ``longitude``; the row's own limits ``minimum``, ``maximum``,
    ``uncertainty``, ``detection_limit`` and ``reporting_limit``; as text ``sample``, ``day``,
    ``time``, ``body``, ``body_type``, ``basin``, ``record`` (the owner's number), ``analysis``
    (laboratory batch), ``analysed_at``, ``fraction`` and ``together`` (the same for the cells of
    a wide row). A wide table (a column for each
    property, ``DO_mgL``) gives a row for each of its cells. Rows without a result are left out;
    a value that is no number is a
    finding.
    """
    table = _long(path, notes)
    text = table.frame
    out = pd.DataFrame({"row": text["row"]})
    for name, column in (("station", "site"), ("property", "property")):
        out[name] = _texts(text, column).str.strip()
    out["key"] = out["property"].map({n: property_key(n) for n in out["property"].unique()})
    value, kind, empty, wrong = _values(text, comma=table.decimal_comma)
    out["value"], out["kind"] = value, kind
    out["unit"] = _texts(text, "unit").str.strip() if "unit" in text else None
    if "unit" in text and "limit_unit" in text:
        # A non-detect of WQX has no unit of its own, its limit has.
        bare = (out["unit"] == "") & (out["kind"] != 0)
        out["unit"] = out["unit"].where(~bare, _texts(text, "limit_unit").str.strip())
    out["basis"] = _bases(out, _texts(text, "basis").str.strip())
    out["year"] = _years(text)
    for name in ("latitude", "longitude"):
        out[name] = pd.to_numeric(_texts(text, name), errors="coerce")
    for name in ("sample", "day", "body", "body_type", "basin", "time_text", "calendar_year",
                 "month", "time", "record", "analysis", "analysed_at", "fraction",
                 "procedure", "sample_type", "together"):  # fmt: skip
        out[name] = _texts(text, name).str.strip() if name in text else ""
    for name in ("minimum", "maximum", "uncertainty", "detection_limit", "reporting_limit"):
        out[name] = (
            parse_numbers(_texts(text, name), comma=table.decimal_comma)[0]
            if name in text
            else np.nan
        )
    if "standard_uncertainty" in text:
        # Expanded with k = 2 (JCGM 100), as laboratories tell it.
        narrow = parse_numbers(_texts(text, "standard_uncertainty"), comma=table.decimal_comma)[0]
        out["uncertainty"] = out["uncertainty"].fillna(pd.Series(2 * narrow, index=out.index))
    commas = int(_texts(text, "value").str.fullmatch(_DECIMAL_COMMA).sum())
    if commas:
        notes.add(
            Finding(
                "water-decimal-comma",
                Severity.INFO,
                field="value",
                file=path.name,
                params={"count": str(commas)},
            )
        )
    for place in np.flatnonzero(wrong):
        notes.add(
            Finding(
                "water-value-unreadable",
                Severity.WARNING,
                row=int(text["row"].iloc[place]),
                field="value",
                value=str(text["value"].iloc[place]),
                file=path.name,
            )
        )
    return out[~(empty | wrong)].reset_index(drop=True)


def _bases(out: pd.DataFrame, told: pd.Series) -> pd.Series:
    """The basis told, else that of custom (ammonia nitrogen is counted as N)."""
    pairs = out["property"] + "\n" + out["unit"].astype(object).fillna("")
    codes, unique = pd.factorize(pairs)
    usual = np.array([usual_basis(*pair.split("\n", 1)) for pair in unique], dtype=object)
    by_custom = pd.Series(usual[codes] if usual.size else [], index=told.index, dtype=object)
    return told.where(told != "", by_custom)


def _long(path: Path, notes: Notes) -> TextTable:
    """A table with one result a row; a wide one is brought into that form."""
    headers = headers_of(path)
    if attributes(headers, ("property", "value")):
        return read_table(path, _COLUMNS, ("property", "value"), notes)
    told = attributes(headers, _ROW)
    properties = {
        header: parts
        for header in headers
        if header not in told.values() and (parts := from_header(header)) is not None
    }
    if not properties:
        return read_table(path, _COLUMNS, ("property", "value"), notes)
    whole = read_whole(path, notes)
    rows = pd.DataFrame({a: whole.frame[h] for a, h in told.items()})
    rows["row"] = whole.frame["row"]
    rows["together"] = rows["row"].astype(str)
    cells = []
    for header, (name, unit) in properties.items():
        cells.append(rows.assign(property=name, value=whole.frame[header], unit=unit))
    return TextTable(pd.concat(cells, ignore_index=True), whole.decimal_comma)


def _values(
    text: pd.DataFrame, *, comma: bool
) -> tuple[NDArray[np.float64], NDArray[np.int8], NDArray[np.bool_], NDArray[np.bool_]]:
    """Values, kinds, and which rows have no result or an unreadable one."""
    value, kind, read = parse_numbers(_texts(text, "value"), comma=comma)
    sign = _texts(text, "kind").str.strip().str.casefold()
    kind = np.where((kind == 0) & sign.isin(BELOW), -1, kind)
    kind = np.where((kind == 0) & sign.isin(_ABOVE), 1, kind)
    reason = _texts(text, "missing_reason").str.strip().str.casefold()
    kind = np.where(np.isnan(value) & (reason == "not detected"), -1, kind)
    limit, _, _ = parse_numbers(_texts(text, "detection_limit"), comma=comma)
    value = np.where((kind < 0) & np.isnan(value), limit, value)
    unknown_limit = (kind < 0) & np.isnan(value)
    value = np.where(unknown_limit, np.inf, value)
    return value, kind.astype(np.int8), read & np.isnan(value), ~read


def parse_numbers(
    column: pd.Series, *, comma: bool
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
    """Number or NaN, kind (-1 below, 1 above) and whether it could be read, of each text."""
    codes, unique = pd.factorize(column)
    parsed = [_parse_one(text, comma=comma) for text in unique]
    numbers = np.array([p[0] for p in parsed], dtype=np.float64)
    kinds = np.array([p[1] for p in parsed], dtype=np.int64)
    read = np.array([p[2] for p in parsed], dtype=np.bool_)
    return numbers[codes], kinds[codes], read[codes]


def flagged_below(column: pd.Series) -> NDArray[np.bool_]:
    """Which cells of a column of flags say that the value is a limit of detection."""
    return np.asarray(
        column.astype(object).fillna("").astype(str).str.strip().str.casefold().isin(BELOW)
    )


def _parse_one(raw: str, *, comma: bool) -> Parsed:
    text = unicodedata.normalize("NFKC", raw).strip()
    folded = text.casefold()
    if is_mark(text):
        return float("nan"), -1, True
    if folded in _EMPTY:
        return float("nan"), 0, True
    if (limit := limit_in(text)) is not None:
        text = "<" + limit
    kind = -1 if text.startswith(_BELOW_SIGNS) else 1 if text.startswith(_ABOVE_SIGNS) else 0
    bare = re.sub(r"\s", "", text.lstrip("<>≤≥="))
    # "1,500" may be a thousand and a half in a file of columns parted by commas.
    if _COMMA.fullmatch(bare) and (comma or not _THOUSAND.fullmatch(bare)):
        bare = bare.replace(",", ".")
    if not _NUMBER.fullmatch(bare):
        return float("nan"), 0, False
    return float(bare), kind, True


def _years(text: pd.DataFrame) -> NDArray[np.float64]:
    """The calendar year where the sample was taken: of the delivered text, else of the time."""
    local, world = (_year(_texts(text, column)) for column in ("time_text", "time"))
    return np.where(np.isnan(local), world, local)


def _year(column: pd.Series) -> NDArray[np.float64]:
    codes, unique = pd.factorize(column)
    found = (_YEAR.search(text) for text in unique)
    return np.array([float(f[1]) if f else np.nan for f in found], dtype=np.float64)[codes]


def _texts(text: pd.DataFrame, column: str) -> pd.Series:
    """A column as plain strings; empty where it or a cell is missing."""
    if column not in text:
        return pd.Series([""] * len(text), index=text.index, dtype=object)
    return text[column].astype(object).fillna("")
