"""Identifiers minted offline: party prefix, time-ordered, random, with a check character.

``KNCM-01KATW3YBQ0007QXJ4ZP9D2RSMF``::

    KNCM         party, 2 to 8 letters and digits
    01KATW3YBQ   milliseconds since 1970 (10 characters; enough until the year 2248)
    0007         place within the millisecond, so that one process mints in rising order
    QXJ4ZP9D2RSM 60 random bits (12 characters)
    F            check character

Many minted at once lie at random places of their millisecond, in order: numbered one after the
other, the gaps in those of a file would say how many records of it a reader was not given.

The alphabet of the body is Crockford's base 32: digits and letters without I, L, O and U. The check
is the pure system MOD 37-2 of ISO/IEC 7064 over prefix and body (values 0-9 A-Z = 0-35): with
``a_i`` the value at the i-th place from the right, the sum of ``a_i * 2**i`` is 1 modulo 37. As 37
is prime and 2 generates all its 36 residues, every single wrong character and every exchange of
two characters, neighbours or not, is found. Check values that have no character in the alphabet
are avoided when minting, by drawing the last random character again.
"""

from __future__ import annotations

import functools
import re
import secrets
import threading
import time
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecotone.model.errors import UsageError
from ecotone.model.words import say

Digits = NDArray[np.uint8]

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ALL: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TIME, _COUNT, _RANDOM = 10, 4, 12
_SHORT: Final = 8
_PER_MS: Final = 32**_COUNT
#: Identifiers that share a millisecond at most: there is room for 16 times as many.
_ROOMY: Final = _PER_MS // 16
_PREFIX: Final = re.compile(r"[A-Z0-9]{2,8}")
_FULL: Final = re.compile(rf"[A-Z0-9]{{2,8}}-[{_ALPHABET}]{{{_TIME + _COUNT + _RANDOM + 1}}}")
_LABEL: Final = re.compile(rf"[A-Z0-9]{{2,8}}-[{_ALPHABET}]{{{_SHORT + 1}}}")
#: Value in 0-35 of each place of the body's alphabet, and the other way (255: no character).
_VALUE: Final = np.array([_ALL.index(c) for c in _ALPHABET], dtype=np.uint8)
_PLACE: Final = np.full(37, 255, dtype=np.uint8)
_PLACE[_VALUE] = np.arange(32, dtype=np.uint8)
_LETTERS: Final = np.frombuffer(_ALPHABET.encode(), dtype=np.uint8)


def mint(prefix: str, now: datetime | None = None, count: int = 1) -> NDArray[np.object_]:
    """New identifiers of a party, in rising order, as an array of texts.

    Args:
        prefix: the party's, 2 to 8 capital letters and digits.
        now: moment to write into them; the clock's by default. A clock that steps back does not
            break the order within a process.
        count: how many.

    >>> one, two = mint("KNCM", count=2)
    >>> one < two, check(one), len(one)
    (True, True, 32)
    """
    if not _PREFIX.fullmatch(prefix):
        raise UsageError(say("identifier.prefix", prefix=prefix))
    if count < 0:
        raise UsageError(say("identifier.count", count=count))
    moment = time.time_ns() // 1_000_000 if now is None else round(now.timestamp() * 1000)
    body = np.empty((count, _TIME + _COUNT + _RANDOM + 1), dtype=np.uint8)
    ticks = _counter().take(moment, count)
    _write(body[:, :_TIME], ticks // _PER_MS)
    _write(body[:, _TIME : _TIME + _COUNT], ticks % _PER_MS)
    drawn = np.frombuffer(secrets.token_bytes(count * _RANDOM), dtype=np.uint8) & 31
    body[:, -_RANDOM - 1 : -1] = drawn.reshape(count, _RANDOM)
    _close(body, prefix)
    whole = np.empty((count, len(prefix) + 1 + body.shape[1]), dtype=np.uint8)
    whole[:, : len(prefix) + 1] = np.frombuffer(f"{prefix}-".encode(), dtype=np.uint8)
    whole[:, len(prefix) + 1 :] = _LETTERS[body]
    texts = whole.view(f"S{whole.shape[1]}").ravel().astype(f"U{whole.shape[1]}")
    return texts.astype(object)


def check(text: str) -> bool:
    """Whether a text is an identifier or a label of one, without a slip of the pen.

    >>> check("KNCM-01KATW3YBQ0007QXJ4ZP9D2RSM0")
    False
    """
    if not (_FULL.fullmatch(text) or _LABEL.fullmatch(text)):
        return False
    total = 0
    for character in text.replace("-", ""):
        total = (total * 2 + _ALL.index(character)) % 37
    return total == 1


def short(identifier: str) -> str:
    """The form for labels: prefix, the last eight random characters, a check character of its own.

    About 10**12 labels a party: among 10,000 printed offline two are the same once in 20,000 times.

    >>> label = short(mint("KNCM")[0])
    >>> check(label), len(label)
    (True, 14)
    """
    if not _FULL.fullmatch(identifier) or not check(identifier):
        raise UsageError(say("identifier.wrong", identifier=identifier))
    prefix, _, body = identifier.partition("-")
    kept = body[-_SHORT - 1 : -1]
    digits = np.array([[_ALPHABET.index(c) for c in kept]], dtype=np.uint8)
    return f"{prefix}-{kept}{_ALPHABET[_PLACE[_check_value(digits, prefix)[0]]]}"


def _write(columns: Digits, numbers: NDArray[np.int64]) -> None:
    """Numbers in base 32 across columns, the highest place first."""
    for place in range(columns.shape[1]):
        shift = 5 * (columns.shape[1] - 1 - place)
        columns[:, place] = (numbers >> shift) & 31


def _check_value(digits: Digits, prefix: str) -> NDArray[np.int64]:
    """The value (0-36) that closes prefix and digits under MOD 37-2."""
    total = np.zeros(len(digits), dtype=np.int64)
    for character in prefix:
        total = (total * 2 + _ALL.index(character)) % 37
    for place in range(digits.shape[1]):
        total = (total * 2 + _VALUE[digits[:, place]]) % 37
    return (1 - total * 2) % 37


def _close(body: Digits, prefix: str) -> None:
    """Write the check character; the last random one is drawn again until there is one.

    The label's own check (over the last eight) has to exist too.
    """
    rows = np.arange(len(body))
    while len(rows):
        here = body[rows]
        value = _check_value(here[:, :-1], prefix)
        label = _check_value(here[:, -_SHORT - 1 : -1], prefix)
        body[rows, -1] = _PLACE[value]
        rows = rows[(_PLACE[value] == 255) | (_PLACE[label] == 255)]
        drawn = np.frombuffer(secrets.token_bytes(len(rows)), dtype=np.uint8)
        body[rows, -2] = drawn & 31


class _Counter:
    """Gives each identifier of a process its own rising tick: millisecond, number within it."""

    def __init__(self) -> None:
        self._next = 0
        self._lock = threading.Lock()

    def take(self, moment_ms: int, count: int) -> NDArray[np.int64]:
        """``count`` ticks, not before ``moment_ms`` and after all taken earlier."""
        width = count if count < 2 else -(-count // _ROOMY) * _PER_MS
        with self._lock:
            first = max(self._next, moment_ms * _PER_MS)
            self._next = first + width
        if count == 1:
            return np.array([first], dtype=np.int64)
        # Distinct and rising: places drawn among those that are not followed by a neighbour.
        draw = np.random.default_rng(secrets.randbits(128))
        places = np.sort(draw.integers(0, width - count + 1, count, dtype=np.int64))
        found: NDArray[np.int64] = first + places + np.arange(count, dtype=np.int64)
        return found


@functools.cache
def _counter() -> _Counter:
    return _Counter()
