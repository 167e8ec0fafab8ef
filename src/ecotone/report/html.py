"""The report as one HTML file that needs nothing else: no network, no fonts, no script."""

from __future__ import annotations

import base64
import io
from importlib import resources
from typing import Final

from ecotone.model import words
from ecotone.report.document import Document
from ecotone.report.present import Presented, present

SIGNS: Final = {"good": "●", "warn": "▲", "bad": "■", "neutral": "○"}

#: No side of a WebP picture is longer.
_WEBP_SIDE: Final = 16_383


def render_html(document: Document, shown: Presented | None = None) -> bytes:
    """The page's bytes; all texts are escaped by the template engine."""
    import jinja2
    from markupsafe import Markup

    from ecotone.report.webfonts import face_rules

    shown = shown or present(document)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ecotone.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    css = resources.files("ecotone.report").joinpath("templates", "report.css")
    lang = document.lang
    text = environment.get_template("report.html.j2").render(
        tree=shown.tree,
        signs=SIGNS,
        notice=words.say("report.status.draft.line", lang) if document.status == "draft" else "",
        # Both are ours: a file of this package and base64 made here.
        css=Markup(css.read_text(encoding="utf-8")),
        fonts=Markup(face_rules(shown.tree)),
        pictures={file: _address(picture) for file, picture in shown.pictures.items()},
    )
    return text.encode("utf-8")


def _address(picture: bytes) -> str:
    """A picture inside the page, every pixel as it was, in a third of a PNG's bytes."""
    from PIL import Image

    out = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as read:
        if max(read.size) > _WEBP_SIDE:
            return "data:image/png;base64," + base64.b64encode(picture).decode("ascii")
        read.save(out, "WEBP", lossless=True, exact=True, quality=50, method=2)
    return "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode("ascii")
