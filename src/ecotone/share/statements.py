"""What parties say beside an agreement, signed: suspensions, revocations, scans, requests.

A statement is a document of its own, signed by the party that makes it, and never changed. It
travels beside the agreement, so that the other party's node knows it too.
"""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from ecotone.model.agreement import Action, Level
from ecotone.model.errors import InputRefused
from ecotone.model.records import Noun
from ecotone.model.words import say
from ecotone.share import keyring
from ecotone.share.keyring import Keyring, Signature

if TYPE_CHECKING:
    from ecotone.store import Store

Kind = Literal["suspend", "resume", "revoke", "attach", "request", "answer"]
#: The kind of document a store keeps statements as, and what their signatures are for.
STATEMENT = "statement"


class Scan(Noun):
    """A file that belongs to an agreement, as the stamped paper: by hash, kept at home."""

    name: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: int


class Wish(Noun):
    """What a reader asks of an owner: which data, how exactly, for what, until when."""

    owner: str
    datasets: tuple[str, ...]
    level: Level
    cell_degrees: float | None = None
    what: str = ""
    purpose: str
    actions: tuple[Action, ...]
    until: date


class Reply(Noun):
    """The owner's word on a request; ``agreement_id`` where an agreement grants it."""

    request: str
    granted: bool
    agreement_id: str | None = None


class Statement(Noun):
    """What a party says, signed."""

    statement_id: str
    kind: Kind
    party: str
    person: str
    text: str = ""
    agreement_id: str | None = None
    version: int | None = None
    digest: str | None = None
    #: The suspensions a resumption lifts, so that the order of arrival does not matter.
    lifts: tuple[str, ...] = ()
    scan: Scan | None = None
    wish: Wish | None = None
    reply: Reply | None = None
    signature: str = ""

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Statement:
        wanted = {"attach": "scan", "request": "wish", "answer": "reply"}.get(self.kind)
        given = [name for name in ("scan", "wish", "reply") if getattr(self, name) is not None]
        if given != ([wanted] if wanted else []):
            raise ValueError(f"a statement of kind '{self.kind}' with {given or 'nothing'}")
        of_agreement = self.kind in ("suspend", "resume", "revoke", "attach")
        if of_agreement != (self.agreement_id is not None and self.version is not None):
            raise ValueError(f"a statement of kind '{self.kind}' names its agreement and version")
        if bool(self.lifts) != (self.kind == "resume"):
            raise ValueError("a resumption, and it alone, names what it lifts")
        return self

    def signed_bytes(self) -> bytes:
        """What the party signs: all but the signature."""
        document = self.model_dump(mode="json", exclude={"signature"}, exclude_defaults=True)
        text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return text.encode()

    @property
    def signed(self) -> Signature:
        """The signature taken apart."""
        return Signature.read(self.signature)


def parse(document: Any) -> Statement:
    """A statement from plain data; InputRefused where it is none."""
    try:
        return Statement.model_validate(document)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise InputRefused(say("lifecycle.statement-invalid", wrong=wrong)) from error


def check(statement: Statement, ring: Keyring) -> None:
    """Whether the party said this; raises InputRefused where it did not."""
    keyring.verify(ring, statement.signed_bytes(), statement.signature, purpose=STATEMENT)


def all_of(store: Store) -> list[Statement]:
    """Every statement the node has, oldest first by when it was noted."""
    noted = sorted(store.noted(STATEMENT), key=lambda each: each.time)
    return [parse(each.content) for each in noted]
