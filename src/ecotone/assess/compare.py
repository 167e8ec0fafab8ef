"""Why is this run's number not that run's? The change of each figure, split by its causes.

Each cause is swapped alone: the first run is computed again with only the added data, only the
corrected data, only the rules, only the boundaries, only the sharing of the second. What the causes
do together beyond what each does alone is the interaction; what today's software makes of the same
inputs is the part of the software. The parts sum to the change.

This is the one-at-a-time form of a factorial decomposition; its interaction term is that of
analysis of variance (see Saltelli et al. 2008, Global Sensitivity Analysis,
doi:10.1002/9780470725184, chapter 1, on one-at-a-time designs and what they leave over).
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ecotone.assess.blend import Blender, Factors, Paths
from ecotone.assess.compute import compute, sha256_of
from ecotone.assess.executor import Executor, Threads
from ecotone.assess.regions import Region
from ecotone.assess.registry import get
from ecotone.assess.verify import changed_inputs, regions_of
from ecotone.model.errors import EcotoneError, InputRefused, UsageError
from ecotone.model.words import say

#: Causes in the order they are told; ``software`` and ``interaction`` follow from the others.
DATA: Final = ("added", "corrected", "sharing")
SWAPPED: Final = ("added", "corrected", "rules", "boundaries", "sharing")
CAUSES: Final = (*SWAPPED, "software", "interaction")

Key = tuple[str, str, str]
#: What an agreement says of a dataset that changes the rows it gives.
_TERMS: Final = ("noun", "level", "cell_degrees", "withheld_fields", "embargo_months")


@dataclass(frozen=True)
class Figure:
    """One figure in two runs, and what each cause did to it."""

    indicator: str
    region: str
    period: str
    name: str
    unit: str
    before: float | None
    after: float | None
    parts: dict[str, float] = field(default_factory=dict)  #: by cause; empty where undefined
    #: Causes that alone make the figure undefined: their part lies in the interaction.
    undefined: tuple[str, ...] = ()

    @property
    def change(self) -> float | None:
        """After minus before."""
        if self.before is None or self.after is None:
            return None
        return self.after - self.before


@dataclass(frozen=True)
class Comparison:
    """Two runs, figure by figure."""

    before: str
    after: str
    figures: list[Figure]
    only_before: list[Key]
    only_after: list[Key]

    def as_json(self) -> dict[str, Any]:
        """The comparison as a document."""
        return {
            "before": self.before,
            "after": self.after,
            "causes": list(CAUSES),
            "figures": [
                {
                    "indicator": f.indicator,
                    "region": f.region,
                    "period": f.period,
                    "name": f.name,
                    "unit": f.unit,
                    "before": f.before,
                    "after": f.after,
                    "change": f.change,
                    "parts": f.parts,
                    "undefined": list(f.undefined),
                }
                for f in self.figures
            ],
            "only_before": [list(key) for key in self.only_before],
            "only_after": [list(key) for key in self.only_after],
        }


@dataclass(frozen=True)
class _Run:
    """A run folder, opened."""

    folder: Path
    document: dict[str, Any]
    regions: dict[str, Region]

    def results(self) -> dict[Key, dict[str, Any]]:
        return {(r["indicator"], r["region"], r["period"]): r for r in self.document["results"]}

    def values(self, told: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        return dict(self._result(told)["values"])

    def inputs(self, told: Mapping[str, Any]) -> dict[str, Paths]:
        by_name: dict[str, list[Path]] = {}
        for item in self.document["inputs"]:
            by_name.setdefault(item["name"], []).append((self.folder / item["path"]).resolve())
        found: dict[str, list[Path]] = {}
        for item in self._result(told)["inputs"]:
            taken = found.setdefault(item["name"], [])
            taken.extend(p for p in by_name[item["path"]] if p not in taken)
        return {name: tuple(paths) for name, paths in found.items()}

    def _result(self, told: Mapping[str, Any]) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(
            (self.folder / told["path"]).read_text(encoding="utf-8")
        )
        return document


def compare(
    before: Path,
    after: Path,
    *,
    executor: Executor | None = None,
    progress: Callable[[int, int, str], None] = lambda done, total, what: None,
) -> Comparison:
    """Split the change of every figure that two runs share.

    Raises UsageError where a folder is no run and InputRefused where an input of a run is no
    longer what it was: a cause cannot be told from numbers alone.
    """
    a, b = _open(before), _open(after)
    of_a, of_b = a.results(), b.results()
    shared = [key for key in of_a if key in of_b]
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="ecotone-compare-") as scratch:
        blender = Blender(Path(scratch), _shared_otherwise(a, b))
        for number, key in enumerate(shared):
            progress(number, len(shared), "/".join(key))
            pair = _Pair(a, b, of_a[key], of_b[key], blender, executor or Threads())
            figures.extend(pair.figures(key))
    progress(len(shared), len(shared), "")
    return Comparison(
        before=before.name,
        after=after.name,
        figures=figures,
        only_before=[key for key in of_a if key not in of_b],
        only_after=[key for key in of_b if key not in of_a],
    )


def _open(folder: Path) -> _Run:
    path = folder / "run.json"
    if not path.is_file():
        raise UsageError(say("assess.run-absent", path=folder))
    document = json.loads(path.read_text(encoding="utf-8"))
    changed = [d.what for d in changed_inputs(folder, document)]
    if changed:
        raise InputRefused(
            say("compare.input-changed", run=folder.name, inputs=", ".join(changed)),
            say("compare.input-changed.do"),
        )
    return _Run(folder, document, regions_of(folder, document))


def _shared_otherwise(a: _Run, b: _Run) -> frozenset[str]:
    """Datasets that the door released otherwise for one run than for the other."""

    def levels(run: _Run) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for line in run.document["agreements"]:
            terms = [line.get(key) for key in _TERMS]
            found.setdefault(line["dataset"], set()).add(json.dumps(terms))
        return found

    of_a, of_b = levels(a), levels(b)
    return frozenset(d for d in of_a.keys() & of_b.keys() if of_a[d] != of_b[d])


@dataclass
class _Pair:
    """One result in two runs."""

    a: _Run
    b: _Run
    told_a: dict[str, Any]
    told_b: dict[str, Any]
    blender: Blender
    executor: Executor
    _values: dict[Factors, dict[str, float | None]] = field(default_factory=dict)

    def figures(self, key: Key) -> Iterator[Figure]:
        """Every value both results hold."""
        values_a, values_b = self.a.values(self.told_a), self.b.values(self.told_b)
        differ = self.differing()
        for name in values_a:
            if name not in values_b:
                continue
            first, last = values_a[name]["value"], values_b[name]["value"]
            unit = values_a[name]["unit"]
            figure = Figure(*key, name=name, unit=unit, before=first, after=last)
            if first is None or last is None or unit != values_b[name]["unit"]:
                yield figure
                continue
            parts, undefined = self.parts(name, float(first), float(last), differ)
            yield Figure(
                *key, name=name, unit=unit, before=first, after=last, parts=parts,
                undefined=undefined,
            )  # fmt: skip

    def differing(self) -> Factors:
        """The causes that are there at all."""
        found: set[str] = set()
        kinds = self._kinds()
        inputs_a, inputs_b = self.a.inputs(self.told_a), self.b.inputs(self.told_b)
        for name in inputs_a.keys() | inputs_b.keys():
            one, other = inputs_a.get(name, ()), inputs_b.get(name, ())
            if kinds[name] == "data":
                found |= self.blender.factors(one, other)
            elif sorted(map(sha256_of, one)) != sorted(map(sha256_of, other)):
                found.add(kinds[name])
        if self.told_a["parameters"] != self.told_b["parameters"]:
            found.add("rules")
        before = self.a.regions[self.told_a["region"]].geometry
        after = self.b.regions[self.told_b["region"]].geometry
        if (before is None) != (after is None) or (before is not None and not before.equals(after)):
            found.add("boundaries")
        return frozenset(found)

    def parts(
        self, name: str, first: float, last: float, differ: Factors
    ) -> tuple[dict[str, float], tuple[str, ...]]:
        """What each cause did; together they sum to the change."""
        parts = dict.fromkeys(CAUSES, 0.0)
        base, end = self.value(frozenset(), name), self.value(frozenset(SWAPPED), name)
        undefined = []
        if base is None or end is None:
            # Today's software gives no number: all that is known is that it is the software.
            parts["software"] = last - first
            return parts, ("software",)
        parts["software"] = (base - first) + (last - end)
        for cause in SWAPPED:
            if cause in differ:
                alone = self.value(frozenset({cause}), name)
                if alone is None:
                    undefined.append(cause)
                else:
                    parts[cause] = alone - base
        known = math.fsum(v for k, v in parts.items() if k != "interaction")
        parts["interaction"] = (last - first) - known if len(differ) > 1 or undefined else 0.0
        if len(differ) <= 1 and not undefined:
            # One cause alone has nothing to interact with; rounding belongs to it.
            cause = next(iter(differ), "software")
            parts[cause] += (last - first) - known
        return parts, tuple(undefined)

    def value(self, taken: Factors, name: str) -> float | None:
        """A figure with some causes taken from the second run; None where it is undefined."""
        if taken not in self._values:
            self._values[taken] = self._compute(taken)
        return self._values[taken].get(name)

    def _compute(self, taken: Factors) -> dict[str, float | None]:
        rules = self.told_b if "rules" in taken else self.told_a
        place = (self.b, self.told_b) if "boundaries" in taken else (self.a, self.told_a)
        given = {k: v for k, v in rules["parameters"].items() if v is not None}
        with tempfile.TemporaryDirectory(prefix="ecotone-compare-result-") as out:
            try:
                result = compute(
                    self.told_a["indicator"],
                    self._inputs(taken),
                    given,
                    Path(out),
                    executor=self.executor,
                    region=place[0].regions[place[1]["region"]].geometry,
                )
            except EcotoneError:
                # A mixture that no user asked for may not be computable; that is an answer.
                return {}
        return {name: value.value for name, value in result.values.items()}

    def _inputs(self, taken: Factors) -> dict[str, Paths]:
        kinds = self._kinds()
        inputs_a, inputs_b = self.a.inputs(self.told_a), self.b.inputs(self.told_b)
        found: dict[str, Paths] = {}
        for name in dict.fromkeys([*inputs_a, *inputs_b]):
            one, other = inputs_a.get(name, ()), inputs_b.get(name, ())
            if kinds[name] == "data":
                found[name] = self.blender.blend(one, other, taken & frozenset(DATA))
            else:
                found[name] = other if kinds[name] in taken else one
        return {name: paths for name, paths in found.items() if paths}

    def _kinds(self) -> dict[str, str]:
        """Which cause an input belongs to: data, rules or boundaries."""
        found = {}
        for declared in get(self.told_a["indicator"]).inputs:
            if declared.noun is None and declared.kind in ("table", "settings"):
                found[declared.name] = "rules"
            elif declared.noun is None and declared.kind == "polygons":
                found[declared.name] = "boundaries"
            else:
                found[declared.name] = "data"
        return found
