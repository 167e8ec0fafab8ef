"""Censored statistics and trends against NADA, rkt and wql."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.support import shared

from ecotone.science.water.censored import kaplan_meier, mle_lognormal, ros
from ecotone.science.water.censored_tests import akritas_theil_sen, peto_prentice
from ecotone.science.water.oxygen import saturation
from ecotone.science.water.trend import homogeneity, seasonal_kendall

NAN = float("nan")
#: mean, sd, median by ROS, MLE and Kaplan-Meier.
SUMMARIES = [
    ("nada_oahu.csv", "As", "AsCen",
     (0.972463242, 0.718012249, 0.7), (0.945258517, 0.655926149, 0.776600661),
     (0.948958333, 0.806806822, 0.7)),
    ("nada_atra.csv", "June", "JuneCen",
     (0.042823593, 0.0767099337, 0.02), (0.0447112521, 0.105351042, 0.0174675581),
     (0.0479166663, 0.0754142816, 0.02)),
    ("nada_atra.csv", "Sept", "SeptCen",
     (3.96883465, 17.9839992, 0.075), (2.384106574, 72.9487382, 0.0778756586),
     (3.97250003, 18.0869268, 0.06)),
    ("nada_shepyrene.csv", "Pyrene", "PyreneCen",
     (163.249366, 393.10682, 90.5), (133.9141886, 142.669835, 91.6481275),
     (164.203594, 393.950874, 98)),
    ("nada_tcereg.csv", "TCEConc", "TCECen",
     (6.5179798, 30.6708902, 0.106463897), (12.3603076, 904.90405, 0.168816743),
     (7.15597954, 30.769656, NAN)),
]  # fmt: skip


@pytest.mark.parametrize(("file", "column", "flag", "by_ros", "by_mle", "by_km"), SUMMARIES)
def test_summaries_of_nada(file, column, flag, by_ros, by_mle, by_km) -> None:
    data = pd.read_csv(shared(f"water/{file}"))
    for method, expected, tolerance in (
        (ros, by_ros, 1e-6), (mle_lognormal, by_mle, 1e-4), (kaplan_meier, by_km, 1e-6)
    ):  # fmt: skip
        found = method(data[column], data[flag])
        np.testing.assert_allclose(
            (found.mean, found.sd, found.median), expected, rtol=tolerance, err_msg=method.__name__
        )


def test_groups_of_atrazine() -> None:
    data = pd.read_csv(shared("water/nada_atra.csv"))
    values = np.concatenate([data["June"], data["Sept"]])
    hidden = np.concatenate([data["JuneCen"], data["SeptCen"]])
    found = peto_prentice(values, hidden, np.repeat(["June", "Sept"], 24))
    assert found.statistic == pytest.approx(6.6358, abs=5e-5)
    assert found.p == pytest.approx(0.0100, abs=5e-5)


def test_line_through_dissolved_iron() -> None:
    data = pd.read_csv(shared("water/nada_dfe.csv"))
    line = akritas_theil_sen(data["Year"], data["Summer"], data["SummerCen"])
    assert line.slope == pytest.approx(-2.57211304, rel=1e-6)
    assert line.intercept == pytest.approx(5103.50015, rel=1e-6)
    assert line.tau == pytest.approx(-0.361111111, rel=1e-6)
    assert line.p == pytest.approx(0.13158676, rel=1e-6)


def test_deposition_of_pie1() -> None:
    data = pd.read_csv(shared("water/rkt_pie1_deposition_monthly.csv"))
    so4 = seasonal_kendall(data["Year"], data["SO4"], data["Month"], data["mm"])
    assert (so4.s, so4.n) == (-348, 151)
    assert so4.variance == pytest.approx(2958.666667, rel=1e-9)
    assert so4.p == pytest.approx(1.777556e-10, rel=1e-6)
    assert so4.slope == pytest.approx(-0.09266666667, abs=1e-8)
    assert so4.tau == pytest.approx(-0.3963553531, rel=1e-9)
    assert so4.p_corrected == pytest.approx(0.003949817115, rel=1e-6)
    assert so4.variance_corrected == pytest.approx(14495.33333, rel=1e-9)
    assert so4.s_partial == pytest.approx(-325.6000676, rel=1e-9)
    assert so4.p_partial == pytest.approx(1.112785e-10, rel=1e-6)
    assert so4.p_partial_corrected == pytest.approx(5.370432e-04, rel=1e-6)
    shifted = data["Year"] + (data["Month"] >= 10)
    autumn = seasonal_kendall(shifted, data["SO4"], data["Month"])
    assert autumn.p_corrected == pytest.approx(0.001174413195, rel=1e-6)
    no3 = seasonal_kendall(data["Year"], data["NO3"], data["Month"])
    assert no3.s == -151
    assert no3.p == pytest.approx(0.005829688, rel=1e-6)
    assert no3.slope == pytest.approx(-0.0158125, abs=1e-8)
    assert no3.p_corrected == pytest.approx(0.1211896, rel=1e-6)


def test_chlorophyll_of_the_bay() -> None:
    data = pd.read_csv(shared("water/sfbay_chla_monthly_1978_2009.csv"))
    slopes = [
        0.09672840, 0.08700000, 0.09925824, 0.09682540, 0.09500000, 0.09744390, 0.10833333,
        0.09945681, 0.10600000, 0.12666667, 0.14021739, 0.15500000, 0.18761538, 0.18614815,
        0.15965517, 0.18745098,
    ]  # fmt: skip
    for column, slope in zip(data.columns[2:], slopes, strict=True):
        found = seasonal_kendall(data["year"], data[column], data["month"])
        assert found.slope == pytest.approx(slope, abs=1e-8)
    s27 = seasonal_kendall(data["year"], data["s27"], data["month"])
    assert s27.s == 1812
    assert s27.variance == pytest.approx(29818.6667, rel=1e-8)
    assert np.log10(s27.p) == pytest.approx(np.log10(9.854323e-26), rel=1e-6)
    assert s27.slope == pytest.approx(0.1083333333, abs=1e-8)


def test_the_whole_bay_and_its_months() -> None:
    data = pd.read_csv(shared("water/sfbay_chla_monthly_1978_2009.csv"))
    spring = data[data["month"].isin([2, 3, 4])]
    means = spring.groupby("year")[list(data.columns[2:14])].agg(
        lambda x: x.mean() if x.notna().sum() == 3 else np.nan
    )
    long = means.reset_index().melt("year")
    station = long["variable"].str[1:].astype(float)
    region = seasonal_kendall(long["year"], long["value"], station)
    assert (region.s, region.variance) == (1785, pytest.approx(31081))
    assert region.slope == pytest.approx(0.2155, abs=1e-8)
    assert np.log10(region.p) == pytest.approx(np.log10(4.539846625e-24), rel=1e-6)
    months = data[data["month"] != 12]
    alike = homogeneity(months["year"], months["s27"], months["month"])
    assert alike.trend == pytest.approx(106.59835, abs=5e-5)
    assert alike.difference == pytest.approx(10.11015, abs=5e-5)
    assert alike.p == pytest.approx(0.430883, abs=5e-6)


@pytest.mark.parametrize(
    ("station", "n", "s", "variance", "p", "corrected", "slope"),
    [
        (21, 205, 561, 7469, 9.18878e-11, 9.42566e-4, 0.111111111),
        (24, 211, 630, 8026, 2.20224e-12, 1.66336e-4, 0.108333333),
        (27, 209, 652, 7856.66667, 2.06501e-13, 1.86274e-4, 0.138516484),
    ],
)
def test_cruises(station, n, s, variance, p, corrected, slope) -> None:
    data = pd.read_csv(shared("water/sfbay_ctd_3stations_1985_2004.csv"))
    own = data[(data["stn"] == station) & (data["depth"] <= 5)]
    day = pd.to_datetime(own["date"].str.strip(), format="%m/%d/%Y")
    monthly = own.groupby([day.dt.year.rename("y"), day.dt.month.rename("m")])["chl"].mean()
    monthly = monthly.dropna().reset_index()
    found = seasonal_kendall(monthly["y"], monthly["chl"], monthly["m"])
    assert (found.n, found.s) == (n, s)
    assert found.variance == pytest.approx(variance, rel=1e-8)
    # rkt's 1 - pnorm keeps some five digits of so small a p.
    assert np.log10(found.p) == pytest.approx(np.log10(p), rel=1e-4)
    assert found.p_corrected == pytest.approx(corrected, rel=1e-5)
    assert found.slope == pytest.approx(slope, abs=1e-8)


@pytest.mark.parametrize(
    ("station", "column", "slope", "p"),
    [
        ("Siempang", "TSS_mgL", 2.0, 0.036408),
        ("Siempang", "TOTP_mgL", 0.0038766667, 3.625439e-4),
        ("Andaung Meas", "NO32_mgL", 0.0049933, 7.829906e-5),
        ("Siempang", "NO32_mgL", 0.014859967, 2.671570e-9),
        ("Phum Pi", "DO_mgL", -0.16593819, 2.933837e-5),
    ],
)
def test_rivers_of_the_mekong(station, column, slope, p) -> None:
    data = pd.read_csv(shared("water/mekong_3s_cambodia_wq_2004_2014.csv"))
    own = data[data["Name"] == station]
    found = seasonal_kendall(own["Year"], own[column], own["Month_1"])
    assert found.slope == pytest.approx(slope, abs=1e-8)
    assert found.p == pytest.approx(p, rel=2e-6)
    assert found.left_out == ((9.0,) if column == "DO_mgL" else ())


def test_oxygen_saturation() -> None:
    expected = [14.62083370, 11.28794737, 9.09242604, 8.26345670, 7.55879605, 6.77211602]
    found = saturation([0, 10, 20, 25, 30, 25], [0, 0, 0, 0, 0, 35])
    np.testing.assert_allclose(found, expected, atol=2e-8)
