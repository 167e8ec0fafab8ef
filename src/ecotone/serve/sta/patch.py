"""JSON Patch (RFC 6902) on one entity, as the changes that follow from it."""

from __future__ import annotations

import copy
from typing import Any

from ecotone.model.sensorthings import malformed


def applied(document: dict[str, Any], operations: Any) -> dict[str, Any]:
    """The document after all operations; Refused where one of them cannot be done."""
    if not isinstance(operations, list):
        raise malformed("sta.patch-unreadable")
    found: Any = copy.deepcopy(document)
    for each in operations:
        if not isinstance(each, dict):
            raise malformed("sta.patch-unreadable")
        found = _one(found, each)
    if not isinstance(found, dict):
        raise malformed("sta.patch-unreadable")
    return found


def changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What of the properties is other than it was; what is gone becomes empty."""
    changed = {k: v for k, v in after.items() if k not in before or before[k] != v}
    return {**changed, **{k: None for k in before if k not in after}}


def _one(document: Any, said: dict[str, Any]) -> Any:
    name, path = said.get("op"), _steps(said.get("path"))
    match name:
        case "add":
            return _put(document, path, _given(said), new=True)
        case "replace":
            _find(document, path)
            return _put(document, path, _given(said), new=False)
        case "remove":
            return _without(document, path)
        case "copy":
            return _put(document, path, copy.deepcopy(_find(document, _from(said))), new=True)
        case "move":
            source = _from(said)
            if path[: len(source)] == source and path != source:
                raise malformed("sta.patch-failed", op="move", path="/".join(path))
            value = _find(document, source)
            return _put(_without(document, source), path, value, new=True)
        case "test":
            if _find(document, path) != _given(said):
                raise malformed("sta.patch-failed", op="test", path="/".join(path))
            return document
    raise malformed("sta.patch-unreadable")


def _given(said: dict[str, Any]) -> Any:
    if "value" not in said:
        raise malformed("sta.patch-unreadable")
    return said["value"]


def _from(said: dict[str, Any]) -> list[str]:
    return _steps(said.get("from"))


def _steps(pointer: Any) -> list[str]:
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
        raise malformed("sta.patch-unreadable")
    return [s.replace("~1", "/").replace("~0", "~") for s in pointer.split("/")[1:]]


def _find(document: Any, path: list[str]) -> Any:
    for step in path:
        if isinstance(document, dict) and step in document:
            document = document[step]
        elif isinstance(document, list) and step.isdecimal() and int(step) < len(document):
            document = document[int(step)]
        else:
            raise malformed("sta.patch-failed", op="find", path="/".join(path))
    return document


def _put(document: Any, path: list[str], value: Any, *, new: bool) -> Any:
    if not path:
        return value
    parent, last = _find(document, path[:-1]), path[-1]
    if isinstance(parent, dict):
        parent[last] = value
    elif isinstance(parent, list) and last == "-" and new:
        parent.append(value)
    elif isinstance(parent, list) and last.isdecimal() and int(last) <= len(parent):
        if new:
            parent.insert(int(last), value)
        else:
            parent[int(last)] = value
    else:
        raise malformed("sta.patch-failed", op="add", path="/".join(path))
    return document


def _without(document: Any, path: list[str]) -> Any:
    if not path:
        raise malformed("sta.patch-failed", op="remove", path="")
    _find(document, path)
    parent, last = _find(document, path[:-1]), path[-1]
    if isinstance(parent, dict):
        del parent[last]
    else:
        del parent[int(last)]
    return document
