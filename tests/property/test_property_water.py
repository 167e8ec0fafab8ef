"""What must hold of water statistics whatever the numbers are."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ecotone.science.water.censored import kaplan_meier, mle_lognormal, quantile, ros
from ecotone.science.water.censored_tests import peto_prentice, turnbull_median
from ecotone.science.water.conformity import State, conformity
from ecotone.science.water.indices import ccme, factor_class
from ecotone.science.water.stream_qc import gross_range, worst
from ecotone.science.water.trend import seasonal_kendall

RESULTS = st.lists(
    st.tuples(st.integers(1, 200).map(lambda i: i / 10), st.booleans()), min_size=4, max_size=40
)


def arrays(results: list[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    values, hidden = zip(*results, strict=True)
    return np.array(values), np.array(hidden)


@settings(max_examples=80, deadline=None)
@given(RESULTS)
def test_summaries_lie_within_what_is_known(results) -> None:
    x, hidden = arrays(results)
    assume(np.unique(x[~hidden]).size >= 2)
    low, high = np.where(hidden, 0, x).mean(), x.mean()
    assert low - 1e-9 <= kaplan_meier(x, hidden).mean <= max(high, x[~hidden].max()) + 1e-9
    modelled = ros(x, hidden)
    assert 0 < modelled.mean <= max(high, x[~hidden].max()) + 1e-9 or modelled.sd > 0
    assert 0 <= modelled.dropped <= hidden.sum()


@settings(max_examples=60, deadline=None)
@given(RESULTS, st.sampled_from([0.001, 0.5, 1000.0]))
def test_another_unit_changes_nothing_but_the_numbers(results, factor: float) -> None:
    x, hidden = arrays(results)
    assume(np.unique(x[~hidden]).size >= 2)
    for method in (kaplan_meier, ros, mle_lognormal):
        one, other = method(x, hidden), method(x * factor, hidden)
        np.testing.assert_allclose(
            np.array([one.mean, one.sd, one.median, one.se]) * factor,
            [other.mean, other.sd, other.median, other.se],
            rtol=1e-5,
        )


@settings(max_examples=60, deadline=None)
@given(RESULTS)
def test_quantiles_ascend(results) -> None:
    x, hidden = arrays(results)
    assume((~hidden).any())
    found = [quantile(x, hidden, p) for p in (0.1, 0.3, 0.5, 0.7, 0.9)]
    known = [q for q in found if not np.isnan(q)]
    assert known == sorted(known)
    assert np.isnan(found[: len(found) - len(known)]).all()


@settings(max_examples=40, deadline=None)
@given(RESULTS, st.randoms())
def test_order_of_rows_does_not_matter(results, random) -> None:
    x, hidden = arrays(results)
    assume((~hidden).sum() >= 2)
    group = np.arange(x.size) % 2
    assume(np.unique(group).size == 2)
    order = list(range(x.size))
    random.shuffle(order)
    one = peto_prentice(x, hidden, group)
    other = peto_prentice(x[order], hidden[order], group[order])
    assert one.statistic >= 0
    np.testing.assert_allclose(one.statistic, other.statistic, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=1, max_size=15))
def test_turnbull_of_exact_values_is_a_median(values) -> None:
    x = np.sort(np.array(values, float))
    found = turnbull_median(x, x)
    assert found == x[(x.size - 1) // 2]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(2000, 2012), st.integers(1, 3), st.integers(-20, 20)),
        min_size=8,
        max_size=40,
        unique_by=lambda x: x[:2],
    )
)
def test_block_trend_turns_over_with_time(rows) -> None:
    year, block, value = (np.array(c, float) for c in zip(*rows, strict=True))
    assume(np.unique(block, return_counts=True)[1].max() >= 4)
    there = seasonal_kendall(year, value, block)
    back = seasonal_kendall(4000 - year, value, block)
    assert there.s == -back.s
    assert there.p == back.p
    np.testing.assert_allclose(there.slope, -back.slope)
    np.testing.assert_allclose(there.p_corrected, back.p_corrected)
    s = 0
    for b in np.unique(block):
        own = np.argsort(year[block == b])
        y = value[block == b][own]
        if y.size >= 4:
            s += sum(int(np.sign(q - p)) for p, q in itertools.combinations(y, 2))
    assert there.s == s


@settings(max_examples=100, deadline=None)
@given(
    st.floats(0.01, 100),
    st.sampled_from([-1, 0, 1]),
    st.lists(st.floats(0.01, 50), min_size=5, max_size=5),
    st.floats(0.001, 0.999),
)
def test_a_class_holds_for_every_value_the_result_allows(value, kind, limits, inside) -> None:
    maxima = sorted(limits)
    true = {0: value, -1: value * inside, 1: value / inside}[kind]
    best, worst_class = factor_class([value], kind, maxima, [np.nan] * 5)
    (own,), _ = factor_class([true], 0, maxima, [np.nan] * 5)
    assert best[0] <= own <= worst_class[0]


@settings(max_examples=100, deadline=None)
@given(st.floats(0.1, 20), st.floats(0, 10), st.floats(0.1, 20))
def test_more_uncertainty_never_makes_surer(value, half, limit) -> None:
    sure, unsure = (int(conformity([value], 0, u, maximum=limit)[0]) for u in (half, 2 * half))
    order = [State.COMPLIANT, State.PROBABLY, State.PROBABLY_NOT, State.NON_COMPLIANT]
    place = order.index(State(sure)), order.index(State(unsure))
    assert (place[0] < 2) == (place[1] < 2)
    assert abs(place[1] - 1.5) <= abs(place[0] - 1.5)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 10), min_size=4, max_size=30), st.floats(0.5, 9))
def test_ccme_stays_within_its_scale(values, limit) -> None:
    names = [f"v{i % 4}" for i in range(len(values))]
    found = ccme(names, values, 0, limit, np.nan)
    assert 0 <= found.index <= 100
    laxer = ccme(names, values, 0, limit * 2, np.nan)
    assert laxer.index >= found.index - 1e-9


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-10, 10) | st.just(float("nan")), min_size=1, max_size=30))
def test_worst_flag_is_never_milder(values) -> None:
    one, other = gross_range(values, (-5, 5)), gross_range(values, (-9, 9), (-2, 2))
    rank = {2: 0, 1: 1, 3: 2, 4: 3, 9: 4}
    for a, b, both in zip(one, other, worst(one, other), strict=True):
        assert rank[int(both)] == max(rank[int(a)], rank[int(b)])
