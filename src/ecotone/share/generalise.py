"""What each level does to the columns of records; the data dictionary says which column is what."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from ecotone.model.agreement import Class
from ecotone.model.dictionary import attributes
from ecotone.model.words import Language, say
from ecotone.share.grid import cell_centres

#: Version columns that may leave at any level; all others say where in a delivery a row stood.
KEPT_HEADER: Final = ("id", "version", "dataset_id")

#: Said instead of being blanked (Chapman 2020: never leave null).
GENERALISED: Final = "data_generalizations"
WITHHELD: Final = "information_withheld"


def full(frame: pd.DataFrame, noun: str, rule: Class) -> pd.DataFrame:
    """Everything, less the fields the agreement withholds by name."""
    known = [name for name in attributes(noun) if name in frame]
    kept = [c for c in (*KEPT_HEADER, *known, "extra") if c in frame]
    out = frame.loc[:, kept].copy()
    _blank(out, [c for c in rule.withheld_fields if c in out])
    if rule.withheld_fields and "extra" in out:
        # A withheld field may also stand in the columns nobody has described.
        out["extra"] = None
    out[GENERALISED] = None
    out[WITHHELD] = ", ".join(rule.withheld_fields) or None
    return out


def generalised(frame: pd.DataFrame, noun: str, rule: Class, lang: Language) -> pd.DataFrame:
    """Places to the grid, times to the month, texts of places to wording, links and persons away.

    Rows without a place keep none; they are not dropped, for their absence would tell.
    """
    described = attributes(noun)
    kept = [c for c in (*KEPT_HEADER, *described) if c in frame]
    out = frame.loc[:, kept].copy()
    cell = rule.cell_degrees or 1.0
    if "latitude" in out and "longitude" in out:
        _generalise_place(out, cell)
    if "time_start" in out:
        _generalise_time(out)
    wording = say("share.withheld-text", lang)
    gone: list[str] = []
    for name in out.columns.intersection(list(described)):
        match described[name].door:
            case "place-text":
                out[name] = pd.Series(wording, index=out.index, dtype=object).where(
                    out[name].notna(), None
                )
                gone.append(name)
            case "link" | "person":
                gone.append(name)
            case _:
                continue
    _blank(out, [n for n in gone if described[n].door != "place-text"])
    _blank(out, [c for c in ("elevation_m", *rule.withheld_fields) if c in out])
    out[GENERALISED] = say("share.generalised-text", lang, cell=f"{cell:g}")
    out[WITHHELD] = ", ".join(sorted({*gone, *rule.withheld_fields, "extra"}))
    return out


def aggregated(frame: pd.DataFrame, noun: str, rule: Class) -> pd.DataFrame:
    """Counts (and means of numbers) by taxon, property and year; small groups do not leave.

    A group of fewer than ``minimum_count`` rows is left out whole and no total is given
    beside it, since a total would give the suppressed count away.
    """
    keys = [c for c in ("taxon", "property", "unit", "basis") if c in frame]
    work = frame.loc[:, ["dataset_id", *keys]].copy()
    work["year"] = frame["time_start"].dt.year.astype("Int64") if "time_start" in frame else None
    groups = ["dataset_id", *keys, "year"]
    if "value" in frame:
        # A mean over censored results would treat a limit as a measurement.
        censored = frame["limit_kind"].notna() if "limit_kind" in frame else False
        work["value"] = frame["value"].where(~pd.Series(censored, index=frame.index))
        table = work.groupby(groups, dropna=False, sort=True).agg(
            count=("value", "size"), numbers=("value", "count"), mean=("value", "mean")
        )
        table["mean"] = table["mean"].where(table["numbers"] >= rule.minimum_count)
        table = table.drop(columns="numbers")
    else:
        table = work.groupby(groups, dropna=False, sort=True).size().to_frame("count")
    table = table[table["count"] >= rule.minimum_count].reset_index()
    table[WITHHELD] = "rows"
    return table


def _generalise_place(out: pd.DataFrame, cell: float) -> None:
    lat = pd.to_numeric(out["latitude"]).to_numpy(dtype=np.float64, na_value=np.nan)
    lon = pd.to_numeric(out["longitude"]).to_numpy(dtype=np.float64, na_value=np.nan)
    cells = cell_centres(lat, lon, cell)
    out["latitude"] = cells.latitude
    out["longitude"] = cells.longitude
    own = (
        pd.to_numeric(out["coordinate_uncertainty_m"]).to_numpy(dtype=np.float64, na_value=0.0)
        if "coordinate_uncertainty_m" in out
        else np.zeros(len(out))
    )
    # The record's own uncertainty, rounded up: its exact figure could single the record out.
    coarse = np.ceil(np.nan_to_num(own) / 1000.0) * 1000.0
    out["coordinate_uncertainty_m"] = cells.radius_m + coarse


def _generalise_time(out: pd.DataFrame) -> None:
    for name in ("time_start", "time_end"):
        if name in out:
            stamps = pd.to_datetime(out[name], utc=True)
            month = stamps.dt.strftime("%Y-%m-01T00:00:00Z")
            out[name] = pd.to_datetime(month, utc=True)
    if "time_text" in out:
        out["time_text"] = pd.to_datetime(out["time_start"], utc=True).dt.strftime("%Y-%m")
    if "time_precision" in out:
        out["time_precision"] = "month"


def _blank(out: pd.DataFrame, names: list[str]) -> None:
    for name in names:
        out[name] = pd.Series(None, index=out.index, dtype=object)
