"""Rows of files and of stdin, in blocks of whole lines.

What comes fast is gathered until a block is large enough to be worth the effort; what comes slowly, from a terminal or
`tail -f`, is handed on after a moment.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress

from .complaints import Complaints
from .progress import Progress
from .signals import Signals
from .stove import Place, Stove

STDIN = "-"

BLOCK_BYTES = 1 << 20
# Nobody sees it, and a writer on another processor has its turn.
PATIENCE_SECONDS = 0.01
# How often what goes by the clock is looked after while nothing comes.
TICK_SECONDS = 0.5
# More than any line may have: the rest of it need not be remembered to know that it will not do.
HELD_BYTES = 16 << 20


class Unreadable(Exception):
    """A file that is not there, or not for us."""


class Pipe:
    def __init__(
        self, files: Sequence[str], stove: Stove, signals: Signals, unreadable: Complaints, progress: Progress
    ) -> None:
        self.files = files or (STDIN,)
        self.stove = stove
        self.signals = signals
        self.unreadable = unreadable
        self.progress = progress

    def run(self) -> None:
        """Until all is read, or a signal comes."""
        for name in self.files:
            if self.signals.caught:
                return
            self.stove.place = Place("" if self.files == (STDIN,) else name, self.stove.rows)
            try:
                self._read(name)
            except Unreadable as error:
                self.unreadable.tell(name, f"cannot be read: {error}")

    def _read(self, name: str) -> None:
        source = 0 if name == STDIN else _opened(name)
        try:
            widen(source)
            cutter = Cutter()
            for piece in pieces(source, self.signals):
                self._hand_on(cutter.lines(piece))
            if not self.signals.caught:  # else half a line may be half a number
                self._hand_on(cutter.end())
        finally:
            if name != STDIN:
                os.close(source)

    def _hand_on(self, block: bytes) -> None:
        if block:
            self.stove.add(block)
        self.stove.settle()
        self.progress.tell(self.stove.rows)


def pieces(source: int, signals: Signals) -> Iterator[bytes]:
    """What is read, until there is no more or a signal came; nothing, now and then, while nothing comes."""
    is_open = True
    while is_open and not signals.caught:
        gathered: list[bytes] = []
        left, patience = BLOCK_BYTES, TICK_SECONDS
        while is_open and left and signals.wait(source, patience):
            gathered.append(_read(source, left))
            is_open = bool(gathered[-1])
            left, patience = left - len(gathered[-1]), PATIENCE_SECONDS
        yield b"".join(gathered)


def _opened(name: str) -> int:
    try:
        return os.open(name, os.O_RDONLY)
    except OSError as error:
        raise Unreadable(error.strerror) from error


def _read(source: int, most: int) -> bytes:
    try:
        return os.read(source, most)
    except OSError as error:
        raise Unreadable(error.strerror) from error


def widen(source: int) -> None:
    """Let a pipe hold a whole block, where the system has a way to."""
    with suppress(AttributeError, OSError):  # another system, no pipe, or more than a user may have
        fcntl.fcntl(source, fcntl.F_SETPIPE_SZ, BLOCK_BYTES)


class Cutter:
    """Cuts what comes in pieces behind the last line end of each."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._is_skipping = False

    def lines(self, piece: bytes) -> bytes:
        """The whole lines that there are now. The rest waits for its end; of what is too long, only the beginning."""
        end = piece.rfind(b"\n") + 1
        if self._is_skipping:
            begin = piece.find(b"\n") + 1
            if not begin:
                return b""
            self._is_skipping = False
        else:
            begin = 0
        if not end:
            self._rest += piece
            return self._too_long()
        block = bytes(self._rest) + piece[begin:end] if self._rest or begin else piece[:end]
        self._rest = bytearray(piece[end:])
        return block

    def _too_long(self) -> bytes:
        if len(self._rest) <= HELD_BYTES:
            return b""
        self._is_skipping = True
        return self.end()

    def end(self) -> bytes:
        """What is left without a line end."""
        rest, self._rest = bytes(self._rest), bytearray()
        return rest
