"""The virtual basin from three parties' deliveries to the reports."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecotone.cli.language import language, word
from ecotone.cli.options import print_line, print_table

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from ecotone.cli.demo_nodes import Nodes
    from ecotone.demo import Basin, Delivery
    from ecotone.store import Store


#: No secret: the basin and everybody in it are invented.
_PASSWORD = "aluvra-2024"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo", help=word("demo.help"))(demo)


def demo(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help=word("demo.dir"))] = Path(
        "ecotone-demo"
    ),
    seed: Annotated[int, typer.Option(help=word("demo.seed"))] = 1,
    lang: Annotated[list[str] | None, typer.Option("--lang", help=word("report.lang"))] = None,
    to: Annotated[list[str] | None, typer.Option("--to", help=word("report.to"))] = None,
) -> None:
    """Simulate, ingest, share, assess and report."""
    from ecotone.cli.assess import assess_in
    from ecotone.cli.demo_nodes import agree, exchange, nodes_of
    from ecotone.cli.options import progress_bar
    from ecotone.demo import simulate

    started = time.monotonic()
    _clear(folder)
    with progress_bar() as bar:
        task = bar.add_task(word("demo.simulate"), total=5)
        basin = simulate(folder / "basin", seed=seed)
        bar.update(task, completed=1, description=word("demo.ingest"))
        with nodes_of(folder, basin) as nodes:
            told = [
                _deliver(nodes.stores[delivery.party_id], basin, delivery, bar)
                for delivery in basin.deliveries
            ]
            bar.update(task, completed=2, description=word("demo.agree"))
            agree(nodes)
            exchange(nodes)
            bar.update(task, completed=3, description=word("demo.assess"))
            runs = nodes.first.folder / "runs"
            run = assess_in(nodes.first, basin.plan, runs, today=basin.today, quiet=True)
            picture = _who_sees_what(nodes)
            people = _open_to_browsers(nodes.first, basin)
        bar.update(task, completed=4, description=word("demo.report"))
        written = _report(run, lang, to, folder / "report", bar)
        seen = folder / "report" / "who-sees-what.png"
        seen.write_bytes(picture)
    print_table(
        [word("status.owner"), word("status.file"), word("demo.verdict"), word("status.records")],
        told,
    )
    print_line(word("demo.done", seconds=f"{time.monotonic() - started:.0f}"))
    for path in (*written, seen):
        print_line(f"  {path}")
    print_line(word("demo.next", node=folder / "node", run=run))
    if people:
        print_line(word("demo.portal", node=folder / "node", people=people, password=_PASSWORD))


def _open_to_browsers(store: Store, basin: Basin) -> str:
    """Everybody of the basin may sign in to the portal, where a plan waits to be started."""
    from importlib.util import find_spec

    if find_spec("argon2") is None or find_spec("fastapi") is None:
        return ""
    from ecotone.serve.accounts import Accounts
    from ecotone.serve.plans import keep

    accounts = Accounts(store.folder, store.people, store.party_id)
    known = {p.person_id for p in store.people()}
    people = [p.person_id for p in basin.people if p.person_id in known]
    for person in people:
        accounts.set_password(person, _PASSWORD)
    keep(store.folder, basin.plan, "basin")
    return ", ".join(people)


def _clear(folder: Path) -> None:
    """Make way for a new demo; never in a folder that holds anything else."""
    from ecotone.model.errors import UsageError
    from ecotone.model.words import say

    mark = folder / ".ecotone-demo"
    if folder.exists() and any(folder.iterdir()):
        if not mark.is_file():
            raise UsageError(say("cli.demo.foreign", folder=folder))
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    mark.touch()


def _deliver(
    store: Store, basin: Basin, delivery: Delivery, bar: Progress
) -> tuple[str, str, str, str]:
    from ecotone.ingest import mapping as mappings
    from ecotone.ingest.commit import ingest
    from ecotone.ingest.delivery import Orders

    people = {p.party_id: p.person_id for p in basin.people if p.role == "steward"}
    task: TaskID = bar.add_task(delivery.path.name, total=None)
    done = ingest(
        delivery.path,
        Orders(
            mapping=mappings.load(delivery.mapping) if delivery.mapping else None,
            **delivery.options,
        ),
        store,
        dataset_id=delivery.dataset_id,
        person=people[delivery.party_id],
        lang=language(),
        progress=lambda rows: bar.update(task, completed=rows),
    )
    bar.remove_task(task)
    records = ", ".join(f"{n:,} {kind}" for kind, n in sorted(done.delivery.records.items()))
    rejected = (
        word("demo.rejected", number=done.delivery.rejected) if done.delivery.rejected else ""
    )
    return (
        delivery.party_id,
        delivery.path.name,
        word(f"verdict.{done.delivery.verdict}"),
        "; ".join(part for part in (records, rejected) if part) or "-",
    )


def _who_sees_what(nodes: Nodes) -> bytes:
    """The same records as each party has them. Only a demo may show the three side by side."""
    from ecotone.cli.demo_nodes import door_of
    from ecotone.cli.preview_map import draw
    from ecotone.share.sentences import term

    noun = term("noun", "Occurrence", language())
    panels = []
    for party in nodes.basin.parties:
        title = word("share.preview.map-title", noun=noun, reader=party.party_id)
        panels.append((title, door_of(nodes, party.party_id).release("Occurrence")))
    return draw(panels)


def _report(
    run: Path, lang: list[str] | None, to: list[str] | None, out: Path, bar: Progress
) -> list[Path]:
    from ecotone.report import build_report

    langs, formats = lang or ["en", "zh", "ru"], to or ["html", "pdf", "xlsx"]
    task = bar.add_task(word("report.working"), total=len(langs) * len(formats))
    return build_report(
        run, langs=langs, formats=formats, out_dir=out, progress=lambda *_: bar.advance(task)
    )
