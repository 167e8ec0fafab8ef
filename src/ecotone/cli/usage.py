"""Wrong usage in the reader's language: what the library says in English alone."""

from __future__ import annotations

import re
from typing import Any

from ecotone.cli.language import language, word

_COMMAND = re.compile(r"No such command '(.*)'")
_NUMBER = re.compile(r"valid (?:integer|number|float)")
_EXTRA = re.compile(r"unexpected extra argument\S* \((.*)\)")


def told(error: Exception) -> str | None:
    """How to call the command and what was wrong; None where the library says it as well."""
    said = None if language() == "en" else _said(error)
    if said is None:
        return None
    context: Any = getattr(error, "ctx", None)
    if context is None:
        return f"{word('error')} {said}"
    usage = re.sub(r"^Usage:\s*", "", context.get_usage())
    lines = (word("usage.usage", usage=usage), word("usage.help", command=context.command_path))
    return "\n".join([*lines, f"\n{word('error')} {said}"])


def _said(error: Any) -> str | None:
    match type(error).__name__:
        case "MissingParameter":
            return word("usage.missing", name=_name(error))
        case "NoSuchOption":
            return word("usage.no-option", name=error.option_name)
        case "BadOptionUsage":
            return word("usage.no-value", name=error.option_name)
        case "BadParameter":
            return _bad_value(error)
    message = str(getattr(error, "message", ""))
    if found := _COMMAND.search(message):
        return word("usage.no-command", name=found[1])
    if found := _EXTRA.search(message):
        return word("usage.extra", text=found[1])
    return None


def _bad_value(error: Any) -> str:
    choices = getattr(getattr(error.param, "type", None), "choices", None)
    if choices:
        return word("usage.not-one-of", name=_name(error), known=", ".join(map(str, choices)))
    if _NUMBER.search(error.message):
        return word("usage.not-a-number", name=_name(error))
    return word("usage.bad-value", name=_name(error), why=error.message)


def _name(error: Any) -> str:
    """The option as it is typed, or the argument as help shows it."""
    param = error.param
    if param is None:
        return str(error.param_hint or "")
    if param.param_type_name == "option":
        return " / ".join(param.opts)
    return str(param.metavar or param.human_readable_name).strip("{}")
