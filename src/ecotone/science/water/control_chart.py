"""Control charts of a laboratory: is the measurement still what it was?

Values are judged as z = (x - centre) / s, with centre and s of a period in which the measurement
was known to be in order. Westgard et al. 1981, Clinical Chemistry 27, 493-501
(doi:10.1093/clinchem/27.3.493); ISO 7870.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import lfilter

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: Rules that reject a run, in the order they are told; ``1_2s`` only warns.
REJECTING: Final = ("1_3s", "2_2s", "R_4s", "4_1s", "10_x")
#: Moving ranges of two have this mean in units of s.
_D2: Final = 1.128379167095513


@dataclass(frozen=True)
class Centre:
    """What a chart is drawn around.

    Attributes:
        mean: centre line.
        sd: standard deviation; warning lines lie at 2, action lines at 3 of them.
        n: values it rests on.
    """

    mean: float
    sd: float
    n: int


def centre(values: ArrayLike, *, moving: bool = False) -> Centre:
    """Centre and spread of values in order of time.

    Args:
        values: at least two numbers; NaN are left out.
        moving: take s from moving ranges of two, which a slow drift does not widen.

    Returns:
        Mean, s and number.

    Raises:
        ValueError: fewer than two numbers.

    >>> centre([9.0, 10.0, 11.0, 10.0])
    Centre(mean=10.0, sd=0.816496580927726, n=4)
    """
    x = np.asarray(values, np.float64)
    x = x[~np.isnan(x)]
    if x.size < 2:
        raise ValueError("a chart needs at least two values")
    sd = float(np.abs(np.diff(x)).mean() / _D2) if moving else float(x.std(ddof=1))
    return Centre(float(x.mean()), sd, int(x.size))


def scores(values: ArrayLike, around: Centre) -> Floats:
    """Z = (x - mean) / s of each value.

    Raises:
        ValueError: values that never varied, so that nothing can be expected of them.

    >>> scores([10, 13], Centre(10.0, 1.5, 20)).tolist()
    [0.0, 2.0]
    """
    if not around.sd > 0:
        raise ValueError("a chart without variation cannot judge")
    return (np.asarray(values, np.float64) - around.mean) / around.sd


def westgard(z: ArrayLike) -> dict[str, Bools]:
    """Which values break which rule.

    1_2s (a warning): one beyond 2 s. 1_3s: one beyond 3 s. 2_2s: two in a row beyond 2 s on
    one side. R_4s: two in a row beyond 2 s on opposite sides. 4_1s: four in a row beyond 1 s on
    one side. 10_x: ten in a row on one side of the mean.

    Args:
        z: scores in order of time; NaN breaks a row.

    Returns:
        For each rule whether the value completes a violation.

    >>> rules = westgard([0, 2.5, 2.2, -2.4, 3.5])
    >>> [name for name, hit in rules.items() if hit.any()], rules["2_2s"].tolist()
    (['1_2s', '1_3s', '2_2s', 'R_4s'], [False, False, True, False, False])
    """
    s = np.asarray(z, np.float64)
    with np.errstate(invalid="ignore"):
        high, low = s > 2, s < -2
        turned = np.zeros(s.shape, np.bool_)
        turned[1:] = (high[1:] & low[:-1]) | (low[1:] & high[:-1])
        return {
            "1_2s": high | low,
            "1_3s": np.abs(s) > 3,
            "2_2s": (_run(high) >= 2) | (_run(low) >= 2),
            "R_4s": turned,
            "4_1s": (_run(s > 1) >= 4) | (_run(s < -1) >= 4),
            "10_x": (_run(s > 0) >= 10) | (_run(s < 0) >= 10),
        }


def cusum(z: ArrayLike, slack: float = 0.5, decision: float = 5.0) -> tuple[Floats, Floats, Bools]:
    """Sums of what exceeds the slack, upwards and downwards; sees a small lasting shift.

    C+ = max(0, C+ + z - slack). Page 1954, Biometrika 41, 100-115 (doi:10.1093/biomet/41.1-2.100).

    Args:
        z: scores in order of time; NaN counts as 0.
        slack: half the shift worth seeing, in s.
        decision: sum at which the process is out of control, in s.

    Returns:
        C+, C- (both positive) and where either passes the decision.

    Raises:
        ValueError: a negative slack, or a decision not above 0.

    >>> up, down, out = cusum([1.5] * 6)
    >>> up.tolist(), out.tolist()
    ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [False, False, False, False, False, True])
    """
    if slack < 0 or not decision > 0:
        raise ValueError("the slack is not negative, the decision above 0")
    s = np.nan_to_num(np.asarray(z, np.float64))
    up, down = _reflected(s - slack), _reflected(-s - slack)
    return up, down, (up > decision) | (down > decision)


def ewma(z: ArrayLike, weight: float = 0.2, width: float = 2.7) -> tuple[Floats, Floats, Bools]:
    """Exponentially weighted mean of the scores with its limits.

    E = weight z + (1 - weight) E, limits width sqrt(w / (2 - w) (1 - (1 - w)^2i)). Roberts 1959,
    Technometrics 1, 239-250 (doi:10.1080/00401706.1959.10489860).

    Args:
        z: scores in order of time; NaN counts as 0.
        weight: of the newest value, above 0 to 1.
        width: limits in standard deviations of the mean.

    Returns:
        The weighted mean, its limit and where it passes it.

    Raises:
        ValueError: a weight or width out of range.

    >>> mean, limit, out = ewma([1.0, 1.0], weight=0.5)
    >>> mean.tolist(), out.tolist()
    ([0.5, 0.75], [False, False])
    """
    if not 0 < weight <= 1 or not width > 0:
        raise ValueError("the weight lies above 0 and up to 1, the width above 0")
    s = np.nan_to_num(np.asarray(z, np.float64))
    mean = np.asarray(lfilter([weight], [1, weight - 1], s), np.float64)
    steps = np.arange(1, s.size + 1)
    limit = width * np.sqrt(weight / (2 - weight) * (1 - (1 - weight) ** (2 * steps)))
    return mean, limit, np.abs(mean) > limit


def _run(hit: Bools) -> NDArray[np.int64]:
    """How many in a row, up to and with each value."""
    place = np.arange(1, hit.size + 1)
    return np.asarray(place - np.maximum.accumulate(np.where(hit, 0, place)), np.int64)


def _reflected(steps: Floats) -> Floats:
    """Sum that never falls below 0: the sum less the smallest it has been, or 0."""
    total = np.cumsum(steps)
    return np.asarray(total - np.minimum(np.minimum.accumulate(total), 0.0), np.float64)
