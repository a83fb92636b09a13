"""Findings: what the evidence of an experiment comes to, once it is read.

Options are compared by traffic that was assigned without a look at results: all of it where the split is fixed, else
the share that was decided for by chance alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .chooser import Weighed
from .decide.aim import Aim, aim_of
from .decide.balance import Balance, balance, split_balance
from .decide.evidence import ND, Floats, N
from .decide.guardrails import Guarded, Guardrail, guarded
from .decide.remaining import Remaining, remaining
from .decide.sequential import Leader, leader
from .errors import InvalidInput
from .experiment import Totals, has_all_chances
from .store.choices import Logged


@dataclass(frozen=True, slots=True)
class Findings:
    """What cannot be told is `None`. `fair`: events of the traffic that is fit to be compared."""

    fair: float = 0.0
    test: Leader | None = None
    left: Remaining | None = None
    balance: Balance | None = None
    guarded: tuple[Guarded, ...] = ()


def findings(
    aim: Aim,
    control: str,
    guardrails: Sequence[Guardrail],
    weighed: Weighed,
    totals: Totals,
    logged: Sequence[Logged],
    *,
    fixed: bool,
) -> Findings:
    """Of a decision among two options or more; `fixed`: its split does not look at results."""
    options = weighed.evidence.options
    sums_of = totals.everybody if fixed else totals.uniform
    fair = sums_of(aim)
    events = float(fair[:, N].sum())
    if len(options) < 2:
        return Findings(events)
    at = options.index(control)
    rails = (guarded(one, options, sums_of(aim_of(one.formula)), at) for one in guardrails) if events else ()
    return Findings(
        events,
        leader(options, fair, minimize=aim.minimize) if events else None,
        _remaining(weighed, aim),
        _balance(weighed, fair, logged, fixed=fixed),
        tuple(found for rail in rails for found in rail),
    )


def _remaining(weighed: Weighed, aim: Aim) -> Remaining | None:
    judged = weighed.judged
    try:
        return remaining(weighed.evidence.options, judged.mean, judged.lower, judged.upper, minimize=aim.minimize)
    except InvalidInput:  # a policy that knows no mean
        return None


def _balance(weighed: Weighed, fair: Floats, logged: Sequence[Logged], *, fixed: bool) -> Balance | None:
    """Of what came back of each option; where none was assigned by chance alone, of what was decided."""
    options = weighed.evidence.options
    if fair[:, ND].any():
        shares = weighed.probabilities if fixed else np.ones(len(options))
        return split_balance(options, np.maximum(fair[:, ND], 0), shares)
    at = {option: number for number, option in enumerate(options)}
    assigned, expected = np.zeros(len(options)), np.zeros(len(options))
    for made in (one.kept for one in logged if has_all_chances(one.kept, at)):
        assigned[at[made.option]] += 1
        expected[[at[option] for option in made.options]] += made.chances
    return balance(options, assigned, expected) if assigned.any() else None
