"""A relay between browser and site that keeps every byte the browser sends, whoever in the browser sends it: pages,
workers, the service worker, beacons. It can also be a bad line."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from functools import partial
from urllib.parse import quote, quote_plus

UPLOAD = b"POST /api/photos "


class Recorder:
    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.sent: list[bytearray] = []  # a connection each
        self.received = 0  # bytes from the site, headers included
        self.cut_at: float | None = None  # share of the bytes of an uploaded photo after which the line drops
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                browser, _ = self.listener.accept()
            except OSError:
                return  # closed: the test is over
            threading.Thread(target=self._relay, args=(browser,), daemon=True).start()

    def _relay(self, browser: socket.socket) -> None:
        try:
            site = socket.create_connection(("127.0.0.1", self.target_port))
        except OSError:
            browser.close()
            return
        record = bytearray()
        self.sent.append(record)
        back = threading.Thread(target=_pipe, args=(site, browser, self._count), daemon=True)
        back.start()
        _pipe(browser, site, partial(self._keep, record, browser))
        back.join()
        site.close()
        browser.close()

    def _keep(self, record: bytearray, browser: socket.socket, data: bytes) -> None:
        record.extend(data)
        begin = record.rfind(UPLOAD)
        head = record.find(b"\r\n\r\n", begin)
        if self.cut_at is None or begin < 0 or head < 0:
            return
        length = int(re.search(rb"content-length: (\d+)", record[begin:head], re.IGNORECASE)[1])  # type: ignore[index]
        if len(record) - head - 4 >= self.cut_at * length:
            browser.shutdown(socket.SHUT_RDWR)
            raise ConnectionError("cut off")

    def _count(self, data: bytes) -> None:
        with self.lock:
            self.received += len(data)

    def holds(self, text: str) -> bool:
        """True if anything sent holds the text: plain, percent-encoded, form-encoded, UTF-16 or base64."""
        plain = text.encode()
        forms = {plain, quote(text).encode(), quote_plus(text).encode(), text.encode("utf-16-le")}
        # Base64 depends on what stands around the text: its middle, where that is long enough to mean something.
        middles = (b64encode(b"\0" * shift + plain)[4:-4] for shift in range(3))
        forms |= {middle for middle in middles if len(middle) >= 8}
        return any(form in record for record in list(self.sent) for form in forms)

    def requests(self) -> int:
        return sum(record.count(b" HTTP/1.1\r\n") for record in list(self.sent))

    def close(self) -> None:
        self.listener.close()


def _pipe(source: socket.socket, target: socket.socket, note: Callable[[bytes], None]) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            note(data)
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def recording(port: int) -> Iterator[Recorder]:
    recorder = Recorder(port)
    try:
        yield recorder
    finally:
        recorder.close()
