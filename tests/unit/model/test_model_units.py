"""Units: spellings of three languages, bases that are never crossed in silence, conversions."""

from __future__ import annotations

import pytest

from ecotone.model import units
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.substances import basis, formula, molar_mass, share
from ecotone.model.units import basis_of, canonical, convert, known, split_basis


@pytest.mark.parametrize(
    ("name", "spellings"),
    [
        ("mg/L", "mg/l|mg/L|mg L-1|mg·L⁻¹|мг/л|мг/дм3|мг/дм³|мг/куб.дм|毫克/升|MG/L|mg per liter"),
        ("ug/L", "µg/l|μg/L|ug/l|mcg/L|мкг/л|мкг/дм3|微克/升"),
        ("uS/cm", "µS/cm|μS/cm|uS/cm|umho/cm|мкСм/см|微西门子/厘米"),
        ("degC", "°C|℃|°С|deg C|град. С|гр.С|摄氏度|celsius"),
        ("m3/s", "m3/s|m³/s|m^3/s|m3 s-1|m³·s⁻¹|м3/с|м³/с|куб.м/с|м3/сек|立方米/秒"),
        ("1", "pH|ед. pH|ед.рН|pH units|无量纲|-"),
        ("NTU", "NTU|ntu"),
        ("FTU", "FTU|ЕМФ"),
        ("CFU/100mL", "CFU/100 mL|CFU/100mL|КОЕ/100 мл"),
        ("meq/L", "meq/L|мг-экв/л|мг-экв/дм3|°Ж"),
        ("mmHg", "mmHg|мм рт.ст.|мм рт. ст."),
        ("1000000m3", "млн м3|10^6 m3|1000000 м³"),
        ("10000m3", "万m3|万 立方米"),
        ("g/m2/d", "g/m2/d|g/(m2*d)|г/(м2·сут)|g m-2 d-1"),
        ("ind/km2", "ind/km2|экз/км2|особей/км2"),
        ("mm/a", "mm/yr|мм/год|mm/year"),
        ("%", "%|percent|проц.|百分比|% sat"),
        ("K/100m", "°C/100m|°С/100 м"),
        ("1/s", "s-1|1/s|1/с"),
    ],
)
def test_spellings(name: str, spellings: str) -> None:
    assert {text: canonical(text) for text in spellings.split("|")} == dict.fromkeys(
        spellings.split("|"), name
    )


@pytest.mark.parametrize(
    "text", ["", " ", "foo", "mg/foo", "mg/L as foo", "mg//L", "ppt", "m0", "12"]
)
def test_what_is_no_unit_is_refused(text: str) -> None:
    assert not known(text)
    with pytest.raises(UsageError):
        canonical(text)


@pytest.mark.parametrize(
    ("text", "unit", "counted_as"),
    [
        ("mg/L as N", "mg/L", "N"),
        ("mg N/L", "mg/L", "N"),
        ("мг N/л", "mg/L", "N"),
        ("мгN/дм3", "mg/L", "N"),
        ("mg(N)/L", "mg/L", "N"),
        ("mg N L-1", "mg/L", "N"),
        ("mg/L (N)", "mg/L", "N"),
        ("mg/l-N", "mg/L", "N"),
        ("mg/L NO3-N", "mg/L", "N"),
        ("mg/L NO3", "mg/L", "NO3"),
        ("mg NO3/L", "mg/L", "NO3"),
        ("мг/л в пересчёте на азот", "mg/L", "N"),
        ("мг/л (в пересчете на фосфор)", "mg/L", "P"),
        ("мг/л по азоту", "mg/L", "N"),
        ("mg/L(以N计)", "mg/L", "N"),
        ("毫克/升以氮计", "mg/L", "N"),
        ("mg/L as CaCO3", "mg/L", "CaCO3"),
        ("мг/л по СаСО3", "mg/L", "CaCO3"),  # Cyrillic letters in the formula
        ("мг О2/дм3", "mg/L", "O2"),
        ("µg P/L", "ug/L", "P"),
        ("kg N/ha", "kg/ha", "N"),
        ("mg/L", "mg/L", ""),
    ],
)
def test_the_basis_is_read_and_kept(text: str, unit: str, counted_as: str) -> None:
    assert split_basis(text) == (unit, counted_as)
    assert canonical(text) == (f"{unit} as {counted_as}" if counted_as else unit)
    assert canonical(canonical(text)) == canonical(text)


def test_a_basis_of_its_own() -> None:
    assert [basis_of(t) for t in ("N", "as NO3", "азот", "以N计", "NO3-N", "N-NO3", "none")] == [
        "N", "NO3", "N", "N", "N", "N", None,
    ]  # fmt: skip
    assert basis("SO4-N") is None  # there is no nitrogen in it


@pytest.mark.parametrize(
    ("value", "start", "end", "expected"),
    [
        (1.0, "mg/L", "ug/L", 1000.0),
        (1.0, "мг/л", "g/m3", 1.0),
        (1.0, "mS/cm", "µS/cm", 1000.0),
        (25.0, "degC", "K", 298.15),
        (-40.0, "degF", "degC", -40.0),
        (6.5, "K/km", "K/100m", 0.65),
        (1.0, "km3", "млн м3", 1000.0),
        (1.0, "CFU/100mL", "CFU/L", 10.0),
        (1.0, "м3/с", "л/с", 1000.0),
        (5.0, "FTU", "NTU", 5.0),
        (760.0, "mmHg", "hPa", 1013.25),
        (1.0, "g/m2/d", "kg/ha/d", 10.0),
        (10.0, "%", "‰", 100.0),
        (7.2, "pH", "1", 7.2),
    ],
)
def test_conversions(value: float, start: str, end: str, expected: float) -> None:
    assert convert([value], start, end)[0] == pytest.approx(expected, rel=1e-6)


def test_a_basis_is_crossed_only_with_the_substance_named() -> None:
    # 14.007 / (14.007 + 3 * 15.999)
    assert convert([50.0], "mg/L as NO3", "mg/L as N", property="nitrate")[0] == pytest.approx(
        50 * 14.007 / 62.004
    )
    assert convert([1.0], "mg/L as N", "ug/L as NO3", property="NO3")[0] == pytest.approx(
        4426.6, abs=0.1
    )
    for start, end, named in (
        ("mg/L as N", "mg/L as NO3", None),
        ("mg/L as N", "mg/L", "nitrate"),
        ("mg/L", "mg/L as N", "nitrate"),
        ("mg/L as P", "mg/L as N", "nitrate"),
        ("mg/L as N", "mg/L as NO3", "turbidity"),
    ):
        with pytest.raises(NotComputable):
            convert([1.0], start, end, property=named)


def test_moles_to_mass_needs_the_substance() -> None:
    assert convert([1.0], "mmol/L", "mg/L", property="nitrate")[0] == pytest.approx(62.004)
    assert convert([62.004], "mg/L", "mmol/L", property="nitrate")[0] == pytest.approx(1.0)
    assert convert([1.0], "umol/L as N", "ug/L as N", property="nitrate")[0] == pytest.approx(
        14.007
    )
    for start, end in (("mmol/L", "mg/L"), ("NTU", "FNU"), ("mg/L", "ug/kg"), ("m", "s")):
        with pytest.raises(NotComputable):
            convert([1.0], start, end)


def test_every_symbol_of_the_table_is_a_pint_unit() -> None:
    for symbol in units._symbols():
        assert canonical(symbol) == symbol
        assert units._expression(symbol).magnitude > 0


def test_masses() -> None:
    assert molar_mass("CaCO3") == pytest.approx(100.086)
    assert share("N", "NH4") == 14.007
    assert share("Cl", "NO3") is None
    assert formula("Lead") == "Pb"
    assert formula("x1") is None
