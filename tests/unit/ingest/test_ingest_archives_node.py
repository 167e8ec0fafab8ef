"""Archives and packages into a node: kept, read back, delivered again without change."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from tests.nodes import STEWARD, WATER, new_node
from tests.support import shared

from ecotone.formats.dwca_write import write_dwca
from ecotone.ingest.commit import ingest
from ecotone.ingest.delivery import Orders
from ecotone.model.errors import UsageError


def test_a_camera_trap_package_into_a_node(tmp_path: Path) -> None:
    folder = shared("wildlife/camtrapdp_example")
    with new_node(tmp_path / "node") as store:
        first = ingest(
            folder, Orders(), store, dataset_id=WATER.dataset_id, person=STEWARD.person_id
        )
        assert first.delivery.verdict == "accepted"
        assert first.delivery.records == {"Deployment": 4, "Media": 423, "Observation": 549}
        again = ingest(
            folder, Orders(), store, dataset_id=WATER.dataset_id, person=STEWARD.person_id
        )
        assert again.repeated
        with pytest.raises(UsageError, match="Deliver the folder"):
            ingest(
                folder / "datapackage.json",
                Orders(),
                store,
                dataset_id=WATER.dataset_id,
                person=STEWARD.person_id,
            )


def test_an_archive_with_loose_rows_into_a_node(tmp_path: Path) -> None:
    core = pd.DataFrame(
        {"occurrenceID": ["1", "2"], "scientificName": ["Uncia uncia"] * 2, "order": "Carnivora"},
        dtype="str",
    )
    facts = pd.DataFrame({"coreid": ["1"], "measurementType": ["length"]}, dtype="str")
    folder = tmp_path / "archive"
    write_dwca(folder, {"Occurrence": core, "MeasurementOrFact": facts}, {"title": "x"})
    table = folder / "measurementorfact.csv"
    table.write_text(table.read_text("utf-8") + '"9","mass"\n', encoding="utf-8")
    with new_node(tmp_path / "node") as store:
        done = ingest(
            folder, Orders(), store, dataset_id=WATER.dataset_id, person=STEWARD.person_id
        )
        assert done.delivery.verdict == "partial"
        assert done.batch is not None
        (rejected,) = store.quarantine(done.batch.batch_id)
        assert rejected.file == "measurementorfact.csv"
        assert rejected.raw == '{"coreid":"9","measurementType":"mass"}'
