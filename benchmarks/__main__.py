"""``python -m benchmarks``: all of them, one after the other."""

from __future__ import annotations

from benchmarks import (
    backup,
    camtrapdp,
    connectivity,
    door,
    ingest,
    land_areas,
    land_discovery,
    land_spi,
    land_trend,
    ledger,
    packages,
    portal,
    sensorthings,
    start,
    water_statistics,
    water_wrtds,
    wildlife_secr,
)

for benchmark in (
    start,
    land_trend,
    ingest,
    ledger,
    backup,
    packages,
    door,
    land_spi,
    land_areas,
    land_discovery,
    water_statistics,
    water_wrtds,
    wildlife_secr,
    camtrapdp,
    connectivity,
    sensorthings,
    portal,
):
    print(f"\n== {benchmark.__name__.rsplit('.', maxsplit=1)[-1]}")
    benchmark.main()
