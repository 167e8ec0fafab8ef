"""The sensitivity of land from scored maps, checked by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
from shapely.geometry import box
from tests.unit.assess.test_assess_land_status import GRID, codes, write

from ecotone.assess.compute import compute
from ecotone.model.errors import InputRefused, NotComputable


def maps(folder: Path, **change: np.ndarray) -> dict[str, list[Path]]:
    scores = {
        "soil": np.full((3, 4), 1.2),
        "soil2": np.full((3, 4), 1.8),
        "climate": np.full((3, 4), 1.5),
        "vegetation": np.full((3, 4), 1.4),
        "management": np.full((3, 4), 1.6),
        **change,
    }
    paths = {n: write(folder / f"{n}.tif", v) for n, v in scores.items()}
    return {
        "soil": [paths["soil"], paths["soil2"]],
        **{n: [paths[n]] for n in ("climate", "vegetation", "management")},
    }


def test_the_fourth_root_of_four_qualities(tmp_path: Path) -> None:
    gap = np.full((3, 4), 1.8)
    gap[0, 0] = np.nan
    lost = np.full((3, 4), 1.5)
    lost[2, 3] = np.nan
    result = compute(
        "land.sensitivity", maps(tmp_path, soil2=gap, climate=lost), {}, tmp_path / "o"
    )
    whole = (np.sqrt(1.2 * 1.8) * 1.5 * 1.4 * 1.6) ** 0.25
    assert result.values["mean_index"].value == pytest.approx(whole, rel=0.01)
    table = pd.read_csv(tmp_path / "o/tables/classes.csv").set_index("class")["area_km2"]
    assert table.sum() == pytest.approx(result.values["total_km2"].value, rel=1e-9)
    assert table["nodata"] > 0
    assert "land-factors-missing" in codes(result)
    factors = pd.read_csv(tmp_path / "o/tables/factors.csv")
    fewer = factors[(factors["quality"] == "soil") & (factors["factors"] == 1)]
    assert fewer["area_km2"].item() > 0
    with rasterio.open(tmp_path / "o/rasters/sensitivity.tif") as file:
        found = file.read(1)
    assert found[1, 1] == 7 and found[2, 3] == 0


def test_scores_that_are_none(tmp_path: Path) -> None:
    good = maps(tmp_path)
    wide = write(tmp_path / "w.tif", np.full((3, 4), 1.1), transform=GRID * GRID.scale(2))
    blank = write(tmp_path / "n.tif", np.full((3, 4), np.nan))
    bare = write(tmp_path / "b.tif", np.full((3, 4), 1.1), crs=None)
    percent = write(tmp_path / "p.tif", np.full((3, 4), 60.0))
    for change, error, said in (
        ({"climate": [percent]}, InputRefused, "between 1 and 2"),
        ({"climate": [wide]}, InputRefused, "grid"),
        ({"soil": [bare]}, InputRefused, "reference system"),
        ({"climate": [blank]}, NotComputable, "value|nothing|No|no"),
    ):
        with pytest.raises(error, match=said):
            compute("land.sensitivity", {**good, **change}, {}, tmp_path / "out")


def test_within_a_region(tmp_path: Path) -> None:
    region = box(70.05, 40.75, 70.25, 40.95)
    result = compute("land.sensitivity", maps(tmp_path), {}, tmp_path / "out", region=region)
    assert 200 < result.values["total_km2"].value < 500
