"""Darwin Core archives by hand: descriptors as they are written, keys, defaults, faults."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from ecotone.formats.base import ReadOptions, Refused
from ecotone.formats.dwc_terms import (
    dwc_terms,
    dwc_type_of,
    record_type,
    row_type_address,
    short_name,
    term_address,
)
from ecotone.formats.dwca import FORMAT
from ecotone.formats.dwca_write import write_dwca
from ecotone.formats.eml import FORMAT as EML
from ecotone.formats.safe import open_source
from ecotone.model.errors import UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.table import Table

DWC = "http://rs.tdwg.org/dwc/terms/"


class Heard:
    """What a reader said."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.rejected: list[tuple[str, int, int, str]] = []

    def reject(self, file: str, row: int, line: int, raw: str) -> None:
        self.rejected.append((file, row, line, raw))

    def codes(self) -> list[str]:
        return [f.code for f in self.findings]


def read(path: Path, options: ReadOptions | None = None) -> tuple[dict[str, list[Table]], Heard]:
    heard = Heard()
    tables: dict[str, list[Table]] = {}
    with open_source(path) as source:
        assert FORMAT.recognise(source)
        for table in FORMAT.read(
            source, options or ReadOptions(), heard.findings.append, heard.reject
        ):
            assert table.vocabulary == "dwc"
            assert len(table.frame) == len(table.row) == len(table.line)
            tables.setdefault(table.type, []).append(table)
    return tables, heard


def whole(tables: dict[str, list[Table]], record: str) -> pd.DataFrame:
    return pd.concat([t.frame for t in tables[record]], ignore_index=True)


def archive(folder: Path, meta: str, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    text = f'<archive xmlns="http://rs.tdwg.org/dwc/text/">{meta}</archive>'
    (folder / "meta.xml").write_text(text, encoding="utf-8")
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_text(content, encoding="utf-8", newline="")
    return folder


def core(
    fields: str, *, record: str = "Occurrence", file: str = "occ.txt", **attributes: str
) -> str:
    given = {
        "fieldsTerminatedBy": "\\t",
        "linesTerminatedBy": "\\n",
        "fieldsEnclosedBy": "",
        "ignoreHeaderLines": "1",
    } | attributes
    written = " ".join(f'{k}="{v}"' for k, v in given.items())
    return (
        f'<core {written} rowType="{DWC}{record}"><files><location>{file}</location></files>'
        f'<id index="0"/>{fields}</core>'
    )


def term(name: str, index: int | None = None, default: str | None = None) -> str:
    at = "" if index is None else f' index="{index}"'
    otherwise = "" if default is None else f' default="{default}"'
    return f'<field{at} term="{DWC}{name}"{otherwise}/>'


EXTENSION = (
    '<extension fieldsTerminatedBy="," ignoreHeaderLines="0" '
    f'rowType="{DWC}MeasurementOrFact"><files><location>mof.csv</location></files>'
    f'<coreid index="0"/>{term("measurementType", 1)}{term("measurementValue", 2)}</extension>'
)


def test_core_and_extension_join_and_loose_rows_are_rejected(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "a",
        core(term("occurrenceID", 0) + term("scientificName", 1)) + EXTENSION,
        occ_txt="id\tname\na\tUncia uncia\nb\tCapra sibirica\n",
        mof_csv='a,length,"1,5"\nzz,length,2\nb,mass,\n',
    )
    tables, heard = read(path)
    occurrences, facts = whole(tables, "Occurrence"), whole(tables, "MeasurementOrFact")
    assert occurrences["occurrenceID"].tolist() == ["a", "b"]
    assert tables["Occurrence"][0].key == "occurrenceID"
    assert facts["coreid"].tolist() == ["a", "b"]
    assert facts["measurementValue"].isna().tolist() == [False, True]
    assert facts["measurementValue"][0] == "1,5"
    assert tables["MeasurementOrFact"][0].row.tolist() == [1, 3]
    assert heard.codes() == ["dwca-core-not-found"]
    assert heard.rejected == [
        ("mof.csv", 2, 2, '{"coreid":"zz","measurementType":"length","measurementValue":"2"}')
    ]


def test_repeated_and_empty_core_ids(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "a",
        core(term("scientificName", 1)) + EXTENSION,
        occ_txt="id\tname\na\tA\n\tB\na\tC\n",
        mof_csv="a,x,1\n",
    )
    tables, heard = read(path)
    assert whole(tables, "Occurrence").to_dict("list") == {"id": ["a"], "scientificName": ["A"]}
    assert sorted((f.code, f.row) for f in heard.findings) == [
        ("dwca-id-empty", 2),
        ("dwca-id-twice", 3),
    ]
    assert [r[1] for r in heard.rejected] == [2, 3]


def test_an_empty_id_matters_only_to_extensions(tmp_path: Path) -> None:
    path = archive(tmp_path / "a", core(term("scientificName", 1)), occ_txt="id\tname\n\tA\n\tB\n")
    tables, heard = read(path)
    assert len(whole(tables, "Occurrence")) == 2
    assert heard.findings == []


def test_defaults_fill_constants_and_gaps(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "a",
        core(term("sex", 1, "unknown") + term("country", default="Tajikistan") + term("rights")),
        occ_txt="id\tsex\n1\tmale\n2\t\n",
    )
    frame = whole(read(path)[0], "Occurrence")
    assert frame["sex"].tolist() == ["male", "unknown"]
    assert frame["country"].tolist() == ["Tajikistan"] * 2
    assert "rights" not in frame


def test_columns_the_descriptor_skips_are_skipped(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "a",
        core(term("scientificName", 2), fieldsTerminatedBy="|", ignoreHeaderLines="0"),
        occ_txt="1|x|A|y\n2|x|B|y\n",
    )
    frame = whole(read(path)[0], "Occurrence")
    assert frame.to_dict("list") == {"id": ["1", "2"], "scientificName": ["A", "B"]}


def test_columns_the_descriptor_imagines_stay_empty(tmp_path: Path) -> None:
    fields = term("scientificName", 1) + term("sex", 5) + term("country", 6, "TJ")
    path = archive(tmp_path / "a", core(fields), occ_txt="id\tname\n1\tA\n2\n3\tC\n")
    tables, heard = read(path)
    frame = whole(tables, "Occurrence")
    assert frame["scientificName"].tolist() == ["A", "C"]
    assert frame["sex"].isna().all()
    assert frame["country"].tolist() == ["TJ", "TJ"]
    assert [(f.code, f.row) for f in heard.findings] == [
        ("dwca-columns-absent", None),
        ("field-count", 2),
    ]
    beyond = core(fields).replace('<id index="0"/>', '<id index="9"/>')
    with pytest.raises(Refused) as refusal:
        read(archive(tmp_path / "b", beyond, occ_txt="id\tname\n1\tA\n"))
    assert refusal.value.finding.code == "dwca-key-beyond"


def test_text_guide_defaults(tmp_path: Path) -> None:
    """No attribute at all: comma, double quotes, no header lines, UTF-8."""
    meta = (
        f'<core rowType="{DWC}Taxon"><files><location>t.csv</location></files>'
        f'<id index="0"/>{term("scientificName", 1)}</core>'
    )
    path = archive(tmp_path / "a", meta, t_csv='1,"Салик, 1758"\n2,雪豹\n')
    assert whole(read(path)[0], "Taxon")["scientificName"].tolist() == ["Салик, 1758", "雪豹"]


def test_declared_encoding(tmp_path: Path) -> None:
    path = archive(tmp_path / "a", core(term("locality", 1), encoding="windows-1251"))
    (path / "occ.txt").write_bytes("id\tместо\n1\tХорог\n".encode("cp1251"))
    assert whole(read(path)[0], "Occurrence")["locality"].tolist() == ["Хорог"]


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_packed_in_a_folder_of_its_own(tmp_path: Path, kind: str) -> None:
    folder = archive(tmp_path / "a", core(term("sex", 1)), occ_txt="id\tsex\n1\tmale\n")
    (folder / "eml.xml").write_text(
        "<eml packageId='p.1'><dataset><title>Cats</title></dataset></eml>", encoding="utf-8"
    )
    packed = tmp_path / f"x.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(packed, "w") as out:
            for file in sorted(folder.iterdir()):
                out.write(file, f"deep/{file.name}")
    else:
        with tarfile.open(packed, "w:gz") as out:
            out.add(folder, "deep")
    tables, heard = read(packed)
    assert heard.findings == []
    table = tables["Occurrence"][0]
    assert table.metadata == {"package": "p.1", "title": "Cats", "core": "Occurrence"}
    assert table.file == "deep/occ.txt"


@pytest.mark.parametrize(
    ("meta", "code"),
    [
        (core("", file="gone.txt"), "dwca-file-missing"),
        (core("", file="../../../etc/passwd"), "dwca-location-outside"),
        (core("", file="/etc/passwd"), "dwca-location-outside"),
        (core("", file="C:\\\\x.txt"), "dwca-location-outside"),
        (core("", file="http://example.org/occ.txt"), "dwca-location-remote"),
        (core("", file=" "), "dwca-location-missing"),
        (core(term("sex", 1), encoding="klingon"), "encoding-unknown"),
        (core('<field index="one" term="x"/>'), "dwca-index"),
        (core('<field index="1"/>'), "dwca-term-missing"),
        (core(term("sex", 1), ignoreHeaderLines="-1"), "dwca-index"),
        ("", "dwca-core-count"),
        (core("") * 2, "dwca-core-count"),
        (core("").replace('<id index="0"/>', "") + EXTENSION, "dwca-key-missing"),
        (core("") + EXTENSION.replace('<coreid index="0"/>', ""), "dwca-key-missing"),
        (core("") + EXTENSION, "dwca-file-missing"),
    ],
)
def test_descriptors_refused(tmp_path: Path, meta: str, code: str) -> None:
    path = archive(tmp_path / "a", meta, occ_txt="id\tsex\n1\tmale\n")
    with pytest.raises(Refused) as refusal:
        read(path)
    assert refusal.value.finding.code == code
    for lang in ("en", "zh", "ru"):
        assert "{" not in refusal.value.finding.message(lang)


def test_what_is_only_doubtful_is_told(tmp_path: Path) -> None:
    meta = core(
        term("sex", 1)
        + term("sex", 2)
        + term("sex", 3)
        + '<field index="1" term="http://purl.org/dc/terms/type"/>'
        + '<field index="2" term="http://purl.org/dc/elements/1.1/type"/>'
    )
    path = archive(tmp_path / "a", meta, occ_txt="id\ts\tt\tu\n1\ta\tb\tc\n", more_csv="a,b\n")
    text = (path / "meta.xml").read_text(encoding="utf-8")
    (path / "meta.xml").write_text(
        text.replace("<archive", '<archive metadata="gone.xml"'), encoding="utf-8"
    )
    tables, heard = read(path)
    assert sorted(heard.codes()) == [
        "dwca-file-not-described",
        "dwca-metadata-missing",
        "dwca-term-twice",
    ]
    assert whole(tables, "Occurrence").to_dict("records") == [
        {
            "id": "1",
            "sex": "a",
            f"{DWC}sex": "b",
            "type": "a",
            "http://purl.org/dc/elements/1.1/type": "b",
        }
    ]


@pytest.mark.parametrize(
    ("eml", "code"),
    [("<eml><dataset>", "xml-broken"), ("<x/>", "eml-not-eml"), ("<eml/>", "eml-no-dataset")],
)
def test_a_broken_description_does_not_cost_the_records(
    tmp_path: Path, eml: str, code: str
) -> None:
    path = archive(tmp_path / "a", core(term("sex", 1)), occ_txt="id\tsex\n1\tmale\n")
    (path / "eml.xml").write_text(eml, encoding="utf-8")
    tables, heard = read(path)
    assert len(whole(tables, "Occurrence")) == 1
    assert [(f.code, f.severity) for f in heard.findings] == [(code, Severity.WARNING)]


def test_an_attacking_description_does(tmp_path: Path) -> None:
    path = archive(tmp_path / "a", core(term("sex", 1)), occ_txt="id\tsex\n1\tmale\n")
    (path / "eml.xml").write_text(
        '<!DOCTYPE eml [<!ENTITY x SYSTEM "file:///etc/passwd">]><eml>&x;</eml>', encoding="utf-8"
    )
    with pytest.raises(Refused):
        read(path)


def test_without_descriptor_one_table_of_terms(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "data.csv").write_text(
        "OccurrenceId;scientificName;note\nu1;Uncia uncia;x\n", encoding="utf-8"
    )
    tables, _ = read(folder)
    assert whole(tables, "Occurrence").to_dict("records") == [
        {"occurrenceID": "u1", "scientificName": "Uncia uncia", "note": "x"}
    ]
    (folder / "other.csv").write_text("a,b\n", encoding="utf-8")
    with open_source(folder) as source:
        assert not FORMAT.recognise(source)
        with pytest.raises(Refused) as refusal:
            list(FORMAT.read(source, ReadOptions(), lambda f: None, lambda *a: None))
    assert refusal.value.finding.code == "dwca-no-descriptor"


def test_a_plain_file_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("occurrenceID,scientificName\n", encoding="utf-8")
    with open_source(tmp_path / "a.csv") as source:
        assert not FORMAT.recognise(source)


# --- words ---


@pytest.mark.parametrize(
    ("headers", "record"),
    [
        (["OccurrenceID", "ScientificName", "Locality"], "Occurrence"),
        (["taxonID", "scientificname", "family"], "Taxon"),
        (["eventID", "samplingProtocol", "eventDate", "locality"], "Event"),
        (["scientificName", "decimalLatitude", "decimalLongitude"], "Occurrence"),
        (["occurrenceID", "measurementType", "measurementValue"], "MeasurementOrFact"),
        (["resourceID", "relatedResourceID", "relationshipOfResource"], "ResourceRelationship"),
        (["id", "lat", "lon", "expect"], None),
        (["station", "time", "value", "note"], None),
        (["country", "locality"], None),
        (["sex"], None),
        ([], None),
        (["scientificName", "eventDate"] + [f"q{i}" for i in range(9)], None),
    ],
)
def test_what_a_bare_table_records(headers: list[str], record: str | None) -> None:
    assert dwc_type_of(headers) == record


def test_terms_and_addresses() -> None:
    assert short_name(DWC + "sex") == "sex"
    assert short_name("dwc:sex") == "sex"
    assert short_name("http://example.org/voc#nameComplete") == "nameComplete"
    assert term_address("sex") == DWC + "sex"
    assert term_address("license") == "http://purl.org/dc/terms/license"
    assert short_name(term_address("Проба № 1/2")) == "Проба № 1/2"
    assert term_address("http://example.org/x") == "http://example.org/x"
    assert row_type_address("VernacularName") == "http://rs.gbif.org/terms/1.0/VernacularName"
    humboldt = row_type_address("Humboldt")
    assert humboldt == "http://rs.tdwg.org/eco/terms/Event"
    assert record_type(humboldt, []) == "Humboldt"
    assert (
        record_type(
            "http://rs.tdwg.org/dwc/xsd/simpledarwincore/SimpleDarwinRecord",
            ["taxonID", "scientificName"],
        )
        == "Taxon"
    )
    assert record_type("", []) == "Occurrence"
    assert dwc_terms(["eventId", "EventID", "x"]) == {"eventId": "eventID"}


# --- metadata alone ---


def test_a_metadata_document_alone(tmp_path: Path) -> None:
    path = tmp_path / "eml.xml"
    path.write_text(
        "<eml:eml xmlns:eml='https://eml.ecoinformatics.org/eml-2.2.0' packageId='k.2'><dataset>"
        "<title>Snow  leopards</title><creator><individualName><givenName>A.</givenName>"
        "<surName>Rahimova</surName></individualName><organizationName>SUEA</organizationName>"
        "</creator><intellectualRights><para>CC BY 4.0</para></intellectualRights>"
        "</dataset></eml:eml>",
        encoding="utf-8",
    )
    with open_source(path) as source:
        assert EML.recognise(source)
        (table,) = EML.read(source, ReadOptions(), lambda f: None, lambda *a: None)
    assert table.type == "EML"
    assert table.frame.to_dict("records") == [
        {
            "package": "k.2",
            "title": "Snow leopards",
            "creator": "A. Rahimova, SUEA",
            "licence": "CC BY 4.0",
        }
    ]


# --- writing ---


def cats() -> dict[str, pd.DataFrame]:
    return {
        "Occurrence": pd.DataFrame(
            {
                "occurrenceID": ["u1", "u2"],
                "scientificName": ["Uncia uncia", "Uncia uncia"],
                "dataGeneralizations": ["placed in a cell of 0.1 degree", None],
                "informationWithheld": [None, "locality"],
                "Номер бирки": ['12 "a",\r\n', "\t"],
            },
            dtype="str",
        ),
        "Multimedia": pd.DataFrame(
            {"coreid": ["u1"], "identifier": ["http://example.org/1?a=1&b=<2>"]}, dtype="str"
        ),
    }


STATEMENTS = {
    "title": "Cats & others",
    "creator": "SUEA",
    "licence": "CC BY 4.0",
    "abstract": "Seen from <afar>",
    "agreement": "snow-2026 v3",
}


@pytest.mark.parametrize("name", ["cats.zip", "cats"])
def test_written_archives_read_back(tmp_path: Path, name: str) -> None:
    tables, heard = read(write_dwca(tmp_path / name, cats(), STATEMENTS))
    assert heard.findings == []
    for record, frame in cats().items():
        pd.testing.assert_frame_equal(whole(tables, record), frame, check_dtype=False)
    assert tables["Occurrence"][0].metadata == {**STATEMENTS, "core": "Occurrence"}


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    first = write_dwca(tmp_path / "1.zip", cats(), STATEMENTS).read_bytes()
    turned = dict(reversed(STATEMENTS.items()))
    assert (
        write_dwca(tmp_path / "2.zip", dict(reversed(cats().items())), turned).read_bytes() == first
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == ["1.zip", "2.zip"]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"Occurrence": pd.DataFrame({"sex": ["male"]})}, "occurrenceID"),
        ({"Occurrence": pd.DataFrame({"occurrenceID": ["a", "a"]})}, "1 rows"),
        ({"Occurrence": pd.DataFrame({"occurrenceID": ["u1", None]})}, "1 rows"),
        ({"Multimedia": pd.DataFrame({"title": ["a"]})}, "coreid"),
        ({"Multimedia": pd.DataFrame({"coreid": ["other"]})}, "1 rows"),
    ],
)
def test_what_cannot_be_an_archive_is_not_written(
    tmp_path: Path, change: dict[str, pd.DataFrame], word: str
) -> None:
    with pytest.raises(UsageError, match=word):
        write_dwca(tmp_path / "x.zip", cats() | change, {})
    with pytest.raises(UsageError):
        write_dwca(tmp_path / "x.zip", {}, {})
    assert list(tmp_path.iterdir()) == []


def test_the_descriptor_named_alone_stands_for_its_folder(tmp_path: Path) -> None:
    folder = archive(tmp_path / "a", core(term("sex", 1)), occ_txt="id\tsex\n1\tmale\n")
    tables, heard = read(folder / "meta.xml")
    assert heard.findings == []
    assert whole(tables, "Occurrence")["sex"].tolist() == ["male"]
