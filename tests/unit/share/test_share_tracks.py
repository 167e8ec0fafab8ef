from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ecotone.share.door import Door
from tests.unit.share.fixtures import MemoryStore, agreement, dataset, request

TENTH = {"name": "cats", "level": "generalised", "cell_degrees": 0.1}


def fixes(per_animal=12, animals=3, **columns):
    number = per_animal * animals
    return pd.DataFrame(
        {
            "id": [f"f{i:03d}" for i in range(number)],
            "version": 1,
            "dataset_id": "cats",
            "taxon": "Panthera uncia",
            "individual": [f"F{i % animals}" for i in range(number)],
            "latitude": 37.01 + np.arange(number) * 1e-4,
            "longitude": 73.23,
            "coordinate_uncertainty_m": 15.0,
            "time_start": pd.Timestamp("2024-05-03", tz="UTC")
            + pd.to_timedelta(np.arange(number), unit="h"),
            **columns,
        }
    )


def release(frame, classes=(TENTH,), noun="Observation"):
    store = MemoryStore([dataset("cats", "AA")], [agreement(list(classes))], {noun: frame})
    return Door(store, request()).release(noun).rows


def test_fixes_leave_as_one_line_for_a_cell_and_a_month():
    rows = release(fixes())
    assert len(rows) == 1
    row = rows.iloc[0]
    assert (row["latitude"], row["longitude"], row["time_text"]) == (37.05, 73.25, "2024-05")
    assert row["coordinate_uncertainty_m"] == 7113 + 1000
    assert row["time_precision"] == "month" and pd.isna(row["individual"])
    assert row["id"].startswith("~") and pd.isna(row["version"])
    assert "3" in row["data_generalizations"] and "10" in row["data_generalizations"]


def test_too_few_animals_or_fixes_leave_nothing():
    assert release(fixes(animals=2)).empty
    assert release(fixes(per_animal=3)).empty
    assert len(release(fixes(per_animal=4))) == 1
    assert release(fixes(), [{**TENTH, "minimum_animals": 4}]).empty
    assert release(fixes(per_animal=4), [{**TENTH, "minimum_fixes": 13}]).empty


def test_every_animal_counts_where_it_lived_most():
    wandering = fixes()
    # Each animal spends two of twelve fixes in the cell to the north: that cell is not told.
    wandering.loc[wandering.index[-6:], "latitude"] = 37.15
    rows = release(wandering)
    assert rows["latitude"].tolist() == [37.05]
    apart = fixes(animals=4)
    apart.loc[apart["individual"] == "F3", "latitude"] = 38.55
    assert release(apart)["latitude"].tolist() == [37.05]
    even = fixes(per_animal=12)
    even["latitude"] = np.where(np.arange(36) < 18, 37.15, 37.05)
    assert release(even)["latitude"].tolist() == [37.05], "of equals the more southern"


def test_animals_of_one_den_are_told_in_one_cell():
    """Two cells told beside each other would say that the den lies between them."""
    pack = fixes(animals=7, per_animal=20)
    north = pack["individual"].isin(["F0", "F1", "F2"])
    # Three of the seven live in the cell to the north and were once in that of the others.
    pack.loc[north & (pack.index >= 7), "latitude"] = 37.15
    assert release(pack)["latitude"].tolist() == [37.05]
    strangers = pack.copy()
    strangers.loc[north, "latitude"] = 37.15
    assert set(release(strangers)["latitude"]) == {37.05, 37.15}, "each where it was"
    other_kind = pack.assign(taxon=np.where(north, "Canis lupus", "Panthera uncia"))
    assert set(release(other_kind)["latitude"]) == {37.05, 37.15}, "each kind for itself"
    nameless = pack.assign(taxon=None)
    assert release(nameless)["latitude"].tolist() == [37.05]


def test_months_and_years_are_told_apart_and_timeless_fixes_not_at_all():
    two = fixes(per_animal=24)
    two.loc[36:, "time_start"] = pd.Timestamp("2024-06-01", tz="UTC")
    assert release(two)["time_text"].tolist() and set(release(two)["time_text"]) == {
        "2024-05",
        "2024-06",
    }
    assert release(fixes(time_start=pd.NaT)).empty


def test_rows_at_a_camera_or_without_a_place_are_records_and_no_fixes():
    assert len(release(fixes(deployment="D1"))) == 36
    assert len(release(fixes(latitude=np.nan))) == 36
    assert len(release(fixes(individual=None))) == 36
    mixed = fixes()
    mixed.loc[0, "individual"] = None
    assert len(release(mixed)) == 2


def test_occurrences_of_a_named_organism_are_fixes():
    frame = fixes().rename(columns={"individual": "organism"})
    assert len(release(frame, noun="Occurrence")) == 1


def test_who_withholds_place_time_or_taxon_gets_no_more_of_a_track():
    for field in ("latitude", "time_start"):
        assert release(fixes(), [{**TENTH, "withheld_fields": [field]}]).empty
    hidden = release(fixes(), [{**TENTH, "withheld_fields": ["taxon"]}])
    assert len(hidden) == 1 and hidden["taxon"].isna().all()


def test_in_full_a_track_is_a_track():
    assert len(release(fixes(), [{"name": "all", "level": "full"}])) == 36


def test_presence_comes_in_the_order_of_the_readers_names():
    """Not in that of places or months: an order would tell which of two lies further north."""
    there = fixes()
    many = [there.assign(id=there["id"] + f"-{n}", latitude=there["latitude"] + n,
                         individual=there["individual"] + f"-{n}") for n in range(12)]  # fmt: skip
    rows = release(pd.concat(many, ignore_index=True))
    assert len(rows) == 12
    assert rows["id"].is_monotonic_increasing
    assert not rows["latitude"].is_monotonic_increasing
    assert "index" not in rows


def test_just_enough_fixes_are_enough():
    assert len(release(fixes().iloc[:10])) == 1
    assert release(fixes().iloc[:9]).empty


def lived(*stays):
    """Fixes of animals: (animal, fixes at each of two cells, the second north or east)."""
    rows = [(animal, cell) for animal, *counts in stays
            for cell, count in enumerate(counts) for _ in range(count)]  # fmt: skip
    frame = fixes(per_animal=len(rows), animals=1)
    frame["individual"] = [animal for animal, _ in rows]
    return frame, np.array([cell for _, cell in rows])


@pytest.mark.parametrize("axis", ["latitude", "longitude"])
def test_of_two_cells_as_many_live_in_the_southern_and_western_counts(axis):
    alone = [(name, 12, 0) for name in "ae"] + [(name, 0, 12) for name in "bdf"]
    frame, cell = lived(*alone, ("c", 6, 6))
    frame = frame.assign(latitude=37.05, longitude=73.25)
    frame[axis] += cell * 0.1
    rows = release(frame)
    # The last counts where the first two live: both cells have three animals.
    assert len(rows) == 2
    assert rows["id"].nunique() == 2


def test_an_animal_counts_where_most_of_its_kind_live_not_where_it_is_alone():
    frame, cell = lived(("a", 12, 0), ("b", 12, 0), ("c", 12, 0), ("d", 6, 7))
    frame = frame.assign(latitude=37.05 + cell * 0.1, longitude=73.25)
    rows = release(frame, [{**TENTH, "minimum_animals": 4}])
    assert rows["latitude"].tolist() == [37.05]
