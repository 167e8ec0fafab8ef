"""A finding: what is wrong with which row, in plain words, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from enum import StrEnum

from ecotone.model import words


class Severity(StrEnum):
    """How much a finding weighs."""

    INFO = "info"  #: something the reader should know; nothing is wrong
    WARNING = "warning"  #: the row is taken, someone should look
    ERROR = "error"  #: the row is rejected and kept in quarantine
    FATAL = "fatal"  #: the whole delivery is refused


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found in a delivery or a computation.

    ``row`` is the number of the record in its file, 1 for the first record
    after the header; ``line`` is the physical line where it starts. ``params``
    fills the sentence of catalogue key ``finding.<code>``; the advice, if any,
    is ``finding.<code>.do``.
    """

    code: str
    severity: Severity
    row: int | None = None
    field: str | None = None
    value: str | None = None
    file: str | None = None
    line: int | None = None
    params: Mapping[str, str] = dataclass_field(default_factory=dict)

    def message(self, lang: str = "en") -> str:
        """The sentence, where it is, and what to do."""
        shown = "" if self.value is None else _shorten(self.value)
        parts = [
            words.say(
                f"finding.{self.code}",
                lang,
                **{
                    **self.params,
                    "value": shown,
                    "field": self.field or "",
                    "row": "" if self.row is None else self.row,
                    "line": "" if self.line is None else self.line,
                    "file": self.file or "",
                },
            )
        ]
        if self.file and self.line is not None:
            parts.append(words.say("finding-place.file-line", lang, file=self.file, line=self.line))
        elif self.line is not None:
            parts.append(words.say("finding-place.line", lang, line=self.line))
        elif self.file:
            parts.append(words.say("finding-place.file", lang, file=self.file))
        if words.has(f"finding.{self.code}.do"):
            parts.append(words.say(f"finding.{self.code}.do", lang, **self.params))
        return " ".join(parts)

    def as_json(self, lang: str = "en") -> dict[str, object]:
        """The form printed by ``--json``."""
        return {
            "code": self.code,
            "severity": str(self.severity),
            "row": self.row,
            "field": self.field,
            "value": None if self.value is None else _shorten(self.value),
            "message": self.message(lang),
        }


def _shorten(text: str, limit: int = 200) -> str:
    """A value fit for a sentence: control characters shown, long text cut."""
    clean = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text[: limit + 1])
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"
