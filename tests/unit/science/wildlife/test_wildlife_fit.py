"""Fits of simulated surveys, and what is told of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numba
import numpy as np
import pytest

from ecotone.science.wildlife import (
    Captures,
    Detectors,
    Mask,
    Model,
    Session,
    cell_area,
    estimates,
    fit,
    likelihood,
)
from ecotone.science.wildlife.checks import warnings_of
from ecotone.science.wildlife.fitness import goodness_of_fit
from ecotone.science.wildlife.optimum import maximise
from ecotone.science.wildlife.secr import start_values
from ecotone.science.wildlife.simulate import draw, population, simulate
from ecotone.science.wildlife.study_design import expected, simulated
from ecotone.science.wildlife.survey import pooled_spread

#: Long searches, which without compiled kernels take their time and reach nothing new.
compiled = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="kernels are not compiled")

NOBODY = Captures(0, *(np.empty(0, dtype=int) for _ in range(4)))
TRUTH = {"density": 0.03, "top": 0.25, "sigma": 500.0}


def two_threads(function, tasks):
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(function, tasks))


def grid(low: float, high: float, step: float) -> np.ndarray:
    line = np.arange(low, high + 1, step)
    return np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)


def layout(kind: str = "proximity", occasions: int = 4, cell: float = 500.0, **more) -> Session:
    traps = grid(0, 1500, 500)
    cells = grid(-1000, 2500, cell)
    cover = cells[:, 0] / 4000.0
    usage = np.ones((len(traps), occasions))
    usage[0, 0] = 0.5
    return Session(
        kind,
        Detectors(traps, usage, {"high": (traps[:, 1] > 800).astype(float)}),
        Mask(cells, cell_area(cells), {"cover": cover}),
        NOBODY,
        **more,
    )


@pytest.fixture(scope="module")
def survey() -> Session:
    return drawn("proximity", 1)


def drawn(kind: str, seed: int, **more) -> Session:
    rng = np.random.default_rng(seed)
    return simulate(
        layout(kind, **more), TRUTH["density"], "HHN", TRUTH["top"], TRUTH["sigma"], rng
    )


@pytest.mark.parametrize(
    ("kind", "more"), [("multi", {}), ("proximity", {}), ("count", {}), ("count", {"size": 3})]
)
def test_truth_is_found(kind: str, more: dict[str, int]) -> None:
    f = fit([drawn(kind, 5, **more)], Model("HHN"))
    assert f.converged
    assert np.abs(f.likelihood.evaluate(f.beta).gradient).max() < 1e-3
    for name, truth in (("lambda0", TRUTH["top"]), ("sigma", TRUTH["sigma"])):
        e = estimates.real_estimate(f, name)
        assert abs(np.log(e.value / truth)) < 3.0 * e.se / e.value
    d = estimates.density(f)
    assert d.low < TRUTH["density"] < d.high
    assert d.low < d.value < d.high


def test_the_start_does_not_matter(survey: Session) -> None:
    best = fit([survey], Model("HHN"))
    for shift in ([1.5, -1.0, 0.7], [-1.0, 1.5, -0.6]):
        again = fit([survey], Model("HHN"), start=best.beta + np.array(shift))
        assert again.value == pytest.approx(best.value, abs=1e-7)
    nowhere = fit([survey], Model("HHN"), start=np.array([0.0, 0.0, 200.0]))
    assert nowhere.value == pytest.approx(best.value, abs=1e-7)


def test_a_second_summit_is_looked_for(survey: Session) -> None:
    """The hazard-rate shape holds the half-normal's fit nearly, and starts agree."""
    f = fit([survey], Model("HHR"))
    assert f.value > fit([survey], Model("HHN")).value - 3.0
    other = fit([survey], Model("HHR"), start=f.beta + np.array([0.5, -1.0, 0.8, -0.5]))
    assert other.value == pytest.approx(f.value, abs=1e-5)


def test_units_of_length_do_not_matter(survey: Session) -> None:
    best = fit([survey], Model("HN", density="~cover"))
    far = replace(
        survey,
        detectors=replace(survey.detectors, xy=survey.detectors.xy + 4.1e6),
        mask=replace(
            survey.mask,
            xy=survey.mask.xy + 4.1e6,
            covariates={"cover": survey.mask.covariates["cover"] * 1e4 + 5e5},
        ),
    )
    moved = fit([far], Model("HN", density="~cover"))
    assert moved.value == pytest.approx(best.value, abs=1e-6)
    assert moved.beta[1] == pytest.approx(best.beta[1] / 1e4, rel=1e-4)


def test_numbers_agree(survey: Session) -> None:
    f = fit([survey], Model("HHN"))
    n = survey.captures.animals
    d, e = estimates.density(f), estimates.expected_number(f)
    assert e.value == pytest.approx(d.value * survey.mask.area)
    assert n / estimates.effective_area(f) == pytest.approx(d.value, rel=1e-4)
    r = estimates.realised_number(f)
    assert r.value == pytest.approx(e.value, rel=1e-4)
    assert n < r.low
    assert r.se**2 == pytest.approx(e.se**2 - e.value, rel=1e-6)
    conditional = fit([survey], Model("HHN", number="conditional"))
    derived = estimates.density(conditional)
    assert derived.value == pytest.approx(d.value, rel=1e-4)
    assert derived.se == pytest.approx(d.se, rel=0.05)
    values, se = estimates.density_surface(f)
    assert values == pytest.approx(np.full(len(values), d.value))
    assert se == pytest.approx(np.full(len(values), d.se), rel=1e-3)
    assert f.aic < f.aicc < f.aic + 3
    assert f.evaluate().value == pytest.approx(f.value)


def test_realised_number_without_variance(survey: Session) -> None:
    """A binomial population has less variance than its mean: none is left."""
    f = fit([survey], Model("HHN", number="binomial"))
    assert np.isnan(estimates.realised_number(f).se) == (
        estimates.expected_number(f).se ** 2 < estimates.expected_number(f).value
    )


def test_profiles(survey: Session) -> None:
    f = fit([survey], Model("HHN", density="~cover"))
    low, high = estimates.profile_interval(f)
    d = estimates.density(f)
    assert low < d.value < high
    assert (low, high) == pytest.approx((d.low, d.high), rel=0.1)
    low, high = estimates.profile_interval(f, "sigma")
    wald = estimates.coefficient_estimates(f)["sigma"]
    assert (low, high) == pytest.approx((wald.low, wald.high), abs=0.5 * wald.se)
    with pytest.raises(KeyError):
        estimates.profile_interval(f, "nothing")
    with pytest.raises(KeyError):
        estimates.profile_interval(fit([survey], Model(number="conditional")))


def test_one_coefficient_alone(survey: Session) -> None:
    """With everything else known the interval is where the likelihood itself falls by 1.92."""
    f = fit([survey], Model("HHN", number="conditional"))
    low, high = estimates.profile_interval(f, "sigma")
    assert low < f.beta[1] < high


def test_sessions(survey: Session) -> None:
    other = replace(drawn("proximity", 8), name="2")
    f = fit([survey, other], Model("HHN", density="~session"), mapper=two_threads)
    each = [fit([s], Model("HHN")).value for s in (survey, other)]
    assert f.value < sum(each)
    together = estimates.total_expected_number(f)
    apart = [estimates.expected_number(f, k) for k in (0, 1)]
    assert together.value == pytest.approx(sum(e.value for e in apart))
    assert together.se < sum(e.se for e in apart)
    r = estimates.total_realised_number(f)
    assert r.low > f.likelihood.animals
    one = estimates.total_expected_number(fit([survey], Model("HHN")))
    assert one.value > survey.captures.animals


def test_classes_nobody_knows() -> None:
    rng = np.random.default_rng(4)
    base = layout("count")
    parts = [simulate(base, 0.02, "HHN", top, 500.0, rng).captures for top in (0.05, 1.5)]
    both = Captures(
        parts[0].animals + parts[1].animals,
        np.concatenate([parts[0].animal, parts[1].animal + parts[0].animals]),
        *(
            np.concatenate([getattr(p, n) for p in parts])
            for n in ("occasion", "detector", "count")
        ),
    )
    s = replace(base, captures=both)
    f = fit([s], Model("HHN", top="~h2", classes=("1", "2")))
    assert f.converged
    assert f.value > fit([s], Model("HHN")).value + 5
    assert abs(f.coefficients()["lambda0.h2[2]"]) > 1.5
    assert goodness_of_fit(f, 5, rng)["animals"] >= 0.0


def test_average(survey: Session) -> None:
    fits = [fit([survey], Model(form)) for form in ("HHN", "HEX")]
    found = estimates.average(fits)
    assert sum(found.weights) == pytest.approx(1.0)
    each = sorted(estimates.density(f).value for f in fits)
    assert each[0] <= found.density.value <= each[1]
    with pytest.raises(ValueError, match="same data"):
        estimates.average([])
    with pytest.raises(ValueError, match="same data"):
        estimates.average([fits[0], fit([drawn("proximity", 3)])])


def test_fitness(survey: Session) -> None:
    rng = np.random.default_rng(0)
    for kind, size in (("proximity", 0), ("multi", 0), ("count", 0), ("count", 3)):
        s = drawn(kind, 2, size=size)
        found = goodness_of_fit(fit([s], Model("HHN")), 20, rng)
        assert all(0.02 <= p <= 1.0 for p in found.values())
    timed = fit([survey], Model("HHN", top="~T"))
    assert goodness_of_fit(timed, 3, rng)["detectors"] <= 1.0
    with pytest.raises(ValueError, match="response"):
        goodness_of_fit(fit([survey], Model(top="~b")), 1, rng)
    broken = replace(timed, optimum=replace(timed.optimum, positive=False))
    with pytest.raises(ValueError, match="no maximum"):
        goodness_of_fit(broken, 1, rng)


def test_fitness_sees_what_is_missing() -> None:
    """Animals of two kinds under one kind's model: the counts by animal are too uneven."""
    rng = np.random.default_rng(6)
    base = layout("count")
    parts = [
        simulate(base, d, "HHN", top, 500.0, rng).captures for d, top in ((0.03, 0.05), (0.02, 3.0))
    ]
    both = Captures(
        parts[0].animals + parts[1].animals,
        np.concatenate([parts[0].animal, parts[1].animal + parts[0].animals]),
        *(
            np.concatenate([getattr(p, n) for p in parts])
            for n in ("occasion", "detector", "count")
        ),
    )
    found = goodness_of_fit(fit([replace(base, captures=both)], Model("HHN")), 40, rng)
    assert found["animals"] < 0.15


def test_fitness_of_animals_removed() -> None:
    s = drawn("multi", 2)
    last = np.full(s.captures.animals, -1)
    first = s.captures.animal == 0
    last[0] = s.captures.occasion[first].max()
    gone = replace(s, captures=replace(s.captures, removed_after=last))
    found = goodness_of_fit(fit([gone], Model("HHN")), 3, np.random.default_rng(1))
    assert set(found) == {"animals", "detectors"}


def codes(s: Session, model: Model | None = None) -> set[str]:
    return {w.code for w in warnings_of(fit([s], model))}


def test_warnings(survey: Session) -> None:
    assert codes(survey, Model("HHN")) <= {"large-error", "mask-narrow", "mask-coarse"}
    c = survey.captures
    three = np.isin(c.animal, c.animal[:3])
    ids, animal = np.unique(c.animal[three], return_inverse=True)
    few = Captures(len(ids), animal, c.occasion[three], c.detector[three], c.count[three])
    told = codes(replace(survey, captures=few))
    assert {"few-recaptures", "many-coefficients", "large-error"} <= told
    coarse = replace(survey, mask=Mask(grid(0, 1500, 750), 56.25))
    assert {"mask-coarse", "mask-narrow"} <= codes(coarse)
    aside = replace(survey, mask=replace(survey.mask, xy=survey.mask.xy + np.array([2000.0, 0.0])))
    assert "detector-off-mask" in codes(aside)


def test_boundaries() -> None:
    """Every animal at every occasion: g0 runs to one."""
    s = layout("proximity", occasions=2)
    n = len(s.detectors.xy)
    animal, occasion = np.repeat(np.arange(n), 2), np.tile([0, 1], n)
    sure = Captures(n, animal, occasion, animal.copy(), np.ones_like(animal))
    everywhere = replace(s, detectors=Detectors(s.detectors.xy, np.ones((n, 2))), captures=sure)
    f = fit([everywhere])
    told = {w.code for w in warnings_of(f)}
    assert told & {"boundary", "not-identified", "unknown-coefficient"}
    if not f.optimum.positive:
        assert np.isnan(f.se).all()
        assert np.isnan(estimates.profile_interval(f, "sigma")[0])
    flat = replace(f, optimum=replace(f.optimum, positive=False))
    assert "not-identified" in {w.code for w in warnings_of(flat)}
    assert np.isnan(flat.se).all()
    assert np.isnan(estimates.expected_number(flat).se)
    early = replace(f, optimum=replace(f.optimum, positive=True, decrement=0.1))
    assert "not-converged" in {w.code for w in warnings_of(early)}


@compiled
def test_density_that_runs_away(survey: Session) -> None:
    """No animal lives in the east: its density runs to nought, and that is said."""
    west = survey.detectors.xy[survey.captures.detector, 0] < 800
    keep = np.isin(survey.captures.animal, np.unique(survey.captures.animal[~west]), invert=True)
    c = survey.captures
    ids, animal = np.unique(c.animal[keep], return_inverse=True)
    left = Captures(len(ids), animal, c.occasion[keep], c.detector[keep], c.count[keep])
    side = np.where(survey.mask.xy[:, 0] > 1200, "east", "west")
    s = replace(
        survey, captures=left, mask=replace(survey.mask, covariates={"side": side.astype(object)})
    )
    f = fit([s], Model("HHN", density="~ 0 + side"))
    assert f.coefficients()["D.side[east]"] < f.coefficients()["D.side[west]"]
    assert {w.code for w in warnings_of(f)} & {
        "boundary",
        "unknown-coefficient",
        "not-identified",
        "large-error",
    }


@compiled
def test_animals_seen_once(survey: Session) -> None:
    """No recapture: the search starts from the width of the mask, and ends."""
    c = survey.captures
    _, first = np.unique(c.animal, return_index=True)
    once = Captures(
        c.animals, c.animal[first], c.occasion[first], c.detector[first], c.count[first]
    )
    s = replace(survey, captures=once)
    assert np.isnan(pooled_spread(s))
    assert np.isfinite(start_values(likelihood([s]))).all()
    assert "few-recaptures" in codes(s)


def test_intervals_that_do_not_exist() -> None:
    e = estimates.log_interval(5.0, float("nan"))
    assert np.isnan(e.low)
    assert np.isnan(estimates.log_interval(5.0, 1.0, least=5.0).high)


def test_a_ridge_is_no_maximum() -> None:
    """Only the sum of two coefficients matters: found, and called what it is."""

    def objective(beta: np.ndarray) -> tuple[float, np.ndarray]:
        x = beta.sum()
        return -((x - 1.0) ** 2), np.full(2, -2.0 * (x - 1.0))

    found = maximise(objective, np.zeros(2), np.eye(2), 1.0)
    assert found.beta.sum() == pytest.approx(1.0, abs=1e-5)
    assert not found.positive
    assert not found.converged


def test_out_of_bounds_on_the_way() -> None:
    def objective(beta: np.ndarray) -> tuple[float, np.ndarray]:
        if beta[0] > 2.0:
            return -np.inf, np.zeros(1)
        return float(-np.exp(beta[0]) + 3.0 * beta[0]), -np.exp(beta) + 3.0

    found = maximise(objective, np.array([-4.0]), np.eye(1), 1.0)
    assert found.converged
    assert found.beta[0] == pytest.approx(np.log(3.0), abs=1e-6)


@pytest.mark.parametrize(
    ("kind", "size"), [("multi", 0), ("proximity", 0), ("count", 0), ("count", 4)]
)
def test_expected_numbers_of_a_layout(kind: str, size: int) -> None:
    """Against the means of many simulated surveys."""
    plan = layout(kind, size=size)
    e = expected(plan, 0.03, "HHN", 0.25, 500.0)
    rng = np.random.default_rng(1)
    seen = [simulate(plan, 0.03, "HHN", 0.25, 500.0, rng).captures for _ in range(40)]
    for told, means in (
        (e.animals, [c.animals for c in seen]),
        (e.detections, [c.detections for c in seen]),
        (e.spatial_recaptures, [c.spatial_recaptures for c in seen]),
    ):
        assert told == pytest.approx(np.mean(means), abs=5 * np.std(means) / np.sqrt(40))
    assert e.recaptures == pytest.approx(e.detections - e.animals)
    assert e.rse == pytest.approx(min(e.animals, e.recaptures) ** -0.5)


def test_no_detections_expected() -> None:
    assert np.isinf(expected(layout(), 0.0, "HN", 0.1, 300.0).rse)
    found = simulated(layout(), 0.0, "HN", 0.1, 300.0, 2, np.random.default_rng(1))
    assert found.fitted == 0
    assert np.isnan(found.coverage)


@compiled
def test_simulated_surveys() -> None:
    found = simulated(layout(), 0.03, "HHN", 0.25, 500.0, 6, np.random.default_rng(2))
    assert found.fitted == 6
    assert abs(found.bias) < 0.5
    assert 0.05 < found.rse < 0.5
    assert found.coverage >= 0.5
    one = simulated(layout(), 0.03, "HHN", 0.25, 500.0, 1, np.random.default_rng(2))
    assert np.isnan(one.spread)


def test_population_follows_density() -> None:
    mask = layout().mask
    rng = np.random.default_rng(3)
    places = population(mask, np.where(mask.xy[:, 0] > 1200, 0.05, 0.0), rng)
    assert (places[:, 0] > 1000).all()
    assert len(places) == pytest.approx(
        0.05 * mask.cell_area * (mask.xy[:, 0] > 1200).sum(), rel=0.2
    )


def test_multi_draws_one_at_most() -> None:
    found = draw("multi", np.full((50, 4, 6), 0.3), np.random.default_rng(1))
    assert found.sum(axis=2).max() == 1
    assert (found.sum(axis=(0, 1)) > 0).all()


@pytest.mark.parametrize(
    ("xy", "area"),
    [
        (grid(0, 900, 300), 9.0),
        (grid(0, 900, 300) @ np.array([[0.8, -0.6], [0.6, 0.8]]), 9.0),
        (np.array([[0.0, 0.0], [0.0, 50.0], [0.0, 100.0]]), 0.25),
        (grid(0, 900, 300)[[0, 1, 2, 5, 6, 10, 15]], 9.0),
        (np.array([[0.0, 0.0], [100.0, 0.0], [0.0, 20.0], [100.0, 20.0], [0.0, 40.0]]), 0.2),
        (np.array([[0.0, 0.0], [100.0, 0.0], [250.0, 100.0], [250.0, 210.0]]), 1.1025),
    ],
)
def test_cell_area(xy: np.ndarray, area: float) -> None:
    assert cell_area(xy) == pytest.approx(area)


def test_cell_area_of_one() -> None:
    with pytest.raises(ValueError, match="two cells"):
        cell_area(np.zeros((1, 2)))
