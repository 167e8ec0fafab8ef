"""Durable truth: who delivered what, when, from which file, and what became of it.

A node is one folder: ``ecotone.toml``, the database (SQLite inside the folder, or PostgreSQL by
URL), ``files/`` by sha256, ``staging/``, ``stac/``, ``runs/``, ``keys/`` and ``packages/``.
Nothing is edited in place; every change is a new version and a line in the hash-chained ledger.

``node``         make a node, open a node
``store``        the Store: the one object others work with
``schema``       the tables, generated from the data dictionaries
``migrate``      the schema of a database: made, brought up to date, or refused
``database``     connections, transactions, faults told in plain words
``columns``      frames <-> typed columns <-> digests: what is stored is what is hashed
``staging``      a batch before it is committed; invisible, cleaned up after a crash
``batches``      stage -> commit; delivered again, superseded, unchanged
``versions``     correct one row, withdraw one batch, the history of a row
``classify``     what a delivered row is to what is there: new, changed, nothing new
``rows``         reading: as of now, or as known then
``received``     rows that came from their owner in a package
``documents``    parties, people, projects, datasets, agreements
``releases``     what left through the door, and the runs that stood on it
``files``        files by sha256
``catalogue``    the coverages as a static STAC catalogue in ``stac/``
``ledger``       the hash chain;  ``audit``: what was changed behind its back
``bulk``         many rows at once, for each of the two databases
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecotone.store.batches import BatchWriter
    from ecotone.store.node import init_node, open_node
    from ecotone.store.store import Store
    from ecotone.store.versions import Correction

__all__ = ["BatchWriter", "Correction", "Store", "init_node", "open_node"]

_HOMES = {
    "BatchWriter": "batches",
    "Correction": "versions",
    "Store": "store",
    "init_node": "node",
    "open_node": "node",
}


def __getattr__(name: str) -> Any:
    """Import a part when it is first asked for: ``import ecotone.store`` stays cheap."""
    if name not in _HOMES:
        raise AttributeError(f"module 'ecotone.store' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(f"ecotone.store.{_HOMES[name]}"), name)
