"""A finished run as the report reads it: ``run.json``, each result, and the files they name.

Nothing here computes. A report says what a run says, so all it may do is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from ecotone.model import words
from ecotone.model.errors import InputRefused, UsageError
from ecotone.model.words import Language
from ecotone.report.document import Quantity

if TYPE_CHECKING:
    import pandas as pd

_STATUSES: Final = ("draft", "reviewed", "approved", "published")


@dataclass(frozen=True)
class Region:
    """A region by id, with its name in the languages that have one."""

    id: str
    names: Mapping[str, str]

    def name(self, lang: Language) -> str:
        """The name in a language, in any other where that is missing, else the id."""
        if not self.names and self.id == "all":
            return words.say("report.region.all", lang)
        return in_language(self.names, lang) or self.id


@dataclass(frozen=True)
class Period:
    """Calendar years, both inclusive."""

    id: str
    start: int
    end: int

    @property
    def years(self) -> str:
        """``2009–2024``, or one year."""
        return str(self.start) if self.start == self.end else f"{self.start}–{self.end}"


@dataclass(frozen=True)
class Entry:
    """One result of the run: an indicator over a region and a period."""

    told: Mapping[str, Any]
    result: Mapping[str, Any]
    folder: Path
    region: Region
    period: Period

    @property
    def indicator(self) -> str:
        """The indicator's id."""
        return str(self.told["indicator"])

    @property
    def path(self) -> str:
        """Where ``result.json`` lies, seen from the run folder."""
        return str(self.told["path"])

    def beside(self, relative: str) -> str:
        """The path of a file of this result, seen from the run folder."""
        return (PurePosixPath(self.path).parent / relative).as_posix()

    def quantity(self, name: str) -> Quantity:
        """A value of the result with its interval."""
        found = self.result["values"][name]
        return Quantity(
            value=found["value"],
            unit=str(found.get("unit") or ""),
            low=found.get("low"),
            high=found.get("high"),
            level=found.get("level"),
            se=found.get("se"),
            share=is_share(name, str(found.get("unit") or "")),
        )

    def number(self, name: str) -> float | None:
        """A value alone; None where the result has none of that name, or it is undefined."""
        found = self.result["values"].get(name)
        return None if found is None else found["value"]

    def table(self, name: str) -> pd.DataFrame:
        """A table of the result; identifiers stay text, numbers become numbers."""
        import pandas as pd

        return pd.read_csv(self._inside("tables", name), keep_default_na=False, na_values=[""])

    def raster(self, name: str) -> Path:
        """The file of a raster of the result."""
        return self._inside("rasters", name)

    def _inside(self, kind: str, name: str) -> Path:
        path = self.folder / self.result[kind][name]
        if not path.resolve().is_relative_to(self.folder.resolve()):
            raise InputRefused(words.say("report.run-broken", path=self.path, why=str(path)))
        return path

    def unit(self, kind: str, name: str) -> str:
        """The declared unit of ``raster.slope`` or ``table.compliance.share``."""
        return str(self.told.get("units", {}).get(f"{kind}.{name}") or "")

    def word(self, kind: str, name: str, lang: Language) -> str:
        """What ``value.significant`` or ``raster.slope`` is called."""
        return in_language(self.told.get("names", {}).get(f"{kind}.{name}", {}), lang) or name


@dataclass(frozen=True)
class Boundaries:
    """The borders the plan chose, and what must be said under every map."""

    path: Path
    disclaimer: Mapping[str, str]
    approval: str
    disputed: str


@dataclass(frozen=True)
class RunFolder:
    """A whole run."""

    folder: Path
    document: Mapping[str, Any]
    entries: tuple[Entry, ...]

    @property
    def id(self) -> str:
        """The run's id: its plan, inputs and software."""
        return str(self.document["id"])

    @property
    def created(self) -> date:
        """The day the plan gives; the report has no other clock."""
        return date.fromisoformat(str(self.document["created"])[:10])

    @property
    def as_known(self) -> str:
        """Day or moment whose state of the node the run stands on; empty: as it was made."""
        return str(self.document.get("as_known") or "")

    @property
    def status(self) -> str:
        """Draft, reviewed, approved or published."""
        return str(self.document["status"])

    def indicators(self) -> Iterator[tuple[str, tuple[Entry, ...]]]:
        """The results of each indicator, in the plan's order."""
        for name in dict.fromkeys(entry.indicator for entry in self.entries):
            yield name, tuple(e for e in self.entries if e.indicator == name)

    def boundaries(self) -> Boundaries | None:
        """The borders to draw, or None where the plan chose none."""
        given = self.document.get("boundaries")
        if not given:
            return None
        return Boundaries(
            self.folder / given["path"],
            given["disclaimer"],
            str(given.get("approval") or ""),
            str(given.get("disputed") or "disputed"),
        )

    def outlines(self) -> Path | None:
        """The regions' own outlines."""
        name = self.document.get("files", {}).get("regions")
        return self.folder / str(name) if name else None

    def party(self, party_id: str, lang: Language) -> str:
        """A party's name where the run tells it, with its id; else the id."""
        name = in_language(self.document.get("parties", {}).get(party_id, {}), lang)
        return f"{name} ({party_id})" if name else party_id

    def truth(self) -> Mapping[str, Any] | None:
        """The planted truth of a demonstration; None where the run has none."""
        return self._beside("truth")

    def exchange(self) -> Mapping[str, Any] | None:
        """What a demonstration's parties sent each other; None where the run does not tell."""
        return self._beside("exchange")

    def _beside(self, kind: str) -> Mapping[str, Any] | None:
        name = self.document.get(kind)
        if not name:
            return None
        found: Mapping[str, Any] = _json(self.folder / name)
        return found


def is_share(name: str, unit: str) -> bool:
    """Whether a number of this name and unit is a fraction that reads best in per cent."""
    return unit == "1" and name.split("_", 1)[0] == "share"


def in_language(texts: Mapping[str, str], lang: Language) -> str:
    """The text in a language, else in English, else in whatever there is."""
    return texts.get(lang) or texts.get("en") or next(iter(texts.values()), "")


def read_run(folder: Path) -> RunFolder:
    """Read a run folder.

    Raises UsageError where there is no run, InputRefused where a file of it is broken.
    """
    if not (folder / "run.json").is_file():
        raise UsageError(words.say("report.run-absent", path=folder))
    document = _json(folder / "run.json")
    try:
        if document["status"] not in _STATUSES:
            raise InputRefused(
                words.say("report.run-broken", path="run.json", why=document["status"])
            )
        regions = {r["id"]: Region(r["id"], r["name"]) for r in document["regions"]}
        periods = {p["id"]: Period(p["id"], p["start"], p["end"]) for p in document["periods"]}
        entries = tuple(
            Entry(
                told,
                _json(folder / told["path"]),
                (folder / told["path"]).parent,
                regions[told["region"]],
                periods[told["period"]],
            )
            for told in document["results"]
        )
    except KeyError as error:
        raise InputRefused(words.say("report.run-broken", path="run.json", why=error)) from error
    return RunFolder(folder, document, entries)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputRefused(words.say("report.run-broken", path=path.name, why=error)) from error
