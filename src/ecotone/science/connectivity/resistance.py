"""Resistance from what is known of an animal, each with how uncertain it is.

Four models, one form: ``best()`` is the map of best guesses, ``drawn(rng)`` one that is as
plausible. ``Classes`` after an expert's table with ranges; ``Contrast`` where only the map is
known; ``Suitability`` after Keeley et al. (2016), doi:10.1007/s10980-016-0387-5; ``Selection``
from step-selection coefficients, whose exponential is how much likelier a step is (Avgar et al.
2017, doi:10.1002/ece3.3122).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Model(Protocol):
    """Resistances that are not known exactly; NaN where nothing can pass."""

    def best(self) -> Floats:
        """The resistances thought best."""
        ...

    def drawn(self, rng: np.random.Generator) -> Floats:
        """Resistances as plausible as the best."""
        ...


@dataclass(frozen=True)
class Ranges:
    """A plausible range of resistance for each class of land."""

    classes: Floats
    resistance: Floats  #: the best guess
    low: Floats
    high: Floats

    def drawn(self, rng: np.random.Generator) -> Floats:
        """A resistance of each class: uniform in its logarithm between low and high."""
        share = rng.random(self.classes.size)
        drawn: Floats = self.low * (self.high / self.low) ** share
        return drawn

    def mapped(self, land: Floats, resistance: Floats) -> Floats:
        """The raster of resistances of a raster of classes; NaN where a class is unknown."""
        order = np.argsort(self.classes)
        known = self.classes[order]
        at = np.minimum(np.searchsorted(known, land), known.size - 1)
        found = np.isfinite(land) & (known[at] == land)
        mapped: Floats = np.where(found, resistance[order][at], np.nan)
        return mapped


def spread_around(land: Floats, spread: float) -> Ranges:
    """Each distinct value of a raster may lie ``spread`` times lower or higher."""
    values = np.unique(land[np.isfinite(land)])
    return Ranges(values, values, values / spread, values * spread)


@dataclass(frozen=True)
class Classes:
    """A raster of classes and what each may resist; classes are drawn independently."""

    land: Floats
    ranges: Ranges

    def best(self) -> Floats:
        """See ``Model``."""
        return self.ranges.mapped(self.land, self.ranges.resistance)

    def drawn(self, rng: np.random.Generator) -> Floats:
        """See ``Model``."""
        return self.ranges.mapped(self.land, self.ranges.drawn(rng))


@dataclass(frozen=True)
class Contrast:
    """A map of resistances whose contrast is uncertain: (r / least r) to a power.

    The power is uniform in its logarithm between 1 / ``spread`` and ``spread``. For maps of
    continuous values, which have no classes to draw one by one.
    """

    resistance: Floats
    spread: float

    def best(self) -> Floats:
        """See ``Model``."""
        return self.resistance

    def drawn(self, rng: np.random.Generator) -> Floats:
        """See ``Model``."""
        power = self.spread ** rng.uniform(-1.0, 1.0)
        least = np.nanmin(self.resistance)
        drawn: Floats = least * (self.resistance / least) ** power
        return drawn


@dataclass(frozen=True)
class Suitability:
    """Habitat suitability h, 0 to 1, as resistance 1 (h = 1) to ``top`` (h = 0).

    R = top - (top - 1) (1 - exp(-c h)) / (1 - exp(-c)). A large c lets animals cross all but
    the worst land easily, c near 0 is a straight line. Nobody knows c: it is drawn uniformly
    in its logarithm between ``low`` and ``high``.
    """

    value: Floats
    c: float
    low: float
    high: float
    top: float = 100.0

    def best(self) -> Floats:
        """See ``Model``."""
        return self._at(self.c)

    def drawn(self, rng: np.random.Generator) -> Floats:
        """See ``Model``."""
        return self._at(self.low * (self.high / self.low) ** rng.random())

    def _at(self, c: float) -> Floats:
        share: Floats = np.expm1(-c * self.value) / np.expm1(-c)
        resistance: Floats = self.top - (self.top - 1.0) * share
        return resistance


@dataclass(frozen=True)
class Selection:
    """Resistance from a step-selection function: 1 in the land chosen most, 1 / w elsewhere.

    With coefficients b over covariates x, w = exp(b x) relative to the best cell. Coefficients
    are drawn from the normal distribution with their covariance.
    """

    covariates: Floats  #: (coefficients, rows, columns), NaN where nothing can pass
    coefficients: Floats
    covariance: Floats

    def best(self) -> Floats:
        """See ``Model``."""
        return self._at(self.coefficients)

    def drawn(self, rng: np.random.Generator) -> Floats:
        """See ``Model``."""
        drawn = rng.multivariate_normal(self.coefficients, self.covariance, method="eigh")
        return self._at(drawn)

    def _at(self, coefficients: Floats) -> Floats:
        liking: Floats = np.tensordot(coefficients, self.covariates, axes=1)
        resistance: Floats = np.exp(np.nanmax(liking) - liking)
        return resistance


def widened(
    resistance: Floats, share: float, rng: np.random.Generator
) -> tuple[Floats, tuple[slice, slice]]:
    """A map with a margin of resistances taken at random from it, and where the map lies in it.

    A map's edge is a wall that current runs along. With a margin of at least 20 % of the map's
    size currents inside are nearly unbiased (Koen et al. 2010,
    doi:10.1371/journal.pone.0011785).
    """
    rows, columns = resistance.shape
    down, right = (int(np.ceil(share * size)) for size in resistance.shape)
    shape = (rows + 2 * down, columns + 2 * right)
    inside = (slice(down, down + rows), slice(right, right + columns))
    wide = rng.choice(resistance[np.isfinite(resistance)], shape)
    wide[inside] = resistance
    return wide, inside
