"""Inputs between two runs: those of the first, with one kind of difference taken from the second.

Rows of a table are matched by their identifier, else by all columns that hold no measured value.
A row that only one run has is *added* (or withdrawn); one that both have and that differs is
*corrected*; rows of datasets that were shared otherwise are *sharing*. Files that are no tables of
data are swapped whole: added where only one run has them by name, corrected where they differ.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pandas as pd

from ecotone.assess.compute import sha256_of

Factors = frozenset[str]
Paths = tuple[Path, ...]

#: Columns that tell no record apart and that the door writes beside the values.
_NOTES: Final = frozenset(
    {"version", "agreement", "class", "data_generalizations", "information_withheld"}
)
_VALUES: Final = frozenset(
    {"value", "limit_kind", "uncertainty", "count", "individual_count", "value_text", "unit_text",
     "missing_reason", "remarks", "flags", "result", "concentration"}
)  # fmt: skip


@dataclass
class Blender:
    """Makes and remembers blended inputs in a scratch folder."""

    folder: Path
    shared_otherwise: frozenset[str] = frozenset()
    _tables: dict[tuple[Path, Path], Tables] = field(default_factory=dict)
    _made: dict[tuple[Paths, Paths, Factors], Paths] = field(default_factory=dict)

    def factors(self, a: Paths, b: Paths) -> Factors:
        """In which ways the data of two inputs differ."""
        if _hashes(a) == _hashes(b):
            return frozenset()
        tables = self._of(a, b)
        if tables is not None:
            return tables.factors
        names_a, names_b = _by_name(a), _by_name(b)
        found = set()
        if names_a.keys() != names_b.keys():
            found.add("added")
        both = names_a.keys() & names_b.keys()
        if any(sha256_of(names_a[n]) != sha256_of(names_b[n]) for n in both):
            found.add("corrected")
        return frozenset(found)

    def blend(self, a: Paths, b: Paths, taken: Factors) -> Paths:
        """The inputs ``a`` with the differences of these factors taken from ``b``."""
        differ = self.factors(a, b)
        wanted = differ & taken
        if not wanted:
            return a
        if wanted == differ:
            return b
        key = (a, b, wanted)
        if key not in self._made:
            tables = self._of(a, b)
            self._made[key] = (
                self._files(a, b, wanted) if tables is None else (self._write(tables, wanted),)
            )
        return self._made[key]

    def _of(self, a: Paths, b: Paths) -> Tables | None:
        """The two tables, where both inputs are one readable table each."""
        if len(a) != 1 or len(b) != 1:
            return None
        key = (a[0], b[0])
        if key not in self._tables:
            read_a, read_b = _read(a[0]), _read(b[0])
            if read_a is None or read_b is None:
                return None
            self._tables[key] = Tables.of(read_a, read_b, self.shared_otherwise)
        return self._tables[key]

    def _write(self, tables: Tables, wanted: Factors) -> Path:
        name = hashlib.sha256(f"{id(tables)}{sorted(wanted)}".encode()).hexdigest()[:16]
        path = self.folder / f"blend-{name}.csv"
        tables.blend(wanted).to_csv(path, index=False, lineterminator="\n")
        return path

    def _files(self, a: Paths, b: Paths, wanted: Factors) -> Paths:
        names_a, names_b = _by_name(a), _by_name(b)
        chosen = {}
        for name in sorted(names_a.keys() | names_b.keys()):
            if name in names_a and name in names_b:
                chosen[name] = names_b[name] if "corrected" in wanted else names_a[name]
            elif (name in names_b) == ("added" in wanted):
                chosen[name] = names_b[name] if name in names_b else names_a[name]
        if not any(path.is_dir() for path in (*a, *b)):
            return tuple(chosen.values())
        folder = self.folder / f"blend-{len(self._made)}"
        for name, path in chosen.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        return (folder,)


@dataclass(frozen=True)
class Tables:
    """Two tables of one kind, row by row under one key."""

    a: pd.DataFrame
    b: pd.DataFrame
    changed: pd.Index  #: keys that both have and that differ
    sharing: tuple[pd.Index, pd.Index]  #: keys of rows that were shared otherwise

    @classmethod
    def of(cls, a: pd.DataFrame, b: pd.DataFrame, otherwise: frozenset[str]) -> Tables:
        """Match the rows of two tables."""
        columns = list(dict.fromkeys([*a.columns, *b.columns]))
        a, b = (t.reindex(columns=columns, fill_value="") for t in (a, b))
        by = _key_columns(a, b, columns)
        a, b = (t.set_index(_keys(t, by)) for t in (a, b))
        both = a.index.intersection(b.index)
        content = [c for c in columns if c not in _NOTES]
        unlike = (a.loc[both, content] != b.loc[both, content]).any(axis=1)
        return cls(a, b, both[unlike.to_numpy()], (_of(a, otherwise), _of(b, otherwise)))

    @property
    def factors(self) -> Factors:
        """In which ways they differ."""
        found = set()
        shared_a, shared_b = self.sharing
        only = self.a.index.symmetric_difference(self.b.index)
        shared = shared_a.union(shared_b)
        if len(only.difference(shared)):
            found.add("added")
        if len(self.changed.difference(shared)):
            found.add("corrected")
        if len(only.intersection(shared)) or len(self.changed.intersection(shared)):
            found.add("sharing")
        return frozenset(found)

    def blend(self, taken: Factors) -> pd.DataFrame:
        """The first table with some differences of the second."""
        shared_a, shared_b = self.sharing
        out = self.a.copy()
        if "corrected" in taken:
            keys = self.changed.difference(shared_a.union(shared_b))
            out.loc[keys] = self.b.loc[keys]
        if "added" in taken:
            gone = self.a.index.difference(self.b.index).difference(shared_a)
            fresh = self.b.index[~self.b.index.isin(self.a.index) & ~self.b.index.isin(shared_b)]
            out = pd.concat([out[~out.index.isin(gone)], self.b.loc[fresh]])
        if "sharing" in taken:
            out = pd.concat([out[~out.index.isin(shared_a)], self.b.loc[shared_b]])
        return out.reset_index(drop=True)


def _of(table: pd.DataFrame, datasets: frozenset[str]) -> pd.Index:
    if not datasets or "dataset_id" not in table:
        return table.index[:0]
    return table.index[table["dataset_id"].isin(datasets)]


def _key_columns(a: pd.DataFrame, b: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """The identifier where every row has one, else all that is no value."""
    if "id" in columns and all((t["id"] != "").all() and t["id"].is_unique for t in (a, b)):
        return ["id"]
    return [c for c in columns if c not in _VALUES | _NOTES | {"id"}] or list(columns)


def _keys(table: pd.DataFrame, by: list[str]) -> pd.Index:
    """One text a row; rows that agree in all of it are told apart by their order."""
    text = table[by].agg("\x1f".join, axis=1) if len(by) > 1 else table[by[0]]
    text = text.astype("str")
    again = text.groupby(text).cumcount().astype("str")
    return pd.Index(text + "\x1e" + again)


def _read(path: Path) -> pd.DataFrame | None:
    """A plain CSV as text; None for anything else, which is then swapped whole."""
    if path.suffix.lower() != ".csv" or not path.is_file():
        return None
    try:
        table = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8-sig")
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError):
        return None
    return table if table.shape[1] > 1 else None


def _hashes(paths: Paths) -> list[str]:
    return sorted(sha256_of(path) for path in paths)


def _by_name(paths: Paths) -> dict[str, Path]:
    """Files by name; those of a folder by their place in it, a lone file by its role."""
    found: dict[str, Path] = {}
    for path in paths:
        if path.is_dir():
            inner = sorted(p for p in path.rglob("*") if p.is_file())
            found.update({p.relative_to(path).as_posix(): p for p in inner})
        else:
            found[path.name if len(paths) > 1 else ""] = path
    return found
