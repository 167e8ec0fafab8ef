"""Land: yearly means and trends of gridded series such as NDVI.

``annual_mean`` and ``calendar_years`` (yearly means), ``mann_kendall`` with its result
``TrendTest`` and its ``METHODS`` (trend, p, Sen slope and interval), ``kendall_exact_p`` and
``kendall_critical`` (the exact distribution behind p).
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
