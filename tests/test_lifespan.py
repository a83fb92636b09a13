"""What waits in the buffer is written when an ASGI server says that it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from django.test import override_settings

from hailwhale_django import Whale, buffer
from hailwhale_django.lifespan import flushing


async def application(scope: Any, receive: Any, send: Any) -> None:
    await send({"asked": scope["type"]})


def test_the_buffer_is_flushed_at_shutdown(redis_url: str, drain: Callable[[], None]) -> None:
    sent: list[Any] = []
    messages = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive() -> Any:
        return {"type": next(messages)}

    async def send(message: Any) -> None:
        sent.append(message)

    with override_settings(HAILWHALE={"REDIS": redis_url, "BUFFER_SECONDS": 3_600.0}):
        buffer.add({"pk": "requests"})
        asyncio.run(flushing(application)({"type": "lifespan"}, receive, send))
        assert sent == [{"type": "lifespan.startup.complete"}, {"type": "lifespan.shutdown.complete"}]
        assert buffer.statistics() == buffer.Statistics(flushed=1)
        drain()
        assert Whale.total("requests") == 1


def test_all_else_is_the_application_s() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(flushing(application)({"type": "http"}, None, send))
    assert sent == [{"asked": "http"}]
