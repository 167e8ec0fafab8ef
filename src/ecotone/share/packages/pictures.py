"""Photographs of a package: ``photographs/`` with a file for each, and a list that says which.

The list names every photograph of the package's records: under which file it lies there, whether
it is the owner's file or was drawn anew, or why it stayed. A receiver keeps the files by their
hash, and the door at home gives them out with their records.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

import pandas as pd

from ecotone.model.errors import InputRefused
from ecotone.model.filenames import file_name
from ecotone.model.words import LANGUAGES, say
from ecotone.share.photographs import ENDINGS, photographs
from ecotone.store import audit, documents, files, ledger
from ecotone.store.batches import remember_file

if TYPE_CHECKING:
    import sqlalchemy as sa

    from ecotone.share.door import Door
    from ecotone.share.negotiate import Actor
    from ecotone.share.packages.files import Folder
    from ecotone.share.packages.reading import Opened
    from ecotone.share.photographs import Photograph
    from ecotone.store import Store

HOME: Final = "photographs"
LIST: Final = f"{HOME}/photographs.csv"
#: The kind of document that names the photographs of a package that was taken in.
RECEIVED: Final = "photographs"

#: Of each kept file: its name in the package, sha256 and size.
Kept = list[tuple[str, str, int]]


def write(
    folder: Folder, door: Door, store: Store, records: set[str], source: Path | None
) -> dict[str, int]:
    """Write the photographs of released records, by their names; how many of each form."""
    if source is None or not records:
        return {}
    counts: Counter[str] = Counter()
    listed = []
    for one in photographs(door, store, source, records):
        counts[one.form] += 1
        listed.append(one)
        if one.form == "kept":
            continue
        place = folder.place(f"{HOME}/{one.name}")
        if one.source is not None:
            shutil.copyfile(one.source, place)
        else:
            place.write_bytes(one.data)
        folder.add(f"{HOME}/{one.name}")
    folder.text(LIST, "\ufeff" + _list(listed))
    return dict(counts)


def keep(store: Store, package: Opened) -> Kept:
    """Keep the photographs of a checked package; nothing of the node names them yet.

    Raises InputRefused for a name that no photograph of ours bears: it will be written to a disk.
    """
    paths = [file.path for file in package.manifest.files if file.path.startswith(f"{HOME}/")]
    for path in paths:
        name = path.removeprefix(f"{HOME}/")
        plain = name == file_name(name) and PurePosixPath(name).suffix in ENDINGS
        if path != LIST and not plain:
            raise InputRefused(say("packages.table-unreadable", name=path))
    return [(path, *files.keep(store.folder, package.path(path))) for path in paths if path != LIST]


def note(connection: sa.Connection, actor: Actor, package: Opened, kept: Kept) -> None:
    """Put the photographs of a package into the ledger, in the transaction that takes it in."""
    if not kept:
        return
    for _, sha256, size in kept:
        if not audit.knows_file(connection, sha256):
            said = {"sha256": sha256, "size": size}
            entry = ledger.append(connection, "file", actor.person, said)
            remember_file(connection, sha256, size, entry.seq)
    manifest = package.manifest
    by_name = {name: sha256 for name, sha256, _ in kept}
    told = {
        "sender": manifest.sender,
        "files": [
            {"id": record, "name": name, "form": form, "sha256": by_name[f"{HOME}/{name}"]}
            for record, name, form in _listed(package)
            if f"{HOME}/{name}" in by_name
        ],
    }
    key = f"{manifest.sender} {manifest.sequence:06d}"
    documents.put_content(
        connection, RECEIVED, key, ledger.canonical(told), None, actor.person, None
    )


def copy(store: Store, door: Door, target: Path) -> int:
    """Copy the received photographs whose records the door gives out now; how many."""
    newest = {
        (noted.content["sender"], one["id"]): one
        for noted in store.noted(RECEIVED)
        for one in noted.content["files"]
    }
    rows = door.release("Media").rows if newest else pd.DataFrame()
    owners = {dataset.dataset_id: dataset.party_id for dataset in store.datasets()}
    # A party speaks for its own records alone.
    readable = (
        set(zip(rows["dataset_id"].map(owners), rows["id"], strict=True)) if len(rows) else set()
    )
    found = [newest[key] for key in sorted(newest) if key in readable]
    if found:
        target.mkdir(parents=True)
    for one in found:
        shutil.copyfile(store.file_path(one["sha256"]), target / str(one["name"]))
    return len(found)


def _listed(package: Opened) -> Iterator[tuple[str, str, str]]:
    """``id, file, form`` of the list in a package."""
    try:
        text = package.path(LIST).read_text(encoding="utf-8-sig")
        for line in csv.DictReader(io.StringIO(text)):
            yield line["id"], line["file"], line["form"]
    except (OSError, UnicodeDecodeError, KeyError, csv.Error) as error:
        raise InputRefused(say("packages.table-unreadable", name=LIST)) from error


def _list(listed: list[Photograph]) -> str:
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(["id", "file", "form", *(f"note_{lang}" for lang in LANGUAGES)])
    for one in listed:
        lines.writerow([one.record, one.name, one.form, *_notes(one)])
    return out.getvalue()


def _notes(one: Photograph) -> Iterator[str]:
    key = f"share.photograph.{one.why or one.form}"
    for lang in LANGUAGES:
        yield str(say(key, lang))
