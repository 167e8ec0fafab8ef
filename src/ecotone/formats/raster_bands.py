"""Several dated layers as one cloud-optimised GeoTIFF, written block by block."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.transform import Affine
from rasterio.windows import Window


def write_bands(
    path: Path,
    *,
    shape: tuple[int, int],
    transform: Affine,
    crs: CRS | None,
    names: Sequence[str],
    blocks: Iterable[tuple[Window, NDArray[np.float64]]],
    tags: Mapping[str, str] | None = None,
) -> None:
    """A band for each name, from blocks of (bands, rows, columns); NaN means no value.

    The names stand in the band descriptions, where ``open_stack`` reads dates.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = shape
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing-") as folder:
        loose = Path(folder) / "loose.tif"
        with rasterio.open(
            loose, "w", driver="GTiff", dtype="float32", count=len(names), width=width,
            height=height, transform=transform, crs=crs, nodata=float("nan"),
            interleave="band", BIGTIFF="IF_SAFER",
        ) as out:  # fmt: skip
            for window, values in blocks:
                out.write(values.astype(np.float32, copy=False), window=window)
            out.descriptions = tuple(names)
            out.update_tags(**dict(sorted((tags or {}).items())))
        done = Path(folder) / path.name
        rasterio.shutil.copy(
            loose,
            done,
            driver="COG",
            compress="DEFLATE",
            predictor="YES",
            blocksize=256,
            overview_resampling="NEAREST",
            bigtiff="IF_SAFER",
        )
        done.replace(path)
