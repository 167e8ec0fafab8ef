"""The command line, run inside the test's own process."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

import pytest


@dataclass(frozen=True)
class Told:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must be one JSON document and nothing else."""
        return json.loads(self.out)


@contextmanager
def speaking(lang: str) -> Iterator[None]:
    """Commands in one language; help is made when they are loaded and stays as it is."""
    from ecotone.cli.language import language

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECOTONE_LANG", lang)
        language.cache_clear()
        try:
            yield
        finally:
            language.cache_clear()


def ecotone(*arguments: object) -> Told:
    """Run ``ecotone ARGUMENTS``."""
    from ecotone.cli.app import run

    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            run([str(a) for a in arguments])
        except SystemExit as leaving:
            code = leaving.code
    assert "Traceback" not in err.getvalue()
    return Told(int(code or 0), out.getvalue(), err.getvalue())
