from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from ecotone.model.agreement import Agreement
from ecotone.share.decide import decide, in_force
from tests.unit.share.fixtures import agreement, assign, governed, occurrences, request

OWNERS = {"cats": "AA", "water": "BB"}


def parsed(*documents):
    return [Agreement.model_validate(d) for d in documents]


def test_own_data_come_out_at_level_full_and_nothing_else_without_agreement():
    table = decide(request(), OWNERS, [])
    assert [(d.dataset_id, d.level) for d in table] == [("water", "full")]


@pytest.mark.parametrize(
    "change",
    [
        {"status": "suspended"},
        {"status": "draft"},
        {"recipients": ["CC"]},
        {"purposes": ["tourism"]},
        {"actions": ["download"]},
        {"valid_from": "2026-06-02"},
        {"valid_until": "2026-05-31"},
    ],
)
def test_an_agreement_speaks_only_within_its_terms(change):
    spoken = parsed(agreement([{"name": "all", "level": "full"}], **change))
    assert not in_force(spoken[0], request())
    assert decide(request(reader="BB"), {"cats": "AA"}, spoken) == []


@pytest.mark.parametrize("day", [date(2026, 1, 1), date(2026, 12, 31)])
def test_first_and_last_day_are_inside(day):
    spoken = parsed(agreement([{"name": "all", "level": "full"}]))
    assert in_force(spoken[0], request(today=day))


def test_an_agreement_cannot_speak_for_data_its_owner_does_not_own():
    spoken = parsed(
        agreement([{"name": "all", "level": "full"}], datasets=["cats", "others", "absent"])
    )
    table = decide(request(), {"cats": "AA", "others": "CC"}, spoken)
    assert [d.dataset_id for d in table] == ["cats"]


def test_the_strictest_class_holds_whatever_the_order():
    classes = [
        {"name": "cats", "taxa": ["Panthera uncia"], "level": "generalised", "cell_degrees": 0.1},
        {"name": "rest", "level": "full"},
        {"name": "fine", "taxa": ["Panthera"], "level": "generalised", "cell_degrees": 0.01},
    ]
    frame = occurrences()
    for order in (classes, classes[::-1]):
        table = decide(request(), {"cats": "AA"}, parsed(agreement(order)))
        names = [d and d.name for d in governed(frame, "Occurrence", table)]
        # The last has no name: it may be a cat.
        assert names == ["cats", "rest", "cats", "cats"]


def test_unknown_means_withheld():
    classes = [{"name": "goats", "taxa": ["Capra sibirica"], "level": "full"}]
    table = decide(request(), {"cats": "AA"}, parsed(agreement(classes)))
    assert assign(occurrences(), "Occurrence", table).tolist() == [-1, 0, -1, -1]
    assert assign(occurrences().drop(columns="taxon"), "Occurrence", table).tolist() == [-1] * 4


def test_nouns_and_properties_narrow_a_class():
    classes = [
        {"name": "nitrate", "nouns": ["Observation"], "properties": ["nitrate"], "level": "full"}
    ]
    table = decide(request(), {"cats": "AA"}, parsed(agreement(classes)))
    frame = pd.DataFrame({"dataset_id": ["cats", "cats", "x"], "property": ["nitrate", "pH", "pH"]})
    assert assign(frame, "Observation", table).tolist() == [0, -1, -1]
    assert assign(frame, "Occurrence", table).tolist() == [-1, -1, -1]
    assert assign(frame.drop(columns="property"), "Observation", table).tolist() == [-1] * 3


def test_other_datasets_are_untouched():
    table = decide(request(), {"cats": "AA"}, parsed(agreement([{"name": "a", "level": "full"}])))
    frame = pd.DataFrame({"dataset_id": ["other"]})
    np.testing.assert_array_equal(assign(frame, "Occurrence", table), [-1])
