"""Vocabularies, licences and names: hand-made cases beside the reference data."""

from __future__ import annotations

import pandas as pd
import pytest

from ecotone.ingest.checks import licence, occurrence, record, taxon
from ecotone.ingest.checks.block import Block
from ecotone.ingest.checks.licence import address
from ecotone.ingest.checks.vocabulary import vocabulary

BY_ID = {c.id: c for family in (licence, occurrence, record, taxon) for c in family.CHECKS}
BY = "https://creativecommons.org/licenses/by/4.0/"


def answer(check: str, **terms: str) -> tuple[str, str | dict[str, str]]:
    frame = pd.DataFrame({term: [text] for term, text in terms.items()}, dtype="str")
    got = BY_ID[check].run(Block(frame)).at(0)
    return str(got.status), dict(got.changes) or got.result


@pytest.mark.parametrize(
    ("name", "text", "term"),
    [
        ("basis_of_record", "Human obs", "HumanObservation"), ("basis_of_record", "Specimen", None),
        ("basis_of_record", "preserved specimen", "PreservedSpecimen"),
        ("basis_of_record", "人工观测", "HumanObservation"), ("sex", "самка", "Female"),
        ("sex", "♂", "Male"), ("sex", "雌", "Female"), ("sex", "x", None), ("sex", "mf", None),
        ("dcmi_type", "http://purl.org/dc/dcmitype/StillImage", "StillImage"),
        ("taxon_rank", "sp.", "species"), ("taxon_rank", "subsp.", "subspecies"),
        ("taxon_rank", "亚种", "subspecies"), ("taxon_rank", "sic.", None),
        ("establishment_means", "int", "introduced"), ("establishment_means", "cultivated", None),
        ("degree_of_establishment", "col.", "colonising"),
        ("pathway", "Ballast water", "ballastWater"),
        ("type_status", "Holo.", "Holotype"), ("occurrence_status", "0", "absent"),
        ("occurrence_status", "", None), ("occurrence_status", "!!", None),
    ],
)  # fmt: skip
def test_interpreting(name: str, text: str, term: str | None) -> None:
    assert vocabulary(name).interpret(text) == term


@pytest.mark.parametrize(
    "name",
    ["basis_of_record", "dcmi_type", "degree_of_establishment", "establishment_means",
     "occurrence_status", "pathway", "sex", "taxon_rank", "type_status"],
)  # fmt: skip
def test_each_term_stands_for_itself(name: str) -> None:
    known = vocabulary(name)
    assert known.terms
    for term in known.terms:
        assert known.interpret(term) == term
        assert known.amend(term) is None
        assert known.interpret(term.upper()) == term


def test_type_status_may_be_a_list() -> None:
    check = "validation-typestatus-standard"
    assert answer(check, typeStatus="Holotype of Aus bus | Paratype of Cus dus")[1] == "COMPLIANT"
    assert answer(check, typeStatus="Holotype | voucher")[1] == "NOT_COMPLIANT"
    got = answer("amendment-typestatus-standardized", typeStatus="holo. of Aus bus|paratype")
    assert got[1] == {"dwc:typeStatus": "Holotype of Aus bus | Paratype"}
    assert answer("amendment-typestatus-standardized", typeStatus="holo. | x")[0] == "NOT_AMENDED"


@pytest.mark.parametrize(
    ("text", "fits"),
    [(BY, True), (BY + "legalcode", True), (BY + "deed.ru", True), (BY[:-1], False),
     ("http" + BY[5:], True), (BY.replace("4.0", "3.0"), False), (BY + "deed.xx", False),
     ("https://creativecommons.org/publicdomain/zero/1.0/", True), (" " + BY, False)],
)  # fmt: skip
def test_licence_addresses(text: str, fits: bool) -> None:
    assert (answer("validation-license-standard", license=text)[1] == "COMPLIANT") == fits


def test_licence_names() -> None:
    assert address("CC BY-NC-SA 4.0") == (
        "https://creativecommons.org/licenses/by-nc-sa/4.0/legalcode"
    )
    assert address("Creative Commons Attribution 4.0 International License") == BY + "legalcode"
    assert address("creativecommons.org/licenses/by/4.0") == BY + "legalcode"
    assert [address(t) for t in ("CC BY", "CC BY 3.0", "GPL", "", "x")] == [None] * 5
    assert answer("amendment-license-standardized", license=BY)[0] == "NOT_AMENDED"


@pytest.mark.parametrize(
    ("name", "generic", "specific", "infra", "agree"),
    [
        ("Hakea decurrens ssp. physocarpa", "", "decurrens", "physocarpa", True),
        ("Hakea decurrens", "Hakea", "decurrens", "physocarpa", False),
        ("Panthera uncia (Schreber, 1775)", "Panthera", "uncia", "", True),
        ("Panthera uncia (Schreber, 1775)", "Uncia", "uncia", "", False),
        ("Salix × rubens Schrank", "Salix", "rubens", "", True),
        ("Panthera uncia", "Panthera", "pardus", "", False),
    ],
)
def test_parts_of_names(name: str, generic: str, specific: str, infra: str, agree: bool) -> None:
    got = answer(
        "validation-polynomial-consistent", scientificName=name, genericName=generic,
        specificEpithet=specific, infraspecificEpithet=infra,
    )  # fmt: skip
    assert got[1] == ("COMPLIANT" if agree else "NOT_COMPLIANT")


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("urn:lsid:zoobank.org:act:17ADF24F-027F-44F6-9543-D3D0260CE79E", True),
        ("urn:uuid:8fa58e08-08de-4ac1-b69c-1235340b7001", True), ("gbif:8102122", True),
        ("https://www.gbif.org/species/8102122", True), ("https://www.gbif.org/", False),
        ("https://www.gbif.org", False), ("Hakea decurrens", False), ("8102122", False),
        ("urn:lsid:zoobank.org", False), ("urn:", False),
    ],
)  # fmt: skip
def test_identifiers_of_names(text: str, complete: bool) -> None:
    got = answer("validation-scientificnameid-complete", scientificNameID=text)[1]
    assert got == ("COMPLIANT" if complete else "NOT_COMPLIANT")


def test_issues() -> None:
    assert answer("issue-datageneralizations-notempty", dataGeneralizations="0.1 degree")[1] == (
        "POTENTIAL_ISSUE"
    )
    assert answer("issue-annotation-notempty", **{"bdqval:annotation": " "})[1] == "NOT_ISSUE"
