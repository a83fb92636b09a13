"""Decisions in plain Python: what callers write becomes a question, a choice, and events that teach.

A decision's counter is `[*pk, decision]`, or `pk` itself where the decision has no name; that of an option has the
option's name below it. So all that is counted of options rolls up into the decision and its pk, as ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from .chooser import Chooser, Later, Question
from .decide.choice import Choice
from .decide.lessons import taught
from .decide.policies.reasons import reasons
from .decide.terms import Terms
from .decide.words import told_of_end
from .domain.event import HITS, Event, instant
from .domain.paths import Path, checked, dimension_paths, name_of, pk_of
from .domain.period import Period, parse_period
from .errors import InvalidInput, TooLarge
from .store.choices import Credit, Kept, who_of
from .store.store import Store

PERIOD = "90d"
"""Of the evidence that a decision is made by."""

REMEMBERED = 256

MOST_OPTIONS = 10_000
MOST_SEED_BYTES = 1_000

MOST_ID_BYTES = 100
"""Of what is credited: together with the decision's own it is an event's id."""

SETTLED_SECONDS = 43_200.0
"""Long enough for anybody who tries again, and shorter than the log remembers ids."""

WINDOW_SECONDS = 7 * 86_400.0
"""How long what is earned is credited to a decision that is kept."""


class Earned(NamedTuple):
    """An event that is credited to a decision, and the id by which it counts once ("": it came without one).

    Where it is not new, it was credited before. It may not have been counted then, so it is counted again by its id,
    unless it `is_settled`: that was so long ago that it was, and that the log has forgotten the id.
    """

    event: Event
    id: str
    is_new: bool
    is_settled: bool


class Decider:
    """Makes and counts decisions of a store. `clock` gives seconds since the epoch, `secret` keys visitors' hashes."""

    def __init__(self, store: Store, clock: Callable[[], float], later: Later, secret: bytes = b"") -> None:
        self.store = store
        self.clock = clock
        self.chooser = Chooser(store, later)
        self._secret = hashlib.sha256(secret).digest()
        self._periods: dict[tuple[str, float], Period] = {}

    # Choosing

    def question(
        self,
        pk: Any,
        decision: Any,
        options: Any,
        terms: Terms,
        *,
        known: Any = None,
        period: Any = None,
        at: Any = None,
        visitor: Any = None,
        seed: Any = None,
        hold_seconds: float = 0.0,
        window_seconds: float = 0.0,
        forced: Any = None,
        explained: bool = True,
    ) -> Question:
        """Understand a question. Raises `InvalidInput` that names the argument."""
        now = self.clock()
        when = instant(at, now)
        counter = counter_of(pk, decision)
        named = options_of(options)
        return Question(
            decision=counter,
            options=named,
            paths=dimension_paths(known),
            terms=terms,
            period=self.period(period, when),
            at=when,
            replays=when != now,
            who="" if visitor in (None, "") else self.who_is(counter, visitor),
            seed="" if seed is None else _text("seed", seed),
            hold_seconds=hold_seconds,
            window_seconds=window_seconds,
            forced=_forced(forced, named),
            explained=explained,
        )

    def given(
        self, pk: Any, decision: Any, options: Any, only: str, state: str, *, at: Any = None, forced: Any = None
    ) -> Choice:
        """What everybody gets of a decision that is not running, unless another option is forced; nothing is read."""
        named = options_of(options)
        preferred = _forced(forced, named)
        option = preferred or (only if only in named else named[0])
        when = instant(at, self.clock())
        reasons = (told_of_end(option, state),)
        counter = str(counter_of(pk, decision))
        return Choice(counter, option, 1.0, "", 0, "", when, forced=bool(preferred), reasons=reasons)

    def choose(self, question: Question) -> Choice:
        return self.chooser.choose(question, self.clock())

    def reasons(self, question: Question) -> dict[str, dict[str, float]]:
        """Of each option by how many standard errors it is better than the others, by cell; 0 where none can tell."""
        evidence = self.chooser.weigh(question, self.clock()).evidence
        cells = [" and ".join(cell.paths) for cell in evidence.cells]
        found = reasons(evidence).tolist()
        return {option: dict(zip(cells, row, strict=True)) for option, row in zip(evidence.options, found, strict=True)}

    def period(self, given: Any, when: float) -> Period:
        if isinstance(given, Period):
            return given
        text = PERIOD if given in (None, "") else given
        if not isinstance(text, str):
            return self._parsed(text, when)
        # Evidence is kept by the day, so what begins within the same minute is the same period.
        key = (text, when // 60)
        found = self._periods.get(key)
        if found is None:
            if len(self._periods) >= REMEMBERED:
                self._periods.clear()
            found = self._periods[key] = self._parsed(text, when)
        return found

    def _parsed(self, given: Any, when: float) -> Period:
        return parse_period(given, now=datetime.fromtimestamp(when, UTC), zone=self.store.timeline.zone)

    def who_is(self, decision: Path, visitor: Any) -> str:
        """For whom a decision is kept: whoever has no `secret` cannot tell the visitor from it, nor try them all."""
        if visitor in (None, ""):
            raise InvalidInput("visitor", visitor, "name the visitor, or the decision_id")
        text = f"{decision}\n{_text('visitor', visitor)}"
        return "v" + hashlib.blake2b(text.encode(), digest_size=12, key=self._secret).hexdigest()

    def log(self, decisions: Iterable[tuple[str, Kept]]) -> None:
        self.store.choices.log(decisions)

    # What came of it

    def event(
        self, pk: Any, decision: Any, option: Any, dimensions: Any, metrics: Any, at: Any, terms: Terms | None = None
    ) -> Event:
        """An event of an option, as one that teaches the decision."""
        counter = counter_of(pk, decision).child(_option(option))
        event = self.store.intake.event(checked(counter, "pk"), dimensions, metrics, at, self.clock())
        return taught(event, self.store.places, (terms or Terms()).outlook)

    def earned(
        self,
        pk: Any,
        decision: Any,
        metrics: Any,
        at: Any,
        *,
        decision_id: Any = None,
        visitor: Any = None,
        known_as: Any = None,
        terms: Terms | None = None,
    ) -> Earned:
        """Credit a decision that is kept with these metrics; the event is still to be counted.

        Raises `InvalidInput` where no such decision is kept: it was none, or its window is over.
        """
        counter = counter_of(pk, decision)
        who = who_of(decision_id) if decision_id not in (None, "") else self.who_is(counter, visitor)
        terms = terms or Terms()
        now = self.clock()
        event = self.store.intake.event(counter, None, metrics, at, now)
        values = {name: units / self.store.places.scale(name) for name, units in event.metrics}
        if values.get(HITS) == 1:
            del values[HITS]  # that there was an event is known without
        known = "" if known_as in (None, "") else _text("id", known_as, MOST_ID_BYTES)
        credit = self.store.choices.credit(str(counter), who, str(decision_id or ""), values, known, now)
        if credit is None:
            meant = decision_id or visitor
            raise InvalidInput("decision_id", meant, f"no such decision of {counter} is kept: its window may be over")
        event = event._replace(
            pk=counter.child(credit.kept.option), dimensions=tuple(map(Path.parse, credit.kept.paths))
        )
        once = f"{credit.kept.id} {known}" if known else ""
        since = credit.known_since
        is_settled = since is not None and now - since > SETTLED_SECONDS
        return Earned(self._credited(event, credit, values, terms), once, since is None, is_settled)

    def _credited(self, event: Event, credit: Credit, values: Mapping[str, float], terms: Terms) -> Event:
        kept = credit.kept
        has_share = terms.uniform > 0 or kept.uniform
        return taught(
            event,
            self.store.places,
            terms.outlook,
            before=credit.before,
            uniform=kept.uniform if has_share else None,
            more=_predicted(kept, values, terms),
        )


def _predicted(kept: Kept, values: Mapping[str, float], terms: Terms) -> dict[str, float]:
    """What was predicted of the numerator that goes with these denominators."""
    aim = terms.aim
    if kept.expected is None or kept.formula != aim.formula:
        return {}
    denominator = sum(
        weight * (values.get(metric, 0.0) if metric else 1.0) for metric, weight in aim.denominator.items()
    )
    return {aim.prediction: kept.expected * denominator} if denominator else {}


def counter_of(pk: Any, decision: Any) -> Path:
    """The counter of a decision."""
    base = pk_of(pk)
    if decision in (None, ""):
        return base
    return checked((*base, name_of(decision, "decision")), "pk")


def options_of(given: Any) -> tuple[str, ...]:
    """Options as texts. Raises `InvalidInput` where there are none, or one twice."""
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        raise InvalidInput("options", given, 'use a list of options, e.g. ["a", "b"]')
    listed = tuple(given)
    if all(type(one) is str for one in listed):
        return _known_options(listed)
    return _options(listed)


def _options(given: tuple[Any, ...]) -> tuple[str, ...]:
    found = tuple([_option(one) for one in given])
    if not found:
        raise InvalidInput("options", given, 'name at least one option, e.g. ["a", "b"]')
    if len(found) > MOST_OPTIONS:
        raise TooLarge("options", f"{len(found):,} options", f"a decision has at most {MOST_OPTIONS:,}")
    if len(set(found)) < len(found):
        twice = next(one for one in found if found.count(one) > 1)
        raise InvalidInput("options", twice, "name each option once")
    return found


# Of strings only, for 1 and True are equal and are two names.
_known_options = lru_cache(maxsize=256)(_options)


def jointly(options: Mapping[str, Sequence[Any]]) -> tuple[str, dict[str, dict[str, str]]]:
    """Several decisions as one: its name, and what each of its options means for each of them."""
    found: dict[str, dict[str, str]] = {"": {}}
    for name, some in options.items():
        given = options_of(some)
        if len(found) * len(given) > MOST_OPTIONS:
            raise TooLarge("options", dict(options), f"together there are more than {MOST_OPTIONS:,} options")
        found = {
            f"{text} + {one}" if text else one: {**chosen, name: one} for text, chosen in found.items() for one in given
        }
    return " + ".join(options), found


def _option(given: Any) -> str:
    if given in (None, ""):
        raise InvalidInput("option", given, "an option has a name")
    return checked([name_of(given, "options")], "options").name


def _forced(given: Any, options: Sequence[str]) -> str:
    if given in (None, ""):
        return ""
    if given not in options:
        raise InvalidInput("forced", given, f"use one of {', '.join(options[:10])}")
    return str(given)


def _text(argument: str, given: Any, most_bytes: int = MOST_SEED_BYTES) -> str:
    text = given if isinstance(given, str) else str(given)
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise InvalidInput(argument, given, "it must be valid Unicode text") from error
    if size > most_bytes:
        raise TooLarge(argument, given, f"it has at most {most_bytes:,} bytes, not {size:,}")
    return text
