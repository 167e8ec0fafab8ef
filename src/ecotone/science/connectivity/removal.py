"""What an index of a graph of patches loses without each node and each link, exactly.

From one source at a time: the shortest paths, then their dominators (a node dominates those
that no shortest path reaches without it). Without a node only what it dominates is reached
later or not at all, so paths are sought anew among these alone; so it is with a link that is
the only one by which a shortest path comes to its end. Memory holds the links and a few numbers
a node for each thread, never a table of all pairs.

Importance after Saura and Rubio (2010), doi:10.1111/j.1600-0587.2009.05760.x; betweenness after
Bodin and Saura (2010), doi:10.1016/j.ecolmodel.2010.06.015, where several paths are best by the
rule of Brandes (2001), doi:10.1080/0022250X.2001.9990249; dominators in the order of distance
after Cooper, Harvey and Kennedy (2001), A Simple, Fast Dominance Algorithm.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ecotone.science.compiled import compiled
from ecotone.science.connectivity.solver import Keep, keep_nothing
from ecotone.science.connectivity.sparse_pc import thinned

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: What is taken away one by one: nothing, nodes, or nodes and links.
Taken = Literal["nothing", "nodes", "links"]

#: Path lengths closer than this, relatively, are the same length.
_SAME: Final = 1e-12
#: A detour counts as shorter only beyond rounding.
_SHORTER: Final = 1e-9
#: Sources are taken together in about so many groups, each kept where a run is long.
_GROUPS: Final = 64
#: Sources that are not worth a group of their own.
_FEW: Final = 50
#: In the place of a length of 0, which a sparse matrix would lose.
_NOTHING: Final = 1e-300


@dataclass(frozen=True)
class Web:
    """Nodes and links; the neighbours of a node one after the other, each link twice."""

    start: Ints  #: (nodes + 1) where the neighbours of each node begin
    column: Ints
    length: Floats
    link: Ints  #: which link each neighbour is reached by
    ends: Ints  #: (links, 2) nodes of each link, lower first

    @property
    def nodes(self) -> int:
        """How many."""
        return self.start.size - 1


def once(pairs: Ints, length: Floats) -> tuple[Ints, Floats]:
    """Each link once, lower node first: of doubles the shorter, none from a node to itself."""
    live = np.isfinite(length) & (pairs[:, 0] != pairs[:, 1])
    low, high = pairs[live].min(axis=1), pairs[live].max(axis=1)
    order = np.lexsort((length[live], high, low))
    low, high, along = low[order], high[order], length[live][order]
    first = np.ones(low.size, dtype=np.bool_)
    first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    return np.column_stack([low[first], high[first]]), along[first]


def web(size: int, pairs: Ints, length: Floats, *, thin: bool = True) -> Web:
    """A web of links, each given once (see ``once``).

    Args:
        size: how many nodes.
        pairs: (links, 2) nodes, lower first.
        length: of each link, 0 or more.
        thin: leave out links that two detours of shorter links make good: whatever one node
            or link is taken away, one of the two is left.

    Returns:
        The links that are left.
    """
    links = sp.csr_array(
        (np.maximum(length, _NOTHING), (pairs[:, 0], pairs[:, 1])), shape=(size, size)
    )
    left = (thinned(links, detours=2, slack=_SHORTER) if thin else links).tocoo()
    rows, columns = (coords.astype(np.int64) for coords in left.coords)
    number = np.arange(rows.size)
    head, tail = np.concatenate([rows, columns]), np.concatenate([columns, rows])
    order = np.argsort(head, kind="stable")
    start = np.zeros(size + 1, dtype=np.int64)
    np.cumsum(np.bincount(head, minlength=size), out=start[1:])
    return Web(
        start,
        tail[order],
        np.concatenate([left.data, left.data])[order],
        np.concatenate([number, number])[order],
        np.column_stack([rows, columns]),
    )


@dataclass(frozen=True)
class Carried:
    """What nodes and links carry of sum a_i a_j f(d_ij), both ways, i = j included."""

    whole: float
    received: Floats  #: sum over all j, i included, of a_j f(d_ij)
    connector: Floats  #: lost between all others without each node, paths found anew
    link: Floats  #: lost without each link of the web
    through: Floats  #: betweenness: what passes through each node, each pair once


def carried(
    graph: Web,
    area: Floats,
    *,
    product: bool,
    reach: float = np.inf,
    taken: Taken = "links",
    keep: Keep = keep_nothing,
    name: str = "",
    progress: Callable[[float], None] = lambda share: None,
) -> Carried:
    """What each node and each link carries, exactly.

    Args:
        graph: the links with their lengths.
        area: attribute of each node; one of 0 only joins others.
        product: f(d) is exp(-d) (lengths are -ln p), else 1 / (1 + d).
        reach: paths that are longer count nothing.
        taken: what is taken away one by one: without it sums alone are found.
        keep: asked for each group of sources, so that a long run may be taken up again.
        name: of this web, among others that are kept.
        progress: told the share done.

    Returns:
        Numbers for nodes and links.

    >>> chain = web(3, np.array([[0, 1], [1, 2]]), np.log([2.0, 2.0]))
    >>> found = carried(chain, np.ones(3), product=True)
    >>> found.whole, found.connector.tolist(), found.link.tolist()
    (5.5, [0.0, 0.5, 0.0], [1.5, 1.5])
    """
    size = graph.nodes
    whole, done = 0.0, 0
    received, connector, through = np.zeros(size), np.zeros(size), np.zeros(size)
    lost = np.zeros(len(graph.ends) if taken == "links" else 0)

    def some(sources: Ints) -> Floats:
        return keep(f"{name}-{sources[0]}", lambda: (from_sources(
            graph, area, sources, product=product, reach=reach, taken=taken), 0.0))[0]  # fmt: skip

    groups = np.array_split(np.arange(size), min(_GROUPS, size // _FEW + 1))
    for sources, part in zip(groups, _in_order(some, groups), strict=True):
        count = sources.size
        received[sources] = part[:count]
        whole += float(area[sources] @ part[:count])
        connector += part[count : count + size]
        through += part[count + size : count + 2 * size]
        lost += part[count + 2 * size :]
        done += count
        progress(done / size)
    return Carried(whole, received, connector, lost, through / 2.0)


def _in_order(some: Callable[[Ints], Floats], groups: list[Ints]) -> Iterator[Floats]:
    """Each group by one of a few threads, given out in order."""
    if len(groups) == 1:
        yield some(groups[0])
        return
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        try:
            yield from pool.map(some, groups)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def from_sources(
    graph: Web, area: Floats, sources: Ints, *, product: bool, reach: float, taken: Taken
) -> Floats:
    """One group of sources: received, connector, through and, if asked for, links in a row."""
    links = len(graph.ends) if taken == "links" else 0
    out = np.zeros(sources.size + 2 * graph.nodes + links)
    _carry(
        graph.start, graph.column, graph.length, graph.link,
        np.asarray(area, dtype=np.float64), sources, product, reach,
        taken != "nothing", taken == "links", out,
    )  # fmt: skip
    return out


@compiled
def _up(heap: Ints, place: Ints, far: Floats, at: int) -> None:
    """Bring what stands at a place of the heap up to where it belongs."""
    node = heap[at]
    while at > 0:
        above = (at - 1) // 2
        if far[heap[above]] <= far[node]:
            break
        heap[at] = heap[above]
        place[heap[at]] = at
        at = above
    heap[at] = node
    place[node] = at


@compiled
def _nearest(heap: Ints, place: Ints, far: Floats, size: int) -> int:
    """Take the nearest node off a heap of ``size``."""
    first = heap[0]
    place[first] = -1
    last = heap[size - 1]
    size -= 1
    at = 0
    while size > 0:
        below = 2 * at + 1
        if below + 1 < size and far[heap[below + 1]] < far[heap[below]]:
            below += 1
        if below >= size or far[heap[below]] >= far[last]:
            heap[at] = last
            place[last] = at
            break
        heap[at] = heap[below]
        place[heap[at]] = at
        at = below
    return int(first)


@compiled
def _reached(heap: Ints, place: Ints, far: Floats, node: int, size: int) -> int:
    """Bring a node that has come nearer to its place in the heap, and into it; its new size."""
    if place[node] < 0:
        heap[size] = node
        place[node] = size
        size += 1
    _up(heap, place, far, place[node])
    return size


@compiled
def _paths(
    start: Ints, column: Ints, length: Floats, source: int, reach: float,
    far: Floats, order: Ints, heap: Ints, place: Ints,
) -> int:  # fmt: skip
    """Path lengths from a node (Dijkstra), the nodes in rising order, and how many."""
    far[:] = np.inf
    far[source] = 0.0
    heap[0] = source
    size = 1
    count = 0
    while size > 0:
        v = _nearest(heap, place, far, size)
        size -= 1
        order[count] = v
        count += 1
        for e in range(start[v], start[v + 1]):
            u = column[e]
            total = far[v] + length[e]
            if total < far[u] and total <= reach:
                far[u] = total
                size = _reached(heap, place, far, u, size)
    return count


@compiled
def _entered(
    start: Ints, column: Ints, length: Floats, link: Ints, far: Floats, order: Ints, rank: Ints,
    count: int, begin: Ints, before: Ints, by: Ints,
) -> None:  # fmt: skip
    """The nodes from which a shortest path enters each node, and by which link.

    Those of the c-th nearest node stand from ``begin[c]`` to ``begin[c + 1]``; ``by`` is -1
    where the path is the shortest but for rounding.
    """
    free = 0
    begin[0] = 0
    begin[1] = 0
    for c in range(1, count):
        v = order[c]
        most = far[v] * (1.0 + _SAME)
        for e in range(start[v], start[v + 1]):
            u = column[e]
            total = far[u] + length[e]
            if total <= most and rank[u] < c:
                before[free] = u
                by[free] = link[e] if total <= far[v] else -1
                free += 1
        begin[c + 1] = free


@compiled
def _dominators(
    order: Ints, rank: Ints, count: int, begin: Ints, before: Ints, by: Ints,
    above: Ints, only: Ints,
) -> None:  # fmt: skip
    """The nearest node that all shortest paths to a node pass, and the link if there is one."""
    for c in range(1, count):
        v = order[c]
        above[v] = -1
        only[v] = -1
        for n in range(begin[c], begin[c + 1]):
            if by[n] < 0:
                continue
            u = before[n]
            if above[v] < 0:
                above[v] = u
                only[v] = by[n]
                continue
            only[v] = -1
            a = above[v]
            while a != u:
                if rank[a] > rank[u]:
                    a = above[a]
                else:
                    u = above[u]
            above[v] = a


@compiled
def _nested(order: Ints, count: int, above: Ints, size: Ints, first: Ints, at: Ints) -> None:
    """Number nodes so that all that one dominates follow it: ``first`` and how many with it."""
    for c in range(count):
        size[order[c]] = 1
    for c in range(count - 1, 0, -1):
        size[above[order[c]]] += size[order[c]]
    free = np.empty(size.size, dtype=np.int64)
    first[order[0]] = 0
    free[order[0]] = 1
    at[0] = order[0]
    for c in range(1, count):
        v = order[c]
        u = above[v]
        first[v] = free[u]
        free[u] += size[v]
        free[v] = first[v] + 1
        at[first[v]] = v


@compiled
def _left(
    start: Ints, column: Ints, length: Floats, link: Ints, far: Floats, first: Ints, at: Ints,
    outer: int, low: int, high: int, closed: int, reach: float, product: bool,
    area: Floats, anew: Floats, heap: Ints, place: Ints,
) -> float:  # fmt: skip
    """What nodes ``at[low:high]`` still receive where nothing enters by ``at[outer:high]``.

    Nothing enters by the link ``closed`` either.
    """
    size = 0
    for n in range(low, high):
        v = at[n]
        best = np.inf
        for e in range(start[v], start[v + 1]):
            u = column[e]
            if far[u] < np.inf and link[e] != closed and not outer <= first[u] < high:
                best = min(best, far[u] + length[e])
        anew[v] = np.inf
        if best <= reach:
            anew[v] = best
            size = _reached(heap, place, anew, v, size)
    total = 0.0
    while size > 0:
        v = _nearest(heap, place, anew, size)
        size -= 1
        if area[v] > 0.0:
            total += area[v] * (np.exp(-anew[v]) if product else 1.0 / (1.0 + anew[v]))
        for e in range(start[v], start[v + 1]):
            u = column[e]
            if far[u] == np.inf or not low <= first[u] < high:
                continue
            detour = anew[v] + length[e]
            if detour < anew[u] and detour <= reach:
                anew[u] = detour
                size = _reached(heap, place, anew, u, size)
    return total


@compiled
def _between(
    order: Ints, count: int, begin: Ints, before: Ints, gets: Floats, weight: float,
    ways: Floats, hangs: Floats, through: Floats,
) -> None:  # fmt: skip
    """Add what passes through each node on its way from the first of ``order``."""
    for c in range(count):
        hangs[order[c]] = 0.0
        ways[order[c]] = 0.0
    ways[order[0]] = 1.0
    for c in range(1, count):
        for n in range(begin[c], begin[c + 1]):
            ways[order[c]] += ways[before[n]]
    for c in range(count - 1, 0, -1):
        v = order[c]
        through[v] += hangs[v]
        share = (weight * gets[v] + hangs[v]) / ways[v]
        for n in range(begin[c], begin[c + 1]):
            hangs[before[n]] += share * ways[before[n]]


@compiled
def _carry(
    start: Ints, column: Ints, length: Floats, link: Ints, area: Floats, sources: Ints,
    product: bool, reach: float, nodes_too: bool, links_too: bool, out: Floats,
) -> None:  # fmt: skip
    """Go through the sources and add up; see ``from_sources``."""
    nodes = start.size - 1
    connector = out[sources.size : sources.size + nodes]
    through = out[sources.size + nodes : sources.size + 2 * nodes]
    lost = out[sources.size + 2 * nodes :]
    far, anew, gets = np.empty(nodes), np.empty(nodes), np.empty(nodes)
    ways, hangs, within = np.empty(nodes), np.empty(nodes), np.empty(nodes + 1)
    order, rank = np.empty(nodes, dtype=np.int64), np.empty(nodes, dtype=np.int64)
    heap, place = np.empty(nodes, dtype=np.int64), np.full(nodes, -1, dtype=np.int64)
    above, only = np.empty(nodes, dtype=np.int64), np.empty(nodes, dtype=np.int64)
    size, first = np.empty(nodes, dtype=np.int64), np.empty(nodes, dtype=np.int64)
    at = np.empty(nodes, dtype=np.int64)
    begin = np.empty(nodes + 1, dtype=np.int64)
    # Each link is entered from one side alone.
    before = np.empty(column.size // 2 + 1, dtype=np.int64)
    by = np.empty(column.size // 2 + 1, dtype=np.int64)
    for number in range(sources.size):
        s = sources[number]
        count = _paths(start, column, length, s, reach, far, order, heap, place)
        rank[:] = nodes
        for c in range(count):
            v = order[c]
            rank[v] = c
            gets[v] = area[v] * (np.exp(-far[v]) if product else 1.0 / (1.0 + far[v]))
            out[number] += gets[v]
        if area[s] == 0.0 or not nodes_too:
            continue
        _entered(start, column, length, link, far, order, rank, count, begin, before, by)
        _between(order, count, begin, before, gets, area[s], ways, hangs, through)
        _dominators(order, rank, count, begin, before, by, above, only)
        _nested(order, count, above, size, first, at)
        within[0] = 0.0
        for n in range(count):
            within[n + 1] = within[n] + gets[at[n]]
        for c in range(1, count):
            v = order[c]
            low, high = first[v], first[v] + size[v]
            if size[v] > 1 and within[high] > within[low + 1]:
                left = _left(start, column, length, link, far, first, at, low, low + 1, high, -1,
                             reach, product, area, anew, heap, place)  # fmt: skip
                connector[v] += area[s] * (within[high] - within[low + 1] - left)
            if links_too and only[v] >= 0 and within[high] > within[low]:
                left = _left(start, column, length, link, far, first, at, low, low, high, only[v],
                             reach, product, area, anew, heap, place)  # fmt: skip
                lost[only[v]] += area[s] * (within[high] - within[low] - left)
