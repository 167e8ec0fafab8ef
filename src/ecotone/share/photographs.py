"""Which photographs leave with their records, and in which form.

A record of a photograph names a file that lies with its owner; nothing of it is in the node. Where
the record leaves in full and no field of it is withheld, the file leaves as it is. Where it leaves
coarser, the picture is drawn anew, without what the camera wrote and under the record's name for
this reader (see ``media``). What cannot be drawn anew stays, and so does every file whose path,
name or hash is withheld by name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import pandas as pd

from ecotone.model.errors import InputRefused
from ecotone.share.generalise import withheld_by_name
from ecotone.share.media import released_image, released_name
from ecotone.share.pseudonyms import Pseudonyms, node_key, spelled
from ecotone.store.files import MEDIA

if TYPE_CHECKING:
    from ecotone.share.decide import Decision
    from ecotone.share.door import Door
    from ecotone.store import Store

Form = Literal["whole", "redrawn", "kept"]
#: Why a photograph stays; ``share.photograph.WHY`` is the sentence.
Why = Literal["withheld", "nowhere", "elsewhere", "missing", "outside", "other", "no-picture"]

_NOUN: Final = "Media"
#: Who withholds one of these withholds the file.
_THE_FILE: Final = frozenset({"path", "file_name", "sha256"})
#: What leaves whole: a path may have been written by a stranger, and name any file.
ENDINGS: Final = MEDIA | {".tif", ".tiff", ".gif", ".bmp"}
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


@dataclass(frozen=True)
class Photograph:
    """One photograph as it leaves: its record's name for the reader, and the bytes or why not."""

    record: str
    form: Form
    name: str = ""
    why: Why | None = None
    #: The owner's file, where it leaves as it is.
    source: Path | None = None
    data: bytes = b""


def photographs(door: Door, store: Store, folder: Path, wanted: set[str]) -> Iterator[Photograph]:
    """The photographs of released records, by their names for the reader, in order.

    ``folder`` holds the owner's files, under the paths the records name.
    """
    released = _released(door, store)
    released = released[released["record"].isin(wanted)].sort_values("record")
    columns = (released[name].tolist() for name in ("record", "form", "path", "sha256"))
    for record, form, path, sha256 in zip(*columns, strict=True):
        if form == "kept":
            yield Photograph(record, "kept", why="withheld")
        else:
            yield _one(record, form, _text(path), _text(sha256), folder)


def _one(record: str, form: Form, path: str | None, sha256: str | None, root: Path) -> Photograph:
    found = _file(path, root)
    if not isinstance(found, Path):
        return Photograph(record, "kept", why=found)
    if sha256 is not None and sha256.lower() != _hash(found):
        return Photograph(record, "kept", why="other")
    ending = found.suffix.lower()
    if form == "whole" and ending in ENDINGS:
        return Photograph(record, "whole", record + ending, source=found)
    try:
        return Photograph(record, "redrawn", released_name(record), data=released_image(found))
    except InputRefused:
        return Photograph(record, "kept", why="no-picture")


def _file(path: str | None, root: Path) -> Path | Why:
    """The owner's file, which must lie in the folder given: a path was written by a stranger."""
    if path is None:
        return "nowhere"
    if _URL.match(path):
        return "elsewhere"
    try:
        found = (root / path.replace("\\", "/")).resolve()
        if not found.is_relative_to(root.resolve()):
            return "outside"
        return found if found.is_file() else "missing"
    except (OSError, ValueError):
        # A name that no file can bear: too long, or with a zero byte.
        return "missing"


def _released(door: Door, store: Store) -> pd.DataFrame:
    """``record, form, path, sha256`` of every photograph whose record leaves."""
    names = Pseudonyms(node_key(store.folder), door.request.reader)
    table = door.table(_NOUN)
    parts = []
    for block in door.blocks(_NOUN, None):
        for index, keep in door.leaving(block, _NOUN):
            decision = table.decisions[index]
            form = _form(decision)
            if form is None:
                continue
            ids = block.frame.loc[keep, "id"].reset_index(drop=True)
            record = ids if decision.level == "full" else spelled(*names.of(ids, _NOUN))
            parts.append(pd.DataFrame({"id": ids, "record": record, "form": form}))
    if not parts:
        return pd.DataFrame({"record": [], "form": [], "path": [], "sha256": []})
    leaving = pd.concat(parts, ignore_index=True)
    datasets = sorted({decision.dataset_id for decision in door.decisions})
    columns = ["id", "path", "sha256"]
    lying = pd.concat(store.select(_NOUN, datasets=datasets, columns=columns), ignore_index=True)
    return leaving.merge(lying, on="id", how="left")


def _form(decision: Decision) -> Form | None:
    """How photographs of a class leave; None where their records do not, one by one."""
    if decision.level not in ("full", "generalised"):
        return None
    withheld = set(withheld_by_name(_NOUN, decision.rule))
    if withheld & _THE_FILE:
        return "kept"
    return "whole" if decision.level == "full" and not withheld else "redrawn"


def _hash(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
