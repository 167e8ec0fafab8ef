"""What a delivered row is to what is already there: new, changed, or nothing new at all.

All rows of a noun in a batch are decided together: one join with the table by natural key, then
sorting; never a question per row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import sqlalchemy as sa
from numpy.typing import NDArray

from ecotone.store import bulk
from ecotone.store.schema import RECORDS

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Known:
    """The newest version of each record of a dataset that a batch delivers again."""

    key: Ints  #: sorted, unique
    id: NDArray[np.object_]
    version: Ints
    n: Ints
    content: Ints
    live: Mask


@dataclass(frozen=True)
class Decision:
    """For every row of a noun in a batch, by its position."""

    keep: Mask  #: the row becomes a version
    version: Ints
    superseded: Mask  #: a later row of the same batch has the same key and other content
    owner: Ints  #: position of the row whose new identifier this row bears; -1: a known one
    known: Ints  #: index into ``Known`` where ``owner`` is -1
    closes: Ints  #: ``n`` of the stored rows that end here
    unchanged: int

    def minting(self, start: int, stop: int) -> Mask:
        """Which rows of a block need a new identifier of their own."""
        here: Mask = self.owner[start:stop] == np.arange(start, stop)
        return here & self.keep[start:stop]


def known_rows(connection: sa.Connection, noun: str, dataset_id: str, keys: Ints) -> Known:
    """Look the keys up in the dataset, in one join."""
    table = RECORDS[noun]
    any_row = sa.select(table.c.n).where(table.c.natural_key.is_not(None)).limit(1)
    if not len(keys) or connection.execute(any_row).first() is None:
        return _known([])
    with bulk.wanted(connection, np.unique(keys)) as wanted:
        newest = (
            sa.select(sa.func.max(table.c.n).label("n"))
            .join(wanted, wanted.c.k == table.c.natural_key)
            .where(table.c.dataset_id == dataset_id)
            .group_by(table.c.natural_key)
            .subquery()
        )
        rows = connection.execute(
            sa.select(
                table.c.natural_key,
                table.c.id,
                table.c.version,
                table.c.n,
                table.c.content_hash,
                table.c.until.is_(None),
            )
            .join(newest, newest.c.n == table.c.n)
            .order_by(table.c.natural_key)
        ).all()
    return _known([tuple(row) for row in rows])


def _known(rows: list[tuple[int, str, int, int, int, bool]]) -> Known:
    key, ids, version, n, content, live = zip(*rows, strict=True) if rows else ((),) * 6
    return Known(
        np.array(key, dtype=np.int64),
        np.array(ids, dtype=object),
        np.array(version, dtype=np.int64),
        np.array(n, dtype=np.int64),
        np.array(content, dtype=np.int64),
        np.array(live, dtype=np.bool_),
    )


def decide(key: Ints, has_key: Mask, content: Ints, known: Known) -> Decision:
    """Decide all rows of a noun in a batch.

    A row is unchanged when the row before it with its key (in the batch, else the living one in
    the store) was delivered with the same content. Rows without a key are always new.
    """
    total = len(key)
    keep = np.ones(total, dtype=np.bool_)
    version = np.ones(total, dtype=np.int64)
    superseded = np.zeros(total, dtype=np.bool_)
    owner = np.arange(total, dtype=np.int64)
    known_at = np.full(total, -1, dtype=np.int64)
    keyed = np.flatnonzero(has_key)
    if not len(keyed) or (not len(known.key) and _all_differ(key[keyed])):
        none = np.empty(0, dtype=np.int64)
        return Decision(keep, version, superseded, owner, known_at, none, 0)

    order = keyed[np.argsort(key[keyed], kind="stable")]
    k, h = key[order], content[order]
    first = np.r_[True, k[1:] != k[:-1]]
    group = np.cumsum(first) - 1
    starts = np.flatnonzero(first)

    at = _find(k[starts], known.key)
    is_known = at >= 0
    alive = np.zeros(len(starts), dtype=np.bool_)
    alive[is_known] = known.live[at[is_known]]
    fresh = np.r_[True, h[1:] != h[:-1]] | first
    live_starts = starts[alive]
    fresh[live_starts] = h[live_starts] != known.content[at[alive]]

    count = np.cumsum(fresh)
    before = (count - fresh)[starts]
    rank = count - before[group]
    ends = np.r_[starts[1:], len(k)] - 1
    total_fresh = rank[ends]
    base = np.zeros(len(starts), dtype=np.int64)
    base[is_known] = known.version[at[is_known]]

    keep[order] = fresh
    version[order] = base[group] + rank
    superseded[order] = fresh & (rank < total_fresh[group])
    owner[order] = np.where(is_known[group], -1, order[starts][group])
    known_at[order] = at[group]
    closing = at[alive & (total_fresh > 0)]
    return Decision(
        keep, version, superseded, owner, known_at, np.sort(known.n[closing]), int((~fresh).sum())
    )


def _all_differ(values: Ints) -> bool:
    ordered = np.sort(values)
    return not bool((ordered[1:] == ordered[:-1]).any())


def _find(values: Ints, among: Ints) -> Ints:
    """The index of each value in a sorted array, -1 where it is not there."""
    if not len(among):
        return np.full(len(values), -1, dtype=np.int64)
    at = np.minimum(np.searchsorted(among, values), len(among) - 1)
    return np.where(among[at] == values, at, -1).astype(np.int64)


class Identifiers:
    """Hands out identifiers block by block, so that rows of one key share theirs."""

    def __init__(self, decision: Decision, known: Known) -> None:
        self._decision = decision
        self._known = known
        followers = (
            decision.keep
            & (decision.owner >= 0)
            & (decision.owner != np.arange(len(decision.owner)))
        )
        shared = np.unique(decision.owner[followers])
        self._shared = pd.Series(None, index=shared, dtype=object)

    def of(self, start: int, stop: int, minted: NDArray[np.object_]) -> NDArray[np.object_]:
        """The identifiers of rows ``start`` to ``stop``, given those newly minted among them."""
        ids = np.full(stop - start, None, dtype=object)
        ids[self._decision.minting(start, stop)] = minted
        mine = self._shared.index[(self._shared.index >= start) & (self._shared.index < stop)]
        self._shared.loc[mine] = ids[mine.to_numpy() - start]
        owner = self._decision.owner[start:stop]
        known = owner < 0
        ids[known] = self._known.id[self._decision.known[start:stop][known]]
        follows = self._decision.keep[start:stop] & ~known & (owner != np.arange(start, stop))
        ids[follows] = self._shared.reindex(owner[follows]).to_numpy()
        return ids
