"""Whatever text records hold, packages come back as they were written, byte for byte the same."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecotone.formats.base import Format, ReadOptions
from ecotone.formats.camtrapdp import FORMAT as CAMTRAPDP
from ecotone.formats.camtrapdp_rules import MISSING
from ecotone.formats.camtrapdp_write import write_camtrapdp
from ecotone.formats.dwca import FORMAT as DWCA
from ecotone.formats.dwca_write import write_dwca
from ecotone.formats.safe import open_source

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
#: Text that a table may hold: no NUL, no lone surrogate; empty is missing.
TEXT = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=12
).filter(lambda t: t not in ("\\N", *MISSING))
CELL = st.none() | TEXT | st.sampled_from(['"', '""', ",", "\n", "\r", "\r\n", " ", "a\tb", "'"])
NAME = st.sampled_from(["sex", "habitat", "license", "Номер", "проба 1/2 %"])


def read(form: Format, path: Path, block_rows: int) -> dict[str, pd.DataFrame]:
    blocks: dict[str, list[pd.DataFrame]] = {}
    heard: list[Any] = []
    with open_source(path) as source:
        for table in form.read(
            source, ReadOptions(block_rows=block_rows), heard.append, lambda *a: heard.append(a)
        ):
            blocks.setdefault(table.type, []).append(table.frame)
    assert heard == []
    return {name: pd.concat(frames, ignore_index=True) for name, frames in blocks.items()}


@st.composite
def archives(draw: st.DrawFn) -> dict[str, pd.DataFrame]:
    ids = draw(st.lists(TEXT, unique=True, max_size=6))
    names = draw(st.lists(NAME, unique=True, max_size=3))
    core: dict[str, Any] = {"occurrenceID": ids}
    for name in names:
        core[name] = draw(st.lists(CELL, min_size=len(ids), max_size=len(ids)))
    tables = {"Occurrence": pd.DataFrame(core, dtype="str")}
    if ids:
        owners = draw(st.lists(st.sampled_from(ids), max_size=6))
        values = draw(st.lists(CELL, min_size=len(owners), max_size=len(owners)))
        tables["MeasurementOrFact"] = pd.DataFrame(
            {"coreid": owners, "measurementValue": values}, dtype="str"
        )
    return tables


@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
@given(
    archives(),
    st.dictionaries(st.sampled_from(["title", "licence", "round"]), TEXT),
    st.integers(1, 4),
)
def test_darwin_core_archives_come_back(
    tables: dict[str, pd.DataFrame], statements: dict[str, str], block_rows: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write_dwca(Path(folder) / "a.zip", tables, statements)
        back = read(DWCA, path, block_rows)
        assert set(back) == set(tables)
        for name, frame in tables.items():
            pd.testing.assert_frame_equal(back[name], frame, check_dtype=False)
        again = write_dwca(Path(folder) / "b.zip", back, statements)
        assert again.read_bytes() == path.read_bytes()


STUDY = {
    "created": "2026-03-01T08:00:00Z",
    "contributors": [{"title": "SUEA"}],
    "project": {
        "title": "P", "samplingDesign": "targeted", "captureMethod": ["timeLapse"],
        "individualAnimals": False, "observationLevel": ["event"],
    },
    "taxonomic": [{"scientificName": "Panthera uncia"}],
}  # fmt: skip
TIME = st.datetimes(
    min_value=pd.Timestamp("1990-01-01").to_pydatetime(),
    max_value=pd.Timestamp("2090-01-01").to_pydatetime(),
).map(lambda t: t.strftime("%Y-%m-%dT%H:%M:%S+05:00"))


@st.composite
def studies(draw: st.DrawFn) -> list[pd.DataFrame]:
    ids = draw(st.lists(TEXT, unique=True, min_size=1, max_size=4))
    ends = [sorted(draw(st.tuples(TIME, TIME))) for _ in ids]
    deployments = pd.DataFrame(
        {
            "deploymentID": ids,
            "latitude": [f"{draw(st.floats(-90, 90)):.5f}" for _ in ids],
            "longitude": [f"{draw(st.floats(-180, 180)):.5f}" for _ in ids],
            "deploymentStart": [first for first, _ in ends],
            "deploymentEnd": [last for _, last in ends],
            "deploymentComments": [draw(CELL) for _ in ids],
        },
        dtype="str",
    )
    at = dict(zip(ids, ends, strict=True))
    owners = draw(st.lists(st.sampled_from(ids), max_size=5))
    media = pd.DataFrame(
        {
            "mediaID": [f"m{i}" for i in range(len(owners))],
            "deploymentID": owners,
            "timestamp": [at[o][0] for o in owners],
            "filePath": [f"media/{i}.jpg" for i in range(len(owners))],
            "filePublic": ["true"] * len(owners),
            "fileMediatype": ["image/jpeg"] * len(owners),
        },
        dtype="str",
    )
    observations = pd.DataFrame(
        {
            "observationID": [f"o{i}" for i in range(len(owners))],
            "deploymentID": owners,
            "mediaID": [f"m{i}" for i in range(len(owners))],
            "eventStart": [at[o][0] for o in owners],
            "eventEnd": [at[o][1] for o in owners],
            "observationLevel": ["event"] * len(owners),
            "observationType": ["animal"] * len(owners),
            "scientificName": ["Panthera uncia"] * len(owners),
            "observationComments": [draw(CELL) for _ in owners],
        },
        dtype="str",
    )
    return [deployments, media, observations]


@settings(max_examples=25, deadline=None, suppress_health_check=SLOW)
@given(studies(), st.integers(1, 4))
def test_camera_trap_packages_come_back(tables: list[pd.DataFrame], block_rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write_camtrapdp(Path(folder) / "a.zip", *tables, STUDY)
        back = read(CAMTRAPDP, path, block_rows)
        for frame, other in zip(tables, back.values(), strict=True):
            pd.testing.assert_frame_equal(other[list(frame.columns)], frame, check_dtype=False)
            assert other.drop(columns=frame.columns).isna().all(axis=None)
        again = write_camtrapdp(Path(folder) / "b.zip", *back.values(), STUDY)
        assert again.read_bytes() == path.read_bytes()
