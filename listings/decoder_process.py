"""One process beside this one that decodes photos, one at a time: ended when a photo takes too long, and started anew.

What a decoder does with a hostile file then costs nobody else: not the interpreter's lock, not memory, not a thread.
It starts with the first photo and stays, so that a photo costs no start; it ends by itself when this process does.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

from django.core.exceptions import ValidationError

from . import photo_refusals as why
from .photo_decoding import HEADER, Decoded, received

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent.parent
# On the clock, a busy machine included. The process itself stops at limits.DECODE_SECONDS of work.
ANSWER_WITHIN = 20.0
IN_LINE = 2  # the one that is decoded and those behind it: the web server's other threads serve pages
TURN_WITHIN = 10.0  # seconds
# Few arenas: each takes address space, of which the process has only so much. And nothing secret for it to lose.
ENVIRONMENT = {"MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
ANSWER_BYTES = 64 * 1024 * 1024  # more than any photo of photo_decoding.LONGEST_SIDE


class DecoderDied(Exception):
    """It was ended in the middle of a photo, by its limits or by us."""


class Decoder:
    def __init__(self, *command: str) -> None:
        self.command = command or (sys.executable, "-m", "listings.photo_decoding")
        self.turn = threading.Lock()
        self.line = threading.BoundedSemaphore(IN_LINE)
        self.process: subprocess.Popen[bytes] | None = None
        self.socket: socket.socket | None = None

    def decode(self, file: IO[bytes]) -> Decoded:
        """Raises ValidationError with one sentence for the merchant and a code."""
        if not self.line.acquire(blocking=False):
            raise ValidationError(why.BUSY, code="busy")
        try:
            if not self.turn.acquire(timeout=TURN_WITHIN):
                raise ValidationError(why.BUSY, code="busy")
            try:
                return self._ask(file)
            finally:
                self.turn.release()
        finally:
            self.line.release()

    def _ask(self, file: IO[bytes]) -> Decoded:
        try:
            line = self._started()
        except OSError as error:  # no memory or no room for one more process
            log.exception("the photo decoder does not start")
            raise ValidationError(why.BUSY, code="busy") from error
        file.seek(0)
        try:
            words, body = _exchange(line, file.read())
        except DecoderDied as error:
            code = self.end()
            log.warning("the photo decoder was ended (%s, exit status %s)", error, code)
            raise ValidationError(why.TOO_COSTLY, code="too_costly") from None
        except BaseException:
            self.end()
            raise
        if "code" in words:
            raise ValidationError(words["message"], code=words["code"])
        cut = words["photo"]
        return Decoded(body[:cut], body[cut:], words["width"], words["height"], words["colour"])

    def _started(self) -> socket.socket:
        if self.process and self.socket and self.process.poll() is None:
            return self.socket
        self.end()
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                self.command,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                cwd=ROOT,
                env=ENVIRONMENT,
            )
        self.socket = ours
        return ours

    def end(self) -> int | None:
        """Kill it, if there is one. Returns its exit status."""
        process, line = self.process, self.socket
        self.process = self.socket = None
        if line:
            line.close()
        if not process:
            return None
        process.kill()
        return process.wait()


def _exchange(line: socket.socket, data: bytes) -> tuple[dict[str, Any], bytes]:
    """Send a file, receive the answer. Raises DecoderDied."""
    deadline = time.monotonic() + ANSWER_WITHIN

    def within() -> socket.socket:
        line.settimeout(max(0.001, deadline - time.monotonic()))
        return line

    try:
        within().sendall(HEADER.pack(len(data), 0) + data)
        words, body = HEADER.unpack(received(within(), HEADER.size))
        if words + body > ANSWER_BYTES:
            raise DecoderDied("an answer without end")
        return json.loads(received(within(), words)), received(within(), body)
    except TimeoutError:
        raise DecoderDied(f"no answer within {ANSWER_WITHIN:.0f} s") from None
    except (EOFError, OSError) as error:
        raise DecoderDied(f"gone before its answer: {error!r}") from None


_decoder = Decoder()


def _forget() -> None:
    """In a forked process: the other side of the line is our parent's."""
    global _decoder
    _decoder = Decoder()


os.register_at_fork(after_in_child=_forget)


def decode(file: IO[bytes]) -> Decoded:
    """Raises ValidationError with one sentence for the merchant and a code."""
    return _decoder.decode(file)
