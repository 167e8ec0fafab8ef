"""Wildlife Insights' export: projects, cameras, deployments and images as four tables.

Retold under Camtrap DP's fields (https://www.wildlifeinsights.org, "batch upload and download
template"). An image with several species stands in several rows: it is one medium and several
observations. Times carry no zone: the deliverer must declare it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ecotone.formats.base import ReadOptions, Reject, Report, Source, refused
from ecotone.formats.camera_tables import (
    Outings,
    as_table,
    blocks,
    column,
    headers,
    media_type,
    plain_dates,
)
from ecotone.formats.keybook import KeyBook
from ecotone.model.finding import Finding, Severity
from ecotone.model.table import Table

if TYPE_CHECKING:
    import pandas as pd

    from ecotone.formats.delimited import Block

#: ``{table: columns that tell it}``.
_TELLING: Final = {
    "projects": {"project_id", "project_name", "image_license"},
    "cameras": {"camera_id", "make", "model"},
    "deployments": {"deployment_id", "placename", "start_date", "end_date"},
    "images": {"deployment_id", "image_id", "wi_taxon_id"},
}
_FEATURES: Final = {
    "road paved": "roadPaved",
    "road dirt": "roadDirt",
    "trail hiking": "trailHiking",
    "trail game": "trailGame",
    "road underpass": "roadUnderpass",
    "road overpass": "roadOverpass",
    "road bridge": "roadBridge",
    "culvert": "culvert",
    "burrow": "burrow",
    "nest site": "nestSite",
    "carcass": "carcass",
    "water source": "waterSource",
    "fruiting tree": "fruitingTree",
}
_METHODS: Final = {"sensor detection": "activityDetection", "time lapse": "timeLapse"}
_WORKS: Final = "camera functioning"
_SEXES: Final = ("female", "male")
_LIFE: Final = ("adult", "subadult", "juvenile")
_UNSEEN: Final = ("cv needed", "no cv result", "unclassified")
_VEHICLES: Final = ("vehicle", "car", "truck", "motorcycle", "bicycle")


class WildlifeInsights:
    """The format; see :class:`ecotone.formats.base.Format`."""

    name = "wildlife-insights"
    title_key = "format.wildlife-insights.title"
    extensions = (".zip", ".csv")
    spec = "https://www.wildlifeinsights.org"

    def recognise(self, source: Source) -> bool:
        """Tables of images and of deployments by their columns, or one of them alone."""
        found = _members(source)
        return "images" in found or "deployments" in found

    def read(
        self, source: Source, options: ReadOptions, report: Report, reject: Reject
    ) -> Iterator[Table]:
        """Yield deployments, media and observations."""
        found = _members(source)
        if not found.keys() & {"images", "deployments"}:
            raise refused("wildlife-insights-not", file=source.name)
        others = [m for m in source.members if m not in found.values()]
        if others:
            params = {"count": str(len(others))}
            report(Finding("member-unread", Severity.WARNING, value=others[0], params=params))
        reader = _Reader(source, found, options, report, reject)
        yield from reader.tables()


FORMAT = WildlifeInsights()


def _members(source: Source) -> dict[str, str]:
    """Which member is which table."""
    found: dict[str, str] = {}
    if source.only is not None and not source.only.lower().endswith(".csv"):
        return found
    for member in source.members:
        if not member.lower().endswith(".csv"):
            continue
        names = set(headers(source, member))
        for table, telling in _TELLING.items():
            if telling <= names:
                found.setdefault(table, member)
    return found


@dataclass
class _Reader:
    source: Source
    members: dict[str, str]
    options: ReadOptions
    report: Report
    reject: Reject
    method: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)

    def tables(self) -> Iterator[Table]:
        self._project()
        self._cameras()
        outings = Outings(self.options.zone)
        for block in self._blocks("deployments"):
            self._failed(block)
            self._dated(block, "deployments", ("start_date", "end_date"))
            frame = self._deployments(block.frame)
            outings.add(frame)
            file = self.members["deployments"]
            yield as_table("deployments", frame, block.row, block.line, file, self.metadata)
        told = KeyBook()
        for block in self._blocks("images"):
            self._dated(block, "images", ("timestamp",))
            fresh = ~told.add(column(block.frame, "image_id"))
            file = self.members["images"]
            names, times = (column(block.frame, n) for n in ("deployment_id", "timestamp"))
            outings.tell(names, times, "timestamp", block, file, self.report)
            media = self._media(block.frame)[fresh]
            yield as_table("media", media, block.row[fresh], block.line[fresh], file, self.metadata)
            frame = _observations(block.frame, block.row.tolist())
            yield as_table("observations", frame, block.row, block.line, file, self.metadata)

    def _blocks(self, table: str) -> Iterator[Block]:
        if table in self.members:
            yield from blocks(
                self.source, self.members[table], self.options, self.report, self.reject
            )

    def _dated(self, block: Block, table: str, names: tuple[str, ...]) -> None:
        """Dates a spreadsheet rewrote, back in ISO form; each row of them is told."""
        before = {name: column(block.frame, name) for name in names}
        after, order = plain_dates(before)
        if order is None:
            return
        for name in names:
            changed = (before[name] != after[name]).fillna(False).to_numpy(dtype=bool)
            for index in changed.nonzero()[0].tolist():
                self.report(
                    Finding(
                        "camera-date-order",
                        Severity.WARNING,
                        row=int(block.row[index]),
                        line=int(block.line[index]),
                        field=name,
                        value=str(before[name].iat[index]),
                        file=self.members[table],
                        params={"order": order, "read": str(after[name].iat[index])},
                    )
                )
            block.frame[name] = after[name]

    def _project(self) -> None:
        """Licences and embargo for the sharing rules; the sensor's method for the media."""
        names = {
            "project_name": "project",
            "project_id": "project_id",
            "embargo": "embargo_months",
            "metadata_license": "licence",
            "image_license": "licence_media",
            "data_citation": "citation",
            "project_admin_organization": "rights_holder",
        }
        for block in self._blocks("projects"):
            frame = block.frame
            for old, new in names.items():
                values = column(frame, old).dropna()
                if len(values):
                    self.metadata.setdefault(new, str(values.iat[0]))
            method = column(frame, "project_sensor_method").str.lower().map(_METHODS).dropna()
            self.method = str(method.iat[0]) if len(method) else None

    def _cameras(self) -> None:
        for block in self._blocks("cameras"):
            frame = block.frame
            made = column(frame, "make").fillna("") + "-" + column(frame, "model").fillna("")
            self.models |= dict(zip(column(frame, "camera_id"), made.str.strip("-"), strict=True))

    def _failed(self, block: Block) -> None:
        """Cameras that did not work all the time: their effort is not what the dates say."""
        state = column(block.frame, "camera_functioning")
        bad = (state.notna() & (state.str.lower() != _WORKS)).to_numpy(dtype=bool)
        for index in bad.nonzero()[0].tolist():
            self.report(
                Finding(
                    "wildlife-insights-camera-failed",
                    Severity.WARNING,
                    row=int(block.row[index]),
                    line=int(block.line[index]),
                    field="camera_functioning",
                    value=str(state.iat[index]),
                    file=self.members["deployments"],
                )
            )

    def _deployments(self, frame: pd.DataFrame) -> pd.DataFrame:
        import pandas as pd

        camera, bait = column(frame, "camera_id"), column(frame, "bait_type")
        used = bait.str.lower() != "none"
        tags = [
            _tagged("bait", bait.where(used)),
            _tagged("sensorHeight", column(frame, "sensor_height")),
            _tagged("sensorOrientation", column(frame, "sensor_orientation")),
            _tagged("functioning", column(frame, "camera_functioning")),
        ]
        groups = [_tagged(n, column(frame, f"{n}_name")) for n in ("subproject", "event")]
        return pd.DataFrame(
            {
                "deploymentID": column(frame, "deployment_id"),
                "locationID": column(frame, "placename"),
                "locationName": column(frame, "placename"),
                "latitude": column(frame, "latitude"),
                "longitude": column(frame, "longitude"),
                "deploymentStart": column(frame, "start_date"),
                "deploymentEnd": column(frame, "end_date"),
                "setupBy": column(frame, "recorded_by"),
                "cameraID": camera,
                "cameraModel": camera.map(self.models),
                "cameraDelay": column(frame, "quiet_period"),
                "detectionDistance": column(frame, "detection_distance"),
                "baitUse": used.map({True: "true", False: "false"}).where(bait.notna()),
                "featureType": column(frame, "feature_type").str.lower().map(_FEATURES),
                "deploymentGroups": _list(groups),
                "deploymentTags": _list(tags),
                "deploymentComments": column(frame, "event_description", "bait_description"),
            }
        )

    def _media(self, frame: pd.DataFrame) -> pd.DataFrame:
        import pandas as pd

        path = column(frame, "location", "filename")
        marked = column(frame, "highlighted").str.lower()
        name = column(frame, "filename")
        return pd.DataFrame(
            {
                "mediaID": column(frame, "image_id"),
                "deploymentID": column(frame, "deployment_id"),
                "captureMethod": pd.Series(self.method, index=frame.index, dtype="str"),
                "timestamp": column(frame, "timestamp"),
                "filePath": path,
                "filePublic": "false",
                "fileName": name,
                "fileMediatype": media_type(name.fillna(path)),
                "favorite": marked.map({"true": "true", "1": "true", "false": "false"}),
            }
        )


def _tagged(name: str, values: pd.Series) -> pd.Series:
    return (name + ":" + values).where(values.notna())


def _list(parts: list[pd.Series]) -> pd.Series:
    """Entries of a list field, ``|`` between them."""
    out = parts[0]
    for part in parts[1:]:
        out = (out + " | " + part).fillna(out).fillna(part)
    return out


def _observations(frame: pd.DataFrame, rows: list[int]) -> pd.DataFrame:
    import pandas as pd

    image = column(frame, "image_id")
    blank = column(frame, "is_blank").isin(("1", "true", "True", "TRUE"))
    name = _scientific(frame)
    common = column(frame, "common_name").str.lower()
    human = (name == "Homo sapiens") | common.str.contains("human", na=False)
    vehicle = common.isin(_VEHICLES)
    kind = pd.Series("animal", index=frame.index, dtype="str")
    kind = kind.mask(name.isna(), "unknown").mask(vehicle, "vehicle").mask(human, "human")
    kind = kind.mask(common.isin(_UNSEEN), "unclassified").mask(blank, "blank")
    by = column(frame, "identified_by")
    machine = by.str.lower().str.contains("computer vision", na=False)
    sex, age = (column(frame, n).str.lower() for n in ("sex", "age"))
    return pd.DataFrame(
        {
            # Several species in one image are several rows: the row tells them apart.
            "observationID": image + "-" + pd.Series(rows, index=frame.index).astype("str"),
            "deploymentID": column(frame, "deployment_id"),
            "mediaID": image,
            "eventStart": column(frame, "timestamp"),
            "eventEnd": column(frame, "timestamp"),
            "observationLevel": "media",
            "observationType": kind,
            "scientificName": name.where(kind.isin(("animal", "human"))),
            "count": column(frame, "number_of_objects").where(~blank),
            "lifeStage": age.where(age.isin(_LIFE)),
            "sex": sex.where(sex.isin(_SEXES)),
            "individualID": column(frame, "individual_id"),
            "classificationMethod": machine.map({True: "machine", False: "human"}),
            "classifiedBy": by,
            "classificationProbability": column(frame, "cv_confidence").where(machine),
            "observationTags": column(frame, "markings"),
            "observationComments": column(frame, "individual_animal_notes"),
        }
    )


def _scientific(frame: pd.DataFrame) -> pd.Series:
    """The finest name there is: the species, else genus, family, order or class."""
    genus, species = column(frame, "genus"), column(frame, "species")
    name = (genus + " " + species).fillna(genus)
    for rank in ("family", "order", "class"):
        name = name.fillna(column(frame, rank))
    return name.where(~name.str.lower().isin(("no cv result", "unknown")))
