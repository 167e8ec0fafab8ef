"""What leaves for the conventions: Trends.Earth's fields, the forms' sheets, people, vectors.

``LandConditionSummary`` and its parts have the fields of te_schemas' ``reporting``,
``land_cover`` and ``error_recode`` modules (trends.earth-schemas, MIT), written as strict models:
a field too many, too few or of another kind is refused.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import geopandas
import numpy as np
import pandas as pd
import pytest
import rasterio
from pydantic import BaseModel, ConfigDict, Field
from shapely.geometry import box, mapping
from tests.unit.assess.test_assess_land_status import (
    COLUMNS,
    GRID,
    ROWS,
    SPANS,
    YEARS,
    covers,
    greenness,
    write,
)

from ecotone.assess.compute import compute
from ecotone.assess.indicators.land_workbook import propose_confidence
from ecotone.model.errors import EcotoneError, InputRefused
from ecotone.model.result import Result

Positive = Annotated[float, Field(ge=0)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Area(Strict):
    name: str | None
    area: Positive


class AreaList(Strict):
    name: str | None
    unit: Literal["m", "ha", "sq km"]
    areas: list[Area]


class Entry(Strict):
    initial_label: str
    final_label: str
    value: float


class CrossTab(Strict):
    name: str | None
    unit: str
    initial_year: int
    final_year: int
    values: list[Entry]


class ByYear(Strict):
    name: str
    unit: str
    values: dict[int, dict[str, float]]


class LCClass(Strict):
    code: int
    name_short: Annotated[str, Field(max_length=20)]
    name_long: Annotated[str, Field(max_length=90)]
    description: str | None
    color: Annotated[str, Field(pattern=r"^#([a-fA-F0-9]{6}|[a-fA-F0-9]{3})$")] | None


class Legend(Strict):
    name: str
    key: list[LCClass]
    nodata: LCClass


class Nesting(Strict):
    parent: Legend
    child: Legend
    nesting: dict[int, list[int]]


class Transition(Strict):
    initial: LCClass
    final: LCClass
    meaning: Literal["degradation", "stable", "improvement"]


class Definitions(Strict):
    name: str
    transitions: list[Transition]


class Matrix(Strict):
    legend: Legend
    name: str
    definitions: Definitions


class Sdg(Strict):
    summary: AreaList


class Productivity(Strict):
    summaries: dict[str, AreaList]
    crosstabs_by_productivity_class: list[CrossTab]


class LandCover(Strict):
    summary: AreaList
    legend_nesting: Nesting
    transition_matrix: Matrix
    crosstabs_by_land_cover_class: list[CrossTab]
    land_cover_areas_by_year: ByYear


class Carbon(Strict):
    summaries: dict[str, AreaList]
    soc_stock_by_year: ByYear


class RecodeProperties(Strict):
    fid: int | None
    uuid: UUID | None
    location_name: str | None
    area_km_sq: float | None
    process_driving_change: str | None
    basis_for_judgement: str | None
    periods: list[dict[str, str]]
    recode_deg_to: Literal[-32768, 0, 1] | None
    recode_stable_to: Literal[-32768, -1, 1] | None
    recode_imp_to: Literal[-32768, -1, 0] | None


class RecodeFeature(Strict):
    type: Literal["Feature"]
    geometry: dict[str, Any]
    properties: RecodeProperties


class RecodePolygons(Strict):
    type: Literal["FeatureCollection"]
    name: str | None
    crs: dict[str, Any] | None
    features: list[RecodeFeature]


class Assessment(Strict):
    sdg: Sdg
    productivity: Productivity
    land_cover: LandCover
    soil_organic_carbon: Carbon
    error_recode: RecodePolygons | None = None
    sdg_error_recode: AreaList | None = None


class Status(Strict):
    sdg: AreaList
    productivity: dict[str, AreaList]
    land_cover: AreaList
    soil_organic_carbon: dict[str, AreaList]


class Change(Strict):
    sdg: CrossTab
    productivity: CrossTab
    land_cover: CrossTab
    soil_organic_carbon: CrossTab


class Condition(Strict):
    period_assessment: Assessment
    status_assessment: Status | None = None
    change_assessment: Change | None = None


class Population(Strict):
    name: str | None
    population: Annotated[int, Field(ge=0)]
    type: Literal["Total population", "Female population", "Male population"]


class PopulationList(Strict):
    name: str | None
    values: list[Population]


class Affected(Strict):
    summary: dict[str, PopulationList]


class Version(Strict):
    version: str
    revision: str | None
    release_date: datetime | None


class AreaOfInterest(Strict):
    name: str
    geojson: dict[str, Any]
    crs_wkt: str


class Metadata(Strict):
    title: str
    date: datetime
    trends_earth_version: Version
    area_of_interest: AreaOfInterest
    affected_areas_only: bool


class LandConditionSummary(Strict):
    metadata: Metadata
    land_condition: dict[str, Condition]
    affected_population: dict[str, Affected]


class DroughtReport(Strict):
    tier_one: dict[int, AreaList]
    tier_two: dict[int, dict[str, PopulationList]]
    tier_three: dict[int, dict[str, Any]]


class DroughtSummary(Strict):
    metadata: Metadata
    drought: DroughtReport


def features(path: Path, rows: list[dict[str, Any]]) -> Path:
    made = [
        {"type": "Feature", "geometry": mapping(row["at"]),
         "properties": {k: v for k, v in row.items() if k != "at"}}
        for row in rows
    ]  # fmt: skip
    path.write_text(json.dumps({"type": "FeatureCollection", "features": made}))
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """One run with everything: people, zones in countries, a correction, a ground sample."""
    folder = tmp_path_factory.mktemp("exports")
    days = [f"{year}-07-01" for year in YEARS]
    rng = np.random.default_rng(2)
    half = GRID * GRID.scale(0.5)
    people = {
        name: write(
            folder / f"{name}.tif", rng.uniform(0, 9, (2 * ROWS, 2 * COLUMNS)), transform=half
        )
        for name in ("female", "male")
    }
    places = pd.DataFrame(
        {
            "latitude": 41 - rng.uniform(0, 0.6, 300),
            "longitude": 70 + rng.uniform(0, 0.8, 300),
        }
    )
    places["state"] = np.where(places["longitude"] < 70.3, "degraded", "stable")
    places.to_csv(folder / "sample.csv", index=False)
    fix = {
        "uuid": "a", "location_name": "Old quarry", "area_km_sq": 1.0, "recode_deg_to": 0,
        "recode_stable_to": -1, "recode_imp_to": None, "periods_affected": ["report_1"],
        "process_driving_change": "ploughing", "basis_for_judgement": "seen",
        "at": box(70.2, 40.7, 70.4, 41),
    }  # fmt: skip
    inputs = {
        "ndvi": write(folder / "ndvi.tif", greenness(), days),
        "landcover": write(folder / "lc.tif", covers(), days, dtype="uint8", nodata=0),
        "soc": write(folder / "soc.tif", np.full((ROWS, COLUMNS), 60.0)),
        **people,
        "sample": folder / "sample.csv",
        "zones": features(
            folder / "zones.geojson",
            [{"id": "W", "at": box(70, 40.4, 70.4, 41)},
             {"id": "E", "at": box(70.4, 40.4, 70.8, 41)}],
        ),
        "countries": features(
            folder / "countries.geojson",
            [{"id": "N", "at": box(70, 40.7, 70.8, 41)},
             {"id": "S", "at": box(70, 40.5, 70.8, 40.7)}],
        ),
        "corrections": features(folder / "fix.geojson", [fix]),
    }  # fmt: skip
    out = folder / "out"
    given = {name: [path] for name, path in inputs.items()}
    return out, compute("land.sdg-15-3-1", given, SPANS, out)


def test_the_json_has_the_fields_of_te_schemas(made: tuple[Path, Result]) -> None:
    out, _ = made
    text = (out / "exports/trends_earth.json").read_text()
    summary = LandConditionSummary.model_validate_json(text)
    report = summary.land_condition["report_1"]
    assert report.status_assessment is not None and report.change_assessment is not None
    status = pd.read_csv(out / "tables/status.csv").set_index("class")["area_km2"]
    told = {a.name: a.area for a in report.status_assessment.sdg.areas}
    assert told["Degraded"] == pytest.approx(status[[1, 2, 3]].sum(), rel=1e-9)
    recode = report.period_assessment.error_recode
    assert recode is not None and recode.features[0].properties.recode_stable_to == -1
    people = summary.affected_population["report_1"].summary["Female population"].values
    table = pd.read_csv(out / "tables/people.csv")
    wanted = table[table["period"] == "report_1"].set_index("state")["female"]
    assert people[0].population == round(wanted["degraded"])


def test_the_model_refuses_what_the_schema_would(made: tuple[Path, Result]) -> None:
    document = json.loads((made[0] / "exports/trends_earth.json").read_text())
    summary = document["land_condition"]["baseline"]["period_assessment"]["sdg"]["summary"]
    for change in ({"unit": "km2"}, {"more": 1}, {"areas": [{"name": "x", "area": -1.0}]}):
        kept = dict(summary)
        summary.update(change)
        with pytest.raises(ValueError, match="validation error"):
            LandConditionSummary.model_validate(document)
        summary.clear()
        summary.update(kept)


def test_people_are_conserved_by_state(made: tuple[Path, Result]) -> None:
    out, result = made
    table = pd.read_csv(out / "tables/people.csv")
    total = {}
    for name in ("female", "male"):
        with rasterio.open(out.parent / f"{name}.tif") as file:
            total[name] = float(file.read(1).astype(float).sum())
        assert table.groupby("period")[name].sum().to_numpy() == pytest.approx(
            total[name], rel=1e-9
        )
    assert table.groupby("period")["population"].sum().to_numpy() == pytest.approx(
        sum(total.values()), rel=1e-9
    )
    assert result.values["people_degraded"].value == pytest.approx(
        result.values["female_degraded"].value + result.values["male_degraded"].value
    )


def test_the_forms_in_their_order(made: tuple[Path, Result]) -> None:
    out, result = made
    book = pd.read_excel(out / "exports/prais.xlsx", sheet_name=None)
    names = list(book)
    assert names == sorted(names, key=lambda n: (n.split("-")[0] != "CP", n))
    assert {"CP-1.T2", "SO1-4.T3", "SO1-4.T4", "SO2-3.T1", "SO2-3.T2"} <= set(names)
    indicator = book["SO1-4.T2"].set_index("Period")
    assert indicator.loc["report_1", "Degraded (km2)"] == pytest.approx(
        result.values["degraded_km2"].value
    )
    false = book["SO1-4.T3"].set_index("Type")
    assert false.loc["False negative", "Location name"] == "Old quarry"
    assert set(false.index) == {"False negative", "False positive"}
    assert false["Period"].unique().tolist() == ["report_1"]
    assert false["Area of the polygon (km2)"].iloc[0] == pytest.approx(562, rel=0.01)


def test_zones_shared_by_countries(made: tuple[Path, Result]) -> None:
    """Each zone has a total and a row a country; what no country holds stands apart."""
    out, _ = made
    table = pd.read_csv(out / "tables/transboundary.csv")
    for zone in ("W", "E"):
        here = table[table["zone"] == zone].groupby("country")["area_km2"].sum()
        assert here[["N", "S", "other"]].sum() == pytest.approx(here["total"], rel=1e-6)
        assert here["N"] == pytest.approx(here["total"] / 2, rel=0.01)
        assert here["other"] == pytest.approx(here["total"] / 6, rel=0.01)
    shares = table[table["class"] == 4].dropna(subset=["share_percent"])
    assert (shares.groupby("zone")["share_percent"].sum().round(6) == 200).all()


def test_vectors_and_rasters_open_in_a_gis(made: tuple[Path, Result]) -> None:
    out, result = made
    zones = geopandas.read_file(out / result.vectors["zones"])
    assert zones.crs.to_epsg() == 4326
    assert set(zones["zone"]) == {"W", "E"}
    assert zones["degraded_percent"].notna().all()
    spots = geopandas.read_file(out / result.vectors["spots"])
    table = pd.read_csv(out / "tables/hotspots.csv")
    area = spots[spots["kind"] == "hotspot"].to_crs("ESRI:54034").area.to_numpy() / 1e6
    assert area == pytest.approx(table["area_km2"].to_numpy(), rel=1e-3)
    assert table["drivers"].str.contains("productivity").any()
    with rasterio.open(out / result.rasters["status"]) as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.colorinterp[0].name == "palette"
    style = (out / "rasters/status.qml").read_text(encoding="utf-8")
    assert 'type="paletted"' in style and "Persistent degradation" in style


def test_the_sample_corrects_the_areas(made: tuple[Path, Result]) -> None:
    _, result = made
    found = result.values["degraded_adjusted_km2"]
    true = result.values["total_km2"].value * 3 / 8
    assert found.low < true < found.high
    codes = [f["code"] for f in result.findings]
    assert "land-sample" in codes
    assert any(code.startswith("land-confidence-") for code in codes)
    balance = result.values["balance_km2"].value
    assert balance is not None and result.values["not_neutral"].value >= 1


def test_the_same_bytes_twice(made: tuple[Path, Result]) -> None:
    out, _ = made
    before = {p.name: p.read_bytes() for p in out.rglob("*") if p.suffix in (".gpkg", ".xlsx")}
    folder = out.parent
    inputs = {
        "ndvi": [folder / "ndvi.tif"],
        "landcover": [folder / "lc.tif"],
        "soc": [folder / "soc.tif"],
        **{n: [folder / f"{n}.tif"] for n in ("female", "male")},
        "sample": [folder / "sample.csv"],
        **{n: [folder / f"{n}.geojson"] for n in ("zones", "countries")},
        "corrections": [folder / "fix.geojson"],
    }
    compute("land.sdg-15-3-1", inputs, SPANS, out)
    for path in out.rglob("*"):
        if path.name in before:
            assert path.read_bytes() == before[path.name], path.name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("latitude,longitude,state\n40.9,70.1,awful\n", "awful"),
        ("latitude,longitude,state\n,70.1,stable\n", "without latitude"),
        ("latitude,state\n40.9,stable\n", "longitude"),
    ],
)
def test_samples_that_are_refused(
    made: tuple[Path, Result], tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "s.csv").write_text(text)
    inputs = {"ndvi": [made[0].parent / "ndvi.tif"], "sample": [tmp_path / "s.csv"]}
    with pytest.raises(InputRefused, match=said):
        compute("land.sdg-15-3-1", inputs, SPANS, tmp_path / "out")


def test_a_sample_too_small_is_told(made: tuple[Path, Result], tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("latitude,longitude,state\n40.9,70.1,stable\n")
    inputs = {"ndvi": [made[0].parent / "ndvi.tif"], "sample": [tmp_path / "s.csv"]}
    result = compute("land.sdg-15-3-1", inputs, SPANS, tmp_path / "out")
    assert "land-sample-small" in [f["code"] for f in result.findings]


def test_the_level_of_confidence() -> None:
    parts = dict.fromkeys(("productivity", "landcover", "soc"))
    assert propose_confidence(0.9, 0.0, 1.0, parts) == "high"
    assert propose_confidence(0.9, 0.0, 1.0, {"productivity": 1}) == "medium"
    assert propose_confidence(0.5, 0.0, 1.0, parts) == "low"
    assert propose_confidence(None, 0.6, 1.0, parts) == "low"
    assert propose_confidence(None, 0.1, 1.0, parts) == "medium"


def monthly_rain(folder: Path) -> Path:
    months = [str(m) for m in np.arange("1981-01", "2012-01", dtype="datetime64[M]")]
    rng = np.random.default_rng(4)
    shared = rng.gamma(2.0, 25.0, (len(months), 1, 1))
    rain = shared * rng.uniform(0.8, 1.2, (len(months), 4, 5))
    rain[-12:, :, :2] *= 0.35
    return write(folder / "rain.tif", rain.round(1), months, transform=GRID)


def test_exposure_from_rain_with_intervals_and_forms(tmp_path: Path) -> None:
    inputs = {
        "precipitation": [monthly_rain(tmp_path)],
        "female": [write(tmp_path / "f.tif", np.full((4, 5), 6.0))],
        "male": [write(tmp_path / "m.tif", np.full((4, 5), 5.0))],
    }
    factors = tmp_path / "dvi.csv"
    rows = [
        f"{year},{component},{name},{value},{direction},{group}"
        for year, value in ((2010, 1.0), (2011, 3.0))
        for component, name, direction in (("social", "illiteracy", 1), ("economic", "income", -1))
        for group in ("total", "female", "male")
    ]
    factors.write_text("year,component,factor,value,direction,group\n" + "\n".join(rows))
    inputs["vulnerability"] = [factors]
    out = tmp_path / "out"
    result = compute("land.drought-exposure", inputs, {"first": 2008}, out)
    hard = result.values["severe_km2"]
    assert hard.low <= hard.value <= hard.high and hard.value > 0
    people = result.values["severe_people"]
    assert people.value == pytest.approx(
        result.values["severe_female"].value + result.values["severe_male"].value
    )
    assert people.low <= people.value <= people.high
    assert result.values["vulnerability"].value == 0.5
    book = pd.read_excel(out / "exports/prais_drought.xlsx", sheet_name=None)
    assert list(book) == [
        "SO3-1.T1", "SO3-1.T2", "SO3-2.T1", "SO3-2.T2", "SO3-2.T3", "SO3-3.T1", "SO3-3.T2",
    ]  # fmt: skip
    areas = book["SO3-1.T1"].set_index("Year")
    assert areas.sum(axis=1).to_numpy() == pytest.approx(result.values["total_km2"].value, rel=1e-9)
    document = (out / "exports/trends_earth_drought.json").read_text()
    summary = DroughtSummary.model_validate_json(document)
    assert {a.name for a in summary.drought.tier_one[2011].areas} == {
        "Mild drought", "Moderate drought", "Severe drought", "Extreme drought", "Non-drought",
        "No data",
    }  # fmt: skip
    none = compute("land.drought-exposure", inputs, {"first": 2008, "draws": 0}, tmp_path / "o2")
    assert none.values["severe_km2"].low is None


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("2010,social,illiteracy,1,2", "direction 2"),
        ("2010,social,illiteracy,1,1\n2010,social,illiteracy,2,1", "illiteracy: 2010"),
        ("2010,social,illiteracy,1,1\n2011,economic,illiteracy,2,1", "illiteracy"),
    ],
)
def test_factors_that_are_not_clear(tmp_path: Path, row: str, said: str) -> None:
    path = tmp_path / "dvi.csv"
    path.write_text("year,component,factor,value,direction\n" + row)
    inputs = {"precipitation": [monthly_rain(tmp_path)], "vulnerability": [path]}
    with pytest.raises(InputRefused, match=said):
        compute("land.drought-exposure", inputs, {"first": 2008}, tmp_path / "out")


def test_either_an_index_or_rain(tmp_path: Path) -> None:
    rain = monthly_rain(tmp_path)
    both = {"precipitation": [rain], "drought": [rain]}
    for inputs, given, said in (
        ({}, {}, "either"),
        (both, {}, "either"),
        ({"precipitation": [rain]}, {"draws": 5}, "100"),
    ):
        with pytest.raises(EcotoneError, match=f"(?i){said}"):
            compute("land.drought-exposure", inputs, given, tmp_path / "out")
