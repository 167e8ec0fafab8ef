from __future__ import annotations

import pandas as pd
import pytest

from ecotone.model.agreement import Class
from ecotone.share.names import Name, Names, equal_names, ever_of, holds, plain, taxa_of, told_by
from ecotone.share.table import NOT_NAMED, UNCLEAR, Table
from tests.unit.share.fixtures import decided, nowhere

CAT = Class(
    name="cats",
    taxa=("Panthera uncia",),
    synonyms={"Panthera uncia": ("Uncia uncia", "Felis uncia")},
    level="generalised",
    cell_degrees=0.1,
)


@pytest.mark.parametrize(
    "written",
    [
        "Panthera uncia",
        "PANTHERA  UNCIA",
        "Panthera\u00a0uncia",
        "Panthera_uncia",
        "Pan\u200bthera uncia",
        "Panthera (Uncia) uncia",
        "Panthera uncia irbis",
        "Panthera uncia subsp. irbis (Ehrenberg, 1830)",
        "Panthera uncia (Schreber, 1775)",
        "Uncia uncia",
        "felis UNCIA Schreber",
        "Ｐanthera uncia",
    ],
)
def test_every_spelling_rank_below_and_synonym_is_the_taxon(written):
    assert holds(CAT, written) == (True, True)


@pytest.mark.parametrize(
    "written",
    [
        None,
        "",
        "sp.",
        "Panthera",
        "Panthera sp.",
        "Panthera cf. uncia",
        "Panthera uncia?",
        "P. uncia",
        "P.uncia irbis",
        "cf. Panthera uncia",
        "Panthera aff. uncia",
    ],
)
def test_what_is_left_open_is_possible_and_never_certain(written):
    assert holds(CAT, written) == (False, True)


@pytest.mark.parametrize(
    "written",
    ["Panthera pardus", "Panthera uncialis", "Lynx lynx", "L. uncia", "P. unciae", "Pant"],
)
def test_another_taxon_is_neither(written):
    assert holds(CAT, written) == (False, False)


def test_a_genus_holds_for_its_species_and_a_bare_letter_for_no_more_than_it_can():
    genus = Class(name="g", taxa=("Panthera",), level="withheld")
    assert holds(genus, "Panthera uncia") == (True, True)
    assert holds(genus, "P. uncia") == (False, True)
    assert holds(genus, "Pantherina uncia") == (False, False)


def test_taxa_and_synonyms_are_made_plain():
    assert taxa_of(CAT) == ("panthera uncia", "uncia uncia", "felis uncia")
    assert plain("Panthera uncia").doubtful is False
    assert plain(" ? ").doubtful is True
    assert plain("  ").doubtful is True
    assert plain(None) == Name("", True)
    authors = plain("Panthera (Uncia) uncia (Schreber, 1775)")
    assert authors == Name("panthera uncia (schreber, 1775)", False)


def test_further_names_close_where_they_are_sure():
    assert told_by(CAT, ["Felidae", "uncia uncia"])
    assert not told_by(CAT, ["Felidae", "Panthera"])


def test_checklists_tell_which_names_are_one():
    taxa = pd.DataFrame(
        {
            "name": ["Old cat", "Panthera uncia", "Third cat", "Apart", None, "Fourth cat"],
            "accepted_name": ["Panthera  uncia", None, None, None, "X", None],
            "taxon_id": ["1", "2", "3", "4", "5", "6"],
            "accepted_id": [None, None, "2", "9", None, None],
            "original_id": [None, None, None, None, None, "3"],
        }
    )
    equal = equal_names(taxa)
    group = ("fourth cat", "old cat", "panthera uncia", "third cat")
    assert equal["old cat"] == equal["panthera uncia"] == equal["fourth cat"] == group
    assert "apart" not in equal and "" not in equal


def test_names_ever_by_record():
    frame = pd.DataFrame({"id": ["a", "a", "b"], "name": ["x", None, "y"]})
    assert ever_of(frame) == {"a": ("x", None), "b": ("y",)}


GOATS = {"name": "goats", "taxa": ["Capra sibirica"], "level": "full"}
CATS = {"name": "cats", "taxa": ["Panthera uncia"], "level": "generalised", "cell_degrees": 0.1}
REST = {"name": "rest", "level": "full"}


def seen(taxon, **more):
    return pd.DataFrame({"id": ["r1"], "dataset_id": ["cats"], "taxon": [taxon], **more})


def found(classes, frame, names=None, noun="Occurrence"):
    table = Table(decided(classes), names)
    code = int(table.assign(frame, noun, nowhere(len(frame)))[0])
    return table.decisions[code].name if code >= 0 else code


def test_a_name_ever_borne_closes_what_the_new_one_would_open():
    ever = Names(ever={"r1": ("Panthera uncia", "Capra sibirica")})
    goat = seen("Capra sibirica")
    assert found([GOATS, CATS], goat) == "goats"
    assert found([GOATS, CATS], goat, ever) == "cats"
    # Where nobody agreed on cats, a goat that was a cat stays at home.
    assert found([GOATS], goat, ever) == UNCLEAR
    # A version without any name may have been anything.
    assert found([GOATS], goat, Names(ever={"r1": ("Capra sibirica", None)})) == UNCLEAR
    assert found([GOATS], goat, Names(ever={"other": ("Panthera uncia",)})) == "goats"


def test_checklists_individuals_and_higher_ranks_only_close():
    listed = Names(equal={"snow cat": ("panthera uncia", "snow cat")})
    assert found([REST, CATS], seen("Snow cat")) == "rest"
    assert found([REST, CATS], seen("Snow cat"), listed) == "cats"
    # A checklist never opens: no class names a snow cat, so it stays.
    assert found([{**CATS, "level": "full", "cell_degrees": None}], seen("Snow cat"), listed) == (
        UNCLEAR
    )
    animal = seen("Mammalia", individual=["f1"])
    known = Names(of_individual={("cats", "f1"): "Panthera uncia"})
    assert found([REST, CATS], animal, known, "Observation") == "cats"
    assert found([REST, CATS], animal, None, "Observation") == "rest"
    elsewhere = Names(of_individual={("dogs", "f1"): "Panthera uncia"})
    assert found([REST, CATS], animal, elsewhere, "Observation") == "rest"
    family = {"name": "family", "taxa": ["Felidae"], "level": "withheld"}
    assert found([REST, family], seen("Lynx lynx", family=["Felidae"])) == "family"
    assert found([REST, family], seen("Capra sibirica", family=["Bovidae"])) == "rest"
    # The genus of another species of it says nothing.
    assert found([REST, CATS], seen("Panthera pardus", genus=["Panthera"])) == "rest"


def test_what_shows_no_name_is_closed_by_a_class_by_name_but_places_are_not():
    frame = pd.DataFrame({"id": ["r1"], "dataset_id": ["cats"]})
    assert found([REST, CATS], frame, noun="Media") == "cats"
    assert found([CATS], frame, noun="Media") == UNCLEAR
    for noun in ("Deployment", "Site", "Event", "Sample", "Coverage", "Device"):
        assert found([REST, CATS], frame, noun=noun) == "rest"
        assert found([CATS], frame, noun=noun) == NOT_NAMED


@pytest.mark.parametrize(
    ("noun", "column"),
    [
        *(("Occurrence", name) for name in (
            "genus", "family", "taxon_order", "taxon_class", "phylum", "kingdom", "vernacular_name",
        )),
        ("Taxon", "accepted_name"),
    ],
)  # fmt: skip
def test_whatever_column_says_the_same_in_other_words_closes(noun, column):
    group = {**CATS, "taxa": ["Irbis"]}
    own = "name" if noun == "Taxon" else "taxon"
    rows = pd.DataFrame({"id": ["r1"], "dataset_id": ["cats"], own: ["Snow cat"]})
    assert found([REST, group], rows, noun=noun) == "rest"
    assert found([REST, group], rows.assign(**{column: "Irbis"}), noun=noun) == "cats"


@pytest.mark.parametrize(
    "noun",
    [
        "AlarmRule", "AnalysisBatch", "Coverage", "CustodyEvent", "Deployment", "Device",
        "DeviceEvent", "Event", "QualityControl", "QualityFlag", "Sample", "Site",
    ],
)  # fmt: skip
def test_a_class_by_taxa_says_nothing_of_what_is_of_no_taxon(noun):
    rows = pd.DataFrame({"id": ["r1"], "dataset_id": ["cats"]})
    assert found([CATS], rows, noun=noun) == NOT_NAMED
    assert found([CATS, REST], rows, noun=noun) == "rest"
    # A photograph says not what it shows: the class is possible for it.
    assert found([CATS, REST], rows, noun="Media") == "cats"
