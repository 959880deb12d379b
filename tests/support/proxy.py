"""A network between a client and a server that a test can cut, without either of them being told."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

TURN = 0.02


class Network:
    """Passes bytes on between the clients of a port of its own and a server, as long as it is not frozen."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._frozen = threading.Event()
        self._ended = threading.Event()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def freeze(self) -> None:
        """From now on nothing passes in either direction, and no connection is closed."""
        self._frozen.set()

    def thaw(self) -> None:
        """Pass on what was held back, and all that comes."""
        self._frozen.clear()

    def end(self) -> None:
        """Close everything."""
        self._ended.set()
        for thread in self._threads:
            thread.join()
        for one in (self._listening, *(end for pair in self._pairs for end in pair)):
            one.close()

    def _accept(self) -> None:
        while not self._ended.is_set():
            if not select.select([self._listening], [], [], TURN)[0]:
                continue
            client, _ = self._listening.accept()
            server = socket.create_connection(self._server)
            self._pairs.append((client, server))
            thread = threading.Thread(target=self._pass_on, args=(client, server), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        to = {client: server, server: client}
        while not self._ended.is_set():
            if self._frozen.is_set():
                self._ended.wait(TURN)
                continue
            for one in select.select(list(to), [], [], TURN)[0]:
                with suppress(OSError):
                    if data := one.recv(65_536):
                        to[one].sendall(data)
                        continue
                for end in (client, server):
                    with suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)
                return


@contextmanager
def network_to(url: str) -> Iterator[tuple[Network, str]]:
    """A network before the server that a URL names, and the URL that leads through it."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    network = Network(parts.hostname, parts.port or 5432)
    netloc = f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{network.port}"
    try:
        yield network, urlunsplit(parts._replace(netloc=netloc))
    finally:
        network.end()
