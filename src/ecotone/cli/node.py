"""Commands about a node: init, add, status."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from ecotone.cli.language import language, word
from ecotone.cli.options import (
    By,
    Json,
    Node,
    checked,
    open_here,
    person_of,
    print_json,
    print_line,
    print_table,
)

_Name = Annotated[str, typer.Option("--name", help=word("option.name"))]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("init", help=word("init.help"))(init)
    app.command("status", help=word("status.help"))(status)
    add = typer.Typer(help=word("add.help"), no_args_is_help=True)
    add.command("party", help=word("add.party.help"))(add_party)
    add.command("person", help=word("add.person.help"))(add_person)
    add.command("project", help=word("add.project.help"))(add_project)
    add.command("dataset", help=word("add.dataset.help"))(add_dataset)
    app.add_typer(add, name="add")


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help=word("init.dir"))],
    party: Annotated[str, typer.Option(help=word("init.party"))],
    name: _Name,
    country: Annotated[str, typer.Option(help=word("option.country"))],
    steward: Annotated[str, typer.Option(help=word("init.steward"))] = "steward",
    steward_name: Annotated[str, typer.Option(help=word("init.steward-name"))] = "",
    database: Annotated[str | None, typer.Option(help=word("init.database"))] = None,
    ask: Annotated[
        bool, typer.Option("--with-passphrase", help=word("keys.with-passphrase"))
    ] = False,
) -> None:
    """Make a node."""
    from ecotone.cli.keys import make_for, new_passphrase
    from ecotone.model.records import Party, Person
    from ecotone.store import init_node

    with checked():
        owner = Party(party_id=party, name={language(): name}, country_code=country)
        person = Person(
            person_id=steward, party_id=party, name=steward_name or steward, role="steward"
        )
    passphrase = new_passphrase(ask)
    with init_node(folder, party=owner, person=person, database=database) as store:
        print_line(word("init.done", folder=store.folder, party=party))
        make_for(store, person.person_id, passphrase)
    print_line(word("init.next", folder=folder))


def add_party(
    party_id: Annotated[str, typer.Argument(metavar="ID")],
    name: _Name,
    country: Annotated[str, typer.Option(help=word("option.country"))],
    key: Annotated[
        Path | None, typer.Option("--key", metavar="FILE", help=word("add.party.key-file"))
    ] = None,
    fingerprint: Annotated[
        str | None, typer.Option("--fingerprint", help=word("keys.trust.fingerprint"))
    ] = None,
    by: By = None,
    node: Node = None,
) -> None:
    """Make another institution known."""
    from ecotone.cli.keys import read_ring
    from ecotone.model.errors import UsageError
    from ecotone.model.records import Party
    from ecotone.model.words import say
    from ecotone.share import trust

    ring = None if key is None else read_ring(key)
    if ring is not None and ring.party != party_id:
        raise UsageError(say("keys.ring-of-other", party=party_id, found=ring.party))
    with open_here(node) as store, checked():
        who = person_of(store, by)
        known = {p.party_id: p.public_key for p in store.parties()}
        if ring is not None:
            trust.compare(ring, trust.rings(store).get(party_id), fingerprint)
        made = Party(
            party_id=party_id,
            name={language(): name},
            country_code=country,
            public_key=known.get(party_id),
        )
        store.put_party(made, person=who)
        if ring is not None:
            trust.trust(store, ring, person=who, fingerprint=fingerprint)
    print_line(word("add.done", id=party_id))


def add_person(
    person_id: Annotated[str, typer.Argument(metavar="ID")],
    name: _Name,
    party: Annotated[str | None, typer.Option(help=word("add.person.party"))] = None,
    role: Annotated[str, typer.Option(help=word("add.person.role"))] = "enterer",
    by: By = None,
    node: Node = None,
) -> None:
    """Make a person known."""
    from ecotone.model.records import Person

    with open_here(node) as store, checked():
        made = Person.model_validate(
            {
                "person_id": person_id,
                "party_id": party or store.party_id,
                "name": name,
                "role": role,
            }
        )
        store.put_person(made, person=person_of(store, by))
    print_line(word("add.done", id=person_id))


def add_project(
    project_id: Annotated[str, typer.Argument(metavar="ID")],
    title: Annotated[str, typer.Option(help=word("option.title"))],
    start: Annotated[str | None, typer.Option(help=word("option.date"))] = None,
    end: Annotated[str | None, typer.Option(help=word("option.date"))] = None,
    by: By = None,
    node: Node = None,
) -> None:
    """Make a project, campaign or expedition known."""
    from ecotone.model.records import Project

    with open_here(node) as store, checked():
        made = Project.model_validate(
            {
                "project_id": project_id,
                "party_id": store.party_id,
                "title": title,
                "start": start,
                "end": end,
            }
        )
        store.put_project(made, person=person_of(store, by))
    print_line(word("add.done", id=project_id))


def add_dataset(
    dataset_id: Annotated[str, typer.Argument(metavar="ID")],
    title: Annotated[str, typer.Option(help=word("option.title"))],
    party: Annotated[str | None, typer.Option(help=word("add.dataset.party"))] = None,
    licence: Annotated[str, typer.Option(help=word("add.dataset.licence"))] = "all-rights-reserved",
    sensitivity: Annotated[
        int | None, typer.Option(min=1, max=5, help=word("add.dataset.sensitivity"))
    ] = None,
    zone: Annotated[str | None, typer.Option(help=word("option.zone"))] = None,
    datum: Annotated[str | None, typer.Option(help=word("option.datum"))] = None,
    project: Annotated[str | None, typer.Option(help=word("add.dataset.project"))] = None,
    clearance: Annotated[
        str | None,
        typer.Option(help=word("add.dataset.clearance"), metavar="AUTHORITY|NUMBER|DATE|SCOPE"),
    ] = None,
    by: By = None,
    node: Node = None,
) -> None:
    """Make a dataset that one party owns."""
    from ecotone.model.errors import UsageError
    from ecotone.model.records import Clearance, Dataset
    from ecotone.model.words import say

    with open_here(node) as store, checked():
        cleared = None
        if clearance is not None:
            parts = clearance.split("|")
            if len(parts) != 4:
                raise UsageError(say("cli.add.dataset.clearance-wrong", text=clearance))
            cleared = Clearance(
                authority=parts[0],
                number=parts[1],
                date=dt.date.fromisoformat(parts[2].strip()),
                scope=parts[3],
            )
        made = Dataset(
            dataset_id=dataset_id,
            party_id=party or store.party_id,
            title=title,
            licence=licence,
            sensitivity=sensitivity,
            zone=zone,
            datum=datum,
            project_id=project,
            export_clearance=cleared,
        )
        store.put_dataset(made, person=person_of(store, by))
    print_line(word("add.done", id=dataset_id))


def status(node: Node = None, as_json: Json = False) -> None:
    """What lies in the node."""
    with open_here(node) as store:
        totals = [dict(row) for row in store.totals()]
        batches = store.batches()
        runs = list(store.runs())
        broken = store.verify_ledger(deep=False)
        if as_json:
            print_json(
                {
                    "folder": store.folder.as_posix(),
                    "party": store.party_id,
                    "datasets": [d.model_dump(mode="json") for d in store.datasets()],
                    "totals": totals,
                    "batches": [b.model_dump(mode="json") for b in batches],
                    "runs": runs,
                    "ledger_holds": not broken,
                }
            )
            return
        print_line(word("status.node", folder=store.folder, party=store.party_id))
        print_table(
            [word("status.dataset"), word("status.owner"), word("status.title")],
            [(d.dataset_id, d.party_id, d.title) for d in store.datasets()],
        )
        print_table(
            [word("status.dataset"), word("status.noun"), word("status.records")],
            [(t["dataset_id"], t["noun"], f"{t['records']:,}") for t in totals],
        )
        print_table(
            [
                word("status.batch"),
                word("status.dataset"),
                word("status.file"),
                word("status.delivered"),
                word("status.state"),
            ],
            [
                (
                    b.batch_id,
                    b.dataset_id,
                    b.file_name,
                    f"{b.delivered:%Y-%m-%d %H:%M} UTC",
                    word("status.withdrawn" if b.withdrawn else f"verdict.{b.verdict}"),
                )
                for b in batches
            ],
        )
        print_line(word("status.ledger-broken" if broken else "status.ledger-whole"))
