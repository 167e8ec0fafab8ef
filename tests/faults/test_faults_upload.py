"""An upload that breaks off half way: nothing of it is left, and the server goes on."""

from __future__ import annotations

import socket
import time
from urllib.parse import urlsplit

import httpx
from tests.portal import PASSWORD, csrf, serving, world

from ecotone.share.desk import open_node


def test_half_an_upload_leaves_nothing(tmp_path):
    here = world(tmp_path / "world")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    spool = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch))
    with (
        serving(here, **spool) as address,
        httpx.Client(base_url=address, headers={"accept": "text/html"}) as http,
    ):
        secret = csrf(http.get("/sign-in"))
        form = {"csrf": secret, "person": "aigul", "password": PASSWORD}
        http.post("/sign-in", data=form)
        page = http.get("/deliver")
        for _ in range(5):
            _break_off(address, http.cookies, csrf(page))
        time.sleep(0.5)
        assert http.get("/deliver").status_code == 200
        assert [p for p in scratch.rglob("*") if p.is_file()] == []
    with open_node(here.node) as store:
        assert {b.file_name for b in store.batches() if "half" in b.file_name} == set()
        assert list((store.folder / "staging").iterdir()) == []


def _break_off(address, cookies, secret):
    """Promise three megabytes, send two, hang up."""
    whole = urlsplit(address)
    head = (
        f'--cut\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{secret}\r\n'
        '--cut\r\nContent-Disposition: form-data; name="dataset"\r\n\r\nkncm-water\r\n'
        '--cut\r\nContent-Disposition: form-data; name="file"; filename="half.csv"\r\n\r\n'
    ).encode()
    kept = "; ".join(f"{c.name}={c.value}" for c in cookies.jar)
    with socket.create_connection((whole.hostname, whole.port), timeout=10) as line:
        line.sendall(
            f"POST /deliver HTTP/1.1\r\nHost: {whole.netloc}\r\nCookie: {kept}\r\n"
            "Content-Type: multipart/form-data; boundary=cut\r\n"
            f"Content-Length: {3_000_000}\r\n\r\n".encode()
        )
        line.sendall(head + b"observation_id,value\n" + b"a,1\n" * 500_000)
