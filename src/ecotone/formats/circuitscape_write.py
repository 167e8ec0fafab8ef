"""Circuitscape's output files, by the names that users' scripts look for."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from ecotone.formats.asciigrid import Raster, write_grid
from ecotone.formats.circuitscape import Config
from ecotone.formats.raster_write import write_geotiff

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Twelve digits: the peer writes ten.
_NUMBER: Final = "%.12g"
#: What stands for a pair that is not connected or not asked for.
_NONE: Final = -1.0
_NODATA: Final = -9999.0
#: Branches that carry less than this (A, for sources of 1 A) are not listed.
_NO_CURRENT: Final = 1e-6


class Writer:
    """Writes the files of one run into a folder under the INI's base name."""

    def __init__(
        self,
        folder: Path,
        config: Config,
        raster: Raster | None = None,
        habitat: Floats | None = None,
    ) -> None:
        self.folder = folder
        self.config = config
        self._raster = raster
        self._bare = None if habitat is None else habitat <= 0
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, suffix: str) -> Path:
        """The path of an output file."""
        return self.folder / f"{self.config.base}{suffix}"

    def matrix(self, ids: Ints, resistance: Floats) -> None:
        """``_resistances.out`` with ids around it, ``_resistances_3columns.out`` with pairs."""
        known = np.where(np.isnan(resistance), _NONE, resistance)
        whole = np.zeros((ids.size + 1, ids.size + 1))
        whole[0, 1:] = whole[1:, 0] = ids
        whole[1:, 1:] = known
        self._table("_resistances.out", whole)
        rows, columns = np.triu_indices(ids.size, 1)
        pairs = np.column_stack([ids[rows], ids[columns], known[rows, columns]])
        self._table("_resistances_3columns.out", pairs)

    def vector(self, ids: Ints, resistance: Floats) -> None:
        """``_resistances.out`` of one-to-all and all-to-one: id and number."""
        known = np.where(np.isnan(resistance), _NONE, resistance)
        self._table("_resistances.out", np.column_stack([ids, known]))

    def current_map(self, suffix: str, values: Floats) -> None:
        """A current map, transformed as the INI asks."""
        config = self.config
        shown = values
        if config.log_transform:
            with np.errstate(divide="ignore"):
                shown = np.where(values > 0, np.log10(np.maximum(values, 1e-300)), np.nan)
        if config.null_currents and self._bare is not None:
            shown = np.where(self._bare, np.nan, shown)
        self._map(suffix, shown)

    def voltage_map(self, suffix: str, values: Floats) -> None:
        """A voltage map."""
        shown = values
        if self.config.null_voltages and self._bare is not None:
            shown = np.where(self._bare, np.nan, values)
        self._map(suffix, shown)

    def nodes(self, suffix: str, ids: Ints, values: Floats) -> None:
        """``id value`` lines of a network."""
        self._table(suffix, np.column_stack([ids, values]))

    def branches(self, suffix: str, ids: tuple[Ints, Ints], values: Floats) -> None:
        """``id id value`` lines of a network, sorted, branches without current left out."""
        size = np.abs(values)
        low, high = np.minimum(*ids), np.maximum(*ids)
        live = size > _NO_CURRENT * min(1.0, size.max(initial=0.0))
        order = np.lexsort((high[live], low[live]))
        table = np.column_stack([low[live], high[live], size[live]])[order]
        self._table(suffix, table)

    def _map(self, suffix: str, values: Floats) -> None:
        assert self._raster is not None
        if self.config.as_tif:
            rows, columns = values.shape
            shown = np.where(np.isnan(values), _NODATA, values)
            write_geotiff(
                self.path(suffix + ".tif"),
                shape=(rows, columns),
                transform=self._raster.transform,
                crs=self._raster.crs,
                blocks=[(Window(0, 0, columns, rows), shown)],
                nodata=_NODATA,
                dtype="float64",
            )
            return
        end = ".asc.gz" if self.config.compress else ".asc"
        write_grid(self.path(suffix + end), values, self._raster.transform)

    def _table(self, suffix: str, table: Floats) -> None:
        with self.path(suffix).open("w", encoding="ascii", newline="\n") as out:
            np.savetxt(out, table, fmt=_NUMBER)
