"""Season, completeness and the correction for rain, as the indicator offers them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.unit.assess.test_assess_land_status import GRID, codes, write

from ecotone.assess.compute import compute
from ecotone.model.errors import InputRefused, UsageError

YEARS = range(2001, 2017)
DAYS = [f"{year}-{month:02d}-15" for year in YEARS for month in (1, 7)]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Vegetation that follows a drying climate on the left, and declines by itself on the right."""
    rng = np.random.default_rng(7)
    rain = 400 - 8 * np.arange(16) + 60 * rng.standard_normal(16)
    left = 0.2 + 0.0008 * rain[:, None, None] + 0.004 * rng.standard_normal((16, 4, 3))
    right = 0.5 - 0.01 * np.arange(16)[:, None, None] + 0.004 * rng.standard_normal((16, 4, 3))
    summer = np.concatenate([left, right], axis=2)
    ndvi = np.stack([np.full_like(summer, 0.1), summer], axis=1).reshape(32, 4, 6)
    wet = np.broadcast_to(rain[:, None, None], (16, 4, 6)).copy()
    return {
        "ndvi": write(tmp_path / "ndvi.tif", ndvi, DAYS),
        "rain": write(tmp_path / "rain.tif", wet, [f"{y}-07-01" for y in YEARS]),
    }


def test_rain_explains_what_is_not_degradation(tmp_path: Path, files: dict[str, Path]) -> None:
    given = {name: [path] for name, path in files.items()}
    asked = {"season": "6-8", "correction": "restrend"}
    result = compute("land.productivity", given, asked, tmp_path / "out")
    rules = pd.read_csv(tmp_path / "out/tables/rules.csv")
    assert set(rules["correction"]) == {"restrend", "none"}
    total = result.values["total_km2"].value
    sums = rules.groupby(["rule", "correction"])["area_km2"].sum()
    assert sums.to_numpy() == pytest.approx(total, rel=1e-9)

    def declining(correction: str) -> float:
        here = rules[(rules["rule"] == "unccd2026") & (rules["correction"] == correction)]
        return float(here[here["class"].isin([1])]["area_km2"].sum())

    assert declining("restrend") < declining("none")
    ranges = pd.read_csv(tmp_path / "out/tables/ranges.csv").set_index("class")
    assert (ranges["least_km2"] <= ranges["most_km2"]).all()
    both = rules[rules["class"] == 1]["area_km2"]
    assert ranges.loc[1, "least_km2"] == pytest.approx(both.min())
    assert ranges.loc[1, "most_km2"] == pytest.approx(both.max())


def test_a_relation_that_does_not_hold_corrects_nothing(
    tmp_path: Path, files: dict[str, Path]
) -> None:
    noise = 400 + 50 * np.random.default_rng(1).standard_normal((16, 4, 6))
    rain = write(tmp_path / "noise.tif", noise, [f"{y}-07-01" for y in YEARS])
    given = {"ndvi": [files["ndvi"]], "rain": [rain]}
    asked = {"season": "6-8", "correction": "restrend"}
    result = compute("land.productivity", given, asked, tmp_path / "out")
    assert "land-no-rain-relation" in codes(result)
    for correction in ("rue", "wue"):
        compute("land.productivity", given, {**asked, "correction": correction}, tmp_path / "o2")


def test_the_difference_table_adds_up(tmp_path: Path, files: dict[str, Path]) -> None:
    result = compute("land.productivity", {"ndvi": [files["ndvi"]]}, {}, tmp_path / "out")
    table = pd.read_csv(tmp_path / "out/tables/differences.csv")
    assert set(table["other_rule"]) == {"trends_earth", "gpg_v2", "fao_wocat"}
    total = result.values["total_km2"].value
    assert table.groupby("other_rule")["area_km2"].sum().to_numpy() == pytest.approx(total)
    lpd = pd.read_csv(tmp_path / "out/tables/lpd.csv").set_index("class")["area_km2"]
    own = table[table["other_rule"] == "gpg_v2"].groupby("class")["area_km2"].sum()
    for at, area in own.items():
        assert area == pytest.approx(lpd[at])


def test_a_season_of_winter_sees_no_change(tmp_path: Path, files: dict[str, Path]) -> None:
    asked = {"season": "12-2", "measure": "integral"}
    result = compute("land.productivity", {"ndvi": [files["ndvi"]]}, asked, tmp_path / "out")
    assert result.values["degraded_km2"].value == pytest.approx(0.0)


def test_what_cannot_be_asked(tmp_path: Path, files: dict[str, Path]) -> None:
    other = write(tmp_path / "o.tif", np.ones((16, 4, 6)), [f"{y}-07-01" for y in YEARS],
                  transform=GRID * GRID.scale(2))  # fmt: skip
    given = {name: [path] for name, path in files.items()}
    for inputs, asked, error, said in (
        ({"ndvi": given["ndvi"]}, {"correction": "rue"}, UsageError, "rain"),
        (given, {}, UsageError, "rain"),
        ({"ndvi": given["ndvi"]}, {"season": "spring"}, UsageError, "spring"),
        ({**given, "rain": [other]}, {"correction": "rue"}, InputRefused, "grid"),
    ):
        with pytest.raises(error, match=said):
            compute("land.productivity", inputs, asked, tmp_path / "out")
