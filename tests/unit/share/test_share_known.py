"""What a door looks up beside the rows: checklists, individuals, zones at places in common."""

from __future__ import annotations

import pandas as pd

from ecotone.share.door import Door
from tests.unit.share.fixtures import MemoryStore, agreement, dataset, request

CATS = {
    "name": "cats",
    "nouns": ["Observation"],
    "taxa": ["Panthera uncia"],
    "level": "generalised",
    "cell_degrees": 0.1,
}
REST = {"name": "rest", "level": "full"}


def frame(**columns):
    number = len(next(iter(columns.values())))
    head = {"id": [f"r{i}" for i in range(number)], "version": 1, "dataset_id": "cats"}
    return pd.DataFrame({**head, **columns})


def levels(noun, classes=(CATS, REST), tables=None, **changes):
    store = MemoryStore(
        [dataset("cats", "AA"), dataset("lists", "CC")],
        [agreement(list(classes), **changes)],
        tables or {},
    )
    rows = Door(store, request()).release(noun).rows
    return sorted(rows["release_level"]) if len(rows) else []


SEEN = frame(taxon=["Snow cat", "Mammalia"], individual=[None, "F7"])


def test_the_nodes_checklists_and_individuals_close():
    assert levels("Observation", tables={"Observation": SEEN}) == ["full", "full"]
    names = frame(
        name=["Snow cat"],
        accepted_name=["Panthera uncia"],
        taxon_id=[None],
        accepted_id=[None],
        original_id=[None],
    ).assign(dataset_id="lists")
    listed = {"Observation": SEEN, "Taxon": names}
    assert levels("Observation", tables=listed) == ["full", "generalised"]
    known = frame(individual_id=["F7", "F8"], taxon=["Panthera uncia", None])
    told = {"Observation": SEEN, "Individual": known}
    assert levels("Observation", tables=told) == ["full", "generalised"]


def test_a_zone_holds_for_all_that_lies_at_a_camera_in_it():
    park = {"type": "Polygon", "coordinates": [[[73, 37], [74, 37], [74, 38], [73, 38], [73, 37]]]}
    closed = {
        "name": "park",
        "zones": ["park"],
        "level": "generalised",
        "cell_degrees": 1.0,
    }
    cameras = frame(deployment_id=["D1", "D2"], latitude=[37.5, 39.5], longitude=[73.5, 73.5])
    seen = frame(deployment=["D1", "D2"], taxon=["Marmota", "Marmota"])
    tables = {"Deployment": cameras, "Observation": seen}
    found = levels("Observation", [closed, REST], tables, zones={"park": park})
    assert found == ["full", "generalised"]
    nouns = [{**closed, "nouns": ["Observation"]}, REST]
    assert levels("Deployment", nouns, tables, zones={"park": park}) == ["full", "generalised"]


def test_a_reader_owns_its_data_under_the_name_own():
    store = MemoryStore([dataset("mine", "BB")], [], {"Site": frame(site_id=["s"])})
    door = Door(store, request())
    assert [(d.name, d.agreement, d.level) for d in door.decisions] == [("own", "own v0", "full")]
