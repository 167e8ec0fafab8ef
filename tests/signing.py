"""Agreements that all parties have signed, for tests that need one in force."""

from __future__ import annotations

import functools
import shutil
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecotone.model.records import Party
from ecotone.share import keys
from ecotone.share.agreements import canonical, parse
from ecotone.share.keyring import Keyring

if TYPE_CHECKING:
    from ecotone.store import Store

#: Made long ago, so that tests may date what they sign.
MADE = datetime(2020, 1, 1, tzinfo=UTC)
SIGNED = datetime(2026, 1, 1, tzinfo=UTC)


@functools.cache
def home(party: str) -> Path:
    """A folder with the keys of a party, made once per run."""
    folder = Path(tempfile.mkdtemp(prefix=f"ecotone-{party}-"))
    (folder / "keys").mkdir()
    keys.make(folder, party, now=MADE)
    return folder


def ring(party: str) -> Keyring:
    """The keyring of a test party."""
    return keys.own_ring(home(party))


def party(name: str) -> Party:
    """A test party whose key is known."""
    return Party(party_id=name, name={"en": name}, country_code="XA", public_key=ring(name).text())


def signed(document: dict[str, Any], parties: Iterable[str] | None = None) -> dict[str, Any]:
    """An agreement as data with the signatures of its parties."""
    agreement = parse(document, "test")
    data = canonical(agreement)
    wanted = (agreement.owner, *agreement.recipients) if parties is None else tuple(parties)
    signatures = {
        name: str(keys.sign(home(name), data, purpose="agreement", now=SIGNED)) for name in wanted
    }
    return {**agreement.model_dump(mode="json"), "signatures": signatures}


def conclude(store: Store, document: dict[str, Any], text: str = "", *, person: str) -> None:
    """Put an agreement into a node as one that all its parties have signed."""
    found = signed(document)
    for name in found["signatures"]:
        known = next((p for p in store.parties() if p.party_id == name), party(name))
        store.put_party(known.model_copy(update={"public_key": ring(name).text()}), person=person)
        if name == store.party_id and not keys.has_keys(store.folder):
            shutil.copytree(home(name) / "keys", store.folder / "keys", dirs_exist_ok=True)
    store.put_agreement(found, text, person=person)
