from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ecotone.model.agreement import Agreement
from ecotone.model.errors import InputRefused
from ecotone.share.agreements import parse
from ecotone.share.decide import decide
from ecotone.share.table import NOT_NAMED, UNCLEAR, Places, Table
from ecotone.share.zones import Zone, cells_around, inside, read_zone
from tests.unit.share.fixtures import agreement, decided, request

#: A park from 37 to 38 N, 73 to 74 E.
PARK = {
    "type": "Polygon",
    "coordinates": [[[73.0, 37.0], [74.0, 37.0], [74.0, 38.0], [73.0, 38.0], [73.0, 37.0]]],
}
BOWTIE = {
    "type": "Polygon",
    "coordinates": [[[73, 37], [74, 38], [74, 37], [73, 38], [73, 37]]],
}


def at(latitude, longitude, radius=np.nan):
    return Places(np.array([latitude]), np.array([longitude]), np.array([radius]))


def found(classes, places, noun="Occurrence", zones=None):
    table = Table(decided(classes, zones=zones or {"park": PARK}))
    frame = pd.DataFrame({"id": ["r"], "dataset_id": ["cats"], "taxon": ["x"]})
    code = int(table.assign(frame, noun, places)[0])
    return table.decisions[code].name if code >= 0 else code


CLOSED = {"name": "park", "zones": ["park"], "level": "withheld"}
OPENED = {"name": "park", "zones": ["park"], "level": "full"}
TENTH = {"name": "rest", "level": "generalised", "cell_degrees": 0.1}
REST = {"name": "rest", "level": "full"}


def test_a_place_inside_outside_and_unknown():
    assert found([CLOSED, REST], at(37.5, 73.5)) == "park"
    assert found([CLOSED, REST], at(38.5, 73.5)) == "rest"
    assert found([CLOSED, REST], at(np.nan, np.nan)) == "park"
    assert found([OPENED], at(37.5, 73.5)) == "park"
    assert found([OPENED], at(np.nan, np.nan)) == UNCLEAR
    assert found([OPENED], at(38.5, 73.5)) == NOT_NAMED


def test_the_cell_is_judged_and_never_the_point():
    # 38.04 lies outside, but its cell of 0.1 degree begins at the park's edge: it touches.
    for latitude in (38.001, 38.04, 38.099):
        assert found([CLOSED, TENTH], at(latitude, 73.55)) == "park"
        assert found([OPENED, TENTH], at(latitude, 73.55)) == "rest"
    assert found([CLOSED, TENTH], at(38.101, 73.55)) == "rest"
    # Told in full, the points themselves are judged.
    assert found([CLOSED, REST], at(38.001, 73.55)) == "rest"


def test_the_records_own_uncertainty_counts():
    assert found([CLOSED, REST], at(38.02, 73.5, 100.0)) == "rest"
    assert found([CLOSED, REST], at(38.02, 73.5, 3000.0)) == "park"
    assert found([CLOSED, REST], at(37.5, 74.02, 2000.0)) == "park"
    assert found([CLOSED, REST], at(37.5, 74.02, 1000.0)) == "rest"
    assert found([OPENED], at(37.99, 73.5, 3000.0)) == UNCLEAR


def test_what_lies_nowhere_is_not_asked_and_a_photograph_may_lie_anywhere():
    assert found([CLOSED, REST], at(np.nan, np.nan), "Taxon") == "rest"
    assert found([CLOSED, REST], at(np.nan, np.nan), "Device") == "rest"
    assert found([CLOSED, REST], at(np.nan, np.nan), "AnalysisBatch") == "rest"
    assert found([CLOSED, REST], at(np.nan, np.nan), "Media") == "park"


def test_a_polygon_that_is_none_closes_and_never_opens():
    short = {"type": "Polygon", "coordinates": [[[73, 37], [74, 38]]]}
    words = {"type": "Polygon", "coordinates": "here"}
    for shape in (
        BOWTIE,
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon"},
        short,
        words,
    ):
        zone = read_zone("park", shape)
        assert zone.shape is None
        assert found([CLOSED, REST], at(10.0, 10.0), zones={"park": shape}) == "park"
        assert found([OPENED], at(37.5, 73.5), zones={"park": shape}) == UNCLEAR


def test_two_zones_of_a_class_are_one_or_the_other():
    east = {"type": "Polygon", "coordinates": [[[80, 37], [81, 37], [81, 38], [80, 38], [80, 37]]]}
    both = [{**CLOSED, "zones": ["park", "east"]}, REST]
    zones = {"park": PARK, "east": east}
    assert found(both, at(37.5, 80.5), zones=zones) == "park"
    assert found(both, at(37.5, 73.5), zones=zones) == "park"
    assert found(both, at(37.5, 77.0), zones=zones) == "rest"


def test_bounds_of_cells():
    bounds = cells_around(np.array([37.04]), np.array([180.0]), np.array([np.nan]), 0.1)
    np.testing.assert_allclose(bounds, [[-180.0, 37.0, -179.9, 37.1]])
    point = cells_around(np.array([0.0]), np.array([10.0]), np.array([110_500.0]), 0.0)
    # One degree of latitude up and down; as wide as a degree is at the far edge of that.
    wide = 1 / np.cos(np.radians(1.0))
    np.testing.assert_allclose(point, [[10 - wide, -1.0, 10 + wide, 1.0]])
    # As wide as at the end nearest to the pole, and never wider than there is a width.
    north = cells_around(np.array([-60.0]), np.array([10.0]), np.array([110_500.0]), 0.0)
    assert north[0, 2] - 10 == pytest.approx(1 / np.cos(np.radians(61.0)))
    pole = cells_around(np.array([89.5]), np.array([10.0]), np.array([110_500.0]), 0.0)
    assert pole[0, 2] - 10 == pytest.approx(1 / np.cos(np.radians(89.9)))
    certain, possible = inside(Zone("x", None), point)
    assert not certain.any() and possible.all()


@pytest.mark.parametrize(
    "change",
    [
        {"zones": {}},
        {"zones": {"park": {"type": "Point", "coordinates": [1, 2]}}},
    ],
)
def test_an_agreement_draws_the_zones_its_classes_name(change):
    document = agreement([{"name": "all", "level": "full"}])
    document["classes"] = [CLOSED]
    document["zones"] = {"park": PARK}
    assert parse(document, "x").zones["park"]["type"] == "Polygon"
    with pytest.raises(InputRefused):
        parse({**document, **change}, "x")
    assert isinstance(Agreement.model_validate(document), Agreement)


def test_the_cell_of_another_dataset_does_not_count():
    spoken = [
        Agreement.model_validate(agreement([CLOSED, REST], zones={"park": PARK})),
        Agreement.model_validate(
            agreement([{**TENTH, "cell_degrees": 1.0}], agreement_id="AG-2", datasets=["other"])
        ),
    ]
    table = Table(decide(request(), {"cats": "AA", "other": "AA"}, spoken))
    frame = pd.DataFrame({"id": ["r"], "dataset_id": ["cats"], "taxon": ["x"]})
    code = int(table.assign(frame, "Occurrence", at(38.001, 73.55))[0])
    assert table.decisions[code].name == "rest"
