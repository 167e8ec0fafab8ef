"""Coordinates, their uncertainty and their datum."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from ecotone.ingest.checks.base import (
    Check,
    Mask,
    Parameters,
    Responses,
    Texts,
    amendment,
    proposals,
    validation,
)
from ecotone.ingest.checks.block import Block
from ecotone.ingest.checks.common import not_empty
from ecotone.model.countries import Country, countries
from ecotone.model.datum_names import resolve_datum
from ecotone.model.finding import Severity
from ecotone.model.place import parse_coordinates

LAT: Final = "dwc:decimalLatitude"
LON: Final = "dwc:decimalLongitude"
DATUM: Final = "dwc:geodeticDatum"
UNCERTAINTY: Final = "dwc:coordinateUncertaintyInMeters"
COUNTRY: Final = "dwc:countryCode"
V_COORDINATES: Final = "dwc:verbatimCoordinates"
V_LAT: Final = "dwc:verbatimLatitude"
V_LON: Final = "dwc:verbatimLongitude"
V_SRS: Final = "dwc:verbatimSRS"

_CODE: Final = re.compile(r"EPSG:([1-9][0-9]{3,5})")
_PLAIN: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_HEMISPHERE: Final = re.compile(r"(?<=[0-9°'\"\s])([NSEW])(?=[\s,;]+[0-9]|$)")


def _within(term: str, limit: float) -> Check:
    def run(block: Block, parameters: Parameters) -> Responses:
        numbers = block.term(term).numbers
        return validation(np.isnan(numbers), np.abs(numbers) <= limit)

    # No severity: the converter rejects such rows itself, with the same sentence for every format.
    axis = term.removeprefix("dwc:")
    guid = {
        LAT: "b6ecda2a-ce36-437a-b515-3ae94948fe83",
        LON: "0949110d-c06b-450e-9649-7c1374d940d1",
    }[term]
    return Check(
        label=f"VALIDATION_{axis.upper()}_INRANGE", guid=guid, dimension="Conformance",
        terms=(term,), function=run,
    )  # fmt: skip


def _not_zero(block: Block, parameters: Parameters) -> Responses:
    lat, lon = block.term(LAT).numbers, block.term(LON).numbers
    return validation(np.isnan(lat) | np.isnan(lon), (lat != 0) | (lon != 0))


def _uncertainty(block: Block, parameters: Parameters) -> Responses:
    numbers = block.term(UNCERTAINTY).numbers
    return validation(np.isnan(numbers), (numbers >= 1) & (numbers <= 20_037_509))


def _uncertainty_told(block: Block) -> Mask:
    """The converter tells what is not above 0; a fraction of a metre is a good survey."""
    return np.asarray(block.term(UNCERTAINTY).numbers < 1)


def is_datum_code(text: str) -> bool:
    """Whether a text is the EPSG code of a datum, an ellipsoid, or a system in degrees."""
    found = _CODE.fullmatch(text)
    if found is None:
        return False
    code = found[1]
    return code in _datum_codes() or _in_degrees(code)


@functools.cache
def _datum_codes() -> frozenset[str]:
    from pyproj.database import get_codes
    from pyproj.enums import PJType

    kinds = (
        PJType.GEODETIC_REFERENCE_FRAME,
        PJType.DYNAMIC_GEODETIC_REFERENCE_FRAME,
        PJType.DATUM_ENSEMBLE,
        PJType.ELLIPSOID,
    )
    return frozenset(code for kind in kinds for code in get_codes("EPSG", kind, True))


@functools.lru_cache(maxsize=1024)
def _in_degrees(code: str) -> bool:
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        crs = CRS.from_epsg(int(code))
    except CRSError:
        return False
    axes = crs.axis_info
    return crs.is_geographic and len(axes) == 2 and all(a.unit_name == "degree" for a in axes)


def _datum_standard(block: Block, parameters: Parameters) -> Responses:
    column = block.term(DATUM)
    fits = column.each(
        lambda text: "yes" if text == "not recorded" or is_datum_code(text) else None
    )
    return validation(column.empty, np.asarray(fits == "yes"))


def datum_code(text: str) -> str | None:
    """The EPSG code of the datum a text names, or None."""
    known = resolve_datum(text)
    if known is None or known.kind not in ("equal", "epsg"):
        return None
    code = f"EPSG:{known.epsg}"
    return code if is_datum_code(code) else None


def _amend_datum_text(text: str) -> str | None:
    if text == "not recorded" or is_datum_code(text):
        return None
    if text.strip().casefold() == "not recorded":
        return "not recorded"
    return datum_code(text)


def _amend_datum(block: Block, parameters: Parameters) -> Responses:
    column = block.term(DATUM)
    return amendment(column.empty, {DATUM: column.each(_amend_datum_text)}, filled=False)


def _assume_datum(block: Block, parameters: Parameters) -> Responses:
    """Fill in the default datum.

    Where an uncertainty is given, the largest datum shift at that place would have to be added to
    it; the grid of shifts is not at hand, and an understated uncertainty would be untrue.
    """
    empty = block.term(DATUM).empty
    uncertainty = block.term(UNCERTAINTY).numbers
    placed = ~block.term(LAT).empty & ~block.term(LON).empty
    external = empty & placed & (uncertainty > 0)
    filled = proposals(empty, parameters["defaultGeodeticDatum"])
    return amendment(block.nothing(), {DATUM: filled}, filled=True, external=external)


def _transposed(block: Block, parameters: Parameters) -> Responses:
    unmet = block.term(LAT).empty | block.term(LON).empty | block.term(COUNTRY).empty
    outside = ~unmet & _outside(block)
    codes, distinct = block.distinct(LAT, LON, COUNTRY, rows=outside)
    found = _columns(codes, [_turn(*texts) for texts in distinct], (LAT, LON))
    changes = {term: np.full(block.rows, None, dtype=object) for term in found}
    for term, values in found.items():
        changes[term][outside] = values
    return amendment(unmet, changes, filled=False)


def _outside(block: Block) -> Mask:
    """Rows whose numbers lie outside the box of their country, where it has one."""
    lat, lon, country = block.term(LAT).numbers, block.term(LON).numbers, block.term(COUNTRY)
    outside = block.nothing()
    for place, code in enumerate(country.values):
        box = countries().get(str(code))
        if box is not None:
            rows = np.flatnonzero(country.codes == place)
            outside[rows] = ~box.holds(lat[rows], lon[rows])
    return outside


def _columns(
    codes: NDArray[np.intp],
    found: Sequence[tuple[str | None, ...] | None],
    terms: tuple[str, ...],
) -> dict[str, Texts]:
    """Proposals per distinct combination -> proposals per row and term."""
    columns: dict[str, Texts] = {}
    for place, term in enumerate(terms):
        values = np.empty(len(found), dtype=object)
        values[:] = [answer and answer[place] for answer in found]
        columns[term] = values[codes]
    return columns


def _turn(lat: str, lon: str, country: str) -> tuple[str, str] | None:
    box = countries().get(country)
    if box is None or not _PLAIN.fullmatch(lat.strip()) or not _PLAIN.fullmatch(lon.strip()):
        return None
    y, x = lat.strip(), lon.strip()
    if _holds(box, y, x):
        return None
    ways = [
        (a, b)
        for first, second in ((y, x), (x, y))
        for a in (first, _negative(first))
        for b in (second, _negative(second))
        if _holds(box, a, b)
    ]
    return ways[0] if len(ways) == 1 else None


def _holds(box: Country, lat: str, lon: str) -> bool:
    y, x = float(lat), float(lon)
    if abs(y) > 90 or abs(x) > 180:
        return False
    return bool(box.holds(np.array([y]), np.array([x]))[0])


def _negative(number: str) -> str:
    return number[1:] if number.startswith("-") else f"-{number.removeprefix('+')}"


def _from_verbatim(block: Block, parameters: Parameters) -> Responses:
    unmet = ~block.term(LAT).empty | ~block.term(LON).empty
    unmet |= block.term(V_COORDINATES).empty & (block.term(V_LAT).empty | block.term(V_LON).empty)
    codes, distinct = block.distinct(V_COORDINATES, V_LAT, V_LON, V_SRS)
    found = [_read_verbatim(*texts) for texts in distinct]
    return amendment(unmet, _columns(codes, found, (LAT, LON, DATUM)), filled=True)


def _read_verbatim(
    coordinates: str, lat: str, lon: str, srs: str
) -> tuple[str, str, str | None] | None:
    datum = (srs if is_datum_code(srs) else datum_code(srs)) if srs else None
    if srs and datum is None:
        return None
    apart = _two_degrees(lat, lon) if lat or lon else None
    together = _split(coordinates) if coordinates else None
    if (coordinates and together is None) or ((lat or lon) and apart is None):
        return None
    if (
        apart
        and together
        and any(abs(float(a) - float(b)) > 1e-6 for a, b in zip(apart, together, strict=True))
    ):
        return None
    pair = apart or together
    return None if pair is None else (*pair, datum)


def _split(text: str) -> tuple[str, str] | None:
    """Latitude and longitude of one text; None where their order is not certain."""
    clean = text.strip()
    marked = _HEMISPHERE.sub(r"\1;", clean).rstrip(";") if re.search("[NSEW]", clean) else clean
    parts = [part.strip(" ,;") for part in re.split(r"\s*[,;]\s*", marked) if part.strip(" ,;")]
    if len(parts) == 1:
        parts = clean.split()
    if len(parts) != 2:
        return None
    one, two = _two_degrees(*parts), _two_degrees(parts[1], parts[0])
    if (one is None) == (two is None):
        return None
    return one or two


def _two_degrees(lat: str, lon: str) -> tuple[str, str] | None:
    y, x = _degrees(lat.strip(), "latitude"), _degrees(lon.strip(), "longitude")
    return None if y is None or x is None else (y, x)


def _degrees(text: str, kind: Literal["latitude", "longitude"]) -> str | None:
    """Decimal degrees as text, as written where they are decimal already."""
    degrees = parse_coordinates(np.array([text], dtype=object), kind=kind).degrees[0]
    if np.isnan(degrees):
        return None
    return text if _PLAIN.fullmatch(text) else f"{degrees:.7f}".rstrip("0").rstrip(".")


CHECKS: Final = (
    _within(LAT, 90.0),
    _within(LON, 180.0),
    not_empty(
        "VALIDATION_DECIMALLATITUDE_NOTEMPTY",
        "7d2485d5-1ba7-4f25-90cb-f4480ff1a275",
        LAT,
        # One coordinate without the other is told by the converter.
        unless=lambda block: ~block.term(LON).empty,
    ),
    not_empty(
        "VALIDATION_DECIMALLONGITUDE_NOTEMPTY",
        "9beb9442-d942-4f42-8b6a-fcea01ee086a",
        LON,
        # Where both are missing, the latitude has told it.
        severity=None,
    ),
    Check(
        label="VALIDATION_COORDINATES_NOTZERO",
        guid="1bf0e210-6792-4128-b8cc-ab6828aa4871",
        dimension="Likeliness",
        terms=(LAT, LON),
        function=_not_zero,
    ),
    Check(
        label="VALIDATION_COORDINATEUNCERTAINTY_INRANGE",
        guid="c6adf2ea-3051-4498-97f4-4b2f8a105f57",
        dimension="Conformance",
        terms=(UNCERTAINTY,),
        function=_uncertainty,
        severity=Severity.WARNING,
        unless=_uncertainty_told,
    ),
    not_empty("VALIDATION_GEODETICDATUM_NOTEMPTY", "239ec40e-a729-4a8e-ba69-e0bf03ac1c44", DATUM),
    Check(
        label="VALIDATION_GEODETICDATUM_STANDARD",
        guid="7e0c0418-fe16-4a39-98bd-80e19d95b9d1",
        dimension="Conformance",
        terms=(DATUM,),
        function=_datum_standard,
        parameters={"sourceAuthority": "EPSG"},
    ),
    Check(
        label="AMENDMENT_GEODETICDATUM_STANDARDIZED",
        guid="0345b325-836d-4235-96d0-3b5caf150fc0",
        dimension="Conformance",
        terms=(DATUM,),
        function=_amend_datum,
        parameters={"sourceAuthority": "EPSG"},
    ),
    Check(
        label="AMENDMENT_GEODETICDATUM_ASSUMEDDEFAULT",
        guid="7498ca76-c4d4-42e2-8103-acacccbdffa7",
        dimension="Completeness",
        terms=(DATUM, UNCERTAINTY),
        consulted=(LAT, LON),
        function=_assume_datum,
        parameters={"defaultGeodeticDatum": "EPSG:4326"},
    ),
    Check(
        label="AMENDMENT_COORDINATES_TRANSPOSED",
        guid="f2b4a50a-6b2f-4930-b9df-da87b6a21082",
        dimension="Consistency",
        terms=(LAT, LON),
        consulted=(COUNTRY,),
        function=_transposed,
        parameters={"sourceAuthority": "bounding boxes of EPSG areas of use"},
    ),
    Check(
        label="AMENDMENT_COORDINATES_FROM_VERBATIM",
        guid="3c2590c7-af8a-4eb4-af57-5f73ba9d1f8e",
        dimension="Completeness",
        terms=(LAT, LON, DATUM),
        consulted=(V_COORDINATES, V_LAT, V_LON, "dwc:verbatimCoordinateSystem", V_SRS),
        function=_from_verbatim,
    ),
)
