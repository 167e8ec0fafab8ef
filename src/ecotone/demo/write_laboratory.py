"""Velmara's laboratory and network as they send it: controls, custody, devices, streams."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from ecotone.demo.files import write_csv
from ecotone.demo.names import data_text
from ecotone.demo.simulate_laboratory import (
    DRIFT,
    LATE,
    LONG,
    SONDE,
    VISITS,
    Laboratory,
)
from ecotone.demo.stations import Stations

_NO3_PER_N: Final = 62.0049 / 14.0067  # molar masses, IUPAC 2021
_STANDARD: Final = 1413.0  # uS/cm at 25 C, potassium chloride 0.01 mol/L


def batch_name(number: int) -> str:
    """The laboratory's number of a batch."""
    return f"VL24-{number:02d}"


def laboratory_columns(rows: pd.DataFrame, factor: np.ndarray) -> dict[str, pd.Series]:
    """What the laboratory adds to its results: batch, day of analysis, reporting limit."""
    inside = rows["batch"] > 0
    wait = pd.to_timedelta(np.where(rows["batch"] == LATE, 5, 1), unit="D")
    limit = pd.Series(np.char.mod("%.4g", rows["limit"].to_numpy() * factor), index=rows.index)
    return {
        "batch": rows["batch"].map(batch_name).where(inside, ""),
        "analysed_on": (rows["day"] + wait).dt.strftime("%Y-%m-%d").where(inside, ""),
        "reporting_limit": limit.where(inside, ""),
    }


def write_controls(path: Path, laboratory: Laboratory, bottles: pd.Series) -> None:
    """Blanks, control samples and duplicates; ``bottles`` names the bottle of each result."""
    rows = laboratory.controls
    ion = (rows["property"] == "nitrate").to_numpy()
    factor = np.where(ion, _NO3_PER_N, 1.0)
    below = (rows["value"] < rows["limit"]).to_numpy()
    value = np.char.mod("%.4g", np.where(below, rows["limit"], rows["value"]) * factor)
    of = rows["of"].to_numpy()
    named = np.where(of >= 0, bottles.reindex(of).fillna("").to_numpy(), "")
    expected = np.char.mod("%.4g", rows["expected"].to_numpy() * factor)
    write_csv(
        path,
        pd.DataFrame(
            {
                "control_id": [f"VQ24-{n:05d}" for n in range(1, len(rows) + 1)],
                "analysis": rows["batch"].map(batch_name),
                "kind": rows["kind"],
                "sample": named,
                "property": rows["property"],
                "basis": np.where(ion, "NO3", np.where(rows["property"] == "ammonium", "N", "")),
                "value": np.where(below, np.char.add("<", value), value),
                "unit": "mg/L",
                "expected": np.where(rows["expected"].notna(), expected, ""),
                "reporting_limit": np.char.mod("%.4g", rows["limit"].to_numpy() * factor),
            }
        ),
    )


def write_custody(path: Path, laboratory: Laboratory, names: tuple[str, ...]) -> None:
    """Three steps of every bottle: taken, handed over, received; some go wrong."""
    rows = laboratory.bottles
    bottle = rows["day"].dt.strftime("B%y%m%d-") + rows["station"].map(dict(enumerate(names)))
    what = rows["happened"]
    # The crew reaches a station as its results say, and hands over all bottles in the evening.
    taken = rows["day"] + pd.to_timedelta(9 * 60 + (rows["station"] * 17) % 420, unit="min")
    seal = bottle.str.replace("B", "S", n=1)
    common = {"sample": bottle, "batch": rows["batch"]}
    collected = pd.DataFrame(
        {**common, "kind": "collected", "at": taken, "by": "river crew", "handed_to": "",
         "seal": seal, "seal_state": "intact", "temperature_c": "", "signed": "true"}
    )  # fmt: skip
    given = pd.DataFrame(
        {**common, "kind": "handed over", "at": rows["day"] + pd.Timedelta(hours=18),
         "by": "river crew", "handed_to": "sample room", "seal": seal, "seal_state": "intact",
         "temperature_c": "", "signed": "true"}
    )  # fmt: skip
    evening = rows["day"] + pd.Timedelta(hours=19)
    cool = np.char.mod("%.1f", 3.5 + (rows["station"] % 5).to_numpy() * 0.4)
    received = pd.DataFrame(
        {**common, "kind": "received",
         "at": evening.where(what != "clock", taken - pd.Timedelta(hours=3)),
         "by": np.where(what == "hands", "night guard", "sample room"), "handed_to": "",
         "seal": seal, "seal_state": np.where(what == "seal", "broken", "intact"),
         "temperature_c": np.where(what == "warm", "14.5", cool),
         "signed": "true"}
    )  # fmt: skip
    steps = pd.concat([collected, given, received[what != "lost"]], ignore_index=True)
    steps = steps.sort_values(["sample", "at"], kind="stable")
    steps["time_start"] = steps.pop("at").dt.strftime("%Y-%m-%dT%H:%M")
    write_csv(path, steps.drop(columns="batch"))


def write_sonde(path: Path, laboratory: Laboratory, stations: Stations) -> None:
    """The sonde's stream as its logger wrote it, in UTC."""
    rows = laboratory.sonde
    write_csv(
        path,
        pd.DataFrame(
            {
                **_placed(stations, SONDE),
                "deployment": "SONDE-1 2024",
                "time": rows["time"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "property": "conductivity",
                "value": np.char.mod("%.1f", rows["value"].to_numpy()),
                "unit": "uS/cm",
            }
        ),
    )


def write_history(path: Path, laboratory: Laboratory, stations: Stations) -> None:
    """Twenty years of one station, as an older office kept them."""
    rows = laboratory.history
    write_csv(
        path,
        pd.DataFrame(
            {
                **_placed(stations, LONG),
                "date": rows["day"].dt.strftime("%Y-%m-%d"),
                "property": "nitrate",
                "basis": "N",
                "value": np.char.mod("%.3f", rows["value"].to_numpy()),
                "unit": "mg/L",
            }
        ),
    )


def _placed(stations: Stations, rank: int) -> dict[str, str]:
    """A station's number and place, the same in every row."""
    return {
        "site": stations.ids[rank],
        "latitude": f"{stations.latitude[rank]:.5f}",
        "longitude": f"{stations.longitude[rank]:.5f}",
    }


def write_devices(path: Path) -> None:
    """The register: who gave what, who keeps it, what it needs."""
    write_csv(path, pd.read_csv(io.StringIO(data_text("devices.csv")), keep_default_na=False))


def write_events(path: Path, station: str) -> None:
    """Visits to the sonde: a standard is read before it is cleaned and adjusted, and after."""
    found = [_STANDARD, *([_STANDARD * (1 + DRIFT)] * (len(VISITS) - 1))]
    visits = pd.DataFrame(
        {"device": "SONDE-1", "kind": "calibration", "time_start": [f"{v}T00:00Z" for v in VISITS],
         "site": station, "property": "conductivity", "unit": "uS/cm",
         "standard_value": f"{_STANDARD:g}", "reading_before": [f"{x:.1f}" for x in found],
         "reading_after": f"{_STANDARD:g}", "standard": "KCl 0.01 mol/L",
         "certificate": "C-2024-118", "certificate_until": "2024-10-31"}
    )  # fmt: skip
    others = pd.DataFrame(
        [("SONDE-1", "deployment", "2024-01-01T12:00Z", station, ""),
         ("SONDE-1", "service", "2024-06-11T09:00Z", station, "wiper"),
         ("SONDE-2", "fault", "2024-08-02T10:00Z", "", ""),
         ("TURB-1", "fault", "2024-12-12T10:00Z", "", "")],
        columns=["device", "kind", "time_start", "site", "parts"],
    )  # fmt: skip
    write_csv(path, pd.concat([visits, others], ignore_index=True).fillna(""))


def write_rules(path: Path, station: str) -> None:
    """When the sonde's alarm is raised, and when it ends."""
    write_csv(
        path,
        pd.DataFrame(
            {"rule_id": ["AR-1"], "site": [station], "property": ["conductivity"],
             "kind": ["above"], "raise_at": ["520"], "clear_at": ["490"], "unit": ["uS/cm"],
             "persistence_min": ["720"], "acknowledge_min": ["1440"], "on_censored": ["false"]}
        ),
    )  # fmt: skip
