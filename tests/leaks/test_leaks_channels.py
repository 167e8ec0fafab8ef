"""The sixteen channels by which places have leaked elsewhere, each row tried by its test."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2
from pyproj import Geod
from tests.support import shared
from tests.unit.share.fixtures import MemoryStore, agreement, dataset, request

from ecotone.model.dictionary import attributes
from ecotone.model.errors import EcotoneError, InputRefused, Withheld
from ecotone.share.agreements import parse
from ecotone.share.door import Door
from ecotone.share.grid import cell_centres
from ecotone.share.media import released_image, released_name

TENTH = {"name": "cats", "level": "generalised", "cell_degrees": 0.1}
HUNDREDTH = {"name": "fine", "level": "generalised", "cell_degrees": 0.01}
FULL = {"name": "all", "level": "full"}
GEOD = Geod(ellps="WGS84")


def sightings(number: int = 300, **changes: object) -> pd.DataFrame:
    """Records with a hidden word in every column of text that may not leave."""
    rng = np.random.default_rng(4)
    known = attributes("Occurrence")
    hidden = [n for n, a in known.items() if a.type == "text" and a.door not in ("open", "value")]
    return pd.DataFrame(
        {
            "id": [f"AA-{i:04d}" for i in range(number)],
            "version": 1,
            "dataset_id": "cats",
            **{name: [f"redcliff {name} {i}" for i in range(number)] for name in hidden},
            "site": None,
            "event": None,
            "organism": None,
            "taxon": "Panthera uncia",
            "latitude": rng.uniform(-89.9, 89.9, number),
            "longitude": rng.uniform(-180, 180, number),
            "coordinate_uncertainty_m": rng.uniform(1, 3000, number),
            "elevation_m": 3127.4,
            "time_start": pd.Timestamp("2024-05-17T10:17:43", tz="UTC"),
            "extra": '{"place": "redcliff"}',
            **changes,
        }
    )


def door(frame: pd.DataFrame, *classes: dict, noun: str = "Occurrence", **changes: object) -> Door:
    documents = [agreement(list(classes), **changes)] if classes else []
    return Door(MemoryStore([dataset("cats", "AA")], documents, {noun: frame}), request())


def rows(frame: pd.DataFrame, *classes: dict, **changes: object) -> pd.DataFrame:
    return door(frame, *classes, **changes).release("Occurrence").rows


def place_names() -> None:
    told = rows(sightings(), TENTH)
    assert "redcliff" not in told.to_csv() and "redcliff" not in repr(told.to_dict())
    assert len(told) == 300


def search_by_a_hidden_name() -> None:
    """A search runs on released rows: a hidden name finds as much as one that never was."""
    told = rows(sightings(), TENTH)
    texts = told.select_dtypes(exclude="number").astype("str")
    for asked in ("redcliff", "a place that is nowhere"):
        hit = texts.apply(lambda column, asked=asked: column.str.contains(asked)).any(axis=1)
        assert int(hit.sum()) == 0


def another_identification() -> None:
    first = sightings(3).assign(until=[5, np.nan, np.nan])
    again = sightings(3).iloc[[0]].assign(version=2, taxon="Capra sibirica", until=np.nan)
    goats = {"name": "goats", "taxa": ["Capra sibirica"], "level": "full"}
    cats = {**TENTH, "taxa": ["Panthera uncia"]}
    told = rows(pd.concat([first, again]), goats, cats)
    assert set(told["release_level"]) == {"generalised"} and len(told) == 3
    assert rows(pd.concat([first, again]), goats).empty


def neighbours_in_time() -> None:
    told = rows(sightings(), TENTH)
    gone = ["record_number", "event", "recorded_by", "identified_on", "catalog_number"]
    assert told[gone].isna().all(axis=None)
    assert set(told["time_start"]) == {pd.Timestamp("2024-05-01", tz="UTC")}
    assert set(told["time_text"]) == {"2024-05"}
    assert told["time_zone"].isna().all()


def toggled_policies() -> None:
    frame = sightings()
    true = set(zip(frame["latitude"], frame["longitude"], strict=True))
    for classes in ((TENTH,), (), (HUNDREDTH,), (TENTH, HUNDREDTH), (TENTH, FULL), (TENTH,)):
        if not classes:
            with pytest.raises(Withheld):
                rows(frame)
            continue
        told = rows(frame, *classes)
        assert not true & set(zip(told["latitude"], told["longitude"], strict=True))


def one_way_out() -> None:
    """What computes, draws and writes never reads the store."""
    import ast
    from pathlib import Path

    import ecotone

    home = Path(next(iter(ecotone.__path__)))
    for package in ("assess", "report", "formats", "science", "model", "demo"):
        for path in (home / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = (
                    [getattr(node, "module", None) or ""]
                    if isinstance(node, ast.ImportFrom)
                    else []
                )
                names += [a.name for a in node.names] if isinstance(node, ast.Import) else []
                assert not any(n.startswith("ecotone.store") for n in names), path


def injected_filters() -> None:
    """Errors and cards speak of no class, level, cell or other reader."""
    cats = {**TENTH, "name": "secretclass", "taxa": ["Panthera uncia"], "withheld_fields": ["sex"]}
    asked = door(sightings(), cats, recipients=["ZZ"])
    with pytest.raises(Withheld) as refusal:
        asked.release("Occurrence")
    said = f"{refusal.value.message} {refusal.value.hint}"
    for word in ("secretclass", "Panthera", "sex", "0.1", "ZZ", "AG-1", "cats"):
        assert word not in said
    with pytest.raises(EcotoneError) as other:
        door(sightings(), cats).file("0" * 64)
    assert "secretclass" not in str(other.value)


def circles() -> None:
    for cell in (0.001, 0.01, 0.1, 1.0):
        frame = sightings(2_000)
        told = rows(frame, {**TENTH, "cell_degrees": cell})
        centre = cell_centres(frame["latitude"].to_numpy(), frame["longitude"].to_numpy(), cell)
        both = pd.DataFrame(
            {"la": np.round(centre.latitude, 4), "lo": np.round(centre.longitude, 4)}
        )
        radius = told.groupby([told["latitude"].round(4), told["longitude"].round(4)])[
            "coordinate_uncertainty_m"
        ].min()
        least = radius.loc[list(zip(both["la"], both["lo"], strict=True))].to_numpy()
        *_, metres = GEOD.inv(frame["longitude"], frame["latitude"], both["lo"], both["la"])
        assert (np.asarray(metres) <= least).all()
        # Each circle is that of its cell and at least the record's own uncertainty more.
        assert (told["coordinate_uncertainty_m"] >= 1000).all()


def unknown_levels() -> None:
    with pytest.raises(InputRefused):
        parse({**agreement([FULL]), "classes": [{"name": "x", "level": "100km"}]}, "x")
    odd = {
        **agreement([FULL]),
        "agreement_id": "AG-2",
        "classes": [{"name": "x", "level": "100km"}],
    }
    for documents in ([odd], [agreement([FULL]), odd]):
        store = MemoryStore([dataset("cats", "AA")], documents, {"Occurrence": sightings()})
        asked = Door(store, request())
        assert not asked.decisions
        with pytest.raises(Withheld):
            asked.release("Occurrence")
    # Of an agreement that does not even say what it is about, nothing at all is taken to be free.
    mute = {**odd, "datasets": "all"}
    store = MemoryStore(
        [dataset("cats", "AA"), dataset("own", "BB")], [agreement([FULL]), mute], {}
    )
    assert [d.dataset_id for d in Door(store, request()).decisions] == ["own"]


def promised_cells() -> None:
    """The cell that is said is the cell that is measured."""
    for cell in (0.001, 0.01, 0.1, 1.0):
        told = rows(sightings(), {**TENTH, "cell_degrees": cell})
        assert told["data_generalizations"].str.contains(f"{cell:g} degree", regex=False).all()
        for axis in ("latitude", "longitude"):
            steps = told[axis] / cell - 0.5
            np.testing.assert_allclose(steps, steps.round(), atol=1e-6)


def predicates() -> None:
    """Counts, boxes, orders and pages of released rows do not depend on where points truly lie."""
    frame = sightings()
    rng = np.random.default_rng(9)
    cells = cell_centres(frame["latitude"].to_numpy(), frame["longitude"].to_numpy(), 0.1)
    moved = frame.assign(
        latitude=cells.latitude + rng.uniform(-0.0499, 0.0499, len(frame)),
        longitude=cells.longitude + rng.uniform(-0.0499, 0.0499, len(frame)),
        elevation_m=1.0,
    )
    pd.testing.assert_frame_equal(rows(frame, TENTH), rows(moved, TENTH))


def repeated_releases() -> None:
    told = [rows(sightings(), TENTH).to_csv() for _ in range(5)]
    assert len(set(told)) == 1


def one_grid() -> None:
    frame = sightings(1_000)
    fine = cell_centres(frame["latitude"].to_numpy(), frame["longitude"].to_numpy(), 0.01)
    for cell in (0.1, 1.0):
        coarse = cell_centres(frame["latitude"].to_numpy(), frame["longitude"].to_numpy(), cell)
        again = cell_centres(fine.latitude, fine.longitude, cell)
        np.testing.assert_array_equal(coarse.latitude, again.latitude)
        np.testing.assert_array_equal(coarse.longitude, again.longitude)


def trajectories() -> None:
    frame = sightings(60).assign(
        organism=[f"F{i % 3}" for i in range(60)], latitude=37.04, longitude=73.24
    )
    told = rows(frame, TENTH)
    assert len(told) == 1 and told["organism"].isna().all()
    assert rows(frame.assign(organism="F1"), TENTH).empty


def photographs(folder) -> None:  # type: ignore[no-untyped-def]  # a Path
    """Whatever wrote into the file, and wherever: only the picture is left."""
    exif = Image.Exif()
    exif[0x0132], exif[0x010E] = "2024:05:17 10:17:43", "redcliff"
    exif.get_ifd(0x8769)[0x927C] = b"maker note of redcliff"
    exif.get_ifd(0x8825)[2] = (37.0, 2.0, 47.04)
    xmp = b"<x:xmpmeta>redcliff</x:xmpmeta>"
    texts, tags = PngInfo(), ImageFileDirectory_v2()
    texts.add_text("Location", "redcliff")
    tags[270], tags[700] = "redcliff 2024", xmp
    picture = Image.effect_noise((640, 480), 60).convert("RGB")
    small = io.BytesIO()
    picture.resize((160, 120)).save(small, "JPEG", exif=exif, comment=b"redcliff")
    path = folder / "redcliff 2024"
    for form, more in {
        "JPEG": {"exif": exif, "comment": b"redcliff", "xmp": xmp},
        "PNG": {"exif": exif, "pnginfo": texts},
        "TIFF": {"tiffinfo": tags},
        "WEBP": {"exif": exif, "xmp": xmp},
    }.items():
        picture.save(path, form, **more)
        with path.open("ab") as stream:
            stream.write(small.getvalue())
        assert b"redcliff" in path.read_bytes()
        out = released_image(path)
        assert b"redcliff" not in out and b"2024" not in out and out.count(b"\xff\xd8\xff") == 1
        with Image.open(io.BytesIO(out)) as image:
            assert not dict(image.getexif()) and not {"comment", "xmp"} & set(image.info)
    assert "redcliff" not in released_name("~ab")
    media = pd.DataFrame(
        {
            "id": ["m"],
            "version": 1,
            "dataset_id": "cats",
            "path": "redcliff.jpg",
            "file_name": "redcliff.jpg",
            "exif": "redcliff",
            "sha256": "ab",
            "size_bytes": 12_345,
        }
    )
    told = door(media, TENTH, noun="Media").release("Media").rows
    assert told[["path", "file_name", "exif", "sha256", "size_bytes"]].isna().all(axis=None)


def statistics() -> None:
    """Extents, column statistics, orders and hashes are those of released rows."""
    frame = sightings()
    released = door(frame, TENTH).release("Occurrence")
    file = io.BytesIO()
    released.rows.to_parquet(file)
    meta = pq.ParquetFile(file).metadata.row_group(0)
    true = {*frame["latitude"], *frame["longitude"], *frame["elevation_m"]}
    for column in range(meta.num_columns):
        said = meta.column(column).statistics
        if said is not None and said.has_min_max:
            assert said.min not in true and said.max not in true
    moved = door(frame.assign(latitude=frame["latitude"] + 1e-9), TENTH).release("Occurrence")
    assert [x.sha256 for x in released.lines] == [x.sha256 for x in moved.lines]
    assert released.rows["id"].is_monotonic_increasing


CHANNELS: dict[str, Callable[..., None]] = {
    "verbatimLocality / place_guess in DwC export": place_names,
    "search by hidden place name returns the obscured record": search_by_a_hidden_name,
    "changing the identification unhides coordinates": another_identification,
    "neighbours in time by the same observer": neighbours_in_time,
    "toggling private->obscured copies the true point": toggled_policies,
    "aggregator publishes un-generalised copy": one_way_out,
    "injected row filter is echoed in next/self links": injected_filters,
    "coarse uncertainty too small for the cell": circles,
    "unknown level treated as least strict": unknown_levels,
    "0.1 deg applied where 1 deg promised (50 km/100 km)": promised_cells,
    "bbox/polygon/sort/count/CQL on true geometry": predicates,
    "repeated random jitter averaged": repeated_releases,
    "two partners with misaligned grids": one_grid,
    "trajectory on a grid": trajectories,
    "photo EXIF GPS, thumbnails, file names, maker notes": photographs,
    "map tiles, bbox of collection, STAC extent, GeoParquet/Parquet statistics, "
    "COG overviews, ETag, order of rows, log lines": statistics,
}


@pytest.mark.parametrize("channel", CHANNELS)
def test_channel(channel: str, tmp_path) -> None:  # type: ignore[no-untyped-def]  # a Path
    tried = CHANNELS[channel]
    tried(tmp_path) if tried is photographs else tried()


def test_every_row_of_the_reference_has_its_test() -> None:
    with shared("platform/sharing/leak_channels.csv").open(encoding="utf-8") as handle:
        listed = [row["channel"] for row in csv.DictReader(handle)]
    assert len(listed) == 16
    assert set(listed) == set(CHANNELS)
