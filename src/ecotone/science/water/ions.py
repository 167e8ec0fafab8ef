"""Major ions: do cations and anions balance, does the conductivity fit them?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecotone.science.water.stream_qc import FAIL, MISSING, PASS

Floats = NDArray[np.float64]
Flags = NDArray[np.uint8]

#: Sum of ions, meq/L, below which a balance may differ by more.
_DILUTE: Final = 3.0
#: Onsager's coefficients of water at 25 C: drag of the ion's cloud against, and of the solvent.
_RELAXATION: Final = 0.2289
_DRAG: Final = 30.1


@dataclass(frozen=True)
class Ion:
    """An ion as it is counted in a balance.

    Attributes:
        charge: signed.
        molar_mass: g/mol (CIAAW 2021, abridged).
        conductance: equivalent conductance at infinite dilution and 25 C, uS/cm per meq/L
            (Vanysek, CRC Handbook of Chemistry and Physics); NaN where not used.
    """

    charge: int
    molar_mass: float
    conductance: float


IONS: Final[Mapping[str, Ion]] = {
    "calcium": Ion(2, 40.078, 59.47),
    "magnesium": Ion(2, 24.305, 53.0),
    "sodium": Ion(1, 22.990, 50.08),
    "potassium": Ion(1, 39.098, 73.48),
    "ammonium": Ion(1, 18.039, 73.5),
    "chloride": Ion(-1, 35.45, 76.31),
    "sulfate": Ion(-2, 96.056, 80.0),
    "nitrate": Ion(-1, 62.004, 71.42),
    "bicarbonate": Ion(-1, 61.016, 44.5),
    "carbonate": Ion(-2, 60.008, 69.3),
    "fluoride": Ion(-1, 18.998, 55.4),
}


def equivalents(name: str, concentration: ArrayLike) -> Floats:
    """Milliequivalents per litre of an ion given in mg/L of the ion itself.

    Raises:
        KeyError: an ion that is not in ``IONS``.

    >>> equivalents("calcium", [40.078]).tolist()
    [2.0]
    """
    ion = IONS[name]
    return np.asarray(concentration, np.float64) * abs(ion.charge) / ion.molar_mass


def charge_balance(meq: Mapping[str, ArrayLike]) -> tuple[Floats, Floats]:
    """How far cations and anions differ, % of their sum, and that sum.

    100 (cations - anions) / (cations + anions). Standard Methods 1030 E; handbook of the field.

    Args:
        meq: milliequivalents per litre by name of the ion; NaN makes the sample NaN, so leave out
            ions that were not looked for.

    Returns:
        Error in % (positive: too many cations) and the sum of both, meq/L.

    Raises:
        KeyError: an ion that is not in ``IONS``.
        ValueError: no cation or no anion among them.

    >>> error, total = charge_balance({"calcium": [2.0], "bicarbonate": [1.8]})
    >>> error.round(4).tolist(), total.tolist()
    ([5.2632], [3.8])
    """
    signs = {name: np.sign(IONS[name].charge) for name in meq}
    if {1, -1} - set(signs.values()):
        raise ValueError("cations and anions are needed to balance them")
    parts = np.broadcast_arrays(*(np.asarray(meq[name], np.float64) for name in meq))
    total = np.sum(parts, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = 100 * sum(signs[n] * p for n, p in zip(meq, parts, strict=True)) / total
    return np.where(total > 0, error, np.nan), np.asarray(total, np.float64)


def judge_balance(
    error: ArrayLike, total: ArrayLike, limit: float = 5.0, dilute_limit: float = 10.0
) -> Flags:
    """A balance within its limit, which is wider in dilute water (sum below 3 meq/L).

    Args:
        error: balance, %.
        total: sum of cations and anions, meq/L.
        limit: largest difference, %.
        dilute_limit: largest difference of dilute water, %.

    Returns:
        A flag per sample.

    Raises:
        ValueError: limits not above 0.

    >>> judge_balance([4, -7, -7, float("nan")], [8, 8, 2, 2]).tolist()
    [1, 4, 1, 9]
    """
    if not (limit > 0 and dilute_limit > 0):
        raise ValueError("limits of a balance are above 0")
    e, t = np.asarray(error, np.float64), np.asarray(total, np.float64)
    most = np.where(t < _DILUTE, dilute_limit, limit)
    return np.asarray(np.select([np.isnan(e), np.abs(e) <= most], [MISSING, PASS], FAIL), np.uint8)


def calculated_conductivity(meq: Mapping[str, ArrayLike]) -> Floats:
    """Conductivity at 25 C that the ions give, uS/cm.

    Each ion loses conductance with the ionic strength I, mol/L, after Onsager, damped as by
    Robinson and Stokes (Electrolyte Solutions, 1959): l = l0 - (0.2289 z zc l0 + 30.1 z)
    sqrt(I) / (1 + sqrt(I)), z its charge and zc the mean charge of the ions against it. Within 1 %
    of KCl, NaCl and CaCl2 up to 0.01 eq/L; pairs of ions (MgSO4) are not taken into account.

    Args:
        meq: milliequivalents per litre by name of the ion.

    Returns:
        uS/cm; NaN where an ion is NaN.

    Raises:
        KeyError: an ion that is not in ``IONS``.

    >>> calculated_conductivity({"sodium": [1.0], "chloride": [1.0]}).round(1).tolist()
    [123.7]
    """
    given = {n: np.asarray(x, np.float64) for n, x in meq.items()}
    strength = np.asarray(sum(abs(IONS[n].charge) * x for n, x in given.items())) / 2000
    root = np.sqrt(strength) / (1 + np.sqrt(strength))
    counter = {sign: _mean_charge(given, sign) for sign in (1, -1)}
    total = np.zeros(())
    for name, amount in given.items():
        ion = IONS[name]
        z, against = abs(ion.charge), counter[-int(np.sign(ion.charge))]
        lost = _RELAXATION * z * against * ion.conductance + _DRAG * z
        total = total + amount * (ion.conductance - lost * root)
    return np.asarray(total, np.float64)


def _mean_charge(meq: Mapping[str, Floats], sign: int) -> Floats:
    """Mean charge of the cations or anions, by equivalents; 1 where there are none."""
    own = [n for n in meq if np.sign(IONS[n].charge) == sign]
    amount = np.asarray(sum(meq[n] for n in own), np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.asarray(sum(abs(IONS[n].charge) * meq[n] for n in own)) / amount
    return np.where(amount > 0, mean, 1.0)
