"""Results brought to the unit that something asks for, and units that cannot be right."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicators.properties import Property, find, from_header
from ecotone.assess.indicators.reading import Notes, plain
from ecotone.assess.indicators.standards import Limit
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.units import convert, known, split_basis

#: A jump is at least this power of ten, and this close to a whole one.
_POWER = 0.8
_NEAR = 0.2
#: Slips of a factor of ten are those of conductivity (mS/m, uS/cm), of a thousand any (mg, ug).
_SLIPS = {1: frozenset({"conductivity"}), 3: None}
#: Parts of a record a unit slip leaves: each this narrow and this large, parted by half a decade.
_NARROW, _FEWEST_EACH, _PARTED = 0.5, 3, 0.5
#: Bacteria are counted as colonies, most probable numbers or individuals: numbers all.
_COUNTED = frozenset({"faecalcoliform", "totalcoliform", "ecoli"})
_COUNT = re.compile(r"^(CFU|MPN|individuals?|ind\.?|cells?|个|КОЕ|НВЧ)(?=\s*/)", re.IGNORECASE)
#: Properties that count oxygen.
_OXYGEN = frozenset({"codcr", "permanganateindex", "bod5", "dissolvedoxygen"})
#: Units of mass in water that are rare enough to be told; dissolved salts may well be in g/L.
_SALTS = frozenset({"total_dissolved_solids", "salinity", "chloride", "sulfate", "sodium"})


def beside(
    results: pd.DataFrame, limit: Limit, notes: Notes
) -> Iterator[tuple[pd.DataFrame, NDArray[np.float64]]]:
    """Results of a limit's property by the unit they came in, with their values in the limit's.

    Those that no way leads to the limit's unit are left out, with a finding.
    """
    own = results[results["key"] == limit.key]
    alone = own["unit"].nunique(dropna=False) == 1
    for (unit, basis), group in own.groupby(["unit", "basis"], dropna=False, sort=True):
        told = "" if unit is None or unit != unit else str(unit)
        values = in_unit(
            group, told, str(basis), limit.name, limit.unit, limit.basis, notes, alone=alone
        )
        if values is not None:
            yield group, values


def in_unit(
    group: pd.DataFrame,
    unit: str,
    basis: str,
    name: str,
    wanted: str,
    asked: str,
    notes: Notes,
    *,
    alone: bool = False,
) -> NDArray[np.float64] | None:
    """The values in the wanted unit and basis; None, and a finding, where there is no way.

    A limit without a unit is taken to share that of the results where they have but one
    (``alone``), and that is told.
    """
    values = group["value"].to_numpy(dtype=np.float64)
    params = {"property": name, "count": str(len(group)), "wanted": wanted}
    if not unit and wanted not in ("", "1"):
        no_column = group["unit"].isna().all()
        code = "water-unit-assumed" if no_column else "water-unit-missing"
        notes.add(Finding(code, Severity.WARNING, field="unit", params=params))
        if not no_column:
            return None
        unit, basis = wanted, basis or asked
    if not wanted and alone and known(unit) and split_basis(unit)[0] != "1":
        notes.add(
            Finding("water-limit-unit-assumed", Severity.WARNING, field="unit", value=unit,
                    params=params)
        )  # fmt: skip
        return values
    if plain(name) in _COUNTED:
        counts = [_COUNT.sub("individual", x) for x in (unit, wanted)]
        if counts[0] != unit and counts[1] != wanted and _kind(unit) != _kind(wanted):
            notes.add(Finding("water-counts-joined", Severity.INFO, field="unit", value=unit,
                              params=params))  # fmt: skip
            unit, wanted = counts
    if plain(name) in _OXYGEN:
        unit, wanted, basis, asked = (_without_oxygen(x) for x in (unit, wanted, basis, asked))
    try:
        return convert(
            values, with_basis(unit or "1", basis), with_basis(wanted or "1", asked), property=name
        )
    except (NotComputable, UsageError) as error:
        notes.add(
            Finding(
                "water-unit-differs",
                Severity.WARNING,
                field="unit",
                value=with_basis(unit, basis),
                params={**params, "why": error.message},
            )
        )
        return None


def _kind(unit: str) -> str:
    """What a unit counts: colonies, most probable numbers, individuals."""
    found = _COUNT.match(unit)
    return found[0].casefold() if found else ""


def _without_oxygen(text: str) -> str:
    """An oxygen demand in mg/L is one in mg of O2 a litre: there is nothing else to count."""
    if plain(text) in ("o2", "o", "aso2", "aso"):
        return ""
    bare, basis = split_basis(text) if text and known(text) else (text, "")
    return bare if basis in ("O2", "O") else text


def with_basis(unit: str, basis: str) -> str:
    """``mg/L`` and ``N`` as ``mg/L as N``; a unit that names its basis stays as it is."""
    bare = basis.strip().removeprefix("as ").strip()
    if not bare or (known(unit) and split_basis(unit)[1]):
        return unit
    return f"{unit} as {bare}"


def tell_unit_doubts(results: pd.DataFrame, notes: Notes, *, unknown: bool = False) -> None:
    """A finding for each property whose unit is oddly written or cannot be right.

    With ``unknown`` also for units nobody knows; where units are converted that is told anyway.
    """
    for (name, unit), group in results.groupby(["property", "unit"], dropna=True, sort=True):
        told = str(unit)
        if not told:
            continue
        why = _doubt(str(name), told, group["value"].to_numpy(dtype=np.float64))
        if why and (unknown or why[0] != "unknown"):
            notes.add(
                Finding(
                    f"water-unit-{why[0]}",
                    Severity.WARNING,
                    field="unit",
                    value=told,
                    params={"property": str(name), "count": str(len(group)), "seen": why[1]},
                )
            )
    _tell_jumps(results, notes)
    tell_slips(results, notes)


def tell_slips(results: pd.DataFrame, notes: Notes) -> None:
    """Where part of a station's values in one unit lie a power of ten from the rest.

    Twelve months of 250 and twelve of 25 uS/cm are one water and a unit changed without a word.
    """
    seen = results[np.isfinite(results["value"]) & (results["value"] > 0) & (results["kind"] == 0)]
    unit = seen["unit"].astype(object).fillna("").astype(str)
    for (name, station, told), group in seen.assign(unit=unit).groupby(
        ["property", "station", "unit"], sort=True
    ):
        power, count = _slip(np.log10(group["value"].to_numpy(dtype=np.float64)))
        parts = from_header(str(name))
        found = find(str(name)) or (find(parts[0]) if parts else None)
        whose = _SLIPS.get(power, frozenset())
        if power and (whose is None or (found is not None and found.name in whose)):
            notes.add(
                Finding("water-unit-slip", Severity.WARNING, field="unit", value=str(told) or "-",
                        params={"property": str(name), "station": str(station) or "-",
                                "count": str(count), "times": f"{10**power:g}"})
            )  # fmt: skip


def _slip(decades: NDArray[np.float64]) -> tuple[int, int]:
    """The whole power of ten between the two parts of a record, and how many the smaller holds.

    0 where the record has not two narrow parts a whole power apart.
    """
    ordered = np.sort(decades)
    if ordered.size < 2 * _FEWEST_EACH:
        return 0, 0
    steps = np.diff(ordered)
    cut = int(np.argmax(steps)) + 1
    low, high = ordered[:cut], ordered[cut:]
    smaller = min(low.size, high.size)
    if (
        steps[cut - 1] < _PARTED
        or smaller < _FEWEST_EACH
        or max(np.ptp(low), np.ptp(high)) > _NARROW
    ):
        return 0, 0
    away = float(np.median(high) - np.median(low))
    whole = round(away)
    return (whole, smaller) if abs(away - whole) < _NEAR else (0, 0)


def _tell_jumps(results: pd.DataFrame, notes: Notes) -> None:
    """Where a station's values in one unit lie a power of ten from those in another.

    Conductivity of 25 uS/cm among others of 25 mS/m is a unit mistaken, not another water.
    """
    seen = results[np.isfinite(results["value"]) & (results["value"] > 0) & (results["kind"] == 0)]
    for (name, station), group in seen.groupby(["property", "station"], sort=True):
        medians = group.groupby("unit", dropna=True)["value"].agg(["median", "count"])
        medians = medians.sort_values("count", ascending=False)
        units = [str(u) for u in medians.index if str(u) and known(str(u))]
        for other in units[1:]:
            ratio = _ratio(medians.loc[units[0], "median"], units[0],
                           medians.loc[other, "median"], other)  # fmt: skip
            if ratio is None:
                continue
            power = np.log10(ratio)
            if abs(power) > _POWER and abs(power - np.rint(power)) < _NEAR:
                notes.add(
                    Finding(
                        "water-unit-jump",
                        Severity.WARNING,
                        field="unit",
                        value=other,
                        params={
                            "property": str(name), "station": str(station) or "-",
                            "count": str(int(medians.loc[other, "count"])), "usual": units[0],
                            "times": f"{10 ** abs(np.rint(power)):g}",
                        },
                    )
                )  # fmt: skip


def _ratio(usual: float, unit: str, value: float, other: str) -> float | None:
    """A value over the usual one, both in one unit; None where there is no way."""
    try:
        moved = float(convert([value], split_basis(other)[0], split_basis(unit)[0])[0])
    except (NotComputable, UsageError):
        return None
    return moved / usual


def _doubt(name: str, unit: str, values: NDArray[np.float64]) -> tuple[str, str] | None:
    """Kind of doubt and what was seen, or None."""
    if not known(unit):
        return "unknown", ""
    parts = from_header(name)
    found = find(name) or (find(parts[0]) if parts else None)
    if unit.startswith("Mg/"):
        return "capital", unit.replace("Mg/", "mg/")
    seen = values[np.isfinite(values) & (values != 0)]
    bare, _ = split_basis(unit)
    if bare == "g/L" and (found is None or found.name not in _SALTS):
        return "coarse", ""
    if found is None or not found.unit or not seen.size:
        return None
    middle = _usual_unit(float(np.median(seen)), bare, found)
    if middle is not None and not found.low <= middle <= found.high:
        return "implausible", f"{middle:.4g} {found.unit}"
    return None


def _usual_unit(value: float, unit: str, found: Property) -> float | None:
    try:
        return float(convert([value], unit, found.unit, property=found.name)[0])
    except (NotComputable, UsageError):
        return None
