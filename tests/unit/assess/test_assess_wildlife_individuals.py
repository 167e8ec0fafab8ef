"""The registry: identities of two parties merged, disputed, reviewed, decided in a node."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.command import ecotone
from tests.unit.assess.test_assess_wildlife import codes, run
from tests.unit.formats.test_formats_cameras import read

from ecotone.assess.indicators.wildlife_reading import RefusedTable
from ecotone.assess.individuals import candidates, registry
from ecotone.ingest.individuals import Decision, decide, decisions
from ecotone.model.errors import UsageError
from ecotone.model.records import Dataset, Party, Person
from ecotone.science.wildlife.genotypes import encode
from ecotone.store import init_node
from ecotone.store.node import open_node

NOON = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
IDENTITIES = pd.DataFrame(
    {
        "id": ["A-1", "A-2", "B-1", "B-2", "G-1"],
        "party": ["AA", "AA", "BB", "BB", "BB"],
        "kind": ["coat", "coat", "coat", "coat", "genotype"],
        "sex": ["female", "male", "female", "female", "male"],
        "confidence": [0.9, 0.8, 0.95, None, None],
        "observer": ["X", "X", "Y", "Y", ""],
        "latitude": [38.0, 38.0, 38.1, 39.9, None],
        "longitude": [73.0, 73.0, 73.0, 73.0, None],
    }
)
DECIDED = pd.DataFrame(
    {
        "first": ["A-1", "A-2", "A-2", "zz"],
        "second": ["B-1", "G-1", "G-1", "A-1"],
        "decision": ["same", "same", "different", "same"],
        "observer": ["X", "X", "Y", "X"],
        "confidence": [0.7, 0.9, None, None],
        "reason": ["left flank", "hair snag", "sex", ""],
    }
)


def test_one_animal_is_counted_once() -> None:
    found = registry(IDENTITIES, DECIDED)
    assert found.individuals["members"].tolist() == ["A-1; B-1", "A-2", "B-2", "G-1"]
    first = found.individuals.iloc[0]
    assert (first["parties"], first["kinds"], first["confidence"]) == ("AA; BB", "coat", 0.7)
    assert first["observers"] == "X; Y"
    assert found.individuals["disputed"].tolist() == [False, True, False, True]
    assert found.together == 3
    pair = found.pairs.set_index("first").loc["A-2"]
    assert (pair["verdict"], pair["same"], pair["different"]) == ("disputed", "X", "Y")
    assert pair["reasons"] == "hair snag; sex"
    bare = registry(IDENTITIES[["id"]], DECIDED.drop(columns=["confidence", "reason"]))
    assert len(bare.individuals) == 4
    assert np.isnan(bare.individuals["confidence"]).all()


def test_pairs_to_look_at() -> None:
    found = candidates(IDENTITIES, DECIDED)
    # A-2 and B-1 are near each other but of two sexes; A-1 and B-1 are decided.
    assert found[["first", "second", "why"]].to_numpy().tolist() == [["A-2", "G-1", "disputed"]]
    assert candidates(IDENTITIES, DECIDED, observer="Y").empty
    found = candidates(IDENTITIES, DECIDED.iloc[:0])
    assert found[["first", "second", "why"]].to_numpy().tolist() == [["A-1", "B-1", "coat"]]
    loci = [f"L{k}" for k in range(6)]
    table = encode(
        ["B-2", "G-1", "other"], [(n, ["1", "1", "5"], ["2", "2", "5"]) for n in loci], []
    )
    found = candidates(IDENTITIES, DECIDED, genotypes=table)
    assert found.iloc[0].tolist() == ["B-2", "G-1", "genotype", 1.0, ""]


def test_the_indicator(tmp_path: Path) -> None:
    inputs = {"identities": tmp_path / "i.csv", "decisions": tmp_path / "d.csv"}
    IDENTITIES.to_csv(inputs["identities"], index=False)
    DECIDED.assign(decided="2026-01-01T00:00:00Z").to_csv(inputs["decisions"], index=False)
    told = run("wildlife.individuals", inputs, tmp_path / "o")
    values = {name: value.value for name, value in told.values.items()}
    assert values == {
        "identities": 5, "individuals": 4, "individuals_together": 3, "across": 1,
        "both_methods": 0, "disputed": 1, "review": 1,
    }  # fmt: skip
    assert told.findings == []
    more = pd.DataFrame(
        {"first": ["A-2", "B-1", "A-1"], "second": ["B-1", "B-2", "B-2"],
         "decision": ["same", "same", "different"], "observer": ["Y", "Y", "Y"]}
    )  # fmt: skip
    pd.concat([DECIDED, more]).to_csv(inputs["decisions"], index=False)
    told = run("wildlife.individuals", inputs, tmp_path / "p")
    assert codes(told) == {"wildlife-identity-contradiction", "wildlife-identity-sexes"}
    alone = run("wildlife.individuals", {"identities": inputs["identities"]}, tmp_path / "q")
    assert alone.values["individuals"].value == 5


def test_wrong_identities_are_all_named(tmp_path: Path) -> None:
    path = tmp_path / "i.csv"
    path.write_text("id,kind,confidence\na,coat,0.5\n,coat,0.5\na,stripes,2\n")
    with pytest.raises(RefusedTable) as refused:
        run("wildlife.individuals", {"identities": path}, tmp_path / "o")
    assert [(f.code, f.row, f.field) for f in refused.value.findings] == [
        ("wildlife-id-missing", 2, "id"),
        ("wildlife-identity-kind", 3, "kind"),
        ("wildlife-identity-confidence", 3, "confidence"),
        ("wildlife-id-twice", 3, "id"),
    ]
    path.write_text("name\na\n")
    with pytest.raises(RefusedTable):
        run("wildlife.individuals", {"identities": path}, tmp_path / "o")


def test_a_table_of_decisions_is_read(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text(
        "first,second,decision,observer\na,b,Same,X\na,a,same,X\na,,same,X\na,b,maybe,X\n"
    )
    frames, findings, rejected = read(path, "identity-decisions")
    assert frames["IdentityDecision"]["decision"].tolist() == ["same"]
    assert [(f.code, f.row, f.field) for f in findings] == [
        ("identity-decision-empty", 3, "second"),
        ("identity-decision-word", 4, "decision"),
        ("identity-decision-itself", 2, "second"),
    ]
    assert sorted(r[1] for r in rejected) == [2, 3, 4]


def node(folder: Path) -> Path:
    party = Party(party_id="AA", name={"en": "A"}, country_code="XA")
    person = Person(person_id="P1", party_id="AA", name="P", role="steward")
    with init_node(folder, party=party, person=person) as store:
        store.put_dataset(Dataset(dataset_id="CATS", party_id="AA", title="Cats"), person="P1")
    return folder


def test_decisions_in_a_node_are_added_and_never_changed(tmp_path: Path) -> None:
    folder = node(tmp_path / "node")
    table = tmp_path / "individuals.csv"
    IDENTITIES.to_csv(table, index=False)
    mapping = tmp_path / "m.toml"
    mapping.write_text(
        '[mapping]\nrecord = "Individual"\n[columns]\nindividual_id = "id"\n'
        'recognised_by = "kind"\nsex = "sex"\nconfidence = "confidence"\n'
    )
    where = ("--node", str(folder))
    done = ecotone("ingest", str(table), "--dataset", "CATS", "--mapping", str(mapping), *where)
    assert done.code == 0, done.err
    word = ("individuals", "decide", "A-1", "B-1")
    for decision in ("different", "same"):
        done = ecotone(*word, decision, "--why", "left flank", "--dataset", "CATS", *where)
        assert done.code == 0, done.err
    done = ecotone(*word, "perhaps", "--why", "left flank", "--dataset", "CATS", *where)
    assert done.code == 2
    done = ecotone("individuals", "list", "--json", *where)
    told = json.loads(done.out)
    assert told[0]["members"] == "A-1; B-1"
    assert len(told) == 4
    done = ecotone("individuals", "list", *where)
    assert "A-1; B-1" in done.out
    done = ecotone("individuals", "review", "--observer", "P1", "--json", *where)
    assert json.loads(done.out) == []
    with open_node(folder) as store:
        kept = decisions(store)
        assert kept["decision"].tolist() == ["different", "same"]
        assert kept["observer"].tolist() == ["P1", "P1"]
        for wrong in (
            Decision("a", "a", "same", "X", "why", NOON),
            Decision("a", "b", "same", "X", " ", NOON),
            Decision("a", "b", "same", "X", "why", NOON, 1.2),
            Decision("a", "b", "same", "X", "why", NOON.replace(tzinfo=None)),
        ):
            with pytest.raises(UsageError):
                decide(store, "CATS", wrong, person="P1")
