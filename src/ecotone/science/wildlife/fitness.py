"""Whether data look as a fitted spatial capture-recapture model would have them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecotone.science.wildlife import secr_kernels as kernels
from ecotone.science.wildlife.formula import names_in
from ecotone.science.wildlife.secr import SecrFit
from ecotone.science.wildlife.secr_model import FORMS, Likelihood, Parameters
from ecotone.science.wildlife.simulate import draw
from ecotone.science.wildlife.slots import BEHAVIOURS, Slots, detection_frame
from ecotone.science.wildlife.survey import Floats


def goodness_of_fit(fit: SecrFit, replicates: int, rng: np.random.Generator) -> dict[str, float]:
    """Monte Carlo test of the detections of each animal and at each detector.

    Choo, Sutherland and Johnston (2024) doi:10.1111/2041-210X.14386: again and again coefficients
    are drawn from their distribution about the estimate and a centre for every detected animal
    from its own given its history; data are simulated, and both they and the data seen are held
    against their expectation by Freeman and Tukey's sum of (sqrt(observed) - sqrt(expected))^2.
    p is the share of draws in which the simulated data lie farther off.

    Args:
        fit: a converged fit without behaviour responses.
        replicates: draws.
        rng: source of chance.

    Returns:
        p for ``animals`` and ``detectors``; near 0 the model misses something.

    Raises:
        ValueError: the model has behaviour responses, or no maximum was found.
    """
    if not fit.converged:
        raise ValueError("goodness of fit: no maximum was found")
    used = {n for formula in fit.model.formulas.values() for n in names_in(formula)}
    if used & set(BEHAVIOURS):
        raise ValueError("goodness of fit: not for models with a response to detection")
    farther = {"animals": 0, "detectors": 0}
    for _ in range(replicates):
        beta = rng.multivariate_normal(fit.beta, fit.covariance)
        totals = {name: np.zeros(2) for name in farther}
        for slots in fit.likelihood.slots:
            for name, pair in _discrepancies(fit.likelihood, slots, beta, rng).items():
                totals[name] += pair
        for name, (simulated, observed) in totals.items():
            farther[name] += int(simulated >= observed)
    return {name: count / replicates for name, count in farther.items()}


def _discrepancies(
    bound: Likelihood, slots: Slots, beta: Floats, rng: np.random.Generator
) -> dict[str, Floats]:
    """Freeman-Tukey statistics of simulated and seen data, by margin."""
    session = slots.session
    c = session.captures
    values = bound.parameters(beta, slots)
    cell, cls = _centres(bound, slots, values, rng)
    rate = _rates(bound, slots, values, cell, cls)
    expected = _expected(session.kind, rate, session.size)
    # Only animals that were detected are in the data: an expectation given that.
    seen_at_all = -np.expm1(-(rate * (session.size or 1)).sum(axis=(1, 2)))
    expected = expected / np.maximum(seen_at_all, 1e-12)[:, None, None]
    observed = np.zeros(rate.shape)
    np.add.at(observed, (c.animal, c.occasion, c.detector), c.count)
    simulated = _seen_only(session.kind, rate, session.size, rng)
    return {
        name: np.array(
            [
                _freeman_tukey(d.sum(axis=axes), expected.sum(axis=axes))
                for d in (simulated, observed)
            ]
        )
        for name, axes in (("animals", (1, 2)), ("detectors", (0, 1)))
    }


def _freeman_tukey(observed: Floats, expected: Floats) -> float:
    return float(((np.sqrt(observed) - np.sqrt(expected)) ** 2).sum())


def _seen_only(kind: str, rate: Floats, size: int, rng: np.random.Generator) -> Floats:
    """Detections of animals that were detected: those drawn without any are drawn again."""
    found = draw(kind, rate, rng, size).astype(np.float64)  # type: ignore[arg-type]  # a kind
    for _ in range(1000):
        again = np.flatnonzero(found.sum(axis=(1, 2)) == 0)
        if len(again) == 0:
            break
        found[again] = draw(kind, rate[again], rng, size)  # type: ignore[arg-type]  # a kind
    return found


def _expected(kind: str, rate: Floats, size: int) -> Floats:
    if kind == "count" and not size:
        return rate
    if kind != "multi":
        chance: Floats = (size or 1) * -np.expm1(-rate)
        return chance
    total = rate.sum(axis=2, keepdims=True)
    shared: Floats = rate / np.maximum(total, 1e-300) * -np.expm1(-total)
    return shared


def _slot_of(bound: Likelihood, slots: Slots) -> NDArray[np.int64]:
    """(occasions or 1, detectors) slot of a detector on an occasion."""
    used = {n for f in bound.model.formulas.values() for n in names_in(f)}
    classes = bound.model.classes or ("",)
    _, shape, _ = detection_frame(slots.session, bound.sessions, used, classes)
    found: NDArray[np.int64] = slots.slot_of.reshape(shape[1:])[0]
    return found


def _rates(
    bound: Likelihood,
    slots: Slots,
    values: Parameters,
    cell: NDArray[np.int64],
    cls: NDArray[np.int64],
) -> Floats:
    """(animals, occasions, detectors) hazards of the detected animals at drawn centres."""
    form, hazard = FORMS[bound.model.detection]
    centres = np.ascontiguousarray(slots.session.mask.xy[cell])
    usage = slots.session.detectors.usage.T
    slot_of = np.broadcast_to(_slot_of(bound, slots), usage.shape)
    by_slot = np.empty((len(values.share), len(slots.xy), len(centres)))
    for k in range(len(values.share)):
        shape = np.empty((len(slots.xy), len(centres)))
        kernels.shapes(
            slots.xy, centres, form, values.sigma[k], values.z[k], shape, np.empty_like(shape)
        )
        kernels.hazards(shape, hazard, values.top[k], by_slot[k])
    own = by_slot[cls, :, np.arange(len(centres))]
    rates: Floats = own[:, slot_of] * usage[None]
    last = slots.session.captures.removed_after
    if last is not None:
        gone = (last[:, None] >= 0) & (np.arange(usage.shape[0])[None] > last[:, None])
        rates = np.where(gone[:, :, None], 0.0, rates)
    return rates


def _centres(
    bound: Likelihood, slots: Slots, values: Parameters, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A cell and a class for each detected animal, drawn given its history."""
    session = slots.session
    c = session.captures
    cells = len(session.mask.xy)
    every = np.arange(cells)
    weight = np.log(values.density)
    logs = np.empty((len(values.share), c.animals, cells))
    for k, share in enumerate(values.share):
        rate = _rates_of_cells(bound, slots, values, k)
        total = np.tensordot(rate * (session.size or 1), np.ones(rate.shape[:2]), ((0, 1), (0, 1)))
        history = np.zeros((c.animals, cells))
        at = rate[c.occasion, c.detector]
        if session.kind == "count" and not session.size:
            term = c.count[:, None] * np.log(np.maximum(at, 1e-300))
        elif session.kind == "multi":
            sum_at = rate.sum(axis=1)[c.occasion]
            term = np.log(np.maximum(at, 1e-300)) + np.log(np.expm1(sum_at) / sum_at)
        else:
            term = c.count[:, None] * np.log(np.maximum(np.expm1(at), 1e-300))
        np.add.at(history, c.animal, term)
        logs[k] = history - total + weight + np.log(share)
        if slots.classes == 2:
            known = slots.known_class
            logs[k][(known >= 0) & (known != k)] = -np.inf
    flat = logs.transpose(1, 0, 2).reshape(c.animals, -1)
    gumbel = rng.gumbel(size=flat.shape)
    chosen = (flat + gumbel).argmax(axis=1)
    return every[chosen % cells], chosen // cells


def _rates_of_cells(bound: Likelihood, slots: Slots, values: Parameters, cls: int) -> Floats:
    """(occasions, detectors, cells) hazards of one class."""
    form, hazard = FORMS[bound.model.detection]
    cells = np.ascontiguousarray(slots.session.mask.xy)
    shape = np.empty((len(slots.xy), len(cells)))
    kernels.shapes(
        slots.xy, cells, form, values.sigma[cls], values.z[cls], shape, np.empty_like(shape)
    )
    h = np.empty_like(shape)
    kernels.hazards(shape, hazard, values.top[cls], h)
    usage = slots.session.detectors.usage.T
    rates: Floats = h[np.broadcast_to(_slot_of(bound, slots), usage.shape)] * usage[:, :, None]
    return rates
