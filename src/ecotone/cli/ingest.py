"""Commands about deliveries: ingest, findings, quarantine."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecotone.cli.language import language, word
from ecotone.cli.options import (
    By,
    Json,
    Node,
    open_here,
    person_of,
    print_line,
    progress_bar,
    set_aside,
)

if TYPE_CHECKING:
    from ecotone.ingest.delivery import Delivery, Orders
    from ecotone.ingest.mapping import Mapping
    from ecotone.ingest.sinks import DrySink
    from ecotone.store import Store

#: Lines shown of one kind of finding before the rest is only counted.
_SHOWN = 3


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("ingest", help=word("ingest.help"))(ingest)
    app.command("findings", help=word("findings.help"))(findings)
    app.command("quarantine", help=word("quarantine.help"))(quarantine)


def ingest(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help=word("ingest.files"))],
    dataset: Annotated[str | None, typer.Option(help=word("ingest.dataset"))] = None,
    as_format: Annotated[str | None, typer.Option("--as", help=word("ingest.as"))] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=word("ingest.dry-run"))] = False,
    as_json: Json = False,
    mapping: Annotated[
        Path | None, typer.Option(help=word("ingest.mapping"), metavar="TOML")
    ] = None,
    marked: Annotated[
        Path | None, typer.Option("--marked", metavar="XLSX", help=word("ingest.marked"))
    ] = None,
    propose: Annotated[bool, typer.Option("--map", help=word("ingest.map"))] = False,
    encoding: Annotated[str | None, typer.Option(help=word("ingest.encoding"))] = None,
    delimiter: Annotated[str | None, typer.Option(help=word("ingest.delimiter"))] = None,
    decimal: Annotated[str | None, typer.Option(help=word("ingest.decimal"))] = None,
    sheet: Annotated[str | None, typer.Option(help=word("ingest.sheet"))] = None,
    zone: Annotated[str | None, typer.Option(help=word("option.zone"))] = None,
    datum: Annotated[str | None, typer.Option(help=word("option.datum"))] = None,
    country: Annotated[str | None, typer.Option(help=word("option.country"))] = None,
    by: By = None,
    node: Node = None,
) -> None:
    """Take deliveries in, or only say what would become of them."""
    from ecotone.ingest.delivery import Orders
    from ecotone.model.errors import UsageError
    from ecotone.model.words import say

    if decimal not in (None, ".", ","):
        raise UsageError(say("cli.ingest.decimal-wrong", given=decimal))
    absent = [path for path in files if not path.exists()]
    if absent:
        raise UsageError(say("cli.no-file", path=absent[0]))
    orders = Orders(
        format=as_format,
        mapping=_mapping(mapping),
        encoding=encoding,
        delimiter=delimiter,
        decimal=decimal,  # type: ignore[arg-type]  # narrowed above
        sheet=sheet,
        zone=zone,
        datum=datum,
        country=country,
    )
    if propose:
        from ecotone.ingest.proposing import propose_mapping

        print_line(propose_mapping(files[0], orders))
        return
    if marked is not None and len(files) > 1:
        raise UsageError(say("marking.one-file"))
    telling = _Telling(as_json, len(files))
    if dry_run:
        orders = _as_dataset(orders, dataset, node)
        placed = _dry(files, orders, telling, marked is not None)
    else:
        placed = _commit(files, orders, telling, dataset, by, node, marked is not None)
    telling.end()
    if marked is not None:
        from ecotone.ingest.marking import mark

        try:
            number = mark(files[0], placed, marked, language(), orders.read_options())
        except UsageError:
            # A refused file that cannot be opened has been told; there is nothing to colour.
            if "refused" not in telling.verdicts:
                raise
        else:
            if not as_json:
                print_line(word("ingest.marked-done", path=marked, number=number))
    if "refused" in telling.verdicts:
        raise typer.Exit(3)


def _mapping(path: Path | None) -> Mapping | None:
    if path is None:
        return None
    from ecotone.ingest.mapping import load

    return load(path)


def _as_dataset(orders: Orders, dataset: str | None, node: Path | None) -> Orders:
    """What the dataset declares counts in a dry run too, where there is a node that knows it."""
    from ecotone.store.node import here

    if dataset is None or (node is None and here() is None):
        return orders
    from ecotone.ingest.commit import orders_of

    with open_here(node) as store:
        return orders_of(store, orders, dataset)


def _dry(files: list[Path], orders: Orders, telling: _Telling, marked: bool) -> list[str]:
    """Deliveries that change nothing; the findings with their places where they are wanted."""
    from ecotone.ingest.delivery import process
    from ecotone.ingest.sinks import DrySink

    placed: list[str] = []
    with progress_bar(telling.as_json) as bar:
        for path in files:
            task = bar.add_task(path.name, total=None)
            sink = DrySink(language(), keep_places=marked)
            try:
                done = process(
                    path,
                    orders,
                    sink,
                    progress=lambda rows, task=task: bar.update(task, completed=rows),
                )
                with set_aside(bar):
                    telling.tell(path, done, sink, {})
                placed.extend(sink.placed)
            finally:
                sink.close()
            bar.remove_task(task)
    return placed


def _commit(
    files: list[Path],
    orders: Orders,
    telling: _Telling,
    dataset: str | None,
    by: str | None,
    node: Path | None,
    marked: bool,
) -> list[str]:
    from ecotone.ingest.commit import ingest as take
    from ecotone.model.errors import UsageError
    from ecotone.model.words import say

    if dataset is None:
        raise UsageError(say("cli.ingest.no-dataset"))
    placed: list[str] = []

    def keep(sink: DrySink, kept: list[list[str]]) -> None:
        kept.append(list(sink.findings()))
        placed.extend(sink.placed)

    with open_here(node) as store, progress_bar(telling.as_json) as bar:
        person = person_of(store, by)
        for path in files:
            task = bar.add_task(path.name, total=None)
            kept: list[list[str]] = []
            done = take(
                path,
                orders,
                store,
                dataset_id=dataset,
                person=person,
                lang=language(),
                keep_places=marked,
                keep_sink=lambda sink, kept=kept: keep(sink, kept),
                progress=lambda rows, task=task: bar.update(task, completed=rows),
            )
            bar.remove_task(task)
            extra: dict[str, Any] = {
                "batch": done.batch.batch_id if done.batch else None,
                "repeated": done.repeated,
            }
            if done.batch and not done.repeated:
                extra["counts"] = done.batch.counts
            with set_aside(bar):
                telling.tell(path, done.delivery, kept[0] if kept else [], extra)
            if marked and done.repeated and done.batch:
                placed.extend(_placed_before(store, done.batch.batch_id))
    return placed


def _placed_before(store: Store, batch_id: str) -> Iterator[str]:
    """What was said when the same file came before."""
    for found in store.findings(batch_id):
        placed = found.as_json(language()) | {"file": found.file, "line": found.line}
        yield json.dumps(placed, ensure_ascii=False)


class _Telling:
    """Tells what became of each delivery, for people or as JSON."""

    def __init__(self, as_json: bool, files: int) -> None:
        self.as_json = as_json
        self.many = files > 1
        self.verdicts: list[str] = []

    def tell(
        self, path: Path, done: Delivery, found: DrySink | list[str], extra: dict[str, Any]
    ) -> None:
        lines: Iterator[str] = iter(found) if isinstance(found, list) else found.findings()
        if self.as_json:
            self._as_json(path, done, lines, extra)
        else:
            self._as_text(path, done, lines, extra)
        self.verdicts.append(done.verdict)

    def _as_json(
        self, path: Path, done: Delivery, lines: Iterator[str], extra: dict[str, Any]
    ) -> None:
        """Streamed: a million findings never stand in memory as one document."""
        head: dict[str, Any] = {
            **({"file": path.name} if self.many else {}),
            "verdict": done.verdict,
            "format": done.format,
            "records": done.records,
            **extra,
        }
        out = sys.stdout
        if self.many:
            out.write("[" if not self.verdicts else ",\n")
        out.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "findings": [')
        for number, line in enumerate(lines):
            out.write(("," if number else "") + "\n " + line)
        out.write("]}" if self.many else "]}\n")

    def end(self) -> None:
        """Close the list of several deliveries."""
        if self.as_json and self.many and self.verdicts:
            sys.stdout.write("]\n")

    def _as_text(
        self, path: Path, done: Delivery, lines: Iterator[str], extra: dict[str, Any]
    ) -> None:
        print_line(
            word(
                "ingest.told",
                file=path.name,
                verdict=word(f"verdict.{done.verdict}"),
                format=done.format or "-",
            )
        )
        for kind, number in sorted(done.records.items()):
            print_line(f"  {kind}: {number:,}")
        if done.rejected:
            print_line(word("ingest.rejected", number=f"{done.rejected:,}"))
        _print_findings(lines)
        if extra.get("repeated"):
            print_line(word("ingest.repeated", batch=extra["batch"]))
        elif extra.get("batch"):
            print_line(word("ingest.batch", batch=extra["batch"]))
            counts = {"new": 0, "changed": 0, "unchanged": 0, **extra.get("counts", {})}
            if counts["changed"] or counts["unchanged"]:
                print_line(word("ingest.counts", **{k: f"{v:,}" for k, v in counts.items()}))
            if done.rejected:
                print_line(word("ingest.quarantine", batch=extra["batch"]))


def _print_findings(lines: Iterator[str]) -> None:
    """The first few of each kind in full, the rest counted."""
    kinds: Counter[tuple[str, str]] = Counter()
    shown: dict[tuple[str, str], list[str]] = {}
    for line in lines:
        finding = json.loads(line)
        kind = (finding["severity"], finding["code"])
        kinds[kind] += 1
        if kinds[kind] <= _SHOWN:
            shown.setdefault(kind, []).append(finding["message"])
    order = ("fatal", "error", "warning", "info")
    for kind in sorted(kinds, key=lambda k: (order.index(k[0]), k[1])):
        print_line(f"  {word(f'severity.{kind[0]}')} {kind[1]} x {kinds[kind]:,}")
        for message in shown[kind]:
            print_line(f"    {message}")
        if kinds[kind] > _SHOWN:
            print_line(word("ingest.more", number=f"{kinds[kind] - _SHOWN:,}"))


def findings(
    batch: Annotated[str, typer.Argument(metavar="BATCH")],
    as_json: Json = False,
    node: Node = None,
) -> None:
    """What was said about a delivery."""
    lang = language()
    with open_here(node) as store:
        lines = (json.dumps(f.as_json(lang), ensure_ascii=False) for f in store.findings(batch))
        if as_json:
            sys.stdout.write("[")
            for number, line in enumerate(lines):
                sys.stdout.write((",\n " if number else "\n ") + line)
            sys.stdout.write("\n]\n")
        else:
            _print_findings(lines)


def quarantine(
    batch: Annotated[str, typer.Argument(metavar="BATCH")],
    out: Annotated[Path, typer.Option("-o", "--out", help=word("quarantine.out"))],
    node: Node = None,
) -> None:
    """The rejected rows of a delivery as CSV, to correct and deliver again."""
    from ecotone.ingest.quarantine import export

    with open_here(node) as store:
        number = export(store, batch, out, language())
    print_line(word("quarantine.done", number=f"{number:,}", path=out))
