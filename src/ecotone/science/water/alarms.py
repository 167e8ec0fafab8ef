"""Alarms of a stream: raised once, with persistence, and ended with hysteresis.

A rule has two levels: one that raises the alarm after the value stayed beyond it for some time, and
one, on the quiet side of it, that ends it. Between them nothing changes, so a value that trembles
about the level gives one alarm and not hundreds. ISA-18.2 calls them setpoint, on-delay and
deadband.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Alarms:
    """Alarms in the order of time; seconds as in the input.

    Attributes:
        onset: first value beyond the level.
        raised: when it had been beyond for long enough.
        cleared: first value back within; NaN = still raised at the end.
        peak: value furthest beyond.
    """

    onset: Floats
    raised: Floats
    cleared: Floats
    peak: Floats

    def __len__(self) -> int:
        return len(self.onset)


def level_alarms(
    values: ArrayLike,
    seconds: ArrayLike,
    raise_at: float,
    clear_at: float | None = None,
    persistence: float = 0.0,
    *,
    below: bool = False,
) -> Alarms:
    """Values above (or below) a level.

    Args:
        values: NaN = missing; changes nothing, neither way.
        seconds: time of each, ascending.
        raise_at: beyond this an alarm begins.
        clear_at: at this or on its quiet side it ends; the same as ``raise_at`` where None.
        persistence: seconds it must stay beyond without a break.
        below: the alarm is for values below the level.

    Returns:
        The alarms.

    Raises:
        ValueError: a clearing level beyond the raising one, a negative persistence or times that
            do not ascend.

    >>> found = level_alarms([1, 6, 4.5, 6, 3, 6], [0, 1, 2, 3, 4, 5], 5, 4)
    >>> found.onset.tolist(), found.cleared.tolist(), found.peak.tolist()
    ([1.0, 5.0], [4.0, nan], [6.0, 6.0])
    """
    sign = -1.0 if below else 1.0
    x, t = sign * np.asarray(values, np.float64), np.asarray(seconds, np.float64)
    top = sign * raise_at
    bottom = top if clear_at is None else sign * clear_at
    if bottom > top or persistence < 0:
        raise ValueError("an alarm ends on the quiet side of where it begins, after some time")
    if x.shape != t.shape or np.any(np.diff(t) < 0):
        raise ValueError("one time is needed for each value, ascending")
    found = _walk(x, t, top, bottom, float(persistence))
    return Alarms(found[0], found[1], found[2], sign * found[3])


def silence_alarms(seconds: ArrayLike, longest: float, now: float | None = None) -> Alarms:
    """Stretches without a value longer than ``longest`` seconds.

    Args:
        seconds: times of the values there are, ascending.
        longest: silence allowed, seconds.
        now: the present; None = the stream ends with its last value.

    Returns:
        The alarms; ``peak`` is the length of the silence, seconds.

    Raises:
        ValueError: a length that is not above 0, or times that do not ascend.

    >>> silence_alarms([0, 10, 100], 30, now=105).raised.tolist()
    [40.0]
    """
    t = np.asarray(seconds, np.float64)
    if not longest > 0 or np.any(np.diff(t) < 0):
        raise ValueError("the silence allowed is above 0, times ascend")
    ends = np.append(t[1:], np.nan if now is None else now) if t.size else t
    length = ends - t
    hit = length > longest
    cleared = np.where(np.arange(t.size) < t.size - 1, ends, np.nan)
    return Alarms(t[hit], t[hit] + longest, cleared[hit], length[hit])


def rates(values: ArrayLike, seconds: ArrayLike) -> Floats:
    """Size of the change since the value before, per hour; NaN for the first.

    >>> rates([1.0, 2.0], [0, 1800]).tolist()
    [nan, 2.0]
    """
    x, t = np.asarray(values, np.float64), np.asarray(seconds, np.float64)
    found = np.full(x.shape, np.nan)
    step = np.diff(t)
    with np.errstate(divide="ignore", invalid="ignore"):
        found[1:] = np.where(step > 0, np.abs(np.diff(x)) / step * 3600, np.nan)
    return found


@njit(cache=True)
def _walk(x, t, top, bottom, persistence):  # type: ignore[no-untyped-def]  # compiled
    onset, raised = np.empty(x.size), np.empty(x.size)
    cleared, peak = np.empty(x.size), np.empty(x.size)
    n, state, start, worst = 0, 0, 0.0, 0.0
    for i in range(x.size):
        value = x[i]
        if np.isnan(value):
            continue
        if state == 0 and value > top:
            state, start, worst = 1, t[i], value
        elif state > 0:
            worst = max(worst, value)
        if state == 1:
            if value <= top:
                state = 0
            elif t[i] - start >= persistence:
                onset[n], raised[n], cleared[n] = start, t[i], np.nan
                state = 2
                n += 1
        if state == 2:
            peak[n - 1] = worst
            if value <= bottom:
                cleared[n - 1] = t[i]
                state = 0
    return onset[:n], raised[:n], cleared[:n], peak[:n]
