"""The exact null distribution of Kendall's S, the number that Mann-Kendall tests rest on."""

from __future__ import annotations

import functools
import operator
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Longest series for which the exact distribution is tabulated; from there on the normal
#: approximation with continuity correction is within 0.002 of the exact p.
EXACT_LIMIT: Final = 60


@functools.cache
def kendall_tail(n: int) -> NDArray[np.float64]:
    """Two-sided exact p of every possible abs(S) for a series of ``n`` untied values.

    Element s is P(abs(S) >= s) for s = 0 .. n(n-1)/2 when all n! orders are equally likely.
    An abs(S) of the wrong parity cannot occur; its element is that of the next larger.

    The share f of orders with k inversions grows by one value at a time,
    f_n(k) = (f_(n-1)(k) + ... + f_(n-1)(k-n+1)) / n, and S = n(n-1)/2 - 2k; all terms are
    positive, so nothing cancels. Kendall (1938), doi:10.1093/biomet/30.1-2.81; the recursion:
    Best and Gipps (1974), doi:10.2307/2347062.

    Args:
        n: number of values, 1 .. 60.

    Returns:
        Read-only array of n(n-1)/2 + 1 probabilities.

    Raises:
        ValueError: ``n`` outside 1 .. 60.

    >>> kendall_tail(3).round(4).tolist()
    [1.0, 1.0, 0.3333, 0.3333]
    """
    if not 1 <= n <= EXACT_LIMIT:
        raise ValueError(f"the exact distribution of S is tabulated for 1 to {EXACT_LIMIT} values")
    share = np.ones(1)
    for size in range(2, n + 1):
        share = np.convolve(share, np.ones(size)) / size
    at_most = np.cumsum(share)
    pairs = n * (n - 1) // 2
    inversions = (pairs - np.arange(pairs + 1)) // 2
    tail = np.minimum(1.0, 2.0 * at_most[inversions])
    tail.setflags(write=False)
    return tail


def kendall_exact_p(s: ArrayLike, n: ArrayLike) -> NDArray[np.float64]:
    """Exact two-sided p of Kendall's S in series without ties.

    p = P(abs(S') >= abs(S)) over all n! equally likely orders (see ``kendall_tail``).

    Args:
        s: S, the number of rising minus the number of falling pairs; any shape. NaN: unknown.
        n: number of values, broadcast against ``s``; no unit.

    Returns:
        p, 0 .. 1, in the broadcast shape; NaN where ``s`` is NaN, where n is outside 1 .. 60
        (no exact distribution is tabulated) or where abs(S) exceeds n(n-1)/2 (impossible).

    >>> kendall_exact_p([46, 44], 16).round(4).tolist()
    [0.0413, 0.0517]
    """
    wide_s, wide_n = np.broadcast_arrays(np.asarray(s, float), np.asarray(n, int))
    p = np.full(wide_s.shape, np.nan)
    for size in np.unique(wide_n):
        if 1 <= size <= EXACT_LIMIT:
            tail = kendall_tail(int(size))
            chosen = (wide_n == size) & (np.abs(wide_s) < tail.size)
            p[chosen] = tail[np.ceil(np.abs(wide_s[chosen])).astype(int)]
    return p


def kendall_critical(n: int, alpha: float = 0.05) -> int | None:
    """The smallest abs(S) whose exact two-sided p is at most ``alpha``.

    Args:
        n: number of values without ties, 1 .. 60.
        alpha: level of the test, above 0 and below 1.

    Returns:
        The critical abs(S); None where no S of so short a series reaches the level.

    Raises:
        ValueError: ``n`` or ``alpha`` out of range.

    >>> kendall_critical(16), kendall_critical(4)
    (46, None)
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1, not {alpha}")
    tail = kendall_tail(operator.index(n))
    pairs = tail.size - 1
    possible = np.arange(pairs % 2, pairs + 1, 2)
    enough = possible[tail[possible] <= alpha]
    return int(enough[0]) if enough.size else None


@functools.cache
def kendall_table() -> NDArray[np.float64]:
    """All exact tails as one table for compiled code: row n, column abs(S).

    Returns:
        Read-only array of shape (61, 1771); NaN beyond the largest abs(S) of a row.
    """
    table = np.full((EXACT_LIMIT + 1, EXACT_LIMIT * (EXACT_LIMIT - 1) // 2 + 1), np.nan)
    for n in range(1, EXACT_LIMIT + 1):
        tail = kendall_tail(n)
        table[n, : tail.size] = tail
    table.setflags(write=False)
    return table
