"""The nouns that arrive in deliveries, one class each (after ISO 19156).

Each class and its data dictionary (``dictionaries/*.csv``) name the same attributes; a test
holds them together. Bulk work runs on tables with these columns; the classes are for one
record at a time: forms, corrections, templates, the API.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from ecotone.model.filenames import DEVICE
from ecotone.model.records_base import Latitude as Latitude
from ecotone.model.records_base import Longitude as Longitude
from ecotone.model.records_base import Noun as Noun
from ecotone.model.records_base import Placed as Placed
from ecotone.model.records_base import Precision as Precision
from ecotone.model.records_base import Timed as Timed
from ecotone.model.records_laboratory import (
    AlarmRule,
    AnalysisBatch,
    CustodyEvent,
    QualityControl,
    QualityFlag,
)
from ecotone.model.words import say


class Observation(Placed, Timed):
    """A property of a site, sample or individual at a time, by a procedure."""

    observation_id: str | None = None
    site: str | None = None
    sample: str | None = None
    deployment: str | None = None
    media: str | None = None
    individual: str | None = None
    event: str | None = None
    level: str | None = None
    kind: str | None = None
    taxon: str | None = None
    property: str | None = None
    procedure: str | None = None
    value: float | None = None
    unit: str | None = None
    basis: str | None = None
    limit_kind: Literal["below", "above"] | None = None
    uncertainty: Annotated[float, Field(ge=0)] | None = None
    count: int | None = None
    value_text: str | None = None
    unit_text: str | None = None
    missing_reason: str | None = None
    flags: dict[str, Any] | None = None
    observer: str | None = None
    depth_m: float | None = None
    remarks: str | None = None
    setup_kind: str | None = None
    life_stage: str | None = None
    sex: str | None = None
    behaviour: str | None = None
    position_radius_m: float | None = None
    position_angle_deg: float | None = None
    speed_m_s: float | None = None
    box_x: float | None = None
    box_y: float | None = None
    box_width: float | None = None
    box_height: float | None = None
    classified_at: str | None = None
    classification_probability: float | None = None
    tags: str | None = None
    analysis: str | None = None
    analysed_at: str | None = None
    fraction: str | None = None
    detection_limit: Annotated[float, Field(ge=0)] | None = None
    reporting_limit: Annotated[float, Field(ge=0)] | None = None


class Occurrence(Placed, Timed):
    """An organism at a place and time (Darwin Core)."""

    occurrence_id: str | None = None
    event: str | None = None
    basis_of_record: str | None = None
    taxon: str | None = None
    taxon_rank: str | None = None
    kingdom: str | None = None
    family: str | None = None
    vernacular_name: str | None = None
    individual_count: int | None = None
    sex: str | None = None
    life_stage: str | None = None
    occurrence_status: str | None = None
    recorded_by: str | None = None
    record_number: str | None = None
    catalog_number: str | None = None
    institution_code: str | None = None
    habitat: str | None = None
    associated_media: str | None = None
    remarks: str | None = None
    licence: str | None = None
    site: str | None = None
    taxon_id: str | None = None
    authorship: str | None = None
    phylum: str | None = None
    taxon_class: str | None = None
    taxon_order: str | None = None
    genus: str | None = None
    identified_by: str | None = None
    identified_on: str | None = None
    identification_qualifier: str | None = None
    organism: str | None = None
    quantity: str | None = None
    quantity_type: str | None = None
    behaviour: str | None = None
    reproductive_condition: str | None = None
    establishment_means: str | None = None
    collection_code: str | None = None
    dataset_name: str | None = None
    rights_holder: str | None = None
    sampling_protocol: str | None = None
    sampling_effort: str | None = None
    county: str | None = None
    municipality: str | None = None
    verbatim_locality: str | None = None
    elevation_max_m: float | None = None
    depth_min_m: float | None = None
    depth_max_m: float | None = None
    coordinate_precision: float | None = None
    source_generalizations: str | None = None
    source_withheld: str | None = None


class Event(Placed, Timed):
    """A sampling event."""

    event_id: str | None = None
    parent_event: str | None = None
    sampling_protocol: str | None = None
    sampling_effort: str | None = None
    habitat: str | None = None
    remarks: str | None = None
    site: str | None = None
    event_type: str | None = None
    field_number: str | None = None
    sample_size: str | None = None
    sample_size_unit: str | None = None
    field_notes: str | None = None
    licence: str | None = None
    county: str | None = None
    municipality: str | None = None
    verbatim_locality: str | None = None
    elevation_max_m: float | None = None
    depth_min_m: float | None = None
    depth_max_m: float | None = None
    coordinate_precision: float | None = None
    source_generalizations: str | None = None
    source_withheld: str | None = None


class Taxon(Noun):
    """A name with its place in a checklist."""

    taxon_id: str | None = None
    name: str | None = None
    authorship: str | None = None
    rank: str | None = None
    status: str | None = None
    accepted_id: str | None = None
    parent_id: str | None = None
    kingdom: str | None = None
    family: str | None = None
    genus: str | None = None
    backbone: str | None = None
    remarks: str | None = None
    name_id: str | None = None
    accepted_name: str | None = None
    original_id: str | None = None
    phylum: str | None = None
    taxon_class: str | None = None
    taxon_order: str | None = None
    specific_epithet: str | None = None
    infraspecific_epithet: str | None = None
    vernacular_name: str | None = None
    nomenclatural_code: str | None = None
    nomenclatural_status: str | None = None
    published_in: str | None = None
    licence: str | None = None


class Deployment(Placed, Timed):
    """A device at a site for an interval."""

    deployment_id: str
    site: str | None = None
    device: str | None = None
    model: str | None = None
    habitat: str | None = None
    set_up_by: str | None = None
    remarks: str | None = None
    camera_delay_s: int | None = None
    camera_height_m: float | None = None
    camera_depth_m: float | None = None
    camera_tilt_deg: int | None = None
    camera_heading_deg: int | None = None
    detection_distance_m: float | None = None
    timestamp_issues: bool | None = None
    bait: bool | None = None
    feature_type: str | None = None
    groups: str | None = None
    tags: str | None = None


class Media(Timed):
    """A photo, video or sound that stays where it lies, by path, size and hash."""

    media_id: str
    deployment: str | None = None
    path: str | None = None
    media_type: str | None = None
    capture_method: str | None = None
    public: bool | None = None
    size_bytes: Annotated[int, Field(ge=0)] | None = None
    sha256: str | None = None
    remarks: str | None = None
    file_name: str | None = None
    exif: str | None = None
    favourite: bool | None = None


class Individual(Noun):
    """An animal recognised by coat or genotype, with confidence."""

    individual_id: str
    taxon: str | None = None
    sex: str | None = None
    recognised_by: Literal["coat", "genotype", "mark", "other"] | None = None
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    remarks: str | None = None


class Site(Placed):
    """A station, plot, glacier, camera location, river section or freezer."""

    site_id: str
    name: str | None = None
    kind: str | None = None
    water_body: str | None = None
    zone: str | None = None
    geometry_wkt: str | None = None


class Sample(Placed, Timed):
    """Water, soil, scat, a seed accession, a specimen, DNA."""

    sample_id: str
    parent: str | None = None
    site: str | None = None
    medium: str | None = None
    custody: list[dict[str, Any]] | None = None
    storage: str | None = None
    permit: str | None = None
    collected_by: str | None = None
    depth_m: float | None = None
    remarks: str | None = None
    kind: (
        Literal[
            "routine", "field blank", "equipment blank", "trip blank", "field duplicate",
            "split", "composite",
        ]
        | None
    ) = None  # fmt: skip
    composite_of: str | None = None
    container: str | None = None
    preservation: str | None = None


class Device(Noun):
    """An instrument: owner, donor, serial, state, spare parts."""

    device_id: str
    kind: str | None = None
    model: str | None = None
    serial: str | None = None
    owner: str | None = None
    donor: str | None = None
    state: Literal["in store", "in use", "in service", "lost", "retired"] | None = None
    donation_agreement: str | None = None
    received_on: str | None = None
    custodian: str | None = None
    location: str | None = None
    spare_parts: str | None = None
    next_service: str | None = None
    certificate: str | None = None


class DeviceEvent(Timed):
    """What happened to a device: put out, taken in, calibrated, serviced, an alarm."""

    device: str
    kind: Literal[
        "deployment", "retrieval", "calibration", "service", "fault", "acknowledgement", "alarm"
    ]
    performed_by: str | None = None
    detail: dict[str, Any] | None = None
    site: str | None = None
    property: str | None = None
    unit: str | None = None
    standard_value: float | None = None
    reading_before: float | None = None
    reading_after: float | None = None
    standard: str | None = None
    certificate: str | None = None
    certificate_until: str | None = None
    parts: str | None = None
    rule: str | None = None
    remarks: str | None = None


class Coverage(Timed):
    """A gridded product, catalogued as STAC, stored as COG, NetCDF or Zarr."""

    name: str
    variable: str | None = None
    unit: str | None = None
    path: str | None = None
    sha256: str | None = None
    crs: str | None = None
    west: float | None = None
    south: Latitude | None = None
    east: float | None = None
    north: Latitude | None = None
    width: int | None = None
    height: int | None = None
    times: int | None = None
    nodata: float | None = None
    stac: dict[str, Any] | None = None


class Record(Noun):
    """A row of a table nobody has described yet, kept whole."""

    record_type: str | None = None
    fields: dict[str, Any]


def _no_device(name: str) -> str:
    """A party's code names folders, also on Windows."""
    if DEVICE.fullmatch(name):
        raise ValueError(str(say("party.device", name=name)))
    return name


class Party(Noun):
    """An institution of a country; ``party_id`` is also the prefix of its identifiers."""

    party_id: Annotated[str, Field(pattern=r"^[A-Z0-9]{2,8}$"), AfterValidator(_no_device)]
    name: dict[str, str]
    country_code: str
    public_key: str | None = None


class Person(Noun):
    """A member of a party with a role in the node."""

    person_id: str
    party_id: str
    name: str
    role: Literal["reader", "enterer", "steward", "signer"] = "reader"
    #: The day the person left the party; from then on nothing is done in their name.
    left: date | None = None


class Project(Noun):
    """A project, campaign or expedition that data were collected for."""

    project_id: str
    title: str
    party_id: str
    start: date | None = None
    end: date | None = None
    design: str | None = None


class Clearance(Noun):
    """An authority's permission to send data abroad."""

    authority: str
    number: str
    date: date
    scope: str


class Dataset(Noun):
    """Data owned by one party: licence, sensitivity, export clearance."""

    dataset_id: str
    party_id: str
    title: str
    licence: str = "all-rights-reserved"
    sensitivity: Annotated[int, Field(ge=1, le=5)] | None = None
    export_clearance: Clearance | None = None
    project_id: str | None = None
    zone: str | None = None
    datum: str | None = None


class Batch(Noun):
    """One delivery of one file."""

    batch_id: str
    dataset_id: str
    file_name: str
    sha256: str
    size: int
    reader: str
    person: str
    delivered: datetime
    counts: dict[str, int]
    mapping: str | None = None
    verdict: Literal["accepted", "partial", "refused"] = "accepted"
    withdrawn: bool = False


RECORD_CLASSES: dict[str, type[Noun]] = {
    cls.__name__: cls
    for cls in (
        Observation,
        Occurrence,
        Event,
        Taxon,
        Deployment,
        Media,
        Individual,
        Site,
        Sample,
        Device,
        DeviceEvent,
        CustodyEvent,
        AnalysisBatch,
        QualityControl,
        QualityFlag,
        AlarmRule,
        Coverage,
        Record,
    )
}
