"""The runs of a circuit: raster or network, each mode, with its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ecotone.assess.indicators.connectivity_cost import Means
from ecotone.assess.indicators.connectivity_draws import Draws, Spread
from ecotone.assess.indicators.connectivity_inputs import (
    Habitat,
    leaks,
    masked,
    read_habitat,
    read_points,
    read_polygons,
    sources_and_grounds,
)
from ecotone.formats.base import refused
from ecotone.formats.circuitscape import Config, PairRules, read_pairs, read_table
from ecotone.formats.circuitscape_write import Writer
from ecotone.model.finding import Finding, Severity
from ecotone.science.connectivity.circuits import (
    Circuit,
    resolve_conflicts,
    solve_flow,
    solve_points,
)
from ecotone.science.connectivity.currents import branch_currents
from ecotone.science.connectivity.ensemble import Moments
from ecotone.science.connectivity.graph import Graph, simple, summed
from ecotone.science.connectivity.landscape import (
    Answer,
    Landscape,
    Maps,
    Points,
    Wanted,
    pairwise,
    star,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Progress = Callable[[float], None]


@dataclass
class Ran:
    """What a run gives beside its files."""

    ids: Ints | None = None
    resistance: Floats | None = None
    current: Floats | None = None  #: cumulative current, or that of an advanced run
    habitat: Habitat | None = None
    residual: float = 0.0
    solvers: set[str] = field(default_factory=set)
    doubtful: bool = False
    nodes: int = 0
    points: Points | None = None
    spread: Spread | None = None


def landscape_of(config: Config, habitat: Habitat, means: Means) -> Landscape:
    """The raster of a run and how it is joined."""
    polygons = None if config.polygons is None else read_polygons(config.polygons, habitat)
    return Landscape(
        habitat.conductance,
        four=config.four,
        scheme="resistance" if config.mean_resistance else "conductance",
        polygons=polygons,
        method=means.method,
        memory=means.memory,
    )


def habitat_of(config: Config) -> Habitat:
    """Habitat of a run, its mask applied."""
    habitat = read_habitat(
        config.habitat, resistance=config.habitat_is_resistance, reclass=config.reclass
    )
    return habitat if config.mask is None else masked(habitat, config.mask)


def run_raster(
    config: Config, habitat: Habitat, writer: Writer, findings: list[Finding],
    means: Means, draws: Draws,
) -> Ran:  # fmt: skip
    """Any mode over a raster."""
    land = landscape_of(config, habitat, means)
    nodes = round(np.count_nonzero(habitat.conductance) * draws.cells(habitat.conductance.shape))
    edges = nodes * (2 if config.four else 4)
    findings.extend(draws.findings())
    if config.scenario == "advanced":
        findings.append(means.forecast(nodes, edges, 1, runs=1 + draws.count).finding())
        return _advanced(config, habitat, land, writer, findings, means, draws)
    assert config.points is not None
    points = read_points(config.points, habitat, findings)
    rules = None if config.included_pairs is None else read_pairs(config.included_pairs)
    points, excluded = paired(points, rules)
    if config.scenario == "pairwise" and points.unique().size < 2:
        raise _one_point(config.points.name, findings)
    forecast = means.forecast(
        nodes, edges, points.unique().size, _graphs(points), runs=1 + draws.count
    )
    findings.append(forecast.finding())
    kept = means.keeping(
        forecast, habitat.conductance, points.cells, points.ids, config.four,
        config.mean_resistance, means.method, land.polygons, sorted(excluded), draws,
    )  # fmt: skip
    land = replace(land, keep=kept.keep)
    solve = _mode(config, points, excluded, findings)
    share = 1.0 / (1 + draws.count)
    answer = solve(
        draws.best(land), _wanted(config, writer), lambda done: means.progress(share * done)
    )
    ran = _finish(config, habitat, writer, answer)
    only = Wanted(cumulative=True, bare_focal=config.bare_focal)
    spread = _drawn(
        draws, land, lambda other: _estimates(solve(other, only, lambda done: None)), means
    )
    kept.clear()
    return replace(ran, points=points, spread=spread)


Solve = Callable[[Landscape, Wanted, Progress], Answer]


def _mode(
    config: Config, points: Points, excluded: frozenset[tuple[int, int]], findings: list[Finding]
) -> Solve:
    """What solves a landscape in the mode that is asked for."""
    if config.scenario == "pairwise":
        return lambda land, wanted, progress: pairwise(
            land, points, excluded=excluded, wanted=wanted, progress=progress
        )
    strengths: dict[int, float] = {}
    if config.strengths is not None:
        table = read_table(config.strengths, 2)
        strengths = dict(zip(table[:, 0].astype(int).tolist(), table[:, 1].tolist(), strict=True))
    if strengths and excluded and config.scenario == "all-to-one":
        findings.append(Finding("circuit-excluded-inject", Severity.WARNING))
    mode: Literal["one-to-all", "all-to-one"]
    mode = "one-to-all" if config.scenario == "one-to-all" else "all-to-one"
    return lambda land, wanted, progress: star(
        land, points, mode, excluded=excluded, strengths=strengths, wanted=wanted,
        progress=progress,
    )  # fmt: skip


def _estimates(answer: Answer) -> tuple[Floats, Floats]:
    """Resistances of pairs or points in a row, and the map."""
    assert answer.cumulative is not None
    found = answer.resistance
    return found[np.triu_indices(len(found), 1)] if found.ndim == 2 else found, answer.cumulative


def _drawn(
    draws: Draws, land: Landscape, solve: Callable[[Landscape], tuple[Floats, Floats]], means: Means
) -> Spread | None:
    """Every draw solved; None where none is asked for."""
    if not draws.count:
        return None
    spread = Spread([], Moments.of(land.conductance.shape))
    for number, other in enumerate(draws.drawn(land), 1):
        row, current = solve(other)
        spread.rows.append(row)
        spread.maps.add(current)
        means.progress((1 + number) / (1 + draws.count))
    return spread


def _one_point(name: str, findings: list[Finding]) -> Exception:
    """The refusal of a single point, with those that lie beyond the raster."""
    outside = [f for f in findings if f.code == "circuit-point-outside"]
    if outside:
        return refused("circuit-one-inside", file=name, value=outside[0].params["ids"])
    return refused("circuit-one-point", file=name)


def paired(points: Points, rules: PairRules | None) -> tuple[Points, frozenset[tuple[int, int]]]:
    """The points that take part and the pairs left out."""
    if rules is None:
        return points, frozenset()
    if rules.mode == "include":
        points = points.chosen(rules.ids)
    return points, rules.excluded(points.unique().tolist())


def _graphs(points: Points) -> int:
    """How many graphs the pairs need where regions are merged pair by pair."""
    regions = len(points.regions())
    others = points.unique().size - regions
    return max(1, regions * (regions - 1) // 2 + (regions + 1 if others else 0))


def _wanted(config: Config, writer: Writer) -> Wanted:
    """The maps an INI asks for; those of single cases are written as they come."""
    each = config.write_currents and not config.cumulative_only

    def write(maps: Maps) -> None:
        suffix = "_".join(map(str, maps.ids))
        if each:
            writer.current_map(f"_curmap_{suffix}", maps.current)
        if config.write_voltages:
            writer.voltage_map(f"_voltmap_{suffix}", maps.voltage)

    return Wanted(
        cumulative=True,
        maximum=config.write_maximum,
        each=write if each or config.write_voltages else None,
        bare_focal=config.bare_focal,
    )


def _finish(config: Config, habitat: Habitat, writer: Writer, answer: Answer) -> Ran:
    """The files of a run that gives resistances."""
    if answer.resistance.ndim == 2:
        writer.matrix(answer.ids, answer.resistance)
    else:
        writer.vector(answer.ids, answer.resistance)
    asked = config.write_currents or config.cumulative_only
    if asked and answer.cumulative is not None:
        writer.current_map("_cum_curmap", answer.cumulative)
    if answer.maximum is not None:
        writer.current_map("_max_curmap", answer.maximum)
    return Ran(
        answer.ids,
        answer.resistance,
        answer.cumulative,
        habitat,
        answer.residual,
        answer.solvers,
        answer.doubtful,
        int(np.count_nonzero(habitat.conductance)),
    )


def _advanced(
    config: Config, habitat: Habitat, land: Landscape, writer: Writer, findings: list[Finding],
    means: Means, draws: Draws,
) -> Ran:  # fmt: skip
    """Given sources and grounds."""
    source, leak = sources_and_grounds(config, habitat, findings)
    held = int(((source != 0) & np.isinf(leak) & (habitat.conductance > 0)).sum())
    if held and config.policy not in ("rmvsrc", "rmvgnd", "rmvall"):
        findings.append(
            Finding("circuit-source-held", Severity.WARNING, params={"count": str(held)})
        )
    wired, flow = draws.best(land).flow(source, leak, config.policy)
    if not flow.solved.any():
        raise refused("circuit-nothing-joined", file=config.path.name)

    def again(other: Landscape) -> tuple[Floats, Floats]:
        there, found = other.flow(source, leak, config.policy)
        return np.empty(0), there.raster(found.current)

    current = wired.raster(flow.current)
    if config.write_currents:
        writer.current_map("_curmap", current)
    if config.write_voltages:
        writer.voltage_map("_voltmap", wired.raster(flow.voltage))
    return Ran(
        current=current,
        habitat=habitat,
        residual=flow.residual,
        solvers={flow.solver},
        doubtful=flow.doubtful,
        nodes=wired.graph.nodes,
        spread=_drawn(draws, land, again, means),
    )


@dataclass(frozen=True)
class Network:
    """A network with the ids its file gives its nodes."""

    graph: Graph
    ids: Ints
    again: int = 0  #: lines that name a pair of nodes another line names

    def findings(self) -> Iterator[Finding]:
        """What its reader should know."""
        yield Finding("circuit-network-not-drawn", Severity.INFO)
        if self.again:
            params = {"count": str(self.again)}
            yield Finding("circuit-edges-parallel", Severity.INFO, params=params)

    def node(self, ids: Ints) -> Ints:
        """The node of each id; -1 where the network has none."""
        at = np.minimum(np.searchsorted(self.ids, ids), self.ids.size - 1)
        return np.where(self.ids[at] == ids, at, -1)


def read_network(config: Config) -> Network:
    """``node node value`` lines."""
    table = read_table(config.habitat, 3)
    value = table[:, 2]
    if config.habitat_is_resistance and (value <= 0).any():
        raise _not_positive("circuit-resistance-not-positive", config, value)
    if (value < 0).any():
        raise _not_positive("circuit-conductance-negative", config, value)
    ids, at = np.unique(table[:, :2].astype(np.int64), return_inverse=True)
    ends = at.reshape(-1, 2).astype(np.int32)
    conductance = 1.0 / value if config.habitat_is_resistance else value
    live = conductance > 0
    graph = simple(ids.size, ends[live, 0], ends[live, 1], conductance[live])
    loops = int((ends[live, 0] == ends[live, 1]).sum())
    return Network(graph, ids, int(live.sum()) - loops - graph.head.size)


def _not_positive(code: str, config: Config, value: Floats) -> Exception:
    low = value <= 0
    line = int(np.flatnonzero(low)[0]) + 1
    return refused(
        code,
        file=config.habitat.name,
        value=f"{value[line - 1]:g}",
        count=str(int(low.sum())),
        at=str(line),
    )


def run_network(config: Config, writer: Writer, findings: list[Finding], means: Means) -> Ran:
    """Pairwise or advanced over a network."""
    network = read_network(config)
    findings.extend(network.findings())
    if config.scenario == "advanced":
        return _advanced_network(config, network, writer, means)
    assert config.points is not None
    asked = np.unique(read_table(config.points, 1)[:, 0].astype(np.int64))
    points = Points(network.node(asked), asked)
    rules = None if config.included_pairs is None else read_pairs(config.included_pairs)
    points, excluded = paired(points, rules)
    ids = points.unique()
    node = network.node(ids)
    if (node < 0).any():
        raise refused(
            "circuit-node-unknown", file=config.points.name, value=str(int(ids[node < 0][0]))
        )
    circuit = solve_points(network.graph, node, method=means.method, memory=means.memory)
    pairs = np.array(
        [(a, b) for a in range(ids.size) for b in range(a + 1, ids.size)
         if (int(ids[a]), int(ids[b])) not in excluded],
        dtype=np.int64,
    ).reshape(-1, 2)  # fmt: skip
    resistance = circuit.resistance()
    asked_for = np.eye(ids.size, dtype=np.bool_)
    asked_for[pairs[:, 0], pairs[:, 1]] = asked_for[pairs[:, 1], pairs[:, 0]] = True
    resistance[~asked_for] = np.nan
    writer.matrix(ids, resistance)
    _network_pairs(config, network, circuit, pairs, ids, writer, means.progress)
    return Ran(
        ids, resistance, None, None, circuit.residual, {circuit.solver}, circuit.doubtful,
        network.graph.nodes,
    )  # fmt: skip


def _network_pairs(
    config: Config, network: Network, circuit: Circuit, pairs: Ints, ids: Ints,
    writer: Writer, progress: Progress,
) -> None:  # fmt: skip
    """Node currents, branch currents and voltages of each pair and over all."""
    graph = network.graph
    ends = (network.ids[graph.head], network.ids[graph.tail])
    label = graph.components()
    largest_node, largest_branch = np.zeros(graph.nodes), np.zeros(graph.head.size)
    for number, (a, b) in enumerate(pairs.tolist()):
        if circuit.basis_of[a] != circuit.basis_of[b] or circuit.basis_of[a] < 0:
            continue
        case = circuit.pair(a, b)
        if config.bare_focal:
            case.current[circuit.node[[a, b]]] = 0.0
        here = label == label[circuit.node[a]]
        flow = branch_currents(graph, case.voltage)
        suffix = f"_{ids[a]}_{ids[b]}.txt"
        if config.write_currents and not config.cumulative_only:
            writer.nodes(f"_node_currents{suffix}", network.ids[here], case.current[here])
            writer.branches(f"_branch_currents{suffix}", ends, flow)
        if config.write_voltages:
            writer.nodes(f"_voltages{suffix}", network.ids[here], case.voltage[here])
        np.maximum(largest_node, case.current, out=largest_node)
        np.maximum(largest_branch, np.abs(flow), out=largest_branch)
        progress((number + 1) / len(pairs))
    if not config.write_currents:
        return
    total = circuit.cumulative(pairs, bare_focal=config.bare_focal)
    writer.nodes("_node_currents_cum.txt", network.ids, total)
    writer.branches("_branch_currents_cum.txt", ends, circuit.branch_totals(pairs))
    if config.write_maximum:
        writer.nodes("_node_currents_max.txt", network.ids, largest_node)
        writer.branches("_branch_currents_max.txt", ends, largest_branch)


def _advanced_network(config: Config, network: Network, writer: Writer, means: Means) -> Ran:
    assert config.sources is not None
    assert config.grounds is not None
    graph = network.graph
    fed = read_table(config.sources, 2)
    earthed = read_table(config.grounds, 2)
    at = network.node(fed[:, 0].astype(np.int64))
    to = network.node(earthed[:, 0].astype(np.int64))
    for path, table, node in ((config.sources, fed, at), (config.grounds, earthed, to)):
        if (node < 0).any():
            raise refused(
                "circuit-node-unknown", file=path.name, value=f"{table[node < 0, 0][0]:g}"
            )
    amperes = np.where(fed[:, 1] != 0, 1.0, 0.0) if config.unit_currents else fed[:, 1]
    source = summed(at, amperes, graph.nodes)
    siemens = leaks(earthed[:, 1], np.ones(to.size, dtype=np.bool_), config)
    leak = np.zeros(graph.nodes)
    np.add.at(leak, to, siemens)
    source, leak = resolve_conflicts(source, leak, config.policy)
    flow = solve_flow(graph, source, leak, method=means.method, memory=means.memory)
    if not flow.solved.any():
        raise refused("circuit-nothing-joined", file=config.path.name)
    if config.write_currents:
        writer.nodes("_node_currents.txt", network.ids, flow.current)
        ends = (network.ids[graph.head], network.ids[graph.tail])
        writer.branches("_branch_currents.txt", ends, branch_currents(graph, flow.voltage))
    if config.write_voltages:
        writer.nodes("_voltages.txt", network.ids, flow.voltage)
    return Ran(
        residual=flow.residual, solvers={flow.solver}, doubtful=flow.doubtful, nodes=graph.nodes
    )
