"""A package for one party: through the door, described, signed, sealed, kept in the outbox."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from ecotone.model.agreement import Action
from ecotone.model.errors import InputRefused, UsageError, Withheld
from ecotone.model.words import say
from ecotone.share import keys, letter, trust
from ecotone.share.agreements import digest
from ecotone.share.decide import Request
from ecotone.share.door import Door
from ecotone.share.packages import container, files, further, pictures, rasters, rows, sent
from ecotone.share.packages.manifest import (
    LETTER,
    MANIFEST,
    PURPOSE,
    SIGNATURE,
    Card,
    Manifest,
    Stands,
)
from ecotone.share.packages.sent import Sent

if TYPE_CHECKING:
    import pandas as pd

    from ecotone.share.keyring import Keyring
    from ecotone.share.negotiate import Actor

#: Days a package may be under way; never beyond the agreements it stands on.
DAYS: Final = 180


@dataclass(frozen=True)
class Wanted:
    """What an export was asked for."""

    party: str
    purpose: str = "assessment"
    action: Action = "download"
    whole: bool = False
    #: The last package the party took in, where this node's own memory is older (a restored copy).
    after: int = 0
    passphrase: str | None = None
    days: int = DAYS
    also: tuple[str, ...] = ()
    #: The folder of the owner's photographs, where they are to go along.
    photographs: Path | None = None


@dataclass(frozen=True)
class Exported:
    """One package, and whether it had to be made."""

    path: Path
    sent: Sent
    fresh: bool
    rows: dict[str, int]
    removed: dict[str, int]
    kind: str
    #: How many photographs left whole, drawn anew, or stayed.
    photographs: dict[str, int] = field(default_factory=dict)


def export(actor: Actor, wanted: Wanted, *, now: datetime | None = None) -> Exported:
    """Make the next package for a party, or name the last one where nothing is new.

    Raises Withheld where no agreement lets anything of ours out to the party.
    """
    at = (now or datetime.now(UTC)).replace(microsecond=0)
    further.check(wanted.also)
    if wanted.photographs is not None and not wanted.photographs.is_dir():
        raise UsageError(say("packages.photographs-folder", folder=wanted.photographs))
    ring = _recipient(actor, wanted)
    door = _door(actor, wanted)
    found, groups = rows.merged(rows.released(door))
    before = sent.newest(actor.store, wanted.party)
    if before is not None and before.purpose != wanted.purpose and not wanted.whole:
        raise UsageError(
            say("packages.other-purpose", party=wanted.party, purpose=before.purpose,
                asked=wanted.purpose)
        )  # fmt: skip
    with container.scratch(actor.store) as work:
        made = _Making(actor, wanted, door, found, at, before, files.Folder(work))
        manifest, changes = made.manifest(groups)
        if _said_already(before, manifest, changes, wanted, at):
            assert before is not None
            path = sent.sealed(actor.store, wanted.party, before.sequence)
            return Exported(path, before, False, {}, {}, "changes")
        names = made.sign(manifest)
        plain = work / "package.zip"
        container.pack(work, names, plain)
        path = sent.sealed(actor.store, wanted.party, manifest.sequence)
        container.seal(plain, path, to=ring, passphrase=wanted.passphrase)
    sent.write_index(actor.store, wanted.party, manifest.sequence, found)
    noted = _noted(path, manifest, wanted)
    sent.note(actor.store, noted, before, person=actor.person)
    sent.forget_old(actor.store, wanted.party, manifest.sequence)
    told = {file.noun: file.rows or 0 for file in manifest.files if file.noun is not None}
    removed = dict(manifest.removed)
    return Exported(path, noted, True, told, removed, manifest.kind, made.photographs)


def deliver(exported: Exported, target: Path, name: str) -> Path:
    """Copy a package to a folder or stick; a copy that was cut is taken up where it stopped."""
    place = target if target.suffix == ".age" else target / name
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(place.name + ".part")
    with exported.path.open("rb") as source:
        done = _same_so_far(source, part)
        source.seek(done)
        with part.open("r+b" if part.exists() else "wb") as out:
            out.seek(done)
            out.truncate()
            shutil.copyfileobj(source, out, 1 << 20)
            out.flush()
    part.replace(place)
    return place


def file_name(sender: str, one: Sent) -> str:
    """How a package is called outside the node."""
    return f"{sender}-{one.party}-{one.sequence:06d}.zip.age"


class _Making:
    """The parts of one package, in the order they need each other."""

    def __init__(
        self,
        actor: Actor,
        wanted: Wanted,
        door: Door,
        found: dict[str, rows.Rows],
        at: datetime,
        before: Sent | None,
        folder: files.Folder,
    ) -> None:
        self.actor, self.wanted, self.door = actor, wanted, door
        self.found, self.at, self.before, self.folder = found, at, before, folder
        self.photographs: dict[str, int] = {}

    def manifest(self, groups: dict[str, pd.DataFrame]) -> tuple[Manifest, sent.Changes]:
        """Write the files and draw up the manifest."""
        known = None if self._whole() else self._known()
        whole = known is None
        changes = sent.Changes(self.found, {}) if known is None else sent.changes(self.found, known)
        for noun in sorted(changes.rows):
            files.write_rows(self.folder, changes.rows[noun])
        for noun in sorted(groups):
            files.write_groups(self.folder, noun, groups[noun])
        if changes.removed:
            files.write_removed(self.folder, changes.removed)
        rasters.write(self.folder, self.door, changes.rows.get("Coverage"))
        media = changes.rows.get("Media")
        seen = set() if media is None else set(media.ids.tolist())
        self.photographs = pictures.write(
            self.folder, self.door, self.actor.store, seen, self.wanted.photographs
        )
        cards, agreements = self._cards(), self._agreements()
        # In the receiver's own form everything stands, not only what changed.
        further.write(self.folder, self.wanted.also, self.found, cards, self.actor.party, self.at)
        self.folder.text(LETTER, letter.write(self.actor, [a.agreement_id for a in agreements]))
        self._describe(cards, whole)
        before = self.before
        return (
            Manifest(
                sender=self.actor.party,
                recipient=self.wanted.party,
                sequence=self._last() + 1,
                kind="whole" if whole else "changes",
                created=self.at,
                expires=self._expires(),
                purpose=self.wanted.purpose,
                previous=None if before is None else before.digest,
                before=None if whole or before is None else before.state,
                state=rows.state({noun: part.hashes for noun, part in self.found.items()}),
                agreements=tuple(agreements),
                datasets=cards,
                removed={noun: len(ids) for noun, ids in sorted(changes.removed.items())},
                files=tuple(sorted(self.folder.files, key=lambda file: file.path)),
            ),
            changes,
        )

    def sign(self, manifest: Manifest) -> list[str]:
        """Write manifest and signature; the names of all other files."""
        raw = manifest.canonical()
        signature = keys.sign(
            self.actor.store.folder, raw, purpose=PURPOSE, passphrase=self.actor.passphrase,
            now=self.at,
        )  # fmt: skip
        (self.folder.path / MANIFEST).write_bytes(raw)
        (self.folder.path / SIGNATURE).write_text(f"{signature}\n", encoding="ascii")
        return [file.path for file in manifest.files]

    def _last(self) -> int:
        return max(0 if self.before is None else self.before.sequence, self.wanted.after)

    def _whole(self) -> bool:
        # Who has no Ecotone cannot put changes together; what we do not remember we cannot change.
        if self.before is None or self._last() != self.before.sequence:
            return True
        return self.wanted.whole or self.wanted.passphrase is not None

    def _known(self) -> dict[str, pd.Series] | None:
        assert self.before is not None
        if self.before.sealed_to == "passphrase":
            return None
        return sent.read_index(self.actor.store, self.before)

    def _cards(self) -> tuple[Card, ...]:
        known = {dataset.dataset_id: dataset for dataset in self.actor.store.datasets()}
        return tuple(
            Card(
                dataset_id=card.dataset_id,
                title=card.title,
                licence=card.licence,
                levels=card.levels,
                export_clearance=known[card.dataset_id].export_clearance,
                zone=known[card.dataset_id].zone,
                datum=known[card.dataset_id].datum,
            )
            for card in sorted(self.door.datasets(), key=lambda card: card.dataset_id)
        )

    def _agreements(self) -> list[Stands]:
        named = {(d.agreement_id, d.agreement_version) for d in self.door.decisions}
        return [
            Stands(agreement_id=a.agreement_id, version=a.version, digest=digest(a))
            for a in sorted(self.door.agreements, key=lambda a: (a.agreement_id, a.version))
            if (a.agreement_id, a.version) in named
        ]

    def _expires(self) -> date:
        named = {(d.agreement_id, d.agreement_version) for d in self.door.decisions}
        ends = [a.valid_until for a in self.door.agreements if (a.agreement_id, a.version) in named]
        return min([self.at.date() + timedelta(days=self.wanted.days), *ends])

    def _describe(self, cards: tuple[Card, ...], whole: bool) -> None:
        sender, to = self.actor.party, self.wanted.party
        files.write_readme(
            self.folder,
            sender=sender,
            recipient=to,
            day=self.at.date().isoformat(),
            expires=self._expires().isoformat(),
            purpose=self.wanted.purpose,
            datasets="\n".join(f"  {c.dataset_id}: {c.title} ({c.licence})" for c in cards),
        )
        told = {
            "created": self.at.isoformat().replace("+00:00", "Z"),
            "ecotone:sender": sender,
            "ecotone:recipient": to,
            "ecotone:kind": "whole" if whole else "changes",
        }
        files.write_description(self.folder, f"{sender} - {to}", cards, told)


def _recipient(actor: Actor, wanted: Wanted) -> Keyring | None:
    if wanted.party == actor.party:
        raise UsageError(say("packages.to-ourselves", party=wanted.party))
    if wanted.party not in {party.party_id for party in actor.store.parties()}:
        known = ", ".join(p.party_id for p in actor.store.parties())
        raise UsageError(say("store.party-unknown", name=wanted.party, known=known))
    if wanted.passphrase is not None:
        return None
    ring = trust.ring_of(actor.store, wanted.party)
    if ring.current is None:
        raise InputRefused(say("keys.nobody-to-seal-for", party=wanted.party))
    return ring


def _door(actor: Actor, wanted: Wanted) -> Door:
    """The door for the party, narrowed to what is ours: others' data are others' to send."""
    request = Request(wanted.party, wanted.purpose, wanted.action, actor.today)
    door = Door(actor.store, request)
    own = {d.dataset_id for d in actor.store.datasets() if d.party_id == actor.party}
    door.decisions = [d for d in door.decisions if d.dataset_id in own]
    if not door.decisions:
        raise Withheld(
            say("packages.nothing", party=wanted.party, purpose=wanted.purpose,
                action=say(f"share.action.{wanted.action}")),
            say("packages.nothing.do"),
        )  # fmt: skip
    return door


def _said_already(
    before: Sent | None, manifest: Manifest, changes: sent.Changes, wanted: Wanted, at: datetime
) -> bool:
    """Whether the last package says all this, still holds, and is sealed as it is wanted."""
    if before is None or wanted.whole or wanted.also or changes or manifest.kind == "whole":
        return False
    return sent.stands_on(manifest) == before.stands and before.expires >= at.date().isoformat()


def _noted(path: Path, manifest: Manifest, wanted: Wanted) -> Sent:
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return Sent(
        party=manifest.recipient,
        sequence=manifest.sequence,
        digest=manifest.digest,
        state=manifest.state,
        sha256=sha256,
        size=path.stat().st_size,
        created=manifest.created.isoformat(),
        expires=manifest.expires.isoformat(),
        stands=sent.stands_on(manifest),
        sealed_to="key" if wanted.passphrase is None else "passphrase",
        purpose=wanted.purpose,
    )


def _same_so_far(source: BinaryIO, part: Path) -> int:
    """How many bytes of an unfinished copy are the beginning of the package."""
    if not part.is_file():
        return 0
    done = 0
    with part.open("rb") as stream:
        while block := stream.read(1 << 20):
            if source.read(len(block)) != block:
                break
            done += len(block)
    return done
