"""Whatever a table holds, it comes back as it was written; whatever bytes come, nothing breaks."""

from __future__ import annotations

import csv
import io
import itertools
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecotone.formats import csv_scan
from ecotone.formats.base import ReadOptions, Refused
from ecotone.formats.csv import write_csv
from ecotone.formats.csv_scan import Dialect, scan
from ecotone.formats.delimited import read_blocks
from ecotone.formats.safe import open_source
from ecotone.model.finding import Finding, Severity

LETTERS = st.characters(exclude_categories=("Cs",), exclude_characters="\0\ufffd")
CELLS = st.one_of(
    st.none(),
    st.text(LETTERS, min_size=1, max_size=12),
    st.sampled_from(
        ['"', '""', ",", "\n", "\r\n", "\r", ";", '","', '"\n', " ", "=1", "站", "\ufeff"]
    ),
)
TABLES = st.integers(1, 5).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=12)
)


@pytest.fixture(autouse=True, params=["careful", "plain"])
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "plain":
        monkeypatch.setattr(csv_scan, "_SMALL", -1)
    else:
        monkeypatch.setattr(csv_scan, "_SMALL", 1 << 40)


def read(data: bytes, delimiter: str = ",") -> tuple[pd.DataFrame, list[Finding], list[str]]:
    findings: list[Finding] = []
    rejected: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_bytes(data)
        with open_source(path) as source:
            frames = [
                block.frame
                for block in read_blocks(
                    source, "t.csv", options=ReadOptions(), delimiter=delimiter, encoding="utf-8",
                    report=findings.append, reject=lambda f, row, line, raw: rejected.append(raw),
                )
            ]  # fmt: skip
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(), findings, rejected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(cells=TABLES, delimiter=st.sampled_from(",;\t|"), bom=st.booleans())
def test_what_is_written_is_read(cells: list[list[str | None]], delimiter: str, bom: bool) -> None:
    columns = [f"c{i}" for i in range(len(cells[0]))]
    frame = pd.DataFrame(cells, columns=columns, dtype="str")
    held = io.BytesIO()
    write_csv(held, frame, delimiter=delimiter, bom=bom, formulas=True)
    got, findings, rejected = read(held.getvalue(), delimiter)
    assert rejected == []
    assert not [f for f in findings if f.severity is not Severity.INFO]
    assert got.fillna("\0").values.tolist() == frame.fillna("\0").values.tolist()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=st.lists(st.lists(st.text(LETTERS, max_size=8), min_size=2, max_size=4), max_size=10))
def test_good_rows_agree_with_the_standard_library(rows: list[list[str]]) -> None:
    held = io.StringIO()
    csv.writer(held, lineterminator="\r\n").writerows([["a", "b", "c"], *rows])
    got, findings, rejected = read(held.getvalue().encode())
    wanted = [row for row in rows if len(row) == 3 and any(row)]
    surplus = [row for row in rows if len(row) == 4 and row[3] == "" and any(row)]
    if not surplus:
        assert got.fillna("").values.tolist() == wanted
        assert len(rejected) == sum(len(row) != 3 and any(row) for row in rows)
    assert {f.severity for f in findings} <= {Severity.ERROR, Severity.INFO}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    data=st.lists(
        st.sampled_from([b'"', b",", b"\n", b"\r", b"\0", b"\xff", b"a", b"\xd0\xb9"]), max_size=60
    ).map(b"".join),
    cut=st.integers(0, 60),
)
def test_walking_in_pieces_gives_the_same_records(data: bytes, cut: int) -> None:
    """Pieces end anywhere: the same good rows and the same places of the bad ones.

    An open quote needs what follows to be judged, so pieces are joined as the reader does it.
    """
    dialect = Dialect(ord(","), ord('"'))

    def all_of(pieces: list[bytes]) -> tuple[list[object], list[object]]:
        good: list[object] = []
        bad: list[object] = []
        held, line, row = b"", 1, 0
        for number, piece in enumerate(pieces):
            held += piece
            found = scan(held, dialect, expected=2, most=10**6, line=line, row=row,
                         final=number == len(pieces) - 1, max_field=1000)  # fmt: skip
            text, offsets = bytes(found.text), [int(o) for o in found.offsets]
            cells = [text[a:b] for a, b in itertools.pairwise(offsets)]
            good += [(int(found.row[i]), int(found.line[i]), *cells[2 * i : 2 * i + 2])
                     for i in range(len(found.fields))]  # fmt: skip
            bad += [(b.row, b.line, b.reason, held[b.start : b.end]) for b in found.bad]
            held, line, row = held[found.consumed :], found.next_line, found.next_row
        assert held == b""
        return good, bad

    assert all_of([data[:cut], data[cut:]]) == all_of([data])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.binary(max_size=300))
def test_any_bytes_end_in_rows_rejections_or_a_refusal(data: bytes) -> None:
    try:
        frame, findings, rejected = read(b"a,b\n" + data)
    except Refused:
        return
    assert len(rejected) == sum(f.severity is Severity.ERROR for f in findings)
    assert list(frame.columns) == ["a", "b"]
