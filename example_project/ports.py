"""Ports on this machine, and only on this machine."""

from __future__ import annotations

import socket

HOST = "127.0.0.1"
HIGHEST = 65_535


def free_port() -> int:
    """A port that nobody listens on now, chosen by the operating system."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a server could listen on `port`; one that has just ended there does not stand in the way."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def next_free_port(port: int) -> int:
    """The first free port after `port`."""
    return next((above for above in range(port + 1, HIGHEST + 1) if is_free(above)), None) or free_port()
