"""Compiled parts of the trend test: each works on a block of pixels side by side.

Arrays are (time, LANES): the same step is done for all pixels of a block before the next, in
loops that the compiler turns into vector instructions. NaN marks a missing value throughout.
All of it stands in one file so that a change in any part renews the compiled whole.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecotone.science.compiled import compiled

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

#: Pixels in a block: some vector registers wide, and few enough that the slopes of a
#: 16-year series (120 x 32 x 8 bytes) stay in the fastest cache.
LANES: Final = 32
#: Beyond this magnitude neighbouring doubles lie further apart than 9 decimals resolve.
COARSE: Final = 9.0e6
#: What is done about autocorrelation.
PLAIN: Final = 0
HAMED_RAO: Final = 1
PREWHITENED: Final = 2
#: Rows of the output of ``trend_of_pixels``.
S, P, VARIANCE, SLOPE, LOW, HIGH, VALID = range(7)


@compiled
def rounded(value: float, scale: float) -> float:
    """The value at the decimals of ``scale`` (1e9 for nine, 0 for as it is)."""
    return np.rint(value * scale) / scale if scale > 0.0 and abs(value) < COARSE else value


@compiled
def load(values: NDArray[np.floating], start: int, scale: float, x: Floats, n: Counts) -> None:
    """Copy LANES pixels from ``start``, rounded; infinite becomes NaN; count the valid."""
    length, pixels = values.shape
    used = min(LANES, pixels - start)
    n[:] = 0
    if used < LANES:
        x[:] = np.nan
    for t in range(length):
        for p in range(used):
            value = rounded(np.float64(values[t, start + p]), scale)
            valid = abs(value) < np.inf
            x[t, p] = value if valid else np.nan
            n[p] += 1 if valid else 0


@compiled
def score(x: Floats, s: Counts, tied: Counts) -> None:
    """S and the number of tied pairs of each pixel."""
    length = x.shape[0]
    s[:] = 0
    tied[:] = 0
    for i in range(length - 1):
        for j in range(i + 1, length):
            for p in range(LANES):
                early = x[i, p]
                late = x[j, p]
                s[p] += (1 if late > early else 0) - (1 if late < early else 0)
                tied[p] += 1 if late == early else 0


@compiled
def variances(x: Floats, n: Counts, tied: Counts, variance: Floats) -> None:
    """Var S = [n(n-1)(2n+5) - sum t(t-1)(2t+5)] / 18, the sum over groups of t equal values."""
    length = x.shape[0]
    any_tied = False
    for p in range(LANES):
        variance[p] = n[p] * (n[p] - 1.0) * (2.0 * n[p] + 5.0)
        any_tied = any_tied or tied[p] > 0
    if any_tied:
        same = np.empty(LANES)
        for i in range(length):
            same[:] = 0.0
            for j in range(length):
                for p in range(LANES):
                    same[p] += 1.0 if x[j, p] == x[i, p] else 0.0
            # Each of the t members of a group takes its share (t-1)(2t+5) off.
            for p in range(LANES):
                if same[p] > 1.0:
                    variance[p] -= (same[p] - 1.0) * (2.0 * same[p] + 5.0)
    for p in range(LANES):
        variance[p] /= 18.0


@compiled
def slopes(x: Floats, times: Floats, d: Floats) -> None:
    """Slopes of all pairs of times, infinity where a value is missing."""
    length = x.shape[0]
    k = 0
    for i in range(length - 1):
        for j in range(i + 1, length):
            per_time = 1.0 / (times[j] - times[i])
            for p in range(LANES):
                slope = (x[j, p] - x[i, p]) * per_time
                d[k, p] = slope if slope == slope else np.inf
            k += 1


@compiled
def sort(d: Floats, network: NDArray[np.int32]) -> None:
    """Sort each pixel's slopes: by compare-exchange steps, or one by one without a network."""
    if network.shape[0] == 0:
        for p in range(LANES):
            d[:, p] = np.sort(d[:, p])
        return
    for k in range(network.shape[0]):
        i = network[k, 0]
        j = network[k, 1]
        for p in range(LANES):
            a = d[i, p]
            b = d[j, p]
            d[i, p] = a if a < b else b
            d[j, p] = b if a < b else a


@compiled
def at_rank(ascending: Floats, count: float, rank: float) -> float:
    """The value at a rank counted from 1, interpolated; NaN outside 1 .. count."""
    if not 1.0 <= rank <= count:
        return np.nan
    below = int(rank)
    low = ascending[below - 1]
    if rank == below:
        return float(low)
    return float(low + (rank - below) * (ascending[below] - low))


@compiled
def residuals(x: Floats, times: Floats, slope: Floats, scale: float, e: Floats) -> None:
    """What is left of each series without its Sen slope."""
    for t in range(x.shape[0]):
        for p in range(LANES):
            e[t, p] = rounded(x[t, p] - slope[p] * (times[t] - times[0]), scale)


@compiled
def hamed_rao(e: Floats, n: Counts, factor: Floats) -> None:
    """The factor by which autocorrelated ranks of the residuals widen var S.

    1 + 2/(n(n-1)(n-2)) sum over lags k of (n-k)(n-k-1)(n-k-2) r_k, r_k being the lag-k
    autocorrelation of the ranks where it lies outside +-1.96/sqrt(n). A missing value adds
    nothing at any lag.
    """
    length = e.shape[0]
    r = np.zeros((length, LANES))
    power = np.zeros(LANES)
    for i in range(length):
        for j in range(length):
            for p in range(LANES):
                r[i, p] += 1.0 if e[j, p] < e[i, p] else 0.0
                r[i, p] += 0.5 if e[j, p] == e[i, p] else 0.0
        for p in range(LANES):
            # The mean rank is n/2 on this count (each value is half below itself).
            r[i, p] = r[i, p] - 0.5 * n[p] if e[i, p] == e[i, p] else 0.0
            power[p] += r[i, p] * r[i, p]
    factor[:] = 1.0
    together = np.empty(LANES)
    for lag in range(1, length):
        together[:] = 0.0
        for i in range(length - lag):
            for p in range(LANES):
                together[p] += r[i, p] * r[i + lag, p]
        for p in range(LANES):
            left = float(n[p] - lag)
            if left > 2.0 and power[p] > 0.0:
                share = together[p] / power[p]
                if abs(share) > 1.959963984540054 / math.sqrt(n[p]):
                    weight = left * (left - 1.0) * (left - 2.0)
                    factor[p] += 2.0 * weight * share / (n[p] * (n[p] - 1.0) * (n[p] - 2.0))


@compiled
def prewhiten(e: Floats, times: Floats, slope: Floats, n: Counts, scale: float, y: Floats) -> None:
    """Residuals less lag-1 autocorrelation times the one before, plus the trend again.

    The first time, and one whose predecessor is missing, becomes NaN; ``n`` is counted anew.
    """
    length = e.shape[0]
    mean = np.zeros(LANES)
    for t in range(length):
        for p in range(LANES):
            mean[p] += e[t, p] / n[p] if e[t, p] == e[t, p] else 0.0
    power = np.zeros(LANES)
    lag1 = np.zeros(LANES)
    for t in range(length):
        for p in range(LANES):
            now = e[t, p] - mean[p]
            power[p] += now * now if now == now else 0.0
            if t > 0:
                product = now * (e[t - 1, p] - mean[p])
                lag1[p] += product if product == product else 0.0
    n[:] = 0
    y[0, :] = np.nan
    for p in range(LANES):
        lag1[p] = lag1[p] / power[p] if power[p] > 0.0 else 0.0
    for t in range(1, length):
        for p in range(LANES):
            value = e[t, p] - lag1[p] * e[t - 1, p] + slope[p] * (times[t] - times[0])
            y[t, p] = rounded(value, scale)
            n[p] += 1 if value == value else 0


@compiled
def normal_p(s: float, variance: float) -> float:
    """Two-sided p of z = (S - sign S)/sqrt(var S); 1 where all values are equal."""
    if variance == 0.0:
        return 1.0
    if not variance > 0.0:
        return np.nan
    return math.erfc(max(abs(s) - 1.0, 0.0) / math.sqrt(2.0 * variance))


@compiled
def trend_of_pixels(
    values: NDArray[np.floating],
    times: Floats,
    network: NDArray[np.int32],
    table: Floats,
    method: int,
    exact: bool,
    quantile: float,
    scale: float,
    minimum: int,
    out: Floats,
) -> None:
    """The whole test for all pixels, LANES at a time.

    Args:
        values: (time, pixels), NaN = missing.
        times: (time,), ascending.
        network: steps for the time(time-1)/2 slopes, or none.
        table: exact p by n and abs(S).
        method: PLAIN, HAMED_RAO or PREWHITENED.
        exact: whether to take p from ``table`` where it has one.
        quantile: of the standard normal, for the interval of the slope.
        scale: 10 to the power of the decimals that count; 0 for all of them.
        minimum: fewest valid values for a result.
        out: (7, pixels), filled with S, p, var S, slope, low, high and the valid values.
    """
    length, pixels = values.shape
    x = np.empty((length, LANES))
    e = np.empty((length, LANES))
    y = np.empty((length, LANES))
    d = np.empty((length * (length - 1) // 2, LANES))
    n = np.empty(LANES, np.int64)
    s = np.empty(LANES, np.int64)
    tied = np.empty(LANES, np.int64)
    variance = np.empty(LANES)
    spread = np.empty(LANES)
    slope = np.empty(LANES)
    factor = np.ones(LANES)
    for start in range(0, pixels, LANES):
        used = min(LANES, pixels - start)
        load(values, start, scale, x, n)
        for p in range(used):
            out[VALID, start + p] = n[p]
        if n.max() < minimum:
            out[:VALID, start : start + used] = np.nan
            continue
        score(x, s, tied)
        variances(x, n, tied, variance)
        slopes(x, times, d)
        sort(d, network)
        for p in range(LANES):
            pairs = 0.5 * n[p] * (n[p] - 1)
            slope[p] = at_rank(d[:, p], pairs, 0.5 * (pairs + 1.0))
        spread[:] = variance
        if method != PLAIN:
            residuals(x, times, slope, scale, e)
        if method == HAMED_RAO:
            hamed_rao(e, n, factor)
            variance *= factor
            spread[:] = variance
        for p in range(used):
            o = start + p
            pairs = 0.5 * n[p] * (n[p] - 1)
            wide = quantile * math.sqrt(spread[p]) if spread[p] >= 0.0 else np.nan
            out[SLOPE, o] = slope[p]
            out[LOW, o] = at_rank(d[:, p], pairs, 0.5 * (pairs - wide))
            out[HIGH, o] = at_rank(d[:, p], pairs, 0.5 * (pairs + wide) + 1.0)
        if method == PREWHITENED:
            prewhiten(e, times, slope, n, scale, y)
            score(y, s, tied)
            variances(y, n, tied, variance)
        for p in range(used):
            o = start + p
            if out[VALID, o] < minimum:
                out[:VALID, o] = np.nan
                continue
            out[S, o] = s[p]
            out[VARIANCE, o] = variance[p]
            if exact and tied[p] == 0 and n[p] < table.shape[0]:
                out[P, o] = table[n[p], abs(s[p])]
            else:
                out[P, o] = normal_p(s[p], variance[p])


@compiled
def add_layers(values: NDArray[np.floating], year: Counts, total: Floats, count: Counts) -> None:
    """Add each layer's valid pixels to its year's sum and count; year -1 is left out."""
    for t in range(values.shape[0]):
        if year[t] >= 0:
            for p in range(values.shape[1]):
                value = np.float64(values[t, p])
                valid = abs(value) < np.inf
                total[year[t], p] += value if valid else 0.0
                count[year[t], p] += 1 if valid else 0
