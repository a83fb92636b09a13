"""Packets per second that a server takes over UDP without losing one: simmer, and a statsd server in plain Python."""

from __future__ import annotations

import os
import random
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.effort import Effort
from benchmarks.report import Column, Result, Table, Target
from example_project.ports import HOST

NAMES = 1_000
PACKETS = 20_000  # different ones, sent over and over
LINES_PER_PACKET = 10

FIRST_RATE, STEP, MOST_STEPS = 50_000, 1.25, 14
SECONDS = 1.0
# What the sender must reach of a rate for the trial to say something about it.
REACHED = 0.9
# Of as many trials at one rate, one without loss shows that it can be held; and after one rate that cannot, another is
# tried: the machine has other things to do, too.
TRIALS = 3
FAILURES = 2
PULSE_SECONDS = 0.001

SIMMER = ("-m", "hailwhale_django.simmer", "-u", "0")
PEER = ("-m", "benchmarks.statsd_peer")


Packet = tuple[bytes, Counter[str]]
"""Bytes, and what they add to which name."""


class Contest(NamedTuple):
    """A server, and what it is sent."""

    name: str
    command: Sequence[str]
    form: str
    lines: int

    def packets(self) -> list[Packet]:
        rng = random.Random(1)
        weights = [1 / rank for rank in range(1, NAMES + 1)]
        names = rng.choices([f"shop.page{number}" for number in range(NAMES)], weights, k=PACKETS * self.lines)
        values = rng.choices(range(1, 100), k=len(names))
        rows = list(zip(names, values, strict=True))
        several = [rows[at : at + self.lines] for at in range(0, len(rows), self.lines)]
        return [(self._packet(some), _sums(some)) for some in several]

    def _packet(self, rows: list[tuple[str, int]]) -> bytes:
        return "\n".join(self.form.format(name, value) for name, value in rows).encode()


def _sums(rows: list[tuple[str, int]]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for name, value in rows:
        sums[name] += value
    return sums


STATSD, ROW = "{}:{}|c", "sum:{}\t{}"
ONE, ANOTHER = "simmer, statsd lines", "plain Python, statsd lines"
CONTESTS = [
    Contest(ONE, SIMMER, STATSD, 1),
    Contest("simmer, rows", SIMMER, ROW, 1),
    Contest(ANOTHER, PEER, STATSD, 1),
    Contest(f"{ONE}, {LINES_PER_PACKET} a packet", SIMMER, STATSD, LINES_PER_PACKET),
    Contest(f"simmer, rows, {LINES_PER_PACKET} a packet", SIMMER, ROW, LINES_PER_PACKET),
    Contest(f"{ANOTHER}, {LINES_PER_PACKET} a packet", PEER, STATSD, LINES_PER_PACKET),
]


@dataclass
class Held:
    """What was seen of a server: the highest rate at which nothing was lost, what a packet cost there, and how often in
    a row a rate could not be held, or not be sent.
    """

    rate: float = 0.0
    work: float | None = None
    trials: int = 0
    lost: int = 0
    unsent: int = 0

    @property
    def is_done(self) -> bool:
        return self.lost + self.unsent >= FAILURES


def run(effort: Effort) -> Result:
    """All servers in turn at one rate, then at the next, until they lose packets."""
    found = {contest.name: Held() for contest in CONTESTS}
    seconds, steps = SECONDS * effort.scale, min(MOST_STEPS, effort.rounds)
    packets = {contest.name: contest.packets() for contest in CONTESTS}
    idle = {command: trial(command, [], FIRST_RATE, 0).work for command in (SIMMER, PEER)}
    for step in range(steps):
        for contest in CONTESTS:
            held = found[contest.name]
            if not held.is_done:
                _try(contest, held, packets[contest.name], FIRST_RATE * STEP**step, seconds, idle[contest.command])
    return _result(found)


def _try(contest: Contest, held: Held, packets: list[Packet], rate: float, seconds: float, idle: float) -> None:
    """Up to three trials at one rate."""
    ended: list[Trial] = []
    while len(ended) < TRIALS:
        one = trial(contest.command, packets, rate, seconds)
        ended.append(one)
        if one.lost == 0 and one.rate > held.rate:
            held.rate, held.work = one.rate, max(one.work - idle, 0) / one.packets
        if one.lost == 0 and one.rate > REACHED * rate:
            held.lost = held.unsent = 0
            break
    else:
        held.lost += all(one.lost for one in ended)
        held.unsent += any(not one.lost for one in ended)
    held.trials += len(ended)


class Trial(NamedTuple):
    """How many packets were sent, how fast, how many lines were not counted, and seconds of work of the server."""

    packets: int
    rate: float
    lost: int
    work: float


def trial(command: Sequence[str], packets: list[Packet], rate: float, seconds: float) -> Trial:
    """Send at a rate, then compare what was counted with what was sent."""
    server = subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment(), text=True
    )
    assert server.stdout and server.stderr
    with server.stdout, server.stderr:
        port = re.search(r":(\d+)$", server.stderr.readline())
        assert port, "the server did not start"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.connect((HOST, int(port[1])))
            sent, took = _send(sender, packets, rate, seconds)
        server.terminate()
        counted = {name: int(total) for name, total, _ in (line.split("\t") for line in server.stdout)}
    _, status, used = os.wait4(server.pid, 0)
    server.returncode = os.waitstatus_to_exitcode(status)
    expected = Counter[str]()
    for at, (_, sums) in enumerate(packets):
        times = sent // len(packets) + (at < sent % len(packets))
        for name, value in sums.items():
            expected[f"sum:{name}"] += times * value
    lost = sum(expected.values()) - sum(counted.values())
    assert lost or {name: total for name, total in expected.items() if total} == counted, "it counted something else"
    return Trial(sent, sent / took if took else 0.0, lost, used.ru_utime + used.ru_stime)


def _send(sender: socket.socket, packets: list[Packet], rate: float, seconds: float) -> tuple[int, float]:
    """How many packets were sent, and in how many seconds: as many every millisecond as the rate asks for."""
    wires = [packet for packet, _ in packets]
    send, begin, sent = sender.send, time.perf_counter(), 0
    total = int(rate * seconds)
    while sent < total:
        due = min(total, int((time.perf_counter() - begin) * rate) + 1)
        for at in range(sent, due):
            send(wires[at % len(wires)])
        sent = due
        time.sleep(PULSE_SECONDS)
    return sent, time.perf_counter() - begin


def _environment() -> dict[str, str]:
    roots = [str(Path(__file__).resolve().parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(roots)}


def _result(found: dict[str, Held]) -> Result:
    table = Table(
        f"UDP on loopback, one process, {NAMES:,} names",
        [
            Column("what"),
            Column("packets/s held", ",.0f"),
            Column("lines/s held", ",.0f"),
            Column("us of work/packet", ".2f"),
            Column("trials"),
        ],
        notes=[
            "Held: all was counted, in one of three trials of a second. Where no loss was seen, it is as much as",
            "the sender could send: one process, too.",
        ],
    )
    for contest in CONTESTS:
        held = found[contest.name]
        work = None if held.work is None else held.work * 1e6
        name = contest.name if held.lost else f"{contest.name} (no loss seen)"
        table.rows.append([name, held.rate, held.rate * contest.lines, work, held.trials])
    ours, theirs = found[ONE], found[ANOTHER]
    targets = [Target("packets/s held, times plain Python's", ours.rate / theirs.rate if theirs.rate else 0.0, 1)]
    if ours.work and theirs.work:
        targets.append(Target("work per packet, of plain Python's", ours.work / theirs.work, 1, at_most=True))
    return Result([table], targets)
