"""A small node with two parties and everything the portal shows, and a browser of forms for it."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
from argon2 import PasswordHasher
from fastapi.testclient import TestClient
from httpx import Response
from PIL import Image, ImageDraw

from ecotone.ingest.commit import ingest
from ecotone.ingest.delivery import Orders
from ecotone.model.records import Clearance, Dataset, Party, Person
from ecotone.serve import accounts
from ecotone.serve.accounts import Accounts
from ecotone.serve.app import create_app
from ecotone.share import keys
from ecotone.store import Store, init_node
from tests.nodes import deliver
from tests.signing import conclude, party, ring

DAY = date(2026, 6, 1)
PASSWORD = "a long password 7"
PEOPLE = {
    "aigul": ("KNCM", "steward"),
    "talant": ("KNCM", "enterer"),
    "ruslan": ("KNCM", "reader"),
    "saule": ("KNCM", "signer"),
    "wei": ("URUM", "steward"),
    "li": ("URUM", "signer"),
    "otto": ("ELSE", "reader"),
    "mary": ("ELSE", "signer"),
}
PLAN = """
[plan]
date = 2026-05-01
reader = "KNCM"
purpose = "assessment"
[plan.title]
en = "Nitrate of the Aral tributaries"
zh = "咸海支流硝酸盐评估"
ru = "Нитраты притоков Арала"
[[periods]]
id = "2025"
start = 2025
end = 2025
[[indicators]]
id = "water.compliance"
periods = ["2025"]
[indicators.inputs]
results = "node"
standards = "standards.csv"
"""
STANDARDS = "standard,version,property,basis,statistic,min,max,unit\nS,1,nitrate,N,each,,10,mg/L\n"
#: Digits of true places that no other party may ever find.
SECRET = "7391"


# Hashing as slowly as it should be would be most of what these tests do.
accounts._hasher = functools.partial(PasswordHasher, time_cost=1, memory_cost=64, parallelism=1)


@functools.cache
def _made() -> Path:
    """The node, built once per run and copied for each test that changes it."""
    folder = Path(tempfile.mkdtemp(prefix="ecotone-portal-"))
    build(folder / "node")
    _photographs(folder / "photos")
    return folder


@dataclass
class World:
    """A node of its own and its photographs."""

    node: Path
    media: Path

    def app(self, **more):
        """The server."""
        return create_app(self.node, today=lambda: DAY, media=self.media, **more)


def world(folder: Path) -> World:
    """A fresh copy of the node."""
    shutil.copytree(_made(), folder, dirs_exist_ok=True)
    return World(folder / "node", folder / "photos")


def build(node: Path) -> None:
    """Two parties, their data and agreements, a plan, people who can sign in."""
    home = Party(
        party_id="KNCM",
        name={"en": "Kara Nature Centre", "zh": "卡拉自然中心", "ru": "Центр природы Кара"},
        country_code="KG",
    )
    steward = Person(person_id="aigul", party_id="KNCM", name="Aigul T.", role="steward")
    with init_node(node, party=home, person=steward) as store:
        store.put_party(party("URUM"), person="aigul")
        store.put_party(party("ELSE"), person="aigul")
        for name, (of, role) in PEOPLE.items():
            if name != "aigul":
                made = Person(person_id=name, party_id=of, name=name.title(), role=role)
                store.put_person(made, person="aigul")
        clear = Clearance(authority="Ministry", number="7", date=date(2025, 1, 1), scope="all")
        for name, of, title in (
            ("kncm-water", "KNCM", "Water quality"),
            ("kncm-cats", "KNCM", "Camera traps"),
            ("urum-water", "URUM", "River laboratory"),
        ):
            store.put_dataset(
                Dataset(dataset_id=name, party_id=of, title=title, export_clearance=clear),
                person="aigul",
            )
        _fill(store)
        for document in _agreements():
            conclude(store, document, person="aigul")
        assert keys.has_keys(store.folder) and ring("KNCM")
        _let_in(Accounts(store.folder, store.people, store.party_id))
    plan = node / "runs" / "plans" / "nitrate"
    plan.mkdir(parents=True)
    (plan / "plan.toml").write_text(PLAN, encoding="utf-8")
    (plan / "standards.csv").write_text(STANDARDS, encoding="utf-8")


def _let_in(known: Accounts) -> None:
    for name in PEOPLE:
        known.set_password(name, PASSWORD)


def _fill(store: Store) -> None:
    i = np.arange(120)
    for dataset, shift in (("kncm-water", 0.0), ("urum-water", 3.0)):
        results = pd.DataFrame(
            {
                "observation_id": [f"{dataset}-{k}" for k in i],
                "site": [f"S{k % 6:02d}" for k in i],
                "property": "nitrate",
                "basis": "N",
                "value": (i * 7 % 100) / 8 + shift,
                "unit": "mg/L",
                "time_start": pd.Timestamp("2025-02-01", tz="UTC") + pd.to_timedelta(i, unit="D"),
                "latitude": 42.0 + (i % 6) / 10,
                "longitude": 75.0 + (i % 6) / 7,
            }
        )
        deliver(store, results, dataset=dataset, name=f"{dataset}.csv")
    cats = np.arange(60)
    occurrences = pd.DataFrame(
        {
            "occurrence_id": [f"cat-{k}" for k in cats],
            "taxon": np.where(cats % 3 == 0, "Panthera uncia", "Capra sibirica"),
            "individual_count": 1,
            "recorded_by": "Meerim Secretova",
            "locality": f"den of the valley {SECRET}",
            "time_start": pd.Timestamp("2025-03-01", tz="UTC") + pd.to_timedelta(cats, unit="D"),
            "latitude": [float(f"41.{k % 8}{SECRET}") for k in cats],
            "longitude": [float(f"76.{k % 8}{SECRET}") for k in cats],
        }
    )
    deliver(store, occurrences, noun="Occurrence", dataset="kncm-cats", name="cats.csv")
    names = ["F01", "F02", "M03"]
    individuals = pd.DataFrame(
        {"individual_id": names, "taxon": "Panthera uncia", "recognised_by": "coat",
         "sex": ["female", "female", "male"], "confidence": 0.9}
    )  # fmt: skip
    deliver(store, individuals, noun="Individual", dataset="kncm-cats", name="individuals.csv")
    media = pd.DataFrame(
        {"media_id": [f"p-{n}" for n in names], "path": [f"ridge/{n}.jpg" for n in names],
         "media_type": "image/jpeg", "time_start": pd.Timestamp("2025-03-03", tz="UTC")}
    )  # fmt: skip
    deliver(store, media, noun="Media", dataset="kncm-cats", name="media.csv")
    seen = pd.DataFrame(
        {"observation_id": [f"seen-{n}" for n in names], "individual": names,
         "media": [f"p-{n}" for n in names], "taxon": "Panthera uncia", "level": "media",
         "kind": "animal", "time_start": pd.Timestamp("2025-03-03", tz="UTC"),
         "latitude": 41.27391, "longitude": 76.27391}
    )  # fmt: skip
    deliver(store, seen, dataset="kncm-cats", name="seen.csv")
    decisions = store.folder / "staging" / "identity-decision.csv"
    decisions.write_text(
        "first,second,decision,observer,confidence,reason,decided\n"
        "F01,F02,unsure,talant,,too dark,2026-01-01T00:00:00Z\n",
        encoding="utf-8",
    )
    ingest(decisions, Orders(format="identity-decisions"), store,
           dataset_id="kncm-cats", person="aigul")  # fmt: skip
    decisions.unlink()


def _agreements() -> list[dict]:
    base = {
        "purposes": ["assessment"],
        "actions": ["view", "derive"],
        "version": 1,
        "valid_from": "2025-01-01",
        "valid_until": "2030-01-01",
    }
    wild = {
        **base,
        "agreement_id": "KNCM-WILD",
        "title": {"en": "Wildlife of Kara", "zh": "卡拉野生动物", "ru": "Животные Кары"},
        "owner": "KNCM",
        "recipients": ["URUM"],
        "datasets": ["kncm-cats"],
        "classes": [
            {"name": "cats", "nouns": ["Occurrence"], "taxa": ["Panthera uncia"],
             "level": "generalised", "cell_degrees": 0.1,
             "withheld_fields": ["recorded_by", "locality"]},
            {"name": "other", "nouns": ["Occurrence"], "level": "generalised",
             "cell_degrees": 0.1, "withheld_fields": ["recorded_by", "locality"]},
        ],
    }  # fmt: skip
    water = {
        **base,
        "agreement_id": "URUM-WATER",
        "title": {"en": "River laboratory", "zh": "河流实验室", "ru": "Речная лаборатория"},
        "owner": "URUM",
        "recipients": ["KNCM"],
        "datasets": ["urum-water"],
        "classes": [{"name": "water", "level": "full"}],
    }
    return [wild, water]


def _photographs(folder: Path) -> None:
    (folder / "ridge").mkdir(parents=True)
    for number, name in enumerate(("F01", "F02", "M03")):
        image = Image.new("RGB", (640, 480), (96, 88, 70))
        draw = ImageDraw.Draw(image)
        draw.ellipse((120, 160, 520, 360), fill=(190, 186, 170))
        for spot in range(40):
            x, y = 140 + (spot * 53 + number * 17) % 340, 180 + (spot * 31 + number * 29) % 150
            draw.ellipse((x, y, x + 14, y + 12), outline=(60, 55, 50), width=3)
        image.save(folder / "ridge" / f"{name}.jpg", quality=80)


class Visitor:
    """Somebody at a browser without scripts: follows links, sends forms with their secrets."""

    def __init__(self, app, lang: str = "en") -> None:
        self.http = TestClient(app, headers={"accept": "text/html", "accept-language": lang})

    def get(self, path: str, status: int = 200) -> Response:
        """A page."""
        found = self.http.get(path)
        assert found.status_code == status, (path, found.status_code, words(found))
        return found

    def post(self, path: str, status: int = 200, files=None, form: str = "", **data) -> Response:
        """Send a form as it stands on ``form`` (any page of ours)."""
        secret = csrf(self.http.get(form or "/me"))
        found = self.http.post(path, data={"csrf": secret, **data}, files=files)
        assert found.status_code == status, (path, found.status_code, words(found))
        return found

    def sign_in(self, person: str, password: str = PASSWORD) -> Visitor:
        """Come in."""
        self.http.cookies.clear()
        self.post("/sign-in", form="/sign-in", person=person, password=password)
        return self

    def until(self, answer: Response, seconds: float = 60.0) -> Response:
        """Wait for work under way to end, as the page itself does."""
        import time

        end = time.monotonic() + seconds
        while "refresh" in answer.headers:
            assert time.monotonic() < end, words(answer)
            time.sleep(0.1)
            answer = self.http.get(str(answer.url))
        return answer


def csrf(answer: Response) -> str:
    """The secret of a page's forms."""
    found = re.search(r'name="csrf" value="([^"]+)"', answer.text)
    assert found, words(answer)
    return found[1]


def words(answer: Response) -> str:
    """What a page says, without its head."""
    text = answer.text
    main = text[text.find("<main") :]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main))).strip()


@contextmanager
def serving(here: World, **environment: str) -> Iterator[str]:
    """The address of a server of its own, as ``ecotone serve`` starts it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ecotone.cli", "serve", "--port", "0", "--node", str(here.node),
         "--media", str(here.media)],
        stdout=subprocess.PIPE,
        env={**os.environ, "ECOTONE_LANG": "en", **environment},
        encoding="utf-8",
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield next(word for word in line.split() if word.startswith("http://")).rstrip("/")
    finally:
        process.terminate()
        process.wait(20)
