"""Maps of classes: each code in the colour its raster carries, named in the legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecotone.model.words import Language
from ecotone.report import colours, maps
from ecotone.report.canvas import WIDTH, canvas, png


@dataclass(frozen=True)
class ClassField:
    """Layers of codes on a frame, and the colour of each code that occurs."""

    layers: tuple[maps.Layer, ...]
    colours: Mapping[int, str]


def make_class_field(paths: Sequence[Path], frame: maps.Frame) -> ClassField:
    """The layers, and their colours by the rasters' own colour tables."""
    import rasterio

    layers = tuple(maps.read_layer(path, frame) for path in paths)
    found: dict[int, str] = {}
    for path, layer in zip(paths, layers, strict=True):
        codes = np.unique(layer.values[np.isfinite(layer.values)]).astype(int)
        with rasterio.open(path) as source:
            table = source.colormap(1)
        for code in codes.tolist():
            red, green, blue, _ = table[code]
            found.setdefault(code, f"#{red:02x}{green:02x}{blue:02x}")
    return ClassField(layers, dict(sorted(found.items())))


def class_map(
    field: ClassField, frame: maps.Frame, outline: maps.Outline | None,
    names: Mapping[int, str], lang: Language, place: str,
) -> bytes:  # fmt: skip
    """A map of codes with a legend of those that occur; ``names`` tells each in words."""
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    codes = list(field.colours)
    shades = ListedColormap([field.colours[c] for c in codes]).with_extremes(bad=(0, 0, 0, 0))
    columns = 2 if max((len(n) for n in names.values()), default=0) > 18 else 3
    rows = -(-(len(codes) + 2) // columns)
    with canvas(frame.height + 0.28 + 0.2 * rows) as figure:
        axes = maps.plane(figure, frame)
        for layer in field.layers:
            west, south, east, north = layer.box
            known = np.isfinite(layer.values)
            place_of = np.searchsorted(codes, np.where(known, layer.values, codes[0]))
            axes.imshow(
                np.ma.masked_where(~known, place_of), cmap=shades, vmin=-0.5,
                vmax=len(codes) - 0.5, extent=(west, east, south, north),
                interpolation="nearest", zorder=1,
            )  # fmt: skip
        disputed = maps.borders(axes, outline, frame, lang)
        maps.furniture(axes, frame, lang)
        handles: list[Any] = [
            Patch(facecolor=field.colours[c], edgecolor=colours.FAINT, linewidth=0.4) for c in codes
        ]
        said = [names.get(c, str(c)) for c in codes]
        lines, told = maps.border_keys(disputed, lang)
        figure.legend(
            [*handles, *lines], [*said, *told], loc="outside lower center",
            ncols=columns if WIDTH > 6 else 2,
        )  # fmt: skip
        return png(figure, lang, place)
