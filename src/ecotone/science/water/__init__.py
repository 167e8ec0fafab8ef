"""Water: results of a laboratory against standards, censored results included.

``judge`` with its ``Verdict``, ``excess`` and ``share_with_unknown``.
"""

from ecotone.science.water.compliance import Verdict, excess, judge, share_with_unknown

__all__ = ["Verdict", "excess", "judge", "share_with_unknown"]
