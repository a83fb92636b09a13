"""Settings of policies: numbers within their bounds."""

from __future__ import annotations

from typing import Any

from ...errors import InvalidInput


def between(name: str, value: Any, least: float, most: float) -> None:
    """Raises `InvalidInput` for what is no number between the two."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise InvalidInput(name, value, f"a number from {least:g} to {most:g}")
