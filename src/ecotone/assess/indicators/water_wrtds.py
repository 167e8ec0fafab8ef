"""``water.wrtds``: concentrations and fluxes of a river, and what they would be at usual flow."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter, Scalar
from ecotone.assess.indicators.extent import tell_no_region
from ecotone.assess.indicators.reading import Notes
from ecotone.assess.indicators.water_river import day_text, read_discharge, read_samples
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.water import wrtds, wrtds_bootstrap
from ecotone.science.water.wrtds_kernels import EXACT

_LEVEL: Final = 0.9
#: Beyond this flux bias the loads are doubtful (Hirsch 2014).
_BIASED: Final = 0.1
#: Windows grown this often are twice as wide as asked.
_STRETCHED: Final = 8
#: An estimate this many times the largest sample is extrapolated.
_ABSURD: Final = 10.0
_SAMPLES: Final = {
    "date": "", "y_hat": "", "se": "", "conc_hat": "mg/L", "conc_low": "mg/L",
    "conc_high": "mg/L", "q": "m3/s",
}  # fmt: skip
_ANNUAL: Final = {
    "water_year": "", "q": "m3/s", "conc": "mg/L", "flux": "kg/d", "fn_conc": "mg/L",
    "fn_flux": "kg/d", "fn_conc_low": "mg/L", "fn_conc_high": "mg/L", "fn_flux_low": "kg/d",
    "fn_flux_high": "kg/d",
}  # fmt: skip


def compute(job: Job) -> Outcome:
    """Cross-validate, fit the surface, take it to days and years, draw again where asked."""
    notes = Notes()
    tell_no_region(job, notes)
    given = job.parameters
    try:
        settings = wrtds.Settings(
            window_y=job.number("window_y"),
            window_q=job.number("window_q"),
            window_s=job.number("window_s"),
            min_obs=int(job.number("min_obs")),
            min_uncensored=int(job.number("min_uncensored")),
            edge_adjust=bool(given["edge_adjust"]),
        )
    except ValueError as error:
        raise UsageError(say("assess.water.settings", why=str(error))) from error
    calendar: wrtds.Calendar = "actual" if given["calendar"] == "actual" else "even"
    flow = read_discharge(job.inputs["discharge"][0], notes, calendar)
    column = None if given["column"] is None else str(given["column"])
    known = read_samples(job.inputs["samples"][0], column, flow, notes)
    try:
        crossed = wrtds.cross_validate(known, flow, settings)
        fitted = wrtds.surface(known, flow, settings)
    except ValueError as error:
        raise NotComputable(
            say("assess.water.few-samples", why=str(error)), say("assess.water.few-samples.do")
        ) from error
    job.progress(0.2)
    _tell_surface(known, crossed, fitted, notes)
    years = wrtds.annual(wrtds.daily(fitted, flow), flow)
    if years.incomplete:
        notes.add(
            Finding("water-years-incomplete", Severity.INFO,
                    value=", ".join(map(str, years.incomplete)))
        )  # fmt: skip
    table = _annual(years, *_drawn(job, known, flow, settings, years, notes))
    table = _asked(table, given["start"], given["end"])
    return Outcome(
        values=_values(known, crossed, table, notes),
        tables={"samples": _samples(known, crossed), "annual": table},
        findings=notes.all(),
    )


def _tell_surface(
    known: wrtds.Samples, crossed: wrtds.Estimates, fitted: wrtds.Surface, notes: Notes
) -> None:
    """Where samples are too sparse for what the regressions are asked."""
    grid = fitted.estimates
    lost = int(np.isnan(crossed.y_hat).sum())
    if lost:
        notes.add(Finding("water-wrtds-no-fit", Severity.WARNING, params={"count": str(lost)}))
    empty = float(np.isnan(grid.conc).mean())
    if empty:
        notes.add(
            Finding("water-wrtds-holes", Severity.WARNING, params={"share": f"{100 * empty:.1f}"})
        )
    stretched = float((grid.widened >= _STRETCHED).mean())
    if stretched:
        notes.add(
            Finding("water-wrtds-stretched", Severity.WARNING,
                    params={"share": f"{100 * stretched:.1f}"})
        )  # fmt: skip
    top = np.exp(known.high[np.isfinite(known.high)]).max(initial=0.0)
    wild = int(np.nansum(grid.conc > _ABSURD * top))
    if wild:
        notes.add(
            Finding("water-wrtds-extrapolated", Severity.WARNING,
                    params={"count": str(wild), "times": f"{_ABSURD:g}"})
        )  # fmt: skip


def _drawn(
    job: Job,
    known: wrtds.Samples,
    flow: wrtds.Discharge,
    settings: wrtds.Settings,
    years: wrtds.Annual,
    notes: Notes,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Quantiles (2, years) of flow-normalised concentration and flux; NaN without replicates."""
    replicates = int(job.number("replicates"))
    if not replicates:
        notes.add(Finding("water-no-replicates", Severity.INFO))
        nothing = np.full((2, years.year.size), np.nan)
        return nothing, nothing
    drawn = wrtds_bootstrap.bootstrap(
        known,
        flow,
        settings,
        replicates=replicates,
        seed=int(job.number("seed")),
        block_days=int(job.number("block_days")),
    )
    ends = [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2]
    conc, flux = (np.array([getattr(d, n) for d in drawn]) for n in ("fn_conc", "fn_flux"))
    return np.nanquantile(conc, ends, axis=0), np.nanquantile(flux, ends, axis=0)


def _annual(
    years: wrtds.Annual, conc: NDArray[np.float64], flux: NDArray[np.float64]
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "water_year": years.year, "q": years.q, "conc": years.conc, "flux": years.flux,
            "fn_conc": years.fn_conc, "fn_flux": years.fn_flux, "fn_conc_low": conc[0],
            "fn_conc_high": conc[1], "fn_flux_low": flux[0], "fn_flux_high": flux[1],
        }
    )[list(_ANNUAL)]  # fmt: skip


def _asked(table: pd.DataFrame, start: Scalar, end: Scalar) -> pd.DataFrame:
    """The water years asked for; all samples stand behind each of them."""
    inside = table["water_year"] >= (-np.inf if start is None else int(str(start)))
    inside &= table["water_year"] <= (np.inf if end is None else int(str(end)))
    return table[inside].reset_index(drop=True)


def _samples(known: wrtds.Samples, crossed: wrtds.Estimates) -> pd.DataFrame:
    low, high = np.exp(known.low), np.exp(known.high)
    return pd.DataFrame(
        {
            "date": day_text(known.days), "y_hat": crossed.y_hat, "se": crossed.se,
            "conc_hat": crossed.conc, "conc_low": np.where(low > 0, low, np.nan),
            "conc_high": np.where(np.isfinite(high), high, np.nan), "q": np.exp(known.flow),
        }
    )[list(_SAMPLES)]  # fmt: skip


def _values(
    known: wrtds.Samples, crossed: wrtds.Estimates, table: pd.DataFrame, notes: Notes
) -> dict[str, Value]:
    bias = wrtds.flux_bias(known, crossed.conc)
    if abs(bias) > _BIASED:
        notes.add(Finding("water-flux-bias", Severity.WARNING, value=f"{bias:.3f}"))
    values = {
        "samples": Value(value=int(known.times.size), unit="results"),
        "censored": Value(value=int(np.sum(known.kind != EXACT)), unit="results"),
        "flux_bias": Value(value=None if np.isnan(bias) else bias, unit="1"),
    }
    for name, unit in (("fn_conc", "mg/L"), ("fn_flux", "kg/d")):
        for end, row in (("first", 0), ("last", -1)):
            values[f"{name}_{end}"] = _end(table, name, row, unit)
    if table.empty:
        notes.add(Finding("water-no-year", Severity.WARNING))
    return values


def _end(table: pd.DataFrame, name: str, row: int, unit: str) -> Value:
    if table.empty:
        return Value(value=None, unit=unit)
    value, low, high = (float(table[c].iloc[row]) for c in (name, f"{name}_low", f"{name}_high"))
    bounded = np.isfinite(low)
    return Value(
        value=value if np.isfinite(value) else None,
        unit=unit,
        low=low if bounded else None,
        high=high if bounded else None,
        level=_LEVEL if bounded else None,
    )


WATER_WRTDS: Final = Indicator(
    id="water.wrtds",
    version="1",
    inputs=(
        Input("samples", "table", noun="Observation"),
        Input("discharge", "table", noun="Observation"),
    ),
    parameters=(
        Parameter("column", "text"),
        Parameter("start", "integer", unit="year"),
        Parameter("end", "integer", unit="year"),
        Parameter("window_y", "number", default=7.0, minimum=0.1, maximum=100, unit="year"),
        Parameter("window_q", "number", default=2.0, minimum=0.01, maximum=20),
        Parameter("window_s", "number", default=0.5, minimum=0.01, maximum=10, unit="year"),
        Parameter("min_obs", "integer", default=100, minimum=6),
        Parameter("min_uncensored", "integer", default=50, minimum=6),
        Parameter("edge_adjust", "boolean", default=True),
        Parameter("calendar", "text", default="even", choices=wrtds.CALENDARS),
        Parameter("replicates", "integer", default=0, minimum=0, maximum=10_000),
        Parameter("block_days", "integer", default=200, minimum=1, maximum=3650, unit="d"),
        Parameter("seed", "integer", default=1, minimum=0),
    ),
    values={
        "samples": "results", "censored": "results", "flux_bias": "1", "fn_conc_first": "mg/L",
        "fn_conc_last": "mg/L", "fn_flux_first": "kg/d", "fn_flux_last": "kg/d",
    },
    tables={"samples": _SAMPLES, "annual": _ANNUAL},
    rasters={},
    citations=(
        Citation("Hirsch, Moyer and Archfield (2010) Journal of the American Water Resources "
                 "Association 46, 857-880", "10.1111/j.1752-1688.2010.00482.x"),
        Citation("Hirsch, Archfield and De Cicco (2015) Environmental Modelling and Software 73, "
                 "148-166", "10.1016/j.envsoft.2015.07.017"),
        Citation("Hirsch (2014) Journal of the American Water Resources Association 50, 1401-1424",
                 "10.1111/jawr.12195"),
    ),
    compute=compute,
)  # fmt: skip
