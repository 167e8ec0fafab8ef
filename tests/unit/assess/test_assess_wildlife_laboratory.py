"""Replicates, two laboratories, kinship; occupancy over seasons and as a map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
from tests.unit.assess.test_assess_wildlife import codes, run

from ecotone.assess.indicators.wildlife_reading import RefusedTable
from ecotone.model.errors import NotComputable, UsageError

LOCI = 8


def replicates(seed: int = 2, dropout: float = 0.15) -> tuple[pd.DataFrame, np.ndarray]:
    """Amplifications of 12 animals, three samples each, and the true alleles."""
    rng = np.random.default_rng(seed)
    truth = np.sort(100 + 2 * rng.integers(0, 6, (12, LOCI, 2)), axis=2)
    rows = []
    for animal in range(12):
        for copy in range(3):
            for locus in range(LOCI):
                for replicate in range(6):
                    a, b = truth[animal, locus]
                    if rng.random() < dropout:
                        a = b = (a, b)[rng.integers(2)]
                    name = f"S{animal:02d}-{copy}"
                    rows.append((name, f"L{locus}", replicate + 1, a, b))
    columns = ["sample", "locus", "replicate", "allele1", "allele2"]
    return pd.DataFrame(rows, columns=columns), truth


def test_error_rates_and_identity_from_replicates(tmp_path: Path) -> None:
    table, truth = replicates()
    table.loc[0, ["allele1", "allele2"]] = -99
    path = tmp_path / "pcr.csv"
    table.to_csv(path, index=False)
    given = {"relatedness": "lynch-ritland", "mismatches": 2}
    told = run("wildlife.identity", {"replicates": path}, tmp_path / "o", **given)
    assert told.values["unique_genotypes"].value == 12
    rate = told.values["dropout"]
    assert rate.low < 0.15 < rate.high
    assert rate.value == pytest.approx(0.15, abs=0.03)
    assert told.values["false_alleles"].value == 0
    errors = pd.read_csv(tmp_path / "o" / told.tables["errors"])
    hetero = (truth[:, 0, 0] != truth[:, 0, 1]).sum()
    assert errors["of_heterozygotes"].iat[0] <= hetero * 18
    ho = told.values["ho"]
    assert ho.value == pytest.approx((truth[..., 0] != truth[..., 1]).mean(), abs=0.05)
    assert 0 < ho.se < 0.2
    assert abs(told.values["fis"].value) < 0.4
    kin = pd.read_csv(tmp_path / "o" / told.tables["kinship"]).set_index("kinship")
    assert kin.loc["unrelated", "mean"] == pytest.approx(0, abs=0.1)
    assert kin.loc["full sibs", "mean"] == pytest.approx(0.5, abs=0.1)
    related = pd.read_csv(tmp_path / "o" / told.tables["related"])
    assert related["relatedness"].is_monotonic_decreasing
    assert len(related) == 66


def test_wrong_replicates_are_all_named(tmp_path: Path) -> None:
    path = tmp_path / "pcr.csv"
    path.write_text(
        "sample,locus,replicate,allele1,allele2\nA,L,1,100,102\nA,L,1,100,102\n,L,2,100,102\n"
        "A,L,3,x,102\n"
    )
    with pytest.raises(RefusedTable) as refused:
        run("wildlife.identity", {"replicates": path}, tmp_path / "o")
    assert [(f.code, f.row, f.field) for f in refused.value.findings] == [
        ("wildlife-replicate-empty", 3, "sample"),
        ("wildlife-replicate-twice", 2, "replicate"),
        ("wildlife-allele-size", 4, "allele1"),
    ]
    path.write_text("sample,locus\nA,L\n")
    with pytest.raises(RefusedTable):
        run("wildlife.identity", {"replicates": path}, tmp_path / "o")
    with pytest.raises(UsageError):
        run("wildlife.identity", {"replicates": path, "genotypes": path}, tmp_path / "o")
    with pytest.raises(UsageError):
        run("wildlife.identity", {"replicates": path, "reference": path}, tmp_path / "o")


def test_sizes_of_two_laboratories(tmp_path: Path) -> None:
    _, truth = replicates()
    ours = pd.DataFrame({"id": [f"S{k}" for k in range(12)]})
    theirs = pd.DataFrame({"id": [f"S{k}" for k in range(10)]})
    rng = np.random.default_rng(4)
    for locus in range(LOCI):
        shift = {1: 3, 2: None}.get(locus, 0)
        for k, letter in enumerate("ab"):
            ours[f"L{locus}{letter}"] = truth[:, locus, k]
            other = truth[:10, locus, k]
            moved = other + (rng.integers(0, 9, 10) if shift is None else shift)
            theirs[f"L{locus}{letter}"] = moved
    inputs = {"genotypes": tmp_path / "ours.csv", "reference": tmp_path / "theirs.csv"}
    ours.to_csv(inputs["genotypes"], index=False)
    theirs.to_csv(inputs["reference"], index=False)
    told = run("wildlife.identity", inputs, tmp_path / "o", mismatches=2)
    table = pd.read_csv(tmp_path / "o" / told.tables["shift"]).set_index("locus")
    assert table.loc["L1", ["samples", "shift", "agreement"]].tolist() == [10, 3, 1]
    assert table.loc["L2", "agreement"] < 0.9
    assert table.loc["L0", "shift"] == 0
    assert {"wildlife-laboratories-shifted", "wildlife-laboratories-differ"} <= codes(told)


def seasons(tmp_path: Path) -> dict[str, Path]:
    """Visits of 150 sites in four years: psi 0.5, gamma 0.2, epsilon 0.3, p 0.6."""
    rng = np.random.default_rng(8)
    there = rng.random(150) < 0.5
    rows = []
    for year in range(2020, 2024):
        for site in range(150):
            for _ in range(3):
                seen = int(there[site] and rng.random() < 0.6)
                rows.append((f"s{site}", year, seen))
        there = np.where(there, rng.random(150) > 0.3, rng.random(150) < 0.2)
    visits = pd.DataFrame(rows, columns=["site", "year", "detected"])
    sites = pd.DataFrame({"site": [f"s{k}" for k in range(150)]})
    inputs = {"visits": tmp_path / "visits.csv", "sites": tmp_path / "sites.csv"}
    visits.to_csv(inputs["visits"], index=False)
    sites.to_csv(inputs["sites"], index=False)
    return inputs


def test_occupancy_over_seasons(tmp_path: Path) -> None:
    inputs = seasons(tmp_path)
    told = run("wildlife.occupancy", inputs, tmp_path / "o", season="year")
    for name, truth in (("psi_first", 0.5), ("gamma", 0.2), ("epsilon", 0.3)):
        value = told.values[name]
        assert value.low < truth < value.high
    table = pd.read_csv(tmp_path / "o" / told.tables["seasons"])
    assert table["season"].tolist() == [2020, 2021, 2022, 2023]
    assert (table["low"] < table["projected"]).all()
    assert (table["projected"] < table["high"]).all()
    assert (table["naive"] < table["occupied"]).all()
    coefficients = pd.read_csv(tmp_path / "o" / told.tables["coefficients"])
    assert coefficients["part"].tolist() == ["psi", "gamma", "epsilon", "p"]
    changing = run("wildlife.occupancy", inputs, tmp_path / "p", season="year", gamma="~season")
    assert changing.values["loglik"].value > told.values["loglik"].value
    for wrong in ({"season": "month"}, {"season": "year", "replicates": 3}):
        with pytest.raises(UsageError):
            run("wildlife.occupancy", inputs, tmp_path / "q", **wrong)
    visits = pd.read_csv(inputs["visits"])
    visits.assign(year=2020).to_csv(inputs["visits"], index=False)
    with pytest.raises(NotComputable):
        run("wildlife.occupancy", inputs, tmp_path / "q", season="year")


def test_occupancy_as_a_map(tmp_path: Path) -> None:
    inputs = seasons(tmp_path)
    cells = pd.DataFrame({"site": [f"s{k}" for k in range(150)]})
    cells["x"], cells["y"] = np.arange(150) % 15 * 1000.0, np.arange(150) // 15 * 1000.0
    cells.to_csv(inputs["sites"], index=False)
    told = run("wildlife.occupancy", inputs, tmp_path / "o", psi="~x", crs="EPSG:32647")
    bands = {}
    for name, path in told.rasters.items():
        with rasterio.open(tmp_path / "o" / path) as raster:
            bands[name] = raster.read(1)
    assert bands["psi"].shape == (10, 15)
    assert (bands["psi_low"] < bands["psi"]).all()
    assert (bands["psi"] < bands["psi_high"]).all()
    assert bands["psi"].mean() == pytest.approx(told.values["mean_psi"].value, rel=1e-5)
    cells[["site"]].to_csv(inputs["sites"], index=False)
    with pytest.raises(UsageError):
        run("wildlife.occupancy", inputs, tmp_path / "p", crs="EPSG:32647")
