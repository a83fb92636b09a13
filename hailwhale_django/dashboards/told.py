"""What a sketch tells that is no number, as a page shows it: a short list, a small chart, a code; and as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.utils.translation import gettext

from ..engine.domain.formula import Formula
from ..engine.domain.sketched import Told
from ..engine.simmer.figures import written
from . import writing

FIRST_ITEMS = 3
"""Of a list are seen at once; the others when it is opened."""

CODE_CHARACTERS = 14

MOST_CODE_CHARACTERS = 2_000
"""A vector of features may have a megabyte, and nobody reads it on a page."""

CHART_WIDTH, CHART_HEIGHT = 100, 24
LEAST_HEIGHT = 1  # of a bar that is not empty

Pairs = Sequence[tuple[Any, float]]


@dataclass(frozen=True, slots=True)
class ToldList:
    """Items with the texts of their numbers, in order: the first, and those behind them."""

    first: list[tuple[str, str]]
    more: list[tuple[str, str]]
    kind: ClassVar[str] = "list"

    @property
    def next_rank(self) -> int:
        return len(self.first) + 1


@dataclass(frozen=True, slots=True)
class HistogramBar:
    """Places in a chart of 100 x 24, and what it is of."""

    x: str
    y: str
    width: str
    height: str
    span: str
    count: str


@dataclass(frozen=True, slots=True)
class ToldHistogram:
    """Bars from the least value to the greatest, and the texts of both ends."""

    bars: list[HistogramBar]
    low: str
    high: str
    kind: ClassVar[str] = "histogram"


@dataclass(frozen=True, slots=True)
class ToldText:
    """The beginning of a code, and as much of it as a page shows."""

    short: str
    text: str
    kind: ClassVar[str] = "text"


ShownTold = ToldList | ToldHistogram | ToldText


def shown(told: Told, formula: Formula) -> ShownTold | None:
    """What to show of what a formula tells; `None` of nothing."""
    if not told:
        return None
    if isinstance(told, str):
        return ToldText(_cut(told, CODE_CHARACTERS), _cut(told, MOST_CODE_CHARACTERS))
    if formula.kind == "histogram":
        return _histogram(told)
    items = [(str(item), writing.level(number)) for item, number in told]
    return ToldList(items[:FIRST_ITEMS], items[FIRST_ITEMS:])


def in_words(told: Told, formula: Formula) -> str:
    """One line for a page that has no room for more: `/pricing 12, / 3`."""
    found = shown(told, formula)
    match found:
        case ToldList():
            return ", ".join(f"{item} {number}" for item, number in [*found.first, *found.more])
        case ToldHistogram():
            return ", ".join(f"{bar.span}: {bar.count}" for bar in found.bars)
        case ToldText():
            return found.short
    return writing.NOTHING


def plain(told: Told) -> str | None:
    """As `simmer` writes it, and other programs read it: `/pricing:12,/:3`."""
    if told is None or isinstance(told, str):
        return told
    return ",".join(f"{_plain(item)}:{_plain(number)}" for item, number in told)


def _plain(one: Any) -> str:
    return one if isinstance(one, str) else written(one)


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"


def _histogram(pairs: Pairs) -> ToldHistogram:
    edges = [float(edge) for edge, _ in pairs]
    begin = edges[0] - (edges[1] - edges[0]) if len(edges) > 1 else edges[0]
    spans = list(_spans([begin, *edges]))
    most, step = max(count for _, count in pairs), CHART_WIDTH / len(pairs)
    bars = []
    for at, (_, count) in enumerate(pairs):
        height = max(count / most * CHART_HEIGHT, LEAST_HEIGHT) if count else 0.0
        place = [at * step + step * 0.06, CHART_HEIGHT - height, step * 0.88, height]
        bars.append(HistogramBar(*(f"{one:.2f}" for one in place), spans[at], writing.number(count)))
    return ToldHistogram(bars, writing.level(begin), writing.level(edges[-1]))


def _spans(edges: Sequence[float]) -> Iterable[str]:
    """What lies between each two edges; a bar without width is of one value."""
    for low, high in zip(edges, edges[1:], strict=False):
        words = {"low": writing.level(low), "high": writing.level(high)}
        yield words["high"] if low == high else gettext("%(low)s – %(high)s") % words
