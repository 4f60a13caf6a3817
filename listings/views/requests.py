"""Types for the checker: what `login_required` makes sure of."""

from django.http import HttpRequest

from ..models import User


class SignedInRequest(HttpRequest):
    user: User
