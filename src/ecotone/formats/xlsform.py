"""Forms for telephones: an XLSForm of a noun, as ODK Collect and KoboCollect fill it offline.

The form asks what the workbook's template asks. A place is one question (``place``), a barcode or
typed letters give the record's own number, and a hidden field says which form it was, so that
submissions come back in as what they are (see ``xform``).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ecotone.formats.workbook_template import columns_of
from ecotone.model.dictionary import Attribute
from ecotone.model.words import LANGUAGES, Language, say

if TYPE_CHECKING:
    import datetime as dt

VERSION: Final = 1
#: The hidden field that says which form a submission answers, and what it holds.
FORM: Final = "ecotone_form"
PLACE: Final = "place"
#: Ends the name of the field for numbers that could not be scanned.
TYPED: Final = "_typed"
#: What a place gives, in the order XForms write it.
OF_PLACE: Final = ("latitude", "longitude", "elevation_m", "coordinate_uncertainty_m")
#: Given by the telephone with every place and time.
_GIVEN: Final = frozenset({*OF_PLACE, "datum", "time_zone"})

_NAMES: Final = {"en": "English (en)", "zh": "中文 (zh)", "ru": "Русский (ru)"}
_TYPES: Final = {
    "number": "decimal",
    "integer": "integer",
    "time": "dateTime",
    "date": "date",
}
_SURVEY: Final = (
    "type", "name", *(f"label::{name}" for name in _NAMES.values()), "required", "relevant",
    "calculation", "appearance",
)  # fmt: skip


def form_id(noun: str) -> str:
    """What the hidden field holds and the form is called by.

    >>> form_id("Sample")
    'ecotone:Sample:1'
    """
    return f"ecotone:{noun}:{VERSION}"


def write_xlsform(path: Path, noun: str, lang: Language, *, made: dt.datetime) -> None:
    """Write the form of a noun: all three languages in one, ``lang`` the one it opens in."""
    from openpyxl import Workbook

    fields = columns_of(noun)
    book = Workbook()
    book.properties.created = book.properties.modified = made.replace(tzinfo=None)
    survey: Any = book.active
    survey.title = "survey"
    _write(survey, _SURVEY, _questions(noun, fields))
    heads = ("list_name", "name", *(f"label::{name}" for name in _NAMES.values()))
    _write(book.create_sheet("choices"), heads, _choices(fields))
    heads = ("form_title", "form_id", "version", "default_language", "style")
    name = str(say(f"share.noun.{noun}", lang))
    settings = [
        f"Ecotone: {name}",
        form_id(noun).replace(":", "_"),
        str(VERSION),
        _NAMES[lang],
        "pages",
    ]
    _write(book.create_sheet("settings"), heads, [dict(zip(heads, settings, strict=True))])
    book.save(path)


def _write(sheet: Any, heads: tuple[str, ...], rows: list[dict[str, str]]) -> None:
    from openpyxl.styles import Font

    sheet.append(heads)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for row in rows:
        sheet.append([row.get(head, "") for head in heads])


def _questions(noun: str, fields: tuple[Attribute, ...]) -> list[dict[str, str]]:
    names = {field.name for field in fields}
    asked = [{"type": "calculate", "name": FORM, "calculation": f"'{form_id(noun)}'"}]
    asked += [{"type": "start", "name": "start"}, {"type": "deviceid", "name": "deviceid"}]
    own = fields[0].name if fields[0].name.endswith("_id") else ""
    for field in fields:
        if field.name == own:
            asked += _own_number(field)
        elif field.name == "latitude":
            asked.append({"type": "geopoint", "name": PLACE, **_labels("xlsform.place")})
        elif not ({"latitude", "longitude"} <= names and field.name in _GIVEN):
            asked.append(_question(field))
    return asked


def _own_number(field: Attribute) -> list[dict[str, str]]:
    """Scanned from a label; typed where the label cannot be read."""
    must = {"required": "yes"} if field.required else {}
    return [
        {"type": "barcode", "name": field.name, **_labels("xlsform.scan", field)},
        {
            "type": "text",
            "name": f"{field.name}{TYPED}",
            "relevant": f"${{{field.name}}} = ''",
            **must,
            **_labels("xlsform.typed", field),
        },
    ]


def _question(field: Attribute) -> dict[str, str]:
    kind = _TYPES.get(field.type, "text")
    if field.choices:
        kind = f"select_one {field.name}"
    elif field.type == "boolean":
        kind = "select_one yes_no"
    must = {"required": "yes"} if field.required else {}
    return {"type": kind, "name": field.name, **must, **_labels("xlsform.field", field)}


def _labels(key: str, field: Attribute | None = None) -> dict[str, str]:
    """What stands above a question, in every language."""
    found = {}
    for lang in LANGUAGES:
        what = field.description[lang] if field is not None else ""
        unit = f" [{'°' if field.unit == 'degree' else field.unit}]" if field and field.unit else ""
        found[f"label::{_NAMES[lang]}"] = str(say(key, lang, what=what, unit=unit))
    return found


def _choices(fields: tuple[Attribute, ...]) -> list[dict[str, str]]:
    found = [
        {"list_name": "yes_no", "name": value, **_answers(word)}
        for value, word in (("true", "yes"), ("false", "no"))
    ]
    for field in fields:
        for choice in field.choices:
            label = {f"label::{name}": choice for name in _NAMES.values()}
            found.append({"list_name": field.name, "name": choice.replace(" ", "_"), **label})
    return found


def _answers(word: str) -> dict[str, str]:
    return {f"label::{_NAMES[lang]}": str(say(f"report.paper.{word}", lang)) for lang in LANGUAGES}
