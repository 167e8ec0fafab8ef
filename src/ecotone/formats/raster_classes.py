"""Maps of classes: cloud-optimised GeoTIFF of bytes with the legend's colours and names."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
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

    A GIS shows it in the legend's colours; names stand in the tag ``legend`` as JSON and in a
    style beside the file, which QGIS takes by itself.
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
    write_style(path.with_suffix(".qml"), legend)


def write_style(path: Path, legend: Mapping[int, MapClass]) -> None:
    """A style of QGIS: the colour and the name of each class."""
    from xml.sax.saxutils import quoteattr

    entries = "".join(
        f"\n        <paletteEntry value={quoteattr(str(code))} color={quoteattr(one.color.lower())}"
        f' label={quoteattr(one.name)} alpha="255"/>'
        for code, one in sorted(legend.items())
    )
    path.write_text(
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        '<qgis version="3.22" styleCategories="Symbology">\n  <pipe>\n'
        '    <rasterrenderer type="paletted" band="1" opacity="1" alphaBand="-1">\n'
        f"      <colorPalette>{entries}\n      </colorPalette>\n"
        "    </rasterrenderer>\n  </pipe>\n</qgis>\n",
        encoding="utf-8",
        newline="\n",
    )


def write_ramp(path: Path, stops: Sequence[tuple[float, str, str]]) -> None:
    """A style of QGIS for a map of numbers: steps up to each value, in a colour, with a name.

    Args:
        path: of the style, beside the map.
        stops: upper limit, #RRGGBB and name of each step, rising; the last limit may be infinite.
    """
    from xml.sax.saxutils import quoteattr

    items = "".join(
        f"\n            <item value={quoteattr(_stop(value))} color={quoteattr(color.lower())}"
        f' label={quoteattr(name)} alpha="255"/>'
        for value, color, name in stops
    )
    path.write_text(
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        '<qgis version="3.22" styleCategories="Symbology">\n  <pipe>\n'
        '    <rasterrenderer type="singlebandpseudocolor" band="1" opacity="1" alphaBand="-1">\n'
        '      <rastershader>\n        <colorrampshader colorRampType="DISCRETE" clip="0"'
        f' classificationMode="1">{items}\n        </colorrampshader>\n      </rastershader>\n'
        "    </rasterrenderer>\n  </pipe>\n</qgis>\n",
        encoding="utf-8",
        newline="\n",
    )


def _stop(value: float) -> str:
    return "inf" if value == float("inf") else f"{value:g}"
