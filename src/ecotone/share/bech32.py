"""Bech32 (BIP 173): keys as text with a checksum, for people who copy them by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

_ALPHABET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def encode(prefix: str, raw: bytes) -> str:
    """``prefix1...`` in lower case."""
    data = list(_regroup(raw, 8, 5))
    check = _polymod([*_expanded(prefix), *data, 0, 0, 0, 0, 0, 0]) ^ 1
    data += [(check >> 5 * (5 - at)) & 31 for at in range(6)]
    return f"{prefix}1" + "".join(_ALPHABET[value] for value in data)


def decode(prefix: str, text: str) -> bytes:
    """The bytes; ValueError where prefix, letters or checksum are wrong."""
    if text not in (text.lower(), text.upper()):
        raise ValueError("upper and lower case mixed")
    found, _, letters = text.lower().rpartition("1")
    if found != prefix or len(letters) < 6:
        raise ValueError(f"this does not begin with {prefix}1")
    data = [_ALPHABET.index(letter) for letter in letters]
    if _polymod([*_expanded(prefix), *data]) != 1:
        raise ValueError("the checksum is wrong")
    return bytes(_regroup(data[:-6], 5, 8))


def _polymod(values: Iterable[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for at, generator in enumerate(_GENERATORS):
            check ^= generator if (top >> at) & 1 else 0
    return check


def _expanded(prefix: str) -> list[int]:
    return [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]


def _regroup(values: Iterable[int], size: int, into: int) -> Iterator[int]:
    """Numbers of ``size`` bits as numbers of ``into`` bits; filled up only on the way out."""
    held = bits = 0
    for value in values:
        held = held << size | value
        bits += size
        while bits >= into:
            bits -= into
            yield held >> bits & (1 << into) - 1
        held &= (1 << bits) - 1
    if into < size:
        if bits:
            yield held << into - bits & (1 << into) - 1
    elif bits >= size or held:
        raise ValueError("bits left over")
