"""``water.drift``: a stream without the drift between calibrations, beside its raw values."""

from __future__ import annotations

import itertools
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators.network_reading import read_events, read_streams, scaled
from ecotone.assess.indicators.properties import find
from ecotone.assess.indicators.reading import Notes
from ecotone.model.errors import NotComputable
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.water import drift

_CORRECTED: Final = {
    "row": "", "file": "", "station": "", "property": "", "time": "", "value": "",
    "corrected": "", "u": "", "unit": "", "rating": "", "stretch": "",
}  # fmt: skip
_STRETCHES: Final = {
    "stretch": "", "station": "", "property": "", "device": "", "start": "", "end": "",
    "n": "", "offset": "", "gain": "", "largest": "", "rating": "",
}  # fmt: skip
_WORDS: Final = (*drift.RATINGS, "not rated")


def compute(job: Job) -> Outcome:
    """Correct each station's stream stretch by stretch."""
    notes = Notes()
    column = job.parameters["column"]
    stream = read_streams(job, None if column is None else str(column), notes)
    events = read_events(job.inputs["events"], notes)
    calibrations = events[(events["kind"] == "calibration") & events["standard_value"].notna()]
    mode: drift.Mode = "gain" if job.parameters["error"] == "gain" else "offset"
    parts, stretches = [], []
    for (station, key), group in stream.groupby(["station", "key"], sort=True):
        own = calibrations[
            calibrations["site"].isin(("", station)) & calibrations["key"].isin(("", key))
        ]
        part, told = _station(str(station), group, own, mode, len(stretches), notes)
        parts.append(part)
        stretches.extend(told)
    table = pd.concat(parts, ignore_index=True)
    if not stretches:
        raise NotComputable(say("assess.water.no-calibrations"),
                            say("assess.water.no-calibrations.do"))  # fmt: skip
    return Outcome(
        values=_values(table),
        tables={"corrected": _told(table), "stretches": pd.DataFrame(stretches)[list(_STRETCHES)]},
        findings=notes.all(),
    )


def _station(
    station: str, group: pd.DataFrame, calibrations: pd.DataFrame, mode: drift.Mode, first: int,
    notes: Notes,
) -> tuple[pd.DataFrame, list[dict[str, object]]]:  # fmt: skip
    out = group.copy()
    out["corrected"], out["u"], out["grade"] = np.nan, np.nan, -1
    out["stretch"] = ""
    unit = str(group["unit"].iloc[0] or "")
    name = str(group["property"].iloc[0])
    found = find(name)
    told: list[dict[str, object]] = []
    lines = _lines(calibrations, unit, name, mode, notes)
    for (device, at, _, after), (other, until, before, _) in itertools.pairwise(lines):
        if other != device or after is None or before is None:
            continue
        inside = ((out["time"] >= at) & (out["time"] < until)).to_numpy()
        if not inside.any():
            continue
        begin, end = at.timestamp(), until.timestamp()
        x = out.loc[inside, "value"].where(out.loc[inside, "kind"] == 0).to_numpy(np.float64)
        fixed, u = drift.correct(x, out.loc[inside, "seconds"], begin, end, after, before)
        grade = drift.rating(fixed - x, fixed, found.name if found else name)
        number = f"D{first + len(told) + 1}"
        for column, values in (("corrected", fixed), ("u", u), ("grade", grade)):
            out.loc[inside, column] = values
        out.loc[inside, "stretch"] = number
        told.append(
            {"stretch": number, "station": station, "property": name, "device": device,
             "start": f"{at:%Y-%m-%dT%H:%MZ}", "end": f"{until:%Y-%m-%dT%H:%MZ}",
             "n": int(inside.sum()),
             "offset": before.offset - after.offset, "gain": before.gain / after.gain,
             "largest": _largest(fixed - x), "rating": _WORDS[int(grade.max(initial=-1))]}
        )  # fmt: skip
    open_still = int((out["stretch"] == "").sum())
    if open_still and len(lines):
        notes.add(Finding("water-drift-open", Severity.INFO, value=station or "-",
                          params={"count": str(open_still), "property": name}))  # fmt: skip
    return out, told


def _lines(
    calibrations: pd.DataFrame, unit: str, name: str, mode: drift.Mode, notes: Notes
) -> list[tuple[str, pd.Timestamp, drift.Response | None, drift.Response | None]]:
    """Of each visit: device, time, the sensor before it was touched and after."""
    lines = []
    for (at, device), visit in calibrations.groupby(["time", "device"], sort=True):
        sides = []
        for column in ("reading_before", "reading_after"):
            own = visit[visit[column].notna()]
            pairs = [(scaled(s, str(u), unit, name), scaled(r, str(u), unit, name)) for s, r, u in
                     own[["standard_value", column, "unit"]].itertuples(index=False)]  # fmt: skip
            try:
                sides.append(drift.response(*zip(*pairs, strict=True), mode) if pairs else None)
            except ValueError as error:
                sides.append(None)
                notes.add(Finding("water-calibration-broken", Severity.WARNING, value=str(device),
                                  row=int(visit["row"].iloc[0]), file=str(visit["file"].iloc[0]),
                                  params={"why": str(error)}))  # fmt: skip
        lines.append((str(device), at, sides[0], sides[1]))
    # Where nothing was adjusted the sensor goes on as it was found.
    return [(d, t, before, after or before) for d, t, before, after in lines]


def _largest(change: NDArray[np.float64]) -> float:
    known = change[~np.isnan(change)]
    return float(known[np.argmax(np.abs(known))]) if known.size else float("nan")


def _told(table: pd.DataFrame) -> pd.DataFrame:
    out = table.assign(rating=[_WORDS[int(g)] for g in table["grade"]],
                       time=table["time"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"))  # fmt: skip
    return out[list(_CORRECTED)]


def _values(table: pd.DataFrame) -> dict[str, Value]:
    known = table["corrected"].notna()
    change = (table["corrected"] - table["value"])[known]
    unit = str(table["unit"].iloc[0] or "1") if table["unit"].nunique() == 1 else "1"
    single = table["key"].nunique() == 1
    return {
        "values": Value(value=len(table), unit="results"),
        "corrected": Value(value=int(known.sum()), unit="results"),
        "largest_correction": Value(
            value=_largest(change.to_numpy(np.float64)) if single and known.any() else None,
            unit=unit,
        ),
        **_means(table, unit, single=single),
        "poor": Value(value=int((table["grade"] == len(drift.RATINGS) - 1).sum()), unit="results"),
    }


def _means(table: pd.DataFrame, unit: str, *, single: bool) -> dict[str, Value]:
    """Mean of what was corrected, raw and corrected.

    One visit's drift stands in all values of its stretch, so their uncertainties do not average
    out: u of the mean is the mean of u.
    """
    known = table[table["corrected"].notna()]
    if not single or known.empty:
        return {name: Value(value=None, unit=unit) for name in ("mean_raw", "mean_corrected")}
    middle, doubt = float(known["corrected"].mean()), 2 * float(known["u"].mean())
    return {
        "mean_raw": Value(value=float(known["value"].mean()), unit=unit),
        "mean_corrected": Value(
            value=middle, unit=unit, low=middle - doubt, high=middle + doubt, level=0.95
        ),
    }


WATER_DRIFT: Final = Indicator(
    id="water.drift",
    version="1",
    inputs=(
        Input("series", "table", noun="Observation", coarse="refuse"),
        Input("events", "table", noun="DeviceEvent"),
    ),
    parameters=(
        Parameter("column", "text"),
        Parameter("error", "text", default="offset", choices=("offset", "gain")),
    ),
    values={"values": "results", "corrected": "results", "largest_correction": "",
            "mean_raw": "", "mean_corrected": "", "poor": "results"},
    tables={"corrected": _CORRECTED, "stretches": _STRETCHES},
    rasters={},
    citations=(
        Citation("Wagner et al. (2006) Guidelines and standard procedures for continuous"
                 " water-quality monitors, USGS TM 1-D3", "10.3133/tm1D3"),
    ),
    compute=compute,
)  # fmt: skip
