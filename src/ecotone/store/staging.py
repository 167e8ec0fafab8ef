"""A batch before it is committed: blocks of rows as files in ``staging/``, seen by nobody.

The writer holds a lock on its folder for as long as it lives. A folder whose lock is free was
left by a process that died; the next ``open_node`` removes it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

import pyarrow as pa

from ecotone.store.system import is_abandoned, is_free, locked

_LOCK: Final = "lock"


class Staged:
    """One batch on its way in."""

    def __init__(self, staging: Path, name: str) -> None:
        self.folder = staging / name
        self.folder.mkdir(parents=True)
        self._lock = locked(self.folder / _LOCK)
        self._blocks: list[tuple[str, Path]] = []
        self._lines: dict[str, IO[str]] = {}

    def add(self, noun: str, block: pa.Table) -> None:
        """Keep one block of rows."""
        path = self.folder / f"{len(self._blocks):06d}.arrow"
        with pa.OSFile(str(path), "wb") as out, pa.ipc.new_file(out, block.schema) as writer:
            writer.write_table(block)
        self._blocks.append((noun, path))

    def blocks(self, noun: str) -> Iterator[pa.Table]:
        """The blocks of a noun, in order."""
        for of, path in self._blocks:
            if of == noun:
                with pa.OSFile(str(path), "rb") as source:
                    yield pa.ipc.open_file(source).read_all()

    def nouns(self) -> list[str]:
        """The nouns that have rows, in the order they came."""
        return list(dict.fromkeys(noun for noun, _ in self._blocks))

    def write_line(self, kind: str, value: list[Any]) -> None:
        """Keep one finding or quarantined row."""
        if kind not in self._lines:
            path = self.folder / f"{kind}.jsonl"
            self._lines[kind] = path.open("w+", encoding="utf-8")
        self._lines[kind].write(json.dumps(value) + "\n")

    def lines(self, kind: str) -> Iterator[list[Any]]:
        """What ``write_line`` kept, in order."""
        stream = self._lines.get(kind)
        if stream is None:
            return
        stream.flush()
        stream.seek(0)
        for line in stream:
            yield json.loads(line)

    def forget_rows(self) -> None:
        """Let the rows go and keep what was found."""
        for _, path in self._blocks:
            path.unlink()
        self._blocks.clear()

    def remove(self) -> None:
        """Leave nothing behind."""
        for stream in self._lines.values():
            stream.close()
        self._lines.clear()
        self._lock.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def clean(staging: Path) -> list[str]:
    """Remove what dead processes left; the names of what was removed."""
    removed = []
    for path in sorted(staging.iterdir()) if staging.is_dir() else []:
        if path.is_dir() and is_free(path / _LOCK):
            shutil.rmtree(path, ignore_errors=True)
            removed.append(path.name)
        elif path.name.startswith("file-") and is_abandoned(path, path.name.split("-")[1]):
            path.unlink(missing_ok=True)
            removed.append(path.name)
    return removed
