"""Nutrients told as the ion or as the element: the same water, two numbers."""

from __future__ import annotations

from typing import Final

#: Molar mass over the number of atoms of the element, g/mol (IUPAC 2007:
#: H 1.00794, C 12.0107, N 14.0067, O 15.9994, Si 28.0855, P 30.97376, S 32.065, Ca 40.078).
_PER_ATOM: Final = {
    "N": {"N": 14.0067, "NO3": 62.0049, "NO2": 46.0055, "NH4": 18.03846, "NH3": 17.03052},
    "P": {"P": 30.97376, "PO4": 94.97136, "P2O5": 70.97226},
    "S": {"S": 32.065, "SO4": 96.0626},
    "SI": {"SI": 28.0855, "SIO2": 60.0843},
    "CA": {"CA": 40.078, "CACO3": 100.0869},
}


def speciation_factor(basis: str, wanted: str) -> float | None:
    """What to multiply a concentration told as ``basis`` with to tell it as ``wanted``.

    factor = molar mass of ``wanted`` per atom / molar mass of ``basis`` per atom of the element
    they share: nitrate told as N times 4.4268 is nitrate told as NO3.

    Args:
        basis: ``N``, ``NO3``, ``NO2``, ``NH4``, ``NH3``, ``P``, ``PO4``, ``P2O5``, ``S``,
            ``SO4``, ``Si``, ``SiO2``, ``Ca`` or ``CaCO3``; case, ``as`` before it and charges
            do not matter.
        wanted: the same.

    Returns:
        The factor, no unit; None where the two share no element or one is not known. Equal
        names give 1 whatever they are.

    >>> round(speciation_factor("as N", "NO3-"), 4)
    4.4268
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
