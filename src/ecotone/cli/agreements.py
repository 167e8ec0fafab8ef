"""Commands about agreements, from the first draft to revocation; requests and answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from ecotone.model.words import Language
    from ecotone.share.lifecycle import Standing
    from ecotone.share.negotiate import Actor
    from ecotone.share.statements import Kind, Statement
    from ecotone.store import Store

_Id = Annotated[str, typer.Argument(metavar="AGREEMENT", help=word("share.agreement"))]
_Out = Annotated[
    Path | None, typer.Option("-o", "--out", metavar="FILE", help=word("share.letter-out"))
]
_Text = Annotated[str, typer.Option("--why", metavar="TEXT", help=word("share.why"))]


def register(share: typer.Typer) -> None:
    """Add the commands to ``ecotone share``."""
    for name, command in (
        ("draft", draft),
        ("add", add),
        ("propose", propose),
        ("sign", sign),
        ("attach", attach),
        ("suspend", suspend),
        ("resume", resume),
        ("revoke", revoke),
        ("amend", amend),
        ("list", listing),
        ("show", show),
        ("request", request),
        ("answer", answer),
    ):
        key = "take" if name == "add" else name
        share.command(name, help=word(f"share.{key}.help"))(command)


def draft(
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help=word("share.draft.out"))],
    to: Annotated[list[str], typer.Option("--to", metavar="PARTY", help=word("share.draft.to"))],
    dataset: Annotated[
        list[str] | None, typer.Option("--dataset", help=word("share.draft.dataset"))
    ] = None,
    agreement: Annotated[
        str | None, typer.Option("--id", metavar="AGREEMENT", help=word("share.agreement"))
    ] = None,
    lang: Annotated[str | None, typer.Option("--lang", help=word("share.draft.lang"))] = None,
    node: Node = None,
) -> None:
    """Write an agreement to fill in, explained line by line."""
    from ecotone.model.errors import UsageError
    from ecotone.model.words import LANGUAGES, say
    from ecotone.share.draft import draft_text

    chosen = lang or language()
    if chosen not in LANGUAGES:
        raise UsageError(say("lifecycle.language-unknown", given=lang, known=", ".join(LANGUAGES)))
    if out.exists():
        raise UsageError(say("lifecycle.file-there", path=out))
    with open_here(node) as store:
        owned = [d.dataset_id for d in store.datasets() if d.party_id == store.party_id]
        text = draft_text(
            chosen,
            owner=store.party_id,
            recipients=to,
            datasets=dataset or owned,
            agreement_id=agreement or f"{store.party_id}-{_today():%Y}-1",
            today=_today(),
        )
    out.write_text(text, encoding="utf-8", newline="\n")
    print_line(word("share.draft.done", path=out))


def add(
    path: Annotated[Path, typer.Argument(metavar="FILE", help=word("share.take.path"))],
    by: By = None,
    node: Node = None,
) -> None:
    """Take in an agreement's own text, or a letter of another party."""
    from ecotone.model.errors import UsageError
    from ecotone.model.words import say
    from ecotone.share import agreements, letter, negotiate

    if not path.is_file():
        raise UsageError(say("cli.no-file", path=path))
    with _acting(node, by, path.name) as actor:
        document = letter.read(path)
        if document is not None:
            taken = letter.take(actor, document)
            print_line(
                word(
                    "share.add.letter",
                    agreements=", ".join(taken.agreements) or "-",
                    statements=len(taken.statements),
                )
            )
            return
        agreement = agreements.load(path)
        new = negotiate.put_draft(actor, agreement, path.read_text(encoding="utf-8"))
        standing = negotiate.newest(actor, agreement.agreement_id)
    key = "share.add.done" if new else "share.add.known"
    print_line(word(key, id=agreement.agreement_id, version=agreement.version))
    _print_page(standing)


def propose(agreement: _Id, out: _Out = None, by: By = None, node: Node = None) -> None:
    """Sign an agreement first and write the letter to the other parties."""
    sign(agreement, out, by, node)


def sign(agreement: _Id, out: _Out = None, by: By = None, node: Node = None) -> None:
    """Sign the newest version of an agreement for this node's party."""
    from ecotone.share import negotiate

    with _acting(node, by, f"sign {agreement}", "signer") as actor:
        standing = negotiate.sign(actor, agreement)
        _write_letter(actor, out, [agreement])
    _print_page(standing)
    if standing.missing:
        print_line(word("share.sign.missing", parties=", ".join(standing.missing)))


def attach(
    agreement: _Id,
    path: Annotated[Path, typer.Argument(metavar="FILE", help=word("share.attach.path"))],
    why: _Text = "",
    out: _Out = None,
    by: By = None,
    node: Node = None,
) -> None:
    """Attach a file, such as the stamped paper, by its hash."""
    from ecotone.model.errors import UsageError
    from ecotone.model.words import say
    from ecotone.share import negotiate

    if not path.is_file():
        raise UsageError(say("cli.no-file", path=path))
    with _acting(node, by, f"attach to {agreement}") as actor:
        said = negotiate.attach(actor, agreement, path, why)
        _write_letter(actor, out, [agreement])
    assert said.scan is not None
    print_line(word("share.attach.done", name=said.scan.name, sha256=said.scan.sha256))


def suspend(agreement: _Id, why: _Text, out: _Out = None, by: By = None, node: Node = None) -> None:
    """Suspend an agreement by this party's signed word."""
    _declare("suspend", agreement, why, out, by, node)


def resume(agreement: _Id, why: _Text, out: _Out = None, by: By = None, node: Node = None) -> None:
    """Take up again what this party suspended."""
    _declare("resume", agreement, why, out, by, node)


def revoke(agreement: _Id, why: _Text, out: _Out = None, by: By = None, node: Node = None) -> None:
    """Revoke an agreement by this party's signed word, for good."""
    _declare("revoke", agreement, why, out, by, node)


def amend(
    path: Annotated[Path, typer.Argument(metavar="FILE", help=word("share.amend.path"))],
    by: By = None,
    node: Node = None,
) -> None:
    """Put a changed text of an agreement in as its next version."""
    from ecotone.model.errors import UsageError
    from ecotone.model.words import say
    from ecotone.share import agreements, negotiate

    if not path.is_file():
        raise UsageError(say("cli.no-file", path=path))
    with _acting(node, by, path.name) as actor:
        made = negotiate.amended(actor, agreements.load(path))
        negotiate.put_draft(actor, made, path.read_text(encoding="utf-8"))
        standing = negotiate.newest(actor, made.agreement_id)
    print_line(word("share.amend.done", id=made.agreement_id, version=made.version))
    _print_page(standing)


def listing(as_json: Json = False, node: Node = None) -> None:
    """The agreements of the node and how they stand; requests that wait for an answer."""
    from ecotone.share import lifecycle, statements

    with open_here(node) as store:
        found = lifecycle.standings(store, _today())
        said = statements.all_of(store)
        names = _names(store)
    if as_json:
        print_json(
            {
                "agreements": [_as_document(each) for each in found],
                "requests": [s.model_dump(mode="json") for s in said if s.wish or s.reply],
            }
        )
        return
    newest = {each.agreement.agreement_id: each for each in found}
    for each in newest.values():
        _print_page(each, names)
        print_line()
    _print_requests(said)


def show(
    agreement: _Id,
    odrl: Annotated[bool, typer.Option("--odrl", help=word("share.show.odrl"))] = False,
    as_json: Json = False,
    node: Node = None,
) -> None:
    """An agreement's page: sentences, signatures and fingerprints, attachments, what was said."""
    from ecotone.share import lifecycle, negotiate
    from ecotone.share.negotiate import Actor
    from ecotone.share.odrl import policy

    with open_here(node) as store:
        actor = Actor(store, "", _today())
        names = _names(store)
        standing = negotiate.newest(actor, agreement)
        versions = [
            each
            for each in lifecycle.standings(actor.store, actor.today)
            if each.agreement.agreement_id == agreement
        ]
    if odrl:
        print_json(policy(standing))
        return
    if as_json:
        print_json([_as_document(each) for each in versions])
        return
    _print_page(standing, names)
    for each in versions[:-1]:
        print_line(word("share.show.version", version=each.agreement.version, state=_state(each)))


def request(
    owner: Annotated[str, typer.Option("--of", metavar="PARTY", help=word("share.request.of"))],
    dataset: Annotated[list[str], typer.Option("--dataset", help=word("share.request.dataset"))],
    purpose: Annotated[str, typer.Option(help=word("share.preview.purpose"))],
    until: Annotated[str, typer.Option("--until", help=word("share.request.until"))],
    why: _Text,
    level: Annotated[str, typer.Option("--level", help=word("share.request.level"))] = "full",
    cell: Annotated[float | None, typer.Option("--cell", help=word("share.request.cell"))] = None,
    what: Annotated[str, typer.Option("--what", help=word("share.request.what"))] = "",
    action: Annotated[
        list[str] | None, typer.Option("--action", help=word("share.preview.action"))
    ] = None,
    out: _Out = None,
    by: By = None,
    node: Node = None,
) -> None:
    """Ask an owner for more than is agreed, with purpose and term."""
    from ecotone.share import negotiate
    from ecotone.share.statements import Wish

    with _acting(node, by, f"request of {owner}") as actor, checked():
        wish = Wish.model_validate(
            {
                "owner": owner,
                "datasets": dataset,
                "level": level,
                "cell_degrees": cell,
                "what": what,
                "purpose": purpose,
                "actions": action or ["view"],
                "until": until,
            }
        )
        said = negotiate.ask(actor, wish, why)
        _write_letter(actor, out, [], [said])
    print_line(word("share.request.done", id=said.statement_id, owner=owner))


def answer(
    request_id: Annotated[
        str, typer.Argument(metavar="REQUEST", help=word("share.answer.request"))
    ],
    why: _Text,
    grant: Annotated[bool, typer.Option("--grant/--refuse", help=word("share.answer.grant"))],
    agreement: Annotated[
        str | None, typer.Option("--agreement", help=word("share.answer.agreement"))
    ] = None,
    out: _Out = None,
    by: By = None,
    node: Node = None,
) -> None:
    """Answer a reader's request."""
    from ecotone.share import negotiate

    with _acting(node, by, f"answer {request_id}") as actor:
        said = negotiate.answer(actor, request_id, granted=grant, text=why, agreement_id=agreement)
        _write_letter(actor, out, [agreement] if agreement else [], [said])
    print_line(word("share.answer.granted" if grant else "share.answer.refused", id=request_id))


def _declare(
    kind: Kind, agreement: str, why: str, out: Path | None, by: str | None, node: Path | None
) -> None:
    from ecotone.share import negotiate

    with _acting(node, by, f"{kind} {agreement}", "signer") as actor:
        negotiate.declare(actor, kind, agreement, why)
        _write_letter(actor, out, [agreement])
        standing = negotiate.newest(actor, agreement)
    _print_page(standing)
    if kind != "resume":
        print_line(word("share.no-calling-back"))


@contextmanager
def _acting(node: Path | None, by: str | None, what: str, role: str = "steward") -> Iterator[Actor]:
    """Who acts in the node; what is refused to them leaves a line in its ledger."""
    from ecotone.cli.keys import passphrase_of
    from ecotone.share.negotiate import Actor, noting_refusals

    with open_here(node) as store:
        who = person_of(store, by, (role,) if role == "signer" else ("steward", "signer"))
        with noting_refusals(store, who, what):
            yield Actor(store, who, _today(), passphrase_of(store.folder))


def _write_letter(
    actor: Actor, out: Path | None, agreements: Sequence[str], said: Sequence[Statement] = ()
) -> None:
    from ecotone.share import letter

    if out is not None:
        out.write_text(letter.write(actor, agreements, said), encoding="utf-8", newline="\n")
        print_line(word("share.letter.done", path=out))


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


def _names(store: Store) -> dict[str, str]:
    """The parties as the reader's language calls them, with their identifiers."""
    lang = language()
    return {
        p.party_id: f"{p.name[lang]} ({p.party_id})" for p in store.parties() if p.name.get(lang)
    }


def _state(standing: Standing) -> str:
    from ecotone.model.words import say

    return say(f"lifecycle.state.{standing.state}", language())


def _print_page(standing: Standing, names: dict[str, str] | None = None) -> None:
    from ecotone.model.words import say
    from ecotone.share.agreements import digest, sentences

    lang: Language = language()
    agreement = standing.agreement
    title = agreement.title.get(lang) or next(iter(agreement.title.values()), "")
    print_line(f"{agreement.agreement_id} v{agreement.version}  {title}")
    print_line(f"  {_state(standing)}, {agreement.valid_from} - {agreement.valid_until}")
    for sentence in sentences(agreement, lang, names):
        print_line(f"  {sentence}")
    print_line("  " + word("share.page.digest", sha256=digest(agreement)))
    for party, signed in standing.signed.items():
        print_line(
            "  "
            + word(
                "share.page.signed",
                party=party,
                time=f"{signed.time:%Y-%m-%d %H:%M} UTC",
                number=signed.key.number,
                fingerprint=signed.key.fingerprint,
            )
        )
    for party in standing.missing:
        doubt = standing.doubts.get(party)
        print_line("  " + word("share.page.missing", party=party) + (f" {doubt}" if doubt else ""))
    for said in standing.said:
        kind = say(f"lifecycle.kind.{said.kind}", lang)
        scan = f" {said.scan.name}, SHA-256 {said.scan.sha256}" if said.scan else ""
        print_line(
            f"  {kind}: {said.party} ({said.person}), {said.signed.time:%Y-%m-%d %H:%M} UTC."
            f"{scan} {said.text}".rstrip()
        )


def _print_requests(said: Sequence[Statement]) -> None:
    replies = {s.reply.request: s for s in said if s.reply is not None}
    asked = [s for s in said if s.wish is not None]
    if not asked:
        return
    columns = ("id", "from", "of", "datasets", "purpose", "until", "text", "answer")
    rows = []
    for each in asked:
        assert each.wish is not None
        reply = replies.get(each.statement_id)
        told = word("share.request.open")
        if reply is not None and reply.reply is not None:
            told = word("share.request.yes" if reply.reply.granted else "share.request.no")
            told = f"{told} {reply.text}".rstrip()
        rows.append(
            (
                each.statement_id,
                each.party,
                each.wish.owner,
                ", ".join(each.wish.datasets),
                each.wish.purpose,
                each.wish.until.isoformat(),
                each.text,
                told,
            )
        )
    print_table([word(f"share.request.column.{c}") for c in columns], rows)


def _as_document(standing: Standing) -> dict[str, object]:
    from ecotone.share.agreements import digest, sentences

    return {
        **standing.agreement.model_dump(mode="json", exclude={"status"}),
        "state": standing.state,
        "sha256": digest(standing.agreement),
        "signed": {
            party: {
                "time": signed.time.isoformat(),
                "key": signed.key.number,
                "fingerprint": signed.key.fingerprint,
            }
            for party, signed in standing.signed.items()
        },
        "missing": list(standing.missing),
        "doubts": dict(standing.doubts),
        "said": [s.model_dump(mode="json", exclude_none=True) for s in standing.said],
        "sentences": sentences(standing.agreement, language()),
    }
