"""What kind of record it is, and what was done to it before it came."""

from __future__ import annotations

from typing import Final

from ecotone.ingest.checks.base import Check, Parameters, Responses, issue
from ecotone.ingest.checks.block import Block
from ecotone.ingest.checks.common import in_vocabulary, not_empty, to_vocabulary

BASIS: Final = "dwc:basisOfRecord"
TYPE: Final = "dc:type"
GENERALIZED: Final = "dwc:dataGeneralizations"
_ANNOTATIONS: Final = ("bdqval:annotation", "bdqval:annotationAlertif")


def _generalized(block: Block, parameters: Parameters) -> Responses:
    return issue(~block.term(GENERALIZED).empty)


def _annotated(block: Block, parameters: Parameters) -> Responses:
    given = block.nothing()
    for term in _ANNOTATIONS:
        given = given | ~block.term(term).empty
    return issue(given)


CHECKS: Final = (
    not_empty("VALIDATION_BASISOFRECORD_NOTEMPTY", "ac2b7648-d5f9-48ca-9b07-8ad5879a2536", BASIS),
    in_vocabulary(
        "VALIDATION_BASISOFRECORD_STANDARD",
        "42408a00-bf71-4892-a399-4325e2bc1fb8",
        BASIS,
        "basis_of_record",
    ),
    to_vocabulary(
        "AMENDMENT_BASISOFRECORD_STANDARDIZED",
        "07c28ace-561a-476e-a9b9-3d5ad6e35933",
        BASIS,
        "basis_of_record",
    ),
    not_empty("VALIDATION_DCTYPE_NOTEMPTY", "374b091a-fc90-4791-91e5-c1557c649169", TYPE),
    in_vocabulary(
        "VALIDATION_DCTYPE_STANDARD", "cdaabb0d-a863-49d0-bc0f-738d771acba5", TYPE, "dcmi_type"
    ),
    to_vocabulary(
        "AMENDMENT_DCTYPE_STANDARDIZED", "bd385eeb-44a2-464b-a503-7abe407ef904", TYPE, "dcmi_type"
    ),
    Check(
        label="ISSUE_DATAGENERALIZATIONS_NOTEMPTY",
        guid="13d5a10e-188e-40fd-a22c-dbaa87b91df2",
        dimension="Resolution",
        terms=(GENERALIZED,),
        function=_generalized,
    ),
    Check(
        label="ISSUE_ANNOTATION_NOTEMPTY",
        guid="fecaa8a3-bbd8-4c5a-a424-13c37c4bb7b1",
        dimension="Reliability",
        terms=_ANNOTATIONS,
        function=_annotated,
        parameters={"annotationSystem": "annotations delivered with the record"},
    ),
)
