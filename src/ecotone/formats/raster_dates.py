"""Dates of raster layers: from file names, band descriptions and TIFF tags."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.datetime64]

_DAY: Final = re.compile(
    r"(?<!\d)((?:19|20)\d\d)([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d)"
)
_DAY_OF_YEAR: Final = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_.]?([0-3]\d\d)(?!\d)")
_MONTH: Final = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_.]?(0[1-9]|1[0-2])(?!\d)")
_YEAR: Final = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)")


def day_in(text: str) -> dt.date | None:
    """The date a text carries: 2001-07-15, 20010715, 2001196 (day of year), 2001-07 or 2001.

    A month or a year stands for its first day. None where there is no date, or where two
    different dates of the finest form stand side by side (a span names no layer).
    """
    for pattern, reader in (
        (_DAY, _from_day),
        (_DAY_OF_YEAR, _from_day_of_year),
        (_MONTH, _from_month),
        (_YEAR, _from_year),
    ):
        found = {day for match in pattern.finditer(text) if (day := reader(match)) is not None}
        if len(found) == 1:
            return found.pop()
        if found:
            return None
    return None


def days_of(texts: Sequence[str]) -> Days | None:
    """The dates of many texts; None unless every one carries a date."""
    found = [day_in(text) for text in texts]
    if any(day is None for day in found):
        return None
    return np.array(found, dtype="datetime64[D]")


def _from_day(match: re.Match[str]) -> dt.date | None:
    year, month, day = int(match[1]), int(match[3]), int(match[4])
    return dt.date(year, month, day) if day <= calendar.monthrange(year, month)[1] else None


def _from_day_of_year(match: re.Match[str]) -> dt.date | None:
    year, number = int(match[1]), int(match[2])
    if not 1 <= number <= 365 + calendar.isleap(year):
        return None
    return dt.date(year, 1, 1) + dt.timedelta(days=number - 1)


def _from_month(match: re.Match[str]) -> dt.date:
    return dt.date(int(match[1]), int(match[2]), 1)


def _from_year(match: re.Match[str]) -> dt.date:
    return dt.date(int(match[1]), 1, 1)
