"""``python -m benchmarks``: all of them, one after the other."""

from __future__ import annotations

from benchmarks import (
    connectivity,
    door,
    ingest,
    land_spi,
    land_trend,
    ledger,
    packages,
    start,
    water_wrtds,
    wildlife_secr,
)

for benchmark in (
    start,
    land_trend,
    ingest,
    ledger,
    packages,
    door,
    land_spi,
    water_wrtds,
    wildlife_secr,
    connectivity,
):
    print(f"\n== {benchmark.__name__.rsplit('.', maxsplit=1)[-1]}")
    benchmark.main()
