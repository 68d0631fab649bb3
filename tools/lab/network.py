"""A network that lies: a TCP proxy in front of a server, whose faults are switched on and off while connections are open.

    with Network(server.port) as network:      # a client connects to network.port
        network.fault = Fault(cut_answers=0.3)
        ...
        network.fault = Fault()                # all is well again, also on connections that were slow

Loopback only. What it draws (which request, after how many bytes) comes from `seed`.
"""

import random
import re
import select
import socket
import struct
import threading
import time
from dataclasses import dataclass
from typing import Callable, Optional

CHUNK_BYTES = 64 << 10
SLOW_CHUNK_SECONDS = 0.1  # a slow line carries so much at a time
LOOK_SECONDS = 0.05  # how soon a change of the fault is seen by a silent connection
ANSWER_LENGTH = re.compile(rb"\r\n(content-length: *\d+|transfer-encoding: *chunked)\r\n", re.IGNORECASE)
CHUNK_BEGINS = re.compile(rb"[0-9a-f]+\r\n", re.IGNORECASE)
ACCEPTS_MAX = 1024


@dataclass(frozen=True)
class Fault:
    """Shares are of the chunks that travel (a request or answer of a few kilobytes is one chunk)."""

    reset_requests: float = 0.0  # a part of it arrives, then both sides get a reset
    reset_answers: float = 0.0
    cut_answers: float = 0.0  # a part of it arrives, then an orderly end of the connection
    shorten_json: float = 0.0  # of HTTP answers: whole as HTTP, but the JSON ends in the middle
    swallow: bool = False  # black hole: connections open and stay open, nothing arrives on either side
    half_open: bool = False  # connections that are open now fall silent for ever; new ones are well
    bytes_per_second: Optional[int] = None  # each way, each connection
    latency_seconds: float = 0.0  # each way

    def __str__(self) -> str:
        usual = Fault()
        names = [f"{name}={value}" for name, value in vars(self).items() if value != getattr(usual, name)]
        return ", ".join(names) or "no fault"


class Network:
    """A context manager; leaving it closes all connections. `port`: where clients connect."""

    def __init__(self, server_port: int, seed: int = 0) -> None:
        self._to = ("127.0.0.1", server_port)
        self._lock = threading.Lock()
        self._random = random.Random(seed)
        self._fault = Fault()
        self._links: set["_Link"] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=ACCEPTS_MAX)
        self.port: int = self._listener.getsockname()[1]
        self.done = 0  # resets, cuts, shortened answers, swallowed chunks: that the fault did something

    def __enter__(self) -> "Network":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        # Only this wakes the thread that waits in accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for link in self._present():
            link.reset()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def lead_to(self, server_port: int) -> None:
        """New connections go there, as an address that moves to another server; open ones stay where they are."""
        self._to = ("127.0.0.1", server_port)

    @property
    def fault(self) -> Fault:
        return self._fault

    @fault.setter
    def fault(self, fault: Fault) -> None:
        self._fault = fault
        if fault.half_open:
            for link in self._present():
                link.silent = True

    @property
    def connections(self) -> int:
        return len(self._present())

    def _present(self) -> list["_Link"]:
        with self._lock:
            return list(self._links)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._to)
            except OSError:
                _reset(client)
                continue
            link = _Link(self, client, server)
            with self._lock:
                self._links.add(link)
            link.start()

    def forget(self, link: "_Link") -> None:
        with self._lock:
            self._links.discard(link)

    def strikes(self, share: float) -> bool:
        with self._lock:
            struck = share > 0 and self._random.random() < share
            self.done += struck
            return struck

    def swallowed(self) -> None:
        with self._lock:
            self.done += 1

    def part_of(self, data: bytes) -> bytes:
        """Its beginning: at least nothing, at most all but a byte."""
        with self._lock:
            return data[: self._random.randrange(len(data))]


class _Link:
    """One client's connection and the one to the server that belongs to it."""

    def __init__(self, network: Network, client: socket.socket, server: socket.socket) -> None:
        self.network, self.client, self.server = network, client, server
        self.silent = False
        self._left = 2  # threads
        self._lock = threading.Lock()
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def start(self) -> None:
        for source, target, alter in ((self.client, self.server, self._request), (self.server, self.client, self._answer)):
            threading.Thread(target=self._carry, args=(source, target, alter), daemon=True).start()

    def reset(self) -> None:
        _reset(self.client)
        _reset(self.server)

    def _carry(self, source: socket.socket, target: socket.socket, alter: Callable[[bytes], Optional[bytes]]) -> None:
        try:
            while data := self._receive(source):
                if self.network.fault.swallow:
                    self.silent = True  # it stays so: a stream with a hole in it must not go on
                if self.silent:
                    self.network.swallowed()
                    continue
                self._wait_for(data)
                altered = alter(data)
                if altered is None:
                    break
                target.sendall(altered)
            self._end(source, target)
        except OSError:
            self.reset()
        with self._lock:
            self._left -= 1
            last = self._left == 0
        if last:
            self.client.close()
            self.server.close()
            self.network.forget(self)

    def _receive(self, source: socket.socket) -> bytes:
        # A thread that waits within recv() would keep a socket open that another one closes.
        while True:
            descriptor = source.fileno()
            if descriptor < 0:
                raise OSError("the other thread has closed it")
            waiting = select.poll()
            waiting.register(descriptor, select.POLLIN)
            if waiting.poll(LOOK_SECONDS * 1000):
                return source.recv(self._chunk_bytes())

    def _end(self, source: socket.socket, target: socket.socket) -> None:
        if not self.silent:
            target.shutdown(socket.SHUT_WR)
        elif source is self.client:
            _reset(self.server)  # of a silent connection nobody hears that it ends; only the server must not collect them

    def _chunk_bytes(self) -> int:
        rate = self.network.fault.bytes_per_second
        return CHUNK_BYTES if rate is None else max(1, int(rate * SLOW_CHUNK_SECONDS))

    def _wait_for(self, data: bytes) -> None:
        fault = self.network.fault
        seconds = fault.latency_seconds
        if fault.bytes_per_second is not None:
            seconds += len(data) / fault.bytes_per_second
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and self.network.fault == fault:
            time.sleep(min(left, LOOK_SECONDS))

    def _request(self, data: bytes) -> Optional[bytes]:
        if not self.network.strikes(self.network.fault.reset_requests):
            return data
        self.server.sendall(self.network.part_of(data))
        self.reset()
        return None

    def _answer(self, data: bytes) -> Optional[bytes]:
        fault, network = self.network.fault, self.network
        if network.strikes(fault.reset_answers):
            self.client.sendall(network.part_of(data))
            self.reset()
            return None
        if network.strikes(fault.cut_answers):
            self.client.sendall(network.part_of(data))
            self.server.shutdown(socket.SHUT_RDWR)
            return None
        length = ANSWER_LENGTH.search(data)
        if length and network.strikes(fault.shorten_json):
            return self._shortened(data, length)
        return data

    def _shortened(self, data: bytes, length: "re.Match[bytes]") -> Optional[bytes]:
        """The answer with a part of its body, and a header that says that this is all."""
        head = data.index(b"\r\n\r\n") + 4
        whole = data[head:]
        if b"chunked" in length[1].lower():
            whole = CHUNK_BEGINS.sub(b"", whole, count=1)
        body = self.network.part_of(whole) if whole else b""
        header = data[: length.start(1)] + b"content-length: %d" % len(body) + data[length.end(1) : head]
        self.client.sendall(header + body)
        # What comes after this is the rest of the body that the client must not see.
        self.client.shutdown(socket.SHUT_WR)
        self.server.shutdown(socket.SHUT_RDWR)
        return None


def _reset(end: socket.socket) -> None:
    """Closes with a reset instead of an orderly end."""
    try:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.close()
    except OSError:
        pass
