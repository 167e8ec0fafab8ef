"""The tables behind the SensorThings API: what stands now, beside what stood before.

Entities have integer numbers that are never given twice. Their rows hold what is so now; whatever
a change or a removal replaced stands whole in ``sta_history`` with the line of the ledger that
replaced it. Observations are narrow rows of two databases' plainest types: microseconds since
1970, a number or a text, and which of both the result was (``kind``).

``sta_stream`` keeps for each datastream what would otherwise be counted by reading all of it.
``sta_grant`` is what one reader may see of what is not its own, made by the door (see
``share.sensorthings``) and joined to every query.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

#: How a result was written; the number or the text of the row holds it.
NUMBER: Final = 0
INTEGER: Final = 1
TEXT: Final = 2
BOOLEAN: Final = 3
JSON: Final = 4

#: Columns beside ``id`` and ``dataset_id``; ``!`` where a row without it cannot be.
ENTITY_COLUMNS: Final[dict[str, str]] = {
    "sta_thing": "name! description! properties party_id:n",
    "sta_location": "name! description! encoding_type! location! properties feature_id:n",
    "sta_historical_location": "time:n! time_form:n thing_id:n!",
    "sta_sensor": "name! description! encoding_type! metadata! properties",
    "sta_observed_property": "name! definition! description! properties",
    "sta_feature": "name! description! encoding_type! feature! properties",
    "sta_datastream": "name! description! observation_type! unit_of_measurement! observed_area"
    " properties thing_id:n! sensor_id:n! observed_property_id:n! party_id:n license_id:n",
    "sta_party": "display_name! description role! auth_id",
    "sta_license": "name! definition! description logo attribution_text",
}
#: What is looked up by something other than its number.
INDEXES: Final[dict[str, tuple[str, ...]]] = {
    "sta_thing": ("party_id",),
    "sta_location": ("feature_id",),
    "sta_historical_location": ("thing_id",),
    "sta_datastream": (
        "thing_id",
        "sensor_id",
        "observed_property_id",
        "party_id",
        "license_id",
    ),
}
#: Tables that join two entities, with the column that is also looked up alone.
PAIRS: Final[dict[str, tuple[str, str]]] = {
    "sta_thing_location": ("thing_id", "location_id"),
    "sta_historical_place": ("historical_location_id", "location_id"),
    "sta_stream_feature": ("datastream_id", "feature_id"),
}
OBSERVATION_COLUMNS: Final = (
    "datastream_id:n! time:n! until:n result:d kind:s! text feature_id:n! result_time:n"
    " valid_from:n valid_until:n result_quality parameters form:s result_form:s"
)


@dataclass(frozen=True)
class Tables:
    """The tables by what they hold."""

    entities: dict[str, sa.Table]
    pairs: dict[str, sa.Table]
    observation: sa.Table
    stream: sa.Table
    history: sa.Table
    counter: sa.Table
    grant: sa.Table


def tables(metadata: sa.MetaData, big: sa.types.TypeEngine[Any]) -> Tables:
    """Describe them in ``metadata``; ``big`` is the type of whole numbers of any size."""

    def number(name: str, *, required: bool = False, key: bool = False) -> sa.Column[Any]:
        return sa.Column(
            name, big, nullable=not (required or key), primary_key=key, autoincrement=False
        )

    entities = {
        name: sa.Table(
            name,
            metadata,
            number("id", key=True),
            sa.Column("dataset_id", sa.Text, nullable=False),
            *columns(said, big),
            *(sa.Index(f"ix_{name}_{c}", c) for c in INDEXES.get(name, ())),
        )
        for name, said in ENTITY_COLUMNS.items()
    }
    pairs = {
        name: sa.Table(
            name,
            metadata,
            number(first, key=True),
            number(second, key=True),
            sa.Index(f"ix_{name}_{second}", second),
        )
        for name, (first, second) in PAIRS.items()
    }
    return Tables(
        entities=entities,
        pairs=pairs,
        observation=sa.Table(
            "sta_observation",
            metadata,
            number("id", key=True),
            *columns(OBSERVATION_COLUMNS, big),
            sa.Index("ix_sta_observation_stream", "datastream_id", "time", "id"),
            # The newest of all datastreams, which every dashboard asks for.
            sa.Index("ix_sta_observation_time", "time", "id"),
        ),
        stream=sa.Table(
            "sta_stream",
            metadata,
            number("datastream_id", key=True),
            number("n", required=True),
            *(number(name) for name in ("first", "last", "result_first", "result_last")),
        ),
        history=sa.Table(
            "sta_history",
            metadata,
            sa.Column("entity", sa.Text, primary_key=True),
            number("id", key=True),
            number("seq", key=True),
            sa.Column("gone", sa.Boolean, nullable=False),
            sa.Column("body", sa.Text, nullable=False),
        ),
        counter=sa.Table(
            "sta_counter",
            metadata,
            sa.Column("name", sa.Text, primary_key=True),
            number("value", required=True),
        ),
        grant=sa.Table(
            "sta_grant",
            metadata,
            sa.Column("reader", sa.Text, primary_key=True),
            sa.Column("entity", sa.Text, primary_key=True),
            number("id", key=True),
            sa.Column("coarse", sa.Boolean, nullable=False),
            sa.Column("place", sa.Text),
            number("before"),
        ),
    )


def columns(said: str, big: sa.types.TypeEngine[Any]) -> list[sa.Column[Any]]:
    """``name`` for text, ``name:n`` a whole number, ``:d`` a number, ``:s`` a small one."""
    kinds: dict[str, sa.types.TypeEngine[Any]] = {
        "": sa.Text(),
        "n": big,
        "d": sa.Double(),
        "s": sa.SmallInteger(),
    }
    found = []
    for word in said.split():
        name, _, kind = word.rstrip("!").partition(":")
        found.append(sa.Column(name, kinds[kind], nullable=not word.endswith("!")))
    return found
