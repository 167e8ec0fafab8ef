"""Names of files and folders that every system takes, made from names that people give."""

from __future__ import annotations

import hashlib
import re
from typing import Final

#: What Windows takes for a device, with or without an ending.
DEVICE: Final = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\..*)?", re.IGNORECASE
)
_LONGEST: Final = 80


def file_name(name: str) -> str:
    """A name of a file for a given name: the same for the same, another for another.

    Letters of any script, digits, dots, dashes and underscores stand as they are; a name that had
    to be changed or cut gets eight characters of its hash, so that two never meet in one file.

    >>> file_name("Верховье-2"), file_name("a:b"), file_name("con.txt")
    ('Верховье-2', 'a_b-6783a31e', '_con.txt-d3bde286')
    """
    plain = "".join(c if c.isalnum() or c in "._-" else "_" for c in name)
    plain = plain[:_LONGEST].rstrip(". ") or "_"
    if DEVICE.fullmatch(plain):
        plain = f"_{plain}"
    if plain == name:
        return name
    return f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
