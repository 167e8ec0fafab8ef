"""Who lives on degraded land, and whether each kind of land loses more than it gains."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.assess.indicators.land_ground import Layer, strips
from ecotone.assess.indicators.land_people import People, by_class, people_table, with_all
from ecotone.assess.indicators.land_sdg_work import Work
from ecotone.assess.indicators.mosaic import Mosaic
from ecotone.model.result import Value
from ecotone.science.land.lookup import NODATA, Codes
from ecotone.science.land.status import PERIODS, neutrality, status_classes, status_three

Floats = NDArray[np.float64]

#: States of the land by code, in the order of the tables.
STATES: Final = {-1: "degraded", 0: "stable", 1: "improved", NODATA: "nodata"}
_ALL: Final = "all"


def people_of_states(work: Work, mosaic: Mosaic, groups: list[People]) -> pd.DataFrame:
    """People by state of the land in the baseline, and by status in each report (SO2-3)."""

    def layers(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> list[Codes]:
        baseline = np.asarray(work.codes[PERIODS[0]])[rows, columns]
        found = [baseline]
        for span in work.spans[1:]:
            codes = np.asarray(work.codes[span.name])[rows, columns]
            found.append(status_three(status_classes(baseline, codes)))
        return found

    sums = {g.name: by_class(g, mosaic, work.scratch, layers, _count, NODATA) for g in groups}
    firsts: list[dict[str, object]] = [
        {"period": s.name, "years": f"{s.start}-{s.end}"} for s in work.spans
    ]
    return people_table(with_all(sums), firsts, tuple(STATES.values()), "state")


def _count(codes: Codes, people: Floats) -> Floats:
    order = list(STATES)
    return np.array([people[codes == code].sum() for code in order], dtype=np.float64)


def people_values(table: pd.DataFrame) -> dict[str, Value]:
    """Everybody on degraded land by the last status, with women and men where told apart."""
    last = table[table["period"] == table["period"].iloc[-1]].set_index("state")
    names = {"population": "people_degraded", "female": "female_degraded", "male": "male_degraded"}
    values = {
        name: Value(value=float(last.loc["degraded", group]), unit="people")
        for group, name in names.items()
        if group in last
    }
    share = f"{next(iter(g for g in names if g in last))}_percent"
    known = last.loc["degraded", share]
    values["people_degraded_percent"] = Value(
        value=None if pd.isna(known) else float(known), unit="%"
    )
    return values


def neutrality_of(work: Work, units: Layer | None) -> tuple[pd.DataFrame, dict[str, Value]]:
    """Gains and losses of each kind of land since the baseline: the counterbalancing of LDN.

    Kinds of land are the classes of the baseline's first map of cover, else the ecological
    units, else all land is one kind.
    """
    last = work.spans[-1]
    sums: dict[int, Floats] = {}
    for window in strips(work.scratch.within):
        place = work.scratch.place(window)
        baseline = np.asarray(work.codes[PERIODS[0]][place])
        status = status_classes(baseline, np.asarray(work.codes[last.name][place]))
        if work.forms is not None and PERIODS[0] in work.cover_years:
            year = work.cover_years[PERIODS[0]][0]
            kinds = work.forms.cover.maps(window, [year])[0].astype(np.int64)
        elif units is not None:
            kinds = units.codes(window)
        else:
            kinds = np.zeros(status.shape, dtype=np.int64)
        kinds = np.where(kinds == NODATA, -1, kinds)
        for kind, parts in neutrality(status, kinds, work.ground.km2(window)).items():
            sums[kind] = sums.get(kind, np.zeros(3)) + np.array(parts)
        work.scratch.release()
    rows = [
        {
            "land_type": _name(work, kind),
            "gains_km2": float(parts[0]),
            "losses_km2": float(parts[1]),
            "balance_km2": float(parts[2]),
            "neutral": "yes" if parts[2] >= 0 else "no",
        }
        for kind, parts in sorted(sums.items())
        if parts[:2].any()
    ]
    table = pd.DataFrame(
        rows, columns=["land_type", "gains_km2", "losses_km2", "balance_km2", "neutral"]
    )
    balance = float(sum(parts[2] for parts in sums.values()))
    lacking = sum(1 for row in rows if row["neutral"] == "no")
    return table, {
        "balance_km2": Value(value=balance, unit="km2"),
        "not_neutral": Value(value=lacking, unit="1"),
    }


def _name(work: Work, kind: int) -> str:
    if work.forms is not None and PERIODS[0] in work.cover_years:
        legend = work.forms.cover.matrix.legend
        if kind in legend.codes:
            return legend.names[legend.codes.index(kind)]
    return str(kind) if kind else _ALL
