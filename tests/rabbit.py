"""A real RabbitMQ for the tests, from Debian's package: on loopback, in a directory of its own, as a child process."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from amqp import Connection
from amqp.exceptions import AMQPError

from example_project.ports import HOST, free_port, is_free

START_SECONDS = 120.0
POLL_SECONDS = 0.1
INSTALL = "needs rabbitmq-server (Debian: apt-get install rabbitmq-server)"


class RabbitFailed(Exception):
    """The broker did not start; the text has the end of its log."""


def command() -> Path | None:
    """RabbitMQ's own start script; Debian's, which leads to it, wants to be root or another user."""
    found = shutil.which("rabbitmq-server") or "/usr/sbin/rabbitmq-server"
    script = Path(found).resolve().parent / "rabbitmq-server"
    return script if script.exists() else None


@contextmanager
def rabbit() -> Iterator[str]:
    """Runs a broker; gives its address, `amqp://guest:guest@127.0.0.1:port//`."""
    script = command()
    if script is None:
        raise RabbitFailed(INSTALL)
    with tempfile.TemporaryDirectory(prefix="hailwhale-rabbit-") as name:
        directory, port, names_port = Path(name), free_port(), free_port()
        with _names(names_port), _broker(script, directory, port, names_port) as broker:
            _wait(broker, port, directory / "output")
            yield f"amqp://guest:guest@{HOST}:{port}//"


@contextmanager
def _names(port: int) -> Iterator[None]:
    """Erlang's port mapper, our own: the one that a node starts by itself outlives it."""
    with _child(["epmd", "-address", HOST, "-port", str(port)], dict(os.environ), subprocess.DEVNULL):
        deadline = time.monotonic() + START_SECONDS
        while is_free(port):
            if time.monotonic() > deadline:
                raise RabbitFailed(f"epmd does not listen on port {port}")
            time.sleep(POLL_SECONDS)
        yield


@contextmanager
def _broker(script: Path, directory: Path, port: int, names_port: int) -> Iterator[subprocess.Popen[bytes]]:
    (directory / "plugins").write_text("[].\n")
    (directory / "rabbitmq.conf").write_text(f"listeners.tcp.default = {HOST}:{port}\n")
    # A node of the same name on this machine belongs to somebody else's port mapper.
    own = {
        "HOME": str(directory),
        "ERL_EPMD_PORT": str(names_port),
        "ERL_EPMD_ADDRESS": HOST,
        "RABBITMQ_NODENAME": "hailwhale@localhost",
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"),
        "RABBITMQ_LOG_BASE": str(directory / "log"),
        "RABBITMQ_PID_FILE": str(directory / "pid"),
        "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq.conf"),
        "RABBITMQ_CONF_ENV_FILE": str(directory / "none"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "plugins"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(directory / "generated"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
    }
    with (
        (directory / "output").open("wb") as output,
        _child([str(script)], os.environ | own, output) as broker,
    ):
        yield broker


@contextmanager
def _child(words: list[str], environment: dict[str, str], output: object) -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(
        words,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,  # type: ignore[call-overload]
        stderr=subprocess.STDOUT,
        process_group=0,
    )
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _wait(broker: subprocess.Popen[bytes], port: int, output: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers(port):
        if broker.poll() is not None or time.monotonic() > deadline:
            raise RabbitFailed(f"RabbitMQ does not answer on port {port}. It said:\n{output.read_text()[-2000:]}")
        time.sleep(POLL_SECONDS)


def _answers(port: int) -> bool:
    try:
        with Connection(f"{HOST}:{port}", connect_timeout=5):
            return True
    except (OSError, AMQPError):
        return False
