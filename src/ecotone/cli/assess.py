"""Commands about computing: indicators, compute, assess, verify, report."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecotone.cli.language import language, word
from ecotone.cli.options import (
    Json,
    Node,
    key_values,
    open_here,
    print_json,
    print_line,
    print_table,
    progress_bar,
)

if TYPE_CHECKING:
    from ecotone.assess.executor import Executor
    from ecotone.assess.indicator import Indicator
    from ecotone.store import Store

_Cluster = Annotated[str | None, typer.Option(help=word("assess.cluster"), metavar="ADDRESS")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("indicators", help=word("indicators.help"))(indicators)
    app.command("compute", help=word("compute.help"))(compute)
    app.command("assess", help=word("assess.help"))(assess)
    app.command("verify", help=word("verify.help"))(verify)
    app.command("report", help=word("report.help"))(report)


def indicators(
    indicator: Annotated[str | None, typer.Argument(metavar="[ID]")] = None, as_json: Json = False
) -> None:
    """What can be computed, from what, by which method."""
    from ecotone.assess.registry import get, names

    chosen = [get(name) for name in ([indicator] if indicator else names())]
    if as_json:
        print_json([_document(one) for one in chosen])
    elif indicator:
        _show(chosen[0])
    else:
        lang = language()
        print_table(
            ["ID", word("indicators.title"), word("indicators.inputs")],
            [(i.id, i.words("title", lang), ", ".join(x.name for x in i.inputs)) for i in chosen],
        )


def compute(
    indicator: Annotated[str, typer.Argument(metavar="ID")],
    inputs: Annotated[
        list[str] | None, typer.Option("-i", metavar="NAME=PATH", help=word("compute.inputs"))
    ] = None,
    parameters: Annotated[
        list[str] | None, typer.Option("-p", metavar="NAME=VALUE", help=word("compute.parameters"))
    ] = None,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help=word("compute.out"))] = (
        Path("result")
    ),
    cluster: _Cluster = None,
    as_json: Json = False,
) -> None:
    """One indicator on plain files."""
    from ecotone.assess.compute import compute as carry_out
    from ecotone.assess.compute import result_bytes
    from ecotone.assess.registry import get

    get(indicator)
    files: dict[str, list[Path]] = {}
    for name, path in key_values(inputs or [], "-i"):
        files.setdefault(name, []).append(Path(path))
    given = dict(key_values(parameters or [], "-p"))
    with progress_bar(as_json) as bar:
        task = bar.add_task(indicator, total=100)
        result = carry_out(
            indicator,
            files,
            given,
            out,
            executor=_executor(cluster),
            progress=lambda share: bar.update(task, completed=round(share * 100)),
            tell=lambda finding: bar.console.print(finding.message(language())),
        )
    if as_json:
        print_line(result_bytes(result).decode().rstrip())
        return
    described = get(indicator)
    print_table(
        [word("compute.value"), "", word("compute.interval")],
        [
            (described.words(f"value.{name}", language()), _number(v.value, v.unit), _interval(v))
            for name, v in result.values.items()
        ],
        title=described.words("title", language()),
    )
    for finding in result.findings:
        print_line(f"  {finding['message']}")
    print_line(word("compute.done", path=out / "result.json"))


def assess(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help=word("assess.plan"))],
    runs: Annotated[
        Path | None, typer.Option("--runs", metavar="DIR", help=word("assess.runs"))
    ] = None,
    cluster: _Cluster = None,
    node: Node = None,
) -> None:
    """Many indicators over regions and periods."""
    from ecotone.assess.plan import load

    spec = load(plan)
    if not spec.uses_node():
        folder = _carry_out(plan, runs or Path("runs"), cluster, None)
    else:
        with open_here(node) as store:
            folder = assess_in(store, plan, runs or store.folder / "runs", cluster=cluster)
    print_line(word("assess.done", path=folder))
    print_line(word("assess.next", path=folder))


def assess_in(
    store: Store,
    plan: Path,
    runs: Path,
    *,
    cluster: str | None = None,
    today: dt.date | None = None,
    quiet: bool = False,
) -> Path:
    """A plan on what the node's door gives its reader; the run is noted in the node."""
    import json

    from ecotone.assess.plan import load
    from ecotone.share.decide import Request
    from ecotone.share.door import Door

    spec = load(plan)
    request = Request(
        reader=spec.reader or store.party_id,
        purpose=spec.purpose,
        action="derive",
        today=today or dt.datetime.now(dt.UTC).date(),
    )
    opened: list[Door] = []

    def door() -> Door:
        if not opened:
            opened.append(Door(store, request, language()))
        return opened[0]

    folder = _carry_out(plan, runs, cluster, door, quiet=quiet)
    told = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    if folder.name not in {run["run_id"] for run in store.runs()}:
        store.record_run(
            run_id=folder.name,
            path=folder.as_posix(),
            releases=[line["release"] for line in told["agreements"]],
        )
    return folder


def _carry_out(plan: Path, runs: Path, cluster: str | None, door, *, quiet: bool = False) -> Path:  # type: ignore[no-untyped-def]  # an OpenDoor or None
    from ecotone.assess.run import assess as carry_out

    with progress_bar(quiet) as bar:
        task = bar.add_task(word("assess.working"), total=None)
        return carry_out(
            plan,
            runs,
            open_door=door,
            executor=_executor(cluster),
            progress=lambda done, total, what: bar.update(
                task, completed=done, total=total, description=what or word("assess.working")
            ),
        )


def verify(
    run: Annotated[Path, typer.Argument(metavar="RUN")],
    cluster: _Cluster = None,
    as_json: Json = False,
) -> None:
    """Carry a run out again and compare it number by number."""
    from ecotone.assess.verify import verify as carry_out

    with progress_bar(as_json) as bar:
        task = bar.add_task(word("verify.working"), total=None)
        verdict = carry_out(
            run,
            executor=_executor(cluster),
            progress=lambda done, total, what: bar.update(task, completed=done, total=total),
        )
    if as_json:
        print_json(
            {
                "holds": verdict.holds,
                "compared": verdict.compared,
                "differences": [vars(d) for d in verdict.differences],
            }
        )
    elif verdict.holds:
        print_line(word("verify.holds", number=f"{verdict.compared:,}"))
    else:
        print_table(
            [word("verify.result"), word("verify.what"), word("verify.then"), word("verify.now")],
            [(d.result, d.what, d.then, d.now) for d in verdict.differences],
        )
        print_line(word("verify.differs", number=len(verdict.differences)))
    if not verdict.holds:
        raise typer.Exit(1)


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN")],
    lang: Annotated[list[str] | None, typer.Option("--lang", help=word("report.lang"))] = None,
    to: Annotated[list[str] | None, typer.Option("--to", help=word("report.to"))] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="DIR", help=word("report.out"))
    ] = None,
) -> None:
    """Write the report of a run."""
    for path in write_report(run, lang or ["en"], to or ["html", "pdf"], out or run / "report"):
        print_line(str(path))


def write_report(run: Path, langs: list[str], formats: list[str], out: Path) -> list[Path]:
    """The report of a run in languages and formats, with a bar."""
    from ecotone.model.errors import UsageError
    from ecotone.model.words import LANGUAGES, say
    from ecotone.report import FORMATS, build_report

    for given, known in ((langs, LANGUAGES), (formats, FORMATS)):
        wrong = [g for g in given if g not in known]
        if wrong:
            raise UsageError(say("cli.report.wrong", given=wrong[0], known=", ".join(known)))
    if not (run / "run.json").is_file():
        raise UsageError(say("assess.run-absent", path=run))
    with progress_bar() as bar:
        task = bar.add_task(word("report.working"), total=len(langs) * len(formats))
        return build_report(
            run,
            langs=langs,
            formats=formats,
            out_dir=out,
            progress=lambda *_: bar.advance(task),
        )


def _executor(cluster: str | None) -> Executor | None:
    if cluster is None:
        return None
    from ecotone.assess.executor import Cluster

    return Cluster(cluster)


def _document(indicator: Indicator) -> dict[str, object]:
    lang = language()
    return {
        "id": indicator.id,
        "version": indicator.version,
        "title": indicator.words("title", lang),
        "summary": indicator.words("summary", lang),
        "method": indicator.words("method", lang),
        "inputs": [vars(i) for i in indicator.inputs],
        "parameters": [vars(p) for p in indicator.parameters],
        "values": dict(indicator.values),
        "tables": {name: dict(columns) for name, columns in indicator.tables.items()},
        "rasters": dict(indicator.rasters),
        "citations": [vars(c) for c in indicator.citations],
    }


def _show(indicator: Indicator) -> None:
    lang = language()
    print_line(f"{indicator.id} {indicator.version}: {indicator.words('title', lang)}")
    print_line(indicator.words("summary", lang))
    print_line(indicator.words("method", lang))
    print_table(
        [word("indicators.inputs"), "", ""],
        [(i.name, i.kind, indicator.words(f"input.{i.name}", lang)) for i in indicator.inputs],
    )
    print_table(
        [word("indicators.parameters"), word("indicators.default"), ""],
        [
            (p.name, "-" if p.default is None else p.default,
             indicator.words(f"parameter.{p.name}", lang))
            for p in indicator.parameters
        ],
    )  # fmt: skip
    print_table(
        [word("compute.value"), word("indicators.unit"), ""],
        [(n, u, indicator.words(f"value.{n}", lang)) for n, u in indicator.values.items()],
    )
    for citation in indicator.citations:
        doi = f" https://doi.org/{citation.doi}" if citation.doi else ""
        print_line(f"  {citation.text}{doi}")


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    shown = f"{value:,.6g}" if isinstance(value, float) else f"{value:,}"
    return shown if unit in ("", "1") else f"{shown} {unit}"


def _interval(value) -> str:  # type: ignore[no-untyped-def]  # a Value, imported late
    if value.low is None or value.high is None:
        return ""
    level = f" ({value.level:.0%})" if value.level else ""
    return f"{value.low:,.6g} - {value.high:,.6g}{level}"
