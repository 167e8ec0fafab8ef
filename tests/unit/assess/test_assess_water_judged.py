"""Indices, SDG 6.3.2 and compliance of wide tables: small files judged by eye, and bad ones."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from ecotone.assess.compute import compute
from ecotone.assess.registry import get
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.result import Result
from ecotone.model.words import LANGUAGES, has

OURS = (
    "water.censored-summary", "water.compliance", "water.index", "water.load", "water.qc",
    "water.sdg-6-3-2", "water.trend", "water.wrtds",
)  # fmt: skip
CLASSES = (
    "parameter,unit,sense,class_I,class_II,class_III,note\n"
    "ammonia_nitrogen_as_N,mg/L,max,0.15,0.5,1.0,\n"
    "dissolved_oxygen,mg/L,min,7.5,6,5,\n"
    "total_phosphorus_as_P_river,mg/L,max,0.02,0.1,0.2,rivers\n"
    "total_phosphorus_as_P_lake,mg/L,max,0.01,0.025,0.05,lakes\n"
)


def run(tmp_path: Path, name: str, results: str, standards: str | None = None, **given) -> Result:
    (tmp_path / "results.csv").write_text(results, encoding="utf-8")
    inputs = {"results": [tmp_path / "results.csv"]}
    if standards is not None:
        (tmp_path / "standards.csv").write_text(standards, encoding="utf-8")
        inputs["standards"] = [tmp_path / "standards.csv"]
    return compute(name, inputs, given, tmp_path / "out")


def table(tmp_path: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(tmp_path / f"out/tables/{name}.csv", keep_default_na=False, na_values=[""])


def codes(result: Result) -> set[str]:
    return {f["code"] for f in result.findings}


@pytest.mark.parametrize("name", OURS)
def test_every_word_is_there_in_three_languages(name: str) -> None:
    indicator = get(name)
    parts = ["title", "summary", "method", *(f"table.{t}" for t in indicator.tables)]
    parts += [f"input.{i.name}" for i in indicator.inputs]
    parts += [f"value.{v}" for v in indicator.values]
    parts += [f"parameter.{p.name}" for p in indicator.parameters]
    for lang in LANGUAGES:
        assert all(indicator.words(part, lang) for part in parts)


def test_every_finding_has_its_sentence() -> None:
    import ecotone.assess.indicators as package

    folder = Path(package.__path__[0])
    named = {
        code
        for path in folder.glob("*.py")
        for code in re.findall(r'"(water-[a-z0-9-]+)"', path.read_text(encoding="utf-8"))
    }
    assert len(named) > 50
    assert [code for code in sorted(named) if not has(f"finding.{code}")] == []


def test_compliance_of_a_wide_table(tmp_path: Path) -> None:
    results = (
        'Station;Date;DO_mgL;"TP, мг/л";NH4N (ug/L);Ca_Mg\n'
        "A;2024-01-01;8,1;0,01;<100;1,5\nA;2024-02-01;4,9;0,30;1200;\nA;2024-03-01;;;;\n"
    )
    result = run(tmp_path, "water.compliance", results, CLASSES)
    rows = table(tmp_path, "compliance").set_index("property")
    assert rows["limit"].astype(float).to_dict() == {
        "ammonia_nitrogen_as_N": 1.0, "dissolved_oxygen": 5.0, "total_phosphorus_as_P_river": 0.2
    }  # fmt: skip
    assert rows["n"].tolist() == [2, 2, 2]
    assert rows["exceedances"].tolist() == [1, 1, 1]
    assert {"water-class-usual", "water-decimal-comma"} <= codes(result)
    best = run(tmp_path, "water.compliance", results, CLASSES, **{"class": "I", "water": "lake"})
    rows = table(tmp_path, "compliance").set_index("property")
    assert rows.loc["total_phosphorus_as_P_lake", "limit"] == 0.01
    assert "water-class-usual" not in codes(best)


def test_compliance_with_a_shipped_standard(tmp_path: Path) -> None:
    results = "site,property,value,unit\nA,As,12,ug/L\nA,镉,0.001,mg/L\nA,nitrate,60,mg/L as NO3\n"
    who = run(tmp_path, "water.compliance", results, standard="WHO-GDWQ-4")
    assert who.values["exceedances"].value == 2
    assert {"water-standard-unverified", "water-standard-use"} <= codes(who)
    eu = run(tmp_path, "water.compliance", results, standard="eu-98-83-ec")
    assert "water-standard-unverified" not in codes(eu)
    with pytest.raises(UsageError, match=r"none of the name 'GOST'.*gb3838-2002"):
        run(tmp_path, "water.compliance", results, standard="GOST")
    with pytest.raises(UsageError, match="No standard was given"):
        run(tmp_path, "water.compliance", results)


def test_four_states_by_the_results_own_uncertainty(tmp_path: Path) -> None:
    results = (
        "site,property,value,unit,expanded_uncertainty\nA,lead,8,ug/L,1\nA,lead,9.5,ug/L,1\n"
        "A,lead,10.5,ug/L,1\nA,lead,12,ug/L,1\nA,lead,12,ug/L,\nA,lead,<50,ug/L,\n"
    )
    limits = "standard,version,property,unit,max\nT,1,lead,mg/L,0.01\n"
    run(tmp_path, "water.compliance", results, limits)
    row = table(tmp_path, "compliance").iloc[0]
    states = ["compliant", "probably", "probably_not", "non_compliant", "undetermined"]
    assert row[states].tolist() == [1, 1, 1, 2, 1]


def test_percentile_rules(tmp_path: Path) -> None:
    """Of 60 results one in ten may exceed: 0 surely, 3 probably, 9 probably not, 30 surely not."""
    limits = (
        "standard,version,property,unit,max,statistic\nT,1,lead,ug/L,10,90th percentile\n"
        "T,1,lead,ug/L,50,each\nT,1,zinc,ug/L,10,p90\n"
    )
    rows = [
        f"{station},lead,{20 if i < over else 5},ug/L"
        for station, over in (("A", 0), ("B", 3), ("C", 9), ("D", 30))
        for i in range(60)
    ]
    rows += ["A,zinc,<20,ug/L"] * 30 + ["A,zinc,5,ug/L"] * 30
    results = "site,property,value,unit\n" + "\n".join(rows) + "\n"
    result = run(tmp_path, "water.compliance", results, limits)
    found = table(tmp_path, "compliance")
    lead = found[(found["property"] == "lead") & (found["allowed"] > 0)].set_index("station")
    assert lead["state"].tolist() == ["compliant", "probably", "probably_not", "non_compliant"]
    assert found[found["allowed"] == 0]["state"].isna().all()
    assert found[found["property"] == "zinc"]["state"].tolist() == ["undetermined"]
    assert result.values["exceedances"].value == 0


def test_units_that_cannot_be_right(tmp_path: Path) -> None:
    """Conductivity in mS/m labelled uS/cm, and the other way round."""
    limits = "standard,version,property,unit,max\nT,1,EC,mS/m,150\n"
    low = "site,property,value,unit\n" + "".join(f"A,EC,{v},uS/cm\n" for v in (2.5, 4.1, 6.0))
    assert "water-unit-implausible" in codes(run(tmp_path, "water.compliance", low, limits))
    high = low.replace("uS/cm", "mS/cm").replace("2.5", "250").replace("4.1", "410")
    high = high.replace("6.0", "600")
    assert "water-unit-implausible" in codes(run(tmp_path, "water.compliance", high, limits))
    right = low.replace("uS/cm", "mS/m")
    assert codes(run(tmp_path, "water.compliance", right, limits)) == {"water-states-none"}


def test_limits_without_units(tmp_path: Path) -> None:
    """They share the results' one unit; where there are several nobody knows which."""
    limits = "standard,version,property,min,max\nT,1,DO_mgL,5,\nT,1,COND_mSm,,150\n"
    wide = "station,DO_mgL,COND_mSm\nA,4,20\nA,6,200\n"
    for name in ("water.compliance", "water.index"):
        assert "water-limit-unit-assumed" in codes(run(tmp_path, name, wide, limits))
    assert table(tmp_path, "index")["failed_tests"].tolist() == [2]
    mixed = "site,property,value,unit\nA,DO,4,mg/L\nA,DO,6,ug/L\n"
    with pytest.raises(NotComputable):
        run(tmp_path, "water.compliance", mixed, limits)


def test_a_few_rows_in_the_wrong_unit(tmp_path: Path) -> None:
    limits = "standard,version,property,unit,max\nT,1,EC,mS/m,150\n"
    rows = [f"A,EC,{20 + i},mS/m" for i in range(9)] + ["A,EC,23,uS/cm", "A,EC,22,uS/cm"]
    rows += ["B,EC,20,mS/m", "B,EC,210,uS/cm", "B,EC,5,l/s"]
    text = "site,property,value,unit\n" + "\n".join(rows) + "\n"
    result = run(tmp_path, "water.compliance", text, limits)
    jumps = [f for f in result.findings if f["code"] == "water-unit-jump"]
    assert [(f["value"], f["params"]["station"], f["params"]["times"]) for f in jumps] == [
        ("uS/cm", "A", "10")
    ]


NON_DETECTS = (
    "<5", "< 5", "ND (5)", "5U", "5L", "менее 5", "低于5", "below 5", "n.d. < 5", "≤5",
    "less than 5", "н/о (5)", "未检出(5)",
)  # fmt: skip


def test_non_detects_in_more_than_ten_spellings(tmp_path: Path) -> None:
    results = "site;property;value;unit;day\n" + "".join(
        f"A;lead;{text};ug/L;2024-01-{day:02d}\n" for day, text in enumerate(NON_DETECTS, 1)
    )
    limits = "standard,version,property,unit,max\nT,1,lead,ug/L,10\n"
    result = run(tmp_path, "water.index", results, limits)
    row = table(tmp_path, "index").iloc[0]
    assert (row["tests"], row["failed_tests"], row["undetermined"]) == (len(NON_DETECTS), 0, 0)
    strict = run(tmp_path, "water.index", results, limits.replace(",10", ",1"))
    assert strict.values["index"].value is None
    assert {"water-tests-undetermined", "water-undefined"} <= codes(strict)
    assert "water-index-few" in codes(result)


def test_limits_of_the_rows_themselves(tmp_path: Path) -> None:
    """At its detection limit a value passes where that limit does; else it is no test."""
    results = (
        "Date,Variable,Value,DetectionLimit,LowerLimit,UpperLimit,Units\n"
        "2024-01-01,Pb,0,0.01,,0.1,Mg/L\n2024-01-02,Pb,0.2,0.01,,0.1,mg/L\n"
        "2024-01-03,Hg,0,5,,1,ug/L\n2024-01-04,DO,4,,5,,mg/L\n2024-01-05,pH,7,,9,6.5,pH\n"
        "2024-01-06,X,,,,1,mg/L\n"
    )
    result = run(tmp_path, "water.index", results, index="ccme")
    row = table(tmp_path, "index").iloc[0]
    assert (row["tests"], row["failed_tests"], row["undetermined"]) == (3, 2, 1)
    assert {"water-unit-capital", "water-limits-backwards"} <= codes(result)
    with pytest.raises(NotComputable, match="No result"):
        run(tmp_path, "water.index", "site,property,value\nA,lead,1\n")


def test_classes_of_samples(tmp_path: Path) -> None:
    results = (
        "station,date,NH4N_mgL,DO_mgL\nA,2024-01-01,0.1,8\nA,2024-02-01,0.3,6.5\n"
        "A,2024-03-01,<2,8\nA,2024-04-01,3,\nA,2024-05-01,0.2,1\n"
    )
    result = run(tmp_path, "water.index", results, CLASSES, index="gb3838")
    row = table(tmp_path, "classes").iloc[0]
    assert row[["I", "II", "III", "worse", "incomplete", "undetermined"]].tolist() == [
        1, 1, 0, 1, 1, 1
    ]  # fmt: skip
    samples = table(tmp_path, "samples")
    assert samples["class"].tolist() == ["I", "II", "undetermined", "incomplete", "worse"]
    assert {"water-class-undetermined", "water-mean-undetermined"} <= codes(result)
    assert result.values["index"].value is None
    with pytest.raises(NotComputable, match="no classes"):
        run(tmp_path, "water.index", results, "property,unit,max\nDO,mg/L,5\n", index="gb3838")
    with pytest.raises(NotComputable, match="No result"):
        run(tmp_path, "water.index", "station,Ca_mgL\nA,1\n", CLASSES, index="gb3838")


def test_trophic_and_nsf(tmp_path: Path) -> None:
    lake = "station,day,chl_ugL,TP_mgL,Secchi (m)\nL,1,10,0.05,1\nL,2,12,0.06,0.9\nL,3,,0.06,1\n"
    tli = run(tmp_path, "water.index", lake, index="TLI")
    assert tli.values["index"].value == pytest.approx(49.5, abs=1)
    assert tli.values["index"].low < tli.values["index"].value < tli.values["index"].high
    assert {"water-index-partial", "water-samples-incomplete"} <= codes(tli)
    tsi = run(tmp_path, "water.index", lake, index="tsi", station="l")
    assert table(tmp_path, "index")["class"].tolist() == ["eutrophic"]
    assert tsi.values["samples"].value == 2
    river = "station,day,DO_mgL,TEMP_C,pH,turbidity (NTU),BOD5_mgL\nR,1,9.09242604,20,7.5,5,<1\n"
    nsf = run(tmp_path, "water.index", river, index="NSF")
    bod = 0.11 * 94  # a non-detect below 1 lies anywhere on the curve from 96 to 92
    expected = (0.17 * 99 + 0.11 * 93 + 0.08 * 84 + bod) / 0.47
    assert nsf.values["index"].value == pytest.approx(expected, abs=0.01)
    assert {"water-curves-unverified", "water-index-drawn", "water-index-no-interval"} <= codes(nsf)
    unknown = run(tmp_path, "water.index", river.replace("<1", "ND"), index="NSF")
    assert "water-index-censored" in codes(unknown)
    with pytest.raises(NotComputable, match="needs some of"):
        run(tmp_path, "water.index", "station,Ca_mgL\nA,1\n", index="tsi")
    with pytest.raises(UsageError, match="'index' cannot be 'bmwp'"):
        run(tmp_path, "water.index", river, index="bmwp")
    with pytest.raises(UsageError, match="no station 'Z'"):
        run(tmp_path, "water.index", river, index="nsf", station="Z")


TARGETS = (
    "standard,version,property,unit,min,max\nT,1,DO,mg/L,5,\nT,1,EC,uS/cm,,1000\n"
    "T,1,TP,mg/L,,0.1\nT,1,NO3N,mg/L,,10\nT,1,pH,1,6.5,8.5\n"
)


def test_sdg_6_3_2(tmp_path: Path) -> None:
    head = "station,water_body,water_body_type,basin,property,value,unit\n"
    core = [("DO", 8, "mg/L"), ("EC", 300, "uS/cm"), ("TP", 0.05, "mg/L"), ("NO3N", 1, "mg/L"),
            ("pH", 7, "")]  # fmt: skip
    rows = [f"s1,Good,river,North,{p},{v},{u}" for p, v, u in core * 2]
    rows += [f"s2,Bad,river,North,{p},{v * 100 if p != 'pH' else 3},{u}" for p, v, u in core[1:]]
    rows += [f"s3,Open,river,North,TP,<{v},mg/L" for v in (1, 2)]
    rows += ["s4,Well,groundwater,South,EC,100,uS/cm", "s5,Dry,lake,South,colour,5,TCU"]
    result = run(tmp_path, "water.sdg-6-3-2", head + "\n".join(rows) + "\n", TARGETS)
    bodies = table(tmp_path, "bodies").set_index("body")
    assert bodies["status"].to_dict() == {
        "Good": "good", "Bad": "not good", "Open": "unassessed", "Well": "good",
        "Dry": "unassessed",
    }  # fmt: skip
    assert pd.isna(bodies.loc["Good", "missing"])
    assert bodies.loc["Well", "missing"] == "acidification, nitrogen"
    value = result.values["indicator"]
    assert value.value == pytest.approx(200 / 3)
    assert value.low < value.value < value.high
    basins = table(tmp_path, "basins").set_index(["basin", "type"])
    assert basins.loc[("North", "river"), ["bodies", "classified", "good"]].tolist() == [3, 2, 1]
    assert {"water-bodies-unassessed", "water-core-missing", "water-not-core"} <= codes(result)
    with pytest.raises(NotComputable, match="core parameter"):
        run(tmp_path, "water.sdg-6-3-2", "station,property,value\nA,colour,1\n", TARGETS)


def test_stations_stand_for_bodies_that_nobody_named(tmp_path: Path) -> None:
    result = run(tmp_path, "water.sdg-6-3-2", "station,TP_mgL\nA,<9\nB,<9\n", TARGETS)
    assert result.values["indicator"].value is None
    assert {"water-stations-as-bodies", "water-undefined"} <= codes(result)
