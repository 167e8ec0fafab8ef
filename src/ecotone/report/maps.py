"""Maps: a raster or stations on an equal-area plane, with what a map must carry.

Drawn is what the plan chose and nothing else: no border of a real country is ours. Every map has
a scale bar measured on the ellipsoid, a graticule, north, a legend with its unit. The picture of
the raster is made once and shared by the languages; a large raster is read at the size of the
paper, never whole.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ecotone.model import words
from ecotone.model.words import Language
from ecotone.report import colours, l10n
from ecotone.report.canvas import WIDTH, canvas, png
from ecotone.report.document import Tone

if TYPE_CHECKING:
    import geopandas
    from matplotlib.axes import Axes
    from pyproj import CRS

    from ecotone.report.overlay import Overlay

#: Cells across a drawn raster; a page at 200 dpi shows no more.
_CELLS: Final = 900
_DOTS_ACROSS: Final = 70
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Frame:
    """The plane of a map: an equal-area projection about the middle, and the extent in metres."""

    crs: CRS
    box: Box

    @property
    def height(self) -> float:
        """Inches of a map as wide as the text column, within a page."""
        west, south, east, north = self.box
        return min(4.0, max(2.6, 5.1 * (north - south) / (east - west)))


@dataclass(frozen=True)
class Layer:
    """A drawn raster on the frame, top row first; NaN where there is nothing."""

    values: NDArray[np.float32]
    box: Box


@dataclass(frozen=True)
class Field:
    """A raster to draw: its layers, ramp, limits, and where to set dots of significance."""

    layers: tuple[Layer, ...]
    palette: str
    low: float
    high: float
    beyond: str
    dots: NDArray[np.float64]


@dataclass(frozen=True)
class Station:
    """A place with a verdict."""

    longitude: float
    latitude: float
    tone: Tone
    label: str = ""


@dataclass(frozen=True)
class Outline:
    """A boundary file the plan chose; rows whose ``disputed`` column is true are dashed."""

    path: Path
    disputed: str = ""


def frame_of_rasters(paths: Sequence[Path], outline: Outline | None) -> Frame:
    """The frame that holds all rasters (and, where they overlap it, the outlines)."""
    import rasterio
    from rasterio.warp import transform_bounds

    boxes = []
    for path in paths:
        with rasterio.open(path) as source:
            boxes.append(transform_bounds(source.crs, "EPSG:4326", *source.bounds, densify_pts=21))
    return _frame(_union(boxes), outline)


def frame_of_stations(stations: Sequence[Station], outline: Outline | None) -> Frame:
    """The frame that holds all stations and the outlines."""
    west = min(s.longitude for s in stations)
    east = max(s.longitude for s in stations)
    south = min(s.latitude for s in stations)
    north = max(s.latitude for s in stations)
    pad = 0.06 * max(east - west, north - south, 0.02)
    return _frame((west - pad, south - pad, east + pad, north + pad), outline)


def _union(boxes: Sequence[Box]) -> Box:
    return (
        min(b[0] for b in boxes),
        min(b[1] for b in boxes),
        max(b[2] for b in boxes),
        max(b[3] for b in boxes),
    )


def _frame(box: Box, outline: Outline | None) -> Frame:
    from pyproj import CRS
    from rasterio.warp import transform_bounds

    if outline is not None:
        drawn = tuple(float(v) for v in outlines(outline.path).total_bounds)
        near = drawn[2] - drawn[0] < 3 * (box[2] - box[0]) and (
            drawn[3] - drawn[1] < 3 * (box[3] - box[1])
        )
        box = _union([box, (drawn[0], drawn[1], drawn[2], drawn[3])]) if near else box
    longitude, latitude = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    crs = CRS.from_proj4(
        f"+proj=laea +lat_0={latitude:.6f} +lon_0={longitude:.6f} +datum=WGS84 +units=m"
    )
    west, south, east, north = transform_bounds("EPSG:4326", crs, *box, densify_pts=21)
    pad = 0.025 * max(east - west, north - south)
    return Frame(crs, (west - pad, south - pad, east + pad, north + pad))


@functools.lru_cache(maxsize=8)
def outlines(path: Path) -> geopandas.GeoDataFrame:
    """An outline file in WGS 84, read once."""
    import geopandas

    return geopandas.read_file(path).to_crs(4326)


def read_layer(path: Path, frame: Frame) -> Layer:
    """A raster on the frame, read at the size it is drawn (nearest cell, so values stay true)."""
    import rasterio
    from rasterio.enums import Resampling
    from rasterio.transform import from_bounds
    from rasterio.vrt import WarpedVRT
    from rasterio.warp import transform_bounds

    with rasterio.open(path) as source:
        box = transform_bounds(source.crs, frame.crs, *source.bounds, densify_pts=21)
        longest = max(box[2] - box[0], box[3] - box[1])
        width = max(1, round(_CELLS * (box[2] - box[0]) / longest))
        height = max(1, round(_CELLS * (box[3] - box[1]) / longest))
        with WarpedVRT(
            source,
            crs=frame.crs,
            transform=from_bounds(*box, width, height),
            width=width,
            height=height,
            resampling=Resampling.nearest,
            nodata=source.nodata,
            add_alpha=source.nodata is None,
        ) as view:
            values = view.read(1, masked=True).astype("float32").filled(np.nan)
            if source.nodata is None:
                values[view.dataset_mask() == 0] = np.nan
    return Layer(values, box)


def make_field(
    layers: Sequence[Layer], palette: str, significance: Sequence[Layer] = (), at: float = 0.05
) -> Field:
    """Limits from the middle 96 % of the values, rounded outward; symmetric about zero."""
    found = np.concatenate([v.values[np.isfinite(v.values)] for v in layers] or [np.zeros(0)])
    if found.size == 0:
        found = np.zeros(1, dtype="float32")
    two_sided = palette != "pale-blue"
    if two_sided:
        high = round_up(float(np.percentile(np.abs(found), 98))) or 1.0
        low = -high
    else:
        low, high = float(found.min()), round_up(float(np.percentile(found, 98))) or 1.0
    above, below = bool((found > high).any()), bool((found < low).any())
    beyond = {(0, 0): "neither", (1, 0): "max", (0, 1): "min", (1, 1): "both"}[above, below]
    dots = [_dots(layer, at) for layer in significance]
    return Field(
        tuple(layers), palette, low, high, beyond,
        np.concatenate(dots) if dots else np.zeros((0, 2)),
    )  # fmt: skip


def round_up(value: float) -> float:
    """The next of 1, 1.5, 2, 3, 4, 5, 6, 8, 10 times a power of ten."""
    if value <= 0 or not math.isfinite(value):
        return 0.0
    power = 10.0 ** math.floor(math.log10(value))
    for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10):
        if value <= step * power * (1 + 1e-9):
            return float(step * power)
    return 10 * power


def _dots(layer: Layer, at: float) -> NDArray[np.float64]:
    """A dot in each block of the drawn raster where at least half of the cells have p <= at."""
    height, width = layer.values.shape
    size = max(1, round(max(height, width) / _DOTS_ACROSS))
    rows, columns = height // size, width // size
    if rows == 0 or columns == 0:
        return np.zeros((0, 2))
    blocks = layer.values[: rows * size, : columns * size].reshape(rows, size, columns, size)
    share = (blocks <= at).mean(axis=(1, 3))
    row, column = np.nonzero(share >= 0.5)
    west, south, east, north = layer.box
    x = west + (column + 0.5) * size * (east - west) / width
    y = north - (row + 0.5) * size * (north - south) / height
    return np.column_stack([x, y])


def field_map(
    field: Field, frame: Frame, outline: Outline | None, legend: str, dotted: str,
    lang: Language, place: str, over: Overlay | None = None,
) -> bytes:  # fmt: skip
    """A map of a raster; ``legend`` names the ramp with its unit, ``dotted`` the dots."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    norm = Normalize(field.low, field.high)
    shades = colours.ramp(field.palette)
    with canvas(frame.height + 0.75) as figure:
        axes = plane(figure, frame)
        for layer in field.layers:
            west, south, east, north = layer.box
            axes.imshow(
                np.ma.masked_invalid(layer.values), cmap=shades.with_extremes(bad=(0, 0, 0, 0)),
                norm=norm, extent=(west, east, south, north), interpolation="nearest", zorder=1,
            )  # fmt: skip
        if len(field.dots):
            axes.plot(field.dots[:, 0], field.dots[:, 1], "o", color=colours.INK, markersize=1.5,
                      markeredgewidth=0.25, markeredgecolor="white", zorder=2)  # fmt: skip
        disputed = borders(axes, outline, frame, lang)
        drawn = over.draw(axes, frame.crs) if over else []
        furniture(axes, frame, lang)
        bar = figure.colorbar(
            ScalarMappable(norm, shades), ax=axes, orientation="horizontal", extend=field.beyond,
            shrink=0.62, aspect=38, pad=0.02,
        )  # fmt: skip
        bar.outline.set_visible(False)
        bar.set_label(legend)
        bar.ax.tick_params(length=2)
        ticks = [float(t) for t in np.linspace(field.low, field.high, 5)]
        places = l10n.decimals_for(ticks, 2)
        bar.set_ticks(ticks, labels=[l10n.number(t, lang, places) for t in ticks])
        _keys(figure, disputed, dotted if len(field.dots) else "", lang, more=drawn)
        return png(figure, lang, place)


def station_map(
    stations: Sequence[Station], frame: Frame, outline: Outline | None,
    legend: dict[Tone, str], lang: Language, place: str,
) -> bytes:  # fmt: skip
    """A map of places, their verdict told by shape and by colour."""
    with canvas(frame.height + 0.5) as figure:
        axes = plane(figure, frame)
        disputed = borders(axes, outline, frame, lang)
        x, y = to_plane(frame, [s.longitude for s in stations], [s.latitude for s in stations])
        for tone in legend:
            chosen = [i for i, s in enumerate(stations) if s.tone == tone]
            axes.plot(x[chosen], y[chosen], colours.MARKS[tone], color=colours.TONES[tone],
                      markersize=6, markeredgecolor="white", markeredgewidth=0.8, zorder=5,
                      linestyle="none")  # fmt: skip
        furniture(axes, frame, lang)
        _keys(figure, disputed, "", lang, legend)
        return png(figure, lang, place)


def plane(figure: Any, frame: Frame) -> Axes:
    """Axes over the frame's extent."""
    axes: Axes = figure.subplots()
    west, south, east, north = frame.box
    axes.set_xlim(west, east)
    axes.set_ylim(south, north)
    axes.set_aspect("equal")
    axes.set_facecolor("#fbfcfc")
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color(colours.FAINT)
    return axes


def to_plane(frame: Frame, longitudes: Any, latitudes: Any) -> tuple[Any, Any]:
    """Degrees as metres on the plane of a frame."""
    from pyproj import Transformer

    turn = Transformer.from_crs("EPSG:4326", frame.crs, always_xy=True)
    return turn.transform(np.asarray(longitudes, float), np.asarray(latitudes, float))


def borders(axes: Axes, outline: Outline | None, frame: Frame, lang: Language) -> tuple[bool, bool]:
    """Draw the outlines; say whether agreed and disputed ones were drawn."""
    if outline is None:
        return False, False
    drawn = outlines(outline.path)
    disputed = (
        drawn[outline.disputed].map(_is_true).to_numpy(dtype=bool)
        if outline.disputed in drawn
        else np.zeros(len(drawn), dtype=bool)
    )
    plane = drawn.to_crs(frame.crs)
    lines = plane.geometry.boundary
    lines[~disputed].plot(ax=axes, color=colours.INK, linewidth=0.8, zorder=3, aspect=None)
    # White under the dashes, so that the agreed line of a neighbour does not fill their gaps.
    lines[disputed].plot(ax=axes, color="white", linewidth=1.3, zorder=3.5, aspect=None)
    lines[disputed].plot(
        ax=axes, color=colours.INK, linewidth=0.9, linestyle=(0, (3, 2)), zorder=4, aspect=None
    )
    axes.set_xlabel("")
    axes.set_ylabel("")
    _names(axes, plane.clip(frame.box), ~disputed, lang)
    return bool((~disputed).any()), bool(disputed.any())


def _is_true(value: object) -> bool:
    return str(value).strip().lower() in {"true", "1", "yes", "t"}


def _names(axes: Axes, plane: geopandas.GeoDataFrame, chosen: NDArray[np.bool_], lang: str) -> None:
    """Names of the agreed areas, where the file has them in this language or in one."""
    from matplotlib.patheffects import withStroke

    column = next((c for c in (f"name_{lang}", "name") if c in plane), None)
    if column is None:
        return
    shown = plane[plane.index.isin(np.flatnonzero(chosen))]
    for name, shape in zip(shown[column], shown.geometry, strict=True):
        if not name or shape is None or shape.is_empty:
            continue
        spot = shape.representative_point()
        axes.annotate(
            str(name), (spot.x, spot.y), ha="center", va="center", fontsize=8, weight="bold",
            path_effects=[withStroke(linewidth=2.2, foreground="white")], zorder=6,
        )  # fmt: skip


def furniture(axes: Axes, frame: Frame, lang: Language) -> None:
    """Graticule, scale bar, north."""
    _graticule(axes, frame, lang)
    scale_bar(axes, frame, lang)
    axes.annotate(
        words.say("report.map.north", lang), (0.965, 0.85), (0.965, 0.965),
        xycoords="axes fraction", textcoords="axes fraction", ha="center", va="center",
        fontsize=8, weight="bold", zorder=7,
        arrowprops={"arrowstyle": "<|-", "color": colours.INK, "linewidth": 1.2, "shrinkA": 5},
        bbox={"facecolor": "white", "alpha": 0.85, "linewidth": 0, "pad": 1.5},
    )  # fmt: skip


def _graticule(axes: Axes, frame: Frame, lang: Language) -> None:
    """Meridians and parallels as thin lines, labelled where they leave the map."""
    from pyproj import Transformer
    from rasterio.warp import transform_bounds

    west, south, east, north = frame.box
    box = transform_bounds(frame.crs, "EPSG:4326", *frame.box, densify_pts=21)
    inches = min(WIDTH - 0.6, frame.height * (east - west) / (north - south))
    step = _step((box[2] - box[0]) * (0.95 if lang == "ru" else 0.8) / inches)
    back = Transformer.from_crs(frame.crs, "EPSG:4326", always_xy=True)
    ticks_x, names_x, ticks_y, names_y = [], [], [], []
    edge = np.linspace(0, 1, 400)
    bottom = back.transform(west + edge * (east - west), np.full(400, south))[0]
    left = back.transform(np.full(400, west), south + edge * (north - south))[1]
    for longitude in _multiples(box[0], box[2], step):
        x, y = to_plane(frame, np.full(60, longitude), np.linspace(box[1], box[3], 60))
        axes.plot(x, y, color=colours.FAINT, linewidth=0.35, alpha=0.55, zorder=2.5)
        if bottom[0] <= longitude <= bottom[-1]:
            ticks_x.append(west + float(np.interp(longitude, bottom, edge)) * (east - west))
            names_x.append(_degrees(longitude, step, "EW", lang))
    for latitude in _multiples(box[1], box[3], step):
        x, y = to_plane(frame, np.linspace(box[0], box[2], 60), np.full(60, latitude))
        axes.plot(x, y, color=colours.FAINT, linewidth=0.35, alpha=0.55, zorder=2.5)
        if left[0] <= latitude <= left[-1]:
            ticks_y.append(south + float(np.interp(latitude, left, edge)) * (north - south))
            names_y.append(_degrees(latitude, step, "NS", lang))
    axes.set_xticks(ticks_x, names_x, fontsize=7)
    axes.set_yticks(ticks_y, names_y, fontsize=7, rotation=90, va="center")
    axes.tick_params(length=2)
    axes.set_xlim(west, east)
    axes.set_ylim(south, north)


def _step(wanted: float) -> float:
    return min(
        (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60),
        key=lambda s: abs(math.log(s / wanted)),
    )


def _multiples(low: float, high: float, step: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(n * step, 6) for n in range(first, last + 1)]


def _degrees(value: float, step: float, letters: str, lang: Language) -> str:
    """``160.5° W``; degrees of the Greenwich circle in the language's letters."""
    value = (value + 180) % 360 - 180 if letters == "EW" else value
    places = 0 if float(step).is_integer() else 1 if float(step * 10).is_integer() else 2
    side = "0" if value == 0 else letters[0] if value > 0 else letters[1]
    return words.say(f"report.degrees.{side}", lang, value=l10n.number(abs(value), lang, places))


def scale_bar(axes: Axes, frame: Frame, lang: Language) -> None:
    """A bar whose length was walked along the ellipsoid eastward from where it stands."""
    from pyproj import Geod, Transformer

    west, south, east, north = frame.box
    kilometres = _bar_length((east - west) / 1000 * 0.22)
    x, y = west + 0.035 * (east - west), south + 0.04 * (north - south)
    longitude, latitude = Transformer.from_crs(frame.crs, "EPSG:4326", always_xy=True).transform(
        x, y
    )
    end = Geod(ellps="WGS84").fwd(longitude, latitude, 90, kilometres * 1000)
    end_x, end_y = to_plane(frame, end[0], end[1])
    length = float(math.hypot(float(end_x) - x, float(end_y) - y))
    tall = 0.011 * (north - south)
    from matplotlib.patches import Rectangle

    back = (x - 0.012 * (east - west), y - 1.2 * tall)
    axes.add_patch(Rectangle(back, length + 0.024 * (east - west) + 0.03 * (east - west),
                             7.4 * tall, facecolor="white", alpha=0.85, linewidth=0,
                             zorder=6.5))  # fmt: skip
    for part, shade in enumerate((colours.INK, "white")):
        axes.add_patch(Rectangle((x + part * length / 2, y), length / 2, tall, facecolor=shade,
                                 edgecolor=colours.INK, linewidth=0.6, zorder=7))  # fmt: skip
    long = l10n.number(kilometres, lang, _km_places(kilometres))
    far = words.say("report.map.kilometres", lang, value=long)
    for share, text in ((0.0, l10n.number(0, lang)), (1.0, far)):
        axes.text(x + share * length, y + 2.2 * tall, text, fontsize=7, ha="center", va="bottom",
                  zorder=7)  # fmt: skip


def _bar_length(wanted: float) -> float:
    power = 10.0 ** math.floor(math.log10(wanted))
    return float(max(step for step in (1, 2, 5, 10) if step * power <= wanted * (1 + 1e-9)) * power)


def _km_places(value: float) -> int:
    return 0 if value >= 1 else 1 if value >= 0.1 else 2


def _keys(
    figure: Any, disputed: tuple[bool, bool], dotted: str, lang: Language,
    tones: dict[Tone, str] | None = None, more: Sequence[tuple[Any, str]] = (),
) -> None:  # fmt: skip
    """The legend of lines and marks under the map."""
    from matplotlib.lines import Line2D

    handles, names = [handle for handle, _ in more], [text for _, text in more]
    for tone, text in (tones or {}).items():
        handles.append(Line2D([], [], marker=colours.MARKS[tone], color=colours.TONES[tone],
                              linewidth=0, markersize=6, markeredgecolor="white"))  # fmt: skip
        names.append(text)
    if dotted:
        handles.append(Line2D([], [], marker="o", color=colours.INK, linewidth=0, markersize=2,
                              markeredgewidth=0))  # fmt: skip
        names.append(dotted)
    lines, told = border_keys(disputed, lang)
    handles += lines
    names += told
    if handles:
        columns = min(len(handles), 3 if WIDTH > 6 else 2)
        figure.legend(handles, names, loc="outside lower center", ncols=columns)


def border_keys(disputed: tuple[bool, bool], lang: Language) -> tuple[list[Any], list[str]]:
    """The lines of boundaries for a legend, and what they are called."""
    from matplotlib.lines import Line2D

    agreed, open_question = disputed
    handles, names = [], []
    if agreed:
        handles.append(Line2D([], [], color=colours.INK, linewidth=0.8))
        names.append(words.say("report.map.boundary", lang))
    if open_question:
        handles.append(Line2D([], [], color=colours.INK, linewidth=0.9, linestyle=(0, (3, 2))))
        names.append(words.say("report.map.disputed", lang))
    return handles, names
