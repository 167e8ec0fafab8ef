"""Nutrients told as the ion or as the element: the same water, two numbers."""

from __future__ import annotations

from typing import Final

#: Molar mass over the number of atoms of the element, g/mol (IUPAC 2021 conventional values:
#: H 1.008, C 12.011, N 14.007, O 15.999, Si 28.085, P 30.974, S 32.06, Ca 40.078).
_PER_ATOM: Final = {
    "N": {"N": 14.007, "NO3": 62.004, "NO2": 46.005, "NH4": 18.039, "NH3": 17.031},
    "P": {"P": 30.974, "PO4": 94.970, "P2O5": 70.9715},
    "S": {"S": 32.06, "SO4": 96.056},
    "SI": {"SI": 28.085, "SIO2": 60.083},
    "CA": {"CA": 40.078, "CACO3": 100.086},
}


def speciation_factor(basis: str, wanted: str) -> float | None:
    """What to multiply a concentration told as ``basis`` with to tell it as ``wanted``.

    factor = molar mass of ``wanted`` per atom / molar mass of ``basis`` per atom of the element
    they share: nitrate told as N times 4.4266 is nitrate told as NO3.

    Args:
        basis: ``N``, ``NO3``, ``NO2``, ``NH4``, ``NH3``, ``P``, ``PO4``, ``P2O5``, ``S``,
            ``SO4``, ``Si``, ``SiO2``, ``Ca`` or ``CaCO3``; case, ``as`` before it and charges
            do not matter.
        wanted: the same.

    Returns:
        The factor, no unit; None where the two share no element or one is not known. Equal
        names give 1 whatever they are.

    >>> round(speciation_factor("as N", "NO3-"), 4)
    4.4266
    >>> speciation_factor("N", "P") is None
    True
    """
    here, there = _plain(basis), _plain(wanted)
    if here == there:
        return 1.0
    for masses in _PER_ATOM.values():
        if here in masses and there in masses:
            return masses[there] / masses[here]
    return None


def _plain(basis: str) -> str:
    name = basis.strip().upper().removeprefix("AS ").split("(")[0]
    return "".join(c for c in name if c.isalnum() and c.isascii())
