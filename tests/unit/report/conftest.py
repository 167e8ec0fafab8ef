"""A small made-up run folder, as ``ecotone assess`` leaves one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rasterio
from rasterio.transform import from_origin
from scipy.stats import beta

WEST, NORTH = -162.0, 41.5
PROPERTIES = (
    "nitrate", "ammonium", "arsenic", "lead", "ph", "oxygen", "conductivity", "turbidity",
)  # fmt: skip
REGIONS: tuple[tuple[str, dict[str, str], float, float], ...] = (
    ("XA", {"en": "Velmara", "zh": "维尔玛拉", "ru": "Вельмара"}, 0.0, 0.5),
    ("XB", {"en": "Keshdora", "zh": "凯什多拉", "ru": "Кешдора"}, 0.5, 1.0),
)
WORDS: dict[str, dict[str, dict[str, str]]] = {
    "land.trend": {
        "title": {
            "en": "Trend of vegetation",
            "zh": "植被变化趋势",
            "ru": "Тренд растительности",
        },
        "summary": {
            "en": "Whether the yearly mean of the vegetation index rose or fell, cell by cell.",
            "zh": "逐像元判断植被指数年均值是上升还是下降。",
            "ru": "Растёт или падает среднегодовой индекс растительности в каждой ячейке.",
        },
        "method": {
            "en": "Each calendar year is averaged first; then the Mann-Kendall test with exact "
            "p-values and the Sen slope.",
            "zh": "先计算各日历年均值，再用 Mann-Kendall 检验（精确 p 值）与 Sen 斜率。",
            "ru": "Сначала усредняется каждый календарный год, затем критерий Манна – Кендалла "
            "с точными p-значениями и наклон Сена.",
        },
        "value.pixels": {"en": "Cells", "zh": "像元数", "ru": "Ячеек"},
        "value.significant": {
            "en": "Significant cells",
            "zh": "显著像元数",
            "ru": "Значимых ячеек",
        },
        "value.mean_slope": {"en": "Mean slope", "zh": "平均斜率", "ru": "Средний наклон"},
        "raster.slope": {"en": "Sen slope", "zh": "Sen 斜率", "ru": "Наклон Сена"},
        "raster.s": {"en": "Mann-Kendall S", "zh": "Mann-Kendall S", "ru": "Статистика S"},
        "raster.p": {"en": "p-value", "zh": "p 值", "ru": "p-значение"},
    },
    "water.compliance": {
        "title": {
            "en": "Compliance with the water standard",
            "zh": "水质达标情况",
            "ru": "Соответствие нормативу качества воды",
        },
        "summary": {
            "en": "Whether results keep to the joint standard; non-detects are never passes.",
            "zh": "检测结果是否符合联合标准；未检出不视为达标。",
            "ru": "Соответствуют ли результаты совместному нормативу; необнаружение не считается "
            "соответствием.",
        },
        "method": {
            "en": "Exact binomial (Clopper-Pearson) intervals for shares.",
            "zh": "比例采用精确二项（Clopper-Pearson）区间。",
            "ru": "Для долей точные биномиальные интервалы (Клоппер – Пирсон).",
        },
        "value.share_compliant": {
            "en": "Share of results that keep to the standard",
            "zh": "达标结果比例",
            "ru": "Доля результатов, соблюдающих норматив",
        },
        "value.results": {"en": "Results", "zh": "结果数", "ru": "Результатов"},
        "table.compliance": {
            "en": "Compliance by station and property",
            "zh": "各监测站各项目达标情况",
            "ru": "Соответствие по створам и показателям",
        },
    },
}
CITED: dict[str, list[dict[str, str]]] = {
    "land.trend": [
        {"text": "Mann, H. B. (1945). Tests against trend.", "doi": "10.2307/1907187"},
        {"text": "Sen, P. K. (1968). Estimates of the regression coefficient.",
         "doi": "10.1080/01621459.1968.10480934"},
    ],
    "water.compliance": [
        {"text": "Clopper, C. J. and Pearson, E. S. (1934). The use of confidence or fiducial "
                 "limits.", "doi": "10.1093/biomet/26.4.404"},
    ],
}  # fmt: skip


def make_run(folder: Path, cells: int = 60, stations: int = 4, status: str = "draft") -> Path:
    """Two regions, a trend and a compliance result each, agreements, boundaries, truth."""
    rng = np.random.default_rng(9)
    folder.mkdir(parents=True)
    results = []
    for region, _, start, end in REGIONS:
        results.append(_land(folder, rng, region, cells, start, end))
        results.append(_water(folder, rng, region, stations, cells))
    results.sort(key=lambda r: r["indicator"])
    _outlines(folder, cells)
    (folder / "plan.toml").write_text("[plan]\n", "utf-8")
    truth = _truth(folder, results)
    (folder / "truth.json").write_text(json.dumps(truth, ensure_ascii=False), "utf-8")
    document = _document(results, status)
    text = json.dumps(document, ensure_ascii=False, indent=1)
    (folder / "run.json").write_text(text, "utf-8")
    return folder


def _land(
    folder: Path, rng: np.random.Generator, region: str, cells: int, start: float, end: float
) -> dict[str, Any]:
    path = f"results/{region}/all/land.trend"
    (folder / path / "rasters").mkdir(parents=True)
    width = int(cells * (end - start))
    row, column = np.mgrid[0:cells, int(cells * start) : int(cells * start) + width] / cells
    slope = -0.012 * np.exp(-((row - 0.4) ** 2 + (column - 0.5) ** 2) / 0.03)
    slope += 0.006 * np.exp(-((row - 0.8) ** 2 + (column - 0.2) ** 2) / 0.02)
    slope += rng.normal(0, 0.0015, slope.shape)
    slope[np.hypot(row - 0.5, column - 0.5) > 0.62] = np.nan
    p = np.clip(np.exp(-(np.abs(slope) / 0.0015)), 1e-5, 1)
    s = np.round(np.clip(slope * 9000, -120, 120))
    origin = from_origin(WEST + cells * start * 0.005, NORTH, 0.005, 0.005)
    for name, values in (("slope", slope), ("p", p), ("s", s)):
        with rasterio.open(
            folder / path / "rasters" / f"{name}.tif", "w", driver="GTiff", width=width,
            height=cells, count=1, dtype="float32", crs="EPSG:4326", transform=origin,
            nodata=np.nan, tiled=True, blockxsize=64, blockysize=64,
        ) as out:  # fmt: skip
            out.write(values.astype("float32"), 1)
    known = np.isfinite(slope)
    mean = float(slope[known].mean())
    values = {
        "pixels": _value(int(known.sum()), "pixel"),
        "significant": _value(int((sure := p <= 0.05).sum()), "pixel"),
        "significant_fdr": _value(int((p <= 0.02).sum()), "pixel"),
        "increasing": _value(int((sure & (slope > 0)).sum()), "pixel"),
        "decreasing": _value(int((sure & (slope < 0)).sum()), "pixel"),
        "mean_slope": _value(mean, "1/year", mean - 0.0004, mean + 0.0004),
    }
    rasters = {name: f"rasters/{name}.tif" for name in ("slope", "p", "s")}
    parameters = {"start": 2009, "end": 2024, "method": "original"}
    gaps = {"code": "land-gaps", "severity": "info", "row": None, "field": None, "value": None,
            "params": {"count": "117"}, "message": "117 pixels lack years."}  # fmt: skip
    old = {**gaps, "code": "made-up", "severity": "warning", "message": "Few scenes."}
    findings = [gaps, old]
    units = {"raster.slope": "1/year", "raster.s": "1", "raster.p": "1"}
    return _result(folder, path, "land.trend", region, values, parameters, units,
                   rasters=rasters, findings=findings)  # fmt: skip


def _water(
    folder: Path, rng: np.random.Generator, region: str, stations: int, cells: int
) -> dict[str, Any]:
    path = f"results/{region}/all/water.compliance"
    (folder / path / "tables").mkdir(parents=True)
    rows, places = [], []
    for index in range(stations):
        station = f"{region}-{index + 1:02d}"
        x, y = WEST + 0.005 * cells * (0.2 + 0.6 * rng.random(2)) * (1, -1) + (0, NORTH - WEST)
        places.append({"site": station, "longitude": x, "latitude": y, "property": "ph"})
        for name in PROPERTIES:
            bad = int(rng.binomial(24, 0.3 if name in {"nitrate", "arsenic"} else 0.01))
            unknown = 6 if name == "lead" and index % 3 == 0 else 0
            rows.append({"station": station, "property": name, **_counted(24, bad, unknown)})
    frame = pd.DataFrame(rows)
    frame.to_csv(folder / path / "tables/compliance.csv", index=False, float_format="%.12g")
    (folder / "inputs").mkdir(exist_ok=True)
    inputs = f"inputs/Observation-{region}.csv"
    pd.DataFrame(places).to_csv(folder / inputs, index=False)
    total = {name: int(frame[name].sum()) for name in ("n", "exceedances", "undetermined")}
    known = total["n"] - total["undetermined"]
    share = 1 - total["exceedances"] / known
    values = {
        "stations": _value(stations, "stations"),
        "results": _value(total["n"], "results"),
        "exceedances": _value(total["exceedances"], "results"),
        "undetermined": _value(total["undetermined"], "results"),
        "share_compliant": _value(share, "1", share - 0.02, share + 0.025),
    }
    units = {f"table.compliance.{name}": "1" for name in ("share", "low", "high")}
    parameters = {"standard": "JBS", "version": None, "start": 2009, "end": 2024}
    tables = {"compliance": "tables/compliance.csv"}
    given = [{"name": "results", "path": inputs, "sha256": "00" * 32}]
    return _result(folder, path, "water.compliance", region, values, parameters, units,
                   tables=tables, inputs=given)  # fmt: skip


def _counted(n: int, bad: int, unknown: int) -> dict[str, Any]:
    """The counts of one station and property as the indicator writes them."""
    bad = min(bad, n - unknown)
    share = bad / (n - unknown)
    low = float(beta.ppf(0.025, bad, n - bad + 1)) if bad else 0.0
    most = bad + unknown
    high = float(beta.ppf(0.975, most + 1, n - most)) if most < n else 1.0
    return {
        "standard": "JBS", "version": 2024, "kind": "maximum", "limit": 0.01, "unit": "mg/L",
        "n": n, "passes": n - bad - unknown, "exceedances": bad, "undetermined": unknown,
        "share": share, "low": low, "high": high, "worst": 0.02 if bad else None,
    }  # fmt: skip


def _value(
    value: float, unit: str, low: float | None = None, high: float | None = None
) -> dict[str, Any]:
    level = None if low is None else 0.95
    return {"value": value, "unit": unit, "se": None, "low": low, "high": high, "level": level}


def _result(
    folder: Path, path: str, indicator: str, region: str, values: dict[str, Any],
    parameters: dict[str, Any], units: dict[str, str], **files: Any,
) -> dict[str, Any]:  # fmt: skip
    result = {
        "indicator": indicator, "version": "1.0.0", "parameters": parameters, "inputs": [],
        "values": values, "tables": {}, "rasters": {}, "vectors": {}, "figures": {},
        "findings": [], **files,
    }  # fmt: skip
    (folder / path / "result.json").write_text(json.dumps(result), "utf-8")
    said = WORDS[indicator]
    parts = {part: said[part] for part in ("title", "summary", "method")}
    names = {k: v for k, v in said.items() if k not in parts}
    return {
        "indicator": indicator, "version": "1.0.0", "region": region, "period": "all",
        "path": f"{path}/result.json", "parameters": parameters, **parts,
        "citations": CITED[indicator], "names": names, "units": units,
    }  # fmt: skip


def _outlines(folder: Path, cells: int) -> None:
    span = cells * 0.005
    features = []
    shapes = [(r, n, a, b, False) for r, n, a, b in REGIONS]
    shapes.append(
        ("XX", {"en": "Orun strip", "zh": "奥伦地带", "ru": "Полоса Орун"}, 0.47, 0.53, True)
    )
    for region, names, start, end, disputed in shapes:
        west, east = WEST + span * start, WEST + span * end
        south, north = (
            (NORTH - span * 0.4, NORTH - span * 0.2) if disputed else (NORTH - span, NORTH)
        )
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        features.append({
            "type": "Feature",
            "properties": {"id": region, "disputed": disputed, "name": names["en"],
                           **{f"name_{k}": v for k, v in names.items()}},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        })  # fmt: skip
    text = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
    (folder / "boundaries.geojson").write_text(text, "utf-8")
    (folder / "regions.geojson").write_text(text, "utf-8")


def _truth(folder: Path, results: list[dict[str, Any]]) -> dict[str, Any]:
    values = []
    for number, told in enumerate(results):
        name = "mean_slope" if told["indicator"] == "land.trend" else "share_compliant"
        found = json.loads((folder / told["path"]).read_text("utf-8"))["values"][name]
        outside = number == len(results) - 1
        values.append({
            "indicator": told["indicator"], "region": told["region"], "period": "all",
            "name": name, "unit": found["unit"],
            "truth": found["high"] * 1.02 if outside else (found["low"] + found["value"]) / 2,
            "label": told["names"][f"value.{name}"],
        })  # fmt: skip
    statement = {
        "en": "One patch of steppe was made to degrade by 0.012 per year.",
        "zh": "预设一片草原以每年 0.012 的速率退化。",
        "ru": "Задано ухудшение участка степи на 0,012 в год.",
    }
    return {"values": values, "statements": [statement]}


def _document(results: list[dict[str, Any]], status: str) -> dict[str, Any]:
    approvals = [{"party": "XB-INST", "person": "Дарвен Ошкур", "on": "2026-11-20"}]
    title = {
        "en": "State of the Aluvra basin",
        "zh": "阿鲁夫拉河流域状况",
        "ru": "Состояние бассейна Алувры",
    }
    return {
        "id": "0123456789ab", "title": title, "subtitle": {}, "created": "2026-11-21",
        "status": status, "approvals": approvals if status == "approved" else [],
        "reader": "XA-INST", "purpose": "assessment",
        "regions": [{"id": r, "name": n} for r, n, _, _ in REGIONS],
        "periods": [{"id": "all", "start": 2009, "end": 2024}],
        "files": {"plan": "plan.toml", "regions": "regions.geojson",
                  "boundaries": "boundaries.geojson", "truth": "truth.json"},
        "boundaries": {
            "path": "boundaries.geojson", "approval": "GS(2026)0001", "disputed": "disputed",
            "disclaimer": {
                "en": "The boundaries shown imply no opinion on the legal status of any area.",
                "zh": "图中所示边界不代表对任何地区法律地位的立场。",
                "ru": "Показанные границы не означают мнения о правовом статусе территорий.",
            },
        },
        "results": results, "agreements": _agreements(),
        "not_released": _not_released(),
        "inputs": [{"name": f"inputs/{n}.csv", "path": f"inputs/{n}.csv", "origin": "node",
                    "sha256": hashlib.sha256(n.encode()).hexdigest()}
                   for n in ("Coverage", "Observation")],
        "software": [{"name": "ecotone", "version": "0.1.0"}, {"name": "numpy", "version": "2"}],
        "truth": "truth.json",
    }  # fmt: skip


def _agreements() -> list[dict[str, Any]]:
    line = {"cell_degrees": None, "noun": "Observation", "rows": 1234, "sha256": "ab" * 32}
    own = {**line, "id": "own", "version": 0, "owner": "XA-INST", "title": {}, "sentences": {},
           "dataset": "XA-WATER", "class": "own", "level": "full", "release": "r-0001"}  # fmt: skip
    shared = {
        **line, "id": "AGR-1", "version": 2, "owner": "XB-INST", "dataset": "XB-WATER",
        "title": {"en": "Water agreement", "zh": "水质数据协议", "ru": "Соглашение о воде"},
        "sentences": {
            "en": ["XA-INST may view all records of XB-INST in full."],
            "zh": ["XA-INST 可查看 XB-INST 的全部记录。"],
            "ru": ["XA-INST может просматривать все записи XB-INST полностью."],
        },
        "class": "cats", "level": "generalised", "cell_degrees": 0.1, "release": "r-0002",
        "what": {"en": "snow leopard", "zh": "雪豹", "ru": "снежный барс"},
        "recipients": ["XA-INST", "XC-INST"], "valid_from": "2024-01-01",
        "valid_until": "2029-12-31", "embargo_months": 12,
        "withheld_fields": ["recorded_by", "a field of ours"],
    }  # fmt: skip
    return [own, shared]


def _not_released() -> list[dict[str, Any]]:
    reason = {"en": "as agreed", "zh": "按约定", "ru": "по договорённости"}
    return [
        {"dataset": "XB-WATER", "class": "uranium", "level": "withheld",
         "agreement": "AGR-1 v2", "reason": reason},
    ]  # fmt: skip


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run folder, read by all tests of the report."""
    return make_run(tmp_path_factory.mktemp("made") / "2026-11-21-0123456789ab")
