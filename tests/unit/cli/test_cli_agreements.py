"""Two stewards on two nodes: keys, drafts, signatures, letters, requests, by the commands alone."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.command import Told, ecotone


@dataclass(frozen=True)
class Office:
    """One party's node."""

    folder: Path
    party: str

    def __call__(self, *arguments: object, fails: int = 0) -> Told:
        told = ecotone(*arguments, "--node", self.folder)
        assert told.code == fails, told.err + told.out
        return told

    @property
    def fingerprint(self) -> str:
        return str(self("keys", "show", "--json").json["keys"][-1]["fingerprint"])

    def state(self, agreement: str = "AG-1") -> str:
        return str(self("share", "show", agreement, "--json").json[-1]["state"])

    def refusals(self) -> list[str]:
        from ecotone.store import open_node

        with open_node(self.folder) as store:
            return [line.said["code"] for line in store.ledger() if line.kind == "refused"]


def office(folder: Path, party: str, country: str) -> Office:
    told = ecotone("init", folder, "--party", party, "--name", party, "--country", country)
    assert told.code == 0, told.err
    made = Office(folder, party)
    assert made.fingerprint in told.out
    made("add", "person", f"{party}-signer", "--name", "S. Igner", "--role", "signer")
    return made


def acquaint(one: Office, other: Office, place: Path) -> None:
    ring = place / f"{other.party}.keys"
    other("keys", "export", "-o", ring)
    one("add", "party", other.party, "--name", other.party, "--country", "CN",
        "--key", ring, "--fingerprint", other.fingerprint)  # fmt: skip


@pytest.fixture
def dushanbe(tmp_path: Path) -> Office:
    made = office(tmp_path / "dushanbe", "TNU", "TJ")
    made("add", "dataset", "cats", "--title", "Cats", "--zone", "Asia/Dushanbe",
         "--clearance", "Ministry|7|2024-01-01|all")  # fmt: skip
    return made


@pytest.fixture
def urumqi(tmp_path: Path, dushanbe: Office) -> Office:
    made = office(tmp_path / "urumqi", "XIEG", "CN")
    acquaint(dushanbe, made, tmp_path)
    acquaint(made, dushanbe, tmp_path)
    return made


@pytest.fixture
def concluded(tmp_path: Path, dushanbe: Office, urumqi: Office) -> tuple[Office, Office]:
    draft, letter = tmp_path / "draft.toml", tmp_path / "letter.json"
    dushanbe("share", "draft", "--to", "XIEG", "--id", "AG-1", "-o", draft)
    dushanbe("share", "add", draft)
    dushanbe("share", "propose", "AG-1", "-o", letter)
    urumqi("share", "add", letter)
    urumqi("share", "sign", "AG-1", "-o", letter)
    dushanbe("share", "add", letter)
    return dushanbe, urumqi


@pytest.mark.parametrize("lang", ["en", "zh", "ru"])
def test_from_draft_to_force_and_back(tmp_path, dushanbe, urumqi, lang):
    draft, letter = tmp_path / "draft.toml", tmp_path / "letter.json"
    dushanbe("share", "draft", "--to", "XIEG", "--id", "AG-1", "--lang", lang, "-o", draft)
    assert "[agreement]" in draft.read_text(encoding="utf-8")
    dushanbe("share", "draft", "--to", "XIEG", "-o", draft, fails=2)
    dushanbe("share", "add", draft)
    assert "nothing was changed" in dushanbe("share", "add", draft).out
    assert dushanbe.state() == "draft"
    told = dushanbe("share", "propose", "AG-1", "-o", letter)
    assert "XIEG" in told.out and dushanbe.fingerprint in told.out
    assert dushanbe.state() == "proposed"
    dushanbe("share", "sign", "AG-1", fails=2)
    dushanbe("share", "preview", "--reader", "XIEG", fails=0)

    urumqi("share", "add", letter)
    assert urumqi.state() == "proposed"
    assert urumqi("share", "sign", "AG-1", "-o", letter).out.count("Signed by") == 2
    assert urumqi.state() == "active" and dushanbe.state() == "proposed"
    dushanbe("share", "add", letter)
    assert dushanbe.state() == "active"
    asked = ("share", "preview", "--to", "XIEG", "--json")
    assert {d["agreement_id"] for d in dushanbe(*asked).json["decisions"]} == {"AG-1"}

    urumqi("share", "suspend", "AG-1", "--why", "the camera list is being checked", "-o", letter)
    dushanbe("share", "add", letter)
    assert dushanbe.state() == "suspended"
    assert dushanbe(*asked).json["decisions"] == []
    (kept,) = dushanbe(*asked).json["withheld"]
    assert "suspended" in kept["why"] and "AG-1" in kept["why"]
    urumqi("share", "resume", "AG-1", "--why", "checked", "-o", letter)
    dushanbe("share", "add", letter)
    assert dushanbe.state() == "active"
    dushanbe("share", "resume", "AG-1", "--why", "x", fails=2)
    told = dushanbe("share", "revoke", "AG-1", "--why", "the project ended", "-o", letter)
    assert "cannot be called back" in told.out
    urumqi("share", "add", letter)
    assert urumqi.state() == dushanbe.state() == "revoked"
    urumqi("share", "suspend", "AG-1", "--why", "x", fails=2)
    for node in (urumqi, dushanbe):
        head = node("share", "audit", "--json").json["head"]
        noted = f"{head['seq']} {head['hash']}"
        assert noted in node("share", "audit").out
        node("share", "audit", "--anchor", noted, "--chain")
        node("share", "audit", "--anchor", "0" * 64, fails=1)
        node("share", "audit", "--anchor", "nothing", fails=2)


def test_an_amendment_holds_when_all_have_signed_it(tmp_path, concluded):
    dushanbe, urumqi = concluded
    text = (tmp_path / "draft.toml").read_text(encoding="utf-8")
    amended, letter = tmp_path / "amended.toml", tmp_path / "letter.json"
    amended.write_text(text, encoding="utf-8")
    dushanbe("share", "amend", amended, fails=2)
    amended.write_text(text.replace('level = "withheld"', 'level = "metadata"', 1), "utf-8")
    assert "version 2" in dushanbe("share", "amend", amended).out
    dushanbe("share", "propose", "AG-1", "-o", letter)
    shown = dushanbe("share", "show", "AG-1", "--json").json
    assert [v["state"] for v in shown] == ["active", "proposed"]
    urumqi("share", "add", letter)
    urumqi("share", "sign", "AG-1")
    shown = urumqi("share", "show", "AG-1", "--json").json
    assert [v["state"] for v in shown] == ["superseded", "active"]
    assert "superseded" in urumqi("share", "show", "AG-1").out
    assert urumqi("share", "list", "--json").json["agreements"][0]["version"] == 1


def test_a_country_joins_by_an_amended_version(tmp_path, concluded):
    dushanbe, urumqi = concluded
    bishkek = office(tmp_path / "bishkek", "NASKR", "KG")
    acquaint(dushanbe, bishkek, tmp_path)
    acquaint(bishkek, dushanbe, tmp_path)
    acquaint(bishkek, urumqi, tmp_path)
    text = (tmp_path / "draft.toml").read_text(encoding="utf-8")
    amended, letter = tmp_path / "amended.toml", tmp_path / "letter.json"
    amended.write_text(text.replace('["XIEG"]', '["XIEG", "NASKR"]'), encoding="utf-8")
    dushanbe("share", "amend", amended)
    dushanbe("share", "sign", "AG-1", "-o", letter)
    bishkek("share", "add", letter)
    bishkek("share", "sign", "AG-1", "-o", letter)
    dushanbe("share", "add", letter)
    assert [v["state"] for v in dushanbe("share", "show", "AG-1", "--json").json] == [
        "active",
        "proposed",
    ]
    urumqi("share", "add", letter, fails=2)
    acquaint(urumqi, bishkek, tmp_path)
    urumqi("share", "add", letter)
    urumqi("share", "sign", "AG-1", "-o", letter)
    for node in (dushanbe, bishkek):
        node("share", "add", letter)
        assert node.state() == "active"


def test_a_scan_of_the_stamped_paper_is_attached_by_hash(tmp_path, concluded):
    dushanbe, urumqi = concluded
    scan, letter = tmp_path / "stamped.pdf", tmp_path / "letter.json"
    scan.write_bytes(b"%PDF stamped")
    told = dushanbe("share", "attach", "AG-1", scan, "--why", "signed in Dushanbe", "-o", letter)
    assert "stamped.pdf" in told.out
    urumqi("share", "add", letter)
    (said,) = urumqi("share", "show", "AG-1", "--json").json[-1]["said"]
    assert said["scan"]["sha256"] in told.out and said["party"] == "TNU"
    assert "stamped.pdf" in urumqi("share", "show", "AG-1").out
    dushanbe("share", "attach", "AG-1", tmp_path / "absent.pdf", fails=2)
    dushanbe("share", "attach", "AG-9", scan, fails=2)
    assert dushanbe.refusals() == ["lifecycle.agreement-unknown"]


def test_a_reader_asks_and_the_owner_answers(tmp_path, dushanbe, urumqi):
    letter = tmp_path / "letter.json"
    asked = urumqi("share", "request", "--of", "TNU", "--dataset", "cats", "--purpose", "density",
                   "--until", "2099-12-31", "--level", "generalised", "--cell", "0.01",
                   "--why", "SECR needs 1 km", "-o", letter)  # fmt: skip
    dushanbe("share", "add", letter)
    (request,) = dushanbe("share", "list", "--json").json["requests"]
    assert request["statement_id"] in asked.out
    assert "SECR needs 1 km" in dushanbe("share", "list").out
    dushanbe("share", "answer", request["statement_id"], "--refuse", "--why",
             "0.1 degree is what the ministry allows", "-o", letter)  # fmt: skip
    dushanbe("share", "answer", request["statement_id"], "--grant", "--why", "x", fails=2)
    urumqi("share", "add", letter)
    assert "what the ministry allows" in urumqi("share", "list").out
    urumqi("share", "answer", request["statement_id"], "--grant", "--why", "x", fails=2)
    base = ("share", "request", "--dataset", "cats", "--purpose", "x", "--why", "x")
    urumqi(*base, "--of", "XIEG", "--until", "2099-01-01", fails=2)
    urumqi(*base, "--of", "TNU", "--until", "2001-01-01", fails=2)
    urumqi(*base, "--of", "TNU", "--until", "soon", fails=2)
    urumqi(*base, "--of", "NOBODY", "--until", "2099-01-01", fails=2)


def test_keys_by_command(tmp_path, dushanbe, urumqi):
    ring = tmp_path / "ring"
    assert dushanbe.fingerprint in urumqi("keys", "show", "TNU").out
    dushanbe("keys", "rotate")
    dushanbe("keys", "export", "-o", ring)
    urumqi("keys", "trust", ring)
    assert dushanbe.fingerprint in urumqi("keys", "show", "TNU").out
    dushanbe("add", "person", "rahim", "--name", "Rahim", "--role", "steward")
    dushanbe("keys", "rotate", "--because", "left", "--person", "rahim")
    dushanbe("add", "project", "P", "--title", "P", "--by", "rahim", fails=2)
    dushanbe("keys", "rotate", "--because", "left", "--person", "nobody", fails=2)
    dushanbe(
        "keys", "rotate", "--because", "left", "--person", "steward", "--by", "steward", fails=2
    )
    dushanbe("keys", "rotate", "--because", "boredom", fails=2)
    told = dushanbe("keys", "rotate", "--because", "lost")
    assert "telephone" in told.out
    dushanbe("keys", "export", "-o", ring)
    assert dushanbe("keys", "export").out.startswith("ecotone-key TNU 1 ")
    urumqi("keys", "trust", ring, fails=3)
    urumqi("keys", "trust", ring, "--fingerprint", urumqi.fingerprint, fails=3)
    assert urumqi.refusals() == ["keys.compare", "keys.fingerprint-differs"]
    urumqi("keys", "trust", ring, "--fingerprint", dushanbe.fingerprint.lower().replace(" ", ""))
    dushanbe("keys", "revoke")
    dushanbe("keys", "revoke", fails=2)
    dushanbe("keys", "rotate")
    assert [k["reason"] for k in dushanbe("keys", "show", "--json").json["keys"]] == [
        "routine", "left", "lost", "stolen", None,
    ]  # fmt: skip
    urumqi("keys", "trust", tmp_path / "absent", fails=2)
    urumqi("add", "party", "KNCM", "--name", "K", "--country", "TJ", "--key", ring, fails=2)


def test_a_passphrase_keeps_the_keys_shut(tmp_path, monkeypatch):
    monkeypatch.setenv("ECOTONE_PASSPHRASE", "three rivers")
    made = office(tmp_path / "node", "TNU", "TJ")
    key = (tmp_path / "node" / "keys" / "signing-1.key").read_bytes()
    assert key.startswith(b"age-encryption.org/v1")
    made("keys", "rotate")
    made("keys", "rotate", "--because", "left", fails=2)
    monkeypatch.setenv("ECOTONE_NEW_PASSPHRASE", "four rivers")
    made("keys", "rotate", "--because", "left")
    monkeypatch.delenv("ECOTONE_NEW_PASSPHRASE")
    made("keys", "revoke", fails=3)
    monkeypatch.setenv("ECOTONE_PASSPHRASE", "four rivers")
    made("keys", "revoke")
    monkeypatch.delenv("ECOTONE_PASSPHRASE")
    made("keys", "rotate", fails=3)


def test_nodes_made_before_there_were_keys_get_them(tmp_path, dushanbe):
    for path in (dushanbe.folder / "keys").glob("*.key*"):
        path.unlink()
    dushanbe("keys", "show", fails=1)
    dushanbe("keys", "rotate")
    assert dushanbe.fingerprint


def altered(letter: Path, **changes: object) -> Path:
    document = json.loads(letter.read_text(encoding="utf-8"))
    document["agreements"][0].update(changes)
    path = letter.with_name("altered.json")
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_what_is_altered_unsigned_or_unreadable_is_refused_and_noted(tmp_path, concluded):
    dushanbe, urumqi = concluded
    letter = tmp_path / "letter.json"
    dushanbe("share", "propose", "AG-1", fails=2)
    before = urumqi("share", "show", "AG-1", "--json").json
    for path in (
        altered(letter, purposes=["hunting"]),
        altered(letter, version=2, purposes=["hunting"]),
        altered(letter, classes=[{"name": "all", "level": "open"}]),
        altered(letter, signatures={"TNU": "nonsense"}, version=3),
        altered(letter, signatures={"KNCM": "x"}, version=3),
    ):
        urumqi("share", "add", path, fails=3)
    strange = tmp_path / "strange.json"
    one = '{"format": "ecotone-letter 1"'
    for text in (
        '{"format": "ecotone-letter 9"}',
        one + "}",
        one + ', "agreements": 1, "statements": []}',
        one + ', "agreements": [1], "statements": []}',
        one + ', "agreements": [], "statements": [{}]}',
    ):
        strange.write_text(text, encoding="utf-8")
        urumqi("share", "add", strange, fails=3)
    assert len(urumqi.refusals()) == 10
    assert urumqi("share", "show", "AG-1", "--json").json == before
    urumqi("share", "add", tmp_path / "absent.json", fails=2)
    urumqi("share", "show", "AG-9", fails=2)


def test_two_words_on_one_thing_are_not_signed(tmp_path, concluded):
    dushanbe, _ = concluded
    text = (tmp_path / "draft.toml").read_text(encoding="utf-8")
    other = tmp_path / "other.toml"
    other.write_text(
        text.replace('"AG-1"', '"AG-2"').replace("cell_degrees = 0.1", "cell_degrees = 0.01"),
        encoding="utf-8",
    )
    dushanbe("share", "add", other)
    told = dushanbe("share", "sign", "AG-2", fails=3)
    assert "AG-1" in told.err and dushanbe.refusals() == ["lifecycle.contradiction"]
    other.write_text(text.replace('"AG-1"', '"AG-3"').replace('["cats"]', '["dogs"]'), "utf-8")
    dushanbe("share", "add", other, fails=2)
    other.write_text(text.replace('"AG-1"', '"AG-3"').replace('["XIEG"]', '["NOBODY"]'), "utf-8")
    dushanbe("share", "add", other, fails=2)


def test_only_a_signer_signs(tmp_path, dushanbe, urumqi):
    draft = tmp_path / "draft.toml"
    dushanbe("share", "draft", "--to", "XIEG", "--id", "AG-1", "-o", draft)
    dushanbe("share", "draft", "--to", "XIEG", "--lang", "tlh", "-o", tmp_path / "x", fails=2)
    dushanbe("share", "add", draft)
    dushanbe("share", "sign", "AG-1", "--by", "steward", fails=2)


def test_odrl_by_command(concluded):
    _, urumqi = concluded
    assert urumqi("share", "show", "AG-1", "--odrl").json["@type"] == "Agreement"


def test_a_preview_tells_and_draws_what_would_leave_and_what_not(tmp_path, concluded):
    dushanbe, _ = concluded
    seen = tmp_path / "seen.csv"
    rows = [f"o{n},Panthera uncia,{37.05 + n / 10},73.05,2020-05-0{n + 1}" for n in range(4)]
    head = "occurrenceID,scientificName,decimalLatitude,decimalLongitude,eventDate"
    seen.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    dushanbe("ingest", seen, "--dataset", "cats")
    drawn = tmp_path / "map.png"
    told = dushanbe("share", "preview", "Occurrence", "--to", "XIEG", "--map", drawn)
    assert "generalised, 4" in told.out and drawn.read_bytes().startswith(b"\x89PNG")
    assert "cannot be called back" in told.out and "person who recorded it" in told.out
    full = dushanbe("share", "preview", "Occurrence", "--to", "TNU", "--map", drawn, "--json")
    assert len(full.json["rows"]) == 4
    dushanbe("share", "preview", "--to", "XIEG", "--map", drawn, fails=2)
    dushanbe("share", "preview", "Media", "--to", "XIEG", "--map", drawn)
    out = dushanbe("share", "preview", "--to", "XIEG", "--purpose", "sport").out
    assert "for joint assessment only" in out and "Nothing would leave" in out
    out = dushanbe("share", "preview", "--to", "XIEG", "--action", "download").out
    assert "does not allow" in out
    assert "No agreement" in dushanbe("share", "preview", "--to", "ELSE").out
    from ecotone.store import open_node

    with open_node(dushanbe.folder) as store:
        assert all(x.said["preview"] for x in store.ledger() if x.kind == "release")


def test_the_guide_names_commands_and_options_that_there_are():
    from typer.main import get_command

    from ecotone.cli.app import app

    guide = Path(__file__).parents[3] / "docs" / "agreements.md"
    text = guide.read_text(encoding="utf-8")
    lines = re.findall(r"^ecotone .*$", text, re.MULTILINE)
    lines += re.findall(r"`(ecotone [^`]*)`", text.replace("\n", " "))
    assert len(lines) > 25
    for line in lines:
        command: Any = get_command(app)
        words = shlex.split(line)[1:]
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
        assert not getattr(command, "commands", {}), line
        assert {w for w in words if w.startswith("-")} <= known, line
