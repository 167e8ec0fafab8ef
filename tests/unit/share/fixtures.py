"""A store in memory, small enough to see through."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ecotone.model.agreement import Agreement
from ecotone.model.errors import InputRefused
from ecotone.model.records import Clearance, Dataset, Party
from ecotone.share.agreements import parse
from ecotone.share.anchors import Anchors
from ecotone.share.decide import Decision, Request, decide
from ecotone.share.table import Places, Table
from ecotone.store.documents import Noted
from ecotone.store.names import NAME_OF
from tests import signing

DAY = date(2026, 6, 1)
CLEARED = Clearance(authority="Ministry", number="1", date=date(2025, 1, 1), scope="all")


class MemoryStore:
    """What the door asks of a store. Rows whose ``until`` is set are former versions."""

    _folder: Path | None = None

    @property
    def folder(self) -> Path:
        if MemoryStore._folder is None:
            MemoryStore._folder = Path(tempfile.mkdtemp(prefix="ecotone-keys-"))
        return MemoryStore._folder

    def __init__(
        self,
        datasets: list[Dataset],
        agreements: list[dict[str, Any]],
        tables: dict[str, pd.DataFrame],
    ) -> None:
        self._datasets = datasets
        self._agreements = agreements
        self._tables = tables
        self.asked: list[tuple[str, tuple[str, ...], object]] = []
        self.recorded: list[dict[str, Any]] = []

    def datasets(self) -> list[Dataset]:
        return self._datasets

    def agreements(self) -> list[dict[str, Any]]:
        return self._agreements

    def parties(self) -> list[Party]:
        """Whoever is named in an agreement, with a key."""
        named = {p for d in self._agreements for p in (d.get("owner"), *d.get("recipients", ()))}
        return [signing.party(name) for name in sorted(p for p in named if isinstance(p, str))]

    def noted(self, kind: str) -> list[Noted]:
        """Agreements whose status says so are signed by all their parties."""
        if kind != "agreement":
            return []
        return [
            Noted(str(document.get("agreement_id")), 1, signing.SIGNED, self._signed(document), "")
            for document in self._agreements
        ]

    @staticmethod
    def _signed(document: dict[str, Any]) -> dict[str, Any]:
        try:
            parse(document, "test")
        except InputRefused:
            return document
        return signing.signed(document) if document["status"] == "active" else document

    def select(
        self,
        noun: str,
        *,
        datasets: Sequence[str],
        as_of: object = None,
        columns: Sequence[str] | None = None,
    ) -> Iterator[pd.DataFrame]:
        if columns is None or "version" in columns:
            self.asked.append((noun, tuple(datasets), as_of))
        mine = self._of(noun, datasets)
        if len(mine):
            if "until" in mine:
                mine = mine[mine["until"].isna()].drop(columns="until")
            if columns is not None:
                mine = mine.reindex(columns=list(columns))
            half = len(mine) // 2
            yield mine.iloc[:half]
            yield mine.iloc[half:]

    def _of(self, noun: str, datasets: Sequence[str]) -> pd.DataFrame:
        table = self._tables.get(noun, pd.DataFrame())
        return table[table["dataset_id"].isin(datasets)] if len(table) else table

    def filled(self, noun: str, datasets: Sequence[str]) -> set[str]:
        mine = self._of(noun, datasets)
        return {name for name in mine.columns if mine[name].notna().any()}

    def names_ever(self, noun: str, datasets: Sequence[str]) -> pd.DataFrame:
        mine = self._of(noun, datasets)
        column = NAME_OF[noun]
        if not len(mine) or column not in mine:
            return pd.DataFrame({"id": [], "name": []})
        several = mine[mine["id"].duplicated(keep=False)]
        return several[["id", column]].rename(columns={column: "name"}).drop_duplicates()

    def combinations(
        self, noun: str, datasets: Sequence[str], columns: Sequence[str]
    ) -> pd.DataFrame:
        mine = self._of(noun, datasets)
        names = [c for c in columns if c != "dataset_id"]
        return mine.reindex(columns=["dataset_id", "id", *names]).drop_duplicates()

    def first_places(self, noun: str, datasets: Sequence[str], link: str) -> pd.DataFrame:
        names = ["dataset_id", link, "latitude", "longitude", "coordinate_uncertainty_m"]
        mine = self._of(noun, datasets).reindex(columns=names)
        placed = mine.dropna(subset=names[1:4])
        return placed.drop_duplicates(subset=names[:2])

    def record_release(self, **line: Any) -> str:
        self.recorded.append(line)
        return f"R{len(self.recorded)}"

    def file_path(self, sha256: str) -> Path:
        return Path("files") / sha256


def dataset(name: str, party: str, *, cleared: bool = True) -> Dataset:
    return Dataset(
        dataset_id=name,
        party_id=party,
        title=name.title(),
        export_clearance=CLEARED if cleared else None,
    )


def agreement(classes: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    document = {
        "agreement_id": "AG-1",
        "version": 2,
        "title": {"en": "Water"},
        "owner": "AA",
        "recipients": ["BB"],
        "purposes": ["assessment"],
        "actions": ["view", "derive"],
        "datasets": ["cats"],
        "classes": classes,
        "valid_from": "2026-01-01",
        "valid_until": "2026-12-31",
        "status": "active",
        **changes,
    }
    return Agreement.model_validate(document).model_dump(mode="json")


def request(**changes: Any) -> Request:
    return Request(
        **{
            "reader": "BB",
            "purpose": "assessment",
            "action": "view",
            "today": DAY,
            **changes,
        }
    )


def occurrences() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": ["AA-1", "AA-2", "AA-3", "AA-4"],
            "version": [1, 1, 2, 1],
            "dataset_id": ["cats"] * 4,
            "source_file": ["deliv.csv"] * 4,
            "source_row": [1, 2, 3, 4],
            "occurrence_id": ["o1", "o2", "o3", "o4"],
            "taxon": ["Panthera uncia", "Capra sibirica", "panthera  uncia irbis", None],
            "latitude": [37.0464, 37.5, None, 38.0],
            "longitude": [73.239, 73.5, None, 74.0],
            "coordinate_uncertainty_m": [20.0, 1200.0, None, None],
            "locality": ["Under the red cliff", None, "Camp", "Pass"],
            "recorded_by": ["A. Person"] * 4,
            "time_start": pd.to_datetime(
                ["2026-05-03T10:00Z", "2024-05-03T10:00Z", "2026-01-03T10:00Z", None], utc=True
            ),
            "extra": ["{}"] * 4,
        }
    )


def nowhere(number: int) -> Places:
    """Places of rows that bear none."""
    return Places(*(np.full(number, np.nan) for _ in range(3)))


def assign(frame: pd.DataFrame, noun: str, decisions: Sequence[Decision]) -> Any:
    """Decisions joined to rows by what stands in the frame alone; -1 where none lets a row out."""
    codes = Table(decisions).assign(frame, noun, Anchors().places(frame, None))
    return np.maximum(codes, -1)


def governed(
    frame: pd.DataFrame, noun: str, decisions: Sequence[Decision]
) -> list[Decision | None]:
    """The decision of each row; None where it does not leave."""
    table = Table(decisions)
    codes = table.assign(frame, noun, Anchors().places(frame, None))
    return [table.decisions[code] if code >= 0 else None for code in codes]


def decided(classes: list[dict[str, Any]], **changes: Any) -> list[Decision]:
    """The decision table of one agreement about dataset ``cats`` of party AA."""
    spoken = Agreement.model_validate(agreement(classes, **changes))
    return decide(request(), {"cats": "AA"}, [spoken])
