"""A session and a model's formulas made into the arrays the compiled likelihood works on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.special import gammaln

from ecotone.science.wildlife import secr_kernels as kernels
from ecotone.science.wildlife.formula import names_in
from ecotone.science.wildlife.model_matrix import Design, bind
from ecotone.science.wildlife.survey import Captures, Counts, Floats, Session

#: Responses to detection: of the animal, for good (b) or until the next occasion (B), and the
#: same at the detector where it happened (bk, Bk).
BEHAVIOURS: Final = ("b", "B", "bk", "Bk")
#: Names that stand for the occasion.
TIMES: Final = ("t", "T")


@dataclass(frozen=True)
class Slots:
    """Arrays of one session, named as in ``secr_kernels.session``, and what its data add.

    Attributes:
        designs: for each detection parameter, (classes, slots, coefficients).
        density: (cells, coefficients).
        share: (coefficients,) of the share of the second class.
        constant: what the log-likelihood has that no parameter moves.
        slot_of: (states x occasions or 1 x detectors,) the slot of each.
    """

    session: Session
    classes: int
    designs: Mapping[str, Floats]
    density: Floats
    share: Floats
    xy: Floats
    kind: int
    base: Floats
    more: csr_array
    exposure: Counts
    known_class: Counts
    pointer: Counts
    term: Counts
    count: Floats
    term_slot: Counts
    term_effort: Floats
    rival_pointer: Counts
    rival: Counts
    rivals: csr_array
    constant: float
    slot_of: Counts


def bind_all(
    sessions: Sequence[Session],
    formulas: Mapping[str, str],
    density: str,
    share: str,
    class_names: Sequence[str],
) -> tuple[dict[str, Design], Design, Design | None]:
    """Formulas bound to all sessions together, so that they share levels and scales.

    Raises FormulaError for a column that is not there.
    """
    used = {name for formula in formulas.values() for name in names_in(formula)}
    frames = [detection_frame(s, sessions, used, class_names)[0] for s in sessions]
    designs = {name: bind(formula, frames) for name, formula in formulas.items()}
    masks = [density_frame(s, sessions) for s in sessions]
    shares = [session_frame(s, sessions) for s in sessions]
    return (
        designs,
        bind(density, masks),
        bind(share, shares) if len(class_names) == 2 else None,
    )


def session_frame(session: Session, sessions: Sequence[Session]) -> dict[str, NDArray[Any]]:
    """Columns of a session, one row."""
    index = next(i for i, s in enumerate(sessions) if s is session)
    return {
        "session": np.array([session.name], dtype=object),
        "Session": np.array([float(index)]),
        **{name: np.array([value]) for name, value in session.covariates.items()},
    }


def density_frame(session: Session, sessions: Sequence[Session]) -> dict[str, NDArray[Any]]:
    """Columns of the mask; ``x`` and ``y`` as distances from its middle in its own spread."""
    cells = len(session.mask.xy)
    frame = {n: np.repeat(v, cells) for n, v in session_frame(session, sessions).items()}
    every = np.concatenate([s.mask.xy for s in sessions])
    middle, spread = every.mean(axis=0), every.std(axis=0, ddof=1) if len(every) > 1 else 1.0
    scaled = (session.mask.xy - middle) / np.where(spread > 0, spread, 1.0)
    frame |= {"x": scaled[:, 0], "y": scaled[:, 1]}
    return frame | dict(session.mask.covariates)


def detection_frame(
    session: Session, sessions: Sequence[Session], used: set[str], class_names: Sequence[str]
) -> tuple[dict[str, NDArray[Any]], tuple[int, int, int, int], tuple[str, ...]]:
    """Columns over (class, state, occasion, detector), that shape, and the states' names."""
    behaviours = tuple(name for name in BEHAVIOURS if name in used)
    timed = any(name in used for name in (*TIMES, *session.occasion_covariates))
    occasions = session.detectors.occasions if timed else 1
    detectors = len(session.detectors.xy)
    shape = (len(class_names), 2 ** len(behaviours), occasions, detectors)
    axes = np.indices(shape).reshape(4, -1)
    frame: dict[str, NDArray[Any]] = {
        name: np.repeat(value, axes.shape[1])
        for name, value in session_frame(session, sessions).items()
    }
    frame["h2"] = np.array(class_names, dtype=object)[axes[0]]
    for bit, name in enumerate(behaviours):
        frame[name] = ((axes[1] >> bit) & 1).astype(np.float64)
    if timed:
        frame["t"] = np.array([str(k + 1) for k in range(occasions)], dtype=object)[axes[2]]
        frame["T"] = axes[2].astype(np.float64)
        frame |= {n: np.asarray(v)[axes[2]] for n, v in session.occasion_covariates.items()}
    frame |= {n: np.asarray(v)[axes[3]] for n, v in session.detectors.covariates.items()}
    return frame, shape, behaviours


def build(
    session: Session,
    sessions: Sequence[Session],
    designs: Mapping[str, Design],
    density: Design,
    share: Design | None,
    class_names: Sequence[str],
) -> Slots:
    """The arrays of one session under bound formulas."""
    used = {name for design in designs.values() for name in names_in(design.text)}
    frame, shape, behaviours = detection_frame(session, sessions, used, class_names)
    classes, states, timed, detectors = shape
    rows = int(np.prod(shape))
    matrices = {name: design.matrix(frame, rows) for name, design in designs.items()}
    by_class = [
        m.reshape(classes, -1, m.shape[1]).transpose(1, 0, 2).reshape(rows // classes, -1)
        for m in matrices.values()
    ]
    where = np.tile(np.arange(detectors), states * timed)
    _, first, slot = np.unique(
        np.column_stack([where, *by_class]), axis=0, return_index=True, return_inverse=True
    )
    slot_of = slot.reshape(states, timed, detectors)
    cells = len(session.mask.xy)
    effort = session.detectors.usage * (session.size or 1)
    history = _History(session, behaviours, slot_of, effort, len(first))
    known = np.full(session.captures.animals, -1) if classes == 1 else session.known_class
    return Slots(
        session=session,
        classes=classes,
        designs={
            name: m.reshape(classes, -1, m.shape[1])[:, first] for name, m in matrices.items()
        },
        density=density.matrix(density_frame(session, sessions), cells),
        share=np.empty(0)
        if share is None
        else share.matrix(session_frame(session, sessions), 1)[0],
        xy=session.detectors.xy[where[first]],
        known_class=np.full(session.captures.animals, -1) if known is None else known,
        slot_of=slot,
        **history.arrays(),
    )


class _History:
    """Exposures, detections and occasions of one session, on its slots."""

    def __init__(
        self,
        session: Session,
        behaviours: tuple[str, ...],
        slot_of: Counts,
        effort: Floats,
        slots: int,
    ) -> None:
        self.session = session
        self.captures = session.captures
        self.behaviours = behaviours
        self.slot_of = slot_of
        self.effort = effort
        self.slots = slots

    def arrays(self) -> dict[str, Any]:
        """All that ``Slots`` needs of the histories."""
        base, more, exposure, states = self.exposures()
        kind, arrays, constant = self.detections(states)
        return {
            "base": base,
            "more": more,
            "exposure": exposure,
            "kind": kind,
            "constant": constant - _alike(self.captures),
            **arrays,
            **self.rivals(),
        }

    def slots_at(self, occasion: int) -> Counts:
        """(states, detectors) slots on an occasion."""
        found: Counts = self.slot_of[:, min(occasion, self.slot_of.shape[1] - 1)]
        return found

    def walk(self) -> _Walk:
        return _Walk(self.session, self.behaviours)

    def exposures(self) -> tuple[Floats, csr_array, Counts, Counts]:
        """Effort of an animal never detected; what is added to it, by kind of animal."""
        base = np.zeros(self.slots)
        rows: list[Counts] = []
        columns: list[Counts] = []
        values: list[Floats] = []
        states = np.zeros(len(self.captures.animal), dtype=np.int64)
        walk = self.walk()
        for k in range(self.session.detectors.occasions):
            slots, effort = self.slots_at(k), self.effort[:, k]
            np.add.at(base, slots[0], effort)
            state, gone = walk.state, walk.gone(k)
            now = self.captures.occasion == k
            states[now] = state[self.captures.animal[now], self.captures.detector[now]]
            animal, detector = np.nonzero(((state > 0) | gone[:, None]) & (effort > 0))
            there = ~gone[animal]
            rows += [animal, animal[there]]
            columns += [
                slots[0, detector],
                slots[state[animal[there], detector[there]], detector[there]],
            ]
            values += [-effort[detector], effort[detector[there]]]
            walk.step(k)
        shape = (self.captures.animals, self.slots)
        table = coo_array(
            (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape
        ).tocsr()
        table.data[np.abs(table.data) < 1e-12 * max(1.0, float(self.effort.max()))] = 0.0
        table.eliminate_zeros()
        kinds, exposure = _distinct_rows(table)
        return base, kinds, exposure, states

    def detections(self, states: Counts) -> tuple[int, dict[str, Any], float]:
        """Terms of the detections, each animal's own, and their constant."""
        c = self.captures
        effort = self.session.detectors.usage[c.detector, c.occasion]
        occasion = np.minimum(c.occasion, self.slot_of.shape[1] - 1)
        slot = self.slot_of[states, occasion, c.detector]
        kind = kernels.LOG_HAZARD
        constant = 0.0
        if self.session.kind == "multi":
            constant = float(np.log(effort).sum())
        elif self.session.kind == "count" and not self.session.size:
            constant = float((c.count * np.log(effort) - gammaln(c.count + 1.0)).sum())
        else:
            kind = kernels.LOG_ODDS
            size = self.session.size or 1
            chosen = gammaln(size + 1.0) - gammaln(c.count + 1.0) - gammaln(size - c.count + 1.0)
            constant = float(chosen.sum())
        apart = effort if kind == kernels.LOG_ODDS else np.ones(len(slot))
        terms, term = np.unique(np.stack([slot, apart]), axis=1, return_inverse=True)
        keys, row = np.unique(c.animal * max(1, terms.shape[1]) + term, return_inverse=True)
        animal = keys // max(1, terms.shape[1])
        arrays = {
            "term_slot": terms[0].astype(np.int64),
            "term_effort": terms[1],
            "term": keys % max(1, terms.shape[1]),
            "count": np.bincount(row, c.count.astype(np.float64), len(keys)),
            "pointer": np.searchsorted(animal, np.arange(c.animals + 1)),
        }
        return kind, arrays, constant

    def rivals(self) -> dict[str, Any]:
        """Occasions on which detectors competed for an animal that was detected (multi)."""
        c = self.captures
        if self.session.kind != "multi":
            return {
                "rival_pointer": np.zeros(c.animals + 1, dtype=np.int64),
                "rival": np.empty(0, dtype=np.int64),
                "rivals": csr_array((0, self.slots)),
            }
        tables, animals = [csr_array((0, self.slots))], [np.empty(0, dtype=np.int64)]
        walk = self.walk()
        detectors = np.arange(len(self.effort))
        for k in range(self.session.detectors.occasions):
            animal = c.animal[c.occasion == k]
            slot = self.slots_at(k)[walk.state[animal], detectors]
            row = np.repeat(np.arange(len(animal)), len(detectors))
            value = np.tile(self.effort[:, k], len(animal))
            shape = (len(animal), self.slots)
            table = coo_array((value, (row, slot.ravel())), shape=shape).tocsr()
            table.eliminate_zeros()
            rows, which = _distinct_rows(table, empty_first=False)
            animals.append(animal)
            tables.append(rows[which] if len(animal) else rows)
            walk.step(k)
        from scipy.sparse import vstack

        rows, which = _distinct_rows(csr_array(vstack(tables)), empty_first=False)
        animal = np.concatenate(animals)
        order = np.argsort(animal, kind="stable")
        return {
            "rival_pointer": np.searchsorted(animal[order], np.arange(c.animals + 1)),
            "rival": which[order],
            "rivals": rows,
        }


class _Walk:
    """The behaviour state of each animal at each detector, occasion after occasion."""

    def __init__(self, session: Session, behaviours: tuple[str, ...]) -> None:
        self.captures = session.captures
        self.behaviours = behaviours
        shape = (self.captures.animals, len(session.detectors.xy))
        self.state = np.zeros(shape, dtype=np.int64)
        removed = self.captures.removed_after
        never = np.iinfo(np.int64).max
        self.last = (
            np.full(shape[0], never)
            if removed is None
            else np.where(removed < 0, never, removed).astype(np.int64)
        )

    def gone(self, occasion: int) -> NDArray[np.bool_]:
        """Animals removed before an occasion."""
        return np.asarray(self.last < occasion)

    def step(self, occasion: int) -> None:
        """Let the animals detected on an occasion remember it."""
        if not self.behaviours:
            return
        now = self.captures.occasion == occasion
        animal, detector = self.captures.animal[now], self.captures.detector[now]
        for bit, name in enumerate(self.behaviours):
            if name in ("B", "Bk"):
                self.state &= ~(1 << bit)
            if name in ("b", "B"):
                self.state[animal] |= 1 << bit
            else:
                self.state[animal, detector] |= 1 << bit


def _distinct_rows(table: csr_array, *, empty_first: bool = True) -> tuple[csr_array, Counts]:
    """Distinct rows of a sparse table and the row of each; an empty row stands first."""
    table.sum_duplicates()
    table.sort_indices()
    # Equal rows give equal sums; two random weights tell others apart for certain enough.
    weights = np.random.default_rng(20261121).standard_normal((table.shape[1], 2))
    signature = table @ weights
    if empty_first:
        signature = np.concatenate([np.full((1, 2), -np.inf), signature])
        signature[1:][np.diff(table.indptr) == 0] = -np.inf
        table = csr_array(
            (table.data, table.indices, np.concatenate([[0], table.indptr])),
            shape=(table.shape[0] + 1, table.shape[1]),
        )
    _, first, inverse = np.unique(signature, axis=0, return_index=True, return_inverse=True)
    which = inverse.ravel()
    return csr_array(table[first]), which[1:] if empty_first else which


def _alike(captures: Captures) -> float:
    """Sum of log n! over groups of n identical histories."""
    if captures.animals == 0:
        return 0.0
    cells = np.stack([captures.occasion, captures.detector])
    _, cell = np.unique(cells, axis=1, return_inverse=True)
    table = coo_array(
        (captures.count.astype(np.float64), (captures.animal, cell.ravel())),
        shape=(captures.animals, int(cell.max()) + 1),
    ).tocsr()
    table.sort_indices()
    weights = np.random.default_rng(20261121).standard_normal((table.shape[1], 2))
    signature = np.asarray(table @ weights)
    if captures.removed_after is not None:
        signature = np.column_stack([signature, captures.removed_after])
    _, groups = np.unique(signature, axis=0, return_counts=True)
    return float(gammaln(groups + 1.0).sum())
