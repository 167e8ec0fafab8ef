"""Several requests in one: as JSON, or as multipart/mixed with change sets (18-088 section 11).

What stands in a change set or an atomicity group is carried out together or not at all; later
requests name what earlier ones made by ``$id``.
"""

from __future__ import annotations

import asyncio
import email.parser
import email.policy
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

import orjson
from fastapi import Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from ecotone.model.errors import EcotoneError
from ecotone.model.sensorthings import Refused, malformed
from ecotone.model.words import say
from ecotone.serve.sta.render import dumped
from ecotone.share.sensorthings import Editor

if TYPE_CHECKING:
    from ecotone.serve.sta.routes import Service

_MOST: Final = 1_000
_BOUNDARY: Final = "ecotone-batch"
_REASONS: Final = {200: "OK", 201: "Created", 204: "No Content", 400: "Bad Request",
                   401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}  # fmt: skip


@dataclass
class Part:
    """One request; those of one ``group`` belong together."""

    id: str
    method: str
    url: str
    body: bytes = b""
    kind: str = "application/json"
    group: str = ""


@dataclass
class Outcome:
    """What one request was answered with."""

    part: Part
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


async def answer(request: Request, raw: bytes, service: Service) -> Response:
    """Carry all of them out and answer in the form they came in."""
    kind = request.headers.get("content-type", "")
    if kind.startswith("multipart/mixed"):
        parts = of_multipart(kind, raw)
        return _as_multipart(await _carried_out(request, parts, service))
    parts = of_json(raw)
    return _as_json(await _carried_out(request, parts, service))


async def _carried_out(request: Request, parts: list[Part], service: Service) -> list[Outcome]:
    made: dict[str, str] = {}
    found: list[Outcome] = []
    at = 0
    while at < len(parts):
        group = parts[at].group
        mine = [parts[at]]
        while group and at + len(mine) < len(parts) and parts[at + len(mine)].group == group:
            mine.append(parts[at + len(mine)])
        at += len(mine)
        if group:
            found += await _together(request, mine, service, made)
        else:
            found.append(await _alone(request, mine[0], service, made))
    return found


async def _alone(request: Request, part: Part, service: Service, made: dict[str, str]) -> Outcome:
    from ecotone.serve.sta.routes import root_of, status_of, told

    root = root_of(request)
    path, query = _address(part, root, made)
    try:
        if part.method == "GET":
            who = await run_in_threadpool(service.who, request)
            got = await run_in_threadpool(service.read, request, who, path, query, root)
            return Outcome(part, got.status, {"content-type": got.kind}, got.body)
        body = _resolved(part.body, made)
        headers = {"content-type": part.kind}
        status, more, content = await service.write(
            request, part.method, path, body, headers, root, query
        )
        _remember(part, more, root, made)
        return Outcome(part, status, more, content)
    except EcotoneError as error:
        status = status_of(error)
        return Outcome(part, status, {}, told(error, status, "en"))


async def _together(
    request: Request, parts: list[Part], service: Service, made: dict[str, str]
) -> list[Outcome]:
    """All in one transaction: one that is refused refuses all."""
    from ecotone.serve.sta.routes import change_of, root_of, status_of, told

    root = root_of(request)
    here = dict(made)
    failed: list[Part] = []

    def work(editor: Editor) -> list[Outcome]:
        found = []
        for part in parts:
            failed[:] = [part]
            path, query = _address(part, root, here)
            body = _resolved(part.body, here)
            change = change_of(part.method, path, body, part.kind, None, query)
            entity, number = change.work(editor)
            if entity is None:
                found.append(Outcome(part, 200, {}, dumped({"deleted": number})))
                continue
            link = f"{root}/{entity.path}({number})"
            status, headers = (201, {"location": link}) if part.method == "POST" else (200, {})
            _remember(part, headers, root, here)
            told_of = dumped({"@iot.id": number, "@iot.selfLink": link})
            found.append(Outcome(part, status, headers, told_of))
        return found

    try:
        who = await service.writer(request)
        assert who.party is not None
        future = service.sensing(request).edit(who.party, who.person, "batch", work)
        found: list[Outcome] = await asyncio.wrap_future(future)
    except EcotoneError as error:
        status = status_of(error)
        body = told(error, status, "en")
        return [Outcome(p, status, {}, body if [p] == failed or not failed else b"{}")
                for p in parts]  # fmt: skip
    made.update(here)
    return found


def _remember(part: Part, headers: Mapping[str, str], root: str, made: dict[str, str]) -> None:
    if part.id and "location" in headers:
        made[part.id] = headers["location"].removeprefix(f"{root}/")


def _address(part: Part, root: str, made: Mapping[str, str]) -> tuple[str, str]:
    """The path below the service and the query, ``$id`` in place of what was made."""
    url = part.url.removeprefix(root)
    split = urlsplit(url)
    path = unquote(split.path)
    marker = "/v1.1/"
    if marker in path:
        path = path.partition(marker)[2]
    path = path.strip("/")
    first, slash, rest = path.partition("/")
    if first.startswith("$") and first[1:] in made:
        path = made[first[1:]] + slash + rest
    return path, split.query


def _resolved(body: bytes, made: Mapping[str, str]) -> bytes:
    """``"@iot.id": "$id"`` as the number of what was made."""

    def number(found: re.Match[bytes]) -> bytes:
        link = made.get(found[2].decode())
        return found[0] if link is None else found[1] + _number_of(link).encode()

    return re.sub(rb'("@iot\.id"\s*:\s*)"\$([^"]+)"', number, body)


def _number_of(link: str) -> str:
    return link[link.rindex("(") + 1 : -1]


def of_json(raw: bytes) -> list[Part]:
    """The requests of a batch in JSON."""
    try:
        said = orjson.loads(raw)
        listed = said["requests"]
        parts = [
            Part(
                id=str(each["id"]),
                method=str(each["method"]).upper(),
                url=str(each["url"]),
                body=orjson.dumps(each["body"]) if "body" in each else b"",
                kind=str(_lower(each.get("headers", {})).get("content-type", "application/json")),
                group=str(each.get("atomicityGroup", "")),
            )
            for each in listed
        ]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise malformed("sta.batch-form") from error
    return _checked(parts)


def _lower(headers: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in headers.items()}


def of_multipart(kind: str, raw: bytes) -> list[Part]:
    """The requests of a batch in multipart/mixed; a part that is itself one is a change set."""
    parts: list[Part] = []
    for number, part in enumerate(_bodies(kind, raw)):
        if part.is_multipart():
            parts += [_http(each, f"set{number}") for each in part.get_payload()]
        else:
            parts.append(_http(part, ""))
    return _checked(parts)


def _bodies(kind: str, raw: bytes) -> list[Any]:
    head = f"Content-Type: {kind}\r\n\r\n".encode()
    found = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + raw)
    payload = found.get_payload()
    if not found.is_multipart() or not isinstance(payload, list):
        raise malformed("sta.batch-form")
    return payload


def _http(part: Any, group: str) -> Part:
    """A request as its text: line, headers, body."""
    text = part.get_payload(decode=True) or b""
    head, _, body = text.replace(b"\r\n", b"\n").lstrip(b"\n").partition(b"\n\n")
    lines = head.decode(errors="replace").splitlines()
    words = lines[0].split(" ") if lines else []
    if len(words) < 2:
        raise malformed("sta.batch-form")
    pairs = [line.partition(":") for line in lines[1:]]
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    url = " ".join(words[1:-1]) if words[-1].startswith("HTTP/") else " ".join(words[1:])
    return Part(
        id=str(part["content-id"] or headers.get("content-id", "")).strip("<>"),
        method=words[0].upper(), url=url, body=body.strip(),
        kind=headers.get("content-type", "application/json"), group=group,
    )  # fmt: skip


def _checked(parts: list[Part]) -> list[Part]:
    if len(parts) > _MOST:
        raise malformed("sta.batch-form")
    for part in parts:
        if part.method not in ("GET", "POST", "PATCH", "PUT", "DELETE"):
            raise Refused(405, say("sta.not-so"))
        if part.group and part.method == "GET":
            raise malformed("sta.batch-form")
    return parts


def _as_json(found: list[Outcome]) -> Response:
    responses = []
    for each in found:
        told: dict[str, Any] = {"id": each.part.id, "status": each.status}
        if "location" in each.headers:
            told["location"] = each.headers["location"]
        if each.body and each.headers.get("content-type", "json").find("json") >= 0:
            told["body"] = orjson.Fragment(each.body)
        elif each.body:
            told["body"] = each.body.decode()
        responses.append(told)
    return Response(dumped({"responses": responses}), 200, media_type="application/json")


def _as_multipart(found: list[Outcome]) -> Response:
    out: list[bytes] = []
    at = 0
    while at < len(found):
        group = found[at].part.group
        mine = [found[at]]
        while group and at + len(mine) < len(found) and found[at + len(mine)].part.group == group:
            mine.append(found[at + len(mine)])
        at += len(mine)
        if group:
            inner = f"{_BOUNDARY}-{group}"
            head = f"Content-Type: multipart/mixed; boundary={inner}\r\n\r\n".encode()
            out.append(head + _mixed(inner, [_one(each) for each in mine]))
        else:
            out.append(_one(mine[0]))
    body = _mixed(_BOUNDARY, out)
    return Response(body, 200, media_type=f"multipart/mixed; boundary={_BOUNDARY}")


def _mixed(boundary: str, parts: list[bytes]) -> bytes:
    mark = boundary.encode()
    return b"".join(b"--" + mark + b"\r\n" + part + b"\r\n" for part in parts) + (
        b"--" + mark + b"--\r\n"
    )


def _one(outcome: Outcome) -> bytes:
    lines = ["Content-Type: application/http"]
    if outcome.part.id:
        lines.append(f"Content-ID: {outcome.part.id}")
    reason = _REASONS.get(outcome.status, "")
    headers = {"content-type": "application/json", **outcome.headers}
    lines += ["", f"HTTP/1.1 {outcome.status} {reason}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + outcome.body
