"""The way of a sample from the river to the shelf: where its chain of custody breaks.

After ISO 5667-3 and US EPA, Contract Laboratory Program guidance for field samplers: who held the
sample at every moment is written down, seals arrive whole, nothing happens before it was taken.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

#: Kinds of event in the order a sample goes through them; those of one rank may come in any order.
RANK: Final = {
    "collected": 0, "preserved": 1, "sealed": 1, "handed over": 2, "received": 3, "opened": 4,
    "split": 4, "analysed": 5, "stored": 6, "disposed": 7,
}  # fmt: skip
COLUMNS: Final = ("sample", "kind", "time", "by", "handed_to", "seal", "seal_state",
                  "temperature_c", "signed")  # fmt: skip
#: Faults that a court would not pass over; the others are doubts.
BREAKING: Final = frozenset(
    {"not-collected", "backwards", "other-hands", "not-handed-over", "seal-broken", "seal-differs",
     "after-disposal"}
)  # fmt: skip


def faults(events: pd.DataFrame, warmest: float = 8.0) -> pd.DataFrame:
    """What is wrong with the chains of samples.

    ``not-collected``: the chain does not begin with the taking. ``undated``: a step without a
    time. ``backwards``: a step before one that must precede it. ``other-hands``: handed to one
    person and received from another, or by another. ``not-handed-over``: received though
    nobody gave it away. ``never-received``: handed over and not heard of again. ``seal-broken``;
    ``seal-differs``: another seal arrived than was put on. ``too-warm`` on the way.
    ``unsigned``: a change of hands nobody signed. ``after-disposal``: used after it was thrown
    away.

    Args:
        events: a row for each step with the columns of ``COLUMNS``: texts, empty where not told;
            ``time`` as UTC instants (NaT unknown), ``temperature_c`` in C (NaN unknown),
            ``signed`` True, False or None.
        warmest: temperature up to which a sample may be received, C (ISO 5667-3: 5 +- 3).

    Returns:
        A row per fault: ``sample``, ``fault``, ``event`` (place of the step in ``events``),
        ``told`` (what it was about), in the order of samples and steps.

    Raises:
        KeyError: a column that is missing.

    >>> steps = pd.DataFrame({"sample": ["a", "a"], "kind": ["collected", "received"],
    ...     "time": pd.to_datetime(["2024-01-01", "2024-01-02"], utc=True), "by": ["x", "y"],
    ...     "handed_to": "", "seal": "", "seal_state": ["", "broken"], "temperature_c": np.nan,
    ...     "signed": True})
    >>> faults(steps)["fault"].tolist()
    ['not-handed-over', 'seal-broken']
    """
    told = events[list(COLUMNS)].reset_index(drop=True)
    told["event"] = np.arange(len(told))
    told["rank"] = told["kind"].map(RANK)
    told = told[told["rank"].notna()]
    by_time = told.sort_values(["sample", "time", "rank"], kind="stable", na_position="last")
    found = [
        *_starts(by_time),
        *_order(by_time),
        *_hands(by_time),
        *_seals(by_time),
        _fault(by_time, by_time["time"].isna(), "undated", by_time["kind"]),
        _fault(
            by_time,
            (by_time["kind"] == "received") & (by_time["temperature_c"] > warmest),
            "too-warm",
            by_time["temperature_c"].map("{:g}".format),
        ),
        _fault(
            by_time,
            by_time["kind"].isin(["handed over", "received"]) & by_time["signed"].eq(False),
            "unsigned",
            by_time["kind"],
        ),
    ]
    return (
        pd.concat(found, ignore_index=True)
        .sort_values(["sample", "event"], kind="stable")
        .reset_index(drop=True)
    )


def _fault(rows: pd.DataFrame, where: pd.Series, name: str, told: pd.Series) -> pd.DataFrame:
    hit = rows[where]
    return pd.DataFrame(
        {"sample": hit["sample"], "fault": name, "event": hit["event"],
         "told": told[where].astype(object)}
    )  # fmt: skip


def _starts(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """Chains without a beginning; chains that end on the way."""
    first = ~rows["sample"].duplicated()
    collected = rows["sample"].isin(rows.loc[rows["kind"] == "collected", "sample"])
    last = ~rows["sample"].duplicated(keep="last")
    return [
        _fault(rows, first & ~collected, "not-collected", rows["kind"]),
        _fault(rows, last & (rows["kind"] == "handed over"), "never-received", rows["handed_to"]),
    ]


def _order(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """Steps that come before what they need: judged by the first time of each kind."""
    dated = rows[rows["time"].notna()]
    first = dated.pivot_table(index="sample", columns="kind", values="time", aggfunc="min")
    found = []
    for kind, needs in (
        ("preserved", "collected"), ("sealed", "collected"), ("handed over", "collected"),
        ("received", "collected"), ("received", "handed over"), ("opened", "collected"),
        ("split", "collected"), ("analysed", "collected"), ("analysed", "received"),
    ):  # fmt: skip
        if needs not in first or kind not in first:
            continue
        start = dated["sample"].map(first[needs])
        where = (dated["kind"] == kind) & (dated["time"] < start)
        found.append(_fault(dated, where, "backwards", pd.Series(needs, index=dated.index)))
    if "disposed" in first:
        gone = dated["sample"].map(first["disposed"])
        late = (dated["time"] > gone) & (dated["kind"] != "disposed")
        found.append(_fault(dated, late, "after-disposal", dated["kind"]))
    return found


def _hands(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """Each reception against the handing over before it.

    Who receives may be told as the one who acts (``by``) or as ``handed_to``.
    """
    moves = rows[rows["kind"].isin(["handed over", "received"]) & rows["time"].notna()]
    same = moves["sample"].eq(moves["sample"].shift())
    given = same & moves["kind"].shift().eq("handed over")
    received = moves["kind"] == "received"
    to = moves["handed_to"].shift().fillna("")
    taker = moves["handed_to"].where(moves["handed_to"] != "", moves["by"])
    other = received & given & (to != "") & (taker != "") & (to != taker)
    # Who gave it away must have had it: taken it, or received it before.
    holder = _holders(moves)
    stranger = (
        (moves["kind"] == "handed over") & (holder != "") & (moves["by"] != "")
        & (moves["by"] != holder)
    )  # fmt: skip
    return [
        _fault(moves, received & ~given, "not-handed-over", taker),
        _fault(moves, other, "other-hands", to + " / " + taker),
        _fault(moves, stranger, "other-hands", holder + " / " + moves["by"]),
    ]


def _holders(moves: pd.DataFrame) -> pd.Series:
    """Who had taken a sample over before each handing over; empty where nobody had."""
    taker = moves["handed_to"].where(moves["handed_to"] != "", moves["by"])
    taken = taker.where(moves["kind"] == "received")
    return taken.groupby(moves["sample"]).shift().fillna("")


def _seals(rows: pd.DataFrame) -> list[pd.DataFrame]:
    broken = rows["seal_state"] == "broken"
    put_on = rows[(rows["kind"] == "sealed") & (rows["seal"] != "")]
    last = put_on.drop_duplicates("sample", keep="last").set_index("sample")["seal"]
    sealed = rows["sample"].map(last).astype(object).fillna("")
    differs = (rows["kind"] == "received") & (rows["seal"] != "") & (sealed != "")
    differs &= rows["seal"] != sealed
    return [
        _fault(rows, broken, "seal-broken", rows["seal"]),
        _fault(rows, differs, "seal-differs", sealed + " / " + rows["seal"]),
    ]
