"""The tables. Those of the nouns are generated from the data dictionaries.

Every table of a noun has the same header: which record (``id``), which ``version`` of it, whose
(``dataset_id``, ``project_id``), from where (``batch_id``, ``source_file``, ``source_row``,
``source_line``), what it is recognised by when it is delivered again (``natural_key``,
``content_hash``), and from which to which line of the ledger it held (``since``, ``until``).
A row is written once; the only thing that ever changes is that ``until`` is filled in.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TIMESTAMP

from ecotone.model.dictionary import RECORD_NOUNS, dictionary
from ecotone.store import sensorthings_tables

#: The newest schema this version of Ecotone knows: the name of the last migration.
HEAD: Final = "0003"

BIG: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
#: An instant: whole microseconds since 1970 UTC in SQLite, timestamptz in PostgreSQL.
INSTANT: Final = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")
#: A day: ISO 8601 text in SQLite, date in PostgreSQL.
DAY: Final = sa.Text().with_variant(sa.Date(), "postgresql")

_TYPES: Final[dict[str, sa.types.TypeEngine[Any]]] = {
    "text": sa.Text(),
    "id": sa.Text(),
    "json": sa.Text(),
    "integer": sa.BigInteger(),
    "number": sa.Double(),
    "boolean": sa.Boolean(),
    "time": INSTANT,
    "date": DAY,
}

#: Header columns and their dictionary types, in order.
HEADER: Final[dict[str, str]] = {
    "id": "id",
    "version": "integer",
    "dataset_id": "text",
    "project_id": "text",
    "batch_id": "text",
    "source_file": "text",
    "source_row": "integer",
    "source_line": "integer",
    "natural_key": "integer",
    "content_hash": "integer",
    "since": "integer",
    "until": "integer",
    "reason": "text",
    "person": "text",
    "extra": "json",
}
_REQUIRED: Final = ("id", "version", "dataset_id", "batch_id", "since", "person")

metadata: Final = sa.MetaData()


def types_of(noun: str) -> dict[str, str]:
    """``{column: dictionary type}`` of a noun's table: the header, then the attributes."""
    own = {a.name: "text" if a.choices else a.type for a in dictionary(noun)}
    return HEADER | own


def table_name(noun: str) -> str:
    """``DeviceEvent`` -> ``device_event``."""
    return "".join("_" + c.lower() if c.isupper() else c for c in noun).lstrip("_")


def _record_table(noun: str) -> sa.Table:
    name = table_name(noun)
    columns = [
        sa.Column(column, _TYPES[kind], nullable=column not in _REQUIRED)
        for column, kind in types_of(noun).items()
    ]
    return sa.Table(
        name,
        metadata,
        sa.Column("n", BIG, primary_key=True, autoincrement=False),
        *columns,
        sa.Index(f"{name}_id_version", "id", "version", unique=True),
        sa.Index(
            f"{name}_natural_key",
            "natural_key",
            sqlite_where=sa.text("natural_key IS NOT NULL"),
            postgresql_where=sa.text("natural_key IS NOT NULL"),
        ),
    )


#: noun -> table
RECORDS: Final[dict[str, sa.Table]] = {noun: _record_table(noun) for noun in RECORD_NOUNS}

LEDGER: Final = sa.Table(
    "ledger",
    metadata,
    sa.Column("seq", BIG, primary_key=True, autoincrement=False),
    sa.Column("time", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("prev", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False, unique=True),
)


def _line() -> sa.ForeignKey:
    """A line of the ledger; written last in its transaction, so checked at its end."""
    return sa.ForeignKey("ledger.seq", deferrable=True, initially="DEFERRED")


DOCUMENT: Final = sa.Table(
    "document",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("since", BIG, _line(), nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("original", sa.Text),
)

BATCH: Final = sa.Table(
    "batch",
    metadata,
    sa.Column("batch_id", sa.Text, primary_key=True),
    sa.Column("seq", BIG, _line(), nullable=False, unique=True),
    sa.Column("dataset_id", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False, index=True),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("mapping", sa.Text),
    sa.Column("withdrawn", BIG, _line()),
)

#: Rows written together: consecutive ``n`` of one noun, with the digest of what was written.
SPAN: Final = sa.Table(
    "span",
    metadata,
    sa.Column("noun", sa.Text, primary_key=True),
    sa.Column("first", BIG, primary_key=True, autoincrement=False),
    sa.Column("last", BIG, nullable=False),
    sa.Column("seq", BIG, _line(), nullable=False, index=True),
    sa.Column("dataset_id", sa.Text, nullable=False),
    sa.Column("batch_id", sa.Text, nullable=False),
    sa.Column("filled", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
)

FINDING: Final = sa.Table(
    "finding",
    metadata,
    sa.Column("batch_id", sa.Text, sa.ForeignKey("batch.batch_id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("content", sa.Text, nullable=False),
)

QUARANTINE: Final = sa.Table(
    "quarantine",
    metadata,
    sa.Column("batch_id", sa.Text, sa.ForeignKey("batch.batch_id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("row", BIG, nullable=False),
    sa.Column("line", BIG, nullable=False),
    sa.Column("raw", sa.Text, nullable=False),
    sa.Column("finding", sa.Text),
)

FILE: Final = sa.Table(
    "file",
    metadata,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("size", BIG, nullable=False),
    sa.Column("seq", BIG, _line(), nullable=False),
)

RELEASE: Final = sa.Table(
    "release",
    metadata,
    sa.Column("release_id", sa.Text, primary_key=True),
    sa.Column("seq", BIG, _line(), nullable=False),
    sa.Column("dataset_id", sa.Text, nullable=False, index=True),
    sa.Column("noun", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
)

RUN: Final = sa.Table(
    "run",
    metadata,
    sa.Column("run_id", sa.Text, primary_key=True),
    sa.Column("seq", BIG, _line(), nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text),
    sa.Column("inputs", sa.Text, nullable=False),
)

RUN_RELEASE: Final = sa.Table(
    "run_release",
    metadata,
    sa.Column("run_id", sa.Text, sa.ForeignKey("run.run_id"), primary_key=True),
    sa.Column("release_id", sa.Text, sa.ForeignKey("release.release_id"), primary_key=True),
)

#: What the SensorThings API stands on.
STA: Final = sensorthings_tables.tables(metadata, BIG)
