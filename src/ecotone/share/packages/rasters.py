"""Released coverages: the files themselves (cloud-optimised GeoTIFF) and STAC items beside them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from ecotone.model.errors import Withheld
from ecotone.store.columns import frame_of

if TYPE_CHECKING:
    from ecotone.share.door import Door
    from ecotone.share.packages.files import Folder
    from ecotone.share.packages.rows import Rows

VERSION: Final = "1.1.0"
HOME: Final = "coverages"
_EARLIEST, _LATEST = "1800-01-01T00:00:00Z", "2199-12-31T00:00:00Z"
_COG: Final = "image/tiff; application=geotiff; profile=cloud-optimized"


def write(folder: Folder, door: Door, coverages: Rows | None) -> None:
    """The files that released coverages name, and a static STAC catalogue of them."""
    if coverages is None:
        return
    frame = frame_of("Coverage", coverages.table, list(_COLUMNS))
    items = []
    for row in frame.sort_values("id").to_dict("records"):
        name = _file(folder, door, row["sha256"])
        if name is not None:
            items.append(_item(row, name))
    for item in items:
        _json(folder, f"stac/{item['id']}.json", item)
    if items:
        links = [{"rel": "root", "href": "./catalog.json", "type": "application/json"}]
        links += [
            {"rel": "item", "href": f"./{item['id']}.json", "type": "application/geo+json"}
            for item in items
        ]
        catalog = {
            "type": "Catalog",
            "stac_version": VERSION,
            "id": "ecotone-package",
            "description": "Coverages of this package.",
            "links": links,
        }
        _json(folder, "stac/catalog.json", catalog)


_COLUMNS: Final = (
    "id", "name", "dataset_id", "sha256", "time_start", "time_end", "west", "south", "east",
    "north",
)  # fmt: skip


def _file(folder: Folder, door: Door, sha256: object) -> str | None:
    """The file of a coverage, copied once; None where only its description may leave."""
    if not isinstance(sha256, str):
        return None
    name = f"{HOME}/{sha256}.tif"
    if any(file.path == name for file in folder.files):
        return name
    try:
        source = door.file(sha256)
    except Withheld:
        return None
    shutil.copyfile(source, folder.place(name))
    folder.add(name)
    return name


def _item(row: dict[Any, Any], name: str) -> dict[str, Any]:
    properties: dict[str, Any] = {"title": row["name"], "datetime": None}
    for key, column in (("start_datetime", "time_start"), ("end_datetime", "time_end")):
        if not pd.isna(row[column]):
            properties[key] = row[column].strftime("%Y-%m-%dT%H:%M:%SZ")
    if "end_datetime" not in properties or "start_datetime" not in properties:
        # STAC wants a time, or a beginning and an end: one without either may be of any time.
        start = properties.pop("start_datetime", properties.pop("end_datetime", None))
        properties["datetime"] = start
        if start is None:
            properties |= {"start_datetime": _EARLIEST, "end_datetime": _LATEST}
    edges = [row[side] for side in ("west", "south", "east", "north")]
    known = not any(pd.isna(edge) for edge in edges)
    item: dict[str, Any] = {
        "type": "Feature",
        "stac_version": VERSION,
        "id": row["id"],
        "geometry": None,
        "properties": properties,
        "links": [{"rel": "root", "href": "./catalog.json", "type": "application/json"}],
        "assets": {"data": {"href": f"../{name}", "type": _COG, "roles": ["data"]}},
    }
    if known:
        west, south, east, north = (float(edge) for edge in edges)
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        item["bbox"] = [west, south, east, north]
        item["geometry"] = {"type": "Polygon", "coordinates": [ring]}
    return item


def _json(folder: Folder, name: str, document: dict[str, Any]) -> None:
    folder.text(name, json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1) + "\n")
