"""Columns that say beside a value whether it was measured or is a limit of detection."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicators.laboratory import BELOW, flagged_below
from ecotone.assess.indicators.properties import from_header
from ecotone.assess.indicators.reading import Notes, plain
from ecotone.model.finding import Finding, Severity

#: Words that say that a value was measured, or nothing.
_MEASURED: Final = frozenset(
    {"", "=", "false", "f", "0", "0.0", "no", "n", "нет", "否", "a", "e", "j", "detected", "d",
     "det", "обнаружено", "检出", ">"}
)  # fmt: skip
#: Words that turn round where the column asks whether it was detected.
_YES: Final = frozenset({"true", "t", "1", "1.0", "yes", "y", "да", "是", "detected", "d"})
_NO: Final = frozenset({"false", "f", "0", "0.0", "no", "n", "нет", "否", "nd", "not detected"})
#: Columns that ask whether a value was detected, not whether it was not.
_DETECTED: Final = re.compile(
    r"(is)?(detected|detect|uncen|uncensored)|(是否)?检出|обнаружено|обнаружен"
)
#: Names of flag columns, alone or behind the name of a value.
_NAMES: Final = ("cen", "censored", "remark", "rmk", "remarkcode", "qualifier", "qual", "flag",
                 "sign", "nd", "lt", "remarks", "code", "признак", "знак", "符号")  # fmt: skip


def below(column: pd.Series, header: str, notes: Notes, file: str) -> NDArray[np.bool_]:
    """Which rows a flag column names as non-detects; words nobody knows are told."""
    words = column.astype(object).fillna("").astype(str).str.strip().str.casefold()
    if _DETECTED.fullmatch(plain(header)):
        unknown = ~words.isin(_YES | _NO | {""})
        found = words.isin(_NO).to_numpy()
    else:
        unknown = ~words.isin(_MEASURED | BELOW)
        found = flagged_below(column)
    if unknown.any():
        told = ", ".join(sorted(set(words[unknown]))[:5])
        notes.add(
            Finding("water-flag-unknown", Severity.WARNING, field=header, value=told, file=file,
                    params={"count": str(int(unknown.sum()))})
        )  # fmt: skip
    return np.asarray(found, np.bool_)


def beside(frame: pd.DataFrame, header: str, free: list[str]) -> str | None:
    """The flag column of a value's column, where one can be told by its name and its words.

    ``free`` are the columns with no meaning of their own. A column right before the value that
    holds nothing but signs is one as well: EGRET writes date, remark, value.
    """
    order = list(frame.columns)
    before = order[order.index(header) - 1] if order.index(header) else None
    bare = from_header(header)
    stems = {plain(header), plain(bare[0]) if bare else plain(header)}
    wanted = {*_NAMES, *(stem + name for stem in stems for name in _NAMES)}
    for other in free:
        words = set(frame[other].astype(object).fillna("").astype(str).str.strip().str.casefold())
        if not words & BELOW or not words <= (BELOW | _MEASURED):
            continue
        signs = words <= {"", "<", ">", "=", "e", "a", "u", "nd"}
        if plain(other) in wanted or (other == before and signs):
            return other
    return None
