"""Embargoes: what is too young to leave."""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.share.decide import Decision
from ecotone.share.generalise import month_start

#: The columns an embargo looks at.
TIMES: Final = ("time_start", "time_end", "time_precision")


def older(frame: pd.DataFrame, today: date, decision: Decision) -> NDArray[np.bool_]:
    """Rows whose time lies before the embargo; a row without a time stays in.

    The latest moment a row can mean counts: its end, and the end of the year or month where only
    that is known. Below level full whole months are let out: the day on which a row appears would
    tell the day it was seen.
    """
    if "time_start" not in frame:
        return np.zeros(len(frame), dtype=np.bool_)
    latest = pd.to_datetime(frame["time_start"], utc=True)
    if "time_end" in frame:
        end = pd.to_datetime(frame["time_end"], utc=True)
        latest = latest.where(end.isna() | (end < latest), end)
    moments = latest.dt.tz_localize(None).to_numpy().astype("datetime64[us]")
    if "time_precision" in frame:
        for word, unit in (("year", "Y"), ("month", "M")):
            only = (frame["time_precision"] == word).fillna(False).to_numpy(dtype=bool)
            after = moments[only].astype(f"datetime64[{unit}]") + 1
            moments[only] = after.astype("datetime64[us]") - 1
    cutoff = (
        pd.Timestamp(today) - pd.DateOffset(months=decision.rule.embargo_months)
    ).to_datetime64()
    if decision.level != "full":
        moments = month_start(pd.Series(moments))
        cutoff = cutoff.astype("datetime64[M]")
    return np.asarray(moments < cutoff, dtype=np.bool_)
