"""``water.qc``: QARTOD's tests on a sensor's stream; flags beside the values."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators.extent import tell_no_region
from ecotone.assess.indicators.laboratory import parse_numbers
from ecotone.assess.indicators.moments import read_moments
from ecotone.assess.indicators.reading import Notes, attributes, headers_of, read_whole
from ecotone.assess.indicators.series import value_columns
from ecotone.assess.indicators.water_seasons import read_seasons, seasons_of
from ecotone.model.errors import InputRefused, NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.water import stream_qc as qc

_TESTS: Final = (
    "gross_range", "climatology", "spike", "rate_of_change", "flat_line", "attenuated",
)  # fmt: skip
_FLAGS: Final = {
    "row": "", "station": "", "time": "", "value": "", **dict.fromkeys(_TESTS, ""),
    "gap_before": "", "flag": "",
}  # fmt: skip
_COUNTS: Final = {
    "station": "", "n": "results", "passed": "results", "suspect": "results",
    "failed": "results", "missing": "results", "not_evaluated": "results", "gaps": "",
    "clock_jumps": "",
}  # fmt: skip


def compute(job: Job) -> Outcome:
    """Test each station's stream in the order of its time."""
    notes = Notes()
    tell_no_region(job, notes)
    stream = _read(job, notes)
    seasons: dict[str, list[qc.Season]] = {}
    for path in job.inputs.get("seasons", ()):
        for name, own in read_seasons(path, notes).items():
            seasons.setdefault(name, []).extend(own)
    parts, counts = [], []
    for station, group in stream.groupby("station", sort=True):
        expected = seasons_of(str(station), seasons)
        flagged, count = _station(str(station), group, expected, job, notes)
        parts.append(flagged)
        counts.append(count)
    flags = pd.concat(parts, ignore_index=True).sort_values("row", kind="stable")
    table = pd.DataFrame(counts)[list(_COUNTS)]
    skipped = [name for name in _TESTS if (flags[name] == qc.NOT_EVALUATED).all()]
    for name in skipped:
        notes.add(Finding("water-test-not-run", Severity.INFO, value=name))
    total = table[["passed", "suspect", "failed", "missing", "not_evaluated"]].sum()
    values = {name: Value(value=int(total[name]), unit="results") for name in total.index}
    values["gaps"] = Value(value=int(table["gaps"].sum()), unit="1")
    return Outcome(
        values=values,
        tables={"flags": flags[list(_FLAGS)], "counts": table},
        findings=notes.all(),
    )


def _read(job: Job, notes: Notes) -> pd.DataFrame:
    """Rows of the stream: station, seconds since 1970 and value; untimed rows are told."""
    parts = []
    for path in job.inputs["series"]:
        headers = headers_of(path)
        told = attributes(headers, ("site", "time"))
        if "time" not in told:
            raise InputRefused(
                say("assess.table.column-missing", name=path.name, wanted="time",
                    given=", ".join(headers)),
                say("assess.table.column-missing.do"),
            )  # fmt: skip
        header = _value_column(job, path.name, headers, value_columns(path))
        whole = read_whole(path, notes)
        text = whole.frame[header].astype(object).fillna("")
        value, kind, read = parse_numbers(text, comma=whole.decimal_comma)
        for place in np.flatnonzero(~read):
            notes.add(
                Finding("water-value-unreadable", Severity.WARNING, field=header,
                        row=int(whole.frame["row"].iloc[place]), value=str(text.iloc[place]),
                        file=path.name)
            )  # fmt: skip
        zone = None if job.parameters["zone"] is None else str(job.parameters["zone"])
        time = read_moments(whole.frame[told["time"]], zone, notes, path.name)
        parts.append(
            pd.DataFrame(
                {
                    "row": whole.frame["row"],
                    "station": whole.frame[told["site"]].fillna("") if "site" in told else "",
                    "time": time,
                    # A limit is no value to test: its neighbours must not be judged by it.
                    "value": np.where(kind == 0, value, np.nan),
                }
            )
        )
    stream = pd.concat(parts, ignore_index=True)
    untimed = stream["time"].isna()
    if untimed.any():
        notes.add(
            Finding("water-untimed", Severity.WARNING, params={"count": str(int(untimed.sum()))})
        )
    if untimed.all():
        raise NotComputable(say("assess.water.no-times"), say("assess.water.no-times.do"))
    return stream[~untimed]


def _value_column(job: Job, name: str, headers: list[str], values: list[str]) -> str:
    column = job.parameters["column"]
    if column is None and len(values) == 1:
        return values[0]
    found = [h for h in headers if column is not None and h.casefold() == str(column).casefold()]
    if not found:
        raise UsageError(
            say("assess.water.no-column", name=name, column=column or "-",
                known=", ".join(values) or "-")
        )  # fmt: skip
    return found[0]


def _station(
    station: str, group: pd.DataFrame, expected: list[qc.Season], job: Job, notes: Notes
) -> tuple[pd.DataFrame, dict[str, object]]:
    delivered = group["time"].to_numpy()
    jumps = int(np.sum(delivered[1:] < delivered[:-1]))
    ordered = group.sort_values("time", kind="stable")
    twice = ordered["time"].duplicated().to_numpy()
    if jumps or twice.any():
        notes.add(
            Finding("water-clock", Severity.WARNING, value=station or "-",
                    params={"jumps": str(jumps), "repeats": str(int(twice.sum()))})
        )  # fmt: skip
    once = ordered[~twice]
    seconds = once["time"].astype("int64").to_numpy() / _per_second(once["time"])
    values = once["value"].to_numpy(dtype=np.float64)
    tested, late = _tested(values, seconds, _instants(once["time"]), expected, job)
    out = ordered.assign(**{n: np.uint8(qc.NOT_EVALUATED) for n in (*_TESTS, "flag")})
    out["gap_before"] = False
    for name, flags in tested.items():
        out.loc[~twice, name] = flags
    out.loc[~twice, "gap_before"] = late
    out.loc[twice, "flag"] = qc.SUSPECT
    flag = out["flag"].to_numpy()
    counts = {
        "station": station, "n": len(out), "passed": int(np.sum(flag == qc.PASS)),
        "suspect": int(np.sum(flag == qc.SUSPECT)), "failed": int(np.sum(flag == qc.FAIL)),
        "missing": int(np.sum(flag == qc.MISSING)),
        "not_evaluated": int(np.sum(flag == qc.NOT_EVALUATED)), "gaps": int(late.sum()),
        "clock_jumps": jumps,
    }  # fmt: skip
    out["time"] = out["time"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return out, counts


def _per_second(time: pd.Series) -> float:
    return {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[time.dt.unit]


def _instants(time: pd.Series) -> NDArray[np.datetime64]:
    return np.asarray(time.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy())


def _tested(
    x: NDArray[np.float64],
    seconds: NDArray[np.float64],
    when: NDArray[np.datetime64],
    expected: list[qc.Season],
    job: Job,
) -> tuple[dict[str, qc.Flags], NDArray[np.bool_]]:
    """Flags of the tests whose thresholds were given, and of all together; late values."""
    p = {k: v for k, v in job.parameters.items() if v is not None}

    def given(*names: str) -> list[float] | None:
        return [float(str(p[n])) for n in names] if all(n in p for n in names) else None

    tests: dict[str, qc.Flags] = {}
    try:
        if span := given("fail_low", "fail_high"):
            inner = given("suspect_low", "suspect_high")
            tests["gross_range"] = qc.gross_range(
                x, (span[0], span[1]), (inner[0], inner[1]) if inner else None
            )
        if limits := given("spike_suspect", "spike_fail"):
            tests["spike"] = qc.spike(x, *limits)
        if rate := given("rate_per_hour"):
            tests["rate_of_change"] = qc.rate_of_change(x, seconds, rate[0] / 3600)
        if flat := given("flat_tolerance", "flat_suspect", "flat_fail"):
            tests["flat_line"] = qc.flat_line(x, seconds, flat[0], flat[1] * 60, flat[2] * 60)
        if still := given("attenuated_suspect", "attenuated_fail"):
            window, least = given("attenuated_window"), given("attenuated_least")
            tests["attenuated"] = qc.attenuated(
                x, seconds, *still,
                window=window[0] * 60 if window else None,
                least=int(least[0]) if least else None,
                check="range" if p["attenuated_check"] == "range" else "std",
            )  # fmt: skip
        if expected:
            tests["climatology"] = qc.climatology(x, when, expected)
    except ValueError as error:
        raise UsageError(say("assess.water.settings", why=str(error))) from error
    missing = np.where(np.isnan(x), qc.MISSING, qc.NOT_EVALUATED).astype(np.uint8)
    tests["flag"] = qc.worst(missing, *tests.values())
    step = float(np.median(np.diff(seconds))) if seconds.size > 1 else 1.0
    return tests, qc.gaps(seconds, step)


WATER_QC: Final = Indicator(
    id="water.qc",
    version="2",
    inputs=(
        Input("series", "table", noun="Observation"),
        Input("seasons", "table", required=False),
    ),
    parameters=(
        Parameter("column", "text"),
        Parameter("zone", "text"),
        Parameter("fail_low", "number"),
        Parameter("fail_high", "number"),
        Parameter("suspect_low", "number"),
        Parameter("suspect_high", "number"),
        Parameter("spike_suspect", "number"),
        Parameter("spike_fail", "number"),
        Parameter("rate_per_hour", "number"),
        Parameter("flat_tolerance", "number"),
        Parameter("flat_suspect", "number", unit="min"),
        Parameter("flat_fail", "number", unit="min"),
        Parameter("attenuated_suspect", "number", minimum=0),
        Parameter("attenuated_fail", "number", minimum=0),
        Parameter("attenuated_window", "number", unit="min"),
        Parameter("attenuated_least", "integer", minimum=1),
        Parameter("attenuated_check", "text", default="std", choices=("std", "range")),
    ),
    values={
        **dict.fromkeys(
            ("passed", "suspect", "failed", "missing", "not_evaluated"), "results"
        ),
        "gaps": "1",
    },
    tables={"flags": _FLAGS, "counts": _COUNTS},
    rasters={},
    citations=(
        Citation("US IOOS (2020) Quality Assurance of Real-Time Oceanographic Data: manuals",
                 "10.25923/jxcy-mc63"),
    ),
    compute=compute,
)  # fmt: skip
