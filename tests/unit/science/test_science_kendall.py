"""The exact distribution of S: by counting all orders, and its critical values."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from ecotone.science.stats import kendall_critical, kendall_exact_p, kendall_tail
from ecotone.science.stats.kendall import kendall_table


def _s(order: tuple[int, ...]) -> int:
    return sum(int(np.sign(b - a)) for a, b in itertools.combinations(order, 2))


@pytest.mark.parametrize("n", range(1, 8))
def test_tail_equals_counting_every_order(n: int) -> None:
    found = np.array([abs(_s(order)) for order in itertools.permutations(range(n))])
    counted = [(found >= s).mean() for s in range(n * (n - 1) // 2 + 1)]
    np.testing.assert_allclose(kendall_tail(n), counted, rtol=1e-12)


def test_tail_of_the_longest_series_ends_at_one_order_each_way() -> None:
    assert kendall_tail(60)[-1] == pytest.approx(2 / math.factorial(60), rel=1e-12)
    assert kendall_tail(60)[0] == 1.0
    assert np.all(np.diff(kendall_tail(60)) <= 0)


def test_tail_is_shared_and_so_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        kendall_tail(5)[0] = 0.5


@pytest.mark.parametrize("n", [0, 61, -3])
def test_tail_outside_the_table(n: int) -> None:
    with pytest.raises(ValueError, match="1 to 60"):
        kendall_tail(n)


def test_exact_p_broadcasts_and_leaves_unknown_unknown() -> None:
    p = kendall_exact_p([46.0, -46.0, 44.0, np.nan, 122.0], 16)
    np.testing.assert_allclose(p[:3], [0.041262, 0.041262, 0.051677], atol=1e-6)
    assert np.isnan(p[3:]).all()
    assert np.isnan(kendall_exact_p(10, [61, 0])).all()
    assert kendall_exact_p([[3], [1]], [3, 3]).shape == (2, 2)


def test_critical_values() -> None:
    assert kendall_critical(16) == 46
    assert kendall_critical(4) is None
    assert kendall_critical(4, 0.1) == 6
    for alpha in (0.0, 1.0):
        with pytest.raises(ValueError, match="alpha"):
            kendall_critical(16, alpha)
    with pytest.raises(TypeError):
        kendall_critical(16.5)  # type: ignore[arg-type]  # a number of years is whole


def test_table_holds_every_tail() -> None:
    table = kendall_table()
    assert table.shape == (61, 1771)
    np.testing.assert_array_equal(table[16, :121], kendall_tail(16))
    assert np.isnan(table[16, 121:]).all()
    assert np.isnan(table[0]).all()
