"""The compiled likelihood against the formula written out, cell by cell and animal by animal."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.special import expit

from ecotone.science.wildlife import Captures, Detectors, Mask, Model, Session, likelihood

TRAPS = np.array([[0.0, 0.0], [80.0, 10.0], [30.0, 70.0]])
EFFORT = np.array([[1.0, 0.5, 2.0], [1.0, 1.0, 0.0], [0.7, 1.0, 1.0]])
CELLS = np.array([[x, y] for x in (-100.0, -20.0, 60.0, 140.0) for y in (-80.0, 0.0, 80.0, 160.0)])
COVER = np.linspace(-1.0, 1.0, len(CELLS))
HEIGHT = np.array([0.2, -0.4, 1.0])


def captures(kind: str, removed: bool = False) -> Captures:
    """Five animals; 1 and 4 have the same history, 0 is seen on all occasions."""
    rows = [
        (0, 0, 0, 2), (0, 1, 2, 1), (0, 2, 0, 3),
        (1, 1, 1, 1),
        (2, 0, 2, 1), (2, 2, 2, 1),
        (3, 2, 0, 1),
        (4, 1, 1, 1),
    ]  # fmt: skip
    if kind != "multi":
        rows += [(0, 0, 2, 1), (2, 2, 0, 2)]
    table = np.array(rows).T
    count = table[3] if kind == "count" else np.ones_like(table[3])
    gone = np.array([-1, 1, -1, -1, 1]) if removed else None
    return Captures(5, table[0], table[1], table[2], count, gone)


def session(kind: str, *, removed: bool = False, size: int = 0, name: str = "a", **more) -> Session:
    return Session(
        kind,
        Detectors(TRAPS, EFFORT, {"height": HEIGHT}),
        Mask(CELLS, 0.64, {"cover": COVER}),
        captures(kind, removed),
        name=name,
        size=size,
        **more,
    )


def hazard(form: str, d: float, top: float, sigma: float, z: float) -> float:
    r = d / sigma
    shape = {
        "HN": lambda: math.exp(-r * r / 2),
        "EX": lambda: math.exp(-r),
        "HR": lambda: 1.0 if r == 0 else 1 - math.exp(-(r**-z)),
    }[form[-2:]]()
    return top * shape if len(form) == 3 else -math.log(1 - top * shape)


def history(s: Session, form: str, i: int, cell: np.ndarray, parameters) -> tuple[float, float]:
    """log Pr(history of animal i) and of never being detected, from a cell."""
    c = s.captures
    mine = {
        (k, j): n
        for a, k, j, n in zip(c.animal, c.occasion, c.detector, c.count, strict=True)
        if a == i
    }
    last = -1 if c.removed_after is None else int(c.removed_after[i])
    total = 0.0
    for k in range(3):
        if 0 <= last < k:
            continue
        h = []
        for j in range(3):
            before = {(kk, jj) for kk, jj in mine if kk < k}
            state = {
                "b": bool(before),
                "bk": any(jj == j for _, jj in before),
                "B": any(kk == k - 1 for kk, _ in before),
                "Bk": (k - 1, j) in before,
            }
            top, sigma, z = parameters(k, j, state)
            h.append(EFFORT[j, k] * hazard(form, math.dist(cell, TRAPS[j]), top, sigma, z))
        seen = {j: mine.get((k, j), 0) for j in range(3)}
        if s.kind == "multi":
            at = [j for j in range(3) if seen[j]]
            everywhere = sum(h)
            total += (
                math.log(h[at[0]] / everywhere * (1 - math.exp(-everywhere))) if at else -everywhere
            )
            continue
        for j in range(3):
            y = seen[j]
            if s.kind == "count" and not s.size:
                total += y * math.log(h[j]) - h[j] - math.lgamma(y + 1) if h[j] else 0.0
            elif h[j]:
                size = s.size or 1
                p = 1 - math.exp(-h[j])
                total += math.log(math.comb(size, y)) + y * math.log(p)
                total += (size - y) * math.log(1 - p)
    return total


def written_out(s: Session, form: str, density, parameters, share=(1.0,), known=None) -> float:
    """The full likelihood, Poisson n."""
    c = s.captures
    empty = Session(
        s.kind, s.detectors, s.mask,
        Captures(0, *(np.empty(0, dtype=int) for _ in range(4))), size=s.size,
    )  # fmt: skip
    area = s.mask.cell_area
    expected = 0.0
    for x, pi in enumerate(share):
        for m, cell in enumerate(CELLS):
            missed = math.exp(history(empty, form, -1, cell, lambda *a, x=x: parameters(x, *a)))
            expected += pi * area * density[m] * (1 - missed)
    value = -expected
    for i in range(c.animals):
        mine = 0.0
        for x, pi in enumerate(share):
            if known is not None and known[i] >= 0 and known[i] != x:
                continue
            for m, cell in enumerate(CELLS):
                log_p = history(s, form, i, cell, lambda *a, x=x: parameters(x, *a))
                mine += pi * area * density[m] * math.exp(log_p)
        value += math.log(mine)
    alike = Counter(
        (
            frozenset(
                (k, j, n)
                for a, k, j, n in zip(c.animal, c.occasion, c.detector, c.count, strict=True)
                if a == i
            ),
            -1 if c.removed_after is None else int(c.removed_after[i]),
        )
        for i in range(c.animals)
    )
    return value - sum(math.lgamma(n + 1) for n in alike.values())


def check(bound, beta: np.ndarray, expected: float) -> None:
    """The value, and the gradient against differences."""
    found = bound.evaluate(beta)
    assert found.value == pytest.approx(expected, abs=1e-9)
    for k, unit in enumerate(np.eye(len(beta)) * 1e-5):
        up = bound.evaluate(beta + unit, gradient=False).value
        down = bound.evaluate(beta - unit, gradient=False).value
        assert found.gradient[k] == pytest.approx((up - down) / 2e-5, rel=1e-5, abs=1e-6)


def two_threads(function, tasks):
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(function, tasks))


KINDS = [("multi", 0), ("proximity", 0), ("count", 0), ("count", 4)]


@pytest.mark.parametrize("form", ["HN", "EX", "HR", "HHN", "HEX", "HHR"])
@pytest.mark.parametrize(("kind", "size"), KINDS)
def test_constant(kind: str, size: int, form: str) -> None:
    s = session(kind, size=size)
    bound = likelihood([s], Model(form))
    top = 0.4
    beta = [math.log(1.3), math.log(top) if len(form) == 3 else math.log(top / (1 - top)), 4.1]
    if form[-2:] == "HR":
        beta.append(math.log(3.0))
    density = np.full(len(CELLS), 1.3)
    wanted = written_out(s, form, density, lambda *a: (top, math.exp(4.1), 3.0))
    check(bound, np.array(beta), wanted)


@pytest.mark.parametrize("removed", [False, True])
@pytest.mark.parametrize("response", ["b", "bk", "B", "Bk"])
@pytest.mark.parametrize(("kind", "size"), KINDS)
def test_responses_and_removal(kind: str, size: int, response: str, removed: bool) -> None:
    s = session(kind, size=size, removed=removed)
    bound = likelihood([s], Model("HHN", top=f"~{response}"))
    beta = np.array([0.2, -0.9, 0.7, 4.2])

    def parameters(x, k, j, state):
        return math.exp(-0.9 + 0.7 * state[response]), math.exp(4.2), 1.0

    density = np.full(len(CELLS), math.exp(0.2))
    check(bound, beta, written_out(s, "HHN", density, parameters))


def test_covariates_of_every_sort() -> None:
    s = session("proximity", occasion_covariates={"rain": np.array([0.0, 1.0, 3.0])})
    model = Model("HHN", density="~cover", top="~height + rain + t", sigma="~b + T")
    with pytest.raises(ValueError, match="cannot be told apart"):
        likelihood([s], model)
    bound = likelihood([s], Model("HHN", density="~cover", top="~height + t", sigma="~b + T"))
    assert bound.names == (
        "D", "D.cover", "lambda0", "lambda0.height", "lambda0.t[2]", "lambda0.t[3]",
        "sigma", "sigma.b", "sigma.T",
    )  # fmt: skip
    beta = np.array([0.1, 0.5, -1.0, 0.3, 0.2, -0.4, 4.0, 0.15, 0.05])

    def parameters(x, k, j, state):
        top = -1.0 + 0.3 * HEIGHT[j] + (0.0, 0.2, -0.4)[k]
        return math.exp(top), math.exp(4.0 + 0.15 * state["b"] + 0.05 * k), 1.0

    check(bound, beta, written_out(s, "HHN", np.exp(0.1 + 0.5 * COVER), parameters))


@pytest.mark.parametrize("known", [None, [0, 1, -1, 1, 0], [0, 0, 1, 1, 0]])
def test_mixture(known: list[int] | None) -> None:
    classes = None if known is None else np.array(known)
    s = session("count", known_class=classes)
    bound = likelihood([s], Model("HN", top="~h2", sigma="~h2", classes=("F", "M")))
    assert bound.names[-1] == "pmix"
    beta = np.array([0.3, -0.5, 0.6, 4.0, 0.2, -0.3])
    share = (1 - expit(-0.3), expit(-0.3))

    def parameters(x, k, j, state):
        return expit(-0.5 + 0.6 * x), math.exp(4.0 + 0.2 * x), 1.0

    density = np.full(len(CELLS), math.exp(0.3))
    check(bound, beta, written_out(s, "HN", density, parameters, share, known))


def test_sessions_share_coefficients() -> None:
    one, two = session("multi", name="1"), session("multi", name="2", removed=True)
    bound = likelihood(
        [one, two], Model("HHN", density="~session", sigma="~Session"), mapper=two_threads
    )
    beta = np.array([0.2, -0.5, -1.0, 4.0, 0.1])
    total = 0.0
    for k, s in enumerate((one, two)):
        density = np.full(len(CELLS), math.exp(0.2 - 0.5 * k))
        sigma = math.exp(4.0 + 0.1 * k)
        total += written_out(s, "HHN", density, lambda *a, v=sigma: (math.exp(-1.0), v, 1.0))
    check(bound, beta, total)


def test_given_the_animals_detected() -> None:
    """Conditional = full less the Poisson probability of n."""
    s = session("proximity")
    full, conditional = likelihood([s]), likelihood([s], Model(number="conditional"))
    beta = np.array([0.7, -0.4, 4.1])
    at = full.evaluate(beta)
    n, mean = 5, at.expected[0]
    poisson = n * math.log(mean) - mean - math.lgamma(n + 1)
    check(conditional, beta[1:], at.value - poisson)


def test_binomial_number() -> None:
    """log of the binomial of n out of N, for a whole N, in the place of the Poisson."""
    s = session("proximity")
    inhabitants = 30
    beta = np.array([math.log(inhabitants / s.mask.area), -0.4, 4.1])
    at = likelihood([s]).evaluate(beta)
    n, mean = 5, at.expected[0]
    poisson = n * math.log(mean) - mean - math.lgamma(n + 1)
    p = mean / inhabitants
    binomial = math.log(math.comb(30, 5)) + 5 * math.log(p) + 25 * math.log1p(-p)
    check(likelihood([s], Model(number="binomial")), beta, at.value - poisson + binomial)


def test_no_room_for_a_binomial() -> None:
    s = session("proximity")
    bound = likelihood([s], Model(number="binomial"))
    assert bound.evaluate(np.array([-5.0, -0.4, 4.1])).value == -np.inf


def test_out_of_all_bounds() -> None:
    bound = likelihood([session("count")])
    found = bound.evaluate(np.array([0.0, 0.0, 90.0]))
    assert found.value == -np.inf
    assert not found.gradient.any()


def test_far_from_everything() -> None:
    """Histories of 1e-200 and less: no underflow, and a gradient that differences confirm."""
    far = Session(
        "proximity",
        Detectors(TRAPS * 50, np.ones((3, 3))),
        Mask(CELLS * 50, 1600.0),
        captures("proximity"),
    )
    for form in ("HN", "EX", "HR", "HHN"):
        bound = likelihood([far], Model(form))
        beta = np.array([-6.0, -2.0, 4.5, 2.0])[: len(bound.names)]
        found = bound.evaluate(beta)
        assert np.isfinite(found.value)
        for k, unit in enumerate(np.eye(len(beta)) * 1e-5):
            up, down = (bound.evaluate(beta + s * unit).value for s in (1, -1))
            assert found.gradient[k] == pytest.approx((up - down) / 2e-5, rel=1e-4, abs=1e-4)


def test_near_certainty() -> None:
    """Hazards of some hundreds: exp(H) does not overflow."""
    for kind in ("multi", "proximity"):
        bound = likelihood([session(kind)], Model("HHN"))
        for beta in ([0.0, 4.0, 6.0], [0.0, 5.5, 6.5], [0.0, -12.0, 4.0], [0.0, -22.0, 4.0]):
            found = bound.evaluate(np.array(beta))
            assert np.isfinite(found.value)
            assert np.isfinite(found.gradient).all()


def test_a_shift_and_a_turn_change_nothing() -> None:
    """A partner may hand over histories in shifted coordinates."""
    s = session("multi")
    turn = np.array([[math.cos(0.7), -math.sin(0.7)], [math.sin(0.7), math.cos(0.7)]])
    moved = Session(
        "multi",
        Detectors(TRAPS @ turn.T + 4e5, EFFORT),
        Mask(CELLS @ turn.T + 4e5, 0.64),
        s.captures,
    )
    beta = np.array([0.1, -0.4, 4.1])
    here, there = (likelihood([x]).evaluate(beta).value for x in (s, moved))
    assert there == pytest.approx(here, abs=1e-7)


@pytest.mark.parametrize("kind", ["multi", "proximity", "count"])
def test_order_of_rows_changes_nothing(kind: str) -> None:
    s = session(kind)
    c = s.captures
    order = np.random.default_rng(3).permutation(len(c.animal))
    mixed = Captures(5, c.animal[order], c.occasion[order], c.detector[order], c.count[order])
    beta = np.array([0.1, -0.4, 0.3, 4.1])
    values = [
        likelihood([Session(kind, s.detectors, s.mask, x)], Model(top="~bk")).evaluate(beta).value
        for x in (c, mixed)
    ]
    assert values[0] == pytest.approx(values[1], abs=1e-10)


WRONG = [
    ({"occasion": np.array([9])}, "outside the effort"),
    ({"detector": np.array([7])}, "unknown detector"),
    ({"animal": np.array([1])}, "numbered from 0"),
    ({"count": np.array([0])}, "at least 1"),
    ({"count": np.array([2])}, "counts above 1"),
    ({"occasion": np.array([2]), "detector": np.array([1])}, "no effort"),
    ({"count": np.array([1, 1])}, "differ in length"),
]


@pytest.mark.parametrize(("change", "why"), WRONG)
def test_captures_that_cannot_be(change, why: str) -> None:
    good = {n: np.array([0]) for n in ("animal", "occasion", "detector")}
    columns = good | {"count": np.array([1])} | change
    with pytest.raises(ValueError, match=why):
        Session("proximity", Detectors(TRAPS, EFFORT), Mask(CELLS, 1.0), Captures(1, **columns))


def test_sessions_that_cannot_be() -> None:
    detectors, mask = Detectors(TRAPS, EFFORT), Mask(CELLS, 1.0)
    two = Captures(1, *(np.array(x) for x in ([0, 0], [0, 0], [0, 2], [1, 1])))
    with pytest.raises(ValueError, match="two multi-catch"):
        Session("multi", detectors, mask, two)
    same = Captures(1, *(np.array(x) for x in ([0, 0], [0, 0], [0, 0], [1, 1])))
    with pytest.raises(ValueError, match="two rows"):
        Session("count", detectors, mask, same)
    many = Captures(1, *(np.array(x) for x in ([0], [0], [0], [5])))
    with pytest.raises(ValueError, match="number of trials"):
        Session("count", detectors, mask, many, size=4)
    late = Captures(1, *(np.array(x) for x in ([0], [2], [0], [1])), np.array([1]))
    with pytest.raises(ValueError, match="after its removal"):
        Session("multi", detectors, mask, late)
    for xy, usage in ((TRAPS[:2], EFFORT), (TRAPS * np.nan, EFFORT), (TRAPS, -EFFORT)):
        with pytest.raises(ValueError, match="detectors"):
            Detectors(xy, usage)
    for xy, area in ((CELLS[:0], 1.0), (CELLS + np.inf, 1.0), (CELLS, 0.0)):
        with pytest.raises(ValueError, match="mask"):
            Mask(xy, area)
    empty = Captures(0, *(np.empty(0, dtype=int) for _ in range(4)))
    with pytest.raises(ValueError, match="no animal"):
        likelihood([Session("multi", detectors, mask, empty)])


def test_models_that_cannot_be() -> None:
    for wrong in ({"detection": "XX"}, {"number": "normal"}, {"classes": ("a", "b", "c")}):
        with pytest.raises(ValueError):
            Model(**wrong)
    bad = Mask(CELLS, 1.0, {"cover": np.where(COVER > 0, COVER, np.nan)})
    s = Session("multi", Detectors(TRAPS, EFFORT), bad, captures("multi"))
    with pytest.raises(ValueError, match="missing or no number"):
        likelihood([s], Model(density="~cover"))


def test_one_more_session_without_animals() -> None:
    s = session("multi", name="1")
    empty = Captures(0, *(np.empty(0, dtype=int) for _ in range(4)))
    quiet = Session("multi", s.detectors, s.mask, empty, name="2")
    beta = np.array([0.1, -0.4, 4.1])
    both = likelihood([s, quiet]).evaluate(beta)
    alone = likelihood([s]).evaluate(beta)
    assert both.value == pytest.approx(alone.value - both.expected[1], abs=1e-10)
    assert list(itertools.chain.from_iterable(both.per_animal)) == pytest.approx(
        list(alone.per_animal[0])
    )
