"""Three nodes exchange packages while lines break and processes die; all end in equal states.

    python examples/three-nodes/run.py [--home DIR] [--cuts 12] [--seed 1]

The parties are those of the virtual basin. Each has a node of its own and its own deliveries. They
sign the basin's agreements by letters that go from node to node. Then they exchange: between one
pair of them over HTTP on loopback, through a relay that breaks
connections at random; between the others by a folder that stands for a USB stick, with commands
that are killed at random. In between, deliveries are withdrawn and brought again. At the end a
table says what each holds of the others, and whether that is what was sent.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from relay import CuttingWay

from ecotone.demo import Basin, Delivery, simulate
from ecotone.ingest import mapping as mappings
from ecotone.ingest.commit import ingest
from ecotone.ingest.delivery import Orders
from ecotone.model.errors import InputRefused
from ecotone.share import keys, letter, negotiate, trust
from ecotone.share.agreements import load
from ecotone.share.negotiate import Actor
from ecotone.share.packages import fetch as fetching
from ecotone.share.packages import sent
from ecotone.share.packages.export import Wanted, export
from ecotone.share.packages.importing import held, import_package
from ecotone.share.packages.serve import server
from ecotone.store import init_node, open_node, received

#: These two have a line between them; all others carry sticks.
LINE = {"VIWE", "KNCM"}
#: The longest a command is left alone before it may be killed, in seconds.
LONGEST = 4.0


@dataclass
class Bed:
    """The nodes, the stick, the dice, and what went wrong on purpose."""

    home: Path
    basin: Basin
    actors: dict[str, Actor]
    dice: random.Random
    cuts: int = 0
    kills: int = 0
    withdrawn: dict[str, Delivery] = field(default_factory=dict)

    @property
    def stick(self) -> Path:
        """The folder that is carried."""
        return self.home / "stick"


def tell(text: str) -> None:
    """A line for whoever watches."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def build(home: Path, seed: int) -> Bed:
    """Three nodes with keys, deliveries and agreements."""
    basin = simulate(home / "basin", seed=seed)
    today = datetime.now(UTC).date()
    signers = {p.party_id: p for p in basin.people if p.role == "signer"}
    actors: dict[str, Actor] = {}
    for party in basin.parties:
        store = init_node(home / party.party_id, party=party, person=signers[party.party_id])
        keys.make(store.folder, party.party_id)
        actors[party.party_id] = Actor(store, signers[party.party_id].person_id, today)
        trust.publish(store, person=signers[party.party_id].person_id)
        for dataset in basin.datasets:
            if dataset.party_id == party.party_id:
                alone = dataset.model_copy(update={"project_id": None})
                store.put_dataset(alone, person=signers[party.party_id].person_id)
    for mine in actors.values():
        for party in basin.parties:
            if party.party_id != mine.party:
                mine.store.put_party(party, person=mine.person)
                ring = keys.own_ring(actors[party.party_id].store.folder)
                trust.trust(
                    mine.store, ring, person=mine.person, fingerprint=ring.keys[0].fingerprint
                )
    bed = Bed(home, basin, actors, random.Random(seed))
    bed.stick.mkdir()
    shared = agree(bed)
    for delivery in basin.deliveries:
        if delivery.dataset_id in shared and delivery.expected == "accepted":
            bring(bed, delivery)
    return bed


def agree(bed: Bed) -> set[str]:
    """The basin's agreements, signed by letters; the datasets they speak of."""
    shared: set[str] = set()
    for path in bed.basin.agreements:
        one = load(path)
        owner = bed.actors[one.owner]
        negotiate.put_draft(owner, one, path.read_text(encoding="utf-8"))
        negotiate.sign(owner, one.agreement_id)
        signing = [owner, *(bed.actors[party] for party in one.recipients)]
        for before, after in itertools.pairwise(signing):
            post(bed, before, after, one.agreement_id)
            negotiate.sign(after, one.agreement_id)
        for other in signing[:-1]:
            post(bed, signing[-1], other, one.agreement_id)
        shared.update(one.datasets)
    return shared


def post(bed: Bed, sender: Actor, receiver: Actor, agreement_id: str) -> None:
    """A letter with an agreement, by the stick."""
    path = bed.stick / "letter.json"
    path.write_text(letter.write(sender, [agreement_id]), encoding="utf-8")
    document = letter.read(path)
    assert document is not None
    letter.take(receiver, document)


def bring(bed: Bed, delivery: Delivery) -> None:
    """Take a delivery into its party's node."""
    actor = bed.actors[delivery.party_id]
    plan = mappings.load(delivery.mapping) if delivery.mapping else None
    orders: Any = Orders(mapping=plan, **delivery.options)
    ingest(delivery.path, orders, actor.store, dataset_id=delivery.dataset_id, person=actor.person)


def change(bed: Bed, party: str) -> None:
    """A delivery is withdrawn, or the one withdrawn before is brought again."""
    if party in bed.withdrawn:
        bring(bed, bed.withdrawn.pop(party))
        return
    store = bed.actors[party].store
    named = {d.path.name: d for d in bed.basin.deliveries_of(party)}
    standing = [b for b in store.batches() if not b.withdrawn and b.file_name in named]
    gone = bed.dice.choice(standing)
    store.withdraw(gone.batch_id, person=bed.actors[party].person, reason="to be checked again")
    bed.withdrawn[party] = named[gone.file_name]


def by_line(bed: Bed, sender: str, receiver: str) -> None:
    """Make a package, offer it, and fetch it over a line that breaks."""
    giver, taker = bed.actors[sender], bed.actors[receiver]
    export(giver, Wanted(receiver))
    folder = giver.store.folder
    running = server(lambda: open_node(folder))
    threading.Thread(target=running.serve_forever, daemon=True).start()

    def after() -> int | None:
        return bed.dice.choice([bed.dice.randrange(1, 900), bed.dice.randrange(1, 150_000), None])

    with CuttingWay(running.server_address[1], after) as way:
        while True:
            try:
                for one in fetching.wanted(taker, way.url, sender):
                    path = fetching.fetch(taker, way.url, sender, one)
                    import_package(taker, path)
                    fetching.forget(path)
                break
            except InputRefused as error:
                tell(f"  {sender} -> {receiver}: {error.message}")
        bed.cuts += way.cuts
    running.shutdown()
    running.server_close()


def by_stick(bed: Bed, sender: str, receiver: str) -> None:
    """Make a package and carry it, by commands that are killed at random."""
    giver, taker = bed.actors[sender], bed.actors[receiver]
    command(bed, giver, "share", "export", "--to", receiver, "-o", str(bed.stick))
    said = sent.newest(giver.store, receiver)
    before = received.progress(taker.store, sender)
    last = 0 if before is None else int(before["sequence"])
    if said is not None and said.sequence > last:
        name = f"{sender}-{receiver}-{said.sequence:06d}.zip.age"
        command(bed, taker, "share", "import", str(bed.stick / name))


def command(bed: Bed, actor: Actor, *words: str) -> None:
    """A command of the command line, begun again for as long as it was killed."""
    line = [sys.executable, "-m", "ecotone.cli", *words, "--node", str(actor.store.folder)]
    while True:
        process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            wait = bed.dice.uniform(0.5, LONGEST) if bed.dice.random() < 0.4 else None
            told, _ = process.communicate(timeout=wait)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
            bed.kills += 1
            tell(f"  {actor.party}: killed in '{' '.join(words[:2])}'")
            continue
        if process.returncode == 0:
            return
        raise SystemExit(told.decode("utf-8", "replace"))


def pairs(bed: Bed) -> list[tuple[str, str]]:
    """Who sends to whom: every agreement's owner to each of its recipients."""
    told = [load(path) for path in bed.basin.agreements]
    return sorted({(one.owner, to) for one in told for to in one.recipients})


def table(bed: Bed) -> list[tuple[str, str, str, int, int, bool]]:
    """Sender, receiver, way, packages, rows held, and whether both ends hold the same."""
    found = []
    for sender, receiver in pairs(bed):
        said = sent.newest(bed.actors[sender].store, receiver)
        assert said is not None
        owned = [d.dataset_id for d in bed.basin.datasets if d.party_id == sender]
        totals = bed.actors[receiver].store.totals()
        rows = sum(t["records"] for t in totals if t["dataset_id"] in owned)
        same = held(bed.actors[receiver], sender) == said.state
        way = "HTTP" if {sender, receiver} == LINE else "stick"
        found.append((sender, receiver, way, said.sequence, rows, same))
    return found


def run(home: Path, *, cuts: int = 12, seed: int = 1) -> Bed:
    """The whole bed: built, exchanged until so many cuts and kills happened, told."""
    bed = build(home, seed)
    rounds = 0
    while rounds < 3 or bed.cuts + bed.kills < cuts:
        for sender, receiver in pairs(bed):
            carry = by_line if {sender, receiver} == LINE else by_stick
            carry(bed, sender, receiver)
        rounds += 1
        if rounds < 3 or bed.cuts + bed.kills < cuts:
            for party in bed.actors:
                change(bed, party)
    return bed


def main() -> int:
    """Run the bed and print the table; 1 where two ends differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--home", type=Path)
    parser.add_argument("--cuts", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        bed = run(given.home or Path(scratch), cuts=given.cuts, seed=given.seed)
        rows = table(bed)
        whole = all(not actor.store.verify_ledger() for actor in bed.actors.values())
        for actor in bed.actors.values():
            actor.store.close()
    tell(f"\n{bed.cuts} connections cut, {bed.kills} commands killed")
    tell(f"{'from':6} {'to':6} {'way':6} {'packages':>8} {'rows':>8}  same state")
    for sender, receiver, way, packages, number, same in rows:
        verdict = "yes" if same else "NO"
        tell(f"{sender:6} {receiver:6} {way:6} {packages:8d} {number:8,d}  {verdict}")
    tell("ledgers: whole" if whole else "ledgers: BROKEN")
    return 0 if whole and all(row[-1] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
