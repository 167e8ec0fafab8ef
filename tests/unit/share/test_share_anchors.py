from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ecotone.model.dictionary import attributes
from ecotone.share.anchors import Anchors, gather
from ecotone.share.door import Door
from tests.unit.share.fixtures import MemoryStore, agreement, dataset, request

CATS = {
    "name": "cats",
    "nouns": ["Observation", "Occurrence"],
    "taxa": ["Panthera uncia"],
    "level": "generalised",
    "cell_degrees": 0.1,
}
REST = {"name": "rest", "level": "full"}
FINE = {"name": "fine", "level": "generalised", "cell_degrees": 0.01}


def frame(noun, **columns):
    number = len(next(iter(columns.values())))
    head = {"id": [f"{noun}-{i}" for i in range(number)], "version": 1, "dataset_id": "cats"}
    out = pd.DataFrame({**head, **columns})
    if "time_start" not in out and noun != "Site":
        out["time_start"] = pd.Timestamp("2024-05-03", tz="UTC")
    return out


#: A camera whose coordinates straddle the edge of a cell at 37.1: the site lies at 37.0999.
SITES = frame("Site", site_id=["S1", "S2"], latitude=[37.0999, 39.05], longitude=[73.25, 73.25])
CAMERAS = frame(
    "Deployment",
    deployment_id=["D1", "D2", "D3"],
    site=["S1", "S1", None],
    latitude=[37.1001, 37.0998, 38.05],
    longitude=[73.25, 73.25, 73.25],
)
SEEN = frame(
    "Observation",
    deployment=["D1", "D2", "D3", "D1", None],
    taxon=["Panthera uncia", "Marmota", "Marmota", "Marmota", "Panthera uncia"],
    latitude=[37.1002, None, None, 37.0997, 36.55],
    longitude=[73.25, None, None, 73.25, 73.25],
)


def release(classes, noun, **tables):
    tables = {"Site": SITES, "Deployment": CAMERAS, "Observation": SEEN} | tables
    store = MemoryStore([dataset("cats", "AA")], [agreement(classes)], tables)
    return Door(store, request()).release(noun).rows


def test_rows_of_one_place_fall_into_one_cell():
    rows = release([{**REST, "level": "generalised", "cell_degrees": 0.1}], "Observation")
    # D1 and D2 are at S1, whose cell is 37.0-37.1, whatever the GPS of the day said.
    assert sorted(rows["latitude"]) == [36.55, 37.05, 37.05, 37.05, 38.05]
    cameras = release([FINE], "Deployment")
    assert sorted(cameras["latitude"]) == [37.095, 37.095, 38.055]


def test_all_that_lies_where_a_cat_passed_is_as_coarse_as_the_cat():
    rows = release([CATS, REST], "Observation").set_index("release_level")
    # At S1 a cat was seen: its marmots, cameras and site are told on 0.1 degree as well.
    assert sorted(rows.loc["generalised", "latitude"]) == [36.55, 37.05, 37.05, 37.05]
    assert rows.loc[["full"], "deployment"].tolist() == ["D3"]
    cameras = release([CATS, REST], "Deployment").set_index("release_level")
    assert cameras.loc["generalised", "latitude"].tolist() == [37.05, 37.05]
    assert cameras.loc[["full"], "latitude"].tolist() == [38.05]
    sites = release([CATS, REST], "Site").set_index("release_level")
    assert sites.loc[["generalised"], "latitude"].tolist() == [37.05]
    assert sites.loc[["full"], "site_id"].tolist() == ["S2"]


def test_the_coarsest_of_a_place_counts():
    rows = release([CATS, FINE], "Observation")
    assert sorted(rows["latitude"].round(4)) == [36.55, 37.05, 37.05, 37.05, 38.055]


def test_what_is_withheld_coarsens_nothing():
    rows = release([{**CATS, "level": "withheld", "cell_degrees": None}, REST], "Deployment")
    assert set(rows["release_level"]) == {"full"}
    assert sorted(rows["latitude"]) == [37.0998, 37.1001, 38.05]


def test_a_row_without_a_place_is_told_where_its_camera_is_if_that_may_be_told():
    rows = release([{**FINE, "nouns": ["Observation"]}], "Observation")
    # No class releases sites or cameras: only rows with a place of their own bear one.
    assert rows["latitude"].notna().sum() == 3
    told = release([FINE], "Observation")
    assert told["latitude"].notna().all()
    assert told["coordinate_uncertainty_m"].notna().all()


def test_sites_that_nobody_described_are_places_too():
    seen = frame(
        "Occurrence",
        site=["den", "den", "other"],
        taxon=["Panthera uncia", "Marmota", "Marmota"],
        latitude=[37.0999, 37.1001, 37.1001],
        longitude=[73.25] * 3,
    )
    rows = release([CATS, REST], "Occurrence", Occurrence=seen, Site=pd.DataFrame())
    generalised = rows[rows["release_level"] == "generalised"]
    assert generalised["latitude"].tolist() == [37.05, 37.05]
    assert rows[rows["release_level"] == "full"]["site"].tolist() == ["other"]


def test_a_former_name_coarsens_its_place():
    """A marmot at D3 that was once called a cat keeps the camera coarse."""
    old = SEEN.iloc[[2]].assign(taxon="Panthera uncia", until=5)
    new = SEEN.assign(until=np.nan)
    new.loc[2, "version"] = 2
    rows = release([CATS, REST], "Deployment", Observation=pd.concat([old, new]))
    assert set(rows["release_level"]) == {"generalised"}


@pytest.mark.parametrize("noun", ["Event", "Sample", "Media"])
def test_events_samples_and_media_are_at_places_as_well(noun):
    link = {"Event": "site", "Sample": "site", "Media": "deployment"}[noun]
    own = {"Event": "event_id", "Sample": "sample_id", "Media": "media_id"}[noun]
    at = {"site": ["S1", "S2"], "deployment": ["D1", "D3"]}[link]
    table = frame(noun, **{own: ["a", "b"], link: at})
    if noun != "Media":
        table = table.assign(latitude=[37.1003, 39.0512], longitude=73.25)
    rows = release([CATS, REST], noun, **{noun: table})
    if noun == "Media":
        # A photograph may show a cat: the class by taxon is possible for it only where it speaks.
        assert rows["release_level"].tolist() == ["full", "generalised"]
    else:
        told = rows.set_index("release_level")["latitude"].to_dict()
        assert told == {"generalised": 37.05, "full": 39.0512}


def test_datasets_share_no_places():
    other = SEEN.assign(dataset_id="other", id=[f"o{i}" for i in range(5)])
    store = MemoryStore(
        [dataset("cats", "AA"), dataset("other", "AA")],
        [agreement([CATS, REST], datasets=["cats", "other"])],
        {"Site": SITES, "Deployment": CAMERAS, "Observation": pd.concat([SEEN, other])},
    )
    rows = Door(store, request()).release("Observation").rows
    mine = rows[rows["dataset_id"] == "other"]
    # There D1 is a name without a camera: coarse by the cat seen at it, placed by its first row.
    assert sorted(mine[mine["release_level"] == "generalised"]["latitude"]) == [36.55, 37.15, 37.15]


#: One row of each noun that lies at camera D1 of site S1, by what names it.
AT_S1 = {
    "Observation": {"deployment": ["D1"]},
    "Occurrence": {"site": ["S1"], "event": [None]},
    "Media": {"media_id": ["m"], "deployment": ["D1"]},
    "Deployment": {"deployment_id": ["D9"], "site": ["S1"]},
    "Event": {"event_id": ["e"], "site": ["S1"]},
    "Sample": {"sample_id": ["s"], "site": ["S1"]},
    "Site": {"site_id": ["S1"], "latitude": [37.0999], "longitude": [73.25]},
}


@pytest.mark.parametrize("noun", AT_S1)
def test_a_coarse_row_of_any_noun_makes_all_else_there_as_coarse(noun):
    coarse = {"name": "c", "nouns": [noun], "level": "generalised", "cell_degrees": 0.1}
    asked = "Occurrence" if noun != "Occurrence" else "Observation"
    placed = {"latitude": [37.0997], "longitude": [73.25]}
    tables = {asked: frame(asked, **AT_S1[asked], **placed), noun: frame(noun, **AT_S1[noun])}
    rows = release([coarse, REST], asked, **{"Observation": pd.DataFrame(), **tables})
    assert rows["release_level"].tolist() == ["generalised"]
    assert rows["latitude"].tolist() == [37.05]


def test_results_of_one_sample_fall_into_one_cell():
    """A sample nobody described still is one place: the edge at 37.1 must not part its results."""
    seen = frame(
        "Observation",
        sample=["bottle", "bottle"],
        taxon=["Marmota"] * 2,
        latitude=[37.0999, 37.1001],
        longitude=[73.25] * 2,
    )
    tables = {"Site": pd.DataFrame(), "Deployment": pd.DataFrame(), "Observation": seen}
    rows = release([{**FINE, "cell_degrees": 0.1}], "Observation", **tables)
    assert rows["latitude"].tolist() == [37.05, 37.05]


def test_the_uncertainty_of_a_site_counts_for_what_lies_there():
    """The site is 2 km from the park and known to 5 km only: what lies at it may be in the park."""
    ring = [[73.0, 37.12], [74.0, 37.12], [74.0, 38.0], [73.0, 38.0], [73.0, 37.12]]
    park = {"type": "Polygon", "coordinates": [ring]}
    closed = {"name": "park", "zones": ["park"], "level": "withheld"}
    coarse = {**CATS, "level": "generalised", "cell_degrees": 0.01}
    tables = {"Observation": frame("Observation", site=["S1"], taxon=["Marmota"])}

    def told(doubt_m):
        sites = SITES.assign(coordinate_uncertainty_m=[doubt_m, None])
        known = {"Site": sites, "Deployment": CAMERAS, **tables}
        spoken = agreement([closed, coarse, REST], zones={"park": park})
        store = MemoryStore([dataset("cats", "AA")], [spoken], known)
        return len(Door(store, request()).release("Observation").rows)

    assert told(100.0) == 1
    assert told(5000.0) == 0


def test_a_camera_without_a_name_is_no_place_in_common():
    camera = {"dataset_id": "cats", "deployment_id": None, "site": "S9", "latitude": 1.0}

    def read(noun, datasets, columns):
        assert set(columns) - set(attributes(noun)) == {"dataset_id"}
        rows = [camera] if noun == "Deployment" else []
        return iter([pd.DataFrame(rows, columns=columns)])

    assert gather(read, ["cats"]).groups == {}


def test_cameras_of_a_site_that_nobody_described_lie_at_one_place():
    cameras = CAMERAS.assign(site=["S9", "S9", None])
    rows = release([CATS, REST], "Observation", Deployment=cameras, Site=pd.DataFrame())
    # The cat passed D1; D2 stands at the same site, and its marmot is told no finer.
    assert (rows["release_level"] == "generalised").sum() == 4


def test_half_a_place_is_none():
    """A site with a latitude alone takes its place from what stands at it."""
    sites = SITES.assign(longitude=[None, 73.25])
    rows = release([{**REST, "level": "generalised", "cell_degrees": 0.1}], "Site", Site=sites)
    assert sorted(rows["longitude"].dropna()) == [73.25, 73.25]


def test_of_two_anchors_of_a_row_the_wider_counts():
    at = Anchors(groups={("cats", "Site", "S1"): 0, ("cats", "Event", "e"): 1})
    rows = pd.DataFrame({"dataset_id": "cats", "site": ["S1", None], "event": ["e", "e"]})
    assert at.of(rows.assign(deployment=None), "Occurrence").tolist() == [0, 1]
