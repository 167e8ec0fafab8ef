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
from ecotone.assess.indicators.water_judged import standard, tell_spread
from ecotone.assess.indicators.water_oxygen import oxygen_saturation
from ecotone.assess.indicators.water_years import (
    NAMES,
    months_of,
    name_of,
    of_means,
    places,
)
from ecotone.model.errors import NotComputable
from ecotone.model.finding import Finding, Severity
from ecotone.model.words import say
from ecotone.science.water.indices import factor_class, worst_factor

#: Oxygen of class I by the standard's other way, % of saturation.
SATURATED: Final = 90.0
#: What the ministry's method leaves out of the class of a water (water temperature has no limit).
_ASIDE: Final = ("totalnitrogen", "faecalcoliform")


def classed(
    results: pd.DataFrame, job: Job, notes: Notes
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Index (class of the mean) by station; tables of counts and of samples.

    A sample is classed where it has every factor that was measured at all; its class is that
    of its worst factor.
    """
    limits = _limits(job, notes)
    judged = _judged(results.assign(period=months_of(results, notes)), limits, notes)
    if judged.empty:
        raise NotComputable(say("assess.water.nothing"), say("assess.water.nothing.do"))
    judged = _relieved(judged, results, job, notes)
    tell_spread(judged, notes)
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
    index, years = of_means(judged, limits, counts, job, notes)
    samples = pd.DataFrame(
        {
            "station": table["station"],
            "sample": table["sample"],
            "class": [name_of(p) for p in table["place"].where(~undetermined, -1)],
            "factor": table["factor"].where(table["place"] > 1, ""),
        }
    )
    return index, {"classes": counts, "years": years, "samples": samples}


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
    if job.parameters["factors"] == "21":
        aside = sorted(found[key][0].name for key in _ASIDE if key in found)
        found = {key: classes for key, classes in found.items() if key not in _ASIDE}
        if aside:
            notes.add(
                Finding("water-factors-aside", Severity.INFO, value=", ".join(aside))
            )  # fmt: skip
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
        place = places(classes)
        best, worst = (place[c] for c in factor_class(values, sign, maxima, minima))
        parts.append(
            group[["station", "bottle", "when"]].assign(
                factor=first.name, best=best, worst=worst, level=values, sign=sign, key=str(key),
                month=group["period"], uncertainty=group["uncertainty"],
                spread=standard(group, _scale(group, values)),
            )
        )  # fmt: skip
    _tell_unknown(results, limits, notes)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _tell_unknown(results: pd.DataFrame, limits: dict[str, list[Limit]], notes: Notes) -> None:
    """Properties that no class has a limit for: a name may be spelled as nobody knows it."""
    others = results[~results["key"].isin({*limits, *_ASIDE})]
    for name, count in others.groupby("property", sort=True).size().items():
        notes.add(
            Finding("water-no-limit", Severity.INFO, field="property", value=str(name),
                    params={"count": str(count)})
        )  # fmt: skip


def _scale(group: pd.DataFrame, values: NDArray[np.float64]) -> NDArray[np.float64]:
    given = group["value"].to_numpy(dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.isfinite(values / given), values / given, 1.0)


def _relieved(judged: pd.DataFrame, results: pd.DataFrame, job: Job, notes: Notes) -> pd.DataFrame:
    """``relief``, oxygen's share of what class I asks of saturation, in % of it per mg/L.

    Where the user takes either way, oxygen of at least 90 % of saturation is of class I.
    """
    judged = judged.assign(relief=np.nan)
    oxygen = judged["key"] == "dissolvedoxygen"
    share = oxygen_saturation(results, job.number("elevation"), notes)
    if not oxygen.any() or share.empty:
        return judged
    place = pd.MultiIndex.from_frame(judged.loc[oxygen, ["station", "bottle"]])
    own = share.reindex(place).to_numpy(dtype=np.float64) / SATURATED * 100
    raised = (own >= 100 * (1 - 1e-9)) & (judged.loc[oxygen, "worst"].to_numpy() > 1)
    either = job.parameters["oxygen"] == "either"
    if raised.any():
        code = "water-oxygen-either" if either else "water-oxygen-saturation"
        notes.add(
            Finding(code, Severity.INFO if either else Severity.WARNING,
                    params={"count": str(int(raised.sum()))})
        )  # fmt: skip
    if either:
        with np.errstate(divide="ignore", invalid="ignore"):
            judged.loc[oxygen, "relief"] = own / judged.loc[oxygen, "level"].to_numpy()
        for column in ("best", "worst"):
            judged.loc[oxygen, column] = np.where(raised, 1, judged.loc[oxygen, column])
    return judged


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
        index=stations, columns=range(1, len(NAMES) + 1), fill_value=0
    )
    counts.columns = list(NAMES)
    counts["incomplete"] = (table["place"] == 0).groupby(table["station"]).sum()
    counts["undetermined"] = undetermined.groupby(table["station"]).sum()
    beyond = sure[sure["place"] > 1]
    counts["factor"] = beyond.groupby("station")["factor"].agg(lambda x: x.mode().iloc[0])
    counts["factor"] = counts["factor"].fillna("")
    counts.index.name = "station"
    return counts.reset_index()
