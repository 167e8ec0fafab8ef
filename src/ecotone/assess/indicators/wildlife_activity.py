"""``wildlife.activity``: when a species is active, and how far two share the day."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators.reading import Notes
from ecotone.assess.indicators.wildlife_cameras import (
    days,
    of_species,
    read_deployments,
    read_records,
)
from ecotone.assess.indicators.wildlife_reading import Problems
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.wildlife import activity
from ecotone.science.wildlife.encounter import independent

_LEVEL: Final = 0.95
_DENSITY: Final = {"hour": "h", "species": "", "density": "1/h"}
#: Records below which a curve says little.
_FEW: Final = 20

Floats = NDArray[np.float64]


def compute(job: Job) -> Outcome:
    """Times of one species, or two; the curve, the level, the overlap."""
    notes, problems = Notes(), Problems()
    solar = job.parameters["time"] == "solar"
    if solar and "deployments" not in job.inputs:
        raise UsageError(say("assess.wildlife.solar-deployments"))
    deployments = (
        read_deployments(
            job.inputs["deployments"], (), problems, notes, job.inputs.get("clocks", ())
        )
        if "deployments" in job.inputs
        else None
    )
    records = read_records(
        job.inputs["observations"], deployments, str(job.parameters["level"]), problems, notes
    )
    names = [job.parameters["species"], job.parameters["against"]]
    chosen = [of_species(records, None if n is None else str(n)) for n in names if n is not None]
    chosen = chosen or [records]
    angles = [_angles(part, deployments, job, notes) for part in chosen]
    labels = [str(n) for n in names if n is not None] or [""]
    for label, times in zip(labels, angles, strict=True):
        if len(np.unique(times)) < 2:
            raise NotComputable(say("assess.wildlife.few-times", species=label))
        if len(times) < _FEW:
            params = {"count": str(len(times)), "species": label}
            notes.add(Finding("wildlife-few-records", Severity.WARNING, params=params))
    rng = np.random.default_rng(int(str(job.parameters["seed"])))
    replicates = int(str(job.parameters["replicates"]))
    values = _values(angles, replicates, rng)
    return Outcome(values=values, tables={"density": _curves(labels, angles)}, findings=notes.all())


def _angles(
    records: pd.DataFrame, deployments: pd.DataFrame | None, job: Job, notes: Notes
) -> Floats:
    """Independent records' times of day as angles."""
    minutes = job.number("independence")
    moment = days(records["time"]).to_numpy(np.float64)
    group = pd.factorize(records["deploymentID"] + "\0" + records["species"])[0]
    kept = independent(group, moment, minutes / 1440.0 - 1e-9)
    records, moment = records[kept], moment[kept]
    if job.parameters["time"] == "clock":
        written = records["eventStart"].astype(str).str.extract(r"T(\d{2}):(\d{2}):?(\d{2})?")
        parts = written.fillna(0).astype(float)
        hours = parts[0] + parts[1] / 60.0 + parts[2] / 3600.0
        if "off" in records:
            hours = (hours + 24.0 * records["off"]) % 24.0
        return hours.to_numpy(np.float64) * (2.0 * np.pi / 24.0)
    if deployments is None:
        raise UsageError(say("assess.wildlife.solar-deployments"))
    place = deployments.set_index("deploymentID").loc[records["deploymentID"]]
    latitude, longitude = (place[n].to_numpy(np.float64) for n in ("latitude", "longitude"))
    # The day whose noon at the place is nearest; days are counted from a noon UTC.
    noon = np.round(moment + longitude / 360.0)
    rise, down = activity.sun(noon, latitude, longitude)
    hours = (moment - noon) * 24.0 + 12.0
    lost = np.isnan(rise)
    if lost.any():
        params = {"count": str(int(lost.sum()))}
        notes.add(Finding("wildlife-no-sunrise", Severity.WARNING, params=params))
    if lost.all():
        return np.empty(0)
    return activity.solar_angles(hours[~lost], rise[~lost], down[~lost])


def _told(found: activity.Bootstrap, unit: str = "1") -> Value:
    known = bool(np.isfinite(found.low))
    return Value(
        value=found.value,
        unit=unit,
        se=found.se if known else None,
        low=found.low if known else None,
        high=found.high if known else None,
        level=_LEVEL if known else None,
    )


def _values(angles: list[Floats], replicates: int, rng: np.random.Generator) -> dict[str, Value]:
    first = angles[0]
    curve = activity.density(first, activity.grid(), activity.bandwidth(first))
    peak = float(activity.grid()[curve.argmax()] * 24.0 / (2.0 * np.pi))
    values = {
        "records": Value(value=len(first), unit="records"),
        "peak": Value(value=peak, unit="h"),
        "activity_level": _told(activity.bootstrap_level(first, replicates, rng)),
    }
    if len(angles) == 2:
        second = angles[1]
        values["records_against"] = Value(value=len(second), unit="records")
        for kind in activity.overlap_kinds(len(first), len(second)):
            found = activity.bootstrap_overlap(first, second, kind, replicates, rng)
            values[f"overlap_{kind}"] = _told(found)
    return values


def _curves(labels: list[str], angles: list[Floats]) -> pd.DataFrame:
    at = activity.grid()
    hour = at * 24.0 / (2.0 * np.pi)
    parts = [
        pd.DataFrame(
            {
                "hour": hour,
                "species": label,
                "density": activity.density(times, at, activity.bandwidth(times))
                * (2.0 * np.pi / 24.0),
            }
        )
        for label, times in zip(labels, angles, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


WILDLIFE_ACTIVITY: Final = Indicator(
    id="wildlife.activity",
    version="1",
    inputs=(
        Input("observations", "table", noun="Observation", coarse="refuse"),
        Input("deployments", "table", noun="Deployment", required=False, coarse="refuse"),
        Input("clocks", "table", required=False),
    ),
    parameters=(
        Parameter("species", "text"),
        Parameter("against", "text"),
        Parameter("time", "text", "solar", choices=("solar", "clock")),
        Parameter("level", "text", "auto", choices=("auto", "event", "media")),
        Parameter("independence", "number", 30.0, minimum=0.0, unit="min"),
        Parameter("replicates", "integer", 1000, minimum=0, maximum=100_000),
        Parameter("seed", "integer", 0, minimum=0),
    ),
    values={
        "records": "records",
        "records_against": "records",
        "peak": "h",
        "activity_level": "1",
        "overlap_1": "1",
        "overlap_4": "1",
    },
    tables={"density": _DENSITY},
    rasters={},
    citations=(
        Citation("Ridout and Linkie (2009) JABES 14, 322-337", "10.1198/jabes.2009.08038"),
        Citation(
            "Rowcliffe and others (2014) Methods in Ecology and Evolution 5, 1170-1179",
            "10.1111/2041-210X.12278",
        ),
        Citation(
            "Vazquez and others (2019) Methods in Ecology and Evolution 10, 2057-2066",
            "10.1111/2041-210X.13290",
        ),
    ),
    compute=compute,
)
