"""``water.load``: what a river carried, by several estimators side by side."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators.extent import tell_no_region
from ecotone.assess.indicators.reading import Notes
from ecotone.assess.indicators.water_river import read_discharge, read_samples
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.water import loads, wrtds, wrtds_bootstrap, wrtds_kalman
from ecotone.science.water.loads import Load
from ecotone.science.water.wrtds_kernels import EXACT, LEFT

#: By how much non-detects may move a load before no single number stands for it.
_SAME: Final = 0.01
_ESTIMATORS: Final = (
    "averaging",
    "beale",
    "interpolation",
    "rating",
    "smearing",
    "mvue",
    "wrtds",
    "wrtds_k",
)
_TABLE: Final = {
    "estimator": "", "first": "", "last": "", "days": "d", "samples": "results",
    "censored": "results", "load": "kg/d", "low": "kg/d", "high": "kg/d", "total": "t",
}  # fmt: skip


def compute(job: Job) -> Outcome:
    """Each estimator on the same samples and days; each says where it cannot."""
    notes = Notes()
    tell_no_region(job, notes)
    level = job.number("level")
    flow = _in_period(read_discharge(job.inputs["discharge"][0], notes), job)
    column = None if job.parameters["column"] is None else str(job.parameters["column"])
    known = read_samples(job.inputs["samples"][0], column, flow, notes)
    usable = known.take(np.flatnonzero((known.kind == EXACT) | (known.kind == LEFT)))
    if usable.times.size < known.times.size:
        count = str(known.times.size - usable.times.size)
        notes.add(Finding("water-above-limit", Severity.WARNING, params={"count": count}))
    found = {}
    for name, estimate in _estimates(usable, flow, level, job).items():
        try:
            found[name] = estimate()
        except ValueError as error:
            notes.add(
                Finding("water-load-not", Severity.WARNING, value=name, params={"why": str(error)})
            )
    if not found:
        raise NotComputable(
            say("assess.water.no-load", samples=usable.times.size), say("assess.water.no-load.do")
        )
    for name, load in found.items():
        if np.isnan(load.value):
            notes.add(Finding("water-load-censored", Severity.WARNING, value=name))
        elif np.isnan(load.low):
            notes.add(Finding("water-load-no-interval", Severity.INFO, value=name))
    table = _table(found, usable, flow)
    return Outcome(values=_values(found, level), tables={"loads": table}, findings=notes.all())


def _in_period(flow: wrtds.Discharge, job: Job) -> wrtds.Discharge:
    """Discharge of the calendar years asked for."""
    start, end = (job.parameters[n] for n in ("start", "end"))
    year = flow.days.astype("datetime64[Y]").astype(np.int64) + 1970
    inside = np.ones(year.size, np.bool_)
    inside &= year >= int(str(start)) if start is not None else True
    inside &= year <= int(str(end)) if end is not None else True
    if not inside.any():
        raise UsageError(say("assess.water.no-days", start=start or "-", end=end or "-"))
    return wrtds.Discharge(
        flow.days[inside], flow.times[inside], flow.q[inside], flow.flow[inside], flow.shift
    )


def _estimates(
    known: wrtds.Samples, flow: wrtds.Discharge, level: float, job: Job
) -> dict[str, Callable[[], Load]]:
    """The estimators by name, each to be called."""
    q, limit, hidden = np.exp(known.flow), np.exp(known.high), known.kind == LEFT
    numbers = known.days.astype(np.int64), flow.days.astype(np.int64)

    def both(estimate: Callable[[np.ndarray], Load]) -> Load:
        """With non-detects at their limits and at zero: one number only where that is the same."""
        high = estimate(limit)
        if not hidden.any():
            return high
        low = estimate(np.where(hidden, 0.0, limit))
        same = high.value - low.value <= _SAME * high.value
        middle = (low.value + high.value) / 2 if same else float("nan")
        return Load(middle, low.low, high.high, high.n)

    def rated(kind: Callable[..., Load]) -> Load:
        curve = loads.rating(known.times, q, limit, hidden)
        return kind(curve, flow.times, flow.q, level)

    def unbiased() -> Load:
        if hidden.any():
            raise ValueError("the unbiased retransformation has no form for non-detects")
        curve = loads.rating(known.times, q, limit, hidden)
        return loads.unbiased(curve, flow.times, flow.q, limit, known.times, q, level)

    weighted = _Weighted(known, flow, level, job)
    return {
        "averaging": lambda: both(lambda c: loads.averaging(c, q, flow.q, level)),
        "beale": lambda: both(lambda c: loads.beale(c, q, flow.q, level)),
        "interpolation": lambda: both(
            lambda c: loads.interpolated(numbers[0], c, numbers[1], flow.q, level)
        ),
        "rating": lambda: rated(loads.rated),
        "smearing": lambda: rated(loads.smeared),
        "mvue": unbiased,
        "wrtds": lambda: weighted.load("wrtds"),
        "wrtds_k": lambda: weighted.load("wrtds_k"),
    }


def _plain(fitted: wrtds.Surface, known: wrtds.Samples, flow: wrtds.Discharge) -> float:
    return float(wrtds.daily(fitted, flow).flux.mean())


def _generalised(fitted: wrtds.Surface, known: wrtds.Samples, flow: wrtds.Discharge) -> float:
    conc = wrtds_kalman.generalised(fitted, known, flow)
    return float((conc * flow.q).mean()) * wrtds.KG_PER_DAY


class _Weighted:
    """Both estimators by weighted regressions, on one surface and one bootstrap."""

    def __init__(self, known: wrtds.Samples, flow: wrtds.Discharge, level: float, job: Job) -> None:
        self._known, self._flow, self._level = known, flow, level
        self._replicates = int(job.number("replicates"))
        self._seed = int(job.number("seed"))

    def load(self, name: str) -> Load:
        """The load by one of them."""
        drawn = self._drawn[name]
        low, high = float("nan"), float("nan")
        if len(drawn) > 1:
            ends = [(1 - self._level) / 2, (1 + self._level) / 2]
            low, high = (float(x) for x in np.nanquantile(drawn[1:], ends))
        return Load(drawn[0], low, high, self._known.times.size)

    @functools.cached_property
    def _drawn(self) -> dict[str, list[float]]:
        """Means on the samples as they are, then on each bootstrap of them."""
        found: dict[str, list[float]] = {"wrtds": [], "wrtds_k": []}
        seeds = np.random.SeedSequence(self._seed).spawn(self._replicates)
        for seed in (None, *seeds):
            known = self._known
            if seed is not None:
                rng = np.random.default_rng(seed)
                known = known.take(wrtds_bootstrap.resample(known, rng))
            fitted = wrtds.surface(known, self._flow, wrtds.Settings())
            found["wrtds"].append(_plain(fitted, known, self._flow))
            found["wrtds_k"].append(_generalised(fitted, known, self._flow))
        return found


def _table(found: dict[str, Load], known: wrtds.Samples, flow: wrtds.Discharge) -> pd.DataFrame:
    days = flow.days.size
    rows = [
        {
            "estimator": name, "first": str(flow.days[0]), "last": str(flow.days[-1]),
            "days": days, "samples": load.n, "censored": int(np.sum(known.kind == LEFT)),
            "load": load.value, "low": load.low, "high": load.high,
            "total": load.value * days / 1000,
        }
        for name, load in found.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)[list(_TABLE)]


def _values(found: dict[str, Load], level: float) -> dict[str, Value]:
    values = {}
    for name in _ESTIMATORS:
        load = found.get(name)
        if load is None:
            values[name] = Value(value=None, unit="kg/d")
            continue
        bounded = np.isfinite(load.low) and np.isfinite(load.high)
        values[name] = Value(
            value=load.value if np.isfinite(load.value) else None,
            unit="kg/d",
            low=load.low if bounded else None,
            high=load.high if bounded else None,
            level=level if bounded else None,
        )
    return values


WATER_LOAD: Final = Indicator(
    id="water.load",
    version="2",
    inputs=(
        Input("samples", "table", noun="Observation"),
        Input("discharge", "table", noun="Observation"),
    ),
    parameters=(
        Parameter("column", "text"),
        Parameter("start", "integer", unit="year"),
        Parameter("end", "integer", unit="year"),
        Parameter("level", "number", default=0.95, minimum=0.5, maximum=0.999),
        Parameter("replicates", "integer", default=100, minimum=0, maximum=10_000),
        Parameter("seed", "integer", default=1, minimum=0),
    ),
    values=dict.fromkeys(_ESTIMATORS, "kg/d"),
    tables={"loads": _TABLE},
    rasters={},
    citations=(
        Citation("Dolan, Yui and Geist (1981) Journal of Great Lakes Research 7, 207-214",
                 "10.1016/S0380-1330(81)72094-0"),
        Citation("Tin (1965) Journal of the American Statistical Association 60, 294-307",
                 "10.1080/01621459.1965.10480792"),
        Citation("Cohn, Caulder, Gilroy, Zynjuk and Summers (1992) Water Resources Research 28, "
                 "2353-2363", "10.1029/92WR01008"),
        Citation("Zhang and Hirsch (2019) Water Resources Research 55, 9705-9723",
                 "10.1029/2019WR025338"),
        Citation("Matheron (1963) Economic Geology 58, 1246-1266", "10.2113/gsecongeo.58.8.1246"),
        Citation("Cohn, DeLong, Gilroy, Hirsch and Wells (1989) Water Resources Research 25, "
                 "937-942", "10.1029/WR025i005p00937"),
        Citation("Duan (1983) Journal of the American Statistical Association 78, 605-610",
                 "10.1080/01621459.1983.10478017"),
    ),
    compute=compute,
)  # fmt: skip
