"""The one settings file. What the environment may say is read here, at the top, and nowhere else."""

from __future__ import annotations

import logging
import os
import secrets
from pathlib import Path
from urllib.parse import unquote, urlsplit

import dj_database_url
from kombu import Queue

from marketplace import embedded, environment

BASE_DIR = Path(__file__).resolve().parent.parent

# --- The environment -------------------------------------------------------------------------------------------------
DEBUG = environment.flag("DEBUG", default=False)
DEMO = environment.flag("DEMO", default=DEBUG)  # one-click accounts; `make run` switches them on
HTTPS = environment.flag("HTTPS", default=False)  # a proxy in front speaks TLS and sets X-Forwarded-Proto and -For
ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
PORT = environment.number("PORT", 8000, low=1, high=65535)
# Unset, both come from wheels and keep their data under VAR (marketplace/embedded.py).
DATABASE_URL = environment.address("DATABASE_URL", ("postgresql", "postgres"), "postgresql://user:password@host/name")
REDIS_URL = environment.address("REDIS_URL", ("redis", "rediss", "unix"), "redis://host:6379/0")
SITE_URL = environment.text("SITE_URL", f"http://127.0.0.1:{PORT}").rstrip("/")  # before addresses in e-mails
# Unset, e-mails are printed where the worker runs.
EMAIL_URL = environment.address("EMAIL_URL", ("smtp", "smtps"), "smtp://user:password@host:587")
DEFAULT_FROM_EMAIL = environment.text("EMAIL_FROM", "Tandem <no-reply@localhost>")
VAR = Path(environment.text("VAR_DIR", str(BASE_DIR / "var"))).resolve()  # all data; tests use another one
SECRET_KEY = environment.text("SECRET_KEY")


def kept_secret(path: Path) -> str:
    """A random key made once and kept in `path`, so that a development site needs no set-up and no default key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(50))
    key = path.read_text()
    if len(key) < 50:  # a start that was killed, or another one that is writing just now
        key = secrets.token_urlsafe(50)
        path.write_text(key)
    return key


SECRET_KEY = SECRET_KEY or kept_secret(VAR / "secret_key")
REDIS_IS_EMBEDDED = not REDIS_URL
REDIS_URL = REDIS_URL or embedded.redis_url(VAR)

# --- Django ----------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "listings",
    "recommendations",
    "marketplace",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "ninja",
]
MIDDLEWARE = [
    "marketplace.middleware.security_headers",
    "marketplace.middleware.no_body_for_head",
    "marketplace.middleware.request_size_limit",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
ROOT_URLCONF = "marketplace.urls"
WSGI_APPLICATION = "marketplace.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "listings.context_processors.site",
                "listings.context_processors.site",
            ],
        },
    }
]

# The same connection options for the embedded server and for a given one: only the address differs.
DATABASES = {
    "default": dj_database_url.parse(
        DATABASE_URL or embedded.database_url(VAR),
        conn_max_age=60,
        conn_health_checks=True,
    )
}
if not DATABASE_URL:
    DATABASES["default"]["ENGINE"] = "marketplace.embedded_database"  # starts the server at the first connection

AUTH_USER_MODEL = "listings.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "browse"
LOGOUT_REDIRECT_URL = "browse"

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

# --- Security --------------------------------------------------------------------------------------------------------
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "marketplace.errors.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 3600 * 24 * 30

# --- Files -----------------------------------------------------------------------------------------------------------
MEDIA_ROOT = VAR / "media"
MEDIA_URL = "/media/"
STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
ASSETS = BASE_DIR / "var" / "assets"  # runtime and models for the browser, laid out by `manage.py assets`
COMPRESSION_CACHE = BASE_DIR / "var" / "brotli"
STATICFILES_DIRS = [BASE_DIR / "static", ASSETS]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "marketplace.static.HashedStatic"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_MIMETYPES = {".wasm": "application/wasm", ".mjs": "text/javascript", ".onnx": "application/octet-stream"}

# Counts that may be lost: how often somebody did something within some minutes. Each process has its own.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}

# --- Celery ----------------------------------------------------------------------------------------------------------
# No result backend: publishing with Redis down would block for many seconds. What a task found is in the database.
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 120,  # seconds; longer than the hard time limit, so that a running task is not sent twice
    "socket_connect_timeout": 2,
    # A request that finds Redis away must not wait for it: the sweeper sends what could not be queued.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "socket_keepalive": urlsplit(REDIS_URL).scheme != "unix",
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SOFT_TIME_LIMIT = 60
CELERY_TASK_TIME_LIMIT = 90
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# A worker takes from the queues in turn: the photos of a new catalogue delay no check.
CELERY_TASK_QUEUES = [Queue("celery"), Queue("renditions")]
CELERY_TASK_ROUTES = {"listings.tasks.make_renditions": {"queue": "renditions"}}
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "celery.beat.Scheduler"  # intervals only: nothing to keep on disk, nothing to go stale
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "listings.tasks.sweep", "schedule": 15.0, "options": {"expires": 15}},
    "debts": {"task": "listings.tasks.pay_debts", "schedule": 15.0, "options": {"expires": 15}},
    "decisions": {
        "task": "listings.tasks.settle_decisions",
        "schedule": 2.0,
        "options": {"expires": 60, "priority": 0},  # workers may be busy with a heavy check for so long
    },
    "notices": {"task": "listings.tasks.mail_notices", "schedule": 20.0, "options": {"expires": 20}},
    "quality": {"task": "listings.tasks.draw_quality_jobs", "schedule": 300.0, "options": {"expires": 300}},
    "cells": {"task": "listings.tasks.count_cells", "schedule": 60.0, "options": {"expires": 60}},
    "vocabulary": {
        "task": "recommendations.tasks.refresh_vocabulary",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "vectors": {"task": "recommendations.tasks.sweep_vectors", "schedule": 15.0, "options": {"expires": 15}},
    "standing": {"task": "recommendations.tasks.refresh_standing", "schedule": 60.0, "options": {"expires": 60}},
}

# --- E-mail ----------------------------------------------------------------------------------------------------------
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
EMAIL_TIMEOUT = 20
if EMAIL_URL:
    _mail = urlsplit(EMAIL_URL)
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST, EMAIL_PORT = _mail.hostname, _mail.port or (465 if _mail.scheme == "smtps" else 587)
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_mail.username or ""), unquote(_mail.password or "")
    EMAIL_USE_SSL, EMAIL_USE_TLS = _mail.scheme == "smtps", _mail.scheme == "smtp" and bool(_mail.username)

# --- Recommendations -------------------------------------------------------------------------------------------------
# A query is remembered in words, and used for others, once listings were opened from it on so many different days.
REMEMBERED_QUERY_DAYS = 3

# --- Simulation ------------------------------------------------------------------------------------------------------
REDTEAM_VIEWS_PER_LISTING = 100  # how often a listing on sale is seen, in `manage.py simulate_savings`


# --- Logging ---------------------------------------------------------------------------------------------------------
QUIET_TASKS = (
    "listings.tasks.sweep",
    "listings.tasks.pay_debts",
    "listings.tasks.count_cells",
    "listings.tasks.settle_decisions",
    "listings.tasks.mail_notices",
    "listings.tasks.draw_quality_jobs",
    "listings.tasks.make_renditions",
    "listings.tasks.run_check",
    "recommendations.tasks.refresh_vocabulary",
    "recommendations.tasks.refresh_vector",
    "recommendations.tasks.sweep_vectors",
    "recommendations.tasks.refresh_standing",
)


def is_no_routine(record: logging.LogRecord) -> bool:
    """The sweeper runs four times a minute, renditions and checks by the hundred: what they find is logged by the step
    itself, their coming and going not."""
    quiet = record.name.startswith("celery.") and record.levelno <= logging.INFO
    return not (quiet and any(name in record.getMessage() for name in QUIET_TASKS))


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s", "datefmt": "%H:%M:%S"}},
    "filters": {"no_routine": {"()": "django.utils.log.CallbackFilter", "callback": is_no_routine}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["no_routine"]}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"django.server": {"handlers": ["console"], "level": "INFO", "propagate": False}},
}
