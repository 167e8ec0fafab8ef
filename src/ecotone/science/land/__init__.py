"""Land: vegetation, land cover, soil carbon, degradation, drought and wind.

* ``annual``, ``trend``: yearly means, Mann-Kendall and Sen;
* ``productivity``, ``wocat``, ``quantiles``: trend, state and performance, and their classes by
  rule set; the exact percentile of each ecological unit;
* ``climate``, ``accuracy``: vegetation less what rain explains; areas corrected by a sample;
* ``cover``, ``carbon``: legends, transitions, soil carbon of tier 1;
* ``status``: one-out-all-out, status against the baseline, corrections, neutrality;
* ``areas``, ``coverage``: areas on the ellipsoid, shares of cells inside a polygon;
* ``standardised`` (fast by ``gamma_scores``), ``evapotranspiration``, ``drought``: SPI and SPEI,
  classes, exposure;
* ``wind``, ``sand``, ``dryland``: wind erosion, drift of sand, aridity and sensitivity.

The functions of the trend test are here as well; the others are taken from their modules.
"""

from ecotone.science.land.annual import annual_mean, calendar_years
from ecotone.science.land.trend import METHODS, Method, TrendTest, mann_kendall
from ecotone.science.stats.kendall import kendall_critical, kendall_exact_p

__all__ = [
    "METHODS",
    "Method",
    "TrendTest",
    "annual_mean",
    "calendar_years",
    "kendall_critical",
    "kendall_exact_p",
    "mann_kendall",
]
