"""A TCP proxy in front of the index that lets some bulk requests through and holds all further ones."""

import socket
import threading
import time
from typing import Optional

CHUNK_BYTES = 256 << 10
REQUEST_LINE_BYTES = 300


class Proxy:
    """Listens on a port of 127.0.0.1; every connection to it is continued to `port`. A context manager.

    A request that is held is read, but the server sees nothing of it and it gets no answer."""

    def __init__(self, port: int) -> None:
        self._to = ("127.0.0.1", port)
        self._lock = threading.Lock()
        self._may_pass = 0  # bulk requests
        self._held = 0
        self._first_bulk_at: Optional[float] = None
        self._bulk_seen = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: set[socket.socket] = set()

    def __enter__(self) -> "Proxy":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        with self._lock:
            for each in self._sockets:
                each.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def held(self) -> int:
        """Requests held since `let_pass`."""
        return self._held

    def let_pass(self, bulks: int) -> None:
        """From now on so many bulk requests pass, further ones are held."""
        with self._lock:
            self._may_pass, self._held, self._first_bulk_at = bulks, 0, None
            self._bulk_seen.clear()

    def first_bulk_at(self, timeout_seconds: float) -> Optional[float]:
        """time.monotonic() when the first byte of the first bulk request since `let_pass` arrived; None: none did."""
        self._bulk_seen.wait(timeout_seconds)
        return self._first_bulk_at

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._to)
            except OSError:
                client.close()
                continue
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._sockets |= {client, server}
            threading.Thread(target=self._carry, args=(client, server, self._admit), daemon=True).start()
            threading.Thread(target=self._carry, args=(server, client, lambda _data, _at: True), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, admit) -> None:
        holding = False
        try:
            while data := source.recv(CHUNK_BYTES):
                arrived = time.monotonic()
                holding = holding or not admit(data, arrived)
                if not holding:
                    target.sendall(data)
        except OSError:
            pass
        with self._lock:
            self._sockets -= {source, target}
        for each in (source, target):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _admit(self, data: bytes, arrived: float) -> bool:
        # A client waits for its answer before the next request on a connection, so a request begins with a chunk.
        if not (data.startswith(b"POST ") and b"/_bulk" in data[:REQUEST_LINE_BYTES]):
            return True
        with self._lock:
            if self._first_bulk_at is None:
                self._first_bulk_at = arrived
                self._bulk_seen.set()
            if self._may_pass == 0:
                self._held += 1
                return False
            self._may_pass -= 1
            return True
