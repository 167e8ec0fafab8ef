"""Whatever stands in a package, reading it ends in tables or in a refusal, never otherwise."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecotone.formats.base import Format, ReadOptions, Refused
from ecotone.formats.camtrapdp import FORMAT as CAMTRAPDP
from ecotone.formats.dwca import FORMAT as DWCA
from ecotone.formats.safe import open_source

CALM = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
META = """<archive xmlns="http://rs.tdwg.org/dwc/text/" metadata="eml.xml">
<core encoding="UTF-8" fieldsTerminatedBy="\\t" linesTerminatedBy="\\n" fieldsEnclosedBy='"'
 ignoreHeaderLines="1" rowType="http://rs.tdwg.org/dwc/terms/Taxon">
<files><location>taxa.txt</location></files><id index="0"/>
<field index="1" term="http://rs.tdwg.org/dwc/terms/scientificName" default="x"/></core>
<extension rowType="http://rs.gbif.org/terms/1.0/VernacularName" fieldsTerminatedBy=",">
<files><location>names.csv</location></files><coreid index="0"/>
<field index="1" term="http://rs.tdwg.org/dwc/terms/vernacularName"/></extension></archive>"""
JUNK = st.text(max_size=6) | st.sampled_from(
    ["", "-1", "9999999", "../x", "\\t", "utf-7", "utf-16", "\\", '"', "http://x/y", "taxa.txt"]
)
BYTES = st.binary(max_size=60) | st.lists(
    st.sampled_from([b"1", b"a", b"\t", b",", b"\n", b'"', b"\r", b"\0", b"\xff", b"\xd0\xb0"]),
    max_size=40,
).map(b"".join)


def read(form: Format, folder: Path) -> None:
    try:
        with open_source(folder) as source:
            form.recognise(source)
            for table in form.read(
                source, ReadOptions(block_rows=3), lambda f: f.message("ru"), lambda *a: None
            ):
                assert len(table.frame) == len(table.row) == len(table.line)
                assert table.frame.columns.is_unique
    except Refused as refusal:
        assert refusal.finding.message("zh")


@CALM
@given(st.integers(0, len(META)), st.integers(0, 12), JUNK, BYTES, BYTES, st.binary(max_size=30))
def test_archives(
    at: int, cut: int, junk: str, core: bytes, extension: bytes, about: bytes
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = META[:at] + junk + META[at + cut :]
        (folder / "meta.xml").write_text(text, encoding="utf-8", errors="replace")
        (folder / "taxa.txt").write_bytes(b"id\tname\n" + core)
        (folder / "names.csv").write_bytes(extension)
        (folder / "eml.xml").write_bytes(b"<eml>" + about)
        read(DWCA, folder)


STUDY: dict[str, Any] = {
    "profile": "https://example.org/camtrap-dp/1.0.2/camtrap-dp-profile.json",
    "resources": [
        {"name": n, "path": f"{n}.csv", "profile": "tabular-data-resource", "schema": "s"}
        for n in ("deployments", "media", "observations")
    ],
    "created": "2026-03-01T08:00:00Z",
    "contributors": [{"title": "SUEA"}],
    "project": {"title": "P", "samplingDesign": "targeted", "captureMethod": ["timeLapse"]},
    "temporal": {"start": "2025-01-01", "end": "2025-02-01"},
    "taxonomic": [{"scientificName": "Panthera uncia"}],
    "licenses": [{"scope": "data"}],
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
TABLES = {
    "deployments": "deploymentID,latitude,longitude,deploymentStart,deploymentEnd\n"
    "d,38,73,2025-06-01T06:00:00Z,2025-07-01T06:00:00Z\n",
    "media": "mediaID,deploymentID,timestamp,filePath,filePublic,fileMediatype\n"
    "m,d,2025-06-01T06:00:00Z,a.jpg,true,image/jpeg\n",
    "observations": "observationID,deploymentID,mediaID,eventStart,eventEnd,observationLevel,"
    "observationType\no,d,m,2025-06-01T06:00:00Z,2025-06-01T06:00:00Z,media,animal\n",
}


@CALM
@given(
    st.sampled_from([*STUDY, "resources.0", "resources.0.path", "project.samplingDesign"]),
    ANYTHING,
    st.sampled_from(list(TABLES)),
    st.integers(0, 160),
    st.integers(0, 8),
    BYTES,
)
def test_packages(where: str, value: Any, table: str, at: int, cut: int, junk: bytes) -> None:
    content = json.loads(json.dumps(STUDY))
    *path, last = (int(p) if p.isdigit() else p for p in where.split("."))
    inner = content
    for part in path:
        inner = inner[part]
    inner[last] = value
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "datapackage.json").write_text(json.dumps(content), encoding="utf-8")
        for own, text in TABLES.items():
            data = text.encode()
            if own == table:
                data = data[:at] + junk + data[at + cut :]
            (folder / f"{own}.csv").write_bytes(data)
        read(CAMTRAPDP, folder)
