"""Where rows become aggregates: a pot and its output, with a lock around them, for HTTP looks into the pot too."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .complaints import Complaints
from .options import Options

if TYPE_CHECKING:
    from ..engine.errors import InvalidInput
    from ..engine.simmer.aggregation import Aggregation
    from ..engine.simmer.pot import Batch, Pot
    from .statsd import Translator


class Place(NamedTuple):
    """Where rows come from: a name, and how many rows came before it; `None` where nobody numbers them."""

    name: str = ""
    before: int | None = 0

    def of(self, number: int) -> str:
        if self.before is None:
            return self.name
        return f"{self.name}:{number - self.before}" if self.name else f"line {number}"


class StrictlyBad(Exception):
    """A line was bad, and that is enough."""


class Stove(Protocol):
    """What rows are given to."""

    place: Place

    @property
    def rows(self) -> int: ...

    def add(self, block: bytes) -> None:
        """Whole lines. Raises `StrictlyBad`."""

    def add_packets(self, block: bytes) -> None:
        """Lines of packets, each a row or of statsd. Raises `StrictlyBad`."""

    def warm(self) -> None:
        """Load what rows will need: packets do not wait."""

    def settle(self) -> None:
        """Bring on its way what is ready, and look at the clock: after each block, and when nothing came."""

    def finish(self) -> None:
        """Bring all on its way: there will be no more rows."""

    def statistics(self) -> dict[str, int]: ...


class Output(Protocol):
    """Where aggregates go."""

    def spill(self, batch: Batch) -> None: ...

    def settle(self) -> None: ...

    def finish(self) -> None: ...

    def state(self, key: str, aggregation: Aggregation[Any]) -> Any | None:
        """What is known of a key out there."""

    def statistics(self) -> dict[str, int]: ...


class Kettle:
    """The stove that aggregates. Nothing is imported for it before the first row comes."""

    def __init__(self, options: Options, output: Output, bad: Complaints) -> None:
        self.options = options
        self.output = output
        self.bad = bad
        self.place = Place()
        self.lock = Lock()
        self._pot: Pot | None = None
        self._translator: Translator | None = None
        self._emptied_at = time.monotonic()
        self._misread = self._written = 0

    @property
    def rows(self) -> int:
        return (self._pot.rows if self._pot else 0) + self._misread

    @property
    def pot(self) -> Pot:
        if self._pot is None:
            from ..engine.simmer.pot import Pot

            options = self.options
            self._pot = Pot(self._spill, self._refuse, options.capacity, options.flush, options.sorted)
        return self._pot

    def _spill(self, batch: Batch) -> None:
        self._written += len(batch)
        self.output.spill(batch)

    def _refuse(self, number: int, line: bytes, why: InvalidInput) -> None:
        self.bad.tell(self.place.of(number), why, line)

    def add(self, block: bytes) -> None:
        with self.lock:
            if self.options.strict:
                self._add_strictly(block)
            else:
                self.pot.add(block)

    def _add_strictly(self, block: bytes) -> None:
        """The lines before the first bad one; a pot that is thrown away finds it."""
        from ..engine.simmer.pot import Pot

        found: list[tuple[int, bytes, InvalidInput]] = []
        Pot(lambda batch: None, lambda *refused: found.append(refused), self.options.capacity).add(block)
        if not found:
            self.pot.add(block)
            return
        number, line, why = min(found, key=lambda refused: refused[0])
        before = self.pot.rows
        if number > 1:
            self.pot.add(b"\n".join(block.split(b"\n")[: number - 1]) + b"\n")
        self._misread += 1
        self._refuse(before + number, line, why)
        raise StrictlyBad

    @property
    def translator(self) -> Translator:
        if self._translator is None:
            from .statsd import Translator

            self._translator = Translator(self.options.timers, self._misunderstand, self.options.capacity)
        return self._translator

    def warm(self) -> None:
        from ..engine.simmer.pot import Pot

        block = self.translator.rows(b"x:1|c")
        Pot(lambda batch: None, lambda *refused: None).add(block)

    def add_packets(self, block: bytes) -> None:
        misread = self._misread
        if rows := self.translator.rows(block):
            self.add(rows)
        if self.options.strict and self._misread > misread:
            raise StrictlyBad

    def _misunderstand(self, line: bytes, why: InvalidInput) -> None:
        self._misread += 1
        self.bad.tell(self.place.name, why, line)

    def settle(self) -> None:
        with self.lock:
            if self._pot and self.options.every and time.monotonic() - self._emptied_at >= self.options.every:
                self._emptied_at = time.monotonic()
                self._pot.finish()
            self.output.settle()

    def finish(self) -> None:
        with self.lock:
            if self._pot:
                self._pot.finish()
            self.output.finish()

    def state(self, key: str) -> tuple[Aggregation[Any], Any] | None:
        """What is known of a key, in memory and out there. Raises `InvalidInput` and `StoreUnavailable`."""
        from ..engine.simmer.recipe import parse

        aggregation = parse(key).aggregation
        with self.lock:
            held, kept = self.pot.state(key), self.output.state(key, aggregation)
        found = [state for state in (held[1] if held else None, kept) if state is not None]
        if not found:
            return None
        return aggregation, found[0] if len(found) == 1 else aggregation.merge(*found)

    def statistics(self) -> dict[str, int]:
        pot = {"keys in memory": self._pot.keys if self._pot else 0, "keys written out": self._written}
        return {"lines": self.rows, "bad lines": self.bad.total} | pot | self.output.statistics()
