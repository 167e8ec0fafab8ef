"""The place columns of a block: text to WGS 84 with uncertainty, doubts as findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.ingest.values import parse_numbers
from ecotone.model.datum_names import is_projected
from ecotone.model.finding import Finding, Severity
from ecotone.model.place import (
    SEVERITY,
    Coordinates,
    Transformed,
    check_places,
    combine_uncertainty,
    parse_coordinates,
    precision_m,
    transform_to_wgs84,
)

if TYPE_CHECKING:
    from ecotone.ingest.convert import Work

_WGS84: Final = "EPSG:4326"
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
            work.flag("coordinate-alone", filled, header, severity=Severity.WARNING)
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
        if wrong.any():
            work.kept.add(own)
        known = np.where(stated > 0, stated, known)
    return np.where(np.isnan(known), np.nan, combine_uncertainty(known, placed["_added"]))


def parse(work: Work, lat: str, lon: str, datum: str | None, country: str | None) -> pd.DataFrame:
    """Read, check and transform the coordinates of a block, flagging rows.

    Columns: ``latitude`` and ``longitude`` (WGS 84), ``_precision`` (m, what the digits hide),
    ``_added`` (m, accuracy of the datum operation) and ``_operation`` (its name and accuracy).
    """
    y, x = _read(work, lat, lon, _in_metres(work, datum))
    named = work.frame[country] if country is not None else work.declared.country
    given = _datums(work, datum, np.isfinite(y.degrees) & np.isfinite(x.degrees))
    out = pd.DataFrame(
        {"latitude": y.degrees, "longitude": x.degrees, "_added": 0.0, "_operation": None},
        index=work.frame.index,
    )
    if given is not None:
        moved = transform_to_wgs84(y.degrees, x.degrees, given, country=named)
        _tell(work, moved.code, datum or lat)
        out["latitude"], out["longitude"] = moved.latitude, moved.longitude
        out["_added"] = moved.added_uncertainty_m
        out["_operation"] = _operations(moved)
    latitude = out["latitude"].to_numpy()
    _tell(work, check_places(latitude, out["longitude"], country=named), lat)
    out["_precision"] = precision_m(latitude, y.step_deg, x.step_deg)
    return out


def _read(
    work: Work, lat: str, lon: str, metres: NDArray[np.bool_]
) -> tuple[Coordinates, Coordinates]:
    """Both columns as degrees; what stands in metres, or alone, is told."""
    frame, decimal = work.frame, work.declared.decimal or "."
    work.flag("coordinates-projected", metres, lat, severity=Severity.WARNING)
    y = parse_coordinates(frame[lat].mask(metres), kind="latitude", decimal=decimal)
    x = parse_coordinates(frame[lon].mask(metres), kind="longitude", decimal=decimal)
    _tell(work, y.code, lat)
    _tell(work, x.code, lon)
    silent = (y.code == "") & (x.code == "")
    for header, gone, there in ((lat, y.degrees, x.degrees), (lon, x.degrees, y.degrees)):
        alone = silent & np.isnan(gone) & np.isfinite(there)
        work.flag("coordinate-alone", alone, header, severity=Severity.WARNING)
    return y, x


def _datums(
    work: Work, header: str | None, placed: NDArray[np.bool_]
) -> str | NDArray[np.object_] | None:
    """The datum of each row: its own, else the declared one, else WGS 84, which is told."""
    declared = work.declared.datum
    if header is None:
        if not declared:
            _undeclared(work, placed)
        return declared or None
    named = work.frame[header].astype("str").str.strip()
    empty = (named.isna() | (named == "")).to_numpy(dtype=bool)
    if not declared:
        _undeclared(work, placed & empty)
    projected = _in_metres(work, header)
    given = named.mask(empty, declared or _WGS84).mask(projected, _WGS84)
    return np.asarray(given.to_numpy(dtype=object))


def _undeclared(work: Work, rows: NDArray[np.bool_]) -> None:
    """Said once a file; Camtrap DP prescribes WGS 84, Darwin Core has a check of its own for it."""
    if rows.any() and work.table.vocabulary in ("", "ecotone") and 1 in work.table.row[:1]:
        found = Finding("datum-undeclared", Severity.INFO, file=work.table.file)
        work.findings.append(found)


def _tell(work: Work, codes: NDArray[np.object_], header: str) -> None:
    """A finding per row with a code; what the reading has told is not told again."""
    for code in sorted({str(c) for c in pd.unique(codes)} - {""}):
        mask = np.asarray(codes == code)
        mild = code in _MILD_IN_DWC and work.table.vocabulary == "dwc"
        work.flag(code, mask, header, severity=Severity.WARNING if mild else SEVERITY[code])


def _operations(moved: Transformed) -> NDArray[np.object_]:
    """The operation of each row with its accuracy, e.g. ``Pulkovo 1942 to WGS 84 (16), 4.5 m``."""
    codes, names = pd.factorize(moved.operation)
    texts: list[str | None] = []
    for number, name in enumerate(names):
        accuracy = float(moved.accuracy_m[np.argmax(codes == number)])
        texts.append(None if not name else f"{name}, {accuracy:g} m" if accuracy > 0 else str(name))
    return np.array([*texts, None], dtype=object)[codes]


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
