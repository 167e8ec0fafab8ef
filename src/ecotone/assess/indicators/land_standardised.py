"""``land.spi`` and ``land.spei``: how dry months were, from a station's table or from rasters."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators.land_index import (
    FEWEST_DRAWS,
    UNITS,
    Ask,
    Kind,
    in_mm,
    index_values,
    span_of,
    unit_of,
)
from ecotone.assess.indicators.land_index_rasters import of_rasters
from ecotone.assess.indicators.land_table import Series, read_series
from ecotone.model.errors import InputRefused, NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.words import say
from ecotone.science.land.evapotranspiration import hargreaves, penman_monteith, thornthwaite
from ecotone.science.land.standardised import FEWEST, ZEROS, Standardised

Floats = NDArray[np.float64]

#: Years a fit should stand on.
_GOOD_YEARS: Final = 30
_COLUMNS: Final = (
    "precip_mm", "pet_mm", "balance_mm", "tmean_c", "tmin_c", "tmax_c", "vapour_kpa", "u2_ms",
    "radiation_mj",
)  # fmt: skip


def compute(kind: Kind, job: Job) -> Outcome:
    """From a table where one is given, else from rasters."""
    ask = Ask(
        kind,
        int(job.number("scale")),
        span_of(job),
        next(z for z in ZEROS if z == job.parameters.get("zero", "upper")),
    )
    if bool(job.inputs.get("series")) == bool(job.inputs.get("raster")):
        raise UsageError(say("assess.land.series-or-raster"))
    if 0 < job.number("draws") < FEWEST_DRAWS:
        raise UsageError(say("assess.land.draws", fewest=FEWEST_DRAWS))
    return _of_table(job, ask) if job.inputs.get("series") else of_rasters(job, ask)


def _of_table(job: Job, ask: Ask) -> Outcome:
    path = job.inputs["series"][0]
    series = read_series(path, _COLUMNS, ("precip_mm",) if ask.kind == "spi" else ())
    findings = list(series.findings)
    if ask.kind == "spi":
        values = in_mm(unit_of(job), series.columns["precip_mm"], path.name, series.months)
    else:
        values, told = _balance(job, series, path.name)
        findings += told
    result = ask.index(values, series.months)
    index = result.index
    findings += list(_told(ask, values, series.months, result))
    if np.isnan(index).all():
        raise NotComputable(say("assess.land.no-fit", fewest=FEWEST), say("assess.land.no-fit.do"))
    low, high = ask.interval(values, series.months, int(job.number("draws")))
    table = pd.DataFrame(
        {
            "month": series.text,
            ask.kind: index,
            f"{ask.kind}_low": low,
            f"{ask.kind}_high": high,
        }
    )
    return Outcome(
        values=index_values(index, series.months, low, high),
        tables={ask.kind: table, "parameters": _parameters(result)},
        findings=findings,
    )


def _parameters(result: Standardised) -> pd.DataFrame:
    """The fit by calendar month, to compute the index of later months alike."""
    columns = {name: values.reshape(12) for name, values in result.parameters.items()}
    return pd.DataFrame({"calendar_month": np.arange(1, 13), **columns})


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
    if (rain < 0).any() and unit_of(job) == "mm":
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
        rain = in_mm(unit_of(job), rain, name, series.months)
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


_SHARED: Final = (
    Parameter("scale", "integer", 12, minimum=1, maximum=72, unit="month"),
    Parameter("calibration", "text", unit="year"),
    Parameter("unit", "text", "mm", choices=tuple(UNITS)),
    Parameter("month", "integer", 12, minimum=1, maximum=12),
    Parameter("variable", "text"),
    Parameter("draws", "integer", 1000, minimum=0, maximum=100_000),
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
        "spi": {"month": "1", "spi": "1", "spi_low": "1", "spi_high": "1"},
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
        Citation("Efron and Tibshirani (1993) An introduction to the bootstrap"),
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
        "spei": {"month": "1", "spei": "1", "spei_low": "1", "spei_high": "1"},
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
