"""Drafts: an agreement to fill in, every entry explained in the drafter's language."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from importlib import resources
from string import Template

from ecotone.model.words import Language


def draft_text(
    lang: Language,
    *,
    owner: str,
    recipients: Sequence[str],
    datasets: Sequence[str],
    agreement_id: str,
    today: date,
    commands: bool = True,
) -> str:
    """The text of a draft as commented TOML; it reads as an agreement as it stands.

    ``commands``: with the lines that name the commands to go on by.
    """
    source = resources.files("ecotone.share").joinpath("templates", f"agreement.{lang}.toml")
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    wanted = (line for line in lines if commands or "  ecotone " not in line)
    # Years have no 29 February in common.
    end = today.replace(year=today.year + 3, day=min(today.day, 28))
    return Template("".join(wanted)).substitute(
        agreement_id=_text(agreement_id),
        owner=_text(owner),
        recipients=_list(recipients),
        datasets=_list(datasets or ["DATASET"]),
        start=today.isoformat(),
        end=end.isoformat(),
    )


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _list(values: Sequence[str]) -> str:
    return "[" + ", ".join(_text(value) for value in values) + "]"
