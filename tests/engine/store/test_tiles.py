"""Tiles: every value is kept, in hashes, in strings, and when one becomes the other."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from hailwhale_django.engine.domain.event import Places
from hailwhale_django.engine.domain.plan import Column
from hailwhale_django.engine.domain.timeline import Interval
from hailwhale_django.engine.errors import CounterOverflow, HailWhaleError
from hailwhale_django.engine.pod import Pod
from hailwhale_django.engine.store.pages import Wanted
from hailwhale_django.engine.store.tiles import HEAD_ROWS, PAGE_ROWS, SPAN
from tests import servers
from tests.engine.conftest import NOW, Pods

HOURS = {"1h": "90d"}
# The first of 16 hours that share a tile.
FIRST_HOUR = int(NOW.timestamp()) // 3600 // SPAN * SPAN - 2 * SPAN


def at(hour: int) -> float:
    return (FIRST_HOUR + hour) * 3600


@contextmanager
def looking(url: str) -> Iterator[Any]:
    with closing(servers.client(url)) as client:
        yield client


def tiles_of(url: str) -> dict[str, str]:
    """Tiles of `revenue`, and whether they are a hash or a string."""
    with looking(url) as client:
        names = client.keys("*tile:*:revenue", **_everywhere(client))
        return {name.decode(): client.type(name).decode() for name in names}


def _everywhere(client: Any) -> dict[str, Any]:
    return {"target_nodes": client.PRIMARIES} if hasattr(client, "PRIMARIES") else {}


def expiries(url: str) -> set[int]:
    with looking(url) as client:
        return {client.ttl(name) for name in client.keys("*tile:*", **_everywhere(client))}


def cells(pod: Pod, names: list[str], hours: range, metric: str = "revenue") -> np.ndarray:
    """Units [row, hour]."""
    rows = pod.store.server.hold(pod.store.catalog.finding("shop", [f"n/{name}" for name in names]))
    points = [[Column(Interval(1, "h"), FIRST_HOUR + hour)] for hour in hours]
    (found,) = pod.store.tiles.sums("shop", [Wanted([metric], points, np.array(rows))])
    return found[0].T


# --- where cells are


@pytest.mark.parametrize(
    ("row", "bucket", "key", "cell"),
    [
        (0, 80, "1h:5:0", 0),
        (0, 95, "1h:5:0", 15),
        (63, 81, "1h:5:0", 1009),
        (64, 81, "1h:81:1", 0),
        (1087, 81, "1h:81:1", 1023),
        (1088, 81, "1h:81:2", 0),
        (1088, 82, "1h:82:2", 0),
    ],
)
def test_where_a_row_s_cells_are(pods: Pods, valkey_url: str, row: int, bucket: int, key: str, cell: int) -> None:
    """The first 64 rows share a tile of 16 buckets; further ones share pages of 1,024 rows for each bucket."""
    slot = pods(valkey_url).store.tiles.slot("shop", Column(Interval(1, "h"), bucket))
    assert slot.place(row, "revenue") == (f"hw:{{shop}}tile:{key}:revenue", cell)


# --- every value is kept


@pytest.mark.parametrize("order", ["by row", "by hour", "at random", "few rows"])
@pytest.mark.parametrize("batch", [1, 40])
def test_values_survive_every_change_of_form(pods: Pods, redis_url: str, order: str, batch: int) -> None:
    """Additions to the 64 rows of a head tile and to 36 behind them, in 16 hours."""
    pod = pods(redis_url, intervals=HOURS)
    rng = random.Random(order + str(batch))
    names = [f"c{n}" for n in range(100)]
    pod.count_many([("shop", {"n": name}, {"hits": 0}, at(0)) for name in names], None)
    places = [(name, hour) for name in names for hour in range(16)]
    if order == "by hour":
        places.sort(key=lambda place: place[1])
    if order == "at random":
        rng.shuffle(places)
    if order == "few rows":
        places = [place for place in places if place[0] in ("c0", "c50", "c61", "c62", "c99")] * 3
    model: dict[tuple[str, int], int] = defaultdict(int)
    forms = set()
    for begin in range(0, len(places), batch):
        chosen = places[begin : begin + batch]
        given = [(name, hour, rng.choice([1, -7, 10**6 * 3, 2**53 + 1, -(2**56)])) for name, hour in chosen]
        pod.count_many(
            [("shop", {"n": name}, {"revenue": f"{units}e-6", "hits": 0}, at(hour)) for name, hour, units in given],
            None,
        )
        for name, hour, units in given:
            model[name, hour] += units
        if begin % (7 * batch) == 0:
            forms |= set(tiles_of(redis_url).values())
            found = cells(pod, names, range(16)).tolist()
            assert found == [[model[name, hour] for hour in range(16)] for name in names]
    assert ("hash" if order == "few rows" else "string") in forms
    assert cells(pod, names, range(16)).tolist() == [[model[name, hour] for hour in range(16)] for name in names]
    assert cells(pod, names[3:5], range(2, 4)).tolist() == [[model[n, h] for h in (2, 3)] for n in names[3:5]]


@pytest.mark.parametrize("entries", [7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 130, 200])
@pytest.mark.parametrize("stride", [1, 5])
def test_values_survive_at_each_threshold(pods: Pods, redis_url: str, entries: int, stride: int) -> None:
    """All at once, which may begin as a string, and one by one, for cells side by side and for scattered ones."""
    names = [f"c{n}" for n in range(entries * stride // 10 + 2)]
    places = [(names[n * stride // 10], n * stride % 10) for n in range(entries)]
    given = [("shop", {"n": name}, {"revenue": n + 1}, at(hour)) for n, (name, hour) in enumerate(places)]
    expected = np.zeros((len(names), 10), dtype=np.int64)
    for n, (name, hour) in enumerate(places):
        expected[names.index(name), hour] += (n + 1) * 10**6
    for prefix, batch in (("all", len(given)), ("each", 1)):
        pod = pods(redis_url, intervals=HOURS, prefix=prefix)
        pod.count_many([("shop", {"n": name}, {"revenue": 0}, at(0)) for name in names], None)
        pod.count_many(given, None, batch)
        assert cells(pod, names, range(10)).tolist() == expected.tolist()


def test_sums_of_large_cells_are_exact(pods: Pods, any_redis_url: str) -> None:
    """Each is within 64 bits, and their sum is not."""
    pod = pods(any_redis_url, intervals=HOURS, places=Places(0))
    near = 2**63 - 1
    for hour in range(40):
        pod.count("shop", {"n": "a"}, {"revenue": near if hour % 2 else 2**55 + 2**48 - 1 + hour}, at(hour))
    total = pod.query("shop", dimension="n", metrics="revenue", period="4d").rows[0].cells[0].value
    assert total == float(20 * near + sum(2**55 + 2**48 - 1 + hour for hour in range(0, 40, 2)))


@pytest.mark.parametrize("value", [0x00FF_FFFF_FFFF_FFFF, 0x00FF_0000_0000_0001, 2**47 + 1, 2**56])
def test_sums_of_many_buckets_do_not_wrap(pods: Pods, redis_url: str, value: int) -> None:
    """Children of opposite signs, in tiles that are strings, while their parent's cells are 0."""
    pod = pods(redis_url, intervals=HOURS, places=Places(0))
    for hour in range(160):
        rows = [(f"c{row}", value if row % 2 else -value) for row in range(60)]
        pod.count_many([("shop", {"n": name}, {"revenue": units}, at(15 - hour)) for name, units in rows], None)
    assert set(tiles_of(redis_url).values()) == {"string"}
    answer = pod.query("shop", dimension="n", metrics="revenue", period="80d", limit=None)
    assert {row.cells[0].value for row in answer.rows} == {float(value * 160), float(-value * 160)}
    assert answer.totals.cells[0].value == 0


def test_beyond_53_bits_every_unit_counts(pods: Pods, any_redis_url: str) -> None:
    pod = pods(any_redis_url, intervals=HOURS)
    for n in range(5):
        pod.count("shop", {"n": "a"}, {"revenue": f"{2**53 + 1}e-6"}, at(0))
        assert cells(pod, ["a"], range(1)).tolist() == [[(n + 1) * (2**53 + 1)]]
    pod.count("shop", {"n": "a"}, {"revenue": f"-{5 * (2**53 + 1) - 1}e-6"}, at(0))
    assert cells(pod, ["a"], range(1)).tolist() == [[1]]


# --- overflow

LIMIT = Fraction(2**63 - 1, 10**6)
BIG = 9_000_000_000_000


def revenue(pod: Pod, path: Any = None, metric: str = "revenue") -> float:
    return pod.query("shop", dimension=path, metrics=metric, period="2d").totals.cells[0].value


def test_what_would_overflow_is_refused_whole_and_all_else_is_counted(pods: Pods, any_redis_url: str) -> None:
    pod = pods(any_redis_url)
    pod.count("shop", {"n": "a"}, {"revenue": BIG}, None)
    with pytest.raises(CounterOverflow) as caught:
        pod.count("shop", {"n": "b", "m": "c"}, {"revenue": BIG, "cost": 3}, None)
    assert "'revenue' of 'shop' was not counted: a counter holds at most 9,223,372,036,854" in str(caught.value)
    assert revenue(pod) == BIG
    assert [revenue(pod, path) for path in ("n", "n/a", "n/b", "m", "m/c")] == [BIG, BIG, 0, 0, 0]
    assert [revenue(pod, path, "cost") for path in (None, "n/b", "m/c")] == [3, 3, 3]
    assert [revenue(pod, path, "hits") for path in (None, "n", "n/b")] == [2, 2, 1]
    pod.count("shop", {"n": "b"}, {"revenue": -BIG}, None)
    assert (revenue(pod), revenue(pod, "n/b")) == (0, -BIG)


@pytest.mark.parametrize("sign", [1, -1])
def test_in_a_batch_only_the_events_that_do_not_fit_are_refused(pods: Pods, any_redis_url: str, sign: int) -> None:
    pod = pods(any_redis_url)
    events = [
        ("shop", {"n": f"c{n}"}, {"revenue": sign * (BIG if n in (3, 7, 11) else 1), "cost": 1}) for n in range(20)
    ]
    failures: list[tuple[HailWhaleError, Any]] = []
    pod.count_many(events, lambda error, event: failures.append((error, event)))
    assert [type(error) for error, _ in failures] == [CounterOverflow] * 2
    assert revenue(pod) == sign * (BIG + 17)
    assert revenue(pod, metric="cost") == revenue(pod, metric="hits") == 20
    rows = {
        row.name: row.cells[0].value for row in pod.query("shop", dimension="n", metrics="revenue", period="2d").rows
    }
    assert sum(rows.values()) == sign * (BIG + 17)
    assert sorted(map(abs, rows.values())) == [0, 0, *[1] * 17, BIG]


def test_a_batch_that_adds_up_to_more_than_64_bits(pods: Pods, any_redis_url: str) -> None:
    """Even before it reaches the server; and one that passes the limit on its way to less does fit."""
    pod = pods(any_redis_url)
    failures: list[HailWhaleError] = []
    pod.count_many([("shop", None, {"revenue": BIG})] * 5, lambda error, _: failures.append(error))
    assert [type(error) for error in failures] == [CounterOverflow] * 4
    assert (revenue(pod), revenue(pod, metric="hits")) == (BIG, 5)
    pod.count_many([("shop", None, {"revenue": value}) for value in (BIG, -BIG, BIG, -BIG)], None)
    assert revenue(pod) == BIG


def test_overflow_in_packed_tiles(pods: Pods, any_redis_url: str) -> None:
    """The same where tiles are strings: BITFIELD, not HINCRBY, does the adding."""
    pod = pods(any_redis_url, intervals=HOURS)
    names = [f"c{n}" for n in range(100)]
    everybody = [
        ("shop", {"n": name}, {"revenue": 1 + n}, at(hour)) for n, name in enumerate(names) for hour in range(4)
    ]
    pod.count_many(everybody, None)
    assert set(tiles_of(any_redis_url).values()) == {"string"}
    before = cells(pod, names, range(16)).tolist()
    pod.count("shop", {"n": "c70"}, {"revenue": BIG}, at(3))
    failures: list[HailWhaleError] = []
    pod.count_many(
        [("shop", {"n": name}, {"revenue": BIG, "cost": 1}, at(3)) for name in ("c1", "c70", "c99")],
        lambda error, _: failures.append(error),
    )
    assert [type(error) for error in failures] == [CounterOverflow] * 3
    before[70][3] += BIG * 10**6
    assert cells(pod, names, range(16)).tolist() == before
    assert cells(pod, names, range(4), "cost")[[1, 70, 99]].tolist() == [[0, 0, 0, 10**6]] * 3


def test_overflow_of_one_cell_of_a_packed_tile(pods: Pods, any_redis_url: str) -> None:
    """The whole has room, since another child makes up for it: what was added to it is taken back."""
    pod = pods(any_redis_url, intervals=HOURS)
    names = [f"c{n}" for n in range(100)]
    pod.count_many([("shop", {"n": name}, {"revenue": 1}, at(hour)) for name in names for hour in range(4)], None)
    for name, value in (("c70", BIG), ("c71", -BIG)):
        pod.count("shop", {"n": name}, {"revenue": value}, at(3))
    assert set(tiles_of(any_redis_url).values()) == {"string"}
    before = cells(pod, names, range(4)).tolist()
    for name, value in (("c70", BIG), ("c71", -BIG)):
        with pytest.raises(CounterOverflow):
            pod.count("shop", {"n": name}, {"revenue": value}, at(3))
    assert cells(pod, names, range(4)).tolist() == before
    assert revenue(pod) == 400


def test_overflow_of_a_child_counter_that_found_no_place(pods: Pods, any_redis_url: str) -> None:
    pod = pods(any_redis_url, children=1)
    pod.count(["Product", "1"], None, {"revenue": 1}, None)
    failures: list[HailWhaleError] = []
    pod.count_many(
        [(["Product", f"{n}"], None, {"revenue": BIG}) for n in (2, 3)], lambda error, _: failures.append(error)
    )
    assert failures
    assert all(isinstance(error, CounterOverflow) for error in failures)
    totals = {
        str(pk): pod.query(pk, metrics="revenue", period="2d").totals.cells[0].value
        for pk in ("Product", "Product/1", "Product/(other)")
    }
    assert totals == {"Product": 1 + BIG, "Product/1": 1, "Product/(other)": BIG}


# --- retention


def test_every_tile_expires_when_its_last_bucket_does(pods: Pods, any_redis_url: str) -> None:
    """Also those that were packed, those undone after an overflow, and those of rows behind the first."""
    pod = pods(any_redis_url, intervals=HOURS)
    now = datetime.now(UTC)

    def left(url: str) -> set[int]:
        return {
            round(ttl / 3600 - ((FIRST_HOUR + SPAN) * 3600 + 90 * 86_400 - now.timestamp()) / 3600)
            for ttl in expiries(url)
        }

    pod.count("shop", None, {"revenue": 1}, at(0))
    assert left(any_redis_url) == {0}
    pod.count("shop", {"n": "a"}, {"revenue": 1, "cost": BIG}, at(15))
    with pytest.raises(CounterOverflow):
        pod.count("shop", {"n": "b"}, {"cost": BIG}, at(15))
    everywhere = [("shop", {"n": f"c{n}"}, {"revenue": 1}, at(hour)) for n in range(150) for hour in range(16)]
    pod.count_many(everywhere, None, 70)
    assert "string" in tiles_of(any_redis_url).values()
    assert left(any_redis_url) == {0}


def test_what_is_kept_for_ever_never_expires(pods: Pods, any_redis_url: str) -> None:
    pod = pods(any_redis_url, intervals={"1mo": None})
    pod.count_many([("shop", {"n": f"c{n}"}, {"revenue": 1}) for n in range(150)], None, 7)
    assert expiries(any_redis_url) == {-1}


def test_spans_are_forgotten_when_they_have_expired(pods: Pods, any_redis_url: str, clock: Any) -> None:
    pod = pods(any_redis_url, intervals={"1h": "2d"})
    for day in range(6):
        clock.set(NOW + timedelta(days=day))
        pod.count("shop", None, None, None)
    with looking(any_redis_url) as client:
        spans = client.zrange("hw:{shop}spans", 0, -1, withscores=True)
    assert all(score > clock() for _, score in spans)
    assert 1 <= len(spans) <= 4


# --- large tables


@pytest.mark.parametrize("size", [HEAD_ROWS - 3, HEAD_ROWS, HEAD_ROWS + PAGE_ROWS - 2, HEAD_ROWS + PAGE_ROWS + 50])
def test_tables_of_several_pages(pods: Pods, redis_url: str, size: int) -> None:
    pod = pods(redis_url, intervals={"1d": "5y", "1mo": None})
    names = [f"c{n}" for n in range(size)]
    days = [NOW - timedelta(days=day) for day in (0, 1, 25)]
    pod.count_many(
        [("shop", {"n": name}, {"revenue": n + 1}, day.timestamp()) for n, name in enumerate(names) for day in days],
        None,
    )
    answer = pod.query("shop", dimension="n", metrics=["revenue", "revenue/hits"], period="mtd", limit=None)
    assert [(row.name, row.cells[0].value) for row in answer.rows] == [
        (f"c{n}", 2.0 * (n + 1)) for n in range(size - 1, -1, -1)
    ]
    assert answer.totals.cells[0].value == size * (size + 1)
    page = pod.query("shop", dimension="n", metrics="revenue", period="30d", offset=size - 2, limit=5, plotted=True)
    assert [(row.name, sum(row.cells[0].points or [])) for row in page.rows] == [("c1", 6), ("c0", 3)]
    assert [row.cells[0].points[-2:] for row in page.rows] == [[2, 2], [1, 1]]


def test_a_sparse_table_takes_no_pages_it_did_not_touch(pods: Pods, redis_url: str) -> None:
    pod = pods(redis_url, intervals={"1d": "5y"})
    pod.count_many([("shop", {"n": f"c{n}"}, {"hits": 1}) for n in range(3000)], None)
    with looking(redis_url) as client:
        client.delete(*client.keys("*tile:*"))
    pod.count("shop", {"n": "c2999"}, {"revenue": 5}, None)
    assert set(tiles_of(redis_url).values()) == {"hash"}
    assert len(tiles_of(redis_url)) == 2
    assert pod.query("shop", dimension="n", metrics="revenue", period="today").rows[0].cells[0].value == 5
