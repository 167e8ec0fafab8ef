"""Wildlife indicators on small files: what they read, what they tell, what they refuse."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecotone.assess.compute import compute
from ecotone.assess.indicators.wildlife_reading import RefusedTable
from ecotone.assess.registry import get, names
from ecotone.model.errors import InputRefused, NotComputable, UsageError
from ecotone.science.wildlife import Captures, Detectors, Mask, Model, Session, fit
from ecotone.science.wildlife.secr_text import captures_text, detectors_text, mask_text
from ecotone.science.wildlife.simulate import simulate

IDS = [n for n in names() if n.startswith("wildlife.")]


def grid(low: float, high: float, step: float) -> np.ndarray:
    line = np.arange(low, high + 1, step)
    return np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)


def survey(kind: str = "proximity", seed: int = 3) -> Session:
    traps, cells = grid(0, 2000, 500), grid(-1500, 3500, 250)
    nobody = Captures(0, *(np.empty(0, dtype=int) for _ in range(4)))
    layout = Session(kind, Detectors(traps, np.ones((25, 4))), Mask(cells, 6.25), nobody)
    return simulate(layout, 0.02, "HN", 0.3, 400.0, np.random.default_rng(seed))


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Captures, detectors, mask and individuals as CSV."""
    s = survey()
    c = s.captures
    table = pd.DataFrame(
        {"id": c.animal, "occasion": c.occasion + 1, "detector": c.detector, "count": c.count}
    )
    table["id"] = "cat " + table["id"].astype(str)
    table["detector"] = "T" + table["detector"].astype(str)
    traps = pd.DataFrame(s.detectors.xy, columns=["x", "y"])
    traps.insert(0, "detector", [f"T{k}" for k in range(len(traps))])
    mask = pd.DataFrame(s.mask.xy, columns=["x", "y"]).assign(**{"habitat.cov": s.mask.xy[:, 0]})
    sex = pd.DataFrame({"id": table["id"].unique()})
    sex["sex"] = ["F", "M", "", "unknown", *["F", "M"] * len(sex)][: len(sex)]
    made = {}
    for name, frame in {
        "captures": table, "detectors": traps, "mask": mask, "individuals": sex
    }.items():  # fmt: skip
        made[name] = tmp_path / f"{name}.csv"
        frame.to_csv(made[name], index=False)
    return made


def run(indicator: str, inputs: dict[str, Path], out: Path, **parameters: object):
    given = {name: [path] for name, path in inputs.items()}
    result = compute(indicator, given, parameters, out)
    assert json.loads((out / "result.json").read_text("utf-8"))["indicator"] == indicator
    return result


def codes(result) -> set[str]:
    return {f["code"] for f in result.findings}


def three(files: dict[str, Path]) -> dict[str, Path]:
    return {n: files[n] for n in ("captures", "detectors", "mask")}


def test_all_are_described_in_three_languages() -> None:
    assert set(IDS) == {
        "wildlife.activity", "wildlife.density", "wildlife.design", "wildlife.encounter-rate",
        "wildlife.histories", "wildlife.identity", "wildlife.individuals", "wildlife.occupancy",
    }  # fmt: skip
    for name in IDS:
        indicator = get(name)
        parts = ["title", "summary", "method"]
        parts += [f"input.{i.name}" for i in indicator.inputs]
        parts += [f"parameter.{p.name}" for p in indicator.parameters]
        parts += [f"value.{v}" for v in indicator.values]
        parts += [f"table.{t}" for t in indicator.tables]
        for part in parts:
            assert len({str(indicator.words(part, lang)) for lang in ("en", "zh", "ru")}) >= 1


# --- density -----------------------------------------------------------------------------


def test_density(files: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run("wildlife.density", three(files), out, detector="proximity", occasions=4)
    d = result.values["density"]
    assert d.low < 200 < d.high
    assert d.unit == "1/(100 km2)"
    assert {"wildlife-model"} <= codes(result)
    assert "wildlife-occasions-assumed" not in codes(result)
    sessions = pd.read_csv(out / result.tables["sessions"])
    assert sessions["density"].tolist() == pytest.approx([d.value])
    coefficients = pd.read_csv(out / result.tables["coefficients"])
    assert coefficients["coefficient"].tolist() == ["D", "g0", "sigma"]


def test_density_of_everything(files: dict[str, Path], tmp_path: Path) -> None:
    result = run(
        "wildlife.density", files, tmp_path / "out", detector="proximity", detection="HHN",
        density="~habitat.cov", mixture="sex", behaviour="bk", interval="profile",
    )  # fmt: skip
    assert {"wildlife-occasions-assumed", "wildlife-model-classes"} <= codes(result)
    model = next(f for f in result.findings if f["code"] == "wildlife-model-classes")["message"]
    assert "lambda0~h2 + bk" in model
    assert "sigma~h2" in model
    assert result.values["pmix"].value is not None
    surface = pd.read_csv(tmp_path / "out" / result.tables["surface"])
    assert surface["density"].mean() == pytest.approx(result.values["density"].value)


def test_density_with_formulas_and_a_test_of_fit(files: dict[str, Path], tmp_path: Path) -> None:
    result = run(
        "wildlife.density", files, tmp_path / "out", detector="proximity", occasions=4,
        g0="~ 0 + h2", mixture="sex", replicates=5, distribution="binomial",
    )  # fmt: skip
    assert result.values["g0"].value is None
    assert "wildlife-no-reference" in codes(result)
    assert 0 <= result.values["fit_animals"].value <= 1
    result = run(
        "wildlife.density", three(files), tmp_path / "b", detector="proximity", occasions=4,
        g0="~T", behaviour="b",
    )  # fmt: skip
    assert "g0~T + b" in json.dumps(result.findings)


def test_secr_text_is_the_same(files: dict[str, Path], tmp_path: Path) -> None:
    """The same data as secr writes them give the same likelihood to the last digit."""
    table = pd.read_csv(files["captures"])
    lines = ["# Session ID Occasion Detector"]
    lines += [
        f"1 {i.replace(' ', '')} {o} {d}"
        for i, o, d in zip(table["id"], table["occasion"], table["detector"], strict=True)
    ]
    text = {"captures": "\n".join(lines)}
    traps = pd.read_csv(files["detectors"])
    text["detectors"] = "# Detector X Y\n" + "\n".join(
        f"{d} {x} {y} 1111 / 7" for d, x, y in traps.itertuples(index=False)
    ).replace("1111", "1 1 1 1")
    text["mask"] = "x y\n" + "\n".join(
        f"{x} {y}" for x, y in pd.read_csv(files["mask"])[["x", "y"]].itertuples(index=False)
    )
    written = {}
    for name, content in text.items():
        written[name] = tmp_path / f"{name}.txt"
        written[name].write_text(content + "\n", "utf-8")
    one = run("wildlife.density", three(files), tmp_path / "1", detector="proximity", occasions=4)
    two = run("wildlife.density", written, tmp_path / "2", detector="proximity")
    assert two.values["loglik"].value == pytest.approx(one.values["loglik"].value, abs=1e-10)
    assert "wildlife-occasions-assumed" not in codes(two)


@pytest.mark.parametrize("kind", ["multi", "proximity", "count"])
def test_text_there_and_back(kind: str, tmp_path: Path) -> None:
    """Written as secr's text and read again, the likelihood is the same to 1e-10."""
    s = survey(kind)
    ids = [f"cat {k}" for k in range(s.captures.animals)]
    files = {}
    for name, text in (
        ("captures", captures_text(s, ids)),
        ("detectors", detectors_text(s)),
        ("mask", mask_text(s)),
    ):
        files[name] = tmp_path / f"{name}.txt"
        files[name].write_text(text, "utf-8")
    read = run("wildlife.density", files, tmp_path / "out", detector=kind, detection="HHN")
    assert read.values["loglik"].value == pytest.approx(fit([s], Model("HHN")).value, abs=1e-10)
    assert read.values["animals"].value == s.captures.animals


def test_text_of_removal_and_covariates() -> None:
    s = survey()
    c = s.captures
    last = np.full(c.animals, -1)
    last[0] = c.occasion[c.animal == 0].max()
    more = replace(
        s,
        captures=replace(c, removed_after=last),
        detectors=replace(s.detectors, covariates={"kind": np.array(["rock face", ""] * 13)[:25]}),
        mask=replace(s.mask, covariates={"cover": np.arange(len(s.mask.xy))}),
    )
    assert f" -{last[0] + 1} " in captures_text(more, [str(k) for k in range(c.animals)])
    assert detectors_text(more).splitlines()[1].endswith("/ rock_face")
    assert detectors_text(more).splitlines()[2].endswith("/ NA")
    assert mask_text(more).splitlines()[0] == "x y cover"


def test_captures_by_coordinates_and_removal(files: dict[str, Path], tmp_path: Path) -> None:
    table = pd.read_csv(files["captures"]).merge(pd.read_csv(files["detectors"]), on="detector")
    table = table.sort_values(["id", "occasion", "detector"])
    last = ~table.duplicated("id", keep="last")
    gone = table["id"].eq(table["id"].iloc[0])
    table.loc[last & gone, "occasion"] *= -1
    table[["id", "occasion", "x", "y"]].to_csv(files["captures"], index=False)
    result = run(
        "wildlife.density", three(files), tmp_path / "out", detector="proximity", occasions=4
    )
    assert result.values["animals"].value == table["id"].nunique()


def test_sessions(files: dict[str, Path], tmp_path: Path) -> None:
    table = pd.read_csv(files["captures"])
    both = pd.concat([table.assign(session=2024), table.assign(session=2025)])
    both.to_csv(files["captures"], index=False)
    given = {"detector": "proximity", "occasions": 4}
    result = run(
        "wildlife.density", three(files), tmp_path / "a", density="~session", interval="profile",
        **given,
    )  # fmt: skip
    sessions = pd.read_csv(tmp_path / "a" / result.tables["sessions"])
    assert sessions["session"].tolist() == [2024, 2025]
    assert sessions["density"].iloc[0] == pytest.approx(sessions["density"].iloc[1], rel=1e-4)
    assert "wildlife-no-profile" in codes(result)
    one = run("wildlife.density", three(files), tmp_path / "b", session="2025", **given)
    assert one.values["loglik"].value == pytest.approx(result.values["loglik"].value / 2, abs=1e-6)
    with pytest.raises(UsageError, match="1999"):
        run("wildlife.density", three(files), tmp_path / "c", session="1999", **given)


def test_every_problem_is_told_at_once(files: dict[str, Path], tmp_path: Path) -> None:
    files["captures"].write_text(
        "id,occasion,detector,count\n"
        "a,1,T1,1\n,1,T1,1\nb,x,T1,1\nc,1.5,T2,1\nd,1,T2,many\ne,0,T3,1\n",
        "utf-8",
    )
    files["detectors"].write_text(
        "detector,x,y,usage1\nT1,0,0,1\nT1,5,5,-1\nT2,oops,1,1\n", "utf-8"
    )
    files["mask"].write_text("x,y\n0,0\n0,0\n100,0\n", "utf-8")
    with pytest.raises(RefusedTable) as caught:
        run("wildlife.density", three(files), tmp_path / "out", detector="proximity")
    found = {(f.code, f.file, f.row) for f in caught.value.findings}
    assert found == {
        ("wildlife-id-missing", "captures.csv", 2),
        ("wildlife-no-whole-number", "captures.csv", 3),
        ("wildlife-no-whole-number", "captures.csv", 4),
        ("wildlife-no-whole-number", "captures.csv", 5),
        ("wildlife-occasion-outside", "captures.csv", 6),
        ("wildlife-effort-negative", "detectors.csv", 2),
        ("wildlife-detector-twice", "detectors.csv", 2),
        ("wildlife-no-number", "detectors.csv", 3),
        ("wildlife-cell-twice", "mask.csv", 2),
    }
    assert all(f.message() in str(caught.value) for f in caught.value.findings)


@pytest.mark.parametrize(
    ("rows", "parameters", "code"),
    [
        ("a,1,T99,1", {}, "wildlife-detector-unknown"),
        ("a,9,T1,1", {}, "wildlife-occasion-outside"),
        ("a,1,T1,1\na,1,T2,1", {"detector": "multi"}, "wildlife-two-detectors"),
        ("a,1,T1,7", {"detector": "count", "trials": 5}, "wildlife-count-above-trials"),
        ("a,-1,T1,1\na,2,T1,1", {}, "wildlife-after-removal"),
    ],
)
def test_captures_that_cannot_be(
    files: dict[str, Path], tmp_path: Path, rows: str, parameters, code: str
) -> None:
    files["captures"].write_text(f"id,occasion,detector,count\n{rows}\n", "utf-8")
    with pytest.raises(RefusedTable) as caught:
        run("wildlife.density", three(files), tmp_path / "out", **{"occasions": 4} | parameters)
    assert code in {f.code for f in caught.value.findings}


def test_effort(files: dict[str, Path], tmp_path: Path) -> None:
    traps = pd.read_csv(files["detectors"]).assign(usage1=1, usage2=0, usage3=2, usage4=1)
    traps.to_csv(files["detectors"], index=False)
    with pytest.raises(RefusedTable) as caught:
        run("wildlife.density", three(files), tmp_path / "out", detector="proximity")
    assert {f.code for f in caught.value.findings} == {"wildlife-detection-without-effort"}
    with pytest.raises(RefusedTable) as caught:
        run("wildlife.density", three(files), tmp_path / "out", occasions=9)
    assert {f.code for f in caught.value.findings} >= {"wildlife-usage-short"}


@pytest.mark.parametrize(
    "parameters",
    [
        {"lambda0": "~1"},
        {"detection": "HHN", "g0": "~1"},
        {"density": "~nothing"},
        {"density": "~1 +"},
        {"mixture": "colour"},
        {"trials": 3, "detector": "multi"},
        {"session": "2"},
        {"detector": "polygon"},
        {"occasions": 0},
    ],
)
def test_wrong_parameters(files: dict[str, Path], tmp_path: Path, parameters) -> None:
    with pytest.raises(UsageError):
        run("wildlife.density", files, tmp_path / "out", **{"occasions": 4} | parameters)


def test_wrong_classes(files: dict[str, Path], tmp_path: Path) -> None:
    given = {"occasions": 4, "mixture": "sex"}
    with pytest.raises(UsageError, match="individuals"):
        run("wildlife.density", three(files), tmp_path / "out", **given)
    sex = pd.read_csv(files["individuals"])
    sex.assign(sex="F").to_csv(files["individuals"], index=False)
    with pytest.raises(UsageError, match="1 classes"):
        run("wildlife.density", files, tmp_path / "out", **given)
    twice = pd.concat([sex.assign(sex="F"), sex.assign(sex="M")])
    twice.to_csv(files["individuals"], index=False)
    with pytest.raises(RefusedTable):
        run("wildlife.density", files, tmp_path / "out", **given)
    sex.iloc[:2].assign(sex=["F", "M"]).to_csv(files["individuals"], index=False)
    result = run("wildlife.density", files, tmp_path / "out", **given)
    assert "wildlife-class-unknown" in codes(result)


def test_latent_classes_single_traps_and_counts(files: dict[str, Path], tmp_path: Path) -> None:
    table = pd.read_csv(files["captures"])
    table.loc[0, "count"] = 3
    table.drop_duplicates(["id", "occasion"]).to_csv(files["captures"], index=False)
    result = run(
        "wildlife.density", three(files), tmp_path / "out", detector="single", mixture="h2",
        occasions=4,
    )  # fmt: skip
    assert {"wildlife-single-as-multi", "wildlife-counts-as-one"} <= codes(result)
    assert "pmix" in result.values


def test_coefficients_that_cannot_be_told_apart(files: dict[str, Path], tmp_path: Path) -> None:
    mask = pd.read_csv(files["mask"])
    mask.assign(same=mask["habitat.cov"] * 2).to_csv(files["mask"], index=False)
    with pytest.raises(NotComputable, match="told apart"):
        run(
            "wildlife.density", three(files), tmp_path / "out", occasions=4,
            density="~habitat.cov + same",
        )  # fmt: skip


def test_files_that_are_none(files: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("", "utf-8")
    (tmp_path / "remarks.txt").write_text("# nothing\n# at all\n", "utf-8")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n", "utf-8")
    for name in ("empty.csv", "remarks.txt", "other.csv"):
        with pytest.raises(InputRefused):
            run("wildlife.density", three(files) | {"mask": tmp_path / name}, tmp_path / "out")
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(InputRefused):
        run("wildlife.density", three(files) | {"mask": folder}, tmp_path / "out")
    lone = tmp_path / "lone.csv"
    lone.write_text("x,y\n1,1\n", "utf-8")
    with pytest.raises(RefusedTable, match="fewer than two"):
        run("wildlife.density", three(files) | {"mask": lone}, tmp_path / "out", occasions=4)
    nowhere = tmp_path / "nowhere.csv"
    nowhere.write_text("id,occasion\na,1\n", "utf-8")
    with pytest.raises(RefusedTable, match="no detector"):
        run("wildlife.density", three(files) | {"captures": nowhere}, tmp_path / "out")


def test_one_file_each(files: dict[str, Path], tmp_path: Path) -> None:
    given = {n: [p] for n, p in three(files).items()}
    given["mask"] *= 2
    with pytest.raises(UsageError, match="one file"):
        compute("wildlife.density", given, {}, tmp_path / "out")


# --- identity ----------------------------------------------------------------------------

GENOTYPES = """sample,place,sex,L1a,L1b,L2a,L2b,L3a,L3b
s1,x,F,100,102,201,203,301,305
s2,x,F,102,100,201,203,301,-99
s3,y,M,110,112,207,209,,
s4,y,,110.0,112,207,209,308,310
"""


def identity(tmp_path: Path, text: str, **parameters: object):
    path = tmp_path / "genotypes.csv"
    path.write_text(text, "utf-8")
    return run("wildlife.identity", {"genotypes": path}, tmp_path / "out", **parameters)


def test_identity(tmp_path: Path) -> None:
    result = identity(tmp_path, GENOTYPES, mismatches=2)
    assert result.values["unique_genotypes"].value == 2
    assert result.values["loci"].value == 3
    samples = pd.read_csv(tmp_path / "out/tables/samples.csv")
    assert samples["genotype"].tolist() == ["s1", "s1", "s3", "s3"]
    assert "wildlife-threshold-given" in codes(result)
    assert "wildlife-panel-weak" in codes(result)
    unsupported = identity(tmp_path, GENOTYPES)
    assert unsupported.values["unique_genotypes"].value is None
    assert unsupported.values["pid"].value > 0
    assert "wildlife-threshold-unsupported" in codes(unsupported)


def test_identity_of_two_laboratories(tmp_path: Path) -> None:
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    one.write_text(GENOTYPES, "utf-8")
    two.write_text(
        "id,L1_a,L1_b,L2_a,L2_b,L4_a,L4_b\nt1,100,102,201,203,1,2\nt2,110,112,207,209,1,1\n",
        "utf-8",
    )
    given = {"genotypes": [one, two]}
    result = compute("wildlife.identity", given, {"mismatches": 0}, tmp_path / "out")
    assert result.values["loci"].value == 2
    assert result.values["unique_genotypes"].value == 2
    two.write_text("id,L1_a,L1_b\ns1,100,102\n", "utf-8")
    with pytest.raises(RefusedTable, match="twice"):
        compute("wildlife.identity", given, {}, tmp_path / "out")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("id,L1a,L1b,L2a\na,1,2,3\n", "no partner"),
        ("id,L1a,L1b\na,1,2\na,1,2\n,1,1\n", "no id"),
        ("id,place\na,x\n", "no pair of columns"),
    ],
)
def test_genotypes_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(RefusedTable, match=why):
        identity(tmp_path, text)


def test_genotypes_that_cannot_be_compared(tmp_path: Path) -> None:
    with pytest.raises(NotComputable):
        identity(tmp_path, "id,L1a,L1b\na,1,2\nb,1,2\n")
    with pytest.raises(UsageError, match="mismatches"):
        identity(tmp_path, GENOTYPES, mismatches=7)
    empty = "id,L1a,L1b,L2a,L2b\na,1,2,,\nb,3,4,,\n"
    assert "wildlife-locus-empty" in codes(identity(tmp_path, empty, mismatches=1))


# --- occupancy ---------------------------------------------------------------------------


@pytest.fixture
def visits(tmp_path: Path) -> dict[str, Path]:
    rng = np.random.default_rng(2)
    sites = pd.DataFrame({"Site": [f"S{k}" for k in range(80)], "cover": rng.normal(size=80)})
    site = np.repeat(np.arange(80), 4)
    seen = (rng.random(80) < 0.5)[site] & (rng.random(320) < 0.5)
    table = pd.DataFrame(
        {"site": sites["Site"].to_numpy()[site], "detected": seen.astype(int), "walk": site % 3}
    )
    made = {"visits": tmp_path / "visits.csv", "sites": tmp_path / "sites.csv"}
    table.to_csv(made["visits"], index=False)
    sites.to_csv(made["sites"], index=False)
    return made


def test_occupancy(visits: dict[str, Path], tmp_path: Path) -> None:
    result = run(
        "wildlife.occupancy", visits, tmp_path / "out", psi="~cover", p="~walk + cover",
        replicates=5,
    )  # fmt: skip
    psi = result.values["mean_psi"]
    assert psi.low < 0.5 < psi.high
    assert result.values["sites"].value == 80
    assert 0 < result.values["fit_p"].value <= 1
    table = pd.read_csv(tmp_path / "out/tables/sites.csv")
    assert table["given_visits"].between(0, 1).all()
    area = tmp_path / "area.csv"
    area.write_text("site,cover\nA,0\nB,1\n", "utf-8")
    there = run("wildlife.occupancy", visits | {"area": area}, tmp_path / "b", psi="cover")
    assert len(pd.read_csv(tmp_path / "b/tables/sites.csv")) == 2
    assert there.values["mean_psi"].value is not None


def test_gaps_are_no_absence(visits: dict[str, Path], tmp_path: Path) -> None:
    table = pd.read_csv(visits["visits"]).astype(object)
    table.loc[0, "detected"] = None
    table.loc[1, "walk"] = None
    table.loc[2, "detected"] = 4
    table.loc[table["site"] == "S79", "detected"] = None
    table.to_csv(visits["visits"], index=False)
    sites = pd.read_csv(visits["sites"])
    sites.loc[5, "cover"] = np.nan
    sites.to_csv(visits["sites"], index=False)
    result = run("wildlife.occupancy", visits, tmp_path / "out", p="walk", psi="cover")
    assert {
        "wildlife-visits-left-out", "wildlife-sites-unvisited", "wildlife-sites-left-out",
        "wildlife-counts-as-one",
    } <= codes(result)  # fmt: skip
    assert result.values["visits"].value == 320 - 2 - 4 - 4
    assert result.values["sites"].value == 78


def test_occupancy_refused(visits: dict[str, Path], tmp_path: Path) -> None:
    for psi in ("nothing", "cover +"):
        with pytest.raises(UsageError):
            run("wildlife.occupancy", visits, tmp_path / "out", psi=psi)
    area = tmp_path / "area.csv"
    area.write_text("site,cover\nA,\nB,1\n", "utf-8")
    with pytest.raises((NotComputable, UsageError)):
        run("wildlife.occupancy", visits | {"area": area}, tmp_path / "out", psi="cover")
    table = pd.read_csv(visits["visits"])
    table.assign(detected=0).to_csv(visits["visits"], index=False)
    with pytest.raises(NotComputable, match="never detected"):
        run("wildlife.occupancy", visits, tmp_path / "out")
    broken = table.astype(object)
    broken.loc[0, "detected"], broken.loc[1, "site"] = "perhaps", "S999"
    broken.to_csv(visits["visits"], index=False)
    with pytest.raises(RefusedTable) as caught:
        run("wildlife.occupancy", visits, tmp_path / "out")
    assert {(f.code, f.row) for f in caught.value.findings} == {
        ("wildlife-detected-wrong", 1), ("wildlife-site-unknown", 2),
    }  # fmt: skip


def test_occupancy_at_its_edges(visits: dict[str, Path], tmp_path: Path) -> None:
    table = pd.read_csv(visits["visits"])
    always = table.assign(detected=(table["site"] < "S5").astype(int))
    always.to_csv(visits["visits"], index=False)
    assert "wildlife-boundary" in codes(run("wildlife.occupancy", visits, tmp_path / "out"))
    once = table.drop_duplicates("site")
    once.to_csv(visits["visits"], index=False)
    assert "wildlife-not-identified" in codes(run("wildlife.occupancy", visits, tmp_path / "o"))


# --- cameras, patrols, design ------------------------------------------------------------

DEPLOYMENTS = """deploymentID,latitude,longitude,deploymentStart,deploymentEnd
d1,43.2,76.9,2026-05-01T00:00:00+05:00,2026-05-11T00:00:00+05:00
d2,43.2,76.9,2026-05-01T00:00:00+05:00,2026-05-21T00:00:00+05:00
"""


def observations(count: int = 40) -> str:
    lines = ["deploymentID,eventStart,observationLevel,observationType,scientificName"]
    rng = np.random.default_rng(1)
    for k in range(count):
        hour = int(rng.normal(21, 2)) % 24
        species = "Panthera uncia" if k % 2 else "Capra sibirica"
        time = f"2026-05-{2 + k % 9:02d}T{hour:02d}:{k:02d}:00+05:00"
        lines.append(f"d{1 + k % 2},{time},event,animal,{species}")
    lines.append("d1,2026-05-02T20:00:00+05:00,media,animal,Panthera uncia")
    lines.append("d1,2026-05-02T20:00:00+05:00,event,blank,")
    return "\n".join(lines) + "\n"


@pytest.fixture
def cameras(tmp_path: Path) -> dict[str, Path]:
    made = {}
    for name, text in {"deployments": DEPLOYMENTS, "observations": observations()}.items():
        made[name] = tmp_path / f"{name}.csv"
        made[name].write_text(text, "utf-8")
    return made


def test_encounter_rate(cameras: dict[str, Path], tmp_path: Path) -> None:
    failures = tmp_path / "failures.csv"
    failures.write_text(
        "deploymentID,failureStart,failureEnd\nd2,2026-05-11T00:00:00Z,2026-05-16T00:00:00Z\n",
        "utf-8",
    )
    result = run(
        "wildlife.encounter-rate", cameras | {"failures": failures}, tmp_path / "out",
        species="panthera uncia",
    )  # fmt: skip
    assert result.values["effort"].value == pytest.approx(25.0)
    assert result.values["encounters"].value == 20
    assert result.values["rate"].value == pytest.approx(80.0)
    assert {"wildlife-index", "wildlife-one-level"} <= codes(result)
    media = run("wildlife.encounter-rate", cameras, tmp_path / "m", level="media", replicates=0)
    assert media.values["encounters"].value == 1
    apart = run("wildlife.encounter-rate", cameras, tmp_path / "i", independence=100_000)
    assert apart.values["encounters"].value == 2
    with pytest.raises(UsageError, match="Felis"):
        run("wildlife.encounter-rate", cameras, tmp_path / "x", species="Felis catus")
    with pytest.raises(UsageError, match="deployments"):
        run("wildlife.encounter-rate", {"deployments": cameras["deployments"]}, tmp_path / "x")


def test_camera_problems(cameras: dict[str, Path], tmp_path: Path) -> None:
    cameras["deployments"].write_text(
        DEPLOYMENTS
        + "d2,1,1,2026-05-01T00:00:00,2026-04-01T00:00:00Z\nd3,1,1,soon,2026-05-01T00:00:00Z\n",
        "utf-8",
    )
    with pytest.raises(RefusedTable) as caught:
        run("wildlife.encounter-rate", cameras, tmp_path / "out")
    assert {(f.code, f.row) for f in caught.value.findings} == {
        ("wildlife-time-zoneless", 3), ("wildlife-deployment-twice", 3),
        ("wildlife-deployment-backwards", 3), ("wildlife-time-wrong", 4),
    }  # fmt: skip
    cameras["deployments"].write_text(DEPLOYMENTS, "utf-8")
    cameras["observations"].write_text(
        "deploymentID,eventStart\nd9,2026-05-02T00:00:00Z\nd1,2026-09-02T00:00:00Z\n", "utf-8"
    )
    with pytest.raises(RefusedTable, match="no deployment 'd9'"):
        run("wildlife.encounter-rate", cameras, tmp_path / "out")
    cameras["observations"].write_text(
        "deploymentID,eventStart\nd1,2026-09-02T00:00:00Z\n", "utf-8"
    )
    late = run("wildlife.encounter-rate", cameras, tmp_path / "out")
    assert "wildlife-record-outside" in codes(late)


def test_patrols(tmp_path: Path) -> None:
    tracks, met = tmp_path / "tracks.csv", tmp_path / "met.csv"
    tracks.write_text(
        "patrol,time,x,y\n"
        "p1,2026-05-01T06:00:00Z,0,500\np1,2026-05-01T09:00:00Z,3000,500\n"
        "p1,2026-05-02T09:00:00Z,3000,2500\np2,2026-05-03T06:00:00Z,0,0\n"
        "p2,2026-05-03T08:00:00Z,0,5000\n",
        "utf-8",
    )
    met.write_text("patrol,species,count\np1,snare,3\np2,snare,1\np1,Panthera uncia,1\n", "utf-8")
    inputs = {"patrols": tracks, "encounters": met}
    result = run("wildlife.encounter-rate", inputs, tmp_path / "out", species="snare")
    assert result.values["distance"].value == pytest.approx(10.0)
    assert result.values["effort"].value == 3
    assert result.values["rate"].value == pytest.approx(400 / 3)
    assert result.values["rate_by_distance"].value == pytest.approx(40.0)
    cells = pd.read_csv(tmp_path / "out/tables/cells.csv")
    assert cells["distance"].sum() == pytest.approx(10.0)
    totals = tmp_path / "totals.csv"
    totals.write_text("patrol,km\np1,5\np2,15\n", "utf-8")
    result = run("wildlife.encounter-rate", inputs | {"patrols": totals}, tmp_path / "t")
    assert result.values["rate_by_distance"].value == pytest.approx(25.0)
    assert "rate" not in result.values
    met.write_text("patrol\np1\np7\n", "utf-8")
    with pytest.raises(RefusedTable, match="no patrol 'p7'"):
        run("wildlife.encounter-rate", inputs, tmp_path / "x")
    totals.write_text("patrol,hours\np1,5\n", "utf-8")
    with pytest.raises(RefusedTable, match="km"):
        run("wildlife.encounter-rate", {"patrols": totals}, tmp_path / "x")


def test_activity(cameras: dict[str, Path], tmp_path: Path) -> None:
    result = run(
        "wildlife.activity", cameras, tmp_path / "out", species="Panthera uncia",
        against="Capra sibirica", replicates=10,
    )  # fmt: skip
    assert 18 < result.values["peak"].value < 24
    assert result.values["overlap_1"].value > 0.6
    curve = pd.read_csv(tmp_path / "out/tables/density.csv")
    area = curve.groupby("species")["density"].sum() * 24 / 256
    assert area.tolist() == pytest.approx([1.0, 1.0], abs=1e-3)
    clock = run("wildlife.activity", cameras, tmp_path / "c", time="clock", replicates=0)
    assert clock.values["activity_level"].se is None
    assert 19 < clock.values["peak"].value < 23
    alone = {"observations": cameras["observations"]}
    with pytest.raises(UsageError, match="deployments"):
        run("wildlife.activity", alone, tmp_path / "x")
    assert run("wildlife.activity", alone, tmp_path / "x", time="clock", replicates=2)
    north = DEPLOYMENTS.replace("43.2", "80.0")
    cameras["deployments"].write_text(north, "utf-8")
    with pytest.raises(NotComputable):
        run("wildlife.activity", cameras, tmp_path / "x")


def test_design(files: dict[str, Path], tmp_path: Path) -> None:
    inputs = {n: files[n] for n in ("detectors", "mask")}
    given = {"density": 200, "g0": 0.3, "sigma": 400, "occasions": 4}
    result = run("wildlife.design", inputs, tmp_path / "out", replicates=3, **given)
    assert result.values["inhabitants"].value == pytest.approx(0.02 * 441 * 6.25)
    assert result.values["simulated"].value == 3
    weak = run("wildlife.design", inputs, tmp_path / "w", **given | {"density": 2})
    assert "wildlife-design-weak" in codes(weak)
    rare = run("wildlife.design", inputs, tmp_path / "r", replicates=2, **given | {"density": 0})
    assert {"wildlife-design-failed", "wildlife-design-weak"} <= codes(rare)
    with pytest.raises(UsageError, match="lambda0"):
        run("wildlife.design", inputs, tmp_path / "x", detection="HHN", **given)
    files["mask"].write_text("x,y\n0,0\n", "utf-8")
    with pytest.raises(RefusedTable):
        run("wildlife.design", inputs, tmp_path / "x", **given)
