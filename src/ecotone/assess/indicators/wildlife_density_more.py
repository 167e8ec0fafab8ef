"""What ``wildlife.density`` tells besides: other models, other identities, regions, a map."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.executor import Executor
from ecotone.assess.indicators.reading import Notes
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.words import say
from ecotone.science.wildlife import FormulaError, Model, SecrFit, Session, estimates, fit
from ecotone.science.wildlife.estimates import Estimate
from ecotone.science.wildlife.secr_model import FORMS, DetectionFunction
from ecotone.science.wildlife.secr_text import captures_text, detectors_text, mask_text
from ecotone.science.wildlife.survey import HECTARE, Captures, Detectors

#: Animals per hectare to animals per 100 km2.
PER_100_KM2: Final = 1e8 / HECTARE
DENSITY: Final = "1/(100 km2)"
MODELS: Final = {
    "model": "",
    "coefficients": "coefficients",
    "loglik": "1",
    "aicc": "1",
    "delta": "1",
    "weight": "1",
    "density": DENSITY,
    "density_se": DENSITY,
    "density_low": DENSITY,
    "density_high": DENSITY,
}
TREATMENTS: Final = {
    "treatment": "",
    "animals": "animals",
    "detections": "detections",
    "density": DENSITY,
    "density_se": DENSITY,
    "density_low": DENSITY,
    "density_high": DENSITY,
    "expected_n": "animals",
}
REGIONS: Final = {
    "region": "",
    "estimate": "",
    "area": "km2",
    "identities": "identities",
    "expected_n": "animals",
    "expected_n_se": "animals",
    "expected_n_low": "animals",
    "expected_n_high": "animals",
}
#: What PAWS and national reports to CITES, CMS and the tiger recovery programme ask of a survey.
SUMMARY: Final = {
    "session": "",
    "model": "",
    "weight": "1",
    "area": "km2",
    "detectors": "detectors",
    "effort": "occasions",
    "animals": "animals",
    "detections": "detections",
    "spatial_recaptures": "detections",
    "density": DENSITY,
    "density_se": DENSITY,
    "density_low": DENSITY,
    "density_high": DENSITY,
    "expected_n": "animals",
    "expected_n_low": "animals",
    "expected_n_high": "animals",
    "detection": "1",
    "detection_se": "1",
    "sigma": "m",
    "sigma_se": "m",
}
_PART: Final = re.compile(r"\s*(D|g0|lambda0|sigma|z|pmix)\s*~\s*(.+)\s*", re.DOTALL)


# --- several models ----------------------------------------------------------------------


def models_asked(text: str, base: Model) -> list[Model]:
    """``HN; HHN: D~habitat, sigma~h2`` as models; what an entry leaves out is the base's.

    Raises UsageError for an entry that cannot be read.
    """
    return [_model(entry, base) for entry in text.split(";") if entry.strip()]


def _model(entry: str, base: Model) -> Model:
    name, _, rest = entry.partition(":")
    detection = name.strip().upper()
    if detection not in FORMS:
        raise UsageError(say("assess.wildlife.model-entry", entry=entry.strip()))
    changes: dict[str, Any] = {"detection": cast(DetectionFunction, detection)}
    fields = {"D": "density", "g0": "top", "lambda0": "top", "pmix": "share"}
    for part in filter(None, (p.strip() for p in re.split(r",(?![^()]*\))", rest))):
        match = _PART.fullmatch(part)
        if match is None:
            raise UsageError(say("assess.wildlife.model-entry", entry=entry.strip()))
        wrong = {"g0": FORMS[changes["detection"]][1], "lambda0": not FORMS[detection][1]}
        if wrong.get(match[1]):
            raise UsageError(say("assess.wildlife.model-entry", entry=entry.strip()))
        changes[fields.get(match[1], match[1])] = f"~{match[2].strip()}"
    return dataclasses.replace(base, **changes)


def told_model(model: Model) -> str:
    """``HN: D~1, g0~1, sigma~1``."""
    formulas = {"D": model.density, **model.formulas}
    if model.classes:
        formulas["pmix"] = model.share
    shown = (f"{n}~{f.strip().removeprefix('~')}" for n, f in formulas.items())
    return f"{model.detection}: {', '.join(shown)}"


def fit_all(
    sessions: Sequence[Session], models: Sequence[Model], executor: Executor, notes: Notes
) -> tuple[SecrFit, pd.DataFrame, Estimate | None]:
    """The best fit by AICc, the table of all, and density averaged over those that converged."""
    fits = [fit_or_say(sessions, model, executor) for model in models]
    sound = [f for f in fits if f.converged and np.isfinite(f.aicc)]
    if len(sound) < len(fits):
        params = {"count": str(len(fits) - len(sound))}
        notes.add(Finding("wildlife-models-left-out", Severity.WARNING, params=params))
    best = min(sound or fits, key=lambda f: f.aicc)
    averaged = estimates.average(sound) if sound else None
    weights = dict(zip(map(id, sound), averaged.weights if averaged else (), strict=True))
    rows = []
    for one in fits:
        d = estimates.density(one)
        rows.append(
            (
                told_model(one.model),
                len(one.beta),
                one.value,
                one.aicc,
                one.aicc - best.aicc,
                weights.get(id(one), float("nan")),
                *(x * PER_100_KM2 for x in (d.value, d.se, d.low, d.high)),
            )
        )
    table = pd.DataFrame(rows, columns=list(MODELS)).sort_values("aicc", kind="stable")
    return best, table.reset_index(drop=True), averaged.density if averaged else None


def fit_or_say(sessions: Sequence[Session], model: Model, executor: Executor) -> SecrFit:
    """A fit; what the data do not allow becomes an error a user can read."""
    try:
        return fit(sessions, model, mapper=executor.map)
    except FormulaError as error:
        raise UsageError(say("assess.wildlife.formula", why=str(error))) from error
    except ValueError as error:
        raise NotComputable(say("assess.wildlife.not-fitted", why=str(error))) from error


def summary(fitted: SecrFit, weight: float | None) -> pd.DataFrame:
    """One row a session: area, effort, what was seen, the model, density, number, detection."""
    rows = []
    nothing = Estimate(*[float("nan")] * 4)
    real = {
        name: estimates.real_estimate(fitted, name) if name in fitted.names else nothing
        for name in (fitted.model.top_name, "sigma")
    }
    for k, session in enumerate(fitted.likelihood.sessions):
        d, n = estimates.density(fitted, k), estimates.expected_number(fitted, k)
        c, top = session.captures, real[fitted.model.top_name]
        usage = session.detectors.usage
        rows.append(
            (
                session.name,
                told_model(fitted.model),
                float("nan") if weight is None else weight,
                session.mask.area / 100.0,
                len(usage),
                float(usage.sum()),
                c.animals,
                c.detections,
                c.spatial_recaptures,
                *(x * PER_100_KM2 for x in (d.value, d.se, d.low, d.high)),
                *(n.value, n.low, n.high),
                *(top.value, top.se, real["sigma"].value, real["sigma"].se),
            )
        )
    return pd.DataFrame(rows, columns=list(SUMMARY))


# --- with and without what is disputed ---------------------------------------------------


def kept_animals(session: Session, keep: NDArray[np.bool_]) -> Session:
    """The session with these of its animals, numbered anew."""
    c = session.captures
    rows = keep[c.animal]
    number = np.cumsum(keep) - 1
    captures = Captures(
        int(keep.sum()),
        number[c.animal[rows]],
        c.occasion[rows],
        c.detector[rows],
        c.count[rows],
        None if c.removed_after is None else c.removed_after[keep],
    )
    known = None if session.known_class is None else session.known_class[keep]
    return dataclasses.replace(session, captures=captures, known_class=known)


def recaptured(session: Session) -> Session:
    """The animals detected more than once: a ghost made by a wrong match is seen once."""
    c = session.captures
    return kept_animals(session, np.bincount(c.animal, c.count, c.animals) > 1)


def treated(
    surveys: Mapping[str, Sequence[Session]], model: Model, executor: Executor, notes: Notes
) -> pd.DataFrame:
    """Density by the same model under each treatment of the identities."""
    rows = []
    for name, sessions in surveys.items():
        seen = [s.captures for s in sessions]
        counts = (sum(c.animals for c in seen), sum(c.detections for c in seen))
        try:
            found = fit_or_say(sessions, model, executor)
        except NotComputable:
            notes.add(Finding("wildlife-treatment-failed", Severity.WARNING, params={"name": name}))
            rows.append((name, *counts, *[float("nan")] * 5))
            continue
        n = estimates.total_expected_number(found)
        scale = PER_100_KM2 / sum(s.mask.area for s in sessions)
        told = (x * scale for x in (n.value, n.se, n.low, n.high))
        number = estimates.expected_number(found).value if same_ground(sessions) else n.value
        rows.append((name, *counts, *told, number))
    return pd.DataFrame(rows, columns=list(TREATMENTS))


# --- regions: joint against separate -----------------------------------------------------


def by_region(fitted: SecrFit, column: str, executor: Executor, notes: Notes) -> pd.DataFrame:
    """E(N) of each region from the joint fit, and from a fit to that region's own data alone.

    Args:
        fitted: the joint fit.
        column: covariate of the mask and of the detectors that names the region.
        executor: where the separate fits are worked on.
        notes: told where a region's own data do not suffice.

    Raises:
        UsageError: the column is lacking.
    """
    sessions = fitted.likelihood.sessions
    for session in sessions:
        for part in (session.mask.covariates, session.detectors.covariates):
            if column not in part:
                raise UsageError(say("assess.wildlife.region-column", column=column))
    names = sorted({str(v) for s in sessions for v in s.mask.covariates[column]})
    rows = []
    for name in names:
        cells = grounds([_is(s.mask.covariates[column], name) for s in sessions], sessions)
        area = sum(s.mask.cell_area * c.sum() for s, c in zip(sessions, cells, strict=True)) / 100
        own = [_own(s, column, name) for s in sessions]
        seen = sum(s.captures.animals for s in own if s is not None)
        joint = estimates.number_in(fitted, cells)
        rows.append((name, "joint", area, seen, joint.value, joint.se, joint.low, joint.high))
        alone = _alone([s for s in own if s is not None], fitted.model, name, column, executor)
        if alone is None:
            searched = any(_is(s.detectors.covariates[column], name).any() for s in sessions)
            severity = Severity.WARNING if searched else Severity.INFO
            params = {"region": name}
            notes.add(Finding("wildlife-region-alone", severity, params=params))
            continue
        rows.append((name, "separate", area, seen, alone.value, alone.se, alone.low, alone.high))
    both = _seen_in_both(sessions, column)
    if both:
        params = {"count": str(both)}
        notes.add(Finding("wildlife-seen-in-both", Severity.INFO, params=params))
    return pd.DataFrame(rows, columns=list(REGIONS))


def same_ground(sessions: Sequence[Session]) -> bool:
    """Whether several sessions have one mask: cameras and scat on one ground."""
    first = sessions[0].mask.xy
    return len(sessions) > 1 and all(np.array_equal(s.mask.xy, first) for s in sessions[1:])


def grounds(cells: list[NDArray[np.bool_]], sessions: Sequence[Session]) -> list[NDArray[np.bool_]]:
    """The cells to be summed: of sessions on one ground those of the first alone."""
    if not same_ground(sessions):
        return cells
    return [cells[0], *(np.zeros_like(part) for part in cells[1:])]


def _is(values: NDArray[Any], name: str) -> NDArray[np.bool_]:
    return np.array([str(v) == name for v in values], dtype=np.bool_)


def _own(session: Session, column: str, name: str) -> Session | None:
    """What a region's own detectors saw; None where it has none or they saw nothing."""
    traps = _is(session.detectors.covariates[column], name)
    c = session.captures
    rows = traps[c.detector]
    if not rows.any():
        return None
    place = np.cumsum(traps) - 1
    ids, animal = np.unique(c.animal[rows], return_inverse=True)
    return dataclasses.replace(
        session,
        detectors=Detectors(
            session.detectors.xy[traps],
            session.detectors.usage[traps],
            {n: v[traps] for n, v in session.detectors.covariates.items()},
        ),
        captures=Captures(
            len(ids),
            animal,
            c.occasion[rows],
            place[c.detector[rows]],
            c.count[rows],
            None if c.removed_after is None else c.removed_after[ids],
        ),
        known_class=None if session.known_class is None else session.known_class[ids],
    )


def _alone(
    sessions: list[Session], model: Model, name: str, column: str, executor: Executor
) -> Estimate | None:
    """E(N) within the region from its own detectors; None where they cannot tell."""
    if not sessions:
        return None
    try:
        found = fit_or_say(sessions, model, executor)
    except (NotComputable, UsageError):
        return None
    if not found.converged:
        return None
    cells = [_is(s.mask.covariates[column], name) for s in sessions]
    return estimates.number_in(found, grounds(cells, sessions))


def _seen_in_both(sessions: Sequence[Session], column: str) -> int:
    """Animals that detectors of more than one region saw."""
    total = 0
    for session in sessions:
        where = np.array([str(v) for v in session.detectors.covariates[column]], dtype=object)
        seen = pd.DataFrame(
            {"animal": session.captures.animal, "region": where[session.captures.detector]}
        )
        total += int((seen.groupby("animal")["region"].nunique() > 1).sum())
    return total


# --- the map -------------------------------------------------------------------------------


def write_map(fitted: SecrFit, session: int, folder: Path, crs: str) -> dict[str, str]:
    """Density by cell with its interval: three rasters beside the result.

    Raises:
        UsageError: nobody knows the coordinate system.
        NotComputable: the cells lie on no grid along the axes.
    """
    mask = fitted.likelihood.sessions[session].mask
    value, se = estimates.density_surface(fitted, session)
    spread = np.sqrt(np.log1p((se / value) ** 2))
    layers = {
        "density": value * PER_100_KM2,
        "density_low": value * np.exp(-1.959963984540054 * spread) * PER_100_KM2,
        "density_high": value * np.exp(1.959963984540054 * spread) * PER_100_KM2,
    }
    return write_cells(mask.xy, layers, folder, crs, DENSITY)


def write_cells(
    xy: NDArray[np.float64],
    layers: Mapping[str, NDArray[np.float64]],
    folder: Path,
    crs: str,
    unit: str,
) -> dict[str, str]:
    """Numbers by cell as rasters of these names, north up; ``xy`` are the cells' centres.

    Raises:
        UsageError: nobody knows the coordinate system.
        NotComputable: the cells lie on no grid along the axes.
    """
    from rasterio.crs import CRS
    from rasterio.errors import CRSError
    from rasterio.transform import Affine
    from rasterio.windows import Window

    from ecotone.formats.raster_write import write_geotiff

    try:
        system = CRS.from_user_input(crs)
    except CRSError as error:
        raise UsageError(say("assess.wildlife.crs", crs=crs)) from error
    column, row, side = _grid(xy)
    left, top = xy[:, 0].min() - side[0] / 2, xy[:, 1].max() + side[1] / 2
    shape = (int(row.max()) + 1, int(column.max()) + 1)
    written = {}
    for name, cells in layers.items():
        band = np.full(shape, np.nan)
        band[row, column] = cells
        write_geotiff(
            folder / f"{name}.tif",
            shape=shape,
            transform=Affine(side[0], 0.0, left, 0.0, -side[1], top),
            crs=system,
            blocks=[(Window(0, 0, shape[1], shape[0]), band)],
            tags={"unit": unit},
        )
        written[name] = f"{name}.tif"
    return written


def write_secr(sessions: Sequence[Session], animals: Sequence[Sequence[str]], folder: Path) -> None:
    """The data as secr's and DENSITY's text files: captures of all, detectors and mask by session.

    Whoever wants to check the fit reads them with ``read.capthist`` and ``read.mask``.
    """
    place = folder / "secr"
    place.mkdir(parents=True, exist_ok=True)
    head, *_ = captures_text(sessions[0], animals[0]).split("\n", 1)
    rows = [
        line
        for session, names in zip(sessions, animals, strict=True)
        for line in captures_text(session, names).splitlines()[1:]
    ]
    texts = {"captures.txt": "\n".join([head, *rows]) + "\n"}
    for session in sessions:
        name = re.sub(r"[^\w.-]", "_", session.name)
        texts[f"detectors-{name}.txt"] = detectors_text(session)
        texts[f"mask-{name}.txt"] = mask_text(session)
    for name, text in texts.items():
        (place / name).write_text(text, encoding="utf-8", newline="\n")


def _grid(
    xy: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[float, float]]:
    """Column and row (from the top) of each cell, and the sides of a cell."""
    places, sides = [], []
    for axis in (0, 1):
        lines = np.unique(xy[:, axis])
        if len(lines) < 2:
            raise NotComputable(say("assess.wildlife.no-grid"))
        steps = np.diff(lines)
        side = float(np.median(steps[steps < 1.5 * steps.min()]))
        place = (xy[:, axis] - lines[0]) / side
        if np.abs(place - np.round(place)).max() > 0.05:
            raise NotComputable(say("assess.wildlife.no-grid"))
        places.append(np.round(place).astype(np.int64))
        sides.append(side)
    return places[0], places[1].max() - places[1], (sides[0], sides[1])
