"""Tables that a process has read before: it asks for their cells along with their names, and is never wrong for it."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from hailwhale_django.engine import measures
from hailwhale_django.engine.domain.answer import Answer
from hailwhale_django.engine.pod import Pod
from hailwhale_django.engine.store import catalog
from hailwhale_django.engine.store.store import Store
from tests.engine.conftest import NOW, Pods, trips

YESTERDAY = (NOW - timedelta(days=1)).timestamp()


@pytest.fixture
def watched(redis_url: str, watching: Pods) -> Pod:
    return watching(redis_url)


def asked(pod: Pod, dimension: str = "country") -> dict[str, float]:
    """Today's sales by name, and under "" those of the table."""
    answer = pod.query("shop", dimension=dimension, metrics="sales", period="today", limit=None)
    rows = [*answer.rows, *([answer.other] if answer.other else [])]
    return {row.name: row.cells[0].value for row in rows} | {"": answer.totals.cells[0].value}


def count(pod: Pod, amounts: dict[str, float]) -> None:
    pod.count_many([("shop", {"country": name}, {"sales": amount}) for name, amount in amounts.items()], None)


@pytest.mark.parametrize("children", [3, 60, 1200])
def test_a_known_table_takes_one_round_trip(watched: Pod, children: int) -> None:
    """Whether its rows are picked, fill the head, or fill pages behind it."""
    days = [(NOW - timedelta(days=age)).timestamp() for age in range(5)]
    names = [f"c{n}" for n in range(children)]
    watched.count_many([("shop", {"country": name}, {"sales": 1}, day) for day in days for name in names], None)
    expected = dict.fromkeys(names, 1.0) | {"": float(children)}
    assert asked(watched) == expected
    found: list[dict[str, float]] = []
    assert trips(watched, lambda: found.append(asked(watched))) == 1
    assert found == [expected]


def test_whole_tiles_that_are_hashes_take_one_more_once(watched: Pod) -> None:
    """Then it is known which ones are; what has become of them since is read all the same."""
    count(watched, {f"c{n}": 0 for n in range(40)})
    count(watched, {"c7": 5, "c39": 2})
    assert trips(watched, lambda: asked(watched)) == 3
    assert trips(watched, lambda: asked(watched)) == 1
    count(watched, {"c8": 1})
    assert trips(watched, lambda: asked(watched)) == 1
    assert asked(watched) == {f"c{n}": {7: 5, 8: 1, 39: 2}.get(n, 0) for n in range(40)} | {"": 8}
    for day in range(16):  # the tile is packed
        for n in range(40):
            watched.count("shop", {"country": f"c{n}"}, {"sales": 1}, (NOW - timedelta(days=day)).timestamp())
    assert trips(watched, lambda: asked(watched)) == 1
    expected = {f"c{n}": {7: 6, 8: 2, 39: 3}.get(n, 1) for n in range(40)} | {"": 48}
    assert asked(watched) == expected == asked(Pod(Store(watched.store.server), watched.clock))


def test_tiles_that_are_hashes_again(watched: Pod) -> None:
    """A tile that was packed, and one behind the first page that was one of several."""
    days = [(NOW - timedelta(days=age)).timestamp() for age in range(3)]
    names = [f"c{n}" for n in range(400)]

    def week() -> dict[str, float]:
        answer = watched.query("shop", dimension="country", metrics="sales", period="3d", bounds=True, limit=None)
        return {row.name: row.cells[0].value or 0 for row in answer.rows}

    watched.count_many([("shop", {"country": name}, {"sales": 1}, day) for day in days for name in names], None)
    assert week() == dict.fromkeys(names, 3)
    watched.reset("shop", metric="sales")
    watched.count_many([("shop", {"country": name}, {"sales": 2}, days[1]) for name in names], None)
    watched.count("shop", {"country": "c399"}, {"sales": 5}, days[0])
    watched.count("shop", {"country": "c5"}, {"sales": 7}, days[2])
    expected = dict.fromkeys(names, 2) | {"c399": 7, "c5": 9}
    found: list[dict[str, float]] = []
    assert trips(watched, lambda: found.append(week())) == 2
    assert trips(watched, lambda: found.append(week())) == 1
    watched.count("shop", {"country": "c398"}, {"sales": 1}, days[2])
    assert trips(watched, lambda: found.append(week())) == 1
    assert found == [expected, expected, expected | {"c398": 3}]


def test_children_that_came_since(pods: Pods, any_redis_url: str) -> None:
    writer, reader = pods(any_redis_url), pods(any_redis_url)
    expected: dict[str, float] = {}
    for size in (1, 2, 15, 16, 60, 70, 1100, 1300):
        new = {f"c{n}": float(n + 1) for n in range(len(expected), size)}
        count(writer, new)
        expected |= new
        assert asked(reader) == expected | {"": sum(expected.values())}
        assert asked(reader) == asked(pods(any_redis_url))


@pytest.mark.parametrize("looked", [True, False])
def test_a_reset_by_another_process(pods: Pods, any_redis_url: str, looked: bool) -> None:
    """The same names in another order: as many children, other rows."""
    writer, reader = pods(any_redis_url), pods(any_redis_url)
    count(writer, {"US": 1, "DE": 2, "FR": 3})
    assert asked(reader) == {"US": 1, "DE": 2, "FR": 3, "": 6}
    writer.reset("shop")
    if looked:
        assert asked(reader) == {"": 0}
    count(writer, {"FR": 10, "US": 20, "DE": 30})
    assert asked(reader) == {"FR": 10, "US": 20, "DE": 30, "": 60}


def test_rows_alone_may_differ(pods: Pods, redis_url: str) -> None:
    """The table lists the same names in the same order; what lies on their former rows now is something else."""
    writer, reader = pods(redis_url), pods(redis_url)
    count(writer, {"US": 1, "DE": 2})
    assert asked(reader) == {"US": 1, "DE": 2, "": 3}
    writer.reset("shop")
    writer.count("shop", {"device": "phone"}, {"sales": 100}, None)
    count(writer, {"US": 5, "DE": 7})
    assert asked(reader) == {"US": 5, "DE": 7, "": 12}
    assert asked(reader, "device") == {"phone": 100, "": 100}


def test_the_row_of_the_table_itself_may_differ(pods: Pods, redis_url: str) -> None:
    """Of two lives of a counter in which the children are alike, to the number."""
    writer, reader = pods(redis_url), pods(redis_url)
    for life in (["country", "device"], ["device", "country"]):
        writer.reset("shop")
        for name in life:
            writer.count("shop", name, {"sales": len(name)}, None)
        count(writer, {"US": 5, "DE": 7})
        assert asked(reader) == {"US": 5, "DE": 7, "": 12 + len("country")}
        assert asked(reader, "_") == {"country": 12 + len("country"), "device": len("device"), "": 25}


def test_a_fail_over_that_lost_the_tail_of_the_catalog(pods: Pods, redis_url: str) -> None:
    """What was lost and what came in its place take as many bytes."""
    writer, reader = pods(redis_url), pods(redis_url)
    count(writer, {"US": 1, "DE": 2})
    client = writer.store.server.client
    kept = {key: client.dump(key) for key in client.keys("*")}
    count(writer, {"FR": 3, "IT": 4})
    assert asked(reader) == {"US": 1, "DE": 2, "FR": 3, "IT": 4, "": 10}
    client.flushall()
    for key, value in kept.items():
        client.restore(key, 0, value)
    assert asked(pods(redis_url)) == {"US": 1, "DE": 2, "": 3}
    count(pods(redis_url), {"ES": 30, "PT": 40})
    assert asked(reader) == {"US": 1, "DE": 2, "ES": 30, "PT": 40, "": 73}


def test_a_child_that_was_removed(pods: Pods, any_redis_url: str) -> None:
    writer, reader = pods(any_redis_url), pods(any_redis_url)
    count(writer, {"US": 1, "DE": 2, "FR": 3})
    asked(reader)
    writer.reset("shop", ["country", "DE"])
    assert asked(reader) == {"US": 1, "FR": 3, "": 6}
    count(writer, {"DE": 5})
    assert asked(reader) == {"US": 1, "FR": 3, "DE": 5, "": 11}
    writer.reset("shop", "country")
    assert asked(reader) == {"": 0}
    count(writer, {"DE": 9})
    assert asked(reader) == {"DE": 9, "": 9}


def test_whatever_others_do_meanwhile(pods: Pods, any_redis_url: str) -> None:
    """A long random life of a counter, which plain dictionaries keep up with."""
    rng = random.Random(20_260_101)
    reader = pods(any_redis_url, children=90)
    names = [f"{n}" if n % 7 else f"a/{n}%" for n in range(90)]
    model: dict[str, float] = {}
    total = 0.0
    for _ in range(60):
        writer = pods(any_redis_url, children=90)
        match rng.choice(["count"] * 5 + ["remove", "reset", "metric"]):
            case "count":
                amounts = {name: float(rng.randint(1, 9)) for name in rng.sample(names, rng.choice([1, 5, 30]))}
                count_names(writer, amounts)
                model |= {name: model.get(name, 0) + amount for name, amount in amounts.items()}
                total += sum(amounts.values())
            case "remove" if model:
                gone = rng.choice(sorted(model))
                writer.reset("shop", ["country", gone])
                del model[gone]
            case "reset":
                writer.reset("shop")
                model, total = {}, 0.0
            case "metric":
                writer.reset("shop", metric="sales")
                model, total = dict.fromkeys(model, 0.0), 0.0
        assert asked(reader) == model | {"": total}


def count_names(pod: Pod, amounts: dict[str, float]) -> None:
    pod.count_many([("shop", [["country", name]], {"sales": n}, None) for name, n in amounts.items()], None)
    pod.count_many([("shop", [["country"]], {"sales": n}, None) for n in amounts.values()], None)


def test_both_periods_of_a_comparison(pods: Pods, redis_url: str) -> None:
    writer, reader = pods(redis_url), pods(redis_url)

    def compared() -> Answer:
        return reader.query("shop", dimension="country", metrics="sales", period="today", versus="previous")

    for n in range(1, 4):
        writer.count("shop", {"country": f"c{n}"}, {"sales": 10 * n}, None)
        writer.count("shop", {"country": f"c{n}"}, {"sales": n}, YESTERDAY)
        for _ in range(2):
            cells = {row.name: (row.cells[0].value, row.cells[0].before) for row in compared().rows}
            assert cells == {f"c{m}": (10 * m, m) for m in range(1, n + 1)}


def test_child_counters_are_known_too(pods: Pods, redis_url: str) -> None:
    writer, reader = pods(redis_url), pods(redis_url)
    for number in ("1", "2", "1", "3"):
        writer.count(["Product", number], None, {"sales": 1}, None)
        answer = reader.query("Product", counters=True, metrics="sales", period="today")
        assert answer.totals.cells[0].value == sum(row.cells[0].value for row in answer.rows)
    assert {row.name: row.cells[0].value for row in answer.rows} == {"1": 2, "2": 1, "3": 1}


def test_a_table_that_was_too_large_is_asked_again(pods: Pods, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered decides nothing: not even that it is too much."""
    writer, reader = pods(redis_url), pods(redis_url)
    count(writer, {f"c{n}": 1 for n in range(50)})
    asked(reader)
    monkeypatch.setattr(measures, "MAX_CELLS", 20)
    writer.reset("shop")
    count(writer, {"US": 3})
    assert asked(reader) == {"US": 3, "": 3}


def test_names_are_not_remembered_without_end(pods: Pods, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "REMEMBERED_NAMES", 50)
    pod = pods(redis_url)
    for n in range(30):
        for m in range(4):
            pod.count(f"counter{n}", {"country": f"c{m}"}, None, None)
            pod.query(f"counter{n}", dimension="country", period="today")
    known = [pod.store.catalog.remembered_family(f"counter{n}", "country") for n in range(30)]
    names = [len(family.children.names) for family in known if family is not None]
    assert 0 < sum(names) <= 50
    assert pod.query("counter0", dimension="country", period="today").count == 4
    count(pod, {f"c{n}": 1 for n in range(60)})
    assert len(asked(pod)) == len(asked(pod)) == 61


def test_what_was_answered_stays_as_it_was(pods: Pods, redis_url: str) -> None:
    writer, reader = pods(redis_url), pods(redis_url)
    count(writer, {"US": 1})
    asked(reader)
    listed = reader.subdimensions("shop", "country")
    before = reader.query("shop", dimension="country", metrics="sales", period="today").rows
    count(writer, {"DE": 1})
    asked(reader)
    assert [str(path) for path in listed] == ["country/US"]
    assert [row.name for row in before] == ["US"]
