"""Where a dry run goes: counted, nothing kept but what was found."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from ecotone.model.finding import Finding

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_IN_MEMORY = 8 << 20


class DrySink:
    """Keeps the findings (spooled to disk past a few megabytes) and lets records go."""

    def __init__(self, lang: str = "en", *, keep_places: bool = False) -> None:
        self._lang = lang
        #: With file and line, for the workbook that is given back; kept only when asked for.
        self.keep_places = keep_places
        self.placed: list[str] = []
        # Closed by ``close``: the findings outlive the delivery they were found in.
        self._spool: IO[str] = tempfile.SpooledTemporaryFile(  # noqa: SIM115
            max_size=_IN_MEMORY, mode="w+", encoding="utf-8"
        )

    def add(
        self,
        noun: str,
        frame: pd.DataFrame,
        rows: NDArray[np.int64],
        lines: NDArray[np.int64],
        file: str,
    ) -> None:
        """Nothing is kept in a dry run."""

    def reject(self, file: str, row: int, line: int, raw: str, finding: Finding | None) -> None:
        """The row's finding has already said what is wrong."""

    def find(self, finding: Finding) -> None:
        """Keep the finding as a line of JSON."""
        self._spool.write(json.dumps(finding.as_json(self._lang), ensure_ascii=False) + "\n")
        if self.keep_places:
            placed = finding.as_json(self._lang) | {"file": finding.file, "line": finding.line}
            self.placed.append(json.dumps(placed, ensure_ascii=False))

    def findings(self) -> Iterator[str]:
        """The findings as JSON texts, in order."""
        self._spool.seek(0)
        for line in self._spool:
            yield line.rstrip("\n")

    def close(self) -> None:
        """Give the spool back."""
        self._spool.close()
