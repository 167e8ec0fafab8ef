"""A delivery into a node: staged, checked, committed in one transaction, or nothing at all."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.ingest.delivery import Delivery, Orders, process
from ecotone.ingest.sinks import DrySink
from ecotone.model.dictionary import RECORD_NOUNS
from ecotone.model.errors import UsageError
from ecotone.model.finding import Finding
from ecotone.model.records import Batch, Dataset
from ecotone.model.words import say

if TYPE_CHECKING:
    from ecotone.store import Store
    from ecotone.store.batches import BatchWriter

#: Files that describe a package; the package is the folder they lie in.
_DESCRIPTORS: Final = ("datapackage.json", "meta.xml")


@dataclass(frozen=True)
class Ingested:
    """What a delivery did: its verdict, its batch, and whether it had come before."""

    delivery: Delivery
    batch: Batch | None
    repeated: bool = False


class StoreSink(DrySink):
    """Writes a delivery into a batch; findings are kept for the user as well."""

    def __init__(
        self, store: Store, writer: BatchWriter, lang: str, *, keep_places: bool = False
    ) -> None:
        super().__init__(lang, keep_places=keep_places)
        self._store = store
        self._writer = writer

    def add(
        self,
        noun: str,
        frame: pd.DataFrame,
        rows: NDArray[np.int64],
        lines: NDArray[np.int64],
        file: str,
    ) -> None:
        """Keep the records; a coverage's cube first, so that no row names a missing file."""
        if noun == "Coverage":
            frame = _with_cubes(self._store, frame)
        self._writer.add(noun, frame, rows, lines, file)

    def reject(self, file: str, row: int, line: int, raw: str, finding: Finding | None) -> None:
        """Keep the row's own words in quarantine."""
        self._writer.reject(file, row, line, raw, finding)

    def find(self, finding: Finding) -> None:
        """Keep the finding with the batch."""
        super().find(finding)
        self._writer.find(finding)


def ingest(
    path: Path,
    orders: Orders,
    store: Store,
    *,
    dataset_id: str,
    person: str,
    lang: str = "en",
    keep_places: bool = False,
    keep_sink: Callable[[DrySink], None] = lambda sink: None,
    progress: Callable[[int], None] = lambda rows: None,
) -> Ingested:
    """Take a delivery into ``dataset_id``; the same file read the same way changes nothing.

    ``keep_sink`` is given the findings while they are still open; with ``keep_places`` each also
    by file and line, for the workbook that goes back to the user. Raises UsageError for an
    unknown dataset.
    """
    if path.name in _DESCRIPTORS and path.is_file():
        # Its tables lie beside it; kept alone it would be a delivery without its rows.
        folder = path.absolute().parent
        raise UsageError(say("ingest.descriptor-alone", file=path.name, folder=folder))
    orders = orders_of(store, orders, dataset_id)
    sha256, size = fingerprint(path)
    reading = reading_of(orders)
    before = store.existing_batch(sha256, dataset_id, mapping=reading)
    if before is not None:
        rows = {k: v for k, v in before.counts.items() if k in RECORD_NOUNS}
        told = Delivery(before.verdict, before.reader, rows, before.counts.get("rejected", 0))
        return Ingested(told, before, repeated=True)
    with store.begin_batch(
        file_name=path.name,
        sha256=sha256,
        size=size,
        format=orders.format or "",
        dataset_id=dataset_id,
        person=person,
        mapping=reading,
        raw=path,
    ) as writer:
        sink = StoreSink(store, writer, lang, keep_places=keep_places)
        try:
            done = process(path, orders, sink, progress=progress)
            keep_sink(sink)
        finally:
            sink.close()
        writer.format = done.format or ""
        return Ingested(done, writer.commit(done.verdict))


def fingerprint(path: Path) -> tuple[str, int]:
    """sha256 and bytes of a file, or of a folder's names and files in sorted order."""
    if path.is_dir():
        total, size = hashlib.sha256(), 0
        for inner in sorted(p for p in path.rglob("*") if p.is_file() and not p.is_symlink()):
            digest, length = fingerprint(inner)
            total.update(f"{inner.relative_to(path).as_posix()}\0{digest}\n".encode())
            size += length
        return total.hexdigest(), size
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest(), path.stat().st_size


def reading_of(orders: Orders) -> str:
    """How the delivery was read: the same bytes under other orders are another delivery."""
    told = {
        "format": orders.format,
        "mapping": orders.mapping.sha256 if orders.mapping else None,
        "encoding": orders.encoding,
        "delimiter": orders.delimiter,
        "decimal": orders.decimal,
        "sheet": orders.sheet,
        "zone": orders.zone,
        "datum": orders.datum,
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _dataset(store: Store, dataset_id: str) -> Dataset:
    known = {d.dataset_id: d for d in store.datasets()}
    if dataset_id not in known:
        raise UsageError(
            say("ingest.dataset-unknown", name=dataset_id, known=", ".join(sorted(known)) or "-")
        )
    return known[dataset_id]


def orders_of(store: Store, orders: Orders, dataset_id: str) -> Orders:
    """Orders with the zone and the datum that the dataset declares, where none are given.

    Raises UsageError for an unknown dataset.
    """
    dataset = _dataset(store, dataset_id)
    return replace(
        orders, zone=orders.zone or _zone(orders, dataset), datum=orders.datum or dataset.datum
    )


def _zone(orders: Orders, dataset: Dataset) -> str | None:
    """A mapping's zone outranks the dataset's."""
    return None if orders.mapping and orders.mapping.zone else dataset.zone


def _with_cubes(store: Store, frame: pd.DataFrame) -> pd.DataFrame:
    """Each stack as one cloud-optimised GeoTIFF in the node, named by its hash."""
    from ecotone.formats.raster import open_stack
    from ecotone.formats.raster_write import write_cube

    out = frame.copy()
    hashes, names = [], []
    for paths in frame["path"]:
        with tempfile.TemporaryDirectory(dir=store.folder / "staging") as scratch:
            cube = Path(scratch) / "cube.tif"
            with open_stack([Path(p) for p in str(paths).split("\n")]) as stack:
                write_cube(stack, cube)
            sha256 = store.add_file(cube)
        hashes.append(sha256)
        names.append(store.file_path(sha256).relative_to(store.folder).as_posix())
    out["sha256"] = hashes
    out["path"] = names
    return out
