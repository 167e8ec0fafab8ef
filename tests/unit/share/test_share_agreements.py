from __future__ import annotations

import re

import pytest
import yaml

from ecotone.model.dictionary import attributes
from ecotone.model.errors import InputRefused
from ecotone.model.words import LANGUAGES
from ecotone.share.agreements import canonical, digest, load, parse, sentences
from tests.unit.share.fixtures import agreement

DOCUMENT = agreement(
    [
        {
            "name": "cats",
            "taxa": ["Panthera uncia"],
            "level": "generalised",
            "cell_degrees": 0.1,
            "embargo_months": 6,
            "withheld_fields": ["locality"],
        },
        {"name": "water", "nouns": ["Observation"], "level": "full"},
        {"name": "rest", "level": "aggregated", "minimum_count": 10},
    ]
)


def test_yaml_and_toml_say_the_same(tmp_path):
    text = """
    [agreement]
    agreement_id = "AG-9"
    title = {en = "T"}
    owner = "AA"
    recipients = ["BB"]
    purposes = ["assessment"]
    actions = ["view"]
    datasets = ["cats"]
    valid_from = 2026-01-01
    valid_until = 2026-12-31
    status = "active"
    [[agreement.classes]]
    name = "all"
    level = "full"
    """
    toml = tmp_path / "a.toml"
    toml.write_text("\n".join(line.strip() for line in text.splitlines()), encoding="utf-8")
    read = load(toml)
    as_yaml = tmp_path / "a.yaml"
    as_yaml.write_text(yaml.safe_dump(read.model_dump(mode="json")), encoding="utf-8")
    assert load(as_yaml) == read


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.toml", b"agreement = ["),
        ("a.yaml", b"a: [1"),
        ("a.toml", b"\xff\xfe\x00"),
        ("a.yaml", b"- 1\n- 2\n"),
        ("a.toml", b"agreement_id = 'x'\n"),
    ],
)
def test_a_broken_agreement_is_refused_in_a_sentence(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(InputRefused) as refusal:
        load(path)
    assert "a." in refusal.value.message


@pytest.mark.parametrize(
    "change",
    [
        {"owner": "BB"},
        {"valid_until": "2020-01-01"},
        {"classes": [{"name": "a", "level": "generalised"}]},
        {"classes": [{"name": "a", "level": "generalised", "cell_degrees": 0.05}]},
        {"classes": [{"name": "a", "level": "full"}, {"name": "a", "level": "withheld"}]},
        {"classes": [{"name": "a", "level": "open"}]},
    ],
)
def test_an_agreement_that_contradicts_itself_is_refused(change):
    with pytest.raises(InputRefused):
        parse({**DOCUMENT, **change}, "x")


def test_the_signed_bytes_do_not_depend_on_signatures_or_status():
    one = parse(DOCUMENT, "x")
    signed = parse({**DOCUMENT, "signatures": {"AA": "s"}, "status": "draft"}, "x")
    assert canonical(one) == canonical(signed)
    assert digest(one) == digest(signed)
    assert digest(one) != digest(parse({**DOCUMENT, "version": 3}, "x"))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_sentences_name_reader_level_and_rests(lang):
    said = sentences(parse(DOCUMENT, "x"), lang)
    assert len(said) == 4
    assert "BB" in said[0] and "Panthera uncia" in said[0] and "0.1" in said[0]
    assert attributes("Occurrence")["locality"].description[lang][1:] in said[0] and "6" in said[0]
    if lang != "en":
        assert not {"Observation", "locality", "cats"} & set(re.findall(r"\w+", " ".join(said)))
    assert "10" in said[2]
    odd = parse({**DOCUMENT, "purposes": ["a purpose of its own"]}, "x")
    assert "a purpose of its own" in sentences(odd, lang)[0]


def test_sentences_say_what_the_issue_asks_of_them():
    told = agreement(
        [
            {
                "name": "cats",
                "taxa": ["Panthera uncia", "Felis incognita"],
                "level": "generalised",
                "cell_degrees": 0.1,
                "embargo_months": 12,
                "category": 2,
                "statements": ["2a"],
                "review": "2027-01-01",
                "reason": {"en": "Hunted."},
                "withheld_fields": ["a field of ours"],
            },
            {"name": "strip", "zones": ["the strip"], "level": "withheld"},
            {"name": "sites", "nouns": ["Site"], "level": "metadata"},
        ],
        purposes=["density"],
        actions=["view"],
        valid_until="2029-12-31",
        zones={"the strip": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}},
    )
    said = sentences(parse(told, "x"), "en", {"BB": "Urumqi", "AA": "Dushanbe"})
    assert said == [
        "Urumqi may view records of snow leopard (Panthera uncia) and Felis incognita of Dushanbe "
        "on a 0.1 degree grid, month only, from 12 months after the observation, for density "
        "assessment, from 2026-01-01 until 2029-12-31. Withheld fields: a field of ours. "
        "Reason: Hunted. Sensitivity category 2 (Chapman 2020). To be reviewed on 2027-01-01.",
        "Withheld from Urumqi: all records in the strip of Dushanbe.",
        "Of sites of Dushanbe, Urumqi may see a description of the dataset only.",
        "Nothing else of Dushanbe is open to Urumqi.",
    ]
    chinese = sentences(parse(told, "x"), "zh")
    assert "雪豹（Panthera uncia）和Felis incognita的记录" in chinese[0]
    assert "观测满 12 个月后" in chinese[0] and "Hunted。敏感性" in chinese[0]
    named = sentences(parse(told, "x"), "zh", {"BB": "新疆生态所", "AA": "塔吉克大学"})
    assert "新疆生态所可自 2026-01-01 至" in named[0] and "塔吉克大学的" in named[0]
