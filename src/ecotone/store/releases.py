"""What left through the door, and the runs that stood on it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from ecotone.model.errors import UsageError
from ecotone.model.words import say
from ecotone.store import ledger
from ecotone.store.schema import LEDGER, RELEASE, RUN, RUN_RELEASE


def record(
    connection: sa.Connection, release_id: str, person: str, said: Mapping[str, Any]
) -> ledger.Entry:
    """Note one release; its line in the ledger says the same."""
    entry = ledger.append(connection, "release", person, {"release_id": release_id, **said})
    connection.execute(
        RELEASE.insert().values(
            release_id=release_id,
            seq=entry.seq,
            dataset_id=said["dataset_id"],
            noun=said["noun"],
            content=ledger.canonical(said),
        )
    )
    return entry


def record_run(
    connection: sa.Connection,
    run_id: str,
    path: str,
    sha256: str | None,
    releases: Sequence[str],
    inputs: object,
    person: str,
) -> ledger.Entry:
    """Note a run, what it was given, and through which releases."""
    ids = sorted(set(releases))
    known = set(
        connection.execute(
            sa.select(RELEASE.c.release_id).where(RELEASE.c.release_id.in_(ids))
        ).scalars()
    )
    unknown = [name for name in ids if name not in known]
    if unknown:
        raise UsageError(say("store.release-unknown", release=", ".join(unknown)))
    if connection.execute(sa.select(RUN.c.run_id).where(RUN.c.run_id == run_id)).first():
        raise UsageError(say("store.run-known", run=run_id))
    body = {"run_id": run_id, "path": path, "sha256": sha256, "releases": ids, "inputs": inputs}
    entry = ledger.append(connection, "run", person, body)
    connection.execute(
        RUN.insert().values(
            run_id=run_id,
            seq=entry.seq,
            path=path,
            sha256=sha256,
            inputs=ledger.canonical(inputs),
        )
    )
    if ids:
        connection.execute(
            RUN_RELEASE.insert(), [{"run_id": run_id, "release_id": name} for name in ids]
        )
    return entry


def runs(connection: sa.Connection) -> list[dict[str, Any]]:
    """Every run, oldest first."""
    of_run: dict[str, list[str]] = {}
    for row in connection.execute(sa.select(RUN_RELEASE).order_by(RUN_RELEASE.c.release_id)):
        of_run.setdefault(row.run_id, []).append(row.release_id)
    rows = connection.execute(
        sa.select(RUN, LEDGER.c.time).join(LEDGER, LEDGER.c.seq == RUN.c.seq).order_by(RUN.c.seq)
    )
    return [
        {
            "run_id": row.run_id,
            "time": row.time,
            "path": row.path,
            "sha256": row.sha256,
            "releases": of_run.get(row.run_id, []),
            "inputs": json.loads(row.inputs),
        }
        for row in rows
    ]


def readers_of(
    connection: sa.Connection, dataset_id: str, nouns: Sequence[str], since: int, until: int
) -> list[str]:
    """The parties to whom rows of a dataset were released between two lines of the ledger.

    As with :func:`runs_on`, each may have been given the row in question.
    """
    found = connection.execute(
        sa.select(RELEASE.c.content)
        .where(RELEASE.c.dataset_id == dataset_id, RELEASE.c.noun.in_(list(nouns)))
        .where(RELEASE.c.seq > since, RELEASE.c.seq < until)
    ).scalars()
    return sorted({str(json.loads(text)["reader"]) for text in found})


def runs_on(
    connection: sa.Connection, dataset_id: str, nouns: Sequence[str], since: int, until: int | None
) -> list[str]:
    """The runs that were given rows of a dataset between two lines of the ledger.

    A release names its dataset and noun, not its rows: every run listed may stand on the row in
    question, and none that does is left out.
    """
    statement = (
        sa.select(RUN.c.run_id)
        .join(RUN_RELEASE, RUN_RELEASE.c.run_id == RUN.c.run_id)
        .join(RELEASE, RELEASE.c.release_id == RUN_RELEASE.c.release_id)
        .where(RELEASE.c.dataset_id == dataset_id, RELEASE.c.noun.in_(list(nouns)))
        .where(RELEASE.c.seq > since)
        .order_by(RUN.c.seq)
    )
    if until is not None:
        statement = statement.where(RELEASE.c.seq < until)
    return list(dict.fromkeys(connection.execute(statement).scalars()))
