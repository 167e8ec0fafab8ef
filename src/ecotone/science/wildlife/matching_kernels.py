"""Compiled parts of genotype matching: pairs that nearly agree, complete linkage, cutting.

All of it stands in one file so that a change in any part renews the compiled whole.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecotone.science.compiled import compiled

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

#: A distance that is beyond the cut, whatever it is.
BEYOND: Final = 1 << 30


@compiled
def near_pairs(
    columns: NDArray[Any],
    missing: NDArray[np.int32],
    most: int,
    start: int,
    stop: int,
    first: NDArray[np.int32],
    second: NDArray[np.int32],
    distance: NDArray[np.int32],
) -> int:
    """Pairs of samples at a distance of at most ``most``; the number found.

    Distances are in half alleles: 2 for each allele that differs, 1 for each that is missing in
    one sample of the two. Where the number is more than ``first`` holds, the rest is not kept.

    Args:
        columns: (alleles, samples) codes; those of missing alleles are 0 and equal nothing.
        missing: (samples,) number of missing alleles.
        most: largest distance, half alleles.
        start: first sample of the block that is compared with all later ones.
        stop: end of the block.
        first: out, the earlier sample of each pair.
        second: out, the later one.
        distance: out, half alleles.
    """
    count, samples = columns.shape
    found = 0
    same = np.empty(samples, np.uint8)
    for i in range(start, stop):
        same[i + 1 :] = 0
        for a in range(count):
            code = columns[a, i]
            if code != 0:
                row = columns[a]
                for j in range(i + 1, samples):
                    same[j] += np.uint8(row[j] == code)
        limit = 2 * count - most - missing[i]
        for j in range(i + 1, samples):
            alike = 2 * np.int64(same[j]) + missing[j]
            if alike >= limit:
                if found < first.shape[0]:
                    first[found] = i
                    second[found] = j
                    distance[found] = 2 * count - alike - missing[i]
                found += 1
    return found


@compiled
def count_mismatches(codes: Counts, counts: Counts) -> None:
    """Add up pairs of samples that differ at 0, 1, 2 ... loci typed in both.

    Args:
        codes: (loci, samples) genotypes, 0 where not typed.
        counts: in and out, as many classes as are of interest.
    """
    loci, samples = codes.shape
    differ = np.empty(samples, np.int32)
    for i in range(samples):
        differ[i + 1 :] = 0
        for k in range(loci):
            code = codes[k, i]
            if code != 0:
                row = codes[k]
                for j in range(i + 1, samples):
                    differ[j] += np.int32((row[j] != code) & (row[j] != 0))
        for j in range(i + 1, samples):
            if differ[j] < counts.shape[0]:
                counts[differ[j]] += 1


@compiled
def complete_linkage(d: NDArray[np.int32], left: Counts, right: Counts, height: Counts) -> int:
    """Complete linkage of one group up to the largest known distance; number of merges.

    Of equal distances the one of the earliest sample with its earliest neighbour goes first,
    and a cluster keeps the place of its earliest member: the order of Murtagh's algorithm in R.

    Args:
        d: (members, members) distances, overwritten.
        left: out, parts of each merge: -1-member, or the number of an earlier merge.
        right: out, the other part.
        height: out, ascending.
    """
    n = d.shape[0]
    alive = np.ones(n, np.bool_)
    node = np.empty(n, np.int64)
    neighbour = np.zeros(n, np.int64)
    nearest = np.empty(n, np.int64)
    for i in range(n):
        node[i] = -1 - i
        nearest[i] = BEYOND
        for j in range(i + 1, n):
            if d[i, j] < nearest[i]:
                nearest[i] = d[i, j]
                neighbour[i] = j
    merges = 0
    for _ in range(n - 1):
        i2 = -1
        least = BEYOND
        for i in range(n - 1):
            if alive[i] and nearest[i] < least:
                least = nearest[i]
                i2 = i
        if i2 < 0:
            break
        j2 = neighbour[i2]
        a, b = node[i2], node[j2]
        # A single sample stands before a branch, the earlier of two like parts first.
        if (a >= 0 and b < 0) or (a >= 0 and b >= 0 and b < a):
            a, b = b, a
        left[merges] = a
        right[merges] = b
        height[merges] = least
        node[i2] = merges
        alive[j2] = False
        nearest[i2] = BEYOND
        for k in range(n):
            if alive[k] and k != i2:
                far = max(d[i2, k], d[j2, k])
                d[i2, k] = far
                d[k, i2] = far
                if k > i2 and far < nearest[i2]:
                    nearest[i2] = far
                    neighbour[i2] = k
        for i in range(n - 1):
            if alive[i] and i != i2 and (neighbour[i] == i2 or neighbour[i] == j2):
                nearest[i] = BEYOND
                for j in range(i + 1, n):
                    if alive[j] and d[i, j] < nearest[i]:
                        nearest[i] = d[i, j]
                        neighbour[i] = j
        merges += 1
    return merges


@compiled
def core_scatter(d: Floats, head: int, following: Counts, singles: int) -> float:
    """Mean distance among the first members of a branch."""
    core = int(1.5 + math.sqrt(singles - 1.5)) if singles > 1.5 else singles
    members = np.empty(core, np.int64)
    at = head
    for k in range(core):
        members[k] = at
        at = following[at]
    total = 0.0
    for i in range(core):
        column = 0.0
        for j in range(core):
            column += d[members[i], members[j]]
        total += column / (core - 1)
    return total / core


@compiled
def cut(
    d: Floats,
    left: Counts,
    right: Counts,
    height: Floats,
    top: float,
    most_scatter: float,
    least_gap: float,
    label: Counts,
) -> int:
    """Branches of one group's tree that are clusters; the number of them.

    The hybrid cut of Langfelder, Zhang and Horvath (2008), smallest cluster 1: branches grow
    by single samples; where two meet, one that is diffuse, or hardly below the meeting point,
    is joined to the other, else both are kept and what joins later is put to the nearer one.

    Args:
        d: (members, members) distances, shares of alleles.
        left: parts of the merges, as from ``complete_linkage``.
        right: the other parts.
        height: of the merges, shares of alleles.
        top: where the tree is cut.
        most_scatter: largest mean distance in the core of a cluster.
        least_gap: least difference between that and where the branch meets another.
        label: (members,) out: cluster from 1, or 0.
    """
    n, merges = d.shape[0], left.shape[0]
    basic = np.ones(merges, np.bool_)
    top_basic = np.ones(merges, np.bool_)
    size = np.zeros(merges, np.int64)
    head = np.empty(merges, np.int64)
    tail = np.empty(merges, np.int64)
    attached = np.full(merges, top)
    # Basic branches of a composite one: a stretch of one chain.
    chain_head = np.full(merges, -1)
    chain_tail = np.full(merges, -1)
    chain = np.full(merges, -1)
    following = np.full(n, -1)
    on_branch = np.full(n, -1)
    branch_of = np.empty(merges, np.int64)
    branches = 0
    for m in range(merges):
        a, b = left[m], right[m]
        if a < 0 and b < 0:
            branch = branches
            branches += 1
            head[branch] = -1 - a
            tail[branch] = -1 - b
            following[-1 - a] = -1 - b
            size[branch] = 2
            chain_head[branch] = branch
            chain_tail[branch] = branch
            branch_of[m] = branch
            continue
        if a < 0:
            branch = branch_of[b]
            member = -1 - a
            if basic[branch]:
                following[tail[branch]] = member
                tail[branch] = member
            else:
                on_branch[member] = branch
            size[branch] += 1
            branch_of[m] = branch
            continue
        small, large = branch_of[a], branch_of[b]
        if size[small] > size[large]:
            small, large = large, small
        join = False
        for _ in range(2):
            if basic[small]:
                scatter = core_scatter(d, head[small], following, size[small])
                join = scatter > most_scatter or height[m] - scatter < least_gap
            if join:
                break
            small, large = large, small
        if join:
            attached[small] = height[m]
            top_basic[small] = False
            if basic[large]:
                following[tail[large]] = head[small]
                tail[large] = tail[small]
            else:
                at = head[small]
                for _ in range(size[small]):
                    on_branch[at] = large
                    at = following[at]
            size[large] += size[small]
            branch_of[m] = large
            continue
        both = branches
        branches += 1
        attached[small] = height[m]
        attached[large] = height[m]
        basic[both] = False
        top_basic[both] = False
        size[both] = size[small] + size[large]
        chain[chain_tail[small]] = chain_head[large]
        chain_head[both] = chain_head[small]
        chain_tail[both] = chain_tail[large]
        branch_of[m] = both

    label[:] = 0
    clusters = 0
    branch_label = np.zeros(merges, np.int64)
    for branch in range(branches):
        if not top_basic[branch]:
            continue
        scatter = core_scatter(d, head[branch], following, size[branch])
        if scatter < most_scatter and attached[branch] - scatter > least_gap:
            clusters += 1
            branch_label[branch] = clusters
            at = head[branch]
            for _ in range(size[branch]):
                label[at] = clusters
                at = following[at]
    settled = label.copy()
    for member in range(n):
        if settled[member] != 0 or on_branch[member] < 0:
            continue
        nearest = math.inf
        chosen = 0
        branch = chain_head[on_branch[member]]
        while True:
            if branch_label[branch] > 0:
                total = 0.0
                members = 0
                for other in range(n):
                    if settled[other] == branch_label[branch]:
                        total += d[member, other]
                        members += 1
                mean = total / members
                if mean < nearest or (mean == nearest and branch_label[branch] < chosen):
                    nearest = mean
                    chosen = branch_label[branch]
            if branch == chain_tail[on_branch[member]]:
                break
            branch = chain[branch]
        if chosen > 0 and (nearest < top or nearest < diameter(d, settled, chosen)):
            label[member] = chosen
    return clusters


@compiled
def diameter(d: Floats, label: Counts, cluster: int) -> float:
    """Largest mean distance of a member to the others of its cluster."""
    largest = 0.0
    for i in range(d.shape[0]):
        if label[i] == cluster:
            total = 0.0
            members = 0
            for j in range(d.shape[0]):
                if label[j] == cluster:
                    total += d[i, j]
                    members += 1
            if members > 1:
                largest = max(largest, total / (members - 1))
    return largest


@compiled
def link_groups(
    group: Counts,
    pair_group: Counts,
    first: Counts,
    second: Counts,
    distance: Counts,
    left: Counts,
    right: Counts,
    height: Counts,
    merges: Counts,
) -> None:
    """Complete linkage of each group; merges stand from the group's first member on.

    Args:
        group: (groups + 1,) where each group's members begin.
        pair_group: (groups + 1,) where each group's pairs begin.
        first: places of the pairs' samples in their group.
        second: the other.
        distance: half alleles.
        left: out, (members,) parts of merges.
        right: out.
        height: out.
        merges: out, (groups,) number of each group's merges.
    """
    for g in range(group.shape[0] - 1):
        begin, end = group[g], group[g + 1]
        n = end - begin
        d = np.full((n, n), BEYOND, np.int32)
        for p in range(pair_group[g], pair_group[g + 1]):
            d[first[p], second[p]] = distance[p]
            d[second[p], first[p]] = distance[p]
        merges[g] = complete_linkage(d, left[begin:end], right[begin:end], height[begin:end])


@compiled
def cut_groups(
    group: Counts,
    pair_group: Counts,
    first: Counts,
    second: Counts,
    distance: Counts,
    share: Floats,
    left: Counts,
    right: Counts,
    height: Counts,
    merges: Counts,
    top: float,
    most_scatter: float,
    least_gap: float,
    label: Counts,
) -> int:
    """Cut each group's tree; labels count through all groups. The number of clusters.

    ``share`` gives the share of alleles of each distance in half alleles.
    """
    clusters = 0
    for g in range(group.shape[0] - 1):
        begin, end = group[g], group[g + 1]
        n = end - begin
        d = np.zeros((n, n))
        for p in range(pair_group[g], pair_group[g + 1]):
            d[first[p], second[p]] = share[distance[p]]
            d[second[p], first[p]] = share[distance[p]]
        count = merges[g]
        heights = np.empty(count)
        for m in range(count):
            heights[m] = share[height[begin + m]]
        found = cut(
            d, left[begin : begin + count], right[begin : begin + count], heights, top,
            most_scatter, least_gap, label[begin:end],
        )  # fmt: skip
        for i in range(begin, end):
            if label[i] > 0:
                label[i] += clusters
        clusters += found
    return clusters
