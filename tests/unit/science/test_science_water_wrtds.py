"""Weighted regressions: small records, so that they also run without compiled code."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import norm

from ecotone.science.water import wrtds, wrtds_bootstrap, wrtds_kalman
from ecotone.science.water import wrtds_kernels as kernels

SMALL = wrtds.Settings(
    window_y=4, window_q=3, window_s=1.0, min_obs=12, min_uncensored=8, edge_adjust=False
)


def record(years: int = 2, seed: int = 1, step: int = 30) -> tuple[wrtds.Discharge, wrtds.Samples]:
    rng = np.random.default_rng(seed)
    days = np.arange("2001-10-01", f"{2001 + years}-10-01", dtype="datetime64[D]")
    season = np.arange(days.size) / 365
    q = np.exp(1 + np.sin(2 * np.pi * season) + 0.3 * rng.normal(size=days.size))
    flow = wrtds.discharge(days, q)
    at = np.arange(5, days.size, step)
    conc = np.exp(0.2 + 0.1 * season[at] - 0.3 * np.log(q[at]) + 0.1 * rng.normal(size=at.size))
    low, high = conc.copy(), conc.copy()
    low[3], low[7], high[7] = np.nan, conc[7] * 0.8, conc[7] * 1.2
    high[9] = np.nan
    return flow, wrtds.samples(days[at], low, high, flow)


def test_regression_is_the_point_of_largest_likelihood() -> None:
    """Against a general optimiser on the same weighted likelihood."""
    _flow, known = record()
    at, level = known.times[10] + 0.01, 1.1
    found = wrtds.estimate([at], [level], known, SMALL, (2001.75, 2003.75))
    weight = np.empty(known.times.size)
    assert (
        kernels.weigh(
            at,
            level,
            -1,
            known.times,
            known.flow,
            known.kind,
            SMALL.row(),
            2001.75,
            2003.75,
            weight,
        )
        == found.widened[0]
    )
    turn = 2 * np.pi * (known.times - at)
    x = np.column_stack(
        [np.ones(turn.size), known.times - at, known.flow - level, np.sin(turn), np.cos(turn) - 1]
    )

    def minus(point: np.ndarray) -> float:
        mean, s = x @ point[:5], math.exp(point[5])
        a, b = (known.low - mean) / s, (known.high - mean) / s
        with np.errstate(invalid="ignore", divide="ignore"):
            each = np.where(
                known.kind == kernels.EXACT, norm.logpdf(a) - point[5],
                np.log(norm.cdf(b) - norm.cdf(a)),
            )  # fmt: skip
        return -float(weight @ each)

    start = np.append(np.zeros(5), -1.0)
    best = minimize(
        minus,
        start,
        method="Nelder-Mead",
        options={"maxiter": 20_000, "maxfev": 20_000, "xatol": 1e-9, "fatol": 1e-13},
    )
    best = minimize(minus, best.x, method="BFGS", options={"gtol": 1e-8})  # fmt: skip
    assert set(known.kind.tolist()) == {-1, 0, 1, 2}
    assert found.y_hat[0] == pytest.approx(best.x[0], abs=1e-5)
    assert found.se[0] == pytest.approx(math.exp(best.x[5]), rel=1e-4)
    assert found.conc[0] == pytest.approx(np.exp(found.y_hat[0] + found.se[0] ** 2 / 2))


def test_weights_by_hand() -> None:
    weight = np.empty(3)
    times, flows = np.array([2000.0, 2001.25, 2004.0]), np.array([0.0, 1.0, 0.0])
    row = wrtds.Settings(2, 2, 0.5, 6, 6, False).row()
    row[kernels.MIN_OBS] = row[kernels.MIN_UNCENSORED] = 1
    kind = np.zeros(3, np.int8)
    widened = kernels.weigh(2000.0, 0.0, -1, times, flows, kind, row, 1999.0, 2005.0, weight)
    tricube = [(1 - d**3) ** 3 for d in (1.25 / 2, 0.5, 0.5)]
    assert widened == 0
    np.testing.assert_allclose(weight, [1, math.prod(tricube), 0])
    skipped = kernels.weigh(2000.0, 0.0, 0, times, flows, kind, row, 1999.0, 2005.0, weight)
    assert (skipped, weight[0]) == (0, 0)


def test_windows_widen_until_there_are_enough() -> None:
    times, flows = np.arange(2000.0, 2010.0), np.zeros(10)
    weight, kind = np.empty(10), np.zeros(10, np.int8)
    row = wrtds.Settings(1.5, 2, 0.3, 6, 6, False).row()
    widened = kernels.weigh(2000.0, 0.0, -1, times, flows, kind, row, 2000.0, 2010.0, weight)
    assert widened == math.ceil(math.log(5 / 1.5) / math.log(1.1))
    assert np.sum(weight > 0) == 6
    kind[:] = kernels.LEFT
    assert kernels.weigh(2000.0, 0.0, -1, times, flows, kind, row, 2000.0, 2010.0, weight) == -1


def test_edges_widen_the_window_in_time() -> None:
    times, flows = np.arange(2000.0, 2020.0), np.zeros(20)
    weight, kind = np.empty(20), np.zeros(20, np.int8)
    plain = wrtds.Settings(7, 2, 0.5, 6, 6, False).row()
    edged = wrtds.Settings(7, 2, 0.5, 6, 6, True).row()
    seen = []
    for row, at in ((plain, 2001.0), (edged, 2001.0), (edged, 2010.0)):
        kernels.weigh(at, 0.0, -1, times, flows, kind, row, 2000.0, 2020.0, weight)
        seen.append(int(np.sum(weight > 0)))
    # Within 7 years of 2001 lie 2000 to 2007; 2 x 7 - 1 years reach to 2013; amid 2004 to 2016.
    assert seen == [8, 14, 13]


def test_least_squares_and_what_it_cannot_solve() -> None:
    rng = np.random.default_rng(3)
    x = np.column_stack([np.ones(20), rng.normal(size=(20, 4))])
    y, weight, beta = rng.normal(size=20), rng.uniform(0.1, 1, 20), np.empty(5)
    scale = kernels.least_squares(x, y, weight, 20, beta)
    root = np.sqrt(weight)[:, None]
    expected = np.linalg.lstsq(x * root, y * root[:, 0], rcond=None)[0]
    np.testing.assert_allclose(beta, expected)
    assert scale == pytest.approx(np.sqrt(weight @ (y - x @ expected) ** 2 / weight.sum()))
    x[:, 4] = x[:, 3]
    assert math.isnan(kernels.least_squares(x, y, weight, 20, beta))


@pytest.mark.parametrize("z", [-45.0, -31.0, -29.0, -3.0, 0.0, 3.0, 20.0])
def test_tails(z: float) -> None:
    assert kernels.log_share(z) == pytest.approx(norm.logcdf(z), rel=1e-9)
    assert kernels.mills(z) == pytest.approx(np.exp(norm.logpdf(z) - norm.logcdf(z)), rel=1e-6)


@pytest.mark.parametrize(("low", "high"), [(-1.0, 0.5), (1.0, 2.0), (-3.0, -2.5), (50.0, 51.0)])
def test_between(low: float, high: float) -> None:
    part = np.empty(4)
    value = kernels.moments(kernels.BETWEEN, low, high, part)
    if low < 40:
        share = norm.sf(low) - norm.sf(high)
        assert value == pytest.approx(np.log(share))
        assert part[1] == pytest.approx((low * norm.pdf(low) - high * norm.pdf(high)) / share)
    else:
        assert np.isfinite(value)


@pytest.mark.parametrize("kind", [kernels.EXACT, kernels.LEFT, kernels.RIGHT, kernels.BETWEEN])
def test_derivatives_of_the_likelihood(kind: int) -> None:
    rng = np.random.default_rng(5)
    x, low = rng.normal(size=(4, 5)), rng.normal(size=4)
    high = low if kind == kernels.EXACT else low + 0.7
    codes, weight = np.full(4, kind, np.int8), rng.uniform(0.2, 1, 4)
    point = np.append(rng.normal(size=5) * 0.2, 0.3)
    slope, curve = np.empty(6), np.empty((6, 6))
    kernels.likelihood(x, low, high, codes, weight, 4, point, slope, curve)
    step = 1e-5
    for a in range(6):
        ends = []
        for side in (-step, step):
            moved = point.copy()
            moved[a] += side
            s, c = np.empty(6), np.empty((6, 6))
            ends.append((kernels.likelihood(x, low, high, codes, weight, 4, moved, s, c), s.copy()))
        assert slope[a] == pytest.approx((ends[1][0] - ends[0][0]) / (2 * step), abs=1e-6)
        bend = -(ends[1][1] - ends[0][1]) / (2 * step)
        np.testing.assert_allclose(curve[a, : a + 1], bend[: a + 1], atol=1e-6)


def test_samples_that_carry_no_regression() -> None:
    _flow, known = record()
    same = known.take(np.zeros(15, np.int64))
    found = wrtds.estimate([2002.5], [1.0], same, SMALL, (2001.75, 2003.75))
    assert np.isnan(found.y_hat[0])
    assert found.widened[0] == 0
    # Half a year away in every year: no window in season, at most half a year, reaches there.
    yearly = wrtds.Samples(
        known.days, np.floor(known.times), known.flow, known.low, known.high, known.kind
    )
    narrow = wrtds.Settings(4, 3, 0.5, 12, 8, False)
    lost = wrtds.estimate([2002.5], [1.0], yearly, narrow, (2001.75, 2003.75), np.array([0]))
    assert lost.widened[0] == -1
    assert np.isnan(lost.conc[0])


def test_a_fit_that_runs_away_is_no_fit() -> None:
    n = 8
    x = np.ones((n, 5))
    nothing = np.zeros(n)
    slope, step = np.ones(6), np.empty(6)
    curve, bent = np.full((6, 6), np.nan), np.empty((6, 6))
    assert not kernels.uphill(curve, slope, bent, step)
    assert not kernels.censored_fit(
        x, nothing, nothing + np.nan, np.zeros(n, np.int8), np.full(n, np.nan), n, np.zeros(6)
    )
    bad = -np.eye(6)
    assert kernels.uphill(bad, slope, bent, step)


def test_too_few_samples_are_refused() -> None:
    _flow, known = record()
    edges = (2001.75, 2003.75)
    with pytest.raises(ValueError, match="fewer than the 100"):
        wrtds.estimate([2002], [1], known, wrtds.Settings(), edges)
    with pytest.raises(ValueError, match="detected samples are fewer"):
        wrtds.estimate([2002], [1], known, wrtds.Settings(min_obs=12, min_uncensored=40), edges)
    for wrong in ({"window_q": 0.0}, {"min_obs": 3}):
        with pytest.raises(ValueError, match=r"must be|need at least"):
            wrtds.Settings(**wrong)


def test_a_whole_record() -> None:
    flow, known = record()
    crossed = wrtds.cross_validate(known, flow, SMALL)
    assert crossed.y_hat.shape == known.times.shape
    coarse = wrtds.surface(known, flow, SMALL)
    assert coarse.estimates.conc.shape == (14, 49)
    assert coarse.flow[0] == pytest.approx(flow.flow.min() - 0.05)
    assert coarse.times[[0, 1, -1]].tolist() == [2001, 2001.0625, 2004]
    daily = wrtds.daily(coarse, flow)
    np.testing.assert_allclose(daily.flux, daily.conc * flow.q * 86.4)
    years = wrtds.annual(daily, flow)
    assert years.year.tolist() == [2002, 2003]
    assert years.incomplete == ()
    first = wrtds.water_years(flow.days) == 2002
    assert years.fn_conc[0] == pytest.approx(daily.fn_conc[first].mean())
    bias = wrtds.flux_bias(known, crossed.conc)
    assert abs(bias) < 0.2


def test_flow_normalisation_by_hand() -> None:
    """A surface that is linear in ln Q and in time is interpolated without error."""
    days = np.arange("2000-01-01", "2004-01-01", dtype="datetime64[D]")
    q = np.exp(np.random.default_rng(1).normal(size=days.size))
    flow = wrtds.discharge(days, q)
    levels, times = np.linspace(-6, 6, 14), np.arange(2000, 2004 + 1 / 32, 1 / 16)
    conc = 10 + levels[:, None] + (times[None, :] - 2000)
    shape = (14, times.size)
    grid = wrtds.Estimates(np.zeros(shape), np.zeros(shape), conc, np.zeros(shape, np.int64))
    found = wrtds.daily(wrtds.Surface(levels, times, grid), flow)
    np.testing.assert_allclose(found.conc, 10 + flow.flow + flow.times - 2000)
    date = np.datetime_as_string(days)
    for text, same in (("2001-07-09", "-07-09"), ("2000-02-29", "-02-29")):
        row = int(np.flatnonzero(date == text)[0])
        all_q = q[[d.endswith(same) for d in date]]
        c = 10 + np.log(all_q) + flow.times[row] - 2000
        assert found.fn_conc[row] == pytest.approx(c.mean())
        assert found.fn_flux[row] == pytest.approx((c * all_q).mean() * 86.4)


def test_discharge_is_put_in_order() -> None:
    days = np.array(["2001-01-03", "2001-01-01", "2001-01-02"], "datetime64[D]")
    found = wrtds.discharge(days, [3.0, 0.0, np.nan])
    assert found.days.astype(str).tolist() == ["2001-01-01", "2001-01-03"]
    assert found.shift == pytest.approx(0.0015)
    np.testing.assert_allclose(found.q, [0.0015, 3.0015])
    for q, words in (
        ([1.0, -1.0, 1.0], "at least 0"),
        ([0.0, 0.0, 0.0], "at least 0"),
        ([np.nan] * 3, "at least 0"),
        ([1.0, 2.0], "one discharge"),
    ):
        with pytest.raises(ValueError, match=words):
            wrtds.discharge(days, q)
    with pytest.raises(ValueError, match="more than one"):
        wrtds.discharge(np.repeat(days[:1], 2), [1.0, 2.0])


def test_samples_find_their_day() -> None:
    days = np.arange("2001-01-01", "2001-01-11", dtype="datetime64[D]")
    flow = wrtds.discharge(days, np.arange(1.0, 11.0))
    at = np.array(["2001-01-05", "2001-01-02", "2001-03-01", "2001-01-03"], "datetime64[D]")
    found = wrtds.samples(at, [1, np.nan, 1, 0], [1, 0.5, 1, np.inf], flow)
    assert found.kind.tolist() == [kernels.LEFT, kernels.EXACT]
    np.testing.assert_allclose(np.exp(found.flow), [2, 5])
    with pytest.raises(ValueError, match="both bounds"):
        wrtds.samples(at, [1], [1], flow)
    for low, high in ((2.0, 1.0), (-1.0, 1.0), (0.0, 0.0)):
        with pytest.raises(ValueError, match="bounds must"):
            wrtds.samples(at[:1], [low], [high], flow)


def test_time_of_the_year() -> None:
    days = np.array(["2000-02-28", "2001-02-28", "2000-03-01", "2001-03-01"], "datetime64[D]")
    even = wrtds.decimal_years(days) % 1
    assert even[0] == pytest.approx(even[1], abs=1e-9)
    assert even[2] == pytest.approx(even[3], abs=1e-9)
    actual = wrtds.decimal_years(days, "actual") % 1
    assert actual[3] == pytest.approx(59.5 / 365)
    assert actual[2] == pytest.approx(60.5 / 366)
    with pytest.raises(ValueError, match="calendar"):
        wrtds.decimal_years(days, "lunar")


def test_incomplete_years_have_no_means() -> None:
    days = np.arange("2001-08-01", "2002-11-01", dtype="datetime64[D]")
    flow = wrtds.discharge(days, np.ones(days.size))
    ones = np.ones(days.size)
    found = wrtds.annual(wrtds.Daily(ones, ones, ones, ones), flow)
    assert found.year.tolist() == [2002]
    assert found.incomplete == (2001, 2003)


def test_flux_bias() -> None:
    _flow, known = record()
    truth = np.where(known.kind == 1, np.nan, np.exp((np.maximum(known.low, -9) + known.high) / 2))
    assert abs(wrtds.flux_bias(known, np.where(np.isinf(truth), np.nan, truth))) < 0.05
    assert np.isnan(wrtds.flux_bias(known, np.full(known.times.size, np.nan)))


def test_blocks_are_drawn_whole_and_again_the_same() -> None:
    _flow, known = record(years=6, step=15)
    rows = wrtds_bootstrap.resample(known, np.random.default_rng(1), 200)
    assert rows.size == known.times.size
    assert np.all(np.diff(rows) >= 0)
    again = wrtds_bootstrap.resample(known, np.random.default_rng(1), 200)
    assert np.array_equal(rows, again)
    with pytest.raises(ValueError, match="at least a day"):
        wrtds_bootstrap.resample(known, np.random.default_rng(1), 0)


def test_bootstrap_repeats() -> None:
    flow, known = record(years=1, step=20)
    settings = wrtds.Settings(4, 3, 1.0, 10, 6, True)
    one, other = (
        wrtds_bootstrap.bootstrap(known, flow, settings, replicates=1, seed=s)[0].fn_flux
        for s in (4, 4)
    )
    assert np.array_equal(one, other)


def test_generalised_keeps_to_the_samples() -> None:
    flow, known = record(years=1, step=25)
    settings = wrtds.Settings(4, 3, 1.0, 10, 6, False)
    fitted = wrtds.surface(known, flow, settings)
    found = wrtds_kalman.generalised(fitted, known, flow, 0.9)
    row = np.searchsorted(flow.days, known.days)
    exact = known.kind == kernels.EXACT
    np.testing.assert_allclose(found[row[exact]], np.exp(known.low[exact]))
    assert np.all(found[row[known.kind == kernels.LEFT]] < np.exp(known.high[known.kind == -1]))
    assert np.all(found[row[known.kind == kernels.RIGHT]] > np.exp(known.low[known.kind == 1]))
    inside = known.kind == kernels.BETWEEN
    assert np.all(found[row[inside]] < np.exp(known.high[inside]))
    assert np.all(found[row[inside]] > np.exp(known.low[inside]))
    plain = wrtds.daily(fitted, flow).conc
    faded = wrtds_kalman.generalised(fitted, known, flow, 0.01)
    between = np.setdiff1d(np.arange(flow.days.size), np.concatenate([row - 1, row, row + 1]))
    np.testing.assert_allclose(faded[between], plain[between], rtol=1e-2)
    with pytest.raises(ValueError, match="correlation"):
        wrtds_kalman.generalised(fitted, known, flow, 1.0)
    with pytest.raises(ValueError, match="no samples"):
        wrtds_kalman.generalised(fitted, known.take(np.zeros(0, np.int64)), flow)


def test_residuals_between_samples_are_those_of_a_conditioned_normal() -> None:
    """Against the covariance matrix rho^|i-j| conditioned on the sampled days."""
    day, place, z, rho = np.arange(12), np.array([2, 7, 9]), np.array([1.0, -0.5, 2.0]), 0.8
    mean, variance = wrtds_kalman._between(day, place, z, rho)
    cov = rho ** np.abs(day[:, None] - day)
    gain = cov[:, place] @ np.linalg.inv(cov[np.ix_(place, place)])
    np.testing.assert_allclose(mean, gain @ z, atol=1e-12)
    np.testing.assert_allclose(variance, np.diag(cov - gain @ cov[place]), atol=1e-12)
