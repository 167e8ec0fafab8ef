"""Camera-trap observations as Darwin Core occurrences, for GBIF.

After the guide of GBIF and the standard's authors (doi:10.35035/doc-0qzp-2x37): an occurrence an
observed animal, at the place of its deployment, ``MachineObservation``. Event- and media-level
observations describe the same animals: events are taken where there are any.
"""

from __future__ import annotations

from typing import Final

import pandas as pd

_FROM_OBSERVATION: Final = {
    "observationID": "occurrenceID",
    "eventID": "eventID",
    "scientificName": "scientificName",
    "count": "individualCount",
    "sex": "sex",
    "lifeStage": "lifeStage",
    "behavior": "behavior",
    "individualID": "organismID",
    "classifiedBy": "identifiedBy",
    "classificationTimestamp": "dateIdentified",
    "observationComments": "occurrenceRemarks",
    "dataGeneralizations": "dataGeneralizations",
    "informationWithheld": "informationWithheld",
}
_FROM_DEPLOYMENT: Final = {
    "latitude": "decimalLatitude",
    "longitude": "decimalLongitude",
    "coordinateUncertainty": "coordinateUncertaintyInMeters",
    "locationID": "locationID",
    "habitat": "habitat",
}


def occurrences(deployments: pd.DataFrame, observations: pd.DataFrame) -> pd.DataFrame:
    """Occurrences of animals, in Darwin Core's terms, all text.

    Args:
        deployments: In Camtrap DP's fields; a deployment that was not released gives no place.
        observations: In Camtrap DP's fields; further columns ``dataGeneralizations`` and
            ``informationWithheld`` travel with their rows.
    """
    seen = observations
    if "observationLevel" in seen and (seen["observationLevel"] == "event").any():
        seen = seen[seen["observationLevel"] == "event"]
    if "observationType" in seen:
        seen = seen[seen["observationType"] == "animal"]
    if "scientificName" in seen:
        seen = seen[seen["scientificName"].notna()]
    seen = seen.reset_index(drop=True)
    out = pd.DataFrame(
        {term: seen[name] for name, term in _FROM_OBSERVATION.items() if name in seen},
        index=seen.index,
    )
    out.insert(min(1, out.shape[1]), "basisOfRecord", "MachineObservation")
    out["occurrenceStatus"] = "present"
    out["samplingProtocol"] = "camera trap"
    if {"eventStart", "eventEnd"} <= set(seen.columns):
        same = seen["eventStart"] == seen["eventEnd"]
        span = seen["eventStart"] + "/" + seen["eventEnd"]
        out["eventDate"] = seen["eventStart"].where(same | seen["eventEnd"].isna(), span)
    if "deploymentID" in deployments and "deploymentID" in seen:
        own = deployments.drop_duplicates("deploymentID").set_index("deploymentID")
        place = own.reindex(seen["deploymentID"]).reset_index(drop=True)
        for name, term in _FROM_DEPLOYMENT.items():
            if name in place:
                out[term] = place[name]
        out["geodeticDatum"] = pd.Series("EPSG:4326", index=out.index, dtype="str").where(
            out.get("decimalLatitude", pd.Series(dtype="str")).notna()
        )
    return out.dropna(axis="columns", how="all") if len(out) else out
