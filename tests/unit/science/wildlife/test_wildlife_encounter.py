"""Effort, encounters and activity, by hand and by properties."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecotone.science.wildlife import activity
from ecotone.science.wildlife.encounter import (
    bootstrap_rate,
    effort,
    effort_by_cell,
    independent,
    poisson_rate,
    union_length,
)


def test_effort_with_gaps() -> None:
    start, end = np.array([0.0, 10.0]), np.array([10.0, 20.0])
    gap_of = np.array([0, 0, 0, 1, 1])
    low = np.array([2.0, 3.0, -5.0, 25.0, 12.0])
    high = np.array([4.0, 6.0, 1.0, 30.0, 11.0])
    assert effort(start, end, gap_of, low, high).tolist() == [5.0, 10.0]
    none = np.empty(0)
    assert effort(start, end, none.astype(int), none, none).tolist() == [10.0, 10.0]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30), st.integers(0, 10)), max_size=12))
def test_union_by_minutes(rows: list[tuple[int, int, int]]) -> None:
    group = np.array([g for g, _, _ in rows], dtype=np.int64)
    start = np.array([float(s) for _, s, _ in rows])
    end = start + np.array([float(n) for _, _, n in rows])
    found = union_length(group, start, end, 3)
    for g in range(3):
        minutes = {m for h, s, n in rows if h == g for m in range(s, s + n)}
        assert found[g] == pytest.approx(len(minutes))


def test_independence() -> None:
    group = np.array([0, 0, 0, 0, 1])
    time = np.array([40.0, 0.0, 20.0, 80.0, 41.0])
    assert independent(group, time, 30.0).tolist() == [True, True, False, True, True]
    assert independent(group, time, 30.0, "last-record").tolist() == [
        False, True, False, True, True,
    ]  # fmt: skip
    assert independent(group, time, 0.0).all()


def test_poisson_interval() -> None:
    rate, low, high = poisson_rate(0, 10.0)
    assert (rate, low) == (0.0, 0.0)
    assert high == pytest.approx(3.6889 / 10, rel=1e-4)
    assert np.isnan(poisson_rate(3, 0.0)).all()


def test_bootstrap_of_places() -> None:
    rng = np.random.default_rng(1)
    counts, days = np.array([0.0, 0.0, 20.0, 1.0]), np.array([10.0, 12.0, 9.0, 0.0])
    se, low, high = bootstrap_rate(counts, days, 500, rng)
    assert low < 21 / 31 < high
    assert se > np.sqrt(21) / 31
    assert np.isnan(bootstrap_rate(counts[:1], days[:1], 10, rng)).all()


def test_cells_of_a_track() -> None:
    column, row, length = effort_by_cell(
        np.array([0, 0, 0, 1, 1]),
        np.array([50.0, 250.0, 250.0, -50.0, -50.0]),
        np.array([50.0, 50.0, -50.0, 0.0, 0.0]),
        100.0,
    )
    found = dict(zip(zip(column.tolist(), row.tolist(), strict=True), length.tolist(), strict=True))
    assert found[0, 0] == pytest.approx(50.0)
    assert found[1, 0] == pytest.approx(100.0)
    assert found[2, 0] == pytest.approx(100.0)
    assert found[2, -1] == pytest.approx(50.0)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_no_distance_is_lost(seed: int) -> None:
    rng = np.random.default_rng(seed)
    track = np.sort(rng.integers(0, 3, 30))
    x, y = rng.normal(0, 700, (2, 30)).round(rng.integers(-2, 3))
    _, _, length = effort_by_cell(track, x, y, 100.0)
    same = track[1:] == track[:-1]
    assert length.sum() == pytest.approx(np.hypot(np.diff(x), np.diff(y))[same].sum())


def test_long_tracks_fit() -> None:
    x = np.array([0.5, 9999.5])
    column, _, length = effort_by_cell(np.zeros(2, int), x, np.array([0.5, 0.5]), 1.0)
    assert len(column) == 10000
    assert length.sum() == pytest.approx(9999.0)


def test_density_is_one() -> None:
    rng = np.random.default_rng(1)
    angles = rng.vonmises(1.0, 3.0, 200) % (2 * np.pi)
    kappa = activity.bandwidth(angles)
    f = activity.density(angles, activity.grid(), kappa)
    assert f.mean() * 2 * np.pi == pytest.approx(1.0, abs=1e-6)
    peak = activity.grid()[f.argmax()]
    assert peak == pytest.approx(1.0, abs=0.35)


def test_bandwidth_does_not_know_the_hour() -> None:
    rng = np.random.default_rng(2)
    angles = rng.vonmises(0.0, 2.0, 80)
    moved = (angles + 2.3) % (2 * np.pi)
    assert activity.bandwidth(angles) == pytest.approx(activity.bandwidth(moved))
    assert activity.level(angles) == pytest.approx(activity.level(moved), rel=1e-3)
    tight = activity.bandwidth(np.array([1.0, 1.00001, 1.00002]))
    assert tight > 1e4
    assert activity.bandwidth(np.linspace(0, 2 * np.pi, 12, endpoint=False)) > 0
    with pytest.raises(ValueError, match="two different times"):
        activity.bandwidth(np.array([1.0, 1.0]))


def test_overlap() -> None:
    rng = np.random.default_rng(3)
    one, two = rng.vonmises(0.5, 2.0, 400), rng.vonmises(0.5, 2.0, 400)
    far = rng.vonmises(0.5 + np.pi, 8.0, 400)
    for kind in (1, 4):
        assert activity.overlap(one, two, kind) > 0.85
        assert activity.overlap(one, far, kind) < 0.3
        assert activity.overlap(one, one, kind) == pytest.approx(1.0)
    assert activity.overlap_kinds(20, 500) == (1,)
    assert activity.overlap_kinds(60, 500) == (1, 4)
    assert activity.overlap_kinds(90, 500) == (4,)


def test_bootstraps() -> None:
    rng = np.random.default_rng(4)
    one, two = rng.vonmises(0.5, 2.0, 60), rng.vonmises(1.5, 2.0, 60)
    level = activity.bootstrap_level(one, 30, rng)
    assert level.low < level.value < level.high
    shared = activity.bootstrap_overlap(one, two, 1, 30, rng)
    assert shared.low < shared.value < shared.high
    assert np.isnan(activity.bootstrap_overlap(one, two, 4, 0, rng).se)


def noon(*day: int) -> float:
    return (dt.date(*day) - dt.date(2000, 1, 1)).days


#: Sunrise and sunset in UTC of published almanacs, to the minute.
ALMANAC = [
    ((2024, 6, 20), 51.4779, 0.0, "03:43", "20:21"),
    ((2024, 12, 21), 51.4779, 0.0, "08:04", "15:53"),
    ((2024, 3, 20), 0.0, 0.0, "06:04", "18:11"),
]


@pytest.mark.parametrize(("day", "latitude", "longitude", "rise", "down"), ALMANAC)
def test_sun(day, latitude: float, longitude: float, rise: str, down: str) -> None:
    found = activity.sun(np.array([noon(*day)]), np.array([latitude]), np.array([longitude]))
    for hours, told in zip(found, (rise, down), strict=True):
        wanted = int(told[:2]) + int(told[3:]) / 60.0
        assert hours[0] == pytest.approx(wanted, abs=2.5 / 60.0)


def test_polar_night() -> None:
    rise, down = activity.sun(np.array([noon(2024, 12, 21)]), np.array([75.0]), np.array([0.0]))
    assert np.isnan(rise).all()
    assert np.isnan(down).all()


def test_solar_time() -> None:
    """Sunrises fall together on the mean half day before noon, sunsets after it."""
    rise, down = np.array([4.0, 8.0, 6.0]), np.array([20.0, 16.0, 18.0])
    hour = 24.0 / (2 * np.pi)
    assert activity.solar_angles(rise, rise, down) * hour == pytest.approx([6.0, 6.0, 6.0])
    assert activity.solar_angles(down, rise, down) * hour == pytest.approx([18.0, 18.0, 18.0])
    noons = activity.solar_angles((rise + down) / 2, rise, down)
    assert noons * hour == pytest.approx([12.0, 12.0, 12.0])
    midnight = activity.solar_angles(np.full(3, 0.0), rise, down)
    assert midnight * hour % 24.0 == pytest.approx([0.0, 0.0, 0.0], abs=1e-9)
