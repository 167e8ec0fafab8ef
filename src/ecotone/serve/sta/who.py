"""Who asks, as far as SensorThings cares: a party, a person for the ledger, and may they write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Who:
    """The one who asks; without a party, somebody nobody knows."""

    party: str | None = None
    person: str = ""
    writes: bool = False


NOBODY: Final = Who()
