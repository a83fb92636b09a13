"""A statsd server as one writes it in plain Python: a packet, a loop over its lines, a dict. The peer of `simmer_udp`.

It has the same large buffer in the kernel as simmer, does nothing else while it receives, and knows counters only.
"""

from __future__ import annotations

import signal
import socket
import sys
from contextlib import suppress

from hailwhale_django.simmer.udp import enlarge


class Ended(Exception):
    """By SIGTERM."""


def end(*_: object) -> None:
    raise Ended


def main() -> None:
    counters: dict[str, float] = {}
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    enlarge(server)
    server.bind(("127.0.0.1", 0))
    print(f"listening on udp 127.0.0.1:{server.getsockname()[1]}", file=sys.stderr, flush=True)
    signal.signal(signal.SIGTERM, end)
    with suppress(Ended):
        serve(server, counters)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    server.setblocking(False)
    with suppress(BlockingIOError):  # what had come before
        serve(server, counters)
    for name, total in counters.items():
        print(f"sum:{name}\t{total:.0f}\t{total:.0f}")


def serve(server: socket.socket, counters: dict[str, float]) -> None:
    while True:
        packet, _ = server.recvfrom(65_535)
        for line in packet.decode().split("\n"):
            name, _, rest = line.partition(":")
            value, _, kind = rest.partition("|")
            if kind == "c":
                counters[name] = counters.get(name, 0.0) + float(value)


if __name__ == "__main__":
    main()
