from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ecotone.model.agreement import Class
from ecotone.model.dictionary import RECORD_NOUNS, attributes
from ecotone.model.words import say
from ecotone.share import generalise
from ecotone.share.anchors import numbers
from ecotone.share.parts import Part, together
from tests.unit.share.fixtures import occurrences

TENTH = Class(name="cats", level="generalised", cell_degrees=0.1)


def in_full(frame, noun, rule):
    rows = generalise.full(frame, noun, rule)
    said = {**generalise.said_full(noun, rule), "release_level": "full"}
    return together([Part(rows, said)], noun).drop(columns="release_level")


def coarse(frame, noun, rule, lang="en"):
    lat, lon = numbers(frame, "latitude"), numbers(frame, "longitude")
    slim = generalise.slim(frame, noun, rule, lat, lon).assign(id="~")
    return together([Part(slim, generalise.said(noun, rule, lang))], noun)


def test_full_leaves_out_where_the_row_stood_and_fields_withheld_by_name():
    rule = Class(name="all", level="full", withheld_fields=("locality",))
    out = in_full(occurrences(), "Occurrence", rule)
    assert "source_file" not in out
    assert out["locality"].isna().all()
    assert out["extra"].isna().all(), "a withheld field may hide among undescribed columns"
    assert (out["information_withheld"] == "locality").all()
    assert out["latitude"].iloc[0] == 37.0464
    assert out["version"].tolist() == [1, 1, 2, 1]


def test_full_without_withheld_fields_keeps_everything():
    out = in_full(occurrences(), "Occurrence", Class(name="all", level="full"))
    assert (out["extra"] == "{}").all()
    assert out[generalise.WITHHELD].isna().all()
    assert list(out.columns) == [
        *generalise.KEPT_HEADER,
        *attributes("Occurrence"),
        "extra",
        generalise.GENERALISED,
        generalise.WITHHELD,
    ]


@pytest.mark.parametrize(
    ("field", "also", "stays"),
    [
        ("latitude", ("longitude", "locality", "latitude_text", "verbatim_locality"), "time_start"),
        ("time_start", ("time_end", "time_text", "time_zone"), "latitude"),
        ("recorded_by", (), "latitude"),
    ],
)
def test_who_withholds_a_place_or_a_time_withholds_all_that_tells_it(field, also, stays):
    rule = Class(name="all", level="full", withheld_fields=(field,))
    filled = occurrences().assign(
        latitude_text="37 02", verbatim_locality="x", time_text="3.5.26", time_zone="UTC"
    )
    out = in_full(filled, "Occurrence", rule)
    for name in (field, *also):
        assert out[name].isna().all()
    assert out[stays].notna().any()
    below = coarse(filled, "Occurrence", rule.model_copy(update={"cell_degrees": 0.1}))
    assert below[[field, *also]].drop(columns=["locality"], errors="ignore").isna().all(axis=None)


def test_generalised_places_times_texts_links_and_persons():
    out = coarse(occurrences(), "Occurrence", TENTH)
    assert (out["latitude"].iloc[0], out["longitude"].iloc[0]) == (37.05, 73.25)
    # Radius of the cell (7113 m) plus the record's own 20 m, rounded up to a kilometre.
    assert out["coordinate_uncertainty_m"].iloc[0] == 7113 + 1000
    assert out["latitude"].isna().tolist() == [False, False, True, False]
    assert out["time_start"].iloc[0] == pd.Timestamp("2026-05-01", tz="UTC")
    assert out["time_text"].tolist()[:3] == ["2026-05", "2024-05", "2026-01"]
    assert out["time_text"].isna().tolist() == [False, False, False, True]
    assert out["time_precision"].isna().tolist() == [False, False, False, True]
    assert set(out["time_precision"].dropna()) == {"month"}
    assert out["recorded_by"].isna().all()
    assert out["occurrence_id"].isna().all(), "it joins to the exact record elsewhere"
    assert out["version"].isna().all(), "it counts corrections that may not be seen"
    assert len(set(out["locality"])) == 1, "wording, in all rows: not even who had one is told"
    assert "cliff" not in out["locality"].iloc[0]
    assert "extra" not in out
    assert "0.1" in out[generalise.GENERALISED].iloc[0]
    assert out["taxon"].tolist()[:2] == ["Panthera uncia", "Capra sibirica"]


def test_what_is_known_to_the_year_stays_so():
    frame = occurrences().assign(time_precision=["year", "day", None, None])
    out = coarse(frame, "Occurrence", TENTH)
    assert out["time_text"].tolist()[:2] == ["2026", "2024-05"]
    assert out["time_precision"].tolist()[:3] == ["year", "month", "month"]


def test_generalised_without_uncertainty_or_place_or_time():
    frame = occurrences().drop(columns=["coordinate_uncertainty_m", "time_start", "extra"])
    out = coarse(frame, "Occurrence", TENTH, "ru")
    assert out["coordinate_uncertainty_m"].tolist()[0] == 7113
    assert out["coordinate_uncertainty_m"].notna().tolist() == [True, True, False, True]
    assert out["time_text"].isna().all()
    nowhere = coarse(occurrences().drop(columns=["latitude"]), "Occurrence", TENTH, "zh")
    assert nowhere["latitude"].isna().all()


def test_no_open_column_can_hold_a_sentence_a_place_or_an_hour():
    for noun in RECORD_NOUNS:
        known = attributes(noun)
        for name in generalise.open_columns(noun, TENTH):
            assert known[name].type != "time" and known[name].type != "json"
            assert "latitude" not in name and "locality" not in name and "remarks" not in name


@pytest.mark.parametrize(
    ("own", "told"),
    [(np.nan, 0), (3, 1000), (1000, 1000), (1001, 2000), (2000, 2000), (4321, 5000), (5001, 10000)],
)
def test_the_records_own_uncertainty_is_rounded_up_so_that_it_singles_none_out(own, told):
    assert generalise.rounded_up(np.array([own]))[0] == told


def test_an_extent_opens_outward_to_whole_cells():
    frame = pd.DataFrame(
        {
            "dataset_id": ["d"],
            "west": [70.01],
            "south": [-0.02],
            "east": [70.3],
            "north": [36.95],
            "sha256": ["ab"],
            "stac": ["{}"],
            "variable": ["NDVI"],
        }
    )
    out = coarse(frame, "Coverage", TENTH)
    assert out[["west", "south", "east", "north"]].iloc[0].tolist() == [70.0, -0.1, 70.3, 37.0]
    assert out[["sha256", "stac", "path", "name"]].isna().all(axis=None)
    assert out["variable"].tolist() == ["NDVI"]


def test_every_kind_that_is_held_back_is_told():
    told = generalise.held_back("Occurrence", TENTH, "en").split("; ")
    kinds = ("link", "place", "place-text", "time", "person")
    assert told == [str(say(f"share.withheld-kind.{kind}", "en")) for kind in kinds]


@pytest.mark.parametrize(
    ("noun", "field", "doors"),
    [
        ("Occurrence", "latitude", {"place", "place-text"}),
        ("Occurrence", "longitude", {"place", "place-text"}),
        ("Site", "geometry_wkt", {"place", "place-text"}),
        ("Occurrence", "time_start", {"time"}),
        ("Occurrence", "time_end", {"time"}),
        ("Occurrence", "remarks", set()),
    ],
)
def test_who_withholds_one_field_withholds_all_that_tell_the_same(noun, field, doors):
    rule = Class(name="x", level="full", withheld_fields=(field,))
    same = {name for name, attribute in attributes(noun).items() if attribute.door in doors}
    assert set(generalise.withheld_by_name(noun, rule)) == same | {field}


def test_a_generalised_record_says_its_cell_and_a_track_its_animals():
    record = generalise.said("Occurrence", TENTH, "en")[generalise.GENERALISED]
    track = generalise.said("Occurrence", TENTH, "en", presence=True)[generalise.GENERALISED]
    assert record == say("share.generalised-text", "en", cell="0.1", animals=3, fixes=10)
    assert track == say("share.presence-text", "en", cell="0.1", animals=3, fixes=10)
    assert record != track


def test_fields_withheld_by_name_are_told_as_well():
    rule = TENTH.model_copy(update={"withheld_fields": ("remarks", "sex")})
    assert generalise.held_back("Occurrence", rule, "en").endswith("; remarks; sex")


def test_what_is_looked_at_is_read():
    assert generalise.needed("Coverage") >= {"west", "south", "east", "north"}
    place = {"latitude", "longitude", "coordinate_uncertainty_m"}
    assert generalise.needed("Occurrence") >= {*place, "time_start", "time_end", "time_precision"}
    assert "remarks" not in generalise.needed("Occurrence")
    for noun in RECORD_NOUNS:
        assert generalise.needed(noun) >= set(generalise.open_columns(noun, TENTH))


def test_columns_nobody_has_described_need_not_be_there():
    rule = Class(name="all", level="full")
    rows = occurrences()
    assert "extra" in generalise.full(rows, "Occurrence", rule)
    assert "extra" not in generalise.full(rows.drop(columns="extra"), "Occurrence", rule)


def test_kinds_of_columns_are_those_of_the_dictionary():
    kinds = generalise.kinds_of("Occurrence")
    assert (kinds["latitude"], kinds["time_precision"], kinds["individual_count"]) == (
        "number", "text", "integer",
    )  # fmt: skip
    ours = {"id": "id", "version": "integer", "dataset_id": "id", "extra": "json"}
    said = {generalise.GENERALISED: "text", generalise.WITHHELD: "text"}
    assert {name: kinds[name] for name in (*ours, *said)} == ours | said


def test_a_stay_is_told_by_the_months_of_its_start_and_its_end():
    rows = occurrences().assign(time_end=pd.Timestamp("2026-07-19T08:30Z"))
    out = coarse(rows, "Occurrence", TENTH)
    assert out["time_start"].iloc[0] == pd.Timestamp("2026-05-01", tz="UTC")
    assert set(out["time_end"]) == {pd.Timestamp("2026-07-01", tz="UTC")}


def test_an_extent_at_the_equator_bears_no_sign():
    frame = pd.DataFrame(
        {"id": ["c"], "version": 1, "dataset_id": "d", "west": [-0.01], "south": [0.0],
         "east": [-0.01], "north": [-0.01]}
    )  # fmt: skip
    out = coarse(frame, "Coverage", TENTH)
    assert out[["west", "south", "east", "north"]].to_numpy().tolist() == [[-0.1, 0.0, 0.0, 0.0]]
    assert not np.signbit(out[["south", "east", "north"]].to_numpy(dtype=float)).any()


def test_a_records_own_uncertainty_is_rounded_up():
    given = [0.0, 500.0, 1000.0, 1001.0, 2000.0, 2001.0, 5000.0, 5001.0, 10_000.0, np.nan]
    told = [1000.0, 1000.0, 1000.0, 2000.0, 2000.0, 5000.0, 5000.0, 10_000.0, 10_000.0, 0.0]
    assert generalise.rounded_up(np.array(given)).tolist() == told


def test_what_is_known_to_the_year_is_told_to_the_year():
    rows = occurrences().assign(time_precision=["year", "month", "day", None])
    out = coarse(rows, "Occurrence", TENTH)
    assert out["time_precision"].tolist()[:3] == ["year", "month", "month"]
    assert out["time_text"].tolist()[:3] == ["2026", "2024-05", "2026-01"]
    unsaid = occurrences().assign(time_precision=pd.array([None] * 4, dtype="string"))
    assert coarse(unsaid, "Occurrence", TENTH)["time_text"].tolist()[:2] == ["2026-05", "2024-05"]


@pytest.mark.parametrize("kind", ["integer", "boolean", "time", "number", "text"])
def test_columns_that_nobody_filled_are_of_their_kind(kind):
    column = generalise.nothing(kind, pd.RangeIndex(2))
    assert column.isna().all() and len(column) == 2
    of_kind = {
        "integer": pd.api.types.is_integer_dtype,
        "boolean": pd.api.types.is_bool_dtype,
        "time": pd.api.types.is_datetime64_any_dtype,
        "number": pd.api.types.is_float_dtype,
        "text": pd.api.types.is_string_dtype,
    }
    assert of_kind[kind](column)


def test_fields_withheld_from_full_rows_are_told_apart():
    rule = Class(name="x", level="full", withheld_fields=("remarks", "sex"))
    assert generalise.said_full("Occurrence", rule) == {generalise.WITHHELD: "remarks, sex"}
