"""Taking back a delivery of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecotone.model.errors import UsageError, Withheld
from ecotone.model.words import say

if TYPE_CHECKING:
    from ecotone.store import Store
    from ecotone.store.versions import Withdrawal


def withdraw_own(
    store: Store, party: str, batch_id: str, *, person: str, reason: str
) -> Withdrawal:
    """Take out a batch of a dataset the party owns; Withheld for any other, there or not."""
    mine = {d.dataset_id for d in store.datasets() if d.party_id == party}
    found = next((b for b in store.batches() if b.batch_id == batch_id), None)
    if found is None or found.dataset_id not in mine:
        raise Withheld(say("desk.nothing"))
    if not reason.strip():
        raise UsageError(say("store.reason-missing"))
    return store.withdraw(batch_id, person=person, reason=reason)
