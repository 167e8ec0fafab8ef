"""The tutorial on water, as it is written, on the basin's files."""

from __future__ import annotations

import json
from pathlib import Path

from tests.tutorial import carry_out, commands

from ecotone.demo.basin import Basin


def test_every_command_of_the_page(basin: Basin, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = commands("water")
    assert len(lines) == 12
    for line in lines:
        carry_out(line.replace("ecotone-demo/basin", basin.folder.as_posix()))
    values = {
        name: {n: v["value"] for n, v in json.loads(
            (tmp_path / name / "result.json").read_text(encoding="utf-8"))["values"].items()}
        for name in ("laboratory", "compliance", "drift", "register")
    }  # fmt: skip
    assert values["laboratory"]["batches_failed"] == 1
    assert values["laboratory"]["custody_broken"] == 5
    assert values["compliance"]["set_aside"] == values["laboratory"]["failed"] > 26
    assert values["drift"]["mean_corrected"] < values["drift"]["mean_raw"]
    assert values["register"]["donated"] == 4
