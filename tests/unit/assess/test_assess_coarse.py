from __future__ import annotations

import dataclasses

import pytest

from ecotone.assess.coarse import coarse_inputs
from ecotone.assess.registry import get
from ecotone.model.errors import NotComputable


def indicator(coarse):
    known = get("water.compliance")
    inputs = tuple(
        dataclasses.replace(i, coarse=coarse) if i.name == "results" else i for i in known.inputs
    )
    return dataclasses.replace(known, inputs=inputs)


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "Observation.csv"
    path.write_text("property,release_level\na,full\nb,generalised\nc,generalised\n")
    plain = tmp_path / "plain.csv"
    plain.write_text("property\na\n")
    other = tmp_path / "plain.xlsx"
    other.write_bytes(b"PK")
    empty = tmp_path / "empty.csv"
    empty.write_bytes(b"")
    return {"results": (path, plain, other, empty)}


def test_coarse_rows_are_taken_told_or_refused(rows):
    assert coarse_inputs(indicator("take"), rows) == []
    (told,) = coarse_inputs(indicator("say"), rows)
    assert told.code == "coarse-input"
    assert told.params == {"name": "results", "count": "2"}
    with pytest.raises(NotComputable) as refusal:
        coarse_inputs(indicator("refuse"), rows)
    assert "results" in refusal.value.message and refusal.value.hint


def test_exact_rows_and_inputs_left_out_say_nothing(rows):
    assert coarse_inputs(indicator("refuse"), {"results": rows["results"][1:]}) == []
    assert coarse_inputs(indicator("refuse"), {}) == []


def test_compliance_says_so():
    (results,) = [i for i in get("water.compliance").inputs if i.name == "results"]
    assert results.coarse == "say"
