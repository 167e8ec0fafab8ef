"""The commands about packages, and the tutorial as it is written."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from tests.command import ecotone
from tests.exchange import agree, agreement, close, deliver, nodes, occurrences
from tests.tutorial import carry_out, commands, save_files

from ecotone.cli import packages
from ecotone.share.packages.serve import address, server
from ecotone.store import open_node


def test_the_tutorial_as_it_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(packages.PASSPHRASE, "seven grey wolves")
    (tmp_path / "stick").mkdir()
    save_files("sharing", tmp_path)
    lines = commands("sharing")
    assert len(lines) > 25
    running = None
    for command in lines:
        if " serve " in command:
            running = server(lambda: open_node(tmp_path / "dushanbe"))
            threading.Thread(target=running.serve_forever, daemon=True).start()
            assert (
                ecotone("share", "export", "--to", "URUM", "--whole", "--node", "dushanbe").code
                == 0
            )
            continue
        if "http://127.0.0.1:8765" in command:
            assert running is not None
            command = command.replace("http://127.0.0.1:8765", address(running))
        for party, folder in (("URUM", "urumqi"), ("DUSH", "dushanbe")):
            if f"FINGERPRINT-OF-{party}" in command:
                told = ecotone("keys", "show", "--json", "--node", folder).json
                mark = f"FINGERPRINT-OF-{party}"
                command = command.replace(mark, told["keys"][-1]["fingerprint"])
        carry_out(command)
    assert running is not None
    running.shutdown()
    running.server_close()
    sightings = (tmp_path / "looked-into" / "data" / "occurrence.csv").read_text("utf-8-sig")
    assert "38.2031" in sightings and "38.1234" not in sightings
    assert "Rahimova" not in sightings


@pytest.fixture
def pair(tmp_path: Path):
    actors = nodes(tmp_path)
    agree(actors, agreement("DUSH", ["URUM"]), at=["DUSH"])
    deliver(actors["DUSH"], occurrences(20))
    close(actors)
    return tmp_path / "dush", tmp_path / "urum"


def test_export_and_import_for_machines(pair, tmp_path):
    sender, receiver = pair
    told = ecotone("share", "export", "--to", "URUM", "--json", "--node", sender).json
    assert told["fresh"] and told["rows"] == {"Occurrence": 20} and told["kind"] == "whole"
    again = ecotone("share", "export", "--to", "URUM", "--node", sender)
    assert "Nothing is new" in again.out
    done = ecotone("share", "import", told["path"], "--json", "--node", receiver).json
    assert done["state"] == told["state"] and done["new"] == {"Occurrence": 20}
    same = ecotone("share", "import", told["path"], "--node", receiver)
    assert same.code == 0 and "taken in before" in same.out
    listed = ecotone("share", "packages", "--json", "--node", receiver).json
    assert [(one["way"], one["party"], one["sequence"]) for one in listed] == [
        ("received", "DUSH", 1)
    ]
    assert ecotone("share", "packages", "--node", sender).out.count("URUM") == 1


def test_a_bad_package_is_one_sentence(pair, tmp_path):
    sender, receiver = pair
    path = tmp_path / "bad.zip.age"
    path.write_bytes(b"age-encryption.org/v1\nnothing of the sort")
    told = ecotone("share", "import", path, "--node", receiver)
    assert told.code == 3 and told.err.startswith("Error:")
    assert ecotone("share", "import", tmp_path / "none", "--node", receiver).code == 3
    assert ecotone("share", "export", "--to", "NONE", "--node", sender).code == 2
    assert ecotone("share", "export", "--to", "DUSH", "--node", receiver).code == 3


def test_a_passphrase_is_asked_for(pair, tmp_path, monkeypatch):
    sender, receiver = pair
    asked = []
    monkeypatch.delenv(packages.PASSPHRASE, raising=False)
    monkeypatch.setattr(
        packages.typer, "prompt", lambda text, hide_input: asked.append(text) or "seven wolves"
    )
    told = ecotone("share", "export", "--to", "URUM", "--passphrase", "--json", "--node", sender)
    path = told.json["path"]
    looked = ecotone(
        "share", "open", path, "-o", tmp_path / "open", "--passphrase", "--node", receiver
    )
    assert looked.code == 0 and len(asked) == 2
    assert json.loads((tmp_path / "open" / "datapackage.json").read_text(encoding="utf-8"))


def test_serving_until_it_is_ended(pair, monkeypatch):
    sender, _ = pair
    ecotone("share", "export", "--to", "URUM", "--node", sender)
    from ecotone.share.packages import serve as serving

    told = {}

    def forever(self) -> None:
        told["url"] = serving.address(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(serving.ThreadingHTTPServer, "serve_forever", forever)
    ended = ecotone("share", "serve", "--port", "0", "--node", sender)
    assert ended.code == 130 and told["url"] in ended.out


def test_fetching(pair):
    sender, receiver = pair
    ecotone("share", "export", "--to", "URUM", "--node", sender)
    running = server(lambda: open_node(sender))
    threading.Thread(target=running.serve_forever, daemon=True).start()
    fetch = ("share", "fetch", address(running), "--from", "DUSH", "--node", receiver)
    assert "20 new" in ecotone(*fetch).out
    assert "nothing newer" in ecotone(*fetch).out
    running.shutdown()
    running.server_close()
    assert ecotone(*fetch).code == 3
