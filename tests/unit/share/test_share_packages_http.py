"""Packages over HTTP on loopback: for whom they are, whole or the rest of them, and nobody else."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ecotone.model.errors import InputRefused, StoreError, UsageError
from ecotone.share import keys
from ecotone.share.packages import fetch as fetching
from ecotone.share.packages import sent
from ecotone.share.packages.export import Wanted, export
from ecotone.share.packages.importing import held, import_package
from ecotone.share.packages.serve import HEADER, PURPOSE, address, server, signed_text
from ecotone.store import open_node
from tests.exchange import agree, agreement, close, deliver, nodes, occurrences


@contextmanager
def running(one: ThreadingHTTPServer) -> Iterator[str]:
    thread = threading.Thread(target=one.serve_forever, daemon=True)
    thread.start()
    try:
        yield address(one)
    finally:
        one.shutdown()
        one.server_close()
        thread.join()


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    actors = nodes(tmp_path_factory.mktemp("nodes"), ("DUSH", "URUM", "BISH"))
    agree(actors, agreement("DUSH", ["URUM"]), at=["DUSH"])
    deliver(actors["DUSH"], occurrences(300))
    export(actors["DUSH"], Wanted("URUM"))
    folder = actors["DUSH"].store.folder
    with running(server(lambda: open_node(folder))) as url:
        yield actors, url
    close(actors)


def asked(url: str, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes, dict]:
    host = url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=20)
    connection.request("GET", path, headers=headers or {})
    answer = connection.getresponse()
    found = answer.status, answer.read(), dict(answer.getheaders())
    connection.close()
    return found


def signature(actor, path: str, owner: str = "DUSH", purpose: str = PURPOSE) -> dict[str, str]:
    text = signed_text(owner, path)
    return {HEADER: str(keys.sign(actor.store.folder, text, purpose=purpose))}


def test_only_the_party_itself_is_answered(pair):
    actors, url = pair
    path = "/packages/URUM/"
    assert asked(url, path, signature(actors["URUM"], path))[0] == 200
    other = "/packages/URUM/1"
    for headers in (
        {},
        {HEADER: "nonsense"},
        signature(actors["BISH"], path),
        signature(actors["URUM"], other),
        signature(actors["URUM"], path, owner="BISH"),
        signature(actors["URUM"], path, purpose="package"),
    ):
        status, body, _ = asked(url, path, headers)
        assert (status, body) == (403, b"")
    # Nobody learns whether there is anything: the answers are the same where there is nothing.
    assert asked(url, "/packages/BISH/")[:2] == (403, b"")
    assert asked(url, "/packages/NONE/")[:2] == (403, b"")
    for strange in ("/", "/packages/", "/packages/urum/", "/packages/URUM/../x", "/etc/passwd"):
        assert asked(url, strange)[0] == 404


def test_ranges_and_what_is_not_there(pair):
    actors, url = pair
    path = "/packages/URUM/1"
    whole = sent.sealed(actors["DUSH"].store, "URUM", 1).read_bytes()
    mine = signature(actors["URUM"], path)
    status, body, headers = asked(url, path, mine)
    assert status == 200 and body == whole and headers["Accept-Ranges"] == "bytes"
    tag = headers["ETag"]
    part = {**mine, "Range": "bytes=1000-", "If-Range": tag}
    status, body, headers = asked(url, path, part)
    assert status == 206 and body == whole[1000:]
    assert headers["Content-Range"] == f"bytes 1000-{len(whole) - 1}/{len(whole)}"
    assert asked(url, path, {**part, "If-Range": '"other"'})[:2] == (200, whole)
    assert asked(url, path, {**mine, "Range": "bytes=5-9"})[1] == whole, "only the rest is given"
    assert asked(url, path, {**mine, "Range": f"bytes={len(whole)}-"})[0] == 416
    gone = "/packages/URUM/7"
    assert asked(url, gone, signature(actors["URUM"], gone))[0] == 404


def test_fetched_in_two_parts(pair, tmp_path):
    actors, url = pair
    receiver = actors["URUM"]
    one = fetching.wanted(receiver, url, "DUSH")[0]
    whole = sent.sealed(actors["DUSH"].store, "URUM", 1).read_bytes()
    inbox = receiver.store.folder / "packages" / "inbox" / "DUSH"
    inbox.mkdir(parents=True)
    part = inbox / f"000001-{one.sha256[:16]}.zip.part"
    part.write_bytes(whole[:5000])
    path = fetching.fetch(receiver, url, "DUSH", one)
    assert path.read_bytes() == whole
    assert fetching.fetch(receiver, url, "DUSH", one) == path, "it is there already"
    for wrong in (b"x" * 5000, b"x" * (len(whole) + 1), b"x" * len(whole)):
        path.unlink(missing_ok=True)
        part.write_bytes(wrong)
        try:
            fetching.fetch(receiver, url, "DUSH", one)
        except InputRefused as error:
            assert error.message.key == "packages.fetched-other"
        assert not part.exists()
        assert fetching.fetch(receiver, url, "DUSH", one).read_bytes() == whole
    with pytest.raises(InputRefused) as refused:
        path.unlink()
        fetching.fetch(receiver, url, "DUSH", one, most=100)
    assert refused.value.message.key == "packages.too-large"
    path = fetching.fetch(receiver, url, "DUSH", one)
    assert import_package(receiver, path).new == {"Occurrence": 300}
    fetching.forget(path)
    assert fetching.wanted(receiver, url, "DUSH") == []
    said = sent.newest(actors["DUSH"].store, "URUM")
    assert said is not None and held(receiver, "DUSH") == said.state


class _Odd(BaseHTTPRequestHandler):
    """A server that is none of ours."""

    body = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (b"<html>", "packages.server-answer"),
        (b"[]", "packages.server-answer"),
        (b"{}", "packages.server-answer"),
        (b'{"party": "DUSH", "packages": [{}]}', "packages.server-answer"),
        (b'{"party": "BISH", "packages": []}', "packages.other-server"),
    ],
)
def test_a_server_that_answers_otherwise(pair, body, key):
    actors, _ = pair

    class Handler(_Odd):
        pass

    Handler.body = body
    odd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with running(odd) as url, pytest.raises(InputRefused) as refused:
        fetching.offered(actors["URUM"], url, "DUSH")
    assert refused.value.message.key == key


def test_addresses_that_lead_nowhere(pair):
    actors, url = pair
    for wrong in ("ftp://x", "nonsense", "http://", "http://host:port", "http://[::1"):
        with pytest.raises(UsageError) as refused:
            fetching.offered(actors["URUM"], wrong, "DUSH")
        assert refused.value.message.key == "packages.url-wrong"
    with pytest.raises(InputRefused) as unreachable:
        fetching.offered(actors["URUM"], "http://127.0.0.1:1", "DUSH")
    assert unreachable.value.message.key == "packages.server-unreachable"
    with pytest.raises(InputRefused) as said:
        fetching.offered(actors["BISH"], f"{url}/elsewhere", "DUSH")
    assert said.value.message.key == "packages.server-refuses"


def test_a_node_that_cannot_be_opened_says_so_without_a_reason(pair):
    actors, _ = pair

    def broken():
        raise StoreError("the disk is gone at /home/secret")

    with running(server(broken)) as url:
        path = "/packages/URUM/"
        assert asked(url, path, signature(actors["URUM"], path))[:2] == (503, b"")


def test_a_sealed_file_that_is_gone_is_not_offered(tmp_path: Path):
    actors = nodes(tmp_path)
    agree(actors, agreement("DUSH", ["URUM"]), at=["DUSH"])
    deliver(actors["DUSH"], occurrences(5))
    made = export(actors["DUSH"], Wanted("URUM"))
    made.path.unlink()
    folder = actors["DUSH"].store.folder
    with running(server(lambda: open_node(folder))) as url:
        assert fetching.offered(actors["URUM"], url, "DUSH") == []
        gone = fetching.Offered(1, made.sent.size, made.sent.sha256)
        with pytest.raises(InputRefused):
            fetching.fetch(actors["URUM"], url, "DUSH", gone)
    close(actors)
