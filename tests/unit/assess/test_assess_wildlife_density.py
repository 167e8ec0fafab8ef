"""Density: several models, collapsed occasions, disputed identities, regions, maps, two methods."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
from tests.unit.assess.test_assess_wildlife import codes, files, grid, run, survey, three

from ecotone.assess.indicators.wildlife_reading import RefusedTable
from ecotone.model.errors import NotComputable, UsageError

__all__ = ["files"]


def test_models_are_weighed(files: dict[str, Path], tmp_path: Path) -> None:
    told = run(
        "wildlife.density", three(files), tmp_path / "o", occasions=4,
        models="HN; EX; HN: D~habitat.cov",
    )  # fmt: skip
    models = pd.read_csv(tmp_path / "o" / told.tables["models"])
    assert models["aicc"].is_monotonic_increasing
    assert models["delta"].iat[0] == 0
    assert models["weight"].sum() == pytest.approx(1)
    best = models.iloc[0]
    assert told.values["density"].value == pytest.approx(best["density"])
    averaged = told.values["density_averaged"]
    assert averaged.value == pytest.approx((models["weight"] * models["density"]).sum())
    assert averaged.low < averaged.value < averaged.high
    summary = pd.read_csv(tmp_path / "o" / told.tables["summary"])
    assert summary["effort"].iat[0] == 100
    assert summary["weight"].iat[0] == pytest.approx(models["weight"].max())
    assert summary["model"].iat[0] == best["model"]


@pytest.mark.parametrize("models", ["XX", "HN: g0", "HN: lambda0~1", "HHN: g0~1"])
def test_models_nobody_can_read(files: dict[str, Path], tmp_path: Path, models: str) -> None:
    with pytest.raises(UsageError):
        run("wildlife.density", three(files), tmp_path / "o", occasions=4, models=models)


def test_collapsed_occasions_estimate_the_same(files: dict[str, Path], tmp_path: Path) -> None:
    whole = run("wildlife.density", three(files), tmp_path / "a", occasions=4)
    once = run("wildlife.density", three(files), tmp_path / "b", occasions=4, collapse=True)
    for name in ("density", "g0", "sigma", "expected_n"):
        assert once.values[name].value == pytest.approx(whole.values[name].value, rel=1e-4)
        assert once.values[name].se == pytest.approx(whole.values[name].se, rel=1e-2)
    assert once.values["loglik"].value != pytest.approx(whole.values["loglik"].value, abs=1)
    assert "wildlife-collapsed" in codes(once)
    captures = pd.read_csv(files["captures"]).drop_duplicates(["id", "occasion"])
    captures.to_csv(files["captures"], index=False)
    with pytest.raises(NotComputable):
        run(
            "wildlife.density", three(files), tmp_path / "c", occasions=4, collapse=True,
            detector="multi",
        )  # fmt: skip


def decisions(path: Path, rows: list[tuple[str, str, str, str]]) -> Path:
    table = pd.DataFrame(rows, columns=["first", "second", "decision", "observer"])
    table.to_csv(path, index=False)
    return path


def test_animals_are_counted_once_and_with_and_without_disputes(
    files: dict[str, Path], tmp_path: Path
) -> None:
    captures = pd.read_csv(files["captures"])
    # Two ghosts: the last captures of two cats stand under names of their own.
    often = captures.groupby("id")["occasion"].transform("size") > 3
    rows = captures[often].groupby("id").tail(1).iloc[:2]
    first, second = rows["id"].tolist()
    captures.loc[rows.index, "id"] = ["ghost 1", "ghost 2"]
    captures.to_csv(files["captures"], index=False)
    made = decisions(
        tmp_path / "decisions.csv",
        [
            ("ghost 1", first, "same", "A"),
            ("ghost 2", second, "same", "A"),
            ("ghost 2", second, "different", "B"),
            ("nobody", second, "same", "A"),
        ],
    )
    inputs = {**three(files), "decisions": made}
    apart = run("wildlife.density", inputs, tmp_path / "a", occasions=4)
    assert {"wildlife-identities-merged", "wildlife-decisions-elsewhere"} <= codes(apart)
    table = pd.read_csv(tmp_path / "a" / apart.tables["treatments"]).set_index("treatment")
    animals = captures["id"].nunique()
    assert table.loc["apart", "animals"] == animals - 1 == apart.values["animals"].value
    assert table.loc["same", "animals"] == animals - 2
    assert table.loc["left-out", "animals"] == animals - 3
    assert table.loc["recaptured", "animals"] < animals - 1
    assert table.loc["apart", "density"] == pytest.approx(apart.values["density"].value)
    assert (table["density_low"] < table["density"]).all()
    same = run("wildlife.density", inputs, tmp_path / "b", occasions=4, disputed="same")
    assert same.values["density"].value == pytest.approx(table.loc["same", "density"])


def test_wrong_decisions_are_all_named(files: dict[str, Path], tmp_path: Path) -> None:
    made = decisions(
        tmp_path / "d.csv",
        [("a", "a", "same", "A"), ("a", "b", "perhaps", "A"), ("a", "", "same", "A")],
    )
    with pytest.raises(RefusedTable) as refused:
        run("wildlife.density", {**three(files), "decisions": made}, tmp_path / "o", occasions=4)
    assert [(f.code, f.row, f.field) for f in refused.value.findings] == [
        ("wildlife-decision-empty", 3, "second"),
        ("wildlife-decision-word", 2, "decision"),
        ("wildlife-decision-itself", 1, "second"),
    ]
    made.write_text("first,second\na,b\n")
    with pytest.raises(RefusedTable):
        run("wildlife.density", {**three(files), "decisions": made}, tmp_path / "o", occasions=4)


def with_countries(files: dict[str, Path]) -> None:
    for name in ("detectors", "mask"):
        table = pd.read_csv(files[name])
        table["country"] = np.where(table["x"] < 900, "XA", "XB")
        table.to_csv(files[name], index=False)


def test_joint_against_separate_estimates(files: dict[str, Path], tmp_path: Path) -> None:
    with_countries(files)
    told = run("wildlife.density", three(files), tmp_path / "o", occasions=4, regions="country")
    regions = pd.read_csv(tmp_path / "o" / told.tables["regions"])
    joint = regions[regions["estimate"] == "joint"]
    assert joint["expected_n"].sum() == pytest.approx(told.values["expected_n"].value)
    assert joint["area"].sum() == pytest.approx(21 * 21 * 6.25 / 100)
    alone = regions[regions["estimate"] == "separate"]
    assert alone["region"].tolist() == ["XA", "XB"]
    assert (alone["expected_n_se"].to_numpy() > joint["expected_n_se"].to_numpy()).all()
    # Seen by both: each list has it, the joint one once.
    assert alone["identities"].sum() > told.values["animals"].value
    assert "wildlife-seen-in-both" in codes(told)
    with pytest.raises(UsageError):
        run("wildlife.density", three(files), tmp_path / "p", occasions=4, regions="nation")


def test_a_region_that_saw_nothing_has_no_estimate_of_its_own(
    files: dict[str, Path], tmp_path: Path
) -> None:
    with_countries(files)
    mask = pd.read_csv(files["mask"])
    mask.loc[mask["y"] > 3000, "country"] = "XC"
    mask.to_csv(files["mask"], index=False)
    told = run("wildlife.density", three(files), tmp_path / "o", occasions=4, regions="country")
    regions = pd.read_csv(tmp_path / "o" / told.tables["regions"])
    assert regions[regions["region"] == "XC"]["estimate"].tolist() == ["joint"]
    assert "wildlife-region-alone" in codes(told)


def test_the_map_and_its_interval(files: dict[str, Path], tmp_path: Path) -> None:
    told = run(
        "wildlife.density", three(files), tmp_path / "o", occasions=4, crs="EPSG:32643",
        density="~habitat.cov",
    )  # fmt: skip
    bands = {}
    for name, path in told.rasters.items():
        with rasterio.open(tmp_path / "o" / path) as raster:
            assert raster.crs.to_epsg() == 32643
            assert raster.shape == (21, 21)
            assert raster.xy(20, 0) == (-1500, -1500)
            bands[name] = raster.read(1)
    assert (bands["density_low"] < bands["density"]).all()
    assert (bands["density"] < bands["density_high"]).all()
    mean = bands["density"].mean()
    assert mean == pytest.approx(told.values["density"].value, rel=1e-4)
    with pytest.raises(UsageError):
        run("wildlife.density", three(files), tmp_path / "p", occasions=4, crs="nowhere")
    mask = pd.read_csv(files["mask"])
    mask.loc[3, "x"] += 100
    mask.to_csv(files["mask"], index=False)
    with pytest.raises(NotComputable):
        run("wildlife.density", three(files), tmp_path / "q", occasions=4, crs="EPSG:32643")


def test_cameras_and_scat_on_one_ground(tmp_path: Path) -> None:
    """Independent sessions share density and sigma, each with its own kind and g0."""
    cells = grid(-1500, 3500, 250)
    parts: dict[str, list[pd.DataFrame]] = {"captures": [], "detectors": []}
    for name, kind, seed in (("camera", "proximity", 3), ("scat", "count", 5)):
        s = survey(kind, seed)
        c = s.captures
        parts["captures"].append(
            pd.DataFrame(
                {
                    "session": name,
                    "id": [f"{name} {k}" for k in c.animal],
                    "occasion": c.occasion + 1,
                    "detector": [f"T{k}" for k in c.detector],
                    "count": c.count,
                }
            )
        )
        traps = pd.DataFrame(s.detectors.xy, columns=["x", "y"])
        traps.insert(0, "detector", [f"T{k}" for k in range(len(traps))])
        parts["detectors"].append(traps.assign(session=name, kind=kind))
    inputs = {"mask": tmp_path / "mask.csv"}
    pd.DataFrame(cells, columns=["x", "y"]).to_csv(inputs["mask"], index=False)
    for name, frames in parts.items():
        inputs[name] = tmp_path / f"{name}.csv"
        pd.concat(frames).to_csv(inputs[name], index=False)
    told = run("wildlife.density", inputs, tmp_path / "o", occasions=4, g0="~session")
    assert "wildlife-same-ground" in codes(told)
    sessions = pd.read_csv(tmp_path / "o" / told.tables["sessions"])
    assert told.values["expected_n"].value == pytest.approx(sessions["expected_n"].iat[0])
    assert told.values["realised_n"].value is None
    area = 21 * 21 * 6.25 / 1e4
    assert told.values["density"].value == pytest.approx(told.values["expected_n"].value / area)
    mixed = pd.read_csv(inputs["detectors"])
    mixed.loc[3, "kind"] = "count"
    mixed.to_csv(inputs["detectors"], index=False)
    with pytest.raises(RefusedTable) as refused:
        run("wildlife.density", inputs, tmp_path / "p", occasions=4)
    assert [(f.code, f.row) for f in refused.value.findings] == [("wildlife-kinds-mixed", 4)]


def test_text_for_secr_and_back(files: dict[str, Path], tmp_path: Path) -> None:
    told = run("wildlife.density", three(files), tmp_path / "o", occasions=4, secr=True)
    assert "wildlife-secr-written" in codes(told)
    folder = tmp_path / "o" / "secr"
    inputs = {
        "captures": folder / "captures.txt",
        "detectors": folder / "detectors-1.txt",
        "mask": folder / "mask-1.txt",
    }
    again = run("wildlife.density", inputs, tmp_path / "p", occasions=4)
    assert again.values["loglik"].value == pytest.approx(told.values["loglik"].value, abs=1e-10)
    assert again.values["animals"].value == told.values["animals"].value
