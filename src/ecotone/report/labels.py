"""Sheets of labels: a QR code of the short identifier, the same in letters, lines to write on.

What a scanner reads and what a person types is one text, so it does not matter who does which.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ecotone.model import words
from ecotone.model.errors import UsageError
from ecotone.report.typeset import typeset

#: More labels than this in one file are a slip of the pen, not a field season.
MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of labels as shops sell it; all lengths in millimetres."""

    name: str
    page: tuple[float, float]
    across: int
    down: int
    label: tuple[float, float]
    margin: tuple[float, float]  #: left and top
    gap: tuple[float, float] = (0.0, 0.0)

    @property
    def count(self) -> int:
        """Labels on one page."""
        return self.across * self.down


SHEETS: Final = {
    sheet.name: sheet
    for sheet in (
        Sheet("a4-24", (210, 297), 3, 8, (70, 37), (0, 0.5)),
        Sheet("a4-21", (210, 297), 3, 7, (63.5, 38.1), (7.2, 15.15), (2.5, 0)),
        Sheet("a4-65", (210, 297), 5, 13, (38.1, 21.2), (4.75, 10.7), (2.5, 0)),
        Sheet("thermal-50x25", (50, 25), 1, 1, (50, 25), (0, 0)),
        Sheet("thermal-70x40", (70, 40), 1, 1, (70, 40), (0, 0)),
    )
}


@dataclass(frozen=True, slots=True)
class Label:
    """One label: the text in the code and in letters, and a line of words under it."""

    code: str
    words: str = ""


def sheet_named(name: str) -> Sheet:
    """A sheet by its name; UsageError where there is none."""
    if name not in SHEETS:
        raise UsageError(
            words.say("report.labels.sheet-unknown", sheet=name, known=", ".join(SHEETS))
        )
    return SHEETS[name]


def render_labels(
    labels: Sequence[Label], sheet: Sheet, lang: words.Language, *, title: str = "", skip: int = 0
) -> bytes:
    """The labels as PDF.

    Args:
        labels: in the order they are printed, row by row.
        sheet: the paper.
        lang: of the words on the labels.
        title: what stands above the code: the dataset, the campaign.
        skip: labels already peeled off the first page.
    """
    if not 1 <= len(labels) <= MOST:
        raise UsageError(words.say("report.labels.count", count=len(labels), most=MOST))
    if not 0 <= skip < sheet.count:
        raise UsageError(words.say("report.labels.skip", skip=skip, most=sheet.count - 1))
    tree = {
        "lang": lang,
        "title": title,
        "document": str(words.say("report.labels.title", lang)),
        "lines": [str(words.say(f"report.labels.{key}", lang)) for key in ("date", "place", "by")],
        "page": sheet.page, "across": sheet.across, "down": sheet.down, "label": sheet.label,
        "margin": sheet.margin, "gap": sheet.gap, "skip": skip,
        "pages": math.ceil((len(labels) + skip) / sheet.count),
        "labels": [
            {"code": label.code, "words": label.words, "picture": f"{number}.svg"}
            for number, label in enumerate(labels)
        ],
    }  # fmt: skip
    pictures = {f"{number}.svg": _code(label.code) for number, label in enumerate(labels)}
    return typeset("labels.typ", tree, pictures, lang=lang)


def _code(text: str) -> bytes:
    """A QR code that stands a quarter of it soiled or torn."""
    import segno

    out = io.BytesIO()
    segno.make(text, error="q", micro=False, boost_error=False).save(
        out, kind="svg", border=2, xmldecl=False, svgns=True, omitsize=True, unit=None
    )
    return out.getvalue()
