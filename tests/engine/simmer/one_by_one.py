"""What the pot promises, written down as plainly as it can be: rows one by one."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from hailwhale_django.engine.errors import InvalidInput
from hailwhale_django.engine.simmer.aggregation import Aggregation
from hailwhale_django.engine.simmer.lines import read_row, read_state, write_line


@dataclass(slots=True)
class Held:
    aggregation: Aggregation[Any]
    state: Any
    values: int


class Plainly:
    """A pot that works on each row alone. `out` is what it spilled, and `bad` the numbers of lines it refused."""

    def __init__(self, capacity: int, flush: int, sorted: bool, as_of: float) -> None:
        self.capacity = 1 if sorted else capacity
        self.flush = flush
        self.as_of = as_of
        self.held: OrderedDict[str, Held] = OrderedDict()
        self.out: list[bytes] = []
        self.bad: list[int] = []

    def simmer(self, text: bytes) -> bytes:
        lines = text.split(b"\n")
        for number, line in enumerate(lines if lines[-1] else lines[:-1], start=1):
            try:
                self.add(line)
            except InvalidInput:
                self.bad.append(number)
        for key in list(self.held):
            self.spill(key)
        return b"".join(self.out)

    def add(self, line: bytes) -> None:
        row = read_row(line)
        aggregation, state = read_state(row)
        if row.key in self.held:
            held = self.held[row.key]
            held.state = aggregation.merge(held.state, state)
            held.values += 1
            self.held.move_to_end(row.key)
        else:
            if len(self.held) >= self.capacity:
                self.spill(next(iter(self.held)))
            held = self.held[row.key] = Held(aggregation, state, 1)
        if held.values == self.flush:
            self.spill(row.key)

    def spill(self, key: str) -> None:
        held = self.held.pop(key)
        self.out.append(write_line(key, held.aggregation, held.state, self.as_of))
