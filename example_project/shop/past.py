"""Counting the shop's made-up past: once and completely, as the flights are."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TextIO

from example_project.flights.load import progress
from example_project.shop.goods import BANNER, COUNTER
from example_project.shop.history import decided, events
from hailwhale_django import Whale
from hailwhale_django.decisions import events_of

MARKER = "hailwhale_demo:shop"
BEGUN, COMPLETE = b"begun", b"complete"


def is_there(client: Any) -> bool:
    """Whether this server has counted it, all of it."""
    return client.get(MARKER) == COMPLETE


def load(client: Any, days: int, now: datetime, progress_to: TextIO) -> int:
    """Count it; takes back first what an earlier time has counted, with what the shop has sold since."""
    if client.get(MARKER):
        Whale.reset(COUNTER)
    client.set(MARKER, BEGUN)
    found = list(events(now, days))
    counted = Whale.count_many(progress(found, len(found), progress_to))
    if not Whale.counters(["decisions", BANNER]):  # what visitors have taught the shop is worth more
        Whale.count_many(event for one in decided(now) for event in events_of(one, Whale.store))
    client.set(MARKER, COMPLETE)
    return counted
