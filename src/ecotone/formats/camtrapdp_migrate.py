"""Camtrap DP 0.1.6 in the words of 1.0.2: fields renamed, values retold, what has no place said.

The older version (https://github.com/tdwg/camtrap-dp, tag 0.1.6) names the same three tables; it
knows sequences instead of events, several words for bait, words with blanks in its lists, and no
level of observation. The changes are those of the standard's own changelog for 1.0-rc.1 and 1.0.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import pandas as pd

#: Versions whose packages are retold.
OLD_VERSIONS: Final = ("0.1.6",)

#: ``{table: {field of 0.1.6: field of 1.0.2}}``; what keeps its name is left out.
RENAMED: Final[dict[str, dict[str, str]]] = {
    "deployments": {
        "start": "deploymentStart",
        "end": "deploymentEnd",
        "cameraInterval": "cameraDelay",
        "comments": "deploymentComments",
        "tags": "deploymentTags",
    },
    "media": {"favourite": "favorite", "comments": "mediaComments"},
    "observations": {
        "sequenceID": "eventID",
        "timestamp": "eventStart",
        "cameraSetup": "cameraSetupType",
        "behaviour": "behavior",
        "classificationConfidence": "classificationProbability",
        "comments": "observationComments",
        "radius": "individualPositionRadius",
        "angle": "individualPositionAngle",
        "speed": "individualSpeed",
    },
}
#: Fields of 0.1.6 that 1.0 dropped: their content is in another table, or nowhere.
_DROPPED: Final = {
    "deployments": ("_id",),
    "media": ("_id", "sequenceID"),
    "observations": ("_id", "countNew", "taxonID", "taxonIDReference"),
}
_TRUE: Final = ("true", "True", "TRUE", "1")
_DESIGNS: Final = {
    "simple random": "simpleRandom",
    "systematic random": "systematicRandom",
    "clustered random": "clusteredRandom",
}
_METHODS: Final = {
    "motion detection": "activityDetection",
    "motionDetection": "activityDetection",
    "time lapse": "timeLapse",
}
_LEVELS: Final = {"sequence": "event"}
_LIFE: Final = {"offspring": "juvenile", "unknown": None}
_SEX: Final = {"unknown": None, "hermaphrodite": None}


def old_field(table: str, field: str) -> str:
    """What 0.1.6 calls a field of 1.0.2."""
    back = {new: old for old, new in RENAMED[table].items()}
    return {"eventEnd": "timestamp"}.get(field, back.get(field, field))


def migrated(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    """A block of a table of 0.1.6 under the fields and words of 1.0.2, rows as they stand."""
    out = frame.drop(columns=[c for c in _DROPPED[table] if c in frame])
    out = out.rename(columns=RENAMED[table])
    change: Callable[[pd.DataFrame], pd.DataFrame] = {
        "deployments": _deployments,
        "media": _media,
        "observations": _observations,
    }[table]
    return change(out)


def _deployments(frame: pd.DataFrame) -> pd.DataFrame:
    if "featureType" in frame:
        # "road paved" has become "roadPaved".
        words = frame["featureType"].astype("str").str.split(" ")
        frame["featureType"] = words.map(_camel, na_action="ignore")
    tags = []
    if "baitUse" in frame:
        kind = frame["baitUse"].astype("str").str.strip()
        used = kind.notna() & ~kind.isin(("none", "false"))
        frame["baitUse"] = used.map({True: "true", False: "false"}).where(kind.notna())
        tags.append(("bait", kind.where(used & ~kind.isin(_TRUE))))
    groups = [(n, frame.pop(n).astype("str")) for n in ("session", "array") if n in frame]
    _append(frame, "deploymentGroups", groups)
    _append(frame, "deploymentTags", tags)
    return frame


def _camel(words: list[str]) -> str:
    return words[0] + "".join(word[:1].upper() + word[1:] for word in words[1:])


def _append(frame: pd.DataFrame, column: str, parts: list[tuple[str, pd.Series]]) -> None:
    """Add ``name:value`` to a list field that is written with ``|`` between its entries."""
    for name, values in parts:
        entry = (name + ":" + values).where(values.notna())
        if column not in frame:
            frame[column] = pd.Series(pd.NA, index=frame.index, dtype="str")
        both = frame[column] + " | " + entry
        frame[column] = both.fillna(frame[column]).fillna(entry)


def _media(frame: pd.DataFrame) -> pd.DataFrame:
    if "captureMethod" in frame:
        frame["captureMethod"] = frame["captureMethod"].replace(_METHODS)
    if "filePublic" not in frame:
        # The older version does not say; what nobody called public is not.
        frame["filePublic"] = "false"
    return frame


def _observations(frame: pd.DataFrame) -> pd.DataFrame:
    frame["eventEnd"] = frame.get("eventStart", pd.NA)
    media = frame["mediaID"] if "mediaID" in frame else pd.Series(pd.NA, index=frame.index)
    frame["observationLevel"] = media.notna().map({True: "media", False: "event"}).astype("str")
    if "cameraSetupType" in frame:
        setup = frame["cameraSetupType"].isin(_TRUE)
        frame["cameraSetupType"] = pd.Series("setup", index=frame.index, dtype="str").where(setup)
    for column, words in (("lifeStage", _LIFE), ("sex", _SEX)):
        if column in frame:
            cells = frame[column]
            for old, new in words.items():
                cells = cells.mask(cells == old, pd.NA if new is None else new)
            frame[column] = cells
    return frame


def migrated_study(content: dict[str, Any]) -> dict[str, Any]:
    """The descriptor of a 0.1.6 package under the properties and words of 1.0.2."""
    out = dict(content)
    project = out.get("project")
    if isinstance(project, dict):
        out["project"] = _project(project)
    return out


def _project(project: dict[str, Any]) -> dict[str, Any]:
    told = dict(project)
    design = told.get("samplingDesign")
    told["samplingDesign"] = _DESIGNS.get(str(design), design)
    told["captureMethod"] = _retold(told.get("captureMethod"), _METHODS)
    if "observationLevel" not in told and told.get("classificationLevel"):
        told["observationLevel"] = _retold(told.pop("classificationLevel"), _LEVELS)
    if "individualAnimals" not in told and "animalTypes" in told:
        kinds = told.pop("animalTypes")
        listed = kinds if isinstance(kinds, list) else [kinds]
        told["individualAnimals"] = any(re.match("marked|recogni", str(k)) for k in listed)
    return told


def _retold(given: Any, words: dict[str, str]) -> Any:
    """A word, or a list of words, in the newer ones; lists are what 1.0 asks for."""
    if given in (None, ""):
        return given
    listed = given if isinstance(given, list) else [given]
    return [words.get(str(one), one) for one in listed]
