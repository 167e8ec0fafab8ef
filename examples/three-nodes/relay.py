"""A way between client and server that breaks after some bytes, as lines across passes do."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType


class CuttingWay:
    """A TCP relay on loopback; ``after()`` says how many bytes of an answer pass, None all."""

    def __init__(self, port: int, after: Callable[[], int | None]) -> None:
        self._to, self._after = port, after
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.cuts = 0

    @property
    def url(self) -> str:
        """Where the relay listens."""
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def __enter__(self) -> CuttingWay:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listening.close()

    def _run(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._pass, args=(near,), daemon=True).start()

    def _pass(self, near: socket.socket) -> None:
        with (
            near,
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self._to)) as far,
        ):
            threading.Thread(target=_pour, args=(near, far, None), daemon=True).start()
            if _pour(far, near, self._after()):
                self.cuts += 1


def _pour(source: socket.socket, target: socket.socket, most: int | None) -> bool:
    """Pass bytes on; True where it stopped before the end."""
    left = most
    with contextlib.suppress(OSError):
        while block := source.recv(65536 if left is None else min(65536, left)):
            target.sendall(block)
            if left is not None:
                left -= len(block)
                if left <= 0:
                    target.shutdown(socket.SHUT_RDWR)
                    return True
    return False
