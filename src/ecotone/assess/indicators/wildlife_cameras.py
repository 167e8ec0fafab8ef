"""Camera tables of indicators: deployments with their effort, records with their times."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from ecotone.assess.indicators.reading import Notes
from ecotone.assess.indicators.wildlife_reading import (
    Problems,
    is_missing,
    read_columns,
    require,
)
from ecotone.model.dictionary import by_standard
from ecotone.model.errors import UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.words import say
from ecotone.science.wildlife.encounter import effort

#: A time with its zone: without one it is a different moment in every country.
_ZONED: Final = r"(?:[Zz]|[+-]\d{2}:?\d{2})$"
_EPOCH: Final = pd.Timestamp("2000-01-01T12:00:00Z")


#: Attributes of a node's rows that Camtrap DP calls otherwise than the dictionaries say.
_TIMES: Final = {
    "Deployment": {"time_start": "deploymentStart", "time_end": "deploymentEnd"},
    "Observation": {"time_start": "eventStart", "time_end": "eventEnd"},
}
_FAILURE: Final = {"device": "deploymentID", "time_start": "failureStart", "time_end": "failureEnd"}


def in_standard_fields(frame: pd.DataFrame, noun: str) -> pd.DataFrame:
    """Rows of a node under Camtrap DP's field names; other tables as they are."""
    if "release_level" not in frame and "dataset_id" not in frame:
        return frame
    named = {a: term for term, a in by_standard(noun, "camtrapdp").items()} | _TIMES[noun]
    return frame.rename(columns={a: term for a, term in named.items() if a in frame})


def days(column: pd.Series) -> pd.Series:
    """Days since 2000-01-01 12:00 UTC."""
    return (column - _EPOCH) / pd.Timedelta(days=1)


def times(frame: pd.DataFrame, field: str, path: Path, problems: Problems) -> pd.Series:
    """A column as moments in UTC; a time without zone, or none, is a problem."""
    text = frame[field].astype(str).str.strip()
    moments = pd.to_datetime(text, utc=True, format="ISO8601", errors="coerce")
    zoned = text.str.contains(_ZONED, regex=True)
    problems.rows("wildlife-time-wrong", path, frame[moments.isna()], field)
    problems.rows("wildlife-time-zoneless", path, frame[moments.notna() & ~zoned], field)
    return moments


def read_deployments(
    paths: Sequence[Path],
    failures: Sequence[Path],
    problems: Problems,
    notes: Notes,
    clocks: Sequence[Path] = (),
) -> pd.DataFrame:
    """Deployments: id, latitude, longitude (NaN: unknown), effort in days.

    Deployments of one location that overlap count the time they share once, as the effort of
    the earlier one. The column ``clock`` is what a camera's clock was off, in days, at
    ``clock_from`` and how it drifted since (days a day).
    """
    needed = ("deploymentID", "deploymentStart", "deploymentEnd")
    frames = []
    for path in paths:
        frame = in_standard_fields(read_columns(path, (), (), (), notes), "Deployment")
        require(frame, needed, path)
        frame["start"] = times(frame, "deploymentStart", path, problems)
        frame["end"] = times(frame, "deploymentEnd", path, problems)
        twice = frame[frame.duplicated("deploymentID")]
        problems.rows("wildlife-deployment-twice", path, twice, "deploymentID")
        back = frame[frame["end"] <= frame["start"]]
        problems.rows("wildlife-deployment-backwards", path, back, "deploymentEnd")
        for name in ("latitude", "longitude"):
            frame[name] = pd.to_numeric(frame.get(name), errors="coerce")
        frames.append(frame)
    table = pd.concat(frames, ignore_index=True)
    problems.stop()
    gaps = gaps_of(failures, table, problems, notes)
    problems.stop()
    gaps = pd.concat([gaps, _shared(table, notes)], ignore_index=True)
    table = _clocked(table, clocks, problems, notes)
    table["effort"] = effort(
        days(table["start"]).to_numpy(np.float64),
        days(table["end"]).to_numpy(np.float64),
        gaps["deployment"].to_numpy(np.int64),
        gaps["start"].to_numpy(np.float64),
        gaps["end"].to_numpy(np.float64),
    )
    return table


def _shared(table: pd.DataFrame, notes: Notes) -> pd.DataFrame:
    """The time a deployment shares with earlier ones of its location, as gaps of the later."""
    found = []
    if "locationID" in table:
        places = table["locationID"].where(~is_missing(table["locationID"]))
        for _, part in table.groupby(places):
            part = part.sort_values("start", kind="stable")
            until = part["end"].cummax().shift()
            for index in part.index[(part["start"] < until).to_numpy(dtype=bool)]:
                end = min(until[index], part["end"][index])
                found.append((index, days(part["start"])[index], (end - _EPOCH).total_seconds()))
                params = {"first": str(part["locationID"][index])}
                row = int(table["row"][index])
                value = str(table["deploymentID"][index])
                notes.add(
                    Finding(
                        "wildlife-deployments-overlap",
                        Severity.WARNING,
                        row=row,
                        field="deploymentStart",
                        value=value,
                        params=params,
                    )
                )
    shared = pd.DataFrame(found, columns=["deployment", "start", "end"])
    return shared.assign(end=shared["end"] / 86_400.0)


def _clocked(
    table: pd.DataFrame, paths: Sequence[Path], problems: Problems, notes: Notes
) -> pd.DataFrame:
    """What each camera's clock was off: ``cameraTime`` as shown when it truly was ``trueTime``.

    One comparison shifts all times of a deployment; two or more give the drift between the
    first and the last.
    """
    table = table.assign(clock=0.0, clock_from=0.0, drift=0.0)
    for path in paths:
        needed = ("deploymentID", "cameraTime", "trueTime")
        frame = read_columns(path, (), needed, (), notes)
        unknown = frame[~frame["deploymentID"].isin(set(table["deploymentID"]))]
        problems.rows("wildlife-deployment-unknown", path, unknown, "deploymentID")
        shown = days(times(frame, "cameraTime", path, problems))
        true = days(times(frame, "trueTime", path, problems))
        problems.stop()
        told = frame.assign(shown=shown, off=true - shown).sort_values("shown", kind="stable")
        for name, part in told.groupby("deploymentID"):
            span = float(part["shown"].iat[-1] - part["shown"].iat[0])
            change = float(part["off"].iat[-1] - part["off"].iat[0])
            own = table["deploymentID"] == name
            table.loc[own, "clock"] = float(part["off"].iat[0])
            table.loc[own, "clock_from"] = float(part["shown"].iat[0])
            table.loc[own, "drift"] = change / span if span > 0 else 0.0
    corrected = int(((table["clock"] != 0.0) | (table["drift"] != 0.0)).sum())
    if corrected:
        params = {"count": str(corrected)}
        notes.add(Finding("wildlife-clocks-corrected", Severity.INFO, params=params))
    return table


def gaps_of(
    paths: Sequence[Path], deployments: pd.DataFrame, problems: Problems, notes: Notes
) -> pd.DataFrame:
    """Failures within deployments: index of the deployment, start and end in days."""
    place = {name: k for k, name in enumerate(deployments["deploymentID"])}
    frames = [pd.DataFrame({"deployment": [], "start": [], "end": []})]
    for path in paths:
        needed = ("deploymentID", "failureStart", "failureEnd")
        frame = read_columns(path, (), (), (), notes)
        if "device" in frame and "kind" in frame:
            # Rows of a node: what its cameras' alarms tell.
            own = frame["kind"].eq("alarm") & frame["device"].isin(set(place))
            frame = frame[own].rename(columns=_FAILURE)
        require(frame, needed, path)
        unknown = frame[~frame["deploymentID"].isin(set(place))]
        problems.rows("wildlife-deployment-unknown", path, unknown, "deploymentID")
        start = days(times(frame, "failureStart", path, problems))
        end = days(times(frame, "failureEnd", path, problems))
        index = frame["deploymentID"].map(place)
        frames.append(pd.DataFrame({"deployment": index, "start": start, "end": end}).dropna())
    return pd.concat(frames, ignore_index=True)


def read_records(
    paths: Sequence[Path],
    deployments: pd.DataFrame | None,
    level: str,
    problems: Problems,
    notes: Notes,
) -> pd.DataFrame:
    """Animal records of one level: deployment, species, moment and the clock as written.

    Where ``level`` is ``auto``, events are taken if there are any, else media: both describe
    the same animals and are never added.
    """
    frames = []
    for path in paths:
        frame = in_standard_fields(read_columns(path, (), (), (), notes), "Observation")
        require(frame, ("deploymentID", "eventStart"), path)
        frame["time"] = times(frame, "eventStart", path, problems)
        if deployments is not None:
            unknown = frame[~frame["deploymentID"].isin(set(deployments["deploymentID"]))]
            problems.rows("wildlife-deployment-unknown", path, unknown, "deploymentID")
        frames.append(frame)
    table = pd.concat(frames, ignore_index=True)
    problems.stop()
    if deployments is not None:
        table = _corrected(table, deployments)
    table = _of_level(table, level, notes)
    if "observationType" in table:
        table = table[table["observationType"].astype(str).str.strip() == "animal"]
    species = table.get("scientificName")
    known = pd.Series("", index=table.index) if species is None else species
    table = table.assign(species=known.where(~is_missing(known), "").astype(str).str.strip())
    return table[table["time"].notna()].reset_index(drop=True)


def _corrected(table: pd.DataFrame, deployments: pd.DataFrame) -> pd.DataFrame:
    """Records at the time it truly was, where their camera's clock was compared."""
    own = deployments.set_index("deploymentID").loc[table["deploymentID"]]
    shown = days(table["time"]).to_numpy(np.float64)
    off = own["clock"].to_numpy() + own["drift"].to_numpy() * (shown - own["clock_from"].to_numpy())
    return table.assign(time=table["time"] + pd.to_timedelta(off, unit="D"), off=off)


def _of_level(table: pd.DataFrame, level: str, notes: Notes) -> pd.DataFrame:
    if "observationLevel" not in table:
        return table
    told = table["observationLevel"].astype(str).str.strip()
    if level == "auto":
        level = "event" if (told == "event").any() else "media"
        other = int((told != level).sum())
        params = {"level": level, "count": str(other)}
        if other:
            notes.add(Finding("wildlife-one-level", Severity.INFO, params=params))
    return table[told == level]


def of_species(records: pd.DataFrame, name: str | None) -> pd.DataFrame:
    """Records of one species, whatever the case of its name; UsageError where there are none."""
    if name is None:
        return records
    own = records["species"].str.casefold() == name.strip().casefold()
    if not own.any():
        known = ", ".join(sorted(set(records["species"]) - {""})[:20])
        raise UsageError(say("assess.wildlife.species-unknown", species=name, known=known))
    return records[own]
