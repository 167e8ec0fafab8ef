"""Resource paths: ``Things(1)/Datastreams(2)/Observations``, ``Datastreams(1)/name/$value``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ecotone.model.sensorthings import BY_PATH, ENTITIES, Entity, Link, absent

_STEP: Final = re.compile(r"(?P<name>[A-Za-z]+)(?:\((?P<key>[^()]*)\))?")
_DEEPEST: Final = 20
LARGEST: Final = 2**63 - 1


@dataclass(frozen=True)
class Step:
    """One entity or listing of a path; ``link`` leads to it from the step before."""

    entity: Entity
    link: Link | None
    key: int | None

    @property
    def many(self) -> bool:
        """Whether it is a listing."""
        return self.key is None and (self.link is None or self.link.many)


@dataclass(frozen=True)
class Address:
    """What a path names. ``rest`` are a property and keys inside it."""

    steps: tuple[Step, ...]
    rest: tuple[str, ...] = ()
    raw: bool = False
    ref: bool = False

    @property
    def last(self) -> Step:
        """What it comes down to."""
        return self.steps[-1]


def read(path: str) -> Address:
    """An address, or Refused with 404: what cannot be is not there."""
    words = [word for word in path.strip("/").split("/") if word]
    raw = words[-1:] == ["$value"]
    ref = words[-1:] == ["$ref"]
    if raw or ref:
        words = words[:-1]
    if not words or len(words) > _DEEPEST:
        raise absent()
    steps: list[Step] = []
    for number, word in enumerate(words):
        step = _step(word, steps[-1] if steps else None)
        if step is None:
            rest = tuple(words[number:])
            if not steps or steps[-1].many or rest[0] not in steps[-1].entity.properties:
                raise absent()
            return Address(tuple(steps), rest, raw, ref)
        steps.append(step)
    if raw:
        raise absent()
    return Address(tuple(steps), (), raw, ref)


def _step(word: str, before: Step | None) -> Step | None:
    found = _STEP.fullmatch(word)
    if found is None:
        if before is not None and not before.many:
            return None
        raise absent()
    name, key = found["name"], found["key"]
    if before is None:
        entity = BY_PATH.get(name)
        if entity is None:
            raise absent()
        return Step(entity, None, None if key is None else _key(key))
    if before.many:
        raise absent()
    link = before.entity.links.get(name)
    if link is None:
        return None
    if key is not None and not link.many:
        raise absent()
    return Step(ENTITIES[link.target], link, None if key is None else _key(key))


def _key(text: str) -> int:
    plain = text.strip().strip("'")
    if not plain.isdecimal() or len(plain) > 19 or int(plain) > LARGEST:
        raise absent()
    return int(plain)
