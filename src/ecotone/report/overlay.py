"""What is drawn over a raster: areas, lines and marked places, with their keys."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ecotone.report import colours
from ecotone.report.document import Tone

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pyproj import CRS

_AREA: Final = "#8fb996"
_LINE: Final = "#d55e00"


@dataclass(frozen=True)
class Overlay:
    """Files of areas and lines with the words of their keys; places by tone, each named."""

    areas: tuple[Path, str] | None = None
    lines: tuple[Path, str] | None = None
    places: tuple[tuple[float, float, Tone], ...] = ()  #: longitude, latitude, tone
    names: tuple[tuple[Tone, str], ...] = ()

    def draw(self, axes: Axes, crs: CRS) -> list[tuple[Any, str]]:
        """Draw all of it; handles and words for the legend."""
        from matplotlib.lines import Line2D
        from matplotlib.patches import Patch

        keys: list[tuple[Any, str]] = []
        if self.areas is not None:
            shapes = _read(self.areas[0], crs)
            shapes.plot(ax=axes, facecolor=_AREA, edgecolor=colours.INK, linewidth=0.5, zorder=2.6,
                        aspect=None)  # fmt: skip
            _label(axes, shapes)
            keys.append((Patch(facecolor=_AREA, edgecolor=colours.INK, linewidth=0.5),
                         self.areas[1]))  # fmt: skip
        if self.lines is not None:
            _read(self.lines[0], crs).plot(ax=axes, color=_LINE, linewidth=0.8, alpha=0.8,
                                           zorder=2.7, aspect=None)  # fmt: skip
            keys.append((Line2D([], [], color=_LINE, linewidth=0.8), self.lines[1]))
        for tone, name in self.names:
            self._mark(axes, crs, tone)
            keys.append((Line2D([], [], marker=colours.MARKS[tone], color=colours.TONES[tone],
                                linewidth=0, markersize=7, markeredgecolor="white"),
                         name))  # fmt: skip
        axes.set_xlabel("")
        axes.set_ylabel("")
        return keys

    def _mark(self, axes: Axes, crs: CRS, tone: Tone) -> None:
        from pyproj import Transformer

        turn = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
        for longitude, latitude, of in self.places:
            if of == tone:
                x, y = turn.transform(longitude, latitude)
                axes.plot([x], [y], colours.MARKS[tone], color=colours.TONES[tone], markersize=8,
                          markeredgecolor="white", markeredgewidth=1.0, zorder=5.5)  # fmt: skip


def _read(path: Path, crs: CRS) -> Any:
    import geopandas

    return geopandas.read_file(path).to_crs(crs)


def _label(axes: Axes, shapes: Any) -> None:
    """The name of each area in its middle, where the file has a column ``id``."""
    if "id" not in shapes:
        return
    for name, shape in zip(shapes["id"], shapes.geometry, strict=True):
        spot = shape.representative_point()
        axes.annotate(str(name), (spot.x, spot.y), ha="center", va="center", fontsize=7,
                      color=colours.INK, zorder=6)  # fmt: skip
