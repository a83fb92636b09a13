"""Options as a decision's page shows them: the best first, each with what is believed of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from ..engine.decide.choice import Standing
from ..registration import Registration
from . import writing
from .alternatives import interval

OPTIONS_OF_A_PAGE = 100
OPTIONS_AT_FIRST = 20
LEAST_CHANCE = 0.001


@dataclass(frozen=True, slots=True)
class Bar:
    """A value and where it may be, as parts of a hundred."""

    width: str
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class OptionRow:
    """An option among others, as a visitor sees it of whom nothing is known."""

    name: str
    mark: str
    mean: str
    interval: str
    bar: Bar | None
    best: str
    loss: str
    share: str
    events: str
    plain: str


def option_rows(one: Registration, standings: Sequence[Standing]) -> list[OptionRow]:
    """Those that are best on average first."""
    rows = ranked(one, standings)[:OPTIONS_OF_A_PAGE]
    if not any(row.events for row in rows):  # what is assumed beforehand is no number to show
        unknown = math.nan
        rows = [row._replace(mean=unknown, lower=unknown, upper=unknown, loss=unknown) for row in rows]
    top = max((row.upper for row in rows if math.isfinite(row.upper)), default=0.0)
    return [_option_row(one, row, top) for row in rows]


def ranked(one: Registration, standings: Sequence[Standing]) -> list[Standing]:
    """The best on average first; those of which nothing can be said last."""
    sign = 1 if one.terms.aim.minimize else -1
    return sorted(standings, key=lambda row: (math.isnan(row.mean), sign * row.mean, row.option))


def leading(one: Registration, standings: Sequence[Standing]) -> str:
    """The option that is best on average, if anything is known of any."""
    return ranked(one, standings)[0].option if any(row.events for row in standings) else ""


def chance(share: float) -> str:
    """A percentage that never says that something is certain when it is not."""
    if 0 < share < LEAST_CHANCE:
        return f"<\u202f{writing.percent(LEAST_CHANCE)}"
    if 1 - LEAST_CHANCE < share < 1:
        return f">\u202f{writing.percent(1 - LEAST_CHANCE)}"
    return writing.percent(share)


def _option_row(one: Registration, row: Standing, top: float) -> OptionRow:
    marks = {one.control: gettext("control"), one.winner: gettext("winner")}
    return OptionRow(
        row.option,
        marks.get(row.option, ""),
        writing.number(row.mean, ratio=True),
        interval(row.lower, row.upper),
        _bar(row, top),
        chance(row.best),
        writing.number(row.loss, ratio=True),
        chance(row.probability),
        writing.number(row.events),
        writing.number(row.value, ratio=True),
    )


def _bar(row: Standing, top: float) -> Bar | None:
    """Of what is above zero; there is no scale for the rest."""
    if not (top > 0 and row.mean > 0 and math.isfinite(row.upper)):
        return None
    mean, low, high = (f"{max(value, 0) / top * 100:.2f}" for value in (row.mean, row.lower, row.upper))
    return Bar(mean, low, high)
