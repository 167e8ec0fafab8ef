"""XML from strangers: no document type, no entities, bounded in size, depth and nodes.

An encoding that the bytes themselves show (a byte-order mark, UTF-16's pattern) is believed
before the one a declaration claims.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from ecotone.formats.base import Limits, Report, Source, refused
from ecotone.model.finding import Finding, Severity

if TYPE_CHECKING:
    from ecotone.formats.base import Refused

_DECLARED: Final = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._\-]+)["']""")
_DECLARATION: Final = re.compile(r"^\s*<\?xml[^>]*\?>")
_DTD: Final = re.compile("<!DOCTYPE", re.I)
_ENTITY: Final = re.compile("<!ENTITY", re.I)
_FEED: Final = 1 << 16


def parse_xml(source: Source, member: str, report: Report | None = None) -> Element:
    """The root of a member's tree.

    Refuses a document type declaration (``xml-dtd``), entities (``xml-entities``), too many
    bytes (``xml-too-big``), levels (``xml-too-deep``) or nodes (``xml-too-many``), and text
    that is no XML (``xml-broken``). A wrong declaration of the encoding is reported.
    """
    with source.open(member) as stream:
        data = stream.read(source.limits.xml_bytes + 1)
    if len(data) > source.limits.xml_bytes:
        raise refused("xml-too-big", file=member, most=str(source.limits.xml_bytes >> 20))
    return parse_text(decode(data, member, report), member, source.limits)


def decode(data: bytes, member: str, report: Report | None = None) -> str:
    """The letters of an XML document."""
    shown = _shown_encoding(data)
    match = _DECLARED.match(data.replace(b"\0", b"")[:512].lstrip(b"\xef\xbb\xbf\xff\xfe"))
    declared = match[1].decode("ascii").lower() if match else "utf-8"
    if shown and match and not declared.startswith(shown[:6]) and report is not None:
        report(
            Finding(
                "encoding-contradicted",
                Severity.WARNING,
                file=member,
                params={"found": shown.upper(), "declared": declared.upper()},
            )
        )
    encoding = shown or declared
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except (UnicodeDecodeError, LookupError) as error:
        raise refused("xml-encoding", file=member, value=encoding) from error


def _shown_encoding(data: bytes) -> str | None:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if data.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if data[:4] == b"<\0?\0":
        return "utf-16-le"
    if data[:4] == b"\0<\0?":
        return "utf-16-be"
    return None


def parse_text(text: str, member: str, limits: Limits) -> Element:
    """The root of a document given as text."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser

    # The letters are decoded already; a declaration of bytes would now mislead the parser.
    body = _DECLARATION.sub("", text, count=1)
    if body.count("<") - body.count("</") > limits.xml_nodes:
        raise refused("xml-too-many", file=member, most=str(limits.xml_nodes))
    parser = DefusedXMLParser(target=_Builder(member, limits), encoding="utf-8", forbid_dtd=True)
    try:
        for start in range(0, len(body), _FEED):
            parser.feed(body[start : start + _FEED].encode("utf-8", "surrogatepass"))
        root: Element = parser.close()
    except DefusedXmlException as error:
        raise _forbidden(body, member) from error
    except (ParseError, ValueError, AssertionError) as error:
        raise refused("xml-broken", file=member, value=str(error)) from error
    return root


def _forbidden(body: str, member: str) -> Refused:
    code = "xml-entities" if _ENTITY.search(body) and not _DTD.search(body) else "xml-dtd"
    return refused(code, file=member)


class _Builder(TreeBuilder):
    """A tree builder that counts."""

    def __init__(self, member: str, limits: Limits) -> None:
        super().__init__()
        self._member = member
        self._limits = limits
        self._depth = 0
        self._nodes = 0

    def start(self, tag: Any, attrs: Any, /) -> Element:
        """An element opens."""
        self._depth += 1
        self._nodes += 1 + len(attrs)
        if self._depth > self._limits.xml_depth:
            raise refused("xml-too-deep", file=self._member, most=str(self._limits.xml_depth))
        if self._nodes > self._limits.xml_nodes:
            raise refused("xml-too-many", file=self._member, most=str(self._limits.xml_nodes))
        return super().start(tag, attrs)

    def end(self, tag: Any, /) -> Element:
        """An element closes."""
        self._depth -= 1
        return super().end(tag)
