"""Laboratory and network: custody, batches, controls, flags, alarm rules; more of four nouns.

Frozen like the first step: what the dictionaries said on the day it was made.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0002"
down_revision = "0001"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TYPES: Final[dict[str, sa.types.TypeEngine[Any]]] = {
    "text": sa.Text(),
    "json": sa.Text(),
    "integer": sa.BigInteger(),
    "number": sa.Double(),
    "boolean": sa.Boolean(),
    "time": sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql"),
}
#: ``name:type``, or ``name`` for text; ``!`` where a row without it cannot be.
_HEADER: Final = """
    id! version:integer! dataset_id! project_id batch_id! source_file source_row:integer
    source_line:integer natural_key:integer content_hash:integer since:integer! until:integer
    reason person! extra:json
"""
_TIME: Final = "time_start:time time_end:time time_text time_zone time_precision"
_NEW: Final = {
    "custody_event": f"""
        sample kind by handed_to place temperature_c:number seal seal_state preservation
        signed:boolean remarks {_TIME}
    """,
    "analysis_batch": f"""
        analysis_id laboratory procedure accreditation device analyst medium remarks {_TIME}
    """,
    "quality_control": f"""
        control_id analysis kind sample property fraction procedure value:number unit basis
        limit_kind expected:number expected_uncertainty:number lowest:number highest:number
        certificate reporting_limit:number value_text unit_text missing_reason remarks {_TIME}
    """,
    "quality_flag": f"""
        flag_id record sample analysis device property flag rule rule_version why by replaces
        {_TIME}
    """,
    "alarm_rule": """
        rule_id site property kind raise_at:number clear_at:number unit basis
        persistence_min:number acknowledge_min:number on_censored:boolean notify remarks
    """,
}
_MORE: Final = {
    "observation": "analysis analysed_at fraction detection_limit:number reporting_limit:number",
    "sample": "kind composite_of container preservation",
    "device": """
        donation_agreement received_on custodian location spare_parts next_service certificate
    """,
    "device_event": """
        site property unit standard_value:number reading_before:number reading_after:number
        standard certificate certificate_until parts rule
    """,
}


def upgrade() -> None:
    """Make the new tables, widen the old."""
    for name, attributes in _NEW.items():
        op.create_table(
            name,
            sa.Column("n", BIG, primary_key=True, autoincrement=False),
            *(_column(told) for told in (*_HEADER.split(), *attributes.split())),
        )
        op.create_index(f"{name}_id_version", name, ["id", "version"], unique=True)
        keyed = sa.text("natural_key IS NOT NULL")
        op.create_index(
            f"{name}_natural_key", name, ["natural_key"], sqlite_where=keyed,
            postgresql_where=keyed,
        )  # fmt: skip
    for name, attributes in _MORE.items():
        for told in attributes.split():
            op.add_column(name, _column(told))
        _widen_map(name)


def _column(told: str) -> sa.Column[Any]:
    name, _, kind = told.rstrip("!").partition(":")
    return sa.Column(name, _TYPES[kind or "text"], nullable=not told.endswith("!"))


def _widen_map(name: str) -> None:
    """A view knows the columns of the day it was made."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    if f"{name}_map" in sa.inspect(connection).get_view_names():
        op.execute(f"DROP VIEW {name}_map")
        op.execute(
            f"CREATE VIEW {name}_map AS SELECT *, ST_SetSRID(ST_MakePoint(longitude,"
            f" latitude), 4326) AS place FROM {name} WHERE until IS NULL"
        )
