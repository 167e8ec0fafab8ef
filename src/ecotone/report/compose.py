"""A run in one language as a document: which chapters, in which order."""

from __future__ import annotations

from datetime import date

from ecotone.model.words import Language
from ecotone.report.chapters import agreements, annex, indicator, opening, truth
from ecotone.report.document import Approval, Document
from ecotone.report.pictures import Pictures
from ecotone.report.source import RunFolder, in_language
from ecotone.report.writing import Writing


def compose(run: RunFolder, lang: Language, pictures: Pictures) -> Document:
    """The whole report in a language; ``pictures`` is shared by the languages of one run."""
    writing = Writing(run, lang, pictures)
    opening.write(writing)
    for _, entries in run.indicators():
        indicator.write(writing, entries)
    agreements.write(writing)
    truth.write(writing)
    annex.write(writing)
    told = run.document
    owners = {a["owner"] for a in told["agreements"]} | {told["reader"]} - {""}
    return Document(
        title=in_language(told["title"], lang),
        subtitle=in_language(told.get("subtitle", {}), lang) or writing.say("subtitle"),
        lang=lang,
        on=run.created,
        identifier=run.id,
        status=run.status,
        parties=tuple(run.party(owner, lang) for owner in sorted(owners - {""})),
        approvals=tuple(
            Approval(run.party(a["party"], lang), a["person"], date.fromisoformat(a["on"]))
            for a in told["approvals"]
        ),
        reader=run.party(told["reader"], lang) if told["reader"] else "",
        blocks=tuple(writing.blocks),
        citations=tuple(writing.citations.values()),
        traced=writing.traced,
    )
