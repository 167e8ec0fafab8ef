"""Reports: one document in words, numbers, plots and maps, shown by four back ends.

``build_report`` is the way in. A run folder is read (``source``), written up chapter by chapter
(``chapters``, ``rooms`` for what each field adds), turned into words of a language (``present``)
and given out as HTML, PDF, XLSX and DOCX (modules of those names). Figures are ``plots`` and
``maps``; ``glyphs`` stops a report whose fonts cannot draw it. Nothing here imports ``store``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecotone.report.build import FORMATS, build_report

__all__ = ["FORMATS", "build_report"]


def __getattr__(name: str) -> Any:
    """Import the builder when it is first asked for."""
    if name in __all__:
        from ecotone.report import build

        return getattr(build, name)
    raise AttributeError(f"module 'ecotone.report' has no attribute '{name}'")
