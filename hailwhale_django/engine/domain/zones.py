"""Time zones by name: IANA names, the ancestor's hundredths of hours, and the machine's own.

A name may come from anyone. It is looked up only if it is made of plain words, so that it cannot leave the
directory of the time zone database, and whatever goes wrong in the look-up is `InvalidInput`.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from ..errors import InvalidInput

SYSTEM = "system"
EXPECTED = "use an IANA name, e.g. Europe/Paris, or hundredths of hours, e.g. -0700 for 7 hours behind UTC"

MAX_KEY_CHARACTERS = 64  # the longest name of the database has 32
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9][A-Za-z0-9_+-]*){0,2}")
_HUNDREDTHS = re.compile(r"[+-]?[0-9]{1,4}")
_LOCALTIME = Path("/etc/localtime")


def parse_zone(given: float | str, *, now: datetime, field: str = "zone") -> tzinfo:
    """A zone by IANA name, by hundredths of hours (`-700`, `"+0530"` is 5.3 h) or `"system"`.

    `now` matters only where the machine does not say which zone it is in: then its offset at `now` is taken.
    Raises `InvalidInput` about `field`.
    """
    if isinstance(given, (int, float)) and not isinstance(given, bool):
        return _fixed(given, given, field)
    text = given.strip() if isinstance(given, str) else ""
    if _HUNDREDTHS.fullmatch(text):
        return _fixed(int(text), given, field)
    if text.lower() == SYSTEM:
        return _system_zone(now)
    zone = _named(text)
    if zone is None:
        raise InvalidInput(field, given, EXPECTED)
    return zone


def _fixed(hundredths: float, given: object, field: str) -> tzinfo:
    if not -2400 < hundredths < 2400:  # false for nan, too
        raise InvalidInput(field, given, "an offset is less than 24 hours: -2399 to 2399")
    return timezone(timedelta(seconds=round(hundredths * 36)))


def _named(key: str) -> ZoneInfo | None:
    if len(key) > MAX_KEY_CHARACTERS or not _KEY.fullmatch(key):
        return None
    try:
        return ZoneInfo(key)
    except (KeyError, ValueError, OSError):  # not there, not a zone, a directory
        return None


def _system_zone(now: datetime) -> tzinfo:
    """The zone that `TZ` or `/etc/localtime` names."""
    named = _named(os.environ["TZ"].removeprefix(":")) if "TZ" in os.environ else _linked_zone()
    if named is not None:
        return named
    return now.astimezone().tzinfo or UTC


def _linked_zone() -> ZoneInfo | None:
    return _named(str(_LOCALTIME.resolve()).rpartition("zoneinfo/")[2])
