"""The wildlife tutorial as it is written, on a basin that was simulated but not taken in."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from ecotone.demo import simulate
from tests.tutorial import carry_out, commands

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which every command of the tutorial has been run."""
    folder = tmp_path_factory.mktemp("wildlife")
    simulate(folder / "ecotone-demo" / "basin")
    (folder / "deployments.csv").write_text(
        "deploymentID,deploymentStart,deploymentEnd\nd1,2025-06-01T00:00:00Z,2025-06-20T00:00:00Z\n"
    )
    (folder / "observations.csv").write_text(
        "deploymentID,eventStart,observationType,scientificName\n"
        "d1,2025-06-09T00:00:00Z,animal,Panthera uncia\n"
    )
    lines = commands("wildlife")
    assert len(lines) == 7
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for line in lines[1:]:
            carry_out(line)
    return folder


def values(folder: Path, name: str) -> dict[str, dict[str, float]]:
    return json.loads((folder / name / "result.json").read_text(encoding="utf-8"))["values"]


def test_estimates_hold_the_truth(place: Path) -> None:
    told = json.loads((place / "ecotone-demo/basin/truth.json").read_text(encoding="utf-8"))
    truth = {(t["indicator"], t["name"]): t["truth"] for t in told["values"]}
    found = values(place, "density")
    for name in ("density", "expected_n"):
        assert found[name]["low"] < truth["wildlife.density", name] < found[name]["high"]
    left = values(place, "genotypes")["unique_genotypes"]["value"]
    assert left == truth["wildlife.identity", "unique_genotypes"]


def test_what_the_page_says_is_there(place: Path) -> None:
    regions = pd.read_csv(place / "density/tables/regions.csv")
    assert set(regions["estimate"]) == {"joint", "separate"}
    treatments = pd.read_csv(place / "density/tables/treatments.csv")["treatment"]
    assert treatments.tolist() == ["apart", "same", "left-out", "recaptured"]
    assert len(pd.read_csv(place / "models/tables/models.csv")) == 2
    visits = pd.read_csv(place / "histories/tables/visits.csv")
    assert visits["detected"].tolist() == [0, 1, 0]
    assert 0.05 < values(place, "design")["rse"]["value"] < 0.3
