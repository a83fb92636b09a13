"""Spying: the last things that were logged of each visitor, newest first, for a day."""

from __future__ import annotations

import json
from typing import Any

from ..domain.plan import DAY_SECONDS
from ..errors import InvalidInput
from .keys import Keys
from .server import Call, Server

RING = 100
EVERYBODY = ""


class Spy:
    """Logs what visitors do, the last `RING` of each and of all."""

    def __init__(self, server: Server, keys: Keys) -> None:
        self.server = server
        self.keys = keys

    def log(self, uid: str, data: Any) -> None:
        """Log data (anything that JSON can write) of a visitor."""
        try:
            text = json.dumps(data, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise InvalidInput("data", data, "use something that JSON can write") from error
        calls = []
        for key in {self.keys.spy(str(uid)), self.keys.spy(EVERYBODY)}:
            calls += [Call("LPUSH", [key], [text]), Call("LTRIM", [key], [0, RING - 1])]
            calls.append(Call("EXPIRE", [key], [DAY_SECONDS]))
        self.server.run(calls)

    def get(self, uid: str = EVERYBODY, max_results: int = 15) -> list[Any]:
        """The newest first; of nobody, or after a day, nothing."""
        if max_results < 1:
            return []
        return [
            json.loads(text) for text in self.server.call("LRANGE", [self.keys.spy(str(uid))], [0, max_results - 1])
        ]
