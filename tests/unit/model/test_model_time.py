"""Times: what is read, what is refused, and why."""

from __future__ import annotations

import time as clock
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from ecotone.model.errors import UsageError
from ecotone.model.finding import Severity
from ecotone.model.time import SEVERITY, format_time, infer_day_first, parse_times


def one(text: str, **declared: object) -> tuple[str, str, str | None, str | None, str]:
    """Start, end (to the second), precision, zone and code of a single text."""
    got = parse_times([text], **declared)
    start, end = (np.datetime_as_string(t[0], unit="s") for t in (got.start, got.end))
    return start, end, got.precision[0], got.zone[0], got.code[0]


@pytest.mark.parametrize(
    ("text", "start", "precision", "zone"),
    [
        ("2023-07-01T05:00:00+05:00", "2023-07-01T00:00:00", "second", "+05:00"),
        ("2023-07-01T08:00:00+08:00", "2023-07-01T00:00:00", "second", "+08:00"),
        ("2026-06-12T07:00:00+00:00", "2026-06-12T07:00:00", "second", "+00:00"),
        ("2023-07-01 06:00 XJT", "2023-07-01T00:00:00", "minute", "XJT"),
        ("2023-07-01T05:00Z", "2023-07-01T05:00:00", "minute", "Z"),
        ("20230701T0500Z", "2023-07-01T05:00:00", "minute", "Z"),
        ("2023-07-01T05+05", "2023-07-01T00:00:00", "hour", "+05:00"),
        ("2023-07-01T05:00:00.25-0330", "2023-07-01T08:30:00", "second", "-03:30"),
        ("2023-07-01 05:30 UTC+5:30", "2023-07-01T00:00:00", "minute", "+05:30"),
        ("2023-07-01 5:30 pm UTC", "2023-07-01T17:30:00", "minute", "UTC"),
        ("2023年7月1日 8时30分 北京时间", "2023-07-01T00:30:00", "minute", "北京时间"),
        ("01.07.2023 14:05 МСК", "2023-07-01T11:05:00", "minute", "МСК"),
        ("01.07.2012 14:05 МСК", "2012-07-01T10:05:00", "minute", "МСК"),
        ("2023-07-01T05:00 Asia/Samarkand", "2023-07-01T00:00:00", "minute", "Asia/Samarkand"),
        ("2023-07-01T24:00Z", "2023-07-02T00:00:00", "minute", "Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00", "second", "Z"),
    ],
)
def test_a_clock_time_with_its_zone_is_an_instant(
    text: str, start: str, precision: str, zone: str
) -> None:
    got = one(text, day_first=True)
    assert got[:4] == (start, start, precision, zone)
    assert got[4] in ("", "time-end-of-day", "time-leap-second")


@pytest.mark.parametrize(
    ("text", "start", "end", "precision"),
    [
        ("2023-07-01", "2023-07-01", "2023-07-02", "day"),
        ("2023/07/01", "2023-07-01", "2023-07-02", "day"),
        ("2023.07.01", "2023-07-01", "2023-07-02", "day"),
        ("2023-7-1", "2023-07-01", "2023-07-02", "day"),
        ("20230701", "2023-07-01", "2023-07-02", "day"),
        ("2023-182", "2023-07-01", "2023-07-02", "day"),
        ("13.07.2023", "2023-07-13", "2023-07-14", "day"),
        ("13/07/2023", "2023-07-13", "2023-07-14", "day"),
        ("07/13/2023", "2023-07-13", "2023-07-14", "day"),
        ("1 июля 2023 г.", "2023-07-01", "2023-07-02", "day"),
        ("1 July 2023", "2023-07-01", "2023-07-02", "day"),
        ("5.VII.2023", "2023-07-05", "2023-07-06", "day"),
        ("2023年7月1日", "2023-07-01", "2023-07-02", "day"),
        ("2023年12月", "2023-12-01", "2024-01-01", "month"),
        ("2023-12", "2023-12-01", "2024-01-01", "month"),
        ("2024", "2024-01-01", "2025-01-01", "year"),
        ("2007-11-13/15", "2007-11-13", "2007-11-16", "day"),
        ("2007-11/12", "2007-11-01", "2008-01-01", "month"),
        ("2007-11-13/2008-02-01", "2007-11-13", "2008-02-02", "day"),
        ("2007/2009", "2007-01-01", "2010-01-01", "year"),
    ],
)
def test_a_date_needs_no_zone_and_keeps_its_day(
    text: str, start: str, end: str, precision: str
) -> None:
    for zone in (None, "Asia/Shanghai", "Pacific/Honolulu"):
        got = one(text, zone=zone)
        assert got[:3] == (f"{start}T00:00:00", f"{end}T00:00:00", precision)
        assert got[4] == ""


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2023-07-01T05:00:00", "time-naive"),
        ("2023年7月1日 8时", "time-naive"),
        ("2023-02-29", "date-invalid"),
        ("30.02.2023", "date-invalid"),
        ("2023-13-01", "date-invalid"),
        ("2023-366", "date-invalid"),
        ("07/04/2021", "date-ambiguous"),
        ("01/07/23", "date-short-year"),
        ("45108", "time-serial-undeclared"),
        ("2023-07-01T25:00Z", "time-unreadable"),
        ("2023-07-01T05:60Z", "time-unreadable"),
        ("2023-07-01T24:30Z", "time-unreadable"),
        ("2023-07-01T05:00:61Z", "time-unreadable"),
        ("yesterday", "time-unreadable"),
        ("14:30", "time-unreadable"),
        ("-", "time-unreadable"),
        ("2023-07-01T05:00 CST", "time-zone-ambiguous"),
        ("2023-07-01T05:00 QQT", "time-zone-unknown"),
        ("2023-07-01T05:00 Asia/Atlantis", "time-zone-unknown"),
        ("2023-07-01T05:00+15:00", "time-zone-unknown"),
        ("2008-05-11T15:30Z/2007-03-01T13:00Z", "time-interval-reversed"),
        ("2008-05-11/2007-03-01", "time-interval-reversed"),
    ],
)
def test_what_cannot_be_read_one_way_is_refused(text: str, code: str) -> None:
    got = one(text)
    assert got == ("NaT", "NaT", None, None, code)
    assert SEVERITY[code] is Severity.ERROR


def test_intervals_keep_both_ends() -> None:
    assert one("2007-03-01T13:00:00Z/2008-05-11T15:30:00Z")[:2] == (
        "2007-03-01T13:00:00",
        "2008-05-11T15:30:00",
    )
    assert one("2023-07-01T05:00+05:00/07:30")[:2] == ("2023-07-01T00:00:00", "2023-07-01T02:30:00")
    assert one("2003-01-31T00:00Z/P1M")[:2] == ("2003-01-31T00:00:00", "2003-02-28T00:00:00")
    assert one("P1DT12H/2003-02-03T00:00Z")[:2] == ("2003-02-01T12:00:00", "2003-02-03T00:00:00")
    # Neither end has a zone: both take the declared one.
    assert one("2023-07-01T05:00/2023-07-02T05:00", zone="Asia/Dushanbe")[:2] == (
        "2023-07-01T00:00:00",
        "2023-07-02T00:00:00",
    )
    assert one("2023-07-01T05:00/2023-07-02T05:00")[4] == "time-naive"


def test_the_clock_decides_what_was_there() -> None:
    # Novosibirsk went from UTC+6 to UTC+7 on 24 July 2016 at 02:00: 02:30 never was.
    assert one("2016-07-24T02:30:00", zone="Asia/Novosibirsk")[4] == "time-nonexistent"
    assert one("2016-07-24T01:59:59", zone="Asia/Novosibirsk")[0] == "2016-07-23T19:59:59"
    assert one("2016-07-24T03:00:00", zone="Asia/Novosibirsk")[0] == "2016-07-23T20:00:00"
    # Moscow put its clock back on 26 October 2014 from UTC+4 to UTC+3: 01:30 was there twice.
    assert one("2014-10-26T01:30", zone="Europe/Moscow") == (
        "2014-10-25T21:30:00",
        "2014-10-25T22:30:00",
        "minute",
        "Europe/Moscow",
        "time-ambiguous",
    )
    # An offset in the text leaves no doubt.
    assert one("2014-10-26T01:30+03:00", zone="Europe/Moscow")[4] == ""


def test_a_declared_zone_never_moves_an_aware_time() -> None:
    got = one("2026-06-12T07:00:00+00:00", zone="Asia/Dushanbe")
    assert got[0] == "2026-06-12T07:00:00"
    assert got[3] == "+00:00"


def test_zones_per_row() -> None:
    got = parse_times(
        ["2023-07-01T05:00"] * 5,
        zone=["Asia/Samarkand", "+08:00", None, "CST", "nowhere"],
    )
    assert got.start.astype("datetime64[h]").astype(str).tolist() == [
        "2023-07-01T00",
        "2023-06-30T21",
        "NaT",
        "NaT",
        "NaT",
    ]
    assert got.code.tolist() == ["", "", "time-naive", "time-zone-ambiguous", "time-zone-unknown"]
    with pytest.raises(UsageError):
        parse_times(["2023-07-01"], zone=["UTC", "UTC"])


def test_day_first_is_declared_or_told_by_the_column() -> None:
    assert one("07/04/2021", day_first=True)[0] == "2021-04-07T00:00:00"
    assert one("07/04/2021", day_first=False)[0] == "2021-07-04T00:00:00"
    assert one("07.04.2021")[0::4] == ("2021-04-07T00:00:00", "date-day-first")
    assert infer_day_first(pd.Series(["10/04/2006", "21/06/2006"])) is True
    assert infer_day_first(pd.Series(["10/04/2006", "06/21/2006"])) is False
    assert infer_day_first(pd.Series(["10/04/2006", "21/06/2006", "06/21/2006"])) is None
    assert infer_day_first(pd.Series(["10/04/2006"])) is None
    assert infer_day_first(pd.Series(["2006-04-10", None])) is None


def test_spreadsheet_day_numbers_only_where_declared() -> None:
    assert one("45108", excel=1900)[:3] == ("2023-07-01T00:00:00", "2023-07-02T00:00:00", "day")
    assert one("45108,25", excel=1900, zone="UTC")[:3:2] == ("2023-07-01T06:00:00", "second")
    assert one("43646", excel=1904)[0] == "2023-07-01T00:00:00"
    assert one("1", excel=1900)[0] == "1900-01-01T00:00:00"
    assert one("59", excel=1900)[0] == "1900-02-28T00:00:00"
    assert one("60", excel=1900)[4] == "date-invalid"  # 29 February 1900 never was
    assert one("61", excel=1900)[0] == "1900-03-01T00:00:00"


def test_the_future_and_the_end_of_the_day_are_told() -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    assert one("2026-12-01", now=now)[4] == "time-future"
    assert one("2026-11-22", now=now)[4] == ""
    assert one("2026", now=now)[4] == ""
    assert one("2023-07-01T24:00Z")[4] == "time-end-of-day"


def test_nothing_says_nothing() -> None:
    got = parse_times(pd.Series([None, "", "   "], dtype="str"))
    assert np.isnat(got.start).all()
    assert got.code.tolist() == ["", "", ""]
    assert not got.rejected.any()
    assert len(parse_times([]).start) == 0


def test_the_frame_is_aware() -> None:
    frame = parse_times(["2023-07-01T05:00Z"]).frame()
    assert str(frame["time_start"].dtype) == "datetime64[us, UTC]"
    assert frame.loc[0, "time_precision"] == "second" or frame.loc[0, "time_precision"] == "minute"


def test_format_time() -> None:
    moment = datetime(2023, 7, 1, 5, 30, 15, tzinfo=UTC)
    got = [format_time(moment, p) for p in ("year", "month", "day", "hour", "minute", "second")]
    assert got == [
        "2023", "2023-07", "2023-07-01", "2023-07-01T05Z", "2023-07-01T05:30Z",
        "2023-07-01T05:30:15Z",
    ]  # fmt: skip


@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%S+05:00", "%d.%m.%Y %H:%M:%S", "%Y-%m-%d"])
def test_a_million_rows_in_seconds(form: str) -> None:
    texts = pd.Series(pd.date_range("2000-01-01", periods=200_000, freq="13s").strftime(form))
    began = clock.process_time()
    got = parse_times(texts, zone="Asia/Dushanbe", day_first=True)
    assert clock.process_time() - began < 2.0  # 0.1 s on a quiet machine
    assert (got.code == "").all()
