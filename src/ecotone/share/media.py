"""Photographs below level full: drawn again, without what the camera wrote beside the picture.

A file from a camera tells its place, serial number and second in EXIF, XMP, IPTC, maker notes and
an embedded preview of its own. None of these can be edited out with certainty, so nothing of the
file is kept: the pixels are decoded, turned upright, made no larger than asked and encoded anew.
Marks burnt into the picture (most camera traps print the time on a strip) are not seen by this
module: ``strip`` cuts a share of the lower and upper edge away.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from ecotone.model.errors import InputRefused
from ecotone.model.words import say

#: What cameras and laboratories write. Nothing else is opened: some kinds of picture are programs.
_FORMATS: Final = ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF")
#: Pixels beyond which a file is taken for a bomb and not decoded.
_MOST_PIXELS: Final = 120_000_000
_QUALITY: Final = 85


@dataclass(frozen=True)
class Look:
    """How a released picture looks: longest side in pixels, share of height cut at each edge."""

    longest: int = 1024
    strip: float = 0.08


THUMBNAIL: Final = Look(longest=256)


def released_image(path: Path, look: Look = Look()) -> bytes:
    """A picture as JPEG bytes that hold pixels and nothing else.

    The same file gives the same bytes. Raises InputRefused for what is no picture.
    """
    try:
        with Image.open(path, formats=_FORMATS) as source:
            if source.width * source.height > _MOST_PIXELS:
                raise InputRefused(say("share.media-too-large", path=path.name))
            upright = ImageOps.exif_transpose(source).convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputRefused(say("share.media-unreadable", path=path.name)) from error
    cut = round(upright.height * look.strip)
    inner = upright.crop((0, cut, upright.width, max(upright.height - cut, cut + 1)))
    inner.thumbnail((look.longest, look.longest))
    # A new image takes over pixels alone: no profile, no comment, no segment of the old file.
    bare = Image.new("RGB", inner.size)
    bare.paste(inner)
    out = io.BytesIO()
    bare.save(out, "JPEG", quality=_QUALITY, optimize=False, progressive=False)
    return out.getvalue()


def released_name(pseudonym: str) -> str:
    """The name of a released picture: its record's identifier for this reader, nothing of its own.

    >>> released_name("~0a1b")
    '0a1b.jpg'
    """
    return f"{pseudonym.removeprefix('~')}.jpg"
