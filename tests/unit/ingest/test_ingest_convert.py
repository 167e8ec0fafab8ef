"""Blocks of text to typed attributes: values, times, places, types; every doubt a finding."""

from __future__ import annotations

import json
import time as clock

import numpy as np
import pandas as pd
import pytest
from tests.support import shared

from ecotone.ingest.convert import Converted, Declared, convert, to_json
from ecotone.model.bounds import bounds
from ecotone.model.dictionary import RECORD_NOUNS, attributes
from ecotone.model.finding import Severity
from ecotone.model.table import Table


def block(frame: pd.DataFrame | dict[str, list[str | None]], type: str = "Record",
          vocabulary: str = "", **more: object) -> Table:  # fmt: skip
    texts = pd.DataFrame(frame).astype("str")
    n = len(texts)
    return Table(type=type, frame=texts, row=np.arange(1, n + 1), line=np.arange(2, n + 2),
                 file="f.csv", vocabulary=vocabulary, **more)  # fmt: skip


def observed(columns: dict[str, list[str | None]], **declared: object) -> Converted:
    return convert(block(columns, "Observation", "ecotone"), Declared(**declared))


def told(done: Converted) -> list[tuple[int | None, str | None, str]]:
    return [(f.row, f.field, f.code) for f in done.findings]


def rejected(done: Converted) -> list[int]:
    return (np.flatnonzero(done.rejected) + 1).tolist()


def test_a_laboratory_row_of_the_russian_kind() -> None:
    done = observed(
        {
            "site": ["Пост 1", "Пост 1", "Пост 2"],
            "date": ["01.07.2023", "13.07.2023", "14.07.2023"],
            "time_of_day": ["5", "14:30", None],
            "property": ["nitrate"] * 3,
            "value": ["1,5", "<0,1", "н/б"],
            "unit": ["мг N/л", "мг/дм3", "мг/л"],
            "+Лаборант": ["И.", "К.", None],
        },
        zone="Asia/Dushanbe",
        decimal=",",
        day_first=True,
    )
    out = done.frame
    assert told(done) == []
    assert out["value"].tolist()[:2] == [1.5, 0.1]
    assert out["limit_kind"].tolist() == [None, "below", None]
    assert out["missing_reason"].tolist() == [None, None, "no observation"]
    assert out["value_text"].tolist() == ["1,5", "<0,1", "н/б"]
    assert out["unit"].tolist() == ["mg/L"] * 3
    assert out["basis"].isna().tolist() == [False, True, True]
    assert out["unit_text"].tolist() == ["мг N/л", "мг/дм3", "мг/л"]
    assert out["time_start"].dt.strftime("%d %H:%M").tolist() == [
        "01 00:00",
        "13 09:30",
        "14 00:00",
    ]
    assert out["time_precision"].tolist() == ["hour", "minute", "day"]
    assert out["time_zone"].tolist() == ["Asia/Dushanbe"] * 3
    assert json.loads(out["extra"][0]) == {"Лаборант": "И."}
    assert "date" not in out


def test_date_and_clock_in_two_columns_named_time_and_date() -> None:
    done = observed({"date": ["2023-07-01", "2023-07-02"], "time": ["05:00", None]}, zone="+05:00")
    assert done.frame["time_precision"].tolist() == ["minute", "day"]
    assert done.frame["time_start"].dt.hour.tolist() == [0, 0]


def test_mixed_time_zones_reject_exactly_the_rows_named() -> None:
    frame = pd.read_csv(shared("platform/faults/mixed_timezones.csv"), dtype="str")
    bare = convert(block(frame), Declared())
    assert rejected(bare) == [4, 6]
    assert told(bare) == [(4, "time", "time-naive"), (6, "time", "time-naive")]
    zones = {"Nukus": "Asia/Samarkand", "Novosibirsk": "Asia/Novosibirsk"}
    declared = convert(block(frame), Declared(zones=zones))
    assert told(declared) == [(6, "time", "time-nonexistent")]
    mapped = frame.rename(columns={"station": "site", "note": "+note", "value": "+value"})
    done = convert(block(mapped, "Observation", "ecotone"), Declared(zones=zones))
    assert rejected(done) == [6]
    hours = done.frame["time_start"].dt.strftime("%Y-%m-%dT%HZ").tolist()
    assert hours[:5] == ["2023-07-01T00Z"] * 4 + ["2026-06-12T07Z"]
    assert done.frame["time_zone"].tolist()[:5] == [
        "+05:00",
        "+08:00",
        "XJT",
        "Asia/Samarkand",
        "+00:00",
    ]
    assert done.frame["time_text"].tolist() == frame["time"].tolist()


def test_bad_coordinates_row_by_row() -> None:
    frame = pd.read_csv(
        shared("platform/faults/coords_bad.csv"), dtype="str", keep_default_na=False
    )
    bare = convert(block(frame), Declared())
    assert rejected(bare) == [5, 6, 7, 9, 10]
    here = convert(block(frame), Declared(country="TJ"))
    doubts = {row: code for row, _, code in told(here) if code.startswith(("coord", "hemi"))}
    assert doubts[2] == "coordinates-transposed"
    assert doubts[3] == "coordinates-zero"
    assert doubts[4] == "hemisphere-suspect"
    comma = convert(block(frame), Declared(decimal=","))
    assert rejected(comma) == [5, 6, 9, 10]
    typed = frame.rename(columns={"lat": "latitude", "lon": "longitude"})[["latitude", "longitude"]]
    done = convert(block(typed, "Site", "ecotone"), Declared(decimal=","))
    assert done.frame["latitude"][6] == 38.5
    assert done.frame["latitude"][7] == pytest.approx(38.504167, abs=1e-6)
    assert done.frame["latitude_text"].tolist() == frame["lat"].tolist()


def test_a_table_whose_headers_mislead_is_not_judged() -> None:
    done = convert(
        block({"time": ["spring", "autumn", "2023"], "value": ["good", "bad", "5"]}), Declared()
    )
    assert rejected(done) == []
    assert json.loads(done.frame["fields"][0]) == {"time": "spring", "value": "good"}
    assert done.frame["record_type"].tolist() == ["Record"] * 3


def test_numbers_of_a_generic_table_are_judged_where_most_are_numbers() -> None:
    done = convert(block({"value": ["1", "2", "3", "x", "н/б"]}), Declared())
    assert told(done) == [(4, "value", "number-unreadable")]


def test_datums_move_places_and_carry_their_accuracy() -> None:
    done = convert(
        block(
            {
                "latitude": ["38.56", "39.47", "38.56", "38.5"],
                "longitude": ["68.77", "75.99", "68.77", "73.2"],
                "datum": ["СК-42", "北京54", "EPSG:4326", "Atlantis"],
                "coordinate_uncertainty_m": ["30", "30", "0", "30"],
            },
            "Site",
            "ecotone",
        ),
        Declared(country="TJ"),
    )
    out = done.frame
    assert out["latitude"][0] == pytest.approx(38.5601227, abs=1e-6)
    assert out["coordinate_uncertainty_m"][0] == 34.5
    assert "Pulkovo 1942 to WGS 84 (16)" in out["datum_operation"][0]
    codes = {(f.row, f.code) for f in done.findings}
    assert {(2, "datum-ballpark"), (3, "uncertainty-not-positive"), (4, "datum-unknown")} <= codes
    assert np.isnan(out["latitude"][1])
    assert np.isnan(out["latitude"][3])


def test_few_digits_hide_a_place_and_many_prove_nothing() -> None:
    done = convert(
        block(
            {"latitude": ["38.2", "38.123456"], "longitude": ["73.1", "73.654321"]},
            "Site",
            "ecotone",
        ),
        Declared(),
    )
    assert done.frame["coordinate_uncertainty_m"][0] == pytest.approx(7070, abs=30)
    assert np.isnan(done.frame["coordinate_uncertainty_m"][1])


def test_a_coordinate_without_the_other_is_told_and_kept_as_text() -> None:
    alone = convert(block({"latitude": ["38.5", None]}, "Site", "ecotone"), Declared())
    assert (1, "latitude", "coordinate-alone") in told(alone)
    assert alone.frame["latitude"].isna().all()
    assert alone.frame["latitude_text"][0] == "38.5"
    one = convert(
        block({"latitude": ["38.5", "38.6"], "longitude": [None, "73.1"]}, "Site", "ecotone"),
        Declared(),
    )
    assert (1, "longitude", "coordinate-alone") in told(one)


def test_types_that_do_not_fit_are_told_and_kept() -> None:
    done = convert(
        block(
            {
                "device_id": ["d1", "d2", None],
                "state": ["in use", "broken", "lost"],
                "owner": ["a", None, "b"],
            },
            "Device",
            "ecotone",
        ),
        Declared(),
    )
    assert rejected(done) == [3]
    assert (2, "state", "value-not-typed") in told(done)
    assert (3, "device_id", "required-missing") in told(done)
    assert json.loads(done.frame["extra"][1]) == {"state": "broken"}
    counted = observed({"count": ["3", "3.5", "x", "-", "<5", None], "uncertainty": ["1,5"] * 6},
                       decimal=",")  # fmt: skip
    assert counted.frame["count"].astype("object").tolist()[0] == 3
    assert counted.frame["count"].notna().sum() == 1
    assert counted.frame["uncertainty"].tolist() == [1.5] * 6
    assert [row for row, field, _ in told(counted) if field == "count"] == [2, 3, 5]


def test_numbers_out_of_bounds_are_told_and_kept() -> None:
    done = convert(
        block({"individual_id": ["a", "b", "c"], "confidence": ["0.9", "1.5", None]},
              "Individual", "ecotone"), Declared(),
    )  # fmt: skip
    assert told(done) == [(2, "confidence", "value-out-of-bounds")]
    assert "0 ... 1" in done.findings[0].message("en")
    assert not done.rejected.any()
    assert done.frame["confidence"].isna().tolist() == [False, True, True]
    assert json.loads(done.frame["extra"][1]) == {"confidence": "1.5"}
    assert {name: bound.words for name, bound in bounds("Media").items()} == {"size_bytes": ">= 0"}
    assert bounds("Site")["coordinate_uncertainty_m"].words == "> 0"


def test_json_and_booleans() -> None:
    done = observed({"flags": ['{"a": 1}', "{a", None], "property": ["x"] * 3})
    assert done.frame["flags"].notna().tolist() == [True, False, False]
    assert (2, "flags", "value-not-typed") in told(done)
    media = convert(
        block({"mediaID": ["1", "2", "3"], "filePublic": ["true", "False", "maybe"],
               "timestamp": ["2020-05-30T04:57:37+02:00"] * 3}, "Media", "camtrapdp"),
        Declared(),
    )  # fmt: skip
    assert media.frame["public"].tolist()[:2] == [True, False]
    assert media.frame["public"].isna()[2]


def test_units_unknown_and_bases_that_contradict() -> None:
    done = observed(
        {
            "property": ["nitrate"] * 4,
            "value": ["1"] * 4,
            "unit": ["mg/L", "furlong", "mg/L as N", "мг N/л"],
            "basis": ["азот", None, "NO3", "as N"],
        }
    )
    assert told(done) == [(2, "unit", "unit-unknown"), (3, "unit", "basis-contradicts")]
    assert rejected(done) == [3]
    assert done.frame["unit"].isna().tolist() == [False, True, False, False]
    assert done.frame["basis"][0] == "N"
    assert done.frame["basis"][3] == "N"


def test_camera_trap_times_keep_both_ends() -> None:
    frame = pd.read_csv(shared("wildlife/camtrapdp_example/deployments.csv"), dtype="str")
    done = convert(block(frame, "Deployment", "camtrapdp"), Declared())
    assert not done.rejected.any()
    assert done.frame["time_start"][0] == pd.Timestamp("2020-05-30T02:57:37Z")
    assert done.frame["time_end"][0] == pd.Timestamp("2020-07-01T09:41:41Z")
    assert done.frame["time_text"][0] == "2020-05-30T04:57:37+02:00/2020-07-01T11:41:41+02:00"
    turned = frame.assign(
        deploymentStart=frame["deploymentEnd"], deploymentEnd=frame["deploymentStart"]
    )
    back = convert(block(turned, "Deployment", "camtrapdp"), Declared())
    assert back.rejected.all()
    assert {code for _, _, code in told(back)} == {"time-interval-reversed"}


def test_darwin_core_dates() -> None:
    done = convert(
        block(
            {
                "occurrenceID": ["1", "2", "3", "4", "5", "6"],
                "eventDate": ["2009-02-20/2009-03-01", None, "Spring 1910", "2021-05-06T14:00",
                              "2021-05-06", "07/04/2021"],
                "eventTime": [None, None, None, None, "14:30+05:00", None],
                "year": [None, "1993", None, None, None, None],
                "month": [None, "7", None, None, None, None],
            },
            "Occurrence",
            "dwc",
        ),
        Declared(),
    )  # fmt: skip
    assert told(done) == [
        (6, "eventDate", "date-ambiguous"),
        (4, "eventDate", "time-naive"),
        (3, "eventDate", "time-unreadable"),
    ]
    assert rejected(done) == [4]
    assert done.frame["time_precision"].fillna("").tolist() == [
        "day", "month", "", "", "minute", "",
    ]  # fmt: skip
    assert done.frame["time_end"][0] == pd.Timestamp("2009-03-02T00:00Z")
    assert done.frame["time_start"][4] == pd.Timestamp("2021-05-06T09:30Z")
    assert done.frame["time_text"][2] == "Spring 1910"
    assert {f.severity for f in done.findings if f.row in (3, 6)} == {Severity.WARNING}


def test_a_darwin_core_clock_without_a_zone_leaves_the_date() -> None:
    table = block(
        {
            "occurrenceID": ["1", "2", "3"],
            "eventDate": ["2021-05-06", "2021-05-06/2021-05-08", "2021-05-06"],
            "eventTime": ["14:30", "08:00Z", "14:30Z"],
        },
        "Occurrence",
        "dwc",
    )
    done = convert(table, Declared())
    assert told(done) == [(1, "eventTime", "time-of-day-naive")]
    assert not done.rejected.any()
    assert done.frame["time_precision"].tolist() == ["day", "day", "minute"]
    assert json.loads(done.frame["extra"][0]) == {"eventTime": "14:30"}
    declared = convert(table, Declared(zone="Asia/Dushanbe"))
    assert declared.findings == []
    assert declared.frame["time_start"][0] == pd.Timestamp("2021-05-06T09:30Z")


def test_the_order_of_day_and_month_told_by_the_column() -> None:
    frame = pd.read_csv(shared("platform/dwca/event.txt"), dtype="str", sep="\t")
    done = convert(block(frame, "Event", "dwc"), Declared())
    assert not done.rejected.any()
    assert [code for _, _, code in told(done)] == ["date-order-inferred"]
    assert done.frame["time_start"][0] == pd.Timestamp("2006-04-10T00:00Z")


def test_what_helps_to_read_a_value_is_not_lost() -> None:
    done = observed(
        {
            "property": ["lead"] * 3,
            "value": ["н/о", "0.5", "0.2"],
            "limit": ["0.01", "0.02", None],
            "qualifier": [None, "J", "<"],
            "date": ["2023-07-01", "2023-07-02", "2023-07-03"],
            "time_of_day": ["05:00", "noon", None],
            "zone": ["+05:00"] * 3,
        }
    )
    assert told(done) == [(2, "time_of_day", "time-of-day-unread")]
    assert done.frame["value"].tolist() == [0.01, 0.5, 0.2]
    assert done.frame["limit_kind"].tolist() == ["below", None, "below"]
    assert done.frame["time_precision"].tolist() == ["minute", "day", "day"]
    extra = [json.loads(text) for text in done.frame["extra"]]
    assert extra[1] == {"limit": "0.02", "qualifier": "J", "time_of_day": "noon"}
    own = observed({"time": ["2023-07-01T05:00+06:00"], "zone": ["Asia/Dushanbe"]})
    assert own.frame["time_zone"].tolist() == ["+06:00"]
    assert json.loads(own.frame["extra"][0]) == {"zone": "Asia/Dushanbe"}


def test_marks_of_missing_times_are_no_times() -> None:
    done = observed({"time": ["-", "н/б", None, "2023-07-01", "bottle"], "property": ["x"] * 5},
                    missing={"bottle": "lost"})  # fmt: skip
    assert told(done) == []
    assert done.frame["time_start"].notna().tolist() == [False, False, False, True, False]


def test_an_end_without_a_start() -> None:
    done = observed({"time_end": ["2023-07-01T05:00Z"], "property": ["x"]})
    assert done.frame["time_end"][0] == pd.Timestamp("2023-07-01T05:00Z")
    assert done.frame["time_start"].isna().all()


def test_a_table_with_repeated_headers_keeps_both() -> None:
    frame = pd.DataFrame([["1", "2"]], columns=["a", "a"], dtype="str")
    assert json.loads(to_json(frame)[0]) == {"a": "1", "a (2)": "2"}
    assert to_json(pd.DataFrame({"a": []})) == []


@pytest.mark.parametrize("noun", RECORD_NOUNS)
def test_every_noun_takes_an_empty_and_a_full_block(noun: str) -> None:
    described = attributes(noun)
    cells = {"number": "1.5", "integer": "2", "boolean": "true", "json": "{}",
             "time": "2023-07-01T05:00Z"}  # fmt: skip
    row = {
        name: [a.choices[0] if a.choices else cells.get(a.type, "1")] * 3
        for name, a in described.items()
    }
    row.pop("time_text", None)
    row |= {"unit": ["mg/L"] * 3, "datum": ["EPSG:4326"] * 3}
    row = {name: row[name] for name in described if name in row}
    full = convert(block(row, noun, "ecotone"), Declared())
    assert not full.rejected.any()
    assert set(full.frame) - {"extra"} <= set(described)
    empty = convert(block({name: [] for name in row}, noun, "ecotone"), Declared())
    assert len(empty.frame) == 0


def test_fifty_thousand_rows_at_once() -> None:
    n = 50_000
    rng = np.random.default_rng(1)
    when = pd.date_range("2023-01-01", periods=n, freq="7min").strftime("%Y-%m-%dT%H:%M:%S+05:00")
    table = block(
        pd.DataFrame(
            {
                "observation_id": [f"R{i:07d}" for i in range(n)],
                "site": rng.integers(0, 60, n).astype(str),
                "time": when,
                "property": "nitrate",
                "value": np.round(rng.lognormal(size=n), 3).astype(str),
                "unit": "mg/L",
                "latitude": np.round(rng.uniform(38, 39, n), 5).astype(str),
                "longitude": np.round(rng.uniform(70, 71, n), 5).astype(str),
            }
        ),
        "Observation",
        "ecotone",
    )
    declared = Declared(datum="EPSG:4326", country="TJ")
    convert(table, declared)
    began = clock.process_time()
    done = convert(table, declared)
    assert clock.process_time() - began < 1.0  # 0.1 to 0.2 s on a quiet machine
    assert done.findings == []
