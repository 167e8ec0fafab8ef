"""``water.compliance`` on tables small enough to judge by eye."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from shapely.geometry import box

from ecotone.assess.compute import compute
from ecotone.assess.indicators.water_compliance import WATER_COMPLIANCE
from ecotone.model.errors import InputRefused, NotComputable, UsageError
from ecotone.model.result import Result
from ecotone.model.words import LANGUAGES
from ecotone.science.stats import clopper_pearson

STANDARD = """standard,version,property,unit,limit,kind
WHO,2022,arsenic,mg/L,0.01,maximum
WHO,2022,oxygen,mg/L,5,minimum
WHO,2022,ph,1,6.5-8.5,range
"""
RESULTS = """site,property,value,unit,time_start
A,arsenic,0.005,mg/L,2024-01-01T00:00:00Z
A,arsenic,12,ug/L,2024-02-01T00:00:00Z
A,arsenic,<0.01,mg/L,2024-03-01T00:00:00Z
A,arsenic,<20,ug/L,2024-04-01T00:00:00Z
B,oxygen,>8,mg/L,2024-01-01T00:00:00Z
B,oxygen,4.9,mg/L,2024-01-01T00:00:00Z
B,oxygen,,mg/L,2024-01-01T00:00:00Z
B,pH,8.6,1,2023-12-31T23:00:00Z
"""


def run(tmp_path: Path, results: str, standards: str = STANDARD, region=None, **given) -> Result:
    paths = {}
    for name, text in (("results", results), ("standards", standards)):
        path = tmp_path / f"{name}.csv"
        path.write_text(text, encoding="utf-8")
        paths[name] = [path]
    return compute("water.compliance", paths, given, tmp_path / "out", region=region)


def table(tmp_path: Path) -> pd.DataFrame:
    frame = pd.read_csv(tmp_path / "out/tables/compliance.csv", dtype={"limit": str})
    return frame.set_index(["station", "property"])


def codes(result: Result) -> list[str]:
    """What is told, but that no result here carries an uncertainty."""
    return [f["code"] for f in result.findings if f["code"] != "water-states-none"]


def test_a_small_table_by_eye(tmp_path: Path) -> None:
    result = run(tmp_path, RESULTS)
    rows = table(tmp_path)
    counts = rows[["n", "passes", "exceedances", "undetermined"]]
    assert counts.loc[("A", "arsenic")].tolist() == [4, 2, 1, 1]
    assert counts.loc[("B", "oxygen")].tolist() == [2, 1, 1, 0]
    assert counts.loc[("B", "ph")].tolist() == [1, 0, 1, 0]
    arsenic = rows.loc[("A", "arsenic")]
    assert arsenic["share"] == pytest.approx(1 / 3)
    assert arsenic["low"] == pytest.approx(float(clopper_pearson(1, 4)[0]))
    assert arsenic["high"] == pytest.approx(float(clopper_pearson(2, 4)[1]))
    assert arsenic["worst"] == pytest.approx(0.012)
    assert rows["worst"].loc[("B", "oxygen")] == 4.9
    assert rows["limit"].tolist() == ["0.01", "5", "6.5-8.5"]
    assert rows["kind"].tolist() == ["maximum", "minimum", "range"]
    assert set(rows["standard"]) == {"WHO"}
    told = {name: value.value for name, value in result.values.items()}
    share = told.pop("share_compliant")
    told_none = {"set_aside": 0}
    assert told == {"stations": 2, "results": 7, "exceedances": 3, "undetermined": 1, **told_none}
    assert share == pytest.approx(3 / 6)
    assert result.values["share_compliant"].low == pytest.approx(float(clopper_pearson(3, 7)[0]))
    assert result.values["share_compliant"].high == pytest.approx(float(clopper_pearson(4, 7)[1]))
    assert codes(result) == []


def test_declared_outputs_are_the_outputs(tmp_path: Path) -> None:
    result = run(tmp_path, RESULTS)
    assert {n: v.unit for n, v in result.values.items()} == dict(WATER_COMPLIANCE.values)
    assert list(table(tmp_path).reset_index()) == list(WATER_COMPLIANCE.tables["compliance"])
    for lang in LANGUAGES:
        parts = ["title", "summary", "method", "table.compliance"]
        parts += [f"input.{i.name}" for i in WATER_COMPLIANCE.inputs]
        parts += [f"value.{n}" for n in WATER_COMPLIANCE.values]
        parts += [f"parameter.{p.name}" for p in WATER_COMPLIANCE.parameters]
        assert all(WATER_COMPLIANCE.words(part, lang) for part in parts)


def test_years_are_those_of_the_delivered_time(tmp_path: Path) -> None:
    results = (
        "station,parameter,result,unit,time_text,time_start\n"
        "A,arsenic,0.02,mg/L,2024-01-01T02:00+05:00,2023-12-31T21:00:00Z\n"
        "A,arsenic,0.02,mg/L,,2023-12-31T21:00:00Z\n"
        "A,arsenic,0.02,mg/L,,\n"
    )
    result = run(tmp_path, results, start=2024, end=2024)
    assert result.values["results"].value == 1
    assert codes(result) == ["water-undated"]
    assert run(tmp_path, results, end=2023).values["results"].value == 1
    assert run(tmp_path, results, start=2023).values["results"].value == 2
    assert run(tmp_path, results).values["results"].value == 3
    with pytest.raises(NotComputable, match="No result"):
        run(tmp_path, results, start=2030)
    with pytest.raises(UsageError, match="before the first"):
        run(tmp_path, results, start=2024, end=2023)


def test_non_detects_in_every_spelling(tmp_path: Path) -> None:
    """All ten are below a limit; those with a limit of 5 ug/L pass, the others stay open."""
    results = (
        "site;property;value;unit;qualifier;detection_limit;missing_reason\n"
        "A;arsenic;<5;ug/L;;;\n"
        "A;arsenic;< 5,0;ug/L;;;\n"
        "A;arsenic;5;ug/L;<;;\n"
        "A;arsenic;5;ug/L;below;;\n"
        "A;arsenic;n.d.;ug/L;;5;\n"
        "A;arsenic;未检出;ug/L;;5,0;\n"
        "A;arsenic;;ug/L;;5;not detected\n"
        "A;arsenic;н/о;ug/L;;;\n"
        "A;arsenic;＜50;ug/L;;;\n"
        "A;arsenic;ND;ug/L;;;\n"
    )
    run(tmp_path, results)
    row = table(tmp_path).loc[("A", "arsenic")]
    assert (row["n"], row["passes"], row["exceedances"], row["undetermined"]) == (10, 7, 0, 3)
    assert row["share"] == 0
    assert row["high"] == pytest.approx(float(clopper_pearson(3, 10)[1]))
    assert pd.isna(row["worst"])


def test_nothing_determined_gives_no_share(tmp_path: Path) -> None:
    result = run(tmp_path, "site,property,value,unit\nA,arsenic,<1,mg/L\n")
    share = result.values["share_compliant"]
    assert (share.value, share.low, share.high) == (None, 0.0, 1.0)
    assert codes(result) == ["water-all-undetermined"]
    assert pd.isna(table(tmp_path)["share"].iloc[0])


def test_values_nobody_can_read_are_told_and_left_out(tmp_path: Path) -> None:
    results = "site,property,value,unit\nA,arsenic,about 3,mg/L\nA,arsenic,0.001,mg/L\n"
    result = run(tmp_path, results + "A,arsenic,oops,mg/L\n" * 30)
    assert result.values["results"].value == 1
    assert codes(result) == ["water-value-unreadable"] * 20 + ["more-of-these"]
    assert result.findings[0]["row"] == 1
    assert "11 more" in result.findings[-1]["message"]


def test_basis_is_never_mixed_in_silence(tmp_path: Path) -> None:
    standard = "standard,version,property,unit,basis,max\nWHO,2022,nitrate,mg/L,N,11.3\n"
    results = (
        "site,property,value,unit,basis\nA,nitrate,45,mg/L,NO3\nA,nitrate,55,mg/L,as NO3\n"
        "B,nitrate,11,mg/L,N\nB,nitrate,45,mg/L,\n"
    )
    result = run(tmp_path, results, standard)
    rows = table(tmp_path)
    assert rows["exceedances"].to_dict() == {("A", "nitrate"): 1, ("B", "nitrate"): 0}
    assert rows["n"].tolist() == [2, 1]
    assert codes(result) == ["water-unit-differs"]


def test_units_that_lack_or_differ(tmp_path: Path) -> None:
    bare = run(tmp_path, "site,property,value\nA,arsenic,0.02\nA,ph,7\n")
    assert codes(bare) == ["water-unit-assumed"]
    assert bare.values["results"].value == 2
    mixed = run(
        tmp_path,
        "site,property,value,unit\nA,arsenic,0.02,\nA,arsenic,0.02,mg/kg\nA,arsenic,1,flux\n"
        "A,oxygen,6,mg/L\n",
    )
    assert codes(mixed) == ["water-unit-missing", "water-unit-differs", "water-unit-differs"]
    assert mixed.values["results"].value == 1


def test_region_takes_placed_results_only(tmp_path: Path) -> None:
    results = (
        "site,property,value,unit,latitude,longitude\nA,arsenic,0.02,mg/L,40,70\n"
        "B,arsenic,0.02,mg/L,50,70\nC,arsenic,0.02,mg/L,,\n"
    )
    result = run(tmp_path, results, region=box(69, 39, 71, 41))
    assert result.values["stations"].value == 1
    assert codes(result) == ["water-unplaced"]
    nowhere = run(tmp_path, RESULTS, region=box(69, 39, 71, 41))
    assert nowhere.values["results"].value == 7
    assert codes(nowhere) == ["water-region-not-applied"]


def test_properties_without_a_limit_are_told(tmp_path: Path) -> None:
    result = run(tmp_path, RESULTS + "A,colour,3,TCU,2024\n")
    assert codes(result) == ["water-no-limit"]
    assert result.findings[0]["value"] == "colour"


VERSIONS = (
    "standard,version,property,unit,min,max,statistic\n"
    "JBS,2.9,arsenic,mg/L,,0.05,each\nJBS,2.10,arsenic,mg/L,,0.01,each\n"
    "JBS,2.10,oxygen,mg/L,5,,annual mean\nOther,1,arsenic,ug/L,,1,\n"
)


def test_versions_of_a_standard(tmp_path: Path) -> None:
    results = "site,property,value,unit\nA,arsenic,0.02,mg/L\n"
    latest = run(tmp_path, results, VERSIONS, standard="JBS")
    assert latest.values["exceedances"].value == 1
    assert codes(latest) == ["water-statistic-unsupported", "water-version-latest"]
    assert latest.findings[1]["value"] == "2.10"
    older = run(tmp_path, results, VERSIONS, standard="jbs", version="2.9")
    assert older.values["exceedances"].value == 0
    both = run(tmp_path, results, VERSIONS)
    assert both.values["results"].value == 2
    with pytest.raises(UsageError, match=r"no standard 'GB'.*JBS 2.10; JBS 2.9; Other 1"):
        run(tmp_path, results, VERSIONS, standard="GB")
    with pytest.raises(UsageError, match="version '3'"):
        run(tmp_path, results, VERSIONS, version="3")


def test_a_standard_without_version_is_told(tmp_path: Path) -> None:
    result = run(tmp_path, RESULTS, "property,unit,limit\narsenic,mg/L,<=0.01\n")
    assert "water-version-missing" in codes(result)
    assert result.values["exceedances"].value == 1


@pytest.mark.parametrize(
    "row",
    ["arsenic,mg/L,x,maximum,,", "arsenic,mg/L,0.01,,,", ",mg/L,0.01,maximum,,", "arsenic,mg/L,,,,",
     "arsenic,mg/L,,,9,6", "arsenic,mg/L,,,x,6", "ph,1,8.5-6.5,range,,"],
)  # fmt: skip
def test_a_broken_limit_refuses_the_standard(tmp_path: Path, row: str) -> None:
    standard = f"property,unit,limit,kind,min,max\noxygen,mg/L,>=5,,,\n{row}\n"
    with pytest.raises(InputRefused, match=r"Row 2 of 'standards\.csv'"):
        run(tmp_path, RESULTS, standard)
    assert not (tmp_path / "out/result.json").exists()


def test_the_same_limit_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="Arsenic twice"):
        run(tmp_path, RESULTS, STANDARD + "WHO,2022,Arsenic,mg/L,0.02,maximum\n")


@pytest.mark.parametrize(
    ("results", "error", "words"),
    [
        ("site,value\nA,3\n", InputRefused, "no column for property"),
        ("", InputRefused, "has no rows"),
        ("site,property,value\n", NotComputable, "No result"),
        ("site,property,value,unit\nA,lead,1,mg/L\n", NotComputable, "No result"),
    ],
)
def test_tables_that_are_none(tmp_path: Path, results: str, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        run(tmp_path, results)


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    standards = tmp_path / "standards.csv"
    standards.write_text(STANDARD, encoding="utf-8")
    paths = {"results": [tmp_path / "folder"], "standards": [standards]}
    with pytest.raises(InputRefused, match="folder or an archive"):
        compute("water.compliance", paths, {}, tmp_path / "out")


def test_headers_and_encodings_of_the_partners(tmp_path: Path) -> None:
    russian = "Створ;Показатель;Результат;Ед. изм.\nА-1;oxygen;4,5;мг/дм3\n"
    chinese = "断面,项目,监测值,单位\n甲,oxygen,4.5,毫克/升\n"
    (tmp_path / "ru.csv").write_text(russian, encoding="cp1251")
    (tmp_path / "zh.csv").write_text(chinese, encoding="gb18030")
    (tmp_path / "standards.csv").write_text(STANDARD, encoding="utf-8-sig")
    result = compute(
        "water.compliance",
        {
            "results": [tmp_path / "ru.csv", tmp_path / "zh.csv"],
            "standards": [tmp_path / "standards.csv"],
        },
        {},
        tmp_path / "out",
    )
    assert result.values["exceedances"].value == 2
    assert table(tmp_path).index.get_level_values("station").tolist() == ["А-1", "甲"]


def test_each_exceedance_leads_back_to_its_bottle(tmp_path):
    """Bottle, batch, method, analyst and instrument of what lies beyond; nothing of the rest."""
    results = (
        "result_id,station,bottle,sampled_at,property,value,unit,uncertainty,batch,method\n"
        "R1,A,B1,2024-03-01T09:00+05:00,lead,12,ug/L,1,L1,\n"
        "R2,A,B2,2024-03-02T09:00+05:00,lead,10.4,ug/L,1,L2,ISO 8288\n"
        "R3,A,B3,2024-03-03T09:00+05:00,lead,5,ug/L,1,L1,\n"
    )
    batches = (
        "analysis_id,laboratory,procedure,device,analyst,time\n"
        "L1,Velmara,ISO 17294-2,ICP-MS 7,S. Ivanova,2024-03-05T10:00Z\n"
    )
    standards = "standard,version,property,max,unit\nT,1,lead,10,ug/L\n"
    paths = {}
    for name, text in (("results", results), ("batches", batches), ("standards", standards)):
        paths[name] = [tmp_path / f"{name}.csv"]
        paths[name][0].write_text(text, encoding="utf-8")
    compute("water.compliance", paths, {}, tmp_path / "out")
    found = pd.read_csv(tmp_path / "out/tables/exceedances.csv", keep_default_na=False)
    one, other = found.to_dict("records")
    assert (one["sample"], one["record"], one["state"]) == ("B1", "R1", "non_compliant")
    assert (one["procedure"], one["analyst"]) == ("ISO 17294-2", "S. Ivanova")
    assert (one["instrument"], one["laboratory"]) == ("ICP-MS 7", "Velmara")
    assert (one["value"], one["low"], one["high"], one["limit"]) == (12, 11, 13, 10)
    assert one["taken"].startswith("2024-03-01")
    assert (other["procedure"], other["analyst"], other["state"]) == (
        "ISO 8288", "", "probably_not",
    )  # fmt: skip
