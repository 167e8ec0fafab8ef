"""What a plan of the land needs from elsewhere: products, how much of them, and whether they fit.

Nothing is fetched: institutes differ in what they may fetch and from where. A file that is there
already is opened and held against the product, the plan's years and its regions.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np

from ecotone.assess.indicator import Scalar
from ecotone.assess.plan import Plan, Task, is_node, load
from ecotone.assess.regions import choose, read_regions
from ecotone.assess.registry import get
from ecotone.formats.raster import Stack, open_layer, open_stack
from ecotone.model.errors import EcotoneError, UsageError
from ecotone.model.words import Language, say

#: Names under which indicators ask for what a product of another name serves.
_SAME: Final = {"raster": "precipitation"}
#: The first years products of an index of drought have to go back to.
_CALIBRATION: Final = 1981
#: What is counted once, in the year nearest to the report.
_ONE_YEAR: Final = ("population", "female", "male")
_SPANS: Final = ("baseline", "report", "report_2", "calibration")
#: Cells of a file that are looked at for its range.
_LOOKED: Final = 512

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Product:
    """A published product that serves an input."""

    serves: str
    product: str
    version: str
    first: int
    last: int | None
    layers_per_year: int
    degrees: float
    bytes: float
    ratio: float
    south: float
    north: float
    low: float
    high: float
    licence: str
    publisher: str
    where: str
    doi: str


@dataclass(frozen=True)
class Wanted:
    """An input of a plan, the product that serves it, and what became of its file.

    Attributes:
        indicator: that asks for it.
        input: its name there.
        files: as the plan names them; empty where it names none.
        first: first year needed.
        last: last year needed.
        product: that serves it; None where it is the user's own.
        megabytes: of the product for the plan's regions and years, compressed.
        checks: sentences on the files; empty where there are none yet.
        state: ``here``, ``missing``, ``wrong`` or ``node``.
    """

    indicator: str
    input: str
    files: tuple[str, ...]
    first: int
    last: int
    product: Product | None
    megabytes: float | None
    checks: tuple[str, ...]
    state: str

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {**asdict(self), "product": None if self.product is None else asdict(self.product)}


def products() -> tuple[Product, ...]:
    """All products known, those to prefer first."""
    text = resources.files("ecotone.assess").joinpath("sources_land.csv").read_text("utf-8")
    return tuple(
        Product(
            serves=row["serves"],
            product=row["product"],
            version=row["version"],
            first=int(row["first"]),
            last=int(row["last"]) if row["last"] else None,
            layers_per_year=int(row["layers_per_year"]),
            degrees=float(row["degrees"]),
            bytes=float(row["bytes"]),
            ratio=float(row["ratio"]),
            south=float(row["south"]),
            north=float(row["north"]),
            low=float(row["low"]),
            high=float(row["high"]),
            licence=row["licence"],
            publisher=row["publisher"],
            where=row["where"],
            doi=row["doi"],
        )
        for row in csv.DictReader(text.splitlines())
    )


def sources(plan_path: Path, field: str, lang: Language) -> list[Wanted]:
    """Everything the plan's indicators of a field read, in the order of the plan.

    Raises UsageError where the plan asks nothing of the field.
    """
    plan = load(plan_path)
    tasks = [task for task in plan.indicators if task.id.startswith(f"{field}.")]
    if field != "land" or not tasks:
        raise UsageError(say("assess.sources.none", field=field, plan=plan_path.name))
    return [one for task in tasks for one in _of_task(plan, task, plan_path.parent, lang)]


def _of_task(plan: Plan, task: Task, base: Path, lang: Language) -> Iterator[Wanted]:
    box = _box(plan, task, base)
    first, last = _years(plan, task)
    asked = {i.name: i for i in get(task.id).inputs}
    chosen = set(task.inputs) | {n for n, i in asked.items() if i.required}
    for name in asked:
        if name not in chosen:
            continue
        given = task.inputs.get(name, [])
        files = (given,) if isinstance(given, str) else tuple(given)
        serves = _SAME.get(name, name)
        start = min(first, _CALIBRATION) if serves in ("precipitation", "evaporation") else first
        product = _product(serves, start, last, box)
        size = None if product is None or box is None else _megabytes(product, box, start, last)
        state, checks = _state(files, base, product, box, (start, last), lang)
        yield Wanted(task.id, name, files, start, last, product, size, checks, state)


def _box(plan: Plan, task: Task, base: Path) -> Box | None:
    """West, south, east, north of the task's regions; None where the plan has none."""
    if plan.regions is None:
        return None
    regions = choose(read_regions(base / plan.regions.path, plan.regions), task.regions)
    bounds = np.array([r.geometry.bounds for r in regions if r.geometry is not None])
    west, south = bounds[:, :2].min(axis=0)
    east, north = bounds[:, 2:].max(axis=0)
    return float(west), float(south), float(east), float(north)


def _years(plan: Plan, task: Task) -> tuple[int, int]:
    """From the first to the last year of the task's periods and parameters."""
    wanted = [p for p in plan.periods if task.periods is None or p.id in task.periods]
    years = [y for p in wanted for y in (p.start, p.end)]
    parameters: dict[str, Scalar] = {p.name: p.default for p in get(task.id).parameters}
    for name in _SPANS:
        given = task.parameters.get(name, parameters.get(name) if name != "baseline" else None)
        digits = [part for part in str(given or "").replace("/", "-").split("-") if part.isdigit()]
        if name in task.parameters and len(digits) == 2:
            years += [int(d) for d in digits]
    return min(years), max(years)


def _product(serves: str, first: int, last: int, box: Box | None) -> Product | None:
    """The product that covers most of the years, of those that cover the region."""
    fitting = [p for p in products() if p.serves == serves]
    inside = [p for p in fitting if box is None or (p.south <= box[1] and box[3] <= p.north)]

    def lacking(product: Product) -> int:
        if product.layers_per_year == 0:
            return 0
        end = last if product.last is None else product.last
        return max(0, product.first - first) + max(0, last - end)

    return min(inside, key=lacking, default=None)


def _megabytes(product: Product, box: Box, first: int, last: int) -> float:
    west, south, east, north = box
    cells = ((east - west) / product.degrees + 1) * ((north - south) / product.degrees + 1)
    end = last if product.last is None else min(last, product.last)
    years = 1 if product.serves in _ONE_YEAR else max(1, end - max(first, product.first) + 1)
    layers = product.layers_per_year * years if product.layers_per_year else 1
    return float(cells * layers * product.bytes * product.ratio / 1e6)


def _state(
    files: tuple[str, ...], base: Path, product: Product | None, box: Box | None,
    years: tuple[int, int], lang: Language,
) -> tuple[str, tuple[str, ...]]:  # fmt: skip
    """What became of the files of an input, and what there is to say of each."""
    if files and all(is_node(name) for name in files):
        return "node", ()
    paths = [base / name for name in files if not is_node(name)]
    if not paths or not all(path.exists() for path in paths):
        return "missing", ()
    if paths[0].suffix.lower() in (".csv", ".geojson", ".gpkg", ".shp", ".json"):
        return "here", ()
    said = list(_checked(paths, product, box, years, lang))
    return ("wrong" if said else "here"), tuple(said)


def _checked(
    paths: list[Path], product: Product | None, box: Box | None, years: tuple[int, int],
    lang: Language,
) -> Iterator[str]:  # fmt: skip
    """What is wrong with a file, in sentences."""
    one_layer = product is not None and (
        product.layers_per_year == 0 or product.serves in _ONE_YEAR
    )
    try:
        stack = open_layer(paths[0]) if one_layer else open_stack(paths)
    except EcotoneError as error:
        yield error.message
        return
    with stack:
        if stack.crs is None:
            yield say("assess.sources.crs", lang)
            return
        if not one_layer:
            have = stack.times.astype("datetime64[Y]").astype(int) + 1970
            lacking = sorted(set(range(years[0], years[1] + 1)) - set(have.tolist()))
            sparse = product is not None and product.layers_per_year == 1
            if lacking and not (sparse and have.min() <= years[0] and have.max() >= years[1]):
                yield say("assess.sources.years", lang, years=_spans(lacking))
        yield from _of_place(stack, box, lang)
        if product is not None:
            yield from _of_values(stack, product, lang)


def _of_place(stack: Stack, box: Box | None, lang: Language) -> Iterator[str]:
    edges = stack.bounds()
    if box is None or edges is None:
        return
    west, south, east, north = edges
    beyond = west > box[0] + 1e-6 or south > box[1] + 1e-6
    if beyond or east < box[2] - 1e-6 or north < box[3] - 1e-6:
        yield say("assess.sources.place", lang)


def _of_values(stack: Stack, product: Product, lang: Language) -> Iterator[str]:
    """Whether a middle part of the file has values of the product's range."""
    from rasterio.windows import Window

    width, height = min(_LOOKED, stack.width), min(_LOOKED, stack.height)
    window = Window((stack.width - width) // 2, (stack.height - height) // 2, width, height)
    values = stack.read(window)[-1]
    known = values[np.isfinite(values)]
    if known.size == 0:
        yield say("assess.sources.empty", lang)
        return
    low, high = float(known.min()), float(known.max())
    slack = 0.01 * (product.high - product.low)
    if low < product.low - slack or high > product.high + slack:
        yield say(
            "assess.sources.range", lang, low=f"{low:g}", high=f"{high:g}",
            wanted_low=f"{product.low:g}", wanted_high=f"{product.high:g}",
        )  # fmt: skip


def _spans(years: list[int]) -> str:
    starts = [y for y in years if y - 1 not in years]
    ends = [y for y in years if y + 1 not in years]
    return ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True))
