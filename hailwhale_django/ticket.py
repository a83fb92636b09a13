"""Tickets: what a page lets whoever reads it count. Signed, so that a visitor can replay one but not write one.

A ticket fixes the counter, and dimensions and metrics of its own. What the browser may add are values of *declared*
names, and nothing else. It is signed with the project's `SECRET_KEY`, for one use only: one made for an image opens
nothing else. It holds no secret: its contents can be read by anybody who sees it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.core.serializers.json import DjangoJSONEncoder

from .engine.domain.paths import WHOLE, dimension_paths
from .engine.errors import HailWhaleError, InvalidInput

MAX_DECLARED = 20

_SHAPE = re.compile(r"\.?[\w-]+:[\w-]+:[\w-]+", re.ASCII)


class Forged(HailWhaleError):
    """The signature is not this project's."""


class Expired(HailWhaleError):
    """The ticket was good, and is older than HAILWHALE["PIXEL_MAX_AGE"]."""


class _Serializer:
    """JSON, with what templates have: lazy texts, decimals, dates."""

    def dumps(self, found: Any) -> bytes:
        text = json.dumps(found, cls=DjangoJSONEncoder, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return text.encode()

    def loads(self, raw: bytes) -> Any:
        return json.loads(raw)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What may be counted; `declared` are the names whose values the browser may add."""

    pk: Any
    dimensions: Any = None
    metrics: Any = None
    declared: tuple[str, ...] = ()

    def signed(self, use: str) -> str:
        """The text of this ticket for one use. Raises `InvalidInput` for what JSON cannot say."""
        fields: list[Any] = [self.pk, self.dimensions, self.metrics, list(self.declared)]
        while fields and not fields[-1]:
            fields.pop()
        return sealed(fields, use)

    @classmethod
    def read(cls, text: str, use: str, max_age_seconds: int | None) -> Ticket:
        """The inverse of `signed`. Raises `InvalidInput` for what is no ticket, `Forged`, `Expired`."""
        fields = opened(text, use, max_age_seconds)
        pk, dimensions, metrics, declared = [*fields, None, None, None, None][:4]
        return cls(pk, dimensions, metrics, tuple(declared or ()))


def sealed(fields: list[Any], use: str) -> str:
    """Fields as a signed text. Raises `InvalidInput` for what JSON cannot say."""
    try:
        return signing.dumps(fields, salt=_salt(use), serializer=_Serializer, compress=True)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput("ticket", fields, f"use names and finite numbers ({error})") from error


def opened(text: str, use: str, max_age_seconds: int | None) -> list[Any]:
    """The inverse of `sealed`. Raises `InvalidInput` for what is no ticket, `Forged`, `Expired`."""
    if not _SHAPE.fullmatch(text):
        raise InvalidInput("ticket", text, "use a ticket as the template tag writes it")
    try:
        return list(signing.loads(text, salt=_salt(use), serializer=_Serializer, max_age=max_age_seconds))
    except signing.SignatureExpired as error:
        raise Expired(f"this ticket is older than {max_age_seconds} seconds; load its page again") from error
    except signing.BadSignature as error:
        raise Forged("this ticket is not signed by this site; use it as the template tag wrote it") from error


def declared_names(given: Any) -> tuple[str, ...]:
    """The names of a list, or of a text with commas. Raises `InvalidInput`."""
    names = given.split(",") if isinstance(given, str) else list(given or ())
    found = tuple(dict.fromkeys(name.strip() for name in map(str, names) if name.strip()))
    if len(found) > MAX_DECLARED:
        raise InvalidInput("declared", given, f"declare at most {MAX_DECLARED} names")
    return found


def joined(given: Any, added: Mapping[str, Any]) -> Any:
    """An event's dimensions with further ones; where both say something, what was given holds."""
    if not added:
        return given
    if given in (None, "", WHOLE, [], {}):
        return dict(added)
    if isinstance(given, Mapping):
        return {**given, **{name: value for name, value in added.items() if name not in given}}
    return [list(path) for path in (*dimension_paths(given), *dimension_paths(dict(added)))]


def _salt(use: str) -> str:
    return f"hailwhale_django.{use}"
