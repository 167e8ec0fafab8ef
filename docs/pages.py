"""Writes docs/reference: a page for each indicator, format, check, command and noun.

Everything on these pages comes from the code's own metadata; run it after changing any
(``make docs``). A test compares the pages with what this module would write.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ecotone.assess import registry as indicators
from ecotone.formats import registry as formats
from ecotone.ingest.checks import registry as checks
from ecotone.model.dictionary import RECORD_NOUNS, dictionary
from ecotone.model.words import LANGUAGES, has, say

REFERENCE = Path(__file__).parent / "reference"
NAMES = {"en": "English", "zh": "中文", "ru": "Русский"}


def pages() -> Iterator[tuple[str, str]]:
    """Every page as (path under reference/, text)."""
    made = {
        "indicators": dict(_indicators()),
        "formats": dict(_formats()),
        "checks": dict(_checks()),
        "commands": dict(_commands()),
        "nouns": dict(_nouns()),
    }
    titles = {
        "indicators": "Indicators",
        "formats": "Formats",
        "checks": "Checks",
        "commands": "Commands",
        "nouns": "Data dictionaries",
    }
    for group, found in made.items():
        toctree = "\n".join(found)
        yield (
            f"{group}/index.md",
            f"# {titles[group]}\n\n```{{toctree}}\n:maxdepth: 1\n\n{toctree}\n```\n",
        )
        for name, text in found.items():
            yield f"{group}/{name}.md", text


def write(folder: Path = REFERENCE) -> None:
    """Write all pages afresh."""
    made = list(pages())  # all of them before the old ones go
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in made:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


def _indicators() -> Iterator[tuple[str, str]]:
    for name in indicators.names():
        one = indicators.get(name)
        lines = [f"# {one.id}", "", f"Version {one.version}.", ""]
        for lang in LANGUAGES:
            lines += [
                f"## {one.words('title', lang)} ({NAMES[lang]})",
                "",
                one.words("summary", lang),
                "",
                one.words("method", lang),
                "",
            ]
        lines += ["## Inputs", ""]
        lines += _table(
            ("Name", "Kind", "Required", "Meaning"),
            [
                (i.name, i.kind, "yes" if i.required else "no", one.words(f"input.{i.name}"))
                for i in one.inputs
            ],
        )
        lines += ["", "## Parameters", ""]
        lines += _table(
            ("Name", "Type", "Default", "Range or choices", "Meaning"),
            [
                (p.name, p.type, _shown(p.default), _range(p), one.words(f"parameter.{p.name}"))
                for p in one.parameters
            ],
        )
        for kind, title in (("value", "Values"), ("raster", "Rasters")):
            outputs = one.values if kind == "value" else one.rasters
            if outputs:
                lines += ["", f"## {title}", ""]
                lines += _table(
                    ("Name", "Unit", "Meaning"),
                    [(n, u or "1", one.words(f"{kind}.{n}")) for n, u in outputs.items()],
                )
        for table, columns in one.tables.items():
            lines += ["", f"## Table {table}", "", one.words(f"table.{table}"), ""]
            lines += _table(("Column", "Unit"), list(columns.items()))
        lines += ["", "## Sources", ""]
        lines += [
            f"- {c.text}" + (f" [doi:{c.doi}](https://doi.org/{c.doi})" if c.doi else "")
            for c in one.citations
        ]
        yield name, "\n".join(lines) + "\n"


def _formats() -> Iterator[tuple[str, str]]:
    for one in formats.all_formats():
        lines = [f"# {one.name}", ""]
        for lang in LANGUAGES:
            lines += [f"## {say(one.title_key, lang)} ({NAMES[lang]})", ""]
            lines += [say(f"format.{one.name}.text", lang), ""]
        lines += [
            f"File names end in: {', '.join(one.extensions) or 'anything'}.",
            "",
            f"Specification: <{one.spec}>" if one.spec else "No outside specification.",
            "",
            f"Read a file as this format: `ecotone ingest FILE --as {one.name}`",
        ]
        yield one.name, "\n".join(lines) + "\n"


def _checks() -> Iterator[tuple[str, str]]:
    for one in checks.all_checks():
        lines = [f"# {one.id}", ""]
        if one.guid:
            lines += [f"TDWG BDQ: `{one.label}`", ""]
        for lang in LANGUAGES:
            lines += [f"## {say(f'check.{one.id}.title', lang)} ({NAMES[lang]})", ""]
            lines += [say(f"check.{one.id}.text", lang), ""]
        lines += [f"Looks at: {', '.join(f'`{t}`' for t in one.inputs)}.", ""]
        if has(f"finding.{one.code}"):
            told = f", severity {one.severity}" if one.severity else ""
            lines += [f"Finding `{one.code}`{told}.", ""]
        yield one.id, "\n".join(lines)


def _commands() -> Iterator[tuple[str, str]]:
    from typer.main import get_command

    from ecotone.cli.app import app

    yield from _command(get_command(app), "ecotone")


def _command(command: Any, path: str) -> Iterator[tuple[str, str]]:
    inner = getattr(command, "commands", {})
    if not inner:
        lines = [f"# {path}", "", str(command.help or ""), "", "```text", _usage(command, path)]
        lines += ["```", ""]
        lines += _table(
            ("Argument or option", "Required", "Default", "Meaning"),
            [
                (_name(p), "yes" if p.required else "no", _default(p), _help(p))
                for p in command.params
            ],
        )
        yield path.replace(" ", "-"), "\n".join(lines) + "\n"
    for name in sorted(inner):
        yield from _command(inner[name], f"{path} {name}")


def _usage(command: Any, path: str) -> str:
    arguments = [_metavar(p) for p in command.params if p.param_type_name == "argument"]
    return " ".join([path, "[OPTIONS]", *arguments])


def _metavar(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _name(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{_metavar(parameter)}`"
    return ", ".join(f"`{o}`" for o in parameter.opts)


def _default(parameter: Any) -> str:
    default = parameter.default
    return "" if default in (None, False, "", []) or callable(default) else f"`{default}`"


def _help(parameter: Any) -> str:
    return str(getattr(parameter, "help", "") or "")


def _nouns() -> Iterator[tuple[str, str]]:
    for noun in RECORD_NOUNS:
        lines = [f"# {noun}", ""]
        lines += _table(
            ("Attribute", "Type", "Unit", "Required", "Standard term", *NAMES.values()),
            [
                (
                    f"`{a.name}`",
                    a.type,
                    a.unit,
                    "yes" if a.required else "no",
                    ", ".join(a.standard),
                    *(a.description[lang] for lang in LANGUAGES),
                )
                for a in dictionary(noun)
            ],
        )
        yield noun, "\n".join(lines) + "\n"


def _range(parameter: Any) -> str:
    if parameter.choices:
        return ", ".join(parameter.choices)
    low, high = parameter.minimum, parameter.maximum
    if low is None and high is None:
        return ""
    return f"{'' if low is None else f'{low:g}'} to {'' if high is None else f'{high:g}'}"


def _shown(value: object) -> str:
    return "" if value is None else str(value)


def _table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> list[str]:
    def line(cells: tuple[Any, ...]) -> str:
        return (
            "| " + " | ".join(str(c).replace("|", "\\|").replace("\n", " ") for c in cells) + " |"
        )

    return [line(head), line(tuple("---" for _ in head)), *(line(row) for row in rows)]


if __name__ == "__main__":
    write()
