"""What a report tells of sharing: under what each figure's data came, and a demo's exchange."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from ecotone.report import build_report

STATE = "5e2777c5" * 8


def packages(held: str) -> dict[str, object]:
    """Two parties, a package each way; the second's state is ``held`` at its receiver."""
    one = {
        "sender": "KNCM",
        "recipient": "VIWE",
        "file": "KNCM-VIWE-000001.zip.age",
        "sequence": 1,
        "rows": 13_883,
        "taken_in": 13_883,
        "agreements": ["KNCM-WILD-2024 v1"],
        "state": STATE,
        "held": STATE,
    }
    other = {**one, "sender": "VIWE", "recipient": "KNCM", "file": "VIWE-KNCM-000001.zip.age"}
    return {
        "packages": [one, {**other, "held": held}],
        "seen": [
            {"reader": "VIWE", "places": [[-161.8, 41.2, 0.0], [-161.55, 41.25, 0.1]]},
            {"reader": "KNCM", "places": []},
        ],
        "taxa": ["Panthera uncia"],
    }


def told(run: Path, folder: Path, held: str, lang: str) -> str:
    """The report of a run whose plan names an exchange, and whose results name releases."""
    shutil.copytree(run, folder / "run")
    path = folder / "run" / "run.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["exchange"] = "exchange.json"
    for result in document["results"]:
        result["releases"] = ["r-0001", "r-0002"]
    path.write_text(json.dumps(document), encoding="utf-8")
    text = json.dumps(packages(held))
    (folder / "run" / "exchange.json").write_text(text, encoding="utf-8")
    build_report(folder / "run", langs=[lang], formats=["html"], out_dir=folder / "out")
    return (folder / "out" / f"report-{lang}.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("lang", "same", "differs"),
    [("en", "the same", "DIFFERENT"), ("zh", "一致", "不一致"), ("ru", "совпадает", "РАСХОДИТСЯ")],
)
def test_a_demo_tells_what_went_between_its_parties(run, tmp_path, lang, same, differs):
    html = re.sub(r"data:image/[^\"]+", "", told(run, tmp_path, "0" * 64, lang))
    assert "KNCM-VIWE-000001.zip.age" in html and "KNCM-WILD-2024 v1" in html
    assert same in html and differs in html
    # Who cannot see the map is told how many exact places and cells each party has.
    alts = re.findall(r'alt="([^"]*VIWE[^"]*)"', html)
    assert any(re.findall(r"\d+", alt)[:2] == ["1", "1"] for alt in alts)


def test_figures_name_agreement_version_and_level(run, tmp_path):
    html = told(run, tmp_path, STATE, "en")
    under = re.findall(r"own data \(in full\); [^<]*", html)
    assert under and all(re.search(r", v\d+ \(generalised to 0\.1° cells\)", u) for u in under)


def test_a_report_without_an_exchange_says_nothing_of_one(run, tmp_path):
    build_report(run, langs=["en"], formats=["html"], out_dir=tmp_path)
    html = (tmp_path / "report-en.html").read_text(encoding="utf-8")
    assert "Packages between the parties" not in html and "own data (in full);" not in html
