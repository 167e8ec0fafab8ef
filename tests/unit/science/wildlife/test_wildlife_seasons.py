"""Occupancy over seasons against the sum over every course of states."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest
from scipy.special import expit

from ecotone.science.wildlife.dynamic_occupancy import (
    DynamicData,
    DynamicFit,
    fit_dynamic,
    log_likelihood,
    mean_parts,
    projected_error,
)


def planted(sites: int = 6, seasons: int = 3, visits: int = 2, seed: int = 1) -> DynamicData:
    rng = np.random.default_rng(seed)
    site = np.repeat(np.arange(sites), seasons * visits)
    season = np.tile(np.repeat(np.arange(seasons), visits), sites)
    state = np.empty((sites, seasons), dtype=bool)
    state[:, 0] = rng.random(sites) < 0.5
    for t in range(1, seasons):
        chance = np.where(state[:, t - 1], 0.8, 0.3)
        state[:, t] = rng.random(sites) < chance
    seen = state[site, season] & (rng.random(len(site)) < 0.6)
    kept = rng.random(len(site)) < 0.9
    steps = sites * (seasons - 1)
    cover = rng.normal(size=steps)
    return DynamicData(
        site[kept],
        season[kept],
        seen[kept],
        np.column_stack([np.ones(sites), rng.normal(size=sites)]),
        np.column_stack([np.ones(steps), cover]),
        np.ones((steps, 1)),
        np.column_stack([np.ones(kept.sum()), rng.normal(size=kept.sum())]),
    )


def by_courses(data: DynamicData, beta: np.ndarray) -> float:
    psi, gamma = expit(data.psi @ beta[:2]), expit(data.gamma @ beta[2:4])
    epsilon, p = expit(data.epsilon @ beta[4:5]), expit(data.p @ beta[5:])
    steps = data.seasons - 1
    total = 0.0
    for i in range(len(psi)):
        site = 0.0
        for course in itertools.product((0, 1), repeat=data.seasons):
            chance = psi[i] if course[0] else 1 - psi[i]
            for t in range(steps):
                k = i * steps + t
                stay = 1 - epsilon[k] if course[t] else gamma[k]
                chance *= stay if course[t + 1] else 1 - stay
            for j in np.flatnonzero(data.site == i):
                q = p[j] * course[data.season[j]]
                chance *= q if data.seen[j] else 1 - q
            site += chance
        total += math.log(site)
    return total


def test_likelihood_and_gradient() -> None:
    data = planted()
    beta = np.array([0.2, -0.5, -0.8, 0.4, -1.0, 0.3, 0.6])
    value, gradient, smoothed = log_likelihood(data, beta)
    assert value == pytest.approx(by_courses(data, beta), abs=1e-10)
    for k, unit in enumerate(np.eye(7) * 1e-5):
        ahead, back = (log_likelihood(data, beta + s * unit)[0] for s in (1, -1))
        assert gradient[k] == pytest.approx((ahead - back) / 2e-5, abs=1e-6)
    detected = np.zeros_like(smoothed)
    detected[data.site[data.seen], data.season[data.seen]] = 1.0
    assert (smoothed[detected == 1] == pytest.approx(1.0)) and (smoothed <= 1 + 1e-12).all()


def test_many_visits_do_not_underflow() -> None:
    data = planted(sites=2, seasons=2, visits=4000)
    beta = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 4.0, 0.0])
    value, gradient, _ = log_likelihood(data, beta)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


def test_truth_is_found() -> None:
    data = planted(sites=400, seasons=5, visits=3, seed=4)
    found = fit_dynamic(data)
    assert found.optimum.converged
    beta, se = found.optimum.beta, np.sqrt(np.diag(found.optimum.covariance))
    truth = [0.0, 0.0, math.log(0.3 / 0.7), 0.0, math.log(0.2 / 0.8), math.log(0.6 / 0.4), 0.0]
    assert (np.abs(beta - truth) < 3.5 * se).all()
    assert found.occupied == pytest.approx(found.projected, abs=0.05)
    assert found.aic == pytest.approx(14 - 2 * found.value)
    again = fit_dynamic(data, start=beta)
    assert again.value == pytest.approx(found.value, abs=1e-8)


def test_parts_and_seasons_with_their_errors() -> None:
    data = planted(sites=400, seasons=5, visits=3, seed=4)
    found = fit_dynamic(data)
    parts = mean_parts(found)
    for name, truth in (("psi", 0.5), ("gamma", 0.3), ("epsilon", 0.2)):
        value, se = parts[name]
        assert 0 < se < 0.1
        assert abs(value - truth) < 3.5 * se
    errors = projected_error(found)
    assert errors[0] == pytest.approx(parts["psi"][1], rel=1e-3)
    assert ((errors > 0) & (errors < 0.1)).all()
    ridge = dataclasses.replace(found.optimum, positive=False)
    lost = DynamicFit(data, ridge, found.occupied, found.projected)
    assert np.isnan(projected_error(lost)).all()
    assert np.isnan(mean_parts(lost)["gamma"][1])


def changed(data: DynamicData, **change: np.ndarray) -> DynamicData:
    return DynamicData(**{name: change.get(name, getattr(data, name)) for name in vars(data)})


def test_refused() -> None:
    data = planted()
    for change, why in (
        ({"gamma": data.gamma[:-1]}, "a row a site"),
        ({"site": data.site[:-1]}, "a visit"),
        ({"site": data.site + 1}, "unknown site"),
        ({"season": data.season + 1}, "unknown season"),
        ({"seen": np.zeros_like(data.seen)}, "never detected"),
    ):
        with pytest.raises(ValueError, match=why):
            changed(data, **change)
    with pytest.raises(ValueError, match="psi: coefficients"):
        fit_dynamic(changed(data, psi=np.ones_like(data.psi)))
    with pytest.raises(ValueError, match="p: a covariate"):
        fit_dynamic(changed(data, p=data.p * np.nan))
