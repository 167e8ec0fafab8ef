"""How a run becomes a result of record: draft, reviewed, approved by each party, published.

Whose signature is wanted follows from the run: the party it was made for and every party whose
data went into it. What is signed is what the run says, its figures included; a run that has been
changed since somebody signed it is not signed any further.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

from ecotone.assess.compute import sha256_of, write_atomically
from ecotone.model.errors import InputRefused, UsageError
from ecotone.model.words import say

Step = Literal["review", "approve", "publish"]
STEPS: Final[tuple[Step, ...]] = ("review", "approve", "publish")
_STATUS: Final = {"review": "reviewed", "publish": "published"}
#: What sign-off itself writes into a run.
_OURS: Final = frozenset({"status", "approvals", "steps"})


@dataclass(frozen=True)
class Signatory:
    """Who takes a step: a person of a party, in a role."""

    person: str
    name: str
    party: str
    role: str


@dataclass(frozen=True)
class RunCard:
    """A run as it stands."""

    run_id: str
    folder: Path
    title: dict[str, str]
    created: date
    status: str
    reader: str
    purpose: str
    #: The parties whose data went in, the reader's among them.
    parties: tuple[str, ...]
    approvals: tuple[dict[str, Any], ...]
    steps: tuple[dict[str, Any], ...]
    digest: str

    @property
    def missing(self) -> tuple[str, ...]:
        """The parties that have not approved."""
        done = {a["party"] for a in self.approvals}
        return tuple(p for p in self.parties if p not in done)

    def shown_to(self, party: str) -> bool:
        """Whether people of a party may read the run and its report.

        A draft is its reader's alone. Put forward, it is read by all who are to approve it, and
        published, by everybody who may come in.
        """
        if party == self.reader or self.status == "published":
            return True
        return self.status in ("reviewed", "approved") and party in self.parties


def card(folder: Path) -> RunCard | None:
    """The run in a folder; None where there is none that can be read."""
    try:
        told: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        return RunCard(
            run_id=folder.name,
            folder=folder,
            title=told["title"],
            created=date.fromisoformat(told["created"]),
            status=told["status"],
            reader=told["reader"],
            purpose=told["purpose"],
            parties=_parties(told),
            approvals=tuple(told["approvals"]),
            steps=tuple(told.get("steps", ())),
            digest=_digest(folder, told),
        )
    except (OSError, KeyError, ValueError, TypeError):
        return None


def cards(runs: Path) -> list[RunCard]:
    """The runs of a folder, newest first; of one day those last computed or signed first."""
    folders = [p for p in runs.iterdir() if (p / "run.json").is_file()] if runs.is_dir() else []
    found = [card(p) for p in folders if not p.name.startswith(".")]
    return sorted((c for c in found if c is not None), key=_age, reverse=True)


def _age(run: RunCard) -> tuple[date, int, str]:
    return run.created, (run.folder / "run.json").stat().st_mtime_ns, run.run_id


def refusal(found: RunCard, step: Step, who: Signatory) -> UsageError | None:
    """Why this step may not be taken by this person now; None where it may."""
    if step == "approve":
        return _refusal_to_approve(found, who)
    if who.party != found.reader:
        return _no("signoff.not-reader", party=who.party, reader=found.reader)
    if step == "review":
        if found.status != "draft":
            return _no("signoff.not-draft", run=found.run_id)
        return None if who.role in ("steward", "signer") else _no("signoff.no-steward")
    if who.role != "signer":
        return _no("signoff.no-signer", person=who.name)
    if found.status == "published":
        return _no("signoff.published-already", run=found.run_id)
    if found.status != "approved":
        return _no("signoff.not-approved", parties=", ".join(found.missing) or "-")
    return None


def take(found: RunCard, step: Step, who: Signatory, today: date) -> RunCard:
    """Take a step; the run as it then stands.

    Raises UsageError where this person may not, or not now, and InputRefused where the run was
    changed since another step.
    """
    wrong = refusal(found, step, who)
    if wrong is not None:
        raise wrong
    signed = {s["sha256"] for s in found.steps}
    if signed and signed != {found.digest}:
        raise InputRefused(say("signoff.changed", run=found.run_id), say("signoff.changed.do"))
    path = found.folder / "run.json"
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    line = {
        "step": step,
        "person": who.person,
        "name": who.name,
        "party": who.party,
        "on": today.isoformat(),
        "sha256": found.digest,
    }
    told.setdefault("steps", []).append(line)
    if step == "approve":
        told["approvals"].append({k: line[k] for k in ("party", "on")} | {"person": who.name})
        done = {a["party"] for a in told["approvals"]}
        if done >= set(found.parties):
            told["status"] = "approved"
    else:
        told["status"] = _STATUS[step]
    text = json.dumps(told, ensure_ascii=False, indent=2, sort_keys=True)
    write_atomically(path, (text + "\n").encode())
    after = card(found.folder)
    assert after is not None
    return after


def _refusal_to_approve(found: RunCard, who: Signatory) -> UsageError | None:
    if who.party not in found.parties:
        return _no("signoff.not-party", person=who.name, party=who.party,
                   parties=", ".join(found.parties))  # fmt: skip
    if who.role != "signer":
        return _no("signoff.no-signer", person=who.name)
    if found.status == "draft":
        return _no("signoff.not-reviewed", run=found.run_id)
    if who.party not in found.missing:
        return _no("signoff.approved-already", party=who.party)
    return None


def _no(key: str, **values: object) -> UsageError:
    return UsageError(say(key, **values))


def _digest(folder: Path, told: dict[str, Any]) -> str:
    """What the run says: its document but for sign-off, and every result it names."""
    said = {k: v for k, v in told.items() if k not in _OURS}
    total = hashlib.sha256(json.dumps(said, ensure_ascii=False, sort_keys=True).encode())
    for result in told["results"]:
        total.update(sha256_of(folder / result["path"]).encode())
    return total.hexdigest()


def _parties(told: dict[str, Any]) -> tuple[str, ...]:
    return tuple(sorted({told["reader"], *(a["owner"] for a in told["agreements"])} - {""}))
