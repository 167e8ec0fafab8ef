"""Rows that a reader turns away one by one, each with its finding and its own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecotone.formats.base import Reject, Report
from ecotone.model.finding import Finding, Severity

if TYPE_CHECKING:
    from numpy.typing import NDArray


def raw_texts(frame: pd.DataFrame) -> list[str]:
    """One JSON object of its cells per row: the form in which quarantine keeps a row."""
    if frame.empty:
        return []
    text = frame.to_json(orient="records", lines=True, force_ascii=False)
    return str(text).rstrip("\n").split("\n")


def turn_away(
    code: str,
    frame: pd.DataFrame,
    mask: Any,
    column: str,
    file: str,
    row: NDArray[np.int64],
    line: NDArray[np.int64],
    report: Report,
    reject: Reject,
    **params: str,
) -> None:
    """Report and reject the rows of ``mask`` for what stands in ``column``."""
    where = np.flatnonzero(mask)
    if not len(where):
        return
    bad = frame.iloc[where]
    for index, value, raw in zip(where, bad[column].tolist(), raw_texts(bad), strict=True):
        report(
            Finding(
                code=code,
                severity=Severity.ERROR,
                row=int(row[index]),
                field=column,
                value=None if pd.isna(value) else str(value),
                file=file,
                line=int(line[index]),
                params=params,
            )
        )
        reject(file, int(row[index]), int(line[index]), raw)
