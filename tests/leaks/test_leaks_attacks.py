"""The attacks of the literature, carried out on what the door lets out.

Each attacker does his best with released values; the median error of his guesses must be no smaller
than that of who merely guesses the centre of the published cell (0.40 of its side for points
uniform in a square: some points lie at the centre, so a bound for each point would be wrong).
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from tests.unit.share.fixtures import MemoryStore, agreement, dataset, request

from ecotone.share.door import Door
from ecotone.share.grid import cell_centres

POINTS = 2_000
TENTH = {"name": "cats", "level": "generalised", "cell_degrees": 0.1}


def points(number: int = POINTS, seed: int = 3) -> pd.DataFrame:
    """One record each, spread over 36 to 44 N; the taxon tells the attacker which it is."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "id": [f"AA-{i:05d}" for i in range(number)],
            "version": 1,
            "dataset_id": "cats",
            "taxon": [f"Animal no{i}" for i in range(number)],
            "latitude": rng.uniform(36, 44, number),
            "longitude": rng.uniform(70, 80, number),
            "coordinate_uncertainty_m": 10.0,
            "time_start": pd.Timestamp("2024-05-03T10:17Z"),
        }
    )


def released(frame: pd.DataFrame, rule: dict = TENTH, **how) -> pd.DataFrame:
    store = MemoryStore(
        [dataset("cats", "AA")], [agreement([rule])], {how.pop("noun", "Occurrence"): frame}
    )
    noun = next(iter(store._tables))
    return Door(store, request(**how)).release(noun).rows


def metres(latitude, longitude, true: pd.DataFrame) -> np.ndarray:
    north = (np.asarray(latitude) - true["latitude"].to_numpy()) * 111_132.0
    east = (np.asarray(longitude) - true["longitude"].to_numpy()) * 111_320.0
    return np.hypot(north, east * np.cos(np.radians(true["latitude"].to_numpy())))


def guess(true: pd.DataFrame, cell: float = 0.1) -> float:
    """Median error of guessing the centre of the cell."""
    cells = cell_centres(true["latitude"].to_numpy(), true["longitude"].to_numpy(), cell)
    return float(np.median(metres(cells.latitude, cells.longitude, true)))


def in_order(rows: pd.DataFrame) -> pd.DataFrame:
    number = rows["taxon"].str.removeprefix("Animal no").astype(int)
    return rows.assign(number=number).sort_values("number", ignore_index=True)


def test_guessing_the_centre_errs_by_two_fifths_of_the_side() -> None:
    # A cell of 0.1 degree is 11.1 by 8.5 km at 40 N.
    assert guess(points()) == pytest.approx(0.40 * np.sqrt(11_113 * 8_528), rel=0.05)


def test_averaging_a_hundred_releases() -> None:
    true = points(200)
    told = [in_order(released(true)) for _ in range(100)]
    latitude = np.mean([rows["latitude"] for rows in told], axis=0)
    longitude = np.mean([rows["longitude"] for rows in told], axis=0)
    error = float(np.median(metres(latitude, longitude, true)))
    assert error == pytest.approx(guess(true)) and error >= guess(true) * 0.999999
    assert all(rows.equals(told[0]) for rows in told), "and every release is the same"


@pytest.mark.parametrize("cells", [(0.1, 1.0), (0.01, 0.1), (0.01, 0.1, 1.0)])
def test_partners_who_lay_their_grids_over_each_other(cells: tuple[float, ...]) -> None:
    true = points()
    south, north = np.full(POINTS, -90.0), np.full(POINTS, 90.0)
    west, east = np.full(POINTS, -180.0), np.full(POINTS, 180.0)
    for cell in cells:
        rows = in_order(released(true, {**TENTH, "cell_degrees": cell}))
        south = np.maximum(south, rows["latitude"] - cell / 2)
        north = np.minimum(north, rows["latitude"] + cell / 2)
        west = np.maximum(west, rows["longitude"] - cell / 2)
        east = np.minimum(east, rows["longitude"] + cell / 2)
    error = float(np.median(metres((south + north) / 2, (west + east) / 2, true)))
    assert error >= guess(true, min(cells)) * 0.999999


def test_bisecting_by_boxes() -> None:
    """Thirty boxes per axis; what is asked of released rows leads to the centre, and no further."""
    true = points(300)
    rows = in_order(released(true))
    found = {}
    for axis in ("latitude", "longitude"):
        low = rows[axis].to_numpy() - 0.5
        high = rows[axis].to_numpy() + 0.5
        for _ in range(30):
            middle = (low + high) / 2
            above = rows[axis].to_numpy() >= middle
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        found[axis] = (low + high) / 2
    error = float(np.median(metres(found["latitude"], found["longitude"], true)))
    assert error >= guess(true) * 0.99999


def tracks(groups: int, seed: int = 5, spread_km: float = 0.5) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Three animals a group, 500 fixes each about a centre (4.4 km), and the true centres."""
    rng = np.random.default_rng(seed)
    home = pd.DataFrame(
        {"latitude": rng.uniform(36, 44, groups), "longitude": rng.uniform(70, 80, groups)}
    ).loc[np.repeat(np.arange(groups), 3)]
    wide = 111.32 * np.cos(np.radians(home["latitude"]))
    home["latitude"] += rng.normal(0, spread_km, len(home)) / 111.13
    home["longitude"] += rng.normal(0, spread_km, len(home)) / wide
    home = home.reset_index(drop=True).assign(group=np.repeat(np.arange(groups), 3))
    fixes = home.loc[np.repeat(np.arange(len(home)), 500)]
    animal = np.repeat(np.arange(len(home)), 500)
    number = len(fixes)
    return home, pd.DataFrame(
        {
            "id": [f"f{i:07d}" for i in range(number)],
            "version": 1,
            "dataset_id": "cats",
            "taxon": [f"Animal no{g}" for g in fixes["group"]],
            "individual": [f"F{a}" for a in animal],
            "latitude": fixes["latitude"].to_numpy() + rng.normal(0, 4.4, number) / 111.13,
            "longitude": fixes["longitude"].to_numpy()
            + rng.normal(0, 4.4, number) / np.repeat(wide.to_numpy(), 500),
            "time_start": pd.Timestamp("2024-01-01", tz="UTC")
            + pd.to_timedelta(rng.integers(0, 365 * 24, number), unit="h"),
        }
    )


@pytest.mark.parametrize("spread_km", [0.1, 3.0])
def test_the_centre_of_a_range(spread_km: float) -> None:
    home, fixes = tracks(60, spread_km=spread_km)
    rows = in_order(released(fixes, noun="Observation"))
    assert len(rows) < 60 * 3 * 12, "a line for a cell and a month, never for a fix"
    centre = rows.groupby("number")[["latitude", "longitude"]].mean()
    mine = home[home["group"].isin(centre.index)]
    found = centre.loc[mine["group"]]
    error = float(np.median(metres(found["latitude"], found["longitude"], mine)))
    assert len(mine) > 30
    assert error >= guess(mine) * 0.95, "its own cell's centre, up to the chance of 60 groups"
    # The same fixes told one by one would give it away: this is what the rule is for.
    cells = cell_centres(fixes["latitude"].to_numpy(), fixes["longitude"].to_numpy(), 0.1)
    singly = pd.DataFrame(
        {"la": cells.latitude, "lo": cells.longitude, "f": fixes["individual"].to_numpy()}
    ).groupby("f", sort=False)[["la", "lo"]].mean()  # fmt: skip
    assert np.median(metres(singly["la"], singly["lo"], home)) < 0.2 * guess(home)


def sums(frame: pd.DataFrame, minimum: int = 5) -> pd.DataFrame:
    rule = {"name": "sums", "level": "aggregated", "minimum_count": minimum}
    store = MemoryStore([dataset("cats", "AA")], [agreement([rule])], {"Observation": frame})
    return Door(store, request()).release("Observation").groups


def values(number: int, seed: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "id": [f"{i:04d}" for i in range(number)],
            "version": 1,
            "dataset_id": "cats",
            "property": "nitrate",
            "value": rng.lognormal(1.0, 1.0, number),
            "time_start": pd.Timestamp("2024-05-03", tz="UTC"),
        }
    )


def test_differencing_two_releases_for_the_record_between_them() -> None:
    """n2 * mean2 - n1 * mean1 is the added value, where counts and means are told exactly."""
    whole = values(60)
    told = [sums(whole.iloc[:n]).iloc[0] for n in range(5, 61)]
    errors, guesses = [], []
    for before, after, number in zip(told[:-1], told[1:], range(5, 60), strict=True):
        true = whole["value"].iloc[number]
        added = after["count"] - before["count"]
        block = (after["count"] * after["mean"] - before["count"] * before["mean"]) / (added or 1)
        errors.append(abs((block if added else before["mean"]) - true))
        guesses.append(abs(before["mean"] - true))
        assert added in (0, 5), "never one record"
    assert np.median(errors) >= np.median(guesses) * 0.9


def test_two_readers_with_other_minimums_differ_by_whole_blocks() -> None:
    whole = values(37)
    told = {m: int(sums(whole, m)["count"].iloc[0]) for m in (3, 5, 7, 10, 15, 20)}
    assert told == {3: 35, 5: 35, 7: 30, 10: 30, 15: 20, 20: 20}


def test_small_counts_from_totals_known_elsewhere() -> None:
    """Whoever knows every true margin still finds no small count."""
    rng = np.random.default_rng(8)
    for _ in range(40):
        true = pd.DataFrame(
            rng.integers(0, 14, (4, 4)), index=list("abcd"), columns=range(2020, 2024)
        )
        frame = pd.DataFrame(
            [
                {"taxon": taxon, "time_start": pd.Timestamp(f"{year}-06-01", tz="UTC")}
                for taxon in true.index
                for year in true.columns
                for _ in range(true.loc[taxon, year])
            ]
        )
        frame = frame.assign(
            id=[f"{i:04d}" for i in range(len(frame))], version=1, dataset_id="cats"
        )
        out = sums(frame)
        cells = zip(out["taxon"], out["year"].astype(int), strict=True)
        shown = dict(zip(cells, out["count"].astype(int), strict=True))
        for taxon in true.index:
            for year in true.columns:
                count = int(true.loc[taxon, year])
                if (taxon, year) in shown:
                    assert 0 <= count - shown[taxon, year] < 5
                    continue
                # Alone in its line, the margin less the shown blocks would tell it.
                beside = [y for y in true.columns if (taxon, y) not in shown and true.loc[taxon, y]]
                below = [t for t in true.index if (t, year) not in shown and true.loc[t, year]]
                assert count == 0 or len(beside) != 1 or not any(t == taxon for t, _ in shown)
                assert count == 0 or len(below) != 1 or not any(y == year for _, y in shown)


def test_asking_every_day_for_the_day_an_embargo_ends() -> None:
    """A record that appears a year after its day would tell its day: it appears by the month."""
    frame = points(40).assign(
        time_start=pd.Timestamp("2025-03-01", tz="UTC")
        + pd.to_timedelta(np.arange(40) % 31, unit="D")
    )
    rule = {**TENTH, "embargo_months": 12}
    appeared: dict[str, date] = {}
    day = date(2026, 2, 20)
    while day < date(2026, 5, 10):
        rows = released(frame, rule, today=day)
        for taxon in rows["taxon"] if len(rows) else ():
            appeared.setdefault(taxon, day)
        day += timedelta(days=1)
    assert len(appeared) == 40
    assert set(appeared.values()) == {date(2026, 4, 1)}


def test_what_stands_between_two_rows_in_full() -> None:
    """Rows of a file lie in the order of a walk: the hidden one must not stand in its place."""
    walk = points(50).assign(latitude=np.linspace(37, 38, 50), longitude=73.0)
    walk["taxon"] = np.where(np.arange(50) % 10 == 5, "Panthera uncia", "Marmota baibacina")
    rules = [
        {**TENTH, "taxa": ["Panthera uncia"], "cell_degrees": 1.0},
        {"name": "r", "level": "full"},
    ]
    store = MemoryStore([dataset("cats", "AA")], [agreement(rules)], {"Occurrence": walk})
    rows = Door(store, request()).release("Occurrence").rows
    cats = rows[rows["release_level"] == "generalised"]
    assert len(cats) == 5 and not any(name in set(cats["id"]) for name in walk["id"])
    moved = walk.iloc[np.random.default_rng(1).permutation(50)]
    again = MemoryStore([dataset("cats", "AA")], [agreement(rules)], {"Occurrence": moved})
    assert Door(again, request()).release("Occurrence").rows.equals(rows)
