"""The demo's promise: where its cats and cameras are does not cross a border."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.signing import conclude

from ecotone.demo import Basin, simulate
from ecotone.demo.simulate_wild import CAT
from ecotone.ingest import mapping as mappings
from ecotone.ingest.commit import ingest
from ecotone.ingest.delivery import Orders
from ecotone.share import agreements
from ecotone.share.decide import Request
from ecotone.share.door import Door
from ecotone.store import Store, init_node

WILD = ("wildlife-archive", "camera-traps", "wildlife-table")
NOUNS = ("Occurrence", "Observation", "Deployment", "Media")


@pytest.fixture(scope="module")
def basin(tmp_path_factory: pytest.TempPathFactory) -> Basin:
    return simulate(tmp_path_factory.mktemp("cats"))


@pytest.fixture(scope="module")
def node(basin: Basin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    stewards = {p.party_id: p for p in basin.people if p.role == "steward"}
    first = basin.parties[0]
    by = stewards[first.party_id].person_id
    folder = tmp_path_factory.mktemp("node") / "node"
    with init_node(folder, party=first, person=stewards[first.party_id]) as store:
        for party in basin.parties[1:]:
            store.put_party(party, person=by)
            store.put_person(stewards[party.party_id], person=by)
        for project in basin.projects:
            store.put_project(project, person=by)
        for dataset in basin.datasets:
            store.put_dataset(dataset, person=by)
        for path in basin.agreements:
            text = path.read_text(encoding="utf-8")
            document = agreements.load(path).model_dump(mode="json")
            conclude(store, document, text, person=by)
        for delivery in basin.deliveries:
            if delivery.name in WILD:
                mapping = mappings.load(delivery.mapping) if delivery.mapping else None
                ingest(
                    delivery.path,
                    Orders(mapping=mapping),
                    store,
                    dataset_id=delivery.dataset_id,
                    person=stewards[delivery.party_id].person_id,
                )
        yield store


def door(node: Store, basin: Basin, reader: str) -> Door:
    return Door(node, Request(reader, "assessment", "view", basin.today))


def delivered(basin: Basin, name: str, member: str) -> pd.DataFrame:
    path = next(d.path for d in basin.deliveries if d.name == name)
    with zipfile.ZipFile(path) as archive:
        return pd.read_csv(io.BytesIO(archive.read(member)), dtype=str)


def exact_places(basin: Basin) -> dict[str, set[str]]:
    """Coordinates as delivered, by owner: of VIWE's cats and of all of KNCM's cameras."""
    seen = delivered(basin, "wildlife-archive", "occurrence.csv")
    cats = seen[seen["scientificName"] == CAT]
    traps = delivered(basin, "camera-traps", "deployments.csv")
    return {
        "VIWE": {*cats["decimalLatitude"], *cats["decimalLongitude"]},
        "KNCM": {*traps["latitude"], *traps["longitude"]},
    }


@pytest.mark.parametrize("reader", ["VIWE", "KNCM", "SUEA"])
def test_no_exact_place_of_a_neighbours_cat_comes_out(
    node: Store, basin: Basin, reader: str
) -> None:
    at = door(node, basin, reader)
    owner_of = {d.dataset_id: d.party_id for d in basin.datasets}
    released: dict[str, str] = {}
    for noun in NOUNS:
        rows = at.release(noun).rows
        for dataset, part in rows.groupby("dataset_id") if len(rows) else ():
            owner = owner_of[str(dataset)]
            released[owner] = released.get(owner, "") + part.to_csv(index=False)
    for owner, places in exact_places(basin).items():
        assert len(places) > 40
        found = {place for place in places if place in released[owner]}
        assert found == set() or owner == reader


def test_what_comes_out_is_the_cell_and_a_circle_around_it(node: Store, basin: Basin) -> None:
    rows = door(node, basin, "SUEA").release("Occurrence").rows
    cats = rows[(rows["taxon"] == CAT) & (rows["dataset_id"] == "XA-WILD")]
    seen = delivered(basin, "wildlife-archive", "occurrence.csv")
    assert len(cats) == (seen["scientificName"] == CAT).sum()
    for name in ("latitude", "longitude"):
        cells = cats[name].astype(float) / 0.1 - 0.5
        assert np.allclose(cells, cells.round(), atol=1e-6)
    assert cats["coordinate_uncertainty_m"].min() > 5_000
    assert cats["recorded_by"].isna().all() if "recorded_by" in cats else True
    others = rows[(rows["taxon"] == "Marmota baibacina") & (rows["dataset_id"] == "XA-WILD")]
    assert others["coordinate_uncertainty_m"].between(400, 2_000).all()


def test_suvarins_walks_stay_at_home(node: Store, basin: Basin, tmp_path: Path) -> None:
    for reader, number in (("VIWE", 0), ("KNCM", 0), ("SUEA", 1800)):
        rows = door(node, basin, reader).release("Occurrence").rows
        assert (rows["dataset_id"] == "XC-WILD").sum() == number


def test_photographs_stay_at_home(node: Store, basin: Basin) -> None:
    assert len(door(node, basin, "KNCM").release("Media").rows) == 3000
    assert door(node, basin, "VIWE").release("Media").rows.empty
