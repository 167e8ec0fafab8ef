"""The productivity of one period, block by block: what productivity and SDG 15.3.1 share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from ecotone.assess.executor import Executor
from ecotone.assess.indicator import Input, Job, Parameter
from ecotone.assess.indicators.land_ground import (
    Ground,
    Layer,
    check_grid,
    out_of_range,
    strips,
)
from ecotone.assess.indicators.land_scratch import Scratch, key_of
from ecotone.assess.indicators.mosaic import WHOLE_YEAR, Mosaic, open_mosaic
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.words import say
from ecotone.science.land import mann_kendall
from ecotone.science.land.climate import rain_residuals, rain_use
from ecotone.science.land.lookup import NODATA, Codes
from ecotone.science.land.productivity import (
    BEST,
    RECENT,
    RULES,
    Rule,
    complete_pixels,
    lpd_classes,
    lpd_three,
    mean_productivity,
    performance_classes,
    state_classes,
    trend_classes,
)
from ecotone.science.land.quantiles import UnitQuantiles, unit_quantiles
from ecotone.science.land.season import MEASURES, Season, season_of
from ecotone.science.land.wocat import wocat_classes

Floats = NDArray[np.float64]

#: What is taken off the vegetation before its trend is tested.
Correction = Literal["none", "restrend", "rue", "wue"]
CORRECTIONS: Final[tuple[Correction, ...]] = ("none", "restrend", "rue", "wue")
#: Integrals are told by the day of the year, so that they keep the range of NDVI.
DAYS: Final = 365.25
#: Parameters of how composites become years, and of the correction.
YEARLY: Final = (
    Parameter("season", "text", "year"),
    Parameter("measure", "text", "mean", choices=MEASURES),
    Parameter("least", "number", 0.0, minimum=0.0, maximum=1.0, unit="1"),
    Parameter("correction", "text", "none", choices=CORRECTIONS),
)
RAIN: Final = Input("rain", "raster stack", noun="Coverage", required=False)
#: Fewest years of a period: four for the baseline of state and three recent ones.
FEWEST_YEARS: Final = 4 + RECENT
#: What MODIS writes where it has no value, -3000, looks like with its scale.
_MODIS_FILL: Final = -0.3
#: The rule sets that know trend, state and performance; each takes two layers of codes.
_METRIC_RULES: Final[tuple[Rule, ...]] = tuple(r for r in RULES if r != "fao_wocat")
_WOCAT: Final = 2 * len(_METRIC_RULES)


@dataclass(frozen=True)
class LpdAsk:
    """What is computed in every block; travels to the workers with each."""

    mosaic: Mosaic
    start: int
    end: int
    alpha: float
    complete: float
    season: Season = WHOLE_YEAR
    rain: Mosaic | None = None
    correction: Correction = "none"

    @property
    def name(self) -> str:
        """Tells the work of one period and correction from another's."""
        return f"{self.start}-{self.end}-{self.correction}"


@dataclass(frozen=True)
class LpdBlock:
    """One block: mean productivity, the classes that need no other pixel, what was met."""

    window: Window
    mean: Floats
    codes: Codes
    lowest: float
    highest: float
    disputed: int
    unexplained: int = 0


@dataclass
class Productivity:
    """A period's productivity on disk; classes are put together strip by strip."""

    scratch: Scratch
    mean: Floats
    codes: Codes
    units: NDArray[np.int32]
    classes: Codes  #: the five classes by each rule set, in the order of ``RULES``
    best: UnitQuantiles
    lowest: float = float("nan")
    highest: float = float("nan")
    counts: Counter[str] = field(default_factory=Counter)

    def metrics(self, rule: Rule, window: Window) -> tuple[Codes, Codes, Codes]:
        """Trend, state and performance of a window by a rule set that knows them."""
        place = self.scratch.place(window)
        number = _METRIC_RULES.index(rule)
        trend = np.array(self.codes[(2 * number, *place)])
        state = np.array(self.codes[(2 * number + 1, *place)])
        best = self.best.of(np.asarray(self.units[place], dtype=np.int64))
        return trend, state, performance_classes(np.asarray(self.mean[place]), best, rule)

    def classify(self) -> None:
        """Put the metrics together, once the best of each unit is known."""
        for window in strips(self.scratch.within):
            place = self.scratch.place(window)
            for number, rule in enumerate(RULES):
                if rule == "fao_wocat":
                    self.classes[(number, *place)] = self.codes[(_WOCAT, *place)]
                else:
                    made = lpd_classes(*self.metrics(rule, window), rule)
                    self.classes[(number, *place)] = made
            self.scratch.release()

    def lpd(self, rule: Rule, window: Window) -> Codes:
        """The five classes of a window."""
        return np.array(self.classes[(RULES.index(rule), *self.scratch.place(window))])

    def three(self, rule: Rule, window: Window) -> Codes:
        """The three classes of a window."""
        return lpd_three(self.lpd(rule, window))

    def note(self, noted: Mapping[str, float]) -> None:
        """Take in what was met in a block."""
        self.lowest = float(np.fmin(self.lowest, noted["lowest"]))
        self.highest = float(np.fmax(self.highest, noted["highest"]))
        self.counts["disputed"] += int(noted["disputed"])
        self.counts["unexplained"] += int(noted.get("unexplained", 0))

    def findings(self) -> Iterator[Finding]:
        """What the reader should know of the numbers met."""
        if self.lowest < -1 or self.highest > 1:
            yield Finding(
                "land-ndvi-range",
                Severity.WARNING,
                field="ndvi",
                params={"lowest": f"{self.lowest:g}", "highest": f"{self.highest:g}"},
            )
        if abs(self.lowest - _MODIS_FILL) < 1e-6:
            yield Finding("land-modis-fill", Severity.WARNING, field="ndvi")
        if self.counts["disputed"]:
            yield Finding(
                "land-disputed",
                Severity.WARNING,
                params={"count": str(self.counts["disputed"])},
            )
        if self.counts["unexplained"]:
            yield Finding(
                "land-no-rain-relation",
                Severity.INFO,
                params={"count": str(self.counts["unexplained"])},
            )
        small = int((self.best.counts < 30).sum())
        if small:
            yield Finding(
                "land-units-small",
                Severity.INFO,
                params={"count": str(small), "units": str(self.best.units.size)},
            )


def ask_of(job: Job, mosaic: Mosaic, rain: Mosaic | None, start: int, end: int) -> LpdAsk:
    """What a job asks of a period; UsageError where its season or correction cannot be."""
    measure = next(m for m in MEASURES if m == job.parameters["measure"])
    try:
        season = season_of(str(job.parameters["season"]), job.number("least"), measure)
    except ValueError as error:
        raise UsageError(say("assess.land.season", why=error)) from error
    correction = next(c for c in CORRECTIONS if c == job.parameters["correction"])
    if (correction == "none") != (rain is None):
        raise UsageError(say("assess.land.correction-rain", correction=correction))
    return LpdAsk(
        mosaic, start, end, job.number("alpha"), job.number("complete"), season, rain, correction
    )


def open_rain(job: Job, mosaic: Mosaic) -> Mosaic | None:
    """The stack of rain (or evapotranspiration) on the grid of another, where one is given."""
    given = job.inputs.get("rain")
    if not given:
        return None
    rain = open_mosaic(given)
    for tile in rain.tiles:
        check_grid(mosaic, tile.name, tile.stack)
    return rain


def productivity_of(
    ask: LpdAsk,
    ground: Ground,
    units: Layer | None,
    scratch: Scratch,
    executor: Executor,
    progress: Callable[[float], None],
) -> Productivity:
    """Go through all blocks, then find the best of each unit over the whole region.

    Raises NotComputable where no pixel of the region has enough years.
    """
    name = ask.name
    found = Productivity(
        scratch,
        scratch.array(f"mean-{name}", np.float64),
        scratch.array(f"codes-{name}", np.int16, layers=_WOCAT + 1),
        scratch.array(f"units-{name}", np.int32),
        scratch.array(f"lpd-{name}", np.int16, layers=len(RULES)),
        UnitQuantiles(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), BEST),
    )
    area = scratch.within.width * scratch.within.height
    before = scratch.done(name)
    for noted in before.values():
        found.note(noted)
    done = sum(width * height for _, _, width, height in before)
    windows = (w for w in ask.mosaic.blocks(scratch.within) if key_of(w) not in before)
    for block in executor.map(partial(lpd_block, ask), windows):
        place = scratch.place(block.window)
        found.mean[place] = block.mean
        found.codes[(slice(None), *place)] = block.codes
        inside = ground.shares(block.window) > 0
        codes = np.zeros(inside.shape, np.int64) if units is None else units.codes(block.window)
        found.units[place] = np.where(inside, codes, -1)
        noted = {"lowest": block.lowest, "highest": block.highest, "disputed": block.disputed,
                 "unexplained": block.unexplained}  # fmt: skip
        found.note(noted)
        scratch.release()
        scratch.finished(name, block.window, noted)
        done += block.window.width * block.window.height
        progress(done / area)
    found.best = unit_quantiles(partial(_chunks, found), BEST)
    if not found.best.units.size:
        raise NotComputable(
            say("assess.land.no-pixel", fewest=FEWEST_YEARS), say("assess.land.no-pixel.do")
        )
    found.classify()
    return found


def _chunks(found: Productivity) -> Iterator[tuple[NDArray[np.int64], Floats]]:
    for window in strips(found.scratch.within):
        place = found.scratch.place(window)
        yield np.asarray(found.units[place], dtype=np.int64), np.asarray(found.mean[place])
        found.scratch.release()


def lpd_block(ask: LpdAsk, window: Window) -> LpdBlock:
    """One block; the same on a thread as on a worker of a cluster."""
    yearly = ask.mosaic.yearly(window, ask.start, ask.end, ask.season)
    out_of_range(yearly.lowest, yearly.highest)
    means = yearly.means
    if ask.season.measure == "integral":
        means = means / DAYS
    trended, unexplained = _corrected(ask, window, means)
    test = mann_kendall(trended)
    lacking = ~complete_pixels(means, ask.complete)
    layers = []
    deciles = state_classes(means, "unccd2026")
    for rule in _METRIC_RULES:
        state = state_classes(means, rule) if rule == "gpg_v2" else deciles
        layers += [trend_classes(trended, rule, ask.alpha, test), state]
    layers.append(wocat_classes(means, alpha=ask.alpha, complete=ask.complete, test=test))
    codes = np.stack(layers)
    codes[:, lacking] = NODATA
    mean = mean_productivity(means)
    mean[lacking] = np.nan
    disputed = int(np.count_nonzero(yearly.disputed))
    return LpdBlock(window, mean, codes, yearly.lowest, yearly.highest, disputed, unexplained)


def _corrected(ask: LpdAsk, window: Window, means: Floats) -> tuple[Floats, int]:
    """What the trend is tested on, and the pixels whose vegetation does not follow rain.

    Those keep their vegetation as it is: a residual of no relation would be no correction.
    """
    if ask.rain is None or ask.correction == "none":
        return means, 0
    rain = ask.rain.yearly(window, ask.start, ask.end).means
    if ask.correction in ("rue", "wue"):
        return rain_use(means, rain), 0
    found = rain_residuals(means, rain, ask.alpha)
    known = np.isfinite(means).any(axis=0)
    trended: Floats = np.where(found.valid, found.residual, means)
    return trended, int(np.count_nonzero(known & ~found.valid))


def years_checked(mosaic: Mosaic, start: int, end: int) -> list[Finding]:
    """Every tile must have layers in every year; years with fewer than usual are told."""
    if end < start:
        raise UsageError(say("assess.land.end-before-start", start=start, end=end))
    if end - start + 1 < FEWEST_YEARS:
        raise NotComputable(
            say("assess.land.few-years", start=start, end=end, fewest=FEWEST_YEARS),
            say("assess.land.few-years.do"),
        )
    findings = []
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
        usual = Counter(layers.values()).most_common(1)[0][0]
        findings += [
            Finding(
                "land-year-incomplete",
                Severity.WARNING,
                field="ndvi",
                value=str(year),
                params={"name": tile.name, "layers": str(layers[year]), "usual": str(usual)},
            )
            for year in range(start, end + 1)
            if layers[year] < usual
        ]
    return findings
