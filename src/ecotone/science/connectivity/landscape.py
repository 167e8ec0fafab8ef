"""Circuits over rasters: focal points and regions, short-circuit polygons, the four modes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ecotone.science.connectivity.circuits import (
    MEMORY,
    Case,
    Circuit,
    Flow,
    resolve_conflicts,
    solve_flow,
    solve_points,
)
from ecotone.science.connectivity.graph import (
    Graph,
    Nodes,
    Scheme,
    grid_graph,
    merge_cells,
    summed,
)
from ecotone.science.connectivity.regions import edge_of, region_pairs
from ecotone.science.connectivity.solver import Keep, Method, keep_nothing, predict

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Below so many cells a factor a pair of regions costs nothing worth saving.
_SMALL = 20_000


@dataclass(frozen=True)
class Points:
    """Focal points: flat cell numbers and the id of each; several cells of one id are a region."""

    cells: Ints
    ids: Ints

    def unique(self) -> Ints:
        """The ids, each once, in rising order."""
        return np.unique(self.ids)

    def regions(self) -> frozenset[int]:
        """The ids that have several cells."""
        ids, counts = np.unique(self.ids, return_counts=True)
        return frozenset(ids[counts > 1].tolist())

    def chosen(self, keep: Iterable[int]) -> Points:
        """The points of some ids."""
        mine = np.isin(self.ids, np.array(list(keep), dtype=np.int64))
        return Points(self.cells[mine], self.ids[mine])


@dataclass(frozen=True)
class Wired:
    """A raster as a graph: the node of each cell, -1 where there is none."""

    graph: Graph
    node: Nodes

    def raster(self, values: Floats) -> Floats:
        """Node values on their cells, 0 elsewhere."""
        out: Floats = np.append(values, 0.0)[self.node]
        return out


@dataclass(frozen=True)
class Margin:
    """A landscape laid around a raster, so that its edge is no wall: nothing of it is shown."""

    conductance: Floats  #: of the raster and what lies around it
    inside: tuple[slice, slice]  #: where the raster lies in it

    def places(self, cells: Ints, width: int) -> Ints:
        """Flat cells of the raster, which is ``width`` wide, as flat cells of the whole."""
        rows, columns = np.divmod(cells, width)
        down, right = (part.start for part in self.inside)
        found: Ints = (rows + down) * self.conductance.shape[1] + columns + right
        return found


@dataclass(frozen=True)
class Landscape:
    """A raster of conductances (0: no habitat) and how cells are joined."""

    conductance: Floats
    four: bool = False
    scheme: Scheme = "conductance"
    polygons: Ints | None = None  #: short-circuit regions by number, 0: none
    method: Method = "auto"
    memory: float = MEMORY
    keep: Keep = keep_nothing
    margin: Margin | None = None

    def wired(self, points: Points, merged: Iterable[int] = ()) -> Wired:
        """The graph in which each polygon and each region of ``merged`` is one node."""
        cells, groups = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        if self.polygons is not None:
            cells = np.flatnonzero(self.polygons)
            groups = self.polygons.ravel()[cells]
        burned = points.chosen(merged)
        beyond = int(groups.max(initial=0)) + 1 - int(burned.ids.min(initial=0))
        whole, joined = self.conductance, np.concatenate([cells, burned.cells])
        if self.margin is not None:
            whole = self.margin.conductance
            joined = self.margin.places(joined, self.conductance.shape[1])
        groups = np.concatenate([groups, burned.ids + beyond])
        node, nodes = merge_cells(whole, joined, groups)
        graph = grid_graph(whole, node, nodes, four=self.four, scheme=self.scheme)
        return Wired(graph, node if self.margin is None else node[self.margin.inside])

    def solve(self, points: Points, ids: Sequence[int], merged: Iterable[int] = ()) -> Solution:
        """The circuit of some ids when some regions are one node each."""
        wired = self.wired(points, merged)
        flat = wired.node.ravel()
        nodes = [int(flat[points.cells[points.ids == i]].max(initial=-1)) for i in ids]
        circuit = solve_points(
            wired.graph,
            np.array(nodes, dtype=np.int64),
            method=self.method,
            memory=self.memory,
            keep=self.keep,
            name="graph-" + "-".join(map(str, sorted(merged))),
        )
        return Solution(wired, circuit, {number: place for place, number in enumerate(ids)})

    def flow(self, source: Floats, leak: Floats, policy: str = "keepall") -> tuple[Wired, Flow]:
        """Currents from rasters of sources (A) and grounds (S, infinite: held at 0 V)."""
        wired = self.wired(Points(np.empty(0, np.int64), np.empty(0, np.int64)))
        inside = wired.node >= 0
        at, nodes = wired.node[inside], wired.graph.nodes
        entering = summed(at, source[inside], nodes)
        leaving = summed(at, leak[inside], nodes)
        entering, leaving = resolve_conflicts(entering, leaving, policy)
        answer = solve_flow(wired.graph, entering, leaving, method=self.method, memory=self.memory)
        return wired, answer


@dataclass(frozen=True)
class Solution:
    """A circuit on its raster; ``place`` is the position of each id among its points."""

    wired: Wired
    circuit: Circuit
    place: dict[int, int]


@dataclass
class Maps:
    """What one case gives: an id or two, current and voltage rasters."""

    ids: tuple[int, ...]
    current: Floats
    voltage: Floats


@dataclass
class Answer:
    """What a mode gives over all its cases."""

    ids: Ints
    resistance: Floats  #: matrix (pairwise) or vector; NaN where no current can flow
    cumulative: Floats | None = None
    maximum: Floats | None = None
    residual: float = 0.0
    solvers: set[str] = field(default_factory=set)
    doubtful: bool = False

    def note(self, circuit: Circuit) -> None:
        """Keep what a solve said of itself."""
        self.residual = max(self.residual, circuit.residual)
        self.solvers.add(circuit.solver)
        self.doubtful |= circuit.doubtful


@dataclass(frozen=True)
class Wanted:
    """Which maps are asked for; ``each`` receives those of every case."""

    cumulative: bool = False
    maximum: bool = False
    each: Callable[[Maps], None] | None = None
    bare_focal: bool = False  #: no current where a case's own sources and grounds are


def pairwise(
    land: Landscape,
    points: Points,
    *,
    excluded: frozenset[tuple[int, int]] = frozenset(),
    wanted: Wanted | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> Answer:
    """Every pair of focal points or regions: resistances and the maps asked for.

    A region is one node in the pairs that involve it and plain habitat in the others; pairs
    with the same regions share one graph and one factor.

    Args:
        land: the raster and how it is joined.
        points: focal points and regions.
        excluded: pairs of ids (lower first) that are not solved.
        wanted: the maps to make.
        progress: told the share done.

    Returns:
        Resistances (NaN where excluded or not connected) and maps.
    """
    wanted = wanted or Wanted()
    ids = points.unique()
    answer = Answer(ids, np.full((ids.size, ids.size), np.nan))
    np.fill_diagonal(answer.resistance, 0.0)
    if wanted.cumulative:
        answer.cumulative = np.zeros(land.conductance.shape)
    if wanted.maximum:
        answer.maximum = np.zeros(land.conductance.shape)
    groups = list(_groups(ids.tolist(), points.regions(), excluded))
    members = _worth_joining(land, points, len(groups)) if len(groups) > 1 else None
    if members is not None:
        _by_regions(
            answer, land, members, [p for _, some in groups for p in some], wanted, progress
        )
        return answer
    for number, (merged, pairs) in enumerate(groups):
        involved = sorted({i for pair in pairs for i in pair})
        solution = land.solve(points, involved, merged)
        answer.note(solution.circuit)
        _take(answer, solution, pairs, wanted)
        progress((number + 1) / len(groups))
    return answer


def _groups(
    ids: list[int], regions: frozenset[int], excluded: frozenset[tuple[int, int]]
) -> Iterator[tuple[frozenset[int], list[tuple[int, int]]]]:
    """Pairs by the regions that are burned in for them."""
    groups: dict[frozenset[int], list[tuple[int, int]]] = {}
    for place, i in enumerate(ids):
        for j in ids[place + 1 :]:
            if (i, j) not in excluded:
                groups.setdefault(regions & {i, j}, []).append((i, j))
    yield from groups.items()


@dataclass(frozen=True)
class _Members:
    """The nodes of each id in the graph in which no region is merged."""

    wired: Wired
    nodes: tuple[Ints, ...]


def _worth_joining(land: Landscape, points: Points, graphs: int) -> _Members | None:
    """The regions, where one factor with a solve for each edge node beats a factor a graph.

    None where it does not, and where merging a region changes more than voltages: cells of it
    without habitat, or in several components.
    """
    if np.count_nonzero(land.conductance) < _SMALL:
        return None
    wired = land.wired(points)
    label = wired.graph.components()
    flat = wired.node.ravel()
    regions = points.regions()
    nodes, solves = [], 0
    for i in points.unique().tolist():
        mine = flat[points.cells[points.ids == i]].astype(np.int64)
        if i in regions and ((mine < 0).any() or np.unique(label[mine]).size > 1):
            return None
        mine = np.unique(mine[mine >= 0])
        nodes.append(mine)
        solves += edge_of(wired.graph, mine).size if mine.size else 0
    return _Members(wired, tuple(nodes)) if _pays(land, wired.graph, solves, graphs) else None


def _pays(land: Landscape, graph: Graph, solves: int, graphs: int) -> bool:
    """Whether so many solves on one factor take less time than so many factors."""
    cost = predict(graph.nodes, graph.head.size, memory=land.memory, method=land.method)
    # A factor keeps one core busy, solves keep all of them.
    return solves * cost.each / (os.cpu_count() or 1) < graphs * cost.seconds


def _by_regions(
    answer: Answer,
    land: Landscape,
    members: _Members,
    pairs: list[tuple[int, int]],
    wanted: Wanted,
    progress: Callable[[float], None],
) -> None:
    """Solve all pairs on one factor and write them into the answer."""
    wired = members.wired
    ids = answer.ids.tolist()
    place = {i: k for k, i in enumerate(ids)}
    asked = sorted((place[i], place[j]) for i, j in pairs)
    solved = region_pairs(
        wired.graph,
        members.nodes,
        asked,
        method=land.method,
        memory=land.memory,
        keep=land.keep,
    )
    for number, one in enumerate(solved):
        answer.resistance[one.i, one.j] = answer.resistance[one.j, one.i] = one.resistance
        answer.residual = max(answer.residual, one.residual)
        answer.doubtful |= one.uneven
        if wanted.bare_focal:
            one.case.current[np.concatenate([members.nodes[one.i], members.nodes[one.j]])] = 0.0
        current = wired.raster(one.case.current)
        if answer.cumulative is not None:
            answer.cumulative += current
        if answer.maximum is not None:
            np.maximum(answer.maximum, current, out=answer.maximum)
        if wanted.each is not None:
            wanted.each(Maps((ids[one.i], ids[one.j]), current, wired.raster(one.case.voltage)))
        progress((number + 1) / len(asked))
    answer.solvers.add("one factor for all regions")
    progress(1.0)


def _take(answer: Answer, solution: Solution, pairs: list[tuple[int, int]], wanted: Wanted) -> None:
    """Write a group's pairs into the answer."""
    circuit, wired = solution.circuit, solution.wired
    local = np.array([[solution.place[i], solution.place[j]] for i, j in pairs])
    rows = np.searchsorted(answer.ids, np.array(pairs))
    found = circuit.resistance()[local[:, 0], local[:, 1]]
    answer.resistance[rows[:, 0], rows[:, 1]] = found
    answer.resistance[rows[:, 1], rows[:, 0]] = found
    if answer.cumulative is not None:
        count = len(solution.place)
        whole = len(pairs) == count * (count - 1) // 2
        total = circuit.cumulative(None if whole else local, bare_focal=wanted.bare_focal)
        answer.cumulative += wired.raster(total)
    if wanted.each is None and answer.maximum is None:
        return
    for place, ((i, j), (a, b)) in enumerate(zip(pairs, local.tolist(), strict=True)):
        if np.isnan(found[place]):
            continue
        case = circuit.pair(a, b)
        if wanted.bare_focal:
            case.current[circuit.node[[a, b]]] = 0.0
        current = wired.raster(case.current)
        if answer.maximum is not None:
            np.maximum(answer.maximum, current, out=answer.maximum)
        if wanted.each is not None:
            wanted.each(Maps((i, j), current, wired.raster(case.voltage)))


def star(
    land: Landscape,
    points: Points,
    mode: Literal["one-to-all", "all-to-one"],
    *,
    excluded: frozenset[tuple[int, int]] = frozenset(),
    strengths: Mapping[int, float] | None = None,
    wanted: Wanted | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> Answer:
    """One focal point against all others, each in turn.

    ``one-to-all``: a point is the source and all others are held at 0 V; the resistance is its
    voltage over its strength. ``all-to-one``: the point is held at 0 V and all others are
    sources; its resistance is given as 0. There, with ``strengths``, points that are excluded
    from each other still give 1 A, as in Circuitscape.

    Args:
        land: the raster and how it is joined.
        points: focal points and regions.
        mode: which of the two.
        excluded: pairs of ids (lower first) that do not see each other.
        strengths: amperes of a source by id, 1 where not told.
        wanted: the maps to make.
        progress: told the share done.

    Returns:
        A number for each id (NaN where nothing can flow) and maps.
    """
    wanted = wanted or Wanted()
    strengths = strengths or {}
    ids = points.unique().tolist()
    shape = land.conductance.shape
    answer = Answer(points.unique(), np.full(len(ids), np.nan))
    answer.cumulative = np.zeros(shape) if wanted.cumulative else None
    answer.maximum = np.zeros(shape) if wanted.maximum else None
    regions = points.regions()
    solutions: dict[frozenset[int], Solution] = {}
    for number, i in enumerate(ids):
        others = [j for j in ids if j != i and (min(i, j), max(i, j)) not in excluded]
        merged = regions & {i, *others}
        if merged not in solutions:
            solutions = {merged: land.solve(points, ids, merged)}
            answer.note(solutions[merged].circuit)
        solution = solutions[merged]
        given, far = strengths, others
        if mode == "all-to-one" and strengths and others:
            # As in Circuitscape: who is not paired with this point gives 1 A, not its own.
            unpaired = set(ids) - {i, *others}
            far = [*others, *sorted(unpaired)]
            given = {**strengths, **dict.fromkeys(unpaired, 1.0)}
        case, resistance = _turn(solution.circuit, number, far, solution.place, mode, given)
        answer.resistance[number] = resistance
        if wanted.bare_focal and case is not None:
            ends = solution.circuit.node[[number, *(solution.place[j] for j in others)]]
            case.current[ends[ends >= 0]] = 0.0
        _keep(answer, wanted, solution.wired, i, case)
        progress((number + 1) / len(ids))
    return answer


def _turn(
    circuit: Circuit,
    number: int,
    others: list[int],
    place: Mapping[int, int],
    mode: str,
    strengths: Mapping[int, float],
) -> tuple[Case | None, float]:
    """The case of one point and its resistance."""
    ids = {at: i for i, at in place.items()}
    far = [place[j] for j in others]
    if mode == "one-to-all":
        strength = strengths.get(ids[number], 1.0)
        case = circuit.one_to_all(number, far, strength)
        node = circuit.node[number]
        return case, np.nan if case is None else float(case.voltage[node] / strength)
    given = np.array([strengths.get(j, 1.0) for j in others])
    case = circuit.all_to_one(number, far, given)
    return case, np.nan if case is None else 0.0


def _keep(answer: Answer, wanted: Wanted, wired: Wired, i: int, case: Case | None) -> None:
    """Add one point's maps to what is kept."""
    nothing = np.zeros(wired.graph.nodes)
    current = wired.raster(nothing if case is None else case.current)
    if answer.cumulative is not None:
        answer.cumulative += current
    if answer.maximum is not None:
        np.maximum(answer.maximum, current, out=answer.maximum)
    if wanted.each is not None:
        voltage = nothing if case is None else case.voltage
        wanted.each(Maps((i,), current, wired.raster(voltage)))
