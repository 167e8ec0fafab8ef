"""The portal at a million records on SQLite: every page, and each filter and turn one would click.

Told are the median and the 95th percentile of processor time in the server's own process, and of
the clock over HTTP, where a browser's connection stays open. The door's release, made once after
each change of data or agreements, is told apart; so is the CSV of the whole table: when its first
bytes came, how long it took, how many bytes it has and how far memory grew by it.
"""

from __future__ import annotations

import os
import re
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import uvicorn
from benchmarks.machine import machine
from tests.nodes import deliver
from tests.portal import PASSWORD as WORD
from tests.portal import Visitor, csrf, world

from ecotone.share.desk import open_node

ROWS = 1_000_000
TURNS = 15
TABLE = "/data/Observation"
#: What one would click, by name; pages that need a record or a place in the table come beside.
PAGES = {
    "table": TABLE,
    "one site": f"{TABLE}?site=S07",
    "site and property": f"{TABLE}?site=S07&property=nitrate",
    "property": f"{TABLE}?property=ph",
    "dataset": f"{TABLE}?dataset_id=urum-water",
    "two days": f"{TABLE}?start=2001-02-03&end=2001-02-04",
    "from a day on": f"{TABLE}?start=2001-02-03",
    "all filters": f"{TABLE}?site=S07&property=ph&start=2001-02-03&end=2002-02-04&q=lab-12",
    "short text": f"{TABLE}?q=S07",
    "text of an id": f"{TABLE}?q=lab-1234",
    "text nowhere": f"{TABLE}?q=nowhere-to-be-found",
    "box": f"{TABLE}?west=75&south=42&east=75.4&north=42.5",
    "sorted by value": f"{TABLE}?sort=value",
    "sorted by value, down": f"{TABLE}?sort=-value",
    "sorted by time, down": f"{TABLE}?sort=-time_start",
    "sorted by site": f"{TABLE}?sort=site",
    "sorted, filtered": f"{TABLE}?sort=-value&site=S07&property=ph",
    "last page": f"{TABLE}?last=1",
    "last page, sorted": f"{TABLE}?last=1&sort=-value",
    "map": f"{TABLE}/map",
    "map, one site": f"{TABLE}/map?site=S07",
    "map, a square": f"{TABLE}/map/6/45/23.svg",
    "map, a square of one site": f"{TABLE}/map/6/45/23.svg?site=S07",
    "map, zoomed": f"{TABLE}/map?west=75&south=42&east=75.4&north=42.5",
    "map, two days": f"{TABLE}/map?start=2001-02-03&end=2001-02-04",
    "overview": "/data",
    "home": "/",
    "deliver": "/deliver",
    "matches": "/matches",
    "sharing": "/sharing",
    "agreement": "/sharing/agreements/KNCM-WILD",
    "draft": "/sharing/draft",
    "preview": "/sharing/preview?reader=URUM&noun=Observation",
    "runs": "/runs",
    "plan": "/runs/plans/nitrate",
    "ledger": "/ledger",
    "me": "/me",
}


def main() -> None:
    """Build, time and print."""
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        here = world(Path(folder))
        fill(here.node)
        with serving(here.app()) as (app, address):
            told = ready(app)
            print(f"release of {ROWS:,} records: {told:.1f} s")
            pages = {**PAGES, **of_a_record(app)}
            inside = {name: cpu(app, path) for name, path in pages.items()}
            outside = clock(address, pages)
            print(f"{'ms':24}{'cpu: first':>12}{'p50':>7}{'p95':>7}{'clock: p50':>15}{'p95':>7}")
            for name in sorted(pages, key=lambda n: -inside[n][1]):
                print(f"{name:24}{ms(inside[name]):>26}{ms(outside[name][1:]):>22}")
            print(download(address))


def fill(node: Path, rows: int = ROWS) -> None:
    """A million laboratory results in the dataset of the node's own party."""
    with open_node(node) as store:
        for part in range(5):
            i = np.arange(part * rows // 5, (part + 1) * rows // 5)
            frame = pd.DataFrame(
                {
                    "observation_id": [f"lab-{k}" for k in i],
                    "site": [f"S{k % 40:02d}" for k in i],
                    "property": np.where(i % 3 == 0, "nitrate", "ph"),
                    "value": (i % 977) / 8,
                    "unit": "mg/L",
                    "time_start": pd.Timestamp("2000-01-01", tz="UTC")
                    + pd.to_timedelta(i * 90, unit="s"),
                    "latitude": 42.0 + (i % 5000) / 5000,
                    "longitude": 75.0 + (i % 7001) / 7001,
                }
            )
            deliver(store, frame, dataset="kncm-water", name=f"many-{part}.csv")


def ready(app: Any) -> float:
    """Seconds until the table stands for the first time; the other kinds are made as well."""
    visitor = Visitor(app).sign_in("aigul")
    begun = time.perf_counter()
    visitor.until(visitor.get(TABLE), 900)
    taken = time.perf_counter() - begun
    for path in ("/data", PAGES["preview"], "/matches"):
        visitor.until(visitor.get(path), 900)
    return taken


def of_a_record(app: Any) -> dict[str, str]:
    """Pages of one record in the midst of the table, and the page after it."""
    page = Visitor(app).sign_in("aigul").get(PAGES["text of an id"]).text
    found = re.search(r'/record/([^?"]+)', page)
    further = re.search(r'rel="next" href="([^"]+)"', page)
    assert found and further
    one = f"{TABLE}/record/{found[1]}"
    return {"record": one, "correct": f"{one}/correct", "next page": unescape(further[1])}


def cpu(app: Any, path: str, turns: int = TURNS) -> tuple[float, ...]:
    """Processor time of one page: the first time, median and 95th percentile."""
    visitor = Visitor(app).sign_in("aigul")
    return spread(lambda: visitor.get(path), time.process_time, turns)


def clock(address: str, pages: dict[str, str]) -> dict[str, tuple[float, ...]]:
    """The same by the clock, through a socket, for somebody who has signed in."""
    with signed_in(address) as browser:
        return {
            name: spread(lambda path=path: browser.get(path), time.perf_counter, TURNS)
            for name, path in pages.items()
        }


def spread(ask: Callable[[], Any], watch: Callable[[], float], turns: int) -> tuple[float, ...]:
    """Seconds: the first, median and 95th percentile."""
    taken = []
    for _ in range(turns):
        begun = watch()
        answer = ask()
        taken.append(watch() - begun)
        assert answer.status_code == 200, answer.url
    return taken[0], statistics.median(taken), sorted(taken)[int(0.95 * (turns - 1))]


def ms(times: tuple[float, ...]) -> str:
    """Times as they are printed."""
    return "".join(f"{t * 1000:7.0f}" for t in times)


def download(address: str) -> str:
    """The whole table as CSV: first bytes, whole, size, and how far memory grew."""
    with signed_in(address) as browser:
        begun = time.perf_counter()
        while True:
            with browser.stream("GET", f"{TABLE}/csv") as answer:
                if "refresh" not in answer.headers:
                    break
            time.sleep(0.2)
        released = time.perf_counter() - begun
        before, most, first, size = resident(), 0, 0.0, 0
        begun = time.perf_counter()
        with browser.stream("GET", f"{TABLE}/csv") as answer:
            for block in answer.iter_bytes(1 << 18):
                first = first or time.perf_counter() - begun
                size += len(block)
                most = max(most, resident())
        whole = time.perf_counter() - begun
    return (
        f"CSV: released for downloading in {released:.1f} s, then first bytes "
        f"after {first:.2f} s, whole after {whole:.1f} s, {size / 1e6:.0f} MB, "
        f"memory grew by {(most - before) / 1e6:.0f} MB"
    )


def resident() -> int:
    """Bytes of memory this process holds now; 0 where the system does not tell."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def signed_in(address: str) -> Iterator[httpx.Client]:
    """A browser of a steward."""
    headers = {"accept": "text/html"}
    with httpx.Client(
        base_url=address, headers=headers, timeout=600, follow_redirects=True
    ) as browser:
        secret = csrf(browser.get("/sign-in"))
        form = {"csrf": secret, "person": "aigul", "password": WORD}
        assert browser.post("/sign-in", data=form).status_code == 200
        yield browser


@contextmanager
def serving(app: Any) -> Iterator[tuple[Any, str]]:
    """The server in a thread of this process, on an address of its own."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    try:
        yield app, f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)


if __name__ == "__main__":
    main()
