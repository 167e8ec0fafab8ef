"""Effort by occasion and histories, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ecotone.science.wildlife.histories import history, occasions, without_gaps


def test_gaps_cut_deployments_into_pieces() -> None:
    of, start, end = without_gaps(
        np.array([0.0, 5.0]), np.array([10.0, 9.0]), np.array([1, 1, 1]),
        np.array([6.0, 4.0, 8.5]), np.array([7.0, 5.5, 12.0]),
    )  # fmt: skip
    told = sorted(zip(of.tolist(), start.tolist(), end.tolist(), strict=True))
    assert told == [(0, 0.0, 10.0), (1, 5.5, 6.0), (1, 7.0, 8.5)]
    nothing = np.empty(0)
    of, start, end = without_gaps(
        np.array([0.0]), np.array([2.0]), nothing.astype(int), nothing, nothing
    )
    assert (of.tolist(), start.tolist(), end.tolist()) == ([0], [0.0], [2.0])


def test_two_cameras_of_a_place_count_once() -> None:
    found = occasions(
        np.array([0, 0, 1]), np.array([0.5, 1.0, 3.0]), np.array([2.0, 4.5, 4.0]), units=3, length=2
    )
    assert found.first.tolist() == [0.0, 3.0, 0.0]
    assert found.effort.tolist() == [[1.5, 2.0, 0.5], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    survey = occasions(
        np.array([0, 1]), np.array([0.5, 3.0]), np.array([2.0, 4.0]), units=2, by_survey=True
    )
    assert survey.effort.tolist() == [[0.5, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]


def test_deployments_say_how_many_occasions_there_are() -> None:
    whole = (np.array([0]), np.array([0.0]), np.array([4.0]))
    found = occasions(np.array([0]), np.array([1.0]), np.array([2.0]), units=1, out=whole)
    assert found.effort.tolist() == [[0.0, 1.0, 0.0, 0.0]]


def test_missing_is_no_absence() -> None:
    found = occasions(np.array([0]), np.array([0.0]), np.array([2.5]), units=1)
    seen = history(found, np.array([0, 0, 0]), np.array([1.2, -0.5, 9.0]), least=0.6)
    assert seen[0, :2].tolist() == [0.0, 1.0]
    assert np.isnan(seen[0, 2])
    gone = occasions(np.array([0, 0]), np.array([0.0, 2.0]), np.array([1.0, 3.0]), units=1)
    assert np.isnan(history(gone, np.array([0]), np.array([1.5]))[0, 1])


def test_refused() -> None:
    one = np.array([0.0])
    with pytest.raises(ValueError, match="one day"):
        occasions(np.array([0]), one, one + 1, units=1, length=0)
    with pytest.raises(ValueError, match="no camera"):
        occasions(np.empty(0, dtype=int), np.empty(0), np.empty(0), units=1)
