"""Aggregates as values in Redis, each merged with what is there, in the ancestor's layout:

    key      the first column
    value    machine value, tab, human value

Several simmers may write the same keys at once. Each value is replaced only if it is still the one that was merged, so
no update is lost. While the server is away, states wait here and go on merging; at most `MOST_WAITING` of them, and
what comes beyond is written to stdout. A value that is not simmer's own is left alone, and reported by its key.

Warning: when the connection breaks during a write, the value tells afterwards whether it was written, unless another
writer has changed it meanwhile. Then it is merged again, and may count twice.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from ..engine.errors import InvalidInput, StoreUnavailable
from ..engine.simmer.lines import Row, read_state, write_line
from ..engine.store.shelf import Found, Shelf, Swap
from .complaints import Complaints, say
from .stdout import Stdout, midnight

if TYPE_CHECKING:
    from ..engine.simmer.aggregation import Aggregation
    from ..engine.simmer.pot import Batch

# Keys of one round trip.
CHUNK = 256
MOST_WAITING = 100_000
# One of those who write the same key at once gets through, each time.
ATTEMPTS = 100
SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
LAST_ATTEMPTS = 3


class Tried(NamedTuple):
    """A state whose write got no answer, and the value that it would have made."""

    aggregation: Aggregation[Any]
    state: Any
    value: bytes


class Shelving:
    def __init__(self, shelf: Shelf, stdout: Stdout, unwritten: Complaints) -> None:
        self.shelf = shelf
        self.stdout = stdout
        self.unwritten = unwritten
        self._waiting: dict[str, tuple[Aggregation[Any], Any]] = {}
        self._doubtful: dict[str, Tried] = {}
        self._pause = 0.0
        self._again_at = 0.0
        self._written = self._contended = 0

    def spill(self, batch: Batch) -> None:
        for key, aggregation, state in batch:
            self._keep(key, aggregation, state)
            if len(self._waiting) >= MOST_WAITING:
                self._make_room()

    def _keep(self, key: str, aggregation: Aggregation[Any], state: Any) -> None:
        held = self._waiting.get(key)
        self._waiting[key] = (aggregation, state if held is None else aggregation.merge(held[1], state))

    def _make_room(self) -> None:
        self.settle()
        if len(self._waiting) >= MOST_WAITING:
            self._give_up(list(self._waiting)[: MOST_WAITING // 2], "as too many keys wait for Redis")

    def settle(self) -> None:
        """Write what waits, unless the server was away a moment ago."""
        if (self._waiting or self._doubtful) and time.monotonic() >= self._again_at:
            try:
                self._write()
            except StoreUnavailable as error:
                self._wait(error)
            else:
                self._be_back()
        self.stdout.settle()

    def finish(self) -> None:
        for attempt in range(LAST_ATTEMPTS):
            if attempt:
                time.sleep(SHORTEST_PAUSE)
            self._again_at = 0.0
            self.settle()
            if not self._waiting and not self._doubtful:
                return
        for key, tried in self._doubtful.items():
            self._keep(key, tried.aggregation, tried.state)
        if self._doubtful:
            say(f"{len(self._doubtful):,} of these may be in Redis already: the answer was lost")
        self._doubtful.clear()
        self._give_up(list(self._waiting), "as Redis did not take it")
        self.stdout.settle()

    # -- writing -------------------------------------------------------------------------------------------------------

    def _write(self) -> None:
        self._settle_doubts()
        while self._waiting:
            self._merge(list(islice(self._waiting, CHUNK)))

    def _settle_doubts(self) -> None:
        """Of states whose write got no answer, keep those that are not there."""
        while keys := list(islice(self._doubtful, CHUNK)):
            for key, found in zip(keys, self.shelf.look(keys), strict=True):
                tried = self._doubtful.pop(key)
                if found.value != tried.value:
                    self._keep(key, tried.aggregation, tried.state)

    def _merge(self, keys: list[str]) -> None:
        for attempt in range(ATTEMPTS):
            if attempt:  # others write the same keys now
                self._contended += len(keys)
                time.sleep(random.uniform(0, 0.002 * min(attempt, 10)))
            keys = self._swap(keys)
            if not keys:
                return
        raise StoreUnavailable(f"{keys[0]!r} was changed by others {ATTEMPTS} times in a row")

    def _swap(self, keys: list[str]) -> list[str]:
        """Those keys that were changed while their values were merged."""
        looked = zip(keys, self.shelf.look(keys), strict=True)
        swaps = [swap for key, found in looked if (swap := self._merged(key, found)) is not None]
        for swap in swaps:
            self._doubtful[swap.key] = Tried(*self._waiting.pop(swap.key), swap.after)
        again = []
        for swap, is_done in zip(swaps, self.shelf.swap(swaps), strict=True):
            tried = self._doubtful.pop(swap.key)
            if is_done:
                self._written += 1
            else:
                self._keep(swap.key, tried.aggregation, tried.state)
                again.append(swap.key)
        return again

    def _merged(self, key: str, found: Found) -> Swap | None:
        """What is to replace what was found; nothing where that is not simmer's own."""
        aggregation, state = self._waiting[key]
        try:
            kept = read_value(key, found)
        except InvalidInput as why:
            self._give_up([key], f"as its value in Redis is not simmer's own ({why}) and is left alone")
            return None
        whole = state if kept is None else aggregation.merge(kept, state)
        try:
            return Swap(key, found.value, written_value(key, aggregation, whole))
        except InvalidInput as why:
            self._give_up([key], f"as with what is in Redis it is too large ({why})")
            return None

    def _give_up(self, keys: Iterable[str], why: str) -> None:
        """Let stdout have what Redis has not."""
        for key in keys:
            self.unwritten.tell(f"{key!r} goes to stdout", why)
            self.stdout.write(key, *self._waiting.pop(key))

    # -- outages -------------------------------------------------------------------------------------------------------

    def _wait(self, error: StoreUnavailable) -> None:
        if not self._pause:
            say(f"{error}; {len(self._waiting) + len(self._doubtful):,} keys wait")
        self._pause = min(max(2 * self._pause, SHORTEST_PAUSE), LONGEST_PAUSE)
        self._again_at = time.monotonic() + self._pause

    def _be_back(self) -> None:
        if self._pause:
            say("Redis answers again")
        self._pause = 0.0

    # -- reading -------------------------------------------------------------------------------------------------------

    def state(self, key: str, aggregation: Aggregation[Any]) -> Any | None:
        """Raises `InvalidInput` for what is not simmer's own, and `StoreUnavailable`."""
        found = [read_value(key, self.shelf.look([key])[0])]
        found += [held[1] for held in [self._waiting.get(key)] if held]
        found += [tried.state for tried in [self._doubtful.get(key)] if tried]
        return _merged_all(aggregation, [state for state in found if state is not None])

    def statistics(self) -> dict[str, int]:
        return {"values written to Redis": self._written, "writes that met another": self._contended}


def _merged_all(aggregation: Aggregation[Any], states: list[Any]) -> Any | None:
    merge: Callable[[Any, Any], Any] = aggregation.merge
    total = None
    for state in states:
        total = state if total is None else merge(total, state)
    return total


def read_value(key: str, found: Found) -> Any | None:
    """The state that a value holds. Raises `InvalidInput` for one that simmer does not write."""
    if found.kind == "none":
        return None
    if found.value is None:
        raise InvalidInput("value", found.kind, "simmer's values are strings")
    machine, tab, _ = found.value.decode("utf-8", "surrogateescape").partition("\t")
    if not tab:
        raise InvalidInput("value", found.value, "simmer's values are a machine value, a tab and a human value")
    return read_state(Row(key, machine))[1]


def written_value(key: str, aggregation: Aggregation[Any], state: Any) -> bytes:
    return write_line(key, aggregation, state, midnight(time.time())).rstrip(b"\n").partition(b"\t")[2]
