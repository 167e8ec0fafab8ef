"""What holds for the whole project: its own promises about size, speed, words and pages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src" / "ecotone").rglob("*.py"))


def best_of(command: list[str], times: int = 3) -> float:
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
        taken.append(time.perf_counter() - started)
    return min(taken)


def test_import_and_help_are_quick():
    # Wanted: 0.15 s and 0.4 s; the bounds leave room for a busy machine.
    start = best_of([sys.executable, "-c", "pass"])
    assert best_of([sys.executable, "-c", "import ecotone"]) - start < 0.9
    assert best_of([sys.executable, "-m", "ecotone.cli", "--help"]) < 3.0


def test_help_imports_nothing_heavy():
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from ecotone.cli.app import app; "
            "print([m for m in ('numpy', 'pandas', 'pydantic', 'rasterio', 'sqlalchemy', "
            "'matplotlib', 'numba') if m in sys.modules])",
        ],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert told.stdout.strip() == "[]"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_file_is_one_thing(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 520


def test_constraints_are_exact_and_name_no_address():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert not [x for x in lines if "://" in x or "--" in x]
    assert all(re.fullmatch(r"#.*|[A-Za-z0-9_.-]+==\S+", line) for line in lines)


def test_every_dependency_is_constrained():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    named = [*project["dependencies"], *(n for extra in extras for n in extra)]
    pinned = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    }
    names = {re.split(r"[<>=\[ ;]", n)[0].lower().replace("_", "-") for n in named}
    assert names <= pinned


@pytest.mark.parametrize("group", ["ecotone.formats", "ecotone.indicators", "ecotone.checks"])
def test_entry_points_load(group):
    found = entry_points(group=group)
    assert found
    for entry in found:
        assert entry.load() is not None


def test_the_reference_pages_are_those_of_the_code():
    """Fails where an indicator, format, check, command or noun lacks its page, or it is stale."""
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        import pages
    finally:
        sys.path.pop(0)
    wanted = dict(pages.pages())
    have = {
        p.relative_to(pages.REFERENCE).as_posix(): p.read_text(encoding="utf-8")
        for p in pages.REFERENCE.rglob("*.md")
    }
    assert sorted(have) == sorted(wanted), "run: make docs"
    stale = [name for name, text in wanted.items() if have[name] != text]
    assert stale == [], "run: make docs"


def test_pages_link_only_to_what_is_there():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_module_runs_as_a_command():
    env = {**os.environ, "ECOTONE_LANG": "ru"}
    told = subprocess.run(
        [sys.executable, "-m", "ecotone.cli", "--help"],
        check=True,
        capture_output=True,
        encoding="utf-8",
        env=env,
        cwd=ROOT,
    )
    assert "Принять поставки" in told.stdout
