"""Rasters, Darwin Core and Camtrap DP inside a package."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecotone.model.errors import UsageError, Withheld
from ecotone.share.decide import Request
from ecotone.share.door import Door
from ecotone.share.packages import reading
from ecotone.share.packages.export import Wanted, export
from ecotone.share.packages.importing import held, import_package
from tests.exchange import TODAY, agree, agreement, close, deliver, nodes, occurrences

ALL = [{"name": "all", "level": "full"}]
COARSE = [{"name": "all", "level": "generalised", "cell_degrees": 0.1}]


def cog(path: Path) -> Path:
    import rasterio
    from rasterio.transform import from_origin

    with rasterio.open(
        path, "w", driver="COG", width=64, height=64, count=1, dtype="float32", crs="EPSG:4326",
        transform=from_origin(73.0, 39.0, 0.01, 0.01),
    ) as out:  # fmt: skip
        out.write(np.arange(4096, dtype="float32").reshape(1, 64, 64))
    return path


@pytest.fixture
def mapped(tmp_path):
    """A coverage with its file, one without, one whose file has no times."""
    actors = nodes(tmp_path)
    sender = actors["DUSH"]
    sha256 = sender.store.add_file(cog(tmp_path / "ndvi.tif"))
    day = pd.Timestamp("2024-05-01", tz="UTC")
    frame = pd.DataFrame(
        {
            "name": ["ndvi", "plan", "ndvi again"],
            "variable": ["ndvi"] * 3,
            "sha256": [sha256, None, sha256],
            "time_start": [day, day, pd.NaT],
            "time_end": [day, pd.NaT, pd.NaT],
            "west": [73.0, 73.0, None], "south": [38.36, 38.36, 38.0],
            "east": [73.64, 73.64, 74.0], "north": [39.0, 39.0, 39.0],
        }
    )  # fmt: skip
    deliver(sender, frame, "Coverage", "maps")
    yield actors, sha256
    close(actors)


def test_a_raster_arrives_with_its_item(mapped, tmp_path):
    actors, sha256 = mapped
    sender, receiver = actors["DUSH"], actors["URUM"]
    agree(actors, agreement("DUSH", ["URUM"], classes=ALL), at=["DUSH"])
    made = export(sender, Wanted("URUM"))
    folder = tmp_path / "open"
    reading.unpack(receiver, made.path, folder)
    catalog = json.loads((folder / "stac" / "catalog.json").read_text(encoding="utf-8"))
    items = [link["href"] for link in catalog["links"] if link["rel"] == "item"]
    assert len(items) == 2 and len(list((folder / "coverages").iterdir())) == 1
    found = [json.loads((folder / "stac" / href).read_text(encoding="utf-8")) for href in items]
    first = next(item for item in found if item["properties"]["title"] == "ndvi")
    assert first["bbox"] == [73.0, 38.36, 73.64, 39.0]
    assert first["properties"]["start_datetime"] == "2024-05-01T00:00:00Z"
    other = next(item for item in found if item["properties"]["title"] == "ndvi again")
    assert other["geometry"] is None and other["properties"]["datetime"] is None
    assert (folder / "stac" / first["assets"]["data"]["href"]).resolve().is_file()
    import pystac

    for item in found:
        pystac.Item.from_dict(item)
    import_package(receiver, made.path)
    assert receiver.store.file_path(sha256).is_file()
    door = Door(receiver.store, Request("URUM", "assessment", "derive", TODAY))
    assert door.file(sha256).is_file()
    with pytest.raises(Withheld):
        door.file("0" * 64)
    assert not receiver.store.verify_ledger()
    assert list((receiver.store.folder / "stac").rglob("*.json"))


def test_a_generalised_coverage_leaves_its_file_at_home(mapped, tmp_path):
    actors, sha256 = mapped
    agree(actors, agreement("DUSH", ["URUM"], classes=COARSE), at=["DUSH"])
    made = export(actors["DUSH"], Wanted("URUM"))
    folder = tmp_path / "open"
    reading.unpack(actors["URUM"], made.path, folder)
    assert not (folder / "coverages").exists() and not (folder / "stac").exists()
    import_package(actors["URUM"], made.path)
    door = Door(actors["URUM"].store, Request("URUM", "assessment", "derive", TODAY))
    with pytest.raises(Withheld):
        door.file(sha256)


@pytest.fixture
def pair(tmp_path):
    actors = nodes(tmp_path)
    agree(actors, agreement("DUSH", ["URUM"], classes=ALL), at=["DUSH"])
    yield actors
    close(actors)


def opened(actors, wanted: Wanted, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    reading.unpack(actors["URUM"], export(actors["DUSH"], wanted).path, folder)
    return folder


def test_darwin_core_inside(pair, tmp_path):
    from ecotone.formats.base import ReadOptions
    from ecotone.formats.dwca import FORMAT
    from ecotone.formats.safe import open_source

    deliver(pair["DUSH"], occurrences(30))
    folder = opened(pair, Wanted("URUM", also=("dwca",)), tmp_path / "open")
    with open_source(folder / "darwin-core.zip") as source:
        found = []
        tables = FORMAT.read(source, ReadOptions(), found.append, lambda *row: None)
        assert sum(len(table.frame) for table in tables) == 30
    assert held(pair["URUM"], "DUSH") is not None
    again = opened(pair, Wanted("URUM", also=("dwca",)), tmp_path / "open")
    assert (again / "darwin-core.zip").is_file(), "whole, though nothing changed"


def test_camera_traps_inside(pair, tmp_path):
    day = pd.Timestamp("2024-05-01", tz="UTC")
    sender = pair["DUSH"]
    deployments = pd.DataFrame(
        {"deployment_id": ["d1"], "latitude": [38.5], "longitude": [73.5],
         "coordinate_uncertainty_m": [30.0], "time_start": [day],
         "time_end": [day + pd.Timedelta(days=30)]}
    )  # fmt: skip
    deliver(sender, deployments, "Deployment", "deployments.csv")
    folder = opened(pair, Wanted("URUM", also=("camtrapdp", "dwca")), tmp_path / "open")
    assert (folder / "camtrap-dp.zip").is_file()
    assert not (folder / "darwin-core.zip").exists(), "there is nothing for it"
    seen = pd.DataFrame(
        {"observation_id": ["o1", "o2"], "deployment": ["d1", "d1"], "kind": ["animal", "blank"],
         "level": ["event", "event"], "taxon": ["Panthera uncia", None], "count": [2, None],
         "time_start": [day, day], "time_end": [day, day]}
    )  # fmt: skip
    deliver(sender, seen, "Observation", "observations.csv")
    folder = opened(pair, Wanted("URUM", also=("camtrapdp", "dwca")), tmp_path / "open")
    with zipfile.ZipFile(folder / "darwin-core.zip") as archive:
        core = next(name for name in archive.namelist() if name.startswith("occurrence"))
        told = pd.read_csv(archive.open(core), dtype=str)
    assert told["scientificName"].tolist() == ["Panthera uncia"]
    assert told["decimalLatitude"].astype(float).tolist() == [38.5]
    assert told["samplingProtocol"].tolist() == ["camera trap"]
    media = pd.DataFrame({"media_id": ["m1"], "deployment": ["d1"], "path": ["x.jpg"]})
    deliver(sender, media, "Media", "media.csv")
    with pytest.raises(UsageError):
        export(sender, Wanted("URUM", also=("camtrapdp",)))


def test_forms_that_are_none(pair, tmp_path):
    deliver(pair["DUSH"], occurrences(3))
    with pytest.raises(UsageError) as refused:
        export(pair["DUSH"], Wanted("URUM", also=("shapefile",)))
    assert refused.value.message.key == "packages.also-unknown"
    folder = opened(pair, Wanted("URUM", also=("camtrapdp",)), tmp_path / "open")
    assert not (folder / "camtrap-dp.zip").exists()


def test_looking_into_a_package_makes_a_new_folder_only(pair, tmp_path):
    deliver(pair["DUSH"], occurrences(3))
    made = export(pair["DUSH"], Wanted("URUM"))
    (tmp_path / "there").mkdir()
    with pytest.raises(UsageError):
        reading.unpack(pair["URUM"], made.path, tmp_path / "there")
    with pytest.raises(UsageError):
        reading.unpack(pair["URUM"], tmp_path / "nothing", tmp_path / "new")


def test_no_attribute_is_called_as_the_door_calls_its_marks():
    """The label of a release would stand in the place of the owner's own word."""
    from ecotone.model.dictionary import RECORD_NOUNS, attributes
    from ecotone.share.packages.rows import MARKS

    for noun in RECORD_NOUNS:
        assert not {*MARKS, "id", "version", "dataset_id", "extra"} & set(attributes(noun)), noun
