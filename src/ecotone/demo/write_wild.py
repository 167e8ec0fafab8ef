"""Wildlife as three parties send it: Darwin Core Archive, Camtrap DP package, plain table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from ecotone.demo.files import write_csv
from ecotone.demo.names import data_text, invented
from ecotone.demo.terrain import FIELDS, FOREST, SALT, STEPPE
from ecotone.formats.camtrapdp_write import write_camtrapdp
from ecotone.formats.dwca_write import write_dwca

_WALKERS: Final = {
    "VIWE": ("I. Tarrend", "O. Fessin", "L. Marro", "T. Ilvast", "K. Umbrel", "A. Ressin"),
    "SUEA": ("林苏瓦", "塔木然", "何云河", "阿合兰", "于北原", "沙里木"),
}


_CHINESE_COVERS: Final = {FOREST: "森林", STEPPE: "草原", FIELDS: "农田", SALT: "盐滩"}


def write_darwin_core(path: Path, seen: pd.DataFrame, offset: str) -> None:
    """Velmara: a Darwin Core Archive of one core, and what it says of itself."""
    table = pd.DataFrame(
        {
            "occurrenceID": _numbered("VIWE-W-", len(seen)),
            "basisOfRecord": "HumanObservation",
            "occurrenceStatus": "present",
            "scientificName": seen["taxon"],
            "taxonRank": seen["rank"],
            "kingdom": seen["kingdom"],
            "phylum": seen["phylum"],
            "class": seen["class"],
            "order": seen["order"],
            "family": seen["family"],
            "vernacularName": seen["en"],
            "individualCount": seen["count"],
            "eventDate": seen["at"].dt.strftime("%Y-%m-%dT%H:%M:%S") + offset,
            "decimalLatitude": _degrees(seen["latitude"]),
            "decimalLongitude": _degrees(seen["longitude"]),
            "geodeticDatum": "EPSG:4326",
            "coordinateUncertaintyInMeters": seen["uncertainty"],
            "minimumElevationInMeters": seen["elevation"].astype(int),
            "maximumElevationInMeters": seen["elevation"].astype(int),
            "recordedBy": seen["walker"].map(dict(enumerate(_WALKERS["VIWE"]))),
            "license": "http://creativecommons.org/licenses/by/4.0/legalcode",
        }
    )
    about = {
        "package": "viwe-wildlife-2024",
        "title": "Wildlife and plant records of Velmara 2024 (simulated, invented place)",
        "creator": "Velmara Institute of Water and Ecology",
        "contact": "Velmara Institute of Water and Ecology",
        "abstract": "Records of walkers in an invented country: a simulator planted the animals.",
        "licence": "CC BY 4.0",
        "published": "2025-01-15",
        "language": "en",
    }
    write_dwca(path, {"Occurrence": table}, about)


def write_camera_traps(path: Path, traps: pd.DataFrame, seen: pd.DataFrame, offset: str) -> None:
    """Keshdora: a Camtrap DP 1.0.2 package; the photographs stay on the party's own disks."""
    deployment = _numbered("KNCM-D-", len(traps), 3)
    of_capture = pd.Series(deployment).iloc[seen["deployment"]].to_numpy()
    at = _clock(seen["at"], offset)
    media = _numbered("KNCM-M-", len(seen))
    observed = ~seen["blank"]
    tables = (
        pd.DataFrame(
            {
                "deploymentID": deployment,
                "locationID": _numbered("KNCM-L-", len(traps), 3),
                "latitude": _degrees(traps["latitude"]),
                "longitude": _degrees(traps["longitude"]),
                "coordinateUncertainty": 20,
                "deploymentStart": _clock(traps["start"], offset),
                "deploymentEnd": _clock(traps["end"], offset),
                "cameraModel": "Dozor 4",
                "habitat": traps["habitat"],
            }
        ),
        pd.DataFrame(
            {
                "mediaID": media,
                "deploymentID": of_capture,
                "captureMethod": "activityDetection",
                "timestamp": at,
                "filePath": "photos/" + of_capture + "/" + media + ".jpg",
                "filePublic": "false",
                "fileMediatype": "image/jpeg",
            }
        ),
        pd.DataFrame(
            {
                "observationID": _numbered("KNCM-O-", len(seen)),
                "deploymentID": of_capture,
                "mediaID": media,
                "eventStart": at,
                "eventEnd": at,
                "observationLevel": "media",
                "observationType": np.where(observed, "animal", "blank"),
                "scientificName": seen["taxon"].where(observed, ""),
                "count": seen["count"].astype("Int64").astype("string").where(observed, ""),
                "classificationMethod": "human",
            }
        ),
    )
    about: dict[str, Any] = json.loads(data_text("camera-traps.json"))
    about["taxonomic"] = _taxa(seen[observed])
    write_camtrapdp(path, *tables, about)


def _taxa(seen: pd.DataFrame) -> list[dict[str, Any]]:
    """The species met, with their names in two languages (ISO 639-3 codes)."""
    names = seen.drop_duplicates("taxon").sort_values("taxon")
    return [
        {
            "scientificName": row["taxon"],
            "taxonRank": row["rank"],
            "kingdom": row["kingdom"],
            "family": row["family"],
            "vernacularNames": {"rus": row["ru"], "eng": row["en"]},
        }
        for row in names.to_dict("records")
    ]


def write_transects(path: Path, seen: pd.DataFrame) -> None:
    """Suvarin: a plain table with Chinese headers; its clock is declared by the mapping."""
    write_csv(
        path,
        pd.DataFrame(
            {
                "记录编号": _numbered("SUEA-YX-", len(seen)),
                "学名": seen["taxon"],
                "中文名": seen["zh"],
                "数量": seen["count"],
                "纬度": _degrees(seen["latitude"]),
                "经度": _degrees(seen["longitude"]),
                "定位误差(m)": seen["uncertainty"],
                "观测时间": seen["at"].dt.strftime("%Y-%m-%d %H:%M:%S"),
                "地点": invented().basin["zh"],
                "记录人": seen["walker"].map(dict(enumerate(_WALKERS["SUEA"]))),
                "生境": seen["cover"].map(_CHINESE_COVERS),
                "备注": "",
            }
        ),
    )


def _numbered(prefix: str, number: int, digits: int = 5) -> np.ndarray[tuple[int], np.dtype[Any]]:
    numbers = pd.Series(np.arange(1, number + 1)).astype(str).str.zfill(digits)
    return (prefix + numbers).to_numpy(dtype=object)


def _degrees(values: pd.Series) -> pd.Series:
    return pd.Series(np.char.mod("%.5f", values.to_numpy()), dtype=object)


def _clock(times: pd.Series, offset: str) -> pd.Series:
    return times.dt.strftime("%Y-%m-%dT%H:%M:%S") + offset
