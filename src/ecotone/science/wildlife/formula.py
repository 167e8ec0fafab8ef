"""Right-hand sides of model formulas: ``~ habitat + log(rain) * forest`` to a design matrix.

The language is that of R and of formulaic: ``+``, ``-``, ``:``, ``*``, ``/``, ``**`` (or ``^``)
and brackets between terms; ``1`` and ``0`` for the intercept; arithmetic inside ``I(...)`` or
``{...}``; the functions of :data:`FUNCTIONS`, ``scale``, ``center``, ``poly`` and ``C``. Names
may hold dots (``habitat.cov``); other names stand between backticks. Nothing is evaluated as
code: a formula from a stranger can only compute with columns.

>>> import numpy as np
>>> design = bind("~ x * site", [{"x": np.array([1.0, 2.0]), "site": np.array(["a", "b"])}])
>>> design.names
('intercept', 'x', 'site[b]', 'x:site[b]')
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Columns = Mapping[str, NDArray[Any]]

#: Functions of one column that may stand in a formula.
FUNCTIONS: Final[dict[str, Callable[[Any], Any]]] = {
    "abs": np.abs,
    "cos": np.cos,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log10": np.log10,
    "log1p": np.log1p,
    "log2": np.log2,
    "sin": np.sin,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
}
#: Functions that learn something from the data they are bound to.
_LEARNT: Final = ("center", "scale", "poly")
_CATEGORY: Final = ("C", "factor")
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
        known = (*FUNCTIONS, *_LEARNT, *_CATEGORY, "I", "power")
        if name not in known:
            raise FormulaError(f"'{self.text}': no function {name}; there are {', '.join(known)}")
        self.take("(")
        parts = [self.sum()]
        while self.peek() == ",":
            self.take()
            if self.peek() == "degree":
                self.take()
                self.take("=")
            parts.append(self.sum())
        self.take(")")
        wanted = 2 if name in ("poly", "power") else 1
        if len(parts) != wanted:
            raise FormulaError(f"'{self.text}': {name} takes {wanted} argument(s)")
        return Node("call", name, tuple(parts))

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


@dataclass(frozen=True)
class Design:
    """A formula bound to data: levels, means and scales are learnt once.

    Attributes:
        text: the formula.
        names: of the columns of the matrix.
    """

    text: str
    names: tuple[str, ...]
    _terms: tuple[Term, ...]
    _levels: Mapping[Node, tuple[Any, ...]]
    _learnt: Mapping[Node, Any] = field(default_factory=dict)

    def matrix(self, columns: Columns, rows: int) -> Floats:
        """(rows, columns of the design); FormulaError for an unknown level or column."""
        parts = [np.empty((rows, 0))]
        for term in self._terms:
            block = np.ones((rows, 1))
            for node in term:
                coded = self._coded(node, columns, rows, _is_full(node, term, self._terms))
                block = (block[:, :, None] * coded[:, None, :]).reshape(rows, -1)
            parts.append(block)
        return np.concatenate(parts, axis=1)

    def _coded(self, node: Node, columns: Columns, rows: int, full: bool) -> Floats:
        values = _evaluate(node, columns, self._learnt)
        if node not in self._levels:
            numbers = np.asarray(values, dtype=np.float64)
            if numbers.ndim < 2:
                numbers = np.broadcast_to(numbers, (rows,))[:, None]
            return numbers
        levels = self._levels[node]
        text = _as_text(values)
        known = np.isin(text, levels)
        if not known.all():
            raise FormulaError(f"'{self.text}': {node} has no level {text[~known][0]!r}")
        use = levels if full else levels[1:]
        return (text[:, None] == np.array(use, dtype=object)[None, :]).astype(np.float64)


def bind(text: str, data: Sequence[Columns]) -> Design:
    """A formula with what it learns from all of ``data`` (levels, means, scales).

    Args:
        text: the right-hand side, with or without its tilde.
        data: sets of columns, of which the formula will be evaluated later.

    Raises:
        FormulaError: the formula cannot be read or stands on a column that is not there.
    """
    terms = parse(text)
    levels: dict[Node, tuple[Any, ...]] = {}
    learnt: dict[Node, Any] = {}
    for node in dict.fromkeys(node for term in terms for node in term):
        for inner in _inner_calls(node):
            pooled = [_evaluate(inner.parts[0], columns, learnt) for columns in data]
            learnt[inner] = _learn(inner, np.concatenate([np.atleast_1d(v) for v in pooled]))
        values = [np.atleast_1d(_evaluate(node, columns, learnt)) for columns in data]
        if _is_category(node, values):
            every = np.concatenate([_as_text(v) for v in values])
            levels[node] = tuple(_ordered(set(every.tolist())))
    names: list[str] = []
    for term in terms:
        labels = [_labels(node, levels, learnt, _is_full(node, term, terms)) for node in term]
        names += [":".join(combination) for combination in product(*labels)]
    return Design(
        text,
        tuple(name or "intercept" for name in names),
        tuple(terms),
        levels,
        learnt,
    )


def _is_full(node: Node, term: Term, terms: Sequence[Term]) -> bool:
    """Whether a category needs all its levels: the term without it is not in the model."""
    rest = frozenset(term) - {node}
    return all(frozenset(other) != rest for other in terms)


def _labels(
    node: Node, levels: Mapping[Node, tuple[Any, ...]], learnt: Mapping[Node, Any], full: bool
) -> list[str]:
    if node in levels:
        return [f"{node}[{level}]" for level in (levels[node] if full else levels[node][1:])]
    if node.value == "poly":
        return [f"{node}[{k + 1}]" for k in range(len(learnt[node][0]))]
    return [str(node)]


def _ordered(levels: set[str]) -> list[str]:
    """Numbers by size, words by letters."""
    try:
        return sorted(levels, key=float)
    except ValueError:
        return sorted(levels)


def _as_text(values: NDArray[Any]) -> NDArray[Any]:
    """Levels as words; whole numbers without their decimal point."""
    if values.dtype.kind == "f":
        words = [str(int(v)) if float(v).is_integer() else str(v) for v in values.tolist()]
    else:
        words = [str(v) for v in values.tolist()]
    return np.array(words, dtype=object)


def _is_category(node: Node, values: Sequence[NDArray[Any]]) -> bool:
    if node.kind == "call":
        return node.value in _CATEGORY
    return any(v.dtype.kind in "OUST" for v in values)


def _inner_calls(node: Node) -> Iterator[Node]:
    """Functions that learn, the innermost first."""
    for part in node.parts:
        yield from _inner_calls(part)
    if node.kind == "call" and node.value in _LEARNT:
        yield node


def _learn(node: Node, values: NDArray[Any]) -> Any:
    numbers = values.astype(np.float64)
    if node.value == "center":
        return float(numbers.mean())
    if node.value == "scale":
        return float(numbers.mean()), float(numbers.std(ddof=1))
    degree = node.parts[1]
    if degree.kind != "number" or not degree.value.isdigit() or int(degree.value) < 1:
        raise FormulaError(f"{node}: the degree is a whole number")
    return _polynomials(numbers, int(degree.value))


def _polynomials(x: Floats, degree: int) -> tuple[list[float], list[float]]:
    """Recurrence of the polynomials orthogonal on x: alphas and squared norms."""
    alphas, norms = [], [1.0, float(len(x))]
    before, now = np.zeros_like(x), np.ones_like(x)
    for _ in range(degree):
        alpha = float((x * now * now).sum() / (now * now).sum())
        after = (x - alpha) * now - norms[-1] / norms[-2] * before
        alphas.append(alpha)
        norms.append(float((after * after).sum()))
        before, now = now, after
    return alphas, norms


def _polynomial_columns(x: Floats, learnt: tuple[list[float], list[float]]) -> Floats:
    alphas, norms = learnt
    before, now = np.zeros_like(x), np.ones_like(x)
    columns = []
    for k, alpha in enumerate(alphas):
        before, now = now, (x - alpha) * now - norms[k + 1] / norms[k] * before
        columns.append(now / np.sqrt(norms[k + 2]))
    return np.stack(columns, axis=1)


def _evaluate(node: Node, columns: Columns, learnt: Mapping[Node, Any]) -> NDArray[Any]:
    match node.kind:
        case "name":
            if node.value not in columns:
                have = ", ".join(sorted(columns))
                raise FormulaError(f"no column '{node.value}'; there are: {have}")
            return np.asarray(columns[node.value])
        case "number":
            return np.asarray(float(node.value))
        case "op":
            return _operate(node, [_numbers(p, columns, learnt) for p in node.parts])
    if node.value in _CATEGORY:
        return _evaluate(node.parts[0], columns, learnt)
    x = _numbers(node.parts[0], columns, learnt)
    match node.value:
        case "I":
            return x
        case "power":
            return np.asarray(np.power(x, _numbers(node.parts[1], columns, learnt)))
        case "center":
            return np.asarray(x - learnt[node])
        case "scale":
            mean, spread = learnt[node]
            return np.asarray((x - mean) / spread)
        case "poly":
            return _polynomial_columns(np.atleast_1d(x), learnt[node])
        case _:
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.asarray(FUNCTIONS[node.value](x))


def _numbers(node: Node, columns: Columns, learnt: Mapping[Node, Any]) -> Floats:
    values = _evaluate(node, columns, learnt)
    if values.dtype.kind in "OUST":
        raise FormulaError(f"{node} is no number")
    return values.astype(np.float64)


def _operate(node: Node, parts: list[Floats]) -> Floats:
    if len(parts) == 1:
        return -parts[0] if node.value == "-" else parts[0]
    left, right = parts
    with np.errstate(divide="ignore", invalid="ignore"):
        match node.value:
            case "+":
                return np.asarray(left + right)
            case "-":
                return np.asarray(left - right)
            case "*":
                return np.asarray(left * right)
            case "/":
                return np.asarray(left / right)
            case _:
                return np.asarray(np.power(left, right))
