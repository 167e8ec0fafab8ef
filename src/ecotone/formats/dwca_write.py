"""Writes Darwin Core archives that our reader, and GBIF's, read back as they were.

One comma-separated file per record type, ``meta.xml``, ``eml.xml``. What was generalised or
withheld travels in the records' own columns (``dataGeneralizations``, ``informationWithheld``,
``coordinateUncertaintyInMeters``): columns are written as they come, this module changes none.
The same tables and statements give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from ecotone.formats.dwc_terms import KEYS, row_type_address, term_address
from ecotone.formats.dwca import CORE_ID, EXTENSION_ID
from ecotone.formats.eml import eml_text
from ecotone.formats.keybook import KeyBook
from ecotone.formats.packing import package
from ecotone.model.errors import UsageError
from ecotone.model.words import say

_QUOTE = "&quot;"


def write_dwca(
    path: Path,
    tables: Mapping[str, pd.DataFrame],
    metadata: Mapping[str, str],
    *,
    core: str = "Occurrence",
) -> Path:
    """Write an archive: a zip when ``path`` ends in ``.zip``, else a folder.

    Args:
        path: Where to write.
        tables: ``{record type: rows}``; columns are terms by their short name or address. The
            core has its identifier (``occurrenceID``, ``eventID``, ``taxonID`` or ``id``),
            unique and never missing; every other table has ``coreid``, which names a core row.
        metadata: Statements for ``eml.xml``: title, creator, contact, abstract, licence,
            published, language, package and any others by name.
        core: The record type that is the core.

    Raises:
        UsageError: the core is not among the tables, or keys are missing, repeated or loose.
    """
    if core not in tables:
        raise UsageError(say("dwca-write.no-core", core=core))
    key = _core_key(core, tables[core])
    extensions = {name: tables[name] for name in sorted(tables) if name != core}
    _check_keys(core, key, tables[core], extensions)
    with package(path) as out:
        out.text("eml.xml", eml_text(metadata))
        out.text("meta.xml", _meta(core, key, tables[core], extensions))
        for name in (core, *extensions):
            out.table(_file_name(name), tables[name])
    return path


def _core_key(core: str, frame: pd.DataFrame) -> str:
    key = next((k for k in (KEYS.get(core), CORE_ID) if k in frame.columns), None)
    if key is None:
        raise UsageError(say("dwca-write.no-key", core=core, key=KEYS.get(core, CORE_ID)))
    return key


def _check_keys(
    core: str, key: str, frame: pd.DataFrame, extensions: Mapping[str, pd.DataFrame]
) -> None:
    book = KeyBook()
    ids = _filled(frame[key])
    wrong = int((ids.isna().to_numpy(dtype=bool) | book.add(ids)).sum())
    if wrong:
        raise UsageError(say("dwca-write.key-not-unique", core=core, key=key, count=str(wrong)))
    for name, rows in extensions.items():
        if EXTENSION_ID not in rows.columns:
            raise UsageError(say("dwca-write.no-key", core=name, key=EXTENSION_ID))
        loose = int((~book.has(_filled(rows[EXTENSION_ID]))).sum())
        if loose:
            raise UsageError(say("dwca-write.loose", table=name, core=core, count=str(loose)))


def _filled(values: pd.Series) -> pd.Series:
    """A key column as text, empty as missing: what a reader will see."""
    return values.astype("str").where(values.notna() & (values.astype("str") != ""))


def _meta(core: str, key: str, frame: pd.DataFrame, extensions: Mapping[str, pd.DataFrame]) -> str:
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<archive xmlns="http://rs.tdwg.org/dwc/text/" metadata="eml.xml">',
        *_file_set("core", "id", core, key, frame),
    ]
    for name, rows in extensions.items():
        lines += _file_set("extension", "coreid", name, EXTENSION_ID, rows)
    return "\n".join([*lines, "</archive>", ""])


def _file_set(
    element: str, key_element: str, record: str, key: str, frame: pd.DataFrame
) -> list[str]:
    names = [str(name) for name in frame.columns]
    plain = key in (CORE_ID, EXTENSION_ID)
    fields = [
        f'    <field index="{index}" term="{_attribute(term_address(name))}"/>'
        for index, name in enumerate(names)
        if not (plain and name == key)
    ]
    return [
        f'  <{element} encoding="UTF-8" fieldsTerminatedBy="," linesTerminatedBy="\\n"'
        f' fieldsEnclosedBy="{_QUOTE}" ignoreHeaderLines="1"'
        f' rowType="{_attribute(row_type_address(record))}">',
        "    <files>",
        f"      <location>{_file_name(record)}</location>",
        "    </files>",
        f'    <{key_element} index="{names.index(key)}"/>',
        *fields,
        f"  </{element}>",
    ]


def _file_name(record: str) -> str:
    """A plain file name for a record type."""
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in record.lower())
    return f"{plain}.csv"


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', _QUOTE)
