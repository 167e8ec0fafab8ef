"""People by class of the land they live on, each counted where the nearest cell is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rasterio.windows import Window

from ecotone.assess.indicator import Input, Job
from ecotone.assess.indicators.land_ground import Ground, Layer, strips
from ecotone.assess.indicators.land_scratch import Scratch
from ecotone.assess.indicators.mosaic import Mosaic
from ecotone.formats.raster import open_layer
from ecotone.model.errors import InputRefused
from ecotone.model.words import say

Floats = NDArray[np.float64]

GROUPS: Final = ("population", "female", "male")
#: Maps of people, on a grid of their own.
INPUTS: Final = tuple(Input(name, "raster", required=False) for name in GROUPS)


@dataclass(frozen=True)
class People:
    """A map of people and the ground under it."""

    name: str
    layer: Layer
    ground: Ground


@dataclass(frozen=True)
class Lived:
    """A part of a map of people, and which cells of the other grid they live in.

    Attributes:
        people: in each cell of the part, 0 where none.
        rows: of the other grid, within the scratch arrays, for each row of the part.
        columns: for each column.
        there: where the other grid has a cell at all.
    """

    people: Floats
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    there: NDArray[np.bool_]


def people_of(job: Job, mosaic: Mosaic) -> list[People]:
    """The maps of people; all are the sum of women and men where only these are given.

    Raises InputRefused where one lies in another reference system.
    """
    found = []
    for name in GROUPS:
        given = job.inputs.get(name)
        if not given:
            continue
        stack = open_layer(given[0])
        if stack.crs != mosaic.crs:
            raise InputRefused(
                say("assess.land.grids-differ", first=mosaic.tiles[0].name, other=given[0].name),
                say("assess.land.grids-differ.do"),
            )
        ground = Ground(stack.transform, stack.crs, stack.width, stack.height)
        ground = ground if job.region is None else ground.clipped(job.region)
        found.append(People(name, Layer(given[0].name, stack), ground))
    return found


def lived(group: People, mosaic: Mosaic, arrays: Scratch) -> Iterator[Lived]:
    """A map of people in parts; InputRefused where one is negative."""
    bounds = group.ground.bounds()
    for window in strips(bounds) if bounds else ():
        people = group.layer.read(window) * group.ground.shares(window)
        if np.fmin.reduce(people, axis=None) < 0:
            raise InputRefused(
                say("assess.land.people-negative", name=group.layer.name),
                say("assess.land.missing-code.do"),
            )
        rows, columns, there = _nearest(mosaic, arrays, group, window)
        yield Lived(np.nan_to_num(people), rows, columns, there)


def _nearest(
    mosaic: Mosaic, arrays: Scratch, group: People, window: Window
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
    """Rows and columns of the other grid's cells in which the centres of these lie."""
    a, b = group.ground.transform, mosaic.transform
    x = a.c + a.a * (window.col_off + np.arange(window.width) + 0.5)
    y = a.f + a.e * (window.row_off + np.arange(window.height) + 0.5)
    column = np.floor((x - b.c) / b.a).astype(np.int64) - int(arrays.within.col_off)
    row = np.floor((y - b.f) / b.e).astype(np.int64) - int(arrays.within.row_off)
    height, width = int(arrays.within.height), int(arrays.within.width)
    inside_rows = (row >= 0) & (row < height)
    inside_columns = (column >= 0) & (column < width)
    return (
        np.clip(row, 0, height - 1).astype(np.intp),
        np.clip(column, 0, width - 1).astype(np.intp),
        inside_rows[:, None] & inside_columns[None, :],
    )


def with_all(sums: dict[str, Floats]) -> dict[str, Floats]:
    """Women and men together are everybody, where everybody was not given."""
    if "population" not in sums and {"female", "male"} <= sums.keys():
        return {"population": sums["female"] + sums["male"], **sums}
    return sums


def in_cells(group: People, mosaic: Mosaic, arrays: Scratch) -> Floats:
    """People in each cell of the other grid; who lives beyond it is left out."""
    total = np.zeros((int(arrays.within.height), int(arrays.within.width)))
    for part in lived(group, mosaic, arrays):
        at = part.rows[:, None] * total.shape[1] + part.columns[None, :]
        people = np.where(part.there, part.people, 0.0)
        total += np.bincount(at.ravel(), people.ravel(), minlength=total.size).reshape(total.shape)
    return total


def by_class(
    group: People,
    mosaic: Mosaic,
    arrays: Scratch,
    layers: Callable[[NDArray[np.intp], NDArray[np.intp]], list[NDArray[np.int16]]],
    count: Callable[[NDArray[np.int16], Floats], Floats],
    nothing: int,
) -> Floats:
    """Sums of people by class, a row for each of the layers of codes.

    Args:
        group: who.
        mosaic: the grid of the codes.
        arrays: where the codes lie.
        layers: the codes at some rows and columns, one array a layer.
        count: people by class of one layer.
        nothing: the code where the codes' grid has no cell.
    """
    total: Floats | None = None
    for part in lived(group, mosaic, arrays):
        here = layers(part.rows[:, None], part.columns[None, :])
        sums = np.array([count(np.where(part.there, c, nothing), part.people) for c in here])
        total = sums if total is None else total + sums
    return np.zeros((0, 0)) if total is None else total


def people_table(
    sums: dict[str, Floats], firsts: list[dict[str, object]], names: tuple[str, ...], key: str
) -> pd.DataFrame:
    """A row for each layer and class: people of each group and their share."""
    rows = []
    for number, first in enumerate(firsts):
        for at, name in enumerate(names):
            row: dict[str, object] = {**first, key: name}
            for group, people in sums.items():
                total = float(people[number].sum())
                row[group] = float(people[number, at])
                row[f"{group}_percent"] = 100 * people[number, at] / total if total else None
            rows.append(row)
    return pd.DataFrame(rows)
