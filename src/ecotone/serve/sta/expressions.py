"""Expressions of OData as SensorThings uses them: text to a tree, by precedence climbing."""

from __future__ import annotations

import re
from typing import Any, Final

from ecotone.model import sensorthings_times as times
from ecotone.model.odata import Call, Node, Path, Quantified, Value
from ecotone.model.sensorthings import malformed

_TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<shape>(?:geography|geometry)'(?:[^']|'')*')
    | (?P<duration>duration'(?:[^']|'')*')
    | (?P<text>'(?:[^']|'')*')
    | (?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d|\ \d\d:\d\d)?
        (?:/\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d|\ \d\d:\d\d)?)?)
    | (?P<date>\d{4}-\d\d-\d\d)
    | (?P<clock>\d\d:\d\d(?::\d\d(?:\.\d+)?)?)
    | (?P<number>\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)
    | (?P<name>(?:@iot\.id|\$?[\w\u0080-\uffff]+(?:\.[A-Za-z]+)?)
        (?:\[\d+\])*(?:/(?:@iot\.id|[\w\u0080-\uffff]+)(?:\[\d+\])*)*)
    | (?P<mark>[(),:-])
    )""",
    re.VERBOSE,
)
_BINDING: Final = {
    "or": 1,
    "and": 2,
    "eq": 4,
    "ne": 4,
    "lt": 5,
    "le": 5,
    "gt": 5,
    "ge": 5,
    "in": 5,
    "add": 6,
    "sub": 6,
    "mul": 7,
    "div": 7,
    "mod": 7,
}
#: Above ``and``, below comparisons: ``not a eq b`` denies the comparison.
_NOT: Final = 3
_DEEPEST: Final = 60
#: Operators and calls of one expression: what nobody writes by hand only costs.
_MOST: Final = 100
_LONGEST: Final = 20_000
_DURATION: Final = re.compile(
    r"(?P<sign>-)?P(?:(?P<d>\d+)D)?(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?"
)


def parse(text: str) -> Node:
    """A filter, or what to order by.

    >>> parse("result gt 3 and not (id eq 1)").name
    'and'
    """
    if len(text) > _LONGEST:
        raise malformed("sta.filter-deep")
    reader = _Reader(text)
    node = reader.expression(0, 0)
    if reader.kind != "end":
        reader.fail()
    return node


class _Reader:
    """The tokens of one text, with the current one in ``kind`` and ``word``."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._left = _MOST
        self.kind = ""
        self.word = ""
        self.advance()

    def advance(self) -> None:
        """To the next token."""
        self._start = self._at
        if not self._text[self._at :].strip():
            self.kind, self.word = "end", ""
            return
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            self.fail()
        assert found is not None
        self.kind = str(found.lastgroup)
        self.word = found[self.kind]
        self._at = found.end()

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise malformed("sta.filter-deep")

    def fail(self) -> None:
        """Say where reading stopped."""
        near = self._text[self._start : self._start + 30]
        raise malformed("sta.filter-unreadable", at=self._start + 1, near=near)

    def expression(self, least: int, depth: int) -> Node:
        """An expression whose operators bind at least so tightly."""
        if depth > _DEEPEST:
            raise malformed("sta.filter-deep")
        left = self._operand(depth + 1)
        while self.kind == "name" and _BINDING.get(self.word, 0) > least:
            name, strength = self.word, _BINDING[self.word]
            self._count()
            self.advance()
            if name == "in":
                left = self._one_of(left, depth)
            else:
                left = Call(name, (left, self.expression(strength, depth + 1)))
        return left

    def _one_of(self, left: Node, depth: int) -> Node:
        """``in (1, 2)``: equal to one of them."""
        self._expect("(")
        listed = self._operands(depth)
        if not listed:
            self.fail()
        found: Node = Call("eq", (left, listed[0]))
        for each in listed[1:]:
            self._count()
            found = Call("or", (found, Call("eq", (left, each))))
        return found

    def _operand(self, depth: int) -> Node:
        kind, word = self.kind, self.word
        if kind == "mark" and word == "(":
            self.advance()
            inner = self.expression(0, depth)
            self._expect(")")
            return inner
        if kind == "mark" and word == "-":
            self.advance()
            value = self._operand(depth)
            if isinstance(value, Value) and value.kind == "number":
                return Value("number", -value.value)
            return Call("neg", (value,))
        if kind == "name":
            return self._name(word, depth)
        if kind in ("end", "mark"):
            self.fail()
        self.advance()
        return _literal(kind, word)

    def _name(self, word: str, depth: int) -> Node:
        self.advance()
        if word == "not":
            return Call("not", (self.expression(_NOT, depth + 1),))
        if self.kind == "mark" and self.word == "(":
            self.advance()
            if word.endswith(("/any", "/all")):
                return self._quantified(word, depth)
            self._count()
            return Call(word.lower(), self._operands(depth))
        if word in ("true", "false"):
            return Value("boolean", word == "true")
        if word == "null":
            return Value("null", None)
        if word in _BINDING:
            self.fail()
        return Path(tuple(word.replace("[", "/").replace("]", "").split("/")))

    def _operands(self, depth: int) -> tuple[Node, ...]:
        found: list[Node] = []
        if self.kind == "mark" and self.word == ")":
            self.advance()
            return ()
        while True:
            found.append(self.expression(0, depth + 1))
            if self.kind == "mark" and self.word == ",":
                self.advance()
                continue
            self._expect(")")
            return tuple(found)

    def _quantified(self, word: str, depth: int) -> Node:
        names = word.split("/")
        path, every = Path(tuple(names[:-1])), names[-1] == "all"
        if self.kind == "mark" and self.word == ")":
            self.advance()
            return Quantified(path, every, "", None)
        variable = self.word
        if self.kind != "name":
            self.fail()
        self.advance()
        self._expect(":")
        condition = self.expression(0, depth + 1)
        self._expect(")")
        return Quantified(path, every, variable, condition)

    def _expect(self, mark: str) -> None:
        if self.kind != "mark" or self.word != mark:
            self.fail()
        self.advance()


def _unquoted(word: str) -> str:
    return word[word.index("'") + 1 : -1].replace("''", "'")


def _literal(kind: str, word: str) -> Value:
    match kind:
        case "text" | "shape":
            return Value(kind, _unquoted(word))
        case "number":
            plain = word.isdigit()
            return Value("number", int(word) if plain and len(word) < 19 else float(word))
        case "time":
            # A plus that nobody escaped came as a blank.
            word = word.replace(" ", "+")
            if "/" in word:
                first, last, _ = times.read_interval(word)
                return Value("interval", (first, last))
            return Value("time", times.read(word)[0])
        case "date":
            return Value("date", times.read(word + "T00:00:00Z")[0] // (86_400 * times.SECOND))
        case "clock":
            moment = times.read(f"1970-01-01T{word}Z")[0]
            return Value("clock", moment)
        case "duration":
            return Value("duration", _duration(_unquoted(word)))
    raise malformed("sta.filter-unreadable", at=1, near=word)


def _duration(text: str) -> int:
    found = _DURATION.fullmatch(text)
    if found is None:
        raise malformed("sta.time-unreadable", text=text[:60])
    parts: dict[str, Any] = {k: float(v or 0) for k, v in found.groupdict().items() if k != "sign"}
    seconds = parts["d"] * 86_400 + parts["h"] * 3600 + parts["m"] * 60 + parts["s"]
    return round(seconds * times.SECOND) * (-1 if found["sign"] else 1)
