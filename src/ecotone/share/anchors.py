"""Round the place, not the row: what lies at one camera, site or event is told from one place.

Rows of one camera bear coordinates that differ by the GPS of the day; near the edge of a cell they
would fall into two cells and give the edge away. So every row that names a site, a deployment, an
event or a sample is told from the place of that anchor, and none of them finer than the coarsest
row released there: a marmot told exactly would tell where the cat passed the same camera.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.model.dictionary import attributes
from ecotone.share.table import Places

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: Reads columns of a noun of some datasets: ``Store.select`` with the request's ``as_of``.
Read = Callable[[str, list[str], list[str]], Iterator[pd.DataFrame]]

#: What a row can lie at, the widest first: the noun's own identifier, and the column naming it.
_KINDS: Final = (
    ("Site", "site_id", "site"),
    ("Deployment", "deployment_id", "deployment"),
    ("Event", "event_id", "event"),
    ("Sample", "sample_id", "sample"),
)
#: The column that holds an anchor's own name, and what each linking column names.
OWN: Final = {noun: own for noun, own, _ in _KINDS}
LINKS: Final = {link: noun for noun, _, link in _KINDS}
#: The nouns whose records are told at an anchor.
ANCHORED: Final = (
    "Observation", "Occurrence", "Media", "Deployment", "Event", "Sample", "Site", "DeviceEvent",
    "CustodyEvent", "QualityControl", "QualityFlag", "AlarmRule",
)  # fmt: skip

_PLACE: Final = ("latitude", "longitude", "coordinate_uncertainty_m")
_Key = tuple[str, str, str]


@dataclass
class Anchors:
    """The places of a request's datasets that rows lie at, and how coarse each has become."""

    groups: dict[_Key, int] = field(default_factory=dict)
    latitude: list[float] = field(default_factory=list)
    longitude: list[float] = field(default_factory=list)
    radius_m: list[float] = field(default_factory=list)
    cell: list[float] = field(default_factory=list)
    told: set[int] = field(default_factory=set)

    def of(self, frame: pd.DataFrame, noun: str) -> Codes | None:
        """The anchor of each row, -1 where it has none; None where no row has one."""
        found: Codes | None = None
        for kind, own, link in _KINDS:
            column = own if noun == kind else link
            if column not in frame or not self.groups:
                continue
            here = self._column(frame, kind, column)
            if here is not None:
                found = here if found is None else np.where(found >= 0, found, here)
        return found

    def places(self, frame: pd.DataFrame, codes: Codes | None) -> Places:
        """Where each row is told from: its anchor's place where that has one, else its own."""
        own = [numbers(frame, name) for name in _PLACE]
        if codes is None:
            return Places(*own)
        of_anchor = [self.latitude, self.longitude, self.radius_m]
        at = codes >= 0
        at[at] = ~np.isnan(np.asarray(self.latitude, dtype=np.float64)[codes[at]])
        for column, known in zip(own, of_anchor, strict=True):
            column[at] = np.asarray(known, dtype=np.float64)[codes[at]]
        return Places(*own)

    def coarsen(self, codes: Codes, cells: Floats) -> None:
        """Make the anchors of generalised rows as coarse as the rows (0 is no cell)."""
        at = codes >= 0
        coarse = np.asarray(self.cell, dtype=np.float64)
        np.maximum.at(coarse, codes[at], cells[at])
        self.cell = coarse.tolist()

    def tell(self, codes: Codes) -> None:
        """Note anchors that are themselves released: rows without a place may bear theirs."""
        self.told.update(np.unique(codes[codes >= 0]).tolist())

    def silent(self, codes: Codes) -> Bools:
        """Rows at an anchor that is not itself released."""
        return np.asarray((codes >= 0) & ~np.isin(codes, list(self.told)), dtype=np.bool_)

    def _column(self, frame: pd.DataFrame, kind: str, column: str) -> Codes | None:
        filled = frame[column].notna()
        if not filled.any():
            return None
        codes = np.full(len(frame), -1, dtype=np.int64)
        for dataset in frame["dataset_id"].unique():
            mine = np.flatnonzero((filled & (frame["dataset_id"] == dataset)).to_numpy(dtype=bool))
            numbers, values = pd.factorize(frame[column].iloc[mine])
            groups = [self.groups.get((str(dataset), kind, str(v)), -1) for v in values]
            codes[mine] = np.asarray(groups, dtype=np.int64)[numbers]
        return codes

    def add(self, key: _Key, at: _Key | None, place: tuple[float, float, float]) -> None:
        """Note an anchor; ``at`` is the wider one it belongs to, whose place counts for it."""
        if key in self.groups:
            return
        group = self.groups.get(at, -1) if at is not None else -1
        if group < 0:
            group = len(self.cell)
            self.latitude.append(np.nan)
            self.longitude.append(np.nan)
            self.radius_m.append(np.nan)
            self.cell.append(0.0)
            if at is not None:
                self.groups[at] = group
        self.groups[key] = group
        latitude, longitude, radius = place
        if np.isnan(self.latitude[group]) and not np.isnan(latitude + longitude):
            self.latitude[group], self.longitude[group] = latitude, longitude
            self.radius_m[group] = radius


def gather(read: Read, datasets: Iterable[str]) -> Anchors:
    """The anchors of some datasets: sites first, so that what names a site lies at the site."""
    found = Anchors()
    listed = sorted(datasets)
    for noun, own, _ in _KINDS:
        known = attributes(noun)
        wider = [(kind, link) for kind, _, link in _KINDS if link in known]
        columns = ["dataset_id", own, *_PLACE]
        for chunk in read(noun, listed, [*columns, *(link for _, link in wider)]):
            _add(found, chunk, noun, own, wider)
    return found


def _add(
    found: Anchors, chunk: pd.DataFrame, noun: str, own: str, wider: list[tuple[str, str]]
) -> None:
    """Anchors are few beside the rows that lie at them: they are noted one by one."""
    measured = np.column_stack([numbers(chunk, name) for name in _PLACE])
    datasets, keys = chunk["dataset_id"].tolist(), chunk[own].tolist()
    links = [(kind, chunk[link].tolist()) for kind, link in wider]
    for row, (dataset, key) in enumerate(zip(datasets, keys, strict=True)):
        if not isinstance(key, str):
            continue
        at = next(
            (
                (dataset, kind, values[row])
                for kind, values in links
                if isinstance(values[row], str)
            ),
            None,
        )
        latitude, longitude, radius = measured[row].tolist()
        found.add((dataset, noun, key), at, (latitude, longitude, radius))


def numbers(frame: pd.DataFrame, name: str) -> Floats:
    """A column as numbers of its own, NaN where missing or where there is no such column."""
    if name not in frame:
        return np.full(len(frame), np.nan)
    return pd.to_numeric(frame[name]).to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
