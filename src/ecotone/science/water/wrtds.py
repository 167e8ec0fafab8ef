"""Weighted regressions on time, discharge and season: concentrations, fluxes, their trends.

Hirsch, Moyer and Archfield (2010), doi:10.1111/j.1752-1688.2010.00482.x. Numbers agree with
those of EGRET, whose choices (windows, grid, flow normalisation) are followed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecotone.science.water import wrtds_kernels as kernels

Floats = NDArray[np.float64]
Days = NDArray[np.datetime64]

#: Levels of log discharge and steps per year of the surface.
LEVELS: Final = 14
STEPS: Final = 16
#: Seconds of a day over grams in a kilogram: m3/s times mg/L is this many kg per day.
KG_PER_DAY: Final = 86.4
Calendar = Literal["even", "actual"]
#: Ways to count the time of a year, the default first.
CALENDARS: Final[tuple[Calendar, ...]] = ("even", "actual")
#: Share of its days that a water year needs for its means.
COVERED: Final = 0.99
#: Part of the mean discharge added to all where one is 0, as its logarithm is taken.
_SHIFT: Final = 0.001


@dataclass(frozen=True)
class Settings:
    """How wide the regressions look.

    Attributes:
        window_y: half-window in years.
        window_q: half-window in units of ln discharge.
        window_s: half-window of the season in years; above 0.5 it is never widened.
        min_obs: fewest samples with weight; windows grow by a tenth until there are as many.
        min_uncensored: fewest samples with weight that are no non-detects.
        edge_adjust: whether the window in time widens within ``window_y`` of the record's
            ends, so that as many years are seen there as elsewhere.
    """

    window_y: float = 7.0
    window_q: float = 2.0
    window_s: float = 0.5
    min_obs: int = 100
    min_uncensored: int = 50
    edge_adjust: bool = True

    def __post_init__(self) -> None:
        """Refuse windows and counts that cannot be."""
        if not min(self.window_y, self.window_q, self.window_s) > 0:
            raise ValueError("windows must be above 0")
        if min(self.min_obs, self.min_uncensored) < 6:
            raise ValueError("five coefficients and a scale need at least 6 samples")

    def row(self) -> Floats:
        """The settings as the kernels read them."""
        return np.array(
            [self.window_y, self.window_q, self.window_s, self.min_obs, self.min_uncensored,
             float(self.edge_adjust)],
            dtype=np.float64,
        )  # fmt: skip


@dataclass(frozen=True)
class Samples:
    """Concentrations, sorted by day.

    Attributes:
        days: dates of the samples.
        times: decimal years at noon.
        flow: ln of that day's discharge (m3/s).
        low: ln of the lower bound of the concentration (mg/L), -inf where open.
        high: ln of the upper bound, inf where open; equal to ``low`` where measured.
        kind: codes of ``wrtds_kernels``.
    """

    days: Days
    times: Floats
    flow: Floats
    low: Floats
    high: Floats
    kind: NDArray[np.int8]

    def take(self, rows: NDArray[np.int64]) -> Samples:
        """These rows."""
        return Samples(
            self.days[rows], self.times[rows], self.flow[rows], self.low[rows],
            self.high[rows], self.kind[rows],
        )  # fmt: skip


@dataclass(frozen=True)
class Discharge:
    """Daily discharge, sorted by day.

    Attributes:
        days: dates.
        times: decimal years at noon.
        q: m3/s, shifted where one was 0.
        flow: its natural logarithm.
        shift: what was added to all, m3/s.
    """

    days: Days
    times: Floats
    q: Floats
    flow: Floats
    shift: float


@dataclass(frozen=True)
class Estimates:
    """Regressions at points; NaN where the samples do not carry one.

    Attributes:
        y_hat: ln concentration.
        se: scale of the regression, in ln concentration.
        conc: concentration exp(y_hat + se^2/2), mg/L.
        widened: how often the windows had to be widened; -1: never enough samples.
    """

    y_hat: Floats
    se: Floats
    conc: Floats
    widened: NDArray[np.int64]


@dataclass(frozen=True)
class Surface:
    """Concentration over time and discharge.

    Attributes:
        flow: ln discharge of the rows.
        times: decimal years of the columns.
        estimates: of shape (rows, columns).
    """

    flow: Floats
    times: Floats
    estimates: Estimates

    def grid(self) -> Floats:
        """First row and step, first column and step."""
        q, t = self.flow, self.times
        return np.array([q[0], (q[-1] - q[0]) / (q.size - 1), t[0], 1.0 / STEPS])


@dataclass(frozen=True)
class Daily:
    """Concentration (mg/L) and flux (kg/day) of each day, and the same with normal flows."""

    conc: Floats
    flux: Floats
    fn_conc: Floats
    fn_flux: Floats


@dataclass(frozen=True)
class Annual:
    """Means of water years (October to September, named by the year they end in)."""

    year: NDArray[np.int64]
    q: Floats
    conc: Floats
    flux: Floats
    fn_conc: Floats
    fn_flux: Floats
    incomplete: tuple[int, ...]


def decimal_years(days: ArrayLike, calendar: Calendar = "even") -> Floats:
    """Decimal years of dates, at noon.

    Args:
        days: dates.
        calendar: ``even`` gives each calendar day the same place in every year, counting 366
            places of which a common year has no 60th (29 February): what EGRET's published
            examples were computed with. ``actual`` is the share of the year that is past
            (EGRET 3). Log concentrations differ by some thousandths.

    Returns:
        Decimal years.

    Raises:
        ValueError: an unknown calendar.

    >>> days = np.array(["2001-01-01", "2001-03-01"], "datetime64[D]")
    >>> decimal_years(days).round(5).tolist(), decimal_years(days, "actual").round(5).tolist()
    ([2001.00137, 2001.1653], [2001.00137, 2001.16301])
    """
    if calendar not in CALENDARS:
        raise ValueError(f"the calendar is one of {', '.join(CALENDARS)}, not {calendar!r}")
    day = np.asarray(days).astype("datetime64[D]")
    year = day.astype("datetime64[Y]")
    start = year.astype("datetime64[D]")
    length = ((year + 1).astype("datetime64[D]") - start).astype(np.int64)
    past = (day - start).astype(np.int64) + 0.5
    if calendar == "even":
        past, length = past + ((length == 365) & (past > 59)), np.full_like(length, 366)
    return np.asarray(year.astype(np.int64) + 1970 + past / length)


def discharge(days: ArrayLike, q: ArrayLike, calendar: Calendar = "even") -> Discharge:
    """Daily discharge made ready.

    Args:
        days: dates, each once; any order.
        q: mean discharge of each, m3/s, at least 0; NaN = missing, left out.
        calendar: as in ``decimal_years``.

    Returns:
        Sorted discharge. Where one is 0, a thousandth of the mean is added to all.

    Raises:
        ValueError: lengths that differ, a date twice, a negative discharge, or none above 0.
    """
    day, flow = np.asarray(days).astype("datetime64[D]"), np.asarray(q, np.float64)
    if day.shape != flow.shape:
        raise ValueError("one discharge is needed for each date")
    known = np.isfinite(flow) & ~np.isnat(day)
    day, flow = day[known], flow[known]
    order = np.argsort(day, kind="stable")
    day, flow = day[order], flow[order]
    if np.any(day[1:] == day[:-1]):
        raise ValueError("a date has more than one discharge")
    if flow.size == 0 or flow.min() < 0 or flow.max() <= 0:
        raise ValueError("discharge must be at least 0, and above it on some day")
    shift = _SHIFT * float(flow.mean()) if flow.min() == 0 else 0.0
    times = decimal_years(day, calendar)
    return Discharge(day, times, flow + shift, np.log(flow + shift), shift)


def samples(days: ArrayLike, low: ArrayLike, high: ArrayLike, flow: Discharge) -> Samples:
    """Samples with the discharge of their day.

    Args:
        days: dates; several samples of a day are kept.
        low: lower bound of the concentration, mg/L; NaN or 0 where there is none.
        high: upper bound, mg/L; NaN or inf where there is none; equal to ``low`` if measured.
        flow: daily discharge.

    Returns:
        Sorted samples; those of days without discharge, without any bound, or without a date
        are left out.

    Raises:
        ValueError: lengths that differ, a bound below 0, or bounds in the wrong order.
    """
    day = np.asarray(days).astype("datetime64[D]")
    bottom, top = np.asarray(low, np.float64), np.asarray(high, np.float64)
    if not day.shape == bottom.shape == top.shape:
        raise ValueError("each sample needs a date and both bounds")
    bottom, top = np.nan_to_num(bottom, nan=0.0), np.where(np.isnan(top), np.inf, top)
    if np.any((bottom < 0) | (top <= 0) | (bottom > top)):
        raise ValueError("bounds must not be below 0, an upper one not 0 nor below its lower")
    place = np.searchsorted(flow.days, day)
    place = np.minimum(place, flow.days.size - 1)
    kept = (flow.days[place] == day) & ~((bottom == 0) & np.isinf(top))
    order = np.flatnonzero(kept)[np.argsort(day[kept], kind="stable")]
    day, bottom, top, place = day[order], bottom[order], top[order], place[order]
    kind = np.select(
        [bottom == top, bottom == 0, np.isinf(top)],
        [kernels.EXACT, kernels.LEFT, kernels.RIGHT],
        kernels.BETWEEN,
    ).astype(np.int8)
    with np.errstate(divide="ignore"):
        return Samples(day, flow.times[place], flow.flow[place], np.log(bottom), np.log(top), kind)


def estimate(
    at: ArrayLike,
    flow: ArrayLike,
    known: Samples,
    settings: Settings,
    edges: tuple[float, float],
    leave_out: NDArray[np.int64] | None = None,
) -> Estimates:
    """One regression at each point of time and discharge.

    ln c = b0 + b1 t + b2 ln Q + b3 sin 2 pi t + b4 cos 2 pi t by weighted maximum likelihood,
    Gaussian in ln c, non-detects by the probability below their limit. A sample's weight is
    the product of three tricubes (1 - (d/h)^3)^3 of its distances in years, in ln Q and in
    season; while fewer than ``min_obs`` samples (or ``min_uncensored`` detected) have weight,
    the windows grow by a tenth, that of the season up to half a year.

    Args:
        at: decimal years.
        flow: ln discharge, m3/s.
        known: the samples.
        settings: windows and counts.
        edges: first and last decimal year of the record, for ``edge_adjust``.
        leave_out: row of the sample each point must not see; -1 or None: sees all.

    Returns:
        The estimates, NaN where there are not enough samples or they do not set the five
        coefficients.

    Raises:
        ValueError: fewer samples than ``min_obs``, or detected than ``min_uncensored``.
    """
    t = np.ascontiguousarray(at, np.float64).ravel()
    q = np.ascontiguousarray(flow, np.float64).ravel()
    _refuse_few(known, settings, 0 if leave_out is None else 1)
    out = np.empty((t.size, 3))
    skip = np.full(t.size, -1, np.int64) if leave_out is None else leave_out.astype(np.int64)
    kernels.regress(
        t, q, skip, known.times, known.flow, known.low, known.high, known.kind,
        settings.row(), edges[0], edges[1], out,
    )  # fmt: skip
    y_hat, se = out[:, kernels.Y_HAT], out[:, kernels.SCALE]
    with np.errstate(over="ignore"):
        conc = np.exp(y_hat + se**2 / 2)
    return Estimates(y_hat, se, conc, out[:, kernels.WIDENED].astype(np.int64))


def cross_validate(known: Samples, flow: Discharge, settings: Settings) -> Estimates:
    """The estimate at each sample from all the others.

    Args:
        known: the samples.
        flow: daily discharge, whose first and last day are the edges.
        settings: windows and counts.

    Returns:
        One estimate per sample.

    Raises:
        ValueError: as ``estimate``.
    """
    edges = float(flow.times[0]), float(flow.times[-1])
    return estimate(known.times, known.flow, known, settings, edges, np.arange(known.times.size))


def surface(known: Samples, flow: Discharge, settings: Settings) -> Surface:
    """Concentration on a grid of 14 levels of ln discharge and 16 times a year.

    Levels reach 0.05 beyond the smallest and largest discharge, times from the first to the
    end of the last calendar year. The edges for ``edge_adjust`` are the water years of the first
    and last sample, whole.

    Args:
        known: the samples.
        flow: daily discharge.
        settings: windows and counts.

    Returns:
        The surface.

    Raises:
        ValueError: as ``estimate``.
    """
    _refuse_few(known, settings)
    levels = np.linspace(flow.flow.min() - 0.05, flow.flow.max() + 0.05, LEVELS)
    first, last = np.floor(flow.times[0]), np.ceil(flow.times[-1])
    times = np.arange(first, last + 0.5 / STEPS, 1 / STEPS)
    grid_q, grid_t = np.meshgrid(levels, times, indexing="ij")
    begin, end = water_years(known.days[[0, -1]])
    edges = float(begin) - 0.25, float(end) + 0.75
    found = estimate(grid_t, grid_q, known, settings, edges)
    shape = grid_q.shape
    shaped = Estimates(
        found.y_hat.reshape(shape),
        found.se.reshape(shape),
        found.conc.reshape(shape),
        found.widened.reshape(shape),
    )
    return Surface(levels, times, shaped)


def water_years(days: ArrayLike) -> NDArray[np.int64]:
    """The year in which the water year (October to September) of each date ends."""
    month = np.asarray(days).astype("datetime64[M]").astype(np.int64)
    return (month + 3) // 12 + 1970


def daily(fitted: Surface, flow: Discharge) -> Daily:
    """Concentration and flux of each day, as they were and with the flow's variation taken out.

    Flow-normalised: the mean over all discharges ever observed on that calendar day, each
    put on the surface at the day's time (Hirsch et al. 2010). 29 February has its own, those of
    leap years.

    Args:
        fitted: the surface.
        flow: daily discharge.

    Returns:
        mg/L and kg/day for each day of ``flow``.
    """
    values, grid = np.ascontiguousarray(fitted.estimates.conc), fitted.grid()
    conc = np.empty(flow.times.size)
    kernels.on_days(values, flow.flow, flow.times, grid, conc)
    group = _calendar_day(flow.days)
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(367))
    out = np.empty((flow.times.size, 2))
    kernels.normalised(values, flow.times, group, flow.flow[order], starts, grid, out)
    return Daily(conc, conc * flow.q * KG_PER_DAY, out[:, 0], out[:, 1] * KG_PER_DAY)


def annual(values: Daily, flow: Discharge) -> Annual:
    """Means over water years that have discharge on at least 99 % of their days.

    Args:
        values: daily values.
        flow: daily discharge.

    Returns:
        Year, discharge (m3/s), concentrations (mg/L), fluxes (kg/day), and which years were
        left out as incomplete.
    """
    year = water_years(flow.days)
    labels, member, count = np.unique(year, return_inverse=True, return_counts=True)
    length = _start(labels + 1) - _start(labels)
    whole = count / length.astype(np.float64) >= COVERED

    def mean(x: Floats) -> Floats:
        return np.asarray((np.bincount(member, x) / count)[whole])

    return Annual(
        year=labels[whole],
        q=mean(flow.q),
        conc=mean(values.conc),
        flux=mean(values.flux),
        fn_conc=mean(values.fn_conc),
        fn_flux=mean(values.fn_flux),
        incomplete=tuple(int(y) for y in labels[~whole]),
    )


def flux_bias(known: Samples, conc: Floats) -> float:
    """How far estimated flux on sampled days exceeds observed flux, as a share of the estimated.

    The mean of the two statistics with every non-detect at its lower and at its upper bound
    (Hirsch 2014, doi:10.1111/jawr.12195); beyond 0.1 either way the loads are doubtful.

    Args:
        known: the samples; those above a limit only have no upper bound and are left out.
        conc: estimated concentration of each, mg/L.

    Returns:
        The statistic, no unit; NaN where nothing can be compared.
    """
    closed = np.isfinite(known.high) & np.isfinite(conc)
    q = np.exp(known.flow[closed])
    estimated = float(conc[closed] @ q)
    if not estimated > 0:
        return float("nan")
    low, high = (float(np.exp(b[closed]) @ q) for b in (known.low, known.high))
    return 1 - (low + high) / (2 * estimated)


def _refuse_few(known: Samples, settings: Settings, left_out: int = 0) -> None:
    if known.times.size - left_out < settings.min_obs:
        raise ValueError(f"{known.times.size} samples are fewer than the {settings.min_obs} wanted")
    detected = int(np.sum(known.kind == kernels.EXACT))
    if detected - left_out < settings.min_uncensored:
        raise ValueError(
            f"{detected} detected samples are fewer than the {settings.min_uncensored} wanted"
        )


def _start(year: NDArray[np.int64]) -> Days:
    """The first day of a water year."""
    months = (year - 1970) * 12 - 3
    return months.astype("datetime64[M]").astype("datetime64[D]")


def _calendar_day(days: Days) -> NDArray[np.int64]:
    """0 .. 365, the day of a leap year; a common year has no 59 (29 February)."""
    year = days.astype("datetime64[Y]")
    start = year.astype("datetime64[D]")
    day = (days - start).astype(np.int64)
    common = ((year + 1).astype("datetime64[D]") - start).astype(np.int64) == 365
    return np.asarray(day + (common & (day > 58)), dtype=np.int64)
