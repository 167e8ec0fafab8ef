"""Fit spatial capture-recapture: density of animals told apart by coat or genotype.

>>> import numpy as np
>>> from ecotone.science.wildlife import Captures, Detectors, Mask, Session, fit
>>> line = np.array([[0.0, 0.0], [100.0, 0.0], [200.0, 0.0]])
>>> grid = np.stack(np.meshgrid(np.arange(-400, 601, 50.0), np.arange(-400, 401, 50.0)), -1)
>>> seen = Captures(4, *(np.array(c) for c in (
...     [0, 0, 0, 1, 1, 2, 3, 3], [0, 1, 2, 0, 2, 1, 1, 2],
...     [0, 1, 0, 1, 2, 2, 0, 0], [1, 1, 1, 1, 1, 1, 1, 1])))
>>> session = Session("proximity", Detectors(line, np.ones((3, 3))), Mask(
...     grid.reshape(-1, 2), 0.25), seen)
>>> result = fit([session])
>>> result.converged, round(result.value, 3)
(True, -15.989)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import logit

from ecotone.science.wildlife import secr_kernels as kernels
from ecotone.science.wildlife.optimum import Optimum, maximise, whitening
from ecotone.science.wildlife.secr_model import (
    FORMS,
    Evaluation,
    Likelihood,
    Mapper,
    Model,
    likelihood,
)
from ecotone.science.wildlife.survey import Floats, Session, pooled_spread

#: Scale of each function relative to the half-normal's that spreads detections as wide.
_RELATIVE: Final = {"HN": 1.0, "HHN": 1.0, "EX": 0.6, "HEX": 0.6, "HR": 0.8, "HHR": 0.8}
_Z: Final = 4.0


@dataclass(frozen=True)
class SecrFit:
    """A fitted model.

    Attributes:
        likelihood: the model on its sessions.
        optimum: coefficients, information and how the search went.
    """

    likelihood: Likelihood
    optimum: Optimum

    @property
    def model(self) -> Model:
        """What was estimated."""
        return self.likelihood.model

    @property
    def value(self) -> float:
        """Log-likelihood."""
        return self.optimum.value

    @property
    def beta(self) -> Floats:
        """Coefficients, on their links: log D, logit g0, log lambda0, log sigma, logit pmix."""
        return self.optimum.beta

    @property
    def covariance(self) -> Floats:
        """Of the coefficients."""
        return self.optimum.covariance

    @property
    def se(self) -> Floats:
        """Standard errors of the coefficients; NaN where the information is singular."""
        if not self.optimum.positive:
            return np.full(len(self.beta), np.nan)
        variances: Floats = np.sqrt(np.diag(self.covariance))
        return variances

    @property
    def names(self) -> tuple[str, ...]:
        """Of the coefficients."""
        return self.likelihood.names

    @property
    def converged(self) -> bool:
        """Whether a maximum was found."""
        return self.optimum.converged

    @property
    def aic(self) -> float:
        """Akaike's information criterion."""
        return -2.0 * self.value + 2.0 * len(self.beta)

    @property
    def aicc(self) -> float:
        """AIC for small samples, the sample being the animals; infinite where too few."""
        n, p = self.likelihood.animals, len(self.beta)
        return self.aic + 2.0 * p * (p + 1) / (n - p - 1) if n > p + 1 else float("inf")

    def evaluate(self) -> Evaluation:
        """The likelihood at the estimate, with what it tells besides."""
        return self.likelihood.evaluate(self.beta)

    def coefficients(self) -> Mapping[str, float]:
        """By name."""
        return dict(zip(self.names, self.beta.tolist(), strict=True))


def fit(
    sessions: Sequence[Session],
    model: Model | None = None,
    *,
    start: Floats | None = None,
    mapper: Mapper = map,
) -> SecrFit:
    """Maximum likelihood.

    Args:
        sessions: independent sessions, whose coefficients are shared as the formulas say.
        model: what is estimated; half-normal and constant where left out.
        start: coefficients to start from; found from the data where left out.
        mapper: how sessions are worked on: ``map``, or that of a pool or cluster.

    Returns:
        The fit; ask ``converged`` whether a maximum was found.

    Raises:
        FormulaError: a formula cannot be read or names a column that is not there.
        ValueError: coefficients that the data cannot tell apart, or no animals.
    """
    bound = likelihood(sessions, model, mapper=mapper)
    return SecrFit(bound, _search(bound, start))


def _search(bound: Likelihood, start: Floats | None) -> Optimum:
    """The highest summit found from the start given, our own, and others where there may be."""
    transform = whitening([bound.design(name) for name in bound.parts])

    def objective(beta: Floats) -> tuple[float, Floats]:
        found = bound.evaluate(beta)
        return found.value, found.gradient

    first = start_values(bound)
    given = [] if start is None else [np.asarray(start, dtype=np.float64)]
    summits = _other_starts(bound, first)
    spare = [_moved(bound, first, "sigma", np.log(factor)) for factor in (0.5, 2.0)]
    best: Optimum | None = None
    for k, begin in enumerate([*given, first, *summits, *spare]):
        must = k < len(given) + 1 + len(summits) and bool(summits)
        if best is not None and best.converged and not must:
            break
        if not np.isfinite(objective(begin)[0]):
            continue
        found = maximise(objective, begin, transform, bound.animals)
        if best is None or _better(found, best):
            best = found
    if best is None:
        raise ValueError("the likelihood is nought wherever the search could start")
    if "z" in bound.parts:
        for factor in (0.4, 2.5):
            begin = _moved(bound, best.beta, "sigma", np.log(factor))
            begin = _moved(bound, begin, bound.model.top_name, -np.log(factor))
            if np.isfinite(objective(begin)[0]):
                found = maximise(objective, begin, transform, bound.animals)
                best = found if _better(found, best) else best
    return best


def start_values(bound: Likelihood) -> Floats:
    """Coefficients near which to search, from the spread and the number of detections."""
    model = bound.model
    spreads = [pooled_spread(s) for s in bound.sessions]
    weights = [max(0, s.captures.recaptures) for s in bound.sessions]
    known = [(x, w) for x, w in zip(spreads, weights, strict=True) if np.isfinite(x) and x > 0]
    width = _widths(bound.sessions)
    sigma = (
        float(np.sqrt(np.average([x * x for x, _ in known], weights=[w for _, w in known])))
        if known
        else width / 10.0
    )
    sigma = float(np.clip(sigma * _RELATIVE[model.detection], width * 1e-3, width))
    top, density = _effort_and_density(bound, sigma)
    hazard = FORMS[model.detection][1]
    centre = {
        "D": np.log(density),
        model.top_name: np.log(top) if hazard else logit(np.clip(top, 1e-6, 0.95)),
        "sigma": np.log(sigma),
        "z": np.log(_Z),
        "pmix": logit(_second_share(bound)),
    }
    beta = np.zeros(len(bound.names))
    for name, part in bound.parts.items():
        design = bound.design(name)
        aim = np.full(len(design), centre[name])
        beta[part] = np.linalg.lstsq(design, aim, rcond=None)[0]
    if model.classes and all(s.known_class is None for s in bound.sessions):
        # Two classes that start alike stay alike: the gradient between them is nought.
        for k, name in enumerate(bound.names):
            beta[k] += 0.5 if name.endswith(f"h2[{model.classes[1]}]") else 0.0
    return beta


def _widths(sessions: Sequence[Session]) -> float:
    return float(max(np.ptp(s.mask.xy, axis=0).max() for s in sessions)) or 1.0


def _better(found: Optimum, best: Optimum) -> bool:
    """Higher; or as high, and a maximum where the other is none."""
    same = abs(found.value - best.value) < 1e-7
    return found.converged > best.converged if same else found.value > best.value


def _other_starts(bound: Likelihood, first: Floats) -> list[Floats]:
    """Starts that must be tried because the likelihood may have several summits.

    The hazard-rate shape can follow few data by a steep shoulder or by a long tail, and classes
    nobody knows can part in more ways than one.
    """
    found = []
    if "z" in bound.parts:
        for steepness, width in ((2.0, 0.7), (10.0, 1.5)):
            begin = _moved(bound, first, "z", np.log(steepness / _Z))
            found.append(_moved(bound, begin, "sigma", np.log(width)))
    unknown = all(s.known_class is None for s in bound.sessions)
    if bound.model.classes and unknown:
        for sign in (-1.0, 3.0):
            begin = first.copy()
            for k, name in enumerate(bound.names):
                begin[k] *= sign if name.endswith(f"h2[{bound.model.classes[1]}]") else 1.0
            found.append(begin)
    return found


def _moved(bound: Likelihood, beta: Floats, name: str, by: float) -> Floats:
    """The same with one parameter's predictors shifted."""
    other = beta.copy()
    part = bound.parts[name]
    design = bound.design(name)
    other[part] = np.linalg.lstsq(design, design @ beta[part] + by, rcond=None)[0]
    return other


def _second_share(bound: Likelihood) -> float:
    known = [s.known_class for s in bound.sessions if s.known_class is not None]
    classes = np.concatenate(known) if known else np.empty(0, dtype=np.int64)
    return float((np.sum(classes == 1) + 1.0) / (np.sum(classes >= 0) + 2.0))


def _effort_and_density(bound: Likelihood, sigma: float) -> tuple[float, float]:
    """g0 or lambda0 that gives as many detections by animal as seen, and n over esa."""
    form, hazard = FORMS[bound.model.detection]
    grid = np.geomspace(1e-5, 3.0 if hazard else 0.95, 40)
    detected, animals = np.zeros(len(grid)), np.zeros(len(grid))
    for session in bound.sessions:
        effort = session.detectors.usage.sum(axis=1) * (session.size or 1)
        # Some thousand cells tell enough.
        every = max(1, len(session.mask.xy) // 2000)
        cells = np.ascontiguousarray(session.mask.xy[::every])
        shape = np.empty((len(effort), len(cells)))
        scale = np.full(len(effort), sigma)
        kernels.shapes(
            session.detectors.xy, cells, form, scale, np.full(len(effort), _Z), shape,
            np.empty_like(shape),
        )  # fmt: skip
        occasions = session.detectors.occasions
        area = session.mask.area / len(cells)
        for k, top in enumerate(grid):
            rate = top * shape if hazard else -np.log1p(-top * shape)
            total = effort @ rate
            animals[k] += area * -np.expm1(-total).sum()
            if session.kind == "multi":
                detected[k] += area * occasions * -np.expm1(-total / occasions).sum()
            elif session.kind == "count" and not session.size:
                detected[k] += area * total.sum()
            else:
                each = effort / occasions
                detected[k] += area * occasions * -np.expm1(-each[:, None] * rate).sum()
    wanted = sum(s.captures.detections for s in bound.sessions) / bound.animals
    ratio = detected / np.maximum(animals, 1e-300)
    top = float(np.exp(np.interp(wanted, ratio, np.log(grid))))
    esa = float(np.interp(np.log(top), np.log(grid), animals))
    return top, max(bound.animals, 1) / max(esa, 1e-12)
