"""The basin as it is written: same bytes, whole, in step with those who read it."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from rasterio.windows import Window

from ecotone.assess import plan as plans
from ecotone.assess.regions import read_regions
from ecotone.demo.basin import Basin, Nature, simulate
from ecotone.demo.grid import transform
from ecotone.formats.raster import open_stack
from ecotone.ingest import mapping as mappings
from ecotone.model.errors import UsageError
from ecotone.model.words import LANGUAGES, has, say
from ecotone.share import agreements


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes_soon(basin: Basin, tmp_path: Path) -> None:
    time.sleep(1.1)  # a clock in any file would show
    start = time.process_time()
    simulate(tmp_path / "again")
    assert time.process_time() - start < 15
    assert digests(tmp_path / "again") == digests(basin.folder)


def test_another_seed_gives_another_basin(basin: Basin, tmp_path: Path) -> None:
    other = simulate(tmp_path, seed=2)
    assert all(d.path.exists() for d in other.deliveries)
    assert other.truth.read_bytes() != basin.truth.read_bytes()
    assert other.plan.read_bytes() == basin.plan.read_bytes()


def test_a_seed_without_a_river_for_everyone_is_refused_plainly(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="another seed"):
        simulate(tmp_path / "dry", seed=4)
    assert not (tmp_path / "dry").exists()


def test_writing_over_an_older_basin_gives_the_same(basin: Basin, tmp_path: Path) -> None:
    simulate(tmp_path, seed=3)
    simulate(tmp_path, seed=1)
    assert digests(tmp_path) == digests(basin.folder)


def test_the_stacks_are_no_toys_and_lie_on_one_grid(basin: Basin) -> None:
    size = 0
    for name in ("ndvi-bands", "ndvi-netcdf", "ndvi-dated"):
        path = next(d.path for d in basin.deliveries if d.name == name)
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        size += sum(file.stat().st_size for file in files)
        with open_stack([path]) as stack:
            assert [str(day) for day in stack.times] == [f"{y}-07-16" for y in range(2009, 2025)]
            assert (stack.height, stack.width) == (504, 520)
            assert stack.crs is not None
            assert stack.crs.to_epsg() == 4326
            assert stack.transform.almost_equals(transform(), 1e-12)
            assert stack.layers.dtype == "int16"
    assert size < 6_000_000


def test_each_agency_maps_its_own_land_and_the_strip_comes_twice(
    basin: Basin, nature: Nature
) -> None:
    met = np.zeros((504, 520), dtype=int)
    for delivery in basin.deliveries:
        if delivery.name.startswith("ndvi"):
            with open_stack([delivery.path]) as stack:
                met += ~np.isnan(stack.read(Window(0, 0, 520, 504))).all(axis=0)
    land = nature.land.land
    assert (met[land] == np.where(nature.countries.number == 4, 2, 1)[land]).all()
    assert not met[~land].any()


def test_maps_lie_on_the_grid_of_the_stack(basin: Basin) -> None:
    for path in (basin.elevation, basin.landcover):
        with rasterio.open(path) as file:
            assert file.crs.to_epsg() == 4326
            assert (file.width, file.height) == (520, 504)
            assert file.bounds == pytest.approx((-162.0, 38.98, -159.4, 41.5))


def test_borders_are_shared_exactly_and_the_strip_is_a_row_of_its_own(basin: Basin) -> None:
    features = json.loads(basin.boundaries.read_text(encoding="utf-8"))["features"]
    outlines = [shapely.geometry.shape(f["geometry"]) for f in features]
    assert [f["properties"]["id"] for f in features] == ["XA", "XB", "XC", "XX"]
    assert [f["properties"]["disputed"] for f in features] == [False, False, False, True]
    assert all(outline.is_valid for outline in outlines)
    assert sum(o.area for o in outlines) == pytest.approx(shapely.union_all(outlines).area)
    assert shapely.union_all(outlines).area == pytest.approx(2.6 * 2.52)


def test_the_plan_and_all_it_names_can_be_read(basin: Basin) -> None:
    plan = plans.load(basin.plan)
    assert plan.date == basin.today
    assert plan.regions is not None
    regions = read_regions(basin.folder / plan.regions.path, plan.regions)
    assert [r.id for r in regions] == ["BASIN", "XA", "XB", "XC", "XX"]
    assert all(set(r.name) == set(LANGUAGES) for r in regions)
    known = {r.id for r in regions}
    assert all(set(task.regions or known) <= known for task in plan.indicators)
    assert plan.reader in {p.party_id for p in basin.parties}
    assert (basin.folder / str(plan.truth)) == basin.truth
    assert all(
        (basin.folder / path).exists()
        for task in plan.indicators
        for path in task.inputs.values()
        if not plans.is_node(path)
    )


def test_agreements_are_sound_and_speak_of_their_owners_data(basin: Basin) -> None:
    owner = {d.dataset_id: d.party_id for d in basin.datasets}
    found = [agreements.load(path) for path in basin.agreements]
    assert len(found) == 11
    for agreement in found:
        assert {owner[d] for d in agreement.datasets} == {agreement.owner}
        assert agreement.valid_from <= basin.today <= agreement.valid_until
        assert set(agreement.title) == set(LANGUAGES)
        assert all(agreements.sentences(agreement, lang) for lang in LANGUAGES)
    cats = {a.owner: c for a in found for c in a.classes if "Panthera uncia" in c.taxa}
    assert {k: (c.level, c.cell_degrees) for k, c in cats.items()} == {
        "VIWE": ("generalised", 0.1),
        "KNCM": ("generalised", 0.1),
        "SUEA": ("withheld", None),
    }


def test_all_that_leaves_is_cleared_for_export(basin: Basin) -> None:
    cleared = {d.dataset_id for d in basin.datasets if d.export_clearance}
    stay = {"XC-WILD", "XA-NET", "XA-OLD"}
    assert cleared == {d.dataset_id for d in basin.datasets} - stay


def test_mappings_load_and_know_every_column_of_their_file(basin: Basin) -> None:
    for delivery in basin.deliveries:
        if delivery.mapping is None:
            continue
        mapping = mappings.load(delivery.mapping)
        if delivery.path.suffix == ".csv":
            text = delivery.path.read_text(encoding=mapping.encoding or "utf-8")
            headers = text.splitlines()[0].split(mapping.delimiter or ",")
            assert mappings.missing_columns(mapping, headers) == []


def test_the_old_encodings_are_real(basin: Basin) -> None:
    paths = {d.name: d.path for d in basin.deliveries}
    for name, encoding, word in (
        ("water-russian", "cp1251", "Показатель"),
        ("water-daily", "gb18030", "溶解氧"),
    ):
        raw = paths[name].read_bytes()
        assert word in raw.decode(encoding)
        with pytest.raises(UnicodeDecodeError):
            raw.decode("utf-8")


def test_everything_shown_has_words_in_three_languages(basin: Basin) -> None:
    keys = {f"demo.delivery.{d.name}" for d in basin.deliveries}
    told: list[str] = []
    simulate(basin.folder, progress=told.append)
    keys |= set(told)
    assert all(has(key) for key in keys)
    assert len({say(key, lang) for key in keys for lang in LANGUAGES}) == 3 * len(keys)
    truth = json.loads(basin.truth.read_text(encoding="utf-8"))
    assert all(set(value["label"]) == set(LANGUAGES) for value in truth["values"])
    assert len(truth["statements"]) >= 10
    assert all(set(said) == set(LANGUAGES) for said in truth["statements"])
