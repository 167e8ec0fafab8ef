"""The basin's cats: the same from the same seed, without places, told as they are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecotone.demo.basin import Basin
from ecotone.demo.grid import NORTH, WEST

TABLES = ("captures", "detectors", "mask", "genotypes", "decisions")


def table(basin: Basin, name: str) -> pd.DataFrame:
    return pd.read_csv(basin.folder / f"cats/{name}.csv")


def test_tables_fit_together_and_tell_no_place(basin: Basin) -> None:
    captures, detectors, mask = (table(basin, n) for n in TABLES[:3])
    assert set(captures["detector"]) <= set(detectors["detector"])
    assert detectors["country"].isin(["XA", "XB"]).all()
    for frame in (detectors, mask):
        assert not frame["x"].between(WEST, WEST + 3).any()
        assert not frame["y"].between(NORTH - 3, NORTH).any()
    # Turned: no two cells share a coordinate as cells of a map would.
    assert mask["x"].nunique() > 0.5 * len(mask)
    first = mask[["x", "y"]].to_numpy()
    nearest = np.sort(np.hypot(*(first[:200, None] - first[None]).transpose(2, 0, 1)), axis=1)[:, 1]
    assert nearest == pytest.approx(2500.0, abs=0.3)


def test_a_camera_died_and_ghosts_are_planted(basin: Basin) -> None:
    detectors = table(basin, "detectors")
    cameras = detectors[detectors["session"] == "camera"]
    effort = cameras[[c for c in cameras if c.startswith("usage")]].sum(axis=1)
    assert (effort < effort.max()).sum() == 1
    captures = table(basin, "captures")
    ghosts = captures[captures["id"].str.contains("-X")]
    assert 0 < len(ghosts) < 0.15 * len(captures)
    decisions = table(basin, "decisions")
    assert set(decisions["decision"]) == {"same", "different", "unsure"}
    assert decisions["observer"].nunique() == 2


def test_what_was_planted_is_told(basin: Basin) -> None:
    document = json.loads(basin.truth.read_text(encoding="utf-8"))
    told = {
        (v["indicator"], v["name"]): v["truth"]
        for v in document["values"]
        if v["indicator"].startswith("wildlife.")
    }
    captures = table(basin, "captures")
    alive = told["wildlife.density", "expected_n"]
    photographed = told["wildlife.individuals", "individuals_together"]
    assert photographed < alive
    assert photographed < captures[captures["session"] == "camera"]["id"].nunique()
    left = captures[captures["session"] == "scat"]["id"].nunique()
    assert told["wildlife.identity", "unique_genotypes"] == left
    area = len(table(basin, "mask")) * 6.25
    assert told["wildlife.density", "density"] == pytest.approx(100 * alive / area)


def test_each_party_sends_its_own_catalogue(basin: Basin) -> None:
    sent = {d.party_id: d.path for d in basin.deliveries if d.name == "individuals"}
    for party, letter in (("VIWE", "V"), ("KNCM", "K")):
        names = pd.read_csv(Path(sent[party]))["individual"]
        assert names.str.startswith(letter).all()
        assert names.is_unique
