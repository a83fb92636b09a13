"""Registrations: what is settled of a decision, be it in code or in the admin, checked when it is written down."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias, get_args

from .conf import DEFAULT_STORE, stores
from .engine.decide.aim import DEFAULT, aim_of
from .engine.decide.cells import Outlook
from .engine.decide.guardrails import Guardrail
from .engine.decide.terms import DEFAULT_POLICY, Terms
from .engine.decider import counter_of, options_of
from .engine.domain.paths import Path, name_of
from .engine.domain.period import parse_period
from .engine.errors import InvalidInput
from .engine.experiment import check

HOLD_SECONDS = 30 * 86_400.0
WINDOW_SECONDS = 7 * 86_400.0
MOST_SECONDS = 10**9

State: TypeAlias = Literal["draft", "running", "stopped", "won"]
STATES: tuple[State, ...] = get_args(State)

FIXED = ("split", "winner")
"""Policies that look at no results, so that all of their traffic is fit to be compared."""

UNIFORM = 0.05
"""The share that policies that look at results leave to chance, unless it is said otherwise."""

# `refunds/orders lower 2%`
_GUARDRAIL = re.compile(r"(?P<formula>.+?)(?:\s+(?P<better>higher|lower))?(?:\s+(?P<percent>\d+(?:\.\d+)?)\s*%)?")


@dataclass(frozen=True, slots=True)
class Registration:
    """A decision as it was registered. `id` is that of its row; `None`: it was registered in code.

    `since`, seconds: evidence from before that day does not count. `ended`: when it was stopped or won. `control` is
    the option of all while it is not running.
    """

    store: str
    pk: Path
    name: str
    title: str
    options: tuple[str, ...]
    terms: Terms
    control: str
    period: str | None = None
    since: float | None = None
    hold_seconds: float = HOLD_SECONDS
    window_seconds: float = WINDOW_SECONDS
    guardrails: tuple[Guardrail, ...] = ()
    state: State = "running"
    winner: str = ""
    started: float | None = None
    ended: float | None = None
    archived: bool = False
    id: int | None = None

    @property
    def counter(self) -> Path:
        return counter_of(self.pk, self.name)

    @property
    def only(self) -> str | None:
        """The option that everybody gets; `None` while it is decided for each."""
        if self.state == "running":
            return None
        return self.winner if self.state == "won" else self.control

    @property
    def is_fixed(self) -> bool:
        return self.terms.policy in FIXED


def registration(
    pk: Any,
    name: Any,
    *,
    options: Any,
    formula: str = DEFAULT,
    minimize: bool = False,
    policy: str = DEFAULT_POLICY,
    settings: Mapping[str, Any] | None = None,
    floor: float = 0.0,
    uniform: float | None = None,
    burn_in: int = 0,
    dimensions: Iterable[str] | None = None,
    pairs: bool = False,
    period: str | None = None,
    since: datetime | None = None,
    hold: float = HOLD_SECONDS,
    window: float = WINDOW_SECONDS,
    guardrails: Iterable[str] = (),
    control: str = "",
    state: str = "running",
    winner: str = "",
    title: str = "",
    store: str = DEFAULT_STORE,
) -> Registration:
    """Check what is settled of a decision. Raises `InvalidInput` that names the argument."""
    if store not in stores():
        raise InvalidInput("store", store, f"use one of {', '.join(stores())}")
    named = options_of(options)
    if state not in STATES:
        raise InvalidInput("state", state, f"use one of {', '.join(STATES)}")
    counter = counter_of(pk, name)
    terms = _terms(formula, minimize, policy, settings, floor, uniform, burn_in, dimensions, pairs)
    try:
        check(terms, named)
    except InvalidInput as error:
        raise InvalidInput("policy" if error.field == "policy" else "settings", error.value, error.expected) from error
    return Registration(
        store=store,
        pk=counter if name in (None, "") else counter.parent,
        name="" if name in (None, "") else counter[-1],
        title=title or " / ".join(counter),
        options=named,
        terms=terms,
        control=_option("control", control or named[0], named),
        period=_period(period),
        since=None if since is None else since.timestamp(),
        hold_seconds=_seconds("hold", hold),
        window_seconds=_seconds("window", window),
        guardrails=tuple(guardrail_of(one) for one in guardrails),
        state=state,  # type: ignore[arg-type]
        winner=_option("winner", winner, named) if winner or state == "won" else "",
    )


def _option(argument: str, given: Any, options: Sequence[str]) -> str:
    if given not in options:
        raise InvalidInput(argument, given, f"use one of the options, {', '.join(options[:10])}")
    return str(given)


def guardrail_of(given: Any) -> Guardrail:
    """A guardrail from a text: a formula, which way is better (`higher` if it is not said), and what is tolerated."""
    if isinstance(given, Guardrail):
        aim_of(given.formula)
        return given
    found = _GUARDRAIL.fullmatch(given.strip()) if isinstance(given, str) else None
    if found is None:
        raise InvalidInput(
            "guardrails",
            given,
            "use a formula, which way is better and what is tolerated, e.g. refunds/orders lower 2%",
        )
    try:
        aim_of(found["formula"])
    except InvalidInput as error:
        raise InvalidInput("guardrails", given, error.expected) from error
    return Guardrail(found["formula"], found["better"] == "lower", float(found["percent"] or 0) / 100)


def line_of(guardrail: Guardrail) -> str:
    """The text that `guardrail_of` reads."""
    better = "lower" if guardrail.minimize else "higher"
    return f"{guardrail.formula} {better} {guardrail.tolerated * 100:g}%"


def _terms(
    formula: Any,
    minimize: bool,
    policy: Any,
    settings: Any,
    floor: Any,
    uniform: Any,
    burn_in: Any,
    dimensions: Any,
    pairs: bool,
) -> Terms:
    if not isinstance(settings or {}, Mapping):
        raise InvalidInput("settings", settings, 'use a dict of the policy\'s settings, e.g. {"epsilon": 0.1}')
    if uniform is None:
        uniform = 0.0 if policy in FIXED else UNIFORM
    chosen = tuple(name_of(one, "dimensions") for one in dimensions or ())
    return Terms(
        aim=aim_of(formula, minimize),
        policy=policy,
        settings=dict(settings or {}),
        outlook=Outlook(chosen or None, pairs=pairs),
        floor=_number("floor", floor),
        uniform=_number("uniform", uniform),
        burn_in=int(_number("burn_in", burn_in)),
    )


def _period(given: Any) -> str | None:
    """A period's text, if it is one."""
    if given in (None, ""):
        return None
    parse_period(given, now=datetime.now(UTC), zone=UTC)
    return str(given)


def _seconds(argument: str, given: Any) -> float:
    seconds = _number(argument, given)
    if not 0 <= seconds < MOST_SECONDS:
        raise InvalidInput(argument, given, "use a number of seconds, 0 or more")
    return seconds


def _number(argument: str, given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise InvalidInput(argument, given, "use a number")
    return float(given)
