"""Parties, people, projects, datasets and agreements: small documents, versioned."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from ecotone.model.errors import StoreError
from ecotone.model.records import Dataset, Noun, Party, Person, Project
from ecotone.model.words import say
from ecotone.store import ledger
from ecotone.store.schema import DOCUMENT, LEDGER

_KEYS: Final[dict[type[Noun], tuple[str, str]]] = {
    Party: ("party", "party_id"),
    Person: ("person", "person_id"),
    Project: ("project", "project_id"),
    Dataset: ("dataset", "dataset_id"),
}


def put(
    connection: sa.Connection, thing: Noun, person: str, reason: str | None
) -> ledger.Entry | None:
    """Add a new version of a document; None where it says what is already known."""
    kind, key = _KEYS[type(thing)]
    content = ledger.canonical(thing.model_dump(mode="json"))
    return put_content(connection, kind, getattr(thing, key), content, None, person, reason)


def put_agreement(
    connection: sa.Connection, document: dict[str, Any], text: str, person: str
) -> ledger.Entry | None:
    """Add a new version of an agreement; an older one never replaces a newer."""
    name, version = str(document["agreement_id"]), int(document.get("version", 1))
    for known in current(connection, "agreement"):
        if known["agreement_id"] == name and int(known.get("version", 1)) > version:
            raise StoreError(
                say("store.agreement-older", agreement=name, version=version,
                    known=known.get("version", 1))
            )  # fmt: skip
    content = ledger.canonical(document)
    return put_content(connection, "agreement", name, content, text, person, None)


def put_content(
    connection: sa.Connection,
    kind: str,
    key: str,
    content: str,
    original: str | None,
    person: str,
    reason: str | None,
) -> ledger.Entry | None:
    """Add a version of any document and its line in the ledger."""
    newest = connection.execute(
        sa.select(DOCUMENT.c.version, DOCUMENT.c.content, DOCUMENT.c.original)
        .where(DOCUMENT.c.kind == kind, DOCUMENT.c.key == key)
        .order_by(DOCUMENT.c.version.desc())
        .limit(1)
    ).first()
    if newest is not None and newest.content == content and newest.original == original:
        return None
    version = 1 if newest is None else newest.version + 1
    entry = ledger.append(
        connection,
        "put",
        person,
        {
            "document": kind,
            "key": key,
            "version": version,
            "sha256": ledger.sha256_text(content),
            "original": None if original is None else ledger.sha256_text(original),
            "reason": reason,
        },
    )
    connection.execute(
        DOCUMENT.insert().values(
            kind=kind,
            key=key,
            version=version,
            since=entry.seq,
            content=content,
            original=original,
        )
    )
    return entry


def current(connection: sa.Connection, kind: str, as_of: int | None = None) -> list[dict[str, Any]]:
    """The newest version of each document of a kind, by key; ``as_of`` a line of the ledger."""
    newest = sa.select(DOCUMENT.c.key, sa.func.max(DOCUMENT.c.version).label("version")).where(
        DOCUMENT.c.kind == kind
    )
    if as_of is not None:
        newest = newest.where(DOCUMENT.c.since <= as_of)
    latest = newest.group_by(DOCUMENT.c.key).subquery()
    rows = connection.execute(
        sa.select(DOCUMENT.c.content)
        .join(latest, (latest.c.key == DOCUMENT.c.key) & (latest.c.version == DOCUMENT.c.version))
        .where(DOCUMENT.c.kind == kind)
        .order_by(DOCUMENT.c.key)
    )
    return [json.loads(row.content) for row in rows]


@dataclass(frozen=True, slots=True)
class Noted:
    """One version of a document, and when the ledger noted it."""

    key: str
    version: int
    time: datetime
    content: dict[str, Any]
    original: str | None


def noted(connection: sa.Connection, kind: str) -> list[Noted]:
    """Every version of every document of a kind, by key and oldest first."""
    rows = connection.execute(
        sa.select(
            DOCUMENT.c.key,
            DOCUMENT.c.version,
            LEDGER.c.time,
            DOCUMENT.c.content,
            DOCUMENT.c.original,
        )
        .join(LEDGER, LEDGER.c.seq == DOCUMENT.c.since)
        .where(DOCUMENT.c.kind == kind)
        .order_by(DOCUMENT.c.key, DOCUMENT.c.version)
    )
    return [
        Noted(
            row.key,
            row.version,
            datetime.fromisoformat(row.time),
            json.loads(row.content),
            row.original,
        )
        for row in rows
    ]
