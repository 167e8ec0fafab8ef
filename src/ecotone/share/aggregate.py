"""Level aggregated: counts and means of whole blocks of records, and no small group in sight.

A count and a mean stand for whole blocks of ``block_of(minimum_count)`` records, taken in the
order they were stored: a record added later changes nothing until its block is full, so the
difference of two releases is never one record. Blocks of different agreements nest (5, 10, 20 ...):
two readers who compare notes gain no smaller block. Suppressed groups are left out whole; where a
row or a column of the table has one suppressed group only, the smallest group beside it goes too,
for a total known from elsewhere would give the first away (complementary suppression). No totals
are told.
"""

from __future__ import annotations

from typing import Final

import pandas as pd

from ecotone.model.agreement import Class

#: Smallest block; handbook and practice suppress groups under five.
_SMALLEST: Final = 5
_KEYS: Final = ("taxon", "property", "unit", "basis")


#: What an aggregate is made of; identifiers tell the order of storing.
COLUMNS: Final = ("dataset_id", "id", *_KEYS, "time_start", "value", "limit_kind")


def needed(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns of a frame that an aggregate is made of."""
    return frame[[name for name in COLUMNS if name in frame]]


def block_of(minimum: int) -> int:
    """The block for a minimum count: 5, 10, 20, 40 ... not below it.

    >>> [block_of(n) for n in (2, 5, 6, 11)]
    [5, 5, 10, 20]
    """
    block = _SMALLEST
    while block < minimum:
        block *= 2
    return block


def aggregated(frame: pd.DataFrame, rule: Class) -> pd.DataFrame:
    """Counts (and means of numbers) by taxon, property and year."""
    block = block_of(rule.minimum_count)
    keys = [name for name in _KEYS if name in frame]
    work = frame[["dataset_id", *keys]].assign(year=_years(frame))
    groups = ["dataset_id", *keys, "year"]
    order = frame["id"].argsort().to_numpy()
    work = work.iloc[order]
    blocks = _whole_blocks(work, groups, block)
    table = work[blocks].groupby(groups, dropna=False, sort=True).size().to_frame("count")
    if "value" in frame:
        table["mean"] = _means(frame.iloc[order], work, groups, block)
    sizes = work.groupby(groups, dropna=False, sort=True).size()
    shown = _beside_none_alone(sizes.rename("size").reset_index(), keys, block)
    kept: pd.DataFrame = table.reset_index().merge(shown[groups], how="inner", on=groups)
    return kept


def _years(frame: pd.DataFrame) -> pd.Series:
    if "time_start" not in frame:
        return pd.Series(pd.array([None] * len(frame), dtype="Int64"), index=frame.index)
    years: pd.Series = frame["time_start"].dt.year.astype("Int64")
    return years


def _whole_blocks(work: pd.DataFrame, groups: list[str], block: int) -> pd.Series:
    """The rows that fill whole blocks of their group."""
    grouped = work.groupby(groups, dropna=False, sort=False)
    place: pd.Series = grouped.cumcount()
    size: pd.Series = grouped["dataset_id"].transform("size")
    return place < size // block * block


def _means(frame: pd.DataFrame, work: pd.DataFrame, groups: list[str], block: int) -> pd.Series:
    """Means over whole blocks of numbers; a censored result is a limit and no measurement."""
    numbers = frame["value"].notna()
    if "limit_kind" in frame:
        numbers &= frame["limit_kind"].isna()
    measured = work[numbers.to_numpy(dtype=bool)].assign(value=frame.loc[numbers, "value"])
    whole = measured[_whole_blocks(measured, groups, block)]
    means: pd.Series = whole.groupby(groups, dropna=False, sort=True)["value"].mean()
    return means


def _beside_none_alone(sizes: pd.DataFrame, keys: list[str], block: int) -> pd.DataFrame:
    """The groups that may be shown once no suppressed one stands alone in its row or column."""
    shown = sizes["size"] >= block
    lines = [["dataset_id", *keys], ["dataset_id", "year"]]
    for _ in range(len(sizes)):
        before = int(shown.sum())
        for line in lines:
            shown &= ~_to_hide(sizes, shown, line)
        if int(shown.sum()) == before:
            break
    return sizes[shown]


def _to_hide(sizes: pd.DataFrame, shown: pd.Series, line: list[str]) -> pd.Series:
    """The smallest shown group of each line that has exactly one suppressed group."""
    work = sizes.assign(hidden=~shown, seen=sizes["size"].where(shown))
    grouped = work.groupby(line, dropna=False, sort=False)
    alone = grouped["hidden"].transform("sum") == 1
    smallest = grouped["seen"].transform("min")
    found = alone & shown & (sizes["size"] == smallest)
    first: pd.Series = found & (found.groupby([work[n] for n in line], dropna=False).cumsum() == 1)
    return first
