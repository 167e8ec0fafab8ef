"""Delimited text: dialects, damage, and the place of every bad row."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from ecotone.formats import csv_scan
from ecotone.formats.base import Limits, ReadOptions, Refused
from ecotone.formats.csv import FORMAT, write_csv
from ecotone.formats.csv_sniff import sniff
from ecotone.formats.delimited import read_blocks
from ecotone.formats.safe import open_source
from ecotone.model.finding import Finding, Severity
from ecotone.model.table import Table


@dataclasses.dataclass
class Outcome:
    tables: list[Table]
    findings: list[Finding]
    rejected: list[tuple[int, int, str]]

    @property
    def frame(self) -> pd.DataFrame:
        return pd.concat([t.frame for t in self.tables], ignore_index=True)

    @property
    def rows(self) -> list[int]:
        return [int(r) for t in self.tables for r in t.row]

    @property
    def lines(self) -> list[int]:
        return [int(n) for t in self.tables for n in t.line]

    @property
    def errors(self) -> list[tuple[str, int | None, int | None]]:
        return [(f.code, f.row, f.line) for f in self.findings if f.severity is Severity.ERROR]

    def codes(self, *severities: Severity) -> set[str]:
        return {f.code for f in self.findings if not severities or f.severity in severities}


Read = Callable[..., Outcome]


@pytest.fixture(params=["careful", "plain"])
def read(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Read bytes as a bare table, by both ways of the scanner."""
    if request.param == "plain":
        monkeypatch.setattr(csv_scan, "_SMALL", -1)
    else:
        monkeypatch.setattr(csv_scan, "_SMALL", 1 << 40)

    def go(data: bytes, name: str = "t.csv", limits: Limits | None = None, **options: object):
        path = tmp_path / name
        path.write_bytes(data)
        findings: list[Finding] = []
        rejected: list[tuple[int, int, str]] = []
        with open_source(path, limits) as source:
            tables = list(
                FORMAT.read(
                    source,
                    ReadOptions(**options),  # type: ignore[arg-type]
                    findings.append,
                    lambda file, row, line, raw: rejected.append((row, line, raw)),
                )
            )
        for finding in findings:
            for lang in ("en", "zh", "ru"):
                assert finding.message(lang)
        assert [r[:2] for r in rejected] == [
            (f.row, f.line) for f in findings if f.severity is Severity.ERROR
        ]
        return Outcome(tables, findings, rejected)

    return go


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("delimiter", [b",", b";", b"\t", b"|"])
def test_every_line_end_and_delimiter(read: Read, end: bytes, last: bool, delimiter: bytes) -> None:
    lines = [b"a,b,c", b'1,"x, ""y""",3', b'4,"two', b'lines",6', b"", b"7,,9"]
    data = end.join(lines).replace(b",", delimiter) + (end if last else b"")
    got = read(data)
    inside = end.decode()
    d = delimiter.decode()
    assert got.frame.fillna("-").values.tolist() == [
        ["1", f'x{d} "y"', "3"], ["4", f"two{inside}lines", "6"], ["7", "-", "9"],
    ]  # fmt: skip
    assert got.rows == [1, 2, 3]
    assert got.lines == [2, 3, 6]
    assert got.errors == []
    assert ("last-line-unended" in got.codes()) == (not last)


def test_each_bad_row_is_named_with_its_line_and_no_neighbour_is_lost(read: Read) -> None:
    data = (
        b"a,b\n1,x\n"
        b"2,x,y\n"  # too many
        b"3\n"  # too few
        b'4,"open\n'  # never closed: only this line
        b"5,\x00\n"
        b'6,"x"y\n'
        b"7,fine\n"
        b'8,"two\nlines\0"\n'
        b"9,fine\n"
    )
    got = read(data)
    assert got.frame["a"].tolist() == ["1", "7", "9"]
    assert got.rows == [1, 7, 9]
    assert got.lines == [2, 8, 11]
    assert got.errors == [
        ("field-count", 2, 3), ("field-count", 3, 4), ("quote-unclosed", 4, 5),
        ("nul-byte", 5, 6), ("quote-stray", 6, 7), ("nul-byte", 8, 9),
    ]  # fmt: skip
    assert [raw for _, _, raw in got.rejected] == [
        "2,x,y", "3", '4,"open', "5,\0", '6,"x"y', '8,"two\nlines\0"',
    ]  # fmt: skip
    counted = next(f for f in got.findings if f.code == "field-count")
    assert dict(counted.params)["expected"] == "2"
    assert dict(counted.params)["found"] == "3"


def test_a_quote_closed_by_another_rows_quote_costs_one_line(read: Read) -> None:
    data = b'a,b\n1,"open\n2,x\n3,"fine"\n4,"fi""ne"\n'
    got = read(data)
    assert got.frame["a"].tolist() == ["2", "3", "4"]
    assert got.errors == [("quote-unclosed", 1, 2)]


def test_quotes_inside_plain_fields_are_letters(read: Read) -> None:
    got = read(b'a,b\n1,5" pipe\n2,say "hi"\n')
    assert got.frame["b"].tolist() == ['5" pipe', 'say "hi"']
    assert got.errors == []


def test_lines_without_values_are_no_records_and_are_counted(read: Read) -> None:
    got = read(b"a,b\n\n1,2\n,\n,\n3,4\n")
    assert got.frame["a"].tolist() == ["1", "3"]
    assert got.rows == [1, 4]
    told = next(f for f in got.findings if f.code == "rows-empty")
    assert dict(told.params) == {"count": "2"}


def test_a_quoted_empty_row_is_a_record(read: Read) -> None:
    got = read(b'a,b\n"",""\n')
    assert got.frame.isna().all(axis=None)
    assert len(got.frame) == 1


def test_empty_surplus_fields_are_dropped_and_told(read: Read) -> None:
    got = read(b"a,b\n1,2,,\n3,4\n")
    assert got.frame.values.tolist() == [["1", "2"], ["3", "4"]]
    assert got.errors == []
    assert "surplus-empty" in got.codes(Severity.INFO)


def test_a_byte_order_mark_and_a_nul(read: Read) -> None:
    got = read(b"\xef\xbb\xbfid,name\r\n1,a\0b\r\n2,c\r\n")
    assert list(got.frame.columns) == ["id", "name"]
    assert got.frame.values.tolist() == [["2", "c"]]
    assert got.errors == [("nul-byte", 1, 2)]


# --- the last row ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "last",
    [b"u2,38.2,73.", b"u2,38.2", b'u2,38.2,"73', b"u2,38.2,1e", b"u2,38.2,-"],
)
def test_a_cut_last_row_is_rejected(read: Read, last: bytes) -> None:
    got = read(b"id,lat,lon\nu1,38.1234,73.5678\n" + last)
    assert got.errors == [("truncated-last-row", 2, 3)]
    assert got.rejected == [(2, 3, last.decode())]
    assert got.frame["id"].tolist() == ["u1"]


def test_a_missing_last_cell_is_a_cut_where_no_other_row_lacks_it(read: Read) -> None:
    rows = b"".join(b"u%d,38.2,73.5\n" % i for i in range(6))
    assert read(b"id,lat,lon\n" + rows + b"u7,38.2,").errors == [("truncated-last-row", 7, 8)]
    assert read(b"id,lat,lon\nu1,38.2,\n" + rows + b"u7,38.2,").errors == []


def test_a_cut_letter_is_a_cut_row(read: Read) -> None:
    data = "id,name\n1,Хорог\n2,Хор".encode()[:-1]
    assert read(data).errors == [("truncated-last-row", 2, 3)]


def test_a_number_with_fewer_digits_than_all_others_is_cut(read: Read) -> None:
    rows = b"".join(b"%d,38.%04d\n" % (i, 1000 + i) for i in range(8))
    assert read(b"id,lat\n" + rows + b"9,38.12").errors == [("truncated-last-row", 9, 10)]
    assert read(b"id,lat\n" + rows + b"9,38.1234").errors == []


# --- what is found out -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "is_header"),
    [
        (b"id,name,value", True),
        (b"site,2019,2020,2021", True),
        (b"site,1,2,3", True),
        (b"1,Hordeum,3.5", False),
        (b"id,,value", True),
        (b"x,y,0.5", False),
    ],
)
def test_whether_the_first_line_names_the_columns(
    read: Read, first: bytes, is_header: bool
) -> None:
    body = (
        b"2,Triticum,4.5\n3,Secale,5.5\n" if first[:4] != b"site" else b"K,1.5,2.5,1\nH,3.5,4.5,2\n"
    )
    got = read(first + b"\n" + body)
    assert len(got.frame) == (2 if is_header else 3)
    assert ("header-absent" in got.codes()) == (not is_header)
    if not is_header:
        assert list(got.frame.columns) == ["column_1", "column_2", "column_3"]


def test_declared_header_and_delimiter_are_believed(read: Read) -> None:
    assert len(read(b"1,2\n3,4\n", header=True).frame) == 1
    assert len(read(b"a,b\nc,d\n", header=False).frame) == 2
    assert read(b"a;b,c\n1;2,3\n", delimiter=";").frame.columns.tolist() == ["a", "b,c"]


def test_names_that_lack_or_repeat_are_mended_and_told(read: Read) -> None:
    got = read(b"a,,a,b,\n1,2,3,4,5\n")
    assert got.frame.columns.tolist() == ["a", "column_2", "a (2)", "b", "column_5"]
    assert got.codes(Severity.WARNING) == {"header-empty", "header-duplicate", "unmapped"}


def test_a_mended_name_never_takes_a_given_one(read: Read) -> None:
    got = read(b"a,a (2),a,column_4,,column_5\n1,2,3,4,5,6\n")
    assert got.frame.columns.is_unique
    assert got.frame.iloc[0].tolist() == ["1", "2", "3", "4", "5", "6"]


def test_darwin_core_headers_say_what_a_row_is(read: Read) -> None:
    got = read(b"OccurrenceID,scientificname,decimalLatitude\nu1,Uncia uncia,38\n")
    table = got.tables[0]
    assert (table.type, table.vocabulary, table.key) == ("Occurrence", "dwc", "occurrenceID")
    assert list(table.frame.columns) == ["occurrenceID", "scientificName", "decimalLatitude"]
    assert got.codes() == {"type-guessed"}
    plain = read(b"OccurrenceID,scientificname,x\nu1,Uncia,38\n", type="Record").tables[0]
    assert (plain.type, plain.vocabulary) == ("Record", "")
    assert list(plain.frame.columns) == ["OccurrenceID", "scientificname", "x"]


def test_a_table_nobody_described_is_told_once(read: Read) -> None:
    got = read(b"a,b\n" + b"1,2\n" * 10, block_rows=3)
    assert [len(t.frame) for t in got.tables] == [3, 3, 3, 1]
    assert [f.code for f in got.findings] == ["unmapped"]
    assert got.rows == list(range(1, 11))
    assert {(t.type, t.vocabulary) for t in got.tables} == {("Record", "")}


def test_a_table_without_rows_is_still_a_table(read: Read) -> None:
    got = read(b"a,b\n")
    assert len(got.tables) == 1
    assert got.tables[0].frame.columns.tolist() == ["a", "b"]
    assert got.frame.empty


def test_missing_marks_become_missing_and_other_texts_do_not(read: Read) -> None:
    got = read(b"a,b\n-9999,\n-99,NA\n", missing=("", "-9999"))
    assert got.frame.isna().values.tolist() == [[True, True], [False, False]]
    assert str(got.frame["a"].dtype) == "str"


def test_a_table_of_one_column(read: Read) -> None:
    got = read(b"name\nKhorog\n\nNukus\n")
    assert got.frame["name"].tolist() == ["Khorog", "Nukus"]


@pytest.mark.parametrize(
    "title", [b"Water quality, 2023", b"Water quality,,,", b"Report\n\n(mg/L)"]
)
def test_lines_above_the_table_are_told_and_are_no_records(read: Read, title: bytes) -> None:
    got = read(title + b"\nsite,day,nitrate,lead\nA,2023-07-01,1.5,2\nB,2023-07-02,2.5,3\n")
    assert got.frame["site"].tolist() == ["A", "B"]
    assert got.rows == [1, 2]
    above = title.count(b"\n") + 1
    assert got.lines == [above + 2, above + 3]
    assert "sheet-title-rows" in got.codes(Severity.INFO)
    assert got.errors == []


def test_a_line_by_which_excel_names_the_delimiter(read: Read) -> None:
    got = read(b"sep=;\r\na;b,c\r\n1;2,5\r\n")
    assert got.frame.to_dict("list") == {"a": ["1"], "b,c": ["2,5"]}
    assert got.lines == [3]
    got = read(b"sep=;\n1;2,5\n2;3,5\n")
    assert got.frame.to_dict("list") == {"column_1": ["1", "2"], "column_2": ["2,5", "3,5"]}
    assert got.lines == [2, 3]


def test_nothing_but_delimiters_is_no_table(read: Read) -> None:
    assert read(b"," * 100_000 + b"\n" + b"," * 100_000).tables == []


# --- floods --------------------------------------------------------------------------------------


def test_a_huge_field_is_rejected_and_the_rest_is_read(read: Read) -> None:
    limits = Limits(field_chars=1_000, row_chars=100_000)
    data = b"a,b\n1,x\n2," + b"y" * 2_000 + b"\n3," + b"z" * 12_000_000 + b'\n4,"x\n5,fine\n'
    got = read(data, limits=limits)
    assert got.errors == [
        ("field-too-long", 2, 3), ("row-too-long", 3, 4), ("quote-unclosed", 4, 5),
    ]  # fmt: skip
    assert got.frame["a"].tolist() == ["1", "5"]
    assert got.lines == [2, 6]
    assert len(got.rejected[1][2]) == 1_000


def test_an_open_quote_before_a_long_file_costs_one_line(read: Read) -> None:
    limits = Limits(row_chars=50_000)
    data = b'a,b\n1,"open\n' + b"2,x\n" * 100_000
    got = read(data, limits=limits)
    assert got.errors == [("quote-unclosed", 1, 2)]
    assert len(got.frame) == 100_000
    assert got.lines[-1] == 100_002


def test_too_many_columns_are_refused(read: Read) -> None:
    limits = Limits(columns=1_000)
    with pytest.raises(Refused, match="more than 1000 columns"):
        read(b",".join([b"c"] * 1_001) + b"\n1\n", limits=limits)
    wide = read(b",".join(b"c%d" % i for i in range(900)) + b"\n" + b"1," * 899 + b"1\n")
    assert wide.frame.shape == (1, 900)


def test_blocks_do_not_depend_on_where_pieces_end(read: Read, monkeypatch) -> None:
    """The same rows, lines and errors whatever the size of the pieces read."""
    from ecotone.formats import delimited

    lines = [b"a,b"]
    for i in range(400):
        lines.append({0: b"x", 1: b'%d,"q\r\nq"' % i, 2: b'%d,"bad' % i}.get(i % 9, b"%d,y" % i))
    data = b"\r\n".join(lines) + b"\r\n"
    whole = read(data)
    for size in (64, 101, 1_000):
        monkeypatch.setattr(delimited, "_FIRST_PIECE", size)
        monkeypatch.setattr(delimited, "_LARGEST_PIECE", size)
        again = read(data)
        assert again.errors == whole.errors
        assert again.lines == whole.lines
        assert again.frame.equals(whole.frame)
        assert again.rejected == whole.rejected


# --- the reader other formats use ----------------------------------------------------------------


def blocks_of(path: Path, **kwargs: object) -> tuple[pd.DataFrame, list[Finding]]:
    findings: list[Finding] = []
    arguments = {"delimiter": ",", "encoding": "utf-8", **kwargs}
    with open_source(path) as source:
        frames = [
            block.frame
            for block in read_blocks(
                source, path.name, options=ReadOptions(), report=findings.append,
                reject=lambda *row: None, **arguments,  # type: ignore[arg-type]
            )
        ]  # fmt: skip
    return pd.concat(frames, ignore_index=True), findings


def test_several_header_lines_and_given_columns(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_bytes(b"title\r\nsecond\r\n1,2\r\n")
    frame, _ = blocks_of(path, header_lines=2, columns=["x", "y"])
    assert frame.to_dict("list") == {"x": ["1"], "y": ["2"]}
    path.write_bytes(b"about\nx,y\n1,2\n")
    frame, _ = blocks_of(path, header_lines=2)
    assert frame.to_dict("list") == {"x": ["1"], "y": ["2"]}


def test_other_quotes_and_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_bytes(b"1,'a,b'~2,'it''s'~")
    frame, _ = blocks_of(path, header_lines=0, quote="'", line_end="~", columns=["x", "y"])
    assert frame["y"].tolist() == ["a,b", "it's"]
    path.write_bytes(b'1,"a\n2,b"\n')
    frame, _ = blocks_of(path, header_lines=0, quote=None, columns=["x", "y"])
    assert frame["y"].tolist() == ['"a', 'b"']


def test_dialects_that_no_byte_can_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_bytes(b"a\n")
    for wrong in ({"delimiter": "||"}, {"delimiter": "、"}, {"line_end": "END"}):
        with pytest.raises(Refused):
            blocks_of(path, **wrong)


def test_a_damaged_header_refuses_the_table(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    for data in (b'a,"b\n1,2\n', b"a,\0\n1,2\n"):
        path.write_bytes(data)
        with pytest.raises(Refused, match="names of the columns"):
            blocks_of(path)


_MONTHS = [(f"15.{m:02d}.2005", f"2,{m}", f"1,{m}") for m in range(1, 13)] * 9


@pytest.mark.parametrize(
    ("header", "rows", "expected"),
    [
        ("Дата;Нитраты", [";".join(r[:2]) for r in _MONTHS], ";"),
        ("Дата;Нитраты, мг/л", [";".join(r[:2]) for r in _MONTHS], ";"),
        ("Дата\tНитраты, мг/л", ["\t".join(r[:2]) for r in _MONTHS], "\t"),
        ("NO3, mg/l;PO4, mg/l", [";".join(r[1:]) for r in _MONTHS], ";"),
        ("Отчёт, 2005\nДата;Нитраты", [";".join(r[:2]) for r in _MONTHS], ";"),
        ('"Дата","Нитраты, мг/л"', ['"{}","{}"'.format(*r) for r in _MONTHS], ","),
        ("id,range", [f"A{m},1.5;2.{m}" for m in range(1, 13)], ","),
        ("id,names", [f"A{m},Uncia;Panthera" for m in range(1, 13)], ","),
        ("x,y", [f"{m},{m}" for m in range(1, 13)], ","),
        ("id,note", [f"{m},a|b" for m in range(1, 13)], ","),
    ],
)
def test_decimal_commas_do_not_outvote_the_names_of_columns(
    tmp_path: Path, header: str, rows: list[str], expected: str
) -> None:
    path = tmp_path / "t.csv"
    for encoding in ("utf-8-sig", "utf-16"):
        path.write_text("\n".join([header, *rows]) + "\n", encoding=encoding)
        with open_source(path) as source:
            assert sniff(source, "t.csv").delimiter == expected


def test_the_delimiter_is_the_one_records_agree_on(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    for text, expected in (
        ("Пункт;Уровень, см;Расход, м3/с\nХорог;152,5;214,3\n", ";"),
        ("a|b|c\n1,5|2|3\n", "|"),
        ("a\tb\n1, 2\t3, 4\n", "\t"),
        ('"x;y",b\n"p;q",d\n', ","),
    ):
        path.write_text(text, encoding="utf-8")
        with open_source(path) as source:
            assert sniff(source, "t.txt").delimiter == expected


# --- writing -------------------------------------------------------------------------------------


def test_cells_that_would_compute_are_made_harmless(tmp_path: Path) -> None:
    texts = ["=1+1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "-5.2", "+7", "1e5",
             "-1,5", "plain", "", None]  # fmt: skip
    frame = pd.DataFrame({"=head": pd.Series(texts, dtype="str"), "n": -5.2})
    path = tmp_path / "out.csv"
    write_csv(path, frame, bom=True)
    data = path.read_bytes()
    assert data.startswith(b'\xef\xbb\xbf"\'=head","n"\r\n')
    rows = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8-sig")
    got = rows["'=head"].tolist()
    for text, cell in zip(texts, got, strict=True):
        plain = text in ("-5.2", "+7", "1e5", "-1,5", "plain", "", None)
        # pandas reads the lone carriage return inside quotes as it stands
        assert cell == (text or "") if plain else cell == "'" + str(text)
    assert set(rows["n"]) == {"-5.2"}


def test_formulas_are_kept_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    write_csv(path, pd.DataFrame({"a": ["=1+1"]}), formulas=True)
    assert path.read_bytes() == b'"a"\r\n"=1+1"\r\n'
