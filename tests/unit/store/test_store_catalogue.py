"""The STAC catalogue says what the coverages that hold say, and is renewed when they change."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pystac
from tests.nodes import deliver, everything

from ecotone.store import Store, open_node

ITEM = {
    "type": "Feature",
    "stac_version": "1.1.0",
    "id": "ndvi",
    "geometry": {
        "type": "Polygon",
        "coordinates": [[[70, 40], [71, 40], [71, 41], [70, 41], [70, 40]]],
    },
    "bbox": [70.0, 40.0, 71.0, 41.0],
    "properties": {
        "datetime": None,
        "start_datetime": "1998-01-01T00:00:00Z",
        "end_datetime": "2013-12-31T00:00:00Z",
    },
    "links": [],
    "assets": {},
}


def _coverages(sha256: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": ["ndvi", "dem"],
            "variable": ["ndvi", "elevation"],
            "sha256": [sha256, sha256],
            "stac": [json.dumps(ITEM), None],
            "west": [70.0, 69.0],
            "south": [40.0, 39.5],
            "east": [71.0, 70.0],
            "north": [41.0, 40.0],
            "time_start": pd.to_datetime([None, "2015-06-01T00:00:00Z"], utc=True),
        }
    )


def test_the_catalogue_follows_the_coverages(store: Store, tmp_path: Path) -> None:
    root = store.folder / "stac"
    assert list(root.iterdir()) == []
    raster = tmp_path / "cube.tif"
    raster.write_bytes(b"II*\x00")
    sha256 = store.add_file(raster)
    batch = deliver(store, _coverages(sha256), noun="Coverage", name="stack")

    catalog = pystac.Catalog.from_file(str(root / "catalog.json"))
    items = {item.properties["title"]: item for item in catalog.get_items(recursive=True)}
    assert set(items) == {"ndvi", "dem"}
    assert set(everything(store, "Coverage")["id"]) == {item.id for item in items.values()}
    href = items["ndvi"].assets["data"].get_absolute_href()
    assert href is not None
    assert Path(href).resolve() == store.file_path(sha256).resolve()
    assert items["dem"].bbox == [69.0, 39.5, 70.0, 40.0]
    assert items["dem"].datetime is not None
    (collection,) = catalog.get_collections()
    assert collection.id == "kncm-water"
    assert collection.extent.spatial.bboxes == [[69.0, 39.5, 71.0, 41.0]]
    start, end = collection.extent.temporal.intervals[0]
    assert start is not None
    assert end is not None
    assert (start.year, end.year) == (1998, 2015)

    target = items["dem"].id
    store.correct("Coverage", target, {"name": "terrain"}, person="aigul", reason="name")
    text = (root / "kncm-water" / f"{target}.json").read_text()
    assert json.loads(text)["properties"]["title"] == "terrain"

    store.withdraw(batch.batch_id, person="aigul", reason="wrong grid")
    assert [path.name for path in root.iterdir()] == ["catalog.json"]


def test_a_catalogue_left_behind_is_made_again(store: Store) -> None:
    root = store.folder / "stac"
    deliver(store, _coverages("0" * 64), noun="Coverage", name="stack")
    wanted = (root / "catalog.json").read_text()
    for damage in ("{}", "{", wanted.replace('"ecotone:made_from": [', '"ecotone:made_from": [1,')):
        (root / "catalog.json").write_text(damage)
        open_node(store.folder).close()
        assert (root / "catalog.json").read_text() == wanted
