"""Template tags that decide: what they write, and that no page breaks for their sake."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.template import Context, RequestContext, Template
from django.test import RequestFactory, override_settings

from hailwhale_django import Hail, Whale, connection, crediting
from hailwhale_django.engine.errors import InvalidInput
from hailwhale_django.middleware import RequestEvent
from hailwhale_django.offer import Offer
from hailwhale_django.templatetags import hailwhale as tags

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"


@pytest.fixture(autouse=True)
def store(redis_url: str) -> Iterator[str]:
    tags._say_once.cache_clear()
    with override_settings(HAILWHALE={"REDIS": redis_url, "BUFFER_SECONDS": 3_600.0}):
        yield redis_url


def asked(address: str = "192.0.2.7", **meta: Any) -> HttpRequest:
    return RequestFactory().get("/", REMOTE_ADDR=address, HTTP_USER_AGENT=FIREFOX, **meta)


def render(source: str, request: HttpRequest | None = None, **context: Any) -> str:
    """As a view does it, by the context processor of the tests' settings."""
    template = Template("{% load hailwhale %}" + source)
    return str(template.render(RequestContext(asked() if request is None else request, context)))


def settle() -> None:
    assert crediting.flush()
    Hail.drain()


def logged(counter: str = "decisions/banner") -> Any:
    """The latest decision."""
    return connection.pod().store.choices.latest(counter, 1)[0].kept


# -- deciding


@pytest.mark.parametrize(
    "source",
    [
        '{% hailwhale_decide "banner" "a, b,c" %}',
        '{% hailwhale_decide "banner" options as banner %}{{ banner }}',
        '{% hailwhale_decide decision="banner" options=options as banner %}{{ banner }}',
        """{% hailwhale_decide "banner" '["a", "b", "c"]' %}""",
        """{% hailwhale_decide "banner" "['a', 'b', 'c']" pk='["decisions"]' %}""",
    ],
)
def test_an_option_is_written(source: str) -> None:
    assert render(source, options=["a", "b", "c"]) in ("a", "b", "c")
    assert set(logged().options) == {"a", "b", "c"}


def test_what_is_written_is_escaped() -> None:
    assert render('{% hailwhale_decide "banner" "<b>" %}') == "&lt;b&gt;"


def test_with_and_without_the_middleware_it_is_the_same_visitor() -> None:
    options = ",".join(map(str, range(50)))
    with_middleware: Any = asked()
    with_middleware.hailwhale = RequestEvent(with_middleware)
    source = f'{{% hailwhale_decide "banner" "{options}" %}}'
    assert len({render(source, with_middleware), render(source), render(source + source, asked())[:2]}) <= 2
    assert render(source, with_middleware) == render(source)


def test_what_the_page_knows() -> None:
    render(
        '{% hailwhale_decide "banner" "a,b" pk="shop" formula="cost/visitors" minimize=True country=country plan="pro"'
        ' dimensions="tier/gold" nothing=missing %}',
        country="DE",
    )
    kept = logged("shop/banner")
    assert kept.paths == ("tier", "tier/gold", "country", "country/DE", "plan", "plan/pro")
    assert kept.formula == "cost/visitors"


def test_a_visitor_that_the_page_names() -> None:
    options = ",".join(map(str, range(50)))
    source = f'{{% hailwhale_decide "banner" "{options}" visitor=member.pk %}}'
    first = render(source, member=User(pk=7))
    assert render(source, asked("198.51.100.1"), member=User(pk=7)) == first
    assert render(source, asked(), member=AnonymousUser()) == render(source, asked())


# -- crediting


def test_a_thank_you_page() -> None:
    option = render('{% hailwhale_decide "banner" "a,b,c" %}')
    for _ in range(2):
        assert render('{% hailwhale_credit "banner" revenue=25 sales=1 id=order.pk %}', order=User(pk=17)) == ""
        settle()
    assert Whale.total(["decisions", "banner", option], "revenue", period="today") == 25
    render('{% hailwhale_credit "banner" "sales" %}')
    render("""{% hailwhale_credit "banner" '{"sales": 2}' pk="decisions" %}""")
    settle()
    assert Whale.total("decisions", "sales", period="today") == 4
    assert Whale.total("decisions", "visitors", period="today") == 1


# -- the script


class Script(HTMLParser):
    """The attributes of the one script that was written."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(html)
        (self.attributes,) = self.found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag == "script"
        self.found.append(dict(attrs))


@pytest.mark.parametrize(
    ("source", "offer"),
    [
        ("""{% hailwhale_decisions '{"banner": ["a", "b"]}' %}""", Offer({"banner": ["a", "b"]})),
        ('{% hailwhale_decisions "banner, colour" %}', Offer({"banner": None, "colour": None})),
        ("{% hailwhale_decisions names %}", Offer({"banner": None})),
        (
            '{% hailwhale_decisions decisions pk="shop" visitor=member declared="revenue,sales" dimensions="plan/pro"'
            ' formula="sales/visitors" minimize=True %}',
            Offer(
                {"banner": ["a"]},
                "shop",
                "plan/pro",
                "7",
                ("revenue", "sales"),
                {"formula": "sales/visitors", "minimize": True},
            ),
        ),
    ],
)
def test_a_page_says_what_it_may_ask_for(source: str, offer: Offer) -> None:
    html = render(source, decisions={"banner": ("a",)}, names=["banner"], member=User(pk=7))
    script = Script(html).attributes
    assert script["src"] == "/static/hailwhale_django/js/decide.js"
    assert (script["data-choose"], script["data-credit"]) == ("/hailwhale/choose", "/hailwhale/credit")
    assert "defer" in script
    assert Offer.read(str(script["data-token"]), None) == offer


# -- no page breaks


def test_the_store_is_away() -> None:
    with override_settings(HAILWHALE={"REDIS": "redis://127.0.0.1:1/0", "BUFFER_SECONDS": 3_600.0}, DEBUG=True):
        assert render('{% hailwhale_decide "banner" "a,b" %}') == "a"
        assert render('{% hailwhale_credit "banner" revenue=25 %}') == ""
        assert "<script" in render('{% hailwhale_decisions "banner" %}')


WITHOUT_REQUEST = [('{% hailwhale_decide "banner" "a,b" %}', "a"), ('{% hailwhale_credit "banner" revenue=1 %}', "")]


@pytest.mark.parametrize(("source", "written"), WITHOUT_REQUEST)
def test_without_the_request_in_the_context(source: str, written: str) -> None:
    template = Template("{% load hailwhale %}" + source)
    assert template.render(Context()) == written
    with override_settings(DEBUG=True), pytest.raises(InvalidInput, match="context_processors.request"):
        template.render(Context())


@pytest.mark.parametrize(
    ("source", "written"),
    [
        ('{% hailwhale_decide "banner" missing %}', ""),
        ('{% hailwhale_decide "banner" %}', ""),
        ('{% hailwhale_decide "banner" "a,a" %}', "a"),
        ('{% hailwhale_decide "banner" "[" %}', ""),
        ('{% hailwhale_decide "banner" "a,b" formula="revenue/" %}', "a"),
        ('{% hailwhale_decide "banner" "a,b" pk="[" %}', ""),
        ('{% hailwhale_credit "banner" %}', ""),
        ('{% hailwhale_credit "banner" revenue="much" %}', ""),
        ('{% hailwhale_credit "banner" "{" %}', ""),
        ("{% hailwhale_decisions missing %}", ""),
        ("""{% hailwhale_decisions '{"banner": []}' %}""", ""),
        ("{% hailwhale_decisions many %}", ""),
        ("{% hailwhale_decisions huge %}", ""),
    ],
)
def test_what_cannot_be_understood(source: str, written: str, caplog: pytest.LogCaptureFixture) -> None:
    context = {"many": list(map(str, range(21))), "huge": {"x": [f"{n:x}" * 7 for n in range(2_000, 4_000)]}}
    with caplog.at_level(logging.WARNING, "hailwhale"), caplog.at_level(logging.WARNING, "hailwhale_django"):
        assert [render(source, **context) for _ in range(2)] == [written] * 2
        assert crediting.flush()
    assert len(caplog.records) in (1, 2)  # values are read when they are written, each time
    with override_settings(DEBUG=True), pytest.raises(InvalidInput):
        render(source, **context)
