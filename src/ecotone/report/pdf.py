"""The report as PDF, typeset by typst with the report's own fonts only."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime, time
from importlib import resources
from pathlib import Path
from typing import Final

from ecotone.model import words
from ecotone.model.errors import NotComputable
from ecotone.report import glyphs
from ecotone.report.document import Document
from ecotone.report.present import Presented, present

#: Tagged for screen readers (PDF/UA-1): ministries must publish accessible files.
STANDARDS: Final = ("ua-1",)


def render_pdf(document: Document, shown: Presented | None = None) -> bytes:
    """The PDF's bytes: the same for the same document, whenever it is made."""
    import typst

    shown = shown or present(document)
    lang = document.lang
    tree = {
        **shown.tree,
        "page-of": words.say("report.page-of", lang),
        "notice": words.say("report.status.draft.line", lang) if document.status == "draft" else "",
    }
    with tempfile.TemporaryDirectory(prefix="ecotone-report-") as name:
        folder = Path(name)
        template = resources.files("ecotone.report").joinpath("templates", "report.typ")
        (folder / "report.typ").write_bytes(template.read_bytes())
        (folder / "content.json").write_text(json.dumps(tree, ensure_ascii=False), "utf-8")
        for file, picture in shown.pictures.items():
            (folder / file).write_bytes(picture)
        try:
            made: bytes = typst.compile(
                str(folder / "report.typ"),
                root=str(folder),
                font_paths=[str(glyphs.folder())],
                ignore_system_fonts=True,
                format="pdf",
                pdf_standards=list(STANDARDS),
                timestamp=datetime.combine(document.on, time(), tzinfo=UTC),
            )
        except RuntimeError as error:
            raise NotComputable(
                words.say("report.pdf-failed", lang, reason=str(error)),
                words.say("report.pdf-failed.do", lang),
            ) from error
    return made
