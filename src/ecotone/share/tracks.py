"""Tracks on a grid: months in which animals lived in a cell, never fixes.

Five hundred fixes of one animal, each moved to the centre of its 0.1 degree cell, give the centre
of its range back to 276 m: how often each cell was used tells what the cells hide. Even the bare
set of cells that animals of one den used tells where between them it lies: twelve animals about one
den, each told in the cell it used most, give it to 2.4 km where the cell itself says 4 km (150
simulated groups, ranges of 4.4 km). So every animal counts in one cell alone: of those it used, the
one in which most animals live, so that who shares a den is told in one cell. What leaves is
*presence*: one line for a cell and a month in which at least ``minimum_animals`` animals of that
cell gave at least ``minimum_fixes`` fixes, without number, order or names.
"""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.model.agreement import Class
from ecotone.share.generalise import constant

#: The column that names the animal a fix is of.
ANIMAL: Final = {"Observation": "individual", "Occurrence": "organism"}
_PLACE: Final = ["latitude", "longitude"]
_CELL: Final = ["dataset_id", "taxon", *_PLACE, "time_start"]
_OWNER: Final = ["dataset_id", "animal"]
_KIND: Final = ["dataset_id", "taxon"]


def fixes(
    frame: pd.DataFrame, noun: str, anchored: NDArray[np.bool_], placed: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Rows that are fixes of a track: of a named animal, placed, and at no camera or site."""
    column = ANIMAL.get(noun)
    if column is None or column not in frame:
        return np.zeros(len(frame), dtype=np.bool_)
    named = frame[column].notna().to_numpy(dtype=bool)
    return np.asarray(named & placed & ~anchored, dtype=np.bool_)


def presence(slim: pd.DataFrame, animals: pd.Series, rule: Class) -> pd.DataFrame:
    """Cells and months used by enough animals, of rows already on the grid (see ``slim``).

    The uncertainty is that of the cell: none of a single fix stands for others.
    """
    if "latitude" not in slim or "time_start" not in slim:
        # The class withholds the place or the time by name: nothing is left to be present in.
        return slim.iloc[:0]
    slim = slim if "taxon" in slim else slim.assign(taxon=constant(None, slim.index))
    at_home = _at_home(slim.assign(animal=animals.to_numpy()))
    radius = at_home.groupby(_PLACE)["coordinate_uncertainty_m"].min().rename("radius")
    counted = at_home.groupby(_CELL, dropna=False, sort=True)["animal"].agg(["nunique", "size"])
    enough = (counted["nunique"] >= rule.minimum_animals) & (counted["size"] >= rule.minimum_fixes)
    cells = counted[enough].reset_index()[_CELL].dropna(subset="time_start")
    cells = cells.join(radius, on=_PLACE).rename(columns={"radius": "coordinate_uncertainty_m"})
    month = cells["time_start"].dt.tz_localize(None).dt.strftime("%Y-%m")
    return cells.assign(time_text=month.astype("str"), time_precision="month")


def _at_home(fixes: pd.DataFrame) -> pd.DataFrame:
    """Every fix in the one cell its animal counts in; of equals the most southern, then western."""
    cells = fixes.groupby([*_OWNER, "taxon", *_PLACE], sort=True, dropna=False).size()
    used = cells.rename("used").reset_index()
    most = used.sort_values("used", ascending=False, kind="stable").drop_duplicates(_OWNER)
    lived = most.groupby([*_KIND, *_PLACE], dropna=False).size().rename("lived").reset_index()
    # A cell where nobody lives is no better than any other: it comes after all where one does.
    near = used.merge(lived, how="left", on=[*_KIND, *_PLACE]).sort_values(
        ["lived", *_PLACE], ascending=[False, True, True], kind="stable", na_position="last"
    )
    home = near.drop_duplicates(_OWNER)[[*_OWNER, *_PLACE]]
    moved = fixes.drop(columns=[*_PLACE, "coordinate_uncertainty_m"]).merge(home, on=_OWNER)
    radius = fixes.groupby(_PLACE)["coordinate_uncertainty_m"].min()
    return moved.join(radius, on=_PLACE)


def keys(cells: pd.DataFrame) -> pd.Series:
    """What names a line of presence: its dataset, taxon, cell and month."""
    taxon = cells["taxon"].fillna("").astype("str")
    place = [
        (cells[name] * 1e4).round().astype("int64").astype("str")
        for name in ("latitude", "longitude")
    ]
    parts = [cells["dataset_id"], taxon, *place, cells["time_text"].astype("str")]
    told: pd.Series = functools.reduce(lambda one, other: one + "\0" + other, parts)
    return told
