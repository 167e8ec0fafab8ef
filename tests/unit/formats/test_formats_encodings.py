"""Letters of tables: declared, shown, guessed aloud, or set aside row by row."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecotone.formats.base import ReadOptions, Refused
from ecotone.formats.csv import FORMAT
from ecotone.formats.csv_text import TextStream, guess
from ecotone.formats.safe import open_source
from ecotone.model.finding import Finding, Severity

CHINESE = (
    "站名,日期,水位(m),备注\n台特玛湖,2023-07-01,807.35,正常\n和田河,2023-07-02,1274.10,㐀㐁测试\n"
)
RUSSIAN = "Пункт;Дата;Уровень, см\nр. Зеравшан - Дупули;01.07.2023;152,5\nр. Пяндж;02.07.2023;н/б\n"
CAPITALS = "ПУНКТ;ЗНАЧЕНИЕ\nДУШАНБЕ;1\nХОРОГ;2\nЗЕРАВШАН;3\n"
FRENCH = "name,value\nNaïve café,1\nHôtel,2\nGarçon,3\n"


def read(path: Path, data: bytes, **options: str) -> tuple[str, list[Finding], list[str]]:
    """All letters of a table as they were read, its findings, its rejected rows."""
    path.write_bytes(data)
    findings: list[Finding] = []
    rejected: list[str] = []
    with open_source(path) as source:
        tables = list(
            FORMAT.read(
                source,
                ReadOptions(**options),  # type: ignore[arg-type]
                findings.append,
                lambda file, row, line, raw: rejected.append(raw),
            )
        )
    cells = [*tables[0].frame.columns]
    for table in tables:
        cells += [c for c in table.frame.to_numpy().ravel() if isinstance(c, str)]
    return "|".join(cells), findings, rejected


def expected(text: str) -> str:
    delimiter = ";" if ";" in text else ","
    return text.strip().replace(delimiter, "|").replace("\n", "|")


@pytest.mark.parametrize(
    ("text", "encoding", "title"),
    [
        (CHINESE, "gb18030", "GB18030"),
        ("站,пост,v\n喀什,Кашгар,1\n塔什干,Ташкент,2\n", "gb18030", "GB18030"),
        (RUSSIAN, "cp1251", "windows-1251"),
        (RUSSIAN, "cp866", "DOS 866"),
        (RUSSIAN, "koi8-r", "KOI8-R"),
        (CAPITALS, "cp1251", "windows-1251"),
        (FRENCH, "cp1252", "windows-1252"),
        ("site,v\nKhorog,1\nNukus,2\n", "utf-16-le", "UTF-16-LE"),
        ("site,v\nKhorog,1\nNukus,2\n", "utf-16-be", "UTF-16-BE"),
    ],
)
def test_what_is_not_declared_is_guessed_aloud(
    tmp_path: Path, text: str, encoding: str, title: str
) -> None:
    got, findings, rejected = read(tmp_path / "t.csv", text.encode(encoding))
    assert got == expected(text)
    told = next(f for f in findings if f.code == "encoding-guessed")
    assert dict(told.params) == {"encoding": title}
    assert told.severity is Severity.WARNING
    assert rejected == []


@pytest.mark.parametrize("text", [CHINESE, RUSSIAN, FRENCH])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_needs_no_guess(tmp_path: Path, text: str, encoding: str) -> None:
    got, findings, _ = read(tmp_path / "t.csv", text.encode(encoding))
    assert got == expected(text)
    assert "encoding-guessed" not in {f.code for f in findings}


@pytest.mark.parametrize(
    ("text", "encoding", "declared"),
    [
        (CHINESE, "gb18030", "GB18030"),
        (CHINESE.replace("㐀㐁", ""), "gbk", "gb2312"),
        (RUSSIAN, "cp1251", "windows-1251"),
        (RUSSIAN, "iso8859-5", "ISO-8859-5"),
        (CHINESE, "utf-16-le", "utf-16-le"),
        (CHINESE, "utf-16-le", "utf-16"),
    ],
)
def test_what_is_declared_is_believed(
    tmp_path: Path, text: str, encoding: str, declared: str
) -> None:
    got, findings, _ = read(tmp_path / "t.csv", text.encode(encoding), encoding=declared)
    assert got == expected(text)
    assert {f.code for f in findings} <= {"unmapped", "delimiter-guessed"}


def test_a_mark_beats_a_declaration_and_says_so(tmp_path: Path) -> None:
    got, findings, _ = read(tmp_path / "t.csv", RUSSIAN.encode("utf-8-sig"), encoding="cp1251")
    assert got == expected(RUSSIAN)
    assert "encoding-contradicted" in {f.code for f in findings}


@pytest.mark.parametrize("name", ["klingon", "hex", "unicode_escape", "utf-7", "base64"])
def test_encodings_that_are_none_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Refused, match="no encoding"):
        read(tmp_path / "t.csv", b"a,b\n1,2\n", encoding=name)


def test_a_wrong_declaration_costs_rows_never_letters(tmp_path: Path) -> None:
    got, findings, rejected = read(
        tmp_path / "t.csv", ("site,v\nХорог,1\nplain,2\n").encode("cp1251"), encoding="utf-8"
    )
    assert got == "site|v|plain|2"
    assert [(f.code, f.row) for f in findings if f.severity is Severity.ERROR] == [
        ("bytes-undecodable", 1)
    ]
    assert len(rejected) == 1


def test_a_few_damaged_letters_do_not_change_the_encoding(tmp_path: Path) -> None:
    rows = [f"Хорог,{i}" for i in range(50)]
    data = ("site,v\n" + "\n".join(rows) + "\n").encode()
    data += b"\xd0\xd0\xff,50\n" + "Нукус,51\n".encode()
    got, findings, _ = read(tmp_path / "t.csv", data)
    assert got.endswith("Нукус|51")
    assert [(f.code, f.row) for f in findings if f.severity is Severity.ERROR] == [
        ("bytes-undecodable", 51)
    ]


def test_the_encoding_is_found_however_late_the_first_letter_comes(tmp_path: Path) -> None:
    text = "site,v\n" + "plain,1\n" * 200_000 + "река Пяндж,2\nстанция Хорог,3\n"
    got, findings, _ = read(tmp_path / "t.csv", text.encode("cp1251"))
    assert got.endswith("река Пяндж|2|станция Хорог|3")
    assert "encoding-guessed" in {f.code for f in findings}


def test_letters_cut_by_the_edge_of_a_piece_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    text = "水位Пяндж😀" * 50
    for encoding in ("utf-8", "gb18030", "utf-16-le", "cp1251"):
        letters = text if encoding != "cp1251" else "Пяндж" * 50
        path.write_bytes(letters.encode(encoding))
        for size in (1, 2, 3, 5, 7, 64):
            with path.open("rb") as raw:
                stream = TextStream(raw, encoding, "t.txt", lambda finding: None)
                pieces = b""
                while piece := stream.read(size):
                    pieces += piece
            assert pieces.decode() == letters


def test_damage_spread_over_a_whole_file_is_marked_quickly(tmp_path: Path) -> None:
    data = b"a,b\n" + ("я,".encode() + b"\xff\n") * 200_000
    got, _, rejected = read(tmp_path / "t.csv", data, encoding="utf-8")
    assert got == "a|b"
    assert len(rejected) == 200_000


def test_noise_is_not_guessed() -> None:
    assert guess(bytes(range(128, 256)) * 20) is None
