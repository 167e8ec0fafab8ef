"""The attacks of the literature, carried out on what the door lets out.

Each attacker does his best with released values; the median error of his guesses must be no smaller
than that of who merely guesses the centre of the published cell (0.40 of its side for points
uniform in a square: some points lie at the centre, so a bound for each point would be wrong).
"""

from __future__ import annotations

import itertools
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


def guesses(true: pd.DataFrame, cell: float = 0.1) -> np.ndarray:
    """Errors of guessing the centre of each place's own cell."""
    cells = cell_centres(true["latitude"].to_numpy(), true["longitude"].to_numpy(), cell)
    return metres(cells.latitude, cells.longitude, true)


def guess(true: pd.DataFrame, cell: float = 0.1) -> float:
    """Median error of guessing the centre of the cell."""
    return float(np.median(guesses(true, cell)))


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


def tracks(
    groups: int, animals: int = 3, seed: int = 5, spread_km: float = 0.5
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Dens, the centres of the ranges about each, and 200 fixes of each animal (sd 4.4 km)."""
    rng = np.random.default_rng(seed)
    den = pd.DataFrame(
        {"latitude": rng.uniform(36, 44, groups), "longitude": rng.uniform(70, 80, groups)}
    )
    home = den.loc[np.repeat(np.arange(groups), animals)]
    wide = 111.32 * np.cos(np.radians(home["latitude"]))
    home["latitude"] += rng.normal(0, spread_km, len(home)) / 111.13
    home["longitude"] += rng.normal(0, spread_km, len(home)) / wide
    home = home.reset_index(drop=True).assign(group=np.repeat(np.arange(groups), animals))
    animal = np.repeat(np.arange(len(home)), 200)
    fixes, number = home.loc[animal], len(animal)
    return (
        den,
        home,
        pd.DataFrame(
            {
                "id": [f"f{i:07d}" for i in range(number)],
                "version": 1,
                "dataset_id": "cats",
                "taxon": [f"Animal no{g}" for g in fixes["group"]],
                "individual": [f"F{a}" for a in animal],
                "latitude": fixes["latitude"].to_numpy() + rng.normal(0, 4.4, number) / 111.13,
                "longitude": fixes["longitude"].to_numpy()
                + rng.normal(0, 4.4, number) / np.repeat(wide.to_numpy(), 200),
                "time_start": pd.Timestamp("2024-01-01", tz="UTC")
                + pd.to_timedelta(rng.integers(0, 365 * 24, number), unit="h"),
            }
        ),
    )


@pytest.mark.parametrize(("animals", "spread_km"), [(3, 0.1), (3, 3.0), (6, 1.0), (12, 1.0)])
def test_the_centre_of_a_range(animals: int, spread_km: float) -> None:
    """The attacker takes the mean of all cells told of animals that share a den.

    They are told in one cell, so his guess is a cell's centre. Of all centres that of its own cell
    is nearest to a place, so that he errs at least as much for every single den and every single
    range: there is no sampling in the comparison, and no allowance for it.
    """
    groups = 240 // animals
    den, home, fixes = tracks(groups, animals, spread_km=spread_km)
    rows = in_order(released(fixes, noun="Observation"))
    assert len(rows) <= groups * 12, "a line for a cell and a month, never for a fix"
    assert (rows.groupby("number")[["latitude", "longitude"]].nunique() == 1).all(axis=None)
    centre = rows.groupby("number")[["latitude", "longitude"]].mean()
    assert len(centre) > 0.7 * groups
    for true in (den.loc[centre.index], home[home["group"].isin(centre.index)]):
        told = centre.loc[true.get("group", true.index)]
        error = metres(told["latitude"], told["longitude"], true)
        assert (error >= guesses(true) - 0.01).all()
        assert np.median(error) >= np.median(guesses(true)) - 0.01


def test_what_the_rule_for_tracks_is_for() -> None:
    """The same fixes told one by one give every range away; the cells used most, every den."""
    den, home, fixes = tracks(20, 12, spread_km=1.0)
    cells = cell_centres(fixes["latitude"].to_numpy(), fixes["longitude"].to_numpy(), 0.1)
    told = fixes[["individual", "taxon"]].assign(la=cells.latitude, lo=cells.longitude)
    singly = told.groupby("individual", sort=False)[["la", "lo"]].mean()
    assert np.median(metres(singly["la"], singly["lo"], home)) < 0.2 * guess(home)
    used = told.value_counts(sort=True).reset_index().drop_duplicates("individual")
    den_of = used.groupby("taxon")[["la", "lo"]].mean().loc[[f"Animal no{g}" for g in den.index]]
    assert np.median(metres(den_of["la"], den_of["lo"], den)) < 0.8 * guess(den)


def test_ranges_wider_than_a_cell() -> None:
    """Animals spread over several cells are told in several: the den is still not found better."""
    errors, own = [], []
    for seed in range(4):
        den, _, fixes = tracks(20, 12, seed=seed, spread_km=6.0)
        rows = in_order(released(fixes, noun="Observation"))
        cells = rows.drop_duplicates(["number", "latitude", "longitude"])
        centre = cells.groupby("number")[["latitude", "longitude"]].mean()
        true = den.loc[centre.index]
        errors.append(metres(centre["latitude"], centre["longitude"], true))
        own.append(guesses(true))
    assert np.median(np.concatenate(errors)) >= np.median(np.concatenate(own))


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


def test_differencing_any_two_releases_for_the_record_between_them() -> None:
    """n2 * mean2 - n1 * mean1 is what was added, where counts and means are told exactly.

    The level promises means of five or more. The attacker may difference every release of thirty
    growing tables with every other, also those of readers with other minimums; whatever he takes,
    he must know no record better than who guesses the mean of the five it lies among. That holds
    record by record, so there is no sampling in the comparison and no allowance for it.
    """
    kinds, number = [f"property {k:02d}" for k in range(30)], 37
    whole = pd.concat([values(number, k).assign(property=kind) for k, kind in enumerate(kinds)])
    place = np.tile(np.arange(number), len(kinds))
    told: dict[str, dict[int, float]] = {kind: {0: 0.0} for kind in kinds}
    asked = [(n, 5) for n in range(5, number + 1)] + [(n, m) for n in (24, 37) for m in (10, 20)]
    for rows, minimum in asked:
        for line in sums(whole[place < rows], minimum).itertuples():
            total = line.count * line.mean
            assert told[line.property].setdefault(line.count, total) == pytest.approx(total)
    errors, guesses_ = [], []
    for kind in kinds:
        true = whole.loc[whole["property"] == kind, "value"].to_numpy()
        block = true[:35].reshape(-1, 5).mean(axis=1).repeat(5)
        guesses_.append(np.abs(block - true[:35]))
        assert sorted(told[kind]) == list(range(0, 36, 5)), "never one record, and not the last two"
        best = block * 0
        for start, stop in sorted(itertools.combinations(sorted(told[kind]), 2), key=_width):
            inner = np.arange(start, stop)
            inner = inner[best[inner] == 0]
            best[inner] = (told[kind][stop] - told[kind][start]) / (stop - start)
        errors.append(np.abs(best - true[:35]))
    error, guessed = np.concatenate(errors), np.concatenate(guesses_)
    assert len(error) == 30 * 35 and (error >= guessed - 1e-9).all()
    assert np.median(error) >= np.median(guessed) - 1e-9


def _width(ends: tuple[int, int]) -> int:
    return ends[1] - ends[0]


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
