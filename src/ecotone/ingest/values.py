"""Numbers as laboratories write them: decimal commas, censored results, marks instead of values."""

from __future__ import annotations

import csv
import functools
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Codes = NDArray[np.object_]
_BELOW = ("<", "≤", "＜")
_ABOVE = (">", "≥", "＞")


@dataclass(frozen=True)
class Numbers:
    """One entry per text: the number or NaN, why not, and a finding code ("" for none)."""

    value: NDArray[np.float64]
    limit_kind: Codes  #: "below", "above" or None
    missing_reason: Codes  #: None where there is a number or a finding
    code: Codes


@functools.cache
def marks() -> dict[str, tuple[str, str]]:
    """``{mark in lower case: (missing | below, reason)}``."""
    text = resources.files("ecotone.ingest").joinpath("marks.csv").read_text(encoding="utf-8")
    return {
        line["mark"]: (line["kind"], line["reason"]) for line in csv.DictReader(text.splitlines())
    }


def parse_numbers(
    texts: pd.Series,
    *,
    decimal: Literal[".", ","] | None = None,
    missing: Mapping[str, str] | None = None,
    limit: pd.Series | None = None,
    qualifier: pd.Series | None = None,
) -> Numbers:
    """Read measured values.

    ``missing`` adds marks of the delivery's own (mark -> reason). ``limit`` holds detection
    limits beside the values and ``qualifier`` marks such as ``<`` in a column of their own.
    Each different text is read once. Codes: ``number-unreadable``, ``number-not-finite``,
    ``decimal-comma-undeclared``. A detection limit is never taken for a measurement: such a
    result carries ``limit_kind``.
    """
    codes, unique = pd.factorize(texts, use_na_sentinel=True)
    table = _read_unique(unique.astype(object), decimal, missing or {})
    # Entry -1 of factorize (missing) points at the last row, which reads as an empty cell.
    value = table.value[codes].copy()
    kind = table.limit_kind[codes].copy()
    reason = table.missing_reason[codes].copy()
    code = table.code[codes].copy()
    if qualifier is not None:
        signs = qualifier.fillna("").astype(str).str.strip()
        unset = np.array([k is None for k in kind])
        kind[unset & signs.isin(_BELOW).to_numpy()] = "below"
        kind[unset & signs.isin(_ABOVE).to_numpy()] = "above"
    if limit is not None:
        limits = parse_numbers(limit, decimal=decimal).value
        undetected = (reason == "not detected") & np.isfinite(limits)
        value[undetected] = limits[undetected]
        kind[undetected] = "below"
        reason[undetected] = None
    kind[np.isnan(value)] = None
    return Numbers(value, kind, reason, code)


def _read_unique(
    unique: NDArray[np.object_], decimal: str | None, own: Mapping[str, str]
) -> Numbers:
    """Read each different text; one more entry at the end stands for a missing cell."""
    raw = pd.Series([*unique, ""], dtype=object).astype(str)
    # Full-width digits and signs come from Chinese keyboards.
    text = raw.map(lambda t: unicodedata.normalize("NFKC", t)).str.strip()
    size = len(text)
    kind: Codes = np.full(size, None, dtype=object)
    reason: Codes = np.full(size, None, dtype=object)
    code: Codes = np.full(size, "", dtype=object)
    below = text.str.startswith(_BELOW).to_numpy(dtype=bool)
    above = text.str.startswith(_ABOVE).to_numpy(dtype=bool)
    kind[below], kind[above] = "below", "above"
    bare = text.str.lstrip("<>≤≥=").str.strip()
    bare = bare.str.replace("[\u00a0\u202f ]", "", regex=True)
    comma = bare.str.fullmatch(r"[+-]?\d*,\d+([eE][+-]?\d+)?").to_numpy(dtype=bool)
    if decimal == ",":
        bare = bare.str.replace(",", ".", regex=False)
    # Python's own names of infinity and NaN are marks here, not numbers.
    spelled = bare.str.casefold().str.lstrip("+-").isin(("nan", "inf", "infinity"))
    number = pd.to_numeric(bare.where(~spelled), errors="coerce").to_numpy(dtype=np.float64).copy()
    bad = np.isnan(number)
    folded = text.str.casefold()
    own_folded = {k.strip().casefold(): v for k, v in own.items()}
    for index in np.flatnonzero(bad):
        mark = folded.iloc[index]
        if mark in own_folded:
            reason[index] = own_folded[mark]
        elif mark in marks():
            reason[index] = marks()[mark][1]
        else:
            code[index] = (
                "number-not-finite"
                if spelled.iloc[index]
                else "decimal-comma-undeclared"
                if comma[index] and decimal is None
                else "number-unreadable"
            )
    overflow = np.isinf(number)
    code[overflow] = "number-not-finite"
    number[overflow] = np.nan
    return Numbers(number, kind, reason, code)
