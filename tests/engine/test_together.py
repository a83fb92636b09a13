"""Many questions at once: the same answers in few round trips."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from hailwhale_django.engine.domain.answer import Answer
from hailwhale_django.engine.domain.paths import ROOT, Path
from hailwhale_django.engine.domain.query import parse_formulas
from hailwhale_django.engine.errors import HailWhaleError, InvalidInput, StoreUnavailable, TooLarge
from hailwhale_django.engine.pod import Pod
from hailwhale_django.engine.store.conversation import Conversation
from tests.engine.conftest import NOW, Clock, Pods, trips

DAYS = [(NOW - timedelta(days=day)).timestamp() for day in range(20)]
FORMULAS = ["hits", "revenue", "revenue/visitors", "revenue/visitors@parent", "visitors:cumulative", "revenue:last"]
SKETCHES = ["uv:visitor", "revenue/uv:visitor", "pct95:ms"]


def fill(pod: Pod, rng: random.Random, children: int = 40) -> None:
    """Days of visits to a shop and to its products, some of them to states of countries."""
    events = []
    for _ in range(400):
        country = f"c{rng.randrange(children)}"
        metrics = {"revenue": rng.randrange(1000) / 100, "visitors": rng.randrange(1, 9), "ms": rng.randrange(500)}
        sketches = {"uv:visitor": f"v{rng.randrange(50)}", "pct95:ms": rng.randrange(500)}
        where = {country: f"s{rng.randrange(3)}"} if rng.random() < 0.5 else country
        pk: Any = rng.choice(["shop", ["Product", str(rng.randrange(5))]])
        dimensions = {"country": where, "device": rng.choice(["Mac", "PC"])}
        events.append((pk, dimensions, metrics | (sketches if rng.random() < 0.3 else {}), rng.choice(DAYS)))
    pod.count_many(events, None)


def table(pod: Pod, **asked: Any) -> Conversation[Answer]:
    asked = {"dimension": "country", "metrics": ["revenue/visitors", "hits"], "period": "7d"} | asked
    return pod.reader.tabling(pod.parse_query(asked.pop("pk", "shop"), **asked), pod.clock())


def any_table(pod: Pod, rng: random.Random) -> Conversation[Answer]:
    counters = rng.random() < 0.15
    asked = {
        "pk": "Product" if counters else rng.choice(["shop", "Product", ["Product", "3"], "never counted"]),
        "dimension": None if counters else rng.choice([None, "country", "country", ["country", "c3"], "device"]),
        "depth": 1 if counters else rng.choice([1, 1, 2]),
        "counters": counters,
        "metrics": rng.sample(FORMULAS + SKETCHES, rng.randrange(1, 5)),
        "period": rng.choice(["today", "7d", "20d", "1h:1d", "1mo"]),
        "versus": rng.choice([None, "previous", "year"]),
        "order_by": rng.choice([None, "low:revenue/visitors", "name", "+revenue", "uv:visitor"]),
        "filters": rng.choice([None, [[">", "hits", 2]], [["contains", "name", ["1"]]]]),
        "limit": rng.choice([None, 3, 100]),
    }
    flags = {flag: rng.random() < 0.5 for flag in ("bounds", "plotted", "drillable")}
    return table(pod, **asked, **flags)


def any_question(pod: Pod, rng: random.Random) -> Conversation[Any]:
    """One of all kinds; the same where `rng` is in the same state."""
    pk = Path.parse(rng.choice(["shop", "Product", "Product/2", "never counted"]))
    match rng.randrange(6):
        case 0:
            period, (formula,) = pod.period("20d"), parse_formulas(rng.choice(FORMULAS + SKETCHES))
            query = pod.parse_query(pk, dimension="country", period="20d")
            names = [f"c{rng.randrange(50)}" for _ in range(rng.randrange(4))]
            return pod.reader.plotting(query, names, formula, period, pod.clock(), whole=rng.random() < 0.5)
        case 1:
            return pod.reader.outlining(pk, Path.parse(rng.choice(["country", "nothing"])))
        case 2:
            return pod.reader.paths_known(pk, [ROOT, Path.parse("country/c1"), Path.parse("country/nowhere")])
        case _:
            return any_table(pod, rng)


def questions(pod: Pod, seed: int, count: int = 20) -> list[Conversation[Any]]:
    rng = random.Random(seed)
    return [any_question(pod, rng) for _ in range(count)]


def held(pod: Pod, conversation: Conversation[Any]) -> Any:
    try:
        return pod.store.server.hold(conversation)
    except StoreUnavailable:
        raise
    except HailWhaleError as error:
        return error


def comparable(found: list[Any]) -> list[Any]:
    return [(type(one), str(one)) if isinstance(one, HailWhaleError) else one for one in found]


@pytest.mark.parametrize("seed", range(6))
def test_together_they_give_what_they_give_alone(watching: Pods, any_redis_url: str, seed: int) -> None:
    """On a process that has read nothing yet, and on one that has read all of it."""
    writer, one_by_one, together = (watching(any_redis_url) for _ in range(3))
    fill(writer, random.Random(seed))
    alone = comparable([held(one_by_one, question) for question in questions(one_by_one, seed)])
    assert sum(isinstance(one, Answer) and bool(one.rows) for one in alone) > 1
    assert comparable(together.together(questions(together, seed))) == alone
    longest = max(trips(together, partial(held, together, question)) for question in questions(together, seed))
    found: list[Any] = []
    assert trips(together, lambda: found.extend(together.together(questions(together, seed)))) <= longest
    assert comparable(found) == alone
    fill(writer, random.Random(seed + 100), children=60)
    alone = comparable([held(one_by_one, question) for question in questions(one_by_one, seed)])
    assert comparable(together.together(questions(together, seed))) == alone


@pytest.fixture
def shop(watching: Pods, any_redis_url: str) -> Pod:
    """A process that knows its store and has read nothing else; there are fewer countries than a page shows."""
    writer, pod = watching(any_redis_url), watching(any_redis_url)
    fill(writer, random.Random(7))
    pod.reader.children(Path.parse("shop"))
    pod.store.check(pod.clock(), writing=False)
    return pod


EVERYTHING: dict[str, Any] = {"versus": "previous", "bounds": True, "plotted": True, "drillable": True}


def test_a_table_with_everything(shop: Pod) -> None:
    found: list[Any] = []
    assert trips(shop, lambda: found.extend(shop.together([table(shop, **EVERYTHING)]))) <= 4
    for _ in range(3):
        assert trips(shop, lambda: found.extend(shop.together([table(shop, **EVERYTHING)]))) <= 2
    first, *others = found
    assert first.rows[0].cells[0].points
    assert first.rows[0].cells[0].low is not None
    assert all(other == first for other in others)


def test_a_page_of_twelve_panels(shop: Pod) -> None:
    """Takes as many as its longest."""
    (formula,) = parse_formulas("revenue")

    def panels() -> Iterator[Conversation[Any]]:
        query = shop.parse_query("shop", dimension="country", period="20d")
        for names in (["c1", "c2"], ["c3"], []):
            yield shop.reader.plotting(query, names, formula, query.period, shop.clock(), whole=True)
        for dimension in ("country", "device", "country/c1"):
            for pk in ("shop", "Product"):
                yield table(shop, pk=pk, dimension=dimension, **EVERYTHING)
        yield table(shop, dimension=None, metrics=["uv:visitor", "pct95:ms"])
        yield shop.reader.outlining(Path.parse("shop"), ROOT)
        yield shop.reader.paths_known(Path.parse("shop"), [ROOT])

    assert trips(shop, lambda: shop.together(panels())) <= 4
    assert trips(shop, lambda: shop.together(panels())) <= 2


def test_a_broken_one_does_not_disturb_others(shop: Pod) -> None:
    hours = shop.parse_query("shop", dimension="country", period="1m:2d")
    many = [Path.parse(f"country/{n}") for n in range(9000)]
    broken = shop.reader.valuing(hours.pk, many, hours.formulas, hours.period, shop.clock(), plotted=True)
    alone = shop.store.server.hold(table(shop))
    first, refused, last = shop.together([table(shop), broken, table(shop, **EVERYTHING)])
    assert first == alone
    assert isinstance(refused, TooLarge)
    assert isinstance(last, Answer)
    assert [row.path for row in last.rows] == [row.path for row in alone.rows]


def test_settings_that_do_not_go_with_what_is_stored(pods: Pods, redis_url: str) -> None:
    pods(redis_url).count("shop", {"country": "US"}, {"revenue": 1}, None)
    other = pods(redis_url, zone="Asia/Kolkata")
    first, known = other.together([table(other), other.reader.paths_known(Path.parse("shop"), [ROOT])])
    assert isinstance(first, HailWhaleError)
    assert "TIME_ZONE" in str(first)
    assert known == [True]


def test_before_anything_is_counted(watching: Pods, any_redis_url: str) -> None:
    pod = watching(any_redis_url)
    found: list[Any] = []
    told = [table(pod, **EVERYTHING), pod.reader.outlining(Path.parse("shop"), ROOT)]
    assert trips(pod, lambda: found.extend(pod.together(told))) <= 4
    assert found[0].rows == []
    assert found[1] is None


# --- sparklines


@pytest.mark.parametrize(
    "asked",
    [
        {"metrics": ["revenue/visitors", "hits", "visitors:cumulative", "revenue/visitors@parent"]},
        {"metrics": ["revenue/uv:visitor", "pct95:ms", "uv:visitor:cumulative", "visitors"]},
        {"metrics": ["revenue:last", "uv:visitor:last"], "order_by": "revenue"},
        {"metrics": ["revenue/visitors@parent"], "depth": 2, "limit": 7, "offset": 3},
        {"metrics": ["hits"], "filters": [[">", "revenue:last", 1]]},
        {"pk": "Product", "dimension": None, "counters": True, "metrics": ["revenue/visitors", "hits/seconds"]},
    ],
)
def test_sparklines_of_what_was_read_by_bucket_are_as_if_read_apart(shop: Pod, asked: dict[str, Any]) -> None:
    """An interval asks for buckets; without it only those of the rows that are shown are read."""
    spared, apart = shop.together(
        [table(shop, period="20d", plotted=True, bounds=bounds, **asked) for bounds in (True, False)]
    )
    assert isinstance(spared, Answer)
    assert isinstance(apart, Answer)

    def points(answer: Answer) -> list[Any]:
        return [(row.path, [cell.points for cell in row.cells]) for row in [*answer.rows, answer.totals]]

    assert points(spared) == points(apart)
    assert any(point for row in points(spared) for cell in row[1] for point in cell)


def test_sparklines_of_a_table_with_bounds(pods: Pods, redis_url: str, clock: Clock) -> None:
    pod = pods(redis_url)
    for day, country, revenue, visitors in ((0, "US", 6, 2), (0, "DE", 4, 4), (1, "US", 5, 1), (2, "DE", 9, 3)):
        pod.count("shop", {"country": country}, {"revenue": revenue, "visitors": visitors}, DAYS[day])
    answer = pod.query("shop", dimension="country", metrics="revenue/visitors", period="3d", bounds=True, plotted=True)
    assert {row.name: row.cells[0].points for row in answer.rows} == {"US": [None, 5, 3], "DE": [3, None, 1]}
    assert answer.totals.cells[0].points == [3, 5, 10 / 6]


def test_sums_that_could_leave_64_bits(pods: Pods, redis_url: str) -> None:
    """Of whole numbers that are read as Python's own."""
    pod = pods(redis_url)
    amounts = [4_000_000_000_000, 5_000_000_000_000, 1]
    for day, amount in zip(DAYS, amounts, strict=False):
        pod.count("shop", {"country": "US"}, {"revenue": amount}, day)
    answer = pod.query("shop", dimension="country", metrics=["revenue"], period="3d", bounds=True, plotted=True)
    assert answer.rows[0].cells[0].points == amounts[::-1]
    assert answer.totals.cells[0].value == 9_000_000_000_001


# --- what was ever counted


def test_paths_that_are_known(any_pod: Pod) -> None:
    any_pod.count("shop", {"country": {"US": "CA"}}, None, None)
    texts = ["country", "country/US/CA", "country/DE", "US"]
    pk = Path.parse("shop")
    (known, nothing, never) = any_pod.together(
        any_pod.reader.paths_known(counter, paths)
        for counter, paths in (
            (pk, [ROOT, *map(Path.parse, texts)]),
            (pk, []),
            (Path.parse("never"), [ROOT]),
        )
    )
    assert known == [True, True, True, False, False]
    assert nothing == []
    assert never == [False]


def test_what_cannot_be_understood_is_refused_before_anything_is_asked(shop: Pod) -> None:
    with pytest.raises(InvalidInput, match="period"):
        table(shop, period="soon")
