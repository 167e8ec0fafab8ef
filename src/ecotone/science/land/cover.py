"""Land cover: legends nested into classes, transitions between maps, what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecotone.science.land.lookup import DEGRADED, IMPROVED, NODATA, STABLE, Codes, rows_of

#: Codes of the UNCCD legend that the soil carbon rules name.
TREE, GRASS, CROP, WETLAND, ARTIFICIAL, OTHER, WATER = range(1, 8)


@dataclass(frozen=True)
class Legend:
    """Classes of land cover in their order.

    Attributes:
        codes: one for each class.
        names: one for each class.
        colors: as #RRGGBB, one for each class.
    """

    codes: tuple[int, ...]
    names: tuple[str, ...]
    colors: tuple[str, ...] = ()

    def positions(self, codes: ArrayLike) -> NDArray[np.intp]:
        """The place of each code in the legend; -1 for one it does not have.

        >>> Legend((10, 30), ("a", "b")).positions([30, 10, 7]).tolist()
        [1, 0, -1]
        """
        values = np.asarray(codes)
        order = np.argsort(self.codes)
        ascending = np.asarray(self.codes)[order]
        at = np.clip(np.searchsorted(ascending, values), 0, len(ascending) - 1)
        places: NDArray[np.intp] = np.where(ascending[at] == values, order[at], -1)
        return places


def unccd_legend() -> Legend:
    """The seven classes of the UNCCD reports.

    >>> unccd_legend().names[3]
    'Wetland'
    """
    rows = rows_of("legend_unccd")
    return Legend(
        tuple(int(row["code"]) for row in rows),
        tuple(row["name"] for row in rows),
        tuple(row["color"] for row in rows),
    )


def esa_nesting() -> dict[int, int]:
    """The class of the UNCCD legend for each code of the ESA CCI land cover maps.

    >>> esa_nesting()[130]
    2
    """
    return {int(row["code"]): int(row["unccd"]) for row in rows_of("legend_esa_cci")}


def nested(codes: ArrayLike, nesting: Mapping[int, int], nodata: float | None = None) -> Codes:
    """Codes of a legend as those it is nested into.

    Args:
        codes: whole numbers, any shape.
        nesting: ``{code: class}``; it must cover every code met.
        nodata: the code that means no value.

    Returns:
        Classes, ``NODATA`` where there is no value.

    Raises:
        ValueError: codes that the nesting does not cover, all named.

    >>> nested([10, 20, 0], {10: 3, 20: 1}, nodata=0).tolist()
    [3, 1, -32768]
    """
    values = np.asarray(codes)
    found, at = np.unique(values, return_inverse=True)
    unknown = [int(c) for c in found if c not in nesting and c not in (nodata, NODATA)]
    if unknown:
        raise ValueError(f"the legend does not cover the codes {', '.join(map(str, unknown))}")
    classes = np.array([nesting.get(int(code), NODATA) for code in found], dtype=np.int16)
    out: Codes = classes[at].reshape(values.shape) if found.size else values.astype(np.int16)
    return out


@dataclass(frozen=True)
class TransitionMatrix:
    """What each change of class means; rows are the initial, columns the final class.

    Attributes:
        legend: the classes.
        effect: (classes, classes) of -1, 0 and 1.
    """

    legend: Legend
    effect: Codes

    def __post_init__(self) -> None:
        """One effect for every pair."""
        size = len(self.legend.codes)
        if self.effect.shape != (size, size):
            raise ValueError(f"{size} classes need {size * size} effects")
        if not np.isin(self.effect, (DEGRADED, STABLE, IMPROVED)).all():
            raise ValueError("a transition is degrading (-1), stable (0) or improving (1)")

    @property
    def multiplier(self) -> int:
        """What the initial class is multiplied by in a transition's code: 10, 100 ..."""
        return int(10 ** len(str(max(self.legend.codes))))

    def of(self, initial: ArrayLike, final: ArrayLike) -> Codes:
        """What the change of each pixel means; ``NODATA`` where either map has none.

        >>> unccd_transitions().of([1, 3, 1], [3, 1, 1]).tolist()
        [-1, 1, 0]
        """
        a, b = self.legend.positions(initial), self.legend.positions(final)
        out: Codes = np.where((a < 0) | (b < 0), NODATA, self.effect[a, b]).astype(np.int16)
        return out

    def codes(self, initial: ArrayLike, final: ArrayLike) -> NDArray[np.int64]:
        """Initial code times ``multiplier`` plus final code; ``NODATA`` where either is none."""
        a, b = np.asarray(initial, np.int64), np.asarray(final, np.int64)
        known = (self.legend.positions(a) >= 0) & (self.legend.positions(b) >= 0)
        return np.where(known, a * self.multiplier + b, NODATA)

    def areas(self, initial: ArrayLike, final: ArrayLike, areas: ArrayLike) -> NDArray[np.float64]:
        """Area of every transition.

        Args:
            initial: codes of the first map.
            final: codes of the second map, same shape.
            areas: of the pixels, broadcast.

        Returns:
            (classes + 1, classes + 1) in the unit of the areas; the last row and column hold
            what a map has no class for, so that all of it sums to all the area.
        """
        size = len(self.legend.codes) + 1
        a, b = self.legend.positions(initial), self.legend.positions(final)
        area = np.broadcast_to(np.asarray(areas, dtype=np.float64), a.shape)
        at = np.where(a < 0, size - 1, a) * size + np.where(b < 0, size - 1, b)
        sums = np.bincount(at.ravel(), area.ravel(), minlength=size * size)
        table: NDArray[np.float64] = sums.reshape(size, size).astype(np.float64)
        return table


def unccd_transitions() -> TransitionMatrix:
    """The default matrix of the UNCCD: 49 transitions, all those of water stable."""
    legend = unccd_legend()
    size = len(legend.codes)
    effect = np.zeros((size, size), dtype=np.int16)
    for row in rows_of("transitions_unccd"):
        effect[int(row["initial"]) - 1, int(row["final"]) - 1] = int(row["effect"])
    return TransitionMatrix(legend, effect)


#: Shares of soil carbon left after 20 years as cropland, by climate (IPCC 2006, table 5.5).
CLIMATE_FACTORS: Final = {
    "temperate dry": 0.80,
    "temperate moist": 0.69,
    "tropical dry": 0.58,
    "tropical moist": 0.48,
    "tropical montane": 0.64,
}
