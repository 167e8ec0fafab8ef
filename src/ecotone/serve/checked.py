"""What a dry run of a delivery found, kept so that it can be told in any language."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ecotone.ingest.delivery import Delivery, Orders, process
from ecotone.ingest.sinks import DrySink
from ecotone.model.finding import Finding
from ecotone.model.words import Language

#: Of each kind so many are kept; the others are counted.
_OF_A_KIND: Final = 500
_ORDER: Final = ("fatal", "error", "warning", "info")


@dataclass
class Checked:
    """A delivery that changed nothing."""

    delivery: Delivery
    orders: Orders
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    kept: dict[tuple[str, str], list[Finding]] = field(default_factory=dict)

    @property
    def acceptable(self) -> bool:
        """Whether there is anything to accept."""
        return self.delivery.verdict != "refused"

    def kinds(self) -> list[tuple[str, str, int, list[Finding]]]:
        """Severity, code, how many, and the first of them; the worst first."""
        keys = sorted(self.counts, key=lambda k: (_ORDER.index(k[0]), k[1]))
        return [(s, c, self.counts[(s, c)], self.kept[(s, c)]) for s, c in keys]

    def lines(self, lang: Language) -> Iterator[str]:
        """The kept findings as the marker of workbooks reads them."""
        for found in self.kept.values():
            for finding in found:
                told = finding.as_json(lang) | {"file": finding.file, "line": finding.line}
                yield json.dumps(told, ensure_ascii=False)


class _Keeper(DrySink):
    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[tuple[str, str]] = Counter()
        self.kept: dict[tuple[str, str], list[Finding]] = {}

    def find(self, finding: Finding) -> None:
        kind = (str(finding.severity), finding.code)
        self.counts[kind] += 1
        if self.counts[kind] <= _OF_A_KIND:
            self.kept.setdefault(kind, []).append(finding)


def check(path: Path, orders: Orders, progress: Callable[[int], None]) -> Checked:
    """Read and check a delivery; nothing is kept but what was found."""
    sink = _Keeper()
    try:
        done = process(path, orders, sink, progress=progress)
    finally:
        sink.close()
    return Checked(done, orders, sink.counts, sink.kept)
