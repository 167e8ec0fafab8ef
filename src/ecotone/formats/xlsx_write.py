"""Writing workbooks: texts that stay texts, and the same bytes for the same content."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ecotone.formats.cells import is_formula

if TYPE_CHECKING:
    import pandas as pd

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_MODIFIED: Final = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")
#: Signs that XML 1.0, and so a workbook, cannot hold.
_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def write(path: Path, sheets: dict[str, pd.DataFrame], made: dt.datetime) -> None:
    """Write one frame a sheet."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    book.properties.created = book.properties.modified = made.replace(tzinfo=None)
    for title, frame in sheets.items():
        sheet = book.create_sheet(title)
        sheet.append([_cell(sheet, str(name)) for name in frame.columns])
        for row in frame.astype(object).where(frame.notna(), None).itertuples(index=False):
            sheet.append([_cell(sheet, value) for value in row])
    held = io.BytesIO()
    book.save(held)
    path.write_bytes(_settled(held.getvalue(), made))


def _cell(sheet: Any, value: Any) -> Any:
    from openpyxl.cell import WriteOnlyCell

    if not isinstance(value, str):
        return value.item() if hasattr(value, "item") else value
    text = _ILLEGAL.sub("\ufffd", value)
    if not is_formula(text):
        return text if not text.startswith("=") else _as_text(WriteOnlyCell(sheet), text)
    return _as_text(WriteOnlyCell(sheet), text)


def _as_text(cell: Any, text: str) -> Any:
    """A cell that holds text and keeps it text when edited."""
    cell.value = text
    cell.data_type = "s"
    cell.quotePrefix = True
    return cell


def _settled(data: bytes, made: dt.datetime) -> bytes:
    """The same archive without the time at which it was packed."""
    stamp = made.strftime("%Y-%m-%dT%H:%M:%SZ").encode("ascii")
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as given,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as kept,
    ):
        for name in given.namelist():
            content = given.read(name)
            if name == "docProps/core.xml":
                content = _MODIFIED.sub(rb"\g<1>" + stamp + rb"\g<2>", content)
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            kept.writestr(entry, content)
    return out.getvalue()
