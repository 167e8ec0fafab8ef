"""Compiled heart of spatial capture-recapture: one session's log-likelihood and its gradient.

A *slot* is a detector under one set of detection parameters (a behaviour state, a group of
occasions): its hazard per unit of effort at a cell is ``h = lambda0 s`` (hazard forms) or
``-log(1 - g0 s)`` (probability forms), ``s`` being the shape, 1 at distance nought. A history
then costs as many operations per cell as it has detections, not as there are detectors:
everything not detected goes into one sum of hazards per *exposure*, which most animals share.
All of it stands in one file so that a change in any part renews the compiled whole.

Derivatives are taken by the logarithm of h, backwards through the sums: no derivative is of
the form 0/0 where a hazard underflows far from a detector.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecotone.science.compiled import compiled

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

#: Shapes of detection, and whether g (a probability) or h (a hazard) has the shape.
HALF_NORMAL: Final = 0
EXPONENTIAL: Final = 1
HAZARD_RATE: Final = 2
#: Terms of a detection: log h, or log(exp(effort h) - 1).
LOG_HAZARD: Final = 0
LOG_ODDS: Final = 1
#: How the number of animals is distributed.
POISSON: Final = 0
CONDITIONAL: Final = 1
BINOMIAL: Final = 2
#: -log of a shape so small that it adds nothing to 16 digits of any sum of hazards.
_NEVER: Final = 40.0
#: A cell this far below the likeliest (in log-likelihood) adds nothing to 16 digits.
_NOTHING: Final = 42.0


@compiled
def shapes(
    xy: Floats, cells: Floats, form: int, sigma: Floats, z: Floats, s: Floats, u: Floats
) -> None:
    """Shape ``s`` and ``-log s`` (``u``) of each slot at each cell, both (slots, cells)."""
    for q in range(xy.shape[0]):
        x, y = xy[q, 0], xy[q, 1]
        scale = 1.0 / sigma[q]
        for m in range(cells.shape[0]):
            dx = (cells[m, 0] - x) * scale
            dy = (cells[m, 1] - y) * scale
            d2 = dx * dx + dy * dy
            if form == HALF_NORMAL:
                u[q, m] = 0.5 * d2
                s[q, m] = math.exp(-0.5 * d2) if d2 < 2.0 * _NEVER else 0.0
            elif form == EXPONENTIAL:
                d = math.sqrt(d2)
                u[q, m] = d
                s[q, m] = math.exp(-d) if d < _NEVER else 0.0
            elif d2 == 0.0:
                u[q, m] = 0.0
                s[q, m] = 1.0
            else:
                log_t = -0.5 * z[q] * math.log(d2)
                if log_t > 4.0:
                    u[q, m] = 0.0
                    s[q, m] = 1.0
                else:
                    t = math.exp(log_t)
                    s[q, m] = -math.expm1(-t)
                    u[q, m] = -math.log(s[q, m]) if log_t > -30.0 else -log_t


@compiled
def hazards(s: Floats, hazard_form: bool, top: Floats, h: Floats) -> None:
    """Hazard per unit of effort from the shape and g0 or lambda0 of each slot.

    ``h`` may be ``s`` itself.
    """
    for q in range(s.shape[0]):
        for m in range(s.shape[1]):
            if hazard_form:
                h[q, m] = top[q] * s[q, m]
            else:
                g = top[q] * s[q, m]
                h[q, m] = g * (1.0 + 0.5 * g) if g < 1e-8 else -math.log1p(-g)


@compiled
def detection_terms(
    h: Floats,
    u: Floats,
    hazard_form: bool,
    top: Floats,
    term_slot: Counts,
    term_effort: Floats,
    kind: int,
    value: Floats,
) -> None:
    """Each term at each cell, right also where h underflows."""
    for t in range(term_slot.shape[0]):
        q = term_slot[t]
        effort = term_effort[t]
        log_top = math.log(top[q])
        log_effort = math.log(effort)
        for m in range(h.shape[1]):
            x = h[q, m]
            # log h = log g + log(h / g); h / g is 1 + h / 2 to 16 digits for small h.
            lh = log_top - u[q, m]
            if x == 0.0:
                value[t, m] = lh if kind == LOG_HAZARD else lh + log_effort
                continue
            if not hazard_form:
                lh += 0.5 * x if x < 1e-8 else math.log(x / -math.expm1(-x))
            if kind == LOG_HAZARD:
                value[t, m] = lh
                continue
            x *= effort
            if x < 1e-8:
                value[t, m] = lh + log_effort + 0.5 * x
            else:
                value[t, m] = math.log(math.expm1(x)) if x < 40.0 else x


@compiled
def add_term_slopes(
    h: Floats, slot: int, effort: float, kind: int, weight: Floats, out: Floats
) -> None:
    """Add the weights of a term by cell, times its derivative by log h, to those of its slot."""
    for m in range(h.shape[1]):
        w = weight[m]
        if w != 0.0 and kind == LOG_ODDS:
            x = effort * h[slot, m]
            w *= x / -math.expm1(-x) if x > 1e-8 else 1.0 + 0.5 * x
        out[slot, m] += w


@compiled
def sparse_sums(
    base: Floats, pointer: Counts, slot: Counts, effort: Floats, h: Floats, total: Floats
) -> None:
    """``base + sum effort h`` of each row of a sparse table, (rows, cells)."""
    for r in range(pointer.shape[0] - 1):
        total[r] = base
        for k in range(pointer[r], pointer[r + 1]):
            q = slot[k]
            e = effort[k]
            for m in range(h.shape[1]):
                total[r, m] += e * h[q, m]


@compiled
def competing(total: Floats, value: Floats, slope: Floats) -> None:
    """log((exp(H) - 1)/H) of the hazard H of an occasion, and its derivative by H."""
    for r in range(total.shape[0]):
        for m in range(total.shape[1]):
            x = total[r, m]
            if x < 1e-5:
                value[r, m] = 0.5 * x + x * x / 24.0
                slope[r, m] = 0.5 + x / 12.0
            elif x > 40.0:
                value[r, m] = x - math.log(x)
                slope[r, m] = 1.0 - 1.0 / x
            else:
                value[r, m] = math.log(math.expm1(x) / x)
                slope[r, m] = -1.0 / math.expm1(-x) - 1.0 / x


@compiled
def log_history(
    i: int,
    exposed: Floats,
    exposure: Counts,
    pointer: Counts,
    term: Counts,
    count: Floats,
    term_value: Floats,
    rival_pointer: Counts,
    rival: Counts,
    rival_value: Floats,
    out: Floats,
) -> None:
    """Log Pr(history of animal i | centre in cell m) without constants, for all cells."""
    e = exposure[i]
    for m in range(out.shape[0]):
        out[m] = -exposed[e, m]
    for k in range(pointer[i], pointer[i + 1]):
        t = term[k]
        c = count[k]
        for m in range(out.shape[0]):
            out[m] += c * term_value[t, m]
    for k in range(rival_pointer[i], rival_pointer[i + 1]):
        v = rival[k]
        for m in range(out.shape[0]):
            out[m] += rival_value[v, m]


@compiled
def add_parameter_slopes(
    a: Floats,
    h: Floats,
    u: Floats,
    form: int,
    hazard_form: bool,
    sigma: Floats,
    z: Floats,
    xy: Floats,
    cells: Floats,
    out: Floats,
) -> None:
    """Sum over cells of ``a`` (d logL / d log h) by log of lambda0 or g0, log sigma, log z."""
    for q in range(h.shape[0]):
        by_top = 0.0
        by_sigma = 0.0
        by_z = 0.0
        for m in range(h.shape[1]):
            w = a[q, m]
            if w == 0.0:
                continue
            if not hazard_form and h[q, m] > 1e-9:
                w *= math.expm1(h[q, m]) / h[q, m]
            by_top += w
            if form == HALF_NORMAL:
                by_sigma += w * 2.0 * u[q, m]
            elif form == EXPONENTIAL:
                by_sigma += w * u[q, m]
            else:
                dx = (cells[m, 0] - xy[q, 0]) / sigma[q]
                dy = (cells[m, 1] - xy[q, 1]) / sigma[q]
                d2 = dx * dx + dy * dy
                if d2 > 0.0:
                    log_d = 0.5 * math.log(d2)
                    log_t = -z[q] * log_d
                    if log_t < 4.0:
                        t = math.exp(log_t)
                        by_t = t / math.expm1(t) if log_t > -30.0 else 1.0
                        by_sigma += w * by_t * z[q]
                        by_z -= w * by_t * z[q] * log_d
        out[q, 0] = by_top
        out[q, 1] = by_sigma
        out[q, 2] = by_z


@compiled
def scale_of(animals: int, seen: float, expected: float, number: int) -> float:
    """Minus the derivative of the log-likelihood of n by Lambda, the animals' terms set apart."""
    if number == POISSON:
        return 1.0
    if number == CONDITIONAL:
        return animals / seen
    return (expected - animals) / (expected - seen)


@compiled
def detectable(exposed: Floats, share: Floats, weight: Floats, p: Floats) -> float:
    """Chance ``p`` of being detected at all by cell (over classes); returns Lambda."""
    classes, _, cells = exposed.shape
    total = 0.0
    for m in range(cells):
        p[m] = 0.0
        for c in range(classes):
            p[m] -= share[c] * math.expm1(-exposed[c, 0, m])
        total += weight[m] * p[m]
    return total


@compiled
def session(
    xy: Floats,
    cells: Floats,
    log_weight: Floats,
    form: int,
    hazard_form: bool,
    kind: int,
    number: int,
    top: Floats,
    sigma: Floats,
    z: Floats,
    share: Floats,
    base: Floats,
    more_pointer: Counts,
    more_slot: Counts,
    more_effort: Floats,
    exposure: Counts,
    known_class: Counts,
    pointer: Counts,
    term: Counts,
    count: Floats,
    term_slot: Counts,
    term_effort: Floats,
    rival_pointer: Counts,
    rival: Counts,
    rival_row_pointer: Counts,
    rival_row_slot: Counts,
    rival_row_effort: Floats,
    gradient: bool,
    by_parameter: Floats,
    by_density: Floats,
    by_share: Floats,
    per_animal: Floats,
    p_detected: Floats,
    posterior: Floats,
) -> float:
    """Sum over animals of log(sum over cells of a D Pr(history)); fills in the derivatives.

    Args:
        xy: (slots, 2) places of the slots' detectors.
        cells: (cells, 2) centres.
        log_weight: (cells,) log of cell area times density: expected animals in the cell.
        form: HALF_NORMAL, EXPONENTIAL or HAZARD_RATE.
        hazard_form: whether the hazard (else the probability) has the shape.
        kind: LOG_HAZARD or LOG_ODDS.
        number: POISSON, CONDITIONAL or BINOMIAL.
        top: (classes, slots) lambda0 or g0.
        sigma: (classes, slots) metres.
        z: (classes, slots) exponent of the hazard-rate shape.
        share: (classes,) proportions of the classes.
        base: (slots,) effort of an animal never detected.
        more_pointer: rows of the exposures: what is added to ``base``, sparse; row 0 is empty.
        more_slot: slots of those entries.
        more_effort: effort added (or taken away).
        exposure: (animals,) row of each.
        known_class: (animals,) class, or -1 where unknown.
        pointer: detections of each animal in ``term`` and ``count``.
        term: term of each detection.
        count: times it happened.
        term_slot: (terms,) slot.
        term_effort: (terms,) effort.
        rival_pointer: occasions of detection of each animal in ``rival`` (multi only).
        rival: row of the occasion's hazards.
        rival_row_pointer: rows of occasions' hazards, sparse.
        rival_row_slot: slots of those entries.
        rival_row_effort: effort.
        gradient: whether to fill in the derivatives.
        by_parameter: (classes, slots, 3) out: by log top, log sigma, log z.
        by_density: (cells,) out: by log density.
        by_share: (classes,) out: by proportion, as if each were free.
        per_animal: (animals,) out: the log of each animal's sum.
        p_detected: (cells,) out: chance of being detected at all.
        posterior: (classes, animals) out: chance of each class.

    Returns:
        Lambda, the expected number of animals detected.
    """
    classes, slots = top.shape
    count_cells = cells.shape[0]
    animals = exposure.shape[0]
    rows = more_pointer.shape[0] - 1
    terms = term_slot.shape[0]
    rivals = rival_row_pointer.shape[0] - 1
    u = np.empty((classes, slots, count_cells))
    h = np.empty((classes, slots, count_cells))
    exposed = np.empty((classes, rows, count_cells))
    term_value = np.empty((classes, terms, count_cells))
    rival_value = np.empty((classes, rivals, count_cells))
    rival_slope = np.empty((classes, rivals, count_cells))
    nought = np.zeros(count_cells)
    never = np.empty(count_cells)
    for c in range(classes):
        shapes(xy, cells, form, sigma[c], z[c], h[c], u[c])
        hazards(h[c], hazard_form, top[c], h[c])
        never[:] = 0.0
        for q in range(slots):
            if base[q] != 0.0:
                never += base[q] * h[c, q]
        sparse_sums(never, more_pointer, more_slot, more_effort, h[c], exposed[c])
        detection_terms(
            h[c], u[c], hazard_form, top[c], term_slot, term_effort, kind, term_value[c]
        )
        sparse_sums(
            nought, rival_row_pointer, rival_row_slot, rival_row_effort, h[c], rival_value[c]
        )
        rival_total = rival_value[c].copy()
        competing(rival_total, rival_value[c], rival_slope[c])
    weight = np.exp(log_weight)
    seen = detectable(exposed, share, weight, p_detected)

    by_exposed = np.zeros((classes, rows, count_cells))
    by_term = np.zeros((classes, terms, count_cells))
    by_rival = np.zeros((classes, rivals, count_cells))
    by_density[:] = 0.0
    by_share[:] = 0.0
    log_p = np.empty((classes, count_cells))
    w = np.empty(count_cells)
    for i in range(animals):
        best = -np.inf
        for c in range(classes):
            if known_class[i] >= 0 and known_class[i] != c:
                continue
            log_history(
                i, exposed[c], exposure, pointer, term, count, term_value[c],
                rival_pointer, rival, rival_value[c], log_p[c],
            )  # fmt: skip
            shift = math.log(share[c]) if share[c] > 0.0 else -np.inf
            for m in range(count_cells):
                log_p[c, m] += log_weight[m] + shift
                if log_p[c, m] > best:
                    best = log_p[c, m]
        if not best > -np.inf:
            per_animal[i] = -np.inf
            continue
        total = 0.0
        for c in range(classes):
            posterior[c, i] = 0.0
            if known_class[i] >= 0 and known_class[i] != c:
                continue
            part = 0.0
            for m in range(count_cells):
                x = log_p[c, m] - best
                log_p[c, m] = math.exp(x) if x > -_NOTHING else 0.0
                part += log_p[c, m]
            posterior[c, i] = part
            total += part
        per_animal[i] = best + math.log(total)
        for c in range(classes):
            posterior[c, i] /= total
            if not gradient or posterior[c, i] == 0.0:
                continue
            for m in range(count_cells):
                w[m] = log_p[c, m] / total
            by_density += w
            by_share[c] += posterior[c, i] / share[c]
            by_exposed[c, exposure[i]] += w
            for k in range(pointer[i], pointer[i + 1]):
                n = count[k]
                t = term[k]
                for m in range(count_cells):
                    by_term[c, t, m] += n * w[m]
            for k in range(rival_pointer[i], rival_pointer[i + 1]):
                by_rival[c, rival[k]] += w
    if not gradient:
        return seen

    scale = scale_of(animals, seen, weight.sum(), number)
    a = np.empty((slots, count_cells))
    for m in range(count_cells):
        by_density[m] -= scale * weight[m] * p_detected[m]
    for c in range(classes):
        # Every history has the base effort in it; so has the chance of not being detected.
        never[:] = 0.0
        for r in range(rows):
            never += by_exposed[c, r]
        for m in range(count_cells):
            missed = weight[m] * math.exp(-exposed[c, 0, m])
            by_share[c] += scale * (missed - weight[m])
            never[m] += scale * share[c] * missed
        for q in range(slots):
            a[q] = -base[q] * never
        for r in range(rows):
            for k in range(more_pointer[r], more_pointer[r + 1]):
                a[more_slot[k]] -= more_effort[k] * by_exposed[c, r]
        for v in range(rivals):
            for m in range(count_cells):
                by_rival[c, v, m] *= rival_slope[c, v, m]
            for k in range(rival_row_pointer[v], rival_row_pointer[v + 1]):
                a[rival_row_slot[k]] += rival_row_effort[k] * by_rival[c, v]
        a *= h[c]
        for t in range(terms):
            add_term_slopes(h[c], term_slot[t], term_effort[t], kind, by_term[c, t], a)
        add_parameter_slopes(
            a, h[c], u[c], form, hazard_form, sigma[c], z[c], xy, cells, by_parameter[c]
        )
    return seen
