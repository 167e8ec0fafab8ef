"""A plan on what was known on a day: a correction and a late delivery change only what is now."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from tests.command import ecotone

from ecotone.store import open_node

HEAD = "observation_id,site,time,property,value,unit\n"
MAPPING = """
[mapping]
record = "Observation"
zone = "+05:00"
[columns]
observation_id = "observation_id"
site = "site"
time = "time"
property = "property"
value = "value"
unit = "unit"
"""
PLAN = """
[plan]
title = {{ en = "Lead", zh = "铅", ru = "Свинец" }}
date = 2024-12-31
{known}
[[periods]]
id = "all"
start = 2024
end = 2024
[[indicators]]
id = "water.compliance"
parameters = {{ standard = "who-gdwq-4" }}
inputs = {{ results = "node:{dataset}" }}
"""


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """Lead at 5 and 12; then the second is corrected to 8 and a third comes, 20."""
    folder = tmp_path / "node"
    ecotone("init", folder, "--party", "VIWE", "--name", "Institute", "--country", "VX")
    ecotone("add", "dataset", "lab", "--title", "L", "--node", folder)
    mapping = tmp_path / "m.toml"
    mapping.write_text(MAPPING, encoding="utf-8")

    def take(name: str, *rows: str) -> None:
        path = tmp_path / name
        path.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
        told = ecotone("ingest", path, "--dataset", "lab", "--mapping", mapping, "--node", folder)
        assert told.code == 0, told.err

    take("one.csv", "R1,S1,2024-03-01T09:00,lead,5,ug/L", "R2,S1,2024-04-01T09:00,lead,12,ug/L")
    (tmp_path / "then").write_text(dt.datetime.now(dt.UTC).isoformat(), encoding="utf-8")
    take("two.csv", "R2,S1,2024-04-01T09:00,lead,8,ug/L", "R3,S1,2024-05-01T09:00,lead,20,ug/L")
    return folder


def run(node: Path, known: str, dataset: str = "lab") -> Path | str:
    plan = node.parent / "plan.toml"
    plan.write_text(PLAN.format(known=known, dataset=dataset), encoding="utf-8")
    told = ecotone("assess", plan, "--node", node)
    if told.code:
        return told.err
    made = sorted((node / "runs").iterdir(), key=lambda p: p.stat().st_mtime)
    return made[-1]


def counts(folder: Path) -> tuple[int, int]:
    (path,) = folder.glob("results/**/result.json")
    values = json.loads(path.read_text(encoding="utf-8"))["values"]
    return values["results"]["value"], values["exceedances"]["value"]


def test_what_was_known_then_and_what_is_known_now(node: Path) -> None:
    then = (node.parent / "then").read_text(encoding="utf-8")
    now = run(node, "")
    assert counts(now) == (3, 1)
    before = run(node, f"as_known = {then}")
    assert counts(before) == (2, 1)
    assert json.loads((before / "run.json").read_text(encoding="utf-8"))["as_known"] == then
    made = ecotone("verify", before)
    assert made.code == 0, made.err
    pages = ecotone("report", before, "--lang", "en", "--to", "html")
    assert pages.code == 0, pages.err
    page = next((before / "report").glob("*.html")).read_text(encoding="utf-8")
    assert "as they were known on" in page
    assert then[:10] in page
    assert counts(run(node, "as_known = 2099-01-01")) == (3, 1)


def test_before_the_node_knew_anything(node: Path) -> None:
    assert "releases no Observation" in run(node, "as_known = 2020-01-01")


@pytest.mark.parametrize(
    ("known", "dataset", "told"),
    [
        ("as_known = 2024-06-30T12:00:00", "lab", "needs its zone"),
        ('as_known = "long ago"', "lab", "as_known"),
    ],
)
def test_days_that_are_none(node: Path, known: str, dataset: str, told: str) -> None:
    assert told in run(node, known, dataset)


def test_of_what_others_share_no_past_is_given(node: Path) -> None:
    """Another reader's past is nothing: its own is not here, and others' is decided on today."""
    from ecotone.model.errors import Withheld
    from ecotone.share.decide import Request
    from ecotone.share.door import Door

    with open_node(node) as store:
        today = dt.date(2024, 12, 31)
        own = Door(store, Request(store.party_id, "assessment", "derive", today))
        assert len(own.release("Observation", as_of=dt.datetime.now(dt.UTC)).rows) == 3
        with pytest.raises(Withheld):
            other = Door(store, Request("KNCM", "assessment", "derive", today))
            other.release("Observation", as_of=dt.datetime.now(dt.UTC))
