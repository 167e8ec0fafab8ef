"""A block of rows as a file says them: the unit that formats yield and ingest consumes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Table:
    """Rows of one record type from one file, all text, nothing interpreted yet.

    ``type`` is the record type in the standard's own word (``Occurrence``,
    ``Taxon``, ``Deployment``, ``Media``, ``Observation``, ``Record`` for a
    table nobody has described). ``frame`` holds text columns named by the
    standard's terms (or the file's own headers), missing as NA. ``row`` is the
    record's number in its file (1 for the first after the header) and ``line``
    the physical line where it starts; both as long as ``frame``.
    """

    type: str
    frame: pd.DataFrame
    row: NDArray[np.int64]
    line: NDArray[np.int64]
    file: str
    vocabulary: str = ""  #: "dwc", "camtrapdp", "" for the file's own headers
    key: str | None = None  #: column that identifies a record within the file
    metadata: dict[str, str] = field(default_factory=dict)
