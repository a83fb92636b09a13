"""Settings of policies: numbers within their bounds."""

from __future__ import annotations

from ...errors import InvalidInput


def between(name: str, value: float, least: float, most: float) -> None:
    """Raises `InvalidInput` for what is no number between the two."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not least <= value <= most:
        raise InvalidInput(name, value, f"a number from {least:g} to {most:g}")
