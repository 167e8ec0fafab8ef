"""Identities merged by what observers decided, and occasions taken as one: by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from ecotone.science.wildlife import Captures, Detectors, Mask, Session, estimates, fit
from ecotone.science.wildlife.collapse import collapsed
from ecotone.science.wildlife.genotypes import encode
from ecotone.science.wildlife.individuals import (
    close_genotypes,
    contradictions,
    in_dispute,
    merged,
    pairs,
)
from ecotone.science.wildlife.simulate import simulate


def test_the_last_word_of_each_observer_counts() -> None:
    found = pairs([0, 1, 0], [1, 0, 1], ["a", "a", "b"], ["different", "same", "same"])
    assert [(p.verdict, p.same, p.different) for p in found] == [("same", ("a", "b"), ())]
    assert pairs([0], [1], ["a"], ["unsure"])[0].verdict == "unsure"
    assert pairs([0], [1], ["a"], ["different"])[0].verdict == "different"


@pytest.mark.parametrize(("second", "word"), [(0, "same"), (1, "perhaps")])
def test_decisions_that_are_none(second: int, word: str) -> None:
    with pytest.raises(ValueError, match="identit"):
        pairs([0], [second], ["a"], [word])


def test_merging_chains_disputes_and_contradictions() -> None:
    decided = pairs(
        [3, 1, 3, 0, 0], [1, 4, 4, 2, 2], ["a", "a", "b", "a", "b"],
        ["same", "same", "different", "same", "different"],
    )  # fmt: skip
    animal = merged(5, decided)
    assert animal.tolist() == [0, 1, 2, 1, 1]
    assert [(p.first, p.second) for p in contradictions(animal, decided)] == [(3, 4)]
    assert merged(5, decided, disputed=True).tolist() == [0, 1, 0, 1, 1]
    assert in_dispute(5, decided).tolist() == [True, False, True, False, False]
    assert merged(3, []).tolist() == [0, 1, 2]


def test_genotypes_that_differ_little() -> None:
    loci = [f"L{k}" for k in range(6)]
    a = [["1"] * 4 for _ in loci]
    b = [["2", "2", "2", "2"] for _ in loci]
    b[0] = ["2", "3", "2", None]
    b[1] = ["2", "2", "4", None]
    b[2] = ["2", "2", "5", "2"]
    table = encode(list("wxyz"), [(n, a[k], b[k]) for k, n in enumerate(loci)], [])
    one, two, differ, joint = close_genotypes(table, 2, block=2)
    told = list(zip(one.tolist(), two.tolist(), differ.tolist(), joint.tolist(), strict=True))
    assert told == [(0, 1, 1, 6), (0, 2, 2, 6)]
    one, *_ = close_genotypes(table, 0, least_typed=4)
    assert one.tolist() == [0, 1]


def survey(kind: str, usage: np.ndarray, size: int = 0) -> Session:
    seen = Captures(2, *(np.array(c) for c in ([0, 0, 1], [0, 1, 1], [0, 0, 1], [1, 1, 1])))
    grid = np.stack(np.meshgrid(np.arange(-300, 500, 100.0), np.arange(-300, 500, 100.0)), -1)
    traps = np.array([[0.0, 0.0], [100.0, 0.0]])
    return Session(kind, Detectors(traps, usage), Mask(grid.reshape(-1, 2), 1.0), seen, size=size)


def test_occasions_as_one() -> None:
    once = collapsed(survey("count", np.array([[1.0, 2.0], [3.0, 4.0]])))
    assert once.detectors.usage.ravel().tolist() == [3.0, 7.0]
    assert once.size == 0
    assert collapsed(survey("count", np.ones((2, 2)), size=3)).size == 6
    with pytest.raises(ValueError, match="effort differs"):
        collapsed(survey("proximity", np.array([[1.0, 2.0], [1.0, 1.0]])))
    with pytest.raises(ValueError, match="multi"):
        collapsed(dataclasses.replace(survey("proximity", np.ones((2, 2))), kind="multi"))
    gone = survey("proximity", np.ones((2, 2)))
    removed = dataclasses.replace(gone.captures, removed_after=np.array([1, -1]))
    with pytest.raises(ValueError, match="removed"):
        collapsed(dataclasses.replace(gone, captures=removed))


def test_numbers_in_a_part_of_the_mask() -> None:
    traps = np.stack(np.meshgrid(np.arange(0, 2001, 500.0), np.arange(0, 2001, 500.0)), -1)
    ground = np.stack(np.meshgrid(np.arange(-1500, 3501, 250.0), np.arange(-1500, 3501, 250.0)), -1)
    nobody = Captures(0, *(np.empty(0, dtype=int) for _ in range(4)))
    layout = Session(
        "proximity",
        Detectors(traps.reshape(-1, 2), np.ones((25, 4))),
        Mask(ground.reshape(-1, 2), 6.25),
        nobody,
    )
    found = fit([simulate(layout, 0.02, "HN", 0.3, 400.0, np.random.default_rng(3))])
    cells = np.arange(21 * 21) < 147
    whole = estimates.expected_number(found)
    part = estimates.number_in(found, [cells])
    assert part.value == pytest.approx(whole.value / 3)
    assert part.se == pytest.approx(whole.se / 3, rel=1e-4)
    assert estimates.number_in(found, [~(cells | ~cells)]).value == 0
