"""Seconds until ``import ecotone`` and ``ecotone --help`` are done, beside an empty Python."""

from __future__ import annotations

import subprocess
import sys
import time

from benchmarks.machine import machine


def best_of(command: list[str], times: int = 7) -> float:
    """Shortest wall time of a command."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        taken.append(time.perf_counter() - started)
    return min(taken)


def main() -> None:
    """Print the times."""
    print(machine())
    empty = best_of([sys.executable, "-c", "pass"])
    package = best_of([sys.executable, "-c", "import ecotone"]) - empty
    help_ = best_of([sys.executable, "-m", "ecotone.cli", "--help"])
    print(f"empty Python: {empty:.3f} s")
    print(f"import ecotone: {package:.3f} s more (wanted: 0.15)")
    print(f"ecotone --help: {help_:.3f} s (wanted: 0.4)")


if __name__ == "__main__":
    main()
