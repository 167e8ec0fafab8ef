"""Lock files for every system and Python that Ecotone is installed on, wheels only.

    python tools/locks.py            write locks/SYSTEM-PYTHON.txt
    python tools/locks.py --check    fail where one would be written otherwise

Each lock is resolved for its own system from pyproject.toml within constraints.txt; a dependency
that has no wheel there makes the resolution fail. The files name versions and hashes, no addresses.
Needs ``uv`` and a network.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ROOT / "locks"
#: Our name of a system: what uv calls it, and what pip calls its wheels.
SYSTEMS = {
    "linux-x86_64": ("x86_64-manylinux_2_28", ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64",
                     "manylinux2014_x86_64", "manylinux_2_27_x86_64", "manylinux_2_12_x86_64",
                     "manylinux2010_x86_64", "manylinux_2_5_x86_64", "manylinux1_x86_64")),
    "windows-amd64": ("x86_64-pc-windows-msvc", ("win_amd64",)),
    "macos-arm64": ("aarch64-apple-darwin", (
        "macosx_14_0_arm64", "macosx_13_0_arm64", "macosx_12_0_arm64", "macosx_11_0_arm64",
        "macosx_11_0_universal2", "macosx_10_9_universal2")),
}  # fmt: skip
#: Older ones find no wheel of netCDF4.
OLDEST_MACOS = "14.0"
PYTHONS = ("3.11", "3.12", "3.13")


def resolved(system: str, python: str, out: Path) -> str:
    """The lock of a system and a Python; what uv says where it cannot be resolved."""
    done = subprocess.run(
        [
            sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--extra", "serve",
            "--python-platform", SYSTEMS[system][0], "--python-version", python,
            "--only-binary", ":all:", "-c", "constraints.txt", "--generate-hashes",
            "--no-header", "--no-annotate", "--quiet", "-o", str(out),
        ],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "MACOSX_DEPLOYMENT_TARGET": OLDEST_MACOS},
    )  # fmt: skip
    return done.stderr if done.returncode else ""


def main() -> None:
    """Write or check all locks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    wrong = []
    with tempfile.TemporaryDirectory() as name:
        for system in SYSTEMS:
            for python in PYTHONS:
                fresh, kept = Path(name) / "lock.txt", LOCKS / f"{system}-{python}.txt"
                fresh.unlink(missing_ok=True)
                said = resolved(system, python, fresh)
                if said:
                    wrong.append(f"{kept.name}: {said}")
                elif not check:
                    kept.write_bytes(fresh.read_bytes())
                elif not kept.is_file() or kept.read_bytes() != fresh.read_bytes():
                    wrong.append(f"{kept.name} is not what resolution gives today")
    sys.stderr.write("\n".join([*wrong, ""] if wrong else []))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
