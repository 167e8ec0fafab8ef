"""What a detector saw: MegaDetector's batch results and SpeciesNet's predictions, as JSON.

Formats: MegaDetector batch output 1.x (https://github.com/agentmorris/MegaDetector) and SpeciesNet
predictions (https://github.com/google/cameratrapai). Retold as media and machine observations
under Camtrap DP's fields. An image without detections was looked at and is blank; an image with a
failure was not looked at and is neither. Only the detector's own threshold cuts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ecotone.formats.base import ReadOptions, Reject, Report, Source, refused
from ecotone.formats.camera_tables import as_table, folder_of, media_type
from ecotone.model.finding import Finding, Severity
from ecotone.model.table import Table

if TYPE_CHECKING:
    import pandas as pd

_PEEK: Final = 1 << 16
_KINDS: Final = {"animal": "animal", "person": "human", "human": "human", "vehicle": "vehicle"}
#: MegaDetector's own numbers, where a file does not name them (format 1.6, section "Categories").
_CATEGORIES: Final = {"1": "animal", "2": "person", "3": "vehicle"}
_EXIF: Final = re.compile(r"(\d{4}):(\d{2}):(\d{2}) (\d{2}:\d{2}:\d{2})")
_NOT_A_SPECIES: Final = frozenset({"blank", "animal", "human", "vehicle", "no cv result"})
_BOX: Final = ("bboxX", "bboxY", "bboxWidth", "bboxHeight")


class DetectorResults:
    """The format; see :class:`ecotone.formats.base.Format`."""

    name = "megadetector"
    title_key = "format.megadetector.title"
    extensions = (".json",)
    spec = "https://github.com/agentmorris/MegaDetector"

    def recognise(self, source: Source) -> bool:
        """A JSON file with images and detection categories, or predictions of file paths."""
        if source.only is None or not source.only.lower().endswith(".json"):
            return False
        with source.open(source.only) as stream:
            head = stream.read(_PEEK)
        if b'"predictions"' in head and b'"filepath"' in head:
            return True
        named = b'"detection_categories"' in head or b'"format_version"' in head
        detected = b'"detections"' in head and b'"file"' in head
        pytorch = b'"img_id"' in head and b'"confidence"' in head
        return (named and b'"images"' in head) or (detected and b'"bbox"' in head) or pytorch

    def read(
        self, source: Source, options: ReadOptions, report: Report, reject: Reject
    ) -> Iterator[Table]:
        """Yield media, then observations, block by block."""
        from ecotone.formats.json import parse_json

        if source.only is None:
            raise refused("megadetector-not", file=source.name)
        results = _results(parse_json(source, source.only), source.only)
        reader = _Reader(results, source.only, report, reject)
        step = max(1, options.block_rows)
        for start in range(0, max(1, len(results.images)), step):
            yield from reader.tables(start, start + step)
        reader.end()


FORMAT = DetectorResults()


@dataclass(frozen=True)
class _Results:
    """The images, and what the file says of its detector."""

    images: list[Any]
    kinds: dict[str, str]
    labels: dict[str, str]
    threshold: float | None
    by: str
    at: str | None


def _results(content: Any, member: str) -> _Results:
    """The content in one form; refused where boxes are in pixels or nothing is known."""
    if isinstance(content, list):
        raise refused("megadetector-pixels", file=member)
    if not isinstance(content, dict):
        raise refused("megadetector-not", file=member)
    if isinstance(content.get("predictions"), list):
        return _speciesnet(content["predictions"])
    images, info = content.get("images"), content.get("info")
    if not isinstance(images, list):
        raise refused("megadetector-not", file=member)
    info = info if isinstance(info, dict) else {}
    about = info.get("detector_metadata")
    about = about if isinstance(about, dict) else {}
    threshold = about.get("typical_detection_threshold")
    words = [info.get("detector"), info.get("classifier")]
    return _Results(
        images=images,
        kinds=_words(content.get("detection_categories")) or _CATEGORIES,
        labels=_words(content.get("classification_category_descriptions"))
        or _words(content.get("classification_categories")),
        threshold=float(threshold) if isinstance(threshold, int | float) else None,
        by=" + ".join(str(word) for word in words if word) or "MegaDetector",
        at=_moment(info.get("detection_completion_time")),
    )


def _words(given: Any) -> dict[str, str]:
    return {str(k): str(v) for k, v in given.items()} if isinstance(given, dict) else {}


def _moment(given: Any) -> str | None:
    """A time as ISO 8601 where it is one."""
    text = str(given or "").strip()
    match = _EXIF.fullmatch(text)
    if match is not None:
        return f"{match[1]}-{match[2]}-{match[3]} {match[4]}"
    return text or None


def _speciesnet(predictions: list[Any]) -> _Results:
    """SpeciesNet's predictions as images with detections and one name for the whole image."""
    images = []
    version = ""
    for one in predictions:
        if not isinstance(one, dict):
            images.append(one)
            continue
        version = version or str(one.get("model_version") or "")
        found = one.get("detections")
        name = str(one.get("prediction") or "")
        image: dict[str, Any] = {"file": one.get("filepath"), "name": name}
        image["score"] = one.get("prediction_score")
        image["detections"] = found
        failures = one.get("failures")
        if failures:
            image["failure"] = ", ".join(map(str, failures))
        images.append(image)
    by = "SpeciesNet" + (f" {version}" if version else "")
    return _Results(images, _CATEGORIES, {}, None, by, None)


class _Reader:
    """Rows of one results file."""

    def __init__(self, results: _Results, member: str, report: Report, reject: Reject) -> None:
        self.results = results
        self.member = member
        self.report = report
        self.reject = reject
        self.below = 0

    def tables(self, first: int, last: int) -> Iterator[Table]:
        import numpy as np
        import pandas as pd

        media: list[dict[str, Any]] = []
        seen: list[dict[str, Any]] = []
        for number, image in enumerate(self.results.images[first:last], start=first + 1):
            if not isinstance(image, dict) or not isinstance(image.get("file"), str):
                self._away("megadetector-no-file", number, image)
                continue
            wrong = self._wrong(image, number)
            if wrong is not None:
                self._away("megadetector-box", number, image, value=wrong)
                continue
            media.append(
                {"row": number, "file": image["file"], "at": _moment(image.get("datetime"))}
            )
            if image.get("failure") or image.get("detections") is None:
                reason = str(image.get("failure") or "-")
                self._tell("megadetector-failed", Severity.WARNING, number, "failure", reason)
            else:
                seen += self._seen(image, number)
        table = pd.DataFrame(media, columns=["row", "file", "at"])
        rows = table["row"].to_numpy(np.int64)
        yield as_table("media", _media(table), rows, rows, self.member)
        frame = pd.DataFrame(seen, dtype=object)
        if frame.empty:
            frame = pd.DataFrame({"row": [], "observationID": []})
        rows = frame.pop("row").to_numpy(np.int64)
        yield as_table("observations", frame.astype("str"), rows, rows, self.member)

    def _wrong(self, image: dict[str, Any], number: int) -> str | None:
        """A box that is no share of the image: pixels, or outside."""
        for one in image.get("detections") or ():
            box = one.get("bbox") if isinstance(one, dict) else None
            good = (
                isinstance(box, list)
                and len(box) == 4
                and all(isinstance(x, int | float) and 0 <= x <= 1 for x in box)
            )
            if not good:
                return str(box)
        return None

    def _seen(self, image: dict[str, Any], number: int) -> list[dict[str, Any]]:
        """The observations of an image: one a detection, or one of a blank image."""
        found, low = [], self.results.threshold or 0.0
        whole = _name(str(image.get("name") or ""))
        for k, one in enumerate(image["detections"]):
            sure = one.get("conf")
            if isinstance(sure, int | float) and sure < low:
                self.below += 1
                continue
            kind = _KINDS.get(self.results.kinds.get(str(one.get("category")), ""), "unknown")
            name, score = self._classified(one)
            if kind == "animal" and name is None and whole is not None:
                name, score = whole, image.get("score")
            row = self._row(image, number, f"{number}-{k + 1}", kind)
            row |= dict(zip(_BOX, (f"{x:g}" for x in one["bbox"]), strict=True))
            row["count"] = "1"
            row["scientificName"] = name if kind == "animal" else None
            probability = sure if score is None or kind != "animal" else score
            row["classificationProbability"] = None if probability is None else f"{probability:g}"
            if "frame_number" in one:
                row["observationTags"] = f"frame:{one['frame_number']}"
            found.append(row)
        return found or [self._row(image, number, f"{number}-0", "blank")]

    def _row(self, image: dict[str, Any], number: int, name: str, kind: str) -> dict[str, Any]:
        at = _moment(image.get("datetime"))
        return {
            "row": number,
            "observationID": f"{self.member.rpartition('/')[2].rpartition('.')[0]}-{name}",
            "deploymentID": folder_of([image["file"]])[0] or None,
            "mediaID": image["file"],
            "eventStart": at,
            "eventEnd": at,
            "observationLevel": "media",
            "observationType": kind,
            "classificationMethod": "machine",
            "classifiedBy": self.results.by,
            "classificationTimestamp": self.results.at,
        }

    def _classified(self, one: dict[str, Any]) -> tuple[str | None, float | None]:
        """The best class of a detection, with its score."""
        listed = one.get("classifications")
        if not isinstance(listed, list) or not listed:
            return None, None
        best, score = listed[0]
        name = _name(self.results.labels.get(str(best), str(best)))
        return (None, None) if name is None else (name, float(score))

    def _tell(self, code: str, severity: Severity, row: int, field: str, value: str | None) -> None:
        self.report(Finding(code, severity, row=row, field=field, value=value, file=self.member))

    def _away(self, code: str, row: int, image: Any, value: str | None = None) -> None:
        import json

        field = "file" if code == "megadetector-no-file" else "bbox"
        self._tell(code, Severity.ERROR, row, field, value)
        self.reject(self.member, row, row, json.dumps(image, ensure_ascii=False))

    def end(self) -> None:
        """What concerns the file as a whole."""
        low = self.results.threshold
        if low is None:
            self.report(Finding("megadetector-no-threshold", Severity.INFO, file=self.member))
        elif self.below:
            params = {"count": str(self.below), "threshold": f"{low:g}"}
            self.report(
                Finding("megadetector-below", Severity.INFO, file=self.member, params=params)
            )


def _name(label: str) -> str | None:
    """A scientific name from SpeciesNet's ``id;class;order;family;genus;species;common``."""
    parts = [part.strip() for part in label.split(";")]
    if len(parts) == 1:
        return None if label.casefold() in _NOT_A_SPECIES or not label else label
    if len(parts) < 6 or parts[-1].casefold() in _NOT_A_SPECIES:
        return None
    genus, species = parts[4], parts[5]
    if genus and species:
        return f"{genus.capitalize()} {species}"
    finest = next((p for p in (genus, parts[3], parts[2], parts[1]) if p), "")
    return finest.capitalize() or None


def _media(table: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    files = table["file"].astype("str")
    folders = pd.Series(folder_of(files), index=table.index, dtype="str")
    return pd.DataFrame(
        {
            "mediaID": files,
            "deploymentID": folders.mask(folders == ""),
            "timestamp": table["at"].astype("str"),
            "filePath": files,
            "filePublic": "false",
            "fileMediatype": media_type(files),
        }
    )
