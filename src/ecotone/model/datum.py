"""From old national datums to WGS 84, never by a silent guess.

PROJ answers a question it has no operation for with a *ballpark* one: it moves nothing and says
nothing. Here such rows are refused, unless the caller allows it and declares an uncertainty. The
operation is chosen by place, as PROJ does: the most accurate one whose area of use holds the
point. PROJ tests the bounding box of that area, so an operation made for a neighbour can be
chosen; where the record's country is known and the area's words do not take it in, the row gets
``datum-area-mismatch`` (or, with ``prefer_country``, the next operation that does cover it).

Operation, accuracy and area go with every record; the accuracy is added to its uncertainty.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ecotone.model import gcj02
from ecotone.model.countries import area_covers
from ecotone.model.datum_names import Datum, resolve_datum
from ecotone.model.errors import UsageError
from ecotone.model.finding import Severity

if TYPE_CHECKING:
    from pyproj.transformer import Transformer, TransformerGroup

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]
Rows = NDArray[np.intp]

SEVERITY: Final[Mapping[str, Severity]] = {
    "datum-missing": Severity.ERROR,
    "datum-unknown": Severity.ERROR,
    "datum-ballpark": Severity.ERROR,
    "latitude-out-of-range": Severity.ERROR,
    "longitude-out-of-range": Severity.ERROR,
    "datum-ballpark-allowed": Severity.WARNING,
    "datum-area-mismatch": Severity.WARNING,
    "datum-accuracy-unknown": Severity.WARNING,
    "gcj02-outside-china": Severity.WARNING,
    "datum-assumed": Severity.WARNING,
    "datum-near-wgs84": Severity.INFO,
}

#: No authority publishes GCJ-02 or BD-09; metres added by convention, not by measurement.
_MAP_SERVICE_ACCURACY_M: Final = 5.0
_CHINA: Final = frozenset({"CN", "HK", "MO"})
_METRES_PER_DEGREE: Final = 111_320.0


@dataclass(frozen=True, slots=True, eq=False)
class Transformed:
    """Places on WGS 84, one entry per row; what was refused is NaN and carries a code."""

    latitude: Floats
    longitude: Floats
    added_uncertainty_m: Floats
    accuracy_m: Floats
    operation: Texts
    area: Texts
    code: Texts  #: finding code, "" for none; severities in :data:`SEVERITY`

    @property
    def rejected(self) -> NDArray[np.bool_]:
        """Rows refused."""
        errors = [code for code, severity in SEVERITY.items() if severity is Severity.ERROR]
        return np.isin(self.code.astype(str), errors)


@dataclass(frozen=True, slots=True)
class _Operation:
    name: str
    accuracy_m: float  # NaN where unknown
    area: str
    bounds: tuple[float, float, float, float]
    transformer: Transformer


def transform_to_wgs84(
    lat: ArrayLike,
    lon: ArrayLike,
    datum: str | int | Sequence[str | None] | Texts | pd.Series,
    *,
    country: str | Sequence[str | None] | Texts | pd.Series | None = None,
    allow_ballpark: bool = False,
    ballpark_uncertainty_m: float | None = None,
    prefer_country: bool = False,
    assume: str | None = None,
) -> Transformed:
    """Geographic coordinates on any datum, as WGS 84.

    Args:
        lat: latitudes, degrees.
        lon: longitudes, degrees.
        datum: EPSG code (``4284``, ``"EPSG:4284"``) or name (``"СК-42"``, ``"北京54"``,
            ``"GCJ-02"``), one for all rows or one per row.
        country: ISO 3166-1 alpha-2 code, one for all or one per row; used for the checks only.
        allow_ballpark: take rows without a known operation unchanged; needs the next argument.
        ballpark_uncertainty_m: the uncertainty declared for such rows, metres.
        prefer_country: choose the best operation whose area names the country, where there is one.
        assume: datum of rows that name none (they get ``datum-assumed``); without it they are
            refused (``datum-missing``).

    >>> got = transform_to_wgs84([38.56], [68.77], "Pulkovo 1942", country="TJ")
    >>> round(float(got.latitude[0]), 7), round(float(got.longitude[0]), 7), got.operation[0]
    (38.5601227, 68.7692795, 'Pulkovo 1942 to WGS 84 (16)')
    >>> transform_to_wgs84([43.79], [87.63], "北京54").code[0]
    'datum-ballpark'
    """
    if allow_ballpark and not (ballpark_uncertainty_m and ballpark_uncertainty_m > 0):
        raise UsageError(
            "A ballpark datum shift was allowed without an uncertainty.",
            "Declare ballpark_uncertainty_m, in metres (old national datums: 50 to 700).",
        )
    y = np.atleast_1d(np.asarray(lat, dtype=np.float64))
    x = np.atleast_1d(np.asarray(lon, dtype=np.float64))
    work = _Work(y, x, _countries(country, len(y)))
    usable = work.usable()
    for value, rows in _groups(datum, len(y)):
        rows_here = rows[usable[rows]]
        text = "" if value is None else str(value)
        found = resolve_datum(text)
        assumed = found is None and text.strip().casefold() in _NO_DATUM
        if assumed and assume is not None:
            found = resolve_datum(assume)
        if found is None:
            work.refuse(rows_here, "datum-missing" if assumed else "datum-unknown")
            continue
        _to_wgs84(
            work,
            rows_here,
            found,
            ballpark_uncertainty_m if allow_ballpark else None,
            prefer_country,
        )
        if assumed:
            work.flag(rows_here, "datum-assumed")
    return work.result()


_NO_DATUM: Final = frozenset(
    {
        "",
        "unknown",
        "not recorded",
        "not recorded (forced wgs84)",
        "null",
        "n/a",
        "na",
        "-",
        "не указано",
        "неизвестно",
        "нет данных",
        "未知",
        "不详",
        "无",
    }
)


class _Work:
    """The arrays under way; only :func:`transform_to_wgs84` holds one."""

    def __init__(self, lat: Floats, lon: Floats, country: Texts) -> None:
        if lat.shape != lon.shape:
            raise UsageError("Latitudes and longitudes are not of one length.")
        self.lat, self.lon, self.country = lat, lon, country
        self.out_lat, self.out_lon = np.full(len(lat), np.nan), np.full(len(lat), np.nan)
        self.added, self.accuracy = np.full(len(lat), np.nan), np.full(len(lat), np.nan)
        self.operation, self.area, self.code = (np.full(len(lat), "", dtype=object) for _ in "oac")

    def usable(self) -> NDArray[np.bool_]:
        """Rows with both coordinates, in range; the others are marked or left empty."""
        self.code[np.abs(self.lon) > 180] = "longitude-out-of-range"
        self.code[np.abs(self.lat) > 90] = "latitude-out-of-range"
        return np.asarray((np.abs(self.lat) <= 90) & (np.abs(self.lon) <= 180))

    def put(
        self,
        rows: Rows,
        lat: Floats,
        lon: Floats,
        accuracy_m: float,
        added_m: ArrayLike,
        operation: str,
        area: str,
    ) -> None:
        """Store places and how they came about."""
        self.out_lat[rows], self.out_lon[rows] = lat, lon
        self.accuracy[rows], self.added[rows] = accuracy_m, added_m
        self.operation[rows], self.area[rows] = operation, area

    def refuse(self, rows: Rows, code: str) -> None:
        """Leave rows without a place."""
        self.code[rows] = code

    def flag(self, rows: Rows, code: str) -> None:
        """Mark rows that carry no heavier word yet."""
        light = np.isin(self.code[rows].astype(str), ["", "datum-near-wgs84"])
        self.code[rows[light]] = code

    def result(self) -> Transformed:
        """The finished arrays."""
        return Transformed(
            self.out_lat,
            self.out_lon,
            self.added,
            self.accuracy,
            self.operation,
            self.area,
            self.code,
        )


def _to_wgs84(
    work: _Work, rows: Rows, datum: Datum, ballpark_m: float | None, prefer_country: bool
) -> None:
    if datum.kind == "equal":
        lat, lon = work.lat[rows], work.lon[rows]
        words = f"{datum.name} taken as WGS 84" if datum.within_m else ""
        work.put(rows, lat, lon, datum.within_m, datum.within_m, words, "")
        if datum.within_m:
            work.flag(rows, "datum-near-wgs84")
    elif datum.kind == "epsg":
        _by_proj(work, rows, datum, ballpark_m, prefer_country)
    else:
        _from_map_service(work, rows, datum)


def _by_proj(
    work: _Work, rows: Rows, datum: Datum, ballpark_m: float | None, prefer_country: bool
) -> None:
    for same in _by_area(datum.epsg, work.lat, work.lon, rows):
        choices = _operations(datum.epsg, float(work.lat[same[0]]), float(work.lon[same[0]]))
        if not choices:
            _ballpark(work, same, datum, ballpark_m)
            continue
        for country, these in _groups(work.country[same], len(same)):
            chosen, code = _choose(choices, str(country), prefer_country)
            _apply(work, same[these], chosen, code)


def _choose(
    choices: tuple[_Operation, ...], country: str, prefer_country: bool
) -> tuple[_Operation, str]:
    best = choices[0]
    if area_covers(best.area, country):
        return best, ""
    if prefer_country:
        for other in choices[1:]:
            if area_covers(other.area, country):
                return other, ""
    return best, "datum-area-mismatch"


def _apply(work: _Work, rows: Rows, operation: _Operation, code: str) -> None:
    lon, lat = operation.transformer.transform(work.lon[rows], work.lat[rows])
    moved = np.isfinite(lat) & np.isfinite(lon)
    kept = rows[moved]
    work.put(
        kept,
        lat[moved],
        (lon[moved] + 180) % 360 - 180 if np.any(np.abs(lon[moved]) > 180) else lon[moved],
        operation.accuracy_m,
        operation.accuracy_m,
        operation.name,
        operation.area,
    )
    work.refuse(rows[~moved], "datum-ballpark")
    if code:
        work.flag(kept, code)
    elif np.isnan(operation.accuracy_m):
        work.flag(kept, "datum-accuracy-unknown")


def _ballpark(work: _Work, rows: Rows, datum: Datum, ballpark_m: float | None) -> None:
    if ballpark_m is None:
        work.refuse(rows, "datum-ballpark")
        return
    words = f"{datum.name} taken as WGS 84, no operation known here"
    work.put(rows, work.lat[rows], work.lon[rows], ballpark_m, ballpark_m, words, "")
    work.flag(rows, "datum-ballpark-allowed")


def _from_map_service(work: _Work, rows: Rows, datum: Datum) -> None:
    """Undo GCJ-02 or BD-09 in China; elsewhere widen the uncertainty to hold both readings."""
    lat, lon = work.lat[rows], work.lon[rows]
    if datum.kind == "bd09":
        lat, lon = gcj02.bd09_to_gcj02(lat, lon)
    country = work.country[rows].astype(str)
    abroad = (country != "") & ~np.isin(country, sorted(_CHINA))
    back_lat, back_lon = gcj02.gcj02_to_wgs84(lat, lon)
    doubt_m = np.hypot(
        (back_lat - lat) * _METRES_PER_DEGREE,
        (back_lon - lon) * _METRES_PER_DEGREE * np.cos(np.radians(lat)),
    )
    untouched = abroad | ~gcj02.inside_rectangle(back_lat, back_lon)
    added = np.where(untouched, doubt_m, 0.0) + _MAP_SERVICE_ACCURACY_M
    work.put(
        rows,
        np.where(untouched, lat, back_lat),
        np.where(untouched, lon, back_lon),
        _MAP_SERVICE_ACCURACY_M,
        added,
        f"{datum.name} to WGS 84 (inverse by iteration)",
        "China",
    )
    work.operation[rows[untouched]] = f"{datum.name} taken as unshifted"
    work.flag(rows[untouched], "gcj02-outside-china")


def _by_area(epsg: int, lat: Floats, lon: Floats, rows: Rows) -> list[Rows]:
    """Rows parted by the set of areas of use (boxes) that hold them: one choice for each part."""
    key = np.zeros(len(rows), dtype=np.intp)
    y, x = lat[rows], lon[rows]
    for west, south, east, north in sorted({op.bounds for op in _everywhere(epsg)}):
        across = (x >= west) & (x <= east) if west <= east else (x >= west) | (x <= east)
        inside = (y >= south) & (y <= north) & across
        key = np.asarray(pd.factorize(key * 2 + inside)[0], dtype=np.intp)
    return [rows[part] for _, part in _parts(key)]


@functools.cache
def _everywhere(epsg: int) -> tuple[_Operation, ...]:
    from pyproj.transformer import TransformerGroup

    with warnings.catch_warnings():
        # A better operation may need a grid we do not have; the one used says its accuracy.
        warnings.simplefilter("ignore", UserWarning)
        group = TransformerGroup(f"EPSG:{epsg}", "EPSG:4326", always_xy=True, allow_ballpark=False)
    return _listed(group)


@functools.lru_cache(maxsize=1024)
def _operations(epsg: int, lat: float, lon: float) -> tuple[_Operation, ...]:
    """PROJ's operations at a point, best first, ballpark ones left out."""
    from pyproj.transformer import AreaOfInterest, TransformerGroup

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        group = TransformerGroup(
            f"EPSG:{epsg}",
            "EPSG:4326",
            always_xy=True,
            allow_ballpark=False,
            area_of_interest=AreaOfInterest(lon, lat, lon, lat),
        )
    return _listed(group)


def _listed(group: TransformerGroup) -> tuple[_Operation, ...]:
    listed = []
    for transformer in group.transformers:
        use = transformer.area_of_use
        listed.append(
            _Operation(
                name=" + ".join(
                    step
                    for step in transformer.description.split(" + ")
                    if not step.startswith("axis order change")
                ),
                accuracy_m=transformer.accuracy if transformer.accuracy >= 0 else np.nan,
                area="World" if use is None else use.name,
                bounds=(-180.0, -90.0, 180.0, 90.0) if use is None else use.bounds,
                transformer=transformer,
            )
        )
    return tuple(listed)


def _countries(country: str | Sequence[str | None] | Texts | pd.Series | None, n: int) -> Texts:
    if country is None or isinstance(country, str):
        return np.full(n, (country or "").strip().upper(), dtype=object)
    column = pd.Series(country, dtype="str").fillna("").str.strip().str.upper()
    return np.asarray(column.to_numpy(dtype=object))


def _groups(
    values: str | int | Sequence[str | None] | Texts | pd.Series | None, n: int
) -> list[tuple[str | int | None, Rows]]:
    """``(value, its rows)`` for each distinct value; one group where the value is single."""
    if values is None or isinstance(values, str | int):
        return [(values, np.arange(n))]
    codes, uniques = pd.factorize(pd.Series(values, dtype=object), use_na_sentinel=True)
    if len(codes) != n:
        raise UsageError("Coordinates and datums (or countries) are not of one length.")
    return [(None if code < 0 else uniques[code], rows) for code, rows in _parts(np.asarray(codes))]


def _parts(codes: NDArray[np.intp]) -> list[tuple[int, Rows]]:
    """Rows of each code, in order, by one sort."""
    order = np.argsort(codes, kind="stable")
    edges = np.flatnonzero(np.diff(codes[order])) + 1
    return [(int(codes[part[0]]), part) for part in np.split(order, edges) if len(part)]
