"""``land.spi`` and ``land.spei``: how dry months were, from a station's table or from rasters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rasterio.transform import Affine
from rasterio.windows import Window

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators.land_ground import Ground, check_grid
from ecotone.assess.indicators.land_table import Series, read_series
from ecotone.assess.indicators.land_tables import ClassAreas
from ecotone.assess.indicators.mosaic import Mosaic, Tile, open_mosaic
from ecotone.formats.raster import open_stack
from ecotone.formats.raster_bands import write_bands
from ecotone.model.errors import InputRefused, NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.land.drought import drought_classes
from ecotone.science.land.evapotranspiration import hargreaves, penman_monteith, thornthwaite
from ecotone.science.land.standardised import FEWEST, ZEROS, Standardised, Zero, spei, spi

Floats = NDArray[np.float64]
Kind = Literal["spi", "spei"]

#: Millimetres in the units that files of precipitation come in; per second in the last.
UNITS: Final = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "inch": 25.4, "kg/m2/s": 86400.0}
#: Mean yearly sums outside these are in another unit than was said, mm.
_YEARLY: Final = (1.0, 15000.0)
#: Months of sums without any rain at all, and years a fit should stand on.
_GOOD_YEARS: Final = 30
_YEARS: Final = re.compile(r"\s*(\d{4})\s*[-–/:]\s*(\d{4})\s*")
_COLUMNS: Final = (
    "precip_mm", "pet_mm", "balance_mm", "tmean_c", "tmin_c", "tmax_c", "vapour_kpa", "u2_ms",
    "radiation_mj",
)  # fmt: skip


@dataclass(frozen=True)
class Ask:
    """What is computed of every series; travels to the workers with each block."""

    kind: Kind
    scale: int
    calibration: tuple[int, int] | None
    zero: Zero

    def index(self, values: Floats, months: NDArray[np.datetime64]) -> Standardised:
        """The index of one series or of a block of them."""
        if self.kind == "spi":
            calibration = self.calibration or (1981, 2010)
            return spi(values, months, scale=self.scale, calibration=calibration, zero=self.zero)
        return spei(values, months, scale=self.scale, calibration=self.calibration)


def compute(kind: Kind, job: Job) -> Outcome:
    """From a table where one is given, else from rasters."""
    ask = Ask(
        kind,
        int(job.number("scale")),
        _span(job),
        next(z for z in ZEROS if z == job.parameters.get("zero", "upper")),
    )
    if bool(job.inputs.get("series")) == bool(job.inputs.get("raster")):
        raise UsageError(say("assess.land.series-or-raster"))
    return _of_table(job, ask) if job.inputs.get("series") else _of_rasters(job, ask)


def _span(job: Job) -> tuple[int, int] | None:
    given = job.parameters["calibration"]
    if given is None:
        return None
    match = _YEARS.fullmatch(str(given))
    if match is None:
        raise UsageError(say("assess.land.span", name="calibration", given=given))
    return int(match[1]), int(match[2])


def _of_table(job: Job, ask: Ask) -> Outcome:
    path = job.inputs["series"][0]
    series = read_series(path, _COLUMNS, ("precip_mm",) if ask.kind == "spi" else ())
    findings = list(series.findings)
    if ask.kind == "spi":
        values = in_mm(_unit(job), series.columns["precip_mm"], path.name, series.months)
    else:
        values, told = _balance(job, series, path.name)
        findings += told
    result = ask.index(values, series.months)
    index = result.index
    findings += list(_told(ask, values, series.months, result))
    if np.isnan(index).all():
        raise NotComputable(say("assess.land.no-fit", fewest=FEWEST), say("assess.land.no-fit.do"))
    table = pd.DataFrame({"month": series.text, ask.kind: index})
    return Outcome(
        values=_values(ask, index, series.months),
        tables={ask.kind: table, "parameters": _parameters(result)},
        findings=findings,
    )


def _parameters(result: Standardised) -> pd.DataFrame:
    """The fit by calendar month, to compute the index of later months alike."""
    columns = {name: values.reshape(12) for name, values in result.parameters.items()}
    return pd.DataFrame({"calendar_month": np.arange(1, 13), **columns})


def _values(ask: Ask, index: Floats, months: NDArray[np.datetime64]) -> dict[str, Value]:
    there = np.isfinite(index)
    december = there & (months.astype(int) % 12 == 11)
    lowest = float(index[there].min())
    dry = index[december]
    return {
        "months": Value(value=int(there.sum()), unit="month"),
        "lowest": Value(value=lowest, unit="1"),
        "lowest_december": Value(value=float(dry.min()) if dry.size else None, unit="1"),
        "severe_months": Value(value=int((index[there] <= -1.5).sum()), unit="month"),
    }


def _unit(job: Job) -> str:
    return str(job.parameters["unit"])


def in_mm(unit: str, values: Floats, name: str, months: NDArray[np.datetime64]) -> Floats:
    """Precipitation in mm a month; InputRefused where it cannot be in the unit it is said."""
    factor: Floats | float = UNITS[unit]
    if unit == "kg/m2/s":
        starts = months.astype("datetime64[D]")
        days = ((months + np.timedelta64(1, "M")).astype("datetime64[D]") - starts).astype(float)
        factor = factor * days.reshape(-1, *[1] * (values.ndim - 1))
    made: Floats = values * factor
    if (made < 0).any():
        raise InputRefused(
            say("assess.land.rain-negative", name=name, lowest=float(np.nanmin(values))),
            say("assess.land.missing-code.do"),
        )
    known = made[np.isfinite(made)]
    yearly = 12 * float(known.mean()) if known.size else 0.0
    if known.size and yearly > 0 and not _YEARLY[0] <= yearly <= _YEARLY[1]:
        raise InputRefused(
            say("assess.land.rain-unit", name=name, yearly=yearly, unit=unit),
            say("assess.land.rain-unit.do", units=", ".join(UNITS)),
        )
    return made


def _balance(job: Job, series: Series, name: str) -> tuple[Floats, list[Finding]]:
    """P - PET as given, or with PET from what the table has, best first; told which."""
    have = series.columns
    if "balance_mm" in have:
        return have["balance_mm"], []
    if "precip_mm" not in have:
        raise InputRefused(
            say(
                "assess.table.column-missing",
                name=name,
                wanted="precip_mm",
                given=", ".join(have) or "-",
            ),
            say("assess.table.column-missing.do"),
        )
    told: list[Finding] = []
    rain = have["precip_mm"]
    if (rain < 0).any() and _unit(job) == "mm":
        # Some tables carry P - PET under the name of P and zeros for PET.
        told.append(
            Finding(
                "land-rain-negative",
                Severity.WARNING,
                field="precip_mm",
                file=name,
                params={"count": str(int((rain < 0).sum()))},
            )
        )
    else:
        rain = in_mm(_unit(job), rain, name, series.months)
    latitude, height = job.parameters["latitude"], job.parameters["elevation"]
    if "pet_mm" in have:
        return rain - have["pet_mm"], told
    if isinstance(latitude, bool) or not isinstance(latitude, int | float):
        raise UsageError(say("assess.land.latitude"))
    if {"tmin_c", "tmax_c"} <= have.keys():
        full = {"vapour_kpa", "u2_ms", "radiation_mj"} <= have.keys()
        if full and isinstance(height, int | float):
            method = "penman-monteith"
            pet = penman_monteith(
                have["tmin_c"], have["tmax_c"], have["vapour_kpa"], have["u2_ms"],
                have["radiation_mj"], series.months, latitude, height,
            )  # fmt: skip
        else:
            method = "hargreaves"
            pet = hargreaves(have["tmin_c"], have["tmax_c"], series.months, latitude)
    elif "tmean_c" in have:
        method = "thornthwaite"
        pet = thornthwaite(have["tmean_c"], series.months, latitude)
    else:
        raise InputRefused(
            say("assess.table.column-missing", name=name, wanted="pet_mm", given=", ".join(have)),
            say("assess.table.column-missing.do"),
        )
    severity = Severity.WARNING if method == "thornthwaite" else Severity.INFO
    return rain - pet, [*told, Finding("land-pet-method", severity, value=method)]


def _told(
    ask: Ask, values: Floats, months: NDArray[np.datetime64], result: Standardised
) -> Iterator[Finding]:
    """Gaps, a short calibration, months without rain, months without a fit."""
    gaps = int(np.isnan(values).sum())
    if gaps:
        yield Finding("land-gaps-stay", Severity.INFO, params={"count": str(gaps)})
    first, last = ask.calibration or ((1981, 2010) if ask.kind == "spi" else _ends(months))
    years = months.astype("datetime64[Y]").astype(int) + 1970
    inside = (years >= first) & (years <= last) & np.isfinite(values)
    full = inside.sum() / 12
    if full < 0.85 * _GOOD_YEARS or full < 0.85 * (last - first + 1):
        yield Finding(
            "land-calibration-short",
            Severity.WARNING,
            params={"years": f"{full:.1f}", "first": str(first), "last": str(last)},
        )
    dry = int((result.dry & np.isfinite(result.index)).sum())
    if dry:
        yield Finding("land-zero-rain", Severity.INFO, params={"count": str(dry), "zero": ask.zero})
    first_fit = next(iter(result.parameters.values()))
    lacking = [str(m + 1) for m in range(12) if np.isnan(first_fit[m]).all()]
    if lacking:
        yield Finding("land-no-fit", Severity.WARNING, params={"months": ", ".join(lacking)})


def _ends(months: NDArray[np.datetime64]) -> tuple[int, int]:
    years = months.astype("datetime64[Y]").astype(int) + 1970
    return int(years[0]), int(years[-1])


@dataclass(frozen=True)
class Block:
    """One block: the index in the months kept, and its mean over the region by month."""

    window: Window
    index: Floats
    sums: Floats
    weights: Floats
    gaps: int


@dataclass(frozen=True)
class Stacks:
    """What the workers read: precipitation, and evaporation for the balance."""

    ask: Ask
    rain: Mosaic
    evaporation: Mosaic | None
    ground: Ground
    months: NDArray[np.datetime64]
    kept: NDArray[np.intp]
    unit: str


def _of_rasters(job: Job, ask: Ask) -> Outcome:
    rain = _open(job, job.inputs["raster"])
    opened = [rain]
    try:
        given = job.inputs.get("evaporation")
        evaporation = open_mosaic(given) if given else None
        if evaporation is not None:
            opened.append(evaporation)
            check_grid(rain, evaporation.tiles[0].name, evaporation.tiles[0].stack)
        months = _raster_months(rain)
        if evaporation is not None and (_raster_months(evaporation) != months).any():
            raise InputRefused(
                say("assess.land.months-differ"), say("assess.land.months-differ.do")
            )
        month = int(job.number("month"))
        kept = np.flatnonzero(months.astype(int) % 12 == month - 1)
        ground = Ground.of(rain, job.region)
        stacks = Stacks(ask, rain, evaporation, ground, months, kept, _unit(job))
        return _streamed(job, stacks)
    finally:
        for one in opened:
            one.close()


def _open(job: Job, paths: tuple[Path, ...]) -> Mosaic:
    """A stack as a mosaic of one tile; of several variables the one asked for."""
    variable = job.parameters["variable"]
    if variable is None:
        return open_mosaic(paths)
    stack = open_stack(list(paths), variable=str(variable))
    tile = Tile(paths[0].name, stack, 0, 0)
    return Mosaic((tile,), stack.transform, stack.width, stack.height)


def _raster_months(mosaic: Mosaic) -> NDArray[np.datetime64]:
    """The months of a stack; InputRefused where it has leaps or more than one layer a month."""
    tile = mosaic.tiles[0]
    months = tile.stack.times.astype("datetime64[M]")
    if len(mosaic.tiles) > 1 or (np.diff(months).astype(int) != 1).any():
        raise InputRefused(
            say("assess.land.not-monthly", name=tile.name), say("assess.land.not-monthly.do")
        )
    return months


def _streamed(job: Job, stacks: Stacks) -> Outcome:
    """The index block by block; December's layers (or another month's) are kept as a raster."""
    within = stacks.ground.window()
    months = stacks.months
    sums, weights = np.zeros(months.size), np.zeros(months.size)
    areas = {int(at): ClassAreas((0, 1, 2, 3, 4)) for at in stacks.kept}
    gaps = 0
    cell = stacks.ground

    def blocks() -> Iterator[tuple[Window, Floats]]:
        nonlocal gaps
        done, whole = 0, within.width * within.height
        for block in job.executor.map(partial(index_block, stacks), stacks.rain.blocks(within)):
            sums[:] += block.sums
            weights[:] += block.weights
            gaps += block.gaps
            km2 = cell.km2(block.window)
            for layer, at in zip(block.index, stacks.kept, strict=True):
                areas[int(at)].add(drought_classes(layer), km2)
            done += block.window.width * block.window.height
            job.progress(done / whole)
            top, left = block.window.row_off - within.row_off, block.window.col_off - within.col_off
            inside = cell.shares(block.window) > 0
            yield (
                Window(left, top, block.window.width, block.window.height),
                np.where(inside, block.index, np.nan),
            )

    kind = stacks.ask.kind
    relative = f"rasters/{kind}.tif"
    write_bands(
        job.out / relative,
        shape=(int(within.height), int(within.width)),
        transform=cell.transform * Affine.translation(within.col_off, within.row_off),
        crs=cell.crs,
        names=[str(months[at]) for at in stacks.kept],
        blocks=blocks(),
        tags={"indicator": f"land.{kind}", "scale": str(stacks.ask.scale), "unit": "1"},
    )
    with np.errstate(invalid="ignore"):
        mean = sums / weights
    if np.isnan(mean).all():
        raise NotComputable(say("assess.land.no-fit", fewest=FEWEST), say("assess.land.no-fit.do"))
    years = months.astype("datetime64[Y]").astype(int) + 1970
    tables = {
        kind: pd.DataFrame({"month": [str(m) for m in months], kind: mean}),
        "drought": pd.concat(
            [_year_table(areas[int(at)], int(years[at])) for at in stacks.kept], ignore_index=True
        ),
    }
    findings = []
    if gaps:
        findings.append(Finding("land-gaps-stay", Severity.INFO, params={"count": str(gaps)}))
    return Outcome(
        values=_values(stacks.ask, mean, months),
        tables=tables,
        rasters={kind: relative},
        findings=findings,
    )


def _year_table(areas: ClassAreas, year: int) -> pd.DataFrame:
    """Area by class of drought; ``nodata`` is no class, none (0) is."""
    table = areas.table({"year": year})
    table["class"] = [*(str(code) for code in areas.classes), "nodata"]
    return table


def index_block(stacks: Stacks, window: Window) -> Block:
    """The index of one block; the same on a thread as on a worker of a cluster."""
    rain = stacks.rain.tiles[0]
    values = rain.stack.read(window)
    if stacks.ask.kind == "spi" or stacks.evaporation is not None:
        values = in_mm(stacks.unit, values, rain.name, stacks.months)
    if stacks.evaporation is not None:
        values = values - stacks.evaporation.tiles[0].stack.read(window)
    index = stacks.ask.index(values, stacks.months).index
    km2 = stacks.ground.km2(window)
    there = np.isfinite(index)
    sums = np.where(there, index * km2, 0.0).sum(axis=(1, 2))
    weights = (there * km2).sum(axis=(1, 2))
    return Block(window, index[stacks.kept], sums, weights, int(np.isnan(values).sum()))


_SHARED: Final = (
    Parameter("scale", "integer", 12, minimum=1, maximum=72, unit="month"),
    Parameter("calibration", "text", unit="year"),
    Parameter("unit", "text", "mm", choices=tuple(UNITS)),
    Parameter("month", "integer", 12, minimum=1, maximum=12),
    Parameter("variable", "text"),
)
_VALUES: Final = {
    "months": "month",
    "lowest": "1",
    "lowest_december": "1",
    "severe_months": "month",
}
_DROUGHT: Final = {"year": "year", "class": "1", "area_km2": "km2", "percent": "%"}

LAND_SPI: Final = Indicator(
    id="land.spi",
    version="1",
    inputs=(
        Input("series", "table", required=False),
        Input("raster", "raster stack", noun="Coverage", required=False),
    ),
    parameters=(*_SHARED, Parameter("zero", "text", "upper", choices=ZEROS)),
    values=_VALUES,
    tables={
        "spi": {"month": "1", "spi": "1"},
        "parameters": {"calendar_month": "1", "alpha": "1", "beta": "mm", "zero_share": "1"},
        "drought": _DROUGHT,
    },
    rasters={"spi": "1"},
    citations=(
        Citation("McKee et al. (1993) 8th Conference on Applied Climatology, 179-184"),
        Citation(
            "Thom (1958) Monthly Weather Review 86, 117-122",
            "10.1175/1520-0493(1958)086<0117:ANOTGD>2.0.CO;2",
        ),
        Citation(
            "Stagge et al. (2015) International Journal of Climatology 35, 4027-4040",
            "10.1002/joc.4267",
        ),
        Citation("WMO (2012) Standardized Precipitation Index user guide, WMO-No. 1090"),
    ),
    compute=partial(compute, "spi"),
)
LAND_SPEI: Final = Indicator(
    id="land.spei",
    version="1",
    inputs=(
        Input("series", "table", required=False),
        Input("raster", "raster stack", noun="Coverage", required=False),
        Input("evaporation", "raster stack", noun="Coverage", required=False),
    ),
    parameters=(
        *_SHARED,
        Parameter("latitude", "number", minimum=-90, maximum=90, unit="degree"),
        Parameter("elevation", "number", minimum=-430, maximum=8849, unit="m"),
    ),
    values=_VALUES,
    tables={
        "spei": {"month": "1", "spei": "1"},
        "parameters": {"calendar_month": "1", "location": "mm", "scale": "mm", "shape": "1"},
        "drought": _DROUGHT,
    },
    rasters={"spei": "1"},
    citations=(
        Citation(
            "Vicente-Serrano et al. (2010) Journal of Climate 23, 1696-1718",
            "10.1175/2009JCLI2909.1",
        ),
        Citation(
            "Begueria et al. (2014) International Journal of Climatology 34, 3001-3023",
            "10.1002/joc.3887",
        ),
        Citation("Thornthwaite (1948) Geographical Review 38, 55-94", "10.2307/210739"),
        Citation(
            "Hargreaves and Samani (1985) Applied Engineering in Agriculture 1, 96-99",
            "10.13031/2013.26773",
        ),
        Citation("Allen et al. (1998) Crop evapotranspiration, FAO Irrigation and Drainage 56"),
    ),
    compute=partial(compute, "spei"),
)
