"""Is there a monotonic trend, and how steep: Mann-Kendall and Sen, pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from ecotone.science.land import kernels
from ecotone.science.land.network import sorting_network
from ecotone.science.stats.kendall import kendall_table

Floats = NDArray[np.float64]
Method = Literal["exact", "normal", "hamed_rao", "tfpw"]

#: The ways to a p value, the default first.
METHODS: Final[tuple[Method, ...]] = ("exact", "normal", "hamed_rao", "tfpw")
#: Longest series taken; its slopes are all held at once for a block of pixels.
LONGEST: Final = 1000
#: Up to this many times slopes are sorted by a network; its steps grow with their square.
_NETWORKED: Final = 64
_CODES: Final = {
    "exact": kernels.PLAIN,
    "normal": kernels.PLAIN,
    "hamed_rao": kernels.HAMED_RAO,
    "tfpw": kernels.PREWHITENED,
}


@dataclass(frozen=True)
class TrendTest:
    """What ``mann_kendall`` found; all arrays have the shape of the stack without its time axis.

    Attributes:
        s: rising minus falling pairs, no unit; whole numbers. Of the prewhitened series
            where ``method`` is ``tfpw``.
        p: two-sided p value, 0 .. 1.
        variance: variance of ``s`` under no trend, as corrected for ties and by the method.
        slope: Sen slope, units of the values per unit of time.
        low: lower end of the slope's interval, same unit.
        high: upper end of the slope's interval, same unit.
        valid: number of values that were not missing.
        method: how p was found.
        level: confidence level of the interval.
    """

    s: Floats
    p: Floats
    variance: Floats
    slope: Floats
    low: Floats
    high: Floats
    valid: NDArray[np.int64]
    method: Method
    level: float

    @property
    def z(self) -> Floats:
        """(S - sign S)/sqrt(var S): the standard normal score with continuity correction.

        0 where S is 0 (also where all values are equal), NaN where the test is.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            score = (self.s - np.sign(self.s)) / np.sqrt(self.variance)
        return np.where(self.s == 0, 0.0, score)


def mann_kendall(
    values: ArrayLike,
    times: ArrayLike | None = None,
    *,
    method: Method = "exact",
    level: float = 0.95,
    decimals: int | None = 9,
    minimum: int = 4,
) -> TrendTest:
    """Mann-Kendall test and Sen slope of every pixel of a stack.

    Values are first rounded to ``decimals``, so that means which are equal on paper are equal
    here and count as ties. Then, over all pairs i < j of times with valid values::

        S     = sum of sign(x_j - x_i)
        var S = [n(n-1)(2n+5) - sum over groups of t equal values of t(t-1)(2t+5)] / 18
        slope = median of (x_j - x_i)/(t_j - t_i)
        low, high = the slopes of rank (N - C)/2 and (N + C)/2 + 1 of all N = n(n-1)/2, with
                    C = z_level sqrt(var S); between ranks linearly interpolated

    How p is found:

    * ``exact``: from the exact distribution of S where the pixel has no ties and n <= 60
      valid values; elsewhere as ``normal``.
    * ``normal``: from z = (S - sign S)/sqrt(var S).
    * ``hamed_rao``: as ``normal``, var S widened by the autocorrelation of the ranks of the
      detrended series at lags where it is significant at 5 %. So is the interval.
    * ``tfpw``: as ``normal``, on the trend-free prewhitened series; slope and interval are
      those of the series itself.

    Mann (1945), doi:10.2307/1907187; Sen (1968), doi:10.1080/01621459.1968.10480934; Gilbert
    (1987), Statistical Methods for Environmental Pollution Monitoring, section 16.5; Hamed
    and Rao (1998), doi:10.1016/S0022-1694(97)00125-X; Yue et al. (2002),
    doi:10.1002/hyp.1095.

    Args:
        values: (time, ...) stack of any unit, float32 or float64; NaN or infinite = missing.
        times: (time,) strictly ascending, e.g. decimal years; 0, 1, 2 ... where left out.
            ``hamed_rao`` and ``tfpw`` need even steps.
        method: one of ``METHODS``.
        level: confidence level of the slope's interval, above 0 and below 1.
        decimals: decimals of the values that count, 0 .. 15; None takes values as they are,
            with noise in their last bits that hides ties.
        minimum: fewest valid values for a result, at least 2. No S of fewer than 4 could
            reach p <= 0.1.

    Returns:
        The test of every pixel. NaN in all arrays but ``valid`` where fewer than ``minimum``
        values are valid; NaN in ``low`` or ``high`` where the series is too short to bound
        the slope at this level; NaN in ``p`` where ``hamed_rao`` leaves no positive variance.

    Raises:
        ValueError: no time axis, or one of fewer than 2 or more than 1,000 times; ``times``
            of another length, not ascending or uneven; a parameter out of its range.

    >>> test = mann_kendall([[0.31], [0.34], [0.33], [0.36], [0.40]])
    >>> test.s.tolist(), test.p.round(4).tolist(), test.slope.round(4).tolist()
    ([8.0], [0.0833], [0.0213])
    """
    stack = _stack(values)
    at = _times(times, stack.shape[0], even=method in ("hamed_rao", "tfpw"))
    _check(method, level, decimals, minimum)
    length = stack.shape[0]
    pixels = stack.reshape(length, -1)
    out = np.empty((7, pixels.shape[1]))
    network = sorting_network(length * (length - 1) // 2 if length <= _NETWORKED else 0)
    kernels.trend_of_pixels(
        pixels,
        at,
        network,
        kendall_table(),
        _CODES[method],
        method == "exact",
        float(norm.ppf(0.5 + level / 2)),
        0.0 if decimals is None else 10.0**decimals,
        minimum,
        out,
    )
    s, p, variance, slope, low, high, valid = out.reshape(7, *stack.shape[1:])
    return TrendTest(s, p, variance, slope, low, high, valid.astype(np.int64), method, level)


def _stack(values: ArrayLike) -> NDArray[np.floating]:
    stack = np.asarray(values)
    if stack.dtype != np.float32:
        stack = stack.astype(np.float64, copy=False)
    if stack.ndim == 0 or not 2 <= stack.shape[0] <= LONGEST:
        raise ValueError(f"the first axis of the stack must hold 2 to {LONGEST} times")
    return np.ascontiguousarray(stack)


def _times(times: ArrayLike | None, length: int, *, even: bool) -> Floats:
    at = np.arange(length, dtype=np.float64) if times is None else np.array(times, np.float64)
    if at.shape != (length,):
        raise ValueError(f"{length} times are needed, one per layer, not {at.shape}")
    steps = np.diff(at)
    if not np.all(steps > 0) or not np.isfinite(at).all():
        raise ValueError("times must ascend without repeats")
    if even and not np.allclose(steps, steps[0], rtol=1e-6):
        raise ValueError("autocorrelation needs times in even steps")
    return at


def _check(method: str, level: float, decimals: int | None, minimum: int) -> None:
    if method not in METHODS:
        raise ValueError(f"the method must be one of {', '.join(METHODS)}, not {method!r}")
    if not 0 < level < 1:
        raise ValueError(f"the confidence level must lie between 0 and 1, not {level}")
    if decimals is not None and not 0 <= decimals <= 15:
        raise ValueError(f"decimals must lie between 0 and 15, not {decimals}")
    if minimum < 2:
        raise ValueError(f"at least 2 valid values make a trend, not {minimum}")
