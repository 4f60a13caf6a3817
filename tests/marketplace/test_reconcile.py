"""`manage.py reconcile`: what is overdue goes to the queue again."""

import io

import pytest
from django.core.management import CommandError, call_command

from listings import checks
from listings.models import Listing, OwedCheck

LONG_AGO = "2020-01-01T00:00Z"


def owed(seller, title, due_at):
    listing = Listing.objects.create(seller=seller, title=title, description="Blue.", category="kitchen", price=5)
    job = checks.owe(listing, [])
    job.checks.exclude(name=checks.WORDS).delete()
    job.checks.update(due_at=due_at)


@pytest.mark.site
def test_what_is_overdue_is_queued_once_and_the_rest_is_left(site, merchant):
    site.stop_worker()
    site.kill("beat")
    try:
        owed(merchant, "Kettle", LONG_AGO)
        owed(merchant, "Pan", "2090-01-01T00:00Z")
        out = io.StringIO()
        call_command("reconcile", stdout=out)
        assert out.getvalue() == "sent again: 1; checks owed in all: 2\n"
        assert site.queued() == 1
        out = io.StringIO()
        call_command("reconcile", stdout=out)
        assert out.getvalue() == "sent again: 0; checks owed in all: 2\n"
        assert site.queued() == 1
    finally:
        site.spawn("beat")
        site.start_worker()


@pytest.mark.site
def test_a_queue_that_is_away_is_told(site, merchant):
    site.kill_redis()
    try:
        owed(merchant, "Kettle", LONG_AGO)
        with pytest.raises(CommandError, match="1 could not be sent: the queue does not answer"):
            call_command("reconcile", stdout=io.StringIO())
        assert OwedCheck.objects.get().state == "owed"
    finally:
        site.start_redis()
