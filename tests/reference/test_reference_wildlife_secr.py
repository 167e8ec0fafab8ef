"""Spatial capture-recapture against fits of the field's own program, real and simulated data."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.support import shared

from ecotone.assess.compute import compute
from ecotone.science.wildlife import (
    Captures,
    Detectors,
    Mask,
    Model,
    SecrFit,
    Session,
    cell_area,
    estimates,
    fit,
)
from ecotone.science.wildlife.collapse import collapsed

SETS = {
    "captdata": ("secr/captdata", "multi", 5),
    "stoat": ("secr/stoat", "multi", 7),
    "bear": ("secr/blackbear", "proximity", 10),
    "leopard": ("kruger_leopard/kruger", "count", 1),
}
SEX = ("F", "M")


def load(name: str) -> Session:
    stem, kind, occasions = SETS[name]
    captures = pd.read_csv(shared(f"wildlife/{stem}_captures.csv"), dtype={"detector": str})
    detectors = pd.read_csv(shared(f"wildlife/{stem}_detectors.csv"), dtype={"detector": str})
    mask = pd.read_csv(shared(f"wildlife/{stem}_mask.csv"))
    ids, animal = np.unique(captures["id"].astype(str), return_inverse=True)
    known = None
    if name in ("bear", "leopard"):
        table = pd.read_csv(shared(f"wildlife/{stem}_individuals.csv"), dtype=str)
        sex = table.set_index("id")["sex"]
        known = np.array([SEX.index(sex[i]) if sex.get(i) in SEX else -1 for i in ids])
    place = {d: k for k, d in enumerate(detectors["detector"])}
    xy = mask[["x", "y"]].to_numpy(float)
    return Session(
        kind,
        Detectors(detectors[["x", "y"]].to_numpy(float), np.ones((len(detectors), occasions))),
        Mask(xy, cell_area(xy), {c: mask[c].to_numpy() for c in mask if c not in ("x", "y")}),
        Captures(
            len(ids),
            animal,
            captures["occasion"].to_numpy() - 1,
            captures["detector"].map(place).to_numpy(),
            captures["count"].to_numpy(),
        ),
        known_class=known,
    )


@pytest.fixture(scope="module")
def fitted():
    """Fits by data set and model, each made once."""
    made: dict[str, SecrFit] = {}

    def one(name: str, model: Model | None = None) -> SecrFit:
        key = f"{name} {model}"
        if key not in made:
            made[key] = fit([load(name)], model)
        return made[key]

    return one


UNEQUAL = Model("HHN", top="~h2", sigma="~h2", classes=SEX)
LOGLIK = [
    ("captdata", None, -759.025746),
    ("captdata", Model(top="~b"), -759.016423),
    ("captdata", Model(number="conditional"), -755.940344),
    ("stoat", None, -144.001517),
    ("stoat", Model("EX"), -144.708286),
    ("bear", None, -1115.451597),
    ("bear", Model("EX", classes=SEX), -1164.547311),
    ("bear", Model("EX", top="~h2 + bk", sigma="~h2", classes=SEX), -1114.109958),
    ("leopard", None, -296.184092),
    ("leopard", Model("HHN"), -295.964708),
    ("leopard", Model("HHN", density="~habitat.cov"), -289.9541),
    ("leopard", UNEQUAL, -324.158299),
]


@pytest.mark.parametrize(("name", "model", "value"), LOGLIK)
def test_log_likelihood(fitted, name: str, model: Model | None, value: float) -> None:
    found = fitted(name, model)
    assert found.converged
    assert found.value == pytest.approx(value, abs=1e-4)


def test_occasions_taken_as_one() -> None:
    once = fit([collapsed(load("bear"))])
    assert once.value == pytest.approx(-577.144251, abs=1e-4)
    near(estimates.density(once), 0.00843698, 0.00081786)


def test_cells() -> None:
    for name, area in (("captdata", 0.005393066), ("stoat", 0.6103516), ("bear", 25.0)):
        assert load(name).mask.cell_area == pytest.approx(area, rel=1e-6)
    assert load("leopard").mask.cell_area == pytest.approx(149.585129, rel=1e-6)


def near(e: estimates.Estimate, value: float, se: float) -> None:
    assert e.value == pytest.approx(value, rel=1e-3)
    assert e.se == pytest.approx(se, rel=1e-2)


def test_captdata(fitted) -> None:
    f = fitted("captdata")
    near(estimates.density(f), 5.479788, 0.646740)
    near(estimates.real_estimate(f, "g0"), 0.273190, 0.027051)
    near(estimates.real_estimate(f, "sigma"), 29.36584, 1.30494)
    near(estimates.expected_number(f), 116.320, 13.728)
    near(estimates.realised_number(f), 116.320, 8.494)
    d = estimates.density(f)
    assert (d.low, d.high) == pytest.approx((4.3516, 6.9005), rel=1e-3)
    assert estimates.profile_interval(f) == pytest.approx((4.315, 6.847), rel=1e-3)
    assert estimates.effective_area(f) == pytest.approx(13.86910, rel=1e-3)
    near(estimates.density(fitted("captdata", Model(number="conditional"))), 5.479808, 0.644554)


def test_stoats(fitted) -> None:
    f = fitted("stoat")
    near(estimates.density(f), 0.0223630, 0.0065425)
    near(estimates.real_estimate(f, "sigma"), 257.916, 44.75)
    assert estimates.real_estimate(f, "g0").value == pytest.approx(0.0514653, rel=1e-3)
    assert estimates.effective_area(f) == pytest.approx(894.334, rel=1e-3)
    e, r = estimates.expected_number(f), estimates.realised_number(f)
    near(e, 54.051, 15.813)
    near(r, 54.051, 14.000)
    assert (e.low, e.high) == pytest.approx((30.82, 94.78), rel=1e-3)
    assert (r.low, r.high) == pytest.approx((35.69, 93.88), rel=1e-3)
    beta = fitted("stoat", Model("EX")).beta
    assert beta == pytest.approx([-3.803196, -1.947903, 5.112472], rel=1e-3)


def test_bears(fitted) -> None:
    f = fitted("bear")
    near(estimates.density(f), 0.00843698, 0.00081786)
    near(estimates.real_estimate(f, "sigma"), 1425.16, 74.74)
    assert estimates.real_estimate(f, "g0").value == pytest.approx(0.0423842, rel=1e-3)
    binomial = fitted("bear", Model(number="binomial"))
    near(estimates.density(binomial), 0.00841997, 0.00068780)
    # Of the collapsed data: the same less what collapsing adds to the constant model too.
    assert binomial.value - f.value == pytest.approx(-576.906605 + 577.144251, abs=1e-4)
    sex = fitted("bear", Model("EX", classes=SEX))
    assert sex.beta == pytest.approx([-4.6689658, -1.690833, 6.5520127, -0.3340056], rel=1e-3)
    assert sex.se == pytest.approx([0.09816, 0.15914, 0.06699, 0.17201], rel=1e-2)
    both = fitted("bear", Model("EX", top="~h2 + bk", sigma="~h2", classes=SEX)).coefficients()
    assert both == pytest.approx(
        {
            "D": -4.462243, "g0": -3.421369, "g0.h2[M]": 0.786854, "g0.bk": 2.314379,
            "sigma": 6.995865, "sigma.h2[M]": -0.054903, "pmix": -0.727951,
        },
        rel=1e-3,
    )  # fmt: skip


def test_leopards(fitted) -> None:
    f = fitted("leopard")
    d = estimates.density(f)
    near(d, 4.68117e-4, 0.644e-4)
    assert (d.low * 1e4, d.high * 1e4) == pytest.approx((3.579, 6.122), rel=1e-3)
    near(estimates.real_estimate(f, "g0"), 0.53549, 0.05947)
    near(estimates.real_estimate(f, "sigma"), 3664.1, 239.6)
    e, r = estimates.expected_number(f), estimates.realised_number(f)
    near(e, 150.830, 20.751)
    near(r, 150.831, 16.726)
    assert (e.low, e.high) == pytest.approx((115.33, 197.26), rel=1e-3)
    assert (r.low, r.high) == pytest.approx((123.73, 190.23), rel=1e-3)
    hazard = fitted("leopard", Model("HHN"))
    assert estimates.real_estimate(hazard, "lambda0").value == pytest.approx(0.703793, rel=1e-3)
    surface = fitted("leopard", Model("HHN", density="~habitat.cov"))
    assert surface.beta[:2] == pytest.approx([-9.33446, 0.712126], rel=1e-3)
    assert surface.se[1] == pytest.approx(0.22517, rel=1e-2)
    near(estimates.expected_number(surface), 127.397, 18.106)
    sex = fitted("leopard", UNEQUAL)
    assert estimates.density(sex).value == pytest.approx(6.1788e-4, rel=1e-3)
    assert sex.coefficients()["sigma.h2[M]"] == pytest.approx(-0.518660, rel=1e-3)
    assert sex.se[sex.names.index("sigma.h2[M]")] == pytest.approx(0.205677, rel=1e-2)
    # The sexes' unequal detection is estimated with them, and moves no value by 0.1 %.
    assert sex.coefficients()["pmix"] == pytest.approx(np.log(0.5473 / 0.4527), abs=5e-4)


def indicated(tmp_path: Path, name: str, **parameters: object) -> dict[str, dict[str, float]]:
    stem, kind, occasions = SETS[name]
    inputs = {n: [shared(f"wildlife/{stem}_{n}.csv")] for n in ("captures", "detectors", "mask")}
    if "mixture" in parameters:
        inputs["individuals"] = [shared(f"wildlife/{stem}_individuals.csv")]
    given = {"detector": kind, "occasions": occasions} | parameters
    compute("wildlife.density", inputs, given, tmp_path)
    return json.loads((tmp_path / "result.json").read_text("utf-8"))["values"]


def test_indicator(tmp_path: Path) -> None:
    values = indicated(tmp_path, "leopard")
    assert values["loglik"]["value"] == pytest.approx(-296.184092, abs=1e-4)
    assert values["density"]["value"] == pytest.approx(4.681, rel=1e-3)
    assert values["density"]["se"] == pytest.approx(0.644, rel=1e-2)
    assert values["density"]["low"] == pytest.approx(3.579, rel=1e-3)
    assert values["expected_n"]["value"] == pytest.approx(150.83, rel=1e-3)
    assert values["g0"]["value"] == pytest.approx(0.53549, rel=1e-3)
    values = indicated(tmp_path, "captdata", interval="profile")
    assert values["density"]["low"] == pytest.approx(43150, rel=1e-3)
    assert values["density"]["high"] == pytest.approx(68470, rel=1e-3)


def test_indicator_of_sexes(tmp_path: Path) -> None:
    values = indicated(tmp_path, "bear", detection="EX", mixture="sex")
    assert values["loglik"]["value"] == pytest.approx(-1164.547311, abs=1e-4)
    values = indicated(tmp_path, "bear", detection="EX", mixture="sex", behaviour="bk")
    assert values["loglik"]["value"] == pytest.approx(-1114.109958, abs=1e-4)
    assert values["density"]["value"] == pytest.approx(np.exp(-4.462243) * 1e4, rel=1e-3)
    values = indicated(
        tmp_path, "leopard", detection="HHN", mixture="sex", lambda0="~h2", sigma="~h2"
    )
    assert values["loglik"]["value"] == pytest.approx(-324.158299, abs=1e-4)
    values = indicated(tmp_path, "leopard", detection="HHN", density="~habitat.cov")
    assert values["expected_n"]["se"] == pytest.approx(18.106, rel=1e-2)
