"""From a run folder to report files: one document per language, one file per format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, cast

from ecotone.model.errors import UsageError
from ecotone.model.words import LANGUAGES, Language, say
from ecotone.report.document import Document
from ecotone.report.present import Presented, present

#: Told after each file: done, of how many, which file.
Progress = Callable[[int, int, str], None]
FORMATS: Final = ("html", "pdf", "xlsx", "docx")


def build_report(
    run_dir: Path,
    *,
    langs: Sequence[str],
    formats: Sequence[str] = FORMATS,
    out_dir: Path,
    progress: Progress = lambda done, total, what: None,
) -> list[Path]:
    """Write ``report-LANG.FORMAT`` for each language and format and return the paths.

    The same run gives the same bytes. Raises UsageError for an unknown language or format or
    where there is no run, MissingGlyph where the fonts cannot draw what the run holds; a file
    that is there is whole.
    """
    from ecotone.report.compose import compose
    from ecotone.report.pictures import Pictures
    from ecotone.report.source import read_run

    _check("report.language-unknown", langs, LANGUAGES)
    _check("report.format-unknown", formats, FORMATS)
    run = read_run(run_dir)
    pictures = Pictures(run)
    out_dir.mkdir(parents=True, exist_ok=True)
    total = len(langs) * len(formats)
    made: list[Path] = []
    for lang in langs:
        document = compose(run, cast(Language, lang), pictures)
        shown = present(document)
        for wanted in formats:
            path = out_dir / f"report-{lang}.{wanted}"
            _write(path, render(document, shown, wanted))
            made.append(path)
            progress(len(made), total, path.name)
    return made


def render(document: Document, shown: Presented, wanted: str) -> bytes:
    """A document in one format; back ends are imported when used, for they are heavy."""
    match wanted:
        case "html":
            from ecotone.report.html import render_html

            return render_html(document, shown)
        case "pdf":
            from ecotone.report.pdf import render_pdf

            return render_pdf(document, shown)
        case "xlsx":
            from ecotone.report.xlsx import render_xlsx

            return render_xlsx(document)
        case _:
            from ecotone.report.docx import render_docx

            return render_docx(document, shown)


def _check(key: str, given: Sequence[str], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            raise UsageError(say(key, name=name, known=", ".join(known)))


def _write(path: Path, data: bytes) -> None:
    """Write beside and rename, so that no reader ever meets half a report."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.replace(path)
