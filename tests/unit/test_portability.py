"""Windows as well as Linux: what the code relies on, and how it speaks on other consoles."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import threading
import time
import tomllib
from pathlib import Path

import pytest

from ecotone.model.errors import StoreError
from ecotone.model.filenames import DEVICE, file_name
from ecotone.share.pseudonyms import node_key
from ecotone.store.system import (
    is_abandoned,
    is_free,
    locked,
    private,
    put_in_place,
    read_only,
    sync_folder,
)
from tests.command import ecotone

ROOT = Path(__file__).resolve().parents[2]
TREES = {
    path: ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "src").rglob("*.py"))
}
#: Modules and calls that one system alone has.
MODULES = {"fcntl", "pwd", "grp", "resource", "termios", "tty", "pty", "msvcrt", "winreg"}
CALLS = {
    "os.fork", "os.symlink", "os.link", "os.chmod", "os.chown", "os.getuid", "os.geteuid",
    "os.kill", "os.killpg", "os.mkfifo", "os.sync", "os.uname", "signal.SIGKILL", "signal.alarm",
    "signal.SIGHUP", "os.O_DIRECTORY", "os.wait", "os.waitpid", "os.sched_getaffinity",
}  # fmt: skip
METHODS = {"symlink_to", "hardlink_to", "chmod", "lchmod", "owner"}


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def test_nothing_is_relied_on_that_one_system_alone_has():
    for path, tree in TREES.items():
        if path.as_posix().endswith("store/system.py"):
            continue  # the one place that asks on which system it is
        assert not MODULES & set(imported(tree)), path
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                assert ast.unparse(node) not in CALLS, (path, ast.unparse(node))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                assert node.func.attr not in METHODS, (path, ast.unparse(node))


def test_text_is_read_and_written_in_a_named_encoding():
    """Windows would take its code page: CP1251, GBK."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                named = any(word.arg == "encoding" for word in node.keywords)
                if node.func.attr == "read_text":
                    assert named or node.args, (path, ast.unparse(node))
                if node.func.attr == "write_text":
                    assert named or len(node.args) > 1, (path, ast.unparse(node))


def test_names_of_our_own_files_fit_every_system():
    inside = [p.relative_to(ROOT) for folder in ("src", "docs", "tests", "examples", "tools")
              for p in (ROOT / folder).rglob("*") if "__pycache__" not in p.parts]  # fmt: skip
    folded = [p.as_posix().casefold() for p in inside]
    assert len(folded) == len(set(folded))
    for path in inside:
        assert not any(DEVICE.fullmatch(part) for part in path.parts), path
        assert not set(path.as_posix()) & set('<>:"|?*\\'), path
        assert len(path.as_posix()) < 150, path


@pytest.mark.parametrize(
    ("given", "made"),
    [("upper", "upper"), ("Верховье", "Верховье"), ("流域", "流域"), ("a.b-c_d", "a.b-c_d")],
)
def test_names_that_fit_stand_as_they_are(given, made):
    assert file_name(given) == made


def test_names_that_do_not_fit_are_changed_and_never_meet():
    given = [
        "a b",
        "a_b",
        "a:b",
        "a/b",
        "con",
        "CON.txt",
        "nul",
        "x" * 300,
        "x" * 301,
        "..",
        "",
        "a.",
    ]
    made = [file_name(name) for name in given]
    assert len({name.casefold() for name in made}) == len(given)
    for name in made:
        assert not DEVICE.fullmatch(name)
        assert not set(name) & set('<>:"|?*\\/ ')
        assert 0 < len(name) < 100
        assert not name.endswith(".")


@pytest.mark.parametrize("name", ["CON", "NUL", "COM1", "LPT9", "AUX"])
def test_an_institution_is_not_called_like_a_device(name, tmp_path):
    told = ecotone("init", tmp_path / "n", "--party", name, "--name", "N", "--country", "TJ")
    assert told.code == 2 and name in told.err
    assert not (tmp_path / "n").exists()


def console(codepage, lang, *arguments):
    """What a console of one code page shows."""
    pty = pytest.importorskip("pty", reason="there are no pseudo-terminals here")
    ours, theirs = pty.openpty()
    env = {**os.environ, "PYTHONIOENCODING": codepage, "PYTHONUTF8": "0", "ECOTONE_LANG": lang}
    with subprocess.Popen(
        [sys.executable, "-m", "ecotone.cli", *arguments],
        stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=env,
    ) as process:  # fmt: skip
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:
                break  # the other side has gone
            if not piece:
                break
            shown += piece
    os.close(ours)
    return process.returncode, shown.decode(codepage)


@pytest.mark.parametrize(
    ("codepage", "lang", "word"),
    [
        ("gbk", "zh", "野外原始文件"),
        ("cp866", "ru", "полевых файлов"),
        ("cp1251", "ru", "полевых файлов"),
        ("cp866", "zh", "ecotone"),
        ("ascii", "ru", "ecotone"),
    ],
)
def test_a_console_of_a_code_page_shows_its_own_letters(codepage, lang, word):
    code, shown = console(codepage, lang, "--help")
    assert code == 0
    assert word in shown
    assert "Traceback" not in shown
    code, shown = console(codepage, lang, "ingest", "no-such-file.csv", "--dataset", "x")
    assert code in (2, 3)
    assert "Traceback" not in shown


@pytest.mark.parametrize(
    ("codepage", "lang", "read", "kept"),
    [("gbk", "zh", "接受", "备份"), ("cp866", "ru", "принято", "Копия"),
     ("cp1251", "ru", "принято", "Копия")],
)  # fmt: skip
def test_what_is_told_beside_a_bar_of_progress_is_in_the_code_page_too(
    tmp_path, codepage, lang, read, kept
):
    from tests.nodes import new_node

    new_node(tmp_path / "node").close()
    path = tmp_path / "станция-站.csv"
    path.write_bytes(b"site,date\r\nS-1,2024-05-13\r\n")
    for word, arguments in (
        (read, ["ingest", str(path), "--dataset", "kncm-water", "--node", str(tmp_path / "node")]),
        (kept, ["backup", str(tmp_path / "b.zip"), "--node", str(tmp_path / "node")]),
    ):
        code, shown = console(codepage, lang, *arguments)
        assert code == 0 and word in shown, shown


@pytest.mark.parametrize("codepage", ["gbk", "cp866", "cp1251"])
def test_what_goes_into_a_file_or_a_pipe_is_utf8(codepage):
    env = {**os.environ, "PYTHONIOENCODING": codepage, "PYTHONUTF8": "0", "ECOTONE_LANG": "zh"}
    done = subprocess.run(
        [sys.executable, "-m", "ecotone.cli", "--help"], env=env, capture_output=True, check=True
    )
    assert "野外原始文件" in done.stdout.decode("utf-8")


def test_the_key_of_readers_is_made_once_and_a_broken_one_is_told(tmp_path, monkeypatch):
    found = []
    threads = [threading.Thread(target=lambda: found.append(node_key(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len(set(found)) == 1 and len(found[0]) == 32
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    (tmp_path / "keys" / "pseudonyms.key").write_bytes(b"half")
    with pytest.raises(StoreError, match=r"pseudonyms\.key"):
        node_key(tmp_path)


def pins(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    pairs = (line.split(" ")[0].split("==") for line in lines if "==" in line)
    return {name.lower().replace("_", "-"): version for name, version in pairs}


def test_locks_hold_what_the_constraints_say():
    """``make locks`` after any change of these; `make locks` itself proves that all are wheels."""
    pinned = pins(ROOT / "constraints.txt")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["serve"]
    names = {w.split(">")[0].split("[")[0].lower().replace("_", "-") for w in wanted}
    paths = sorted((ROOT / "locks").glob("*.txt"))
    systems = ("linux-x86_64", "windows-amd64", "macos-arm64")
    assert {p.stem for p in paths} == {f"{s}-3.{v}" for s in systems for v in (11, 12, 13)}
    for path in paths:
        here = pins(path)
        assert names <= here.keys(), names - here.keys()
        assert {n: v for n, v in here.items() if n in pinned} == {
            n: pinned[n] for n in here if n in pinned
        }
        assert "://" not in path.read_text(encoding="utf-8")


def test_a_file_that_somebody_reads_is_replaced_a_moment_later(tmp_path, monkeypatch):
    monkeypatch.setattr("ecotone.store.system._POSIX", False)
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    old, fresh = tmp_path / "head", tmp_path / "fresh"
    old.write_bytes(b"1")
    fresh.write_bytes(b"2")
    plain = Path.replace

    def held(self, target):
        if len(waited) < 2:
            raise PermissionError
        return plain(self, target)

    monkeypatch.setattr(Path, "replace", held)
    put_in_place(fresh, old)
    assert old.read_bytes() == b"2" and len(waited) == 2


def test_a_process_that_cannot_be_asked_after_is_given_a_day(tmp_path, monkeypatch):
    """On Windows the question whether a process lives would end it."""
    monkeypatch.setattr("ecotone.store.system._POSIX", False)
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("a process was sent a signal"))
    staged = tmp_path / "file-1-x"
    staged.write_bytes(b"")
    assert not is_abandoned(staged, "1")
    os.utime(staged, (0, 0))
    assert is_abandoned(staged, "1")
    assert is_abandoned(tmp_path / "gone", "1")
    with locked(tmp_path / "lock"):
        pass
    assert is_free(tmp_path / "lock") and is_free(tmp_path / "lock")
    read_only(staged)
    private(tmp_path)
    sync_folder(tmp_path)
    staged.unlink()
