"""A merchant asks about a draft: a few kilobytes of a photo's activation, or words. Neither is stored or logged."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from typing import Any

import redis
from django.conf import settings

from models import manifest, photo, sets, text

from . import limits, live_models
from .content import Fields
from .models import User

log = logging.getLogger(__name__)
IN_A_ROW, WITHIN = 30, 600  # questions, seconds
ACTIVATION_BYTES = 64 * 1024  # more than any split has
WORDS_CHARS = 4 * limits.DESCRIPTION_CHARS
FIELDS = 8
_asked_here: Counter[str] = Counter()  # while Redis is away: by this process alone
_counting = threading.Lock()


class TooManyQuestions(Exception):
    """The merchant asks faster than a person writes."""


class OtherVersion(Exception):
    """The page works with another version of the model than the server."""


def about_photo(activation: bytes, version: str) -> dict[str, Any]:
    """Verdict of the tail on what the device's lower layers made of a photo. Raises ValueError with a sentence for the
    merchant, OtherVersion, ModelUnavailable."""
    if not activation:
        raise ValueError("The request is empty. Its body must be the activation that the device computed.")
    release = live_models.live().release or sets.Release(0)  # asked once: the tail must be that of the model below
    if version != manifest.model(sets.entries(release), photo.MODEL)["version"]:
        raise OtherVersion("The check on your device is of another version than ours. Reload the page.")
    return photo.check_activation(activation, folder=release.folder(photo.TAIL))


def about_words(fields: Fields) -> dict[str, Any]:
    """Verdict of the worker's model on the named words of a draft. Raises ModelUnavailable."""
    return text.check_text_in_cloud(fields, folder=live_models.folder(text.CLOUD))


def count(user: User) -> None:
    """One more question of this account. Raises TooManyQuestions. Where the counter is away, each process counts for
    itself: a few times as many may pass."""
    window = int(time.time()) // WITHIN
    key = f"second-opinion:{user.pk}:{window}"
    try:
        client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1)
        try:
            with client.pipeline() as pipe:
                pipe.incr(key)
                pipe.expire(key, WITHIN)
                asked, _ = pipe.execute()
        finally:
            client.close()
    except redis.RedisError as error:
        log.warning("second opinions are counted by each process: %s", error)
        asked = _count_here(key, window)
    if asked > IN_A_ROW:
        raise TooManyQuestions(
            f"You have asked {IN_A_ROW} times within ten minutes. Wait a little; you can also submit the listing, "
            "which is checked in any case."
        )


def _count_here(key: str, window: int) -> int:
    with _counting:
        for old in [each for each in _asked_here if not each.endswith(f":{window}")]:
            del _asked_here[old]
        _asked_here[key] += 1
        return _asked_here[key]
