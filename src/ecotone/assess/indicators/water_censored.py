"""``water.censored-summary``: mean, spread and median where some results are non-detects."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from scipy.stats import norm

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators.extent import within
from ecotone.assess.indicators.reading import Notes
from ecotone.assess.indicators.series import choose_station, read_series
from ecotone.model.errors import NotComputable
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.water.censored import (
    TENUOUS,
    CensoredSummary,
    kaplan_meier,
    mle_lognormal,
    ros,
)
from ecotone.science.water.censored_tests import peto_prentice

_LEVEL: Final = 0.95
_METHODS: Final = {"km": kaplan_meier, "ros": ros, "mle": mle_lognormal}
_TABLE: Final = {
    "station": "", "n": "results", "censored": "results", "share_censored": "1", "mean": "",
    "sd": "", "median": "", "se": "", "maximum": "", "unit": "", "method": "",
}  # fmt: skip


def compute(job: Job) -> Outcome:
    """Summarise the whole column, and each station beside."""
    notes = Notes()
    given = job.parameters
    column, censored, station, parted = (
        None if given[n] is None else str(given[n])
        for n in ("column", "censored", "station", "group")
    )
    parts = [
        read_series(p, column, notes, censored=censored, group=parted)
        for p in job.inputs["results"]
    ]
    series = choose_station(pd.concat(parts, ignore_index=True), station, job.inputs["results"][0])
    series = within(series, job, notes)
    above = series["kind"] > 0
    if above.any():
        notes.add(
            Finding("water-above-limit", Severity.WARNING, params={"count": str(int(above.sum()))})
        )
        series = series[~above]
    below_zero = series["value"] < 0
    if below_zero.any():
        notes.add(
            Finding("water-negative-kept", Severity.WARNING,
                    value=f"{series.loc[below_zero, 'value'].iloc[0]:g}",
                    params={"count": str(int(below_zero.sum()))})
        )  # fmt: skip
    method = str(given["method"])
    whole = _row("", series, method, notes, needed=True)
    rows = [whole]
    by = "station" if parted is None else "group"
    stations = list(series.groupby(by, sort=True))
    if len(stations) > 1:
        rows += [_row(str(name), group, method, notes, needed=False) for name, group in stations]
    table = pd.DataFrame(rows)[list(_TABLE)]
    values = _values(whole, notes) | _compared(series, parted, notes)
    return Outcome(values=values, tables={"summary": table}, findings=notes.all())


def _compared(series: pd.DataFrame, parted: str | None, notes: Notes) -> dict[str, Value]:
    """Whether the groups have one distribution (Peto-Prentice); nothing where none were asked."""
    found = None
    if parted is not None:
        try:
            found = peto_prentice(series["value"], series["kind"] < 0, series["group"].to_numpy())
        except ValueError as error:
            notes.add(
                Finding("water-groups-not-compared", Severity.WARNING, value=parted,
                        params={"why": str(error)})
            )  # fmt: skip
    return {
        "chi2": Value(value=found.statistic if found else None, unit="1"),
        "p": Value(value=found.p if found else None, unit="1"),
    }


def _row(
    station: str, series: pd.DataFrame, method: str, notes: Notes, *, needed: bool
) -> dict[str, object]:
    hidden = (series["kind"] < 0).to_numpy()
    value = series["value"].to_numpy(dtype=np.float64)
    share = float(hidden.mean()) if hidden.size else float("nan")
    if hidden.size and share > TENUOUS:
        notes.add(
            Finding("water-mostly-censored", Severity.WARNING, value=station or "-",
                    params={"share": f"{100 * share:.0f}"})
        )  # fmt: skip
    try:
        found = _METHODS[method](value, hidden)
    except ValueError as error:
        if needed:
            raise NotComputable(
                say("assess.water.no-summary", method=method, why=str(error)),
                say("assess.water.no-summary.do"),
            ) from error
        notes.add(
            Finding("water-no-summary", Severity.WARNING, value=station,
                    params={"method": method, "why": str(error)})
        )  # fmt: skip
        nan = float("nan")
        found = CensoredSummary(value.size, int(hidden.sum()), nan, nan, nan, nan)
    if found.dropped:
        notes.add(
            Finding("water-limits-dropped", Severity.WARNING, value=station or "-",
                    params={"count": str(found.dropped)})
        )  # fmt: skip
    units = sorted(set(series["unit"]) - {""})
    if len(units) > 1:
        raise NotComputable(say("assess.water.units-mixed", units=", ".join(units)))
    return {
        "station": station, "n": found.n, "censored": found.censored, "share_censored": share,
        "mean": found.mean, "sd": found.sd, "median": found.median, "se": found.se,
        "maximum": value[~hidden].max(initial=-np.inf) if (~hidden).any() else np.nan,
        "unit": units[0] if units else "", "method": method,
    }  # fmt: skip


def _values(row: dict[str, object], notes: Notes) -> dict[str, Value]:
    numbers = {n: float(str(row[n])) for n in ("mean", "sd", "median", "se")}
    for name, number in numbers.items():
        if not np.isfinite(number):
            notes.add(Finding("water-undefined", Severity.WARNING, field=name))
    unit, z = str(row["unit"]), float(norm.ppf(0.5 + _LEVEL / 2))
    known = {n: x if np.isfinite(x) else None for n, x in numbers.items()}
    mean, se = known["mean"], known["se"]
    bounded = mean is not None and se is not None
    return {
        "mean": Value(
            value=mean,
            unit=unit,
            se=se,
            low=numbers["mean"] - z * numbers["se"] if bounded else None,
            high=numbers["mean"] + z * numbers["se"] if bounded else None,
            level=_LEVEL if bounded else None,
        ),
        "sd": Value(value=known["sd"], unit=unit),
        "median": Value(value=known["median"], unit=unit),
        "se": Value(value=se, unit=unit),
        "n": Value(value=int(str(row["n"])), unit="results"),
        "censored": Value(value=int(str(row["censored"])), unit="results"),
    }


WATER_CENSORED_SUMMARY: Final = Indicator(
    id="water.censored-summary",
    version="2",
    inputs=(Input("results", "table", noun="Observation"),),
    parameters=(
        Parameter("column", "text"),
        Parameter("censored", "text"),
        Parameter("method", "text", default="km", choices=tuple(_METHODS)),
        Parameter("start", "integer", unit="year"),
        Parameter("end", "integer", unit="year"),
        Parameter("station", "text"),
        Parameter("group", "text"),
    ),
    values={
        "mean": "", "sd": "", "median": "", "se": "", "n": "results", "censored": "results",
        "chi2": "1", "p": "1",
    },
    tables={"summary": _TABLE},
    rasters={},
    citations=(
        Citation(
            "Helsel (2012) Statistics for Censored Environmental Data", "10.1002/9781118162729"
        ),
        Citation("Helsel and Cohn (1988) Water Resources Research 24, 1997-2004",
                 "10.1029/WR024i012p01997"),
        Citation("Kaplan and Meier (1958) Journal of the American Statistical Association 53, "
                 "457-481", "10.2307/2281868"),
        Citation("Prentice (1978) Biometrika 65, 167-179", "10.1093/biomet/65.1.167"),
    ),
    compute=compute,
)  # fmt: skip
