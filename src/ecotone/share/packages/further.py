"""The released rows in the receiver's own forms: a Darwin Core archive, a Camtrap DP package.

They hold what the Parquet files hold, under the standards' names. Where the door withheld what a
standard wants, the export ends with a sentence that says so: nothing is made up.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from ecotone.formats.camtrapdp_dwc import occurrences
from ecotone.formats.camtrapdp_records import as_fields
from ecotone.formats.camtrapdp_write import write_camtrapdp
from ecotone.formats.dwc_records import as_terms
from ecotone.formats.dwca_write import write_dwca
from ecotone.model.errors import UsageError
from ecotone.model.words import say
from ecotone.share.packages.rows import MARKS
from ecotone.store.columns import frame_of

if TYPE_CHECKING:
    from ecotone.share.packages.files import Folder
    from ecotone.share.packages.manifest import Card
    from ecotone.share.packages.rows import Rows

#: The forms, and the file each is written to.
FORMS: Final = {"dwca": "darwin-core.zip", "camtrapdp": "camtrap-dp.zip"}
_CAMERA: Final = {"deployments": "Deployment", "media": "Media", "observations": "Observation"}


def check(also: tuple[str, ...]) -> None:
    """UsageError for a form that is none."""
    for form in also:
        if form not in FORMS:
            raise UsageError(say("packages.also-unknown", given=form, known=", ".join(FORMS)))


def write(
    folder: Folder,
    also: tuple[str, ...],
    rows: dict[str, Rows],
    cards: tuple[Card, ...],
    sender: str,
    at: datetime,
) -> None:
    """Write the forms asked for, where there is anything for them."""
    if "dwca" in also:
        _darwin_core(folder, rows, cards, sender, at)
    if "camtrapdp" in also:
        _camera_traps(folder, rows, cards, sender, at)


def _darwin_core(
    folder: Folder, rows: dict[str, Rows], cards: tuple[Card, ...], sender: str, at: datetime
) -> None:
    core = next((noun for noun in ("Occurrence", "Event", "Taxon") if noun in rows), None)
    if core is None and "Deployment" in rows and "Observation" in rows:
        table = _of_cameras(rows)
        core = "Occurrence"
    elif core is not None:
        table = as_terms(core, _frame(rows[core]))
    else:
        return
    if core == "Occurrence" and table.empty:
        return
    metadata = {
        "title": "; ".join(card.title for card in cards),
        "creator": sender,
        "published": at.date().isoformat(),
        "licence": "; ".join(sorted({card.licence for card in cards})),
        "language": "en",
    }
    name = FORMS["dwca"]
    write_dwca(folder.place(name), {core: table}, metadata, core=core)
    folder.add(name)


def _of_cameras(rows: dict[str, Rows]) -> pd.DataFrame:
    """Animals that cameras saw, as occurrences; what was made coarse or kept back is told."""
    frame = _frame(rows["Observation"])
    seen = as_fields("observations", frame)
    for name, term in (
        ("data_generalizations", "dataGeneralizations"),
        ("information_withheld", "informationWithheld"),
    ):
        if name in frame:
            seen[term] = frame[name].reset_index(drop=True)
    return occurrences(as_fields("deployments", _frame(rows["Deployment"])), seen)


def _camera_traps(
    folder: Folder, rows: dict[str, Rows], cards: tuple[Card, ...], sender: str, at: datetime
) -> None:
    if not any(noun in rows for noun in ("Deployment", "Media")):
        return
    tables = {
        table: as_fields(table, _frame(rows[noun])) if noun in rows else pd.DataFrame()
        for table, noun in _CAMERA.items()
    }
    metadata: dict[str, Any] = {
        "created": at.isoformat().replace("+00:00", "Z"),
        "contributors": [{"title": sender}],
        "project": {
            "title": "; ".join(card.title for card in cards),
            "samplingDesign": "opportunistic",
            "captureMethod": ["activityDetection"],
            "individualAnimals": False,
            "observationLevel": ["media"],
        },
    }
    names = tables["observations"].get("scientificName", pd.Series(dtype="str")).dropna()
    if names.empty:
        # The standard wants a name; where none was seen or released, the kingdom is true.
        metadata["taxonomic"] = [{"scientificName": "Animalia"}]
    name = FORMS["camtrapdp"]
    write_camtrapdp(
        folder.place(name), tables["deployments"], tables["media"], tables["observations"], metadata
    )
    folder.add(name)


def _frame(rows: Rows) -> pd.DataFrame:
    table = rows.table
    names = [name for name in table.column_names if name not in MARKS]
    frame = frame_of(rows.noun, table.select(names), names)
    for name in ("data_generalizations", "information_withheld"):
        if name in table.column_names and table.column(name).null_count < table.num_rows:
            frame[name] = table.column(name).to_pandas().astype("str")
    return frame
