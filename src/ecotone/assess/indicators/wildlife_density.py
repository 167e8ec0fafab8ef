"""``wildlife.density``: how many recognised animals there are, by spatial capture-recapture."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, cast

import numpy as np
import pandas as pd

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter, Scalar
from ecotone.assess.indicators.reading import Notes
from ecotone.assess.indicators.wildlife_density_more import (
    DENSITY as _DENSITY,
)
from ecotone.assess.indicators.wildlife_density_more import (
    MODELS,
    REGIONS,
    SUMMARY,
    TREATMENTS,
    by_region,
    fit_all,
    fit_or_say,
    models_asked,
    recaptured,
    same_ground,
    summary,
    told_model,
    treated,
    write_map,
    write_secr,
)
from ecotone.assess.indicators.wildlife_density_more import (
    PER_100_KM2 as _PER_100_KM2,
)
from ecotone.assess.indicators.wildlife_survey import Asked, Survey, read_survey
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.wildlife import Model, SecrFit, Session, estimates
from ecotone.science.wildlife.checks import Warned, warnings_of
from ecotone.science.wildlife.collapse import collapsed
from ecotone.science.wildlife.estimates import Estimate
from ecotone.science.wildlife.fitness import goodness_of_fit
from ecotone.science.wildlife.secr_model import FORMS, DetectionFunction
from ecotone.science.wildlife.survey import DetectorKind

_COEFFICIENTS: Final = {"coefficient": "", "estimate": "", "se": "", "low": "", "high": ""}
_SESSIONS: Final = {
    "session": "",
    "animals": "animals",
    "detections": "detections",
    "spatial_recaptures": "detections",
    "density": _DENSITY,
    "density_se": _DENSITY,
    "density_low": _DENSITY,
    "density_high": _DENSITY,
    "expected_n": "animals",
    "expected_n_se": "animals",
    "expected_n_low": "animals",
    "expected_n_high": "animals",
    "realised_n": "animals",
    "realised_n_se": "animals",
    "realised_n_low": "animals",
    "realised_n_high": "animals",
    "mask_area": "km2",
    "effective_area": "km2",
}
_SURFACE: Final = {"session": "", "x": "m", "y": "m", "density": _DENSITY, "se": _DENSITY}


def compute(job: Job) -> Outcome:
    """Read the survey, fit the model, tell what it says and what speaks against it."""
    notes = Notes()
    parameters = job.parameters
    inputs = {name: paths[0] for name, paths in job.inputs.items()}
    for name, paths in job.inputs.items():
        if len(paths) > 1:
            raise UsageError(say("assess.wildlife.one-file", name=name))
    survey = read_survey(inputs, _asked(parameters), notes)
    model = _model(parameters, survey, notes)
    job.progress(0.2)
    sessions = _collapsed(survey.sessions, parameters, notes)
    tables: dict[str, pd.DataFrame] = {}
    averaged: Estimate | None = None
    several = _text(parameters, "models")
    if several is None:
        fitted = fit_or_say(sessions, model, job.executor)
    else:
        models = models_asked(several, model)
        fitted, tables["models"], averaged = fit_all(sessions, models, job.executor, notes)
    _say_model(fitted.model, notes)
    job.progress(0.7)
    for warned in warnings_of(fitted):
        # Detectors beside the mask were told row by row when they were read.
        if warned.code != "detector-off-mask":
            notes.add(_finding(warned))
    values = _values(fitted, parameters, notes)
    _goodness(fitted, parameters, values, notes)
    if averaged is not None:
        values["density_averaged"] = _value(averaged, _DENSITY, _PER_100_KM2)
    tables |= {"coefficients": _coefficients(fitted), "sessions": _sessions(fitted)}
    weight = None if averaged is None else float(tables["models"]["weight"].max())
    tables["summary"] = summary(fitted, weight)
    if fitted.likelihood.design("D").shape[1] > 1:
        tables["surface"] = _surface(fitted)
    if "decisions" in job.inputs:
        tables["treatments"] = _treatments(job, inputs, survey, fitted, notes)
    region = _text(parameters, "regions")
    if region is not None:
        tables["regions"] = by_region(fitted, region, job.executor, notes)
    if parameters["secr"]:
        write_secr(fitted.likelihood.sessions, survey.animals, job.out)
        notes.add(Finding("wildlife-secr-written", Severity.INFO))
    crs = _text(parameters, "crs")
    rasters = {} if crs is None else write_map(fitted, 0, job.out, crs)
    job.progress(0.95)
    return Outcome(values=values, tables=tables, rasters=rasters, findings=notes.all())


def _collapsed(
    sessions: tuple[Session, ...], parameters: Mapping[str, Scalar], notes: Notes
) -> tuple[Session, ...]:
    """The occasions of each session as one where that was asked for."""
    if not parameters["collapse"]:
        return sessions
    try:
        found = tuple(collapsed(session) for session in sessions)
    except ValueError as error:
        raise NotComputable(say("assess.wildlife.not-collapsed", why=str(error))) from error
    notes.add(Finding("wildlife-collapsed", Severity.INFO))
    return found


def _treatments(
    job: Job, inputs: dict[str, Path], survey: Survey, fitted: SecrFit, notes: Notes
) -> pd.DataFrame:
    """The same model with disputed identities apart, as one, left out; and without ghosts."""
    surveys: dict[str, Sequence[Session]] = {}
    quiet = Notes()
    for treatment in ("apart", "same", "left-out"):
        asked = dataclasses.replace(_asked(job.parameters), disputed=treatment)
        read = read_survey(inputs, asked, quiet).sessions
        surveys[treatment] = _collapsed(read, job.parameters, quiet)
    surveys["recaptured"] = [recaptured(s) for s in fitted.likelihood.sessions]
    return treated(surveys, fitted.model, job.executor, notes)


def _text(parameters: Mapping[str, Scalar], name: str) -> str | None:
    given = parameters[name]
    return None if given is None or not str(given).strip() else str(given).strip()


def _whole(parameters: Mapping[str, Scalar], name: str) -> int | None:
    given = parameters[name]
    return given if isinstance(given, int) else None


def _asked(parameters: Mapping[str, Scalar]) -> Asked:
    kind = str(parameters["detector"])
    trials = _whole(parameters, "trials") or 0
    if trials and kind != "count":
        raise UsageError(say("assess.wildlife.trials-count"))
    return Asked(
        kind=cast("DetectorKind", "multi" if kind == "single" else kind),
        occasions=_whole(parameters, "occasions"),
        trials=trials,
        classes=_text(parameters, "mixture"),
        session=_text(parameters, "session"),
        disputed=str(parameters["disputed"]),
    )


def _model(parameters: Mapping[str, Scalar], survey: Survey, notes: Notes) -> Model:
    """The model asked for; what no formula says is constant."""
    detection = cast("DetectionFunction", str(parameters["detection"]))
    hazard = FORMS[detection][1]
    given = _text(parameters, "lambda0" if hazard else "g0")
    if _text(parameters, "g0" if hazard else "lambda0") is not None:
        raise UsageError(
            say(
                "assess.wildlife.wrong-top",
                detection=detection,
                name="lambda0" if hazard else "g0",
            )
        )
    behaviour = _text(parameters, "behaviour")
    sigma = _text(parameters, "sigma")
    # A response to capture cannot be told from classes that are caught unequally unless the
    # classes may differ; where both are asked for and no formula is given, they do.
    unequal = bool(survey.classes) and behaviour is not None
    top = given or ("~h2" if unequal else "~1")
    if behaviour is not None and given is None:
        top += f" + {behaviour}"
    elif behaviour is not None:
        top = f"{top} + {behaviour}"
    if str(parameters["detector"]) == "single":
        notes.add(Finding("wildlife-single-as-multi", Severity.WARNING))
    model = Model(
        detection=detection,
        density=_text(parameters, "density") or "~1",
        top=top,
        sigma=sigma or ("~h2" if unequal else "~1"),
        z=_text(parameters, "z") or "~1",
        share=_text(parameters, "pmix") or "~1",
        classes=survey.classes,
        number=cast(Literal["poisson", "binomial"], str(parameters["distribution"])),
    )
    return model


def _say_model(model: Model, notes: Notes) -> None:
    params = {"model": told_model(model)}
    if model.classes:
        params["classes"] = ", ".join(model.classes)
    code = "wildlife-model-classes" if model.classes else "wildlife-model"
    notes.add(Finding(code, Severity.INFO, params=params))


def _finding(warned: Warned) -> Finding:
    return Finding(f"wildlife-{warned.code}", Severity.WARNING, params=dict(warned.params))


def _value(estimate: Estimate, unit: str, scale: float = 1.0) -> Value:
    def told(number: float) -> float | None:
        return float(number * scale) if np.isfinite(number) else None

    return Value(
        value=told(estimate.value),
        unit=unit,
        se=told(estimate.se),
        low=told(estimate.low),
        high=told(estimate.high),
        level=estimate.level if np.isfinite(estimate.low) else None,
    )


def _values(fitted: SecrFit, parameters: Mapping[str, Scalar], notes: Notes) -> dict[str, Value]:
    bound = fitted.likelihood
    captures = [s.captures for s in bound.sessions]
    values = {
        "loglik": Value(value=fitted.value, unit="1"),
        "aicc": Value(value=fitted.aicc if np.isfinite(fitted.aicc) else None, unit="1"),
        "animals": Value(value=bound.animals, unit="animals"),
        "detections": Value(value=sum(c.detections for c in captures), unit="detections"),
        "spatial_recaptures": Value(
            value=sum(c.spatial_recaptures for c in captures), unit="detections"
        ),
    }
    sessions = range(len(bound.sessions))
    expected = estimates.total_expected_number(fitted)
    area = sum(s.mask.area for s in bound.sessions)
    values["density"] = _density(fitted, expected, area, parameters, notes)
    values["expected_n"] = _value(expected, "animals")
    values["realised_n"] = _value(estimates.total_realised_number(fitted), "animals")
    if same_ground(bound.sessions):
        # Cameras and scat on one ground: its animals are those of one session, not of all.
        notes.add(Finding("wildlife-same-ground", Severity.INFO))
        values["expected_n"] = _value(estimates.expected_number(fitted), "animals")
        values["realised_n"] = Value(value=None, unit="animals")
    esa = sum(estimates.effective_area(fitted, k) for k in sessions)
    values["effective_area"] = Value(value=esa / 100.0, unit="km2")
    top = fitted.model.top_name
    for name, unit in ((top, "1"), ("sigma", "m"), ("z", "1"), ("pmix", "1")):
        if name in bound.parts and name in bound.names:
            values[name] = _value(estimates.real_estimate(fitted, name), unit)
        elif name in bound.parts:
            values[name] = Value(value=None, unit=unit)
            params = {"name": name}
            notes.add(Finding("wildlife-no-reference", Severity.INFO, params=params))
    return values


def _density(
    fitted: SecrFit,
    expected: Estimate,
    area: float,
    parameters: Mapping[str, Scalar],
    notes: Notes,
) -> Value:
    told = _value(expected, _DENSITY, _PER_100_KM2 / area)
    if parameters["interval"] != "profile":
        return told
    if len(fitted.likelihood.sessions) > 1 or "D" not in fitted.names:
        notes.add(Finding("wildlife-no-profile", Severity.WARNING))
        return told
    low, high = (x * _PER_100_KM2 for x in estimates.profile_interval(fitted))
    return Value(
        value=told.value,
        unit=_DENSITY,
        se=told.se,
        low=low if np.isfinite(low) else None,
        high=high if np.isfinite(high) else None,
        level=0.95,
    )


def _goodness(
    fitted: SecrFit, parameters: Mapping[str, Scalar], values: dict[str, Value], notes: Notes
) -> None:
    replicates = _whole(parameters, "replicates") or 0
    if not replicates:
        return
    rng = np.random.default_rng(_whole(parameters, "seed") or 0)
    tests = goodness_of_fit(fitted, replicates, rng)
    for name, p in tests.items():
        values[f"fit_{name}"] = Value(value=p, unit="1")
        if p < 0.05:
            params = {"name": name, "p": f"{p:.3f}"}
            notes.add(Finding("wildlife-poor-fit", Severity.WARNING, params=params))


def _coefficients(fitted: SecrFit) -> pd.DataFrame:
    rows = [
        (name, e.value, e.se, e.low, e.high)
        for name, e in estimates.coefficient_estimates(fitted).items()
    ]
    return pd.DataFrame(rows, columns=list(_COEFFICIENTS))


def _sessions(fitted: SecrFit) -> pd.DataFrame:
    rows = []
    for k, session in enumerate(fitted.likelihood.sessions):
        captures = session.captures
        row: dict[str, object] = {
            "session": session.name,
            "animals": captures.animals,
            "detections": captures.detections,
            "spatial_recaptures": captures.spatial_recaptures,
            "mask_area": session.mask.area / 100.0,
            "effective_area": estimates.effective_area(fitted, k) / 100.0,
        }
        told: tuple[tuple[str, Callable[[SecrFit, int], Estimate], float], ...] = (
            ("density", estimates.density, _PER_100_KM2),
            ("expected_n", estimates.expected_number, 1.0),
            ("realised_n", estimates.realised_number, 1.0),
        )
        for name, function, scale in told:
            e = function(fitted, k)
            row[name], row[f"{name}_se"] = e.value * scale, e.se * scale
            row[f"{name}_low"], row[f"{name}_high"] = e.low * scale, e.high * scale
        rows.append(row)
    return pd.DataFrame(rows, columns=list(_SESSIONS))


def _surface(fitted: SecrFit) -> pd.DataFrame:
    parts = []
    for k, session in enumerate(fitted.likelihood.sessions):
        values, se = estimates.density_surface(fitted, k)
        xy = session.mask.xy
        parts.append(
            pd.DataFrame(
                {
                    "session": session.name,
                    "x": xy[:, 0],
                    "y": xy[:, 1],
                    "density": values * _PER_100_KM2,
                    "se": se * _PER_100_KM2,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


WILDLIFE_DENSITY: Final = Indicator(
    id="wildlife.density",
    version="1",
    inputs=(
        Input("captures", "table", coarse="refuse"),
        Input("detectors", "table", coarse="refuse"),
        Input("mask", "table", coarse="refuse"),
        Input("individuals", "table", required=False),
        Input("decisions", "table", required=False),
    ),
    parameters=(
        Parameter(
            "detector", "text", "proximity", choices=("multi", "proximity", "count", "single")
        ),
        Parameter("detection", "text", "HN", choices=tuple(FORMS)),
        Parameter("occasions", "integer", minimum=1, maximum=10_000),
        Parameter("trials", "integer", minimum=0),
        Parameter("density", "text", "~1"),
        Parameter("g0", "text"),
        Parameter("lambda0", "text"),
        Parameter("sigma", "text"),
        Parameter("z", "text"),
        Parameter("mixture", "text"),
        Parameter("pmix", "text"),
        Parameter("behaviour", "text", choices=("b", "bk", "B", "Bk")),
        Parameter("session", "text"),
        Parameter("distribution", "text", "poisson", choices=("poisson", "binomial")),
        Parameter("interval", "text", "wald", choices=("wald", "profile")),
        Parameter("collapse", "boolean", False),
        Parameter("models", "text"),
        Parameter("disputed", "text", "apart", choices=("apart", "same", "left-out")),
        Parameter("regions", "text"),
        Parameter("crs", "text"),
        Parameter("secr", "boolean", False),
        Parameter("replicates", "integer", 0, minimum=0, maximum=10_000),
        Parameter("seed", "integer", 0, minimum=0),
    ),
    values={
        "loglik": "1",
        "aicc": "1",
        "animals": "animals",
        "detections": "detections",
        "spatial_recaptures": "detections",
        "density": _DENSITY,
        "density_averaged": _DENSITY,
        "expected_n": "animals",
        "realised_n": "animals",
        "effective_area": "km2",
        "g0": "1",
        "lambda0": "1",
        "sigma": "m",
        "z": "1",
        "pmix": "1",
        "fit_animals": "1",
        "fit_detectors": "1",
    },
    tables={
        "coefficients": _COEFFICIENTS,
        "sessions": _SESSIONS,
        "surface": _SURFACE,
        "models": MODELS,
        "summary": SUMMARY,
        "treatments": TREATMENTS,
        "regions": REGIONS,
    },
    rasters={"density": _DENSITY, "density_low": _DENSITY, "density_high": _DENSITY},
    citations=(
        Citation(
            "Borchers and Efford (2008) Biometrics 64, 377-385",
            "10.1111/j.1541-0420.2007.00927.x",
        ),
        Citation(
            "Efford, Borchers and Byrom (2009) in Modeling Demographic Processes in Marked "
            "Populations, 255-269",
            "10.1007/978-0-387-78151-8_11",
        ),
        Citation(
            "Efford and Fewster (2013) Oikos 122, 918-928", "10.1111/j.1600-0706.2012.20440.x"
        ),
    ),
    compute=compute,
)
