"""Sketches in the rollups: merged rightly over any period, in any row, however they came."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from hailwhale_django.engine import marked, unions
from hailwhale_django.engine.domain.answer import Answer
from hailwhale_django.engine.domain.event import Event
from hailwhale_django.engine.domain.paths import Path
from hailwhale_django.engine.domain.plan import Column
from hailwhale_django.engine.domain.sketch import sketch_of
from hailwhale_django.engine.domain.sketchbook import Sketchbook
from hailwhale_django.engine.domain.timeline import Interval
from hailwhale_django.engine.errors import InvalidInput, TooLarge
from hailwhale_django.engine.pod import Pod
from hailwhale_django.engine.simmer.cell import bodies
from hailwhale_django.engine.simmer.envelope import as_text
from hailwhale_django.engine.simmer.heavy import Ranked
from hailwhale_django.engine.simmer.tally import AS_THEY_ARE, Tally
from hailwhale_django.engine.simmer.unique import Unique
from hailwhale_django.engine.store import sketches
from hailwhale_django.engine.store.parcel import appends_of_many
from tests.engine.conftest import NOW, Clock, Pods

DAYS = [(NOW - timedelta(days=day)).timestamp() for day in range(5)]


def nested(levels: int) -> Any:
    found: Any = 1
    for _ in range(levels):
        found = [found]
    return found


def ask(pod: Pod, *metrics: str, **asked: Any) -> Answer:
    return pod.query("shop", **{"dimension": "country", "metrics": list(metrics), "period": "5d"} | asked)


def column(answer: Answer, number: int = 0) -> dict[str, Any]:
    return {row.name: row.cells[number].value for row in answer.rows}


def told(answer: Answer, number: int = 0) -> dict[str, Any]:
    return {row.name: row.cells[number].told for row in answer.rows}


def visit(visitor: str, ms: int, revenue: int, page: str) -> dict[str, Any]:
    sketches = {"uv:visitor": visitor, "mh:visitor": visitor, "pct95:ms": ms, "top2:sum:page": page}
    return {"revenue": revenue} | sketches


@pytest.fixture
def shop(any_pod: Pod) -> Pod:
    """Five days. In US a and b come every day, and each day one guest; in DE it is only ever c; FR has no visitor."""
    for day, at in enumerate(DAYS):
        for visitor, ms, revenue in (("a", 10, 1), ("b", 20, 2), (f"guest {day}", 100 + day, 3)):
            any_pod.count("shop", {"country": "US"}, visit(visitor, ms, revenue, f"/{visitor}:{revenue}"), at)
        any_pod.count("shop", {"country": "DE"}, visit("c", 7, 10, "/c:1"), at)
    any_pod.count("shop", {"country": "FR"}, {"revenue": 1}, DAYS[0])
    return any_pod


def test_a_period_is_the_union_of_its_days_and_never_their_sum(shop: Pod) -> None:
    answer = ask(shop, "uv:visitor", plotted=True)
    assert column(answer) == {"US": 7, "DE": 1, "FR": 0}
    assert answer.totals.cells[0].value == 8
    assert answer.rows[0].cells[0].points == [3, 3, 3, 3, 3]
    assert answer.rows[1].cells[0].points == [1, 1, 1, 1, 1]
    assert column(ask(shop, "uv:visitor", period="today")) == {"US": 3, "DE": 1, "FR": 0}


def test_a_table_is_sorted_by_a_ratio_with_a_sketch_in_it(shop: Pod) -> None:
    answer = ask(shop, "revenue/uv:visitor", "revenue")
    assert [(row.name, row.cells[0].value) for row in answer.rows] == [("DE", 50), ("US", 30 / 7), ("FR", 0)]
    us = answer.rows[1].cells[0]
    assert (us.numerator, us.denominator, us.share) == (30, 7, 7 / 8)
    assert answer.totals.cells[0].value == 81 / 8


def test_one_stored_distribution_tells_every_percentile_and_the_histogram(shop: Pod) -> None:
    # Of US five each of 10 and 20, then 100 to 104. A value is told as the upper edge of its cell of 2^-16.
    answer = ask(shop, "pct50:ms", "pct95:ms", "pct0:ms", "hist5:ms")
    us = next(row for row in answer.rows if row.name == "US")
    edge = 2**-16
    assert [cell.value for cell in us.cells[:3]] == [20 + edge, 104 + edge, 10 + edge]
    assert us.cells[3].told == [(50, 10), (100, 1), (150, 4)]  # six bars of 20 would be too many
    assert shop.metrics_of("shop") == ["hits", "mh:visitor", "pct:ms", "revenue", "top2:sum:page", "uv:visitor"]


def test_what_does_not_add_up_has_no_share(shop: Pod) -> None:
    us = next(row for row in ask(shop, "pct50:ms").rows if row.name == "US")
    assert (us.cells[0].share, us.cells[0].effect) == (None, None)


def test_a_ranking_is_a_list(shop: Pod) -> None:
    answer = ask(shop, "top2:sum:page")
    assert told(answer) == {"DE": [("/c", 5)], "FR": None, "US": [("/b", 10), ("/a", 5)]}
    assert answer.totals.cells[0].told == [("/b", 10), ("/a", 5)]  # /c has 5 as well, and comes behind
    with pytest.raises(InvalidInput, match="tells a list"):
        ask(shop, "hits", order_by="top2:sum:page")


def test_a_signature_is_a_text(shop: Pod) -> None:
    (us,) = (row for row in ask(shop, "mh4:set", "mh:visitor").rows if row.name == "US")
    assert us.cells[0].told is None
    assert len(us.cells[1].told.split(":")) == 64


def test_running_and_latest_values(shop: Pod) -> None:
    answer = ask(shop, "uv:visitor:cumulative", "uv:visitor:last", plotted=True)
    us = next(row for row in answer.rows if row.name == "US")
    assert us.cells[0].points == [3, 4, 5, 6, 7]
    assert us.cells[0].value == 7
    assert us.cells[1].value == 3


def test_a_level_of_nothing_is_not_told_and_comes_last(shop: Pod) -> None:
    for order, names in (("-pct50:ms", ["US", "DE", "FR"]), ("+pct50:ms", ["DE", "US", "FR"])):
        answer = ask(shop, "pct50:ms", order_by=order, versus="previous")
        assert [row.name for row in answer.rows] == names
        cell = answer.rows[-1].cells[0]
        assert (cell.value, cell.difference, cell.important, cell.before, cell.change) == (
            None,
            None,
            False,
            None,
            None,
        )
    assert shop.query("shop", metrics="pct50:ms", period="2020-01-01").totals.cells[0].value is None


def test_a_part_of_the_whole(shop: Pod) -> None:
    assert column(ask(shop, "uv:visitor/uv:visitor@_")) == {"US": 7 / 8, "DE": 1 / 8, "FR": 0}


def test_what_decays_is_told_as_of_the_end(any_pod: Pod, clock: Clock) -> None:
    day = 86_400
    any_pod.count("shop", {"country": "US"}, {"dcy:heat": 8}, NOW.timestamp() - 2 * day)
    any_pod.count("shop", {"country": "US"}, {"dcy:heat": 4}, NOW.timestamp() - day)
    assert column(ask(any_pod, "dcy:heat"))["US"] == pytest.approx(8 / 4 + 4 / 2)


def test_the_latest_value_knows_when_it_was(any_pod: Pod) -> None:
    for day, price in ((1, 5), (0, 7), (3, 9)):
        any_pod.count("shop", {"country": "US"}, {"last:price": price, "first:price": price}, DAYS[day])
    assert [cell.value for cell in ask(any_pod, "last:price", "first:price").rows[0].cells] == [7, 9]


def test_an_event_may_have_several_values_or_none(any_pod: Pod) -> None:
    any_pod.count("shop", {"country": "US"}, {"uv:visitor": ["a", "b", 3], "pct50:ms": (1, 2.5)}, None)
    any_pod.count("shop", {"country": "US"}, {"uv:visitor": None, "top:sum:page": {"/a": 2, "/b:c": 1}}, None)
    row = ask(any_pod, "uv:visitor", "pct100:ms", "top:sum:page", "hits").rows[0]
    assert [cell.value for cell in row.cells] == [3, 2.5 + 2**-16, 0, 2]
    assert row.cells[2].told == [("/a", 2), ("/b:c", 1)]


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ({"pct95:ms": "slow"}, "finite number"),
        ({"pct95:ms": float("nan")}, "finite number"),
        ({"pct101:ms": 1}, "from 0 to 100"),
        ({"top:sum:page": "/pricing"}, "item:value"),
        ({"uv:visitor": {"a": 1}}, "text or a finite number"),
        ({"uv:visitor": True}, "text or a finite number"),
        ({"uv:visitor": ["a"] * 1001}, "at most 1,000"),
        ({"uv:visitor": "a" * 5000}, "4,096 bytes"),
        ({"count:visitor": "a" * 5000}, "4,096 bytes"),
        ({"sum:x": "0" * 50_000}, "20,480 bytes"),
        ({"top:sum:page": "a:" + "0" * 50_000}, "20,480 bytes"),
        ({"uv:visitor": "%%%AAAA"}, "machine value|checksum"),
        ({"pct50:ms": 1, "pct95:ms": 2}, "pct:ms"),
        ({"top:page": "a:1"}, "rank by"),
        (["hits", "uv:visitor"], "needs a value"),  # type: ignore[list-item]
    ],
)
def test_what_is_no_value_of_a_sketch_is_refused_before_anything_is_counted(
    any_pod: Pod, metrics: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        any_pod.count("shop", {"country": "US"}, metrics, None)
    assert any_pod.counters() == []


def test_two_names_of_one_sketch_count_once(any_pod: Pod) -> None:
    any_pod.count("shop", None, {"pct50:ms": 5, "pct95:ms": 5, "hits": 1}, None)
    assert any_pod.query("shop", metrics="hist2:ms").totals.cells[0].told == [(5, 1)]


def test_a_machine_value_counts_as_what_it_was_made_of(any_pod: Pod) -> None:
    sealed = as_text(Unique(), Unique().prepare(["a", "b"]))
    any_pod.count("shop", {"country": "US"}, {"uv:visitor": [sealed, "c", "a"]}, None)
    assert column(ask(any_pod, "uv:visitor")) == {"US": 3}


def test_it_is_told_of_which_rows_a_sketch_is_kept(pods: Pods, redis_url: str) -> None:
    book = Sketchbook.parse({"uv:*": {"dimensions": ["country"], "intervals": ["1d"]}})
    pod = pods(redis_url, sketchbook=book)
    for at in DAYS:
        pod.count("shop", {"country": {"US": "CA"}, "page": "/a"}, {"uv:visitor": "a", "pct50:ms": 1}, at)
    answer = ask(pod, "uv:visitor", "pct50:ms")
    assert (column(answer), answer.warnings) == ({"US": 1}, [])
    assert column(ask(pod, "uv:visitor", dimension="country/US")) == {"CA": 1}
    answer = ask(pod, "uv:visitor", "pct50:ms", dimension="page")
    assert (column(answer), column(answer, 1)) == ({"/a": 0}, {"/a": 1 + 2**-16})
    assert answer.warnings == ["uv:visitor is not kept of page: see the setting SKETCHES"]
    assert answer.totals.cells[0].value == 0
    assert ask(pod, "uv:visitor", dimension=None).totals.cells[0].value == 1
    assert ask(pod, "uv:visitor", period="1h:1d", interval="1h").warnings  # there are no hours of it


def test_a_cell_with_many_parts_is_merged(any_pod: Pod) -> None:
    for number in range(100):
        any_pod.count("shop", {"country": "US"}, {"uv:visitor": f"v{number}"}, None)
    assert column(ask(any_pod, "uv:visitor")) == {"US": 100}
    keys = [key for key in every_key(any_pod) if key.endswith(b":uv:visitor")]
    assert len(keys) == 5  # one for each interval: all rows share it
    for key in keys:
        for cell in any_pod.store.server.call("HVALS", [key.decode()]):
            assert 0 < parts_of(cell) <= 33


def test_a_damaged_cell_is_not_in_the_way_of_others(any_pod: Pod, caplog: pytest.LogCaptureFixture) -> None:
    any_pod.count("shop", {"country": "US"}, {"uv:visitor": "v"}, None)
    (key,) = [key.decode() for key in every_key(any_pod) if b"tile:1d:" in key and key.endswith(b"uv:visitor")]
    first = min(any_pod.store.server.call("HKEYS", [key]))
    framed = b"\1\1\0\0X1234"  # of the right length, with a wrong checksum
    for garbage in (b"\1\5\0", b"nonsense" * 40, framed * 30):
        any_pod.store.server.call("HSET", [key], [first, garbage])
        for number in range(40):
            any_pod.count("shop", {"country": "US"}, {"uv:visitor": f"v{number}"}, None)
    assert "cannot be merged" in caplog.text
    cells = any_pod.store.server.call("HGETALL", [key])
    assert all(parts_of(cell) <= 33 for number, cell in cells.items() if number != first)
    assert any_pod.query("shop", metrics="hits").totals.cells[0].value == 121


def test_more_than_a_process_should_hold_is_refused(any_pod: Pod, monkeypatch: pytest.MonkeyPatch) -> None:
    any_pod.count("shop", {"country": "US"}, {"uv:visitor": [f"v{number}" for number in range(1000)]}, None)
    monkeypatch.setattr(sketches, "MOST_BYTES", 5000)
    with pytest.raises(TooLarge, match="fewer rows"):
        ask(any_pod, "uv:visitor")
    monkeypatch.setattr(unions, "MAX_CELLS", 2)
    with pytest.raises(TooLarge, match="shorter period"):
        ask(any_pod, "uv:visitor")


def every_key(pod: Pod) -> list[bytes]:
    client: Any = pod.store.server.client
    return [key if isinstance(key, bytes) else key.encode() for key in client.scan_iter("*")]


def parts_of(cell: bytes) -> int:
    parts = at = 0
    while at < len(cell):
        at += 8 + int.from_bytes(cell[at + 1 : at + 4], "little")
        parts += 1
    return parts


def test_what_is_reset_is_gone(shop: Pod) -> None:
    shop.reset("shop", metric="pct50:ms")
    assert column(ask(shop, "pct95:ms", "uv:visitor")) == {"US": None, "DE": None, "FR": None}
    shop.reset("shop", dimension=["country", "US"])
    assert column(ask(shop, "uv:visitor")) == {"DE": 1, "FR": 0}
    assert ask(shop, "uv:visitor").totals.cells[0].value == 8
    shop.reset("shop")
    assert every_key(shop) == [] or all(b"{shop}" not in key or key.endswith(b"marks") for key in every_key(shop))


def test_many_at_once_are_as_one_after_the_other(any_pod: Pod) -> None:
    events = [
        {"pk": "shop", "dimensions": {"country": f"C{n % 70}"}, "metrics": {"uv:visitor": f"v{n % 13}", "pct50:ms": n}}
        for n in range(700)
    ]
    assert any_pod.count_many(events, None) == 700
    answer = ask(any_pod, "uv:visitor", "pct100:ms", limit=100)
    # C7 has n = 7, 77, 147, ... 637: 7, 12, 4, 9, 1, 6, 11, 3, 8, 0 of 13.
    assert column(answer)["C7"] == len({n % 13 for n in range(7, 700, 70)})
    assert column(answer, 1)["C69"] == 699 + 2**-16
    assert answer.totals.cells[0].value == 13


def test_damage_is_an_error_that_says_so(any_pod: Pod) -> None:
    any_pod.count("shop", None, {"uv:visitor": "a"}, None)
    (key,) = [key.decode() for key in every_key(any_pod) if b"tile:1d:" in key and key.endswith(b"uv:visitor")]
    for damaged in (b"\1\5\0\0", b"\2" + b"\0" * 11, b"\1\xff\xff\xff" + b"\0" * 20, b"\1\5\0\0\0abcd1234"):
        any_pod.store.server.call("HSET", [key], ["0", damaged])
        any_pod.count("shop", None, {"uv:visitor": "b"}, None)  # others are not in its way
        (cell,) = [int(field) for field in any_pod.store.server.call("HKEYS", [key]) if field != b"0"]
        any_pod.store.server.call("HSET", [key], [cell, damaged])
        with pytest.raises(InvalidInput, match="sketch|machine value"):
            any_pod.query("shop", metrics="uv:visitor", period="today")


@pytest.mark.parametrize(
    "metrics",
    [
        {"uv:visitor": "\ud800"},
        {"top10:sum:page": "\ud800:1"},
        {"top10:uv:page": "a:\ud800"},
        {"fh:page": "\ud800:1"},
        {"mh:visitor": ["a", "\udfff"]},
        {"pct95:ms": 10**400},
        {"pct95:ms": Decimal("sNaN")},
        {"sum:ms": nested(2000)},
    ],
)
def test_what_cannot_be_written_down_is_refused_and_stops_no_drain(pod: Pod, metrics: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        pod.count("shop", None, metrics, None)
    refused: list[Any] = []
    good = {"pk": "shop", "metrics": {"uv:visitor": "a"}}
    events = [good, {"pk": "shop", "metrics": metrics}, good]
    pod.acceptor.accept_many(events, lambda error, event: refused.append(event))
    assert len(refused) == 1
    pod.drain.run()
    assert [cell.value for cell in pod.query("shop", metrics=["hits", "uv:visitor"]).totals.cells] == [2, 1]


MADE_UP = {
    "pct:ms": Tally(AS_THEY_ARE, np.array([1.0]), np.array([2**62])),
    "count:x": 2**62,
    "sum:x": 2**8190 - 1,
    "top:pct:x": Ranked({"a": Tally(AS_THEY_ARE, np.array([1.0]), np.array([2**62]))}),
}
"""States that no values come to, each the largest that is read."""


@pytest.mark.parametrize("metric", MADE_UP)
def test_machine_values_that_come_to_too_much_stop_no_drain(
    any_pod: Pod, metric: str, caplog: pytest.LogCaptureFixture
) -> None:
    sketch = sketch_of(metric)
    assert sketch is not None
    sealed = as_text(sketch.aggregation, MADE_UP[metric])
    with pytest.raises(InvalidInput, match=metric):
        any_pod.count("shop", None, {metric: [sealed, sealed, sealed]}, None)
    event = {"pk": "shop", "dimensions": {"country": "US"}, "metrics": {metric: sealed}}
    assert any_pod.acceptor.accept_many([event] * 5) == any_pod.drain.run() == 5
    for _ in range(40):
        any_pod.count("shop", {"country": "US"}, {metric: sealed}, None)
    assert any_pod.query("shop", metrics="hits").totals.cells[0].value == 45
    assert "cannot be merged" in caplog.text
    # Nothing that could be read was replaced by what cannot be.
    for key in [key for key in every_key(any_pod) if b"tile:" in key and key.endswith(metric.encode())]:
        for cell in any_pod.store.server.call("HVALS", [key.decode()]):
            assert all(sketch.aggregation.load(body) is not None for body in bodies(sketch.aggregation, cell))


def test_items_that_were_no_utf8_are_told_as_text(any_pod: Pod) -> None:
    any_pod.count("shop", {"country": "US"}, {"top:sum:page": ["/caf\udce9:2", "/\u00e9:1"]}, None)
    (row,) = ask(any_pod, "top:sum:page").rows
    assert row.cells[0].told == [("/caf\ufffd", 2), ("/\u00e9", 1)]


@pytest.mark.parametrize("metric", ["top:uv:page", "bot:count:page"])
def test_an_item_that_would_be_cut_short_is_refused(pod: Pod, metric: str) -> None:
    with pytest.raises(InvalidInput, match="colon"):
        pod.count("shop", None, {metric: {"http://a/": "ada"}}, None)
    pod.count("shop", None, {metric: {"/a": ["ada:1", "bob"]}}, None)
    assert [item for item, _ in pod.query("shop", metrics=metric).totals.cells[0].told] == ["/a"]


def test_what_all_rows_get_is_sent_once_for_each_tile(pod: Pod) -> None:
    slot = pod.store.tiles.slot("shop", Column(Interval.parse("1d"), 47_000))
    rows = [0, 1, 64, 65]  # the first two are in one tile, the others in another
    same, other = appends_of_many("uv:visitor", [slot], rows, [0] * 4, [b"a", b"a", b"a", b"b"])
    assert (len(same.cells), same.parts) == (2, [b"a"])
    assert (len(other.cells), other.parts) == (2, [b"a", b"b"])


def test_events_with_many_values_are_counted_in_smaller_steps() -> None:
    def parts(values: int) -> int:
        samples = (("uv:visitor", tuple(f"{n:010}" for n in range(values))),)
        event = Event(Path(("shop",)), (Path(("a",)),), (("hits", 1),), 1.0, samples)
        return len(marked._parts([marked.Item(str(n), event, b"") for n in range(5000)]))

    assert parts(1) == 1
    assert parts(1000) > 1


def test_an_interval_that_a_rule_names_later_is_read_from_then_on(pods: Pods, redis_url: str, clock: Clock) -> None:
    def ruled(**rules: list[str]) -> Pod:
        return pods(redis_url, sketchbook=Sketchbook.parse({f"{name}:*": {"intervals": rules[name]} for name in rules}))

    daily = ruled(uv=["1d"])
    for day in range(60):
        daily.count("shop", {"country": "US"}, {"uv:visitor": f"v{day}"}, (NOW - timedelta(days=day)).timestamp())
    before = ruled()  # this one counts nothing, so it writes nothing down
    assert column(ask(before, "uv:visitor", period="60d")) == {"US": 60}
    clock.set(NOW + timedelta(minutes=1))
    everywhere = ruled()
    everywhere.count("shop", {"country": "US"}, {"uv:visitor": "v60"}, None)
    for pod in (everywhere, ruled()):
        # This November has 21 days so far.
        assert column(ask(pod, "uv:visitor", period="60d")) == {"US": 61}
        assert column(ask(pod, "uv:visitor", period="mtd")) == {"US": 22}
    narrowed = ruled(uv=["1d", "1mo"], pct=["1h"])
    narrowed.count("shop", {"country": "US"}, {"uv:visitor": "v61", "pct:ms": 5}, None)
    assert column(ask(narrowed, "uv:visitor", period="60d")) == {"US": 62}
    # In February, January is one month; of November only days are whole.
    clock.set(NOW + timedelta(days=80))
    narrowed.count("shop", {"country": "US"}, {"uv:visitor": "v62"}, (NOW + timedelta(days=50)).timestamp())
    assert column(ask(ruled(uv=["1d", "1mo"]), "uv:visitor", period="150d")) == {"US": 63}
    said = ask(ruled(uv=["1h"]), "uv:visitor", period="60d").warnings
    assert "some of this period is older than what is kept" in said
