"""``land.trend``: where has vegetation changed, how fast, and how sure is that."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from rasterio.transform import Affine
from rasterio.windows import Window

from ecotone.assess.indicator import Citation, Indicator, Input, Job, Outcome, Parameter
from ecotone.assess.indicators.mosaic import Mosaic, open_mosaic
from ecotone.formats.raster_write import write_geotiff
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.result import Value
from ecotone.model.words import say
from ecotone.science.land import METHODS, Method, TrendTest, mann_kendall
from ecotone.science.stats import discovery_threshold

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

Floats = NDArray[np.float64]

#: Fewest years with data for a test: no S of fewer could reach p <= 0.1.
_FEWEST_YEARS: Final = 4
#: Confidence level of every slope interval.
_LEVEL: Final = 0.95
#: The rasters, in the order in which they are kept while blocks come in.
_RASTERS: Final = {
    "s": "1",
    "p": "1",
    "slope": "1/year",
    "slope_low": "1/year",
    "slope_high": "1/year",
}


@dataclass(frozen=True)
class Ask:
    """What is computed in every block; travels to the workers with each."""

    mosaic: Mosaic
    region: BaseGeometry | None
    start: int
    end: int
    method: Method
    alpha: float
    fdr: float


@dataclass
class Tally:
    """Counts and sums over one block, or over all of them added in their order."""

    yearly_sum: Floats  #: of each year, over pixels with data in every year
    counts: Counter[str] = field(default_factory=Counter)
    p: Floats = field(default_factory=lambda: np.empty(0))  #: distinct, up to the rate
    p_counts: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    lowest: float = float("nan")
    highest: float = float("nan")

    def add(self, other: Tally) -> None:
        """Take another tally in."""
        self.yearly_sum = self.yearly_sum + other.yearly_sum
        self.counts.update(other.counts)
        self.lowest = float(np.fmin(self.lowest, other.lowest))
        self.highest = float(np.fmax(self.highest, other.highest))
        joined = np.concatenate([self.p, other.p])
        counts = np.concatenate([self.p_counts, other.p_counts])
        self.p, at = np.unique(joined, return_inverse=True)
        self.p_counts = np.bincount(at, counts, minlength=self.p.size).astype(np.int64)

    def discoveries(self, rate: float) -> int:
        """How many pixels stay significant when false discoveries are held at a rate."""
        threshold = discovery_threshold(
            self.p, rate, counts=self.p_counts, tests=self.counts["tests"]
        )
        return int(self.p_counts[self.p <= threshold].sum())


@dataclass(frozen=True)
class Block:
    """What came of one block: its maps and its part of the whole."""

    window: Window
    maps: NDArray[np.float32]  #: (rasters, rows, columns)
    tally: Tally


def compute(job: Job) -> Outcome:
    """Yearly means, then the trend of every pixel, block by block."""
    mosaic = open_mosaic(job.inputs["ndvi"])
    try:
        ask, findings = _ask(job, mosaic)
        within = mosaic.whole() if job.region is None else mosaic.around(job.region)
        if within is None:
            raise NotComputable(say("assess.land.outside"), say("assess.land.outside.do"))
        job.out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=job.out, prefix=".blocks-") as scratch:
            maps = _Maps(Path(scratch) / "maps", within)
            totals = _run(job, ask, within, maps)
            if totals.counts["pixels"] == 0:
                raise NotComputable(
                    say("assess.land.no-pixel", fewest=_FEWEST_YEARS),
                    say("assess.land.no-pixel.do"),
                )
            rasters = _write(job, ask, maps)
    finally:
        mosaic.close()
    findings.extend(_told(ask, totals))
    return Outcome(values=_values(ask, totals), rasters=rasters, findings=findings)


def _ask(job: Job, mosaic: Mosaic) -> tuple[Ask, list[Finding]]:
    """The period and parameters, checked against the layers there are."""
    present = np.unique(np.concatenate([tile.years() for tile in mosaic.tiles]))
    start = _year(job.parameters["start"], int(present[0]))
    end = _year(job.parameters["end"], int(present[-1]))
    if end < start:
        raise UsageError(say("assess.land.end-before-start", start=start, end=end))
    if end - start + 1 < _FEWEST_YEARS:
        raise NotComputable(
            say("assess.land.few-years", start=start, end=end, fewest=_FEWEST_YEARS),
            say("assess.land.few-years.do"),
        )
    findings: list[Finding] = []
    for tile in mosaic.tiles:
        layers = Counter(tile.years().tolist())
        missing = [year for year in range(start, end + 1) if year not in layers]
        if missing:
            raise NotComputable(
                say(
                    "assess.land.years-missing",
                    name=tile.name,
                    years=", ".join(map(str, missing)),
                    first=min(layers),
                    last=max(layers),
                ),
                say("assess.land.years-missing.do"),
            )
        findings.extend(_incomplete_years(tile.name, layers, start, end))
    method = next(m for m in METHODS if m == job.parameters["method"])
    ask = Ask(mosaic, job.region, start, end, method, job.number("alpha"), job.number("fdr"))
    return ask, findings


def _year(given: object, fallback: int) -> int:
    return given if isinstance(given, int) else fallback


def _incomplete_years(name: str, layers: Counter[int], start: int, end: int) -> Iterator[Finding]:
    usual = Counter(layers.values()).most_common(1)[0][0]
    for year in range(start, end + 1):
        if layers[year] < usual:
            yield Finding(
                "land-year-incomplete",
                Severity.WARNING,
                field="ndvi",
                value=str(year),
                params={"name": name, "layers": str(layers[year]), "usual": str(usual)},
            )


class _Maps:
    """The rasters while blocks come in, on disk, so that memory holds a few blocks only."""

    def __init__(self, path: Path, within: Window) -> None:
        self.within = within
        shape = (len(_RASTERS), int(within.height), int(within.width))
        self.values = np.memmap(path, dtype=np.float32, mode="w+", shape=shape)

    def put(self, block: Block) -> None:
        """Keep a block's maps."""
        rows, columns = self._place(block.window)
        self.values[:, rows, columns] = block.maps

    def blocks(self, number: int) -> Iterator[tuple[Window, NDArray[np.float32]]]:
        """One raster, strip by strip, in its own coordinates."""
        height, width = self.values.shape[1:]
        step = max(1, 4_000_000 // width)
        for top in range(0, height, step):
            strip = np.array(self.values[number, top : top + step])
            yield Window(0, top, width, len(strip)), strip

    def _place(self, window: Window) -> tuple[slice, slice]:
        top = int(window.row_off - self.within.row_off)
        left = int(window.col_off - self.within.col_off)
        return slice(top, top + int(window.height)), slice(left, left + int(window.width))


def _run(job: Job, ask: Ask, within: Window, maps: _Maps) -> Tally:
    totals = Tally(np.zeros(ask.end - ask.start + 1))
    area = within.width * within.height
    done = 0
    for block in job.executor.map(partial(trend_of_block, ask), ask.mosaic.blocks(within)):
        maps.put(block)
        totals.add(block.tally)
        done += block.window.width * block.window.height
        job.progress(done / area)
    return totals


def trend_of_block(ask: Ask, window: Window) -> Block:
    """Everything about one block; the same on a thread as on a worker of a cluster."""
    yearly = ask.mosaic.yearly(window, ask.start, ask.end)
    means = yearly.means
    if ask.region is not None:
        outside = ~ask.mosaic.inside(ask.region, window)
        means[:, outside] = np.nan
        yearly.disputed[outside] = False
    years = np.arange(ask.start, ask.end + 1)
    test = mann_kendall(means, years, method=ask.method, level=_LEVEL, minimum=_FEWEST_YEARS)
    maps = np.stack([test.s, test.p, test.slope, test.low, test.high]).astype(np.float32)
    significant = test.p <= ask.alpha
    whole = test.valid == years.size
    tally = Tally(means[:, whole].sum(axis=1), lowest=yearly.lowest, highest=yearly.highest)
    tally.p, tally.p_counts = np.unique(test.p[test.p <= ask.fdr], return_counts=True)
    tally.counts.update(
        pixels=_count(~np.isnan(test.s)),
        scarce=_count((test.valid > 0) & np.isnan(test.s)),
        gaps=_count(~np.isnan(test.s) & ~whole),
        tests=_count(~np.isnan(test.p)),
        significant=_count(significant),
        increasing=_count(significant & (test.s > 0)),
        decreasing=_count(significant & (test.s < 0)),
        whole=_count(whole),
        disputed=_count(yearly.disputed),
    )
    return Block(window, maps, tally)


def _count(chosen: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(chosen))


def _write(job: Job, ask: Ask, maps: _Maps) -> dict[str, str]:
    within = maps.within
    transform = ask.mosaic.transform * Affine.translation(within.col_off, within.row_off)
    written = {}
    for number, (name, unit) in enumerate(_RASTERS.items()):
        written[name] = f"rasters/{name}.tif"
        write_geotiff(
            job.out / written[name],
            shape=(int(within.height), int(within.width)),
            transform=transform,
            crs=ask.mosaic.crs,
            blocks=maps.blocks(number),
            tags={
                "indicator": "land.trend",
                "name": name,
                "unit": unit,
                "period": f"{ask.start}/{ask.end}",
                "method": ask.method,
                "level": str(_LEVEL),
            },
        )
    return written


def _values(ask: Ask, totals: Tally) -> dict[str, Value]:
    counts = {
        "pixels": totals.counts["pixels"],
        "significant": totals.counts["significant"],
        "significant_fdr": totals.discoveries(ask.fdr),
        "increasing": totals.counts["increasing"],
        "decreasing": totals.counts["decreasing"],
    }
    values = {name: Value(value=count, unit="pixel") for name, count in counts.items()}
    values["years"] = Value(value=ask.end - ask.start + 1, unit="year")
    values["mean_slope"] = _mean_slope(ask, totals)
    return values


def _mean_slope(ask: Ask, totals: Tally) -> Value:
    """The trend of the region's mean.

    Its interval comes from the scatter of years. Neighbouring pixels share their weather, so
    an interval from the scatter of pixels would be far too narrow.
    """
    if not totals.counts["whole"]:
        return Value(value=None, unit="1/year")
    test: TrendTest = mann_kendall(
        totals.yearly_sum / totals.counts["whole"],
        np.arange(ask.start, ask.end + 1),
        method=ask.method,
        level=_LEVEL,
    )
    return Value(
        value=float(test.slope),
        unit="1/year",
        low=_known(float(test.low)),
        high=_known(float(test.high)),
        level=_LEVEL,
    )


def _known(number: float) -> float | None:
    return None if np.isnan(number) else number


def _told(ask: Ask, totals: Tally) -> Iterator[Finding]:
    counts = totals.counts
    for code, count, severity in (
        ("land-few-years", counts["scarce"], Severity.INFO),
        ("land-gaps", counts["gaps"], Severity.INFO),
        ("land-no-p", counts["pixels"] - counts["tests"], Severity.WARNING),
        ("land-disputed", counts["disputed"], Severity.WARNING),
    ):
        if count:
            yield Finding(
                code, severity, params={"count": str(count), "fewest": str(_FEWEST_YEARS)}
            )
    if not counts["whole"]:
        yield Finding("land-no-mean", Severity.WARNING)
    if totals.lowest < -1 or totals.highest > 1:
        yield Finding(
            "land-ndvi-range",
            Severity.WARNING,
            field="ndvi",
            params={"lowest": f"{totals.lowest:g}", "highest": f"{totals.highest:g}"},
        )
    if ask.mosaic.crs is None:
        yield Finding("raster-crs-missing", Severity.WARNING, field="ndvi")


LAND_TREND: Final = Indicator(
    id="land.trend",
    version="1",
    inputs=(Input("ndvi", "raster stack", noun="Coverage"),),
    parameters=(
        Parameter("start", "integer", unit="year"),
        Parameter("end", "integer", unit="year"),
        Parameter("method", "text", "exact", choices=METHODS),
        Parameter("alpha", "number", 0.05, minimum=1e-6, maximum=0.5, unit="1"),
        Parameter("fdr", "number", 0.05, minimum=1e-6, maximum=0.5, unit="1"),
    ),
    values={
        "pixels": "pixel",
        "significant": "pixel",
        "significant_fdr": "pixel",
        "increasing": "pixel",
        "decreasing": "pixel",
        "mean_slope": "1/year",
        "years": "year",
    },
    tables={},
    rasters=_RASTERS,
    citations=(
        Citation("Mann (1945) Econometrica 13, 245-259", "10.2307/1907187"),
        Citation("Kendall (1938) Biometrika 30, 81-93", "10.1093/biomet/30.1-2.81"),
        Citation(
            "Sen (1968) Journal of the American Statistical Association 63, 1379-1389",
            "10.1080/01621459.1968.10480934",
        ),
        Citation("Gilbert (1987) Statistical Methods for Environmental Pollution Monitoring, 16.5"),
        Citation(
            "Hamed and Rao (1998) Journal of Hydrology 204, 182-196",
            "10.1016/S0022-1694(97)00125-X",
        ),
        Citation("Yue et al. (2002) Hydrological Processes 16, 1807-1829", "10.1002/hyp.1095"),
        Citation(
            "Benjamini and Hochberg (1995) Journal of the Royal Statistical Society B 57, 289-300",
            "10.1111/j.2517-6161.1995.tb02031.x",
        ),
        Citation(
            "Wilks (2016) Bulletin of the American Meteorological Society 97, 2263-2273",
            "10.1175/BAMS-D-15-00267.1",
        ),
    ),
    compute=compute,
)
