"""Numbers, dates, units and intervals as each language writes them.

English as an international secretariat writes it (1,234.5; 21 November 2026),
Russian with a comma and no-break spaces (1 234,5), Chinese with its own date
form. A number never parts from its unit at a line end.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import date
from typing import Final

from babel.dates import format_date
from babel.numbers import format_decimal

from ecotone.model import words
from ecotone.model.words import Language
from ecotone.report.document import Quantity

LOCALES: Final = {"en": "en_GB", "zh": "zh_Hans_CN", "ru": "ru_RU"}
NBSP: Final = "\u00a0"
MINUS: Final = "\u2212"
_SUPERSCRIPT: Final = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_LARGEST_PLAIN: Final = 1e15
_SMALLEST_PLAIN: Final = 1e-6


def number(value: float | int | None, lang: Language, decimals: int | None = None) -> str:
    """A number with ``decimals`` places (found from the value when None)."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if math.isinf(value):
        return f"{MINUS if value < 0 else ''}∞"
    places = decimals_for([value]) if decimals is None else decimals
    size = abs(value)
    if size >= _LARGEST_PLAIN or (0 < size < _SMALLEST_PLAIN and places > 0):
        return _scientific(value, lang)
    pattern = "#,##0" + ("." + "0" * places if places else "")
    text = format_decimal(value, format=pattern, locale=LOCALES[lang])
    if not any(c in "123456789" for c in text):
        text = text.lstrip("-")  # a rounded-away negative is zero, not "-0.0"
    return text.replace("-", MINUS).replace("\u202f", NBSP)


def _scientific(value: float, lang: Language) -> str:
    """``1.2 × 10⁻⁹``."""
    mantissa, exponent = f"{value:.1e}".split("e")
    shown = format_decimal(float(mantissa), format="0.0", locale=LOCALES[lang])
    power = str(int(exponent)).translate(_SUPERSCRIPT)
    return f"{shown}{NBSP}×{NBSP}10{power}".replace("-", MINUS)


def exact(value: float | int, lang: Language) -> str:
    """A number as it was given, with no digit added or lost: ``0.95``, ``0.1``."""
    fraction = f"{value:.12g}".partition(".")[2]
    return number(value, lang, len(fraction) if fraction.isdigit() else None)


def decimals_for(values: Iterable[float | int | None], digits: int = 3) -> int:
    """Places that show ``digits`` significant digits of the typical number, at most 6."""
    sizes = sorted(abs(v) for v in values if v is not None and math.isfinite(v) and v != 0)
    if not sizes or all(float(v).is_integer() for v in sizes):
        return 0
    typical = sizes[len(sizes) // 2]
    return max(0, min(6, digits - 1 - math.floor(math.log10(typical))))


def displayed(given: Quantity) -> Quantity:
    """The quantity as it is read: a share as a percentage, all else as it is."""
    if not given.share:
        return given

    def hundredfold(value: float | None) -> float | None:
        return None if value is None else 100 * value

    return Quantity(
        hundredfold(given.value),
        "%",
        hundredfold(given.low),
        hundredfold(given.high),
        given.level,
        hundredfold(given.se),
    )


#: Places of longitudes and latitudes: 11 m.
DEGREE_PLACES: Final = 4


def decimals_of(quantity: Quantity) -> int:
    """Places for a number and its interval: two digits of the uncertainty, no more."""
    quantity = displayed(quantity)
    spread = _spread(quantity)
    if quantity.value is None:
        return 0
    if quantity.unit == "degree":
        return DEGREE_PLACES
    if spread and math.isfinite(spread):
        return max(0, min(6, 1 - math.floor(math.log10(spread))))
    return decimals_for([quantity.value])


def _spread(quantity: Quantity) -> float | None:
    if quantity.low is not None and quantity.high is not None:
        return abs(quantity.high - quantity.low) / 2
    bound = quantity.low if quantity.high is None else quantity.high
    if bound is not None and quantity.value is not None:
        return abs(quantity.value - bound)
    return quantity.se


def unit(name: str, lang: Language) -> str:
    """A unit as printed: ``m3 s-1`` becomes ``m³ s⁻¹``; names and symbols are translated."""
    if name in {"", "1"}:
        return ""
    if words.has(f"unit.{name}"):
        return words.say(f"unit.{name}", lang)
    head, mark, basis = name.partition(" as ")
    if mark:
        return words.say("report.unit.as", lang, unit=unit(head, lang), basis=basis)
    raised = re.sub(
        r"(?<=[A-Za-zµΩ°%])(?:\*\*|\^)?(-?\d+)", lambda m: m[1].translate(_SUPERSCRIPT), name
    )
    known = re.sub(
        r"[A-Za-z]+",
        lambda m: words.say(f"unit.{m[0]}", lang) if words.has(f"unit.{m[0]}") else m[0],
        raised,
    )
    return known.replace(" ", NBSP)


def with_unit(value: float | int | None, name: str, lang: Language, decimals: int) -> str:
    """A number and its unit, joined by a space that does not break."""
    return joined(number(value, lang, decimals), name, lang)


def joined(text: str, name: str, lang: Language) -> str:
    """A number already written and its unit."""
    shown = unit(name, lang)
    if not shown:
        return text
    if shown == "%" and lang in {"zh"}:
        return f"{text}%"
    return f"{text}{NBSP}{shown}"


def interval(quantity: Quantity, lang: Language) -> str:
    """``95 % CI 10.1 to 14.5``, or nothing when no interval is known."""
    quantity = displayed(quantity)
    if quantity.low is None and quantity.high is None:
        return ""
    places = decimals_of(quantity)
    level = number(100 * (quantity.level or 0.95), lang, None)
    if quantity.low is None or quantity.high is None:
        key = "report.interval.above" if quantity.high is None else "report.interval.below"
        bound = quantity.low if quantity.high is None else quantity.high
        return words.say(key, lang, level=level, bound=number(bound, lang, places))
    return words.say(
        "report.interval",
        lang,
        level=level,
        low=number(quantity.low, lang, places),
        high=number(quantity.high, lang, places),
    )


def bounds(given: Quantity, lang: Language, decimals: int | None = None) -> str:
    """``10.1–14.5``, for the small line under a number in a table."""
    given = displayed(given)
    if given.low is None and given.high is None:
        return ""
    places = decimals_of(given) if decimals is None else decimals
    low = f"{MINUS}∞" if given.low is None else number(given.low, lang, places)
    high = "∞" if given.high is None else number(given.high, lang, places)
    return f"{low} … {high}" if MINUS in low + high else f"{low}–{high}"


def quantity(given: Quantity, lang: Language) -> str:
    """``12.3 mg/L (95 % CI 10.1 to 14.5)``."""
    if given.value is None:
        return words.say("report.undefined", lang)
    given = displayed(given)
    text = with_unit(given.value, given.unit, lang, decimals_of(given))
    bounds = interval(given, lang)
    if not bounds:
        return text
    return f"{text}（{bounds}）" if lang == "zh" else f"{text} ({bounds})"


def listed(names: Iterable[str], lang: Language) -> str:
    """Names one after the other: ``a, b``, or ``a、b`` in Chinese."""
    return ("、" if lang == "zh" else ", ").join(names)


def semicolons(parts: Iterable[str], lang: Language) -> str:
    """Short statements in one sentence."""
    return "；".join(parts) + "。" if lang == "zh" else "; ".join(parts) + "."


def comma(first: str, second: str, lang: Language) -> str:
    """Two phrases with the language's comma between them."""
    return f"{first}，{second}" if lang == "zh" else f"{first}, {second}"


def day(on: date, lang: Language) -> str:
    """``21 November 2026``, ``2026年11月21日``, ``21 ноября 2026 г.``."""
    return str(format_date(on, format="long", locale=LOCALES[lang])).replace("\u202f", NBSP)


def short_day(on: date) -> str:
    """The form of tables, the same everywhere: ISO 8601."""
    return on.isoformat()
