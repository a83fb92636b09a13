"""Workers are killed while they drain, and servers with their latest writes: every accepted event counts exactly once.

HAILWHALE_KILLS is how many workers are killed in each test, HAILWHALE_SEED chooses the instants and the events.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from multiprocessing.process import BaseProcess
from random import Random
from threading import Event, Thread
from typing import Any

import pytest
from redis import Redis

from example_project.ports import HOST
from example_project.valkey import Valkey
from hailwhale_django.engine.domain.paths import Path
from hailwhale_django.engine.domain.plan import Column
from hailwhale_django.engine.domain.timeline import Interval
from hailwhale_django.engine.errors import StoreUnavailable
from hailwhale_django.engine.pod import Pod
from hailwhale_django.engine.store.catalog import Limits
from hailwhale_django.engine.store.log import Log
from hailwhale_django.engine.store.server import connect
from hailwhale_django.engine.store.store import Options, Store
from tests import drainer, servers
from tests.engine.oracle import Names, Raw
from tests.engine.test_laws import World

KILLS = int(os.environ.get("HAILWHALE_KILLS", "26"))
SEED = int(os.environ.get("HAILWHALE_SEED", "1"))
WORKERS = 3
PRODUCERS = 3
STREAMS = 2
MOST_CHILDREN = 15  # fewer than there are cities, more than there are products
LIFE_SECONDS = 0.06
PAUSE_SECONDS = 0.02
SUMS = ("hits", "revenue", "ms")
# A sum tells what is counted twice, uniques what is not.
METRICS = (*SUMS, "sum:cents", "uv:visitor")
PERIODS = {"1m:3h": 60, "1h:2d": 3600, "1d:2mo": 86_400}
DAY = 86_400

Place = tuple[Names, Names, str, float]
"""A counter, a path, a metric, and when the bucket begins."""


@dataclass
class Farm:
    """Producers and workers on one store. `accepted` are the events that a producer was told are in the hail."""

    url: str
    hail_url: str
    seed: int
    accepted: list[Raw] = field(default_factory=list)
    kills: int = 0
    killed_at_work: int = 0

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.workers: list[BaseProcess] = []
        self.stopped = Event()
        self.broken: list[BaseException] = []
        self._stack = ExitStack()
        self.pod = self.connected()

    def connected(self) -> Pod:
        """A pod with connections of its own, as every process has."""
        server, hail = connect(self.url), connect(self.hail_url)
        self._stack.callback(server.close)
        self._stack.callback(hail.close)
        store = Store(server, Options(limits=Limits(children=MOST_CHILDREN)))
        return Pod(store, log=Log(hail, store.keys, STREAMS))

    @contextmanager
    def running(self) -> Iterator[None]:
        """Workers drain and producers append; when this ends, all of it is counted."""
        producers = [Thread(target=self._produce, args=(Random(f"{self.seed}-{n}"),)) for n in range(PRODUCERS)]
        try:
            for _ in range(WORKERS):
                self._start()
            for producer in producers:
                producer.start()
            yield
        finally:
            self.stopped.set()
            for producer in producers:
                producer.join()
            for worker in self.workers:
                worker.kill()
                worker.join()
        self._end_leases()
        while self._drained():
            pass

    def close(self) -> None:
        self._stack.close()

    def kill(self, times: int) -> None:
        """End workers at random instants, wherever they are."""
        for _ in range(times):
            time.sleep(self.chance.uniform(0, LIFE_SECONDS))
            victim = self.workers.pop(self.chance.randrange(WORKERS))
            victim.kill()
            victim.join()
            self.kills += 1
            # As if its lease had expired. Sometimes it is another's, and two drain the same stream.
            self.killed_at_work += self._end_leases()
            self._start()

    def _drained(self) -> bool:
        """Whether there was anything left. A server that was promoted is found when the one before does not answer."""
        try:
            return self.pod.drain.run() > 0
        except StoreUnavailable:
            self.pod.drain.run()
            return True

    def _start(self) -> None:
        self.workers.append(
            drainer.start(
                {"REDIS": self.url, "HAIL_REDIS": self.hail_url, "HAIL_STREAMS": STREAMS, "MAX_CHILDREN": MOST_CHILDREN}
            )
        )

    def _end_leases(self) -> int:
        keys = self.pod.log.keys
        return sum(self.pod.log.server.call("DEL", [keys.hail(stream, "lease")]) for stream in range(STREAMS))

    def _produce(self, chance: Random) -> None:
        try:
            pod = self.connected()
            sent: list[dict[str, Any]] = []
            while not self.stopped.wait(chance.uniform(0, PAUSE_SECONDS)):
                raws = [random_event(chance) for _ in range(chance.choice([1, 1, 5, 40]))]
                given = [raw.given() for raw in raws]
                for one in given:
                    if chance.random() < 0.3:
                        one["id"] = chance.randbytes(8).hex()
                        sent.append(one)
                again = chance.sample(sent[-100:], min(3, len(sent)))
                pod.acceptor.accept_many(given + again)
                self.accepted += raws
                self._decide(pod, chance)
        except BaseException as error:
            self.broken.append(error)
            raise

    def _decide(self, pod: Pod, chance: Random) -> None:
        """What came of options: counted as any event, and what is learnt from it, once each."""
        raws = [
            random_event(chance, ("decisions", "banner", chance.choice("abc"))) for _ in range(chance.choice([0, 3]))
        ]
        events = []
        for raw in raws:
            given = raw.given()
            events.append((pod.decider.event(*raw.pk, given["dimensions"], given["metrics"], raw.at), ""))
        again = [(event, chance.randbytes(8).hex()) for event, _ in events[:1]]
        pod.acceptor.accept_events(events[1:] + again + again)
        self.accepted += raws

    def check_evidence(self) -> None:
        """What was learnt in all: of each option by everybody, and by country."""
        expected: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
        for raw in self.accepted:
            if raw.pk[0] == "decisions":
                revenue = float(raw.worth("revenue"))
                cells = ["_", *(f"country/{name}" for name in raw.dimensions["country"])]
                for cell in cells:
                    found = expected[raw.pk[2], cell]
                    found[0] += 1
                    found[1] += revenue
                    found[2] += revenue**2
        assert len(expected) == 3 * 4
        kept, bucket = Interval.parse("1mo"), self.pod.store.timeline.bucket
        months = range(bucket(kept, time.time() - 45 * DAY), bucket(kept, time.time()) + 1)
        columns = [Column(kept, one) for one in months]
        for (option, cell), sums in expected.items():
            found = self.pod.store.evidences.sums("decisions/banner", columns, [option], [cell]).summed()
            named = [float(found.of(name)[0, 0]) for name in ("n", "=revenue", "*revenue\x1frevenue")]
            assert named == pytest.approx(sums)

    def check(self) -> None:
        """Every bucket of every row against the events."""
        self.check_evidence()
        assert not self.broken
        assert not any(self.pod.drain.dead.letters(stream) for stream in range(STREAMS))
        world = World([self.pod])
        world.oracle.events = self.accepted
        world.oracle.settle()
        now = time.time()
        formulas = self.pod.parse_query("any", metrics=list(METRICS)).formulas
        counters = world.oracle.counters()
        assert {pk[:1] for pk in counters} == {tuple(pk) for pk in self.pod.counters()}
        for text, seconds in PERIODS.items():
            expected = expected_sums(world.oracle.rows, seconds)
            period = self.pod.period(text, now=now)
            begins = [period.span_of(bucket)[0] for bucket in period.buckets]
            seen: dict[Place, float] = {}
            for pk in counters:
                paths = sorted(world.oracle.paths(pk))
                listed = [Path(path) for path in paths]
                values, _ = self.pod.reader.values(Path(pk), listed, formulas, period, now, plotted=True)
                for metric, formula in zip(METRICS, formulas, strict=True):
                    for path, points in zip(paths, values.points(formula).T.tolist(), strict=False):
                        for begin, value in zip(begins, points, strict=True):
                            if value:
                                seen[pk, path, metric, begin] = value
            first = begins[0]
            assert seen == {place: float(value) for place, value in expected.items() if value and place[-1] >= first}


def expected_sums(rows: list[tuple[Names, Names, Raw]], seconds: int) -> dict[Place, Fraction]:
    sums: dict[Place, Fraction] = defaultdict(Fraction)
    visitors: dict[Place, set[str]] = defaultdict(set)
    for pk, path, event in rows:
        begin = event.at // seconds * seconds
        for metric in SUMS:
            sums[pk, path, metric, begin] += event.worth(metric)
        sums[pk, path, "sum:cents", begin] += sum(map(int, event.samples["sum:cents"]))
        visitors[pk, path, "uv:visitor", begin].update(event.samples["uv:visitor"])
    return sums | {place: Fraction(len(seen)) for place, seen in visitors.items()}


def random_event(chance: Random, pk: Names | None = None) -> Raw:
    pks: list[Names] = [("shop",), ("Product", str(chance.randrange(8))), ("Product", "0", chance.choice("ab"))]
    dimensions: dict[str, Any] = {"country": {f"c{chance.randrange(3)}": f"city {int(chance.expovariate(0.1))}"}}
    if chance.random() < 0.5:
        dimensions["device"] = chance.choice(["phone", "desk/top"])
    late = chance.choice([0, 0, 0, chance.uniform(0, 7000), chance.uniform(0, 40 * DAY)])
    metrics = {"revenue": Fraction(chance.randrange(-500, 10_000), 100), "ms": Fraction(chance.randrange(9))}
    samples = {"sum:cents": [str(chance.randrange(100))], "uv:visitor": [f"v{chance.randrange(200)}"]}
    return Raw(pk or chance.choice(pks), dimensions, metrics, time.time() - late, samples)


def test_workers_are_killed(any_redis_url: str) -> None:
    with closing(Farm(any_redis_url, any_redis_url, SEED)) as farm:
        with farm.running():
            farm.kill(KILLS)
        farm.check()
        assert farm.kills == KILLS
        report("workers killed", farm)


def test_a_primary_is_killed_and_its_replica_promoted(redis_url: str) -> None:
    """With what had not reached the replica yet; the hail is on a server that stays."""
    with servers.nodes(replicas=1) as nodes:
        url = servers.cluster_url(nodes)
        with closing(Farm(url, redis_url, SEED)) as farm:
            at = farm.chance.randrange(servers.NODES)
            primary, replica = nodes[at], nodes[at + servers.NODES]
            with farm.running():
                farm.kill(KILLS // 3)
                sever(primary, replica)
                farm.kill(KILLS // 3)
                servers.wait_until(lambda: lost_bytes(primary, replica) > 0)
                lost = lost_bytes(primary, replica)
                primary.kill()
                promote(replica)
                farm.kill(KILLS // 3)
            farm.check()
            report(f"a primary killed with {lost:,} bytes that its replica had not", farm)


def sever(primary: Valkey, replica: Valkey) -> None:
    """The replica gets nothing more of its primary: it comes with a password that nobody asked for."""
    with client(replica) as one, client(primary) as other:
        one.config_set("masterauth", "wrong")
        other.client_kill_filter(_type="replica")


def lost_bytes(primary: Valkey, replica: Valkey) -> int:
    with client(replica) as one, client(primary) as other:
        return int(other.info("replication")["master_repl_offset"] - one.info("replication")["slave_repl_offset"])


def promote(replica: Valkey) -> None:
    with client(replica) as one:
        one.execute_command("CLUSTER", "FAILOVER", "TAKEOVER")
        servers.wait_until(lambda: one.info("replication")["role"] == "master")


def client(server: Valkey) -> Redis:
    return Redis(host=HOST, port=server.port)


def report(what: str, farm: Farm) -> None:
    print(f"{what}: {len(farm.accepted):,} events, {farm.kills} kills, {farm.killed_at_work} leases ended, seed {SEED}")
