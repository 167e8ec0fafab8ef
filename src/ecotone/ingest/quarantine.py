"""Rejected rows, given back as a table a steward can correct and deliver again."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

from ecotone.ingest.one_pass import NOTE
from ecotone.model.words import Language

if TYPE_CHECKING:
    from ecotone.store import Store


def export(store: Store, batch_id: str, out: Path, lang: Language) -> int:
    """Write the rejected rows of a batch as CSV (UTF-8 with a mark, as Excel wants it).

    The row's own columns come first; columns that begin with ``ecotone:`` say where the row
    stood and what is wrong, and are left out when the file is delivered again. A row that
    could not be split into columns stands whole in ``ecotone:raw``. Returns the number of rows.
    """
    columns: dict[str, None] = {}
    for _, _, _, raw, _ in store.quarantine(batch_id):
        columns.update(dict.fromkeys(_cells(raw)))
    notes = [f"{NOTE}{name}" for name in ("file", "row", "line", "code", "message", "raw")]
    number = 0
    part = out.with_name(out.name + ".part")
    with part.open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.DictWriter(handle, [*columns, *notes], restval="")
        writer.writeheader()
        for file, row, line, raw, finding in store.quarantine(batch_id):
            cells = _cells(raw)
            told = (
                file,
                row,
                line,
                finding.code if finding else "",
                finding.message(lang) if finding else "",
                "" if cells else raw,
            )
            writer.writerow({**cells, **dict(zip(notes, map(str, told), strict=True))})
            number += 1
    part.replace(out)
    return number


def _cells(raw: str) -> dict[str, str]:
    """The cells of a row that was kept column by column; none of one kept as plain text."""
    if not raw.startswith("{"):
        return {}
    try:
        document = json.loads(raw)
    except json.JSONDecodeError:
        return {}
    return {str(k): "" if v is None else str(v) for k, v in document.items()}
