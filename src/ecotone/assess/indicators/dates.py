"""Dates of a column, in the orders people write them; what could be either is refused."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.model.errors import InputRefused
from ecotone.model.words import say

_ISO: Final = r"^\s*(\d{4})[-/.年](\d{1,2})(?:[-/.月](\d{1,2}))?"
_DECIMAL: Final = r"\s*\d{4}\.\d+\s*"
_COMPACT: Final = r"^\s*(\d{4})(\d{2})(\d{2})\s*$"
_DOTTED: Final = r"^\s*(\d{1,2})\.(\d{1,2})\.(\d{4})"
_SLASHED: Final = r"^\s*(\d{1,2})/(\d{1,2})/(\d{4})"
_MONTHS: Final = {
    name: number + 1
    for names in (
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
        ("янв", "фев", "мар", "апр", "май", "июн", "июл", "авг", "сен", "окт", "ноя", "дек"),
    )
    for number, name in enumerate(names)
}


def read_days(text: pd.Series, file: str) -> NDArray[np.datetime64]:
    """Days, NaT where a text is none; a month without day is its 15th.

    Decimal years (1998.542) are told from months (1998.04) by having other than two decimals,
    or more than 12, somewhere in the column.

    Raises InputRefused where 3/4/2005 may be March or April throughout.
    """
    codes, unique = pd.factorize(text.astype(object).fillna("").astype(str))
    plain = pd.Series(unique, dtype=object)
    if _decimal_years(plain):
        return _of_decimal(plain.astype(float).to_numpy())[codes]
    year, month, day = (np.full(plain.size, np.nan) for _ in range(3))
    slashed = plain.str.extract(_SLASHED).astype(float).to_numpy()
    order = (2, 0, 1) if np.nanmax(slashed[:, 1], initial=0) > 12 else (2, 1, 0)
    has = ~np.isnan(slashed[:, 0])
    if has.any() and np.nanmax(slashed[:, :2]) <= 12 and np.any(slashed[has, 0] != slashed[has, 1]):
        raise InputRefused(
            say("assess.water.date-order", name=file, value=str(plain[int(np.argmax(has))])),
            say("assess.water.date-order.do"),
        )
    for pattern, places in ((_ISO, (0, 1, 2)), (_COMPACT, (0, 1, 2)), (_DOTTED, (2, 1, 0)),
                            (_SLASHED, order)):  # fmt: skip
        found = plain.str.extract(pattern).astype(float).to_numpy()
        fresh = np.isnan(year) & ~np.isnan(found[:, places[0]])
        year[fresh], month[fresh] = found[fresh, places[0]], found[fresh, places[1]]
        day[fresh] = np.where(np.isnan(found[fresh, places[2]]), 15, found[fresh, places[2]])
    return _days(year, month, day)[codes]


def _decimal_years(texts: pd.Series) -> bool:
    filled = texts[texts.str.strip() != ""]
    if len(filled) < len(texts) or filled.empty or not filled.str.fullmatch(_DECIMAL).all():
        return False
    behind = filled.str.strip().str.split(".").str[1]
    return bool(((behind.str.len() != 2) | (behind.astype(int) > 12) | (behind == "00")).any())


def _of_decimal(years: NDArray[np.float64]) -> NDArray[np.datetime64]:
    """The day that is the same share of its year."""
    whole = np.floor(years + 1e-9)
    start = (whole - 1970).astype(np.int64).astype("datetime64[Y]")
    length = (start + 1).astype("datetime64[D]") - start.astype("datetime64[D]")
    past = np.floor((years - whole + 1e-6) * length.astype(np.float64)).astype(np.int64)
    return start.astype("datetime64[D]") + np.maximum(past, 0)


def month_numbers(text: pd.Series) -> NDArray[np.float64]:
    """1 .. 12 of numbers or names; NaN for anything else."""
    codes, unique = pd.factorize(text.astype(object).fillna("").astype(str))
    found = [_month(one) for one in unique]
    return np.array(found, dtype=np.float64)[codes]


def _month(text: str) -> float:
    bare = text.strip().casefold().removesuffix("月").removesuffix(".0")
    if re.fullmatch(r"\d{1,2}", bare):
        return float(bare) if 1 <= int(bare) <= 12 else float("nan")
    return float(_MONTHS.get(bare[:3], np.nan))


def _days(
    year: NDArray[np.float64], month: NDArray[np.float64], day: NDArray[np.float64]
) -> NDArray[np.datetime64]:
    """Days of the calendar; NaT where there is no such day."""
    good = ~np.isnan(year) & (month >= 1) & (month <= 12) & (day >= 1)
    out = np.full(year.size, np.datetime64("NaT", "D"))
    months = ((year[good] - 1970) * 12 + month[good] - 1).astype(np.int64).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day[good] - 1).astype(np.int64)
    days[days.astype("datetime64[M]") != months] = np.datetime64("NaT")
    out[good] = days
    return out
