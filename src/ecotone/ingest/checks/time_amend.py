"""When it was: what may be filled in or put right in the Event terms."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecotone.ingest.checks.base import Check, Parameters, Responses, Texts, amendment, proposals
from ecotone.ingest.checks.block import Block
from ecotone.ingest.checks.isodates import DAY, MONTH, is_iso_date
from ecotone.ingest.checks.time import (
    D_DAY,
    D_MONTH,
    D_YEAR,
    END,
    EVENT,
    IDENTIFIED,
    START,
    VERBATIM,
)
from ecotone.ingest.checks.written_dates import calendar_iso, month_number, to_iso

_ORDINAL: Final = re.compile(r"\s*0*([1-9]|[12][0-9]|3[01])(?:st|nd|rd|th)?\.?\s*", re.IGNORECASE)
_WHOLE: Final = re.compile(r"\s*[+-]?[0-9]{1,15}\s*")


def _standardized(label: str, guid: str, term: str) -> Check:
    def run(block: Block, parameters: Parameters) -> Responses:
        column = block.term(term)
        proposed = column.each(lambda text: None if is_iso_date(text) else to_iso(text))
        return amendment(column.empty, {term: proposed}, filled=False)

    return Check(label=label, guid=guid, dimension="Conformance", terms=(term,), function=run)


def _from_verbatim(block: Block, parameters: Parameters) -> Responses:
    verbatim = block.term(VERBATIM)

    def read(text: str) -> str | None:
        # Four digits below 1582 are more often a shelf mark or a short date than a year.
        if re.fullmatch(r"\s*[0-9]{4}\s*", text) and int(text) < 1582:
            return None
        return text.strip() if is_iso_date(text.strip()) else to_iso(text)

    unmet = ~block.term(EVENT).empty | verbatim.empty
    return amendment(unmet, {EVENT: verbatim.each(read)}, filled=True)


def _whole(text: str) -> int | None:
    return int(text) if _WHOLE.fullmatch(text) else None


def _year_month_day(year: str, month: str, day: str) -> str | None:
    number = _whole(month) if _whole(month) is not None else month_number(month)
    found_year, found_day = _whole(year), _whole(day)
    if found_year is None:
        return None
    return calendar_iso(found_year, number, found_day if number is not None else None)


def _from_year_month_day(block: Block, parameters: Parameters) -> Responses:
    codes, distinct = block.distinct(D_YEAR, D_MONTH, D_DAY)
    proposed = np.empty(len(distinct), dtype=object)
    proposed[:] = [_year_month_day(*texts) for texts in distinct]
    unmet = ~block.term(EVENT).empty | np.isnan(block.term(D_YEAR).integers)
    return amendment(unmet, {EVENT: proposed[codes]}, filled=True)


def _from_days_of_year(block: Block, parameters: Parameters) -> Responses:
    years = block.term(D_YEAR).integers
    first, last = block.term(START).integers, block.term(END).integers
    unmet = ~block.term(EVENT).empty | block.term(START).empty | block.term(END).empty
    unmet |= np.isnan(years)
    sound = (years >= 1) & (years <= 9999) & (first >= 1) & (first < last) & (last <= 366)
    year = (np.where(sound, years, 1970).astype(np.int64) - 1970).astype("datetime64[Y]")
    begin, end = _day_of(year, np.where(sound, first, 1)), _day_of(year, np.where(sound, last, 1))
    sound &= end.astype("datetime64[Y]") == year
    texts = np.datetime_as_string(begin).astype(object) + "/" + np.datetime_as_string(end)
    return amendment(unmet, {EVENT: proposals(sound, texts.astype(object))}, filled=True)


def _day_of(year: NDArray[np.datetime64], number: NDArray[np.float64]) -> NDArray[np.datetime64]:
    days = (number - 1).astype(np.int64).astype("timedelta64[D]")
    return np.asarray(year.astype("datetime64[D]") + days)


def _from_event_date(block: Block, parameters: Parameters) -> Responses:
    dates = block.term(EVENT).dates
    year, month, day, start = dates.calendar(dates.first_day)
    last_year, last_month, last_day, end = dates.calendar(dates.last_day)
    one_year = year == last_year
    one_month = one_year & (month == last_month) & (dates.precision >= MONTH)
    to_day = dates.precision >= DAY
    changes: dict[str, Texts] = {}
    for term, known, values in (
        (D_YEAR, one_year, year),
        (D_MONTH, one_month, month),
        (D_DAY, one_month & to_day & (day == last_day), day),
        (START, to_day, start),
        (END, to_day, end),
    ):
        wanted = known & block.term(term).empty
        changes[term] = proposals(wanted, values.astype(str).astype(object))
    return amendment(~dates.valid, changes, filled=True)


def _amend_day(text: str) -> str | None:
    if _WHOLE.fullmatch(text):
        return None
    found = _ORDINAL.fullmatch(text)
    return found[1] if found else None


def _day(block: Block, parameters: Parameters) -> Responses:
    column = block.term(D_DAY)
    return amendment(column.empty, {D_DAY: column.each(_amend_day)}, filled=False)


def _amend_month(text: str) -> str | None:
    if _WHOLE.fullmatch(text):
        return None
    number = month_number(text)
    return None if number is None else str(number)


def _month(block: Block, parameters: Parameters) -> Responses:
    column = block.term(D_MONTH)
    return amendment(column.empty, {D_MONTH: column.each(_amend_month)}, filled=False)


CHECKS: Final = (
    _standardized(
        "AMENDMENT_EVENTDATE_STANDARDIZED", "718dfc3c-cb52-4fca-b8e2-0e722f375da7", EVENT
    ),
    _standardized(
        "AMENDMENT_DATEIDENTIFIED_STANDARDIZED", "39bb2280-1215-447b-9221-fd13bc990641", IDENTIFIED
    ),
    Check(
        label="AMENDMENT_EVENTDATE_FROM_VERBATIM",
        guid="6d0a0c10-5e4a-4759-b448-88932f399812",
        dimension="Completeness",
        terms=(EVENT,),
        consulted=(VERBATIM,),
        function=_from_verbatim,
    ),
    Check(
        label="AMENDMENT_EVENTDATE_FROM_YEARMONTHDAY",
        guid="3892f432-ddd0-4a0a-b713-f2e2ecbd879d",
        dimension="Completeness",
        terms=(EVENT,),
        consulted=(D_YEAR, D_MONTH, D_DAY),
        function=_from_year_month_day,
    ),
    Check(
        label="AMENDMENT_EVENTDATE_FROM_YEARSTARTDAYOFYEARENDDAYOFYEAR",
        guid="eb0a44fa-241c-4d64-98df-ad4aa837307b",
        dimension="Completeness",
        terms=(EVENT,),
        consulted=(D_YEAR, START, END),
        function=_from_days_of_year,
    ),
    Check(
        label="AMENDMENT_EVENT_FROM_EVENTDATE",
        guid="710fe118-17e1-440f-b428-88ba3f547d6d",
        dimension="Completeness",
        terms=(D_YEAR, D_MONTH, D_DAY, START, END),
        consulted=(EVENT,),
        function=_from_event_date,
    ),
    Check(
        label="AMENDMENT_DAY_STANDARDIZED",
        guid="b129fa4d-b25b-43f7-9645-5ed4d44b357b",
        dimension="Conformance",
        terms=(D_DAY,),
        function=_day,
    ),
    Check(
        label="AMENDMENT_MONTH_STANDARDIZED",
        guid="2e371d57-1eb3-4fe3-8a61-dff43ced50cf",
        dimension="Conformance",
        terms=(D_MONTH,),
        function=_month,
    ),
)
