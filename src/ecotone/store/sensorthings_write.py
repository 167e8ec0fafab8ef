"""Writing entities: deep inserts, changes and removals, each in one transaction and one line.

Whoever writes must own what is written. What is linked to must be the writer's own as well, but
for instruments and properties, which others may use once they see them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from ecotone.model import sensorthings_times as times
from ecotone.model.sensorthings import ENTITIES, Entity, Link, Refused, absent, malformed
from ecotone.model.words import say
from ecotone.store import documents, ledger
from ecotone.store import sensorthings_body as bodies
from ecotone.store import sensorthings_observe as observe
from ecotone.store import sensorthings_past as past
from ecotone.store.schema import STA
from ecotone.store.sensorthings_archive import keep, take
from ecotone.store.sensorthings_filter import sides
from ecotone.store.sensorthings_read import Parent, Reader
from ecotone.store.sensorthings_scope import Scope, table_of

#: What may be used by whoever sees it.
_SHARED: Final = ("Sensor", "ObservedProperty", "Party", "License")


@dataclass(frozen=True)
class Writer:
    """Who writes: the party's dataset for what is new, and the person of the ledger's line."""

    party: str
    person: str
    dataset: str
    scope: Scope


class Editor:
    """One writing transaction."""

    def __init__(self, connection: sa.Connection, writer: Writer) -> None:
        self.connection = connection
        self.writer = writer
        self.reader = Reader(connection, writer.scope)
        self.seq = ledger.next_seq(connection)
        self.made: list[tuple[str, int]] = []
        self.pending: list[observe.Rows] = []

    # Making

    def create(
        self, entity: Entity, said: Any, parent: Parent | None = None, dataset: str | None = None
    ) -> int:
        """An entity with everything it was described with; its number."""
        body = bodies.read(entity, said, whole=True)
        if parent is not None:
            back = ENTITIES[entity.name].links[parent.link.back]
            body.links[back.name] = [{"@iot.id": parent.id}, *body.links.get(back.name, [])]
            if not back.many:
                body.links[back.name] = body.links[back.name][:1]
        dataset = dataset or self._dataset(entity, body)
        values = dict(body.values)
        for link in entity.links.values():
            if not link.many:
                values[link.column] = self._one(entity, link, body.links.get(link.name), dataset)
        if entity.name == "Observation":
            return self._observation(values)
        number = take(self.connection, entity.name)
        self.made.append((entity.name, number))
        row = {"id": number, "dataset_id": dataset, **values}
        self.connection.execute(table_of(entity).insert().values(**row))
        for link in entity.links.values():
            if link.many and link.name in body.links:
                self._many(entity, number, link, body.links[link.name], dataset)
        if entity.name == "HistoricalLocation":
            self._place_by_history(number, values["thing_id"], values["time"])
        return number

    def _one(
        self, entity: Entity, link: Link, said: list[dict[str, Any]] | None, dataset: str
    ) -> int | None:
        target = ENTITIES[link.target]
        if not said:
            if link.required:
                raise malformed("sta.link-missing", name=link.name, entity=entity.name)
            if link.name in ("Party", "License"):
                return self._of_dataset(target, dataset)
            return None
        number = bodies.reference(said[0])
        if number is None:
            return self.create(target, said[0], dataset=dataset)
        self.may_link(target, number)
        return number

    def may_link(self, target: Entity, number: int) -> None:
        """Refused alike for what is not there and for what may not be seen."""
        own = self.reader.exists(target, number)
        if own is None:
            raise malformed("sta.link-absent", entity=target.name, id=number)
        if not own and target.name not in _SHARED and target.name != "Observation":
            raise Refused(403, say("sta.not-yours"))

    def _many(
        self, entity: Entity, number: int, link: Link, said: list[dict[str, Any]], dataset: str
    ) -> None:
        target = ENTITIES[link.target]
        if link.pair:
            others = [self._other(target, each, dataset) for each in said]
            self.pair(entity, number, link, others)
            return
        for each in said:
            other = bodies.reference(each)
            if other is None:
                self.create(target, each, Parent(link, number), dataset)
            else:
                self.own(target, other)
                table = table_of(target)
                change = {link.column: number}
                self.connection.execute(table.update().where(table.c.id == other).values(**change))

    def _other(self, target: Entity, said: dict[str, Any], dataset: str) -> int:
        other = bodies.reference(said)
        if other is None:
            return self.create(target, said, dataset=dataset)
        self.may_link(target, other)
        return other

    def pair(self, entity: Entity, number: int, link: Link, others: list[int]) -> None:
        """Join with others; a thing that gets locations leaves those it had, and that is noted."""
        if link.pair != "sta_thing_location":
            table, mine, theirs = sides(link)
            for other in others:
                self._join(table, {mine: number, theirs: other})
            return
        things = [number] if entity.name == "Thing" else others
        places = others if entity.name == "Thing" else [number]
        for thing in things:
            self.place(thing, places, times.now())

    def _join(self, table: sa.Table, values: dict[str, int]) -> None:
        mine = sa.and_(*(table.c[name] == value for name, value in values.items()))
        if self.connection.execute(sa.select(sa.literal(1)).where(mine)).first() is None:
            self.connection.execute(table.insert().values(**values))

    def place(self, thing: int, places: list[int], when: int, *, note: bool = True) -> None:
        """A thing is now at these locations, and was since then."""
        table = STA.pairs["sta_thing_location"]
        self.connection.execute(table.delete().where(table.c.thing_id == thing))
        for place in dict.fromkeys(places):
            self.connection.execute(table.insert().values(thing_id=thing, location_id=place))
        if not note or not places:
            return
        things = STA.entities["sta_thing"]
        owner = self.connection.execute(
            sa.select(things.c.dataset_id).where(things.c.id == thing)
        ).scalar_one()
        number = take(self.connection, "HistoricalLocation")
        self.made.append(("HistoricalLocation", number))
        self.connection.execute(
            STA.entities["sta_historical_location"]
            .insert()
            .values(id=number, dataset_id=owner, time=when, thing_id=thing)
        )
        for place in dict.fromkeys(places):
            self.connection.execute(
                STA.pairs["sta_historical_place"]
                .insert()
                .values(historical_location_id=number, location_id=place)
            )

    def _place_by_history(self, number: int, thing: int, when: int) -> None:
        """The newest entry of a thing's history says where it is."""
        table = STA.entities["sta_historical_location"]
        newest = sa.select(sa.func.max(table.c.time)).where(table.c.thing_id == thing)
        pair = STA.pairs["sta_historical_place"]
        rows = self.connection.execute(
            sa.select(pair.c.location_id).where(pair.c.historical_location_id == number)
        )
        places = [row[0] for row in rows]
        if places and self.connection.execute(newest).scalar_one() <= when:
            self.place(thing, places, when, note=False)

    def _observation(self, values: dict[str, Any]) -> int:
        stream = self.stream(values["datastream_id"])
        feature = values["feature_id"] or observe.feature_of(self.connection, stream, self.made)
        rows = observe.of_values(values, stream.id, feature)
        number = int(observe.add(self.connection, rows, set())["id"][0])
        self.made.append(("Observation", number))
        return number

    def stream(self, number: int) -> observe.Stream:
        """A datastream of the writer's own."""
        self.own(ENTITIES["Datastream"], number, linked=True)
        table = STA.entities["sta_datastream"]
        row = self.connection.execute(
            sa.select(table.c.id, table.c.dataset_id, table.c.thing_id).where(table.c.id == number)
        ).one()
        return observe.Stream(*row)

    # Whose

    def _dataset(self, entity: Entity, body: bodies.Body) -> str:
        """The dataset of what it belongs to, else the writer's."""
        for name in ("Thing", "Datastream"):
            link = entity.links.get(name)
            if link is None or link.many or not body.links.get(name):
                continue
            number = bodies.reference(body.links[name][0])
            if number is not None and name == "Thing":
                table = STA.entities["sta_thing"]
                found = self.connection.execute(
                    sa.select(table.c.dataset_id).where(table.c.id == number)
                ).scalar()
                if found in self.writer.scope.own:
                    return str(found)
        return self.writer.dataset

    def _of_dataset(self, target: Entity, dataset: str) -> int | None:
        """The entity that tells of a dataset's party or licence; made when first needed."""
        table = STA.entities[target.table]
        mine = sa.select(sa.func.min(table.c.id)).where(table.c.dataset_id == dataset)
        found = self.connection.execute(mine).scalar()
        if found is not None:
            return int(found)
        told = _told(self.connection, target, dataset)
        if told is None:
            return None
        number = take(self.connection, target.name)
        self.made.append((target.name, number))
        self.connection.execute(table.insert().values(id=number, dataset_id=dataset, **told))
        return number

    def mine(self, dataset: str | None) -> str | None:
        """A dataset the writer named, which must be its own."""
        if dataset is not None and dataset not in self.writer.scope.own:
            raise Refused(403, say("sta.not-yours"))
        return dataset

    def own(self, entity: Entity, number: int, *, linked: bool = False) -> None:
        """Refuse what may not be seen, and what may be seen and not changed."""
        own = self.reader.exists(entity, number)
        if own is None:
            if linked:
                raise malformed("sta.link-absent", entity=entity.name, id=number)
            raise absent()
        if (
            entity.name in ("Observation", "HistoricalLocation")
            and not self.writer.scope.everything
        ):
            name = "Datastream" if entity.name == "Observation" else "Thing"
            link = entity.links[name]
            above = self.reader.follow(entity, number, link)
            own = above is not None and bool(self.reader.exists(ENTITIES[name], above))
        if not own:
            raise Refused(403, say("sta.not-yours"))

    # Changing

    def update(self, entity: Entity, number: int, said: Any, *, whole: bool) -> None:
        """Change what is said; with ``whole`` everything else becomes empty."""
        self.own(entity, number)
        body = bodies.read(entity, said, whole=whole)
        values = dict(body.values)
        for name, given in body.links.items():
            link = entity.links[name]
            if any(bodies.reference(each) is None for each in given):
                raise malformed("sta.patch-inline", name=name)
            if not link.many:
                other = bodies.reference(given[0])
                assert other is not None
                self.may_link(ENTITIES[link.target], other)
                values[link.column] = other
        table = table_of(entity)
        keep(self.connection, entity.name, table, table.c.id == number, self.seq, gone=False)
        before = self.connection.execute(sa.select(table).where(table.c.id == number)).one()
        if values:
            self._changed(entity, number, before, values)
        for name, given in body.links.items():
            link = entity.links[name]
            if link.many:
                self._relink(entity, number, link, [bodies.reference(g) or 0 for g in given])
        self.made.append((entity.name, number))

    def _changed(self, entity: Entity, number: int, before: Any, values: dict[str, Any]) -> None:
        if entity.name == "Location" and "location" in values:
            # What was observed from now on is observed elsewhere.
            values["feature_id"] = None
        table = table_of(entity)
        self.connection.execute(table.update().where(table.c.id == number).values(**values))
        if entity.name == "Observation":
            self._note_pair(number)
            for stream in {before.datastream_id, values.get("datastream_id", before.datastream_id)}:
                observe.settle(self.connection, stream)
                if {"datastream_id", "feature_id"} & values.keys():
                    observe.set_area(self.connection, stream)
        if entity.name == "FeatureOfInterest" and "feature" in values:
            pair = STA.pairs["sta_stream_feature"]
            rows = self.connection.execute(
                sa.select(pair.c.datastream_id).where(pair.c.feature_id == number)
            ).all()
            for row in rows:
                observe.set_area(self.connection, row[0])

    def _note_pair(self, number: int) -> None:
        o = STA.observation.c
        row = self.connection.execute(
            sa.select(o.datastream_id, o.feature_id).where(o.id == number)
        ).one()
        values = {"datastream_id": row[0], "feature_id": row[1]}
        self._join(STA.pairs["sta_stream_feature"], values)

    def _relink(self, entity: Entity, number: int, link: Link, others: list[int]) -> None:
        target = ENTITIES[link.target]
        for other in others:
            self.may_link(target, other)
        if link.pair:
            table, mine, _ = sides(link)
            if link.pair != "sta_thing_location":
                self.connection.execute(table.delete().where(table.c[mine] == number))
            self.pair(entity, number, link, others)
            return
        table = table_of(target)
        change = {link.column: number}
        for other in others:
            self.own(target, other)
            self.connection.execute(table.update().where(table.c.id == other).values(**change))

    def link(self, parent: Parent, number: int) -> None:
        """Link an entity that is there already to what a link starts from."""
        before = ENTITIES[ENTITIES[parent.link.target].links[parent.link.back].target]
        self.own(before, parent.id)
        said: list[dict[str, Any]] = [{"@iot.id": number}]
        self._many(before, parent.id, parent.link, said, self.writer.dataset)
        self.made.append((before.name, parent.id))

    # The line

    def close(self, what: str) -> None:
        """The line of the ledger for all that was done."""
        ledger.append(
            self.connection,
            past.KIND,
            self.writer.person,
            {
                "do": what,
                "party": self.writer.party,
                "made": self.made[:1000],
                "upto": past.given(self.connection),
            },
        )
        take(self.connection, "revision")


def _told(connection: sa.Connection, target: Entity, name: str) -> dict[str, Any] | None:
    """What the node's documents say of the party or the licence of a dataset."""
    found = [d for d in documents.current(connection, "dataset") if d["dataset_id"] == name]
    if not found:
        return None
    dataset = found[-1]
    if target.name == "License":
        return {"name": dataset["licence"], "definition": dataset["licence"],
                "description": dataset["title"]}  # fmt: skip
    parties = [
        p for p in documents.current(connection, "party") if p["party_id"] == dataset["party_id"]
    ]
    names = parties[-1]["name"] if parties else {}
    shown = names.get("en") or next(iter(names.values()), dataset["party_id"])
    return {"display_name": shown, "role": "institutional", "auth_id": dataset["party_id"]}


Work = Callable[[Editor], Any]
