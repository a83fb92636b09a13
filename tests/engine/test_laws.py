"""The laws: whatever was counted, by whomever and in whatever order, every answer agrees with the raw events.

The numbers are those of the laws in docs/architecture.md.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from math import isnan, nan
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.cluster import RedisCluster

from hailwhale_django.engine.domain.paths import Path
from hailwhale_django.engine.pod import Pod
from tests import servers
from tests.engine.conftest import NOW, Pods
from tests.engine.oracle import SKETCHES, Names, Oracle, Raw, bucket_edges, divided, in_order

FOREVER = {"1m": None, "1h": None, "1d": None, "1w": None, "1mo": None}
FROM_THE_BEGINNING = (0.0, float("inf"))

NAMES = ["US", "DE", "FR", "a/b", "50% off", "{x}", "_", "日本", "two\nlines", "(other)", "'\"", " "]
TOPS = ["country", "device", "/pks", "(other)", "shop: new"]
PKS: list[Names] = [("shop",), ("Product", "1"), ("Product", "2"), ("Product", "2", "a/b"), ("_",), ("/x",)]
SUMS = ["revenue", "visitors", "visitor count", "hits"]
METRICS = [*SUMS, *SKETCHES]
LEVEL = "pct75:ms"

# Formulas, and what they mean for floats.
FORMULAS: dict[str, Callable[[Callable[[str], float]], float]] = {
    "revenue": lambda of: of("revenue"),
    "hits": lambda of: of("hits"),
    '"visitor count"': lambda of: of("visitor count"),
    "revenue/visitors": lambda of: divided(of("revenue"), of("visitors")),
    "revenue/hits": lambda of: divided(of("revenue"), of("hits")),
    "revenue/uv:visitor": lambda of: divided(of("revenue"), of("uv:visitor")),
    "pct75:ms": lambda of: of("pct75:ms"),
    "count:view - sum:cents": lambda of: of("count:view") - of("sum:cents"),
    "(revenue - visitors)/(hits + 1)": lambda of: divided(of("revenue") - of("visitors"), of("hits") + 1),
}


def counter(seed: int = 0) -> Iterator[str]:
    return (f"law{seed}x{n}" for n in itertools.count())


PREFIXES = counter()


def examples(count: int) -> settings:
    """Examples share a server, but each has a prefix of its own."""
    return settings(
        max_examples=count, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    )


values = st.one_of(
    st.integers(-5, 100).map(Fraction),
    st.integers(-(10**7), 10**7).map(lambda cents: Fraction(cents, 100)),
    st.integers(-(10**15), 10**15).map(lambda units: Fraction(units, 10**6)),
)
below = st.recursive(
    st.sampled_from(NAMES),
    lambda inner: st.dictionaries(st.sampled_from(NAMES), inner, min_size=1, max_size=2),
    max_leaves=3,
)
dimensions = st.dictionaries(st.sampled_from(TOPS), below, max_size=2)
ages = st.one_of(
    st.integers(0, 3 * 3600),
    st.integers(0, 4 * 86_400),
    st.integers(0, 120 * 86_400),
    # Around the night to 1 November, when New York sets its clocks back and Berlin has just done so.
    st.integers(20 * 86_400, 28 * 86_400),
    st.integers(-3600, 0),
)
events = st.builds(
    Raw,
    pk=st.sampled_from(PKS),
    dimensions=dimensions,
    metrics=st.dictionaries(st.sampled_from(SUMS), values, max_size=3),
    at=ages.map(lambda age: NOW.timestamp() - age),
    samples=st.dictionaries(
        st.sampled_from(list(SKETCHES)), st.lists(st.integers(-3, 9).map(str), min_size=1, max_size=3), max_size=2
    ),
)
ZONES = ["UTC", "America/New_York", "Asia/Kolkata", "Europe/Berlin"]
zones = st.sampled_from(ZONES)
zones_anywhere = st.sampled_from([*ZONES, "Australia/Lord_Howe", "Asia/Kathmandu"])
caps = st.sampled_from([{}, {"children": 1}, {"children": 2}, {"children": 3, "rows": 12}, {"rows": 4}])


@dataclass
class World:
    """Some pods that count into one store, and what they should have counted."""

    pods: list[Pod]
    oracle: Oracle = field(init=False)

    def __post_init__(self) -> None:
        self.oracle = Oracle(self._placed)
        self._known: dict[tuple[Names, Names | None], frozenset[str]] = {}

    @property
    def pod(self) -> Pod:
        return self.pods[0]

    def _placed(self, pk: Names, path: Names | None) -> frozenset[str]:
        if (pk, path) not in self._known:
            found = self.pod.reader.children(Path(pk), Path(path or ()), counters=path is None)
            self._known[pk, path] = frozenset(child.name for child in found)
        return self._known[pk, path]

    def count(self, batches: list[list[Raw]]) -> None:
        """Each pod in turn counts a batch."""
        for pod, batch in zip(itertools.cycle(self.pods), batches, strict=False):
            given = [event.given() for event in batch]
            if len(given) == 1:
                pod.count(given[0]["pk"], given[0]["dimensions"], given[0]["metrics"], given[0]["at"])
            else:
                assert pod.count_many(given, None) == len(given)
            self.oracle.events += batch
        self.oracle.settle()

    def total(self, pk: Names, path: Names, formula: str, begin: float, end: float) -> float:
        return FORMULAS[formula](lambda metric: self.oracle.told(pk, path, metric, begin, end))


@st.composite
def batches(draw: st.DrawFn, size: int = 40) -> list[list[Raw]]:
    drawn = draw(st.lists(events, min_size=1, max_size=size))
    cuts = sorted(draw(st.lists(st.integers(0, len(drawn)), max_size=6)))
    ends = [0, *cuts, len(drawn)]
    return [drawn[begin:end] for begin, end in itertools.pairwise(ends) if begin < end]


def whole_period(pod: Pod) -> Any:
    return pod.period("1d:2099-07-01..2099-11-22")


# --- law 5: the oracle agrees


@examples(80)
@given(batches(), zones, caps)
def test_5_every_total_of_every_row_agrees(
    pods: Pods, valkey_url: str, given_batches: list[list[Raw]], zone: str, cap: dict[str, int]
) -> None:
    every_total_agrees(pods, valkey_url, given_batches, zone, cap)


@examples(15)
@given(batches(), zones, caps)
def test_5_every_total_of_every_row_agrees_on_a_cluster(
    pods: Pods, cluster_url: str, given_batches: list[list[Raw]], zone: str, cap: dict[str, int]
) -> None:
    every_total_agrees(pods, cluster_url, given_batches, zone, cap)


def every_total_agrees(pods: Pods, url: str, given_batches: list[list[Raw]], zone: str, cap: dict[str, int]) -> None:
    prefix = next(PREFIXES)
    world = World([pods(url, prefix=prefix, zone=zone, **cap) for _ in range(2)])
    world.count(given_batches)
    agrees_in_every_row(world, cap.get("children", 10_000))


def agrees_in_every_row(world: World, cap: int) -> None:
    """Every total of every row, and which rows there are."""
    names = {path_text(pk[:1]) for pk in world.oracle.counters()}
    assert {str(pk) for pk in world.pod.counters()} == names
    period = whole_period(world.pod)
    for pk in sorted(world.oracle.counters()):
        paths = sorted(world.oracle.paths(pk))
        values, warnings = world.pod.reader.values(
            Path(pk),
            [Path(path) for path in paths],
            formulas(world.pod, METRICS),
            period,
            NOW.timestamp(),
            plotted=False,
        )
        assert not warnings
        for metric in METRICS:
            found = values.totals(formulas(world.pod, [metric])[0])[: len(paths)].tolist()
            expected = [world.oracle.told(pk, path, metric, *FROM_THE_BEGINNING) for path in paths]
            assert dict(zip(paths, found, strict=True)) == dict(zip(paths, expected, strict=True)), metric
        for path in paths:
            children = {child.name for child in world.pod.reader.children(Path(pk), Path(path))}
            assert children == world.oracle.children(pk, path)
            assert len(children - {"(other)"}) <= cap


def formulas(pod: Pod, metrics: list[str]) -> Any:
    return pod.parse_query("any", metrics=[metric if ":" in metric else f'"{metric}"' for metric in metrics]).formulas


def path_text(names: Names) -> str:
    return str(Path(names))


dates = st.integers(0, 125).map(lambda age: NOW.date() - timedelta(days=age))


@st.composite
def dated_periods(draw: st.DrawFn) -> tuple[str, date, date]:
    interval = draw(st.sampled_from(["1m", "5m", "1h", "6h", "1d", "1d", "1w", "1mo", "3mo", "1y"]))
    days = {"1m": 2, "5m": 3, "1h": 8, "6h": 30}.get(interval, 125)
    first = draw(dates)
    last = min(first + timedelta(days=draw(st.integers(0, days))), NOW.date())
    return interval, min(first, last), last


@examples(80)
@given(
    batches(), zones_anywhere, zones_anywhere, st.lists(st.tuples(dated_periods(), st.data()), min_size=3, max_size=6)
)
def test_5_every_plot_agrees(
    pods: Pods, valkey_url: str, given_batches: list[list[Raw]], zone: str, asked_zone: str, questions: list[Any]
) -> None:
    """At kept intervals and at those derived from them, in any zone, on days of 23 to 25 hours."""
    world = World([pods(valkey_url, prefix=next(PREFIXES), zone=zone, intervals=FOREVER)])
    world.count(given_batches)
    for (interval, first, last), data in questions:
        pk = data.draw(st.sampled_from(sorted(world.oracle.counters())))
        path = data.draw(st.sampled_from(sorted(world.oracle.paths(pk))))
        formula = data.draw(st.sampled_from(sorted(FORMULAS)))
        period = world.pod.period(f"{interval}:{first}..{last}", asked_zone)
        edges = bucket_edges(interval, first, last, ZoneInfo(asked_zone))
        (parsed,) = world.pod.parse_query("any", metrics=formula).formulas
        values, warnings = world.pod.reader.values(
            Path(pk), [Path(path)], [parsed], period, NOW.timestamp(), plotted=True
        )
        assert not warnings
        assert values.points(parsed)[:, 0].tolist() == [world.total(pk, path, formula, *edge) for edge in edges]
        summed, warnings = world.pod.reader.values(
            Path(pk), [Path(path)], [parsed], period, NOW.timestamp(), plotted=False
        )
        assert not warnings
        assert summed.totals(parsed)[0] == world.total(pk, path, formula, edges[0][0], edges[-1][1])


def crowded(events: list[Raw]) -> list[Raw]:
    """Events of one counter by country, so that its table is worth ranking."""
    return [replace(event, pk=("shop",), dimensions={"country": {name(event): "x"}}) for event in events]


def name(event: Raw) -> str:
    return NAMES[hash_of(event) % len(NAMES)]


def hash_of(event: Raw) -> int:
    return int(event.at) // 7 + len(event.metrics)


tests_of_rows = st.one_of(
    st.tuples(
        st.sampled_from([">", ">=", "<", "<=", "=", "!="]), st.sampled_from(sorted(FORMULAS)), st.integers(-5, 50)
    ),
    st.tuples(
        st.sampled_from(["is", "is_not", "contains", "contains_not"]),
        st.just("name"),
        st.lists(st.sampled_from(["US", "us", "a", "(", "日"]), min_size=1, max_size=2),
    ),
)


@examples(120)
@given(
    st.lists(events, min_size=1, max_size=60).map(crowded),
    zones,
    caps,
    dated_periods(),
    st.lists(st.sampled_from(sorted(FORMULAS)), min_size=1, max_size=3, unique=True),
    st.tuples(st.sampled_from(sorted(FORMULAS)), st.booleans()),
    st.lists(tests_of_rows, max_size=2),
    st.integers(1, 6),
    st.integers(0, 4),
)
def test_5_every_table_agrees(
    pods: Pods,
    valkey_url: str,
    counted: list[Raw],
    zone: str,
    cap: dict[str, int],
    asked: tuple[str, date, date],
    columns: list[str],
    order: tuple[str, bool],
    filters: list[tuple[str, str, Any]],
    limit: int,
    offset: int,
) -> None:
    world = World([pods(valkey_url, prefix=next(PREFIXES), zone=zone, intervals=FOREVER, **cap)])
    world.count([counted[:5], counted[5:]] if len(counted) > 5 else [counted])
    interval, first, last = asked
    by, descending = order
    answer = world.pod.query(
        "shop",
        dimension="country",
        metrics=columns,
        period=f"{interval}:{first}..{last}",
        order_by=[by, "desc" if descending else "asc"],
        filters=[list(test) for test in filters],
        limit=limit,
        offset=offset,
    )
    edges = bucket_edges(interval, first, last, ZoneInfo(zone))
    span = edges[0][0], edges[-1][1]

    def total(child: str | None, formula: str) -> float:
        row = ("shop",), ("country", child) if child else ("country",)
        if formula == LEVEL and not world.oracle.values(*row, formula, *span):
            return nan
        return world.total(*row, formula, *span)

    def told(child: str | None) -> list[float | None]:
        return [None if isnan(value := total(child, formula)) else value for formula in columns]

    names = world.oracle.children(("shop",), ("country",))
    # In a counter of few rows even "country" itself may have found no place.
    passing = [
        child
        for child in names - {"(other)"}
        if all(passes(child, test, what, against, total) for test, what, against in filters)
    ]
    ranked = in_order([(child, total(child, by)) for child in passing], descending)
    assert answer.count == len(passing)
    assert [row.name for row in answer.rows] == ranked[offset : offset + limit]
    for row in answer.rows:
        assert [cell.value for cell in row.cells] == told(row.name)
    assert (answer.other is not None) == ("(other)" in names)
    if answer.other:
        assert [cell.value for cell in answer.other.cells] == told("(other)")
    assert [cell.value for cell in answer.totals.cells] == told(None)


def passes(child: str, test: str, what: str, against: Any, total: Callable[[str, str], float]) -> bool:
    if what != "name":
        value = total(child, what)
        return {
            ">": value > against,
            ">=": value >= against,
            "<": value < against,
            "<=": value <= against,
            "=": value == against,
            "!=": value != against,
        }[test]
    folded = [one.casefold() for one in against]
    found = child.casefold() in folded if "is" in test else any(one in child.casefold() for one in folded)
    return not found if test.endswith("_not") else found


# --- law 1: a total is the sum of its children


@examples(40)
@given(st.lists(events, min_size=1, max_size=60).map(crowded), zones, caps.filter(lambda cap: "rows" not in cap))
def test_1_a_total_is_the_sum_of_its_children_and_other(
    pods: Pods, valkey_url: str, counted: list[Raw], zone: str, cap: dict[str, int]
) -> None:
    prefix = next(PREFIXES)
    world = World([pods(valkey_url, prefix=prefix, zone=zone, **cap) for _ in range(2)])
    world.count([counted[at : at + 7] for at in range(0, len(counted), 7)])
    for text in ("1mo:2099-07-01..2099-11-30", "1d:2099-07-20..2099-11-22"):
        for metric in [*SUMS, "count:view", "sum:cents"]:
            answer = world.pod.query(
                "shop", dimension="country", metrics=f'"{metric}"', period=text, plotted=True, limit=None
            )
            rows = [*answer.rows, *([answer.other] if answer.other else [])]
            assert exact_sum(rows) == exact_sum([answer.totals])
            by_bucket = zip(*(row.cells[0].points or [] for row in rows), strict=True)
            totals = answer.totals.cells[0].points or []
            assert [sum(map(exact, bucket)) for bucket in by_bucket] == list(map(exact, totals))


def exact(value: float | None) -> Fraction:
    return round(Fraction(value or 0) * 10**6) / Fraction(10**6)


def exact_sum(rows: list[Any]) -> Fraction:
    return sum((exact(row.cells[0].value) for row in rows), Fraction(0))


# --- law 2: coarse buckets are sums of fine ones


@examples(25)
@given(batches(), zones)
def test_2_a_coarse_bucket_is_the_sum_of_the_fine_ones(
    pods: Pods, valkey_url: str, given_batches: list[list[Raw]], zone: str
) -> None:
    """As they are stored: each interval is read by itself, without the others' help."""
    prefix = next(PREFIXES)
    world = World([pods(valkey_url, prefix=prefix, zone=zone, intervals=FOREVER)])
    world.count(given_batches)

    def plotted(interval: str, period: str, pk: Names) -> list[Fraction]:
        alone = pods(valkey_url, prefix=prefix, zone=zone, intervals={interval: None})
        asked = formulas(alone, ["revenue"])
        values, warnings = alone.reader.values(
            Path(pk), [Path(())], asked, alone.period(period), NOW.timestamp(), plotted=True
        )
        assert not warnings
        return list(map(exact, values.points(asked[0])[:, 0].tolist()))

    for pk in sorted(world.oracle.counters()):
        days = plotted("1d", "1d:2099-07-01..2099-11-30", pk)
        if zone != "Asia/Kolkata":  # whose days are not made of whole hours of UTC
            assert plotted("1h", "1d:2099-10-25..2099-11-21", pk) == days[116:144]
        assert plotted("1m", "1d:2099-11-19..2099-11-21", pk) == days[141:144]
        assert plotted("1mo", "1mo:2099-07-01..2099-11-30", pk) == [
            sum(days[begin:end], Fraction(0)) for begin, end in itertools.pairwise((0, 31, 62, 92, 123, 153))
        ]
        weeks = plotted("1w", "1w:2099-08-31..2099-11-29", pk)  # a Monday and a Sunday
        assert weeks == [sum(days[at : at + 7], Fraction(0)) for at in range(61, 152, 7)]


# --- law 3: any order, any batching, any number of workers


@examples(40)
@given(batches(), st.randoms(use_true_random=False), st.integers(1, 3), zones)
def test_3_order_and_batching_do_not_matter(
    pods: Pods, valkey_url: str, given_batches: list[list[Raw]], random: Any, workers: int, zone: str
) -> None:
    one = World([pods(valkey_url, prefix=next(PREFIXES), zone=zone)])
    one.count([[event] for batch in given_batches for event in batch])
    shuffled = [event for batch in given_batches for event in batch]
    random.shuffle(shuffled)
    size = random.randint(1, 9)
    prefix = next(PREFIXES)
    other = World([pods(valkey_url, prefix=prefix, zone=zone) for _ in range(workers)])
    other.count([shuffled[at : at + size] for at in range(0, len(shuffled), size)])
    assert state(one) == state(other)


def state(world: World) -> dict[Any, Any]:
    """Every total and every plot of every row."""
    found = {}
    asked = formulas(world.pod, METRICS)
    for pk in sorted(world.oracle.counters()):
        paths = sorted(world.oracle.paths(pk))
        for text in ("1m:3h", "1h:2d", "1d:5w", "1w:4mo", "1mo:1y"):
            values, _ = world.pod.reader.values(
                Path(pk), [Path(path) for path in paths], asked, world.pod.period(text), NOW.timestamp(), plotted=True
            )
            for formula in asked:
                columns = values.points(formula).T.tolist()
                found |= {(pk, text, path, str(formula)): column for path, column in zip(paths, columns, strict=False)}
    return found


# --- law 6: reading never writes, and nobody searches the key space

READS = {"get", "mget", "hget", "hmget", "hgetall", "hkeys", "hvals", "smembers", "zrangebylex", "zrange", "zscore",
         "zcard", "scard", "evalsha", "eval", "type", "getrange", "strlen", "hlen", "exists", "sismember",
         "smismember", "zmscore", "hexists"}  # fmt: skip
HOUSEKEEPING = {"info", "hello", "client|setinfo", "client|setname", "cluster|slots", "cluster|nodes", "ping",
                "cluster|shards", "cluster|info", "command", "command|getkeys", "select", "dbsize", "asking",
                "readonly"}  # fmt: skip


def calls(url: str) -> Counter[str]:
    """How often each command was called, on all nodes."""
    with closing(servers.client(url)) as client:
        if isinstance(client, RedisCluster):
            infos = [node.redis_connection.info("commandstats") for node in client.get_primaries()]
        else:
            infos = [client.info("commandstats")]
    found: Counter[str] = Counter()
    for info in infos:
        for command, figures in info.items():
            found[command.removeprefix("cmdstat_")] += figures["calls"]
    return found


def test_6_reading_never_writes_and_nothing_searches_the_key_space(pods: Pods, any_redis_url: str) -> None:
    pod, reader = pods(any_redis_url, children=20), pods(any_redis_url, children=20)
    at_first = calls(any_redis_url)
    for n in range(100):
        pod.count(
            ["Product", str(n % 7)], {"country": {f"c{n % 30}": "x"}}, {"revenue": n}, NOW.timestamp() - n * 50_000
        )
    pod.update_count_to("stock", "shelf", {"items": 5}, "1d", None)

    before, keys = calls(any_redis_url), dump(any_redis_url)
    reading(reader)
    after = calls(any_redis_url)
    used = {command for command, count in (after - before).items() if count}
    assert used - HOUSEKEEPING <= READS | {"dump", "keys"}
    assert dump(any_redis_url) == keys

    pod.reset("Product", "country")
    pod.reset("Product", None, "revenue")
    pod.reset("Product")
    searched = calls(any_redis_url) - at_first
    assert not {command for command in searched if "scan" in command}
    assert searched["keys"] == 2 * (3 if any_redis_url.startswith("redis+cluster") else 1)  # our own, in dump()


def reading(pod: Pod) -> None:
    """Every way to read there is."""
    for _ in range(2):
        pod.query("Product", dimension="country", metrics=["revenue/hits", "hits:last"], period="1d:3mo", bounds=True,
                  plotted=True, drillable=True, versus="previous", depth=2)  # fmt: skip
        pod.query("Product", counters=True, metrics="revenue", period="mtd", tzoffset="Asia/Kolkata")
        pod.query("nothing of the kind", dimension="at/all")
        pod.subdimensions("Product", "country")
        pod.all_subdimensions("Product", None)
        pod.metrics_of("Product")
        pod.counters()
        pod.counters("Product")


def dump(url: str) -> dict[bytes, bytes]:
    """Every key and what it holds."""
    with closing(servers.client(url)) as client:
        names = (
            client.keys("*", target_nodes=RedisCluster.PRIMARIES) if isinstance(client, RedisCluster) else client.keys()
        )
        return {one: client.dump(one) for one in names}


def test_6_reading_a_store_where_nothing_was_counted_writes_nothing(pods: Pods, any_redis_url: str) -> None:
    reading(pods(any_redis_url))
    assert dump(any_redis_url) == {}


@pytest.mark.parametrize("children", [1, 50])
def test_6_counting_one_event_costs_the_same_whatever_is_there(pods: Pods, redis_url: str, children: int) -> None:
    """One round trip and no more commands, in a small counter as in a large one."""
    pod = pods(redis_url)
    pod.count_many(({"pk": "shop", "dimensions": {"country": f"c{n}"}} for n in range(children)), None)
    pod.count("shop", {"country": "c0"}, None, None)
    before = calls(redis_url)
    pod.count("shop", {"country": "c0"}, None, None)
    spent = calls(redis_url) - before
    assert spent["evalsha"] == 1
    assert sum(spent.values()) <= 30
