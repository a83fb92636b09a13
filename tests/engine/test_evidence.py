"""What decisions learn: kept in the step that counts, by day and longer, exactly once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.decide.lessons import taught
from hailwhale_django.engine.decide.terms import Terms
from hailwhale_django.engine.domain.event import Event
from hailwhale_django.engine.domain.lesson import sums_of
from hailwhale_django.engine.domain.line import read_line, write_line
from hailwhale_django.engine.domain.paths import Path
from hailwhale_django.engine.domain.plan import Column
from hailwhale_django.engine.domain.timeline import Interval
from hailwhale_django.engine.errors import InvalidInput
from hailwhale_django.engine.pod import Pod
from hailwhale_django.engine.shapes import total
from hailwhale_django.engine.store import parcel
from hailwhale_django.engine.store.server import Server
from tests.engine.conftest import NOW, Clock, Pods
from tests.engine.test_exactly_once import Fleet, small_steps  # noqa: F401
from tests.engine.test_laws import examples

DAY = Interval.parse("1d")
TODAY = NOW.toordinal()


def decided(
    pod: Pod, option: str, metrics: dict[str, float], known: Any = None, days_ago: float = 0, pk: str = "shop"
) -> Event:
    at = pod.clock() - days_ago * 86_400
    return pod.decider.event(pk, "banner", option, known, metrics, at)


def evidence(
    pod: Pod, option: str, cell: str = "_", interval: str = "1d", bucket: int | None = None
) -> dict[str, float]:
    """All sums of a field that are not 0."""
    kept = Interval.parse(interval)
    column = Column(kept, pod.store.timeline.bucket(kept, pod.clock()) if bucket is None else bucket)
    sums = pod.store.evidences.sums("shop/banner", [column], [option], [cell])
    return {name: value for name in sums.places if (value := float(sums.of(name)[0, 0, 0]))}


def test_sums_of_each_cell(any_pod: Pod) -> None:
    pod = any_pod
    for option, metrics, country in [
        ("a", {"visitors": 1, "revenue": 25}, "US"),
        ("a", {"visitors": 1}, "DE"),
        ("b", {"visitors": 1, "revenue": 0.5}, "US"),
    ]:
        pod.count_event(decided(pod, option, metrics, {"country": country}))
    both = {"n": 2, "=visitors": 2, "#visitors": 2, "*visitors\x1fvisitors": 2}
    sold = {"=revenue": 25, "#revenue": 1, "*revenue\x1frevenue": 625, "*revenue\x1fvisitors": 25}
    assert evidence(pod, "a") == both | sold
    assert evidence(pod, "a", "country/US") == {name: value / 2 for name, value in both.items()} | sold
    assert evidence(pod, "b", "country/US")["*revenue\x1frevenue"] == 0.25
    assert evidence(pod, "b", "country/DE") == {}
    assert evidence(pod, "a", interval="1mo") == evidence(pod, "a", interval="1w") == evidence(pod, "a")
    assert pod.query("shop", metrics="revenue").totals.cells[0].value == 25.5


def test_what_is_learnt_counts_as_ever(pod: Pod) -> None:
    pod.count_event(decided(pod, "a", {"revenue": 25}, {"country": "US"}))
    for pk in ("shop", ["shop", "banner"], ["shop", "banner", "a"]):
        assert pod.query(pk, dimension="country", metrics="revenue").rows[0].cells[0].value == 25


def test_many_at_once_are_as_one_by_one(pod: Pod) -> None:
    events = [decided(pod, "ab"[n % 2], {"visitors": 1, "revenue": n}, {"country": f"c{n % 3}"}) for n in range(50)]
    pod.recorder.record(events, pod.clock())
    assert evidence(pod, "a")["=revenue"] == sum(range(0, 50, 2))
    assert evidence(pod, "b", "country/c1")["*revenue\x1frevenue"] == sum(n * n for n in range(1, 50, 6))


def test_sums_that_come_later_find_a_place(pod: Pod) -> None:
    pod.count_event(decided(pod, "a", {"visitors": 1}, {"country": "US"}))
    pod.count_event(decided(pod, "a", {"cost": 3}, {"country": "DE"}))
    assert evidence(pod, "a", "country/US") == {"n": 1, "=visitors": 1, "#visitors": 1, "*visitors\x1fvisitors": 1}
    assert evidence(pod, "a", "country/DE") == {"n": 1, "=cost": 3, "#cost": 1, "*cost\x1fcost": 9}
    assert evidence(pod, "a")["n"] == 2


def test_a_project_that_keeps_no_days(pods: Pods, redis_url: str) -> None:
    pod = pods(redis_url, intervals={"1m": "2d", "1h": "90d"})
    pod.count_event(decided(pod, "a", {"visitors": 1}))
    assert evidence(pod, "a", interval="1h")["n"] == 1


def test_evidence_expires_as_counts_do(pods: Pods, redis_url: str) -> None:
    pod = pods(redis_url, intervals={"1d": "30d"})
    pod.count_event(decided(pod, "a", {"visitors": 1}))
    key = pod.store.evidences.key("shop/banner", Column(DAY, TODAY))
    midnight = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
    expected = (midnight + timedelta(days=31)).timestamp()
    assert pod.store.server.call("EXPIRETIME", [key]) == expected


def test_a_reset_takes_all_of_it(any_pod: Pod) -> None:
    pod = any_pod
    pod.count_event(decided(pod, "a", {"visitors": 1}, {"country": "US"}))
    pod.reset(["shop", "banner"])
    keys = [pod.store.evidences.key("shop/banner", Column(DAY, TODAY)), pod.store.keys.sums("shop/banner")]
    assert [pod.store.server.call("EXISTS", [key]) for key in keys] == [0, 0]
    pod.count_event(decided(pod, "a", {"clicks": 1}))
    assert evidence(pod, "a") == {"n": 1, "=clicks": 1, "#clicks": 1, "*clicks\x1fclicks": 1}


def test_metrics_and_dimensions_are_reset_as_ever(pod: Pod) -> None:
    pod.count_event(decided(pod, "a", {"visitors": 1}, {"country": "US"}))
    pod.reset(["shop", "banner"], metric="visitors")
    pod.reset(["shop", "banner"], dimension="country")
    assert pod.query(["shop", "banner"], metrics="visitors").totals.cells[0].value == 0


def test_a_bucket_has_a_limit(pod: Pod, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parcel, "MOST_FIELDS", 4)
    for n in range(10):
        pod.count_event(decided(pod, f"o{n % 3}", {"visitors": 1}, {"country": f"c{n}"}))
    assert [evidence(pod, f"o{n}")["n"] for n in range(3)] == [4, 3, 3]
    known = [evidence(pod, f"o{n % 3}", f"country/c{n}") for n in range(10)]
    assert sum(map(bool, known)) < 4 and known[0]


def test_a_line_says_what_is_learnt(pod: Pod) -> None:
    event = decided(pod, "a", {"visitors": 1, "revenue": 0.1}, {"country": "US", "tab\t": "line\n"})
    line = write_line(event)
    assert "\n" not in line and read_line(line.encode()) == event


@pytest.mark.parametrize(
    "lesson",
    [
        "[]",
        "{}",
        '{"cells":[],"sums":{},"more":1}',
        '{"cells":[1],"sums":{}}',
        '{"cells":["_"],"sums":{"n":"x"}}',
        '{"cells":["_"],"sums":{"n":NaN}}',
        '{"cells":["a\\nb"],"sums":{"n":1}}',
        '{"cells":' + str(["_"] * 33).replace("'", '"') + ',"sums":{"n":1}}',
    ],
)
def test_a_line_that_nobody_wrote(lesson: str) -> None:
    with pytest.raises(InvalidInput):
        read_line(f'1795328057.25\t[["shop","b","a"]]\t{{}}\t{{}}\t{lesson}'.encode())


def test_a_lesson_is_of_an_option() -> None:
    with pytest.raises(InvalidInput, match="not that of an option"):
        read_line(b'1795328057.25\t[["shop"]]\t{}\t{}\t{"cells":["_"],"sums":{"n":1}}')


def test_an_event_that_overflows_teaches_once(pod: Pod) -> None:
    """What is refused of it is a dead letter, and the rest counts, as what it teaches does."""
    most = (2**63 - 1) / 10**6 * 0.9
    for _ in range(2):
        pod.acceptor.accept_events([(decided(pod, "a", {"visitors": 1, "revenue": most}), "")])
    while pod.drain.run():
        pass
    assert evidence(pod, "a")["n"] == 2 and evidence(pod, "a")["=visitors"] == 2
    assert pod.query("shop", metrics="visitors").totals.cells[0].value == 2


numbers = st.integers(-20, 20)
lessons = st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.integers(0, 40), numbers, numbers)


@examples(60)
@given(st.lists(st.lists(lessons, max_size=6), max_size=6), st.integers(1, 2), st.randoms(use_true_random=False))
def test_evidence_is_that_of_the_accepted_events(
    connected: Callable[[str], Server],
    clock: Clock,
    valkey_url: str,
    small_steps: None,  # noqa: F811
    batches: list[list[tuple[str, int, int, int, int]]],
    streams: int,
    random: Random,
) -> None:
    fleet = Fleet(connected(valkey_url), clock, streams, {}, random)
    pod = fleet.healthy
    expected: dict[tuple[int, str, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for number, batch in enumerate(batches):
        events = []
        for option, country, days, visitors, revenue in batch:
            metrics = {"visitors": visitors, "revenue": revenue}
            event = decided(pod, option, metrics, {"country": f"c{country}"}, days)
            events.append((event, f"{number}-{len(events)}" if random.random() < 0.3 else ""))
            for cell in ("_", f"country/c{country}"):
                for name, value in sums_of({key: float(one) for key, one in metrics.items()}).items():
                    expected[TODAY - days, option, cell][name] += value
        again = [one for one in events if one[1] and random.random() < 0.5]
        if random.random() < 0.2:
            pod.recorder.record([event for event, _ in events], clock())
            continue
        pod.acceptor.accept_events(events + again)
        for _ in range(random.randrange(4)):
            fleet.drain()
    fleet.finish()
    for (day, option, cell), sums in expected.items():
        assert evidence(pod, option, cell, bucket=day) == {name: value for name, value in sums.items() if value}


def test_cells_that_an_outlook_leaves_out(pod: Pod) -> None:
    terms = Terms()
    event = pod.store.intake.event(["shop", "banner", "a"], {"country": "US"}, {"visitors": 1}, None, pod.clock())
    assert taught(event, pod.store.places, terms.outlook).lesson is not None
    uniform = taught(event, pod.store.places, terms.outlook, uniform=True)
    assert uniform.dimensions[-1] == Path(("assigned", "uniform"))
    assert uniform.lesson is not None and uniform.lesson.cells[-1] == "assigned/uniform"


def test_places_of_sums_are_never_given_twice(pods: Pods, redis_url: str) -> None:
    both: Sequence[Pod] = [pods(redis_url), pods(redis_url)]
    for n in range(20):
        both[n % 2].count_event(decided(both[n % 2], "a", {f"m{n % 5}": 1}))
    places = both[0].store.server.call("HVALS", [both[0].store.keys.sums("shop/banner")])
    assert sorted(map(int, places)) == list(range(len(places)))


def test_ever_new_pairs_of_metrics_fill_what_is_kept_and_break_nothing(any_pod: Pod) -> None:
    for step in range(1, 12):  # more than 2,000 products of two in all
        for start in range(0, 90, 8):
            metrics = {f"m{(start + step * n) % 90}": 1.0 for n in range(8)}
            any_pod.count_event(decided(any_pod, "a", metrics))
    any_pod.count_event(decided(any_pod, "a", {"m0": 2, "m89": 3}))
    learnt = evidence(any_pod, "a")
    assert len(learnt) == parcel.MOST_SUMS
    assert learnt["n"] == 11 * 12 + 1
    counted = total(any_pod, ["shop", "banner"], "m0", None, "today", None, None)
    assert counted == learnt["=m0"] > 2
