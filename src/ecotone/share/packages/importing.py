"""Take in a package: all of it or nothing, in order, once; a refusal leaves a ledger line only."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ecotone.model.errors import EcotoneError, InputRefused, StoreError
from ecotone.model.records import Dataset
from ecotone.model.words import say
from ecotone.share import keyring, letter, lifecycle, trust
from ecotone.share.agreements import canonical, digest, parse
from ecotone.share.keyring import CLOCKS
from ecotone.share.negotiate import note_refusal
from ecotone.share.packages import pictures, rasters, rows
from ecotone.share.packages.container import scratch
from ecotone.share.packages.manifest import LETTER, Manifest, Stands
from ecotone.share.packages.reading import MOST, Opened, opened, removed_in, rows_of
from ecotone.store import received
from ecotone.store.received import Delivery, Part

if TYPE_CHECKING:
    import sqlalchemy as sa

    from ecotone.model.agreement import Agreement
    from ecotone.share.negotiate import Actor

_COARSE: Final = "generalised"
#: The levels rows can come at, and the cells of the one grid.
_LEVELS: Final = ("full", _COARSE, "aggregated")
_CELLS: Final = (None, "0.001", "0.01", "0.1", "1")


@dataclass(frozen=True)
class Imported:
    """What became of a package."""

    sender: str
    sequence: int
    state: str
    fresh: bool
    new: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    unchanged: dict[str, int] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)


def import_package(
    actor: Actor,
    path: Path,
    *,
    passphrase: str | None = None,
    most: int = MOST,
    now: datetime | None = None,
) -> Imported:
    """Take in a sealed package.

    Taken in already: nothing happens, and that is said. Raises InputRefused (a ledger line says
    why, nothing else has changed) where it is altered, cut, unsigned, expired, older than what we
    have, not the next one, not for us, or stands on no agreement that holds here.
    """
    if not path.is_file():
        raise InputRefused(say("cli.no-file", path=path))
    try:
        with scratch(actor.store) as work:
            return _import(actor, path, work, passphrase, most, now or datetime.now(UTC))
    except (EcotoneError, OSError) as error:
        refusal = error if isinstance(error, EcotoneError) else None
        if refusal is not None:
            note_refusal(actor.store, actor.person, f"package {_named(path)}", refusal)
        raise


def held(actor: Actor, sender: str) -> str:
    """The state of what this node holds of a party: what the party's own manifest must say."""
    datasets = [d.dataset_id for d in actor.store.datasets() if d.party_id == sender]
    return _state(received.hashes(actor.store, datasets))


def _import(
    actor: Actor, path: Path, work: Path, passphrase: str | None, most: int, now: datetime
) -> Imported:
    with opened(actor, path, work, passphrase=passphrase, most=most, now=now) as package:
        found = package.manifest
        before = received.progress(actor.store, found.sender)
        if before is not None and before["manifest"] == found.digest:
            return Imported(found.sender, found.sequence, found.state, fresh=False)
        _check_time(actor, found, now)
        _check_order(actor, found, before)
        _check_agreements(actor, package)
        delivery = _delivery(actor, path, package, before)
        new = letter.checked(actor, _letter(package))
        photographs = pictures.keep(actor.store, package)

        def beside(connection: sa.Connection) -> None:
            letter.put(connection, actor, new)
            pictures.note(connection, actor, package, photographs)

        taken = received.take(
            actor.store,
            delivery,
            _state,
            beside,
            person=actor.person,
        )
    return Imported(
        found.sender, found.sequence, found.state, True,
        taken.new, taken.changed, taken.unchanged, taken.removed,
    )  # fmt: skip


def _check_time(actor: Actor, found: Manifest, now: datetime) -> None:
    told = {"created": keyring.stamp(found.created), "now": keyring.stamp(now)}
    if found.created > now + CLOCKS:
        raise InputRefused(say("packages.from-the-future", **told), say("packages.clock.do"))
    newest = actor.store.ledger()[-1].time
    if datetime.fromisoformat(newest) > now + CLOCKS:
        raise InputRefused(
            say("packages.our-clock", ledger=newest[:19], now=told["now"]), say("packages.clock.do")
        )
    if found.expires < now.date():
        raise InputRefused(
            say("packages.expired", expires=found.expires.isoformat(), **told),
            say("packages.expired.do", party=found.sender),
        )


def _check_order(actor: Actor, found: Manifest, before: dict[str, Any] | None) -> None:
    """Each package once and after the one before it; a whole one may jump ahead, never back."""
    last = 0 if before is None else int(before["sequence"])
    told = {"sequence": found.sequence, "last": last, "party": found.sender}
    if found.sequence <= last:
        raise InputRefused(say("packages.older", **told))
    if found.kind == "whole":
        return
    if before is None or found.sequence != last + 1 or found.previous != before["manifest"]:
        raise InputRefused(
            say("packages.gap", **told), say("packages.gap.do", party=found.sender, us=actor.party)
        )
    if held(actor, found.sender) != found.before:
        raise InputRefused(
            say("packages.other-state", party=found.sender),
            say("packages.gap.do", party=found.sender, us=actor.party),
        )


def _check_agreements(actor: Actor, package: Opened) -> None:
    """Each agreement named is in force here, or comes along with all its signatures."""
    if not package.manifest.agreements:
        raise InputRefused(say("packages.no-agreement"))
    here = {
        (s.agreement.agreement_id, s.agreement.version): s
        for s in lifecycle.standings(actor.store, actor.today)
    }
    document = _letter(package)
    carried: dict[tuple[str, int], Agreement] = {}
    for each in document.get("agreements", []):
        one = parse({k: v for k, v in dict(each).items() if k != "text"}, LETTER)
        carried[one.agreement_id, one.version] = one
    for stands in package.manifest.agreements:
        _check_agreement(actor, package.manifest, stands, here, carried)


def _check_agreement(
    actor: Actor,
    found: Manifest,
    stands: Stands,
    here: dict[tuple[str, int], lifecycle.Standing],
    carried: dict[tuple[str, int], Agreement],
) -> None:
    named = {"agreement": stands.agreement_id, "version": stands.version}
    known = here.get((stands.agreement_id, stands.version))
    if known is not None and digest(known.agreement) != stands.digest:
        raise InputRefused(say("lifecycle.other-text", **named))
    if known is not None and known.state not in ("draft", "proposed"):
        if known.state != "active":
            state = say(f"packages.state.{known.state}")
            raise InputRefused(say("packages.agreement-not-active", state=state, **named))
        agreement = known.agreement
    else:
        one = carried.get((stands.agreement_id, stands.version))
        if one is None or digest(one) != stands.digest:
            raise InputRefused(say("packages.agreement-unknown", **named))
        _check_signatures(actor, one, known)
        agreement = one
    if agreement.owner != found.sender or actor.party not in agreement.recipients:
        raise InputRefused(say("packages.agreement-unknown", **named))
    if not agreement.valid_from <= actor.today <= agreement.valid_until:
        raise InputRefused(
            say("packages.agreement-not-active", state=say("packages.state.expired"), **named)
        )


def _check_signatures(actor: Actor, agreement: Agreement, known: lifecycle.Standing | None) -> None:
    """All parties signed; a signature we noted before its key ended holds as it does at home."""
    rings = trust.rings(actor.store)
    noted = {} if known is None else known.signed
    for party in lifecycle.parties(agreement):
        text, ring = agreement.signatures.get(party), rings.get(party)
        if text is None or ring is None:
            raise InputRefused(
                say("packages.agreement-unsigned", agreement=agreement.agreement_id,
                    version=agreement.version, party=party)
            )  # fmt: skip
        same = known is not None and known.agreement.signatures.get(party) == text
        seen = noted[party].noted if same and party in noted else None
        keyring.verify(ring, canonical(agreement), text, purpose=lifecycle.AGREEMENT, seen=seen)


def _letter(package: Opened) -> dict[str, Any]:
    try:
        document = json.loads(package.path(LETTER).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise InputRefused(say("packages.manifest-unreadable")) from error
    if not isinstance(document, dict) or document.get("format") != letter.FORMAT:
        raise InputRefused(say("packages.manifest-unreadable"))
    return document


def _delivery(actor: Actor, path: Path, package: Opened, before: dict[str, Any] | None) -> Delivery:
    found = package.manifest
    datasets = _datasets(actor, found)
    told: list[dict[str, Any]] = []
    parts = []
    for part in rows_of(package):
        codes, marks = rows.marks_of(part.table)
        _check_marks(found, marks)
        parts.append(
            Part(
                noun=part.noun,
                rows=part.table.drop_columns(
                    [n for n in rows.MARKS if n in part.table.column_names]
                ),
                hashes=part.hashes.view(np.int64),
                marks=codes + len(told),
                file=next(f.path for f in found.files if f.noun == part.noun),
            )
        )
        told += [
            {**dict(zip(("dataset_id", *rows.MARKS), mark, strict=True)), "noun": part.noun,
             "sender": found.sender, "manifest": found.digest}
            for mark in marks
        ]  # fmt: skip
    plain = path.stat()
    return Delivery(
        sender=found.sender,
        sequence=found.sequence,
        file_name=path.name,
        sha256=found.digest,
        size=plain.st_size,
        whole=found.kind == "whole",
        parts=parts,
        marks=told,
        removed=removed_in(package),
        datasets=datasets,
        rasters={
            file.path: package.path(file.path)
            for file in found.files
            if file.path.startswith(f"{rasters.HOME}/")
        },
        progress={
            "sequence": found.sequence,
            "manifest": found.digest,
            "state": found.state,
            "agreements": [f"{a.agreement_id} v{a.version}" for a in found.agreements],
        },
        before=before,
        manifest=package.raw.decode(),
    )


def _check_marks(found: Manifest, marks: list[tuple[str | None, ...]]) -> None:
    """Rows are of datasets and agreements that the manifest names, at levels there are."""
    datasets = {card.dataset_id for card in found.datasets}
    agreements = {f"{a.agreement_id} v{a.version}" for a in found.agreements}
    for dataset, agreement, name, level, cell, *_ in marks:
        told = name is not None and level in _LEVELS and (cell is None) == (level != _COARSE)
        if dataset not in datasets or agreement not in agreements or not told or cell not in _CELLS:
            raise InputRefused(say("packages.strange-rows", dataset=dataset or "-",
                                   agreement=agreement or "-"))  # fmt: skip


def _datasets(actor: Actor, found: Manifest) -> list[Dataset]:
    """The datasets as their owner describes them; InputRefused where another party owns one."""
    known = {dataset.dataset_id: dataset for dataset in actor.store.datasets()}
    made = []
    for card in found.datasets:
        here = known.get(card.dataset_id)
        if here is not None and here.party_id != found.sender:
            raise InputRefused(
                say("packages.not-the-owner", party=found.sender, dataset=card.dataset_id,
                    owner=here.party_id)
            )  # fmt: skip
        made.append(
            Dataset(
                dataset_id=card.dataset_id,
                party_id=found.sender,
                title=card.title,
                licence=card.licence,
                export_clearance=card.export_clearance,
                zone=card.zone,
                datum=card.datum,
                sensitivity=None if here is None else here.sensitivity,
            )
        )
    return made


def _state(held: dict[str, Any]) -> str:
    return rows.state({noun: values.view(np.uint64) for noun, values in held.items()})


def _named(path: Path) -> str:
    """The name and hash of a file, for the ledger."""
    try:
        with path.open("rb") as stream:
            return f"{path.name} {hashlib.file_digest(stream, 'sha256').hexdigest()}"
    except OSError as error:
        raise StoreError(say("cli.no-file", path=path)) from error
