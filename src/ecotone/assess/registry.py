"""Which indicators there are; ours register by entry point, the same way as anyone's."""

from __future__ import annotations

import functools
from importlib.metadata import entry_points

from ecotone.assess.indicator import Indicator
from ecotone.model.errors import UsageError
from ecotone.model.words import say

GROUP = "ecotone.indicators"


def names() -> list[str]:
    """The ids of all indicators, without importing them."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


@functools.cache
def get(indicator_id: str) -> Indicator:
    """One indicator; UsageError with the known ids where there is none of that name."""
    for entry in entry_points(group=GROUP):
        if entry.name == indicator_id:
            loaded = entry.load()
            if not isinstance(loaded, Indicator) or loaded.id != indicator_id:
                raise UsageError(say("assess.indicator-broken", id=indicator_id))
            return loaded
    raise UsageError(
        say("assess.indicator-unknown", id=indicator_id, known=", ".join(names()) or "-")
    )
