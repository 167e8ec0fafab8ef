"""How a loop over many numbers is compiled: once, to machine code kept beside the source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile with numba, keep the machine code on disk, run without the interpreter lock.

    The uncompiled function stays reachable as ``.py_func``. What a compiled function calls
    must stand in the same file: the code kept on disk is renewed when *its* file changes.
    Where no folder can be written (neither the package's nor the user's cache) each process
    compiles anew: slower to start, the same numbers.

    Args:
        function: a function of arrays and numbers that numba understands.

    Returns:
        The compiled function, called the same way.
    """
    try:
        return cast("F", njit(cache=True, nogil=True)(function))
    except RuntimeError as error:
        if "no locator available" not in str(error):
            raise
        return cast("F", njit(nogil=True)(function))
