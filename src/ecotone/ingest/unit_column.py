"""The unit column of a block of measurements: spellings to names, doubts as findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ecotone.model import units
from ecotone.model.errors import UsageError
from ecotone.model.finding import Severity

if TYPE_CHECKING:
    from ecotone.ingest.convert import Work


def parse_units(work: Work, header: str) -> dict[str, pd.Series]:
    """Unit, basis where the unit's text tells one, and the text as delivered.

    An unknown unit is a warning: the value stands with its text and without a unit, so nothing
    can be compared with it. A basis that contradicts the basis column rejects the row.
    """
    texts = work.frame[header].astype("str")
    stripped = texts.str.strip()
    codes, uniques = pd.factorize(stripped.where(stripped != ""), use_na_sentinel=True)
    # Code -1 (no unit given) finds the last entry.
    read = [*(_read(str(text)) for text in uniques), (None, None)]
    name = np.array([unit for unit, _ in read], dtype=object)[codes]
    told = np.array([basis for _, basis in read], dtype=object)[codes]
    index = work.frame.index
    unknown = (codes >= 0) & pd.isna(name)
    work.flag("unit-unknown", np.asarray(unknown), header, severity=Severity.WARNING)
    out = {"unit": pd.Series(name, index=index, dtype="str"), "unit_text": texts}
    basis = pd.Series(told, index=index, dtype="str")
    if "basis" in work.frame:
        work.used.add("basis")
        basis = _agreed(work, basis, header)
    if basis.notna().any():
        out["basis"] = basis
    return out


def _read(text: str) -> tuple[str | None, str | None]:
    try:
        unit, basis = units.split_basis(text)
    except UsageError:
        return None, None
    return unit, basis or None


def _agreed(work: Work, told: pd.Series, header: str) -> pd.Series:
    """The basis column, filled from the unit's text; where both speak they must agree."""
    column = work.frame["basis"].astype("str").str.strip()
    column = column.where(column != "")
    names = {text: units.basis_of(text) or text for text in column.dropna().unique()}
    named = column.map(names).astype("str")
    differs = (told.notna() & named.notna() & (told != named)).to_numpy(dtype=bool)
    work.flag("basis-contradicts", differs, header, severity=Severity.ERROR)
    return named.fillna(told)
