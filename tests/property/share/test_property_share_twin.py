"""Ten thousand random requests: the door's table and two independent readings of the rules agree.

The twin is written the slow way, a row and a class at a time, from the words of the agreement. The
formal twin says the same in Cedar (Cutler et al. 2024, doi 10.1145/3649835), as far as Cedar can: a
permit per class at its level, a forbid per stricter class. It runs where ``cedarpy`` is installed.
"""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.unit.share.fixtures import nowhere

from ecotone.model.agreement import Agreement
from ecotone.share.decide import Request, decide
from ecotone.share.table import Table

LEVELS = ("full", "generalised", "aggregated", "metadata", "withheld")
CELLS = (0.001, 0.01, 0.1, 1.0)
TAXA = ("Panthera uncia", "Lynx lynx", "Capra sibirica")
PROPERTIES = ("nitrate", "uranium")
NOUNS = ("Observation", "Occurrence", "Site")
PARTIES = ("AA", "BB", "CC")
DATASETS = ("d1", "d2")
PURPOSES = ("assessment", "report")
ACTIONS = ("view", "derive")
DAYS = (
    date(2024, 12, 31),
    date(2025, 1, 1),
    date(2025, 6, 1),
    date(2025, 12, 31),
    date(2026, 1, 1),
)
TERMS = (
    ("reader", "recipients"),
    ("dataset", "datasets"),
    ("purpose", "purposes"),
    ("action", "actions"),
)


def some(rng: random.Random, things: tuple[Any, ...], least: int = 0) -> list[Any]:
    return rng.sample(things, rng.randint(least, len(things)))


def world(rng: random.Random) -> tuple[dict[str, str], list[dict[str, Any]]]:
    owners = {d: rng.choice(PARTIES) for d in DATASETS}
    agreements = []
    for number in range(rng.randint(0, 3)):
        owner = rng.choice(PARTIES)
        classes = []
        for index in range(rng.randint(1, 4)):
            level = rng.choice(LEVELS)
            classes.append(
                {
                    "name": f"c{index}",
                    "nouns": some(rng, NOUNS) if rng.random() < 0.4 else [],
                    "taxa": some(rng, TAXA) if rng.random() < 0.5 else [],
                    "properties": some(rng, PROPERTIES) if rng.random() < 0.3 else [],
                    "level": level,
                    "cell_degrees": rng.choice(CELLS) if level == "generalised" else None,
                }
            )
        others = tuple(p for p in PARTIES if p != owner)
        agreements.append(
            {
                "agreement_id": f"AG{number}",
                "title": {"en": "x"},
                "owner": owner,
                "recipients": some(rng, others, 1),
                "purposes": some(rng, PURPOSES, 1),
                "actions": some(rng, ACTIONS, 1),
                "datasets": some(rng, DATASETS, 1),
                "classes": classes,
                "valid_from": "2025-01-01",
                "valid_until": "2025-12-31",
                "status": rng.choice(("active", "active", "active", "draft", "revoked")),
            }
        )
    return owners, agreements


def asked(rng: random.Random) -> dict[str, Any]:
    noun = rng.choice(NOUNS)
    return {
        "reader": rng.choice(PARTIES),
        "purpose": rng.choice(PURPOSES),
        "action": rng.choice(ACTIONS),
        "day": rng.choice(DAYS),
        "dataset": rng.choice(DATASETS),
        "noun": noun,
        "taxon": rng.choice((*TAXA, "Lynx lynx isabellinus", "Marmota", None))
        if noun != "Site"
        else None,
        "property": rng.choice((*PROPERTIES, "lead", None)) if noun == "Observation" else None,
    }


def by_table(owners: dict[str, str], agreements: list[dict[str, Any]], ask: dict[str, Any]) -> Any:
    request = Request(ask["reader"], ask["purpose"], ask["action"], ask["day"])
    table = Table(decide(request, owners, [Agreement.model_validate(a) for a in agreements]))
    columns = {"id": ["r"], "dataset_id": [ask["dataset"]]}
    columns |= {"taxon": [ask["taxon"]]} if ask["noun"] != "Site" else {}
    columns |= {"property": [ask["property"]]} if ask["noun"] == "Observation" else {}
    frame = pd.DataFrame(columns).astype("str").where(pd.DataFrame(columns).notna(), None)
    code = int(table.assign(frame, ask["noun"], nowhere(1))[0])
    if code < 0:
        return "withheld"
    rule = table.decisions[code].rule
    return (rule.level, rule.cell_degrees) if rule.level == "generalised" else rule.level


def plainly(owners: dict[str, str], agreements: list[dict[str, Any]], ask: dict[str, Any]) -> Any:
    """The rules read out, one after the other."""
    answers = []
    if owners[ask["dataset"]] == ask["reader"]:
        answers.append("full")
    sure = bool(answers)
    for agreement in agreements:
        if agreement["status"] != "active" or agreement["owner"] != owners[ask["dataset"]]:
            continue
        if not date(2025, 1, 1) <= ask["day"] <= date(2025, 12, 31):
            continue
        if (
            ask["reader"] not in agreement["recipients"]
            or ask["dataset"] not in agreement["datasets"]
        ):
            continue
        if ask["purpose"] not in agreement["purposes"] or ask["action"] not in agreement["actions"]:
            continue
        for rule in agreement["classes"]:
            may, does = applies(rule, ask)
            sure |= does
            if may:
                level = rule["level"]
                answers.append((level, rule["cell_degrees"]) if level == "generalised" else level)
    if not answers or not sure:
        return "withheld"
    return max(answers, key=closedness)


def closedness(answer: Any) -> tuple[int, float]:
    return (1, answer[1]) if isinstance(answer, tuple) else (LEVELS.index(answer), 0.0)


def applies(rule: dict[str, Any], ask: dict[str, Any]) -> tuple[bool, bool]:
    """Whether a class may be meant, and whether it surely is."""
    if rule["nouns"] and ask["noun"] not in rule["nouns"]:
        return False, False
    may = does = True
    if rule["taxa"]:
        if ask["noun"] == "Site":
            return False, False
        named = [t for t in rule["taxa"] if ask["taxon"] and f"{ask['taxon']} ".startswith(f"{t} ")]
        does = bool(named)
        may = does or ask["taxon"] is None
    if rule["properties"]:
        if ask["noun"] != "Observation":
            return False, False
        does = does and ask["property"] in rule["properties"]
        may = may and (ask["property"] in rule["properties"] or ask["property"] is None)
    return may, does


@pytest.mark.parametrize("requests", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_random_requests_agree_with_the_rules_read_out(requests: int) -> None:
    rng = random.Random(20261121)
    seen: dict[str, int] = {}
    for number in range(requests):
        if number % 20 == 0:
            owners, agreements = world(rng)
        ask = asked(rng)
        told, expected = by_table(owners, agreements, ask), plainly(owners, agreements, ask)
        assert told == expected, (owners, agreements, ask)
        seen[str(told)] = seen.get(str(told), 0) + 1
    wanted = {"full", "withheld", "metadata", "aggregated", "('generalised', 0.1)"}
    assert requests < 10_000 or wanted <= set(seen)


def cedar_text(
    agreements: list[dict[str, Any]], owners: dict[str, str], ask: dict[str, Any]
) -> str:
    """The agreements about this request's dataset as Cedar policies.

    A class permits the actions named after its level and all stricter ones, and forbids all more
    open ones: what is asked is the most open action that is allowed. A policy that errs would be
    skipped, a forbid too; so every attribute is there, and the diagnostics must be empty.
    """
    policies = []
    ladder = ladder_of()
    if owners[ask["dataset"]] == ask["reader"]:
        policies.append("permit(principal, action, resource);")
    for agreement in agreements:
        if agreement["owner"] != owners[ask["dataset"]]:
            continue
        terms = " && ".join(
            [
                f'"{agreement["status"]}" == "active"',
                f"{cedar_set(agreement['recipients'])}.contains(context.reader)",
                f"{cedar_set(agreement['purposes'])}.contains(context.purpose)",
                f"{cedar_set(agreement['actions'])}.contains(context.doing)",
                f"{cedar_set(agreement['datasets'])}.contains(context.dataset)",
                "20250101 <= context.day && context.day <= 20251231",
            ]
        )
        for rule in agreement["classes"]:
            level = (rule["level"], rule["cell_degrees"])
            step = ladder.index(level if rule["level"] == "generalised" else (rule["level"], None))
            may, does = cedar_class(rule)
            stricter, opener = range(step, len(ladder)), range(step)
            policies.append(f"permit({cedar_scope(stricter)}) when {{ {terms} && {does} }};")
            if step:
                policies.append(f"forbid({cedar_scope(opener)}) when {{ {terms} && {may} }};")
    return "\n".join(policies)


def ladder_of() -> list[tuple[str, float | None]]:
    """All levels from open to closed, cells included."""
    cells: list[tuple[str, float | None]] = [("generalised", c) for c in CELLS]
    return [("full", None), *cells, ("aggregated", None), ("metadata", None), ("withheld", None)]


def cedar_scope(steps: range) -> str:
    actions = ", ".join(f'Action::"{step}"' for step in steps)
    return f"principal, action in [{actions}], resource"


def cedar_set(names: list[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def cedar_class(rule: dict[str, Any]) -> tuple[str, str]:
    noun = f"{cedar_set(rule['nouns'])}.contains(context.noun)" if rule["nouns"] else "true"
    may, does = [noun], [noun]
    if rule["taxa"]:
        named = " || ".join(
            f'context.taxon == "{t}" || context.taxon like "{t} *"' for t in rule["taxa"]
        )
        may.append(f'context.noun != "Site" && (context.taxon == "" || {named})')
        does.append(f'context.noun != "Site" && ({named})')
    if rule["properties"]:
        known = f"{cedar_set(rule['properties'])}.contains(context.property)"
        may.append(f'context.noun == "Observation" && (context.property == "" || {known})')
        does.append(f'context.noun == "Observation" && {known}')
    return tuple(" && ".join(f"({part})" for part in parts) for parts in (may, does))  # type: ignore[return-value]  # two of them


@pytest.mark.parametrize("number", [400, pytest.param(10_000, marks=pytest.mark.slow)])
def test_random_requests_agree_with_cedar(number: int) -> None:
    cedarpy = pytest.importorskip("cedarpy", reason="the formal twin needs cedarpy")
    rng = random.Random(7)
    ladder = ladder_of()
    wrong = []
    for _ in range(number // 20):
        owners, agreements = world(rng)
        for ask in (asked(rng) for _ in range(20)):
            context = {
                "reader": ask["reader"],
                "purpose": ask["purpose"],
                "doing": ask["action"],
                "dataset": ask["dataset"],
                "noun": ask["noun"],
                "taxon": ask["taxon"] or "",
                "property": ask["property"] or "",
                "day": int(f"{ask['day']:%Y%m%d}"),
            }
            requests = [
                {
                    "principal": 'Party::"r"',
                    "action": f'Action::"{step}"',
                    "resource": 'Row::"r"',
                    "context": context,
                }
                for step in range(len(ladder) - 1)
            ]
            answers = cedarpy.is_authorized_batch(requests, cedar_text(agreements, owners, ask), [])
            assert not any(a.diagnostics.errors for a in answers)
            step = next((i for i, a in enumerate(answers) if a.allowed), len(ladder) - 1)
            level, cell = ladder[step]
            formal = (level, cell) if level == "generalised" else level
            told = by_table(owners, agreements, ask)
            if told != formal:
                wrong.append((told, formal, owners, agreements, ask))
    assert wrong == []


@pytest.mark.parametrize("seed", range(3))
def test_rows_decided_together_are_decided_as_alone(seed: int) -> None:
    """Thousands of rows at once: the joined table says of each what it says of it alone."""
    rng = random.Random(seed)
    owners, agreements = world(rng)
    while not agreements:
        owners, agreements = world(rng)
    rows = [asked(rng) | {"noun": "Observation"} for _ in range(300)]
    request = Request(rows[0]["reader"], "assessment", "view", date(2025, 6, 1))
    frame = pd.DataFrame(
        {
            "id": [f"r{i}" for i in range(len(rows))],
            "dataset_id": [r["dataset"] for r in rows],
            "taxon": pd.Series([r["taxon"] for r in rows], dtype="str"),
            "property": pd.Series([r["property"] for r in rows], dtype="str"),
        }
    )
    decisions = decide(request, owners, [Agreement.model_validate(a) for a in agreements])
    table = Table(decisions)
    together = table.assign(frame, "Observation", nowhere(len(frame)))
    for number in range(len(frame)):
        single = Table(decisions)
        one = frame.iloc[[number]].reset_index(drop=True)
        code = int(single.assign(one, "Observation", nowhere(1))[0])
        alone = single.decisions[code] if code >= 0 else code
        joined = table.decisions[together[number]] if together[number] >= 0 else together[number]
        assert alone == joined or (np.isscalar(alone) and alone == joined)
