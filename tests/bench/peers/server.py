"""A file server for the one page: everything compressed beforehand and kept in memory, and a note of what was sent."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import brotli

from marketplace.middleware import HEADERS
from marketplace.static import WINDOW

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".wasm": "application/wasm",
    ".onnx": "application/octet-stream",
    ".bin": "application/octet-stream",
}


# As the site: what does not change is kept for ever, the list of models for a minute, pages are asked for again.
KEPT, KEPT_A_MINUTE, ASKED_AGAIN = "public, max-age=31536000, immutable", "public, max-age=60", "no-cache"


@dataclass(frozen=True)
class Packed:
    kind: str  # content type
    raw: int
    body: bytes  # brotli 11


@dataclass
class Site:
    files: dict[str, Packed]
    url: str = ""
    sent: list[str] = field(default_factory=list)  # paths, in order


def packed(source: Path | dict[str, Any], kept: Path, say: Callable[[str], None]) -> Packed:
    """Compressed as a production site would send it; the work of seconds to a minute is kept under its hash."""
    if isinstance(source, dict):
        content, name = json.dumps(source).encode(), "manifest.json"
    else:
        content, name = source.read_bytes(), source.name
    path = kept / f"{hashlib.sha256(content).hexdigest()}.br{WINDOW}"
    if not path.exists():
        if len(content) > 1 << 20:
            say(f"Compressing {name}, once …")
        kept.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".new")
        aside.write_bytes(brotli.compress(content, quality=11, lgwin=WINDOW))
        aside.replace(path)
    return Packed(TYPES[Path(name).suffix], len(content), path.read_bytes())


def kept_for(path: str) -> str:
    if path == "/":
        return ASKED_AGAIN
    return KEPT_A_MINUTE if path.startswith("/api/") else KEPT


def handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.split("?")[0]
            found = site.files.get(path)
            if found:
                site.sent.append(path)
            self.send_response(200 if found else 404)
            for name, value in HEADERS.items():
                self.send_header(name, value)
            if found:
                self.send_header("Content-Type", found.kind)
                self.send_header("Content-Encoding", "br")
                self.send_header("Cache-Control", kept_for(path))
            body = found.body if found else b""
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # with five, a browser's connections wait in the kernel and are tried again after seconds


@contextmanager
def serving(files: dict[str, Packed]) -> Iterator[Site]:
    """On a free port of the loopback, with the site's own headers, its security policy among them."""
    site = Site(files)
    with Server(("127.0.0.1", 0), handler(site)) as server:
        site.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield site
        finally:
            server.shutdown()
