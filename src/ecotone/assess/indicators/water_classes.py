"""Classes of surface water by the worst single factor (GB 3838)."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicator import Job
from ecotone.assess.indicators.matching import in_unit
from ecotone.assess.indicators.reading import Notes
from ecotone.assess.indicators.standards import GRADES, Limit, read_classes, shipped
from ecotone.model.errors import NotComputable
from ecotone.model.finding import Finding, Severity
from ecotone.model.words import say
from ecotone.science.water.indices import factor_class, worst_factor

_NAMES: Final = (*GRADES, "worse")


def classed(
    results: pd.DataFrame, job: Job, notes: Notes
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Index (class of the mean) by station; tables of counts and of samples.

    A sample is classed where it has every factor that was measured at all; its class is that
    of its worst factor.
    """
    limits = _limits(job, notes)
    judged = _judged(results, limits, notes)
    if judged.empty:
        raise NotComputable(say("assess.water.nothing"), say("assess.water.nothing.do"))
    keys = ["station", "bottle"]
    best = judged.pivot_table(index=keys, columns="factor", values="best", aggfunc="max")
    worst = judged.pivot_table(index=keys, columns="factor", values="worst", aggfunc="max")
    place, factor = worst_factor(worst.fillna(0).to_numpy())
    floor, _ = worst_factor(best.fillna(0).to_numpy())
    when = judged.groupby(keys)["when"].first().reindex(worst.index)
    table = pd.DataFrame(
        {
            "station": worst.index.get_level_values("station"),
            "sample": when.to_numpy(),
            "place": place,
            "floor": floor,
            "factor": worst.columns.to_numpy()[factor],
        }
    )
    undetermined = (table["floor"] != table["place"]) & (table["place"] > 0)
    _tell(table, undetermined, notes)
    counts = _counts(table, undetermined)
    index = _of_means(judged, counts, notes)
    samples = pd.DataFrame(
        {
            "station": table["station"],
            "sample": table["sample"],
            "class": [_name(p) for p in table["place"].where(~undetermined, -1)],
            "factor": table["factor"].where(table["place"] > 1, ""),
        }
    )
    return index, {"classes": counts, "samples": samples}


def _limits(job: Job, notes: Notes) -> dict[str, list[Limit]]:
    """Limits of each factor, best class first; the shipped GB 3838 where none are given."""
    given = job.inputs.get("standards", ()) or (shipped()["gb3838-2002"],)
    standard, version = (
        None if job.parameters[n] is None else str(job.parameters[n])
        for n in ("standard", "version")
    )
    found: dict[str, list[Limit]] = {}
    for path in given:
        for limit in read_classes(
            path,
            notes,
            standard=standard if job.inputs.get("standards") else None,
            version=version,
            water=str(job.parameters["water"]),
        ):
            if limit.grade in GRADES:
                found.setdefault(limit.key, []).append(limit)
    if not found:
        raise NotComputable(say("assess.water.no-classes"), say("assess.water.no-classes.do"))
    return {k: sorted(v, key=lambda x: GRADES.index(x.grade)) for k, v in found.items()}


def _judged(results: pd.DataFrame, limits: dict[str, list[Limit]], notes: Notes) -> pd.DataFrame:
    """Best and worst class of each result of a factor."""
    parts = []
    for (key, unit, basis), group in results.groupby(["key", "unit", "basis"], dropna=False):
        classes = limits.get(str(key))
        if classes is None:
            continue
        first = classes[0]
        told = "" if unit is None or unit != unit else str(unit)
        values = in_unit(group, told, str(basis), first.name, first.unit, first.basis, notes)
        if values is None:
            continue
        maxima, minima = ([getattr(c, n) for c in classes] for n in ("maximum", "minimum"))
        sign = _signs(group, values)
        place = _places(classes)
        best, worst = (place[c] for c in factor_class(values, sign, maxima, minima))
        parts.append(
            group[["station", "bottle", "when"]].assign(
                factor=first.name, best=best, worst=worst, level=values, sign=sign, key=key
            )
        )
    judged = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    judged.attrs["limits"] = limits
    return judged


def _places(classes: list[Limit]) -> NDArray[np.int64]:
    """Number of the class by its place among a factor's own classes; 6 beyond the last."""
    return np.array([0, *(GRADES.index(c.grade) + 1 for c in classes), len(_NAMES)])


def _signs(group: pd.DataFrame, values: NDArray[np.float64]) -> NDArray[np.int8]:
    """A value at or below its detection limit is a non-detect."""
    kind = group["kind"].to_numpy()
    own = group["value"].to_numpy(dtype=np.float64)
    detection = group["detection_limit"].to_numpy(dtype=np.float64)
    return np.where((kind == 0) & (own <= detection), -1, kind).astype(np.int8)


def _tell(table: pd.DataFrame, undetermined: pd.Series, notes: Notes) -> None:
    incomplete = int((table["place"] == 0).sum())
    if incomplete:
        notes.add(
            Finding("water-samples-incomplete", Severity.INFO, value="-",
                    params={"count": str(incomplete)})
        )  # fmt: skip
    if undetermined.any():
        notes.add(
            Finding("water-class-undetermined", Severity.WARNING,
                    params={"count": str(int(undetermined.sum()))})
        )  # fmt: skip


def _counts(table: pd.DataFrame, undetermined: pd.Series) -> pd.DataFrame:
    """Samples of each class by station, and the factor that most often was the worst."""
    sure = table[~undetermined & (table["place"] > 0)]
    stations = sorted(table["station"].unique())
    counts = pd.crosstab(sure["station"], sure["place"]).reindex(
        index=stations, columns=range(1, len(_NAMES) + 1), fill_value=0
    )
    counts.columns = list(_NAMES)
    counts["incomplete"] = (table["place"] == 0).groupby(table["station"]).sum()
    counts["undetermined"] = undetermined.groupby(table["station"]).sum()
    beyond = sure[sure["place"] > 1]
    counts["factor"] = beyond.groupby("station")["factor"].agg(lambda x: x.mode().iloc[0])
    counts["factor"] = counts["factor"].fillna("")
    counts.index.name = "station"
    return counts.reset_index()


def _of_means(judged: pd.DataFrame, counts: pd.DataFrame, notes: Notes) -> pd.DataFrame:
    """Class of each station's worst factor by arithmetic means over the period."""
    limits: dict[str, list[Limit]] = judged.attrs["limits"]
    rows = []
    for station, group in judged.groupby("station", sort=True):
        ends = []
        for key, own in group.groupby("key"):
            classes = limits[str(key)]
            maxima, minima = ([getattr(c, n) for c in classes] for n in ("maximum", "minimum"))
            hidden = (own["sign"] < 0).to_numpy()
            level = own["level"].to_numpy(dtype=np.float64)
            means = [float(np.where(hidden, end, level).mean()) for end in (0.0, level)]
            place = _places(classes)
            ends.append([int(place[factor_class(m, 0, maxima, minima)[0]]) for m in means])
        low, high = (max(e[i] for e in ends) for i in (0, 1))
        own_counts = counts[counts["station"] == station].iloc[0]
        classed_samples = int(sum(own_counts[list(_NAMES)]))
        if low != high:
            notes.add(
                Finding("water-mean-undetermined", Severity.WARNING, value=str(station) or "-")
            )
        rows.append(
            {
                "station": station, "index": high if low == high else np.nan,
                "class": _name(high) if low == high else "", "samples": classed_samples,
                "variables": group["key"].nunique(),
                "undetermined": int(own_counts["undetermined"]),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _name(place: int) -> str:
    return _NAMES[place - 1] if place > 0 else "incomplete" if place == 0 else "undetermined"
