"""The files of a package: tables for Ecotone and for everyone else, described for people.

Parquet is what Ecotone reads back; the CSV beside it (UTF-8 with a byte-order mark, nothing in it
that a spreadsheet would compute) opens in Excel, R and QGIS; ``datapackage.json`` describes both
after the Frictionless Data Package. The same rows give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
import pyarrow.compute as pc  # type: ignore[import-untyped]  # it ships no types
import pyarrow.csv as pa_csv  # type: ignore[import-untyped]  # it ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it ships no types

from ecotone.formats.cells import harmless
from ecotone.model.dictionary import attributes
from ecotone.model.words import LANGUAGES, say
from ecotone.share.packages.manifest import Card, File
from ecotone.share.packages.rows import MARKS
from ecotone.share.sentences import term

if TYPE_CHECKING:
    from ecotone.share.packages.rows import Rows

#: Ids of rows that are no longer shared, by noun.
REMOVED: Final = "data/removed.csv"
_BOM: Final = b"\xef\xbb\xbf"
#: Signs after which a spreadsheet may compute a text (see ``formats.cells``).
_RISKY: Final = "^[\\s\ufeff\u200b]*[=+\\-@\t\r\n＝＋－＠]"
_ROW_GROUP: Final = 100_000
_TYPES: Final = {
    "number": "number",
    "integer": "integer",
    "boolean": "boolean",
    "time": "datetime",
    "date": "date",
}


@dataclass
class Folder:
    """A package's files as they are written, each noted with size and sha256."""

    path: Path
    files: list[File] = field(default_factory=list)

    def add(self, name: str, *, noun: str | None = None, rows: int | None = None) -> None:
        """Note a file that has been written."""
        sha256, size = _hashed(self.path / name)
        self.files.append(File(path=name, size=size, sha256=sha256, noun=noun, rows=rows))

    def text(self, name: str, content: str) -> None:
        """Write a small text file."""
        self.place(name).write_bytes(content.encode())
        self.add(name)

    def place(self, name: str) -> Path:
        """Where a file is to be written."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        return target


def write_rows(folder: Folder, rows: Rows) -> None:
    """The rows of a noun, as Parquet and as CSV."""
    stem = f"data/{stem_of(rows.noun)}"
    pq.write_table(
        rows.table,
        folder.place(f"{stem}.parquet"),
        compression="zstd",
        row_group_size=_ROW_GROUP,
        write_statistics=False,
    )
    folder.add(f"{stem}.parquet", noun=rows.noun, rows=len(rows))
    _write_csv(folder.place(f"{stem}.csv"), rows.table)
    folder.add(f"{stem}.csv", rows=len(rows))


def write_groups(folder: Folder, noun: str, groups: pd.DataFrame) -> None:
    """Released counts as people read them."""
    name = f"data/{stem_of(noun)}-aggregated.csv"
    table = pa.Table.from_pandas(groups.reset_index(drop=True), preserve_index=False)
    _write_csv(folder.place(name), table.replace_schema_metadata(None))
    folder.add(name, rows=len(groups))


def write_removed(folder: Folder, removed: dict[str, list[str]]) -> None:
    """The tombstones: which records are no longer shared."""
    nouns = [noun for noun in sorted(removed) for _ in removed[noun]]
    ids = [identifier for noun in sorted(removed) for identifier in removed[noun]]
    table = pa.table({"noun": pa.array(nouns, pa.large_string()),
                      "id": pa.array(ids, pa.large_string())})  # fmt: skip
    pa_csv.write_csv(table, folder.place(REMOVED))
    folder.add(REMOVED, rows=len(ids))


def write_description(
    folder: Folder, title: str, cards: tuple[Card, ...], told: dict[str, Any]
) -> None:
    """``datapackage.json``; last of the data, for it names all of it."""
    document = {
        "profile": "data-package",
        "name": "ecotone-package",
        "title": title,
        **told,
        "ecotone:datasets": [card.model_dump(mode="json") for card in cards],
        "licenses": [_licence(name) for name in sorted({card.licence for card in cards})],
        "resources": list(_resources(folder)),
    }
    folder.text("datapackage.json", json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def write_readme(folder: Folder, **values: object) -> None:
    """``README.txt`` in three languages, with a byte-order mark for old editors."""
    purpose = str(values["purpose"])
    parts = [
        str(say("packages.readme", lang, **{**values, "purpose": term("purpose", purpose, lang)}))
        for lang in LANGUAGES
    ]
    folder.text("README.txt", "\ufeff" + ("\n\n" + "=" * 72 + "\n\n").join(parts) + "\n")


def _licence(name: str) -> dict[str, str]:
    """A licence as the standard writes it: a short name only where it is one."""
    plain = re.fullmatch(r"[-a-zA-Z0-9._]+", name) is not None
    return {"name": name if plain else "other", "title": name}


def stem_of(noun: str) -> str:
    """``DeviceEvent`` -> ``device-event``."""
    return "".join("-" + c.lower() if c.isupper() else c for c in noun).lstrip("-")


def _resources(folder: Folder) -> Iterator[dict[str, Any]]:
    kinds = {".csv": ("csv", "text/csv"), ".parquet": ("parquet", "application/vnd.apache.parquet")}
    nouns = {stem_of(f.noun): f.noun for f in folder.files if f.noun is not None}
    for file in folder.files:
        ending = Path(file.path).suffix
        if ending not in kinds or not file.path.startswith("data/"):
            continue
        stem = Path(file.path).stem
        form, media = kinds[ending]
        found: dict[str, Any] = {
            "name": f"{stem}-{form}",
            "path": file.path,
            "format": form,
            "mediatype": media,
        }
        if form == "csv":
            # Of a Parquet file frictionless counts no bytes, and would call any count wrong; the
            # manifest has those of all files, signed.
            found |= {"bytes": file.size, "hash": f"sha256:{file.sha256}"}
            found |= {"profile": "tabular-data-resource", "encoding": "utf-8"}
            if stem in nouns:
                found["schema"] = _schema(nouns[stem], folder.path / file.path)
        yield found


def _schema(noun: str, path: Path) -> dict[str, Any]:
    with path.open(encoding="utf-8-sig") as stream:
        names = stream.readline().strip().replace('"', "").split(",")
    known = attributes(noun)
    fields = []
    for name in names:
        attribute = known.get(name)
        kind = _TYPES.get(attribute.type, "string") if attribute else "string"
        told: dict[str, Any] = {"name": name, "type": "integer" if name == "version" else kind}
        if attribute is not None:
            told["description"] = attribute.description["en"]
            if attribute.unit:
                told["unit"] = attribute.unit
        fields.append(told)
    return {"fields": fields, "primaryKey": ["id"], "missingValues": [""]}


def _write_csv(path: Path, table: pa.Table) -> None:
    columns = {name: _plain(table.column(name)) for name in table.column_names}
    with path.open("wb") as stream:
        stream.write(_BOM)
        pa_csv.write_csv(pa.table(columns), stream)


def _plain(column: Any) -> Any:
    """A column as a spreadsheet may have it: instants in ISO 8601, no text that computes."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        whole = column.cast(pa.timestamp("s", tz=kind.tz), safe=False)
        return pc.strftime(whole, format="%Y-%m-%dT%H:%M:%SZ")
    if not (pa.types.is_large_string(kind) or pa.types.is_string(kind)):
        return column
    if not pc.any(pc.match_substring_regex(column, _RISKY)).as_py():
        return column
    coded = column.combine_chunks().dictionary_encode()
    texts = harmless(pd.Series(coded.dictionary.to_pylist(), dtype="str"))
    return pa.array(texts.tolist(), type=kind).take(coded.indices)


def _hashed(path: Path) -> tuple[str, int]:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest(), path.stat().st_size


__all__ = [
    "MARKS", "REMOVED", "Folder", "stem_of", "write_description", "write_groups",
    "write_readme", "write_removed", "write_rows",
]  # fmt: skip
