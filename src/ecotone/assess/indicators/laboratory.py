"""Laboratory results as numbers: value, whether it is a limit, unit, year and place."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicators.reading import Notes, plain, read_table
from ecotone.model.finding import Finding, Severity

_COLUMNS: Final = (
    "site", "property", "value", "value_text", "unit", "basis", "kind", "detection_limit",
    "missing_reason", "time_text", "time", "latitude", "longitude",
)  # fmt: skip
_BELOW: Final = frozenset({"<", "≤", "<=", "below", "lt", "left", "nd", "u", "true", "1", "yes"})
_ABOVE: Final = frozenset({">", "≥", ">=", "above", "gt", "right"})
#: How laboratories write that nothing was found; the limit may stand in another column.
_NOT_DETECTED: Final = frozenset(
    {"nd", "n.d.", "bdl", "bql", "<dl", "<lod", "<loq", "not detected", "н/о", "н.о.", "не обн.",
     "не обнаружено", "未检出", "低于检出限"}
)  # fmt: skip
_EMPTY: Final = frozenset(
    {"", "-", "--", "—", "–", "/", "na", "n/a", "nan", "null", "none", "#n/a"}
)
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_COMMA: Final = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_YEAR: Final = re.compile(r"(?<!\d)(1[89]\d\d|20\d\d|21\d\d)(?!\d)")
_BELOW_SIGNS: Final = ("<", "≤")
_ABOVE_SIGNS: Final = (">", "≥")

Parsed = tuple[float, int, bool]


def read_results(path: Path, notes: Notes) -> pd.DataFrame:
    """One row per result.

    Columns: ``row``; ``station``, ``property`` (as written) and ``key`` (its plain form);
    ``value`` and ``kind`` (0 measured, -1 below ``value``, +1 above it; below an unknown limit
    is below infinity); ``unit`` (None: the file has no such column), ``basis``; ``year`` (NaN:
    unknown), ``latitude``, ``longitude``. Rows without a result are left out; a value that is
    no number is a finding.
    """
    table = read_table(path, _COLUMNS, ("property", "value"), notes)
    text = table.frame
    out = pd.DataFrame({"row": text["row"]})
    for name, column in (("station", "site"), ("property", "property")):
        out[name] = _texts(text, column).str.strip()
    out["key"] = out["property"].map({name: plain(name) for name in out["property"].unique()})
    value, kind, empty, wrong = _values(text, comma=table.decimal_comma)
    out["value"], out["kind"] = value, kind
    out["unit"] = _texts(text, "unit").str.strip() if "unit" in text else None
    out["basis"] = _texts(text, "basis").str.strip()
    out["year"] = _years(text)
    for name in ("latitude", "longitude"):
        out[name] = pd.to_numeric(_texts(text, name), errors="coerce")
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


def _values(
    text: pd.DataFrame, *, comma: bool
) -> tuple[NDArray[np.float64], NDArray[np.int8], NDArray[np.bool_], NDArray[np.bool_]]:
    """Values, kinds, and which rows have no result or an unreadable one."""
    value, kind, read = _parse(_texts(text, "value"), comma=comma)
    sign = _texts(text, "kind").str.strip().str.casefold()
    kind = np.where((kind == 0) & sign.isin(_BELOW), -1, kind)
    kind = np.where((kind == 0) & sign.isin(_ABOVE), 1, kind)
    reason = _texts(text, "missing_reason").str.strip().str.casefold()
    kind = np.where(np.isnan(value) & (reason == "not detected"), -1, kind)
    limit, _, _ = _parse(_texts(text, "detection_limit"), comma=comma)
    value = np.where((kind < 0) & np.isnan(value), limit, value)
    unknown_limit = (kind < 0) & np.isnan(value)
    value = np.where(unknown_limit, np.inf, value)
    return value, kind.astype(np.int8), read & np.isnan(value), ~read


def _parse(
    column: pd.Series, *, comma: bool
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
    """Each different text read once: number or NaN, kind, whether it could be read."""
    codes, unique = pd.factorize(column)
    parsed = [_parse_one(text, comma=comma) for text in unique]
    numbers = np.array([p[0] for p in parsed], dtype=np.float64)
    kinds = np.array([p[1] for p in parsed], dtype=np.int64)
    read = np.array([p[2] for p in parsed], dtype=np.bool_)
    return numbers[codes], kinds[codes], read[codes]


def _parse_one(raw: str, *, comma: bool) -> Parsed:
    text = unicodedata.normalize("NFKC", raw).strip()
    folded = text.casefold()
    if folded in _NOT_DETECTED:
        return float("nan"), -1, True
    if folded in _EMPTY:
        return float("nan"), 0, True
    kind = -1 if text.startswith(_BELOW_SIGNS) else 1 if text.startswith(_ABOVE_SIGNS) else 0
    bare = re.sub(r"\s", "", text.lstrip("<>≤≥="))
    if comma and _COMMA.fullmatch(bare):
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
