"""What controls say, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from ecotone.model import custody
from ecotone.science.water import control_chart, ions, laboratory
from ecotone.science.water.stream_qc import FAIL, MISSING, NOT_EVALUATED, PASS, SUSPECT

NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "kind", "limit", "smallest", "flag"),
    [
        (0.04, 0, 0.05, NAN, PASS),
        (0.05, 0, 0.05, NAN, FAIL),
        (0.09, 0, 0.05, 1.0, PASS),
        (0.10, 0, 0.05, 1.0, FAIL),
        (0.05, -1, 0.05, NAN, PASS),
        (0.20, -1, 0.05, 1.0, NOT_EVALUATED),
        (0.20, 0, NAN, NAN, NOT_EVALUATED),
        (NAN, 0, 0.05, 1.0, MISSING),
    ],
)
def test_blanks(value, kind, limit, smallest, flag):
    assert laboratory.blank(value, kind, limit, smallest) == flag


@pytest.mark.parametrize(
    ("a", "ka", "b", "kb", "limit", "flag"),
    [
        (10.0, 0, 12.0, 0, 0.1, PASS),  # 18.2 %
        (10.0, 0, 12.5, 0, 0.1, FAIL),  # 22.2 %
        (0.20, 0, 0.28, 0, 0.1, PASS),  # 33 %, yet closer than one limit
        (0.20, 0, 0.35, 0, 0.1, FAIL),
        (0.20, 0, 0.28, 0, NAN, SUSPECT),
        (0.10, -1, 0.10, -1, 0.1, PASS),
        (0.10, -1, 0.05, 0, 0.1, PASS),
        (0.10, -1, 0.15, 0, 0.1, NOT_EVALUATED),
        (0.10, -1, 0.25, 0, 0.1, FAIL),
        (NAN, 0, 0.25, 0, 0.1, MISSING),
    ],
)
def test_duplicates(a, ka, b, kb, limit, flag):
    assert laboratory.duplicate(a, ka, b, kb, limit) == flag
    assert laboratory.duplicate(b, kb, a, ka, limit) == flag, "whichever is called the duplicate"


def test_recoveries():
    assert_allclose(laboratory.recovery([15, 15, 15], [5, 0, NAN], [10, 10, 10]), [100, NAN, NAN])
    flags = laboratory.judge_recovery([75, 74.9, 125.1, NAN])
    assert flags.tolist() == [PASS, FAIL, FAIL, MISSING]
    assert laboratory.judge_recovery(10, added=2.5, background=10) == FAIL
    assert laboratory.judge_recovery(10, added=2.4, background=10) == NOT_EVALUATED


def test_detection_limits_of_spikes_and_blanks():
    spikes = [1.0, 1.2, 0.9, 1.1, 1.0, 0.8, 1.0]
    t = 3.142668403290985  # t(6, 0.99)
    of_spikes = t * np.std(spikes, ddof=1)
    assert_allclose(laboratory.detection_limit(spikes)[0], of_spikes)
    numbers = [0.1, 0.2, 0.1, 0.3, 0.2, 0.1, 0.2]
    assert_allclose(
        laboratory.detection_limit(spikes, numbers)[1],
        np.mean(numbers) + t * np.std(numbers, ddof=1),
    )
    below = [-x for x in numbers]
    assert_allclose(laboratory.detection_limit(spikes, below)[1], t * np.std(numbers, ddof=1))
    assert laboratory.detection_limit(spikes, [0.3, 0.2] + [NAN] * 6)[1] == 0.3
    assert np.isnan(laboratory.detection_limit(spikes, [NAN] * 7)[1])
    many = [NAN] * 100 + [0.4, 0.5, 0.6, 0.7]
    assert laboratory.detection_limit(spikes, many)[1] == 0.6, "the 103rd of 104"
    assert laboratory.detection_limit(spikes, [NAN] * 200 + [0.4])[1] == 0.4


def test_dissolved_is_not_more_than_total():
    flags = laboratory.part_of_whole(
        [1, 2.2, 2.3, 1, 3, 1, 3, NAN], [0, 0, 0, -1, -1, 0, 0, 0],
        [2, 2.0, 2.0, 2, 2, 2, 2, 2], [0, 0, 0, 0, 0, -1, -1, 0],
    )  # fmt: skip
    assert flags.tolist() == [
        PASS, SUSPECT, FAIL, PASS, NOT_EVALUATED, NOT_EVALUATED, FAIL, MISSING,
    ]  # fmt: skip


def test_holding_times():
    flags = laboratory.holding([48, 48.1, NAN, 1, -1], [48, 48, 48, NAN, NAN])
    assert flags.tolist() == [PASS, FAIL, NOT_EVALUATED, NOT_EVALUATED, FAIL]


def test_uncertainty_after_nordtest():
    u, within, bias = laboratory.expanded_uncertainty([0.9, 1.0, 1.1], [0.95, 1.05], 0.02)
    assert_allclose([within, bias], [0.1, np.hypot(0.05, 0.02)])
    assert_allclose(u, 2 * np.sqrt(0.1**2 + 0.05**2 + 0.02**2))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: laboratory.blank(1, 0, 1, share=1.0),
        lambda: laboratory.duplicate(1, 0, 1, 0, 1, limit=0),
        lambda: laboratory.judge_recovery(1, 100, 90),
        lambda: laboratory.detection_limit([1.0] * 6),
        lambda: laboratory.detection_limit([1.0] * 6 + [NAN]),
        lambda: laboratory.detection_limit([1.0] * 7, [1.0] * 6),
        lambda: laboratory.part_of_whole(1, 0, 1, 0, -0.1),
        lambda: laboratory.expanded_uncertainty([1.0], [1.0]),
        lambda: control_chart.centre([1.0]),
        lambda: control_chart.scores([1.0], control_chart.Centre(1.0, 0.0, 5)),
        lambda: control_chart.cusum([1.0], slack=-1),
        lambda: control_chart.ewma([1.0], weight=0),
        lambda: ions.charge_balance({"calcium": [1.0]}),
        lambda: ions.judge_balance(1, 1, 0),
    ],
)
def test_settings_that_make_no_sense(wrong):
    with pytest.raises(ValueError):
        wrong()


def test_westgard_rules_one_by_one():
    def hits(rule, z):
        return np.flatnonzero(control_chart.westgard(z)[rule]).tolist()

    assert hits("1_2s", [0, 2.1, -2.1, 2.0]) == [1, 2]
    assert hits("1_3s", [0, 3.1, -3.1, 3.0]) == [1, 2]
    assert hits("2_2s", [2.1, 2.1, 2.1, 0, -2.1, 2.1]) == [1, 2]
    assert hits("R_4s", [2.1, -2.1, 0, -2.1, 2.1]) == [1, 4]
    assert hits("4_1s", [1.1] * 5 + [0, -1.1, -1.1, -1.1, -1.1]) == [3, 4, 9]
    assert hits("10_x", [0.1] * 11 + [-0.1] * 10) == [9, 10, 20]
    assert hits("10_x", [0.1] * 5 + [NAN] + [0.1] * 9) == [], "a gap ends a row"


def test_charts_see_a_small_lasting_shift():
    rng = np.random.default_rng(3)
    z = np.concatenate([rng.standard_normal(30), 1.5 + rng.standard_normal(20)])
    assert not control_chart.cusum(z[:30])[2].any() and control_chart.cusum(z)[2][30:].any()
    assert control_chart.ewma(z)[2][30:].any()
    up, down, _ = control_chart.cusum([1, -2, 3], slack=0.5)
    assert_allclose(up, [0.5, 0, 2.5])
    assert_allclose(down, [0, 1.5, 0])
    mean, limit, _ = control_chart.ewma([1, 0], weight=0.5, width=3)
    assert_allclose(mean, [0.5, 0.25])
    assert_allclose(limit, [3 * np.sqrt(1 / 3 * 0.75), 3 * np.sqrt(1 / 3 * 0.9375)])


def test_centre_by_moving_range_is_not_widened_by_a_drift():
    drifting = np.arange(20.0)
    assert control_chart.centre(drifting).sd > 5
    assert_allclose(control_chart.centre(drifting, moving=True).sd, 1 / 1.128379167095513)


def test_ions_balance_and_conduct():
    meq = {"calcium": [2.0, NAN], "sodium": [1.0, 1.0], "bicarbonate": [2.7, 2.7]}
    error, total = ions.charge_balance(meq)
    assert_allclose(error, [100 * 0.3 / 5.7, NAN])
    assert_allclose(total[0], 5.7)
    assert ions.judge_balance([5.1, 5.1, 0], [3.0, 2.9, NAN]).tolist() == [FAIL, PASS, PASS]
    assert np.isnan(ions.calculated_conductivity(meq)[1])


@pytest.mark.parametrize(
    ("salt", "measured"),
    [
        (("potassium", "chloride", 10.0), 1412.0),  # certificates of standard solutions
        (("potassium", "chloride", 1.0), 146.9),
        (("sodium", "chloride", 1.0), 123.7),  # CRC Handbook, equivalent conductivities
        (("sodium", "chloride", 10.0), 1184.5),
        (("calcium", "chloride", 10.0), 1203.0),
    ],
)
def test_conductivity_of_known_solutions(salt, measured):
    cation, anion, meq = salt
    found = ions.calculated_conductivity({cation: [meq], anion: [meq]})
    assert_allclose(found, measured, rtol=0.015)


def steps(*rows: dict[str, object]) -> pd.DataFrame:
    empty = dict.fromkeys(("by", "handed_to", "seal", "seal_state"), "")
    frame = pd.DataFrame(
        [{"sample": "a", **empty, "temperature_c": NAN, "signed": True, **r} for r in rows]
    )
    frame["time"] = pd.to_datetime(frame["time"], utc=True)
    return frame


SOUND = (
    {"kind": "collected", "time": "2024-01-01T09:00", "by": "Ana"},
    {"kind": "sealed", "time": "2024-01-01T09:10", "by": "Ana", "seal": "7"},
    {"kind": "handed over", "time": "2024-01-01T15:00", "by": "Ana", "handed_to": "Bo"},
    {"kind": "received", "time": "2024-01-01T18:00", "by": "Bo", "seal": "7",
     "seal_state": "intact", "temperature_c": 5.0},
    {"kind": "analysed", "time": "2024-01-02T10:00", "by": "Bo"},
    {"kind": "disposed", "time": "2024-03-01T10:00", "by": "Bo"},
)  # fmt: skip


def test_a_sound_chain_has_no_fault():
    assert custody.faults(steps(*SOUND)).empty
    assert custody.faults(steps(*SOUND[::-1])).empty, "in whatever order it is written down"


@pytest.mark.parametrize(
    ("step", "change", "fault"),
    [
        (0, None, "not-collected"),
        (2, None, "not-handed-over"),
        (4, {"time": None}, "undated"),
        (3, {"time": "2024-01-01T08:00"}, "backwards"),
        (4, {"time": "2024-01-01T17:00"}, "backwards"),
        (3, {"by": "Cem"}, "other-hands"),
        (3, {"seal_state": "broken"}, "seal-broken"),
        (3, {"seal": "8"}, "seal-differs"),
        (3, {"temperature_c": 8.1}, "too-warm"),
        (2, {"signed": False}, "unsigned"),
        (5, {"time": "2024-01-02T09:00"}, "after-disposal"),
    ],
)
def test_each_fault_of_a_chain(step, change, fault):
    rows = [dict(r) for r in SOUND]
    if change is None:
        del rows[step]
    else:
        rows[step] |= change
    assert fault in custody.faults(steps(*rows))["fault"].tolist()


def test_a_chain_that_ends_on_the_way_and_one_given_by_a_stranger():
    assert custody.faults(steps(*SOUND[:3]))["fault"].tolist() == ["never-received"]
    again = (
        {"kind": "handed over", "time": "2024-01-01T20:00", "by": "Dan", "handed_to": "Eve"},
        {"kind": "received", "time": "2024-01-01T21:00", "by": "Eve"},
    )
    found = custody.faults(steps(*SOUND[:4], *again))
    assert found["fault"].tolist() == ["other-hands"]
    assert found["told"].tolist() == ["Bo / Dan"]
