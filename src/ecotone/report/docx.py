"""The report as a Word file that fifty authors can comment on.

Real heading styles, captions and table styles, so that Word's own contents,
navigation pane and comparison work.
"""

from __future__ import annotations

import io
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from ecotone.model import words
from ecotone.report.archive import settle
from ecotone.report.document import Document
from ecotone.report.html import SIGNS
from ecotone.report.present import Node, Presented, present

if TYPE_CHECKING:
    from docx.document import Document as WordFile
    from docx.text.paragraph import Paragraph as WordParagraph

#: Faces every Word has; the file is edited on the reader's machine, with its fonts.
LATIN: Final = "Arial"
EAST_ASIAN: Final = "Microsoft YaHei"
ACCENT: Final = "1F4E6B"
FAINT: Final = "5D6B75"
TONES: Final = {"good": "00694C", "warn": "8A5200", "bad": "A33B00", "neutral": FAINT}
WIDTH_CM: Final = 16.0
_LANGUAGES: Final = {"en": "en-GB", "zh": "zh-CN", "ru": "ru-RU"}


def render_docx(document: Document, shown: Presented | None = None) -> bytes:
    """The file's bytes, the same for the same document."""
    import docx

    shown = shown or present(document)
    made = datetime(document.on.year, document.on.month, document.on.day)  # noqa: DTZ001 - the file format knows no zones
    word = docx.Document()
    _styles(word, document.lang)
    _page(word, shown.tree)
    core = word.core_properties
    core.title, core.author, core.comments = document.title[:255], "Ecotone", ""
    core.created = core.modified = made
    core.last_modified_by, core.revision = "Ecotone", 1
    core.language = _LANGUAGES[document.lang]
    _cover(word, shown.tree, document)
    _contents(word, shown.tree)
    for block in shown.tree["blocks"]:
        _BLOCKS[block["kind"]](word, block, shown.pictures)
    out = io.BytesIO()
    word.save(out)
    return settle(out.getvalue(), made)


def _face(
    style: Any, size: float | None = None, colour: str = "", bold: bool | None = None
) -> None:
    """Fonts of a style, the East Asian one included, which python-docx has no word for."""
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    style.font.name = LATIN
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    fonts.set(qn("w:eastAsia"), EAST_ASIAN)
    fonts.set(qn("w:cs"), LATIN)
    if size is not None:
        style.font.size = Pt(size)
    if colour:
        style.font.color.rgb = RGBColor.from_string(colour)
    if bold is not None:
        style.font.bold = bold


def _styles(word: WordFile, lang: str) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Pt

    normal = word.styles["Normal"]
    _face(normal, 10.5)
    normal.paragraph_format.space_after = Pt(7)
    normal.paragraph_format.line_spacing = 1.25 if lang == "zh" else 1.15
    _face(word.styles["Title"], 26, ACCENT, bold=True)
    borders = word.styles["Title"].element.pPr.find(qn("w:pBdr"))
    if borders is not None:
        word.styles["Title"].element.pPr.remove(borders)
    _face(word.styles["Subtitle"], 13, FAINT)
    word.styles["Subtitle"].font.italic = False
    for level, size in ((1, 18), (2, 13), (3, 11)):
        style = word.styles[f"Heading {level}"]
        _face(style, size, ACCENT, bold=True)
        style.paragraph_format.space_before = Pt(16)
        style.paragraph_format.space_after = Pt(8)
        style.paragraph_format.keep_with_next = True
    word.styles["Heading 1"].paragraph_format.page_break_before = True
    _face(word.styles["Caption"], 9, "1C2B36", bold=False)
    for name in ("List Bullet", "List Number", "Header", "Footer"):
        _face(word.styles[name])
    run = word.styles.element.find(qn("w:docDefaults")).find(qn("w:rPrDefault")).find(qn("w:rPr"))
    spoken = run.find(qn("w:lang"))
    if spoken is None:
        spoken = OxmlElement("w:lang")
        run.append(spoken)
    spoken.set(qn("w:val"), _LANGUAGES[lang] if lang != "zh" else "en-GB")
    spoken.set(qn("w:eastAsia"), "zh-CN")


def _page(word: WordFile, tree: Node) -> None:
    """A4, title above, page numbers below, nothing of both on the cover."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Cm

    section = word.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.5)
    section.top_margin, section.bottom_margin = Cm(2.6), Cm(2.4)
    section.different_first_page_header_footer = True
    head = section.header.paragraphs[0]
    _styled(head, f"{tree['title']}  |  {tree['banner']}", 8, FAINT)
    foot = section.footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    before, rest = words.say("report.page-of", tree["lang"]).split("{page}")
    middle, after = rest.split("{pages}")
    for piece in (before, "PAGE", middle, "NUMPAGES", after):
        if piece in {"PAGE", "NUMPAGES"}:
            _field(foot, piece)
        else:
            _styled(foot, piece, 8, FAINT)


def _field(paragraph: WordParagraph, code: str, shown: str = "1") -> None:
    """A field Word fills in itself."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), code)
    run = _styled(paragraph, shown, 8, FAINT)
    field.append(run._element)
    paragraph._element.append(field)


def _styled(
    paragraph: WordParagraph,
    text: str,
    size: float | None = None,
    colour: str = "",
    bold: bool = False,
) -> Any:
    from docx.shared import Pt, RGBColor

    run = paragraph.add_run(text)
    run.bold = bold or None
    if size:
        run.font.size = Pt(size)
    if colour:
        run.font.color.rgb = RGBColor.from_string(colour)
    return run


def _cover(word: WordFile, tree: Node, document: Document) -> None:
    from docx.shared import Pt

    front = _panel(word, ACCENT)
    settled = document.status in {"approved", "published"}
    banner = front.paragraphs[0]
    banner.paragraph_format.space_before = Pt(16)
    _styled(banner, tree["banner"], 12, "BFE3D2" if settled else "FBE3B0", bold=True)
    title = front.add_paragraph(style="Title")
    title.paragraph_format.space_before = Pt(110)
    _styled(title, tree["title"], None, "FFFFFF", bold=True)
    _styled(front.add_paragraph(style="Subtitle"), tree["subtitle"], None, "DBE7EE")
    word.add_paragraph().paragraph_format.space_after = Pt(120)
    names = tree["words"]
    approvals = [f"{a['person']}, {a['party']}, {a['date']}" for a in tree["approvals"]]
    facts = [
        (names["date"], [tree["date"]]),
        (names["identifier"], [tree["identifier"]]),
        (names["parties"], tree["parties"]),
        (names["reader"], [tree["reader"]] if tree["reader"] else []),
        (names["approvals"], approvals or [names["not-approved"]]),
    ]
    for name, values in facts:
        if values:
            line = word.add_paragraph()
            _styled(line, f"{name}: ", 9, FAINT)
            _styled(line, "; ".join(values))
    if document.status == "draft":
        notice = word.add_paragraph()
        _styled(notice, words.say("report.status.draft.line", document.lang), 9, FAINT)


def _contents(word: WordFile, tree: Node) -> None:
    """The chapters as plain lines, so that the page is full before Word updates anything."""
    from docx.shared import Pt

    head = word.add_paragraph()
    head.paragraph_format.page_break_before = True
    _styled(head, tree["words"]["contents"], 18, ACCENT, bold=True)
    for entry in tree["contents"]:
        line = word.add_paragraph()
        line.paragraph_format.space_after = Pt(2)
        _styled(line, f"{entry['number']}\u2003", None, ACCENT, bold=True)
        _styled(line, entry["text"], None, "")


def _inline(paragraph: WordParagraph, runs: list[Node], size: float | None = None) -> None:
    for run in runs:
        made = _styled(paragraph, run["text"], size)
        made.bold = True if run["style"] == "bold" else None
        made.italic = True if run["style"] == "italic" else None
        if run["style"] == "trace":
            made.font.superscript = True


def _heading(word: WordFile, block: Node, _: dict[str, bytes]) -> None:
    word.add_heading(f"{block['number']}\u2002{block['text']}", level=block["level"])


def _paragraph(word: WordFile, block: Node, _: dict[str, bytes]) -> None:
    _inline(word.add_paragraph(), block["runs"])


def _list(word: WordFile, block: Node, _: dict[str, bytes]) -> None:
    for item in block["items"]:
        _inline(
            word.add_paragraph(style="List Number" if block["numbered"] else "List Bullet"), item
        )


def _caption(word: WordFile, block: Node, keep: bool) -> None:
    line = word.add_paragraph(style="Caption")
    line.paragraph_format.keep_with_next = keep
    _styled(line, f"{block['label']}\u2002", None, ACCENT, bold=True)
    _inline(line, block["caption"])


def _table(word: WordFile, block: Node, _: dict[str, bytes]) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Cm, Pt

    _caption(word, block, keep=True)
    columns = block["columns"]
    grid = word.add_table(rows=1 + len(block["rows"]), cols=len(columns))
    grid.style = word.styles["Table Grid"]
    grid.autofit = False
    share = [c["width"] for c in columns]
    widths = [Cm(WIDTH_CM * s / sum(share)) for s in share]
    size = 7 if len(columns) > 7 else 8.5
    for column, width in zip(grid.columns, widths, strict=True):
        column.width = width
    heads = [c["title"] + (f" ({c['unit']})" if c["unit"] else "") for c in columns]
    for index, row in enumerate(grid.rows):
        nodes = block["rows"][index - 1] if index else [{"text": h, "tone": ""} for h in heads]
        for cell, node, column, width in zip(row.cells, nodes, columns, widths, strict=True):
            cell.width = width
            line = cell.paragraphs[0]
            line.paragraph_format.space_after = Pt(1)
            line.paragraph_format.line_spacing = 1.0
            if column["align"] == "right":
                line.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            if node["tone"]:
                _styled(
                    line, f"{SIGNS[node['tone']]} {node['text']}", size, TONES[node["tone"]], True
                )
            elif node.get("runs"):
                _inline(line, node["runs"], size)
            else:
                _styled(line, node["text"], size, ACCENT if index == 0 else "", bold=index == 0)
            if node.get("trace"):
                _styled(line, f" [{node['trace']}]", size, ACCENT).font.superscript = True
            if node.get("sub"):
                _styled(line, f"\n{node['sub']}", size - 1, FAINT)
        marks = ["w:cantSplit"] if index else ["w:cantSplit", "w:tblHeader"]
        for mark in marks:
            row._tr.get_or_add_trPr().append(OxmlElement(mark))
    _rules(grid, qn, OxmlElement)
    under = word.add_paragraph()
    _inline(under, block["note"])
    for key in ("more", "source"):
        if block[key]:
            under.add_run((" " if under.text else "") + block[key])
    for run in under.runs:
        run.font.size = Pt(8)


def _rules(grid: Any, qn: Any, element: Any) -> None:
    """Lines between rows only, as in the PDF."""
    borders = element("w:tblBorders")
    for side, weight, colour in (
        ("top", 12, ACCENT),
        ("left", 0, ""),
        ("bottom", 8, ACCENT),
        ("right", 0, ""),
        ("insideH", 4, "C9D2D8"),
        ("insideV", 0, ""),
    ):
        line = element(f"w:{side}")
        line.set(qn("w:val"), "single" if weight else "nil")
        if weight:
            line.set(qn("w:sz"), str(weight))
            line.set(qn("w:color"), colour)
        borders.append(line)
    grid._tbl.tblPr.append(borders)


def _picture(word: WordFile, block: Node, pictures: dict[str, bytes]) -> None:
    from docx.shared import Cm, Pt

    line = word.add_paragraph()
    line.paragraph_format.keep_with_next = True
    shape = line.add_run().add_picture(
        io.BytesIO(pictures[block["file"]]), width=Cm(WIDTH_CM * block["width"])
    )
    shape._inline.docPr.set("descr", block["alt"])
    _caption(word, block, keep=bool(block["lines"]))
    for text in block["lines"]:
        under = word.add_paragraph()
        under.paragraph_format.space_after = Pt(2)
        _styled(under, text, 8, FAINT)


def _panel(word: WordFile, colour: str, columns: int = 1) -> Any:
    """A row of shaded cells without borders; the cell, or the row of several."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    grid = word.add_table(rows=1, cols=columns)
    for cell in grid.rows[0].cells:
        shade = OxmlElement("w:shd")
        shade.set(qn("w:val"), "clear")
        shade.set(qn("w:fill"), colour)
        cell._tc.get_or_add_tcPr().append(shade)
    return grid.rows[0].cells[0] if columns == 1 else grid.rows[0]


def _key_numbers(word: WordFile, block: Node, _: dict[str, bytes]) -> None:
    """Tiles, three to a row."""
    items = block["items"]
    for start in range(0, len(items), 3):
        cells = _panel(word, "F1F5F7", 3).cells
        for cell, item in zip(cells, items[start : start + 3], strict=False):
            _tile(cell.paragraphs[0], item)
        word.add_paragraph()


def _tile(line: WordParagraph, item: Node) -> None:
    _styled(line, item["label"] + "\n", 9, FAINT)
    _styled(line, item["value"], 18, ACCENT, bold=True)
    if item["unit"]:
        _styled(line, f" {item['unit']}", 10, ACCENT)
    if item["trace"]:
        _styled(line, f" [{item['trace']}]", 8, ACCENT)
    for key in ("interval", "note"):
        if item[key]:
            _styled(line, "\n" + item[key], 9, FAINT if key == "note" else "")


def _callout(word: WordFile, block: Node, _: dict[str, bytes]) -> None:
    from docx.shared import Cm

    line = word.add_paragraph()
    line.paragraph_format.left_indent = Cm(0.8)
    if block["title"]:
        sign = f"{SIGNS[block['tone']]} {block['title']}\n"
        _styled(line, sign, None, TONES[block["tone"]], bold=True)
    _inline(line, block["runs"])


def _citations(word: WordFile, block: Node, _: dict[str, bytes]) -> None:
    for item in block["items"]:
        word.add_paragraph(f"[{item['number']}] {item['text']} {item['url']}".rstrip())


def _page_break(word: WordFile, _block: Node, _: dict[str, bytes]) -> None:
    word.add_page_break()


_BLOCKS: Final = {
    "heading": _heading,
    "paragraph": _paragraph,
    "list": _list,
    "table": _table,
    "picture": _picture,
    "keynumbers": _key_numbers,
    "callout": _callout,
    "citations": _citations,
    "pagebreak": _page_break,
}
