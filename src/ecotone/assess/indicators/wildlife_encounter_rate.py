"""``wildlife.encounter-rate``: encounters by effort, of cameras or of patrols: an index."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, cast

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
    times,
)
from ecotone.assess.indicators.wildlife_reading import Problems, numbers, read_columns
from ecotone.formats.base import ReadOptions
from ecotone.formats.registry import format_named
from ecotone.formats.safe import open_source
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.wildlife.encounter import (
    bootstrap_rate,
    effort_by_cell,
    independent,
    poisson_rate,
)

_LEVEL: Final = 0.95
_PER_DAYS: Final = "1/(100 d)"
_PER_KM: Final = "1/(100 km)"
_UNITS: Final = {
    "unit": "",
    "species": "",
    "encounters": "records",
    "effort": "d",
    "rate": _PER_DAYS,
    "low": _PER_DAYS,
    "high": _PER_DAYS,
}
_CELLS: Final = {"column": "", "row": "", "x": "m", "y": "m", "distance": "km"}


def compute(job: Job) -> Outcome:
    """Cameras where there are deployments, patrols where there are tracks or patrol totals."""
    notes = Notes()
    cameras, patrols = "deployments" in job.inputs, "patrols" in job.inputs
    if cameras == patrols or ("observations" in job.inputs) != cameras:
        raise UsageError(say("assess.wildlife.encounter-inputs"))
    notes.add(Finding("wildlife-index", Severity.INFO))
    return _cameras(job, notes) if cameras else _patrols(job, notes)


def _species(job: Job) -> str | None:
    given = job.parameters["species"]
    return None if given is None else str(given)


def _rng(job: Job) -> np.random.Generator:
    return np.random.default_rng(int(str(job.parameters["seed"])))


# --- cameras -----------------------------------------------------------------------------


def _cameras(job: Job, notes: Notes) -> Outcome:
    problems = Problems()
    deployments = read_deployments(
        job.inputs["deployments"],
        job.inputs.get("failures", ()),
        problems,
        notes,
        job.inputs.get("clocks", ()),
    )
    records = read_records(
        job.inputs["observations"], deployments, str(job.parameters["level"]), problems, notes
    )
    _outside(records, deployments, notes)
    records = of_species(records, _species(job))
    minutes = job.number("independence")
    if minutes > 0:
        group = pd.factorize(records["deploymentID"] + "\0" + records["species"])[0]
        rule = cast('Literal["last-independent", "last-record"]', str(job.parameters["rule"]))
        moments = days(records["time"]).to_numpy(np.float64)
        kept = independent(group, moments, minutes / 1440.0 - 1e-9, rule)
        records = records[kept]
    if not (deployments["effort"] > 0).any():
        raise NotComputable(say("assess.wildlife.no-effort"))
    units = deployments["deploymentID"].to_numpy()
    efforts = deployments["effort"].to_numpy(np.float64)
    table = _by_unit(records, units, efforts)
    counts = records["deploymentID"].value_counts().reindex(units).fillna(0).to_numpy(np.float64)
    values = {
        "encounters": Value(value=len(records), unit="records"),
        "effort": Value(value=float(efforts.sum()), unit="d"),
        "rate": _rate(counts, efforts, _PER_DAYS, job, notes),
    }
    return Outcome(values=values, tables={"units": table}, findings=notes.all())


def _outside(records: pd.DataFrame, deployments: pd.DataFrame, notes: Notes) -> None:
    """Records beside their deployment's time are told: a clock is wrong."""
    span = deployments.set_index("deploymentID")[["start", "end"]]
    own = span.reindex(records["deploymentID"])
    early = records["time"].to_numpy() < own["start"].to_numpy()
    late = records["time"].to_numpy() > own["end"].to_numpy()
    count = int((early | late).sum())
    if count:
        params = {"count": str(count)}
        notes.add(Finding("wildlife-record-outside", Severity.WARNING, params=params))


def _by_unit(
    records: pd.DataFrame, units: NDArray[np.object_], efforts: NDArray[np.float64]
) -> pd.DataFrame:
    """Every species at every unit, those without records too."""
    species = sorted(set(records["species"])) or [""]
    counted = records.groupby(["deploymentID", "species"]).size()
    index = pd.MultiIndex.from_product([units, species], names=["unit", "species"])
    counts = counted.reindex(index).fillna(0).to_numpy(np.float64)
    effort = np.repeat(efforts, len(species))
    rates = np.array(
        [poisson_rate(n, e, _LEVEL) for n, e in zip(counts, effort, strict=True)]
    ).reshape(-1, 3)
    table = index.to_frame(index=False)
    table["encounters"], table["effort"] = counts.astype(np.int64), effort
    for k, name in enumerate(("rate", "low", "high")):
        table[name] = 100.0 * rates[:, k]
    return table[list(_UNITS)]


def _rate(
    counts: NDArray[np.float64], efforts: NDArray[np.float64], unit: str, job: Job, notes: Notes
) -> Value:
    """The pooled rate by 100 units of effort; its interval by bootstrap where it can be."""
    rate, low, high = poisson_rate(float(counts.sum()), float(efforts.sum()), _LEVEL)
    se = rate / np.sqrt(counts.sum()) if counts.sum() > 0 else float("nan")
    replicates = int(str(job.parameters["replicates"]))
    if replicates and len(counts) > 1:
        se, low, high = bootstrap_rate(counts, efforts, replicates, _rng(job), _LEVEL)
    else:
        notes.add(Finding("wildlife-poisson-interval", Severity.INFO))
    return Value(
        value=100.0 * rate,
        unit=unit,
        se=100.0 * se if np.isfinite(se) else None,
        low=100.0 * low,
        high=100.0 * high,
        level=_LEVEL,
    )


# --- patrols -----------------------------------------------------------------------------


def _patrols(job: Job, notes: Notes) -> Outcome:
    problems = Problems()
    frames = [_patrol_table(path, problems, notes) for path in job.inputs["patrols"]]
    problems.stop()
    points = pd.concat(frames, ignore_index=True)
    totals, cells = _totals(points, job.number("cell"))
    counts = _encounters(job.inputs.get("encounters", ()), totals, problems, notes)
    problems.stop()
    if _species(job) is not None:
        counts = of_species(counts, _species(job))
    by_patrol = counts.groupby("patrol")["count"].sum().reindex(totals["patrol"]).fillna(0)
    number = by_patrol.to_numpy(np.float64)
    values = {
        "encounters": Value(value=int(number.sum()), unit="records"),
        "patrols": Value(value=len(totals), unit="patrols"),
    }
    for name, column, unit in (("days", "days", _PER_DAYS), ("distance", "km", _PER_KM)):
        amount = totals[column].to_numpy(np.float64)
        if np.isnan(amount).any():
            continue
        told = "effort" if name == "days" else "distance"
        values[told] = Value(value=float(amount.sum()), unit="d" if name == "days" else "km")
        if amount.sum() > 0:
            rate = "rate" if name == "days" else "rate_by_distance"
            values[rate] = _rate(number, amount, unit, job, notes)
    tables = {"patrols": totals.assign(encounters=number.astype(np.int64))}
    if cells is not None:
        tables["cells"] = cells
    return Outcome(values=values, tables=tables, findings=notes.all())


def _patrol_table(path: Path, problems: Problems, notes: Notes) -> pd.DataFrame:
    """Points of tracks (patrol, time, x, y), or totals (patrol, km, days)."""
    if path.suffix.lower() == ".gpx":
        frame = _track_points(path, notes)
    else:
        frame = read_columns(path, ("x", "y"), ("patrol",), (), notes)
    frame["patrol"] = frame["patrol"].astype(str).str.strip()
    if "x" not in frame and {"latitude", "longitude", "time"} <= set(frame.columns):
        frame = _on_a_plane(frame, path, problems)
    if {"x", "y", "time"} <= set(frame.columns):
        for name in ("x", "y"):
            frame[name] = numbers(frame, name, path, problems)
        frame["moment"] = days(times(frame, "time", path, problems))
        return frame[["patrol", "x", "y", "moment"]]
    if "km" not in frame and "days" not in frame:
        problems.add("wildlife-patrol-columns", path)
        return frame[["patrol"]]
    for name in ("km", "days"):
        if name in frame:
            frame[name] = numbers(frame, name, path, problems)
            problems.rows("wildlife-effort-negative", path, frame[frame[name] < 0], name)
        else:
            frame[name] = np.nan
    return frame[["patrol", "km", "days"]]


def _track_points(path: Path, notes: Notes) -> pd.DataFrame:
    """The tracks of a handheld: each track (or piece of one) is a patrol."""
    rejected: list[str] = []
    with open_source(path) as source:
        blocks = [
            table.frame.assign(row=table.row)
            for table in format_named("gpx").read(
                source, ReadOptions(), notes.add, lambda *row: rejected.append(row[-1])
            )
        ]
    table = pd.concat(blocks, ignore_index=True)
    table = table[table["kind"] == "track point"] if "kind" in table else table
    return table.rename(columns={"event": "patrol"}).reset_index(drop=True)


def _on_a_plane(frame: pd.DataFrame, path: Path, problems: Problems) -> pd.DataFrame:
    """Degrees as metres on a plane about the middle of the points: true lengths nearby."""
    from pyproj import Transformer

    for name in ("latitude", "longitude"):
        frame[name] = numbers(frame, name, path, problems)
    problems.stop()
    middle = frame[["latitude", "longitude"]].mean()
    plane = f"+proj=laea +lat_0={middle['latitude']:.4f} +lon_0={middle['longitude']:.4f}"
    turn = Transformer.from_crs("EPSG:4326", plane + " +ellps=WGS84", always_xy=True)
    x, y = turn.transform(frame["longitude"].to_numpy(), frame["latitude"].to_numpy())
    return frame.assign(x=x, y=y)


def _totals(points: pd.DataFrame, side: float) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Distance and days of each patrol; for tracks also the distance in each cell."""
    if "moment" not in points:
        sums = points.groupby("patrol", sort=True)[["km", "days"]]
        return sums.sum(min_count=1).reset_index(), None
    points = points.sort_values(["patrol", "moment"], kind="stable")
    track = pd.factorize(points["patrol"])[0]
    x, y = points["x"].to_numpy(np.float64), points["y"].to_numpy(np.float64)
    same = track[1:] == track[:-1]
    step = np.where(same, np.hypot(np.diff(x), np.diff(y)), 0.0)
    km = np.bincount(track[1:], step, int(track.max()) + 1) / 1000.0
    spans = points.groupby("patrol", sort=True)["moment"]
    # A day on which a patrol was out is a patrol-day, however long it was out.
    out = np.floor(points["moment"] + 0.5)
    active = out.groupby(points["patrol"], sort=True).nunique()
    totals = pd.DataFrame({"patrol": list(spans.groups), "km": km, "days": active.to_numpy(float)})
    column, row, length = effort_by_cell(track.astype(np.int64), x, y, side)
    cells = pd.DataFrame(
        {
            "column": column,
            "row": row,
            "x": (column + 0.5) * side,
            "y": (row + 0.5) * side,
            "distance": length / 1000.0,
        }
    )
    return totals, cells


def _encounters(
    paths: Sequence[Path], totals: pd.DataFrame, problems: Problems, notes: Notes
) -> pd.DataFrame:
    """What patrols met: patrol, species, count."""
    frames = [pd.DataFrame({"patrol": [], "species": [], "count": []}, dtype=object)]
    for path in paths:
        frame = read_columns(path, ("count",), ("patrol",), (), notes)
        frame["patrol"] = frame["patrol"].astype(str).str.strip()
        unknown = frame[~frame["patrol"].isin(set(totals["patrol"]))]
        problems.rows("wildlife-patrol-unknown", path, unknown, "patrol")
        frame["count"] = numbers(frame, "count", path, problems) if "count" in frame else 1.0
        frame["species"] = frame["species"].astype(str).str.strip() if "species" in frame else ""
        frames.append(frame[["patrol", "species", "count"]])
    table = pd.concat(frames, ignore_index=True)
    return table.assign(count=table["count"].astype(float))


WILDLIFE_ENCOUNTER_RATE: Final = Indicator(
    id="wildlife.encounter-rate",
    version="1",
    inputs=(
        Input("deployments", "table", noun="Deployment", required=False, coarse="refuse"),
        Input("observations", "table", noun="Observation", required=False, coarse="refuse"),
        Input("failures", "table", noun="DeviceEvent", required=False),
        Input("clocks", "table", required=False),
        Input("patrols", "table", required=False),
        Input("encounters", "table", required=False),
    ),
    parameters=(
        Parameter("species", "text"),
        Parameter("level", "text", "auto", choices=("auto", "event", "media")),
        Parameter("independence", "number", 0.0, minimum=0.0, unit="min"),
        Parameter("rule", "text", "last-independent", choices=("last-independent", "last-record")),
        Parameter("cell", "number", 1000.0, minimum=1.0, unit="m"),
        Parameter("replicates", "integer", 1000, minimum=0, maximum=100_000),
        Parameter("seed", "integer", 0, minimum=0),
    ),
    values={
        "rate": _PER_DAYS,
        "rate_by_distance": _PER_KM,
        "encounters": "records",
        "effort": "d",
        "distance": "km",
        "patrols": "patrols",
    },
    tables={
        "units": _UNITS,
        "patrols": {"patrol": "", "km": "km", "days": "d", "encounters": "records"},
        "cells": _CELLS,
    },
    rasters={},
    citations=(
        Citation("Garwood (1936) Biometrika 28, 437-442", "10.2307/2333958"),
        Citation(
            "O'Brien, Kinnaird and Wibisono (2003) Animal Conservation 6, 131-139",
            "10.1017/S1367943003003172",
        ),
    ),
    compute=compute,
)
