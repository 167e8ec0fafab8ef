"""A node and deliveries for tests of the store, on SQLite and on PostgreSQL."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from ecotone.model.records import Batch, Dataset, Party, Person, Project
from ecotone.store import Store, init_node

PARTY = Party(party_id="KNCM", name={"en": "Kara Nature Centre"}, country_code="KG")
STEWARD = Person(person_id="aigul", party_id="KNCM", name="Aigul T.", role="steward")
WATER = Dataset(dataset_id="kncm-water", party_id="KNCM", title="Water quality")


def new_node(folder: Path, url: str | None = None) -> Store:
    """A node with one party, one steward, two datasets."""
    store = init_node(folder, party=PARTY, person=STEWARD, database=url)
    store.put_project(Project(project_id="basin", title="Basin", party_id="KNCM"), person="aigul")
    store.put_dataset(WATER, person="aigul")
    store.put_dataset(
        Dataset(dataset_id="kncm-other", party_id="KNCM", title="Other", project_id="basin"),
        person="aigul",
    )
    return store


def results(count: int, *, start: int = 0, shift: float = 0.0) -> pd.DataFrame:
    """Laboratory results with the odd things that real ones have: non-detects, empties, texts."""
    i = np.arange(start, start + count)
    below = i % 7 == 0
    return pd.DataFrame(
        {
            "observation_id": [f"lab-{k}" for k in i],
            "site": [f"S{k % 40:02d}" for k in i],
            "property": "Nitrate",
            "value": pd.array(np.where(below, np.nan, i * 0.25 + shift), dtype="Float64"),
            "unit": "mg/L",
            "limit_kind": pd.Series(np.where(below, "below", None), dtype=object),
            "count": pd.array(np.where(i % 3 == 0, None, i), dtype="Int64"),
            "time_start": pd.Timestamp("1999-12-31T23:00", tz="UTC")
            + pd.to_timedelta(i * 90, unit="s"),
            "time_text": pd.Series(["31.12.1999 'вечер', \"晚上\"\n"] * count),
            "latitude": 42.0 + (i % 100) / 100,
            "longitude": -0.0,
            "extra": [f'{{"lab": "A", "n": "{k % 5}"}}' for k in i],
        }
    )


def deliver(
    store: Store,
    frame: pd.DataFrame,
    *,
    noun: str = "Observation",
    dataset: str = "kncm-water",
    name: str = "results.csv",
    block: int = 50_000,
    verdict: str = "accepted",
) -> Batch:
    """Commit a frame as one delivery."""
    sha256 = hashlib.sha256(f"{frame.to_csv()}{name}".encode("utf-8", "surrogatepass")).hexdigest()
    with store.begin_batch(
        file_name=name,
        sha256=sha256,
        size=len(frame),
        format="table",
        dataset_id=dataset,
        person="aigul",
    ) as writer:
        for start in range(0, len(frame), block):
            part = frame.iloc[start : start + block].reset_index(drop=True)
            rows = np.arange(start + 1, start + 1 + len(part))
            writer.add(noun, part, rows, rows + 1, name)
        return writer.commit(verdict)


def everything(store: Store, noun: str = "Observation", **how: object) -> pd.DataFrame:
    """All rows of a noun in the water dataset."""
    parts = list(store.select(noun, datasets=["kncm-water"], **how))  # type: ignore[arg-type]  # passed on
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
