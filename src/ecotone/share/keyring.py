"""The public keys of a party through the years: who signed when, and whose key to seal for.

A keyring is text, a line per event, oldest first; it travels by mail and stands in
``Party.public_key``::

    ecotone-key VIWE 1 <signing key> <sealing key> 2026-11-21T08:00:00Z -
    ecotone-end VIWE 1 2027-03-01T08:00:00Z routine 1:<signature>
    ecotone-key VIWE 2 <signing key> <sealing key> 2027-03-01T08:00:00Z 1:<signature>

The first key is believed because a person compared its fingerprint; a later one because a key
that was good then signed for it. A key that follows a lost one has nobody to sign for it, so its
fingerprint must be compared again.

A key that ended ``routine`` still answers for what it signed before its end. One that was lost,
stolen or known to somebody who left may have signed anything under any date: it answers only for
what we ourselves had noted before its end.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, get_args

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ecotone.model.errors import InputRefused
from ecotone.model.words import say
from ecotone.share import age

Reason = Literal["routine", "left", "lost", "stolen"]
REASONS: Final[tuple[Reason, ...]] = get_args(Reason)

#: How far two honest clocks may differ.
CLOCKS: Final = timedelta(days=1)
_NONE: Final = "-"


@dataclass(frozen=True, slots=True)
class Signature:
    """What a party said, with which of its keys, at which time by its clock."""

    party: str
    key: int
    time: datetime
    value: bytes

    def __str__(self) -> str:
        return f"{self.party} {self.key} {stamp(self.time)} {b64(self.value)}"

    @classmethod
    def read(cls, text: str) -> Signature:
        """From the text that ``str`` makes; InputRefused where it is none."""
        try:
            party, key, time, value = text.split(" ")
            return cls(party, _number(key), _time(time), _bytes(value, 64))
        except ValueError as error:
            raise InputRefused(say("keys.signature-unreadable", text=text[:120])) from error


@dataclass(frozen=True, slots=True)
class Key:
    """One pair of public keys of a party, and when it held."""

    party: str
    number: int
    signing: bytes
    sealing: str
    since: datetime
    endorsed: tuple[int, bytes] | None = None
    until: datetime | None = None
    reason: Reason | None = None

    def statement(self) -> str:
        """The line that makes the key known, without who signed for it."""
        return " ".join(
            ("ecotone-key", self.party, str(self.number), b64(self.signing), self.sealing,
             stamp(self.since))
        )  # fmt: skip

    @property
    def fingerprint(self) -> str:
        """Short enough to be read out over the telephone: 8 groups of 4 (128 bits)."""
        raw = hashlib.sha256(self.statement().encode()).digest()[:16].hex().upper()
        return " ".join(raw[at : at + 4] for at in range(0, 32, 4))

    def check(self, message: bytes, value: bytes) -> bool:
        """Whether ``value`` is this key's signature of the message."""
        try:
            Ed25519PublicKey.from_public_bytes(self.signing).verify(value, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Keyring:
    """All keys of a party, oldest first, read from the lines that tell of them."""

    party: str
    keys: tuple[Key, ...]
    lines: tuple[str, ...] = field(repr=False)

    @property
    def current(self) -> Key | None:
        """The key that holds now; None where the last one ended and no other followed."""
        return self.keys[-1] if self.keys[-1].until is None else None

    def text(self) -> str:
        """As it travels."""
        return "\n".join(self.lines) + "\n"

    def key(self, number: int) -> Key:
        """A key by its number."""
        for known in self.keys:
            if known.number == number:
                return known
        raise InputRefused(say("keys.number-unknown", party=self.party, number=number))

    def strangers(self, known: Keyring | None) -> list[Key]:
        """Keys that nobody known signed for, or signed off: fingerprints must be compared.

        Raises InputRefused where this ring is not the known one with lines added: an older ring
        sent again would bring a stolen key back.
        """
        new = self.lines
        if known is not None:
            if self.party != known.party or self.lines[: len(known.lines)] != known.lines:
                raise InputRefused(say("keys.ring-older", party=known.party))
            new = self.lines[len(known.lines) :]
        unsigned = [line.split(" ") for line in new if line.endswith(" " + _NONE)]
        wanted = {int(words[2]) for words in unsigned}
        # Whoever compares the key after a lost one needs not compare the lost one as well.
        made = {int(words[2]) for words in unsigned if words[0] == "ecotone-key"}
        return [key for key in self.keys if key.number in wanted and key.number + 1 not in made]


def read(text: str) -> Keyring:
    """A keyring from its text; every line is checked against those before it.

    Raises InputRefused where a line is unreadable, out of order or not signed as it says.
    """
    lines = tuple(line.strip() for line in text.splitlines() if line.strip())
    keys: list[Key] = []
    for line in lines:
        try:
            words = line.split(" ")
            if words[0] == "ecotone-key" and len(words) == 7:
                keys.append(_key(words, keys))
            elif words[0] == "ecotone-end" and len(words) == 6:
                keys[-1] = _ended(words, keys)
            else:
                raise ValueError(words[0])
        except (ValueError, IndexError) as error:
            raise InputRefused(say("keys.ring-unreadable", line=line[:100], why=error)) from error
    if not keys:
        raise InputRefused(say("keys.ring-empty"))
    return Keyring(keys[0].party, tuple(keys), lines)


def verify(
    public_key: str | Keyring,
    data: bytes,
    signature: Signature | str,
    *,
    purpose: str = "data",
    seen: datetime | None = None,
    now: datetime | None = None,
) -> Key:
    """The key that signed ``data``, if it did and could.

    ``seen`` is when we noted the signature in our own ledger; without it, it is new to us.
    Raises InputRefused: another party's signature, an unknown key, altered data, a key not yet
    made or already ended, a clock that stands wrong.
    """
    ring = public_key if isinstance(public_key, Keyring) else read(public_key)
    given = signature if isinstance(signature, Signature) else Signature.read(signature)
    if given.party != ring.party:
        raise InputRefused(say("keys.signature-of-other", party=ring.party, found=given.party))
    key = ring.key(given.key)
    if not key.check(signed_bytes(given.party, given.key, given.time, data, purpose), given.value):
        raise InputRefused(say("keys.signature-wrong", party=ring.party))
    told = {"party": ring.party, "number": key.number, "time": stamp(given.time)}
    if given.time > (now or datetime.now(UTC)) + CLOCKS or given.time < key.since - CLOCKS:
        raise InputRefused(say("keys.clock", **told))
    if key.until is not None:
        noted = seen if key.reason != "routine" else (seen or given.time)
        # Keyrings know whole seconds, ledgers parts of them: the second of its end is the key's.
        late = noted is None or noted.replace(microsecond=0) > key.until
        if late or given.time > key.until:
            raise InputRefused(
                say("keys.ended", **told, until=stamp(key.until), reason=key.reason or "")
            )
    return key


def signed_bytes(party: str, key: int, time: datetime, data: bytes, purpose: str) -> bytes:
    """What is signed: the data, and for what, by whom and when, so that nothing is re-used."""
    head = f"ecotone-signature-1\n{purpose}\n{party} {key} {stamp(time)}\n"
    return head.encode() + data


def end_statement(party: str, number: int, until: datetime, reason: Reason) -> str:
    """The line that ends a key, without who signed it."""
    return f"ecotone-end {party} {number} {stamp(until)} {reason}"


def stamp(time: datetime) -> str:
    """UTC to the second."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def b64(raw: bytes) -> str:
    """Base64 for lines of text."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def told(statement: str, by: tuple[int, bytes] | None) -> str:
    """A statement and who signed for it."""
    return f"{statement} " + (_NONE if by is None else f"{by[0]}:{b64(by[1])}")


def _key(words: Sequence[str], before: list[Key]) -> Key:
    _, party, number, signing, sealing, since, endorsed = words
    age.public_of(sealing)
    made = Key(
        party, _number(number), _bytes(signing, 32), sealing, _time(since), _by(endorsed)
    )  # fmt: skip
    last = before[-1] if before else None
    if made.number != (last.number + 1 if last else 1) or (last and last.party != party):
        raise ValueError("out of order")
    if last is not None and (last.until is None or made.since < last.until):
        raise ValueError("begins before the last has ended")
    if made.endorsed is not None:
        number_, value = made.endorsed
        if last is None or number_ != last.number or last.reason not in ("routine", "left"):
            raise ValueError("signed by a key that cannot answer for it")
        if not last.check(made.statement().encode(), value):
            raise ValueError("signature")
    return made


def _ended(words: Sequence[str], before: list[Key]) -> Key:
    _, party, number, until, reason, signed = words
    last = before[-1]
    if (last.party, last.number) != (party, _number(number)) or last.until is not None:
        raise ValueError("out of order")
    if reason not in REASONS:
        raise ValueError(reason)
    ended = Key(
        last.party, last.number, last.signing, last.sealing, last.since, last.endorsed,
        _time(until), reason,
    )  # fmt: skip
    by = _by(signed)
    if ended.until is None or ended.until < last.since:
        raise ValueError("ends before it began")
    statement = end_statement(party, last.number, ended.until, reason)
    if by is not None and (by[0] != last.number or not last.check(statement.encode(), by[1])):
        raise ValueError("signature")
    return ended


def _by(text: str) -> tuple[int, bytes] | None:
    if text == _NONE:
        return None
    number, _, value = text.partition(":")
    return _number(number), _bytes(value, 64)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or text.startswith("0"):
        raise ValueError(text)
    return int(text)


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def _bytes(text: str, length: int) -> bytes:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("not base64") from error
    if len(raw) != length or b64(raw) != text:
        raise ValueError("not base64")
    return raw
