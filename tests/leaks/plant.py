"""A node full of canaries: records whose every hidden value bears digits found nowhere else.

Party AA owns the data. BB reads on 0.1 degree, CC on 0.01, DD sees sums, EE is a stranger.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from tests import signing
from tests.nodes import deliver
from tests.signing import conclude

from ecotone.model.dictionary import attributes
from ecotone.model.records import Clearance, Dataset, Party, Person
from ecotone.share.pseudonyms import node_key
from ecotone.store import Store, init_node
from ecotone.store.schema import table_name

CANARIES = 500
NOUNS = (
    "Site",
    "Deployment",
    "Event",
    "Sample",
    "Media",
    "Individual",
    "Device",
    "DeviceEvent",
    "CustodyEvent",
    "AnalysisBatch",
    "QualityControl",
    "QualityFlag",
    "AlarmRule",
    "Coverage",
    "Record",
    "Occurrence",
    "Observation",
)
READERS = ("BB", "CC", "DD", "EE")
DAY = "2026-06-01"
DATASETS = ("cats", "dens", "walks")
#: The finest cell any reader of ``cats`` is told: a canary moved inside it must change nothing.
FINEST = 0.01

#: Values that may leave as they are; all other texts are canaries.
OPEN = {
    "taxon": "Panthera uncia",
    "property": "nitrate",
    "unit": "mg/L",
    "kind": "animal",
    "level": "media",
    "basis": "N",
    "licence": "CC-BY-4.0",
    "sex": "female",
    "life_stage": "adult",
    "medium": "water",
    "variable": "NDVI",
    "name": None,
}


@dataclass(frozen=True)
class Canaries:
    """What no reader may ever find: places, words, hours."""

    latitude: np.ndarray
    longitude: np.ndarray
    word: str
    hours: np.ndarray

    def words(self) -> list[str]:
        return [f"{self.word}{n:03d}" for n in range(len(self.latitude))]


def canaries(seed: int = 7, *, word: str = "kestrelzq", like: Canaries | None = None) -> Canaries:
    """Canaries; ``like``: others in the same cells of the finest level, all their words changed."""
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, 400, size=(2, CANARIES)) if like is None else None
    # No centre of a cell begins with the same three decimals, as it is or as 72.8499999.
    third = rng.choice([1, 2, 3, 6, 7, 8], size=(2, CANARIES)) * 0.001
    rest = rng.integers(1001, 9999, size=(2, CANARIES)) * 1e-7
    if like is None:
        south = 36.0 + cells[0] * FINEST
        west = 71.0 + cells[1] * FINEST
    else:
        south = np.floor(np.round(like.latitude / FINEST, 6)) * FINEST
        west = np.floor(np.round(like.longitude / FINEST, 6)) * FINEST
    # Never the first of a month, by which a month is told; the month depends on the number alone.
    months = np.datetime64("1987-03", "M") + np.arange(CANARIES) // 9
    seconds = rng.integers(86_400, 27 * 86_400, CANARIES).astype("timedelta64[s]")
    hours = pd.DatetimeIndex(months.astype("datetime64[s]") + seconds, tz="UTC")
    return Canaries(
        np.round(south + third[0] + rest[0], 7), np.round(west + third[1] + rest[1], 7), word, hours
    )


def table(noun: str, birds: Canaries) -> pd.DataFrame:
    """One record per canary with every attribute of its noun filled."""
    number = len(birds.latitude)
    words = birds.words()
    columns: dict[str, object] = {}
    for name, attribute in attributes(noun).items():
        if name == "person":
            # The store's own column of that name says who delivered the row.
            continue
        if name in ("latitude", "longitude"):
            columns[name] = getattr(birds, name)
        elif name == "coordinate_uncertainty_m":
            columns[name] = np.full(number, 25.0)
        elif name in ("west", "east"):
            columns[name] = birds.longitude + (1e-7 if name == "east" else 0.0)
        elif name in ("south", "north"):
            columns[name] = birds.latitude + (1e-7 if name == "north" else 0.0)
        elif name == "time_start":
            columns[name] = birds.hours
        elif name == "time_end":
            columns[name] = birds.hours + pd.Timedelta(minutes=7)
        elif name == "value":
            columns[name] = np.full(number, 12.5)
        elif attribute.choices:
            columns[name] = attribute.choices[-1]
        elif attribute.door in ("open", "value"):
            columns[name] = _open(name, attribute.type)
        elif attribute.type in ("text", "id"):
            columns[name] = [f"{name} {w}" for w in words]
        elif attribute.type == "json":
            columns[name] = [json.dumps({"said": w}) for w in words]
        elif attribute.type == "number":
            columns[name] = birds.latitude * 83.0
        elif attribute.type == "integer":
            columns[name] = pd.array(np.round(birds.latitude * 1e6).astype(int), dtype="Int64")
        else:
            columns[name] = None
    columns["extra"] = [
        json.dumps({"note": w, "lat": la, "lon": lo})
        for w, la, lo in zip(words, birds.latitude, birds.longitude, strict=True)
    ]
    return _linked(pd.DataFrame(columns), noun, words)


def _open(name: str, kind: str) -> object:
    if name in OPEN:
        return OPEN[name]
    return {"text": "open", "id": "open", "integer": 3, "number": 2.5, "boolean": True}.get(kind)


def _linked(frame: pd.DataFrame, noun: str, words: list[str]) -> pd.DataFrame:
    """Half of the observations hang on cameras; fixes are of few animals; the rest stand alone."""
    for name in ("deployment", "site", "event", "sample", "individual", "organism"):
        if name in frame:
            frame[name] = None
    if noun in ("Observation", "Media"):
        half = pd.Series(words).where(np.arange(len(words)) % 2 == 0)
        frame["deployment"] = "deployment_id " + half
        if noun == "Observation":
            frame["individual"] = pd.Series(words).where(np.arange(len(words)) % 5 == 1)
    return frame


def agreements() -> list[dict[str, object]]:
    """One per reader and level; EE has none."""
    head = {
        "version": 1,
        "title": {"en": "Cats"},
        "owner": "AA",
        "purposes": ["assessment"],
        "actions": ["view", "derive", "download"],
        "datasets": ["cats", "dens"],
        "valid_from": "2020-01-01",
        "valid_until": "2099-12-31",
        "status": "active",
        "signatures": {},
    }
    dens = {"name": "dens", "nouns": ["Occurrence"], "taxa": ["Ursus arctos"], "level": "withheld"}
    level = {
        "BB": {"name": "tenth", "level": "generalised", "cell_degrees": 0.1},
        "CC": {"name": "hundredth", "level": "generalised", "cell_degrees": 0.01},
        "DD": {"name": "sums", "level": "aggregated", "minimum_count": 5},
    }
    cells = [
        {**head, "agreement_id": f"AG-{reader}", "recipients": [reader], "classes": [rule, dens]}
        for reader, rule in level.items()
    ]
    # Of walks the marmots leave in full, but for what is withheld by name; the bears not at all.
    full = {"name": "marmots", "taxa": ["Marmota baibacina"], "level": "full",
            "withheld_fields": ["recorded_by", "locality", "elevation_m"]}  # fmt: skip
    bears = {"name": "bears", "taxa": ["Ursus arctos"], "level": "withheld"}
    walks = [
        {**head, "agreement_id": f"AG-{reader}-W", "recipients": [reader], "datasets": ["walks"],
         "classes": [full, bears]}
        for reader in level
    ]  # fmt: skip
    return [*cells, *walks]


def walks(birds: Canaries, *, bears: bool) -> pd.DataFrame:
    """Marmots told in full and bears not told, met on the same walks, row after row."""
    rng = np.random.default_rng(5)
    number = len(birds.latitude)
    hidden = table("Occurrence", birds).assign(taxon="Ursus arctos")
    shown = pd.DataFrame(
        {
            "taxon": "Marmota baibacina",
            "latitude": np.round(rng.uniform(30, 34, number), 7),
            "longitude": np.round(rng.uniform(60, 64, number), 7),
            "coordinate_uncertainty_m": 25.0,
            "time_start": pd.Timestamp("2011-01-01T12:00Z"),
            "locality": birds.words(),
            "recorded_by": birds.words(),
            "elevation_m": birds.latitude * 83.0,
        }
    )
    # Half of all were met at events that nobody has described.
    event = pd.Series([f"walk {n}" for n in range(number)]).where(np.arange(number) % 2 == 0)
    both = [hidden.assign(event=event), shown.assign(event=event)]
    frame = pd.concat(both).sort_index(kind="stable").reset_index(drop=True)
    return frame if bears else frame[frame["taxon"] != "Ursus arctos"]


def raster(path: Path, birds: Canaries) -> Path:
    """A coverage whose pixels are the canaries, and whose tags say their name."""
    import rasterio

    pixels = np.stack([birds.latitude, birds.longitude]).reshape(2, 20, -1)
    where = rasterio.transform.from_origin(71.0, 40.0, 0.1, 0.1)
    form = {"driver": "GTiff", "dtype": "float64", "crs": "EPSG:4326", "transform": where}
    with rasterio.open(path, "w", width=pixels.shape[2], height=20, count=2, **form) as out:
        out.write(pixels)
        out.update_tags(TIFFTAG_IMAGEDESCRIPTION=f"{birds.word}000 mapped here")
        out.set_band_description(1, f"{birds.word}001")
    return path


def photographs(folder: Path, birds: Canaries, number: int = 3) -> Path:
    """Photographs the first records name, each with its canary in all the camera writes."""
    from PIL import Image
    from PIL.ExifTags import GPS, IFD, Base

    folder.mkdir(exist_ok=True)
    words = birds.words()
    for n in range(number):
        exif = Image.Exif()
        exif[Base.Make] = exif[Base.ImageDescription] = words[n]
        exif[Base.DateTime] = f"{birds.hours[n]:%Y:%m:%d %H:%M:%S}"
        told = exif.get_ifd(IFD.Exif)
        told[Base.MakerNote] = f"{birds.latitude[n]} {birds.longitude[n]}".encode()
        place = exif.get_ifd(IFD.GPSInfo)
        place[GPS.GPSLatitude] = (float(birds.latitude[n]), 0.0, 0.0)
        place[GPS.GPSLongitude] = (float(birds.longitude[n]), 0.0, 0.0)
        image = Image.new("RGB", (64, 48), (90 * n, 120, 60))
        image.save(folder / f"path {words[n]}", "JPEG", exif=exif, comment=words[n].encode())
    return folder


def node(folder: Path, birds: Canaries, *, dens: bool = True) -> None:
    """Make the node; ``dens`` False leaves the withheld records out altogether."""
    party = Party(party_id="AA", name={"en": "Owner"}, country_code="TJ")
    person = Person(person_id="aigul", party_id="AA", name="A. T.", role="steward")
    with init_node(folder, party=party, person=person) as store:
        node_key(folder)
        for reader in READERS:
            store.put_party(signing.party(reader), person="aigul")
        cleared = Clearance(authority="M", number="1", date=date(2025, 1, 1), scope="all")
        for name in DATASETS:
            store.put_dataset(
                Dataset(dataset_id=name, party_id="AA", title=name, export_clearance=cleared),
                person="aigul",
            )
        for document in agreements():
            conclude(store, document, json.dumps(document), person="aigul")
        photographs(folder.with_name("photos"), birds)
        kept = store.add_file(raster(folder / "staging" / "raster.tif", birds))
        for frame, noun, dataset in _deliveries(birds, dens):
            if noun in ("Coverage", "Media"):
                frame["sha256"] = kept if noun == "Coverage" else None
            deliver(store, frame, noun=noun, dataset=dataset, name=f"{dataset}-{noun}.csv")


def _deliveries(birds: Canaries, dens: bool) -> Iterator[tuple[pd.DataFrame, str, str]]:
    for noun in NOUNS:
        yield table(noun, birds), noun, "cats"
    yield walks(birds, bears=dens), "Occurrence", "walks"
    if dens:
        bears = table("Occurrence", birds).assign(taxon="Ursus arctos")
        yield bears, "Occurrence", "dens"


def open_store(folder: Path) -> Store:
    from ecotone.store import open_node

    return open_node(folder)


def move(folder: Path, birds: Canaries) -> None:
    """Put other canaries in the place of the node's, and take the withheld records out of it.

    Behind the store's back: identifiers and keys stay, so that any difference in an answer is
    told by what is hidden.
    """
    with closing(sqlite3.connect(folder / "ecotone.sqlite")) as database, database:
        database.execute("DELETE FROM occurrence WHERE dataset_id = 'dens'")
        database.execute("DELETE FROM occurrence WHERE taxon = 'Ursus arctos'")
        for noun in NOUNS:
            _replace(database, noun, table(noun, birds), "cats")
        _replace(database, "Occurrence", walks(birds, bears=False), "walks")


def _replace(database: sqlite3.Connection, noun: str, frame: pd.DataFrame, dataset: str) -> None:
    """Other values in the columns that may not leave."""
    name, known = table_name(noun), attributes(noun)
    for column in ("time_start", "time_end"):
        if column in frame:
            frame[column] = frame[column].dt.as_unit("us").astype("int64")
    open_ = [c for c in frame if c in known and known[c].door in ("open", "value")]
    if dataset == "walks":
        frame, open_ = frame[["locality", "recorded_by", "elevation_m"]], []
    changed = [c for c in frame.columns if c not in open_ and c != "sha256"]
    chosen = f"SELECT n FROM {name} WHERE dataset_id = ? ORDER BY n"
    rows = [row[0] for row in database.execute(chosen, (dataset,))]
    values = frame[changed].astype(object).where(frame[changed].notna(), None)
    database.executemany(
        f"UPDATE {name} SET {', '.join(f'{c} = ?' for c in changed)} WHERE n = ?",
        [(*value, n) for value, n in zip(values.to_numpy().tolist(), rows, strict=True)],
    )
