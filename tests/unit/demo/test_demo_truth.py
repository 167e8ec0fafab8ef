"""What is planted is in the data, and told as it is."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator

import geopandas
import numpy as np
import pandas as pd
import pytest
from rasterio.features import rasterize
from rasterio.windows import Window

from ecotone.demo.basin import Basin, Nature
from ecotone.demo.faults import FAULTS, ROWS
from ecotone.demo.grid import transform
from ecotone.demo.names import pollution
from ecotone.demo.simulate_laboratory import ACID, DIRTY
from ecotone.demo.simulate_water import make_water
from ecotone.demo.simulate_wild import CAT
from ecotone.demo.stations import strength
from ecotone.demo.terrain import GLACIER, LAKE
from ecotone.formats.raster import open_stack


@pytest.fixture(scope="session")
def ndvi(basin: Basin) -> np.ndarray:
    """The three deliveries side by side."""
    whole = np.full((16, 504, 520), np.nan)
    for delivery in basin.deliveries:
        if delivery.name.startswith("ndvi"):
            with open_stack([delivery.path]) as stack:
                part = stack.read(Window(0, 0, 520, 504))
            assert not (np.abs(whole - part) > 1e-12).any()
            whole = np.where(np.isnan(whole), part, whole)
    return whole


def truths(basin: Basin, indicator: str) -> dict[tuple[str, str], float]:
    values = json.loads(basin.truth.read_text(encoding="utf-8"))["values"]
    return {(v["region"], v["name"]): v["truth"] for v in values if v["indicator"] == indicator}


def regions(basin: Basin) -> Iterator[tuple[str, np.ndarray]]:
    for row in geopandas.read_file(basin.regions).to_dict("records"):
        shape = [(row["geometry"], 1)]
        mask = rasterize(shape, out_shape=(504, 520), transform=transform(), dtype="uint8")
        yield row["id"], mask.astype(bool)


def line(stack: np.ndarray) -> np.ndarray:
    """Least-squares slope a year of each cell, cloudy years left out."""
    years = np.arange(len(stack))[:, None, None]
    t = np.where(np.isnan(stack), np.nan, years - np.zeros(stack.shape[1:]))
    with np.errstate(invalid="ignore", divide="ignore"):
        t = t - np.nanmean(t, axis=0)
        return np.nansum(t * stack, axis=0) / np.nansum(t * t, axis=0)


@pytest.mark.filterwarnings("ignore:Mean of empty slice")
def test_the_planted_trend_is_in_the_delivered_stack(nature: Nature, ndvi: np.ndarray) -> None:
    slope = line(ndvi)
    for change, low, high in (
        (nature.land.degraded, -0.0115, -0.0055),
        (nature.land.recovering, 0.0052, 0.0108),
    ):
        planted = change.slope[change.mask]
        assert low < planted.min() <= planted.max() < high
        assert slope[change.mask].mean() == pytest.approx(planted.mean(), abs=6e-4)
        assert np.corrcoef(slope[change.mask], planted)[0, 1] > 0.5
    still = nature.land.land & (nature.land.slope == 0)
    assert abs(slope[still].mean()) < 3e-4
    assert 0.0008 < slope[still].std() < 0.0020


def test_without_weather_and_noise_the_field_has_exactly_that_slope(nature: Nature) -> None:
    years = np.arange(16)
    clean = nature.land.level + nature.land.slope * years[:, None, None]
    assert np.allclose(line(clean), nature.land.slope, atol=1e-12)
    mean = clean.mean(axis=0)[nature.land.land]
    assert 0.05 < mean.min() < mean.max() < 0.85


def test_clouds_hide_some_cells_and_lake_and_ice_have_none(
    nature: Nature, ndvi: np.ndarray
) -> None:
    land = nature.land.land
    assert np.isnan(ndvi[:, ~land]).all()
    assert 0.01 < np.isnan(ndvi[:, land]).mean() < 0.04
    assert (np.isnan(ndvi[:, land]).sum(axis=0) < 10).mean() > 0.99
    values = ndvi[~np.isnan(ndvi)]
    assert -0.1 < values.min() < values.max() < 1


def test_years_resemble_the_year_before_only_a_little(nature: Nature, ndvi: np.ndarray) -> None:
    still = nature.land.land & (nature.land.slope == 0)
    x = ndvi[:, still]
    x = x[:, ~np.isnan(x).any(axis=0)]
    x = x - x.mean(axis=0)
    assert -0.1 < (x[1:] * x[:-1]).sum() / (x * x).sum() < 0.2


def test_truth_of_the_land_is_what_was_planted(basin: Basin, nature: Nature) -> None:
    told = truths(basin, "land.trend")
    land, slope = nature.land.land, nature.land.slope
    for region, mask in regions(basin):
        assert told[region, "mean_slope"] == pytest.approx(slope[mask & land].mean(), abs=1e-12)
        assert told[region, "significant_fdr"] == (slope[mask] != 0).sum()
    countries = ("XA", "XB", "XC")
    parts = (*countries, "XX")
    assert told["BASIN", "significant_fdr"] == sum(told[r, "significant_fdr"] for r in parts)
    degraded = nature.land.degraded.mask
    assert all((degraded & nature.countries.mask(c)).sum() > 2000 for c in countries)


def test_water_runs_downhill_and_reaches_the_lake(nature: Nature) -> None:
    for reach in nature.terrain.reaches:
        assert (np.diff(nature.terrain.elevation[reach.rows, reach.columns]) <= 1e-9).all()
    main = nature.terrain.reaches[0]
    assert nature.terrain.cover[main.rows[-1], main.columns[-1]] == LAKE
    assert nature.terrain.elevation[nature.terrain.cover == GLACIER].min() > 2000


def test_a_results_year_is_no_toy(nature: Nature) -> None:
    for parts in nature.water.values():
        assert sum((~part.results["lost"]).sum() for part in parts) >= 10_000


def test_the_river_is_bad_where_it_was_polluted_and_good_elsewhere(
    basin: Basin, nature: Nature
) -> None:
    limits = {  # of standards.csv, written out
        "nitrate": (0, 11.3), "ammonium": (0, 1.0), "arsenic": (0, 0.01), "lead": (0, 0.01),
        "ph": (6.5, 8.5), "oxygen": (5, np.inf), "conductivity": (0, 1500), "turbidity": (0, 100),
    }  # fmt: skip
    told = truths(basin, "water.compliance")
    total, beyond_total = 0, 0
    for party in basin.parties:
        stations = nature.stations[party.party_id]
        rows = pd.concat([part.results for part in nature.water[party.party_id]])
        rows = rows[rows["property"].isin(limits) & ~rows["lost"]]
        low, high = (rows["property"].map({k: v[i] for k, v in limits.items()}) for i in (0, 1))
        beyond = rows[(rows["true"] < low.astype(float)) | (rows["true"] > high.astype(float))]
        sources = pollution(party.party_id)
        reached = {
            (source.property, int(rank))
            for source in sources
            for rank in np.flatnonzero(strength(stations, source) > 0.05)
        }
        hit = [pair in reached for pair in zip(beyond["property"], beyond["station"], strict=True)]
        assert np.mean(hit) > 0.97
        for source in sources:
            at_source = beyond[(beyond["property"] == source.property)]
            assert (at_source["station"] == source.rank).any()
            assert source.name["en"] in stations.names or stations.party_id != "VIWE"
        assert told[party.country_code, "exceedances"] == len(beyond)
        assert told[party.country_code, "share_compliant"] == 1 - len(beyond) / len(rows)
        total, beyond_total = total + len(rows), beyond_total + len(beyond)
    assert told["BASIN", "exceedances"] == beyond_total
    assert told["BASIN", "share_compliant"] == 1 - beyond_total / total


def test_a_measurement_is_the_truth_with_a_few_percent_of_noise(nature: Nature) -> None:
    for parts in nature.water.values():
        for part in parts:
            rows = part.results
            if "batch" in rows:
                spoilt = (rows["batch"] == DIRTY) & (rows["property"] == "arsenic")
                assert (rows["value"] - rows["true"])[spoilt].min() > 0.9 * ACID
                rows = rows[~spoilt]
            ratio = np.log(rows["value"] / rows["true"])
            assert abs(ratio.mean()) < 4 * ratio.std() / np.sqrt(len(ratio))
            assert ratio.abs().max() < 0.3
            assert (
                part.results["censored"] == (part.results["value"] < part.results["limit"])
            ).all()


def test_keshdoras_lead_cannot_be_judged(nature: Nature) -> None:
    lead = nature.water["KNCM"][0].results.query("property == 'lead'")
    assert lead["censored"].mean() > 0.95
    assert lead["limit"].min() > 0.01


def test_pollution_dilutes_downstream_and_stays_on_the_main_river(nature: Nature) -> None:
    stations = nature.stations["KNCM"]
    arsenic = next(s for s in pollution("KNCM") if s.property == "arsenic")
    arrives = strength(stations, arsenic)
    assert arrives[:3].tolist() == [0, 0, 0]
    assert arrives[3:6].tolist() == pytest.approx([1, 0.7, 0.49])
    assert not arrives[stations.on_main :].any()
    days = pd.date_range("2024-01-01", periods=200, freq="D")
    made = make_water(np.random.default_rng(5), stations, days, {"arsenic": 0.0}).results
    by_station = made.groupby("station")["true"].mean()
    assert by_station[3] > 3 * by_station[2]
    assert by_station[3] > by_station[4] > by_station[5]


def test_faults_of_the_logger_file_are_each_in_rows_of_their_own(basin: Basin) -> None:
    path = next(d.path for d in basin.deliveries if d.name == "loggers")
    table = pd.read_csv(path, dtype=str)
    naive = ~table["sampled_at"].str.contains(r"-10:00$")
    seen = {
        "latitude": table["latitude"] == "141.25000",
        "longitude": table["longitude"] == "-260.05750",
        "time": naive,
        "date": table["sampled_at"].str.startswith("2024-02-30"),
        "value": table["result"] == "sensor dry",
        "infinite": table["result"] == "1e400",
    }
    assert {name: int(mask.sum()) for name, mask in seen.items()} == FAULTS
    assert sum(mask.astype(int) for mask in seen.values()).max() == 1
    assert len(table) == ROWS


def test_the_broken_archive_is_broken(basin: Basin) -> None:
    path = next(d.path for d in basin.deliveries if d.name == "broken-archive")
    assert path.read_bytes()[:2] == b"PK"
    assert not zipfile.is_zipfile(path)


def test_the_cat_was_met_in_two_countries_in_its_heights(basin: Basin, nature: Nature) -> None:
    path = next(d.path for d in basin.deliveries if d.name == "wildlife-archive")
    with zipfile.ZipFile(path) as archive, archive.open("occurrence.csv") as file:
        seen = pd.read_csv(file)
    cats = seen[seen["scientificName"] == CAT]
    assert len(cats) >= 20
    assert len(seen) == 2600
    package = next(d.path for d in basin.deliveries if d.name == "camera-traps")
    with zipfile.ZipFile(package) as archive, archive.open("observations.csv") as file:
        caught = pd.read_csv(file)
    assert (caught["scientificName"] == CAT).sum() >= 20
    rows = ((41.5 - seen["decimalLatitude"]) / 0.005).astype(int)
    columns = ((seen["decimalLongitude"] + 162) / 0.005).astype(int)
    assert nature.countries.mask("XA")[rows, columns].all()
    assert nature.terrain.elevation[rows, columns][cats.index].min() > 1500
