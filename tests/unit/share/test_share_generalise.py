from __future__ import annotations

import pandas as pd

from ecotone.model.agreement import Class
from ecotone.share import generalise
from tests.unit.share.fixtures import occurrences

TENTH = Class(name="cats", level="generalised", cell_degrees=0.1)


def test_full_leaves_out_where_the_row_stood_and_fields_withheld_by_name():
    rule = Class(name="all", level="full", withheld_fields=("locality",))
    out = generalise.full(occurrences(), "Occurrence", rule)
    assert "source_file" not in out
    assert out["locality"].isna().all()
    assert out["extra"].isna().all(), "a withheld field may hide among undescribed columns"
    assert (out[generalise.WITHHELD] == "locality").all()
    assert out["latitude"].iloc[0] == 37.0464


def test_full_without_withheld_fields_keeps_everything():
    out = generalise.full(occurrences(), "Occurrence", Class(name="all", level="full"))
    assert (out["extra"] == "{}").all()
    assert out[generalise.WITHHELD].isna().all()


def test_generalised_places_times_texts_links_and_persons():
    out = generalise.generalised(occurrences(), "Occurrence", TENTH, "en")
    assert (out["latitude"].iloc[0], out["longitude"].iloc[0]) == (37.05, 73.25)
    # Radius of the cell (7113 m) plus the record's own 20 m, rounded up to a kilometre.
    assert out["coordinate_uncertainty_m"].iloc[0] == 7113 + 1000
    assert out["latitude"].isna().tolist() == [False, False, True, False]
    assert out["time_start"].iloc[0] == pd.Timestamp("2026-05-01", tz="UTC")
    assert out["recorded_by"].isna().all()
    assert out["occurrence_id"].isna().all(), "it joins to the exact record elsewhere"
    assert out["locality"].iloc[0] != "Under the red cliff"
    assert out["locality"].isna().tolist() == [False, True, False, False]
    assert "extra" not in out
    assert "0.1" in out[generalise.GENERALISED].iloc[0]


def test_generalised_without_uncertainty_or_place_or_time():
    frame = occurrences().drop(
        columns=["coordinate_uncertainty_m", "time_start", "latitude", "extra"]
    )
    out = generalise.generalised(frame, "Occurrence", TENTH, "zh")
    assert "coordinate_uncertainty_m" not in out
    placed = occurrences().drop(columns="coordinate_uncertainty_m")
    assert generalise.generalised(placed, "Occurrence", TENTH, "ru")[
        "coordinate_uncertainty_m"
    ].notna().tolist() == [True, True, False, True]


def test_aggregates_leave_small_groups_out_whole():
    rule = Class(name="all", level="aggregated", minimum_count=2)
    frame = pd.concat([occurrences().iloc[[0]]] * 2 + [occurrences().iloc[[1]]])
    out = generalise.aggregated(frame, "Occurrence", rule)
    assert out[["taxon", "count"]].to_numpy().tolist() == [["Panthera uncia", 2]]


def test_aggregated_means_leave_censored_results_out():
    rule = Class(name="all", level="aggregated", minimum_count=2)
    frame = pd.DataFrame(
        {
            "dataset_id": ["w"] * 5,
            "property": ["nitrate"] * 3 + ["lead"] * 2,
            "value": [1.0, 3.0, 9.0, 0.5, 2.0],
            "limit_kind": [None, None, "below", "below", None],
            "time_start": pd.to_datetime(["2025-03-01"] * 5, utc=True),
        }
    )
    out = generalise.aggregated(frame, "Observation", rule).set_index("property")
    assert out.loc["nitrate", "count"] == 3
    assert out.loc["nitrate", "mean"] == 2.0
    # One number only behind the second mean: it would be that number.
    assert pd.isna(out.loc["lead", "mean"])
    plain = generalise.aggregated(
        frame.drop(columns=["limit_kind", "time_start"]), "Observation", rule
    )
    assert plain["count"].tolist() == [2, 3]
