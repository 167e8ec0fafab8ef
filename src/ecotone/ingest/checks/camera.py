"""Camera traps: pictures and observations outside the time their camera was out.

Camtrap DP packages are judged by their own reader against the standard's rules; these checks are
for camera-trap records that come as tables. They read converted records, whose times are UTC.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from ecotone.ingest.checks.base import Check, Parameters, Responses, validation
from ecotone.ingest.checks.block import Block
from ecotone.model.finding import Severity

START: Final = "time_start"
END: Final = "time_end"
OUT_FROM: Final = "deployment_start"
OUT_UNTIL: Final = "deployment_end"


class Deployments:
    """When each deployment of a delivery was out; deployments come before what they saw."""

    def __init__(self) -> None:
        self._known = pd.DataFrame({OUT_FROM: [], OUT_UNTIL: []}, dtype="datetime64[us]")

    def add(self, frame: pd.DataFrame) -> None:
        """Remember converted Deployment records."""
        if "deployment_id" not in frame:
            return
        block = Block(frame)
        fresh = pd.DataFrame(
            {OUT_FROM: block.instants(START), OUT_UNTIL: block.instants(END)},
            index=pd.Index(frame["deployment_id"].astype("str")),
        )
        known = fresh if self._known.empty else pd.concat([self._known, fresh])
        self._known = known[known.index.notna() & ~known.index.duplicated(keep="last")]

    def join(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Records with the interval of the deployment they name beside them."""
        if "deployment" not in frame or self._known.empty or OUT_FROM in frame:
            return frame
        names = pd.Index(frame["deployment"].astype("str"))
        found = self._known.reindex(names).set_axis(frame.index)
        return pd.concat([frame, found], axis=1)


def _end_after_start(block: Block, parameters: Parameters) -> Responses:
    start, end = block.instants(START), block.instants(END)
    return validation(np.isnat(start) | np.isnat(end), end >= start)


def _within(block: Block, parameters: Parameters) -> Responses:
    start, end = block.instants(START), block.instants(END)
    end = np.where(np.isnat(end), start, end)
    out_from, out_until = block.instants(OUT_FROM), block.instants(OUT_UNTIL)
    slack = np.timedelta64(int(parameters["toleranceInSeconds"]), "s")
    unmet = np.isnat(start) | (np.isnat(out_from) & np.isnat(out_until))
    early = ~np.isnat(out_from) & (start < out_from - slack)
    late = ~np.isnat(out_until) & (end > out_until + slack)
    return validation(unmet, ~early & ~late)


def _within_deployment(noun: str) -> Check:
    return Check(
        label=f"VALIDATION_{noun.upper()}_WITHINDEPLOYMENT",
        guid="",
        dimension="Consistency",
        terms=(START, END),
        consulted=(OUT_FROM, OUT_UNTIL),
        function=_within,
        # A picture stamped in the second in which the camera was taken in is no fault.
        parameters={"toleranceInSeconds": "60"},
        severity=Severity.WARNING,
        shown="time_text",
        needs=(START, OUT_FROM),
        nouns=(noun,),
        vocabulary="ecotone",
    )


CHECKS: Final = (
    Check(
        label="VALIDATION_DEPLOYMENT_ENDAFTERSTART",
        guid="",
        dimension="Conformance",
        terms=(END,),
        consulted=(START,),
        function=_end_after_start,
        # No severity: the converter rejects such a deployment (time-interval-reversed).
        needs=(START, END),
        nouns=("Deployment",),
        vocabulary="ecotone",
    ),
    _within_deployment("Observation"),
    _within_deployment("Media"),
)
