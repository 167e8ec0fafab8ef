"""Carries a run out again and compares it number by number."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecotone.assess import plan as plans
from ecotone.assess.compute import compute, sha256_of
from ecotone.assess.executor import Executor, Threads
from ecotone.assess.regions import EVERYWHERE, Region, read_regions
from ecotone.formats.raster_write import same_numbers
from ecotone.model.errors import UsageError
from ecotone.model.words import say

if TYPE_CHECKING:
    from ecotone.model.result import Result


@dataclass(frozen=True)
class Difference:
    """One thing that is not as the run says."""

    result: str
    what: str
    then: str
    now: str


@dataclass(frozen=True)
class Verdict:
    """How many numbers were compared and which differ."""

    compared: int
    differences: list[Difference]

    @property
    def holds(self) -> bool:
        """Whether the run stands."""
        return not self.differences


def verify(
    run: Path,
    *,
    executor: Executor | None = None,
    progress: Callable[[int, int, str], None] = lambda done, total, what: None,
) -> Verdict:
    """Recompute every result of ``run`` from its inputs and compare each number.

    Raises UsageError where ``run`` is no run folder.
    """
    path = run / "run.json"
    if not path.is_file():
        raise UsageError(say("assess.run-absent", path=run))
    document = json.loads(path.read_text(encoding="utf-8"))
    differences = list(changed_inputs(run, document))
    if differences:
        return Verdict(len(document["inputs"]), differences)
    by_name: dict[str, list[Path]] = {}
    for item in document["inputs"]:
        by_name.setdefault(item["name"], []).append((run / item["path"]).resolve())
    regions = regions_of(run, document)
    compared = len(document["inputs"])
    for number, told in enumerate(document["results"]):
        progress(number, len(document["results"]), told["path"])
        with tempfile.TemporaryDirectory(prefix="ecotone-verify-") as scratch:
            again = _again(run, told, by_name, regions, Path(scratch), executor)
            count, found = _compare(run, told, again, Path(scratch))
        compared += count
        differences.extend(found)
    return Verdict(compared, differences)


def changed_inputs(run: Path, document: dict[str, Any]) -> Iterator[Difference]:
    """The inputs of a run that are gone or no longer what they were."""
    for item in document["inputs"]:
        path = (run / item["path"]).resolve()
        now = sha256_of(path) if path.exists() else "-"
        if now != item["sha256"]:
            yield Difference("", item["name"], item["sha256"], now)


def regions_of(run: Path, document: dict[str, Any]) -> dict[str, Region]:
    """The regions of a run by id, as they were."""
    plan = plans.load(run / "plan.toml")
    if plan.regions is None:
        return {EVERYWHERE.id: EVERYWHERE}
    copy = run / document["files"]["regions"]
    return {r.id: r for r in read_regions(copy, plan.regions)}


def _again(
    run: Path,
    told: dict[str, Any],
    by_name: dict[str, list[Path]],
    regions: dict[str, Region],
    scratch: Path,
    executor: Executor | None,
) -> Result:
    then = json.loads((run / told["path"]).read_text(encoding="utf-8"))
    inputs: dict[str, list[Path]] = {}
    for item in then["inputs"]:
        taken = inputs.setdefault(item["name"], [])
        taken.extend(p for p in by_name[item["path"]] if p not in taken)
    given = {k: v for k, v in told["parameters"].items() if v is not None}
    return compute(
        told["indicator"],
        inputs,
        given,
        scratch,
        executor=executor or Threads(),
        region=regions[told["region"]].geometry,
    )


def _compare(
    run: Path, told: dict[str, Any], again: Result, scratch: Path
) -> tuple[int, list[Difference]]:
    folder = (run / told["path"]).parent
    then = json.loads((run / told["path"]).read_text(encoding="utf-8"))
    now = again.model_dump(mode="json")
    compared = 0
    found: list[Difference] = []
    for name in sorted(then["values"].keys() | now["values"].keys()):
        before, after = then["values"].get(name), now["values"].get(name)
        compared += 1
        if before != after:
            found.append(Difference(told["path"], name, json.dumps(before), json.dumps(after)))
    for kind in ("tables", "rasters", "vectors"):
        for name in sorted(then[kind].keys() | now[kind].keys()):
            compared += 1
            before, after = (
                base / paths[kind][name] if name in paths[kind] else None
                for base, paths in ((folder, then), (scratch, now))
            )
            if not _same_file(before, after, kind):
                found.append(
                    Difference(told["path"], f"{kind}.{name}", _hash_of(before), _hash_of(after))
                )
    return compared, found


def _same_file(before: Path | None, after: Path | None, kind: str) -> bool:
    """Same bytes; for a raster the same numbers suffice: its container may be written anew."""
    if before is None or after is None or not before.is_file() or not after.is_file():
        return False
    if sha256_of(before) == sha256_of(after):
        return True
    return kind == "rasters" and same_numbers(before, after)


def _hash_of(path: Path | None) -> str:
    return sha256_of(path) if path and path.is_file() else "-"
