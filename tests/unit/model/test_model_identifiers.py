"""Identifiers: shape, order, checks."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import numpy as np
import pytest

from ecotone.model.errors import UsageError
from ecotone.model.identifiers import check, mint, short


def test_a_million_in_seconds_unique_and_in_order() -> None:
    began = time.process_time()
    ids = mint("KNCM", count=1_000_000)
    assert time.process_time() - began < 6.0  # 1 s on a quiet machine
    assert (ids[1:] > ids[:-1]).all()
    assert len(set(ids)) == 1_000_000
    later = mint("KNCM")
    assert later[0] > ids[-1]
    assert all(check(text) for text in ids[::10_007])


def test_the_clock_is_written_and_a_clock_that_steps_back_keeps_the_order() -> None:
    early = mint("AA", now=datetime(2001, 2, 3, tzinfo=UTC))[0]
    now = mint("AA")[0]
    back = mint("AA", now=datetime(1999, 1, 1, tzinfo=UTC), count=3)
    assert early != now
    assert now < back[0] < back[1] < back[2]
    ahead = mint("AA", now=datetime(2100, 1, 1, tzinfo=UTC))[0]
    assert ahead > back[2]


def ticks(ids: np.ndarray) -> np.ndarray:
    """Millisecond and place within it of identifiers of party AA, as one number."""
    digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    found = np.array([[digits.index(c) for c in one[3:17]] for one in ids], dtype=np.int64)
    return (found << (5 * np.arange(13, -1, -1))).sum(axis=1)


def test_gaps_do_not_tell_how_many_lie_between() -> None:
    """Five of five and five of a thousand are spread alike."""
    few = np.array([np.diff(ticks(mint("AA", count=5))) for _ in range(400)])
    some = [np.sort(np.random.default_rng(n).choice(1000, 5, replace=False)) for n in range(400)]
    many = np.array([np.diff(ticks(mint("AA", count=1000)[pick])) for pick in some])
    assert np.median(few) == pytest.approx(np.median(many), rel=0.15)
    assert np.quantile(few, 0.1) == pytest.approx(np.quantile(many, 0.1), rel=0.35)
    assert (few > 1).mean() > 0.99, "neighbours are not numbered one after the other"


def test_shape() -> None:
    identifier = mint("V1WE")[0]
    assert isinstance(identifier, str)
    assert identifier.startswith("V1WE-")
    assert len(identifier) == 5 + 27
    assert not set(identifier[5:]) & set("ILOU")
    assert len(mint("V1WE", count=0)) == 0


@pytest.mark.parametrize("prefix", ["", "A", "abc", "TOOLONGXX", "A-B", "АБ"])
def test_wrong_prefixes(prefix: str) -> None:
    with pytest.raises(UsageError):
        mint(prefix)


def test_labels_check_themselves() -> None:
    for identifier in mint("KNCM", count=500):
        label = short(identifier)
        assert check(label)
        assert label[5:13] == identifier[-9:-1]
        assert not check(label[:-1] + ("0" if label[-1] != "0" else "1"))
    with pytest.raises(UsageError):
        short("KNCM-01KATW3YBQ0007QXJ4ZP9D2RSM0")


@pytest.mark.parametrize("text", ["", "KNCM", "KNCM-", "-01", "KNCM-01KATW3YBQ0007"])
def test_what_is_no_identifier(text: str) -> None:
    assert not check(text)


def test_the_count_may_not_be_negative() -> None:
    with pytest.raises(UsageError):
        mint("AA", count=-1)
