"""Office files are zip archives; here they lose the time at which they were made."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime
from typing import Final

_MODIFIED: Final = re.compile(
    rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)", flags=re.DOTALL
)


def settle(data: bytes, made: datetime) -> bytes:
    """The same archive with entries in order of name, and one fixed time everywhere."""
    stamp = made.strftime("%Y-%m-%dT%H:%M:%SZ").encode("ascii")
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as given,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as kept,
    ):
        # The list of contents comes first: some readers look for it there.
        names = sorted(given.namelist(), key=lambda n: (n != "[Content_Types].xml", n))
        for name in names:
            content = given.read(name)
            if name == "docProps/core.xml":
                content = _MODIFIED.sub(rb"\g<1>" + stamp + rb"\g<2>", content)
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o600 << 16
            kept.writestr(entry, content)
    return out.getvalue()
