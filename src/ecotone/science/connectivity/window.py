"""Connectivity without cores: a moving window over circuits (McRae et al. 2016).

Every block of cells is a target in turn: the sources within a radius send their current to
its centre. Landau et al. (2021), doi:10.21105/joss.02829.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from ecotone.science.connectivity.circuits import Flow, solve_flow
from ecotone.science.connectivity.currents import node_currents
from ecotone.science.connectivity.graph import Graph, grid_graph, merge_cells
from ecotone.science.connectivity.solver import Grounded, Method, ground

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: A solution with a larger residual is tried again and, if that does not help, not taken.
_POOR: Final = 1e-4
#: A current so much smaller than the largest is rounding.
_NOISE: Final = 1e-10


@dataclass(frozen=True)
class Condition:
    """Which sources suit a target: by their present state and the target's (future) one.

    ``within``: the source less the block's median lies from ``low`` to ``high``; ``equal``:
    it is the block's most frequent value (of several, the one that reaches its count first,
    column by column).
    """

    present: Floats
    future: Floats
    comparison: Literal["within", "equal"]
    low: float = 0.0
    high: float = 0.0

    def part(self, rows: slice, columns: slice) -> Condition:
        """The condition over a part of the grid."""
        return Condition(
            self.present[rows, columns],
            self.future[rows, columns],
            self.comparison,
            self.low,
            self.high,
        )


@dataclass(frozen=True)
class Sweep:
    """How the window moves, in cells."""

    radius: int
    block: int = 1  #: odd
    buffer: int = 0
    four: bool = False
    potential: bool = False  #: also over a landscape of resistance 1 everywhere
    correct: bool = True  #: undo what taking blocks for single cells does
    displaced: bool = False  #: leave out a target's block where the reference does

    @property
    def reach(self) -> int:
        """How far from its target a window extends."""
        return self.radius + self.buffer


@dataclass(frozen=True)
class Targets:
    """Centres of blocks that have any source strength."""

    row: Ints
    column: Ints
    strength: Floats


@dataclass(frozen=True)
class Swept:
    """Summed currents, and what to know of the solves."""

    current: Floats
    potential: Floats | None
    residual: float
    failed: list[tuple[int, int]]  #: targets without a solution


def find_targets(source: Floats, block: int) -> Targets:
    """The centres of all whole blocks with their summed source strength above zero."""
    half = block // 2
    height, width = (size // block for size in source.shape)
    whole = source[: height * block, : width * block]
    strength = whole.reshape(height, block, width, block).sum(axis=(1, 3))
    row, column = np.nonzero(strength > 0)
    return Targets(row * block + half, column * block + half, strength[row, column])


def sweep(
    conductance: Floats,
    source: Floats,
    targets: Targets,
    plan: Sweep,
    *,
    conditions: tuple[Condition, ...] = (),
    correction: Floats | None = None,
) -> Swept:
    """The currents of some targets, summed over the grid.

    Args:
        conductance: of each cell, 0 where there is no habitat.
        source: strength of each cell, 0 where none.
        targets: the targets to solve.
        plan: how the window moves.
        conditions: which sources suit which targets.
        correction: what ``correction_of`` gives, to undo artefacts of blocks.

    Returns:
        Sums over the targets.
    """
    current = np.zeros(conductance.shape)
    potential = np.zeros(conductance.shape) if plan.potential else None
    failed: list[tuple[int, int]] = []
    worst = 0.0
    flat: _Flat | None = None
    for row, column, strength in zip(
        targets.row.tolist(), targets.column.tolist(), targets.strength.tolist(), strict=True
    ):
        frame = _Frame.around(row, column, conductance.shape, plan.reach)
        here = frame.cut(conductance)
        sent = _sources(frame, source, plan, strength, conditions)
        if not sent.any():
            continue
        factor = 1.0 if correction is None else frame.fit(correction)
        inside = np.where(frame.disc(plan.reach), here, 0.0)
        flow, residual = _solve(inside, sent, frame.target, four=plan.four)
        if not np.isfinite(flow).all():
            failed.append((row, column))
            continue
        worst = max(worst, residual)
        current[frame.rows, frame.columns] += flow * factor
        if potential is not None:
            if flat is None or not flat.fits(frame):
                flat = _Flat.of(frame, four=plan.four)
            potential[frame.rows, frame.columns] += flat.current(sent) * factor
    return Swept(current, potential, worst, failed)


@dataclass(frozen=True)
class _Frame:
    """The part of the grid around a target; ``target`` is its place in this part."""

    rows: slice
    columns: slice
    target: tuple[int, int]
    reach: int

    @classmethod
    def around(cls, row: int, column: int, shape: tuple[int, ...], reach: int) -> _Frame:
        top, left = max(0, row - reach), max(0, column - reach)
        rows = slice(top, min(shape[0], row + reach + 1))
        columns = slice(left, min(shape[1], column + reach + 1))
        return cls(rows, columns, (row - top, column - left), reach)

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows.stop - self.rows.start, self.columns.stop - self.columns.start

    def cut(self, values: Floats) -> Floats:
        return values[self.rows, self.columns]

    def disc(self, radius: int) -> NDArray[np.bool_]:
        """Cells no further than ``radius`` from the target."""
        down, right = np.ogrid[: self.shape[0], : self.shape[1]]
        near: NDArray[np.bool_] = np.hypot(down - self.target[0], right - self.target[1]) <= radius
        return near

    def block(self, size: int) -> tuple[slice, slice]:
        """The target's own block in this part."""
        half = size // 2
        row, column = self.target
        return (
            slice(max(0, row - half), row + half + 1),
            slice(max(0, column - half), column + half + 1),
        )

    def uncut_block(self, size: int) -> tuple[slice, slice]:
        """The block that sends nothing in Omniscape, counted from the frame's corner.

        Where the grid cuts a frame off at its first rows or columns it is counted as if
        nothing were cut: a target near these edges takes current of its own block as well.
        """
        first, last = max(0, self.reach - size // 2), self.reach + size // 2 + 1
        return slice(first, last), slice(first, last)

    def fit(self, whole: Floats) -> Floats:
        """The part of a full window's values that this frame covers."""
        top, left = self.reach - self.target[0], self.reach - self.target[1]
        return whole[top : top + self.shape[0], left : left + self.shape[1]]


def _sources(
    frame: _Frame,
    source: Floats,
    plan: Sweep,
    strength: float,
    conditions: tuple[Condition, ...],
) -> Floats:
    """What each source sends: its share of the target's strength, if it suits the target."""
    sent = np.where(frame.disc(plan.radius), frame.cut(source), 0.0)
    own = frame.uncut_block(plan.block) if plan.displaced else frame.block(plan.block)
    sent[own] = 0.0
    total = sent[sent > 0].sum()
    if total <= 0:
        return np.zeros_like(sent)
    sent = np.where(sent > 0, sent * (strength / total), 0.0)
    for condition in conditions:
        sent[_unsuited(frame, condition, plan.block)] = 0.0
    return sent


def _unsuited(frame: _Frame, condition: Condition, block: int) -> NDArray[np.bool_]:
    """Sources whose state does not suit the target; unknown states are let pass."""
    there = frame.cut(condition.future)[frame.block(block)].ravel(order="F")
    there = there[~np.isnan(there)]
    present = frame.cut(condition.present)
    wrong: NDArray[np.bool_] = np.zeros(present.shape, dtype=np.bool_)
    if not there.size:
        return wrong
    with np.errstate(invalid="ignore"):
        if condition.comparison == "within":
            gap = present - np.median(there)
            wrong = (gap > condition.high) | (gap < condition.low)
        else:
            wrong = (present != _mode(there)) & ~np.isnan(present)
    return wrong


def _mode(values: Floats) -> float:
    """The most frequent value; of several, the one that reaches its count first."""
    kinds, at, counts = np.unique(values, return_inverse=True, return_counts=True)
    often = np.flatnonzero(counts == counts.max())
    last = [int(np.flatnonzero(at == kind)[-1]) for kind in often]
    return float(kinds[often[int(np.argmin(last))]])


@dataclass(frozen=True)
class _Flat:
    """A frame with resistance 1 everywhere, factored once for all frames of its kind."""

    frame: _Frame
    circuit: Grounded

    @classmethod
    def of(cls, frame: _Frame, *, four: bool) -> _Flat:
        plain = np.ones(frame.shape)
        none = np.empty(0, dtype=np.int64)
        node, nodes = merge_cells(plain, none, none)
        graph = grid_graph(plain, node, nodes, four=four, scheme="conductance")
        leak = np.zeros(nodes)
        leak[node[frame.target]] = np.inf
        return cls(frame, ground(graph, leak, "superlu"))

    def fits(self, frame: _Frame) -> bool:
        """Whether another frame has the same shape and its target at the same place."""
        return (self.frame.shape, self.frame.target) == (frame.shape, frame.target)

    def current(self, sent: Floats) -> Floats:
        entering = sent.copy()
        entering[self.frame.target] = 0.0
        voltage = self.circuit.solve(entering.ravel()).voltage
        return node_currents(self.circuit.graph, voltage).reshape(self.frame.shape)


def _solve(
    conductance: Floats, sent: Floats, target: tuple[int, int], *, four: bool
) -> tuple[Floats, float]:
    """Node currents when the target is held at 0 V; 0 where nothing reaches it."""
    none = np.empty(0, dtype=np.int64)
    node, nodes = merge_cells(conductance, none, none)
    out = np.zeros(conductance.shape)
    if node[target] < 0:
        return out, 0.0
    graph = grid_graph(conductance, node, nodes, four=four, scheme="conductance")
    inside = node >= 0
    leak = np.zeros(nodes)
    leak[node[target]] = np.inf
    entering = sent[inside]
    entering[node[target]] = 0.0
    flow = _retried(graph, entering, leak)
    if flow is None:
        return np.full(conductance.shape, np.nan), 0.0
    out[inside] = flow.current
    return out, flow.residual


def _retried(graph: Graph, entering: Floats, leak: Floats) -> Flow | None:
    """The direct solution; where that fails or is poor the iterative one; None if both do."""
    methods: tuple[Method, ...] = ("superlu", "amg")
    for method in methods:
        try:
            flow = solve_flow(graph, entering, leak, method=method)
        except RuntimeError:
            # SuperLU says so of a factor that is singular to working precision.
            continue
        if flow.residual <= _POOR:
            return flow
    return None


def correction_of(plan: Sweep) -> Floats:
    """What makes up for taking a block for one cell, over a full window.

    Without obstacles: the currents of all cells of a block as targets of their own, over the
    current of the block as one target.
    """
    side = 2 * plan.reach + 1
    plain = np.ones((side, side))
    frame = _Frame.around(plan.reach, plan.reach, plain.shape, plan.reach)
    disc = frame.disc(plan.radius)
    habitat = frame.disc(plan.reach).astype(np.float64)
    single = disc.astype(np.float64)
    single[frame.target] = 0.0
    single /= single.sum()
    blocked = _sources(frame, plain, plan, float(plan.block**2), ())
    one, _ = _solve(habitat, single, frame.target, four=plan.four)
    together, _ = _solve(habitat, blocked, frame.target, four=plan.four)
    half = plan.block // 2
    wide = np.zeros((side + 2 * half, side + 2 * half))
    for down in range(plan.block):
        for right in range(plan.block):
            wide[down : down + side, right : right + side] += one
    total = wide[half : half + side, half : half + side]
    # What rounding leaves where no current can pass is none.
    carried = together > _NOISE * together.max()
    passed = total > _NOISE * total.max()
    live = carried & passed
    out = np.ones((side, side))
    out[live] = total[live] / together[live]
    faded: NDArray[np.bool_] = carried & ~passed
    out[faded] = 1.0 / together[faded]
    return out


@dataclass(frozen=True)
class Tile:
    """Targets of one part of the grid, and the part of it that their windows touch."""

    rows: slice
    columns: slice
    targets: Targets


def tiles(targets: Targets, shape: tuple[int, int], plan: Sweep, side: int) -> Iterator[Tile]:
    """Targets in square parts of the grid of ``side`` cells, in one order whatever runs them."""
    for top in range(0, shape[0], side):
        for left in range(0, shape[1], side):
            mine = (
                (targets.row >= top)
                & (targets.row < top + side)
                & (targets.column >= left)
                & (targets.column < left + side)
            )
            if not mine.any():
                continue
            edge = plan.reach + plan.block
            rows = slice(max(0, top - edge), min(shape[0], top + side + edge))
            columns = slice(max(0, left - edge), min(shape[1], left + side + edge))
            yield Tile(
                rows,
                columns,
                Targets(
                    targets.row[mine] - rows.start,
                    targets.column[mine] - columns.start,
                    targets.strength[mine],
                ),
            )
