"""The first schema. Frozen: what the dictionaries said on the day it was made, not what they say.

A changed dictionary needs a step of its own; a test compares the two.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0001"
down_revision = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "text": sa.Text(),
    "id": sa.Text(),
    "json": sa.Text(),
    "integer": sa.BigInteger(),
    "number": sa.Double(),
    "boolean": sa.Boolean(),
    "time": sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql"),
    "date": sa.Text().with_variant(sa.Date(), "postgresql"),
}

#: ``name:type``, or ``name`` for text; ``!`` where a row without it cannot be.
_HEADER = """
    id! version:integer! dataset_id! project_id batch_id! source_file source_row:integer
    source_line:integer natural_key:integer content_hash:integer since:integer! until:integer
    reason person! extra:json
"""
_NOUNS = {
    "observation": """
        observation_id site sample deployment media individual event level kind taxon
        property procedure value:number unit basis limit_kind uncertainty:number
        count:integer value_text unit_text missing_reason flags:json observer depth_m:number
        remarks
        setup_kind life_stage sex behaviour position_radius_m:number
        position_angle_deg:number speed_m_s:number box_x:number box_y:number
        box_width:number box_height:number classified_at classification_probability:number
        tags latitude:number longitude:number coordinate_uncertainty_m:number
        latitude_text longitude_text datum datum_operation elevation_m:number country_code
        state_province locality time_start:time time_end:time time_text time_zone
        time_precision
    """,
    "occurrence": """
        occurrence_id event basis_of_record taxon taxon_rank kingdom family
        vernacular_name individual_count:integer sex life_stage occurrence_status
        recorded_by record_number catalog_number institution_code habitat associated_media
        remarks licence site taxon_id authorship phylum taxon_class taxon_order genus
        identified_by identified_on identification_qualifier organism quantity
        quantity_type behaviour reproductive_condition establishment_means collection_code
        dataset_name rights_holder sampling_protocol sampling_effort county municipality
        verbatim_locality elevation_max_m:number depth_min_m:number depth_max_m:number
        coordinate_precision:number source_generalizations source_withheld latitude:number
        longitude:number coordinate_uncertainty_m:number latitude_text longitude_text
        datum datum_operation elevation_m:number country_code state_province locality
        time_start:time time_end:time time_text time_zone time_precision
    """,
    "event": """
        event_id parent_event sampling_protocol sampling_effort habitat remarks site
        event_type field_number sample_size sample_size_unit field_notes licence county
        municipality verbatim_locality elevation_max_m:number depth_min_m:number
        depth_max_m:number coordinate_precision:number source_generalizations
        source_withheld latitude:number longitude:number coordinate_uncertainty_m:number
        latitude_text longitude_text datum datum_operation elevation_m:number country_code
        state_province locality time_start:time time_end:time time_text time_zone
        time_precision
    """,
    "taxon": """
        taxon_id name authorship rank status accepted_id parent_id kingdom family genus
        backbone remarks name_id accepted_name original_id phylum taxon_class taxon_order
        specific_epithet infraspecific_epithet vernacular_name nomenclatural_code
        nomenclatural_status published_in licence
    """,
    "deployment": """
        deployment_id site device model habitat set_up_by remarks camera_delay_s:integer
        camera_height_m:number camera_depth_m:number camera_tilt_deg:integer
        camera_heading_deg:integer detection_distance_m:number timestamp_issues:boolean
        bait:boolean feature_type groups tags latitude:number longitude:number
        coordinate_uncertainty_m:number latitude_text longitude_text datum datum_operation
        elevation_m:number country_code state_province locality time_start:time
        time_end:time time_text time_zone time_precision
    """,
    "media": """
        media_id deployment path media_type capture_method public:boolean
        size_bytes:integer sha256 remarks file_name exif favourite:boolean time_start:time
        time_end:time time_text time_zone time_precision
    """,
    "individual": """
        individual_id taxon sex recognised_by confidence:number remarks
    """,
    "site": """
        site_id name kind water_body zone geometry_wkt latitude:number longitude:number
        coordinate_uncertainty_m:number latitude_text longitude_text datum datum_operation
        elevation_m:number country_code state_province locality
    """,
    "sample": """
        sample_id parent site medium custody:json storage permit collected_by depth_m:number remarks
        latitude:number longitude:number coordinate_uncertainty_m:number latitude_text
        longitude_text datum datum_operation elevation_m:number country_code state_province
        locality time_start:time time_end:time time_text time_zone time_precision
    """,
    "device": """
        device_id kind model serial owner donor state
    """,
    "device_event": """
        device kind performed_by detail:json remarks time_start:time time_end:time time_text
        time_zone time_precision
    """,
    "coverage": """
        name variable unit path sha256 crs west:number south:number east:number north:number
        width:integer height:integer times:integer nodata:number stac:json time_start:time
        time_end:time time_text time_zone time_precision
    """,
    "record": """
        record_type fields:json
    """,
}


def upgrade() -> None:
    """Make every table."""
    _ledger_and_documents()
    _batches()
    _releases_and_runs()
    for name, attributes in _NOUNS.items():
        _noun(name, attributes)
    _maps()


def _noun(name: str, attributes: str) -> None:
    op.create_table(
        name,
        sa.Column("n", BIG, primary_key=True, autoincrement=False),
        *(_column(word) for word in f"{_HEADER} {attributes}".split()),
    )
    op.create_index(f"{name}_id_version", name, ["id", "version"], unique=True)
    op.create_index(
        f"{name}_natural_key",
        name,
        ["natural_key"],
        sqlite_where=sa.text("natural_key IS NOT NULL"),
        postgresql_where=sa.text("natural_key IS NOT NULL"),
    )


def _column(word: str) -> sa.Column[object]:
    name, _, kind = word.rstrip("!").partition(":")
    return sa.Column(name, _TYPES[kind or "text"], nullable=not word.endswith("!"))


def _text(name: str, *, key: bool = False, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=null and not key)


def _line(name: str = "seq", *, null: bool = False, unique: bool = False) -> sa.Column[int]:
    """A line of the ledger; written last in its transaction, so checked at its end."""
    line = sa.ForeignKey("ledger.seq", deferrable=True, initially="DEFERRED")
    return sa.Column(name, BIG, line, nullable=null, unique=unique or None)


def _ledger_and_documents() -> None:
    op.create_table(
        "ledger",
        sa.Column("seq", BIG, primary_key=True, autoincrement=False),
        *(_text(name) for name in ("time", "kind", "person", "body", "prev")),
        sa.Column("hash", sa.Text, nullable=False, unique=True),
    )
    op.create_table(
        "document",
        _text("kind", key=True),
        _text("key", key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        _line("since"),
        _text("content"),
        _text("original", null=True),
    )
    op.create_table(
        "file", _text("sha256", key=True), sa.Column("size", BIG, nullable=False), _line()
    )


def _batches() -> None:
    op.create_table(
        "batch",
        _text("batch_id", key=True),
        _line(unique=True),
        *(_text(name) for name in ("dataset_id", "sha256", "verdict", "content")),
        _text("mapping", null=True),
        _line("withdrawn", null=True),
    )
    op.create_index("ix_batch_sha256", "batch", ["sha256"])
    op.create_table(
        "span",
        _text("noun", key=True),
        sa.Column("first", BIG, primary_key=True, autoincrement=False),
        sa.Column("last", BIG, nullable=False),
        _line(),
        *(_text(name) for name in ("dataset_id", "batch_id", "filled", "sha256")),
    )
    op.create_index("ix_span_seq", "span", ["seq"])
    op.create_table(
        "finding",
        sa.Column("batch_id", sa.Text, sa.ForeignKey("batch.batch_id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        _text("content"),
    )
    op.create_table(
        "quarantine",
        sa.Column("batch_id", sa.Text, sa.ForeignKey("batch.batch_id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        _text("file"),
        sa.Column("row", BIG, nullable=False),
        sa.Column("line", BIG, nullable=False),
        _text("raw"),
        _text("finding", null=True),
    )


def _releases_and_runs() -> None:
    op.create_table(
        "release",
        _text("release_id", key=True),
        _line(),
        _text("dataset_id"),
        _text("noun"),
        _text("content"),
    )
    op.create_index("ix_release_dataset_id", "release", ["dataset_id"])
    op.create_table(
        "run",
        _text("run_id", key=True),
        _line(),
        _text("path"),
        _text("sha256", null=True),
        _text("inputs"),
    )
    op.create_table(
        "run_release",
        sa.Column("run_id", sa.Text, sa.ForeignKey("run.run_id"), primary_key=True),
        sa.Column("release_id", sa.Text, sa.ForeignKey("release.release_id"), primary_key=True),
    )


def _maps() -> None:
    """Where PostGIS is to be had: views of what holds now with points, for QGIS and the like."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql" or not _postgis(connection):
        return
    for name, attributes in _NOUNS.items():
        if "latitude:number" in attributes:
            op.execute(
                f"CREATE VIEW {name}_map AS SELECT *, ST_SetSRID(ST_MakePoint(longitude,"
                f" latitude), 4326) AS place FROM {name} WHERE until IS NULL"
            )


def _postgis(connection: sa.Connection) -> bool:
    """Whether PostGIS is installed in this database, or can be by this user."""
    found = connection.exec_driver_sql(
        "SELECT installed_version IS NOT NULL, (SELECT usesuper FROM pg_user"
        " WHERE usename = current_user) FROM pg_available_extensions WHERE name = 'postgis'"
    ).first()
    if found is None:
        return False
    installed, may = found
    if not installed and may:
        op.execute("CREATE EXTENSION postgis")
    return bool(installed or may)
