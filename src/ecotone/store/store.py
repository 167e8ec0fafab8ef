"""The Store: the one object through which a node's truth is read and written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import pandas as pd
import sqlalchemy as sa

from ecotone.model.errors import InputRefused, UsageError
from ecotone.model.finding import Finding
from ecotone.model.identifiers import mint
from ecotone.model.records import Batch, Dataset, Noun, Party, Person, Project
from ecotone.model.words import Sentences, say
from ecotone.store import (
    anchors,
    audit,
    catalogue,
    documents,
    files,
    ledger,
    names,
    received,
    releases,
    rows,
    versions,
)
from ecotone.store.batches import BatchWriter, Origin, finding_of, remember_file
from ecotone.store.database import Database
from ecotone.store.schema import BATCH, FINDING, LEDGER, QUARANTINE


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A rejected row, as it was."""

    file: str
    row: int
    line: int
    raw: str
    finding: Finding | None

    def __iter__(self) -> Iterator[Any]:
        """So that it can be taken apart: ``file, row, line, raw, finding``."""
        return iter((self.file, self.row, self.line, self.raw, self.finding))


class Store:
    """An open node. Everything it writes goes through one transaction and one ledger line."""

    def __init__(self, folder: Path, party_id: str, database: Database) -> None:
        self.folder = folder
        self.party_id = party_id
        self.database = database

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # Who and what

    def parties(self) -> list[Party]:
        """The parties this node knows."""
        return [Party.model_validate(d) for d in self._documents("party")]

    def people(self) -> list[Person]:
        """The people this node knows."""
        return [Person.model_validate(d) for d in self._documents("person")]

    def projects(self) -> list[Project]:
        """The projects, campaigns and expeditions."""
        return [Project.model_validate(d) for d in self._documents("project")]

    def datasets(self) -> list[Dataset]:
        """The datasets, of all parties."""
        return [Dataset.model_validate(d) for d in self._documents("dataset")]

    def agreements(self) -> list[dict[str, Any]]:
        """The newest version of each agreement, as data."""
        return self._documents("agreement")

    def put_party(self, party: Party, *, person: str, reason: str | None = None) -> None:
        """Add a party or a new version of one."""
        self._put(party, person, reason)

    def put_person(self, who: Person, *, person: str, reason: str | None = None) -> None:
        """Add a person or a new version of one; the party must be known."""
        self._must_know("party", who.party_id)
        self._put(who, person, reason)

    def put_project(self, project: Project, *, person: str, reason: str | None = None) -> None:
        """Add a project or a new version of one; the party must be known."""
        self._must_know("party", project.party_id)
        self._put(project, person, reason)

    def put_dataset(self, dataset: Dataset, *, person: str, reason: str | None = None) -> None:
        """Add a dataset or a new version of one; its party and project must be known."""
        self._must_know("party", dataset.party_id)
        if dataset.project_id is not None:
            self._must_know("project", dataset.project_id)
        self._put(dataset, person, reason)

    def put_agreement(self, document: dict[str, Any], text: str, *, person: str) -> None:
        """Add an agreement or a new version of one, with the text it was read from."""
        with self.writing() as connection:
            documents.put_agreement(connection, document, text, person)

    def noted(self, kind: str) -> list[documents.Noted]:
        """Every version of every document of a kind, oldest first, with when it was noted."""
        with self.database.reading() as connection:
            return documents.noted(connection, kind)

    # Deliveries

    def begin_batch(
        self,
        *,
        file_name: str,
        sha256: str,
        size: int,
        format: str,
        dataset_id: str,
        person: str,
        mapping: str | None = None,
        raw: Path | None = None,
    ) -> BatchWriter:
        """Begin a delivery into a dataset; ``raw`` is kept by hash when it is committed."""
        dataset = next((d for d in self.datasets() if d.dataset_id == dataset_id), None)
        if dataset is None:
            known = ", ".join(d.dataset_id for d in self.datasets()) or "-"
            raise UsageError(say("store.dataset-unknown", dataset=dataset_id, known=known))
        self._refuse_other_writers(dataset_id)
        return BatchWriter(
            self,
            Origin(
                batch_id=self.mint(),
                file_name=file_name,
                sha256=sha256,
                size=size,
                format=format,
                dataset_id=dataset_id,
                project_id=dataset.project_id,
                person=person,
                mapping=mapping,
                raw=raw,
            ),
        )

    def existing_batch(
        self, sha256: str, dataset_id: str, *, mapping: str | None = None
    ) -> Batch | None:
        """The batch that brought this file into this dataset; not a refused or withdrawn one.

        With ``mapping``, only a batch that was read that way: the same bytes read otherwise are
        another delivery.
        """
        found = self._batches(
            BATCH.c.sha256 == sha256,
            BATCH.c.dataset_id == dataset_id,
            BATCH.c.withdrawn.is_(None),
            BATCH.c.verdict != "refused",
            *([] if mapping is None else [BATCH.c.mapping == mapping]),
        )
        return found[-1] if found else None

    def batches(self) -> list[Batch]:
        """Every batch, oldest first."""
        return self._batches()

    def batch(self, batch_id: str) -> Batch:
        """One batch; UsageError where there is none of this name."""
        found = self._batches(BATCH.c.batch_id == batch_id)
        if not found:
            raise UsageError(say("store.batch-unknown", batch=batch_id))
        return found[0]

    def findings(self, batch_id: str) -> Iterator[Finding]:
        """What was found in a delivery, in order."""
        self.batch(batch_id)
        statement = (
            sa.select(FINDING.c.content)
            .where(FINDING.c.batch_id == batch_id)
            .order_by(FINDING.c.number)
        )
        with self.database.reading() as connection:
            for row in connection.execution_options(yield_per=10_000).execute(statement):
                yield finding_of(row.content)

    def quarantine(self, batch_id: str) -> Iterator[Quarantined]:
        """The rows of a delivery that were rejected, in order."""
        self.batch(batch_id)
        c = QUARANTINE.c
        statement = (
            sa.select(c.file, c.row, c.line, c.raw, c.finding)
            .where(c.batch_id == batch_id)
            .order_by(c.number)
        )
        with self.database.reading() as connection:
            for row in connection.execution_options(yield_per=10_000).execute(statement):
                found = None if row.finding is None else finding_of(row.finding)
                yield Quarantined(row.file, row.row, row.line, row.raw, found)

    def withdraw(self, batch_id: str, *, person: str, reason: str) -> versions.Withdrawal:
        """Take a whole batch out; what it had superseded holds again."""
        self.batch(batch_id)
        with self.writing() as connection:
            done = versions.withdraw(connection, self.database, batch_id, person, reason)
        if "Coverage" in done.counts:
            self.refresh_catalogue()
        return done

    def correct(
        self, noun: str, id: str, changes: Mapping[str, Any], *, person: str, reason: str
    ) -> versions.Correction:
        """Correct one record: a new version, the difference, the runs that stood on the old."""
        rows.columns_of(noun, None)
        with self.writing() as connection:
            received.refuse_correction(connection, noun, id)
            done = versions.correct(connection, self.database, noun, id, changes, person, reason)
        if noun == "Coverage":
            self.refresh_catalogue()
        return replace(done, partners=[p for p in done.partners if p != self.party_id])

    def correct_many(
        self,
        noun: str,
        changes: Mapping[str, tuple[int, Mapping[str, Any]]],
        *,
        person: str,
        reason: str,
    ) -> list[versions.Correction]:
        """Correct records, each from the version that was seen: all of them or none.

        Raises InputRefused naming every record that somebody else has corrected since.
        """
        rows.columns_of(noun, None)
        done: list[versions.Correction] = []
        overtaken: list[str] = []
        with self.writing() as connection:
            for id, (seen, given) in changes.items():
                received.refuse_correction(connection, noun, id)
                try:
                    done.append(
                        versions.correct(
                            connection, self.database, noun, id, given, person, reason, seen
                        )
                    )
                except InputRefused as refusal:
                    overtaken.append(refusal.message)
            if overtaken:
                # Leaving the transaction by an error takes back what stood before it.
                raise InputRefused(Sentences(overtaken), say("correct.overtaken.do"))
        if noun == "Coverage":
            self.refresh_catalogue()
        own = self.party_id
        return [replace(c, partners=[p for p in c.partners if p != own]) for c in done]

    # Reading

    def select(
        self,
        noun: str,
        *,
        datasets: Sequence[str],
        as_of: int | datetime | None = None,
        columns: Sequence[str] | None = None,
        chunk: int = 50_000,
    ) -> Iterator[pd.DataFrame]:
        """Rows of these datasets, now or as known then, block by block, typed, times in UTC."""
        names = rows.columns_of(noun, columns)
        yield from rows.select(
            self.database,
            noun,
            datasets=list(datasets),
            as_of=self._seq(as_of),
            names=names,
            chunk=chunk,
        )

    def count(self, noun: str, datasets: Sequence[str], as_of: int | datetime | None = None) -> int:
        """How many rows of these datasets hold, now or as known then."""
        rows.columns_of(noun, None)
        seq = self._seq(as_of)
        with self.database.reading() as connection:
            return rows.count(connection, noun, list(datasets), seq)

    def totals(self) -> list[dict[str, Any]]:
        """``{dataset_id, noun, records}`` of all rows that hold now."""
        with self.database.reading() as connection:
            return rows.totals(connection)

    def history(self, noun: str, id: str) -> pd.DataFrame:
        """Every version of a record, oldest first, with who, when and why."""
        rows.columns_of(noun, None)
        with self.database.reading() as connection:
            return versions.history(connection, self.database, noun, id)

    def names_ever(self, noun: str, datasets: Sequence[str]) -> pd.DataFrame:
        """``id, name``: every name ever attached to records that have more than one version."""
        return names.names_ever(self.database, noun, datasets)

    def filled(self, noun: str, datasets: Sequence[str]) -> set[str]:
        """The attributes of a noun that any delivery of these datasets ever filled."""
        return anchors.filled(self.database, noun, datasets)

    def combinations(
        self, noun: str, datasets: Sequence[str], columns: Sequence[str]
    ) -> pd.DataFrame:
        """``dataset_id, id`` (of corrected records only) and the combinations of values."""
        return anchors.combinations(self.database, noun, datasets, columns)

    def first_places(self, noun: str, datasets: Sequence[str], link: str) -> pd.DataFrame:
        """``dataset_id``, link and the place of the first row that names it."""
        return anchors.first_places(self.database, noun, datasets, link)

    def state_hash(self) -> str:
        """sha256 over the content of all rows that hold, in any order."""
        return rows.state_hash(self.database)

    # Files

    def add_file(self, path: Path, *, person: str | None = None) -> str:
        """Keep a file by its sha256; a file already kept changes nothing."""
        with self.database.plainly():
            sha256, size = files.keep(self.folder, path)
        with self.writing() as connection:
            if not audit.knows_file(connection, sha256):
                said = {"sha256": sha256, "size": size}
                entry = ledger.append(connection, "file", person or self.party_id, said)
                remember_file(connection, sha256, size, entry.seq)
        return sha256

    def file_path(self, sha256: str) -> Path:
        """Where a kept file lies; StoreError where there is none."""
        return files.find(self.folder, sha256)

    def refresh_catalogue(self) -> None:
        """Bring the STAC catalogue in ``stac/`` up to the coverages that hold."""
        with self.database.plainly():
            catalogue.refresh(self.database, self.folder, self.datasets())

    # Releases and runs

    def record_release(
        self,
        *,
        reader: str,
        purpose: str,
        action: str,
        dataset_id: str,
        noun: str,
        level: str,
        agreement_id: str,
        agreement_version: int,
        rows: int,
        sha256: str,
        **more: Any,
    ) -> str:
        """Note what the door let out; the identifier of the release."""
        said = {
            "reader": reader,
            "purpose": purpose,
            "action": action,
            "dataset_id": dataset_id,
            "noun": noun,
            "level": level,
            "agreement_id": agreement_id,
            "agreement_version": agreement_version,
            "rows": rows,
            "sha256": sha256,
            **more,
        }
        release_id = self.mint()
        with self.writing() as connection:
            releases.record(connection, release_id, reader, said)
        return release_id

    def record_run(
        self,
        run_id: str,
        path: Path | str,
        sha256: str | None = None,
        releases: Sequence[str] = (),
        inputs: object = (),
        *,
        person: str | None = None,
    ) -> None:
        """Note a run: its folder, the hash of its result, the releases it was given."""
        from ecotone.store.releases import record_run

        with self.writing() as connection:
            record_run(
                connection, run_id, str(path), sha256, releases, inputs, person or self.party_id
            )

    def runs(self) -> list[dict[str, Any]]:
        """Every run, oldest first."""
        with self.database.reading() as connection:
            return releases.runs(connection)

    # Ledger

    def ledger(self) -> list[ledger.Entry]:
        """Every line of the ledger, oldest first."""
        with self.database.reading() as connection:
            return list(ledger.entries(connection))

    def head(self) -> tuple[int, str]:
        """Number and hash of the newest line: note it elsewhere to anchor the ledger."""
        with self.database.reading() as connection:
            newest = ledger.last(connection)
            return (0, ledger.GENESIS) if newest is None else (newest.seq, newest.hash)

    def verify_ledger(
        self, anchor: tuple[int, str] | str | None = None, *, deep: bool = True
    ) -> list[audit.Broken]:
        """What was changed behind the ledger's back; empty where nothing was.

        ``anchor`` is a head noted earlier in another place: it shows a ledger rewritten whole.
        Without ``deep`` only the chain of lines is gone through (for a status), not every row,
        document and file.
        """
        return audit.verify(self.database, self.folder, anchor, deep=deep)

    def mint(self) -> str:
        """A new identifier of this node's party."""
        return str(mint(self.party_id)[0])

    def _refuse_other_writers(self, dataset_id: str) -> None:
        """What its owner sends in packages is written by nobody else."""
        with self.database.reading() as connection:
            received.refuse_other_writers(connection, dataset_id)

    def _documents(self, kind: str) -> list[dict[str, Any]]:
        with self.database.reading() as connection:
            return documents.current(connection, kind)

    def _must_know(self, kind: str, key: str) -> None:
        known = [d[f"{kind}_id"] for d in self._documents(kind)]
        if key not in known:
            raise UsageError(say(f"store.{kind}-unknown", name=key, known=", ".join(known) or "-"))

    def _put(self, thing: Noun, person: str, reason: str | None) -> None:
        with self.writing() as connection:
            documents.put(connection, thing, person, reason)

    def _seq(self, as_of: int | datetime | None) -> int | None:
        if as_of is None:
            return None
        if isinstance(as_of, datetime) and as_of.tzinfo is None:
            raise UsageError(say("store.as-of-naive", when=as_of.isoformat()))
        with self.database.reading() as connection:
            return ledger.seq_at(connection, as_of)

    def _batches(self, *conditions: sa.ColumnElement[bool]) -> list[Batch]:
        statement = (
            sa.select(
                BATCH.c.content, BATCH.c.mapping, BATCH.c.verdict, BATCH.c.withdrawn, LEDGER.c.time
            )
            .join(LEDGER, LEDGER.c.seq == BATCH.c.seq)
            .where(*conditions)
            .order_by(BATCH.c.seq)
        )
        with self.database.reading() as connection:
            return [
                Batch.model_validate(
                    {
                        **json.loads(row.content),
                        "mapping": row.mapping,
                        "delivered": row.time,
                        "verdict": row.verdict,
                        "withdrawn": row.withdrawn is not None,
                    }
                )
                for row in connection.execute(statement)
            ]

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction; then the newest hash is kept outside the database.

        For the modules of this package; whoever writes through it also writes to the ledger.
        """
        with self.database.writing() as connection:
            yield connection
            newest = ledger.last(connection)
        if newest is not None:
            with self.database.plainly():
                ledger.write_head(self.folder / "keys", newest)
