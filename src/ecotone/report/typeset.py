"""A template of ours filled with data by typst, in our own fonts only."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from importlib import resources
from pathlib import Path
from typing import Any, Final

from ecotone.model import words
from ecotone.model.errors import NotComputable
from ecotone.report import glyphs

#: Tagged for screen readers (PDF/UA-1): ministries must publish accessible files.
STANDARDS: Final = ("ua-1",)
#: Told as the day of making where the content names none: the same content, the same bytes.
_NO_DAY: Final = date(2000, 1, 1)


def typeset(
    template: str,
    content: Mapping[str, Any],
    pictures: Mapping[str, bytes],
    *,
    lang: words.Language,
    on: date = _NO_DAY,
) -> bytes:
    """The PDF's bytes: the same for the same content, whenever it is made.

    Args:
        template: name of a file in ``templates``.
        content: what the template reads as ``content.json``.
        pictures: files that the content names.
        lang: of the sentence where typst refuses.
        on: the day written into the PDF.

    Raises:
        NotComputable: typst cannot set it.
    """
    import typst

    with tempfile.TemporaryDirectory(prefix="ecotone-print-") as name:
        folder = Path(name)
        source = resources.files("ecotone.report").joinpath("templates", template)
        (folder / template).write_bytes(source.read_bytes())
        (folder / "content.json").write_text(json.dumps(content, ensure_ascii=False), "utf-8")
        for file, picture in pictures.items():
            (folder / file).write_bytes(picture)
        try:
            made: bytes = typst.compile(
                str(folder / template),
                root=str(folder),
                font_paths=[str(glyphs.folder())],
                ignore_system_fonts=True,
                format="pdf",
                pdf_standards=list(STANDARDS),
                timestamp=datetime.combine(on, time(), tzinfo=UTC),
            )
        except RuntimeError as error:
            raise NotComputable(
                words.say("report.pdf-failed", lang, reason=str(error)),
                words.say("report.pdf-failed.do", lang),
            ) from error
    return made
