"""A store in memory, small enough to see through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from ecotone.model.agreement import Agreement
from ecotone.model.records import Clearance, Dataset
from ecotone.share.decide import Request

DAY = date(2026, 6, 1)
CLEARED = Clearance(authority="Ministry", number="1", date=date(2025, 1, 1), scope="all")


class MemoryStore:
    """What the door asks of a store."""

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

    def select(
        self, noun: str, *, datasets: Sequence[str], as_of: object = None
    ) -> Iterator[pd.DataFrame]:
        self.asked.append((noun, tuple(datasets), as_of))
        table = self._tables.get(noun, pd.DataFrame())
        if len(table):
            mine = table[table["dataset_id"].isin(datasets)]
            half = len(mine) // 2
            yield mine.iloc[:half]
            yield mine.iloc[half:]

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
