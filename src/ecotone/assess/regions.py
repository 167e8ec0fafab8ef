"""Reading the user's region and boundary sets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ecotone.assess.plan import Regions
from ecotone.model.errors import InputRefused, UsageError
from ecotone.model.words import say

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry


@dataclass(frozen=True)
class Region:
    """A region on WGS 84; ``geometry`` None means everything there is."""

    id: str
    name: dict[str, str]
    geometry: BaseGeometry | None


EVERYWHERE = Region("all", {}, None)


def read_regions(path: Path, spec: Regions) -> list[Region]:
    """The regions of a file, in WGS 84.

    Raises InputRefused for an unreadable file, a missing id column or an invalid outline.
    """
    import geopandas
    import pyogrio.errors
    from shapely import is_valid_reason

    try:
        frame = geopandas.read_file(path)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, OSError) as error:
        raise InputRefused(say("assess.regions-unreadable", path=path, why=error)) from error
    if spec.id not in frame:
        raise InputRefused(
            say("assess.regions-column", path=path, column=spec.id, known=", ".join(frame.columns))
        )
    if frame.crs is None:
        raise InputRefused(say("assess.regions-crs", path=path))
    frame = frame.to_crs(4326)
    regions = []
    for row in frame.to_dict("records"):
        geometry = row["geometry"]
        if geometry is None or geometry.is_empty or not geometry.is_valid:
            why = "-" if geometry is None else is_valid_reason(geometry)
            raise InputRefused(say("assess.region-invalid", id=row[spec.id], why=why))
        regions.append(Region(str(row[spec.id]), _names(row, spec.name), geometry))
    if len({r.id for r in regions}) != len(regions):
        raise InputRefused(say("assess.regions-twice", path=path))
    return regions


def choose(regions: list[Region], wanted: list[str] | None) -> list[Region]:
    """The regions a task names, in its order; all of them where it names none."""
    if wanted is None:
        return regions
    by_id = {r.id: r for r in regions}
    unknown = [name for name in wanted if name not in by_id]
    if unknown:
        raise UsageError(
            say("assess.region-unknown", id=", ".join(unknown), known=", ".join(by_id))
        )
    return [by_id[name] for name in wanted]


def _names(row: dict[str, object], column: str) -> dict[str, str]:
    """``name`` in every language that has its own column (``name_zh``), else the plain one."""
    plain = row.get(column)
    names = {
        lang: str(row.get(f"{column}_{lang}") or plain)
        for lang in ("en", "zh", "ru")
        if row.get(f"{column}_{lang}") or plain
    }
    return names
