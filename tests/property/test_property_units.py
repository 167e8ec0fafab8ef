"""Units: there and back, whatever the units."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.units import _symbols, canonical, convert

FAMILIES = [
    ["mg/L", "ug/L", "g/m3", "kg/m3", "ng/mL"],
    ["degC", "K", "degF"],
    ["m3/s", "L/s", "km3/a", "m3/d"],
    ["uS/cm", "mS/m", "dS/m"],
    ["hPa", "kPa", "mmHg", "atm", "dbar"],
    ["ind/km2", "ind/ha"],
]
PAIRS = st.sampled_from([(a, b) for family in FAMILIES for a in family for b in family])


@settings(max_examples=200, deadline=None)
@given(pair=PAIRS, value=st.floats(-1e6, 1e6))
def test_there_and_back(pair: tuple[str, str], value: float) -> None:
    one, other = pair
    back = convert(convert([value], one, other), other, one)[0]
    assert back == pytest.approx(value, rel=1e-9, abs=1e-6)


@settings(max_examples=300, deadline=None)
@given(text=st.text(st.sampled_from("mgLl/скмu°CN·3-² as以计()10.^"), max_size=14))
def test_a_name_is_its_own_name(text: str) -> None:
    try:
        name = canonical(text)
    except UsageError:
        return
    assert canonical(name) == name


@settings(max_examples=100, deadline=None)
@given(one=st.sampled_from(sorted(_symbols())), other=st.sampled_from(sorted(_symbols())))
def test_a_conversion_is_a_number_or_a_refusal(one: str, other: str) -> None:
    try:
        got = convert([1.0], one, other)
    except NotComputable:
        return
    assert np.isfinite(got).all()
