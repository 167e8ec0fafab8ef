"""What one reader may see, as conditions of SQL: on every entity that a query touches.

Own datasets are seen in full. Of the others a reader sees what stands in ``sta_grant`` under its
name, entity by entity, and nothing says that there is more: no path, filter, order or number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from ecotone.model.sensorthings import ENTITIES, Entity, Link
from ecotone.store.schema import STA
from ecotone.store.sensorthings_past import Moment, rows_at

Condition = sa.ColumnElement[bool]


@dataclass(frozen=True)
class Scope:
    """Who reads. ``everything``: every dataset of the node is the reader's own.

    ``at``: what stood then is read. What agreements let others see is decided on what stands now,
    so the past is for owners alone: then there is no ``reader``.
    """

    own: tuple[str, ...]
    reader: str | None = None
    everything: bool = False
    at: Moment | None = None
    postgres: bool = False


#: For work of the server's own, which nobody reads.
UNBOUND: Final = Scope(own=(), everything=True)


#: Told as they are below level full too: words of vocabularies, and units.
OPEN: Final = ("encoding_type", "observation_type", "unit_of_measurement")

#: What an entity below level full says of itself, by its name; JSON, as properties are.
COARSE: Final = {
    "": '{"released":"generalised"}',
    "Datastream": '{"released":"generalised","observations":"withheld"}',
}


def table_of(entity: Entity) -> sa.Table:
    """The table of an entity."""
    return STA.observation if entity.name == "Observation" else STA.entities[entity.table]


class Source:
    """One entity in a query, with what is joined to it.

    ``join`` adds a table to the query's FROM: the same link is joined once however often it is
    named.
    """

    def __init__(
        self, entity: Entity, scope: Scope, join: Callable[[sa.FromClause, Condition], None]
    ) -> None:
        self.entity = entity
        self.scope = scope
        self.table: sa.FromClause = self._rows()
        self._join = join
        self._ones: dict[str, Source] = {}
        self._grant: sa.Alias | None = None
        self._stream: sa.Alias | None = None
        self._hidden: Condition | None = None

    def _rows(self, name: str = "") -> sa.FromClause:
        """The rows of this entity or another, of now or of the moment that is read."""
        entity = ENTITIES[name] if name else self.entity
        at = self.scope.at
        if at is None:
            return table_of(entity).alias()
        return rows_at(entity.name, table_of(entity), at, self.scope.postgres)

    @property
    def c(self) -> Any:
        """The columns of the entity's own row."""
        return self.table.c

    @property
    def key(self) -> sa.ColumnElement[int]:
        """Its number."""
        key: sa.ColumnElement[int] = self.table.c.id
        return key

    def one(self, link: Link) -> Source:
        """The entity that a link to one leads to; nothing where it may not be seen."""
        if link.name not in self._ones:
            other = Source(ENTITIES[link.target], self.scope, self._join)
            self._join(other.table, other.key == self.c[link.column])
            seen = other.visible()
            if seen is not None:
                other._hidden = sa.not_(sa.func.coalesce(seen, sa.false()))
            self._ones[link.name] = other
        return self._ones[link.name]

    def shown(self, expression: Any) -> Any:
        """An expression on this row, or nothing where a link led to what may not be seen."""
        if self._hidden is None:
            return expression
        return sa.case((self._hidden, sa.null()), else_=expression)

    def visible(self) -> Condition | None:
        """The condition that this reader may see the row; None where it may see all."""
        if self.scope.everything:
            return None
        if self.entity.name == "Observation":
            return self._of_stream()
        if self.entity.name == "HistoricalLocation":
            thing = self.one(self.entity.links["Thing"])
            return self._whole(thing)
        own = self.c.dataset_id.in_(self.scope.own)
        grant = self.grant()
        return own if grant is None else own | grant.c.id.is_not(None)

    def grant(self) -> sa.Alias | None:
        """What the reader was granted of this row, joined; None where it has no grants."""
        if self.scope.reader is None or self.scope.everything:
            return None
        if self._grant is None:
            self._grant = STA.grant.alias()
            self._join(
                self._grant,
                (self._grant.c.reader == self.scope.reader)
                & (self._grant.c.entity == self.entity.name)
                & (self._grant.c.id == self.key),
            )
        return self._grant

    def extent(self, column: str) -> Any:
        """From when to when a datastream observed; not told while some of it is held back."""
        if self.scope.at is not None:
            return self._extent_then(column)
        whole = self.stream().c[column]
        grant = self.grant()
        if grant is None:
            return whole
        held = grant.c.before.is_not(None) & self.c.dataset_id.not_in(self.scope.own)
        return sa.case((held, sa.null()), else_=whole)

    def _extent_then(self, column: str) -> Any:
        """Counted from what stood then: the books tell of now."""
        o = self._rows("Observation")
        told = {
            "first": sa.func.min(o.c.time),
            "last": sa.func.max(sa.func.coalesce(o.c.until, o.c.time)),
            "result_first": sa.func.min(o.c.result_time),
            "result_last": sa.func.max(o.c.result_time),
        }[column]
        mine = o.c.datastream_id == self.key
        return sa.select(told).where(mine).correlate_except(o).scalar_subquery()

    def stream(self) -> sa.Alias:
        """What is kept of a datastream beside its row, joined."""
        if self._stream is None:
            self._stream = STA.stream.alias()
            self._join(self._stream, self._stream.c.datastream_id == self.key)
        return self._stream

    def released(self, column: str, *, place: bool = False) -> Any:
        """A column as this reader may see it: below level full no text, the place as its cell."""
        if column == "observed_area" and self.scope.at is not None:
            # Kept as it is now; it would tell of what came later.
            return sa.null()
        whole = self.c[column]
        grant = self.grant() if "dataset_id" in self.c and column not in OPEN else None
        if grant is None:
            return whole
        told = grant.c.place if place else sa.literal("")
        coarse = grant.c.coarse & self.c.dataset_id.not_in(self.scope.own)
        return sa.case((coarse, told), else_=whole)

    def emptied(self, column: str) -> Any:
        """A column that below level full is not there; in place of properties, that this is so."""
        whole = self.c[column]
        grant = self.grant() if "dataset_id" in self.c and column not in OPEN else None
        if grant is None:
            return whole
        coarse = grant.c.coarse & self.c.dataset_id.not_in(self.scope.own)
        said = COARSE.get(self.entity.name, COARSE[""]) if column == "properties" else None
        told = sa.null() if said is None else sa.literal(said, sa.Text)
        return sa.case((coarse, told), else_=whole)

    def _whole(self, other: Source) -> Condition:
        """What belongs to another entity is seen where that is seen in full."""
        own = other.c.dataset_id.in_(self.scope.own)
        grant = other.grant()
        return own if grant is None else own | sa.func.coalesce(~grant.c.coarse, sa.false())

    def _of_stream(self) -> Condition:
        """An observation is seen where its datastream is, in full and before its embargo."""
        stream = self.one(self.entity.links["Datastream"])
        # Joined, so a row without a grant has nothing to compare: false, not unknown.
        own = stream.c.dataset_id.in_(self.scope.own)
        grant = stream.grant()
        if grant is None:
            return own
        end = sa.func.coalesce(self.c.until, self.c.time)
        due = grant.c.id.is_not(None) & (grant.c.before.is_(None) | (end < grant.c.before))
        return own | due
