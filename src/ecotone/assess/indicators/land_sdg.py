"""``land.sdg-15-3-1``: land that is degraded, in a baseline and in the periods after it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rasterio.windows import Window

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators.land_exports import write_json
from ecotone.assess.indicators.land_forms import Forms
from ecotone.assess.indicators.land_ground import Ground, check_grid, open_on
from ecotone.assess.indicators.land_lpd import (
    RAIN,
    YEARLY,
    Productivity,
    ask_of,
    open_rain,
    productivity_of,
    years_checked,
)
from ecotone.assess.indicators.land_maps import (
    LEGENDS,
    Carbon,
    Cover,
    climate_factor,
    open_cover,
    used_years,
)
from ecotone.assess.indicators.land_people import GROUPS, INPUTS, people_of
from ecotone.assess.indicators.land_polygons import (
    Correction,
    Polygon,
    error_recode,
    overlaps,
    read_corrections,
    read_polygons,
)
from ecotone.assess.indicators.land_sample import judge, read_sample
from ecotone.assess.indicators.land_scratch import Scratch, scratch
from ecotone.assess.indicators.land_sdg_people import (
    neutrality_of,
    people_of_states,
    people_values,
)
from ecotone.assess.indicators.land_sdg_work import (
    Span,
    Work,
    gaps_of,
    integrate,
    maps_of,
    tables_of,
)
from ecotone.assess.indicators.land_spots import KINDS, find_spots, write_spots
from ecotone.assess.indicators.land_tables import (
    ClassAreas,
)
from ecotone.assess.indicators.land_workbook import Told, propose_confidence, write_workbook
from ecotone.assess.indicators.land_zones import (
    area_of_interest,
    by_country,
    by_zone,
    edges_of,
    write_zones,
)
from ecotone.assess.indicators.mosaic import Mosaic, open_mosaic
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.land.cover import CLIMATE_FACTORS
from ecotone.science.land.lookup import NODATA, Codes
from ecotone.science.land.productivity import RULES
from ecotone.science.land.status import (
    MISSING,
    PERIODS,
    status_classes,
    status_three,
)

#: The sub-indicators.
PARTS: Final = ("productivity", "landcover", "soc")
#: Percent of change of soil carbon that counts.
_CARBON_LIMIT: Final = 10.0
_CONFIDENCE: Final = {
    "high": "land-confidence-high",
    "medium": "land-confidence-medium",
    "low": "land-confidence-low",
}
_YEARS: Final = re.compile(r"\s*(\d{4})\s*[-–/:]\s*(\d{4})\s*")


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
        rain = open_rain(job, mosaic)
        if rain is not None:
            opened.append(rain)
        zones, told = _zones(job)
        findings += told
        corrections, told = _corrections(job)
        findings += told
        with scratch(job, "land.sdg-15-3-1", ground.window()) as arrays:
            productivity = _productivity(job, mosaic, rain, ground, arrays, spans)
            findings += _distinct([f for p in productivity.values() for f in p.findings()])
            parts, carbon, told = _parts(job, mosaic, productivity, cover, spans)
            findings += told
            work = _work(job, ground, arrays, spans, parts, corrections)
            work.lpd = {n: partial(p.lpd, work.rule) for n, p in productivity.items()}
            work.three_by_rule = {
                (n, rule): partial(p.three, rule) for n, p in productivity.items() for rule in RULES
            }
            work.answers = arrays.array("answers", np.int16)
            work.carbon = carbon
            if cover is not None:
                work.forms = Forms(cover)
                between = {s.name: cover.between(s.start, s.end) for s in spans}
                work.cover_years = {n: years for n, years in between.items() if years}
            integrate(work)
            tables, values, overall = tables_of(work)
            sample = job.inputs.get("sample")
            if sample:
                judged = judge(read_sample(sample[0]), ground, partial(_state_at, work), overall)
                values |= judged.values
                findings += judged.findings
                if judged.table is not None:
                    tables["adjusted"] = judged.table
            groups = people_of(job, mosaic)
            if groups:
                tables["people"] = people_of_states(work, mosaic, groups)
                values |= people_values(tables["people"])
            units = job.inputs.get("units")
            balance, told_values = neutrality_of(work, open_on(mosaic, units) if units else None)
            tables["neutrality"] = balance
            values |= told_values
            spots = {kind: find_spots(work, kind) for kind in KINDS}
            tables |= {kind: one.table for kind, one in spots.items() if len(one.table)}
            vectors = {}
            if any(one.outlines for one in spots.values()):
                vectors["spots"] = write_spots(job.out, spots)
            if zones:
                tables["zones"] = by_zone(work, zones)
                vectors["zones"] = write_zones(job.out, zones, tables["zones"])
            countries = job.inputs.get("countries")
            if countries:
                states = read_polygons(countries[0])
                findings += overlaps(states, countries[0].name)
                tables["transboundary"] = by_country(work, zones or _whole(job, work), states)
            rasters = maps_of(job, work)
            if work.unsettled:
                findings.append(
                    Finding(
                        "land-missing-parts",
                        Severity.INFO,
                        params={"km2": f"{work.unsettled:.2f}", "missing": work.missing},
                    )
                )
            if zones:
                findings += gaps_of(work, zones)
    finally:
        for one in opened:
            one.close()
    if values["nodata_km2"].value == values["total_km2"].value:
        raise NotComputable(say("assess.land.no-pixel", fewest=7), say("assess.land.no-pixel.do"))
    findings += _exported(job, work, tables, values)
    return Outcome(
        values=values, tables=tables, rasters=rasters, vectors=vectors, findings=findings
    )


def _whole(job: Job, work: Work) -> list[Polygon]:
    """The region, or the whole grid, as one zone."""
    from shapely.geometry import box

    edges = box(*edges_of(work.ground))
    shape = job.region if job.region is not None else edges
    return [Polygon("region", shape, {}, work.ground.whole_km2())]


def _state_at(work: Work, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.int16]:
    """The last status in three states at cells of the grid; no data outside the region."""
    within = work.scratch.within
    row, column = rows - int(within.row_off), columns - int(within.col_off)
    here = (row >= 0) & (row < within.height) & (column >= 0) & (column < within.width)
    state = np.full(rows.size, NODATA, dtype=np.int16)
    codes = [np.asarray(work.codes[s.name])[row[here], column[here]]
             for s in (work.spans[0], work.spans[-1])]  # fmt: skip
    state[here] = status_three(status_classes(*codes))
    for at in np.flatnonzero(state != NODATA):
        cell = Window(int(columns[at]), int(rows[at]), 1, 1)
        if work.ground.shares(cell)[0, 0] < 0.5:
            state[at] = NODATA
    return state


def _exported(
    job: Job, work: Work, tables: dict[str, pd.DataFrame], values: Mapping[str, Value]
) -> list[Finding]:
    """The workbook of the forms and, where all three parts are there, Trends.Earth's JSON."""
    folder = job.out / "exports"
    shutil.rmtree(folder, ignore_errors=True)
    accuracy = values.get("accuracy_percent")
    assessed = (values["total_km2"].value or 0.0) - (values["nodata_km2"].value or 0.0)
    confidence = propose_confidence(
        None if accuracy is None or accuracy.value is None else accuracy.value / 100,
        values["rule_dependent_km2"].value or 0.0, assessed, work.parts[work.spans[-1].name],
    )  # fmt: skip
    told = Told(work.rule, work.spans[-1].end, confidence, work.corrections)
    write_workbook(folder / "prais.xlsx", tables, work.forms, told)
    names = ["exports/prais.xlsx"]
    whole = all(set(PARTS) <= set(work.parts[s.name]) for s in work.spans)
    if whole and work.forms is not None:
        spans = [(s.name, s.start, s.end) for s in work.spans]
        write_json(
            folder / "trends_earth.json", tables, work.forms, spans,
            area_of_interest(job, work.ground), error_recode(work.corrections),
        )  # fmt: skip
        names.append("exports/trends_earth.json")
    return [
        Finding("land-exports", Severity.INFO, params={"files": ", ".join(names)}),
        Finding(_CONFIDENCE[confidence], Severity.INFO),
    ]


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
    job: Job, mosaic: Mosaic, rain: Mosaic | None, ground: Ground, arrays: Scratch,
    spans: tuple[Span, ...],
) -> dict[str, Productivity]:  # fmt: skip
    given = job.inputs.get("units")
    units = open_on(mosaic, given) if given else None
    found = {}
    for number, span in enumerate(spans):
        ask = ask_of(job, mosaic, rain, span.start, span.end)

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
) -> tuple[dict[str, dict[str, Callable[[Window], Codes]]], Carbon | None, list[Finding]]:
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
    return parts, carbon, _distinct(findings)


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
        Input("countries", "polygons", required=False),
        Input("corrections", "polygons", required=False),
        Input("sample", "table", required=False),
        RAIN,
        *INPUTS,
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
        *YEARLY,
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
        "degraded_least_km2": "km2",
        "degraded_most_km2": "km2",
        "rule_dependent_km2": "km2",
        "degraded_adjusted_km2": "km2",
        "improved_adjusted_km2": "km2",
        "accuracy_percent": "%",
        "people_degraded": "people",
        "female_degraded": "people",
        "male_degraded": "people",
        "people_degraded_percent": "%",
        "balance_km2": "km2",
        "not_neutral": "1",
    },
    tables={
        "status": {"class": "1", "area_km2": "km2", "percent": "%"},
        "status_2": {"class": "1", "area_km2": "km2", "percent": "%"},
        "periods": {
            "period": "1", "years": "year", "state": "1", "area_km2": "km2", "percent": "%",
        },
        "parts": {"period": "1", "part": "1", "state": "1", "area_km2": "km2", "percent": "%"},
        "crosstab": {"report": "1", "baseline": "1", "period": "1", "area_km2": "km2"},
        "crosstab_parts": {
            "report": "1", "part": "1", "baseline": "1", "period": "1", "area_km2": "km2",
        },
        "rules": {
            "report": "1", "rule": "1", "state": "1", "area_km2": "km2", "percent": "%",
        },
        "adjusted": {
            "state": "1", "mapped_km2": "km2", "area_km2": "km2", "area_km2_low": "km2",
            "area_km2_high": "km2", "se_km2": "km2", "users_accuracy": "1",
            "producers_accuracy": "1",
        },
        "people": {
            "period": "1", "years": "year", "state": "1",
            **dict.fromkeys(GROUPS, "people"), **{f"{g}_percent": "%" for g in GROUPS},
        },
        "neutrality": {
            "land_type": "1", "gains_km2": "km2", "losses_km2": "km2", "balance_km2": "km2",
            "neutral": "1",
        },
        **{kind: {
            "rank": "1", "longitude": "degree", "latitude": "degree", "area_km2": "km2",
            "west": "degree", "south": "degree", "east": "degree", "north": "degree",
            "drivers": "1",
        } for kind in KINDS},
        "corrections": {
            "polygon": "1", "declared_km2": "km2", "geodesic_km2": "km2", "period": "1",
            "before": "1", "after": "1", "area_km2": "km2",
        },
        "transboundary": {
            "zone": "1", "period": "1", "country": "1", "class": "1", "area_km2": "km2",
            "share_percent": "%",
        },
        "zones": {"zone": "1", "period": "1", "class": "1", "area_km2": "km2", "percent": "%"},
    },
    rasters={
        "status": "1", "status_2": "1", "baseline": "1", "report": "1", "report_2": "1",
        "agreement": "1",
    },
    citations=(
        Citation(
            "Sims et al. (2021) Good Practice Guidance, SDG Indicator 15.3.1, version 2, UNCCD"
        ),
        Citation("UNCCD (2025) PRAIS 4 reporting manual for the 2026 reporting process"),
        Citation("IPCC (2006) Guidelines for National Greenhouse Gas Inventories, volume 4"),
        Citation(
            "Olofsson et al. (2014) Remote Sensing of Environment 148, 42-57",
            "10.1016/j.rse.2014.02.015",
        ),
        Citation(
            "Orr et al. (2017) Scientific conceptual framework for land degradation neutrality"
        ),
    ),
    compute=compute,
)  # fmt: skip
