"""Water statistics beyond the shared expectations: numbers quoted from the peers' own tests.

EGRET: DOI-USGS/EGRET, tests/testthat (CC0). wqindex: bcgov/wqindex, tests/testthat (Apache-2.0).
NADA's Cadmium and Silver data (cran/NADA) with survival 3.5-3 in R 4.2.2 (survfit, survreg,
survdiff rho = 1) and, for ROS, an independent script.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.support import shared

from ecotone.assess.compute import compute
from ecotone.science.water import wrtds
from ecotone.science.water.censored import kaplan_meier, mle_lognormal, ros
from ecotone.science.water.censored_tests import peto_prentice

_CADMIUM = (
    [81.3, 3.5, 4.6, 0.6, 2.9, 3.0, 4.9, 0.6, 3.4, 0.4, 0.8, 0.3, 0.4, 0.4, 0.4, 1.4, 0.6, 0.7,
     0.2],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 1],
)  # fmt: skip
_REGION = [2] * 9 + [1] * 9 + [2]
_SILVER = (
    [0.1, 0.1, 0.2, 0.2, 0.2, 0.2, 0.3, 0.5, 0.5, *[1] * 10, 2, 2.5, 5, 5, 5, 6, *[10] * 5,
     20, 20, 20, 25, 0.1, 0.1, 0.2, 0.7, 0.8, 1, 1, 1, 1.2, 1.4, 1.5, 2, 2, 2, 2, 2.7, 3.2, 4.4,
     5, 10, 90, 560],
    [1] * 34 + [0] * 22,
)  # fmt: skip


@pytest.mark.parametrize(
    ("data", "method", "expected"),
    [
        (_CADMIUM, kaplan_meier, (5.815789, 18.483429, 0.7, 4.240389)),
        (_CADMIUM, mle_lognormal, (4.052378, 16.112984, 0.988385, 2.531047)),
        (_CADMIUM, ros, (5.752063, 18.366298, 0.7, 4.213518)),
        (_SILVER, kaplan_meier, (12.649185, 76.520459, 0.2, 10.225476)),
        (_SILVER, mle_lognormal, (5.731957, 97.028551, 0.338026, 4.319138)),
        (_SILVER, ros, (12.513874, 75.453405, 0.235765, 10.082885)),
    ],
)
def test_more_censored_data_of_nada(data, method, expected) -> None:
    found = method(np.array(data[0], float), np.array(data[1], bool))
    given = (found.mean, found.sd, found.median, found.se)
    np.testing.assert_allclose(given, expected, rtol=2e-6)


def test_cadmium_of_two_regions() -> None:
    values, hidden = (np.array(x) for x in _CADMIUM)
    found = peto_prentice(values, hidden.astype(bool), _REGION)
    assert found.statistic == pytest.approx(7.01616524, rel=1e-8)
    assert found.p == pytest.approx(0.0080777046, rel=1e-7)


@pytest.fixture(scope="module")
def choptank() -> tuple[wrtds.Samples, wrtds.Discharge]:
    daily = pd.read_csv(shared("water/egret_choptank_nitrate_daily_q.csv"))
    samples = pd.read_csv(shared("water/egret_choptank_nitrate_samples.csv"))
    flow = wrtds.discharge(daily["Date"].to_numpy("datetime64[D]"), daily["Q"])
    days = samples["Date"].to_numpy("datetime64[D]")
    return wrtds.samples(days, samples["ConcLow"], samples["ConcHigh"], flow), flow


def test_choptank_with_todays_defaults_of_egret(choptank) -> None:
    """Edges adjusted, window of 7 years: another answer than the stored one."""
    known, flow = choptank
    settings = wrtds.Settings(
        window_y=7, window_q=2, window_s=0.5, min_obs=100, min_uncensored=50, edge_adjust=True
    )
    crossed = wrtds.cross_validate(known, flow, settings)
    means = [x.mean() for x in (crossed.y_hat, crossed.se, crossed.conc)]
    np.testing.assert_allclose(means, (0.0475113943, 0.2629914096, 1.1272620557), rtol=2e-9)
    fitted = wrtds.surface(known, flow, settings)
    grid = np.stack([fitted.estimates.y_hat, fitted.estimates.se, fitted.estimates.conc])
    found = [*np.quantile(grid, (0, 0.25, 0.5)), grid.mean(), *np.quantile(grid, (0.75, 1))]
    np.testing.assert_allclose(found, (-2.317, 0.1807, 0.3121, 0.4082, 0.7356, 3.452), rtol=2e-4)
    days = wrtds.daily(fitted, flow)
    years = wrtds.annual(days, flow)
    for part, mean in (("conc", 1.198), ("flux", 366.5), ("fn_conc", 1.198), ("fn_flux", 363.1)):
        assert getattr(years, part).mean() == pytest.approx(mean, rel=6e-4), part


def test_a_narrow_window_that_must_grow(choptank) -> None:
    known, _ = choptank
    settings = wrtds.Settings(
        window_y=7, window_q=0.5, window_s=0.5, min_obs=150, min_uncensored=50, edge_adjust=True
    )
    row = np.array([10, 170, 511])
    edges = float(known.times[0]), float(known.times[-1])
    found = wrtds.estimate(known.times[row], known.flow[row], known, settings, edges)
    assert found.y_hat[0] == pytest.approx(0.0155175200, abs=1e-10)
    assert found.se[1] == pytest.approx(0.1936220144, abs=1e-10)
    assert found.conc[2] == pytest.approx(0.6526830391, abs=1e-10)


@pytest.mark.parametrize(
    ("dropped", "tests", "variables", "index"),
    [(("DO",), 102, 10, 88.1), (("DO", "As"), 90, 9, 86.8)],
)
def test_the_manual_example_with_less(dropped, tests, variables, index, tmp_path: Path) -> None:
    data = pd.read_csv(shared("water/ccme_manual_example_1997.csv"), dtype=str)
    one = (data["Variable"] == "DO") & (data["Date"] == "1997-03-04")
    data.loc[one, "Value"] = np.nan
    data = data[~data["Variable"].isin(dropped[1:])]
    data.to_csv(tmp_path / "results.csv", index=False)
    found = compute(
        "water.index", {"results": [tmp_path / "results.csv"]}, {"index": "ccme"}, tmp_path / "out"
    )
    row = pd.read_csv(tmp_path / "out/tables/index.csv").iloc[0]
    assert (row["tests"], row["variables"]) == (tests, variables)
    value = found.values["index"].value
    assert value is not None
    assert round(value, 1) == index


def _summary(tmp_path: Path, frame: pd.DataFrame, **given: str) -> dict:
    frame.to_csv(tmp_path / "given.csv", index=False)
    inputs = {"results": [tmp_path / "given.csv"]}
    return compute("water.censored-summary", inputs, given, tmp_path / "out").values


def test_groups_by_command(tmp_path: Path) -> None:
    """Cadmium by region, and atrazine in June and September, as columns of a table."""
    cadmium = pd.DataFrame({"Cd": _CADMIUM[0], "CdCen": _CADMIUM[1], "region": _REGION})
    given = {"column": "Cd", "censored": "CdCen", "group": "region"}
    found = _summary(tmp_path, cadmium, **given)
    assert found["chi2"].value == pytest.approx(7.01616524, rel=1e-8)
    assert found["p"].value == pytest.approx(0.0080777046, rel=1e-7)
    rows = pd.read_csv(tmp_path / "out/tables/summary.csv")
    assert rows["n"].tolist() == [19, 9, 10]
    wide = pd.read_csv(shared("water/nada_atra.csv"))
    atra = pd.concat(
        [pd.DataFrame({"Atra": wide[m], "AtraCen": wide[f"{m}Cen"], "season": m})
         for m in ("June", "Sept")]
    )  # fmt: skip
    found = _summary(tmp_path, atra, column="Atra", censored="AtraCen", group="season")
    assert found["chi2"].value == pytest.approx(6.6358, abs=1e-4)
    assert found["p"].value == pytest.approx(0.0100, abs=1e-4)


def test_a_line_with_non_detects_by_command(tmp_path: Path) -> None:
    given = {"column": "Summer", "censored": "SummerCen", "method": "akritas-theil-sen"}
    inputs = {"series": [shared("water/nada_dfe.csv")]}
    found = compute("water.trend", inputs, given, tmp_path).values
    assert found["slope"].value == pytest.approx(-2.57211304, rel=1e-6)
    assert found["p"].value == pytest.approx(0.13158676, rel=1e-6)


def test_the_niles_change_and_blocks_that_agree(tmp_path: Path) -> None:
    nile = [1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020,
            960, 1180, 799, 958, 1140, 1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840,
            874, 694, 940, 833, 701, 916, 692, 1020, 1050, 969, 831, 726, 456, 824, 702, 1120,
            1100, 832, 764, 821, 768, 845, 864, 862, 698, 845, 744, 796, 1040, 759, 781, 865, 845,
            944, 984, 897, 822, 1010, 771, 676, 649, 846, 812, 742, 801, 1040, 860, 874, 848, 890,
            744, 749, 838, 1050, 918, 986, 797, 923, 975, 815, 1020, 906, 901, 1170, 912, 746, 919,
            718, 714, 740]  # fmt: skip
    path = tmp_path / "nile.csv"
    pd.DataFrame({"year": range(1871, 1971), "flow": nile}).to_csv(path, index=False)
    given = {"column": "flow", "method": "mann-kendall"}
    found = compute("water.trend", {"series": [path]}, given, tmp_path / "out").values
    assert found["k_change"].value == 1617
    assert found["p_change"].value == pytest.approx(3.59e-07, rel=1e-2)
    assert found["p_homogeneity"].value is None
    row = pd.read_csv(tmp_path / "out/tables/trend.csv").iloc[0]
    assert row["change_after"] == 1898
    pie = {"series": [shared("water/rkt_pie1_deposition_monthly.csv")]}
    months = compute("water.trend", pie, {"column": "SO4"}, tmp_path / "pie").values
    assert 0 < months["p_homogeneity"].value < 1
