"""Sessions as the text files of secr and DENSITY, for whoever wants to check us there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ecotone.science.wildlife.survey import Session


def captures_text(session: Session, ids: Sequence[str]) -> str:
    """``session ID occasion detector``, a row for each detection.

    An animal that was removed has a minus before the occasion of its last detection.

    Args:
        session: the data.
        ids: (animals,) names; blanks in them become underscores.
    """
    c = session.captures
    last = np.full(c.animals, -1) if c.removed_after is None else c.removed_after
    occasion = np.where(c.occasion == last[c.animal], -(c.occasion + 1), c.occasion + 1)
    order = np.lexsort((c.detector, c.occasion, c.animal))
    rows = np.repeat(order, c.count[order])
    named = np.array([name.replace(" ", "_") for name in ids], dtype=object)[c.animal[rows]]
    lines = [
        f"{_word(session.name)} {who} {when} {where + 1}"
        for who, when, where in zip(named, occasion[rows], c.detector[rows], strict=True)
    ]
    return "\n".join(["# Session ID Occasion Detector", *lines]) + "\n"


def detectors_text(session: Session) -> str:
    """``detector x y``, effort of each occasion, and covariates behind a slash."""
    detectors = session.detectors
    covariates = {name: np.asarray(v) for name, v in detectors.covariates.items()}
    head = ["Detector", "X", "Y", *(f"usage{k + 1}" for k in range(detectors.occasions))]
    if covariates:
        head += ["/", *covariates]
    lines = ["# " + " ".join(head)]
    for k, (x, y) in enumerate(detectors.xy.tolist()):
        cells = [str(k + 1), repr(x), repr(y), *(f"{u:.17g}" for u in detectors.usage[k])]
        if covariates:
            cells += ["/", *(_word(str(v[k])) for v in covariates.values())]
        lines.append(" ".join(cells))
    return "\n".join(lines) + "\n"


def mask_text(session: Session) -> str:
    """``x y`` and covariates, with a header."""
    mask = session.mask
    covariates = {name: np.asarray(v).tolist() for name, v in mask.covariates.items()}
    lines = [" ".join(["x", "y", *map(_word, covariates)])]
    for row in zip(*mask.xy.T.tolist(), *covariates.values(), strict=True):
        lines.append(" ".join(_word(str(v)) for v in row))
    return "\n".join(lines) + "\n"


def _word(text: str) -> str:
    return text.strip().replace(" ", "_") or "NA"
