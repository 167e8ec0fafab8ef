from __future__ import annotations

import itertools
import re

import pytest
import yaml

from ecotone.model.dictionary import attributes
from ecotone.model.errors import InputRefused
from ecotone.model.words import LANGUAGES
from ecotone.share.agreements import canonical, digest, load, parse, sentences
from ecotone.share.written import MOST_BYTES
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


WRITTEN = """agreement_id: A
version: 1
title: {en: T}
owner: AA
recipients: [BB]
purposes: [assessment]
actions: [view]
datasets: [cats]
valid_from: 2026-01-01
valid_until: 2026-12-31
classes:
- {name: all, level: full}
"""
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{after}: &{after} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, after in itertools.pairwise("abcdefghijkl")
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LAUGHS + WRITTEN, "aliases"),
        ("&a [*a]", "aliases"),
        (WRITTEN.replace("title: {en: T}", "title: &t {en: T}\nreason: *t"), "aliases"),
        (WRITTEN + "owner: CC\n", "'owner' stands twice"),
        (WRITTEN.replace("level: full", "level: full, level: withheld"), "'level' stands twice"),
        (WRITTEN.replace("2026-01-01", "2026-02-30"), "day"),
        (WRITTEN.replace("version: 1", "version: " + "9" * 5_000), "digits"),
        ("[" * 5_000, "nested too deeply"),
        ("a: " + "{a: " * 5_000, "nested too deeply"),
        ("!!python/object/apply:os.system ['true']", "tag"),
        (WRITTEN.replace("level: full", "level: generalised, cell_degrees: .inf"), "finite"),
        ("? [1, 2]\n: 3\n", "unhashable"),
    ],
)
def test_yaml_beyond_plain_data_is_refused_in_a_sentence(tmp_path, text, said):
    path = tmp_path / "a.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputRefused) as refusal:
        load(path)
    assert said in refusal.value.message and "a.yaml" in refusal.value.message


def test_yaml_as_people_write_it_is_read(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("\ufeff" + WRITTEN.replace("owner: AA", "owner: &us AA"), encoding="utf-8")
    assert load(path).owner == "AA"


@pytest.mark.parametrize("text", ["x = " + "[" * 5_000, "x = " + "9" * 5_000, "x = 1\nx = 2\n"])
def test_toml_that_is_a_trap_is_refused_too(tmp_path, text):
    path = tmp_path / "a.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputRefused):
        load(path)


def test_a_text_without_end_is_not_read(tmp_path):
    path = tmp_path / "a.yaml"
    with path.open("wb") as stream:
        stream.truncate(MOST_BYTES)
    with pytest.raises(InputRefused) as refusal:
        load(path)
    assert "cannot be read" in refusal.value.message, "as long as may be: only empty bytes in it"
    with path.open("r+b") as stream:
        stream.truncate(MOST_BYTES + 1)
    with pytest.raises(InputRefused) as refusal:
        load(path)
    assert "longer than 1 MiB" in refusal.value.message


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
