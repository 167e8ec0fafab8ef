"""WQX of the Mekong file with non-detects: WQX's own words and rules, and back without loss."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.command import ecotone
from tests.support import shared

NON_DETECTS = 10


def allowed(name: str) -> set[str]:
    told = json.loads(shared(f"water/wqx/{name}.json").read_text(encoding="utf-8"))
    return set(told["enum"])


def required(rule: str, field: str) -> set[str]:
    told = json.loads(shared(f"water/wqx/{rule}.json").read_text(encoding="utf-8"))
    assert told["then"]["required"] == [field]
    return set(told["if"]["properties"]["CharacteristicName"]["enum"])


def run(folder: Path, path: Path, *more: str) -> dict[str, pd.DataFrame]:
    told = ecotone("compute", "water.exchange", "-i", f"results={path}", *more, "-o", folder)
    assert told.code == 0, told.err
    names = ("wqx", "egret", "waterml")
    return {n: pd.read_csv(folder / "tables" / f"{n}.csv", dtype=str, keep_default_na=False)
            for n in names}  # fmt: skip


@pytest.fixture(scope="module")
def given(tmp_path_factory) -> Path:
    frame = pd.read_csv(shared("water/mekong_3s_cambodia_wq_2004_2014.csv"), dtype=str)
    full = frame.index[frame["TOTP_mgL"].notna()][:NON_DETECTS]
    frame.loc[full, "TOTP_mgL"] = "<0.01"
    path = tmp_path_factory.mktemp("wqx") / "mekong.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def tables(given, tmp_path_factory) -> dict[str, pd.DataFrame]:
    return run(tmp_path_factory.mktemp("out"), given)


def test_every_word_is_one_of_wqx(tables):
    wqx = tables["wqx"]
    assert set(wqx["Activity Type"]) <= allowed("ActivityType")
    assert set(wqx["Result Status ID"]) <= allowed("ResultStatus")
    assert set(wqx["Result Value Type"]) <= allowed("ResultValueType")
    for column, name in (
        ("Method Speciation", "MethodSpeciation"), ("Result Unit", "MeasurementUnit"),
        ("Result Detection Condition", "ResultDetectionCondition"),
        ("Result Detection/Quantitation Limit Type", "DetectionQuantitationLimitType"),
        ("Result Detection/Quantitation Limit Unit", "MeasurementUnit"),
    ):  # fmt: skip
        assert set(wqx[column]) - {""} <= allowed(name), column


def test_conditional_rules_hold(tables):
    wqx = tables["wqx"]
    name = wqx["Characteristic Name"]
    nutrients = name.isin(required("CharacteristicName-MethodSpeciation", "MethodSpeciation"))
    assert nutrients.any() and (wqx["Method Speciation"][nutrients] != "").all()
    rule = "CharacteristicName-ResultSampleFraction"
    parts = name.isin(required(rule, "ResultSampleFraction"))
    assert parts.any() and (wqx["Result Sample Fraction"][parts] != "").all()
    value, condition = wqx["Result Value"] != "", wqx["Result Detection Condition"] != ""
    assert (value ^ condition).all(), "a value or a condition, never both"
    assert condition.sum() == NON_DETECTS
    limit = wqx["Result Detection/Quantitation Limit Measure"]
    assert set(limit[condition]) == {"0.01"} and set(limit[~condition]) == {""}


def test_what_is_written_for_wqx_comes_back_the_same(tables, given, tmp_path):
    path = tmp_path / "wqx.csv"
    tables["wqx"].to_csv(path, index=False)
    again = run(tmp_path / "out", path)["wqx"]
    once, columns = tables["wqx"], [c for c in tables["wqx"] if c != "Result Comment"]
    pd.testing.assert_frame_equal(again[columns], once[columns])


def test_values_are_those_of_the_file(tables, given):
    told = tables["wqx"].query("`Characteristic Name` == 'Dissolved oxygen (DO)'")
    source = pd.read_csv(given)["DO_mgL"].dropna()
    np.testing.assert_allclose(told["Result Value"].astype(float).sum(), source.sum(), rtol=1e-9)
    assert (tables["waterml"]["censor_code"] == "lt").sum() == NON_DETECTS


def test_egret_takes_one_station_and_property(given, tmp_path):
    told = run(tmp_path, given, "-p", "column=TOTP", "-p", "station=Andaung Meas")["egret"]
    assert list(told) == ["Date", "remark", "value"]
    file = pd.read_csv(given, dtype=str)
    own = file[file["Name"] == "Andaung Meas"]["TOTP_mgL"].dropna()
    assert (told["remark"] == "<").sum() == own.str.startswith("<").sum() > 0
    assert len(told) == len(own)
    assert told["Date"].is_monotonic_increasing
