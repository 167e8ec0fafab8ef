"""The language of model formulas: ``~ habitat + log(rain) * forest`` to its terms.

The language is that of R and of formulaic: ``+``, ``-``, ``:``, ``*``, ``/``, ``**`` (or ``^``)
and brackets between terms; ``1`` and ``0`` for the intercept; arithmetic inside ``I(...)`` or
``{...}``; the functions of :data:`FUNCTIONS`, ``scale``, ``center``, ``poly`` and ``C``. Names
may hold dots (``habitat.cov``); other names stand between backticks. Nothing is evaluated as
code: a formula from a stranger can only compute with columns.

``model_matrix.bind`` makes the columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

#: Functions of one column that may stand in a formula.
FUNCTIONS: Final = (
    "abs", "cos", "exp", "expm1", "log", "log10", "log1p", "log2", "sin", "sqrt", "square", "tanh",
)  # fmt: skip
#: Functions that learn something from the data they are bound to.
LEARNT: Final = ("center", "scale", "poly")
CATEGORY: Final = ("C", "factor")
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|`(?P<quoted>[^`]+)`"
    r"|(?P<name>[^\W\d][\w.]*)|(?P<op>\*\*|[-+*/^:(){},=]))"
)


class FormulaError(ValueError):
    """A formula that cannot be read, or names a column that is not there."""


@dataclass(frozen=True)
class Node:
    """A part of an arithmetic expression: an operator, function, name or number."""

    kind: str
    value: str = ""
    parts: tuple[Node, ...] = ()

    def __str__(self) -> str:
        match self.kind:
            case "call":
                return f"{self.value}({', '.join(map(str, self.parts))})"
            case "op" if len(self.parts) == 1:
                return f"{self.value}{self.parts[0]}"
            case "op":
                return f"({self.parts[0]} {self.value} {self.parts[1]})"
            case _:
                return self.value

    def names(self) -> Iterator[str]:
        """Columns it stands on."""
        if self.kind == "name":
            yield self.value
        for part in self.parts:
            yield from part.names()


Term = tuple[Node, ...]


class _Reader:
    """Recursive descent over the tokens of one formula."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokens(text))
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def kind(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else "end"

    def take(self, *wanted: str) -> str:
        """The next token; one of ``wanted`` where any is named."""
        token = self.peek()
        if (wanted and token not in wanted) or not token:
            raise FormulaError(f"'{self.text}': {token or 'end'!r}, not {' or '.join(wanted)!r}")
        self.at += 1
        return token

    def terms(self) -> list[Term]:
        """``a + b - c``: the terms in order, each once."""
        found: list[Term] = []
        sign = "+"
        if self.peek() in ("+", "-"):
            sign = self.take()
        while True:
            found = _merged(found, self.product(), sign)
            if self.peek() not in ("+", "-"):
                return found
            sign = self.take()

    def product(self) -> list[Term]:
        left = self.interaction()
        while self.peek() in ("*", "/"):
            operator = self.take()
            right = self.interaction()
            crossed = _crossed(left, right)
            if operator == "/":
                crossed = _crossed([_joined(*left)], right)
                left = _merged(left, crossed, "+")
            else:
                left = _merged(_merged(left, right, "+"), crossed, "+")
        return left

    def interaction(self) -> list[Term]:
        left = self.power()
        while self.peek() == ":":
            self.take()
            left = _crossed(left, self.power())
        return left

    def power(self) -> list[Term]:
        base = self.factor()
        if self.peek() not in ("**", "^"):
            return base
        self.take()
        degree = self.peek()
        if self.kind() != "number" or not degree.isdigit() or not 1 <= int(degree) <= 9:
            raise FormulaError(f"'{self.text}': a power of terms is a whole number")
        self.take()
        result = base
        for _ in range(int(degree) - 1):
            result = _merged(result, _crossed(result, base), "+")
        return result

    def factor(self) -> list[Term]:
        if self.peek() == "(":
            self.take()
            inner = self.terms()
            self.take(")")
            return inner
        if self.kind() == "number":
            number = self.take()
            if number not in ("0", "1"):
                raise FormulaError(f"'{self.text}': {number} alone is no term")
            return [()] if number == "1" else [(Node("number", "0"),)]
        return [(self.atom(),)]

    def atom(self) -> Node:
        if self.peek() == "{":
            self.take()
            inner = self.sum()
            self.take("}")
            return Node("call", "I", (inner,))
        kind = self.kind()
        if kind not in ("name", "quoted"):
            raise FormulaError(f"'{self.text}': {self.peek() or 'end'!r} where a term should stand")
        name = self.take()
        if kind == "name" and self.peek() == "(":
            return self.call(name)
        return Node("name", name)

    def call(self, name: str) -> Node:
        name = name.removeprefix("np.")
        known = (*FUNCTIONS, *LEARNT, *CATEGORY, "I", "power")
        if name not in known:
            raise FormulaError(f"'{self.text}': no function {name}; there are {', '.join(known)}")
        self.take("(")
        parts = [self.sum()]
        while self.peek() == ",":
            self.take()
            if self.peek() == "raw":
                name += self.raw()
                continue
            if self.peek() == "degree":
                self.take()
                self.take("=")
            parts.append(self.sum())
        self.take(")")
        wanted = 2 if name in ("poly", "poly raw", "power") else 1
        if len(parts) != wanted:
            raise FormulaError(f"'{self.text}': {name} takes {wanted} argument(s)")
        return Node("call", name, tuple(parts))

    def raw(self) -> str:
        """``raw=True``: powers as they are."""
        self.take()
        self.take("=")
        return " raw" if self.take("True", "TRUE", "False", "FALSE").upper() == "TRUE" else ""

    def sum(self) -> Node:
        left = self.times()
        while self.peek() in ("+", "-"):
            left = Node("op", self.take(), (left, self.times()))
        return left

    def times(self) -> Node:
        left = self.signed()
        while self.peek() in ("*", "/"):
            left = Node("op", self.take(), (left, self.signed()))
        return left

    def signed(self) -> Node:
        if self.peek() in ("+", "-"):
            return Node("op", self.take(), (self.signed(),))
        base = self.operand()
        if self.peek() in ("**", "^"):
            self.take()
            return Node("op", "**", (base, self.signed()))
        return base

    def operand(self) -> Node:
        if self.kind() == "number":
            return Node("number", self.take())
        if self.peek() == "(":
            self.take()
            inner = self.sum()
            self.take(")")
            return inner
        return self.atom()


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    bare = text.strip()
    while at < len(bare):
        match = _TOKEN.match(bare, at)
        if match is None:
            raise FormulaError(f"'{text}': cannot read {bare[at:]!r}")
        kind = match.lastgroup or ""
        yield kind, match[kind]
        at = match.end()


def _joined(*terms: Term) -> Term:
    """One interaction of all their factors, each once."""
    return tuple(dict.fromkeys(node for term in terms for node in term))


def _crossed(left: list[Term], right: list[Term]) -> list[Term]:
    return list(dict.fromkeys(_joined(a, b) for a, b in product(left, right)))


def _merged(left: list[Term], right: list[Term], sign: str) -> list[Term]:
    """Terms added or taken away; ``0`` takes the intercept away, ``-0`` gives it back."""
    zero = (Node("number", "0"),)
    for term in right:
        add = sign == "+"
        if term == zero:
            term, add = (), not add
        same = [t for t in left if frozenset(t) == frozenset(term)]
        if add and not same:
            left = [*left, term]
        elif not add:
            left = [t for t in left if t not in same]
            if term == ():
                left = [*left, zero]
    return left


def parse(text: str) -> list[Term]:
    """The terms of a right-hand side, the intercept ``()`` first where there is one.

    >>> [":".join(map(str, term)) or "1" for term in parse("~ a * b - a")]
    ['1', 'b', 'a:b']

    Raises FormulaError, saying what cannot be read.
    """
    bare = text.strip().removeprefix("~").strip()
    zero = (Node("number", "0"),)
    terms = _Reader(bare)
    found = terms.terms() if bare else []
    if terms.at < len(terms.tokens):
        raise FormulaError(f"'{text}': {terms.peek()!r} was not expected")
    if zero not in found:
        found = _merged([()], found, "+")
    found = [term for term in found if zero[0] not in term]
    return sorted(found, key=len)


def names_in(text: str) -> set[str]:
    """The columns a formula stands on."""
    return {name for term in parse(text) for node in term for name in node.names()}
