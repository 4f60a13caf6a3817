"""The Celery application: `celery -A marketplace worker` and `celery -A marketplace beat`."""

from __future__ import annotations

import os
import warnings
from typing import Any

from celery import Celery
from celery.platforms import SecurityWarning
from celery.signals import beat_init, celeryd_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")

# In a container everything runs as root, and tasks arrive as JSON from a private socket.
warnings.filterwarnings("ignore", category=SecurityWarning)

app = Celery("marketplace")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@celeryd_init.connect
@beat_init.connect
def start_services(**_: Any) -> None:
    from marketplace import services

    services.ensure()
