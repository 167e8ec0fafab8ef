"""Elevation and depth, in metres and as written."""

from __future__ import annotations

import functools
import re
from decimal import Decimal
from typing import Final

from ecotone.ingest.checks.base import Check, Parameters, Responses, amendment
from ecotone.ingest.checks.block import Block
from ecotone.ingest.checks.common import number_within, ordered

#: Metres in one unit, exact (international foot, yard and fathom).
_METRES: Final = {
    **dict.fromkeys(("m", "m.", "meter", "meters", "metre", "metres", "mts", "м", "метр", "метра",
                     "метров", "米", "公尺"), Decimal(1)),
    **dict.fromkeys(("km", "kilometer", "kilometers", "kilometre", "kilometres", "км", "千米",
                     "公里"), Decimal(1000)),
    **dict.fromkeys(("cm", "см", "厘米"), Decimal("0.01")),
    **dict.fromkeys(("ft", "ft.", "feet", "foot", "'", "фут", "футов", "英尺"), Decimal("0.3048")),
    **dict.fromkeys(("yd", "yds", "yard", "yards", "ярд", "ярдов", "码"), Decimal("0.9144")),
    **dict.fromkeys(("fathom", "fathoms", "ftm", "fth", "fm", "морская сажень", "英寻"),
                    Decimal("1.8288")),
}  # fmt: skip
_UNIT: Final = "|".join(re.escape(unit) for unit in sorted(_METRES, key=len, reverse=True))
_NUMBER: Final = r"([0-9]{1,6}(?:\.[0-9]+)?)"
_LABEL: Final = r"(?:\s*(?:elevation|depth|elev\.?|высота|глубина|海拔|深度))?"
_LEAST: Final = rf"(?:min(?:imum)?\.?{_LABEL}|мин\.?|最小|最低)\s*[=:]?\s*"
_MOST: Final = rf"(?:max(?:imum)?\.?{_LABEL}|макс\.?|最大|最高)\s*[=:]?\s*"
_ONE: Final = re.compile(rf"(?:{_LEAST})?{_NUMBER}\s*({_UNIT})", re.IGNORECASE)
_RANGE: Final = re.compile(
    rf"{_NUMBER}\s*({_UNIT})?\s*(?:-|–|—|~|to|до|至|到)\s*{_NUMBER}\s*({_UNIT})", re.IGNORECASE
)
_BOTH: Final = re.compile(
    rf"{_LEAST}{_NUMBER}\s*({_UNIT})?[\s,;]+{_MOST}{_NUMBER}\s*({_UNIT})", re.IGNORECASE
)


@functools.lru_cache(maxsize=4096)
def metres(text: str) -> tuple[str, str] | None:
    """Least and greatest height of a text, in metres, or None where it is not certain.

    Units must be written, and a greatest value alone says nothing of the least.

    >>> metres("10-15 ftm"), metres("Max depth 100m"), metres("10-15")
    (('18.288', '27.432'), None, None)
    """
    clean = " ".join(text.split())
    if found := _ONE.fullmatch(clean):
        value = _in_metres(found[1], found[2])
        return value, value
    found = _RANGE.fullmatch(clean) or _BOTH.fullmatch(clean)
    if found is None:
        return None
    low = _in_metres(found[1], found[2] or found[4])
    high = _in_metres(found[3], found[4])
    return (low, high) if Decimal(low) <= Decimal(high) else None


def _in_metres(number: str, unit: str) -> str:
    value = Decimal(number) * _METRES[unit.lower()]
    return format(value.normalize(), "f")


def _from_verbatim(label: str, guid: str, what: str) -> Check:
    low, high = f"dwc:minimum{what}InMeters", f"dwc:maximum{what}InMeters"
    source = f"dwc:verbatim{what}"

    def run(block: Block, parameters: Parameters) -> Responses:
        column = block.term(source)
        unmet = column.empty | ~block.term(low).empty | ~block.term(high).empty
        least = column.each(lambda text: (metres(text) or (None, None))[0])
        most = column.each(lambda text: (metres(text) or (None, None))[1])
        return amendment(unmet, {low: least, high: most}, filled=True)

    return Check(
        label=label, guid=guid, dimension="Completeness", terms=(low, high),
        consulted=(source,), function=run,
    )  # fmt: skip


_ELEVATION: Final = ("minimumValidElevationInMeters", "maximumValidElevationInMeters")
_DEPTH: Final = ("minimumValidDepthInMeters", "maximumValidDepthInMeters")

CHECKS: Final = (
    number_within(
        "VALIDATION_MINELEVATION_INRANGE",
        "0bb8297d-8f8a-42d2-80c1-558f29efe798",
        "dwc:minimumElevationInMeters",
        *_ELEVATION,
        ("-430", "8850"),
    ),
    number_within(
        "VALIDATION_MAXELEVATION_INRANGE",
        "c971fe3f-84c1-4636-9f44-b1ec31fd63c7",
        "dwc:maximumElevationInMeters",
        *_ELEVATION,
        ("-430", "8850"),
        dimension="Likeliness",
    ),
    number_within(
        "VALIDATION_MINDEPTH_INRANGE",
        "04b2c8f3-c71b-4e95-8e43-f70374c5fb92",
        "dwc:minimumDepthInMeters",
        *_DEPTH,
        ("0", "11000"),
        positive=True,
    ),
    number_within(
        "VALIDATION_MAXDEPTH_INRANGE",
        "3f1db29a-bfa5-40db-9fd1-fde020d81939",
        "dwc:maximumDepthInMeters",
        *_DEPTH,
        ("0", "11000"),
        positive=True,
    ),
    ordered(
        "VALIDATION_MINELEVATION_LESSTHAN_MAXELEVATION",
        "d708526b-6561-438e-aa1a-82cd80b06396",
        "dwc:minimumElevationInMeters",
        "dwc:maximumElevationInMeters",
    ),
    ordered(
        "VALIDATION_MINDEPTH_LESSTHAN_MAXDEPTH",
        "8f1e6e58-544b-4365-a569-fb781341644e",
        "dwc:minimumDepthInMeters",
        "dwc:maximumDepthInMeters",
        positive=True,
    ),
    _from_verbatim(
        "AMENDMENT_MINELEVATIONMAXELEVATION_FROM_VERBATIM",
        "2d638c8b-4c62-44a0-a14d-fa147bf9823d",
        "Elevation",
    ),
    _from_verbatim(
        "AMENDMENT_MINDEPTHMAXDEPTH_FROM_VERBATIM",
        "c5658b83-4471-4f57-9d94-bf7d0a96900c",
        "Depth",
    ),
)
