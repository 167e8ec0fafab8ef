"""Units as people write them, one name for each, and the way from one to another.

``canonical`` reads English, Russian and Chinese spellings into plain ASCII names (``mg/L``,
``uS/cm``, ``m3/s``); ``convert`` stands on the one pint registry of the package. What a
concentration is counted *as* (nitrate as N or as NO3) is part of the unit here: it is never
dropped, and never crossed without the substance being named.
"""

from __future__ import annotations

import csv
import functools
import re
import unicodedata
from importlib import resources
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecotone.model import substances
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.words import say

if TYPE_CHECKING:
    import pint

#: Units of our own: counts that are no plain numbers, and scales tied to one method. Formazin
#: units agree by calibration (NTU, FTU); FNU is measured in infrared light and stays apart.
_DEFINITIONS: Final = (
    "NTU = [turbidity]",
    "FTU = NTU",
    "FNU = [turbidity_infrared]",
    "TCU = [colour]",
    "PSU = [practical_salinity]",
    "CFU = [colony]",
    "MPN = [most_probable_number]",
    "individual = [individual]",
    "cell = [cell]",
    "equivalent = [equivalent] = eq",
    "ppb = 1e-9",
)
_SAME_MARK: Final = str.maketrans(
    {"μ": "u", "−": "-", "–": "-", "•": "*", "∙": "*", "·": "*", "⋅": "*", "×": "*", "∕": "/",
     "ё": "е", "\u00a0": " "}
)  # fmt: skip
_NUMBERS: Final = {"тыс": "1000", "тыс.": "1000", "млн": "1000000", "млн.": "1000000"}
_HAN_NUMBERS: Final = str.maketrans({"万": "10000 ", "亿": "100000000 "})
_AS: Final = re.compile(r"^(?:as|по|в пересчете на|以)\s*", re.IGNORECASE)
_POWER: Final = re.compile(r"10\^?(?<=\^)(\d{1,2})")
_PER: Final = re.compile(r"\s+(?:per|на|за|в)\s+|每")
_FACTOR: Final = re.compile(r"(?P<number>\d+(?:\.\d+)?)?(?P<name>[^\d\s]*?)(?P<power>[+-]?\d)?")


def canonical(text: str) -> str:
    """The one name of a unit, its basis kept (``mg/L as N``); UsageError for an unknown unit.

    >>> [canonical(t) for t in ("мг/дм³", "毫克/升", "µS cm-1", "°C", "кг N/га", "ед. pH")]
    ['mg/L', 'mg/L', 'uS/cm', 'degC', 'kg/ha as N', '1']
    """
    unit, basis = split_basis(text)
    return f"{unit} as {basis}" if basis else unit


@functools.lru_cache(maxsize=8192)
def split_basis(text: str) -> tuple[str, str]:
    """The name of a unit without its basis, and the basis ("" for none).

    >>> split_basis("mg/L as N"), split_basis("мгN/л"), split_basis("mg/L (以N计)")
    (('mg/L', 'N'), ('mg/L', 'N'), ('mg/L', 'N'))
    >>> split_basis("mg NO3/L"), split_basis("µg/l NO3-N")
    (('mg/L', 'NO3'), ('ug/L', 'N'))
    """
    plain = unicodedata.normalize("NFKC", text).translate(_SAME_MARK).strip()
    name = _name(plain)
    if name is not None:
        return name, ""
    for unit, words in substances.split(plain):
        basis, name = substances.basis(words), _name(unit)
        if basis is not None and name is not None:
            return name, basis
    raise UsageError(say("units.unknown", unit=text), say("units.unknown.do"))


def basis_of(text: str) -> str | None:
    """The basis that a text of its own names (``N``, ``as NO3``, ``азот``), or None.

    >>> basis_of("по азоту"), basis_of("as NO3"), basis_of("filtered")
    ('N', 'NO3', None)
    """
    plain = unicodedata.normalize("NFKC", text).translate(_SAME_MARK).strip()
    return substances.basis(_AS.sub("", plain).removesuffix("计"))


def known(text: str) -> bool:
    """Whether a text names a unit."""
    try:
        split_basis(text)
    except UsageError:
        return False
    return True


def convert(
    values: ArrayLike, from_unit: str, to_unit: str, *, property: str | None = None
) -> NDArray[np.float64]:
    """Numbers in another unit.

    Args:
        values: numbers in ``from_unit``.
        from_unit: any spelling that :func:`canonical` takes, with its basis where it has one.
        to_unit: the same.
        property: the substance (``nitrate``, ``NO3``). Only with it, and with both bases given,
            does a value cross from one basis to another, or from moles to mass.

    >>> convert([50.0], "mg/L as NO3", "mg/L as N", property="nitrate").round(3).tolist()
    [11.295]
    >>> convert([20.0, -40.0], "°C", "degF").round(6).tolist()
    [68.0, -40.0]
    """
    numbers = np.asarray(values, dtype=np.float64)
    (start, basis), (end, wanted) = split_basis(from_unit), split_basis(to_unit)
    factor = 1.0
    if basis != wanted:
        factor = _across(basis, wanted, property, from_unit, to_unit)
    if start == end:
        return numbers * factor
    ureg = registry()
    source, target = _expression(start), _expression(end)
    if source.dimensionality == target.dimensionality:
        if "degC" in (start, end) or "degF" in (start, end):
            moved = ureg.Quantity(numbers * factor, source.units).to(target.units).magnitude
            return np.asarray(moved, dtype=np.float64)
        return numbers * (factor * float((source / target).to_base_units().magnitude))
    mass = _molar_mass(wanted, property)
    for molar in (mass, 1 / mass) if mass is not None else ():
        ratio = source * molar / target
        if ratio.dimensionless:
            return numbers * (factor * float(ratio.to_base_units().magnitude))
    raise NotComputable(
        say("units.not-comparable", one=from_unit, other=to_unit), say("units.not-comparable.do")
    )


def _across(basis: str, wanted: str, named: str | None, one: str, other: str) -> float:
    """What a number as one basis is multiplied by to be one as another."""
    substance = None if named is None else substances.formula(named)
    if substance is not None and basis and wanted:
        shares = substances.share(basis, substance), substances.share(wanted, substance)
        if shares[0] is not None and shares[1] is not None:
            return shares[1] / shares[0]
    raise NotComputable(
        say("units.basis-differs", one=one, other=other), say("units.basis-differs.do")
    )


def _molar_mass(basis: str, named: str | None) -> pint.Quantity[float] | None:
    """Mass of a mole of a basis, else of the substance itself."""
    substance = substances.formula(basis or named or "") if named is not None else None
    if substance is None:
        return None
    grams = substances.molar_mass(substance)
    return registry().Quantity(grams, "gram / mole")


@functools.cache
def registry() -> pint.UnitRegistry[float]:
    """The one pint registry; made at the first conversion (pint takes a while to load)."""
    import pint

    ureg: pint.UnitRegistry[float] = pint.UnitRegistry()
    for line in _DEFINITIONS:
        ureg.define(line)
    return ureg


@functools.lru_cache(maxsize=1024)
def _expression(name: str) -> pint.Quantity[float]:
    """A canonical name as a pint quantity."""
    if name in _symbols():
        return _whole(name)
    total: pint.Quantity[float] = registry().Quantity(1.0)
    for place, side in enumerate(name.split("/")):
        for factor in side.split("*"):
            part = _part(factor)
            total = total / part if place else total * part
    return total


def _part(factor: str) -> pint.Quantity[float]:
    """One factor of a canonical name: a number, a symbol, a power."""
    if factor in _symbols():
        return _whole(factor)
    found = re.fullmatch(r"(\d+(?:\.\d+)?)?(.*?)([2-9])?", factor)
    if found is None:
        raise UsageError(say("units.unknown", unit=factor), say("units.unknown.do"))
    part: pint.Quantity[float] = registry().Quantity(float(found[1] or 1))
    return part * _whole(found[2]) ** int(found[3] or 1) if found[2] else part


def _whole(symbol: str) -> pint.Quantity[float]:
    return registry().Quantity(1.0, _symbols()[symbol])


@functools.cache
def _symbols() -> dict[str, str]:
    """``{symbol: pint's expression}``."""
    return {line["symbol"]: line["pint"] for line in _lines()}


@functools.cache
def _aliases() -> dict[str, str]:
    """``{spelling: symbol}``, exact."""
    found: dict[str, str] = {}
    for line in _lines():
        for alias in (line["symbol"], *line["aliases"].split("|")):
            spelled = unicodedata.normalize("NFKC", alias).translate(_SAME_MARK).strip()
            if spelled and found.setdefault(spelled, line["symbol"]) != line["symbol"]:
                raise UsageError(f"The unit spelling '{spelled}' has two meanings in units.csv.")
    return found


@functools.cache
def _loose_aliases() -> dict[str, str]:
    """The same without case, where that leaves one meaning."""
    loose: dict[str, set[str]] = {}
    for alias, symbol in _aliases().items():
        if len(alias) > 1:
            loose.setdefault(alias.casefold(), set()).add(symbol)
    return {alias: symbols.pop() for alias, symbols in loose.items() if len(symbols) == 1}


@functools.cache
def _lines() -> tuple[dict[str, str], ...]:
    text = resources.files("ecotone.model").joinpath("units.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def _symbol(word: str) -> str | None:
    spelled = " ".join(word.split())
    return _aliases().get(spelled) or _loose_aliases().get(spelled.casefold())


def _name(plain: str) -> str | None:
    """The canonical name of a unit without basis, or None."""
    whole = _symbol(plain)
    if whole is not None:
        return whole
    if not plain:
        return None
    spelled = _POWER.sub(
        lambda m: "1" + "0" * int(m[1]), _PER.sub("/", plain.translate(_HAN_NUMBERS))
    )
    spelled = spelled.replace("**", "").replace("^", "")
    above: list[str] = []
    below: list[str] = []
    for place, side in enumerate(spelled.split("/")):
        factors = _factors(side.strip().removeprefix("(").removesuffix(")").strip())
        if factors is None:
            return None
        for text, power in factors:
            if (power > 0) == (place == 0):
                above.append(text + (str(abs(power)) if abs(power) > 1 else ""))
            else:
                below.append(text + (str(abs(power)) if abs(power) > 1 else ""))
    if not above and not below:
        return None
    return _tidy("/".join(["*".join(above) or "1", *below]))


def _tidy(name: str) -> str:
    """A composed name that the table holds as a symbol is that symbol."""
    return _aliases().get(name, name)


def _factors(side: str) -> list[tuple[str, int]] | None:
    """``(symbol with its number, power)`` of what is multiplied on one side of a stroke."""
    if side == "1":
        return []
    found: list[tuple[str, int]] = []
    number = ""
    for word in _words(side):
        if word in _NUMBERS or re.fullmatch(r"\d+(?:\.\d+)?", word):
            number += _NUMBERS.get(word, word)
            continue
        symbol, power = _symbol(word), 1
        if symbol is None:
            match = _FACTOR.fullmatch(word)
            if match is None or not match["name"]:
                return None
            symbol, power = _symbol(match["name"]), int(match["power"] or 1)
            number += match["number"] or ""
        if symbol is None or symbol == "1" or power == 0 or "/" in symbol:
            return None
        if symbol in ("degC", "degF"):
            # Inside a product a temperature is a difference: there the scale's zero is no matter.
            symbol = {"degC": "K", "degF": symbol}[symbol]
        found.append((number + symbol, power))
        number = ""
    return found if not number and found else None


def _words(side: str) -> list[str]:
    """The factors of a side: parted by stars and blanks, unless a spelling holds the blank."""
    words: list[str] = []
    for part in side.split("*"):
        spelled = " ".join(part.split())
        words.extend([spelled] if _symbol(spelled) else spelled.split(" "))
    return [word for word in words if word]
