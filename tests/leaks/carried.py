"""What a reader is sent, and everything it can make of that at home: packages, HTTP, its own node.

Each answer is named after the command it comes from, so that a test can see that none is left out.
"""

from __future__ import annotations

import http.client
import itertools
import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from tests import signing
from tests.leaks import answers
from tests.leaks.answers import told
from tests.leaks.plant import DAY, NOUNS, READERS, open_store

from ecotone.model.errors import EcotoneError
from ecotone.model.records import Person
from ecotone.share import keys
from ecotone.share.negotiate import Actor
from ecotone.share.packages import reading
from ecotone.share.packages.export import Wanted, export
from ecotone.share.packages.serve import HEADER, PURPOSE, address, server, signed_text
from ecotone.store import init_node, open_node

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
#: Until the agreements end: the tests are run on any day after.
DAYS = 30_000
FORMS = ((), ("dwca",), ("camtrapdp",))


@contextmanager
def same_seals() -> Iterator[None]:
    """Sealing draws the same bytes each time: what is sealed can be compared."""
    numbers = itertools.count(1)
    private = X25519PrivateKey.from_private_bytes(bytes(range(32)))

    class Drawn:
        from_private_bytes = X25519PrivateKey.from_private_bytes

        @staticmethod
        def generate() -> X25519PrivateKey:
            return private

    class System:
        @staticmethod
        def urandom(size: int) -> bytes:
            return next(numbers).to_bytes(size, "big")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ecotone.share.age.X25519PrivateKey", Drawn)
        patch.setattr("ecotone.share.age.os", System)
        yield


def packages(node: Path, reader: str, folder: Path) -> dict[str, bytes]:
    """Packages for the reader in every form, sealed and opened; the last lies in the outbox."""
    found: dict[str, bytes] = {}
    own = home(folder / "home", reader)
    with open_store(node) as store, open_node(own) as receiver, same_seals():
        actor = Actor(store, "aigul", date.fromisoformat(DAY))
        for number, also in enumerate(FORMS):
            name = f"share export | {'+'.join(also) or 'plain'}"
            photos = node.with_name("photos")
            wanted = Wanted(reader, whole=True, days=DAYS, also=also, photographs=photos)
            try:
                made = export(actor, wanted, now=NOW)
                again = export(actor, Wanted(reader, days=DAYS), now=NOW)
            except EcotoneError as error:
                found[f"{name} refused"] = f"{error.message} {error.hint}".encode()
                continue
            assert not again.fresh, "there is nothing new"
            found[f"{name} told"] = repr((made.rows, made.removed, made.photographs)).encode()
            found[f"{name} sealed"] = made.path.read_bytes()
            shutil.copyfile(made.path, folder / "package.zip.age")
            opened = folder / f"opened-{number}"
            reading.unpack(Actor(receiver, "reader", actor.today), made.path, opened)
            found |= {
                f"share open | {number} {path.relative_to(opened).as_posix()}": path.read_bytes()
                for path in sorted(opened.rglob("*"))
                if path.is_file()
            }
            shutil.rmtree(opened)
    return found


def home(folder: Path, reader: str) -> Path:
    """The reader's own node: new, with its keys, and the owner's keyring trusted."""
    shutil.rmtree(folder, ignore_errors=True)
    person = Person(person_id="reader", party_id=reader, name="R", role="steward")
    with init_node(folder, party=signing.party(reader), person=person) as store:
        shutil.copytree(signing.home(reader) / "keys", folder / "keys", dirs_exist_ok=True)
        for other in ("AA", *READERS):
            if other != reader:
                store.put_party(signing.party(other), person="reader")
    return folder


def at_home(reader: str, folder: Path) -> dict[str, bytes]:
    """The package taken in at the reader's node; every command there, and every file of it.

    All of it is made of the package's bytes alone, which do not depend on what is hidden: that is
    tried on the package itself.
    """
    own, package = folder / "home", folder / "package.zip.age"
    if not package.exists():
        return {}
    at = ["--node", own]
    found = {
        "share import": told("share", "import", package, *at),
        "share import | again": told("share", "import", package, "--json", *at),
        "share open": told("share", "open", package, "-o", folder / "looked-into", *at),
        "share packages": told("share", "packages", *at),
        "share packages | json": told("share", "packages", "--json", *at),
        "share audit": told("share", "audit", "--json", *at),
        "status": told("status", "--json", *at),
        "status | text": told("status", *at),
        "keys show": told("keys", "show", "AA", *at),
        "keys export": told("keys", "export", *at),
        "share list": told("share", "list", "--json", *at),
    }
    with open_node(own) as store:
        batches = [batch.batch_id for batch in store.batches()]
        one = {noun: _first(store, noun) for noun in NOUNS}
    for batch in batches:
        found[f"findings | {batch}"] = told("findings", batch, "--json", *at)
        out = folder / f"{batch}.csv"
        found[f"quarantine | {batch}"] = told("quarantine", batch, "-o", out, *at)
    for noun, identifier in one.items():
        if identifier is not None:
            found[f"history | {noun}"] = told("history", noun, identifier, "--json", *at)
        base = ("share", "preview", "--reader", reader, noun, "--on", DAY, *at)
        found[f"share preview | home {noun}"] = told(*base, "--json", "--rows", 1000)
    pictures = folder / "photographs"
    found["share photographs"] = told("share", "photographs", "-o", pictures, *at)
    found["export"] = told("export", "--everything", folder / "everything", *at)
    found["backup"] = told("backup", folder / "backup.zip", *at)
    found |= {
        f"home {name}": data
        for name, data in answers.reports(own, reader, folder / "home-run", ("en",)).items()
    }
    for place in (own, folder / "everything", pictures):
        for path in sorted(p for p in place.rglob("*") if p.is_file()):
            found[f"file {path.relative_to(folder).as_posix()}"] = path.read_bytes()
    shutil.rmtree(folder / "everything")
    shutil.rmtree(folder / "looked-into")
    (folder / "backup.zip").unlink()
    return found


def _first(store: object, noun: str) -> str | None:
    for frame in store.select(noun, datasets=[d.dataset_id for d in store.datasets()]):  # type: ignore[attr-defined]  # a Store
        return str(frame["id"].iloc[0])
    return None


def over_http(node: Path, reader: str) -> dict[str, bytes]:
    """What the owner's server answers: signed and unsigned, asked well and asked badly."""
    running = server(lambda: open_store(node))
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    host = address(running).removeprefix("http://")
    mine = f"/packages/{reader}/"
    try:
        found = {}
        for path in (mine, f"{mine}1", f"{mine}2", f"{mine}99"):
            found[f"share serve | {path}"] = _asked(host, "GET", path, _signed(reader, path))
            found[f"share serve | {path} unsigned"] = _asked(host, "GET", path, {})
        found["share fetch"] = found[f"share serve | {mine}"]
        last = f"{mine}2"
        for more in (
            {"Range": "bytes=1000-"},
            {"Range": "bytes=1000-", "If-Range": '"0"'},
            {"Range": "bytes=999999999-"},
            {"Range": "bytes=0-10,20-30"},
            {"If-None-Match": '"0"'},
        ):
            headers = {**_signed(reader, last), **more}
            found[f"share serve | {more}"] = _asked(host, "GET", last, headers)
        for path in (
            "/", "/packages", "/packages/AA/", "/packages/AA/1", f"{mine}../AA/1",
            "/packages/../ecotone.sqlite", f"{mine}?bbox=36,71,40,75&sort=latitude",
            f"{mine}1?near=kestrel", f"{mine}-1", "/stac", "/collections/cats/items?limit=1",
        ):  # fmt: skip
            found[f"share serve | {path}"] = _asked(host, "GET", path, _signed(reader, path))
        for method in ("HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
            found[f"share serve | {method}"] = _asked(host, method, mine, _signed(reader, mine))
    finally:
        running.shutdown()
        running.server_close()
        thread.join()
    return found


def _signed(reader: str, path: str) -> dict[str, str]:
    text = signed_text("AA", path)
    return {HEADER: str(keys.sign(signing.home(reader), text, purpose=PURPOSE))}


def _asked(host: str, method: str, path: str, headers: dict[str, str]) -> bytes:
    """Status line, headers but for the clock's, and body."""
    connection = http.client.HTTPConnection(host, timeout=60)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        heads = {k: v for k, v in answer.getheaders() if k != "Date"}
        line = f"{answer.status} {answer.reason}\n{json.dumps(heads)}\n"
        return line.encode() + answer.read()
    finally:
        connection.close()
