"""The hail's log: positions, entries, and what a stream knows of itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale_django.engine.domain.event import Event
from hailwhale_django.engine.domain.paths import Path
from hailwhale_django.engine.pod import Pod
from hailwhale_django.engine.store import log as module
from hailwhale_django.engine.store.log import ENTRY_BYTES, LINES, Log, entry_before, entry_of, position
from tests.engine.conftest import NOW, Pods

milliseconds = st.integers(0, 10**13)
numbers = st.integers(0, 10**9)
places = st.tuples(milliseconds, numbers, st.integers(0, 999_999))


def event(pk: str = "shop", *dimensions: str, at: float = 1.5) -> Event:
    return Event(Path((pk,)), tuple(Path((one,)) for one in dimensions), (("hits", 1_000_000),), at)


# --- positions


@given(places, places)
def test_positions_are_ordered_as_texts(one: tuple[int, int, int], other: tuple[int, int, int]) -> None:
    texts = [position(f"{ms}-{number}", line) for ms, number, line in (one, other)]
    assert (one < other) == (texts[0] < texts[1])
    assert (one == other) == (texts[0] == texts[1])


@given(places)
def test_a_position_tells_its_entry(place: tuple[int, int, int]) -> None:
    entry = f"{place[0]}-{place[1]}"
    assert entry_of(position(entry, place[2])) == entry


def test_the_entry_before_is_the_last_id_that_comes_before() -> None:
    assert entry_before("5-3") == "5-2"
    assert entry_before("5-0") == f"4-{2**64 - 1}"
    assert entry_before("0-0") == "0-0"


# --- entries


def lines_of(log: Log) -> list[int]:
    return [len(entry.lines or ()) for entry in log.read(0, log.state(0).name, "", "", 1000)]


def test_events_share_entries_and_those_with_an_id_stand_alone(any_pod: Pod) -> None:
    log = any_pod.log
    assert log.append([(event(), "")] * (2 * LINES + 1) + [(event(), "a"), (event(), "b"), (event(), "a")], 0.0) == 1
    assert lines_of(log) == [LINES, LINES, 1, 1, 1]


def test_entries_are_small_in_bytes_too(pod: Pod) -> None:
    long = event("shop", *(f"{n:0250d}" for n in range(100)))  # 25,000 bytes and more
    pod.log.append([(long, "")] * 5 + [(event(), "")] * 3, 0.0)
    assert lines_of(pod.log) == [2, 2, 4]
    name = pod.log.state(0).name
    assert all(len(entry.raw) <= ENTRY_BYTES for entry in pod.log.read(0, name, "", "", 10))
    huge = event("shop", *(f"{n:0254d}" for n in range(256)))
    pod.log.append([(event(), ""), (huge, ""), (event(), "")], 0.0)
    assert lines_of(pod.log)[3:] == [1, 1, 1]


def test_entries_are_read_between_two_others(any_pod: Pod) -> None:
    log = any_pod.log
    for n in range(5):
        log.append([(event(at=1.0 + n), "")], 0.0)
    name = log.state(0).name
    found = log.read(0, name, "", "", 10)
    assert [entry.lines[0][:3] for entry in found if entry.lines] == [b"1.0", b"2.0", b"3.0", b"4.0", b"5.0"]
    ids = [entry.id for entry in found]
    assert [entry.id for entry in log.read(0, name, ids[0], ids[3], 10)] == ids[1:4]
    assert [entry.id for entry in log.read(0, name, ids[0], "", 2)] == ids[1:3]
    assert log.read(0, "another", "", "", 10) == []


def test_a_counter_and_its_children_share_a_stream(pods: Pods, redis_url: str) -> None:
    pod = pods(redis_url)
    log = Log(pod.log.server, pod.log.keys, streams=7)
    streams = {log.stream_of(event(f"counter {n}")) for n in range(200)}
    assert streams == set(range(7))
    child = Event(Path(("counter 3", "a", "b")), (), (), 1.5)
    assert log.stream_of(child) == log.stream_of(event("counter 3"))


def test_ids_expire_a_day_after_their_own(pod: Pod) -> None:
    pod.log.append([(event(), "a")], NOW.timestamp())
    day = int(NOW.timestamp()) // 86_400
    assert pod.store.server.client.expiretime(pod.log.keys.hail(0, f"ids:{day}")) == (day + 2) * 86_400
    assert pod.log.append([(event(), "a")], (NOW + timedelta(days=1)).timestamp()) == 1
    assert pod.log.append([(event(), "a")], (NOW + timedelta(days=2)).timestamp()) == 0


# --- how far the drain is


def advanced(log: Log, entry: str, **changed: object) -> str | None:
    given = {"name": log.state(0).name, "holder": "me", "servers": "s", "events": 1, "marks": {}, "forgotten": [],
             "before": ""} | changed  # fmt: skip
    return log.advance(0, entry=entry, **given)  # type: ignore[arg-type]


def test_who_comes_later_with_less_moves_nothing_back(any_pod: Pod) -> None:
    log = any_pod.log
    log.append([(event(), "")], 0.0)
    assert advanced(log, "20-10", marks={"a": "3", "b": "3"}) == ""
    assert advanced(log, "20-9", holder="late", marks={"a": "2", "c": "1"}) == ""
    assert advanced(log, "9-30", holder="late") == ""
    state = log.state(0)
    assert (state.entry, state.holder) == ("20-10", "me")
    assert log.marks(0) == {"a": "3", "b": "3", "c": "1"}


def test_marks_that_moved_meanwhile_are_not_forgotten(any_pod: Pod) -> None:
    log = any_pod.log
    log.append([(event(), "")], 0.0)
    advanced(log, "20-0", marks={"old": "1", "new": "5"})
    advanced(log, "20-1", forgotten=["old", "new", "nobody"], before="3")
    assert log.marks(0) == {"new": "5"}


def test_a_stream_of_another_name_is_left_alone(any_pod: Pod) -> None:
    log = any_pod.log
    log.append([(event(), "")], 0.0)
    assert advanced(log, "20-0", name="another", marks={"a": "1"}) is None
    assert log.state(0).entry == ""
    assert log.marks(0) == {}


def test_what_was_counted_is_kept_for_a_round_and_goes_with_the_next(
    any_pod: Pod, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT_SECONDS", 0)
    log = any_pod.log
    for _ in range(4):
        log.append([(event(), "")], 0.0)
    name = log.state(0).name
    ids = [entry.id for entry in log.read(0, name, "", "", 10)]
    advanced(log, ids[1])
    assert len(log.read(0, name, "", "", 10)) == 4
    advanced(log, ids[2])
    assert [entry.id for entry in log.read(0, name, "", "", 10)] == ids[2:]
    advanced(log, ids[2])
    assert [entry.id for entry in log.read(0, name, "", "", 10)] == ids[3:]


def test_a_long_log_keeps_nothing_that_is_counted(pods: Pods, redis_url: str) -> None:
    pod = pods(redis_url)
    log = Log(pod.log.server, pod.log.keys, limit=6)
    for _ in range(4):
        log.append([(event(), "")], 0.0)
    name = log.state(0).name
    ids = [entry.id for entry in log.read(0, name, "", "", 10)]
    advanced(log, ids[2])
    assert [entry.id for entry in log.read(0, name, "", "", 10)] == ids[3:]
