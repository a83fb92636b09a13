"""Decisions that were made: what is kept of each until its window is over, and the log of the latest.

A decision for somebody who may come back is kept under who it is for: so it holds for a while (the same visitor gets
the same option), and what is earned later is credited to it, each thing once. The log, a stream of some thousand
entries, has every decision with the probability of each option, and what was earned: enough to ask what another policy
would have earned.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..domain.lesson import MOST_METRICS
from ..errors import InvalidInput, TooLarge
from .keys import Keys
from .server import Call, Server, load_script

CHOOSE = load_script("choose")
CREDIT = load_script("credit")

LOGGED = 20_000
"""Entries of the log, of some 300 bytes each."""

LOG_SECONDS = 90 * 86_400
"""How long the log stays of a decision that nobody makes any more."""

READ_AT_ONCE = 2_000

MOST_IDS = 1_000
"""That one decision knows of what it was credited with: visitors may make them up."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A decision as it is kept and logged: its `id`, the option, when, of all `options` the `chances`, what was known
    of the visitor (`paths`), whether it was `uniform`, what was `expected` of the option's ratio, and the policy.
    """

    id: str
    option: str
    at: float
    options: tuple[str, ...]
    chances: tuple[float, ...]
    paths: tuple[str, ...]
    uniform: bool
    expected: float | None
    formula: str
    policy: str
    version: int
    seed: str

    def __str__(self) -> str:
        return json.dumps({name: getattr(self, name) for name in self.__slots__}, separators=(",", ":"))

    @classmethod
    def parse(cls, text: bytes | str) -> Kept:
        found: Any = {name: tuple(one) if isinstance(one, list) else one for name, one in json.loads(text).items()}
        return cls(**found)

    @property
    def probability(self) -> float:
        return self.chances[self.options.index(self.option)]


class Credit(NamedTuple):
    """A decision, what it had earned before (`None`: nothing was ever counted of it), and when this was credited to it
    already (`None`: it was not)."""

    kept: Kept
    before: dict[str, float] | None
    known_since: float | None


class Logged(NamedTuple):
    """A decision of the log, and what came of it, by metric."""

    kept: Kept
    earned: dict[str, float]


class Choices:
    """Keeps and logs decisions of a store."""

    def __init__(self, server: Server, keys: Keys) -> None:
        self.server = server
        self.keys = keys

    def keep(
        self, pk: str, who: str, kept: Kept, now: float, until: float, forget: float, replacing: str = ""
    ) -> Kept | None:
        """Keep and log a decision; returns the one that holds already, if there is one, and then keeps nothing.

        `replacing` is the id of one that may hold and will not do any more.
        """
        found = self.server.call(
            CHOOSE,
            [self.keys.chosen(pk, who), self.keys.choices(pk)],
            [repr(now), repr(until), int(forget) + 1, LOGGED, str(kept), replacing],
        )
        return None if found is None else Kept.parse(found)

    def log(self, decisions: Iterable[tuple[str, Kept]]) -> None:
        """Log decisions that are not kept, by the counter of each."""
        added = ("MAXLEN", "~", LOGGED, "*", "decided")
        given = list(decisions)
        calls = [Call("XADD", [self.keys.choices(pk)], [*added, str(kept)]) for pk, kept in given]
        calls += [Call("EXPIRE", [self.keys.choices(pk)], [LOG_SECONDS]) for pk in dict(given)]
        if calls:
            self.server.run(calls)

    def credit(
        self, pk: str, who: str, decision: str, values: Mapping[str, float], known_as: str, now: float
    ) -> Credit | None:
        """Credit the decision for somebody; `None` where there is none, or another than the one that is meant.

        Raises `TooLarge` where it knows as many ids as it may, or would have more metrics than an event may have.
        """
        earned = json.dumps(values, separators=(",", ":"))
        flat: list[str | int | bytes] = [part for name, value in values.items() for part in (name, repr(float(value)))]
        found = self.server.call(
            CREDIT,
            [self.keys.chosen(pk, who), self.keys.choices(pk)],
            [known_as, LOGGED, decision, earned, repr(now), MOST_IDS, MOST_METRICS, *flat],
        )
        if found is None:
            return None
        if found == 0:
            raise TooLarge("id", known_as, f"a decision is credited with at most {MOST_IDS:,} ids")
        if found == 1:
            raise TooLarge("metrics", list(values), f"a decision is credited with at most {MOST_METRICS} metrics")
        text, before, since = found
        lines = [line.split("\t") for line in before.decode().split("\n") if line]
        earlier = {name: float(value) for name, value in lines} or None
        return Credit(Kept.parse(text), earlier, float(since) if since else None)

    def latest(self, pk: str, count: int) -> list[Logged]:
        """The latest decisions, newest first, each with what came of it as far as the log still knows."""
        earned: dict[str, dict[str, float]] = {}
        decided: list[Kept] = []
        last = "+"
        while len(decided) < count:
            entries = self.server.call("XREVRANGE", [self.keys.choices(pk)], [last, "-", "COUNT", READ_AT_ONCE])
            for _, fields in entries:
                if b"decided" in fields:
                    decided.append(Kept.parse(fields[b"decided"]))
                elif b"earned" in fields:
                    _add(earned.setdefault(fields[b"of"].decode(), {}), json.loads(fields[b"earned"]))
            if len(entries) < READ_AT_ONCE:
                break
            last = f"({entries[-1][0].decode()}"
        return [Logged(one, earned.get(one.id, {})) for one in decided[:count]]


def who_of(decision_id: Any) -> str:
    """For whom a decision was, by its id."""
    is_text = isinstance(decision_id, str) and decision_id.isascii()
    who, dot, serial = decision_id.rpartition(".") if is_text else ("", "", "")
    if not (who and dot and serial) or "{" in who or "}" in who:
        raise InvalidInput("decision_id", decision_id, "this is no id of a decision")
    return str(who)


def _add(into: dict[str, float], values: Mapping[str, float]) -> None:
    for name, value in values.items():
        into[name] = into.get(name, 0.0) + value
