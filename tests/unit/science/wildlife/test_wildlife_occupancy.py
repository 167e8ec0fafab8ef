"""Occupancy: the likelihood written out, planted truth, what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import expit

from ecotone.science.wildlife.occupancy import (
    boundary_coefficients,
    chi_square,
    fit_occupancy,
    goodness_of_fit,
)


def planted(seed: int = 1, sites: int = 300, psi: float = 0.4, slope: float = 1.0):
    rng = np.random.default_rng(seed)
    cover = rng.normal(size=sites)
    occupied = rng.random(sites) < expit(np.log(psi / (1 - psi)) + slope * cover)
    site = np.repeat(np.arange(sites), rng.integers(1, 8, sites))
    effort = rng.normal(size=len(site))
    seen = occupied[site] & (rng.random(len(site)) < expit(-0.5 + 0.8 * effort))
    psi_design = np.column_stack([np.ones(sites), cover])
    p_design = np.column_stack([np.ones(len(site)), effort])
    return site, seen, psi_design, p_design


def test_truth_and_likelihood() -> None:
    site, seen, psi_design, p_design = planted()
    f = fit_occupancy(site, seen, psi_design, p_design)
    assert f.converged
    truth = np.array([math.log(0.4 / 0.6), 1.0, -0.5, 0.8])
    assert (np.abs(f.beta - truth) < 3.5 * f.se).all()
    value = 0.0
    for i in range(len(psi_design)):
        psi = expit(psi_design[i] @ f.beta[:2])
        mine = site == i
        p = expit(p_design[mine] @ f.beta[2:])
        here = psi * np.prod(np.where(seen[mine], p, 1 - p))
        value += math.log(here + (1 - psi) * (not seen[mine].any()))
    assert f.value == pytest.approx(value)
    assert f.aic == pytest.approx(8 - 2 * value)
    given = f.given_histories()
    detected = np.bincount(site, seen, len(psi_design)) > 0
    assert (given[detected] == 1.0).all()
    assert (given[~detected] < 1.0).all()


def test_prediction() -> None:
    site, seen, psi_design, p_design = planted()
    f = fit_occupancy(site, seen, psi_design, p_design)
    psi, se, low, high = f.predict(psi_design[:5])
    assert ((low < psi) & (psi < high)).all()
    assert (se > 0).all()
    mean, se, low, high = f.mean_psi(psi_design)
    assert mean == pytest.approx(expit(psi_design @ f.beta[:2]).mean())
    assert low < mean < high
    one = f.mean_psi(psi_design[:1])
    assert one[:2] == pytest.approx([f.predict(psi_design[:1])[k][0] for k in (0, 1)])


def test_scale_of_covariates_does_not_matter() -> None:
    site, seen, psi_design, p_design = planted()
    f = fit_occupancy(site, seen, psi_design, p_design)
    far = psi_design.copy()
    far[:, 1] = far[:, 1] * 1e5 + 3e6
    moved = fit_occupancy(site, seen, far, p_design, start=np.zeros(4))
    assert moved.value == pytest.approx(f.value, abs=1e-7)
    assert moved.beta[1] == pytest.approx(f.beta[1] / 1e5, rel=1e-4)


def test_always_seen_at_the_same_sites() -> None:
    """p runs to one: told by a coefficient far out that nobody knows."""
    site = np.repeat(np.arange(20), 3)
    seen = site < 8
    f = fit_occupancy(site, seen, np.ones((20, 1)), np.ones((60, 1)))
    assert expit(f.beta[0]) == pytest.approx(0.4, abs=1e-3)
    assert boundary_coefficients(f) == [1]
    assert f.mean_psi(np.array([[100.0]]))[0] == pytest.approx(0.0, abs=1e-6)


def test_edges_of_the_mean() -> None:
    site, seen, psi_design, p_design = planted()
    f = fit_occupancy(site, seen, psi_design, p_design)
    assert np.isnan(f.mean_psi(np.array([[1e4, 0.0]]))[2:]).all()


def test_fit_is_judged() -> None:
    site, seen, psi_design, p_design = planted(sites=150)
    f = fit_occupancy(site, seen, psi_design, p_design)
    observed, p, c_hat = goodness_of_fit(f, 15, np.random.default_rng(1))
    assert observed == pytest.approx(chi_square(f))
    assert p > 0.05
    assert 0.1 < c_hat < 4.0
    assert np.isnan(goodness_of_fit(f, 0, np.random.default_rng(1))[2])


def test_a_poor_model_is_seen() -> None:
    """Visits at some sites detect almost surely, at others hardly: one p does not do."""
    rng = np.random.default_rng(3)
    site = np.repeat(np.arange(200), 8)
    p = np.where(np.arange(200) % 2, 0.95, 0.08)
    seen = rng.random(len(site)) < p[site]
    f = fit_occupancy(site, seen, np.ones((200, 1)), np.ones((len(site), 1)))
    _, chance, c_hat = goodness_of_fit(f, 19, rng)
    assert chance == pytest.approx(0.05)
    assert c_hat > 3.0


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"seen": np.zeros(4)}, "never detected"),
        ({"site": np.array([0, 0, 1, 9])}, "unknown site"),
        ({"site": np.array([0, 0, 1])}, "one site, one outcome"),
        ({"psi": np.ones((2, 2))}, "psi: coefficients"),
        ({"p": np.full((4, 1), np.nan)}, "p: a covariate"),
    ],
)
def test_refused(change, why: str) -> None:
    given = {"site": np.array([0, 0, 1, 1]), "seen": np.array([1, 0, 0, 0])}
    given |= {"psi": np.ones((2, 1)), "p": np.ones((4, 1))} | change
    with pytest.raises(ValueError, match=why):
        fit_occupancy(*given.values())


def test_a_ridge() -> None:
    """One visit a site: psi and p cannot be told apart, and no error is claimed."""
    site = np.arange(10)
    f = fit_occupancy(site, site < 4, np.ones((10, 1)), np.ones((10, 1)))
    assert not f.converged
    assert np.isnan(f.se).all()
