"""Sealing in the age format (age-encryption.org/v1): for a recipient's key or for a passphrase.

An open format with independent tools on every system, so that a partner without Ecotone opens
what we sealed, and the other way round. Built on the primitives of ``cryptography``: X25519,
scrypt, HKDF, HMAC, ChaCha20-Poly1305. The payload is a stream of blocks of 64 KiB, each
authenticated with its place and whether it is the last: memory is bounded by one block, and what
was cut, swapped or altered is refused.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from ecotone.model.errors import InputRefused
from ecotone.model.words import say
from ecotone.share import bech32

BLOCK: Final = 64 * 1024
_TAG: Final = 16
_VERSION: Final = b"age-encryption.org/v1"
#: log2 of scrypt's work: 256 MB and about a second; a thief pays that for every guess.
WORK: Final = 18
_MOST_WORK: Final = 20
#: A header that lists more than this is not one of a package.
_MOST_HEADER: Final = 64 * 1024
_B64: Final = re.compile(rb"[A-Za-z0-9+/]*")


@dataclass(frozen=True, slots=True)
class _Stanza:
    """One way into a sealed file."""

    kind: bytes
    arguments: tuple[bytes, ...]
    body: bytes

    def text(self) -> bytes:
        """As it stands in the header."""
        body = _b64(self.body)
        lines = [body[at : at + 64] for at in range(0, len(body) + 1, 64)]
        return b"-> " + b" ".join((self.kind, *self.arguments)) + b"\n" + b"\n".join(lines) + b"\n"


def recipient_of(public: X25519PublicKey) -> str:
    """The public key as age writes it: ``age1...``."""
    return bech32.encode("age", public.public_bytes_raw())


def public_of(recipient: str) -> X25519PublicKey:
    """The key of a recipient; InputRefused where the text is none."""
    try:
        return X25519PublicKey.from_public_bytes(bech32.decode("age", recipient))
    except ValueError as error:
        raise InputRefused(say("keys.recipient-wrong", given=recipient)) from error


def identity_of(private: X25519PrivateKey) -> str:
    """The private key as age writes it, for age's own tools."""
    return bech32.encode("age-secret-key-", private.private_bytes_raw()).upper()


def seal(
    source: BinaryIO,
    target: BinaryIO,
    *,
    recipients: Sequence[str] = (),
    passphrase: str | None = None,
    work: int = WORK,
) -> None:
    """Seal a stream for recipients, or for whoever knows the passphrase; never for both."""
    if bool(recipients) == (passphrase is not None):
        raise ValueError("either recipients or a passphrase")
    file_key = os.urandom(16)
    stanzas = [_to_recipient(file_key, public_of(each)) for each in recipients]
    if passphrase is not None:
        stanzas = [_to_passphrase(file_key, passphrase, work)]
    header = _VERSION + b"\n" + b"".join(stanza.text() for stanza in stanzas) + b"---"
    nonce = os.urandom(16)
    target.write(header + b" " + _b64(_mac(file_key, header).finalize()) + b"\n" + nonce)
    cipher = ChaCha20Poly1305(_derive(file_key, nonce, b"payload"))
    for number, block, last in _blocks(source, BLOCK):
        target.write(cipher.encrypt(_nonce(number, last), block, None))


def unseal(
    source: BinaryIO,
    target: BinaryIO,
    *,
    identities: Sequence[X25519PrivateKey] = (),
    passphrase: str | None = None,
) -> None:
    """Open a sealed stream into ``target``.

    What is written before a refusal must be thrown away: only a stream read to its last block is
    whole. Raises InputRefused where no key fits or anything was altered or cut.
    """
    header, stanzas, mac = _read_header(source)
    file_key = _file_key(stanzas, identities, passphrase)
    try:
        _mac(file_key, header).verify(mac)
    except InvalidSignature as error:
        raise InputRefused(say("keys.seal-altered")) from error
    nonce = source.read(16)
    if len(nonce) < 16:
        raise InputRefused(say("keys.seal-cut"))
    cipher = ChaCha20Poly1305(_derive(file_key, nonce, b"payload"))
    for number, block, last in _blocks(source, BLOCK + _TAG):
        try:
            plain = cipher.decrypt(_nonce(number, last), block, None)
        except InvalidTag as error:
            raise InputRefused(say("keys.seal-cut" if last else "keys.seal-altered")) from error
        if not plain and number:
            raise InputRefused(say("keys.seal-altered"))
        target.write(plain)


def _to_recipient(file_key: bytes, public: X25519PublicKey) -> _Stanza:
    ephemeral = X25519PrivateKey.generate()
    share = ephemeral.public_key().public_bytes_raw()
    key = _derive(
        _shared(ephemeral, public), share + public.public_bytes_raw(), _VERSION + b"/X25519"
    )
    return _Stanza(b"X25519", (_b64(share),), _wrap(key, file_key))


def _to_passphrase(file_key: bytes, passphrase: str, work: int) -> _Stanza:
    salt = os.urandom(16)
    key = _stretched(passphrase, salt, work)
    return _Stanza(b"scrypt", (_b64(salt), str(work).encode()), _wrap(key, file_key))


def _file_key(
    stanzas: list[_Stanza], identities: Sequence[X25519PrivateKey], passphrase: str | None
) -> bytes:
    locked = any(stanza.kind == b"scrypt" for stanza in stanzas)
    if locked and len(stanzas) != 1:
        raise InputRefused(say("keys.seal-altered"))
    if locked and passphrase is None:
        raise InputRefused(say("keys.passphrase-wanted"))
    for stanza in stanzas:
        if stanza.kind == b"scrypt" and passphrase is not None:
            found = _by_passphrase(stanza, passphrase)
        else:
            found = _by_identity(stanza, identities)
        if found is not None:
            return found
    raise InputRefused(say("keys.passphrase-wrong" if locked else "keys.seal-not-for-us"))


def _by_identity(stanza: _Stanza, identities: Sequence[X25519PrivateKey]) -> bytes | None:
    if stanza.kind != b"X25519" or len(stanza.arguments) != 1:
        return None
    share = _unb64(stanza.arguments[0])
    if len(share) != 32:
        raise InputRefused(say("keys.seal-altered"))
    for identity in identities:
        try:
            secret = _shared(identity, X25519PublicKey.from_public_bytes(share))
        except ValueError as error:
            raise InputRefused(say("keys.seal-altered")) from error
        salt = share + identity.public_key().public_bytes_raw()
        found = _unwrap(_derive(secret, salt, _VERSION + b"/X25519"), stanza.body)
        if found is not None:
            return found
    return None


def _by_passphrase(stanza: _Stanza, passphrase: str) -> bytes | None:
    if len(stanza.arguments) != 2 or not re.fullmatch(rb"[1-9][0-9]?", stanza.arguments[1]):
        raise InputRefused(say("keys.seal-altered"))
    work = int(stanza.arguments[1])
    if work > _MOST_WORK:
        # The sealer chooses how much memory we spend; nobody needs gigabytes for a passphrase.
        raise InputRefused(say("keys.seal-work", work=work, most=_MOST_WORK))
    return _unwrap(_stretched(passphrase, _unb64(stanza.arguments[0]), work), stanza.body)


def _shared(private: X25519PrivateKey, public: X25519PublicKey) -> bytes:
    return private.exchange(public)


def _stretched(passphrase: str, salt: bytes, work: int) -> bytes:
    scrypt = Scrypt(salt=_VERSION + b"/scrypt" + salt, length=32, n=2**work, r=8, p=1)
    return scrypt.derive(passphrase.encode())


def _wrap(key: bytes, file_key: bytes) -> bytes:
    return ChaCha20Poly1305(key).encrypt(bytes(12), file_key, None)


def _unwrap(key: bytes, body: bytes) -> bytes | None:
    if len(body) != 16 + _TAG:
        raise InputRefused(say("keys.seal-altered"))
    try:
        return ChaCha20Poly1305(key).decrypt(bytes(12), body, None)
    except InvalidTag:
        return None


def _derive(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=salt, info=info).derive(secret)


def _mac(file_key: bytes, header: bytes) -> hmac.HMAC:
    made = hmac.HMAC(_derive(file_key, b"", b"header"), hashes.SHA256())
    made.update(header)
    return made


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _blocks(source: BinaryIO, size: int) -> Iterator[tuple[int, bytes, bool]]:
    """Blocks with their number and whether they are the last; an empty stream is one block."""
    block, number = _read(source, size), 0
    while True:
        following = _read(source, size) if len(block) == size else b""
        yield number, block, not following
        if not following:
            return
        block, number = following, number + 1


def _read(source: BinaryIO, size: int) -> bytes:
    """Exactly ``size`` bytes unless the stream ends: a pipe may give fewer at a time."""
    parts: list[bytes] = []
    while size and (part := source.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _read_header(source: BinaryIO) -> tuple[bytes, list[_Stanza], bytes]:
    left = _MOST_HEADER

    def line() -> bytes:
        nonlocal left
        text = source.readline(left)
        left -= len(text)
        if not text.endswith(b"\n"):
            raise InputRefused(say("keys.not-sealed"))
        return text[:-1]

    first = line()
    if first != _VERSION:
        raise InputRefused(say("keys.not-sealed"))
    said = [first]
    stanzas: list[_Stanza] = []
    while not (text := line()).startswith(b"---"):
        words = text.split(b" ")
        if words[0] != b"->" or len(words) < 2 or not all(words):
            raise InputRefused(say("keys.seal-altered"))
        said.append(text)
        body = b""
        while True:
            part = line()
            said.append(part)
            body += part
            if len(part) < 64:
                break
        stanzas.append(_Stanza(words[1], tuple(words[2:]), _unb64(body)))
    if not text.startswith(b"--- "):
        raise InputRefused(say("keys.seal-altered"))
    return b"\n".join([*said, b"---"]), stanzas, _unb64(text[4:])


def _b64(raw: bytes) -> bytes:
    return base64.b64encode(raw).rstrip(b"=")


def _unb64(text: bytes) -> bytes:
    """Base64 without padding, and only the one spelling of it."""
    try:
        if _B64.fullmatch(text) is None:
            raise ValueError("not base64")
        raw = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputRefused(say("keys.seal-altered")) from error
    if _b64(raw) != text:
        raise InputRefused(say("keys.seal-altered"))
    return raw
