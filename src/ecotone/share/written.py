"""Agreements as people write them, TOML or YAML: read as plain data, or refused in a sentence.

The text comes from outside. What YAML can do beyond plain data is refused: aliases (nine lines of
them make a thousand million entries), tags, and an entry that stands twice in one mapping, of which
a reader of the page would see the first and the machine would take the last.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

import yaml

from ecotone.model.errors import InputRefused
from ecotone.model.words import say

#: Zones drawn finely make a text long; nothing that people sign is longer than this.
MOST_BYTES: Final = 1024 * 1024


def document(path: Path) -> Any:
    """The plain data of a file: mappings, lists, texts, numbers, days.

    Raises InputRefused for what is too long, nested without end, no TOML or YAML, or uses what
    plain data does not need.
    """
    with path.open("rb") as stream:
        raw = stream.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        most = f"{MOST_BYTES // 1024**2}"
        raise InputRefused(say("share.agreement-long", path=path.name, most=most))
    try:
        text = raw.decode("utf-8-sig")
        if path.suffix.lower() == ".toml":
            return tomllib.loads(text)
        # The loader below is yaml's safe one, made stricter.
        return yaml.load(text, Loader=_Plain)
    except RecursionError as error:
        why = say("share.agreement-deep")
        raise InputRefused(say("share.agreement-unreadable", path=path.name, why=why)) from error
    except (yaml.YAMLError, ValueError) as error:
        # ValueError: no UTF-8, no TOML, the 30th of February, a number of five thousand digits.
        raise InputRefused(say("share.agreement-unreadable", path=path.name, why=error)) from error


class _Plain(yaml.SafeLoader):
    """YAML without aliases and without entries that stand twice."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Refuse an alias where it stands, before anything is multiplied."""
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]  # yaml types it not
            raise yaml.MarkedYAMLError(None, None, say("share.agreement-alias"), event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuse a mapping that says one thing twice."""
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                told = say("share.agreement-twice", entry=key.value)
                raise yaml.MarkedYAMLError(None, None, told, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)
