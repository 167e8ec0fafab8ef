"""Compiled parts of WRTDS: thousands of weighted regressions of log concentration.

Each is centred on its point (time, log discharge), so that the estimate there is the
intercept and the normal equations are well conditioned. All stands in one file so that a
change in any part renews the compiled whole.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecotone.science.compiled import compiled

Floats = NDArray[np.float64]
Codes = NDArray[np.int8]

#: What is known of a sample: its value, below ``high``, above ``low``, or between both.
EXACT: Final = 0
LEFT: Final = -1
RIGHT: Final = 1
BETWEEN: Final = 2
#: Columns of the settings.
WINDOW_Y, WINDOW_Q, WINDOW_S, MIN_OBS, MIN_UNCENSORED, EDGE = range(6)
#: Columns of the results: log concentration, regression scale, widenings of the windows.
Y_HAT, SCALE, WIDENED = range(3)
_TERMS: Final = 5
_GROWTH: Final = 1.1
_WIDEST: Final = 200
_NEWTON: Final = 60
_HALVINGS: Final = 40
_STILL: Final = 1e-11
_SINGULAR: Final = 1e-12
_ROOT_TWO: Final = math.sqrt(2.0)
_LOG_ROOT: Final = 0.5 * math.log(2.0 * math.pi)


@compiled
def tricube(distance: float, window: float) -> float:
    """(1 - (d/h)^3)^3 within the window, 0 beyond."""
    share = abs(distance) / window
    return (1.0 - share**3) ** 3 if share < 1.0 else 0.0


@compiled
def weigh(
    at: float,
    flow: float,
    skip: int,
    times: Floats,
    flows: Floats,
    kind: Codes,
    settings: Floats,
    first: float,
    last: float,
    weight: Floats,
) -> int:
    """Fill ``weight`` around a point; the number of widenings, -1 where none is enough."""
    window_y = settings[WINDOW_Y]
    window_q = settings[WINDOW_Q]
    window_s = settings[WINDOW_S]
    edge = min(at - first, last - at)
    if settings[EDGE] > 0.0 and edge <= window_y:
        window_y = 2.0 * window_y - edge
    for widened in range(_WIDEST):
        count = 0
        uncensored = 0
        for i in range(times.size):
            years = abs(times[i] - at)
            weight[i] = 0.0
            if years < window_y and i != skip:
                season = min(math.ceil(years) - years, years - math.floor(years))
                weight[i] = (
                    tricube(years, window_y)
                    * tricube(flows[i] - flow, window_q)
                    * tricube(season, window_s)
                )
                if weight[i] > 0.0:
                    count += 1
                    uncensored += 1 if kind[i] == EXACT else 0
        if count >= settings[MIN_OBS] and uncensored >= settings[MIN_UNCENSORED]:
            return widened
        window_y *= _GROWTH
        window_q *= _GROWTH
        if settings[WINDOW_S] <= 0.5:
            window_s = min(window_s * _GROWTH, 0.5)
    return -1


@compiled
def solve(matrix: Floats, vector: Floats, size: int) -> bool:
    """Solve in place by Cholesky (lower triangle given); False where it is not positive."""
    for j in range(size):
        pivot = matrix[j, j]
        for k in range(j):
            pivot -= matrix[j, k] ** 2
        if not pivot > _SINGULAR * abs(matrix[j, j]):
            return False
        root = math.sqrt(pivot)
        matrix[j, j] = root
        for i in range(j + 1, size):
            cell = matrix[i, j]
            for k in range(j):
                cell -= matrix[i, k] * matrix[j, k]
            matrix[i, j] = cell / root
    for i in range(size):
        for k in range(i):
            vector[i] -= matrix[i, k] * vector[k]
        vector[i] /= matrix[i, i]
    for i in range(size - 1, -1, -1):
        for k in range(i + 1, size):
            vector[i] -= matrix[k, i] * vector[k]
        vector[i] /= matrix[i, i]
    return True


@compiled
def least_squares(x: Floats, y: Floats, weight: Floats, n: int, beta: Floats) -> float:
    """Weighted least squares into ``beta``; the scale (root mean square), NaN if singular."""
    matrix = np.zeros((_TERMS, _TERMS))
    total = 0.0
    for a in range(_TERMS):
        beta[a] = 0.0
    for i in range(n):
        total += weight[i]
        for a in range(_TERMS):
            wx = weight[i] * x[i, a]
            beta[a] += wx * y[i]
            for b in range(a + 1):
                matrix[a, b] += wx * x[i, b]
    if not solve(matrix, beta, _TERMS):
        return np.nan
    square = 0.0
    for i in range(n):
        left = y[i]
        for a in range(_TERMS):
            left -= beta[a] * x[i, a]
        square += weight[i] * left * left
    return math.sqrt(square / total)


@compiled
def mills(z: float) -> float:
    """phi(z)/Phi(z), also far below where both vanish."""
    if z < -30.0:
        inverse = 1.0 / (z * z)
        return -z / (1.0 - inverse * (1.0 - 3.0 * inverse))
    return math.exp(-0.5 * z * z - _LOG_ROOT) / (0.5 * math.erfc(-z / _ROOT_TWO))


@compiled
def log_share(z: float) -> float:
    """Logarithm of Phi(z), also far below where Phi vanishes."""
    if z < -30.0:
        return -0.5 * z * z - _LOG_ROOT - math.log(mills(z))
    return math.log(0.5 * math.erfc(-z / _ROOT_TWO))


@compiled
def between(low: float, high: float, part: Floats) -> float:
    """Log probability between two scores; moments of its ends into ``part``."""
    flipped = low > 0.0
    a, b = (-high, -low) if flipped else (low, high)
    share = max(0.5 * (math.erfc(-b / _ROOT_TWO) - math.erfc(-a / _ROOT_TWO)), 1e-300)
    below = math.exp(-0.5 * low * low - _LOG_ROOT) / share
    above = math.exp(-0.5 * high * high - _LOG_ROOT) / share
    for power in range(4):
        part[power] = low**power * below - high**power * above
    return math.log(share)


@compiled
def moments(kind: int, low: float, high: float, part: Floats) -> float:
    """Log-likelihood of a censored result; (z^k phi)_low - (z^k phi)_high over its probability."""
    if kind == BETWEEN:
        return between(low, high, part)
    sign = -1.0 if kind == LEFT else 1.0
    z = high if kind == LEFT else low
    ratio = sign * mills(-sign * z)
    for power in range(4):
        part[power] = z**power * ratio
    return log_share(-sign * z)


@compiled
def likelihood(
    x: Floats,
    low: Floats,
    high: Floats,
    kind: Codes,
    weight: Floats,
    n: int,
    point: Floats,
    slope: Floats,
    curve: Floats,
) -> float:
    """Weighted log-likelihood at (beta, ln scale); gradient and negative Hessian (lower)."""
    scale = math.exp(point[_TERMS])
    for a in range(_TERMS + 1):
        slope[a] = 0.0
        for b in range(_TERMS + 1):
            curve[a, b] = 0.0
    part = np.empty(4)
    total = 0.0
    for i in range(n):
        mean = 0.0
        for a in range(_TERMS):
            mean += point[a] * x[i, a]
        if kind[i] == EXACT:
            z = (low[i] - mean) / scale
            total += weight[i] * (-0.5 * z * z - point[_TERMS])
            dm, ds = z, z * z - 1.0
            mm, ms, ss = -1.0, -2.0 * z, -2.0 * z * z
        else:
            total += weight[i] * moments(
                kind[i], (low[i] - mean) / scale, (high[i] - mean) / scale, part
            )
            dm, ds = part[0], part[1]
            mm = part[1] - dm * dm
            ms = part[2] - dm - ds * dm
            ss = part[3] - ds - ds * ds
        w = weight[i]
        for a in range(_TERMS):
            xa = x[i, a] / scale
            slope[a] += w * dm * xa
            curve[_TERMS, a] -= w * ms * xa
            for b in range(a + 1):
                curve[a, b] -= w * mm * xa * x[i, b] / scale
        slope[_TERMS] += w * ds
        curve[_TERMS, _TERMS] -= w * ss
    return total


@compiled
def uphill(curve: Floats, slope: Floats, bent: Floats, step: Floats) -> bool:
    """Newton's step, shortened where the likelihood is not yet round; False where there is none."""
    size = _TERMS + 1
    ridge = 0.0
    while ridge < 1e6:
        for a in range(size):
            step[a] = slope[a]
            for b in range(a + 1):
                bent[a, b] = curve[a, b]
            bent[a, a] += ridge * (1.0 + abs(curve[a, a]))
        if solve(bent, step, size):
            return True
        ridge = 1e-6 if ridge == 0.0 else 10.0 * ridge
    return False


@compiled
def censored_fit(
    x: Floats, low: Floats, high: Floats, kind: Codes, weight: Floats, n: int, point: Floats
) -> bool:
    """Newton's method from ``point`` to the largest likelihood; False where it fails."""
    size = _TERMS + 1
    slope, step, trial = np.empty(size), np.empty(size), np.empty(size)
    curve, bent = np.empty((size, size)), np.empty((size, size))
    value = likelihood(x, low, high, kind, weight, n, point, slope, curve)
    for _ in range(_NEWTON):
        if not uphill(curve, slope, bent, step):
            return False
        largest = 0.0
        reach = 1.0
        for a in range(size):
            largest = max(largest, abs(step[a]))
            reach = max(reach, abs(point[a]))
        for halving in range(_HALVINGS):
            for a in range(size):
                trial[a] = point[a] + step[a] * 0.5**halving
            better = likelihood(x, low, high, kind, weight, n, trial, slope, curve)
            if better >= value - 1e-12 * abs(value):
                break
        value = better
        for a in range(size):
            point[a] = trial[a]
        if largest < _STILL * reach:
            return True
    return False


@compiled
def regress(
    at: Floats,
    flow: Floats,
    skip: NDArray[np.int64],
    times: Floats,
    flows: Floats,
    low: Floats,
    high: Floats,
    kind: Codes,
    settings: Floats,
    first: float,
    last: float,
    out: Floats,
) -> None:
    """One regression per point into ``out``; NaN where the samples do not carry one."""
    n = times.size
    weight, w = np.empty(n), np.empty(n)
    x, y = np.empty((n, _TERMS)), np.empty(n)
    lower, upper, code = np.empty(n), np.empty(n), np.empty(n, np.int8)
    beta, point = np.empty(_TERMS), np.empty(_TERMS + 1)
    for p in range(at.size):
        out[p, Y_HAT] = out[p, SCALE] = np.nan
        widened = weigh(at[p], flow[p], skip[p], times, flows, kind, settings, first, last, weight)
        out[p, WIDENED] = widened
        if widened < 0:
            continue
        m = 0
        censored = 0
        for i in range(n):
            if weight[i] > 0.0:
                turn = 2.0 * math.pi * (times[i] - at[p])
                x[m, 0] = 1.0
                x[m, 1] = times[i] - at[p]
                x[m, 2] = flows[i] - flow[p]
                x[m, 3] = math.sin(turn)
                x[m, 4] = math.cos(turn) - 1.0
                lower[m], upper[m], code[m], w[m] = low[i], high[i], kind[i], weight[i]
                y[m] = low[i] if kind[i] == RIGHT else high[i]
                if kind[i] == BETWEEN:
                    y[m] = 0.5 * (low[i] + high[i])
                censored += 0 if kind[i] == EXACT else 1
                m += 1
        scale = least_squares(x, y, w, m, beta)
        good = scale == scale
        if good and censored:
            for a in range(_TERMS):
                point[a] = beta[a]
            point[_TERMS] = math.log(max(scale, 1e-8))
            good = censored_fit(x, lower, upper, code, w, m, point)
            beta[0] = point[0]
            scale = math.exp(point[_TERMS])
        if good:
            out[p, Y_HAT] = beta[0]
            out[p, SCALE] = scale


@compiled
def bilinear(
    surface: Floats, q: float, t: float, q0: float, dq: float, t0: float, dt: float
) -> float:
    """A surface (log discharge, time) between its points."""
    a = (q - q0) / dq
    b = (t - t0) / dt
    i = min(max(math.floor(a), 0), surface.shape[0] - 2)
    j = min(max(math.floor(b), 0), surface.shape[1] - 2)
    a -= i
    b -= j
    left = surface[i, j] * (1.0 - a) + surface[i + 1, j] * a
    right = surface[i, j + 1] * (1.0 - a) + surface[i + 1, j + 1] * a
    value: float = left * (1.0 - b) + right * b
    return value


@compiled
def on_days(surface: Floats, flow: Floats, times: Floats, grid: Floats, out: Floats) -> None:
    """The surface at each day's own discharge; ``grid`` is (q0, dq, t0, dt)."""
    for i in range(times.size):
        out[i] = bilinear(surface, flow[i], times[i], grid[0], grid[1], grid[2], grid[3])


@compiled
def normalised(
    surface: Floats,
    times: Floats,
    group: NDArray[np.int64],
    flows: Floats,
    starts: NDArray[np.int64],
    grid: Floats,
    out: Floats,
) -> None:
    """Mean concentration and mean of concentration times discharge over a group's flows.

    ``flows[starts[g]:starts[g + 1]]`` are the log discharges of group g; ``group`` names the
    group of each day.
    """
    for i in range(times.size):
        begin = starts[group[i]]
        end = starts[group[i] + 1]
        conc = 0.0
        load = 0.0
        for k in range(begin, end):
            c = bilinear(surface, flows[k], times[i], grid[0], grid[1], grid[2], grid[3])
            conc += c
            load += c * math.exp(flows[k])
        out[i, 0] = conc / (end - begin)
        out[i, 1] = load / (end - begin)
