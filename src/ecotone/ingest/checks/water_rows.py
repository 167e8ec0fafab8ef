"""Results from water that no row shows alone: bottles, streams and chains of custody.

Rows of one block are looked at together: a bottle that was at two places, a unit mistaken by a
power of ten, a clock that goes back, a sensor that repeats itself, a chain of custody that breaks.
All of it is told and kept: which of two rows is wrong nobody can know from here.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.ingest.checks.base import (
    Check,
    CheckFunction,
    Mask,
    Parameters,
    Responses,
    validation,
)
from ecotone.ingest.checks.block import Block
from ecotone.ingest.checks.vocabulary import plain
from ecotone.model import custody, units
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.finding import Severity

_FEWEST: Final = 6  # results of a property at a station that make a habit
_USUAL: Final = 0.35  # spread of the habit, powers of ten
_OFF: Final = 0.8  # this far from it, and this close to a whole power of ten
_NEAR: Final = 0.12
_RARE: Final = 0.2  # share of a station's results that may be mistaken; more is another water
_STREAM: Final = 24  # values that make a stream
_REPEATS: Final = 12  # of them in a row that no sensor in water gives
_STEP: Final = np.timedelta64(2, "D")
_ASCENDING: Final = 0.9  # share of steps forward in a stream written in the order of time

#: Names that may mean the ion or its element: a factor of 1.3 to 4.4 lies between.
_AMBIGUOUS: Final = frozenset(
    plain(name)
    for name in (
        "nitrate", "NO3", "nitrite", "NO2", "ammonium", "NH4", "ammonia", "NH3", "phosphate", "PO4",
        "orthophosphate", "硝酸盐", "亚硝酸盐", "铵", "氨", "磷酸盐", "нитраты", "нитрат",
        "нитриты", "нитрит", "аммоний", "аммиак", "фосфаты", "фосфат", "ортофосфаты",
    )
)  # fmt: skip

#: Named as pH is: numbers that have no unit.
_UNITLESS: Final = frozenset(
    plain(name) for name in ("pH", "ph value", "рН", "водородный показатель", "酸碱度", "pH值")
)
_FRACTIONS: Final = {
    plain(name): kind
    for kind, names in (
        ("dissolved", "dissolved|filtered|filterable|растворенный|растворенная|растворённый"
                      "|растворённая|растворенные|溶解态|溶解|可溶态"),
        ("total", "total|unfiltered|whole|общий|общая|валовый|валовая|валовое|总量|总|总态"),
    )
    for name in names.split("|")
}  # fmt: skip
_ISO_DAY: Final = r"^\s*(\d{4}-\d{2}-\d{2})"
#: Beyond this share of the total the dissolved part is not the uncertainty of measuring.
_OVERSTATED: Final = 1.1


def _place(block: Block) -> pd.Series:
    """What a stream or a habit is of: site, else deployment, and the property."""
    parts = [block.term(n).text for n in ("site", "deployment", "property")]
    site = np.where(pd.isna(parts[0]), parts[1], parts[0])
    named = pd.Series(site, dtype=object) + "\n" + pd.Series(parts[2], dtype=object)
    return pd.Series(named, dtype=object)


def _decades(block: Block) -> NDArray[np.float64]:
    """Powers of ten of the measured values in the base of their unit; NaN where there is none."""
    values = block.numbers("value").copy()
    values[~pd.isna(block.term("limit_kind").text)] = np.nan
    unit = block.term("unit")
    for place, text in enumerate(unit.values):
        rows = unit.codes == place
        values[rows] *= _scale(str(text))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(values > 0, np.log10(values), np.nan)


def _scale(unit: str) -> float:
    """Into mg/L or uS/cm; 1 for a unit that is neither."""
    for wanted in ("uS/cm", "mg/L"):
        try:
            return float(units.convert([1.0], unit, wanted)[0])
        except (NotComputable, UsageError):
            continue
    return 1.0


def _power_of_ten(block: Block, parameters: Parameters) -> Responses:
    decades = _decades(block)
    groups = pd.Series(decades).groupby(_place(block))
    middle = groups.transform("median").to_numpy()
    away = decades - middle
    spread = pd.Series(np.abs(away)).groupby(_place(block)).transform("median").to_numpy()
    many = groups.transform("count").to_numpy() >= _FEWEST
    judged = many & (spread < _USUAL / 2) & ~np.isnan(away)
    whole = np.rint(away)
    wrong = (np.abs(away) > _OFF) & (np.abs(away - whole) < _NEAR)
    off = pd.Series(np.abs(away) > _USUAL).groupby(_place(block)).transform("mean")
    return validation(~judged, ~(judged & wrong & (off < _RARE).to_numpy()))


def _bottle_once(block: Block, parameters: Parameters) -> Responses:
    bottle = pd.Series(block.term("sample").text, dtype=object)
    apart = np.zeros(block.rows, dtype=np.bool_)
    for told in (block.term("site").text, block.instants("time_start")):
        apart |= (pd.Series(told).groupby(bottle).transform("nunique") > 1).to_numpy()
    return validation(bottle.isna().to_numpy(), ~apart)


def _result_once(block: Block, parameters: Parameters) -> Responses:
    keys = [block.term(n).text for n in ("sample", "property", "fraction", "basis", "procedure")]
    frame = pd.DataFrame(dict(enumerate(keys))).fillna({2: "", 3: "", 4: ""})
    unmet = frame[[0, 1]].isna().any(axis=1).to_numpy() | np.isnan(block.numbers("value"))
    values = pd.Series(block.numbers("value")).where(~unmet)
    several = values.groupby([frame[n] for n in frame]).transform("nunique") > 1
    return validation(unmet, ~several.to_numpy(dtype=np.bool_))


def _clock_forward(block: Block, parameters: Parameters) -> Responses:
    place, time = _place(block), pd.Series(block.instants("time_start"))
    known = place.notna() & time.notna()
    step = time[known].groupby(place[known]).diff()
    back = (step < pd.Timedelta(0)).reindex(time.index, fill_value=False)
    forward = (step > pd.Timedelta(0)).groupby(place[known]).transform("mean")
    long = time[known].groupby(place[known]).transform("size") >= _STREAM
    stream = (long & (forward >= _ASCENDING)).reindex(time.index, fill_value=False)
    return validation(~stream.to_numpy(), ~(stream & back).to_numpy())


def _not_repeating(block: Block, parameters: Parameters) -> Responses:
    place, values = _place(block), pd.Series(block.numbers("value"))
    censored = ~pd.isna(block.term("limit_kind").text)
    time = pd.Series(block.instants("time_start"))
    usable = (place.notna() & values.notna() & time.notna()).to_numpy() & ~censored
    order = np.lexsort((time.to_numpy(), pd.factorize(place)[0]))
    order = order[usable[order]]
    p, v, t = (x.iloc[order].to_numpy() for x in (place, values, time))
    new = np.ones(len(order), dtype=np.bool_)
    if len(order):
        new[1:] = (p[1:] != p[:-1]) | (v[1:] != v[:-1]) | (np.diff(t) > _STEP)
    run = np.cumsum(new)
    long = np.bincount(run, minlength=1)[run] >= _REPEATS if len(order) else new
    repeated = np.zeros(block.rows, dtype=np.bool_)
    repeated[order[long]] = True
    stream = place.groupby(place).transform("size").fillna(0).to_numpy() >= _STREAM
    unmet = ~(usable & stream)
    return validation(unmet, ~(repeated & stream))


def _basis_told(block: Block, parameters: Parameters) -> Responses:
    ambiguous = block.term("property").each(
        lambda text: "yes" if plain(text) in _AMBIGUOUS else None
    )
    mass = block.term("unit").each(lambda text: "yes" if _is_mass(text) else None)
    asked = (ambiguous == "yes") & (mass == "yes") & ~np.isnan(block.numbers("value"))
    return validation(~np.asarray(asked), ~block.term("basis").empty)


def _unit_told(block: Block, parameters: Parameters) -> Responses:
    """A bottle's number without a unit says nothing; pH is the one that has none."""
    acid = block.term("property").each(lambda text: "yes" if plain(text) in _UNITLESS else None)
    asked = ~block.term("sample").empty & ~np.isnan(block.numbers("value"))
    asked &= ~block.term("property").empty & pd.isna(acid)
    return validation(~asked, ~block.term("unit").empty)


def _analysed_after(block: Block, parameters: Parameters) -> Responses:
    """Whole days are compared: an analysis of the same day may be told without its hour.

    The day a sample was taken is that of its own zone, which is the day as delivered where that
    is written year first; else that of UTC, from which it may lie a day away.
    """
    told = pd.to_datetime(
        pd.Series(block.term("analysed_at").text, dtype=object), utc=True, errors="coerce",
        format="ISO8601",
    )  # fmt: skip
    analysed = told.dt.tz_localize(None).to_numpy(dtype="datetime64[D]")
    taken = block.instants("time_start").astype("datetime64[D]")
    written = pd.Series(block.term("time_text").text, dtype=object).str.extract(_ISO_DAY)[0]
    local = pd.to_datetime(written, errors="coerce").to_numpy(dtype="datetime64[D]")
    taken = np.where(np.isnat(local), taken - np.timedelta64(1, "D"), local)
    unmet = np.isnat(analysed) | np.isnat(taken)
    return validation(unmet, analysed >= taken)


def _part_below_total(block: Block, parameters: Parameters) -> Responses:
    """The dissolved part of a bottle's property beside its total, measured ones of one unit."""
    fraction = block.term("fraction").each(lambda text: _FRACTIONS.get(plain(text)))
    keys = [block.term(n).text for n in ("sample", "property", "unit", "basis")]
    frame = pd.DataFrame(dict(enumerate(keys))).fillna({2: "", 3: ""})
    frame["value"] = block.numbers("value")
    measured = frame["value"].notna() & pd.isna(block.term("limit_kind").text)
    own = [frame[n] for n in range(4)]
    totals = frame["value"].where(measured & (np.asarray(fraction) == "total"))
    total = totals.groupby(own).transform("max")
    part = np.asarray(measured) & (np.asarray(fraction) == "dissolved") & total.notna().to_numpy()
    return validation(~part, (frame["value"] <= total * _OVERSTATED).to_numpy())


def _is_mass(unit: str) -> bool:
    try:
        units.convert([1.0], unit, "mg/L")
    except (NotComputable, UsageError):
        return False
    return True


def _custody_unbroken(block: Block, parameters: Parameters) -> Responses:
    steps = pd.DataFrame(
        {n: pd.Series(block.term(n).text, dtype=object).fillna("")
         for n in ("sample", "kind", "by", "handed_to", "seal", "seal_state")}
    )  # fmt: skip
    steps["time"] = pd.Series(block.instants("time_start"))
    steps["temperature_c"] = block.numbers("temperature_c")
    signed = pd.Series(block.term("signed").text, dtype=object).str.casefold()
    steps["signed"] = signed.map({"false": False, "true": True})
    found = custody.faults(steps)
    broken: Mask = np.zeros(block.rows, dtype=np.bool_)
    broken[found["event"].to_numpy(np.int64)] = True
    return validation(block.term("sample").empty, ~broken)


def _check(
    label: str, terms: tuple[str, ...], function: CheckFunction, *, noun: str = "Observation",
    shown: str = "value_text", severity: Severity = Severity.WARNING,
    consulted: tuple[str, ...] = (),
) -> Check:  # fmt: skip
    return Check(
        label=label, guid="", dimension="Likeliness", terms=terms, consulted=consulted,
        function=function,
        severity=severity, shown=shown, needs=terms, nouns=(noun,), vocabulary="ecotone",
    )  # fmt: skip


CHECKS: Final = (
    _check("VALIDATION_UNIT_POWEROFTEN", ("value", "property", "unit"), _power_of_ten),
    _check("VALIDATION_NUTRIENT_BASISTOLD", ("property", "value", "unit"), _basis_told,
           shown="property"),
    _check("VALIDATION_UNIT_TOLD", ("value", "sample", "property"), _unit_told,
           consulted=("unit",)),
    _check("VALIDATION_ANALYSED_AFTERSAMPLED", ("analysed_at", "time_start"), _analysed_after,
           shown="analysed_at", consulted=("time_text",)),
    _check("VALIDATION_DISSOLVED_NOTABOVETOTAL", ("value", "fraction", "sample", "property"),
           _part_below_total, consulted=("unit", "basis")),
    _check("VALIDATION_BOTTLE_ONCE", ("sample", "property", "value"), _bottle_once, shown="sample"),
    _check("VALIDATION_RESULT_ONCE", ("value", "sample", "property"), _result_once),
    _check(
        "VALIDATION_CLOCK_FORWARD", ("time_start", "property", "value"), _clock_forward,
        shown="time_text",
    ),
    _check("VALIDATION_SENSOR_NOTREPEATING", ("value", "property", "time_start"), _not_repeating),
    _check(
        "VALIDATION_CUSTODY_UNBROKEN", ("sample", "kind"), _custody_unbroken, noun="CustodyEvent",
        shown="kind",
    ),
)  # fmt: skip
