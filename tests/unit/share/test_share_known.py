"""What a door looks up beside the rows: checklists, individuals, zones at places in common."""

from __future__ import annotations

import numpy as np
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


TENTH = {"name": "m", "taxa": ["Marmota"], "level": "generalised", "cell_degrees": 0.1}
BEARS = {"name": "b", "taxa": ["Ursus arctos"], "level": "withheld"}
OLD = pd.Timestamp("2020-05-03T10:00Z")
YOUNG = pd.Timestamp("2026-05-03T10:00Z")


def met(taxon, latitude, *, event="E1", time=OLD):
    """One occurrence at an event that nobody described."""
    return {"taxon": taxon, "latitude": latitude, "longitude": 73.01, "event": event,
            "time_start": time, "coordinate_uncertainty_m": 10.0}  # fmt: skip


def told(classes, *rows, noun="Occurrence", **more):
    table = pd.DataFrame(rows).assign(
        id=[f"r{i}" for i in range(len(rows))], version=1, dataset_id="cats"
    )
    store = MemoryStore([dataset("cats", "AA")], [agreement(list(classes))], {noun: table, **more})
    rows = Door(store, request()).release(noun).rows
    return rows.sort_values("latitude")[["taxon", "latitude", "data_generalizations"]]


def test_a_withheld_row_does_not_give_its_neighbours_their_place():
    bear, marmot = met("Ursus arctos", 37.33), met("Marmota", 37.01)
    for rows in ([bear, marmot], [marmot, bear], [marmot]):
        assert told([TENTH, BEARS], *rows)["latitude"].tolist() == [37.05]
    two = told([TENTH, BEARS], bear, marmot, met("Marmota", 37.71))
    assert two["latitude"].tolist() == [37.05, 37.05], "both from the first that leaves"


def test_a_row_under_embargo_neither_places_nor_coarsens():
    later = {**BEARS, "level": "generalised", "cell_degrees": 1.0, "embargo_months": 24}
    marmot = met("Marmota", 37.01)
    alone = told([TENTH, later], marmot)
    young = told([TENTH, later], met("Ursus arctos", 37.33, time=YOUNG), marmot)
    pd.testing.assert_frame_equal(alone, young)
    old = told([TENTH, later], met("Ursus arctos", 37.33), marmot)
    assert old["latitude"].tolist() == [37.5, 37.5], "once it leaves, all there are as coarse"
    camera = pd.DataFrame(
        [{"id": "d", "version": 1, "dataset_id": "cats", "event_id": "E1", "latitude": 37.01,
          "longitude": 73.01}]
    )  # fmt: skip
    known = told([TENTH, later], met("Ursus arctos", 37.33, time=YOUNG), marmot, Event=camera)
    assert known["latitude"].tolist() == [37.05]


def test_where_every_row_leaves_the_first_of_all_gives_the_place():
    every = {"name": "all", "level": "generalised", "cell_degrees": 0.1}
    found = told([every], met("Ursus arctos", 37.33), met("Marmota", 37.01))
    assert found["latitude"].tolist() == [37.35, 37.35]
    delayed = told([{**every, "embargo_months": 24}], met("Marmota", 37.33, time=YOUNG),
                   met("Marmota", 37.01))  # fmt: skip
    assert delayed["latitude"].tolist() == [37.05]
    rows = [met("Marmota", 37.33), met("Marmota", 37.01, event=None)]
    assert told([TENTH], *rows)["latitude"].tolist() == [37.05, 37.35]


def test_an_embargo_counts_to_the_end_of_a_year_and_of_a_stay():
    later = {**BEARS, "level": "generalised", "cell_degrees": 1.0, "embargo_months": 24}
    marmot, bear = met("Marmota", 37.01), met("Ursus arctos", 37.33)
    lately = {**bear, "time_start": pd.Timestamp("2024-01-01T00:00Z")}
    assert len(told([TENTH, later], lately, marmot)) == 2
    year = told([TENTH, later], {**lately, "time_precision": "year"}, marmot)
    assert year["latitude"].tolist() == [37.05]
    stay = told([TENTH, later], {**bear, "time_end": YOUNG}, {**marmot, "time_end": OLD})
    assert stay["latitude"].tolist() == [37.05]


def test_a_row_with_a_place_of_its_own_at_a_site_without_one_is_judged_by_its_own():
    park = {"type": "Polygon", "coordinates": [[[73, 37], [74, 37], [74, 38], [73, 38], [73, 37]]]}
    closed = {"name": "park", "zones": ["park"], "level": "generalised", "cell_degrees": 0.1,
              "nouns": ["Observation"]}  # fmt: skip
    seen = frame(site=["S1"], taxon=["Marmota"], latitude=[39.5], longitude=[73.5])
    tables = {"Observation": seen, "Site": frame(site_id=["S1"])}
    assert levels("Observation", [closed, REST], tables, zones={"park": park}) == ["full"]


def test_photographs_of_cameras_that_nobody_described_leave_as_they_may():
    pictures = {"Media": frame(media_id=["a"], deployment=["D1"])}
    coarse = {"name": "all", "level": "generalised", "cell_degrees": 0.1}
    assert levels("Media", [coarse], pictures) == ["generalised"]


def test_what_lies_there_counts_by_its_property_and_its_individual():
    """At D1 turbidity alone was measured: no class of nitrate makes it coarse."""
    nitrate = {"name": "n", "properties": ["nitrate"], "level": "generalised", "cell_degrees": 0.1}
    cameras = frame(deployment_id=["D1"], latitude=[37.5], longitude=[73.5])
    seen = frame(deployment=["D1", "D1"], property=["turbidity"] * 2)
    tables = {"Deployment": cameras, "Observation": seen}
    assert levels("Observation", [nitrate, REST], tables) == ["full", "full"]
    # A mammal at D1 that is the cat F7 makes the marmot beside it as coarse as the cat.
    met_there = frame(
        deployment=["D1", "D1"], taxon=["Mammalia", "Marmota"], individual=["F7", None]
    )
    cat = {"Individual": frame(individual_id=["F7"], taxon=["Panthera uncia"])}
    tables = {"Deployment": cameras, "Observation": met_there}
    assert levels("Observation", tables=tables) == ["full", "full"]
    assert levels("Observation", tables=tables | cat) == ["generalised", "generalised"]


def test_a_row_that_no_class_names_does_not_give_its_neighbours_their_place():
    for rows in ([met("Lynx lynx", 37.33), met("Marmota", 37.01)], [met("Marmota", 37.01)]):
        assert told([TENTH], *rows)["latitude"].tolist() == [37.05]


def test_a_row_outside_the_zone_that_is_shared_gives_nobody_its_place():
    ring = [[72, 36], [74, 36], [74, 37.2], [72, 37.2], [72, 36]]
    park = {"type": "Polygon", "coordinates": [ring]}
    shared = {"name": "in", "zones": ["park"], "level": "generalised", "cell_degrees": 0.1}

    def latitudes(*rows):
        table = pd.DataFrame(rows).assign(version=1, dataset_id="cats")
        table["id"] = [f"r{i}" for i in range(len(rows))]
        spoken = agreement([shared], zones={"park": park})
        store = MemoryStore([dataset("cats", "AA")], [spoken], {"Occurrence": table})
        released = Door(store, request()).release("Occurrence").rows
        return set(released["latitude"]) if len(released) else set()

    inside = met("Marmota", 37.04)
    assert latitudes(met("Marmota", 37.93), inside) == {37.05}
    assert latitudes({**inside, "coordinate_uncertainty_m": 50_000.0}) == set()


def test_a_row_without_a_time_gives_its_place_where_nothing_waits():
    rows = [met("Ursus arctos", 37.33), met("Marmota", 37.01, time=pd.NaT), met("Marmota", 37.71)]
    assert told([TENTH, BEARS], *rows)["latitude"].tolist() == [37.05, 37.05]


def test_a_former_name_counts_where_some_rows_stay():
    """A marmot that was a bear stays, and gives nobody its place."""
    was = {**met("Ursus arctos", 37.33), "until": 5}
    now = met("Marmota", 37.33)
    table = pd.DataFrame(
        [was, {**now, "until": np.nan}, {**met("Marmota", 37.01), "until": np.nan}]
    )
    table = table.assign(id=["r0", "r0", "r1"], version=[1, 2, 1], dataset_id="cats")
    spoken = agreement([TENTH, BEARS])
    store = MemoryStore([dataset("cats", "AA")], [spoken], {"Occurrence": table})
    released = Door(store, request()).release("Occurrence").rows
    assert released["latitude"].tolist() == [37.05]
