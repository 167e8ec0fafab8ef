"""Goes through a server as a curious party would: along every link, and by guessing."""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Iterator, Sequence
from html import unescape
from typing import Any

from httpx import Response

from ecotone.model.dictionary import RECORD_NOUNS
from tests.portal import Visitor, csrf

_LINK = re.compile(r'(?:href|src|action)="(/[^"]*)"')
#: What a browser would fetch from another address by itself.
_ELSEWHERE = re.compile(
    r'(?:src|action|srcset|poster)="?(?:https?:)?//|<link[^>]+href="?(?:https?:)?//|url\(["\']?https?:'
)
_FORM = re.compile(r'<form method="get"[^>]*?(?:action="([^"]*)")?[^>]*>(.*?)</form>', re.S)
_SELECT = re.compile(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', re.S)
_OPTION = re.compile(r'<option[^>]*value="([^"]*)"')
#: Not followed: they end the visit or only turn the language.
_LEFT = ("/sign-out", "/language/", "/static/")


def crawl(visitor: Visitor, most: int = 200, start: Sequence[str] = ("/",)) -> dict[str, bytes]:
    """Every page and file that links and lists lead to, by address; none may be a fault."""
    return {
        path: b"".join(
            (answer.content, str(dict(answer.headers)).encode(), str(answer.url).encode())
        )
        for path, answer in crawl_answers(visitor, most, start)
    }


def crawl_answers(
    visitor: Visitor, most: int = 200, start: Sequence[str] = ("/",)
) -> Iterator[tuple[str, Response]]:
    """The same, one after another, as they were answered."""
    waiting = deque(start)
    seen = set(start)
    number = 0
    while waiting and number < most:
        path = waiting.popleft()
        answer = visitor.until(visitor.http.get(path))
        assert answer.status_code < 500, path
        number += 1
        yield path, answer
        if "text/html" not in answer.headers.get("content-type", ""):
            continue
        assert not _ELSEWHERE.search(answer.text), path
        links = [unescape(link) for link in _LINK.findall(answer.text)]
        for link in [*links, *_lists(path, answer.text)]:
            if link not in seen and not link.startswith(_LEFT):
                seen.add(link)
                waiting.append(link)


def _lists(path: str, text: str) -> Iterator[str]:
    """The addresses that the lists of a page's filters make, one choice at a time."""
    for action, inner in _FORM.findall(text):
        for name, options in _SELECT.findall(inner):
            for value in [v for v in _OPTION.findall(options) if v][:4]:
                yield f"{action or path.partition('?')[0]}?{name}={unescape(value)}"


def guesses(
    app: Any, known: Sequence[str], number: int, seed: int = 0
) -> Iterator[tuple[str, str, dict[str, str] | None]]:
    """``(path, method, form)`` made of the server's own description and of what may be hidden."""
    chance = random.Random(seed)
    routes = [
        (path, method.upper(), operation)
        for path, methods in app.openapi()["paths"].items()
        for method, operation in methods.items()
        if not path.startswith(("/sign-", "/language"))
    ]
    for _ in range(number):
        path, method, operation = chance.choice(routes)
        query = []
        for parameter in operation.get("parameters", []):
            value = _value(parameter["name"], parameter.get("schema", {}), known, chance)
            if parameter["in"] == "path":
                path = path.replace("{" + parameter["name"] + "}", value)
            elif parameter["in"] == "query" and chance.random() < 0.5:
                query.append(f"{parameter['name']}={value}")
        if chance.random() < 0.3:
            query.append(f"{chance.choice(('site', 'taxon', 'deployment'))}={chance.choice(known)}")
        form = None
        if method == "POST":
            names = ("dataset", "reason", "version", "first", "second", "decision", "person")
            form = {n: chance.choice([*known[:20], "1", "same"]) for n in names}
        yield path + ("?" + "&".join(query) if query else ""), method, form


def _value(name: str, schema: dict[str, Any], known: Sequence[str], chance: random.Random) -> str:
    if "enum" in schema:
        return str(chance.choice(schema["enum"]))
    match name:
        case "noun":
            return chance.choice(RECORD_NOUNS)
        case "west" | "east":
            return f"{chance.uniform(70, 77):.2f}"
        case "south" | "north":
            return f"{chance.uniform(35, 42):.2f}"
        case "start" | "end" | "on":
            # No canary is of the first of a month; a page repeats what it was asked.
            return f"{chance.randint(1986, 1995)}-{chance.randint(1, 12):02d}-01"
        case "q":
            return chance.choice(["estrel", "Ursus", "note", "%"])
        case "reader":
            return chance.choice(["AA", "BB", "CC", "DD", "EE"])
        case "purpose":
            return chance.choice(["assessment", "tourism"])
    return chance.choice([*known, "1", "x", "../x"])


def secret_of(visitor: Visitor) -> str:
    """A secret for forms that are guessed."""
    return csrf(visitor.get("/me"))
