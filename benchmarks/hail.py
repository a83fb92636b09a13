"""The hail: events per second into the log and out of it, against a plain XADD and the path that counts at once."""

from __future__ import annotations

import time
from contextlib import ExitStack

from benchmarks import servers, worlds
from benchmarks.counting import DIMENSIONS, MANY, ONE_BY_ONE
from benchmarks.effort import Effort
from benchmarks.report import Column, Result, Table, Target
from benchmarks.timing import Contestant, race
from hailwhale_django.engine.domain.line import write_line
from hailwhale_django.engine.store.log import LINES

SECONDS = 300
FOREVER = 3_600.0

COUNT_NOW, COUNT = "Whale.count_now", "Hail.count"
XADD, XADD_AT_ONCE = "XADD of the same line", f"XADD, {LINES} lines an entry"
COUNT_MANY, WHALE_MANY = "Hail.count_many", "Whale.count_many"
DRAIN, DRAIN_SINGLES = "drained, accepted by count_many", "drained, accepted one by one"

FEWEST_DRAINED = 50_000
TIMES_ONE_BY_ONE = 20


def run(effort: Effort) -> Result:
    """Visits of the last five minutes (2 dimensions, Zipf; 2 metrics and hits), as in `counting`."""
    few, many = effort.size(ONE_BY_ONE), effort.size(MANY)
    table = Table(
        "The hail: visits with 2 dimensions (of 50 and 1,000 children, Zipf), 2 metrics and hits",
        [Column("contestant"), Column("events/s", ",.0f"), Column("us/event", ",.1f"), Column("rounds")],
        notes=[f"{few:,} events a round one by one, {many:,} at once, by one process; the server on the same machine."],
    )
    with ExitStack() as stack:
        now = time.time()
        pod = stack.enter_context(servers.running_pod())
        client = stack.enter_context(servers.running_client())
        events = worlds.visits(many, DIMENSIONS, now - SECONDS, now)
        lines = [write_line(pod.store.intake.read(event, now)) for event in events]
        pod.count_many(events, None)

        def one_by_one() -> None:
            for event in events[:few]:
                pod.acceptor.accept(event["pk"], event["dimensions"], event["metrics"], event["at"])

        def at_once() -> None:
            for event in events[:few]:
                pod.count(event["pk"], event["dimensions"], event["metrics"], event["at"])

        def added() -> None:
            for line in lines[:few]:
                client.xadd("log", {"1": line})

        def added_together() -> None:
            pipeline = client.pipeline(transaction=False)
            for begin in range(0, many, LINES):
                pipeline.xadd("log", {"1": "\n".join(lines[begin : begin + LINES])})
            pipeline.execute()

        def drained() -> None:
            pod.drain.run(FOREVER)

        def trim() -> None:
            drained()
            client.delete("log")

        def accepted() -> None:
            trim()
            pod.acceptor.accept_many(events)

        def accepted_singly() -> None:
            trim()
            one_by_one()

        sizes = {COUNT_NOW: few, COUNT: few, XADD: few, DRAIN_SINGLES: few}
        contestants = [
            Contestant(COUNT_NOW, at_once),
            Contestant(XADD, added, trim),
            Contestant(COUNT, one_by_one, trim),
            Contestant(XADD_AT_ONCE, added_together, trim),
            Contestant(COUNT_MANY, lambda: pod.acceptor.accept_many(events), trim),
            Contestant(WHALE_MANY, lambda: pod.count_many(events, None)),
            Contestant(DRAIN, drained, accepted),
            Contestant(DRAIN_SINGLES, drained, accepted_singly),
        ]
        found = race(contestants, effort)
    each = {name: timing.median / sizes.get(name, many) for name, timing in found.items()}
    for name, timing in found.items():
        table.rows.append([name, 1 / each[name], each[name] * 1e6, len(timing.wall)])
    return Result(
        [table],
        [
            Target("events drained a second by one worker", 1 / each[DRAIN], FEWEST_DRAINED),
            Target("times the path that counts at once: drained", each[COUNT_NOW] / each[DRAIN], TIMES_ONE_BY_ONE),
        ],
    )
