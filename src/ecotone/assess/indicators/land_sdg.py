"""``land.sdg-15-3-1``: land that is degraded, in a baseline and in the periods after it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
from rasterio.windows import Window

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators.land_ground import Ground, check_grid, open_on, strips
from ecotone.assess.indicators.land_lpd import LpdAsk, Productivity, productivity_of, years_checked
from ecotone.assess.indicators.land_maps import (
    LEGENDS,
    Carbon,
    Cover,
    climate_factor,
    open_cover,
    used_years,
)
from ecotone.assess.indicators.land_polygons import (
    Correction,
    Polygon,
    overlaps,
    read_corrections,
    read_polygons,
)
from ecotone.assess.indicators.land_scratch import Scratch, scratch
from ecotone.assess.indicators.land_tables import (
    STATUS,
    THREE,
    ClassAreas,
    degradation_values,
    shown_three,
    write_map,
)
from ecotone.assess.indicators.mosaic import Mosaic, open_mosaic
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.land.cover import CLIMATE_FACTORS
from ecotone.science.land.lookup import NODATA, Codes
from ecotone.science.land.productivity import RULES, Rule
from ecotone.science.land.status import (
    MISSING,
    PERIODS,
    Missing,
    one_out_all_out,
    recoded,
    status_classes,
    status_three,
)

#: Percent of change of soil carbon that counts.
_CARBON_LIMIT: Final = 10.0
_STATES: Final = {-1: "degraded", 0: "stable", 1: "improved"}
_YEARS: Final = re.compile(r"\s*(\d{4})\s*[-–/:]\s*(\d{4})\s*")


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


def compute(job: Job) -> Outcome:
    """Sub-indicators of every period, one-out-all-out, corrections, status."""
    mosaic = open_mosaic(job.inputs["ndvi"])
    opened: list[Mosaic] = [mosaic]
    try:
        spans = _spans(job)
        findings = _distinct([f for s in spans for f in years_checked(mosaic, s.start, s.end)])
        ground = Ground.of(mosaic, job.region)
        cover = open_cover(job, mosaic) if job.inputs.get("landcover") else None
        if cover is not None:
            opened.append(cover.mosaic)
        zones, told = _zones(job)
        findings += told
        corrections, told = _corrections(job)
        findings += told
        with scratch(job, "land.sdg-15-3-1", ground.window()) as arrays:
            productivity = _productivity(job, mosaic, ground, arrays, spans)
            findings += _distinct([f for p in productivity.values() for f in p.findings()])
            parts, told = _parts(job, mosaic, productivity, cover, spans)
            findings += told
            work = _work(job, ground, arrays, spans, parts, corrections)
            _integrate(work)
            tables, values = _tables(work, zones)
            rasters = _maps(job, work)
            if work.unsettled:
                findings.append(
                    Finding(
                        "land-missing-parts",
                        Severity.INFO,
                        params={"km2": f"{work.unsettled:.2f}", "missing": work.missing},
                    )
                )
            if zones:
                findings += _gaps(work, zones)
    finally:
        for one in opened:
            one.close()
    if values["nodata_km2"].value == values["total_km2"].value:
        raise NotComputable(say("assess.land.no-pixel", fewest=7), say("assess.land.no-pixel.do"))
    return Outcome(values=values, tables=tables, rasters=rasters, findings=findings)


def _key(finding: Finding) -> tuple[object, ...]:
    return finding.code, finding.field, finding.value, tuple(sorted(finding.params.items()))


def _distinct(findings: list[Finding]) -> list[Finding]:
    """Each finding once, though two periods share years."""
    return list({_key(finding): finding for finding in findings}.values())


def _spans(job: Job) -> tuple[Span, ...]:
    """The baseline and one or two periods; UsageError where one is no span of years."""
    found = []
    for name, parameter in zip(PERIODS, ("baseline", "report", "report_2"), strict=True):
        text = job.parameters[parameter]
        if text is None and parameter == "report_2":
            continue
        match = _YEARS.fullmatch(str(text))
        if match is None:
            raise UsageError(say("assess.land.span", name=parameter, given=text))
        found.append(Span(name, int(match[1]), int(match[2])))
    return tuple(found)


def _zones(job: Job) -> tuple[list[Polygon], list[Finding]]:
    given = job.inputs.get("zones")
    if not given:
        return [], []
    polygons = read_polygons(given[0])
    return polygons, list(overlaps(polygons, given[0].name))


def _corrections(job: Job) -> tuple[list[Correction], list[Finding]]:
    given = job.inputs.get("corrections")
    return read_corrections(given[0]) if given else ([], [])


def _productivity(
    job: Job, mosaic: Mosaic, ground: Ground, arrays: Scratch, spans: tuple[Span, ...]
) -> dict[str, Productivity]:
    given = job.inputs.get("units")
    units = open_on(mosaic, given) if given else None
    found = {}
    for number, span in enumerate(spans):
        ask = LpdAsk(mosaic, span.start, span.end, job.number("alpha"), job.number("complete"))

        def told(share: float, done: int = number) -> None:
            job.progress((done + share) / (len(spans) + 1))

        found[span.name] = productivity_of(ask, ground, units, arrays, job.executor, told)
    return found


def _parts(
    job: Job,
    mosaic: Mosaic,
    productivity: Mapping[str, Productivity],
    cover: Cover | None,
    spans: tuple[Span, ...],
) -> tuple[dict[str, dict[str, Callable[[Window], Codes]]], list[Finding]]:
    """What gives each sub-indicator of each period; one that cannot be given is named."""
    rule = next(r for r in RULES if r == job.parameters["rule"])
    findings = [_left_out(name) for name in ("landcover", "soc") if not job.inputs.get(name)]
    carbon = None
    soc = job.inputs.get("soc")
    if soc and cover is None:
        findings.append(_left_out("soc"))
    elif soc and cover is not None:
        stock = open_on(mosaic, soc)
        check_grid(mosaic, stock.name, stock.stack)
        carbon = Carbon(stock, cover, climate_factor(job), min(s.start for s in spans))
    parts: dict[str, dict[str, Callable[[Window], Codes]]] = {}
    for span in spans:
        made: dict[str, Callable[[Window], Codes]] = {
            "productivity": partial(productivity[span.name].three, rule)
        }
        years = cover.between(span.start, span.end) if cover else None
        if cover is not None and years is None:
            findings += [_left_out("landcover", span), _left_out("soc", span)]
        elif cover is not None and years is not None:
            findings += used_years((span.start, span.end), years, "landcover")
            made["landcover"] = partial(_change, cover, years)
            if carbon is not None:
                made["soc"] = partial(
                    carbon.change,
                    years=(span.start, span.end),
                    limit=_CARBON_LIMIT,
                    inclusive=rule == "trends_earth",
                )
        parts[span.name] = made
    return parts, _distinct(findings)


def _change(cover: Cover, years: tuple[int, int], window: Window) -> Codes:
    return cover.change(window, *years)


def _left_out(name: str, span: Span | None = None) -> Finding:
    years = f"{span.start}-{span.end}" if span else "-"
    return Finding("land-left-out", Severity.WARNING, field=name, params={"years": years})


def _work(
    job: Job,
    ground: Ground,
    arrays: Scratch,
    spans: tuple[Span, ...],
    parts: Mapping[str, Mapping[str, Callable[[Window], Codes]]],
    corrections: list[Correction],
) -> Work:
    return Work(
        ground,
        arrays,
        spans,
        next(r for r in RULES if r == job.parameters["rule"]),
        next(m for m in MISSING if m == job.parameters["missing"]),
        parts,
        corrections,
        {s.name: arrays.array(f"sdg-{s.name}", np.int16) for s in spans},
        {(s.name, part): ClassAreas((-1, 0, 1)) for s in spans for part in parts[s.name]},
        {},
    )


def _integrate(work: Work) -> None:
    """One-out-all-out and corrections of all periods, strip by strip, kept on disk."""
    outlines = [work.ground.outlines(c.polygon.geometry) for c in work.corrections]
    for window in strips(work.scratch.within):
        km2 = work.ground.km2(window)
        where = np.full(km2.shape, -1)
        for number, rings in enumerate(outlines):
            inside = work.ground.shares(window, rings) > 0.5
            where = np.where(inside & (where < 0), number, where)
        for span in work.spans:
            codes = []
            for name, make in work.parts[span.name].items():
                codes.append(make(window))
                work.by_part[span.name, name].add(codes[-1], km2)
            before = one_out_all_out(*codes, missing=work.missing)
            other: Missing = "known" if work.missing == "any" else "any"
            differs = one_out_all_out(*codes, missing=other) != before
            work.unsettled += float(km2[differs].sum())
            after = recoded(before, where, [c.recode for c in work.corrections], span.name)
            _tell_corrected(work, span, where, before, after, km2)
            work.codes[span.name][work.scratch.place(window)] = after
        work.scratch.release()


def _tell_corrected(
    work: Work, span: Span, where: Codes, before: Codes, after: Codes, km2: np.ndarray
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


def _tables(work: Work, zones: list[Polygon]) -> tuple[dict[str, pd.DataFrame], dict[str, Value]]:
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
    if work.corrections:
        tables["corrections"] = _corrected(work)
    if zones:
        tables["zones"] = pd.concat(list(_by_zone(work, zones)), ignore_index=True)
    return tables, _values(work, three, overall)


def _cross(
    work: Work, span: Span, place: tuple[slice, slice], km2: np.ndarray
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


def _gaps(work: Work, zones: list[Polygon]) -> list[Finding]:
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
        name = {"baseline": "baseline", "report_1": "report", "report_2": "report_2"}[span.name]
        share = 100 * areas.of(-1) / known if known > 0 else None
        values[f"{name}_degraded_percent"] = Value(value=share, unit="%")
    values["change_km2"] = Value(
        value=overall[last.name].of(-1) - three[PERIODS[0]].of(-1), unit="km2"
    )
    return values


def _maps(job: Job, work: Work) -> dict[str, str]:
    within = work.scratch.within
    maps = {}
    for span in work.spans:
        tags = {
            "indicator": "land.sdg-15-3-1",
            "rule": work.rule,
            "period": f"{span.start}/{span.end}",
        }
        name = {"baseline": "baseline", "report_1": "report", "report_2": "report_2"}[span.name]
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


LAND_SDG: Final = Indicator(
    id="land.sdg-15-3-1",
    version="1",
    inputs=(
        Input("ndvi", "raster stack", noun="Coverage"),
        Input("units", "raster", required=False),
        Input("landcover", "raster stack", noun="Coverage", required=False),
        Input("soc", "raster", required=False),
        Input("nesting", "table", required=False),
        Input("transitions", "table", required=False),
        Input("zones", "polygons", required=False),
        Input("corrections", "polygons", required=False),
    ),
    parameters=(
        Parameter("baseline", "text", "2000-2015", unit="year"),
        Parameter("report", "text", "2004-2019", unit="year"),
        Parameter("report_2", "text", unit="year"),
        Parameter("rule", "text", "unccd2026", choices=RULES),
        Parameter("missing", "text", "any", choices=MISSING),
        Parameter("legend", "text", "unccd", choices=LEGENDS),
        Parameter("climate", "text", "temperate dry", choices=tuple(CLIMATE_FACTORS)),
        Parameter("alpha", "number", 0.05, minimum=1e-6, maximum=0.5, unit="1"),
        Parameter("complete", "number", 0.75, minimum=0.0, maximum=1.0, unit="1"),
    ),
    values={
        "total_km2": "km2",
        "degraded_km2": "km2",
        "stable_km2": "km2",
        "improved_km2": "km2",
        "nodata_km2": "km2",
        "degraded_percent": "%",
        "baseline_degraded_percent": "%",
        "report_degraded_percent": "%",
        "report_2_degraded_percent": "%",
        "change_km2": "km2",
    },
    tables={
        "status": {"class": "1", "area_km2": "km2", "percent": "%"},
        "status_2": {"class": "1", "area_km2": "km2", "percent": "%"},
        "periods": {
            "period": "1", "years": "year", "state": "1", "area_km2": "km2", "percent": "%",
        },
        "parts": {"period": "1", "part": "1", "state": "1", "area_km2": "km2", "percent": "%"},
        "crosstab": {"report": "1", "baseline": "1", "period": "1", "area_km2": "km2"},
        "corrections": {
            "polygon": "1", "declared_km2": "km2", "geodesic_km2": "km2", "period": "1",
            "before": "1", "after": "1", "area_km2": "km2",
        },
        "zones": {"zone": "1", "period": "1", "class": "1", "area_km2": "km2", "percent": "%"},
    },
    rasters={"status": "1", "status_2": "1", "baseline": "1", "report": "1", "report_2": "1"},
    citations=(
        Citation(
            "Sims et al. (2021) Good Practice Guidance, SDG Indicator 15.3.1, version 2, UNCCD"
        ),
        Citation("UNCCD (2025) PRAIS 4 reporting manual for the 2026 reporting process"),
        Citation("IPCC (2006) Guidelines for National Greenhouse Gas Inventories, volume 4"),
        Citation(
            "Orr et al. (2017) Scientific conceptual framework for land degradation neutrality"
        ),
    ),
    compute=compute,
)  # fmt: skip
