"""Water: results of a laboratory against standards, non-detects, trends, loads, streams.

* ``compliance``: ``judge`` with its ``Verdict``, ``excess`` and ``share_with_unknown``;
  ``conformity``: the four states of uncertain results, percentile rules;
* ``censored``: ``kaplan_meier``, ``ros``, ``mle_lognormal`` and ``quantile`` of results with
  non-detects; ``censored_tests``: ``peto_prentice``, ``akritas_theil_sen``, ``turnbull_median``;
* ``trend``: ``seasonal_kendall`` (seasonal, regional, partial; correlated blocks),
  ``homogeneity``, ``pettitt``;
* ``indices``: CCME, worst factor, NSF, TLI and TSI, SDG 6.3.2; ``oxygen``: ``saturation``;
* ``wrtds``: weighted regressions on time, discharge and season, with flow normalisation
  (compiled in ``wrtds_kernels``, drawn again in ``wrtds_bootstrap``, held to the samples in
  ``wrtds_kalman``); ``loads``: other estimators;
* ``stream_qc``: QARTOD's tests of a sensor's stream.
"""

from ecotone.science.water.censored import (
    CensoredSummary,
    kaplan_meier,
    mle_lognormal,
    quantile,
    ros,
)
from ecotone.science.water.censored_tests import (
    akritas_theil_sen,
    peto_prentice,
    turnbull_median,
)
from ecotone.science.water.compliance import Verdict, excess, judge, share_with_unknown
from ecotone.science.water.trend import BlockTrend, homogeneity, pettitt, seasonal_kendall

__all__ = [
    "BlockTrend",
    "CensoredSummary",
    "Verdict",
    "akritas_theil_sen",
    "excess",
    "homogeneity",
    "judge",
    "kaplan_meier",
    "mle_lognormal",
    "peto_prentice",
    "pettitt",
    "quantile",
    "ros",
    "seasonal_kendall",
    "share_with_unknown",
    "turnbull_median",
]
