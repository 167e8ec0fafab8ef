"""Columns as checks see them: each distinct value is looked at once, then mapped to its rows."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.ingest.checks.isodates import IsoDates, read_iso_dates

Mask = NDArray[np.bool_]
Texts = NDArray[np.object_]
Floats = NDArray[np.float64]

#: What BDQ calls empty: nothing but white space and characters that do not print. Written so that
#: Arrow's expressions take it: they know no escapes beyond two digits.
_BLANK: Final = (
    r"[\x00-\x20\x7f-\xa0"
    + "".join(map(chr, (0x1680, 0x180E, 0x2028, 0x2029, 0x202F, 0x205F, 0x2060, 0x3000, 0xFEFF)))
    + f"{chr(0x2000)}-{chr(0x200F)}]*"
)
_NUMBER: Final = r"[ \t\xa0]*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?[ \t\xa0]*"
_INTEGER: Final = r"[ \t\xa0]*[+-]?[0-9]{1,15}[ \t\xa0]*"


class Term:
    """One column of text by its distinct values; a column that is not there is all empty."""

    def __init__(self, column: pd.Series | None, rows: int) -> None:
        if column is None:
            self.codes = np.full(rows, -1, dtype=np.int64)
            self._series = pd.Series([], dtype="str")
        else:
            codes, values = pd.factorize(column.astype("str"))
            self.codes = codes.astype(np.int64)
            self._series = pd.Series(values, dtype="str")

    def spread(self, per_value: NDArray[np.generic], missing: object) -> NDArray[np.generic]:
        """An answer per distinct value -> an answer per row; ``missing`` where there is none."""
        filled = np.empty(len(per_value) + 1, dtype=per_value.dtype)
        filled[:-1] = per_value
        filled[-1] = missing
        return filled[self.codes]

    @functools.cached_property
    def values(self) -> Texts:
        """The distinct texts."""
        return self._series.to_numpy(dtype=object)

    def matches(self, pattern: str) -> Mask:
        """Rows whose whole text fits a pattern."""
        return np.asarray(self.spread(self._fits(pattern), False))

    def _fits(self, pattern: str) -> Mask:
        return self._series.str.fullmatch(pattern).fillna(False).to_numpy(dtype=np.bool_)

    @functools.cached_property
    def empty(self) -> Mask:
        """Rows where BDQ calls the term empty."""
        return np.asarray(self.spread(self._fits(_BLANK), True))

    @functools.cached_property
    def numbers(self) -> Floats:
        """The numbers in the rows, NaN where the text is not one."""
        return self._parsed(_NUMBER)

    @functools.cached_property
    def integers(self) -> Floats:
        """The whole numbers in the rows, NaN where the text is not one."""
        return self._parsed(_INTEGER)

    def _parsed(self, pattern: str) -> Floats:
        fits = self._fits(pattern)
        numbers = np.full(len(self._series), np.nan)
        numbers[fits] = self._series[fits].astype(np.float64)
        numbers[~np.isfinite(numbers)] = np.nan
        return np.asarray(self.spread(numbers, np.nan))

    @functools.cached_property
    def dates(self) -> IsoDates:
        """The ISO 8601 dates in the rows."""
        return read_iso_dates(self.values).take(self.codes)

    def isin(self, values: frozenset[str]) -> Mask:
        """Rows whose text is, to the letter, one of these."""
        return np.asarray(self.spread(self._series.isin(values).to_numpy(dtype=np.bool_), False))

    def each(self, of: Callable[[str], str | None]) -> Texts:
        """Something of each distinct text, per row; None where the row has none."""
        answers = np.empty(len(self.values), dtype=object)
        answers[:] = [of(value) for value in self.values]
        return np.asarray(self.spread(answers, None))

    @property
    def text(self) -> Texts:
        """The texts per row; None where missing."""
        return np.asarray(self.spread(self.values, None))


class Block:
    """Rows of one table; terms are found with or without their prefix."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
        self.rows = len(frame)
        self._terms: dict[str, Term] = {}

    def header(self, term: str) -> str | None:
        """The header under which a term stands in the table."""
        for header in (term, term.partition(":")[2]):
            if header in self.frame.columns:
                return header
        return None

    def has(self, term: str) -> bool:
        """Whether the table has a column for the term."""
        return self.header(term) is not None

    def term(self, name: str) -> Term:
        """A term's column; all empty where the table has none."""
        if name not in self._terms:
            header = self.header(name)
            column = None if header is None else self.frame[header]
            if isinstance(column, pd.DataFrame):
                column = column.iloc[:, 0]
            self._terms[name] = Term(column, self.rows)
        return self._terms[name]

    def distinct(
        self, *names: str, rows: Mask | None = None
    ) -> tuple[NDArray[np.intp], list[tuple[str, ...]]]:
        """The distinct combinations of some terms, empty ones as "", and which each row has.

        With ``rows`` only these are looked at, and only their codes given.
        """
        chosen = slice(None) if rows is None else np.flatnonzero(rows)
        terms = [self.term(name) for name in names]
        texts = [np.where(term.empty, "", term.text)[chosen] for term in terms]
        codes, found = pd.factorize(pd.MultiIndex.from_arrays(texts))
        return codes.astype(np.intp), [tuple(map(str, values)) for values in found]

    def numbers(self, name: str) -> Floats:
        """A typed column of numbers, NaN where missing; text is read as :class:`Term` does."""
        header = self.header(name)
        if header is None or not pd.api.types.is_numeric_dtype(self.frame[header]):
            return self.term(name).numbers
        return self.frame[header].to_numpy(dtype=np.float64, na_value=np.nan)

    def instants(self, name: str) -> NDArray[np.datetime64]:
        """A typed column of UTC instants, NaT where missing."""
        header = self.header(name)
        if header is None:
            return np.full(self.rows, np.datetime64("NaT", "us"))
        column = pd.to_datetime(self.frame[header], utc=True, errors="coerce", format="ISO8601")
        return column.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")

    def nothing(self) -> Mask:
        """A mask without any row."""
        return np.zeros(self.rows, dtype=np.bool_)
