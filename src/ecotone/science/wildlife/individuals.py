"""Which identities are one animal: what observers decided, merged, and where they disagree.

A photograph's individual and a genotype's are identities; an animal may have several, on both
sides of a border. Observers compare pairs and say same, different or unsure. Identities joined by
pairs that all say are the same are one animal; a pair on which observers disagree, or of which
nobody is sure, is disputed and joins nothing unless asked to. Errors of identity raise counts of
cats by about a third (Johansson and others 2020, doi:10.1038/s41598-020-63367-z), so that an
estimate is to be told with and without what is disputed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ecotone.science.wildlife.genotypes import Genotypes

Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]

Verdict = Literal["same", "different", "disputed", "unsure"]
#: Codes of what an observer decided.
DECISIONS: Final = ("same", "different", "unsure")


@dataclass(frozen=True)
class Pair:
    """Two identities and what was decided of them.

    Attributes:
        first: 0-based, the smaller.
        second: 0-based.
        same: observers whose last word is same.
        different: observers whose last word is different.
        unsure: observers whose last word is unsure.
    """

    first: int
    second: int
    same: tuple[str, ...]
    different: tuple[str, ...]
    unsure: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        """What the observers together say: one word against another is a dispute."""
        if self.same and self.different:
            return "disputed"
        if self.same:
            return "same"
        return "different" if self.different else "unsure"


def pairs(
    first: Sequence[int], second: Sequence[int], observer: Sequence[str], decision: Sequence[str]
) -> list[Pair]:
    """The decisions gathered by pair; of one observer's words on a pair the last counts.

    Args:
        first: identities, 0-based, in the order in which they were decided.
        second: the others.
        observer: who decided.
        decision: same, different or unsure.

    >>> [p.verdict for p in pairs([0, 1, 0], [1, 0, 2], ["a", "b", "a"],
    ...     ["same", "different", "same"])]
    ['disputed', 'same']

    Raises:
        ValueError: another word, or an identity compared with itself.
    """
    last: dict[tuple[int, int], dict[str, str]] = {}
    for a, b, who, word in zip(first, second, observer, decision, strict=True):
        if word not in DECISIONS:
            raise ValueError(f"identities: '{word}' is no decision")
        if a == b:
            raise ValueError("identities: an identity compared with itself")
        last.setdefault((min(a, b), max(a, b)), {})[who] = word
    found = []
    for (a, b), words in sorted(last.items()):
        said = {w: tuple(sorted(o for o, d in words.items() if d == w)) for w in DECISIONS}
        found.append(Pair(a, b, said["same"], said["different"], said["unsure"]))
    return found


def merged(number: int, decided: Sequence[Pair], *, disputed: bool = False) -> Counts:
    """The animal of each identity, numbered by their first identities.

    Args:
        number: of identities.
        decided: what was decided of pairs.
        disputed: whether disputed and unsure pairs join as well.

    >>> merged(4, pairs([0, 1], [2, 3], ["a", "a"], ["same", "unsure"])).tolist()
    [0, 1, 0, 2]
    """
    joins = ("same", "disputed", "unsure") if disputed else ("same",)
    chosen = [p for p in decided if p.verdict in joins]
    links = coo_matrix(
        (
            np.ones(len(chosen)),
            (
                np.array([p.first for p in chosen], dtype=np.int64),
                np.array([p.second for p in chosen], dtype=np.int64),
            ),
        ),
        shape=(number, number),
    )
    _, label = connected_components(links, directed=False)
    _, first, animal = np.unique(label, return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first))
    return np.asarray(order[animal], dtype=np.int64)


def contradictions(animal: Counts, decided: Sequence[Pair]) -> list[Pair]:
    """Pairs that observers call different although other pairs make them one animal."""
    return [p for p in decided if p.verdict == "different" and animal[p.first] == animal[p.second]]


def in_dispute(number: int, decided: Sequence[Pair]) -> Mask:
    """Identities of which a pair is disputed or unsure."""
    found = np.zeros(number, dtype=np.bool_)
    for pair in decided:
        if pair.verdict in ("disputed", "unsure"):
            found[[pair.first, pair.second]] = True
    return found


def close_genotypes(
    genotypes: Genotypes, most: int, least_typed: int = 5, block: int = 512
) -> tuple[Counts, Counts, Counts, Counts]:
    """Pairs of samples that differ at few loci: those a person should look at.

    Args:
        genotypes: the samples.
        most: loci at which a pair may differ.
        least_typed: loci typed in both below which a pair says nothing.
        block: samples compared at once with all others; bounds the memory.

    Returns:
        First and second sample (0-based, first < second), differing and jointly typed loci.
    """
    alleles = genotypes.alleles
    typed: Mask = np.asarray((alleles >= 0).all(axis=2))
    found: list[tuple[Counts, Counts, Counts, Counts]] = []
    for start in range(0, len(alleles), block):
        own, known = alleles[start : start + block], typed[start : start + block]
        differs = np.zeros((len(own), len(alleles)), dtype=np.int64)
        joint = np.zeros_like(differs)
        for locus in range(alleles.shape[1]):
            both = known[:, locus, None] & typed[None, :, locus]
            same: Mask = np.asarray((own[:, None, locus] == alleles[None, :, locus]).all(axis=2))
            joint += both
            differs += both & ~same
        later = np.arange(len(alleles))[None, :] > start + np.arange(len(own))[:, None]
        one, two = np.nonzero((differs <= most) & (joint >= least_typed) & later)
        found.append((one + start, two, differs[one, two], joint[one, two]))
    columns = [np.concatenate(part) for part in zip(*found, strict=True)]
    return columns[0], columns[1], columns[2], columns[3]
