"""When it was: the validations of the Event terms and of the date of identification."""

from __future__ import annotations

import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecotone.ingest.checks.base import (
    Check,
    Mask,
    Parameters,
    Responses,
    measure,
    validation,
)
from ecotone.ingest.checks.block import Block
from ecotone.ingest.checks.common import all_empty, not_empty
from ecotone.ingest.checks.isodates import DAY, MONTH, YEAR
from ecotone.model.finding import Severity

EVENT: Final = "dwc:eventDate"
IDENTIFIED: Final = "dwc:dateIdentified"
D_YEAR: Final = "dwc:year"
D_MONTH: Final = "dwc:month"
D_DAY: Final = "dwc:day"
START: Final = "dwc:startDayOfYear"
END: Final = "dwc:endDayOfYear"
VERBATIM: Final = "dwc:verbatimEventDate"
_TEMPORAL: Final = (EVENT, D_YEAR, D_MONTH, D_DAY, START, END, VERBATIM)
#: A parameter's value for the day on which the check is run.
TODAY: Final = "{today}"
#: A parameter's value for the year in which the check is run.
THIS_YEAR: Final = "{this year}"
_MONTH_LENGTH: Final = np.array([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=float)


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


def _first_day(text: str) -> np.int64:
    return np.datetime64(text, "D").astype(np.int64)


def _last_day(text: str) -> np.int64:
    if text == TODAY:
        return _first_day(_today().isoformat())
    if text == THIS_YEAR:
        return _first_day(f"{_today().year}-12-31")
    return _first_day(text)


def _standard(term: str) -> Check:
    def run(block: Block, parameters: Parameters) -> Responses:
        column = block.term(term)
        return validation(column.empty, column.dates.valid)

    label, guid = {
        EVENT: ("VALIDATION_EVENTDATE_STANDARD", "4f2bf8fd-fc5c-493f-a44c-e7b16153c803"),
        IDENTIFIED: ("VALIDATION_DATEIDENTIFIED_STANDARD", "66269bdd-9271-4e76-b25c-7ab81eebe1d8"),
    }[term]
    # The converter reads the event date itself and says what it could not read.
    severity = None if term == EVENT else Severity.WARNING
    return Check(
        label=label, guid=guid, dimension="Conformance", terms=(term,), function=run,
        severity=severity,
    )  # fmt: skip


def _event_in_range(block: Block, parameters: Parameters) -> Responses:
    dates = block.term(EVENT).dates
    within = dates.first_day >= _first_day(parameters["earliestValidDate"])
    within &= dates.last_day <= _last_day(parameters["latestValidDate"])
    return validation(~dates.valid, within)


def _identified_in_range(block: Block, parameters: Parameters) -> Responses:
    identified, event = block.term(IDENTIFIED).dates, block.term(EVENT)
    compared = parameters["includeEventDate"] == "true"
    unmet = ~identified.valid | (compared & ~event.empty & ~event.dates.valid)
    within = identified.first_day >= _first_day(parameters["earliestValidDate"])
    within &= identified.first_day <= _last_day(parameters["latestValidDate"])
    if compared:
        within &= event.empty | (identified.end_s > event.dates.start_s)
    return validation(unmet, within)


def _year_in_range(block: Block, parameters: Parameters) -> Responses:
    years = block.term(D_YEAR).integers
    last = parameters["latestValidDate"]
    latest = _today().year if last == THIS_YEAR else int(last)
    within = (years >= int(parameters["earliestValidDate"])) & (years <= latest)
    return validation(np.isnan(years), within)


def leap(years: NDArray[np.float64] | NDArray[np.int64]) -> Mask:
    """Whether years have a 29 February."""
    return np.asarray((years % 4 == 0) & ((years % 100 != 0) | (years % 400 == 0)))


def _day_in_range(block: Block, parameters: Parameters) -> Responses:
    days, months = block.term(D_DAY).integers, block.term(D_MONTH).integers
    years = block.term(D_YEAR).integers
    month_known = (months >= 1) & (months <= 12)
    late = (days >= 29) & (days <= 31)
    unmet = np.isnan(days) | (late & ~month_known)
    unmet |= (months == 2) & (days == 29) & ~((years >= 0) & (years <= 9999))
    length = _MONTH_LENGTH[np.where(month_known, months, 1).astype(np.int64)]
    fits = late & month_known & (days <= length)
    fits &= (months != 2) | (days != 29) | leap(years)
    return validation(unmet, ((days >= 1) & (days <= 28)) | fits)


def _whole(label: str, guid: str, term: str, last: int) -> Check:
    def run(block: Block, parameters: Parameters) -> Responses:
        column = block.term(term)
        return validation(column.empty, (column.integers >= 1) & (column.integers <= last))

    return Check(
        label=label, guid=guid, dimension="Conformance", terms=(term,), function=run,
        severity=Severity.WARNING,
    )  # fmt: skip


def _day_of_year(label: str, guid: str, term: str, *, at_end: bool) -> Check:
    def run(block: Block, parameters: Parameters) -> Responses:
        column, dates = block.term(term), block.term(EVENT).dates
        years = dates.calendar(dates.last_day if at_end else dates.first_day)[0]
        last = column.integers == 366
        plain = (column.integers >= 1) & (column.integers <= 365)
        return validation(column.empty | (last & ~dates.valid), plain | (last & leap(years)))

    return Check(
        label=label, guid=guid, dimension="Conformance", terms=(term,), consulted=(EVENT,),
        function=run, severity=Severity.WARNING,
    )  # fmt: skip


def _event_consistent(block: Block, parameters: Parameters) -> Responses:
    event, dates = block.term(EVENT), block.term(EVENT).dates
    year, month, day, start = dates.calendar(dates.first_day)
    last_year, last_month, last_day, end = dates.calendar(dates.last_day)
    to_day = dates.valid & (dates.precision >= DAY)
    one_year = dates.valid & (dates.precision >= YEAR) & (year == last_year)
    one_month = one_year & (dates.precision >= MONTH) & (month == last_month)
    one_day = one_month & to_day & (day == last_day)
    consistent = np.ones(block.rows, dtype=np.bool_)
    nothing = np.ones(block.rows, dtype=np.bool_)
    for term, allowed, expected in (
        (D_YEAR, one_year, year),
        (D_MONTH, one_month, month),
        (D_DAY, one_day, day),
        (START, to_day, start),
        (END, to_day, end),
    ):
        column = block.term(term)
        nothing &= column.empty
        consistent &= column.empty | (allowed & (column.integers == expected))
    return validation(event.empty | nothing, consistent)


def _duration(block: Block, parameters: Parameters) -> Responses:
    dates = block.term(EVENT).dates
    seconds = np.where(dates.valid, dates.seconds, 0.0)
    distinct, codes = np.unique(seconds, return_inverse=True)
    texts = np.array([f"{value:.6f}".rstrip("0").rstrip(".") for value in distinct], dtype=object)
    return measure(~dates.valid, texts[codes])


def _unreadable_event(block: Block) -> Mask:
    """An event date the converter could not read has been told of."""
    return ~block.term(EVENT).dates.valid


CHECKS: Final = (
    not_empty(
        "VALIDATION_EVENTDATE_NOTEMPTY",
        "f51e15a6-a67d-4729-9c28-3766299d2985",
        EVENT,
        unless=all_empty(*_TEMPORAL),
    ),
    _standard(EVENT),
    Check(
        label="VALIDATION_EVENTDATE_INRANGE",
        guid="3cff4dc4-72e9-4abe-9bf3-8a30f1618432",
        dimension="Conformance",
        terms=(EVENT,),
        function=_event_in_range,
        parameters={"earliestValidDate": "1582-11-15", "latestValidDate": THIS_YEAR},
        severity=Severity.WARNING,
    ),
    Check(
        label="VALIDATION_EVENT_CONSISTENT",
        guid="5618f083-d55a-4ac2-92b5-b9fb227b832f",
        dimension="Consistency",
        terms=(EVENT, D_DAY, D_MONTH, D_YEAR, START, END),
        needs=(EVENT,),
        function=_event_consistent,
        severity=Severity.WARNING,
        unless=_unreadable_event,
    ),
    not_empty(
        "VALIDATION_EVENTTEMPORAL_NOTEMPTY",
        "41267642-60ff-4116-90eb-499fee2cd83f",
        *_TEMPORAL,
        severity=Severity.WARNING,
        nouns=("Occurrence", "Event"),
    ),
    not_empty(
        "VALIDATION_YEAR_NOTEMPTY",
        "c09ecbf9-34e3-4f3e-b74a-8796af15e59f",
        D_YEAR,
        unless=all_empty(*_TEMPORAL),
    ),
    Check(
        label="VALIDATION_YEAR_INRANGE",
        guid="ad0c8855-de69-4843-a80c-a5387d20fbc8",
        dimension="Conformance",
        terms=(D_YEAR,),
        function=_year_in_range,
        parameters={"earliestValidDate": "1582", "latestValidDate": THIS_YEAR},
        severity=Severity.WARNING,
    ),
    _whole("VALIDATION_MONTH_STANDARD", "01c6dafa-0886-4b7e-9881-2c3018c98bdc", D_MONTH, 12),
    _whole("VALIDATION_DAY_STANDARD", "47ff73ba-0028-4f79-9ce1-ee7008d66498", D_DAY, 31),
    Check(
        label="VALIDATION_DAY_INRANGE",
        guid="8d787cb5-73e2-4c39-9cd1-67c7361dc02e",
        dimension="Conformance",
        terms=(D_DAY, D_MONTH, D_YEAR),
        needs=(D_DAY,),
        function=_day_in_range,
        severity=Severity.WARNING,
        # What is no day of any month is told by VALIDATION_DAY_STANDARD.
        unless=lambda block: (
            ~((block.term(D_DAY).integers >= 1) & (block.term(D_DAY).integers <= 31))
        ),
    ),
    _day_of_year(
        "VALIDATION_STARTDAYOFYEAR_INRANGE",
        "85803c7e-2a5a-42e1-b8d3-299a44cafc46",
        START,
        at_end=False,
    ),
    _day_of_year(
        "VALIDATION_ENDDAYOFYEAR_INRANGE",
        "9a39d88c-7eee-46df-b32a-c109f9f81fb8",
        END,
        at_end=True,
    ),
    _standard(IDENTIFIED),
    Check(
        label="VALIDATION_DATEIDENTIFIED_INRANGE",
        guid="dc8aae4b-134f-4d75-8a71-c4186239178e",
        dimension="Likeliness",
        terms=(IDENTIFIED,),
        consulted=(EVENT,),
        function=_identified_in_range,
        parameters={
            "earliestValidDate": "1753-01-01",
            "latestValidDate": TODAY,
            "includeEventDate": "true",
        },
        severity=Severity.WARNING,
    ),
    Check(
        label="MEASURE_EVENTDATE_DURATIONINSECONDS",
        guid="56b6c695-adf1-418e-95d2-da04cad7be53",
        dimension="Resolution",
        terms=(EVENT,),
        function=_duration,
    ),
)
