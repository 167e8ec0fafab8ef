"""Which samples are of one animal: genotypes with errors and gaps, told apart by clustering.

The method of Galpern and others (2012, doi:10.1111/j.1755-0998.2012.03137.x) as in their
allelematch, but that samples which all agree are one animal. Similarity is matching alleles plus
half of each missing one; complete linkage is cut by the hybrid rule of Langfelder, Zhang and
Horvath (2008, doi:10.1093/bioinformatics/btm563), each cluster is replaced by its first sample,
again until no cluster forms; what is left are the unique genotypes. Every sample is then held
against them:

* *unique*: agrees with one;
* *multiple match*: agrees with several;
* *unclassified*: agrees with none.

The number of mismatching alleles allowed lies at the second minimum of the number of multiple
matches, where errors have been forgiven and animals are still told apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ecotone.science.wildlife import matching_kernels as kernels
from ecotone.science.wildlife.genotypes import Genotypes

Counts = NDArray[np.int64]
Profile = Literal["zero-second-minimum", "second-minimum", "no-second-minimum", "flat"]

#: Scatter and gap of a cluster as shares of the tree's height, the cutting rule's second degree.
_SCATTER: Final = 0.73
_GAP: Final = (1.0 - _SCATTER) * 3.0 / 4.0
#: Share of merges below which the tree's height does not count.
_LOW: Final = 0.05
#: Profile up to this share of the alleles.
_PROFILE: Final = 0.4
_BLOCK: Final = 512


@dataclass(frozen=True)
class Pairs:
    """Pairs of samples within a distance, half alleles.

    Attributes:
        samples: number of samples.
        columns: number of alleles compared.
        most: largest distance.
        first: the earlier sample of each pair.
        second: the later one.
        distance: 2 for each allele that differs, 1 for each missing in one of the two.
    """

    samples: int
    columns: int
    most: int
    first: Counts
    second: Counts
    distance: Counts


@dataclass(frozen=True)
class Matching:
    """Samples sorted into animals at one number of mismatches.

    Attributes:
        mismatches: alleles that may differ.
        unique: (animals,) sample that stands for each unique genotype.
        matches: (samples,) number of unique genotypes each sample agrees with.
        animal: (samples,) index into ``unique`` of the genotype it agrees with best, -1 where
            with none.
    """

    mismatches: int
    unique: Counts
    matches: Counts
    animal: Counts

    @property
    def unclassified(self) -> Counts:
        """Samples that agree with none and stand for none."""
        lone = self.matches == 0
        lone[self.unique] = False
        return np.flatnonzero(lone)

    @property
    def multiple(self) -> Counts:
        """Samples that agree with several."""
        return np.flatnonzero(self.matches > 1)


@dataclass(frozen=True)
class MismatchProfile:
    """Matching at each number of mismatches, and which number is supported.

    Attributes:
        matchings: at 0, 1, 2 ... mismatches.
        kind: zero-second-minimum (trust), second-minimum (look at the multiple matches),
            no-second-minimum or flat (not supported).
        chosen: index of the supported number of mismatches; None where there is none.
    """

    matchings: tuple[Matching, ...]
    kind: Profile
    chosen: int | None


def pairs_within(genotypes: Genotypes, mismatches: int) -> Pairs:
    """All pairs that differ by at most so many alleles (a missing one counts half).

    Raises:
        ValueError: more than 255 alleles compared, or fewer than three.
    """
    flat = genotypes.flat
    samples, columns = flat.shape
    if not 3 <= columns <= 255:
        raise ValueError("genotypes: from 3 to 255 columns of alleles can be compared")
    small = int(flat.max(initial=0)) < 250
    codes = np.ascontiguousarray((flat + 1).T.astype(np.uint8 if small else np.uint32))
    missing = (flat < 0).sum(axis=1)
    most = 2 * mismatches
    kept = []
    room = 1 << 16
    for start in range(0, max(0, samples - 1), _BLOCK):
        stop = min(start + _BLOCK, samples)
        while True:
            out = [np.empty(room, dtype=np.int32) for _ in range(3)]
            found = kernels.near_pairs(
                codes, missing.astype(np.int32), most, start, stop, out[0], out[1], out[2]
            )
            if found <= room:
                break
            room = 2 * found
        kept.append(np.stack([part[:found] for part in out]))
    table = np.concatenate([np.empty((3, 0), dtype=np.int32), *kept], axis=1).astype(np.int64)
    return Pairs(samples, columns, most, table[0], table[1], table[2])


def match(genotypes: Genotypes, mismatches: int, pairs: Pairs | None = None) -> Matching:
    """Unique genotypes where so many alleles may differ, and how the samples agree with them.

    Args:
        genotypes: samples.
        mismatches: alleles that may differ; a missing one counts half.
        pairs: near pairs found before, at least so far apart.
    """
    if mismatches < 0:
        raise ValueError("genotypes: the number of mismatches is not below nought")
    pairs = pairs or pairs_within(genotypes, mismatches)
    threshold = 1.0 - mismatches / pairs.columns
    top = 1.0 - threshold
    top = 1e-5 if top == 0.0 else top
    order = _order(genotypes.ids)
    left = np.arange(pairs.samples)
    again = True
    while again and len(left) > 1:
        left, again = _round(left, pairs, top, order)
    return _compare(left, pairs, threshold, mismatches)


def profile(genotypes: Genotypes, most: int | None = None) -> MismatchProfile:
    """Matching at 0, 1, 2 ... mismatches up to 0.4 of the alleles, and the one supported.

    Args:
        genotypes: samples.
        most: largest number of mismatches; 0.4 of the alleles compared where left out.
    """
    columns = genotypes.flat.shape[1]
    last = int(columns * _PROFILE) if most is None else most
    pairs = pairs_within(genotypes, last)
    matchings = tuple(match(genotypes, m, pairs) for m in range(last + 1))
    kind, chosen = second_minimum([len(m.multiple) for m in matchings])
    return MismatchProfile(matchings, kind, chosen)


def second_minimum(multiple: list[int]) -> tuple[Profile, int | None]:
    """The kind of a profile of multiple matches, and the index of its second minimum.

    The second minimum is the first value that is least among all that follow and lies below
    the one before it. Next to the profile's end it is not supported: what one value alone
    shows to be a minimum may be none.

    >>> second_minimum([0, 25, 33, 0, 0, 1, 1, 14, 30])
    ('zero-second-minimum', 3)
    >>> second_minimum([0, 0, 2, 5, 9])
    ('no-second-minimum', None)
    """
    values = np.array(multiple)
    if not values.any():
        return "flat", None
    for k in range(1, len(values)):
        if values[k] < values[k - 1] and values[k] <= values[k:].min():
            if k > len(values) - 3:
                break
            return ("second-minimum" if values[k] else "zero-second-minimum"), k
    return "no-second-minimum", None


def _order(ids: tuple[str, ...]) -> Counts:
    """Rank of each sample by its id: as numbers where all are."""
    try:
        keys = np.array([float(i) for i in ids])
        ranked = np.argsort(keys, kind="stable")
    except ValueError:
        ranked = np.array(sorted(range(len(ids)), key=lambda i: ids[i]), dtype=np.int64)
    rank = np.empty(len(ids), dtype=np.int64)
    rank[ranked] = np.arange(len(ids))
    return rank


def _round(left: Counts, pairs: Pairs, top: float, order: Counts) -> tuple[Counts, bool]:
    """One clustering of the samples left; those that stand for what is left, in order of id."""
    share = 1.0 - (2.0 * pairs.columns - np.arange(2 * pairs.columns + 1)) / 2.0 / pairs.columns
    place = np.full(pairs.samples, -1)
    place[left] = np.arange(len(left))
    near = (place[pairs.first] >= 0) & (place[pairs.second] >= 0)
    near &= share[pairs.distance] <= top
    one, two = place[pairs.first[near]], place[pairs.second[near]]
    distance = pairs.distance[near]
    if len(one) == 0:
        return left[np.argsort(order[left])], False
    graph = coo_array((np.ones(len(one)), (one, two)), shape=(len(left), len(left)))
    _, component = connected_components(graph, directed=False)
    groups = _Groups.of(component.astype(np.int64), one, two, distance)
    heights = np.sort(share[groups.heights()])
    merges = len(left) - 1
    if len(heights) == merges:
        # All are within the mismatches of each other: one animal.
        return left[:1], False
    reference = max(1, int(merges * _LOW + 0.5))
    if reference <= len(heights):
        low = float(heights[reference - 1])
        scatter, gap = low + _SCATTER * (top - low), _GAP * (top - low)
    else:
        # The reference lies above the cut: no branch below it is diffuse or shallow.
        scatter, gap = np.inf, -np.inf
    label = groups.cut(share, top, scatter, gap)
    clusters = np.zeros(len(left), dtype=np.int64)
    clusters[groups.members] = label
    _, first = np.unique(clusters, return_index=True)
    standing = np.zeros(len(left), dtype=bool)
    standing[first] = True
    standing[clusters == 0] = True
    kept = left[standing]
    return kept[np.argsort(order[kept])], bool(label.any())


@dataclass(frozen=True)
class _Groups:
    """Samples joined by near pairs, group after group, and their trees."""

    members: Counts
    begin: Counts
    pair_begin: Counts
    first: Counts
    second: Counts
    distance: Counts
    left: Counts
    right: Counts
    height: Counts
    merges: Counts

    @classmethod
    def of(cls, component: Counts, one: Counts, two: Counts, distance: Counts) -> _Groups:
        sizes = np.bincount(component)
        shared = sizes[component] > 1
        members = np.flatnonzero(shared)
        members = members[np.argsort(component[members], kind="stable")]
        _, begin = np.unique(component[members], return_index=True)
        begin = np.append(begin, len(members))
        position = np.empty(len(component), dtype=np.int64)
        position[members] = np.arange(len(members)) - np.repeat(begin[:-1], np.diff(begin))
        by_group = np.argsort(component[one], kind="stable")
        one, two, distance = one[by_group], two[by_group], distance[by_group]
        _, pair_begin = np.unique(component[one], return_index=True)
        pair_begin = np.append(pair_begin, len(one))
        tree = [np.empty(len(members), dtype=np.int64) for _ in range(3)]
        merges = np.empty(len(begin) - 1, dtype=np.int64)
        first, second = position[one], position[two]
        kernels.link_groups(
            begin, pair_begin, first, second, distance, tree[0], tree[1], tree[2], merges
        )
        return cls(
            members, begin, pair_begin, first, second, distance, tree[0], tree[1], tree[2], merges
        )

    def heights(self) -> Counts:
        """Of all merges, half alleles."""
        place = np.arange(len(self.members)) - np.repeat(self.begin[:-1], np.diff(self.begin))
        heights: Counts = self.height[place < np.repeat(self.merges, np.diff(self.begin))]
        return heights

    def cut(self, share: NDArray[np.float64], top: float, scatter: float, gap: float) -> Counts:
        """(members,) cluster from 1, or 0."""
        label = np.zeros(len(self.members), dtype=np.int64)
        kernels.cut_groups(
            self.begin, self.pair_begin, self.first, self.second, self.distance, share,
            self.left, self.right, self.height, self.merges, top, scatter, gap, label,
        )  # fmt: skip
        return label


def _compare(unique: Counts, pairs: Pairs, threshold: float, mismatches: int) -> Matching:
    """Every sample held against the unique genotypes."""
    columns = pairs.columns
    alike = (2.0 * columns - np.arange(2 * columns + 1)) / 2.0 / columns >= threshold
    place = np.full(pairs.samples, -1)
    place[unique] = np.arange(len(unique))
    near = alike[pairs.distance]
    one, two = pairs.first[near], pairs.second[near]
    distance = pairs.distance[near]
    sample = np.concatenate([one, two, unique])
    other = np.concatenate([two, one, unique])
    apart = np.concatenate([distance, distance, np.zeros(len(unique), dtype=np.int64)])
    held = place[other] >= 0
    sample, other, apart = sample[held], place[other[held]], apart[held]
    matches = np.bincount(sample, minlength=pairs.samples)
    animal = np.full(pairs.samples, -1)
    best = np.lexsort((other, apart, sample))[::-1]
    animal[sample[best]] = other[best]
    animal[unique] = np.arange(len(unique))
    return Matching(mismatches, unique, matches, animal)
