"""The door to Redis: addresses, scripts that the server has forgotten, and servers that are not there."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

import pytest
import redis
from redis.cluster import RedisCluster

from example_project.ports import free_port
from hailwhale_django.engine.errors import HailWhaleError, InvalidConfiguration, StoreUnavailable
from hailwhale_django.engine.store import server as module
from hailwhale_django.engine.store.server import Call, Server, connect, load_script, without_password
from tests import servers

Connected = Callable[[str], Server]

# --- addresses


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:6379",
        "http://localhost",
        "redis://localhost:port",
        "redis://localhost:99999",
        "redis+cluster://",
        "redis+cluster://:6379",
        "redis+cluster://localhost:port",
        "redis+cluster://localhost:6379?socket_timeout=long",
    ],
)
def test_what_is_no_address_is_refused_with_what_would_be_right(url: str) -> None:
    with pytest.raises(InvalidConfiguration, match="use redis://, rediss://, unix:// or redis\\+cluster://"):
        connect(url)


def test_options_of_the_client_are_in_the_query() -> None:
    with closing(connect("redis://localhost:6380/3?socket_timeout=5")) as server:
        options = server.client.connection_pool.connection_kwargs
        assert (options["port"], options["db"], options["socket_timeout"]) == (6380, 3, 5.0)


def test_a_server_is_not_waited_for_longer_than_a_page_can_wait() -> None:
    with closing(connect("redis://localhost")) as server:
        options = server.client.connection_pool.connection_kwargs
        assert 0 < options["socket_connect_timeout"] <= 5
        assert 0 < options["socket_timeout"] <= 30


class FakeCluster:
    """Remembers how it was called."""

    def __init__(self, **given: Any) -> None:
        self.given = given


@pytest.mark.parametrize(
    ("url", "nodes", "username", "password"),
    [
        ("redis+cluster://one:7000,two", [("one", 7000), ("two", 6379)], None, None),
        ("redis+cluster://one:7000/", [("one", 7000)], None, None),
        ("redis+cluster://:secret@one", [("one", 6379)], None, "secret"),
        ("redis+cluster://whale:secret@one,two", [("one", 6379), ("two", 6379)], "whale", "secret"),
        ("redis+cluster://whale:s%40c%2Fr%3At@one", [("one", 6379)], "whale", "s@c/r:t"),
        ("redis+cluster://[::1]:7000", [("::1", 7000)], None, None),
    ],
)
def test_addresses_of_clusters(
    url: str,
    nodes: list[tuple[str, int]],
    username: str | None,
    password: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "RedisCluster", FakeCluster)
    client: Any = connect(f"{url}?socket_timeout=5").client
    assert [(node.host, node.port) for node in client.given["startup_nodes"]] == nodes
    assert client.given["socket_timeout"] == 5.0
    assert (client.given.get("username"), client.given.get("password")) == (username, password)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://localhost:6379/0", "redis://localhost:6379/0"),
        ("redis://:secret@localhost", "redis://***@localhost"),
        ("redis://whale:secret@localhost/0", "redis://***@localhost/0"),
        ("redis+cluster://whale:secret@one,two", "redis+cluster://***@one,two"),
        ("redis://whale:secret@with@localhost", "redis://***@localhost"),
        ("unix:///run/redis.sock?db=1&password=secret", "unix:///run/redis.sock?db=1&password=***"),
        ("redis://localhost?password=secret&db=1", "redis://localhost?password=***&db=1"),
    ],
)
def test_a_password_is_never_shown(url: str, shown: str) -> None:
    assert without_password(url) == shown
    assert "secret" not in without_password(url)


@pytest.mark.parametrize("url", ["redis://:secret@localhost:port", "redis+cluster://:secret@127.0.0.1:1"])
def test_a_password_is_never_in_an_error(url: str) -> None:
    with pytest.raises(HailWhaleError) as caught:
        connect(url)
    assert "secret" not in str(caught.value)


# --- answers


def test_what_a_node_may_have_done_is_not_sent_again(connected: Connected) -> None:
    """A node hangs until the client has given up, and then does what it was told: once."""
    with servers.nodes() as nodes:
        server = connected(f"{servers.cluster_url(nodes)}?socket_timeout=0.2")
        keys = [f"key {n}" for n in range(12)]
        assert server.run([Call("INCR", [key]) for key in keys]) == [1] * 12
        hung = nodes[1].pid
        assert hung is not None
        os.kill(hung, signal.SIGSTOP)
        try:
            with pytest.raises(StoreUnavailable, match="did not answer"):
                server.run([Call("INCR", [key]) for key in keys])
        finally:
            os.kill(hung, signal.SIGCONT)
        with closing(servers.client(servers.cluster_url(nodes))) as client:
            assert [client.get(key) for key in keys] == [b"2"] * 12


def test_slots_that_moved_are_found(connected: Connected) -> None:
    with servers.nodes() as nodes:
        server = connected(servers.cluster_url(nodes))
        keys = [f"key {n}" for n in range(12)]
        server.run([Call("GET", [key]) for key in keys])
        with closing(servers.client(servers.cluster_url(nodes))) as client:
            slot = client.keyslot(keys[0])
            names = {node.port: client.cluster_myid(node).decode() for node in client.get_primaries()}
            owner = client.get_node_from_key(keys[0]).port
            new_owner = next(port for port in names if port != owner)
            for node in sorted(client.get_primaries(), key=lambda one: one.port != new_owner):
                client.execute_command("CLUSTER SETSLOT", slot, "NODE", names[new_owner], target_nodes=node)
        assert server.run([Call("INCR", [key]) for key in keys]) == [1] * 12
        assert server.run([Call("INCR", [key]) for key in keys]) == [2] * 12


def test_a_cluster_is_asked_for_nothing_else(cluster_url: str, connected: Connected) -> None:
    server = connected(cluster_url)
    calls = [Call(load_script("read"), [f"{{{n}}}x"], [1, 1, 0, 1]) for n in range(20)]
    server.run(calls)
    before = commands(cluster_url)
    server.run(calls)
    spent = {command: count - before.get(command, 0) for command, count in commands(cluster_url).items()}
    assert spent["evalsha"] == 20
    assert not spent.get("command|getkeys")


def commands(url: str) -> dict[str, int]:
    """How often each was called, on all nodes."""
    found: dict[str, int] = {}
    with closing(servers.client(url)) as client:
        assert isinstance(client, RedisCluster)
        for node in client.get_primaries():
            for name, figures in node.redis_connection.info("commandstats").items():
                command = name.removeprefix("cmdstat_")
                found[command] = found.get(command, 0) + figures["calls"]
    return found


def test_calls_are_answered_in_order(any_redis_url: str, connected: Connected) -> None:
    server = connected(any_redis_url)
    assert server.run([]) == []
    replies = server.run([Call("SET", [key], [key]) for key in ("a", "b", "c")])
    assert len(replies) == 3
    assert server.run([Call("GET", [key]) for key in ("c", "a", "b", "d")]) == [b"c", b"a", b"b", None]
    assert server.call("GET", ["a"]) == b"a"


def test_a_script_that_the_server_has_forgotten_is_sent_again(any_redis_url: str, connected: Connected) -> None:
    server = connected(any_redis_url)
    read = load_script("read")
    for calls in ([Call(read, ["{a}x"], [1, 1, 0, 1])], [Call(read, [f"{{{n}}}x"], [1, 1, 0, 1]) for n in range(6)]):
        for _ in range(2):
            with closing(servers.client(any_redis_url)) as client:
                client.script_flush()
            assert server.run(calls) == [[None]] * len(calls) or server.run(calls) == [[]] * len(calls)


def test_counting_goes_on_after_the_scripts_are_flushed(any_redis_url: str, pods: Any) -> None:
    pod = pods(any_redis_url)
    for n in range(3):
        pod.count(["Product", str(n)], {"country": "US"}, {"revenue": 1}, None)
        with closing(servers.client(any_redis_url)) as client:
            client.script_flush()
    assert pod.query("Product", metrics="revenue", period="today").totals.cells[0].value == 3


def test_what_the_server_refuses_is_told(any_redis_url: str, connected: Connected) -> None:
    server = connected(any_redis_url)
    server.call("SET", ["{a}text"], ["x"])
    for calls in ([Call("HGETALL", ["{a}text"])], [Call("GET", ["{a}text"]), Call("HGETALL", ["{a}text"])]):
        with pytest.raises(StoreUnavailable, match="WRONGTYPE"):
            server.run(calls)


def test_a_server_that_is_not_there_is_unavailable(pods: Any, connected: Connected) -> None:
    nobody = f"redis://127.0.0.1:{free_port()}"
    server = connected(nobody)
    for calls in ([Call("GET", ["a"])], [Call("GET", ["a"]), Call("GET", ["b"])]):
        with pytest.raises(StoreUnavailable, match="did not answer"):
            server.run(calls)
    pod = pods(nobody)
    for ask in (lambda: pod.count("shop", None, None, None), lambda: pod.query("shop"), lambda: pod.reset("shop")):
        with pytest.raises(StoreUnavailable):
            ask()


def test_a_cluster_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(StoreUnavailable, match="no store at redis\\+cluster://127.0.0.1"):
        connect(f"redis+cluster://127.0.0.1:{free_port()}")


def test_a_connection_that_was_cut_is_made_again(pods: Any) -> None:
    with servers.running() as valkey:
        pod = pods(valkey.url)
        pod.count("shop", None, None, None)
        with closing(redis.Redis.from_url(valkey.url)) as client:
            client.client_kill_filter(_type="normal", skipme=True)
        with suppress(StoreUnavailable):  # at most once
            assert pod.query("shop", period="today").totals.cells[0].value == 1
        pod.count("shop", None, None, None)
        assert pod.query("shop", period="today").totals.cells[0].value == 2
    with pytest.raises(StoreUnavailable):
        pod.query("shop")


def test_a_server_without_memory_refuses_and_says_so(pods: Any) -> None:
    with servers.running(maxmemory="1mb") as valkey, pytest.raises(StoreUnavailable, match="OOM|maxmemory"):
        pods(valkey.url).count("shop", None, None, None)


def test_every_script_opens_with_its_keys_arguments_returns_and_cost() -> None:
    for name in ("add", "advance", "append", "assign", "bury", "clear", "read", "release", "remove", "unlink"):
        source = load_script(name).source
        assert source.startswith("-- ")
        for word in ("KEYS", "ARGV", "Cost"):
            assert f"\n-- {word}" in source, f"{name}.lua says nothing of {word}"
