"""Dead letters as a page shows them, and what becomes of those that someone has decided about."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ..engine.domain.line import read_line
from ..engine.errors import HailWhaleError, InvalidInput
from ..engine.pod import Pod
from ..engine.replay import Replay
from ..engine.store.dead import Letter
from ..engine.store.log import entry_of
from .live import age

LETTERS_OF_A_PAGE = 50
# A line may have a megabyte.
SHOWN_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class ShownLetter:
    """`counter` is the counter that refused it or, of an event that was refused whole, its own ("": unreadable)."""

    id: str
    age: str
    counter: str
    metrics: str
    reason: str
    line: str


@dataclass(frozen=True, slots=True)
class LettersPage:
    """Some of all letters, newest first."""

    letters: tuple[ShownLetter, ...]
    count: int
    page: int

    @property
    def pages(self) -> int:
        return max(-(-self.count // LETTERS_OF_A_PAGE), 1)


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many letters are counted, how many were gone already, and why others could not be."""

    counted: int
    gone: int
    refused: tuple[tuple[Letter, str], ...]


def letters_page(pod: Pod, page: int) -> LettersPage:
    begin = (page - 1) * LETTERS_OF_A_PAGE
    letters, count = pod.drain.dead.newest(pod.log.streams(), begin, LETTERS_OF_A_PAGE)
    now = pod.clock()
    return LettersPage(tuple(shown(letter, now) for letter in letters), count, page)


def shown(letter: Letter, now: float) -> ShownLetter:
    milliseconds, _, _ = entry_of(letter.position).partition("-")
    return ShownLetter(
        id=letter.id,
        age=age(now - int(milliseconds) / 1000),
        counter=letter.pk or _counter_of(letter.line),
        metrics=", ".join(letter.metrics),
        reason=letter.reason,
        line=written(letter.line),
    )


def written(line: bytes) -> str:
    """The bytes of a line as text that harms no page and no terminal."""
    text = line[:SHOWN_CHARACTERS].decode("utf-8", "backslashreplace")
    safe = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
    return safe + ("…" if len(line) > SHOWN_CHARACTERS else "")


def replay(pod: Pod, ids: Collection[str]) -> Replayed:
    """Count letters again, oldest first. Returns what became of each."""
    found = pod.drain.dead.find(pod.log.streams(), ids)
    replaying = Replay(pod.store, pod.log, pod.clock)
    counted, refused = 0, []
    for letter in found:
        try:
            counted += replaying.replay(letter)
        except HailWhaleError as error:
            refused.append((letter, str(error)))
    return Replayed(counted, len(set(ids)) - counted - len(refused), tuple(refused))


def discard(pod: Pod, ids: Collection[str]) -> int:
    """Forget letters; returns how many there were."""
    return pod.drain.dead.remove(pod.drain.dead.find(pod.log.streams(), ids))


def _counter_of(line: bytes) -> str:
    try:
        return str(read_line(line).pk)
    except InvalidInput:
        return ""
