"""Formulas: what they mean, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecotone.science.wildlife.formula import FormulaError, names_in, parse
from ecotone.science.wildlife.model_matrix import bind

DATA = {
    "x": np.array([1.0, 2.0, 4.0, 7.0]),
    "habitat.cov": np.array([0.5, -1.0, 2.0, 0.0]),
    "site": np.array(["b", "a", "c", "a"], dtype=object),
    "year": np.array([2021.0, 2022.0, 2021.0, 2023.0]),
    "kilo metres": np.array([1.0, 0.0, 1.0, 0.0]),
}


def told(text: str) -> list[str]:
    return [":".join(map(str, term)) or "1" for term in parse(text)]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", ["1"]),
        ("~", ["1"]),
        ("~1", ["1"]),
        ("0", []),
        ("-1", []),
        ("x", ["1", "x"]),
        ("~x - 1", ["x"]),
        ("x + 0", ["x"]),
        ("x - 0", ["1", "x"]),
        ("x + x", ["1", "x"]),
        ("a*b", ["1", "a", "b", "a:b"]),
        ("a*b - a:b", ["1", "a", "b"]),
        ("b:a + a:b", ["1", "b:a"]),
        ("(a + b)^2", ["1", "a", "b", "a:b"]),
        ("(a+b+c)**2", ["1", "a", "b", "c", "a:b", "a:c", "b:c"]),
        ("a/b", ["1", "a", "a:b"]),
        ("a:(b + c)", ["1", "a:b", "a:c"]),
        ("a:a", ["1", "a"]),
        ("`kilo metres` + habitat.cov", ["1", "kilo metres", "habitat.cov"]),
        ("np.log(x)", ["1", "log(x)"]),
        ("{x + 1}", ["1", "I((x + 1))"]),
    ],
)
def test_terms(text: str, terms: list[str]) -> None:
    assert told(text) == terms


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("I(x**2)", DATA["x"] ** 2),
        ("I(x^2)", DATA["x"] ** 2),
        ("{-x + 2*x/4 - +1}", -DATA["x"] + DATA["x"] / 2 - 1),
        ("I((x + 1)*2)", (DATA["x"] + 1) * 2),
        ("I(x**-1)", 1 / DATA["x"]),
        ("power(x, 3)", DATA["x"] ** 3),
        ("log(x)", np.log(DATA["x"])),
        ("sqrt(I(x*4))", 2 * np.sqrt(DATA["x"])),
        ("center(x)", DATA["x"] - 3.5),
        ("scale(x)", (DATA["x"] - 3.5) / DATA["x"].std(ddof=1)),
        ("habitat.cov", DATA["habitat.cov"]),
    ],
)
def test_columns(text: str, column: np.ndarray) -> None:
    design = bind(text, [DATA])
    np.testing.assert_allclose(design.matrix(DATA, 4)[:, 1], column)


def test_categories() -> None:
    design = bind("site", [DATA])
    assert design.names == ("intercept", "site[b]", "site[c]")
    assert design.matrix(DATA, 4).tolist() == [[1, 1, 0], [1, 0, 0], [1, 0, 1], [1, 0, 0]]
    assert bind("0 + site", [DATA]).names == ("site[a]", "site[b]", "site[c]")
    assert bind("C(year)", [DATA]).names == ("intercept", "C(year)[2022]", "C(year)[2023]")
    crossed = bind("x:site", [DATA])
    assert crossed.names == ("intercept", "x:site[a]", "x:site[b]", "x:site[c]")
    assert np.linalg.matrix_rank(crossed.matrix(DATA, 4)) == 4


def test_levels_are_shared_and_kept() -> None:
    one, two = {"s": np.array(["p", "q"])}, {"s": np.array(["r"])}
    design = bind("s", [one, two])
    assert design.matrix(two, 1).tolist() == [[1, 0, 1]]
    with pytest.raises(FormulaError, match="no level 'z'"):
        design.matrix({"s": np.array(["z"])}, 1)


def test_polynomials() -> None:
    design = bind("poly(x, 3)", [DATA])
    matrix = design.matrix(DATA, 4)
    np.testing.assert_allclose(matrix.T @ matrix, np.diag([4.0, 1, 1, 1]), atol=1e-10)
    raw = bind("poly(x, degree=2, raw=True)", [DATA])
    np.testing.assert_allclose(raw.matrix(DATA, 4)[:, 1:], np.stack([DATA["x"], DATA["x"] ** 2], 1))
    assert bind("poly(x, 2, raw=FALSE)", [DATA]).names == bind("poly(x, 2)", [DATA]).names
    one = bind("poly(x, 2)", [DATA]).matrix({"x": np.array([3.0])}, 1)
    assert one.shape == (1, 3)


def test_names() -> None:
    assert names_in("~ a*log(b) + I(c*d + 1) - e") == {"a", "b", "c", "d"}


@pytest.mark.parametrize(
    "text",
    [
        "x +", "x y", "2", "x + 3", "x ** y", "x**0", "(x", "x)", "I(", "I()", "nope(x)",
        "log(x, x)",
        "poly(x)", "power(x)", "poly(x, 0)", "poly(x, x)", "poly(x, 2, raw=1)", "log(site)", "$x",
        "x; import os", "__import__('os')", "x.__class__()", "absent", "x ~ y", "{x", "*x",
    ],
)  # fmt: skip
def test_refused(text: str) -> None:
    with pytest.raises(FormulaError):
        bind(text, [DATA]).matrix(DATA, 4)


@given(st.text(alphabet="xab01+-*:^(){}`~, log I", max_size=24))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        terms = parse(text)
    except FormulaError:
        return
    assert len({frozenset(t) for t in terms}) == len(terms)
