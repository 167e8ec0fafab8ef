"""What a sensor's values are expected to be at each time of the year, from a table."""

from __future__ import annotations

from pathlib import Path
from typing import Final, cast

import numpy as np
import pandas as pd

from ecotone.assess.indicators.laboratory import parse_numbers
from ecotone.assess.indicators.reading import Notes, plain, read_table
from ecotone.model.errors import InputRefused
from ecotone.model.words import say
from ecotone.science.water.stream_qc import Period, Season, Span

_COLUMNS: Final = (
    "site", "season_period", "season_first", "season_last", "suspect_low", "suspect_high",
    "fail_low", "fail_high",
)  # fmt: skip
_PERIODS: Final = {
    "": "", "date": "", "дата": "", "日期": "", "month": "month", "месяц": "month", "月": "month",
    "月份": "month", "dayofyear": "dayofyear", "day": "dayofyear", "деньгода": "dayofyear",
    "quarter": "quarter", "квартал": "quarter", "季度": "quarter", "week": "week",
    "неделя": "week", "周": "week", "year": "year", "год": "year", "年": "year",
}  # fmt: skip


def read_seasons(path: Path, notes: Notes) -> dict[str, list[Season]]:
    """Seasons by the plain name of their station; of all stations under the empty name.

    Raises InputRefused at the first row that cannot be meant: a span upside down, a period
    nobody knows, a missing end.
    """
    needed = ("season_first", "season_last", "suspect_low", "suspect_high")
    table = read_table(path, _COLUMNS, needed, notes)
    found: dict[str, list[Season]] = {}
    for row in table.frame.astype(object).fillna("").to_dict("records"):
        cells = {str(k): str(v).strip() for k, v in row.items()}
        season = _season(cells, comma=table.decimal_comma)
        if season is None:
            raise InputRefused(
                say("assess.water.season-broken", name=path.name, row=cells["row"]),
                say("assess.water.season-broken.do"),
            )
        found.setdefault(plain(cells.get("site", "")), []).append(season)
    return found


def seasons_of(station: str, seasons: dict[str, list[Season]]) -> list[Season]:
    """Those of all stations, then the station's own, which stand above them."""
    return [*seasons.get("", []), *(seasons.get(plain(station), []) if plain(station) else [])]


def _season(cells: dict[str, str], *, comma: bool) -> Season | None:
    period = _PERIODS.get(plain(cells.get("season_period", "")))
    suspect = _span(cells, "suspect", comma=comma)
    fail = _span(cells, "fail", comma=comma)
    told = bool(cells.get("fail_low", "") or cells.get("fail_high", ""))
    if period is None or suspect is None or (told and fail is None):
        return None
    ends = [cells["season_first"], cells["season_last"]]
    first, last = (_moment(e) if period == "" else _number(e, comma=comma) for e in ends)
    if pd.isna(first) or pd.isna(last) or first > last:
        return None
    return Season(first, last, suspect, fail, cast(Period, period))


def _moment(text: str) -> np.datetime64:
    when = pd.to_datetime(text, errors="coerce", utc=True, format="ISO8601")
    return np.datetime64("NaT") if pd.isna(when) else when.tz_localize(None).to_datetime64()


def _number(text: str, *, comma: bool) -> float:
    value, kind, read = parse_numbers(pd.Series([text], dtype=object), comma=comma)
    return float(value[0]) if read[0] and kind[0] == 0 else float("nan")


def _span(cells: dict[str, str], name: str, *, comma: bool) -> Span | None:
    """Both ends; one left empty is open."""
    texts = [cells.get(f"{name}_{end}", "") for end in ("low", "high")]
    ends = [
        infinite if not text else _number(text, comma=comma)
        for text, infinite in zip(texts, (-np.inf, np.inf), strict=True)
    ]
    if not any(texts) or np.isnan(ends).any() or ends[0] > ends[1]:
        return None
    return ends[0], ends[1]
