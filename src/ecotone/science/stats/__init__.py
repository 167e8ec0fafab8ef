"""Statistics that several fields share.

``kendall_exact_p``, ``kendall_critical``, ``kendall_tail`` (the exact distribution of Kendall's
S), ``false_discovery``, ``discovery_threshold`` (many tests at once), ``wilson`` and
``clopper_pearson`` (the interval of a share of trials).
"""

from ecotone.science.stats.discovery import discovery_threshold, false_discovery
from ecotone.science.stats.kendall import kendall_critical, kendall_exact_p, kendall_tail
from ecotone.science.stats.shares import clopper_pearson, wilson

__all__ = [
    "clopper_pearson",
    "discovery_threshold",
    "false_discovery",
    "kendall_critical",
    "kendall_exact_p",
    "kendall_tail",
    "wilson",
]
