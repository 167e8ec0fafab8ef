"""Headers that are known, and mappings."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from ecotone.ingest import mapping
from ecotone.ingest.columns import plain, recognise, split_unit, synonyms
from ecotone.ingest.delivery import zone_of
from ecotone.model.dictionary import attributes
from ecotone.model.errors import InputRefused, UsageError

WATER = """
[mapping]
name = "test"
decimal = ","
zone = "Asia/Dushanbe"
[mapping.zones]
"Нукус" = "Asia/Samarkand"
[mapping.missing]
"н/п" = "no sample taken"
[mapping.properties]
"Нитраты" = "nitrate"
[columns]
site = "Пост"
date = "Дата"
property = "Показатель"
value = "Результат"
"""


def loaded(tmp_path: Path, text: str) -> mapping.Mapping:
    path = tmp_path / "map.toml"
    path.write_text(text, encoding="utf-8")
    return mapping.load(path)


@pytest.mark.parametrize(
    ("header", "name", "unit"),
    [
        ("水位(m)", "水位", "m"),
        ("水位（m）", "水位", "m"),
        ("Расход, м3/с", "Расход", "м3/с"),
        ("Азот, общий, мг/л", "Азот, общий", "мг/л"),
        ("nitrate [mg/L]", "nitrate", "mg/L"),
        ("station", "station", ""),
        ("(m)", "(m)", ""),
        ("", "", ""),
    ],
)
def test_units_in_headers(header: str, name: str, unit: str) -> None:
    assert split_unit(header) == (name, unit)


def test_headers_of_three_languages() -> None:
    assert recognise(["Пункт", "Дата", "Уровень, см"]) == {"site": "Пункт", "date": "Дата"}
    assert recognise(["站名", "日期", "水位(m)", "备注"]) == {
        "site": "站名", "date": "日期", "remarks": "备注",
    }  # fmt: skip
    assert recognise(["Station ID", "STATION", "Lat.", "Lon"]) == {
        "site": "Station ID", "latitude": "Lat.", "longitude": "Lon",
    }  # fmt: skip
    assert plain("№ Пробы:") == plain("пробы")


def test_every_synonym_means_an_attribute_or_a_helper() -> None:
    known = {*attributes("Observation"), *mapping.HELPERS}
    assert set(synonyms().values()) <= known


def test_a_mapping_renames_and_keeps_the_rest(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "Пост": ["a"],
            "Дата": ["01.07.2023"],
            "Показатель": [" Нитраты "],
            "Результат": ["1,5"],
            "Х": ["y"],
        },
        dtype="str",
    )
    got = mapping.apply(loaded(tmp_path, WATER), frame)
    assert got.to_dict("list") == {
        "site": ["a"], "date": ["01.07.2023"], "property": ["nitrate"], "value": ["1,5"],
        "+Х": ["y"],
    }  # fmt: skip


def test_a_wide_table_becomes_one_row_per_value_and_keeps_row_numbers(tmp_path: Path) -> None:
    text = """
[mapping]
layout = "wide"
[columns]
site = "s"
[[values]]
column = "a"
property = "nitrate"
unit = "mg/L"
basis = "N"
[[values]]
column = "b"
property = "ph"
"""
    frame = pd.DataFrame({"s": ["x", "y"], "a": ["1", "2"], "b": ["7", "8"]}, dtype="str")
    got = mapping.apply(loaded(tmp_path, text), frame)
    assert got.index.tolist() == [0, 0, 1, 1]
    assert got["property"].tolist() == ["nitrate", "ph"] * 2
    assert got["value"].tolist() == ["1", "7", "2", "8"]
    assert got["unit"].tolist()[0] == "mg/L"
    assert pd.isna(got["unit"].tolist()[1])


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ('[mapping]\nzone = "Asia/Duschanbe"\n[columns]\nsite = "s"', "Asia/Duschanbe"),
        ('[mapping]\nunit = "foo"\n[columns]\nsite = "s"', "foo"),
        ('[columns]\nstation = "s"', "station"),
        ('[mapping]\nrecord = "Fish"\n[columns]\nsite = "s"', "Fish"),
        ('[mapping]\nlayout = "wide"\n[columns]\nsite = "s"', "values"),
        ('[mapping]\ndecimal = ";"\n[columns]\nsite = "s"', "decimal"),
        ('[mapping]\ncolour = "red"\n[columns]\nsite = "s"', "colour"),
        ("[columns\n", "TOML"),
        ("", "columns"),
    ],
)
def test_a_wrong_mapping_is_refused_with_its_entry(tmp_path: Path, wrong: str, told: str) -> None:
    with pytest.raises(InputRefused) as refused:
        loaded(tmp_path, wrong)
    assert told in str(refused.value)


def test_a_mapping_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputRefused):
        mapping.load(tmp_path / "none.toml")


def test_missing_columns_are_named(tmp_path: Path) -> None:
    assert mapping.missing_columns(loaded(tmp_path, WATER), ["Пост", "Дата"]) == [
        "Показатель", "Результат",
    ]  # fmt: skip


def test_identity_follows_content(tmp_path: Path) -> None:
    one, two = loaded(tmp_path, WATER), loaded(tmp_path, WATER.replace("Dushanbe", "Bishkek"))
    assert one.sha256 == loaded(tmp_path, WATER).sha256
    assert one.sha256 != two.sha256


@pytest.mark.parametrize(
    "frame",
    [
        {
            "Пост": ["a"],
            "Дата": ["1"],
            "Показатель": ["b"],
            "Результат": ["1"],
            "Ед. изм.": ["мг/л"],
        },
        {"站名": ["a"], "日期": ["1"], "水位(m)": ["807.35"], "pH值(无量纲)": ["7"], "备注": ["x"]},
        {'quo"ted \\ name': ["1.5"], "line\nbreak": ["2"], "tab\t": ["3"], "site": ["x"]},
    ],
)
def test_a_proposed_mapping_is_a_mapping(tmp_path: Path, frame: dict[str, list[str]]) -> None:
    table = pd.DataFrame(frame, dtype="str")
    text = mapping.propose(table, encoding="cp1251", delimiter=";", decimal=",")
    tomllib.loads(text)
    got = loaded(tmp_path, text)
    assert mapping.missing_columns(got, list(table.columns)) == []
    assert got.encoding == "cp1251"
    assert len(mapping.apply(got, table))


def test_a_proposal_reads_units_from_headers() -> None:
    text = mapping.propose(pd.DataFrame({"站名": ["a"], "水位(m)": ["807.35"], "x (foo)": ["1"]}))
    values = tomllib.loads(text)["values"]
    assert values[0] == {"column": "水位(m)", "property": "水位", "unit": "m"}
    assert values[1] == {"column": "x (foo)", "property": "x (foo)", "unit": ""}


def test_zones_may_be_offsets_and_abbreviations_and_wrong_ones_are_usage_errors() -> None:
    at = dt.datetime(2023, 7, 1)  # noqa: DTZ001 - a wall clock's time
    hours = [zone_of(z).utcoffset(at) for z in ("+05:30", "XJT", "Asia/Dushanbe", "UTC")]
    assert hours == [dt.timedelta(hours=h) for h in (5.5, 6, 5, 0)]
    for wrong in ("CST", "Mars/Olympus", "../etc/passwd", ""):
        with pytest.raises(UsageError):
            zone_of(wrong)
