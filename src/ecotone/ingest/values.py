"""Numbers as laboratories write them: decimal commas, censored results, marks instead of values."""

from __future__ import annotations

import csv
import functools
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.model.nondetects import is_mark, limit_in
from ecotone.model.texts import distinct, plain_numbers

Codes = NDArray[np.object_]
Texts = NDArray[np.object_]
_SIGN = re.compile(r"(?:<=|>=|[<>≤≥])\s*")
_BLANKS = re.compile(r"(?<=\d)[\u00a0\u202f ](?=\d{3})|\s+$")
_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_SPELLED = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
_NOT_DETECTED = "not detected"
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
    different, inverse = distinct(texts)
    table = _read_distinct(different, decimal, missing or {})
    rows = np.arange(len(different)) if inverse is None else inverse
    value, kind = table.value[rows], table.limit_kind[rows]
    reason, code = table.missing_reason[rows], table.code[rows]
    if qualifier is not None:
        signs = qualifier.fillna("").astype(str).str.strip()
        unset = pd.isna(kind)
        kind[unset & signs.isin(_BELOW).to_numpy()] = "below"
        kind[unset & signs.isin(_ABOVE).to_numpy()] = "above"
        undetected = signs.map({sign: is_mark(sign) for sign in signs.unique()}).to_numpy(bool)
        kind[undetected & pd.isna(kind)] = "below"
        reason[undetected & (reason == "empty")] = _NOT_DETECTED
    if limit is not None:
        limits = parse_numbers(limit, decimal=decimal).value
        undetected = (reason == _NOT_DETECTED) & np.isfinite(limits)
        value[undetected] = limits[undetected]
        kind[undetected] = "below"
        reason[undetected] = None
    kind[np.isnan(value)] = None
    return Numbers(value, kind, reason, code)


def _read_distinct(texts: Texts, decimal: str | None, own: Mapping[str, str]) -> Numbers:
    """Read each text by itself: plain numbers at once, the rest with care."""
    value, _, plain = plain_numbers(texts, comma=decimal == ",")
    kind: Codes = np.full(len(texts), None, dtype=object)
    reason: Codes = np.full(len(texts), None, dtype=object)
    code: Codes = np.full(len(texts), "", dtype=object)
    known = {mark: reason for mark, (_, reason) in marks().items()}
    known |= {mark.strip().casefold(): reason for mark, reason in own.items()}
    for mark in own:
        # A mark may look like a number: -999.
        marked = plain & (texts == mark.strip())
        value[marked], plain[marked] = np.nan, False
    seen: dict[str, tuple[float, str | None, str | None, str]] = {}
    for index in np.flatnonzero(~plain):
        text = texts[index]
        if text not in seen:
            seen[text] = _read(text, decimal, known)
        value[index], kind[index], reason[index], code[index] = seen[text]
    return Numbers(value, kind, reason, code)


def _read(
    text: str, decimal: str | None, known: Mapping[str, str]
) -> tuple[float, str | None, str | None, str]:
    """Value, limit, reason and code of one text."""
    # Full-width digits and signs come from Chinese keyboards.
    plain = unicodedata.normalize("NFKC", text).strip()
    if plain.casefold() in known:
        return np.nan, None, known[plain.casefold()], ""
    if is_mark(plain):
        return np.nan, None, _NOT_DETECTED, ""
    if (limit := limit_in(plain)) is not None:
        plain = "<" + limit
    sign = _SIGN.match(plain)
    mark = sign[0].strip() if sign else ""
    kind = {"<": "below", "≤": "below", "<=": "below"}.get(mark, "above" if mark else None)
    bare = _BLANKS.sub("", plain[len(sign[0]) :] if sign else plain)
    if "," in bare and _COMMA.fullmatch(bare):
        if decimal != ",":
            return np.nan, None, None, "decimal-comma-undeclared"
        bare = bare.replace(",", ".")
    if _SPELLED.fullmatch(bare):
        return np.nan, None, None, "number-not-finite"
    if not _NUMBER.fullmatch(bare):
        return np.nan, None, None, "number-unreadable"
    number = float(bare)
    if math.isinf(number):
        return np.nan, None, None, "number-not-finite"
    return number, kind, None, ""
