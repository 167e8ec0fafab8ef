"""Provenance of a run as an RO-Crate 1.2 (Process Run Crate): inputs, software, agreements."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ecotone import __version__

#: What the numbers depend on beyond our own code.
_LIBRARIES = (
    "numpy",
    "scipy",
    "numba",
    "pandas",
    "rasterio",
    "netCDF4",
    "pyproj",
    "shapely",
    "geopandas",
)


def software() -> list[dict[str, str]]:
    """Ecotone, Python and the libraries that the numbers depend on, with versions."""
    found = [
        {"name": "ecotone", "version": __version__},
        {"name": "python", "version": platform.python_version()},
    ]
    for name in _LIBRARIES:
        try:
            found.append({"name": name, "version": version(name)})
        except PackageNotFoundError:
            continue
    return found


def write_crate(run: Path, document: dict[str, Any]) -> None:
    """Write ``ro-crate-metadata.json`` beside the files of a finished run."""
    from rocrate.model.contextentity import ContextEntity
    from rocrate.rocrate import ROCrate

    crate = ROCrate(version="1.2")
    title = document["title"]
    crate.name = title.get("en") or next(iter(title.values()))
    crate.description = (
        f"Run {document['id']} of an Ecotone plan for {document['reader'] or 'files'}"
    )
    crate.license = "https://spdx.org/licenses/Apache-2.0"
    crate.datePublished = document["created"]
    tools = [
        crate.add(
            ContextEntity(
                crate,
                f"#software-{item['name']}",
                properties={
                    "@type": "SoftwareApplication",
                    "name": item["name"],
                    "softwareVersion": item["version"],
                },
            )
        )
        for item in document["software"]
    ]
    inputs = [
        crate.add(
            ContextEntity(
                crate,
                f"#input-{item['sha256']}",
                properties={
                    "@type": "CreativeWork",
                    "name": item["name"],
                    "sha256": item["sha256"],
                    "url": item["path"],
                },
            )
        )
        for item in document["inputs"]
    ]
    agreements = [
        crate.add(
            ContextEntity(
                crate,
                f"#agreement-{key}-v{number}",
                properties={"@type": "DigitalDocument", "name": key, "version": str(number)},
            )
        )
        for key, number in sorted({(a["id"], a["version"]) for a in document["agreements"]})
    ]
    for told in document["results"]:
        _add_result(crate, run, told, [*inputs, *agreements], tools)
    for name in sorted({*document["files"].values(), "run.json"}):
        crate.add_file(run / name, name)
    crate.metadata.write(run)


def _add_result(
    crate: Any, run: Path, told: dict[str, Any], objects: list[Any], tools: list[Any]
) -> None:
    from rocrate.model.contextentity import ContextEntity

    folder = (run / told["path"]).parent
    files = [
        crate.add_file(path, path.relative_to(run).as_posix())
        for path in sorted(p for p in folder.rglob("*") if p.is_file())
    ]
    parameters = [
        crate.add(
            ContextEntity(
                crate,
                f"#{told['path']}-{name}",
                properties={"@type": "PropertyValue", "name": name, "value": value},
            )
        )
        for name, value in sorted(told["parameters"].items())
        if value is not None
    ]
    crate.add_action(
        tools[0],
        identifier=f"#run-{told['path']}",
        object=[*objects, *parameters],
        result=files,
        properties={
            "name": f"{told['indicator']} {told['version']}, {told['region']}, {told['period']}",
            "actionStatus": "http://schema.org/CompletedActionStatus",
        },
    )
