"""MQTT 3.1.1 as far as sensors need it: packets to bytes and back (OASIS, 29 October 2014).

Nothing here knows what a topic means or who may read it.
"""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass, field
from typing import Final

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = range(1, 8)
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = range(8, 15)
#: Answers to CONNECT.
ACCEPTED, WRONG_VERSION, _, _, BAD_LOGIN, NOT_ALLOWED = range(6)
#: An answer to SUBSCRIBE: this topic is not for you, or is none.
REFUSED: Final = 0x80
LARGEST: Final = 4 << 20


class Broken(ValueError):
    """Bytes that are no MQTT: the connection ends."""


@dataclass(frozen=True)
class Packet:
    """One packet: its kind, the four bits beside it, and what follows."""

    kind: int
    flags: int
    body: bytes


@dataclass(frozen=True)
class Connect:
    """Who connects; ``level`` is that of the protocol, 4 for 3.1.1."""

    level: int
    client: str
    keep_alive: int
    user: str | None
    password: str | None


@dataclass(frozen=True)
class Publish:
    """A message; ``number`` is 0 where the sender wants no answer."""

    topic: str
    payload: bytes
    quality: int
    number: int


@dataclass
class _Cursor:
    body: bytes
    at: int = field(default=0)

    def take(self, length: int) -> bytes:
        part = self.body[self.at : self.at + length]
        if len(part) != length:
            raise Broken
        self.at += length
        return part

    def number(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def octets(self) -> bytes:
        return self.take(self.number())

    def text(self) -> str:
        try:
            found = self.octets().decode()
        except UnicodeDecodeError as error:
            raise Broken from error
        if "\0" in found:
            raise Broken
        return found

    @property
    def left(self) -> bool:
        return self.at < len(self.body)


async def read(stream: asyncio.StreamReader) -> Packet:
    """The next packet."""
    first = (await stream.readexactly(1))[0]
    length = shift = 0
    while True:
        octet = (await stream.readexactly(1))[0]
        length |= (octet & 127) << shift
        shift += 7
        if not octet & 128:
            break
        if shift > 21:
            raise Broken
    if length > LARGEST:
        raise Broken
    return Packet(first >> 4, first & 15, await stream.readexactly(length))


def connect(packet: Packet) -> Connect:
    """What a client says of itself."""
    cursor = _Cursor(packet.body)
    name, level, flags = cursor.text(), cursor.take(1)[0], cursor.take(1)[0]
    keep_alive = cursor.number()
    if level != 4 or name != "MQTT":
        return Connect(level, "", keep_alive, None, None)
    client = cursor.text()
    if flags & 4:
        cursor.octets()
        cursor.octets()
    user = cursor.text() if flags & 128 else None
    password = cursor.text() if flags & 64 else None
    return Connect(level, client, keep_alive, user, password)


def publish(packet: Packet) -> Publish:
    """A message that came."""
    cursor = _Cursor(packet.body)
    quality = packet.flags >> 1 & 3
    if quality == 3:
        raise Broken
    topic = cursor.text()
    number = cursor.number() if quality else 0
    return Publish(topic, packet.body[cursor.at :], quality, number)


def topics(packet: Packet, *, asked: bool) -> tuple[int, list[str]]:
    """The number of a SUBSCRIBE or UNSUBSCRIBE and its topics; ``asked``: with qualities."""
    cursor = _Cursor(packet.body)
    number, found = cursor.number(), []
    while cursor.left:
        found.append(cursor.text())
        if asked:
            cursor.take(1)
    if not found:
        raise Broken
    return number, found


def numbered(kind: int, number: int, more: bytes = b"") -> bytes:
    """An answer to the packet with this number."""
    return encoded(kind, 2 if kind == PUBREL else 0, struct.pack(">H", number) + more)


def message(topic: str, payload: bytes) -> bytes:
    """A message to a subscriber, which is not answered."""
    name = topic.encode()
    return encoded(PUBLISH, 0, struct.pack(">H", len(name)) + name + payload)


def encoded(kind: int, flags: int, body: bytes) -> bytes:
    """A packet as bytes."""
    length, octets = len(body), bytearray([kind << 4 | flags])
    while True:
        length, rest = divmod(length, 128)
        octets.append(rest | (128 if length else 0))
        if not length:
            return bytes(octets) + body
