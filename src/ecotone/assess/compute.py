"""One indicator on plain files: hash, check, compute, write ``result.json`` last."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ecotone.assess.coarse import coarse_inputs
from ecotone.assess.executor import Executor, Threads
from ecotone.assess.indicator import Indicator, Job, Outcome, Scalar
from ecotone.assess.registry import get
from ecotone.model.errors import InputRefused, UsageError
from ecotone.model.finding import Finding
from ecotone.model.result import InputFile, Result
from ecotone.model.words import say

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry


def compute(
    indicator_id: str,
    inputs: Mapping[str, Sequence[Path]],
    parameters: Mapping[str, Scalar],
    out: Path,
    *,
    executor: Executor | None = None,
    region: BaseGeometry | None = None,
    names: Mapping[Path, str] | None = None,
    progress: Callable[[float], None] = lambda share: None,
    tell: Callable[[Finding], None] = lambda finding: None,
) -> Result:
    """Compute an indicator and write ``out/result.json`` with all it names.

    ``names`` gives the path under which an input is told in the result (default: as given).
    Raises UsageError (2), InputRefused (3) or NotComputable (4); then no ``result.json`` of
    this call exists, so a result that is there is whole.
    """
    indicator = get(indicator_id)
    parsed = indicator.parse(parameters)
    paths = _check_inputs(indicator, inputs)
    out.mkdir(parents=True, exist_ok=True)
    (out / "result.json").unlink(missing_ok=True)
    files = [
        InputFile(
            name=name,
            path=(names or {}).get(path, path.as_posix()),
            sha256=sha256_of(path),
        )
        for name, group in paths.items()
        for path in group
    ]
    job = Job(paths, parsed, out, executor or Threads(), region, progress, tell)
    coarse = coarse_inputs(indicator, paths)
    outcome = indicator.compute(job)
    result = Result(
        indicator=indicator.id,
        version=indicator.version,
        parameters=parsed,
        inputs=files,
        values=outcome.values,
        tables=_write_tables(outcome, out),
        rasters=outcome.rasters,
        vectors=outcome.vectors,
        figures=outcome.figures,
        findings=[
            {**finding.as_json(), "params": dict(finding.params)}
            for finding in (*coarse, *outcome.findings)
        ],
    )
    write_atomically(out / "result.json", result_bytes(result))
    return result


def result_bytes(result: Result) -> bytes:
    """``result.json``: sorted keys, so that the same result is the same bytes."""
    document = result.model_dump(mode="json")
    text = json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False)
    return (text + "\n").encode()


def sha256_of(path: Path) -> str:
    """sha256 of a file, or of a folder's names and files in sorted order."""
    if path.is_dir():
        total = hashlib.sha256()
        for inner in sorted(p for p in path.rglob("*") if p.is_file()):
            name = inner.relative_to(path).as_posix()
            total.update(f"{name}\0{sha256_of(inner)}\n".encode())
        return total.hexdigest()
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def write_atomically(path: Path, data: bytes) -> None:
    """Write beside, flush to disk, rename: a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())
    part.replace(path)


def _check_inputs(
    indicator: Indicator, given: Mapping[str, Sequence[Path]]
) -> dict[str, tuple[Path, ...]]:
    known = {i.name: i for i in indicator.inputs}
    for name in given:
        if name not in known:
            raise UsageError(
                say(
                    "assess.input-unknown",
                    name=name,
                    indicator=indicator.id,
                    known=", ".join(known),
                )
            )
    for name, wanted in known.items():
        if wanted.required and not given.get(name):
            raise UsageError(say("assess.input-missing", name=name, indicator=indicator.id))
    for name, paths in given.items():
        for path in paths:
            if not path.exists():
                raise InputRefused(say("assess.input-absent", name=name, path=path))
    return {name: tuple(given[name]) for name in known if given.get(name)}


def _write_tables(outcome: Outcome, out: Path) -> dict[str, str]:
    written = {}
    for name, table in outcome.tables.items():
        relative = f"tables/{name}.csv"
        text = table.to_csv(index=False, lineterminator="\n", float_format="%.12g")
        write_atomically(out / relative, text.encode())
        written[name] = relative
    return written
