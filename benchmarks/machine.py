"""What a benchmark ran on: a number without its machine says nothing."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_VERSIONS = ("ecotone", "numpy", "numba", "scipy", "pandas", "pyarrow", "rasterio")


def machine(*others: str) -> str:
    """Processor, cores, load, system and versions; ``others``: peers timed beside ours."""
    load = "/".join(f"{x:.1f}" for x in os.getloadavg()) if hasattr(os, "getloadavg") else "?"
    told = ", ".join(f"{name} {_version(name)}" for name in (*_VERSIONS, *others))
    return (
        f"machine: {_processor()}, {os.cpu_count()} cores, load {load}\n"
        f"system: {platform.system()} {platform.release()}, Python {platform.python_version()}\n"
        f"versions: {told}"
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"


def _processor() -> str:
    """The processor's name, and its model where the name tells too little to compare by."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    facts: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        facts.setdefault(key.strip(), value.strip())
    name = facts.get("model name", platform.machine())
    return f"{name} (family {facts.get('cpu family', '?')}, model {facts.get('model', '?')})"
