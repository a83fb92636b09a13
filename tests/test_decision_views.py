"""The JSON API of decisions, as the ancestor's README spells it, and as the scripts of pages ask."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.contrib.staticfiles import finders
from django.http import HttpRequest
from django.test import RequestFactory
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from hailwhale_django import Hail, Whale, connection, crediting
from hailwhale_django.choosing import decide
from hailwhale_django.engine.decide.policies.book import POLICIES
from hailwhale_django.offer import Offer
from hailwhale_django.ticket import Ticket
from tests.api import KEY, configured

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"
GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
MAX_SCRIPT_BYTES = 1024

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]


@pytest.fixture(autouse=True)
def keyed(redis_url: str) -> Iterator[None]:
    with configured(BUFFER_SECONDS=3_600.0):
        yield


@pytest.fixture
def reader() -> APIClient:
    user = User.objects.create_user("reader")
    user.user_permissions.set(Permission.objects.filter(codename="view_counter"))
    client = APIClient()
    client.force_login(user)
    return client


@pytest.fixture
def page() -> APIClient:
    """The browser of a visitor."""
    return APIClient(enforce_csrf_checks=True, HTTP_USER_AGENT=FIREFOX)


def get(client: APIClient, name: str, **parameters: Any) -> Any:
    return client.get(f"/hailwhale/{name}", {"key": KEY, **parameters})


def post(client: APIClient, name: str, body: Any, **headers: str) -> Any:
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    kind = headers.pop("kind", "application/json")
    return client.generic("POST", f"/hailwhale/{name}", text, content_type=kind, headers=headers or {})


def keyed_post(client: APIClient, name: str, body: Any) -> Any:
    return post(client, name, body, **{"X-Hailwhale-Key": KEY})


def error_of(response: Any) -> dict[str, Any]:
    error: dict[str, Any] = response.json()["error"]
    assert error["message"]
    return error


def total(metric: str, *path: str, by: str | None = None) -> float:
    return float(Whale.total(list(path), metric, by, period="1d:3d"))


# -- as the README writes it


def test_the_readme(anyone: APIClient) -> None:
    dimensions = '{"country": "US"}'
    pk = "PageVariation"
    for metric in ('{"spent": .50}', '{"earned": 25}'):
        answer = get(anyone, "count_decision", pk=pk, option="b", dimensions=dimensions, metric=metric)
        assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert total("spent", pk, "b", by="country/US") == 0.5
    assert total("earned", pk, by="country/US") == 25
    asked = {"pk": pk, "options": "['a', 'b', 'c']", "dimensions": dimensions, "by_metric": "spent/earned"}
    answer = get(anyone, "decide", **asked)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert answer.json()["option"] in ("a", "b", "c")
    assert list(answer.json()) == ["option"]


def test_by_post(anyone: APIClient) -> None:
    body = {"pk": "shop", "decided": {"banner": "b", "colour": "red"}, "metrics": {"revenue": 2}}
    assert keyed_post(anyone, "count_decision", body).status_code == 200
    assert (total("revenue", "shop", "banner", "b"), total("revenue", "shop", "colour", "red")) == (2, 2)
    body = {"pk": "shop", "decision": "banner", "options": ["a", "b"], "known_data": {"country": "US"}, "seed": 1}
    assert keyed_post(anyone, "decide", body).json()["option"] in ("a", "b")
    body = {"key": KEY, "pk": "shop", "options": {"banner": ["a", "b"], "colour": ["red"]}, "together": True}
    assert post(anyone, "decide", body).json()["option"]["colour"] == "red"


def test_the_whole_choice(reader: APIClient) -> None:
    Whale.count_decision("shop", {"banner": "b"}, {"visitors": 1, "revenue": 25})
    asked = {"pk": "shop", "decision": "banner", "options": ["a", "b"], "choice": True}
    found = post(reader, "decide", asked).json()
    assert found["option"] in ("a", "b") and found["decision"] == "shop/banner" and found["id"]
    assert [one["option"] for one in found["standings"]] == ["a", "b"]
    assert found["standings"][1]["value"] == 25
    asked = {"pk": "shop", "options": {"banner": ["a"], "colour": ["red"]}, "choice": True}
    found = post(reader, "decide", asked).json()
    assert found["option"] == {"banner": "a", "colour": "red"}
    assert found["choices"]["colour"]["standings"][0]["option"] == "red"


def test_what_is_kept_for_a_visitor_is_credited(anyone: APIClient, drain: Callable[[], None]) -> None:
    asked = {"pk": "shop", "decision": "banner", "options": list(map(str, range(50))), "visitor": 7}
    option = keyed_post(anyone, "decide", asked).json()["option"]
    assert {keyed_post(anyone, "decide", asked).json()["option"] for _ in range(3)} == {option}
    earned = {"pk": "shop", "decision": "banner", "visitor": "7", "metrics": {"revenue": 25}, "id": 17}
    for _ in range(2):
        answer = keyed_post(anyone, "count_decision", earned)
        assert (answer.status_code, answer.json()) == (202, {"ok": True})
        drain()
    assert total("revenue", "shop", "banner", option) == total("revenue", "shop") == 25


def test_what_has_an_id_counts_once(anyone: APIClient, drain: Callable[[], None]) -> None:
    for _ in range(2):
        answer = get(anyone, "count_decision", pk="shop", decision="banner", option="a", id="order-1")
        assert answer.status_code == 202
    drain()
    assert total("hits", "shop", "banner", "a") == 1


def test_history_can_be_told(anyone: APIClient) -> None:
    with time_machine.travel("2026-11-21T12:00:00Z", tick=False):
        get(anyone, "count_decision", pk="p", option="a", metric='{"revenue": 1}', at="2026-11-20T10:00:00Z")
        assert Whale.total("p", "revenue", period="yesterday") == 1
        assert get(anyone, "decide", pk="p", options="['a']", at="2026-11-20T11:00:00Z").json() == {"option": "a"}


# -- lists


@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
def test_a_list(kind: str, anyone: APIClient, drain: Callable[[], None]) -> None:
    events: list[Any] = [
        {"pk": "shop", "decision": "banner", "option": "a", "metrics": {"revenue": 5}, "id": "x"},
        {"pk": "shop", "decision": "banner", "option": "a", "metrics": {"revenue": 5}, "id": "x"},
        {"pk": "shop", "decided": {"banner": "b"}, "dimensions": {"country": "US"}},
        {"pk": "shop", "decision": "banner"},
        {"pk": "shop", "decision": "banner", "visitor": "nobody"},
        {"pk": "shop", "decision": "banner", "option": "a", "colour": "red"},
        {"pk": "shop", "decision": "banner", "option": "a", "at": 2e11},
        {"pk": "shop", "decision": [{}], "option": "a"},
        {"pk": "shop", "decided": {str(n): "a" for n in range(21)}},
        {"pk": "shop", "decision": "banner", "option": "a", "metrics": {"revenue": 1}, "id": "x" * 201},
        5,
    ]
    body = json.dumps(events) if "x" not in kind else "\n".join(map(json.dumps, events))
    answer = post(anyone, "count_decisions", body, kind=kind, **{"X-Hailwhale-Key": KEY})
    assert answer.status_code == 202
    found = answer.json()
    assert (found["accepted"], found["refused"]) == (4, 7)
    told = {one["index"]: one["field"] for one in found["errors"]}
    assert told == {
        3: "option", 4: "decision_id", 5: "event", 6: "at", 8: "decided", 9: "id", 10: "event",
    }  # fmt: skip
    drain()
    assert (total("revenue", "shop", "banner", "a"), total("hits", "shop", "banner", "b", by="country/US")) == (5, 1)


def test_nothing_of_a_list_is_accepted(anyone: APIClient) -> None:
    assert keyed_post(anyone, "count_decisions", []).status_code == 400
    assert keyed_post(anyone, "count_decisions", {}).status_code == 400
    assert post(anyone, "count_decisions", []).status_code == 403
    assert keyed_post(anyone, "count_decisions", [{}] * 10_001).status_code == 413
    assert get(anyone, "count_decisions").status_code == 405


# -- who may


def test_a_write_key_is_told_the_option_alone(anyone: APIClient) -> None:
    answer = get(anyone, "decide", pk="p", options="['a']", choice="true")
    assert answer.status_code == 403
    assert "write key" in error_of(answer)["message"]


def test_nobody_else_may(anyone: APIClient) -> None:
    user = User.objects.create_user("nobody")
    anyone.force_login(user)
    for name in ("decide", "count_decision"):
        assert anyone.get(f"/hailwhale/{name}", {"pk": "p", "option": "a"}).status_code == 403
    assert APIClient().get("/hailwhale/decide", {"pk": "p"}).status_code == 403
    assert get(APIClient(), "decide", pk="p", key="wrong").status_code == 403


def test_a_reader_decides_and_does_not_count(reader: APIClient) -> None:
    assert reader.get("/hailwhale/decide", {"pk": "p", "options": "['a']"}).json() == {"option": "a"}
    assert reader.get("/hailwhale/count_decision", {"pk": "p", "option": "a"}).status_code == 403
    crossed = reader.get("/hailwhale/decide", {"pk": "p", "options": "['a']"}, HTTP_SEC_FETCH_SITE="cross-site")
    assert crossed.status_code == 403


@pytest.mark.parametrize("name", ["decide", "count_decision", "count_decisions", "choose", "credit"])
def test_other_sites(name: str, anyone: APIClient) -> None:
    with configured(CORS_ORIGINS=["https://shop.example"]):
        asked = anyone.options(f"/hailwhale/{name}", headers={"origin": "https://shop.example"})
    assert asked.status_code == 204
    assert asked["Access-Control-Allow-Origin"] == "https://shop.example"
    assert anyone.generic("HEAD", f"/hailwhale/{name}").status_code == 405


# -- what will not do


@pytest.mark.parametrize(
    ("name", "given", "field"),
    [
        ("decide", {"pk": "p"}, "options"),
        ("decide", {"options": ["a"]}, "pk"),
        ("decide", {"pk": "p", "options": []}, "options"),
        ("decide", {"pk": "p", "options": "a"}, "options"),
        ("decide", {"pk": "p", "options": ["a", "a"]}, "options"),
        ("decide", {"pk": "p", "options": [""]}, "option"),
        ("decide", {"pk": "p", "options": {"x": []}}, "options"),
        ("decide", {"pk": "p", "options": {"x": 5}}, "options"),
        ("decide", {"pk": "p", "options": {"x": ["a"]}, "decision": "y"}, "options"),
        ("decide", {"pk": "p", "options": ["a"], "formula": "revenue/"}, "formula"),
        ("decide", {"pk": "p", "options": ["a"], "formula": ["revenue"]}, "formula"),
        ("decide", {"pk": "p", "options": ["a"], "formula": "x/y", "by_metric": "x/y"}, "by_metric"),
        ("decide", {"pk": "p", "options": ["a"], "dimensions": 5}, "dimensions"),
        ("decide", {"pk": "p", "options": ["a"], "period": "noon"}, "period"),
        ("decide", {"pk": "p", "options": ["a"], "at": "noon"}, "at"),
        ("decide", {"pk": "p", "options": ["a"], "settings": [1]}, "settings"),
        ("decide", {"pk": "p", "options": ["a"], "settings": {"name": "x"}}, "settings"),
        ("decide", {"pk": "p", "options": ["a"], "hold": "long"}, "hold"),
        ("decide", {"pk": "p", "options": ["a"], "hold": -1}, "hold"),
        ("decide", {"pk": "p", "options": ["a"], "window": True}, "window"),
        ("decide", {"pk": "p", "options": ["a"], "minimize": "perhaps"}, "minimize"),
        ("decide", {"pk": "p", "options": ["a"], "visitor": ["x"]}, "visitor"),
        ("decide", {"pk": "p", "options": ["a"], "visitor": "x" * 1_001}, "visitor"),
        ("decide", {"pk": "p", "options": ["a"], "forced": "z"}, "forced"),
        ("decide", {"pk": "p", "options": ["a"], "policy": 5}, "policy"),
        ("decide", {"pk": "p", "options": ["a"], "decision": {"a": 1}}, "decision"),
        ("decide", {"pk": "p", "options": ["a"], "optoins": 1}, "parameters"),
        ("count_decision", {"pk": "p"}, "option"),
        ("count_decision", {"option": "a"}, "pk"),
        ("count_decision", {"pk": "p", "option": "a", "metrics": {"x": "much"}}, "x"),
        ("count_decision", {"pk": "p", "option": "a", "metrics": 5}, "metrics"),
        ("count_decision", {"pk": "p", "decided": ["a"]}, "decided"),
        ("count_decision", {"pk": "p", "decided": {"x": "a"}, "option": "b"}, "decided"),
        ("count_decision", {"pk": "p", "visitor": "nobody"}, "decision_id"),
        ("count_decision", {"pk": "p", "decision_id": "x"}, "decision_id"),
        ("count_decision", {"pk": "p", "decision_id": "{x}.y"}, "decision_id"),
        ("count_decision", {"pk": "p", "decision_id": 5}, "decision_id"),
        ("count_decision", {"pk": "p", "option": "a", "id": "x" * 201}, "id"),
        ("count_decision", {"pk": "p", "option": "a", "reward": 5}, "parameters"),
    ],
)
def test_what_will_not_do_is_named(name: str, given: Any, field: str, anyone: APIClient) -> None:
    answer = keyed_post(anyone, name, given)
    assert answer.status_code in (400, 413), answer.content
    assert error_of(answer)["field"] == field


def test_too_many_options(anyone: APIClient) -> None:
    many = list(map(str, range(1_001)))
    for options in (many, {"x": many}, {str(n): ["a"] for n in range(1_001)}):
        assert keyed_post(anyone, "decide", {"pk": "p", "options": options}).status_code == 413
    several = {"x": many[:500], "y": many[:500]}
    assert keyed_post(anyone, "decide", {"pk": "p", "options": several, "together": True}).status_code == 413
    assert keyed_post(anyone, "decide", "{" + " " * 1_100_000 + "}").status_code == 413


def test_the_store_is_away(anyone: APIClient) -> None:
    with configured(REDIS="redis://127.0.0.1:1/0"):
        assert keyed_post(anyone, "decide", {"pk": "p", "options": ["a"]}).status_code == 503
        answer = keyed_post(anyone, "count_decision", {"pk": "p", "option": "a"})
        assert (answer.status_code, answer["Retry-After"]) == (503, "1")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
DECIDING = ("pk", "decision", "options", "formula", "dimensions", "period", "at", "settings", "visitor", "hold", "seed")
COUNTING = ("pk", "decided", "decision", "option", "decision_id", "visitor", "dimensions", "metrics", "at", "id")
SAFE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@pytest.mark.parametrize(
    ("name", "names", "good"),
    [
        ("decide", DECIDING, {"pk": "p", "options": ["a"]}),
        ("count_decision", COUNTING, {"pk": "p", "option": "a"}),
    ],
)
@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=SAFE)
@given(data=st.data())
def test_never_a_500(name: str, names: Any, good: Any, data: st.DataObject, anyone: APIClient) -> None:
    body = good | data.draw(st.dictionaries(st.sampled_from(names), ANYTHING, max_size=3))
    assert keyed_post(anyone, name, body).status_code in (200, 202, 400, 409, 413)
    if name == "count_decision":
        assert keyed_post(anyone, "count_decisions", [body]).status_code in (202, 400, 409, 413)


SETTINGS = (5, -1, 0.5, True, "x", "", {}, {"a": 1}, {"a": -1}, {"b": 0}, 1e308, 10**30, 0)


@pytest.mark.parametrize("policy", POLICIES)
def test_settings_of_policies_are_never_a_500(policy: str, anyone: APIClient) -> None:
    for name, value in product(POLICIES[policy].__dataclass_fields__, SETTINGS):
        body = {"pk": "p", "options": ["a", "b"], "policy": policy, "settings": {name: value}}
        assert keyed_post(anyone, "decide", body).status_code in (200, 400), (name, value)


# -- the scripts of pages


OFFER = Offer({"banner": [str(number) for number in range(50)], "colour": ["red"]}, declared=("revenue", "sales"))


def choose(client: APIClient, decision: Any = "banner", offer: Offer = OFFER, query: str = "", **headers: str) -> Any:
    body = {"token": offer.signed(), "decision": decision}
    return post(client, f"choose{query}", body, kind="text/plain;charset=UTF-8", **headers)


def credit(client: APIClient, metrics: Any, decision: Any = "banner", offer: Offer = OFFER, **more: Any) -> Any:
    return post(client, "credit", {"token": offer.signed(), "decision": decision, "metrics": metrics, **more})


def settle() -> None:
    assert crediting.flush()
    Hail.drain()


def asked() -> HttpRequest:
    return RequestFactory().get("/", HTTP_USER_AGENT=FIREFOX)


def test_a_page_is_given_what_its_server_gives(page: APIClient) -> None:
    answer = choose(page)
    assert answer.status_code == 200
    option = answer.json()["option"]
    assert decide(asked(), "banner", OFFER.decisions["banner"]).option == option
    assert choose(page).json() == {"option": option}
    settle()
    assert total("visitors", "decisions", "banner") == total("visitors", "decisions", "banner", option) == 1


def test_what_a_page_knows_goes_along(page: APIClient) -> None:
    offer = Offer({"banner": ["a", "b"]}, "shop", {"plan": "pro"}, "7", (), {"formula": "sales/visitors"})
    headers = {"Accept-Language": "de", "Referer": "https://elsewhere.example/"}
    assert choose(page, offer=offer, **headers).status_code == 200
    kept = connection.pod().store.choices.latest("shop/banner", 1)[0].kept
    assert kept.paths == ("plan", "plan/pro", "language", "language/de")
    assert kept.formula == "sales/visitors"
    Whale.count_decision("shop", decision="banner", visitor="7", metrics={"sales": 1})


def test_a_page_credits_what_it_declared(page: APIClient) -> None:
    option = choose(page).json()["option"]
    for _ in range(2):
        answer = credit(page, {"revenue": 25}, id="order-17")
        assert (answer.status_code, answer.json()) == (202, {"ok": True})
        settle()
    credit(page, {"sales": 1})
    settle()
    assert total("revenue", "decisions", "banner", option) == 25
    assert total("sales", "decisions", "banner") == 1


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"decision": "secret"}, 400, "decision"),
        ({"decision": None}, 400, "decision"),
        ({}, 400, "decision"),
        ({"decision": 5}, 400, "decision"),
        ({"decision": "banner", "options": ["mine"]}, 400, "parameters"),
        ({"decision": "banner", "token": "forged:x:y"}, 403, None),
        ({"decision": "banner", "token": Ticket("shop").signed("event")}, 403, None),
        ({"decision": "banner", "token": "?"}, 400, "ticket"),
        ({"decision": "banner", "token": 5}, 400, "token"),
        ({"decision": "banner", "token": None}, 403, None),
    ],
)
def test_a_page_is_given_nothing_else(body: Any, status: int, field: str | None, page: APIClient) -> None:
    answer = post(page, "choose", {"token": OFFER.signed(), **body})
    assert answer.status_code == status
    assert error_of(answer).get("field") == field
    assert post(page, "choose", {"token": OFFER.signed(), "decision": "x" * 9_000}).status_code == 413


@pytest.mark.parametrize(
    ("metrics", "more", "field"),
    [
        ({"visitors": 1}, {}, "metrics"),
        ({}, {}, "metrics"),
        (["revenue"], {}, "metrics"),
        ("revenue", {}, "metrics"),
        (None, {}, "metrics"),
        ({"revenue": "25"}, {}, "revenue"),
        ({"revenue": True}, {}, "revenue"),
        ({"revenue": 1e300}, {}, "revenue"),
        ({"revenue": 1}, {"decision": "secret"}, "decision"),
        ({"revenue": 1}, {"id": ["x"]}, "id"),
        ({"revenue": 1}, {"visitor": "another"}, "parameters"),
    ],
)
def test_a_page_credits_nothing_else(metrics: Any, more: Any, field: str, page: APIClient) -> None:
    answer = credit(page, metrics, **more)
    assert (answer.status_code, error_of(answer)["field"]) == (400, field)


def test_a_page_that_is_too_old(page: APIClient) -> None:
    with configured(PIXEL_MAX_AGE=60), time_machine.travel("2026-11-21T12:00:00Z", tick=False) as clock:
        body = {"token": OFFER.signed(), "decision": "banner"}
        assert post(page, "choose", body).status_code == 200
        clock.shift(timedelta(seconds=61))
        assert post(page, "choose", body).status_code == 403


def test_another_site_asks_for_nothing(page: APIClient) -> None:
    with configured(CORS_ORIGINS=[]):
        assert choose(page, Origin="https://elsewhere.example").status_code == 403
        assert choose(page, Origin="http://testserver").status_code == 200


def test_staff_force_an_option() -> None:
    client = APIClient(HTTP_USER_AGENT=FIREFOX)
    assert choose(client, query="?hailwhale_banner=7").json() == choose(client).json()
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert choose(client, query="?hailwhale_banner=7").json() == {"option": "7"}
    assert choose(client, query="?hailwhale_banner=unknown").json() == choose(client).json()
    assert choose(client, query="?colour=red").status_code == 400


def test_a_bot_is_given_the_first(page: APIClient) -> None:
    assert choose(page, **{"User-Agent": GOOGLE}).json() == {"option": "0"}
    assert credit(APIClient(HTTP_USER_AGENT=GOOGLE), {"revenue": 1}).status_code == 202
    settle()
    assert Whale.counters() == []


def test_a_page_is_answered_while_the_store_is_away(page: APIClient) -> None:
    with configured(REDIS="redis://127.0.0.1:1/0", BUFFER_SECONDS=3_600.0):
        assert choose(page).json() == {"option": "0"}
        assert credit(page, {"revenue": 25}).status_code == 202


def test_the_script_is_small_and_keeps_nothing() -> None:
    source = Path(finders.find("hailwhale_django/js/decide.js")).read_text("utf-8")
    assert len(gzip.compress(source.encode(), 9)) < MAX_SCRIPT_BYTES
    for word in ("cookie", "localStorage", "sessionStorage", "indexedDB", "userAgent", "screen", "title", "import"):
        assert word not in source.split("(() =>")[1]
