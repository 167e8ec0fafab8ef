"""The three nodes of the demo: each party takes in its own, and sealed packages go between them."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ecotone.cli.language import language

if TYPE_CHECKING:
    import pandas as pd

    from ecotone.demo import Basin
    from ecotone.share.door import Door, Released
    from ecotone.share.negotiate import Actor
    from ecotone.store import Store

#: The animals whose places the report shows as each party gets them.
_CATS: Final = ("Panthera uncia", "Lynx lynx")
#: Agreement, version and hash, as a sent package notes what it stands on.
_STANDS: Final = re.compile(r"([^\s/]+)/(\d+)/[0-9a-f]{64}")
_PLACE: Final = ["longitude", "latitude"]


@dataclass(frozen=True)
class Nodes:
    """A node for each party, the first party's in the middle, and the folder that is carried."""

    basin: Basin
    stores: dict[str, Store]
    carried: Path

    @property
    def first(self) -> Store:
        """The node that assesses."""
        return self.stores[self.basin.parties[0].party_id]

    def signer(self, party_id: str, today: dt.date) -> Actor:
        """Whoever signs for a party."""
        from ecotone.share.negotiate import Actor

        people = {p.party_id: p.person_id for p in self.basin.people if p.role == "signer"}
        return Actor(self.stores[party_id], people[party_id], today)


@contextmanager
def nodes_of(folder: Path, basin: Basin) -> Iterator[Nodes]:
    """New nodes that know each other's names and keys, and their own datasets."""
    carried = folder / "carried"
    carried.mkdir()
    with ExitStack() as opened:
        stores: dict[str, Store] = {}
        for party in basin.parties:
            home = folder / "parties" / party.party_id if stores else folder / "node"
            stores[party.party_id] = opened.enter_context(_node(home, basin, party.party_id))
        nodes = Nodes(basin, stores, carried)
        _greet(nodes)
        yield nodes


def _node(folder: Path, basin: Basin, party_id: str) -> Store:
    from ecotone.share import keys
    from ecotone.store import init_node

    party = next(p for p in basin.parties if p.party_id == party_id)
    steward = next(p for p in basin.people if p.role == "steward" and p.party_id == party_id)
    store = init_node(folder, party=party, person=steward)
    for other in basin.parties:
        if other != party:
            store.put_party(other, person=steward.person_id)
    for person in basin.people:
        if person != steward:
            store.put_person(person, person=steward.person_id)
    for project in basin.projects:
        store.put_project(project, person=steward.person_id)
    for dataset in basin.datasets:
        if dataset.party_id == party_id:
            store.put_dataset(dataset, person=steward.person_id)
    keys.make(store.folder, party_id)
    return store


def _greet(nodes: Nodes) -> None:
    """Each party publishes its key; the others take it, its fingerprint read out to them."""
    from ecotone.share import keys, trust

    today = dt.datetime.now(dt.UTC).date()
    actors = {name: nodes.signer(name, today) for name in nodes.stores}
    rings = {name: keys.own_ring(actor.store.folder) for name, actor in actors.items()}
    for name, actor in actors.items():
        trust.publish(actor.store, person=actor.person)
        for other, ring in rings.items():
            if other != name:
                told = ring.keys[0].fingerprint
                trust.trust(actor.store, ring, person=actor.person, fingerprint=told)


def agree(nodes: Nodes) -> None:
    """The agreements go round by letter until all parties have signed them."""
    from ecotone.share import negotiate
    from ecotone.share.agreements import load

    today = dt.datetime.now(dt.UTC).date()
    for path in nodes.basin.agreements:
        agreement = load(path)
        signing = [nodes.signer(p, today) for p in (agreement.owner, *agreement.recipients)]
        negotiate.put_draft(signing[0], agreement, path.read_text(encoding="utf-8"))
        negotiate.sign(signing[0], agreement.agreement_id)
        for sender, receiver in itertools.pairwise(signing):
            _post(nodes, sender, receiver, agreement.agreement_id)
            negotiate.sign(receiver, agreement.agreement_id)
        for other in signing[:-1]:
            _post(nodes, signing[-1], other, agreement.agreement_id)


def _post(nodes: Nodes, sender: Actor, receiver: Actor, agreement_id: str) -> None:
    from ecotone.share import letter

    path = nodes.carried / "letter.json"
    path.write_text(letter.write(sender, [agreement_id]), encoding="utf-8")
    document = letter.read(path)
    path.unlink()
    if document is not None:
        letter.take(receiver, document)


def exchange(nodes: Nodes) -> Path:
    """Every party sends every other what they agreed on; the paper of it, for the report."""
    names = list(nodes.stores)
    told = {
        "packages": [_send(nodes, a, b) for a in names for b in names if a != b],
        "seen": [{"reader": name, "places": _seen(nodes, name)} for name in names],
        "taxa": list(_CATS),
    }
    path = nodes.basin.folder / "exchange.json"
    text = json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def _send(nodes: Nodes, sender: str, receiver: str) -> dict[str, Any]:
    """A sealed package made, carried in the folder and taken in; what it was, at both ends."""
    from ecotone.share.packages.export import Wanted, deliver, export, file_name
    from ecotone.share.packages.importing import held, import_package

    giver = nodes.signer(sender, nodes.basin.today)
    taker = nodes.signer(receiver, nodes.basin.today)
    made = export(giver, Wanted(receiver))
    path = deliver(made, nodes.carried, file_name(sender, made.sent))
    done = import_package(taker, path)
    return {
        "sender": sender,
        "recipient": receiver,
        "file": path.name,
        "sequence": made.sent.sequence,
        "rows": sum(made.rows.values()),
        "taken_in": sum(done.new.values()),
        "agreements": [f"{name} v{version}" for name, version in _STANDS.findall(made.sent.stands)],
        "state": made.sent.state,
        "held": held(taker, sender),
    }


def door_of(nodes: Nodes, reader: str) -> Door:
    """The door of a party's own node, for the party itself."""
    from ecotone.share.decide import Request
    from ecotone.share.door import Door

    request = Request(reader, "assessment", "view", nodes.basin.today)
    return Door(nodes.stores[reader], request, language(), preview=True)


def _seen(nodes: Nodes, reader: str) -> list[list[float]]:
    """Where a party sees cats: longitude, latitude, side of the cell (0: the exact place)."""
    import pandas as pd

    door = door_of(nodes, reader)
    cameras = door.release("Deployment").rows
    parts = []
    for noun in ("Occurrence", "Observation"):
        released = door.release(noun)
        if not released.rows.empty:
            cats = released.rows[released.rows["taxon"].isin(_CATS)]
            parts.append(_placed(cats, cameras).assign(cell=_cells(released, cats)))
    if not parts:
        return []
    places = pd.concat([part[[*_PLACE, "cell"]] for part in parts]).dropna().round(5)
    ordered = places.drop_duplicates().sort_values(["cell", *_PLACE])
    found: list[list[float]] = ordered.astype(float).to_numpy().tolist()
    return found


def _placed(rows: pd.DataFrame, cameras: pd.DataFrame) -> pd.DataFrame:
    """Rows that say only which camera saw the animal lie where that camera hangs."""
    if cameras.empty or "deployment" not in rows:
        return rows
    known = cameras.drop_duplicates("deployment_id").set_index("deployment_id")
    at = {name: rows["deployment"].map(known[name]) for name in _PLACE}
    return rows.assign(**{name: rows[name].fillna(found) for name, found in at.items()})


def _cells(released: Released, rows: pd.DataFrame) -> pd.Series:
    """The side of the cell each row is told in, in degrees; 0 where it came in full."""
    sizes = {
        (line.decision.dataset_id, line.decision.name): line.decision.rule.cell_degrees or 0.0
        for line in released.lines
        if line.decision.level == "generalised"
    }
    keys = zip(rows["dataset_id"].tolist(), rows["class"].tolist(), strict=True)
    found: pd.Series = rows["latitude"].astype("float64") * 0.0
    found[:] = [sizes.get(key, 0.0) for key in keys]
    return found
