"""The example project: Django's admin, hailwhale, a shop, and a year of flights. To look at, not to deploy."""

from __future__ import annotations

import os

import django

from example_project import broker, csp, home

DEBUG = os.environ.get("DEBUG", "1").lower() in {"1", "true", "yes", "on"}
SECRET_KEY = home.secret_key()
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "hailwhale_django",
    "example_project.flights",
    "example_project.shop",
]

MIDDLEWARE = [
    "hailwhale_django.middleware.HailWhaleMiddleware",
    "django.middleware.security.SecurityMiddleware",
    csp.MIDDLEWARE,
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
SECURE_CSP = csp.POLICY

ROOT_URLCONF = "example_project.urls"
WSGI_APPLICATION = "example_project.wsgi.application"
ASGI_APPLICATION = "example_project.asgi.application"

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

DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": home.DIRECTORY / "demo.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The flights left New York, so their days are New York's days.
TIME_ZONE = "America/New_York"
USE_TZ = True
STATIC_URL = "static/"

# A server of one's own, or the one that `manage.py demo` starts.
OWN_REDIS_URL = os.environ.get("HAILWHALE_REDIS_URL")
REDIS_URL = OWN_REDIS_URL or f"redis://127.0.0.1:{home.valkey_port()}/0"

CACHES = {
    # Not on hailwhale's server: clearing a django-redis cache empties the whole database that it is in.
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "hailwhale": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        # A laptop that is busy otherwise is waited for: five seconds, redis-py's own, broke off the loading of flights.
        "OPTIONS": {"SOCKET_TIMEOUT": 60},
    },
}

HAILWHALE = {
    # django-redis has no client for Redis Cluster; hailwhale has, and takes the URL as it is.
    "REDIS": REDIS_URL if REDIS_URL.startswith("redis+cluster://") else "hailwhale",
    "TIME_ZONE": TIME_ZONE,
    "WRITE_KEYS": ["demo"],
    # Who looks at the demo is logged in as staff, and wants to see their own requests; those of the admin are no news.
    "REQUESTS_STAFF": True,
    "REQUESTS_EXCLUDE": ["/static/", "/admin/"],
    # How many came, and how many of who looked at one thing looked at another, too.
    "PIXEL_SKETCHES": ["uv:visitor", "mh:visitor"],
    # What filters of dashboards can be put together.
    "CROSSINGS": {
        "shop": [
            ["country", "device", "category"],
            ["country", "referrer"],
            ["country", "product"],
            ["device", "referrer"],
            ["device", "product"],
        ],
        "flights": [["carrier", "origin"]],
    },
    "CAPTURE": ["language", "referrer", "utm", "bot", "device", "browser", "os", "country"],
    # `manage.py visit` is a proxy before its visitors, and says where each comes from.
    "COUNTRY_HEADER": "X-Visitor-Country",
    "ADDRESS_HEADER": "X-Forwarded-For",
}

CELERY_BROKER_URL, CELERY_BROKER_TRANSPORT_OPTIONS = broker.named() or (
    broker.in_files(home.DIRECTORY / "broker") if OWN_REDIS_URL else broker.in_server(home.valkey_port())
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True

# One line for what went wrong, none for what went well.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "loggers": {"django.server": {"level": "ERROR"}},
}

# Mails of alerts and reports are written into files, whichever process sends them, and sent to nobody.
MAILS = home.DIRECTORY / "mails"
if django.VERSION >= (6, 1):
    MAILERS = {
        "default": {"BACKEND": "django.core.mail.backends.filebased.EmailBackend", "OPTIONS": {"file_path": MAILS}}
    }
else:
    EMAIL_BACKEND, EMAIL_FILE_PATH = "django.core.mail.backends.filebased.EmailBackend", MAILS
