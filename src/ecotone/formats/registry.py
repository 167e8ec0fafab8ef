"""All formats, and which of them a delivery is.

Formats register under the entry point group ``ecotone.formats``, ours by the same way as
anyone's. The order in which they are asked goes from the particular to the general: a package
with a descriptor before a bare table, anyone's format before our general ones.
"""

from __future__ import annotations

import functools
from importlib.metadata import entry_points
from typing import Final

from ecotone.formats.base import Format, Source, refused
from ecotone.formats.other_workbooks import refuse_other_workbooks
from ecotone.model.errors import UsageError
from ecotone.model.words import say

GROUP: Final = "ecotone.formats"
_PARTICULAR: Final = ("dwca", "camtrapdp", "raster")
_GENERAL: Final = ("eml", "json", "xlsx", "csv")


@functools.cache
def all_formats() -> tuple[Format, ...]:
    """The formats installed, in the order they are asked."""
    found: dict[str, Format] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda e: (_rank(e.name), e.name)):
        try:
            loaded = entry.load()
        except (ImportError, AttributeError) as error:
            raise UsageError(say("formats.not-loaded", name=entry.name, why=error)) from error
        if not isinstance(loaded, Format):
            raise UsageError(say("formats.not-a-format", name=entry.name))
        if loaded.name in found:
            raise UsageError(say("formats.name-twice", name=loaded.name))
        found[loaded.name] = loaded
    return tuple(found.values())


def _rank(name: str) -> int:
    if name in _PARTICULAR:
        return _PARTICULAR.index(name)
    if name in _GENERAL:
        return len(_PARTICULAR) + 1 + _GENERAL.index(name)
    return len(_PARTICULAR)


def format_named(name: str) -> Format:
    """The format of this name; UsageError when there is none."""
    formats = {one.name: one for one in all_formats()}
    if name not in formats:
        raise UsageError(say("ingest.format-unknown", name=name, known=", ".join(formats)))
    return formats[name]


def recognise(source: Source) -> Format:
    """The first format that takes the delivery for its own; a refusal when none does."""
    if not source.members:
        raise refused("folder-empty", file=source.name)
    if source.only is not None and source.kind == "file" and source.size(source.only) == 0:
        raise refused("file-empty", file=source.name)
    refuse_other_workbooks(source)
    for one in all_formats():
        if one.recognise(source):
            return one
    known = ", ".join(one.name for one in all_formats())
    raise refused("format-unknown", file=source.name, known=known)
