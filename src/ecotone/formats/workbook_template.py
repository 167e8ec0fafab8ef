"""Workbooks made from the data dictionaries: written in any language, known again by hidden ids.

The first row of a template is hidden and holds ``ecotone:NOUN.attribute`` above each column, so
that a template filled in any language, with columns moved or taken out, comes back as the noun
it was made for. The second row is what the reader sees; then rows follow. A first column takes
notes, and the mark of the example row.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ecotone.model.dictionary import RECORD_NOUNS, Attribute, attributes, dictionary
from ecotone.model.errors import UsageError
from ecotone.model.words import LANGUAGES, say

if TYPE_CHECKING:
    import pandas as pd

VERSION: Final = 1
#: Columns of a correction: which record, and which version of it the reader saw.
RECORD_ID: Final = "@id"
RECORD_VERSION: Final = "@version"
#: The type asked for where rows to correct are read, not a delivery.
CORRECTION: Final = "@correction"
#: Sheets that begin with one of these are ours to read, not data.
NO_DATA: Final = ("ecotone:help", "ecotone:findings")

_ID: Final = re.compile(r"ecotone:(?P<noun>[A-Za-z]+)\.(?P<column>#\d+|@?[a-z0-9_]+)")
_NOT_BY_HAND: Final = ("Record", "Coverage")
#: Written by the reading itself, from the columns beside them.
_DERIVED: Final = frozenset(
    {"value_text", "unit_text", "time_text", "latitude_text", "longitude_text", "datum_operation",
     "time_precision", "flags"}
)  # fmt: skip
_MEASURED: Final = ("Observation", "QualityControl")
_OF_MEASURED: Final = frozenset({"limit_kind", "missing_reason"})
_ROWS: Final = 2000
_EXAMPLES: Final = {
    "site": "S-01",
    "site_id": "S-01",
    "sample_id": "W-0001",
    "deployment_id": "D-01",
    "device_id": "C-007",
    "analysis_id": "B-2024-031",
    "analysis": "B-2024-031",
    "control_id": "QC-0001",
    "flag_id": "QF-0001",
    "rule_id": "AR-01",
    "sample": "W-0001",
    "device": "C-007",
    "raise_at": 1.5,
    "observation_id": "2024-0001",
    "occurrence_id": "OCC-0001",
    "event_id": "E-01",
    "individual_id": "F-03",
    "media_id": "M-0001",
    "taxon_id": "T-1",
    "taxon": "Panthera uncia",
    "property": "nitrate",
    "value": 1.25,
    "unit": "mg/L",
    "time_start": "2024-05-31 09:30",
    "time_end": "2024-05-31 10:00",
    "time_zone": "+06:00",
    "latitude": 42.5012,
    "longitude": 74.6031,
    "coordinate_uncertainty_m": 10,
    "datum": "WGS84",
    "individual_count": 2,
    "count": 2,
}


@dataclass(frozen=True)
class Head:
    """What the hidden row of a template says."""

    noun: str
    version: int
    columns: tuple[str, ...]  #: attribute, "#" (notes), "@id", "@version" or "" for each column
    titled: bool  #: whether the next row holds the visible titles

    @property
    def is_correction(self) -> bool:
        """Whether the workbook was exported to be corrected."""
        return RECORD_ID in self.columns


def nouns() -> tuple[str, ...]:
    """The nouns that are filled in by hand."""
    return tuple(noun for noun in RECORD_NOUNS if noun not in _NOT_BY_HAND)


def columns_of(noun: str) -> tuple[Attribute, ...]:
    """The attributes a template of this noun asks for; UsageError where it has none."""
    if noun not in nouns():
        raise UsageError(say("template.noun-unknown", noun=noun, known=", ".join(nouns())))
    left_out = _DERIVED | (_OF_MEASURED if noun in _MEASURED else frozenset())
    return tuple(a for a in dictionary(noun) if a.name not in left_out)


def title(attribute: Attribute, lang: str) -> str:
    """What stands above a column: words, unit, a star where it must be filled."""
    unit = f" [{attribute.unit}]" if attribute.unit else ""
    return f"{attribute.description[lang]}{unit}{' *' if attribute.required else ''}"


def head_of(rows: Sequence[Sequence[str | None]]) -> Head | None:
    """The head of a template, from the first rows of a sheet; None where it is none."""
    if not rows:
        return None
    found = [_ID.fullmatch((text or "").strip()) for text in rows[0]]
    named = [match for match in found if match is not None]
    if not named or named[0]["noun"] not in RECORD_NOUNS:
        return None
    columns = tuple("" if match is None else match["column"] for match in found)
    versions = [int(c[1:]) for c in columns if c.startswith("#")]
    plain = tuple("#" if c.startswith("#") else c for c in columns)
    noun = named[0]["noun"]
    return Head(noun, max(versions, default=VERSION), plain, _titled(noun, plain, rows[1:2]))


def _titled(noun: str, columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> bool:
    """Whether the row under the ids still holds titles: a deleted one must not cost a record."""
    if not rows:
        return False
    known = attributes(noun)
    return any(
        text is not None and text.strip() in {title(known[name], lang) for lang in LANGUAGES}
        for name, text in zip(columns, rows[0], strict=False)
        if name in known
    )


def example_marks() -> frozenset[str]:
    """The words that mark an example row, in every language."""
    return frozenset(say("template.example", lang).casefold() for lang in LANGUAGES)


def write_template(path: Path, noun: str, lang: str, *, made: dt.datetime) -> None:
    """Write an empty template of a noun with one example row and a sheet of help."""
    book = _new(made)
    sheet = book.active
    columns = columns_of(noun)
    _head(sheet, noun, lang, [a.name for a in columns], corrections=False)
    _dress(sheet, columns, lang, first=2)
    from openpyxl.styles import Font, PatternFill

    for place, value in enumerate(
        [say("template.example", lang), *(_example(a) for a in columns)], start=1
    ):
        cell = sheet.cell(row=3, column=place, value=value)
        cell.font = Font(italic=True, color="808080")
        cell.fill = PatternFill("solid", fgColor="EFEFEF")
    _help(book, noun, columns, lang)
    book.save(path)


def write_rows(path: Path, noun: str, frame: pd.DataFrame, lang: str, *, made: dt.datetime) -> None:
    """Write rows to correct: ``@id`` and ``@version`` of ``frame`` in front, then attributes."""
    book = _new(made)
    sheet = book.active
    known = attributes(noun)
    own = [known[name] for name in frame.columns if name in known]
    _head(sheet, noun, lang, [a.name for a in own], corrections=True)
    _dress(sheet, own, lang, first=4)
    for row, values in enumerate(
        frame[[RECORD_ID, RECORD_VERSION, *(a.name for a in own)]].itertuples(index=False), start=3
    ):
        for place, value in enumerate(values, start=2):
            if value is not None and value == value:
                cell = sheet.cell(row=row, column=place)
                cell.value = value.item() if hasattr(value, "item") else value
                if isinstance(value, str):
                    cell.data_type = "s"
    sheet.column_dimensions["A"].hidden = True
    book.save(path)


def _new(made: dt.datetime) -> Any:
    from openpyxl import Workbook

    book = Workbook()
    book.properties.created = book.properties.modified = made.replace(tzinfo=None)
    return book


def _head(sheet: Any, noun: str, lang: str, names: Sequence[str], *, corrections: bool) -> None:
    """The hidden ids and the visible titles."""
    from openpyxl.styles import Alignment, Font, PatternFill

    known = attributes(noun)
    keys = [RECORD_ID, RECORD_VERSION] if corrections else []
    ids = [f"#{VERSION}", *keys, *names]
    shown = [
        say("template.notes", lang),
        *(say(f"template.{key[1:]}", lang) for key in keys),
        *(title(known[name], lang) for name in names),
    ]
    sheet.title = noun
    for place, (name, text) in enumerate(zip(ids, shown, strict=True), start=1):
        sheet.cell(row=1, column=place, value=f"ecotone:{noun}.{name}")
        cell = sheet.cell(row=2, column=place, value=str(text))
        cell.font = Font(bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", fgColor="1F5C57")
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.row_dimensions[1].hidden = True
    sheet.row_dimensions[2].height = 62
    sheet.freeze_panes = "B3"


def _dress(sheet: Any, columns: Sequence[Attribute], lang: str, *, first: int) -> None:
    """Width, format and dropdown of each column."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    sheet.column_dimensions["A"].width = 14
    for place, attribute in enumerate(columns, start=first):
        letter = get_column_letter(place)
        dimension = sheet.column_dimensions[letter]
        dimension.width = 20
        if attribute.type not in ("number", "integer", "boolean"):
            # As text, so that 0012 keeps its zeros and 1-2 does not become a day of January.
            dimension.number_format = "@"
            for row in range(3, 203):
                sheet.cell(row=row, column=place).number_format = "@"
        listed = ("true", "false") if attribute.type == "boolean" else attribute.choices
        if listed:
            rule = DataValidation(
                type="list", formula1=f'"{",".join(listed)}"', allow_blank=True,
                showErrorMessage=True,
            )  # fmt: skip
            rule.error = str(say("template.list", lang, known=", ".join(listed)))[:255]
            rule.add(f"{letter}3:{letter}{_ROWS}")
            sheet.add_data_validation(rule)


def _help(book: Any, noun: str, columns: Sequence[Attribute], lang: str) -> None:
    from openpyxl.styles import Alignment, Font

    sheet = book.create_sheet(str(say("template.help-sheet", lang)))
    sheet.append([f"ecotone:help {noun}"])
    sheet.row_dimensions[1].hidden = True
    for number in range(1, 7):
        sheet.append([str(say(f"template.help-{number}", lang))])
    sheet.append([])
    heads = ("column", "unit", "kind", "must", "name")
    sheet.append([str(say(f"template.help-{head}", lang)) for head in heads])
    for cell in sheet[sheet.max_row]:
        cell.font = Font(bold=True)
    for a in columns:
        kind = ", ".join(a.choices) or str(say(f"template.type-{a.type}", lang))
        must = str(say("template.yes", lang)) if a.required else ""
        sheet.append([a.description[lang], a.unit, kind, must, a.name])
    for letter, width in zip("ABCDE", (70, 12, 34, 14, 26), strict=True):
        sheet.column_dimensions[letter].width = width
    for row in range(2, 8):
        sheet.cell(row=row, column=1).alignment = Alignment(wrap_text=True)


def _example(attribute: Attribute) -> Any:
    if attribute.name in _EXAMPLES:
        return _EXAMPLES[attribute.name]
    if attribute.choices:
        return attribute.choices[0]
    return f"{attribute.name}-1" if attribute.required else None
