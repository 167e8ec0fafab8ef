"""Under which agreements, in which versions, at which levels the data of a figure came."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ecotone.report import l10n
from ecotone.report.document import Block, Figure, Map, Table
from ecotone.report.source import Entry
from ecotone.report.writing import Writing

_OWN = "own"


def told(writing: Writing, entries: Sequence[Entry], blocks: Iterable[Block]) -> list[Block]:
    """The blocks, each figure, map and table with what its data came under beside its source."""
    data = _data(writing, entries)
    return [
        replace(block, source=_beside(writing, block.source, data))
        if data and isinstance(block, Figure | Map | Table)
        else block
        for block in blocks
    ]


def _beside(writing: Writing, source: str, data: str) -> str:
    return writing.say("under", source=source, data=data) if source else data


def _data(writing: Writing, entries: Sequence[Entry]) -> str:
    """``own data (in full), KNCM-LAND-2024, v1 (in full)``; nothing where no door was passed."""
    releases = {one for entry in entries for one in entry.told.get("releases", ())}
    levels: dict[tuple[bool, str, int], list[str]] = {}
    for line in writing.run.document["agreements"]:
        if line["release"] in releases:
            key = (line["id"] != _OWN, str(line["id"]), int(line["version"]))
            cell = line.get("cell_degrees")
            size = l10n.exact(cell, writing.lang) if cell else ""
            levels.setdefault(key, []).append(writing.say(f"level.{line['level']}", cell=size))
    parts = [
        writing.say(
            "under.one",
            agreement=writing.say("data.version", id=name, version=version)
            if foreign
            else writing.say("data.own.short"),
            levels=l10n.listed(dict.fromkeys(levels[foreign, name, version]), writing.lang),
        )
        for foreign, name, version in sorted(levels)
    ]
    return l10n.semicolons(parts, writing.lang).rstrip(".。")
