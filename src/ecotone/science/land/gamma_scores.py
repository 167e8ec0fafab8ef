"""Normal scores of gamma values, fast: the cube root is nearly normal, a table gives the rest.

If x is gamma with shape a and mean 1, then w = 3 sqrt(a) (x^(1/3) - 1 + 1/(9a)) is nearly
standard normal (Wilson and Hilferty 1931, doi:10.1073/pnas.17.12.684). What it misses is a
smooth function of w and 1/sqrt(a), tabulated once from the exact distribution and read by
cubic interpolation. Where the table ends the exact function is used, so that every score is
within 1e-7 of the exact one.
"""

from __future__ import annotations

import functools
import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc, ndtri

from ecotone.science.compiled import compiled

Floats = NDArray[np.float64]

#: The table: w from -W_END to W_END, 1/sqrt(a) from 0 to U_END.
W_END: Final = 5.0
W_STEP: Final = 0.025
U_END: Final = 1.0
U_STEP: Final = 0.00625
#: Below this cube root the missing part grows without bound.
LEAST_ROOT: Final = 0.25


@functools.cache
def score_table() -> Floats:
    """Exact score less w, by 1/sqrt(a) and w; NaN below the least cube root.

    Returns:
        Read-only array.
    """
    u = U_STEP * np.arange(-1, round(U_END / U_STEP) + 3)[:, None]
    w = np.arange(-W_END - W_STEP, W_END + 2.5 * W_STEP, W_STEP)[None, :]
    with np.errstate(invalid="ignore", divide="ignore"):
        # The function is even in neither, so the row below zero is made from those above.
        positive = np.maximum(u, U_STEP)
        shape = positive**-2
        root = 1 - 1 / (9 * shape) + w / (3 * np.sqrt(shape))
        value = shape * np.maximum(root, 0.0) ** 3
        lower = gammainc(shape, value)
        table = np.where(lower < 0.5, ndtri(lower), -ndtri(_upper(shape, value))) - w
    table[root < 0.6 * LEAST_ROOT] = np.nan
    table[1] = 0.0
    table[0] = 3 * table[1] - 3 * table[2] + table[3]
    table.setflags(write=False)
    return np.ascontiguousarray(table)


def _upper(shape: Floats, value: Floats) -> Floats:
    from scipy.special import gammaincc

    upper: Floats = gammaincc(shape, value)
    return upper


def gamma_scores(
    x: Floats, alpha: Floats, beta: Floats, zero_share: Floats, limit: float
) -> Floats:
    """Scores of q + (1 - q) G(x; alpha, beta), the share q of zeros being set apart.

    Args:
        x: (time, pixels), above zero; NaN = missing.
        alpha: (pixels,) shape, NaN = no fit.
        beta: (pixels,) scale.
        zero_share: (pixels,) q.
        limit: scores are held within it.

    Returns:
        Same shape as x; NaN where x or the fit is missing. What x is at or below zero is the
        caller's to say; here it gets the lowest score.
    """
    out = np.empty(x.shape)
    rest = np.zeros(x.shape, dtype=np.bool_)
    score_block(x, alpha, beta, zero_share, score_table(), limit, out, rest)
    row, pixel = np.nonzero(rest)
    if row.size:
        a, q = alpha[pixel], zero_share[pixel]
        level = q + (1 - q) * gammainc(a, np.maximum(x[row, pixel], 0.0) / beta[pixel])
        out[row, pixel] = np.clip(ndtri(level), -limit, limit)
    return out


@compiled
def quantile(p: float) -> float:
    """Of the standard normal: Wichura (1988), algorithm AS 241, doi:10.2307/2347330."""
    d = p - 0.5
    if abs(d) <= 0.425:
        r = 0.180625 - d * d
        top = ((((((2.5090809287301226727e3 * r + 3.3430575583588128105e4) * r
            + 6.7265770927008700853e4) * r + 4.5921953931549871457e4) * r
            + 1.3731693765509461125e4) * r + 1.9715909503065514427e3) * r
            + 1.3314166789178437745e2) * r + 3.3871328727963666080e0  # fmt: skip
        low = ((((((5.2264952788528545610e3 * r + 2.8729085735721942674e4) * r
            + 3.9307895800092710610e4) * r + 2.1213794301586595867e4) * r
            + 5.3941960214247511077e3) * r + 6.8718700749205790830e2) * r
            + 4.2313330701600911252e1) * r + 1.0  # fmt: skip
        return d * top / low
    r = math.sqrt(-math.log(min(p, 1.0 - p)))
    if r <= 5.0:
        r -= 1.6
        top = ((((((7.74545014278341407640e-4 * r + 2.27238449892691845833e-2) * r
            + 2.41780725177450611770e-1) * r + 1.27045825245236838258e0) * r
            + 3.64784832476320460504e0) * r + 5.76949722146069140550e0) * r
            + 4.63033784615654529590e0) * r + 1.42343711074968357734e0  # fmt: skip
        low = ((((((1.05075007164441684324e-9 * r + 5.47593808499534494600e-4) * r
            + 1.51986665636164571966e-2) * r + 1.48103976427480074590e-1) * r
            + 6.89767334985100004550e-1) * r + 1.67638483018380384940e0) * r
            + 2.05319162663775882187e0) * r + 1.0  # fmt: skip
    else:
        r -= 5.0
        top = ((((((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r
            + 1.24266094738807843860e-3) * r + 2.65321895265761230930e-2) * r
            + 2.96560571828504891230e-1) * r + 1.78482653991729133580e0) * r
            + 5.46378491116411436990e0) * r + 6.65790464350110377720e0  # fmt: skip
        low = ((((((2.04426310338993978564e-15 * r + 1.42151175831644588870e-7) * r
            + 1.84631831751005468180e-5) * r + 7.86869131145613259100e-4) * r
            + 1.48753612908506148525e-2) * r + 1.36929880922735805310e-1) * r
            + 5.99832206555887937690e-1) * r + 1.0  # fmt: skip
    return math.copysign(top / low, d)


@compiled
def score_block(
    x: Floats,
    alpha: Floats,
    beta: Floats,
    zero_share: Floats,
    table: Floats,
    limit: float,
    out: Floats,
    rest: NDArray[np.bool_],
) -> None:
    """Fill ``out`` from the table and mark in ``rest`` what it does not reach."""
    for p in range(x.shape[1]):
        a = alpha[p]
        q = zero_share[p]
        if not a > 0.0:
            for t in range(x.shape[0]):
                out[t, p] = np.nan
            continue
        shrink = 1.0 / (a * beta[p])
        lift = 1.0 - 1.0 / (9.0 * a)
        spread = 3.0 * math.sqrt(a)
        place = 1.0 / (math.sqrt(a) * U_STEP)
        inside = place * U_STEP <= U_END
        row = int(place) if inside else 0
        f = place - row
        u0 = -f * (f - 1.0) * (f - 2.0) / 6.0
        u1 = (f + 1.0) * (f - 1.0) * (f - 2.0) / 2.0
        u2 = -(f + 1.0) * f * (f - 2.0) / 2.0
        u3 = (f + 1.0) * f * (f - 1.0) / 6.0
        for t in range(x.shape[0]):
            value = x[t, p]
            if value != value:
                out[t, p] = np.nan
                continue
            root = np.cbrt(value * shrink) if value > 0.0 else 0.0
            w = spread * (root - lift)
            if not inside or root < LEAST_ROOT or abs(w) > W_END:
                rest[t, p] = True
                continue
            at = (w + W_END) / W_STEP
            column = int(at)
            f = at - column
            w0 = -f * (f - 1.0) * (f - 2.0) / 6.0
            w1 = (f + 1.0) * (f - 1.0) * (f - 2.0) / 2.0
            w2 = -(f + 1.0) * f * (f - 2.0) / 2.0
            w3 = (f + 1.0) * f * (f - 1.0) / 6.0
            missed = 0.0
            for k in range(4):
                line = table[row + k]
                part = (
                    w0 * line[column] + w1 * line[column + 1]
                    + w2 * line[column + 2] + w3 * line[column + 3]
                )  # fmt: skip
                missed += part * (u0 if k == 0 else u1 if k == 1 else u2 if k == 2 else u3)
            z = w + missed
            if q > 0.0:
                level = q + (1.0 - q) * 0.5 * math.erfc(-z * 0.7071067811865476)
                z = quantile(level) if level < 1.0 else limit
            out[t, p] = min(max(z, -limit), limit)
