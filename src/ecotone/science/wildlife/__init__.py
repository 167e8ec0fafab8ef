"""Wildlife: how many animals, told apart by coat or genotype, and where.

Spatial capture-recapture: ``Session`` (``Detectors``, ``Mask``, ``Captures``), ``Model``, ``fit``
with its ``SecrFit``, ``likelihood``; what a fit says in ``estimates``, what speaks against it in
``checks`` and ``fitness``; ``simulate`` and ``study_design``; ``secr_text`` for secr's files.
Identity: ``genotypes`` (PID, heterozygosity), ``matching`` (unique genotypes), ``replicates``
(error rates, consensus), ``relatedness``. Occupancy: ``occupancy`` (one season) and
``dynamic_occupancy``. Cameras and patrols: ``encounter`` and ``activity``. ``formula`` and
``model_matrix`` are the models' language.
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
