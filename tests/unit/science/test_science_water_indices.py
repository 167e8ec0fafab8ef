"""Indices, classes, conformity, stream tests and loads: by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from ecotone.science.water import loads, stream_qc
from ecotone.science.water.conformity import State, conformity, share_conformity
from ecotone.science.water.indices import (
    Ccme,
    ccme,
    excursion,
    factor_class,
    good_status,
    nsf,
    tli,
    tsi,
    worst_factor,
)
from ecotone.science.water.oxygen import saturation

NAN = np.nan


def test_ccme_by_hand() -> None:
    """Two of three variables fail, 3 of 7 tests; excursions 1, 0.5 and, of a minimum, 0.25."""
    found = ccme(
        list("aabbccc"), [2, 1, 3, 1, 4, 6, NAN], 0,
        [1, 1, 2, 2, NAN, NAN, NAN], [NAN] * 4 + [5, 5, 5],
    )  # fmt: skip
    assert (found.tests, found.failed_tests) == (6, 3)
    assert (found.variables, found.failed_variables) == (3, 3)
    assert found.nse == pytest.approx(1.75 / 6)
    f3 = found.nse / (0.01 * found.nse + 0.01)
    assert found.index == pytest.approx(100 - np.sqrt(100**2 + 50**2 + f3**2) / 1.732)
    assert found.place == 4


@pytest.mark.parametrize(
    ("index", "place"), [(100, 0), (95, 0), (94.9, 1), (80, 1), (65, 2), (45, 3), (44.9, 4)]
)
def test_ccme_classes(index: float, place: int) -> None:
    assert Ccme(index, 0, 0, 0, 0, 1, 0, 1, 0, 0).place == place


def test_ccme_of_non_detects_and_of_nothing() -> None:
    found = ccme(["a"] * 3, [0.5, 2.0, 0.1], [-1, -1, 0], 1.0, NAN)
    assert (found.tests, found.undetermined, found.index) == (2, 1, 100)
    nothing = ccme(["a"], [2.0], -1, 1.0, NAN)
    assert np.isnan(nothing.index)
    assert (nothing.place, nothing.undetermined) == (-1, 1)
    with pytest.raises(ValueError, match="one variable"):
        ccme(["a"], [1.0, 2.0], 0, 1.0, NAN)


def test_excursions() -> None:
    np.testing.assert_allclose(
        excursion([2, 0.5, 3, 4, 0], [1, 1, 0, NAN, NAN], [NAN, NAN, NAN, 5, 5]),
        [1, 0, 3, 0.25, np.inf],
    )
    worst = ccme(["a"], [0.0], 0, NAN, 5.0)
    assert (worst.f3, worst.index) == (100, pytest.approx(0, abs=0.01))


def test_classes_of_factors() -> None:
    oxygen = [7.5, 6, 5, 3, 2]
    best, worst = factor_class([8, 7.5, 6.9, 2, 1, NAN], 0, [NAN] * 5, oxygen)
    assert best.tolist() == worst.tolist() == [1, 1, 2, 5, 6, 0]
    best, worst = factor_class([6.5, 9.5], 0, [9] * 5, [6] * 5)
    assert best.tolist() == [1, 6]
    best, worst = factor_class([0.3, 0.1, 10.0], [1, -1, -1], [0.15, 0.5], [NAN, NAN])
    assert best.tolist() == [2, 1, 1]
    assert worst.tolist() == [3, 1, 3]
    # Below 20 a pH may be anything, also neutral.
    best, worst = factor_class([20.0], -1, [9], [6])
    assert (best.tolist(), worst.tolist()) == ([1], [2])
    with pytest.raises(ValueError, match="each class"):
        factor_class([1], 0, [1, 2], [1])
    place, factor = worst_factor([[1, 3, 2], [1, 0, 2]])
    assert (place.tolist(), factor.tolist()) == ([3, 0], [1, 2])


def test_trophic_indices() -> None:
    assert tsi({"secchi_depth": 2.0, "chlorophyll_a": 7.3, "total_phosphorus": 24.0}) == (
        pytest.approx(np.mean([50.01, 50.10, 49.98]), abs=0.02)
    )
    assert tli({"total_nitrogen": 1.0}) == pytest.approx(54.53)
    everything = tli(
        {"chlorophyll_a": 10, "total_phosphorus": 0.05, "total_nitrogen": 1, "secchi_depth": 1,
         "permanganate_index": 4}
    )  # fmt: skip
    parts = [50.006, 45.709, 54.53, 51.18, 10 * (0.109 + 2.661 * np.log(4))]
    weights = np.array([1, 0.7056, 0.6724, 0.6889, 0.6889])
    assert everything == pytest.approx(np.average(parts, weights=weights), abs=1e-2)
    assert np.isnan(tsi({"secchi_depth": [0.0]}))
    for index in (tli, tsi):
        with pytest.raises(ValueError, match="variables are"):
            index({"colour": 1.0})
    with pytest.raises(ValueError, match="not none"):
        tli({})


def test_nsf() -> None:
    curves = {"ph": ([7.0, 8.0], [90.0, 80.0]), "turbidity": ([0.0, 10.0], [100.0, 50.0])}
    index, weight = nsf({"ph": [7.5, NAN, 3.0], "turbidity": [10.0, 0.0, 50.0]}, curves)
    np.testing.assert_allclose(index[[0, 2]], [(0.11 * 85 + 0.08 * 50) / 0.19,
                                               (0.11 * 90 + 0.08 * 50) / 0.19])  # fmt: skip
    assert np.isnan(index[1])
    assert weight == pytest.approx(0.19)


def test_good_status() -> None:
    assert good_status([8, 7, 0, 4], [10, 10, 0, 5]).tolist() == [1, 0, -1, 1]


def test_four_states() -> None:
    found = conformity([8, 9.5, 10.5, 12, NAN], 0, 1, maximum=10)
    assert found.tolist() == [0, 1, 2, 3, -1]
    below = conformity([5, 20], -1, 1, maximum=10)
    assert below.tolist() == [State.COMPLIANT, State.UNASSESSABLE]
    assert conformity([20.0], 1, NAN, maximum=10).tolist() == [State.NON_COMPLIANT]
    assert conformity([7.0], 0, 5, maximum=8.5, minimum=6.5).tolist() == [State.PROBABLY]
    assert conformity([9.0], 0, 5, maximum=8.5, minimum=6.5).tolist() == [State.PROBABLY_NOT]
    assert conformity([9.0, 11.0], 0, 0, maximum=10).tolist() == [0, 3]
    with pytest.raises(ValueError, match="uncertainty"):
        conformity([1.0], 0, -1, maximum=10)


def test_percentile_rule() -> None:
    found = share_conformity([0, 1, 30, 9, 0], [60, 12, 60, 60, 0], 0.1)
    assert found.tolist() == [0, 1, 3, 2, -1]
    with pytest.raises(ValueError, match="allowed"):
        share_conformity([1], [2], 1.0)


def test_oxygen_outside_its_range() -> None:
    assert np.isnan(saturation([-1, 41, 20], [0, 0, 50])).all()


def test_gross_range_and_spikes() -> None:
    assert stream_qc.gross_range([0, 40, -1, NAN], (0, 40)).tolist() == [1, 1, 4, 9]
    with pytest.raises(ValueError, match="inside"):
        stream_qc.gross_range([1], (0, 10), (5, 20))
    assert stream_qc.spike([1, 2], 1, 2).tolist() == [2, 2]
    assert stream_qc.spike([1, NAN, 1, 9, 1, 1], 2, 5).tolist() == [2, 9, 2, 4, 3, 2]
    with pytest.raises(ValueError, match="thresholds"):
        stream_qc.spike([1, 2, 3], 5, 2)


def test_rates_and_gaps() -> None:
    flags = stream_qc.rate_of_change([1, NAN, 3, 3.1], [0, 1, 2, 3], 1)
    assert flags.tolist() == [1, 9, 1, 1]
    with pytest.raises(ValueError, match="ascending"):
        stream_qc.rate_of_change([1, 2], [1, 0], 1)
    with pytest.raises(ValueError, match="limit of change"):
        stream_qc.rate_of_change([1, 2], [0, 1], 0)
    assert stream_qc.gaps([0, 10, 40], 10).tolist() == [False, False, True]
    with pytest.raises(ValueError, match="step"):
        stream_qc.gaps([0, 1], 0)


def test_flat_lines_against_a_loop() -> None:
    rng = np.random.default_rng(3)
    x = np.round(np.cumsum(rng.integers(-1, 2, 80) * (rng.random(80) < 0.3)), 1).astype(float)
    x[20] = NAN
    t = np.cumsum(rng.integers(5, 15, 80)).astype(float)
    found = stream_qc.flat_line(x, t, 0.5, 40, 80)
    step = float(np.median(np.diff(t)))
    for i in range(80):
        expected = 1
        for length, flag in ((40, 3), (80, 4)):
            inside = t[: i + 1] >= t[i] - length
            spans = t[i] - t[: i + 1][inside][0] >= np.floor(length / step) * step
            if spans and inside.sum() > 1:
                stretch = x[: i + 1][inside]
                stretch = stretch[~np.isnan(stretch)]
                if stretch.size and np.ptp(stretch) < 0.5:
                    expected = flag
        assert found[i] == (9 if np.isnan(x[i]) else expected)
    with pytest.raises(ValueError, match="tolerance"):
        stream_qc.flat_line([1.0], [0.0], 0, 1, 2)


def river(n: int = 60, days: int = 1461) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(11)
    t = 2000 + np.arange(days) / 365.25
    q = np.exp(2 + 0.8 * np.sin(2 * np.pi * t) + 0.4 * rng.normal(size=days))
    conc = np.exp(0.5 - 0.2 * np.log(q) + 0.3 * np.cos(2 * np.pi * t) + 0.2 * rng.normal(size=days))
    at = np.sort(rng.choice(days, n, replace=False))
    return t, q, conc, at


def test_estimators_find_the_load() -> None:
    t, q, conc, at = river()
    truth = float((conc * q).mean() * 86.4)
    curve = loads.rating(t[at], q[at], conc[at], np.zeros(at.size, bool))
    found = [
        loads.averaging(conc[at], q[at], q),
        loads.beale(conc[at], q[at], q),
        loads.rated(curve, t, q),
        loads.smeared(curve, t, q),
        loads.interpolated(at, conc[at], np.arange(t.size), q),
    ]
    for load in found:
        assert load.value == pytest.approx(truth, rel=0.2)
        assert load.n == 60
    for load in found:
        assert 0.95 * load.low < truth < 1.05 * load.high
        assert load.low < load.value < load.high


def test_a_rating_curve_with_non_detects() -> None:
    """Where all is known the curve is least squares; non-detects move it as likelihood says."""
    t, q, conc, at = river(40)
    hidden = np.zeros(40, bool)
    curve = loads.rating(t[at], q[at], conc[at], hidden)
    terms = np.column_stack(
        [np.ones(40), t[at] - t[at].mean(), np.log(q[at]) - np.log(q[at]).mean(),
         np.sin(2 * np.pi * t[at]), np.cos(2 * np.pi * t[at])]
    )  # fmt: skip
    beta = np.linalg.lstsq(terms, np.log(conc[at]), rcond=None)[0]
    np.testing.assert_allclose(curve.beta, beta, atol=1e-8)
    limit = np.quantile(conc[at], 0.3)
    below = conc[at] < limit
    level = np.where(below, limit, conc[at])
    censored = loads.rating(t[at], q[at], level, below)

    def value(b: np.ndarray, s: float) -> float:
        z = (np.log(level) - terms @ b) / s
        return float(np.sum(np.where(below, norm.logcdf(z), norm.logpdf(z) - np.log(s))))

    best = value(censored.beta, censored.scale)
    for k in range(5):
        for side in (1e-3, -1e-3):
            moved = censored.beta.copy()
            moved[k] += side
            assert value(moved, censored.scale) < best
    assert value(censored.beta, censored.scale * 1.01) < best
    assert censored.scale == pytest.approx(curve.scale, rel=0.4)


def test_what_loads_refuse() -> None:
    t, q, conc, at = river(20)
    none = np.zeros(20, bool)
    for wrong, words in (
        ((conc[at][:2], q[at][:2], q), "three samples"),
        ((conc[at], q[at][:2], q), "discharge of its day"),
    ):
        with pytest.raises(ValueError, match=words):
            loads.averaging(*wrong)
    with pytest.raises(ValueError, match="confidence"):
        loads.averaging(conc[at], q[at], q, level=2)
    with pytest.raises(ValueError, match="ratio needs"):
        loads.beale([1, 1, 1], [0, 0, 0], [1, 1, 1])
    assert loads.beale([0, 0, 0], [1, 2, 3], [1, 2, 3]).value == 0
    with pytest.raises(ValueError, match="samples and days"):
        loads.interpolated([], [], [1], [1])
    with pytest.raises(ValueError, match="one length"):
        loads.rating(t[at], q[at], conc[at], none[:5])
    with pytest.raises(ValueError, match="at least 10"):
        loads.rating(t[:5], q[:5], conc[:5], none[:5])
    with pytest.raises(ValueError, match="above 0"):
        loads.rating(t[at], q[at], -conc[at], none)
    with pytest.raises(ValueError, match="do not set"):
        loads.rating(np.full(20, 2000.0), q[at], conc[at], none)


@pytest.mark.parametrize(
    ("values", "flags"), [([1, 5, 9, 2, 7, 3], [1] * 6), ([2, 2, 2, 2, 2, 2], [1, 3, 4, 3, 4, 4])]
)
def test_a_value_alone_is_no_flat_stretch(values, flags) -> None:
    """Pairs ten minutes apart, pairs an hour apart: half an hour holds two values at most."""
    seconds = [0, 600, 4200, 4800, 8400, 12000]
    assert stream_qc.flat_line(values, seconds, 0.01, 1800, 3600).tolist() == flags
