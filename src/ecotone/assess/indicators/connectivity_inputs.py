"""What a circuit runs on: habitat, points, polygons, sources and grounds, read and checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS

from ecotone.assess.indicators.connectivity_tables import read_places
from ecotone.formats.asciigrid import GRID_KEYS, Raster, read_raster, read_text
from ecotone.formats.base import refused
from ecotone.formats.circuitscape import Config, read_table
from ecotone.model.finding import Finding, Severity
from ecotone.science.connectivity.landscape import Points

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Habitat:
    """Conductances on their grid, 0 where there is no habitat."""

    raster: Raster
    conductance: Floats


def read_habitat(path: Path, *, resistance: bool, reclass: Path | None = None) -> Habitat:
    """Resistances (above zero) or conductances (zero or more) of a raster.

    ``reclass`` is a list of old and new values; values that it does not name stay.
    """
    raster = read_raster(path)
    values = raster.values
    if reclass is not None:
        table = read_table(reclass, 2)
        order = np.argsort(table[:, 0], kind="stable")
        known = table[order, 0]
        at = np.minimum(np.searchsorted(known, values), known.size - 1)
        values = np.where(known[at] == values, table[order, 1][at], values)
    with np.errstate(invalid="ignore"):
        low = values <= 0 if resistance else values < 0
    if low.any():
        row, column = (int(x) for x in np.argwhere(low)[0])
        code = "circuit-resistance-not-positive" if resistance else "circuit-conductance-negative"
        raise refused(
            code,
            file=path.name,
            value=f"{values[row, column]:g}",
            count=str(int(low.sum())),
            at=f"{row + 1}, {column + 1}",
        )
    known = np.isfinite(values)
    conductance = np.zeros(values.shape)
    conductance[known] = 1.0 / values[known] if resistance else values[known]
    if not (conductance > 0).any():
        raise refused("circuit-no-habitat", file=path.name)
    return Habitat(raster, conductance)


def masked(habitat: Habitat, path: Path) -> Habitat:
    """Habitat where a mask is above zero, none elsewhere."""
    mask = on_grid(path, habitat)
    kept = np.where(np.nan_to_num(mask) > 0, habitat.conductance, 0.0)
    if not kept.any():
        raise refused("circuit-mask-empty", file=path.name)
    return Habitat(habitat.raster, kept)


def on_grid(path: Path, habitat: Habitat) -> Floats:
    """A raster that lies on the habitat's grid; refused where it does not."""
    raster = read_raster(path)
    wanted = habitat.raster
    if not raster.aligned(wanted):
        raise refused(
            "circuit-grid-differs", file=path.name, value=wanted.name,
            found=shown(raster), wanted=shown(wanted),
        )  # fmt: skip
    if raster.crs is not None and wanted.crs is not None and raster.crs != wanted.crs:
        raise refused(
            "circuit-crs-differs", file=path.name, value=wanted.name,
            found=_system(raster.crs), wanted=_system(wanted.crs),
        )  # fmt: skip
    return raster.values


def shown(raster: Raster) -> str:
    """A grid in numbers: columns and rows, size of a cell, upper left corner."""
    rows, columns = raster.values.shape
    t = raster.transform
    return f"{columns} x {rows}, {t.a:.10g} x {-t.e:.10g}, ({t.c:.10g}; {t.f:.10g})"


def _system(crs: CRS) -> str:
    """A reference system by its code, or the beginning of its description."""
    return str(crs.to_string())[:60]


def read_polygons(path: Path, habitat: Habitat) -> Ints:
    """Short-circuit regions by number; 0 where there is none."""
    values = np.nan_to_num(on_grid(path, habitat))
    return np.where(values > 0, values, 0).astype(np.int64)


def is_list(path: Path) -> bool:
    """Whether a file is a list of points, not a grid: it does not begin like one."""
    if path.suffix.lower() in (".tif", ".tiff", ".img", ".vrt"):
        return False
    words = read_text(path)[:400].split(maxsplit=1)
    return not words or words[0].lower() not in GRID_KEYS


def read_points(path: Path, habitat: Habitat, findings: list[Finding]) -> Points:
    """Focal points and regions: a grid of ids, or a list ``id x y`` in map coordinates.

    Ids are above zero; points beyond the grid are told and left out.
    """
    if is_list(path):
        table = read_places(path)
        cells, inside = _cells(table[:, 1], table[:, 2], habitat)
        if not inside.any():
            _no_swap(path, table, habitat)
        _tell_outside(path, table[~inside, 0], findings)
        ids = _whole(table[inside, 0], path)
    else:
        values = np.nan_to_num(on_grid(path, habitat)).ravel()
        cells = np.flatnonzero(values)
        ids = _whole(values[cells], path)
    named = ids > 0
    pairs = np.unique(np.column_stack([ids[named], cells[named]]), axis=0)
    points = Points(pairs[:, 1], pairs[:, 0])
    if not pairs.size:
        raise refused("circuit-no-point", file=path.name)
    alone = bare_points(points, habitat)
    if alone.size:
        findings.append(
            Finding(
                "circuit-point-on-nodata",
                Severity.WARNING,
                file=path.name,
                params={"ids": _listed(alone), "count": str(alone.size)},
            )
        )
    return points


def _no_swap(path: Path, table: Floats, habitat: Habitat) -> None:
    """Refuse a list whose points lie on the grid once x and y are exchanged."""
    _, turned = _cells(table[:, 2], table[:, 1], habitat)
    if turned.any():
        raise refused("circuit-points-swapped", file=path.name, count=str(int(turned.sum())))


def _whole(ids: Floats, path: Path) -> Ints:
    """Ids as whole numbers; refused where one is none, or larger than a number can tell."""
    broken = (ids != np.floor(ids)) | (np.abs(ids) > 2.0**53)
    if broken.any():
        raise refused("circuit-id-broken", file=path.name, value=f"{ids[broken][0]:g}")
    return ids.astype(np.int64)


def bare_points(points: Points, habitat: Habitat) -> Ints:
    """The ids that touch no habitat."""
    live = points.ids[habitat.conductance.ravel()[points.cells] > 0]
    return np.setdiff1d(points.ids, live)


def read_strength_map(
    path: Path, habitat: Habitat, findings: list[Finding]
) -> tuple[Floats, NDArray[np.bool_]]:
    """Values of sources or grounds on the grid, and where any is given."""
    if not is_list(path):
        values = on_grid(path, habitat)
        given = ~np.isnan(values)
        return np.nan_to_num(values), given
    table = read_table(path, 3)
    cells, inside = _cells(table[:, 1], table[:, 2], habitat)
    _tell_outside(path, table[~inside, 0], findings)
    shape = habitat.conductance.shape
    values, given = np.zeros(shape), np.zeros(shape, dtype=np.bool_)
    np.add.at(values.ravel(), cells, table[inside, 0])
    given.ravel()[cells] = True
    return values, given


def sources_and_grounds(
    config: Config, habitat: Habitat, findings: list[Finding]
) -> tuple[Floats, Floats]:
    """Amperes and siemens of each cell of an advanced run; infinite: held at 0 V."""
    assert config.sources is not None
    assert config.grounds is not None
    source, given = read_strength_map(config.sources, habitat, findings)
    if config.unit_currents:
        source = np.where(source != 0, 1.0, 0.0)
    values, earthed = read_strength_map(config.grounds, habitat, findings)
    if not (given & (source != 0)).any():
        raise refused("circuit-no-source", file=config.sources.name)
    return source, leaks(values, earthed, config)


def leaks(values: Floats, given: NDArray[np.bool_], config: Config) -> Floats:
    """Conductances to ground; a resistance of zero and direct grounds hold 0 V."""
    assert config.grounds is not None
    if (values[given] < 0).any():
        raise refused("circuit-ground-negative", file=config.grounds.name)
    leak = np.zeros(values.shape)
    if config.direct_grounds:
        chosen = given if config.grounds_are_resistances else given & (values != 0)
        leak[chosen] = np.inf
    elif config.grounds_are_resistances:
        with np.errstate(divide="ignore"):
            leak[given] = 1.0 / values[given]
    else:
        leak[given] = values[given]
    if not leak.any():
        raise refused("circuit-no-ground", file=config.grounds.name)
    return leak


def _cells(x: Floats, y: Floats, habitat: Habitat) -> tuple[Ints, NDArray[np.bool_]]:
    """Flat cells of map coordinates, and which of them lie on the grid."""
    back = ~habitat.raster.transform
    columns = np.floor(back.a * x + back.b * y + back.c + 1e-9).astype(np.int64)
    rows = np.floor(back.d * x + back.e * y + back.f + 1e-9).astype(np.int64)
    height, width = habitat.conductance.shape
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    return rows[inside] * width + columns[inside], inside


def _tell_outside(path: Path, ids: Floats, findings: list[Finding]) -> None:
    if ids.size:
        findings.append(
            Finding(
                "circuit-point-outside",
                Severity.WARNING,
                file=path.name,
                params={"ids": _listed(ids.astype(np.int64)), "count": str(ids.size)},
            )
        )


def _listed(ids: Ints) -> str:
    shown = ", ".join(map(str, ids[:10].tolist()))
    return shown if ids.size <= 10 else f"{shown} ..."
