"""Classes of a station by its means, year by year, and how likely each class is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicator import Job
from ecotone.assess.indicators.dates import month_numbers, read_days
from ecotone.assess.indicators.reading import Notes
from ecotone.assess.indicators.standards import GRADES, Limit
from ecotone.model.errors import InputRefused
from ecotone.model.finding import Finding, Severity
from ecotone.science.water.index_intervals import Factor, Known, class_chances, class_of_mean

NAMES: Final = (*GRADES, "worse")
#: In place of a year: the whole period.
EVERY: Final = "all"
#: What the ministry calls a section of each class (document 22 of 2011).
_QUALITY: Final = (
    "excellent", "excellent", "good", "lightly polluted", "moderately polluted",
    "heavily polluted",
)  # fmt: skip
#: Fewest monthly values of a year whose mean is judged (the same document).
_ENOUGH: Final = 8
_LEVEL: Final = 0.95


def name_of(place: int) -> str:
    """The class of a place; 0 stands for a sample that lacks a factor, -1 for one undecided."""
    return NAMES[place - 1] if place > 0 else "incomplete" if place == 0 else "undetermined"


def places(classes: Sequence[Limit]) -> NDArray[np.int64]:
    """Number of the class by its place among a factor's own classes; 6 beyond the last."""
    return np.array([0, *(GRADES.index(c.grade) + 1 for c in classes), len(NAMES)])


def months_of(results: pd.DataFrame, notes: Notes) -> pd.Series:
    """``2024-03`` of each result, of its day or of its year and month; empty where unknown.

    Dates that may be of either of two months are told and taken as unknown.
    """
    months = pd.Series("", index=results.index, dtype=object)
    for column in ("day", "time_text", "time"):
        bare = (months == "") & (results[column] != "")
        if not bare.any() or results.loc[bare, column].str.fullmatch(r"\d{4}").all():
            continue
        try:
            days = read_days(results.loc[bare, column], "-")
        except InputRefused:
            notes.add(Finding("water-months-unknown", Severity.WARNING, field="date"))
            continue
        told = pd.Series(days.astype("datetime64[M]").astype(str), index=months.index[bare])
        months.loc[bare] = told.where(told != "NaT", "")
    number = month_numbers(results["month"])
    year = pd.to_numeric(results["calendar_year"], errors="coerce").to_numpy(dtype=np.float64)
    known = (months == "").to_numpy() & ~np.isnan(number) & ~np.isnan(year)
    both = year[known].astype(int).astype(str), number[known].astype(int).astype(str)
    joined = [f"{y}-{m:0>2}" for y, m in zip(*both, strict=True)]
    months.loc[known] = np.array(joined, dtype=object)
    return months


def of_means(
    judged: pd.DataFrame,
    limits: Mapping[str, Sequence[Limit]],
    counts: pd.DataFrame,
    job: Job,
    notes: Notes,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Index of each station over the period, and the table of its years.

    A mean is that of the months' means; without dates, of the samples. A year with fewer months
    than the ministry asks for is classed and marked.
    """
    rows, years = [], []
    for station, group in judged.groupby("station", sort=True):
        whole = _mean_class(group, limits, job)
        if whole["low"] != whole["high"]:
            notes.add(
                Finding("water-mean-undetermined", Severity.WARNING, value=str(station) or "-")
            )
        own_counts = counts[counts["station"] == station].iloc[0]
        rows.append(
            {
                "station": station, "index": whole["place"], "class": whole["class"],
                "low": whole["chance_low"], "high": whole["chance_high"],
                "samples": int(sum(own_counts[list(NAMES)])),
                "variables": group["key"].nunique(),
                "undetermined": int(own_counts["undetermined"]),
            }
        )  # fmt: skip
        years.append({"station": station, "year": EVERY, **whole})
        if (group["month"] != "").all():
            for year, part in group.groupby(group["month"].str[:4], sort=True):
                years.append({"station": station, "year": year, **_mean_class(part, limits, job)})
    table = pd.DataFrame(years)
    few = table[(table["year"] != EVERY) & ~table["enough"].astype(bool)]
    if len(few):
        notes.add(
            Finding("water-year-few", Severity.WARNING,
                    params={"count": str(len(few)), "fewest": str(_ENOUGH)})
        )  # fmt: skip
    return pd.DataFrame(rows), table


def _mean_class(
    group: pd.DataFrame, limits: Mapping[str, Sequence[Limit]], job: Job
) -> dict[str, object]:
    """Class of the worst factor's mean with the chances of all classes."""
    dated = (group["month"] != "").all()
    events, names = pd.factorize(group["month"] if dated else group["bottle"])
    factors: list[Factor] = []
    worst: list[tuple[int, int, str]] = []
    for key, rows in group.groupby("key").indices.items():
        factor = _factor(group.iloc[rows], events[rows], limits[str(key)])
        ends = [class_of_mean(factor, upper=upper) for upper in (False, True)]
        factors.append(factor)
        worst.append((min(ends), max(ends), str(group["factor"].iloc[rows[0]])))
    low, high = max(w[0] for w in worst), max(w[1] for w in worst)
    chances = class_chances(
        factors,
        len(names),
        replicates=int(job.number("replicates")),
        seed=int(job.number("seed")),
    )
    sure = low == high
    reach = np.cumsum(chances)
    tail = (1 - _LEVEL) / 2
    known = bool(np.isfinite(chances).all())
    return {
        "place": high if sure else np.nan,
        "low": low,
        "high": high,
        "class": name_of(high) if sure else "",
        "quality": _QUALITY[high - 1] if sure else "",
        "months": len(names) if dated else np.nan,
        "enough": len(names) >= _ENOUGH if dated else "",
        "factor": next(w[2] for w in worst if w[1] == high) if high > 1 else "",
        "probability": float(chances[high - 1]) if sure and known else np.nan,
        "chance_low": int(np.searchsorted(reach, tail)) + 1 if known else np.nan,
        "chance_high": int(np.searchsorted(reach, 1 - tail - 1e-12)) + 1 if known else np.nan,
        **{f"p_{name}": float(p) for name, p in zip(NAMES, chances, strict=True)},
    }


def _factor(group: pd.DataFrame, events: NDArray[np.int64], classes: Sequence[Limit]) -> Factor:
    """A factor's results by event; its relief only where every result has one."""
    relief = group["relief"].to_numpy(dtype=np.float64)
    return Factor(
        known=Known(
            group["level"].to_numpy(dtype=np.float64),
            group["sign"].to_numpy().astype(np.int8),
            group["spread"].to_numpy(dtype=np.float64),
        ),
        event=events.astype(np.int64),
        maxima=[c.maximum for c in classes],
        minima=[c.minimum for c in classes],
        places=places(classes),
        relief=relief if np.isfinite(relief).all() else np.zeros(0),
    )
