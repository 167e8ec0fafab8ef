"""The command that says why two runs differ."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecotone.cli.language import language, word
from ecotone.cli.options import Json, print_json, print_line, print_table, progress_bar

if TYPE_CHECKING:
    from ecotone.assess.compare import Comparison, Figure


_ENDINGS = (".csv", ".xlsx", ".json")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compare", help=word("compare.help"))(compare)


def compare(
    before: Annotated[Path, typer.Argument(metavar="RUN_A", help=word("compare.before"))],
    after: Annotated[Path, typer.Argument(metavar="RUN_B", help=word("compare.after"))],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help=word("compare.out"))
    ] = None,
    as_json: Json = False,
) -> None:
    """Split the change of each figure into its causes."""
    from ecotone.assess.compare import compare as carry_out
    from ecotone.model.errors import UsageError
    from ecotone.model.words import say

    if out is not None and out.suffix.lower() not in _ENDINGS:
        raise UsageError(say("compare.ending", file=out.name, known=", ".join(_ENDINGS)))
    with progress_bar(as_json) as bar:
        task = bar.add_task(word("compare.working"), total=None)
        found = carry_out(
            before,
            after,
            progress=lambda done, total, what: bar.update(task, completed=done, total=total),
        )
    if out is not None:
        _write(found, out)
    if as_json:
        print_json(found.as_json())
        return
    _show(found)


def _write(found: Comparison, out: Path) -> None:
    """A table to hand in, or the whole document where the name ends in .json."""
    if out.suffix.lower() == ".json":
        text = json.dumps(found.as_json(), ensure_ascii=False, indent=1)
        out.write_text(text + "\n", encoding="utf-8")
        return
    heads, rows = _table(found)
    if out.suffix.lower() == ".xlsx":
        import pandas as pd

        from ecotone.formats.xlsx import write_xlsx

        frame = pd.DataFrame(rows, columns=heads)
        write_xlsx(out, {word("compare.sheet"): frame}, made=dt.datetime.now(dt.UTC))
        return
    with out.open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(heads)
        writer.writerows(rows)


def _table(found: Comparison) -> tuple[list[str], list[list[object]]]:
    from ecotone.assess.compare import CAUSES

    heads = ["indicator", "region", "period", "name", "unit", "before", "after", "change"]
    shown = [*(word(f"compare.column-{h}") for h in heads),
             *(word(f"compare.{cause}") for cause in CAUSES)]  # fmt: skip
    rows: list[list[object]] = [
        [f.indicator, f.region, f.period, _title(f), _unit(f.unit), f.before, f.after, f.change,
         *(f.parts.get(cause, "") for cause in CAUSES)]
        for f in found.figures
    ]  # fmt: skip
    return shown, rows


def _show(found: Comparison) -> None:
    from ecotone.assess.compare import CAUSES

    changed = [f for f in found.figures if f.change != 0.0]
    causes = [c for c in CAUSES if any(f.parts.get(c) for f in changed)]
    if changed:
        print_table(
            [
                word("compare.figure"),
                word("compare.column-before"),
                word("compare.column-after"),
                word("compare.column-change"),
                *(word(f"compare.{cause}") for cause in causes),
            ],
            [
                (
                    f"{f.indicator} {f.region} {f.period}: {_title(f)}",
                    _number(f.before, f.unit),
                    _number(f.after, f.unit),
                    _number(f.change, ""),
                    *(_number(f.parts.get(cause), "") for cause in causes),
                )
                for f in changed
            ],
        )
    print_line(word("compare.done", changed=len(changed), same=len(found.figures) - len(changed)))
    for figure in changed:
        if figure.undefined:
            names = ", ".join(word(f"compare.{cause}") for cause in figure.undefined)
            print_line(word("compare.undefined", figure=_title(figure), causes=names))
    for key, only in (("before", found.only_before), ("after", found.only_after)):
        for result in only:
            print_line(word(f"compare.only-{key}", result=" ".join(result)))


def _title(figure: Figure) -> str:
    from ecotone.assess.registry import get

    return get(figure.indicator).words(f"value.{figure.name}", language())


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    return f"{value:,.6g}" + (f" {_unit(unit)}" if unit not in ("", "1") else "")


def _unit(name: str) -> str:
    """The unit as reports print it."""
    from ecotone.report.l10n import unit

    return unit(name, language())
