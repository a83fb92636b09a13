"""What an explanation says: the change, its causes, and tables of parts that add up to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from ..domain.formula import Formula
from ..domain.paths import Path
from ..domain.period import Period
from ..domain.timeline import Interval

Verdict = Literal["causes", "alike", "ordinary", "same", "nothing"]
"""`causes`: some are named. `alike`: it changed, everywhere alike. `ordinary`: no more than it does from one period to
the next. `same`: it did not change. `nothing`: nothing was counted in one of the periods."""

How = Literal["rate", "mix", "more", "less", "new", "gone"]
"""What a child did: its own value changed (`rate`), its share of a ratio's denominator did (`mix`); of a sum there is
`more` or `less`; it came up (`new`) or vanished (`gone`)."""


class Part(NamedTuple):
    """What a child carries of the change.

    `before` and `now` are its own values of the formula, `None` where there was nothing. `rate` and `mix` are what of
    `part` is because it changed itself, and because its share of the denominator did; `weight` is that share, before
    and now (of a sum: of the sum). `effect` is how much of the whole's value is because the child changed otherwise
    than the rest; `ordinary` how far that goes by chance (a standard deviation), `None` where it was not looked into.
    """

    path: Path
    before: float | None
    now: float | None
    part: float
    rate: float
    mix: float
    weight_before: float | None = None
    weight: float | None = None
    effect: float | None = None
    ordinary: float | None = None

    @property
    def name(self) -> str:
        return self.path.name


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The change by the children of one table, those that carry most first.

    `others` is the part of the `count` children that are not shown, `other` that of what had no room in the table,
    `rest` that of what no child accounts for. All parts together are the change.
    """

    table: Path
    parts: tuple[Part, ...]
    others: float = 0.0
    count: int = 0
    other: float = 0.0
    rest: float = 0.0
    counters: bool = False


@dataclass(frozen=True, slots=True)
class Cause:
    """A child that the change comes from, and how.

    `share` is how much of the change its part is. `score` says how far its effect is beyond what is ordinary, as a
    standard normal value. `times` are the first and last bucket of the period in which it came about, where that is
    clearly but some of them. `without` is what the whole would be worth had it changed as the rest did.
    """

    part: Part
    how: How
    share: float
    score: float
    without: float
    times: tuple[int, int] | None = None
    counters: bool = False

    @property
    def path(self) -> Path:
        return self.part.path


@dataclass(frozen=True, slots=True)
class Explanation:
    """What made a number move: `before` and `now` are the whole's values, `ordinary` how far it goes by chance.

    `times` are the first and last of the period's buckets, by `interval`, in which most of it came about, where that is
    clearly but some of them; those of causes are by the same interval.
    """

    pk: Path
    dimension: Path
    formula: Formula
    period: Period
    compare: Period
    before: float
    now: float
    ordinary: float | None
    verdict: Verdict
    causes: tuple[Cause, ...] = ()
    breakdowns: tuple[Breakdown, ...] = ()
    times: tuple[int, int] | None = None
    interval: Interval | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def change(self) -> float:
        return self.now - self.before

    @property
    def relative(self) -> float | None:
        """The change in parts of what it was; of nothing there is none."""
        return self.change / abs(self.before) if self.before else None


class Mover(NamedTuple):
    """A child that moved, and how far beyond what is ordinary for it, as a standard normal value."""

    part: Part
    score: float
    counters: bool = False

    @property
    def path(self) -> Path:
        return self.part.path

    @property
    def change(self) -> float:
        return (self.part.now or 0.0) - (self.part.before or 0.0)


@dataclass(frozen=True, slots=True)
class Movers:
    """The children that moved most against their own past, over all dimensions; `count` of so many were looked at."""

    pk: Path
    dimension: Path
    formula: Formula
    period: Period
    compare: Period
    movers: tuple[Mover, ...]
    count: int
    warnings: list[str] = field(default_factory=list)
