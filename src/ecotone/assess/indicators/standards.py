"""Standards as data: which property may hold which values, by which version of which rule."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from ecotone.assess.indicators.reading import Notes, plain, read_table
from ecotone.model.errors import InputRefused, UsageError
from ecotone.model.finding import Finding, Severity
from ecotone.model.words import say

Kind = Literal["maximum", "minimum", "range"]

_COLUMNS: Final = (
    "standard", "version", "property", "basis", "unit", "limit", "limit_sense", "minimum",
    "maximum", "statistic",
)  # fmt: skip
_MAXIMUM: Final = frozenset({"maximum", "max", "upper", "<=", "≤", "<", "не более", "上限"})
_MINIMUM: Final = frozenset({"minimum", "min", "lower", ">=", "≥", ">", "не менее", "下限"})
#: Limits of single results; limits of means or percentiles need other methods.
_EACH: Final = frozenset({"", "each", "single", "any", "maximum", "instantaneous"})
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


def read_standards(
    path: Path, notes: Notes, *, standard: str | None = None, version: str | None = None
) -> list[Limit]:
    """The limits to apply: of each standard the version asked for, else its latest.

    A broken row refuses the file: a limit that is silently left out would let water pass.
    Raises InputRefused for that, UsageError where no such standard or version is there.
    """
    table = read_table(path, _COLUMNS, ("property",), notes)
    rows = table.frame.astype(object).fillna("")
    limits = []
    for record in rows.to_dict("records"):
        cells = {name: str(record.get(name, "")).strip() for name in _COLUMNS}
        if cells["statistic"].casefold() not in _EACH:
            notes.add(
                Finding(
                    "water-statistic-unsupported",
                    Severity.WARNING,
                    row=int(record["row"]),
                    field="statistic",
                    value=cells["statistic"],
                    file=path.name,
                    params={"property": cells["property"]},
                )
            )
            continue
        limits.append(_limit(cells, path.name, int(record["row"])))
    chosen = _chosen(limits, standard, version, path.name, notes)
    _refuse_twice(chosen, path.name)
    return chosen


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
        cells["standard"], cells["version"], cells["property"], plain(cells["property"]),
        cells["unit"], cells["basis"], nan if low is None else low, nan if high is None else high,
    )  # fmt: skip


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
    seen: set[tuple[str, str, str]] = set()
    for limit in limits:
        key = (limit.standard, limit.key, limit.kind)
        if key in seen:
            raise InputRefused(
                say("assess.water.limit-twice", name=file, property=limit.name),
                say("assess.water.limit-twice.do"),
            )
        seen.add(key)
