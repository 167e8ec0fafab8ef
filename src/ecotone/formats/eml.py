"""Ecological Metadata Language: what a dataset says of itself.

Reads the few statements that matter for keeping and sharing a dataset; writes a document in the
GBIF profile (EML 2.2.0, https://eml.ecoinformatics.org, doi:10.5063/F11834T2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from ecotone.formats.base import ReadOptions, Reject, Report, Source, refused
from ecotone.model.table import Table

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

#: ``{our word: path below the dataset}``, in the order a document gives them.
_PATHS: Final = {
    "identifier": "alternateIdentifier",
    "title": "title",
    "creator": "creator",
    "metadata_provider": "metadataProvider",
    "published": "pubDate",
    "language": "language",
    "abstract": "abstract",
    "licence": "intellectualRights",
    "purpose": "purpose",
    "contact": "contact",
    "project": "project/title",
}
_PARTIES: Final = ("creator", "metadata_provider", "contact")
_PEEK: Final = 512
_NAMESPACE: Final = "https://eml.ecoinformatics.org/eml-2.2.0"


class EcologicalMetadata:
    """A metadata document delivered alone; one record, its statements as columns."""

    name = "eml"
    title_key = "format.eml.title"
    extensions = (".xml",)
    spec = "https://eml.ecoinformatics.org"

    def recognise(self, source: Source) -> bool:
        """Any single XML file: no other XML is read, and a wrong one is told so plainly."""
        if source.only is None:
            return False
        with source.open(source.only) as stream:
            head = stream.read(_PEEK).replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
        return head.startswith((b"<?xml", b"<!DOCTYPE", b"<eml"))

    def read(
        self, source: Source, options: ReadOptions, report: Report, reject: Reject
    ) -> Iterator[Table]:
        """Yield the one record."""
        import numpy as np
        import pandas as pd

        if source.only is None:
            raise refused("eml-not-a-file", file=source.name)
        found = read_eml(source, source.only, report)
        one = np.array([1], dtype=np.int64)
        yield Table(
            type="EML",
            frame=pd.DataFrame({k: pd.Series([v], dtype="str") for k, v in found.items()}),
            row=one,
            line=one,
            file=source.only,
            vocabulary="eml",
            metadata=found,
        )


FORMAT = EcologicalMetadata()


def read_eml(source: Source, member: str, report: Report | None = None) -> dict[str, str]:
    """The statements of a metadata document, those it makes."""
    from ecotone.formats.xml import parse_xml

    root = parse_xml(source, member, report)
    if _local(root) != "eml":
        raise refused("eml-not-eml", file=member, value=_local(root))
    dataset = next((e for e in root if _local(e) == "dataset"), None)
    if dataset is None:
        raise refused("eml-no-dataset", file=member)
    found = {"package": root.get("packageId") or ""}
    for word, path in _PATHS.items():
        elements = _below(dataset, path.split("/"))
        texts = [_party(e) if word in _PARTIES else _text(e) for e in elements]
        found[word] = "; ".join(dict.fromkeys(t for t in texts if t))
    for metadata in _below(root, ["additionalMetadata", "metadata"]):
        for statement in (e for e in metadata if _local(e) == "statement"):
            found.setdefault(statement.get("name") or "", _text(statement))
    return {word: text for word, text in found.items() if word and text}


def eml_text(statements: Mapping[str, str]) -> str:
    """A metadata document; the same statements give the same text.

    Statements beyond the standard's own (the agreement's version, what was generalised) go
    into ``additionalMetadata`` and come back from :func:`read_eml`.
    """
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<eml:eml xmlns:eml="{_NAMESPACE}" packageId="{_escape(statements.get("package", ""))}"'
        ' system="ecotone" scope="system">',
        "  <dataset>",
    ]
    for word, path in _PATHS.items():
        text = statements.get(word)
        if text:
            lines.append("    " + _element(word, path, text))
    lines.append("  </dataset>")
    others = sorted(set(statements) - set(_PATHS) - {"package"})
    if others:
        lines.append("  <additionalMetadata>\n    <metadata>")
        lines += [
            f'      <statement name="{_escape(word)}">{_escape(statements[word])}</statement>'
            for word in others
        ]
        lines.append("    </metadata>\n  </additionalMetadata>")
    return "\n".join([*lines, "</eml:eml>", ""])


def _element(word: str, path: str, text: str) -> str:
    inner = _escape(text)
    if word in _PARTIES:
        inner = f"<organizationName>{inner}</organizationName>"
    elif word in ("abstract", "licence", "purpose"):
        inner = f"<para>{inner}</para>"
    for part in reversed(path.split("/")):
        inner = f"<{part}>{inner}</{part}>"
    return inner


def _escape(text: str) -> str:
    """Text fit for XML 1.0: marked-up characters written out, control characters left out."""
    clean = "".join(c for c in text if c in "\t\n\r" or " " <= c < "\ud800" or c >= "\ue000")
    for char, name in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ('"', "&quot;"),
        ("\r", "&#13;"),
    ):
        clean = clean.replace(char, name)
    return clean


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _below(element: Element, path: list[str]) -> list[Element]:
    """Descendants along a path of local names."""
    level = [element]
    for part in path:
        level = [child for parent in level for child in parent if _local(child) == part]
    return level


def _text(element: Element) -> str:
    """All text of an element, runs of blanks as one."""
    return " ".join("".join(element.itertext()).split())


def _party(element: Element) -> str:
    """A person or institution in one line: name, institution."""
    names = [
        " ".join(_text(e) for e in person if _local(e) in ("givenName", "surName"))
        for person in _below(element, ["individualName"])
    ]
    names += [_text(e) for e in _below(element, ["organizationName"])]
    return ", ".join(n for n in names if n)
