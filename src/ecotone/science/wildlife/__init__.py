"""Wildlife: how many animals, told apart by coat or genotype, and where.

Spatial capture-recapture: ``Session`` (``Detectors``, ``Mask``, ``Captures``), ``Model``,
``fit`` with its ``SecrFit``, ``likelihood``.
"""

from ecotone.science.wildlife import estimates
from ecotone.science.wildlife.formula import FormulaError
from ecotone.science.wildlife.secr import SecrFit, fit
from ecotone.science.wildlife.secr_model import Likelihood, Model, likelihood
from ecotone.science.wildlife.survey import Captures, Detectors, Mask, Session, cell_area

__all__ = [
    "Captures",
    "Detectors",
    "FormulaError",
    "Likelihood",
    "Mask",
    "Model",
    "SecrFit",
    "Session",
    "cell_area",
    "estimates",
    "fit",
    "likelihood",
]
