"""Simulated populations and what detectors would have seen of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ecotone.science.wildlife import secr_kernels as kernels
from ecotone.science.wildlife.secr_model import FORMS, DetectionFunction
from ecotone.science.wildlife.survey import (
    HECTARE,
    Captures,
    DetectorKind,
    Detectors,
    Floats,
    Mask,
    Session,
)


def population(mask: Mask, density: Floats | float, rng: np.random.Generator) -> Floats:
    """Centres of a Poisson population: uniform within the cells drawn.

    Args:
        mask: habitat.
        density: animals per hectare, one number or (cells,).
        rng: source of chance.

    Returns:
        (animals, 2) metres.
    """
    mean = np.broadcast_to(np.asarray(density) * mask.cell_area, (len(mask.xy),))
    cell = np.repeat(np.arange(len(mask.xy)), rng.poisson(mean))
    side = np.sqrt(mask.cell_area * HECTARE)
    places: Floats = mask.xy[cell] + side * (rng.random((len(cell), 2)) - 0.5)
    return places


def hazards(
    centres: Floats,
    detectors: Floats,
    detection: DetectionFunction,
    top: float,
    sigma: float,
    z: float = 4.0,
) -> Floats:
    """(detectors, animals) hazard per unit of effort."""  # fmt: skip
    form, hazard = FORMS[detection]
    shape = np.empty((len(detectors), len(centres)))
    scale, steep = np.full(len(detectors), sigma), np.full(len(detectors), z)
    kernels.shapes(
        np.ascontiguousarray(detectors), np.ascontiguousarray(centres), form, scale, steep, shape,
        np.empty_like(shape),
    )  # fmt: skip
    h: Floats = top * shape if hazard else -np.log1p(-top * shape)
    return h


def detections(
    kind: DetectorKind,
    detectors: Detectors,
    centres: Floats,
    detection: DetectionFunction,
    top: float,
    sigma: float,
    rng: np.random.Generator,
    *,
    z: float = 4.0,
    size: int = 0,
) -> NDArray[np.int64]:
    """(animals, occasions, detectors) numbers of detections of every animal, seen or not."""
    h = hazards(centres, detectors.xy, detection, top, sigma, z).T
    rate = h[:, None, :] * detectors.usage.T[None]
    return draw(kind, rate, rng, size)


def draw(
    kind: DetectorKind, rate: Floats, rng: np.random.Generator, size: int = 0
) -> NDArray[np.int64]:
    """Numbers of detections from hazards (animals, occasions, detectors)."""
    if kind == "count" and not size:
        return rng.poisson(rate)
    if kind != "multi":
        return rng.binomial(size or 1, -np.expm1(-rate))
    total = rate.sum(axis=2, keepdims=True)
    caught = rng.random(total.shape) < -np.expm1(-total)
    share = np.cumsum(rate, axis=2) / np.maximum(total, 1e-300)
    which = (rng.random(total.shape) > share).sum(axis=2)
    which = np.minimum(which, rate.shape[2] - 1)
    found = np.zeros(rate.shape, dtype=np.int64)
    np.put_along_axis(found, which[:, :, None], caught.astype(np.int64), axis=2)
    return found


def as_captures(found: NDArray[np.int64]) -> Captures:
    """Histories of the animals seen at least once."""
    seen = found.sum(axis=(1, 2)) > 0
    animal, occasion, detector = np.nonzero(found[seen])
    return Captures(
        int(seen.sum()), animal, occasion, detector, found[seen][animal, occasion, detector]
    )


def simulate(
    session: Session,
    density: Floats | float,
    detection: DetectionFunction,
    top: float,
    sigma: float,
    rng: np.random.Generator,
    *,
    z: float = 4.0,
) -> Session:
    """A session of the same layout with a new population and what was seen of it.

    Args:
        session: layout; its captures are not looked at.
        density: animals per hectare.
        detection: function of distance.
        top: g0 or lambda0.
        sigma: metres.
        rng: source of chance.
        z: exponent of the hazard-rate shape.
    """
    centres = population(session.mask, density, rng)
    found = detections(
        session.kind, session.detectors, centres, detection, top, sigma, rng, z=z,
        size=session.size,
    )  # fmt: skip
    return replace(session, captures=as_captures(found), known_class=None)
