"""Water: results of a laboratory against standards.

``judge`` with its ``Verdict``, ``excess``, ``share_with_unknown`` (compliance, censored
results included) and ``speciation_factor`` (nitrate as N or as NO3).
"""

from ecotone.science.water.compliance import Verdict, excess, judge, share_with_unknown
from ecotone.science.water.speciation import speciation_factor

__all__ = ["Verdict", "excess", "judge", "share_with_unknown", "speciation_factor"]
