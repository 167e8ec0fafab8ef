"""JSON records and XML trees: what is taken, what is refused, and how soon."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ecotone.formats.base import Limits, ReadOptions, Refused
from ecotone.formats.json import FORMAT, parse_json
from ecotone.formats.safe import open_source
from ecotone.formats.xml import parse_xml
from ecotone.model.finding import Finding
from ecotone.model.table import Table


def read(
    path: Path, text: str | bytes, **options: object
) -> tuple[list[Table], list[Finding], list[tuple[int, int, str]]]:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    findings: list[Finding] = []
    rejected: list[tuple[int, int, str]] = []
    with open_source(path) as source:
        assert FORMAT.recognise(source)
        tables = list(
            FORMAT.read(
                source, ReadOptions(**options), findings.append,  # type: ignore[arg-type]
                lambda file, row, line, raw: rejected.append((row, line, raw)),
            )
        )  # fmt: skip
    for finding in findings:
        for lang in ("en", "zh", "ru"):
            assert finding.message(lang)
    return tables, findings, rejected


def refusal(path: Path, data: str | bytes) -> str:
    start = time.process_time()
    with pytest.raises(Refused) as caught:
        read(path, data)
    assert time.process_time() - start < 1
    return caught.value.finding.code


# --- JSON ------------------------------------------------------------------------------------


def test_an_array_of_objects(tmp_path: Path) -> None:
    text = """[
      {"site": "Хорог", "value": 1.10, "ok": true, "note": null},
      {"site": "站", "value": -3, "more": {"a": [1, 2.50, "x"], "b": "я"}}
    ]"""
    (table,), findings, _ = read(tmp_path / "a.json", text)
    assert table.frame.fillna("-").to_dict("records") == [
        {"site": "Хорог", "value": "1.10", "ok": "true", "note": "-", "more": "-"},
        {"site": "站", "value": "-3", "ok": "-", "note": "-",
         "more": '{"a": [1, 2.50, "x"], "b": "я"}'},
    ]  # fmt: skip
    assert table.line.tolist() == [2, 3]
    assert (table.type, [f.code for f in findings]) == ("Record", ["unmapped"])


def test_one_object_a_line(tmp_path: Path) -> None:
    text = '{"a": 1}\n\n{"a": NaN}\n{"a": 1, "a": 2}\n[1]\n{"a": 2\n{"a": 1e400}\n{"a": 3}'
    (table,), findings, rejected = read(tmp_path / "a.jsonl", text)
    assert table.frame["a"].tolist() == ["1", "3"]
    assert table.row.tolist() == [1, 7]
    assert table.line.tolist() == [1, 8]
    assert [(f.code, f.row, f.line) for f in findings[:-1]] == [
        ("json-not-finite", 2, 3), ("json-key-twice", 3, 4), ("json-not-object", 4, 5),
        ("json-broken", 5, 6), ("json-not-finite", 6, 7),
    ]  # fmt: skip
    assert rejected[0] == (2, 3, '{"a": NaN}')


def test_lines_are_known_without_their_name(tmp_path: Path) -> None:
    (table,), _, _ = read(tmp_path / "a.json", '{"a": 1}\n{"a": 2}\n')
    assert table.frame["a"].tolist() == ["1", "2"]


def test_features_become_rows_with_their_place(tmp_path: Path) -> None:
    text = """{"type": "FeatureCollection", "features": [
      {"type": "Feature", "id": 7, "properties": {"n": "a"},
       "geometry": {"type": "Point", "coordinates": [73.50, 38.1]}},
      {"type": "Feature", "properties": null,
       "geometry": {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}}]}"""
    (table,), _, _ = read(tmp_path / "a.geojson", text)
    first, second = table.frame.fillna("-").to_dict("records")
    assert first == {
        "n": "a", "id": "7", "longitude": "73.50", "latitude": "38.1", "geometry": "-",
    }  # fmt: skip
    assert second["geometry"] == '{"type": "LineString", "coordinates": [[1, 2], [3, 4]]}'


def test_a_list_inside_an_object_and_an_object_alone(tmp_path: Path) -> None:
    (table,), _, _ = read(tmp_path / "a.json", '{"count": 2, "value": [{"a": 1}, {"a": 2}]}')
    assert table.frame["a"].tolist() == ["1", "2"]
    (table,), _, _ = read(tmp_path / "a.json", '{"a": 1, "b": [1, 2]}')
    assert table.frame.to_dict("records") == [{"a": "1", "b": "[1, 2]"}]


def test_elements_that_are_no_objects_are_rejected(tmp_path: Path) -> None:
    (table,), findings, rejected = read(tmp_path / "a.json", '[{"a": 1},\n 5, {"a": 2}]')
    assert table.row.tolist() == [1, 3]
    assert rejected == [(2, 2, "5")]
    assert findings[0].code == "json-not-object"


def test_blocks_and_marks(tmp_path: Path) -> None:
    text = "[" + ",".join('{"a": "-9999", "b": 1}' for _ in range(5)) + "]"
    tables, _, _ = read(tmp_path / "a.json", text, block_rows=2, missing=("-9999",))
    assert [len(t.frame) for t in tables] == [2, 2, 1]
    assert all(t.frame["a"].isna().all() for t in tables)
    (empty,), _, _ = read(tmp_path / "a.json", "[]")
    assert empty.frame.empty


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ('{"u": 1e400}', "json-not-finite"),
        ("[-Infinity]", "json-not-finite"),
        ('[{"a": 1, "a": 2}]', "json-key-twice"),
        ('[{"a": 1}', "json-broken"),
        ('[{"a": 1} {"a": 2}]', "json-broken"),
        ('[{"a": 1}] x', "json-broken"),
        ('[] {"a": 2}', "json-broken"),
        ('{"a": 1} x', "json-broken"),
        ('{"a": ' + "9" * 5_000 + "e999999}", "json-not-finite"),
        ("[" * 2_000_000, "json-too-deep"),
        ('{"a":' * 200_000, "json-too-deep"),
        ('[{"a": ' + "[" * 150 + "]" * 150 + "}]", "json-too-deep"),
        ('{"a": ' + "[" * 150 + "]" * 150 + "}", "json-too-deep"),
        (b'{"a": "\xcd\xfb"}', "json-encoding"),
    ],
)
def test_what_json_does_not_have_is_refused(tmp_path: Path, data: str | bytes, code: str) -> None:
    assert refusal(tmp_path / "a.json", data) == code


def test_other_unicode_encodings(tmp_path: Path) -> None:
    for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-32"):
        (table,), _, _ = read(tmp_path / "a.json", '[{"a": "я"}]'.encode(encoding))
        assert table.frame["a"].tolist() == ["я"]


def test_parsed_values_are_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"a": 1, "b": [1.5, null, "x"]}')
    with open_source(path) as source:
        assert parse_json(source, "a.json") == {"a": 1, "b": [1.5, None, "x"]}
    with open_source(path, Limits(json_bytes=10)) as source, pytest.raises(Refused):
        parse_json(source, "a.json")
    path.write_text("[" * 101 + "]" * 101)
    with open_source(path) as source, pytest.raises(Refused, match="levels"):
        parse_json(source, "a.json")


# --- XML -------------------------------------------------------------------------------------


def tree(path: Path, data: str | bytes, limits: Limits | None = None) -> str:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    with open_source(path, limits) as source:
        root = parse_xml(source, path.name)
    return "".join(root.itertext())


def xml_refusal(path: Path, data: str | bytes, limits: Limits | None = None) -> str:
    start = time.process_time()
    with pytest.raises(Refused) as caught:
        tree(path, data, limits)
    assert time.process_time() - start < 1.5
    return caught.value.finding.code


def test_encodings_of_xml(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    for declared, encoding in (
        ("UTF-8", "utf-8"), ("UTF-8", "utf-8-sig"), ("UTF-16", "utf-16"), ("UTF-16", "utf-16-le"),
        ("windows-1251", "cp1251"), ("GB18030", "gb18030"), ("UTF-8", "utf-16"),
    ):  # fmt: skip
        letters = "Пяндж" if encoding == "cp1251" else "Пяндж水位"
        text = f'<?xml version="1.0" encoding="{declared}"?>\n<a>{letters}</a>'
        assert tree(path, text.encode(encoding)) == letters
    assert tree(path, "<a>я</a>") == "я"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ('<!DOCTYPE a SYSTEM "file:///etc/hostname"><a/>', "xml-dtd"),
        ('<!DOCTYPE a PUBLIC "x" "http://203.0.113.7/x.dtd"><a/>', "xml-dtd"),
        ("<!DOCTYPE a><a/>", "xml-dtd"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "xml-dtd"),
        ("<!DOCTYPE".encode("utf-16") + ' a [<!ENTITY b "c">]><a/>'.encode("utf-16-le"), "xml-dtd"),
        ("<a>&undefined;</a>", "xml-broken"),
        ("<a><b></a>", "xml-broken"),
        ("", "xml-broken"),
        ("<a/><b/>", "xml-broken"),
        ("<a>" * 101 + "</a>" * 101, "xml-too-deep"),
        ("<a>" * 1_000_000, "xml-too-many"),
        ("<a>" + "<b/>" * 2_000_000 + "</a>", "xml-too-many"),
        ("<a " + " ".join(f'a{i}="1"' for i in range(200_001)) + "/>", "xml-too-many"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "xml-encoding"),
        (b"<a>\xcd\xfb</a>", "xml-encoding"),
    ],
)
def test_xml_that_is_refused(tmp_path: Path, data: str | bytes, code: str) -> None:
    assert xml_refusal(tmp_path / "a.xml", data) == code


def test_xml_too_large_is_refused(tmp_path: Path) -> None:
    assert xml_refusal(tmp_path / "a.xml", "<a>xx</a>", Limits(xml_bytes=8)) == "xml-too-big"


def test_a_document_type_in_a_comment_is_text(tmp_path: Path) -> None:
    assert tree(tmp_path / "a.xml", "<a><!-- <!DOCTYPE x> -->y<![CDATA[<!ENTITY]]></a>") == (
        "y<!ENTITY"
    )
