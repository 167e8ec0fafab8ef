"""Carries a plan out: every indicator over its regions and periods, into one run folder.

Layout of a run::

    run.json                    what was asked, of whom, with what; where each result lies
    plan.toml  regions.*  boundaries.*       as they were
    inputs/                     rows the door released, as CSV
    results/REGION/PERIOD/INDICATOR/result.json  tables/  rasters/
    ro-crate-metadata.json      provenance (RO-Crate 1.2)
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecotone import __version__
from ecotone.assess.compute import compute, sha256_of, write_atomically
from ecotone.assess.executor import Executor, Threads
from ecotone.assess.gather import Gathered, OpenDoor
from ecotone.assess.indicator import Indicator, Scalar
from ecotone.assess.plan import Period, Plan, Task, load
from ecotone.assess.provenance import software, write_crate
from ecotone.assess.regions import EVERYWHERE, Region, choose, read_regions
from ecotone.assess.registry import get
from ecotone.assess.signoff import card
from ecotone.model.agreement import Agreement
from ecotone.model.filenames import file_name
from ecotone.model.result import Result
from ecotone.model.words import LANGUAGES
from ecotone.share.agreements import digest
from ecotone.share.sentences import sentences, what

#: Told after each result: done, of how many, what.
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Step:
    """One result to compute."""

    task: Task
    region: Region
    period: Period

    @property
    def path(self) -> str:
        """Where the result lies in the run folder."""
        parts = (self.region.id, self.period.id, self.task.id)
        return "/".join(["results", *map(file_name, parts)])

    def parameters(self) -> dict[str, Scalar]:
        """The task's parameters; ``start`` and ``end`` from the period where not given."""
        known = {p.name for p in get(self.task.id).parameters}
        years: dict[str, Scalar] = {"start": self.period.start, "end": self.period.end}
        return {k: v for k, v in years.items() if k in known} | dict(self.task.parameters)


def assess(
    plan_path: Path,
    runs: Path,
    *,
    open_door: OpenDoor | None = None,
    executor: Executor | None = None,
    progress: Progress = lambda done, total, what: None,
) -> Path:
    """Carry out a plan and return the run folder.

    The folder is built under a temporary name and renamed when whole: an interrupted run
    leaves no half run, and running the same plan on the same inputs gives the same id.
    """
    plan = load(plan_path)
    base = plan_path.parent
    steps = list(_steps(plan, base))
    building = runs / f".building-{sha256_of(plan_path)[:12]}"
    shutil.rmtree(building, ignore_errors=True)
    (building / "inputs").mkdir(parents=True)
    try:
        gathered = Gathered(building / "inputs", plan.known_at())
        inputs = {id(t): gathered.inputs_of(t, base, open_door) for t in plan.indicators}
        results: list[tuple[Step, Result]] = []
        for number, step in enumerate(steps):
            progress(number, len(steps), step.path)
            result = compute(
                step.task.id,
                inputs[id(step.task)],
                step.parameters(),
                building / step.path,
                executor=executor or Threads(),
                region=step.region.geometry,
                names=gathered.names,
            )
            results.append((step, result))
        progress(len(steps), len(steps), "")
        run_id = _run_id(plan_path, gathered, results)
        final = runs / f"{plan.date.isoformat()}-{run_id}"
        copies = _copy_plan(plan, plan_path, building)
        door = open_door() if open_door and gathered.lines else None
        document = _document(plan, final, gathered, results, copies, door)
        text = json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True)
        write_atomically(building / "run.json", (text + "\n").encode())
        write_crate(building, document)
        if final.exists():
            kept = card(final)
            if kept is not None and kept.steps:
                # The same plan on the same inputs: what has been signed stays as it is.
                return final
            shutil.rmtree(final)
        building.rename(final)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return final


def _steps(plan: Plan, base: Path) -> Iterator[Step]:
    regions = read_regions(base / plan.regions.path, plan.regions) if plan.regions else [EVERYWHERE]
    periods = {p.id: p for p in plan.periods}
    for task in plan.indicators:
        get(task.id).parse(task.parameters)
        for region in choose(regions, task.regions):
            for name in task.periods or periods:
                yield Step(task, region, periods[name])


def _run_id(plan: Path, gathered: Gathered, results: list[tuple[Step, Result]]) -> str:
    """The run's identity: its plan, the bytes it read and the software that read them."""
    total = hashlib.sha256(plan.read_bytes())
    total.update(__version__.encode())
    for path in sorted(gathered.names, key=lambda p: gathered.names[p]):
        total.update(f"{gathered.names[path]}\0{gathered.hashes[path]}\n".encode())
    for step, result in results:
        total.update(f"{step.path}\0{result.version}\n".encode())
    return total.hexdigest()[:12]


def _copy_plan(plan: Plan, plan_path: Path, run: Path) -> dict[str, str]:
    copies = {"plan": "plan.toml"}
    shutil.copyfile(plan_path, run / "plan.toml")
    named = {
        "regions": plan.regions.path if plan.regions else None,
        "boundaries": plan.boundaries.path if plan.boundaries else None,
        "truth": plan.truth,
        "exchange": plan.exchange,
    }
    for kind, path in named.items():
        if path:
            source = plan_path.parent / path
            copies[kind] = f"{kind}{source.suffix}"
            shutil.copyfile(source, run / copies[kind])
    return copies


def _document(
    plan: Plan,
    final: Path,
    gathered: Gathered,
    results: list[tuple[Step, Result]],
    copies: dict[str, str],
    door: Any,
) -> dict[str, Any]:
    regions = {s.region.id: s.region for s, _ in results}
    boundaries = plan.boundaries
    return {
        "id": final.name.rsplit("-", 1)[1],
        "title": plan.title,
        "subtitle": plan.subtitle,
        "created": plan.date.isoformat(),
        "status": plan.status,
        "approvals": [],
        "parties": door.parties() if door else {},
        "reader": plan.reader,
        "purpose": plan.purpose,
        "as_known": plan.as_known.isoformat() if plan.as_known else None,
        "regions": [{"id": r.id, "name": r.name} for r in regions.values()],
        "periods": [p.model_dump() for p in plan.periods],
        "files": copies,
        "boundaries": {
            "path": copies["boundaries"],
            "disclaimer": boundaries.disclaimer,
            "approval": boundaries.approval,
            "disputed": boundaries.disputed,
        }
        if boundaries
        else None,
        "results": [_told(s, r, gathered.releases_of(s.task)) for s, r in results],
        "agreements": _agreements(gathered, door),
        "not_released": _not_released(door) if door else [],
        "inputs": [
            {
                "name": gathered.names[path],
                "path": _relative(path, gathered.folder.parent, final),
                "sha256": gathered.hashes[path],
                "origin": gathered.origins[path],
            }
            for path in sorted(gathered.names, key=lambda p: gathered.names[p])
        ],
        "software": software(),
        "truth": copies.get("truth"),
        "exchange": copies.get("exchange"),
    }


def _told(step: Step, result: Result, releases: list[str]) -> dict[str, Any]:
    indicator: Indicator = get(step.task.id)
    return {
        "indicator": indicator.id,
        "version": indicator.version,
        "region": step.region.id,
        "period": step.period.id,
        "path": f"{step.path}/result.json",
        "parameters": result.parameters,
        "releases": releases,
        **{
            part: {lang: indicator.words(part, lang) for lang in LANGUAGES}
            for part in ("title", "summary", "method")
        },
        "citations": [{"text": c.text, "doi": c.doi} for c in indicator.citations],
        "names": {
            f"{kind}.{name}": {lang: indicator.words(f"{kind}.{name}", lang) for lang in LANGUAGES}
            for kind, group in (
                ("value", indicator.values),
                ("table", indicator.tables),
                ("raster", indicator.rasters),
            )
            for name in group
        },
        "units": {
            **{f"parameter.{p.name}": p.unit for p in indicator.parameters if p.unit},
            **{f"raster.{n}": u for n, u in indicator.rasters.items()},
            **{
                f"table.{t}.{c}": u
                for t, columns in indicator.tables.items()
                for c, u in columns.items()
            },
        },
    }


def _agreements(gathered: Gathered, door: Any) -> list[dict[str, Any]]:
    """Which data came under which agreement, at which level."""
    agreements: list[Agreement] = door.agreements if door else []
    by_id = {(a.agreement_id, a.version): a for a in agreements}
    parties = door.parties() if door else {}
    names = {
        lang: {party: told[lang] for party, told in parties.items() if told.get(lang)}
        for lang in LANGUAGES
    }
    told = []
    for line in gathered.lines:
        decision = line.decision
        agreement = by_id.get((decision.agreement_id, decision.agreement_version))
        told.append(
            {
                "id": decision.agreement_id,
                "version": decision.agreement_version,
                "owner": line.owner,
                "title": agreement.title if agreement else {},
                "sentences": {lang: sentences(agreement, lang, names[lang]) for lang in LANGUAGES}
                if agreement
                else {},
                "signed_sha256": digest(agreement) if agreement else None,
                "recipients": list(agreement.recipients) if agreement else [],
                "valid_from": agreement.valid_from.isoformat() if agreement else None,
                "valid_until": agreement.valid_until.isoformat() if agreement else None,
                "what": {lang: what(decision.rule, lang) for lang in LANGUAGES},
                "withheld_fields": list(decision.rule.withheld_fields),
                "embargo_months": decision.rule.embargo_months,
                "dataset": decision.dataset_id,
                "class": decision.name,
                "level": decision.level,
                "cell_degrees": decision.rule.cell_degrees,
                "noun": line.noun,
                "rows": line.rows,
                "release": line.release_id,
                "sha256": line.sha256,
            }
        )
    return sorted(told, key=lambda a: (a["owner"], a["dataset"], a["noun"], a["class"]))


def _not_released(door: Any) -> list[dict[str, Any]]:
    """What the reader's own agreements name and keep back: the report says what it lacks."""
    return [
        {
            "dataset": d.dataset_id,
            "class": d.name,
            "what": {lang: what(d.rule, lang) for lang in LANGUAGES},
            "level": d.level,
            "agreement": f"{d.agreement_id} v{d.agreement_version}",
            "reason": d.rule.reason,
        }
        for d in door.decisions
        if d.level in ("metadata", "withheld")
    ]


def _relative(path: Path, building: Path, final: Path) -> str:
    """Where an input lies, seen from the finished run folder."""
    seen_from = building if path.is_relative_to(building) else final
    return Path(os.path.relpath(path, seen_from)).as_posix()
