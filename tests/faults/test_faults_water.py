"""What water data come with: each found, named, quarantined or flagged; nothing dropped."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from tests.command import ecotone

MAPPING = """
[mapping]
name = "laboratory"
record = "{noun}"
decimal = ","
zone = "+06:00"
[columns]
{columns}
"""
#: More than twenty ways to write "not found" and what is known by each: the limit, or nothing.
NON_DETECTS = {
    "<0,05": 0.05, "< 0,05": 0.05, "＜0,05": 0.05, "≤0,05": 0.05, "ND": None, "н/о": None,
    "не обнаружено": None, "未检出": None, "BDL": None, "0,05U": 0.05, "0,05L": 0.05,
    "ND (0,05)": 0.05, "менее 0,05": 0.05, "低于0,05": 0.05, "below detection limit": None,
    "<LOD": None, "н.о.": None, "нпо": None, "не обн.": None, "trace": None, "следы": None,
    "痕量": None, "＜ 0,05": 0.05,
}  # fmt: skip


def deliver(folder: Path, frame: pd.DataFrame, noun: str = "Observation") -> dict:
    path, mapping = folder / "given.csv", folder / "mapping.toml"
    frame.to_csv(path, index=False, sep=";")
    columns = "\n".join(f'{c} = "{c}"' for c in frame)
    mapping.write_text(MAPPING.format(noun=noun, columns=columns), encoding="utf-8")
    told = ecotone("ingest", path, "--mapping", mapping, "--dry-run", "--json").json
    taken = told["records"].get(noun, 0)
    told["rejected"] = len({f["row"] for f in told["findings"] if f["severity"] == "error"})
    assert taken + told["rejected"] == len(frame), "nothing is dropped"
    return told


def codes(told: dict) -> set[str]:
    return {f["code"] for f in told["findings"]}


def weekly(n: int = 30, **more: object) -> pd.DataFrame:
    at = pd.date_range("2024-01-01T09:00", periods=n, freq="7D").strftime("%Y-%m-%dT%H:%M")
    values = [f"{430 + 7 * (i % 5)}" for i in range(n)]
    return pd.DataFrame({"observation_id": [f"R{i}" for i in range(n)], "site": "S1",
                         "time": at, "property": "conductivity", "value": values,
                         "unit": "uS/cm", **more})  # fmt: skip


def test_many_ways_to_write_a_non_detect(tmp_path):
    from ecotone.ingest.values import parse_numbers

    texts = pd.Series(list(NON_DETECTS))
    read = parse_numbers(texts, decimal=",")
    for text, value, kind, reason, code in zip(
        texts, read.value, read.limit_kind, read.missing_reason, read.code, strict=True
    ):
        limit = NON_DETECTS[text]
        assert code == "", text
        if limit is None:
            assert value != value and reason == "not detected", text
        else:
            assert (value, kind) == (limit, "below"), text
    beside = parse_numbers(texts, decimal=",", limit=pd.Series(["0,05"] * len(texts)))
    assert set(beside.value) == {0.05} and set(beside.limit_kind) == {"below"}
    frame = weekly(len(texts), property="ammonium", unit="mg/L").assign(value=list(texts))
    told = deliver(tmp_path, frame)
    assert told["verdict"] == "accepted" and told["rejected"] == 0


def test_a_litre_is_no_non_detect():
    from ecotone.ingest.values import parse_numbers

    read = parse_numbers(pd.Series(["5 L", "5 l"]))
    assert set(read.code) == {"number-unreadable"}


def test_an_undeclared_decimal_comma_is_quarantined(tmp_path):
    path = tmp_path / "given.csv"
    weekly(4).assign(value="7,2").to_csv(path, index=False, sep=";")
    mapping = tmp_path / "m.toml"
    columns = "\n".join(f'{c} = "{c}"' for c in weekly(1))
    mapping.write_text(f'[mapping]\nname = "m"\nzone = "+06:00"\n[columns]\n{columns}\n')
    told = ecotone("ingest", path, "--mapping", mapping, "--dry-run", "--json").json
    rows = [f["row"] for f in told["findings"] if f["code"] == "decimal-comma-undeclared"]
    assert rows == [1, 2, 3, 4] and not told["records"]["Observation"]


@pytest.mark.parametrize(("value", "unit"), [("43,5", "uS/cm"), ("435", "mS/m"), ("0,44", "uS/cm")])
def test_a_unit_mistaken_by_a_power_of_ten(tmp_path, value, unit):
    frame = weekly()
    frame.loc[11, ["value", "unit"]] = value, unit
    told = deliver(tmp_path, frame)
    (found,) = [f for f in told["findings"] if f["code"] == "unit-poweroften"]
    assert (found["row"], found["value"]) == (12, value)


def test_mixed_units_that_are_right_are_not_doubted(tmp_path):
    frame = weekly()
    frame.loc[11, ["value", "unit"]] = "43,5", "mS/m"
    assert "unit-poweroften" not in codes(deliver(tmp_path, frame))


def test_a_bottle_used_twice(tmp_path):
    frame = weekly(6, sample=[f"B{i}" for i in range(6)])
    frame.loc[3, "sample"] = "B1"
    told = deliver(tmp_path, frame)
    rows = {f["row"] for f in told["findings"] if f["code"] == "bottle-once"}
    assert rows == {2, 4}
    once = frame.assign(time=frame["time"].iloc[0], sample="B1", property="nitrate", unit="mg/L")
    assert "result-once" in codes(deliver(tmp_path, once))


def test_the_same_sample_delivered_twice_is_quarantined(tmp_path):
    samples = pd.DataFrame({"sample_id": ["B1", "B2", "B1"], "site": ["S1", "S2", "S3"]})
    told = deliver(tmp_path, samples, "Sample")
    assert told["rejected"] == 1 and "duplicate-key" in codes(told)


def test_a_clock_that_jumps_back(tmp_path):
    at = pd.date_range("2024-01-01", periods=60, freq="1h")
    frame = weekly(60).assign(time=at.strftime("%Y-%m-%dT%H:%M"))
    frame.loc[30:, "time"] = (at[30:] - pd.Timedelta("5h")).strftime("%Y-%m-%dT%H:%M")
    told = deliver(tmp_path, frame)
    (found,) = [f for f in told["findings"] if f["code"] == "clock-forward"]
    assert found["row"] == 31 and told["rejected"] == 0


def test_a_sensor_that_repeats_itself(tmp_path):
    at = pd.date_range("2024-01-01", periods=60, freq="1h").strftime("%Y-%m-%dT%H:%M")
    frame = weekly(60).assign(time=at)
    frame.loc[20:34, "value"] = "432"
    told = deliver(tmp_path, frame)
    rows = [f["row"] for f in told["findings"] if f["code"] == "sensor-notrepeating"]
    assert rows == list(range(21, 36))


def test_a_broken_chain_of_custody(tmp_path):
    steps = pd.DataFrame(
        [
            ("B1", "collected", "2024-03-01T09:00", "Ana", "", ""),
            ("B1", "handed over", "2024-03-01T15:00", "Ana", "Bo", ""),
            ("B1", "received", "2024-03-01T18:00", "Cem", "", "broken"),
            ("B2", "collected", "2024-03-01T09:00", "Ana", "", ""),
        ],
        columns=["sample", "kind", "time", "by", "handed_to", "seal_state"],
    )
    told = deliver(tmp_path, steps, "CustodyEvent")
    assert told["rejected"] == 0
    assert [f["row"] for f in told["findings"] if f["code"] == "custody-unbroken"] == [3]


@pytest.mark.parametrize(
    ("name", "unit", "basis", "told"),
    [
        ("nitrate", "mg/L", "", True), ("Нитраты", "мг/дм3", "", True),
        ("nitrate", "mg/L", "N", False), ("nitrate", "mg/L as NO3", "", False),
        ("硝酸盐氮", "mg/L", "", False),
        ("arsenic", "mg/L", "", False), ("nitrate", "mmol/L", "", False),
    ],
)  # fmt: skip
def test_no_silent_as_n_or_as_no3(tmp_path, name, unit, basis, told):
    frame = weekly(3).assign(property=name, unit=unit, basis=basis, value="1,2")
    assert ("nutrient-basistold" in codes(deliver(tmp_path, frame))) == told


def laboratory(n: int = 12, **more: object) -> pd.DataFrame:
    frame = weekly(n, sample=[f"B{i}" for i in range(n)])
    values = [f"{2 + i % 5},5" for i in range(n)]
    return frame.assign(property="lead", unit="ug/L", value=values, **more)


@pytest.mark.parametrize(
    ("code", "column", "wrong"),
    [
        ("concentration-notzero", "value", "0"),
        ("concentration-notnegative", "value", "-0,01"),
        ("unit-told", "unit", ""),
        ("analysed-aftersampled", "analysed_at", "2024-02-11"),
        ("time-future", "time", "2099-01-01T09:00"),
    ],
)
def test_a_result_that_cannot_be_as_it_is_written(tmp_path, code, column, wrong):
    """The seventh bottle, of 12 February, is wrong in one cell; the others are not."""
    days = pd.date_range("2024-01-02", periods=12, freq="7D").strftime("%Y-%m-%d")
    frame = laboratory(analysed_at=days)
    assert codes(deliver(tmp_path, frame)) <= {"delimiter-guessed"}
    frame.loc[6, column] = wrong
    told = deliver(tmp_path, frame)
    assert [f["row"] for f in told["findings"] if f["code"] == code] == [7]
    assert told["rejected"] == 0


def test_a_sample_of_the_morning_analysed_the_same_day_is_right(tmp_path):
    """In UTC the day before; an evening sample of a western zone the day after."""
    at = [f"2024-03-{d:02d}T02:00" for d in range(1, 13)]
    frame = laboratory(analysed_at=[t[:10] for t in at]).assign(time=at)
    assert "analysed-aftersampled" not in codes(deliver(tmp_path, frame))


def test_the_dissolved_part_beside_the_total(tmp_path):
    """Both are kept apart, not taken for one result twice; 5 of a total of 2 is told, 2.1 not."""
    frame = laboratory(4, fraction=["total", "dissolved"] * 2).assign(
        sample=["B1", "B1", "B2", "B2"], value=["2", "5", "2", "2,1"], time="2024-03-01T09:00"
    )
    frame = frame.drop(columns="observation_id").assign(site=["S1", "S1", "S2", "S2"])
    told = deliver(tmp_path, frame)
    assert told["rejected"] == 0
    assert [f["row"] for f in told["findings"] if f["code"] == "dissolved-notabovetotal"] == [2]


def test_what_a_laboratorys_table_looks_like_is_proposed(tmp_path):
    """A proposed mapping reads the decimal commas and keeps fraction, batch and day of analysis."""
    frame = laboratory(analysis="A1", analysed_at="2024-06-01", fraction="total")
    path, mapping = tmp_path / "given.csv", tmp_path / "proposed.toml"
    frame.to_csv(path, index=False, sep=";")
    mapping.write_text(ecotone("ingest", path, "--map").out, encoding="utf-8")
    given = ecotone("ingest", path, "--mapping", mapping, "--dry-run", "--json", "--zone", "+05:00")
    assert given.json["records"]["Observation"] == 12
    text = mapping.read_text(encoding="utf-8")
    assert 'decimal = ","' in text
    assert all(f'{name} = "{name}"' in text for name in ("analysis", "analysed_at", "fraction"))


def test_a_datasets_zone_counts_in_a_dry_run_too(tmp_path):
    node = tmp_path / "node"
    ecotone("init", node, "--party", "VIWE", "--name", "Institute", "--country", "VX")
    ecotone("add", "dataset", "lab", "--title", "L", "--zone", "Asia/Dushanbe", "--node", node)
    path, mapping = tmp_path / "given.csv", tmp_path / "m.toml"
    laboratory().to_csv(path, index=False, sep=";")
    columns = "\n".join(f'{c} = "{c}"' for c in laboratory())
    text = MAPPING.format(noun="Observation", columns=columns).replace('zone = "+06:00"', "")
    mapping.write_text(text, encoding="utf-8")
    run = ("ingest", path, "--mapping", mapping, "--dry-run", "--json", "--dataset", "lab")
    assert ecotone(*run, "--node", node).json["records"]["Observation"] == 12
    assert not ecotone(*run).json["records"]["Observation"]
