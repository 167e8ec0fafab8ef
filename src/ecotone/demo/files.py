"""Files whose bytes depend on nothing but their content: CSV, JSON, XLSX."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any, Final

import pandas as pd

_DATE: Final = (2025, 1, 15, 8, 0, 0)  #: of every entry of every archive
_STAMP: Final = b"2025-01-15T08:00:00Z"


def write_csv(
    path: Path, frame: pd.DataFrame, *, encoding: str = "utf-8", delimiter: str = ","
) -> None:
    """A table in a laboratory's own encoding and delimiter; lines end as on its computers."""
    text = frame.to_csv(index=False, sep=delimiter, lineterminator="\r\n")
    path.write_bytes(text.encode(encoding))


def write_json(path: Path, document: Any) -> None:
    """Readable JSON."""
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def write_xlsx(path: Path, frame: pd.DataFrame, sheet: str, sender: str) -> None:
    """A workbook of one sheet; openpyxl would write the time of day into it."""
    written = io.BytesIO()
    with pd.ExcelWriter(written, engine="openpyxl", date_format="yyyy-mm-dd") as book:
        frame.to_excel(book, sheet_name=sheet, index=False, freeze_panes=(1, 0))
        book.book.properties.creator = sender
    with zipfile.ZipFile(written) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    core = "docProps/core.xml"
    members[core] = re.sub(rb"(W3CDTF\">)[^<]*", rb"\g<1>" + _STAMP, members[core])
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
