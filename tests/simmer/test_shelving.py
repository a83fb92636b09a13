"""simmer into Redis: real servers, several simmers at once, servers that go away."""

from __future__ import annotations

import random
import signal
import subprocess
from contextlib import ExitStack, closing
from typing import Any

import pytest
from redis import Redis

from hailwhale_django.engine.errors import StoreUnavailable
from hailwhale_django.engine.simmer.pot import Pot
from hailwhale_django.engine.store.server import connect
from hailwhale_django.engine.store.shelf import Found, Shelf, Swap
from hailwhale_django.simmer import shelving
from hailwhale_django.simmer.complaints import Complaints
from hailwhale_django.simmer.shelving import Shelving
from hailwhale_django.simmer.stdout import Stdout
from tests import servers
from tests.patience import until
from tests.simmer.kitchen import COMMAND, environment, running, simmer, tsv

WRITERS = 8
# Their sums need all the bits that a double can name.
EXTREMES = (b"1e308", b"1e-308")


def human(url: str, *keys: str) -> list[str]:
    """The human values that are in Redis."""
    with closing(servers.client(url)) as client:
        values = [client.get(key) for key in keys]
    return [value.decode().split("\t")[1] for value in values if isinstance(value, bytes)]


# --- the layout, and merging


def test_keys_and_values_are_the_ancestors(any_redis_url: str) -> None:
    done = simmer("-r", any_redis_url, rows=tsv("sum:x 1", "sum:x 2", "avg:y 1", "avg:y 4"))
    assert done.out == b""
    printed = simmer(rows=tsv("avg:y 1", "avg:y 4")).out
    with closing(servers.client(any_redis_url)) as client:
        assert servers.count_keys(client) == 2
        assert client.get("sum:x") == b"3\t3"
        assert b"avg:y\t%b\n" % client.get("avg:y") == printed


def test_host_and_port_are_enough(redis_url: str) -> None:
    simmer("-r", redis_url.removeprefix("redis://"), rows="sum:x\t1\n")
    assert human(redis_url, "sum:x") == ["1"]


def test_what_is_there_is_merged(any_redis_url: str) -> None:
    for _ in range(3):
        simmer("-r", any_redis_url, "-f", "2", rows=tsv("sum:x 1", "uv:y a", "sum:x 2", "sum:x 4", "top:sum:z a:1"))
    assert human(any_redis_url, "sum:x", "uv:y", "top:sum:z") == ["21", "1", "a:3"]


def test_bytes_that_are_no_text_are_keys_too(any_redis_url: str) -> None:
    for _ in range(2):
        simmer("-r", any_redis_url, rows=b"sum:caf\xe9\t1\ntop:sum:x\t\xff:1\n")
    with closing(servers.client(any_redis_url)) as client:
        assert client.get(b"sum:caf\xe9") == b"2\t2"
        assert client.get("top:sum:x").endswith(b"\t\xff:2")


def test_a_value_that_expires_still_does(redis_url: str) -> None:
    simmer("-r", redis_url, rows="sum:x\t1\n")
    with closing(servers.client(redis_url)) as client:
        client.expire("sum:x", 1000)
        simmer("-r", redis_url, rows="sum:x\t1\n")
        assert human(redis_url, "sum:x") == ["2"]
        assert 0 < client.ttl("sum:x") <= 1000


@pytest.mark.parametrize("kind", ["list", "text", "number", "other recipe", "ancestor's"])
def test_a_value_that_is_not_its_own_is_left_alone(kind: str, any_redis_url: str) -> None:
    with closing(servers.client(any_redis_url)) as client:
        foreign: dict[str, Any] = {
            "text": b"hello",
            "number": b"5",
            "other recipe": b"%%%AQR1djEyAIr+gyQAAXox5KQ=\t1",
            "ancestor's": b"%%%AQBjb20udHdpdHRlci5hbGdlYmlyZC5EZWNheWVkVmFsdeUBQMVkIdW357VAWQAAAAAAAA==\t8.752",
        }
        if kind == "list":
            client.rpush("sum:x", "a")
        else:
            client.set("sum:x", foreign[kind])
        done = simmer("-r", any_redis_url, rows=tsv("sum:x 1", "sum:y 1", "sum:x 2"), status=1)
        assert done.lines == [b"sum:x\t3\t3"]
        assert "'sum:x' goes to stdout: as its value in Redis is not simmer's own" in done.err
        assert human(any_redis_url, "sum:y") == ["1"]
        assert client.lrange("sum:x", 0, -1) == [b"a"] if kind == "list" else client.get("sum:x") == foreign[kind]


def test_an_aggregate_that_grows_too_large_for_a_value_is_told(redis_url: str) -> None:
    halves = [b"".join(b"fh16:x\tt%d:%s\n" % (number, worth) for number in range(22_000)) for worth in EXTREMES]
    simmer("-r", redis_url, rows=halves[0])
    with closing(servers.client(redis_url)) as client:
        before = client.get("fh16:x")
        done = simmer("-r", redis_url, rows=halves[1] + b"sum:y\t1\n", status=1)
        assert client.get("fh16:x") == before
    assert "'fh16:x' goes to stdout: as with what is in Redis it is too large" in done.err
    assert done.out.startswith(b"fh16:x\t%%%")
    assert human(redis_url, "sum:y") == ["1"]


# --- several at once


def test_concurrent_writers_lose_nothing(any_redis_url: str) -> None:
    rng = random.Random(3)
    batches = [[(f"k{rng.randrange(4)}", rng.randrange(100)) for _ in range(400)] for _ in range(WRITERS)]
    with ExitStack() as stack:
        writers = [
            stack.enter_context(
                subprocess.Popen(
                    [*COMMAND, "-r", any_redis_url, "-f", "3", "--stats"],
                    stdin=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env=environment(),
                )
            )
            for _ in batches
        ]
        for start in range(0, 400, 40):  # in turns, so that none is done before another begins
            for writer, batch in zip(writers, batches, strict=True):
                assert writer.stdin
                for key, value in batch[start : start + 40]:
                    writer.stdin.write(f"sum:{key}\t{value}\nuv:{key}\t{value}\ncount:all\t\n".encode())
                writer.stdin.flush()
        told = [writer.communicate() for writer in writers]
        assert [writer.returncode for writer in writers] == [0] * WRITERS, told
    every = [pair for batch in batches for pair in batch]
    for key in sorted({key for key, _ in every}):
        values = [value for one, value in every if one == key]
        assert human(any_redis_url, f"sum:{key}", f"uv:{key}") == [str(sum(values)), str(len(set(values)))]
    assert human(any_redis_url, "count:all") == [str(len(every))]


def test_a_value_that_was_changed_is_not_replaced(any_redis_url: str) -> None:
    with closing(connect(any_redis_url)) as server:
        shelf = Shelf(server)
        assert shelf.look(["a", "b"]) == [Found("none", None), Found("none", None)]
        assert shelf.swap([Swap("a", None, b"1"), Swap("b", b"", b"1")]) == [True, False]
        assert shelf.swap([Swap("a", None, b"2"), Swap("a", b"0", b"2"), Swap("a", b"1", b"3")]) == [False, False, True]
        assert shelf.look(["a", "b"]) == [Found("string", b"3"), Found("none", None)]
        assert shelf.swap([]) == []


def test_a_list_is_seen_and_not_replaced(redis_url: str) -> None:
    with closing(connect(redis_url)) as server, closing(servers.client(redis_url)) as client:
        client.rpush("a", "x")
        shelf = Shelf(server)
        assert shelf.look(["a"]) == [Found("list", None)]
        assert shelf.swap([Swap("a", None, b"1")]) == [False]


def test_a_signal_in_the_midst_of_a_flood_loses_no_row_that_was_read(any_redis_url: str) -> None:
    with (
        running("-r", any_redis_url, "-f", "100", "--stats") as cooking,
        closing(servers.client(any_redis_url)) as client,
        subprocess.Popen(["yes", "sum:x\t1"], stdout=cooking.process.stdin) as writer,
    ):
        assert until(lambda: client.exists("sum:x"))
        done = cooking.end(signal.SIGTERM)
        writer.kill()
    assert done.status == -signal.SIGTERM
    assert f"simmer: lines: {int(human(any_redis_url, 'sum:x')[0]):,}\n" in done.err


# --- outages


def test_what_cannot_be_written_waits_and_is_merged_later() -> None:
    with servers.running() as server, running("-u", "0", "-r", server.url, "-f", "1") as cooking:
        cooking.send(b"sum:x\t1")
        with closing(Redis.from_url(server.url)) as client:
            assert cooking.heard("(listening on udp)")
            server.stop()
            cooking.send(b"sum:x\t2", b"sum:x\t4", b"sum:y\t1")
            cooking.heard("(the store did not answer)")
            server.start()  # empty: it keeps nothing
            cooking.send(b"sum:x\t8")
            cooking.heard("(Redis answers again)")
            done = cooking.end(signal.SIGTERM)
            assert done.status == -signal.SIGTERM, done
            assert done.out == b""
            assert client.get("sum:y") == b"1\t1"
            assert client.get("sum:x") in (b"14\t14", b"15\t15")  # the first may have been written before


def test_what_is_not_written_in_the_end_goes_to_stdout() -> None:
    with servers.running() as server, running("-r", server.url) as cooking:
        cooking.write(tsv("sum:x 1", "sum:y 2"))
        cooking.write("sum:x\t2\n")
        wait_for_connection(server.url)
        server.stop()
        done = cooking.end()
    assert done.status == 1
    assert done.human == {"sum:x": "3", "sum:y": "2"}
    assert "the store did not answer" in done.err
    assert "'sum:x' goes to stdout: as Redis did not take it" in done.err
    assert "not written where it belongs: 2" in done.err


def wait_for_connection(url: str) -> None:
    """Until simmer has looked whether the server is there."""
    with closing(Redis.from_url(url)) as client:
        assert until(lambda: int(client.info("commandstats").get("cmdstat_evalsha", {}).get("calls", 0)) > 0)


def test_a_server_that_takes_no_writes_is_no_reason_to_lose_or_to_count_twice(redis_url: str) -> None:
    with closing(servers.client(redis_url)) as client:
        simmer("-r", redis_url, rows="sum:x\t1\n")
        client.config_set("maxmemory", "1")
        try:
            done = simmer("-r", redis_url, rows=tsv("sum:x 2", "sum:y 3"), status=1)
        finally:
            client.config_set("maxmemory", "0")
        assert done.human == {"sum:x": "2", "sum:y": "3"}
        assert human(redis_url, "sum:x") == ["1"]


class Deaf:
    """A shelf whose answers to writes are lost; `written` says whether the writes are."""

    def __init__(self, shelf: Shelf, *, written: bool) -> None:
        self.shelf = shelf
        self.written = written
        self.lost = 0

    def look(self, keys: Any) -> Any:
        return self.shelf.look(keys)

    def swap(self, swaps: Any) -> Any:
        if self.lost or not swaps:
            return self.shelf.swap(swaps)
        self.lost += 1
        if self.written:
            self.shelf.swap(swaps)
        raise StoreUnavailable("the line is dead")


@pytest.mark.parametrize("written", [True, False])
def test_an_answer_that_was_lost_counts_once(written: bool, any_redis_url: str) -> None:
    simmer("-r", any_redis_url, rows="sum:x\t1\n")
    with closing(connect(any_redis_url)) as server:
        shelf: Any = Deaf(Shelf(server), written=written)
        shelves = Shelving(shelf, Stdout(Complaints("unwritten")), Complaints("unwritten"))
        for rows in (b"sum:x\t2\nsum:y\t5\n", b"sum:x\t4\n"):
            pot = Pot(shelves.spill, lambda *refused: None)
            pot.add(rows)
            pot.finish()
            shelves.settle()
        shelves.finish()
    assert shelf.lost == 1
    assert human(any_redis_url, "sum:x", "sum:y") == ["7", "5"]


def test_too_many_keys_that_wait_go_to_stdout(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, capfdbinary: Any
) -> None:
    monkeypatch.setattr(shelving, "MOST_WAITING", 4)
    with closing(connect("redis://127.0.0.1:1/0")) as server:
        unwritten = Complaints("unwritten")
        shelves = Shelving(Shelf(server), Stdout(unwritten), unwritten)
        pot = Pot(shelves.spill, lambda *refused: None)
        pot.add(b"".join(b"sum:k%d\t1\n" % number for number in range(5)))
        pot.finish()
        shelves.stdout.settle()
    out, err = capfdbinary.readouterr()
    assert out == b"sum:k0\t1\t1\nsum:k1\t1\t1\n"
    assert b"too many keys wait for Redis" in err
    assert unwritten.total == 2


def test_many_keys_at_once(any_redis_url: str) -> None:
    rows = "".join(f"sum:k{number}\t{number}\n" for number in range(3000))
    for _ in range(2):
        simmer("-r", any_redis_url, rows=rows)
    with closing(servers.client(any_redis_url)) as client:
        assert servers.count_keys(client) == 3000
    assert human(any_redis_url, "sum:k2999", "sum:k1") == ["5998", "2"]


def test_strict_and_bad_lines_are_as_in_a_pipe(redis_url: str) -> None:
    simmer("-r", redis_url, "--strict", rows=b"sum:x\t1\nbad\nsum:x\t2\n", status=1)
    simmer("-r", redis_url, rows=b"sum:x\t1\nbad\nsum:x\t2\n", status=1)
    assert human(redis_url, "sum:x") == ["4"]
