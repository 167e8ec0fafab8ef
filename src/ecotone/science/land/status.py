"""SDG indicator 15.3.1: one-out-all-out, status against the baseline, corrections, balance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecotone.science.land.lookup import DEGRADED, IMPROVED, NODATA, STABLE, Codes, three_classes

#: What no data in one sub-indicator does: takes the pixel out, or leaves it to the others.
Missing = Literal["any", "known"]
MISSING: Final[tuple[Missing, ...]] = ("any", "known")
#: Periods that a correction may name, in the order of the bits Trends.Earth packs them in.
PERIODS: Final = ("baseline", "report_1", "report_2")
#: Status by (baseline, period) in the order degraded, stable, improved, no data.
_STATUS: Final = np.array(
    [[1, 3, 6, NODATA], [2, 4, 6, NODATA], [2, 5, 7, NODATA], [NODATA] * 4], dtype=np.int16
)


def one_out_all_out(*parts: ArrayLike, missing: Missing = "any") -> Codes:
    """Degraded if any part is, improved if none is degraded and any improved, else stable.

    Args:
        parts: the sub-indicators, -1, 0, 1 or ``NODATA``, of one shape; at least one.
        missing: ``any``: no data in any part is no data, as in Trends.Earth, even where
            another part is degraded; ``known``: the parts that are known decide.

    Returns:
        -1, 0, 1 or ``NODATA``.

    Raises:
        ValueError: no part, or another code.

    >>> one_out_all_out([1, 1, 0], [0, -1, 0]).tolist()
    [1, -1, 0]
    """
    if not parts:
        raise ValueError("at least one sub-indicator is needed")
    if missing not in MISSING:
        raise ValueError(f"missing must be one of {', '.join(MISSING)}")
    places = np.stack(np.broadcast_arrays(*[three_classes(part) for part in parts]))
    none = places == 3
    out = np.where((places == 2).any(axis=0), IMPROVED, STABLE)
    out = np.where((places == 0).any(axis=0), DEGRADED, out)
    gone = none.any(axis=0) if missing == "any" else none.all(axis=0)
    codes: Codes = np.where(gone, NODATA, out).astype(np.int16)
    return codes


def status_classes(baseline: ArrayLike, period: ArrayLike) -> Codes:
    """Where a reporting period stands against the baseline, in seven classes.

    1 persistent degradation, 2 recent degradation, 3 baseline degradation persisting, 4 stable,
    5 baseline improvement persisting, 6 recent improvement, 7 persistent improvement (PRAIS 4
    manual, figure 4).

    Args:
        baseline: -1, 0, 1 or ``NODATA``.
        period: the same.

    Returns:
        1 .. 7, or ``NODATA`` where either is missing.

    >>> status_classes([-1, 0, 1], [0, -1, 1]).tolist()
    [3, 2, 7]
    """
    codes: Codes = _STATUS[three_classes(baseline), three_classes(period)]
    return codes


def status_three(status: ArrayLike) -> Codes:
    """Seven classes as three: {1, 2, 3} -1, {4} 0, {5, 6, 7} 1.

    Args:
        status: 1 .. 7 or ``NODATA``.

    Returns:
        -1, 0, 1 or ``NODATA``.

    Raises:
        ValueError: any other code.

    >>> status_three([3, 4, 5, -32768]).tolist()
    [-1, 0, 1, -32768]
    """
    codes = np.asarray(status)
    there = codes != NODATA
    if ((codes[there] < 1) | (codes[there] > 7)).any():
        raise ValueError("status classes are 1 to 7")
    out: Codes = np.where(there, np.sign(codes.astype(np.int32) - 4), NODATA).astype(np.int16)
    return out


@dataclass(frozen=True)
class Recode:
    """What a correction makes of each class; None leaves it as it is.

    Attributes:
        degraded: the new code of degraded land.
        stable: of stable land.
        improved: of improved land.
        periods: those it holds for, out of ``PERIODS``.
    """

    degraded: int | None
    stable: int | None
    improved: int | None
    periods: tuple[str, ...]

    def __post_init__(self) -> None:
        """Only what the form of the error polygons allows."""
        for code in (self.degraded, self.stable, self.improved):
            if code is not None and code not in (DEGRADED, STABLE, IMPROVED, NODATA):
                raise ValueError(f"{code} is no degradation class")
        unknown = [name for name in self.periods if name not in PERIODS]
        if unknown:
            raise ValueError(f"unknown periods: {', '.join(unknown)}")


def recoded(
    codes: ArrayLike,
    zones: ArrayLike,
    recodes: Mapping[int, Recode] | Sequence[Recode],
    period: str,
) -> Codes:
    """Land classes after the corrections that hold for a period.

    Args:
        codes: -1, 0, 1 or ``NODATA``.
        zones: which correction lies over each pixel; one that is no key leaves it as it is.
        recodes: the corrections by zone, or in the order of their zones from 0.
        period: one of ``PERIODS``.

    Returns:
        The codes, no data staying no data.

    Raises:
        ValueError: an unknown code or period.

    >>> fix = Recode(0, None, None, ("report_1",))
    >>> recoded([-1, -1], [0, -1], [fix], "report_1").tolist()
    [0, -1]
    """
    if period not in PERIODS:
        raise ValueError(f"the period must be one of {', '.join(PERIODS)}")
    places = three_classes(codes)
    out: Codes = np.asarray(codes).astype(np.int16)
    where = np.asarray(zones)
    keyed = recodes.items() if isinstance(recodes, Mapping) else enumerate(recodes)
    for zone, recode in keyed:
        if period in recode.periods:
            for place, new in enumerate((recode.degraded, recode.stable, recode.improved)):
                if new is not None:
                    out[(where == zone) & (places == place)] = new
    return out


def neutrality(
    status: ArrayLike, land_types: ArrayLike, areas: ArrayLike
) -> dict[int, tuple[float, float, float]]:
    """Land degradation neutrality by land type: gains, losses and their balance.

    Gains are recent and persistent improvement (6, 7), losses persistent and recent
    degradation (1, 2); neutral where the balance is not negative.

    Args:
        status: 1 .. 7 or ``NODATA``.
        land_types: whole numbers of 0 or more, same shape; negative = none.
        areas: of the pixels, any unit, broadcast.

    Returns:
        ``{land type: (gains, losses, gains - losses)}`` in the unit of the areas.
    """
    codes = np.asarray(status)
    types, area = np.broadcast_arrays(np.asarray(land_types), np.asarray(areas, float))[:2]
    result = {}
    for kind in np.unique(types[types >= 0]):
        here = types == kind
        gains = float(area[here & np.isin(codes, (6, 7))].sum())
        losses = float(area[here & np.isin(codes, (1, 2))].sum())
        result[int(kind)] = (gains, losses, gains - losses)
    return result


def area_by_code(codes: ArrayLike, areas: ArrayLike, known: Sequence[int]) -> NDArray[np.float64]:
    """Areas of the codes that are known, in their order, and of all the rest last.

    Args:
        codes: whole numbers, any shape.
        areas: of the pixels, broadcast against the codes; 0 outside the region.
        known: the codes to tell apart, each once.

    Returns:
        Shape (known + 1,), in the unit of the areas; its sum is the sum of the areas.

    >>> area_by_code([1, 2, 9], [1.0, 2.0, 4.0], [2, 1]).tolist()
    [2.0, 1.0, 4.0]
    """
    values, area = np.broadcast_arrays(np.asarray(codes), np.asarray(areas, dtype=np.float64))
    order = np.argsort(known)
    ascending = np.asarray(known)[order]
    place = np.clip(np.searchsorted(ascending, values), 0, len(known) - 1)
    at = np.where(ascending[place] == values, order[place], len(known))
    sums = np.bincount(at.ravel(), area.ravel(), minlength=len(known) + 1)
    return sums.astype(np.float64)
