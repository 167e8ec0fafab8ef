"""What a season expects of a sensor, and signals that fade: tables in three languages, bad rows."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from ecotone.assess.compute import compute
from ecotone.model.errors import InputRefused, UsageError
from ecotone.model.result import Result

HEAD = "station,period,first,last,suspect_low,suspect_high,fail_low,fail_high\n"
STREAM = "station,time,value\n" + "".join(
    f"{s},{t},{v}\n"
    for s in ("Ford", "Mouth")
    for t, v in (("2024-01-05T06:00:00Z", 4), ("2024-02-05T06:00:00Z", 7),
                 ("2024-03-05T06:00:00Z", 12), ("2024-07-05T06:00:00Z", 12))
)  # fmt: skip


def run(tmp_path: Path, seasons: str | None, series: str = STREAM, **given) -> Result:
    (tmp_path / "series.csv").write_text(series, encoding="utf-8")
    inputs = {"series": [tmp_path / "series.csv"]}
    if seasons is not None:
        (tmp_path / "seasons.csv").write_text(seasons, encoding="utf-8")
        inputs["seasons"] = [tmp_path / "seasons.csv"]
    return compute("water.qc", inputs, {"column": "value", **given}, tmp_path / "out")


def flags(tmp_path: Path, test: str) -> list[int]:
    return pd.read_csv(tmp_path / "out/tables/flags.csv")[test].tolist()


@pytest.mark.parametrize(
    "seasons",
    [
        HEAD + ",month,1,3,0,5,-1,10\n",
        "Период;С;По;Ожидаемый минимум;Ожидаемый максимум;Возможный минимум;Возможный максимум\n"
        "месяц;1;3;0,0;5,0;-1,0;10,0\n",
        "周期,起始,截止,可疑下限,可疑上限,失败下限,失败上限\n月,1,3,0,5,-1,10\n",
        HEAD + ",,2024-01-01,2024-03-31T23:59:59Z,0,5,,10\n",
    ],
    ids=["en", "ru", "zh", "dates"],
)
def test_a_season_for_all_stations(tmp_path: Path, seasons: str) -> None:
    result = run(tmp_path, seasons)
    assert flags(tmp_path, "climatology") == [1, 3, 4, 2] * 2
    assert flags(tmp_path, "flag") == [1, 3, 4, 2] * 2
    assert result.values["failed"].value == 2


def test_a_stations_own_season_stands_above_that_of_all(tmp_path: Path) -> None:
    run(tmp_path, HEAD + ",month,1,12,0,5,,\nmouth,month,1,12,0,20,,\n")
    assert flags(tmp_path, "climatology") == [1, 3, 3, 3, 1, 1, 1, 1]


@pytest.mark.parametrize(
    "row",
    [",month,3,1,0,5,,", ",moon,1,3,0,5,,", ",month,1,,0,5,,", ",month,1,3,5,0,,",
     ",month,1,3,,,,", ",month,1,3,0,5,9,1", ",,winter,spring,0,5,,", ",month,1,3,x,5,,"],
)  # fmt: skip
def test_a_season_that_cannot_be_meant_refuses_the_table(tmp_path: Path, row: str) -> None:
    with pytest.raises(InputRefused, match="row 1"):
        run(tmp_path, HEAD + row + "\n")


def test_a_signal_that_fades(tmp_path: Path) -> None:
    times = pd.date_range("2024-01-01", periods=8, freq="15min")
    values = [8, 9, 8, 9, 8.01, 8, 8.01, 8]
    series = "time,value\n" + "".join(
        f"{t.isoformat()}Z,{v}\n" for t, v in zip(times, values, strict=True)
    )
    given = {"attenuated_suspect": 0.4, "attenuated_fail": 0.008, "attenuated_window": 60}
    run(tmp_path, None, series, **given, attenuated_least=4)
    assert flags(tmp_path, "attenuated") == [2, 2, 2, 1, 1, 1, 1, 4]
    run(tmp_path, None, series, **given, attenuated_check="range")
    assert flags(tmp_path, "attenuated") == [4, 1, 1, 1, 1, 1, 1, 3]
    run(tmp_path, None, series, attenuated_suspect=0.4, attenuated_fail=0.01)
    assert flags(tmp_path, "attenuated") == [1] * 8
    with pytest.raises(UsageError, match="do not fit together"):
        run(tmp_path, None, series, attenuated_suspect=0.1, attenuated_fail=0.4)


@pytest.mark.parametrize(
    ("written", "zone", "utc"),
    [
        ("2024-03-01T08:00:00Z", None, "2024-03-01T08:00:00Z"),
        ("2024-03-01 08:00:00+05:00", None, "2024-03-01T03:00:00Z"),
        ("2024-03-01 08:00", "Asia/Dushanbe", "2024-03-01T03:00:00Z"),
        ("01.03.2024 08:00", "+05:00", "2024-03-01T03:00:00Z"),
        ("2024/3/1 8:00", "+05:00", "2024-03-01T03:00:00Z"),
        ("2024-03-01 08:00", None, "2024-03-01T08:00:00Z"),
    ],
)
def test_times_have_a_zone_or_are_told(tmp_path: Path, written, zone, utc) -> None:
    given = {"zone": zone} if zone else {}
    result = run(tmp_path, None, f"time,value\n{written},5\n", fail_low=0, fail_high=9, **given)
    assert flags(tmp_path, "time") == [utc]
    naive = "water-times-naive" in {f["code"] for f in result.findings}
    assert naive == (zone is None and written == "2024-03-01 08:00")
    with pytest.raises(UsageError, match="zone"):
        run(tmp_path, None, "time,value\n2024-03-01 08:00,5\n", zone="Mars/Olympus")
