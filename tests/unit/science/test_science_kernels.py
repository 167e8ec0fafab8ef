"""The compiled loops do what their Python text says, lane by lane."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ecotone.science.land import kernels
from ecotone.science.land.kernels import LANES
from ecotone.science.land.network import sorting_network
from ecotone.science.stats.kendall import kendall_table

PARTS = (
    "rounded", "load", "score", "variances", "slopes", "sort", "at_rank", "residuals",
    "hamed_rao", "prewhiten", "normal_p", "trend_of_pixels", "add_layers",
)  # fmt: skip


def text_of(function: Callable[..., Any]) -> Callable[..., Any]:
    return getattr(function, "py_func", function)


@pytest.fixture
def interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every part as plain Python, the parts it calls included."""
    for name in PARTS:
        monkeypatch.setattr(kernels, name, text_of(getattr(kernels, name)))


def stack(pixels: int = LANES + 3) -> np.ndarray:
    rng = np.random.default_rng(9)
    x = np.round(np.cumsum(rng.standard_normal((7, pixels)), axis=0), 1)
    x[2, ::4] = np.nan
    x[1:, 5] = np.nan
    x[:, 6] = 0.5
    x[3, 7] = -np.inf
    return x


def run(
    method: int, exact: bool, *, steps: bool = True, values: np.ndarray | None = None
) -> np.ndarray:
    values = stack() if values is None else values
    out = np.empty((7, values.shape[1]))
    network = sorting_network(21 if steps else 0)
    kernels.trend_of_pixels(
        values, np.arange(7.0), network, kendall_table(), method, exact, 1.96, 1e9, 4, out
    )
    return out


CASES = [
    (method, exact, steps)
    for method in (kernels.PLAIN, kernels.HAMED_RAO, kernels.PREWHITENED)
    for exact in (True, False)
    for steps in (True, False)
]
COMPILED = {case: run(case[0], case[1], steps=case[2]) for case in CASES}


@pytest.mark.usefixtures("interpreted")
@pytest.mark.parametrize("case", CASES)
def test_compiled_equals_its_text(case: tuple[int, bool, bool]) -> None:
    told = run(case[0], case[1], steps=case[2])
    np.testing.assert_allclose(told, COMPILED[case], rtol=1e-12, atol=1e-12)


@pytest.mark.usefixtures("interpreted")
def test_blocks_without_enough_years_are_passed_over() -> None:
    values = stack()
    values[3:] = np.nan
    out = run(kernels.PLAIN, True, values=values)
    assert np.isnan(out[: kernels.VALID]).all()
    assert out[kernels.VALID].max() == 3


@pytest.mark.usefixtures("interpreted")
def test_small_parts() -> None:
    assert kernels.rounded(0.1 + 0.2, 1e9) == 0.3
    assert kernels.rounded(0.1 + 0.2, 0.0) != 0.3
    assert kernels.rounded(1e8 + 0.3, 1.0) == 1e8 + 0.3
    assert kernels.at_rank(np.array([1.0, 3.0]), 2, 1.5) == 2.0
    assert np.isnan(kernels.at_rank(np.array([1.0, 3.0]), 2, 2.5))
    assert kernels.normal_p(5.0, 0.0) == 1.0
    assert np.isnan(kernels.normal_p(5.0, -1.0))
    assert kernels.normal_p(1.0, 10.0) == 1.0


@pytest.mark.usefixtures("interpreted")
def test_layers_are_added_to_their_year() -> None:
    total, count = np.zeros((2, 2)), np.zeros((2, 2), np.int64)
    values = np.array([[1.0, np.nan], [2.0, 3.0], [9.0, 9.0]])
    kernels.add_layers(values, np.array([0, 0, -1]), total, count)
    assert total.tolist() == [[3, 3], [0, 0]]
    assert count.tolist() == [[2, 1], [0, 0]]


@pytest.mark.usefixtures("interpreted")
def test_factor_of_autocorrelated_ranks_by_hand() -> None:
    # Ranks of a see-saw of ten: lag 1 correlates at -0.9, lag 2 at 0.8 ... and each lag counts
    # whose correlation is beyond 1.96/sqrt(10) = 0.62.
    e = np.tile(np.array([0.0, 1.0] * 5)[:, None], (1, LANES))
    e[:, 1] = 0.0
    factor = np.empty(LANES)
    kernels.hamed_rao(e, np.full(LANES, 10), factor)
    lags = {1: -0.9, 2: 0.8, 3: -0.7}
    by_hand = sum((10 - k) * (9 - k) * (8 - k) * r for k, r in lags.items())
    assert factor[0] == pytest.approx(1 + 2 / (10 * 9 * 8) * by_hand)
    assert factor[1] == 1.0
