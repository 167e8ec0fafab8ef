"""``land.wind-erosion``, ``land.sand-drift`` and ``land.aridity``: drylands from tables."""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators.land_barrier import compare_groups, sheltered_values, valued
from ecotone.assess.indicators.land_table import read_numbers, read_series
from ecotone.assess.indicators.land_wind_rasters import INPUTS, erosion_of_maps
from ecotone.model.errors import InputRefused, NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.land.dryland import aridity_classes, aridity_index
from ecotone.science.land.resampling import mean_of_points
from ecotone.science.land.sand import drift_class, dune_mobility, mobility_class, sand_drift
from ecotone.science.land.wind import (
    Soil,
    air_density,
    cover_factor,
    crust_factor,
    erodible_fraction,
    erosion_classes,
    weather_factor,
    wind_at_2_m,
    wind_erosion,
)

Floats = NDArray[np.float64]

_SOIL: Final = ("sand_pct", "silt_pct", "clay_pct", "om_pct", "caco3_pct")
#: kg/m2 in t/km2.
_TONNES: Final = 1000.0
_ARIDITY: Final = ("unknown", "hyper-arid", "arid", "semi-arid", "dry subhumid", "humid")
#: Winds beyond this are no wind, m/s.
_GALE: Final = 120.0


def erosion(job: Job) -> Outcome:
    """RWEQ at each point or in each cell of maps, with its cover and as bare soil."""
    maps = [i.name for i in INPUTS if job.inputs.get(i.name)]
    if bool(maps) == bool(job.inputs.get("points")):
        raise UsageError(say("assess.land.points-or-maps"))
    if maps:
        if not job.inputs.get("wind"):
            raise UsageError(say("assess.land.maps-wind"))
        speeds = _winds(job)
        _check_winds(job.inputs["wind"][0].name, speeds)
        return erosion_of_maps(job, speeds)
    path = job.inputs["points"][0]
    wanted = ("u2_ms", "temp_c", "elev_km", "elev_m", *_SOIL, "flat_cover_pct")
    readings = job.inputs.get("wind")
    needed = (*_SOIL, "flat_cover_pct", *(() if readings else ("u2_ms",)))
    table = read_numbers(path, wanted, needed, texts=("point", "group"))
    frame = table.frame
    findings = list(table.findings)
    column = partial(_column, frame)
    elevation = column("elev_m", 0.0) if "elev_m" in frame else 1000 * column("elev_km", 0.0)
    density = air_density(elevation, column("temp_c", 15.0))
    if readings:
        speeds = _winds(job)[:, None]
        findings.append(
            Finding("land-wind-readings", Severity.INFO, params={"count": str(len(speeds))})
        )
    else:
        speeds = column("u2_ms", np.nan)[None, :]
        findings.append(Finding("land-wind-mean", Severity.WARNING, field="u2_ms"))
    _check_winds(readings[0].name if readings else path.name, speeds)
    soil = Soil(*(column(name, np.nan) for name in _SOIL))
    cover = column("flat_cover_pct", np.nan)
    findings += _soil_findings(path.name, soil, cover, frame)
    weather = weather_factor(
        speeds, job.number("days"), density, job.number("wetness"), job.number("snow")
    )
    length = job.number("length")
    factors = (erodible_fraction(soil), crust_factor(soil), 1.0)
    actual = wind_erosion(weather, *factors, cover_factor(cover), length)
    bare = wind_erosion(weather, *factors, 1.0, length)
    if np.isnan(actual.mean_loss).all():
        raise NotComputable(say("assess.land.nothing"), say("assess.land.nothing.do"))
    out = pd.DataFrame(
        {
            "point": frame["point"] if "point" in frame else frame["row"],
            "WF_kg_m": weather,
            "EF": factors[0],
            "SCF": factors[1],
            "SLRf": cover_factor(cover),
            "Qmax_kg_m": actual.capacity,
            "s_m": actual.scale,
            "Q_kg_m": actual.transport,
            "point_loss_kg_m2": actual.point_loss,
            "mean_loss_kg_m2": actual.mean_loss,
            "bare_loss_kg_m2": bare.mean_loss,
            "fixed_kg_m2": bare.mean_loss - actual.mean_loss,
            "class": erosion_classes(actual.mean_loss * _TONNES),
            "valid": ~(soil.outside() | soil.unbalanced()),
        }
    )
    known = np.isfinite(actual.mean_loss)
    losses = {
        "mean_loss": actual.mean_loss,
        "bare_loss": bare.mean_loss,
        "fixed": bare.mean_loss - actual.mean_loss,
    }
    values = {
        "points": Value(value=int(known.sum()), unit="points"),
        **{name: valued(mean_of_points(loss[known]), "kg/m2") for name, loss in losses.items()},
    }
    tables = {"points": out}
    if "group" in frame:
        out.insert(1, "group", frame["group"].to_numpy())
        compared = compare_groups(job, frame["group"], actual.mean_loss, bare.mean_loss)
        tables["groups"] = compared.table
        values |= compared.values
        findings += compared.findings
    elif job.parameters["control"] or job.parameters["treated"]:
        raise UsageError(say("assess.land.group", name="group", known="-"))
    return Outcome(values=values, tables=tables, findings=findings)


def _column(frame: pd.DataFrame, name: str, missing: float) -> Floats:
    """A column's numbers, or one number for all rows where the table has no such column."""
    if name not in frame:
        return np.full(len(frame), missing)
    return frame[name].to_numpy(dtype=np.float64)


def _winds(job: Job) -> Floats:
    """Readings at 2 m of a wind record at the height said."""
    table = read_numbers(job.inputs["wind"][0], ("u2_ms", "speed_ms"), ())
    if "u2_ms" in table.frame:
        return table.frame["u2_ms"].to_numpy(dtype=np.float64)
    if "speed_ms" not in table.frame:
        raise InputRefused(
            say(
                "assess.table.column-missing",
                name=job.inputs["wind"][0].name,
                wanted="u2_ms",
                given=", ".join(c for c in table.frame.columns if c != "row") or "-",
            ),
            say("assess.table.column-missing.do"),
        )
    return wind_at_2_m(table.frame["speed_ms"].to_numpy(dtype=np.float64), job.number("height"))


def _check_winds(name: str, speeds: Floats) -> None:
    if not np.isfinite(speeds).any():
        raise NotComputable(say("assess.land.nothing"), say("assess.land.nothing.do"))
    low, high = np.fmin.reduce(speeds, axis=None), np.fmax.reduce(speeds, axis=None)
    if low < 0 or high > _GALE:
        raise InputRefused(
            say("assess.land.wind-range", name=name, lowest=low, highest=high),
            say("assess.land.wind-range.do"),
        )


def _soil_findings(name: str, soil: Soil, cover: Floats, frame: pd.DataFrame) -> list[Finding]:
    """Points outside the equations' ground, texture that does not sum up, cover as a fraction."""
    findings = []
    for code, where in (("land-soil-outside", soil.outside()),
                        ("land-texture-sum", soil.unbalanced())):  # fmt: skip
        rows = [str(int(r)) for r in frame["row"].to_numpy()[where]]
        if rows:
            findings.append(
                Finding(
                    code,
                    Severity.WARNING,
                    file=name,
                    params={"rows": ", ".join(rows[:20]), "count": str(len(rows))},
                )
            )
    known = cover[np.isfinite(cover)]
    if (known < 0).any() or (known > 100).any():
        raise InputRefused(say("assess.land.cover-percent", name=name))
    if known.size and 0 < known.max() <= 1:
        findings.append(Finding("land-cover-fraction", Severity.WARNING, file=name))
    return findings


def drift(job: Job) -> Outcome:
    """Drift potential of a wind record and, with rain and evaporation, mobility of dunes."""
    path = job.inputs["wind"][0]
    names = ("speed_ms", "direction_deg")
    table = read_numbers(path, names, names, texts=("month",))
    speed = table.frame["speed_ms"].to_numpy(dtype=np.float64)
    direction = table.frame["direction_deg"].to_numpy(dtype=np.float64)
    _check_winds(path.name, speed)
    known = direction[np.isfinite(direction)]
    if (known < 0).any() or (known > 360).any():
        raise InputRefused(say("assess.land.direction", name=path.name))
    try:
        found = sand_drift(speed, direction, job.number("threshold"))
    except ValueError as error:
        raise NotComputable(say("assess.land.nothing"), say("assess.land.nothing.do")) from error
    told, noticed = sheltered_values(job, path, table.frame)
    values = {
        **told,
        "resultant": Value(value=found.resultant, unit="vector units"),
        "direction": Value(value=_known(found.direction), unit="degree"),
        "ratio": Value(value=_known(found.ratio), unit="1"),
        "moving_percent": Value(value=found.moving, unit="%"),
    }
    rows: dict[str, object] = {"energy": drift_class(found.potential)}
    findings = [*table.findings, *noticed]
    lost = int((~np.isfinite(speed) | ~np.isfinite(direction)).sum())
    if lost:
        findings.append(Finding("land-readings-lost", Severity.INFO, params={"count": str(lost)}))
    if found.potential == 0:
        findings.append(Finding("land-no-drift", Severity.INFO))
    rain, pet = job.parameters["rain"], job.parameters["evaporation"]
    if _is_number(rain) and _is_number(pet):
        mobility = float(dune_mobility(found.moving, job.number("rain"), job.number("evaporation")))
        finite = np.isfinite(mobility)
        values["mobility"] = Value(value=mobility if finite else None, unit="1")
        rows["dunes"] = mobility_class(mobility)
        if not finite:
            findings.append(Finding("land-no-rain", Severity.WARNING))
    return Outcome(values=values, tables={"classes": pd.DataFrame([rows])}, findings=findings)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _known(number: float) -> float | None:
    return None if np.isnan(number) else number


def aridity(job: Job) -> Outcome:
    """P/PET of each whole year and of all of them."""
    path = job.inputs["series"][0]
    series = read_series(path, ("precip_mm", "pet_mm"), ("precip_mm", "pet_mm"))
    rain, pet = series.columns["precip_mm"], series.columns["pet_mm"]
    if (rain < 0).any() or (pet < 0).any():
        lowest = float(np.nanmin([np.nanmin(rain), np.nanmin(pet)]))
        raise InputRefused(
            say("assess.land.rain-negative", name=path.name, lowest=lowest),
            say("assess.land.missing-code.do"),
        )
    years = series.months.astype("datetime64[Y]").astype(int) + 1970
    there = np.isfinite(rain) & np.isfinite(pet)
    first = int(years[0])
    size = int(years[-1]) - first + 1
    months = np.bincount(years - first, there, minlength=size)
    rains = np.bincount(years - first, np.where(there, rain, 0.0), minlength=size)
    pets = np.bincount(years - first, np.where(there, pet, 0.0), minlength=size)
    whole = months == 12
    if not whole.any():
        raise NotComputable(say("assess.land.no-year"), say("assess.land.no-year.do"))
    index = np.where(whole, aridity_index(rains, pets), np.nan)
    overall = float(aridity_index(rains[whole].sum(), pets[whole].sum()))
    classes = aridity_classes(index)
    table = pd.DataFrame(
        {
            "year": np.arange(first, first + size),
            "precip_mm": np.where(whole, rains, np.nan),
            "pet_mm": np.where(whole, pets, np.nan),
            "aridity": index,
            "class": [_ARIDITY[c] for c in classes],
        }
    )
    findings = list(series.findings)
    if not whole.all():
        findings.append(
            Finding(
                "land-years-left-out", Severity.INFO, params={"count": str(int((~whole).sum()))}
            )
        )
    if np.isnan(overall):
        findings.append(Finding("land-no-evaporation", Severity.WARNING))
    number = int(aridity_classes(overall))
    values = {
        "aridity": Value(value=_known(overall), unit="1"),
        "class": Value(value=number or None, unit="1"),
        "years": Value(value=int(whole.sum()), unit="year"),
    }
    return Outcome(values=values, tables={"aridity": table}, findings=findings)


LAND_WIND_EROSION: Final = Indicator(
    id="land.wind-erosion",
    version="1",
    inputs=(
        Input("points", "table", required=False),
        Input("wind", "table", required=False),
        *INPUTS,
    ),
    parameters=(
        Parameter("days", "number", 15.0, minimum=1.0, maximum=366.0, unit="day"),
        Parameter("length", "number", 50.0, minimum=1.0, maximum=10000.0, unit="m"),
        Parameter("wetness", "number", 1.0, minimum=0.0, maximum=1.0, unit="1"),
        Parameter("snow", "number", 1.0, minimum=0.0, maximum=1.0, unit="1"),
        Parameter("height", "number", 10.0, minimum=0.5, maximum=200.0, unit="m"),
        Parameter("ndvi_soil", "number", 0.05, minimum=-1.0, maximum=1.0, unit="1"),
        Parameter("ndvi_full", "number", 0.9, minimum=-1.0, maximum=1.0, unit="1"),
        Parameter("control", "text"),
        Parameter("treated", "text"),
    ),
    values={
        "points": "points",
        "mean_loss": "kg/m2",
        "bare_loss": "kg/m2",
        "fixed": "kg/m2",
        "reduction": "%",
        "assessed_km2": "km2",
        "valid_percent": "%",
    },
    tables={
        "classes": {"class": "1", "area_km2": "km2", "percent": "%"},
        "groups": {
            "group": "1", "points": "points", "mean_loss": "kg/m2", "mean_loss_low": "kg/m2",
            "mean_loss_high": "kg/m2", "bare_loss": "kg/m2",
        },
        "points": {
            "point": "1", "group": "1", "WF_kg_m": "kg/m", "EF": "1", "SCF": "1", "SLRf": "1",
            "Qmax_kg_m": "kg/m", "s_m": "m", "Q_kg_m": "kg/m", "point_loss_kg_m2": "kg/m2",
            "mean_loss_kg_m2": "kg/m2", "bare_loss_kg_m2": "kg/m2", "fixed_kg_m2": "kg/m2",
            "class": "1", "valid": "1",
        },
    },
    rasters={"loss": "kg/m2"},
    citations=(
        Citation("Fryrear et al. (1998) Revised wind erosion equation, USDA-ARS bulletin 1"),
        Citation("Fryrear et al. (2000) Journal of Soil and Water Conservation 55, 183-189"),
        Citation(
            "Gutman and Ignatov (1998) International Journal of Remote Sensing 19, 1533-1543",
            "10.1080/014311698215333",
        ),
        Citation("Hedges, Gurevitch and Curtis (1999) Ecology 80, 1150-1156"),
        Citation("SL190-2007 Standards for classification and gradation of soil erosion"),
    ),
    compute=erosion,
)  # fmt: skip
LAND_SAND_DRIFT: Final = Indicator(
    id="land.sand-drift",
    version="1",
    inputs=(Input("wind", "table"), Input("sheltered", "table", required=False)),
    parameters=(
        Parameter("threshold", "number", 12.0, minimum=1.0, maximum=60.0, unit="knot"),
        Parameter("rain", "number", minimum=0.0, maximum=20000.0, unit="mm/year"),
        Parameter("evaporation", "number", minimum=1.0, maximum=10000.0, unit="mm/year"),
    ),
    values={
        "drift_potential": "vector units",
        "sheltered_potential": "vector units",
        "reduction": "%",
        "resultant": "vector units",
        "direction": "degree",
        "ratio": "1",
        "moving_percent": "%",
        "mobility": "1",
    },
    tables={"classes": {"energy": "1", "dunes": "1"}},
    rasters={},
    citations=(
        Citation("Fryberger and Dean (1979) USGS Professional Paper 1052", "10.3133/pp1052"),
        Citation("Kuensch (1989) Annals of Statistics 17, 1217-1241", "10.1214/aos/1176347265"),
        Citation("Lancaster (1988) Journal of Arid Environments 14, 233-244"),
    ),
    compute=drift,
)
LAND_ARIDITY: Final = Indicator(
    id="land.aridity",
    version="1",
    inputs=(Input("series", "table"),),
    parameters=(),
    values={"aridity": "1", "class": "1", "years": "year"},
    tables={
        "aridity": {
            "year": "year", "precip_mm": "mm", "pet_mm": "mm", "aridity": "1", "class": "1",
        },
    },
    rasters={},
    citations=(Citation("UNEP (1997) World atlas of desertification, 2nd edition"),),
    compute=aridity,
)  # fmt: skip
