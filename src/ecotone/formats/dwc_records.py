"""Our records under Darwin Core's names, ready for :func:`~ecotone.formats.dwca_write.write_dwca`.

What comes here has been through the door: places are as coarse as they were released, and what
was done to them stands beside them. Nothing here changes a value.
"""

from __future__ import annotations

import json
from typing import Final

import pandas as pd

from ecotone.formats.dwc_terms import KEYS, dwc_terms
from ecotone.model.dictionary import dictionary

#: Latitudes and longitudes of records are on WGS 84, whatever they were delivered on.
_DATUM: Final = "EPSG:4326"
_ISO: Final = r"\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}(:\d{2}([.]\d+)?)?(Z|[+-]\d{2}:?\d{2}))?)?)?"
_FORMS: Final = {
    "year": "%Y",
    "month": "%Y-%m",
    "day": "%Y-%m-%d",
    "hour": "%Y-%m-%dT%HZ",
    "minute": "%Y-%m-%dT%H:%MZ",
    "second": "%Y-%m-%dT%H:%M:%SZ",
}
#: ``{our column: term}`` of what the door and the store add to a record.
_ADDED: Final = {
    "data_generalizations": "dataGeneralizations",
    "information_withheld": "informationWithheld",
    "dataset_id": "datasetID",
}


def as_terms(noun: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Records of a noun (Occurrence, Event, Taxon) as text columns named by terms.

    The record keeps its owner's identifier; where that was withheld or never was, ours stands
    in its place, so that a correction published later finds the same record.
    """
    out: dict[str, pd.Series] = {}
    for attribute in dictionary(noun):
        term = next((s[4:] for s in attribute.standard if s.startswith("dwc:")), None)
        if term is not None and attribute.name in frame:
            out[term] = texts(frame[attribute.name])
    if "eventDate" in out or "time_start" in frame:
        out["eventDate"] = _dates(frame)
    if "decimalLatitude" in out:
        placed = out["decimalLatitude"].notna()
        out["geodeticDatum"] = pd.Series(_DATUM, index=frame.index, dtype="str").where(placed)
    for ours, term in _ADDED.items():
        if ours in frame:
            out[term] = _both(out.get(term), texts(frame[ours]))
    key = KEYS[noun]
    if "id" in frame:
        own = out.get(key, pd.Series(pd.NA, index=frame.index, dtype="str"))
        out[key] = own.fillna(texts(frame["id"]))
    table = pd.DataFrame(out, index=frame.index)
    if "extra" in frame:
        table = table.join(_further(frame["extra"], set(table.columns)))
    filled = [name for name in table if name == key or table[name].notna().any()]
    return table[filled].reset_index(drop=True)


def texts(values: pd.Series) -> pd.Series:
    """Values as text; numbers by their shortest digits, missing as missing."""
    if pd.api.types.is_float_dtype(values):
        whole = values.where(values.isna() | (values % 1 != 0))
        short = values.astype("Float64").round().astype("Int64").astype("str")
        return whole.astype("str").fillna(short).where(values.notna()).astype("str")
    return values.astype("str").where(values.notna())


def _dates(frame: pd.DataFrame) -> pd.Series:
    """The date as delivered where that is ISO 8601, else the instant at its own precision."""
    told = texts(frame["time_text"]) if "time_text" in frame else None
    built = pd.Series(pd.NA, index=frame.index, dtype="str")
    if "time_start" in frame:
        start = pd.to_datetime(frame["time_start"], utc=True)
        precision = frame.get("time_precision", pd.Series("second", index=frame.index))
        for name, form in _FORMS.items():
            rows = precision.eq(name).fillna(False) & start.notna()
            built = built.where(~rows, start.dt.strftime(form))
    if told is None:
        return built
    iso = told.str.fullmatch(f"{_ISO}(/{_ISO})?").fillna(False).astype(bool)
    return built.where(~iso, told)


def _both(first: pd.Series | None, second: pd.Series) -> pd.Series:
    """Two statements about the same record, the earlier one first."""
    if first is None:
        return second
    joined = first.str.cat(second, sep="; ")
    return joined.fillna(first).fillna(second)


def _further(extra: pd.Series, taken: set[str]) -> pd.DataFrame:
    """Terms that have no attribute of their own and travelled in ``extra``."""
    objects = extra.where(extra.notna() & (extra != ""), "{}")
    rows = pd.DataFrame(json.loads(f"[{','.join(objects)}]"), index=extra.index)
    terms = dwc_terms(map(str, rows.columns))
    kept = {name: term for name, term in terms.items() if term not in taken}
    return pd.DataFrame({term: texts(rows[name]) for name, term in kept.items()}, index=extra.index)
