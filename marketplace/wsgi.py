"""What gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")

django_application = get_wsgi_application()

from marketplace import middleware, services  # noqa: E402  (need the settings)

application = middleware.whole_bodies(django_application)

services.ensure()
