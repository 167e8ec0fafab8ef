"""``wildlife.histories``: camera packages as the tables that occupancy and density work on."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators.reading import Notes
from ecotone.assess.indicators.wildlife_cameras import (
    days,
    gaps_of,
    of_species,
    read_deployments,
    read_records,
)
from ecotone.assess.indicators.wildlife_reading import Problems, is_missing
from ecotone.model.errors import NotComputable
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.wildlife.histories import Occasions, history, occasions, without_gaps

_VISITS: Final = {"site": "", "visit": "", "detected": "", "effort": "d"}
_CAPTURES: Final = {"id": "", "occasion": "", "detector": "", "count": "records"}


def compute(job: Job) -> Outcome:
    """Effort by unit and occasion, what was seen in it, and who."""
    notes, problems = Notes(), Problems()
    table = read_deployments(
        job.inputs["deployments"],
        job.inputs.get("failures", ()),
        problems,
        notes,
        job.inputs.get("clocks", ()),
    )
    level = str(job.parameters["level"])
    records = read_records(job.inputs["observations"], table, level, problems, notes)
    records = of_species(records, _text(job, "species"))
    names, unit = _units(table)
    shift = job.number("offset") / 24.0
    # Days are counted from a noon UTC; local days begin at midnight.
    start, end = (days(table[n]).to_numpy(np.float64) + 0.5 + shift for n in ("start", "end"))
    gaps = gaps_of(job.inputs.get("failures", ()), table, problems, notes)
    problems.stop()
    low, high = (gaps[n].to_numpy(np.float64) + 0.5 + shift for n in ("start", "end"))
    of, begin, finish = without_gaps(start, end, gaps["deployment"].to_numpy(np.int64), low, high)
    try:
        found = occasions(
            unit[of],
            begin,
            finish,
            units=len(names),
            length=int(job.number("days")),
            by_survey=job.parameters["from"] == "survey",
            out=(unit, start, end),
        )
    except ValueError as error:
        raise NotComputable(say("assess.wildlife.no-effort")) from error
    place = {name: k for k, name in enumerate(table["deploymentID"])}
    own = unit[records["deploymentID"].map(place).to_numpy(np.int64)]
    day = days(records["time"]).to_numpy(np.float64) + 0.5 + shift
    _idle(found, own, day, notes)
    seen = history(found, own, day, job.number("least"))
    values = {
        "units": Value(value=len(names), unit="sites"),
        "occasions": Value(value=found.effort.shape[1], unit="visits"),
        "effort": Value(value=float(found.effort.sum()), unit="d"),
        "detections": Value(value=int(np.nansum(seen)), unit="detections"),
        "missing": Value(value=int(np.isnan(seen).sum()), unit="visits"),
    }
    tables = {
        "visits": _visits(names, found, seen),
        "detectors": _detectors(table, unit, names, found),
    }
    if "individualID" in records and not is_missing(records["individualID"]).all():
        tables["captures"] = _captures(records, names, found, own, day)
    return Outcome(values=values, tables=tables, findings=notes.all())


def _text(job: Job, name: str) -> str | None:
    given = job.parameters[name]
    return None if given is None else str(given)


def _units(table: pd.DataFrame) -> tuple[list[str], NDArray[np.int64]]:
    """Places by their location where told, else by deployment; each deployment's place."""
    name = table["deploymentID"].astype(str)
    if "locationID" in table:
        told = ~is_missing(table["locationID"])
        name = table["locationID"].astype(str).where(told, name)
    codes, names = pd.factorize(name, sort=True)
    return [str(n) for n in names], codes.astype(np.int64)


def _idle(
    found: Occasions, unit: NDArray[np.int64], day: NDArray[np.float64], notes: Notes
) -> None:
    """Records where no camera was at work are told: a clock or a date is wrong."""
    place = found.of(unit, day)
    idle = int(((place < 0) | (found.effort[unit, np.maximum(place, 0)] <= 0)).sum())
    if idle:
        params = {"count": str(idle)}
        notes.add(Finding("wildlife-record-outside", Severity.WARNING, params=params))


def _visits(names: list[str], found: Occasions, seen: NDArray[np.float64]) -> pd.DataFrame:
    """Every unit at every occasion; a missing cell where nothing can have been seen."""
    units, number = seen.shape
    table = pd.DataFrame(
        {
            "site": np.repeat(names, number),
            "visit": np.tile(np.arange(1, number + 1), units),
            "detected": pd.array(seen.ravel(), dtype="Float64").astype("Int64"),
            "effort": found.effort.ravel(),
        }
    )
    return table[list(_VISITS)]


def _detectors(
    table: pd.DataFrame, unit: NDArray[np.int64], names: list[str], found: Occasions
) -> pd.DataFrame:
    """Places with their effort by occasion, as density wants them but for x and y."""
    where = table.assign(unit=unit).groupby("unit")[["latitude", "longitude"]].mean()
    out = where.reindex(range(len(names))).reset_index(drop=True)
    out.insert(0, "detector", names)
    usage = pd.DataFrame(
        found.effort, columns=[f"usage{k + 1}" for k in range(found.effort.shape[1])]
    )
    return pd.concat([out, usage], axis=1)


def _captures(
    records: pd.DataFrame,
    names: list[str],
    found: Occasions,
    unit: NDArray[np.int64],
    day: NDArray[np.float64],
) -> pd.DataFrame:
    """Recognised animals by occasion and detector, with how often."""
    place = found.of(unit, day)
    known = ~is_missing(records["individualID"]).to_numpy(dtype=bool)
    kept = known & (place >= 0) & (found.effort[unit, np.maximum(place, 0)] > 0)
    table = pd.DataFrame(
        {
            "id": records["individualID"].astype(str).str.strip().to_numpy()[kept],
            "occasion": place[kept] + 1,
            "detector": np.array(names, dtype=object)[unit[kept]],
        }
    )
    return (
        table.groupby(["id", "occasion", "detector"], as_index=False)
        .size()
        .rename(columns={"size": "count"})
    )


WILDLIFE_HISTORIES: Final = Indicator(
    id="wildlife.histories",
    version="1",
    inputs=(
        Input("deployments", "table", noun="Deployment", coarse="refuse"),
        Input("observations", "table", noun="Observation", coarse="refuse"),
        Input("failures", "table", noun="DeviceEvent", required=False),
        Input("clocks", "table", required=False),
    ),
    parameters=(
        Parameter("species", "text"),
        Parameter("days", "integer", 1, minimum=1, maximum=366, unit="d"),
        Parameter("from", "text", "station", choices=("station", "survey")),
        Parameter("offset", "number", 0.0, minimum=-14.0, maximum=14.0, unit="h"),
        Parameter("least", "number", 0.0, minimum=0.0, unit="d"),
        Parameter("level", "text", "auto", choices=("auto", "event", "media")),
    ),
    values={
        "units": "sites",
        "occasions": "visits",
        "effort": "d",
        "detections": "detections",
        "missing": "visits",
    },
    tables={"visits": _VISITS, "detectors": {"detector": ""}, "captures": _CAPTURES},
    rasters={},
    citations=(
        Citation(
            "Niedballa and others (2016) Methods in Ecology and Evolution 7, 1457-1462",
            "10.1111/2041-210X.12600",
        ),
    ),
    compute=compute,
)
