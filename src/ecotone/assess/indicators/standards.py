"""Standards as data: which property may hold which values, by which version of which rule."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final, Literal

import pandas as pd

from ecotone.assess.indicators.properties import named_water, property_key, usual_basis
from ecotone.assess.indicators.reading import (
    Notes,
    attributes,
    headers_of,
    plain,
    read_table,
    read_whole,
)
from ecotone.model.errors import InputRefused, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.words import say

Kind = Literal["maximum", "minimum", "range"]

_COLUMNS: Final = (
    "standard", "version", "property", "basis", "unit", "limit", "limit_sense", "minimum",
    "maximum", "statistic", "grade", "water", "verified", "use",
)  # fmt: skip
#: Columns that hold the limits of one class each: ``class_III``, ``Class 3``, ``III类``.
_CLASS: Final = re.compile(
    r"(?:class|класс)[_ ]?(I{1,3}|IV|V|[1-5])|(I{1,3}|IV|V|[1-5])[_ ]?(?:类|класс)", re.IGNORECASE
)
_ROMAN: Final = {"1": "I", "2": "II", "3": "III", "4": "IV", "5": "V"}
#: Classes, best first.
GRADES: Final = ("I", "II", "III", "IV", "V")
#: The class held to where none is named: the least that serves as a source of drinking water.
USUAL_GRADE: Final = "III"
_UNCHECKED: Final = frozenset({"false", "no", "0", "нет", "否", "unverified"})
_MAXIMUM: Final = frozenset({"maximum", "max", "upper", "<=", "≤", "<", "не более", "上限"})
_MINIMUM: Final = frozenset({"minimum", "min", "lower", ">=", "≥", ">", "не менее", "下限"})
#: Limits of single results; limits of means or percentiles need other methods.
_EACH: Final = frozenset({"", "each", "single", "any", "maximum", "instantaneous"})
#: A rule that some share of results may break: "90th percentile", "p95", "95-й процентиль".
_PERCENTILE: Final = re.compile(
    r"p?\s*(\d{2})(?:\s*%|th|-?й)?\s*(?:percentile|%ile|perc\.?|процентиль|百分位数?)?",
    re.IGNORECASE,
)
_NUMBER: Final = r"[+-]?\d*[.,]?\d+(?:[eE][+-]?\d+)?"
_RANGE: Final = re.compile(rf"({_NUMBER})\s*(?:-|–|—|\.\.|to|до|至|~)\s*({_NUMBER})")


@dataclass(frozen=True)
class Limit:
    """One limit of one standard; NaN for a side that is open."""

    standard: str
    version: str
    name: str
    key: str
    unit: str
    basis: str
    minimum: float
    maximum: float
    grade: str = ""
    water: str = ""
    verified: bool = True
    use: str = ""
    allowed: float = 0.0  #: share of results that may break it (a percentile rule)

    @property
    def kind(self) -> Kind:
        """Maximum, minimum or range."""
        if self.minimum != self.minimum:
            return "maximum"
        return "minimum" if self.maximum != self.maximum else "range"

    def text(self) -> str:
        """The limit as printed: ``10`` or ``6.5-8.5``."""
        sides = [f"{x:.12g}" for x in (self.minimum, self.maximum) if x == x]
        return "-".join(sides)


def shipped() -> dict[str, Path]:
    """The standards that come with Ecotone: name and file."""
    folder = Path(str(resources.files("ecotone.assess").joinpath("standards")))
    return {path.stem: path for path in sorted(folder.glob("*.csv")) if path.stem != "curves"}


def standard_files(given: Sequence[Path], name: str | None) -> tuple[tuple[Path, ...], str | None]:
    """Files given, else the shipped one of that name; and the name to look for inside them.

    Raises UsageError where neither is there.
    """
    if given:
        return tuple(given), name
    own = {plain(stem): path for stem, path in shipped().items()}
    if name is None or plain(name) not in own:
        raise UsageError(
            say("assess.water.no-standard", name=name or "-", known=", ".join(shipped()))
        )
    return (own[plain(name)],), None


def read_standards(
    path: Path,
    notes: Notes,
    *,
    standard: str | None = None,
    version: str | None = None,
    grade: str | None = None,
    water: str = "river",
) -> list[Limit]:
    """The limits to apply: of each standard the version asked for, else its latest.

    Of a standard with classes the limits of ``grade``; of limits for rivers or lakes those of
    ``water``. A broken row refuses the file: a limit that is silently left out would let water
    pass. Raises InputRefused for that, UsageError where no such standard or version is there.
    """
    chosen = read_classes(path, notes, standard=standard, version=version, water=water)
    grades = [g for g in GRADES if any(x.grade == g for x in chosen)]
    if grades:
        taken = grade or (USUAL_GRADE if USUAL_GRADE in grades else grades[0])
        if grade is None:
            notes.add(
                Finding(
                    "water-class-usual",
                    Severity.INFO,
                    field="class",
                    value=taken,
                    params={"classes": ", ".join(grades)},
                )
            )
        chosen = [x for x in chosen if x.grade in ("", taken)]
    _refuse_twice(chosen, path.name)
    _tell_use(chosen, notes)
    return chosen


def read_classes(
    path: Path,
    notes: Notes,
    *,
    standard: str | None = None,
    version: str | None = None,
    water: str = "river",
) -> list[Limit]:
    """The limits of all classes for one kind of water; see ``read_standards``."""
    limits = []
    for record in _records(path, notes):
        cells = {name: str(record.get(name, "")).strip() for name in _COLUMNS}
        row = int(str(record["row"]))
        if cells["statistic"].casefold() not in _EACH and not _allowed(cells["statistic"]):
            notes.add(
                Finding(
                    "water-statistic-unsupported",
                    Severity.WARNING,
                    row=row,
                    field="statistic",
                    value=cells["statistic"],
                    file=path.name,
                    params={"property": cells["property"]},
                )
            )
            continue
        limits.append(_limit(cells, path.name, row))
    chosen = _chosen(limits, standard, version, path.name, notes)
    return [x for x in chosen if x.water in ("", water)]


def _records(path: Path, notes: Notes) -> list[dict[str, object]]:
    """Rows of limits; a row with a column for each class becomes one for each."""
    headers = headers_of(path)
    classes = {h: found for h in headers if (found := _CLASS.fullmatch(h.strip()))}
    if not classes:
        table = read_table(path, _COLUMNS, ("property",), notes).frame
    else:
        whole = read_whole(path, notes).frame
        told = attributes([h for h in headers if h not in classes], _COLUMNS)
        if "property" not in told:
            read_table(path, _COLUMNS, ("property",), notes)
        common = pd.DataFrame({a: whole[h] for a, h in told.items()}).assign(row=whole["row"])
        parts = []
        for header, found in classes.items():
            number = (found[1] or found[2]).upper()
            part = common.assign(limit=whole[header], grade=_ROMAN.get(number, number))
            parts.append(part[whole[header].notna()])
        table = pd.concat(parts, ignore_index=True)
    return table.astype(object).fillna("").to_dict("records")


def _tell_use(limits: list[Limit], notes: Notes) -> None:
    """What the limits are for, and which of them nobody has compared with the text."""
    for use, name in sorted({(x.use, f"{x.standard} {x.version}".strip()) for x in limits}):
        if use:
            notes.add(
                Finding("water-standard-use", Severity.INFO, value=use, params={"standard": name})
            )
    doubtful = sorted({x.name for x in limits if not x.verified})
    if doubtful:
        names = sorted({f"{x.standard} {x.version}".strip() for x in limits if not x.verified})
        notes.add(
            Finding(
                "water-standard-unverified",
                Severity.WARNING,
                params={"standard": "; ".join(names), "properties": ", ".join(doubtful)},
            )
        )


def _limit(cells: dict[str, str], file: str, row: int) -> Limit:
    low, high = _number(cells["minimum"]), _number(cells["maximum"])
    sense = cells["limit_sense"].casefold()
    both = _RANGE.fullmatch(cells["limit"])
    if both:
        low, high = _number(both[1]), _number(both[2])
    elif cells["limit"]:
        single = _number(cells["limit"].lstrip("<>≤≥= "))
        if cells["limit"].startswith((">", "≥")) or sense in _MINIMUM:
            low = single
        elif cells["limit"].startswith(("<", "≤")) or sense in _MAXIMUM:
            high = single
        else:
            raise _broken(file, row)
    asked = [c for c in ("minimum", "maximum", "limit") if cells[c]]
    open_ended = low is None and high is None
    backwards = low is not None and high is not None and low > high
    unread = any(cells[c] and _number(cells[c]) is None for c in ("minimum", "maximum"))
    if not cells["property"] or not asked or open_ended or backwards or unread:
        raise _broken(file, row)
    nan = float("nan")
    return Limit(
        standard=cells["standard"],
        version=cells["version"],
        name=cells["property"],
        key=property_key(cells["property"]),
        unit=cells["unit"],
        basis=cells["basis"] or usual_basis(cells["property"], cells["unit"]),
        minimum=nan if low is None else low,
        maximum=nan if high is None else high,
        grade=_ROMAN.get(cells["grade"], cells["grade"].upper()),
        water=cells["water"].casefold() or named_water(cells["property"]),
        verified=cells["verified"].casefold() not in _UNCHECKED,
        use=cells["use"],
        allowed=_allowed(cells["statistic"]),
    )


def _allowed(statistic: str) -> float:
    """The share of results that a percentile rule lets pass; 0 for any other rule."""
    found = _PERCENTILE.fullmatch(statistic.strip())
    return 1 - int(found[1]) / 100 if found else 0.0


def _number(text: str) -> float | None:
    bare = text.strip().replace(",", ".")
    return float(bare) if re.fullmatch(_NUMBER, bare) else None


def _broken(file: str, row: int) -> InputRefused:
    return InputRefused(
        say("assess.water.standard-broken", name=file, row=row),
        say("assess.water.standard-broken.do"),
    )


def _chosen(
    limits: list[Limit], standard: str | None, version: str | None, file: str, notes: Notes
) -> list[Limit]:
    """Of each standard one version."""
    names = dict.fromkeys(limit.standard for limit in limits)
    if standard is not None:
        names = {name: None for name in names if plain(name) == plain(standard)}
    kept: list[Limit] = []
    for name in names:
        versions = sorted({x.version for x in limits if x.standard == name}, key=_natural)
        taken = version if version is not None else versions[-1]
        if version is None and len(versions) > 1:
            notes.add(
                Finding(
                    "water-version-latest",
                    Severity.INFO,
                    field="version",
                    value=taken,
                    params={"standard": name, "versions": ", ".join(versions)},
                )
            )
        if taken == "":
            notes.add(
                Finding("water-version-missing", Severity.WARNING, file=file, field="version")
            )
        kept.extend(x for x in limits if x.standard == name and x.version == taken)
    if not kept:
        raise UsageError(
            say(
                "assess.water.standard-unknown",
                standard=standard or "-",
                version=version or "-",
                known="; ".join(sorted({f"{x.standard} {x.version}".strip() for x in limits}))
                or "-",
            )
        )
    return kept


def _natural(version: str) -> list[tuple[int, str]]:
    """Sort key by which 2.10 comes after 2.9."""
    return [
        (int(part), "") if part.isdigit() else (-1, part)
        for part in re.findall(r"\d+|[^\d.\-\s]+", version)
    ]


def _refuse_twice(limits: list[Limit], file: str) -> None:
    seen: set[tuple[str, str, str, float]] = set()
    for limit in limits:
        key = (limit.standard, limit.key, limit.kind, limit.allowed)
        if key in seen:
            raise InputRefused(
                say("assess.water.limit-twice", name=file, property=limit.name),
                say("assess.water.limit-twice.do"),
            )
        seen.add(key)
