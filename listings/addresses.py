"""What may stand in our addresses; for the addresses of the floors above, too."""

from django.urls import register_converter
from django.urls.converters import get_converters


class PublicId:
    """Also keeps out what the database would refuse to look up, such as a null character."""

    regex = "[a-z0-9]{1,12}"

    def to_python(self, value: str) -> str:
        return value

    to_url = to_python


class Username(PublicId):
    regex = r"[\w.@+-]{1,150}"  # what Django lets a username be


def register() -> None:
    """Whichever floor's addresses are read first does it; a second time would be refused."""
    for name, converter in {"public_id": PublicId, "username": Username}.items():
        if name not in get_converters():
            register_converter(converter, name)
