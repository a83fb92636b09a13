"""What a server tells of itself: version, memory, eviction, persistence, replicas. Reading only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import redis
from redis.cluster import RedisCluster

from ..errors import StoreUnavailable
from .server import UNANSWERED, Server


class Vitals(NamedTuple):
    """Of one primary. `limit` is 0 where memory has none; `snapshots` None where the server does not tell.

    `failed` is what could not be written to disk last, "" if all could. `cluster` is its state, "" without a cluster.
    """

    node: str
    product: str
    version: str
    role: str
    used_bytes: int
    limit_bytes: int
    policy: str
    evicted_keys: int
    is_appending: bool
    snapshots: bool | None
    failed: str
    replicas: int
    cluster: str


def vitals(server: Server) -> list[Vitals]:
    """Of each primary, by name. Three round trips to each. Raises `StoreUnavailable`."""
    infos = _ask(server, "INFO")
    saves = _ask_if_allowed(server, "CONFIG GET", "save")
    clusters = _ask_if_allowed(server, "CLUSTER INFO") if isinstance(server.client, RedisCluster) else {}
    return [
        _read(node, info, saves.get(node), str(clusters.get(node, {}).get("cluster_state", "")))
        for node, info in sorted(infos.items())
    ]


def _ask(server: Server, *command: str) -> dict[str, Any]:
    """What each primary answers, by its name; "" is the only one."""
    client: Any = server.client
    try:
        if not isinstance(server.client, RedisCluster):
            return {"": client.execute_command(*command)}
        nodes = client.get_primaries()
        return {node.name: client.execute_command(*command, target_nodes=node) for node in nodes}
    except UNANSWERED as error:
        raise StoreUnavailable(f"the store did not answer: {error}") from error


def _ask_if_allowed(server: Server, *command: str) -> dict[str, Any]:
    """The same; nothing where the server does not say, as those that are rented often do not."""
    try:
        return _ask(server, *command)
    except StoreUnavailable as error:
        if isinstance(error.__cause__, redis.ResponseError):
            return {}
        raise


def _read(node: str, info: Mapping[str, Any], save: Mapping[Any, Any] | None, cluster: str) -> Vitals:
    is_valkey = "valkey_version" in info
    writes = {"aof_last_write_status": "the append-only file", "rdb_last_bgsave_status": "a snapshot"}
    return Vitals(
        node=node,
        product="Valkey" if is_valkey else "Redis",
        version=str(info["valkey_version"] if is_valkey else info.get("redis_version", "")),
        role=str(info.get("role", "")),
        used_bytes=int(info.get("used_memory", 0)),
        limit_bytes=int(info.get("maxmemory", 0)),
        policy=str(info.get("maxmemory_policy", "")),
        evicted_keys=int(info.get("evicted_keys", 0)),
        is_appending=bool(int(info.get("aof_enabled", 0))),
        snapshots=None if save is None else bool({_text(k): _text(v) for k, v in save.items()}.get("save", "")),
        failed=" and ".join(what for field, what in writes.items() if info.get(field, "ok") != "ok"),
        replicas=int(info.get("connected_slaves", 0)),
        cluster=cluster,
    )


def _text(told: Any) -> str:
    return told.decode() if isinstance(told, bytes) else str(told)
