"""What an indicator declares and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ecotone.model.errors import UsageError
from ecotone.model.words import Language, say

if TYPE_CHECKING:
    import pandas as pd
    from shapely.geometry.base import BaseGeometry

    from ecotone.assess.executor import Executor
    from ecotone.model.finding import Finding
    from ecotone.model.result import Value

Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class Input:
    """A named input and what kind of file it is; ``noun`` is what a node holds it as.

    ``coarse``: what becomes of rows that an agreement made coarse (places on a grid, times by the
    month). ``take`` them where they serve as well, ``say`` so beside the result, ``refuse`` them
    where a number from them would mislead (areas of occupancy, home ranges, distances).
    """

    name: str
    kind: Literal["raster stack", "table", "raster", "polygons", "settings"]
    noun: str | None = None
    required: bool = True
    coarse: Literal["take", "say", "refuse"] = "take"


@dataclass(frozen=True)
class Parameter:
    """A named parameter with its type, default and range."""

    name: str
    type: Literal["integer", "number", "text", "boolean"]
    default: Scalar = None
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""

    def parse(self, given: Scalar) -> Scalar:
        """The value in its type; UsageError, naming the parameter, where it does not fit."""
        value = self._typed(given)
        if self.choices and value not in self.choices:
            raise self._wrong(given, ", ".join(self.choices))
        if isinstance(value, int | float) and not isinstance(value, bool):
            if self.minimum is not None and value < self.minimum:
                raise self._wrong(given, f">= {self.minimum:g}")
            if self.maximum is not None and value > self.maximum:
                raise self._wrong(given, f"<= {self.maximum:g}")
        return value

    def _typed(self, given: Scalar) -> Scalar:
        text = str(given).strip()
        try:
            match self.type:
                case "integer":
                    return int(text)
                case "number":
                    number = float(text)
                    if number != number or number in (float("inf"), float("-inf")):
                        raise self._wrong(given, "number")
                    return number
                case "boolean":
                    return {"true": True, "yes": True, "false": False, "no": False}[text.lower()]
                case "text":
                    return text
        except (ValueError, KeyError) as error:
            raise self._wrong(given, self.type) from error

    def _wrong(self, given: Scalar, wanted: str) -> UsageError:
        return UsageError(say("assess.parameter-wrong", name=self.name, given=given, wanted=wanted))


@dataclass(frozen=True)
class Citation:
    """A source of the method."""

    text: str
    doi: str = ""


@dataclass(frozen=True)
class Job:
    """One computation: files in, parameters, where to write, over which region."""

    inputs: Mapping[str, tuple[Path, ...]]
    parameters: Mapping[str, Scalar]
    out: Path
    executor: Executor
    region: BaseGeometry | None = None
    progress: Callable[[float], None] = lambda share: None
    #: Told at once what should be known before the work begins: predicted memory and time.
    tell: Callable[[Finding], None] = lambda finding: None

    def number(self, name: str) -> float:
        """A numeric parameter that is set."""
        value = self.parameters[name]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise UsageError(say("assess.parameter-missing", name=name))
        return value


@dataclass(frozen=True)
class Outcome:
    """What an indicator computed; raster and vector paths are relative to ``Job.out``."""

    values: dict[str, Value]
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    rasters: dict[str, str] = field(default_factory=dict)
    vectors: dict[str, str] = field(default_factory=dict)
    figures: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class Indicator:
    """An indicator: its declaration and the function that computes it.

    ``values``, ``tables`` and ``rasters`` map each output's name to its unit (for a table: to
    its columns and their units). Words come from catalogue keys ``indicator.<id>.*``.
    """

    id: str
    version: str
    inputs: tuple[Input, ...]
    parameters: tuple[Parameter, ...]
    values: Mapping[str, str]
    tables: Mapping[str, Mapping[str, str]]
    rasters: Mapping[str, str]
    citations: tuple[Citation, ...]
    compute: Callable[[Job], Outcome]

    def words(self, part: str, lang: Language = "en") -> str:
        """Title, summary, method, ``input.<name>``, ``value.<name>`` ... in a language."""
        return say(f"indicator.{self.id}.{part}", lang)

    def parse(self, given: Mapping[str, Scalar]) -> dict[str, Scalar]:
        """All parameters, defaults filled in; UsageError for one that is unknown or wrong."""
        known = {p.name: p for p in self.parameters}
        for name in given:
            if name not in known:
                raise UsageError(
                    say(
                        "assess.parameter-unknown",
                        name=name,
                        indicator=self.id,
                        known=", ".join(known) or "-",
                    )
                )
        return {
            name: parameter.parse(given[name]) if name in given else parameter.default
            for name, parameter in known.items()
        }
