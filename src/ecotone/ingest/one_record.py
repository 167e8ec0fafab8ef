"""One record of a party's own: its versions, and a correction typed into a form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from ecotone.ingest.corrections import as_cells, difference, known_attributes, text_of
from ecotone.model.errors import InputRefused, UsageError, Withheld
from ecotone.model.words import Sentences, say

if TYPE_CHECKING:
    from ecotone.store import Store
    from ecotone.store.versions import Correction


@dataclass(frozen=True)
class OwnRecord:
    """A record and everything it ever was."""

    noun: str
    id: str
    dataset_id: str
    version: int
    #: The ledger line of the version that holds.
    since: int
    #: The version that holds, as a form shows it.
    texts: dict[str, str]
    #: Every version, oldest first.
    versions: list[dict[str, Any]]
    #: Whether any version holds now.
    living: bool


def own_record(store: Store, party: str, noun: str, record: str) -> OwnRecord:
    """A record of a dataset the party owns; Withheld for any other, there or not."""
    known = known_attributes(noun)
    try:
        found = store.history(noun, record)
    except UsageError as error:
        raise Withheld(say("desk.nothing")) from error
    owners = {d.dataset_id: d.party_id for d in store.datasets()}
    newest = found.iloc[-1]
    dataset = str(newest["dataset_id"])
    if owners.get(dataset) != party:
        raise Withheld(say("desk.nothing"))
    shown = pd.DataFrame({name: as_cells(found[name], known[name]) for name in known})
    texts = shown.iloc[-1].to_dict()
    plain = found.astype(object).where(found.notna(), None)
    return OwnRecord(
        noun=noun,
        id=record,
        dataset_id=dataset,
        version=int(newest["version"]),
        since=int(newest["since"]),
        texts={k: "" if v is None or v != v else text_of(v) for k, v in texts.items()},
        versions=[{str(k): v for k, v in row.items()} for row in plain.to_dict("records")],
        living=pd.isna(newest["ended"]),
    )


def correct_record(
    store: Store,
    party: str,
    noun: str,
    record: str,
    *,
    seen: int,
    given: Mapping[str, str],
    person: str,
    reason: str,
) -> Correction:
    """Correct what differs between the form and the version it showed.

    Raises InputRefused naming texts that do not fit their column, or who corrected the record
    since; UsageError where nothing differs or no reason is given.
    """
    if not reason.strip():
        raise UsageError(say("store.reason-missing"))
    now = own_record(store, party, noun, record)
    known = known_attributes(noun)
    strange = sorted(set(given) - set(known))
    if strange:
        raise UsageError(say("store.column-unknown", noun=noun, column=", ".join(strange)))
    before = {name: now.texts[name] or None for name in known}
    if seen == now.version:
        changes, unread = difference(dict(given), before, known)
        if unread:
            told = [say("correct.unread", id=record, column=c, text=t) for c, t in unread]
            raise InputRefused(Sentences(told))
        if not changes:
            raise UsageError(say("store.nothing-changed", id=record))
    else:
        # The store tells who was first, when and why.
        changes = dict(given)
    return store.correct_many(noun, {record: (seen, changes)}, person=person, reason=reason)[0]
