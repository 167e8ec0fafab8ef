"""What speaks against a fit of spatial capture-recapture: told, never mended in silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from scipy.spatial import KDTree

from ecotone.science.wildlife import estimates
from ecotone.science.wildlife.secr import SecrFit

#: Spatial recaptures below which sigma hangs on a few animals (SECR book, chapter 8).
FEW_RECAPTURES: Final = 20
#: Relative standard error of density above which a choice of models by AIC is erratic.
LARGE_ERROR: Final = 0.2
#: Buffer in sigmas beyond which a home range's centre is hardly ever detected.
_BUFFER: Final = {"HN": 4.0, "HHN": 4.0, "EX": 8.0, "HEX": 8.0, "HR": 10.0, "HHR": 10.0}
_STEEP: Final = 8.0


@dataclass(frozen=True)
class Warned:
    """A reason for caution: a code and what fills its sentence."""

    code: str
    params: Mapping[str, str] = field(default_factory=dict)


def warnings_of(fit: SecrFit) -> list[Warned]:
    """All reasons for caution about a fit, the gravest first."""
    return [*_search(fit), *_boundaries(fit), *_data(fit), *_masks(fit)]


def _search(fit: SecrFit) -> Iterator[Warned]:
    if not fit.optimum.positive:
        yield Warned("not-identified")
    elif not fit.converged:
        yield Warned("not-converged", {"gain": f"{abs(fit.optimum.decrement):.2g}"})


def _boundaries(fit: SecrFit) -> Iterator[Warned]:
    """Coefficients that ran to the end of their scale, or about which nothing is known."""
    bound = fit.likelihood
    for name, part in bound.parts.items():
        eta = bound.design(name) @ fit.beta[part]
        logit = name in ("pmix", "g0")
        beyond = logit and (eta.max() > _STEEP or eta.min() < -2 * _STEEP)
        if beyond or (name == "D" and np.ptp(eta) > 2 * _STEEP):
            yield Warned("boundary", {"name": name})
    if fit.optimum.positive:
        for name, se in zip(fit.names, fit.se.tolist(), strict=True):
            if se > _STEEP:
                yield Warned("unknown-coefficient", {"name": name, "se": f"{se:.1f}"})


def _data(fit: SecrFit) -> Iterator[Warned]:
    bound = fit.likelihood
    recaptures = sum(s.captures.spatial_recaptures for s in bound.sessions)
    if recaptures < FEW_RECAPTURES:
        yield Warned("few-recaptures", {"count": str(recaptures), "wanted": str(FEW_RECAPTURES)})
    if len(fit.beta) * 3 > bound.animals:
        params = {"coefficients": str(len(fit.beta)), "animals": str(bound.animals)}
        yield Warned("many-coefficients", params)
    if fit.optimum.positive and "D" in bound.parts:
        d = estimates.total_expected_number(fit)
        if d.se / d.value > LARGE_ERROR:
            yield Warned("large-error", {"rse": f"{100 * d.se / d.value:.0f}"})


def _masks(fit: SecrFit) -> Iterator[Warned]:
    """Masks too narrow or too coarse for the home ranges found."""
    bound = fit.likelihood
    for slots in bound.slots:
        session = slots.session
        sigma = bound.parameters(fit.beta, slots).sigma
        xy, traps = session.mask.xy, session.detectors.xy
        side = float(np.sqrt(session.mask.cell_area) * 100.0)
        gaps = np.concatenate([traps.min(0) - xy.min(0), xy.max(0) - traps.max(0)]) + side / 2.0
        buffer, wanted = float(gaps.min()), _BUFFER[bound.model.detection] * float(sigma.max())
        if buffer < wanted:
            params = {"session": session.name, "buffer": f"{buffer:.0f}", "wanted": f"{wanted:.0f}"}
            yield Warned("mask-narrow", params)
        if side > float(sigma.min()):
            params = {
                "session": session.name,
                "cell": f"{side:.0f}",
                "sigma": f"{sigma.min():.0f}",
            }
            yield Warned("mask-coarse", params)
        nearest = np.asarray(KDTree(xy).query(traps)[0])
        outside = int((nearest > 1.5 * side).sum())
        if outside:
            yield Warned("detector-off-mask", {"session": session.name, "count": str(outside)})
