from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from ecotone.model.errors import InputRefused
from ecotone.share.agreements import parse
from ecotone.share.decide import coarsened, strictest, strictness
from ecotone.share.embargo import older
from ecotone.share.table import NOT_NAMED, UNCLEAR, Places, Table
from tests.unit.share.fixtures import agreement, decided, nowhere

FULL = {"name": "full", "level": "full"}
FINE = {"name": "fine", "level": "generalised", "cell_degrees": 0.01}
COARSE = {"name": "coarse", "level": "generalised", "cell_degrees": 1.0}
SUMS = {"name": "sums", "level": "aggregated"}
CARD = {"name": "card", "level": "metadata"}
NONE = {"name": "none", "level": "withheld"}


def test_levels_from_open_to_closed():
    order = [strictness(d.rule) for d in decided([FULL, FINE, COARSE, SUMS, CARD, NONE])]
    assert order == sorted(order) and len(set(order)) == len(order)


def test_the_strictest_speaks_and_withholds_what_any_withholds():
    one = {
        **FINE,
        "withheld_fields": ["sex"],
        "embargo_months": 3,
        "minimum_count": 20,
        "minimum_animals": 4,
        "minimum_fixes": 11,
    }
    other = {
        **FULL,
        "withheld_fields": ["locality", "sex"],
        "embargo_months": 12,
        "minimum_count": 6,
        "minimum_animals": 9,
        "minimum_fixes": 50,
    }
    made = strictest(decided([other, one]))
    assert (made.name, made.level) == ("fine", "generalised")
    assert set(made.rule.withheld_fields) == {"sex", "locality"}
    assert made.rule.embargo_months == 12
    assert (made.rule.minimum_count, made.rule.minimum_animals, made.rule.minimum_fixes) == (
        20,
        9,
        50,
    )
    first = strictest(decided([FULL, {**FULL, "name": "second", "withheld_fields": ["sex"]}]))
    assert first.name == "full" and first.rule.withheld_fields == ("sex",)


def test_coarsened_keeps_all_else():
    made = coarsened(decided([{**FULL, "withheld_fields": ["sex"]}])[0], 0.1)
    assert (made.level, made.rule.level, made.rule.cell_degrees) == (
        "generalised",
        "generalised",
        0.1,
    )
    assert made.rule.withheld_fields == ("sex",)
    assert made.agreement == "AG-1 v2"


def rows(**columns):
    number = len(next(iter(columns.values())))
    return pd.DataFrame({"id": [f"r{i}" for i in range(number)], "dataset_id": "cats", **columns})


def codes(classes, frame, noun="Observation", **how):
    table = Table(decided(classes, **how))
    found = table.assign(frame, noun, nowhere(len(frame)))
    return [table.decisions[c].name if c >= 0 else int(c) for c in found]


def test_a_missing_property_may_be_any():
    nitrate = {"name": "nitrate", "properties": ["nitrate"], "level": "full"}
    uranium = {"name": "uranium", "properties": ["uranium"], "level": "withheld"}
    frame = rows(property=["nitrate", "uranium", "lead", None])
    assert codes([nitrate, uranium], frame) == ["nitrate", "uranium", NOT_NAMED, UNCLEAR]
    assert codes([uranium, FULL], frame) == ["full", "uranium", "full", "uranium"]
    # Nothing without properties is about one: the class says nothing of sites.
    assert codes([uranium, FULL], rows(name=["x"]), "Site") == ["full"]


def test_taxon_and_property_must_both_hold():
    both = {"name": "both", "taxa": ["Panthera uncia"], "properties": ["count"], "level": "full"}
    frame = rows(
        taxon=["Panthera uncia", "Panthera uncia", "Lynx lynx", None, "Lynx lynx"],
        property=["count", "weight", "count", "count", None],
    )
    assert codes([both], frame) == ["both", NOT_NAMED, NOT_NAMED, UNCLEAR, NOT_NAMED]


def test_each_combination_is_decided_once_and_remembered():
    table = Table(decided([FULL, FINE]))
    frame = rows(taxon=["a", "b", None])
    assert table.assign(frame, "Occurrence", nowhere(3)).tolist() == [2, 2, 2]
    assert table.assign(frame, "Occurrence", nowhere(3)).tolist() == [2, 2, 2]
    assert len(table.decisions) == 3
    assert table.coarser(2, 0.1) == table.coarser(2, 0.1) == 3
    assert table.coarser(2, 1.0) == 4
    np.testing.assert_array_equal(table.cells(np.array([2, 0, -1, -2, 3])), [0.01, 0, 0, 0, 0.1])
    np.testing.assert_array_equal(
        table.leaves(np.array([2, 0, -1, -2])), [True, True, False, False]
    )


def test_withheld_rows_do_not_leave_and_have_no_cell():
    table = Table(decided([NONE]))
    assert not table.leaves(np.array([0])).any()
    assert table.cells(np.array([0])).tolist() == [0.0]


def test_datasets_in_one_block_are_told_apart():
    table = Table(decided([FULL]))
    frame = rows(taxon=["a", "b", "c"]).assign(dataset_id=["dogs", "cats", "dogs"])
    here = Places(*(np.arange(3.0) for _ in range(3)))
    assert table.assign(frame, "Occurrence", here).tolist() == [-1, 0, -1]
    assert here.at(np.array([1])).latitude.tolist() == [1.0]


def test_nouns_narrow_a_class():
    sites = {**FULL, "nouns": ["Site"]}
    assert codes([sites], rows(name=["x"]), "Site") == ["full"]
    assert codes([sites], rows(name=["x"]), "Event") == [NOT_NAMED]


@pytest.mark.parametrize(
    ("change", "sound"),
    [
        ({"category": 1, "level": "generalised", "cell_degrees": 1.0}, True),
        ({"category": 1, "level": "generalised", "cell_degrees": 0.1}, False),
        ({"category": 2, "level": "generalised", "cell_degrees": 0.1}, True),
        ({"category": 2, "level": "generalised", "cell_degrees": 0.01}, False),
        ({"category": 3, "level": "generalised", "cell_degrees": 0.01}, True),
        ({"category": 4, "level": "generalised", "cell_degrees": 0.001}, True),
        ({"category": 4, "level": "full"}, False),
        ({"category": 1, "level": "withheld"}, True),
        ({"category": 1, "level": "aggregated"}, True),
        ({"category": 5, "level": "full"}, False),
        ({"level": "full", "statements": ["2b", "4g"]}, True),
        ({"level": "full", "statements": ["5a"]}, False),
        ({"level": "full", "synonyms": {"Panthera uncia": ["Uncia uncia"]}}, False),
        ({"level": "full", "minimum_animals": 2}, False),
        ({"level": "full", "minimum_fixes": 4}, False),
    ],
)
def test_chapmans_categories_and_statements(change, sound):
    document = agreement([FULL])
    document["classes"] = [{"name": "cats", **change}]
    if sound:
        assert parse(document, "x").classes[0].name == "cats"
    else:
        with pytest.raises(InputRefused):
            parse(document, "x")


TODAY = date(2026, 6, 15)


@pytest.mark.parametrize(
    ("level", "start", "end", "precision", "out"),
    [
        ("full", "2025-06-14", None, None, True),
        ("full", "2025-06-15", None, None, False),
        ("full", "2025-06-14", "2025-06-16", None, False),
        ("full", "2025-06-16", "2025-06-14", None, False),
        ("full", "2025-06-14T10:00", None, "day", True),
        ("full", "2025-06-01", None, "month", False),
        ("full", "2025-05-01", None, "month", True),
        ("full", "2025-01-01", None, "year", False),
        ("full", "2024-01-01", None, "year", True),
        ("full", None, None, None, False),
        ("generalised", "2025-06-01", None, None, False),
        ("generalised", "2025-05-31", None, None, True),
        ("aggregated", "2025-06-01", None, None, False),
    ],
)
def test_embargo(level, start, end, precision, out):
    rule = {"name": "x", "level": level, "embargo_months": 12, "cell_degrees": 0.1}
    frame = pd.DataFrame(
        {
            "time_start": pd.to_datetime([start], utc=True),
            "time_end": pd.to_datetime([end], utc=True),
            "time_precision": pd.array([precision], dtype="string"),
        }
    )
    assert older(frame, TODAY, decided([rule])[0]).tolist() == [out]


def test_embargo_without_any_time():
    rule = {"name": "x", "level": "full", "embargo_months": 1}
    assert older(pd.DataFrame({"a": [1]}), TODAY, decided([rule])[0]).tolist() == [False]
    bare = pd.DataFrame({"time_start": pd.to_datetime(["2020-01-01"], utc=True)})
    assert older(bare, TODAY, decided([rule])[0]).tolist() == [True]
