"""``water.trend``: does a water quality series rise or fall, seasons allowed for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter, Scalar
from ecotone.assess.indicators.extent import within
from ecotone.assess.indicators.reading import Notes, plain
from ecotone.assess.indicators.series import choose_station, read_series, value_columns
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.water.censored_tests import akritas_theil_sen
from ecotone.science.water.trend import (
    CORRELATED_YEARS,
    FEWEST,
    BlockTrend,
    homogeneity,
    pettitt,
    seasonal_kendall,
)

_LEVEL: Final = 0.95
_METHODS: Final = ("seasonal-kendall", "mann-kendall", "regional-kendall", "akritas-theil-sen")
_TABLE: Final = {
    "station": "", "n": "results", "blocks": "", "s": "", "variance": "", "tau": "1", "p": "1",
    "p_corrected": "1", "s_partial": "", "p_partial": "1", "p_partial_corrected": "1",
    "slope": "", "low": "", "high": "", "unit": "", "censored": "results", "left_out": "",
    "chi2_homogeneity": "1", "p_homogeneity": "1", "k_change": "", "p_change": "1",
    "change_after": "",
}  # fmt: skip
_NUMBERS: Final = (
    "s", "tau", "p", "p_corrected", "s_partial", "p_partial", "p_partial_corrected",
    "p_homogeneity", "k_change", "p_change",
)  # fmt: skip


def compute(job: Job) -> Outcome:
    """Test each station, or all stations together where they are the blocks."""
    notes = Notes()
    given = job.parameters
    path = job.inputs["series"][0]
    parts = [
        read_series(p, _text(given, "column"), notes, censored=_text(given, "censored"))
        for p in job.inputs["series"]
    ]
    series = choose_station(pd.concat(parts, ignore_index=True), _text(given, "station"), path)
    series = within(series, job, notes)
    series = _with_covariate(series, job, notes)
    series = _timed(series, int(job.number("year_start")), notes)
    regional = given["method"] == "regional-kendall"
    groups = [("", series)] if regional else list(series.groupby("station", sort=True))
    rows = []
    for station, group in groups:
        if given["method"] == "akritas-theil-sen":
            row = _censored_line(str(station), group, notes)
        else:
            row = _station(str(station), group, str(given["method"]), notes)
        if row is not None:
            rows.append(row)
    if not rows:
        raise NotComputable(
            say("assess.water.few-values", fewest=FEWEST),
            _unread(notes) or say("assess.water.few-values.do"),
        )
    table = pd.DataFrame(rows).reindex(columns=list(_TABLE))
    return Outcome(values=_values(table, notes), tables={"trend": table}, findings=notes.all())


def _text(given: Mapping[str, Scalar], name: str) -> str | None:
    value = given[name]
    return None if value is None else str(value)


def _with_covariate(series: pd.DataFrame, job: Job, notes: Notes) -> pd.DataFrame:
    """The covariate of each row's station, year and month."""
    paths = job.inputs.get("covariate", ())
    if not paths:
        return series.assign(covariate=np.nan, has_covariate=False)
    column = _text(job.parameters, "covariate_column") or _only_other(job, paths[0])
    other = pd.concat([read_series(p, column, notes) for p in paths], ignore_index=True)
    keys = ["year", "month"] + (["station"] if (other["station"] != "").any() else [])
    other = other[other[keys].notna().all(axis=1)]
    means = other.groupby(keys)["value"].mean().rename("covariate").reset_index()
    joined = series.merge(means, on=keys, how="left")
    return joined.assign(has_covariate=True)


def _only_other(job: Job, path: Path) -> str:
    """The column of values where there is one, leaving out that of the series itself."""
    taken = {plain(str(job.parameters[n])) for n in ("column", "censored") if job.parameters[n]}
    columns = value_columns(path)
    others = [c for c in columns if plain(c) not in taken]
    if len(columns) == 1:
        return columns[0]
    if len(others) != 1:
        raise UsageError(
            say("assess.water.which-covariate", name=path.name, known=", ".join(others) or "-")
        )
    return others[0]


def _per_year(unit: str) -> str:
    """``mg/L as N`` a year is ``mg/L/a as N``: what is counted stands behind the whole unit."""
    head, mark, basis = (unit or "1").partition(" as ")
    return f"{head}/a{mark}{basis}"


def _timed(series: pd.DataFrame, year_start: int, notes: Notes) -> pd.DataFrame:
    """Rows with a year and a month; the year from ``year_start`` on named by its end.

    A series of years has no months: it is one block.
    """
    if len(series) and series["month"].isna().all() and series["year"].notna().any():
        notes.add(Finding("water-no-months", Severity.INFO))
        series = series.assign(month=1.0)
    undated = series["year"].isna() | series["month"].isna()
    if undated.any():
        notes.add(
            Finding("water-undated", Severity.WARNING, params={"count": str(int(undated.sum()))})
        )
    dated = series[~undated]
    if year_start == 1:
        return dated
    return dated.assign(year=dated["year"] + (dated["month"] >= year_start))


def _station(
    station: str, group: pd.DataFrame, method: str, notes: Notes
) -> dict[str, object] | None:
    group, censored = _recensored(group, notes)
    monthly = _averaged(group, ["station", "year", "month"])
    if method == "seasonal-kendall":
        block = monthly["month"]
    else:
        monthly = _averaged(monthly, ["station", "year"])
        block = pd.Series(pd.factorize(monthly["station"])[0], index=monthly.index)
    extra = monthly["covariate"] if bool(group["has_covariate"].any()) else None
    try:
        found = seasonal_kendall(monthly["year"], monthly["tested"], block, extra, level=_LEVEL)
    except ValueError:
        notes.add(
            Finding("water-few-values", Severity.WARNING, value=station,
                    params={"fewest": str(FEWEST), "count": str(len(monthly))})
        )  # fmt: skip
        return None
    slope, low, high = found.slope, found.low, found.high
    if censored == len(group):
        # Nothing was detected: that no change shows is not that there was none.
        notes.add(Finding("water-nothing-detected", Severity.WARNING, value=station or "-"))
        slope = low = high = float("nan")
    elif censored:
        slope, low, high = _slopes(monthly, block, station, notes)
    _tell(found, station, extra is not None, notes)
    unit = str(group["unit"].iloc[0])
    return {
        "station": station, "n": found.n, "blocks": found.blocks, "s": found.s,
        "variance": found.variance, "tau": found.tau, "p": found.p,
        "p_corrected": found.p_corrected, "s_partial": found.s_partial,
        "p_partial": found.p_partial, "p_partial_corrected": found.p_partial_corrected,
        "slope": slope, "low": low, "high": high, "unit": _per_year(unit),
        "censored": censored, "left_out": " ".join(f"{x:g}" for x in found.left_out),
        **_more(monthly, block, found),
    }  # fmt: skip


def _more(monthly: pd.DataFrame, block: pd.Series, found: BlockTrend) -> dict[str, object]:
    """Whether the blocks share one trend, and where the yearly means change their level."""
    out: dict[str, object] = {}
    used = ~block.isin(found.left_out)
    try:
        alike = homogeneity(monthly["year"][used], monthly["tested"][used], block[used])
        out |= {"chi2_homogeneity": alike.difference, "p_homogeneity": alike.p}
    except ValueError:
        pass  # one block, or blocks that do not vary: there is nothing to compare
    yearly = monthly.groupby("year", sort=True)["tested"].mean()
    if len(yearly) >= FEWEST:
        change = pettitt(yearly.to_numpy())
        out |= {"k_change": change.k, "p_change": change.p,
                "change_after": f"{yearly.index[change.at - 1]:g}"}  # fmt: skip
    return out


def _censored_line(station: str, group: pd.DataFrame, notes: Notes) -> dict[str, object] | None:
    """The line through results and non-detects of several limits, nothing tied or replaced."""
    above = group["kind"] > 0
    if above.any():
        notes.add(
            Finding("water-above-limit", Severity.WARNING, params={"count": str(int(above.sum()))})
        )
        group = group[~above]
    hidden = (group["kind"] < 0).to_numpy()
    years = group["year"].to_numpy(dtype=np.float64)
    if group["day"].notna().all():
        day = group["day"].to_numpy(dtype="datetime64[D]")
        start = day.astype("datetime64[Y]")
        length = (start + 1).astype("datetime64[D]") - start.astype("datetime64[D]")
        years = years + (day - start.astype("datetime64[D]")) / length
    elif (group["month"] != 1).any():
        years = years + (group["month"].to_numpy(dtype=np.float64) - 0.5) / 12
    try:
        found = akritas_theil_sen(years, group["value"], hidden)
    except ValueError as error:
        notes.add(
            Finding("water-no-line", Severity.WARNING, value=station or "-",
                    params={"why": str(error)})
        )  # fmt: skip
        return None
    notes.add(Finding("water-line-no-interval", Severity.INFO))
    unit = str(group["unit"].iloc[0])
    return {
        "station": station, "n": len(group), "blocks": 1, "s": found.s, "tau": found.tau,
        "p": found.p, "slope": found.slope, "unit": _per_year(unit),
        "censored": int(hidden.sum()), "left_out": "",
    }  # fmt: skip


def _recensored(group: pd.DataFrame, notes: Notes) -> tuple[pd.DataFrame, int]:
    """Values to test: all below the highest limit tie, as their order is not known."""
    above = group["kind"] > 0
    if above.any():
        notes.add(
            Finding("water-above-limit", Severity.WARNING, params={"count": str(int(above.sum()))})
        )
        group = group[~above]
    below = group["kind"] < 0
    value = group["value"].to_numpy(dtype=np.float64)
    tested, floor = value.copy(), value.copy()
    if below.any():
        highest = float(group.loc[below, "value"].max())
        tied = below.to_numpy() | (value < highest)
        tested[tied] = min(0.0, float(value.min())) - 1.0
        floor[below.to_numpy()] = 0.0
        notes.add(
            Finding(
                "water-recensored",
                Severity.INFO,
                value=f"{highest:g}",
                params={"count": str(int(below.sum())), "tied": str(int(tied.sum()))},
            )
        )
    return group.assign(tested=tested, floor=floor), int(below.sum())


def _averaged(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    columns = ["tested", "value", "floor", "covariate"]
    return frame.groupby(keys, sort=True)[columns].mean().reset_index()


def _slopes(
    monthly: pd.DataFrame, block: pd.Series, station: str, notes: Notes
) -> tuple[float, float, float]:
    """The slope, where it is the same with non-detects at their limits and at zero."""
    ends = [seasonal_kendall(monthly["year"], monthly[c], block) for c in ("value", "floor")]
    one, other = (e.slope for e in ends)
    low, high = min(e.low for e in ends), max(e.high for e in ends)
    if abs(one - other) <= 1e-9 * max(abs(one), abs(other)):
        return one, low, high
    notes.add(
        Finding("water-slope-censored", Severity.WARNING, value=station,
                params={"one": f"{other:.6g}", "other": f"{one:.6g}"})
    )  # fmt: skip
    return float("nan"), low, high


def _tell(found: BlockTrend, station: str, covariate: bool, notes: Notes) -> None:
    if found.left_out:
        notes.add(
            Finding(
                "water-blocks-left-out",
                Severity.INFO,
                value=" ".join(f"{x:g}" for x in found.left_out),
                params={"station": station or "-", "fewest": str(FEWEST)},
            )
        )
    if np.isnan(found.p_corrected):
        notes.add(
            Finding("water-not-corrected", Severity.INFO, value=station or "-",
                    params={"years": str(CORRELATED_YEARS)})
        )  # fmt: skip
    if not covariate and not notes.counts["water-no-covariate"]:
        notes.add(Finding("water-no-covariate", Severity.INFO))


def _unread(notes: Notes) -> str | None:
    """How much could not be read at all: a reason that more years would not mend."""
    values = [f for f in notes.findings if f.code == "water-value-unreadable"]
    dates = [f for f in notes.findings if f.code == "water-dates-unreadable"]
    if not values and not dates:
        return None
    return say(
        "assess.water.few-values.read",
        values=notes.counts["water-value-unreadable"],
        first=values[0].value if values else "-",
        dates=sum(int(f.params["count"]) for f in dates),
    )


def _values(table: pd.DataFrame, notes: Notes) -> dict[str, Value]:
    """Numbers of the one series; of several stations none stands for all."""
    if len(table) > 1:
        notes.add(
            Finding("water-several-stations", Severity.INFO, params={"count": str(len(table))})
        )
    row = table.iloc[0]
    single = len(table) == 1

    def number(name: str) -> float | None:
        value = float(row[name])
        return value if single and np.isfinite(value) else None

    values = {
        "slope": Value(
            value=number("slope"),
            unit=str(row["unit"]) if single else "1/a",
            low=number("low"),
            high=number("high"),
            level=_LEVEL if number("low") is not None else None,
        )
    }
    values.update({name: Value(value=number(name), unit="1") for name in _NUMBERS})
    values["n"] = Value(value=int(table["n"].sum()), unit="results")
    return values


WATER_TREND: Final = Indicator(
    id="water.trend",
    version="2",
    inputs=(
        Input("series", "table", noun="Observation"),
        Input("covariate", "table", required=False),
    ),
    parameters=(
        Parameter("column", "text"),
        Parameter("method", "text", default="seasonal-kendall", choices=_METHODS),
        Parameter("start", "integer", unit="year"),
        Parameter("end", "integer", unit="year"),
        Parameter("station", "text"),
        Parameter("censored", "text"),
        Parameter("covariate_column", "text"),
        Parameter("year_start", "integer", default=1, minimum=1, maximum=12, unit="month"),
    ),
    values={"slope": "", **dict.fromkeys(_NUMBERS, "1"), "n": "results"},
    tables={"trend": _TABLE},
    rasters={},
    citations=(
        Citation("Hirsch, Slack and Smith (1982) Water Resources Research 18, 107-121",
                 "10.1029/WR018i001p00107"),
        Citation("Hirsch and Slack (1984) Water Resources Research 20, 727-732",
                 "10.1029/WR020i006p00727"),
        Citation("Libiseller and Grimvall (2002) Environmetrics 13, 71-84", "10.1002/env.507"),
        Citation("Helsel and Frans (2006) Environmental Science and Technology 40, 4066-4073",
                 "10.1021/es051650b"),
        Citation("Akritas, Murphy and LaValley (1995) Journal of the American Statistical "
                 "Association 90, 170-177", "10.1080/01621459.1995.10476499"),
        Citation("Van Belle and Hughes (1984) Water Resources Research 20, 127-136",
                 "10.1029/WR020i001p00127"),
        Citation("Pettitt (1979) Applied Statistics 28, 126-135", "10.2307/2346729"),
    ),
    compute=compute,
)  # fmt: skip
