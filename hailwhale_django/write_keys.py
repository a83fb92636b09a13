"""Write keys: those of the setting, which count everywhere, and those of the admin, each on its own counters.

What is kept of a key of the admin is its hash, so finding one is a single look-up by an index. The database is asked
only for a key that the setting does not have: while it is away those of the setting still count.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import Error, router, transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from .access_models import WriteKey, digest_of
from .conf import get_settings
from .engine.domain.paths import Path, pk_of
from .engine.errors import HailWhaleError, InvalidInput

logger = logging.getLogger("hailwhale")


class Elsewhere(InvalidInput):
    """A counter that a key may not count on."""


class KeysAway(HailWhaleError):
    """The database does not say which keys there are."""


@dataclass(frozen=True, slots=True)
class Holder:
    """What somebody may do by a key: count on these counters and their children (none: on all), annotate."""

    name: str = ""
    counters: tuple[Path, ...] = ()
    annotates: bool = False

    def check(self, given: Any, field: str = "pk") -> None:
        """Raise `Elsewhere` of a counter that is not the key's, `InvalidInput` of what is no counter."""
        if not self.counters:
            return
        pk = pk_of(given)
        if not any(one and pk[: len(one)] == one for one in self.counters):
            counters = ", ".join(map(str, self.counters))
            raise Elsewhere(field, str(pk), f"the write key {self.name!r} counts on {counters}, and below")


EVERYWHERE = Holder()


def holder_of(key: str) -> Holder | None:
    """Who holds this key; `None` if nobody does. Raises `KeysAway`."""
    # All are compared, and each in constant time: how long it takes tells nothing.
    if True in [constant_time_compare(key, one) for one in get_settings().WRITE_KEYS]:
        return EVERYWHERE
    try:
        row = WriteKey.objects.filter(digest=digest_of(key), active=True).first()
    except (Error, ImproperlyConfigured) as error:
        logger.warning("write keys cannot be read: %s", error)
        raise KeysAway("the database of write keys does not answer; try again") from error
    return None if row is None else _used(row)


def allowed(
    events: Iterable[Any],
    holder: Holder,
    counters_of: Callable[[Any], Iterable[Any]],
    on_error: Callable[[HailWhaleError, Any], None],
) -> list[Any]:
    """The events of a batch that the key may count; `on_error` is told of the others, and what is none passes by."""
    if not holder.counters:
        return list(events)
    found = []
    for event in events:
        try:
            for pk in counters_of(event):
                holder.check(pk)
        except InvalidInput as error:
            on_error(error, event)
        else:
            found.append(event)
    return found


def _used(row: WriteKey) -> Holder:
    """Who holds it, when the day is written down; a database that takes no writes stops nobody from counting."""
    today = timezone.localdate()
    try:
        if row.last_used_on != today:
            with transaction.atomic(router.db_for_write(WriteKey)):
                row.used(today)
    except Error as error:
        logger.warning("when the write key %s was used is not written down: %s", row, error)
    return Holder(row.name, row.paths, row.annotates)
