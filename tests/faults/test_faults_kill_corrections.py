"""kill -9 in the midst of a workbook of a hundred corrections: all of them or none, never half."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import openpyxl
import pytest
from tests.command import ecotone
from tests.nodes import deliver, everything, new_node, results

from ecotone.store import open_node


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no kill -9")
def test_all_or_none_of_a_hundred_corrections(tmp_path: Path) -> None:
    node = tmp_path / "node"
    with new_node(node) as store:
        deliver(store, results(100))
    dice, whole, tried = random.Random(5), 0.0, 0
    for attempt in range(5):
        path = tmp_path / f"{attempt}.xlsx"
        assert ecotone("correct", "Observation", "--export", path, "--node", node).code == 0
        book = openpyxl.load_workbook(path)
        sheet = book.worksheets[0]
        column = next(c.column for c in sheet[1] if str(c.value).endswith(".remarks"))
        for row in range(3, 103):
            sheet.cell(row, column).value = f"seen again {attempt}"
        book.save(path)
        command = [sys.executable, "-m", "ecotone.cli", "correct", "Observation", "--from",
                   str(path), "--why", "seen again", "--node", str(node)]  # fmt: skip
        began = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if attempt:
            time.sleep(dice.uniform(0.6, 1.0) * whole)
            process.send_signal(signal.SIGKILL)
        process.wait()
        whole = whole or time.monotonic() - began
        with open_node(node) as store:
            remarks = everything(store)["remarks"]
            assert remarks.nunique(dropna=False) == 1 and len(remarks) == 100
            assert store.verify_ledger() == []
        tried += 1
    assert tried == 5
