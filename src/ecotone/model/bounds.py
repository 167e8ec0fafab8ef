"""What numbers an attribute can hold: read off the nouns' classes, for whole columns."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecotone.model.records import RECORD_CLASSES


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of a number; ``above`` is not reached itself."""

    low: float = -np.inf
    high: float = np.inf
    above: float = -np.inf

    def hold(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether each value lies within; a missing one does."""
        return ~((values < self.low) | (values > self.high) | (values <= self.above))

    @property
    def words(self) -> str:
        """``> 0``, ``>= 0`` or ``0 ... 1``."""
        if np.isfinite(self.high):
            return f"{self.low:g} ... {self.high:g}"
        return f"> {self.above:g}" if np.isfinite(self.above) else f">= {self.low:g}"


@functools.cache
def bounds(noun: str) -> dict[str, Bounds]:
    """The attributes of a noun that are bounded.

    >>> {name: bound.words for name, bound in bounds("Individual").items()}
    {'confidence': '0 ... 1'}
    """
    found = {}
    for name, told in RECORD_CLASSES[noun].model_json_schema()["properties"].items():
        for kind in told.get("anyOf", [told]):
            bound = Bounds(
                low=kind.get("minimum", -np.inf),
                high=kind.get("maximum", np.inf),
                above=kind.get("exclusiveMinimum", -np.inf),
            )
            if bound != Bounds():
                found[name] = bound
    return found
