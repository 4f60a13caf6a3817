"""The process that decodes photos: whatever a photo does to it, the next one finds one at work."""

from __future__ import annotations

import io
import multiprocessing
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from PIL import Image

from listings import decoder_process
from listings import photo_refusals as why
from listings.decoder_process import Decoder
from tests.listings.odd_files import saved
from tests.settings import ROOT

STUCK = (sys.executable, "-c", "import time; time.sleep(60)")
DYING = (sys.executable, "-c", "import os, socket; socket.socket(fileno=0).recv(1); os.abort()")


@pytest.fixture
def decoder() -> Any:
    made = Decoder()
    yield made
    made.end()


def photo() -> io.BytesIO:
    return saved(Image.effect_noise((60, 40), 50).convert("RGB"), "JPEG")


def refusal(decoder: Decoder) -> tuple[str, str]:
    with pytest.raises(ValidationError) as caught:
        decoder.decode(photo())
    return caught.value.code, caught.value.messages[0]


def test_many_photos_need_one_start(decoder):
    pids = set()
    for _ in range(3):
        assert decoder.decode(photo()).width == 60
        pids.add(decoder.process.pid)
    assert len(pids) == 1


def test_a_refused_photo_leaves_it_at_work(decoder):
    decoder.decode(photo())
    pid = decoder.process.pid
    with pytest.raises(ValidationError) as caught:
        decoder.decode(io.BytesIO(b"hello"))
    assert caught.value.messages == [why.NOT_A_PHOTO]
    assert decoder.process.pid == pid


def test_one_that_is_stuck_is_ended_and_the_next_photo_starts_another(decoder, monkeypatch):
    works, decoder.command = decoder.command, STUCK
    with monkeypatch.context() as patch:
        patch.setattr(decoder_process, "ANSWER_WITHIN", 0.5)
        assert refusal(decoder) == ("too_costly", why.TOO_COSTLY)
    assert decoder.process is None
    decoder.command = works
    assert decoder.decode(photo()).width == 60


def test_one_that_dies_of_a_photo_refuses_that_photo_alone(decoder):
    works, decoder.command = decoder.command, DYING
    assert refusal(decoder) == ("too_costly", why.TOO_COSTLY)
    decoder.command = works
    assert decoder.decode(photo()).width == 60


def test_one_that_was_killed_meanwhile_is_started_anew(decoder):
    decoder.decode(photo())
    decoder.process.kill()
    decoder.process.wait()
    assert decoder.decode(photo()).width == 60


def test_one_that_cannot_start_asks_to_come_back(decoder):
    decoder.command = ("/no/such/program",)
    assert refusal(decoder) == ("busy", why.BUSY)


def test_a_full_line_sends_away_at_once(decoder, monkeypatch):
    """Threads that wait for a photo serve no pages."""
    monkeypatch.setattr(decoder_process, "ANSWER_WITHIN", 2.0)
    decoder.command = STUCK
    with ThreadPoolExecutor(decoder_process.IN_LINE) as pool:
        waiting = [pool.submit(refusal, decoder) for _ in range(decoder_process.IN_LINE)]
        time.sleep(0.3)
        began = time.monotonic()
        assert refusal(decoder) == ("busy", why.BUSY)
        assert time.monotonic() - began < 1
        assert {each.result()[0] for each in waiting} == {"too_costly"}


def test_one_photo_is_decoded_at_a_time(decoder, monkeypatch):
    inside, most = [], []
    exchange = decoder_process._exchange

    def watched(*args: Any) -> Any:
        inside.append(1)
        most.append(len(inside))
        try:
            return exchange(*args)
        finally:
            inside.pop()

    monkeypatch.setattr(decoder_process, "_exchange", watched)
    decoder.line = threading.BoundedSemaphore(8)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: decoder.decode(photo()), range(8)))
    assert (len(made), max(most)) == (8, 1)


def test_it_ends_with_the_process_that_asked(decoder):
    decoder.decode(photo())
    decoder.socket.close()
    assert decoder.process.wait(10) == 0


def test_a_forked_process_has_one_of_its_own():
    decoder_process.decode(photo())
    ours = decoder_process._decoder.process.pid
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply(pid_of_decoder) != ours
    decoder_process.decode(photo())
    assert decoder_process._decoder.process.pid == ours


def pid_of_decoder() -> int:
    decoder_process.decode(photo())
    return decoder_process._decoder.process.pid


LIMITED = "from listings import limits, photo_decoding as it; limits.DECODE_SECONDS = 0; it._limit_{}(); {}"


@pytest.mark.parametrize(
    ("what", "then", "ends"),
    [
        ("time", "exec('while True: pass')", lambda done: done.returncode == -signal.SIGXCPU),
        ("memory", "bytes(limits.DECODE_BYTES)", lambda done: b"MemoryError" in done.stderr),
    ],
)
def test_the_system_keeps_its_limits(what, then, ends):
    done = subprocess.run(
        [sys.executable, "-c", LIMITED.format(what, then)], cwd=ROOT, capture_output=True, timeout=60, check=False
    )
    assert ends(done), done
