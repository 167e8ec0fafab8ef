"""The virtual basin as a whole: grown from a seed, written as its three parties would send it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Final, Literal

import numpy as np

from ecotone.demo import noise, write_connect, write_laboratory, write_land, write_water, write_wild
from ecotone.demo.countries import Countries, as_geojson, make_countries, with_basin
from ecotone.demo.faults import write_faulty_loggers, write_truncated
from ecotone.demo.files import write_json
from ecotone.demo.names import invented
from ecotone.demo.simulate_connect import Crossing, make_crossing
from ecotone.demo.simulate_laboratory import SONDE, Laboratory, make_laboratory
from ecotone.demo.simulate_land import Land, make_land
from ecotone.demo.simulate_water import Water, days_between, make_water
from ecotone.demo.simulate_wild import captures, deployments, encounters
from ecotone.demo.stations import Stations, place_stations
from ecotone.demo.terrain import Terrain, make_terrain
from ecotone.demo.truth import (
    planted_crossing,
    planted_laboratory,
    planted_land,
    planted_water,
    statements,
)
from ecotone.demo.write_cats import write_cats
from ecotone.demo.write_land_survey import write_land_survey
from ecotone.model.records import Dataset, Party, Person, Project

#: The day on which the demo happens: agreements, embargoes and the report go by it.
TODAY: Final = date(2025, 3, 1)
_STREAMS: Final = ("terrain", "countries", "VIWE", "KNCM", "SUEA", "wildlife", "faults", "land",
                   "laboratory")  # fmt: skip
#: Detection limits of each laboratory, in the units of ``properties.csv``; 0: none.
_FIELD: Final = {"ph": 0.0, "oxygen": 0.0, "conductivity": 0.0, "turbidity": 0.0}
_LABORATORY: Final = {
    "VIWE": {"nitrate": 0.05, "ammonium": 0.05, "arsenic": 0.001, "lead": 0.001, **_FIELD},
    # Lead by flame: a limit above the standard, so that "not detected" proves nothing.
    "KNCM": {"nitrate": 0.1, "ammonium": 0.05, "arsenic": 0.002, "lead": 0.02, **_FIELD},
    "SUEA": {"nitrate": 0.08, "ammonium": 0.025, "arsenic": 0.0003, "lead": 0.001},
}
_DAILY: Final = (1, 2, 5, 7, 9, 10, 13)  # ranks of Suvarin's automatic stations
_OFFSETS: Final = {"VIWE": "-10:00", "KNCM": "-11:00"}

Verdict = Literal["accepted", "partial", "refused"]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Delivery:
    """One file a party sends: to which dataset, how to read it, and what ingest should say.

    ``name`` is the tail of catalogue key ``demo.delivery.<name>``.
    """

    name: str
    party_id: str
    dataset_id: str
    path: Path
    mapping: Path | None = None
    expected: Verdict = "accepted"
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Basin:
    """Everything the demo needs to play three parties."""

    folder: Path
    today: date
    parties: tuple[Party, ...]
    people: tuple[Person, ...]
    projects: tuple[Project, ...]
    datasets: tuple[Dataset, ...]
    agreements: tuple[Path, ...]
    deliveries: tuple[Delivery, ...]
    plan: Path
    regions: Path
    boundaries: Path
    standards: Path
    truth: Path
    elevation: Path
    landcover: Path

    def deliveries_of(self, party_id: str) -> tuple[Delivery, ...]:
        """What one party sends."""
        return tuple(d for d in self.deliveries if d.party_id == party_id)


@dataclass(frozen=True)
class Nature:
    """The basin before anybody writes about it."""

    terrain: Terrain
    countries: Countries
    land: Land
    stations: dict[str, Stations]
    crossing: Crossing
    water: dict[str, list[Water]]  #: by party; Suvarin has its laboratory and its daily stations
    laboratory: Laboratory  #: of Velmara, whose year it made of the river's


def grow(seed: int) -> tuple[Nature, dict[str, np.random.Generator]]:
    """Grow the basin; the generators left over are those of wildlife and faults."""
    streams = noise.streams(seed, _STREAMS)
    terrain = make_terrain(streams["terrain"])
    countries = make_countries(streams["countries"])
    land = make_land(streams["land"], terrain)
    stations = {s.party_id: s for s in place_stations(terrain, countries)}
    starts = {"VIWE": "2024-01-03", "KNCM": "2024-01-04", "SUEA": "2024-01-02"}
    water = {
        party: [
            make_water(streams[party], stations[party], days_between(start, 7), _LABORATORY[party])
        ]
        for party, start in starts.items()
    }
    daily = make_water(
        streams["SUEA"], stations["SUEA"], days_between("2024-01-01", 1), _FIELD, _DAILY
    )
    uranium = make_water(
        streams["KNCM"], stations["KNCM"], days_between("2024-01-18", 28), {"uranium": 0.0005}
    )
    water["SUEA"].append(daily)
    water["KNCM"].append(uranium)
    crossing = make_crossing(terrain, countries)
    laboratory = make_laboratory(streams["laboratory"], water["VIWE"][0])
    water["VIWE"][0] = laboratory.water
    return Nature(terrain, countries, land, stations, crossing, water, laboratory), streams


def simulate(folder: Path, seed: int = 1, progress: Progress = lambda step: None) -> Basin:
    """Grow the basin and write all of it under ``folder``; the same seed gives the same bytes.

    ``progress`` is told the catalogue key of each step as it begins.
    """
    progress("demo.step.grow")
    nature, streams = grow(seed)
    told = invented()
    for name in ("deliveries", "agreements", "mappings", "maps"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name in told.folders.values():
        (folder / "deliveries" / name).mkdir(exist_ok=True)
    _copy_data(folder)
    progress("demo.step.land")
    write_land.write_layer(
        folder / "maps/elevation.tif", nature.terrain.elevation.astype(np.float32), -9999.0, "m"
    )
    write_land.write_layer(folder / "maps/landcover.tif", nature.terrain.cover, 0, "1")
    write_connect.write_crossing(folder / "maps", nature.crossing)
    countries = as_geojson(nature.countries)
    write_json(folder / "boundaries.geojson", countries)
    write_json(folder / "regions.geojson", with_basin(countries, nature.countries))
    land = _deliver_land(folder, nature)
    survey = write_land_survey(folder, seed, nature.terrain, nature.land, nature.countries)
    progress("demo.step.water")
    water = _deliver_water(folder, nature)
    laboratory = _deliver_laboratory(folder, nature)
    progress("demo.step.wildlife")
    wild = _deliver_wildlife(folder, nature, streams["wildlife"])
    cats = write_cats(folder, seed, nature.terrain, nature.countries)
    known = _deliver_cats(folder, cats.identities, cats.decisions)
    faulty = _deliver_faults(folder, nature, streams["faults"])
    by_country = {p.country_code: nature.water[p.party_id] for p in told.parties}
    planted = [
        *planted_land(nature.land, nature.countries),
        *survey.values,
        *planted_water(by_country),
        *planted_laboratory(nature.laboratory),
        *planted_crossing(nature.crossing),
        *cats.values,
    ]
    write_json(
        folder / "truth.json",
        {
            "seed": seed,
            "values": [t.told() for t in planted],
            "statements": [
                *survey.statements,
                *statements(nature.land, nature.stations, nature.crossing),
                *cats.statements,
            ],
        },
    )
    return Basin(
        folder=folder,
        today=TODAY,
        parties=told.parties,
        people=told.people,
        projects=told.projects,
        datasets=told.datasets,
        agreements=tuple(sorted((folder / "agreements").glob("*.toml"))),
        deliveries=(*water, *laboratory, *land, *wild, *known, *faulty),
        plan=folder / "plan.toml",
        regions=folder / "regions.geojson",
        boundaries=folder / "boundaries.geojson",
        standards=folder / "standards.csv",
        truth=folder / "truth.json",
        elevation=folder / "maps/elevation.tif",
        landcover=folder / "maps/landcover.tif",
    )


def _copy_data(folder: Path) -> None:
    """Plan, standards, mappings and agreements: the same whatever the seed."""
    with resources.as_file(resources.files("ecotone.demo").joinpath("data")) as data:
        for name in ("plan.toml", "standards.csv"):
            shutil.copyfile(data / name, folder / name)
        for source in sorted(data.glob("mapping-*.toml")):
            target = folder / "mappings" / source.name.removeprefix("mapping-")
            shutil.copyfile(source, target)
        for source in sorted((data / "agreements").glob("*.toml")):
            shutil.copyfile(source, folder / "agreements" / source.name)


def _deliver_land(folder: Path, nature: Nature) -> tuple[Delivery, ...]:
    """Each agency maps what it claims; the disputed strip therefore comes twice."""
    folders = {p: folder / "deliveries" / name for p, name in invented().folders.items()}
    claimed = nature.countries.claimed
    bands = folders["VIWE"] / "ndvi-velmara-2009-2024.tif"
    write_land.write_banded(bands, nature.land, claimed("XA"))
    netcdf = folders["KNCM"] / "ndvi-keshdora-2009-2024.nc"
    write_land.write_netcdf(netcdf, nature.land, claimed("XB"), "NCM Keshdora")
    dated = folders["SUEA"] / "ndvi-suvarin-2009-2024"
    write_land.write_dated(dated, nature.land, claimed("XC"))
    return (
        Delivery("ndvi-bands", "VIWE", "XA-LAND", bands),
        Delivery("ndvi-netcdf", "KNCM", "XB-LAND", netcdf),
        Delivery("ndvi-dated", "SUEA", "XC-LAND", dated),
    )


def _deliver_water(folder: Path, nature: Nature) -> list[Delivery]:
    told = invented()
    mappings = folder / "mappings"
    folders = {party: folder / "deliveries" / name for party, name in told.folders.items()}
    languages = {"VIWE": "en", "KNCM": "ru", "SUEA": "zh"}
    deliveries = []
    for party in told.parties:
        name, country = party.party_id, party.country_code
        path = folders[name] / "sites.csv"
        river = told.river[languages[name]]
        write_water.write_sites(path, nature.stations[name], country, told.zones[name], river)
        deliveries.append(
            Delivery("sites", name, f"{country}-WATER", path, mappings / "sites.toml")
        )
    viwe = folders["VIWE"] / "river-2024.csv"
    write_water.write_long(viwe, nature.water["VIWE"][0], told.zones["VIWE"])
    kncm = folders["KNCM"] / "вода-2024.csv"
    write_water.write_russian(kncm, nature.water["KNCM"])
    book = folders["SUEA"] / "水质实验室-2024.xlsx"
    write_water.write_chinese_book(book, nature.water["SUEA"][0], "2024年", "苏瓦林环境研究院")
    daily = folders["SUEA"] / "自动监测-2024.csv"
    write_water.write_chinese_daily(daily, nature.water["SUEA"][1])
    return [
        *deliveries,
        Delivery("water-long", "VIWE", "XA-WATER", viwe, mappings / "viwe-water.toml"),
        Delivery("water-russian", "KNCM", "XB-WATER", kncm, mappings / "kncm-water.toml"),
        Delivery("water-book", "SUEA", "XC-WATER", book, mappings / "suea-laboratory.toml"),
        Delivery("water-daily", "SUEA", "XC-WATER", daily, mappings / "suea-daily.toml"),
    ]


def _deliver_laboratory(folder: Path, nature: Nature) -> list[Delivery]:
    """Velmara's controls and custody beside its results; its network and an old record apart."""
    own = folder / "deliveries" / invented().folders["VIWE"]
    made, stations = nature.laboratory, nature.stations["VIWE"]
    ids = stations.ids
    write_laboratory.write_controls(
        own / "controls-2024.csv", made, write_water.bottles(made.water)
    )
    write_laboratory.write_custody(own / "custody-2024.csv", made, ids)
    write_laboratory.write_sonde(own / "sonde-2024.csv", made, stations)
    write_laboratory.write_history(own / "history-2005-2024.csv", made, stations)
    write_laboratory.write_devices(own / "devices.csv")
    write_laboratory.write_events(own / "device-events.csv", ids[SONDE])
    write_laboratory.write_rules(own / "alarm-rules.csv", ids[SONDE])
    return [
        Delivery(f"lab-{name}", "VIWE", dataset, own / file,
                 folder / "mappings" / f"viwe-{name}.toml")
        for name, dataset, file in (
            ("controls", "XA-WATER", "controls-2024.csv"),
            ("custody", "XA-WATER", "custody-2024.csv"),
            ("sonde", "XA-NET", "sonde-2024.csv"),
            ("devices", "XA-NET", "devices.csv"),
            ("events", "XA-NET", "device-events.csv"),
            ("rules", "XA-NET", "alarm-rules.csv"),
            ("history", "XA-OLD", "history-2005-2024.csv"),
        )
    ]  # fmt: skip


def _deliver_wildlife(
    folder: Path, nature: Nature, rng: np.random.Generator
) -> tuple[Delivery, ...]:
    folders = invented().folders
    deliveries = folder / "deliveries"
    terrain, countries = nature.terrain, nature.countries
    archive = deliveries / folders["VIWE"] / "wildlife-2024.zip"
    seen = encounters(rng, terrain, countries.mask("XA"), 2600)
    write_wild.write_darwin_core(archive, seen, _OFFSETS["VIWE"])
    package = deliveries / folders["KNCM"] / "camera-traps-2024.zip"
    traps = deployments(rng, terrain, countries.mask("XB"), 40)
    write_wild.write_camera_traps(package, traps, captures(rng, traps, 3000), _OFFSETS["KNCM"])
    table = deliveries / folders["SUEA"] / "样线调查-2024.csv"
    write_wild.write_transects(table, encounters(rng, terrain, countries.mask("XC"), 1800))
    mapping = folder / "mappings/suea-wildlife.toml"
    return (
        Delivery("wildlife-archive", "VIWE", "XA-WILD", archive),
        Delivery("camera-traps", "KNCM", "XB-WILD", package),
        Delivery("wildlife-table", "SUEA", "XC-WILD", table, mapping),
    )


def _deliver_cats(
    folder: Path, identities: dict[str, Path], decisions: Path
) -> tuple[Delivery, ...]:
    """Each party's catalogue of cats, and what two observers decided about pairs of them."""
    mapping = folder / "mappings/individuals.toml"
    datasets = {"VIWE": "XA-CATS", "KNCM": "XB-CATS"}
    return (
        *(
            Delivery("individuals", party, datasets[party], path, mapping)
            for party, path in identities.items()
        ),
        Delivery("identity-decisions", "VIWE", "XA-CATS", decisions),
    )


def _deliver_faults(folder: Path, nature: Nature, rng: np.random.Generator) -> tuple[Delivery, ...]:
    folders = invented().folders
    deliveries = folder / "deliveries"
    whole = deliveries / folders["KNCM"] / "camera-traps-2024.zip"
    broken = deliveries / folders["KNCM"] / "camera-traps-2023.zip"
    write_truncated(broken, whole)
    loggers = deliveries / folders["VIWE"] / "loggers-2024.csv"
    write_faulty_loggers(rng, loggers, nature.stations["VIWE"])
    mapping = folder / "mappings/bad-rows.toml"
    return (
        Delivery("broken-archive", "KNCM", "XB-WILD", broken, expected="refused"),
        Delivery("loggers", "VIWE", "XA-WATER", loggers, mapping, expected="partial"),
    )
