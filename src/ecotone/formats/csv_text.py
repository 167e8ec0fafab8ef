"""Bytes of a table, whatever their encoding, as a stream of UTF-8.

A declared encoding is believed, unless a byte-order mark says otherwise. Without one, text is
taken as it comes while it is ASCII; at the first other byte it is UTF-8 if it is valid UTF-8,
and else it is guessed, and the guess is told. Bytes that cannot be decoded become one byte that
UTF-8 never has, so that the rows that hold them can be set aside one by one.
"""

from __future__ import annotations

import codecs
import functools
import re
from typing import Any, BinaryIO, Final

from ecotone.formats.base import Report, refused
from ecotone.formats.csv_scan import BAD_BYTE
from ecotone.model.finding import Finding, Severity

_BOMS: Final = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
#: Subsets are read as the set that holds them: writers seldom keep to the subset.
_WIDER: Final = {"gb2312": "gb18030", "gbk": "gb18030", "ascii": "utf-8", "iso8859-1": "cp1252"}
_NOT_TEXT: Final = frozenset(
    {"unicode-escape", "raw-unicode-escape", "undefined", "idna", "punycode", "utf-7", "mbcs"}
)
_BAD: Final = bytes((BAD_BYTE,))
_REPLACEMENT: Final = "\ufffd".encode()
_NOT_ASCII: Final = re.compile(rb"[\x80-\xff]")
_SAMPLE: Final = 1 << 18
#: Bytes behind the first letter that is not ASCII on which a guess may stand.
_ENOUGH: Final = 1 << 12
_LEAST_LIKELY: Final = 0.6


def known_encoding(name: str) -> str:
    """The name Python knows an encoding by; a refusal for one it does not."""
    try:
        found = codecs.lookup(name.strip()).name
        b"text".decode(found, "ignore")  # codecs that are no encodings of text refuse this
    except (LookupError, ValueError) as error:
        raise refused("encoding-unknown", value=name) from error
    if found in _NOT_TEXT:
        raise refused("encoding-unknown", value=name)
    return _WIDER.get(found, found)


class TextStream:
    """A member's letters as UTF-8 bytes, without byte-order mark."""

    def __init__(self, raw: BinaryIO, declared: str | None, member: str, report: Report) -> None:
        self._raw = raw
        self._member = member
        self._report = report
        self.encoding: str | None = None if declared is None else known_encoding(declared)
        self._decoder: Any = None
        self._started = False
        self._tail = b""
        self.ended = False

    def read(self, size: int) -> bytes:
        """About ``size`` bytes; b'' only at the end."""
        while not self.ended:
            data = self._raw.read(size)
            self.ended = not data
            if not self._started:
                data = self._start(data)
            piece = self._letters(data)
            if piece:
                return piece
        return b""

    def _start(self, data: bytes) -> bytes:
        self._started = True
        for mark, encoding in _BOMS:
            if data.startswith(mark):
                if self.encoding is not None and not encoding.startswith(self.encoding):
                    self._tell("encoding-contradicted", found=encoding, declared=self.encoding)
                self.encoding = encoding
                return data[len(mark) :]
        if self.encoding == "utf-16":
            self.encoding = "utf-16-le"
        if self.encoding is None:
            self.encoding = _wide(data)
            if self.encoding is not None:
                self._tell("encoding-guessed", encoding=self.encoding)
        return data

    def _letters(self, data: bytes) -> bytes:
        if self.encoding is None:
            if data.isascii():
                return data
            data = self._enough(data)
            self.encoding = self._decide(data)
        if self.encoding in ("utf-8", "utf-8-sig"):
            return self._utf8(data)
        if self._decoder is None:
            self._decoder = codecs.getincrementaldecoder(self.encoding)("replace")
        text: str = self._decoder.decode(data, self.ended)
        return text.encode("utf-8", "replace").replace(_REPLACEMENT, _BAD)

    def _enough(self, data: bytes) -> bytes:
        """More bytes, where the first letter that is not ASCII came at the very end."""
        first = _NOT_ASCII.search(data)
        while first is not None and len(data) - first.start() < _ENOUGH and not self.ended:
            more = self._raw.read(_ENOUGH)
            self.ended = not more
            data += more
        return data

    def _decide(self, data: bytes) -> str:
        """UTF-8 where the bytes are (nearly all) UTF-8, else the likeliest, said aloud."""
        first = _NOT_ASCII.search(data)
        start = data.rfind(b"\n", 0, first.start()) + 1 if first is not None else 0
        sample = data[start : start + _SAMPLE]
        text = sample.decode("utf-8", "replace")
        wrong = text.count("\ufffd")
        right = sum(map(len, re.findall("[^\0-\x7f\ufffd]+", text)))
        if wrong * 4 <= right or wrong == 0:
            return "utf-8"
        likely = guess(sample)
        if likely is None:
            return "utf-8"
        self._tell("encoding-guessed", encoding=likely)
        return likely

    def _utf8(self, data: bytes) -> bytes:
        data = self._tail + data
        self._tail = b""
        if data.isascii():
            return data
        try:
            str(data, "utf-8")
        except UnicodeDecodeError as error:
            cut = error.end == len(data) and error.reason.startswith("unexpected end")
            if cut and not self.ended:
                self._tail = data[error.start :]
                return data[: error.start]
        else:
            return data
        keep = 0 if self.ended else _unfinished(data)
        self._tail = data[len(data) - keep :] if keep else b""
        text = data[: len(data) - keep].decode("utf-8", "surrogateescape")
        # A noncharacter stands in while the letters go back to bytes.
        marked = re.sub("[\udc80-\udcff]+", "\ufdd0", text).encode("utf-8")
        return marked.replace("\ufdd0".encode(), _BAD)

    def _tell(self, code: str, **params: str) -> None:
        shown = {name: _title(encoding) for name, encoding in params.items()}
        self._report(Finding(code, Severity.WARNING, file=self._member, params=shown))


def _unfinished(data: bytes) -> int:
    """How many bytes at the end begin a letter of UTF-8 that is not complete."""
    for back in range(1, min(3, len(data)) + 1):
        byte = data[-back]
        if byte >= 0xC0:
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return back if back < length else 0
        if byte < 0x80:
            return 0
    return 0


def _title(encoding: str) -> str:
    """An encoding's name as people write it."""
    known = {"cp1251": "windows-1251", "cp1252": "windows-1252", "cp866": "DOS 866"}
    return known.get(encoding, encoding.upper())


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark: in most scripts every second byte of delimiters and digits is 0."""
    head = data[:4096]
    zeros = (head[::2].count(0), head[1::2].count(0))
    half = max(len(head) // 2, 1)
    for wanted, other, encoding in ((1, 0, "utf-16-le"), (0, 1, "utf-16-be")):
        if len(head) >= 4 and zeros[wanted] > 0.3 * half and zeros[other] < 0.05 * half:
            return encoding
    return None


def guess(sample: bytes) -> str | None:
    """The likeliest encoding of text that is not UTF-8, or None when none is likely.

    Chinese is judged by its share of the 3,755 commonest characters, Cyrillic by words shaped
    as words are (one capital and small letters, or all capitals), Latin by accented letters
    among plain ones.
    """
    sample = sample[: sample.rfind(b"\n") + 1] or sample
    scores = {"gb18030": _chinese(sample)}
    scores |= {name: _cyrillic(sample, name) for name in ("cp1251", "cp866", "koi8-r")}
    scores["cp1252"] = _latin(sample)
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] >= _LEAST_LIKELY else None


@functools.cache
def _common_characters() -> frozenset[str]:
    """Level 1 of GB 2312-1980, ordered by use, its punctuation, and the Cyrillic beside it."""
    leads = (*range(0xB0, 0xD8), 0xA1, 0xA3, 0xA7)
    codes = (bytes((lead, trail)) for lead in leads for trail in range(0xA1, 0xFF))
    return frozenset("".join(code.decode("gb2312", "ignore") for code in codes))


def _chinese(sample: bytes) -> float:
    text = sample.decode("gb18030", "replace")
    letters = re.findall("[^\0-\x7f]", text)
    common = _common_characters()
    wrong = text.count("\ufffd")
    return sum(c in common for c in letters) / max(len(letters) + 3 * wrong, 1)


_WORD: Final = re.compile(
    "(?<![A-Za-z])[«„“№–—°…]*(?:[А-ЯЁІЇЄҐЎ]?[а-яёіїєґў]+|[А-ЯЁІЇЄҐЎ]+)[»“”°…–—]*(?![A-Za-z])"
)
_RUN: Final = re.compile("[^\0-\x7f]+")


def _cyrillic(sample: bytes, encoding: str) -> float:
    text = sample.decode(encoding, "replace")
    shaped = total = 0
    for run in _RUN.finditer(text):
        total += len(run[0])
        whole = _WORD.match(text, run.start())
        if whole is not None and whole.end() >= run.end():
            shaped += len(run[0])
    return shaped / max(total, 1)


def _latin(sample: bytes) -> float:
    text = sample.decode("cp1252", "replace")
    accented = len(re.findall("(?:(?<=[A-Za-z])[À-ÿ]|[À-ÿ](?=[A-Za-z]))", text))
    # Shy of the others: accents are rare among plain letters, so a full score means little.
    return 0.9 * accented / max(len(re.findall("[^\0-\x7f]", text)), 1)
