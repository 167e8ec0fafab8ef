"""Identifiers: whether a record carries one."""

from __future__ import annotations

from typing import Final

from ecotone.ingest.checks.common import not_empty
from ecotone.model.finding import Severity

CHECKS: Final = (
    not_empty(
        "VALIDATION_OCCURRENCEID_NOTEMPTY",
        "c486546c-e6e5-48a7-b286-eba7f5ca56c4",
        "dwc:occurrenceID",
        severity=Severity.WARNING,
    ),
)
