"""Captures, detectors, mask and individuals read into sessions of spatial capture-recapture."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast, get_args

import numpy as np
import pandas as pd
from scipy.spatial import KDTree

from ecotone.assess.indicators.reading import Notes
from ecotone.assess.indicators.wildlife_identities import decided, read_decisions
from ecotone.assess.indicators.wildlife_reading import (
    Problems,
    covariate,
    is_missing,
    numbers,
    read_columns,
)
from ecotone.model.errors import UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.words import say
from ecotone.science.wildlife import Captures, Detectors, Mask, Session, cell_area
from ecotone.science.wildlife.individuals import contradictions, in_dispute, merged
from ecotone.science.wildlife.survey import DetectorKind

_CAPTURES: Final = ("session", "id", "occasion", "detector", "x", "y", "count")
_DETECTORS: Final = ("session", "detector", "x", "y")
_MASK: Final = ("session", "x", "y")
USAGE: Final = re.compile(r"usage[ ._-]?(\d+)", re.IGNORECASE)
_UNKNOWN: Final = frozenset({"u", "unknown", "unk", "?", "nk"})
#: Largest number of occasions a table may claim: beyond this it is a mistake in a cell.
_MOST_OCCASIONS: Final = 10_000


@dataclass(frozen=True)
class Asked:
    """What the parameters say about the data.

    Attributes:
        kind: multi, proximity or count.
        occasions: number of occasions, None where the data tell.
        trials: trials of a binomial count; 0 for Poisson.
        classes: column of individuals that tells the class, ``h2`` for unknown ones, or None.
        session: the one session wanted; None for all.
        disputed: what becomes of identities in dispute: apart, same or left-out.
    """

    kind: DetectorKind
    occasions: int | None
    trials: int
    classes: str | None
    session: str | None
    disputed: str = "apart"


@dataclass(frozen=True)
class Survey:
    """Sessions, the names of the animals' classes, none or two, and of the animals."""

    sessions: tuple[Session, ...]
    classes: tuple[str, ...]
    animals: tuple[tuple[str, ...], ...] = ()  #: names of each session's animals, in their order


def read_survey(inputs: dict[str, Path], asked: Asked, notes: Notes) -> Survey:
    """Sessions from the tables.

    Raises RefusedTable with every problem of every row at once.
    """
    problems = Problems()
    reader = _Reader(inputs, asked, notes, problems)
    reader.read()
    problems.stop()
    return reader.survey()


class _Reader:
    def __init__(
        self, inputs: dict[str, Path], asked: Asked, notes: Notes, problems: Problems
    ) -> None:
        self.inputs, self.asked, self.notes, self.problems = inputs, asked, notes, problems
        self.classes: tuple[str, ...] = ()
        self.class_of: dict[str, int] = {}
        self.name_of: dict[str, str] = {}
        self.animals: dict[str, tuple[str, ...]] = {}

    def read(self) -> None:
        self.detectors = self._detectors()
        self.mask = self._mask()
        self.captures = self._captures()
        if "decisions" in self.inputs:
            self.captures = self._one_animal_once(self.captures)
        if self.asked.classes == "h2":
            self.classes = ("1", "2")
        elif self.asked.classes:
            self._individuals(self.asked.classes)

    # --- tables ----------------------------------------------------------------------

    def _detectors(self) -> pd.DataFrame:
        path = self.inputs["detectors"]
        frame = read_columns(
            path, _DETECTORS, ("detector", "x", "y"), ("detector", "x", "y"), self.notes
        )
        self.usage = sorted(
            (c for c in frame.columns if USAGE.fullmatch(c)),
            key=lambda c: int(USAGE.fullmatch(c)[1]),  # type: ignore[index]  # matched above
        )
        for name in ("x", "y", *self.usage):
            frame[name] = numbers(frame, name, path, self.problems)
        for name in self.usage:
            self.problems.rows("wildlife-effort-negative", path, frame[frame[name] < 0], name)
        keys = ["session", "detector"] if "session" in frame else ["detector"]
        frame["detector"] = frame["detector"].astype(str).str.strip()
        twice = frame[frame.duplicated(keys)]
        self.problems.rows("wildlife-detector-twice", path, twice, "detector")
        return frame

    def _mask(self) -> pd.DataFrame:
        path = self.inputs["mask"]
        frame = read_columns(path, _MASK, ("x", "y"), ("x", "y"), self.notes)
        for name in ("x", "y"):
            frame[name] = numbers(frame, name, path, self.problems)
        keys = ["session", "x", "y"] if "session" in frame else ["x", "y"]
        self.problems.rows("wildlife-cell-twice", path, frame[frame.duplicated(keys)], "x")
        return frame

    def _captures(self) -> pd.DataFrame:
        path = self.inputs["captures"]
        positions = ("session", "id", "occasion", "detector")
        frame = read_columns(path, _CAPTURES, ("id", "occasion"), positions, self.notes)
        empty = is_missing(frame["id"])
        self.problems.rows("wildlife-id-missing", path, frame[empty], "id")
        frame["id"] = frame["id"].astype(str).str.strip()
        frame["occasion"] = numbers(frame, "occasion", path, self.problems, whole=True)
        if "count" in frame:
            frame["count"] = numbers(frame, "count", path, self.problems, whole=True)
        else:
            frame["count"] = 1.0
        if "detector" in frame:
            frame["detector"] = frame["detector"].astype(str).str.strip()
        elif {"x", "y"} <= set(frame.columns):
            frame["detector"] = self._at_places(frame, path)
        else:
            self.problems.add("wildlife-detector-column", path, field="detector")
            frame["detector"] = ""
        # secr marks an animal that did not go back by a minus.
        frame["removed"] = (frame["occasion"] < 0) | (frame["count"] < 0)
        frame["occasion"] = frame["occasion"].abs()
        frame["count"] = frame["count"].abs()
        frame = frame[frame["count"] != 0]
        far = frame[(frame["occasion"] < 1) | (frame["occasion"] > _MOST_OCCASIONS)]
        self.problems.rows("wildlife-occasion-outside", path, far, "occasion", occasions="")
        return frame

    def _one_animal_once(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Captures under the animals that observers made of the identities."""
        rows = read_decisions([self.inputs["decisions"]], self.problems, self.notes)
        ids = list(dict.fromkeys(frame["id"]))
        told = decided(rows, ids, self.notes)
        together = self.asked.disputed == "same"
        animal = merged(len(ids), told, disputed=together)
        for pair in contradictions(animal, told):
            params = {"first": ids[pair.first], "second": ids[pair.second]}
            self.notes.add(
                Finding("wildlife-identity-contradiction", Severity.WARNING, params=params)
            )
        first = {a: ids[k] for k, a in reversed(list(enumerate(animal.tolist())))}
        self.name_of = {name: first[a] for name, a in zip(ids, animal.tolist(), strict=True)}
        doubtful = in_dispute(len(ids), told)
        params = {
            "identities": str(len(ids)),
            "animals": str(len(first)),
            "disputed": str(int(doubtful.sum())),
        }
        self.notes.add(Finding("wildlife-identities-merged", Severity.INFO, params=params))
        if self.asked.disputed == "left-out":
            gone = {first[a] for a in animal[doubtful].tolist()}
            frame = frame[~frame["id"].map(self.name_of).isin(gone)]
        return frame.assign(id=frame["id"].map(self.name_of))

    def _at_places(self, frame: pd.DataFrame, path: Path) -> pd.Series:
        """Detectors of captures told by coordinates."""
        place = pd.DataFrame({n: numbers(frame, n, path, self.problems) for n in ("x", "y")})
        known = self.detectors.drop_duplicates(["x", "y"])[["x", "y", "detector"]]
        found = place.merge(known, on=["x", "y"], how="left")["detector"]
        return pd.Series(found.fillna("").to_numpy(), index=frame.index)

    def _individuals(self, column: str) -> None:
        path = self.inputs.get("individuals")
        if path is None:
            raise UsageError(say("assess.wildlife.mixture-no-individuals", column=column))
        frame = read_columns(path, ("id",), ("id",), ("id", column), self.notes)
        if column not in frame:
            given = ", ".join(c for c in frame.columns if c != "row")
            raise UsageError(say("assess.wildlife.mixture-column", column=column, given=given))
        frame["id"] = frame["id"].astype(str).str.strip()
        frame["id"] = [self.name_of.get(name, name) for name in frame["id"]]
        words = frame[column].astype(str).str.strip()
        unknown = is_missing(frame[column]) | words.str.casefold().isin(_UNKNOWN)
        told = pd.DataFrame({"id": frame["id"], "word": words, "row": frame["row"]})[~unknown]
        self.classes = tuple(sorted(told["word"].unique()))
        if len(self.classes) != 2:
            raise UsageError(
                say(
                    "assess.wildlife.mixture-classes",
                    column=column,
                    count=len(self.classes),
                    classes=", ".join(self.classes[:10]),
                )
            )
        both = told.groupby("id")["word"].transform("nunique") > 1
        clash = told[both].rename(columns={"word": column})
        self.problems.rows("wildlife-class-differs", path, clash, column)
        self.class_of = {
            i: self.classes.index(w) for i, w in zip(told["id"], told["word"], strict=True)
        }
        absent = sorted(set(self.captures["id"]) - set(frame["id"]))
        if absent:
            params = {"count": str(len(absent)), "ids": ", ".join(absent[:5])}
            self.notes.add(Finding("wildlife-class-unknown", Severity.INFO, params=params))

    # --- sessions ----------------------------------------------------------------------

    def survey(self) -> Survey:
        names = ["1"]
        if "session" in self.captures:
            every = self.captures["session"].astype(str).str.strip()
            self.captures = self.captures.assign(session=every)
            names = sorted(every.unique(), key=_numbered)
        if self.asked.session is not None:
            if self.asked.session not in names:
                raise UsageError(
                    say(
                        "assess.wildlife.session-unknown",
                        session=self.asked.session,
                        known=", ".join(names[:20]),
                    )
                )
            names = [self.asked.session]
        sessions = [self._session(name) for name in names]
        self.problems.stop()
        kept = tuple(s for s in sessions if s is not None)
        return Survey(kept, self.classes, tuple(self.animals[s.name] for s in kept))

    def _of(self, frame: pd.DataFrame, name: str) -> pd.DataFrame:
        if "session" not in frame:
            return frame
        own = frame["session"].astype(str).str.strip()
        return frame[own == name] if (own == name).any() else frame[own == ""]

    def _session(self, name: str) -> Session | None:
        captures, detectors = self._of(self.captures, name), self._of(self.detectors, name)
        mask = self._of(self.mask, name)
        kind = self._kind(detectors)
        occasions = self._occasions(captures, name)
        captures = self._checked(captures, detectors, occasions, kind)
        if captures is None or len(mask) < 2 or len(detectors) == 0:
            if len(mask) < 2:
                self.problems.add("wildlife-mask-small", self.inputs["mask"], session=name)
            return None
        xy = mask[["x", "y"]].to_numpy(np.float64)
        self._beside_mask(xy, detectors)
        usage = (
            detectors[self.usage].to_numpy(np.float64)[:, :occasions]
            if self.usage
            else np.ones((len(detectors), occasions))
        )
        ids, animal = np.unique(captures["id"].to_numpy(dtype=str), return_inverse=True)
        self.animals[name] = tuple(map(str, ids))
        place = {d: k for k, d in enumerate(detectors["detector"])}
        occasion = captures["occasion"].to_numpy(np.int64) - 1
        removed = captures["removed"].to_numpy(bool)
        last = np.full(len(ids), -1)
        last[animal[removed]] = occasion[removed]
        try:
            return Session(
                kind,
                Detectors(
                    detectors[["x", "y"]].to_numpy(np.float64),
                    usage,
                    self._covariates(detectors, ("detector", *self.usage)),
                ),
                Mask(xy, cell_area(xy), self._covariates(mask, ())),
                Captures(
                    len(ids),
                    animal,
                    occasion,
                    captures["detector"].map(place).to_numpy(np.int64),
                    captures["count"].to_numpy(np.int64),
                    last if removed.any() else None,
                ),
                name=name,
                known_class=np.array([self.class_of.get(i, -1) for i in ids])
                if self.classes and self.asked.classes != "h2"
                else None,
                size=self.asked.trials if kind == "count" else 0,
            )
        except ValueError as error:
            self.problems.add("wildlife-session", self.inputs["captures"], why=str(error))
            return None

    def _beside_mask(self, xy: np.ndarray, detectors: pd.DataFrame) -> None:
        """Detectors that lie in no cell: the mask was cut through the survey."""
        side = 100.0 * float(np.sqrt(cell_area(xy)))
        far = np.asarray(KDTree(xy).query(detectors[["x", "y"]].to_numpy(np.float64))[0])
        for row, name in detectors.loc[far > 1.5 * side, ["row", "detector"]].itertuples(
            index=False
        ):
            self.notes.add(
                Finding(
                    "wildlife-detector-off-mask",
                    Severity.WARNING,
                    row=int(row),
                    field="detector",
                    value=str(name),
                    file=self.inputs["detectors"].name,
                )
            )

    def _kind(self, detectors: pd.DataFrame) -> DetectorKind:
        """A session's own kind of detector where a column ``kind`` tells it, else the one asked."""
        if "kind" not in detectors:
            return self.asked.kind
        words = detectors["kind"].astype(str).str.strip().str.casefold().replace("single", "multi")
        if not words.isin(get_args(DetectorKind)).all():
            return self.asked.kind  # a covariate of the detectors under this name
        if words.nunique() > 1:
            other = detectors[words != words.iat[0]]
            self.problems.rows("wildlife-kinds-mixed", self.inputs["detectors"], other, "kind")
        return cast(DetectorKind, words.iat[0])

    def _covariates(self, frame: pd.DataFrame, besides: tuple[str, ...]) -> dict[str, np.ndarray]:
        leave = {"row", "x", "y", "session", *besides}
        return {c: covariate(frame[c]).to_numpy() for c in frame.columns if c not in leave}

    def _occasions(self, captures: pd.DataFrame, name: str) -> int:
        if self.asked.occasions is not None:
            if self.usage and len(self.usage) < self.asked.occasions:
                self.problems.add(
                    "wildlife-usage-short",
                    self.inputs["detectors"],
                    count=str(len(self.usage)),
                    occasions=str(self.asked.occasions),
                )
            return self.asked.occasions
        if self.usage:
            return len(self.usage)
        most = int(captures["occasion"].max())
        params = {"occasions": str(most), "session": name}
        self.notes.add(Finding("wildlife-occasions-assumed", Severity.WARNING, params=params))
        return most

    def _checked(
        self,
        captures: pd.DataFrame,
        detectors: pd.DataFrame,
        occasions: int,
        kind: DetectorKind,
    ) -> pd.DataFrame | None:
        """Captures that fit their detectors; None, and problems, where some do not."""
        path, before = self.inputs["captures"], self.problems.notes.counts.total()
        unknown = captures[~captures["detector"].isin(set(detectors["detector"]))]
        self.problems.rows("wildlife-detector-unknown", path, unknown, "detector")
        late = captures[captures["occasion"] > occasions]
        self.problems.rows(
            "wildlife-occasion-outside", path, late, "occasion", occasions=str(occasions)
        )
        if self.problems.notes.counts.total() > before:
            return None
        if self.usage:
            index = {d: k for k, d in enumerate(detectors["detector"])}
            effort = detectors[self.usage].to_numpy(np.float64)
            at = captures["detector"].map(index).to_numpy(np.int64)
            idle = captures[effort[at, captures["occasion"].to_numpy(np.int64) - 1] <= 0]
            self.problems.rows("wildlife-detection-without-effort", path, idle, "detector")
        captures = self._merged(captures, path, kind)
        return None if self.problems.notes.counts.total() > before else captures

    def _merged(self, captures: pd.DataFrame, path: Path, kind: DetectorKind) -> pd.DataFrame:
        """One row an animal, occasion and detector, as the kind of detector has it."""
        keys = ["id", "occasion", "detector"]
        merged = captures.groupby(keys, sort=True, as_index=False).agg(
            count=("count", "sum"), removed=("removed", "any"), row=("row", "first")
        )
        if kind == "count":
            over = merged[(merged["count"] > self.asked.trials) & (self.asked.trials > 0)]
            trials = str(self.asked.trials)
            self.problems.rows("wildlife-count-above-trials", path, over, "count", trials=trials)
        elif (merged["count"] > 1).any():
            several = str(int((merged["count"] > 1).sum()))
            self.notes.add(
                Finding("wildlife-counts-as-one", Severity.WARNING, params={"count": several})
            )
            merged["count"] = 1
        if kind == "multi":
            twice = merged[merged.duplicated(["id", "occasion"])]
            self.problems.rows("wildlife-two-detectors", path, twice, "id")
        last = merged[merged["removed"]].groupby("id")["occasion"].min()
        after = merged[merged["occasion"] > merged["id"].map(last).fillna(_MOST_OCCASIONS + 1)]
        self.problems.rows("wildlife-after-removal", path, after, "id")
        return merged


def _numbered(name: str) -> tuple[int, float, str]:
    try:
        return 0, float(name), name
    except ValueError:
        return 1, 0.0, name
