"""What a plan needs from elsewhere, and whether what is there fits."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from shapely.geometry import box, mapping
from tests.command import ecotone
from tests.unit.assess.test_assess_land_status import write

from ecotone.assess.sources import Wanted, products, sources
from ecotone.model.errors import UsageError

PLAN = """
[plan]
title = {{ en = "Land" }}
date = 2026-05-01
[regions]
path = "regions.geojson"
[[periods]]
id = "all"
start = 2004
end = 2006
[[indicators]]
id = "land.sdg-15-3-1"
[indicators.parameters]
baseline = "2000-2005"
report = "2001-2006"
[indicators.inputs]
ndvi = "{ndvi}"
landcover = "node:XA-LAND"
soc = "{soc}"
[[indicators]]
id = "land.spi"
[indicators.inputs]
raster = "rain.nc"
"""
YEARS = [f"{year}-07-01" for year in range(2000, 2007)]


def plan(folder: Path, north: float = 41.0, **files: str) -> Path:
    region = {"type": "Feature", "properties": {"id": "R", "name": "R"},
              "geometry": mapping(box(70.1, 40.5, 70.7, north - 0.1))}  # fmt: skip
    (folder / "regions.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": [region]})
    )
    path = folder / "plan.toml"
    path.write_text(PLAN.format(**{"ndvi": "ndvi.tif", "soc": "soc.tif", **files}))
    return path


def by_input(found: list[Wanted]) -> dict[str, Wanted]:
    return {one.input: one for one in found}


def test_what_to_download_for_a_region(tmp_path: Path) -> None:
    found = by_input(sources(plan(tmp_path), "land", "en"))
    assert {n: one.state for n, one in found.items()} == {
        "ndvi": "missing", "landcover": "node", "soc": "missing", "raster": "missing",
    }  # fmt: skip
    ndvi = found["ndvi"]
    assert (ndvi.first, ndvi.last) == (2000, 2006)
    assert ndvi.product is not None and "MOD13Q1" in ndvi.product.product
    cells = (0.6 / ndvi.product.degrees + 1) * (0.4 / ndvi.product.degrees + 1)
    wanted = cells * 23 * 7 * 2 * ndvi.product.ratio / 1e6
    assert ndvi.megabytes == pytest.approx(wanted, rel=1e-6)
    assert found["raster"].first == 1981
    assert found["raster"].product is not None
    assert "CHIRPS" in found["raster"].product.product


def test_north_of_a_product_another_serves(tmp_path: Path) -> None:
    found = by_input(sources(plan(tmp_path, north=60.0), "land", "en"))
    product = found["raster"].product
    assert product is not None and "GPCC" in product.product


def test_files_that_are_there_are_checked(tmp_path: Path) -> None:
    green = np.full((7, 6, 8), 0.5)
    path = plan(tmp_path)
    write(tmp_path / "ndvi.tif", green, YEARS)
    write(tmp_path / "soc.tif", np.full((6, 8), 40.0))
    found = by_input(sources(path, "land", "en"))
    assert (found["ndvi"].state, found["soc"].state) == ("here", "here")
    write(tmp_path / "ndvi.tif", 5000 * green[:5], YEARS[:5])
    write(tmp_path / "soc.tif", np.full((6, 3), -32768.0), nodata=None)
    found = by_input(sources(path, "land", "en"))
    said = " ".join(found["ndvi"].checks)
    assert found["ndvi"].state == "wrong" and "2005-2006" in said and "2500" in said
    said = " ".join(found["soc"].checks)
    assert "whole region" in said and "-32768" in said
    write(tmp_path / "ndvi.tif", green, YEARS, crs=None)
    write(tmp_path / "soc.tif", np.full((6, 8), np.nan))
    found = by_input(sources(path, "land", "en"))
    assert "reference system" in " ".join(found["ndvi"].checks)
    assert "no values" in " ".join(found["soc"].checks)
    (tmp_path / "soc.tif").write_bytes(b"nothing")
    assert by_input(sources(path, "land", "en"))["soc"].state == "wrong"


def test_the_command(tmp_path: Path) -> None:
    path = plan(tmp_path)
    told = ecotone("sources", "land", path)
    assert told.code == 0, told.err
    assert "lpdaac.usgs.gov" in told.out and "to download" in told.out
    listed = ecotone("sources", "land", path, "--json").json
    assert {one["input"] for one in listed} == {"ndvi", "landcover", "soc", "raster"}
    assert ecotone("sources", "ice", path).code == 2
    (tmp_path / "ndvi.tif").write_bytes(b"nothing")
    assert "ndvi.tif" in ecotone("sources", "land", path).out


def test_a_plan_without_land(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing"):
        sources(plan(tmp_path), "water", "en")


def test_every_product_says_where_and_under_what() -> None:
    for product in products():
        assert product.where.startswith("https://") and product.doi.startswith("10.")
        assert product.licence and product.publisher
