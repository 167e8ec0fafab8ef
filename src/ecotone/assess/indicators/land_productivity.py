"""``land.productivity``: land productivity dynamics in five classes, by named rule sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rasterio.windows import Window

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators.land_ground import Ground, open_on, strips
from ecotone.assess.indicators.land_lpd import (
    RAIN,
    YEARLY,
    Productivity,
    ask_of,
    open_rain,
    productivity_of,
    years_checked,
)
from ecotone.assess.indicators.land_scratch import scratch
from ecotone.assess.indicators.land_tables import (
    AGREEMENT,
    LPD,
    THREE,
    ClassAreas,
    degradation_values,
    shown_three,
    write_map,
)
from ecotone.assess.indicators.mosaic import Mosaic, open_mosaic
from ecotone.model.errors import NotComputable
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.land.lookup import NODATA
from ecotone.science.land.productivity import RULES, Rule


def compute(job: Job) -> Outcome:
    """Trend, state and performance of the period, and their classes."""
    mosaic = open_mosaic(job.inputs["ndvi"])
    rain: Mosaic | None = None
    try:
        start, end = period(job, mosaic)
        findings = years_checked(mosaic, start, end)
        ground = Ground.of(mosaic, job.region)
        given = job.inputs.get("units")
        units = open_on(mosaic, given) if given else None
        rain = open_rain(job, mosaic)
        ask = ask_of(job, mosaic, rain, start, end)
        rule = next(r for r in RULES if r == job.parameters["rule"])
        with scratch(job, "land.productivity", ground.window()) as arrays:
            found = productivity_of(ask, ground, units, arrays, job.executor, job.progress)
            plain = None
            if rain is not None:
                uncorrected = replace(ask, rain=None, correction="none")
                plain = productivity_of(
                    uncorrected, ground, units, arrays, job.executor, lambda share: None
                )
            rasters = _maps(job, ground, found, rule, (start, end))
            lpd, three, by_rule, dependent = _areas(ground, found, rule)
            rules = _rules(ask.correction, by_rule)
            if plain is not None:
                rules += _rules("none", _areas(ground, plain, rule)[2])
            differences = _differences(ground, found, rule)
            findings += found.findings()
    finally:
        mosaic.close()
        if rain is not None:
            rain.close()
    if three.none >= three.total:
        raise NotComputable(say("assess.land.no-pixel", fewest=7), say("assess.land.no-pixel.do"))
    values = degradation_values(three)
    values["rule_dependent_km2"] = Value(value=dependent, unit="km2")
    best = found.best
    tables = {
        "lpd": lpd.table(),
        "rules": pd.concat(rules, ignore_index=True),
        "ranges": _ranges(rules),
        "differences": differences,
        "units": pd.DataFrame({"unit": best.units, "pixels": best.counts, "p90": best.quantile}),
    }
    return Outcome(values=values, tables=tables, rasters=rasters, findings=findings)


def period(job: Job, mosaic: Mosaic) -> tuple[int, int]:
    """The years asked for; those of the data where left out."""
    present = np.unique(np.concatenate([tile.years() for tile in mosaic.tiles]))
    start, end = job.parameters["start"], job.parameters["end"]
    return (
        start if isinstance(start, int) else int(present[0]),
        end if isinstance(end, int) else int(present[-1]),
    )


def _areas(
    ground: Ground, found: Productivity, rule: Rule
) -> tuple[ClassAreas, ClassAreas, dict[Rule, ClassAreas], float]:
    """Areas of the classes by the rule chosen and by all, and where the answer depends on it."""
    by_rule = {r: ClassAreas(tuple(LPD)) for r in RULES}
    three = ClassAreas((-1, 0, 1))
    dependent = 0.0
    for window in strips(found.scratch.within):
        km2 = ground.km2(window)
        for name, areas in by_rule.items():
            areas.add(found.lpd(name, window), km2)
        three.add(found.three(rule, window), km2)
        dependent += float(km2[_answers(found, window) > 1].sum())
        found.scratch.release()
    return by_rule[rule], three, by_rule, dependent


def _rules(correction: str, by_rule: Mapping[Rule, ClassAreas]) -> list[pd.DataFrame]:
    return [a.table({"rule": r, "correction": correction}) for r, a in by_rule.items()]


def _ranges(rules: list[pd.DataFrame]) -> pd.DataFrame:
    """Least and most area of each class over the rule sets, with and without the correction."""
    areas = pd.concat(rules, ignore_index=True).groupby("class")["area_km2"]
    return pd.DataFrame({"least_km2": areas.min(), "most_km2": areas.max()}).reset_index()


def _differences(ground: Ground, found: Productivity, rule: Rule) -> pd.DataFrame:
    """What the land of each class under the chosen rule set is under each other one."""
    sums: dict[tuple[str, int, int], float] = {}
    size = max(LPD) + 1
    for window in strips(found.scratch.within):
        km2 = ground.km2(window)
        own = np.clip(found.lpd(rule, window), 0, None).astype(np.int64)
        for other in RULES:
            if other == rule:
                continue
            theirs = np.clip(found.lpd(other, window), 0, None).astype(np.int64)
            area = np.broadcast_to(km2, own.shape).ravel()
            table = np.bincount((own * size + theirs).ravel(), area, size * size)
            for at in np.flatnonzero(table):
                key = (other, int(at) // size, int(at) % size)
                sums[key] = sums.get(key, 0.0) + float(table[at])
        found.scratch.release()
    return pd.DataFrame(
        [
            {"rule": rule, "class": a, "other_rule": other, "other_class": b, "area_km2": area}
            for (other, a, b), area in sorted(sums.items())
        ]
    )


def _answers(found: Productivity, window: Window) -> NDArray[np.int16]:
    """How many different answers in three classes the rule sets give; 0 without data."""
    classes = [found.lpd(rule, window) for rule in RULES]
    number = np.zeros(classes[0].shape, dtype=np.int16)
    for low, high in ((1, 2), (3, 4), (5, 5)):
        number += np.logical_or.reduce([(c >= low) & (c <= high) for c in classes])
    return number


def _maps(
    job: Job, ground: Ground, found: Productivity, rule: Rule, years: tuple[int, int]
) -> dict[str, str]:
    tags = {"indicator": "land.productivity", "rule": rule, "period": f"{years[0]}/{years[1]}"}
    within = found.scratch.within
    maps = {
        "lpd": write_map(
            job.out, "lpd", ground, within, lambda w: found.lpd(rule, w), LPD, tags
        ),
        "agreement": write_map(
            job.out, "agreement", ground, within,
            lambda w: np.where((n := _answers(found, w)) == 0, NODATA, n), AGREEMENT, tags,
        ),
    }  # fmt: skip
    if rule != "fao_wocat":
        for number, name in enumerate(("trend", "state", "performance")):
            codes = partial(_metric, found, rule, number)
            maps[name] = write_map(job.out, name, ground, within, codes, THREE, tags)
    return maps


def _metric(found: Productivity, rule: Rule, number: int, window: Window) -> NDArray[np.int16]:
    return shown_three(found.metrics(rule, window)[number])


LAND_PRODUCTIVITY: Final = Indicator(
    id="land.productivity",
    version="1",
    inputs=(
        Input("ndvi", "raster stack", noun="Coverage"),
        Input("units", "raster", required=False),
        RAIN,
    ),
    parameters=(
        Parameter("start", "integer", unit="year"),
        Parameter("end", "integer", unit="year"),
        Parameter("rule", "text", "unccd2026", choices=RULES),
        Parameter("alpha", "number", 0.05, minimum=1e-6, maximum=0.5, unit="1"),
        Parameter("complete", "number", 0.75, minimum=0.0, maximum=1.0, unit="1"),
        *YEARLY,
    ),
    values={
        "total_km2": "km2",
        "degraded_km2": "km2",
        "stable_km2": "km2",
        "improved_km2": "km2",
        "nodata_km2": "km2",
        "degraded_percent": "%",
        "rule_dependent_km2": "km2",
    },
    tables={
        "lpd": {"class": "1", "area_km2": "km2", "percent": "%"},
        "ranges": {"class": "1", "least_km2": "km2", "most_km2": "km2"},
        "differences": {
            "rule": "1",
            "class": "1",
            "other_rule": "1",
            "other_class": "1",
            "area_km2": "km2",
        },
        "rules": {"rule": "1", "correction": "1", "class": "1", "area_km2": "km2", "percent": "%"},
        "units": {"unit": "1", "pixels": "pixel", "p90": "1"},
    },
    rasters={"lpd": "1", "agreement": "1", "trend": "1", "state": "1", "performance": "1"},
    citations=(
        Citation(
            "Sims et al. (2021) Good Practice Guidance, SDG Indicator 15.3.1, version 2, UNCCD"
        ),
        Citation("UNCCD (2025) PRAIS 4 reporting manual for the 2026 reporting process"),
        Citation(
            "Ivits and Cherlet (2016) Land productivity dynamics, JRC technical report EUR 26052"
        ),
        Citation("Garcia et al. (2024) FAO-WOCAT land productivity", "10.5281/zenodo.10849368"),
        Citation(
            "Wessels et al. (2012) Remote Sensing of Environment 125, 10-22",
            "10.1016/j.rse.2012.06.022",
        ),
        Citation("Le Houerou (1984) Journal of Arid Environments 7, 213-247"),
        Citation(
            "White et al. (1997) Global Biogeochemical Cycles 11, 217-234", "10.1029/97GB00330"
        ),
        Citation("Kendall (1938) Biometrika 30, 81-93", "10.1093/biomet/30.1-2.81"),
    ),
    compute=compute,
)
