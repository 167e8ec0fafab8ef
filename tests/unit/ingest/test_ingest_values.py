"""Numbers as laboratories write them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ecotone.ingest.values import Numbers, marks, parse_numbers


def read(*texts: str | None, **declared: object) -> Numbers:
    return parse_numbers(pd.Series(texts, dtype="str"), **declared)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.5", 1.5), ("-0.25", -0.25), ("+7", 7.0), ("1e-3", 0.001), ("1 250.5", 1250.5),
        ("1\u00a0250", 1250.0), ("１．５", 1.5), (".5", 0.5), ("5.", 5.0), (" 3 ", 3.0),
        ("0.1234567890123456789", 0.12345678901234568),
    ],
)  # fmt: skip
def test_plain_numbers(text: str, value: float) -> None:
    got = read(text)
    assert got.value[0] == value
    assert (got.limit_kind[0], got.missing_reason[0], got.code[0]) == (None, None, "")


@pytest.mark.parametrize(
    ("text", "kind"),
    [("<0.01", "below"), ("< 0.01", "below"), ("≤0.01", "below"), ("<=0.01", "below"),
     ("＜0.01", "below"), (">2400", "above"), ("≥2400", "above"), (">= 2400", "above")],
)  # fmt: skip
def test_censored_results_keep_their_limit_and_its_kind(text: str, kind: str) -> None:
    got = read(text)
    assert got.value[0] == (0.01 if kind == "below" else 2400)
    assert got.limit_kind[0] == kind
    assert got.code[0] == ""


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("abc", "number-unreadable"), ("1.2.3", "number-unreadable"), ("73.", ""),
        ("1,5", "decimal-comma-undeclared"), ("<1,5", "decimal-comma-undeclared"),
        ("1,234,567", "number-unreadable"), ("NaN", "number-not-finite"),
        ("inf", "number-not-finite"), ("-Infinity", "number-not-finite"),
        ("1e400", "number-not-finite"), ("0x10", "number-unreadable"),
        ("1_000", "number-unreadable"),
        ("<", "number-unreadable"), ("0.5 mg/L", "number-unreadable"), ("1 2", "number-unreadable"),
        ("<-", "number-unreadable"),
    ],
)  # fmt: skip
def test_what_is_no_number_is_told(text: str, code: str) -> None:
    got = read(text)
    assert got.code[0] == code
    if code:
        assert np.isnan(got.value[0])
        assert got.limit_kind[0] is None
        assert got.missing_reason[0] is None


def test_the_decimal_comma_where_declared() -> None:
    got = read("152,5", "<0,05", "1 250,5", "7", "1.5", "1.234,5", decimal=",")
    assert got.value[:5].tolist() == [152.5, 0.05, 1250.5, 7.0, 1.5]
    assert got.limit_kind[1] == "below"
    assert got.code.tolist() == ["", "", "", "", "", "number-unreadable"]


def test_marks_are_reasons_never_zero_and_never_nan_without_a_word() -> None:
    got = read(
        "н/б",
        "прмз",
        "",
        None,
        "-",
        "未检出",
        "BOTTLE BROKEN",
        missing={"bottle broken": "sample lost"},
    )
    assert np.isnan(got.value).all()
    assert got.missing_reason.tolist() == [
        "no observation", "frozen through", "empty", "empty", "not stated", "not detected",
        "sample lost",
    ]  # fmt: skip
    assert not got.code.any()


def test_an_own_mark_outranks_the_number_it_looks_like() -> None:
    got = read("-999", "5", missing={"-999": "sensor failed"})
    assert np.isnan(got.value[0])
    assert got.missing_reason[0] == "sensor failed"
    assert got.value[1] == 5.0


def test_a_limit_beside_the_mark_makes_a_censored_result() -> None:
    limits = pd.Series(["0.05", "0.05", None], dtype="str")
    got = parse_numbers(pd.Series(["н/о", "1.2", "н/о"], dtype="str"), limit=limits)
    assert got.value[:2].tolist() == [0.05, 1.2]
    assert got.limit_kind.tolist() == ["below", None, None]
    assert got.missing_reason.tolist() == [None, None, "not detected"]


def test_a_qualifier_of_its_own() -> None:
    got = parse_numbers(
        pd.Series(["0.05", "2400", "1.2", "", "0.05"], dtype="str"),
        qualifier=pd.Series(["<", ">", None, "ND", "н/о"], dtype="str"),
        limit=pd.Series([None, None, None, "0.01", None], dtype="str"),
    )
    assert got.value.tolist() == [0.05, 2400, 1.2, 0.01, 0.05]
    assert got.limit_kind.tolist() == ["below", "above", None, "below", "below"]


def test_fast_and_slow_ways_agree_on_columns_of_any_kind() -> None:
    repeated = pd.Series(["1.5", "<2", "x", None] * 500, dtype="str")
    distinct = pd.Series([f"{i}.25" for i in range(2000)], dtype="str")
    assert read(*repeated).code.tolist() == ["", "", "number-unreadable", ""] * 500
    assert read(*distinct).value.tolist() == [i + 0.25 for i in range(2000)]
    assert len(read().value) == 0


def test_the_table_of_marks() -> None:
    assert all(kind in ("missing", "below") and reason for kind, reason in marks().values())
    assert all(mark == mark.casefold() for mark in marks())
