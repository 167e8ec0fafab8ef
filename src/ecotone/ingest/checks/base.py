"""The contract of a check: what it looks at, what it may answer, in the words of TDWG BDQ.

A check is a pure function of columns. It answers for every row at once with a status and a result
in the words of the TDWG Biodiversity Data Quality standard (draft of 2025, rs.tdwg.org/bdq); an
amendment proposes values and never changes anything itself. What a check says to a steward lies in
the catalogues: ``check.<id>.title``, ``check.<id>.text``, and ``finding.<code>``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ecotone.model.finding import Severity
from ecotone.model.words import say

if TYPE_CHECKING:
    from ecotone.ingest.checks.block import Block

Mask = NDArray[np.bool_]
Texts = NDArray[np.object_]
Parameters = Mapping[str, str]


class Status(StrEnum):
    """Whether a check could be run on a row, or what an amendment proposes."""

    RUN_HAS_RESULT = "RUN_HAS_RESULT"
    INTERNAL_PREREQUISITES_NOT_MET = "INTERNAL_PREREQUISITES_NOT_MET"
    EXTERNAL_PREREQUISITES_NOT_MET = "EXTERNAL_PREREQUISITES_NOT_MET"
    AMENDED = "AMENDED"
    FILLED_IN = "FILLED_IN"
    NOT_AMENDED = "NOT_AMENDED"


class Result(StrEnum):
    """What a check found on a row; a measure answers with a number as text instead."""

    COMPLIANT = "COMPLIANT"
    NOT_COMPLIANT = "NOT_COMPLIANT"
    POTENTIAL_ISSUE = "POTENTIAL_ISSUE"
    NOT_ISSUE = "NOT_ISSUE"
    NOT_REPORTED = "NOT_REPORTED"


class Kind(StrEnum):
    """The four kinds of BDQ test on a single record."""

    VALIDATION = "VALIDATION"
    ISSUE = "ISSUE"
    AMENDMENT = "AMENDMENT"
    MEASURE = "MEASURE"


@dataclass(frozen=True, slots=True)
class Response:
    """The answer for one row."""

    status: Status
    result: str = ""  #: a word of :class:`Result`, a measure's number, "" where there is none
    changes: Mapping[str, str] = field(default_factory=dict)  #: term -> proposed value

    def comment(self, lang: str = "en") -> str:
        """One sentence that says what the answer means."""
        word = self.result if self.result in Result.__members__ else str(self.status)
        if self.changes:
            return say(f"check-response.{word}", lang, changes=json.dumps(dict(self.changes)))
        return say(f"check-response.{word}", lang, result=self.result)


@dataclass(frozen=True, eq=False, slots=True)
class Responses:
    """The answers of one check for every row of a block."""

    status: Texts
    result: Texts
    changes: Mapping[str, Texts] = field(default_factory=dict)  #: None where nothing is proposed

    def at(self, row: int) -> Response:
        """The answer for one row, counted from 0."""
        changes = {
            term: str(values[row])
            for term, values in self.changes.items()
            if values[row] is not None
        }
        return Response(Status(self.status[row]), str(self.result[row]), changes)

    @property
    def not_compliant(self) -> Mask:
        """Rows that failed a validation."""
        return np.asarray(self.result == Result.NOT_COMPLIANT)


CheckFunction = Callable[["Block", Parameters], Responses]


@dataclass(frozen=True)
class Check:
    """One check and all that is known about it.

    ``terms`` are acted upon and ``consulted`` only read, both with their prefix (``dwc:year``).
    ``needs`` are the terms whose columns must be there for the check to be run on a delivery
    (``terms`` where empty); with ``any_of`` one of them is enough. ``severity`` is the weight of
    a NOT_COMPLIANT row in a delivery; None where the check is not run on deliveries, because the
    converter has said it already or because it is no validation. ``unless`` gives rows that are
    NOT_COMPLIANT by the letter and yet not worth a steward's time, or told elsewhere. ``shown``
    is the column whose text a finding quotes, where that is not the first of ``terms``.
    """

    label: str
    guid: str
    dimension: str
    terms: tuple[str, ...]
    function: CheckFunction
    consulted: tuple[str, ...] = ()
    parameters: Parameters = field(default_factory=dict)
    severity: Severity | None = None
    needs: tuple[str, ...] = ()
    any_of: bool = False
    unless: Callable[[Block], Mask] | None = None
    shown: str = ""
    nouns: tuple[str, ...] = ()  #: record types it is run on, all where empty
    vocabulary: str = "dwc"  #: "dwc", or "ecotone" for our own attributes after conversion

    @property
    def kind(self) -> Kind:
        """Validation, issue, amendment or measure."""
        return Kind(self.label.split("_", 1)[0])

    @property
    def id(self) -> str:
        """The name in catalogues, documentation pages and on the command line."""
        return self.label.lower().replace("_", "-")

    @property
    def code(self) -> str:
        """The code of its findings: the id without the kind."""
        return self.id.partition("-")[2]

    @property
    def inputs(self) -> tuple[str, ...]:
        """Every term it reads."""
        return self.terms + self.consulted

    def run(self, block: Block, parameters: Parameters | None = None) -> Responses:
        """Answer for every row of a block."""
        return self.function(block, {**self.parameters, **(parameters or {})})

    def applies(self, block: Block) -> bool:
        """Whether a delivery has the columns this check is about."""
        wanted = self.needs or self.terms
        have = [block.has(term) for term in wanted]
        return any(have) if self.any_of else all(have)


_EMPTY: Final = ""
#: Words by number: picking them is many times quicker than building them row by row.
_STATUS: Final = np.array(
    [str(Status.RUN_HAS_RESULT), str(Status.INTERNAL_PREREQUISITES_NOT_MET)], dtype=object
)
_VERDICT: Final = np.array([_EMPTY, str(Result.NOT_COMPLIANT), str(Result.COMPLIANT)], dtype=object)
_CONCERN: Final = np.array([str(Result.NOT_ISSUE), str(Result.POTENTIAL_ISSUE)], dtype=object)


def validation(unmet: Mask, compliant: Mask) -> Responses:
    """COMPLIANT or not, where the prerequisites are met."""
    verdict = (1 + compliant.view(np.int8)) * ~unmet
    return Responses(_STATUS[unmet.view(np.int8)], _VERDICT[verdict])


def issue(potential: Mask) -> Responses:
    """POTENTIAL_ISSUE or NOT_ISSUE on every row."""
    status = np.full(len(potential), _STATUS[0], dtype=object)
    return Responses(status, _CONCERN[potential.view(np.int8)])


def measure(unmet: Mask, values: Texts) -> Responses:
    """A number as text, NOT_REPORTED where there is nothing to measure."""
    result = np.where(unmet, str(Result.NOT_REPORTED), values)
    return Responses(_STATUS[unmet.view(np.int8)], result.astype(object))


def proposals(mask: Mask, values: str | Texts) -> Texts:
    """Values where they are proposed, None elsewhere."""
    proposed = np.full(len(mask), None, dtype=object)
    proposed[mask] = values if isinstance(values, str) else values[mask]
    return proposed


def amendment(
    unmet: Mask, changes: Mapping[str, Texts], *, filled: bool, external: Mask | None = None
) -> Responses:
    """A proposal where any term has a value and the prerequisites are met.

    Args:
        unmet: rows whose own prerequisites are not met.
        changes: proposed values per term, None where there is none.
        filled: whether the proposals fill empty terms (FILLED_IN) or correct them (AMENDED).
        external: rows that could be answered only with data we do not have.
    """
    blocked = unmet if external is None else unmet | external
    kept = {term: proposals(~blocked, values) for term, values in changes.items()}
    proposed = np.zeros(len(unmet), dtype=np.bool_)
    for values in kept.values():
        proposed |= values != np.array(None, dtype=object)
    said = Status.FILLED_IN if filled else Status.AMENDED
    status = np.full(len(unmet), str(Status.NOT_AMENDED), dtype=object)
    status[proposed] = str(said)
    if external is not None:
        status[external] = str(Status.EXTERNAL_PREREQUISITES_NOT_MET)
    status[unmet] = str(Status.INTERNAL_PREREQUISITES_NOT_MET)
    return Responses(status, np.full(len(unmet), _EMPTY, dtype=object), kept)
