"""What holds for every check: words, identity, and an answer for any text whatever."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecotone.ingest.checks import (
    camera,
    coordinates,
    countries,
    heights,
    identifiers,
    licence,
    occurrence,
    record,
    taxon,
    time,
    time_amend,
    water,
    water_rows,
)
from ecotone.ingest.checks.base import Check, Kind, Response, Result, Status
from ecotone.ingest.checks.block import Block
from ecotone.model.finding import Finding
from ecotone.model.words import LANGUAGES, catalogue, say

FAMILIES = (
    camera, coordinates, countries, heights, identifiers, licence, occurrence, record, taxon,
    time, time_amend, water, water_rows,
)  # fmt: skip
CHECKS = tuple(check for family in FAMILIES for check in family.CHECKS)
EVERY = pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
#: Texts that have broken readers of one kind or another.
ODD = (
    "", " ", "\u200b", "null", "NaN", "inf", "-inf", "1e400", "0", "-0", "１２", "٣", "1_000", "²",
    "0x10", "True", "9" * 30, "2023-02-30", "2023-13", "9999-12", "9999-12-31", "0000",
    "0000-01-01",
    "2023-W53", "2020-W53-7", "/", "2023/", "2023/2022", "2023-01-01T10:00Z/..", "T10:00", "a/b/c",
    "EPSG:99999999", "EPSG:0", "EPSG:4326", "|", "| |", "urn:", "=1+1", "\ud7ff", "м" * 200, "♀",
    "41°3'9\"S", "12 34 56", "1;2;3", "10 m - 5 m", "1.2.3", "(Linnaeus, 1758)", "×", "x y",
)  # fmt: skip


def test_ids_guids_and_labels_are_unique() -> None:
    assert len({c.id for c in CHECKS}) == len(CHECKS)
    assert len({c.label for c in CHECKS}) == len(CHECKS)
    guids = [c.guid for c in CHECKS if c.guid]
    assert len(set(guids)) == len(guids)
    told = [c.code for c in CHECKS if c.severity]
    assert len(set(told)) == len(told)


@EVERY
def test_every_check_has_title_and_text(check: Check) -> None:
    for part in ("title", "text"):
        texts = catalogue()[f"check.{check.id}.{part}"]
        assert all(texts[lang].strip() for lang in LANGUAGES)
        assert len(set(texts.values())) == len(LANGUAGES)


@EVERY
def test_every_finding_has_its_sentence(check: Check) -> None:
    if check.severity is None:
        pytest.skip("the check is not run on deliveries")
    assert check.kind is Kind.VALIDATION
    finding = Finding(check.code, check.severity, 1, "f", "v", params={"count": "1234"})
    for lang in LANGUAGES:
        assert "1234" in finding.message(lang)
        assert "{" not in finding.message(lang)


@pytest.mark.parametrize("word", [*Status, *Result])
def test_every_answer_has_its_comment(word: str) -> None:
    for lang in LANGUAGES:
        assert say(f"check-response.{word}", lang, result="3", changes="{}")


def test_comments_show_what_is_proposed() -> None:
    assert "NL" in Response(Status.AMENDED, changes={"dwc:countryCode": "NL"}).comment("ru")
    assert "86400" in Response(Status.RUN_HAS_RESULT, "86400").comment("zh")


@EVERY
def test_odd_texts_get_an_answer(check: Check) -> None:
    rows = len(ODD)
    frame = pd.DataFrame(
        {term: [ODD[(i * step) % rows] for i in range(rows)] for step, term in
         zip((1, 3, 7, 11, 13, 17, 19, 23, 29) * 3, check.inputs, strict=False)},
        dtype="str",
    )  # fmt: skip
    _answers(check, frame)


@settings(max_examples=15, deadline=None)
@given(texts=st.lists(st.text(max_size=12), min_size=1, max_size=12))
@EVERY
def test_any_text_gets_an_answer(check: Check, texts: list[str]) -> None:
    clean = [text.encode("utf-8", "ignore").decode() for text in texts]
    _answers(check, pd.DataFrame(dict.fromkeys(check.inputs, clean), dtype="str"))


@EVERY
def test_no_columns_and_no_rows(check: Check) -> None:
    _answers(check, pd.DataFrame(index=range(3)))
    _answers(check, pd.DataFrame({term: [] for term in check.inputs}, dtype="str"))


def _answers(check: Check, frame: pd.DataFrame) -> None:
    got = check.run(Block(frame))
    assert len(got.status) == len(got.result) == len(frame)
    assert set(got.status) <= set(Status)
    for row in range(len(frame)):
        answer = got.at(row)
        match check.kind:
            case Kind.VALIDATION:
                ran = answer.status is Status.RUN_HAS_RESULT
                assert ran == (answer.result in ("COMPLIANT", "NOT_COMPLIANT"))
            case Kind.ISSUE:
                assert answer.result in ("POTENTIAL_ISSUE", "NOT_ISSUE")
            case Kind.AMENDMENT:
                proposed = answer.status in (Status.AMENDED, Status.FILLED_IN)
                assert proposed == bool(answer.changes)
                assert set(answer.changes) <= set(check.terms)
            case Kind.MEASURE:
                assert answer.result == "NOT_REPORTED" or float(answer.result) >= 0
