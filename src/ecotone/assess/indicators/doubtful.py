"""Numbers that are no results: codes for missing values, concentrations below zero."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicators.laboratory_reading import without_controls
from ecotone.assess.indicators.properties import find, from_header
from ecotone.assess.indicators.reading import Notes
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.units import convert

#: What instruments and databases write where there is no value.
_CODES: Final = (
    -999.0, -9999.0, -99999.0, -99.9, -99.99, -999.9, -999.99, -9999.9, -9999.99, -32768.0,
)  # fmt: skip
_HIGH_CODES: Final = (9999.0, 99999.0, 999999.0, 9999.9, 99999.9, 9999.99)
#: A high code is one where it lies this far beyond the usual value.
_BEYOND: Final = 20.0


def usable(results: pd.DataFrame, notes: Notes, file: str) -> pd.DataFrame:
    """Results without controls among them and without what ``set_aside`` names."""
    if "sample_type" in results:
        results = without_controls(results, notes, file)
    kept = results[~set_aside(results, notes, file)].reset_index(drop=True)
    _tell_twice(kept, notes, file)
    return kept


def _tell_twice(results: pd.DataFrame, notes: Notes, file: str) -> None:
    """Rows that say the same of one sample or one moment: a file may have been joined twice.

    They are told and kept: two bottles of one day may well agree.
    """
    told = [c for c in ("sample", "day", "time_text", "calendar_year", "month") if c in results]
    if not told or results.empty:
        return
    texts = results[told].astype(object).fillna("").astype(str)
    # A day alone, or a bottle, names a result; a year alone does not.
    named = pd.Series(False, index=results.index)
    for column in ("sample", "day", "time_text"):
        if column in texts:
            named |= texts[column].str.strip().ne("") & texts[column].ne("NaT")
    keys = [c for c in ("station", "property", "value", "kind", "unit", "fraction") if c in results]
    again = results.assign(**{f"_{c}": texts[c] for c in told})[
        [*keys, *(f"_{c}" for c in told)]
    ].duplicated()
    count = int((again & named).sum())
    if count:
        notes.add(Finding("water-rows-twice", Severity.WARNING, value="-", file=file,
                          params={"count": str(count)}))  # fmt: skip


def set_aside(frame: pd.DataFrame, notes: Notes, file: str) -> NDArray[np.bool_]:
    """Which rows hold a number that no method can have measured; each is told.

    ``frame`` has ``row``, ``property``, ``unit``, ``value`` and ``kind``. A negative result may be
    a non-detect written by its sign or noise about zero: it is not taken for either.
    """
    aside = np.zeros(len(frame), dtype=np.bool_)
    value = frame["value"].to_numpy(dtype=np.float64)
    unit = frame["unit"].astype(object).fillna("").astype(str)
    named = frame["property"].astype(object).fillna("").astype(str)
    codes, pairs = pd.factorize(named + "\n" + unit)
    for number, pair in enumerate(pairs):
        name, _, told = str(pair).partition("\n")
        places = np.flatnonzero(codes == number)
        own = value[places]
        code = np.isin(own, _CODES) | _high(own)
        below = (own < 0) & ~code & _never_negative(name, told)
        for hit, what in ((code, "water-nodata"), (below, "water-negative")):
            if hit.any():
                first = int(places[np.argmax(hit)])
                notes.add(
                    Finding(what, Severity.WARNING, file=file, field=name,
                            row=int(frame["row"].to_numpy()[first]), value=f"{value[first]:g}",
                            params={"count": str(int(hit.sum())), "property": name})
                )  # fmt: skip
        aside[places[code | below]] = True
    return aside


def _high(own: NDArray[np.float64]) -> NDArray[np.bool_]:
    code = np.isin(own, _HIGH_CODES)
    rest = own[~code & np.isfinite(own) & (own > 0)]
    if not code.any() or not rest.size:
        return np.zeros(own.size, dtype=np.bool_)
    return code & (own >= _BEYOND * float(np.median(rest)))


def _never_negative(name: str, unit: str) -> bool:
    """By what is known of the property, else by its unit."""
    parts = from_header(name)
    found = find(name) or (find(parts[0]) if parts else None)
    if found is not None:
        return found.low >= 0
    try:
        convert([1.0], unit, "mg/L")
    except (NotComputable, UsageError):
        return False
    return True
