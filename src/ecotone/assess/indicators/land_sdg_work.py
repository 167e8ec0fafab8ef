"""SDG 15.3.1 strip by strip: codes of every period, their tables and maps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rasterio.windows import Window

from ecotone.assess.indicator import Job
from ecotone.assess.indicators.land_forms import Forms
from ecotone.assess.indicators.land_ground import Ground, strips
from ecotone.assess.indicators.land_maps import Carbon
from ecotone.assess.indicators.land_polygons import Correction, Polygon
from ecotone.assess.indicators.land_scratch import Scratch
from ecotone.assess.indicators.land_tables import (
    STATUS,
    THREE,
    ClassAreas,
    degradation_values,
    shown_three,
    write_map,
)
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.science.land.lookup import NODATA, Codes
from ecotone.science.land.productivity import Rule
from ecotone.science.land.status import (
    PERIODS,
    Missing,
    one_out_all_out,
    recoded,
    status_classes,
    status_three,
)

Floats = NDArray[np.float64]

_STATES: Final = {-1: "degraded", 0: "stable", 1: "improved"}
_CODES: Final = (-1, 0, 1, NODATA)
#: What a map or a share of a period is called.
_NAMES: Final = {"baseline": "baseline", "report_1": "report", "report_2": "report_2"}


@dataclass(frozen=True)
class Span:
    """A period by the name the reports use for it."""

    name: str
    start: int
    end: int


@dataclass
class Work:
    """All that the strips need."""

    ground: Ground
    scratch: Scratch
    spans: tuple[Span, ...]
    rule: Rule
    missing: Missing
    parts: Mapping[str, Mapping[str, Callable[[Window], Codes]]]
    corrections: list[Correction]
    codes: dict[str, Codes]
    by_part: dict[tuple[str, str], ClassAreas]
    corrected: dict[tuple[str, str, int, int], float]
    unsettled: float = 0.0
    lpd: Mapping[str, Callable[[Window], Codes]] = field(default_factory=dict)
    forms: Forms | None = None
    carbon: Carbon | None = None
    cover_years: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    cross: dict[tuple[str, str, int, int], float] = field(default_factory=dict)


def integrate(work: Work) -> None:
    """One-out-all-out and corrections of all periods, strip by strip, kept on disk."""
    outlines = [work.ground.outlines(c.polygon.geometry) for c in work.corrections]
    for window in strips(work.scratch.within):
        km2 = work.ground.km2(window)
        where = np.full(km2.shape, -1)
        for number, rings in enumerate(outlines):
            inside = work.ground.shares(window, rings) > 0.5
            where = np.where(inside & (where < 0), number, where)
        baseline: dict[str, Codes] = {}
        for span in work.spans:
            parts = {name: make(window) for name, make in work.parts[span.name].items()}
            for name, codes in parts.items():
                work.by_part[span.name, name].add(codes, km2)
            baseline = baseline or parts
            _cross_parts(work, span, baseline, parts, km2)
            before = one_out_all_out(*parts.values(), missing=work.missing)
            other: Missing = "known" if work.missing == "any" else "any"
            differs = one_out_all_out(*parts.values(), missing=other) != before
            work.unsettled += float(km2[differs].sum())
            after = recoded(before, where, [c.recode for c in work.corrections], span.name)
            _tell_corrected(work, span, where, before, after, km2)
            work.codes[span.name][work.scratch.place(window)] = after
            if work.forms is not None and span.name in work.cover_years:
                years = work.cover_years[span.name]
                work.forms.add(span.name, years, window, work.lpd[span.name](window), km2)
        _fill_forms(work, window, km2)
        work.scratch.release()


def _fill_forms(work: Work, window: Window, km2: Floats) -> None:
    """Extents in the years of maps used, stocks in the first and last years of periods."""
    if work.forms is None:
        return
    for year in sorted({y for years in work.cover_years.values() for y in years}):
        work.forms.add_year(year, window, km2)
    if work.carbon is not None:
        first = work.carbon.first
        years = sorted({max(y, first) for s in work.spans for y in (s.start, s.end)})
        work.forms.add_carbon(work.carbon, years, window, km2)


def _cross_parts(
    work: Work, span: Span, baseline: dict[str, Codes], parts: dict[str, Codes], km2: Floats
) -> None:
    """Each sub-indicator in the baseline by what it is in a period."""
    if span.name == PERIODS[0]:
        return
    for name in baseline.keys() & parts.keys():
        for a in _CODES:
            for b in _CODES:
                area = float(km2[(baseline[name] == a) & (parts[name] == b)].sum())
                key = (span.name, name, a, b)
                work.cross[key] = work.cross.get(key, 0.0) + area


def _tell_corrected(
    work: Work, span: Span, where: Codes, before: Codes, after: Codes, km2: Floats
) -> None:
    for number, correction in enumerate(work.corrections):
        here = where == number
        for a in np.unique(before[here]):
            for b in np.unique(after[here & (before == a)]):
                key = (correction.polygon.name, span.name, int(a), int(b))
                area = float(km2[here & (before == a) & (after == b)].sum())
                work.corrected[key] = work.corrected.get(key, 0.0) + area


def _status(work: Work, span: Span, window: Window) -> Codes:
    place = work.scratch.place(window)
    baseline = np.asarray(work.codes[PERIODS[0]][place])
    return status_classes(baseline, np.asarray(work.codes[span.name][place]))


def tables_of(work: Work, zones: list[Polygon]) -> tuple[dict[str, pd.DataFrame], dict[str, Value]]:
    """Tables and values from the codes kept on disk, all with one denominator."""
    reports = work.spans[1:]
    status = {s.name: ClassAreas(tuple(STATUS)) for s in reports}
    three = {s.name: ClassAreas((-1, 0, 1)) for s in work.spans}
    overall = {s.name: ClassAreas((-1, 0, 1)) for s in reports}
    cross: dict[tuple[str, int, int], float] = {}
    for window in strips(work.scratch.within):
        km2 = work.ground.km2(window)
        place = work.scratch.place(window)
        for span in work.spans:
            three[span.name].add(work.codes[span.name][place], km2)
        for span in reports:
            codes = _status(work, span, window)
            status[span.name].add(codes, km2)
            overall[span.name].add(status_three(codes), km2)
            for key, area in _cross(work, span, place, km2):
                cross[key] = cross.get(key, 0.0) + area
        work.scratch.release()
    tables = {
        ("status" if number == 0 else "status_2"): status[span.name].table()
        for number, span in enumerate(reports)
    }
    tables["periods"] = pd.concat(
        [_states(three[s.name], {"period": s.name, "years": f"{s.start}-{s.end}"})
         for s in work.spans], ignore_index=True,
    )  # fmt: skip
    tables["parts"] = pd.concat(
        [_states(areas, {"period": period, "part": part})
         for (period, part), areas in work.by_part.items()], ignore_index=True,
    )  # fmt: skip
    tables["crosstab"] = pd.DataFrame(
        [{"report": r, "baseline": _state(a), "period": _state(b), "area_km2": area}
         for (r, a, b), area in sorted(cross.items())]
    )  # fmt: skip
    tables["crosstab_parts"] = pd.DataFrame(
        [{"report": r, "part": part, "baseline": _state(a), "period": _state(b), "area_km2": area}
         for (r, part, a, b), area in sorted(work.cross.items())]
    )  # fmt: skip
    if work.corrections:
        tables["corrections"] = _corrected(work)
    if zones:
        tables["zones"] = pd.concat(list(_by_zone(work, zones)), ignore_index=True)
    return tables, _values(work, three, overall)


def _cross(
    work: Work, span: Span, place: tuple[slice, slice], km2: Floats
) -> Iterator[tuple[tuple[str, int, int], float]]:
    baseline, period = work.codes[PERIODS[0]][place], work.codes[span.name][place]
    for a in (-1, 0, 1, NODATA):
        for b in (-1, 0, 1, NODATA):
            yield (span.name, a, b), float(km2[(baseline == a) & (period == b)].sum())


def _state(code: int) -> str:
    return _STATES.get(code, "nodata")


def _states(areas: ClassAreas, first: Mapping[str, object]) -> pd.DataFrame:
    """``state, area_km2, percent`` of degraded, stable, improved and unknown land."""
    table = areas.table(first)
    names = [*(_STATES[code] for code in areas.classes), "nodata"]
    table["class"] = names
    return table.rename(columns={"class": "state"})


def _corrected(work: Work) -> pd.DataFrame:
    """Before and after by polygon and period; what a polygon does not touch stays out."""
    by_name = {c.polygon.name: c for c in work.corrections}
    return pd.DataFrame(
        [
            {
                "polygon": name,
                "declared_km2": by_name[name].declared,
                "geodesic_km2": by_name[name].polygon.km2,
                "period": period,
                "before": _state(a),
                "after": _state(b),
                "area_km2": area,
            }
            for (name, period, a, b), area in work.corrected.items()
        ]
        or [
            {
                "polygon": c.polygon.name,
                "declared_km2": c.declared,
                "geodesic_km2": c.polygon.km2,
                "period": None,
                "before": None,
                "after": None,
                "area_km2": 0.0,
            }
            for c in work.corrections
        ]
    )


def _by_zone(work: Work, zones: list[Polygon]) -> Iterator[pd.DataFrame]:
    """The status in each zone, by cells cut at its border."""
    for zone in zones:
        rings = work.ground.outlines(zone.geometry)
        for span in work.spans[1:]:
            areas = ClassAreas(tuple(STATUS))
            for window in strips(work.scratch.within):
                km2 = work.ground.km2(window) * work.ground.shares(window, rings)
                areas.add(_status(work, span, window), km2)
            yield areas.table({"zone": zone.name, "period": span.name})


def gaps_of(work: Work, zones: list[Polygon]) -> list[Finding]:
    """Where zones leave out a part of the region."""
    outlines = [work.ground.outlines(zone.geometry) for zone in zones]
    left = 0.0
    for window in strips(work.scratch.within):
        covered = sum(work.ground.shares(window, rings) for rings in outlines)
        left += float((work.ground.km2(window) * np.clip(1 - covered, 0, 1)).sum())
    if left <= 1e-6 * work.ground.whole_km2():
        return []
    return [Finding("land-zones-gap", Severity.WARNING, params={"km2": f"{left:.2f}"})]


def _values(
    work: Work, three: dict[str, ClassAreas], overall: dict[str, ClassAreas]
) -> dict[str, Value]:
    last = work.spans[-1]
    values = degradation_values(overall[last.name])
    for span in work.spans:
        areas = three[span.name]
        known = areas.total - areas.none
        name = _NAMES[span.name]
        share = 100 * areas.of(-1) / known if known > 0 else None
        values[f"{name}_degraded_percent"] = Value(value=share, unit="%")
    values["change_km2"] = Value(
        value=overall[last.name].of(-1) - three[PERIODS[0]].of(-1), unit="km2"
    )
    return values


def maps_of(job: Job, work: Work) -> dict[str, str]:
    """The maps of each period and of the status, coloured; their paths by name."""
    within = work.scratch.within
    maps = {}
    for span in work.spans:
        tags = {
            "indicator": "land.sdg-15-3-1",
            "rule": work.rule,
            "period": f"{span.start}/{span.end}",
        }
        name = _NAMES[span.name]
        codes = work.codes[span.name]
        maps[name] = write_map(
            job.out, name, work.ground, within, partial(_shown, work, codes), THREE, tags
        )
        if span.name != PERIODS[0]:
            shown = "status" if span.name == PERIODS[1] else "status_2"
            status = partial(_status, work, span)
            maps[shown] = write_map(job.out, shown, work.ground, within, status, STATUS, tags)
    return maps


def _shown(work: Work, codes: Codes, window: Window) -> Codes:
    return shown_three(np.asarray(codes[work.scratch.place(window)]))
