"""What a node has sent to a party: the packages themselves, and which rows they left there.

In the node's folder ``packages/sent/PARTY/``: ``000003.zip.age``, the sealed package, kept so that
it can be carried or fetched again; ``000003.index``, a hash for each row the receiver holds after
it. The document ``sent PARTY`` in the ledger names the newest: what a process left there before it
died is not in it and is written over. A lost index costs one whole package instead of changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import NDArray

from ecotone.model.errors import UsageError
from ecotone.model.words import say
from ecotone.share.packages.manifest import Manifest
from ecotone.share.packages.rows import Rows, state

if TYPE_CHECKING:
    from ecotone.store import Store

#: The kind of document that says how far a party has been sent to.
SENT: Final = "sent"


@dataclass(frozen=True)
class Sent:
    """One package in the outbox."""

    party: str
    sequence: int
    digest: str
    state: str
    sha256: str
    size: int
    created: str
    expires: str
    stands: str
    sealed_to: str
    purpose: str

    def document(self) -> dict[str, Any]:
        """As it stands in the ledger."""
        return {name: value for name, value in vars(self).items() if name != "party"}


def home(store: Store, party: str) -> Path:
    """The folder of what was sent to a party."""
    return store.folder / "packages" / "sent" / party


def sealed(store: Store, party: str, sequence: int) -> Path:
    """A sealed package."""
    return home(store, party) / f"{sequence:06d}.zip.age"


def newest(store: Store, party: str) -> Sent | None:
    """The newest package sent to a party."""
    found = all_of(store, party)
    return found[-1] if found else None


def all_of(store: Store, party: str) -> list[Sent]:
    """Every package sent to a party, oldest first."""
    return [Sent(party=party, **noted.content) for noted in store.noted(SENT) if noted.key == party]


def note(store: Store, sent: Sent, before: Sent | None, *, person: str) -> None:
    """Put a package into the ledger; UsageError where another process sent one meanwhile."""
    from ecotone.store import documents, ledger

    with store.writing() as connection:
        known = [d for d in documents.noted(connection, SENT) if d.key == sent.party]
        if (known[-1].content["digest"] if known else None) != (before.digest if before else None):
            raise UsageError(say("packages.export-twice", party=sent.party))
        documents.put_content(
            connection, SENT, sent.party, ledger.canonical(sent.document()), None, person, None
        )


def write_index(store: Store, party: str, sequence: int, rows: dict[str, Rows]) -> None:
    """Keep the identifiers and hashes of all rows that the party holds after a package."""
    nouns = sorted(rows)
    table = pa.table(
        {
            "noun": pa.array([n for n in nouns for _ in range(len(rows[n]))], pa.string()),
            "id": pa.concat_arrays(
                [pa.array([], pa.large_string())]
                + [rows[n].table.column("id").combine_chunks() for n in nouns]
            ),
            "hash": pa.array(
                np.concatenate([np.zeros(0, np.uint64), *(rows[n].hashes for n in nouns)])
            ),
        }
    )
    path = _index(store, party, sequence)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    pq.write_table(table, fresh, compression="zstd", write_statistics=False)
    fresh.replace(path)


def read_index(store: Store, sent: Sent) -> dict[str, pd.Series] | None:
    """By noun: the hash of each row by identifier; None where the index is lost or damaged."""
    try:
        table = pq.read_table(_index(store, sent.party, sent.sequence))
        frame: pd.DataFrame = table.to_pandas()
        found = {
            str(noun): part.set_index("id")["hash"]
            for noun, part in frame.groupby("noun", sort=True)
        }
    except (OSError, pa.ArrowException, KeyError):
        return None
    if state({noun: part.to_numpy() for noun, part in found.items()}) != sent.state:
        return None
    return found


def forget_old(store: Store, party: str, sequence: int) -> None:
    """Indexes before the newest serve nothing any more."""
    for path in home(store, party).glob("*.index"):
        if path.stem.isdigit() and int(path.stem) < sequence:
            path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Changes:
    """What a party lacks, and what it must give back."""

    rows: dict[str, Rows]
    removed: dict[str, list[str]]

    def __bool__(self) -> bool:
        return bool(self.rows or self.removed)


def changes(rows: dict[str, Rows], before: dict[str, pd.Series]) -> Changes:
    """From the rows held after the last package to those of today."""
    news: dict[str, Rows] = {}
    removed: dict[str, list[str]] = {}
    for noun, now in rows.items():
        known = before.get(noun)
        keep: NDArray[np.bool_] = np.ones(len(now), dtype=np.bool_)
        if known is not None:
            at = known.index.get_indexer(pd.Index(now.ids))
            same = at >= 0
            same[same] = known.to_numpy()[at[same]] == now.hashes[same]
            keep = ~same
        if keep.any():
            news[noun] = now.kept(keep)
    for noun, known in before.items():
        ids = rows[noun].ids if noun in rows else np.empty(0, dtype=object)
        gone = known.index[~known.index.isin(ids)]
        if len(gone):
            removed[noun] = sorted(gone.tolist())
    return Changes(news, removed)


def stands_on(manifest: Manifest) -> str:
    """Agreements and datasets in one text: a package is due again where they changed."""
    return " ".join(
        [*(f"{a.agreement_id}/{a.version}/{a.digest}" for a in manifest.agreements),
         *(card.model_dump_json() for card in manifest.datasets)]
    )  # fmt: skip


def _index(store: Store, party: str, sequence: int) -> Path:
    return home(store, party) / f"{sequence:06d}.index"
