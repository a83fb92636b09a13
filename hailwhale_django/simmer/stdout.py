"""Aggregates as lines on stdout."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from ..engine.errors import InvalidInput
from .complaints import Complaints

if TYPE_CHECKING:
    from ..engine.simmer.aggregation import Aggregation
    from ..engine.simmer.pot import Batch


def midnight(now: float) -> float:
    """The end of the current day, where this machine is: as of when sums that decay are told."""
    today = time.localtime(now)
    return time.mktime((today.tm_year, today.tm_mon, today.tm_mday + 1, 0, 0, 0, 0, 0, -1))


class Stdout:
    """Raises `OSError` where stdout takes no more. What is too large for a line is told, and harms no other."""

    def __init__(self, unwritten: Complaints) -> None:
        self.unwritten = unwritten
        self._stream = os.fdopen(1, "wb", closefd=False)

    def spill(self, batch: Batch) -> None:
        try:
            self._stream.write(batch.lines(midnight(time.time())))
        except InvalidInput:
            for one in batch:
                self.write(*one)

    def write(self, key: str, aggregation: Aggregation[Any], state: Any) -> None:
        from ..engine.simmer.lines import write_line

        try:
            self._stream.write(write_line(key, aggregation, state, midnight(time.time())))
        except InvalidInput as why:
            self.unwritten.tell(f"{key!r} is lost", why)

    def settle(self) -> None:
        self._stream.flush()

    finish = settle

    def state(self, key: str, aggregation: Aggregation[Any]) -> Any | None:
        """Nobody knows what became of what was written."""
        return None

    def statistics(self) -> dict[str, int]:
        return {}
