"""Stands in for model.identifiers and model.keys until they arrive; removed then."""

from __future__ import annotations

import secrets
import time
from typing import Any

import numpy as np
import pandas as pd

_KEYS = {
    "Observation": ("observation_id",), "Occurrence": ("occurrence_id",), "Event": ("event_id",),
    "Taxon": ("taxon_id",), "Deployment": ("deployment_id",), "Media": ("media_id",),
    "Individual": ("individual_id",), "Site": ("site_id",), "Sample": ("sample_id",),
    "Device": ("device_id",), "Coverage": ("name", "variable"),
}  # fmt: skip


def mint(prefix: str, now: object = None, count: int = 1) -> Any:
    """Some identifiers."""
    base = int(time.time() * 1e6)
    return np.array([f"{prefix}-{base:x}{secrets.token_hex(4)}{i:x}" for i in range(count)], object)


def natural_keys(noun: str, frame: pd.DataFrame) -> Any:
    """Keys by owner's identifier."""
    names = [n for n in _KEYS.get(noun, ()) if n in frame]
    if not names:
        return None
    keys = pd.util.hash_pandas_object(frame[names].astype(str), index=False).to_numpy("uint64")
    return keys, frame[names[0]].notna().to_numpy()


def content_hash(noun: str, frame: pd.DataFrame) -> Any:
    """Hash of all columns that hold something."""
    total = np.zeros(len(frame), dtype="uint64")
    for i, name in enumerate(sorted(frame.columns)):
        column = frame[name]
        h = pd.util.hash_pandas_object(column.astype(str), index=False).to_numpy("uint64")
        salt = pd.util.hash_array(np.array([name], dtype=object))[0]
        total += np.where(column.notna(), (h ^ salt) * np.uint64(0x9E3779B97F4A7C15), 0)
    return total
