"""Files of a package written so that the same content gives the same bytes."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, Protocol

import pandas as pd

#: Zip entries carry a time; the earliest a zip can say, so that no clock enters the bytes.
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_CHUNK_ROWS: Final = 50_000


class Package(Protocol):
    """Where the files of a package go: into a zip or a folder."""

    def text(self, name: str, content: str) -> None:
        """Write a small text file in UTF-8."""

    def table(self, name: str, frame: pd.DataFrame) -> None:
        """Write a table as comma-separated text in UTF-8, every cell quoted, lines ended by LF."""


class _Zip:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    @contextmanager
    def _entry(self, name: str) -> Iterator[IO[bytes]]:
        info = zipfile.ZipInfo(name, _EPOCH)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        info.create_system = 3
        with self._archive.open(info, "w", force_zip64=True) as stream:
            yield stream

    def text(self, name: str, content: str) -> None:
        with self._entry(name) as stream:
            stream.write(content.encode("utf-8"))

    def table(self, name: str, frame: pd.DataFrame) -> None:
        with self._entry(name) as stream:
            for piece in csv_pieces(frame):
                stream.write(piece.encode("utf-8"))


class _Folder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def text(self, name: str, content: str) -> None:
        (self._folder / name).write_bytes(content.encode("utf-8"))

    def table(self, name: str, frame: pd.DataFrame) -> None:
        with (self._folder / name).open("wb") as stream:
            for piece in csv_pieces(frame):
                stream.write(piece.encode("utf-8"))


@contextmanager
def package(path: Path) -> Iterator[Package]:
    """A zip (``*.zip``) that appears only when whole, or else a folder."""
    if path.suffix.lower() != ".zip":
        path.mkdir(parents=True, exist_ok=True)
        yield _Folder(path)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    try:
        with zipfile.ZipFile(unfinished, "w") as archive:
            yield _Zip(archive)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def csv_pieces(frame: pd.DataFrame) -> Iterator[str]:
    """The text of a table, a bounded piece at a time; missing and empty are the same ``""``."""
    yield ",".join(_quoted(str(name)) for name in frame.columns) + "\n"
    for start in range(0, len(frame), _CHUNK_ROWS):
        piece = frame.iloc[start : start + _CHUNK_ROWS]
        yield _rows(piece)


def _rows(frame: pd.DataFrame) -> str:
    """Rows as text: each cell quoted, so that line ends and quotes inside cells survive."""
    columns = [
        ('"' + frame[name].fillna("").astype("str").str.replace('"', '""', regex=False) + '"')
        for name in frame.columns
    ]
    lines = columns[0]
    for column in columns[1:]:
        lines = lines + "," + column
    return "\n".join(lines.tolist()) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
