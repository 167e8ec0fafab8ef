"""A steward's day, by the commands alone."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from tests.command import ecotone, speaking
from tests.signing import conclude, party

from ecotone.share.agreements import load
from ecotone.store import open_node

RESULTS = (
    "Пост;Дата;Нитраты, мг/л;Свинец, мг/л\n"
    "П-1;03.04.2024;1,25;<0,01\n"
    "П-1;04.04.2024;много;0,02\n"
    "П-2;05.04.2024;2,5;0,03\n"
)
MAPPING = """
[mapping]
record = "Observation"
layout = "wide"
encoding = "cp1251"
delimiter = ";"
decimal = ","
day_first = true
[columns]
site = "Пост"
date = "Дата"
[[values]]
column = "Нитраты, мг/л"
property = "nitrate"
unit = "mg/L"
[[values]]
column = "Свинец, мг/л"
property = "lead"
unit = "mg/L"
"""
AGREEMENT = """
[agreement]
agreement_id = "AG-1"
title = {en = "Water"}
owner = "TNU"
recipients = ["XIEG"]
purposes = ["assessment"]
actions = ["view", "derive"]
datasets = ["water"]
valid_from = 2020-01-01
valid_until = 2099-12-31
status = "active"
[[agreement.classes]]
name = "nitrate"
nouns = ["Observation"]
properties = ["nitrate"]
level = "full"
"""


@pytest.fixture
def node(tmp_path: Path) -> Path:
    folder = tmp_path / "node"
    told = ecotone("init", folder, "--party", "TNU", "--name", "University", "--country", "TJ")
    assert told.code == 0, told.err
    told = ecotone("add", "dataset", "water", "--title", "Water", "--zone", "Asia/Dushanbe",
                   "--clearance", "Ministry|7|2024-01-01|all", "--node", folder)  # fmt: skip
    assert told.code == 0, told.err
    return folder


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "results.csv"
    path.write_bytes(RESULTS.encode("cp1251"))
    (tmp_path / "mapping.toml").write_text(MAPPING, encoding="utf-8")
    return path


def deliver(table: Path, node: Path, *more: object) -> dict:
    told = ecotone(
        "ingest", table, "--dataset", "water", "--mapping", table.parent / "mapping.toml",
        "--node", node, "--json", *more,
    )  # fmt: skip
    assert told.code == 0, told.err
    return told.json


def observations(node: Path) -> list[dict]:
    told = ecotone("share", "preview", "Observation", "--reader", "TNU", "--node", node,
                   "--rows", "99", "--json")  # fmt: skip
    return told.json["rows"]


def test_deliver_twice_mend_correct_withdraw(node, table, tmp_path):
    first = deliver(table, node)
    assert first["verdict"] == "partial" and first["repeated"] is False
    assert first["records"] == {"Observation": 5}
    (error,) = [f for f in first["findings"] if f["severity"] == "error"]
    assert (error["row"], error["field"], error["value"]) == (2, "Нитраты, мг/л", "много")
    again = deliver(table, node)
    assert again["repeated"] is True and again["batch"] == first["batch"]
    assert len(observations(node)) == 5

    out = tmp_path / "rejected.csv"
    assert ecotone("quarantine", first["batch"], "-o", out, "--node", node).code == 0
    with out.open(encoding="utf-8-sig", newline="") as handle:
        (row,) = list(csv.DictReader(handle))
    assert row["Нитраты, мг/л"] == "много" and row["ecotone:row"] == "2"
    mended = tmp_path / "mended.csv"
    row["Нитраты, мг/л"] = "3,75"
    with mended.open("w", encoding="cp1251", newline="") as handle:
        writer = csv.DictWriter(handle, list(row), delimiter=";")
        writer.writeheader()
        writer.writerow(row)
    second = deliver(mended, node)
    assert second["verdict"] == "accepted"
    rows = observations(node)
    assert len(rows) == 6, "the lead of the row came before and changes nothing"
    assert {r["value"] for r in rows if r["property"] == "nitrate"} == {1.25, 2.5, 3.75}

    wrong = next(r for r in rows if r["value"] == 2.5)
    told = ecotone("correct", "Observation", wrong["id"], "--set", "value=2.25", "--why",
                   "misread", "--node", node, "--json")  # fmt: skip
    assert told.code == 0, told.err
    assert told.json["diff"]["value"] == [2.5, 2.25]
    versions = ecotone("history", "Observation", wrong["id"], "--node", node, "--json").json
    assert [v["value"] for v in versions] == [2.5, 2.25]
    assert ecotone("history", "Observation", wrong["id"], "--node", node).code == 0

    assert ecotone("withdraw", second["batch"], "--why", "wrong file", "--node", node).code == 0
    assert len(observations(node)) == 5
    assert ecotone("share", "audit", "--node", node).code == 0
    assert ecotone("findings", first["batch"], "--node", node, "--json").json
    assert "много" in ecotone("findings", first["batch"], "--node", node).out
    status = ecotone("status", "--node", node, "--json").json
    assert status["ledger_holds"] and len(status["batches"]) == 2
    assert ecotone("status", "--node", node).code == 0


def test_an_agreement_opens_what_it_names_and_no_more(node, table, tmp_path):
    deliver(table, node)
    asked = ["share", "preview", "Observation", "--reader", "XIEG", "--node", node, "--json"]
    assert ecotone(*asked).code == 3
    path = tmp_path / "agreement.toml"
    path.write_text(AGREEMENT, encoding="utf-8")
    with open_node(node) as store:
        store.put_party(party("XIEG"), person="steward")
    added = ecotone("share", "add", path, "--node", node)
    assert added.code == 0 and "XIEG" in added.out
    assert ecotone(*asked).code == 3, "whatever its text says, nobody has signed it"
    with open_node(node) as store:
        conclude(store, load(path).model_dump(mode="json"), AGREEMENT, person="steward")
    told = ecotone(*asked).json
    assert {r["property"] for r in told["rows"]} == {"nitrate"}
    assert ecotone("share", "list", "--node", node).code == 0
    assert ecotone("share", "preview", "--reader", "XIEG", "--node", node).code == 0
    late = ecotone("share", "preview", "Observation", "--reader", "XIEG", "--node", node,
                   "--on", "2100-01-01")  # fmt: skip
    assert late.code == 3


def test_a_dry_run_needs_no_node_and_prints_only_json(table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = ecotone("ingest", table, "--dry-run", "--json")
    assert set(told.json) == {"verdict", "format", "records", "findings"}
    assert set(told.json["findings"][0]) == {
        "code", "severity", "row", "field", "value", "message",
    }  # fmt: skip
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK\x03\x04 nothing")
    told = ecotone("ingest", broken, "--dry-run", "--json")
    assert told.code == 3 and told.json["verdict"] == "refused" and told.json["findings"]
    both = ecotone("ingest", table, broken, "--dry-run", "--json")
    assert [d["verdict"] for d in both.json][1] == "refused"
    assert ecotone("ingest", table, "--dry-run").code == 0


def test_a_proposed_mapping_reads_the_file_it_was_made_from(table, tmp_path):
    told = ecotone("ingest", table, "--map", "--encoding", "cp1251")
    assert told.code == 0, told.err
    (tmp_path / "proposed.toml").write_text(told.out, encoding="utf-8")
    read = ecotone("ingest", table, "--dry-run", "--json", "--mapping", tmp_path / "proposed.toml",
                   "--decimal", ",")  # fmt: skip
    assert read.json["records"].get("Observation", 0) >= 5, read.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["ingest", "absent.csv", "--dry-run"],
        ["ingest", "{table}"],
        ["ingest", "{table}", "--dataset", "none", "--node", "{node}"],
        ["ingest", "{table}", "--dataset", "water", "--by", "nobody", "--node", "{node}"],
        ["ingest", "{table}", "--dry-run", "--decimal", ";"],
        ["ingest", "{table}", "--dry-run", "--as", "word"],
        ["ingest", "{table}", "--dry-run", "--zone", "Mars/Olympus"],
        ["status", "--node", "{empty}"],
        ["findings", "none", "--node", "{node}"],
        ["withdraw", "none", "--why", "x", "--node", "{node}"],
        ["correct", "Observation", "none", "--set", "value=1", "--why", "x", "--node", "{node}"],
        ["correct", "Nothing", "none", "--set", "value=1", "--why", "x", "--node", "{node}"],
        ["correct", "Observation", "x", "--set", "value", "--why", "x", "--node", "{node}"],
        ["init", "{full}", "--party", "AA", "--name", "A", "--country", "TJ"],
        ["init", "new", "--party", "not allowed", "--name", "A", "--country", "TJ"],
        ["add", "dataset", "x", "--title", "T", "--party", "ZZ", "--node", "{node}"],
        ["add", "dataset", "x", "--title", "T", "--clearance", "a|b", "--node", "{node}"],
        ["share", "add", "absent.toml", "--node", "{node}"],
        ["share", "preview", "Nothing", "--reader", "XIEG", "--node", "{node}"],
        ["share", "preview", "--reader", "XIEG", "--action", "steal", "--node", "{node}"],
        ["share", "preview", "--reader", "XIEG", "--on", "soon", "--node", "{node}"],
        ["assess", "absent.toml"],
        ["verify", "{empty}"],
        ["report", "{empty}"],
        ["report", "{empty}", "--lang", "tlh"],
        ["demo", "{full}"],
    ],
    ids=" ".join,
)
def test_what_is_wrong_is_told_in_a_sentence(node, table, tmp_path, arguments, monkeypatch):
    monkeypatch.chdir(tmp_path)
    empty, full = tmp_path / "empty", tmp_path / "full"
    empty.mkdir()
    full.mkdir()
    (full / "thesis.docx").write_text("mine")
    told = ecotone(*[a.format(table=table, node=node, empty=empty, full=full) for a in arguments])
    assert told.code in (1, 2, 3), told.out
    assert len(told.err) > 15 and "ecotone-fault" not in told.err, told.err
    assert (full / "thesis.docx").read_text() == "mine"
    assert not (tmp_path / "new").exists()


def test_messages_speak_the_reader_s_language(monkeypatch, tmp_path):
    from ecotone.cli import language

    language.language.cache_clear()
    monkeypatch.setenv("ECOTONE_LANG", "zh")
    try:
        told = ecotone("verify", tmp_path)
        assert "错误" in told.err
        assert json.dumps(told.err)
    finally:
        language.language.cache_clear()


def test_parties_people_and_projects(node):
    assert ecotone("add", "party", "XIEG", "--name", "Institute", "--country", "CN", "--node",
                   node).code == 0  # fmt: skip
    assert ecotone("add", "person", "li", "--name", "Li", "--party", "XIEG", "--role", "signer",
                   "--node", node).code == 0  # fmt: skip
    assert ecotone("add", "project", "P1", "--title", "Project", "--start", "2024-01-01",
                   "--node", node).code == 0  # fmt: skip
    assert ecotone("add", "person", "x", "--name", "X", "--role", "king", "--node", node).code == 2


def test_an_interruption_is_told_as_one(monkeypatch):
    import ecotone.cli.node as commands

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "open_here", stopped)
    told = ecotone("status")
    assert told.code == 130
    assert "Interrupted" in told.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["history", "--node", "x"], "Не хватает NOUN."),
        (["export"], "Не хватает --everything."),
        (["backup", "a", "--nope"], "Параметра --nope нет."),
        (["backup", "a", "b"], "Лишнее: b"),
        (["frobnicate"], "Команды «frobnicate» нет."),
        (["labels", "--count", "many"], "--count должен быть числом."),
        (["template", "Site", "--lang"], "Параметру --lang нужно значение."),
    ],
)
def test_wrong_usage_is_told_in_the_readers_language(arguments, told):
    with speaking("ru"):
        found = ecotone(*arguments)
    assert found.code == 2 and found.err.rstrip().endswith(told)
    assert "Error" not in found.err and "Usage" not in found.err
    assert ecotone(*arguments).code == 2
