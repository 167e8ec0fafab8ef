"""A network's sensors: drift taken off, alarms that end, a register of what was given."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.command import ecotone

START = pd.Timestamp("2024-01-01", tz="UTC")


def run(folder: Path, indicator: str, *more: str, code: int = 0, **frames: pd.DataFrame):
    given = []
    for name, frame in frames.items():
        path = folder / f"{name}.csv"
        frame.to_csv(path, index=False)
        given += ["-i", f"{name}={path}"]
    done = ecotone("compute", indicator, *given, *more, "-o", folder / "out")
    assert done.code == code, done.err
    if code:
        return None, {}
    result = json.loads((folder / "out" / "result.json").read_text(encoding="utf-8"))
    tables = {n: pd.read_csv(folder / "out" / p) for n, p in result["tables"].items()}
    return result, tables


def stream(values: np.ndarray, **more: object) -> pd.DataFrame:
    at = START + pd.to_timedelta(np.arange(len(values)), unit="h")
    return pd.DataFrame({"site": "S1", "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                         "property": "conductivity", "value": values, "unit": "uS/cm",
                         **more})  # fmt: skip


def events(*rows: dict[str, object]) -> pd.DataFrame:
    same = {"device": "D1", "kind": "calibration", "site": "S1", "property": "conductivity",
            "unit": "uS/cm"}  # fmt: skip
    return pd.DataFrame([{**same, **row} for row in rows])


def test_a_planted_drift_is_taken_off_and_raw_values_stay(tmp_path):
    truth = 400 + 20 * np.sin(np.arange(201) / 24)
    drifting = truth * (1 + 0.1 * np.arange(201) / 200)
    told = events(
        {"time_start": "2024-01-01T00:00Z", "standard_value": 1413, "reading_before": 1413,
         "reading_after": 1413},
        {"time_start": "2024-01-09T08:00Z", "standard_value": 141.3, "unit": "mS/m",
         "reading_before": 155.43, "reading_after": 141.3},
    )  # fmt: skip
    result, tables = run(tmp_path, "water.drift", "-p", "error=gain", series=stream(drifting),
                         events=told)  # fmt: skip
    table = tables["corrected"]
    assert np.abs(table["value"] - drifting).max() < 1e-9
    inside = table["corrected"].notna()
    assert inside.sum() == 200, "the last value lies after the last calibration"
    assert np.abs(table["corrected"] - truth)[inside].max() < 0.01
    assert set(table["rating"][inside]) == {"excellent", "good"}
    assert result["values"]["largest_correction"]["value"] == pytest.approx(-40, rel=0.1)
    assert tables["stretches"]["gain"].tolist() == [pytest.approx(1.1)]


def test_without_calibrations_nothing_is_corrected(tmp_path):
    told = events({"time_start": "2024-01-01T00:00Z", "kind": "service"})
    told["standard_value"] = np.nan
    run(tmp_path, "water.drift", series=stream(np.ones(5)), events=told, code=4)


RULE = {"rule_id": "AR1", "site": "S1", "property": "conductivity", "kind": "above",
        "raise_at": 150, "clear_at": 120, "unit": "mS/m", "persistence_min": 120,
        "acknowledge_min": 60, "on_censored": ""}  # fmt: skip


def test_an_alarm_is_raised_once_and_ends_by_its_hysteresis(tmp_path):
    values = np.array(
        [900, 1600, 900, 1600, 1550, 1700, 1490, 1600, 1300, 1200, 1600, 1600, 1600.0]
    )
    acks = events({"time_start": "2024-01-01T05:30Z", "kind": "acknowledgement", "rule": "AR1",
                   "performed_by": "duty"})  # fmt: skip
    result, tables = run(tmp_path, "water.alarms", series=stream(values),
                         rules=pd.DataFrame([RULE]), events=acks)  # fmt: skip
    table = tables["alarms"]
    assert table["onset"].tolist() == ["2024-01-01T03:00:00Z", "2024-01-01T10:00:00Z"]
    assert table["raised"].tolist() == ["2024-01-01T05:00:00Z", "2024-01-01T12:00:00Z"]
    assert table["cleared"].iloc[0] == "2024-01-01T09:00:00Z" and pd.isna(table["cleared"].iloc[1])
    assert table["peak"].tolist() == [1700, 1600]
    assert table["state"].tolist() == ["acknowledged", "open"]
    assert {n: v["value"] for n, v in result["values"].items()} == {
        "alarms": 2, "open": 1, "acknowledged": 1, "late": 0, "unanswered": 1,
    }  # fmt: skip


def test_a_non_detect_raises_nothing_unless_the_rule_says_so(tmp_path):
    given = stream(np.ones(4)).assign(value=["<2000"] * 4)
    rule = RULE | {"persistence_min": 0}
    _, tables = run(tmp_path, "water.alarms", series=given, rules=pd.DataFrame([rule]))
    assert tables["alarms"].empty
    told = pd.DataFrame([rule | {"on_censored": "true"}])
    _, tables = run(tmp_path, "water.alarms", series=given, rules=told)
    assert len(tables["alarms"]) == 1


@pytest.mark.parametrize(
    ("change", "count"),
    [
        ({"kind": "below", "raise_at": 50, "clear_at": 60, "persistence_min": 0}, 1),
        ({"kind": "rate", "raise_at": 40, "clear_at": 40, "persistence_min": 0}, 1),
        ({"kind": "missing", "raise_at": 90, "unit": "", "clear_at": ""}, 1),
        ({"kind": "battery", "raise_at": 10, "clear_at": 20}, 0),
        ({"kind": "wish"}, 0),
        ({"property": "nitrate"}, 0),
        ({"clear_at": 200}, 0),
    ],
)
def test_kinds_of_rules(tmp_path, change, count):
    given = stream(np.array([900, 900, 400, 900, 900.0])).drop(index=1)
    _, tables = run(tmp_path, "water.alarms", series=given, rules=pd.DataFrame([RULE | change]))
    assert len(tables["alarms"]) == count


def test_the_register_of_devices(tmp_path):
    devices = pd.DataFrame(
        [("D1", "sonde", "EXO2", "in use", "Partner", "2024-02-01", "2 wipers"),
         ("D2", "meter", "HQ40", "in use", "", "", ""),
         ("D3", "meter", "HQ40", "in store", "Partner", "", "")],
        columns=["device_id", "kind", "model", "state", "donor", "next_service", "spare_parts"],
    )  # fmt: skip
    told = events(
        {"time_start": "2024-01-01T00:00Z", "kind": "deployment"},
        {"time_start": "2024-01-02T00:00Z", "certificate_until": "2024-01-31"},
        {"time_start": "2024-01-03T00:00Z", "kind": "fault", "device": "D2", "site": "S2"},
        {"time_start": "2024-01-04T00:00Z", "kind": "fault", "device": "D9"},
        {"time_start": "2024-06-01T00:00Z", "kind": "service"},
    )
    result, tables = run(tmp_path, "water.network", "-p", "on=2024-03-15", devices=devices,
                         events=told)  # fmt: skip
    table = tables["register"].set_index("device")
    assert table["needs"].fillna("").tolist() == [
        "service; calibration; certificate", "repair", "",
    ]  # fmt: skip
    assert table.loc["D1", "site"] == "S1" and table.loc["D1", "last_calibration"] == "2024-01-02"
    values = {n: v["value"] for n, v in result["values"].items()}
    assert values == {"devices": 3, "donated": 2, "in_use": 2, "donated_in_use": 1,
                      "without_spare_parts": 2, "in_need": 2}  # fmt: skip
    assert [f["code"] for f in result["findings"]] == ["water-device-unknown"]
