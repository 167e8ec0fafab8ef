"""``python -m benchmarks``: all of them, one after the other."""

from __future__ import annotations

from benchmarks import ingest, land_trend, ledger, packages, start

for benchmark in (start, land_trend, ingest, ledger, packages):
    print(f"\n== {benchmark.__name__.rsplit('.', maxsplit=1)[-1]}")
    benchmark.main()
