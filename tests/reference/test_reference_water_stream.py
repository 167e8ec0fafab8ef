"""QARTOD's tests flag by flag as ioos_qc 3.0.0 gives them for this stream."""

from __future__ import annotations

import numpy as np
import pytest

from ecotone.science.water import stream_qc as qc

NAN = float("nan")
#: Ten minutes apart: spikes, a gap, a stuck stretch, a real flood wave.
VALUES = [
    10.1, 10.2, 10.1, 10.3, 10.2, 10.4, 18.9, 10.3, 10.2, NAN, 10.3, 10.1, 10.2, 10.2, 10.2,
    10.2, 10.2, 10.2, 10.2, 10.2, 10.2, 10.9, 11.8, 13.1, 14.9, 16.6, 18.3, 17.0, 15.2, 13.0,
    11.2, 10.4, 10.3, 3.9, 3.8, 10.1, 10.2, 10.3, 10.2, 25.0, 10.1, 10.3,
]  # fmt: skip
SECONDS = np.arange(len(VALUES)) * 600.0


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (qc.gross_range(VALUES, (0, 20), (4, 18)), "111111311911111111111111113111111331111411"),
        (qc.spike(VALUES, 2, 6), "211113432921111111111111111111113333114442"),
        (qc.rate_of_change(VALUES, SECONDS, 0.005), "111111331911111111111111111111111313111331"),
        (qc.flat_line(VALUES, SECONDS, 0.05, 1800, 3600),
         "111111111911111333444111111111111111111111"),
    ],
    ids=["gross range", "spike", "rate of change", "flat line"],
)  # fmt: skip
def test_flags_of_the_reference(flags, expected):
    assert "".join(map(str, flags)) == expected
