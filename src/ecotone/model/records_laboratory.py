"""Nouns of a laboratory and of the quality of what it and its devices measure."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ecotone.model.records_base import Noun, Timed


class CustodyEvent(Timed):
    """One step of a sample's way from the river to the shelf."""

    sample: str
    kind: Literal[
        "collected", "preserved", "sealed", "handed over", "received", "opened", "split",
        "analysed", "stored", "disposed",
    ]  # fmt: skip
    by: str | None = None
    handed_to: str | None = None
    place: str | None = None
    temperature_c: float | None = None
    seal: str | None = None
    seal_state: Literal["intact", "broken", "absent"] | None = None
    preservation: str | None = None
    signed: bool | None = None
    remarks: str | None = None


class AnalysisBatch(Timed):
    """Samples a laboratory measured together, with the controls that vouch for them."""

    analysis_id: str
    laboratory: str | None = None
    procedure: str | None = None
    accreditation: str | None = None
    device: str | None = None
    analyst: str | None = None
    medium: str | None = None
    remarks: str | None = None


class QualityControl(Timed):
    """A measurement that says something of a batch: a blank, duplicate, spike or standard."""

    control_id: str
    analysis: str
    kind: Literal[
        "method blank", "field blank", "equipment blank", "trip blank", "laboratory duplicate",
        "field duplicate", "matrix spike", "spike duplicate", "control sample",
        "reference material",
    ]  # fmt: skip
    sample: str | None = None
    property: str
    fraction: str | None = None
    procedure: str | None = None
    value: float | None = None
    unit: str | None = None
    basis: str | None = None
    limit_kind: Literal["below", "above"] | None = None
    expected: float | None = None
    expected_uncertainty: Annotated[float, Field(ge=0)] | None = None
    lowest: Annotated[float, Field(ge=0)] | None = None
    highest: Annotated[float, Field(ge=0)] | None = None
    certificate: str | None = None
    reporting_limit: Annotated[float, Field(ge=0)] | None = None
    value_text: str | None = None
    unit_text: str | None = None
    missing_reason: str | None = None
    remarks: str | None = None


class QualityFlag(Timed):
    """A judgement laid over a result, sample or device; the result itself stays as it is."""

    flag_id: str
    record: str | None = None
    sample: str | None = None
    analysis: str | None = None
    device: str | None = None
    property: str | None = None
    flag: Literal["pass", "not evaluated", "suspect", "fail", "missing"]
    rule: str | None = None
    rule_version: str | None = None
    why: str | None = None
    by: str | None = None
    replaces: str | None = None


class AlarmRule(Noun):
    """When an alarm is raised and when it ends."""

    rule_id: str
    site: str | None = None
    property: str
    kind: Literal["above", "below", "rate", "missing", "battery"]
    raise_at: float
    clear_at: float | None = None
    unit: str | None = None
    basis: str | None = None
    persistence_min: Annotated[float, Field(ge=0)] | None = None
    acknowledge_min: Annotated[float, Field(ge=0)] | None = None
    on_censored: bool | None = None
    notify: str | None = None
    remarks: str | None = None
