"""``wildlife.design``: how precise a layout of cameras or snags will be."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final, cast

import numpy as np
import pandas as pd

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators.reading import Notes
from ecotone.assess.indicators.wildlife_reading import Problems, numbers, read_columns
from ecotone.assess.indicators.wildlife_survey import USAGE
from ecotone.model.errors import UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.wildlife import Captures, Detectors, Mask, Session, cell_area
from ecotone.science.wildlife.secr_model import FORMS, DetectionFunction
from ecotone.science.wildlife.study_design import expected, simulated
from ecotone.science.wildlife.survey import HECTARE, DetectorKind

_PER_100_KM2: Final = 1e8 / HECTARE
#: Relative standard error a density estimate should not exceed to be of use.
_WANTED: Final = 0.2


def compute(job: Job) -> Outcome:
    """Expected numbers of the layout, and simulated surveys where asked for."""
    notes, problems = Notes(), Problems()
    detection = cast("DetectionFunction", str(job.parameters["detection"]))
    name = "lambda0" if FORMS[detection][1] else "g0"
    if job.parameters[name] is None or job.parameters["density"] is None:
        raise UsageError(say("assess.wildlife.design-needs", name=name))
    layout = _layout(job, problems, notes)
    density = job.number("density") / _PER_100_KM2
    top, sigma = job.number(name), job.number("sigma")
    told = expected(layout, density, detection, top, sigma)
    values = {
        "detectors": Value(value=len(layout.detectors.xy), unit="detectors"),
        "inhabitants": Value(value=density * layout.mask.area, unit="animals"),
        "expected_animals": Value(value=told.animals, unit="animals"),
        "expected_detections": Value(value=told.detections, unit="detections"),
        "expected_recaptures": Value(value=told.recaptures, unit="detections"),
        "expected_spatial_recaptures": Value(value=told.spatial_recaptures, unit="detections"),
        "rse": Value(value=told.rse if math.isfinite(told.rse) else None, unit="1"),
    }
    if not told.rse <= _WANTED:
        share = f"{100 * told.rse:.0f}" if math.isfinite(told.rse) else "-"
        notes.add(Finding("wildlife-design-weak", Severity.WARNING, params={"rse": share}))
    surveys = int(str(job.parameters["replicates"]))
    if surveys:
        rng = np.random.default_rng(int(str(job.parameters["seed"])))
        found = simulated(layout, density, detection, top, sigma, surveys, rng)
        values["simulated"] = Value(value=found.fitted, unit="surveys")
        for key in ("bias", "rse", "spread", "coverage"):
            number = float(getattr(found, key))
            values[f"simulated_{key}"] = Value(
                value=number if math.isfinite(number) else None, unit="1"
            )
        if found.fitted < surveys:
            params = {"count": str(surveys - found.fitted), "surveys": str(surveys)}
            notes.add(Finding("wildlife-design-failed", Severity.WARNING, params=params))
    return Outcome(values=values, findings=notes.all())


def _layout(job: Job, problems: Problems, notes: Notes) -> Session:
    detectors = _table(job.inputs["detectors"][0], ("detector", "x", "y"), problems, notes)
    mask = _table(job.inputs["mask"][0], ("x", "y"), problems, notes)
    if len(mask) < 2:
        problems.add("wildlife-mask-small", job.inputs["mask"][0], session="1")
    usage = [c for c in detectors.columns if USAGE.fullmatch(c)]
    for name in usage:
        detectors[name] = numbers(detectors, name, job.inputs["detectors"][0], problems)
    problems.stop()
    occasions = int(job.number("occasions"))
    xy = mask[["x", "y"]].to_numpy(np.float64)
    effort = (
        detectors[usage].to_numpy(np.float64) if usage else np.ones((len(detectors), occasions))
    )
    kind = str(job.parameters["detector"])
    nobody = np.empty(0, dtype=np.int64)
    return Session(
        cast("DetectorKind", kind),
        Detectors(detectors[["x", "y"]].to_numpy(np.float64), effort),
        Mask(xy, cell_area(xy)),
        Captures(0, nobody, nobody, nobody, nobody),
    )


def _table(
    path: Path, positions: tuple[str, ...], problems: Problems, notes: Notes
) -> pd.DataFrame:
    frame = read_columns(path, positions, ("x", "y"), positions, notes)
    for name in ("x", "y"):
        frame[name] = numbers(frame, name, path, problems)
    return frame


WILDLIFE_DESIGN: Final = Indicator(
    id="wildlife.design",
    version="1",
    inputs=(Input("detectors", "table", coarse="refuse"), Input("mask", "table", coarse="refuse")),
    parameters=(
        Parameter("density", "number", minimum=0.0, unit="1/(100 km2)"),
        Parameter("detector", "text", "proximity", choices=("multi", "proximity", "count")),
        Parameter("detection", "text", "HN", choices=tuple(FORMS)),
        Parameter("g0", "number", minimum=0.0, maximum=1.0),
        Parameter("lambda0", "number", minimum=0.0),
        Parameter("sigma", "number", minimum=0.0, unit="m"),
        Parameter("occasions", "integer", 1, minimum=1, maximum=10_000),
        Parameter("replicates", "integer", 0, minimum=0, maximum=100_000),
        Parameter("seed", "integer", 0, minimum=0),
    ),
    values={
        "detectors": "detectors",
        "inhabitants": "animals",
        "expected_animals": "animals",
        "expected_detections": "detections",
        "expected_recaptures": "detections",
        "expected_spatial_recaptures": "detections",
        "rse": "1",
        "simulated": "surveys",
        "simulated_bias": "1",
        "simulated_rse": "1",
        "simulated_spread": "1",
        "simulated_coverage": "1",
    },
    tables={},
    rasters={},
    citations=(
        Citation(
            "Efford and Boulanger (2019) Methods in Ecology and Evolution 10, 1529-1535",
            "10.1111/2041-210X.13239",
        ),
    ),
    compute=compute,
)
