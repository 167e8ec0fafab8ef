"""A package says nothing that the released rows do not: not by its files, nor by being made."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.exchange import agree, agreement, close, deliver, nodes, occurrences

from ecotone.share.packages import reading
from ecotone.share.packages.export import Wanted, export


@pytest.fixture
def pair(tmp_path: Path):
    actors = nodes(tmp_path)
    agree(actors, agreement("DUSH", ["URUM"]), at=["DUSH"])
    frame = occurrences(40)
    # Exact places with digits of their own, well inside their cells.
    i = np.arange(40)
    frame["latitude"] = 38.05 + (i % 5) / 10 + 0.0217 + i * 1e-5
    frame["longitude"] = 73.05 + (i % 3) / 10 + 0.0183 + i * 1e-5
    deliver(actors["DUSH"], frame)
    yield actors
    close(actors)


def files(actors, path: Path, folder: Path) -> dict[str, bytes]:
    reading.unpack(actors["URUM"], path, folder)
    return {
        found.relative_to(folder).as_posix(): found.read_bytes()
        for found in folder.rglob("*")
        if found.is_file()
    }


def cats(actors) -> pd.DataFrame:
    found = pd.concat(actors["DUSH"].store.select("Occurrence", datasets=["DUSH-wild"]))
    return found[found["taxon"] == "Panthera uncia"]


def test_no_exact_place_of_a_cat_in_any_file(pair, tmp_path):
    told = files(pair, export(pair["DUSH"], Wanted("URUM")).path, tmp_path / "open")
    hidden = cats(pair)
    needles = []
    for value in [*hidden["latitude"], *hidden["longitude"]]:
        needles += [f"{value:.3f}".encode(), np.float64(value).tobytes()]
        needles += [np.float64(value).byteswap().tobytes(), np.float32(value).tobytes()]
    others = pd.concat(pair["DUSH"].store.select("Occurrence", datasets=["DUSH-wild"]))
    open_text = {f"{v:.3f}".encode() for c in ("latitude", "longitude") for v in others[c]
                 if v not in set(hidden[c])}  # fmt: skip
    needles += [text.encode() for text in [*hidden["id"], *hidden["occurrence_id"]]]
    for name, content in told.items():
        decoded = content
        if name.endswith(".parquet"):
            decoded += pd.read_parquet(tmp_path / "open" / name).to_csv().encode()
        for needle in needles:
            if needle not in open_text:
                quoted = b'"' + needle + b'"' if needle.startswith(b"o-") else needle
                assert quoted not in decoded, (name, needle)


def test_moving_a_cat_inside_its_cell_changes_nothing_and_is_not_noticed(pair, tmp_path):
    sender = pair["DUSH"]
    now = datetime.now(UTC)
    export(sender, Wanted("URUM"))
    before = files(pair, export(sender, Wanted("URUM", whole=True), now=now).path, tmp_path / "a")
    for row in cats(pair).itertuples():
        moved = {"latitude": row.latitude + 0.011, "longitude": row.longitude - 0.013}
        sender.store.correct("Occurrence", row.id, moved, person=sender.person, reason="GPS")
    assert not export(sender, Wanted("URUM")).fresh, "there is nothing new to send"
    after = files(pair, export(sender, Wanted("URUM", whole=True), now=now).path, tmp_path / "b")
    assert before.keys() == after.keys()
    for name in before:
        if name != "manifest.json":  # it has the next number and names the one before
            assert before[name] == after[name], name
