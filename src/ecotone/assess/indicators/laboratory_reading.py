"""Controls, batches, custody and flags of a laboratory, read from tables."""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from ecotone.assess.indicators.laboratory import parse_numbers
from ecotone.assess.indicators.properties import property_key, usual_basis
from ecotone.assess.indicators.reading import Notes, TextTable, plain, read_table
from ecotone.model.finding import Finding, Severity

_CONTROL: Final = (
    "control", "analysis", "control_kind", "sample", "property", "fraction", "value", "unit",
    "basis", "kind", "expected", "expected_uncertainty", "lowest", "highest", "reporting_limit",
    "time", "missing_reason",
)  # fmt: skip
_STEP: Final = (
    "sample", "step", "by", "handed_to", "seal", "seal_state", "temperature_c", "signed", "time",
)  # fmt: skip
_FLAG: Final = ("record", "sample", "analysis", "property", "flag")
_YES: Final = {"true": True, "1": True, "yes": True, "да": True, "是": True,
               "false": False, "0": False, "no": False, "нет": False, "否": False}  # fmt: skip
#: Flags that set a result aside, as words and as QARTOD's number.
ASIDE: Final = frozenset({"fail", "4", "rejected", "r"})


#: How WQX begins the activity type of a control.
_QUALITY: Final = re.compile(r"^quality control (?:sample|field)?[-\s]*", re.IGNORECASE)


def read_controls(paths: Sequence[Path], notes: Notes) -> pd.DataFrame:
    """A row for each control measurement whose kind is known.

    Columns as results have them (``property``, ``key``, ``value``, ``kind``, ``unit``, ``basis``,
    ``sample``, ``analysis``, ``fraction``), and ``control``, ``control_kind``, ``expected``,
    ``expected_uncertainty``, ``lowest``, ``highest``, ``reporting_limit``, ``time``.
    """
    parts = []
    for path in paths:
        table = read_table(path, _CONTROL, ("analysis", "control_kind", "property", "value"), notes)
        parts.append(_controls(table, path, notes))
    if not parts:
        return pd.DataFrame(columns=[*_CONTROL, "key", "row", "file"])
    return pd.concat(parts, ignore_index=True)


def _controls(table: TextTable, path: Path, notes: Notes) -> pd.DataFrame:
    text = table.frame
    out = pd.DataFrame({"row": text["row"], "file": path.name})
    for name in ("control", "analysis", "sample", "property", "fraction", "unit", "time"):
        out[name] = _texts(text, name)
    said = _texts(text, "control_kind")
    out["control_kind"] = said.map({s: control_kind(s) for s in said.unique()})
    out["key"] = out["property"].map({n: property_key(n) for n in out["property"].unique()})
    value, kind, read = parse_numbers(_raw(text, "value"), comma=table.decimal_comma)
    below = _texts(text, "kind").isin(["below", "<"]).to_numpy()
    out["value"], out["kind"] = value, np.where((kind == 0) & below, -1, kind)
    for name in ("expected", "expected_uncertainty", "lowest", "highest", "reporting_limit"):
        out[name] = parse_numbers(_raw(text, name), comma=table.decimal_comma)[0]
    # A non-detect without its limit lies below the reporting limit.
    bare = (out["kind"] < 0) & out["value"].isna()
    out.loc[bare, "value"] = out.loc[bare, "reporting_limit"]
    out["basis"] = _bases(out, _texts(text, "basis"))
    unknown = out["control_kind"].isna().to_numpy()
    for place in np.flatnonzero(unknown | ~read):
        code = "water-control-kind" if unknown[place] else "water-value-unreadable"
        column = said if unknown[place] else _texts(text, "value")
        notes.add(
            Finding(code, Severity.WARNING, row=int(out["row"].iloc[place]), field="kind",
                    value=str(column.iloc[place]), file=path.name)
        )  # fmt: skip
    return out[~unknown & read].reset_index(drop=True)


def read_custody(paths: Sequence[Path], notes: Notes) -> pd.DataFrame:
    """Steps of samples as ``model.custody.faults`` wants them, with row and file."""
    parts = []
    for path in paths:
        text = read_table(path, _STEP, ("sample", "step"), notes).frame
        out = pd.DataFrame({"row": text["row"], "file": path.name, "kind": _texts(text, "step")})
        for name in ("sample", "by", "handed_to", "seal", "seal_state"):
            out[name] = _texts(text, name)
        out["time"] = instants(_texts(text, "time"))
        out["temperature_c"] = parse_numbers(_raw(text, "temperature_c"), comma=True)[0]
        out["signed"] = _texts(text, "signed").str.casefold().map(_YES)
        parts.append(out)
    if not parts:
        columns = ["sample", "kind", "time", "by", "handed_to", "seal", "seal_state",
                   "temperature_c", "signed", "row", "file"]  # fmt: skip
        return pd.DataFrame(columns=columns)
    return pd.concat(parts, ignore_index=True)


def read_batches(paths: Sequence[Path], notes: Notes) -> dict[str, pd.Timestamp]:
    """When each batch was analysed, as far as told."""
    told: dict[str, pd.Timestamp] = {}
    for path in paths:
        text = read_table(path, ("analysis", "time"), ("analysis",), notes).frame
        times = instants(_texts(text, "time"))
        for name, time in zip(_texts(text, "analysis"), times, strict=True):
            if time == time:
                told.setdefault(str(name), time)
    return told


def read_register(paths: Sequence[Path], notes: Notes) -> pd.DataFrame:
    """What is told of each batch, by its number: ``procedure``, ``analyst``, ``instrument``..."""
    wanted = ("procedure", "analyst", "instrument", "laboratory")
    parts = []
    for path in paths:
        text = read_table(path, ("analysis", *wanted), ("analysis",), notes).frame
        parts.append(pd.DataFrame({n: _texts(text, n) for n in ("analysis", *wanted)}))
    if not parts:
        return pd.DataFrame(columns=list(wanted), dtype=object)
    return pd.concat(parts, ignore_index=True).drop_duplicates("analysis").set_index("analysis")


def read_flags(paths: Sequence[Path], notes: Notes) -> pd.DataFrame:
    """Flags laid over results: ``record``, ``sample``, ``analysis``, ``key``, ``aside``."""
    parts = []
    for path in paths:
        text = read_table(path, _FLAG, ("flag",), notes).frame
        out = pd.DataFrame({n: _texts(text, n) for n in ("record", "sample", "analysis")})
        named = _texts(text, "property")
        out["key"] = named.map({n: property_key(n) if n else "" for n in named.unique()})
        out["aside"] = _texts(text, "flag").str.casefold().isin(ASIDE)
        parts.append(out)
    return pd.concat(parts, ignore_index=True)


@functools.cache
def holding_hours() -> dict[str, float]:
    """Longest holding time of each property, hours, by its key."""
    return {
        property_key(line["property"]): float(line["hours"]) for line in _lines("holding_times")
    }


@functools.lru_cache(maxsize=1024)
def control_kind(text: str) -> str | None:
    """The kind of control a word means, or None.

    >>> control_kind("LCS"), control_kind("空白"), control_kind("?")
    ('control sample', 'method blank', None)
    """
    for line in _lines("control_kinds"):
        if plain(text) in {plain(name) for name in line["names"].split("|")}:
            return line["kind"]
    return None


def without_controls(results: pd.DataFrame, notes: Notes, file: str) -> pd.DataFrame:
    """Results of samples: a blank or a spike that stands among them, by its type, is told."""
    kinds = {t: control_kind(_QUALITY.sub("", t)) for t in set(results["sample_type"]) - {""}}
    found = results["sample_type"].map(kinds)
    own = found.notna()
    if own.any():
        told = ", ".join(sorted(set(found[own])))
        notes.add(
            Finding("water-controls-among-results", Severity.WARNING, value=told, file=file,
                    field="sample_type", params={"count": str(int(own.sum()))})
        )  # fmt: skip
    return results[~own].reset_index(drop=True)


def instants(texts: pd.Series) -> pd.Series:
    """UTC instants of ISO texts; NaT where a text is none."""
    return pd.to_datetime(texts.where(texts != ""), errors="coerce", utc=True, format="ISO8601")


def _bases(out: pd.DataFrame, told: pd.Series) -> pd.Series:
    pairs = zip(out["property"], out["unit"], told, strict=True)
    return pd.Series([b or usual_basis(n, u) for n, u, b in pairs], index=out.index, dtype=object)


def _texts(text: pd.DataFrame, column: str) -> pd.Series:
    return _raw(text, column).astype(str).str.strip()


def _raw(text: pd.DataFrame, column: str) -> pd.Series:
    if column not in text:
        return pd.Series([""] * len(text), index=text.index, dtype=object)
    return text[column].astype(object).fillna("")


@functools.cache
def _lines(name: str) -> tuple[dict[str, str], ...]:
    text = resources.files("ecotone.assess.indicators").joinpath(f"{name}.csv").read_text("utf-8")
    return tuple(csv.DictReader(text.splitlines()))
