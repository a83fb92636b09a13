"""GET /KEY: the human value of a key, of Redis and memory together, as plain text."""

from __future__ import annotations

import socket
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote_to_bytes

from ..engine.errors import InvalidInput, StoreUnavailable
from ..engine.simmer.recipe import parse
from .complaints import say
from .stdout import midnight
from .stove import Kettle
from .udp import shown

USAGE = """\
GET /KEY answers with what is known of a key, e.g. /sum:x or /pct95:latency

200  the human value
400  the key will not do
404  nothing is known of it
409  what Redis has there was not written by simmer
503  Redis does not answer
"""

# Of one who says nothing more.
TIMEOUT_SECONDS = 10.0


class Http:
    """A server in a thread of its own. Raises `OSError` where one cannot listen."""

    def __init__(self, address: tuple[str, int], kettle: Kettle) -> None:
        self._server = _Server(address, kettle)
        say(f"listening on http://{shown(self._server.socket)}/")
        self._thread = Thread(target=self._server.serve_forever, name="simmer-http", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], kettle: Kettle) -> None:
        self.kettle = kettle
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """As its parent's, but for asking the network what this host is called."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "simmer", self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who hangs up in the midst of an answer is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "simmer", ""
    timeout = TIMEOUT_SECONDS

    def do_GET(self) -> None:
        self._answer(*self._found(self.path))

    do_HEAD = do_GET

    def _found(self, path: str) -> tuple[int, str]:
        quoted = path.partition("?")[0].removeprefix("/")
        key = unquote_to_bytes(quoted).decode("utf-8", "surrogateescape")
        return (200, USAGE) if not key else asked(self.server.kettle, key)

    def _answer(self, status: int, text: str) -> None:
        body = text.encode("utf-8", "surrogateescape")
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_POST(self) -> None:
        self.close_connection = True  # there may be a body, which nobody reads
        self._answer(405, "simmer answers GET and HEAD\n")

    do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_POST

    def log_message(self, *arguments: object) -> None:
        """stderr is for what went wrong."""


def asked(kettle: Kettle, key: str) -> tuple[int, str]:
    """Status and text for a key."""
    try:
        parse(key)
    except InvalidInput as error:
        return 400, f"{error}\n"
    try:
        found = kettle.state(key)
    except InvalidInput as error:
        return 409, f"{error}\n"
    except StoreUnavailable as error:
        return 503, f"{error}\n"
    if found is None:
        return 404, f"nothing is known of {key}\n"
    aggregation, state = found
    return 200, aggregation.present(state, midnight(time.time())) + "\n"
