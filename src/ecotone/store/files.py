"""Files by sha256: kept once, never changed, there whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import threading
import uuid
from pathlib import Path
from typing import Final

from ecotone.model.errors import StoreError
from ecotone.model.words import say
from ecotone.store.system import put_in_place, read_only, sync_folder

_BLOCK: Final = 1 << 20

#: Files that are referenced, not copied: they are many and large, and nobody edits them.
MEDIA: Final = frozenset(
    {
        *(".jpg", ".jpeg", ".png", ".heic", ".webp", ".dng", ".cr2", ".nef"),
        *(".mp4", ".m4v", ".avi", ".mov", ".mkv", ".mts", ".wav", ".flac", ".mp3"),
    }
)


def home(folder: Path, sha256: str) -> Path:
    """Where a file of this hash lies."""
    return folder / "files" / sha256[:2] / sha256


def keep(folder: Path, source: Path) -> tuple[str, int]:
    """Copy a file in, hashing on the way; ``(sha256, size)``.

    It is written beside its place, synchronised, then renamed: after a crash it is there whole
    or not at all.
    """
    staged = folder / "staging" / f"file-{os.getpid()}-{uuid.uuid4().hex}"
    try:
        sha256, size = _copy(source, staged)
        target = home(folder, sha256)
        if target.is_file() and target.stat().st_size == size:
            return sha256, size
        target.parent.mkdir(parents=True, exist_ok=True)
        staged.replace(target)
        read_only(target)
        sync_folder(target.parent)
        return sha256, size
    finally:
        staged.unlink(missing_ok=True)


def keep_folder(folder: Path, source: Path) -> list[tuple[str, str, int]]:
    """Keep a delivered folder: ``(name, sha256, size)`` of each file that was copied in.

    Photos, films and sounds stay where they lie; a list of them with path, size and hash is
    kept in their place, as ``media.jsonl``.
    """
    kept, media = [], []
    for path in sorted(source.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        name = path.relative_to(source).as_posix()
        if path.suffix.lower() in MEDIA:
            media.append((name, *sha256_of(path)))
        else:
            kept.append((name, *keep(folder, path)))
    if media:
        with tempfile.TemporaryDirectory(dir=folder / "staging", prefix="media-") as scratch:
            listing = Path(scratch) / "media.jsonl"
            with listing.open("w", encoding="utf-8", newline="\n") as out:
                for name, sha256, size in media:
                    line = {"path": name, "sha256": sha256, "size": size}
                    out.write(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n")
            kept.append(("media.jsonl", *keep(folder, listing)))
    return kept


def sha256_of(path: Path) -> tuple[str, int]:
    """The hash and size of a file."""
    seen, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            seen.update(block)
            size += len(block)
    return seen.hexdigest(), size


def find(folder: Path, sha256: str) -> Path:
    """The kept file; StoreError where there is none."""
    path = home(folder, sha256)
    if len(sha256) != 64 or not sha256.isalnum() or not path.is_file():
        raise StoreError(say("store.file-missing", sha256=sha256))
    return path


def write_whole(path: Path, text: str) -> None:
    """Write a small text file so that it is there whole or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    with fresh.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    put_in_place(fresh, path)
    sync_folder(path.parent)


def _copy(source: Path, target: Path) -> tuple[str, int]:
    seen, size = hashlib.sha256(), 0
    with source.open("rb") as stream, target.open("xb") as out:
        while block := stream.read(_BLOCK):
            seen.update(block)
            size += len(block)
            out.write(block)
        out.flush()
        os.fsync(out.fileno())
    return seen.hexdigest(), size
