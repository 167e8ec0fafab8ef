"""The Occurrence terms: presence, sex, how it came there, type status."""

from __future__ import annotations

from typing import Final

import numpy as np

from ecotone.ingest.checks.base import (
    Check,
    Mask,
    Parameters,
    Responses,
    amendment,
    issue,
    proposals,
    validation,
)
from ecotone.ingest.checks.block import Block
from ecotone.ingest.checks.common import in_vocabulary, not_empty, to_vocabulary
from ecotone.ingest.checks.vocabulary import Vocabulary, vocabulary
from ecotone.model.finding import Severity

STATUS: Final = "dwc:occurrenceStatus"
SEX: Final = "dwc:sex"
MEANS: Final = "dwc:establishmentMeans"
DEGREE: Final = "dwc:degreeOfEstablishment"
PATHWAY: Final = "dwc:pathway"
TYPE_STATUS: Final = "dwc:typeStatus"
_COUNTS: Final = ("dwc:individualCount", "dwc:organismQuantity")


def _assume_present(block: Block, parameters: Parameters) -> Responses:
    empty = block.term(STATUS).empty
    for term in _COUNTS:
        empty = empty & block.term(term).empty
    proposed = proposals(empty, parameters["defaultOccurrenceStatus"])
    return amendment(block.nothing(), {STATUS: proposed}, filled=True)


def _means_given(block: Block, parameters: Parameters) -> Responses:
    return issue(~block.term(MEANS).empty)


def _is_type(text: str, terms: frozenset[str]) -> bool:
    portions = [portion.strip(" ") for portion in text.split("|")]
    return text == text.strip() and all(p.split(" ")[0] in terms for p in portions)


def _type_standard(block: Block, parameters: Parameters) -> Responses:
    column, terms = block.term(TYPE_STATUS), vocabulary("type_status").terms
    fits = column.each(lambda text: "yes" if _is_type(text, terms) else None)
    return validation(column.empty, np.asarray(fits == "yes"))


def _type_in_other_case(block: Block) -> Mask:
    terms = frozenset(term.casefold() for term in vocabulary("type_status").terms)
    column = block.term(TYPE_STATUS)
    fits = column.each(lambda text: "yes" if _is_type(text.casefold(), terms) else None)
    return np.asarray(fits == "yes")


def _amend_type(known: Vocabulary, text: str) -> str | None:
    """Put right the first word of each portion; nothing where one of them is unclear."""
    portions = []
    for portion in text.split("|"):
        word, _, rest = portion.strip().partition(" ")
        term = known.interpret(word)
        if term is None:
            return None
        portions.append(f"{term} {rest}".strip())
    proposed = " | ".join(portions)
    return None if proposed == text or _is_type(text, known.terms) else proposed


CHECKS: Final = (
    not_empty(
        "VALIDATION_OCCURRENCESTATUS_NOTEMPTY", "eb4a17f6-6bea-4cdd-93dd-d5a7e9d1eccf", STATUS
    ),
    in_vocabulary(
        "VALIDATION_OCCURRENCESTATUS_STANDARD",
        "7af25f1e-a4e2-4ff4-b161-d1f25a5c3e47",
        STATUS,
        "occurrence_status",
    ),
    to_vocabulary(
        "AMENDMENT_OCCURRENCESTATUS_STANDARDIZED",
        "f8f3a093-042c-47a3-971a-a482aaaf3b75",
        STATUS,
        "occurrence_status",
    ),
    Check(
        label="AMENDMENT_OCCURRENCESTATUS_ASSUMEDDEFAULT",
        guid="96667a0a-ae59-446a-bbb0-b7f2b0ca6cf5",
        dimension="Completeness",
        terms=(STATUS,),
        consulted=_COUNTS,
        function=_assume_present,
        parameters={"defaultOccurrenceStatus": "present"},
    ),
    in_vocabulary("VALIDATION_SEX_STANDARD", "88d8598b-3318-483d-9475-a5acf9887404", SEX, "sex"),
    to_vocabulary("AMENDMENT_SEX_STANDARDIZED", "33c45ae1-e2db-462a-a59e-7169bb01c5d6", SEX, "sex"),
    Check(
        label="ISSUE_ESTABLISHMENTMEANS_NOTEMPTY",
        guid="acc8dff2-d8d1-483a-946d-65a02a452700",
        dimension="Completeness",
        terms=(MEANS,),
        function=_means_given,
    ),
    in_vocabulary(
        "VALIDATION_ESTABLISHMENTMEANS_STANDARD",
        "4eb48fdf-7299-4d63-9d08-246902e2857f",
        MEANS,
        "establishment_means",
    ),
    to_vocabulary(
        "AMENDMENT_ESTABLISHMENTMEANS_STANDARDIZED",
        "15d15927-7a22-43f8-88d6-298f5eb45c4c",
        MEANS,
        "establishment_means",
    ),
    in_vocabulary(
        "VALIDATION_DEGREEOFESTABLISHMENT_STANDARD",
        "060e7734-607d-4737-8b2c-bfa17788bf1a",
        DEGREE,
        "degree_of_establishment",
    ),
    to_vocabulary(
        "AMENDMENT_DEGREEOFESTABLISHMENT_STANDARDIZED",
        "74ef1034-e289-4596-b5b0-cde73796697d",
        DEGREE,
        "degree_of_establishment",
    ),
    in_vocabulary(
        "VALIDATION_PATHWAY_STANDARD", "5424e933-bee7-4125-839e-d8743ea69f93", PATHWAY, "pathway"
    ),
    to_vocabulary(
        "AMENDMENT_PATHWAY_STANDARDIZED", "f9205977-f145-44f5-8cb9-e3e2e35ce908", PATHWAY, "pathway"
    ),
    Check(
        label="VALIDATION_TYPESTATUS_STANDARD",
        guid="4833a522-12eb-4fe0-b4cf-7f7a337a6048",
        dimension="Conformance",
        terms=(TYPE_STATUS,),
        function=_type_standard,
        parameters={"sourceAuthority": "type_status"},
        severity=Severity.WARNING,
        unless=_type_in_other_case,
    ),
    to_vocabulary(
        "AMENDMENT_TYPESTATUS_STANDARDIZED",
        "b3471c65-b53e-453b-8282-abfa27bf1805",
        TYPE_STATUS,
        "type_status",
        _amend_type,
    ),
)
