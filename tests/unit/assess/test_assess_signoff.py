"""From a draft to a published result: who may take which step, and what a signature stands on."""

from __future__ import annotations

import json
from datetime import date

import pytest

from ecotone.assess.signoff import Signatory, card, cards, refusal, take
from ecotone.model.errors import InputRefused, UsageError

DAY = date(2026, 6, 1)
AIGUL = Signatory("aigul", "Aigul T.", "KNCM", "steward")
SAULE = Signatory("saule", "Saule B.", "KNCM", "signer")
LI = Signatory("li", "Li Na", "URUM", "signer")
WEI = Signatory("wei", "Wei", "URUM", "steward")
MARY = Signatory("mary", "Mary", "ELSE", "signer")


@pytest.fixture
def folder(tmp_path):
    run = tmp_path / "2026-05-01-abc"
    (run / "results").mkdir(parents=True)
    (run / "results" / "result.json").write_text('{"values": {"x": {"value": 1}}}')
    document = {
        "title": {"en": "T"}, "created": "2026-05-01", "status": "draft", "reader": "KNCM",
        "purpose": "assessment", "approvals": [], "agreements": [{"owner": "URUM"}],
        "results": [{"path": "results/result.json"}],
    }  # fmt: skip
    (run / "run.json").write_text(json.dumps(document))
    return run


def status(folder):
    return json.loads((folder / "run.json").read_text())["status"]


def test_each_step_by_whom_it_is_for(folder):
    found = card(folder)
    assert found.parties == ("KNCM", "URUM") and found.missing == ("KNCM", "URUM")
    reader = Signatory("x", "X", "KNCM", "reader")
    for step, who in (
        ("review", WEI), ("review", reader), ("approve", SAULE), ("approve", MARY),
        ("publish", SAULE), ("publish", AIGUL),
    ):  # fmt: skip
        with pytest.raises(UsageError):
            take(found, step, who, DAY)
    assert status(folder) == "draft"
    found = take(found, "review", AIGUL, DAY)
    assert refusal(found, "review", AIGUL) and refusal(found, "approve", AIGUL)
    found = take(found, "approve", LI, DAY)
    assert status(folder) == "reviewed" and found.missing == ("KNCM",)
    assert refusal(found, "approve", LI) and refusal(found, "publish", SAULE)
    found = take(found, "approve", SAULE, DAY)
    assert status(folder) == "approved"
    assert found.approvals == (
        {"party": "URUM", "person": "Li Na", "on": "2026-06-01"},
        {"party": "KNCM", "person": "Saule B.", "on": "2026-06-01"},
    )
    take(found, "publish", SAULE, DAY)
    assert status(folder) == "published"
    assert refusal(card(folder), "publish", SAULE)


def test_who_may_read_it_when(folder):
    found = card(folder)
    assert [found.shown_to(p) for p in ("KNCM", "URUM", "ELSE")] == [True, False, False]
    found = take(found, "review", SAULE, DAY)
    assert [found.shown_to(p) for p in ("KNCM", "URUM", "ELSE")] == [True, True, False]
    for who in (LI, SAULE):
        found = take(found, "approve", who, DAY)
    found = take(found, "publish", SAULE, DAY)
    assert found.shown_to("ELSE")


@pytest.mark.parametrize("what", ["result", "document"])
def test_what_was_changed_after_a_signature_is_signed_no_further(folder, what):
    take(card(folder), "review", AIGUL, DAY)
    if what == "result":
        (folder / "results" / "result.json").write_text('{"values": {"x": {"value": 2}}}')
    else:
        told = json.loads((folder / "run.json").read_text())
        (folder / "run.json").write_text(json.dumps({**told, "purpose": "report"}))
    with pytest.raises(InputRefused):
        take(card(folder), "approve", LI, DAY)
    assert status(folder) == "reviewed"


def test_runs_are_listed_newest_first_and_broken_ones_left_out(folder):
    (folder.parent / "2027-broken").mkdir()
    (folder.parent / "2027-broken" / "run.json").write_text("{")
    assert [c.run_id for c in cards(folder.parent)] == ["2026-05-01-abc"]
    assert cards(folder.parent / "none") == []
    assert card(folder.parent / "none") is None
