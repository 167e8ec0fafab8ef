"""A small plan on plain files: a stack with a planted trend, and laboratory results."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

PLAN = """
[plan]
title = {en = "A test", zh = "测试", ru = "Проба"}
date = 2026-05-31
status = "draft"

[regions]
path = "regions.geojson"

[boundaries]
path = "regions.geojson"
disclaimer = {en = "No opinion.", zh = "不代表任何立场。", ru = "Без суждений."}

[[periods]]
id = "2001-2012"
start = 2001
end = 2012

[[indicators]]
id = "land.trend"
inputs = {ndvi = "ndvi"}

[[indicators]]
id = "water.compliance"
inputs = {results = "results.csv", standards = "standards.csv"}
regions = ["west"]
"""


def feature(name: str, west: float, east: float) -> dict[str, object]:
    ring = [[west, 39.0], [east, 39.0], [east, 40.0], [west, 40.0], [west, 39.0]]
    return {
        "type": "Feature",
        "properties": {"id": name, "name": name.title(), "name_zh": "区"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """A folder with a plan and everything it names."""
    folder = tmp_path / "plan"
    (folder / "ndvi").mkdir(parents=True)
    rng = np.random.default_rng(7)
    for number, year in enumerate(range(2001, 2013)):
        layer = 0.5 - 0.01 * number + rng.normal(0, 0.002, (20, 20))
        layer[:, 10:] = rng.normal(0.5, 0.002, (20, 10))
        with rasterio.open(
            folder / "ndvi" / f"ndvi_{year}.tif",
            "w",
            driver="GTiff",
            dtype="float32",
            count=1,
            width=20,
            height=20,
            crs="EPSG:4326",
            transform=from_origin(70.0, 40.0, 0.1, 0.05),
        ) as out:
            out.write(layer.astype("float32"), 1)
    collection = {
        "type": "FeatureCollection",
        "features": [feature("west", 70.0, 71.0), feature("east", 71.0, 72.0)],
    }
    (folder / "regions.geojson").write_text(json.dumps(collection), encoding="utf-8")
    (folder / "results.csv").write_text(
        "station,property,date,value,unit\n"
        "S1,nitrate,2005-01-01,60,mg/L\n"
        "S1,nitrate,2005-02-01,10,mg/L\n"
        "S1,nitrate,2005-03-01,<0.5,mg/L\n"
        "S2,lead,2005-01-01,<0.05,mg/L\n",
        encoding="utf-8",
    )
    (folder / "standards.csv").write_text(
        "standard,version,property,unit,kind,limit\n"
        "Test,1,nitrate,mg/L,maximum,50\n"
        "Test,1,lead,mg/L,maximum,0.01\n",
        encoding="utf-8",
    )
    path = folder / "plan.toml"
    path.write_text(PLAN, encoding="utf-8")
    return path
