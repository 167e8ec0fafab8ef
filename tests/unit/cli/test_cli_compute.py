from __future__ import annotations

import json

import pytest
from tests.command import ecotone
from tests.support import shared


@pytest.fixture
def ndvi():
    return shared("land/ndvi_kilimanjaro_gimms3g_v0.nc")


def test_kilimanjaro_from_the_command_line(ndvi, tmp_path):
    told = ecotone(
        "compute", "land.trend", "-i", f"ndvi={ndvi}", "-p", "start=1998", "-p", "end=2013",
        "-o", tmp_path / "out",
    )  # fmt: skip
    assert told.code == 0, told.err
    result = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
    assert set(result) >= {
        "indicator", "version", "parameters", "inputs", "values", "tables", "rasters", "vectors",
        "figures", "findings",
    }  # fmt: skip
    assert result["values"]["pixels"]["value"] == 90
    assert result["values"]["significant"]["value"] == 11
    assert set(result["values"]["pixels"]) == {"value", "unit", "se", "low", "high", "level"}
    for name in ("s", "p", "slope"):
        assert (tmp_path / "out" / result["rasters"][name]).is_file()
    assert len(result["inputs"][0]["sha256"]) == 64


def test_json_on_standard_output_is_the_file(ndvi, tmp_path):
    told = ecotone(
        "compute", "land.trend", "-i", f"ndvi={ndvi}", "-p", "start=1998", "-p", "end=2013",
        "-o", tmp_path, "--json",
    )  # fmt: skip
    assert told.json == json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["land.nothing"], 2),
        (["land.trend"], 2),
        (["land.trend", "-i", "ndvi={ndvi}", "-p", "colour=red"], 2),
        (["land.trend", "-i", "ndvi={ndvi}", "-p", "start=soon"], 2),
        (["land.trend", "-i", "ndvi={ndvi}", "-p", "start"], 2),
        (["land.trend", "-i", "ndvi={ndvi}", "-i", "evi={ndvi}"], 2),
        (["land.trend", "-i", "ndvi={ndvi}", "-p", "method=guess"], 2),
        (["land.trend", "-i", "ndvi=absent.nc", "-p", "start=1998", "-p", "end=2013"], 3),
        (["land.trend", "-i", "ndvi={text}", "-p", "start=1998", "-p", "end=2013"], 3),
        (["land.trend", "-i", "ndvi={ndvi}", "-p", "start=1950", "-p", "end=1960"], 4),
        (["--no-such-option"], 2),
    ],
)
def test_exit_codes_tell_what_kind_of_wrong(ndvi, tmp_path, arguments, code):
    text = tmp_path / "text.nc"
    text.write_text("no raster")
    out = tmp_path / "out"
    told = ecotone("compute", *[a.format(ndvi=ndvi, text=text) for a in arguments], "-o", out)
    assert told.code == code, told.err
    assert len(told.err) > 20
    assert not (out / "result.json").exists()


def test_indicators_are_told_with_method_and_source():
    told = ecotone("indicators")
    assert told.code == 0 and "land.trend" in told.out and "water.compliance" in told.out
    one = ecotone("indicators", "land.trend", "--json").json[0]
    assert one["citations"] and one["method"] and one["parameters"]
    assert "doi.org" in ecotone("indicators", "land.trend").out
    assert ecotone("indicators", "no.such").code == 2
