"""What a process does with packages until it is killed; importable, so that it can be started."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ecotone.share.negotiate import Actor
from ecotone.share.packages import fetch as fetching
from ecotone.share.packages.export import Wanted, deliver, export, file_name
from ecotone.share.packages.importing import import_package
from ecotone.store import open_node


def _actor(folder: str) -> Actor:
    store = open_node(Path(folder))
    return Actor(store, store.people()[0].person_id, datetime.now(UTC).date())


def make(folder: str, to: str, stick: str) -> None:
    """Make the next package for a party and copy it to a stick."""
    actor = _actor(folder)
    with actor.store:
        made = export(actor, Wanted(to))
        deliver(made, Path(stick), file_name(actor.party, made.sent))


def take(folder: str, stick: str, sender: str) -> None:
    """Take in what lies on the stick, oldest first."""
    actor = _actor(folder)
    with actor.store:
        from ecotone.store import received

        before = received.progress(actor.store, sender)
        last = 0 if before is None else int(before["sequence"])
        for path in sorted(Path(stick).glob(f"{sender}-{actor.party}-*.zip.age")):
            if int(path.name.split("-")[2].split(".")[0]) > last:
                import_package(actor, path)


def get(folder: str, url: str, sender: str) -> None:
    """Fetch what a partner offers and take it in."""
    actor = _actor(folder)
    with actor.store:
        for one in fetching.wanted(actor, url, sender):
            path = fetching.fetch(actor, url, sender, one)
            import_package(actor, path)
            fetching.forget(path)
