"""QARTOD's tests flag by flag as ioos_qc 3.0.0 gives them for this stream.

But for the tenth value, which is missing: ioos_qc lets it pass in seasons that count periods.
"""

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
#: Nine days apart, from 20 December 2023.
DAYS = np.datetime64("2023-12-20") + np.arange(len(VALUES)) * np.timedelta64(9, "D")
MONTHS = [
    qc.Season(12, 12, (5, 11)),
    qc.Season(1, 3, (10.15, 11), (5, 20)),
    qc.Season(6, 8, (10, 15), (3.85, 24)),
]
QUARTERS = [
    qc.Season(1, 2, (10.15, 11), period="quarter"),
    qc.Season(2, 3, (11, 12), (10.2, 14), "quarter"),
]
WEEKS = [qc.Season(1, 100, (10.15, 11), period="dayofyear"),
         qc.Season(1, 10, (0, 100), period="week")]  # fmt: skip
SPRING = qc.Season(np.datetime64("2024-02-01"), np.datetime64("2024-06-01"), (10.15, 11),
                   (4, 20), "")  # fmt: skip
HOUR = {"window": 3600.0}


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (qc.gross_range(VALUES, (0, 20), (4, 18)), "111111311911111111111111113111111331111411"),
        (qc.spike(VALUES, 2, 6), "211113432921111111111111111111113333114442"),
        (qc.rate_of_change(VALUES, SECONDS, 0.005), "111111331911111111111111111111111313111331"),
        (qc.flat_line(VALUES, SECONDS, 0.05, 1800, 3600),
         "111111111911111333444111111111111111111111"),
        (qc.attenuated(VALUES, SECONDS, 0.2, 0.05, **HOUR),
         "434333111911333344444111111111111111111111"),
        (qc.attenuated(VALUES, SECONDS, 0.2, 0.05, **HOUR, least=6),
         "222223111922222344444111111111111111111111"),
        (qc.attenuated(VALUES, SECONDS, 0.5, 0.1, **HOUR, check="range"),
         "444333111922222344444111111111111111111111"),
        (qc.attenuated(VALUES, SECONDS, 0.5, 0.1, **HOUR, least=4, check="range"),
         "222333111922222344444111111111111111111111"),
        (qc.attenuated(VALUES, SECONDS, 4, 1), "333333333933333333333333333333333333333333"),
        (qc.attenuated(VALUES, SECONDS, 30, 22, check="range"),
         "444444444944444444444444444444444444444444"),
        (qc.climatology(VALUES, DAYS, MONTHS), "113111311913222222211111133332222222222311"),
        (qc.climatology(VALUES, DAYS, QUARTERS), "223111311913333333333313444443132222222222"),
        (qc.climatology(VALUES, DAYS, WEEKS), "221111111913122222222222222222222222222222"),
        (qc.climatology(VALUES, DAYS, [SPRING]), "222221311913111111122222222222222222222222"),
    ],
    ids=["gross range", "spike", "rate of change", "flat line", "attenuated", "six values",
         "by range", "by range, four values", "whole", "whole by range", "months", "quarters",
         "weeks", "dates"],
)  # fmt: skip
def test_flags_of_the_reference(flags, expected):
    assert "".join(map(str, flags)) == expected
