"""Keys: the same record is the same record, however its table is written."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ecotone.model.dictionary import RECORD_NOUNS, attributes
from ecotone.model.keys import NATURAL_KEYS, content_hash, natural_keys


def observations() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "site": ["a", "a", "b", None],
            "property": ["nitrate", "nitrate", "nitrate", "nitrate"],
            "time_start": pd.to_datetime(
                ["2023-07-01", "2023-07-02", "2023-07-01", "2023-07-01"], utc=True
            ).as_unit("us"),
            "value": [1.5, 1.5, np.nan, 2.0],
            "flags": [{"b": 1, "a": 2}, None, None, None],
        }
    )


def test_the_numbers_stay_the_same_for_good() -> None:
    # Kept in nodes: a change here would make every record of every node look new.
    frame = observations()
    keys = natural_keys("Observation", frame)
    assert keys is not None
    assert [hex(int(h)) for h in keys[0]] == KEYS
    assert [hex(int(h)) for h in content_hash("Observation", frame)] == CONTENT


def test_form_does_not_matter() -> None:
    frame = observations()
    other = frame.iloc[:, ::-1].copy()
    other["value"] = other["value"].astype("Float64")
    other["site"] = other["site"].astype("category")
    other["time_start"] = other["time_start"].dt.tz_convert("Asia/Dushanbe").dt.as_unit("ns")
    other["flags"] = ['{"a":2,"b":1}', None, None, None]
    other["basis"] = None
    other["not of the noun"] = "x"
    assert (content_hash("Observation", other) == content_hash("Observation", frame)).all()
    one, two = natural_keys("Observation", frame), natural_keys("Observation", other)
    assert one is not None
    assert two is not None
    assert (one[0] == two[0]).all()
    assert (one[1] == two[1]).all()


def test_row_order_does_not_matter_and_values_do() -> None:
    frame = observations()
    assert (
        content_hash("Observation", frame[::-1])[::-1] == content_hash("Observation", frame)
    ).all()
    changed = frame.assign(value=[1.5, 1.5000001, np.nan, 2.0])
    differs = content_hash("Observation", changed) != content_hash("Observation", frame)
    assert differs.tolist() == [False, True, False, False]
    zero = pd.DataFrame({"value": [0.0, -0.0]})
    assert len(set(content_hash("Observation", zero))) == 1


def test_a_value_in_another_attribute_is_another_content() -> None:
    one = content_hash("Observation", pd.DataFrame({"site": ["x"], "sample": [None]}))
    two = content_hash("Observation", pd.DataFrame({"site": [None], "sample": ["x"]}))
    assert one[0] != two[0]


def test_which_records_have_a_key() -> None:
    keys = natural_keys("Observation", observations())
    assert keys is not None
    assert keys[1].tolist() == [True, True, True, False]  # the last has neither site nor sample
    assert len(set(keys[0][:3])) == 3
    placed = observations().assign(latitude=1.0, longitude=2.0)
    with_place = natural_keys("Observation", placed)
    assert with_place is not None
    assert with_place[1].all()


def test_an_own_number_counts_first_and_holds_per_property() -> None:
    frame = observations().assign(observation_id=["1", "1", "1", "1"])
    keys = natural_keys("Observation", frame)
    assert keys is not None
    assert len(set(keys[0])) == 1
    wide = frame.assign(property=["a", "b", "c", "d"])
    keys = natural_keys("Observation", wide)
    assert keys is not None
    assert len(set(keys[0])) == 4


def test_nouns() -> None:
    assert natural_keys("Record", pd.DataFrame({"fields": ["{}"]})) is None
    assert set(NATURAL_KEYS) | {"Record"} == set(RECORD_NOUNS)
    for noun, ways in NATURAL_KEYS.items():
        for way in ways:
            assert set(way.attributes) <= set(attributes(noun))
    empty = natural_keys("Site", pd.DataFrame({"site_id": pd.Series([], dtype="str")}))
    assert empty is not None
    assert len(empty[0]) == 0


def test_keys_of_a_million_differ() -> None:
    frame = pd.DataFrame({"occurrence_id": pd.Series(np.arange(200_000)).astype("str")})
    keys = natural_keys("Occurrence", frame)
    assert keys is not None
    assert len(np.unique(keys[0])) == 200_000


KEYS = ["0x11ca4b2e58a28f52", "0x156c4cc0024e9ce0", "0x92d3daee27b4444", "0x0"]
CONTENT = ["0xafe9a676ffd60e5a", "0x1fea82b587b5fae2", "0x462400423ab89cf8", "0xd99d17fe3dc098ea"]
