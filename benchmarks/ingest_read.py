"""Rows per second and peak memory of the table reader alone, clean and with 1 % bad rows.

The peer is pandas' reader on the clean file (its C parser, all columns as text), which neither
names bad rows nor bounds its memory.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from benchmarks.machine import machine

ROWS = 1_000_000
HEADER = "sample,site,day,latitude,longitude,observer,place,value"


def write_table(path: Path, rows: int, *, bad_every: int = 0) -> None:
    """A plausible table of eight columns; every ``bad_every``-th row is broken in one of ways."""
    rng = np.random.default_rng(1)
    bad = ("a,b,c", 'x,"open', "n\0,1,2,3,4,5,6,7", "1,2,3,4,5,6,7,8,9")
    with path.open("w", encoding="utf-8", newline="") as handle:
        handle.write(HEADER + "\n")
        for start in range(0, rows, 50_000):
            values = np.round(rng.lognormal(0, 1, min(50_000, rows - start)), 3).tolist()
            handle.writelines(
                bad[n // bad_every % len(bad)] + "\n"
                if bad_every and n % bad_every == bad_every - 1
                else f"S-{n},ST{n % 37},2023-07-{n % 28 + 1:02d},{38 + n % 1000 / 1000:.4f},"
                f'{73 + n % 777 / 1000:.4f},"Ivanov, I.",Kokuybel {n % 50},{value}\n'
                for n, value in enumerate(values, start)
            )


def read_table(path: Path) -> tuple[int, Counter[str], float]:
    """Rows read, findings by code, seconds."""
    from ecotone.formats.base import ReadOptions
    from ecotone.formats.delimited import read_blocks
    from ecotone.formats.safe import open_source

    codes: Counter[str] = Counter()
    start = time.perf_counter()
    with open_source(path) as source:
        rows = sum(
            len(block.frame)
            for block in read_blocks(
                source,
                path.name,
                options=ReadOptions(),
                delimiter=None,
                encoding=None,
                report=lambda finding: codes.update([finding.code]),
                reject=lambda file, row, line, raw: None,
            )
        )
    return rows, codes, time.perf_counter() - start


def peak_mb() -> float:
    """The most memory this process has held."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def main() -> None:
    """Print the figures."""
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        clean, broken = Path(folder) / "clean.csv", Path(folder) / "broken.csv"
        write_table(clean, ROWS)
        write_table(broken, ROWS, bad_every=100)
        read_table(clean)  # loads the libraries
        for path in (clean, broken):
            rows, codes, seconds = read_table(path)
            found = ", ".join(f"{code} {count}" for code, count in sorted(codes.items())) or "none"
            print(
                f"{path.stem}: {rows} rows in {seconds:.2f} s, {rows / seconds:,.0f} rows/s; "
                f"findings: {found}"
            )
        print(f"peak memory of the process so far: {peak_mb():.0f} MB")
        _time_pandas(clean)


def _time_pandas(path: Path) -> None:
    import pandas as pd

    start = time.perf_counter()
    rows = len(pd.read_csv(path, dtype="str", keep_default_na=False))
    seconds = time.perf_counter() - start
    print(f"pandas.read_csv: {rows} rows in {seconds:.2f} s, {rows / seconds:,.0f} rows/s")


if __name__ == "__main__":
    main()
