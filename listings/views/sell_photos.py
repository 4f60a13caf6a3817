"""Photos of one sell form: those it had, those it brings, their order, cover and alternative texts.

`photo_order` is a comma list of `id:<photo>` (stored already) and `file:<n>` (n-th upload of this request). Each good
upload is stored at once, so a form that comes back with an error still holds it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from django.core.exceptions import ValidationError

from .. import limits, photos
from .. import photo_refusals as why
from ..models import Listing, Photo, User
from .requests import SignedInRequest


@dataclass
class Chosen:
    photos: list[Photo] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def order(self) -> str:
        return ",".join(f"id:{photo.pk}" for photo in self.photos)


def staged(owner: User, order: object) -> list[Photo]:
    """Photos of a stored draft that still wait for their listing."""
    ids = _ids(str(order).split(","))
    found = {photo.pk: photo for photo in Photo.objects.filter(owner=owner, listing=None, pk__in=ids)}
    return [found[pk] for pk in ids if pk in found]


def collect(request: SignedInRequest, listing: Listing | None) -> Chosen:
    tokens = _tokens(request)
    uploads = request.FILES.getlist("photos")
    ids = _ids(tokens)[: 4 * limits.PHOTOS]
    stored = {photo.pk: photo for photo in Photo.objects.filter(owner=request.user, pk__in=ids)}
    removed = set(request.POST.getlist("remove_photo"))
    chosen = Chosen()
    if len(tokens) - len(removed) > limits.PHOTOS:
        chosen.errors.append(f"A listing has at most {limits.PHOTOS} photos. The first {limits.PHOTOS} are kept here.")
    for token, position in tokens.items():
        if len(chosen.photos) == limits.PHOTOS:
            break
        kind, _, number = token.partition(":")
        photo = None
        if kind == "id" and is_number(number) and number not in removed:
            photo = stored.pop(int(number), None)
            if photo is None:
                chosen.errors.append(f"Photo {position + 1}: {why.GONE}")
        elif kind == "file" and is_number(number) and int(number) < len(uploads):
            photo = _taken(partial(photos.store_upload, request.user, uploads[int(number)]), position, chosen)
        if photo and photo.listing_id not in (None, listing and listing.pk):  # a duplicate of another listing
            photo = _taken(partial(photos.copy_staged, photo, request.user), position, chosen)
        if photo and photo not in chosen.photos:  # a photo chosen twice is stored once
            if photo.sha256 in {other.sha256 for other in chosen.photos}:
                chosen.errors.append(f"Photo {position + 1}: {why.TWICE}")
                continue
            alt = request.POST.get(f"alt-{position}")
            if alt is not None:
                photo.alt = alt.replace("\x00", "")[: limits.ALT_CHARS]
            chosen.photos.append(photo)
    cover = request.POST.get("cover")
    chosen.photos.sort(key=lambda photo: str(photo.pk) != cover)  # stable: only the cover moves
    return chosen


def _taken(take: Callable[[], Photo], position: int, chosen: Chosen) -> Photo | None:
    try:
        return take()
    except ValidationError as error:
        chosen.errors += [f"Photo {position + 1}: {message}" for message in error.messages]
        return None


def is_number(text: str) -> bool:
    """True for what int() and the database can take as a row's number."""
    return text.isascii() and text.isdecimal() and len(text) <= 18


def _ids(tokens: Iterable[str]) -> list[int]:
    return [int(token[3:]) for token in tokens if token.startswith("id:") and is_number(token[3:])]


def _tokens(request: SignedInRequest) -> dict[str, int]:
    """The order as the form says it, and uploads that it does not mention behind (no JavaScript). Each once, with its
    first place: the words about it are named by that."""
    tokens = [token for token in request.POST.get("photo_order", "").split(",") if token]
    uploads = [f"file:{number}" for number in range(len(request.FILES.getlist("photos")))]
    places = {token: place for place, token in reversed(list(enumerate([*tokens, *uploads])))}
    return dict(sorted(places.items(), key=lambda each: each[1]))
