"""Clients others wrote work against our server unchanged.

Both want other versions of libraries than ours: they run in a Python of their own, named by
``ECOTONE_STA_PEERS``, or in this one where they are installed.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.nodes import new_node
from tests.sensing import serving
from tests.unit.serve.sta_seed import plant

SCRIPT = Path(__file__).resolve().parents[2] / "peers_sta.py"


@pytest.mark.parametrize(("name", "module"), [("frost", "frost_sta_client"), ("pygeoapi",) * 2])
def test_a_client_of_others(tmp_path: Path, name: str, module: str) -> None:
    python = os.environ.get("ECOTONE_STA_PEERS")
    if python is None:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed (a Python that has it: ECOTONE_STA_PEERS)")
        python = sys.executable
    with new_node(tmp_path / "node") as store, serving(store, open_to=store.party_id) as service:
        if name == "pygeoapi":
            client = service.client(store.party_id)
            plant(client, "another thing")
            plant(client)
        done = subprocess.run(
            [python, SCRIPT, name, service.root], capture_output=True, text=True, timeout=200,
            check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
