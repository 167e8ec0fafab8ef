"""Dates: ISO 8601 to the letter, and what people write instead."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecotone.ingest.checks import time, time_amend
from ecotone.ingest.checks.block import Block
from ecotone.ingest.checks.isodates import DAY, MONTH, TIME, YEAR, is_iso_date, read_iso_dates
from ecotone.ingest.checks.written_dates import month_number, to_iso

FORMS = {MONTH: "%m", DAY: "%m-%d", TIME: "%m-%dT%H:%M", TIME + 1: "%m-%dT%H:%M:%SZ"}
BY_ID = {check.id: check for check in (*time.CHECKS, *time_amend.CHECKS)}


def answer(check: str, **terms: str) -> tuple[str, str | dict[str, str]]:
    frame = pd.DataFrame({term: [text] for term, text in terms.items()}, dtype="str")
    got = BY_ID[check].run(Block(frame)).at(0)
    return str(got.status), dict(got.changes) or got.result


@pytest.mark.parametrize(
    "text",
    [
        "1963", "1963-03", "1963-03-08", "19630308", "1963-067", "1963067", "1963-W10",
        "1963-W10-5",
        "1963-03-08T14", "1963-03-08T14:07", "1963-03-08T14:07Z", "1963-03-08T14:07-0600",
        "1963-03-08T14:07:59.5+05:30", "19630308T140759Z", "2020-366", "1880-05-08/10",
        "1880-05/06", "1880-05-30/06-02", "1880/1881", "1963-03-08T14:00/15:30",
        "2007-03-01T13:00:00Z/2008-05-11T15:30:00Z", "0001-01-01", "9999-12-31", "9999-12",
    ],
)  # fmt: skip
def test_iso(text: str) -> None:
    assert is_iso_date(text)
    assert read_iso_dates(np.array([text], dtype=object)).valid[0]


@pytest.mark.parametrize(
    "text",
    [
        "0", "63", "196", "1963-3", "1963-13", "1963-02-30", "1900-02-29", "1963-366", "1963-W54",
        "1963-03-08T24:00", "1963-03-08T4", "1963-03-08T14:0", "1963-03-08T14:67",
        "1963-03-08 14:07",
        "1963-03T14:07", "1963-03-08t14:07", "1963-03-08T14:07z", "1963-03-08T14:07+15",
        "1881/1880", "1880-05-10/08", "1880/", "/1880", "1880/..", "2000/2001/2002", "1963-03-08 ",
        "１９６３", "P1D", "1963-03-08/P1D", "196303", "X", "0000",
    ],
)  # fmt: skip
def test_not_iso(text: str) -> None:
    assert not is_iso_date(text)
    assert not read_iso_dates(np.array([text], dtype=object)).valid[0]


@given(st.dates(dt.date(1, 1, 1), dt.date(9999, 12, 30)), st.sampled_from(list(FORMS)))
def test_dates_are_those_of_the_calendar(moment: dt.date, form: int) -> None:
    text = f"{moment.year:04d}-{moment.strftime(FORMS[form])}"
    dates = read_iso_dates(np.array([text], dtype=object))
    assert dates.valid[0]
    assert dates.precision[0] == min(form, TIME)
    year, month, day, of_year = (int(part[0]) for part in dates.calendar(dates.first_day))
    assert (year, month) == (moment.year, moment.month)
    if form != MONTH:
        assert (day, of_year) == (moment.day, moment.timetuple().tm_yday)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1880-05-08", 86_400), ("1880-05-08/10", 259_200), ("1880-05", 31 * 86_400),
        ("1880", 366 * 86_400), ("1900", 365 * 86_400), ("2000-01-01T10:00", 60),
        ("2000-01-01T10", 3600), ("2000-01-01T10:00:00Z", 1), ("2000-01-01T10:00/10:00", 0),
        ("2000-01-01T10:00:00+02:00/2000-01-01T10:00:00Z", 7200),
        ("2000-01-01T10:00:00Z/2000-01-02", 50_400 + 86_400),
    ],
)  # fmt: skip
def test_duration(text: str, seconds: int) -> None:
    got = answer("measure-eventdate-durationinseconds", eventDate=text)
    assert got == ("RUN_HAS_RESULT", str(seconds))


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2021/10/28", "2021-10-28"), ("2021-28-10", "2021-10-28"), ("2021.1.5", "2021-01-05"),
        ("28.10.2021", "2021-10-28"), ("10/28/2021", "2021-10-28"), ("5/5/2021", "2021-05-05"),
        ("29 октября 2021 г.", "2021-10-29"), ("2021年10月29日", "2021-10-29"),
        ("2021年10月", "2021-10"),
        ("Oct 29, 2021", "2021-10-29"), ("29-Oct-2021", "2021-10-29"), ("May 1996", "1996-05"),
        ("2021 Oct 29", "2021-10-29"), ("1er", None), ("3 août 1921", "1921-08-03"),
        ("18.v.1981", "1981-05-18"), ("2021-10-28 14:07", "2021-10-28T14:07"),
        ("2021/10", "2021-10"),
        ("03/04/2020", None), ("03.04.2020", None), ("10-28", None), ("21-10-28", None),
        ("31 Feb 2020", None), ("Ma 1996", None), ("2021-10-28 25:00", None), ("spring 1996", None),
    ],
)  # fmt: skip
def test_written_dates(text: str, iso: str | None) -> None:
    assert to_iso(text) == iso


def test_month_names() -> None:
    assert [month_number(w) for w in ("May", "мая", "十月", "XII", "juin", "Sept.")] == [
        5, 5, 10, 12, 6, 9,
    ]  # fmt: skip
    assert [month_number(w) for w in ("M", "Ma", "XIII", "", "no")] == [None] * 5


def test_days_of_months() -> None:
    check = "validation-day-inrange"
    good, bad, unknown = ("RUN_HAS_RESULT", "COMPLIANT"), ("RUN_HAS_RESULT", "NOT_COMPLIANT"), (
        "INTERNAL_PREREQUISITES_NOT_MET", "")  # fmt: skip
    assert answer(check, day="31", month="4", year="2000") == bad
    assert answer(check, day="30", month="4") == good
    assert answer(check, day="31", month="12") == good
    assert answer(check, day="29", month="2") == unknown
    assert answer(check, day="29", month="2", year="2100") == bad
    assert answer(check, day="29", month="2", year="2400") == good
    assert answer(check, day="30") == unknown
    assert answer(check, day="30", month="13") == unknown
    assert answer(check, day="0") == bad


def test_leap_day_of_year_needs_a_leap_year() -> None:
    check = "validation-startdayofyear-inrange"
    assert answer(check, startDayOfYear="366", eventDate="2020-12-31")[1] == "COMPLIANT"
    assert answer(check, startDayOfYear="366", eventDate="2021-12-31")[1] == "NOT_COMPLIANT"
    ends = "validation-enddayofyear-inrange"
    assert answer(ends, endDayOfYear="366", eventDate="2019-12-30/2020-12-31")[1] == "COMPLIANT"


def test_future_dates_are_not_in_range() -> None:
    check = BY_ID["validation-eventdate-inrange"]
    frame = pd.DataFrame({"eventDate": ["2023-06-01", "2024-01-01"]}, dtype="str")
    got = check.run(Block(frame), {"latestValidDate": "2023-12-31"})
    assert list(got.result) == ["COMPLIANT", "NOT_COMPLIANT"]
    later = f"{dt.datetime.now(dt.UTC).year + 1}"
    assert answer("validation-eventdate-inrange", eventDate=later)[1] == "NOT_COMPLIANT"
    assert answer("validation-year-inrange", year=later)[1] == "NOT_COMPLIANT"


def test_identified_before_the_event() -> None:
    check = BY_ID["validation-dateidentified-inrange"]
    frame = pd.DataFrame(
        {"dateIdentified": ["2001-01-01", "1700-01-01"], "eventDate": ["2001-01-02", None]},
        dtype="str",
    )
    assert list(check.run(Block(frame)).result) == ["NOT_COMPLIANT", "NOT_COMPLIANT"]
    alone = check.run(Block(frame), {"includeEventDate": "false"})
    assert list(alone.result) == ["COMPLIANT", "NOT_COMPLIANT"]


def test_nothing_is_filled_where_something_stands() -> None:
    got = answer("amendment-event-from-eventdate", eventDate="2023-01-26", month="7", year="2023")
    assert got[1] == {"dwc:day": "26", "dwc:startDayOfYear": "26", "dwc:endDayOfYear": "26"}
    parts = {"year": "2021", "month": "?", "day": "29"}
    assert answer("amendment-eventdate-from-yearmonthday", **parts)[1] == {"dwc:eventDate": "2021"}
    reverse = {"year": "2021", "startDayOfYear": "20", "endDayOfYear": "10"}
    check = "amendment-eventdate-from-yearstartdayofyearenddayofyear"
    assert answer(check, **reverse) == ("NOT_AMENDED", "")
    assert answer(check, **{**reverse, "endDayOfYear": "366"}) == ("NOT_AMENDED", "")


def test_precision_is_the_coarser_end() -> None:
    dates = read_iso_dates(np.array(["2000/2001-05-01", "2000-01-01/2000-02"], dtype=object))
    assert dates.precision.tolist() == [YEAR, MONTH]
