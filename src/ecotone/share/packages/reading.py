"""A package from outside: unsealed, opened safely, and nothing in it believed before it is checked.

In this order: size, seal, form, signature, recipient, format, hashes and sizes of every file. Only
then is a row looked at. What fails is refused with one sentence, and nothing has been changed.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
import pyarrow.csv as pa_csv  # type: ignore[import-untyped]  # it ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it ships no types

from ecotone.formats.base import Limits, Refused
from ecotone.formats.safe import open_source
from ecotone.model.dictionary import RECORD_NOUNS
from ecotone.model.errors import InputRefused, StoreError, UsageError
from ecotone.model.words import say
from ecotone.share import keyring, keys, trust
from ecotone.share.keyring import Keyring
from ecotone.share.packages import manifest as manifests
from ecotone.share.packages.container import scratch
from ecotone.share.packages.files import REMOVED
from ecotone.share.packages.manifest import (
    LETTER,
    MANIFEST,
    MOST_BYTES,
    PURPOSE,
    SIGNATURE,
    Manifest,
)
from ecotone.share.packages.rows import MARKS, Rows, made
from ecotone.store.columns import typed
from ecotone.store.schema import types_of

if TYPE_CHECKING:
    from ecotone.formats.base import Source
    from ecotone.share.negotiate import Actor

#: The largest package taken in, sealed or unpacked; a larger one is asked for on purpose.
MOST: Final = 32 << 30
_CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class Opened:
    """A package whose manifest is its sender's word to us, and whose files are as it says."""

    manifest: Manifest
    raw: bytes
    folder: Path

    def path(self, name: str) -> Path:
        """Where a file of the package lies for the moment."""
        return self.folder / hashlib.sha256(name.encode()).hexdigest()


@contextmanager
def opened(
    actor: Actor,
    path: Path,
    work: Path,
    *,
    passphrase: str | None = None,
    most: int = MOST,
    now: datetime | None = None,
) -> Iterator[Opened]:
    """A package, unsealed into a scratch folder and checked file by file."""
    size = path.stat().st_size
    if size > most:
        raise InputRefused(say("packages.too-large", name=path.name, size=f"{size:,}",
                               most=f"{most:,}"))  # fmt: skip
    plain = work / "package.zip"
    _unseal(actor, path, plain, passphrase, most)
    limits = Limits(member_bytes=most, total_bytes=most, ratio=1000.0)
    try:
        with open_source(plain, limits) as source:
            found = _manifest(actor, source, now)
            raw = found.canonical()
            _same_files(found, source, path.name, most)
            one = Opened(found, raw, work)
            for file in found.files:
                _copy(source, file, one.path(file.path))
            yield one
    except Refused as error:
        raise InputRefused(say("packages.damaged", name=path.name)) from error


def unpack(actor: Actor, path: Path, target: Path, *, passphrase: str | None = None) -> int:
    """Unseal a package into a new folder, to be looked into; how many files it holds.

    It is checked as for an import, but nothing is taken in: an expired or older one opens too.
    """
    if not path.is_file():
        raise UsageError(say("cli.no-file", path=path))
    if target.exists():
        raise UsageError(say("packages.folder-there", folder=target))
    with scratch(actor.store) as work, opened(actor, path, work, passphrase=passphrase) as package:
        for file in package.manifest.files:
            place = target / file.path
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(package.path(file.path), place)
        (target / MANIFEST).write_bytes(package.raw)
    return len(package.manifest.files) + 1


def rows_of(package: Opened) -> list[Rows]:
    """The records of a package, typed as the store wants them."""
    found = []
    for file in package.manifest.files:
        if file.noun is None:
            continue
        if file.noun not in RECORD_NOUNS:
            raise InputRefused(say("packages.noun-unknown", noun=file.noun))
        try:
            table = pq.read_table(package.path(file.path))
            found.append(made(file.noun, _typed(file.noun, table)))
        except (pa.ArrowException, StoreError, OSError, ValueError, KeyError) as error:
            raise InputRefused(say("packages.table-unreadable", name=file.path)) from error
        if file.rows != table.num_rows:
            raise InputRefused(say("packages.table-unreadable", name=file.path))
    return found


def removed_in(package: Opened) -> dict[str, list[str]]:
    """The tombstones of a package, by noun."""
    if REMOVED not in {file.path for file in package.manifest.files}:
        return {}
    try:
        kinds = {"noun": pa.large_string(), "id": pa.large_string()}
        table = pa_csv.read_csv(
            package.path(REMOVED), convert_options=pa_csv.ConvertOptions(column_types=kinds)
        )
        found: dict[str, list[str]] = {}
        for noun, identifier in zip(
            table["noun"].to_pylist(), table["id"].to_pylist(), strict=True
        ):
            found.setdefault(noun, []).append(identifier)
    except (pa.ArrowException, KeyError) as error:
        raise InputRefused(say("packages.table-unreadable", name=REMOVED)) from error
    counted = {noun: len(ids) for noun, ids in found.items()}
    if counted != package.manifest.removed or not found.keys() <= set(RECORD_NOUNS):
        raise InputRefused(say("packages.table-unreadable", name=REMOVED))
    return found


def _unseal(actor: Actor, path: Path, plain: Path, passphrase: str | None, most: int) -> None:
    raw = io.FileIO(plain, "wb")
    with path.open("rb") as source, _Limited(raw, most, path.name) as target:
        keys.unseal(
            source,
            target,
            node_folder=actor.store.folder,
            passphrase=actor.passphrase if passphrase is None else passphrase,
            sealed_to_passphrase=passphrase is not None,
        )


class _Limited(io.BufferedWriter):
    """A file that takes no more bytes than were allowed."""

    def __init__(self, raw: io.RawIOBase, most: int, name: str) -> None:
        super().__init__(raw)
        self._left, self._most, self._named = most, most, name

    def write(self, data: Any) -> int:
        """Pass bytes on while there is room."""
        self._left -= len(data)
        if self._left < 0:
            raise InputRefused(
                say("packages.too-large", name=self._named, size="?", most=f"{self._most:,}")
            )
        return super().write(data)


def _manifest(actor: Actor, source: Source, now: datetime | None) -> Manifest:
    """The manifest, once its sender's signature holds and it is for us."""
    if MANIFEST not in source.members:
        raise InputRefused(say("packages.no-manifest"))
    raw = _small(source, MANIFEST)
    if SIGNATURE not in source.members:
        raise InputRefused(say("packages.unsigned"))
    found = manifests.parse(raw)
    signature = _small(source, SIGNATURE).decode("ascii", "replace").strip()
    ring = _ring(actor, source, found.sender)
    keyring.verify(ring, raw, signature, purpose=PURPOSE, now=now)
    if found.recipient != actor.party:
        raise InputRefused(say("packages.for-other", recipient=found.recipient, us=actor.party))
    return found


def _ring(actor: Actor, source: Source, sender: str) -> Keyring:
    """The sender's keys: those we know or, after a change of keys, those they signed for."""
    known = trust.rings(actor.store).get(sender)
    if known is None:
        raise InputRefused(say("keys.party-unknown", party=sender), say("keys.party-unknown.do"))
    if LETTER not in source.members:
        return known
    try:
        told = json.loads(_small(source, LETTER))
        carried = keyring.read(told["keys"])
        return carried if not carried.strangers(known) else known
    except (InputRefused, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return known


def _small(source: Source, name: str) -> bytes:
    with source.open(name) as stream:
        raw = stream.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise InputRefused(say("packages.manifest-unreadable"))
    return raw


def _same_files(found: Manifest, source: Source, name: str, most: int) -> None:
    listed = [file.path for file in found.files]
    if len(set(listed)) != len(listed) or {*listed, MANIFEST, SIGNATURE} != set(source.members):
        raise InputRefused(say("packages.other-files", name=name))
    if found.total > most:
        raise InputRefused(say("packages.too-large", name=name, size=f"{found.total:,}",
                               most=f"{most:,}"))  # fmt: skip


def _copy(source: Source, file: manifests.File, target: Path) -> None:
    """Take one file out of the archive; its size and hash must be the manifest's."""
    seen, size = hashlib.sha256(), 0
    with source.open(file.path) as stream, target.open("wb") as out:
        while block := stream.read(_CHUNK):
            seen.update(block)
            size += len(block)
            if size > file.size:
                break
            out.write(block)
    if size != file.size or seen.hexdigest() != file.sha256:
        raise InputRefused(say("packages.file-altered", name=file.path))


def _typed(noun: str, table: Any) -> Any:
    """The table with exactly the types of the dictionary; nothing beside them but the marks."""
    known = types_of(noun)
    allowed = {"id", "version", "dataset_id", "extra", *MARKS}
    own = {name for name in known if name not in _HEADER} | allowed
    strange = [name for name in table.column_names if name not in own]
    if strange or "id" not in table.column_names or table.column("id").null_count:
        raise InputRefused(say("packages.table-unreadable", name=noun))
    plain = table.select([name for name in table.column_names if name in known])
    frame = plain.to_pandas(types_mapper=_nullable)
    again = typed(noun, frame)
    for name in table.column_names:
        if name in MARKS:
            again = again.append_column(name, table.column(name).cast(pa.large_string()))
    if len(set(again.column("id").to_pylist())) != again.num_rows:
        raise InputRefused(say("packages.table-unreadable", name=noun))
    return again


def _nullable(kind: Any) -> Any:
    import pandas as pd

    return {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}.get(kind)


_HEADER: Final = frozenset(
    {
        "id", "version", "dataset_id", "project_id", "batch_id", "source_file", "source_row",
        "source_line", "natural_key", "content_hash", "since", "until", "reason", "person",
        "extra",
    }
)  # fmt: skip
