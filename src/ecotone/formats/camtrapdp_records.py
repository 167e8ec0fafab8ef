"""Our records under Camtrap DP's field names, ready for the package's writer.

The counterpart of reading: deployments, media and observations as the door released them.
"""

from __future__ import annotations

from typing import Final

import pandas as pd

from ecotone.formats.camtrapdp_rules import KEYS, TABLES, rules
from ecotone.formats.dwc_records import texts
from ecotone.model.dictionary import by_standard

_TIMES: Final = {
    "deployments": {"deploymentStart": "time_start", "deploymentEnd": "time_end"},
    "media": {"timestamp": "time_start"},
    "observations": {"eventStart": "time_start", "eventEnd": "time_end"},
}


def as_fields(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Records as the standard's fields of ``deployments``, ``media`` or ``observations``.

    Times are written in UTC; an identifier that was withheld gives way to ours, so that the
    keys between the tables still hold only where the door let them through.
    """
    attributes = by_standard(TABLES[table], "camtrapdp")
    out: dict[str, pd.Series] = {}
    for rule in rules(table):
        name = _TIMES[table].get(rule.name) or attributes.get(rule.name)
        if name is None or name not in frame:
            continue
        column = frame[name]
        if rule.kind == "datetime" and rule.name in _TIMES[table]:
            stamps = pd.to_datetime(column, utc=True)
            out[rule.name] = stamps.dt.strftime("%Y-%m-%dT%H:%M:%SZ").astype("str")
        elif rule.kind == "boolean":
            out[rule.name] = texts(column).str.lower()
        elif rule.name == "coordinateUncertainty":
            # The standard wants whole metres; rounding up keeps the true place inside.
            whole = pd.to_numeric(column).astype("Float64")
            out[rule.name] = texts((-(-whole // 1)).clip(lower=1))
        else:
            out[rule.name] = texts(column)
    key = KEYS[table]
    if "id" in frame:
        own = out.get(key, pd.Series(pd.NA, index=frame.index, dtype="str"))
        out[key] = own.fillna(texts(frame["id"]))
    return pd.DataFrame(out, index=frame.index).reset_index(drop=True)
