"""Hotspots and brightspots: the largest patches that lost or gained since the baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rasterio.transform import Affine
from rasterio.windows import Window

from ecotone.assess.indicators.land_ground import Ground, strips
from ecotone.assess.indicators.land_sdg_work import Span, Work
from ecotone.science.land.status import PERIODS, status_classes

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

Floats = NDArray[np.float64]

#: Status classes of each kind of spot, and the code of the parts that drive it.
KINDS: Final[Mapping[str, tuple[tuple[int, ...], int]]] = {
    "hotspots": ((1, 2), -1),
    "brightspots": ((6, 7), 1),
}
#: Spots that are listed, and cells below which a patch is a speck.
_MOST: Final = 10
_CELLS: Final = 9
_COLUMNS: Final = (
    "rank", "longitude", "latitude", "area_km2", "west", "south", "east", "north", "drivers",
)  # fmt: skip


@dataclass(frozen=True)
class Spots:
    """The largest patches of one kind."""

    table: pd.DataFrame
    outlines: tuple[BaseGeometry, ...]


def find_spots(work: Work, kind: str) -> Spots:
    """Patches joined by sides or corners, largest first, with what drives each."""
    from scipy.ndimage import find_objects, label

    classes, driver = KINDS[kind]
    last = work.spans[-1]
    within = work.scratch.within
    mask = np.zeros((int(within.height), int(within.width)), dtype=np.bool_)
    for window in strips(within):
        place = work.scratch.place(window)
        status = status_classes(
            np.asarray(work.codes[PERIODS[0]][place]), np.asarray(work.codes[last.name][place])
        )
        mask[place] = np.isin(status, classes) & (work.ground.shares(window) > 0)
        work.scratch.release()
    patches, count = label(mask, np.ones((3, 3)))
    if not count:
        return Spots(pd.DataFrame(columns=list(_COLUMNS)), ())
    areas, cells = _areas(work.ground, patches, within, count)
    largest = np.argsort(-areas, kind="stable")[: 50 * _MOST]
    order = [int(p) for p in largest if cells[p] >= _CELLS][:_MOST]
    ranks = np.zeros(count + 1, dtype=np.uint8)
    ranks[np.array(order, dtype=np.int64) + 1] = np.arange(1, len(order) + 1)
    # Boxes of the few that are listed: a noisy map has millions of specks.
    chosen = ranks[patches]
    boxes = find_objects(chosen)
    rows, outlines = [], []
    for rank, patch in enumerate(order, start=1):
        box = boxes[rank - 1]
        window = Window(
            int(within.col_off) + box[1].start, int(within.row_off) + box[0].start,
            box[1].stop - box[1].start, box[0].stop - box[0].start,
        )  # fmt: skip
        here = chosen[box] == rank
        outline = _outline(work.ground, window, here)
        west, south, east, north = outline.bounds
        middle = outline.representative_point()
        rows.append(
            {
                "rank": rank, "longitude": middle.x, "latitude": middle.y,
                "area_km2": float(areas[patch]), "west": west, "south": south, "east": east,
                "north": north, "drivers": _drivers(work, last, window, here, driver),
            }
        )  # fmt: skip
        outlines.append(outline)
    return Spots(pd.DataFrame(rows, columns=list(_COLUMNS)), tuple(outlines))


def _areas(
    ground: Ground, patches: NDArray[Any], within: Window, count: int
) -> tuple[Floats, NDArray[np.int64]]:
    """Area and number of cells of each patch, the first patch first."""
    areas, cells = np.zeros(count + 1), np.zeros(count + 1, dtype=np.int64)
    for window in strips(within):
        top = int(window.row_off - within.row_off)
        here = patches[top : top + int(window.height)]
        km2 = np.broadcast_to(ground.km2(window), here.shape)
        areas += np.bincount(here.ravel(), km2.ravel(), count + 1)
        cells += np.bincount(here.ravel(), minlength=count + 1)
    return areas[1:], cells[1:]


def _outline(ground: Ground, window: Window, here: NDArray[np.bool_]) -> BaseGeometry:
    """A patch as a polygon in longitude and latitude."""
    from rasterio.features import shapes
    from rasterio.warp import transform_geom
    from shapely import union_all
    from shapely.geometry import shape

    place = ground.transform * Affine.translation(window.col_off, window.row_off)
    parts = shapes(here.astype(np.uint8), mask=here, connectivity=8, transform=place)
    whole = [
        shape(transform_geom(ground.crs, "EPSG:4326", outline)).buffer(0) for outline, _ in parts
    ]
    return union_all(whole)


def _drivers(work: Work, last: Span, window: Window, here: NDArray[np.bool_], code: int) -> str:
    """Sub-indicators that stand so in the period on the most of a patch, the first the most."""
    shares = {}
    for name, make in work.parts[last.name].items():
        codes = make(window)
        shares[name] = float((codes[here] == code).mean())
    told = sorted((s, n) for n, s in shares.items() if s > 0)
    return ", ".join(f"{name} {100 * share:.0f} %" for share, name in reversed(told))


def write_spots(out: Path, spots: Mapping[str, Spots]) -> str:
    """Outlines of all spots as a GeoPackage; its path relative to ``out``."""
    import geopandas

    frames = [
        geopandas.GeoDataFrame(
            {"kind": kind[:-1], **{c: one.table[c] for c in ("rank", "area_km2", "drivers")}},
            geometry=list(one.outlines),
            crs=4326,
        )
        for kind, one in spots.items()
        if one.outlines
    ]
    return write_package(out, "spots", pd.concat(frames, ignore_index=True))


def write_package(out: Path, name: str, frame: Any) -> str:
    """A GeoPackage whose bytes hold no date of today; its path relative to ``out``."""
    import pyogrio

    relative = f"vectors/{name}.gpkg"
    path = out / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2000-01-01T00:00:00.000Z"})
    try:
        frame.to_file(path, driver="GPKG", layer=name, engine="pyogrio")
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
    return relative
