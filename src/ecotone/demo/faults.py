"""What goes wrong on the way: an archive cut short, a logger file nobody looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from ecotone.demo.files import write_csv
from ecotone.demo.stations import Stations

ROWS: Final = 480
#: How many rows of the logger file cannot be taken, by what is wrong with them.
FAULTS: Final = {"latitude": 6, "longitude": 5, "time": 12, "date": 4, "value": 8, "infinite": 1}


def write_truncated(path: Path, whole: Path) -> None:
    """An archive whose transfer broke off: the first 60 % of its bytes."""
    content = whole.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])


def write_faulty_loggers(rng: np.random.Generator, path: Path, stations: Stations) -> None:
    """Water temperature of twelve months from loggers, with the faults of ``FAULTS``.

    Coordinates beyond the globe, clocks without a zone, days that no calendar has, words
    instead of numbers and an infinite one: each in rows of its own.
    """
    rank = np.arange(ROWS) % 6
    at = pd.Timestamp("2024-01-01T06:00") + pd.to_timedelta(np.arange(ROWS) // 6 * 109, unit="h")
    wave = 9 - 8 * np.cos(2 * np.pi * (at.day_of_year.to_numpy() - 15) / 366)
    table = pd.DataFrame(
        {
            "result_id": [f"LOG-24-{number:04d}" for number in range(1, ROWS + 1)],
            "station": np.array(stations.ids)[rank],
            "latitude": np.char.mod("%.5f", stations.latitude[rank]),
            "longitude": np.char.mod("%.5f", stations.longitude[rank]),
            "sampled_at": at.strftime("%Y-%m-%dT%H:%M:%S-10:00"),
            "parameter": "water_temperature",
            "result": np.char.mod("%.2f", wave + 0.4 * rng.standard_normal(ROWS)),
            "unit": "degC",
        }
    )
    rows = rng.permutation(ROWS)
    cuts = np.cumsum([0, *FAULTS.values()])
    at_fault = {name: rows[a:b] for name, a, b in zip(FAULTS, cuts, cuts[1:], strict=False)}
    table.loc[at_fault["latitude"], "latitude"] = "141.25000"
    table.loc[at_fault["longitude"], "longitude"] = "-260.05750"
    table.loc[at_fault["time"], "sampled_at"] = "2024-05-17T09:30:00"
    table.loc[at_fault["date"], "sampled_at"] = "2024-02-30T10:00:00-10:00"
    table.loc[at_fault["value"], "result"] = "sensor dry"
    table.loc[at_fault["infinite"], "result"] = "1e400"
    write_csv(path, table)
