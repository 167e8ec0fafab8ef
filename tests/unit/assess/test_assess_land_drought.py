"""SPI and SPEI from tables and rasters, exposure, wind and aridity: numbers and refusals."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rasterio
from rasterio.transform import from_origin
from shapely.geometry import box

from ecotone.assess.compute import compute
from ecotone.model.errors import EcotoneError, InputRefused, NotComputable, UsageError
from ecotone.model.result import Result
from ecotone.science.land.standardised import spi

MONTHS = np.arange("1981-01", "2013-01", dtype="datetime64[M]")
RAIN = np.random.default_rng(6).gamma(2.0, 25.0, MONTHS.size).round(1)


def codes(result: Result) -> list[str]:
    return [f["code"] for f in result.findings]


def table(path: Path, frame: dict[str, Any], sep: str = ",") -> Path:
    pd.DataFrame(frame).to_csv(path, index=False, sep=sep)
    return path


def series(path: Path, **columns: Any) -> Path:
    return table(path, {"month": [str(m) for m in MONTHS], **columns})


def run(tmp: Path, indicator: str, inputs: dict[str, Path], **given: Any) -> Result:
    return compute(indicator, {k: [v] for k, v in inputs.items()}, given, tmp / "out")


def test_a_row_that_is_missing_is_a_gap(tmp_path: Path) -> None:
    frame = pd.DataFrame({"month": [str(m) for m in MONTHS], "precip_mm": RAIN}).drop(index=50)
    path = tmp_path / "a.csv"
    frame.to_csv(path, index=False)
    result = run(tmp_path, "land.spi", {"series": path}, scale=3)
    found = pd.read_csv(tmp_path / "out/tables/spi.csv")
    assert len(found) == MONTHS.size
    gap = RAIN.copy()
    gap[50] = np.nan
    np.testing.assert_allclose(found.spi, spi(gap, MONTHS, scale=3).index, rtol=1e-9)
    assert {"land-months-missing", "land-gaps-stay"} <= set(codes(result))


def test_decimal_commas_years_and_numbers_of_months(tmp_path: Path) -> None:
    path = tmp_path / "ru.csv"
    years = MONTHS.astype("datetime64[Y]").astype(int) + 1970
    rows = [f"{y};{m % 12 + 1};{str(v).replace('.', ',')}" for y, m, v in
            zip(years, range(MONTHS.size), RAIN, strict=True)]  # fmt: skip
    path.write_text("Год;Месяц;Осадки\n" + "\n".join(rows) + "\n", encoding="utf-8")
    run(tmp_path, "land.spi", {"series": path}, scale=1)
    found = pd.read_csv(tmp_path / "out/tables/spi.csv")
    np.testing.assert_allclose(found.spi, spi(RAIN, MONTHS, scale=1).index, rtol=1e-9)


def test_units_of_rain(tmp_path: Path) -> None:
    metres = series(tmp_path / "m.csv", precip_mm=RAIN / 1000)
    with pytest.raises(InputRefused, match="mm a year"):
        run(tmp_path, "land.spi", {"series": metres})
    run(tmp_path, "land.spi", {"series": metres}, unit="m", scale=1)
    found = pd.read_csv(tmp_path / "out/tables/spi.csv").spi
    np.testing.assert_allclose(found, spi(RAIN, MONTHS, scale=1).index, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"precip_mm": np.where(np.arange(MONTHS.size) == 9, -9999, RAIN)}, "-9999"),
        ({"precip_mm": np.where(np.arange(MONTHS.size) == 9, -3.0, RAIN)}, "below zero"),
        ({"month": ["1981-01"] * MONTHS.size}, "twice"),
        ({"month": ["spring"] * MONTHS.size}, "spring"),
        ({"precip_mm": np.full(MONTHS.size, 20000.0)}, "mm a year"),
    ],
)
def test_tables_that_are_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    frame = {"month": [str(m) for m in MONTHS], "precip_mm": RAIN, **change}
    with pytest.raises(InputRefused, match=said):
        run(tmp_path, "land.spi", {"series": table(tmp_path / "x.csv", frame)})


def test_what_cannot_be_asked(tmp_path: Path) -> None:
    path = series(tmp_path / "a.csv", precip_mm=RAIN)
    for given, error in (
        ({"calibration": "thirty years"}, UsageError),
        ({"calibration": "2050-2080"}, NotComputable),
        ({"zero": "never"}, UsageError),
    ):
        with pytest.raises(error):
            run(tmp_path, "land.spi", {"series": path}, **given)
    with pytest.raises(UsageError, match="one of the two"):
        run(tmp_path, "land.spi", {})
    with pytest.raises(InputRefused, match="precip_mm"):
        run(tmp_path, "land.spi", {"series": series(tmp_path / "b.csv", other=RAIN)})


def test_a_short_calibration_and_zero_rain_are_told(tmp_path: Path) -> None:
    rain = np.where(np.arange(MONTHS.size) % 12 == 7, 0.0, RAIN)
    rain[5:200:12] = 0.0
    path = series(tmp_path / "a.csv", precip_mm=rain)
    result = run(tmp_path, "land.spi", {"series": path}, scale=1, calibration="1981-2000")
    assert {"land-calibration-short", "land-zero-rain", "land-no-fit"} <= set(codes(result))


def test_spei_takes_the_best_evaporation_there_is(tmp_path: Path) -> None:
    warm = 12 - 14 * np.cos(2 * np.pi * np.arange(MONTHS.size) / 12)
    steps = [
        ({"tmean_c": warm}, "thornthwaite"),
        ({"tmin_c": warm - 6, "tmax_c": warm + 6}, "hargreaves"),
        ({"vapour_kpa": 0.6 + 0 * warm, "u2_ms": 2 + 0 * warm, "radiation_mj": 15 + 0 * warm},
         "penman-monteith"),
    ]  # fmt: skip
    columns: dict[str, Any] = {"precip_mm": RAIN}
    for more, method in steps:
        columns |= more
        path = series(tmp_path / f"{method}.csv", **columns)
        result = run(tmp_path, "land.spei", {"series": path}, latitude=42.0, elevation=900)
        assert [f["value"] for f in result.findings if f["code"] == "land-pet-method"] == [method]
    with pytest.raises(UsageError, match="latitude"):
        run(tmp_path, "land.spei", {"series": path})
    bare = series(tmp_path / "bare.csv", precip_mm=RAIN)
    with pytest.raises(InputRefused, match="pet_mm"):
        run(tmp_path, "land.spei", {"series": bare}, latitude=42.0)


def test_a_balance_under_the_name_of_rain_is_told(tmp_path: Path) -> None:
    path = series(tmp_path / "a.csv", precip_mm=RAIN - 60, pet_mm=0 * RAIN)
    result = run(tmp_path, "land.spei", {"series": path}, scale=1)
    first = pd.read_csv(tmp_path / "out/tables/spei.csv").spei
    assert "month" in result.values["months"].unit
    path = series(tmp_path / "b.csv", balance_mm=RAIN - 60)
    run(tmp_path, "land.spei", {"series": path}, scale=1)
    np.testing.assert_allclose(pd.read_csv(tmp_path / "out/tables/spei.csv").spei, first)


def raster(path: Path, values: np.ndarray, days: list[str] | None = None, **more: Any) -> Path:
    profile = {"transform": from_origin(58.0, 45.0, 0.5, 0.5), "crs": "EPSG:4326"} | more
    stack = values if values.ndim == 3 else values[None]
    with rasterio.open(
        path, "w", driver="GTiff", dtype="float32", count=len(stack), nodata=np.nan,
        height=stack.shape[1], width=stack.shape[2], **profile,
    ) as file:  # fmt: skip
        file.write(stack.astype("float32"))
        if days:
            file.descriptions = tuple(days)
    return path


def test_rasters_give_what_tables_give(tmp_path: Path) -> None:
    rain = np.random.default_rng(1).gamma(2.0, 25.0, (MONTHS.size, 3, 4)).astype("float32")
    rain[70, 1, 1] = np.nan
    path = raster(tmp_path / "rain.tif", rain, [str(m) for m in MONTHS])
    result = run(tmp_path, "land.spi", {"raster": path}, scale=12)
    wanted = spi(rain.astype(float), MONTHS, scale=12).index[11::12]
    with rasterio.open(tmp_path / "out/rasters/spi.tif") as file:
        np.testing.assert_allclose(file.read(), wanted, atol=1e-5)
        assert file.descriptions[0] == "1981-12"
    assert "land-gaps-stay" in codes(result)
    drought = pd.read_csv(tmp_path / "out/tables/drought.csv")
    assert set(drought.groupby("year").area_km2.sum().round(6)) == {
        round(float(drought[drought.year == 1990].area_km2.sum()), 6)
    }
    pet = raster(tmp_path / "pet.tif", rain * 0 + 40, [str(m) for m in MONTHS])
    run(tmp_path, "land.spei", {"raster": path, "evaporation": pet}, scale=3)
    leap = raster(tmp_path / "leap.tif", rain[1:], [str(m) for m in np.delete(MONTHS, 7)])
    with pytest.raises(InputRefused, match="without leaps"):
        run(tmp_path, "land.spi", {"raster": leap})
    late = raster(tmp_path / "late.tif", rain, [str(m + 12) for m in MONTHS])
    with pytest.raises(InputRefused, match="same months"):
        run(tmp_path, "land.spei", {"raster": path, "evaporation": late})


def test_the_work_of_a_block_travels(tmp_path: Path) -> None:
    from ecotone.assess.indicators import land_index_rasters as indicator
    from ecotone.assess.indicators.land_ground import Ground
    from ecotone.assess.indicators.mosaic import open_mosaic

    rain = np.random.default_rng(1).gamma(2.0, 25.0, (MONTHS.size, 2, 3))
    opened = open_mosaic([raster(tmp_path / "rain.tif", rain, [str(m) for m in MONTHS])])
    ask = indicator.Ask("spi", 3, None, "upper")
    kept = np.arange(11, MONTHS.size, 12)
    ground = Ground.of(opened, box(58.2, 44.2, 59.1, 44.9))
    stacks = indicator.Stacks(ask, opened, None, ground, MONTHS, kept, "mm")
    window = opened.whole()
    here = indicator.index_block(stacks, window)
    there = indicator.index_block(*pickle.loads(pickle.dumps((stacks, window))))
    np.testing.assert_array_equal(here.index, there.index)
    np.testing.assert_array_equal(here.sums, there.sums)
    opened.close()


def test_exposure_uses_all_four_years_and_loses_no_one(tmp_path: Path) -> None:
    index = np.zeros((6, 2, 2)) + 0.5
    index[3, 0, 0] = -2.0
    index[1, 0, 0] = np.nan
    index[5, 1, 1] = -1.2
    days = [f"{year}-12" for year in range(2000, 2006)]
    drought = raster(tmp_path / "spi.tif", index, days)
    fine = from_origin(58.0, 45.0, 0.125, 0.125)
    people = np.random.default_rng(2).random((8, 8)) * 100
    total = float(people.astype("float32").astype(float).sum())
    inputs = {
        "drought": drought,
        "population": raster(tmp_path / "all.tif", people, transform=fine),
        "female": raster(tmp_path / "f.tif", people * 0.5, transform=fine),
    }
    result = run(tmp_path, "land.drought-exposure", inputs)
    worst = pd.read_csv(tmp_path / "out/tables/exposure.csv").set_index(["years", "class"])
    assert worst.population["2000-2003"].sum() == pytest.approx(total, rel=1e-9)
    assert worst.population["2000-2003", "extreme"] == pytest.approx(
        people[:4, :4].astype("float32").sum(), rel=1e-6
    )
    assert worst.female_percent["2000-2003", "extreme"] == pytest.approx(
        worst.population_percent["2000-2003", "extreme"], rel=1e-6
    )
    assert worst.population["2004-2005", "moderate"] > 0
    assert "land-block-short" in codes(result)
    assert result.rasters.keys() == {"worst_2000_2003", "worst_2004_2005"}
    result = run(tmp_path, "land.drought-exposure", {"drought": drought})
    assert "land-no-people" in codes(result)


def test_exposure_refuses_what_is_no_index(tmp_path: Path) -> None:
    days = ["2000-12", "2001-12"]
    scaled = raster(tmp_path / "a.tif", np.full((2, 2, 2), -1500.0), days)
    monthly = raster(tmp_path / "b.tif", np.zeros((2, 2, 2)), ["2000-11", "2000-12"])
    early = raster(tmp_path / "c.tif", np.zeros((2, 2, 2)), ["1990-12", "1991-12"])
    good = raster(tmp_path / "d.tif", np.zeros((2, 2, 2)), days)
    people = raster(tmp_path / "p.tif", np.full((2, 2), -1.0))
    utm = raster(tmp_path / "u.tif", np.ones((2, 2)), crs="EPSG:32640")
    cases: list[tuple[dict[str, Path], type[EcotoneError], str]] = [
        ({"drought": scaled}, InputRefused, "-1500"),
        ({"drought": monthly}, InputRefused, "layer a year"),
        ({"drought": early}, NotComputable, "1991"),
        ({"drought": good, "population": people}, InputRefused, "negative"),
        ({"drought": good, "population": utm}, InputRefused, "grid"),
    ]
    for inputs, error, said in cases:
        with pytest.raises(error, match=said):
            run(tmp_path, "land.drought-exposure", inputs)


SOIL = {"sand_pct": [60.0], "silt_pct": [25.0], "clay_pct": [15.0], "om_pct": [1.0],
        "caco3_pct": [12.0]}  # fmt: skip


def test_wind_readings_and_cover_as_a_fraction(tmp_path: Path) -> None:
    points = table(tmp_path / "p.csv", {"point": ["A"], **SOIL, "flat_cover_pct": [0.5]})
    wind = table(tmp_path / "w.csv", {"speed_ms": [4.0, 9.0, 14.0, np.nan]})
    result = run(tmp_path, "land.wind-erosion", {"points": points, "wind": wind})
    assert {"land-cover-fraction", "land-wind-readings"} <= set(codes(result))
    assert result.values["bare_loss"].value > result.values["mean_loss"].value
    gale = table(tmp_path / "g.csv", {"speed_ms": [400.0]})
    with pytest.raises(InputRefused, match="317"):
        run(tmp_path, "land.wind-erosion", {"points": points, "wind": gale})
    none = table(tmp_path / "n.csv", {"other": [1.0]})
    with pytest.raises(InputRefused, match="u2_ms"):
        run(tmp_path, "land.wind-erosion", {"points": points, "wind": none})
    over = table(tmp_path / "o.csv", {**SOIL, "u2_ms": [8.0], "flat_cover_pct": [150.0]})
    with pytest.raises(InputRefused, match="percent"):
        run(tmp_path, "land.wind-erosion", {"points": over})
    empty = table(tmp_path / "e.csv", {**SOIL, "u2_ms": [np.nan], "flat_cover_pct": [5.0]})
    with pytest.raises(NotComputable):
        run(tmp_path, "land.wind-erosion", {"points": empty})


def test_sand_drift_and_dunes(tmp_path: Path) -> None:
    wind = table(
        tmp_path / "w.csv",
        {"speed_ms": [10.0, 2.0, 12.0, np.nan], "direction_deg": [270.0, 0.0, 270.0, 90.0]},
    )
    result = run(tmp_path, "land.sand-drift", {"wind": wind}, rain=100, evaporation=1500)
    assert result.values["direction"].value == pytest.approx(90.0)
    assert result.values["mobility"].value == pytest.approx(200 / 3 * 15)
    assert pd.read_csv(tmp_path / "out/tables/classes.csv").dunes.item() == "active"
    assert "land-readings-lost" in codes(result)
    result = run(tmp_path, "land.sand-drift", {"wind": wind}, rain=0, evaporation=1500)
    assert result.values["mobility"].value is None
    calm = table(tmp_path / "c.csv", {"speed_ms": [1.0], "direction_deg": [10.0]})
    result = run(tmp_path, "land.sand-drift", {"wind": calm})
    assert result.values["direction"].value is None
    assert "land-no-drift" in codes(result)
    turned = table(tmp_path / "t.csv", {"speed_ms": [9.0], "direction_deg": [400.0]})
    with pytest.raises(InputRefused, match="360"):
        run(tmp_path, "land.sand-drift", {"wind": turned})
    none = table(tmp_path / "n.csv", {"speed_ms": [np.nan], "direction_deg": [np.nan]})
    with pytest.raises(NotComputable):
        run(tmp_path, "land.sand-drift", {"wind": none})


def test_aridity_of_whole_years(tmp_path: Path) -> None:
    pet = np.full(MONTHS.size, 100.0)
    pet[3] = np.nan
    result = run(
        tmp_path, "land.aridity",
        {"series": series(tmp_path / "a.csv", precip_mm=0 * RAIN + 15, pet_mm=pet)},
    )  # fmt: skip
    assert result.values["aridity"].value == pytest.approx(0.15)
    assert result.values["years"].value == 31
    assert "land-years-left-out" in codes(result)
    found = pd.read_csv(tmp_path / "out/tables/aridity.csv")
    assert found["class"].tolist() == ["unknown"] + ["arid"] * 31
    for columns, error in (
        ({"precip_mm": -RAIN, "pet_mm": RAIN}, InputRefused),
        ({"precip_mm": RAIN * np.nan, "pet_mm": RAIN}, NotComputable),
    ):
        with pytest.raises(error):
            run(tmp_path, "land.aridity", {"series": series(tmp_path / "b.csv", **columns)})


def test_a_sand_barrier_between_groups_and_records(tmp_path: Path) -> None:
    size = 8
    rng = np.random.default_rng(3)
    points = table(
        tmp_path / "p.csv",
        {
            "point": [f"P{n}" for n in range(size)],
            "group": ["open"] * 4 + ["barrier"] * 4,
            **{name: values * size for name, values in SOIL.items()},
            "flat_cover_pct": [5.0, 6.0, 4.0, 5.0, 30.0, 34.0, 28.0, 31.0],
        },
    )
    winds = 8 * rng.weibull(2.0, 400)
    times = [f"2024-01-{1 + n // 24:02d}T{n % 24:02d}:00" for n in range(400)]
    wind = table(
        tmp_path / "w.csv", {"time": times, "speed_ms": winds, "direction_deg": [270.0] * 400}
    )
    inputs = {"points": points, "wind": wind}
    result = run(tmp_path, "land.wind-erosion", inputs, control="open", treated="barrier")
    less = result.values["reduction"]
    assert less.low < less.value < less.high
    groups = pd.read_csv(tmp_path / "out/tables/groups.csv").set_index("group")
    assert groups.mean_loss["barrier"] < groups.mean_loss_low["open"]
    with pytest.raises(UsageError, match="fence"):
        run(tmp_path, "land.wind-erosion", inputs, control="open", treated="fence")
    behind = table(tmp_path / "s.csv", {"time": times[:-1], "speed_ms": 0.7 * winds[:-1]})
    result = run(tmp_path, "land.sand-drift", {"wind": wind, "sheltered": behind})
    less = result.values["reduction"]
    assert less.low < less.value < less.high
    assert result.values["sheltered_potential"].value < result.values["drift_potential"].value
    assert "land-readings-unpaired" in codes(result)
    short = table(tmp_path / "t.csv", {"speed_ms": [1.0, 2.0]})
    with pytest.raises(InputRefused, match="as many readings"):
        run(tmp_path, "land.sand-drift", {"wind": wind, "sheltered": short})
    twice = table(tmp_path / "u.csv", {"time": [times[0]] * 2, "speed_ms": [1.0, 2.0]})
    with pytest.raises(InputRefused, match="2024-01-01"):
        run(tmp_path, "land.sand-drift", {"wind": wind, "sheltered": twice})


def test_station_series_carry_intervals(tmp_path: Path) -> None:
    rain = series(tmp_path / "r.csv", precip_mm=RAIN)
    result = run(tmp_path, "land.spi", {"series": rain}, scale=12, draws=200)
    worst = result.values["lowest_december"]
    assert worst.low < worst.value < worst.high and worst.level == 0.95
    found = pd.read_csv(tmp_path / "out/tables/spi.csv")
    assert found.columns.tolist() == ["month", "spi", "spi_low", "spi_high"]
    none = run(tmp_path, "land.spi", {"series": rain}, scale=12, draws=0)
    assert none.values["lowest_december"].low is None
    with pytest.raises(UsageError, match="100"):
        run(tmp_path, "land.spi", {"series": rain}, draws=7)


def soil_maps(folder: Path, **more: float) -> dict[str, Path]:
    values = {"sand": 60.0, "silt": 25.0, "clay": 15.0, "organic": 1.0, "carbonate": 12.0, **more}
    return {n: raster(folder / f"{n}.tif", np.full((3, 4), v)) for n, v in values.items()}


def test_wind_erosion_of_maps_is_that_of_points(tmp_path: Path) -> None:
    winds = 9 * np.random.default_rng(2).weibull(2.0, 200)
    wind = table(tmp_path / "w.csv", {"u2_ms": winds})
    maps = soil_maps(tmp_path, cover=20.0)
    result = run(tmp_path, "land.wind-erosion", {**maps, "wind": wind}, days=30)
    points = table(tmp_path / "p.csv", {**SOIL, "flat_cover_pct": [20.0]})
    at = run(tmp_path, "land.wind-erosion", {"points": points, "wind": wind}, days=30)
    for name in ("mean_loss", "bare_loss", "fixed"):
        assert result.values[name].value == pytest.approx(at.values[name].value, rel=1e-6)
    assert result.values["valid_percent"].value == 100.0
    ndvi = 0.05 + 0.2 * 0.85
    maps = {n: p for n, p in maps.items() if n != "cover"} | soil_maps(tmp_path, ndvi=ndvi)
    green = run(tmp_path, "land.wind-erosion", {**maps, "wind": wind}, days=30)
    assert green.values["mean_loss"].value == pytest.approx(result.values["mean_loss"].value,
                                                            rel=1e-4)  # fmt: skip
    assert (tmp_path / "out/rasters/erosion.qml").exists()


def test_maps_of_soil_outside_the_equations_are_told(tmp_path: Path) -> None:
    wind = table(tmp_path / "w.csv", {"u2_ms": [6.0, 12.0]})
    maps = soil_maps(tmp_path, clay=50.0, cover=0.5)
    result = run(tmp_path, "land.wind-erosion", {**maps, "wind": wind})
    assert {"land-map-outside", "land-map-texture", "land-cover-fraction"} <= set(codes(result))
    assert result.values["valid_percent"].value == 0.0
    cases = (
        (maps, UsageError, "wind record"),
        ({"wind": wind}, UsageError, "either"),
        ({**{n: p for n, p in maps.items() if n != "clay"}, "wind": wind}, InputRefused, "clay"),
        ({**maps, "cover": raster(tmp_path / "c.tif", np.full((2, 4), 5.0)), "wind": wind},
         InputRefused, "grid"),
        ({**maps, "cover": raster(tmp_path / "d.tif", np.full((3, 4), 500.0)), "wind": wind},
         InputRefused, "percent"),
    )  # fmt: skip
    for inputs, error, said in cases:
        with pytest.raises(error, match=said):
            run(tmp_path, "land.wind-erosion", inputs)
    scaled = {n: p for n, p in maps.items() if n != "cover"} | soil_maps(tmp_path, ndvi=4000.0)
    with pytest.raises(InputRefused, match="4000"):
        run(tmp_path, "land.wind-erosion", {**scaled, "wind": wind})
