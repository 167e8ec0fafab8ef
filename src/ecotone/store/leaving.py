"""Everything a node holds as plain files: tables, places, rasters, documents, and how to read them.

Whoever leaves Ecotone takes this folder and needs nothing of ours: CSV (UTF-8), GeoPackage,
GeoTIFF and JSON. The folder is built beside its place and renamed when whole.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import sqlalchemy as sa

from ecotone.model.dictionary import RECORD_NOUNS, dictionary
from ecotone.model.errors import UsageError
from ecotone.model.words import LANGUAGES, say
from ecotone.store.columns import frame_of, from_rows
from ecotone.store.files import sha256_of
from ecotone.store.leaving_sensors import write_sensors
from ecotone.store.rows import readable
from ecotone.store.schema import RECORDS, table_name, types_of
from ecotone.store.system import built_beside

if TYPE_CHECKING:
    from ecotone.store.store import Store

_CHUNK: Final = 50_000
_HASHES: Final = frozenset({"natural_key", "content_hash"})


def export_everything(
    store: Store, folder: Path, *, progress: Callable[[str], None] = lambda what: None
) -> dict[str, int]:
    """Write everything to ``folder``; ``{noun: rows that hold}``.

    Raises UsageError where the folder is there and not empty, or lies in the node.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(say("backup.folder-taken", folder=folder))
    if folder.resolve().is_relative_to(store.folder):
        raise UsageError(say("backup.inside", path=folder, folder=store.folder))
    folder = folder.resolve()
    with built_beside(folder) as building:
        for name in ("tables", "history", "dictionaries", "documents", "places", "rasters"):
            (building / name).mkdir(parents=True)
        counts = {}
        for noun in RECORD_NOUNS:
            progress(noun)
            living, ever = _tables(store, noun, building)
            if ever:
                counts[noun] = living
                _dictionary(noun, building)
        sensors = write_sensors(store.database, building / "sensors")
        counts |= {f"sensors/{name}": number for name, number in sensors.items()}
        progress("documents")
        _documents(store, building)
        _rasters(store, building)
        _copies(store, building)
        _readme(store, counts, building)
        _index(building)
        if folder.exists():
            folder.rmdir()
        building.rename(folder)
    return counts


def _tables(store: Store, noun: str, building: Path) -> tuple[int, int]:
    """``tables/`` with the rows that hold, ``history/`` with every version ever."""
    living = ever = 0
    name = f"{table_name(noun)}.csv"
    places: list[pd.DataFrame] = []
    for frame in _versions(store, noun):
        first = ever == 0
        ever += len(frame)
        _append(frame, building / "history" / name, first)
        hold = frame[frame["until"].isna()].drop(columns=["until"])
        _append(hold, building / "tables" / name, first)
        living += len(hold)
        places.append(_placed(hold))
    placed = pd.concat(places, ignore_index=True) if places else pd.DataFrame()
    if len(placed):
        _geopackage(placed, noun, building / "places" / "places.gpkg")
    return living, ever


def _versions(store: Store, noun: str) -> Iterator[pd.DataFrame]:
    """Every version of every record, block by block, in the order written."""
    table = RECORDS[noun]
    names = [n for n in types_of(noun) if n not in _HASHES]
    statement = sa.select(*(readable(table.c[n], store.database) for n in names))
    with store.database.reading() as connection:
        rows = connection.execution_options(yield_per=_CHUNK).execute(statement.order_by(table.c.n))
        for part in rows.partitions(_CHUNK):
            yield frame_of(noun, from_rows(noun, names, list(part)), names)


def _append(frame: pd.DataFrame, path: Path, first: bool) -> None:
    frame.to_csv(
        path, mode="w" if first else "a", header=first, index=False, lineterminator="\n",
        date_format="%Y-%m-%dT%H:%M:%S.%fZ",
    )  # fmt: skip


def _placed(hold: pd.DataFrame) -> pd.DataFrame:
    """Identifier, dataset, name and place of the rows that have one."""
    if "latitude" not in hold or "longitude" not in hold:
        return pd.DataFrame()
    own = [c for c in ("id", "dataset_id", "site_id", "name", "site", "taxon", "kind",
                       "geometry_wkt", "latitude", "longitude", "coordinate_uncertainty_m")
           if c in hold]  # fmt: skip
    there = hold["latitude"].notna() & hold["longitude"].notna()
    if "geometry_wkt" in hold:
        there |= hold["geometry_wkt"].notna()
    return hold.loc[there, own]


def _geopackage(placed: pd.DataFrame, noun: str, path: Path) -> None:
    import geopandas

    points = geopandas.GeoSeries.from_xy(placed["longitude"], placed["latitude"], crs=4326)
    frame = geopandas.GeoDataFrame(placed, geometry=points)
    if "geometry_wkt" in placed:
        outlined = placed["geometry_wkt"].notna()
        outlines = geopandas.GeoSeries.from_wkt(
            placed.loc[outlined, "geometry_wkt"], crs=4326, on_invalid="ignore"
        )
        sound = outlines[outlines.notna()]
        frame.loc[sound.index, "geometry"] = sound
    frame = frame.astype(dict.fromkeys(placed.select_dtypes("str").columns, object))
    frame.to_file(path, layer=table_name(noun), driver="GPKG", engine="pyogrio")


def _dictionary(noun: str, building: Path) -> None:
    """What each column means, in three languages."""
    path = building / "dictionaries" / f"{table_name(noun)}.csv"
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(["column", "type", "unit", "standard", *LANGUAGES])
        for a in dictionary(noun):
            words = [a.description[lang] for lang in LANGUAGES]
            writer.writerow([a.name, a.type, a.unit, " ".join(a.standard), *words])


def _documents(store: Store, building: Path) -> None:
    """Parties, people, projects, datasets, agreements, deliveries, runs and the ledger."""
    home = building / "documents"
    for kind in ("party", "person", "project", "dataset", "agreement"):
        noted = [
            {"key": n.key, "version": n.version, "time": n.time.isoformat(), "content": n.content,
             "original": n.original}
            for n in store.noted(kind)
        ]  # fmt: skip
        _json(home / f"{kind}.json", noted)
    batches = store.batches()
    _json(home / "batches.json", [b.model_dump(mode="json") for b in batches])
    _json(home / "runs.json", store.runs())
    with (home / "findings.jsonl").open("w", encoding="utf-8", newline="\n") as out:
        for batch in batches:
            for found in store.findings(batch.batch_id):
                _line(out, {"batch_id": batch.batch_id, **found.as_json("en")})
    with (home / "quarantine.jsonl").open("w", encoding="utf-8", newline="\n") as out:
        for batch in batches:
            for file, row, line, raw, _ in store.quarantine(batch.batch_id):
                _line(out, {"batch_id": batch.batch_id, "file": file, "row": row, "line": line,
                            "raw": raw})  # fmt: skip
    with (home / "ledger.jsonl").open("w", encoding="utf-8", newline="\n") as out:
        for entry in store.ledger():
            _line(out, {"seq": entry.seq, "time": entry.time, "kind": entry.kind,
                        "person": entry.person, "body": entry.body, "prev": entry.prev,
                        "hash": entry.hash})  # fmt: skip


def _rasters(store: Store, building: Path) -> None:
    """The gridded products under names a person can read; the index tells which is which."""
    told = []
    for frame in store.select("Coverage", datasets=[d.dataset_id for d in store.datasets()]):
        for row in frame.dropna(subset=["sha256"]).to_dict("records"):
            name = f"{row['id']}.tif"
            shutil.copyfile(store.file_path(str(row["sha256"])), building / "rasters" / name)
            told.append({"file": name, "id": row["id"], "name": str(row.get("name"))})
    _json(building / "rasters" / "index.json", told)


def _copies(store: Store, building: Path) -> None:
    """The deliveries by hash, as they came, and the runs with all their results."""
    for name in ("files", "runs"):
        source = store.folder / name
        if source.is_dir():
            unfinished = shutil.ignore_patterns(".building*")
            shutil.copytree(source, building / name, ignore=unfinished, symlinks=True)


def _readme(store: Store, counts: dict[str, int], building: Path) -> None:
    named = {table_name(noun) if noun in RECORDS else noun: n for noun, n in counts.items()}
    listed = "\n".join(f"- {name}: {number}" for name, number in named.items())
    parts = [
        f"{say('leaving.readme', lang, party=store.party_id)}\n\n{listed}\n" for lang in LANGUAGES
    ]
    text = "# Ecotone\n\n" + "\n---\n\n".join(parts)
    (building / "README.md").write_text(text, encoding="utf-8", newline="\n")
    _json(building / "counts.json", named)


def _index(building: Path) -> None:
    """Every file with size and sha256, so that a copy can be checked."""
    path = building / "SHA256.csv"
    inner = sorted(p for p in building.rglob("*") if p.is_file())
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(["path", "size", "sha256"])
        for one in inner:
            sha256, size = sha256_of(one)
            writer.writerow([one.relative_to(building).as_posix(), size, sha256])


def _json(path: Path, document: Any) -> None:
    text = json.dumps(document, ensure_ascii=False, indent=1, default=str)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def _line(out: Any, document: dict[str, Any]) -> None:
    out.write(json.dumps(document, ensure_ascii=False, sort_keys=True) + "\n")
