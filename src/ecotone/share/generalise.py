"""What levels full and generalised do to the columns of records, all channels together.

The data dictionary says which column is what. Below level full nothing leaves that tells more of
the place or the hour than the cell and the month: not the exact coordinates, nor what stands
beside them (names of places, heights, the datum's operation, the country that cuts the cell), nor
what joins to an exact record elsewhere (identifiers, file names and hashes, sizes), nor free text.

``slim`` picks what may leave from a block of rows; ``said`` is what every row of a class says.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import NDArray

from ecotone.model.agreement import Class
from ecotone.model.dictionary import attributes
from ecotone.model.words import Language, say
from ecotone.share.anchors import numbers
from ecotone.share.grid import FINEST, cell_centres, cell_floor
from ecotone.store.columns import empty

Floats = NDArray[np.float64]

#: Version columns that may leave; all others say where in a delivery a row stood.
KEPT_HEADER: Final = ("id", "version", "dataset_id")

#: Said instead of being blanked (Chapman 2020: never leave null).
GENERALISED: Final = "data_generalizations"
WITHHELD: Final = "information_withheld"

#: Columns that are never the same thing alone: who withholds one withholds its whole family.
_FAMILIES: Final = {
    "latitude": ("place", "place-text"),
    "longitude": ("place", "place-text"),
    "geometry_wkt": ("place", "place-text"),
    "time_start": ("time",),
    "time_end": ("time",),
}
#: What the doors of the dictionary hold back, in the order it is told.
_DOORS: Final = ("place", "place-text", "time", "person")
_BOUNDS: Final = ("west", "south", "east", "north")
_LOOKED_AT: Final = {
    *("latitude", "longitude", "coordinate_uncertainty_m", *_BOUNDS),
    *("time_start", "time_end", "time_precision"),
}
#: Rows of a constant column that are written out; all others are these again.
_PIECE: Final = 8192


def full(frame: pd.DataFrame, noun: str, rule: Class) -> pd.DataFrame:
    """The columns that leave in full: everything, less the fields withheld by name."""
    known = [name for name in attributes(noun) if name in frame]
    withheld = withheld_by_name(noun, rule)
    kept = [c for c in (*KEPT_HEADER, *known) if c in frame and c not in withheld]
    # A withheld field may also stand in the columns nobody has described.
    kept += [] if withheld or "extra" not in frame else ["extra"]
    return frame[kept]


def said_full(noun: str, rule: Class) -> dict[str, str | None]:
    """What every row in full says: the fields withheld by name."""
    return {WITHHELD: ", ".join(withheld_by_name(noun, rule)) or None}


def withheld_by_name(noun: str, rule: Class) -> tuple[str, ...]:
    """The fields a class withholds by name, with all those that tell the same."""
    known = attributes(noun)
    doors = {door for field in rule.withheld_fields for door in _FAMILIES.get(field, ())}
    family = [name for name, attribute in known.items() if attribute.door in doors]
    return tuple(dict.fromkeys([*family, *rule.withheld_fields]))


def slim(
    frame: pd.DataFrame, noun: str, rule: Class, latitude: Floats, longitude: Floats
) -> pd.DataFrame:
    """The columns of records that leave generalised, places on the grid and times by the month.

    ``latitude`` and ``longitude`` are those the rows are told by: their camera's or site's where
    they have one. Rows without a place keep none; they are not dropped, for their absence would
    tell.
    """
    kept = [name for name in open_columns(noun, rule) if name in frame]
    made: dict[str, Any] = {}
    known = attributes(noun)
    if "latitude" in known:
        cells = cell_centres(latitude, longitude, rule.cell_degrees or 1.0)
        own = numbers(frame, "coordinate_uncertainty_m")
        made["latitude"] = cells.latitude
        made["longitude"] = cells.longitude
        made["coordinate_uncertainty_m"] = cells.radius_m + rounded_up(own)
    if "west" in known:
        made.update(_bounds(frame, rule.cell_degrees or 1.0))
    if "time_start" in known:
        made.update(_months(frame))
    gone = withheld_by_name(noun, rule)
    return frame[kept].assign(**{name: v for name, v in made.items() if name not in gone})


def said(
    noun: str, rule: Class, lang: Language, *, presence: bool = False
) -> dict[str, str | None]:
    """What every generalised row of a class says: what is held back, and how coarse it is.

    ``presence``: the rows are cells and months of tracks, not records.
    """
    found: dict[str, str | None] = {}
    if "locality" in attributes(noun):
        found["locality"] = str(say("share.withheld-text", lang))
    cell = f"{rule.cell_degrees or 1.0:g}"
    wording = "share.presence-text" if presence else "share.generalised-text"
    told = say(wording, lang, cell=cell, animals=rule.minimum_animals, fixes=rule.minimum_fixes)
    return {**found, GENERALISED: str(told), WITHHELD: held_back(noun, rule, lang)}


def needed(noun: str) -> set[str]:
    """The columns of a noun that ``slim`` looks at, or that leave as they are."""
    known = attributes(noun)
    return {name for name, a in known.items() if a.door in ("open", "value") or name in _LOOKED_AT}


def open_columns(noun: str, rule: Class) -> tuple[str, ...]:
    """The columns of a noun that leave as they are at level generalised."""
    gone = {*withheld_by_name(noun, rule), "time_precision"}
    return tuple(
        name
        for name, attribute in attributes(noun).items()
        if attribute.door in ("open", "value") and name not in gone
    )


def held_back(noun: str, rule: Class, lang: Language) -> str:
    """What is said not to leave at level generalised: the same for every row of a noun."""
    kinds = {attribute.door for attribute in attributes(noun).values()}
    told = [say("share.withheld-kind.link", lang)]
    told += [say(f"share.withheld-kind.{d}", lang) for d in _DOORS if d in kinds]
    return "; ".join([*told, *rule.withheld_fields])


def rounded_up(metres: Floats) -> Floats:
    """A record's own uncertainty to 1, 2 or 5 times a power of ten, at least 1 km; none is 0.

    Its exact figure could single the record out.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        power = 10.0 ** np.floor(np.log10(np.maximum(metres, 1000.0)) + 1e-9)
        lead = metres / power
    steps = np.select([lead <= 1, lead <= 2, lead <= 5], [1.0, 2.0, 5.0], 10.0)
    return np.where(np.isnan(metres), 0.0, steps * power)


def month_start(stamps: pd.Series) -> NDArray[np.datetime64]:
    """The first instant of the month, UTC; NaT stays."""
    naive = pd.to_datetime(stamps, utc=True).dt.tz_localize(None).to_numpy()
    found: NDArray[np.datetime64] = naive.astype("datetime64[M]").astype("datetime64[us]")
    return found


def constant(text: str | None, index: pd.Index) -> pd.Series:
    """A text column that says the same in every row; its memory does not grow with the rows."""
    piece = pa.repeat(pa.scalar(text, type=pa.large_string()), min(_PIECE, len(index)))
    whole, rest = divmod(len(index), _PIECE)
    pieces = [piece] * whole + ([piece.slice(0, rest)] if rest else [])
    array = pa.chunked_array(pieces, type=pa.large_string())
    return pd.Series(pd.array(array, dtype="str"), index=index)


def kinds_of(noun: str) -> dict[str, str]:
    """The dictionary type of each column a release can have."""
    own = {name: "text" if a.choices else a.type for name, a in attributes(noun).items()}
    header = {"id": "id", "version": "integer", "dataset_id": "id", "extra": "json"}
    return {**header, GENERALISED: "text", WITHHELD: "text", **own}


def nothing(kind: str, index: pd.Index) -> pd.Series:
    """A column of a kind that nobody filled."""
    match kind:
        case "number":
            return pd.Series(np.nan, index=index)
        case "integer" | "boolean" | "time":
            return empty(kind, len(index)).set_axis(index)
    return constant(None, index)


def _bounds(frame: pd.DataFrame, cell: float) -> dict[str, Floats]:
    """An extent opened outward to whole cells."""
    step = round(cell * FINEST)
    out: dict[str, Floats] = {}
    for name in _BOUNDS:
        edge = numbers(frame, name)
        low = cell_floor(edge, step) / FINEST
        if name in ("east", "north"):
            low = -cell_floor(-edge, step) / FINEST
        out[name] = np.round(low, 4) + 0.0
    return out


def _months(frame: pd.DataFrame) -> dict[str, Any]:
    """Times cut to the month; a time known only to the year stays one."""
    out: dict[str, Any] = {}
    for name in ("time_start", "time_end"):
        if name in frame:
            stamps = pd.DatetimeIndex(month_start(frame[name])).tz_localize("UTC")
            out[name] = pd.Series(stamps, index=frame.index).dt.as_unit("us")
    if "time_start" not in out:
        return out
    yearly = np.zeros(len(frame), dtype=np.bool_)
    if "time_precision" in frame:
        yearly = (frame["time_precision"] == "year").fillna(False).to_numpy(dtype=bool)
    months = out["time_start"].dt.tz_localize(None).to_numpy()
    codes, found = pd.factorize(months)
    texts = pd.array([str(month)[:7] for month in found], dtype="str")
    dated = pd.Series(texts.take(codes, allow_fill=True), index=frame.index)
    out["time_text"] = dated.where(~yearly, dated.str[:4]) if yearly.any() else dated
    words = pd.array(["month", "year"], dtype="str")
    out["time_precision"] = pd.Series(words.take(yearly.astype(np.int64)), index=frame.index).where(
        dated.notna(), None
    )
    return out
