"""Claims: of several workers one does what is to be done, and what a killed one held is free again after a while.

A claim is one conditional UPDATE of the row's `claimed_until`; no transaction is held while mail is sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model, Q, QuerySet

LEASE = timedelta(minutes=5)
"""Longer than any task may take."""


@contextmanager
def claimed(rows: QuerySet[Any], pk: Any, now: datetime) -> Iterator[Model | None]:
    """The row, ours until the end; `None` where it is not among `rows` (any more), or somebody else's."""
    until = now + LEASE
    free = rows.filter(Q(claimed_until=None) | Q(claimed_until__lte=now), pk=pk)
    row = rows.model._default_manager.filter(pk=pk).first() if free.update(claimed_until=until) else None
    try:
        yield row
    finally:
        if row is not None:
            release(row, until)


def release(row: Model, until: datetime) -> None:
    """Only what is still ours: where we took too long, another may hold it."""
    type(row)._default_manager.filter(pk=row.pk, claimed_until=until).update(claimed_until=None)
