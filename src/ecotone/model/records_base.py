"""What the nouns share: fixed once made, a place, a time."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Precision = Literal["year", "month", "day", "hour", "minute", "second"]


class Noun(BaseModel):
    """What all nouns share: fixed once made, nothing unknown, numbers finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Placed(Noun):
    """Where: WGS 84 with its uncertainty, and what was delivered."""

    latitude: Latitude | None = None
    longitude: Longitude | None = None
    coordinate_uncertainty_m: Annotated[float, Field(gt=0)] | None = None
    latitude_text: str | None = None
    longitude_text: str | None = None
    datum: str | None = None
    datum_operation: str | None = None
    elevation_m: float | None = None
    country_code: str | None = None
    state_province: str | None = None
    locality: str | None = None


class Timed(Noun):
    """When: UTC inside, the original text, zone and precision kept."""

    time_start: AwareDatetime | None = None
    time_end: AwareDatetime | None = None
    time_text: str | None = None
    time_zone: str | None = None
    time_precision: Precision | None = None
