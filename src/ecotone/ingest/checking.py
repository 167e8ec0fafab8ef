"""What is checked over a whole delivery: the registered checks, and keys that repeat."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ecotone.ingest.convert import Converted
from ecotone.model.finding import Finding, Severity
from ecotone.model.keys import natural_keys
from ecotone.model.table import Table

if TYPE_CHECKING:
    from ecotone.ingest.checks.camera import Deployments

Hashes = NDArray[np.uint64]


class Checker:
    """Keeps what later blocks of a delivery are held against.

    That is, per noun, the hashes of the keys seen so far (8 bytes a record), and when each
    deployment was out.
    """

    def __init__(self) -> None:
        self._seen: dict[str, list[Hashes]] = {}
        self._deployments: Deployments | None = None

    def findings(self, table: Table, done: Converted) -> Iterator[Finding]:
        """What the registered checks say of a block, as delivered and as the records it became."""
        from ecotone.ingest.checks import camera, registry

        if self._deployments is None:
            self._deployments = camera.Deployments()
        if done.noun == "Deployment":
            self._deployments.add(done.frame)
        yield from registry.findings(table)
        yield from registry.record_findings(table, done.noun, self._deployments.join(done.frame))

    def duplicates(self, table: Table, done: Converted) -> list[Finding]:
        """Reject records whose key already came in this delivery; the first one counts."""
        keys = natural_keys(done.noun, done.frame)
        if keys is None:
            return []
        hashes, has_key = keys
        fresh = np.zeros(len(hashes), dtype=np.bool_)
        _, first = np.unique(hashes, return_index=True)
        fresh[first] = True
        for earlier in self._seen.get(done.noun, []):
            fresh &= ~np.isin(hashes, earlier, kind="sort")
        repeated = has_key & ~fresh & ~done.rejected
        self._remember(done.noun, np.sort(hashes[has_key & ~done.rejected]))
        done.rejected |= repeated
        return [
            Finding(
                code="duplicate-key",
                severity=Severity.ERROR,
                row=int(table.row[index]),
                line=int(table.line[index]),
                file=table.file,
                params={"noun": done.noun},
            )
            for index in np.flatnonzero(repeated)
        ]

    def _remember(self, noun: str, fresh: Hashes) -> None:
        """Runs of like size are merged, so few runs are searched however long the delivery."""
        runs = self._seen.setdefault(noun, [])
        runs.append(fresh)
        while len(runs) > 1 and len(runs[-2]) <= 2 * len(runs[-1]):
            runs[-2:] = [np.sort(np.concatenate(runs[-2:]))]
