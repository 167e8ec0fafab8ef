"""Writes Camtrap DP 1.0.2 packages; what is written is judged by our own reader's rules first.

The same tables and statements give the same bytes: nothing here asks a clock.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd

from ecotone.formats.camtrapdp_checks import Judge, read_times
from ecotone.formats.camtrapdp_package import (
    CURRENT_VERSION,
    DESCRIPTOR,
    FAILURES,
    PROFILE_URL,
    check_study,
)
from ecotone.formats.camtrapdp_rules import MISSING, TABLES, rules
from ecotone.formats.packing import package
from ecotone.model.errors import UsageError
from ecotone.model.words import say

_DAY: Final = 86_400_000_000


def write_camtrapdp(
    path: Path,
    deployments: pd.DataFrame,
    media: pd.DataFrame,
    observations: pd.DataFrame,
    metadata: Mapping[str, Any],
    failures: pd.DataFrame | None = None,
) -> Path:
    """Write a package: a zip when ``path`` ends in ``.zip``, else a folder.

    Args:
        path: Where to write.
        deployments: Rows with the standard's field names, as text; other columns are refused.
        media: Likewise.
        observations: Likewise.
        metadata: Properties of ``datapackage.json``: created, contributors and project must be
            given; spatial, temporal and taxonomic are drawn from the tables where left out.
        failures: When cameras did not work (deploymentID, failureStart, failureEnd), as a table
            beside the standard's three.

    Raises:
        UsageError: a table has a column that the standard does not know, a row that breaks the
            standard, or the description lacks something.
    """
    tables = {
        table: _in_order(table, frame)
        for table, frame in zip(TABLES, (deployments, media, observations), strict=True)
    }
    content = _descriptor(tables, metadata)
    if failures is not None:
        content["resources"].append(
            {
                "name": FAILURES,
                "path": f"{FAILURES}.csv",
                "profile": "tabular-data-resource",
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "schema": {"fields": [{"name": name} for name in failures.columns]},
            }
        )
    for finding in check_study(content, DESCRIPTOR):
        raise UsageError(finding.message())
    _check_rows(tables)
    with package(path) as out:
        out.text(DESCRIPTOR, json.dumps(content, ensure_ascii=False, indent=2) + "\n")
        for table, frame in tables.items():
            out.table(f"{table}.csv", frame)
        if failures is not None:
            out.table(f"{FAILURES}.csv", failures.reset_index(drop=True))
    return path


def _in_order(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    """All fields of the standard, in its order, as text; what is absent is missing."""
    known = [rule.name for rule in rules(table)]
    strange = [str(name) for name in frame.columns if name not in known]
    if strange:
        raise UsageError(say("camtrapdp-write.columns", table=table, columns=", ".join(strange)))
    out = pd.DataFrame(index=pd.RangeIndex(len(frame)))
    for name in known:
        if name in frame:
            text = frame[name].reset_index(drop=True).astype("str")
            out[name] = text.where(~text.isin(MISSING))
        else:
            out[name] = pd.Series(pd.NA, index=out.index, dtype="str")
    return out


def _check_rows(tables: Mapping[str, pd.DataFrame]) -> None:
    judge = Judge(None, frozenset())
    for table, frame in tables.items():
        for fault in judge.faults(table, frame):
            if fault.rejects:
                row = int(fault.rows.argmax()) + 1
                raise UsageError(
                    say(
                        "camtrapdp-write.row",
                        table=table,
                        row=str(row),
                        field=fault.field,
                        count=str(int(fault.rows.sum())),
                    )
                )


def _descriptor(tables: Mapping[str, pd.DataFrame], metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The content of ``datapackage.json``, in one fixed order."""
    own = {"resources", "profile", "spatial", "temporal", "taxonomic"}
    content: dict[str, Any] = {
        "resources": [_resource(table) for table in tables],
        "profile": PROFILE_URL.format(version=CURRENT_VERSION, file="camtrap-dp-profile.json"),
    }
    content |= {name: metadata[name] for name in sorted(metadata) if name not in own}
    drawn = {"spatial": _extent, "temporal": _span, "taxonomic": _taxa}
    for name, draw in drawn.items():
        content[name] = metadata[name] if metadata.get(name) else draw(tables)
    return content


def _resource(table: str) -> dict[str, str]:
    return {
        "name": table,
        "path": f"{table}.csv",
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": PROFILE_URL.format(version=CURRENT_VERSION, file=f"{table}-table-schema.json"),
    }


def _extent(tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """The box around the deployments as they are written (so already generalised, if at all)."""
    frame = tables["deployments"]
    x = pd.to_numeric(frame["longitude"], errors="coerce").dropna()
    y = pd.to_numeric(frame["latitude"], errors="coerce").dropna()
    if x.empty or y.empty:
        return {}
    west, east = float(x.min()), float(x.max())
    south, north = float(y.min()), float(y.max())
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def _span(tables: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """First and last day (UTC) of the deployments."""
    frame = tables["deployments"]
    first, _ = read_times("deploymentStart", frame["deploymentStart"], None)
    last, _ = read_times("deploymentEnd", frame["deploymentEnd"], None)
    if not len(first):
        return {}
    days = [pd.Timestamp(int(t // _DAY), unit="D") for t in (first.min(), last.max())]
    return {"start": f"{days[0]:%Y-%m-%d}", "end": f"{days[1]:%Y-%m-%d}"}


def _taxa(tables: Mapping[str, pd.DataFrame]) -> list[dict[str, str]]:
    names = tables["observations"]["scientificName"].dropna().unique()
    return [{"scientificName": name} for name in sorted(map(str, names))]
