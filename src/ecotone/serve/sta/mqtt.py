"""MQTT of the server's own: subscribers learn what they may see, publishers create what is theirs.

A broker beside the server would carry everything to everybody who knows a topic. This one asks the
door for each topic and each message. It speaks MQTT 3.1.1 and sends once (quality 0); what is
published with quality 1 or 2 is acknowledged when it is on the disk. Any broker can be bridged to
it, with a token for a password.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from starlette.concurrency import run_in_threadpool

from ecotone.model.errors import EcotoneError
from ecotone.serve.sta import arrays, changes, packets, topics
from ecotone.serve.sta.packets import Broken, Packet
from ecotone.serve.sta.render import Renderer
from ecotone.serve.sta.who import NOBODY, Who
from ecotone.share.sensorthings import Done, Sensing

#: Who comes with this name and password.
Known = Callable[[str, str], Who]
_MOST_TOPICS: Final = 500
_FIRST_SECONDS: Final = 15
#: Bytes that may wait for a subscriber that does not read; then it is let go.
_MOST_WAITING: Final = 16 << 20


@dataclass(eq=False)
class _Client:
    who: Who
    writer: asyncio.StreamWriter
    watched: dict[str, topics.Watch] = field(default_factory=dict)
    received: set[int] = field(default_factory=set)


class Broker:
    """Listens on one port; told of every commit."""

    def __init__(self, sensing: Sensing, known: Known, root: str) -> None:
        self._sensing = sensing
        self._known = known
        self._root = root
        self._clients: set[_Client] = set()
        self._server: asyncio.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._commits: asyncio.Queue[Done] = asyncio.Queue()
        self._teller: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int) -> int:
        """Begin to listen; returns the port."""
        self._loop = asyncio.get_running_loop()
        self._server = await asyncio.start_server(self._serve, host, port)
        self._teller = asyncio.create_task(self._tell())
        self._sensing.listen(self._committed)
        port_of: int = self._server.sockets[0].getsockname()[1]
        return port_of

    async def stop(self) -> None:
        """Let everybody go."""
        self._sensing.listen(None)
        if self._server is not None:
            self._server.close()
        for client in list(self._clients):
            client.writer.close()
        if self._teller is not None:
            self._teller.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._teller

    def _committed(self, done: Done) -> None:
        """Called by the thread that writes."""
        if self._loop is not None and self._clients:
            self._loop.call_soon_threadsafe(self._commits.put_nowait, done)

    async def _tell(self) -> None:
        while True:
            done = await self._commits.get()
            for client in [c for c in self._clients if c.watched]:
                try:
                    told = await run_in_threadpool(self._messages, client, done)
                    for topic, payload in told:
                        client.writer.write(packets.message(topic, payload))
                    if client.writer.transport.get_write_buffer_size() > _MOST_WAITING:
                        client.writer.close()
                except (EcotoneError, OSError):
                    client.writer.close()

    def _messages(self, client: _Client, done: Done) -> list[tuple[str, bytes]]:
        with self._sensing.reading(client.who.party) as reader:
            watched = list(client.watched.values())
            return topics.messages(reader, Renderer(self._root), watched, done)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client: _Client | None = None
        try:
            async with asyncio.timeout(_FIRST_SECONDS):
                client, keep_alive = await self._welcome(reader, writer)
            if client is None:
                return
            self._clients.add(client)
            while True:
                async with asyncio.timeout(keep_alive * 1.5 if keep_alive else None):
                    packet = await packets.read(reader)
                if packet.kind == packets.DISCONNECT:
                    return
                await self._take(client, packet)
                await writer.drain()
        except (Broken, OSError, asyncio.IncompleteReadError, TimeoutError):
            return
        finally:
            if client is not None:
                self._clients.discard(client)
            writer.close()

    async def _welcome(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[_Client | None, int]:
        packet = await packets.read(reader)
        if packet.kind != packets.CONNECT:
            raise Broken
        said = packets.connect(packet)
        who, answer = NOBODY, packets.ACCEPTED
        if said.level != 4:
            answer = packets.WRONG_VERSION
        else:
            who = await run_in_threadpool(self._known, said.user or "", said.password or "")
            if who.party is None:
                answer = packets.BAD_LOGIN
        writer.write(packets.encoded(packets.CONNACK, 0, bytes([0, answer])))
        await writer.drain()
        return (_Client(who, writer) if answer == packets.ACCEPTED else None), said.keep_alive

    async def _take(self, client: _Client, packet: Packet) -> None:
        writer = client.writer
        match packet.kind:
            case packets.PUBLISH:
                await self._published(client, packets.publish(packet))
            case packets.PUBREL:
                number = int.from_bytes(packet.body[:2], "big")
                client.received.discard(number)
                writer.write(packets.numbered(packets.PUBCOMP, number))
            case packets.SUBSCRIBE:
                number, asked = packets.topics(packet, asked=True)
                answers = bytes([await self._subscribe(client, topic) for topic in asked])
                writer.write(packets.numbered(packets.SUBACK, number, answers))
            case packets.UNSUBSCRIBE:
                number, asked = packets.topics(packet, asked=False)
                for topic in asked:
                    client.watched.pop(topic, None)
                writer.write(packets.numbered(packets.UNSUBACK, number))
            case packets.PINGREQ:
                writer.write(packets.encoded(packets.PINGRESP, 0, b""))
            case _:
                raise Broken

    async def _subscribe(self, client: _Client, topic: str) -> int:
        if len(client.watched) >= _MOST_TOPICS:
            return packets.REFUSED
        try:
            client.watched[topic] = await run_in_threadpool(self._watch, client, topic)
        except EcotoneError:
            # The same for what is not there and for what may not be seen.
            return packets.REFUSED
        return 0

    def _watch(self, client: _Client, topic: str) -> topics.Watch:
        with self._sensing.reading(client.who.party) as reader:
            return topics.watch(reader, topic)

    async def _published(self, client: _Client, said: packets.Publish) -> None:
        if said.quality == 2 and said.number in client.received:
            client.writer.write(packets.numbered(packets.PUBREC, said.number))
            return
        # MQTT 3.1.1 has no way to refuse a message: what is wrong is dropped, and answered, for
        # otherwise it would come again for ever.
        with contextlib.suppress(EcotoneError):
            await self._create(client.who, said)
        if said.quality == 1:
            client.writer.write(packets.numbered(packets.PUBACK, said.number))
        elif said.quality == 2:
            client.received.add(said.number)
            client.writer.write(packets.numbered(packets.PUBREC, said.number))

    async def _create(self, who: Who, said: packets.Publish) -> None:
        if who.party is None or not who.writes or not said.topic.startswith(topics.PREFIX):
            return
        path = said.topic.removeprefix(topics.PREFIX)
        rows = arrays.single(path, said.payload)
        if rows is not None:
            await asyncio.wrap_future(self._sensing.add(who.party, who.person, rows))
            return
        change = changes.post(path, said.payload)
        future = self._sensing.edit(who.party, who.person, change.what, change.work)
        await asyncio.wrap_future(future)
