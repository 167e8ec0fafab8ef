"""What a record is recognised by when it is delivered again, and whether it says anything new.

Two numbers of 64 bits per record: the *natural key* (which record of its dataset is this?) and the
*content hash* (is it still the same?). Both depend on values alone: not on the order of columns or
rows, on the platform, on the process, nor on columns that hold nothing.

SipHash over UTF-8 with a fixed key for texts, splitmix64 (Steele et al. 2014,
doi:10.1145/2660193.2660195) over bit patterns for numbers and instants.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecotone.model.dictionary import attributes

Hashes = NDArray[np.uint64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Key:
    """One way to recognise a record: it counts where ``needs`` are all there and one of ``any_of``.

    ``also`` tells records apart that agree in the rest, where it is given.
    """

    needs: tuple[str, ...]
    any_of: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    @property
    def attributes(self) -> tuple[str, ...]:
        """All attributes that make the key."""
        return (*self.needs, *self.any_of, *self.also)


#: What tells observations of one thing at one time and place apart: a dissolved metal from a total.
_TOLD_APART: Final = (
    "time_end", "procedure", "basis", "taxon", "event", "media", "level", "depth_m", "fraction",
)  # fmt: skip
#: Ways to recognise a record of a noun, the first that applies counts. A wide table gives one
#: owner's number to several properties, so an observation's number holds with its property.
NATURAL_KEYS: Final[Mapping[str, tuple[Key, ...]]] = {
    "Observation": (
        Key(("observation_id",), also=("property",)),
        Key(
            ("property", "time_start"),
            any_of=("site", "sample", "individual", "deployment"),
            also=_TOLD_APART,
        ),
        Key(
            ("property", "time_start", "latitude", "longitude"),
            also=_TOLD_APART,
        ),
    ),
    "Occurrence": (
        Key(("occurrence_id",)),
        Key(("institution_code", "catalog_number"), also=("basis_of_record",)),
    ),
    "Event": (Key(("event_id",)),),
    "Taxon": (Key(("taxon_id",)),),
    "Deployment": (Key(("deployment_id",)),),
    "Media": (Key(("media_id",)),),
    "Individual": (Key(("individual_id",)),),
    "Site": (Key(("site_id",)),),
    "Sample": (Key(("sample_id",)),),
    "Device": (Key(("device_id",)),),
    "DeviceEvent": (Key(("device", "kind", "time_start"), also=("time_end",)),),
    "CustodyEvent": (Key(("sample", "kind", "time_start"), also=("time_end", "by")),),
    "AnalysisBatch": (Key(("analysis_id",)),),
    "QualityControl": (Key(("control_id",), also=("property",)),),
    "QualityFlag": (Key(("flag_id",)),),
    "AlarmRule": (Key(("rule_id",)),),
    "Coverage": (Key(("name",), also=("variable",)),),
}

_SIP_KEY: Final = "ecotone natural-"  # 16 bytes; a new one would make every record look new


def natural_keys(noun: str, frame: pd.DataFrame) -> tuple[Hashes, Bools] | None:
    """Hash of what identifies each record within its dataset, and which records have that.

    None for a noun whose records have no identity of their own (``Record``).
    """
    ways = NATURAL_KEYS.get(noun)
    if ways is None:
        return None
    types = {name: attribute.type for name, attribute in attributes(noun).items()}
    hashes = np.zeros(len(frame), dtype=np.uint64)
    found = np.zeros(len(frame), dtype=np.bool_)
    columns: dict[str, tuple[Hashes, Bools]] = {}

    def column(name: str) -> tuple[Hashes, Bools]:
        if name not in columns:
            columns[name] = _column(frame, name, types[name])
        return columns[name]

    for number, way in enumerate(ways):
        if not all(name in frame for name in way.needs) or found.all():
            continue
        there = np.ones(len(frame), dtype=np.bool_)
        for name in way.needs:
            there &= column(name)[1]
        if way.any_of:
            there &= np.any([column(name)[1] for name in way.any_of], axis=0)
        fresh = there & ~found
        if fresh.any():
            total = np.full(len(frame), _salt(f"{noun} {number}"), dtype=np.uint64)
            for name in way.attributes:
                total += column(name)[0]
            hashes[fresh] = _mixed(total)[fresh]
            found |= fresh
    return hashes, found


def content_hash(noun: str, frame: pd.DataFrame) -> Hashes:
    """Hash of everything the dictionary describes about each record."""
    total = np.zeros(len(frame), dtype=np.uint64)
    for name, attribute in attributes(noun).items():
        if name in frame:
            total += _column(frame, name, attribute.type)[0]
    return _mixed(total + _salt(noun))


def _column(frame: pd.DataFrame, name: str, kind: str) -> tuple[Hashes, Bools]:
    """Hash of each value with its attribute's name (0 where there is none), and where there is."""
    if name not in frame:
        nothing = np.zeros(len(frame), dtype=np.bool_)
        return np.zeros(len(frame), dtype=np.uint64), nothing
    bits, there = _bits(frame[name], kind)
    return np.where(there, _mixed(bits + _salt(name)), np.uint64(0)), there


def _bits(values: pd.Series, kind: str) -> tuple[Hashes, Bools]:
    """64 bits for each value, the same for the same value whatever its dtype."""
    there = values.notna().to_numpy(dtype=bool)
    if kind == "time":
        instants = pd.to_datetime(values, utc=True).dt.tz_localize(None)
        return instants.to_numpy().astype("datetime64[us]").view(np.uint64), there
    if kind in ("number", "integer", "boolean"):
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        # -0.0 + 0.0 is 0.0: the two are one number.
        return (numbers + 0.0).view(np.uint64), there
    if kind == "json":
        values = values.map(_json_text, na_action="ignore")
    codes, uniques = pd.factorize(values, use_na_sentinel=True)
    texts = np.asarray([str(text) for text in uniques], dtype=object)
    hashed = np.zeros(len(texts) + 1, dtype=np.uint64)
    hashed[:-1] = pd.util.hash_array(texts, hash_key=_SIP_KEY, categorize=False)
    return hashed[codes], there


def _json_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _salt(name: str) -> np.uint64:
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))


def _mixed(numbers: Hashes) -> Hashes:
    """The finaliser of splitmix64: every bit of the input moves half of the output's."""
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
