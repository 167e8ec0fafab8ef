"""The numbers behind the forms of the UNCCD: land cover, productivity and carbon by class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rasterio.windows import Window

from ecotone.assess.indicators.land_maps import Carbon, Cover
from ecotone.science.land.lookup import Codes

Floats = NDArray[np.float64]

_LPD = (1, 2, 3, 4, 5)


@dataclass
class Forms:
    """Sums by class of land cover; the last of each axis is what has no data.

    Attributes:
        cover: the maps.
        extents: km2 by class, by year of a map.
        changes: km2 by first and last class, by period.
        lpd: km2 by class of productivity and of the period's last land cover, by period.
        carbon: tonnes and hectares by class of the first cover, by year.
    """

    cover: Cover
    extents: dict[int, Floats] = field(default_factory=dict)
    changes: dict[str, Floats] = field(default_factory=dict)
    lpd: dict[str, Floats] = field(default_factory=dict)
    carbon: dict[int, Floats] = field(default_factory=dict)

    def add(
        self, name: str, years: tuple[int, int], window: Window, lpd: Codes, km2: Floats
    ) -> None:
        """Take a strip of a period in."""
        legend = self.cover.matrix.legend
        size = len(legend.codes) + 1
        first, last = self.cover.maps(window, list(years))
        self._sum(self.changes, name, self.cover.matrix.areas(first, last, km2))
        place = legend.positions(last)
        rows = np.where((lpd >= 1) & (lpd <= len(_LPD)), lpd - 1, len(_LPD))
        at = rows * size + np.where(place < 0, size - 1, place)
        area = np.broadcast_to(km2, at.shape).ravel()
        table = np.bincount(at.ravel(), area, minlength=(len(_LPD) + 1) * size)
        self._sum(self.lpd, name, table.reshape(len(_LPD) + 1, size).astype(np.float64))

    def add_year(self, year: int, window: Window, km2: Floats) -> None:
        """Take a strip of a map in."""
        legend = self.cover.matrix.legend
        place = legend.positions(self.cover.maps(window, [year])[0])
        at = np.where(place < 0, len(legend.codes), place)
        area = np.broadcast_to(km2, at.shape).ravel()
        sums = np.bincount(at.ravel(), area, len(legend.codes) + 1)
        self._sum(self.extents, year, sums.astype(np.float64))

    def add_carbon(self, carbon: Carbon, years: list[int], window: Window, km2: Floats) -> None:
        """Take a strip of stocks in."""
        series, maps = carbon.series(window, max(years))
        place = self.cover.matrix.legend.positions(maps[0])
        known = np.isfinite(series[0]) & (place >= 0)
        hectares = np.broadcast_to(km2, known.shape)[known] * 100
        size = len(self.cover.matrix.legend.codes)
        for year in years:
            stock = hectares * series[year - carbon.first][known]
            both = [np.bincount(place[known], w, size) for w in (stock, hectares)]
            self._sum(self.carbon, year, np.stack(both))

    @staticmethod
    def _sum(sums: dict[int, Floats] | dict[str, Floats], key: int | str, more: Floats) -> None:
        held: dict[int | str, Floats] = sums  # type: ignore[assignment]  # one key type a table
        held[key] = held[key] + more if key in held else more.astype(np.float64)

    def tables(self) -> Mapping[str, pd.DataFrame]:
        """Sheets by their names in the forms."""
        legend = self.cover.matrix.legend
        names = [*legend.names, "No data"]
        made = {
            "SO1-1.T4": pd.DataFrame(
                {"Year": list(self.extents), **{
                    f"{name} (km2)": [sums[at] for sums in self.extents.values()]
                    for at, name in enumerate(names)}}
            )
        }  # fmt: skip
        for number, (_, table) in enumerate(self.changes.items()):
            made[f"SO1-1.T{5 + number}"] = _square("Initial class", names, names, table)
        classes = ["Declining", "Moderate decline", "Stressed", "Stable", "Increasing", "No data"]
        for number, (_, table) in enumerate(self.lpd.items()):
            sheet = f"SO1-2.T{1 + number}" if number < 2 else "SO1-2.T2 (2)"
            made[sheet] = _square("Land cover class", names, classes, table.T)
        if self.carbon:
            with np.errstate(invalid="ignore", divide="ignore"):
                means = {year: sums[0] / sums[1] for year, sums in self.carbon.items()}
            made["SO1-3.T1"] = pd.DataFrame(
                {"Year": list(means), **{
                    f"{name} (t/ha)": [mean[at] for mean in means.values()]
                    for at, name in enumerate(legend.names)}}
            )  # fmt: skip
        return made


def _square(corner: str, rows: list[str], columns: list[str], table: Floats) -> pd.DataFrame:
    frame = pd.DataFrame(table, columns=[f"{name} (km2)" for name in columns])
    frame.insert(0, corner, rows)
    return frame
