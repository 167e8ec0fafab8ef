"""secr's text, line by line."""

from __future__ import annotations

import numpy as np

from ecotone.science.wildlife import Captures, Detectors, Mask, Session
from ecotone.science.wildlife.secr_text import captures_text, detectors_text, mask_text


def session(**more) -> Session:
    seen = Captures(2, *(np.array(c) for c in ([1, 0, 0], [0, 1, 0], [1, 0, 0], [2, 1, 1])), **more)
    return Session(
        "count",
        Detectors(np.array([[0.0, 0.5], [10.0, 0.0]]), np.array([[1.0, 2.0], [0.5, 1.0]])),
        Mask(np.array([[0.0, 0.0], [5.0, 0.0]]), 0.0025),
        seen,
        name="north side",
    )


def test_lines() -> None:
    assert captures_text(session(), ["cat 1", "b"]).splitlines() == [
        "# Session ID Occasion Detector",
        "north_side cat_1 1 1",
        "north_side cat_1 2 1",
        "north_side b 1 2",
        "north_side b 1 2",
    ]
    assert detectors_text(session()).splitlines() == [
        "# Detector X Y usage1 usage2",
        "1 0.0 0.5 1 2",
        "2 10.0 0.0 0.5 1",
    ]
    assert mask_text(session()).splitlines() == ["x y", "0.0 0.0", "5.0 0.0"]


def test_removal() -> None:
    gone = session(removed_after=np.array([1, -1]))
    assert captures_text(gone, ["a", "b"]).splitlines()[2] == "north_side a -2 1"
