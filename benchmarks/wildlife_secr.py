"""Spatial capture-recapture, matching of genotypes, coverage of intervals; secr beside it.

Ours are whole fits (start values, search, second derivatives) on one thread, best of some runs.
R's secr gets the same data, mask and model where R and the package are at hand; its whole fit is
timed, not its start. Reference data lie where the tests look for them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.machine import machine

from ecotone.science.wildlife import (
    Captures,
    Detectors,
    Mask,
    Model,
    Session,
    cell_area,
    estimates,
    fit,
)
from ecotone.science.wildlife.genotypes import Genotypes
from ecotone.science.wildlife.matching import match, profile
from ecotone.science.wildlife.simulate import simulate

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("ECOTONE_SHARED_DATA", ROOT.parent / "shared" / "data")) / "wildlife"
SEX = ("F", "M")
RUNS = 3
#: Name, files, detector, occasions, model, and secr's words for it.
FITS = [
    ("captdata HN", "secr/captdata", "multi", 5, Model(), "HN", "list()", None),
    ("stoats HN", "secr/stoat", "multi", 7, Model(), "HN", "list()", None),
    ("black bears HN", "secr/blackbear", "proximity", 10, Model(), "HN", "list()", None),
    (
        "black bears EX sex + bk", "secr/blackbear", "proximity", 10,
        Model("EX", top="~h2 + bk", sigma="~h2", classes=SEX), "EX",
        "list(g0~h2+bk, sigma~h2)", "sex",
    ),
    ("leopards HN", "kruger_leopard/kruger", "count", 1, Model(), "HN", "list()", None),
    (
        "leopards HHN sex", "kruger_leopard/kruger", "count", 1,
        Model("HHN", top="~h2", sigma="~h2", classes=SEX), "HHN",
        "list(lambda0~h2, sigma~h2)", "sex",
    ),
]  # fmt: skip


def main() -> None:
    """Time everything and print.

    With ``--sessions`` also ten large sessions over Dask, with ``--coverage`` the 200 simulated
    basins, with ``--only`` nothing besides these.
    """
    print(machine())
    print(f"{'fit':<26}{'logL':>14}{'ecotone s':>12}{'secr s':>10}{'ratio':>8}")
    for row in [] if "--only" in sys.argv else FITS:
        if not (SHARED / f"{row[1]}_mask.csv").exists():
            print(f"{row[0]:<26} reference data missing")
            continue
        one_fit(*row)
    if "--only" not in sys.argv:
        genotypes()
        large()
    if "--sessions" in sys.argv:
        several()
    if "--coverage" in sys.argv:
        coverage()


def one_fit(
    name: str, stem: str, kind: str, occasions: int, model: Model, form: str, formulas: str,
    hcov: str | None,
) -> None:  # fmt: skip
    """One model by both programs."""
    session = load(stem, kind, occasions, hcov is not None)
    fit([session], model)
    found = fit([session], model)
    ours = best(lambda: fit([session], model))
    told = beside(stem, kind, occasions, form, formulas, hcov)
    peer = "-" if told is None else f"{told['seconds']:.1f}"
    ratio = "-" if told is None else f"{told['seconds'] / ours:.0f}"
    if told is not None and abs(told["loglik"] - found.value) > 1e-3:
        raise AssertionError(f"{name}: secr's log-likelihood is {told['loglik']}")
    print(f"{name:<26}{found.value:>14.6f}{ours:>12.3f}{peer:>10}{ratio:>8}")


def load(stem: str, kind: str, occasions: int, sexed: bool) -> Session:
    """A reference data set."""
    captures = pd.read_csv(SHARED / f"{stem}_captures.csv", dtype={"detector": str})
    detectors = pd.read_csv(SHARED / f"{stem}_detectors.csv", dtype={"detector": str})
    mask = pd.read_csv(SHARED / f"{stem}_mask.csv")
    ids, animal = np.unique(captures["id"].astype(str), return_inverse=True)
    known = None
    if sexed:
        sex = pd.read_csv(SHARED / f"{stem}_individuals.csv", dtype=str).set_index("id")["sex"]
        known = np.array([SEX.index(sex[i]) if sex.get(i) in SEX else -1 for i in ids])
    place = {d: k for k, d in enumerate(detectors["detector"])}
    xy = mask[["x", "y"]].to_numpy(float)
    return Session(
        kind,  # type: ignore[arg-type]  # a kind of detector by name
        Detectors(detectors[["x", "y"]].to_numpy(float), np.ones((len(detectors), occasions))),
        Mask(xy, cell_area(xy)),
        Captures(
            len(ids),
            animal,
            captures["occasion"].to_numpy() - 1,
            captures["detector"].map(place).to_numpy(),
            captures["count"].to_numpy(),
        ),
        known_class=known,
    )


def beside(
    stem: str, kind: str, occasions: int, form: str, formulas: str, hcov: str | None
) -> dict[str, float] | None:
    """The same fit by secr; None where R or the package is missing."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return None
    individuals = SHARED / f"{stem}_individuals.csv"
    sexes = f'read.csv("{individuals}", colClasses = "character")' if hcov else "NULL"
    script = f"""
    suppressPackageStartupMessages(if (!require(secr, quietly = TRUE)) quit(status = 3))
    d <- read.csv("{SHARED / stem}_detectors.csv", colClasses = c(detector = "character"))
    tr <- read.traps(data = data.frame(x = d$x, y = d$y, row.names = d$detector),
                     detector = "{kind}")
    k <- read.csv("{SHARED / stem}_captures.csv", colClasses = c(detector = "character"))
    k <- k[rep(seq_len(nrow(k)), k$count), ]
    sexes <- {sexes}
    table <- data.frame(session = 1, id = k$id, occasion = k$occasion, trap = k$detector)
    if (!is.null(sexes)) table$sex <- factor(sexes$sex[match(k$id, sexes$id)])
    ch <- make.capthist(table, tr, noccasions = {occasions})
    m <- read.mask(data = read.csv("{SHARED / stem}_mask.csv")[, c("x", "y")])
    took <- system.time(f <- secr.fit(ch, mask = m, detectfn = "{form}", model = {formulas},
        hcov = {f'"{hcov}"' if hcov else "NULL"}, trace = FALSE, ncores = 1,
        details = list(fastproximity = FALSE)))["elapsed"]
    cat(sprintf('{{"seconds": %f, "loglik": %.8f}}', took, as.numeric(logLik(f))))
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fit.R"
        path.write_text(script, "utf-8")
        done = subprocess.run([rscript, str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    told: dict[str, float] = json.loads(done.stdout[done.stdout.index("{") :])
    return told


def best(work: Callable[[], object]) -> float:
    """Shortest of some runs, seconds."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def genotypes(samples: int = 20_000, loci: int = 20, animals: int = 8_000) -> None:
    """Matching of many genotypes with errors and gaps."""
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 10, (animals, loci, 2))
    who = rng.integers(0, animals, samples)
    alleles = truth[who]
    slip = rng.random(alleles.shape) < 0.01
    alleles[slip] = rng.integers(0, 10, slip.sum())
    alleles.sort(axis=2)
    alleles[rng.random((samples, loci)) < 0.05] = -1
    ids = tuple(str(k) for k in range(samples))
    names = tuple(f"L{k}" for k in range(loci))
    data = Genotypes(ids, names, alleles, (), np.empty((samples, 0), dtype=np.int64))
    start = time.perf_counter()
    one = match(data, 8)
    middle = time.perf_counter()
    every = profile(data)
    end = time.perf_counter()
    chosen = -1 if every.chosen is None else every.chosen
    print(f"\n{samples} genotypes x {loci} loci of {len(np.unique(who))} animals")
    print(f"one threshold   {middle - start:8.1f} s   {len(one.unique)} unique at 8 mismatches")
    print(f"whole profile   {end - middle:8.1f} s   supported: {chosen} mismatches")


def layout(columns: int, rows: int, spacing: float, cells: int, occasions: int) -> Session:
    """A grid of detectors in a mask that reaches five spacings beyond it."""
    x, y = np.meshgrid(np.arange(columns) * spacing, np.arange(rows) * spacing)
    step = spacing * np.sqrt((columns + 9) * (rows + 9) / cells)
    west, south = -5 * spacing, -5 * spacing
    mx, my = np.meshgrid(
        np.arange(west, (columns + 4) * spacing, step), np.arange(south, (rows + 4) * spacing, step)
    )
    mask = np.column_stack([mx.ravel(), my.ravel()])
    nobody = np.empty(0, dtype=np.int64)
    return Session(
        "proximity",
        Detectors(np.column_stack([x.ravel(), y.ravel()]), np.ones((columns * rows, occasions))),
        Mask(mask, cell_area(mask)),
        Captures(0, nobody, nobody, nobody, nobody),
    )


def large() -> None:
    """One of ten large sessions: 400 animals, 500 cameras, 20,000 cells."""
    import resource

    rng = np.random.default_rng(1)
    session = simulate(layout(25, 20, 2000.0, 20_000, 20), 0.0018, "HHN", 0.03, 2000.0, rng)
    start = time.perf_counter()
    found = fit([session], Model("HHN"))
    took = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"\n{session.captures.animals} animals, {len(session.detectors.xy)} cameras, "
        f"{len(session.mask.xy)} cells: {took:.1f} s, {found.optimum.evaluations} evaluations, "
        f"peak {memory:.2f} GB; ten such sessions one after another about {10 * took / 60:.1f} min"
    )


def several(sessions: int = 10) -> None:
    """Ten large sessions with one density and one detection function, mapped over Dask."""
    import psutil
    from distributed import LocalCluster

    from ecotone.assess.executor import Cluster

    rng = np.random.default_rng(1)
    plan = layout(25, 20, 2000.0, 20_000, 20)
    made = [
        replace(simulate(plan, 0.0018, "HHN", 0.03, 2000.0, rng), name=str(k + 1))
        for k in range(sessions)
    ]
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as local:
        cluster = Cluster(local.scheduler_address)
        start = time.perf_counter()
        found = fit(made, Model("HHN"), mapper=cluster.map)
        took = time.perf_counter() - start
        this = psutil.Process()
        every = [this, *this.children(recursive=True)]
        memory = sum(p.memory_info().rss for p in every) / 1e9
        seconds = sum(sum(p.cpu_times()[:2]) for p in every)
        cluster.close()
    animals = sum(s.captures.animals for s in made)
    d = estimates.total_expected_number(found)
    print(
        f"\n{sessions} sessions, {animals} animals, {len(plan.detectors.xy)} cameras and "
        f"{len(plan.mask.xy)} cells each, over Dask: {took:.0f} s ({seconds:.0f} s of processor), "
        f"{found.optimum.evaluations} evaluations, {memory:.2f} GB in all processes, "
        f"E(N) {d.value:.0f} ({d.low:.0f}-{d.high:.0f})"
    )


def coverage(basins: int = 200) -> None:
    """Share of simulated basins whose 95 % interval holds the true density."""
    rng = np.random.default_rng(20261121)
    plan = layout(8, 8, 1500.0, 1600, 8)
    truth, held, fitted = 0.0012, 0, 0
    for _ in range(basins):
        found = fit([simulate(plan, truth, "HHN", 0.08, 1800.0, rng)], Model("HHN"))
        if found.converged:
            d = estimates.density(found)
            fitted += 1
            held += d.low <= truth <= d.high
    share = held / fitted
    se = (share * (1 - share) / fitted) ** 0.5
    print(f"\n{fitted} of {basins} basins fitted; {100 * share:.1f} % (SE {100 * se:.1f}) cover")


if __name__ == "__main__":
    main()
