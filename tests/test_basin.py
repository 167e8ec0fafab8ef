"""The virtual basin, whole: the demo, its promises, and the tutorial as it is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.command import ecotone
from tests.tutorial import carry_out, commands


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder in which the demo has been run."""
    folder = tmp_path_factory.mktemp("basin")
    told = ecotone("demo", folder / "ecotone-demo", "--lang", "en", "--to", "html", "--to", "xlsx")
    assert told.code == 0, told.err
    assert "report-en.html" in told.out
    return folder


@pytest.fixture(scope="module")
def run(place) -> Path:
    (found,) = (place / "ecotone-demo" / "node" / "runs").glob("*/run.json")
    return found.parent


def nodes(place: Path) -> dict[str, Path]:
    """The node of each party."""
    home = place / "ecotone-demo"
    return {"VIWE": home / "node", **{p: home / "parties" / p for p in ("KNCM", "SUEA")}}


def test_three_parties_deliver_at_no_toy_size(place):
    verdicts: list[str] = []
    for party, node in nodes(place).items():
        told = ecotone("status", "--node", node, "--json").json
        owners = {d["dataset_id"]: d["party_id"] for d in told["datasets"]}
        records: dict[str, int] = {}
        for total in told["totals"]:
            owner = owners[total["dataset_id"]]
            records[owner] = records.get(owner, 0) + total["records"]
        assert len(records) == 3, f"{party} holds nothing of somebody"
        assert min(records.values()) >= 10_000
        assert told["ledger_holds"]
        verdicts += [b["verdict"] for b in told["batches"]]
    assert verdicts.count("refused") == 1 and verdicts.count("partial") == 1


def test_the_parties_exchange_and_both_ends_are_in_one_state(place, run):
    told = json.loads((run / "exchange.json").read_text(encoding="utf-8"))
    pairs = {(one["sender"], one["recipient"]) for one in told["packages"]}
    assert len(pairs) == 6
    for one in told["packages"]:
        assert one["state"] == one["held"]
        assert one["rows"] == one["taken_in"] > 10_000
        sealed = (place / "ecotone-demo" / "carried" / one["file"]).read_bytes()
        assert sealed.startswith(b"age-encryption.org/v1")
        assert all(name.startswith(one["sender"]) for name in one["agreements"])
    # What the first party sees of another's cats came in a package, and is cells alone.
    seen = {one["reader"]: one["places"] for one in told["seen"]}
    exact = {reader: {tuple(p[:2]) for p in places if not p[2]} for reader, places in seen.items()}
    assert all(exact.values())
    for reader, places in seen.items():
        theirs = set().union(*(exact[other] for other in exact if other != reader))
        assert not theirs & {tuple(p[:2]) for p in places}
    html = (place / "ecotone-demo" / "report" / "report-en.html").read_text(encoding="utf-8")
    assert "Packages between the parties" in html
    assert "The same animals as each party sees them" in html


def test_estimates_agree_with_what_was_planted(place, run):
    document = json.loads((run / "run.json").read_text(encoding="utf-8"))
    results = {
        (r["indicator"], r["region"], r["period"]): json.loads(
            (run / r["path"]).read_text(encoding="utf-8")
        )["values"]
        for r in document["results"]
    }
    truth = json.loads((run / document["truth"]).read_text(encoding="utf-8"))["values"]
    inside = with_interval = 0
    for planted in truth:
        key = (planted["indicator"], planted["region"], planted["period"])
        value = results[key][planted["name"]]
        if value["low"] is not None and value["high"] is not None:
            with_interval += 1
            inside += value["low"] <= planted["truth"] <= value["high"]
    assert with_interval >= 5
    assert inside / with_interval >= 0.7, "95 % intervals should hold the truth nearly always"


def test_each_result_names_the_agreements_and_levels_it_stands_on(place, run):
    document = json.loads((run / "run.json").read_text(encoding="utf-8"))
    lines = {a["release"]: a for a in document["agreements"]}
    trends = [r for r in document["results"] if r["indicator"] == "land.trend"]
    assert trends
    for result in trends:
        came = {(lines[name]["id"], lines[name]["level"]) for name in result["releases"]}
        assert came == {("own", "full"), ("KNCM-LAND-2024", "full"), ("SUEA-LAND-2024", "full")}
    html = (place / "ecotone-demo" / "report" / "report-en.html").read_text(encoding="utf-8")
    assert "KNCM-LAND-2024, v1 (in full)" in html


def test_exact_places_of_cats_do_not_cross_the_border(place):
    asked = ["share", "preview", "Occurrence", "--rows", 100_000, "--json", "--node"]
    own = ecotone(*asked, nodes(place)["VIWE"], "--reader", "VIWE").json["rows"]
    # What Velmara would let Suvarin see, and what Suvarin has of it on its own node.
    told = ecotone(*asked, nodes(place)["VIWE"], "--reader", "SUEA").json["rows"]
    partner = ecotone(*asked, nodes(place)["SUEA"], "--reader", "SUEA").json["rows"]
    assert {r["id"] for r in told} == {r["id"] for r in partner if r["dataset_id"].startswith("XA")}
    exact = {
        (r["latitude"], r["longitude"]) for r in own if (r["taxon"] or "").startswith("Panthera")
    }
    seen = [r for r in partner if (r["taxon"] or "").startswith("Panthera")]
    foreign = [r for r in seen if r["dataset_id"].startswith("XA")]
    assert exact and foreign
    assert not exact & {(r["latitude"], r["longitude"]) for r in foreign}
    assert all(r["coordinate_uncertainty_m"] > 5_000 for r in foreign)
    picture = place / "ecotone-demo" / "report" / "who-sees-what.png"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_demo_makes_way_only_for_itself(place, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    told = ecotone("demo", tmp_path / "mine")
    assert told.code == 2
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "mine"


def test_the_tutorial_as_it_is_written(place, run, monkeypatch):
    monkeypatch.chdir(place)
    lines = commands("basin")
    assert len(lines) > 12
    for line in lines[1:]:
        carry_out(line.replace("RUN", run.as_posix()))
    assert any(Path("for-comments").glob("*.docx"))
