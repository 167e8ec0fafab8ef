"""Names: whether there is one, whether its parts agree, its rank.

The BDQ tests that look a name up (``..._FOUND``, ``TAXON_UNAMBIGUOUS``) need a backbone of the
world's names, which no delivery and no node brings along; they are not here.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from ecotone.ingest.checks.base import Check, Parameters, Responses, validation
from ecotone.ingest.checks.block import Block
from ecotone.ingest.checks.common import all_empty, in_vocabulary, not_empty, to_vocabulary
from ecotone.model.finding import Severity

NAME: Final = "dwc:scientificName"
NAME_ID: Final = "dwc:scientificNameID"
RANK: Final = "dwc:taxonRank"
_PARTS: Final = ("dwc:genericName", "dwc:specificEpithet", "dwc:infraspecificEpithet")
_TAXON: Final = tuple(
    f"dwc:{term}"
    for term in (
        "taxonID", "scientificNameID", "acceptedNameUsageID", "parentNameUsageID",
        "originalNameUsageID", "taxonConceptID", "scientificName", "higherClassification",
        "kingdom", "phylum", "class", "order", "superfamily", "family", "subfamily", "tribe",
        "subtribe", "genus", "genericName", "subgenus", "infragenericEpithet", "specificEpithet",
        "infraspecificEpithet", "vernacularName", "cultivarEpithet",
    )
)  # fmt: skip
#: A URN with namespace and name, an identifier as scope:value, or an address with a path.
_IDENTIFIER: Final = (
    r"(?i:urn:lsid:[\w.-]+:[\w.-]+:[^\s:]+(?::[^\s:]+)?"
    r"|urn:(?!lsid:)[a-z0-9][a-z0-9-]{0,30}:[^\s]+"
    r"|[a-z][a-z0-9+.-]*://[^\s/?#]+/[^\s/]\S*"
    r"|(?!urn:|https?:)[a-z][\w.-]*:(?!//)[^\s]+)"
)
_EPITHET: Final = re.compile(r"[^\W\d_][\w-]*")


def _polynomial(block: Block, parameters: Parameters) -> Responses:
    codes, distinct = block.distinct(NAME, *_PARTS)
    agree = np.array([_agrees(*texts) for texts in distinct], dtype=np.bool_)
    nothing = [block.term(term).empty for term in _PARTS]
    unmet = block.term(NAME).empty | (nothing[0] & nothing[1] & nothing[2])
    return validation(unmet, agree[codes])


def _agrees(name: str, generic: str, specific: str, infraspecific: str) -> bool:
    """Whether the parts stand in the name where they belong."""
    words = [w for w in name.replace("×", " ").split() if not re.fullmatch(r"[xX]|\(.*\)", w)]
    if generic and (not words or words[0] != generic.strip()):
        return False
    epithets = [w for w in words[1:] if _EPITHET.fullmatch(w) and w[0].islower()]
    if specific and (not epithets or epithets[0] != specific.strip()):
        return False
    return not infraspecific or (len(epithets) > 1 and infraspecific.strip() in epithets[1:])


def _id_complete(block: Block, parameters: Parameters) -> Responses:
    column = block.term(NAME_ID)
    return validation(column.empty, column.matches(_IDENTIFIER))


CHECKS: Final = (
    not_empty(
        "VALIDATION_SCIENTIFICNAME_NOTEMPTY",
        "7c4b9498-a8d9-4ebb-85f1-9f200c788595",
        NAME,
        severity=Severity.WARNING,
        unless=all_empty(*_TAXON),
    ),
    not_empty(
        "VALIDATION_TAXON_NOTEMPTY",
        "06851339-843f-4a43-8422-4e61b9a00e75",
        *_TAXON,
        severity=Severity.WARNING,
        nouns=("Occurrence", "Taxon"),
    ),
    Check(
        label="VALIDATION_POLYNOMIAL_CONSISTENT",
        guid="17f03f1f-f74d-40c0-8071-2927cfc9487b",
        dimension="Consistency",
        terms=(NAME, *_PARTS),
        needs=(NAME,),
        function=_polynomial,
        severity=Severity.INFO,
    ),
    not_empty(
        "VALIDATION_SCIENTIFICNAMEID_NOTEMPTY", "401bf207-9a55-4dff-88a5-abcd58ad97fa", NAME_ID
    ),
    Check(
        label="VALIDATION_SCIENTIFICNAMEID_COMPLETE",
        guid="6eeac3ed-f691-457f-a42e-eaa9c8a71ce8",
        dimension="Completeness",
        terms=(NAME_ID,),
        function=_id_complete,
        severity=Severity.INFO,
    ),
    not_empty(
        "VALIDATION_SCIENTIFICNAMEAUTHORSHIP_NOTEMPTY",
        "49f1d386-5bed-43ae-bd43-deabf7df64fc",
        "dwc:scientificNameAuthorship",
    ),
    not_empty(
        "VALIDATION_NAMEPUBLISHEDINYEAR_NOTEMPTY",
        "ff59f77d-71e9-4eb1-aac9-8bd05c50ff70",
        "dwc:namePublishedInYear",
    ),
    not_empty("VALIDATION_KINGDOM_NOTEMPTY", "36ed36c9-b1a7-40b2-b5e2-0d012e772098", "dwc:kingdom"),
    not_empty("VALIDATION_TAXONRANK_NOTEMPTY", "14da5b87-8304-4b2b-911d-117e3c29e890", RANK),
    in_vocabulary(
        "VALIDATION_TAXONRANK_STANDARD", "7bdb13a4-8a51-4ee5-be7f-20693fdb183e", RANK, "taxon_rank"
    ),
    to_vocabulary(
        "AMENDMENT_TAXONRANK_STANDARDIZED",
        "e39098df-ef46-464c-9aef-bcdeee2a88cb",
        RANK,
        "taxon_rank",
    ),
)
