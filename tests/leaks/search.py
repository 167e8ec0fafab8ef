"""Looks for canaries in any bytes: containers are opened first, then texts and numbers searched."""

from __future__ import annotations

import base64
import io
import itertools
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
from tests.leaks.plant import Canaries

#: Digits of an H3 index that tell its cell of resolution 9 (some 170 m): two, then three bits each.
_H3 = 11
_BASE32 = "0123456789bcdefghjkmnpqrstuvwxyz"
_DATA_URI = re.compile(rb"data:[a-z/+.-]+;base64,([A-Za-z0-9+/=]+)")


def opened(data: bytes, depth: int = 0) -> Iterator[bytes]:
    """The bytes themselves, and what zips, documents, workbooks, pages, PDFs and images hold."""
    yield data
    if depth > 4:
        return
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield name.encode()
                yield from opened(archive.read(name), depth + 1)
    elif data[:4] == b"%PDF":
        yield from _pdf(data)
    elif data[:4] == b"\x89PNG" or data[:3] == b"\xff\xd8\xff":
        yield from _image(data)
    elif data[:16] == b"SQLite format 3\0":
        yield from _sqlite(data)
    elif data[:4] in (b"II*\0", b"MM\0*", b"II+\0"):
        yield from _tiff(data)
    elif data[:4] == b"PAR1":
        yield from _parquet(data)
    elif data[:2] in (b"\x1f\x8b",):
        import gzip

        yield from opened(gzip.decompress(data), depth + 1)
    else:
        for found in _DATA_URI.finditer(data):
            yield from opened(base64.b64decode(found.group(1)), depth + 1)


def _pdf(data: bytes) -> Iterator[bytes]:
    from pypdf import PdfReader
    from pypdf.generic import StreamObject

    reader = PdfReader(io.BytesIO(data))
    for page in reader.pages:
        yield page.extract_text().encode()
    yield str(reader.metadata).encode()
    for number in range(1, len(reader.xref[0]) + 1 if reader.xref else 1):
        thing = reader.get_object(number)
        if isinstance(thing, StreamObject):
            yield thing.get_data()


def _image(data: bytes) -> Iterator[bytes]:
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        yield repr({**image.info, **dict(image.getexif())}).encode()


def _sqlite(data: bytes) -> Iterator[bytes]:
    """Every table as text (a node's database, a GeoPackage)."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(":memory:")) as database:
        # Not in the mode of a node in use, which wants files beside it.
        database.deserialize(data[:18] + b"\x01\x01" + data[20:])
        named = "SELECT name FROM sqlite_master WHERE type = 'table'"
        for (name,) in database.execute(named).fetchall():
            rows = database.execute(f'SELECT * FROM "{name}"').fetchall()
            yield "\n".join(map(repr, rows)).encode()
            for row in rows:
                yield from (cell for cell in row if isinstance(cell, bytes))


def _tiff(data: bytes) -> Iterator[bytes]:
    """Pixels in both orders of bands, and all tags."""
    import warnings

    import rasterio

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with rasterio.MemoryFile(data) as file, file.open() as raster:
            pixels = raster.read()
            yield pixels.tobytes()
            yield np.moveaxis(pixels, 0, -1).tobytes()
            tags = {name: raster.tags(ns=name) for name in raster.tag_namespaces()}
            yield repr((raster.tags(), tags, raster.bounds, raster.descriptions)).encode()


def _parquet(data: bytes) -> Iterator[bytes]:
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(data))
    yield table.to_pandas().to_csv().encode()
    meta = pq.ParquetFile(io.BytesIO(data)).metadata
    for group in range(meta.num_row_groups):
        for column in range(meta.num_columns):
            yield str(meta.row_group(group).column(column)).encode()


_NUMBER = re.compile(rb"(?<![0-9])[0-9]{1,3}\.[0-9]{3}")
_DAY = re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{2}:[0-9]{2}:[0-9]{2}")
_TILE = re.compile(rb"[0-9]{2}/[0-9]+/[0-9]+")
_RUN = re.compile(rb"[0-9a-z]{8,}")
#: Degrees, minutes and seconds, however they are parted.
_SEXAGESIMAL = re.compile(
    rb"(?<![0-9])([0-9]{1,3})(?:\xc2\xb0|d|:| )\s?([0-9]{1,2})(?:\xe2\x80\xb2|'|m|:| )\s?"
    rb"([0-9]{1,2}(?:\.[0-9]+)?)"
)
#: Metres on a map.
_METRES = re.compile(rb"(?<![0-9.])[0-9]{6,8}(?![0-9])")
#: Projections the region's partners use: UTM, Gauss-Krueger (Pulkovo, CGCS2000), Mercator, polar.
_PROJECTED = (32642, 32643, 28412, 28413, 4513, 3857, 3035, 6933)
#: How near (m) a binary pair of projected numbers must lie, and how near (degrees) one of places.
_NEAR_M, _NEAR = 50.0, 5e-4


class Search:
    """Everything a canary can be written as."""

    def __init__(self, birds: Canaries) -> None:
        self.latitude, self.longitude = birds.latitude, birds.longitude
        self._word = birds.word.encode()
        self._latitudes: dict[bytes, list[bytes]] = {}
        for la, lo in zip(birds.latitude, birds.longitude, strict=True):
            self._latitudes.setdefault(_prefix(la), []).append(_prefix(lo))
        self._longitudes = {_prefix(lo) for lo in birds.longitude}
        self._days = {f"{hour:%Y-%m-%d}".encode() for hour in birds.hours}
        self._days |= {f"{hour:%H:%M:%S}".encode() for hour in birds.hours}
        # What the clock of this run wrote is no canary: the same second of a day comes by chance.
        days = (datetime.now(UTC) + timedelta(days=n) for n in (-1, 0, 1))
        now = b"|".join(f"{day:%Y-%m-%d}".encode() for day in days)
        self._clock = re.compile(rb"(?:%s)[T ][0-9]{2}:[0-9]{2}:[0-9]{2}" % now)
        self._tiles = {tile.encode() for tile in self._of_tiles()}
        self._hashes = {code.encode() for code in self._geohashes()}
        #: What else a place can be written as in degrees: Chinese map offsets; in metres: maps.
        self._shifted = [*_offset(birds)]
        self._maps = [*_projected(birds)]
        self._on_maps: dict[bytes, set[bytes]] = {}
        for east, north in self._maps:
            for x, y in zip(east.tolist(), north.tolist(), strict=True):
                self._on_maps.setdefault(str(int(y)).encode(), set()).add(str(int(x)).encode())
        for latitude, longitude in self._shifted:
            for la, lo in zip(latitude.tolist(), longitude.tolist(), strict=True):
                self._latitudes.setdefault(_prefix(la), []).append(_prefix(lo))
        self._cells = {code.encode() for code in self._h3()}

    def hits(self, data: bytes) -> list[str]:
        """What was found in the bytes and in what they hold: never by chance."""
        found: list[str] = []
        for whole in opened(data):
            part = self._clock.sub(b"", whole)
            small = part.lower()
            found += [self._word.decode()] * small.count(self._word)
            for pattern, known in ((_DAY, self._days), (_TILE, self._tiles)):
                found += [f.decode() for f in pattern.findall(part) if f in known]
            for run in _RUN.findall(small):
                found += [code.decode() for code in self._in_run(run)]
            found += self._pairs(part)
            found += self._told_pairs(part)
            found += self._mapped_pairs(part)
            found += self._sexagesimal(part)
        return found

    def axes(self, data: bytes) -> set[str]:
        """One coordinate of a canary to 3 decimals, anywhere in the text.

        Any number of a report can be one by chance: it counts where it is not found in the
        answer of a twin whose canaries lie elsewhere.
        """
        known = self._latitudes.keys() | self._longitudes
        return {f.decode() for part in opened(data) for f in _NUMBER.findall(part) if f in known}

    def _told_pairs(self, data: bytes) -> list[str]:
        """Both coordinates of one canary as text, near each other."""
        found = []
        for match in _NUMBER.finditer(data):
            for other in self._latitudes.get(match.group(), ()):
                around = data[max(0, match.start() - 400) : match.end() + 400]
                if other in _NUMBER.findall(around):
                    found.append(f"{match.group().decode()} {other.decode()}")
        return found

    def _mapped_pairs(self, data: bytes) -> list[str]:
        """Easting and northing of one canary to the metre as text, near each other."""
        found = []
        for match in _METRES.finditer(data):
            wanted = self._on_maps.get(match.group())
            if wanted:
                around = data[max(0, match.start() - 200) : match.end() + 200]
                found += [x.decode() for x in _METRES.findall(around) if x in wanted]
        return found

    def _sexagesimal(self, data: bytes) -> list[str]:
        """Latitude and longitude of one canary in degrees, minutes and seconds."""
        parts = [tuple(float(x) for x in found) for found in _SEXAGESIMAL.findall(data)]
        told = np.array([d + m / 60 + s / 3600 for d, m, s in parts if m < 60 and s < 60])
        return [
            f"{la:.4f} {lo:.4f} in minutes and seconds"
            for la, lo in itertools.pairwise(told.tolist())
            if self._is_canary(la, lo) or self._is_canary(lo, la)
        ]

    def _in_run(self, run: bytes) -> list[bytes]:
        """Codes of cells inside a run of letters and digits."""
        return [
            run[i : i + size]
            for size, known in ((8, self._hashes), (_H3, self._cells))
            for i in range(len(run) - size + 1)
            if run[i : i + size] in known
        ]

    def _pairs(self, data: bytes) -> list[str]:
        """Coordinates as neighbouring binary numbers, either order of bytes and of axes."""
        found = []
        for kind in ("<f8", ">f8", "<f4", ">f4"):
            size = int(kind[-1])
            for shift in range(size):
                count = (len(data) - shift) // size
                if count < 2:
                    continue
                with np.errstate(invalid="ignore"):
                    values = np.frombuffer(data, kind, count, shift).astype(np.float64)
                found += self._on_map(values, kind)
                for one, other in ((values[:-1], values[1:]), (values[1:], values[:-1])):
                    near = np.flatnonzero((one > 35.9) & (one < 40.2) & (other > 70) & (other < 76))
                    found += [
                        f"{kind} {one[i]:.4f} {other[i]:.4f}"
                        for i in near.tolist()
                        if self._is_canary(one[i], other[i])
                    ]
        return found

    def _on_map(self, values: np.ndarray, kind: str) -> list[str]:
        """Neighbouring numbers that are easting and northing of a canary on one of the maps."""
        large = (np.abs(values) > 1e5) & (np.abs(values) < 2.5e7)
        near = np.flatnonzero(large[:-1] & large[1:])
        if kind.endswith("4") or not len(near):
            return []
        one, other = values[near], values[near + 1]
        return [
            f"{kind} {x:.1f} {y:.1f}"
            for a, b in ((one, other), (other, one))
            for x, y in zip(a.tolist(), b.tolist(), strict=True)
            if any(
                ((np.abs(east - x) < _NEAR_M) & (np.abs(north - y) < _NEAR_M)).any()
                for east, north in self._maps
            )
        ]

    def _is_canary(self, latitude: float, longitude: float) -> bool:
        return any(
            bool(((np.abs(la - latitude) < _NEAR) & (np.abs(lo - longitude) < _NEAR)).any())
            for la, lo in ((self.latitude, self.longitude), *self._shifted)
        )

    def _geohashes(self) -> list[str]:
        return [geohash(la, lo, 8) for la, lo in zip(self.latitude, self.longitude, strict=True)]

    def _of_tiles(self) -> list[str]:
        found = []
        for zoom in (15, 16, 17, 18):
            x = np.floor((self.longitude + 180) / 360 * 2**zoom).astype(int)
            radians = np.radians(self.latitude)
            y = np.floor(
                (1 - np.log(np.tan(radians) + 1 / np.cos(radians)) / np.pi) / 2 * 2**zoom
            ).astype(int)
            found += [f"{zoom}/{a}/{b}" for a, b in zip(x, y, strict=True)]
        return found

    def _h3(self) -> list[str]:
        """H3 indices where the library is there; geohash and tiles stand for it where not."""
        try:
            import h3
        except ImportError:
            return []
        return [
            h3.latlng_to_cell(la, lo, 9)[:_H3]
            for la, lo in zip(self.latitude, self.longitude, strict=True)
        ]


def _offset(birds: Canaries) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The canaries on Chinese web maps, but for those that look like a cell's centre or corner."""
    from ecotone.model.gcj02 import wgs84_to_bd09, wgs84_to_gcj02

    for shift in (wgs84_to_gcj02, wgs84_to_bd09):
        latitude, longitude = (np.asarray(axis) for axis in shift(birds.latitude, birds.longitude))
        published = _is_published(latitude) & _is_published(longitude)
        yield latitude[~published], longitude[~published]


def _is_published(degrees: np.ndarray) -> np.ndarray:
    """Whether a number begins like the centre or the edge of a cell of 0.01 or 0.1 degree."""
    halves = degrees / 0.005
    return np.abs(halves - np.round(halves)) * 0.005 < 1.1e-3


def _projected(birds: Canaries) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Eastings and northings of the canaries on each map."""
    from pyproj import Transformer

    for code in _PROJECTED:
        to = Transformer.from_crs(4326, code, always_xy=True)
        east, north = to.transform(birds.longitude, birds.latitude)
        if np.isfinite(east).all() and np.isfinite(north).all():
            yield east, north


def _prefix(degrees: float) -> bytes:
    """A coordinate cut after its third decimal."""
    return f"{degrees:.7f}"[:-4].encode()


def geohash(latitude: float, longitude: float, length: int) -> str:
    """The geohash of a place (Niemeyer 2008)."""
    south, north, west, east = -90.0, 90.0, -180.0, 180.0
    bits, text, even = [], "", True
    while len(text) < length:
        low, high, value = (west, east, longitude) if even else (south, north, latitude)
        middle = (low + high) / 2
        upper = value >= middle
        bits.append(upper)
        low, high = (middle, high) if upper else (low, middle)
        if even:
            west, east = low, high
        else:
            south, north = low, high
        even = not even
        if len(bits) == 5:
            text += _BASE32[sum(bit << (4 - i) for i, bit in enumerate(bits))]
            bits = []
    return text
