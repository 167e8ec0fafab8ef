"""Formulas bound to data: the columns of a design matrix.

>>> import numpy as np
>>> design = bind("~ x * site", [{"x": np.array([1.0, 2.0]), "site": np.array(["a", "b"])}])
>>> design.names
('intercept', 'x', 'site[b]', 'x:site[b]')
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecotone.science.wildlife.formula import (
    CATEGORY,
    FUNCTIONS,
    LEARNT,
    FormulaError,
    Node,
    Term,
    parse,
)

Floats = NDArray[np.float64]
Columns = Mapping[str, NDArray[Any]]

_FUNCTIONS: Final[dict[str, Callable[[Any], Any]]] = {name: getattr(np, name) for name in FUNCTIONS}


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
        whole: Floats = np.concatenate(parts, axis=1)
        return whole

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
        coded: Floats = np.equal.outer(text, np.array(use, dtype=object)).astype(np.float64)
        return coded


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
    if node.value == "poly raw":
        return [f"{node}[{k + 1}]" for k in range(_degree(node))]
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
        return node.value in CATEGORY
    return any(v.dtype.kind in "OUST" for v in values)


def _inner_calls(node: Node) -> Iterator[Node]:
    """Functions that learn, the innermost first."""
    for part in node.parts:
        yield from _inner_calls(part)
    if node.kind == "call" and node.value in LEARNT:
        yield node


def _learn(node: Node, values: NDArray[Any]) -> Any:
    numbers = values.astype(np.float64)
    if node.value == "center":
        return float(numbers.mean())
    if node.value == "scale":
        return float(numbers.mean()), float(numbers.std(ddof=1))
    return _polynomials(numbers, _degree(node))


def _degree(node: Node) -> int:
    degree = node.parts[1]
    if degree.kind != "number" or not degree.value.isdigit() or not 1 <= int(degree.value) <= 9:
        raise FormulaError(f"{node}: the degree is a whole number from 1 to 9")
    return int(degree.value)


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
    if node.value in CATEGORY:
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
        case "poly raw":
            return np.power(np.atleast_1d(x)[:, None], np.arange(1, _degree(node) + 1)[None, :])
        case "poly":
            return _polynomial_columns(np.atleast_1d(x), learnt[node])
        case _:
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.asarray(_FUNCTIONS[node.value](x))


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
