"""Compiled functions work where nothing can be written, and hide no other fault."""

from __future__ import annotations

from typing import Any

import numba
import pytest

from ecotone.science import compiled as module


def double(x: float) -> float:
    return 2.0 * x


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="kernels are not compiled")
def test_keeps_its_text() -> None:
    function = module.compiled(double)
    assert function(2.0) == 4.0
    assert function.py_func is double  # type: ignore[attr-defined]  # numba's own


@pytest.mark.parametrize(
    ("fault", "works"),
    [("cannot cache function 'f': no locator available for file", True), ("something else", False)],
)
def test_without_a_folder_to_write_to(
    monkeypatch: pytest.MonkeyPatch, fault: str, works: bool
) -> None:
    real = module.njit

    def njit(**options: Any) -> Any:
        if options.get("cache"):
            raise RuntimeError(fault)
        return real(**options)

    monkeypatch.setattr(module, "njit", njit)
    if works:
        assert module.compiled(double)(2.0) == 4.0
    else:
        with pytest.raises(RuntimeError, match="something else"):
            module.compiled(double)
