"""simmer over HTTP: what is known of a key, of Redis and memory together."""

from __future__ import annotations

import http.client
import signal
import socket
from contextlib import closing
from urllib.parse import quote

import pytest

from tests import servers
from tests.patience import until
from tests.simmer.kitchen import HOST, Running, running, simmer, tsv


def ask(port: int, key: str, method: str = "GET") -> tuple[int, str]:
    with closing(http.client.HTTPConnection(HOST, port)) as connection:
        connection.request(method, f"/{quote(key, safe='')}")
        answer = connection.getresponse()
        body = answer.read().decode("utf-8", "surrogateescape")
        assert answer.getheader("Content-Type") == "text/plain; charset=utf-8"
        return answer.status, body


def known(cooking: Running, key: str, human: str) -> bool:
    """Whether it comes to know this of a key."""
    return until(lambda: ask(cooking.http, key) == (200, f"{human}\n"))


def test_the_human_value_of_a_key() -> None:
    with running("-h", "0") as cooking:
        cooking.write(tsv("sum:x 1", "sum:x 2", "top3:sum:pages /a?b:1", "top3:sum:pages /a?b:2", "uv:a/b c é"))
        cooking.write("sum:a/b c?d%é\t5\n")
        assert known(cooking, "sum:a/b c?d%é", "5")
        assert ask(cooking.http, "sum:x") == (200, "3\n")
        assert ask(cooking.http, "top3:sum:pages") == (200, "/a?b:3\n")
        assert ask(cooking.http, "sum:x", "HEAD") == (200, "")
        assert cooking.end().human["sum:x"] == "3"


def test_an_unquoted_key_and_a_query_do_no_harm() -> None:
    with running("-h", "0") as cooking:
        cooking.write("sum:x\t1\n")
        assert known(cooking, "sum:x", "1")
        with closing(http.client.HTTPConnection(HOST, cooking.http)) as connection:
            for path in ("/sum:x", "/sum:x?nocache=1"):
                connection.request("GET", path)
                assert connection.getresponse().read() == b"1\n"


def test_bytes_that_are_no_text() -> None:
    with running("-h", "0") as cooking:
        cooking.write(b"sum:caf\xe9\t1\n")
        with closing(http.client.HTTPConnection(HOST, cooking.http)) as connection:

            def is_known() -> bool:
                connection.request("GET", "/sum:caf%E9")
                return connection.getresponse().read() == b"1\n"

            assert until(is_known)


@pytest.mark.parametrize(
    ("key", "status", "text"),
    [
        ("sum:nothing", 404, "nothing is known of sum:nothing\n"),
        ("favicon.ico", 400, "key: 'favicon.ico' will not do; a key is a recipe, a colon and a name"),
        ("zum:x", 400, "unknown aggregation 'zum'"),
        ("uv99:x", 400, "from 4 to 21"),
        ("sum:" + "x" * 2000, 400, "at most 1,024 characters"),
        ("sum:a\nb", 400, "a key is a recipe"),
        ("", 200, "GET /KEY"),
    ],
)
def test_other_answers(key: str, status: int, text: str) -> None:
    with running("-h", "0") as cooking:
        found = ask(cooking.http, key)
        assert found[0] == status
        assert text in found[1]


def test_only_reading_is_done_here() -> None:
    with running("-h", "0") as cooking:
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            assert ask(cooking.http, "sum:x", method) == (405, "simmer answers GET and HEAD\n")


def test_it_listens_on_this_machine_only() -> None:
    with running("-h", "0", "-u", "0") as cooking:
        assert "http://127.0.0.1:" in cooking.heard("on (http.*)")
        assert "127.0.0.1:" in cooking.heard("on udp (.*)")
    with running("-h", "0", "--host", "0.0.0.0") as cooking:
        assert "http://0.0.0.0:" in cooking.heard("on (http.*)")


def test_redis_and_memory_are_merged(any_redis_url: str) -> None:
    simmer("-r", any_redis_url, rows=tsv("sum:x 1", "uv:y a", "sum:old 9"))
    with running("-h", "0", "-r", any_redis_url) as cooking:
        cooking.write(tsv("sum:x 2", "uv:y b", "uv:y a", "sum:new 5"))
        assert known(cooking, "sum:new", "5")
        assert ask(cooking.http, "sum:x") == (200, "3\n")
        assert ask(cooking.http, "uv:y") == (200, "2\n")
        assert ask(cooking.http, "sum:old") == (200, "9\n")
        assert ask(cooking.http, "sum:none")[0] == 404
        with closing(servers.client(any_redis_url)) as client:
            assert client.get("sum:x") == b"1\t1"  # asking writes nothing
            client.set("sum:foreign", "hello")
        status, text = ask(cooking.http, "sum:foreign")
        assert status == 409
        assert "simmer's values are" in text
        assert cooking.end().status == 0
    with closing(servers.client(any_redis_url)) as client:
        assert client.get("sum:x") == b"3\t3"


def test_a_server_that_is_away_is_told() -> None:
    with servers.running() as server, running("-h", "0", "-r", server.url) as cooking:
        assert ask(cooking.http, "sum:x")[0] == 404
        server.stop()
        status, text = ask(cooking.http, "sum:x")
        assert status == 503
        assert "the store did not answer" in text


def test_who_says_nothing_does_not_keep_others_from_asking_nor_it_from_ending() -> None:
    with running("-h", "0", "-u", "0") as cooking:
        with socket.create_connection((HOST, cooking.http)), socket.create_connection((HOST, cooking.http)) as half:
            half.sendall(b"GET /sum:x HTT")
            cooking.send(b"sum:x\t1")
            assert known(cooking, "sum:x", "1")
            done = cooking.end(signal.SIGTERM)
        assert done.status == -signal.SIGTERM
        assert done.human == {"sum:x": "1"}
