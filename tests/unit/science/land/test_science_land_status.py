"""One-out-all-out, status, corrections, neutrality, land cover and carbon."""

from __future__ import annotations

import numpy as np
import pytest

from ecotone.science.land import carbon, cover, status
from ecotone.science.land.lookup import NODATA


def test_missing_parts_any_or_known() -> None:
    a, b = [-1, NODATA, 1, NODATA], [NODATA, 1, 0, NODATA]
    assert status.one_out_all_out(a, b).tolist() == [NODATA, NODATA, 1, NODATA]
    assert status.one_out_all_out(a, b, missing="known").tolist() == [-1, 1, 1, NODATA]
    with pytest.raises(ValueError, match="at least one"):
        status.one_out_all_out()
    with pytest.raises(ValueError, match="missing"):
        status.one_out_all_out([0], missing="some")  # type: ignore[arg-type]


def test_a_status_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="1 to 7"):
        status.status_three([8])


def test_recode_only_in_its_zone_and_period() -> None:
    fix = status.Recode(0, -1, None, ("baseline",))
    codes, zones = [-1, 0, 1, NODATA, -1], [4, 4, 4, 4, 5]
    assert status.recoded(codes, zones, {4: fix}, "baseline").tolist() == [0, -1, 1, NODATA, -1]
    assert status.recoded(codes, zones, {4: fix}, "report_1").tolist() == codes
    with pytest.raises(ValueError, match="period"):
        status.recoded(codes, zones, {}, "later")
    with pytest.raises(ValueError, match="no degradation class"):
        status.Recode(7, None, None, ())
    with pytest.raises(ValueError, match="unknown periods"):
        status.Recode(None, None, None, ("report_9",))


def test_neutrality_sets_gains_against_losses_by_type() -> None:
    balance = status.neutrality([1, 6, 7, 4, 2, 6], [1, 1, 1, 2, 2, -1], [2, 3, 1, 9, 4, 50])
    assert balance == {1: (4.0, 2.0, 2.0), 2: (0.0, 4.0, -4.0)}


def test_areas_sum_to_all_there_is() -> None:
    rng = np.random.default_rng(1)
    areas = rng.random((30, 1))
    codes = rng.choice([1, 2, 3, NODATA, 77], (30, 8))
    sums = status.area_by_code(codes, areas, [3, 1, 2])
    assert sums.sum() == pytest.approx(8 * areas.sum(), rel=1e-12)
    assert sums[0] == pytest.approx((areas * (codes == 3)).sum())


def test_nesting_names_every_code_it_does_not_cover() -> None:
    with pytest.raises(ValueError, match="7, 9"):
        cover.nested([7, 9, 10], {10: 1})
    assert cover.nested(np.empty((0,), int), {}).size == 0
    assert cover.nested([[210, 0]], cover.esa_nesting(), nodata=0).tolist() == [[7, NODATA]]


def test_transitions_of_a_legend_with_many_classes() -> None:
    legend = cover.Legend(tuple(range(1, 13)), tuple("abcdefghijkl"))
    effect = np.zeros((12, 12), dtype=np.int16)
    effect[0, 11] = -1
    matrix = cover.TransitionMatrix(legend, effect)
    assert matrix.multiplier == 100
    assert matrix.codes([1, 12, 99], [12, 1, 1]).tolist() == [112, 1201, NODATA]
    assert matrix.of([1, 12, 99], [12, 1, 1]).tolist() == [-1, 0, NODATA]
    areas = matrix.areas([[1, 99]], [[12, 1]], [[2.0, 3.0]])
    assert areas[0, 11] == 2.0
    assert areas[12, 0] == 3.0
    assert areas.sum() == 5.0


def test_a_matrix_must_be_whole() -> None:
    legend = cover.unccd_legend()
    with pytest.raises(ValueError, match="49"):
        cover.TransitionMatrix(legend, np.zeros((6, 6), dtype=np.int16))
    with pytest.raises(ValueError, match="improving"):
        cover.TransitionMatrix(legend, np.full((7, 7), 2, dtype=np.int16))


def test_water_transitions_are_stable() -> None:
    matrix = cover.unccd_transitions()
    assert not matrix.effect[6].any()
    assert not matrix.effect[:, 6].any()
    assert (np.diag(matrix.effect) == 0).all()


def test_factors_of_change_in_both_directions() -> None:
    pairs = [(1, 3), (3, 2), (4, 3), (3, 4), (3, 6), (5, 1), (1, 2), (7, 1)]
    initial, final = zip(*pairs, strict=True)
    wanted = [0.58, 1 / 0.58, 0.71, 1 / 0.71, 0.1, 2.0, 1.0, 1.0]
    np.testing.assert_allclose(carbon.change_factors(initial, final, 0.58), wanted)


def test_carbon_ends_after_twenty_years_and_gaps_keep_the_cover() -> None:
    maps = np.full((30, 3), 3)
    maps[0] = [1, 1, NODATA]
    maps[5, 1] = NODATA
    stocks = carbon.carbon_stocks([50.0, 50.0, 50.0], maps, 0.8)
    assert stocks[20:, 0].tolist() == pytest.approx([40.0] * 10)
    np.testing.assert_array_equal(stocks[:, 0], stocks[:, 1])
    assert np.isnan(stocks[:, 2]).all()


def test_carbon_classes_at_the_limit() -> None:
    change = carbon.carbon_change([50.0, 50.0, 0.0, np.nan], [45.0, 55.0, 1.0, 1.0])
    assert carbon.carbon_classes(change).tolist() == [-1, 1, NODATA, NODATA]
    assert carbon.carbon_classes(change, inclusive=False).tolist() == [0, 0, NODATA, NODATA]
