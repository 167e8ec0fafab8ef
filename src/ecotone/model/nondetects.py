"""How laboratories write that nothing was found, in the languages of the field.

A limit may stand behind a word ("ND (0.5)", "менее 0,5", "低于0.5") or before a letter ("0.5U" in
US reports, "0.05L" in Chinese ones); or nothing but the word is there. A trace was seen but not
quantified: of its value as little is known as of what was not seen.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_MARKS: Final = frozenset(
    {"nd", "n.d.", "n.d", "bdl", "bql", "<dl", "<lod", "<loq", "not detected", "н/о", "н.о.",
     "не обн.", "не обнаружено", "未检出", "低于检出限", "<mdl", "<pql", "<rl", "none detected",
     "non-detect", "nondetect", "non detect", "u", "нпо", "ниже по", "ниже предела обнаружения",
     "менее по", "нд", "н.д.", "не определен", "не определено", "не обнаружен", "не обнаружена",
     "не обнаружены", "nd.", "bld", "blq", "bmdl", "below detection limit", "below detection",
     "below dl", "< dl", "< lod", "< mdl", "< rl", "小于检出限", "＜检出限", "<检出限", "未检测出",
     "trace", "traces", "tr.", "следы", "сл.", "痕量", "微量"}
)  # fmt: skip
_NUMBER: Final = r"([\d.,]+(?:[eE][+-]?\d+)?)"
_BEHIND: Final = re.compile(
    r"(?:nd|n\.d\.?|bdl|bql|u|below|less than|under|нпо|н/о|не обн\.?|менее|ниже|не более чем"
    rf"|меньше|未检出|低于|小于|少于)\s*[:(（\[]?\s*[<≤]?\s*{_NUMBER}\s*[)）\]]?",
    re.IGNORECASE,
)
#: A litre is an L as well: only one that hangs on the number is a mark.
_BEFORE: Final = re.compile(rf"[<≤]?\s*{_NUMBER}(?:L|\s*(?:U|ND|nd|Nd|N\.D\.?|BDL|bdl))")


def is_mark(text: str) -> bool:
    """Whether a text says that nothing was found, and no more.

    >>> is_mark("ND"), is_mark("не обнаружено"), is_mark("未检出"), is_mark("0.5")
    (True, True, True, False)
    """
    return _plain(text).casefold() in _MARKS


def limit_in(text: str) -> str | None:
    """The number of the limit below which nothing was found; None where the text tells none.

    >>> limit_in("ND (0.5)"), limit_in("менее 0,05"), limit_in("0.05L"), limit_in("5 L")
    ('0.5', '0,05', '0.05', None)
    """
    plain = _plain(text)
    for pattern in (_BEHIND, _BEFORE):
        if found := pattern.fullmatch(plain):
            return found[1]
    return None


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())
