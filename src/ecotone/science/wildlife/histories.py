"""From camera days to histories: effort by occasion, and whether a species was seen in it.

An occasion is a span of whole local days, counted from a unit's first day or from the survey's.
Where a unit had no effort nothing can have been seen: that is missing, never an absence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecotone.science.wildlife.encounter import union_length

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Occasions:
    """When each unit's occasions begin, and how long it was at work in each.

    Attributes:
        first: (units,) day on which the first occasion begins, in local days.
        length: days of an occasion.
        effort: (units, occasions) days at work; 0 where there was none.
    """

    first: Floats
    length: int
    effort: Floats

    def of(self, unit: Counts, day: Floats) -> Counts:
        """The occasion of moments in local days; -1 before the first or after the last."""
        place = np.floor((day - self.first[unit]) / self.length).astype(np.int64)
        outside = (place < 0) | (place >= self.effort.shape[1])
        return np.where(outside, -1, place)


def without_gaps(
    start: Floats, end: Floats, gap_of: Counts, gap_start: Floats, gap_end: Floats
) -> tuple[Counts, Floats, Floats]:
    """The pieces of each deployment in which it worked.

    Args:
        start: (deployments,) in days.
        end: (deployments,).
        gap_of: (gaps,) deployment of each.
        gap_start: (gaps,).
        gap_end: (gaps,).

    Returns:
        Deployment, start and end of each piece.

    >>> of, a, b = without_gaps(np.array([0.0]), np.array([10.0]), np.array([0, 0]),
    ...     np.array([2.0, 3.0]), np.array([4.0, 5.0]))
    >>> a.tolist(), b.tolist()
    ([0.0, 5.0], [2.0, 10.0])
    """
    which = [np.arange(len(start))]
    begins: list[Floats] = [start]
    ends: list[Floats] = [end]
    for k in np.unique(gap_of).tolist():
        own = gap_of == k
        order = np.argsort(gap_start[own], kind="stable")
        low = np.clip(gap_start[own][order], start[k], end[k])
        high = np.maximum.accumulate(np.clip(gap_end[own][order], start[k], end[k]))
        begins.append(np.concatenate([[start[k]], high]))
        ends.append(np.concatenate([low, [end[k]]]))
        which.append(np.full(len(low) + 1, k))
    of = np.concatenate(which)
    begin, finish = np.concatenate(begins), np.concatenate(ends)
    kept = (finish > begin) & ~((np.arange(len(of)) < len(start)) & np.isin(of, gap_of))
    return of[kept].astype(np.int64), begin[kept], finish[kept]


def occasions(
    unit: Counts,
    start: Floats,
    end: Floats,
    *,
    units: int,
    length: int = 1,
    by_survey: bool = False,
    out: tuple[Counts, Floats, Floats] | None = None,
) -> Occasions:
    """Effort of each unit in each occasion; overlapping cameras of a unit count once.

    Args:
        unit: (pieces,) unit of each piece of work.
        start: (pieces,) in local days.
        end: (pieces,).
        units: number of units.
        length: days of an occasion.
        by_survey: whether all units count from the survey's first day, else each from its own.
        out: unit, start and end of each deployment, working or not: they say when occasions begin
            and how many there are; the pieces themselves where left out.

    Raises:
        ValueError: no work at all, or a length below one day.

    >>> found = occasions(np.array([0, 1]), np.array([0.0, 1.0]), np.array([2.0, 2.5]), units=2)
    >>> found.effort.tolist()
    [[1.0, 1.0], [1.0, 0.5]]
    """
    if length < 1:
        raise ValueError("occasions: at least one day each")
    if len(start) == 0:
        raise ValueError("occasions: no camera was at work")
    placed, opened, closed = (unit, start, end) if out is None else out
    days = np.full(units, np.inf)
    np.minimum.at(days, placed, opened)
    first = np.floor(np.where(np.isfinite(days), days, opened.min()))
    if by_survey:
        first = np.full(units, first.min())
    low = np.floor((start - first[unit]) / length).astype(np.int64)
    high = np.ceil((end - first[unit]) / length).astype(np.int64) - 1
    number = int(np.ceil((closed - first[placed]) / length).max())
    spans = np.maximum(high - low + 1, 0)
    piece = np.repeat(np.arange(len(start)), spans)
    within = np.arange(len(piece)) - np.repeat(np.cumsum(spans) - spans, spans)
    occasion = low[piece] + within
    opens = first[unit[piece]] + occasion * length
    group = unit[piece] * number + occasion
    effort = union_length(
        group,
        np.maximum(start[piece], opens),
        np.minimum(end[piece], opens + length),
        units * number,
    )
    return Occasions(first, length, effort.reshape(units, number))


def history(found: Occasions, unit: Counts, day: Floats, least: float = 0.0) -> Floats:
    """Whether something was seen: 1, 0, or NaN where there was not enough effort.

    Args:
        found: the occasions.
        unit: (records,) unit of each record.
        day: (records,) moment in local days.
        least: days of effort below which an occasion says nothing; an occasion without effort
            never does, even where a record lies in it.
    """
    seen = np.zeros(found.effort.shape)
    place = found.of(unit, day)
    seen[unit[place >= 0], place[place >= 0]] = 1.0
    seen[(found.effort <= 0) | (found.effort < least)] = np.nan
    return seen
