"""Rows and statsd lines of UDP packets, in blocks.

A block of few packets costs nearly as much as one of thousands, so they are gathered: until there are enough, or for a
moment after the first. Meanwhile all that has come is taken from the socket at once, with a nap in between as long as
its buffer surely lasts. What finds no room there, the system drops and counts.
"""

from __future__ import annotations

import socket
import struct
import time
from contextlib import suppress

from .complaints import Complaints, say
from .pipe import TICK_SECONDS
from .progress import Progress
from .signals import Signals
from .stove import Place, Stove

# As much as a packet may be; and of as many as are worth the effort, while others need not wait for long.
PACKET_BYTES = 65_535
BLOCK_BYTES = 192 << 10
MOMENT_SECONDS = 0.05

# How many packets a second the nap reckons with, and what the system takes from the buffer for a small one.
PACKETS_PER_SECOND = 1_000_000
KEPT_BYTES = 1024
LONGEST_NAP_SECONDS = 0.005

# As much as the system allows, which may be less: see net.core.rmem_max.
WAITING_BYTES = 64 << 20

# Linux: nine numbers about a socket, the last of them how many packets it had no room for.
SO_MEMINFO, MEMINFO = 55, struct.Struct("9I")


class Udp:
    """Raises `OSError` where one cannot listen."""

    def __init__(
        self, address: tuple[str, int], stove: Stove, signals: Signals, lost: Complaints, progress: Progress
    ) -> None:
        self.stove = stove
        self.lost = lost
        self.signals = signals
        self.progress = progress
        family, _, _, _, found = socket.getaddrinfo(*address, type=socket.SOCK_DGRAM)[0]
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        enlarge(self.socket)
        self.socket.bind(found)
        self.socket.setblocking(False)
        self.packets = self._told = 0
        self._packets: list[bytes] = []
        self._room, self._is_behind = BLOCK_BYTES, False
        self._buffer_bytes = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        self._nap = min(self._buffer_bytes / KEPT_BYTES / PACKETS_PER_SECOND, LONGEST_NAP_SECONDS)

    def run(self) -> None:
        """Until a signal comes."""
        self.stove.place = Place("udp", None)
        self.stove.warm()
        say(f"listening on udp {shown(self.socket)}")
        while not self.signals.caught:
            self._gather()
            self._hand_on()
            self.stove.settle()
            self._tell_dropped()
            self.progress.tell(self.stove.rows)
        self._take_what_came_before()

    def _gather(self) -> None:
        """Packets for a block, or those of a moment; or none, if none came for a while."""
        until = time.monotonic() + TICK_SECONDS
        while self._room > 0 and self.signals.wait(self.socket.fileno(), max(until - time.monotonic(), 0)):
            if not self._packets:
                until = time.monotonic() + MOMENT_SECONDS
            if not self._is_behind:
                time.sleep(self._nap)
            self._take()

    def _take(self) -> None:
        """All that has come, or what there is room for in the block."""
        receive, packets, room = self.socket.recv, self._packets, self._room
        with suppress(BlockingIOError):
            while room > 0:
                packet = receive(PACKET_BYTES)
                packets.append(packet)
                room -= len(packet) + 1
        self._room, self._is_behind = room, room <= 0

    def _hand_on(self) -> None:
        packets, self._packets, self._room = self._packets, [], BLOCK_BYTES
        self.packets += len(packets)
        if block := b"\n".join(packets):
            self.stove.add_packets(block)

    def _take_what_came_before(self) -> None:
        """No more than the buffer holds: others may go on sending."""
        for _ in range(self._buffer_bytes // BLOCK_BYTES + 1):
            self._take()
            self._hand_on()
            if not self._is_behind:
                return

    @property
    def dropped(self) -> int | None:
        """How many packets came that nobody had room for; nothing where the system does not say."""
        try:
            return int(MEMINFO.unpack(self.socket.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, MEMINFO.size))[-1])
        except (OSError, struct.error):
            return None

    def _tell_dropped(self) -> None:
        dropped = self.dropped or 0
        if dropped > self._told:
            self.lost.tell("udp", f"{dropped - self._told:,} packets were dropped: they came too fast")
            self._told = dropped

    def close(self) -> None:
        self._tell_dropped()
        if self._told:
            say(f"packets dropped: {self._told:,}")
        self.socket.close()

    def statistics(self) -> dict[str, int]:
        dropped = self.dropped
        return {"packets": self.packets} | ({} if dropped is None else {"packets dropped": dropped})


def enlarge(receiver: socket.socket) -> None:
    """Give a socket the largest buffer that it may have."""
    wanted = WAITING_BYTES
    while wanted > receiver.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF):
        try:
            receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, wanted)
            return
        except OSError:  # some systems refuse what others cut
            wanted //= 2


def shown(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
