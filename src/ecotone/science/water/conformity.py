"""Conformity of uncertain results: four states instead of a yes that may be wrong."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecotone.science.stats.shares import clopper_pearson
from ecotone.science.water.compliance import Verdict, judge

Floats = NDArray[np.float64]


class State(IntEnum):
    """What an uncertain result says about a standard."""

    NONE = -1  #: no result, or no standard
    COMPLIANT = 0  #: within the limit even at the unfavourable end of its uncertainty
    PROBABLY = 1  #: within the limit, but the uncertainty reaches beyond
    PROBABLY_NOT = 2  #: beyond the limit, but the uncertainty reaches within
    NON_COMPLIANT = 3  #: beyond the limit even at the favourable end
    UNASSESSABLE = 4  #: below a detection limit that lies beyond the standard


def conformity(
    values: ArrayLike,
    kind: ArrayLike,
    expanded: ArrayLike,
    maximum: ArrayLike = np.nan,
    minimum: ArrayLike = np.nan,
) -> NDArray[np.int8]:
    """Results with expanded uncertainty U = k u against a maximum, a minimum or a range.

    compliant: [x - U, x + U] lies within; non-compliant: it lies beyond; else by where x lies.
    JCGM 106:2012; Eurachem (2021), Use of uncertainty information in compliance assessment. A
    non-detect is compliant where its limit passes, else it cannot be assessed.

    Args:
        values: results, or limits of censored ones; NaN = no result.
        kind: 0 = measured, -1 = below ``values``, +1 = above.
        expanded: half-width U in the unit of the values, at least 0; NaN or 0 = not told, the
            states between are then not used.
        maximum: largest value allowed; NaN = none.
        minimum: smallest value allowed; NaN = none.

    Returns:
        int8 codes of ``State``.

    Raises:
        ValueError: a negative uncertainty, or as ``judge``.

    >>> conformity([8, 9.5, 10.5, 12], 0, 1, maximum=10).tolist()
    [0, 1, 2, 3]
    """
    wide = np.nan_to_num(np.asarray(expanded, np.float64))
    if np.any(wide < 0):
        raise ValueError("an uncertainty is not negative")
    v, k, u = np.broadcast_arrays(np.asarray(values, np.float64), np.asarray(kind, np.int8), wide)
    at = judge(v, k, maximum, minimum)
    ends = np.stack([judge(v + side * u, k, maximum, minimum) for side in (-1, 1)])
    surely = (ends == at).all(axis=0)
    # Both ends beyond a range, on either side of it, leave the middle within: not sure.
    state = np.select(
        [at == Verdict.NONE, at == Verdict.UNDETERMINED, k != 0],
        [State.NONE, State.UNASSESSABLE, np.where(at == Verdict.PASSES, 0, 3)],
        np.where(
            at == Verdict.PASSES,
            np.where(surely, State.COMPLIANT, State.PROBABLY),
            np.where(surely & ~_spans(v, u, maximum, minimum), State.NON_COMPLIANT,
                     State.PROBABLY_NOT),
        ),
    )  # fmt: skip
    return np.asarray(state, np.int8)


def share_conformity(
    exceedances: ArrayLike, results: ArrayLike, allowed: float, level: float = 0.95
) -> NDArray[np.int8]:
    """A percentile rule: may the share of exceedances in the population be ``allowed``?

    The exact interval of the share (Clopper-Pearson) stands for the uncertainty of few
    results: compliant where all of it is at most ``allowed``, non-compliant where all of it
    is above, else by the share itself.

    Args:
        exceedances: number of results beyond the limit.
        results: number of results.
        allowed: share that may exceed, such as 0.1 for a 90th percentile.
        level: confidence level of the interval.

    Returns:
        int8 codes of ``State``.

    Raises:
        ValueError: ``allowed`` or ``level`` out of range, or impossible counts.

    >>> share_conformity([0, 1, 30, 9], [60, 12, 60, 60], 0.1).tolist()
    [0, 1, 3, 2]
    """
    if not 0 <= allowed < 1:
        raise ValueError(f"the share allowed lies between 0 and 1, not {allowed}")
    hits, n = np.asarray(exceedances, np.float64), np.asarray(results, np.float64)
    low, high = clopper_pearson(hits, n, level)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = hits / n
    state = np.select(
        [n == 0, high <= allowed, low > allowed, share <= allowed],
        [State.NONE, State.COMPLIANT, State.NON_COMPLIANT, State.PROBABLY],
        State.PROBABLY_NOT,
    )
    return np.asarray(state, np.int8)


def _spans(v: Floats, u: Floats, maximum: ArrayLike, minimum: ArrayLike) -> NDArray[np.bool_]:
    """Whether a whole allowed range lies inside the uncertainty of a result."""
    top, bottom = np.asarray(maximum, np.float64), np.asarray(minimum, np.float64)
    return (v - u <= bottom) & (v + u >= top)
