"""The decision table joined to rows: what each record may leave as.

Per dataset and noun, the rows' names, properties and zones are reduced to the few combinations
that occur; each combination is decided once and remembered, then joined back by number.

Every class is *certain* or only *possible* for a row (see ``names`` and ``zones``). A row leaves
where at least one class is certain, for its own name and for every name it ever had; it leaves
at the strictest level of all that are possible. So a missing property, a doubtful name or a
place near the edge of a zone can only close.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.model.agreement import Class
from ecotone.model.dictionary import attributes
from ecotone.share import names as naming
from ecotone.share import zones
from ecotone.share.decide import Decision, coarsened, strictest
from ecotone.store.names import NAME_OF

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]

#: No class of an agreement in force names the row.
NOT_NAMED: Final = -1
#: A class may name it, but its name, property or place is missing or doubtful.
UNCLEAR: Final = -2

#: What a class by taxa does not speak for: places are as coarse as what is released there (see
#: ``anchors``). A photograph or a bare record says not what it shows: such a class is possible
#: for it and never certain. And what lies nowhere.
_OF_NO_TAXON: Final = (
    "AlarmRule", "AnalysisBatch", "Coverage", "CustodyEvent", "Deployment", "Device",
    "DeviceEvent", "Event", "QualityControl", "QualityFlag", "Sample", "Site",
)  # fmt: skip
_OF_NO_PLACE: Final = ("AnalysisBatch", "Device", "Taxon")

#: Of a zone: certain, possible.
_ANSWERS: Final = {"outside": (False, False), "possible": (False, True), "inside": (True, True)}

#: Columns that may tell the same animal or plant in other words; they only ever close.
_FURTHER: Final = (
    "genus",
    "family",
    "taxon_order",
    "taxon_class",
    "phylum",
    "kingdom",
    "vernacular_name",
    "accepted_name",
)


#: The columns a decision looks at, beside the place.
ASKED: Final = ("taxon", "name", "property", "individual", *_FURTHER)


@dataclass(frozen=True)
class Places:
    """Where rows lie for the decision: WGS 84 degrees and metres, NaN where unknown."""

    latitude: Floats
    longitude: Floats
    radius_m: Floats

    def at(self, rows: Codes) -> Places:
        """The places of some rows."""
        return Places(self.latitude[rows], self.longitude[rows], self.radius_m[rows])


@dataclass(frozen=True)
class _Case:
    """One combination that occurs among rows."""

    name: str | None
    ever: tuple[str | None, ...]
    further: tuple[str, ...]
    prop: str | None
    zones: tuple[tuple[bool, bool], ...]


class Table:
    """The decisions of one request, joined to rows of any noun."""

    def __init__(self, decisions: Sequence[Decision], names: naming.Names | None = None) -> None:
        self.decisions: list[Decision] = list(decisions)
        self._names = names or naming.Names()
        self._made: dict[tuple[int, ...], int] = {}
        self._coarse: dict[tuple[int, float], int] = {}
        self._cases: dict[tuple[str, tuple[int, ...], _Case], int] = {}
        self._given = len(self.decisions)

    def assign(self, frame: pd.DataFrame, noun: str, places: Places) -> Codes:
        """Index of the decision that governs each row; negative where it does not leave.

        ``frame`` has ``id``, ``dataset_id`` and the attributes of its noun.
        """
        governing = np.full(len(frame), NOT_NAMED, dtype=np.int64)
        codes, datasets = pd.factorize(frame["dataset_id"])
        for number, dataset in enumerate(datasets):
            mine = self._speaking(str(dataset), noun)
            if not mine:
                continue
            if len(datasets) == 1:
                return self._of_dataset(frame, noun, mine, places)
            rows = np.flatnonzero(codes == number)
            governing[rows] = self._of_dataset(frame.iloc[rows], noun, mine, places.at(rows))
        return governing

    def coarser(self, index: int, cell: float) -> int:
        """The index of a decision made as coarse as ``cell``."""
        key = (index, cell)
        if key not in self._coarse:
            self._coarse[key] = len(self.decisions)
            self.decisions.append(coarsened(self.decisions[index], cell))
        return self._coarse[key]

    def asks_places(self) -> bool:
        """Whether any decision depends on where a row lies."""
        return any(decision.zones for decision in self.decisions[: self._given])

    def lets_all_out(self, dataset: str, noun: str) -> bool:
        """Whether every row of a noun of a dataset surely leaves, now and one by one."""
        mine = [self.decisions[index] for index in self._speaking(dataset, noun)]
        rules = [decision.rule for decision in mine]
        openly = all(d.level in ("full", "generalised") for d in mine)
        at_once = not any(rule.embargo_months for rule in rules)
        return (
            openly
            and at_once
            and any(not (rule.taxa or rule.properties or rule.zones) for rule in rules)
        )

    def cells(self, governing: Codes) -> Floats:
        """The cell each row is released in; 0 where it leaves in full or not at all."""
        rules = [d.rule if d.level == "generalised" else None for d in self.decisions]
        sizes = [*((rule.cell_degrees or 0.0) if rule else 0.0 for rule in rules), 0.0]
        found: Floats = np.asarray(sizes, dtype=np.float64)[np.maximum(governing, -1)]
        return found

    def leaves(self, governing: Codes) -> NDArray[np.bool_]:
        """Rows that leave one by one: in full or generalised."""
        singly = [*(d.level in ("full", "generalised") for d in self.decisions), False]
        found: NDArray[np.bool_] = np.asarray(singly, dtype=np.bool_)[np.maximum(governing, -1)]
        return found

    def _speaking(self, dataset: str, noun: str) -> tuple[int, ...]:
        """The given decisions that can hold for a noun of a dataset at all."""
        known = attributes(noun)
        return tuple(
            index
            for index, decision in enumerate(self.decisions[: self._given])
            if decision.dataset_id == dataset
            and (not decision.rule.nouns or noun in decision.rule.nouns)
            and (not decision.rule.taxa or noun not in _OF_NO_TAXON)
            and (not decision.rule.properties or "property" in known)
            and (not decision.zones or noun not in _OF_NO_PLACE)
        )

    def _of_dataset(
        self, frame: pd.DataFrame, noun: str, mine: tuple[int, ...], places: Places
    ) -> Codes:
        rules = [self.decisions[index].rule for index in mine]
        parts = _Parts(len(frame))
        if any(rule.taxa for rule in rules):
            parts.add(_column(frame, NAME_OF.get(noun, "")))
            parts.add(self._ever(frame))
            for column in _further_columns(frame, noun):
                parts.add(_column(frame, column))
            parts.add(self._individuals(frame))
        else:
            parts.skip(2)
        named = parts.count
        parts.add(_column(frame, "property") if any(r.properties for r in rules) else None)
        zone_of = parts.count
        for index in mine:
            for zone in self.decisions[index].zones:
                parts.add(_zone_codes(zone, places, self._cell(frame)))
        codes, combinations = parts.joined()
        table = np.empty(len(combinations), dtype=np.int64)
        for number, values in enumerate(combinations):
            case = _Case(
                name=_text(values[0]),
                ever=_names(values[1]),
                further=self._told(values[0], values[2:named]),
                prop=_text(values[named]),
                zones=tuple(_ANSWERS[str(answer)] for answer in values[zone_of:]),
            )
            key = (noun, mine, case)
            if key not in self._cases:
                self._cases[key] = self._decided(mine, case)
            table[number] = self._cases[key]
        found: Codes = table[codes]
        return found

    def _cell(self, frame: pd.DataFrame) -> float:
        """The coarsest cell any class of the dataset is told in: 0 where none is."""
        dataset = str(frame["dataset_id"].iloc[0])
        return max(
            (
                decision.rule.cell_degrees or 0.0
                for decision in self.decisions[: self._given]
                if decision.dataset_id == dataset and decision.level == "generalised"
            ),
            default=0.0,
        )

    def _ever(self, frame: pd.DataFrame) -> tuple[Codes, list[object]] | None:
        """The names each record ever had, as codes; almost all have none but their own."""
        if not self._names.ever or "id" not in frame:
            return None
        values: list[object] = [None]
        known: dict[tuple[str | None, ...], int] = {}
        codes = np.zeros(len(frame), dtype=np.int64)
        several = np.flatnonzero(frame["id"].isin(list(self._names.ever)).to_numpy(dtype=bool))
        for row, identifier in zip(several, frame["id"].iloc[several].tolist(), strict=True):
            names = self._names.ever[str(identifier)]
            if names not in known:
                known[names] = len(values)
                values.append(names)
            codes[row] = known[names]
        return codes, values

    def _individuals(self, frame: pd.DataFrame) -> tuple[Codes, list[object]] | None:
        """The taxon of the individual a row is about, where the node knows it."""
        if not self._names.of_individual or "individual" not in frame:
            return None
        codes, values = _column(frame, "individual")
        dataset = str(frame["dataset_id"].iloc[0])
        told = [self._names.of_individual.get((dataset, str(value))) for value in values]
        return codes, list(told)

    def _told(self, name: object, others: Iterable[object]) -> tuple[str, ...]:
        """Names that may say the same in other words: of checklists, higher ranks, individuals."""
        own = naming.plain(_text(name)).text
        texts = [own, *(str(other) for other in others if isinstance(other, str))]
        equal = [e for text in texts for e in self._names.equal.get(naming.plain(text).text, ())]
        return tuple(sorted({*texts[1:], *equal}))

    def _decided(self, mine: tuple[int, ...], case: _Case) -> int:
        clear = True
        possible: set[int] = set()
        for name in (case.name, *case.ever):
            certain, maybe = self._holding(mine, case, name)
            clear &= bool(certain)
            possible |= maybe
        if not possible:
            return NOT_NAMED
        return self._made_of(tuple(sorted(possible))) if clear else UNCLEAR

    def _holding(
        self, mine: tuple[int, ...], case: _Case, name: str | None
    ) -> tuple[set[int], set[int]]:
        """The decisions that are certain, and those that are possible, under one name."""
        certain, possible = set(), set()
        place = iter(case.zones)
        for index in mine:
            decision = self.decisions[index]
            where = [next(place) for _ in decision.zones]
            sure, maybe = _holds(decision.rule, name, case, where)
            if sure:
                certain.add(index)
            if maybe:
                possible.add(index)
        return certain, possible

    def _made_of(self, indices: tuple[int, ...]) -> int:
        if len(indices) == 1:
            return indices[0]
        if indices not in self._made:
            self._made[indices] = len(self.decisions)
            self.decisions.append(strictest([self.decisions[i] for i in indices]))
        return self._made[indices]


class _Parts:
    """Columns of codes, joined to one code per combination that occurs."""

    def __init__(self, rows: int) -> None:
        self._codes: Codes = np.zeros(rows, dtype=np.int64)
        self._found: list[tuple[object, ...]] = [()]
        self.count = 0

    def skip(self, number: int) -> None:
        """Columns that say nothing here."""
        for _ in range(number):
            self.add(None)

    def add(self, part: tuple[Codes, list[object]] | None) -> None:
        """One more column: codes into values; None for one that is empty everywhere."""
        self.count += 1
        codes, values = part or (np.zeros(len(self._codes), dtype=np.int64), [None])
        if len(values) == 1:
            self._found = [(*known, values[0]) for known in self._found]
            return
        mixed, pairs = pd.factorize(self._codes * len(values) + codes)
        self._codes = mixed.astype(np.int64)
        self._found = [
            (*self._found[pair // len(values)], values[pair % len(values)])
            for pair in np.asarray(pairs, dtype=np.int64).tolist()
        ]

    def joined(self) -> tuple[Codes, list[tuple[object, ...]]]:
        """The code of each row, and what each code stands for."""
        return self._codes, self._found


def _holds(
    rule: Class, name: str | None, case: _Case, where: Sequence[tuple[bool, bool]]
) -> tuple[bool, bool]:
    """Whether a class is certain, and whether it is possible, for a case under one name."""
    sure = maybe = True
    if rule.taxa:
        sure, maybe = naming.holds(rule, name)
        maybe = maybe or naming.told_by(rule, case.further)
    if rule.properties:
        known = case.prop in rule.properties
        sure, maybe = sure and known, maybe and (known or case.prop is None)
    if rule.zones:
        sure = sure and any(certain for certain, _ in where)
        maybe = maybe and any(possible for _, possible in where)
    return sure, maybe


def _further_columns(frame: pd.DataFrame, noun: str) -> list[str]:
    known = attributes(noun)
    return [name for name in _FURTHER if name in known and name in frame]


def _column(frame: pd.DataFrame, name: str) -> tuple[Codes, list[object]]:
    """A text column as codes; missing is None, and so is a column that is not there."""
    if name not in frame or not frame[name].notna().any():
        return np.zeros(len(frame), dtype=np.int64), [None]
    codes, values = pd.factorize(frame[name], use_na_sentinel=False)
    texts: list[object] = [value if isinstance(value, str) else None for value in values]
    return codes.astype(np.int64), texts


def _zone_codes(zone: zones.Zone, places: Places, cell: float) -> tuple[Codes, list[object]]:
    bounds = zones.cells_around(places.latitude, places.longitude, places.radius_m, cell)
    certain, possible = zones.inside(zone, bounds)
    return possible.astype(np.int64) + certain.astype(np.int64), list(_ANSWERS)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _names(value: object) -> tuple[str | None, ...]:
    return value if isinstance(value, tuple) else ()
