"""Floods: tables larger, wider or worse than any memory should have to hold."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

PROGRAM = """
    import json, resource, sys
    from collections import Counter
    from pathlib import Path
    from ecotone.formats.base import ReadOptions
    from ecotone.formats.csv import FORMAT
    from ecotone.formats.safe import open_source

    findings, rejected, rows = Counter(), [], 0
    places = []
    def report(finding):
        findings[finding.code] += 1
        if finding.row is not None:
            places.append((finding.code, finding.row, finding.line))
    with open_source(Path(sys.argv[1])) as source:
        assert FORMAT.recognise(source)
        for table in FORMAT.read(source, ReadOptions(), report, lambda *r: rejected.append(r[1:3])):
            rows += len(table.frame)
    status = Path("/proc/self/status")
    if status.exists():  # the other figure would hold the memory of whoever started this process
        told = next(t for t in status.read_text().splitlines() if t.startswith("VmHWM"))
        peak, scale = int(told.split()[1]), 1 << 10
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        scale = 1 << 20 if sys.platform == "darwin" else 1 << 10
    print(json.dumps({"rows": rows, "findings": findings, "rejected": len(rejected),
                      "peak": peak / scale, "places": places[:8] + places[-8:]}))
"""


def read_apart(path: Path) -> dict[str, object]:
    """Read in a process of its own, so that its peak memory is its own."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), str(path)],
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    return dict(json.loads(done.stdout))


def many_rows(path: Path) -> None:
    bad = {0: "a,b,c", 1: 'x,"open', 2: "n\0,1,2", 3: "1,2,3,4,5,6,7,8,9"}
    with path.open("w", encoding="utf-8", newline="") as handle:
        handle.write("sample,site,day,latitude,longitude,observer,place,value\n")
        handle.writelines(
            bad[n // 100 % 4] + "\n"
            if n % 100 == 99
            else f'S-{n},ST{n % 37},2023-07-01,38.5,73.2,"Ivanov, I.",Kokuybel,{n}.5\n'
            for n in range(1_000_000)
        )


@pytest.mark.slow
def test_a_million_rows_with_one_in_a_hundred_bad(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    many_rows(path)
    start = time.perf_counter()
    got = read_apart(path)
    assert time.perf_counter() - start < 30
    assert got["rows"] == 990_000
    assert got["rejected"] == 10_000
    assert got["findings"] == {
        "field-count": 5_000, "quote-unclosed": 2_500, "nul-byte": 2_500, "unmapped": 1,
    }  # fmt: skip
    places = got["places"]
    assert isinstance(places, list)
    assert places[:4] == [
        ["field-count", 100, 101], ["quote-unclosed", 200, 201], ["nul-byte", 300, 301],
        ["field-count", 400, 401],
    ]  # fmt: skip
    assert places[-1] == ["field-count", 1_000_000, 1_000_001]
    assert float(str(got["peak"])) < 300


def one_field(path: Path) -> None:
    path.write_bytes(b"a,b\n1,x\n2," + b"y" * 100_000_000 + b"\n3,z\n")


def one_quoted_field(path: Path) -> None:
    path.write_bytes(b'a,b\n1,x\n2,"' + b"y" * 100_000_000 + b'"\n3,z\n')


def one_open_quote(path: Path) -> None:
    path.write_bytes(b'a,b\n1,x\n2,"y\n' + b"3,zzzzzzzzzzzzzzzzzzzz\n" * 2_000_000)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("write", "rows", "code"),
    [
        (one_field, 2, "row-too-long"),
        (one_quoted_field, 2, "row-too-long"),
        (one_open_quote, 2_000_001, "quote-unclosed"),
    ],
)
def test_one_bad_cell_costs_one_row(
    tmp_path: Path, write: Callable[[Path], None], rows: int, code: str
) -> None:
    path = tmp_path / "t.csv"
    write(path)
    got = read_apart(path)
    assert got["rows"] == rows
    assert got["findings"] == {code: 1, "unmapped": 1}
    assert got["places"] == [[code, 2, 3]] * 2
    assert float(str(got["peak"])) < 350


@pytest.mark.slow
def test_a_hundred_thousand_columns(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    names = ",".join(f"c{i}" for i in range(100_000))
    path.write_text(names + "\n" + ",".join(["1"] * 100_000) + "\n")
    got = read_apart(path)
    assert got["rows"] == 1
    assert float(str(got["peak"])) < 800


def test_nothing_stays_behind_after_a_refusal(tmp_path: Path, monkeypatch) -> None:
    """Temporary files of a delivery go with it, also when it is refused half way."""
    import gzip
    import io
    import tarfile

    from ecotone.formats.base import Refused
    from ecotone.formats.safe import open_source

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        for name in ("good.csv", "../evil.csv"):
            member = tarfile.TarInfo(name)
            member.size = 4
            archive.addfile(member, io.BytesIO(b"a,b\n"))
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(held.getvalue()))
    with pytest.raises(Refused):
        open_source(path)
    assert [p.name for p in tmp_path.iterdir()] == ["a.tar.gz"]
