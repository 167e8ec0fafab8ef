"""The tutorial on water, as it is written, on the basin's files."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

from tests.command import ecotone

from ecotone.demo.basin import Basin

PAGE = Path(__file__).parents[3] / "docs" / "tutorials" / "water.md"


def test_every_command_of_the_page(basin: Basin, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    commands = [line for block in blocks for line in block.strip().splitlines()]
    assert len(commands) == 12
    for command in commands:
        told = command.replace("ecotone-demo/basin", basin.folder.as_posix())
        words = shlex.split(told)
        assert words[0] == "ecotone"
        done = ecotone(*words[1:])
        assert done.code == 0, f"{command}\n{done.err}"
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
