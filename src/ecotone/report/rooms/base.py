"""What a room gives to a chapter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ecotone.report.document import Block, Text
from ecotone.report.source import Entry
from ecotone.report.writing import Writing


@dataclass(frozen=True)
class Room:
    """The parts of a chapter that only its own field knows.

    ``headline`` names the values a hurried reader takes away, ``sentences`` says one result in
    words, ``pictures`` draws all results of the indicator.
    """

    headline: tuple[str, ...]
    sentences: Callable[[Writing, Entry], list[Text]]
    pictures: Callable[[Writing, Sequence[Entry]], list[Block]]
