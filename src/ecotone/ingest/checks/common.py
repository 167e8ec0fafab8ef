"""Parts that several families of checks share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ecotone.ingest.checks.base import Check, Mask, Parameters, Responses, amendment, validation
from ecotone.ingest.checks.block import Block
from ecotone.ingest.checks.vocabulary import Vocabulary, vocabulary
from ecotone.model.finding import Severity


def not_empty(
    label: str,
    guid: str,
    *terms: str,
    severity: Severity | None = Severity.INFO,
    unless: Callable[[Block], Mask] | None = None,
    nouns: tuple[str, ...] = (),
) -> Check:
    """Is there a value in the term, or in one of the terms?"""

    def run(block: Block, parameters: Parameters) -> Responses:
        filled = block.nothing()
        for term in terms:
            filled = filled | ~block.term(term).empty
        return validation(block.nothing(), filled)

    return Check(
        label=label, guid=guid, dimension="Completeness", terms=terms, function=run,
        severity=severity, unless=unless, any_of=len(terms) > 1, nouns=nouns,
    )  # fmt: skip


def all_empty(*terms: str) -> Callable[[Block], Mask]:
    """Rows that hold none of the terms: a wider check tells that, and once is enough."""

    def rows(block: Block) -> Mask:
        empty = ~block.nothing()
        for term in terms:
            empty = empty & block.term(term).empty
        return empty

    return rows


def in_vocabulary(label: str, guid: str, term: str, name: str) -> Check:
    """Is the value, to the letter, a term of the vocabulary?

    On deliveries a value that differs from a term by case alone is let pass: the communities'
    own examples write both.
    """

    def run(block: Block, parameters: Parameters) -> Responses:
        column = block.term(term)
        return validation(column.empty, column.isin(vocabulary(name).terms))

    def case_only(block: Block) -> Mask:
        terms = frozenset(known.casefold() for known in vocabulary(name).terms)
        same = block.term(term).each(lambda text: "yes" if text.casefold() in terms else None)
        return np.asarray(same == "yes")

    return Check(
        label=label, guid=guid, dimension="Conformance", terms=(term,), function=run,
        severity=Severity.WARNING, unless=case_only, parameters={"sourceAuthority": name},
    )  # fmt: skip


def to_vocabulary(
    label: str,
    guid: str,
    term: str,
    name: str,
    amend: Callable[[Vocabulary, str], str | None] = Vocabulary.amend,
) -> Check:
    """Propose the term of the vocabulary that the value stands for."""

    def run(block: Block, parameters: Parameters) -> Responses:
        column = block.term(term)
        known = vocabulary(name)
        proposed = column.each(lambda text: amend(known, text))
        return amendment(column.empty, {term: proposed}, filled=False)

    return Check(
        label=label, guid=guid, dimension="Conformance", terms=(term,), function=run,
        parameters={"sourceAuthority": name},
    )  # fmt: skip


def number_within(
    label: str,
    guid: str,
    term: str,
    low: str,
    high: str,
    bounds: tuple[str, str],
    *,
    dimension: str = "Conformance",
    positive: bool = False,
) -> Check:
    """Is the number within the bounds, both included?

    ``positive`` numbers below 0 are not interpretable: the prerequisites are not met.
    """

    def run(block: Block, parameters: Parameters) -> Responses:
        numbers = block.term(term).numbers
        unmet = np.isnan(numbers) | (positive & (numbers < 0))
        within = (numbers >= float(parameters[low])) & (numbers <= float(parameters[high]))
        return validation(unmet, within)

    return Check(
        label=label, guid=guid, dimension=dimension, terms=(term,), function=run,
        parameters={low: bounds[0], high: bounds[1]}, severity=Severity.WARNING,
    )  # fmt: skip


def ordered(label: str, guid: str, lower: str, upper: str, *, positive: bool = False) -> Check:
    """Is the one number not greater than the other?"""

    def run(block: Block, parameters: Parameters) -> Responses:
        low, high = block.term(lower).numbers, block.term(upper).numbers
        unmet = np.isnan(low) | np.isnan(high) | (positive & ((low < 0) | (high < 0)))
        return validation(unmet, low <= high)

    return Check(
        label=label, guid=guid, dimension="Conformance", terms=(lower, upper), function=run,
        severity=Severity.WARNING,
    )  # fmt: skip
