"""A laboratory's batches, at once: which results fail, by what, and nothing lost."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from tests.command import ecotone

HEAD = "result_id,station,sample,analysis,date,analysed_at,property,fraction,value,unit,rl\n"
RESULTS = f"""{HEAD}r1,S1,B1,L1,2024-03-01T09:00:00Z,2024-03-02,arsenic,total,0.012,mg/L,0.001
r2,S2,B2,L1,2024-03-01T10:00:00Z,2024-03-02,arsenic,total,<0.001,mg/L,0.001
r3,S3,B3,L1,2024-03-01T11:00:00Z,2024-03-02,arsenic,total,4.0,ug/L,1
r4,S1,B1,L1,2024-03-01T09:00:00Z,2024-03-02,nitrate,,8.0,mg/L,0.1
r5,S1,B4,L2,2024-03-08T09:00:00Z,2024-03-12,nitrate,,8.0,mg/L,0.1
r6,S2,B4,L2,2024-03-08T09:00:00Z,2024-03-12,nitrate,,9.0,mg/L,0.1
r7,S1,B1,L1,2024-03-01T09:00:00Z,2024-03-02,arsenic,dissolved,0.02,mg/L,0.001
r8,S9,B9,L1,2024-03-01T09:00:00Z,2024-03-02,arsenic,total,0.5,mg/L,0.001
r9,S9,B9,L1,2024-03-01T09:00:00Z,2024-03-02,lead,total,0.5,mg/L,0.001
"""
CONTROLS = """control_id,analysis,kind,sample,property,value,unit,expected,reporting_limit
c1,L1,MB,,arsenic,0.002,mg/L,,0.001
c2,L1,LCS,,arsenic,10.1,ug/L,10,
c3,L1,duplicate,B1,nitrate,9.9,mg/L,,0.1
c4,L2,CRM,,nitrate,5.1,mg/L,10,
c5,L1,matrix spike,B1,nitrate,13.1,mg/L,5,
c6,L1,wizard,B1,nitrate,13.1,mg/L,5,
"""
CUSTODY = """sample,event,time,by,handed_to,temperature_c,seal,seal_state,signed
B1,collected,2024-03-01T09:00Z,Ana,,,,,
B1,handed over,2024-03-01T15:00Z,Ana,Bo,,,,yes
B1,received,2024-03-01T18:00Z,Cem,,12.5,,broken,yes
"""


class Told:
    def __init__(self, folder: Path, *more: object, **texts: str) -> None:
        given = []
        for name, text in texts.items():
            path = folder / f"{name}.csv"
            path.write_text(text, encoding="utf-8")
            given += ["-i", f"{name}={path}"]
        out = folder / "out"
        done = ecotone("compute", "water.laboratory", *given, *more, "-o", out)
        assert done.code == 0, done.err
        self.result = json.loads((out / "result.json").read_text(encoding="utf-8"))
        self.values = {n: v["value"] for n, v in self.result["values"].items()}
        self.tables = {n: pd.read_csv(out / p) for n, p in self.result["tables"].items()}

    def tests_of(self, record: str) -> dict[str, str]:
        reasons = self.tables["reasons"]
        own = reasons[reasons["record"] == record]
        return dict(zip(own["test"], own["flag"], strict=True))


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> Told:
    folder = tmp_path_factory.mktemp("laboratory")
    return Told(folder, results=RESULTS, controls=CONTROLS, custody=CUSTODY)


def test_a_failed_blank_marks_its_batch_and_not_what_it_cannot_have_caused(told):
    assert told.tests_of("r3") == {"method-blank": "fail"}
    assert told.tests_of("r2") == {}, "not detected: nothing came from the blank"
    assert told.tests_of("r8") == {}, "two hundred times the blank"
    assert told.tests_of("r1")["method-blank"] == "fail"


def test_every_reason_is_named(told):
    assert told.tests_of("r1") == {
        "method-blank": "fail", "dissolved-above-total": "fail", "custody-other-hands": "fail",
        "custody-seal-broken": "fail", "custody-too-warm": "suspect",
    }  # fmt: skip
    assert told.tests_of("r4")["laboratory-duplicate"] == "suspect"
    assert told.tests_of("r5") == {
        "reference-material": "fail", "bottle-twice": "fail", "result-twice": "suspect",
        "holding-time": "suspect",
    }  # fmt: skip
    assert told.tables["custody"]["row"].tolist() == [3, 3, 3]


def test_controls_are_judged_in_the_results_unit(told):
    controls = told.tables["controls"].set_index("control")
    assert controls.loc["c2", "measure"] == pytest.approx(101)
    assert controls.loc["c5", "measure"] == pytest.approx(102)
    assert controls["flag"].tolist() == ["fail", "pass", "fail", "fail", "pass"]
    assert [f["code"] for f in told.result["findings"]].count("water-control-kind") == 1


def test_counts_add_up_and_what_has_no_controls_is_said(told):
    v = told.values
    parts = ("passed", "suspect", "failed", "not_evaluated")
    assert v["results"] == sum(v[p] for p in parts) == 9
    assert v["not_evaluated"] == 1, "no control speaks for lead"
    assert (v["batches"], v["batches_failed"], v["custody_broken"]) == (2, 2, 1)


def test_the_layer_can_be_delivered_and_says_the_same_again(told, tmp_path):
    layer = told.tables["layer"]
    again = Told(tmp_path, results=RESULTS, controls=CONTROLS, custody=CUSTODY)
    assert again.tables["layer"].equals(layer)
    assert layer["flag_id"].is_unique
    mapping = tmp_path / "flags.toml"
    columns = "\n".join(f'{c} = "{c}"' for c in layer.columns)
    mapping.write_text(f'[mapping]\nname="f"\nrecord="QualityFlag"\n[columns]\n{columns}\n')
    path = tmp_path / "layer.csv"
    layer.to_csv(path, index=False)
    done = ecotone("ingest", path, "--mapping", mapping, "--dry-run", "--json").json
    assert done["verdict"] == "accepted" and done["records"]["QualityFlag"] == len(layer)


def test_results_that_name_no_batch_cannot_be_vouched_for(tmp_path):
    bare = RESULTS.replace(",L1,", ",,").replace(",L2,", ",,")
    told = Told(tmp_path, results=bare, controls=CONTROLS)
    assert "water-lab-unlinked" in {f["code"] for f in told.result["findings"]}


def test_standards_make_a_chart_and_an_uncertainty(tmp_path):
    values = [10, 10.1, 9.9, 10.05, 9.95, 10, 10.1, 9.9, 10, 10.05, 14.0]
    rows = "\n".join(
        f"k{n},L{n},LCS,,arsenic,{v},ug/L,10,1,2024-03-{n + 1:02d}" for n, v in enumerate(values)
    )
    controls = "control_id,analysis,kind,sample,property,value,unit,expected,reporting_limit,time\n"
    told = Told(tmp_path, results=RESULTS.replace("L1", "L10"), controls=controls + rows)
    assert told.values["controls"] == 2, "only of batches that results name: L10 and L2"
    assert len(told.tables["charts"]) == 11, "all of them for the chart"
    every = "\n".join(
        f"q{n},S1,X{n},L{n},2024-03-01T00:00:00Z,,arsenic,,5,ug/L,1" for n in range(11)
    )
    told = Told(tmp_path, results=HEAD + every, controls=controls + rows)
    chart = told.tables["charts"].set_index("control")
    assert "1_3s" in chart.loc["k10", "rules"] and chart.loc["k10", "flag"] == "suspect"
    assert told.tests_of("q10") == {"control-chart": "suspect", "control-sample": "fail"}
    (row,) = told.tables["uncertainty"].to_dict("records")
    assert 0.01 < row["expanded"] < 0.03, "the failed standard of 140 % is left out"
    assert (row["n"], row["left_out"]) == (10, 1)


STANDARD = "standard,version,property,max,unit\nT,1,arsenic,0.01,mg/L\nT,1,nitrate,11.3,mg/L\n"


def complies(folder: Path, **texts: str) -> dict:
    given = []
    for name, text in {"results": RESULTS, "standards": STANDARD, **texts}.items():
        path = folder / f"{name}.csv"
        path.write_text(text, encoding="utf-8")
        given += ["-i", f"{name}={path}"]
    done = ecotone("compute", "water.compliance", *given, "-o", folder / "out")
    assert done.code == 0, done.err
    return json.loads((folder / "out" / "result.json").read_text(encoding="utf-8"))


def test_what_failed_is_set_aside_from_the_judgement_and_told(tmp_path):
    bare = complies(tmp_path)["values"]
    assert bare["set_aside"]["value"] == 0
    told = complies(tmp_path, controls=CONTROLS, custody=CUSTODY)
    assert told["values"]["set_aside"]["value"] == 6
    assert told["values"]["results"]["value"] == bare["results"]["value"] - 6
    assert "water-set-aside" in {f["code"] for f in told["findings"]}


@pytest.mark.parametrize(
    ("row", "count"),
    [(",,L1,arsenic,fail", 5), ("r8,,,,fail", 1), (",B1,,,fail", 3), (",,L1,arsenic,suspect", 0)],
)
def test_flags_of_a_layer_are_kept_to(tmp_path, row, count):
    told = complies(tmp_path, flags=f"record,sample,analysis,property,flag\n{row}\n")
    assert told["values"]["set_aside"]["value"] == count


def test_the_uncertainty_of_the_standards_makes_states_between(tmp_path):
    controls = "control_id,analysis,kind,property,value,unit,expected\n" + "\n".join(
        f"k{n},L1,LCS,arsenic,{v},mg/L,0.01" for n, v in enumerate((0.009, 0.011, 0.01))
    )
    complies(tmp_path, controls=controls, results=RESULTS.replace("0.02,mg/L", "0.002,mg/L"))
    table = pd.read_csv(tmp_path / "out" / "tables" / "compliance.csv").set_index(
        ["station", "property"]
    )
    row = table.loc[("S1", "arsenic")]
    assert row["probably_not"] == 1, "0.012 within 26 % of 0.01"
