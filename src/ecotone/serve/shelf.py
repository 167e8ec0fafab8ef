"""The runs of the node as somebody may see them."""

from __future__ import annotations

from fastapi import Request

from ecotone.assess.signoff import RunCard, card, cards
from ecotone.model.errors import Withheld
from ecotone.model.words import say
from ecotone.serve.accounts import Account
from ecotone.serve.state import served


def runs_for(request: Request, account: Account) -> list[RunCard]:
    """The runs that people of a party may read, newest first."""
    return [c for c in cards(served(request).folder / "runs") if c.shown_to(account.party)]


def run_for(request: Request, account: Account, run_id: str) -> RunCard:
    """One run; Withheld for one that is not there or is not for this party."""
    plain = run_id.replace("-", "").isalnum() and run_id.isascii()
    found = card(served(request).folder / "runs" / run_id) if plain else None
    if found is None or not found.shown_to(account.party):
        raise Withheld(say("desk.nothing"))
    return found
