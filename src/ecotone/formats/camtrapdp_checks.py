"""What Camtrap DP asks of the rows of its tables, judged a block at a time.

Rules of the table schemas (types, required, lists, ranges, patterns, keys, times with zones)
reject a row. Rules between fields and tables that the schemas cannot say (an event inside its
deployment, a media-level observation with its medium, a whole bounding box) are told.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as made
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.formats.camtrapdp_rules import FOREIGN, KEYS, FieldRule, rules
from ecotone.formats.keybook import KeyBook, hashes

Mask = NDArray[np.bool_]
Instants = NDArray[np.int64]

_NO_TIME: Final = np.iinfo(np.int64).min
_WHEN: Final = r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.]\d{1,9})?)?"
_ZONED: Final = _WHEN + r"(Z|[+-]\d{2}:?\d{2})"
_INTEGER: Final = r"[+-]?\d{1,18}"
_WHOLE_DECIMAL: Final = r"[+-]?\d{1,18}[.]0+"
_TRUTHS: Final = ("true", "false", "1", "0", "True", "False", "TRUE", "FALSE")
#: ``{table: (first, last)}``: the fields of its interval.
_INTERVALS: Final = {
    "deployments": ("deploymentStart", "deploymentEnd"),
    "observations": ("eventStart", "eventEnd"),
}
_BOX: Final = ("bboxX", "bboxY", "bboxWidth", "bboxHeight")


@dataclass(frozen=True)
class Fault:
    """Rows of a block that break one rule."""

    code: str
    field: str
    rows: Mask
    rejects: bool = True
    params: dict[str, str] = made(default_factory=dict)


@dataclass
class Windows:
    """When each deployment was out, by the hash of its identifier."""

    key: NDArray[np.uint64] = made(default_factory=lambda: np.array([], dtype=np.uint64))
    first: Instants = made(default_factory=lambda: np.array([], dtype=np.int64))
    last: Instants = made(default_factory=lambda: np.array([], dtype=np.int64))

    def add(self, names: pd.Series, first: Instants, last: Instants) -> None:
        """Enter deployments whose both ends are known."""
        good = names.notna().to_numpy(dtype=bool) & (first != _NO_TIME) & (last != _NO_TIME)
        key = np.concatenate([self.key, hashes(names)[good]])
        order = np.argsort(key, kind="stable")
        self.key = key[order]
        self.first = np.concatenate([self.first, first[good]])[order]
        self.last = np.concatenate([self.last, last[good]])[order]

    def outside(self, names: pd.Series, moment: Instants) -> Mask:
        """Where a known moment lies before or after the deployment it names."""
        if not len(self.key):
            return np.zeros(len(names), dtype=np.bool_)
        asked = hashes(names)
        place = np.searchsorted(self.key, asked)
        place[place == len(self.key)] = 0
        known = (self.key[place] == asked) & (moment != _NO_TIME)
        beyond = (moment < self.first[place]) | (moment > self.last[place])
        return np.asarray(known & beyond, dtype=np.bool_)


class Judge:
    """Judges the tables of one package, deployments first, then media, then observations."""

    def __init__(self, zone: dt.tzinfo | None, taxa: frozenset[str]) -> None:
        self._zone = zone
        self._taxa = taxa
        self._told: set[str] = set()
        self._keys = {table: KeyBook() for table in KEYS}
        self._windows = Windows()
        self._paths = KeyBook()

    def known_deployments(self, names: pd.Series) -> Mask:
        """Which of these the package has."""
        return self._keys["deployments"].has(names)

    def outside(self, names: pd.Series, moment: Instants) -> Mask:
        """Where a known moment lies before or after the deployment it names."""
        return self._windows.outside(names, moment)

    @property
    def zone(self) -> dt.tzinfo | None:
        """The zone the deliverer declared for times that carry none."""
        return self._zone

    def faults(self, table: str, frame: pd.DataFrame) -> list[Fault]:
        """All faults of a block whose columns are the standard's; missing cells are NA."""
        found: list[Fault] = []
        times: dict[str, Instants] = {}
        for rule in rules(table):
            if rule.name not in frame:
                continue
            found += _faults_of(rule, frame[rule.name])
            if rule.kind == "datetime":
                moments, faults = read_times(rule.name, frame[rule.name], self._zone)
                times[rule.name] = moments
                found += faults
        found += self._key_faults(table, frame)
        found += self._interval_faults(table, frame, times)
        if table == "deployments":
            found += _overlap_faults(frame, times)
        if table == "media" and "filePath" in frame:
            again = self._paths.add(frame["filePath"])
            found.append(Fault("camtrapdp-media-twice", "filePath", again, rejects=False))
        if table == "observations":
            found += list(_observation_faults(frame))
            found += self._name_faults(frame)
        return [fault for fault in found if fault.rows.any()]

    def _key_faults(self, table: str, frame: pd.DataFrame) -> list[Fault]:
        key = KEYS[table]
        found = [Fault("camtrapdp-key-twice", key, self._keys[table].add(frame[key]))]
        for column, target in FOREIGN[table]:
            if column not in frame:
                continue
            filled = frame[column].notna().to_numpy(dtype=bool)
            loose = filled & ~self._keys[target].has(frame[column])
            found.append(Fault("camtrapdp-key-loose", column, loose, params={"table": target}))
        return found

    def _interval_faults(
        self, table: str, frame: pd.DataFrame, times: dict[str, Instants]
    ) -> list[Fault]:
        found: list[Fault] = []
        if table in _INTERVALS:
            start, end = _INTERVALS[table]
            first, last = times[start], times[end]
            turned = (first > last) & (first != _NO_TIME) & (last != _NO_TIME)
            found.append(Fault("camtrapdp-interval", end, turned, params={"start": start}))
            if table == "deployments":
                # Where the clock is known to be wrong, "outside" would tell nothing new.
                trusted = frame.get("timestampIssues", pd.Series(pd.NA, index=frame.index))
                wrong = trusted.isin(("true", "True", "TRUE", "1")).to_numpy(dtype=bool)
                usable = ~turned & ~wrong
                self._windows.add(frame[KEYS[table]][usable], first[usable], last[usable])
                return found
            moments = {start: first, end: np.where(turned, _NO_TIME, last)}
        else:
            moments = {"timestamp": times["timestamp"]}
        told = np.zeros(len(frame), dtype=np.bool_)
        for column, moment in moments.items():
            outside = self._windows.outside(frame["deploymentID"], moment) & ~told
            told |= outside
            found.append(Fault("camtrapdp-outside-deployment", column, outside, rejects=False))
        return found

    def _name_faults(self, frame: pd.DataFrame) -> list[Fault]:
        """Names outside the taxonomic scope, each told once."""
        if not self._taxa or "scientificName" not in frame:
            return []
        names = frame["scientificName"]
        strange = set(names.dropna().unique()) - self._taxa - self._told
        if not strange:
            return []
        self._told |= strange
        first = names.isin(strange) & ~names.duplicated()
        rows = first.to_numpy(dtype=bool)
        return [Fault("camtrapdp-name-unlisted", "scientificName", rows, rejects=False)]


def _overlap_faults(frame: pd.DataFrame, times: dict[str, Instants]) -> Iterator[Fault]:
    """Deployments of one camera, or of one place that names no camera, that overlap in time.

    Of each overlapping pair the later row is told. Two cameras that face each other at one place
    are no fault.
    """
    first, last = times["deploymentStart"], times["deploymentEnd"]
    known = (first != _NO_TIME) & (last != _NO_TIME) & (first <= last)
    done = np.zeros(len(frame), dtype=np.bool_)
    for column in ("cameraID", "locationID"):
        if column not in frame:
            continue
        named = frame[column].notna().to_numpy(dtype=bool) & known & ~done
        if column == "cameraID":
            done = frame[column].notna().to_numpy(dtype=bool)
        table = pd.DataFrame({"name": frame[column], "first": first, "last": last})[named]
        table = table.sort_values(["name", "first"], kind="stable")
        until = table.groupby("name", sort=False)["last"].cummax()
        before = until.groupby(table["name"], sort=False).shift()
        over = table.index[(before > table["first"]).to_numpy(dtype=bool, na_value=False)]
        rows = np.zeros(len(frame), dtype=np.bool_)
        rows[frame.index.get_indexer(over)] = True
        yield Fault("camtrapdp-deployments-overlap", column, rows, rejects=False)


def _faults_of(rule: FieldRule, cells: pd.Series) -> list[Fault]:
    """The faults of one column against its own rule, times apart."""
    filled = cells.notna().to_numpy(dtype=bool)
    found = [Fault("camtrapdp-required", rule.name, ~filled)] if rule.required else []
    if not filled.any():
        return found
    if rule.kind in ("number", "integer"):
        found += _number_faults(rule, cells, filled)
    elif rule.kind == "boolean":
        wrong = filled & ~cells.isin(_TRUTHS).to_numpy(dtype=bool)
        found.append(Fault("camtrapdp-choice", rule.name, wrong, params={"wanted": "true, false"}))
    if rule.choices:
        wrong = filled & ~cells.isin(rule.choices).to_numpy(dtype=bool)
        wanted = ", ".join(rule.choices)
        found.append(Fault("camtrapdp-choice", rule.name, wrong, params={"wanted": wanted}))
    if rule.pattern:
        wrong = filled & ~_matches(cells, rule.pattern)
        found.append(Fault("camtrapdp-pattern", rule.name, wrong, params={"wanted": rule.pattern}))
    if rule.forbidden:
        wrong = filled & cells.str.contains(rule.forbidden, na=False).to_numpy(dtype=bool)
        found.append(Fault("camtrapdp-path", rule.name, wrong))
    return found


def _number_faults(rule: FieldRule, cells: pd.Series, filled: Mask) -> list[Fault]:
    numbers = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    good = np.isfinite(numbers)
    found: list[Fault] = []
    if rule.kind == "integer":
        whole = _matches(cells, _INTEGER)
        pointed = filled & ~whole & _matches(cells, _WHOLE_DECIMAL)
        found.append(Fault("camtrapdp-integer-point", rule.name, pointed, rejects=False))
        good &= whole | pointed
    found.append(Fault("camtrapdp-number", rule.name, filled & ~good, params={"wanted": rule.kind}))
    low = -np.inf if rule.minimum is None else rule.minimum
    high = np.inf if rule.maximum is None else rule.maximum
    beyond = filled & good & ((numbers < low) | (numbers > high))
    span = f"{_shown(rule.minimum)} … {_shown(rule.maximum)}"
    found.append(Fault("camtrapdp-range", rule.name, beyond, params={"wanted": span}))
    return found


def _shown(bound: float | None) -> str:
    return "" if bound is None else f"{bound:g}"


def _matches(cells: pd.Series, pattern: str) -> Mask:
    """Whether the whole cell matches; a missing one does not."""
    return cells.str.fullmatch(pattern, na=False).to_numpy(dtype=bool)


def read_times(name: str, cells: pd.Series, zone: dt.tzinfo | None) -> tuple[Instants, list[Fault]]:
    """Instants in microseconds since 1970 UTC, and what is wrong with which cell.

    A cell without zone is a fault unless the deliverer declared a zone.
    """
    filled = cells.notna().to_numpy(dtype=bool)
    zoned = _matches(cells, _ZONED)
    naive = filled & ~zoned & _matches(cells, _WHEN)
    moments = np.full(len(cells), _NO_TIME, dtype=np.int64)
    moments[zoned] = _instants(
        pd.to_datetime(
            cells[zoned].str.replace(" ", "T", regex=False),
            format="ISO8601",
            utc=True,
            errors="coerce",
        )
    )
    faults: list[Fault] = []
    if zone is None:
        faults.append(Fault("camtrapdp-time-zone", name, naive))
        naive_read = np.zeros(len(cells), dtype=np.bool_)
    else:
        local = pd.to_datetime(cells[naive], format="ISO8601", errors="coerce")
        placed = local.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
        moments[naive] = _instants(placed.dt.tz_convert("UTC"))
        naive_read = naive
    unread = filled & ~naive & (moments == _NO_TIME)
    faults.append(Fault("camtrapdp-time", name, unread & ~naive_read))
    return moments, faults


def _instants(times: pd.Series) -> Instants:
    """Microseconds since 1970; a time that could not be read is ``_NO_TIME``, as NaT is."""
    plain = times.dt.tz_convert("UTC").dt.tz_localize(None)
    instants: Instants = plain.to_numpy(dtype="datetime64[us]").view(np.int64)
    return instants


def _observation_faults(frame: pd.DataFrame) -> Iterator[Fault]:
    """Rules between the fields of an observation that the table schema cannot say."""

    def filled(name: str) -> Mask:
        if name not in frame:
            return np.zeros(len(frame), dtype=np.bool_)
        return frame[name].notna().to_numpy(dtype=bool)

    level = frame["observationLevel"].eq("media").fillna(False).to_numpy(dtype=bool)
    unnamed = np.asarray(level & ~filled("mediaID"), dtype=np.bool_)
    yield Fault("camtrapdp-media-unnamed", "mediaID", unnamed, rejects=False)
    boxes = np.column_stack([filled(name) for name in _BOX])
    broken = np.asarray(boxes.any(axis=1) & ~boxes.all(axis=1), dtype=np.bool_)
    yield Fault("camtrapdp-box-incomplete", "bboxX", broken, rejects=False)
    if "classificationMethod" in frame:
        machine = frame["classificationMethod"].eq("machine").fillna(False).to_numpy(dtype=bool)
        odd = np.asarray(filled("classificationProbability") & ~machine, dtype=np.bool_)
        yield Fault(
            "camtrapdp-probability-not-machine", "classificationProbability", odd, rejects=False
        )
