"""The land tutorial as it is written, on a basin that was simulated but not taken in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecotone.demo import simulate
from tests.tutorial import carry_out, commands

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which every command of the tutorial has been run."""
    folder = tmp_path_factory.mktemp("land")
    simulate(folder / "ecotone-demo" / "basin")
    lines = commands("land")
    assert len(lines) == 8
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for line in lines[1:]:
            carry_out(line)
    return folder


def values(folder: Path, name: str) -> dict[str, dict[str, float]]:
    return json.loads((folder / name / "result.json").read_text(encoding="utf-8"))["values"]


def test_estimates_hold_the_truth(place: Path) -> None:
    told = json.loads((place / "ecotone-demo/basin/truth.json").read_text(encoding="utf-8"))
    truth = {(t["indicator"], t["name"]): t["truth"] for t in told["values"]
             if t["region"] == "BASIN"}  # fmt: skip
    cases = (
        ("spi", "land.spi", "lowest_december"),
        ("drought", "land.drought-exposure", "severe_km2"),
        ("drift", "land.sand-drift", "reduction"),
        ("erosion", "land.wind-erosion", "reduction"),
    )
    for folder, indicator, name in cases:
        found = values(place, folder)[name]
        assert found["low"] <= truth[indicator, name] <= found["high"], indicator


def test_rule_sets_differ_and_the_sample_decides(place: Path) -> None:
    found = values(place, "degraded")
    assert found["degraded_most_km2"]["value"] > 3 * found["degraded_least_km2"]["value"]
    adjusted = found["degraded_adjusted_km2"]
    assert 0 < adjusted["low"] < adjusted["value"] < adjusted["high"]
    assert (place / "degraded/exports/prais.xlsx").exists()
    assert (place / "degraded/exports/trends_earth.json").exists()
