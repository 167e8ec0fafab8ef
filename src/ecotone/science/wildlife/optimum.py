"""The largest value of a log-likelihood with a known gradient, and its curvature there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Floats = NDArray[np.float64]
#: A point's log-likelihood and gradient; -inf where the point is out of bounds.
Objective = Callable[[Floats], tuple[float, Floats]]


@dataclass(frozen=True)
class Optimum:
    """Where a log-likelihood is largest.

    Attributes:
        beta: the coefficients there.
        value: the log-likelihood.
        information: minus its second derivatives, (coefficients, coefficients).
        covariance: the inverse; a pseudo-inverse where the information is singular.
        decrement: log-likelihood a further Newton step would gain; near 0 at an optimum.
        positive: whether the information is positive definite: a maximum, not a ridge.
        evaluations: times value and gradient were computed.
    """

    beta: Floats
    value: float
    information: Floats
    covariance: Floats
    decrement: float
    positive: bool
    evaluations: int

    @property
    def converged(self) -> bool:
        """Whether this is a maximum, to well below what could matter."""
        return self.positive and abs(self.decrement) < 1e-6


def whitening(designs: list[Floats]) -> Floats:
    """Coefficients from well-scaled ones: upper triangular, block by block.

    A design X of r rows is Q R, so that ``X beta = Q sqrt(r) gamma`` with ``gamma = R beta /
    sqrt(r)``: whatever the scale of the covariates, a unit of gamma moves the predictors by
    about one.
    """
    size = sum(d.shape[1] for d in designs)
    matrix = np.zeros((size, size))
    at = 0
    for design in designs:
        r = np.linalg.qr(design, mode="r")
        width = design.shape[1]
        block = np.linalg.solve(r, np.eye(width)) * np.sqrt(len(design))
        matrix[at : at + width, at : at + width] = block * np.sign(np.diag(r))
        at += width
    return matrix


def maximise(objective: Objective, start: Floats, transform: Floats, size: float) -> Optimum:
    """Climb by BFGS, then by Newton steps; curvature from differences of the gradient.

    Args:
        objective: log-likelihood and gradient by coefficient.
        start: coefficients to start from.
        transform: coefficients from well-scaled ones (``whitening``).
        size: about the number of observations, so that curvature is of order one.
    """
    counted = _Counted(objective, transform, max(1.0, size))
    gamma = _climb(counted, np.asarray(np.linalg.solve(transform, start), dtype=np.float64))
    value, slope = counted(gamma)
    for _ in range(12):
        information = counted.information(gamma, slope)
        step, positive = _newton_step(information, slope, counted.size)
        if abs(slope @ step) < 1e-9 / counted.size:
            break
        gamma, value, slope, moved = _stepped(counted, gamma, value, slope, step)
        if not moved:
            break
    covariance = np.linalg.pinv(information * counted.size, hermitian=True)
    back = np.linalg.inv(transform)
    return Optimum(
        beta=transform @ gamma,
        value=-value * counted.size,
        information=back.T @ (information * counted.size) @ back,
        covariance=transform @ covariance @ transform.T,
        decrement=float(0.5 * slope @ step) * counted.size,
        positive=positive,
        evaluations=counted.evaluations,
    )


def climb(objective: Objective, start: Floats, transform: Floats, size: float) -> Optimum:
    """As ``maximise``, without curvature: for a profile, where only the height counts."""
    counted = _Counted(objective, transform, max(1.0, size))
    gamma = _climb(counted, np.asarray(np.linalg.solve(transform, start), dtype=np.float64))
    value, slope = counted(gamma)
    empty = np.full((len(gamma), len(gamma)), np.nan)
    flat = bool(np.abs(slope).max(initial=0.0) < 1e-4)
    return Optimum(
        transform @ gamma, -value * counted.size, empty, empty, 0.0, flat, counted.evaluations
    )


class _Counted:
    """What is made small: minus the log-likelihood by observation, of the scaled coefficients."""

    def __init__(self, objective: Objective, transform: Floats, size: float) -> None:
        self.objective = objective
        self.transform = transform
        self.size = size
        self.evaluations = 0

    def __call__(self, gamma: Floats) -> tuple[float, Floats]:
        self.evaluations += 1
        value, slope = self.objective(self.transform @ gamma)
        if not np.isfinite(value):
            return 1e10, np.zeros_like(gamma)
        return -value / self.size, -(self.transform.T @ slope) / self.size

    def information(self, gamma: Floats, slope: Floats) -> Floats:
        """Second derivatives by central differences of the gradient, in the fourth order."""
        step = 2e-3
        rows = []
        for k in range(len(gamma)):
            unit = np.zeros_like(gamma)
            unit[k] = step
            near = self(gamma + unit)[1] - self(gamma - unit)[1]
            far = self(gamma + 2 * unit)[1] - self(gamma - 2 * unit)[1]
            rows.append((8.0 * near - far) / (12.0 * step))
        table = np.array(rows)
        return (table + table.T) / 2.0


def _climb(counted: _Counted, gamma: Floats) -> Floats:
    for _ in range(3):
        found = minimize(
            counted, gamma, jac=True, method="BFGS", options={"gtol": 1e-5, "maxiter": 500}
        )
        better = bool(found.fun < counted(gamma)[0] - 1e-9)
        gamma = np.asarray(found.x)
        if found.success or not better:
            break
    return gamma


def _newton_step(information: Floats, slope: Floats, size: float) -> tuple[Floats, bool]:
    """A step downhill, along the steepest where the curvature is none.

    And whether there is curvature everywhere: a standard error beyond a hundred, on predictors
    of which one moves a logit or logarithm by one, is a coefficient nothing is known about.
    """
    values, vectors = np.linalg.eigh(information)
    smallest = max(1e-10 * float(np.abs(values).max()), 1e-4 / size)
    positive = bool(values.min() > smallest)
    safe = np.maximum(np.abs(values), smallest)
    return -vectors @ ((vectors.T @ slope) / safe), positive


def _stepped(
    counted: _Counted, gamma: Floats, value: float, slope: Floats, step: Floats
) -> tuple[Floats, float, Floats, bool]:
    """The step, halved until it is no worse."""
    share = min(1.0, 2.0 / float(np.abs(step).max()))
    for _ in range(25):
        tried = gamma + share * step
        there, slope_there = counted(tried)
        if there <= value + 1e-14 * abs(value):
            return tried, there, slope_there, there < value
        share /= 2.0
    return gamma, value, slope, False
