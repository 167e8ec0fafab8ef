"""What a spatial capture-recapture session is: detectors, habitat mask, capture histories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

DetectorKind = Literal["multi", "proximity", "count"]
#: Square metres in a hectare.
HECTARE: Final = 10_000.0


@dataclass(frozen=True)
class Detectors:
    """Where and how long animals could be detected.

    Attributes:
        xy: (detectors, 2), metres on a plane.
        usage: (detectors, occasions), effort; 0 where a detector was not working.
        covariates: columns, (detectors,) each.
    """

    xy: Floats
    usage: Floats
    covariates: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.xy.ndim != 2 or self.xy.shape[1] != 2 or len(self.xy) != len(self.usage):
            raise ValueError("detectors: xy is (detectors, 2), usage (detectors, occasions)")
        if not np.isfinite(self.xy).all():
            raise ValueError("detectors: a place is no number")
        if not (np.isfinite(self.usage).all() and (self.usage >= 0).all()):
            raise ValueError("detectors: effort is a number not below nought")

    @property
    def occasions(self) -> int:
        """Number of occasions."""
        return int(self.usage.shape[1])


@dataclass(frozen=True)
class Mask:
    """Habitat: cells of equal area in which a home range may be centred.

    Attributes:
        xy: (cells, 2) centres, metres on the detectors' plane.
        cell_area: hectares.
        covariates: columns, (cells,) each.
    """

    xy: Floats
    cell_area: float
    covariates: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.xy.ndim != 2 or self.xy.shape[1] != 2 or len(self.xy) == 0:
            raise ValueError("mask: xy is (cells, 2) with at least one cell")
        if not np.isfinite(self.xy).all() or not self.cell_area > 0:
            raise ValueError("mask: places are numbers, the area of a cell is above nought")

    @property
    def area(self) -> float:
        """Hectares of the whole."""
        return self.cell_area * len(self.xy)


@dataclass(frozen=True)
class Captures:
    """Detections of recognised animals, one row per animal, occasion and detector.

    Attributes:
        animals: number of animals detected.
        animal: (rows,) 0 .. animals-1.
        occasion: (rows,) 0-based.
        detector: (rows,) 0-based.
        count: (rows,) times detected, 1 for multi and proximity.
        removed_after: (animals,) last occasion an animal was there, -1 where never removed.
    """

    animals: int
    animal: Counts
    occasion: Counts
    detector: Counts
    count: Counts
    removed_after: Counts | None = None

    @property
    def detections(self) -> int:
        """Number of detections."""
        return int(self.count.sum())

    @property
    def recaptures(self) -> int:
        """Detections beyond each animal's first."""
        return self.detections - self.animals

    def places(self) -> int:
        """Pairs of an animal and a detector that detected it."""
        return len(np.unique(np.stack([self.animal, self.detector]), axis=1).T)

    @property
    def spatial_recaptures(self) -> int:
        """Detectors that detected an animal, beyond each animal's first."""
        return self.places() - self.animals


@dataclass(frozen=True)
class Session:
    """One sampled population: an area in a season, by one kind of detector.

    Attributes:
        kind: multi (an animal at one detector an occasion), proximity (at several, once each)
            or count.
        detectors: where and how long.
        mask: habitat.
        captures: histories.
        name: of the session.
        known_class: (animals,) class of each (0 or 1), -1 where unknown; None without classes.
        occasion_covariates: columns, (occasions,) each.
        covariates: of the session, a number or word each.
        size: trials of a count detector on an occasion (binomial); 0 for Poisson counts.
    """

    kind: DetectorKind
    detectors: Detectors
    mask: Mask
    captures: Captures
    name: str = "1"
    known_class: Counts | None = None
    occasion_covariates: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    covariates: Mapping[str, Any] = field(default_factory=dict)
    size: int = 0

    def __post_init__(self) -> None:
        c = self.captures
        rows = (len(c.animal), len(c.occasion), len(c.detector), len(c.count))
        if len(set(rows)) != 1:
            raise ValueError("captures: columns differ in length")
        if len(c.animal) == 0:
            return
        if not (c.occasion.min() >= 0 and c.occasion.max() < self.detectors.occasions):
            raise ValueError("captures: an occasion outside the effort's")
        if not (c.detector.min() >= 0 and c.detector.max() < len(self.detectors.xy)):
            raise ValueError("captures: an unknown detector")
        if not np.array_equal(np.unique(c.animal), np.arange(c.animals)):
            raise ValueError("captures: animals are numbered from 0, each detected at least once")
        if (self.detectors.usage[c.detector, c.occasion] <= 0).any():
            raise ValueError("captures: a detection where there was no effort")
        if (c.count < 1).any():
            raise ValueError("captures: a count is at least 1")
        self._check_kind()
        if c.removed_after is not None:
            last = c.removed_after[c.animal]
            if ((last >= 0) & (c.occasion > last)).any():
                raise ValueError("captures: an animal detected after its removal")

    def _check_kind(self) -> None:
        c = self.captures
        if self.kind != "count" and (c.count > 1).any():
            raise ValueError(f"captures: counts above 1 at {self.kind} detectors")
        if self.kind == "count" and self.size and (c.count > self.size).any():
            raise ValueError("captures: a count above the number of trials")
        columns = [c.animal, c.occasion] + ([] if self.kind == "multi" else [c.detector])
        if np.unique(np.stack(columns), axis=1).shape[1] != len(c.animal):
            raise ValueError(
                "captures: an animal at two multi-catch detectors on one occasion"
                if self.kind == "multi"
                else "captures: two rows of one animal, occasion and detector"
            )


def cell_area(xy: Floats) -> float:
    """Area of one cell of a regular grid of centres, hectares.

    The sides are the smallest steps in x and in y between the grid's lines; for a grid not
    laid along the axes, the distance to the nearest neighbour, squared.

    >>> import numpy as np
    >>> grid = np.stack(np.meshgrid([0.0, 200.0, 400.0], [0.0, 100.0]), -1).reshape(-1, 2)
    >>> cell_area(grid)
    2.0

    Raises:
        ValueError: fewer than two cells.
    """
    from scipy.spatial import KDTree

    if len(xy) < 2:
        raise ValueError("the area of a cell needs at least two cells")
    nearest = float(np.median(np.asarray(KDTree(xy).query(xy, k=2)[0])[:, 1]))
    sides = []
    for axis in (0, 1):
        values = np.unique(xy[:, axis])
        steps = np.diff(values)
        steps = steps[steps > 0.01 * nearest]
        if len(steps) == 0:
            return nearest * nearest / HECTARE
        # Steps are whole multiples of the smallest where the grid lies along the axes.
        side = float(np.median(steps[steps < 1.5 * steps.min()]))
        if np.abs(steps / side - np.round(steps / side)).max() > 0.05:
            return nearest * nearest / HECTARE
        sides.append(side)
    smallest = min(sides)
    if abs(smallest - nearest) > 0.05 * nearest:
        return nearest * nearest / HECTARE
    return sides[0] * sides[1] / HECTARE


def pooled_spread(session: Session) -> float:
    """Root pooled spatial variance of detections about each animal's mean place, metres.

    Calhoun and Casby (1958): two dimensions share one variance, so the sum of squares is
    divided by 2 (detections - animals). NaN where no animal was detected twice.
    """
    c = session.captures
    if c.recaptures == 0:
        return float("nan")
    weight = c.count.astype(np.float64)
    total = np.bincount(c.animal, weight, c.animals)
    squares = 0.0
    for axis in (0, 1):
        x = session.detectors.xy[c.detector, axis]
        x = x - x.mean()
        mean = np.bincount(c.animal, weight * x, c.animals) / total
        squares += float((weight * (x - mean[c.animal]) ** 2).sum())
    return float(np.sqrt(squares / (2 * c.recaptures)))
