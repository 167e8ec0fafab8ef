"""A plan's inputs: files where the plan names paths, else what the door releases.

What a reader was given is written into the run folder as CSV (and raster files are named by
hash), so that a run can be verified later without the node having stood still.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ecotone.assess.compute import sha256_of, write_atomically
from ecotone.assess.indicator import Input
from ecotone.assess.plan import Task, datasets_of, is_node
from ecotone.assess.registry import get
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.filenames import file_name
from ecotone.model.words import say

if TYPE_CHECKING:
    from ecotone.share.door import Door, Line, Released

#: Names of datasets; None for all.
Datasets = tuple[str, ...] | None

#: Opens the node's door for this run; None where the plan works on files alone.
OpenDoor = Callable[[], "Door"]


@dataclass
class Gathered:
    """The inputs of a run: every file by the name it is told under, and what the door said."""

    folder: Path
    as_known: datetime | None = None
    names: dict[Path, str] = field(default_factory=dict)
    origins: dict[Path, str] = field(default_factory=dict)
    hashes: dict[Path, str] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    _given: dict[tuple[str, Datasets], tuple[Path, ...]] = field(default_factory=dict)
    _coverages_of: dict[Datasets, Released] = field(default_factory=dict)
    _under: dict[Path, set[str]] = field(default_factory=dict)
    _of_task: dict[int, tuple[Path, ...]] = field(default_factory=dict)

    def inputs_of(
        self, task: Task, base: Path, open_door: OpenDoor | None
    ) -> dict[str, tuple[Path, ...]]:
        """The files of each input of a task."""
        found: dict[str, tuple[Path, ...]] = {}
        declared = {i.name: i for i in get(task.id).inputs}
        for name, given in task.inputs.items():
            if name not in declared:
                raise UsageError(
                    say(
                        "assess.input-unknown",
                        name=name,
                        indicator=task.id,
                        known=", ".join(declared),
                    )
                )
            listed = [given] if isinstance(given, str) else given
            found[name] = tuple(
                path
                for entry in listed
                for path in (
                    self._from_node(declared[name], open_door, datasets_of(entry))
                    if is_node(entry)
                    else (self._from_file(base, entry),)
                )
            )
        self._of_task[id(task)] = tuple(path for paths in found.values() for path in paths)
        return found

    def releases_of(self, task: Task) -> list[str]:
        """The releases that the files of a task came by: what its numbers and figures stand on."""
        under = [self._under.get(path, set()) for path in self._of_task[id(task)]]
        return sorted(set().union(*under))

    def _from_file(self, base: Path, entry: str) -> Path:
        path = (base / entry).resolve()
        if path.exists():
            self._remember(path, entry, "plan")
        return path

    def _from_node(
        self, wanted: Input, open_door: OpenDoor | None, datasets: Datasets
    ) -> tuple[Path, ...]:
        if open_door is None:
            raise UsageError(say("assess.no-node", name=wanted.name))
        if wanted.noun is None:
            raise UsageError(say("assess.input-no-noun", name=wanted.name))
        stack = wanted.kind == "raster stack"
        key = (wanted.name if stack else wanted.noun, datasets)
        if key not in self._given:
            door = open_door()
            self._given[key] = (
                self._coverages(door, wanted.name, datasets)
                if stack
                else self._rows(door, wanted, datasets)
            )
        return self._given[key]

    def _coverages(self, door: Door, variable: str, datasets: Datasets) -> tuple[Path, ...]:
        """The stacks of one variable; one that does not name its variable is taken at its word."""
        if datasets not in self._coverages_of:
            self._coverages_of[datasets] = self._release(door, "Coverage", datasets)
            self.lines.extend(self._coverages_of[datasets].lines)
        released = self._coverages_of[datasets]
        rows = released.rows
        if not rows.empty:
            names = rows["variable"].astype("str").str.casefold()
            of_it = rows["variable"].isna() | names.str.contains(variable.casefold(), regex=False)
            rows = rows[of_it].dropna(subset=["sha256"])
        if rows.empty:
            raise NotComputable(say("assess.nothing-released", noun=f"Coverage ({variable})"))
        paths = []
        told = zip(rows["sha256"], rows["name"], rows["dataset_id"], strict=True)
        for sha256, name, dataset in sorted(told):
            path = door.file(str(sha256))
            self._remember(path, str(name), "node")
            self._stands_on(path, (x for x in released.lines if x.decision.dataset_id == dataset))
            paths.append(path)
        return tuple(paths)

    def _rows(self, door: Door, wanted: Input, datasets: Datasets) -> tuple[Path, ...]:
        released = self._release(door, str(wanted.noun), datasets)
        lines = [*released.lines]
        self.lines.extend(released.lines)
        if released.rows.empty:
            raise NotComputable(say("assess.nothing-released", noun=wanted.noun))
        frame = released.rows
        if wanted.noun == "Observation":
            sites = self._release(door, "Site", datasets)
            self.lines.extend(sites.lines)
            lines.extend(sites.lines)
            frame = _placed_by_site(frame, sites.rows)
        some = "" if datasets is None else f"-{'-'.join(datasets)}"
        path = self.folder / f"{wanted.noun}{file_name(some) if some else ''}.csv"
        text = frame.dropna(axis="columns", how="all").to_csv(index=False, lineterminator="\n")
        write_atomically(path, text.encode())
        self._remember(path, f"inputs/{path.name}", "node")
        self._stands_on(path, lines)
        return (path,)

    def _release(self, door: Door, noun: str, datasets: Datasets) -> Released:
        return door.release(noun, as_of=self.as_known, datasets=datasets)

    def _stands_on(self, path: Path, lines: Iterable[Line]) -> None:
        self._under.setdefault(path, set()).update(line.release_id for line in lines)

    def _remember(self, path: Path, name: str, origin: str) -> None:
        if path not in self.names:
            self.names[path] = name
            self.origins[path] = origin
            self.hashes[path] = sha256_of(path)


def _placed_by_site(rows: pd.DataFrame, sites: pd.DataFrame) -> pd.DataFrame:
    """Observations without a place take that of their site, where both were released."""
    if sites.empty or "site" not in rows:
        return rows
    # Two parties may call two places by one name.
    places = sites.drop_duplicates(["dataset_id", "site_id"]).set_index(["dataset_id", "site_id"])
    out = rows.copy()
    where = pd.MultiIndex.from_frame(out[["dataset_id", "site"]])
    for name in ("latitude", "longitude"):
        of_site = pd.Series(places[name].reindex(where).to_numpy(), index=out.index)
        out[name] = out[name].fillna(of_site) if name in out else of_site
    return out
