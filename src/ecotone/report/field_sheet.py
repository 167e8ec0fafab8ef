"""Forms to print and fill with a pencil: the fields of a noun, a block for each record."""

from __future__ import annotations

from typing import Final

from ecotone.formats.workbook_template import columns_of
from ecotone.model import words
from ecotone.model.dictionary import Attribute
from ecotone.model.errors import UsageError
from ecotone.report.l10n import unit
from ecotone.report.typeset import typeset

MOST_PAGES: Final = 500
#: Millimetres of a page that blocks can use, and what a block takes beside its lines.
_ROOM, _HEAD, _LINE = 255.0, 11.0, 7.2
_PRINTED_CHOICES: Final = 8


def render_field_sheet(
    noun: str, lang: words.Language, *, title: str = "", pages: int = 1, only: tuple[str, ...] = ()
) -> bytes:
    """The form as PDF.

    Args:
        noun: what is written down, with a template of its own.
        lang: of every word on the paper.
        title: the dataset or campaign, at the head of each page.
        pages: how many.
        only: attributes to print, in the dictionary's order; all where empty.
    """
    if not 1 <= pages <= MOST_PAGES:
        raise UsageError(words.say("report.paper.pages", pages=pages, most=MOST_PAGES))
    fields = _fields(noun, only)
    lines = (len(fields) + 1) // 2
    name = str(words.say(f"share.noun.{noun}", lang))
    tree = {
        "lang": lang,
        "title": title,
        "name": name[:1].upper() + name[1:],
        "noun": noun,
        "words": {
            key: str(words.say(f"report.paper.{key}", lang))
            for key in ("team", "day", "sheet", "record", "must", "page")
        },
        "pages": pages,
        "records": max(1, int(_ROOM // (_HEAD + lines * _LINE))),
        "fields": [
            {
                "title": f"{field.description[lang]}{' *' if field.required else ''}",
                "unit": "°" if field.unit == "degree" else unit(field.unit, lang),
                "choices": _choices(field, lang),
            }
            for field in fields
        ],
    }
    return typeset("field_sheet.typ", tree, {}, lang=lang)


def _fields(noun: str, only: tuple[str, ...]) -> list[Attribute]:
    fields = columns_of(noun)
    known = {field.name for field in fields}
    strange = [name for name in only if name not in known]
    if strange:
        raise UsageError(
            words.say(
                "report.paper.unknown", names=", ".join(strange), known=", ".join(sorted(known))
            )
        )
    return [field for field in fields if not only or field.name in only or field.required]


def _choices(field: Attribute, lang: words.Language) -> list[str]:
    if field.type == "boolean":
        return [str(words.say(f"report.paper.{answer}", lang)) for answer in ("yes", "no")]
    return list(field.choices) if len(field.choices) <= _PRINTED_CHOICES else []
