"""Who may come in: the node's people, their passwords and the tokens of their programs.

Who a person is, of which party and in which role, stands in the node like everything else. What
lets them in lies apart, one small file each under ``keys/accounts``: hashes alone, written whole
or not at all, so that the command line may change them while the server runs.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from ecotone.model.errors import UsageError
from ecotone.model.words import say

if TYPE_CHECKING:
    from ecotone.model.records import Person

Role = Literal["reader", "enterer", "steward", "signer"]
Act = Literal["read", "deliver", "review", "correct", "share", "run", "sign"]

#: What each role may do; a role not named here may nothing.
ROLES: Final[dict[str, frozenset[Act]]] = {
    "reader": frozenset({"read"}),
    "enterer": frozenset({"read", "deliver", "review"}),
    "steward": frozenset({"read", "deliver", "review", "correct", "share", "run"}),
    "signer": frozenset({"read", "share", "run", "sign"}),
}
#: What a program may do with a token of each scope, where its person may.
SCOPES: Final[dict[str, frozenset[Act]]] = {
    "read": frozenset({"read"}),
    "deliver": frozenset({"read", "deliver"}),
}
SHORTEST: Final = 10
_LONGEST: Final = 1024
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_PREFIX: Final = "eco"


@dataclass(frozen=True)
class Account:
    """Somebody who has come in."""

    person: str
    name: str
    party: str
    role: str
    #: Whether the party is the one whose node this is.
    home: bool
    acts: frozenset[Act]
    #: Changes with the password: a session of an older one is over.
    stamp: str = ""

    def may(self, act: Act) -> bool:
        """Whether the role, and the token if it came by one, lets them."""
        return act in self.acts


@dataclass(frozen=True)
class Token:
    """What a program shows instead of a password; only its hash is kept."""

    name: str
    scope: str
    sha256: str
    made: str


@dataclass(frozen=True)
class Credentials:
    """What lets one person in."""

    person: str
    password: str
    stamp: str
    tokens: tuple[Token, ...] = field(default=())


class Accounts:
    """The credentials of a node's people."""

    def __init__(self, node: Path, people: Callable[[], list[Person]], home: str) -> None:
        """``people`` tells the node's people as they are now; ``home`` is the node's party."""
        self._folder = node / "keys" / "accounts"
        self._people = people
        self._home = home

    def account(self, person_id: str) -> Account | None:
        """The account of somebody who may come in today; None where there is none."""
        found = self._read(person_id)
        person = self._person(person_id)
        if found is None or person is None:
            return None
        return Account(
            person=person.person_id,
            name=person.name,
            party=person.party_id,
            role=person.role,
            home=person.party_id == self._home,
            acts=ROLES.get(person.role, frozenset()),
            stamp=found.stamp,
        )

    def by_password(self, person_id: str, password: str) -> Account | None:
        """Who this is; None for a wrong name or a wrong password, after the same work."""
        from argon2.exceptions import InvalidHashError, VerificationError

        found = self._read(person_id)
        kept = found.password if found is not None else _nobodys_hash()
        try:
            _hasher().verify(kept, password[:_LONGEST])
        except (VerificationError, InvalidHashError):
            return None
        return self.account(person_id)

    def by_token(self, token: str) -> Account | None:
        """Whose program this is; it may no more than its token's scope."""
        parts = token.split("_", 2)
        if len(parts) != 3 or parts[0] != _PREFIX:
            return None
        person_id = _unpacked(parts[1])
        found = None if person_id is None else self._read(person_id)
        if person_id is None or found is None:
            return None
        sha256 = _sha256(token)
        for known in found.tokens:
            if secrets.compare_digest(known.sha256, sha256):
                account = self.account(person_id)
                scope = SCOPES.get(known.scope, frozenset())
                return account and _narrowed(account, scope)
        return None

    def set_password(self, person_id: str, password: str) -> None:
        """Let a person of the node in by this password; older sessions end.

        Raises UsageError for a person the node does not know or a password too short.
        """
        if not _NAME.fullmatch(person_id) or self._person(person_id) is None:
            raise UsageError(say("accounts.person-unknown", name=person_id))
        if len(password) < SHORTEST or password.casefold() == person_id.casefold():
            raise UsageError(say("accounts.password-short", least=SHORTEST))
        if len(password) > _LONGEST:
            raise UsageError(say("accounts.password-long", most=_LONGEST))
        before = self._read(person_id)
        self._write(
            Credentials(
                person=person_id,
                password=_hasher().hash(password),
                stamp=secrets.token_hex(8),
                tokens=before.tokens if before else (),
            )
        )

    def make_token(self, person_id: str, name: str, scope: str) -> str:
        """A token for a program of a person who can come in; it is shown this once."""
        found = self._read(person_id)
        if found is None:
            raise UsageError(say("accounts.none", name=person_id))
        if scope not in SCOPES:
            raise UsageError(say("accounts.scope-unknown", given=scope, known=", ".join(SCOPES)))
        if any(t.name == name for t in found.tokens):
            raise UsageError(say("accounts.token-there", name=name))
        token = f"{_PREFIX}_{_packed(person_id)}_{secrets.token_urlsafe(32)}"
        made = Token(name, scope, _sha256(token), datetime.now(UTC).isoformat(timespec="seconds"))
        self._write(Credentials(found.person, found.password, found.stamp, (*found.tokens, made)))
        return token

    def drop_token(self, person_id: str, name: str) -> None:
        """Take a token back."""
        found = self._read(person_id)
        if found is None or all(t.name != name for t in found.tokens):
            raise UsageError(say("accounts.token-unknown", name=name))
        left = tuple(t for t in found.tokens if t.name != name)
        self._write(Credentials(found.person, found.password, found.stamp, left))

    def remove(self, person_id: str) -> None:
        """Let a person in no more; what they did stays, as does their name in the node."""
        if self._read(person_id) is None:
            raise UsageError(say("accounts.none", name=person_id))
        self._path(person_id).unlink()

    def listing(self) -> list[tuple[Account, tuple[Token, ...]]]:
        """Everybody who can come in, with the tokens of their programs."""
        found = []
        for path in sorted(self._folder.glob("*.json")) if self._folder.is_dir() else []:
            credentials = self._read(_unpacked(path.stem) or "")
            account = credentials and self.account(credentials.person)
            if credentials and account:
                found.append((account, credentials.tokens))
        return found

    def _person(self, person_id: str) -> Person | None:
        """The person, unless they have left."""
        today = datetime.now(UTC).date()
        return next(
            (p for p in self._people() if p.person_id == person_id and not _gone(p.left, today)),
            None,
        )

    def _path(self, person_id: str) -> Path:
        # Packed: no name of a person is a device or a path on any system.
        return self._folder / f"{_packed(person_id)}.json"

    def _read(self, person_id: str) -> Credentials | None:
        if not _NAME.fullmatch(person_id):
            return None
        try:
            kept: dict[str, Any] = json.loads(self._path(person_id).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return Credentials(
            person=kept["person"],
            password=kept["password"],
            stamp=kept["stamp"],
            tokens=tuple(Token(**t) for t in kept["tokens"]),
        )

    def _write(self, found: Credentials) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        document = {
            "person": found.person,
            "password": found.password,
            "stamp": found.stamp,
            "tokens": [vars(t) for t in found.tokens],
        }
        path = self._path(found.person)
        fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(document, stream, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(path)


def _narrowed(account: Account, scope: frozenset[Act]) -> Account:
    from dataclasses import replace

    return replace(account, acts=account.acts & scope)


def _gone(left: date | None, today: date) -> bool:
    return left is not None and left <= today


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _packed(name: str) -> str:
    """A name as letters and digits that every file system and header takes."""
    return base64.b32encode(name.encode()).decode().rstrip("=").lower()


def _unpacked(text: str) -> str | None:
    try:
        return base64.b32decode(text.upper() + "=" * (-len(text) % 8)).decode()
    except (binascii.Error, ValueError):
        return None


def _hasher() -> Any:
    from argon2 import PasswordHasher

    return PasswordHasher()


@functools.cache
def _nobodys_hash() -> str:
    """Verified against when nobody has this name, so that the answer takes as long."""
    return str(_hasher().hash(secrets.token_hex(16)))
