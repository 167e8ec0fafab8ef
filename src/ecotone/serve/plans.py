"""Plans that lie in the node: each a folder with its text and the files it names beside it.

A plan that comes by the portal names files of its own folder alone: nothing else of the machine
is read for it, and rows come through the door as for its reader.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from ecotone.assess.plan import Plan, is_node, load
from ecotone.model.errors import EcotoneError, UsageError, Withheld
from ecotone.model.words import say
from ecotone.serve.uploads import safe_file_name

PLAN: Final = "plan.toml"


@dataclass(frozen=True)
class Kept:
    """A plan of the node."""

    name: str
    path: Path
    plan: Plan

    @property
    def text(self) -> str:
        """The plan as it was written."""
        return self.path.read_text(encoding="utf-8")


def plans_of(node: Path, party: str) -> list[Kept]:
    """The plans that are made for a party, by name."""
    home = node / "runs" / "plans"
    found = []
    for path in sorted(home.glob(f"*/{PLAN}")) if home.is_dir() else []:
        try:
            kept = Kept(path.parent.name, path, _checked(path, party))
        except EcotoneError:
            # Not for this party, or not to be read: the command line says what is wrong with it.
            continue
        found.append(kept)
    return found


def plan_of(node: Path, party: str, name: str) -> Kept:
    """One plan; Withheld for one that is not there or not for this party."""
    found = next((k for k in plans_of(node, party) if k.name == name), None)
    if found is None:
        raise Withheld(say("desk.nothing"))
    return found


def take(node: Path, party: str, name: str, files: Mapping[str, IO[bytes]]) -> Kept:
    """Keep a plan with its files under a name; UsageError naming what is wrong with it.

    One of the files ends in ``.toml``: the plan. A name that is there already is not taken again.
    """
    label = safe_file_name(name.strip()).strip("._ ")
    texts = [n for n in files if n.lower().endswith(".toml")]
    if not label or len(texts) != 1:
        raise UsageError(say("portal.plans.one-text"))
    folder = node / "runs" / "plans" / label
    if folder.exists():
        raise UsageError(say("portal.plans.there", name=label))
    building = folder.with_name(f".building-{label}")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    try:
        for given, stream in files.items():
            plain = PLAN if given == texts[0] else safe_file_name(given)
            with (building / plain).open("xb") as out:
                shutil.copyfileobj(stream, out)
        _checked(building / PLAN, party)
        building.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return plan_of(node, party, label)


def keep(node: Path, path: Path, name: str) -> None:
    """Put a plan of one's own into the node, with the files it names, to be started there."""
    folder = node / "runs" / "plans" / name
    folder.mkdir(parents=True)
    shutil.copyfile(path, folder / PLAN)
    for named in set(_paths(load(path))):
        target = folder / named
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path.parent / named, target)


def changed(kept: Kept, party: str, text: str) -> Path:
    """The plan with another text, beside the same files: another run."""
    if text.replace("\r\n", "\n") == kept.text:
        return kept.path
    plain = text.replace("\r\n", "\n")
    path = kept.path.with_name(f"plan-{hashlib.sha256(plain.encode()).hexdigest()[:12]}.toml")
    path.write_text(plain, encoding="utf-8", newline="\n")
    try:
        _checked(path, party)
    except BaseException:
        path.unlink()
        raise
    return path


def _checked(path: Path, party: str) -> Plan:
    plan = load(path)
    if plan.reader != party:
        raise UsageError(say("portal.plans.reader", reader=plan.reader or "-", party=party))
    for name in _paths(plan):
        # Beside the plan or below it, by whatever links: nothing else of the machine.
        there = (path.parent / name).resolve()
        inside = there.is_relative_to(path.parent.resolve()) and ".." not in Path(name).parts
        if not inside or not there.is_file():
            raise UsageError(say("portal.plans.file", name=name))
    return plan


def _paths(plan: Plan) -> Iterator[str]:
    for task in plan.indicators:
        for value in task.inputs.values():
            for entry in [value] if isinstance(value, str) else value:
                if not is_node(entry):
                    yield entry
    if plan.regions:
        yield plan.regions.path
    if plan.boundaries:
        yield plan.boundaries.path
    yield from (named for named in (plan.truth, plan.exchange) if named)
