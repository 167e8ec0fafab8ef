"""What the languages of a report share of its pictures: rasters read once, frames, spreads."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from ecotone.report import maps
from ecotone.report.plots import Bins
from ecotone.report.source import Entry, RunFolder

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

T = TypeVar("T")


@dataclass
class Pictures:
    """Text-free parts of maps and plots, made at first use and kept for the other languages."""

    run: RunFolder
    _kept: dict[Hashable, Any] = field(default_factory=dict)

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What ``make`` gives, made once under this key."""
        if key not in self._kept:
            self._kept[key] = make()
        return cast(T, self._kept[key])

    def outline(self) -> maps.Outline | None:
        """The boundaries the plan chose, else the outlines of its regions."""
        chosen = self.run.boundaries()
        if chosen is not None:
            return maps.Outline(chosen.path, chosen.disputed)
        regions = self.run.outlines()
        return maps.Outline(regions) if regions else None

    def distinct(self, entries: Sequence[Entry]) -> tuple[Entry, ...]:
        """Results without those whose region lies inside another result's region.

        A basin's raster shows all its countries; drawn again, they would show the same twice.
        """
        areas = self.once("areas", self._areas)
        kept: list[Entry] = []
        for entry in entries:
            inner = areas.get(entry.region.id)
            outer = [areas.get(e.region.id) for e in kept]
            if inner is None or not any(
                o is not None and o.buffer(0.001).covers(inner) for o in outer
            ):
                kept.append(entry)
        return tuple(kept)

    def _areas(self) -> dict[str, BaseGeometry]:
        """Outlines of the regions by id, where the run keeps them."""
        path = self.run.outlines()
        if path is None:
            return {}
        frame = maps.outlines(path)
        wanted = {entry.region.id for entry in self.run.entries}
        names = next((c for c in frame.columns if c != "geometry" and
                      wanted <= set(frame[c].astype(str))), None)  # fmt: skip
        return {} if names is None else dict(
            zip(frame[names].astype(str), frame.geometry, strict=True)
        )  # fmt: skip

    def frame(self, paths: Sequence[Path]) -> maps.Frame:
        """The frame that holds these rasters."""
        key = ("frame", tuple(paths))
        return self.once(key, lambda: maps.frame_of_rasters(paths, self.outline()))

    def field(
        self, entries: Sequence[Entry], raster: str, palette: str, significance: str = ""
    ) -> tuple[maps.Field, maps.Frame]:
        """A raster of several results on one frame; dots where ``significance`` is at most 0.05."""
        paths = tuple(e.raster(raster) for e in entries)
        frame = self.frame(paths)

        def make() -> maps.Field:
            layers = [maps.read_layer(path, frame) for path in paths]
            sure = [maps.read_layer(e.raster(significance), frame) for e in entries
                    if significance]  # fmt: skip
            return maps.make_field(layers, palette, sure)

        return self.once(("field", paths, raster, palette, significance), make), frame

    def spread(self, entry: Entry, raster: str, significance: str, at: float = 0.05) -> Bins:
        """How the cells of a raster are spread, all of them and those with p at most ``at``."""
        key = ("spread", entry.path, raster, at)
        return self.once(key, lambda: _spread(entry, raster, significance, at))


def _spread(entry: Entry, raster: str, significance: str, at: float) -> Bins:
    """Counts over whole rasters, block by block, between symmetric limits."""
    import rasterio

    with (
        rasterio.open(entry.raster(raster)) as values,
        rasterio.open(entry.raster(significance)) as chances,
    ):
        limit = _limit(values)
        edges = np.linspace(-limit, limit, 41)
        every, chosen = np.zeros(40), np.zeros(40)
        for _, window in values.block_windows(1):
            cells = values.read(1, window=window, masked=True).astype(float).filled(np.nan)
            p = chances.read(1, window=window, masked=True).astype(float).filled(np.nan)
            inside = np.clip(cells, -limit, limit)
            every += np.histogram(inside[np.isfinite(cells)], edges)[0]
            chosen += np.histogram(inside[np.isfinite(cells) & (p <= at)], edges)[0]
    return Bins("", edges, every, chosen)


def _limit(source: Any) -> float:
    """A round number that 99.5 % of a thinned reading stay below in size."""
    height, width = min(source.height, 600), min(source.width, 600)
    sample = source.read(1, out_shape=(height, width), masked=True).astype(float).filled(np.nan)
    sizes = np.abs(sample[np.isfinite(sample)])
    return maps.round_up(float(np.percentile(sizes, 99.5))) if sizes.size else 1.0
