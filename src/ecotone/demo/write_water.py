"""The river's year as three laboratories send it, each in its own house style."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.demo.files import write_csv, write_xlsx
from ecotone.demo.simulate_water import Water
from ecotone.demo.stations import Stations
from ecotone.demo.write_laboratory import laboratory_columns

_NO3_PER_N: Final = 62.0049 / 14.0067  # molar masses, IUPAC 2021
_RUSSIAN: Final = {
    "nitrate": "Азот нитратный",
    "ammonium": "Азот аммонийный",
    "arsenic": "Мышьяк",
    "lead": "Свинец",
    "ph": "Водородный показатель",
    "oxygen": "Кислород растворённый",
    "conductivity": "Удельная электропроводность",
    "turbidity": "Мутность",
    "uranium": "Уран",
}
_RUSSIAN_UNITS: Final = {"mg/L": "мг/дм3", "1": "ед. рН", "uS/cm": "мкСм/см", "NTU": "НЕФ"}
_CHINESE: Final = {
    "nitrate": "硝酸盐氮(mg/L)",
    "ammonium": "氨氮(mg/L)",
    "arsenic": "砷(μg/L)",
    "lead": "铅(μg/L)",
    "ph": "pH值(无量纲)",
    "oxygen": "溶解氧(mg/L)",
    "conductivity": "电导率(μS/cm)",
    "turbidity": "浊度(NTU)",
}
_METHODS: Final = {
    "nitrate": "ISO 10304-1:2007",
    "ammonium": "ISO 11732:2005",
    "arsenic": "ISO 17294-2:2016",
    "lead": "ISO 17294-2:2016",
    "ph": "ISO 10523:2008",
    "oxygen": "ISO 17289:2014",
    "conductivity": "ISO 7888:1985",
    "turbidity": "ISO 7027-1:2016",
    "uranium": "ISO 17294-2:2016",
}


def write_sites(path: Path, stations: Stations, country: str, zone: str, river: str) -> None:
    """The list of a party's stations."""
    write_csv(
        path,
        pd.DataFrame(
            {
                "site_id": stations.ids,
                "name": stations.names,
                "kind": "river station",
                "water_body": river,
                "zone": zone,
                "latitude": _fixed(pd.Series(stations.latitude), 5),
                "longitude": _fixed(pd.Series(stations.longitude), 5),
                "coordinate_uncertainty_m": 25,
                "elevation_m": _fixed(pd.Series(stations.elevation), 0),
                "country_code": country,
            }
        ),
    )


def bottles(water: Water) -> pd.Series:
    """The bottle of each result."""
    return water.results["day"].dt.strftime("B%y%m%d-") + _station(water)


def write_long(path: Path, water: Water, zone: str) -> None:
    """Velmara: UTF-8, one result a row, ISO times, nitrate as the ion, batches named."""
    rows = water.results
    as_ion = rows["property"] == "nitrate"
    factor = np.where(as_ion, _NO3_PER_N, 1.0)
    # A crew drives from station to station from nine in the morning on.
    minutes = 9 * 60 + (rows["station"] * 17) % 420
    at = rows["day"] + pd.to_timedelta(minutes, unit="min")
    write_csv(
        path,
        pd.DataFrame(
            {
                "result_id": _numbered("VIWE-24-", rows),
                "station": _station(water),
                "bottle": bottles(water),
                **_place(water),
                "sampled_at": at.dt.strftime("%Y-%m-%dT%H:%M"),
                "time_zone": zone,
                "parameter": rows["property"],
                "expressed_as": np.where(as_ion, "NO3", rows["basis"]),
                "result": _text(rows, factor).mask(rows["lost"], "bottle broken"),
                "unit": rows["unit"],
                "method": rows["property"].map(_METHODS),
                **laboratory_columns(rows, factor),
                "note": np.where(rows["lost"], "repeat next visit", ""),
            }
        ),
    )


def write_russian(path: Path, waters: Sequence[Water]) -> None:
    """Keshdora: CP1251, semicolons, decimal comma, day first, limits in a column of their own."""
    table = pd.concat([_russian(water) for water in waters], ignore_index=True)
    table.insert(0, "№", _numbered("НЦМ-", table))
    for column in ("Широта", "Долгота", "Результат", "ПО"):
        table[column] = table[column].str.replace(".", ",", regex=False)
    write_csv(path, table, encoding="cp1251", delimiter=";")


def _russian(water: Water) -> pd.DataFrame:
    rows = water.results
    # Whoever types the results writes "<0,05" or "н/о", as the day is long.
    marked = rows["censored"] & (np.arange(len(rows)) % 3 == 0)
    place = _place(water)
    return pd.DataFrame(
        {
            "Створ": _station(water),
            "Широта": place["latitude"],
            "Долгота": place["longitude"],
            "Дата отбора": rows["day"].dt.strftime("%d.%m.%Y"),
            "Показатель": rows["property"].map(_RUSSIAN),
            "В пересчёте на": rows["basis"],
            "Результат": _text(rows, 1.0).mask(marked, "н/о").mask(rows["lost"], "прмз"),
            "Ед. изм.": rows["unit"].map(_RUSSIAN_UNITS),
            "ПО": _significant(rows["limit"]).where(rows["limit"] > 0, ""),
            "Методика": rows["property"].map(_METHODS),
            "Примечание": np.where(rows["lost"], "проба промёрзла", ""),
        }
    )


def write_chinese_book(path: Path, water: Water, sheet: str, sender: str) -> None:
    """Suvarin, laboratory: a workbook, one row per station and day, metals in micrograms."""
    rows = water.results
    micro = np.where(rows["property"].isin(("arsenic", "lead")), 1000.0, 1.0)
    table = _wide(water, _text(rows, micro))
    # In a workbook numbers are numbers and days are days; marks stay words between them.
    for column in table.columns.difference(["断面", "备注"]):
        numbers = pd.to_numeric(table[column], errors="coerce").astype(object)
        table[column] = numbers.where(numbers.notna(), table[column])
    table["采样日期"] = pd.to_datetime(table["采样日期"]).dt.date
    write_xlsx(path, table, sheet, sender)


def write_chinese_daily(path: Path, water: Water) -> None:
    """Suvarin, automatic stations: one row per station and day, GB 18030."""
    write_csv(path, _wide(water, _text(water.results, 1.0)), encoding="gb18030")


def _wide(water: Water, text: pd.Series) -> pd.DataFrame:
    rows = water.results
    place = _place(water)
    long = pd.DataFrame(
        {
            "断面": _station(water),
            "纬度": place["latitude"],
            "经度": place["longitude"],
            "采样日期": rows["day"].dt.strftime("%Y-%m-%d"),
            "header": rows["property"].map(_CHINESE),
            "text": text.mask(rows["lost"], "未采样"),
        }
    )
    keys = ["采样日期", "断面", "纬度", "经度"]
    wide = long.pivot(index=keys, columns="header", values="text")
    present = [header for header in _CHINESE.values() if header in wide]
    table = wide[present].reset_index()
    table["备注"] = ""
    return table[["断面", "纬度", "经度", "采样日期", *present, "备注"]]


def _station(water: Water) -> pd.Series:
    return water.results["station"].map(dict(enumerate(water.stations.ids)))


def _place(water: Water) -> dict[str, pd.Series]:
    rank = water.results["station"].to_numpy()
    return {
        "latitude": _fixed(pd.Series(water.stations.latitude[rank]), 5),
        "longitude": _fixed(pd.Series(water.stations.longitude[rank]), 5),
    }


def _numbered(prefix: str, rows: pd.DataFrame) -> pd.Series:
    return prefix + pd.Series(np.arange(1, len(rows) + 1)).astype(str).str.zfill(6)


def _text(rows: pd.DataFrame, factor: float | NDArray[np.float64]) -> pd.Series:
    """Results to four significant figures; below the limit the limit with its sign."""
    below = "<" + _significant(rows["limit"] * factor)
    return _significant(rows["value"] * factor).mask(rows["censored"], below)


def _significant(numbers: pd.Series) -> pd.Series:
    """Four significant figures; the river's numbers lie where %g writes no exponent."""
    return pd.Series(np.char.mod("%.4g", numbers.to_numpy()), index=numbers.index, dtype=object)


def _fixed(numbers: pd.Series, digits: int) -> pd.Series:
    return pd.Series(np.char.mod(f"%.{digits}f", numbers.to_numpy()), dtype=object)
