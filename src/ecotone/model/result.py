"""An indicator's description and its result, as ``result.json`` carries it (DESIGN section 5)."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import Field, field_validator

from ecotone.model.records import Noun


class Value(Noun):
    """One number, its unit and interval; None means undefined (a finding says why)."""

    value: float | None
    unit: str
    se: Annotated[float, Field(ge=0)] | None = None
    low: float | None = None
    high: float | None = None
    level: Annotated[float, Field(gt=0, lt=1)] | None = None


class InputFile(Noun):
    """An input by name, where it lay, and the hash of its bytes."""

    name: str
    path: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Result(Noun):
    """What ``ecotone compute`` writes as ``result.json``; paths are relative to its folder."""

    indicator: str
    version: str
    parameters: dict[str, Any]
    inputs: list[InputFile]
    values: dict[str, Value]
    tables: dict[str, str] = Field(default_factory=dict)
    rasters: dict[str, str] = Field(default_factory=dict)
    vectors: dict[str, str] = Field(default_factory=dict)
    figures: dict[str, str] = Field(default_factory=dict)
    findings: list[dict[str, Any]] = Field(default_factory=list)

    @field_validator("tables", "rasters", "vectors", "figures")
    @classmethod
    def _inside(cls, paths: dict[str, str]) -> dict[str, str]:
        for path in paths.values():
            pure = PurePosixPath(path)
            if pure.is_absolute() or ".." in pure.parts:
                raise ValueError(f"'{path}' leaves the result's folder")
        return paths
