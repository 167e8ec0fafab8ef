"""Results beside the limits they are held to, for indices and shares."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicators.doubtful import usable
from ecotone.assess.indicators.laboratory import read_results
from ecotone.assess.indicators.matching import beside, tell_unit_doubts
from ecotone.assess.indicators.reading import Notes, plain
from ecotone.assess.indicators.standards import Limit, read_standards, standard_files
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.words import say


def read_all(paths: Sequence[Path], notes: Notes, station: str | None) -> pd.DataFrame:
    """Results of all files with ``bottle``, what makes results one sample; doubts are told."""
    parts = []
    for number, path in enumerate(paths):
        part = usable(read_results(path, notes), notes, path.name)
        rows = part["row"].astype(str)
        month = part["calendar_year"].str.cat(part["month"], sep="-").where(part["month"] != "", "")
        label = part["sample"]
        for other in (part["day"], part["time_text"], month):
            label = label.where(label != "", other)
        # In a wide table a row is a bottle, whatever its date says.
        wide = part["row"].duplicated().any()
        part["bottle"] = f"{number}:" + (rows if wide else label.where(label != "", rows))
        part["when"] = label.where(label != "", rows)
        parts.append(part)
    results = pd.concat(parts, ignore_index=True)
    tell_unit_doubts(results, notes, unknown=True)
    if station is None:
        return results
    here = results[results["station"].map(plain) == plain(station)]
    if here.empty:
        known = ", ".join(sorted(set(results["station"]))[:20]) or "-"
        raise UsageError(
            say("assess.water.no-station", name=paths[0].name, station=station, known=known)
        )
    return here


def with_limits(
    results: pd.DataFrame,
    standards: Sequence[Path],
    notes: Notes,
    *,
    standard: str | None,
    version: str | None,
    grade: str | None,
    water: str,
) -> pd.DataFrame:
    """Results with ``top`` and ``bottom`` in the unit of their own ``level``.

    The limits are those of the standards; without standards those that the results carry, which
    share their row's unit. A value at or below its detection limit is a non-detect.
    """
    if standards or standard is not None:
        files, named = standard_files(standards, standard)
        limits = [
            limit
            for path in files
            for limit in read_standards(
                path, notes, standard=named, version=version, grade=grade, water=water
            )
        ]
        judged = _by_standard(results, limits, notes)
    else:
        judged = _own(results, notes)
    if judged.empty:
        raise NotComputable(say("assess.water.nothing"), say("assess.water.nothing.do"))
    return judged


def _own(results: pd.DataFrame, notes: Notes) -> pd.DataFrame:
    limited = results["minimum"].notna() | results["maximum"].notna()
    backwards = results["minimum"] > results["maximum"]
    if backwards.any():
        notes.add(
            Finding("water-limits-backwards", Severity.WARNING,
                    params={"count": str(int(backwards.sum()))})
        )  # fmt: skip
    kept = results[limited & ~backwards]
    factor = np.ones(len(kept))
    return _levels(kept, kept["value"].to_numpy(dtype=np.float64), factor).assign(
        top=kept["maximum"], bottom=kept["minimum"], limit=kept["property"]
    )


def _by_standard(results: pd.DataFrame, limits: list[Limit], notes: Notes) -> pd.DataFrame:
    parts = []
    for limit in limits:
        for group, values in beside(results, limit, notes):
            given = group["value"].to_numpy(dtype=np.float64)
            with np.errstate(divide="ignore", invalid="ignore"):
                factor = np.where(np.isfinite(values / given), values / given, 1.0)
            parts.append(
                _levels(group, values, factor).assign(
                    top=limit.maximum, bottom=limit.minimum, limit=limit.name
                )
            )
    for name in sorted(set(results["property"]) - {p for part in parts for p in part["property"]}):
        count = int((results["property"] == name).sum())
        notes.add(
            Finding("water-no-limit", Severity.INFO, field="property", value=str(name),
                    params={"count": str(count)})
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True) if parts else results.iloc[:0]


def _levels(
    group: pd.DataFrame, values: NDArray[np.float64], factor: NDArray[np.float64]
) -> pd.DataFrame:
    """``level`` and ``sign``: at or below its detection limit a result is ``< limit``."""
    detection = group["detection_limit"].to_numpy(dtype=np.float64) * factor
    kind = group["kind"].to_numpy()
    low = (kind == 0) & (values <= detection)
    return group.assign(
        level=np.where(low, detection, values),
        sign=np.where(low, -1, kind).astype(np.int8),
        spread=standard(group, factor),
    )


def standard(group: pd.DataFrame, factor: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard uncertainty in the unit that values times ``factor`` have; 0 = not told.

    What results carry is expanded with k = 2 (JCGM 100).
    """
    return np.nan_to_num(np.abs(group["uncertainty"].to_numpy(dtype=np.float64) * factor)) / 2


def tell_spread(results: pd.DataFrame, notes: Notes, of: str = "spread") -> None:
    """How many results carry a measurement uncertainty that an interval or a state can hold."""
    count = int((np.nan_to_num(results["uncertainty"].to_numpy(dtype=np.float64)) > 0).sum())
    codes = {
        "spread": ("water-spread-part", "water-spread-none"),
        "states": ("water-states-part", "water-states-none"),
    }
    code = codes[of][0 if count else 1]
    if count < len(results):
        notes.add(
            Finding(code, Severity.INFO, value="-",
                    params={"count": str(count), "of": str(len(results))})
        )  # fmt: skip
