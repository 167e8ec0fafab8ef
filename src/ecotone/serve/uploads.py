"""Files handed in through the portal, from the drop to the commit.

A file lies in a folder of its own outside the node until it is accepted or discarded, or its
time is up. A half-finished upload never gets that far: the server's parser drops it.
"""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from ecotone.model.errors import Withheld
from ecotone.model.filenames import DEVICE
from ecotone.model.words import say
from ecotone.serve.checked import Checked

_FORGET: Final = 4 * 3600.0
_BLOCK: Final = 1 << 20
_FORBIDDEN: Final = re.compile('[\x00-\x1f\x7f-\x9f/\\\\:<>"|?*\u202a-\u202e\u2066-\u2069]')


def safe_file_name(given: str) -> str:
    """The user's own name of a file, as any system can keep it."""
    last = given.replace("\\", "/").rpartition("/")[2]
    name = _FORBIDDEN.sub("_", last).strip(" .")
    stem, dot, ending = name.rpartition(".")
    # File systems count bytes, and a Chinese sign has three.
    short = stem.encode()[: 200 - len(ending.encode()[:20])].decode("utf-8", "ignore")
    name = f"{short}{dot}{ending[:20]}" if dot else ending.encode()[:200].decode("utf-8", "ignore")
    return f"_{name}" if not name or DEVICE.fullmatch(name) else name


@dataclass
class Upload:
    """One file of one person, waiting to be accepted."""

    upload_id: str
    person: str
    party: str
    folder: Path
    name: str
    dataset: str
    job: str = ""
    checked: Checked | None = None
    begun: float = field(default_factory=time.monotonic)

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.folder / self.name


class Uploads:
    """The files that wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Upload] = {}

    def take(
        self, stream: IO[bytes], name: str, *, person: str, party: str, dataset: str
    ) -> Upload:
        """Keep a file that has come whole."""
        self._forget()
        folder = Path(tempfile.mkdtemp(prefix="ecotone-upload-"))
        try:
            upload = Upload(
                secrets.token_urlsafe(12), person, party, folder, safe_file_name(name), dataset
            )
            with upload.path.open("xb") as out:
                shutil.copyfileobj(stream, out, _BLOCK)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        with self._lock:
            self._known[upload.upload_id] = upload
        return upload

    def find(self, upload_id: str, person: str) -> Upload:
        """A person's own upload; Withheld for any other's, there or not."""
        found = self._known.get(upload_id)
        if found is None or found.person != person:
            raise Withheld(say("portal.work-gone"), say("portal.work-gone.do"))
        return found

    def drop(self, upload: Upload) -> None:
        """Forget a file."""
        with self._lock:
            self._known.pop(upload.upload_id, None)
        shutil.rmtree(upload.folder, ignore_errors=True)

    def close(self) -> None:
        """Forget every file."""
        for upload in list(self._known.values()):
            self.drop(upload)

    def _forget(self) -> None:
        now = time.monotonic()
        for upload in [u for u in self._known.values() if now - u.begun > _FORGET]:
            self.drop(upload)
