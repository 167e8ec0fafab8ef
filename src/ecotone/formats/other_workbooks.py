"""Tables of other programs that are no workbook we read: named for what they are."""

from __future__ import annotations

from typing import Final

from ecotone.formats.base import Source, refused

_ODS: Final = b"application/vnd.oasis.opendocument.spreadsheet"
#: What the first bytes of such files hold, in small letters, and how people call them.
_SIGNS: Final = (
    (b"application/vnd.oasis.opendocument.spreadsheet", "OpenDocument"),
    (b"urn:schemas-microsoft-com:office:spreadsheet", "XML 2003"),
    (b"<html", "HTML"),
)
_ENDINGS: Final = (".xls", ".xlsx", ".xlsm", ".ods", ".fods", ".htm", ".html", ".xml")
_LOOKED_AT: Final = 4096


def refuse_other_workbooks(source: Source) -> None:
    """Refuse OpenDocument, binary workbooks, and HTML or XML that bears a workbook's name."""
    if source.only is None:
        if "mimetype" in source.members and "content.xml" in source.members:
            with source.open("mimetype") as stream:
                if stream.read(len(_ODS)) == _ODS:
                    raise refused("workbook-other", file=source.name, kind="OpenDocument")
        return
    name = source.name.lower()
    if name.endswith(".xlsb"):
        raise refused("workbook-other", file=source.name, kind="XLSB")
    if not name.endswith(_ENDINGS):
        return
    with source.open(source.only) as stream:
        head = stream.read(_LOOKED_AT).replace(b"\0", b"").lower()
    if not head.lstrip(b"\xef\xbb\xbf\xff\xfe \r\n\t").startswith(b"<"):
        return
    for sign, kind in _SIGNS:
        # XML of other kinds may well speak of HTML.
        if sign in head and not (kind == "HTML" and name.endswith(".xml")):
            raise refused("workbook-other", file=source.name, kind=kind)
