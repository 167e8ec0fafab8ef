"""Water: batches and custody of a laboratory, drift, alarms and devices of a network, a trend."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ecotone.report import l10n
from ecotone.report.courses import Course, Line, courses
from ecotone.report.document import Block, Text
from ecotone.report.document import plain as as_text
from ecotone.report.rooms.base import Room
from ecotone.report.source import Entry
from ecotone.report.tables import title
from ecotone.report.writing import Writing

if TYPE_CHECKING:
    import pandas as pd

_LATEST: Final = 3  # batches or samples that a sentence names
_WIDE: Final = 6.0  # of a control chart, in s: what lies beyond is drawn at its edge
_POINTS: Final = 1500  # of a stream that a figure can show


def _count(entry: Entry, name: str) -> int:
    value = entry.number(name)
    return 0 if value is None else int(value)


def laboratory_sentences(writing: Writing, entry: Entry) -> list[Text]:
    """How many results stand, which batch failed by what, which samples went astray."""
    lang = writing.lang
    said = [
        as_text(
            writing.say(
                "sentence.water.laboratory",
                region=entry.region.name(lang),
                **{
                    name: l10n.number(_count(entry, name), lang)
                    for name in ("results", "failed", "suspect", "not_evaluated", "batches",
                                 "batches_failed", "controls", "custody_broken")
                },
            )
        )
    ]  # fmt: skip
    batches = entry.table("batches")
    bad = batches[batches["flag"] == "fail"]
    for row in bad.head(_LATEST).to_dict("records"):
        kinds = [writing.term(entry.indicator, k) for k in str(row["failed"]).split("; ")]
        said.append(
            as_text(
                writing.say(
                    "sentence.water.batch",
                    batch=str(row["analysis"]),
                    property=writing.term(entry.indicator, str(row["property"])),
                    kinds=l10n.listed(kinds, lang),
                    failed=l10n.number(int(row["results_failed"]), lang),
                    all=l10n.number(int(row["n"]), lang),
                )
            )
        )
    return said


def laboratory_pictures(writing: Writing, entries: Sequence[Entry]) -> list[Block]:
    """Control samples of each property on Shewhart's chart."""
    import numpy as np

    made: list[Block] = []
    for entry in entries:
        charts = entry.table("charts")
        panels = []
        for name, group in charts.groupby("property", sort=True):
            x = np.arange(len(group), dtype=float)
            z = np.clip(group["z"].to_numpy(float), -_WIDE, _WIDE)
            bad = (group["flag"] != "pass").to_numpy()
            panels.append(
                Course(
                    writing.term("water.compliance", str(name)),
                    (
                        Line(writing.say("figure.water.control"), x[~bad], z[~bad], "good", True),
                        Line(writing.say("figure.water.rejected"), x[bad], z[bad], "bad", True),
                    ),
                    axis="z",
                    levels=((-3.0, True), (-2.0, False), (2.0, False), (3.0, True)),
                    limits=(-_WIDE - 0.5, _WIDE + 0.5),
                    marks=tuple(group["analysis"].astype(str)),
                )
            )
        if panels:
            caption = writing.say("figure.water.charts", title=title(writing, entry))
            png = courses(panels, writing.lang, caption)
            alt = f"{caption} {int((charts['flag'] != 'pass').sum())} / {len(charts)}"
            made.append(writing.figure_block(png, caption, alt, [entry.path]))
    return made


def drift_sentences(writing: Writing, entry: Entry) -> list[Text]:
    """The mean with its interval, as measured beside it."""
    return [writing.value_sentence(entry, n) for n in ("mean_corrected", "mean_raw")]


def drift_pictures(writing: Writing, entries: Sequence[Entry]) -> list[Block]:
    """Each station's stream as the sensor gave it and without the drift."""
    import pandas as pd

    made: list[Block] = []
    for entry in entries:
        table, stretches = entry.table("corrected"), entry.table("stretches")
        panels = []
        for (station, name), group in table.groupby(["station", "property"], sort=True):
            step = max(1, len(group) // _POINTS)
            some = group.iloc[::step]
            time = pd.to_datetime(some["time"], utc=True).dt.tz_localize(None).to_numpy()
            visits = stretches[stretches["station"] == station]
            moments = pd.to_datetime(
                pd.concat([visits["start"], visits["end"]]).drop_duplicates(), utc=True
            ).dt.tz_localize(None)
            fixed, u = some["corrected"].to_numpy(float), some["u"].to_numpy(float)
            unit = l10n.unit(str(some["unit"].iloc[0]), writing.lang)
            panels.append(
                Course(
                    l10n.comma(str(station), writing.term("water.compliance", str(name)),
                               writing.lang),
                    (
                        Line(writing.say("figure.water.raw"), time, some["value"].to_numpy(float),
                             "warn"),
                        Line(writing.say("figure.water.corrected"), time, fixed, "good",
                             low=fixed - 2 * u, high=fixed + 2 * u),
                    ),
                    axis=unit,
                    moments=tuple(moments.to_numpy()),
                )
            )  # fmt: skip
        caption = writing.say("figure.water.drift", title=title(writing, entry))
        png = courses(panels, writing.lang, caption)
        made.append(writing.figure_block(png, caption, caption, [entry.path]))
    return made


def trend_pictures(writing: Writing, entries: Sequence[Entry]) -> list[Block]:
    """The record behind a trend, with Sen's line and its interval."""
    made: list[Block] = []
    for entry in entries:
        series, trend = _series(entry, writing.run.folder), entry.table("trend")
        if series is None or len(trend) != 1:
            continue
        caption = writing.say("figure.water.trend", title=title(writing, entry))
        panel = _trend_course(writing, series, trend.iloc[0])
        png = courses([panel], writing.lang, caption)
        made.append(writing.figure_block(png, caption, caption, [entry.path]))
    return made


def _trend_course(writing: Writing, series: pd.DataFrame, row: pd.Series) -> Course:
    """Sen's line goes through the middle of the record; its interval opens from there."""
    import numpy as np

    time = series["time"].dt.tz_localize(None).to_numpy()
    years = (time - time[0]) / np.timedelta64(1, "D") / 365.25
    middle, level = float(np.median(years)), float(series["value"].median())
    ends = {n: level + float(row[n]) * (years - middle) for n in ("slope", "low", "high")}
    return Course(
        str(row["station"]) if row["station"] == row["station"] else "",
        (
            Line(writing.say("figure.water.measured"), time, series["value"].to_numpy(float),
                 "neutral", True),
            Line(writing.say("figure.water.sen"), time, ends["slope"], "good",
                 low=np.minimum(ends["low"], ends["high"]),
                 high=np.maximum(ends["low"], ends["high"])),
        ),
        axis=l10n.unit(str(row["unit"]).removesuffix("/a"), writing.lang),
    )  # fmt: skip


def _series(entry: Entry, run: Path) -> pd.DataFrame | None:
    """The record a trend was made of, where the run keeps it as released rows."""
    import pandas as pd

    for given in entry.result["inputs"]:
        file = (run / given["path"]).resolve()
        if (
            given["name"] != "series"
            or not file.is_file()
            or not file.is_relative_to(run.resolve())
        ):
            continue
        rows = pd.read_csv(file, usecols=lambda c: c in ("time_start", "value", "property"))
        if not {"time_start", "value"} <= set(rows):
            return None
        rows["time"] = pd.to_datetime(rows["time_start"], utc=True, format="ISO8601")
        wanted = entry.told["parameters"].get("column")
        if wanted and "property" in rows:
            rows = rows[rows["property"].str.casefold() == str(wanted).casefold()]
        return rows.dropna(subset=["time", "value"]).sort_values("time")
    return None


def trend_sentences(writing: Writing, entry: Entry) -> list[Text]:
    """The slope with its interval, and how sure the rise or fall is."""
    p = entry.number("p_corrected")
    said = [writing.value_sentence(entry, "slope")]
    if p is not None:
        text = l10n.number(max(p, 0.001), writing.lang, 3)
        key = "sentence.water.trend-sure" if p < 0.05 else "sentence.water.trend-unsure"
        said.append(as_text(writing.say(key, p=f"p < {text}" if p < 0.001 else f"p = {text}")))
    return said


def network_sentences(writing: Writing, entry: Entry) -> list[Text]:
    """Devices, gifts, and what needs something."""
    names = ("devices", "donated", "donated_in_use", "without_spare_parts", "in_need")
    told = {n: l10n.number(_count(entry, n), writing.lang) for n in names}
    return [as_text(writing.say("sentence.water.network", **told))]


def alarm_sentences(writing: Writing, entry: Entry) -> list[Text]:
    """Alarms, and how many nobody answered."""
    names = ("alarms", "open", "unanswered")
    told = {n: l10n.number(_count(entry, n), writing.lang) for n in names}
    return [as_text(writing.say("sentence.water.alarms", **told))]


LABORATORY = Room(
    headline=("failed", "batches_failed", "custody_broken"),
    sentences=laboratory_sentences,
    pictures=laboratory_pictures,
    columns={
        "reasons": ("station", "sample", "analysis", "property", "test", "flag", "told"),
        "custody": ("sample", "fault", "told", "flag"),
    },
    prepare=lambda name, frame: _bad_first(name, frame),
    book=frozenset({"batches", "controls", "charts", "balance", "layer"}),
)
DRIFT = Room(
    headline=("mean_corrected",),
    sentences=drift_sentences,
    pictures=drift_pictures,
    columns={"stretches": ("station", "device", "start", "end", "gain", "largest", "rating")},
    book=frozenset({"corrected"}),
)
TREND = Room(
    headline=("slope",),
    sentences=trend_sentences,
    pictures=trend_pictures,
    columns={"trend": ("station", "n", "slope", "unit", "p", "p_corrected")},
)
NETWORK = Room(
    headline=("in_need",),
    sentences=network_sentences,
    pictures=lambda writing, entries: [],
    columns={
        "register": ("device", "model", "donor", "custodian", "site", "spare_parts",
                     "last_calibration", "needs"),
    },
)  # fmt: skip
ALARMS = Room(
    headline=("alarms", "unanswered"),
    sentences=alarm_sentences,
    pictures=lambda writing, entries: [],
    columns={"alarms": ("rule", "station", "property", "raised", "cleared", "peak", "unit",
                        "state")},
)  # fmt: skip

_ORDER: Final = {"fail": 0, "suspect": 1, "not evaluated": 2, "pass": 3}


def _bad_first(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """A reader looks for what failed."""
    if "flag" not in frame or name not in ("batches", "controls", "reasons", "custody"):
        return frame
    return frame.sort_values("flag", key=lambda f: f.map(_ORDER), kind="stable")
