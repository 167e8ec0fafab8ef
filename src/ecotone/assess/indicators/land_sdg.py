"""``land.sdg-15-3-1``: land that is degraded, in a baseline and in the periods after it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd
from rasterio.windows import Window

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators.land_exports import write_json, write_workbook
from ecotone.assess.indicators.land_forms import Forms
from ecotone.assess.indicators.land_ground import Ground, check_grid, open_on
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
from ecotone.assess.indicators.land_sdg_work import (
    Span,
    Work,
    gaps_of,
    integrate,
    maps_of,
    tables_of,
)
from ecotone.assess.indicators.land_tables import (
    ClassAreas,
)
from ecotone.assess.indicators.mosaic import Mosaic, open_mosaic
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.words import say
from ecotone.science.land.cover import CLIMATE_FACTORS
from ecotone.science.land.lookup import Codes
from ecotone.science.land.productivity import RULES
from ecotone.science.land.status import (
    MISSING,
    PERIODS,
)

#: The sub-indicators.
PARTS: Final = ("productivity", "landcover", "soc")
#: Percent of change of soil carbon that counts.
_CARBON_LIMIT: Final = 10.0
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
        zones, told = _zones(job)
        findings += told
        corrections, told = _corrections(job)
        findings += told
        with scratch(job, "land.sdg-15-3-1", ground.window()) as arrays:
            productivity = _productivity(job, mosaic, ground, arrays, spans)
            findings += _distinct([f for p in productivity.values() for f in p.findings()])
            parts, carbon, told = _parts(job, mosaic, productivity, cover, spans)
            findings += told
            work = _work(job, ground, arrays, spans, parts, corrections)
            work.lpd = {n: partial(p.lpd, work.rule) for n, p in productivity.items()}
            work.carbon = carbon
            if cover is not None:
                work.forms = Forms(cover)
                between = {s.name: cover.between(s.start, s.end) for s in spans}
                work.cover_years = {n: years for n, years in between.items() if years}
            integrate(work)
            tables, values = tables_of(work, zones)
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
    findings.append(_exported(job, work, tables))
    return Outcome(values=values, tables=tables, rasters=rasters, findings=findings)


def _exported(job: Job, work: Work, tables: dict[str, pd.DataFrame]) -> Finding:
    """The workbook of the forms and, where all three parts are there, Trends.Earth's JSON."""
    folder = job.out / "exports"
    shutil.rmtree(folder, ignore_errors=True)
    write_workbook(folder / "prais.xlsx", tables, work.forms, work.spans[-1].end)
    names = ["exports/prais.xlsx"]
    whole = all(set(PARTS) <= set(work.parts[s.name]) for s in work.spans)
    if whole and work.forms is not None:
        spans = [(s.name, s.start, s.end) for s in work.spans]
        write_json(folder / "trends_earth.json", tables, work.forms, spans, _area(job, work))
        names.append("exports/trends_earth.json")
    return Finding("land-exports", Severity.INFO, params={"files": ", ".join(names)})


def _area(job: Job, work: Work) -> dict[str, Any]:
    """The area of interest; the grid's edges where no region was given."""
    from rasterio.crs import CRS
    from rasterio.warp import transform_bounds
    from shapely.geometry import box, mapping

    ground = work.ground
    west, north = ground.transform * (0, 0)
    east, south = ground.transform * (ground.width, ground.height)
    edges = transform_bounds(ground.crs, CRS.from_epsg(4326), west, south, east, north)
    shape = job.region if job.region is not None else box(*edges)
    feature = {"type": "Feature", "properties": {}, "geometry": mapping(shape)}
    return {
        "name": "Area of interest",
        "geojson": {"type": "FeatureCollection", "features": [feature]},
        "crs_wkt": CRS.from_epsg(4326).to_wkt(),
    }


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
        "crosstab_parts": {
            "report": "1", "part": "1", "baseline": "1", "period": "1", "area_km2": "km2",
        },
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
