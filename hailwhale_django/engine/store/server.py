"""The one place that speaks to Redis or Valkey, standalone or cluster.

A `Server` runs *calls*, plain commands or Lua scripts, in one round trip per node, and turns the client's exceptions
into this project's. It does not retry: an increment whose answer was lost may have happened.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from importlib import resources
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, PipelineCommand, RedisCluster
from redis.retry import Retry

from ..errors import HailWhaleError, InvalidConfiguration, StoreUnavailable
from .conversation import Conversation, abreast, tolerant

T = TypeVar("T")
Client = redis.Redis | RedisCluster

# A page can wait for a local network, not for a machine that is gone.
CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 10.0

CLUSTER_SCHEME = "redis+cluster"
NO_RETRY = Retry(NoBackoff(), 0)


# The second is not of the first one's family.
UNANSWERED = (redis.RedisError, redis.exceptions.RedisClusterException)

# A node answers so before it does anything: it is safe to ask again.
REDIRECTED = (redis.exceptions.MovedError, redis.exceptions.AskError, redis.exceptions.TryAgainError)

# After these nobody knows what was done.
LOST = (redis.ConnectionError, redis.TimeoutError)


class Script(NamedTuple):
    """A Lua file of this package, known to the server by its hash."""

    source: str
    sha: str


def load_script(name: str) -> Script:
    source = resources.files(__package__).joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")
    return Script(source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


class Call(NamedTuple):
    """A command, or a script with its keys. All keys of one call lie in one slot."""

    what: str | Script
    keys: Sequence[str | bytes]
    arguments: Sequence[str | int | bytes] = ()

    def command(self, *, with_source: bool = False) -> tuple[Any, ...]:
        if isinstance(self.what, str):
            return (self.what, *self.keys, *self.arguments)
        verb, body = ("EVAL", self.what.source) if with_source else ("EVALSHA", self.what.sha)
        return (verb, body, len(self.keys), *self.keys, *self.arguments)


class Server:
    """A connected client. Cheap to hold, safe to share between threads."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def call(self, what: str | Script, keys: Sequence[str | bytes], arguments: Sequence[str | int | bytes] = ()) -> Any:
        return self.run([Call(what, keys, arguments)])[0]

    def run(self, calls: Sequence[Call]) -> list[Any]:
        """The reply of each call. Raises `StoreUnavailable` when any of them could not be carried out."""
        try:
            replies = self._send(calls)
            unknown = [at for at, reply in enumerate(replies) if isinstance(reply, redis.exceptions.NoScriptError)]
            if unknown:  # a server that was restarted, or a node that has not seen the script yet
                again = self._send([calls[at] for at in unknown], with_source=True)
                for at, reply in zip(unknown, again, strict=True):
                    replies[at] = reply
        except UNANSWERED as error:
            raise StoreUnavailable(f"the store did not answer: {error}") from error
        for reply in replies:
            if isinstance(reply, Exception):
                raise StoreUnavailable(f"the store refused a command: {reply}") from reply
        return replies

    def hold(self, conversation: Conversation[T]) -> T:
        """What a conversation comes to; a round trip for each of its steps."""
        replies: Any = None
        while True:
            try:
                calls = conversation.send(replies)
            except StopIteration as end:
                found: T = end.value
                return found
            replies = self.run(calls)

    def hold_all(self, conversations: Iterable[Conversation[T]]) -> list[T | HailWhaleError]:
        """What each of them comes to, be it an error, in as many round trips as the longest takes alone.

        Raises `StoreUnavailable`, which ends all.
        """
        return self.hold(abreast([tolerant(conversation) for conversation in conversations]))

    def _send(self, calls: Sequence[Call], *, with_source: bool = False) -> list[Any]:
        commands = [call.command(with_source=with_source) for call in calls]
        if len(commands) < 2:
            return [self._execute(command) for command in commands]
        if isinstance(self.client, RedisCluster):
            return self._send_to_nodes(self.client, [call.keys[0] for call in calls], commands)
        pipeline: Any = self.client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        return list(pipeline.execute(raise_on_error=False))

    def _execute(self, command: tuple[Any, ...]) -> Any:
        client: Any = self.client
        try:
            return client.execute_command(*command)
        except redis.ResponseError as error:
            return error

    def _send_to_nodes(
        self, client: Any, keys: Sequence[str | bytes], commands: Sequence[tuple[Any, ...]]
    ) -> list[Any]:
        """All commands at once, each to the node of its key.

        A pipeline by itself would ask the server for the keys of every script, and would send again what a node may
        have carried out before it was lost.
        """
        nodes = [client.get_node_from_key(key) for key in keys]
        queued: Any = PipelineCommand
        stack = [
            queued(command, {"target_nodes": node}, at)
            for at, (node, command) in enumerate(zip(nodes, commands, strict=True))
        ]
        pipeline = client.pipeline(transaction=False)
        replies = list(pipeline.send_cluster_commands(stack, raise_on_error=False, allow_redirections=False))
        for at, reply in enumerate(replies):
            if isinstance(reply, LOST):
                client.nodes_manager.initialize()  # who else has these slots is asked before the next call
                raise reply
            if isinstance(reply, REDIRECTED):
                replies[at] = self._execute(commands[at])
        return replies

    def identity(self) -> str:
        """What the primaries are: another text after a restart or a fail-over, also one that is not known here yet."""
        primaries = {"target_nodes": RedisCluster.PRIMARIES} if isinstance(self.client, RedisCluster) else {}
        client: Any = self.client
        try:
            found = client.execute_command("INFO", **primaries)
        except UNANSWERED as error:
            raise StoreUnavailable(f"the store did not answer: {error}") from error
        of_each = [found] if "run_id" in found else found.values()
        return " ".join(sorted(str(one["run_id"]) for one in of_each))

    def close(self) -> None:
        self.client.close()


def connect(url: str) -> Server:
    """A server at `redis://`, `rediss://`, `unix://` or `redis+cluster://host:port,host:port`.

    The query string takes the client's options (`?socket_timeout=5`). Nothing is sent before the first call.
    """
    options: dict[str, Any] = {
        "retry": NO_RETRY,
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
    }
    try:
        if url.startswith(f"{CLUSTER_SCHEME}://"):
            return Server(_cluster(url, options))
        return Server(redis.Redis.from_url(url, **options))
    except UNANSWERED as error:
        raise StoreUnavailable(f"no store at {without_password(url)}: {error}") from error
    except (ValueError, TypeError) as error:
        raise InvalidConfiguration(
            f"REDIS: {without_password(url)!r} is not an address; use redis://, rediss://, unix:// or "
            f"{CLUSTER_SCHEME}://host:port,host:port ({error})"
        ) from error


def _cluster(url: str, options: dict[str, Any]) -> RedisCluster:
    authority, _, query = url.removeprefix(f"{CLUSTER_SCHEME}://").partition("?")
    credentials, _, hosts = authority.rstrip("/").rpartition("@")
    node: Any = ClusterNode
    nodes = []
    for host in hosts.split(","):
        parts = urlsplit(f"//{host}")
        if not parts.hostname:
            raise ValueError(f"{host!r} is not host:port")
        nodes.append(node(parts.hostname, parts.port or 6379))
    username, _, password = credentials.partition(":")
    if credentials:
        options |= {"username": unquote(username) or None, "password": unquote(password)}
    options |= {name: float(value) for name, value in parse_qsl(query)}
    return RedisCluster(startup_nodes=nodes, **options)


def without_password(url: str) -> str:
    """The address as it may be shown."""
    scheme, separator, rest = url.partition("://")
    rest = re.sub(r"(?<=password=)[^&]*", "***", rest)
    credentials, _, host = rest.rpartition("@")
    return f"{scheme}{separator}{'***@' if credentials else ''}{host}"
