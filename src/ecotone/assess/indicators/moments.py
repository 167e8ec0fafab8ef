"""Moments of a stream: with their zone, in the zone declared, or in UTC with a word about it."""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from ecotone.assess.indicators.reading import Notes
from ecotone.model.errors import UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.time_zone import UnknownZone, resolve_zone
from ecotone.model.words import say

#: A text that ends in its zone.
_ZONED: Final = r".*(?:[Zz]|[+-]\d\d:?\d\d)\s*"
#: How clocks are written besides ISO 8601; a day before its month only with points.
_FORMATS: Final = (
    "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%d.%m.%Y",
)  # fmt: skip


def read_moments(texts: pd.Series, zone: str | None, notes: Notes, file: str) -> pd.Series:
    """UTC instants; NaT where a text is none, or is a clock time that the zone skips or repeats.

    Raises UsageError for a zone nobody knows.
    """
    bare = texts.astype(object).fillna("").astype(str).str.strip()
    zoned = bare.str.fullmatch(_ZONED) & bare.str.contains(":")
    out = pd.to_datetime(bare.where(zoned), errors="coerce", utc=True, format="ISO8601")
    clock = pd.to_datetime(bare.where(~zoned), errors="coerce", format="ISO8601")
    for form in _FORMATS:
        if clock[~zoned].notna().all():
            break
        clock = clock.fillna(pd.to_datetime(bare.where(~zoned), errors="coerce", format=form))
    naive = clock.notna() & ~zoned
    if not naive.any():
        return out
    if zone is None:
        notes.add(
            Finding("water-times-naive", Severity.WARNING, file=file, field="time",
                    value=str(bare[naive].iloc[0]), params={"count": str(int(naive.sum()))})
        )  # fmt: skip
        return out.fillna(clock.where(naive).dt.tz_localize("UTC").astype(out.dtype))
    try:
        found = resolve_zone(zone)
    except UnknownZone as unknown:
        raise UsageError(
            say("assess.parameter-wrong", name="zone", given=zone, wanted="Asia/Dushanbe, +05:00")
        ) from unknown
    if found.key:
        local = clock.where(naive).dt.tz_localize(
            ZoneInfo(found.key), ambiguous="NaT", nonexistent="NaT"
        )
        return out.fillna(local.dt.tz_convert("UTC").astype(out.dtype))
    shifted = clock.where(naive) - np.timedelta64(found.offset_s, "s")
    return out.fillna(shifted.dt.tz_localize("UTC").astype(out.dtype))
