"""Whether a member's name is safe to have, as Linux *and* Windows would read it.

An archive is a list of names written by a stranger. A name is taken only when
it is the same plain relative path on every system we serve; anything that
would land elsewhere, name a device, or coincide with another member on a
system that ignores case, accents' spelling or trailing dots, is refused.
"""

from __future__ import annotations

import re
import unicodedata

from ecotone.formats.base import Limits, refused
from ecotone.model.filenames import DEVICE

_FORBIDDEN = re.compile('[\x00-\x1f\x7f-\x9f\\\\:<>"|?*\u202a-\u202e\u2066-\u2069\ud800-\udfff]')
_DRIVE = re.compile(r"[A-Za-z]:")
#: What desktops leave behind; never part of a delivery.
_CLUTTER = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")


def member_name(raw: str, archive: str, limits: Limits) -> str:
    """The normalised relative name, or a refusal that says what is wrong with it."""
    if not raw or len(raw) > limits.name_length:
        raise refused("archive-name", file=archive, value=raw[:200])
    if raw.startswith(("/", "\\")) or _DRIVE.match(raw):
        raise refused("archive-name-outside", file=archive, value=raw)
    if _FORBIDDEN.search(raw):
        outside = ".." in re.split(r"[\\/]", raw)
        raise refused(
            "archive-name-outside" if outside else "archive-name", file=archive, value=raw
        )
    name = unicodedata.normalize("NFC", raw)
    compatible = unicodedata.normalize("NFKC", raw)
    if ".." in compatible.split("/") or compatible.count("/") != name.count("/"):
        raise refused("archive-name-outside", file=archive, value=raw)
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts:
        raise refused("archive-name", file=archive, value=raw)
    for part in parts:
        if part.endswith((".", " ")) or part.startswith(" ") or DEVICE.fullmatch(part):
            raise refused("archive-name", file=archive, value=raw)
    return "/".join(parts)


def is_root(raw: str) -> bool:
    """Whether a folder's entry is the archive's own top, as ``tar`` writes it."""
    return raw.rstrip("/") == "."


def is_clutter(name: str) -> bool:
    """Whether a member is a desktop's leftover or hidden, so not part of the delivery."""
    return any(part.startswith(".") or part in _CLUTTER for part in name.split("/"))


class NameBook:
    """The names met so far in one delivery; refuses the one that coincides with another."""

    def __init__(self, archive: str) -> None:
        self._archive = archive
        self._files: set[str] = set()
        self._folders: set[str] = set()

    def add(self, name: str, *, folder: bool = False) -> None:
        """Enter a name, or refuse: repeated, or a file where another has a folder."""
        key = _same(name)
        parents = [key[:at] for at, char in enumerate(key) if char == "/"]
        clash = key in self._files or any(parent in self._files for parent in parents)
        if clash or (not folder and key in self._folders):
            raise refused("archive-name-twice", file=self._archive, value=name)
        self._folders.update(parents)
        (self._folders if folder else self._files).add(key)


def _same(name: str) -> str:
    """One spelling for all names that some system takes for the same file."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", name).casefold())
