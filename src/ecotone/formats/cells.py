"""Texts on their way into a spreadsheet: none of them may start to compute.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a carriage
return for a formula (OWASP, "CSV Injection"); the wide forms of these signs serve as well in
East Asian settings. A plain number may begin with a sign and stays a number.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pandas as pd

_STARTS: Final = "=+\\-@\t\r\n＝＋－＠"
#: Leading blanks are skipped by spreadsheets before they look for a formula.
FORMULA: Final = re.compile(f"[\\s\ufeff\u200b]*[{_STARTS}]|[\t\r\n]")
NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?")


def is_formula(text: str) -> bool:
    """Whether a spreadsheet might compute this text instead of showing it."""
    return FORMULA.match(text) is not None and NUMBER.fullmatch(text) is None


def harmless(column: pd.Series) -> pd.Series:
    """A column of text with an apostrophe before each cell that might compute."""
    text = column.astype("str")
    risky = text.str.match(FORMULA).fillna(False).astype(bool)
    if not risky.any():
        return text
    risky &= ~text.str.fullmatch(NUMBER).fillna(False).astype(bool)
    return text.where(~risky, "'" + text)
