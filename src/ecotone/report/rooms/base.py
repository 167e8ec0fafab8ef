"""What a room gives to a chapter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ecotone.report.document import Block, Text
from ecotone.report.source import Entry
from ecotone.report.writing import Writing

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Room:
    """The parts of a chapter that only its own field knows.

    ``headline`` names the values a hurried reader takes away, ``sentences`` says one result in
    words, ``pictures`` draws all results of the indicator. ``columns`` names, for a table with
    more columns than a page holds, those a page shows; the workbook has them all. ``prepare``
    may add columns that say in a word what the numbers of a row mean. Tables in ``book`` stand
    in the workbook alone; rows of those in ``by_region`` are told apart by their region.
    """

    headline: tuple[str, ...]
    sentences: Callable[[Writing, Entry], list[Text]]
    pictures: Callable[[Writing, Sequence[Entry]], list[Block]]
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    prepare: Callable[[str, pd.DataFrame], pd.DataFrame] = lambda name, frame: frame
    book: frozenset[str] = frozenset()
    by_region: frozenset[str] = frozenset()
