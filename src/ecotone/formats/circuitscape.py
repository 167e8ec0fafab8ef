"""Circuitscape's INI dialect and text lists, read; every option is used or told by its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from ecotone.formats.asciigrid import read_text
from ecotone.formats.base import refused
from ecotone.model.finding import Finding, Severity

Floats = NDArray[np.float64]

_TRUE: Final = frozenset({"true", "1", "yes", "on"})
_FALSE: Final = frozenset({"false", "0", "no", "off", ""})
_UNSET: Final = frozenset({"", "none", "not entered", "null"})
SCENARIOS: Final = ("pairwise", "advanced", "one-to-all", "all-to-one")
_SCENARIOS: Final = {"one_to_all": "one-to-all", "all_to_one": "all-to-one"}
POLICIES: Final = ("keepall", "rmvsrc", "rmvgnd", "rmvall")
#: Options about machines and logs: they change no number, so they are taken and left.
_WITHOUT_EFFECT: Final = frozenset(
    {"low_memory_mode", "preemptive_memory_release", "print_timings", "print_rusages",
     "profiler_log_file", "log_file", "log_level", "screenprint_log", "suppress_messages",
     "version", "parallelize", "max_parallel", "use_64bit_indexing", "cholmod_batch_size",
     "point_file_contains_polygons", "precision"}
)  # fmt: skip
#: What each name of a solver stands for; one that is not ours is told.
_SOLVERS: Final = {
    "cg+amg": "amg", "amg+cg": "amg", "cholmod": "cholmod", "cholesky": "cholmod",
    "cholfact": "cholmod", "mkl pardiso": "pardiso", "mklpardiso": "pardiso",
    "pardiso": "pardiso", "accelerate": "accelerate", "appleaccelerate": "accelerate",
}  # fmt: skip
#: What an INI may be written in where it is not UTF-8.
_CODINGS: Final = ("gb18030", "cp1251", "cp866")
#: Two numbers with a comma between and no blank: a decimal comma or two columns.
_COMMA: Final = re.compile(r"^[-+]?\d+,\d+([eE][-+]?\d+)?$")


@dataclass(frozen=True)
class Config:
    """A run as its INI asks for it; files are paths, None where none is asked for."""

    path: Path
    base: str  #: name of ``output_file`` without folder and ``.out``
    data_type: Literal["raster", "network"]
    scenario: str
    habitat: Path
    habitat_is_resistance: bool
    four: bool
    mean_resistance: bool
    points: Path | None
    polygons: Path | None
    mask: Path | None
    included_pairs: Path | None
    strengths: Path | None
    sources: Path | None
    grounds: Path | None
    grounds_are_resistances: bool
    unit_currents: bool
    direct_grounds: bool
    policy: str
    write_currents: bool
    write_voltages: bool
    cumulative_only: bool
    write_maximum: bool
    null_currents: bool
    null_voltages: bool
    log_transform: bool
    compress: bool
    as_tif: bool
    reclass: Path | None = None  #: old and new values of the habitat map
    bare_focal: bool = False  #: no current is shown where a case's sources and grounds are
    solver: str = ""  #: the one the INI names, in our words


def read_options(path: Path) -> dict[str, str]:
    """``key = value`` lines of an INI; section headers and comments are passed over."""
    options: dict[str, str] = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        text = line.strip()
        if not text or text[0] in "[#;":
            continue
        key, equals, value = text.partition("=")
        if not equals:
            raise refused("circuit-ini-line", file=path.name, line=number, value=text)
        options[key.strip().lower()] = value.strip()
    return options


def read_config(path: Path) -> tuple[Config, list[Finding]]:
    """A Circuitscape INI; what is unknown or without effect is told."""
    options = Options(path, read_options(path))
    data_type = options.choice("data_type", "raster", ("raster", "network"))
    scenario = options.choice("scenario", "not entered", (*SCENARIOS, *_SCENARIOS))
    scenario = _SCENARIOS.get(scenario, scenario)
    if data_type == "network" and scenario not in ("pairwise", "advanced"):
        raise options.refuse("scenario", scenario)
    advanced = scenario == "advanced"
    raster = data_type == "raster"
    star = raster and scenario in ("one-to-all", "all-to-one")
    config = Config(
        path=path,
        base=_base(options.text("output_file"), path),
        data_type="raster" if raster else "network",
        scenario=scenario,
        habitat=options.needed("habitat_file"),
        habitat_is_resistance=options.flag("habitat_map_is_resistances", default=True),
        four=options.flag("connect_four_neighbors_only"),
        mean_resistance=options.flag("connect_using_avg_resistances"),
        points=None if advanced else options.needed("point_file"),
        polygons=options.switched("use_polygons", "polygon_file", wanted=raster),
        mask=options.switched("use_mask", "mask_file", wanted=raster),
        included_pairs=options.switched(
            "use_included_pairs", "included_pairs_file", wanted=not advanced
        ),
        strengths=options.switched(
            "use_variable_source_strengths", "variable_source_file", wanted=star
        ),
        sources=options.needed("source_file") if advanced else None,
        grounds=options.needed("ground_file") if advanced else None,
        grounds_are_resistances=options.flag("ground_file_is_resistances", default=True),
        unit_currents=options.flag("use_unit_currents"),
        direct_grounds=options.flag("use_direct_grounds"),
        policy=options.choice("remove_src_or_gnd", "keepall", POLICIES),
        write_currents=options.flag("write_cur_maps"),
        write_voltages=options.flag("write_volt_maps"),
        cumulative_only=options.flag("write_cum_cur_map_only"),
        write_maximum=options.flag("write_max_cur_maps"),
        null_currents=options.flag("set_null_currents_to_nodata"),
        null_voltages=options.flag("set_null_voltages_to_nodata"),
        log_transform=options.flag("log_transform_maps"),
        compress=options.flag("compress_grids"),
        as_tif=options.flag("write_as_tif"),
        reclass=options.switched("use_reclass_table", "reclass_file", wanted=raster),
        bare_focal=options.flag("set_focal_node_currents_to_zero"),
        solver=options.solver(),
    )
    return config, options.remarks()


def _base(output: str, path: Path) -> str:
    """The base name of output files: of ``output_file``, its folder and ``.out`` left off."""
    name = output.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1].strip()
    name = name.removesuffix(".out")
    return path.stem if name.lower() in _UNSET or name.startswith("(") else name


class Options:
    """Options of an INI by key, read once each in its type; what was not read is told."""

    def __init__(self, path: Path, given: Mapping[str, str]) -> None:
        self._path = path
        self._given = given
        self._read: set[str] = set()
        self._findings: list[Finding] = []

    def text(self, key: str, default: str = "") -> str:
        """The text of an option."""
        self._read.add(key)
        return self._given.get(key, default)

    def number(self, key: str, default: float) -> float:
        """A number."""
        text = self.text(key)
        if text.lower() in _UNSET:
            return default
        try:
            return float(text)
        except ValueError as error:
            raise self.refuse(key, text) from error

    def flag(self, key: str, *, default: bool = False) -> bool:
        """True or False."""
        text = self.text(key, str(default)).lower()
        if text in _TRUE:
            return True
        if text in _FALSE | _UNSET:
            return False if key in self._given else default
        raise self.refuse(key, text)

    def choice(self, key: str, default: str, choices: tuple[str, ...]) -> str:
        """One of some words, in any case; the default where the option is not set."""
        text = self.text(key, default).lower()
        text = default if text in _UNSET else text
        if text not in choices:
            raise self.refuse(key, text)
        return text

    def file(self, key: str) -> Path | None:
        """A file beside the INI; None where none is named or a bracketed text holds its place."""
        text = self.text(key).strip().strip("\"'")
        if text.lower() in _UNSET or text.startswith("("):
            return None
        return self._found(key, text.replace("\\", "/"))

    def _found(self, key: str, text: str) -> Path:
        """The file, or one of its name beside the INI: paths come from other machines too."""
        path = self._path.parent / text
        if path.is_file():
            return path
        beside = {p.name.lower(): p for p in sorted(self._path.parent.iterdir()) if p.is_file()}
        # An INI may be in the coding of the machine it was written on; the file's name decides.
        raw = text.encode("utf-8", "surrogateescape")
        for coding in ("utf-8", *_CODINGS):
            name = raw.decode(coding, "replace").rstrip("/").rsplit("/", 1)[-1].lower()
            if name in beside:
                shown = raw.decode(coding, "replace")
                found = beside[name]
                self.tell("circuit-file-beside", key, shown, Severity.INFO, found=found.name)
                return found
        return path

    def needed(self, key: str) -> Path:
        """A file that must be named and be there."""
        path = self.file(key)
        if path is None:
            raise refused("circuit-file-unset", file=self._path.name, field=key)
        return self._there(path, key)

    def switched(self, switch: str, key: str, *, wanted: bool = True) -> Path | None:
        """A file that counts only where its switch is on."""
        on = self.flag(switch)
        named = self.file(key)
        if not (on and wanted):
            return None
        if named is None:
            raise refused("circuit-file-unset", file=self._path.name, field=key)
        return self._there(named, key)

    def solver(self) -> str:
        """The solver asked for, in our words; one that nobody knows is told."""
        name = self.text("solver").strip().lower()
        if name in _UNSET:
            return ""
        if name not in _SOLVERS:
            self.tell("circuit-solver-unknown", "solver", name)
        return _SOLVERS.get(name, "")

    def tell(
        self, code: str, key: str, value: str, severity: Severity = Severity.WARNING, **params: str
    ) -> None:
        """What a reader should know of an option."""
        self._findings.append(
            Finding(code, severity, field=key, value=value, file=self._path.name, params=params)
        )

    def remarks(self, quiet: frozenset[str] = _WITHOUT_EFFECT) -> list[Finding]:
        """What the reader should know: options that nobody knows."""
        ignorable = quiet | {"source_file", "ground_file", "point_file", "reclass_file"}
        known = sorted(self._read | ignorable)
        for key in sorted(set(self._given) - self._read - ignorable):
            near = get_close_matches(key, known, 1)
            if near:
                self.tell("circuit-option-misspelt", key, self._given[key], near=near[0])
            else:
                self.tell("circuit-option-unknown", key, self._given[key])
        idle = sorted(key for key in self._given if key in quiet and key not in self._read)
        if idle:
            what = {"options": ", ".join(idle)}
            self._findings.append(
                Finding("circuit-options-idle", Severity.INFO, file=self._path.name, params=what)
            )
        return self._findings

    def refuse(self, key: str, value: str) -> Exception:
        """The refusal of an option by its name, or of an INI that lacks it."""
        if key not in self._given:
            near = get_close_matches(key, self._given, 1)
            code = "circuit-option-absent-near" if near else "circuit-option-absent"
            return refused(code, file=self._path.name, field=key, value="".join(near))
        return refused("circuit-option-refused", file=self._path.name, field=key, value=value)

    def _there(self, path: Path, key: str) -> Path:
        if not path.is_file():
            raise refused("circuit-file-absent", file=self._path.name, field=key, value=path.name)
        return path


def read_table(path: Path, columns: int) -> Floats:
    """A list of numbers in columns, parted by blanks, tabs or commas."""
    lines = read_text(path).splitlines()
    no_decimal_comma(path, lines, columns)
    rows = [line.replace(",", " ").split() for line in lines]
    rows = [row for row in rows if row]
    wrong = next((n for n, row in enumerate(rows, 1) if len(row) < columns), None)
    if not rows or wrong is not None:
        raise refused("circuit-list-columns", file=path.name, line=wrong, wanted=str(columns))
    try:
        return np.array([row[:columns] for row in rows], dtype=np.float64)
    except ValueError as error:
        raise refused("grid-number", file=path.name, why=str(error)) from error


def no_decimal_comma(path: Path, lines: list[str], columns: int) -> None:
    """Refuse a list in which blanks part the columns and commas may be decimal points."""
    for number, line in enumerate(lines, 1):
        words = line.split()
        if len(words) >= columns > 1 and any(_COMMA.match(word) for word in words):
            raise refused("circuit-list-comma", file=path.name, line=number, value=line.strip())


@dataclass(frozen=True)
class PairRules:
    """Which pairs of ids are asked for."""

    ids: frozenset[int]  #: ids the file names
    listed: frozenset[tuple[int, int]]  #: pairs (lower first)
    mode: Literal["include", "exclude"]

    def kept(self, id_: int) -> bool:
        """Whether an id takes part: the file names it."""
        return id_ in self.ids

    def excluded(self, ids: list[int]) -> frozenset[tuple[int, int]]:
        """The pairs among ``ids`` that are left out."""
        pairs = {(a, b) for place, a in enumerate(ids) for b in ids[place + 1 :]}
        return frozenset(pairs - self.listed if self.mode == "include" else pairs & self.listed)


def read_pairs(path: Path) -> PairRules:
    """Included or excluded pairs: a ``mode`` list, or ``min``/``max`` and a square matrix."""
    lines = [line.replace(",", " ").split() for line in read_text(path).splitlines()]
    lines = [line for line in lines if line]
    try:
        if lines and lines[0][0].lower() == "mode":
            return _pair_list(lines)
        if len(lines) > 2 and lines[0][0].lower() == "min":
            return _pair_matrix(lines)
    except (ValueError, IndexError) as error:
        raise refused("circuit-pairs", file=path.name) from error
    raise refused("circuit-pairs", file=path.name)


def _pair_list(lines: list[list[str]]) -> PairRules:
    mode = lines[0][1].lower()
    if mode not in ("include", "exclude"):
        raise ValueError(mode)
    pairs = [(int(float(a)), int(float(b))) for a, b, *_ in lines[1:]]
    ids = frozenset(i for pair in pairs for i in pair if i != 0)
    listed = frozenset((min(p), max(p)) for p in pairs)
    return PairRules(ids, listed, "include" if mode == "include" else "exclude")


def _pair_matrix(lines: list[list[str]]) -> PairRules:
    low, high = float(lines[0][1]), float(lines[1][1])
    table = np.array(lines[2:], dtype=np.float64)
    ids, values = table[1:, 0].astype(int), table[1:, 1:]
    chosen = (values >= low) & (values <= high)
    rows, columns = np.nonzero(chosen | chosen.T)
    listed = {
        (int(min(ids[a], ids[b])), int(max(ids[a], ids[b])))
        for a, b in zip(rows, columns, strict=True)
        if a != b
    }
    return PairRules(frozenset(ids.tolist()), frozenset(listed), "include")
