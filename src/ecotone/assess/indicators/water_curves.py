"""The rating curves of the NSF index, as one digitisation has them."""

from __future__ import annotations

import csv
import functools
from importlib import resources


@functools.cache
def nsf_curves() -> dict[str, tuple[list[float], list[float]]]:
    """``{variable: (values ascending, ratings)}``."""
    text = resources.files("ecotone.assess").joinpath("standards/curves.csv").read_text("utf-8")
    curves: dict[str, tuple[list[float], list[float]]] = {}
    for line in csv.DictReader(text.splitlines()):
        x, q = curves.setdefault(line["property"], ([], []))
        x.append(float(line["x"]))
        q.append(float(line["q"]))
    return curves
