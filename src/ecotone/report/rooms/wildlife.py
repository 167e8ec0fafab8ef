"""Wildlife: animals counted once, joint against separate estimates, with and without disputes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from ecotone.report import l10n, plots
from ecotone.report.document import Block, Text
from ecotone.report.document import plain as as_text
from ecotone.report.rooms.base import Room
from ecotone.report.rooms.plain import maps_of_all
from ecotone.report.source import Entry
from ecotone.report.tables import title
from ecotone.report.writing import Writing

if TYPE_CHECKING:
    import pandas as pd

_REGIONS: Final = "regions"
_TREATMENTS: Final = "treatments"


def sentences(writing: Writing, entry: Entry) -> list[Text]:
    """Density and number; what each side alone makes of it; how far disputes matter."""
    said = [writing.value_sentence(entry, name) for name in ("density", "expected_n")]
    tables = entry.result["tables"]
    if _REGIONS in tables:
        said += _sides(writing, entry)
    if _TREATMENTS in tables:
        said += _disputes(writing, entry)
    return said


def _sides(writing: Writing, entry: Entry) -> list[Text]:
    frame = entry.table(_REGIONS)
    alone = frame[frame["estimate"] == "separate"]
    joint = frame[(frame["estimate"] == "joint") & frame["region"].isin(set(alone["region"]))]
    if len(alone) < 2:
        return []
    lang = writing.lang
    each = [
        writing.say(
            "wildlife.side",
            region=writing.term(entry.indicator, str(row["region"])),
            alone=_numbers(row, lang),
            joint=_numbers(joint[joint["region"] == row["region"]].iloc[0], lang),
        )
        for _, row in alone.iterrows()
    ]
    return [as_text(writing.say("wildlife.sides", each=l10n.listed(each, lang)))]


def _numbers(row: pd.Series, lang: Any) -> str:
    """``73 (57 to 93)``."""
    low, value, high = (
        l10n.number(round(float(row[n])), lang)
        for n in ("expected_n_low", "expected_n", "expected_n_high")
    )
    return f"{value} ({low}–{high})"


def _disputes(writing: Writing, entry: Entry) -> list[Text]:
    frame = entry.table(_TREATMENTS).set_index("treatment")
    wanted = {"apart", "same", "left-out"}
    if not wanted <= set(frame.index):
        return []
    told = {
        name: l10n.number(round(float(frame.loc[key, "density"]), 2), writing.lang)
        for name, key in (("apart", "apart"), ("same", "same"), ("without", "left-out"))
    }
    return [as_text(writing.say("wildlife.disputes", **told))]


def pictures(writing: Writing, entries: Sequence[Entry]) -> list[Block]:
    """Animals by region, joint and separate; density by treatment; rasters as maps."""
    made: list[Block] = []
    for entry in entries:
        tables = entry.result["tables"]
        if _REGIONS in tables:
            made += _region_figure(writing, entry)
        if _TREATMENTS in tables:
            made += _treatment_figure(writing, entry)
    return [*made, *maps_of_all(writing, entries)]


def _region_figure(writing: Writing, entry: Entry) -> list[Block]:
    frame = entry.table(_REGIONS)
    both = set(frame.loc[frame["estimate"] == "separate", "region"])
    frame = frame[frame["region"].isin(both)]
    if frame.empty:
        return []
    dots = tuple(
        plots.Dot(
            l10n.comma(
                writing.term(entry.indicator, str(row["region"])),
                writing.say(f"term.{row['estimate']}"),
                writing.lang,
            ),
            float(row["expected_n"]),
            float(row["expected_n_low"]),
            float(row["expected_n_high"]),
            "good" if row["estimate"] == "joint" else "warn",
        )
        for _, row in frame.sort_values(["region", "estimate"]).iterrows()
    )
    axis = _axis(writing, entry, "expected_n")
    caption = writing.say("figure.wildlife.regions", title=title(writing, entry))
    return [_dots(writing, entry, dots, axis, caption, _REGIONS)]


def _treatment_figure(writing: Writing, entry: Entry) -> list[Block]:
    frame = entry.table(_TREATMENTS).dropna(subset=["density"])
    if frame.empty:
        return []
    dots = tuple(
        plots.Dot(
            writing.say(f"term.{row['treatment']}"),
            float(row["density"]),
            float(row["density_low"]),
            float(row["density_high"]),
            "warn" if row["treatment"] == "recaptured" else "good",
        )
        for _, row in frame.iterrows()
    )
    axis = _axis(writing, entry, "density")
    caption = writing.say("figure.wildlife.treatments", title=title(writing, entry))
    return [_dots(writing, entry, dots, axis, caption, _TREATMENTS)]


def _axis(writing: Writing, entry: Entry, name: str) -> str:
    """What the dots show, with its unit."""
    unit = l10n.unit(l10n.displayed(entry.quantity(name)).unit, writing.lang)
    return f"{entry.word('value', name, writing.lang)} ({unit})"


def _dots(
    writing: Writing, entry: Entry, dots: tuple[plots.Dot, ...], axis: str, caption: str, table: str
) -> Block:
    png = plots.intervals([plots.Panel("", dots, axis)], {}, writing.lang, caption)
    told = "; ".join(
        f"{d.label} {l10n.number(d.value, writing.lang)}" for d in dots if d.value is not None
    )
    source = [entry.beside(entry.result["tables"][table])]
    return writing.figure_block(png, caption, f"{caption} {told}", source)


def registry_sentences(writing: Writing, entry: Entry) -> list[Text]:
    """How many animals the identities are."""
    names = ["identities", "individuals", "individuals_together", "across", "disputed"]
    return [writing.told("sentence.wildlife.registry", entry, names)]


def identity_sentences(writing: Writing, entry: Entry) -> list[Text]:
    """How many animals left the samples, or that the panel cannot tell."""
    if entry.number("unique_genotypes") is None:
        return [writing.told("sentence.wildlife.no-genotypes", entry, ["samples", "pid_sibs"])]
    names = ["samples", "unique_genotypes", "mismatches", "pid_sibs"]
    return [writing.told("sentence.wildlife.genotypes", entry, names)]


def _none(writing: Writing, entries: Sequence[Entry]) -> list[Block]:
    return []


DENSITY = Room(
    headline=("density", "expected_n"),
    sentences=sentences,
    pictures=pictures,
    columns={
        _REGIONS: (
            "region", "estimate", "area", "identities", "expected_n",
        ),
        "summary": (
            "session", "area", "detectors", "effort", "animals", "detections",
            "spatial_recaptures", "density",
        ),
        _TREATMENTS: (
            "treatment", "animals", "detections", "density",
        ),
    },
    book=frozenset({"sessions", "coefficients", "surface"}),
)  # fmt: skip
INDIVIDUALS = Room(
    headline=("individuals", "across"),
    sentences=registry_sentences,
    pictures=_none,
    columns={
        "individuals": ("individual", "members", "parties", "kinds", "sex", "confidence"),
        "pairs": ("first", "second", "verdict", "same", "different", "unsure"),
    },
    book=frozenset({"individuals", "pairs"}),
)
IDENTITY = Room(
    headline=("unique_genotypes",),
    sentences=identity_sentences,
    pictures=_none,
    book=frozenset({"samples", "loci", "pairs"}),
)
