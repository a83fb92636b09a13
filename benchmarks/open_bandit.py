"""Off-policy answers on real data: do they agree with what was earned, and is a policy that is learnt from a log good?

Each campaign has a log by a uniform policy and one, of the same week, by Thompson sampling (BTS). So each log can be
asked what the other policy would have earned, and the other log knows. Then policies are learnt from the uniform log,
in five parts: what is chosen in one part is learnt from the other four.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.effort import Effort
from benchmarks.open_bandit_log import POSITIONS, Impressions, campaigns
from benchmarks.report import Column, Figure, Result, Table, Target
from hailwhale_django.engine.decide.evidence import Floats
from hailwhale_django.engine.decide.offpolicy import METHODS, Estimate, Log, Method, advantage, estimate
from hailwhale_django.engine.decide.ratio import Interval

PARTS = 5
DRAWS = 4000
PRIOR_CLICKS = 4.0
MOST_CLICKS = 100.0
"""What is assumed of an item before it is seen counts as much as so many clicks; at most, where it is learnt."""
AGREE = 2.64
"""Standard errors: six comparisons at 5% in all (Bonferroni)."""
PERCENT = 100.0
NORMAL_95 = 1.959964


class Learnt(NamedTuple):
    """Of rows: the chance of choosing each item, and the clicks expected of it, both [row, item]."""

    chances: Floats
    expected: Floats


Learner = Callable[[Impressions, Impressions], Learnt]
"""Learns from the first, and says what it would do in the second."""


class World(NamedTuple):
    """One campaign."""

    name: str
    uniform: Impressions
    bts: Impressions


def run(effort: Effort) -> Result:
    """Each log asked about the other's policy; then policies learnt from the uniform logs."""
    try:
        worlds = [World(*campaign) for campaign in campaigns()]
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", None) or error
        return Result([Table("The Open Bandit Dataset", [Column("could not be had")], [[str(said).strip()[-200:]]])])
    agreement, furthest = _agreement(worlds)
    learnt, targets = _learnt(worlds, {"smoothed click rates": smoothed_rates(effort.size(DRAWS, least=100))})
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


def _learnt(worlds: Sequence[World], learners: dict[str, Learner]) -> tuple[Table, list[Target]]:
    clicks = sum(world.uniform.click.sum() for world in worlds)
    table = Table(
        "Policies learnt from the uniform log, judged on what they did not see (all campaigns; clicks per 100)",
        [Column("policy"), *(Column(method) for method in METHODS), Column("more than bts, snips"),
         Column("more than bts, dr"), Column("effective", ",.0f"), Column("overlap")],
        notes=["bts: the shares in which its log showed the items at each position, judged on the same impressions.",
               f"It had learnt from more than this week; by its own log it earned {_shown(_mean_of_all(worlds))}.",
               f"By the {clicks:.0f} clicks of the uniform log, items differ by no more than chance."],
    )  # fmt: skip
    targets = []
    bts = _together([shown_shares(world.bts, world.uniform) for world in worlds])
    expected = _together([_in_parts(world.uniform, mean_rates).expected for world in worlds])
    log = _joined([world.uniform for world in worlds], expected)
    table.rows.append(_row("uniform", log, log.propensities, bts))
    table.rows.append(_row("bts", log, bts, bts))
    for name, learner in learners.items():
        found = [_in_parts(world.uniform, learner) for world in worlds]
        chances = _together([one.chances for one in found])
        log = _joined([world.uniform for world in worlds], _together([one.expected for one in found]))
        table.rows.append(_row(name, log, chances, bts))
        most = advantage(log, chances, bts, "dr").upper * PERCENT
        targets.append(Target(f"{name} against bts, upper end of the difference by dr", most, 0))
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


def mean_rates(seen: Impressions, rows: Impressions) -> Learnt:
    """All items alike."""
    return Learnt(np.full((len(rows), seen.items), 1 / seen.items), np.full((len(rows), seen.items), seen.click.mean()))


def smoothed_rates(draws: int) -> Learner:
    """Each item as often as it is the best in draws of what is believed of its clicks.

    An item's rate is drawn towards that of all, by as much as their clicks say that items are alike; and to visitors
    who had shown a liking for it before, it is worth so many times as much as those in the log clicked more often.
    """

    def learn(seen: Impressions, rows: Impressions) -> Learnt:
        rng = np.random.default_rng(1)
        shape, weight = _posterior(seen)
        rate = shape / weight
        liked = seen.liked[np.arange(len(seen)), seen.item]
        clicks, due = seen.click[liked].sum() + 1, rate[seen.item[liked]].sum() + 1
        drawn = rng.gamma(shape, 1 / weight, (draws, seen.items))
        times = rng.gamma(clicks, 1 / due, draws)
        kinds, kind = np.unique(rows.liked, axis=0, return_inverse=True)
        chances = np.stack([_best(drawn * np.where(one, times[:, None], 1)) for one in kinds])
        return Learnt(chances[kind.ravel()], rate * np.where(rows.liked, clicks / due, 1))

    return learn


def _posterior(seen: Impressions) -> tuple[Floats, Floats]:
    """Gamma distributions of items' click rates; their prior's variance by moments, at least that of `MOST_CLICKS`."""
    rate = seen.click.mean()
    clicks, due = np.bincount(seen.item, seen.click, seen.items), np.bincount(seen.item, minlength=seen.items) * rate
    spread = ((clicks - due) ** 2 - due).sum() / (due**2).sum()
    prior = 1 / min(max(spread, 1 / MOST_CLICKS), 1.0)
    return clicks + prior, (due + prior) / rate


def _best(drawn: Floats) -> Floats:
    return np.bincount(drawn.argmax(axis=1), minlength=drawn.shape[1]) / len(drawn)


def _in_parts(log: Impressions, learner: Learner) -> Learnt:
    """What is done in each part is learnt from the others."""
    part = np.arange(len(log)) % PARTS
    chances, expected = np.zeros((2, len(log), log.items))
    for one in range(PARTS):
        chances[part == one], expected[part == one] = learner(log.at(part != one), log.at(part == one))
    return Learnt(chances, expected)


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
