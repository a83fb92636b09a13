"""The country a request comes from: what a proxy says in `COUNTRY_HEADER`, or a `COUNTRY_DATABASE` knows.

Any mmdb file will do whose records have `country.iso_code`, as MaxMind's and DB-IP's, or `country_code`. Extra
`[geo]`. The file is opened once per process: one that is replaced is read after a restart.
"""

from __future__ import annotations

import logging
import re
from functools import cache
from typing import Any

from django.http import HttpRequest

from .conf import get_settings
from .visitors import address_of, header

logger = logging.getLogger("hailwhale")

_CODE = re.compile(r"[A-Z]{2}")
UNKNOWN = ("XX", "ZZ")


def country_of(request: HttpRequest) -> str | None:
    """Two letters of ISO 3166-1, or None where it is not known."""
    settings = get_settings()
    code = header(request, settings.COUNTRY_HEADER).upper() if settings.COUNTRY_HEADER else ""
    if not code and settings.COUNTRY_DATABASE:
        code = _looked_up(str(settings.COUNTRY_DATABASE), address_of(request))
    return code if _CODE.fullmatch(code) and code not in UNKNOWN else None


def opened(path: str) -> Any:
    """A reader of an mmdb file. Raises `ImportError`, `OSError` or `ValueError` where there can be none."""
    import maxminddb

    try:
        return maxminddb.open_database(path)
    except maxminddb.InvalidDatabaseError as error:
        raise ValueError(str(error)) from error


@cache
def _reader(path: str) -> Any:
    """A reader, or None where there can be none: said once, and by the system checks."""
    try:
        return opened(path)
    except (ImportError, OSError, ValueError) as error:
        logger.error("no countries: COUNTRY_DATABASE %r cannot be read: %s", path, error)
        return None


def _looked_up(path: str, address: str) -> str:
    reader = _reader(path)
    try:
        found = reader.get(address) if reader is not None and address else None
    except ValueError:  # no address, or one of IPv6 in a database of IPv4
        return ""
    return _code_in(found)


def _code_in(found: Any) -> str:
    record = found if isinstance(found, dict) else {}
    country = record.get("country")
    code = country.get("iso_code") if isinstance(country, dict) else record.get("country_code", country)
    return code if isinstance(code, str) else ""
