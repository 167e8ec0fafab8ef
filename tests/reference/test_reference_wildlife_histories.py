"""Histories of camtrapR's own sample: its dimensions, and its rule for days without effort."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.support import shared

from ecotone.assess.compute import compute

#: Sabah: eight hours ahead; a retrieval day counts whole.
ZONE = "+08:00"


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, list[Path]]:
    folder = shared("wildlife/camtrapr_sample")
    stations = pd.read_csv(folder / "camtraps.csv")

    def day(text: pd.Series, more: int = 0) -> pd.Series:
        moment = pd.to_datetime(text, format="%d/%m/%Y") + pd.Timedelta(days=more)
        return moment.dt.strftime(f"%Y-%m-%dT00:00:00{ZONE}")

    made = {n: [tmp_path / f"{n}.csv"] for n in ("deployments", "observations", "failures")}
    pd.DataFrame(
        {
            "deploymentID": stations["Station"],
            "deploymentStart": day(stations["Setup_date"]),
            "deploymentEnd": day(stations["Retrieval_date"], 1),
        }
    ).to_csv(made["deployments"][0], index=False)
    broken = stations.dropna(subset="Problem1_from")
    pd.DataFrame(
        {
            "deploymentID": broken["Station"],
            "failureStart": day(broken["Problem1_from"]),
            "failureEnd": day(broken["Problem1_to"], 1),
        }
    ).to_csv(made["failures"][0], index=False)
    records = pd.read_csv(folder / "recordTableIndividualSample.csv", dtype=str)
    _records(records).to_csv(made["observations"][0], index=False)
    return made


def _records(records: pd.DataFrame) -> pd.DataFrame:
    out = pd.DataFrame(
        {
            "deploymentID": records["Station"],
            "eventStart": records["DateTimeOriginal"].str.replace(" ", "T") + ZONE,
            "observationType": "animal",
            "scientificName": records["Species"],
        }
    )
    return out.assign(individualID=records["Individual"]) if "Individual" in records else out


def visits(inputs: dict[str, list[Path]], out: Path, **parameters: object) -> pd.DataFrame:
    told = compute("wildlife.histories", inputs, {"offset": 8, **parameters}, out)
    table = pd.read_csv(out / told.tables["visits"])
    return table.pivot(index="site", columns="visit", values="detected")


@pytest.mark.parametrize(
    ("parameters", "occasions"),
    [({"days": 7}, 7), ({"days": 1}, 44), ({"days": 1, "from": "survey"}, 46), ({"days": 10}, 5)],
)
def test_dimensions(
    inputs: dict[str, list[Path]], tmp_path: Path, parameters: dict[str, object], occasions: int
) -> None:
    assert visits(inputs, tmp_path / "o", **parameters).shape == (3, occasions)


def test_days_without_effort_are_missing_never_nought(
    inputs: dict[str, list[Path]], tmp_path: Path
) -> None:
    seen = visits(inputs, tmp_path / "o", days=1)
    # C broke on its 39th day; A was gone after its 43rd.
    assert seen.loc["StationC", 39:].isna().all()
    assert seen.loc["StationC", :38].notna().all()
    assert seen.loc["StationA", [44]].isna().all()
    assert seen.loc["StationA", :43].notna().all()
    by_survey = visits(inputs, tmp_path / "p", days=1, **{"from": "survey"})
    assert by_survey.loc["StationC", :2].isna().all()
    assert by_survey.loc["StationC", 41:].isna().all()


def test_histories_of_individuals(inputs: dict[str, list[Path]], tmp_path: Path) -> None:
    told = compute("wildlife.histories", inputs, {"offset": 8, "days": 10}, tmp_path / "o")
    captures = pd.read_csv(tmp_path / "o" / told.tables["captures"])
    records = pd.read_csv(inputs["observations"][0])
    assert captures["id"].nunique() == records["individualID"].nunique()
    assert captures["count"].sum() == len(records)
    assert captures["occasion"].max() <= 5
    detectors = pd.read_csv(tmp_path / "o" / told.tables["detectors"])
    usage = detectors[[f"usage{k}" for k in range(1, 6)]].to_numpy()
    assert usage.sum() == told.values["effort"].value == 43 + 44 + 38
    assert np.isclose(usage[2], [10, 10, 10, 8, 0]).all()
