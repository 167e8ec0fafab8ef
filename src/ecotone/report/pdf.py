"""The report as PDF."""

from __future__ import annotations

from ecotone.model import words
from ecotone.report.document import Document
from ecotone.report.present import Presented, present
from ecotone.report.typeset import typeset


def render_pdf(document: Document, shown: Presented | None = None) -> bytes:
    """The PDF's bytes: the same for the same document, whenever it is made."""
    shown = shown or present(document)
    lang = document.lang
    draft = document.status == "draft"
    content = {
        **shown.tree,
        "page-of": words.say("report.page-of", lang),
        "notice": words.say("report.status.draft.line", lang) if draft else "",
    }
    return typeset("report.typ", content, shown.pictures, lang=lang, on=document.on)
