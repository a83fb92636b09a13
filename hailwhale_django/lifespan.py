"""The end of an ASGI server, told to the buffer: Django's own application does not want to hear of it.

    application = flushing(get_asgi_application())

Servers that end by a signal, as uvicorn does, run nothing of Python's at their exit; the lifespan protocol is all they
say. It is needed there alone: other servers, and those of WSGI, exit in a way that the buffer notices.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from . import buffer

Application = Callable[[Any, Any, Any], Awaitable[None]]


def flushing(application: Application) -> Application:
    """The same application, which writes what waits in the buffer when its server ends."""

    async def flushing_application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        else:
            await application(scope, receive, send)

    return flushing_application


async def _live(receive: Any, send: Any) -> None:
    """Startup and shutdown come in this order, and each once."""
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await asyncio.to_thread(buffer.flush)
    await send({"type": "lifespan.shutdown.complete"})
