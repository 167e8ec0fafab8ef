"""Where blocks are computed: threads on this machine or a Dask cluster, with the same numbers.

Both give results back in the order of the tasks and keep only a few in flight, so memory is
bounded by the block size and sums are formed in one order whatever the number of workers.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Executor(Protocol):
    """Maps a function over tasks, results in order."""

    def map(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
        """Results in the order of ``tasks``; few in flight at a time."""
        ...


class Threads:
    """A pool of threads; the numba kernels release the interpreter lock."""

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or os.cpu_count() or 1

    def map(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
        """See ``Executor``."""
        with ThreadPoolExecutor(self.workers) as pool:
            yield from _in_order(lambda task: pool.submit(function, task), tasks, self.workers * 2)


class Cluster:
    """A Dask cluster by address; tasks and functions must pickle, files must be reachable."""

    def __init__(self, address: str) -> None:
        from distributed import Client

        self.client = Client(address)
        self.workers = max(1, sum(self.client.nthreads().values()))

    def map(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
        """See ``Executor``."""
        yield from _in_order(
            lambda task: self.client.submit(function, task, pure=False), tasks, self.workers * 2
        )

    def close(self) -> None:
        """Let go of the cluster."""
        self.client.close()


def _in_order(submit: Callable[[T], Any], tasks: Iterable[T], limit: int) -> Iterator[Any]:
    flying: deque[Any] = deque()
    for task in tasks:
        flying.append(submit(task))
        if len(flying) >= limit:
            yield flying.popleft().result()
    while flying:
        yield flying.popleft().result()
