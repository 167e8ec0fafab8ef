"""Millions of camera-trap media checked: types, lists, patterns, keys, times, deployments.

A package of 2,000 deployments and as many media as asked for (default ten million) is written to a
temporary folder, then read by our format, which checks every rule of the standard.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.machine import machine

from ecotone.formats.base import ReadOptions
from ecotone.formats.camtrapdp import FORMAT
from ecotone.formats.camtrapdp_write import write_camtrapdp
from ecotone.formats.safe import open_source
from ecotone.model.finding import Finding

DEPLOYMENTS = 2_000
PIECE = 500_000
STUDY = {
    "created": "2026-03-01T08:00:00Z",
    "contributors": [{"title": "Benchmark", "role": "contact"}],
    "project": {
        "title": "Benchmark",
        "samplingDesign": "targeted",
        "captureMethod": ["activityDetection"],
        "individualAnimals": False,
        "observationLevel": ["media"],
    },
    "taxonomic": [{"scientificName": "Panthera uncia"}],
}


def main() -> None:
    """Write, read, print."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    print(machine())
    with tempfile.TemporaryDirectory(prefix="ecotone-benchmark-") as scratch:
        folder = Path(scratch) / "package"
        write(folder, rows)
        size = (folder / "media.csv").stat().st_size / 1e6
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        wall, processor = time.perf_counter(), time.process_time()
        read = 0
        found: list[Finding] = []
        with open_source(folder) as source:
            for table in FORMAT.read(source, ReadOptions(), found.append, lambda *row: None):
                read += len(table.frame) if table.type == "Media" else 0
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    if read != rows or found:
        raise AssertionError(f"{read} of {rows} media read; {[f.message() for f in found[:3]]}")
    print(
        f"{rows:,} media, {size:,.0f} MB: checked in {wall:.0f} s "
        f"({processor:.0f} s of processor), peak {peak:.2f} GB ({before:.2f} GB before reading)"
    )


def write(folder: Path, rows: int) -> None:
    """The package; media in pieces, so that writing does not set the peak of memory."""
    start = pd.Timestamp("2025-01-01T00:00:00")
    names = [f"D{k:05d}" for k in range(DEPLOYMENTS)]
    deployments = pd.DataFrame(
        {
            "deploymentID": names,
            "latitude": "38.1",
            "longitude": "73.2",
            "deploymentStart": "2025-01-01T00:00:00+05:00",
            "deploymentEnd": "2025-12-31T00:00:00+05:00",
        }
    )
    media = ["mediaID", "deploymentID", "timestamp", "filePath", "filePublic", "fileMediatype"]
    seen = pd.DataFrame(
        {
            "observationID": ["o1"],
            "deploymentID": ["D00000"],
            "eventStart": ["2025-06-01T00:00:00Z"],
            "eventEnd": ["2025-06-01T00:00:00Z"],
            "observationLevel": ["event"],
            "observationType": ["animal"],
            "scientificName": ["Panthera uncia"],
        }
    )
    write_camtrapdp(folder, deployments, pd.DataFrame(columns=media), seen, STUDY)
    header = list(pd.read_csv(folder / "media.csv", nrows=0).columns)
    with (folder / "media.csv").open("w", encoding="utf-8", newline="") as out:
        out.write(",".join(header) + "\n")
        for first in range(0, rows, PIECE):
            number = np.arange(first, min(rows, first + PIECE))
            text = pd.Series(number).astype("str").str.zfill(9)
            own = pd.Series(np.array(names, dtype=object)[number % DEPLOYMENTS])
            at = start + pd.to_timedelta(5 * 3600 + number % 28_000_000, unit="s")
            frame = pd.DataFrame(index=range(len(number)), columns=header, dtype=object)
            frame["mediaID"] = "M" + text
            frame["deploymentID"] = own
            frame["timestamp"] = pd.Series(at.strftime("%Y-%m-%dT%H:%M:%S+05:00"))
            frame["filePath"] = own + "/IMG_" + text + ".JPG"
            frame["filePublic"] = "false"
            frame["fileMediatype"] = "image/jpeg"
            frame.to_csv(out, index=False, header=False, lineterminator="\n")


if __name__ == "__main__":
    main()
