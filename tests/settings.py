"""Settings for the tests, read after conftest.py has started the server that HAILWHALE_REDIS_URL names."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import django

from example_project import csp

SECRET_KEY = "only for tests"
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "hailwhale_django",
    "tests",
]

MIDDLEWARE = [
    csp.MIDDLEWARE,
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
SECURE_CSP = csp.POLICY

ROOT_URLCONF = "tests.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# In a file: the idle connections of a browser end after the test that would share a database in memory.
DATABASE = str(Path(tempfile.gettempdir()) / f"hailwhale-{os.getpid()}.sqlite3")
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATABASE, "TEST": {"NAME": DATABASE}},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# The tests log in often, and nobody attacks them.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
TIME_ZONE = "UTC"
USE_TZ = True
if django.VERSION >= (6, 1):  # which will not send without
    MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
STATIC_URL = "static/"

HAILWHALE = {"REDIS": os.environ.get("HAILWHALE_REDIS_URL", "redis://127.0.0.1:6379")}
