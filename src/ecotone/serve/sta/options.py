"""The options of a query, ``$filter`` to ``$resultFormat``, also those inside ``$expand``."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from ecotone.model import sensorthings_times as times
from ecotone.model.odata import Expand, Order, Query
from ecotone.model.sensorthings import ENTITIES, Entity, Refused, malformed
from ecotone.model.words import say
from ecotone.serve.sta.expressions import parse

_KNOWN: Final = (
    "$filter", "$orderby", "$select", "$expand", "$top", "$skip", "$count", "$skiptoken",
    "$resultFormat",
)  # fmt: skip
#: Clients write them in any case.
_SPELLED: Final = {name.lower(): name for name in _KNOWN}
#: How deep expansions may nest, and how long the text of all of them may be.
_DEEPEST: Final = 8
_LONGEST: Final = 2_000


def read(entity: Entity, said: Iterable[tuple[str, str]], depth: int = 0) -> Query:
    """The query of a request on an entity; Refused where an option is not well made."""
    if depth > _DEEPEST:
        raise malformed("sta.filter-deep")
    given: dict[str, str] = {}
    for name, value in said:
        name = _SPELLED.get(name.lower(), name)
        if name in _KNOWN:
            if name in given:
                raise malformed("sta.option-twice", name=name)
            given[name] = value
        elif name.startswith("$"):
            raise malformed("sta.option-unknown", name=name)
    query = Query(
        filter=parse(given["$filter"]) if "$filter" in given else None,
        order=_order(given.get("$orderby", "")),
        select=_select(entity, given.get("$select", "")),
        expand=_expand(entity, given.get("$expand", ""), depth),
        top=_number("$top", given.get("$top")),
        skip=_number("$skip", given.get("$skip")) or 0,
        count=_truth(given.get("$count")),
    )
    if "$skiptoken" in given:
        query = replace(query, after=_after(given["$skiptoken"]))
    if "$resultFormat" in given:
        if given["$resultFormat"].lower() != "dataarray":
            raise malformed("sta.option-value", name="$resultFormat", value=given["$resultFormat"])
        query = replace(query, form="dataArray")
    return query


AS_OF: Final = "$as_of"
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")


def as_of(said: Iterable[tuple[str, str]]) -> tuple[datetime | None, list[tuple[str, str]]]:
    """The moment whose state is asked for, a day to its end, and the other options.

    Refused with 422, as clients of istSOS know it, where it is no moment or yet to come.
    """
    rest, found = [], []
    for name, value in said:
        (found if name.lower() == AS_OF else rest).append((name, value))
    if not found:
        return None, rest
    if len(found) > 1:
        raise Refused(422, say("sta.option-twice", name=AS_OF))
    text = found[0][1].replace(" ", "+")
    day = _DAY.fullmatch(text) is not None
    try:
        moment, _ = times.read(f"{text}T00:00:00Z" if day else text)
    except Refused as error:
        raise Refused(422, error.message) from error
    if moment > times.now():
        raise Refused(422, say("sta.as-of-future", text=text))
    return times.as_datetime(moment) + timedelta(days=1 if day else 0), rest


def token(after: Sequence[Any]) -> str:
    """Where a listing continues, as it stands in a link."""
    return base64.urlsafe_b64encode(orjson.dumps(list(after))).decode().rstrip("=")


def _after(text: str) -> tuple[Any, ...]:
    try:
        found = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError) as error:
        raise malformed("sta.token") from error
    plain = isinstance(found, list) and all(
        each is None or isinstance(each, int | float | str) for each in found
    )
    if not plain:
        raise malformed("sta.token")
    return tuple(found)


def _number(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or len(text) > 15:
        raise malformed("sta.option-value", name=name, value=text[:40])
    return int(text)


def _truth(text: str | None) -> bool:
    if text is None:
        return False
    if text.lower() not in ("true", "false"):
        raise malformed("sta.option-value", name="$count", value=text[:40])
    return text.lower() == "true"


def _order(text: str) -> tuple[Order, ...]:
    found = []
    for part in split(text, ","):
        plain = part.strip()
        low = plain.lower()
        descending = low.endswith(" desc")
        if descending or low.endswith(" asc"):
            plain = plain[: -5 if descending else -4]
        found.append(Order(parse(plain), descending))
    return tuple(found)


def _select(entity: Entity, text: str) -> tuple[str, ...]:
    found = []
    for part in split(text, ","):
        name = part.strip()
        known = name in entity.properties or name in entity.links
        if not known and name not in ("id", "@iot.id", "@iot.selfLink", "selfLink"):
            raise malformed("sta.property-unknown", name=name[:60], entity=entity.name)
        found.append(name)
    return tuple(found)


def _expand(entity: Entity, text: str, depth: int) -> tuple[Expand, ...]:
    """``Datastreams($top=1),Locations``; ``A/B`` is ``A($expand=B)``."""
    if len(text) > _LONGEST:
        raise malformed("sta.filter-deep")
    found: dict[str, Query] = {}
    for part in split(text, ","):
        path, _, rest = part.strip().partition("(")
        names = path.strip().split("/")
        options = rest.removesuffix(")") if rest else ""
        link = entity.links.get(names[0])
        if link is None or (rest and not rest.endswith(")")):
            raise malformed("sta.property-unknown", name=names[0][:60], entity=entity.name)
        target = ENTITIES[link.target]
        if len(names) > 1:
            inner = "/".join(names[1:]) + (f"({options})" if options else "")
            query = Query(expand=_expand(target, inner, depth + 1))
        else:
            query = read(target, _pairs(options), depth + 1)
        before = found.get(link.name)
        if before is not None:
            query = replace(query, expand=_merged(before.expand, query.expand))
            if query == Query(expand=query.expand):
                query = replace(before, expand=query.expand)
        found[link.name] = query
    return tuple(Expand(name, query) for name, query in found.items())


def _merged(first: Sequence[Expand], second: Sequence[Expand]) -> tuple[Expand, ...]:
    found = {each.link: each for each in first}
    for each in second:
        known = found.get(each.link)
        if known is not None:
            inner = _merged(known.query.expand, each.query.expand)
            each = Expand(each.link, replace(each.query, expand=inner))
        found[each.link] = each
    return tuple(found.values())


def _pairs(text: str) -> list[tuple[str, str]]:
    found = []
    for part in split(text, ";"):
        name, _, value = part.partition("=")
        found.append((name.strip(), value.strip()))
    return found


def split(text: str, mark: str) -> list[str]:
    """Parts at a mark that stands in no parenthesis and no quotation."""
    parts, depth, quoted, start = [], 0, False, 0
    for at, letter in enumerate(text):
        if letter == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif letter == "(":
            depth += 1
        elif letter == ")":
            depth -= 1
        elif letter == mark and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    if depth or quoted:
        raise malformed("sta.filter-unreadable", at=len(text), near=text[-30:])
    last = text[start:]
    return [*parts, last] if parts or last.strip() else []
