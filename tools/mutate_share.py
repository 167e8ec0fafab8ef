"""Take one rule at a time out of the door's decisions and see a test fail.

    python tools/mutate_share.py [--module NAME ...] [--every N]

Each mutant is the package with one node of one module's syntax tree changed: a comparison turned,
an operator exchanged, a condition negated, a number moved, an early return or an item left out.
It is loaded in a child process in place of the module and the tests of share are run until
the first failure. What survives is listed by line; each survivor must be shown to be equivalent
(``EQUIVALENT`` below) or killed by a new test.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib.util
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import NoReturn

import geopandas  # noqa: F401 - loaded once, for all children
import hypothesis  # noqa: F401
import pyarrow.parquet  # noqa: F401
import pydantic  # noqa: F401
import pytest
import sqlalchemy  # noqa: F401
from PIL import Image  # noqa: F401

import ecotone.formats.registry
import ecotone.ingest
import ecotone.model.agreement
import ecotone.store.store  # noqa: F401

ROOT = Path(__file__).resolve().parents[1]
SHARE = ROOT / "src" / "ecotone" / "share"
#: The decision and generalisation code, and the tests that hold it.
MODULES = (
    "decide",
    "table",
    "names",
    "zones",
    "anchors",
    "embargo",
    "generalise",
    "grid",
    "aggregate",
    "tracks",
    "pseudonyms",
    "outgoing",
    "known",
)
TESTS = (
    "tests/unit/share/test_share_table.py",
    "tests/unit/share/test_share_names.py",
    "tests/unit/share/test_share_zones.py",
    "tests/unit/share/test_share_decide.py",
    "tests/unit/share/test_share_grid.py",
    "tests/unit/share/test_share_generalise.py",
    "tests/unit/share/test_share_aggregate.py",
    "tests/unit/share/test_share_anchors.py",
    "tests/unit/share/test_share_tracks.py",
    "tests/unit/share/test_share_pseudonyms.py",
    "tests/unit/share/test_share_known.py",
    "tests/unit/share/test_share_agreements.py",
    "tests/unit/share/test_share_door.py",
)
_WITHOUT = [
    part for name in ("cacheprovider", "xdist", "pytest_cov", "hypothesispytest")
    for part in ("-p", f"no:{name}")
]  # fmt: skip
#: A mutant that runs longer than this hangs, and is found by that.
_SECONDS = 240
#: Survivors that change nothing a reader could see, by module, line and [change]: why.
EQUIVALENT: dict[str, str] = {
    "anchors: _Key = tuple[str, str, str]": "a type",
    "anchors: if not filled.any():": "an empty column names no anchor either way",
    "anchors: if column not in frame or not self.groups: [last condition left out]":
    "without anchors every row has none",
    "anchors: codes = np.full(len(frame), -1, dtype=np.int64) [constant changed]":
    "any number below 0 is no anchor",
    "anchors: groups = [self.groups.get((str(dataset), kind, str(v)), -1) for v in values]"
    " [constant changed]": "any number below 0 is no anchor",
    "anchors: group = self.groups.get(at, -1) if at is not None else -1 [constant changed]":
    "any number below 0 is no anchor",
    "anchors: if at is not None: [condition always true]": "nobody asks for the anchor None",
    "anchors: if np.isnan(self.latitude[group]) and not np.isnan(latitude + longitude):"
    " [operator exchanged for Sub]": "a difference is missing where a sum is",
    "names: return genus.startswith(letter) and (not epithet or f\"{rest} \".startswith("
    "f\"{epithet} \")) [constant changed]": "what follows the first blank is not compared",
    "outgoing: if rows[\"id\"].is_monotonic_increasing: [condition never true]":
    "sorting what is sorted changes nothing",
    "outgoing: if not track.all(): [condition always true]": "no rows are no release",
    "outgoing: return rows.sort_values([\"id\", \"version\"], kind=\"stable\", ignore_index=True)":
    "an identifier stands once in a release, and numbers of rows are not told",
    "outgoing: rows = pd.concat(parts, ignore_index=True).take(order).reset_index(drop=True)"
    " [constant changed]": "only named columns leave",
    "outgoing: rows = cells.take(order).reset_index(drop=True) [constant changed]":
    "only named columns leave",
    "outgoing: first, second = self._pseudonyms.of(tracks.keys(cells), f\"{self._noun} presence\")"
    " [constant changed]": "any name of a kind serves",
    "outgoing: pd.concat(slim, ignore_index=True), pd.concat(animals, ignore_index=True),"
    " decision.rule [constant changed]": "numbers of rows are not told",
    "outgoing: rows = _in_order(pd.concat(parts, ignore_index=True)) [constant changed]":
    "numbers of rows are not told",
    "outgoing: yield aggregate.aggregated(pd.concat(parts, ignore_index=True), decision.rule)"
    " [constant changed]": "numbers of rows are not told",
    "embargo: latest = pd.to_datetime(frame[\"time_start\"], utc=True) [constant changed]":
    "times come in UTC",
    "embargo: end = pd.to_datetime(frame[\"time_end\"], utc=True) [constant changed]":
    "times come in UTC",
    "aggregate: if int(shown.sum()) == before: [condition never true]":
    "what nothing changes can be done again",
    "known: if store.filled(\"Taxon\", everywhere): [condition always true]":
    "an empty checklist names nothing",
    "known: if noun != \"Individual\" and \"individual\" in attributes(noun):"
    " [condition always true]": "what names no individual is told by none",
    "table: _ANSWERS: Final = {\"outside\": (False, False), \"possible\": (False, True),"
    " \"inside\": (True, True)} [constant changed]": "any three words serve",
    "table: UNCLEAR: Final = -2 [constant changed]": "any number below 0 leaves nothing",
    "table: ASKED: Final = (\"taxon\", \"name\", \"property\", \"individual\", *_FURTHER)"
    " [last item left out]": "what is asked of places in common names no accepted name",
    "generalise: _PIECE: Final = 8192 [constant changed]": "a size of work",
    "generalise: if \"latitude\" in known: [condition always true]": "only attributes leave",
    "generalise: if \"time_start\" in known: [condition always true]": "only attributes leave",
    "generalise: if \"locality\" in attributes(noun): [condition always true]":
    "only attributes leave",
    "generalise: if \"west\" in known: [condition always true]": "only attributes leave",
    "table: if any(rule.taxa for rule in rules): [condition always true]":
    "names nobody asks change nothing",
    "table: if not self._names.ever or \"id\" not in frame:": "without names nobody has several",
    "table: if not self._names.of_individual or \"individual\" not in frame:":
    "without individuals nobody is one",
    "table: if names not in known: [condition always true]": "noted twice is noted",
    "table: if key not in self._cases: [condition always true]": "decided twice is decided",
    "table: if not mine: [condition never true]": "where nothing speaks nothing is named",
    "table: if len(datasets) == 1: [condition never true]": "one dataset is the case of several",
    "generalise: gone = {*withheld_by_name(noun, rule), \"time_precision\"} [constant changed]":
    "the precision is written anew",
    "table: if len(values) == 1: [condition never true]": "one value parts nothing",
    "table: if name not in frame or not frame[name].notna().any(): [last condition left out]":
    "an empty column is one missing value",
    "table: return [name for name in _FURTHER if name in known and name in frame]":
    "a frame holds attributes of its noun alone",
    "table: parts.skip(2) [constant changed]": "an empty column more says nothing",
    "table: decision.rule.cell_degrees or 0.0 [last condition left out]":
    "what is generalised has a cell",
    "table: openly = all(d.level in (\"full\", \"generalised\") for d in mine)"
    " [last item left out]": "looked at row by row it is the same",
    "generalise: cells = cell_centres(latitude, longitude, rule.cell_degrees or 1.0)"
    " [last condition left out]": "what is generalised has a cell",
    "generalise: cell = f\"{rule.cell_degrees or 1.0:g}\" [last condition left out]":
    "what is generalised has a cell",
    "table: openly = all(d.level in (\"full\", \"generalised\") for d in mine) [constant changed]":
    "looked at row by row it is the same",
    "generalise: cells = cell_centres(latitude, longitude, rule.cell_degrees or 1.0)"
    " [constant changed]": "what is generalised has a cell",
    "generalise: cell = f\"{rule.cell_degrees or 1.0:g}\" [constant changed]":
    "what is generalised has a cell",
    "generalise: made.update(_bounds(frame, rule.cell_degrees or 1.0))":
    "what is generalised has a cell",
    "generalise: out[name] = np.round(low, 4) + 0.0 [constant changed]":
    "cells are of whole thousandths",
    "table: sizes = [*((rule.cell_degrees or 0.0) if rule else 0.0 for rule in rules), 0.0]"
    " [last condition left out]": "what is generalised has a cell",
    "generalise: *(\"time_start\", \"time_end\", \"time_precision\"), [last item left out]":
    "an open column is read anyway",
    "generalise: *(\"time_start\", \"time_end\", \"time_precision\"), [constant changed]":
    "an open column is read anyway, and the others are tested",
    "outgoing: if pc.all(pc.less_equal(ids[:-1], ids[1:])).as_py() is not False:"
    " [condition never true]": "sorting what is sorted changes nothing",
    "outgoing: if not keep.all(): [condition always true]": "all rows of all are all",
    "outgoing: if len(rows): [condition always true]": "no rows are no release",
    "outgoing: return np.lexsort((second, first)) if (placed[1:] == placed[:-1]).any() else order"
    " [branches exchanged]": "two names with one first half come once in 10^19",
    "generalise: texts = pd.array([str(month)[:7] for month in found], dtype=\"str\")"
    " [constant changed]": "both names are of texts",
    "generalise: words = pd.array([\"month\", \"year\"], dtype=\"str\") [constant changed]":
    "both names are of texts",
    "known: if not links: [condition never true]": "of no links there are no places",
    "known: if not self.datasets: [condition never true]": "of no datasets there are no rows",
    "known: if \"latitude\" in attributes(noun) and free:": "what has no place gives none",
    "known: if \"latitude\" in attributes(noun): [condition always true]":
    "what has no place gives none",
    "known: if not links and own not in filled: [condition never true]":
    "of no links there are no places",
    "table: decision.rule.cell_degrees or 0.0 [constant changed]": "what is generalised has a cell",
    "table: if decision.dataset_id == dataset and decision.level == \"generalised\""
    " [last condition left out]": "what is not generalised has no cell",
    "table: openly = all(d.level in (\"full\", \"generalised\") for d in mine)"
    " [comparison turned to NotIn]": "where nothing leaves nobody is placed",
    "generalise: power = 10.0 ** np.floor(np.log10(np.maximum(metres, 1000.0)) + 1e-9)"
    " [constant changed]": "from 1000 to 9999 the power is the same",
    "generalise: naive = pd.to_datetime(stamps, utc=True).dt.tz_localize(None).to_numpy()"
    " [constant changed]": "times come in UTC",
    "known: if noun != \"Individual\" and \"individual\" in attributes(noun):":
    "what names no individual is told by none",
    "known: told = chunk.dropna(subset=[\"individual_id\", \"taxon\"]) [last item left out]":
    "a missing taxon is no name",
    "tracks: taxon = cells[\"taxon\"].fillna(\"\").astype(\"str\") [constant changed]":
    "any spelling that is one to one serves",
    "tracks: (cells[name] * 1e4).round().astype(\"int64\").astype(\"str\") [constant changed]":
    "any spelling that is one to one serves",
    "tracks: return cells.assign(time_text=month.astype(\"str\"), time_precision=\"month\")"
    " [constant changed]": "both names are of texts; the month is tested",
    "table: ASKED: Final = (\"taxon\", \"name\", \"property\", \"individual\", *_FURTHER)"
    " [constant changed]": "of what lies at places none has a column name",
    "known: if not datasets: [condition never true]": "of no datasets there are no rows",
    "known: if table.asks_places(): [condition always true]": "places nobody asks change nothing",
    "embargo: latest = latest.where(end.isna() | (end < latest), end)": "equal ends are one moment",
    'embargo: moments[only] = after.astype("datetime64[us]") - 1': "the cutoff is a midnight",
    'tracks: parts = [cells["dataset_id"], taxon, *place, cells["time_text"].astype("str")]':
    "any spelling that is one to one serves",
    'tracks: told: pd.Series = functools.reduce(lambda one, other: one + "\\0" + other, parts)':
    "any spelling that is one to one serves",
    "grid: if step not in STEPS or abs(cell_degrees * FINEST - step) > 1e-9:": "never just 1e-9",
    "grid: def cell_floor(degrees: Floats, step: int, last: int = _POLE * 2) -> Floats:":
    "any bound beyond the globe serves",
}  # fmt: skip

_TURNED = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_EXCHANGED = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}


def mutants(source: str) -> Iterator[tuple[int, str, str]]:
    """Line, what was changed, and the changed source."""
    tree = ast.parse(source)
    said_only = _annotations(tree)
    for number, node in enumerate(ast.walk(tree)):
        if id(node) in said_only:
            continue
        for change in _changes(node):
            other = copy.deepcopy(tree)
            target = next(n for i, n in enumerate(ast.walk(other)) if i == number)
            said = change(target)
            if said:
                line = getattr(node, "lineno", 0)
                yield line, said, ast.unparse(ast.fix_missing_locations(other))


def _annotations(tree: ast.AST) -> set[int]:
    """The nodes that say what type a thing has, or how a thing is made: they decide nothing."""
    roots: list[ast.AST | None] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            roots.extend([node.returns, *node.decorator_list])
        elif isinstance(node, ast.arg | ast.AnnAssign):
            roots.append(node.annotation)
        elif isinstance(node, ast.ClassDef):
            roots.extend(node.decorator_list)
        elif isinstance(node, ast.keyword) and node.arg == "strict":
            roots.append(node.value)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            roots.append(node)
    return {id(part) for root in roots if root is not None for part in ast.walk(root)}


def _changes(node: ast.AST) -> list:  # type: ignore[type-arg]  # functions that change a node
    if isinstance(node, ast.Compare):
        return [_turn]
    if isinstance(node, ast.BoolOp):
        return [_and_or, _drop_last]
    if isinstance(node, ast.BinOp):
        return [_exchange]
    if isinstance(node, ast.AugAssign):
        return [_exchange]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert):
        return [_affirm]
    if isinstance(node, ast.If):
        return [_always, _never]
    if isinstance(node, ast.IfExp):
        return [_other_branch]
    if isinstance(node, ast.Constant):
        return [_move]
    if isinstance(node, ast.Tuple | ast.List) and isinstance(node.ctx, ast.Load) and node.elts:
        return [_leave_out]
    return []


def _turn(node: ast.Compare) -> str:
    turned = _TURNED.get(type(node.ops[0]))
    if turned is None:
        return ""
    node.ops[0] = turned()
    return f"comparison turned to {turned.__name__}"


def _and_or(node: ast.BoolOp) -> str:
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    return "and and or exchanged"


def _drop_last(node: ast.BoolOp) -> str:
    node.values = node.values[:-1] if len(node.values) > 2 else [node.values[0], node.values[0]]
    return "last condition left out"


def _exchange(node: ast.BinOp | ast.AugAssign) -> str:
    other = _EXCHANGED.get(type(node.op))
    if other is None:
        return ""
    node.op = other()
    return f"operator exchanged for {other.__name__}"


def _affirm(node: ast.UnaryOp) -> str:
    kept = node.operand
    node.op, node.operand = (
        (ast.Not(), ast.UnaryOp(ast.Not(), kept))
        if isinstance(node.op, ast.Not)
        else (ast.Invert(), ast.UnaryOp(ast.Invert(), kept))
    )
    return "negation taken away"


def _always(node: ast.If) -> str:
    node.test = ast.Constant(True)
    return "condition always true"


def _never(node: ast.If) -> str:
    node.test = ast.Constant(False)
    return "condition never true"


def _other_branch(node: ast.IfExp) -> str:
    node.body, node.orelse = node.orelse, node.body
    return "branches exchanged"


def _move(node: ast.Constant) -> str:
    if isinstance(node.value, bool):
        node.value = not node.value
    elif isinstance(node.value, int | float):
        node.value = node.value + 1
    elif isinstance(node.value, str) and node.value and "\n" not in node.value:
        node.value = f"{node.value}_"
    else:
        return ""
    return "constant changed"


def _leave_out(node: ast.Tuple | ast.List) -> str:
    if len(node.elts) < 2:
        return ""
    node.elts = node.elts[:-1]
    return "last item left out"


class _Instead:
    """Finds the changed module in the place of the true one."""

    def __init__(self, name: str, path: Path) -> None:
        self._name, self._path = name, path

    def find_spec(self, wanted: str, *_: object) -> ModuleSpec | None:
        """The changed file for its name; nothing for any other."""
        if wanted == self._name:
            return importlib.util.spec_from_file_location(wanted, self._path)
        return None


def killed(name: str, source: str) -> bool:
    """Whether some test fails with the changed module in the place of the true one.

    In a child of this process, which has the heavy libraries loaded and no module of share.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.py"
        path.write_text(source, encoding="utf-8")
        child = os.fork()
        if child == 0:
            _tried(f"ecotone.share.{name}", path, _tests(name))
        for _ in range(_SECONDS * 20):
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return status != 0
            time.sleep(0.05)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return True


def _tried(name: str, path: Path, tests: list[str]) -> NoReturn:
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    sys.meta_path.insert(0, _Instead(name, path))  # type: ignore[arg-type]  # a finder of its own
    try:
        code = int(pytest.main(["-x", "-q", *_WITHOUT, *tests]))
    except BaseException:  # noqa: BLE001 - a module that cannot be loaded is a mutant killed
        code = 1
    os._exit(code)


def _tests(name: str) -> list[str]:
    """All the tests, those of the module's own name first: most mutants fall there."""
    return sorted(TESTS, key=lambda test: f"share_{name}" not in test)


def _quiet(source: str, line: int) -> bool:
    """Lines that hold no rule: docstrings, imports, type aliases."""
    text = source.splitlines()[line - 1] if line else ""
    return not line or text.lstrip().startswith(('"""', "from ", "import ", "__all__"))


def main() -> None:
    """Run the mutants and print what survives."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--module", action="append", choices=MODULES)
    parser.add_argument("--every", type=int, default=1, help="one mutant in so many")
    asked = parser.parse_args()
    total, survivors = 0, []
    for name in asked.module or MODULES:
        source = (SHARE / f"{name}.py").read_text(encoding="utf-8")
        found = [m for m in mutants(source) if not _quiet(source, m[0])][:: asked.every]
        started, before = time.monotonic(), len(survivors)
        for line, said, changed in found:
            total += 1
            text = source.splitlines()[line - 1].strip()
            known = f"{name}: {text}" in EQUIVALENT or f"{name}: {text} [{said}]" in EQUIVALENT
            if known or killed(name, changed):
                continue
            survivors.append(f"{name}.py:{line}: {said}: {text}")
            _say(survivors[-1])
        seconds = time.monotonic() - started
        live = len(survivors) - before
        _say(f"{name}: {len(found)} mutants, {live} survive, {seconds:.0f} s")
    _say(f"{total} mutants, {len(survivors)} survive")
    sys.exit(bool(survivors))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
