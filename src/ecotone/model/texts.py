"""Columns of texts, fast: each different text once, plain numbers without a loop."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Texts = NDArray[np.object_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_SAMPLE: Final = 2_000
_BLOCK: Final = 1 << 16
_WIDTH: Final = 17  # a sign, a point and 15 digits: what a double holds exactly
_TENS: Final = 10.0 ** np.arange(_WIDTH + 1)


def distinct(column: pd.Series) -> tuple[Texts, NDArray[np.intp] | None]:
    """The different texts of a column, stripped, and where each row finds its own.

    Missing reads as ``""``. Where few rows repeat, the texts are those of all rows and the second
    is None: looking for repetitions would cost more than it saves.
    """
    if _seldom_repeats(column):
        return stripped(column.to_numpy(dtype=object, na_value="")), None
    codes, uniques = pd.factorize(column, use_na_sentinel=True)
    texts = np.empty(len(uniques) + 1, dtype=object)
    # Code -1 (missing) finds the last entry, which reads as an empty cell.
    texts[:-1], texts[-1] = np.asarray(uniques, dtype=object), ""
    return stripped(texts), np.asarray(codes, dtype=np.intp)


def _seldom_repeats(column: pd.Series) -> bool:
    """Whether most texts of a column are different, judged by rows far apart and rows together.

    Both count: in a sorted column only neighbours repeat, in a shuffled one only strangers do.
    """
    apart, together = column.iloc[:: max(len(column) // _SAMPLE, 1)], column.iloc[:_SAMPLE]
    return len(column) > 100 and all(
        part.nunique(dropna=False) > 0.5 * len(part) for part in (apart, together)
    )


def stripped(texts: Texts) -> Texts:
    """Texts without blanks around them."""
    out = np.empty(len(texts), dtype=object)
    out[:] = [str(text).strip() for text in texts]
    return out


def lengths_of(texts: Texts) -> Ints:
    """Characters of each text."""
    return np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))


def plain_numbers(texts: Texts, *, comma: bool = False) -> tuple[Floats, Ints, Bools]:
    """Numbers of the form ``[+-]digits[.digits]`` with at most 15 digits.

    With ``comma`` the point may be a comma. Gives values (correctly rounded, NaN elsewhere),
    digits after the point, and which texts have the form.

    >>> [part.tolist() for part in plain_numbers(np.array(["-38.50", "7", "1e3"], dtype=object))]
    [[-38.5, 7.0, nan], [2, 0, 0], [True, True, False]]
    """
    n = len(texts)
    value, places, plain = np.full(n, np.nan), np.zeros(n, dtype=np.int64), np.zeros(n, bool)
    lengths = lengths_of(texts)
    for begin in range(0, n, _BLOCK):
        here = lengths[begin : begin + _BLOCK]
        rows = begin + np.flatnonzero((here > 0) & (here <= _WIDTH))
        if not len(rows):
            continue
        width = int(lengths[rows].max())
        chars = texts[rows].astype(f"U{width}").view(np.uint32).reshape(len(rows), width)
        columns = np.ascontiguousarray(chars.T)
        if comma:
            columns[columns == ord(",")] = ord(".")
        mantissa, after, good = _scan(columns)
        # Both are exact in a double, so the quotient is the double nearest to the text.
        value[rows] = np.where(good, mantissa / _TENS[after], np.nan)
        places[rows], plain[rows] = np.where(good, after, 0), good
    return value, places, plain


def _scan(chars: NDArray[np.uint32]) -> tuple[Ints, Ints, Bools]:
    """Digits as one whole number with its sign, digits after the point, and whether all fits."""
    n = chars.shape[1]
    mantissa, after = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    digits = np.zeros(n, dtype=np.int64)
    pointed = np.zeros(n, dtype=np.bool_)
    minus = chars[0] == ord("-")
    good = np.ones(n, dtype=np.bool_)
    for place, char in enumerate(chars):
        digit = char - np.uint32(ord("0"))  # wraps round below "0"
        is_digit = digit <= 9
        mantissa = np.where(is_digit, mantissa * 10 + digit, mantissa)
        digits += is_digit
        after += is_digit & pointed
        # A point needs a digit before it and none like it; NUL pads the text's end.
        point = (char == ord(".")) & ~pointed & (digits > 0)
        pointed |= point
        fits = is_digit | point | (char == 0)
        good &= (fits | minus | (char == ord("+"))) if place == 0 else fits
    good &= (digits > 0) & (digits <= 15)
    return np.where(minus, -mantissa, mantissa), after, good
