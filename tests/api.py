"""What tests of the JSON API share: settings with write keys."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.test import override_settings

KEY = "a key"


def configured(**changed: Any) -> override_settings:
    """The tests' settings with write keys, and some changed."""
    return override_settings(HAILWHALE={**settings.HAILWHALE, "WRITE_KEYS": [KEY, "another"], **changed})
