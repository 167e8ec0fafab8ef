"""What was planted, in the words of the indicators that will look for it."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.demo.countries import BASIN, Countries
from ecotone.demo.grid import area_km2
from ecotone.demo.names import Pollution, all_pollution, data_text, invented
from ecotone.demo.simulate_connect import Crossing
from ecotone.demo.simulate_laboratory import (
    BREAKING,
    HISTORY,
    TREND,
    Laboratory,
)
from ecotone.demo.simulate_land import FIRST_YEAR, LAST_YEAR, Land
from ecotone.demo.simulate_water import YEAR, Water
from ecotone.demo.stations import Stations
from ecotone.model.words import LANGUAGES, Language, say

_LAND_PERIOD: Final = f"{FIRST_YEAR}-{LAST_YEAR}"


@dataclass(frozen=True)
class Truth:
    """One planted number: the answer an indicator's value should come near."""

    indicator: str
    region: str
    period: str
    name: str
    truth: float
    unit: str

    def told(self) -> dict[str, Any]:
        """As ``truth.json`` has it."""
        label = {lang: say(f"demo.truth.{self.indicator}.{self.name}", lang) for lang in LANGUAGES}
        return {**self.__dict__, "label": label}


def planted_land(land: Land, countries: Countries) -> Iterator[Truth]:
    """Mean trend and the cells that really change, by region."""
    whole = {BASIN: np.ones(land.land.shape, dtype=bool)}
    codes = [*(c.code for c in invented().countries), invented().strip.code]
    regions: dict[str, NDArray[np.bool_]] = {**whole, **{c: countries.mask(c) for c in codes}}
    for region, mask in regions.items():
        slope = land.slope[mask & land.land]
        for name, truth, unit in (
            ("mean_slope", float(slope.mean()), "1/year"),
            ("significant_fdr", float((slope != 0).sum()), "pixel"),
        ):
            yield Truth("land.trend", region, _LAND_PERIOD, name, truth, unit)


def planted_water(waters: Mapping[str, list[Water]]) -> Iterator[Truth]:
    """Results that were really beyond the standard, by country; ``waters`` by country code."""
    judged = {
        country: pd.concat([judge(water.results) for water in parts])
        for country, parts in waters.items()
    }
    for region, rows in {BASIN: pd.concat(judged.values()), **judged}.items():
        beyond = int(rows["beyond"].sum())
        for name, truth, unit in (
            ("exceedances", float(beyond), "results"),
            ("share_compliant", 1.0 - beyond / len(rows), "1"),
        ):
            yield Truth("water.compliance", region, str(YEAR), name, truth, unit)


def planted_crossing(crossing: Crossing) -> Iterator[Truth]:
    """Where the fence cuts the belt, where the underpass lies, what is connected in truth."""
    for name, truth, unit in (
        ("eca", crossing.connected, "ha"),
        ("barrier_longitude", crossing.barrier[0], "degree"),
        ("barrier_latitude", crossing.barrier[1], "degree"),
        ("pinch_longitude", crossing.underpass[0], "degree"),
        ("pinch_latitude", crossing.underpass[1], "degree"),
    ):
        yield Truth("connectivity.corridors", BASIN, str(YEAR), name, round(truth, 6), unit)


def planted_laboratory(laboratory: Laboratory) -> Iterator[Truth]:
    """Batches that fail, chains that break, what the sonde stood in, the old record's rise."""
    sonde = laboratory.sonde
    for indicator, name, truth, unit in (
        ("water.laboratory", "batches_failed", 1.0, "batches"),
        ("water.laboratory", "custody_broken", float(BREAKING), "samples"),
        ("water.drift", "mean_corrected", float(sonde["true"].mean()), "uS/cm"),
    ):
        yield Truth(indicator, "XA", str(YEAR), name, truth, unit)
    yield Truth("water.trend", "XA", f"{HISTORY[0]}-{HISTORY[1]}", "slope", TREND, "mg/L/year")


def statements(
    land: Land, stations: Mapping[str, Stations], crossing: Crossing
) -> list[dict[str, str]]:
    """What was planted, in sentences: for the report's last page."""
    told: list[dict[str, str]] = []
    for change in (land.degraded, land.recovering):
        area = f"{area_km2(change.mask):.0f}"
        mean = f"{abs(change.slope[change.mask].mean()):.4f}"
        told.append(
            {
                lang: say(
                    f"demo.planted.{change.name}", lang, area=area, slope=_decimal(mean, lang)
                )
                for lang in LANGUAGES
            }
        )
    told.extend(_polluted(source, stations[source.party]) for source in all_pollution())
    lead: dict[str, str] = {lang: say("demo.planted.lead", lang) for lang in LANGUAGES}
    crossed: dict[str, str] = {lang: _crossed(crossing, lang) for lang in LANGUAGES}
    return [*told, lead, crossed]


def _crossed(crossing: Crossing, lang: Language) -> str:
    """The road along the border in a sentence."""
    places = {"fence": crossing.barrier, "underpass": crossing.underpass}
    told = {}
    for name, (east, north) in places.items():
        angles = [
            say(f"report.degrees.{side}", lang, value=_decimal(f"{value:.3f}", lang))
            for side, value in (("N", north), ("W", -east))
        ]
        told[name] = ("，" if lang == "zh" else ", ").join(angles)
    return say("demo.planted.crossing", lang, **told)


def _polluted(source: Pollution, stations: Stations) -> dict[str, str]:
    return {
        lang: say(
            "demo.planted.pollution",
            lang,
            place=source.name[lang],
            station=stations.ids[source.rank],
            property=say(f"demo.property.{source.property}", lang),
            factor=_decimal(f"{source.factor:g}", lang),
            months=_spans(source.months),
        )
        for lang in LANGUAGES
    }


def _spans(months: tuple[int, ...]) -> str:
    """1-3, 11-12."""
    starts = [m for m in months if m - 1 not in months]
    ends = [m for m in months if m + 1 not in months]
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in zip(starts, ends, strict=True))


def _decimal(number: str, lang: str) -> str:
    return number.replace(".", ",") if lang == "ru" else number


def judge(results: pd.DataFrame) -> pd.DataFrame:
    """The results that a standard speaks of and that exist, and whether the water was beyond it."""
    standards = pd.read_csv(io.StringIO(data_text("standards.csv"))).set_index("property")
    rows = results[results["property"].isin(standards.index) & ~results["lost"]].copy()
    low = rows["property"].map(standards["min"]).astype(float).fillna(-np.inf)
    high = rows["property"].map(standards["max"]).astype(float).fillna(np.inf)
    rows["beyond"] = (rows["true"] < low) | (rows["true"] > high)
    return rows
