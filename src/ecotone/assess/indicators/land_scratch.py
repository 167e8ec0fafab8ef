"""Arrays on disk while blocks come in: memory holds few blocks, and a killed run goes on."""

from __future__ import annotations

import hashlib
import json
import mmap
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from ecotone.assess.indicator import Job
from ecotone.model.errors import EcotoneError


class Scratch:
    """Arrays over a window in a folder; what is in them outlives a killed process."""

    def __init__(self, folder: Path, within: Window) -> None:
        self.folder = folder
        self.within = within
        self._arrays: list[np.memmap[Any, Any]] = []

    def array(self, name: str, dtype: Any, layers: int | None = None) -> NDArray[Any]:
        """An array, (rows, columns) or (layers, rows, columns); zeros where it is new."""
        shape = (int(self.within.height), int(self.within.width))
        whole = shape if layers is None else (layers, *shape)
        path = self.folder / name
        mode: Literal["r+", "w+"] = "r+" if path.exists() else "w+"
        made: np.memmap[Any, Any] = np.memmap(path, dtype=dtype, mode=mode, shape=whole)
        self._arrays.append(made)
        return made

    def place(self, window: Window) -> tuple[slice, slice]:
        """Where a window lies in the arrays."""
        top = int(window.row_off - self.within.row_off)
        left = int(window.col_off - self.within.col_off)
        return slice(top, top + int(window.height)), slice(left, left + int(window.width))

    def release(self) -> None:
        """Give the memory behind the arrays back; their numbers stay in the files."""
        advice = getattr(mmap, "MADV_DONTNEED", None)
        for array in self._arrays:
            held = getattr(array, "_mmap", None)
            if advice is not None and held is not None:
                held.madvise(advice)

    def done(self, name: str) -> dict[tuple[int, int, int, int], dict[str, float]]:
        """Windows finished by an earlier run that was killed, with what was noted of each."""
        path = self.folder / f"{name}.done"
        if not path.exists():
            return {}
        found = {}
        for line in path.read_text("utf-8").splitlines():
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:
                # The kill came while this line was written; its block is computed again.
                continue
            left, top, width, height = entry["window"]
            found[left, top, width, height] = entry["noted"]
        return found

    def finished(self, name: str, window: Window, noted: dict[str, float]) -> None:
        """Note that a window's numbers are in the arrays."""
        entry = {"window": key_of(window), "noted": noted}
        with (self.folder / f"{name}.done").open("a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")


def key_of(window: Window) -> tuple[int, int, int, int]:
    """A window as four whole numbers."""
    return int(window.col_off), int(window.row_off), int(window.width), int(window.height)


@contextmanager
def scratch(job: Job, indicator: str, within: Window) -> Iterator[Scratch]:
    """A scratch folder beside the result, gone when the result is made or refused.

    Its name stands for the inputs, parameters and region: a run that was killed leaves it,
    and the same run goes on from it; what other runs left is cleared away.
    """
    folder = job.out / f".blocks-{_digest(job, indicator)}"
    for left in job.out.glob(".blocks-*"):
        if left != folder:
            shutil.rmtree(left, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield Scratch(folder, within)
    except EcotoneError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _digest(job: Job, indicator: str) -> str:
    """What the numbers depend on; files by path, size and time, which a change alters."""
    total = hashlib.sha256(indicator.encode())
    total.update(json.dumps(dict(job.parameters), sort_keys=True).encode())
    for name, paths in sorted(job.inputs.items()):
        for path in paths:
            inner = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
            for file in inner:
                facts = file.stat()
                total.update(f"{name}\0{file}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode())
    if job.region is not None:
        total.update(job.region.wkb)
    return total.hexdigest()[:16]
