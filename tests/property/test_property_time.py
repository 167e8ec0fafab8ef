"""Times: any moment in any zone comes back; the fast path and the careful one agree."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ecotone.model.time import parse_times
from ecotone.model.time_fixed import read_fixed
from ecotone.model.time_text import PRECISIONS, read_time
from ecotone.model.time_zone import Zone, offset_text, to_utc

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - wall-clock time
MICRO = timedelta(microseconds=1)
WALLS = st.datetimes(datetime(1880, 1, 1), datetime(2080, 1, 1))  # noqa: DTZ001
ZONES = st.sampled_from(sorted(z for z in zoneinfo.available_timezones() if "/" in z))


@settings(max_examples=150, deadline=None)
@given(wall=WALLS, offset=st.integers(-14 * 60, 14 * 60))
def test_an_offset_comes_back(wall: datetime, offset: int) -> None:
    aware = wall.replace(tzinfo=timezone(timedelta(minutes=offset)))
    got = parse_times([f"{wall.isoformat()}{offset_text(offset * 60)}"])
    assert got.code[0] == ""
    assert got.start[0] == np.datetime64(aware.astimezone(UTC).replace(tzinfo=None), "us")


@settings(max_examples=200, deadline=None)
@given(wall=WALLS, key=ZONES)
def test_any_wall_time_in_any_zone_is_what_the_database_says(wall: datetime, key: str) -> None:
    zone = zoneinfo.ZoneInfo(key)
    micros = np.array([(wall - EPOCH) // MICRO], dtype=np.int64)
    got = to_utc(micros, Zone(key))
    moments = [wall.replace(tzinfo=zone, fold=f).astimezone(UTC) for f in (0, 1)]
    there = any(m.astimezone(zone).replace(tzinfo=None) == wall for m in moments)
    assert bool(got.skipped[0]) is not there
    if there:
        expected = sorted((m.replace(tzinfo=None) - EPOCH) // MICRO for m in moments)
        assert [int(got.first[0]), int(got.last[0])] == expected


@settings(max_examples=50, deadline=None)
@given(key=ZONES, year=st.integers(1900, 2030), data=st.data())
def test_around_each_change_of_the_clock(key: str, year: int, data: st.DataObject) -> None:
    from ecotone.model.time_zone import _changes

    changes = _changes(key, year)
    if not changes:
        return
    moment, offset = data.draw(st.sampled_from(changes))
    wall = EPOCH + moment * MICRO + timedelta(seconds=offset + data.draw(st.integers(-7200, 7200)))
    test_any_wall_time_in_any_zone_is_what_the_database_says.hypothesis.inner_test(wall, key)


@settings(max_examples=300, deadline=None)
@given(
    wall=WALLS,
    form=st.sampled_from(
        ["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d/%m/%Y", "%m-%d-%Y",
         "%Y-%m-%dT%H:%M", "%d.%m.%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S,%f"]
    ),
    tail=st.sampled_from(["", "Z", "+05:00", "-0330", "+08"]),
    day_first=st.sampled_from([None, True, False]),
)  # fmt: skip
def test_the_fast_path_agrees_with_the_careful_one(
    wall: datetime, form: str, tail: str, day_first: bool | None
) -> None:
    text = wall.strftime(form) + (tail if "%H" in form else "")
    fixed = read_fixed(np.array([text], dtype=object), np.array([len(text)]), day_first)
    careful = read_time(text, day_first=day_first, excel=None).first
    if not fixed.read[0]:
        return
    assert careful is not None
    assert int(fixed.wall[0]) == (careful.start - EPOCH) // MICRO
    assert PRECISIONS[fixed.precision[0]] == careful.precision
    assert bool(fixed.day_first[0]) == (careful.code == "date-day-first")
    if careful.zone is not None:
        assert int(fixed.offset_s[0]) == careful.zone.offset_s


@settings(max_examples=500, deadline=None)
@given(text=st.text(st.sampled_from("0123456789-/.:TZ+ P年月日июля,"), max_size=30))
def test_no_text_breaks_the_reader(text: str) -> None:
    got = parse_times([text], zone="Asia/Dushanbe")
    if not np.isnat(got.start[0]):
        assert got.end[0] >= got.start[0]
        assert got.precision[0] in PRECISIONS
    else:
        assert got.code[0] or not text.strip()
