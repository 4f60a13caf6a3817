"""Figures of the check on the merchant's device, from a real Chromium against the real site (`make bench`)."""

import os

import django

# Here, and not in __main__, because the modules beside it import models as soon as they are loaded.
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()
