"""Drafts that a merchant keeps in the account (switched on by the merchant; others never leave the device)."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from . import limits
from .models import Draft, User


class DraftConflict(Exception):
    """Another tab or device saved this draft meanwhile. `current` is what stands there."""

    def __init__(self, current: Draft) -> None:
        super().__init__(
            "This draft was saved in another tab or on another device meanwhile. What you wrote here is not lost: "
            "it still stands in this form. Open the other one from “My listings” and compare."
        )
        self.current = current


def save_draft(owner: User, key: uuid.UUID, base_version: int, data: dict[str, Any]) -> Draft:
    """Store `data` on top of `base_version` (0: a new draft). Raises DraftConflict, ValidationError."""
    _storable(data)
    now = timezone.now()
    if base_version == 0:
        if Draft.objects.filter(owner=owner).count() >= limits.DRAFTS_PER_ACCOUNT:
            raise ValidationError(f"Your account holds {limits.DRAFTS_PER_ACCOUNT} drafts. Delete one you do not need.")
        try:
            with transaction.atomic():
                return Draft.objects.create(owner=owner, key=key, data=data, updated_at=now)
        except IntegrityError:
            raise DraftConflict(Draft.objects.get(owner=owner, key=key)) from None
    held = Draft.objects.filter(owner=owner, key=key, version=base_version)
    if held.update(data=data, version=base_version + 1, updated_at=now) == 1:
        return Draft.objects.get(owner=owner, key=key)
    current = Draft.objects.filter(owner=owner, key=key).first()
    if current is None:  # deleted elsewhere: what was written here must not go with it
        return save_draft(owner, key, 0, data)
    raise DraftConflict(current)


def delete_draft(owner: User, key: uuid.UUID) -> None:
    Draft.objects.filter(owner=owner, key=key).delete()


def _storable(data: dict[str, Any]) -> None:
    try:
        size = len(json.dumps(data, ensure_ascii=False, allow_nan=False).encode())
    except (ValueError, RecursionError):  # lone surrogates are a ValueError too
        raise ValidationError(
            "The draft holds characters that cannot be stored. Take them out and try again."
        ) from None
    if size > limits.DRAFT_BYTES:
        raise ValidationError(f"The draft is too long: at most {limits.DRAFT_BYTES // 1024} KB of text.")
    if _has_null(data):
        raise ValidationError("The draft holds a null character. Take it out and try again.")


def _has_null(value: Any) -> bool:
    match value:
        case str():
            return "\x00" in value
        case dict():
            return any(_has_null(part) for pair in value.items() for part in pair)
        case list():
            return any(_has_null(part) for part in value)
        case _:
            return False
