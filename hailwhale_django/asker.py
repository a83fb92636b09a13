"""Who asks for a decision: a request, what is known by it, and what was decided for it so far."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from django.http import HttpRequest

from .capture import BOT, captured
from .conf import get_settings
from .engine.decide.choice import Choice
from .engine.errors import InvalidInput
from .visitors import wants_privacy

_CHOICES = "_hailwhale_choices"

NO_REQUEST = (
    'use the request; a template finds it by the context processor "django.template.context_processors.request"'
)


class Asker:
    """Who sent a request; Django's, or that of Django REST framework around it. Raises `InvalidInput` for any other."""

    def __init__(self, request: Any) -> None:
        self.request: HttpRequest = getattr(request, "_request", request)
        if not isinstance(self.request, HttpRequest):
            raise InvalidInput("request", request, NO_REQUEST)

    @cached_property
    def known(self) -> dict[str, Any]:
        """The dimensions that the request brings along; only `bot` of a bot."""
        return captured(self.request)

    @property
    def is_bot(self) -> bool:
        return BOT in self.known

    @property
    def wants_privacy(self) -> bool:
        return wants_privacy(self.request)

    @property
    def is_staff(self) -> bool:
        """Looks the user up: two queries where nobody has done so yet, and not possible in a coroutine."""
        try:
            return bool(getattr(getattr(self.request, "user", None), "is_staff", False))
        except SynchronousOnlyOperation:
            return False

    @property
    def choices(self) -> dict[Any, Choice]:
        """What was decided for this request."""
        found: dict[Any, Choice] = self.request.__dict__.setdefault(_CHOICES, {})
        return found

    def sees_forced(self, counter: str) -> bool:
        """Whether an option of a decision was forced here."""
        return any(made.forced and made.decision == counter for made in self.choices.values())


def base_of(pk: Any) -> Any:
    """The counter that a decision is below."""
    return get_settings().DECISIONS_PK if pk in (None, "") else pk


def identity_of(visitor: Any) -> str:
    """Who is meant, as a text: the key of a user or another object; "" of nobody, such as who is not logged in."""
    key = getattr(visitor, "pk", visitor)
    return "" if key is None else str(key)
