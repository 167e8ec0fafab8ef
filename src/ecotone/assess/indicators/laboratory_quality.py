"""Which results of a laboratory stand, which do not, and why: controls, custody, plausibility.

Nothing is changed or left out: each reason is a row that names its result by place, the test, the
flag (of QARTOD's alphabet) and what it rests on. A batch fails by property; its results are found
by the batch they name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicators.laboratory_reading import holding_hours, instants
from ecotone.assess.indicators.matching import with_basis
from ecotone.assess.indicators.reading import Notes
from ecotone.model import custody
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.units import convert
from ecotone.science.water import control_chart, laboratory
from ecotone.science.water.stream_qc import FAIL, NOT_EVALUATED, PASS, SUSPECT

REASONS: Final = ("place", "test", "flag", "told", "control")
#: What a control of a kind that failed makes of its batch's results.
BLANKS: Final = ("method blank", "field blank", "equipment blank", "trip blank")
DUPLICATES: Final = ("laboratory duplicate", "field duplicate")
SPIKES: Final = ("matrix spike", "spike duplicate")
STANDARDS: Final = ("control sample", "reference material")
_WEIGHT: Final = {
    **dict.fromkeys((*BLANKS, *STANDARDS), FAIL), **dict.fromkeys((*DUPLICATES, *SPIKES), SUSPECT),
}  # fmt: skip
_CHARTED: Final = 8  # standards of a property that make a chart worth drawing
_BASE: Final = 20  # the first of them give its centre
_DISSOLVED: Final = ("dissolved", "filtered", "растворенная", "растворённая", "溶解态", "可溶态")
_TOTAL: Final = ("total", "unfiltered", "whole", "валовая", "общая", "总量", "总")


@dataclass(frozen=True)
class Limits:
    """What a laboratory lets pass."""

    duplicate: float = 20.0  #: relative difference, %
    lowest: float = 75.0  #: recovery, %
    highest: float = 125.0
    blank_share: float = 0.1  #: of a result that a blank may reach
    warmest: float = 8.0  #: of a sample received, C


def common_units(
    results: pd.DataFrame, controls: pd.DataFrame, notes: Notes
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both with ``v`` and ``rl`` (and ``e``: expected) in one unit for each property, ``to``.

    That is the unit most of its results have; what cannot be brought there is NaN, and told.
    """
    results, controls = results.copy(), controls.copy()
    for frame in (results, controls):
        frame["to"] = ""
        for name in ("v", "rl", "e"):
            frame[name] = np.nan
    for key, own in results.groupby("key", sort=True):
        pairs = own[["unit", "basis"]].astype(object).fillna("").value_counts()
        unit, basis = (str(x) for x in pairs.index[0])
        wanted = with_basis(unit or "1", basis)
        for frame in (results, controls):
            _bring(frame, frame["key"] == key, wanted, notes)
    alone = ~controls["key"].isin(results["key"])
    for _, own in controls[alone].groupby("key", sort=True):
        first = with_basis(str(own["unit"].iloc[0]) or "1", str(own["basis"].iloc[0]))
        _bring(controls, controls.index.isin(own.index), first, notes)
    return results, controls


def _bring(
    frame: pd.DataFrame, where: pd.Series | NDArray[np.bool_], wanted: str, notes: Notes
) -> None:
    own = frame[where]
    if own.empty:
        return
    name = str(own["property"].iloc[0])
    told = [with_basis(u or "1", b) for u, b in
            own[["unit", "basis"]].astype(object).fillna("").itertuples(index=False)]  # fmt: skip
    factors = {unit: _factor(unit, wanted, name) for unit in dict.fromkeys(told)}
    for unit, factor in factors.items():
        if factor != factor:
            notes.add(
                Finding("water-unit-differs", Severity.WARNING, field="unit", value=unit,
                        params={"property": name, "count": str(told.count(unit)),
                                "wanted": wanted, "why": ""})
            )  # fmt: skip
    scale = np.array([factors[unit] for unit in told])
    frame.loc[where, "to"] = wanted
    for target, source in (("v", "value"), ("rl", "reporting_limit"), ("e", "expected")):
        if source in frame:
            frame.loc[where, target] = own[source].to_numpy(np.float64) * scale
    if "detection_limit" in frame:
        limit = own["detection_limit"].to_numpy(np.float64) * scale
        frame.loc[where, "rl"] = frame.loc[where, "rl"].fillna(pd.Series(limit, index=own.index))


def _factor(unit: str, wanted: str, name: str) -> float:
    try:
        return float(convert([1.0], unit, wanted, property=name)[0])
    except (NotComputable, UsageError):
        return float("nan")


def judge_controls(results: pd.DataFrame, controls: pd.DataFrame, limits: Limits) -> pd.DataFrame:
    """Controls with ``measure`` (value, difference or recovery), its limits and ``flag``."""
    told = controls.copy()
    told["measure"], told["low"], told["high"] = np.nan, np.nan, np.nan
    told["flag"] = np.uint8(NOT_EVALUATED)
    told["measure_unit"] = ""
    _blanks(told, results, limits)
    _duplicates(told, results, limits)
    _recoveries(told, results, limits)
    return told


def _blanks(told: pd.DataFrame, results: pd.DataFrame, limits: Limits) -> None:
    own = told[told["control_kind"].isin(BLANKS)]
    if own.empty:
        return
    found = results[(results["kind"] == 0) & (results["v"] > 0)]
    least = found.groupby(["analysis", "key"])["v"].min()
    smallest = least.reindex(pd.MultiIndex.from_frame(own[["analysis", "key"]])).to_numpy()
    v, rl = own["v"].to_numpy(), own["rl"].to_numpy()
    flags = laboratory.blank(v, own["kind"].to_numpy(), rl, smallest, limits.blank_share)
    told.loc[own.index, "measure"] = v
    told.loc[own.index, "high"] = np.fmax(rl, limits.blank_share * smallest)
    told.loc[own.index, "flag"] = flags
    told.loc[own.index, "measure_unit"] = own["to"]


def _duplicates(told: pd.DataFrame, results: pd.DataFrame, limits: Limits) -> None:
    own = told[told["control_kind"].isin(DUPLICATES)]
    if own.empty:
        return
    first = _of_sample(own, results)
    a, ka = first["v"].to_numpy(), first["kind"].fillna(0).to_numpy()
    b, kb = own["v"].to_numpy(), own["kind"].to_numpy()
    rl = own["rl"].fillna(pd.Series(first["rl"].to_numpy(), index=own.index)).to_numpy()
    told.loc[own.index, "flag"] = laboratory.duplicate(a, ka, b, kb, rl, limits.duplicate)
    both = (ka == 0) & (kb == 0)
    told.loc[own.index, "measure"] = np.where(both, laboratory.relative_difference(a, b), np.nan)
    told.loc[own.index, "high"] = limits.duplicate
    told.loc[own.index, "measure_unit"] = "%"


def _recoveries(told: pd.DataFrame, results: pd.DataFrame, limits: Limits) -> None:
    own = told[told["control_kind"].isin((*SPIKES, *STANDARDS))]
    if own.empty:
        return
    spiked = own["control_kind"].isin(SPIKES).to_numpy()
    first = _of_sample(own, results)
    # Below its limit a sample holds something between nothing and that: half of it is not known.
    before = np.where(first["kind"].to_numpy() < 0, 0.0, first["v"].to_numpy())
    before = np.where(spiked, before, 0.0)
    low = own["lowest"].fillna(limits.lowest).to_numpy(np.float64)
    high = own["highest"].fillna(limits.highest).to_numpy(np.float64)
    added = own["e"].to_numpy()
    found = np.where(own["kind"].to_numpy() == 0, own["v"].to_numpy(), np.nan)
    percent = laboratory.recovery(found, added, before)
    flags = laboratory.judge_recovery(percent, low, high, added, before)
    # A non-detect where something was added: at most its limit was found again.
    lost = (own["kind"].to_numpy() < 0) & (
        laboratory.recovery(own["v"].to_numpy(), added, before) < low
    )
    for name, values in (("measure", percent), ("low", low), ("high", high),
                         ("flag", np.where(lost, FAIL, flags).astype(np.uint8)),
                         ("measure_unit", "%")):  # fmt: skip
        told.loc[own.index, name] = values


def _of_sample(own: pd.DataFrame, results: pd.DataFrame) -> pd.DataFrame:
    """The result of the sample that each control doubles or spikes.

    A control that tells no fraction means that of the sample's result, where there is one.
    """
    named = results[results["sample"] != ""]
    exact = named.drop_duplicates(keys := ["sample", "key", "fraction"]).set_index(keys)
    any_of = named.drop_duplicates(pair := ["sample", "key"], keep=False).set_index(pair)
    columns = ["v", "kind", "rl"]
    found = exact[columns].reindex(pd.MultiIndex.from_frame(own[keys])).reset_index(drop=True)
    loose = any_of[columns].reindex(pd.MultiIndex.from_frame(own[pair])).reset_index(drop=True)
    untold = (own["fraction"] == "").to_numpy() & found["v"].isna().to_numpy()
    found.loc[untold] = loose.loc[untold]
    return found


def chart(controls: pd.DataFrame) -> pd.DataFrame:
    """Standards of each property on a chart of recoveries: z and the rules each breaks."""
    own = controls[controls["control_kind"].isin(STANDARDS) & controls["measure"].notna()]
    parts = []
    for (key, kind), group in own.groupby(["key", "control_kind"], sort=True):
        ordered = group.assign(at=instants(group["time"])).sort_values("at", kind="stable")
        if len(ordered) < _CHARTED:
            continue
        sound = ordered["measure"][ordered["flag"] == PASS].iloc[:_BASE]
        if len(sound) < _CHARTED or not sound.std() > 0:
            continue
        around = control_chart.centre(sound)
        z = control_chart.scores(ordered["measure"], around)
        rules = control_chart.westgard(z)
        broken = [", ".join(name for name, hit in rules.items() if hit[i]) for i in range(len(z))]
        rejected = np.any([rules[name] for name in control_chart.REJECTING], axis=0)
        parts.append(
            pd.DataFrame(
                {
                    "property": ordered["property"], "key": key, "kind": kind,
                    "analysis": ordered["analysis"], "control": ordered["control"],
                    "time": ordered["time"], "recovery": ordered["measure"], "z": z,
                    "mean": around.mean, "sd": around.sd, "rules": broken,
                    "flag": np.where(rejected, SUSPECT, PASS).astype(np.uint8),
                }
            )
        )  # fmt: skip
    columns = ["property", "key", "kind", "analysis", "control", "time", "recovery", "z", "mean",
               "sd", "rules", "flag"]  # fmt: skip
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def of_batches(
    results: pd.DataFrame, controls: pd.DataFrame, charts: pd.DataFrame, limits: Limits
) -> list[pd.DataFrame]:
    """Reasons that come from the controls of a result's batch."""
    told = results[["place", "analysis", "key", "sample", "v", "kind"]]
    bad = controls[controls["flag"].isin((FAIL, SUSPECT))]
    joined = told[told["analysis"] != ""].merge(
        bad[["analysis", "key", "control", "control_kind", "sample", "v", "measure",
             "measure_unit", "flag"]],
        on=["analysis", "key"], suffixes=("", "_c"),
    )  # fmt: skip
    of_blank = joined["control_kind"].isin(BLANKS)
    # What lies far above a dirty blank, or was not found at all, does not come from it.
    untouched = of_blank & (
        (joined["kind"] < 0) | (joined["v"] * limits.blank_share > joined["v_c"])
    )
    other = (joined["control_kind"] == "field duplicate") & (joined["sample"] != joined["sample_c"])
    hit = joined[~untouched & ~other]
    weight = hit["control_kind"].map(_WEIGHT).to_numpy()
    weight = np.where(hit["flag"] == SUSPECT, SUSPECT, weight)
    failed = _reasons(
        hit["place"], hit["control_kind"].str.replace(" ", "-"), weight,
        _said(hit["measure"], hit["measure_unit"]), hit["control"],
    )  # fmt: skip
    out = charts[charts["flag"] == SUSPECT]
    drifting = told.merge(out[["analysis", "key", "rules", "control"]], on=["analysis", "key"])
    charted = _reasons(
        drifting["place"], "control-chart", SUSPECT, drifting["rules"], drifting["control"]
    )
    vouched = pd.MultiIndex.from_frame(controls[["analysis", "key"]])
    bare = ~pd.MultiIndex.from_frame(told[["analysis", "key"]]).isin(vouched)
    alone = _reasons(told["place"][bare], "no-controls", NOT_EVALUATED, "", "")
    return [failed, charted, alone]


def unvouched(results: pd.DataFrame) -> pd.DataFrame:
    """Without any control nobody vouches for a result: none passes, none fails by that."""
    return _reasons(results["place"], "no-controls", NOT_EVALUATED, "", "")


def of_time(results: pd.DataFrame, batches: Mapping[str, pd.Timestamp]) -> pd.DataFrame:
    """Reasons that come from how long a sample waited for its analysis."""
    taken = instants(results["time"])
    done = instants(results["analysed_at"])
    done = done.fillna(pd.to_datetime(results["analysis"].map(batches), utc=True))
    hours = (done - taken).dt.total_seconds().to_numpy() / 3600
    # A day without an hour may be any hour of it.
    whole = results["analysed_at"].str.fullmatch(r"\d{4}-\d\d-\d\d").to_numpy(bool)
    hours = np.where(whole & (hours < 0) & (hours > -24), 0.0, hours)
    allowed = results["key"].map(holding_hours()).to_numpy(np.float64)
    late = laboratory.holding(hours, allowed) == FAIL
    told = [f"{h:.0f} h > {a:g} h" if a == a else f"{h:.0f} h" for h, a in
            zip(hours[late], allowed[late], strict=True)]  # fmt: skip
    return _reasons(results["place"][late], "holding-time", SUSPECT, told, "")


def of_fractions(results: pd.DataFrame) -> pd.DataFrame:
    """Reasons that come from a part that is larger than the whole."""
    said = results["fraction"].str.casefold()
    keys = ["station", "sample", "time", "together", "key"]
    part = results[said.isin(_DISSOLVED)].drop_duplicates(keys)
    whole = results[said.isin(_TOTAL)].drop_duplicates(keys)
    pairs = part.merge(whole, on=keys, suffixes=("", "_w"))
    flags = laboratory.part_of_whole(pairs["v"], pairs["kind"], pairs["v_w"], pairs["kind_w"])
    bad = (flags == FAIL) | (flags == SUSPECT)
    told = [f"{d:.4g} > {t:.4g} {u}" for d, t, u in
            zip(pairs["v"][bad], pairs["v_w"][bad], pairs["to"][bad], strict=True)]  # fmt: skip
    return pd.concat(
        [_reasons(pairs[name][bad], "dissolved-above-total", flags[bad], told, "")
         for name in ("place", "place_w")], ignore_index=True,
    )  # fmt: skip


def of_custody(results: pd.DataFrame, faults: pd.DataFrame) -> pd.DataFrame:
    """Reasons that come from the way of the sample.

    Where the laboratory names its batches, what has none was read at the river and never went.
    """
    if (results["analysis"] != "").any():
        results = results[results["analysis"] != ""]
    hit = results[["place", "sample"]].merge(faults, on="sample")
    weight = np.where(hit["fault"].isin(custody.BREAKING), FAIL, SUSPECT)
    return _reasons(hit["place"], "custody-" + hit["fault"], weight, hit["told"], hit["sample"])


def of_bottles(results: pd.DataFrame) -> list[pd.DataFrame]:
    """Reasons that come from a bottle's number: at two places, or with two results of one thing."""
    named = results[results["sample"] != ""]
    places = named.groupby("sample")["station"].transform("nunique") > 1
    times = named.groupby("sample")["time"].transform("nunique") > 1
    wrong = named[places | times]
    where = wrong.groupby("sample")["station"].transform(lambda s: ", ".join(sorted(set(s))))
    keys = ["sample", "key", "fraction"]
    again = named.duplicated(keys, keep=False) & (named.groupby(keys)["v"].transform("nunique") > 1)
    return [
        _reasons(wrong["place"], "bottle-twice", FAIL, where, wrong["sample"]),
        _reasons(named["place"][again], "result-twice", SUSPECT, "", named["sample"][again]),
    ]


def uncertainties(controls: pd.DataFrame) -> pd.DataFrame:
    """Expanded uncertainty (k = 2, relative) of each property, from the laboratory's standards.

    Standards that failed are left out and counted: the results beside them do not stand, so those
    that do were measured in control (Nordtest TR 537, 4).
    """
    own = controls[
        controls["control_kind"].isin((*STANDARDS, *SPIKES)) & controls["measure"].notna()
    ]
    rows = []
    for key, everything in own.groupby("key", sort=True):
        group = everything[everything["flag"] != FAIL]
        found = group["measure"].to_numpy() / 100
        within = found[group["control_kind"].isin(STANDARDS).to_numpy()]
        if within.size < 2:
            continue
        doubt = (group["expected_uncertainty"] / group["expected"]).fillna(0.0).to_numpy(np.float64)
        u, u_rw, u_bias = laboratory.expanded_uncertainty(within, found, doubt)
        rows.append({"property": group["property"].iloc[0], "key": key, "n": len(group),
                     "left_out": len(everything) - len(group), "u_rw": u_rw, "u_bias": u_bias,
                     "expanded": u})  # fmt: skip
    columns = ["property", "key", "n", "left_out", "u_rw", "u_bias", "expanded"]
    return pd.DataFrame(rows, columns=columns)


def _said(measure: pd.Series, unit: pd.Series) -> list[str]:
    return [f"{m:.4g} {u}".strip() if m == m else "" for m, u in zip(measure, unit, strict=True)]


def _reasons(
    place: pd.Series, test: object, flag: object, told: object, control: object
) -> pd.DataFrame:
    size = len(place)

    def column(given: object) -> NDArray[np.object_]:
        return np.broadcast_to(np.asarray(given, dtype=object), size)

    return pd.DataFrame(
        {
            "place": np.asarray(place, np.int64),
            "test": column(test),
            "flag": np.asarray(np.broadcast_to(np.asarray(flag), size), np.uint8),
            "told": column(told),
            "control": column(control),
        }
    )
