"""What agreements let one party see of the sensors of others, entity by entity.

A thing is decided on as a site, the observations of a datastream as observations of its property,
both by the same classes, zones and certainties as any record (see ``table``). A datastream is
seen only with its thing, and then only its own instruments, places and features. Below level full
a place is its cell, no text leaves, and of observations nothing: one by one they would say in
which order and how often something was measured.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.model.agreement import Action, Agreement
from ecotone.share.decide import Decision, Request, decide
from ecotone.share.grid import cell_centres
from ecotone.share.table import Places, Table
from ecotone.store import sensorthings_grants as kept

if TYPE_CHECKING:
    import sqlalchemy as sa

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
_METRES_PER_DEGREE: Final = 111_320.0
#: What an agreement must allow: rows leave one by one and stay where they went.
ACTION: Final[Action] = "download"


def decisions_of(
    party: str, owners: dict[str, str], cleared: set[str], agreements: Sequence[Agreement],
    closed: set[str], today: date,
) -> list[Decision]:  # fmt: skip
    """The decisions for every purpose that any agreement with a party names."""
    purposes = sorted({p for a in agreements if party in a.recipients for p in a.purposes})
    found: list[Decision] = []
    for purpose in purposes:
        request = Request(party, purpose, ACTION, today)
        for decision in decide(request, owners, agreements):
            mine = owners[decision.dataset_id] == party
            open_to_all = decision.dataset_id in cleared or decision.level in (
                "withheld",
                "metadata",
            )
            if not mine and decision not in found and open_to_all:
                found.append(decision)
    if "*" in closed:
        return []
    return [d for d in found if d.dataset_id not in closed]


def grants(connection: sa.Connection, decisions: Sequence[Decision], today: date) -> pd.DataFrame:
    """Every entity of others that may be seen, with how coarse and until when."""
    if not decisions:
        return _no_grants()
    table = Table(decisions)
    things = _things(connection)
    shared = sorted({d.dataset_id for d in decisions})
    things = things[things["dataset_id"].isin(shared)].reset_index(drop=True)
    if not len(things):
        return _no_grants()
    governing = table.assign(_named(things), "Site", _places(things))
    things = things.assign(leaves=table.leaves(governing), cell=_cells(table, governing))
    seen = things[things["leaves"]].set_index("id")
    streams = _streams(connection, table, seen, today)
    return pd.concat(
        [
            _rows("Thing", seen.index, seen["cell"] > 0),
            _rows("Datastream", streams["id"], streams["cell"] > 0, before=streams["before"]),
            _instruments(streams, "Sensor", "sensor_id", coarse=True),
            _instruments(streams, "ObservedProperty", "observed_property_id"),
            _instruments(streams, "Party", "party_id"),
            _instruments(streams, "License", "license_id"),
            _located(connection, "Location", "location", _places_of(connection, seen)),
            _located(connection, "FeatureOfInterest", "feature", _features_of(connection, streams)),
        ],
        ignore_index=True,
    )


def _no_grants() -> pd.DataFrame:
    return pd.DataFrame({"entity": [], "id": [], "coarse": [], "place": [], "before": []})


def _things(connection: sa.Connection) -> pd.DataFrame:
    """Every thing with the bounds of wherever it was or observed."""
    things = kept.frame(connection, "sta_thing", "id", "dataset_id")
    places = kept.placed(connection, "sta_location", "location")
    features = kept.placed(connection, "sta_feature", "feature")
    now = kept.frame(connection, "sta_thing_location", "thing_id", "location_id")
    history = kept.frame(connection, "sta_historical_location", "id", "thing_id")
    then = kept.frame(
        connection, "sta_historical_place", "historical_location_id", "location_id"
    ).merge(history, left_on="historical_location_id", right_on="id")
    streams = kept.frame(connection, "sta_datastream", "id", "thing_id")
    observed = kept.frame(connection, "sta_stream_feature", "datastream_id", "feature_id").merge(
        streams, left_on="datastream_id", right_on="id"
    )
    where = pd.concat(
        [
            _joined(now, "location_id", places),
            _joined(then, "location_id", places),
            _joined(observed, "feature_id", features),
        ]
    )
    west, south = (where.groupby("thing_id")[c].min() for c in ("west", "south"))
    east, north = (where.groupby("thing_id")[c].max() for c in ("east", "north"))
    unknown = where[where["west"].isna()]["thing_id"].unique()
    sides = {"west": west, "south": south, "east": east, "north": north}
    for name, side in sides.items():
        known = things["id"].map(side)
        things[name] = known.mask(things["id"].isin(unknown))
    return things


def _joined(pairs: pd.DataFrame, column: str, places: pd.DataFrame) -> pd.DataFrame:
    kept_columns = ["thing_id", "west", "south", "east", "north"]
    return pairs[["thing_id", column]].merge(places.rename(columns={"id": column}), on=column)[
        kept_columns
    ]


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(id=rows["id"].astype(str))


def _places(rows: pd.DataFrame) -> Places:
    """The middle of the bounds, and the distance to their corners."""
    sides = {c: rows[c].to_numpy(dtype=np.float64) for c in ("west", "south", "east", "north")}
    latitude = (sides["south"] + sides["north"]) / 2
    longitude = (sides["west"] + sides["east"]) / 2
    half = np.hypot(sides["north"] - sides["south"], sides["east"] - sides["west"]) / 2
    return Places(latitude, longitude, half * _METRES_PER_DEGREE)


def _cells(table: Table, governing: NDArray[np.int64]) -> Floats:
    """The cell of each row; where fields are withheld by name, the coarsest there is."""
    cells = table.cells(governing)
    withheld = [bool(d.rule.withheld_fields) for d in table.decisions]
    hidden = np.asarray([*withheld, False])[np.maximum(governing, -1)]
    return np.where(hidden & (cells == 0), 1.0, cells)


def _streams(
    connection: sa.Connection, table: Table, things: pd.DataFrame, today: date
) -> pd.DataFrame:
    """The datastreams of things that may be seen, with what may be seen of them."""
    streams = kept.frame(
        connection, "sta_datastream", "id", "dataset_id", "thing_id", "sensor_id",
        "observed_property_id", "party_id", "license_id",
    )  # fmt: skip
    streams = streams[streams["thing_id"].isin(things.index)].reset_index(drop=True)
    names = kept.frame(connection, "sta_observed_property", "id", "name").set_index("id")["name"]
    streams["property"] = streams["observed_property_id"].map(names)
    sides = things[["west", "south", "east", "north", "cell"]]
    streams = streams.join(sides, on="thing_id")
    governing = table.assign(_named(streams), "Observation", _places(streams))
    # As coarse as its place: what is measured at a coarse site is not told one by one.
    cells = np.maximum(streams["cell"].to_numpy(dtype=np.float64), _cells(table, governing))
    streams["cell"] = cells
    streams["before"] = _due(table, governing, cells, today)
    return streams[table.leaves(governing)].reset_index(drop=True)


def _due(
    table: Table, governing: NDArray[np.int64], cells: Floats, today: date
) -> NDArray[np.object_]:
    """Before which moment observations may be seen; None without an embargo."""
    due: list[int | None] = [
        None
        if not d.rule.embargo_months
        else int((pd.Timestamp(today) - pd.DateOffset(months=d.rule.embargo_months)).timestamp())
        * 1_000_000
        for d in table.decisions
    ]
    found = np.array([*due, None], dtype=object)[np.maximum(governing, -1)]
    return np.where(cells > 0, kept.NOTHING, found)


def _rows(
    entity: str, ids: pd.Index | pd.Series, coarse: Any,
    place: object = None, before: object = None,
) -> pd.DataFrame:  # fmt: skip
    numbers = np.asarray(ids, dtype=np.int64)
    told = np.asarray(coarse, dtype=np.bool_)
    made = pd.DataFrame({"id": numbers, "entity": entity, "coarse": told})
    made["place"] = pd.Series(np.asarray(place, dtype=object), index=made.index) if (
        place is not None) else None  # fmt: skip
    made["before"] = pd.Series(np.asarray(before, dtype=object), index=made.index) if (
        before is not None) else None  # fmt: skip
    return made


def _instruments(
    streams: pd.DataFrame, entity: str, column: str, *, coarse: bool = False
) -> pd.DataFrame:
    """What datastreams are linked with; told without text where a coarse one is."""
    some = streams[streams[column].notna()]
    cells = some.groupby(column)["cell"].max()
    return _rows(entity, cells.index, (cells > 0) if coarse else False & (cells > 0))


def _places_of(connection: sa.Connection, things: pd.DataFrame) -> pd.Series:
    """The locations of things, with the coarsest cell of those that are there or were."""
    now = kept.frame(connection, "sta_thing_location", "thing_id", "location_id")
    history = kept.frame(connection, "sta_historical_location", "id", "thing_id")
    then = kept.frame(
        connection, "sta_historical_place", "historical_location_id", "location_id"
    ).merge(history, left_on="historical_location_id", right_on="id")
    both = pd.concat([now, then[["thing_id", "location_id"]]])
    both = both[both["thing_id"].isin(things.index)]
    return (
        both.assign(cell=both["thing_id"].map(things["cell"])).groupby("location_id")["cell"].max()
    )


def _features_of(connection: sa.Connection, streams: pd.DataFrame) -> pd.Series:
    """The features of datastreams whose observations are seen, with the coarsest cell."""
    given = streams[streams["before"].map(lambda b: b != kept.NOTHING).astype(bool)]
    cells = given.set_index("id")["cell"]
    pairs = kept.frame(connection, "sta_stream_feature", "datastream_id", "feature_id")
    pairs = pairs[pairs["datastream_id"].isin(cells.index)]
    return pairs.assign(cell=pairs["datastream_id"].map(cells)).groupby("feature_id")["cell"].max()


def _located(connection: sa.Connection, entity: str, column: str, cells: pd.Series) -> pd.DataFrame:
    """Places as their cells' centres where they are told coarsely."""
    table = {"Location": "sta_location", "FeatureOfInterest": "sta_feature"}[entity]
    placed = kept.placed(connection, table, column)
    placed = placed[placed["id"].isin(cells.index)].reset_index(drop=True)
    cell = placed["id"].map(cells).to_numpy(dtype=np.float64)
    where = _places(placed)
    told = np.full(len(placed), None, dtype=object)
    for size in np.unique(cell[cell > 0]).tolist():
        mine = np.flatnonzero((cell == size) & ~np.isnan(where.latitude))
        centres = cell_centres(where.latitude[mine], where.longitude[mine], size)
        told[mine] = [
            json.dumps({"type": "Point", "coordinates": [x, y]}, separators=(",", ":"))
            for x, y in zip(centres.longitude.tolist(), centres.latitude.tolist(), strict=True)
        ]
    return _rows(entity, placed["id"], cell > 0, told)
