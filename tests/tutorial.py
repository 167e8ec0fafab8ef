"""Tutorials carried out as they are written: their shell lines, one after the other."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.command import Told, ecotone
from tests.support import ROOT


def page(name: str) -> str:
    """The text of a tutorial, or of another page of the documentation."""
    places = (ROOT / "docs" / folder / f"{name}.md" for folder in ("tutorials", "."))
    return next(path for path in places if path.exists()).read_text(encoding="utf-8")


def commands(name: str) -> list[str]:
    """Every line of a tutorial's shell blocks, in order."""
    blocks = re.findall(r"```sh\n(.*?)```", page(name), re.DOTALL)
    return [line for block in blocks for line in block.strip().splitlines()]


def carry_out(command: str) -> Told:
    """A line of a tutorial where we stand; it must be one of ours and end well."""
    words = shlex.split(command)
    assert words[0] == "ecotone", command
    told = ecotone(*words[1:])
    assert told.code == 0, f"{command}\n{told.err}{told.out}"
    return told


def save_files(name: str, folder: Path) -> None:
    """Write the files that a tutorial asks its reader to save."""
    asked = re.findall(r"Save this as `([^`]+)`:\n\n```\w+\n(.*?)```", page(name), re.DOTALL)
    assert asked, name
    for file, content in asked:
        (folder / file).write_text(content, encoding="utf-8")
