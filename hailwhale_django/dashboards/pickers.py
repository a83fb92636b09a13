"""What pickers of a period, and of what it is compared with, offer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from . import writing
from .state import DEFAULT_PERIOD


@dataclass(frozen=True, slots=True)
class Choice:
    """An entry of a picker."""

    value: str
    text: str
    current: bool


def period_choices(given: str) -> list[Choice]:
    chosen = given or DEFAULT_PERIOD
    return [Choice(value, text, value == chosen) for value, text in writing.presets()]


def period_text(given: str) -> str:
    """The period where it is none of those that the picker offers."""
    return "" if given in dict(writing.presets()) else given


def compare_choices(given: str) -> list[Choice]:
    return choices([("", gettext("nothing")), *comparisons()], given)


def comparisons() -> list[tuple[str, str]]:
    """With what a period can be compared, and what that is called."""
    return [
        ("previous", gettext("the period before")),
        ("weekdays", gettext("the same weekdays before")),
        ("month", gettext("the same days a month before")),
        ("year", gettext("a year before")),
    ]


def choices(offered: Sequence[tuple[str, str]], given: str) -> list[Choice]:
    """Entries of a picker, with what was given among them even if it is not offered."""
    extra = [] if given in dict(offered) else [(given, given)]
    return [Choice(value, text, value == given) for value, text in [*offered, *extra]]
