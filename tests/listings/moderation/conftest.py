import pytest

from listings.models import SettingChange
from listings.moderation import decisions
from listings.moderation.decisions import Word
from listings.trust import settings
from tests.conftest import person
from tests.listings.trust.conftest import claim, earn, open_cells, owing, send  # noqa: F401

REASON = "Butterfly knives cannot be sold here."


@pytest.fixture
def second(db):
    return person("max", "moderator")


@pytest.fixture
def set_to(moderator):
    """Change a setting as an operator does."""

    def change(**values):
        for name, value in values.items():
            SettingChange.objects.create(name=name, value=value, before=0, actor=moderator, reason="for a test")
        settings.forget()

    return change


@pytest.fixture
def rejected(make_case, moderator):
    """A case that was rejected, and the decision."""

    def make(title="Butterfly knife", **more):
        case = make_case(title)
        return decisions.reject(job=case, moderator=moderator, policy="weapons", reason=REASON, **more)

    return make


@pytest.fixture
def rejecting():
    return Word("reject", "weapons", REASON)
