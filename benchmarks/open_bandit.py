"""Off-policy answers on real data: do they agree with what was earned, and is a policy that is learnt from a log good?

Each campaign has a log by a uniform policy and one, of the same week, by Thompson sampling (BTS). So each log can be
asked what the other policy would have earned, and the other log knows. Then policies are learnt from the uniform log,
in parts: what is chosen in one part is learnt from the others.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from benchmarks.effort import Effort
from benchmarks.open_bandit_log import POSITIONS, Impressions, campaigns
from benchmarks.open_bandit_policy import EVERYTHING, NOTHING, Learnt, Rates, items_by, kinds_by
from benchmarks.report import Column, Figure, Result, Table, Target
from hailwhale_django.engine.decide.evidence import Floats
from hailwhale_django.engine.decide.offpolicy import METHODS, Estimate, Log, Method, advantage, estimate
from hailwhale_django.engine.decide.policies.book import policy_of
from hailwhale_django.engine.decide.ratio import Interval

PRIOR_CLICKS = 4.0
"""What is assumed of an item before it is seen counts as much as so many clicks."""
AGREE = 2.64
"""Standard errors: six comparisons at 5% in all (Bonferroni)."""
PERCENT = 100.0
NORMAL_95 = 1.959964


Learner = Callable[[Sequence[Impressions]], list[Learnt]]
"""What it would do in each log, in parts that it did not learn from."""

LEARNERS: dict[str, Learner] = {
    "liked or any, by thompson": partial(kinds_by, policy_of("thompson"), EVERYTHING),
    "liked or any, by rates": partial(kinds_by, Rates(), NOTHING),
    "item, by thompson": partial(items_by, policy_of("thompson"), EVERYTHING),
    "item, by rates": partial(items_by, Rates(), NOTHING),
}
JUDGED = "liked or any"


class World(NamedTuple):
    """One campaign."""

    name: str
    uniform: Impressions
    bts: Impressions


def run(effort: Effort) -> Result:
    """Each log asked about the other's policy; then policies learnt from the uniform logs. Always of full size."""
    try:
        worlds = [World(*campaign) for campaign in campaigns()]
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", None) or error
        return Result([Table("The Open Bandit Dataset", [Column("could not be had")], [[str(said).strip()[-200:]]])])
    agreement, furthest = _agreement(worlds)
    learnt, targets = _learnt(worlds)
    return Result(
        [agreement, learnt], [Target("standard errors between logs, at most", furthest, AGREE, at_most=True), *targets]
    )


def _agreement(worlds: Sequence[World]) -> tuple[Table, float]:
    table = Table(
        "What a policy earns, in its own log and by the other's (clicks per 100 impressions, +- 95%)",
        [Column("campaign"), Column("policy"), Column("own log"), *(Column(method) for method in METHODS),
         Column("standard errors apart", ".2f"), Column("effective", ",.0f"), Column("overlap")],
        notes=["Doubly robust by click rates of items, smoothed, from the log of the policy in question.",
               "Where the overlap is poor nothing is to be told, and it does not count for the target."],
    )  # fmt: skip
    furthest = 0.0
    for world in worlds:
        shares = shown_shares(world.bts, world.uniform)
        even = np.full((len(world.bts), world.bts.items), 1 / world.bts.items)
        for policy, own, log, chances in (
            ("uniform", world.uniform, world.bts, even),
            ("bts", world.bts, world.uniform, shares),
        ):
            said = _log(log, item_rates(own, log))
            found = {method: estimate(said, chances, method) for method in METHODS}
            apart = _apart(_around(own.click), found["snips"].numerator)
            overlap = found["snips"].overlap
            furthest = max(furthest, apart if overlap.is_good else 0.0)
            told = [_shown(one.numerator) for one in found.values()]
            table.rows.append(
                [
                    world.name,
                    policy,
                    _shown(_around(own.click)),
                    *told,
                    apart,
                    overlap.effective,
                    overlap.words or "good",
                ]
            )
    return table, furthest


def _learnt(worlds: Sequence[World]) -> tuple[Table, list[Target]]:
    clicks = sum(world.uniform.click.sum() for world in worlds)
    table = Table(
        "Policies learnt from the uniform log, judged on what they did not see (all campaigns; clicks per 100)",
        [Column("policy"), *(Column(method) for method in METHODS), Column("more than bts, snips"),
         Column("more than bts, dr"), Column("effective", ",.0f"), Column("overlap")],
        notes=["bts: the shares in which its log showed the items at each position, judged on the same impressions.",
               f"It had learnt from more than this week; by its own log it earned {_shown(_mean_of_all(worlds))}.",
               f"By the {clicks:.0f} clicks of the uniform log, items differ by no more than chance.",
               "What can be learnt is whether to show visitors what they had shown a liking for before."],
    )  # fmt: skip
    targets = []
    logs = [world.uniform for world in worlds]
    bts = _together([shown_shares(world.bts, world.uniform) for world in worlds])
    even = _joined(logs, _together([np.full((len(log), log.items), log.click.mean()) for log in logs]))
    table.rows += [_row("uniform", even, even.propensities, bts), _row("bts", even, bts, bts)]
    for name, learner in LEARNERS.items():
        found = learner(logs)
        chances = _together([one.chances for one in found])
        log = _joined(logs, _together([one.expected for one in found]))
        table.rows.append(_row(name, log, chances, bts))
        if name.startswith(JUDGED):
            most = advantage(log, chances, bts, "dr").upper * PERCENT
            targets.append(Target(f"{name}: clicks more than bts at most, by dr", most, 0))
    return table, targets


def _row(name: str, log: Log, chances: Floats, bts: Floats) -> list[Figure]:
    found: list[Estimate] = [estimate(log, chances, method) for method in METHODS]
    methods: tuple[Method, ...] = ("snips", "dr")
    more = [_shown(advantage(log, chances, bts, method), "+.3f") for method in methods]
    overlap = found[1].overlap
    return [name, *(_shown(one.numerator) for one in found), *more, overlap.effective, overlap.words or "good"]


def shown_shares(of: Impressions, rows: Impressions) -> Floats:
    """In which shares a log showed the items at the positions of rows: the policy, on average over its week."""
    counts = np.zeros((POSITIONS, of.items))
    np.add.at(counts, (of.position, of.item), 1)
    return (counts / counts.sum(axis=1, keepdims=True))[rows.position]


def item_rates(seen: Impressions, rows: Impressions) -> Floats:
    """Clicks expected of each item, wherever it is shown: its own, and `PRIOR_CLICKS` of all together."""
    clicks, shown = (np.bincount(seen.item, of, seen.items) for of in (seen.click, np.ones(len(seen))))
    rates = (clicks + PRIOR_CLICKS) / (shown + PRIOR_CLICKS / seen.click.mean())
    return np.broadcast_to(rates, (len(rows), seen.items))


def _log(of: Impressions, expected: Floats) -> Log:
    return _joined([of], expected)


def _joined(logs: Sequence[Impressions], expected: Floats) -> Log:
    """Of several campaigns, as if of one. Items that a campaign does not have had no chance in it."""
    propensities = _together([_propensities(log) for log in logs])
    chosen, clicks = (np.concatenate([getattr(log, name) for log in logs]) for name in ("item", "click"))
    return Log(chosen, propensities, clicks, np.ones(len(clicks)), expected, np.ones_like(expected))


def _propensities(log: Impressions) -> Floats:
    """Of what was shown; of all others too where all were alike."""
    if (log.propensity == log.propensity[0]).all():
        return np.full((len(log), log.items), log.propensity[0])
    known = np.full((len(log), log.items), np.nan)
    known[np.arange(len(log)), log.item] = log.propensity
    return known


def _together(tables: Sequence[Floats]) -> Floats:
    """One below the other, 0 where there are fewer items."""
    most = max(table.shape[1] for table in tables)
    return np.concatenate([np.pad(table, ((0, 0), (0, most - table.shape[1]))) for table in tables])


def _mean_of_all(worlds: Sequence[World]) -> Interval:
    return _around(np.concatenate([world.bts.click for world in worlds]))


def _around(clicks: Floats) -> Interval:
    error = float(clicks.std(ddof=1)) / len(clicks) ** 0.5 * NORMAL_95
    mean = float(clicks.mean())
    return Interval(mean, mean - error, mean + error)


def _apart(one: Interval, other: Interval) -> float:
    errors = np.hypot(one.upper - one.value, other.upper - other.value) / NORMAL_95
    return float(abs(one.value - other.value) / errors)


def _shown(found: Interval, form: str = ".3f") -> str:
    return f"{format(found.value * PERCENT, form)} +-{(found.upper - found.value) * PERCENT:.3f}"
