"""Results within the years and the region that a plan asks for; what cannot be told is told."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ecotone.assess.indicator import Job, Scalar
from ecotone.assess.indicators.laboratory import read_results
from ecotone.assess.indicators.reading import Notes
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.words import say


def results_of(job: Job, notes: Notes) -> pd.DataFrame:
    """Results of all files of a job (their names in ``file``), of its years and its region.

    Raises:
        NotComputable: none is left.
    """
    read = [read_results(path, notes).assign(file=path.name) for path in job.inputs["results"]]
    results = within(pd.concat(read, ignore_index=True), job, notes).reset_index(drop=True)
    if results.empty:
        raise NotComputable(say("assess.water.nothing"), say("assess.water.nothing.do"))
    return results


def within(results: pd.DataFrame, job: Job, notes: Notes) -> pd.DataFrame:
    """Results of the years from ``start`` to ``end`` and of the job's region.

    Needs the columns ``year``, ``latitude`` and ``longitude``, NaN where unknown.
    """
    inside = in_period(results, job.parameters, notes)
    return inside if job.region is None else in_region(inside, job.region, notes)


def tell_no_region(job: Job, notes: Notes) -> None:
    """A finding where a region was asked for and the method has none."""
    if job.region is not None:
        notes.add(Finding("water-region-not-applied", Severity.WARNING))


def in_period(
    results: pd.DataFrame, parameters: Mapping[str, Scalar], notes: Notes
) -> pd.DataFrame:
    """Results of the calendar years asked for; undated ones are counted."""
    start, end = (_whole(parameters[name]) for name in ("start", "end"))
    if start is None and end is None:
        return results
    if start is not None and end is not None and end < start:
        raise UsageError(say("assess.water.end-before-start", start=start, end=end))
    year = results["year"]
    undated = int(year.isna().sum())
    if undated:
        notes.add(Finding("water-undated", Severity.WARNING, params={"count": str(undated)}))
    inside = year.notna()
    inside &= True if start is None else year >= start
    inside &= True if end is None else year <= end
    return results[inside]


def in_region(results: pd.DataFrame, region: BaseGeometry, notes: Notes) -> pd.DataFrame:
    """Results placed inside the region; those without a place are counted.

    Where no result has a place the region cannot be applied: all are taken, and that is said.
    """
    import shapely

    placed = results["latitude"].notna() & results["longitude"].notna()
    if not placed.any():
        notes.add(Finding("water-region-not-applied", Severity.WARNING))
        return results
    if not placed.all():
        count = str(int((~placed).sum()))
        notes.add(Finding("water-unplaced", Severity.WARNING, params={"count": count}))
    here = results[placed]
    shapely.prepare(region)
    inside: NDArray[np.bool_] = shapely.contains_xy(region, here["longitude"], here["latitude"])
    return here[inside]


def _whole(given: Scalar) -> int | None:
    return given if isinstance(given, int) else None
