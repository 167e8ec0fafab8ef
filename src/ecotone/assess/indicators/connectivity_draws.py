"""How far a map of flow holds: resistances drawn again and again, and a margin around the map."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicator import Job, Parameter
from ecotone.assess.indicators.connectivity_ensemble import ENDS, LEVEL
from ecotone.assess.indicators.connectivity_resistance import plausible
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.science.connectivity.ensemble import Moments
from ecotone.science.connectivity.landscape import Landscape, Margin
from ecotone.science.connectivity.resistance import Model, widened
from ecotone.science.connectivity.solver import Keep

Floats = NDArray[np.float64]

PARAMETERS: Final = (
    Parameter("draws", "integer", 0, minimum=0, maximum=100_000, unit="1"),
    Parameter("spread", "number", 2.0, minimum=1.0, unit="1"),
    Parameter("margin", "number", 0.0, minimum=0.0, maximum=2.0, unit="1"),
    Parameter("seed", "integer", 1, minimum=0),
)
#: The columns a table of estimates gets from draws.
COLUMNS: Final = ("mean", "cv", "low", "high")
#: Below this share of the largest mean current a variation says nothing.
_LITTLE: Final = 1e-3


@dataclass(frozen=True)
class Draws:
    """How often and how widely resistances are drawn, and how wide a margin lies around them."""

    count: int = 0
    spread: float = 2.0
    margin: float = 0.0  #: share of the map's size
    seed: int = 1

    @classmethod
    def of(cls, job: Job) -> Draws:
        """As the parameters ask."""
        return cls(
            int(job.number("draws")), job.number("spread"), job.number("margin"),
            int(job.number("seed")),
        )  # fmt: skip

    def cells(self, shape: tuple[int, ...]) -> float:
        """How many times more cells there are with the margin."""
        whole = [size + 2 * np.ceil(self.margin * size) for size in shape]
        return float(np.prod(whole) / np.prod(shape))

    def best(self, land: Landscape) -> Landscape:
        """The landscape as given, with its margin."""
        return self._around(land, np.random.default_rng([self.seed, 0]))

    def drawn(self, land: Landscape) -> Iterator[Landscape]:
        """One landscape as plausible as the given one after another."""
        model: Model = plausible(resistance_of(land.conductance), self.spread)
        for number in range(1, self.count + 1):
            rng = np.random.default_rng([self.seed, number])
            other = replace(land, conductance=conductance_of(model.drawn(rng)))
            keep = partial(_named, land.keep, f"draw-{number}")
            yield replace(self._around(other, rng), keep=keep)

    def _around(self, land: Landscape, rng: np.random.Generator) -> Landscape:
        if not self.margin:
            return land
        wide, inside = widened(resistance_of(land.conductance), self.margin, rng)
        return replace(land, margin=Margin(conductance_of(wide), inside))

    def findings(self, of: str = "connectivity", *, told: bool = False) -> Iterator[Finding]:
        """What was drawn and laid around the map, or that nothing was.

        ``told``: the inputs say within which ranges.
        """
        if self.count and told:
            draws = {"draws": str(self.count)}
            yield Finding("connectivity-drawn-told", Severity.INFO, params=draws)
        elif self.count:
            params = {"draws": str(self.count), "times": f"{self.spread:g}"}
            yield Finding("connectivity-drawn", Severity.INFO, params=params)
        else:
            yield Finding("connectivity-not-drawn", Severity.INFO)
        if self.margin:
            share = {"share": f"{100 * self.margin:g}"}
            yield Finding("connectivity-margin", Severity.INFO, params=share)
        else:
            yield Finding(f"{of}-no-margin", Severity.INFO)


def _named(
    keep: Keep, draw: str, name: str, make: Callable[[], tuple[Floats, float]]
) -> tuple[Floats, float]:
    """Keep what a draw makes under its own name."""
    return keep(f"{draw}-{name}", make)


def resistance_of(conductance: Floats) -> Floats:
    """Resistances of conductances, NaN where there is no habitat."""
    out = np.full(conductance.shape, np.nan)
    np.divide(1.0, conductance, out=out, where=conductance > 0)
    return out


def conductance_of(resistance: Floats) -> Floats:
    """Conductances of resistances, 0 where there is no habitat."""
    return np.nan_to_num(1.0 / resistance)


@dataclass
class Spread:
    """What draws gave: a row of estimates each, and the maps gathered."""

    rows: list[Floats]
    maps: Moments

    def columns(self) -> dict[str, Floats]:
        """Mean, coefficient of variation and interval of each estimate over the draws."""
        drawn = np.array(self.rows)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = drawn.mean(axis=0)
            spread = drawn.std(axis=0, ddof=1) if len(drawn) > 1 else np.full(mean.shape, np.nan)
            low, high = np.percentile(drawn, ENDS, axis=0)
            return {"mean": mean, "cv": spread / mean, "low": low, "high": high}

    def variation(self) -> Floats:
        """The map of the coefficient of variation; NaN where hardly anything flows."""
        mean = self.maps.mean
        shown: Floats = np.where(
            mean > _LITTLE * mean.max(initial=0.0), self.maps.variation(), np.nan
        )
        return shown


def with_interval(value: Value, drawn: Floats) -> Value:
    """A value with the interval of the draws, which may lie beside the best guess."""
    known = drawn[np.isfinite(drawn)]
    if not known.size:
        return value
    low, high = (float(end) for end in np.percentile(known, ENDS))
    return value.model_copy(update={"low": low, "high": high, "level": LEVEL})


def with_columns(frame: pd.DataFrame, spread: Spread | None) -> pd.DataFrame:
    """A table of estimates, with what the draws say of each."""
    return frame if spread is None else frame.assign(**spread.columns())
