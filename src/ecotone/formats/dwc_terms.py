"""Darwin Core's vocabulary: term addresses, short names, and what a table of terms records.

Terms of the Darwin Core standard (TDWG, https://dwc.tdwg.org/terms/); row types of its text
guide (https://dwc.tdwg.org/text/) and of the GBIF and OBIS extensions.
"""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Iterable
from importlib import resources
from typing import Final
from urllib.parse import quote, unquote

NAMESPACES: Final = {
    "dwc": "http://rs.tdwg.org/dwc/terms/",
    "dcterms": "http://purl.org/dc/terms/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "gbif": "http://rs.gbif.org/terms/1.0/",
    "eco": "http://rs.tdwg.org/eco/terms/",
    "ac": "http://rs.tdwg.org/ac/terms/",
    "obis": "http://rs.iobis.org/obis/terms/",
}
#: Columns that belong to no standard keep their name inside such an address.
OWN: Final = "urn:ecotone:column:"

#: Classes whose row type lies outside Darwin Core's own namespace.
_ROW_TYPES: Final = {
    **dict.fromkeys(
        (
            "VernacularName",
            "Distribution",
            "Description",
            "Identifier",
            "Image",
            "Multimedia",
            "Reference",
            "SpeciesProfile",
            "TypesAndSpecimen",
        ),
        "gbif",
    ),
    "ExtendedMeasurementOrFact": "obis",
}
#: The Humboldt extension calls its rows Event too; beside an Event core that would mislead.
_HUMBOLDT: Final = NAMESPACES["eco"] + "Event"
#: Row types that say no more than "some Darwin Core record".
_UNSAID: Final = frozenset({"SimpleDarwinRecord", "DarwinRecord"})

#: The term that identifies a record of a core class.
KEYS: Final = {
    "Occurrence": "occurrenceID",
    "Event": "eventID",
    "Taxon": "taxonID",
    "MeasurementOrFact": "measurementID",
    "ResourceRelationship": "resourceRelationshipID",
    "Identification": "identificationID",
    "MaterialSample": "materialSampleID",
    "Organism": "organismID",
}

#: A share of headers this large must be terms before a bare table is taken for Darwin Core.
_MOSTLY: Final = 0.5
_FEWEST: Final = 2


@functools.cache
def _terms() -> dict[str, tuple[str, str, str]]:
    """``{lower-case name: (name, namespace, group)}``."""
    text = resources.files("ecotone.formats").joinpath("dwc_terms.csv").read_text(encoding="utf-8")
    return {
        line["term"].lower(): (line["term"], line["namespace"], line["group"])
        for line in csv.DictReader(text.splitlines())
    }


def short_name(address: str) -> str:
    """The short name of a term or row type: what stands after the last ``/``, ``#`` or ``:``."""
    if address.startswith(OWN):
        return unquote(address.removeprefix(OWN))
    return re.split(r"[/#:]", address.rstrip("/#:"))[-1] or address


def record_type(row_type: str, terms: Iterable[str]) -> str:
    """The record type that a row type names; where it says nothing, what the terms tell."""
    if row_type == _HUMBOLDT:
        return "Humboldt"
    name = short_name(row_type)
    if name and name not in _UNSAID:
        return name
    return dwc_type_of(list(terms)) or "Occurrence"


def term_address(name: str) -> str:
    """The address of a column for a descriptor; a name outside the standards stays ours."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:\S+$", name):
        return name
    known = _terms().get(name.lower())
    if known is not None and known[0] == name:
        return NAMESPACES[known[1]] + name
    return OWN + quote(name, safe="")


def row_type_address(record: str) -> str:
    """The address of a record type for a descriptor."""
    if record == "Humboldt":
        return _HUMBOLDT
    if "://" in record:
        return record
    return NAMESPACES[_ROW_TYPES.get(record, "dwc")] + record


def dwc_terms(headers: Iterable[str]) -> dict[str, str]:
    """``{header: term}`` for the headers that are Darwin Core terms, in the standard's spelling.

    Case is forgiven (``eventId``, ``scientificname``), so are a term's full address and the
    prefixes ``dwc:``, ``dcterms:`` and ``dc:``. Of two headers for one term the first counts.
    """
    found: dict[str, str] = {}
    for header in headers:
        known = _terms().get(short_name(header.strip()).lower())
        if known is not None and known[0] not in found.values():
            found[header] = known[0]
    return found


def dwc_type_of(headers: Iterable[str]) -> str | None:
    """The Darwin Core class that a bare table records, or None when it is no such table.

    Asked of the headers alone. A table counts when at least two headers, and half of all, are
    terms and one of them says what a row is: a measurement, an occurrence, an event, a name.
    """
    headers = [h for h in headers if h.strip()]
    terms = set(dwc_terms(headers).values())
    # One term alone may be an everyday word such as "sex" or "family".
    if len(terms) < _FEWEST or len(terms) < _MOSTLY * len(headers):
        return None
    groups = {group for name, _, group in _terms().values() if name in terms}
    if terms >= {"measurementType", "measurementValue"}:
        return "MeasurementOrFact"
    if "relatedResourceID" in terms or "relationshipOfResource" in terms:
        return "ResourceRelationship"
    placed = bool(groups & {"Location", "Event"})
    named = bool(terms & {"scientificName", "taxonID", "vernacularName"})
    if terms & _OCCURRENCE or (named and placed):
        return "Occurrence"
    if "eventID" in terms or ("eventDate" in terms and "samplingProtocol" in terms):
        return "Event"
    return "Taxon" if named else None


#: Terms that only a record of an occurrence carries.
_OCCURRENCE: Final = frozenset(
    {
        "occurrenceID",
        "basisOfRecord",
        "catalogNumber",
        "individualCount",
        "recordedBy",
        "occurrenceStatus",
        "organismID",
        "recordNumber",
    }
)
