from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from listings import tasks
from listings.models import OwedCheck


class Command(BaseCommand):
    help = "Send every check that is overdue to the workers again. The beat schedule does the same every 15 seconds."

    def handle(self, *args: Any, **options: Any) -> None:
        sent = 0
        while batch := tasks.sweep():
            sent += batch
        owed = OwedCheck.objects.filter(state=OwedCheck.State.OWED)
        self.stdout.write(f"sent again: {sent}; checks owed in all: {owed.count()}")
        overdue = owed.filter(due_at__lte=timezone.now()).count()
        if overdue:
            raise CommandError(
                f"{overdue} could not be sent: the queue does not answer. Start it (make run), or look at REDIS_URL."
            )
