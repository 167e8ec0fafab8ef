"""The private keys of a node: made once, used to sign and to unseal, changed and ended.

In the node's folder ``keys/``, readable by its owner alone:

* ``public.keys``           the keyring, the one file of these to give away
* ``signing-N.key``         the private key that signs (Ed25519), only of the newest pair
* ``sealing-N.key``         the private keys that unseal (X25519); old ones stay, for what was
                            sealed to them is still under way

With a passphrase the private keys are kept sealed in the age format, so that the folder alone
signs and opens nothing.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from ecotone.model.errors import InputRefused, StoreError, UsageError
from ecotone.model.words import say
from ecotone.share import age, keyring
from ecotone.share.keyring import Key, Keyring, Reason, Signature, verify

__all__ = [
    "PASSPHRASE",
    "Signature",
    "end",
    "has_keys",
    "make",
    "own_ring",
    "rotate",
    "seal",
    "sign",
    "unseal",
    "verify",
]

#: The passphrase of the node's keys, for commands that run unattended.
PASSPHRASE: Final = "ECOTONE_PASSPHRASE"
#: The passphrase of the next keys, where others may know the one in use.
NEW_PASSPHRASE: Final = "ECOTONE_NEW_PASSPHRASE"
_RING: Final = "public.keys"
#: log2 of scrypt's work for keys on our own disk: about a third of a second.
_WORK: Final = 16


@dataclass(frozen=True, slots=True)
class _Pen:
    """The private key that signs, unlocked, and its number."""

    number: int
    signing: Ed25519PrivateKey


def has_keys(node_folder: Path) -> bool:
    """Whether the node has keys at all."""
    return (node_folder / "keys" / _RING).is_file()


def own_ring(node_folder: Path) -> Keyring:
    """The node's own keyring; StoreError where it has no keys."""
    path = node_folder / "keys" / _RING
    if not path.is_file():
        raise StoreError(say("keys.none"), say("keys.none.do"))
    return keyring.read(path.read_text(encoding="utf-8"))


def make(
    node_folder: Path, party: str, *, passphrase: str | None = None, now: datetime | None = None
) -> Keyring:
    """The first pair of keys of a node, as ``ecotone init`` makes it."""
    if has_keys(node_folder):
        raise UsageError(say("keys.exist"))
    key = _new_pair(node_folder, party, 1, _second(now), passphrase)
    ring = keyring.read(keyring.told(key.statement(), None))
    _write_ring(node_folder, ring)
    return ring


def rotate(
    node_folder: Path,
    *,
    reason: Reason = "routine",
    passphrase: str | None = None,
    new_passphrase: str | None = None,
    now: datetime | None = None,
) -> Keyring:
    """End the key in use and make the next.

    The old key signs for the new one where it still can and may (``routine``, ``left``); after a
    loss or a theft partners must compare the new fingerprint themselves.
    """
    ring = own_ring(node_folder)
    if reason == "lost":
        _set_aside(node_folder)
        old, sealing = None, {}
    else:
        old = None if ring.current is None else _unlocked(node_folder, passphrase)
        sealing = _sealing(node_folder, ring, passphrase)
    at = max(_second(now), ring.keys[-1].until or ring.keys[-1].since)
    if ring.current is not None:
        ring = _with_end(ring, ring.current, at, reason, old)
    last = ring.keys[-1]
    key = _new_pair(node_folder, ring.party, last.number + 1, at, new_passphrase)
    by = None
    if old is not None and last.reason in ("routine", "left"):
        by = (old.number, old.signing.sign(key.statement().encode()))
    ring = keyring.read(ring.text() + keyring.told(key.statement(), by))
    # Who left knows the old passphrase: what unseals old packages is kept under the new one.
    for number, private in sealing.items():
        _write_private(node_folder, f"sealing-{number}", private, new_passphrase)
    _write_ring(node_folder, ring)
    _forget_signing(node_folder, ring)
    return ring


def end(
    node_folder: Path,
    *,
    reason: Reason,
    passphrase: str | None = None,
    now: datetime | None = None,
) -> Keyring:
    """End the key in use without another: the node signs nothing until ``rotate``."""
    ring = own_ring(node_folder)
    if ring.current is None:
        raise UsageError(say("keys.ended-already"))
    old = None if reason == "lost" else _unlocked(node_folder, passphrase)
    ring = _with_end(ring, ring.current, max(_second(now), ring.current.since), reason, old)
    _write_ring(node_folder, ring)
    _forget_signing(node_folder, ring)
    return ring


def sign(
    node_folder: Path,
    data: bytes,
    *,
    purpose: str = "data",
    passphrase: str | None = None,
    now: datetime | None = None,
) -> Signature:
    """The node's signature of ``data`` for a purpose, with the key in use."""
    ring = own_ring(node_folder)
    if ring.current is None:
        raise UsageError(say("keys.ended-already"), say("keys.ended-already.do"))
    at = _second(now)
    if at < ring.current.since - keyring.CLOCKS:
        raise UsageError(say("keys.clock-own", now=keyring.stamp(at)))
    keys = _unlocked(node_folder, passphrase)
    message = keyring.signed_bytes(ring.party, keys.number, at, data, purpose)
    return Signature(ring.party, keys.number, at, keys.signing.sign(message))


def seal(
    source: BinaryIO,
    target: BinaryIO,
    *,
    to: Keyring | str | None = None,
    passphrase: str | None = None,
) -> None:
    """Seal a stream to a party's key in use (its keyring or that as text) or to a passphrase."""
    if to is None:
        age.seal(source, target, passphrase=passphrase)
        return
    ring = keyring.read(to) if isinstance(to, str) else to
    if ring.current is None:
        raise InputRefused(say("keys.nobody-to-seal-for", party=ring.party))
    age.seal(source, target, recipients=[ring.current.sealing])


def unseal(
    source: BinaryIO,
    target: BinaryIO,
    *,
    node_folder: Path | None = None,
    passphrase: str | None = None,
    sealed_to_passphrase: bool = False,
) -> None:
    """Open a stream that was sealed to this node, or to a passphrase.

    What ``target`` received before a refusal must be thrown away. ``passphrase`` opens the
    node's own keys, or with ``sealed_to_passphrase`` the stream itself.
    """
    if sealed_to_passphrase or node_folder is None:
        age.unseal(source, target, passphrase=passphrase)
        return
    sealing = _sealing(node_folder, own_ring(node_folder), passphrase)
    # The newest first: it is the one most was sealed to.
    age.unseal(source, target, identities=[sealing[number] for number in sorted(sealing)][::-1])


def locked(node_folder: Path) -> bool:
    """Whether the node's keys want a passphrase."""
    return any(
        path.read_bytes().startswith(b"age-encryption.org/") for path in _private_files(node_folder)
    )


def _with_end(ring: Keyring, key: Key, at: datetime, reason: Reason, old: _Pen | None) -> Keyring:
    statement = keyring.end_statement(ring.party, key.number, at, reason)
    by = None if old is None else (old.number, old.signing.sign(statement.encode()))
    return keyring.read(ring.text() + keyring.told(statement, by))


def _new_pair(
    node_folder: Path, party: str, number: int, since: datetime, passphrase: str | None
) -> Key:
    signing, sealing = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
    for name, private in ((f"signing-{number}", signing), (f"sealing-{number}", sealing)):
        _write_private(node_folder, name, private, passphrase)
    return Key(
        party,
        number,
        signing.public_key().public_bytes_raw(),
        age.recipient_of(sealing.public_key()),
        since,
    )


def _write_private(
    node_folder: Path,
    name: str,
    private: Ed25519PrivateKey | X25519PrivateKey,
    passphrase: str | None,
) -> None:
    text = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    if passphrase is not None:
        sealed = io.BytesIO()
        age.seal(io.BytesIO(text), sealed, passphrase=passphrase, work=_WORK)
        text = sealed.getvalue()
    _write(node_folder / "keys" / f"{name}.key", text, 0o600)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all, and never for a moment readable by others."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)


def _write_ring(node_folder: Path, ring: Keyring) -> None:
    _write(node_folder / "keys" / _RING, ring.text().encode(), 0o644)


def _set_aside(node_folder: Path) -> None:
    """Keys that nobody can open any more are no hindrance to the next, and are not thrown away."""
    for path in _private_files(node_folder):
        path.replace(path.with_suffix(".lost"))


def _forget_signing(node_folder: Path, ring: Keyring) -> None:
    """A key that has ended signs no more: nobody shall find it later."""
    for key in ring.keys:
        if key.until is not None:
            (node_folder / "keys" / f"signing-{key.number}.key").unlink(missing_ok=True)


def _unlocked(node_folder: Path, passphrase: str | None) -> _Pen:
    ring = own_ring(node_folder)
    number = ring.keys[-1].number
    signing = _private(node_folder, f"signing-{number}", passphrase)
    if not isinstance(signing, Ed25519PrivateKey):
        raise StoreError(say("keys.unreadable", name=f"signing-{number}.key"))
    if signing.public_key().public_bytes_raw() != ring.keys[-1].signing:
        raise StoreError(say("keys.unreadable", name=f"signing-{number}.key"))
    return _Pen(number, signing)


def _sealing(
    node_folder: Path, ring: Keyring, passphrase: str | None
) -> dict[int, X25519PrivateKey]:
    """The keys that unseal, by number; a lost one is not there."""
    found = {}
    for key in ring.keys:
        name = f"sealing-{key.number}"
        if key.until is not None and not (node_folder / "keys" / f"{name}.key").is_file():
            continue
        private = _private(node_folder, name, passphrase)
        if not isinstance(private, X25519PrivateKey):
            raise StoreError(say("keys.unreadable", name=f"{name}.key"), say("keys.gone.do"))
        found[key.number] = private
    return found


def _private(node_folder: Path, name: str, passphrase: str | None) -> object:
    path = node_folder / "keys" / f"{name}.key"
    if not path.is_file():
        raise StoreError(say("keys.gone", name=path.name), say("keys.gone.do"))
    text = path.read_bytes()
    if text.startswith(b"age-encryption.org/"):
        given = passphrase if passphrase is not None else os.environ.get(PASSPHRASE)
        opened = io.BytesIO()
        age.unseal(io.BytesIO(text), opened, passphrase=given)
        text = opened.getvalue()
    try:
        return serialization.load_pem_private_key(text, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise StoreError(say("keys.unreadable", name=path.name), say("keys.gone.do")) from error


def _second(now: datetime | None) -> datetime:
    return (now or datetime.now(UTC)).replace(microsecond=0)


def readable_by_others(node_folder: Path) -> list[str]:
    """Private key files that others on this machine may read (POSIX)."""
    if os.name != "posix":
        return []
    return [
        path.name
        for path in sorted((node_folder / "keys").glob("*.key"))
        if path.stat().st_mode & 0o077
    ]


def _private_files(node_folder: Path) -> list[Path]:
    """Not every secret in the folder is of this module."""
    folder = node_folder / "keys"
    return [*folder.glob("signing-*.key"), *folder.glob("sealing-*.key")]
