"""Charge balance of the Mekong's samples, as recomputed by the field's own script."""

from __future__ import annotations

import json

import pandas as pd
from tests.command import ecotone
from tests.support import shared


def test_balance_of_the_mekong_file(tmp_path):
    path = shared("water/mekong_3s_cambodia_wq_2004_2014.csv")
    told = ecotone("compute", "water.laboratory", "-i", f"results={path}", "-o", tmp_path)
    assert told.code == 0, told.err
    table = pd.read_csv(tmp_path / "tables" / "balance.csv")
    assert len(table) == 371
    assert (table["error"].abs() <= 5).sum() == 342
    assert (table["error"].abs() <= 10).sum() == 370
    assert (table["sum"] < 3).all()
    values = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["values"]
    assert values["unbalanced"]["value"] == 1
