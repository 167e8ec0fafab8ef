"""The page on agreements, carried out as it is written by its two parties."""

from __future__ import annotations

import json
import shutil

from tests.command import ecotone
from tests.tutorial import carry_out, commands

CATS = """occurrenceID,scientificName,decimalLatitude,decimalLongitude,eventDate
c1,Panthera uncia,38.2031,72.1111,2024-05-01
c2,Panthera uncia,38.3,72.2,2024-06-01
"""


def both(place):
    """The parties' nodes; the partner knows TNU and has a signer."""
    for party, country in (("TNU", "TJ"), ("XIEG", "CN")):
        node = place / party
        made = ecotone("init", node, "--party", party, "--name", party, "--country", country)
        assert made.code == 0, made.err
        ecotone("keys", "export", "-o", place / f"{party.lower()}.keys", "--node", node)
    shutil.copy(place / "xieg.keys", place / "TNU")
    here = ("--node", place / "XIEG")
    known = ("--key", place / "tnu.keys", "--fingerprint", fingerprint(place / "TNU"))
    steps = (
        ("add", "party", "TNU", "--name", "University", "--country", "TJ", *known, *here),
        ("add", "person", "liwei", "--name", "Li Wei", "--role", "signer", *here),
        ("add", "dataset", "cats", "--title", "Cats", "--node", place / "TNU"),
    )
    for step in steps:
        told = ecotone(*step)
        assert told.code == 0, told.err
    (place / "TNU" / "cats.csv").write_text(CATS, encoding="utf-8")
    (place / "TNU" / "stamped.pdf").write_bytes(b"%PDF-1.4")


def fingerprint(node):
    return ecotone("keys", "show", "--json", "--node", node).json["keys"][-1]["fingerprint"]


def test_the_page_as_it_is_written(tmp_path, monkeypatch):
    both(tmp_path)
    monkeypatch.chdir(tmp_path / "TNU")
    assert ecotone("ingest", "cats.csv", "--dataset", "cats").code == 0
    lines = commands("agreements")
    assert len(lines) > 25
    for line in lines:
        if line.startswith("# at "):
            here = tmp_path / line.removeprefix("# at ")
            monkeypatch.chdir(here)
            continue
        if "share propose" in line:
            changed = (here / "agreement.toml").read_text(encoding="utf-8").replace("0.1\n", "1\n")
            (here / "changed.toml").write_text(changed, encoding="utf-8")
        line = line.replace("FINGERPRINT-OF-XIEG", fingerprint(tmp_path / "XIEG"))
        if "REQUEST" in line:
            asked = ecotone("share", "list", "--json").json["requests"]
            line = line.replace("REQUEST", asked[-1]["statement_id"])
        if "HEAD-OF-LEDGER" in line:
            head = ecotone("share", "audit", "--json").json["head"]
            line = line.replace("HEAD-OF-LEDGER", f"{head['seq']} {head['hash']}")
        carry_out(line)
        for letter in ("letter.json", "back.json", "wish.json"):
            if (here / letter).exists():
                other = "XIEG" if here.name == "TNU" else "TNU"
                shutil.copy(here / letter, tmp_path / other)
    assert (tmp_path / "TNU" / "map.png").read_bytes().startswith(b"\x89PNG")
    states = ecotone("share", "list", "--json").json["agreements"]
    assert [(a["version"], a["state"]) for a in states] == [(1, "revoked"), (2, "draft")]
    monkeypatch.chdir(tmp_path / "XIEG")
    assert ecotone("share", "add", "letter.json").code == 0
    (held,) = ecotone("share", "list", "--json").json["agreements"]
    assert held["state"] == "revoked"
    assert json.dumps(held).count("the project ended") == 1
