"""When cameras were out and did not work: a table the camera-trap standard has no place for.

A row is one failure of one deployment: a flat battery, a full card, a lens under snow. It reads as
an alarm of the device (noun ``DeviceEvent``), so that effort can leave the time out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from ecotone.formats.base import Reject, Report, refused
from ecotone.model.finding import Finding, Severity
from ecotone.model.table import Table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from ecotone.formats.camtrapdp_checks import Judge
    from ecotone.formats.delimited import Block

FAILURE_COLUMNS: Final = ("deploymentID", "failureStart", "failureEnd")
_KIND: Final = "alarm"


def failure_tables(
    blocks: Iterable[Block], member: str, judge: Judge, report: Report, reject: Reject
) -> Iterator[Table]:
    """The failures of a package, each within a deployment it has."""
    for block in blocks:
        lacking = [name for name in FAILURE_COLUMNS if name not in block.frame]
        if lacking:
            raise refused("camtrapdp-columns-missing", file=member, columns=", ".join(lacking))
        yield _judged(block, member, judge, report, reject)


def _judged(block: Block, member: str, judge: Judge, report: Report, reject: Reject) -> Table:
    import numpy as np

    from ecotone.formats.camtrapdp_checks import Fault, read_times
    from ecotone.formats.turned_away import raw_texts

    frame = block.frame
    faults = [
        Fault("camtrapdp-required", name, frame[name].isna().to_numpy(dtype=bool))
        for name in FAILURE_COLUMNS
    ]
    names = frame["deploymentID"]
    loose = names.notna().to_numpy(dtype=bool) & ~judge.known_deployments(names)
    params = {"table": "deployments"}
    faults.append(Fault("camtrapdp-key-loose", "deploymentID", loose, params=params))
    times = {}
    for name in FAILURE_COLUMNS[1:]:
        times[name], found = read_times(name, frame[name], judge.zone)
        faults += found
        outside = judge.outside(names, times[name])
        faults.append(Fault("camtrapdp-outside-deployment", name, outside, rejects=False))
    known = [t > np.iinfo(np.int64).min for t in times.values()]
    turned = (times["failureEnd"] < times["failureStart"]) & known[0] & known[1]
    params = {"start": "failureStart"}
    faults.append(Fault("camtrapdp-interval", "failureEnd", turned, params=params))
    rejected = np.zeros(len(frame), dtype=np.bool_)
    for fault in faults:
        for index in np.flatnonzero(fault.rows):
            value = frame[fault.field].iloc[index]
            report(
                Finding(
                    fault.code,
                    Severity.ERROR if fault.rejects else Severity.WARNING,
                    row=int(block.row[index]),
                    line=int(block.line[index]),
                    field=fault.field,
                    value=value if isinstance(value, str) else None,
                    file=member,
                    params=fault.params,
                )
            )
        if fault.rejects:
            rejected |= fault.rows
    where = np.flatnonzero(rejected)
    for index, raw in zip(where, raw_texts(frame.iloc[where]), strict=True):
        reject(member, int(block.row[index]), int(block.line[index]), raw)
    kept = frame[~rejected].reset_index(drop=True)
    return failures(kept, block, ~rejected, member)


def failures(frame: pd.DataFrame, block: Block, kept: NDArray[np.bool_], member: str) -> Table:
    """Rows of deploymentID, failureStart, failureEnd as alarms of devices."""
    out = frame.rename(
        columns={
            "deploymentID": "device",
            "failureStart": "time_start",
            "failureEnd": "time_end",
            "comments": "remarks",
        }
    )
    out["kind"] = _KIND
    return Table(
        type="DeviceEvent",
        frame=out,
        row=block.row[kept],
        line=block.line[kept],
        file=member,
        vocabulary="ecotone",
    )
