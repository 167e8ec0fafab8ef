"""The descriptor of a Camtrap DP package: where its tables lie and what the study says of itself.

Profile of Camtrap DP 1.0.2 (https://camtrap-dp.tdwg.org/metadata/) on top of a Frictionless data
package. What keeps the tables from being read refuses the package; what is missing in the study's
description is told, and the records are taken.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from ecotone.formats.base import Report, Source, refused
from ecotone.formats.camtrapdp_migrate import OLD_VERSIONS, migrated_study
from ecotone.formats.camtrapdp_rules import TABLES
from ecotone.formats.csv_text import known_encoding
from ecotone.model.finding import Finding, Severity

DESCRIPTOR: Final = "datapackage.json"
#: An extra resource, as the standard's questions and answers allow: when a camera did not work
#: although it was out (deploymentID, failureStart, failureEnd).
FAILURES: Final = "failures"
#: Versions whose fields are exactly the ones we know.
KNOWN_VERSIONS: Final = ("1.0", "1.0.0", "1.0.1", "1.0.2")
CURRENT_VERSION: Final = KNOWN_VERSIONS[-1]
PROFILE_URL: Final = "https://raw.githubusercontent.com/tdwg/camtrap-dp/{version}/{file}"

SAMPLING_DESIGNS: Final = (
    "simpleRandom",
    "systematicRandom",
    "clusteredRandom",
    "experimental",
    "targeted",
    "opportunistic",
)
CAPTURE_METHODS: Final = ("activityDetection", "timeLapse")
LEVELS: Final = ("media", "event")
ROLES: Final = ("contact", "principalInvestigator", "rightsHolder", "publisher", "contributor")
_REQUIRED: Final = (
    "profile",
    "created",
    "contributors",
    "project",
    "spatial",
    "temporal",
    "taxonomic",
)
_PROJECT: Final = (
    "title",
    "samplingDesign",
    "captureMethod",
    "individualAnimals",
    "observationLevel",
)
_FORMS_READ: Final = (".csv", ".tsv", ".txt", ".csv.gz")


@dataclass(frozen=True, slots=True)
class Resource:
    """One table of the package: its files and how they are written."""

    table: str
    files: tuple[str, ...]
    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    header: bool = True


@dataclass(frozen=True, slots=True)
class Package:
    """What ``datapackage.json`` says."""

    file: str
    resources: dict[str, Resource]
    metadata: dict[str, str]
    taxa: frozenset[str]  #: names of the taxonomic scope; empty when there is none
    version: str = CURRENT_VERSION
    failures: Resource | None = None  #: when cameras did not work, where the package tells it

    @property
    def old(self) -> bool:
        """Whether its tables are to be retold in the words of 1.0."""
        return self.version in OLD_VERSIONS


def find_descriptor(source: Source) -> str | None:
    """The package's descriptor: the one nearest to the top."""
    found = [m for m in source.members if m.rpartition("/")[2] == DESCRIPTOR]
    return min(found, key=lambda m: (m.count("/"), m), default=None)


def read_package(source: Source, member: str, report: Report) -> Package:
    """Read and check the descriptor; every file of the three tables is known to be there."""
    from ecotone.formats.json import parse_json

    content = parse_json(source, member)
    if not isinstance(content, dict):
        raise refused("camtrapdp-not-a-package", file=member)
    version = _check_version(content.get("profile"), member, report)
    if version in OLD_VERSIONS:
        content = migrated_study(content)
    resources = _resources(source, member, content.get("resources"), report)
    package = Package(
        file=member,
        resources={table: resources[table] for table in TABLES},
        metadata=_metadata(content),
        taxa=frozenset(_taxa(content)),
        version=version,
        failures=resources.get(FAILURES),
    )
    for finding in check_study(content, member):
        report(finding)
    return package


def _check_version(profile: Any, member: str, report: Report) -> str:
    """Read 1.0.x and 0.1.6; say so when it is a later 1.x; refuse what has other fields."""
    found = re.search(r"camtrap-dp/([0-9][^/]*)/", str(profile))
    version = found[1] if found else ""
    if version in KNOWN_VERSIONS:
        return version
    if version in OLD_VERSIONS:
        report(Finding("camtrapdp-migrated", Severity.INFO, file=member, value=version))
        return version
    if version.startswith("1.") and "-" not in version:
        code = "camtrapdp-version-newer"
    elif not version:
        code = "camtrapdp-version-unsaid"
    else:
        raise refused("camtrapdp-version", file=member, value=version)
    report(Finding(code, Severity.WARNING, field="profile", value=str(profile), file=member))
    return version


# --- the three tables --------------------------------------------------------------------------


def _resources(source: Source, member: str, listed: Any, report: Report) -> dict[str, Resource]:
    entries = [e for e in listed if isinstance(e, dict)] if isinstance(listed, list) else []
    found: dict[str, Resource] = {}
    for entry in entries:
        name = entry.get("name")
        if name in TABLES or name == FAILURES:
            if name in found:
                raise refused("camtrapdp-resource-twice", file=member, value=str(name))
            found[name] = _resource(source, member, str(name), entry, report)
        else:
            report(Finding("camtrapdp-extra-resource", Severity.INFO, file=member, value=str(name)))
    for table in TABLES:
        if table not in found:
            raise refused("camtrapdp-resource-missing", file=member, value=table)
    return found


def _resource(
    source: Source, member: str, table: str, entry: dict[str, Any], report: Report
) -> Resource:
    path = entry.get("path")
    paths = path if isinstance(path, list) else [path]
    if not paths or not all(isinstance(p, str) and p.strip() for p in paths):
        raise refused("camtrapdp-path-missing", file=member, value=table)
    folder = member.rpartition("/")[0]
    for name, wanted in (("profile", "tabular-data-resource"), ("schema", None)):
        given = entry.get(name)
        if given is None or (wanted is not None and given != wanted):
            report(_doubt(member, f"resources.{table}.{name}", given, wanted or "-"))
    dialect = entry.get("dialect")
    dialect = dialect if isinstance(dialect, dict) else {}
    return Resource(
        table=table,
        files=tuple(_member_at(source, member, folder, str(p)) for p in paths),
        encoding=known_encoding(str(entry.get("encoding") or "utf-8")),
        delimiter=str(dialect.get("delimiter", ",")) or ",",
        quote=str(dialect.get("quoteChar", '"')),
        header=dialect.get("header", True) is not False,
    )


def _member_at(source: Source, member: str, folder: str, path: str) -> str:
    """The member a path leads to; refused where it leads outside or to a form we do not read."""
    plain = path.strip()
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", plain):
        raise refused("camtrapdp-path-remote", file=member, value=plain)
    parts = [p for p in plain.replace("\\", "/").split("/") if p not in ("", ".")]
    if plain.startswith(("/", "\\", "~")) or ".." in parts or re.match(r"[A-Za-z]:", plain):
        raise refused("camtrapdp-path-outside", file=member, value=plain)
    name = "/".join(([folder] if folder else []) + parts)
    if name not in source.members:
        raise refused("camtrapdp-file-missing", file=member, value=plain)
    if not name.lower().endswith(_FORMS_READ):
        raise refused("camtrapdp-form", file=member, value=plain)
    return name


# --- the study ---------------------------------------------------------------------------------


def check_study(content: dict[str, Any], member: str) -> Iterable[Finding]:
    """What the profile asks of the study's description and does not find, one finding each."""
    for name in _REQUIRED:
        if content.get(name) in (None, "", [], {}):
            yield _lacking(member, name)
    yield from _check_project(content.get("project"), member)
    yield from _check_people(content.get("contributors"), member)
    yield from _check_licences(content.get("licenses"), member)
    yield from _check_time_span(content.get("temporal"), member)
    created = content.get("created")
    if created and not _is_time(created):
        yield _doubt(member, "created", created, "2024-05-31T09:30:00Z")
    spatial = content.get("spatial")
    if spatial and not (isinstance(spatial, dict) and isinstance(spatial.get("type"), str)):
        yield _doubt(member, "spatial", spatial, "GeoJSON")
    taxa = content.get("taxonomic")
    if taxa and len(_taxa(content)) != (len(taxa) if isinstance(taxa, list) else -1):
        yield _doubt(member, "taxonomic", taxa, "scientificName")


def _check_project(project: Any, member: str) -> Iterable[Finding]:
    if project in (None, {}, ""):
        return
    if not isinstance(project, dict):
        yield _doubt(member, "project", project, "{ }")
        return
    for name in _PROJECT:
        if project.get(name) in (None, "", []):
            yield _lacking(member, f"project.{name}")
    lists = (
        ("samplingDesign", SAMPLING_DESIGNS),
        ("captureMethod", CAPTURE_METHODS),
        ("observationLevel", LEVELS),
    )
    for name, allowed in lists:
        given = project.get(name)
        values = given if isinstance(given, list) else [given] if given else []
        if any(v not in allowed for v in values):
            yield _doubt(member, f"project.{name}", given, ", ".join(allowed))
    flag = project.get("individualAnimals")
    if flag is not None and not isinstance(flag, bool):
        yield _doubt(member, "project.individualAnimals", flag, "true, false")


def _check_people(people: Any, member: str) -> Iterable[Finding]:
    for number, person in enumerate(people if isinstance(people, list) else [], start=1):
        where = f"contributors.{number}"
        if not isinstance(person, dict) or not person.get("title"):
            yield _lacking(member, f"{where}.title")
        elif person.get("role", "contributor") not in ROLES:
            yield _doubt(member, f"{where}.role", person["role"], ", ".join(ROLES))


def _check_licences(licences: Any, member: str) -> Iterable[Finding]:
    """Licences may be left out; when given, data and media each have one."""
    if licences is None:
        return
    given = licences if isinstance(licences, list) else []
    scopes = {item.get("scope") for item in given if isinstance(item, dict)}
    for scope in ("data", "media"):
        if scope not in scopes:
            yield _doubt(member, "licenses", ", ".join(sorted(map(str, scopes))), f"scope={scope}")


def _check_time_span(span: Any, member: str) -> Iterable[Finding]:
    if not span:
        return
    ends = []
    for name in ("start", "end"):
        text = span.get(name) if isinstance(span, dict) else None
        try:
            ends.append(dt.date.fromisoformat(str(text)))
        except ValueError:
            yield _doubt(member, f"temporal.{name}", text, "2024-05-31")
    if len(ends) > 1 and ends[0] > ends[1]:
        yield _doubt(member, "temporal", f"{ends[0]} > {ends[1]}", "start <= end")


def _is_time(text: Any) -> bool:
    try:
        dt.datetime.fromisoformat(str(text))
    except ValueError:
        return False
    return True


def _lacking(member: str, name: str) -> Finding:
    return Finding("camtrapdp-property-missing", Severity.WARNING, field=name, file=member)


def _doubt(member: str, name: str, given: Any, wanted: str) -> Finding:
    return Finding(
        "camtrapdp-property-wrong",
        Severity.WARNING,
        field=name,
        value="" if given is None else str(given),
        file=member,
        params={"wanted": wanted},
    )


# --- what travels with every table -------------------------------------------------------------


def _taxa(content: dict[str, Any]) -> list[str]:
    listed = content.get("taxonomic")
    return [
        str(t["scientificName"])
        for t in (listed if isinstance(listed, list) else [])
        if isinstance(t, dict) and t.get("scientificName")
    ]


def _metadata(content: dict[str, Any]) -> dict[str, str]:
    """The statements that keeping and sharing need, as text."""
    project = content.get("project")
    project = project if isinstance(project, dict) else {}
    found: dict[str, Any] = {
        "package": content.get("id"),
        "name": content.get("name"),
        "title": content.get("title"),
        "version": content.get("version"),
        "created": content.get("created"),
        "description": content.get("description"),
        "citation": content.get("bibliographicCitation"),
        "coordinate_precision": content.get("coordinatePrecision"),
        "project": project.get("title"),
        "project_id": project.get("id"),
        "sampling_design": project.get("samplingDesign"),
        "capture_method": _joined(project.get("captureMethod")),
        "observation_level": _joined(project.get("observationLevel")),
    }
    licences = content.get("licenses")
    for item in licences if isinstance(licences, list) else []:
        if isinstance(item, dict) and item.get("scope") in ("data", "media"):
            word = "licence" if item["scope"] == "data" else "licence_media"
            found.setdefault(word, item.get("name") or item.get("path"))
    people = content.get("contributors")
    found["contributors"] = "; ".join(
        str(p["title"])
        for p in (people if isinstance(people, list) else [])
        if isinstance(p, dict) and p.get("title")
    )
    return {word: str(text) for word, text in found.items() if text not in (None, "")}


def _joined(values: Any) -> str:
    return ", ".join(map(str, values)) if isinstance(values, list) else str(values or "")
