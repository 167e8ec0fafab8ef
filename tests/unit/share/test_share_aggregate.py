from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ecotone.model.agreement import Class
from ecotone.share.aggregate import aggregated, block_of, needed

FIVE = Class(name="sum", level="aggregated", minimum_count=5)


def records(counts: dict[tuple[str, int], int]) -> pd.DataFrame:
    taxa = [taxon for (taxon, _), n in counts.items() for _ in range(n)]
    years = [year for (_, year), n in counts.items() for _ in range(n)]
    return pd.DataFrame(
        {
            "dataset_id": "d",
            "id": [f"{i:05d}" for i in range(len(taxa))],
            "taxon": taxa,
            "time_start": pd.to_datetime([f"{y}-07-01" for y in years], utc=True),
            "locality": "x",
        }
    )


def shown(frame: pd.DataFrame) -> dict[tuple[str, int], int]:
    out = aggregated(needed(frame), FIVE)
    return dict(zip(zip(out["taxon"], out["year"], strict=True), out["count"], strict=True))


@pytest.mark.parametrize(("minimum", "block"), [(2, 5), (5, 5), (6, 10), (10, 10), (11, 20)])
def test_blocks_of_all_agreements_nest(minimum, block):
    assert block_of(minimum) == block


def test_counts_stand_for_whole_blocks_and_small_groups_are_left_out():
    assert shown(records({("a", 2020): 13, ("a", 2021): 5})) == {("a", 2020): 10, ("a", 2021): 5}
    assert shown(records({("a", 2020): 4})) == {}


def test_one_record_more_changes_nothing_until_its_block_is_full():
    for number in range(10, 15):
        assert shown(records({("a", 2020): number})) == {("a", 2020): 10}
    assert shown(records({("a", 2020): 15})) == {("a", 2020): 15}


def test_a_suppressed_group_never_stands_alone_in_its_row_or_column():
    counts = {
        ("a", 2020): 3,
        ("a", 2021): 30,
        ("a", 2022): 20,
        ("b", 2020): 10,
        ("b", 2021): 15,
        ("b", 2022): 40,
    }
    out = shown(records(counts))
    # a 2020 is small; beside it in its row the smallest (a 2022) and in its column b 2020 go;
    # then b 2022 or b 2021 goes beside b 2020: the smaller, and so on until none stands alone.
    hidden = set(counts) - set(out)
    for line in ("a", "b"):
        assert sum(taxon == line for taxon, _ in hidden) != 1
    for year in (2020, 2021, 2022):
        assert sum(y == year for _, y in hidden) != 1
    assert len(out) <= 2


def test_a_table_without_small_groups_hides_nothing():
    counts = {(t, y): 10 for t in "ab" for y in (2020, 2021)}
    assert shown(records(counts)) == counts


def test_of_equal_groups_one_goes():
    counts = {("a", 2020): 2, ("a", 2021): 10, ("a", 2022): 10}
    assert len(shown(records(counts))) == 1


def test_means_leave_censored_results_and_part_blocks_out():
    frame = pd.DataFrame(
        {
            "dataset_id": "w",
            "id": [f"{i}" for i in range(8)],
            "property": ["nitrate"] * 8,
            "value": [1.0, 2.0, 3.0, 4.0, 5.0, 100.0, np.nan, 200.0],
            "limit_kind": [None] * 5 + ["below", None, None],
            "time_start": pd.to_datetime(["2025-03-01"] * 8, utc=True),
        }
    )
    out = aggregated(frame, FIVE)
    assert out["count"].tolist() == [5]
    assert out["mean"].tolist() == [3.0], "the sixth number waits for its block"
    few = aggregated(frame.iloc[[0, 5, 6, 1, 2]], FIVE)
    assert few["count"].tolist() == [5] and few["mean"].isna().all()
    shuffled = aggregated(frame.iloc[::-1], FIVE)
    pd.testing.assert_frame_equal(shuffled, out)
    plain = aggregated(frame.drop(columns=["limit_kind", "time_start"]), FIVE)
    assert plain["count"].tolist() == [5] and plain["year"].isna().all()


def test_nothing_that_orders_or_places_is_asked_for():
    assert list(needed(records({("a", 2020): 1})).columns) == [
        "dataset_id",
        "id",
        "taxon",
        "time_start",
    ]


def test_hiding_goes_on_until_no_hidden_group_stands_alone():
    """What is hidden for a column may stand alone in its row: a 1, a 2, b 1, c 2, then b 2, c 1."""
    sizes = {
        "a": (3, 10, 50),
        "b": (10, 40, 50),
        "c": (40, 10, 50),
    }
    counts = {(t, 2020 + y): n for t, row in sizes.items() for y, n in enumerate(row, start=1)}
    assert shown(records(counts)) == {("a", 2023): 50, ("b", 2023): 50, ("c", 2023): 50}


def test_results_of_another_unit_or_basis_are_another_group():
    frame = pd.DataFrame(
        {
            "dataset_id": "w",
            "id": [f"{i:02d}" for i in range(22)],
            "taxon": None,
            "property": ["nitrate"] * 22,
            "unit": ["mg/L"] * 12 + ["ug/L"] * 10,
            "basis": ["N"] * 7 + ["NO3"] * 5 + ["N"] * 10,
            "value": [1000.0] + [1.0] * 6 + [2.0] * 5 + [3.0] * 10,
            "limit_kind": ["below"] + [None] * 21,
            "time_start": pd.to_datetime(["2025-03-01"] * 22, utc=True),
            "locality": "by the mill",
        }
    )
    out = aggregated(needed(frame), FIVE).set_index(["unit", "basis"])
    assert out["count"].to_dict() == {("mg/L", "N"): 5, ("mg/L", "NO3"): 5, ("ug/L", "N"): 10}
    assert out["mean"].to_dict() == {("mg/L", "N"): 1.0, ("mg/L", "NO3"): 2.0, ("ug/L", "N"): 3.0}
    assert set(out["year"]) == {2025}
    assert list(needed(frame).columns).count("locality") == 0
