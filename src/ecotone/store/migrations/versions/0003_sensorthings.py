"""The tables behind the SensorThings API. Frozen, as all steps are."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KINDS: dict[str, sa.types.TypeEngine[Any]] = {
    "": sa.Text(),
    "n": BIG,
    "d": sa.Double(),
    "s": sa.SmallInteger(),
    "b": sa.Boolean(),
}

#: ``name:kind``, ``!`` where a row without it cannot be, ``*`` what rows are known by.
_TABLES = {
    "sta_thing": "id:n* dataset_id! name! description! properties party_id:n",
    "sta_location": "id:n* dataset_id! name! description! encoding_type! location! properties"
    " feature_id:n",
    "sta_historical_location": "id:n* dataset_id! time:n! time_form:n thing_id:n!",
    "sta_sensor": "id:n* dataset_id! name! description! encoding_type! metadata! properties",
    "sta_observed_property": "id:n* dataset_id! name! definition! description! properties",
    "sta_feature": "id:n* dataset_id! name! description! encoding_type! feature! properties",
    "sta_datastream": "id:n* dataset_id! name! description! observation_type!"
    " unit_of_measurement! observed_area properties thing_id:n! sensor_id:n!"
    " observed_property_id:n! party_id:n license_id:n",
    "sta_party": "id:n* dataset_id! display_name! description role! auth_id",
    "sta_license": "id:n* dataset_id! name! definition! description logo attribution_text",
    "sta_thing_location": "thing_id:n* location_id:n*",
    "sta_historical_place": "historical_location_id:n* location_id:n*",
    "sta_stream_feature": "datastream_id:n* feature_id:n*",
    "sta_observation": "id:n* datastream_id:n! time:n! until:n result:d kind:s! text"
    " feature_id:n! result_time:n valid_from:n valid_until:n result_quality parameters form:s"
    " result_form:s",
    "sta_stream": "datastream_id:n* n:n! first:n last:n result_first:n result_last:n",
    "sta_history": "entity* id:n* seq:n* gone:b! body!",
    "sta_counter": "name* value:n!",
    "sta_grant": "reader* entity* id:n* coarse:b! place before:n",
}
_INDEXES = {
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
    "sta_thing_location": ("location_id",),
    "sta_historical_place": ("location_id",),
    "sta_stream_feature": ("feature_id",),
}


def upgrade() -> None:
    """Make the tables."""
    for table, said in _TABLES.items():
        op.create_table(table, *(_column(word) for word in said.split()))
        for name in _INDEXES.get(table, ()):
            op.create_index(f"ix_{table}_{name}", table, [name])
    op.create_index("ix_sta_observation_stream", "sta_observation", ["datastream_id", "time", "id"])
    op.create_index("ix_sta_observation_time", "sta_observation", ["time", "id"])


def _column(word: str) -> sa.Column[Any]:
    name, _, kind = word.rstrip("!*").partition(":")
    key = word.endswith("*")
    return sa.Column(
        name,
        _KINDS[kind],
        nullable=not word.endswith(("!", "*")),
        primary_key=key,
        autoincrement=False,
    )
