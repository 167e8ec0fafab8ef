"""What a measure takes from the wind: groups of points with and without it, a sheltered record."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicator import Job
from ecotone.assess.indicators.land_table import read_numbers
from ecotone.model.errors import InputRefused, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.land.resampling import Estimate, drift_intervals, mean_of_points, reduction

Floats = NDArray[np.float64]

LEVEL = 0.95


def valued(estimate: Estimate, unit: str) -> Value:
    """An estimate as a value; without bounds where there are none."""
    bounded = np.isfinite(estimate.low) and np.isfinite(estimate.high)
    return Value(
        value=estimate.value if np.isfinite(estimate.value) else None,
        unit=unit,
        low=estimate.low if bounded else None,
        high=estimate.high if bounded else None,
        level=LEVEL if bounded else None,
    )


@dataclass(frozen=True)
class Compared:
    """Losses by group, and what the treated group loses less than the control."""

    table: pd.DataFrame
    values: dict[str, Value]
    findings: list[Finding]


def compare_groups(job: Job, groups: pd.Series, loss: Floats, bare: Floats) -> Compared:
    """Mean loss of each group with its interval; the reduction where two groups are named.

    Raises UsageError where a group asked for is not among the points'.
    """
    rows = []
    for name in groups.unique():
        here = (groups == name).to_numpy()
        found, naked = mean_of_points(loss[here], LEVEL), mean_of_points(bare[here], LEVEL)
        rows.append(
            {
                "group": name,
                "points": int(np.isfinite(loss[here]).sum()),
                "mean_loss": found.value,
                "mean_loss_low": found.low,
                "mean_loss_high": found.high,
                "bare_loss": naked.value,
            }
        )
    asked = [job.parameters["control"], job.parameters["treated"]]
    values: dict[str, Value] = {}
    findings: list[Finding] = []
    if any(asked):
        for name in asked:
            if name not in set(groups):
                raise UsageError(
                    say("assess.land.group", name=name, known=", ".join(map(str, groups.unique())))
                )
        control, treated = (loss[(groups == name).to_numpy()] for name in asked)
        less = reduction(control, treated, LEVEL)
        values["reduction"] = valued(less, "%")
        if not np.isfinite(less.value):
            findings.append(Finding("land-no-reduction", Severity.WARNING))
    return Compared(pd.DataFrame(rows), values, findings)


def sheltered_values(
    job: Job, path: Path, open_record: pd.DataFrame
) -> tuple[dict[str, Value], list[Finding]]:
    """Drift potential with its interval and, with a second record, what the shelter takes."""
    given = job.inputs.get("sheltered")
    behind = None
    speed = open_record["speed_ms"].to_numpy(dtype=np.float64)
    there = np.isfinite(speed) & np.isfinite(open_record["direction_deg"].to_numpy(dtype=float))
    if given:
        behind = _matched(path, open_record, given[0])
    found = drift_intervals(
        np.where(there, speed, np.nan), behind, threshold=job.number("threshold"), level=LEVEL
    )
    values = {"drift_potential": valued(found.potential, "vector units")}
    findings: list[Finding] = []
    if behind is not None and found.reduction is not None:
        both = there & np.isfinite(behind)
        alone = drift_intervals(
            np.where(both, behind, np.nan), threshold=job.number("threshold"), level=LEVEL
        )
        values["sheltered_potential"] = valued(alone.potential, "vector units")
        values["reduction"] = valued(found.reduction, "%")
        lost = int((there & ~np.isfinite(behind)).sum())
        if lost:
            findings.append(
                Finding("land-readings-unpaired", Severity.WARNING, params={"count": str(lost)})
            )
    return values, findings


def _matched(path: Path, record: pd.DataFrame, other: Path) -> Floats:
    """Speeds of the sheltered record at the times of the open one, NaN where it has none."""
    table = read_numbers(other, ("speed_ms",), ("speed_ms",), texts=("month",)).frame
    if "month" in record and "month" in table:
        if table["month"].duplicated().any():
            again = table.loc[table["month"].duplicated(), "month"].iloc[0]
            raise InputRefused(say("assess.land.time-twice", name=other.name, time=again))
        speeds = table.set_index("month")["speed_ms"].reindex(record["month"])
        return speeds.to_numpy(dtype=np.float64)
    if len(table) != len(record):
        raise InputRefused(
            say("assess.land.records-differ", first=path.name, other=other.name),
            say("assess.land.records-differ.do"),
        )
    return table["speed_ms"].to_numpy(dtype=np.float64)
