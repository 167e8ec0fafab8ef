"""False discoveries of the trend map over 50 seeds of the virtual basin.

Among the cells called significant at a false-discovery rate of 5 %, the share that were never
given a trend; and the same for single tests at 5 %. The rate is a mean over seeds, so the mean
is what must lie within its bound; weather that neighbours share makes single seeds vary.
"""

from __future__ import annotations

import numpy as np
from benchmarks.machine import machine

from ecotone.demo import noise
from ecotone.demo.simulate_land import NODATA, SCALE, make_land
from ecotone.demo.terrain import make_terrain
from ecotone.science.land import mann_kendall
from ecotone.science.stats import discovery_threshold

SEEDS = 50
RATE = 0.05
STEP = 3  # every third row and column


def main() -> None:
    """Grow the basins, test every cell, count."""
    print(machine())
    terrain = make_terrain(noise.streams(1, ("terrain",))["terrain"])
    shares, singles, powers = [], [], []
    for seed in range(1, SEEDS + 1):
        land = make_land(noise.streams(seed, ("land",))["land"], terrain)
        stack = land.ndvi[:, ::STEP, ::STEP]
        values = np.where(stack == NODATA, np.nan, stack * SCALE)
        planted = land.slope[::STEP, ::STEP] != 0
        test = mann_kendall(values)
        known = np.isfinite(test.p)
        threshold = discovery_threshold(test.p[known], RATE)
        called = known & (test.p <= threshold)
        shares.append(float((called & ~planted).sum() / max(1, called.sum())))
        singles.append(
            float((known & ~planted & (test.p <= RATE)).sum() / (known & ~planted).sum())
        )
        powers.append(float((called & planted).sum() / (known & planted).sum()))
    mean, error = float(np.mean(shares)), float(np.std(shares, ddof=1) / np.sqrt(SEEDS))
    print(f"{SEEDS} seeds, false-discovery rate asked for: {RATE:.0%}")
    print(f"false among the called   {mean:7.2%} +- {error:.2%} (95 % of seeds below "
          f"{np.quantile(shares, 0.95):.2%})")  # fmt: skip
    print(f"single tests at {RATE:.0%}       {np.mean(singles):7.2%} of unchanged cells called")
    print(f"planted cells found      {np.mean(powers):7.2%}")
    print("within its bound" if mean <= RATE + 2 * error else "BEYOND ITS BOUND")


if __name__ == "__main__":
    main()
