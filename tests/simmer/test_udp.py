"""simmer as a statsd server: real sockets, hostile packets."""

from __future__ import annotations

import random
import signal
import socket
import struct
import urllib.request

import pytest

from tests.patience import until
from tests.simmer.kitchen import HOST, Running, running


def ended(cooking: Running) -> dict[str, str]:
    """What is written when it is asked to end: all that was sent before."""
    done = cooking.end(signal.SIGTERM)
    assert done.status == -signal.SIGTERM, done
    return done.human


def test_a_row_a_packet() -> None:
    with running("-u", "0") as cooking:
        cooking.send(b"sum:x\t1", b"min:y\t3", b"min:y\t4", b"sum:x\t2\n", b"min:y\t3\r\n", b"")
        assert ended(cooking) == {"sum:x": "3", "min:y": "3"}


def test_several_rows_a_packet() -> None:
    with running("--udp", f"{HOST}:0") as cooking:
        cooking.send(b"sum:x\t1\nsum:x\t2\n\nuv:y\ta", b"sum:x\t4\nuv:y\tb\n")
        assert ended(cooking) == {"sum:x": "7", "uv:y": "2"}


def test_its_own_output_is_understood() -> None:
    with running("-u", "0") as cooking:
        cooking.send(b"avg:x\t1", b"avg:x\t4")
        once = cooking.end(signal.SIGTERM).out
    with running("-u", "0") as cooking:
        cooking.send(once, b"avg:x\t10")
        assert ended(cooking) == {"avg:x": "5"}


def test_statsd_clients_are_understood() -> None:
    with running("-u", "0") as cooking:
        cooking.send(
            b"shop.visits:1|c\nshop.visits:1|c|@0.1|#country:DE",
            b"shop.rt:320|ms|#country:DE\nshop.rt:80|ms",
            b"shop.open:5|g",
            b"shop.open:-2|g",
            b"shop.users:ada|s\nshop.users:bob|s\nshop.users:ada|s\n",
        )
        assert ended(cooking) == {
            "sum:shop.visits": "11",
            "sum:shop.visits,country=DE": "10",
            "pct50:shop.rt": "80.00001525878906",
            "pct95:shop.rt": "320.00001525878906",
            "pct50:shop.rt,country=DE": "320.00001525878906",
            "pct95:shop.rt,country=DE": "320.00001525878906",
            "last:shop.open": "3",
            "uv:shop.users": "2",
        }


def test_timers_may_be_kept_otherwise() -> None:
    with running("-u", "0", "--timers", "count,avg") as cooking:
        cooking.send(b"rt:1|ms", b"rt:4|ms")
        assert ended(cooking) == {"count:rt": "2", "avg:rt": "2.5"}


def test_flush_and_capacity_are_as_in_a_pipe() -> None:
    with running("-u", "0", "-f", "2", "-c", "2") as cooking:
        cooking.send(b"sum:a\t1", b"sum:a\t2", b"sum:b\t1", b"sum:c\t1", b"sum:d\t1")
        assert [cooking.read_line() for _ in range(2)] == [b"sum:a\t3\t3\n", b"sum:b\t1\t1\n"]
        assert ended(cooking) == {"sum:c": "1", "sum:d": "1"}


def test_bad_packets_are_told_and_counted() -> None:
    with running("-u", "0") as cooking:
        cooking.send(b"hello", b"sum:x\tone", b":1|c", b"hits:1|q", b"\xff\xfe\0", b"sum:x\t1")
        cooking.heard("hits:1(.)q")
        done = cooking.end(signal.SIGTERM)
    assert done.status == 1
    assert done.human == {"sum:x": "1"}
    assert "bad lines: 5 of 6" in done.err


def test_hostile_packets_harm_no_other() -> None:
    rng = random.Random(2)
    hostile = [rng.randbytes(rng.randrange(1, 1500)) for _ in range(300)]
    hostile += [b"uv:x\t%%%" + rng.randbytes(40).hex().encode() for _ in range(100)]
    hostile += [b"a" * 65_000, b"sum:" + b"a" * 65_000 + b"\t1", b":" * 65_000, b"|" * 65_000, b"\n" * 65_000]
    hostile += [b"hits:1|c|#" + b"," * 60_000, b"x:1|c|@" + b"9" * 60_000, b"x:" + b"1:" * 30_000 + b"1|ms"]
    with running("-u", "0", "--stats") as cooking:
        for packet in hostile:
            cooking.send(packet, b"sum:good\t1")
        done = cooking.end(signal.SIGTERM)
    assert done.human["sum:good"] == str(len(hostile))
    assert done.status == 1
    assert "packets dropped: 0" in done.err
    assert len(done.err.splitlines()) < 50


def test_what_came_before_a_signal_counts() -> None:
    with running("-u", "0", "--stats") as cooking:
        assert cooking.udp
        cooking.process.send_signal(signal.SIGSTOP)
        cooking.send(*[b"sum:x\t1"] * 200)
        cooking.process.send_signal(signal.SIGTERM)
        done = cooking.end(signal.SIGCONT)
    assert done.human == {"sum:x": "200"}
    assert "packets: 200\n" in done.err


def test_packets_that_come_too_fast_are_counted() -> None:
    packet = b"sum:x\t1" + b"\n" * 60_000
    with running("-u", "0", "--stats") as cooking:
        assert cooking.udp
        cooking.process.send_signal(signal.SIGSTOP)
        cooking.send(*[packet] * 3000)
        cooking.process.send_signal(signal.SIGTERM)
        done = cooking.end(signal.SIGCONT)
    taken = int(done.human["sum:x"])
    assert 0 < taken < 3000
    assert f"simmer: udp: {3000 - taken:,} packets were dropped: they came too fast\n" in done.err
    assert f"packets dropped: {3000 - taken:,}\n" in done.err
    assert done.status == 1


def test_two_cannot_listen_on_one_port() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((HOST, 0))
        with running("-u", str(taken.getsockname()[1])) as cooking:
            done = cooking.end()
    assert done.status == 1
    assert "cannot listen there: Address already in use" in done.err


def test_ipv6() -> None:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6")
    with (
        running("-u", "[::1]:0", "-h", "[::1]:0") as cooking,
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sent,
    ):
        sent.sendto(b"sum:x\t5", ("::1", cooking.udp))
        url = f"http://[::1]:{cooking.http}/sum:x"

        def is_known() -> bool:
            try:
                with urllib.request.urlopen(url) as answer:
                    return answer.read() == b"5\n"
            except urllib.error.HTTPError as error:
                error.close()
                return False

        assert until(is_known)
        assert ended(cooking) == {"sum:x": "5"}


def test_a_packet_of_a_port_that_is_gone_is_no_error() -> None:
    """An answer of the network that nobody is there (ICMP) belongs to who sends, and we send nothing."""
    with running("-u", "0") as cooking:
        cooking.send(struct.pack("16x"), b"sum:x\t1")
        done = cooking.end(signal.SIGTERM)
    assert done.human == {"sum:x": "1"}
