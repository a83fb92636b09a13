"""The page of numbers of one object: its counter's page, under the object's own address.

The page begins with the admin's period and columns, compared with the period before. So what a link leaves out is not
what a counter's page would take it for: "compared with nothing" is written out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from django.http import QueryDict

from ..conf import DEFAULT_STORE
from ..dashboards.state import DEFAULT_PERIOD, PARAMETERS, State
from ..engine.domain.paths import Path

COMPARED = "previous"


class StatsState(State):
    """A view of an object's counter; its links say each thing that has another default here."""

    __slots__ = ()

    def pairs(self, *left_out: str) -> Iterator[tuple[str, str]]:
        yield from super().pairs(*left_out)
        for field, meant in (("period", DEFAULT_PERIOD), ("compare", "")):
            if field not in left_out and not getattr(self, field):
                yield PARAMETERS[field], meant


def stats_state(pk: Path, store: str, given: QueryDict, period: str, formulas: Sequence[str]) -> StatsState:
    """What a query string says, and what it leaves to the admin to say."""
    state: Any = StatsState.of_form(pk, given) if "apply" in given else StatsState.of_link(pk, given)
    if PARAMETERS["period"] not in given:
        state = replace(state, period=period)
    if PARAMETERS["compare"] not in given:
        state = replace(state, compare=COMPARED)
    return replace(state, store=store, metrics=state.metrics or tuple(formulas))


def counting(pk: Path, store: str, formulas: Sequence[str]) -> str:
    """The line of code that counts on this counter."""
    metric = next((formula for formula in formulas if formula.isidentifier()), "visitors")
    whale = "Whale" if store == DEFAULT_STORE else f"Whale.using({store!r})"
    return f"{whale}.count_now({list(pk)!r}, metrics={{{metric!r}: 1}})"
