"""What nobody means well with: each gets its stated answer, memory stays bounded, and nothing personal is kept."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from redis import Redis

from hailwhale_django import Hail, Whale, connection
from hailwhale_django.engine.domain.formula import parse as parse_formula
from hailwhale_django.engine.errors import HailWhaleError, InvalidInput
from hailwhale_django.engine.pod import Pod
from hailwhale_django.engine.store.removal import MARKS_SECONDS
from hailwhale_django.ticket import Ticket

pytestmark = pytest.mark.usefixtures("redis_url")

Drain = Callable[[], None]

# For a million: HAILWHALE_CHILDREN=1000000 (half a minute).
CHILDREN = int(os.environ.get("HAILWHALE_CHILDREN", "50000"))
PATHS = 250  # of one event
MOST_CHILDREN = 1_000
CALLS_A_THOUSAND = 6
MEGABYTE = 1_000_000
HUGE = "x" * MEGABYTE


def client() -> Redis:
    found = connection.pod().store.server.client
    assert isinstance(found, Redis)
    return found


def every_key() -> set[str]:
    return {key.decode() for key in client().scan_iter()}


# --- each gets its stated answer


DEEP: Any = "x"
for _ in range(900):
    DEEP = {"a": DEEP}
DEEP_LIST: Any = ["x"]
for _ in range(900):
    DEEP_LIST = [DEEP_LIST]


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({"pk": HUGE}, "pk|dimension"),
        ({"pk": ["shop", HUGE]}, "pk"),
        ({"pk": "shop", "dimensions": {HUGE: "x"}}, "dimension"),
        ({"pk": "shop", "dimensions": {"country": HUGE}}, "dimension"),
        ({"pk": "shop", "dimensions": [["country", "x"]] * 10 + [[HUGE]]}, "dimension"),
        ({"pk": "shop", "dimensions": [[str(n)] for n in range(257)]}, "dimensions"),
        ({"pk": "shop", "dimensions": DEEP}, "dimension"),
        ({"pk": DEEP_LIST}, "pk"),
        ({"pk": "shop", "dimensions": DEEP_LIST}, "dimension"),
        ({"pk": "shop", "metrics": {HUGE: 1}}, "metrics"),
        ({"pk": "shop", "metrics": {str(n): n for n in range(65)}}, "metrics"),
        ({"pk": "shop", "metrics": {"revenue": float("nan")}}, "revenue"),
        ({"pk": "shop", "metrics": {"revenue": float("inf")}}, "revenue"),
        ({"pk": "shop", "metrics": {"revenue": "-Infinity"}}, "revenue"),
        ({"pk": "shop", "metrics": {"revenue": HUGE}}, "revenue"),
        ({"pk": "shop", "metrics": {"revenue": "9" * 100_000}}, "revenue"),
        ({"pk": "shop", "metrics": {"revenue": 10**400}}, "revenue"),
        ({"pk": "shop", "metrics": {"revenue": 1e300}}, "revenue"),
        ({"pk": "shop", "metrics": {"rev\nenue": 1}}, "metrics"),
        ({"pk": "shop", "at": float("nan")}, "at"),
        ({"pk": "shop", "at": float("inf")}, "at"),
        ({"pk": "shop", "at": HUGE}, "at"),
        ({"pk": "shop", "at": 10**400}, "at"),
        ({"pk": "shop", "id": HUGE}, "id"),
        ({"pk": "shop", HUGE: 1}, "event"),
        ({"pk": "shop"} | {f"{n}": n for n in range(1000)}, "event"),
    ],
)
def test_what_will_not_do_is_refused_by_its_field(event: dict[str, Any], field: str, drain: Drain) -> None:
    refused: list[tuple[HailWhaleError, Any]] = []
    assert Hail.count_many([event, {"pk": "good"}], lambda *told: refused.append(told)) == 1
    [(error, told)] = refused
    assert isinstance(error, InvalidInput)
    assert told is event
    assert re.search(field, error.field)
    assert len(str(error)) < 400
    drain()
    assert Whale.counters() == ["good"]


def test_names_may_be_anything_that_is_text(drain: Drain) -> None:
    names = [
        "\x00",
        "\n\r\t",
        "\x7f",
        "{x}",
        "a/b",
        "%2F",
        "\u202e",
        "日本",
        "' OR 1=1 --",
        "<script>",
        "🐋",
        " ",
        "*",
        "[a-z]",
    ]
    for name in names:
        Hail.count(["names", name], {name: {"n": name}}, {"hits": 1})
    drain()
    for name in names:
        assert Whale.total(["names", name], "hits", [name, "n", name]) == 1
    Whale.reset("names")
    assert {key.rpartition("}")[2] for key in every_key() if "names" in key} == {"marks"}


# --- memory stays bounded


def test_a_million_children_take_no_more_than_thousands(redis_url: str, drain: Drain) -> None:
    with override_settings(HAILWHALE={**settings.HAILWHALE, "MAX_CHILDREN": MOST_CHILDREN}):
        used = []
        before = calls()
        for begin in range(0, CHILDREN, CHILDREN // 5):
            events = [
                {"pk": "shop", "dimensions": [["page", f"p{begin + at + n}"] for n in range(PATHS)]}
                for at in range(0, CHILDREN // 5, PATHS)
            ]
            assert Hail.count_many(events) == len(events)
            drain()
            client().delete(*client().scan_iter("hw:hail*"))  # what is kept a minute of the log is not meant here
            used.append(client().info("memory")["used_memory"])
        assert max(used[1:]) < used[0] + MEGABYTE
        assert calls() - before < CALLS_A_THOUSAND * CHILDREN / 1000 + 100
        answer = Whale.query("shop", dimension="page", period="1d:2d")
        assert answer.count == MOST_CHILDREN
        assert answer.other is not None
        assert answer.other.cells[0].value == CHILDREN - MOST_CHILDREN


def calls() -> int:
    return int(client().info("commandstats").get("cmdstat_evalsha", {"calls": 0})["calls"])


# --- a fuzzer finds no error but those of the family

keys = st.sampled_from(["pk", "dimensions", "metrics", "at", "id", "dimension", "metric", "x"])
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.binary(max_size=5),
    st.sampled_from(["_", "", "(other)", "[", '["a"]', "a/b", "nan", "1e999", "\ud800", "hits"]),
)
anything = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(leaves, inner, max_size=4), st.tuples(inner, inner)
    ),
    max_leaves=12,
)
fuzzed = hypothesis_settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@fuzzed
@given(st.lists(st.one_of(anything, st.dictionaries(keys, anything, max_size=6)), max_size=5))
@example([{"pk": "shop", "at": 0.25, "metrics": {"a": -0.0}}])
def test_whatever_is_given_counts_or_is_refused_and_blocks_nothing(given_events: list[Any]) -> None:
    refused: list[Any] = []
    accepted = Hail.count_many(given_events, lambda error, event: refused.append(error))
    assert accepted + len(refused) == len(given_events)
    assert all(isinstance(error, HailWhaleError) and str(error) for error in refused)
    assert Hail.drain() <= accepted
    assert Hail.drain() == 0


@fuzzed
@given(st.one_of(st.text(max_size=60), st.from_regex(r"[-+*/()\w:., \"']{0,40}", fullmatch=True)))
@example("(" * 10_000)
@example("a" * MEGABYTE)
@example("-" * 10_000 + "a")
def test_any_text_is_a_formula_or_refused(text: str) -> None:
    family(lambda: str(parse_formula(text)))


@fuzzed
@given(st.one_of(st.text(max_size=60), st.from_regex(r"[-/:. \w,]{0,40}", fullmatch=True), anything), anything)
@example("9" * 10_000 + "d", None)
@example("1d:1mo", "9" * 5000)
def test_anything_is_a_period_or_refused(given_period: Any, tzoffset: Any) -> None:
    pod: Pod = connection.pod()
    family(lambda: pod.period(given_period, tzoffset))


@fuzzed
@given(st.one_of(st.text(max_size=80), st.binary(max_size=60).map(lambda raw: raw.decode("latin-1"))))
@example("x" * 100_000)
@example("WyJz" + ":" * 5_000)
def test_any_text_is_a_ticket_or_refused(text: str) -> None:
    family(lambda: Ticket.read(text, "pixel", 10))


@fuzzed
@given(st.dictionaries(st.sampled_from(["period", "metrics", "order_by", "filters", "limit", "offset", "depth",
       "versus", "dimension", "interval", "tzoffset"]), anything, max_size=4))  # fmt: skip
def test_anything_is_a_question_or_refused(asked: dict[str, Any]) -> None:
    family(lambda: Whale.query("shop", **asked))


def family(ask: Callable[[], Any]) -> None:
    try:
        ask()
    except HailWhaleError as error:
        assert str(error)


# --- nothing personal is kept, and what is deleted is gone

ADDRESS = "203.0.113.77"
AGENT = "Mozilla/5.0 (Secret; rv:77.7) Gecko/20100101 Firefox/777.0"
COOKIE = "who-i-am"


def test_no_address_and_no_agent_is_anywhere(drain: Drain) -> None:
    with override_settings(
        HAILWHALE={**settings.HAILWHALE, "CAPTURE": ["language", "referrer", "utm", "bot"], "WRITE_KEYS": ["key"]}
    ):
        browser = Client(REMOTE_ADDR=ADDRESS, headers={"user-agent": AGENT, "x-forwarded-for": ADDRESS})
        browser.cookies["sessionid"] = COOKIE
        hit = {"pk": "shop", "name": "signup", "page": f"https://example.com/?q={COOKIE}"}
        sent = browser.post(
            "/hailwhale/event/?key=key", json.dumps(hit), content_type="text/plain", headers={"host": "testserver"}
        )
        assert sent.status_code == 202, sent.content
        line = f"{ADDRESS} is no number"
        with pytest.raises(InvalidInput):
            Hail.count("shop", None, {"revenue": line})
        for _ in range(2):
            everything = b"".join(key + (client().dump(key) or b"") for key in client().scan_iter())
            raw = everything + repr(client().xrange("hw:hail:{0}log")).encode()
            raw += repr(client().hgetall("hw:hail:{0}dead")).encode()
            for secret in (ADDRESS, AGENT, "Firefox", "777.0", COOKIE):
                assert secret.encode() not in raw
            drain()
        assert Whale.total("shop") == 1


def test_a_counter_that_is_deleted_leaves_only_which_events_it_had(drain: Drain) -> None:
    """So that none of them comes back; within the hour that is gone, too."""
    for _ in range(2):
        Hail.count(["Product", "1", "a"], {"country": {"US": "CA"}}, {"revenue": 2})
    drain()
    Whale.reset("Product")
    left = {key for key in every_key() if "{Product" in key}
    assert left == {f"hw:{{{pk}}}marks" for pk in ("Product", "Product/1", "Product/1/a")}
    assert all(0 < client().ttl(key) <= MARKS_SECONDS for key in left)
    assert Whale.counters() == []
