"""Bad packages: refused with a sentence, nothing changed, one line in the ledger."""

from __future__ import annotations

import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.exchange import agree, agreement, close, deliver, nodes, occurrences

from ecotone.model.errors import EcotoneError, InputRefused, StoreError, UsageError
from ecotone.model.records import Dataset
from ecotone.share import keys, letter, lifecycle, negotiate, trust
from ecotone.share.packages import container, importing, rows
from ecotone.share.packages import manifest as manifests
from ecotone.share.packages.export import Wanted, export
from ecotone.share.packages.importing import import_package
from ecotone.share.packages.manifest import LETTER, MANIFEST, PURPOSE, SIGNATURE
from ecotone.store import received


@pytest.fixture(scope="module")
def trio(tmp_path_factory):
    """Three nodes; DUSH has made one package for URUM, which nobody has taken in."""
    actors = nodes(tmp_path_factory.mktemp("nodes"), ("DUSH", "URUM", "BISH"))
    agree(actors, agreement("DUSH", ["URUM"]), at=["DUSH"])
    agree(actors, agreement("BISH", ["URUM"], datasets=["DUSH-wild"]), at=["BISH"])
    deliver(actors["DUSH"], occurrences(60))
    made = export(actors["DUSH"], Wanted("URUM"))
    yield actors, made
    close(actors)


def plain_of(actors, path: Path) -> dict[str, bytes]:
    """The files of a sealed package."""
    out = io.BytesIO()
    with path.open("rb") as source:
        keys.unseal(source, out, node_folder=actors["URUM"].store.folder)
    with zipfile.ZipFile(out) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def sealed(actors, files: dict[str, bytes], target: Path, *, to: str = "URUM") -> Path:
    """The files packed and sealed again, as whoever holds the public key can."""
    folder = target.with_suffix(".dir")
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    packed = target.with_suffix(".zip")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in files:
            archive.write(folder / name, name)
    ring = trust.ring_of(actors["DUSH"].store, to) if to != "DUSH" else None
    container.seal(
        packed, target, to=ring or keys.own_ring(actors[to].store.folder), passphrase=None
    )
    return target


def signed_again(
    actors, files: dict[str, bytes], *, by: str = "DUSH", now: datetime | None = None, **changes
) -> dict[str, bytes]:
    """The manifest changed and signed, files hashed anew: a careless or lying sender."""
    import hashlib

    document = json.loads(files[MANIFEST])
    document["files"] = [
        {**one, "sha256": hashlib.sha256(files[one["path"]]).hexdigest(),
         "size": len(files[one["path"]])}
        for one in document["files"] if one["path"] in files
    ]  # fmt: skip
    document |= changes
    raw = manifests.Manifest.model_validate(document).canonical()
    signature = keys.sign(actors[by].store.folder, raw, purpose=PURPOSE, now=now)
    return {**files, MANIFEST: raw, SIGNATURE: f"{signature}\n".encode()}


def refuses(actors, path: Path, key: str, *, now: datetime | None = None) -> EcotoneError:
    """Refused with this sentence; nothing changed but one line in the ledger."""
    actor = actors["URUM"]
    store = actor.store
    before = (store.state_hash(), len(store.batches()), store.datasets(), store.agreements())
    parties, lines = store.parties(), store.ledger()
    with pytest.raises(EcotoneError) as refused:
        import_package(actor, path, now=now)
    assert refused.value.message.key == key, refused.value
    assert before == (
        store.state_hash(), len(store.batches()), store.datasets(), store.agreements()
    )  # fmt: skip
    assert parties == store.parties()
    added = store.ledger()[len(lines) :]
    assert [line.kind for line in added] == ["refused"]
    assert added[0].said["code"] == key and path.name in added[0].said["what"]
    assert not any(p.name != "media" for p in (store.folder / "staging").iterdir())
    for lang in ("en", "zh", "ru"):
        from ecotone.model.words import tell

        assert tell(refused.value.message, lang)
    return refused.value


def test_unsigned(trio, tmp_path):
    actors, made = trio
    files = plain_of(actors, made.path)
    files.pop(SIGNATURE)
    refuses(actors, sealed(actors, files, tmp_path / "p.age"), "packages.unsigned")
    files.pop(MANIFEST)
    refuses(actors, sealed(actors, files, tmp_path / "p.age"), "packages.no-manifest")


def test_signed_by_somebody_else_or_for_something_else(trio, tmp_path):
    actors, made = trio
    files = plain_of(actors, made.path)
    other = signed_again(actors, files, by="BISH")
    refuses(actors, sealed(actors, other, tmp_path / "p.age"), "keys.signature-of-other")
    raw = files[MANIFEST]
    signature = keys.sign(actors["DUSH"].store.folder, raw, purpose="agreement")
    wrong = {**files, SIGNATURE: str(signature).encode()}
    refuses(actors, sealed(actors, wrong, tmp_path / "p.age"), "keys.signature-wrong")
    garbage = {**files, SIGNATURE: b"\xff\xfe"}
    refuses(actors, sealed(actors, garbage, tmp_path / "p.age"), "keys.signature-unreadable")
    stranger = signed_again(actors, files, sender="NONE")
    refuses(actors, sealed(actors, stranger, tmp_path / "p.age"), "keys.party-unknown")


@pytest.mark.parametrize(
    "name", ["data/occurrence.parquet", "data/occurrence.csv", "README.txt", "datapackage.json",
             LETTER],
)  # fmt: skip
def test_a_file_that_is_not_the_signed_one(trio, tmp_path, name):
    actors, made = trio
    files = plain_of(actors, made.path)
    altered = bytearray(files[name])
    altered[len(altered) // 2] ^= 1
    changed = {**files, name: bytes(altered)}
    refuses(actors, sealed(actors, changed, tmp_path / "p.age"), "packages.file-altered")
    longer = {**files, name: files[name] + b"\n"}
    refuses(actors, sealed(actors, longer, tmp_path / "p.age"), "packages.file-altered")


def test_files_more_and_less(trio, tmp_path):
    actors, made = trio
    files = plain_of(actors, made.path)
    more = {**files, "data/more.csv": b"x"}
    refuses(actors, sealed(actors, more, tmp_path / "p.age"), "packages.other-files")
    less = {name: content for name, content in files.items() if name != "README.txt"}
    refuses(actors, sealed(actors, less, tmp_path / "p.age"), "packages.other-files")
    slip = {**files, "../../evil.txt": b"x"}
    refuses(actors, sealed(actors, slip, tmp_path / "p.age"), "packages.damaged")
    assert not (tmp_path / "evil.txt").exists()


def test_a_manifest_that_is_none(trio, tmp_path):
    actors, made = trio
    files = plain_of(actors, made.path)
    cases = {
        b"{}": "packages.format",
        b"nothing": "packages.manifest-unreadable",
        b"[" * 100_000: "packages.manifest-unreadable",
        b'{"format": "ecotone-package 9"}': "packages.format",
        b'{"format": "ecotone-package 1"}': "packages.manifest-unreadable",
        files[MANIFEST] + b" ": "packages.manifest-unreadable",
        os.urandom(manifests.MOST_BYTES + 1): "packages.manifest-unreadable",
    }
    for raw, key in cases.items():
        path = sealed(actors, {**files, MANIFEST: raw}, tmp_path / "p.age")
        refuses(actors, path, key)


def test_for_somebody_else(trio, tmp_path):
    actors, made = trio
    files = signed_again(actors, plain_of(actors, made.path), recipient="BISH")
    refuses(actors, sealed(actors, files, tmp_path / "p.age"), "packages.for-other")
    path = sealed(actors, plain_of(actors, made.path), tmp_path / "q.age", to="BISH")
    refuses(actors, path, "keys.seal-not-for-us")


def test_clocks_and_terms(trio, tmp_path):
    actors, made = trio
    now = datetime.now(UTC)
    refuses(actors, made.path, "keys.clock", now=now - timedelta(days=3))
    files = plain_of(actors, made.path)
    early = signed_again(actors, files, created=(now + timedelta(days=3)).isoformat())
    refuses(actors, sealed(actors, early, tmp_path / "p.age"), "packages.from-the-future")
    old = signed_again(actors, files, expires="2026-01-01")
    refused = refuses(actors, sealed(actors, old, tmp_path / "p.age"), "packages.expired")
    assert "DUSH" in refused.hint
    late = now + timedelta(days=400)
    refuses(actors, made.path, "packages.expired", now=late)


def test_our_own_clock_stands_wrong(trio):
    actors, made = trio
    now = datetime.now(UTC) - timedelta(days=2)
    document = json.loads(plain_of(actors, made.path)[MANIFEST])
    found = manifests.Manifest.model_validate(
        {**document, "created": (now - timedelta(hours=1)).isoformat()}
    )
    with pytest.raises(InputRefused) as refused:
        importing._check_time(actors["URUM"], found, now)
    assert refused.value.message.key == "packages.our-clock"


def test_agreements_that_do_not_hold(trio, tmp_path):
    actors, made = trio
    files = plain_of(actors, made.path)
    none = signed_again(actors, files, agreements=[])
    refuses(actors, sealed(actors, none, tmp_path / "p.age"), "packages.no-agreement")
    document = json.loads(files[LETTER])
    empty = signed_again(
        actors, {**files, LETTER: json.dumps({**document, "agreements": []}).encode()}
    )
    refuses(actors, sealed(actors, empty, tmp_path / "p.age"), "packages.agreement-unknown")
    bare = {**document, "agreements": [{**document["agreements"][0], "signatures": {}}]}
    unsigned = signed_again(actors, {**files, LETTER: json.dumps(bare).encode()})
    refuses(actors, sealed(actors, unsigned, tmp_path / "p.age"), "packages.agreement-unsigned")
    half = dict(document["agreements"][0])
    half["signatures"] = {
        "DUSH": half["signatures"]["DUSH"],
        "URUM": half["signatures"]["DUSH"].replace("DUSH", "URUM"),
    }
    forged = signed_again(
        actors, {**files, LETTER: json.dumps({**document, "agreements": [half]}).encode()}
    )
    refuses(actors, sealed(actors, forged, tmp_path / "p.age"), "keys.signature-wrong")
    for broken in (b"[]", b"\xff", b'{"format": "other"}'):
        wrong = signed_again(actors, {**files, LETTER: broken})
        refuses(actors, sealed(actors, wrong, tmp_path / "p.age"), "packages.manifest-unreadable")
    strange = signed_again(
        actors, {**files, LETTER: json.dumps({**document, "agreements": [{}]}).encode()}
    )
    refuses(actors, sealed(actors, strange, tmp_path / "p.age"), "share.agreement-invalid")


def test_data_of_others(trio, tmp_path):
    """BISH sends rows of a dataset that DUSH owns, with everything signed."""
    actors, made = trio
    receiver = actors["URUM"]
    files = plain_of(actors, made.path)
    bish = actors["BISH"]
    text = letter.write(bish, ["BISH-WILD"])
    one = lifecycle.standings(bish.store, bish.today)[0].agreement
    stands = [{"agreement_id": "BISH-WILD", "version": 1, "digest": _digest(one)}]
    lying = signed_again(
        actors, {**files, LETTER: text.encode()}, by="BISH", sender="BISH", agreements=stands
    )
    path = sealed(actors, lying, tmp_path / "p.age")
    # The agreement speaks for a dataset its owner does not own: known here as another's.
    receiver.store.put_dataset(
        Dataset(dataset_id="DUSH-wild", party_id="DUSH", title="Known"), person=receiver.person
    )
    refuses(actors, path, "packages.not-the-owner")
    foreign = signed_again(actors, files, agreements=stands)
    refuses(actors, sealed(actors, foreign, tmp_path / "q.age"), "packages.agreement-unknown")


def _digest(one) -> str:
    from ecotone.share.agreements import digest

    return digest(one)


def with_table(actors, files: dict[str, bytes], change: Callable[[pa.Table], pa.Table], **more):
    name = "data/occurrence.parquet"
    table = change(pq.read_table(io.BytesIO(files[name])))
    out = io.BytesIO()
    pq.write_table(table, out)
    return signed_again(actors, {**files, name: out.getvalue()}, **more)


def _put(table: pa.Table, name: str, value: object) -> pa.Table:
    column = pa.array([value] * table.num_rows)
    if name in table.column_names:
        return table.set_column(table.column_names.index(name), name, column)
    return table.append_column(name, column)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda t: _put(t, "agreement", "OTHER v1"), "packages.strange-rows"),
        (lambda t: _put(t, "dataset_id", "URUM-wild"), "packages.strange-rows"),
        (lambda t: _put(t, "dataset_id", None), "packages.strange-rows"),
        (lambda t: _put(t, "release_level", "open"), "packages.strange-rows"),
        (lambda t: _put(t, "release_cell_degrees", "fine"), "packages.strange-rows"),
        (lambda t: _put(t, "release_cell_degrees", None), "packages.strange-rows"),
        (lambda t: _put(t, "class", None), "packages.strange-rows"),
        (lambda t: _put(t, "batch_id", "mine"), "packages.table-unreadable"),
        (lambda t: _put(t, "nonsense", 1), "packages.table-unreadable"),
        (lambda t: _put(t, "id", "same"), "packages.table-unreadable"),
        (lambda t: _put(t, "id", None), "packages.table-unreadable"),
        (lambda t: _put(t, "latitude", "north"), "packages.table-unreadable"),
        (lambda t: t.drop_columns(["id"]), "packages.table-unreadable"),
        (lambda t: t.slice(0, 10), "packages.table-unreadable"),
        (lambda t: _put(t, "taxon", "Panthera leo"), "packages.state-differs"),
    ],
)
def test_rows_that_are_not_what_the_manifest_says(trio, tmp_path, change, key):
    actors, made = trio
    files = with_table(actors, plain_of(actors, made.path), change)
    refuses(actors, sealed(actors, files, tmp_path / "p.age"), key)


def test_tables_that_are_none(trio, tmp_path):
    actors, made = trio
    files = plain_of(actors, made.path)
    broken = signed_again(actors, {**files, "data/occurrence.parquet": b"PAR1 nothing PAR1"})
    refuses(actors, sealed(actors, broken, tmp_path / "p.age"), "packages.table-unreadable")
    document = json.loads(files[MANIFEST])
    strange = [{**f, "noun": "Secret"} if f["noun"] else f for f in document["files"]]
    other = signed_again(actors, files)
    other = resigned(actors, other, files=strange)
    refuses(actors, sealed(actors, other, tmp_path / "p.age"), "packages.noun-unknown")


def resigned(actors, content: dict[str, bytes], **changes) -> dict[str, bytes]:
    document = json.loads(content[MANIFEST]) | changes
    raw = manifests.Manifest.model_validate(document).canonical()
    signature = keys.sign(actors["DUSH"].store.folder, raw, purpose=PURPOSE)
    return {**content, MANIFEST: raw, SIGNATURE: f"{signature}\n".encode()}


def test_tombstones_that_are_not_what_the_manifest_says(trio, tmp_path):
    actors, made = trio
    files = plain_of(actors, made.path)
    document = json.loads(files[MANIFEST])
    listed = [*document["files"], {"path": "data/removed.csv", "size": 0, "sha256": "0" * 64}]
    for content, removed in (
        (b'"noun","id"\n"Occurrence","x"\n', {}),
        (b'"noun","id"\n"Secret","x"\n', {"Secret": 1}),
        (b'"noun"\n"Occurrence"\n', {"Occurrence": 1}),
        (b"", {"Occurrence": 1}),
    ):
        wrong = signed_again(
            actors, {**files, "data/removed.csv": content, MANIFEST: json.dumps(
                {**document, "files": listed}).encode()}, removed=removed
        )  # fmt: skip
        path = sealed(actors, wrong, tmp_path / "p.age")
        refuses(actors, path, "packages.table-unreadable")


def test_oversized(trio, tmp_path):
    actors, made = trio
    for most in (1000, made.path.stat().st_size - 300):
        with pytest.raises(InputRefused) as refused:
            import_package(actors["URUM"], made.path, most=most)
        assert refused.value.message.key == "packages.too-large"
    files = plain_of(actors, made.path)
    path = sealed(actors, {**files, "data/zeros.csv": b"0" * (8 << 20)}, tmp_path / "p.age")
    refuses(actors, path, "packages.damaged")
    document = json.loads(files[MANIFEST])
    huge = [{**f, "size": 1 << 50} for f in document["files"]]
    lying = resigned(actors, files, files=huge)
    refuses(actors, sealed(actors, lying, tmp_path / "q.age"), "packages.too-large")


def test_truncated_everywhere(trio, tmp_path):
    actors, made = trio
    raw = made.path.read_bytes()
    path = tmp_path / "cut.age"
    for length in (0, 1, 21, 60, 150, 200, 1000, len(raw) // 2, len(raw) - 17, len(raw) - 1):
        path.write_bytes(raw[:length])
        with pytest.raises(InputRefused):
            import_package(actors["URUM"], path)
        assert actors["URUM"].store.ledger()[-1].kind == "refused"
    path.write_bytes(raw + b"x")
    with pytest.raises(InputRefused):
        import_package(actors["URUM"], path)


def test_every_part_of_the_seal_counts(trio, tmp_path):
    """Version, stanza, share, wrapped key, header's end, its code, nonce, payload, last code."""
    actors, made = trio
    raw = made.path.read_bytes()
    path = tmp_path / "p.age"
    for at in [*range(0, 230, 9), len(raw) - 20, len(raw) - 1]:
        flipped = bytearray(raw)
        flipped[at] ^= 0x20
        path.write_bytes(flipped)
        with pytest.raises(InputRefused):
            import_package(actors["URUM"], path)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_flipped_byte_is_refused(trio, tmp_path_factory, data):
    actors, made = trio
    actor = actors["URUM"]
    raw = bytearray(made.path.read_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("flip") / "p.age"
    path.write_bytes(raw)
    before = actor.store.state_hash()
    with pytest.raises(InputRefused):
        import_package(actor, path)
    assert actor.store.state_hash() == before
    assert actor.store.ledger()[-1].kind == "refused"


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_flipped_byte_behind_the_seal_is_refused(trio, tmp_path_factory, data):
    """Who knows the receiver's public key can seal: the signature and hashes must hold alone."""
    actors, made = trio
    actor = actors["URUM"]
    out = io.BytesIO()
    with made.path.open("rb") as source:
        keys.unseal(source, out, node_folder=actor.store.folder)
    raw = bytearray(out.getvalue())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    home = tmp_path_factory.mktemp("flip")
    (home / "p.zip").write_bytes(raw)
    ring = keys.own_ring(actor.store.folder)
    container.seal(home / "p.zip", home / "p.age", to=ring, passphrase=None)
    before = actor.store.state_hash()
    try:
        import_package(actor, home / "p.age")
    except (InputRefused, UsageError):
        assert actor.store.state_hash() == before
        assert actor.store.ledger()[-1].kind == "refused"
        return
    # A zip has a few bytes that say nothing (times, the writer's system): then all is as sent.
    assert importing.held(actor, "DUSH") == made.sent.state
    _forget(actor)


def _forget(actor) -> None:
    """As if the package had never come: the next example begins anew."""
    store = actor.store
    for batch in store.batches():
        if not batch.withdrawn and batch.dataset_id == "DUSH-wild":
            store.withdraw(batch.batch_id, person=actor.person, reason="test")
    from ecotone.store import documents, ledger

    with store.writing() as connection:
        documents.put_content(
            connection, received.SENDER, "DUSH",
            ledger.canonical({"sequence": 0, "manifest": "", "state": "", "agreements": []}),
            None, actor.person, None,
        )  # fmt: skip


def test_a_file_that_is_not_there(trio, tmp_path):
    with pytest.raises(InputRefused):
        import_package(trio[0]["URUM"], tmp_path / "nothing.age")


def test_replayed_revoked_and_racing(tmp_path):
    actors = nodes(tmp_path / "nodes")
    agree(actors, agreement("DUSH", ["URUM"]), at=["DUSH"])
    sender, receiver = actors["DUSH"], actors["URUM"]
    deliver(sender, occurrences(20))
    first = export(sender, Wanted("URUM"))
    import_package(receiver, first.path)
    deliver(sender, occurrences(20, start=100), name="b.csv")
    second = export(sender, Wanted("URUM"))
    import_package(receiver, second.path)
    refuses(actors, first.path, "packages.older")
    deliver(sender, occurrences(20, start=200), name="c.csv")
    third = export(sender, Wanted("URUM"))
    broken = receiver.store.batches()[0].batch_id
    receiver.store.withdraw(broken, person=receiver.person, reason="by mistake")
    refuses(actors, third.path, "packages.other-state")
    fourth = export(sender, Wanted("URUM", whole=True))
    import_package(receiver, fourth.path)
    negotiate.declare(sender, "revoke", "DUSH-WILD", "misused")
    with pytest.raises(EcotoneError):
        export(sender, Wanted("URUM"))
    actor = negotiate.Actor(receiver.store, receiver.person, receiver.today)
    negotiate.declare(actor, "revoke", "DUSH-WILD", "no longer wanted")
    files = resigned_as_next(actors, plain_of(actors, fourth.path))
    refuses(actors, sealed(actors, files, tmp_path / "p.age"), "packages.agreement-not-active")
    close(actors)


def resigned_as_next(actors, files: dict[str, bytes]) -> dict[str, bytes]:
    document = json.loads(files[MANIFEST])
    return resigned(actors, files, sequence=document["sequence"] + 1)


def test_a_new_key_that_the_old_one_signed_for_needs_no_visit(tmp_path):
    actors = nodes(tmp_path)
    agree(actors, agreement("DUSH", ["URUM"]), at=["DUSH"])
    sender, receiver = actors["DUSH"], actors["URUM"]
    deliver(sender, occurrences(20))
    import_package(receiver, export(sender, Wanted("URUM")).path)
    # Not in the second in which the agreement was signed.
    keys.rotate(sender.store.folder, now=datetime.now(UTC) + timedelta(seconds=5))
    trust.publish(sender.store, person=sender.person)
    deliver(sender, occurrences(5, start=50), name="b.csv")
    made = export(sender, Wanted("URUM"))
    assert import_package(receiver, made.path).new == {"Occurrence": 5}
    keys.rotate(sender.store.folder, reason="stolen", now=datetime.now(UTC) + timedelta(seconds=9))
    trust.publish(sender.store, person=sender.person)
    deliver(sender, occurrences(5, start=60), name="c.csv")
    with pytest.raises(EcotoneError):
        import_package(receiver, export(sender, Wanted("URUM")).path)
    close(actors)


def test_the_writer_takes_one_package_at_a_time(tmp_path):
    actors = nodes(tmp_path)
    agree(actors, agreement("DUSH", ["URUM"]), at=["DUSH"])
    deliver(actors["DUSH"], occurrences(5))
    made = export(actors["DUSH"], Wanted("URUM"))
    receiver = actors["URUM"]
    import_package(receiver, made.path)
    stale = received.Delivery(
        sender="DUSH", sequence=1, file_name="p", sha256="0" * 64, size=1, whole=True, parts=(),
        marks=(), removed={}, datasets=(), rasters={}, progress={"state": rows.state({})},
        before=None,
    )  # fmt: skip
    with pytest.raises(StoreError) as refused:
        received.take(
            receiver.store, stale, importing._state, lambda c: None, person=receiver.person
        )
    assert refused.value.message.key == "packages.import-twice"
    assert len(pd.concat(receiver.store.select("Occurrence", datasets=["DUSH-wild"]))) == 5
    close(actors)
