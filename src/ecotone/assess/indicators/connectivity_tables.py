"""Lists of patches and links, and polygons with their areas and distances."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from ecotone.assess.compute import sha256_of
from ecotone.assess.indicators.reading import plain
from ecotone.formats.asciigrid import read_text
from ecotone.formats.base import refused
from ecotone.formats.circuitscape import no_decimal_comma
from ecotone.model.finding import Finding, Severity

if TYPE_CHECKING:
    import geopandas as gpd
    from rasterio.crs import CRS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Shapes = NDArray[Any]

#: How each column may be called, in the plain form of ``reading.plain``.
_NAMES: Final = {
    "id": ("id", "node", "nodeid", "patch", "patchid", "код", "номер", "пятно", "участок", "编号",
           "斑块", "斑块编号"),
    "area": ("areaha", "area,ha", "area(ha)", "area", "attribute", "ha", "площадьга",
             "площадь,га", "площадь(га)", "площадь", "га", "面积公顷", "面积(公顷)", "面积,公顷",
             "面积(ha)", "面积"),
    "x": ("xm", "x,m", "x(m)", "x", "easting", "east", "xм", "x,м", "x(м)", "x米", "x(米)",
          "东坐标"),
    "y": ("ym", "y,m", "y(m)", "y", "northing", "north", "yм", "y,м", "y(м)", "y米", "y(米)",
          "北坐标"),
    "degrees": ("lon", "longitude", "lat", "latitude", "decimallongitude", "decimallatitude",
                "долгота", "широта", "经度", "纬度"),
    "from": ("from", "id1", "node1", "fromid", "a", "i", "source"),
    "to": ("to", "id2", "node2", "toid", "b", "j", "target"),
    "value": ("value", "distance", "distancem", "dist", "probability", "p"),
}  # fmt: skip
#: The columns of ``files_read``.
FILES: Final = {"option": "", "name": "", "sha256": ""}
_GEOPACKAGE_TIME: Final = "2000-01-01T00:00:00.000Z"
_SQUARE_METRES: Final = 10_000.0
#: Share by which drawn areas may differ from those on the ground: national grids do by 2 %.
_SIZE_DIFFERS: Final = 0.05
#: Candidate pairs whose distance is taken at a time.
_PAIRS: Final = 200_000


@dataclass(frozen=True)
class Patches:
    """Patches: names, areas (ha) and where they are, or what their shape is."""

    ids: list[str]
    area: Floats
    x: Floats | None = None
    y: Floats | None = None
    shapes: Shapes | None = None


@dataclass(frozen=True)
class Links:
    """Pairs of patches by position, and a distance (m) or probability of each."""

    pairs: Ints
    value: Floats


def files_read(config: Any) -> pd.DataFrame:
    """The files that a settings file names and that were read: option, name and sha256."""
    named: list[tuple[str, Path]] = []
    for field in fields(config):
        value = getattr(config, field.name)
        if isinstance(value, Path) and field.name != "path":
            named.append((field.name, value))
        if isinstance(value, tuple):
            for number, one in enumerate(value, 1):
                named += [(f"condition{number}", one.present), (f"condition{number}", one.future)]
    rows = [(option, path.name, sha256_of(path)) for option, path in named]
    return pd.DataFrame(rows, columns=["option", "name", "sha256"]).drop_duplicates()


def _frame(path: Path, wanted: tuple[str, ...]) -> pd.DataFrame:
    """A list under our names: by its header, or by position where it has none (Conefor)."""
    lines = [line for line in read_text(path).splitlines() if line.strip()]
    if not lines:
        raise refused("connectivity-table-empty", file=path.name)
    mark = next((m for m in (";", ",") if m in lines[0]), None)
    no_decimal_comma(path, lines, len(wanted))
    rows = [[c.strip().strip('"') for c in line.split(mark)] for line in lines]
    if mark == ";":
        # Where semicolons part columns a comma is a decimal one.
        rows = [[_decimal(cell) for cell in row] for row in rows]
    first = [plain(cell) for cell in rows[0]]
    known = {name for names in _NAMES.values() for name in names}
    # A patch may be called ``a``: a row with a number in it is no header.
    if not known & set(first) or any(is_number(cell) for cell in rows[0]):
        rows.insert(0, list(wanted))
        first = [plain(name) for name in wanted]
    width = len(rows[0])
    wrong = next((n for n, row in enumerate(rows, 1) if len(row) < width), None)
    if wrong is not None:
        raise refused("circuit-list-columns", file=path.name, line=wrong, wanted=str(width))
    table = pd.DataFrame([row[:width] for row in rows[1:]], columns=first)
    found = {
        ours: next(name for name in names if name in first)
        for ours, names in _NAMES.items()
        if set(names) & set(first)
    }
    return pd.DataFrame({ours: table[theirs] for ours, theirs in found.items()})


def _decimal(cell: str) -> str:
    point = cell.replace(",", ".", 1)
    return point if is_number(point) else cell


def is_number(text: str) -> bool:
    """Whether a cell holds a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(frame: pd.DataFrame, column: str, path: Path) -> Floats:
    if column not in frame:
        raise refused("connectivity-column", file=path.name, field=column)
    numbers = pd.to_numeric(frame[column], errors="coerce").to_numpy(np.float64)
    bad = ~np.isfinite(numbers)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise refused(
            "connectivity-number",
            file=path.name,
            row=row + 1,
            field=column,
            value=str(frame[column].iloc[row]),
        )
    return numbers


def read_nodes(path: Path) -> Patches:
    """Patches of a list: id, area_ha and, for Euclidean distances, x_m and y_m."""
    frame = _frame(path, ("id", "area"))
    if "id" not in frame:
        raise refused("connectivity-column", file=path.name, field="id")
    ids = frame["id"].astype(str).tolist()
    twice = frame["id"][frame["id"].duplicated()]
    if len(twice):
        raise refused("connectivity-id-twice", file=path.name, value=str(twice.iloc[0]))
    area = _number(frame, "area", path)
    if (area < 0).any() or not area.any():
        raise refused("connectivity-area", file=path.name)
    if "x" not in frame or "y" not in frame:
        if "degrees" in frame:
            raise refused("connectivity-degrees", file=path.name)
        return Patches(ids, area)
    x, y = _number(frame, "x", path), _number(frame, "y", path)
    if (np.abs(x) <= 180).all() and (np.abs(y) <= 90).all() and np.ptp(x) < 90 and len(ids) > 1:
        raise refused("connectivity-degrees", file=path.name)
    return Patches(ids, area, x, y)


def read_places(path: Path) -> Floats:
    """Focal points of a list with or without a header: id, x and y in rows."""
    frame = _frame(path, ("id", "x", "y"))
    return np.column_stack([_number(frame, column, path) for column in ("id", "x", "y")])


def read_links(path: Path, patches: Patches) -> Links:
    """Links of a list: two ids and a value each."""
    frame = _frame(path, ("from", "to", "value"))
    value = _number(frame, "value", path)
    if (value < 0).any():
        raise refused("connectivity-link-negative", file=path.name)
    place = {name: number for number, name in enumerate(patches.ids)}
    ends = []
    for column in ("from", "to"):
        if column not in frame:
            raise refused("connectivity-column", file=path.name, field=column)
        at = frame[column].map(place)
        if at.isna().any():
            raise refused(
                "connectivity-link-unknown",
                file=path.name,
                value=str(frame[column][at.isna()].iloc[0]),
            )
        ends.append(at.to_numpy(np.int64))
    return Links(np.column_stack(ends), value)


def read_polygons(path: Path, crs: CRS | None = None) -> gpd.GeoDataFrame:
    """Polygons in metres, made valid; refused in degrees unless ``crs`` says where they go.

    So are areas that the projection makes another size than they are on the ground. ``repaired``
    says which polygons crossed themselves (see ``repairs``).
    """
    import geopandas as gpd
    from pyogrio.errors import DataSourceError

    try:
        frame = gpd.read_file(path)
    except DataSourceError as error:
        raise refused("connectivity-polygons", file=path.name, why=str(error)) from error
    if crs is not None and frame.crs is not None:
        frame = frame.to_crs(crs.to_wkt())
    if frame.crs is not None and frame.crs.is_geographic:
        raise refused("connectivity-degrees", file=path.name)
    frame = frame[~(frame.geometry.isna() | frame.geometry.is_empty)]
    frame = frame[frame.geometry.geom_type.isin(["Polygon", "MultiPolygon"])]
    if frame.empty:
        raise refused("connectivity-polygons", file=path.name, why="0")
    frame = frame.assign(repaired=~frame.geometry.is_valid)
    frame.geometry = frame.geometry.make_valid()
    if crs is None and frame.crs is not None:
        _check_sizes(frame, path)
    return frame


def repairs(frame: gpd.GeoDataFrame, path: Path) -> list[Finding]:
    """A finding where polygons crossed themselves: what they enclose had to be guessed."""
    crossed = np.flatnonzero(frame["repaired"].to_numpy())
    if not len(crossed):
        return []
    ids = _ids(frame)
    named = ", ".join(ids[n] for n in crossed[:10]) + (" …" if len(crossed) > 10 else "")
    params = {"count": str(len(crossed)), "ids": named}
    return [Finding("connectivity-repaired", Severity.WARNING, file=path.name, params=params)]


def _check_sizes(frame: gpd.GeoDataFrame, path: Path) -> None:
    """Refuse a projection, such as web Mercator, that swells or shrinks the largest polygon."""
    largest = int(np.argmax(shapely.area(frame.geometry.to_numpy())))
    shape = frame.geometry.iloc[largest]
    lonlat = frame.geometry.iloc[[largest]].to_crs("EPSG:4326").iloc[0]
    ellipsoid = frame.crs.get_geod()
    ground = abs(ellipsoid.geometry_area_perimeter(shapely.segmentize(lonlat, 0.1))[0])
    drawn = shape.area * frame.crs.axis_info[0].unit_conversion_factor ** 2
    if ground > 0 and abs(drawn / ground - 1) > _SIZE_DIFFERS:
        raise refused("connectivity-not-equal-area", file=path.name, times=f"{drawn / ground:.2f}")


def _ids(frame: gpd.GeoDataFrame) -> list[str]:
    name = next((c for c in frame.columns if plain(str(c)) in _NAMES["id"]), None)
    return frame[name].astype(str).tolist() if name else [str(n + 1) for n in range(len(frame))]


def polygon_patches(frame: gpd.GeoDataFrame) -> Patches:
    """Polygons as patches: their ids and areas in hectares."""
    shapes = frame.geometry.to_numpy()
    return Patches(_ids(frame), shapely.area(shapes) / _SQUARE_METRES, shapes=shapes)


def write_layer(path: Path, layer: gpd.GeoDataFrame) -> None:
    """A GeoPackage of one layer, named as the file; the same bytes for the same layer."""
    import warnings

    from pyogrio import set_gdal_config_options

    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with warnings.catch_warnings():
        # A grid without a reference system is told by a finding, in the reader's language.
        warnings.filterwarnings("ignore", message="'crs' was not provided")
        # The format holds the time of its last change: it would be the only thing that differs.
        set_gdal_config_options({"OGR_CURRENT_DATE": _GEOPACKAGE_TIME})
        try:
            layer.to_file(path, driver="GPKG", layer=path.stem)
        finally:
            set_gdal_config_options({"OGR_CURRENT_DATE": None})


def centres(shapes: Shapes) -> Floats:
    """The centroid of each shape, or a point on its surface where the centroid lies outside."""
    middle = shapely.centroid(shapes)
    inside = shapely.intersects(shapes, middle)
    points = np.where(inside, middle, shapely.point_on_surface(shapes))
    return np.column_stack([shapely.get_x(points), shapely.get_y(points)])


def edge_links(shapes: Shapes, reach: float) -> Links:
    """Pairs of shapes no further apart than ``reach``, from edge to edge, in bounded memory."""
    tree = shapely.STRtree(shapes)
    step = max(1, min(len(shapes), 500))
    pairs: list[Ints] = []
    apart: list[Floats] = []
    for start in range(0, len(shapes), step):
        some = np.arange(start, min(start + step, len(shapes)))
        left, right = tree.query(shapes[some], predicate="dwithin", distance=reach)
        left = some[left]
        once = left < right
        left, right = left[once], right[once]
        for at in range(0, left.size, _PAIRS):
            part = slice(at, at + _PAIRS)
            apart.append(shapely.distance(shapes[left[part]], shapes[right[part]]))
        pairs.append(np.column_stack([left, right]))
    none = np.empty((0, 2), dtype=np.int64)
    return Links(np.concatenate([none, *pairs]), np.concatenate([np.empty(0), *apart]))


def point_links(points: Floats, reach: float) -> Links:
    """Pairs of points no further apart than ``reach``."""
    from scipy.spatial import cKDTree

    pairs = cKDTree(points).query_pairs(reach, output_type="ndarray").astype(np.int64)
    gap = points[pairs[:, 0]] - points[pairs[:, 1]]
    return Links(pairs, np.hypot(gap[:, 0], gap[:, 1]))
