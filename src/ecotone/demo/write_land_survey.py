"""Land as its observers send it: yearly maps, rain, people, a field survey, a sand barrier.

One call grows all of it from the seed, writes it, and says what was planted.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import netCDF4
import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.transform import Affine

from ecotone.demo.countries import BASIN, Countries
from ecotone.demo.files import write_csv
from ecotone.demo.grid import CELL, NORTH, WEST, area_km2, transform
from ecotone.demo.simulate_drought import DRY_YEAR, FIRST, RAIN_CELL, SHAPE, Rain, make_rain
from ecotone.demo.simulate_land import FIRST_YEAR, LAST_YEAR, Land
from ecotone.demo.simulate_land_cover import MAP_YEARS, ONSET, PEOPLE_STEP, Ground, make_ground
from ecotone.demo.simulate_sand import BARRIER_COVER, CALMED, OPEN_COVER, Sand, make_sand
from ecotone.demo.terrain import Terrain
from ecotone.demo.truth import Truth
from ecotone.model.words import LANGUAGES, say

_PERIOD: Final = f"{FIRST_YEAR}-{LAST_YEAR}"
_NONE: Final = -9999.0
_RAIN_SCALE: Final = 0.1  # mm in a stored integer


@dataclass(frozen=True)
class Planted:
    """What the land's report will be held against, and sentences that tell of it."""

    values: tuple[Truth, ...]
    statements: list[dict[str, str]]


def write_land_survey(
    folder: Path, seed: int, terrain: Terrain, land: Land, countries: Countries
) -> Planted:
    """Write ``maps`` and ``survey``; the same seed gives the same bytes."""
    ground_rng, rain_rng, sand_rng = (
        np.random.default_rng(child) for child in np.random.SeedSequence([seed, 12]).spawn(3)
    )
    ground = make_ground(ground_rng, terrain, land)
    rain = make_rain(rain_rng, terrain)
    sand = make_sand(sand_rng, LAST_YEAR)
    for name in ("maps", "survey"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    _write_maps(folder / "maps", ground)
    _write_rain(folder / "maps/precipitation-1981-2024.nc", rain)
    _write_tables(folder / "survey", ground, rain, sand)
    return Planted(_values(ground, rain, sand, countries), _statements(ground, rain, sand, land))


def _write_maps(folder: Path, ground: Ground) -> None:
    years = [f"{year}-12-31" for year in MAP_YEARS]
    _write(folder / "landcover-2009-2024.tif", ground.cover, 0, "1", names=years)
    _write(folder / "ecological-units.tif", ground.units[None], 0, "1")
    carbon = np.where(np.isfinite(ground.carbon), ground.carbon, _NONE).astype(np.float32)
    _write(folder / "soil-carbon-2009.tif", carbon[None], _NONE, "t/ha")
    grid = Affine(CELL * PEOPLE_STEP, 0, WEST, 0, -CELL * PEOPLE_STEP, NORTH)
    for name in ("female", "male"):
        people = getattr(ground, name)
        _write(folder / f"people-{name}-2020.tif", people[None], -1.0, "people", grid=grid)


def _write(
    path: Path, layers: NDArray[Any], nodata: float, unit: str,
    *, names: list[str] | None = None, grid: Affine | None = None,
) -> None:  # fmt: skip
    with rasterio.open(
        path, "w", driver="GTiff", width=layers.shape[2], height=layers.shape[1],
        count=layers.shape[0], dtype=str(layers.dtype), nodata=nodata, crs="EPSG:4326",
        transform=grid or transform(), compress="deflate", tiled=True, blockxsize=128,
        blockysize=128, predictor=3 if layers.dtype.kind == "f" else 2, interleave="band",
    ) as file:  # fmt: skip
        file.write(layers)
        file.units = (unit,) * layers.shape[0]
        if names:
            file.descriptions = tuple(names)


def _write_rain(path: Path, rain: Rain) -> None:
    """Monthly sums as CF NetCDF, packed in tenths of a millimetre."""
    epoch = np.datetime64(f"{FIRST}-01-01")
    days = (rain.months.astype("datetime64[D]") - epoch).astype(np.int32)
    with netCDF4.Dataset(path, "w", format="NETCDF4") as file:
        file.setncatts({"Conventions": "CF-1.8", "title": "Monthly precipitation (simulated)"})
        lat = NORTH - (np.arange(SHAPE[0]) + 0.5) * RAIN_CELL
        lon = WEST + (np.arange(SHAPE[1]) + 0.5) * RAIN_CELL
        for name, values in (("time", days), ("lat", lat), ("lon", lon)):
            file.createDimension(name, len(values))
            file.createVariable(name, values.dtype, (name,))[:] = values
        file["time"].setncatts(
            {"standard_name": "time", "units": f"days since {epoch}", "calendar": "standard"}
        )
        file["lat"].setncatts({"standard_name": "latitude", "units": "degrees_north", "axis": "Y"})
        file["lon"].setncatts({"standard_name": "longitude", "units": "degrees_east", "axis": "X"})
        grid = file.createVariable("crs", "i4")
        grid.setncatts({"grid_mapping_name": "latitude_longitude",
                        "crs_wkt": CRS.from_epsg(4326).to_wkt()})  # fmt: skip
        stored = file.createVariable(
            "precipitation", "i2", ("time", "lat", "lon"), fill_value=-32768, zlib=True, complevel=4
        )
        stored.setncatts({"units": "mm", "scale_factor": _RAIN_SCALE, "grid_mapping": "crs"})
        stored.set_auto_maskandscale(False)
        stored[:] = np.round(rain.layers / _RAIN_SCALE).astype(np.int16)


def _write_tables(folder: Path, ground: Ground, rain: Rain, sand: Sand) -> None:
    import pandas as pd

    write_csv(folder / "degradation-2024.csv", ground.survey)
    station = pd.DataFrame(
        {"month": np.datetime_as_string(rain.months, unit="M"), "precip_mm": rain.station}
    )
    write_csv(folder / "rain-station.csv", station)
    write_csv(folder / "wind-open.csv", sand.wind)
    write_csv(folder / "wind-behind-barrier.csv", sand.sheltered)
    write_csv(folder / "barrier-transect.csv", sand.points)


def _values(ground: Ground, rain: Rain, sand: Sand, countries: Countries) -> tuple[Truth, ...]:
    basin = countries.number > 0
    changes = {
        "degraded_adjusted_km2": ground.degraded, "improved_adjusted_km2": ground.improved,
    }  # fmt: skip
    degraded = [
        Truth("land.sdg-15-3-1", BASIN, _PERIOD, name, area_km2(mask & basin), "km2")
        for name, mask in changes.items()
    ]
    driest = min(rain.station_index.values())
    return (
        *degraded,
        Truth("land.spi", BASIN, _PERIOD, "lowest_december", driest, "1"),
        Truth("land.drought-exposure", BASIN, _PERIOD, "severe_km2", _dry_km2(rain), "km2"),
        Truth("land.wind-erosion", BASIN, _PERIOD, "reduction", sand.loss_reduction, "%"),
        Truth("land.sand-drift", BASIN, _PERIOD, "reduction", sand.drift_reduction, "%"),
    )


def _dry_km2(rain: Rain) -> float:
    """Land that was truly under severe drought in the driest year of the last four."""
    last = rain.index[-4:].min(axis=0)
    step = round(RAIN_CELL / CELL)
    fine = np.kron(last <= -1.5, np.ones((step, step), dtype=bool))
    from ecotone.demo.grid import COLUMNS, ROWS

    return area_km2(fine[:ROWS, :COLUMNS])


def _statements(ground: Ground, rain: Rain, sand: Sand, land: Land) -> list[dict[str, str]]:
    turned = ground.cover[-1] != ground.cover[0]
    bare = turned & land.degraded.mask
    told = {
        "demo.planted.onset": {"area": f"{area_km2(bare):.0f}", "year": str(ONSET)},
        "demo.planted.drought": {
            "year": str(DRY_YEAR),
            "index": f"{rain.station_index[DRY_YEAR]:.1f}".replace("-", "−"),
            "area": f"{_dry_km2(rain):.0f}",
        },
        "demo.planted.barrier": {
            "open": f"{OPEN_COVER:.0f}",
            "cover": f"{BARRIER_COVER:.0f}",
            "calm": f"{100 * (1 - CALMED):.0f}",
            "loss": f"{sand.loss_reduction:.0f}",
            "drift": f"{sand.drift_reduction:.0f}",
        },
    }
    return [
        {
            lang: say(
                key, lang,
                **{k: v.replace(".", ",") if lang == "ru" else v for k, v in values.items()},
            )
            for lang in LANGUAGES
        }
        for key, values in told.items()
    ]  # fmt: skip
