"""simmer into the hail: rows and statsd lines as events, counted by whoever drains."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Any

import pytest
from django.core.management import call_command

from hailwhale_django import Hail, Whale
from hailwhale_django.engine.errors import HailFull, HailWhaleError, InvalidInput, StoreUnavailable
from hailwhale_django.simmer.complaints import Complaints
from hailwhale_django.simmer.hailing import Hailing, metric_event, metric_name, read_dimensions, row_event
from hailwhale_django.simmer.statsd import Gauges, parse
from hailwhale_django.simmer.stove import StrictlyBad
from tests import servers
from tests.simmer.kitchen import running, simmer, tsv

SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.settings"}


def settings(url: str) -> dict[str, str]:
    return SETTINGS | {"HAILWHALE_REDIS_URL": url}


def total(metric: str, path: Any = None, pk: str = "shop") -> float:
    return Whale.total(pk, metric, path, period="today")


# --- from the outside


def test_rows_are_events(redis_url: str, drain: Callable[[], None]) -> None:
    rows = (
        "sum:revenue\t12.5\n"
        "sum:shop.revenue\t1\t\tcountry=DE&device=phone\n"
        'sum:revenue\t2\tshop\t{"country": {"DE": "BE"}}\n'
        "sum:revenue\t100\tother\n"
    )
    done = simmer("--hail", "shop", "--stats", rows=rows, **settings(redis_url))
    assert done.out == b""
    assert "events accepted: 4\n" in done.err
    drain()
    assert (total("revenue"), total("hits")) == (15.5, 3)
    assert total("revenue", ["country", "DE"]) == 3
    assert total("revenue", ["country", "DE", "BE"]) == 2
    assert total("revenue", ["device", "phone"]) == 1
    assert total("revenue", pk="other") == 100


def test_statsd_lines_are_events(redis_url: str, drain: Callable[[], None]) -> None:
    with running("--hail", "shop", "-u", "0", **settings(redis_url)) as cooking:
        cooking.send(
            b"shop.revenue:12.5|c|#country:DE,device:mobile\nvisits:1|c|@0.1|#country:DE",
            b"sum:revenue\t7\tother\tcountry=FR",
            b"junk",
        )
        cooking.heard("(junk)")
        done = cooking.end(signal.SIGTERM)
    assert done.status == 1
    assert "bad lines: 1 of 4" in done.err
    drain()
    assert total("revenue", ["country", "DE"]) == 12.5
    assert total("revenue", ["device", "mobile"]) == 12.5
    assert (total("visits"), total("hits")) == (10, 11)
    assert total("revenue", ["country", "FR"], pk="other") == 7


def test_sketches_are_counted_as_sketches(redis_url: str, drain: Callable[[], None]) -> None:
    rows = (
        "uv:visitor\tu42\t\tcountry=DE\n"
        "uv:visitor\tu7\t\tcountry=DE\n"
        "uv:visitor\tu42\t\tcountry=FR\n"
        "pct95:ms\t87\n"
        "pct95:ms\t20\n"
        "top3:sum:path\t/a:2\n"
    )
    simmer("--hail", "shop", rows=rows, **settings(redis_url))
    with running("--hail", "shop", "-u", "0", **settings(redis_url)) as cooking:
        cooking.send(b"visitor:u99|s|#country:DE\nms:50|ms")
        cooking.end(signal.SIGTERM)
    drain()
    assert (total("uv:visitor"), total("uv:visitor", ["country", "DE"])) == (3, 3)
    assert (total("pct0:ms"), total("pct50:ms"), total("pct100:ms")) == (20 + 2**-16, 50 + 2**-16, 87 + 2**-16)
    assert total("top3:sum:path") == [("/a", 2)]


def test_bad_rows_are_told_and_the_others_count(redis_url: str, drain: Callable[[], None]) -> None:
    rows = "sum:x\t1\nbad\nsum:x\tmany\nsum:x\t1\tshop\t{country}\nsum:x\t1\tshop\tnothing here\nsum:x\t2\n"
    done = simmer("--hail", "shop", rows=rows, status=1, **settings(redis_url))
    for number, why in {2: "a tab between them", 3: "finite number", 4: "or JSON", 5: "or JSON"}.items():
        assert any(f"line {number}: " in line and why in line for line in done.err.splitlines()), done.err
    assert "bad lines: 4 of 6" in done.err
    drain()
    assert total("x") == 3


def test_what_the_hail_refuses_is_told(redis_url: str, drain: Callable[[], None]) -> None:
    done = simmer("--hail", "shop", rows=tsv("sum:x 1e30", "sum:x 1"), status=1, **settings(redis_url))
    assert "line 1: x: 1e+30 will not do" in done.err
    drain()
    assert total("x") == 1


def test_strict_stops_at_the_first(redis_url: str, drain: Callable[[], None]) -> None:
    simmer("--hail", "shop", "--strict", rows="sum:x\t1\nbad\nsum:x\t2\n", status=1, **settings(redis_url))
    drain()
    assert total("x") == 1


def test_a_server_that_is_away_loses_nothing_of_packets() -> None:
    with servers.running() as server:
        with running("--hail", "shop", "-u", "0", "--stats", **settings(server.url)) as cooking:
            assert cooking.udp
            server.stop()
            cooking.send(b"sum:x\t1", b"sum:x\t2")
            cooking.heard("(the store did not answer)")
            server.start()
            cooking.heard("(the hail takes events again)")
            done = cooking.end(signal.SIGTERM)
        assert done.status == -signal.SIGTERM
        assert "events accepted: 2\n" in done.err
        assert "events lost: 0\n" in done.err


def test_what_the_hail_never_took_is_told() -> None:
    with servers.running() as server, running("--hail", "shop", "-u", "0", **settings(server.url)) as cooking:
        assert cooking.udp
        server.stop()
        cooking.send(b"sum:x\t1")
        cooking.heard("(the store did not answer)")
        done = cooking.end(signal.SIGTERM)
    assert done.status == 1
    assert "hail: 1 events are lost" in done.err


def test_a_hail_that_is_not_there_is_told_before_anything_is_read() -> None:
    done = simmer("--hail", "shop", rows="sum:x\t1\n", status=1, **settings("redis://127.0.0.1:1"))
    assert done.err.startswith("simmer: the store did not answer")
    done = simmer("--hail", "shop", rows="sum:x\t1\n", status=1, **settings("gopher://127.0.0.1:1"))
    assert "--hail needs Django's settings, but HAILWHALE['REDIS']" in done.err


# --- manage.py


def manage(*arguments: str, rows: bytes = b"", url: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-W", "error", "manage.py", "simmer", *arguments, "--settings", "tests.settings"]
    return subprocess.run(command, input=rows, capture_output=True, env=os.environ | {"HAILWHALE_REDIS_URL": url})


def test_the_django_command_uses_its_settings(redis_url: str, drain: Callable[[], None]) -> None:
    done = manage("--hail", "shop", rows=b"sum:x\t5\n", url=redis_url)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    drain()
    assert total("x") == 5
    done = manage("-r", "-c", "10", "-f", "2", rows=b"sum:x\t5\n", url=redis_url)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    with closing(servers.client(redis_url)) as client:
        assert client.get("sum:x") == b"5\t5"


def test_the_django_command_is_simmer(redis_url: str) -> None:
    done = manage(rows=b"sum:x\t1\nbad\n", url=redis_url)
    assert (done.returncode, done.stdout) == (1, b"sum:x\t1\t1\n")
    assert b"bad lines: 1 of 2" in done.stderr
    assert b"--http" in manage("--help", url=redis_url).stdout
    done = manage("-u", "0", "file", url=redis_url)
    assert done.returncode == 2
    assert b"give either files or --udp" in done.stderr


def test_the_django_command_can_be_called(redis_url: str, tmp_path: Any, capfd: pytest.CaptureFixture[str]) -> None:
    rows = tmp_path / "rows"
    rows.write_text("sum:x\t1\nsum:x\t2\n")
    call_command("simmer", str(rows))
    assert capfd.readouterr().out == "sum:x\t3\t3\n"


# --- events


@pytest.mark.parametrize(
    ("line", "event"),
    [
        (b"sum:revenue\t12.5", {"pk": "shop", "dimensions": {}, "metrics": {"revenue": 12.5}}),
        (b"sum:shop.revenue\t12", {"pk": "shop", "dimensions": {}, "metrics": {"revenue": 12}}),
        (b"uv:visitor\tu42\tsite\ta=b", {"pk": "site", "dimensions": {"a": "b"}, "metrics": {"uv:visitor": "u42"}}),
        (b"uv:site.visitor\tu\tsite", {"pk": "site", "dimensions": {}, "metrics": {"uv:visitor": "u"}}),
        (b"top3:sum:path\t/a:1", {"pk": "shop", "dimensions": {}, "metrics": {"top3:sum:path": "/a:1"}}),
        (b"sum:x\t1\t\t\tmore\tcolumns\r", {"pk": "shop", "dimensions": {}, "metrics": {"x": 1}}),
    ],
)
def test_event_of_a_row(line: bytes, event: dict[str, Any]) -> None:
    assert row_event(line, "shop") == event


@pytest.mark.parametrize(
    ("line", "event"),
    [
        (
            b"shop.revenue:12.5|c|#country:DE,device:mobile",
            {"pk": "shop", "dimensions": {"country": "DE", "device": "mobile"}, "metrics": {"revenue": 12.5}},
        ),
        (b"n:3|c|@0.5", {"pk": "shop", "dimensions": {}, "metrics": {"n": 6, "hits": 2.0}}),
        (b"n:1|c|#urgent", {"pk": "shop", "dimensions": {"urgent": "yes"}, "metrics": {"n": 1}}),
        (b"rt:87|ms", {"pk": "shop", "dimensions": {}, "metrics": {"pct95:rt": "87"}}),
        (b"visitor:u42|s", {"pk": "shop", "dimensions": {}, "metrics": {"uv:visitor": "u42"}}),
    ],
)
def test_event_of_a_line_of_statsd(line: bytes, event: dict[str, Any]) -> None:
    assert metric_event(parse(line), "shop", ["pct95"], Gauges(1)) == event


@pytest.mark.parametrize("line", [b"uv:x\t%%%AQR1djEyAIr+gyQAAXox5KQ=", b"zum:x\t1", b"sum:x\tnan"])
def test_rows_that_are_no_events(line: bytes) -> None:
    with pytest.raises(InvalidInput):
        row_event(line, "shop")


@pytest.mark.parametrize(
    ("key", "pk", "name"),
    [
        ("sum:revenue", "shop", "revenue"),
        ("sum:shop.revenue", "shop", "revenue"),
        ("sum:shop.", "shop", "shop."),
        ("sum:a:b", "shop", "a:b"),
        ("sum:shopping.x", "shop", "shopping.x"),
        ("pct95:shop.ms", "shop", "pct95:ms"),
    ],
)
def test_metric_name(key: str, pk: str, name: str) -> None:
    assert metric_name(key, pk) == name


def test_dimensions() -> None:
    assert read_dimensions("") == {}
    assert read_dimensions("a=b&c=&d=%C3%A9+f") == {"a": "b", "c": "", "d": "é f"}
    assert read_dimensions('{"a": {"b": "c"}}') == {"a": {"b": "c"}}
    for text in ("a", "{a}", "{" * 100_000):
        with pytest.raises(InvalidInput):
            read_dimensions(text)


# --- buffering, where a test says what the hail does


class Sky:
    """Takes events while it is open; `failing` is how often it does not."""

    def __init__(self, *failing: Exception) -> None:
        self.failing = list(failing)
        self.taken: list[Any] = []

    def count_many(self, events: Iterable[Any], on_error: Callable[[HailWhaleError, Any], None]) -> int:
        batch = list(events)
        if self.failing:
            raise self.failing.pop(0)
        self.taken += batch
        return len(batch)


def hailing(sky: Sky, **options: Any) -> Hailing:
    return Hailing(sky.count_many, "shop", ["pct95"], Complaints("bad lines"), Complaints("lost"), **options)


def test_a_pipe_waits_while_the_hail_is_full() -> None:
    sky = Sky(HailFull(500, 1), StoreUnavailable("away"))
    stove = hailing(sky)
    stove.add(b"sum:x\t1\n" * 1200)
    assert len(sky.taken) == 1000  # in batches of 500; the rest waits for more
    assert sky.failing == []
    stove.finish()
    assert len({event["id"] for event in sky.taken}) == len(sky.taken) == 1200
    assert stove.statistics() == {"lines": 1200, "bad lines": 0, "events accepted": 1200, "events lost": 0}


def test_a_pipe_loses_nothing_of_more_rows_than_may_wait() -> None:
    sky = Sky(StoreUnavailable("away"))
    stove = hailing(sky)
    stove.add(b"sum:x\t1\n" * 120_000)
    stove.finish()
    assert len(sky.taken) == 120_000


def test_packets_may_end_with_a_line_end() -> None:
    sky = Sky()
    stove = hailing(sky)
    stove.add_packets(b"x:1|c\n\nsum:x\t1\n\r\n")
    stove.finish()
    assert (len(sky.taken), stove.bad.total) == (2, 0)


def test_events_keep_their_time_and_id_when_they_are_sent_again() -> None:
    seen: list[Any] = []

    def count_many(events: Iterable[Any], on_error: Any) -> int:
        seen.append(list(events))
        if len(seen) == 1:
            raise StoreUnavailable("it may have been accepted or not")
        return 1

    stove = Hailing(count_many, "shop", ["pct95"], Complaints("bad"), Complaints("lost"))
    stove.add(b"sum:x\t1\n")
    stove.finish()
    assert seen[0] == seen[1]
    assert seen[0][0]["id"]
    assert seen[0][0]["at"] > 1.7e9


def test_packets_that_find_no_room_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hailwhale_django.simmer.hailing.MOST_WAITING", 5)
    stove = hailing(Sky(*[StoreUnavailable("away")] * 9))
    stove.add_packets(b"x:1|c\n" * 8)
    stove.settle()
    stove.finish()
    assert stove.statistics()["events lost"] == 8
    assert stove.lost.total == 1


def test_strict() -> None:
    sky = Sky()
    stove = hailing(sky, strict=True)
    with pytest.raises(StrictlyBad):
        stove.add(b"sum:x\t1\nbad\nsum:x\t1\n")
    stove.finish()
    assert len(sky.taken) == 1


def test_a_signal_ends_the_waiting() -> None:
    stove = hailing(Sky(*[StoreUnavailable("away")] * 9), stopped=lambda: True)
    stove.add(b"sum:x\t1\n" * 600)
    assert stove.statistics()["events lost"] == 600


def test_the_hail_takes_them(redis_url: str, drain: Callable[[], None]) -> None:
    stove = Hailing(Hail.count_many, "shop", ["pct95"], Complaints("bad"), Complaints("lost"))
    stove.add_packets(b"visits:1|c|#country:DE\n" * 3)
    stove.finish()
    drain()
    assert total("visits", ["country", "DE"]) == 3
