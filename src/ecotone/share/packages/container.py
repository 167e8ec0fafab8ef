"""One sealed file out of a folder of files, and back; the zip inside has one form only."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ecotone.share import keys
from ecotone.share.keyring import Keyring
from ecotone.share.packages.manifest import MANIFEST, SIGNATURE
from ecotone.store.staging import Staged

if TYPE_CHECKING:
    from ecotone.store import Store

#: Files longer than this need the wide form of a zip's entry.
_WIDE: Final = 1 << 31
#: Packed already: packing again costs time and saves nothing.
_STORED: Final = (".parquet", ".tif", ".zip")
_CHUNK: Final = 1 << 20


@contextmanager
def scratch(store: Store) -> Iterator[Path]:
    """A folder under ``staging/`` for the time of a command, removed also after a crash."""
    staged = Staged(store.folder / "staging", store.mint())
    try:
        yield staged.folder
    finally:
        staged.remove()


def pack(folder: Path, names: list[str], target: Path) -> None:
    """A zip of the named files: manifest first, the others in order."""
    first = [MANIFEST, SIGNATURE]
    with zipfile.ZipFile(target, "w", compresslevel=1) as archive:
        for name in [*first, *sorted(names)]:
            stored = name.endswith(_STORED)
            archive.compression = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            large = (folder / name).stat().st_size > _WIDE
            # An entry opened by its name bears the earliest time a zip can say, and no clock's.
            with (
                (folder / name).open("rb") as source,
                archive.open(name, "w", force_zip64=large) as out,
            ):
                shutil.copyfileobj(source, out, _CHUNK)


def seal(plain: Path, target: Path, *, to: Keyring | None, passphrase: str | None) -> None:
    """Seal a file to a party's key in use or to a passphrase; there whole or not at all."""
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with plain.open("rb") as source, fresh.open("wb") as out:
            keys.seal(source, out, to=to, passphrase=passphrase)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
