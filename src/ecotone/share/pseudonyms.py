"""Identifiers of what leaves below level full: stable for one reader, and telling nothing.

Our own identifiers are minted row by row and ordered by time: beside rows in full they would say
between which two rows of a delivery a hidden one lay. So a record that leaves coarser bears another
name: two keyed hashes (SipHash, Aumasson and Bernstein 2012, doi 10.1007/978-3-642-34931-7_28) of
its identifier, under a key of the node that is derived anew for each reader and noun. The reader
sees the same name in every release and can follow a correction; two readers cannot join theirs.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import time
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import NDArray
from pandas.util import hash_array

from ecotone.model.errors import StoreError
from ecotone.model.words import say

_KEY_BYTES: Final = 32
_TRIES, _PAUSE_S = 40, 0.05
#: Windows would turn line ends otherwise; other systems have no such flag.
_BINARY: Final = getattr(os, "O_BINARY", 0)
_HALF: Final = 16  # characters of a SipHash key


def node_key(folder: Path) -> bytes:
    """The secret of a node from which readers' keys are derived; made when first asked for.

    Lost, every reader sees new identifiers from then on; told, its holder can find which
    released record a known one became. It lies beside the node's other keys.
    """
    path = folder / "keys" / "pseudonyms.key"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
    except FileExistsError:
        return _waited_for(path)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(secrets.token_bytes(_KEY_BYTES))
        stream.flush()
        os.fsync(stream.fileno())
    return path.read_bytes()


def _waited_for(path: Path) -> bytes:
    """The key, which another process may be writing at this moment.

    Raises StoreError for a key that a crash or a full disk has left unfinished.
    """
    for _ in range(_TRIES):
        key = path.read_bytes()
        if len(key) == _KEY_BYTES:
            return key
        time.sleep(_PAUSE_S)
    raise StoreError(say("share.pseudonyms-broken", path=path), say("share.pseudonyms-broken.do"))


class Pseudonyms:
    """Names of records for one reader."""

    def __init__(self, key: bytes, reader: str) -> None:
        self._key = key
        self._reader = reader

    def of(
        self, identifiers: pd.Series, noun: str
    ) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """Two numbers per record; the first orders rows, both together name them."""
        first, second = self._keys(noun)
        values = identifiers.to_numpy(dtype=object)
        return (
            hash_array(values, hash_key=first, categorize=False),
            hash_array(values, hash_key=second, categorize=False),
        )

    def _keys(self, noun: str) -> tuple[str, str]:
        said = f"{self._reader}\0{noun}".encode()
        derived = base64.b64encode(hmac.digest(self._key, said, hashlib.sha256)).decode()
        return derived[:_HALF], derived[_HALF : 2 * _HALF]


def spelled(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> pd.Series:
    """The names as text: ``~`` and 32 hexadecimal digits; no identifier of ours looks so."""
    numbers = np.column_stack([first, second]).astype(">u8")
    digits = np.frombuffer(numbers.tobytes().hex().encode("ascii"), dtype=np.uint8)
    text = np.empty((len(numbers), 33), dtype=np.uint8)
    text[:, 0] = ord("~")
    text[:, 1:] = digits.reshape(len(numbers), 32)
    ends = np.arange(len(numbers) + 1, dtype=np.int64) * text.shape[1]
    array = pa.LargeStringArray.from_buffers(len(numbers), pa.py_buffer(ends), pa.py_buffer(text))
    return pd.Series(pd.array(array, dtype="str"))
