"""Keys of a node: made, used, changed, lost, stolen; and sealing that other tools open."""

from __future__ import annotations

import base64
import io
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecotone.model.errors import EcotoneError, InputRefused, StoreError, UsageError
from ecotone.share import age, bech32, keyring, keys

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
LATER = START + timedelta(days=100)
END = START + timedelta(days=200)

# Sealed by rage (through pyrage), an implementation of age that is not ours.
IDENTITY = "AGE-SECRET-KEY-18GA7L54H9Y4UTAQ0GZVNJYHCV3SRU2ZXUS452T4ZGJS308TYZVKSZZ3PVQ"
RECIPIENT = "age1gvx6ssvn8rxnuxm850v5246uddutd9rf0ylvpu5m0vuzj3v9pfhqe0082h"
TEXT = b"The cats crossed the pass at dusk."
BY_RAGE = (
    "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBvZ2p4RFhWUmtPbUJnRUVlVzVxMXJrekpPTjkrQ2dtOWZJaW9t"
    "QlFjOTBrCnczZHEyYUhCTFdWZDZidUN2KzBZTnhlNlJaS2p0VEZTRS90ZnJHSGRUUGcKLT4gdz8lZS1ncmVhc2UgdWFM"
    "dHgoTSA0YTwoClBnREh5Y2J3OVBMMEZGazYxTU53cnNmZXUvSHJhNGV4Z09HZ0hoL205cGxvSWZGK2l3MXVXSnYwV2M2"
    "bHZSOGQKUW1qL2NRZnRoeTlUNk5BeWkzbDYKLS0tIGxXWWhseXQ0S0xka0l2UWVXT1BqUitUT2RKZERQeStTZjlqYlpQ"
    "ZGx4cGcKxsJn0S0DHgOzR0rtflDrVQVsToY1AU9aH74d6nlrzRnYt2qQnlXWucHh8bfn00HTIQtqD4mdqWHOM+nG8sFh"
    "g67m"
)


def identity() -> age.X25519PrivateKey:
    raw = bech32.decode("age-secret-key-", IDENTITY)
    return age.X25519PrivateKey.from_private_bytes(raw)


def sealed(data: bytes, **how: object) -> bytes:
    target = io.BytesIO()
    age.seal(io.BytesIO(data), target, **how)  # type: ignore[arg-type]  # keywords of the test
    return target.getvalue()


def opened(data: bytes, **how: object) -> bytes:
    target = io.BytesIO()
    age.unseal(io.BytesIO(data), target, **how)  # type: ignore[arg-type]  # keywords of the test
    return target.getvalue()


@pytest.fixture
def node(tmp_path: Path) -> Path:
    (tmp_path / "keys").mkdir()
    keys.make(tmp_path, "VIWE", now=START)
    return tmp_path


def refused(call, *arguments: object, **named: object) -> str:
    with pytest.raises(EcotoneError) as error:
        call(*arguments, **named)
    return str(error.value.message.key)


# Sealing


def test_what_another_tool_sealed_opens_here():
    assert age.recipient_of(identity().public_key()) == RECIPIENT
    assert age.identity_of(identity()) == IDENTITY
    assert opened(base64.b64decode(BY_RAGE), identities=[identity()]) == TEXT


def test_another_tool_opens_what_is_sealed_here():
    pyrage = pytest.importorskip("pyrage", reason="rage is not installed")
    theirs = pyrage.x25519.Identity.from_str(IDENTITY)
    for size in (0, 1, age.BLOCK, age.BLOCK + 1):
        assert pyrage.decrypt(sealed(bytes(size), recipients=[RECIPIENT]), [theirs]) == bytes(size)
    told = sealed(TEXT, passphrase="three rivers", work=10)
    assert pyrage.passphrase.decrypt(told, "three rivers") == TEXT


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([0, 1, 2, age.BLOCK - 1, age.BLOCK, age.BLOCK + 1, 3 * age.BLOCK]), st.data()
)
def test_sealed_streams_open_whole_or_not_at_all(size, data):
    plain = os.urandom(size)
    told = sealed(plain, recipients=[RECIPIENT])
    assert opened(told, identities=[identity()]) == plain
    cut = data.draw(st.integers(0, len(told) - 1))
    with pytest.raises(InputRefused):
        opened(told[:cut], identities=[identity()])
    at = data.draw(st.integers(0, len(told) - 1))
    altered = bytes([*told[:at], told[at] ^ 1 << data.draw(st.integers(0, 7)), *told[at + 1 :]])
    with pytest.raises(InputRefused):
        opened(altered, identities=[identity()])
    with pytest.raises(InputRefused):
        opened(told + b"x", identities=[identity()])


def test_blocks_that_changed_places_are_refused():
    told = sealed(bytes(3 * age.BLOCK), recipients=[RECIPIENT])
    start = len(told) - 3 * (age.BLOCK + 16)
    first, second = (
        told[start : start + age.BLOCK + 16],
        told[start + age.BLOCK + 16 :][: age.BLOCK + 16],
    )
    swapped = told[:start] + second + first + told[start + 2 * (age.BLOCK + 16) :]
    assert refused(opened, swapped, identities=[identity()]) == "keys.seal-altered"


def test_a_passphrase_opens_and_a_wrong_one_does_not():
    told = sealed(TEXT, passphrase="three rivers", work=10)
    assert opened(told, passphrase="three rivers") == TEXT
    assert refused(opened, told, passphrase="two rivers") == "keys.passphrase-wrong"
    assert refused(opened, told, identities=[identity()]) == "keys.passphrase-wanted"
    greedy = told.replace(b" 10\n", b" 30\n")
    assert refused(opened, greedy, passphrase="three rivers") == "keys.seal-work"
    assert refused(opened, told.replace(b" 10\n", b" x\n"), passphrase="t") == "keys.seal-altered"
    with pytest.raises(ValueError, match="either"):
        sealed(TEXT, passphrase="x", recipients=[RECIPIENT])


def test_headers_that_are_none_are_refused():
    told = sealed(TEXT, recipients=[RECIPIENT])
    other = age.X25519PrivateKey.generate()
    assert refused(opened, told, identities=[other]) == "keys.seal-not-for-us"
    assert refused(opened, b"PK\x03\x04", identities=[other]) == "keys.not-sealed"
    assert refused(opened, b"PK\x03\x04\n", identities=[other]) == "keys.not-sealed"
    head, _, rest = told.partition(b"---")
    two = head + b"-> scrypt AAAA 10\n" + head.splitlines()[2] + b"\n---" + rest
    assert refused(opened, two, passphrase="x") == "keys.seal-altered"
    for old, new in (
        (b"-> X25519", b"=> X25519"),
        (b"\n---", b"\n---x"),
        (head.splitlines()[2], head.splitlines()[2][:-4]),
        (head.splitlines()[2], b"*" * 43),
        (head.splitlines()[1], b"-> X25519 AAAA"),
        (head.splitlines()[1], b"-> X25519 " + age._b64(bytes(32))),
    ):
        assert refused(opened, told.replace(old, new, 1), identities=[identity()]) in (
            "keys.seal-altered",
            "keys.seal-not-for-us",
        )
    odd = told.replace(head.splitlines()[1], b"-> other thing", 1)
    assert refused(opened, odd, identities=[identity()]) == "keys.seal-not-for-us"


@pytest.mark.parametrize(
    "text",
    [
        RECIPIENT[:-1] + "q",
        RECIPIENT.replace("age1", "cat1"),
        "age1",
        "",
        RECIPIENT[:10] + "B" + RECIPIENT[11:],
        RECIPIENT[:10] + "b" + RECIPIENT[11:],
        bech32.encode("age", bytes(31)),
    ],
)
def test_a_mistyped_key_is_no_key(text):
    assert refused(age.public_of, text) == "keys.recipient-wrong"


# Signing


def test_init_makes_keys_only_the_owner_reads(node):
    ring = keys.own_ring(node)
    assert ring.party == "VIWE" and ring.current is not None and ring.current.number == 1
    assert not keys.locked(node) and keys.readable_by_others(node) == []
    if os.name == "posix":
        assert (node / "keys" / "signing-1.key").stat().st_mode & 0o777 == 0o600
        (node / "keys" / "signing-1.key").chmod(0o644)
        assert keys.readable_by_others(node) == ["signing-1.key"]
    assert refused(keys.make, node, "VIWE") == "keys.exist"
    assert [len(group) for group in ring.current.fingerprint.split(" ")] == [4] * 8


def test_a_signature_holds_for_its_data_purpose_party_and_key(node):
    ring = keys.own_ring(node).text()
    signature = keys.sign(node, b"data", purpose="agreement", now=LATER)
    now = {"purpose": "agreement", "now": LATER}
    assert keys.verify(ring, b"data", signature, **now).number == 1
    assert keys.verify(ring, b"data", str(signature), **now).number == 1
    assert refused(keys.verify, ring, b"date", signature, **now) == "keys.signature-wrong"
    assert refused(keys.verify, ring, b"data", signature, now=LATER) == "keys.signature-wrong"
    words = str(signature).split(" ")
    for at, other in ((1, "2"), (2, "2026-06-10T08:00:00Z"), (0, "KNCM")):
        changed = " ".join([*words[:at], other, *words[at + 1 :]])
        assert refused(keys.verify, ring, b"data", changed, **now).startswith("keys.")
    value = str(signature).rsplit(" ", 1)[1]
    # The last letter holds two bits of the 512; the other four are to be 0.
    twin = {"A": "B", "Q": "R", "g": "h", "w": "x"}[value[-1]]
    for other in (str(signature).replace(" 1 ", " 01 "), str(signature)[:-1] + twin):
        assert refused(keys.verify, ring, b"data", other, **now) == "keys.signature-unreadable"
    for text in ("", "VIWE 1 now x", "VIWE 01 2026-06-10T08:00:00Z AA", f"{signature} more"):
        assert refused(keys.verify, ring, b"data", text) == "keys.signature-unreadable"


def test_a_clock_that_stands_wrong_is_told(node):
    ring = keys.own_ring(node)
    ahead = keys.sign(node, b"x", now=LATER + timedelta(days=2))
    assert refused(keys.verify, ring, b"x", ahead, now=LATER) == "keys.clock"
    assert keys.verify(ring, b"x", ahead, now=LATER + timedelta(days=1))
    assert refused(keys.sign, node, b"x", now=START - timedelta(days=2)) == "keys.clock-own"
    edge = keys.sign(node, b"x", now=START - timedelta(days=1))
    assert keys.verify(ring, b"x", edge, now=LATER)
    for time in (START - timedelta(days=1, seconds=1), START - timedelta(days=9)):
        data = keyring.signed_bytes("VIWE", 1, time, b"x", "data")
        pen = keys._unlocked(node, None).signing
        early = keyring.Signature("VIWE", 1, time, pen.sign(data))
        assert refused(keys.verify, ring, b"x", early, now=LATER) == "keys.clock"


def test_rotation_keeps_old_signatures_and_hands_trust_on(node):
    known = keys.own_ring(node)
    old = keys.sign(node, b"x", now=LATER - timedelta(days=1))
    box = io.BytesIO()
    keys.seal(io.BytesIO(TEXT), box, to=known.text())
    ring = keys.rotate(node, now=LATER)
    assert ring.strangers(known) == [] and ring.current is not None and ring.current.number == 2
    assert keys.verify(ring, b"x", old, now=END).number == 1
    assert keys.verify(ring, b"x", keys.sign(node, b"x", now=END), now=END).number == 2
    assert not (node / "keys" / "signing-1.key").exists()
    out = io.BytesIO()
    keys.unseal(io.BytesIO(box.getvalue()), out, node_folder=node)
    assert out.getvalue() == TEXT
    assert refused(known.strangers, ring) == "keys.ring-older"


@pytest.mark.parametrize("reason", ["left", "stolen", "lost"])
def test_a_key_others_may_hold_answers_only_for_what_was_noted_before(node, reason):
    known = keys.own_ring(node)
    signed = keys.sign(node, b"x", now=LATER - timedelta(days=1))
    ring = keys.rotate(node, reason=reason, now=LATER)
    assert refused(keys.verify, ring, b"x", signed, now=END) == "keys.ended"
    before, after = LATER - timedelta(hours=1), LATER + timedelta(hours=1)
    assert keys.verify(ring, b"x", signed, now=END, seen=before).number == 1
    assert refused(keys.verify, ring, b"x", signed, now=END, seen=after) == "keys.ended"
    strangers = [key.number for key in ring.strangers(known)]
    assert strangers == ([] if reason == "left" else [2])


def test_a_lost_key_needs_neither_file_nor_passphrase(tmp_path):
    (tmp_path / "keys").mkdir()
    known = keys.make(tmp_path, "VIWE", passphrase="one", now=START)
    assert keys.locked(tmp_path)
    assert refused(keys.rotate, tmp_path, passphrase="two") == "keys.passphrase-wrong"
    (tmp_path / "keys" / "signing-1.key").unlink()
    assert refused(keys.sign, tmp_path, b"x", passphrase="one") == "keys.gone"
    ring = keys.rotate(tmp_path, reason="lost", new_passphrase="two", now=LATER)
    assert [key.number for key in ring.strangers(known)] == [2]
    assert keys.verify(ring, b"x", keys.sign(tmp_path, b"x", passphrase="two", now=END), now=END)
    assert (tmp_path / "keys" / "sealing-1.lost").is_file()
    box = io.BytesIO()
    keys.seal(io.BytesIO(TEXT), box, to=ring)
    keys.unseal(io.BytesIO(box.getvalue()), io.BytesIO(), node_folder=tmp_path, passphrase="two")


def test_who_left_does_not_know_the_new_passphrase(tmp_path, monkeypatch):
    (tmp_path / "keys").mkdir()
    ring = keys.make(tmp_path, "VIWE", passphrase="old", now=START)
    box = io.BytesIO()
    keys.seal(io.BytesIO(TEXT), box, to=ring)
    keys.rotate(tmp_path, reason="left", passphrase="old", new_passphrase="new", now=LATER)
    told = io.BytesIO(box.getvalue())
    assert refused(keys.unseal, told, io.BytesIO(), node_folder=tmp_path, passphrase="old") == (
        "keys.passphrase-wrong"
    )
    monkeypatch.setenv(keys.PASSPHRASE, "new")
    out = io.BytesIO()
    keys.unseal(io.BytesIO(box.getvalue()), out, node_folder=tmp_path)
    assert out.getvalue() == TEXT


def test_a_revoked_key_signs_no_more_until_there_is_another(node):
    known = keys.own_ring(node)
    ring = keys.end(node, reason="stolen", now=LATER)
    assert ring.current is None and ring.strangers(known) == []
    assert refused(keys.sign, node, b"x") == "keys.ended-already"
    assert refused(keys.end, node, reason="lost") == "keys.ended-already"
    assert refused(keys.seal, io.BytesIO(), io.BytesIO(), to=ring) == "keys.nobody-to-seal-for"
    following = keys.rotate(node, now=END)
    assert [key.number for key in following.strangers(ring)] == [2]


def test_a_loss_nobody_signed_for_must_be_confirmed(node):
    known = keys.own_ring(node)
    ring = keys.end(node, reason="lost", now=LATER)
    assert [key.number for key in ring.strangers(known)] == [1]
    assert [key.number for key in known.strangers(None)] == [1]


def test_passphrase_sealing_without_a_node(monkeypatch):
    monkeypatch.setattr(age, "WORK", 10)
    box, out = io.BytesIO(), io.BytesIO()
    age.seal(io.BytesIO(TEXT), box, passphrase="three rivers", work=10)
    keys.unseal(io.BytesIO(box.getvalue()), out, passphrase="three rivers")
    assert out.getvalue() == TEXT


def test_a_passphrase_and_an_empty_stream(node):
    box, out = io.BytesIO(), io.BytesIO()
    keys.seal(io.BytesIO(), box, passphrase="three rivers")
    keys.unseal(io.BytesIO(box.getvalue()), out, passphrase="three rivers", node_folder=node,
                sealed_to_passphrase=True)  # fmt: skip
    assert out.getvalue() == b""
    told = sealed(TEXT, recipients=[RECIPIENT])
    start = len(told) - len(TEXT) - 16
    assert refused(opened, told[: start - 20], identities=[identity()]) in (
        "keys.seal-cut",
        "keys.not-sealed",
    )
    assert refused(opened, told[: start - 3], identities=[identity()]) == "keys.seal-cut"


def test_an_empty_last_block_after_a_full_one_is_refused():
    """Our sealer never writes one; who does could make two texts of one."""
    file_key, nonce = bytes(16), bytes(16)
    stanza = age._to_recipient(file_key, age.public_of(RECIPIENT))
    head = age._VERSION + b"\n" + stanza.text() + b"---"
    head += b" " + age._b64(age._mac(file_key, head).finalize()) + b"\n" + nonce
    cipher = age.ChaCha20Poly1305(age._derive(file_key, nonce, b"payload"))
    body = cipher.encrypt(age._nonce(0, False), bytes(age.BLOCK), None)
    last = cipher.encrypt(age._nonce(1, True), b"", None)
    assert refused(opened, head + body + last, identities=[identity()]) == "keys.seal-altered"
    weak = age._Stanza(b"X25519", (age._b64(bytes(32)),), bytes(32))
    head = age._VERSION + b"\n" + weak.text() + b"--- AAAA\n"
    assert refused(opened, head, identities=[identity()]) == "keys.seal-altered"


def test_keys_that_are_not_what_they_say(node):
    folder = node / "keys"
    signing, sealing = (folder / "signing-1.key").read_bytes(), (folder / "sealing-1.key")
    sealing_was = sealing.read_bytes()
    sealing.write_bytes(signing)
    assert refused(keys.unseal, io.BytesIO(), io.BytesIO(), node_folder=node) == "keys.unreadable"
    for text in (sealing_was, b"nothing"):
        (folder / "signing-1.key").write_bytes(text)
        assert refused(keys.sign, node, b"x") == "keys.unreadable"
    keys.rotate(node, reason="lost")
    (folder / "signing-2.key").write_bytes(signing)
    assert refused(keys.sign, node, b"x") == "keys.unreadable"
    with pytest.raises(StoreError):
        keys.own_ring(node / "keys")


def _unsigned(line: str) -> str:
    return line.rsplit(" ", 1)[0] + " -"


def test_forged_keyrings_are_refused(node, tmp_path):
    mine = keys.own_ring(node)
    (tmp_path / "thief" / "keys").mkdir(parents=True)
    theirs = keys.make(tmp_path / "thief", "VIWE", now=START)
    ring = keys.rotate(node, now=LATER)
    first, ended, second = ring.lines
    forged = keys.rotate(tmp_path / "thief", now=LATER).lines
    other = theirs.text().replace("VIWE", "KNCM").strip()
    for lines in (
        [],
        [ended],
        [first, second],
        [first, ended, forged[2]],
        [first, forged[1], second],
        [first, ended, second.replace(" 2 ", " 3 ", 1)],
        [first, ended, ended],
        [first, ended.replace("routine", "whim"), second],
        [first, ended.replace("2026-06", "2025-06"), second],
        [first, ended.replace("2026-06", "2026-07"), second],
        [first.replace("2026-03-01T", "2026-03-01 ")],
        [first, ended.replace("routine", "stolen").split(" 1:")[0] + " -", second],
        [first, other],
        [first[:-3]],
        [first.replace(mine.keys[0].sealing, mine.keys[0].sealing[:-1] + "b")],
        [first.replace(mine.keys[0].sealing, "age1")],
        [first + " more"],
        [first.replace("-key VIWE 1 ", "-key VIWE 1 !")],
        ["hello"],
    ):
        with pytest.raises(InputRefused):
            keyring.read("\n".join(lines))
    assert refused(theirs.strangers, mine) == "keys.ring-older"
    lost = keyring.told(keyring.end_statement("VIWE", 1, LATER, "lost"), None)
    for lines, sound in (
        ([first, lost, _unsigned(second)], True),
        ([first, _unsigned(second)], False),
        ([first, lost, _unsigned(second).replace("VIWE 2", "VIWE 3")], False),
        ([first, lost, _unsigned(second).replace("VIWE", "KNCM")], False),
        ([first, lost, _unsigned(second).replace("2026-06", "2026-05")], False),
        ([first.replace("VIWE 1", "VIWE 2")], False),
        ([first, lost, second], False),
        ([first, lost.replace("VIWE 1", "VIWE 2")], False),
        ([first, lost.replace("VIWE", "KNCM")], False),
        ([first, lost, lost], False),
        ([first, lost.replace(" lost ", " whim ")], False),
        ([first, lost.replace("2026-06", "2025-06")], False),
        ([first.replace("VIWE 1 ", "VIWE 01 ")], False),
        ([first.replace(keyring.b64(mine.keys[0].signing), "AAAA")], False),
    ):
        text = "\n".join(lines)
        if sound:
            assert keyring.read(text).current is not None
        else:
            assert refused(keyring.read, text) == "keys.ring-unreadable", text
    with pytest.raises(UsageError):
        keys.sign(node, b"x", now=START)
