"""The productivity of one period, block by block: what productivity and SDG 15.3.1 share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from ecotone.assess.executor import Executor
from ecotone.assess.indicators.land_ground import Ground, Layer, out_of_range, strips
from ecotone.assess.indicators.land_scratch import Scratch, key_of
from ecotone.assess.indicators.mosaic import Mosaic
from ecotone.model.errors import NotComputable, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.words import say
from ecotone.science.land import mann_kendall
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
from ecotone.science.land.wocat import wocat_classes

Floats = NDArray[np.float64]

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


@dataclass(frozen=True)
class LpdBlock:
    """One block: mean productivity, the classes that need no other pixel, what was met."""

    window: Window
    mean: Floats
    codes: Codes
    lowest: float
    highest: float
    disputed: int


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
        small = int((self.best.counts < 30).sum())
        if small:
            yield Finding(
                "land-units-small",
                Severity.INFO,
                params={"count": str(small), "units": str(self.best.units.size)},
            )


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
    name = f"{ask.start}-{ask.end}"
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
        noted = {"lowest": block.lowest, "highest": block.highest, "disputed": block.disputed}
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
    yearly = ask.mosaic.yearly(window, ask.start, ask.end)
    out_of_range(yearly.lowest, yearly.highest)
    means = yearly.means
    test = mann_kendall(means)
    lacking = ~complete_pixels(means, ask.complete)
    layers = []
    deciles = state_classes(means, "unccd2026")
    for rule in _METRIC_RULES:
        state = state_classes(means, rule) if rule == "gpg_v2" else deciles
        layers += [trend_classes(means, rule, ask.alpha, test), state]
    layers.append(wocat_classes(means, alpha=ask.alpha, complete=ask.complete, test=test))
    codes = np.stack(layers)
    codes[:, lacking] = NODATA
    mean = mean_productivity(means)
    mean[lacking] = np.nan
    disputed = int(np.count_nonzero(yearly.disputed))
    return LpdBlock(window, mean, codes, yearly.lowest, yearly.highest, disputed)


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
