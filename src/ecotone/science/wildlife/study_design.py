"""How precise a layout of detectors will be before it stands in the field."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ecotone.science.wildlife import estimates
from ecotone.science.wildlife.secr import fit
from ecotone.science.wildlife.secr_model import DetectionFunction, Model
from ecotone.science.wildlife.simulate import hazards, simulate
from ecotone.science.wildlife.survey import Floats, Session


@dataclass(frozen=True)
class Expected:
    """What a layout is expected to bring.

    Attributes:
        animals: E(n), animals detected.
        detections: of all animals.
        recaptures: E(r), detections beyond each animal's first.
        spatial_recaptures: detectors that detect an animal beyond its first.
        rse: relative standard error of density, 1 / sqrt(min(E(n), E(r))) (Efford and Boulanger
            2019, doi:10.1111/2041-210X.13239).
    """

    animals: float
    detections: float
    recaptures: float
    spatial_recaptures: float
    rse: float


@dataclass(frozen=True)
class Simulated:
    """What simulated surveys of a layout brought.

    Attributes:
        surveys: simulated.
        fitted: of them, in which a maximum was found.
        bias: relative, of density.
        rse: mean estimated relative standard error of density.
        spread: standard deviation of the estimates over the true density.
        coverage: share of 95 % intervals that hold the true density.
    """

    surveys: int
    fitted: int
    bias: float
    rse: float
    spread: float
    coverage: float


def expected(
    layout: Session,
    density: Floats | float,
    detection: DetectionFunction,
    top: float,
    sigma: float,
    z: float = 4.0,
) -> Expected:
    """Expected numbers of a layout; its captures are not looked at.

    Args:
        layout: detectors, effort and mask.
        density: animals per hectare, one number or (cells,).
        detection: function of distance.
        top: g0 or lambda0.
        sigma: metres.
        z: exponent of the hazard-rate shape.
    """
    mask, usage = layout.mask, layout.detectors.usage
    size = layout.size or 1
    weight = np.broadcast_to(np.asarray(density) * mask.cell_area, (len(mask.xy),))
    h = hazards(mask.xy, layout.detectors.xy, detection, top, sigma, z)
    total = usage.sum(axis=1) @ h * size
    animals = float(weight @ -np.expm1(-total))
    if layout.kind == "multi":
        detections, by_detector = 0.0, np.zeros_like(h)
        for effort in usage.T:
            rate = effort[:, None] * h
            sum_rate = rate.sum(axis=0)
            caught = -np.expm1(-sum_rate)
            detections += float(weight @ caught)
            # Chance of no capture here on any occasion, occasions being independent.
            by_detector += np.log1p(-caught * rate / np.maximum(sum_rate, 1e-300))
        places = float(weight @ -np.expm1(by_detector).sum(axis=0))
    else:
        if layout.kind == "count" and not layout.size:
            detections = float(weight @ total)
        else:
            each = [size * -np.expm1(-effort[:, None] * h) for effort in usage.T]
            detections = float(weight @ np.sum(each, axis=(0, 1)))
        places = float(weight @ -np.expm1(-usage.sum(axis=1)[:, None] * h * size).sum(axis=0))
    recaptures = detections - animals
    least = min(animals, recaptures)
    rse = float(1.0 / np.sqrt(least)) if least > 0 else float("inf")
    return Expected(animals, detections, recaptures, places - animals, rse)


def simulated(
    layout: Session,
    density: Floats | float,
    detection: DetectionFunction,
    top: float,
    sigma: float,
    surveys: int,
    rng: np.random.Generator,
    z: float = 4.0,
) -> Simulated:
    """Simulate surveys of a layout, fit each, and hold the estimates against the truth.

    Args:
        layout: detectors, effort and mask; its captures are not looked at.
        density: animals per hectare, one number or (cells,).
        detection: function of distance, in the simulation and in the fits.
        top: g0 or lambda0.
        sigma: metres.
        surveys: to simulate.
        rng: source of chance.
        z: exponent of the hazard-rate shape.
    """
    truth = float(np.mean(density))
    found = []
    for _ in range(surveys):
        survey = simulate(layout, density, detection, top, sigma, rng, z=z)
        if survey.captures.animals == 0 or survey.captures.spatial_recaptures == 0:
            continue
        fitted = fit([replace(survey, name=layout.name)], Model(detection))
        if fitted.converged:
            d = estimates.density(fitted)
            found.append((d.value, d.se / d.value, d.low <= truth <= d.high))
    if not found:
        nan = float("nan")
        return Simulated(surveys, 0, nan, nan, nan, nan)
    value, rse, covered = (np.array(x, dtype=np.float64) for x in zip(*found, strict=True))
    return Simulated(
        surveys=surveys,
        fitted=len(found),
        bias=float(value.mean() / truth - 1.0),
        rse=float(rse.mean()),
        spread=float(value.std(ddof=1) / truth) if len(found) > 1 else float("nan"),
        coverage=float(covered.mean()),
    )
