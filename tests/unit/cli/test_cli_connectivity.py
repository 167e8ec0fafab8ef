"""The tutorial of connectivity, as it is written."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from tests.tutorial import carry_out, commands

from ecotone.demo import noise
from ecotone.demo.countries import as_geojson, make_countries
from ecotone.demo.files import write_json
from ecotone.demo.simulate_connect import make_crossing
from ecotone.demo.terrain import make_terrain
from ecotone.demo.write_connect import write_crossing


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """What the demo leaves of the window on the border."""
    streams = noise.streams(1, ("terrain", "countries"))
    countries = make_countries(streams["countries"])
    maps = tmp_path / "ecotone-demo" / "basin" / "maps"
    maps.mkdir(parents=True)
    write_crossing(maps, make_crossing(make_terrain(streams["terrain"]), countries))
    write_json(maps.parent / "boundaries.geojson", as_geojson(countries))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_tutorial_as_it_is_written(place):
    lines = commands("connectivity")
    assert len(lines) == 4
    for line in lines[1:]:
        # A hundred draws are the demo's; ten say as well whether the command is right.
        told = carry_out(line.replace("draws=100", "draws=10"))
    assert "GB" in told.out + told.err or (place / "circuit" / "crossing_resistances.out").exists()
    segments = pd.read_csv(place / "corridors" / "tables" / "segments.csv")
    assert set(segments["country"]) == {"XA", "XC"}
    pairs = pd.read_csv(place / "passage" / "tables" / "pairs.csv")
    assert (pairs["change"] < 0).all()
    # The passage on the belt does most for the two cores that the belt joins: 1 and 3.
    most = pairs.loc[pairs["change"].idxmin()]
    assert (most["from"], most["to"]) == (1, 3)
