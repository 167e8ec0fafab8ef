"""A spatial capture-recapture model: formulas and sessions to a log-likelihood and gradient.

Borchers and Efford (2008) doi:10.1111/j.1541-0420.2007.00927.x; Efford, Borchers and Byrom
(2009) doi:10.1007/978-0-387-78151-8_11. With cells s of area a, density D(s) and p(s) the
chance of being detected at all,

    logL = -Lambda + sum_i log sum_s a D(s) Pr(h_i | s) - sum_groups log n_g!,
    Lambda = sum_s a D(s) p(s),

the last sum over groups of n_g animals with identical histories. Given the n detected, the
conditional likelihood is log n! + sum_i log (sum_s D(s) Pr(h_i | s) / sum_s D(s) p(s)) less
the same sum over groups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, expit, gammaln

from ecotone.science.wildlife import secr_kernels as kernels
from ecotone.science.wildlife.slots import Slots, bind_all, build
from ecotone.science.wildlife.survey import Counts, Floats, Session

DetectionFunction = Literal["HN", "EX", "HR", "HHN", "HEX", "HHR"]
Number = Literal["poisson", "binomial", "conditional"]

#: Gives results of a function of tasks in their order, as ``map`` does.
Mapper = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]

#: Shape and whether the hazard (else the probability) has it.
FORMS: Final[dict[str, tuple[int, bool]]] = {
    "HN": (kernels.HALF_NORMAL, False),
    "EX": (kernels.EXPONENTIAL, False),
    "HR": (kernels.HAZARD_RATE, False),
    "HHN": (kernels.HALF_NORMAL, True),
    "HEX": (kernels.EXPONENTIAL, True),
    "HHR": (kernels.HAZARD_RATE, True),
}
_NUMBERS: Final = {
    "poisson": kernels.POISSON,
    "conditional": kernels.CONDITIONAL,
    "binomial": kernels.BINOMIAL,
}
#: Linear predictors beyond this are no likelihood: exp of them overflows on the way.
_FARTHEST: Final = 40.0


@dataclass(frozen=True)
class Model:
    """What is estimated.

    Attributes:
        detection: function of distance d with scale sigma (metres): HN g0 exp(-d2/2sigma2),
            EX g0 exp(-d/sigma), HR g0 (1 - exp(-(d/sigma)^-z)); HHN, HEX, HHR the same shapes
            of a hazard lambda0, p = 1 - exp(-hazard).
        density: formula on columns of the mask (``x``, ``y`` scaled), ``session``, ``Session``.
        top: formula of g0 or lambda0 on columns of detectors, occasions and sessions, ``t``,
            ``T``, ``b``, ``bk``, ``B``, ``Bk``, ``h2``, ``session``, ``Session``.
        sigma: formula, on the same.
        z: formula, on the same; of use with HR and HHR only.
        share: formula of the share of the second class, on columns of sessions.
        classes: names of the classes, none or two.
        number: how the number of animals in the mask is distributed; ``conditional`` leaves
            density out and speaks of the detected animals only.
    """

    detection: DetectionFunction = "HN"
    density: str = "~1"
    top: str = "~1"
    sigma: str = "~1"
    z: str = "~1"
    share: str = "~1"
    classes: tuple[str, ...] = ()
    number: Number = "poisson"

    def __post_init__(self) -> None:
        if self.detection not in FORMS:
            raise ValueError(f"no detection function {self.detection}; {', '.join(FORMS)}")
        if self.number not in _NUMBERS:
            raise ValueError(f"no distribution {self.number}; {', '.join(_NUMBERS)}")
        if len(self.classes) not in (0, 2):
            raise ValueError("a mixture has two classes")

    @property
    def top_name(self) -> str:
        """``lambda0`` where the hazard has the shape, else ``g0``."""
        return "lambda0" if FORMS[self.detection][1] else "g0"

    @property
    def formulas(self) -> dict[str, str]:
        """Formulas of the detection parameters this model has."""
        chosen = {self.top_name: self.top, "sigma": self.sigma}
        if self.detection in ("HR", "HHR"):
            chosen["z"] = self.z
        return chosen


@dataclass(frozen=True)
class Evaluation:
    """The likelihood at one point, session by session, with what the kernel tells besides.

    Attributes:
        value: log-likelihood.
        gradient: by coefficient; empty where it was not asked for.
        expected: Lambda of each session, animals.
        p_detected: (cells,) of each session.
        per_animal: log of each animal's sum over cells, of each session.
        posterior: (classes, animals) chance of each class, of each session.
    """

    value: float
    gradient: Floats
    expected: tuple[float, ...]
    p_detected: tuple[Floats, ...]
    per_animal: tuple[Floats, ...]
    posterior: tuple[Floats, ...]


@dataclass(frozen=True)
class _Part:
    value: float
    gradient: Floats
    expected: float
    p_detected: Floats
    per_animal: Floats
    posterior: Floats


@dataclass(frozen=True)
class Parameters:
    """One session's parameters on their natural scales, from the coefficients.

    Attributes:
        density: (cells,) animals per hectare.
        top: (classes, slots) g0 or lambda0.
        sigma: (classes, slots) metres.
        z: (classes, slots).
        share: (classes,).
    """

    density: Floats
    top: Floats
    sigma: Floats
    z: Floats
    share: Floats


@dataclass(frozen=True)
class Likelihood:
    """A model on its sessions.

    Attributes:
        model: what is estimated.
        sessions: what it is estimated from.
        slots: their arrays.
        names: of the coefficients: ``D``, ``g0.bk``, ``sigma.h2[M]``, ``pmix`` ...
        parts: positions of each parameter's coefficients.
        mapper: how sessions are worked on: ``map``, or that of a pool or cluster.
    """

    model: Model
    sessions: tuple[Session, ...]
    slots: tuple[Slots, ...]
    names: tuple[str, ...]
    parts: Mapping[str, slice]
    mapper: Mapper = map

    @property
    def animals(self) -> int:
        """Animals detected in all sessions."""
        return sum(s.captures.animals for s in self.sessions)

    def design(self, parameter: str) -> Floats:
        """All rows of a parameter's design, of all sessions."""
        if parameter == "D":
            return np.concatenate([s.density for s in self.slots])
        if parameter == "pmix":
            return np.stack([s.share for s in self.slots])
        stacked = [s.designs[parameter] for s in self.slots]
        return np.concatenate([d.reshape(-1, d.shape[-1]) for d in stacked])

    def parameters(self, beta: Floats, slots: Slots) -> Parameters:
        """One session's parameters on their natural scales."""
        return _Terms(self.model, self.parts).parameters(beta, slots)

    def evaluate(self, beta: Floats, *, gradient: bool = True) -> Evaluation:
        """Log-likelihood and gradient; -inf where a coefficient is out of all bounds."""
        beta = np.asarray(beta, dtype=np.float64)
        terms = _Terms(self.model, self.parts)
        tasks = [(terms, slots, beta, gradient) for slots in self.slots]
        parts: list[_Part] = list((self.mapper if len(tasks) > 1 else map)(_one_session, tasks))
        return Evaluation(
            value=float(sum(p.value for p in parts)),
            gradient=np.sum([p.gradient for p in parts], axis=0),
            expected=tuple(p.expected for p in parts),
            p_detected=tuple(p.p_detected for p in parts),
            per_animal=tuple(p.per_animal for p in parts),
            posterior=tuple(p.posterior for p in parts),
        )


@dataclass(frozen=True)
class _Terms:
    """A model and the places of its coefficients: all that a session's worker must know."""

    model: Model
    parts: Mapping[str, slice]

    def parameters(self, beta: Floats, slots: Slots) -> Parameters:
        """One session's parameters on their natural scales."""
        model = self.model
        eta = {name: slots.designs[name] @ beta[self.parts[name]] for name in model.formulas}
        top = eta[model.top_name]
        hazard = FORMS[model.detection][1]
        second = expit(slots.share @ beta[self.parts["pmix"]]) if slots.classes == 2 else np.nan
        return Parameters(
            density=np.exp(slots.density @ beta[self.parts["D"]])
            if "D" in self.parts
            else np.exp(slots.density[:, 0] * 0.0),
            top=np.exp(top) if hazard else expit(top),
            sigma=np.exp(eta["sigma"]),
            z=np.exp(eta["z"]) if "z" in eta else np.ones_like(top),
            share=np.array([1.0 - second, second]) if slots.classes == 2 else np.ones(1),
        )

    def _predictors(self, beta: Floats, slots: Slots) -> Iterator[Floats]:
        for name in self.model.formulas:
            yield slots.designs[name] @ beta[self.parts[name]]
        if "D" in self.parts:
            yield slots.density @ beta[self.parts["D"]]

    def session(self, beta: Floats, slots: Slots, gradient: bool) -> _Part:
        """Log-likelihood and gradient of one session."""
        cells, animals = len(slots.density), slots.session.captures.animals
        far = any(np.abs(eta).max(initial=0.0) > _FARTHEST for eta in self._predictors(beta, slots))
        if far or not np.isfinite(beta).all():
            nothing = np.full(animals, -np.inf)
            return _Part(
                -np.inf, np.zeros(len(beta)), np.nan, np.zeros(cells), nothing,
                np.zeros((slots.classes, animals)),
            )  # fmt: skip
        values = self.parameters(beta, slots)
        area = slots.session.mask.cell_area
        by_parameter = np.zeros((*values.top.shape, 3))
        by_density, p_detected = np.zeros(cells), np.zeros(cells)
        by_share = np.zeros(slots.classes)
        per_animal = np.zeros(animals)
        posterior = np.zeros((slots.classes, animals))
        form, hazard = FORMS[self.model.detection]
        expected = kernels.session(
            slots.xy,
            slots.session.mask.xy,
            np.log(area * values.density),
            form,
            hazard,
            slots.kind,
            _NUMBERS[self.model.number],
            values.top,
            values.sigma,
            values.z,
            values.share,
            slots.base,
            _whole(slots.more.indptr),
            _whole(slots.more.indices),
            slots.more.data,
            _whole(slots.exposure),
            _whole(slots.known_class),
            _whole(slots.pointer),
            _whole(slots.term),
            slots.count,
            slots.term_slot,
            slots.term_effort,
            _whole(slots.rival_pointer),
            _whole(slots.rival),
            _whole(slots.rivals.indptr),
            _whole(slots.rivals.indices),
            slots.rivals.data,
            gradient,
            by_parameter,
            by_density,
            by_share,
            per_animal,
            p_detected,
            posterior,
        )
        inhabitants = area * float(values.density.sum())
        value, by_inhabitants = _of_number(self.model.number, animals, expected, inhabitants)
        value += float(per_animal.sum()) + slots.constant
        slope = np.zeros(len(beta))
        if gradient:
            by_density += by_inhabitants * area * values.density
            self._chain(slope, slots, values, by_parameter, by_density, by_share)
        if not np.isfinite(value):
            value = -np.inf
        return _Part(value, slope, expected, p_detected, per_animal, posterior)

    def _chain(
        self,
        slope: Floats,
        slots: Slots,
        values: Parameters,
        by_parameter: Floats,
        by_density: Floats,
        by_share: Floats,
    ) -> None:
        """From the derivatives by log parameter to those by coefficient."""
        model = self.model
        if not FORMS[model.detection][1]:
            by_parameter[:, :, 0] *= 1.0 - values.top
        for k, name in enumerate(model.formulas):
            slope[self.parts[name]] = np.tensordot(by_parameter[:, :, k], slots.designs[name], 2)
        if "D" in self.parts:
            slope[self.parts["D"]] = by_density @ slots.density
        if slots.classes == 2:
            turn = values.share[0] * values.share[1] * (by_share[1] - by_share[0])
            slope[self.parts["pmix"]] = turn * slots.share


def _one_session(task: tuple[_Terms, Slots, Floats, bool]) -> _Part:
    """One session's part, wherever it is worked on."""
    terms, slots, beta, gradient = task
    return terms.session(beta, slots, gradient)


def _whole(values: NDArray[np.integer]) -> Counts:
    return np.ascontiguousarray(values, dtype=np.int64)


def _of_number(
    number: Number, animals: int, expected: float, inhabitants: float
) -> tuple[float, float]:
    """The part of the log-likelihood that n brings, and its derivative by inhabitants."""
    if number == "poisson":
        return -expected, 0.0
    if number == "conditional":
        return float(gammaln(animals + 1.0)) - animals * float(np.log(expected)), 0.0
    rest = inhabitants - animals
    if rest <= 0 or expected >= inhabitants:
        return -np.inf, 0.0
    missed = float(np.log1p(-expected / inhabitants))
    value = gammaln(inhabitants + 1.0) - gammaln(rest + 1.0)
    value += rest * missed - animals * np.log(inhabitants)
    slope = digamma(inhabitants + 1.0) - digamma(rest + 1.0) + missed
    slope += rest * expected / (inhabitants * (inhabitants - expected)) - animals / inhabitants
    return float(value), float(slope)


def likelihood(
    sessions: Sequence[Session], model: Model | None = None, *, mapper: Mapper = map
) -> Likelihood:
    """A model bound to its sessions.

    Args:
        sessions: independent sessions; formulas share their coefficients.
        model: what is estimated; half-normal and constant where left out.
        mapper: how sessions are worked on: ``map``, or that of a pool or cluster.

    Raises:
        FormulaError: a formula cannot be read or names a column that is not there.
        ValueError: coefficients that the data cannot tell apart, or no animals.
    """
    model = model or Model()
    chosen = tuple(sessions)
    if sum(s.captures.animals for s in chosen) == 0:
        raise ValueError("no animal was detected")
    classes = model.classes or ("",)
    designs, density, share = bind_all(chosen, model.formulas, model.density, model.share, classes)
    slots = tuple(build(s, chosen, designs, density, share, classes) for s in chosen)
    named = {} if model.number == "conditional" else {"D": density.names}
    named |= {name: design.names for name, design in designs.items()}
    if share is not None:
        named["pmix"] = share.names
    names: list[str] = []
    parts: dict[str, slice] = {}
    for parameter, terms in named.items():
        parts[parameter] = slice(len(names), len(names) + len(terms))
        names += [parameter if t == "intercept" else f"{parameter}.{t}" for t in terms]
    bound = Likelihood(model, chosen, slots, tuple(names), parts, mapper)
    for parameter in parts:
        matrix = bound.design(parameter)
        if not np.isfinite(matrix).all():
            raise ValueError(f"{parameter}: a covariate is missing or no number")
        if np.linalg.matrix_rank(matrix) < matrix.shape[1]:
            raise ValueError(f"{parameter}: coefficients cannot be told apart: {named[parameter]}")
    return bound
