"""Genotypes and occupancy against the numbers of the field's own programs."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from tests.support import shared

from ecotone.assess.compute import compute

GENOTYPES = "wildlife/genotypes/"


def identity(tmp_path: Path, name: str, **parameters: object):
    compute("wildlife.identity", {"genotypes": [shared(GENOTYPES + name)]}, parameters, tmp_path)
    document = json.loads((tmp_path / "result.json").read_text("utf-8"))
    tables = {n: pd.read_csv(tmp_path / p) for n, p in document["tables"].items()}
    values = {n: v["value"] for n, v in document["values"].items()}
    return values, tables, [f["code"] for f in document["findings"]]


@pytest.mark.parametrize(
    ("name", "mismatches", "unique", "unclassified", "multiple"),
    [
        ("amExample1.csv", 2, 12, 0, 0),
        ("amExample2.csv", 3, 100, 0, 0),
        ("amExample3.csv", 6, 100, 2, 4),
        ("amExample5.csv", 3, 171, 3, 11),
    ],
)
@pytest.mark.parametrize("given", [False, True])
def test_unique_genotypes(
    tmp_path: Path, name: str, mismatches: int, unique: int, unclassified: int, multiple: int,
    given: bool,
) -> None:  # fmt: skip
    parameters = {"mismatches": mismatches} if given else {}
    values, tables, _ = identity(tmp_path, name, **parameters)
    assert values["mismatches"] == mismatches
    assert values["unique_genotypes"] == unique
    assert values["unclassified"] == unclassified
    assert values["multiple_matches"] == multiple
    samples = tables["samples"]
    assert samples["genotype"].nunique() == unique
    assert (samples["class"] == "unclassified").sum() == unclassified


def test_true_animals(tmp_path: Path) -> None:
    """Of 99 known animals 98 are found whole, and none is taken for another."""
    known = pd.read_csv(shared(GENOTYPES + "amExample2.csv"))["knownIndividual"]
    _, tables, _ = identity(tmp_path, "amExample2.csv")
    found = tables["samples"]["genotype"]
    table = pd.crosstab(known, found) > 0
    assert ((table.sum(axis=1) == 1).sum(), len(table)) == (98, 99)
    assert (table.sum(axis=0) == 1).all()


def test_profile(tmp_path: Path) -> None:
    profile = identity(tmp_path, "amExample2.csv")[1]["profile"]
    assert profile["unique"].tolist() == [140, 136, 122, 100, 99, 99, 98, 98, 89]
    assert profile["multiple"].tolist() == [0, 25, 33, 0, 0, 1, 1, 14, 30]


def test_tigers(tmp_path: Path) -> None:
    values, tables, codes = identity(tmp_path, "tiger_central_india_169.csv")
    assert values["pid"] == pytest.approx(3.675313200e-12, rel=1e-6)
    assert values["pid_sibs"] == pytest.approx(3.732475083e-05, rel=1e-6)
    assert values["pid_unbiased"] == pytest.approx(2.92033e-12, rel=1e-5)
    assert values["missing"] == pytest.approx(0.074234, abs=1e-6)
    assert values["unique_genotypes"] is None
    assert "wildlife-threshold-unsupported" in codes
    assert tables["pairs"]["pairs"].tolist()[:4] == [0, 9, 19, 33]
    loci = tables["loci"].set_index("locus")
    assert loci["alleles"].sum() == 108
    pati = loci.loc["Pati01"]
    assert pati[["typed", "alleles"]].tolist() == [165, 8]
    assert pati[["ho", "he", "he_unbiased"]].tolist() == pytest.approx(
        [0.6848, 0.7879, 0.7903], abs=5e-5
    )
    assert pati[["pid", "pid_sibs"]].tolist() == pytest.approx([0.07108, 0.37382], abs=5e-6)
    assert loci.loc["Pati18", ["typed", "alleles"]].tolist() == [136, 7]


FULL = "Rgd_Availz + Alt_z + I(Alt_z ** 2) + Forest_z * NDVI_z"
WALK = "walk * ruggedness_z"


@pytest.mark.parametrize(
    ("psi", "p", "loglik"),
    [
        ("~1", "~1", -2079.69904),
        ("~1", WALK, -1762.43555),
        ("Rgd_Availz + NDVI_z + Alt_z + I(Alt_z**2) + Forest_z", WALK, -1706.16985),
        (FULL, WALK, -1705.92289),
    ],
)
def test_mongolia(tmp_path: Path, psi: str, p: str, loglik: float) -> None:
    stem = "wildlife/mongolia_occupancy/mongolia_"
    inputs = {
        "visits": [shared(stem + "visits.csv")],
        "sites": [shared(stem + "site_covariates.csv")],
        "area": [shared(stem + "studyarea.csv")],
    }
    compute("wildlife.occupancy", inputs, {"psi": psi, "p": p}, tmp_path)
    values = json.loads((tmp_path / "result.json").read_text("utf-8"))["values"]
    assert values["loglik"]["value"] == pytest.approx(loglik, abs=1e-3)
    assert values["naive"]["value"] == pytest.approx(221 / 1017)
    table = pd.read_csv(tmp_path / "tables/coefficients.csv")
    if psi == "~1":
        place = [-1.00897, -2.17361] if p == "~1" else [0.177]
        assert table["estimate"].tolist()[: len(place)] == pytest.approx(place, abs=1e-3)
        spread = [0.08347, 0.05443] if p == "~1" else [0.13514]
        assert table["se"].tolist()[: len(spread)] == pytest.approx(spread, rel=1e-2)
    if psi == FULL:
        assert table["estimate"].tolist() == pytest.approx(
            [0.00481, 1.19573, -0.19987, -0.39381, -0.35009, -1.12799, -0.11685,
             -4.41263, 1.88539, 1.03827, -0.61095],
            abs=1e-3,
        )  # fmt: skip
        assert values["mean_psi"]["value"] == pytest.approx(0.43918, abs=1e-5)
        assert pd.read_csv(tmp_path / "tables/sites.csv")["psi"].sum() == pytest.approx(
            527.02, abs=5e-3
        )
