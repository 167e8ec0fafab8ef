"""Maps of classes: cloud-optimised GeoTIFF of bytes with the legend's colours and names."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.transform import Affine
from rasterio.windows import Window


@dataclass(frozen=True)
class MapClass:
    """One class of a map: its name and its colour as #RRGGBB."""

    name: str
    color: str

    @property
    def rgba(self) -> tuple[int, int, int, int]:
        """The colour as GDAL's colour tables take it."""
        red, green, blue = (int(self.color[i : i + 2], 16) for i in (1, 3, 5))
        return red, green, blue, 255


def write_classes(
    path: Path,
    *,
    shape: tuple[int, int],
    transform: Affine,
    crs: CRS | None,
    blocks: Iterable[tuple[Window, NDArray[Any]]],
    legend: Mapping[int, MapClass],
    tags: Mapping[str, str] | None = None,
) -> None:
    """A map of codes 1 .. 255; 0 means no data. The same bytes for the same numbers.

    A GIS shows it in the legend's colours; names stand in the tag ``legend`` as JSON.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = shape
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing-") as folder:
        loose = Path(folder) / "loose.tif"
        with rasterio.open(
            loose, "w", driver="GTiff", dtype="uint8", count=1, width=width, height=height,
            transform=transform, crs=crs, nodata=0, photometric="palette", BIGTIFF="IF_SAFER",
        ) as out:  # fmt: skip
            table = {0: (0, 0, 0, 0)} | {code: one.rgba for code, one in legend.items()}
            out.write_colormap(1, table)
            for window, values in blocks:
                out.write(values.astype(np.uint8, copy=False), 1, window=window)
            names = {str(code): one.name for code, one in sorted(legend.items())}
            told = {**(tags or {}), "legend": json.dumps(names, ensure_ascii=False)}
            out.update_tags(**dict(sorted(told.items())))
        done = Path(folder) / path.name
        rasterio.shutil.copy(
            loose,
            done,
            driver="COG",
            compress="DEFLATE",
            blocksize=256,
            overview_resampling="NEAREST",
            bigtiff="IF_SAFER",
        )
        done.replace(path)
