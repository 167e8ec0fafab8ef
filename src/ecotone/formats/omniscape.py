"""Omniscape's INI dialect, read; every option is used or told by its name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from ecotone.formats.asciigrid import read_text
from ecotone.formats.base import refused
from ecotone.formats.circuitscape import Options, read_options
from ecotone.model.finding import Finding, Severity

Floats = NDArray[np.float64]

#: Options about machines, names and projections: they change no number.
_WITHOUT_EFFECT: Final = frozenset(
    {"parallelize", "parallel_batch_size", "project_name", "precision", "low_memory_mode",
     "suppress_messages", "allow_different_projections",
     "condition1_file", "condition2_file",
     "condition1_future_file", "condition2_future_file", "comparison1", "comparison2",
     "condition1_lower", "condition1_upper", "condition2_lower", "condition2_upper",
     "n_conditions", "compare_to_future", "source_file", "source_threshold", "r_cutoff"}
)  # fmt: skip
_COMPARISONS: Final = ("within", "equal", "equals")


@dataclass(frozen=True)
class ConditionFiles:
    """A condition that sources and targets share."""

    present: Path
    future: Path
    comparison: Literal["within", "equal"]
    low: float
    high: float


@dataclass(frozen=True)
class WindowConfig:
    """A moving-window run as its INI asks for it."""

    path: Path
    resistance: Path
    is_conductance: bool
    source: Path | None  #: None: from the resistances
    threshold: float
    r_cutoff: float
    radius: int
    block: int
    buffer: int
    four: bool
    potential: bool
    normalised: bool
    correct: bool
    mask: bool
    as_tif: bool
    conditions: tuple[ConditionFiles, ...]
    reclass: Path | None
    write_reclassified: bool


def read_window_config(path: Path) -> tuple[WindowConfig, list[Finding]]:
    """An Omniscape INI; what is unknown or without effect is told."""
    options = Options(path, read_options(path))
    block = _whole(options, "block_size", 1)
    if block < 1:
        raise options.refuse("block_size", str(block))
    if block % 2 == 0:
        options.tell("window-block-even", "block_size", str(block))
        block += 1
    radius, buffer = _whole(options, "radius", -1), _whole(options, "buffer", 0)
    if radius < 1:
        raise options.refuse("radius", options.text("radius"))
    if buffer < 0:
        raise options.refuse("buffer", str(buffer))
    from_resistance = options.flag("source_from_resistance")
    reclass = options.switched("reclassify_resistance", "reclass_table")
    config = WindowConfig(
        path=path,
        resistance=options.needed("resistance_file"),
        is_conductance=options.flag("resistance_is_conductance")
        or options.flag("resistance_file_is_conductance"),
        source=None if from_resistance else options.needed("source_file"),
        threshold=options.number("source_threshold", 0.0),
        r_cutoff=_cutoff(options),
        radius=radius,
        block=block,
        buffer=buffer,
        four=options.flag("connect_four_neighbors_only"),
        potential=options.flag("calc_flow_potential"),
        normalised=options.flag("calc_normalized_current"),
        correct=options.flag("correct_artifacts", default=True),
        mask=options.flag("mask_nodata", default=True),
        as_tif=options.flag("write_as_tif", default=True),
        conditions=_conditions(options),
        reclass=reclass,
        write_reclassified=options.flag("write_reclassified_resistance"),
    )
    if reclass is None and options.file("reclass_table") is not None:
        options.tell("window-file-unused", "reclass_table", options.text("reclass_table"))
    solver = options.solver()
    if solver:
        options.tell("window-solver", "solver", options.text("solver"), Severity.INFO)
    if not options.flag("write_raw_currmap", default=True):
        options.tell("window-raw-written", "write_raw_currmap", "false", Severity.INFO)
    return config, options.remarks(_WITHOUT_EFFECT)


def _whole(options: Options, key: str, default: int) -> int:
    return round(options.number(key, default))


def _cutoff(options: Options) -> float:
    """Above this resistance nothing is a source; 0 or nothing given: no such limit."""
    cutoff = options.number("r_cutoff", 0.0)
    return cutoff if cutoff > 0 else float("inf")


def _conditions(options: Options) -> tuple[ConditionFiles, ...]:
    if not options.flag("conditional"):
        return ()
    count = _whole(options, "n_conditions", 1)
    if count not in (1, 2):
        raise options.refuse("n_conditions", str(count))
    later = options.choice("compare_to_future", "none", ("none", "1", "2", "both"))
    found = []
    for number in range(1, count + 1):
        present = options.needed(f"condition{number}_file")
        future = present
        if later in (str(number), "both"):
            future = options.needed(f"condition{number}_future_file")
        comparison = options.choice(f"comparison{number}", "within", _COMPARISONS)
        found.append(
            ConditionFiles(
                present,
                future,
                "within" if comparison == "within" else "equal",
                options.number(f"condition{number}_lower", 0.0),
                options.number(f"condition{number}_upper", 0.0),
            )
        )
    return tuple(found)


def read_reclass(path: Path) -> Floats:
    """Old and new values, two columns; ``missing`` (quoted or not) makes no-data."""
    rows = [line.replace(",", " ").split() for line in read_text(path).splitlines()]
    try:
        pairs = [
            (float(old), np.nan if new.strip("\"'").lower() == "missing" else float(new))
            for old, new in (row for row in rows if row)
        ]
    except ValueError as error:
        raise refused("window-reclass", file=path.name) from error
    return np.array(pairs, dtype=np.float64).reshape(-1, 2)


def reclassified(values: Floats, table: Floats) -> Floats:
    """Values with those of the table's first column replaced by its second."""
    out = values.copy()
    for old, new in table:
        out[values == old] = new
    return out
