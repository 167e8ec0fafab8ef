"""What a circuit run will take, told before it begins, and its solves kept where it is long."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecotone.assess.indicator import Job, Parameter
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.words import say
from ecotone.science.connectivity.solver import (
    Cost,
    Keep,
    Method,
    direct_solvers,
    keep_nothing,
    predict,
)

Floats = NDArray[np.float64]

KEEP_AFTER: Final = Parameter("keep_after", "number", 300.0, minimum=0.0, unit="s")
PARAMETERS: Final = (
    Parameter("solver", "text", "auto", choices=("auto", "superlu", "cholmod", "pardiso", "amg")),
    Parameter("memory", "number", 6.0, minimum=0.01, unit="GB"),
    KEEP_AFTER,
)


#: Bytes that tables and lists of pairs take, for the square of the number of points.
_PAIR: Final = 150.0


@dataclass(frozen=True)
class Means:
    """By which solver, in how much memory (bytes), and who hears of progress and forecasts."""

    method: Method = "auto"
    memory: float = 6e9
    progress: Callable[[float], None] = lambda share: None
    tell: Callable[[Finding], None] = lambda finding: None
    keep_after: float = np.inf  #: seconds beyond which solves are kept on disk
    folder: Path | None = None  #: where

    @classmethod
    def of(cls, job: Job) -> Means:
        """As the job's parameters ask; UsageError for a solver that is not installed."""
        asked = str(job.parameters["solver"])
        method: Method = "auto"
        for name in ("superlu", "cholmod", "pardiso", "amg"):
            if asked == name:
                method = name
        if method not in ("auto", "amg", *direct_solvers()):
            raise UsageError(
                say("assess.connectivity.solver-absent", name=method),
                say("assess.connectivity.solver-absent.do", name=method),
            )
        after = float(job.number("keep_after"))
        return cls(
            method, job.number("memory") * 1e9, job.progress, job.tell, after or np.inf, job.out
        )

    def wished(self, name: str) -> Means:
        """With the solver an INI names, where it is an installed direct one and nobody chose.

        Conjugate gradients are what every INI names if its writer did not care: they are used
        where a factor does not fit the memory, or where a parameter asks for them.
        """
        for method in ("cholmod", "pardiso"):
            if self.method == "auto" and name == method and method in direct_solvers():
                return replace(self, method=method)
        return self

    def forecast(
        self, nodes: int, edges: int, points: int, graphs: int = 1, *, runs: int = 1
    ) -> Forecast:
        """Memory and time of some runs; NotComputable where the machine has not the memory."""
        cost = predict(nodes, edges, memory=self.memory, method=self.method)
        need = cost.bytes + 8.0 * nodes * points + 60.0 * edges + _PAIR * points**2
        have = physical_memory()
        if have is not None and need > have:
            raise NotComputable(
                say(
                    "assess.connectivity.memory",
                    nodes=f"{nodes:,}",
                    points=points,
                    need=f"{need / 1e9:.0f}",
                    have=f"{have / 1e9:.0f}",
                ),
                say("assess.connectivity.memory.do"),
            )
        found = Forecast(need, runs * _seconds(cost, nodes, points, graphs))
        self.tell(found.finding())
        return found

    def keeping(self, forecast: Forecast, *what: object) -> Kept:
        """Where the solves of this very run are kept, if it is expected to be long."""
        wanted = self.folder is not None and forecast.seconds >= self.keep_after
        return kept_in(self.folder if wanted else None, *what)


@dataclass(frozen=True)
class Forecast:
    """What a run is expected to take: bytes and seconds."""

    bytes: float
    seconds: float

    def finding(self) -> Finding:
        """In words."""
        return Finding(
            "circuit-memory",
            Severity.INFO,
            params={
                "need": f"{self.bytes / 1e9:.2f}",
                "minutes": f"{max(self.seconds / 60.0, 0.1):.1f}",
            },
        )


def foretold(job: Job, bytes_: float, seconds: float) -> None:
    """Tell what a run will take before it begins; NotComputable without so much memory."""
    have = physical_memory()
    if have is not None and bytes_ > have:
        need = {"need": f"{bytes_ / 1e9:.0f}", "have": f"{have / 1e9:.0f}"}
        raise NotComputable(
            say("assess.connectivity.memory-grid", **need), say("assess.connectivity.memory.do")
        )
    job.tell(Forecast(bytes_, seconds).finding())


@dataclass(frozen=True)
class Kept:
    """Solves on disk under their names; none where there is no folder."""

    folder: Path | None

    @property
    def keep(self) -> Keep:
        """For the science: gives back what is there, else makes and keeps it."""
        return keep_nothing if self.folder is None else self._keep

    def _keep(self, name: str, make: Callable[[], tuple[Floats, float]]) -> tuple[Floats, float]:
        assert self.folder is not None
        path = self.folder / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.npz"
        if path.exists():
            with np.load(path) as part:
                return part["voltage"], float(part["residual"])
        self.folder.mkdir(parents=True, exist_ok=True)
        voltage, residual = make()
        part_path = path.with_suffix(".part.npz")
        np.savez(part_path, voltage=voltage, residual=np.array(residual))
        part_path.replace(path)
        return voltage, residual

    def clear(self) -> None:
        """Let go of what was kept: the run is whole."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def kept_in(folder: Path | None, *what: object) -> Kept:
    """Where the parts of this very run are kept, named after what it works on; no folder: not."""
    if folder is None:
        return Kept(None)
    total = hashlib.sha256()
    for item in what:
        grid = isinstance(item, np.ndarray)
        total.update(np.ascontiguousarray(item).tobytes() if grid else repr(item).encode())
    return Kept(folder / f".circuit-{total.hexdigest()[:16]}")


def _seconds(cost: Cost, nodes: int, points: int, graphs: int) -> float:
    """A factor a graph, a solve a point, and the summed map: so many on the cores there are."""
    cores = min(os.cpu_count() or 1, 8)
    adding = 2e-8 * nodes * points * max(np.log2(max(points, 2)), 1.0)
    return float(graphs * cost.seconds + (points * cost.each + adding) / cores)


def physical_memory() -> float | None:
    """Bytes of memory in this machine; None where the system does not tell."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return None
