"""Submissions of our forms for telephones, as they come back.

Two ways lead back: the tables that a form server exports (ODK Central, KoboToolbox), and the XML
instances copied from the telephone itself where there is no server. Both carry the hidden field
that names the form (see ``xlsform``).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from ecotone.formats.base import ReadOptions, Refused, Reject, Report, Source, refused
from ecotone.formats.xlsform import FORM, OF_PLACE, PLACE, TYPED, VERSION
from ecotone.model.dictionary import RECORD_NOUNS, attributes
from ecotone.model.finding import Finding, Severity
from ecotone.model.table import Table

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    import pandas as pd

_ID: Final = re.compile(r"ecotone:(?P<noun>[A-Za-z]+):(?P<version>\d+)")
_PEEK: Final = 1 << 14
#: Files beside the forms that are named.
_NAMED: Final = 5
_XML: Final = (".xml",)
_CSV: Final = (".csv", ".tsv", ".txt")
#: A place in a table: ``place-Latitude`` (ODK), ``_place_latitude`` (Kobo), one of these endings.
_PLACE_COLUMN: Final = re.compile(
    rf"_?{PLACE}[-_:/.](latitude|longitude|altitude|accuracy|precision)", re.IGNORECASE
)
_OF_COLUMN: Final = {
    "latitude": "latitude",
    "longitude": "longitude",
    "altitude": "elevation_m",
    "accuracy": "coordinate_uncertainty_m",
    "precision": "coordinate_uncertainty_m",
}
#: Columns that bear the submission's own identifier, the surest first.
_INSTANCES: Final = ("meta-instanceID", "meta/instanceID", "instanceID", "KEY", "_uuid")
#: What telephones and servers add; it tells of the telephone, not of the field.
_SERVICE: Final = re.compile(
    r"_.*|meta[-/].*|start|end|deviceid|device_id|instanceID|KEY|SubmissionDate|SubmitterID"
    r"|SubmitterName|AttachmentsPresent|AttachmentsExpected|Status|ReviewState|DeviceID|Edits"
    r"|FormVersion|formhub/uuid|__version__|" + re.escape(FORM)
)


class SubmittedForms:
    """Filled forms; see :class:`ecotone.formats.base.Format`."""

    name = "xform"
    title_key = "format.xform.title"
    extensions = (".xml", ".csv", ".zip")
    spec = "https://getodk.github.io/xforms-spec/"

    def recognise(self, source: Source) -> bool:
        """Whether a member bears the name of one of our forms."""
        return any(_is_ours(source, member) for member in _candidates(source))

    def read(
        self, source: Source, options: ReadOptions, report: Report, reject: Reject
    ) -> Iterator[Table]:
        """Yield the submissions, table by table; XML instances of a noun together."""
        instances: list[str] = []
        ours = [m for m in _candidates(source) if _is_ours(source, m)]
        _name_others(source, ours, report)
        for member in ours:
            if member.lower().endswith(_XML):
                instances.append(member)
            else:
                yield from _of_table(source, member, options, report, reject)
        for start in range(0, len(instances), options.block_rows):
            block = instances[start : start + options.block_rows]
            yield from _of_instances(source, block, report, reject)


FORMAT = SubmittedForms()


def _candidates(source: Source) -> list[str]:
    return [m for m in source.members if source.only or m.lower().endswith((*_XML, *_CSV))]


def _is_ours(source: Source, member: str) -> bool:
    with source.open(member) as stream:
        head = stream.read(_PEEK).replace(b"\0", b"")
    first = head.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if first.startswith(b"<"):
        return f"<{FORM}>".encode() in head
    return FORM.encode() in first.split(b"\n", 1)[0]


def _name_others(source: Source, ours: list[str], report: Report) -> None:
    """Say what lies beside the forms and is not read: photographs, sounds, other forms."""
    names = [m.rpartition("/")[2] for m in source.members if m not in set(ours)]
    others = [n for n in names if n and not n.startswith((".", "._"))]
    if others:
        shown = ", ".join(others[:_NAMED]) + (" …" if len(others) > _NAMED else "")
        params = {"number": str(len(others)), "names": shown}
        report(Finding("xform-beside", Severity.WARNING, file=source.name, params=params))


def _noun_of(form: str, member: str) -> str:
    match = _ID.fullmatch(form.strip())
    if match is None or match["noun"] not in RECORD_NOUNS:
        raise refused("xform-unknown", file=member, value=form)
    if int(match["version"]) > VERSION:
        raise refused("xform-newer", file=member, value=form)
    return match["noun"]


def _of_table(
    source: Source, member: str, options: ReadOptions, report: Report, reject: Reject
) -> Iterator[Table]:
    """The rows of a server's export, by the form each answers."""
    from ecotone.formats.csv import read_table

    plain = dataclasses.replace(options, type="Record", header=True)
    for block in read_table(source, member, plain, report, reject):
        form = next(name for name in block.frame.columns if _last(name) == FORM)
        told = block.frame[form].fillna("")
        for value in told.unique():
            rows = (told == value).to_numpy(dtype=bool)
            noun = _noun_of(str(value), member)
            yield Table(
                type=noun,
                frame=as_record(block.frame[rows].reset_index(drop=True), noun),
                row=block.row[rows],
                line=block.line[rows],
                file=member,
                vocabulary="ecotone",
            )


def _of_instances(
    source: Source, members: Iterable[str], report: Report, reject: Reject
) -> Iterator[Table]:
    """XML instances, one record each."""
    import numpy as np
    import pandas as pd

    from ecotone.formats.xml import parse_xml

    found: dict[str, list[tuple[int, dict[str, str]]]] = {}
    for number, member in enumerate(members, start=1):
        try:
            answers = _answers(parse_xml(source, member, report))
            noun = _noun_of(answers.get(FORM, ""), member)
        except Refused as error:
            # One telephone's broken file must not cost the others' records.
            report(dataclasses.replace(error.finding, severity=Severity.ERROR, row=number, line=1))
            with source.open(member) as stream:
                reject(member, number, 1, stream.read(_PEEK).decode("utf-8", "replace"))
            continue
        found.setdefault(noun, []).append((number, answers))
    for noun, rows in found.items():
        frame = pd.DataFrame([answers for _, answers in rows], dtype="str")
        numbers = np.array([number for number, _ in rows], dtype=np.int64)
        yield Table(
            type=noun,
            frame=as_record(frame, noun),
            row=numbers,
            line=np.ones(len(rows), dtype=np.int64),
            file=source.name,
            vocabulary="ecotone",
        )


def _answers(root: Element) -> dict[str, str]:
    """The answers of an instance by the last part of their names; those of repeats are joined."""
    found: dict[str, str] = {}
    for element in root.iter():
        if len(element) or not (element.text or "").strip():
            continue
        name = element.tag.rpartition("}")[2]
        text = (element.text or "").strip()
        if name == PLACE:
            parts = text.split()
            for attribute, part in zip(OF_PLACE, parts, strict=False):
                found[attribute] = part
        else:
            found[name] = text
    return found


def as_record(answers: pd.DataFrame, noun: str) -> pd.DataFrame:
    """Answers under the names of the noun's attributes; questions of the user's own as ``+name``.

    The record's own number is what was scanned, else what was typed, else the submission's
    identifier, so that a submission delivered twice is one record.
    """
    import pandas as pd

    known = attributes(noun)
    out: dict[str, pd.Series] = {}
    for name in answers.columns:
        attribute = _attribute(str(name))
        if attribute in known:
            out[attribute] = answers[name]
        elif not attribute.endswith(TYPED) and not _SERVICE.fullmatch(str(name)):
            out[f"+{name}"] = answers[name]
    if "latitude" in out and "datum" in known:
        out["datum"] = pd.Series("WGS84", index=answers.index, dtype="str")
    for name in out.keys() & {n for n, a in known.items() if a.choices}:
        listed = {choice.replace(" ", "_"): choice for choice in known[name].choices}
        out[name] = out[name].replace(listed)
    own = next(iter(known))
    if own.endswith("_id"):
        number = pd.Series(pd.NA, index=answers.index, dtype="str")
        for name in (own, f"{own}{TYPED}", *_INSTANCES):
            for column in answers.columns:
                if _last(str(column)) == name or str(column) == name:
                    number = number.where(number.notna(), _filled(answers[column]))
        out[own] = number
    return pd.DataFrame(out, index=answers.index)


def _filled(column: pd.Series) -> pd.Series:
    stripped = column.astype("str").str.strip()
    return stripped.where(stripped != "")


def _attribute(header: str) -> str:
    """The attribute a column of answers holds."""
    place = _PLACE_COLUMN.fullmatch(header)
    return _OF_COLUMN[place[1].lower()] if place else _last(header)


def _last(header: str) -> str:
    """A question's name without the groups around it."""
    return re.split(r"[/:]", header)[-1]
