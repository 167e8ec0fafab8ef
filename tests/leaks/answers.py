"""Everything a reader can be given: commands, formats, orders, errors, reports, logs, as bytes."""

from __future__ import annotations

import io
import itertools
import shutil
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from tests.command import ecotone
from tests.leaks.plant import DAY, NOUNS, open_store

from ecotone.model.errors import EcotoneError
from ecotone.model.words import LANGUAGES
from ecotone.share.decide import Request
from ecotone.share.door import Door

PLAN = """
[plan]
title = {{ en = "Joint assessment" }}
date = 2026-05-01
reader = "{reader}"
purpose = "assessment"
[[periods]]
id = "all"
start = 1987
end = 1999
[[indicators]]
id = "water.compliance"
periods = ["all"]
[indicators.inputs]
results = "node"
standards = "standards.csv"
"""
STANDARDS = "standard,version,property,basis,statistic,min,max,unit\nS,1,nitrate,N,each,,10,mg/L\n"
FORMATS = ("html", "pdf", "xlsx", "docx")


def same_mint(patch: pytest.MonkeyPatch) -> None:
    """Identifiers of releases by number: two runs of the same commands bear the same."""
    numbers = itertools.count()
    patch.setattr("ecotone.store.store.mint", lambda party: [f"{party}-R{next(numbers):05d}"])


def previews(node: Path, reader: str, folder: Path) -> dict[str, bytes]:
    """What the command line shows of every noun, as text, JSON and map, few rows and many."""
    found = {}
    base = ["share", "preview", "--reader", reader, "--on", DAY, "--node", node]
    for noun in (*NOUNS, "Taxon"):
        for more in (["--json", "--rows", 1000], ["--rows", 3], ["--rows", 0]):
            found[f"share preview | {noun} {more}"] = told(*base, noun, *more)
        if noun in ("Occurrence", "Site", "Coverage"):
            drawn = folder / "map.png"
            drawn.unlink(missing_ok=True)
            found[f"share preview | {noun} drawn"] = told(*base, noun, "--map", drawn)
            found[f"share preview | {noun} map"] = drawn.read_bytes() if drawn.exists() else b""
    for action in ("view", "derive", "download", "redistribute", "steal"):
        found[f"share preview | {action}"] = told(*base, "Occurrence", "--action", action)
    found["share preview | decisions"] = told(*base, "--json")
    found["share preview | decisions as text"] = told(*base)
    found["share preview | purpose"] = told(*base, "Occurrence", "--purpose", "tourism")
    found["share preview | noun"] = told(*base, "kestrel")
    for lang in LANGUAGES:
        found[f"share preview | {lang}"] = told(*base, "Occurrence", "--json", lang=lang)
        found[f"share list | {lang}"] = told("share", "list", "--node", node, lang=lang)
    for form in ("--odrl", "--json"):
        found[f"share show | {form}"] = told("share", "show", f"AG-{reader}", form, "--node", node)
    found["share show"] = told("share", "show", f"AG-{reader}", "--node", node)
    found["share list | json"] = told("share", "list", "--json", "--node", node)
    return found


def exports(node: Path, reader: str, folder: Path) -> dict[str, bytes]:
    """Released rows in the formats partners open, sorted and filtered as they might ask."""
    found: dict[str, bytes] = {}
    with open_store(node) as store:
        for action, noun in itertools.product(("download", "derive"), NOUNS):
            request = Request(reader, "assessment", action, date.fromisoformat(DAY))
            try:
                door = Door(store, request)
                released = door.release(noun)
            except EcotoneError as error:
                found[f"error {action} {noun}"] = f"{error.message} {error.hint}".encode()
                continue
            found[f"lines {noun}"] = repr(released.lines).encode()
            found[f"cards {noun}"] = repr(door.datasets()).encode()
            found[f"groups {noun}"] = released.groups.to_csv().encode()
            found |= _written(released.rows, noun, folder)
        said = [e.said for e in store.ledger() if e.kind == "release"]
        mine = [line for line in said if line["reader"] == reader]
        found["ledger"] = repr(mine).encode()
    return found


def _written(rows: pd.DataFrame, noun: str, folder: Path) -> dict[str, bytes]:
    import datetime as dt

    from ecotone.formats import dwc_records, xlsx_write
    from ecotone.formats.dwca_write import write_dwca

    if rows.empty:
        return {}
    found = {
        f"{noun}.csv": rows.to_csv(index=False).encode(),
        f"{noun}.head": rows.head().to_json(date_format="iso").encode(),
    }
    for by in ("time_start", "latitude", "id", "locality"):
        if by in rows:
            found[f"{noun} by {by}"] = rows.sort_values(by, kind="stable").to_csv().encode()
    whole = io.BytesIO()
    rows.to_parquet(whole)
    found[f"{noun}.parquet"] = whole.getvalue()
    book = folder / f"{noun}.xlsx"
    timeless = rows.head(100).apply(
        lambda c: c.dt.tz_localize(None) if isinstance(c.dtype, pd.DatetimeTZDtype) else c
    )
    xlsx_write.write(book, {noun: timeless}, dt.datetime(2026, 6, 1, tzinfo=dt.UTC))
    found[book.name] = book.read_bytes()
    if noun == "Occurrence":
        terms = dwc_records.as_terms(noun, rows).assign(occurrenceID=rows["id"].to_numpy())
        archive = write_dwca(folder / "cats.zip", {"Occurrence": terms}, {"title": "Cats"})
        found["dwca"] = archive.read_bytes()
    if {"latitude", "longitude"} <= set(rows.columns):
        extent = rows[["latitude", "longitude"]].agg(["min", "max", "mean", "count"])
        found[f"{noun} extent"] = extent.to_csv().encode()
        box = rows["latitude"].between(36, 38) & rows["longitude"].between(71, 73)
        found[f"{noun} in a box"] = str(int(box.sum())).encode()
    return found


def reports(node: Path, reader: str, folder: Path, langs: tuple[str, ...]) -> dict[str, bytes]:
    """A run for the reader: every file of its folder, and the reports of it."""
    folder.mkdir(parents=True, exist_ok=True)
    plan = folder / "plan.toml"
    plan.write_text(PLAN.format(reader=reader), encoding="utf-8")
    (folder / "standards.csv").write_text(STANDARDS, encoding="utf-8")
    runs = folder / "runs"
    shutil.rmtree(runs, ignore_errors=True)
    found = {"assess": told("assess", plan, "--node", node, "--runs", runs)}
    for run in sorted(runs.glob("*")):
        asked = [x for lang in langs for x in ("--lang", lang)]
        asked += [x for name in FORMATS for x in ("--to", name)]
        found["report"] = told("report", run, *asked)
        found["verify"] = told("verify", run, "--json")
        found["compare"] = told("compare", run, run, "--json", "-o", folder / "compared.csv")
        found["compare | text"] = told("compare", run, run)
        for path in sorted(p for p in run.rglob("*") if p.is_file()):
            found[path.relative_to(runs).as_posix()] = path.read_bytes()
    return found


def told(*arguments: object, lang: str = "en") -> bytes:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECOTONE_LANG", lang)
        told = ecotone(*arguments)
    assert told.code != 1, f"a fault or a failed audit: {told.err}"
    return f"{told.code}\n{told.out}\n{told.err}".encode()
