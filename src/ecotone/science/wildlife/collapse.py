"""Occasions of a survey taken together: the same estimates for a fraction of the work.

Where nothing in the model varies with the occasion, the sum over occasions is all that counts.
The log-likelihood then differs by combinatorial constants: a collapsed fit and an uncollapsed one
do not belong into one table of AIC.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from ecotone.science.wildlife.survey import Captures, Detectors, Session


def collapsed(session: Session) -> Session:
    """The session with all its occasions as one.

    Poisson counts are added, and so is effort. Detections of proximity detectors become counts
    of as many trials as there were occasions, binomial counts of as many times more.

    Args:
        session: of kind ``proximity`` or ``count``, without removals.

    Returns:
        A session of kind ``count`` with one occasion.

    Raises:
        ValueError: multi-catch detectors, an animal removed, or trials under unequal effort.

    >>> import numpy as np
    >>> from ecotone.science.wildlife import Captures, Detectors, Mask, Session
    >>> grid = np.array([[0.0, 0.0], [100.0, 0.0]])
    >>> seen = Captures(1, *(np.array(c) for c in ([0, 0, 0], [0, 1, 1], [0, 0, 1], [1, 1, 1])))
    >>> whole = Session("proximity", Detectors(grid, np.ones((2, 2))), Mask(grid, 1.0), seen)
    >>> once = collapsed(whole)
    >>> once.kind, once.size, once.captures.count.tolist()
    ('count', 2, [2, 1])
    """
    c, usage = session.captures, session.detectors.usage
    if session.kind == "multi":
        raise ValueError("collapse: an animal is at one multi-catch detector an occasion")
    if c.removed_after is not None and (c.removed_after >= 0).any():
        raise ValueError("collapse: an animal was removed after an occasion")
    poisson = session.kind == "count" and session.size == 0
    if poisson:
        effort = usage.sum(axis=1, keepdims=True)
        size = 0
    else:
        if (usage != usage[:, :1]).any():
            raise ValueError("collapse: effort differs between the occasions of a detector")
        effort = usage[:, :1]
        size = (session.size or 1) * usage.shape[1]
    detectors = len(usage)
    pair, place = np.unique(c.animal * detectors + c.detector, return_inverse=True)
    counts = np.bincount(place, c.count, len(pair)).astype(np.int64)
    captures = Captures(
        c.animals,
        pair // detectors,
        np.zeros(len(pair), dtype=np.int64),
        pair % detectors,
        counts,
    )
    return dataclasses.replace(
        session,
        kind="count",
        size=size,
        detectors=Detectors(session.detectors.xy, effort, session.detectors.covariates),
        captures=captures,
        occasion_covariates={},
    )
