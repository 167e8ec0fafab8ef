"""What a concentration is counted as: chemical bases in words and formulas, and their masses.

Standard atomic weights, abridged: CIAAW 2021 (doi:10.1515/pac-2019-0603).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Final

_WEIGHTS: Final = {
    "H": 1.008, "C": 12.011, "N": 14.007, "O": 15.999, "F": 18.998, "Na": 22.990, "Mg": 24.305,
    "Al": 26.982, "Si": 28.085, "P": 30.974, "S": 32.06, "Cl": 35.45, "K": 39.098, "Ca": 40.078,
    "Cr": 51.996, "Mn": 54.938, "Fe": 55.845, "Ni": 58.693, "Cu": 63.546, "Zn": 65.38,
    "As": 74.922, "Se": 78.971, "Cd": 112.41, "Hg": 200.59, "Pb": 207.2, "U": 238.03, "B": 10.81,
}  # fmt: skip
#: Bases in use; a trailing formula is taken for a basis only when it stands here.
_BASES: Final = (
    "N", "P", "C", "S", "Si", "O2", "NO3", "NO2", "NH4", "NH3", "PO4", "P2O5", "SO4", "SiO2",
    "CaCO3", "CaO", "HCO3", "CO3", "CO2", "Cl", "K2O",
)  # fmt: skip
_WORDS: Final = {
    **dict.fromkeys(("nitrogen", "азот", "азоту", "азота", "氮"), "N"),
    **dict.fromkeys(("phosphorus", "фосфор", "фосфору", "фосфора", "磷"), "P"),
    **dict.fromkeys(("carbon", "углерод", "углероду", "углерода", "碳"), "C"),
    **dict.fromkeys(("sulfur", "sulphur", "сера", "сере", "серу", "硫"), "S"),
    **dict.fromkeys(("silicon", "кремний", "кремнию", "硅"), "Si"),
    **dict.fromkeys(("nitrate", "нитрат", "нитраты", "нитратам", "硝酸盐"), "NO3"),
    **dict.fromkeys(("nitrite", "нитрит", "нитриты", "нитритам", "亚硝酸盐"), "NO2"),
    **dict.fromkeys(("ammonium", "аммоний", "аммонию", "铵"), "NH4"),
    **dict.fromkeys(("ammonia", "аммиак", "аммиаку", "氨"), "NH3"),
    **dict.fromkeys(("phosphate", "фосфат", "фосфаты", "фосфатам", "磷酸盐"), "PO4"),
    **dict.fromkeys(("sulfate", "sulphate", "сульфат", "сульфаты", "硫酸盐"), "SO4"),
    **dict.fromkeys(("oxygen", "кислород", "кислороду", "氧", "O"), "O2"),
    **dict.fromkeys(("calcium carbonate", "карбонат кальция", "碳酸钙"), "CaCO3"),
    **dict.fromkeys(("bicarbonate", "гидрокарбонат", "碳酸氢盐"), "HCO3"),
    **dict.fromkeys(("silica", "二氧化硅"), "SiO2"),
    **dict.fromkeys(("chloride", "хлорид", "хлориды", "氯化物"), "Cl"),
}
#: Elements named as a property, whose mass is that of the atom.
_ELEMENTS: Final = {
    "arsenic": "As", "lead": "Pb", "cadmium": "Cd", "mercury": "Hg", "chromium": "Cr",
    "copper": "Cu", "zinc": "Zn", "nickel": "Ni", "iron": "Fe", "manganese": "Mn", "uranium": "U",
    "selenium": "Se", "fluoride": "F", "boron": "B", "calcium": "Ca", "magnesium": "Mg",
    "sodium": "Na", "potassium": "K", "aluminium": "Al",
}  # fmt: skip
#: Cyrillic letters that stand for Latin ones in formulas.
_LATIN: Final = str.maketrans("АВЕКМНОРСТХ", "ABEKMHOPCTX")
_MASS: Final = r"(?:[kmun]?g|мк?г|[кн]?г|t|т|kg|кг|毫克|微克|克|千克|公斤)"
_FORMULA: Final = r"[A-ZА-Я][A-Za-zА-Яа-я0-9]*(?:[-–][A-ZА-Я][A-Za-zА-Я0-9]*)?"
#: "mg N/L", "мгN/л", "mg(NO3)/L", "мг О2/дм3"
_INSIDE: Final = re.compile(rf"({_MASS})[\s\-*(]*({_FORMULA})\)?\s*(/.*|[A-Za-zА-Яа-я]\S*-[123])")
#: "mg/L as N", "мг/л в пересчете на азот", "мг/л по азоту", "mg/L(以N计)"
_WORDED: Final = re.compile(
    r"(.+?)[\s(,]*(?:\bas\b|\bв пересчете на\b|\bв расчете на\b|\bпо\b|以)"
    r"\s*([^\s()][^()]*?)\s*计?\)?",
    re.IGNORECASE,
)
#: "mg/L NO3-N", "mg/L (N)", "mg/l-N"
_BEHIND: Final = re.compile(rf"(.+?)[\s\-(]+({_FORMULA})\)?")


def split(text: str) -> Iterator[tuple[str, str]]:
    """Ways to read a text as a unit and the words of a basis, surest first."""
    if found := _WORDED.fullmatch(text):
        yield found[1], found[2]
    if found := _INSIDE.fullmatch(text):
        joint = "" if found[3].startswith("/") else " "
        yield found[1] + joint + found[3], found[2]
    if found := _BEHIND.fullmatch(text):
        yield found[1], found[2]


def basis(words: str) -> str | None:
    """The basis that words or a formula name, or None.

    >>> basis("NO3-N"), basis("азот"), basis("СаСО3"), basis("K")
    ('N', 'N', 'CaCO3', None)
    """
    plain = " ".join(words.split())
    if plain.casefold() in _WORDS:
        return _WORDS[plain.casefold()]
    latin = plain.translate(_LATIN).replace("а", "a").replace("–", "-")
    if latin in ("O", "О"):
        return "O2"
    first, _, second = latin.partition("-")
    if second:
        # NO3-N and N-NO3 both mean: counted as the element.
        element = second if second in ("N", "P", "S", "C", "Si") else first
        whole = first if element == second else second
        good = element in ("N", "P", "S", "C", "Si") and element in atoms(whole)
        return element if good else None
    return latin if latin in _BASES else None


def formula(name: str) -> str | None:
    """The formula of a substance given by name or by formula itself, or None.

    >>> formula("nitrate"), formula("NO3"), formula("turbidity")
    ('NO3', 'NO3', None)
    """
    plain = name.strip()
    known = _WORDS.get(plain.casefold()) or _ELEMENTS.get(plain.casefold())
    return known or (plain if atoms(plain) else None)


@functools.lru_cache(maxsize=1024)
def atoms(text: str) -> dict[str, int]:
    """``{element: count}`` of a plain formula; empty where the text is none.

    >>> atoms("CaCO3")
    {'Ca': 1, 'C': 1, 'O': 3}
    """
    if not re.fullmatch(r"(?:[A-Z][a-z]?\d*)+", text):
        return {}
    counts: dict[str, int] = {}
    for element, number in re.findall(r"([A-Z][a-z]?)(\d*)", text):
        if element not in _WEIGHTS:
            return {}
        counts[element] = counts.get(element, 0) + int(number or 1)
    return counts


def molar_mass(text: str) -> float:
    """Grams in a mole of a formula.

    >>> round(molar_mass("NO3"), 3)
    62.004
    """
    return sum(_WEIGHTS[element] * count for element, count in atoms(text).items())


def share(base: str, substance: str) -> float | None:
    """Mass of a basis in one mole of a substance, grams; None where it is no part of it.

    >>> share("N", "NO3"), share("P", "NO3")
    (14.007, None)
    """
    if base == substance:
        return molar_mass(substance)
    inside = atoms(substance).get(base)
    return None if inside is None else inside * _WEIGHTS[base]
