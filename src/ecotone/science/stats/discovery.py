"""Many tests at once: how small p must be when thousands of pixels are tested."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Control = Literal["bh", "by"]


def false_discovery(p: ArrayLike, control: Control = "bh") -> NDArray[np.float64]:
    """P values adjusted so that rejecting those at most q keeps the false discovery rate at q.

    With m tests and p sorted ascending, adjusted p_(i) = min over j >= i of c m p_(j) / j, at
    most 1. ``bh``: c = 1, for tests that are independent or positively dependent, as
    neighbouring pixels are (Wilks 2016). ``by``: c = 1 + 1/2 + ... + 1/m, for any dependence.

    Benjamini and Hochberg (1995), doi:10.1111/j.2517-6161.1995.tb02031.x; Benjamini and
    Yekutieli (2001), doi:10.1214/aos/1013699998; Wilks (2016), doi:10.1175/BAMS-D-15-00267.1.

    Args:
        p: p values of any shape, 0 .. 1; NaN = not tested, and not counted in m.
        control: ``bh`` or ``by``.

    Returns:
        Adjusted p values, same shape, NaN where ``p`` is.

    Raises:
        ValueError: a p outside 0 .. 1, or an unknown ``control``.

    >>> false_discovery([0.01, 0.04, 0.03, 0.5]).round(4).tolist()
    [0.04, 0.0533, 0.0533, 0.5]
    """
    values = np.asarray(p, dtype=np.float64)
    tested = _tested(values)
    order = np.argsort(tested, kind="stable")
    m = tested.size
    factor = _constant(m, control) * m
    ascending = tested[order] * (factor / np.arange(1, m + 1))
    smallest = np.minimum.accumulate(ascending[::-1])[::-1]
    adjusted = np.empty(m)
    adjusted[order] = np.minimum(smallest, 1.0)
    out = np.full(values.shape, np.nan)
    out[~np.isnan(values)] = adjusted
    return out


def discovery_threshold(
    p: ArrayLike,
    level: float,
    control: Control = "bh",
    *,
    counts: ArrayLike | None = None,
    tests: int | None = None,
) -> float:
    """The largest p that is still a discovery when their false rate is held at ``level``.

    It is the largest p_(i) <= level i / (c m), with c and m as in ``false_discovery``. Rasters
    too large for memory give distinct p values with their ``counts``, and may leave out all
    p above ``level``, which are never discoveries, if ``tests`` tells how many there were.

    Args:
        p: p values, 0 .. 1, any shape; NaN = not tested.
        level: the rate of false discoveries to allow, above 0 and below 1.
        control: ``bh`` or ``by``.
        counts: how often each p occurs, same shape; once where left out.
        tests: number m of all tests; the sum of the counts where left out.

    Returns:
        The threshold; NaN where nothing is a discovery.

    Raises:
        ValueError: a p or ``level`` out of range, fewer ``tests`` than counts, counts of
            another shape, or an unknown ``control``.

    >>> discovery_threshold([0.01, 0.02, 0.03, 0.5], 0.05)
    0.03
    """
    if not 0 < level < 1:
        raise ValueError(f"the rate must lie between 0 and 1, not {level}")
    values = np.asarray(p, dtype=np.float64)
    often = np.ones(values.shape) if counts is None else np.asarray(counts, dtype=np.float64)
    if often.shape != values.shape:
        raise ValueError("each p needs its count")
    distinct = _tested(values)
    order = np.argsort(distinct, kind="stable")
    ascending = distinct[order]
    ranks = np.cumsum(often[~np.isnan(values)][order])
    seen = float(ranks[-1]) if ranks.size else 0.0
    m = seen if tests is None else float(tests)
    if m < seen:
        raise ValueError("there cannot be fewer tests than p values")
    if m == 0:
        return float("nan")
    # The last of equal p values has the largest rank; only it decides, and it comes last.
    found = np.flatnonzero(ascending * (_constant(int(m), control) * m) <= level * ranks)
    return float(ascending[found[-1]]) if found.size else float("nan")


def _tested(values: NDArray[np.float64]) -> NDArray[np.float64]:
    tested = values[~np.isnan(values)]
    if tested.size and (tested.min() < 0 or tested.max() > 1):
        raise ValueError("p values lie between 0 and 1")
    return tested


def _constant(tests: int, control: str) -> float:
    if control == "bh":
        return 1.0
    if control == "by":
        return float(np.sum(1.0 / np.arange(1, tests + 1)))
    raise ValueError(f"the control must be bh or by, not {control!r}")
