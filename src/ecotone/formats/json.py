"""JSON: an array of objects, one object a line, or GeoJSON features, as rows of text.

Numbers keep the digits they were written with. What JSON does not have (NaN, Infinity), what no
computer holds (1e400) and a key that stands twice in one object are refused: each reader would
make something else of them (RFC 8259, doi:10.17487/RFC8259).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ecotone.formats.base import ReadOptions, Refused, Reject, Report, Source, refused
from ecotone.model.finding import Finding, Severity
from ecotone.model.table import Table

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_LINES: Final = (".jsonl", ".ndjson")
_ENDINGS: Final = (".json", ".geojson", *_LINES)
_PEEK: Final = 1 << 16


def parse_json(source: Source, member: str) -> Any:
    """A member's value, numbers as numbers; a refusal says what is wrong with it."""
    text = _text(source, member)
    try:
        value = _decoder(member, float).decode(text)
    except (ValueError, RecursionError) as error:
        raise _broken(error, member) from error
    _check_depth(value, source.limits.json_depth, member)
    return value


def _text(source: Source, member: str) -> str:
    with source.open(member) as stream:
        data = stream.read(source.limits.json_bytes + 1)
    if len(data) > source.limits.json_bytes:
        raise refused("json-too-big", file=member, most=str(source.limits.json_bytes >> 20))
    try:
        return data.decode(json.detect_encoding(data)).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise refused("json-encoding", file=member) from error


def _broken(error: Exception, member: str) -> Refused:
    if isinstance(error, RecursionError):
        return refused("json-too-deep", file=member, most="100")
    line = error.lineno if isinstance(error, json.JSONDecodeError) else None
    return refused("json-broken", file=member, line=line, value=str(error))


def _decoder(member: str, number: Callable[[str], Any]) -> json.JSONDecoder:
    """A decoder that refuses what JSON does not have; ``number`` keeps or reads digits."""

    def real(text: str) -> Any:
        if not np.isfinite(float(text)):
            raise refused("json-not-finite", file=member, value=text)
        return number(text)

    def constant(text: str) -> Any:
        raise refused("json-not-finite", file=member, value=text)

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) < len(items):
            keys = [key for key, _ in items]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise refused("json-key-twice", file=member, value=twice)
        return found

    return json.JSONDecoder(
        parse_float=real,
        parse_int=None if number is float else number,
        parse_constant=constant,
        object_pairs_hook=pairs,
    )


class _Digits(str):
    """A number by its digits; written back into JSON as they stand."""


def _check_depth(value: Any, most: int, member: str) -> None:
    level: list[Any] = [value] if isinstance(value, (dict, list)) else []
    for _ in range(most):
        if not level:
            return
        level = [
            child
            for one in level
            for child in (one.values() if isinstance(one, dict) else one)
            if isinstance(child, (dict, list))
        ]
    raise refused("json-too-deep", file=member, most=str(most))


@dataclass(frozen=True, slots=True)
class _Item:
    """One element on its way to be a row."""

    value: Any
    line: int
    raw: str


class JsonRecords:
    """Records in JSON; see :class:`ecotone.formats.base.Format`."""

    name = "json"
    title_key = "format.json.title"
    extensions = _ENDINGS
    spec = "https://www.rfc-editor.org/rfc/rfc8259"

    def recognise(self, source: Source) -> bool:
        """A single file that begins as an object or an array does."""
        if source.only is None:
            return False
        with source.open(source.only) as stream:
            head = stream.read(_PEEK).replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
        if source.only.lower().endswith(_ENDINGS):
            return True
        return head.startswith((b"{", b'["', b"[{", b"[\n", b"[\r", b"[ "))

    def read(
        self, source: Source, options: ReadOptions, report: Report, reject: Reject
    ) -> Iterator[Table]:
        """Yield the records, all fields as text; nested values as JSON text."""
        if source.only is None:
            raise refused("json-not-a-file", file=source.name)
        member = source.only
        items = _items(source, member, report, reject)
        first = True
        block: list[tuple[int, _Item]] = []
        for number, item in items:
            if isinstance(item.value, dict):
                block.append((number, item))
            else:
                _turn_away("json-not-object", member, number, item, report, reject)
            if len(block) >= options.block_rows:
                yield _table(block, member, options)
                block, first = [], False
        if block or first:
            yield _table(block, member, options)
        if options.type is None:
            report(Finding("unmapped", Severity.WARNING, file=member))


FORMAT = JsonRecords()


def _items(
    source: Source, member: str, report: Report, reject: Reject
) -> Iterator[tuple[int, _Item]]:
    """The records of a file with their numbers."""
    text = _text(source, member)
    decoder = _decoder(member, _Digits)
    if member.lower().endswith(_LINES) or _is_lines(text):
        yield from _lines(text, decoder, member, report, reject)
        return
    start = _SPACE.match(text)
    at = start.end() if start else 0
    depth = source.limits.json_depth
    if text.startswith("[", at):
        for number, item in enumerate(_elements(text, at + 1, decoder, member), start=1):
            _check_depth(item.value, depth, member)
            yield number, item
        return
    try:
        document = decoder.decode(text)
    except (ValueError, RecursionError) as error:
        raise _broken(error, member) from error
    _check_depth(document, depth, member)
    for number, value in enumerate(_records_of(document), start=1):
        yield number, _Item(value, 1, "")


def _is_lines(text: str) -> bool:
    """Whether the first two lines that say anything are whole objects."""
    lines = [line for line in text[:_PEEK].split("\n")[:-1] if line.strip()][:2]
    if len(lines) < 2:
        return False
    return all(line.strip().startswith("{") and line.strip().endswith("}") for line in lines)


def _lines(
    text: str, decoder: json.JSONDecoder, member: str, report: Report, reject: Reject
) -> Iterator[tuple[int, _Item]]:
    number = 0
    for line, match in enumerate(re.finditer(r"[^\n]*\n?", text), start=1):
        raw = match[0].strip()
        if not raw:
            continue
        number += 1
        item = _Item(None, line, raw)
        try:
            value = decoder.decode(raw)
            _check_depth(value, 100, member)
        except Refused as error:
            _turn_away(error.finding.code, member, number, item, report, reject, error.finding)
            continue
        except (ValueError, RecursionError) as error:
            code = _broken(error, member).finding.code
            _turn_away(code, member, number, item, report, reject)
            continue
        yield number, _Item(value, line, raw)


def _elements(text: str, at: int, decoder: json.JSONDecoder, member: str) -> Iterator[_Item]:
    """The elements of an array one by one, so that only the text is held in memory."""
    line, counted = 1 + text.count("\n", 0, at), at
    at = _past_space(text, at)
    if text.startswith("]", at):
        _check_end(text, at + 1, member)
        return
    while True:
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise _broken(error, member) from error
        line += text.count("\n", counted, at)
        counted = at
        yield _Item(value, line, text[at:end])
        at = _past_space(text, end)
        mark = text[at : at + 1]
        if mark == "]":
            _check_end(text, at + 1, member)
            return
        if mark != ",":
            where = json.JSONDecodeError("Expecting ',' or ']'", text, at)
            raise refused("json-broken", file=member, line=where.lineno, value=str(where))
        at = _past_space(text, at + 1)


def _past_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _check_end(text: str, at: int, member: str) -> None:
    at = _past_space(text, at)
    if at < len(text):
        where = json.JSONDecodeError("Extra data", text, at)
        raise refused("json-broken", file=member, line=where.lineno, value=str(where))


def _records_of(document: Any) -> list[Any]:
    """The records of a single object: its features, its only list of objects, or itself."""
    if not isinstance(document, dict):
        return [document]
    if document.get("type") == "FeatureCollection" and isinstance(document.get("features"), list):
        return [_feature(one) for one in document["features"]]
    if document.get("type") == "Feature":
        return [_feature(document)]
    lists = [v for v in document.values() if isinstance(v, list) and v]
    if len(lists) == 1 and all(isinstance(one, dict) for one in lists[0]):
        return list(lists[0])
    return [document]


def _feature(feature: Any) -> Any:
    """A feature as a flat object: its properties, its id, its place."""
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        return feature
    flat = dict(feature.get("properties") or {})
    if "id" in feature:
        flat.setdefault("id", feature["id"])
    geometry = feature.get("geometry")
    if not isinstance(geometry, dict):
        return flat
    place = geometry.get("coordinates")
    if geometry.get("type") == "Point" and isinstance(place, list) and len(place) >= 2:
        flat.setdefault("longitude", place[0])
        flat.setdefault("latitude", place[1])
    else:
        flat.setdefault("geometry", geometry)
    return flat


def _turn_away(
    code: str,
    member: str,
    row: int,
    item: _Item,
    report: Report,
    reject: Reject,
    cause: Finding | None = None,
) -> None:
    raw = item.raw or _as_text(item.value) or ""
    value = cause.value if cause is not None else raw[:200]
    report(
        Finding(
            code, Severity.ERROR, row=row, line=item.line, file=member, value=value,
            params=cause.params if cause is not None else {"most": "100"},
        )
    )  # fmt: skip
    reject(member, row, item.line, raw)


def _table(block: list[tuple[int, _Item]], member: str, options: ReadOptions) -> Table:
    import pandas as pd

    names = list(dict.fromkeys(key for _, item in block for key in item.value))
    columns = {
        name: pd.Series([_as_text(item.value.get(name)) for _, item in block], dtype="str")
        for name in names
    }
    frame = pd.DataFrame(columns, index=range(len(block)))
    if options.missing:
        frame = frame.mask(frame.isin(list(options.missing)))
    return Table(
        type=options.type or "Record",
        frame=frame,
        row=np.array([number for number, _ in block], dtype=np.int64),
        line=np.array([item.line for _, item in block], dtype=np.int64),
        file=member,
    )


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return str(value)
    return _dump(value)


def _dump(value: Any) -> str:
    """A nested value as JSON, numbers by their digits."""
    if isinstance(value, _Digits):
        return str(value)
    if isinstance(value, dict):
        inner = ", ".join(f"{_dump(str(k))}: {_dump(v)}" for k, v in value.items())
        return "{" + inner + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_dump, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
