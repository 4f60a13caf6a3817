"""Requests over kept connections, as plain bytes: a client that takes little of the machine it measures."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence


class Client(threading.Thread):
    """Sends the requests in turn until `until` (monotonic seconds); `done` are answered, `sizes` of their bodies."""

    def __init__(self, port: int, requests: Sequence[bytes], begin: int, until: float) -> None:
        super().__init__()
        self.port, self.requests, self.at, self.until = port, requests, begin, until
        self.done, self.bytes, self.failure = 0, 0, ""

    def run(self) -> None:
        try:
            while time.monotonic() < self.until:
                with socket.create_connection(("127.0.0.1", self.port), 30) as line:
                    self.talk(line)
        except OSError as error:
            self.failure = str(error)

    def talk(self, line: socket.socket) -> None:
        """Until the time is over, or the server ends the connection."""
        held = b""
        while time.monotonic() < self.until and not self.failure:
            line.sendall(self.requests[self.at % len(self.requests)])
            self.at += 1
            while b"\r\n\r\n" not in held:
                if not (more := line.recv(1 << 16)):
                    return
                held += more
            head, _, held = held.partition(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                self.failure = head[:200].decode("latin-1")
                return
            fields = head.lower().split(b"\r\n")
            length = next(int(field[15:]) for field in fields if field.startswith(b"content-length:"))
            left = length - len(held)
            while left > 0:
                if not (more := line.recv(1 << 18)):
                    return
                left -= len(more)
            held = b""
            self.done += 1
            self.bytes += length
            if b"connection: close" in head.lower():
                return


def per_second(port: int, requests: Sequence[bytes], seconds: float, connections: int = 8) -> tuple[float, float]:
    """(answers a second, mean bytes of a body). Raises RuntimeError for an answer other than 200."""
    begun = time.monotonic()
    clients = [Client(port, requests, number * 101, begun + seconds) for number in range(connections)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    if failure := next((client.failure for client in clients if client.failure), ""):
        raise RuntimeError(failure)
    done = sum(client.done for client in clients)
    return done / (time.monotonic() - begun), sum(client.bytes for client in clients) / max(1, done)


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def post(path: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body
