"""The invented names: countries, parties, people, datasets (``data/invented.toml``)."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from importlib import resources

from ecotone.model.records import Dataset, Party, Person, Project


@dataclass(frozen=True)
class Country:
    """An invented country; ``code`` is from the user-assigned range of ISO 3166-1."""

    code: str
    name: dict[str, str]


@dataclass(frozen=True)
class Invented:
    """All invented names of the basin."""

    basin: dict[str, str]
    river: dict[str, str]
    lake: dict[str, str]
    countries: tuple[Country, ...]
    strip: Country
    claimed_by: str
    parties: tuple[Party, ...]
    zones: dict[str, str]  #: party id -> IANA zone of its clocks
    folders: dict[str, str]  #: party id -> folder of its deliveries
    people: tuple[Person, ...]
    projects: tuple[Project, ...]
    datasets: tuple[Dataset, ...]


@dataclass(frozen=True)
class Pollution:
    """A source of pollution on the main river and how far it reaches."""

    party: str
    property: str
    rank: int
    factor: float
    decay: float
    months: tuple[int, ...]
    name: dict[str, str]


def data_text(name: str) -> str:
    """The text of a file that ships with the demo."""
    return resources.files("ecotone.demo").joinpath("data", name).read_text(encoding="utf-8")


@functools.cache
def invented() -> Invented:
    """The names, read once."""
    told = tomllib.loads(data_text("invented.toml"))
    parties = told["parties"]
    own = ("party_id", "country_code", "name")
    return Invented(
        basin=told["basin"]["name"],
        river=told["basin"]["river"],
        lake=told["basin"]["lake"],
        countries=tuple(Country(c["code"], c["name"]) for c in told["countries"]),
        strip=Country(told["disputed"]["code"], told["disputed"]["name"]),
        claimed_by=told["disputed"]["claimed_by"],
        parties=tuple(Party(**{k: p[k] for k in own}) for p in parties),
        zones={p["party_id"]: p["zone"] for p in parties},
        folders={p["party_id"]: p["folder"] for p in parties},
        people=tuple(Person(**p) for p in told["people"]),
        projects=tuple(Project(**p) for p in told["projects"]),
        datasets=tuple(Dataset(**d) for d in told["datasets"]),
    )


@functools.cache
def all_pollution() -> tuple[Pollution, ...]:
    """Everything that pollutes the river, read once."""
    told = tomllib.loads(data_text("pollution.toml"))["pollution"]
    return tuple(Pollution(**{**p, "months": tuple(p["months"])}) for p in told)


def pollution(party: str) -> tuple[Pollution, ...]:
    """What pollutes a party's part of the river."""
    return tuple(source for source in all_pollution() if source.party == party)
