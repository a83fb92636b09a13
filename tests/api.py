"""What tests of the JSON API and of the admin's pages share: settings with write keys, and who may do what."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.test import Client, override_settings

KEY = "a key"


def configured(**changed: Any) -> override_settings:
    """The tests' settings with write keys, and some changed."""
    return override_settings(HAILWHALE={**settings.HAILWHALE, "WRITE_KEYS": [KEY, "another"], **changed})


def who_may(*codenames: str) -> Client:
    """A client of a member of the staff with these permissions and no others."""
    user = User.objects.create_user("looker", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client
