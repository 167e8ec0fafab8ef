"""Dictionaries and classes say the same; every sentence stands in three languages."""

from __future__ import annotations

import re
import string
import types
import typing
from datetime import datetime
from pathlib import Path

import pytest
from pydantic import AwareDatetime
from tests.support import ROOT

from ecotone.model import words
from ecotone.model.dictionary import RECORD_NOUNS, attributes, dictionary
from ecotone.model.records import RECORD_CLASSES

SOURCE = ROOT / "src" / "ecotone"
CODE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)+")


@pytest.mark.parametrize("noun", RECORD_NOUNS)
def test_a_dictionary_is_its_class(noun: str) -> None:
    fields = RECORD_CLASSES[noun].model_fields
    described = attributes(noun)
    assert list(described) == list(dict.fromkeys(a.name for a in dictionary(noun)))
    assert set(described) == set(fields)
    for name, attribute in described.items():
        assert attribute.required == fields[name].is_required(), name
        assert fields_type(fields[name].annotation) == attribute_type(attribute.type), name


@pytest.mark.parametrize("noun", RECORD_NOUNS)
def test_every_attribute_is_described_in_three_languages(noun: str) -> None:
    for attribute in dictionary(noun):
        assert all(attribute.description[lang].strip() for lang in words.LANGUAGES), attribute.name
        assert not (attribute.unit and attribute.type not in ("number", "integer"))


def test_every_noun_has_a_class() -> None:
    assert set(RECORD_NOUNS) == set(RECORD_CLASSES)


def test_every_sentence_stands_in_three_languages_with_the_same_places() -> None:
    wrong = [key for key, texts in words.catalogue().items() if not is_whole(texts)]
    assert not wrong


def is_whole(texts: dict[str, str]) -> bool:
    """All three languages, none empty, each with the same places to fill."""
    places = [
        {field for _, field, _, _ in string.Formatter().parse(text) if field}
        for text in texts.values()
    ]
    same = all(place == places[0] for place in places)
    return set(texts) == set(words.LANGUAGES) and same and all(t.strip() for t in texts.values())


def test_every_finding_code_in_the_source_has_its_sentence() -> None:
    missing = {
        f"{path.relative_to(SOURCE)}: {code}"
        for path in SOURCE.rglob("*.py")
        for code in finding_codes(path)
        if not words.has(f"finding.{code}")
    }
    assert not missing


def finding_codes(path: Path) -> set[str]:
    """Texts that a source file uses as codes of findings."""
    text = path.read_text(encoding="utf-8")
    calls = (
        r"(?:\bFinding\(\s*(?:code=)?|\brefused\(\s*|\.flag\(\s*|_Refused\(\s*|UnknownZone\(\s*)"
    )
    found = set(re.findall(rf'{calls}"([^"\n]+)"', text))
    found |= set(re.findall(r'"([a-z0-9-]+)": Severity\.', text))
    return {code for code in found if CODE.fullmatch(code)}


def attribute_type(text: str) -> str:
    if "|" in text:
        return text
    return {"id": "text", "date": "time"}.get(text, text)


def fields_type(annotation: object) -> str:
    """The dictionary's word for an annotation."""
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        (annotation,) = (a for a in typing.get_args(annotation) if a is not type(None))
        return fields_type(annotation)
    if typing.get_origin(annotation) is typing.Literal:
        return "|".join(typing.get_args(annotation))
    if typing.get_origin(annotation) in (dict, list):
        return "json"
    plain = {str: "text", int: "integer", float: "number", bool: "boolean"}
    plain |= {AwareDatetime: "time", datetime: "time"}
    return plain[annotation]
