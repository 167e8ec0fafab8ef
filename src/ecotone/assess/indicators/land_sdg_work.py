"""SDG 15.3.1 strip by strip: codes of every period, their tables and maps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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
    AGREEMENT,
    STATUS,
    THREE,
    ClassAreas,
    degradation_values,
    shown_three,
    write_map,
)
from ecotone.model.errors import NotComputable
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.land.coverage import Rings
from ecotone.science.land.lookup import NODATA, Codes
from ecotone.science.land.productivity import RULES, Rule
from ecotone.science.land.status import (
    PERIODS,
    Missing,
    area_by_code,
    one_out_all_out,
    recoded,
    status_classes,
    status_three,
)

Floats = NDArray[np.float64]

_STATES: Final = {-1: "degraded", 0: "stable", 1: "improved"}
_CODES: Final = (-1, 0, 1, NODATA)
#: Sums of classes differ from the whole by no more than this share.
_DENOMINATOR: Final = 1e-9
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
    three_by_rule: Mapping[tuple[str, Rule], Callable[[Window], Codes]] = field(
        default_factory=dict
    )
    by_rule: dict[tuple[str, Rule], ClassAreas] = field(default_factory=dict)
    answers: Codes | None = None

    def inside(
        self, window: Window, codes: Codes, classes: Sequence[int], rings: tuple[Rings, ...]
    ) -> Floats:
        """Areas by class where the region and other rings overlap."""
        if not self.ground.rings:
            return self.ground.class_km2(window, codes, classes, rings)
        km2 = self.ground.km2(window) * self.ground.shares(window, rings)
        return area_by_code(codes, km2, classes)


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
        by_rule: dict[tuple[str, Rule], Codes] = {}
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
            _other_rules(work, span, window, parts, where, after, by_rule)
            work.codes[span.name][work.scratch.place(window)] = after
            if work.forms is not None and span.name in work.cover_years:
                years = work.cover_years[span.name]
                work.forms.add(span.name, years, window, work.lpd[span.name](window), km2)
        _compare_rules(work, window, by_rule, km2)
        _fill_forms(work, window, km2)
        work.scratch.release()


def _other_rules(
    work: Work, span: Span, window: Window, parts: Mapping[str, Codes], where: Codes,
    chosen: Codes, made: dict[tuple[str, Rule], Codes],
) -> None:  # fmt: skip
    """The period by every rule set: their productivity with the same other parts."""
    recodes = [c.recode for c in work.corrections]
    for rule in RULES:
        if rule == work.rule:
            made[span.name, rule] = chosen
            continue
        others = {**parts, "productivity": work.three_by_rule[span.name, rule](window)}
        codes = one_out_all_out(*others.values(), missing=work.missing)
        made[span.name, rule] = recoded(codes, where, recodes, span.name)


def _compare_rules(
    work: Work, window: Window, made: Mapping[tuple[str, Rule], Codes], km2: Floats
) -> None:
    """Areas of each rule set's status, and how many different answers a cell has."""
    for span in work.spans[1:]:
        found = [status_three(status_classes(made[PERIODS[0], r], made[span.name, r]))
                 for r in RULES]  # fmt: skip
        for rule, codes in zip(RULES, found, strict=True):
            areas = work.by_rule.setdefault((span.name, rule), ClassAreas((-1, 0, 1)))
            areas.add(codes, km2)
        if work.answers is not None and span == work.spans[-1]:
            told = [np.logical_or.reduce([c == state for c in found]) for state in (-1, 0, 1)]
            work.answers[work.scratch.place(window)] = np.sum(told, axis=0)


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


def status_in(work: Work, span: Span, window: Window) -> Codes:
    """The seven classes of a report in a window."""
    place = work.scratch.place(window)
    baseline = np.asarray(work.codes[PERIODS[0]][place])
    return status_classes(baseline, np.asarray(work.codes[span.name][place]))


def tables_of(work: Work) -> tuple[dict[str, pd.DataFrame], dict[str, Value], ClassAreas]:
    """Tables, values, and the last status in three states, all with one denominator."""
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
            codes = status_in(work, span, window)
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
    tables["rules"] = pd.concat(
        [_states(areas, {"report": report, "rule": rule})
         for (report, rule), areas in work.by_rule.items()], ignore_index=True,
    )  # fmt: skip
    if work.corrections:
        tables["corrections"] = _corrected(work)
    _one_denominator(tables, overall[reports[-1].name].total)
    values = _values(work, three, overall)
    return tables, values | _rule_range(work, reports[-1]), overall[reports[-1].name]


def _one_denominator(tables: Mapping[str, pd.DataFrame], total: float) -> None:
    """Every table's classes add up to the same land; NotComputable, naming one that does not."""
    keys = {
        "status": [], "status_2": [], "periods": ["period"], "parts": ["period", "part"],
        "crosstab": ["report"], "crosstab_parts": ["report", "part"], "rules": ["report", "rule"],
    }  # fmt: skip
    for name, by in keys.items():
        table = tables.get(name)
        if table is None or not len(table):
            continue
        sums = table.groupby(by)["area_km2"].sum() if by else table[["area_km2"]].sum()
        if (np.abs(sums - total) > _DENOMINATOR * total).any():
            raise NotComputable(say("assess.land.denominator", table=name, total=total))


def _rule_range(work: Work, last: Span) -> dict[str, Value]:
    """The least and the most degraded land that a rule set gives, and where they disagree."""
    found = {rule: work.by_rule[last.name, rule].of(-1) for rule in RULES}
    values = {
        "degraded_least_km2": Value(value=min(found.values()), unit="km2"),
        "degraded_most_km2": Value(value=max(found.values()), unit="km2"),
    }
    if work.answers is not None:
        disputed = 0.0
        for window in strips(work.scratch.within):
            several = np.asarray(work.answers[work.scratch.place(window)]) > 1
            disputed += float((work.ground.km2(window) * several).sum())
            work.scratch.release()
        values["rule_dependent_km2"] = Value(value=disputed, unit="km2")
    return values


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
            status = partial(status_in, work, span)
            maps[shown] = write_map(job.out, shown, work.ground, within, status, STATUS, tags)
    if work.answers is not None:
        answers = partial(_answers, work, work.answers)
        tags = {"indicator": "land.sdg-15-3-1", "rules": ", ".join(RULES)}
        maps["agreement"] = write_map(
            job.out, "agreement", work.ground, within, answers, AGREEMENT, tags
        )
    return maps


def _answers(work: Work, answers: Codes, window: Window) -> Codes:
    found = np.asarray(answers[work.scratch.place(window)])
    shown: Codes = np.where(found == 0, NODATA, found).astype(np.int16)
    return shown


def _shown(work: Work, codes: Codes, window: Window) -> Codes:
    return shown_three(np.asarray(codes[work.scratch.place(window)]))
