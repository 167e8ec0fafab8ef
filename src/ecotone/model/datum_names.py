"""What the field calls its datums, in three languages, and the EPSG code behind each."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Final, Literal

from pyproj import CRS
from pyproj.exceptions import CRSError

Kind = Literal["equal", "epsg", "gcj02", "bd09"]


@dataclass(frozen=True, slots=True)
class Datum:
    """A datum as declared: how to come to WGS 84 from it.

    ``equal`` is WGS 84 within ``within_m`` metres; ``epsg`` goes by PROJ; the others are the
    shifted coordinates of Chinese map services.
    """

    kind: Kind
    epsg: int
    name: str
    within_m: float = 0.0


#: Names by EPSG code of the geographic system; compared without case, blanks and punctuation.
_NAMES: Final[dict[int, tuple[str, ...]]] = {
    4326: (
        "WGS 84",
        "WGS84",
        "WGS 1984",
        "World Geodetic System 1984",
        "GPS",
        "OGC:CRS84",
        "CRS84",
        "World Geodetic System 1984 ensemble",
        "World Geodetic System 84",
        "ВГС-84",
        "ВГС 84",
        "МГС-84",
        "Всемирная геодезическая система 1984",
        "WGS84坐标系",
        "世界大地坐标系",
    ),
    4490: (
        "CGCS2000",
        "CGCS 2000",
        "China Geodetic Coordinate System 2000",
        "China 2000",
        "ГСК Китая 2000",
        "国家2000",
        "国家大地坐标系2000",
        "2000国家大地坐标系",
        "中国大地坐标系2000",
        "大地2000",
    ),
    4284: (
        "Pulkovo 1942",
        "Pulkovo 42",
        "SK-42",
        "SK 1942",
        "CK-42",
        "CS42",
        "S-42",
        "System 1942",
        "СК-42",
        "СК 1942",
        "Пулково 1942",
        "Пулково-42",
        "Система координат 1942 года",
        "普尔科沃1942",
        "1942年坐标系",
    ),
    4200: (
        "Pulkovo 1995",
        "Pulkovo 95",
        "SK-95",
        "SK 1995",
        "CK-95",
        "СК-95",
        "СК 1995",
        "Пулково 1995",
        "Система координат 1995 года",
        "普尔科沃1995",
    ),
    4740: ("PZ-90", "ПЗ-90", "Параметры Земли 1990"),
    9475: ("PZ-90.11", "ПЗ-90.11"),
    7683: ("GSK-2011", "ГСК-2011"),
    4214: (
        "Beijing 1954",
        "Beijing 54",
        "BJ54",
        "Peking 1954",
        "Пекин 1954",
        "北京54",
        "北京1954",
        "1954年北京坐标系",
        "1954北京坐标系",
        "北京54坐标系",
    ),
    4555: ("New Beijing", "新北京54", "新1954年北京坐标系", "新北京1954"),
    4610: (
        "Xian 1980",
        "Xi'an 1980",
        "Xian 80",
        "Xi'an 80",
        "XA80",
        "Сиань 1980",
        "西安80",
        "西安1980",
        "1980西安坐标系",
        "1980年西安坐标系",
        "西安80坐标系",
    ),
    4131: ("Indian 1960", "印度1960"),
    4240: ("Indian 1975", "印度1975"),
    4678: ("Lao 1997", "Lao National Datum 1997"),
    4147: ("Hanoi 1972", "HN-72", "HN72"),
    4756: ("VN-2000", "Vietnam 2000"),
    4267: ("NAD27", "NAD 27", "North American Datum 1927", "North American 1927"),
    4269: ("NAD83", "NAD 83", "North American Datum 1983", "North American 1983"),
    4230: ("ED50", "European Datum 1950", "European 1950"),
    4258: ("ETRS89", "ETRS 89", "European Terrestrial Reference System 1989"),
    4178: ("Pulkovo 1942(83)", "S-42/83", "СК-42/83"),
    4179: ("Pulkovo 1942(58)", "S-42/58", "СК-42/58"),
    4283: ("GDA94", "Geocentric Datum of Australia 1994"),
    7844: ("GDA2020",),
    4301: ("Tokyo", "Tokyo Datum", "Tokyo 1918"),
    6668: ("JGD2011",),
    4737: ("Korea 2000", "KGD2002"),
}
_SERVICES: Final[dict[Kind, tuple[str, ...]]] = {
    "gcj02": (
        "GCJ-02",
        "GCJ02",
        "Mars coordinates",
        "火星坐标",
        "火星坐标系",
        "国测局坐标",
        "高德坐标",
    ),
    "bd09": ("BD-09", "BD09", "BD09LL", "Baidu coordinates", "百度坐标", "百度坐标系"),
}
#: Systems equal to WGS 84 within this many metres. CGCS2000 is fixed to epoch 2000.0 on a plate
#: that moves some centimetres a year; PROJ has no operation for it and would call it ballpark.
_WITHIN_M: Final[dict[int, float]] = {4326: 0.0, 4979: 0.0, 4490: 1.0, 4480: 1.0}
_CODE: Final = re.compile(
    r"(?:(?:urn:ogc:def:(?:crs|datum):)?epsg:(?:[\d.]*:)?"
    r"|https?://www\.opengis\.net/def/(?:crs|datum)/epsg/[\d.]+/|epsg\s*)?(\d{4,5})",
    re.IGNORECASE,
)


def plain(name: str) -> str:
    """A name without case, blanks and punctuation, for comparing.

    >>> plain("Pulkovo 1942") == plain("pulkovo-1942")
    True
    """
    return re.sub(r"[\s_\-–—‐.,:'’\"/]+", "", name).casefold()


@functools.lru_cache(maxsize=4096)
def resolve_datum(text: str) -> Datum | None:
    """The datum a text declares, or None where it names none known.

    Takes EPSG codes in any usual spelling and names; the code of a projected or geocentric
    system, an ellipsoid or a plain word gives None.

    >>> resolve_datum("СК-42").epsg, resolve_datum("EPSG:4326").name, resolve_datum("GCJ-02").kind
    (4284, 'WGS 84', 'gcj02')
    >>> resolve_datum("International 1924") is None
    True
    """
    name = text.strip()
    key = plain(name)
    if not key:
        return None
    for kind, service_names in _SERVICES.items():
        if key in {plain(n) for n in service_names}:
            return Datum(kind, 0, service_names[0])
    code = _aliases().get(key)
    if code is None and (found := _CODE.fullmatch(name)):
        return _by_code(int(found.group(1)))
    if code is None:
        code = _epsg_names().get(key)
    return None if code is None else _by_code(code)


@functools.cache
def _aliases() -> dict[str, int]:
    return {plain(name): code for code, names in _NAMES.items() for name in names}


def _by_code(code: int) -> Datum | None:
    if code in _NAMES:
        return _datum(code, _NAMES[code][0])
    from pyproj import CRS

    # pyproj documents this import; its stubs do not list the name.
    from pyproj.crs import Datum as ProjDatum  # type: ignore[attr-defined]
    from pyproj.exceptions import CRSError

    try:
        crs = CRS.from_epsg(code)
    except CRSError:
        try:
            known = _aliases().get(plain(ProjDatum.from_epsg(code).name))
        except CRSError:
            return None
        return None if known is None else _datum(known, _NAMES[known][0])
    return _datum(code, crs.name) if crs.is_geographic else None


def _datum(code: int, name: str) -> Datum:
    if code in _WITHIN_M:
        return Datum("equal", code, name, _WITHIN_M[code])
    return Datum("epsg", code, name)


@functools.cache
def _epsg_names() -> dict[str, int]:
    """Every geographic system of EPSG by its own name, where the name is one system's alone."""
    from pyproj.database import query_crs_info
    from pyproj.enums import PJType

    names: dict[str, set[int]] = {}
    for info in query_crs_info(auth_name="EPSG", pj_types=PJType.GEOGRAPHIC_2D_CRS):
        names.setdefault(plain(info.name), set()).add(int(info.code))
    return {name: codes.pop() for name, codes in names.items() if len(codes) == 1}


@functools.cache
def is_projected(text: str) -> bool:
    """Whether a name is the code of a map projection (metres), not of a datum (degrees)."""
    match = re.fullmatch(r"\s*(?:urn:ogc:def:crs:)?EPSG:{1,2}(\d{4,6})\s*", text, re.IGNORECASE)
    if match is None:
        return False
    try:
        return bool(CRS.from_epsg(int(match[1])).is_projected)
    except CRSError:
        return False
