"""The coverages of a node as a static STAC catalogue in ``stac/``, for QGIS and STAC tools.

It repeats what the rows say and can be made again from them at any time; it is renewed whenever
the coverages that hold are others than those it was made from. Like the rest of the node's folder
it is for those who may see everything: what others may see comes through the door.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pandas as pd
import sqlalchemy as sa

from ecotone.model.filenames import DEVICE
from ecotone.model.records import Dataset
from ecotone.store import files
from ecotone.store.database import Database
from ecotone.store.rows import columns_of, select
from ecotone.store.schema import RECORDS

VERSION: Final = "1.1.0"
#: In catalog.json: the newest lines of the ledger that began and ended a coverage.
_MADE_FROM: Final = "ecotone:made_from"
_COG: Final = "image/tiff; application=geotiff; profile=cloud-optimized"


def refresh(database: Database, folder: Path, datasets: list[Dataset]) -> None:
    """Make the catalogue again where the coverages have changed since it was made."""
    table = RECORDS["Coverage"]
    with database.reading() as connection:
        state = list(
            connection.execute(sa.select(sa.func.max(table.c.since), sa.func.max(table.c.until)))
            .one()
        )  # fmt: skip
    root = folder / "stac"
    if state == _made_from(root / "catalog.json"):
        return
    names = columns_of("Coverage", None)
    parts = list(select(database, "Coverage", datasets=None, as_of=None, names=names, chunk=10_000))
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=names)
    titles = {d.dataset_id: d for d in datasets}
    held = {str(name): part for name, part in rows.groupby("dataset_id")}
    for stale in root.iterdir():
        if stale.is_dir():
            shutil.rmtree(stale)
    for dataset_id, part in held.items():
        _collection(folder, root / _safe(dataset_id), titles[dataset_id], part)
    children = [
        {"rel": "child", "href": f"./{_safe(name)}/collection.json", "type": "application/json"}
        for name in sorted(held)
    ]
    catalog = {
        "type": "Catalog",
        "stac_version": VERSION,
        "id": "ecotone",
        "description": "Coverages of this node.",
        "links": [_link("root", "./catalog.json"), *children],
        _MADE_FROM: state,
    }
    _write(root / "catalog.json", catalog)


def _made_from(path: Path) -> list[int | None] | None:
    """From which state the catalogue was made; a node without coverages needs none."""
    if not path.is_file():
        return [None, None]
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None
    state = found.get(_MADE_FROM) if isinstance(found, dict) else None
    return state if isinstance(state, list) else None


def _collection(folder: Path, home: Path, dataset: Dataset, rows: pd.DataFrame) -> None:
    home.mkdir(parents=True)
    items = [_item(folder, row) for row in rows.sort_values("id").to_dict("records")]
    boxes = [item["bbox"] for item in items if item["bbox"]] or [[-180.0, -90.0, 180.0, 90.0]]
    edges = list(zip(*boxes, strict=True))
    box = [min(edges[0]), min(edges[1]), max(edges[2]), max(edges[3])]
    starts = [i["properties"].get("start_datetime") or i["properties"]["datetime"] for i in items]
    ends = [i["properties"].get("end_datetime") or i["properties"]["datetime"] for i in items]
    known = [day for day in starts if day], [day for day in ends if day]
    collection = {
        "type": "Collection",
        "stac_version": VERSION,
        "id": dataset.dataset_id,
        "title": dataset.title,
        "description": dataset.title,
        "license": dataset.licence if dataset.licence != "all-rights-reserved" else "other",
        "extent": {
            "spatial": {"bbox": [box]},
            "temporal": {"interval": [[min(known[0], default=None), max(known[1], default=None)]]},
        },
        "links": [
            _link("root", "../catalog.json"),
            _link("parent", "../catalog.json"),
            *(
                {**_link("item", f"./{i['id']}.json"), "type": "application/geo+json"}
                for i in items
            ),
        ],
    }
    for item in items:
        _write(home / f"{item['id']}.json", item)
    _write(home / "collection.json", collection)


def _item(folder: Path, row: dict[Any, Any]) -> dict[str, Any]:
    """The item the coverage came with, under our identifier, with its file as an asset."""
    given = json.loads(row["stac"]) if isinstance(row["stac"], str) else {}
    properties = {**given.get("properties", {}), "title": row["name"]}
    for name, column in (("start_datetime", "time_start"), ("end_datetime", "time_end")):
        if name not in properties and not pd.isna(row[column]):
            properties[name] = row[column].strftime("%Y-%m-%dT%H:%M:%SZ")
    if "start_datetime" in properties and "end_datetime" not in properties:
        properties["datetime"] = properties.pop("start_datetime")
    properties.setdefault("datetime", None)
    assets = {}
    if isinstance(row["sha256"], str):
        kept = files.home(folder, row["sha256"]).relative_to(folder)
        assets["data"] = {"href": f"../../{kept.as_posix()}", "type": _COG, "roles": ["data"]}
    box, footprint = _extent(row, given)
    return {
        "type": "Feature",
        "stac_version": VERSION,
        "stac_extensions": given.get("stac_extensions", []),
        "id": row["id"],
        "collection": row["dataset_id"],
        "geometry": footprint,
        "bbox": box,
        "properties": properties,
        "links": [
            _link("root", "../catalog.json"),
            _link("parent", "./collection.json"),
            _link("collection", "./collection.json"),
        ],
        "assets": assets,
    }


def _extent(row: dict[Any, Any], given: dict[str, Any]) -> tuple[list[float] | None, Any]:
    """Box and footprint: as the item says, else from the record's own edges."""
    if given.get("bbox"):
        return given["bbox"], given.get("geometry")
    edges = [row[name] for name in ("west", "south", "east", "north")]
    if any(pd.isna(edge) for edge in edges):
        return None, None
    west, south, east, north = (float(edge) for edge in edges)
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return [west, south, east, north], {"type": "Polygon", "coordinates": [ring]}


def _link(rel: str, href: str) -> dict[str, str]:
    return {"rel": rel, "href": href, "type": "application/json"}


def _write(path: Path, document: dict[str, Any]) -> None:
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1)
    files.write_whole(path, text + "\n")


def _safe(dataset_id: str) -> str:
    """A dataset's identifier as the name of a folder."""
    quoted = quote(dataset_id, safe="").replace(".", "%2E")
    return f"%5F{quoted}" if DEVICE.fullmatch(quoted) else quoted
