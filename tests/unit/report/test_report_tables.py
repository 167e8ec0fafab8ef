"""Tables of the report: how their cells are written."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from ecotone.model.words import Language
from ecotone.report.pictures import Pictures
from ecotone.report.source import read_run
from ecotone.report.tables import result_table
from ecotone.report.writing import Writing


@pytest.mark.parametrize(("lang", "yes"), [("en", "yes"), ("zh", "是"), ("ru", "да")])
def test_flags_moments_and_lists_are_written_in_words(run: Path, lang: Language, yes: str) -> None:
    folder = read_run(run)
    entry = next(e for e in folder.entries if e.indicator == "water.compliance")

    def prepare(_: str, frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(
            kept=[i % 2 == 0 for i in range(len(frame))],
            merged=True,
            at=["2024-01-02T00:00:00Z", "2024-01-02T03:04:05Z"] * (len(frame) // 2)
            + ["2024-01-02"] * (len(frame) % 2),
            which="ammonium; nobody's word",
            station=[str(i) for i in range(len(frame))],
        )

    table = result_table(
        Writing(folder, lang, Pictures(folder)), [entry], "compliance", ("kept", "at"), prepare
    )
    assert table is not None
    first, second = table.rows[:2]
    assert first[0] == yes and second[0] != yes
    assert (first[1], second[1]) == ("2024-01-02 00:00 UTC", "2024-01-02 03:04:05 UTC")
    note = "".join(piece.text for piece in table.note)
    assert yes in note and "True" not in note
