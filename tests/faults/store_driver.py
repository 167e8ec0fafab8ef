"""A process to be killed: commits one delivery of many rows into a node, saying where it is.

python store_driver.py NODE NUMBER ROWS
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.nodes import results  # noqa: E402

from ecotone.store import open_node  # noqa: E402  # the tests' own folder has to be found first

BLOCK = 10_000


def main(node: Path, number: int, rows: int) -> None:
    """Deliver the rows of one file, unless they are there already."""
    sha256 = f"{number:064x}"
    with open_node(node) as store:
        print("begin", flush=True)
        if store.existing_batch(sha256, "kncm-water") is not None:
            print("there", flush=True)
            return
        with store.begin_batch(
            file_name=f"{number}.csv",
            sha256=sha256,
            size=rows,
            format="table",
            dataset_id="kncm-water",
            person="aigul",
        ) as writer:
            for start in range(0, rows, BLOCK):
                frame = results(BLOCK, start=number * rows + start)
                lines = np.arange(start, start + BLOCK)
                writer.add("Observation", frame, lines + 1, lines + 2, f"{number}.csv")
            batch = writer.commit("accepted")
        print(f"committed {batch.batch_id}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
