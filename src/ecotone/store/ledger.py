"""The ledger: one line per change or release, each holding the hash of the one before.

The hash of a line is the sha256 of its canonical JSON, which names the hash of the line before
it: who changes one byte must change every later line. The last hash is also kept in
``keys/ledger.head``, outside the database, so that lines cut off the end are missed.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from ecotone.store.schema import LEDGER
from ecotone.store.system import put_in_place

#: What the first line has in place of a line before it.
GENESIS: Final = "0" * 64
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


_quoted: Final = json.encoder.encode_basestring


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger."""

    seq: int
    time: str
    kind: str
    person: str
    body: str
    prev: str
    hash: str

    @property
    def said(self) -> dict[str, Any]:
        """The body as data."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    def expected_hash(self) -> str:
        """What the hash of this line must be."""
        # As ``canonical`` would write it, spelled out: a long ledger is checked in half the time.
        said = (
            f'{{"body":{_quoted(self.body)},"kind":{_quoted(self.kind)},'
            f'"person":{_quoted(self.person)},"prev":{_quoted(self.prev)},'
            f'"seq":{self.seq},"time":{_quoted(self.time)}}}'
        )
        return hashlib.sha256(said.encode()).hexdigest()


def canonical(value: object) -> str:
    """JSON with sorted keys and no blanks: the same data give the same bytes."""
    return _ENCODER.encode(value)


def sha256_text(text: str) -> str:
    """sha256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def last(connection: sa.Connection) -> Entry | None:
    """The newest line."""
    row = connection.execute(sa.select(LEDGER).order_by(LEDGER.c.seq.desc()).limit(1)).first()
    return None if row is None else Entry(*row)


def next_seq(connection: sa.Connection) -> int:
    """The number the next line will have; sure only inside a writing transaction."""
    return int(connection.execute(sa.select(sa.func.max(LEDGER.c.seq))).scalar() or 0) + 1


def append(connection: sa.Connection, kind: str, person: str, body: object) -> Entry:
    """Write the next line."""
    entry = follow(last(connection), kind, person, body)
    connection.execute(LEDGER.insert().values(**asdict(entry)))
    return entry


def follow(before: Entry | None, kind: str, person: str, body: object) -> Entry:
    """The line after another; its time never steps back, even if the clock does."""
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    draft = Entry(
        seq=before.seq + 1 if before else 1,
        time=max(now, before.time) if before else now,
        kind=kind,
        person=person,
        body=canonical(body),
        prev=before.hash if before else GENESIS,
        hash="",
    )
    return replace(draft, hash=draft.expected_hash())


def entries(connection: sa.Connection) -> Iterator[Entry]:
    """Every line, oldest first."""
    for block in connection.execute(sa.select(LEDGER).order_by(LEDGER.c.seq)).partitions(10_000):
        for row in block:
            yield Entry(*row)


def seq_at(connection: sa.Connection, when: int | datetime) -> int:
    """The last line written at or before ``when``; a number stands for itself."""
    if isinstance(when, int):
        return when
    text = when.astimezone(UTC).isoformat(timespec="microseconds")
    found = connection.execute(sa.select(sa.func.max(LEDGER.c.seq)).where(LEDGER.c.time <= text))
    return int(found.scalar() or 0)


def write_head(keys: Path, entry: Entry) -> None:
    """Keep the newest hash outside the database; an older one never replaces a newer."""
    path = keys / "ledger.head"
    known = read_head(keys)
    if known is not None and known[0] >= entry.seq:
        return
    fresh = keys / f"ledger.head.{os.getpid()}-{threading.get_ident()}"
    with fresh.open("w", encoding="ascii") as stream:
        stream.write(f"{entry.seq} {entry.hash}\n")
        stream.flush()
        os.fsync(stream.fileno())
    put_in_place(fresh, path)


def read_head(keys: Path) -> tuple[int, str] | None:
    """The kept ``(seq, hash)``; None where there is none or it cannot be read as one."""
    path = keys / "ledger.head"
    if not path.is_file():
        return None
    words = path.read_text(encoding="ascii", errors="replace").split()
    if len(words) != 2 or not words[0].isdigit():
        return None
    return int(words[0]), words[1]
