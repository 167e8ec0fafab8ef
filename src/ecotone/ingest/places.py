"""The place columns of a block: text to WGS 84 with uncertainty, doubts as findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.ingest.values import parse_numbers
from ecotone.model.datum_names import is_projected
from ecotone.model.finding import Severity
from ecotone.model.place import (
    SEVERITY,
    check_places,
    combine_uncertainty,
    parse_coordinates,
    precision_m,
    transform_to_wgs84,
)

if TYPE_CHECKING:
    from ecotone.ingest.convert import Work

#: In Darwin Core the place is one part of a record that holds without it: told, kept as text.
_MILD_IN_DWC: Final = frozenset({"datum-unknown", "datum-missing"})
#: What a hand-held satellite receiver reaches under an open sky, metres.
_RECEIVER_M: Final = 10.0


def columns(work: Work, raw: dict[str, str]) -> dict[str, pd.Series]:
    """The typed place attributes, for a noun whose block has coordinates.

    A latitude without a longitude (or the reverse) is told and kept as text.
    """
    lat, lon = raw.get("latitude"), raw.get("longitude")
    if lat is None or lon is None:
        return _alone(work, {"latitude": lat, "longitude": lon})
    placed = parse(work, lat, lon, raw.get("datum"), raw.get("country_code"))
    index = work.frame.index
    work.used |= {lat, lon}
    out = {
        "latitude": placed["latitude"],
        "longitude": placed["longitude"],
        "coordinate_uncertainty_m": pd.Series(_uncertainty(work, raw, placed), index=index),
        "datum_operation": placed["_operation"],
    }
    for name, header in (("latitude_text", lat), ("longitude_text", lon)):
        out[name] = work.frame[header]
        if name in raw:
            work.used.add(raw[name])
            out[name] = work.frame[raw[name]].fillna(work.frame[header])
    datum = raw.get("datum")
    if datum is not None:
        work.used.add(datum)
        out["datum"] = work.frame[datum]
    elif work.declared.datum:
        out["datum"] = pd.Series(work.declared.datum, index=index)
    return out


def _alone(work: Work, headers: dict[str, str | None]) -> dict[str, pd.Series]:
    """A coordinate without the other is no place: its text alone is kept."""
    out = {}
    for name, header in headers.items():
        if header is not None:
            work.used.add(header)
            filled = work.frame[header].notna().to_numpy(dtype=bool)
            work.flag("coordinate-alone", filled, header, severity=Severity.WARNING, have=name)
            out[name] = pd.Series(np.nan, index=work.frame.index)
            out[f"{name}_text"] = work.frame[header]
    return out


def _uncertainty(work: Work, raw: dict[str, str], placed: pd.DataFrame) -> NDArray[np.float64]:
    """Radius in metres: as stated, else as the digits hide; unknown where neither tells one.

    Few digits surely hide the place; many prove nothing, so a radius below a hand-held receiver's
    is not believed.
    """
    rounded = placed["_precision"].to_numpy()
    known = np.where(rounded >= _RECEIVER_M, rounded, np.nan)
    own = raw.get("coordinate_uncertainty_m")
    if own is not None:
        work.used.add(own)
        stated = parse_numbers(work.frame[own], decimal=work.declared.decimal).value
        wrong = work.frame[own].notna().to_numpy(dtype=bool) & ~(stated > 0)
        # 0 says "no uncertainty at all", which no instrument gives; Darwin Core forbids it.
        work.flag("uncertainty-not-positive", wrong, own, severity=Severity.WARNING)
        known = np.where(stated > 0, stated, known)
    return np.where(np.isnan(known), np.nan, combine_uncertainty(known, placed["_added"]))


def parse(work: Work, lat: str, lon: str, datum: str | None, country: str | None) -> pd.DataFrame:
    """Read, check and transform the coordinates of a block, flagging rows."""
    frame, declared = work.frame, work.declared
    decimal = declared.decimal or "."
    metres = _in_metres(work, datum)
    work.flag("coordinates-projected", metres, lat, severity=Severity.WARNING)
    y = parse_coordinates(frame[lat].mask(metres), kind="latitude", decimal=decimal)
    x = parse_coordinates(frame[lon].mask(metres), kind="longitude", decimal=decimal)
    for header, read in ((lat, y), (lon, x)):
        for code in sorted({str(c) for c in pd.unique(read.code)} - {""}):
            work.flag(code, np.asarray(read.code == code), header, severity=SEVERITY[code])
    one_only = np.isnan(y.degrees) ^ np.isnan(x.degrees)
    one_only &= (y.code == "") & (x.code == "")
    empty = lat if np.isnan(y.degrees[one_only]).all() else lon
    work.flag("coordinate-alone", one_only, empty, severity=Severity.WARNING, have="")
    named = frame[country] if country is not None else declared.country
    out = pd.DataFrame(index=frame.index)
    degrees_y, degrees_x = y.degrees, x.degrees
    operation: object = None
    added = np.zeros(len(frame))
    if datum is not None or declared.datum:
        given = (
            declared.datum
            if datum is None
            else frame[datum].fillna(declared.datum or "EPSG:4326").mask(metres, "EPSG:4326")
        )
        given = given if isinstance(given, str) else given.to_numpy(dtype=object)
        moved = transform_to_wgs84(y.degrees, x.degrees, given, country=named)
        for code in sorted({str(c) for c in pd.unique(moved.code)} - {""}):
            mask = np.asarray(moved.code == code)
            if code not in ("latitude-out-of-range", "longitude-out-of-range"):
                mild = code in _MILD_IN_DWC and work.table.vocabulary == "dwc"
                severity = Severity.WARNING if mild else SEVERITY[code]
                work.flag(code, mask, datum or lat, severity=severity)
        degrees_y, degrees_x = moved.latitude, moved.longitude
        operation, added = moved.operation, moved.added_uncertainty_m
    doubt = check_places(degrees_y, degrees_x, country=named)
    for code in sorted({str(c) for c in pd.unique(doubt)} - {""}):
        work.flag(code, np.asarray(doubt == code), lat, severity=SEVERITY[code])
    out["latitude"], out["longitude"] = degrees_y, degrees_x
    out["_added"] = added
    out["_precision"] = precision_m(degrees_y, y.step_deg, x.step_deg)
    told = pd.Series(operation, index=frame.index, dtype=object)
    out["_operation"] = told.where(told != "", None)
    return out


def _in_metres(work: Work, datum: str | None) -> NDArray[np.bool_]:
    """Rows whose datum is a map projection.

    Which of two columns headed latitude and longitude then holds the northing is not said, and
    guessing wrong moves a place by hundreds of kilometres: such rows keep their text alone.
    """
    if datum is None:
        every = bool(work.declared.datum) and is_projected(str(work.declared.datum))
        return np.full(len(work.frame), every)
    names = work.frame[datum]
    projected = [name for name in names.dropna().unique() if is_projected(str(name))]
    return np.asarray(names.isin(projected), dtype=np.bool_)
